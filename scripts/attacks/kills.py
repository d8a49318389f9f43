"""Runs that are killed while they write, receive signals, or are not alone in their folder.

A run that is killed at any write resumes to the result of the undisturbed run. The copy of this process that runs the
command ends itself at the n-th file that it writes: before, half-way, or after.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from attacks.fixture import GAME, TRAIN, Case, Fixture, Script, plainly, simple
from attacks.rounds import CLONED, same
from attacks.running import Command, Strike

KIND = "kills"
DIED = 77  # exit status of a process that has ended itself
_WRITES, _MOMENTS = 18, 12
_GAMES = CLONED[: CLONED.index("--resume")] + CLONED[CLONED.index("--resume") + 1 :]


def cases(fixture: Fixture, rng: np.random.Generator) -> list[Case]:
    """Kills at writes, two writers, signals at random moments and during imports."""
    found = []
    for write in sorted(rng.permutation(60)[:_WRITES]):
        found.append(_killed((*TRAIN, "--out", "run"), "done", int(write), ("before", "half", "after")[int(write) % 3]))
    for write in range(7):
        found.append(_killed(_GAMES, "cloned", write, ("before", "half", "after")[write % 3]))
    for name in (
        "train and train",
        "resume and resume",
        "train and --force",
        "train and resume",
        "train and export",
        "two exports",
    ):
        found.append(_two(name))
    struck = (
        (*TRAIN, "--out", "new"),
        ("match", GAME, "done", "random", "--games", "50000"),
        ("watch", "part"),
        ("exploit", "done", "--learned", "100000"),
    )
    for number in range(_MOMENTS):
        which = (signal.SIGINT, signal.SIGTERM)[number % 2]
        found.append(_struck(struck[number // 2 % len(struck)], which, float(rng.uniform(0.1, 1.2))))
    for seconds in rng.uniform(0.15, 2.5, size=8):
        strike = Strike(signal.SIGINT, round(float(seconds), 2))
        command = Command(
            ("gap", "done"), "either", own="script", strike=strike, statuses=(130,), says=False, seconds=30.0
        )
        found.append(
            simple(
                KIND,
                f"{KIND}: Ctrl-C after {seconds:.2f} s, while Python imports",
                13,
                command,
                lambda place, fixture: fixture.copy("done", place / "done"),
            )
        )
    return found


def dying(write: int, when: str) -> Callable[[], None]:
    """Ends the process at its n-th file: ``before`` it is written, at ``half``, or ``after`` it is renamed."""

    def prepare() -> None:
        plainly()
        count = iter(range(10**9))
        whole, rename = os.replace, Path.replace

        def replace(source: Any, target: Any, plain: Callable[[Any, Any], Any]) -> Any:
            if next(count) != write:
                return plain(source, target)
            if when == "half":
                os.truncate(source, os.path.getsize(source) // 2)
            if when == "after":
                plain(source, target)
            os._exit(DIED)

        os.replace = lambda source, target, **words: replace(source, target, whole)
        Path.replace = lambda self, target: replace(self, target, rename)  # type: ignore[method-assign]

    return prepare


def _killed(words: tuple[str, ...], right: str, write: int, when: str) -> Case:
    def script(place: Path, fixture: Fixture) -> Script:
        for one in ("game.txt", "game0.txt", "game1.txt"):
            fixture.copy(one, place / one)
        dead = Command(
            words,
            "either",
            statuses=(DIED,),
            says=False,
            seconds=30.0,
            strike=Strike(0, 1e9),
            before=dying(write, when),
        )
        (outcome,) = yield [dead]
        if outcome.status != DIED:
            return same(place / "run", fixture.folder / right)
        again = [word for word in words if word != "--resume"]
        if (place / "run" / "config.json").exists():
            again.append("--resume")
        (outcome,) = yield [Command(tuple(again), "accept", seconds=30.0, before=plainly)]
        return same(place / "run", fixture.folder / right) if outcome.status == 0 else []

    what = "--from-games" if "--from-games" in words else "train"
    return Case(KIND, f"{KIND}: {what} is killed at file {write} ({when})", script, 11)


def _slowly() -> None:
    """Make the storage of every round slow, so that two writers overlap."""
    from mail.training.journal import RunJournal

    plainly()
    store = RunJournal.store

    def slow(self: RunJournal, *args: Any, **words: Any) -> None:
        time.sleep(0.15)
        store(self, *args, **words)

    RunJournal.store = slow  # type: ignore[method-assign]


def _late() -> None:
    time.sleep(0.5)
    _slowly()


def _two(name: str) -> Case:
    """Two commands on one folder: one runs undisturbed, the other is refused or waits."""
    train, resume, force = (
        (*TRAIN, "--out", "run"),
        (*TRAIN, "--out", "run", "--resume"),
        (*TRAIN, "--out", "run", "--force"),
    )
    pairs = {
        "train and train": (train, train), "resume and resume": (resume, resume), "train and --force": (train, force), "train and resume": (train, resume),
        "train and export": (force, ("export", "run", "--out", "new")), "two exports": (("export", "run", "--out", "new"),) * 2,
    }  # fmt: skip

    def script(place: Path, fixture: Fixture) -> Script:
        if name == "resume and resume":
            fixture.copy("part", place / "run")
        elif "export" in name:
            fixture.copy("done", place / "run")
        first, second = pairs[name]
        commands = [
            Command(first, "either", seconds=40.0, before=_slowly),
            Command(second, "either", seconds=40.0, before=_late),
        ]
        outcomes = yield commands
        statuses = sorted(outcome.status for outcome in outcomes)
        bad = same(place / "run", fixture.folder / "done")
        if "export" not in name and statuses not in ([0, 2], [0, 0]):
            bad.append(f"exit statuses {statuses}")
        if name in ("train and train", "resume and resume", "train and --force", "train and resume") and statuses == [
            0,
            0,
        ]:
            bad.append("both went on")
        return bad

    return Case(KIND, f"{KIND}: two writers: {name}", script, 11, slow=True)


def _struck(words: tuple[str, ...], which: signal.Signals, seconds: float) -> Case:
    def script(place: Path, fixture: Fixture) -> Script:
        for one in ("done", "part"):
            fixture.copy(one, place / one)
        right = (130,) if which == signal.SIGINT else (143,)
        strike = Strike(int(which), seconds)
        (outcome,) = yield [
            Command(words, "either", statuses=right, strike=strike, says=False, seconds=20.0, before=plainly)
        ]
        if words[0] != "train" or outcome.status == 0 or not (place / "new" / "config.json").exists():
            return []
        (outcome,) = yield [Command((*words, "--resume"), "accept", seconds=30.0, before=plainly)]
        return same(place / "new", fixture.folder / "done")

    return Case(KIND, f"{KIND}: {which.name} to {words[0]} after {seconds:.2f} s", script, 12)
