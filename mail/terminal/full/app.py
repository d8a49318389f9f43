"""The driver of the full screen: a screen's frames into the terminal, the terminal's keys and clicks into the screen.

By prompt_toolkit, which draws only what has changed, tells of resizing, and leaves the terminal as it was. Measured
beside textual, it takes half as long to start. Only this module imports it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from io import StringIO
from typing import Any, Protocol

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import Layout, Window
from prompt_toolkit.layout.controls import UIContent, UIControl
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output
from rich.console import Console
from rich.text import Text

from mail.terminal.boards import Canvas
from mail.terminal.full.frame import SMALLEST, Picture

BEAT = 0.035  # seconds between two looks at what goes on without keys: a falling disc, an opponent
FRAME = ("\x1b[?2026h", "\x1b[?2026l")
"""Before and after a frame."""
FLOOD = 1500  # bytes at once, or without a pause, that nobody typed
PAUSE = 0.1  # seconds without input after which a flood is over
TYPED = 64  # bytes that keys and mouse may send between two looks


class FullScreen(Protocol):
    """A screen."""

    @property
    def outcome(self) -> str | None: ...
    @property
    def waits(self) -> bool: ...
    def press(self, key: str) -> None:
        """React to a key or a click.

        Args:
            key: Its name (``enter``, ``left``), its character, or ``choose N`` for a click on action or
                entry N.
        """

    def tick(self) -> None: ...
    def draw(self, canvas: Canvas) -> Picture:
        """The frame at this moment.

        Args:
            canvas: The terminal.

        Returns:
            A picture of exactly the terminal's height.
        """


def show(screen: FullScreen, *, mouse: bool = True) -> str:
    """Show a screen until it has an outcome.

    Args:
        screen: The screen.
        mouse: Whether clicks count.

    Returns:
        The outcome.

    Raises:
        KeyboardInterrupt: Ctrl-C.
        Exception: What the screen raised; the terminal has been restored.
    """
    control = _Control(screen)
    app: Application[str] = Application(
        layout=Layout(Window(control, always_hide_cursor=True)),
        key_bindings=_bindings(screen),
        full_screen=True,
        mouse_support=mouse,
        input=_Guarded(sys.stdin),
        output=_whole_frames(create_output()),
    )
    app.ttimeoutlen = 0.05

    async def beat() -> None:
        """Look at what goes on meanwhile."""
        while True:
            await asyncio.sleep(BEAT)
            if screen.waits:
                try:
                    screen.tick()
                except BaseException as error:
                    app.exit(exception=error)
                    return
                app.invalidate()

    def begun() -> None:
        app.create_background_task(beat())

    return str(app.run(pre_run=begun, handle_sigint=False))


def _bindings(screen: FullScreen) -> KeyBindings:
    """Every key goes to the screen, except those that belong to the terminal."""
    bindings = KeyBindings()

    def press(event: KeyPressEvent, key: str) -> None:
        try:
            screen.press(key)
        except BaseException as error:
            event.app.exit(exception=error)
            return
        if screen.outcome is not None and not event.app.is_done:
            event.app.exit(result=screen.outcome)

    def bind(keys: Keys | str, key: str) -> None:
        @bindings.add(keys)
        def _(event: KeyPressEvent) -> None:
            press(event, key)

    for name in ("left", "right", "up", "down", "enter", "tab", "backspace", "escape"):
        bind(name, name)
    bind(Keys.BracketedPaste, "paste")

    @bindings.add(Keys.Any)
    def _(event: KeyPressEvent) -> None:
        press(event, event.data if len(event.data) == 1 else "other")

    @bindings.add("c-c")
    def _(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt())

    @bindings.add("c-d")
    def _(event: KeyPressEvent) -> None:
        press(event, "q")

    @bindings.add("c-z")
    def _(event: KeyPressEvent) -> None:
        event.app.suspend_to_background()

    return bindings


class _Control(UIControl):
    """A screen's frames as prompt_toolkit draws them."""

    def __init__(self, screen: FullScreen) -> None:
        self.screen, self.frame = screen, Picture([])

    def is_focusable(self) -> bool:
        return True

    def create_content(self, width: int, height: int) -> UIContent:
        if width < SMALLEST[0] or height < SMALLEST[1]:
            self.frame = Picture([Text(f"{width}x{height} is too small"[:width]), Text("widen it"[:width])])
        else:
            self.frame = self.screen.draw(Canvas(True, width, height))
        lines = [_fragments(line) for line in self.frame.lines]
        return UIContent(get_line=lambda row: lines[row], line_count=len(lines), show_cursor=False)

    def mouse_handler(self, mouse_event: MouseEvent) -> Any:
        if mouse_event.event_type == MouseEventType.MOUSE_UP:
            key = self.frame.at(mouse_event.position.y, mouse_event.position.x)
            if key is not None:
                self.screen.press(key)
                return None
        return NotImplemented


_PLAIN = Console(file=StringIO(), force_terminal=True, color_system="truecolor", markup=False, highlight=False)


def _fragments(line: Text) -> StyleAndTextTuples:
    """A line as prompt_toolkit's styles and words."""
    found: StyleAndTextTuples = []
    for segment in line.render(_PLAIN, end=""):
        style, words = segment.style, []
        if style is not None:
            words = [name for name in ("bold", "dim", "reverse") if getattr(style, name)]
            if style.color is not None:
                words.append("fg:ansi" + style.color.name.replace("_", ""))
        found.append((" ".join(words), segment.text))
    return found


def _whole_frames(output: Output) -> Output:
    """The terminal's output, each of whose frames is one write between the marks of a synchronized update.

    A terminal that knows the marks (mode 2026) shows all of a frame or nothing; others ignore them.

    Args:
        output: Changed in place.
    """
    if isinstance(output, Vt100_Output):
        flush = output.flush

        def together() -> None:
            if output._buffer:
                output._buffer = [FRAME[0], *output._buffer, FRAME[1]]
            flush()

        output.flush = together  # type: ignore[method-assign]
    return output


class _Guarded(Vt100Input):
    """The terminal's keys without what was pasted: megabytes of text must not be taken for moves, nor block a game."""

    _last = 0.0
    _burst = 0

    def read_keys(self) -> list[KeyPress]:
        """The keys since the last call; one ``BracketedPaste`` for a flood, however long it is."""
        now = time.monotonic()
        data = self.stdin_reader.read()
        if now - self._last > PAUSE and len(data) <= TYPED:  # a busy machine reads a paste with pauses, too
            self._burst = 0
        before = self._burst
        self._last = now
        self._burst += len(data)
        if self._burst > FLOOD:
            self.vt100_parser.reset()
            self._buffer = []
            return [KeyPress(Keys.BracketedPaste, "")] if before <= FLOOD else []
        self.vt100_parser.feed(data)
        found, self._buffer = self._buffer, []
        return found
