"""How often a policy throws away game value, by ply, on positions that no learner was shown.

A decision is a blunder if the game is worth less to the mover after it, under perfect play of both, than before:
a win turned into a draw or a loss, a draw into a loss. Winning later than one could is none. The rate of a stochastic
policy is the mean over positions of the probability that it blunders; its greedy version blunders or does not.

Rates depend on where one looks, so there are three sources, all *held out*: positions whose key, or whose mirror
image's, is among the labels of any learner are left out.

- ``own``: the policy's games against the policy of the other seat;
- ``exploration``: the solver, drawing among its best moves, in the seat, uniformly random play in the other: where an
  exploring opponent can lead the expert;
- ``random``: uniformly random legal play of both.

For games that a solver knows (``agents.solver``). Everything follows from the policies and the seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.policy import Policy, Seats, Uniform, greedy_rows, query
from agents.solver import solver_expert
from games.base import Floats, Game, Ints, Keys, States, Symmetric
from games.symmetry import Quotient
from mail.data.rollout import play
from mail.evaluation.intervals import wilson
from mail.parallel.pool import Local, Pool
from mail.parallel.solver_labels import scores
from mail.parallel.streams import stream

SOURCES = ("own", "exploration", "random")
_GAMES = 64  # played at a time until there are enough
_ROUNDS = 16  # of games, at most


@dataclass(frozen=True)
class Blunders:
    """One seat's policy on one source of positions, one row per position."""

    source: str
    ply: Ints  # [n]
    chance: Floats  # [n] probability that the policy blunders there
    greedy: Floats  # [n] whether its preferred move does, 0 or 1

    def as_dict(self) -> dict[str, Any]:
        """As ``train --json`` gives it; intervals are 95 %, Wilson's for the greedy rate."""
        n = len(self.ply)
        if not n:
            return {"source": self.source, "positions": 0, "rate": None, "greedy_rate": None, "by_ply": []}
        rate, half = float(self.chance.mean()), 1.96 * float(self.chance.std()) / math.sqrt(n)
        return {
            "source": self.source,
            "positions": n,
            "rate": rate,
            "interval": [max(0.0, rate - half), min(1.0, rate + half)],
            "greedy_rate": float(self.greedy.mean()),
            "greedy_interval": list(wilson(int(self.greedy.sum()), n)),
            "by_ply": [
                {
                    "ply": int(ply),
                    "positions": int((self.ply == ply).sum()),
                    "rate": float(self.chance[self.ply == ply].mean()),
                    "greedy_rate": float(self.greedy[self.ply == ply].mean()),
                }
                for ply in np.unique(self.ply)
            ],
        }


def canonical_keys(game: Game, states: States, seat: int) -> Keys:
    """[N, 2] keys for the seat that a position shares with its images, where the game has symmetries."""
    return Quotient(game).key(states, seat) if isinstance(game, Symmetric) else game.key(states, seat)


def blunders(
    game: Game, profile: Seats, seat: int, *, shown: Keys, seed: int, positions: int, pool: Pool | None = None
) -> list[Blunders]:
    """One seat's blunders on every source. ``shown`` [K, 2]: canonical keys of what was labelled for this seat;
    at most so many ``positions`` of each, scored through ``pool``.

    PolicyError where no solver knows the game.
    """
    expert = solver_expert(game, ties="uniform")[0]
    random = Uniform()
    players: dict[str, Seats] = {
        "own": profile,
        "exploration": (expert, random) if seat == 0 else (random, expert),
        "random": (random, random),
    }
    asked = {source: held_out(game, players[source], seat, source, shown, seed, positions) for source in SOURCES}
    return [judged(game, profile[seat], seat, source, states, pool=pool) for source, states in asked.items()]


def held_out(game: Game, seats: Seats, seat: int, source: str, shown: Keys, seed: int, positions: int) -> States:
    """[n, W] distinct decisions of the seat in fresh games of these players that were not shown, at most so many."""
    seen = {(int(key[0]), int(key[1])) for key in shown}
    kept: list[States] = []
    for round_ in range(_ROUNDS):
        rng = stream(seed, f"blunders/{source}", seat=seat, round_=round_)
        decisions = play(game, seats, _GAMES, rng=rng)
        states = decisions.state[decisions.seat == seat]
        # By games, so that a source that is cut short is not all openings.
        states = states[np.argsort(decisions.episode[decisions.seat == seat], kind="stable")]
        for state, key in zip(states, canonical_keys(game, states, seat), strict=True):
            name = (int(key[0]), int(key[1]))
            if name not in seen and len(kept) < positions:
                seen.add(name)
                kept.append(state)
        if len(kept) == positions:
            break
    return np.array(kept, dtype=states.dtype).reshape(-1, states.shape[1])


def judged(game: Game, policy: Policy, seat: int, source: str, states: States, *, pool: Pool | None = None) -> Blunders:
    """The policy's blunders at these positions of its seat."""
    rows = query(policy, game, states, seat)
    values = np.sign(scores(pool or Local(), game, states))
    bad = values < values.max(1, keepdims=True)
    ply = game.observe(states, seat).sum(axis=(1, 2, 3)).astype(np.int64)
    return Blunders(source, ply, (rows * bad).sum(1), (greedy_rows(rows) * bad).sum(1))
