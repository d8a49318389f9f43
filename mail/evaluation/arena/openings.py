"""How a second seat of 6x7 Connect Four is measured: by what it gives away from drawn openings, and how soon it loses.

The game is lost for the second seat whatever it plays, so no policy of it is exploitable (docs/algorithms.md,
"Exploitability and the Nash gap") and its exploitability says nothing. From the fixed suite in ``openings.txt``
(positions with seven stones, the second seat to move, drawn under perfect play; made by ``scripts/openings.py``) it has
one point to lose: against the solver it holds the draw or does not. Where it loses, and from the empty board, its own
stones until then are counted: the longer the better; perfect play loses from the empty board after 20 own stones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from agents.policy import Greedy, Policy
from agents.solver import load
from games.base import Enumerable, States
from games.registry import make
from mail.evaluation.intervals import wilson
from mail.parallel.pool import Local, Pool
from mail.parallel.solver_labels import scores

FILE = Path(__file__).with_name("openings.txt")
SEAT = 1


@dataclass(frozen=True)
class Held:
    """What the greedy policy of the second seat kept against the solver."""

    openings: int
    drawn: int
    """Of the openings: those it did not lose. Nobody wins one against the solver."""
    moves_to_loss: float | None
    """Mean number of its own stones, from the opening on, in the games it lost; None where it lost none."""
    from_start: int
    """Its own stones until it has lost from the empty board."""

    def as_dict(self) -> dict[str, Any]:
        """As ``train --json`` gives it; ``value_lost`` is per opening, a draw being worth 0 and a loss -1."""
        return {
            "openings": self.openings,
            "drawn": self.drawn,
            "value_lost": 1.0 - self.drawn / self.openings,
            "interval": [1.0 - end for end in reversed(wilson(self.drawn, self.openings))],
            "moves_to_loss": self.moves_to_loss,
            "moves_to_loss_from_start": self.from_start,
        }


@cache
def suite() -> tuple[str, ...]:
    """The openings as columns counted from 1."""
    return tuple(FILE.read_text().split())


def positions(game: Enumerable, openings: Sequence[str]) -> States:
    """[n, W] the positions that these columns lead to."""
    found = []
    for text in openings:
        states = game.starts()
        for column in text:
            states = game.successors(states, np.where(game.acting(states), int(column) - 1, -1)).states
        found.append(states)
    return np.concatenate(found)


def held(policy: Policy, openings: Sequence[str] | None = None, *, pool: Pool | None = None) -> Held:
    """The greedy second seat against the solver, from every opening (the suite's) and from the empty board.

    What the solver plays is computed through ``pool``.

    PolicyError where the solver is not installed.
    """
    game: Enumerable = make("connect4")  # type: ignore[assignment]
    load()
    pool = pool or Local()
    payoff, stones = _against_solver(game, policy, positions(game, suite() if openings is None else openings), pool)
    lost = payoff > 0
    _, whole = _against_solver(game, policy, game.starts(), pool)
    return Held(len(payoff), int((~lost).sum()), float(stones[lost].mean()) if lost.any() else None, int(whole[0]))


def _against_solver(game: Enumerable, policy: Policy, states: States, pool: Pool) -> tuple[np.ndarray, np.ndarray]:
    """Seat 0's payoff [n] and the second seat's stones from here on [n], all games at once."""
    greedy = Greedy(policy)
    payoff, stones = np.zeros(len(states)), np.zeros(len(states), dtype=np.int64)
    alive = np.arange(len(states))
    while len(alive):
        seat = int(game.acting(states[:1])[0, SEAT])  # all positions are of one ply
        own = seat == SEAT  # the solver plays the first of its best moves
        rows = greedy.probabilities(game, states, seat) if own else scores(pool, game, states, best_only=True)
        actions = np.full((len(alive), 2), -1, dtype=np.int64)
        actions[:, seat] = rows.argmax(1)
        stones[alive] += own
        found = game.successors(states, actions)
        payoff[alive] = found.rewards
        alive, states = alive[~found.done], found.states[~found.done]
    return payoff, stones
