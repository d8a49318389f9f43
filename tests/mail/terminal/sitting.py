"""Scripted games in the terminal: somebody sits down, answers line by line, and all that was said is looked at."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from io import BytesIO, StringIO, TextIOWrapper
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from agents import make_expert
from agents.policy import Policy, Seats
from games import Game
from games.base import Floats, States
from mail.commands.cli import main
from mail.terminal.analysis import ModelOracle
from mail.terminal.answers import Read
from mail.terminal.game.contest import GameOptions
from mail.terminal.game.players import HUMAN, Player
from mail.terminal.session import Session
from tests.support import game, graph


class Preferring:
    """Plays the first of its actions that is legal."""

    def __init__(self, *actions: int) -> None:
        self.actions = actions

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        rows = np.zeros(legal.shape)
        for row in np.flatnonzero(legal.any(1)):
            rows[row, next(action for action in self.actions if legal[row, action])] = 1.0
        return rows


def expert(name: str) -> Seats:
    return make_expert("first", graph(name))


def session(
    played: Game, policy: Policy, answers: Iterator[str | None], *, human: int = 0, seed: int = 0, **options: Any
) -> tuple[float | None, str]:
    """Seat 0's reward and all that was said, drawn with plain characters."""
    other = Player("the opponent", policy)
    players = (HUMAN, other) if human == 0 else (other, HUMAN)
    chosen = GameOptions(**{"unicode": False, **options})
    return recorded(played, players, answers, seed=seed, options=chosen)


def recorded(
    played: Game, players: tuple[Player, Player], answers: Iterator[str | None], *, seed: int, options: GameOptions
) -> tuple[float | None, str]:
    file = StringIO()
    console = Console(file=file, markup=False, highlight=False, emoji=False, width=80)
    read: Read = lambda: next(answers, None)  # noqa: E731
    table = Session(played, players, seed=seed, read=read, console=console, echo=True, options=options)
    return table.play(), file.getvalue()


def sit(
    name: str, policy: Policy, *answers: str, human: int = 0, seed: int = 0, **options: Any
) -> tuple[float | None, str]:
    """A scripted game; the input ends with the script."""
    return session(game(name), policy, iter(answers), human=human, seed=seed, **options)


def boards(said: str) -> list[str]:
    """The boards that were drawn."""
    return [block for block in said.split("\n\n") if re.search(r"^-+\+|^\+-+\+$", block, re.MULTILINE)]


def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, typed: str | bytes = b""
) -> tuple[int, str, str]:
    """Exit status, output and errors of ``nashmail`` with this input."""
    data = typed.encode() if isinstance(typed, str) else typed
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(data)))
    try:
        status = main(shlex.split(words))
    except SystemExit as stopped:  # how argparse ends
        status = int(stopped.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


def draw_grid(*rows: str) -> str:
    return "\n---+---+---\n".join(rows)


def knowing(name: str) -> dict[str, Any]:
    return {"advisers": expert(name), "oracle": lambda: ModelOracle(graph(name))}
