"""How ``nashmail`` handles Ctrl-C and SIGTERM, and where it imports modules from.

An interrupt in the middle of an import can surface as anything: a traceback, an ImportError of code that caught it, or
"Exception ignored in ..." and no interrupt at all. While a command is being parsed there is nothing to clean up, so
Ctrl-C (exit status 130) and SIGTERM (143) end the process at once, with one line. From then on they are exceptions,
KeyboardInterrupt and ``Terminated``, after which the command cleans up.

``python -m`` puts the working directory first on the module path. A directory of files from elsewhere may hold modules
with our names, so it is removed.
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
    """SIGTERM as an exception, as KeyboardInterrupt is for Ctrl-C. Its message becomes the command's last line."""


def end_at_once() -> None:
    """From now on signals end the process. Leaves signals alone that are ignored or have another handler."""
    sys.excepthook = _last  # before any import, even that of signal
    drop_working_directory()
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


def ignore() -> None:
    """The command has ended and only Python's shutdown remains: ignore signals."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) in (signal.default_int_handler, _raise, _end):
            signal.signal(number, signal.SIG_IGN)


def exit_status(stop: BaseException) -> tuple[int, str]:
    """The exit status and the word for an end from outside.

    Args:
        stop: A KeyboardInterrupt or ``Terminated``.
    """
    return (143, "terminated") if isinstance(stop, Terminated) else (130, "interrupted")


def drop_working_directory() -> None:
    """Remove the working directory from ``sys.path``, unless this package or Python itself is there."""
    home = os.path.abspath(__file__)
    for _ in range(3):  # this file, its package, the top package
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
    status, word = exit_status(Terminated() if number == 15 else KeyboardInterrupt())
    os.write(2, f"nashmail: {word}\n".encode())
    os._exit(status)


def _unheard(lost: sys.UnraisableHookArgs) -> None:
    """A signal's exception raised where Python ignores exceptions, such as during an import: send the signal again."""
    if not issubclass(lost.exc_type, KeyboardInterrupt | Terminated):
        sys.__unraisablehook__(lost)
        return
    import _thread

    _thread.start_new_thread(_again, (15 if issubclass(lost.exc_type, Terminated) else 2,))


def _again(number: int) -> None:
    time.sleep(0.05)
    os.kill(os.getpid(), number)


def _last(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an uncaught exception: a signal as one line, anything else as a traceback."""
    if issubclass(kind, KeyboardInterrupt | Terminated):
        _end(15 if issubclass(kind, Terminated) else 2, None)
    sys.__excepthook__(kind, error, trace)
