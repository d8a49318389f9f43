"""Measures of the second seat of 6x7 Connect Four: what it gives away from drawn openings, and how soon it loses.

The game is lost for the second seat whatever it plays, so no policy of it is exploitable (docs/algorithms.md,
"Exploitability and the Nash gap"). The fixed suite in ``openings.txt`` has positions with seven stones and the second
seat to move, drawn under perfect play (made by ``scripts/openings.py``). From each, the policy holds the draw against
the solver or loses. Where it loses, and from the empty board, the count of its own stones until then shows how long it
resists; perfect play loses from the empty board after 20 own stones.
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
class OpeningResults:
    """Results of the second seat's greedy policy against the solver."""

    openings: int
    drawn: int
    """Openings it did not lose. None can be won against the solver."""
    moves_to_loss: float | None
    """Mean number of its own stones from the opening to its loss; None if it lost no game."""
    from_start: int
    """The number of its own stones until its loss from the empty board."""

    def as_dict(self) -> dict[str, Any]:
        """The dictionary in ``train --json``. ``value_lost`` is per opening, where a draw is worth 0 and a loss -1."""
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
    """The positions after some openings.

    Args:
        game: Connect Four.
        openings: Columns, counted from 1, as strings of digits.

    Returns:
        [n, W].
    """
    rows = []
    for text in openings:
        states = game.starts()
        for column in text:
            states = game.successors(states, np.where(game.acting(states), int(column) - 1, -1)).states
        rows.append(states)
    return np.concatenate(rows)


def play_openings(policy: Policy, openings: Sequence[str] | None = None, *, pool: Pool | None = None) -> OpeningResults:
    """Play the greedy second seat against the solver, from every opening and from the empty board.

    Args:
        policy: The second seat's policy.
        openings: Columns counted from 1, seven per opening; the suite by default.
        pool: Computes the solver's moves; this process by default.

    Raises:
        PolicyError: The solver is not installed.
    """
    game: Enumerable = make("connect4")  # type: ignore[assignment]
    load()
    pool = pool or Local()
    payoff, stones = _against_solver(game, policy, positions(game, suite() if openings is None else openings), pool)
    lost = payoff > 0
    _, whole = _against_solver(game, policy, game.starts(), pool)
    return OpeningResults(
        len(payoff), int((~lost).sum()), float(stones[lost].mean()) if lost.any() else None, int(whole[0])
    )


def _against_solver(game: Enumerable, policy: Policy, states: States, pool: Pool) -> tuple[np.ndarray, np.ndarray]:
    """Seat 0's payoff [n] and the number of the second seat's stones [n] from here on; all games in one batch."""
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
        after = game.successors(states, actions)
        payoff[alive] = after.rewards
        alive, states = alive[~after.done], after.states[~after.done]
    return payoff, stones
