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
from typing import TYPE_CHECKING

import numpy as np

from agents.atomic import write_atomic
from agents.reading import Unreadable, printable, read_bytes
from games.base import Game, Ints, NashmailError, States
from games.registry import make
from mail.decisions import Decisions, merge
from mail.streams import stream

if TYPE_CHECKING:
    from games.symmetry import Quotient
    from mail.learners import Learned, Options

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
    title = re.fullmatch(rf"{TITLE} ([0-9]{{1,9}})", lines[0][1]) if lines else None
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


def decisions_of(games: Sequence[Played]) -> Decisions:
    """Every decision of these games, labelled with the move that was made. RecordError for games of several kinds.

    A label is a one-hot row: a person is not a distribution. Positions met several times are averaged when they
    are cloned. Games without a single move say nothing and are left out.
    """
    told = [played for played in games if played.record.moves]
    if not told:
        raise RecordError("there is no move in these games to learn from; name games that were played")
    first = told[0]
    for played in told:
        if played.game.spec.name != first.game.spec.name:
            raise RecordError(
                f"games of {first.record.game} and of {played.record.game} cannot be learned together; name one kind"
            )
    return merge([_rows_of(played) for played in told])


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


def _rows_of(played: Played) -> Decisions:
    """One game's decisions, seat by seat within a ply."""
    game = played.game
    turns = [
        (ply, seat, pair[seat]) for ply, pair in enumerate(played.record.moves) for seat in (0, 1) if pair[seat] >= 0
    ]
    seats = np.array([seat for _, seat, _ in turns], dtype=np.int64)
    actions = np.array([action for _, _, action in turns], dtype=np.int64)
    states = np.concatenate([played.states[ply] for ply, _, _ in turns])
    following = _following(turns)
    reward = [_earned(played, turns, row, int(following[row])) for row in range(len(turns))]
    per_seat = [(states[row : row + 1], int(seat)) for row, seat in enumerate(seats)]
    return Decisions(
        seat=seats,
        episode=np.zeros(len(turns), dtype=np.int64),
        state=states,
        key=np.concatenate([game.key(state, seat) for state, seat in per_seat]),
        observation=np.concatenate([game.observe(state, seat) for state, seat in per_seat]),
        legal=np.concatenate([game.legal(state, seat) for state, seat in per_seat]),
        played=actions,
        label=np.eye(game.spec.actions, dtype=np.float32)[actions],
        reward=np.array(reward, dtype=np.float64),
        next=following,
        ended=(following < 0) & played.over,
    )


def _following(turns: list[tuple[int, int, int]]) -> Ints:
    """[R] the row of the same seat's next decision, or -1."""
    following = np.full(len(turns), -1, dtype=np.int64)
    last: dict[int, int] = {}
    for row in reversed(range(len(turns))):
        seat = turns[row][1]
        following[row] = last.get(seat, -1)
        last[seat] = row
    return following


def _earned(played: Played, turns: list[tuple[int, int, int]], row: int, following: int) -> float:
    """The seat's own reward from its decision to its next one."""
    ply, seat, _ = turns[row]
    stop = turns[following][0] if following >= 0 else len(played.rewards)
    return float(sum(played.rewards[ply:stop]) * (1 - 2 * seat)) + 0.0


def learn_from_games(games: Sequence[Played], options: Options, *, symmetry: bool = False) -> Learned:
    """Behavioural cloning of the moves in saved games: one policy per seat. No expert is asked.

    With ``symmetry`` positions that are images of each other are learned as one, and the policies are those of the
    quotient game. NashmailError for what ``demonstrated`` refuses.
    """
    from mail.learners import Collector, finish

    game, found = demonstrated(games, symmetry=symmetry)
    return finish(Collector(GAMES, game, options.seed), (found, found), found.games, options)


def demonstrated(games: Sequence[Played], *, symmetry: bool = False) -> tuple[Game, Decisions]:
    """The game that is learned on, and every decision of these games in it. NashmailError for games of several kinds,
    in which a seat never moves, or (with ``symmetry``) of a game that has none.
    """
    from games.symmetry import Quotient

    found = decisions_of(games)
    game = games[0].game
    if symmetry:
        quotient = Quotient(game)  # type: ignore[arg-type]  # which says itself what it cannot take
        found, game = canonical(found, quotient), quotient
    for seat in (0, 1):
        if not (found.seat == seat).any():
            raise RecordError(f"seat {seat} never moves in these games; name some in which it does")
    return game, found


def canonical(found: Decisions, quotient: Quotient) -> Decisions:
    """The decisions with every position, action and label moved to the canonical image."""
    states, which = quotient.canonical(found.state)
    to = quotient.to_canonical(which)  # [R, A] where each action goes
    rows = np.arange(len(found))
    label, legal = np.empty_like(found.label), np.empty_like(found.legal)
    np.put_along_axis(label, to, found.label, axis=1)
    np.put_along_axis(legal, to, found.legal, axis=1)
    observation = np.empty_like(found.observation)
    key = np.empty_like(found.key)
    for seat in (0, 1):
        mine = found.seat == seat
        observation[mine] = quotient.observe(states[mine], seat)
        key[mine] = quotient.key(states[mine], seat)
    changed = {"state": states, "key": key, "observation": observation, "legal": legal, "label": label}
    return replace(found, played=to[rows, found.played], **changed)
