"""Our speed beside a peer's, both measured in the same run: ``python scripts/bench.py NAME [--json]``.

``nash-gap``  seconds for the exact Nash gap (NashConv) of random Tic-Tac-Toe policies that see the board, the same
              policies for everybody. Ours: two best responses over a ``GameGraph``. Peers: OpenSpiel's ``nash_conv``
              in Python (``openspiel-python``) and its C++ one called from Python (``openspiel-c++``), both on tables
              with one row per information state, which is how OpenSpiel keys them: one per history. ``gap`` is one
              evaluation; ``setup`` is what comes before the first one and is shared by later ones: building the graph,
              against listing the information states and filling a table of their kind. Translating our table to
              theirs is charged to nobody. ``same_result``: all values agree to 1e-9. One new policy per repeat; each
              peer evaluates it once, ours is the median of about a second of evaluations; figures are medians over
              policies.

``play``      moves per second of uniformly random play to the end of the game, without and with an observation for
              every mover. Ours: ``mail.data.rollout.random_moves`` on 4,096 games at once, so this is the speed of
              playing many games, not the delay of one move. Peers, one game at a time as they are used from Python:
              PettingZoo's AEC loop (its ``last()`` always observes and the legal moves are part of that, so one figure
              stands in both cases) and OpenSpiel states (observations written into one buffer, which is faster than
              ``observation_tensor``). Draws differ, so ``same_result`` is null. Contestants take turns; figures are
              medians over repeats.

``scaling``   what exact knowledge costs as boards grow, each size in a process of its own on one core: positions,
              seconds for the graph, for minimax and for the exact Nash gap of two default networks, peak memory
              (``bench_scaling.py`` says what each figure means). No peer keeps a graph; ``cited`` are published
              numbers of positions, ``same_result`` says that ours are those. ``--big`` adds Connect Four 5x5, some
              minutes; ``--table`` prints the README's table.

``explore``   games and labels per second of exploring Connect Four 6x7 against a solver, beside the same algorithm one
              board at a time through PettingZoo (``bench_explore.py`` says how); needs the solver extra.

``workers``   two Ray workers against one process, each kind of long work apart: labels, games, sweeps of gaps, walks of
              certificates (``bench_workers.py`` says how). ``peers`` is us with one worker. ``--quick`` is for trying
              it out: sizes at which workers cannot be worth it.

Ratios say how many times better ours is, whether the figure is a time or a rate. A further benchmark is one function
and one line in ``BENCHMARKS``.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table as Picture

import games
from games.base import Enumerable, Floats, Ints, NashmailError, Rng, Table
from mail.commands.usage import Parser
from mail.data.rollout import random_moves
from mail.parallel.streams import stream

T = TypeVar("T")
Figures = dict[str, float]  # case -> figure

SECONDS, RATE = "seconds", "moves/s"  # units; of times less is better, of rates more
MEGABYTES, POSITIONS = "MB", "positions"
TOLERANCE = 1e-9
BATCH = 4096  # games that random_moves plays at once


@dataclass(frozen=True)
class Settings:
    """How a benchmark is run."""

    seed: int = 0
    repeats: int | None = None
    """Measurements per contestant; None leaves it to the benchmark."""
    seconds: float = 1.0
    """How long one measurement of something fast goes on."""
    big: bool = False
    """Measure what takes minutes, too."""
    quick: bool = False
    """Measure at sizes that take seconds, to try it out."""


@dataclass(frozen=True)
class Result:
    """What a benchmark found."""

    ours: Figures
    peers: dict[str, Figures]
    units: dict[str, str]  # case -> unit
    repeats: int
    same_result: bool | None
    """Whether all contestants computed the same; None where that cannot be compared."""
    cited: dict[str, Figures] = field(default_factory=dict)
    """Figures that this run did not measure."""
    table: str = ""
    """The README's table, in Markdown."""

    def ratio(self) -> Figures:
        """{"case/peer": how many times better ours is}."""
        return {
            f"{case}/{peer}": figure / self.ours[case] if self.units[case] == SECONDS else self.ours[case] / figure
            for peer, figures in self.peers.items()
            for case, figure in figures.items()
        }


# --- nash-gap --------------------------------------------------------------------------------------------


