"""Hundreds of bad inputs and faults, and the command's reaction: ``python scripts/attack.py [--only KIND]``.

Every case runs a command with a fault: in its arguments, a game's name, a file of a run, a table, a saved game, the
label cache, the terminal, memory, the disk or the working directory; or a process that is killed, receives a signal, or
is not alone. Right is one line on standard error with exit status 2, or the result of the undisturbed command. Bad is a
traceback or a warning, more than one line, another exit status, death by a signal, a timeout, control characters in the
output, too much memory, a wrong input that is accepted (or misread), a file left incomplete, and a process left behind.

Prints a table of the kinds, and each bad case with the command that repeats it; exit status 1 if there is one.
``--case NAME`` runs one case and prints its output. The same seed gives the same faults.
"""

from __future__ import annotations

import os

for library in ("OMP", "OPENBLAS", "MKL"):  # before numpy is loaded: this process is copied, so it must have no threads
    os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
import gc
import importlib
import json
import pkgutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from attacks.fixture import Case, Fixture, play_out, prepare
from attacks.running import Outcome

KINDS = ("words", "names", "runs", "rounds", "files", "tables", "saved", "around", "kills", "clusters")
"""Modules of ``attacks`` with ``cases(fixture, rng) -> list of cases``, the slowest last."""
HEAVY = ("numpy", "scipy.optimize", "scipy.sparse", "torch", "safetensors.numpy", "rich.status", "matplotlib.figure")
SLOW = ("matplotlib.backends.backend_agg", "pyspiel", "pettingzoo.classic")
"""Other modules to import beforehand, if installed; our own are imported except those that import Ray."""


@dataclass(frozen=True)
class CaseResult:
    """A case, and its faults."""

    case: Case
    bad: list[str]
    outcomes: list[Outcome]
    seconds: float


def attack(
    cases: Sequence[Case], fixture: Fixture, folder: Path, *, jobs: int, seconds: float
) -> Iterator[CaseResult | None]:
    """Run all cases, up to ``jobs`` at once, and yield each result; None for a case without time left."""
    begun, waiting = time.monotonic(), list(enumerate(cases))[::-1]
    active: list[tuple[Case, Iterator[list[tuple[Outcome | None, list[str]]]], float, Path]] = []
    while waiting or active:
        while waiting and len(active) < jobs:
            number, case = waiting.pop()
            if time.monotonic() - begun > seconds:
                yield None
                continue
            place = folder / f"case-{number}" / "here"
            active.append((case, play_out(case, place, fixture), time.monotonic(), place))
        for one in list(active):
            case, steps, since, place = one
            if found := next(steps):
                active.remove(one)
                bad = [word for _, words in found for word in words]
                yield CaseResult(case, bad, [outcome for outcome, _ in found if outcome], time.monotonic() - since)
        time.sleep(0.003)


def preload() -> Callable[[list[str]], int]:
    """Import all that commands import, so that copies of this process start at once; return the command."""
    for name in (*HEAVY, *SLOW):
        with suppress(ImportError):
            importlib.import_module(name)
    for package in ("games", "agents", "mail"):
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            if "ray" not in module.name and not {"loaders", "__main__"} & set(module.name.split(".")):
                with suppress(ImportError):  # an extra that is not installed
                    importlib.import_module(module.name)
    import torch

    from mail import start

    def main(words: list[str]) -> int:
        sys.argv = ["nashmail", *words]
        return start.main()

    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()
    return main


def gather(only: str | None, fixture: Fixture, seed: int) -> list[Case]:
    """The cases of the selected kinds."""
    import numpy as np

    cases: list[Case] = []
    for number, kind in enumerate(KINDS):
        if only in (None, kind):
            rng = np.random.default_rng([seed, number])
            cases += importlib.import_module(f"attacks.{kind}").cases(fixture, rng)
    return cases


