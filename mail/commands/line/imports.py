"""What the user adds to a command: Python files named by ``--import``, and the entry points of installed packages.

A file registers games, experts, cloners, explorers or learners (``games.register``, ``agents.register_expert``,
``mail.register_cloner``, ``mail.register_explorer``, ``mail.register_learner``). It runs as with ``python FILE``,
except that its ``__name__`` is not ``__main__``. Everything it does happens, not only the registration. Its output
goes to standard error. Workers are sent what they need of it by value.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

from agents.expert import EXPERTS
from agents.storage.reading import printable, read_bytes
from games import registry
from games.base import GameError, NashmailError
from games.check import Checked, check
from games.registered import Registry
from games.registry import GAMES
from mail.clone.registry import CLONERS
from mail.explore import EXPLORERS
from mail.learners import LEARNERS
from mail.parallel.pool import BY_VALUE

GROUP = "nashmail.plugins"
"""The group of entry points: each names a module whose import registers something, or a function that does."""
REGISTRIES: tuple[Registry[Any, Any], ...] = (GAMES, EXPERTS, CLONERS, EXPLORERS, LEARNERS)

_LARGEST = 1 << 24  # bytes of source
_run: dict[str, list[tuple[Registry[Any, Any], str]]] = {}  # files that were run, and what each registered


def load(paths: Iterable[str]) -> list[str]:
    """Run files that register something, each once.

    Args:
        paths: The files, as they were named.

    Returns:
        Their absolute paths, in that order, each once.

    Raises:
        NashmailError: For a file that cannot be read, that fails, that registers nothing, or a name that is taken. What
            such a file has registered before is taken back.
    """
    for path in paths:
        if not _registered(Path(path)):
            raise NashmailError(
                f"{printable(path)} registers nothing; call games.register, agents.register_expert, "
                "mail.register_cloner, mail.register_explorer or mail.register_learner in it"
            )
    return list(dict.fromkeys(os.path.abspath(path) for path in paths))


def load_installed() -> list[str]:
    """Import the installed plugins.

    Returns:
        A line for each that failed: what others have installed must not stop a command that does without it.
    """
    from importlib.metadata import entry_points

    failed = []
    for point in entry_points(group=GROUP):
        try:
            with redirect_stdout(sys.stderr):
                found = point.load()
                if callable(found):
                    found()
        except (Exception, SystemExit) as error:
            failed.append(f"the plugin {point.name} ({point.value}) failed: {type(error).__name__}: {error}")
    return failed


def check_file(path: Path, names: Sequence[str] = ()) -> list[Checked]:
    """Check the games with these names, or all that the file registers.

    Args:
        path: The file.
        names: Of games; all of the file's by default.

    Returns:
        What was checked, a game each.

    Raises:
        NashmailError: The file fails or registers no game, or a game breaks the contract of ``games.base``.
    """
    with redirect_stdout(sys.stderr):
        words = [name for kind, name in _registered(path) if kind is GAMES]
        if not words:
            raise GameError(f"{printable(path)} registers no game; call games.register(NAME, factory) in it")
        return [check(registry.make(name)) for name in names or words]


def _registered(path: Path) -> list[tuple[Registry[Any, Any], str]]:
    """Run a file, unless it was run before; what it registers."""
    place = os.path.realpath(path)
    if _run.get(place) and all(name in kind for kind, name in _run[place]):
        return _run[place]
    before = [dict(kind.entries) for kind in REGISTRIES]
    try:
        with redirect_stdout(sys.stderr):
            _execute(path, read_bytes(path, most=_LARGEST))
    except BaseException:
        for kind, old in zip(REGISTRIES, before, strict=True):
            kind.entries = old
        raise
    new = [(kind, name) for kind, old in zip(REGISTRIES, before, strict=True) for name in kind.entries.keys() - old]
    _run[place] = sorted(new, key=lambda pair: pair[1])
    return _run[place]


def _execute(path: Path, source: bytes) -> None:
    """Run the source as a module; whatever it raises becomes a NashmailError that names the line."""
    place = os.path.abspath(path)
    name = f"nashmail_import_{re.sub('[^A-Za-z0-9]', '_', path.stem)}_{sha256(os.fsencode(place)).hexdigest()[:8]}"
    module = ModuleType(name)
    module.__file__ = place
    sys.modules[name] = module
    if (folder := os.path.dirname(place)) not in sys.path:
        sys.path.append(folder)  # last, so that files beside it hide no module
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    except SyntaxError as error:
        raise NashmailError(f"{printable(path)}, line {error.lineno}: this is not Python: {error.msg}") from error
    except (Exception, SystemExit) as error:
        raise _failed(path, error) from error
    BY_VALUE.append(module)


def _failed(path: Path, error: BaseException) -> NashmailError:
    """What went wrong while the file was run, with the line of the file, in one line."""
    line, at = None, error.__traceback__
    while at is not None:
        line = at.tb_lineno if at.tb_frame.f_code.co_filename == str(path) else line
        at = at.tb_next
    where = f", line {line}" if line else ""
    kind = "" if isinstance(error, NashmailError) else f"{type(error).__name__}: "
    return NashmailError(f"{printable(path)}{where}: {kind}{printable(' '.join(str(error).split()))}")
