"""The inputs of attacks: small runs, saved games and tables, made once and copied for every case."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from attacks.judging import judge, measured, snapshot
from attacks.running import Command, Outcome, Running

GAME = "tictactoe:2x3:2"
TRAIN = ("train", GAME, "--seed", "1", "--episodes", "4", "--learner", "mail,bc-linear")
SAVED = f"nashmail game 1\ngame: {GAME}\nseat 0: human\nseat 1: random\nseed: 4\nresult: 1\n\n1. 1\n2. 6\n3. 2\n"
"""A short game that seat 0 wins."""
Script = Generator[list[Command], list[Outcome], list[str]]


@dataclass(frozen=True)
class Case:
    """One bad input or fault: a generator that yields commands, receives their outcomes, and returns complaints."""

    kind: str
    name: str
    script: Callable[[Path, Fixture], Script]
    point: int
    """The promise that it tests, for sorting."""
    slow: bool = False
    """Whether it takes seconds, for example because it starts Python or Ray."""


@dataclass
class Fixture:
    """The paths of all inputs, and the results of undisturbed commands."""

    folder: Path
    main: Callable[[list[str]], int]
    expected: dict[tuple[str, ...], Any] = field(default_factory=dict)
    number: int = 0
    patience: float = 1.0
    """The factor of commands' time limits."""

    def copy(self, name: str, to: Path) -> Path:
        """A copy of a template."""
        source = self.folder / name
        if source.is_dir():
            shutil.copytree(source, to, symlinks=True)
        else:
            shutil.copyfile(source, to)
        return to

    def start(self, command: Command, place: Path) -> Running:
        self.number += 1
        return Running(command, place, self.main, self.number, self.patience)

    def run(self, command: Command, place: Path) -> Outcome:
        """Run the command to its end."""
        running = self.start(command, place)
        while (outcome := running.poll()) is None:
            time.sleep(0.005)
        return outcome


def prepare(folder: Path, main: Callable[[list[str]], int], patience: float = 1.0) -> Fixture:
    """Train the runs to attack, and run undisturbed commands. RuntimeError if one fails."""
    fixture = Fixture(folder / "templates", main, patience=patience)
    fixture.folder.mkdir(parents=True)
    (fixture.folder / "game.txt").write_text(SAVED)
    others = [SAVED.replace("1. 1\n2. 6\n3. 2\n", moves) for moves in ("1. 2\n2. 4\n3. 3\n", "1. 5\n2. 1\n3. 6\n")]
    for number, text in enumerate(others):
        (fixture.folder / f"game{number}.txt").write_text(text)
    games = ("train", GAME, "--seed", "2", "--from-games", "game.txt", "game0.txt", "game1.txt")
    made = [
        Command((*TRAIN, "--out", "done"), "accept", seconds=120, before=plainly),
        Command(
            (*TRAIN, "--out", "part"), "either", seconds=120, before=_stop_before_the_end, statuses=(77,), says=False
        ),
        Command((*games, "--out", "cloned"), "accept", seconds=120, before=plainly),
        Command(
            (*games, "--out", "storing"), "either", seconds=120, before=_stop_before_the_end, statuses=(77,), says=False
        ),
        Command(
            ("train", "rps", "--episodes", "4", "--learner", "mail-tabular", "--out", "markov"),
            "accept",
            seconds=120,
            before=plainly,
        ),
    ]
    running = [fixture.start(command, fixture.folder) for command in made]
    for one in running:
        while (outcome := one.poll()) is None:
            time.sleep(0.01)
        if outcome.status not in (0, 77):
            raise RuntimeError(f"{outcome.command.shell()}: {outcome.err.decode()[-500:]}")
    _tables(fixture)
    return fixture


def plainly() -> None:
    """Skip the drawing of figures and most training of networks, the slowest parts of a small run."""
    from mail.clone import presets

    presets.SMALL = replace(presets.SMALL, clone=replace(presets.SMALL.clone, max_steps=12))

    def savefig(self: Figure, buffer: BytesIO, **words: object) -> None:
        buffer.write(b"no figure")

    Figure.savefig = savefig  # type: ignore[method-assign,assignment]


def _stop_before_the_end() -> None:
    """The files after a kill just before the result is written."""
    from mail.training.folder import Run

    plainly()

    def stop(*args: object, **words: object) -> None:
        os._exit(77)

    Run.finish = stop  # type: ignore[method-assign]


def _tables(fixture: Fixture) -> None:
    """The uniform policy as a table in both forms."""
    from agents.storage.tables import write_table

    def work() -> None:
        from agents.policy import Uniform
        from games.graph import GameGraph
        from games.registry import make

        model = GameGraph(make(GAME))  # type: ignore[arg-type]
        for kind in ("csv", "json"):
            write_table(fixture.folder / f"table.{kind}", Uniform(), model)

    if pid := os.fork():
        if os.waitpid(pid, 0)[1]:
            raise RuntimeError("no tables could be written")
        return
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def simple(
    kind: str,
    name: str,
    point: int,
    command: Command,
    prepare: Callable[[Path, Fixture], object] = lambda place, fixture: None,
    check: Callable[[Path, Fixture, Outcome], list[str]] = lambda place, fixture, outcome: [],
) -> Case:
    """A case of one command: prepare its folder, run it, and check what it did."""

    def script(place: Path, fixture: Fixture) -> Script:
        prepare(place, fixture)
        (outcome,) = yield [command]
        return check(place, fixture, outcome)

    return Case(kind, name, script, point, slow=bool(command.own))


def play_out(case: Case, place: Path, fixture: Fixture) -> Iterator[list[tuple[Outcome | None, list[str]]]]:
    """Run a case step by step; yields empty lists while it runs, then its faults, command by command."""
    place.mkdir(parents=True)
    script = case.script(place, fixture)
    found: list[tuple[Outcome | None, list[str]]] = []
    outcomes: list[Outcome] = []
    commands = next(script)
    while True:
        before = snapshot(place)
        running = [fixture.start(command, place) for command in commands]
        ended: list[Outcome | None] = [None] * len(running)
        while None in ended:
            for index, one in enumerate(running):
                if ended[index] is None:
                    ended[index] = one.poll()
            yield []
        outcomes = [outcome for outcome in ended if outcome is not None]
        after = snapshot(place)
        for outcome in outcomes:
            alone = after if len(outcomes) == 1 else before
            found.append((outcome, judge(outcome, before, alone)))
        try:
            commands = script.send(outcomes)
        except StopIteration as end:
            found.append((None, list(end.value or [])))
            yield found
            return


def quietly(command: Command, **changes: Any) -> Command:
    """The command with another environment."""
    return replace(command, **changes)


def answers(fixture: Fixture, words: tuple[str, ...], outcome: Outcome) -> list[str]:
    """Whether an accepted command gives the same result as the undisturbed one."""
    if outcome.status != 0 or words not in fixture.expected:
        return []
    return (
        [] if (measured(outcome.out) or outcome.out) == fixture.expected[words] else ["accepted, with another answer"]
    )