def thinned(cases: list[Case], most: int | None) -> list[Case]:
    """At most so many of the cases, evenly spread."""
    if most is None or most >= len(cases):
        return cases
    return [cases[index * len(cases) // most] for index in range(most)]


def table(results: Sequence[CaseResult]) -> list[str]:
    """The table: kinds, cases, bad cases, seconds."""
    lines = [f"{'kind':12}{'cases':>8}{'badly':>8}{'seconds':>10}"]
    for kind in [*dict.fromkeys(one.case.kind for one in results), "all"]:
        mine = [one for one in results if kind in (one.case.kind, "all")]
        badly, seconds = sum(bool(one.bad) for one in mine), sum(one.seconds for one in mine)
        lines.append(f"{kind:12}{len(mine):8}{badly:8}{seconds:10.1f}")
    return lines


def said(one: CaseResult, seed: int) -> list[str]:
    """A bad case: its faults, the command, and how to repeat it."""
    if not one.bad:
        return []
    words = "; ".join(outcome.command.shell() for outcome in one.outcomes[:2])
    again = f"python scripts/attack.py --seed {seed} --case {json.dumps(one.case.name)}"
    return [f"{one.case.name} (point {one.case.point}): {'; '.join(one.bad)}", f"    {words}", f"    {again}", ""]


def transcript(one: CaseResult) -> list[str]:
    """The output of its commands, with control characters as escapes."""
    lines = []
    for outcome in one.outcomes:
        lines.append(f"$ {outcome.command.shell()}   [{outcome.status}, {outcome.seconds:.1f} s, {outcome.memory} MiB]")
        printed = (outcome.out + outcome.err).decode("utf-8", "replace")[:6000]
        lines += [ascii(line)[1:-1] for line in printed.splitlines()]
    return [*lines, ""]


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="attack.py", description="Bad inputs and faults, and how they are answered.")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of random faults (default: 0)")
    parser.add_argument("--only", choices=KINDS, metavar="KIND", help=f"one kind: {', '.join(KINDS)}")
    parser.add_argument("--case", metavar="NAME", help="cases whose name contains this; prints their output")
    parser.add_argument("--most", type=int, metavar="N", help="at most N cases, evenly spread (default: all)")
    parser.add_argument("--quick", action="store_true", help="skip cases that take seconds: Ray, new Pythons, hangs")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="cases at once (default: 2)")
    parser.add_argument("--seconds", type=float, default=280.0, metavar="T", help="start no case later (default: 280)")
    parser.add_argument(
        "--patience", type=float, default=1.0, metavar="F", help="factor of every case's time limit (default: 1)"
    )
    parser.add_argument("--list", action="store_true", help="list the cases and exit")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    args = arguments(argv)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nashmail-attack-") as name:
        folder = Path(name).resolve()
        os.environ["NASHMAIL_CACHE"], os.environ["HOME"] = str(folder / "cache"), str(folder)
        for variable in ("FORCE_COLOR", "COLUMNS", "LINES", "NO_COLOR", "PYTHONUNBUFFERED"):
            os.environ.pop(variable, None)
        fixture = prepare(folder, preload(), args.patience)
        cases = gather(args.only, fixture, args.seed)
        if args.case is not None:
            cases = [case for case in cases if args.case in case.name]
        cases = thinned([case for case in cases if not (args.quick and case.slow)], args.most)
        if args.list:
            print("\n".join(f"{case.kind}: {case.name}" for case in cases))
            return 0
        ended: list[CaseResult | None] = []
        for one in attack(cases, fixture, folder, jobs=args.jobs, seconds=args.seconds):
            ended.append(one)
            if one and not args.json:
                print(
                    "\n".join([*(transcript(one) if args.case is not None else ()), *said(one, args.seed)]),
                    end="",
                    flush=True,
                )
    found = sorted((one for one in ended if one), key=lambda one: KINDS.index(one.case.kind))
    bad = [one for one in found if one.bad]
    if args.json:
        rows = [{"kind": one.case.kind, "case": one.case.name, "point": one.case.point, "bad": one.bad} for one in bad]
        print(json.dumps({"cases": len(found), "left_out": ended.count(None), "badly": rows}))
        return bool(bad)
    print("\n".join(table(found)))
    if ended.count(None):
        print(f"{ended.count(None)} cases were skipped for lack of time")
    print(f"seed {args.seed}, {time.monotonic() - begun:.0f} s")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
