"""What Ctrl-C and SIGTERM do to ``nashmail``, and where its modules come from.

An interrupt that Python raises in the middle of an import can come out as anything: a traceback, an ImportError of
whoever caught it, or "Exception ignored in ..." and no interrupt at all. While a command is only being read there is
nothing to put away, so Ctrl-C (exit status 130) and SIGTERM (143) end the process at once, with one line. From then on
they are exceptions, KeyboardInterrupt and ``Terminated``, which the command tidies up after.

``python -m`` puts the working folder in front of everything else; a folder of files that somebody sent may hold
modules by our names, so it goes.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import NoReturn


class Terminated(BaseException):
    """SIGTERM, as KeyboardInterrupt is Ctrl-C; what it says is for the command's last line."""


def end_at_once() -> None:
    """From now on signals end the process. Does nothing where they are ignored, or somebody else's to handle."""
    sys.excepthook = _last  # before anything is imported, not even what handles signals
    leave_folder()
    import signal

    for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) is default:
            signal.signal(number, _end)


def as_exception() -> None:
    """From now on signals are KeyboardInterrupt and ``Terminated``."""
    import signal

    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, _raise)):
        if signal.getsignal(number) is _end:
            signal.signal(number, handler)
            sys.unraisablehook = _unheard


def over() -> None:
    """The command has ended, and only Python has still to: signals come too late."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) in (signal.default_int_handler, _raise, _end):
            signal.signal(number, signal.SIG_IGN)


def stopped(stop: BaseException) -> tuple[int, str]:
    """The exit status and the word for a KeyboardInterrupt or ``Terminated``."""
    return (143, "terminated") if isinstance(stop, Terminated) else (130, "interrupted")


def leave_folder() -> None:
    """Take the working folder off ``sys.path``, unless this package or Python itself is there."""
    home = os.path.abspath(__file__)
    for _ in range(3):  # this file, its room, the package
        home = os.path.dirname(home)
    try:
        here = os.getcwd()
    except OSError:  # it has been removed
        return
    pythons = os.path.join(here, "").startswith(tuple(os.path.join(p, "") for p in (sys.prefix, sys.base_prefix)))
    if here != home:
        paths = [os.path.abspath(path) for path in sys.path]
        sys.path[:] = [path for place, path in enumerate(paths) if path != here or (place and pythons)]


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _end(number: int, frame: FrameType | None) -> None:
    status, word = stopped(Terminated() if number == 15 else KeyboardInterrupt())
    os.write(2, f"nashmail: {word}\n".encode())
    os._exit(status)


def _unheard(lost: sys.UnraisableHookArgs) -> None:
    """An exception where Python can raise none, as while it tidies up behind an import: a signal comes once more."""
    if not issubclass(lost.exc_type, KeyboardInterrupt | Terminated):
        sys.__unraisablehook__(lost)
        return
    import _thread

    _thread.start_new_thread(_again, (15 if issubclass(lost.exc_type, Terminated) else 2,))


def _again(number: int) -> None:
    time.sleep(0.05)
    os.kill(os.getpid(), number)


def _last(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody caught: a signal in one line, anything else as Python shows it."""
    if issubclass(kind, KeyboardInterrupt | Terminated):
        _end(15 if issubclass(kind, Terminated) else 2, None)
    sys.__excepthook__(kind, error, trace)
