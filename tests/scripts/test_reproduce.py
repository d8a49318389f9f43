"""The figures' command and the measures behind them: the proxy, intervals, and the wait for coverage."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from agents import expert
from agents.policy import Policy, Uniform, uniform_rows
from agents.tabular import from_model
from games import Game, GameGraph
from games.base import Floats, States
from mail.data.decisions import Decisions
from mail.data.rollout import play
from mail.evaluation.coverage import CoverageBounds
from mail.evaluation.gap import exploitability
from mail.learners.budget import Budget
from mail.parallel.pool import Local, Pool, PoolError
from mail.parallel.ray import RayPool
from mail.parallel.streams import stream
from mail.training.context import GameContext
from tests.support import graph, random_profile, reloaded

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def reproduce(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("reproduce")


@pytest.fixture
def figure(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("figure_tictactoe")


@pytest.fixture
def over_seeds(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("over_seeds")


@pytest.fixture
def asks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("figure_asks")


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("asking")


# --- the command -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nosuch"], "no figure is called 'nosuch'; there are: .*tictactoe"),
        (["tictactoe", "--seeds", "1"], "--seeds must be at least 2 .*not 1"),
        (["tictactoe", "--seeds", "0"], "--seeds must be at least 2 .*not 0"),
        (["tictactoe", "--seeds", "-5"], "--seeds must be at least 2 .*not -5"),
        (["chain", "--workers", "0"], "--workers must be at least 1, not 0"),
        (["chain", "--ray-address", "nowhere"], "a Ray address is HOST:PORT, not 'nowhere'"),
        (["chain", "--redraw"], "there is no chain.json in .* to redraw"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    words: list[str], says: str, reproduce: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reproduce.main([*words, "--out", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert re.search(says, err)
    assert list(tmp_path.iterdir()) == []


def test_a_figure_is_made_by_its_module(
    reproduce: ModuleType, figure: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, Path, type]] = []
    monkeypatch.setattr(figure, "make", lambda seeds, out, pool: made.append((seeds, out, type(pool))))
    assert reproduce.main(["tictactoe", "--seeds", "3", "--out", str(tmp_path)]) == 0
    assert reproduce.main(["tictactoe", "--seeds", "3", "--out", str(tmp_path), "--workers", "2"]) == 0
    assert made == [(3, tmp_path, Local), (3, tmp_path, RayPool)]


def test_a_cell_that_fails_is_one_line(
    reproduce: ModuleType, asks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """And what landed before it stays."""
    monkeypatch.setattr(asks, "GAMES", ("tictactoe",))
    monkeypatch.setattr(asks, "run", Runs(dies_at=2, error=ValueError("no\nluck")))
    words = ["asks", "--seeds", "2", "--out", str(tmp_path)]
    assert reproduce.main(words) == 2
    assert capsys.readouterr().err.splitlines()[2:] == ["reproduce.py: shard 3 of 48 failed: ValueError: no luck"]
    assert len(list((tmp_path / "asks-cells").iterdir())) == 2
    with pytest.raises(PoolError):
        reproduce.main([*words, "--debug"])


# --- whoever works ---------------------------------------------------------------------------------------


class Elsewhere(Local):
    """Shards in reverse order, each with what a process of its own would receive, and its result sent back."""

    def map(self, task: Any, shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> list[Any]:
        found: dict[int, Any] = {}
        for index in reversed(range(len(shards))):
            found[index] = reloaded(reloaded(task)(reloaded(shared), reloaded(shards[index])))
            if on_result is not None:
                on_result(index, found[index])
        return [found[index] for index in range(len(shards))]


CLOCKS = ("seconds", "seconds_per_seed", "seconds_per_game")


def untimed(value: Any) -> Any:
    """The data without the clock's."""
    if isinstance(value, dict):
        return {key: untimed(part) for key, part in value.items() if key not in CLOCKS}
    return [untimed(part) for part in value] if isinstance(value, list) else value