def nash_gap(settings: Settings, *, ours: str = "tictactoe", theirs: str = "tic_tac_toe") -> Result:
    """The exact Nash gap of the same random policies by us and by OpenSpiel; ``theirs`` is its name of the game."""
    import pyspiel
    from open_spiel.python.algorithms.exploitability import nash_conv
    from open_spiel.python.policy import TabularPolicy

    repeats = settings.repeats or 2
    game, peer_game = _enumerable(ours), pyspiel.load_game(theirs)
    build_seconds, graph = _median_time(settings.seconds, games.GameGraph, game)
    note(f"graph of {len(graph):,} positions: {build_seconds:.3g} s")
    list_seconds, tabular = _time(TabularPolicy, peer_game)
    note(f"OpenSpiel's {len(tabular.states):,} information states: {list_seconds:.3g} s")
    rows = _rows(graph, [state.history() for state in tabular.states])  # [information states]

    evaluate_ours, evaluate_python, evaluate_c, fill_python, fill_c, same = [], [], [], [], [], True
    for shard in range(repeats):
        tables = _random_tables(graph, rng=stream(settings.seed, "bench/nash-gap", shard=shard))
        probabilities = (tables[0] + tables[1])[rows]  # one seat moves at a time: the other table's row is zero

        seconds, gap = _median_time(settings.seconds, _gap, graph, tables)
        evaluate_ours.append(seconds)
        note(f"policy {shard}: {gap:.12f} ours, {seconds:.3g} s")

        seconds, _ = _time(np.copyto, tabular.action_probability_array, probabilities)
        fill_python.append(seconds)
        seconds, python_gap = _time(nash_conv, peer_game, tabular)
        evaluate_python.append(seconds)
        note(f"policy {shard}: {python_gap:.12f} OpenSpiel in Python, {seconds:.3g} s")

        seconds, c_policy = _time(lambda: pyspiel.TabularPolicy(_legal_rows(tabular)))
        fill_c.append(fill_python[-1] + seconds)
        seconds, c_gap = _time(pyspiel.nash_conv, peer_game, c_policy)
        evaluate_c.append(seconds)
        note(f"policy {shard}: {c_gap:.12f} OpenSpiel in C++, {seconds:.3g} s")
        same = same and max(abs(gap - python_gap), abs(gap - c_gap)) <= TOLERANCE

    return Result(
        ours={"setup": build_seconds, "gap": median(evaluate_ours)},
        peers={
            "openspiel-python": {"setup": list_seconds + median(fill_python), "gap": median(evaluate_python)},
            "openspiel-c++": {"setup": list_seconds + median(fill_c), "gap": median(evaluate_c)},
        },
        units={"setup": SECONDS, "gap": SECONDS},
        repeats=repeats,
        same_result=bool(same),
    )


def _enumerable(name: str) -> Enumerable:
    game = games.make(name)
    assert isinstance(game, Enumerable), name
    return game


def _gap(graph: games.GameGraph, tables: tuple[Table, Table]) -> float:
    """NashConv: what both seats' best responses gain together (values are seat 0's)."""
    return graph.respond(0, tables[1]).value - graph.respond(1, tables[0]).value


def _random_tables(graph: games.GameGraph, *, rng: Rng) -> tuple[Table, Table]:
    """A policy for each seat [S, A], uniform on the simplex over the legal actions of every position."""
    weights = rng.exponential(size=graph.legal_mask.shape)

    def table(seat: int) -> Floats:
        masked = weights * graph.legal(seat)
        total = masked.sum(1, keepdims=True)
        return np.asarray(np.divide(masked, total, out=np.zeros_like(masked), where=total > 0))

    return table(0), table(1)


def _rows(graph: games.GameGraph, histories: Sequence[Sequence[int]]) -> Ints:
    """The graph's row of the position after each history, by replaying all of them at once."""
    rng = np.random.default_rng(0)  # boards draw nothing
    moves = np.full((len(histories), graph.game.spec.longest), -1, dtype=np.int64)  # [N, longest]
    for row, history in enumerate(histories):
        moves[row, : len(history)] = history
    states = graph.game.start(len(histories), rng=rng)
    for ply, column in enumerate(moves.T):
        going = np.flatnonzero(column >= 0)
        actions = np.full((len(going), 2), -1, dtype=np.int64)
        actions[:, ply % 2] = column[going]
        states[going] = graph.game.step(states[going], actions, rng=rng)[0]
    return graph.index(states)


def _legal_rows(tabular: Any) -> dict[str, list[tuple[int, float]]]:
    """OpenSpiel's Python table as the C++ one takes it: legal actions with their probabilities."""
    lists = tabular.action_probability_array.tolist()
    masks = tabular.legal_actions_mask.tolist()
    return {
        key: [(action, p) for action, (p, legal) in enumerate(zip(lists[row], masks[row], strict=True)) if legal]
        for key, row in tabular.state_lookup.items()
    }


# --- play ------------------------------------------------------------------------------------------------


