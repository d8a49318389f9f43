"""The first stage of training: each learner of a run in turn, within its budget.

A learner gets the game, the experts and a budget, but no measures. Its result, a ``Learned``, is the input of
``mail.training.evaluate``.
"""

from __future__ import annotations

from dataclasses import replace

from games.progress import phase
from mail.learners.collect import Learned
from mail.parallel.pool import Pool
from mail.training.context import Prepared
from mail.training.folder import Run


def learn(run: Run, prepared: Prepared, *, pool: Pool) -> dict[str, Learned]:
    """Learn with each learner of the run, and save its policies.

    Args:
        run: Its journal stores rounds and clones.
        prepared: The run's game, its learners and their budget.
        pool: Plays games, queries experts and fits clones.

    Returns:
        The result of each learner, by name, in the order of the configuration.
    """
    context, budget = prepared.context, prepared.budget
    spent: tuple[int, int] | None = None  # by the first learner that explores: the others get as many labels
    results: dict[str, Learned] = {}
    for task in prepared.tasks:
        own = replace(budget, labels=budget.labels or (None if task.explores else spent))
        with phase("learn", learner=task.name):
            learned = task.learner.learn(context.learned, task.experts, own, pool=pool, journal=run.journal)
        if task.explores and spent is None:
            spent = learned.labels
        run.save_policies(task.name, context.lifted(learned.policies), context.game)
        results[task.name] = learned
    return results
