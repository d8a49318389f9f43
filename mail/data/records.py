"""Games as plain text: written down by the terminal, stepped through, and used as demonstrations.

    nashmail game 1                      the format and its version
    game: tictactoe                      as ``games.make`` takes it
    seat 0: human
    seat 1: runs/demo
    seed: 4                              of chance and of the opponent's draws
    result: -1                           seat 0's payoff, ``unfinished``, or ``seat 0 resigned``

    1. 5                                 one line per ply, actions from 1
    2. 1

Where both seats move at once a line carries both actions, seat 0's first. Text after ``#`` is a remark. Every move is
checked against the rules when a file is read, and what is wrong is said with its line number.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agents.storage.atomic import write_atomic
from agents.storage.reading import Unreadable, printable, read_bytes
from games.base import Game, NashmailError, States
from games.registry import make
from mail.parallel.streams import stream

FORMAT = 1
TITLE = "nashmail game"
LARGEST = 1_000_000  # bytes of a file that are looked at: no game is as long
CHANCE = "play/chance"  # the stream that a game's own draws come from
UNFINISHED = "unfinished"
GAMES = "games"  # the learner that clones saved games
STORED = "demonstrations"  # the folder of a run that holds them; not ``games``, which is a package of ours


class RecordError(NashmailError):
    """A game's record that is none, or breaks the rules."""


@dataclass(frozen=True)
class Record:
    """One game; ``moves`` are (seat 0's action, seat 1's action) per ply from 0, -1 where a seat did not act."""

    game: str
    players: tuple[str, str]
    seed: int
    moves: tuple[tuple[int, int], ...]
    result: float | None
    """Seat 0's payoff; None where the game was not finished."""
    resigned: int | None = None
    """The seat that gave up."""

    def text(self) -> str:
        """The record as a file holds it."""
        lines = [
            f"{TITLE} {FORMAT}",
            f"game: {self.game}",
            *(f"seat {seat}: {_one_line(name)}" for seat, name in enumerate(self.players)),
            f"seed: {self.seed}",
            f"result: {self._outcome()}",
            "",
        ]
        for ply, pair in enumerate(self.moves):
            lines.append(f"{ply + 1}. " + " ".join(str(action + 1) for action in pair if action >= 0))
        return "\n".join(lines) + "\n"

    def _outcome(self) -> str:
        if self.resigned is not None:
            return f"seat {self.resigned} resigned"
        return UNFINISHED if self.result is None else f"{self.result:g}"


@dataclass(frozen=True)
class Played:
    """A record on the board: P plies."""

    record: Record
    game: Game
    states: list[States]
    """[1, W] before each ply, and at the end: P + 1 of them."""
    rewards: list[float]
    """[P] seat 0's."""
    over: bool


def _one_line(name: str) -> str:
    """A player's name in printable ASCII; the same again for what this has made."""
    return " ".join(printable(name).encode("ascii", "backslashreplace").decode().split())[:200].rstrip()


# --- reading ---------------------------------------------------------------------------------------------


def read(path: Path) -> Played:
    """The game in a file, replayed. RecordError with a line number for anything that is not such a game."""
    try:
        data = read_bytes(path, most=LARGEST)
    except Unreadable as error:
        raise RecordError(f"{error}; name a file that `save` wrote") from error
    return parse(data.decode("utf-8", "replace"), str(path))


def parse(text: str, source: str) -> Played:
    """The game in a text, replayed; ``source`` is what messages call it. RecordError where it is none."""
    lines = [(number, _bare(line)) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in lines if line]
    title = re.fullmatch(rf"{TITLE} ([1-9][0-9]{{0,8}})", lines[0][1]) if lines else None
    if title is None:
        raise RecordError(f"{source} is no saved game: its first line must be '{TITLE} {FORMAT}'")
    if int(title[1]) > FORMAT:
        raise RecordError(f"{source} has format {title[1]}, newer than {FORMAT}; update nashmail to read it")
    head, plies = _split(lines[1:], source)
    record, game = _header(head, source)
    return _replay(record, game, plies, head["result"], source)


def _bare(line: str) -> str:
    """A line without its remark; a player's name may hold the sign."""
    return line.strip() if line.startswith("seat ") else line.partition("#")[0].strip()


