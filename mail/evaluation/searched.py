"""Measures of policies in games that neither are enumerated nor have a solver: what play and a deeper search can show.

- ``responses``: for each seat, what a learned response gains against it (``mail.evaluation.learned.best_response``). A
  best response gains at least as much: a bound, and a low one proves nothing.
- ``search_blunders``: for each seat, at positions never labelled, how often its move is worse, by a search with ten
  times the simulations, than the search's own choice. The search errs, too: it judges, and proves nothing.

Results depend only on the policies, the labels and the seed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from agents import expert
from agents.experts import bots
from agents.policy import PolicyError, Seats, Uniform, greedy_rows, query
from games.base import Floats, Game, Ints, Keys, States
from mail.evaluation.blunders import Blunders, held_out
from mail.parallel.pool import Local, Pool

DEEPER = 10
"""Times as many simulations as the expert's, for the search that judges."""
SIMULATIONS = 1000
"""The same where the expert does not search."""
WORSE = 0.5
"""By how much a search must rate a move below its own choice for a blunder, in units of reward."""
POSITIONS = 60
"""Per source and seat."""
GAMES, FRESH = 512, 500
"""Games from which a response is learned, and in which it is measured."""


def searched_measures(
    game: Game, profile: Seats, *, expert_name: str, labelled_keys: tuple[Keys, Keys], seed: int, pool: Pool | None
) -> dict[str, Any]:
    """The measures above as JSON values; those that a search makes only where a search can play the game.

    Args:
        game: The game.
        profile: Seat 0's and seat 1's policies.
        expert_name: Who was imitated; the number of an ``mcts:N`` decides how deep the judge looks.
        labelled_keys: Per seat, [K, 2] uint64 keys of the positions labelled for any learner of the run.
        seed: Of games and positions.
        pool: Plays and searches.
    """
    from mail.evaluation.learned.best_response import bound  # slow: these two load torch
    from mail.evaluation.learned.learner import ResponseConfig

    config = ResponseConfig(evaluated=FRESH)
    learned = [bound(game, profile[seat], seat, GAMES, seed=seed, config=config, pool=pool) for seat in (0, 1)]
    measured: dict[str, Any] = {"responses": [one.as_dict() for one in learned]}
    try:
        bots.check(game, "mcts")
    except PolicyError:
        return measured
    word, number = expert.parse(expert_name)
    simulations = DEEPER * number if word == "mcts" and number else SIMULATIONS
    rows = [
        [one.as_dict() for one in search_blunders(game, profile, seat, labelled_keys[seat], simulations, seed, pool)]
        for seat in (0, 1)
    ]
    return {**measured, "search_blunders": {"simulations": simulations, "worse_by": WORSE, "seats": rows}}


def search_blunders(
    game: Game, profile: Seats, seat: int, labelled_keys: Keys, simulations: int, seed: int, pool: Pool | None = None
) -> list[Blunders]:
    """One seat's blunders by a search, on unlabelled positions of its own games and of random games.

    Args:
        game: A game that a search can play (``agents.experts.bots.check``).
        profile: Seat 0's and seat 1's policies.
        seat: The seat to measure.
        labelled_keys: [K, 2] uint64 canonical keys of the positions labelled for this seat.
        simulations: Of the search at each position.
        seed: Of the games that supply positions.
        pool: Searches; this process by default.
    """
    players: dict[str, Seats] = {"own": profile, "random": (Uniform(), Uniform())}
    found = []
    for source, seats in players.items():
        states = held_out(game, seats, seat, source, labelled_keys, seed, POSITIONS)
        rows = query(profile[seat], game, states, seat)
        parts = [states[start : start + 4] for start in range(0, len(states), 4)]
        judged = (pool or Local()).map(_judged, (game, seat, simulations), parts)
        worse = np.concatenate([value < value.max(1, keepdims=True) - WORSE for value in judged] or [rows > 1.0])
        found.append(Blunders(source, _plies(game, states), (rows * worse).sum(1), (greedy_rows(rows) * worse).sum(1)))
    return found


def _judged(task: tuple[Game, int, int], states: States) -> Floats:
    """A pool's task: the search's values of every move at some positions."""
    game, seat, simulations = task
    return bots.move_values(game, states, seat, simulations)


def _plies(game: Game, states: States) -> Ints:
    """[N] moves made before each position: stones on a board, words of a row of moves."""
    if game.spec.in_a_row:
        return np.asarray(game.observe(states, 0).sum(axis=(1, 2, 3)), dtype=np.int64)
    return np.asarray((states >= 0).sum(1), dtype=np.int64)