def play(settings: Settings, *, batch: int = BATCH) -> Result:
    """Moves per second of random play, without and with observations: us, PettingZoo, OpenSpiel."""
    repeats = settings.repeats or 3
    contestants: dict[tuple[str, str], Callable[[], int]] = {}  # (case, who) -> play some games, count the moves
    for name, zoo, spiel in (
        ("tictactoe", "classic/tictactoe-v3", "tic_tac_toe"),
        ("connect4", "classic/connect_four-v3", "connect_four"),
    ):
        contestants[name, "pettingzoo"] = _pettingzoo(zoo, settings.seed)
        for case, observe in ((name, False), (f"{name}+observe", True)):
            contestants[case, "ours"] = _ours(name, settings.seed, batch, observe=observe)
            contestants[case, "openspiel"] = _openspiel(spiel, settings.seed, observe=observe)

    rates: dict[tuple[str, str], list[float]] = {key: [] for key in contestants}
    for some_games in contestants.values():
        some_games()  # caches and lazy imports are not what is measured
    for repeat in range(repeats):
        for (case, who), some_games in contestants.items():
            rates[case, who].append(_rate(some_games, settings.seconds))
            note(f"repeat {repeat}: {case}, {who}: {rates[case, who][-1]:,.0f} moves/s")
    figures = {key: median(found) for key, found in rates.items()}
    cases = [case for case, who in contestants if who == "ours"]
    return Result(
        ours={case: figures[case, "ours"] for case in cases},
        peers={
            "pettingzoo": {case: figures[case.removesuffix("+observe"), "pettingzoo"] for case in cases},
            "openspiel": {case: figures[case, "openspiel"] for case in cases},
        },
        units=dict.fromkeys(cases, RATE),
        repeats=repeats,
        same_result=None,
    )


def _ours(name: str, seed: int, batch: int, *, observe: bool) -> Callable[[], int]:
    game, rng = games.make(name), stream(seed, "bench/play")
    return lambda: random_moves(game, batch, rng=rng, observe=observe)


def _pettingzoo(name: str, seed: int) -> Callable[[], int]:
    """One game in the AEC loop; the steps of agents that are already out (action None) are spared."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pettingzoo

    env, draw = pettingzoo.make("aec", name), random.Random(seed).random
    env.reset(seed=seed)

    def one_game() -> int:
        env.reset()
        moves = 0
        while True:
            observation, _, terminated, truncated, _ = env.last()
            if terminated or truncated:
                return moves
            legal = np.flatnonzero(observation["action_mask"])
            env.step(int(legal[int(draw() * len(legal))]))
            moves += 1

    return one_game


def _openspiel(name: str, seed: int, *, observe: bool) -> Callable[[], int]:
    """Twenty games."""
    import pyspiel
    from open_spiel.python.observation import make_observation

    game, draw = pyspiel.load_game(name), random.Random(seed).random
    see = make_observation(game).set_from

    def some_games() -> int:
        moves = 0
        for _ in range(20):
            state = game.new_initial_state()
            while not state.is_terminal():
                legal = state.legal_actions()
                if observe:
                    see(state, state.current_player())
                state.apply_action(legal[int(draw() * len(legal))])
                moves += 1
        return moves

    return some_games


# --- scaling ---------------------------------------------------------------------------------------------


def scaling(settings: Settings, *, sizes: Sequence[str] | None = None) -> Result:
    """What exact knowledge costs, size by size; ``repeats`` does not apply, times are medians over ``seconds``."""
    import bench_scaling as work

    chosen = sizes if sizes is not None else work.SIZES + (work.BIG if settings.big else ())
    found: dict[str, Figures] = {}
    for name in chosen:
        found[name] = work.measured(name, seed=settings.seed, seconds=settings.seconds)
        note(f"{name}: " + ", ".join(f"{_figure(figure)} {case}" for case, figure in found[name].items()))
    units = {**dict.fromkeys(work.SECONDS, SECONDS), **dict.fromkeys(work.MEGABYTES, MEGABYTES)}
    ours = {f"{name}/{case}": figure for name, figures in found.items() for case, figure in figures.items()}
    known = {f"{name}/all positions": float(work.KNOWN[name]) for name in chosen if name in work.KNOWN}
    return Result(
        ours=ours,
        peers={},
        units={case: units.get(case.partition("/")[2], POSITIONS) for case in ours},
        repeats=1,
        same_result=all(ours[case] == figure for case, figure in known.items()),
        cited={"published": known},
        table=work.markdown(found),
    )


# --- explore ---------------------------------------------------------------------------------------------


def explore(settings: Settings) -> Result:
    """Exploration of 6x7 with a solver as the expert, by us and through PettingZoo."""
    import bench_explore as work

    return Result(**work.measured(settings.seed, settings.repeats))


# --- workers ---------------------------------------------------------------------------------------------


def workers(settings: Settings) -> Result:
    """Two Ray workers against this process alone."""
    import bench_workers as work

    return Result(**work.measured(settings.seed, settings.repeats, quick=settings.quick))


# --- clocks ----------------------------------------------------------------------------------------------


def _time(function: Callable[..., T], *args: Any) -> tuple[float, T]:
    """Seconds of one call, and what it returned."""
    start = time.perf_counter()
    result = function(*args)
    return time.perf_counter() - start, result


def _median_time(seconds: float, function: Callable[..., T], *args: Any) -> tuple[float, T]:
    """Median seconds of a call over about this long, five calls at least, and what the last one returned."""
    times: list[float] = []
    function(*args)
    stop = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < stop:
        elapsed, result = _time(function, *args)
        times.append(elapsed)
    return median(times), result


def _rate(some: Callable[[], int], seconds: float) -> float:
    """What is counted per second, over about this long."""
    start = now = time.perf_counter()
    count = 0
    while count == 0 or now - start < seconds:
        count += some()
        now = time.perf_counter()
    return count / (now - start)


# --- the command -----------------------------------------------------------------------------------------

BENCHMARKS: dict[str, Callable[[Settings], Result]] = {
    "nash-gap": nash_gap,
    "play": play,
    "scaling": scaling,
    "explore": explore,
    "workers": workers,
}


def note(line: str) -> None:
    """Progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


