"""What a session writes on: lines and pictures, as this console can show them."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console
from rich.text import Text

from mail.terminal.boards import Look, Scene, View, look, too_narrow


class Screen:
    """A console to which nothing is written that it cannot show; ``unicode`` False draws with plain characters."""

    def __init__(self, console: Console, *, unicode: bool = True) -> None:
        self.console, self.unicode = console, unicode

    def look(self) -> Look:
        """What can be drawn now."""
        on = look(self.console)
        return on if self.unicode else replace(on, unicode=False)

    def say(self, line: str, *, end: str = "\n") -> None:
        """Write a line at once."""
        self.console.print(Text(self._encodable(line)), end=end, soft_wrap=True)
        self.console.file.flush()

    def show(self, text: Text) -> None:
        """Write a text in colours, where these are wanted and the encoding can write it."""
        plain = self._encodable(text.plain)
        styled = not self.console.no_color and plain == text.plain
        self.console.print(text if styled else Text(plain), soft_wrap=True)

    def draw(self, shown: View, scene: Scene) -> None:
        """Draw a position; where it does not fit, say so."""
        on = self.look()
        picture = shown.draw(scene, on)
        self.show(Text("\n") + picture + Text("\n"))
        if narrow := too_narrow(picture, on):
            self.say(narrow)

    def _encodable(self, text: str) -> str:
        """The text without what the terminal's encoding cannot write."""
        return text.encode(self.console.encoding, "backslashreplace").decode(self.console.encoding)
