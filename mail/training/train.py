"""Training from configuration to result: prepare what can be refused, then learn, evaluate, report.

    prepare                  configuration               -> the game, its model, learners and experts (``Prepared``)
    mail.training.learn      ``Prepared``                -> a ``Learned`` per learner
    mail.training.evaluate   ``Learned``                 -> measures, curves, limits (``Evaluation``)
    mail.training.report     ``Evaluation``              -> the result and its figure

All of it says how far it is, as events (``mail.training.progress``).

Learners get the game, the experts and a budget. The measures, and the exact model behind them, belong to evaluation.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from agents.policy import Seats, Uniform
from games.progress import announce, phase
from mail.data.records import GAMES, Played, stored_games
from mail.evaluation import exact
from mail.learners.base import CheckingLearner, declared, make_learner
from mail.learners.collect import Options
from mail.learners.from_games import FromGames
from mail.parallel.pool import Local, Pool
from mail.training.config import check_names
from mail.training.context import GameContext, Prepared, Task, game_context
from mail.training.evaluate import evaluate
from mail.training.folder import Config, Run, RunError
from mail.training.learn import learn
from mail.training.progress.events import Bounds, Stream
from mail.training.progress.status import StatusFile
from mail.training.report import report

NOBODY: Seats = (Uniform(), Uniform())
"""The experts of a learner that queries none."""


def train(
    run: Run, *, prepared: Prepared | None = None, pool: Pool | None = None, stream: Stream | None = None
) -> dict[str, Any]:
    """Learn, measure and write the results of a run.

    Args:
        run: An unfinished run; a killed one continues where it was.
        prepared: The result of ``prepare`` for its configuration; computed here by default.
        pool: Plays games, queries and fits policies; this process by default. Results do not depend on it.
        stream: Hands on the events of the run; a new one without sinks by default.

    Returns:
        The contents of ``result.json``.
    """
    started, pool, stream = time.perf_counter(), pool or Local(), stream or Stream()
    with stream, StatusFile(run.folder).of(stream):
        if prepared is None:
            games = stored_games(run.folder, run.config.from_games) if GAMES in run.config.learners else []
            prepared = prepare(run.config, games)
        context = prepared.context
        with phase("bounds"):
            limits = exact.limits(context.learned_model, run.config.expert)
            announce(Bounds(tuple(limits["reachable_labels"]), tuple(limits["least_games"])))
        learned = learn(run, prepared, pool=pool)
        evaluation = evaluate(run, context, learned, limits, pool=pool)
        with phase("draw"):
            result, figure = report(run, context, evaluation)
    lasted = [asdict(one) | {"seconds": seconds} for one, seconds in stream.lasted]
    run.finish(result, figure, seconds=time.perf_counter() - started, workers=pool.workers, phases=lasted)
    return result


def prepare(config: Config, games: Sequence[Played] = (), *, context: GameContext | None = None) -> Prepared:
    """Make the game, learners and experts, and check all that can be refused, before anything is written or learned.

    Args:
        config: The run's configuration.
        games: The saved games for the learner ``games``.
        context: The game of the configuration with its models, where they are at hand; made here by default.

    Raises:
        NashmailError: The configuration cannot be trained.
    """
    check(config)
    if GAMES in config.learners and not games:
        raise RunError(f"the learner {GAMES} clones saved games; name them: --from-games FILE...")
    with phase("prepare"):
        context = context or game_context(config.game, symmetry=config.symmetry)
        options = context.options(config)
        tasks = tuple(_task(name, config, context, options, games) for name in config.learners)
        if context.model is not None:  # an exact report measures the run's expert, whichever the learners query
            context.experts(config.expert)
        return Prepared(context, context.budget(config), tasks)


def _task(name: str, config: Config, context: GameContext, options: Options, games: Sequence[Played]) -> Task:
    """A learner with its experts. NashmailError where it cannot learn this game."""
    if name == GAMES:
        return Task(name, FromGames(games, options, symmetry=config.symmetry), NOBODY, explores=False)
    about = declared(name)
    learner, experts = make_learner(name, options), context.experts(about.expert or config.expert)
    if isinstance(learner, CheckingLearner):
        learner.check(context.learned, experts)
    return Task(name, learner, experts, about.explores)


def check(config: Config) -> None:
    """Refuse values that are not allowed and unknown names.

    Args:
        config: The configuration.

    Raises:
        NashmailError: For such a configuration.
    """
    config.check()
    check_names(config)
