"""Whether there is a full screen, and what is shown on it one after the other: choices, games, mistakes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec

from rich.console import Console

from games.base import Game
from mail.terminal.boards import canvas_of
from mail.terminal.full.frame import SMALLEST
from mail.terminal.full.game import GameScreen
from mail.terminal.full.menu import BACK, QUIT, Menu
from mail.terminal.full.review import Review
from mail.terminal.full.work import Worker
from mail.terminal.game.choices import HUMAN, games, opponents, seats
from mail.terminal.game.contest import GameSeries, Prepare


def has_full_screen(console: Console) -> bool:
    """Whether this terminal has a full screen: both ways a terminal, not dumb, with Unicode, large enough.

    Args:
        console: Of the terminal.
    """
    if sys.stdin is None or not sys.stdin.isatty() or not sys.stdout.isatty() or not console.is_terminal:
        return False
    if os.environ.get("TERM", "dumb") == "dumb" or find_spec("prompt_toolkit") is None:
        return False
    canvas = canvas_of(console)
    return canvas.unicode and canvas.width >= SMALLEST[0] and canvas.height >= SMALLEST[1]


def play(series: GameSeries, prepare: Prepare, *, animation: bool, mouse: bool) -> GameSeries:
    """Games until the human quits.

    Args:
        series: The players.
        prepare: For other opponents.
        animation: Whether discs fall.
        mouse: Whether clicks count.

    Returns:
        The last series, with its score.
    """
    from mail.terminal.full.app import show

    worker = Worker()
    screen = GameScreen(series, worker=worker, animation=animation)
    while True:
        outcome = show(screen, mouse=mouse)
        screen.outcome = None
        if outcome == "mistakes":
            show(Review(screen.contest, worker=worker), mouse=mouse)
        elif outcome == "other":
            chosen = _against(series.game, mouse)
            if chosen == QUIT:
                return series
            if not isinstance(chosen, str):
                series = series.followed_by(prepare(series.game.spec.name, *chosen))
                screen = GameScreen(series, worker=worker, animation=animation)
        else:
            return series


def choose(make: Callable[[str], Game], *, mouse: bool) -> tuple[str, str, str] | None:
    """The game, the opponent and the seat that the human chooses; None if none.

    Args:
        make: Makes a game of its name.
        mouse: Whether clicks count.
    """
    from mail.terminal.full.app import show

    while True:
        name = show(Menu("Which game?", games()), mouse=mouse)
        if name in (QUIT, BACK):
            return None
        chosen = _against(make(name), mouse)
        if chosen == QUIT:
            return None
        if not isinstance(chosen, str):
            return name, *chosen


def _against(game: Game, mouse: bool) -> tuple[str, str] | str:
    """The opponent and the seat; ``back`` or ``quit`` if that is what the human wants."""
    from mail.terminal.full.app import show

    while True:
        against = show(Menu(f"{game.spec.name}: against whom?", opponents(game)), mouse=mouse)
        if against in (QUIT, BACK):
            return against
        if against == HUMAN:
            return against, "both"
        seat = show(Menu(f"{game.spec.name} against {against}: which seat?", seats(game, against)), mouse=mouse)
        if seat == QUIT:
            return seat
        if seat != BACK:
            return against, seat
