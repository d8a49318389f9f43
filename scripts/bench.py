"""Our speed beside a peer's, both measured in the same run: ``python scripts/bench.py NAME [--json]``.

``nash-gap``  the exact Nash gap of random Tic-Tac-Toe policies: us, OpenSpiel in Python, OpenSpiel in C++
``play``      moves per second of random play: us, PettingZoo, OpenSpiel, and pgx with ``--pgx PYTHON``
``cfr``       CFR+ and exact Nash gaps of Leduc poker: us, OpenSpiel in Python, OpenSpiel in C++
``scaling``   what exact knowledge costs as boards grow; ``--big`` adds Connect Four 5x5, some minutes; ``--table``
              prints the table of docs/connect4.md
``explore``   exploring Connect Four 6x7 against a solver: us, PettingZoo; needs the solver extra
``workers``   two Ray workers against one process; ``--quick`` takes sizes that take seconds
``clone``     labels cloned per second at equal error: n-tuples, a convolutional network; ``--quick`` as above

Each is a module of ``benchmarks`` that says what its figures mean and how they are measured. Ratios say how many times
better ours is, whether the figure is a time or a rate. A further benchmark is one module with
``run(settings) -> Result`` and its name in ``NAMES``.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as Picture

from benchmarks.results import Result, Settings, note, three_digits
from games.base import NashmailError
from mail.commands.line.usage import Parser

NAMES = ("nash-gap", "play", "cfr", "scaling", "explore", "workers", "clone")


def measured(name: str, settings: Settings) -> Result:
    """What a benchmark finds. ModuleNotFoundError where a peer is not installed."""
    result: Result = importlib.import_module(f"benchmarks.{name.replace('-', '_')}").run(settings)
    return result


def picture(name: str, result: Result) -> Picture:
    """The figures as a table: one line per case, each peer followed by the ratio."""
    units = set(result.units.values())
    table = Picture(title=f"{name}: {', '.join(sorted(units))} (ratio: how many times better ours is)")
    table.add_column("case", no_wrap=True)
    for title in ("ours", *(title for peer in result.peers for title in (peer, "ratio"))):
        table.add_column(title, justify="right", no_wrap=True)
    ratio = result.ratio()
    for case, figure in result.ours.items():
        cells = [case if len(units) == 1 else f"{case}, {result.units[case]}", _short(figure)]
        for peer, figures in result.peers.items():
            there = case in figures
            cells += [_short(figures[case]), three_digits(ratio[f"{case}/{peer}"])] if there else ["-", "-"]
        table.add_row(*cells)
    same = {True: "yes", False: "NO", None: "not comparable"}[result.same_result]
    table.caption = f"same result: {same}; repeats: {result.repeats}"
    return table


def _short(figure: float) -> str:
    """A figure with three digits, so that the peers of ``play`` fit 80 columns."""
    if figure >= 1e4:
        return f"{figure / 1e6:.3g} M" if figure >= 1e6 else f"{figure / 1e3:.3g} k"
    return three_digits(figure)


def _settings(argv: Sequence[str] | None) -> tuple[str, str, Settings]:
    """The benchmark's name, how to print its result (``json``, ``table`` or ``picture``), and how to run it."""
    names = ", ".join(sorted(NAMES))
    parser = Parser(prog="bench.py", description="Measure our speed beside a peer's in one run.")
    parser.add_argument("name", metavar="NAME", help=f"one of: {names}")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output and nothing else")
    parser.add_argument("--table", action="store_true", help="the page's table instead of a picture (scaling)")
    parser.add_argument("--big", action="store_true", help="measure what takes minutes, too (scaling)")
    parser.add_argument("--quick", action="store_true", help="sizes that take seconds, to try it out (workers, clone)")
    parser.add_argument("--repeat", type=int, metavar="K", help="measurements per contestant (default 2 or 3)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="policies and draws (default 0)")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="T", help="length of a measurement (default 1)")
    parser.add_argument("--pgx", metavar="PYTHON", help="a Python that has pgx and jax, to measure them, too (play)")
    args = parser.parse_args(argv)
    if args.name not in NAMES:
        parser.error(f"no benchmark is called {args.name!r}; the benchmarks are: {names}")
    if args.repeat is not None and args.repeat < 1:
        parser.error(f"--repeat is at least 1, not {args.repeat}")
    if args.seed < 0:
        parser.error(f"--seed is a whole number from 0 on, not {args.seed}")
    if not 0 < args.seconds < float("inf"):
        parser.error(f"--seconds is above 0, not {args.seconds}")
    if args.name != "scaling" and (args.table or args.big):
        parser.error("--table and --big are for scaling; leave them out")
    if args.name not in ("workers", "clone") and args.quick:
        parser.error("--quick is for workers and clone; leave it out")
    if args.name != "play" and args.pgx is not None:
        parser.error("--pgx is for play; leave it out")
    how = "json" if args.json else "table" if args.table else "picture"
    return args.name, how, Settings(args.seed, args.repeat, args.seconds, args.big, args.quick, args.pgx)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one benchmark and print what it found; the exit status."""
    name, how, settings = _settings(argv)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # whatever a peer prints is progress
            result = measured(name, settings)
    except ModuleNotFoundError as error:
        note(f"bench.py: {name} measures peers and needs {error.name}; run pip install -e . in the clone")
        return 2
    except NashmailError as error:
        note(f"bench.py: {error}")
        return 2
    if how == "table":
        print(result.table)
    elif how == "json":
        found = {
            "ours": result.ours,
            "peers": result.peers,
            "ratio": result.ratio(),
            "same_result": result.same_result,
            "cited": result.cited,
            "units": result.units,
            "seed": settings.seed,
            "repeats": result.repeats,
        }
        print(json.dumps(found, allow_nan=False))
    else:
        Console().print(picture(name, result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
