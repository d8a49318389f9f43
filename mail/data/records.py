"""Games as plain text: saved by the terminal, replayed step by step, and used as demonstrations.

    nashmail game 1                      the format and its version
    game: tictactoe                      a name for ``games.make``
    seat 0: human
    seat 1: runs/demo
    seed: 4                              of chance and of the opponent's moves
    result: -1                           seat 0's payoff, ``unfinished``, or ``seat 0 resigned``

    1. 5                                 one line per ply, actions from 1
    2. 1

With simultaneous moves a line has both actions, seat 0's first. Text after ``#`` is a comment. Every move is checked
against the rules when a file is read, and errors name the line.
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
LARGEST = 1_000_000  # bytes of a file that are read; every game is shorter
CHANCE = "play/chance"  # the stream of a game's chance moves
UNFINISHED = "unfinished"
GAMES = "games"  # the learner that clones saved games
STORED = "demonstrations"  # their directory in a run's folder; not ``games``, which is a package of ours


class RecordError(NashmailError):
    """A record that cannot be read or breaks the rules."""


@dataclass(frozen=True)
class Record:
    """One game. ``moves`` are (seat 0's action, seat 1's action) per ply from 0, -1 where a seat did not act."""

    game: str
    players: tuple[str, str]
    seed: int
    moves: tuple[tuple[int, int], ...]
    result: float | None
    """Seat 0's payoff; None if the game was not finished."""
    resigned: int | None = None
    """The seat that resigned, if one did."""

    def text(self) -> str:
        """The record as the text of a file."""
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
    """A replayed record with P plies."""

    record: Record
    game: Game
    states: list[States]
    """[1, W] each, the position before each ply and at the end: P + 1 of them."""
    rewards: list[float]
    """[P] seat 0's rewards."""
    over: bool


def _one_line(name: str) -> str:
    """A player's name in printable ASCII. Idempotent."""
    return " ".join(printable(name).encode("ascii", "backslashreplace").decode().split())[:200].rstrip()


class Replay:
    """A game that is followed ply by ply, with the chances of a seed.

    Args:
        game: The game.
        seed: Of its chance moves.
    """

    def __init__(self, game: Game, seed: int) -> None:
        self.game, self.seed = game, seed
        self._rng = stream(seed, CHANCE)
        self.states = [game.start(1, rng=self._rng)]
        self.rewards: list[float] = []
        self.moves: list[tuple[int, int]] = []
        self.over = False

    @property
    def earned(self) -> float:
        """Seat 0's payoff so far."""
        return sum(self.rewards) + 0.0

    def acting(self) -> list[int]:
        """The seats to move."""
        return [int(seat) for seat in np.flatnonzero(self.game.acting(self.states[-1])[0])]

    def legal(self, seat: int, action: int) -> bool:
        """Whether a seat may choose an action.

        Args:
            seat: The seat.
            action: Any number.
        """
        legal = self.game.legal(self.states[-1], seat)[0]
        return 0 <= action < len(legal) and bool(legal[action])

    def play(self, pair: tuple[int, int]) -> None:
        """Play one ply.

        Args:
            pair: A legal action for each seat that acts, and -1 for one that does not.
        """
        after, reward, done = self.game.step(self.states[-1], np.array([pair], dtype=np.int64), rng=self._rng)
        self.states.append(after)
        self.rewards.append(float(reward[0]))
        self.moves.append(pair)
        self.over = bool(done[0])

    def played(self, players: tuple[str, str]) -> Played:
        """The game so far.

        Args:
            players: The names of both players.
        """
        names = (_one_line(players[0]), _one_line(players[1]))
        result = self.earned if self.over else None
        record = Record(self.game.spec.name, names, self.seed, tuple(self.moves), result)
        return Played(record, self.game, self.states, self.rewards, self.over)


# --- reading ---------------------------------------------------------------------------------------------


def read(path: Path) -> Played:
    """Read and replay the game in a file.

    Args:
        path: The file.

    Raises:
        RecordError: It is not a valid record; with the line's number.
    """
    try:
        data = read_bytes(path, most=LARGEST)
    except Unreadable as error:
        raise RecordError(f"{error}; name a file written by `save`") from error
    return parse(data.decode("utf-8", "replace"), str(path))


