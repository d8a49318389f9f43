"""What ``nashmail exploit`` says of a verdict: whether a seat is beaten, by which line, and where it goes wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mail.terminal.layout import columns

if TYPE_CHECKING:
    from games.base import Enumerable, Game
    from mail.evaluation.certificate.walk import Certificate
    from mail.evaluation.learned.best_response import Bound
    from mail.evaluation.refutation import Mistake, Verdict
    from mail.terminal.boards import View

CERTAIN = 1e-12  # exploitability up to here is rounding error


def report(game: Enumerable, verdict: Verdict | Certificate) -> list[str]:
    """The report on one seat, line by line.

    Args:
        game: The game that the verdict refers to.
        verdict: The result for one seat.
    """
    from mail.terminal.boards import view

    display = view(game)
    lines = finding(display, verdict)
    if verdict.line:
        lines += ["", *_moves(game, display, verdict), f"The line as moves: {moves_text(game, verdict)}"]
    if verdict.mistake:
        lines += _blame(game, display, verdict, verdict.mistake)
    return [*lines, *stochastic(verdict)]


def finding(display: View, verdict: Verdict | Certificate) -> list[str]:
    """Whether the seat is refuted, and by how much.

    Args:
        display: How positions of the game are drawn.
        verdict: The result for one seat.
    """
    from mail.evaluation.certificate.walk import Certificate

    who = f"Seat {verdict.seat}, {display.marks[verdict.seat]}," if display.marks[0] == "x" else f"Seat {verdict.seat}"
    if verdict.refuted:
        return [f"{who} is refuted: it gets {verdict.value:g} where the game is worth {verdict.game_value:g} to it."]
    if verdict.refuted is None:
        why = f"{who} is not refuted within {verdict.positions:,} positions, which proves nothing: "
        if isinstance(verdict, Certificate) and verdict.rounding:
            return [why + "a move within rounding of its choice would lose."]
        return [why + "raise --limit."]
    if verdict.game_value == -1.0:
        return [f"{who} cannot be refuted: the game is lost for it, whatever it plays."]
    return [
        f"{who} is not refuted, and that is proven: against every opponent it gets the {verdict.game_value:g} that "
        f"the game is worth to it ({verdict.positions:,} positions were checked).",
    ]


def _moves(game: Enumerable, display: View, verdict: Verdict | Certificate) -> list[str]:
    """The line as numbered moves, each above the resulting board. A question mark follows the mistake."""
    from mail.evaluation.refutation import replay

    states = replay(game, verdict.line)
    blocks = []
    for ply, action in enumerate(verdict.line):
        mover = display.marks[int(game.acting(states[ply][None])[0, 1])]
        wrong = " ?" if verdict.mistake and ply == verdict.mistake.ply else ""
        heading = f"{ply + 1}. {mover}: {display.noun} {action + 1}{wrong}"
        blocks.append([heading, *game.render(states[ply + 1]).splitlines()])
    return _side_by_side(blocks)


def moves_text(game: Game, verdict: Verdict | Certificate) -> str:
    """The line as a move string.

    Args:
        game: The game that the verdict refers to.
        verdict: The result for one seat.
    """
    from mail.data.game_text import line_text

    return line_text(game.spec.actions, verdict.line)


def _blame(game: Enumerable, display: View, verdict: Verdict | Certificate, mistake: Mistake) -> list[str]:
    """The mistake: its position, the move, and the right ones."""
    from mail.evaluation.refutation import replay

    numbers = [str(action + 1) for action in mistake.keeps]
    right = f"{display.noun}s {', '.join(numbers)} keep" if len(numbers) > 1 else f"{display.noun} {numbers[0]} keeps"
    return [
        f"Move {mistake.ply + 1} is a mistake. In this position, worth {mistake.kept:g} to seat {verdict.seat},",
        *("  " + row for row in game.render(replay(game, verdict.line)[mistake.ply]).splitlines()),
        f"it plays {display.noun} {mistake.played + 1}, worth {mistake.left:g}; {right} {mistake.kept:g}.",
    ]


def stochastic(verdict: Verdict | Certificate) -> list[str]:
    """The exploitability of the stochastic policy, if known.

    Args:
        verdict: The result for one seat.
    """
    if verdict.exploitability is None:
        return []
    if verdict.exploitability <= CERTAIN:
        return ["The stochastic policy is not exploitable either."] if not verdict.refuted else []
    if verdict.refuted:
        return [f"The exploitability of the stochastic policy is {verdict.exploitability:.4g}."]
    return [
        f"The exploitability of the stochastic policy is {verdict.exploitability:.4g} all the same: it loses that "
        "by less probable moves, not by its preferred ones.",
    ]


def bounded(bound: Bound) -> list[str]:
    """The report on a learned response to one seat, line by line.

    Args:
        bound: The result for one seat.
    """
    low, high = bound.interval
    lines = [
        f"Seat {bound.seat}, stochastic: a response learned from {bound.games:,} games gets "
        f"{bound.value:z.4f} [{low:z.4f}, {high:z.4f}] over {bound.evaluated:,} fresh ones.",
    ]
    if bound.game_value is None or bound.at_least is None:
        return [*lines, "The value of the game is unknown, so this is no bound on the exploitability."]
    lower = math.floor(bound.at_least * 1e4) / 1e4  # rounded down, to remain a lower bound
    worth = f"The game is worth {-bound.game_value + 0.0:.4g} to it"
    return [*lines, f"{worth}, so the seat's exploitability is at least {lower:z.4f} (95 % confidence)."]


def _side_by_side(blocks: list[list[str]]) -> list[str]:
    """Blocks of text as columns of equal width, as many per line as fit."""
    width = max(len(row) for block in blocks for row in block) + 3
    fit = max(1, columns() // width)
    lines: list[str] = []
    for start in range(0, len(blocks), fit):
        group = blocks[start : start + fit]
        for row in range(max(len(block) for block in group)):
            cells = [(block[row] if row < len(block) else "").ljust(width) for block in group]
            lines.append("".join(cells).rstrip())
        lines.append("")
    return lines
