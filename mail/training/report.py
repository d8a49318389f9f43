"""The last stage of training: ``result.json`` and ``figure.png``, from the measures."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from mail.training.config import heading
from mail.training.context import GameContext
from mail.training.evaluate import Evaluation
from mail.training.folder import Run


def report(run: Run, context: GameContext, evaluation: Evaluation, *, started: float, workers: int) -> dict[str, Any]:
    """Write the result and the figure, which finishes the run, and return the result.

    Args:
        run: The run to finish.
        context: Its game.
        evaluation: The result of ``mail.training.evaluate``.
        started: When training started or resumed, by ``time.perf_counter``.
        workers: The number of worker processes.
    """
    from mail.evaluation.figure import draw_run  # imports matplotlib

    config = run.config
    knowledge = {"knowledge": config.knowledge} if config.knowledge else {}
    result = {
        "config": {"game": config.game, "explorer": config.explorer, "expert": config.expert} | knowledge,
        "exact": context.exact(config.expert),
        "clone": asdict(context.options(config).clone),
        "symmetry": config.symmetry,
        "seed": config.seed,
        "learners": evaluation.learners,
        "curves": evaluation.curves,
        "limits": evaluation.limits,
    }
    if evaluation.expert is not None:
        result["expert"] = evaluation.expert
    if evaluation.structure is not None:
        result["structure"] = evaluation.structure
    run.finish(result, draw_run(result, heading(result)), seconds=time.perf_counter() - started, workers=workers)
    return result