SMALL: dict[str, dict[str, Any]] = {
    "chain": {"LENGTHS": (4, 8)},
    "concentrability": {"DELTAS": (0.5,), "GAMES": 4},
    "dimension": {"STATES": (50,), "DIMENSIONS": (5,), "FIXED_STATES": 60, "GAP": 9.0, "COSTED": 1},
    "linear": {"KINDS": ("BC", "uniform"), "residuals": dict, "draw": lambda data: b""},
    "offline-limits": {},
    "rates": {"BUDGETS": (2, 4)},
    "asks": {"GAMES": ("tictactoe",), "EXPLORERS": ("expert",)},
    "connect4-exact": {
        "BOARDS": ("connect4:3x3:3",),
        "LINES": ("bc first",),
        "GROWTH": {"connect4:3x3:3": 1 / 2},
        "SEEDS": {"connect4:3x3:3": {"bc first": 1}},
    },
    "tictactoe": {
        "METHODS": ("mail uniform",),
        "COLOURS": ("mail uniform",),
        "BUDGETS": ((4,), (4,)),
        "COVER_LIMIT": 8,
        "Budget": lambda episodes=8: Budget(episodes),
    },
}
"""What makes each figure small; of a table, the rows that are left."""


def small(name: str, pool: Pool, out: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The data of a small figure, without the clock's."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = importlib.import_module(f"figure_{name.replace('-', '_')}")
    with monkeypatch.context() as patch:
        for word, value in SMALL[name].items():
            whole = getattr(module, word)
            rows = isinstance(whole, dict) and isinstance(value, tuple)
            patch.setattr(module, word, {row: whole[row] for row in value} if rows else value)
        module.make(2, out, pool)
    return untimed(json.loads((out / f"{name}.json").read_bytes()))


@pytest.mark.parametrize("name", SMALL)
def test_a_figure_is_the_same_whoever_works(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any order, and with everything sent there and back."""
    here = small(name, Local(), tmp_path / "here", monkeypatch)
    assert small(name, Elsewhere(), tmp_path / "elsewhere", monkeypatch) == here
    assert here["seeds"] == 2


@pytest.mark.parametrize("name", ["asks", "connect4-exact"])
def test_a_figure_goes_on_from_its_data(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells that an earlier JSON holds are not run again, nor are those that a killed figure left as files."""

    class Idle(Local):
        def map(self, task: Any, shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> list[Any]:
            assert not shards, "nothing is left to run"
            return []

    whole = small(name, Local(), tmp_path / "first", monkeypatch)
    (tmp_path / "second").mkdir()
    data = (tmp_path / "first" / f"{name}.json").read_bytes()
    (tmp_path / "second" / f"{name}.json").write_bytes(data)
    assert small(name, Idle(), tmp_path / "second", monkeypatch) == whole
    assert (tmp_path / "second" / f"{name}.json").read_bytes() == data
    (tmp_path / "first" / f"{name}.json").unlink()
    assert small(name, Idle(), tmp_path / "first", monkeypatch) == whole


def test_thinned_notes_keep_what_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = importlib.import_module("figure_connect4_exact")
    notes = [{"asks": n, "greedy": 0.0 if n >= 411 else 1.0, "soft": 0.02 if n >= 502 else 1.0} for n in range(1, 600)]
    found = [note["asks"] for note in module.thinned(notes)]
    assert found[0] == 1 and found[-1] == 599
    assert 411 in found and 502 in found
    assert 60 < len(found) < 150
    assert module.thinned(module.thinned(notes)) == module.thinned(notes)


@pytest.mark.slow
def test_ray_workers_find_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the command line starts them, but for the seconds of work before Ray is worth it."""
    words = ["offline-limits", "--seeds", "2", "--out", str(tmp_path / "ray"), "--workers", "2"]
    script = f"""
import sys
sys.argv = {[str(SCRIPTS / "reproduce.py"), *words]!r}
sys.path[0] = {str(SCRIPTS)!r}
import reproduce
from mail.parallel.ray import RayPool, report
reproduce.workers.pool = lambda args, at_once: RayPool(args.workers, patience=0.0, memory=100 << 20, say=report)
sys.exit(reproduce.main())
"""
    driver = tmp_path / "driver.py"  # Ray takes a program without a file for a shell
    driver.write_text(script)
    done = subprocess.run([sys.executable, driver], capture_output=True, text=True, timeout=240, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "starting 2 workers" in done.stderr
    small("offline-limits", Local(), tmp_path / "here", monkeypatch)
    assert (tmp_path / "ray" / "offline-limits.json").read_bytes() == (
        tmp_path / "here" / "offline-limits.json"
    ).read_bytes()


def test_an_interrupt_is_one_line(
    reproduce: ModuleType,
    figure: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(figure, "make", stop)
    assert reproduce.main(["tictactoe", "--out", str(tmp_path)]) == 130
    out, err = capsys.readouterr()
    assert out == "" and err == "reproduce.py: interrupted; cells that have landed are kept\n"


# --- the reference's proxy -------------------------------------------------------------------------------


class Noisy:
    """The reference's opponent, from its description: an expert who, where it cannot win at once, one time in
    ten plays 0.6 expert + 0.4 uniform."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        expert = self.policy.probabilities(game, states, seat)
        legal = game.legal(states, seat)
        wins = np.zeros(len(states), dtype=np.bool_)
        for action in range(legal.shape[1]):
            rows = np.flatnonzero(legal[:, action])
            moves = np.full((len(rows), 2), -1)
            moves[:, seat] = action
            _, reward, done = game.step(states[rows], moves, rng=np.random.default_rng(0))
            wins[rows] |= done & (reward == 1 - 2 * seat)
        noisy = 0.9 * expert + 0.1 * (0.6 * expert + 0.4 * uniform_rows(legal))
        return np.where(wins[:, None], expert, noisy)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("seat", [0, 1])
def test_the_proxy_is_the_loss_rate_against_the_noisy_expert(
    seat: int, seed: int, figure: ModuleType, tictactoe_graph: GameGraph
) -> None:
    """Exact here, sampled there: 20,000 games of a policy close to the expert, within three standard errors."""
    games = 20_000
    experts = expert.make("first", tictactoe_graph)
    table = experts[seat].probabilities(tictactoe_graph.game, tictactoe_graph.states, seat)
    table = 0.7 * table + 0.3 * random_profile(tictactoe_graph, seed)[seat]
    rate = figure.proxy(tictactoe_graph, table, seat)
    policy, noisy = from_model(tictactoe_graph, seat, table), Noisy(experts[1 - seat])
    seats: tuple[Policy, Policy] = (policy, noisy) if seat == 0 else (noisy, policy)
    decisions = play(tictactoe_graph.game, seats, games, rng=stream(seed, "test/proxy"))
    lost = (decisions.reward[(decisions.seat == seat) & decisions.ended] < 0).sum()
    assert 0.05 < rate < 0.95
    assert abs(lost / games - rate) < 3 * np.sqrt(rate * (1 - rate) / games)


@pytest.mark.parametrize("seat", [0, 1])
def test_an_expert_loses_nothing_by_the_proxy(seat: int, figure: ModuleType, tictactoe_graph: GameGraph) -> None:
    table = expert.make("first", tictactoe_graph)[seat].probabilities(
        tictactoe_graph.game, tictactoe_graph.states, seat
    )
    assert figure.proxy(tictactoe_graph, table, seat) == 0.0


# --- intervals -------------------------------------------------------------------------------------------


def test_the_interval_is_students(over_seeds: ModuleType) -> None:
    """1, 2, 3, 4: mean 2.5, standard deviation 1.290994, t with three degrees of freedom 3.182446."""
    half = 3.182446 * 1.290994 / 2
    assert over_seeds.interval([1, 2, 3, 4]) == pytest.approx((2.5, 2.5 - half, 2.5 + half), abs=1e-5)
    assert over_seeds.interval([7, 7]) == (7.0, 7.0, 7.0)


def test_what_was_not_reached_is_said(over_seeds: ModuleType) -> None:
    rows = [{"games": 10}, {"games": None}, {"games": 12}]
    assert over_seeds.ranged(rows, "games") == "not reached in 1 of 3"
    assert over_seeds.ranged(rows[::2], "games") == "11 [-2, 24]"  # 11 -+ 12.7062 sqrt(2) / sqrt(2)


# --- coverage --------------------------------------------------------------------------------------------


def explored(model: GameGraph, seat: int, games: int, seed: int) -> Decisions:
    """The seat's first expert against uniform play, every decision of the expert labelled."""
    experts = expert.make("first", model)
    seats: tuple[Policy, Policy] = (experts[0], Uniform()) if seat == 0 else (Uniform(), experts[1])
    labels = (experts[0], None) if seat == 0 else (None, experts[1])
    return play(model.game, seats, games, labels=labels, rng=stream(seed, "test/covering"))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("name", "seat", "reachable", "games"),
    [
        ("tictactoe:3x3:2", 0, 9, 60),
        ("tictactoe:2x3", 1, 39, 90),
        ("connect4:3x3:3", 0, 30, 60),
        ("connect4:3x3:3", 1, 49, 5),
    ],
)
def test_coverage_against_a_plain_count(
    name: str, seat: int, reachable: int, games: int, seed: int, figure: ModuleType
) -> None:
    """Game by game and ask by ask: until everything reachable was asked, and until the labels so far, played
    uniformly elsewhere, cannot be exploited."""
    model = graph(name)
    decisions = explored(model, seat, games, seed)
    known = GameContext(model.game, model, model.game, model)
    line = figure.Line("uniform", "uniform", "first", seat)
    found = figure.covering(known, line, CoverageBounds(reachable, None), decisions)
    expected: dict[str, int | None] = dict.fromkeys(
        ["games_to_cover", "asks_to_cover", "games_to_zero", "asks_to_zero"]
    )
    table, seen, asks = uniform_rows(model.legal(seat)), set(), 0
    for episode in range(games):
        for row in np.flatnonzero((decisions.episode == episode) & (decisions.seat == seat)):
            asks += 1
            seen.add(decisions.key[row].tobytes())
            table[model.index(decisions.state[row : row + 1])] = decisions.label[row]
            zero = expected["asks_to_zero"] is None and exploitability(model, table, seat) == 0.0
            cover = expected["asks_to_cover"] is None and len(seen) == reachable
            if zero:
                expected |= {"games_to_zero": episode + 1, "asks_to_zero": asks}
            if cover:
                expected |= {"games_to_cover": episode + 1, "asks_to_cover": asks}
    assert found == expected
    assert len(seen) <= reachable


# --- asks ------------------------------------------------------------------------------------------------


def test_asks_are_counted_game_by_game(asking: ModuleType, tictactoe_graph: GameGraph) -> None:
    """Against a plain count over rounds, some of whose games have no ask at all."""
    rounds = [explored(tictactoe_graph, 0, games, seed) for seed, games in enumerate((3, 1, 4))]
    rounds[1] = replace(rounds[1], label=np.full_like(rounds[1].label, np.nan))
    everything = frozenset({row.tobytes() for part in rounds for row in part.key} | {b"elsewhere"})
    counted = asking.Asked(0, everything)
    for part in rounds:
        counted.update(part)
    seen: list[bytes] = []
    spent: list[dict[str, int]] = []
    games = 0
    for part in rounds:
        for episode in range(part.games):
            games += 1
            for row in np.flatnonzero(part.queried & (part.episode == episode)):
                seen.append(part.key[row].tobytes())
                spent.append({"distinct": len(set(seen)), "asks": len(seen), "games": games})
    assert [counted.spent(number) for number in range(1, len(seen))] == spent[:-1]
    assert counted.spent(len(seen)) == {**spent[-1], "games": 8}
    assert counted.first == [at for at, key in enumerate(seen) if key not in seen[:at]]
    labels = counted.labels(5)
    assert [key.tobytes() for key in labels.key] == [seen[at] for at in counted.first[:5]]
    assert counted.missing == everything - set(seen)


@pytest.mark.parametrize("needed", [(30, 45), (61, 61), (9, 200), (1, 1), (150, 1000)])
def test_the_search_finds_the_fewest_labels(
    needed: tuple[int, int], asking: ModuleType, tictactoe_graph: GameGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a clone that reaches its targets at so many distinct labels, to within 2 %."""
    targets = dict(zip(asking.TARGETS, needed, strict=True))

    def losses(search: Any, distinct: int) -> dict[str, float]:
        return {name: float(distinct < need) for name, need in targets.items()}

    monkeypatch.setattr(asking.Search, "_losses", losses)
    counted = asking.Asked(1, frozenset())
    search = asking.Search(asking.Cell("tictactoe", False, "uniform", 1, 0), None, counted)
    for seed in range(40):
        counted.update(explored(tictactoe_graph, 1, 5, seed))
        search.look()
    search.look(last=True)
    there = len(counted.first)
    assert 200 < there < 1000
    assert search.over == (max(needed) <= there)
    for name, found in search.found().items():
        if targets[name] > there:
            assert found is None
        else:
            assert targets[name] <= found["distinct"] <= max(targets[name] * 1.02 + 1, 8)
            assert found == counted.spent(counted.first[found["distinct"] - 1] + 1)


def test_the_keys_to_be_covered_are_those_that_are_counted(asking: ModuleType) -> None:
    for symmetry in (False, True):
        for seat in (0, 1):
            assert (
                len(asking.reachable("tictactoe", symmetry, seat))
                == asking.bounds_of("tictactoe", symmetry)[seat].labels
            )


def test_measures_are_exact_where_it_matters(asking: ModuleType, tictactoe_graph: GameGraph) -> None:
    at = GameContext(tictactoe_graph.game, tictactoe_graph, tictactoe_graph.game, tictactoe_graph)
    table = expert.make("first", tictactoe_graph)[0].probabilities(tictactoe_graph.game, tictactoe_graph.states, 0)
    for noise in (0.0, 1e-3, 0.3):
        noisy = from_model(tictactoe_graph, 0, (1 - noise) * table + noise * uniform_rows(tictactoe_graph.legal(0)))
        found = asking.measure(at, noisy, 0)
        exact = exploitability(tictactoe_graph, (1 - noise) * table + noise * uniform_rows(tictactoe_graph.legal(0)), 0)
        assert found["greedy"] == 0.0
        assert (found["soft"] == exact) if exact <= asking.SOFT else (asking.SOFT < found["soft"] <= exact)


class Runs:
    """Stands in for the runs of cells: counts them, and dies at a given one."""

    def __init__(self, dies_at: int | None = None, error: BaseException | None = None) -> None:
        self.done: list[object] = []
        self.dies_at, self.error = dies_at, error or KeyboardInterrupt()

    def __call__(self, cell: Any) -> dict[str, Any]:
        if len(self.done) == self.dies_at:
            raise self.error
        self.done.append(cell)
        spent = {"distinct": 10 + cell.seed, "asks": 30 + cell.seed, "games": 5}
        reached = None if cell.explorer == "expert" else spent
        return {"greedy": reached, "soft": reached, "spent": spent, "own_clone": cell.explorer == "refute"}


def test_a_killed_figure_goes_on(
    asks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every cell is run once, and nothing of the result tells that the run was killed."""
    monkeypatch.setattr(asks, "GAMES", ("tictactoe",))
    whole, killed, resumed = Runs(), Runs(dies_at=30), Runs()
    monkeypatch.setattr(asks, "run", whole)
    asks.make(2, tmp_path / "whole", Local())
    monkeypatch.setattr(asks, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        asks.make(2, tmp_path / "killed", Local())
    assert len(list((tmp_path / "killed" / "asks-cells").iterdir())) == len(killed.done)
    monkeypatch.setattr(asks, "run", resumed)
    asks.make(2, tmp_path / "killed", Local())
    assert killed.done + resumed.done == whole.done
    assert len(whole.done) == len(set(whole.done)) == 2 * 6 * 2 * 2
    for name in ("asks.json", "asks.png"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes()
    assert (tmp_path / "whole" / "asks.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "asks.json").write_bytes((tmp_path / "whole" / "asks.json").read_bytes())
    asks.make(2, tmp_path / "data", Local())  # from the data alone: nothing is run again
    assert len(resumed.done) == len(whole.done) - len(killed.done)
    assert (tmp_path / "data" / "asks.json").read_bytes() == (tmp_path / "whole" / "asks.json").read_bytes()
    said = capsys.readouterr().out
    assert re.search(r"expert, 0 .*not in 31 asks", said)
    assert re.search(r"unsure, 1 +2 +10 \[4, 17\] +30 \[24, 37\]", said)
    assert re.search(r"all there is, 1 +426 .*least 282", said)