def picture(name: str, result: Result) -> Picture:
    """The figures as a table: one line per case, each peer followed by the ratio."""
    units = set(result.units.values())
    table = Picture(title=f"{name}: {', '.join(sorted(units))} (ratio: how many times better ours is)")
    table.add_column("case", no_wrap=True)
    for title in ("ours", *(title for peer in result.peers for title in (peer, "ratio"))):
        table.add_column(title, justify="right", no_wrap=True)
    ratio = result.ratio()
    for case, figure in result.ours.items():
        cells = [case if len(units) == 1 else f"{case}, {result.units[case]}", _figure(figure)]
        for peer, figures in result.peers.items():
            there = case in figures
            cells += [_figure(figures[case]), _figure(ratio[f"{case}/{peer}"])] if there else ["-", "-"]
        table.add_row(*cells)
    same = {True: "yes", False: "NO", None: "not comparable"}[result.same_result]
    table.caption = f"same result: {same}; repeats: {result.repeats}"
    return table


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _settings(argv: Sequence[str] | None) -> tuple[str, str, Settings]:
    """The benchmark's name, how to print its result (``json``, ``table`` or ``picture``), and how to run it."""
    names = ", ".join(sorted(BENCHMARKS))
    parser = Parser(prog="bench.py", description="Measure our speed beside a peer's in one run.")
    parser.add_argument("name", metavar="NAME", help=f"one of: {names}")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output and nothing else")
    parser.add_argument("--table", action="store_true", help="the README's table instead of a picture (scaling)")
    parser.add_argument("--big", action="store_true", help="measure what takes minutes, too (scaling)")
    parser.add_argument("--quick", action="store_true", help="sizes that take seconds, to try it out (workers)")
    parser.add_argument("--repeat", type=int, metavar="K", help="measurements per contestant (default 2 or 3)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="policies and draws (default 0)")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="T", help="length of a measurement (default 1)")
    args = parser.parse_args(argv)
    if args.name not in BENCHMARKS:
        parser.error(f"no benchmark is called {args.name!r}; the benchmarks are: {names}")
    if args.repeat is not None and args.repeat < 1:
        parser.error(f"--repeat is at least 1, not {args.repeat}")
    if args.seed < 0:
        parser.error(f"--seed is a whole number from 0 on, not {args.seed}")
    if not 0 < args.seconds < float("inf"):
        parser.error(f"--seconds is above 0, not {args.seconds}")
    if args.name != "scaling" and (args.table or args.big):
        parser.error("--table and --big are for scaling; leave them out")
    if args.name != "workers" and args.quick:
        parser.error("--quick is for workers; leave it out")
    how = "json" if args.json else "table" if args.table else "picture"
    return args.name, how, Settings(args.seed, args.repeat, args.seconds, args.big, args.quick)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one benchmark and print what it found; the exit status."""
    name, how, settings = _settings(argv)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # whatever a peer prints is progress
            result = BENCHMARKS[name](settings)
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
