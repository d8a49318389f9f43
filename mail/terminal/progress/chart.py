"""Series as a chart of characters: dots of Braille patterns, or digits where there is no Unicode or no colour.

A Braille pattern has two columns and four rows of dots (Unicode, block 2800): bit 0 is the upper left one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from mail.terminal.boards import Canvas

STYLES = ("cyan", "magenta", "yellow", "green", "blue", "red")
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # by row, then column
_EMPTY = 0x2800
_LEAST = 24  # columns below which a chart says nothing


@dataclass(frozen=True)
class Series:
    """Points that belong together."""

    name: str
    points: Sequence[tuple[float, float]]
    """By ascending first coordinate."""


def chart(
    series: Sequence[Series],
    canvas: Canvas,
    *,
    title: str,
    height: int = 7,
    top: float | None = None,
    colour: bool = True,
) -> list[Text]:
    """The lines of a chart.

    Args:
        series: What is drawn; the first ones of ``STYLES``.
        canvas: The terminal.
        title: What is drawn against what.
        height: Lines of the drawing.
        top: The value of the upper edge; the largest one by default.
        colour: Whether series are told apart by colours.

    Returns:
        The lines; none where there is no room or nothing to draw.
    """
    shown = [one for one in series if len(one.points) > 1]
    points = [point for one in shown for point in one.points]
    if not points or canvas.width < _LEAST:
        return []
    high = max([y for _, y in points] if top is None else [top, *(y for _, y in points)])
    low, left, right = min(0.0, *(y for _, y in points)), 0.0, max(x for x, _ in points)
    labels = [_short(high), _short(low)]
    margin = max(map(len, labels))
    width = min(60, canvas.width - margin - 3)
    drawing = _Drawing(width, height, braille=canvas.unicode and colour)
    for index, one in enumerate(shown):
        places = [(_share(x, left, right), _share(y, low, high)) for x, y in one.points]
        drawing.draw(index, places)
    lines = [Text(title)]
    for row, text in enumerate(drawing.lines()):
        label = labels[0] if row == 0 else labels[1] if row == height - 1 else ""
        lines.append(Text(f" {label:>{margin}} {'│' if canvas.unicode else '|'}") + text)
    end = _short(right)
    lines.append(Text(f" {'':{margin}} 0{end:>{width}}"[: canvas.width]))
    if len(shown) > 1:
        legend = Text("   ")
        for index, one in enumerate(shown):
            mark = "●" if drawing.braille else str(index)
            legend.append(f"{mark} {one.name}  ", style=STYLES[index % len(STYLES)] if colour else "")
        lines.append(legend)
    return lines


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.0


def _short(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.3g}"


class _Drawing:
    """Cells of characters, each of which belongs to the series that was drawn there last."""

    def __init__(self, width: int, height: int, *, braille: bool) -> None:
        self.width, self.height, self.braille = width, height, braille
        self._cells: dict[tuple[int, int], tuple[int, int]] = {}  # row, column: dots, series

    def draw(self, series: int, places: Sequence[tuple[float, float]]) -> None:
        """Draw steps through points given as shares of the width and height: a value holds until the next one."""
        across, down = (2, 4) if self.braille else (1, 1)
        columns, rows = self.width * across, self.height * down
        heights: list[int | None] = [None] * columns
        for x, y in places:
            heights[min(columns - 1, int(x * columns))] = rows - 1 - min(rows - 1, int(y * rows))
        before: int | None = None
        for column, height in enumerate(heights):
            height = before if height is None else height
            if height is None:
                continue
            way = range(min(height, height if before is None else before), max(height, before or height) + 1)
            for row in way if before is not None else (height,):
                self._dot(series, row, column, across, down)
            before = height

    def _dot(self, series: int, row: int, column: int, across: int, down: int) -> None:
        cell = row // down, column // across
        dots = self._cells.get(cell, (0, series))[0]
        self._cells[cell] = dots | _DOTS[row % down][column % across], series

    def lines(self) -> list[Text]:
        """The rows, from the top."""
        lines = []
        for row in range(self.height):
            text = Text()
            for column in range(self.width):
                cell = self._cells.get((row, column))
                if cell is None:
                    text.append(" ")
                else:
                    mark = chr(_EMPTY + cell[0]) if self.braille else str(cell[1])
                    text.append(mark, style=STYLES[cell[1] % len(STYLES)] if self.braille else "")
            lines.append(text)
        return lines
