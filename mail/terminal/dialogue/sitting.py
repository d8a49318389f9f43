"""Games against one opponent after the other, line by line: rematches, other seats, other opponents; the tally is kept.

What is chosen before and after a game is what the full screen offers (``mail.terminal.full.start``).
"""

from __future__ import annotations

from rich.console import Console

from mail.terminal.answers import Read
from mail.terminal.dialogue.menu import choose_opponent
from mail.terminal.game.contest import GameSeries, Prepare
from mail.terminal.game.players import both_human, humans
from mail.terminal.screen import Screen
from mail.terminal.session import Session


def sit_down(series: GameSeries, prepare: Prepare, *, read: Read, console: Console, echo: bool) -> GameSeries:
    """Play until the human leaves.

    Args:
        series: The players.
        prepare: For other opponents.
        read: The next line of input.
        console: For output.
        echo: Whether to print the answers, for input that is not typed in the terminal.

    Returns:
        The last series, with its score.
    """
    while True:
        first = series.contest()
        session = Session(
            first.game, first.players, seed=first.seed, read=read, console=console, echo=echo, options=first.options,
            series=series,
        )  # fmt: skip
        session.play()
        if not both_human(session.players):
            series.human = humans(session.players)[0]
        if session.outcome == "swap":
            series.swap()
        elif session.outcome == "other":
            screen = Screen(console, unicode=series.options.unicode)
            chosen = choose_opponent(series.game, read, screen)
            if chosen is None:
                return series
            series = series.followed_by(prepare(series.game.spec.name, *chosen))
        elif session.outcome != "rematch":
            return series
