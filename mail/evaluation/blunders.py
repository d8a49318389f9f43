"""How often a policy gives away game value, by ply, on positions that no learner had labelled.

A decision is a blunder if the game is worth less to the mover after it, under perfect play of both seats, than before:
a win becomes a draw or a loss, a draw becomes a loss. Winning later than possible is not a blunder. The rate of a
stochastic policy is the mean over positions of its probability to blunder; its greedy version blunders or does not.

Rates depend on the positions, so there are three sources, all *held out*: a position is excluded if its key, or that of
its mirror image, is among the labels of any learner.

- ``own``: games of the policy against the policy of the other seat;
- ``exploration``: games of the solver, choosing uniformly among its best moves, against uniformly random play in the
other seat: positions reachable under the expert;
- ``random``: games of uniformly random play in both seats.

For games that have a solver (``agents.solver``). Results depend only on the policies and the seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.policy import Policy, Seats, Uniform, greedy_rows, query
from agents.solver import solver_expert
from games.base import Floats, Game, Ints, Keys, States
from games.symmetry import up_to_symmetry
from mail.data.rollout import play
from mail.evaluation.intervals import wilson
from mail.parallel.pool import Local, Pool
from mail.parallel.solver_labels import scores
from mail.parallel.streams import stream

SOURCES = ("own", "exploration", "random")
_GAMES = 64  # games per round
_ROUNDS = 16  # at most


@dataclass(frozen=True)
class Blunders:
    """One seat's policy on positions from one source, one row per position."""

    source: str
    ply: Ints  # [n]
    chance: Floats  # [n] probability that the policy blunders
    greedy: Floats  # [n] whether its most probable move is a blunder, 0 or 1

    def as_dict(self) -> dict[str, Any]:
        """The dictionary in ``train --json``. Intervals are 95 %, Wilson's for the greedy rate."""
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
    """Keys for a seat, shared by images of a position where the game has symmetries.

    Args:
        game: The game.
        states: [N, W].
        seat: The seat.

    Returns:
        uint64 [N, 2].
    """
    return up_to_symmetry(game).key(states, seat)


def blunders(
    game: Game, profile: Seats, seat: int, *, labelled_keys: Keys, seed: int, positions: int, pool: Pool | None = None
) -> list[Blunders]:
    """One seat's blunders on positions from every source.

    Args:
        game: A game with a solver.
        profile: Seat 0's and seat 1's policies.
        seat: The seat to measure.
        labelled_keys: [K, 2] uint64 canonical keys of the positions labelled for this seat.
        seed: Of the games that supply positions.
        positions: At most so many per source.
        pool: Computes the solver's scores; this process by default.

    Raises:
        PolicyError: No solver knows the game.
    """
    expert = solver_expert(game, ties="uniform")[0]
    random = Uniform()
    players: dict[str, Seats] = {
        "own": profile,
        "exploration": (expert, random) if seat == 0 else (random, expert),
        "random": (random, random),
    }
    held = {source: held_out(game, players[source], seat, source, labelled_keys, seed, positions) for source in SOURCES}
    return [count_blunders(game, profile[seat], seat, source, states, pool=pool) for source, states in held.items()]


def held_out(
    game: Game, seats: Seats, seat: int, source: str, labelled_keys: Keys, seed: int, positions: int
) -> States:
    """Distinct unlabelled decisions of a seat in fresh games.

    Args:
        game: The game.
        seats: The players.
        seat: The seat.
        source: What the positions are called; it addresses the random streams.
        labelled_keys: uint64 [n, 2] canonical keys to leave out.
        seed: Of the games.
        positions: The largest number of positions.

    Returns:
        [n, W].
    """
    seen = {(int(key[0]), int(key[1])) for key in labelled_keys}
    kept: list[States] = []
    for round_ in range(_ROUNDS):
        rng = stream(seed, f"blunders/{source}", seat=seat, round_=round_)
        decisions = play(game, seats, _GAMES, rng=rng)
        states = decisions.state[decisions.seat == seat]
        # In order of games, so that a truncated source does not consist of openings only.
        states = states[np.argsort(decisions.episode[decisions.seat == seat], kind="stable")]
        for state, key in zip(states, canonical_keys(game, states, seat), strict=True):
            name = (int(key[0]), int(key[1]))
            if name not in seen and len(kept) < positions:
                seen.add(name)
                kept.append(state)
        if len(kept) == positions:
            break
    return np.array(kept, dtype=states.dtype).reshape(-1, states.shape[1])


def count_blunders(
    game: Game, policy: Policy, seat: int, source: str, states: States, *, pool: Pool | None = None
) -> Blunders:
    """A policy's blunders.

    Args:
        game: A game with a solver.
        policy: The policy.
        seat: Its seat.
        source: Where the positions come from.
        states: [n, W] positions at which the seat moves.
        pool: Solves positions; by default this process.
    """
    rows = query(policy, game, states, seat)
    values = np.sign(scores(pool or Local(), game, states))
    bad = values < values.max(1, keepdims=True)
    ply = game.observe(states, seat).sum(axis=(1, 2, 3)).astype(np.int64)
    return Blunders(source, ply, (rows * bad).sum(1), (greedy_rows(rows) * bad).sum(1))