def _split(lines: list[tuple[int, str]], source: str) -> tuple[dict[str, tuple[int, str]], list[tuple[int, str]]]:
    """Header fields with their line numbers, and the lines that are plies."""
    head: dict[str, tuple[int, str]] = {}
    plies: list[tuple[int, str]] = []
    for number, line in lines:
        if found := re.fullmatch(r"([0-9]{1,6})\.\s+([0-9\s]{1,40})", line):
            if int(found[1]) != len(plies) + 1:
                raise RecordError(f"{source}, line {number}: expected move {len(plies) + 1}, not {found[1]}")
            plies.append((number, found[2]))
            continue
        key, colon, value = line.partition(":")
        if not colon or key not in ("game", "seat 0", "seat 1", "seed", "result") or key in head or plies:
            raise RecordError(f"{source}, line {number}: {line[:40]!a} is neither 'N. MOVE' nor a known field")
        head[key] = (number, value.strip())
    for key in ("game", "seat 0", "seat 1", "seed", "result"):
        if key not in head:
            raise RecordError(f"{source} lacks the line '{key}: ...'; restore it")
    return head, plies


def _header(head: dict[str, tuple[int, str]], source: str) -> tuple[Record, Game]:
    """The record without its moves, and its game."""
    number, name = head["game"]
    try:
        game = make(name)
    except NashmailError as error:
        raise RecordError(f"{source}, line {number}: {error}") from error
    number, seed = head["seed"]
    if not re.fullmatch(r"[0-9]{1,100}", seed):
        raise RecordError(f"{source}, line {number}: a seed is a whole number, not {seed[:20]!a}")
    players = (_one_line(head["seat 0"][1]), _one_line(head["seat 1"][1]))
    return Record(game.spec.name, players, int(seed), (), None), game


def _replay(record: Record, game: Game, plies: list[tuple[int, str]], result: tuple[int, str], source: str) -> Played:
    """Play the moves by the rules, and hold the result against what is written."""
    rng = stream(record.seed, CHANCE)
    states, rewards, moves, over = [game.start(1, rng=rng)], [], [], False
    for number, text in plies:
        if over:
            raise RecordError(f"{source}, line {number}: the game was over before this move")
        pair = _pair(game, states[-1], [int(word) - 1 for word in text.split()], f"{source}, line {number}")
        after, reward, done = game.step(states[-1], np.array([pair], dtype=np.int64), rng=rng)
        states.append(after)
        rewards.append(float(reward[0]))
        moves.append(pair)
        over = bool(done[0])
    played = replace(record, moves=tuple(moves), result=sum(rewards) if over else None)
    number, written = result
    resigned = re.fullmatch(r"seat ([01]) resigned", written)
    if resigned and not over:
        played = replace(played, resigned=int(resigned[1]))
    if written != played._outcome():
        raise RecordError(
            f"{source}, line {number}: the moves end with result {played._outcome()}, not {written[:40]!a}"
        )
    return Played(played, game, states, rewards, over)


def _pair(game: Game, states: States, actions: list[int], where: str) -> tuple[int, int]:
    """Both seats' actions of a ply; RecordError where they are not one legal action per seat that acts."""
    acting = np.flatnonzero(game.acting(states)[0])
    if len(actions) != len(acting):
        raise RecordError(f"{where}: {len(acting)} move(s) are made here, not {len(actions)}")
    pair = [-1, -1]
    for seat, action in zip(acting.tolist(), actions, strict=True):
        legal = game.legal(states, seat)[0]
        if not 0 <= action < len(legal) or not legal[action]:
            raise RecordError(f"{where}: move {action + 1} of seat {seat} is not legal here")
        pair[seat] = action
    return pair[0], pair[1]


# --- games as demonstrations -----------------------------------------------------------------------------


def check_sum(games: Sequence[Played]) -> str:
    """What tells these games, in this order, from any others: a run's configuration holds it."""
    return hashlib.sha256("\n".join(played.record.text() for played in games).encode()).hexdigest()


def store_games(folder: Path, games: Sequence[Played]) -> None:
    """Keep the games a run learns from in its folder, these and no others, so that it explains itself."""
    paths = [folder / STORED / f"{number:06d}.txt" for number in range(len(games))]
    for path, played in zip(paths, games, strict=True):
        write_atomic(path, played.record.text().encode())
    for other in {*(folder / STORED).glob("*.txt")} - {*paths}:
        other.unlink()


def stored_games(folder: Path, check: str = "") -> list[Played]:
    """The games that ``store_games`` kept, in their order. RecordError where there are none, or not those of ``check``.

    ``check``: their check sum; empty for runs of older versions, which kept them in ``games/`` and without one.
    """
    home = folder / STORED if check or (folder / STORED).is_dir() else folder / "games"
    games = [read(path) for path in sorted(home.glob("*.txt"))]
    if not games:
        raise RecordError(f"{folder} holds no games to learn from; train anew with --from-games FILE...")
    if check and check != check_sum(games):
        raise RecordError(
            f"{home} does not hold the games that the run was begun with; resume it with the same --from-games FILE..."
        )
    return games
