"""A human and a policy at one table: drawing the board, asking for moves, and saying how it ended.

A human is not a distribution, so this is a loop of its own and no ``Policy``. It knows rules only through
``Game`` and takes its input and output from outside, so that a test can sit down as well as a person. Cells,
columns and moves count from 1. For games in which one seat moves at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from rich.console import Console
from rich.text import Text

from agents.policy import Policy, ask, sample
from games.base import Game, GameError, States
from games.boards import Board
from mail.streams import stream

Read = Callable[[], str | None]
LONGEST_ANSWER = 1000  # characters of a line that are looked at; the rest of it is dropped
PATIENCE = 10  # answers in a row that are no moves before no more is said about them
QUIT = ("q", "quit", "exit")


# --- what is on the table --------------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """How a game looks in the terminal: what its moves are called, and how a position is drawn."""

    noun: str
    """What an action is: a cell, a column, or just a move."""
    taken: str
    """Why an action that exists may not be chosen."""
    marks: tuple[str, str]
    """What each seat is called."""
    goal: str
    draw: Callable[[States, bool], str]
    """One position [W] as ASCII text; whether the game is over."""


def view(game: Game) -> View:
    """Boards are drawn with numbers to choose from; any other game as it renders itself."""
    if not isinstance(game, Board):
        return View("move", "not legal here", ("seat 0", "seat 1"), "", lambda state, over: game.render(state))
    goal = f" {game.k} in a row win."
    if game.gravity:
        return View("column", "full", ("x", "o"), goal, lambda state, over: _columns(game.render(state).splitlines()))
    return View("cell", "taken", ("x", "o"), goal, lambda state, over: _grid(game.render(state).splitlines(), over))


def _columns(rows: list[str]) -> str:
    """Stones in columns, and the columns' numbers below."""
    columns = len(rows[0])
    width = len(str(columns))
    lines = ["| " + " ".join(mark.rjust(width) for mark in row) + " |" for row in rows]
    floor = "+" + "-" * (columns * (width + 1) + 1) + "+"
    return "\n".join([*lines, floor, "  " + " ".join(str(column + 1).rjust(width) for column in range(columns))])


def _grid(rows: list[str], over: bool) -> str:
    """Stones in a grid, with its number in each empty cell while there is something to choose."""
    columns = len(rows[0])
    width = len(str(len(rows) * columns))
    cells = [
        str(index + 1) if mark == "." and not over else mark
        for index, mark in enumerate(mark for row in rows for mark in row)
    ]
    rule = "+".join(["-" * (width + 2)] * columns)
    lines = [
        "|".join(f" {cell.rjust(width)} " for cell in cells[start : start + columns]).rstrip()
        for start in range(0, len(cells), columns)
    ]
    return f"\n{rule}\n".join(lines)


# --- who sits at it --------------------------------------------------------------------------------------


