"""The figures of Markov games: their measures on small cases, and that data, picture and table come out of them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mail.learners.collect import Options
from mail.parallel.pool import Local

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return loaded("linear_figures", monkeypatch)


def loaded(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module(name)


def test_clones_are_measured_after_the_first_games_of_one_exploration(shared: ModuleType) -> None:
    ground = shared.named("gridworld:3x3")
    options = Options(seed=0)
    line = shared.Line("tabular", "tabular", "gridworld:3x3")
    gaps = shared.gaps(ground, line, (1, 5, 20), options)
    assert gaps[0] > gaps[2] == pytest.approx(0.0, abs=1e-9)
    found = shared.explored(ground, "tabular", 5, options)
    assert [part.games for part in found] == [5, 5]
    again = shared.gaps(ground, line, (5,), options)
    assert again[0] == pytest.approx(gaps[1], abs=1e-12), "a shorter exploration is the beginning of a longer one"


def test_a_seat_that_was_not_asked_plays_uniformly(shared: ModuleType) -> None:
    ground = shared.named("chain:4")
    found = shared.explored(ground, "uniform", 2, Options(seed=0))
    nothing = found[0].take(found[0].seat == 1)
    clones = shared.clones(ground, "linear", (nothing, nothing), 2, Options(seed=0))
    states = ground.model.states
    assert (clones[0].probabilities(ground.game, states, 0) == 0.5).all()


def test_waiting_for_a_clone_that_cannot_be_exploited(shared: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = loaded("figure_chain", monkeypatch)
    ground = shared.named("chain:8")
    games, before = chain.until_zero(ground, "tabular", 40, Options(seed=0))
    assert games is not None
    assert 1 < games <= 10
    assert before[0] == pytest.approx(10.6288, abs=1e-4), "the closed form, until the end of the chain was asked about"
    assert chain.until_zero(ground, "expert", 20, Options(seed=0))[0] is None


def test_a_round_of_many_games_is_looked_at_game_by_game(shared: ModuleType) -> None:
    """Uniform exploration plays 16 games a round; the wait may end within one."""
    watch = shared.Reaching(shared.named("chain:4"), 0, "tabular", Options(seed=1), target=1e-9, most=64).run("uniform")
    assert watch.reached
    assert watch.measured[-1][0] < 16
    assert watch.games == 16


def test_drawn_answers_follow_the_square_root(shared: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = loaded("figure_rates", monkeypatch)
    budgets = (8, 128)
    line = shared.Line("uniform", "tabular", "rps")
    gaps = [
        shared.gaps(shared.named("rps"), line, budgets, Options(seed=seed, sample_labels=True)) for seed in range(8)
    ]
    assert rates.slope(list(np.mean(gaps, 0)), list(budgets)) == pytest.approx(-0.5, abs=0.2)
    whole = shared.gaps(shared.named("rps"), line, budgets, Options(seed=0))
    assert whole[-1] < 1e-6, "with whole distributions for answers there is nothing to average"


def test_the_fork_separates_the_coefficients(shared: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = loaded("figure_concentrability", monkeypatch)
    levels = {name: figure.levels(shared.on(figure.fork(0.02, name))) for name in ("shared", "apart")}
    assert levels["shared"]["state_level"] == pytest.approx(50, rel=1e-6)
    assert levels["apart"]["feature_level"] == pytest.approx(50, rel=1e-3)
    assert levels["shared"]["feature_level"] < 3


def test_offline_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = loaded("figure_offline_limits", monkeypatch)
    figure.make(2, tmp_path, Local())
    data = json.loads((tmp_path / "offline-limits.json").read_bytes())
    assert (tmp_path / "offline-limits.png").stat().st_size > 1000
    for row in data["states"]:
        assert row["gap"] == pytest.approx(2 / (1 - row["discount"]))
    assert all(row["gap"] > 0.5 * row["line"] for row in data["support"])
    assert all(0 < row["gap_max"] <= row["bound"] for row in data["dominant"])
