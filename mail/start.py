"""Where ``nashmail`` starts: Ctrl-C before a command has begun its work is exit status 130 and one line.

An interrupt that Python raises in the middle of an import can come out as anything: a traceback, an ImportError of
whoever caught it, or "Exception ignored in ..." and no interrupt at all. While a command is only being read there is
nothing to put away, so the process ends at once. From then on Ctrl-C is KeyboardInterrupt again.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType


def main() -> int:
    """The ``nashmail`` command, see ``mail.__main__``; returns its exit status."""
    end_at_once()
    from mail.__main__ import main as command

    return command()


def end_at_once() -> None:
    """From now on Ctrl-C ends the process. Does nothing where interrupts are ignored, or somebody else's to handle."""
    sys.excepthook = _last  # before anything is imported, not even what handles signals
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def as_exception() -> None:
    """From now on Ctrl-C is KeyboardInterrupt, which the command tidies up after."""
    import signal

    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(number: int, frame: FrameType | None) -> None:
    os.write(2, b"nashmail: interrupted\n")
    os._exit(130)


def _last(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody caught: an interrupt in one line, anything else as Python shows it."""
    if issubclass(kind, KeyboardInterrupt):
        _end(0, None)
    sys.__excepthook__(kind, error, trace)
