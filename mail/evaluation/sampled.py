"""What can be said of policies in a game that is too large to enumerate: no exact gap, and nothing that pretends to be.

Where a solver knows the game (Connect Four on 6x7):
- the certificate of the first seat's greedy policy (``mail.evaluation.certificate.walk``): a refutation, or a proof, or
  neither;
- what the second seat keeps from drawn openings (``mail.evaluation.arena.openings``): it cannot be exploited, the game
  is lost for it;
- blunder rates on positions that were never labelled (``mail.evaluation.blunders``);
- matches against players that err on purpose (``suboptimal:T``, the papers' Connect Four figure) in both seats, with
  Wilson intervals.
Elsewhere, matches against random play alone. Everything here follows from the policies, the labels and the seed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from agents.policy import Greedy, Seats, Uniform
from agents.solver import solvable
from agents.suboptimal import parse, suboptimal
from games.base import Enumerable, Game, Keys
from mail.evaluation.arena.match import Result, match
from mail.evaluation.arena.openings import held
from mail.evaluation.blunders import blunders
from mail.evaluation.certificate.walk import search
from mail.parallel.pool import Local, Pool
from mail.parallel.solver_labels import scores

SELF = "policy"  # what the measured policies are called in their matches
OPPONENTS = (
    "suboptimal:0",
    "suboptimal:0:hopeless",
    "suboptimal:1",
    "suboptimal:2",
    "suboptimal:3",
    "suboptimal:4",
    "suboptimal:5",
)
WALKED = 100_000  # positions of the first seat's certificate; `nashmail exploit` goes on
HELD_OUT = 200  # positions of each source and seat at which blunders are counted
GAMES = 100  # of each pair in each order, in the table that a run ends with


def sampled_measures(
    game: Game, profile: Seats, *, shown: tuple[Keys, Keys], seed: int, pool: Pool | None = None
) -> dict[str, Any]:
    """What ``train`` reports of a pair of policies; the exact measures are there and null.

    ``shown`` holds per seat the keys of the positions that any learner of the run had labelled.
    """
    greedy = (Greedy(profile[0]), Greedy(profile[1]))
    found: dict[str, Any] = {
        "exploitability": None,
        "nash_gap": None,
        "greedy_exploitability": None,
        "greedy_nash_gap": None,
        "matches": [result.as_dict() for result in matches(game, profile, games=GAMES, seed=seed, pool=pool)],
        "greedy_matches": [result.as_dict() for result in matches(game, greedy, games=GAMES, seed=seed, pool=pool)],
    }
    if solvable(game) and isinstance(game, Enumerable):
        scorer = partial(scores, pool or Local())
        walked = [search(game, profile[seat], seat, limit=WALKED, scorer=scorer, pool=pool) for seat in (0, 1)]
        found["certificates"] = [certificate.as_dict() for certificate in walked]
        found["greedy_exploitability_at_least"] = [
            certificate.game_value - certificate.value if certificate.value is not None else 0.0
            for certificate in walked
        ]
        found["openings"] = held(profile[1], pool=pool).as_dict()
        found["blunders"] = [
            [
                row.as_dict()
                for row in blunders(game, profile, seat, shown=shown[seat], seed=seed, positions=HELD_OUT, pool=pool)
            ]
            for seat in (0, 1)
        ]
    return found


def matches(game: Game, profile: Seats, *, games: int, seed: int, pool: Pool | None = None) -> list[Result]:
    """The policies against random play and, where a solver knows the game, players that err on purpose; both seats."""
    others = {name: _errant(game, name) for name in OPPONENTS} if solvable(game) else {}
    others["random"] = (Uniform(), Uniform())
    found: list[Result] = []
    for name, seats in others.items():
        found += match(game, None, {SELF: profile, name: seats}, games=games, seed=seed, pool=pool)
    return found


def _errant(game: Game, name: str) -> Seats:
    temperature, random_when_lost = parse(name)
    return suboptimal(game, temperature, random_when_lost=random_when_lost)


def by_opponent(matches: list[dict[str, Any]]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """The matches of one pair of policies by opponent: with the policy in seat 0, and in seat 1."""
    first = {match["second"]: match for match in matches if match["first"] == SELF}
    second = {match["first"]: match for match in matches if match["second"] == SELF}
    return {name: (first[name], second[name]) for name in first}
