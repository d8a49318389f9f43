"""Other things in the place of a file: pipes, devices, folders, links, unreadable and endless files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from attacks.fixture import GAME, TRAIN, Case, Fixture, Script, plainly
from attacks.running import Command, Expect

KIND = "files"
Fault = Callable[[Path], object]


def _gone(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


def _pipe(path: Path) -> None:
    _gone(path)
    os.mkfifo(path)


def _link(to: str) -> Fault:
    def fault(path: Path) -> None:
        _gone(path)
        path.symlink_to(to)

    return fault


def _folder(path: Path) -> None:
    _gone(path)
    path.mkdir()


def _closed(path: Path) -> None:
    path.chmod(0)


def _sparse(path: Path) -> None:
    _gone(path)
    path.touch()
    os.truncate(path, 20 << 30)


FAULTS: dict[str, Fault] = {
    "a pipe": _pipe, "a link to /dev/zero": _link("/dev/zero"), "a link to itself": _link("loop"), "a link to nothing": _link("/nothing"),
    "a folder": _folder, "20 GB of nothing": _sparse, "a link to a terminal": _link("/dev/tty"), "a link to /proc/self/mem": _link("/proc/self/mem"),
    "nothing": _gone,
}  # fmt: skip
_RESUME = (*TRAIN, "--out", "run", "--resume")
READ = {
    "run/config.json": (("gap", "run"), ("watch", "run", "--once"), ("play", GAME, "--against", "run"), _RESUME),
    "run/result.json": (("gap", "run"), ("watch", "run", "--json")),
    "run/metrics.jsonl": (("watch", "run", "--once"), ("watch", "run", "--json")),
    "run/clock.json": (_RESUME,),
    "run/policies": (("gap", "run"),),
    "run/policies/mail-0.json": (("gap", "run"), ("export", "run", "--out", "new")),
    "run/policies/mail-0.safetensors": (("gap", "run"), ("match", GAME, "run", "random", "--games", "2")),
    "run/decisions/mail-0/000000.npz": (("exploit", "run", "--show"),),
    "game.txt": (("replay", "game.txt", "--all"), ("train", GAME, "--from-games", "game.txt", "--out", "new")),
    "table.csv": (("gap", "table.csv", "--game", GAME), ("match", GAME, "table.csv", "random", "--games", "2")),
    "table.json": (("gap", "table.json", "--game", GAME),),
}  # fmt: skip
_WRITES = ("run/metrics.jsonl", "run/kept/*", "run/policies/*", "run/result.json", "run/clock.json")


def cases(fixture: Fixture, rng: np.random.Generator) -> list[Case]:
    """Every fault for every file, unreadable files unless this user is root, and obstacles in the place of a run."""
    faults = dict(FAULTS)
    if os.geteuid():
        faults["closed to this user"] = _closed
    found = []
    for file, readers in READ.items():
        for turn, (label, fault) in enumerate(faults.items()):
            words = readers[turn % len(readers)]
            never = words == _RESUME or "decisions" in file or file in ("run/metrics.jsonl", "run/clock.json")
            absent = words[0] == "watch" and file != "run/config.json" and label in ("nothing", "a link to nothing")
            found.append(_case(file, label, fault, words, "either" if never or absent else "refuse"))
    part = sorted(path for path in (fixture.folder / "part").rglob("000000.npz"))[0].relative_to(
        fixture.folder / "part"
    )
    for label, fault in faults.items():
        found.append(_case(f"run/{part}", label, fault, _RESUME, "either", source="part"))
    for label, fault in faults.items():
        if label not in ("nothing", "closed to this user"):
            expect: Expect = "either" if label == "a folder" or "link" in label else "refuse"
            found.append(_case("new", label, fault, (*TRAIN, "--out", "new"), expect))
            found.append(_case("new", label, fault, ("export", "run", "--out", "new"), expect))
    for target in ("run", "run/decisions", "run/policies"):
        found.append(_linked(target))
    return found


def _case(file: str, label: str, fault: Fault, words: tuple[str, ...], expect: Expect, source: str = "done") -> Case:
    def script(place: Path, fixture: Fixture) -> Script:
        fixture.copy(source, place / "run")
        for one in ("game.txt", "table.csv", "table.json"):
            fixture.copy(one, place / one)
        fault(place / file)
        may = (*_WRITES, "run/.*") if words == _RESUME else ()
        yield [Command(words, expect, may_change=may, memory=2048, before=plainly, seconds=15.0)]
        return []

    what = " --resume" if "--resume" in words else ""
    return Case(
        KIND,
        f"{KIND}: {words[0]}{what} with {label} for {file}{' (unfinished)' if source == 'part' else ''}",
        script,
        11,
    )


def _linked(target: str) -> Case:
    """``--force`` with a link must not remove the link's target."""

    def script(place: Path, fixture: Fixture) -> Script:
        fixture.copy("done", place / "elsewhere")
        path = place / target
        if target == "run":
            path.symlink_to("elsewhere")
        else:
            fixture.copy("done", place / "run")
            shutil.rmtree(path)
            path.symlink_to("../elsewhere")
        names = {str(one) for one in (place / "elsewhere").rglob("*")}
        yield [Command((*TRAIN, "--out", "run", "--force"), "either", before=plainly, seconds=30.0)]
        lost = names - {str(one) for one in (place / "elsewhere").rglob("*")} if target != "run" else set()
        return [f"--force removed {sorted(lost)[0]} behind a link"] if lost else []

    return Case(KIND, f"{KIND}: --force where {target} is a link", script, 11)
