"""The last stage of training: the contents of ``result.json`` and ``figure.png``, from the measures."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mail.training.config import heading
from mail.training.context import GameContext
from mail.training.evaluate import Evaluation
from mail.training.folder import Run


def report(run: Run, context: GameContext, evaluation: Evaluation) -> tuple[dict[str, Any], bytes]:
    """The result and the figure.

    Args:
        run: The run.
        context: Its game.
        evaluation: The result of ``mail.training.evaluate``.

    Returns:
        The contents of ``result.json``, and a PNG.
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
    return result, draw_run(result, heading(result))
