"""Training from configuration to result, in three stages: learn, evaluate, report.

    mail.training.learn      run, game, pool             -> what each learner learned (``Learned``)
    mail.training.evaluate   what was learned            -> measures, curves, limits (``Evaluation``)
    mail.training.report     what was measured           -> result.json, figure.png

Learning never sees what is measured: learners get the game, the experts and a budget; the exact model and the gaps
belong to evaluation.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from mail.data.records import GAMES, Played, stored_games
from mail.learners.base import Choosy, declared, make_learner
from mail.learners.from_games import demonstrated
from mail.parallel.pool import Local, Pool
from mail.training.config import check_names
from mail.training.context import GameContext, game_context
from mail.training.evaluate import evaluate
from mail.training.folder import Config, Run, RunError
from mail.training.learn import learn
from mail.training.report import report


def train(run: Run, *, known: GameContext | None = None, pool: Pool | None = None) -> dict[str, Any]:
    """Learn, measure and write everything a run has.

    Args:
        run: a run that is not finished; one that was killed goes on where it was.
        known: what ``prepare`` returned for its configuration; made here unless given.
        pool: who plays, labels and is asked for policies; this process unless given. Results do not depend on it.

    Returns:
        What ``result.json`` holds.
    """
    begun, pool = time.perf_counter(), pool or Local()
    games = stored_games(run.folder, run.config.from_games) if GAMES in run.config.learners else []
    known = known or prepare(run.config, games)
    learned = learn(run, known, games, pool=pool)
    evaluation = evaluate(run, known, learned, pool=pool)
    return report(run, known, evaluation, begun=begun, workers=pool.workers)


def prepare(config: Config, games: Sequence[Played] = ()) -> GameContext:
    """Everything that can be refused, before anything is written or learned. ``games``: those that are cloned."""
    check(config)
    if GAMES in config.learners:
        if not games:
            raise RunError(f"the learner {GAMES} clones saved games; name them: --from-games FILE...")
        demonstrated(games, symmetry=config.symmetry)
    known = game_context(config.game, symmetry=config.symmetry)
    options = known.options(config)
    for name in config.learners:
        if name == GAMES:
            continue
        learner = make_learner(name, options)
        experts = known.experts(declared(name).expert or config.expert)
        if isinstance(learner, Choosy):
            learner.check(known.learned, experts)
    return known


def check(config: Config) -> None:
    """NashmailError for values that make no run, and for names that do not exist."""
    config.check()
    check_names(config)
