"""Faults in a command's environment: the terminal, closed or full streams, memory, the disk, the label
cache, folders.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from attacks.fixture import GAME, TRAIN, Case, Fixture, Script, plainly, simple
from attacks.mutations import TITLE
from attacks.running import Command, Expect, Own, Words

KIND = "around"
_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("gap", "done"), ("games",), ("play", GAME, "--against", "random", "--seed", "1"), ("replay", "game.txt", "--all"), ("watch", "done", "--once"),
    ("exploit", "done", "--show"), ("match", GAME, "random", "done", "--games", "2"), (*TRAIN, "--out", "new"), ("--help",), ("nothing",), ("gap", "done", "--json"),
)  # fmt: skip
ENVIRONMENTS: tuple[dict[str, str | None], ...] = (
    {"COLUMNS": "0"}, {"COLUMNS": "1"}, {"COLUMNS": "-5"}, {"COLUMNS": "x"}, {"COLUMNS": "99999999"}, {"COLUMNS": ""}, {"LINES": "0", "COLUMNS": "0"}, {"LINES": "-1"}, {"COLUMNS": "9" * 5000},
    {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}, {"TERM": "x" * 5000}, {"TERM": None, "HOME": None}, {"HOME": "/nonexistent"}, {"TMPDIR": "/nonexistent"},
    {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}, {"RAY_ADDRESS": "nobody:1"}, {"OMP_NUM_THREADS": "x"}, {"NASHMAIL_CACHE": ""}, {"XDG_CACHE_HOME": TITLE},
)  # fmt: skip
_NEEDED = ("done", "game.txt")
_LABELS = ("match", "connect4", "expert", "random", "--games", "1", "--seed", "1")


def _ready(place: Path, fixture: Fixture) -> None:
    for one in _NEEDED:
        fixture.copy(one, place / one)


def cases(fixture: Fixture, rng: np.random.Generator) -> list[Case]:
    """All faults of the environment."""
    return [*_terminals(), *_streams(), *_limits(), *_caches(), *_folders()]


def _terminals() -> list[Case]:
    found = []
    for number, env in enumerate(ENVIRONMENTS):
        for words in (_COMMANDS[number % 6], _COMMANDS[(number + 3) % 6]):
            command = Command(words, "accept", env=env, stdin=b"1\n", before=plainly)
            found.append(simple(KIND, f"{KIND}: {ascii(env)[1:50]} {words[0]}", 11, command, _ready))
    for words in (("games",), ("replay", "game.txt", "--all")):
        env = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": None}
        command = Command(words, "accept", env=env, own="script", seconds=20.0)
        found.append(simple(KIND, f"{KIND}: a Python that knows ASCII alone, {words[0]}", 11, command, _ready))
    return found


def _streams() -> list[Case]:
    """Closed and full streams, and pipes without reader."""
    found = []
    kinds: dict[str, dict[str, Any]] = {  # fields of Command
        "stdin closed": {"stdin": None}, "stdout closed": {"out": "closed"}, "stdout full": {"out": "full"}, "nobody reads stdout": {"out": "gone"},
        "stderr closed": {"err": "closed"}, "stderr full": {"err": "full"}, "all closed": {"stdin": None, "out": "closed", "err": "closed"},
        "nobody reads either": {"out": "gone", "err": "gone"},
    }  # fmt: skip
    for label, changes in kinds.items():
        for words in _COMMANDS:
            statuses = {"gone": (1, 141), "full": (1,)}.get(changes.get("out", "file"), ())
            command = Command(
                words, "either", statuses=statuses, before=plainly, may_change=("new/*", "new"), **changes
            )
            found.append(
                simple(
                    KIND,
                    f"{KIND}: {label}, {' '.join(words[:1])}{' --json' if '--json' in words else ''}",
                    11,
                    command,
                    _ready,
                )
            )
    return found


def _limits() -> list[Case]:
    """Little memory, small files (like a full disk), few open files."""
    found = []
    writing: tuple[Words, ...] = (
        (*TRAIN, "--out", "new"),
        ("export", "done", "--out", "new"),
        ("play", GAME, "--save", "new.txt", "--seed", "1"),
    )
    large: tuple[Words, ...] = (
        (*TRAIN, "--out", "new"),
        ("gap", "done"),
        ("train", "linear:2000,50", "--out", "new", "--episodes", "1"),
        ("play", "openspiel:hex(board_size=5)", "--against", "expert"),
        ("match", "connect4:4x4", "expert", "random", "--games", "1"),
    )
    opening: tuple[Words, ...] = ((*TRAIN, "--out", "new"), ("gap", "done"), _LABELS)
    for size in (0, 100, 1000, 10_000, 100_000):
        for words in writing:
            command = Command(
                words,
                "either",
                limits={resource.RLIMIT_FSIZE: size},
                before=plainly,
                may_change=("new/*", "new"),
                out="pipe",
                err="pipe",
                stdin=b"1\n",
            )
            found.append(_full_disk(f"{KIND}: files of {size} bytes at most, {words[0]}", command))
    for mib in (2, 20, 60, 150):
        for words in large:
            command = Command(
                words,
                "either",
                limits={resource.RLIMIT_AS: mib << 20},
                before=plainly,
                may_change=("new/*", "new"),
                seconds=30.0,
            )
            found.append(simple(KIND, f"{KIND}: {mib} MiB more at most, {words[0]} {words[1]}", 6, command, _ready))
    for count in (4, 8, 16):
        for words in opening:
            command = Command(
                words, "either", limits={resource.RLIMIT_NOFILE: count}, before=plainly, may_change=("new/*", "new")
            )
            found.append(simple(KIND, f"{KIND}: {count} open files at most, {words[0]}", 11, command, _ready))
    return found


def _full_disk(name: str, command: Command) -> Case:
    """A file that does not fit is reported, and nothing is left incomplete."""

    def script(place: Path, fixture: Fixture) -> Script:
        _ready(place, fixture)
        yield [command]
        most = command.limits[resource.RLIMIT_FSIZE]
        cut = [path.name for path in place.rglob("*") if path.is_file() and most > 0 and path.stat().st_size == most]
        return [f"left {cut[0]} cut short"] if cut else []

    return Case(KIND, name, script, 11)


def _folder(fill: Callable[[Path], object]) -> Callable[[Path], None]:
    """A folder, and what is wrong with it."""

    def make(path: Path) -> None:
        path.mkdir()
        fill(path)

    return make


def _linked(path: Path) -> None:
    (path.parent / "precious").write_text("precious")
    (path / "scores.sqlite.lock").symlink_to("../precious")


CACHES: dict[str, Callable[[Path], object]] = {
    "a file": lambda path: path.write_text("x"),
    "a link to nothing": lambda path: path.symlink_to("/nonexistent/x"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a folder with garbage": _folder(
        lambda path: (path / "scores.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    ),
    "a folder whose file is a folder": _folder(lambda path: (path / "scores.sqlite").mkdir()),
    "a folder whose file is a pipe": _folder(lambda path: os.mkfifo(path / "scores.sqlite")),
    "a folder whose file is empty": _folder(lambda path: (path / "scores.sqlite").touch()),
    "a folder whose file is text": _folder(lambda path: (path / "scores.sqlite").write_text("hello\n" * 1000)),
    "a folder whose file is a link to /dev/full": _folder(
        lambda path: (path / "scores.sqlite").symlink_to("/dev/full")
    ),
    "a folder whose lock is a folder": _folder(lambda path: (path / "scores.sqlite.lock").mkdir()),
    "a folder whose lock is a pipe": _folder(lambda path: os.mkfifo(path / "scores.sqlite.lock")),
    "a folder whose lock is a link": _folder(_linked),
    "a folder that nobody may write": _folder(lambda path: path.chmod(0o500)),
    "/proc": lambda path: path.symlink_to("/proc"),
    "/dev/null": lambda path: path.symlink_to("/dev/null"),
}


def _caches() -> list[Case]:
    """An unavailable label cache is reported, and the command continues."""
    found = []
    for label, make in CACHES.items():

        def script(place: Path, fixture: Fixture, make: Callable[[Path], object] = make) -> Script:
            make(place / "cache")
            yield [Command(_LABELS, "accept", env={"NASHMAIL_CACHE": str(place / "cache")}, seconds=20.0)]
            precious = place / "precious"
            return (
                ["the target of a link was written over"]
                if precious.exists() and precious.read_text() != "precious"
                else []
            )

        found.append(Case(KIND, f"{KIND}: the label cache is {label}", script, 11))
    for value in ("/dev/null/x", "a" * 300, "x\n", TITLE):
        command = Command(_LABELS, "accept", env={"NASHMAIL_CACHE": value}, seconds=20.0)
        found.append(simple(KIND, f"{KIND}: NASHMAIL_CACHE={ascii(value)[1:20]}", 11, command))
    return found


SHADOWS = {
    "games": "games/__init__.py", "mail": "mail/__init__.py", "agents": "agents/__init__.py", "numpy.py": "numpy.py", "torch": "torch/__init__.py", "json.py": "json.py",
    "sitecustomize.py": "sitecustomize.py", "pyspiel.py": "pyspiel.py", "rich": "rich/__init__.py", "mail.py": "mail.py", "signal.py": "signal.py",
}  # fmt: skip


def _folders() -> list[Case]:
    """Code in the working directory is not run."""
    found = []
    for number, (label, name) in enumerate(SHADOWS.items()):
        own: Own = "module" if label in ("games", "agents", "numpy.py", "rich") else "script"
        words = (("gap", "done"), ("replay", "game.txt", "--all"))[number % 2]

        def script(
            place: Path, fixture: Fixture, name: str = name, words: tuple[str, ...] = words, own: Own = own
        ) -> Script:
            _ready(place, fixture)
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text("open('ran', 'w').write('')\nraise SystemExit(3)\n")
            expect: Expect = "accept"
            yield [
                Command(words, expect, own=own, seconds=25.0, env={"PYTHONPATH": None, "PYTHONDONTWRITEBYTECODE": "1"})
            ]
            return ["code in the working folder ran"] if (place / "ran").exists() else []

        found.append(Case(KIND, f"{KIND}: {label} lies in the working folder ({own})", script, 11, slow=True))
    return found
