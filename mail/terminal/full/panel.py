"""The side panel of the full screen: who plays, the score, the values of the moves, the moves so far."""

from __future__ import annotations

from rich.text import Text

from mail.terminal.boards import STYLES, Canvas
from mail.terminal.full.board import DISCS
from mail.terminal.full.frame import Picture, wrapped
from mail.terminal.game.contest import Contest, GameSeries
from mail.terminal.game.players import both_human
from mail.terminal.moves import MIXED, MoveAnalysis, analysis

NARROWEST = 26
"""Columns that the panel needs beside a board."""


def narrowest(analysed: MoveAnalysis | str | None) -> int:
    """Columns that the panel needs beside a board; more where analysis has the equilibrium's probabilities and regrets.

    Args:
        analysed: What it shows about the moves, as ``panel`` takes it.
    """
    return MIXED if isinstance(analysed, MoveAnalysis) and analysed.mix is not None else NARROWEST


def panel(series: GameSeries, contest: Contest, analysed: MoveAnalysis | str | None, canvas: Canvas) -> Picture:
    """The panel, at most as large as ``canvas``.

    Args:
        series: For the score.
        contest: The game.
        analysed: What is known about the moves, or a line instead; None without analysis.
        canvas: The room that there is.
    """
    blocks = [_players(contest), wrapped(_score(series, contest), canvas.width, style="bold")]
    if isinstance(analysed, str):
        blocks.append(wrapped(analysed, canvas.width, style="dim"))
    elif analysed is not None:
        blocks.append(list(analysis(contest.view, analysed, canvas).split("\n")))
    if moves := contest.public_moves:
        room = max(canvas.height - sum(len(block) + 1 for block in blocks) - 1, 1)
        rows = wrapped(moves, canvas.width) if " " in moves else _chunks(moves, canvas.width)
        blocks.append([Text(f"moves ({len(contest.current.plies)})", style="dim"), *rows[-room:]])
    apart = sum(len(block) + 1 for block in blocks) - 1 <= canvas.height  # where there is room, a line between
    lines: list[Text] = []
    for block in blocks:
        lines += [Text()] * (apart and bool(lines)) + block
    return Picture([_cut(line, canvas.width) for line in lines[: canvas.height]])


def _players(contest: Contest) -> list[Text]:
    """A line per seat; an arrow before those to move."""
    acting = [] if contest.ended else contest.current.acting()
    lines = []
    for seat in (0, 1):
        mark = contest.view.marks[seat]
        player = contest.players[seat]
        name = ("you" if not both_human(contest.players) else "") if player.policy is None else player.name
        line = Text("> " if seat in acting else "  ", style="bold")
        if mark in DISCS:
            line.append(DISCS[mark][0] + " ", style=STYLES[mark])
        line.append(mark, style=STYLES.get(mark, "bold")).append(f" {name}".rstrip())
        lines.append(line)
    return lines


def _score(series: GameSeries, contest: Contest) -> str:
    """The score of the session; in games that are not won or lost, what was earned, too."""
    score = f"score: {series.tally}"
    if contest.game.spec.win_loss:
        return score
    return f"earned: {contest.current.earned * (1 - 2 * series.human) + 0.0:+g}\n{score}"


def _chunks(moves: str, width: int) -> list[Text]:
    return [Text(moves[at : at + width]) for at in range(0, len(moves), max(width, 1))]


def _cut(line: Text, width: int) -> Text:
    line.truncate(width)
    return line
