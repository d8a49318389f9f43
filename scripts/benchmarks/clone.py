"""Cloning by n-tuples beside a convolutional network, on the same labels, to the same error: ``bench.py clone``.

Labels are the first best move of minimax play at random positions of the first seat of connect4:5x4, errors are greedy
moves at other random positions that no minimax player would make. A network (the architecture of ``train`` for that
board) is fitted from scratch with several numbers of gradient steps; n-tuples from scratch with 1, 2, 4, 8 passes, and
with one pass over the first eighth, quarter and half of the labels. Each case is one network: ``labels/s`` is the
labels there are over the processor time to learn from them to that network's error, for n-tuples by the fewest passes
that get there. ``rows/s`` counts a label as often as it is read. ``same_result``: n-tuples reached the error of every
network. ``--quick`` takes connect4:4x4, fewer labels and steps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

import games
from agents.expert import make as make_expert
from agents.policy import Policy, greedy_rows
from benchmarks.results import Figures, Result, Settings, note
from games.base import Floats, Game, Rng, States
from mail.clone.dataset import Demonstrations, Fit
from mail.clone.ntuple import NtupleClone, clone_ntuple
from mail.clone.presets import preset
from mail.clone.trainers import NetworkTrainer
from mail.parallel.streams import stream

SEAT = 0
PASSES = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)
"""Over the labels, at most; below 1 one pass over such a share of them."""
PEER = "network"


@dataclass(frozen=True)
class Size:
    """How much is learned."""

    game: str
    labels: int
    steps: tuple[int, ...]
    """Gradient steps of the networks."""


FULL = Size("connect4:5x4", 50_000, (500, 2000, 8000))
QUICK = Size("connect4:4x4", 2_000, (10, 40))


@dataclass(frozen=True)
class Task:
    """Labels to learn, and other positions to be judged by."""

    game: Game
    labelled: Demonstrations
    states: States  # [N, W] held out
    right: Floats  # [N, A] above 0 for moves of minimax play

    def error(self, policy: Policy) -> float:
        """The share of held-out positions at which the greedy move is wrong."""
        moves = greedy_rows(policy.probabilities(self.game, self.states, SEAT))
        return float(1.0 - ((self.right > 0) & (moves > 0)).any(1).mean())


def run(settings: Settings) -> Result:
    """Networks of several numbers of steps, and n-tuples that are as good."""
    size, repeats = QUICK if settings.quick else FULL, settings.repeats or 1
    found: list[tuple[Figures, Figures, bool]] = []
    for repeat in range(repeats):
        found.append(once(size, stream(settings.seed, "bench/clone", shard=repeat)))
    ours = {case: median(one[0][case] for one in found) for case in found[0][0]}
    theirs = {case: median(one[1][case] for one in found) for case in found[0][1]}
    units = {case: "labels/s" if "steps" in case else "rows/s" for case in ours}
    return Result(ours, {PEER: theirs}, units, repeats, all(one[2] for one in found))


def once(size: Size, rng: Rng) -> tuple[Figures, Figures, bool]:
    """The figures of n-tuples, those of networks, and whether n-tuples reached every error."""
    given = task(size, rng)
    for warm in (ntuple, network):  # compiled, and loaded
        warm(replace(given, labelled=first(given.labelled, 10)), 1, rng)()
    ours: Figures = {}
    theirs: Figures = {}
    tuples = [(passes, *measured(given, ntuple(given, passes, rng))) for passes in PASSES]
    for passes, seconds, error, rows in tuples:
        note(f"n-tuples, {passes:g} passes at most: error {error:.4f}, {seconds:.3g} s, {rows / seconds:,.0f} rows/s")
    reached = True
    for steps in size.steps:
        seconds, error, rows = measured(given, network(given, steps, rng))
        note(f"network, {steps} steps: error {error:.4f}, {seconds:.3g} s, {rows / seconds:,.0f} rows/s")
        enough = [one for one in tuples if one[2] <= error]
        reached &= bool(enough)
        case = f"{steps} steps"
        theirs[case] = len(given.labelled) / seconds
        ours[case] = len(given.labelled) / (enough or tuples[-1:])[0][1]
        theirs["read"] = rows / seconds
    ours["read"] = tuples[-1][3] / tuples[-1][1]
    return ours, theirs, reached


def task(size: Size, rng: Rng) -> Task:
    """Random positions of the seat: some with a label, as many others to judge by, at most 20,000."""
    model = games.GameGraph(games.make(size.game))  # type: ignore[arg-type]
    board = model.game
    rows = rng.permutation(np.flatnonzero(model.legal(SEAT).any(1)))[: size.labels + min(size.labels, 20_000)]
    labelled, held = model.states[rows[: size.labels]], model.states[rows[size.labels :]]
    label = make_expert("first", model)[SEAT].probabilities(board, labelled, SEAT)
    right = make_expert("uniform", model)[SEAT].probabilities(board, held, SEAT)
    views = labelled, board.key(labelled, SEAT), board.observe(labelled, SEAT), board.legal(labelled, SEAT)
    return Task(board, Demonstrations(*views, label, np.ones(len(labelled), dtype=np.int64)), held, right)


def first(labelled: Demonstrations, count: int) -> Demonstrations:
    """The first labels."""
    return Demonstrations(
        labelled.state[:count],
        labelled.key[:count],
        labelled.observation[:count],
        labelled.legal[:count],
        labelled.total[:count],
        labelled.count[:count],
    )


def measured(given: Task, fit: Callable[[], tuple[Fit, int]]) -> tuple[float, float, int]:
    """Processor seconds of a fit, its error, and how many rows it read."""
    start = time.process_time()
    made, rows = fit()
    return time.process_time() - start, given.error(made.policy), rows


def ntuple(given: Task, passes: float, rng: Rng) -> Callable[[], tuple[Fit, int]]:
    """A fit of at most so many passes."""
    labelled = first(given.labelled, math.ceil(len(given.labelled) * min(1.0, passes)))

    def fit() -> tuple[Fit, int]:
        made = clone_ntuple(given.game, labelled, NtupleClone(passes=math.ceil(passes)), rng=rng)
        return made, made.steps * len(labelled)

    return fit


def network(given: Task, steps: int, rng: Rng) -> Callable[[], tuple[Fit, int]]:
    """A fit of so many gradient steps."""
    config = replace(preset(given.game).clone, max_steps=steps, tolerance=0.0)

    def fit() -> tuple[Fit, int]:
        made = NetworkTrainer(given.game, config, rng=rng).train(given.labelled, rng=rng)
        return made, made.steps * min(config.batch, len(given.labelled))

    return fit
