"""Plain text within the width of a terminal: paragraphs, names with a line each, rows of tables that are too wide."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Sequence


def columns() -> int:
    """How wide texts are: what argparse takes for help, two columns less than the terminal has (80 without one)."""
    return max(20, shutil.get_terminal_size().columns - 2)


def wrapped(text: str, width: int, *, hang: str = "  ") -> str:
    """A text with its long lines broken at spaces; the rest of a line is indented as its beginning, and by ``hang``.

    Args:
        text: Lines.
        width: Columns.
        hang: Added to the indent of what is broken off.
    """
    lines = []
    for line in text.removesuffix("\n").split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        lines += (
            [line]
            if len(line) <= width
            else textwrap.wrap(
                line, width, subsequent_indent=indent + hang, break_long_words=False, break_on_hyphens=False
            )
        )
    return "\n".join(lines) + "\n"


def listed(entries: dict[str, str], width: int) -> str:
    """Names with a line each, wrapped to so many columns.

    Args:
        entries: A line for each name.
        width: Columns.
    """
    column = min(24, max(map(len, entries), default=0) + 4)
    lines = []
    for name, summary in entries.items():
        first = f"  {name}".ljust(column)
        if len(first) > column or width - column < 20:
            lines.append(first.rstrip())
            first = " " * min(column, 4)
        rest = " " * len(first)
        lines += textwrap.wrap(
            summary, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
        ) or [first.rstrip()]
    return "\n".join(lines) + "\n"


def records(headings: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> str:
    """Rows of a table that is too wide, each as a text of so many columns: its first cell, then the others by name.

    Cells that are empty or ``-`` are left out.

    Args:
        headings: Of all columns of the table.
        rows: The cells of each row.
        width: Columns of text.
    """
    lines = []
    for first, *cells in rows:
        named = [f"{name}: {cell}" for name, cell in zip(headings[1:], cells, strict=True) if cell not in ("", "-")]
        text = "; ".join(part.replace(" ", "\0") for part in named)  # lines break between cells, if they can
        broken = wrapped(f"  {text}\n", width, hang="").replace("\0", " ") if named else ""
        lines.append(f"{first}\n{wrapped(broken, width) if broken else ''}")
    return "".join(lines)
