"""Decisions of random games, for tests of what is made of them."""

from __future__ import annotations

from agents.policy import Seats, Uniform
from games import Game
from mail.data.decisions import Decisions
from mail.data.rollout import play
from mail.parallel.streams import stream
from tests.support import PENNIES, game

UNIFORM: Seats = (Uniform(), Uniform())


def some_game(name: str) -> Game:
    return PENNIES if name == "pennies" else game(name)


def some_decisions(name: str = "tictactoe", episodes: int = 30, seed: int = 0) -> Decisions:
    """Uniform play, every decision labelled."""
    return play(some_game(name), UNIFORM, episodes, labels=UNIFORM, rng=stream(seed, "test"))


def same(one: Decisions, other: Decisions) -> bool:
    """Bit for bit, NaN included."""
    pairs = zip(one.arrays().values(), other.arrays().values(), strict=True)
    return all(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in pairs)
