"""Training from configuration to result: learn with each learner, measure, draw the figure.

Games with an exact model (``games.models``) are measured exactly; others by certificates and samples
(``mail.evaluation.sampled``), and their result says ``exact: false``. Learning never sees what is measured here:
learners get the game, the experts and a budget; the model and the gaps belong to this module.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from agents.expert import names as expert_names
from agents.policy import PolicyError, Seats
from games.base import Keys, Model
from games.markov.model import MarkovModel
from games.registry import make as make_game
from mail import explore
from mail.clone.presets import preset
from mail.data.records import GAMES, Played, stored_games
from mail.evaluation import sampled
from mail.evaluation.blunders import canonical_keys
from mail.evaluation.exact import limits, measures, point
from mail.evaluation.linear_report import bounds, structure
from mail.learners import noise_injection  # noqa: F401  (it registers its learner)
from mail.learners.base import Choosy, make_learner
from mail.learners.base import check as check_learner
from mail.learners.budget import Budget
from mail.learners.collect import Learned, Options, cloned
from mail.learners.from_games import demonstrated, learn_from_games
from mail.parallel.pool import Local, Pool
from mail.parallel.streams import stream
from mail.training.folder import Config, Run, RunError
from mail.training.ground import GameContext, ground


def train(run: Run, *, known: GameContext | None = None, pool: Pool | None = None) -> dict[str, Any]:
    """Learn, measure and write everything a run has; returns what result.json holds. ``known``: from ``prepare``.

    ``pool`` plays, labels and asks policies; who works there changes nothing but the time it takes.
    """
    config, pool = run.config, pool or Local()
    begun = time.perf_counter()
    games = stored_games(run.folder, config.from_games) if GAMES in config.learners else []
    known = known or prepare(config, games)
    learners: dict[str, Any] = {}
    curves: dict[str, Any] = {}
    sampled_later: dict[str, tuple[Seats, Learned]] = {}
    spent: tuple[int, int] | None = None
    wanted = (config.labels, config.labels) if config.labels else None
    for name in config.learners:
        options = options_of(config, known)
        if name == GAMES:
            learned = learn_from_games(games, options, symmetry=config.symmetry)
        else:
            learner = make_learner(name, options)
            experts = known.experts(learner.expert or config.expert)
            budget = Budget(config.episodes, wanted or (None if explores(name) else spent))
            learned = learner.learn(known.learned, experts, budget, pool=pool, journal=run)
        if explores(name) and spent is None:
            spent = (label_counts(learned)[0], label_counts(learned)[1])
        profile = (known.lift(learned.policies[0]), known.lift(learned.policies[1]))
        run.save_policies(name, profile, known.game)
        learners[name] = spending(learned)
        if known.model is None:
            sampled_later[name] = profile, learned
        else:
            learners[name] |= measures(known.model, profile, pool=pool)
            if isinstance(known.model, MarkovModel):
                learners[name] |= bounds(known.model, profile, known.experts(config.expert))
            curves[name] = [curve(known, known.model, learned, seat, name, config, options, pool) for seat in (0, 1)]
    shown = (labelled(known, sampled_later, 0), labelled(known, sampled_later, 1))
    for name, (profile, _) in sampled_later.items():
        measure = partial(sampled.measures, known.game, profile, shown=shown, seed=config.seed, pool=pool)
        learners[name] |= run.measured(name, measure)
    result = {
        "config": {"game": config.game, "explorer": config.explorer, "expert": config.expert},
        "exact": known.exact,
        "clone": asdict(preset(known.game).clone),
        "symmetry": config.symmetry,
        "seed": config.seed,
        "learners": learners,
        "curves": curves,
        "limits": limits(known.learned_model, config.expert),
    }
    if isinstance(known.model, MarkovModel):
        result["structure"] = structure(known.model, known.experts(config.expert), seed=config.seed)
    from mail.training.figure import draw_run

    run.finish(result, draw_run(result), seconds=time.perf_counter() - begun, workers=pool.workers)
    return result


def explores(name: str) -> bool:
    """Whether a learner is one of ours that explore: its asks are its own, and the others are given as many."""
    return name == "mail" or name.startswith("mail-")


def options_of(config: Config, known: GameContext) -> Options:
    """What a run's learners are made with."""
    return Options(
        seed=config.seed,
        explorer=config.explorer,
        clone=preset(known.game).clone,
        device=config.device,
        model=known.learned_model,
    )


def prepare(config: Config, games: Sequence[Played] = ()) -> GameContext:
    """Everything that can be refused, before anything is written or learned. ``games``: those that are cloned."""
    check(config)
    if GAMES in config.learners:
        if not games:
            raise RunError(f"the learner {GAMES} clones saved games; name them: --from-games FILE...")
        demonstrated(games, symmetry=config.symmetry)
    known = ground(config.game, symmetry=config.symmetry)
    options = options_of(config, known)
    for name in config.learners:
        if name == GAMES:
            continue
        learner = make_learner(name, options)
        experts = known.experts(learner.expert or config.expert)
        if isinstance(learner, Choosy):
            learner.check(known.learned, experts)
    return known


def check(config: Config) -> None:
    """NashmailError for names that do not exist."""
    config.check()
    make_game(config.game)
    explore.check(config.explorer)
    if config.expert not in expert_names():
        raise PolicyError(f"no expert is called {config.expert!r}; the experts are: {', '.join(expert_names())}")
    for name in config.learners:
        if name != GAMES:
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


def labelled(known: GameContext, found: dict[str, tuple[Seats, Learned]], seat: int) -> Keys:
    """[K, 2] keys, equal for mirror images, of all positions of a seat that any of these learners had labelled."""
    keys = [np.zeros((0, 2), dtype=np.uint64)]
    for _, learned in found.values():
        decisions = learned.decisions[seat]
        keys.append(canonical_keys(known.game, decisions.state[decisions.queried & (decisions.seat == seat)], seat))
    return np.unique(np.concatenate(keys), axis=0)


def curve(
    known: GameContext,
    model: Model,
    learned: Learned,
    seat: int,
    name: str,
    config: Config,
    options: Options,
    pool: Pool | None = None,
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
            policy = cloned(learned.cloner, known.learned, part, seat, options, rng=rng).policy
        points.append({"labels": labels, **point(model, known.lift(policy), seat, pool=pool)})
    return points
