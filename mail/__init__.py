"""Imitation learning in zero-sum games, with exact measures: ``mail.train``, ``mail.compare``, ``mail.nash_gap``,
``mail.load_profile``.

Names are imported when they are first used, so that ``import mail`` and ``nashmail --help`` stay light; nothing at
all is imported here, so that the command's entry, which comes after this, can catch Ctrl-C from the first moment on.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike
    from typing import Any

    from mail.training.progress.events import Event

_HOMES = {
    "Budget": "mail.learners.budget",
    "ClonerDeclaration": "mail.clone.registry",
    "Config": "mail.training.config",
    "Decisions": "mail.data.decisions",
    "Event": "mail.training.progress.events",
    "ExplorerDeclaration": "mail.explore.base",
    "Gap": "mail.evaluation.gap",
    "LearnerDeclaration": "mail.learners.base",
    "Run": "mail.training.folder",
    "load_profile": "mail.training.profile",
    "nash_gap": "mail.evaluation.gap",
    "register_cloner": ("mail.clone.registry", "register"),
    "register_explorer": ("mail.explore", "register"),
    "register_learner": ("mail.learners", "register"),
}


def train(
    game: str,
    out: str | PathLike[str],
    *,
    learners: Sequence[str] = ("mail", "bc"),
    explorer: str = "deep",
    expert: str = "first",
    symmetry: bool = False,
    episodes: int = 1000,
    labels: int = 0,
    seed: int = 0,
    device: str = "cpu",
    points: int = 8,
    knowledge: str = "",
    progress: Callable[[Event], object] | None = None,
) -> dict[str, Any]:
    """Train on a game into a new folder, measure, and return the result.

    Args:
        game: A game's name, as ``games.make`` takes it.
        out: The run's folder, which holds nothing yet.
        learners: Learned in this order. Those that do not explore spend as many labels as the first that does.
        explorer: The explorer of learners that leave it to the run, like ``mail``.
        expert: Which of equally good actions the expert takes: ``first``, ``uniform``, ``values``, ``few``, ``vertex``.
        symmetry: Whether positions that are images of each other are learned as one.
        episodes: Most games per seat.
        labels: Expert queries per seat that every learner spends; 0 for as many as bring something new.
        seed: Of every random stream, 0 or more.
        device: Where networks are trained and queried, a torch device: ``cpu``, ``cuda``, ``mps``.
        points: Budgets, equally far apart, at which the curves of exploitability are measured; at least 1.
        knowledge: What the learners may know, which the result reports: ``play`` refuses those that know more than
            play and labels, ``all`` none; empty to say nothing.
        progress: Called with every event of the run (``mail.training.progress.events``) in this thread: phases that
            begin, advance and end, rounds, measures. What it raises ends the run, which can be resumed.

    Returns:
        What the run's ``result.json`` holds: ``learners`` with the measures of each by name, ``curves``, ``limits``.

    Raises:
        NashmailError: For names that do not exist, values that make no run, a game that the expert or a learner cannot
            play, and a folder that holds something already.
    """
    from pathlib import Path

    from mail.training.folder import Config, Run
    from mail.training.progress.events import Stream
    from mail.training.train import prepare
    from mail.training.train import train as run_training

    config = Config(
        game=game,
        learners=tuple(learners),
        explorer=explorer,
        expert=expert,
        symmetry=symmetry,
        episodes=episodes,
        labels=labels,
        seed=seed,
        device=device,
        points=points,
        knowledge=knowledge,
    )
    stream = Stream([] if progress is None else [progress])
    with stream:
        prepared = prepare(config)
    return run_training(Run.create(Path(out), config), prepared=prepared, stream=stream)


def compare(
    game: str,
    *,
    learners: Sequence[str] = ("mail", "bc"),
    explorers: Sequence[str] = ("deep",),
    budgets: Sequence[int] = (1000,),
    seeds: int = 10,
    expert: str = "first",
    symmetry: bool = False,
    episodes: int = 1000,
    out: str | PathLike[str] | None = None,
    workers: int = 1,
) -> list[dict[str, Any]]:
    """Compare learners over seeds and budgets by exact measures, and return tidy rows.

    Args:
        game: A game's name, as ``games.make`` takes it, with an exact model.
        learners: The learners.
        explorers: The explorers of learners that use the run's, like ``mail``; other learners appear once.
        budgets: Expert queries per seat that every learner spends; 0 for as many as bring something new.
        seeds: How many seeds, counted from 0.
        expert: Which of equally good actions the expert takes, for learners without an expert of their own.
        symmetry: Whether positions that are images of each other are learned as one.
        episodes: Most games per seat.
        out: A folder that keeps every finished cell, so that a comparison that was killed goes on; None keeps nothing.
        workers: The number of processes.

    Returns:
        A dictionary per cell, by learner, then explorer, budget and seed, with ``learner``, ``explorer``, ``budget``,
        ``seed``, ``key`` (a hash of the cell's configuration), ``knows``, counts (``labels``, ``distinct_labels``,
        ``games``, ``steps``), measures (``value_gap``, ``exploitability_0``, ``nash_gap``, ``greedy_nash_gap`` and so
        on, in units of reward), ``cpu_seconds`` of learning, and ``failed``: the reason if the cell failed, else "".

    Raises:
        NashmailError: For names that do not exist, and for a game that the expert or a learner cannot play; nothing
            has run then.
    """
    from pathlib import Path

    from mail.parallel.open import pool_for
    from mail.training.compare.grid import Grid
    from mail.training.compare.run import compare as run_comparison

    grid = Grid(game, tuple(learners), tuple(explorers), tuple(budgets), seeds, expert, symmetry, episodes)
    with pool_for(workers) as pool:
        return run_comparison(grid.check(), None if out is None else Path(out), pool=pool)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mail' has no attribute {name!r}")
    from importlib import import_module

    home = _HOMES[name]
    module, attribute = home if isinstance(home, tuple) else (home, name)
    return getattr(import_module(module), attribute)
