"""The user's own games, from a Python file that registers them, checked against the contract (``games.check``).

The file runs as with ``python FILE``, except that its ``__name__`` is not ``__main__``. Everything it does happens, not
only the registration. Its output goes to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

from agents.storage.reading import printable, read_bytes
from games import registry
from games.base import GameError, NashmailError
from games.check import Checked, check

_LARGEST = 1 << 24  # bytes of source
_MODULE = "nashmail_own_games"


def check_file(path: Path, names: Sequence[str] = ()) -> list[Checked]:
    """Check the games with these names, or all that the file registers. NashmailError for the first fault."""
    with redirect_stdout(sys.stderr):
        words = registered(path)
        return [_checked(name) for name in names or words]


def registered(path: Path) -> list[str]:
    """Run the file and return the words of its games. GameError if it fails or registers none."""
    before = set(registry.names())
    _execute(path, read_bytes(path, most=_LARGEST))
    words = [word for word in registry.names() if word not in before]
    if not words:
        raise GameError(f"{printable(path)} registers no game; call games.register(NAME, factory) in it")
    return words


def _execute(path: Path, source: bytes) -> None:
    """Run the source as a module. Any exception becomes a GameError that names the line."""
    module = ModuleType(_MODULE)
    module.__file__ = str(path)
    sys.modules[_MODULE] = module
    sys.path.append(str(path.parent))  # last, so that files beside it hide no module
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except SyntaxError as error:
        raise GameError(f"{printable(path)}, line {error.lineno}: this is not Python: {error.msg}") from error
    except (Exception, SystemExit) as error:
        raise _failed(path, error) from error
    finally:
        sys.path.remove(str(path.parent))


def _failed(path: Path, error: BaseException) -> GameError:
    """The error for an exception in the file, with the file's line."""
    line, at = None, error.__traceback__
    while at is not None:
        line = at.tb_lineno if at.tb_frame.f_code.co_filename == str(path) else line
        at = at.tb_next
    where = f", line {line}" if line else ""
    kind = "" if isinstance(error, NashmailError) else f"{type(error).__name__}: "
    return GameError(f"{printable(path)}{where}: {kind}{printable(' '.join(str(error).split()))}")


def _checked(name: str) -> Checked:
    try:
        game = registry.make(name)
    except NashmailError:
        raise
    except Exception as error:
        raise GameError(
            f"{name}: its factory raises {type(error).__name__}: {printable(error)}; it gets the text after the colon "
            "of a name, nothing for the bare word, and raises GameError for text it cannot use"
        ) from error
    return check(game)