class Session:
    """One game between whoever answers ``read`` and a policy.

    ``read`` gives the next line of input, or None at its end; ``echo`` writes the answers down, for input that
    nobody sees being typed. The policy's moves and the game's chance come from streams of ``seed``: the same
    seed and the same answers are the same game.
    """

    def __init__(
        self,
        game: Game,
        policy: Policy,
        *,
        opponent: str,
        human: int,
        seed: int,
        read: Read,
        console: Console,
        echo: bool = False,
    ) -> None:
        self.game, self.policy, self.opponent, self.human = game, policy, opponent, human
        self.read, self.console, self.echo = read, console, echo
        self.view = view(game)
        self._moves = stream(seed, "play", seat=1 - human)
        self._chance = stream(seed, "play/chance")

    def play(self) -> float | None:
        """Play to the end; the human's own reward, or None where the human left. GameError if both seats move."""
        states = self.game.start(1, rng=self._chance)
        earned, over = 0.0, False
        self._greet()
        while not over:
            seat = self._mover(states)
            action = self._human(states) if seat == self.human else self._policy(states, seat)
            if action is None:
                self._say("You leave the table; this game has no winner.")
                return None
            actions = np.full((1, 2), -1, dtype=np.int64)
            actions[0, seat] = action
            states, rewards, done = self.game.step(states, actions, rng=self._chance)
            earned += float(rewards[0]) * (1 - 2 * self.human)
            over = bool(done[0])
        self._draw(states, over=True)
        self._say(self._verdict(earned))
        return earned

    def _mover(self, states: States) -> int:
        acting = self.game.acting(states)[0]
        if acting.sum() != 1:
            raise GameError(f"{self.game.spec.name} is not turn-based, which the terminal needs; choose another game")
        return int(acting[1])

    def _policy(self, states: States, seat: int) -> int:
        """The policy's move, drawn and said."""
        action = int(sample(ask(self.policy, self.game, states, seat), rng=self._moves)[0])
        name = "The " + self.opponent[4:] if self.opponent.startswith("the ") else self.opponent
        self._say(f"{name} plays {self.view.noun} {action + 1}.")
        return action

    def _human(self, states: States) -> int | None:
        """The human's move, asked for until it is legal; None to leave."""
        legal = [int(action) for action in np.flatnonzero(self.game.legal(states, self.human)[0])]
        self._draw(states, over=False)
        mistakes = 0
        while True:
            if mistakes <= PATIENCE:
                listed = " ".join(str(action + 1) for action in legal)
                self._say(f"Your move, {self.view.noun} {listed} (q ends the game): ", end="")
            answer = self.read()
            if answer is None:
                self._say("\nThe input has ended.")
                return None
            answer = answer.strip()
            if self.echo and mistakes <= PATIENCE:
                self._say(_short(answer))
            if answer.lower() in QUIT:
                return None
            action, problem = self._understand(answer, legal)
            if action is not None:
                return action
            mistakes += 1
            self._complain(problem, mistakes)

    def _understand(self, answer: str, legal: list[int]) -> tuple[int | None, str]:
        """The action that is meant, or None and what is wrong."""
        noun, last = self.view.noun, self.game.spec.actions
        if not answer:
            return None, f"Nothing was typed. Type the number of a {noun}."
        if not re.fullmatch(r"[0-9]{1,6}", answer):
            return None, f"{_quoted(answer)} is not the number of a {noun}. Type one from the list."
        action = int(answer) - 1
        if not 0 <= action < last:
            return None, f"There is no {noun} {action + 1}; they count from 1 to {last}."
        if action not in legal:
            return None, f"{noun.capitalize()} {action + 1} is {self.view.taken}. Type one from the list."
        return action, ""

    def _complain(self, problem: str, mistakes: int) -> None:
        """Say what is wrong; when too much is, say once that nothing more is said."""
        if mistakes <= PATIENCE:
            self._say(problem)
        elif mistakes == PATIENCE + 1:
            self._say(f"{mistakes} answers in a row were no moves; more such answers are passed over in silence.")

    # --- what is said --------------------------------------------------------------------------------

    def _greet(self) -> None:
        mark, turn = self.view.marks[self.human], ("first", "second")[self.human]
        self._say(f"{self.game.spec.name} against {self.opponent}.{self.view.goal}")
        self._say(f"You are {mark} and move {turn}. Answer with the number of a {self.view.noun}.")

    def _verdict(self, earned: float) -> str:
        if earned == 0:
            return f"A draw between you and {self.opponent}."
        return f"You win against {self.opponent}." if earned > 0 else f"You lose: {self.opponent} wins."

    def _draw(self, states: States, *, over: bool) -> None:
        picture = _printable(self.view.draw(states[0], over), self.console)
        text = Text(f"\n{picture}\n")
        if isinstance(self.game, Board):
            text.highlight_regex("x", "cyan")
            text.highlight_regex("o", "yellow")
        self.console.print(text, soft_wrap=True)

    def _say(self, line: str, *, end: str = "\n") -> None:
        self.console.print(Text(_printable(line, self.console)), end=end, soft_wrap=True)
        self.console.file.flush()


def _printable(text: str, console: Console) -> str:
    """The text without what the terminal's encoding cannot write."""
    return text.encode(console.encoding, "backslashreplace").decode(console.encoding)


def _short(answer: str) -> str:
    """An answer, whatever is in it, as a few harmless characters."""
    return answer if re.fullmatch(r"[ -~]{0,20}", answer) else _quoted(answer)


def _quoted(answer: str) -> str:
    return ascii(answer[:20]) + ("..." if len(answer) > 20 else "")


# --- where answers come from -----------------------------------------------------------------------------


class Lines(Protocol):
    """A binary stream such as ``sys.stdin.buffer``."""

    def readline(self, size: int = -1, /) -> bytes: ...


def reader(lines: Lines | None) -> Read:
    """Answers from a binary stream: undecodable bytes become question marks, long lines lose their ends."""

    def read() -> str | None:
        line = lines.readline(LONGEST_ANSWER) if lines else b""
        rest = line
        while lines and rest and not rest.endswith(b"\n"):
            rest = lines.readline(1 << 16)
        return line.decode("utf-8", "replace") if line else None

    return read
