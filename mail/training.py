"""Training from configuration to result: learn with each learner, measure exactly, draw the figure.

Learning never sees what is measured here: learners get the game, the experts and a budget; the model and
the gaps belong to this module.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from agents.expert import make as make_expert
from agents.expert import names as expert_names
from agents.expert import optimal_table
from agents.policy import Lifted, Policy, PolicyError, Seats, greedy_rows, tabulate
from games.base import Enumerable, Game, Symmetric
from games.graph import GameGraph
from games.registry import make as make_game
from games.symmetry import Quotient
from mail import explore
from mail.clone import clone
from mail.gap import exploitability, table_gap
from mail.learners import Budget, Learned, Options, make_learner
from mail.learners import check as check_learner
from mail.least import imitation_limit, least
from mail.pool import Local, Pool
from mail.runs import Config, Run
from mail.streams import stream


@dataclass(frozen=True)
class Ground:
    """What is known exactly about a run's game: the board's model, and that of the game it is learned on."""

    game: Game
    model: GameGraph
    learned: Game
    """The quotient with symmetry on, else the game itself."""
    learned_model: GameGraph

    def lift(self, policy: Policy) -> Policy:
        """A policy of the learned game as it plays on the board."""
        return Lifted(policy, self.learned) if isinstance(self.learned, Quotient) else policy


def ground(name: str, *, symmetry: bool) -> Ground:
    """Build game and models. GameError if the game cannot be enumerated, or has no symmetry where it is on."""
    game = make_game(name)
    if not isinstance(game, Enumerable):
        raise PolicyError(f"{name} cannot be enumerated, so it has no exact expert and no exact gap")
    model = GameGraph(game)
    if not symmetry:
        return Ground(game, model, game, model)
    if not isinstance(game, Symmetric):
        raise PolicyError(f"{name} has no board symmetries; leave --symmetry off")
    quotient = Quotient(game)
    return Ground(game, model, quotient, GameGraph(quotient))


def train(run: Run, *, known: Ground | None = None, pool: Pool | None = None, workers: int = 1) -> dict[str, Any]:
    """Learn, measure and write everything a run has; returns what result.json holds. ``known``: from ``prepare``."""
    config = run.config
    begun = time.perf_counter()
    known = known or prepare(config)
    learners: dict[str, Any] = {}
    curves: dict[str, Any] = {}
    spent: tuple[int, int] | None = None
    for name in config.learners:
        options = Options(seed=config.seed, explorer=config.explorer, device=config.device, model=known.learned_model)
        learner = make_learner(name, options)
        experts = make_expert(learner.expert or config.expert, known.learned_model)
        budget = Budget(config.episodes, None if name == "mail" else spent)
        learned = learner.learn(known.learned, experts, budget, pool=pool or Local(), journal=run)
        if name == "mail":
            spent = (label_counts(learned)[0], label_counts(learned)[1])
        profile = (known.lift(learned.policies[0]), known.lift(learned.policies[1]))
        run.save_policies(name, profile, known.game)
        learners[name] = {**spending(learned), **measures(known.model, profile)}
        curves[name] = [curve(known, learned, seat, name, config, options) for seat in (0, 1)]
    result = {
        "config": {"game": config.game, "explorer": config.explorer, "expert": config.expert},
        "symmetry": config.symmetry,
        "seed": config.seed,
        "learners": learners,
        "curves": curves,
        "limits": limits(known, config.expert),
    }
    from mail.figure import draw_run

    run.finish(result, draw_run(result), seconds=time.perf_counter() - begun, workers=workers)
    return result


def prepare(config: Config) -> Ground:
    """Everything that can be refused, before anything is written or learned."""
    check(config)
    return ground(config.game, symmetry=config.symmetry)


def check(config: Config) -> None:
    """NashmailError for names that do not exist."""
    config.check()
    make_game(config.game)
    explore.check(config.explorer)
    if config.expert not in expert_names():
        raise PolicyError(f"no expert is called {config.expert!r}; the experts are: {', '.join(expert_names())}")
    for name in config.learners:
        check_learner(name)


def label_counts(learned: Learned) -> list[int]:
    """Asks per seat."""
    return [learned.decisions[seat].take(learned.decisions[seat].seat == seat).labels() for seat in (0, 1)]


def spending(learned: Learned) -> dict[str, Any]:
    """The budget words: both seats together, and by seat."""
    mine = [learned.decisions[seat].take(learned.decisions[seat].seat == seat) for seat in (0, 1)]
    labels, distinct = label_counts(learned), [part.distinct_labels() for part in mine]
    return {
        "games": learned.games,
        "labels": sum(labels),
        "distinct_labels": sum(distinct),
        "games_by_seat": [part.games for part in learned.decisions],
        "labels_by_seat": labels,
        "distinct_labels_by_seat": distinct,
    }


def measures(model: GameGraph, profile: Seats) -> dict[str, Any]:
    """Exploitability and gap, as the policies are and greedy."""
    tables = tabulate(model, profile[0], 0), tabulate(model, profile[1], 1)
    soft, hard = table_gap(model, tables), table_gap(model, (greedy_rows(tables[0]), greedy_rows(tables[1])))
    return {
        "exploitability": list(soft.exploitability),
        "nash_gap": soft.nash_gap,
        "nash_gap_max": soft.nash_gap_max,
        "greedy_exploitability": list(hard.exploitability),
        "greedy_nash_gap": hard.nash_gap,
    }


def curve(
    known: Ground, learned: Learned, seat: int, name: str, config: Config, options: Options
) -> list[dict[str, Any]]:
    """One seat's exploitability when only its first n labels are cloned, n growing in equal steps to all."""
    decisions = learned.decisions[seat]
    total = label_counts(learned)[seat]
    budgets = sorted({max(1, round(total * part / config.points)) for part in range(1, config.points + 1)})
    points = []
    for index, labels in enumerate(budgets):
        part = decisions.first_labels(seat, labels)
        if labels == total:
            policy = learned.policies[seat]
        else:
            rng = stream(config.seed, f"{name}/curve", seat=seat, round_=index)
            policy = clone(known.learned, part, seat, config=options.clone, rng=rng, device=options.device).policy
        points.append({"labels": labels, **point(known.model, known.lift(policy), seat)})
    return points


def point(model: GameGraph, policy: Policy, seat: int) -> dict[str, float]:
    """One seat's exploitability, as the policy is and greedy."""
    table = tabulate(model, policy, seat)
    return {
        "exploitability": exploitability(model, table, seat),
        "greedy_exploitability": exploitability(model, greedy_rows(table), seat),
    }


def limits(known: Ground, expert: str) -> dict[str, Any]:
    """What no learner can undercut, and where cloning without exploring ends up, from the exact graph."""
    graph = known.learned_model
    found: dict[str, Any] = {"least_games": [], "reachable_labels": [], "bc_infinite": {}}
    if expert not in ("first", "uniform"):
        return found
    table = optimal_table(graph, ties=expert)
    for seat in (0, 1):
        bound = least(graph, table, seat)
        found["least_games"].append(bound.games)
        found["reachable_labels"].append(bound.labels)
    for ties in ("first", "uniform"):
        experts = (optimal_table(graph, ties=ties),) * 2
        found["bc_infinite"][ties] = [
            exploitability(graph, imitation_limit(graph, experts, seat), seat) for seat in (0, 1)
        ]
    return found
