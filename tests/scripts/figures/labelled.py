"""Labelled games that the tests of several figures look at."""

from __future__ import annotations

from agents import expert
from agents.policy import Policy, Uniform
from games import GameGraph
from mail.data.decisions import Decisions
from mail.data.rollout import play
from mail.parallel.streams import stream


def explored(model: GameGraph, seat: int, games: int, seed: int) -> Decisions:
    """The seat's first expert against uniform play, every decision of the expert labelled."""
    experts = expert.make("first", model)
    seats: tuple[Policy, Policy] = (experts[0], Uniform()) if seat == 0 else (Uniform(), experts[1])
    labels = (experts[0], None) if seat == 0 else (None, experts[1])
    return play(model.game, seats, games, labels=labels, rng=stream(seed, "test/covering"))
