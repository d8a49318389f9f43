"""Games on the full screen without a terminal: keys are pressed, frames are compared as text."""

from __future__ import annotations

from typing import Any

from agents.policy import Policy, Seats
from games.base import Game
from mail.terminal.boards import Canvas
from mail.terminal.full.frame import text_of
from mail.terminal.full.game import GameScreen
from mail.terminal.full.work import Worker
from mail.terminal.game.contest import GameOptions, GameSeries

LARGE, SMALL = Canvas(True, 80, 24), Canvas(True, 40, 12)


def screen(
    game: Game, policies: Policy | Seats | None, *, human: int = 0, animation: bool = False, **options: Any
) -> GameScreen:
    """A screen on which the slow work is done at once."""
    seats = policies if policies is None or isinstance(policies, tuple) else (policies, policies)
    name = None if seats is None else "the opponent"
    series = GameSeries(game, name, seats, human, seed=0, options=GameOptions(**options))
    return GameScreen(series, worker=Worker(at_once=True), animation=animation)


def press(shown: GameScreen, *keys: str) -> str:
    """Press keys; what is shown then."""
    for key in keys:
        shown.press(key)
    return drawn(shown)


def drawn(shown: GameScreen, on: Canvas = LARGE) -> str:
    """The frame as text. It has the size of the terminal, always."""
    frame = shown.draw(on)
    assert len(frame.lines) == on.height and all(line.cell_len <= on.width for line in frame.lines)
    return text_of(frame.lines)
