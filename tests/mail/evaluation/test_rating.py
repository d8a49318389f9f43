"""Ratings: closed forms, recovery of known strengths, draws and seats told apart, and what is printed."""

from __future__ import annotations

import math
from io import StringIO
from itertools import permutations

import numpy as np
import pytest
from rich.console import Console

from mail.evaluation.arena.match import Result
from mail.evaluation.arena.rating import POINTS, rate, remarks
from mail.terminal.tables import cross_table, rating_table


def result(first: str, second: str, wins: int, draws: int, losses: int) -> Result:
    return Result(first, second, wins, draws, losses, None)


def drawn(strengths: dict[str, float], seat: float, draws: float, games: int, seed: int) -> list[Result]:
    """Games of a world in which the model is true."""
    rng = np.random.default_rng(seed)
    found = []
    for first, second in permutations(strengths, 2):
        a, b = strengths[first] + seat, strengths[second]
        weights = np.exp([a, draws + (a + b) / 2, b])
        wins, ties, losses = (int(count) for count in rng.multinomial(games, weights / weights.sum()))
        found.append(result(first, second, wins, ties, losses))
    return found


TRUE = {"a": 1.0, "b": 0.2, "c": -0.4, "d": -0.8}


def test_known_strengths_are_found_again() -> None:
    found = rate(drawn(TRUE, seat=0.4, draws=0.2, games=50_000, seed=0))
    assert found.names == ("a", "b", "c", "d")
    assert np.allclose(np.array(found.points) / POINTS, list(TRUE.values()), atol=0.02)
    assert found.seat / POINTS == pytest.approx(0.4, abs=0.02)
    assert found.draws == pytest.approx(math.exp(0.2) / (2 + math.exp(0.2)), abs=0.005)


def test_intervals_cover() -> None:
    """Of 200 worlds with few games, the 95 % intervals hold the truth about as often as they say."""
    hits = 0
    for seed in range(50):
        found = rate(drawn(TRUE, seat=0.3, draws=0.0, games=60, seed=seed))
        for name, points, half in zip(found.names, found.points, found.interval, strict=True):
            hits += abs(points - POINTS * TRUE[name]) <= half
    assert 180 <= hits <= 199


def test_two_players_without_draws_have_a_closed_form() -> None:
    """Both orders alike: the strengths' difference is the log odds, up to the prior."""
    found = rate([result("a", "b", 30_000, 0, 10_000), result("b", "a", 10_000, 0, 30_000)])
    assert (found.points[0] - found.points[1]) / POINTS == pytest.approx(math.log(3), abs=1e-3)
    assert found.seat == pytest.approx(0, abs=0.1)


def test_seats_are_no_strength() -> None:
    """Seat 0 always wins: both are equally good, and the seat is worth a lot."""
    found = rate([result("a", "b", 100, 0, 0), result("b", "a", 100, 0, 0)])
    assert found.points[0] == pytest.approx(found.points[1], abs=1e-9)
    assert found.seat > 400


def test_draws_are_no_wins() -> None:
    found = rate([result("a", "b", 0, 100, 0), result("b", "a", 0, 100, 0)])
    assert found.points == pytest.approx((0, 0), abs=1e-9)
    assert found.draws > 0.9


def test_whoever_wins_everything_gets_a_finite_number() -> None:
    found = rate([result("a", "b", 1000, 0, 0), result("b", "a", 0, 0, 1000)])
    assert found.names == ("a", "b")
    assert 400 < found.points[0] < 4000
    assert found.interval[0] > 50


def test_the_prior_is_on_log_odds_and_nothing_hides_in_the_order() -> None:
    games = drawn(TRUE, seat=0.4, draws=0.2, games=100, seed=3)
    one, other = rate(games), rate(games[::-1])
    assert one.names == other.names
    assert np.allclose(one.points, other.points, atol=1e-6)


def test_a_cycle_is_a_misfit() -> None:
    games = [
        result("rock", "paper", 0, 0, 50),
        result("paper", "scissors", 0, 0, 50),
        result("scissors", "rock", 0, 0, 50),
    ]
    games += [result(game.second, game.first, 50, 0, 0) for game in games]
    found = rate(games)
    assert np.allclose(found.points, 0, atol=1e-6)
    assert abs(found.misfit[2] - found.misfit[3]) > 0.3


def test_no_games_no_ratings() -> None:
    with pytest.raises(ValueError, match="need games"):
        rate([result("a", "b", 0, 0, 0)])


def test_tables() -> None:
    games = [result("runs/demo", "random", 90, 10, 0), result("random", "runs/demo", 5, 15, 80)]
    console = Console(file=StringIO(), width=80)
    console.print(cross_table(games))
    console.print(rating_table(rate(games)))
    said = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert "1 runs/demo - 0.950" in said
    assert "2 random 0.125 -" in said
    assert any(line.startswith("1 runs/demo +") for line in said)
    assert len(remarks(rate(games))) == 3
    assert rate(games).as_dict()["players"][0]["name"] == "runs/demo"
