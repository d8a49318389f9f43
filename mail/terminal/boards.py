"""Positions as the terminal displays them, and the names of their moves, as pure functions.

Nothing here reads input, waits or keeps state, so a test can record a screen at a fixed width. A screen depends on the
terminal (``Canvas``): Unicode or ASCII, width and height. Marks do not depend on colour: ``[x]`` is the last move,
``*x*`` a winning line. Cells, columns and moves count from 1.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from shutil import get_terminal_size

from rich.console import Console
from rich.text import Text

from games.base import Concealing, Game, States, action_words

STYLES = {"x": "bold red", "o": "bold yellow", "0": "bold red", "1": "bold yellow", "*": "bold green"}
GLYPHS = {"x": "\u25cf", "o": "\u25cb", ".": "\u00b7"}  # discs, for boards with gravity
FRAME = "\u2500\u2502\u253c\u250c\u252c\u2510\u251c\u2524\u2514\u2534\u2518"


@dataclass(frozen=True)
class Canvas:
    """The capabilities of a terminal; width and height in characters."""

    unicode: bool = False
    width: int = 80
    height: int = 24


def canvas_of(console: Console) -> Canvas:
    """The terminal's present capabilities. It may have been resized since the last screen.

    Args:
        console: Of the terminal.
    """
    try:
        "".join([FRAME, *GLYPHS.values()]).encode(console.encoding)
        unicode = not console.is_dumb_terminal and os.environ.get("TERM") != "dumb"
    except (UnicodeEncodeError, LookupError):
        unicode = False
    # rich reports 80 x 25 for every dumb terminal
    width, height = get_terminal_size() if console.is_dumb_terminal else console.size
    return Canvas(unicode, max(width, 1), max(height, 1))


@dataclass(frozen=True)
class Scene:
    """One moment of a game; states are [W]."""

    state: States
    before: States | None = None
    """The position before the last move, to mark what the move changed."""
    over: bool = False
    viewer: int | None = None
    """Whose view is drawn while the game goes on, in games that conceal something; None draws everything."""


Draw = Callable[[Scene, Canvas], Text]


@dataclass(frozen=True)
class View:
    """How a game is displayed: the names of its moves, and the drawing of a position."""

    noun: str
    """What an action is: a cell, a column, or a move."""
    taken: str
    """Why an existing action is not legal now."""
    marks: tuple[str, str]
    """The name of each seat."""
    goal: str
    draw: Draw
    names: tuple[str, ...] = ()
    """[A] words for the actions, if any; they may be typed instead of numbers. Empty ones belong to illegal actions."""
    words: Callable[[States, int], tuple[str, ...]] | None = None
    """[A] the words at a position [W] for the seat to move."""

    def at(self, state: States, seat: int) -> View:
        """The view at a position: actions are called what they are there.

        Args:
            state: [W] the position.
            seat: The seat to move.
        """
        return self if self.words is None else replace(self, names=self.words(state, seat))

    def move(self, action: int) -> str:
        """An action in words, such as ``cell 5`` or ``left``.

        Args:
            action: Its number, from 0.
        """
        return (self.names[action] if self.names else "") or f"{self.noun} {action + 1}"


def view(game: Game) -> View:
    """The view of a game, as it states it (``games.base.Display``): a grid, columns, or what ``render`` gives.

    Args:
        game: The game.
    """
    shown = game.spec.display
    draw = partial(_DRAWN[shown.layout], game)
    words = partial(action_words, game)
    return View(shown.noun, shown.taken, shown.marks, shown.goal, draw, shown.names, words)


def _rows(game: Game, state: States) -> list[str]:
    """The cells of a game that is drawn as a grid, row by row."""
    return [line.replace(" ", "") for line in game.render(state).splitlines()]


def _plain(game: Game, scene: Scene, canvas: Canvas) -> Text:
    # a game states that it conceals something by having this method
    if scene.viewer is not None and not scene.over and isinstance(game, Concealing):
        return Text(game.render_for(scene.state, scene.viewer))
    return Text(game.render(scene.state))


def styled(text: str, style: str) -> Text:
    """A text whose style ends with it: text appended later keeps its own style, unlike with ``Text(text, style)``.

    Args:
        text: The text.
        style: As rich names it.
    """
    return Text().append(text, style=style)


# --- boards ----------------------------------------------------------------------------------------------


def marked_cells(game: Game, scene: Scene) -> tuple[list[str], int, set[int], set[int]]:
    """The cells of a board and which of them to mark.

    Args:
        game: A game that is drawn in cells.
        scene: The moment.

    Returns:
        The cells row by row, the number of columns, the cells that the last move changed, and those of winning
            lines.
    """
    lines = _rows(game, scene.state)
    cells, columns = list("".join(lines)), len(lines[0])
    before = list("".join(_rows(game, scene.before))) if scene.before is not None else cells
    fresh = {index for index, mark in enumerate(cells) if mark != before[index] and mark not in ".*"}
    return cells, columns, fresh, winning(cells, columns, game.spec.in_a_row) if game.spec.in_a_row else set()


def winning(cells: list[str], columns: int, k: int) -> set[int]:
    """The cells, counted row by row, of all lines of k equal stones.

    Args:
        cells: A mark for each cell, row by row.
        columns: Of the board.
        k: Stones in a row that win.
    """
    cells_of_lines: set[int] = set()
    rows = len(cells) // columns
    for index, mark in enumerate(cells):
        row, column = divmod(index, columns)
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            last_row, last_column = row + down * (k - 1), column + right * (k - 1)
            if mark == "." or last_row >= rows or not 0 <= last_column < columns:
                continue
            line = [(row + down * n) * columns + column + right * n for n in range(k)]
            if all(cells[cell] == mark for cell in line):
                cells_of_lines.update(line)
    return cells_of_lines


def _cell(text: str, mark: str, width: int, *, fresh: bool, line: bool, marked: bool) -> Text:
    """One cell of the given width. ``marked``: whether brackets fit."""
    left, right = ("[", "]") if fresh else ("*", "*") if line else (" ", " ")
    body = f"{left}{text}{right}".rjust(width) if marked else text.rjust(width)
    style = STYLES.get(mark, "dim")
    if line or (fresh and not marked):
        style += " reverse"
    return styled(body, style)


def _grid(game: Game, scene: Scene, canvas: Canvas) -> Text:
    """Stones in a grid. Empty cells show their numbers while the game runs, unless moves have words.

    In a small terminal the lines between rows are dropped first, then the marks beside the stones.
    """
    cells, columns, fresh, line = marked_cells(game, scene)
    count = len(cells) // columns
    numbered = not game.spec.display.names and not scene.over
    digits = 1 if game.spec.display.names else len(str(len(cells)))
    framed = canvas.unicode and columns * (digits + 3) + 1 <= canvas.width and 2 * count + 8 <= canvas.height
    ruled = columns * (digits + 3) - 1 <= canvas.width and 2 * count + 7 <= canvas.height
    marked = columns * (digits + 3) - 1 <= canvas.width
    width = digits + (2 if marked else 0)
    out = Text()
    for row in range(count):
        if row and (ruled or framed):
            out.append(_rule(columns, width, framed, FRAME[6] + FRAME[2] + FRAME[7]), style="dim")
        parts = []
        for index in range(row * columns, (row + 1) * columns):
            mark = cells[index]
            text = str(index + 1) if mark == "." and numbered else mark
            if mark == "." and not numbered and canvas.unicode:
                text = GLYPHS["."]
            shape = {"fresh": index in fresh, "line": index in line, "marked": marked}
            parts.append(_cell(text, mark, width, **shape))
        wall = styled(FRAME[1] if framed else "|" if marked else " ", "dim")
        middle = wall.join(parts)
        if not framed:
            middle.rstrip()
        out.append_text(wall + middle + wall if framed else middle)
        out.append("\n")
    if framed:
        top = _rule(columns, width, True, FRAME[3] + FRAME[4] + FRAME[5])
        bottom = _rule(columns, width, True, FRAME[8] + FRAME[9] + FRAME[10])
        return styled(top, "dim") + out + styled(bottom.rstrip("\n"), "dim")
    out.rstrip()
    return out


def _rule(columns: int, width: int, framed: bool, corners: str) -> str:
    """A line between rows. ``corners``: left, middle and right ends of a framed one."""
    if not framed:
        return "+".join(["-" * width] * columns) + "\n"
    return corners[0] + corners[1].join([FRAME[0] * width] * columns) + corners[2] + "\n"


def _columns(game: Game, scene: Scene, canvas: Canvas) -> Text:
    """Stones in columns, above the numbers of the columns that are not full."""
    cells, columns, fresh, line = marked_cells(game, scene)
    digits = len(str(columns))
    marked = columns * (digits + 2) + 2 <= canvas.width
    width = digits + (2 if marked else 0 if columns * (digits + 1) + 2 > canvas.width else 1)
    wall = styled(FRAME[1] if canvas.unicode else "|", "dim")
    out = Text()
    for row in range(len(cells) // columns):
        parts = []
        for index in range(row * columns, (row + 1) * columns):
            mark = cells[index]
            text = GLYPHS[mark] if canvas.unicode else mark
            shape = {"fresh": index in fresh, "line": index in line, "marked": marked}
            parts.append(_cell(text, mark, width, **shape))
        out.append_text(wall + Text("").join(parts) + wall + Text("\n"))
    flat = (FRAME[0] if canvas.unicode else "-") * (columns * width)
    ends = (FRAME[8], FRAME[10]) if canvas.unicode else ("+", "+")
    out.append(f"{ends[0]}{flat}{ends[1]}", style="dim")
    if not scene.over:
        numbers = [str(column + 1) if cells[column] == "." else "" for column in range(columns)]
        pad = " " if marked else ""
        out.append("\n " + "".join((number + pad).rjust(width) for number in numbers).rstrip(), style="dim")
    return out


_DRAWN = {"text": _plain, "grid": _grid, "columns": _columns}
"""How each layout of ``games.base.Display`` is drawn."""


def too_narrow(picture: Text, canvas: Canvas) -> str | None:
    """One line for a terminal that is too narrow for a picture; None if it fits.

    Args:
        picture: What is to be drawn.
        canvas: The terminal.
    """
    widest = max(len(line) for line in picture.plain.splitlines())
    if widest <= canvas.width:
        return None
    return f"The terminal has {canvas.width} columns, this needs {widest}; widen it and type board."
