"""The last stage of training: ``result.json`` and ``figure.png``, from what was measured."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from mail.training.context import GameContext
from mail.training.evaluate import Evaluation
from mail.training.folder import Run


def report(run: Run, known: GameContext, found: Evaluation, *, begun: float, workers: int) -> dict[str, Any]:
    """Write the result and the figure, which finishes the run, and return the result.

    Args:
        run: the run to finish.
        known: its game.
        found: what ``mail.training.evaluate`` returned.
        begun: when training began or was resumed, by ``time.perf_counter``.
        workers: processes that worked at once.
    """
    from mail.evaluation.figure import draw_run  # matplotlib is not loaded by who does not draw

    config = run.config
    result = {
        "config": {"game": config.game, "explorer": config.explorer, "expert": config.expert},
        "exact": known.exact,
        "clone": asdict(known.options(config).clone),
        "symmetry": config.symmetry,
        "seed": config.seed,
        "learners": found.learners,
        "curves": found.curves,
        "limits": found.limits,
    }
    if found.structure is not None:
        result["structure"] = found.structure
    run.finish(result, draw_run(result), seconds=time.perf_counter() - begun, workers=workers)
    return result
