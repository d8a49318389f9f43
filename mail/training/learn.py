"""The first stage of training: each learner of a run in turn, within its budget.

A learner gets the game, the experts and a budget, never what is measured of it. What it returns, one ``Learned`` per
name, is what ``mail.training.evaluate`` takes.
"""

from __future__ import annotations

from collections.abc import Sequence

from mail.data.records import GAMES, Played
from mail.learners.base import declared, make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Learned
from mail.learners.from_games import learn_from_games
from mail.parallel.pool import Pool
from mail.training.context import GameContext
from mail.training.folder import Run


def learn(run: Run, known: GameContext, games: Sequence[Played], *, pool: Pool) -> dict[str, Learned]:
    """Learn with each learner of the run, and save its policies.

    Args:
        run: whose configuration says what to learn, and in whose journal rounds and clones are kept.
        known: the run's game.
        games: the saved games that the learner ``games`` clones.
        pool: who plays and labels.

    Returns:
        What each learner learned, by name, in the order of the configuration.
    """
    config, options = run.config, known.options(run.config)
    wanted = (config.labels, config.labels) if config.labels else None
    spent: tuple[int, int] | None = None
    found: dict[str, Learned] = {}
    for name in config.learners:
        if name == GAMES:
            learned = learn_from_games(games, options, symmetry=config.symmetry)
        else:
            learner = make_learner(name, options)
            experts = known.experts(declared(name).expert or config.expert)
            budget = Budget(config.episodes, wanted or (None if explores(name) else spent))
            learned = learner.learn(known.learned, experts, budget, pool=pool, journal=run.journal)
        if explores(name) and spent is None:
            spent = learned.labels
        run.save_policies(name, known.lifted(learned.policies), known.game)
        found[name] = learned
    return found


def explores(name: str) -> bool:
    """Whether a learner decides itself what is labelled: the others are given as many labels as the first that does."""
    return name != GAMES and declared(name).explores
