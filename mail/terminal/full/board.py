"""A position as a picture for the full screen: filled discs, large where there is room, with a cursor.

Colour is never the only difference: the first seat's discs are full, the second's have a hole; ``[ ]`` is the last
move, ``* *`` a winning line, ``> <`` the cursor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from games.base import Game
from mail.terminal.boards import STYLES, Canvas, Scene, View, marked_cells
from mail.terminal.full.frame import Picture, Target

DISCS = {  # by mark: one line, then two lines of four columns
    "x": ("\u25cf", ("\u2597\u2588\u2588\u2596", "\u259d\u2588\u2588\u2598")),
    "o": ("\u25cb", ("\u2597\u259b\u259c\u2596", "\u259d\u2599\u259f\u2598")),
    ".": ("\u00b7", ("    ", "    ")),
}


@dataclass(frozen=True)
class Cursor:
    """Where the human's cursor stands, and the mark of who moves it."""

    action: int
    mark: str


@dataclass(frozen=True)
class Cells:
    """The cells of a board, row by row, with what is marked."""

    marks: Sequence[str]
    columns: int
    fresh: set[int]
    line: set[int]
    cursor: int | None
    """The cell of the cursor; None where columns are chosen."""
    numbered: bool
    """Whether empty cells show their numbers."""

    @property
    def rows(self) -> int:
        return len(self.marks) // self.columns

    def sides(self, cell: int) -> tuple[str, str]:
        """What stands left and right of a cell's content.

        Args:
            cell: Its number, row by row.
        """
        if cell == self.cursor:
            return ">", "<"
        if cell in self.fresh:
            return "[", "]"
        return ("*", "*") if cell in self.line else (" ", " ")


def picture(
    game: Game,
    display: View,
    scene: Scene,
    canvas: Canvas,
    cursor: Cursor | None,
    falling: Mapping[int, str] | None = None,
) -> Picture:
    """A position within ``canvas``.

    Args:
        game: The game.
        display: Its display.
        scene: The position.
        canvas: The room that there is, and whether the terminal has Unicode.
        cursor: The cursor, if a human is to choose.
        falling: Marks by cell that are drawn over the position: a disc on its way.
    """
    layout = game.spec.display.layout
    if layout == "text":
        return Picture([Text(line) for line in display.draw(scene, canvas).plain.splitlines()])
    marks, columns, fresh, line = marked_cells(game, scene)
    for cell, mark in (falling or {}).items():
        marks[cell] = mark
    chosen = cursor.action if cursor is not None and layout == "grid" and not display.names else None
    numbered = layout == "grid" and not display.names and not scene.over
    cells = Cells(marks, columns, fresh if not falling else set(), line, chosen, numbered)
    draw = _columns if layout == "columns" else _grid
    for large in (True, False):
        drawn = draw(cells, cursor, large, over=scene.over)
        if drawn.width <= canvas.width and drawn.height <= canvas.height:
            return drawn
    return drawn


def _cell(cells: Cells, cell: int, row: int, *, large: bool) -> Text:
    """One line of a cell; six columns wide if large, else three, or four where numbers have two digits."""
    mark = cells.marks[cell]
    small, two = DISCS.get(mark, (mark, (mark.center(4), "    ")))
    left, right = cells.sides(cell)
    style = STYLES.get(mark, "dim")
    if cell in cells.line:
        style += " reverse"
    digits = 2 if len(cells.marks) > 9 and cells.numbered else 1
    if mark == "." and cells.numbered:
        small, two = str(cell + 1).rjust(digits), (f"{cell + 1:^4}", "    ")
    elif mark == "." and not cells.numbered:
        two = (" \u2597\u2596 ", " \u259d\u2598 ")
    body = two[row] if large else small.rjust(digits)
    edge = "bold" if cell == cells.cursor else style
    return Text(left, style=edge).append(body, style=style).append(right, style=edge)


