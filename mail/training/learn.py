"""The first stage of training: each learner of a run in turn, within its budget.

A learner gets the game, the experts and a budget, never what is measured of it. What it returns, one ``Learned`` per
name, is what ``mail.training.evaluate`` takes.
"""

from __future__ import annotations

from mail.learners.budget import Budget
from mail.learners.collect import Learned
from mail.parallel.pool import Pool
from mail.training.context import Prepared
from mail.training.folder import Run


def learn(run: Run, prepared: Prepared, *, pool: Pool) -> dict[str, Learned]:
    """Learn with each learner of the run, and save its policies.

    Args:
        run: whose configuration says what may be spent, and in whose journal rounds and clones are kept.
        prepared: the run's game and its learners.
        pool: who plays and labels.

    Returns:
        What each learner learned, by name, in the order of the configuration.
    """
    config, known = run.config, prepared.known
    wanted = (config.labels, config.labels) if config.labels else None
    spent: tuple[int, int] | None = None  # by the first learner that explores: the others get as many labels
    found: dict[str, Learned] = {}
    for task in prepared.tasks:
        budget = Budget(config.episodes, wanted or (None if task.explores else spent))
        learned = task.learner.learn(known.learned, task.experts, budget, pool=pool, journal=run.journal)
        if task.explores and spent is None:
            spent = learned.labels
        run.save_policies(task.name, known.lifted(learned.policies), known.game)
        found[task.name] = learned
    return found
