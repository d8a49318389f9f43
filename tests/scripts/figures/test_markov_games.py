"""The figures of Markov games: their measures on small cases, and that data, picture and table come out of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from figures import chain, concentrability, markov_games, offline_limits, rates
from mail.learners.collect import Options
from mail.parallel.pool import Local


def test_clones_are_measured_after_the_first_games_of_one_exploration() -> None:
    context = markov_games.named("gridworld:3x3")
    options = Options(seed=0)
    line = markov_games.Line("tabular", "tabular", "gridworld:3x3")
    gaps = markov_games.gaps(context, line, (1, 5, 20), options)
    assert gaps[0] > gaps[2] == pytest.approx(0.0, abs=1e-9)
    found = markov_games.explored(context, "tabular", 5, options)
    assert [part.games for part in found] == [5, 5]
    again = markov_games.gaps(context, line, (5,), options)
    assert again[0] == pytest.approx(gaps[1], abs=1e-12), "a shorter exploration is the beginning of a longer one"


def test_a_seat_that_was_not_asked_plays_uniformly() -> None:
    context = markov_games.named("chain:4")
    found = markov_games.explored(context, "uniform", 2, Options(seed=0))
    nothing = found[0].take(found[0].seat == 1)
    clones = markov_games.clones(context, "linear", (nothing, nothing), 2, Options(seed=0))
    states = context.model.states
    assert (clones[0].probabilities(context.game, states, 0) == 0.5).all()


def test_waiting_for_a_clone_that_cannot_be_exploited() -> None:
    context = markov_games.named("chain:8")
    games, before = chain.until_zero(context, "tabular", 40, Options(seed=0))
    assert games is not None
    assert 1 < games <= 10
    assert before[0] == pytest.approx(10.6288, abs=1e-4), "the closed form, until the end of the chain was asked about"
    assert chain.until_zero(context, "expert", 20, Options(seed=0))[0] is None


def test_a_round_of_many_games_is_looked_at_game_by_game() -> None:
    """Uniform exploration plays 16 games a round; the wait may end within one."""
    watch = markov_games.Reaching(
        markov_games.named("chain:4"), 0, "tabular", Options(seed=1), target=1e-9, most=64
    ).run("uniform")
    assert watch.reached
    assert watch.measured[-1][0] < 16
    assert watch.games == 16


def test_drawn_answers_follow_the_square_root() -> None:
    budgets = (8, 128)
    line = markov_games.Line("uniform", "tabular", "rps")
    gaps = [
        markov_games.gaps(markov_games.named("rps"), line, budgets, Options(seed=seed, sample_labels=True))
        for seed in range(8)
    ]
    assert rates.slope(list(np.mean(gaps, 0)), list(budgets)) == pytest.approx(-0.5, abs=0.2)
    whole = markov_games.gaps(markov_games.named("rps"), line, budgets, Options(seed=0))
    assert whole[-1] < 1e-6, "with whole distributions for answers there is nothing to average"


def test_the_fork_separates_the_coefficients() -> None:
    levels = {
        name: concentrability.levels(markov_games.on(concentrability.fork(0.02, name))) for name in ("shared", "apart")
    }
    assert levels["shared"]["state_level"] == pytest.approx(50, rel=1e-6)
    assert levels["apart"]["feature_level"] == pytest.approx(50, rel=1e-3)
    assert levels["shared"]["feature_level"] < 3


def test_offline_limits(tmp_path: Path) -> None:
    offline_limits.make(2, tmp_path, Local())
    data = json.loads((tmp_path / "offline-limits.json").read_bytes())
    assert (tmp_path / "offline-limits.png").stat().st_size > 1000
    for row in data["states"]:
        assert row["gap"] == pytest.approx(2 / (1 - row["discount"]))
    assert all(row["gap"] > 0.5 * row["line"] for row in data["support"])
    assert all(0 < row["gap_max"] <= row["bound"] for row in data["dominant"])
