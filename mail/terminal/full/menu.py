"""A list to choose from on the full screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from mail.terminal.boards import Canvas
from mail.terminal.full.frame import Picture, Target, fitted, wrapped
from mail.terminal.game.choices import Choice

BACK = "back"
QUIT = "quit"
HELP = "up, down, Enter, a number or a click chooses; Backspace goes back, q quits"


class Menu:
    """A list with a cursor.

    Args:
        title: The line above.
        choices: The entries.

    Attributes:
        outcome: None, then the chosen word, ``back`` or ``quit``.
    """

    waits = False

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        self.title, self.choices = title, list(choices)
        self.outcome: str | None = None
        self._at = 0
        self._typed = ""

    def tick(self) -> None:
        """Nothing goes on by itself."""

    def press(self, key: str) -> None:
        """A key, by its name or character."""
        typed, self._typed = self._typed, ""
        if key in ("up", "k"):
            self._at = (self._at - 1) % len(self.choices)
        elif key in ("down", "j"):
            self._at = (self._at + 1) % len(self.choices)
        elif key in ("enter", " ", "right", "l"):
            self.outcome = self.choices[self._at].word
        elif key in ("backspace", "left", "h"):
            self.outcome = BACK
        elif key == "q":
            self.outcome = QUIT
        elif key.startswith("choose "):
            self.outcome = self.choices[int(key.split()[1])].word
        elif key.isascii() and key.isdigit():
            self._digit(typed + key)

    def _digit(self, typed: str) -> None:
        """An entry's number: at once if no other begins with it."""
        number = int(typed)
        if not 1 <= number <= len(self.choices):
            return
        self._at = number - 1
        if number * 10 > len(self.choices):
            self.outcome = self.choices[self._at].word
        else:
            self._typed = typed

    def draw(self, canvas: Canvas) -> Picture:
        """The title, as many entries as fit around the cursor, and the keys."""
        foot = wrapped(HELP, canvas.width, style="dim", rows=2)
        room = max(canvas.height - 3 - len(foot), 1)
        first = min(max(self._at - room // 2, 0), max(len(self.choices) - room, 0))
        width = max(len(choice.word) for choice in self.choices)
        lines, targets = [Text(self.title, style="bold"), Text()], []
        for at, choice in enumerate(self.choices[first : first + room], start=first):
            here = at == self._at
            line = Text(f"{'>' if here else ' '} {at + 1:2}  ").append(choice.word.ljust(width), style="bold")
            line.append(f"  {choice.about}", style="dim" if not here else "")
            targets.append(Target(len(lines), 0, 1, canvas.width, f"choose {at}"))
            line.truncate(canvas.width, overflow="ellipsis")
            lines.append(line)
        drawn = fitted(Picture(lines, targets), canvas.width, canvas.height - len(foot))
        return fitted(Picture([*drawn.lines, *foot], drawn.targets), canvas.width, canvas.height)
