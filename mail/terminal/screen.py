"""The output of a session: lines and pictures, as the console can display them."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console
from rich.text import Text

from mail.terminal.boards import Canvas, Scene, View, canvas_of, too_narrow
from mail.terminal.layout import wrapped


class Screen:
    """A console that is sent only what it can display.

    Args:
        console: The console.
        unicode: False draws with ASCII, whatever the terminal can do.
    """

    def __init__(self, console: Console, *, unicode: bool = True) -> None:
        self.console, self.unicode = console, unicode

    def canvas(self) -> Canvas:
        """The present capabilities of the terminal."""
        canvas = canvas_of(self.console)
        return canvas if self.unicode else replace(canvas, unicode=False)

    def say(self, line: str, *, end: str = "\n") -> None:
        """Print a line and flush.

        Args:
            line: The line.
            end: What follows it.
        """
        self.console.print(Text(self._encodable(self._broken(line))), end=end, soft_wrap=True)
        self.console.file.flush()

    def show(self, text: Text) -> None:
        """Print a text, with colours if they are wanted and the encoding allows it.

        Args:
            text: The text.
        """
        plain = self._encodable(text.plain)
        styled = not self.console.no_color and plain == text.plain
        self.console.print(text if styled else Text(plain), soft_wrap=True)

    def draw(self, display: View, scene: Scene) -> None:
        """Draw a position, with a line of warning if it does not fit.

        Args:
            display: How the game is drawn.
            scene: The position.
        """
        canvas = self.canvas()
        picture = display.draw(scene, canvas)
        self.show(Text("\n") + picture + Text("\n"))
        if narrow := too_narrow(picture, canvas):
            self.say(narrow)

    def _broken(self, line: str) -> str:
        """The line, broken between words where the terminal ends; whole if the output is no terminal."""
        if not self.console.is_terminal:
            return line
        text = line.rstrip(" ")
        return wrapped(text, self.console.width, hang="").removesuffix("\n") + line[len(text) :]

    def _encodable(self, text: str) -> str:
        """The text with escapes for what the terminal's encoding lacks."""
        return text.encode(self.console.encoding, "backslashreplace").decode(self.console.encoding)