def _row(cells: Cells, row: int, *, large: bool, wall: str) -> list[Text]:
    """The lines of a row of cells, with walls between."""
    lines = []
    for part in range(2 if large else 1):
        line = Text()
        for column in range(cells.columns):
            if column:
                line.append(wall, style="dim")
            line.append_text(_cell(cells, row * cells.columns + column, part, large=large))
        lines.append(line)
    return lines


def _grid(cells: Cells, cursor: Cursor | None, large: bool, *, over: bool) -> Picture:
    """Cells in a frame, each of which may be clicked."""
    width = len(_cell(cells, 0, 0, large=large).plain)
    high = 2 if large else 1
    flat = "\u2500" * width

    def rule(left: str, middle: str, right: str) -> Text:
        return Text(left + middle.join([flat] * cells.columns) + right, style="dim")

    lines, targets = [rule("\u250c", "\u252c", "\u2510")], []
    for row in range(cells.rows):
        if row:
            lines.append(rule("\u251c", "\u253c", "\u2524"))
        for column in range(cells.columns):
            place = (len(lines), 1 + column * (width + 1), high, width)
            targets.append(Target(*place, key=f"choose {row * cells.columns + column}"))
        for line in _row(cells, row, large=large, wall="\u2502"):
            lines.append(Text("\u2502", style="dim").append_text(line).append("\u2502", style="dim"))
    lines.append(rule("\u2514", "\u2534", "\u2518"))
    return Picture(lines, targets)


def _columns(cells: Cells, cursor: Cursor | None, large: bool, *, over: bool) -> Picture:
    """Columns of discs, with the cursor above and the numbers below; a click anywhere in a column chooses it."""
    width = 6 if large else 3
    lines = [Text()]
    if cursor is not None:
        place = 1 + cursor.action * width + width // 2 - (1 if large else 0)
        arrows = "\u25bc\u25bc" if large else "\u25bc"
        lines = [Text(" " * place).append(arrows, style=STYLES.get(cursor.mark, "bold"))]
    for row in range(cells.rows):
        for line in _row(cells, row, large=large, wall=""):
            lines.append(Text("\u2502", style="dim").append_text(line).append("\u2502", style="dim"))
    lines.append(Text("\u2514" + "\u2500" * (width * cells.columns) + "\u2518", style="dim"))
    if not over:
        numbers = [str(column + 1) if cells.marks[column] == "." else "" for column in range(cells.columns)]
        pad = " " * (2 if large else 1)
        lines.append(Text(" " + "".join((number + pad).rjust(width) for number in numbers), style="dim"))
    targets = [Target(0, 1 + column * width, len(lines), width, f"choose {column}") for column in range(cells.columns)]
    return Picture(lines, targets)


def buttons(display: View, legal: Sequence[int], cursor: int, width: int) -> Picture:
    """The legal actions as words, with the cursor; a click chooses one.

    Args:
        display: The names of actions.
        legal: The legal actions.
        cursor: The action under the cursor.
        width: Columns.
    """
    lines, targets = [Text()], []
    for action in legal:
        word = f"{action + 1} {display.names[action]}" if display.names else f"{display.noun} {action + 1}"
        left, right = (">", "<") if action == cursor else (" ", " ")
        button = f"{left}{word}{right}"
        if lines[-1] and len(lines[-1].plain) + len(button) + 1 > width:
            lines.append(Text())
        targets.append(Target(len(lines) - 1, len(lines[-1].plain), 1, len(button), f"choose {action}"))
        lines[-1].append(button, style="bold reverse" if action == cursor else "bold").append(" ")
    return Picture(lines, targets)


def fall(game: Game, scene: Scene) -> list[dict[int, str]]:
    """The cells of the last disc on its way down, from the top to above its place; empty for games without gravity.

    Args:
        game: The game.
        scene: The position after the move, with the one before.
    """
    if game.spec.display.layout != "columns" or scene.before is None:
        return []
    marks, columns, fresh, _ = marked_cells(game, scene)
    if len(fresh) != 1:
        return []
    (cell,) = fresh
    row, column = divmod(cell, columns)
    return [{above * columns + column: marks[cell]} for above in range(row)]
