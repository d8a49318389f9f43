"""Measures of policies in games that are too large to enumerate. None of them is an exact gap.

Where a solver knows the game (Connect Four on 6x7):
- the certificate of the first seat's greedy policy (``mail.evaluation.certificate.walk``): a refutation, a proof, or
  neither;
- the results of the second seat from drawn openings (``mail.evaluation.arena.openings``): it cannot be exploited,
  because the game is lost for it;
- blunder rates on positions that were never labelled (``mail.evaluation.blunders``);
- matches in both seats against players that err on purpose (``suboptimal:T``, the opponents of the paper's Connect Four
  figure), with Wilson intervals.
In other games, matches against random play and the expert, and ``mail.evaluation.searched``. Results depend only on the
policies, the labels and the seed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from agents.policy import Greedy, Seats, Uniform
from agents.solver import solvable
from agents.suboptimal import parse, suboptimal
from games.base import Game, Keys, as_enumerable
from mail.evaluation.arena.match import Result, match
from mail.evaluation.arena.openings import play_openings
from mail.evaluation.blunders import blunders
from mail.evaluation.certificate.walk import search
from mail.parallel.pool import Local, Pool
from mail.parallel.solver_labels import scores

EXACT_KEYS = ("exploitability", "nash_gap", "greedy_exploitability", "greedy_nash_gap")
"""The keys of exact measures, null where there are none."""
SELF = "policy"  # the name of the measured policies in their matches
OPPONENTS = (
    "suboptimal:0",
    "suboptimal:0:hopeless",
    "suboptimal:1",
    "suboptimal:2",
    "suboptimal:3",
    "suboptimal:4",
    "suboptimal:5",
)
WALKED = 100_000  # positions of the first seat's certificate; `nashmail exploit` goes further
HELD_OUT = 200  # positions per source and seat for blunder rates
GAMES = 100  # per pair and order, in the table at the end of a run
AGAINST_EXPERT = 20  # the same against an expert without a solver, which may think for long


def sampled_measures(
    game: Game,
    profile: Seats,
    *,
    expert: tuple[str, Seats],
    labelled_keys: tuple[Keys, Keys],
    seed: int,
    pool: Pool | None = None,
) -> dict[str, Any]:
    """What ``train`` reports of a pair of policies; the keys of exact measures are present and null.

    Args:
        game: The game.
        profile: Seat 0's and seat 1's policies.
        expert: The name of the expert that was imitated, and its policies of both seats.
        labelled_keys: Per seat, [K, 2] uint64 keys of the positions labelled for any learner of the run.
        seed: Of the matches and of positions for blunder rates.
        pool: Plays and solves; this process by default.
    """
    greedy = (Greedy(profile[0]), Greedy(profile[1]))
    measured: dict[str, Any] = {
        **dict.fromkeys(EXACT_KEYS),
        "matches": [one.as_dict() for one in matches(game, profile, expert, games=GAMES, seed=seed, pool=pool)],
        "greedy_matches": [one.as_dict() for one in matches(game, greedy, expert, games=GAMES, seed=seed, pool=pool)],
    }
    if not solvable(game):
        keys, name = labelled_keys, expert[0]
        from mail.evaluation.searched import searched_measures  # imports torch, which tables of results do without

        measured |= searched_measures(game, profile, expert_name=name, labelled_keys=keys, seed=seed, pool=pool)
    else:
        scorer = partial(scores, pool or Local())
        board = as_enumerable(game)
        walked = [search(board, profile[seat], seat, limit=WALKED, scorer=scorer, pool=pool) for seat in (0, 1)]
        measured["certificates"] = [certificate.as_dict() for certificate in walked]
        measured["greedy_exploitability_at_least"] = [
            certificate.game_value - certificate.value if certificate.value is not None else 0.0
            for certificate in walked
        ]
        measured["openings"] = play_openings(profile[1], pool=pool).as_dict()
        measured["blunders"] = [
            [
                row.as_dict()
                for row in blunders(
                    game,
                    profile,
                    seat,
                    labelled_keys=labelled_keys[seat],
                    seed=seed,
                    positions=HELD_OUT,
                    pool=pool,
                )
            ]
            for seat in (0, 1)
        ]
    return measured


def matches(
    game: Game, profile: Seats, expert: tuple[str, Seats], *, games: int, seed: int, pool: Pool | None = None
) -> list[Result]:
    """Matches of the policies in both seats.

    The opponents are random play and, where a solver knows the game, ``suboptimal`` players, else the expert.

    Args:
        game: The game.
        profile: The policies.
        expert: The expert's name, and its policies.
        games: Games of each pair and seat.
        seed: Of the games.
        pool: Plays them; by default this process.
    """
    solved = solvable(game)
    others = {name: _errant(game, name) for name in OPPONENTS} if solved else dict([expert])
    others["random"] = (Uniform(), Uniform())
    results: list[Result] = []
    for name, seats in others.items():
        count = min(games, AGAINST_EXPERT) if not solved and name == expert[0] else games
        results += match(game, None, {SELF: profile, name: seats}, games=count, seed=seed, pool=pool)
    return results


def _errant(game: Game, name: str) -> Seats:
    temperature, random_when_lost = parse(name)
    return suboptimal(game, temperature, random_when_lost=random_when_lost)


def by_opponent(matches: list[dict[str, Any]]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """The matches of one pair of policies by opponent.

    Args:
        matches: Results of matches, as a run's result has them.

    Returns:
        By the opponent's name: the match with the policy in seat 0, and that in seat 1.
    """
    first = {match["second"]: match for match in matches if match["first"] == SELF}
    second = {match["first"]: match for match in matches if match["second"] == SELF}
    return {name: (first[name], second[name]) for name in first}