def parse(text: str, source: str) -> Played:
    """Replay the game in a text.

    Args:
        text: The record.
        source: Its name in messages.

    Raises:
        RecordError: It is not a valid record; with the line's number.
    """
    lines = [(number, _bare(line)) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in lines if line]
    title = re.fullmatch(rf"{TITLE} ([1-9][0-9]{{0,8}})", lines[0][1]) if lines else None
    if title is None:
        raise RecordError(f"{source} is not a saved game: its first line must be '{TITLE} {FORMAT}'")
    if int(title[1]) > FORMAT:
        raise RecordError(f"{source} has format {title[1]}, newer than {FORMAT}; update nashmail to read it")
    head, plies = _split(lines[1:], source)
    record, game = _header(head, source)
    return _replay(record, game, plies, head["result"], source)


def _bare(line: str) -> str:
    """A line without its comment; a player's name may contain ``#``."""
    return line.strip() if line.startswith("seat ") else line.partition("#")[0].strip()


def _split(lines: list[tuple[int, str]], source: str) -> tuple[dict[str, tuple[int, str]], list[tuple[int, str]]]:
    """Header fields with their line numbers, and the lines that are plies."""
    head: dict[str, tuple[int, str]] = {}
    plies: list[tuple[int, str]] = []
    for number, line in lines:
        if match := re.fullmatch(r"([0-9]{1,6})\.\s+([0-9\s]{1,40})", line):
            if int(match[1]) != len(plies) + 1:
                raise RecordError(f"{source}, line {number}: expected move {len(plies) + 1}, not {match[1]}")
            plies.append((number, match[2]))
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
        raise RecordError(f"{source}, line {number}: a seed must be a whole number, not {seed[:20]!a}")
    players = (_one_line(head["seat 0"][1]), _one_line(head["seat 1"][1]))
    return Record(game.spec.name, players, int(seed), (), None), game


def _replay(record: Record, game: Game, plies: list[tuple[int, str]], result: tuple[int, str], source: str) -> Played:
    """Replay the moves by the rules and compare the result with the recorded one."""
    replay = Replay(game, record.seed)
    for number, text in plies:
        where = f"{source}, line {number}"
        if replay.over:
            raise RecordError(f"{where}: the game was over before this move")
        replay.play(_pair(replay, [int(word) - 1 for word in text.split()], where))
    played = replay.played(record.players)
    number, written = result
    if (resigned := re.fullmatch(r"seat ([01]) resigned", written)) and not replay.over:
        played = replace(played, record=replace(played.record, resigned=int(resigned[1])))
    if written != (outcome := played.record._outcome()):
        raise RecordError(f"{source}, line {number}: the moves end with result {outcome}, not {written[:40]!a}")
    return played


def _pair(replay: Replay, actions: list[int], where: str) -> tuple[int, int]:
    """Both seats' actions of a ply. RecordError unless there is one legal action for each seat that acts."""
    acting = replay.acting()
    if len(actions) != len(acting):
        raise RecordError(f"{where}: this position takes {len(acting)} move(s), not {len(actions)}")
    pair = [-1, -1]
    for seat, action in zip(acting, actions, strict=True):
        if not replay.legal(seat, action):
            raise RecordError(f"{where}: move {action + 1} of seat {seat} is not legal here")
        pair[seat] = action
    return pair[0], pair[1]


# --- games as demonstrations -----------------------------------------------------------------------------


def check_sum(games: Sequence[Played]) -> str:
    """A SHA-256 of games in their order. A run's configuration contains it.

    Args:
        games: The games.
    """
    return hashlib.sha256("\n".join(played.record.text() for played in games).encode()).hexdigest()


def store_games(folder: Path, games: Sequence[Played]) -> None:
    """Save exactly these games in the folder of the run that learns from them.

    Args:
        folder: The run's folder.
        games: The games.
    """
    paths = [folder / STORED / f"{number:06d}.txt" for number in range(len(games))]
    for path, played in zip(paths, games, strict=True):
        write_atomic(path, played.record.text().encode())
    for other in {*(folder / STORED).glob("*.txt")} - {*paths}:
        other.unlink()


def stored_games(folder: Path, check: str = "") -> list[Played]:
    """The games saved by ``store_games``, in order.

    Args:
        folder: The run's folder.
        check: Their check sum; empty for runs of older versions, which saved them in ``games/`` without one.

    Raises:
        RecordError: No games are there, or they are not those of ``check``.
    """
    home = folder / STORED if check or (folder / STORED).is_dir() else folder / "games"
    games = [read(path) for path in sorted(home.glob("*.txt"))]
    if not games:
        raise RecordError(f"{folder} holds no games to learn from; train again with --from-games FILE...")
    if check and check != check_sum(games):
        raise RecordError(
            f"{home} does not hold the games that the run started with; resume it with the same --from-games FILE..."
        )
    return games
