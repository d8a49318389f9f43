"""Games as text that others write and read: move strings, lists of moves, Kaggle's ConnectX replays; and saved games.

A move string has one action per move, counted from 1, in the order in which they were made (seat 0's before seat 1's
where both act at once). Up to nine actions are digits without separators, as on connect4.gamesolver.org: ``4455`` in
Connect Four, ``519`` in Tic-Tac-Toe. Larger games separate numbers by spaces or commas: ``16, 1, 4``. Words of a game's
own may replace numbers: ``up left``. Who moves follows from the rules, so a string stands for one game.

A list of moves has a move string per line; text after ``#`` is a comment. A replay of Kaggle's ConnectX environment is
a JSON object (github.com/Kaggle/kaggle-environments, ``envs/connectx``): a step holds both agents' actions, of which
the one counts whose status was ACTIVE before; the boards of its observations are compared with ours. Saved games are
``mail.data.records``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from agents.storage.reading import Unreadable, parse_json, printable, read_bytes
from games.base import Game, NashmailError, States, certain
from games.registry import make
from mail.data.records import TITLE, Played, RecordError, Replay, parse

LARGEST = 1 << 24  # bytes of a file or of standard input that are read
STDIN = "-"
"""The file name that stands for standard input."""
UNKNOWN = ("unknown", "unknown")
DIGITS = 9
"""Games with at most so many actions have move strings without separators."""
_SEPARATORS = re.compile(r"[\s,;]+")


# --- writing -----------------------------------------------------------------------------------------------


def moves_text(actions: int, moves: Iterable[tuple[int, int]]) -> str:
    """A game's move string.

    Args:
        actions: The number of actions of the game.
        moves: Both seats' actions of each ply from 0, -1 where a seat does not act.
    """
    numbers = [str(action + 1) for pair in moves for action in pair if action >= 0]
    return ("" if actions <= DIGITS else " ").join(numbers)


def line_text(actions: int, line: Iterable[int]) -> str:
    """The move string of a turn-based game.

    Args:
        actions: A, the game's number of actions.
        line: The actions, counted from 0.
    """
    return moves_text(actions, ((action, -1) for action in line))


# --- move strings ------------------------------------------------------------------------------------------


def follow(
    game: Game, text: str, *, seed: int | None, source: str = "the moves", players: tuple[str, str] = UNKNOWN
) -> Played:
    """Play the moves of a string by the rules.

    Args:
        game: The game.
        text: The move string; an empty one is the start.
        seed: Of chance moves; None refuses games in which chance decides, because the moves do not say how.
        source: What the text is called in messages.
        players: The names of seat 0's and seat 1's player.

    Returns:
        The game so far.

    Raises:
        RecordError: A word is no action, or a move is not legal; the message names its index, from 1.
    """
    replay = Replay(game, seed or 0)
    if seed is None:
        _refuse_chance(game, None, source)
    words = _words(game, text)
    at = 0
    while at < len(words):
        if replay.over:
            raise RecordError(f"{source}: the game is over before move {at + 1} ({_quoted(words[at])})")
        pair = [-1, -1]
        for seat in replay.acting():
            if at == len(words):
                raise RecordError(f"{source}: seat {seat} has no move in the last step, in which both seats move")
            pair[seat] = _action(replay, seat, words[at], f"{source}: move {at + 1} ({_quoted(words[at])})")
            at += 1
        if seed is None:
            _refuse_chance(game, (replay.states[-1], pair), source)
        replay.play((pair[0], pair[1]))
    return replay.played(players)


def _words(game: Game, text: str) -> list[str]:
    """The words of a move string, one per action. Digits need no separators in games of few actions."""
    words = [word for word in _SEPARATORS.split(text) if word]
    if game.spec.actions > DIGITS:
        return words
    named = {name.lower() for name in game.spec.display.names}
    return [part for word in words for part in ([word] if word.lower() in named else word)]


def _action(replay: Replay, seat: int, word: str, where: str) -> int:
    """The legal action that a word names."""
    spec = replay.game.spec
    shown = spec.display
    names = [name.lower() for name in shown.names]
    if word.lower() in names:
        action = names.index(word.lower())
    elif re.fullmatch("[0-9]{1,6}", word):
        action = int(word) - 1
    else:
        raise RecordError(f"{where} is not the number of a {shown.noun}; they count from 1 to {spec.actions}")
    if not 0 <= action < spec.actions:
        raise RecordError(f"{where}: there is no such {shown.noun}; they count from 1 to {spec.actions}")
    if not replay.legal(seat, action):
        raise RecordError(f"{where} is not legal: that {shown.noun} is {shown.taken}")
    return action


def _refuse_chance(game: Game, move: tuple[States, list[int]] | None, source: str) -> None:
    """RecordError if the start, or the outcome of a move, is drawn by chance."""
    if not certain(game, move):
        raise RecordError(f"{source}: chance decides in {game.spec.name}, so moves alone are no game; use a saved game")


def _quoted(word: str) -> str:
    return ascii(word[:20])


# --- files -------------------------------------------------------------------------------------------------


def read_games(path: Path, game: Game | None = None) -> list[Played]:
    """The games in a file: a saved one, a replay of Kaggle's ConnectX, or a list of move strings.

    Args:
        path: The file; ``-`` is standard input.
        game: The game that is meant. Lists need it; other files are refused if they are of another game.

    Returns:
        The games in their order, at least one.

    Raises:
        RecordError: The file is none of these, is of another game, or breaks the rules; the message has the place.
    """
    source = "standard input" if str(path) == STDIN else printable(path)
    text = _text(path)
    if text.lstrip().startswith("{"):
        games = [_from_kaggle(text, source)]
    elif game is None or text.lstrip().startswith(TITLE):
        games = [parse(text, source)]
    else:
        games = _from_list(text, source, game)
    if game is not None and (other := games[0].game.spec.name) != game.spec.name:
        raise RecordError(f"{source} holds a game of {printable(other)}, not of {game.spec.name}; leave it out")
    return games


def _text(path: Path) -> str:
    """The contents of a file or of standard input."""
    if str(path) == STDIN:
        data = sys.stdin.buffer.read(LARGEST + 1) if sys.stdin is not None else b""
        if len(data) > LARGEST:
            raise RecordError(f"standard input has more than the limit of {LARGEST:,} bytes")
    else:
        try:
            data = read_bytes(path, most=LARGEST)
        except Unreadable as error:
            raise RecordError(f"{error}; name a file written by `save`") from error
    return data.decode("utf-8", "replace")


def _from_list(text: str, source: str, game: Game) -> list[Played]:
    """The games of a list of move strings."""
    lines = [(number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), start=1)]
    games = [follow(game, line, seed=None, source=f"{source}, line {number}") for number, line in lines if line]
    if not games:
        raise RecordError(f"{source} holds no moves; write a line like 4455 for each game")
    return games


# --- Kaggle's ConnectX -------------------------------------------------------------------------------------


def _from_kaggle(text: str, source: str) -> Played:
    """The game of a ConnectX replay."""
    try:
        values = parse_json(text)
    except ValueError as error:
        raise RecordError(f"{source} is not JSON: {printable(error)}") from error
    if not isinstance(values, dict) or values.get("name") != "connectx":
        raise RecordError(f"{source} is no replay of Kaggle's ConnectX: its name must be 'connectx'")
    try:
        game, steps = _kaggle_game(values["configuration"]), values["steps"]
        moves = [_kaggle_move(before, after) for before, after in pairwise(steps)]
        boards = [step[0]["observation"].get("board") for step in steps]
    except NashmailError as error:
        raise RecordError(f"{source}: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise RecordError(f"{source} is damaged: {type(error).__name__} {printable(error)[:60]}") from error
    made = [move for move in moves if move is not None]
    if moves[: len(made)] != made:
        raise RecordError(f"{source} is damaged: a step without a move is followed by one with a move")
    numbers = " ".join(str(move + 1) for move in made)
    played = follow(game, numbers, seed=None, source=source, players=_kaggle_names(values))
    for step, board in enumerate(boards[: len(played.states)]):
        if board and board != _kaggle_board(played.game, played.states[step]):
            raise RecordError(f"{source}, step {step}: its board is not the one that the moves lead to")
    return played


def _kaggle_game(configuration: dict[str, Any]) -> Game:
    """The board of a configuration."""
    rows, columns, k = (int(configuration[key]) for key in ("rows", "columns", "inarow"))
    size = "" if (rows, columns) == (6, 7) else f"{rows}x{columns}"
    if not size and k == 4:
        return make("connect4")
    return make(f"connect4:{size or '6x7'}" + ("" if k == 4 else f":{k}"))


def _kaggle_move(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> int | None:
    """The column, from 0, that was chosen between two steps; None if the game ended without a move."""
    mover = next((at for at, agent in enumerate(before) if agent["status"] == "ACTIVE"), None)
    if mover is None or after[mover]["status"] not in ("ACTIVE", "INACTIVE", "DONE"):
        return None  # an error, a timeout, or a column that was refused
    action = after[mover]["action"]
    if type(action) is not int:
        raise ValueError(f"an action must be a whole number, not {action!r:.20}")
    return action


def _kaggle_board(game: Game, states: States) -> list[int]:
    """The board as ConnectX lists it: row by row from the top, 0 empty, 1 and 2 the agents'."""
    marks = {".": 0, "x": 1, "o": 2}
    return [marks[mark] for line in game.render(states[0]).splitlines() for mark in line]


def _kaggle_names(values: dict[str, Any]) -> tuple[str, str]:
    """The agents' names, if the replay has them."""
    info = values.get("info")
    names = info.get("TeamNames") if isinstance(info, dict) else None
    if isinstance(names, list) and len(names) == 2:
        return str(names[0]), str(names[1])
    return "agent 1", "agent 2"
