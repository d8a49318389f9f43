"""What the terminal displays, as pure functions of a position: boards, the table of moves, the list of commands.

Nothing here reads input, waits or keeps state, so a test can record a screen at a fixed width. A screen depends on the
terminal (``Canvas``): Unicode or ASCII, width and height. Marks do not depend on colour: ``[x]`` is the last move,
``*x*`` a winning line. Cells, columns and moves count from 1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from shutil import get_terminal_size

import numpy as np
from rich.console import Console
from rich.text import Text

from games.base import Bools, Concealing, Floats, Game, Ints, States, action_words

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
    """The terminal's present capabilities. It may have been resized since the last screen."""
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
        """The view of a position [W]: actions are called what they are there."""
        return self if self.words is None else replace(self, names=self.words(state, seat))

    def move(self, action: int) -> str:
        """An action in words, such as ``cell 5`` or ``left``."""
        return (self.names[action] if self.names else "") or f"{self.noun} {action + 1}"


def view(game: Game) -> View:
    """The view of a game, as it states it (``games.base.Display``): a grid, columns, or what ``render`` gives."""
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
    """A text whose style ends with it: text appended later keeps its own style, unlike with ``Text(text, style)``."""
    return Text().append(text, style=style)


# --- boards ----------------------------------------------------------------------------------------------


def marked_cells(game: Game, scene: Scene) -> tuple[list[str], int, set[int], set[int]]:
    """The cells row by row, the number of columns, the cells that the last move changed, and those of winning lines."""
    lines = _rows(game, scene.state)
    cells, columns = list("".join(lines)), len(lines[0])
    before = list("".join(_rows(game, scene.before))) if scene.before is not None else cells
    fresh = {index for index, mark in enumerate(cells) if mark != before[index] and mark not in ".*"}
    return cells, columns, fresh, winning(cells, columns, game.spec.in_a_row) if game.spec.in_a_row else set()


def winning(cells: list[str], columns: int, k: int) -> set[int]:
    """The cells, counted row by row, of all lines of k equal stones."""
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
    """One line for a terminal that is too narrow for a picture; None if it fits."""
    widest = max(len(line) for line in picture.plain.splitlines())
    if widest <= canvas.width:
        return None
    return f"The terminal has {canvas.width} columns, this needs {widest}; widen it and type board."


# --- words -----------------------------------------------------------------------------------------------


def ranges(numbers: list[int]) -> str:
    """Ascending numbers in short form: ``1-3 5 7-9``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def listed(names: Sequence[str]) -> str:
    """Words for a prompt, those of illegal actions left out."""
    said = [name for name in names if name]
    return (", " if any(" " in name for name in said) else " ").join(said)


_LISTED = 56
"""Most characters of words that are listed on the line of a prompt."""


def choices(display: View, legal: Sequence[int]) -> str:
    """The legal actions for a prompt: words, or numbers where the words are too long or there are none."""
    words = listed([display.names[action] for action in legal]) if display.names else ""
    numbers = f"{display.noun} {ranges([action + 1 for action in legal])}"
    if not words:
        return numbers
    return words if len(words) <= _LISTED else f"{words[:_LISTED].rpartition(' ')[0].rstrip(',')} ... ({numbers})"


@dataclass(frozen=True)
class MoveAnalysis:
    """What is known about the moves of a position. Arrays are [A], None if unknown."""

    legal: Bools
    probability: Floats | None
    """Of the policy in this seat, or of the adviser for it."""
    value: Floats | None
    """The game's value after each move, from the mover's view."""
    best: Bools | None
    """The moves that an expert may play."""
    plain: bool
    """Whether values are wins, draws and losses."""
    mix: Floats | None = None
    """Of the equilibrium, where it may have to randomize."""
    ends: Ints | None = None
    """How many of the winner's moves each takes to the end under best play; 0 where it is drawn."""


def analysis(display: View, moves: MoveAnalysis, canvas: Canvas) -> Text:
    """A line per legal move: the policy's probability, the game's value, and whether an expert would play it; or, where
    equilibria randomize, the equilibrium's probability, and the regret, what the move is worth less than the best one.
    """
    actions = [int(action) for action in np.flatnonzero(moves.legal)]
    names = [display.names[action] if display.names else str(action + 1) for action in actions]
    width = max(map(len, [*names, display.noun]))
    worths = {action: _worth(moves, action) for action in actions}
    wide = max(5, *(len(words) for words in worths.values()))
    lines = []
    for name, action in zip(names, actions, strict=True):
        line = styled(name.rjust(width), "bold")
        if moves.probability is not None:
            chance = moves.probability[action]
            line.append(f"  {chance:6.1%}")
            if canvas.width >= 40:
                line.append(" " + _bar(float(chance), 10, canvas), style="cyan")
        if moves.value is not None:
            line.append("  " + worths[action].ljust(wide))
        if moves.mix is not None and moves.value is not None:
            line.append(f"  {moves.mix[action]:11.1%}  {moves.value[actions].max() - moves.value[action]:6.3f}")
        elif moves.best is not None and moves.best[action]:
            line.append("  expert" if canvas.width >= WORDY else " *", style="green")
        line.rstrip()
        lines.append(line)
    heading = display.noun.rjust(width) + ("  policy" if moves.probability is not None else "")
    if moves.value is not None:
        heading += (" " * 11 if moves.probability is not None and canvas.width >= 40 else "") + "  value"
        heading += "   equilibrium  regret" if moves.mix is not None else ""
    if moves.mix is None and moves.best is not None and canvas.width < WORDY:
        heading += "  (*: expert)"
    return Text("\n").join([styled(heading, "dim"), *lines])


WORDY = 36
"""Columns from which on a table of moves has the word ``expert`` instead of an asterisk."""


def _bar(share: float, width: int, canvas: Canvas) -> str:
    full = round(share * width)
    return (("\u2588" if canvas.unicode else "#") * full).ljust(width)


def _worth(moves: MoveAnalysis, action: int) -> str:
    """The value of a move, and in how many moves of the winner it is reached, where that is known."""
    if moves.value is None:
        return ""
    words = worth(float(moves.value[action]), plain=moves.plain).strip()
    ends = 0 if moves.ends is None else int(moves.ends[action])
    return f"{words} in {ends}" if ends else words


def worth(value: float, *, plain: bool) -> str:
    """The value of a move for the mover, in words or as a number."""
    if plain:
        return "wins " if value > 0 else "draws" if value == 0 else "loses"
    return f"{value:+z.3f}"


HELP = (
    ("NUMBER", "make that move"),
    ("hint", "what an expert, or else the policy, would play"),
    ("undo", "take back your last move and the reply"),
    ("swap", "change seats with the opponent"),
    ("resign", "give up the game, as a loss"),
    ("analysis", "on and off: probabilities, values, a verdict after every move"),
    ("save [FILE]", "save the game, now and after every further move"),
    ("board", "draw the board again, for example after resizing"),
    ("help", "this list (?)"),
    ("quit", "quit the game (q)"),
)


def help_text(display: View, canvas: Canvas) -> Text:
    """The list of commands."""
    rows = [*HELP]
    if display.names:
        words = listed(display.names)
        rows.insert(1, (words if len(words) <= _LISTED else "WORD", "the same, as words"))
    width = min(max(len(word) for word, _ in rows), 22) + 2
    lines = []
    for word, does in rows:
        narrow = width + len(does) > canvas.width
        lines.append(styled(word, "bold") if narrow else styled(word.ljust(width), "bold") + Text(does))
        if narrow:
            lines.append(Text(f"  {does}"))
    return Text("\n").join(lines)
