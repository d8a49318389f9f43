"""The pages of the project as tests read them: their blocks of code, and the commands named in their text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_AMOUNT = r"(?:about |some )?(?:\d+|an?|half an?|two|three|four|five|six|ten|several)(?: to (?:\d+|two|three|four))?"
TIME = rf"{_AMOUNT} (?:second|minute|hour|day)s?\b|(?:hours|minutes)\b"
"""How a page says that a command is long: with its time, at the start of the comment or parenthesis behind it."""

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"\s{2,}#\s*(.*)$|^#\s*(.*)$")
_STARTS = ("nashmail", "python", "make", "pip", "pre-commit", "ray", "source")


@dataclass(frozen=True)
class Block:
    """A block of code between fences."""

    language: str
    text: str
    line: int

    @property
    def file(self) -> str | None:
        """The file that a block of Python is a part of, which its first line names: ``# nim.py``."""
        named = re.match(r"# (\w+\.py)\n", self.text)
        return named[1] if named and self.language == "python" else None


@dataclass(frozen=True)
class Command:
    """One command of a page."""

    words: str
    long: bool
    """Whether the page states how long it takes, instead of a test running it."""
    shown: str | None = None
    """The output that the page shows."""


def blocks(page: Path) -> list[Block]:
    """Every block of a page, in order."""
    text = page.read_text()
    found = _BLOCK.finditer(text)
    return [Block(hit[2], textwrap.dedent(hit[3]), text.count("\n", 0, hit.start()) + 1) for hit in found]


def commands(block: Block) -> Iterator[Command]:
    """The commands of a block: a line each (``sh``), or the lines after ``$``, with what they print (``console``)."""
    if block.language == "sh":
        for line in block.text.splitlines():
            if words := _COMMENT.sub("", line).strip():
                yield Command(words, _is_long(line))
    if block.language == "console":
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            yield Command(_COMMENT.sub("", line).strip(), _is_long(line), shown)


def mentioned(page: Path) -> Iterator[Command]:
    """The commands that a page's text names between backticks, blocks left out."""
    text = _BLOCK.sub("", page.read_text())
    for hit in re.finditer(r"`([^`]+)`(\s*\(([^)]*))?", text):
        words = " ".join(hit[1].split())
        if words.startswith(tuple(f"{start} " for start in _STARTS)):
            yield Command(words, bool(re.match(TIME, " ".join((hit[3] or "").split()))))


def is_form(command: Command) -> bool:
    """Whether a command has placeholders (``RUN``, ``N``, ``...``), or no argument, and so cannot be run."""
    words = command.words.split()
    least = 3 if words[0] == "nashmail" else 2
    return (
        len(words) < least or "..." in command.words or bool(re.search(r"(?<![\w-])[A-Z]{1,}(?![\w-])", command.words))
    )


def _is_long(line: str) -> bool:
    comment = _COMMENT.search(line)
    return bool(comment and re.match(TIME, comment[1] or comment[2] or ""))
