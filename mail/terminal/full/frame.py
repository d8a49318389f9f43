"""What a full screen shows at one moment: lines of text, and the places that a mouse may click.

Nothing here knows a terminal, so tests compare frames as text. A frame has exactly the terminal's height; lines are
cut, never wrapped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import wrap

from rich.text import Text

SMALLEST = (30, 10)
"""Columns and rows without which there is no full screen."""


@dataclass(frozen=True)
class Target:
    """A rectangle of a frame, and what a click on it does."""

    top: int
    left: int
    height: int
    width: int
    key: str
    """The key that a click stands for, or ``choose N`` for the action or entry N."""

    def moved(self, down: int, right: int) -> Target:
        """The same elsewhere.

        Args:
            down: Rows.
            right: Columns.
        """
        return Target(self.top + down, self.left + right, self.height, self.width, self.key)

    def holds(self, row: int, column: int) -> bool:
        """Whether a character is in the rectangle.

        Args:
            row: From the top, from 0.
            column: From the left, from 0.
        """
        return self.top <= row < self.top + self.height and self.left <= column < self.left + self.width


@dataclass(frozen=True)
class Picture:
    """Lines of text with targets, as large as they are."""

    lines: list[Text]
    targets: list[Target] = field(default_factory=list)

    @property
    def width(self) -> int:
        return max((line.cell_len for line in self.lines), default=0)

    @property
    def height(self) -> int:
        return len(self.lines)

    def at(self, row: int, column: int) -> str | None:
        """The key that a click stands for, None without a target; the last one drawn is on top.

        Args:
            row: From the top, from 0.
            column: From the left, from 0.
        """
        return next((target.key for target in reversed(self.targets) if target.holds(row, column)), None)


def fitted(picture: Picture, width: int, height: int) -> Picture:
    """The picture, cut or filled with empty lines to this size.

    Args:
        picture: The picture.
        width: Columns.
        height: Rows.
    """
    lines = [line.copy() for line in picture.lines[:height]]
    for line in lines:
        line.truncate(width)
    lines += [Text()] * (height - len(lines))
    return Picture(lines, [target for target in picture.targets if target.top < height])


def beside(left: Picture, right: Picture, *, at: int) -> Picture:
    """Two pictures, the second from this column on.

    Args:
        left: The first.
        right: The second.
        at: The column.
    """
    height = max(left.height, right.height)
    lines = []
    for row in range(height):
        line = left.lines[row].copy() if row < left.height else Text()
        if row < right.height:
            line.append(" " * max(at - line.cell_len, 0))
            line.append_text(right.lines[row])
        lines.append(line)
    return Picture(lines, [*left.targets, *(target.moved(0, at) for target in right.targets)])


def below(*pictures: Picture) -> Picture:
    """Pictures one under the other.

    Args:
        pictures: From the top.
    """
    lines: list[Text] = []
    targets: list[Target] = []
    for picture in pictures:
        targets += [target.moved(len(lines), 0) for target in picture.targets]
        lines += picture.lines
    return Picture(lines, targets)


def indented(picture: Picture, by: int) -> Picture:
    """The picture moved to the right.

    Args:
        picture: The picture.
        by: Columns.
    """
    return Picture(
        [Text(" " * by).append_text(line) if line else line for line in picture.lines],
        [target.moved(0, by) for target in picture.targets],
    )


def text_of(lines: Sequence[Text]) -> str:
    """The characters of a frame, without colours.

    Args:
        lines: Of the frame.
    """
    return "\n".join(line.plain.rstrip() for line in lines)


def wrapped(words: str, width: int, *, style: str = "", rows: int = 99) -> list[Text]:
    """A text as lines of this width; what does not fit ends in three dots.

    Args:
        words: The text.
        width: Columns.
        style: As rich names it.
        rows: Most lines.
    """
    lines = [part for line in words.splitlines() for part in (wrap(line, max(width, 1)) or [""])]
    if len(lines) > rows:
        lines = [*lines[: rows - 1], lines[rows - 1][: max(width - 3, 0)] + "..."]
    return [Text(line, style=style) for line in lines]
