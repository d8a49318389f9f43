"""Cloning into an n-tuple policy (``agents.ntuple``): a convex problem in many weights, by Adagrad.

Positions that are images of one another are one row with the mean of their labels, since the policy answers them alike.
A label is read as a distribution, and the loss is the cross-entropy  -sum_a y_a log p_a;  with ``sets`` as the set of
actions that it gives any probability, all equally good, and the loss is  -log sum_{a in set} p_a.

Only rows that are further from their label than a tolerance teach, so that a pass costs little once most are learned,
and training ends when a pass finds none. ``NtupleTrainer`` learns on when there are more labels.

Sources: Thill, Koch, Konen, PPSN 2012 (n-tuples); Duchi, Hazan, Singer, JMLR 2011 (Adagrad).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.ntuple import Codes, Digits, Grid, NtuplePolicy, Weights
from games.base import Bools, Floats, Game, Ints, NashmailError, Rng
from mail.clone.dataset import Demonstrations, Fit

_SHORTEST, _LONGEST = 5, 10  # cells of a tuple where a configuration names none


@dataclass(frozen=True)
class NtupleClone:
    """How an n-tuple clone is fitted."""

    tuples: int = 100
    """M, how many tuples are drawn."""
    length: int = 0
    """L, cells of each; 0 for what suits the board (``length_for``). Longer than the board is refused."""
    rate: float = 0.05
    """Of Adagrad."""
    passes: int = 50
    """Most passes over the rows."""
    tolerance: float = 1e-2
    """A row teaches while it leaves more than this probability on actions that its label never takes ..."""
    mixed_tolerance: float = 0.1
    """... or is further than this, in total variation, from its label. Sets have the first condition alone."""
    sets: bool = False
    """Whether a label is the set of actions that it gives any probability."""
    tied: bool = True
    """Whether weights are shared by the board's symmetries."""


def length_for(grid: Grid) -> int:
    """L that suits a board: a third of its cells, from 5 to 10. Tuples of most of a small board would be a table, which
    says nothing of other positions.
    """
    return min(grid.cells, max(_SHORTEST, min(_LONGEST, (grid.cells + 2) // 3)))


@dataclass(frozen=True)
class Rows:
    """What there is to learn, one row for all images of a position; R rows, C cells, A actions."""

    digits: Digits  # [R, C]
    legal: Bools  # [R, A]
    label: NDArray[np.float32]  # [R, A]

    @classmethod
    def of(cls, shown: Demonstrations, grid: Grid) -> Rows:
        """Demonstrations brought to the least image of each position.

        A position that is its own image has the mean of its label and the images of its label.

        Raises:
            NashmailError: For a label that is empty or holds an illegal action.
        """
        check_labels(shown)
        label = shown.distribution
        digits = grid.digits(shown.observation)
        images = digits[:, grid.sources]  # [D, G, C]
        words = _words(images)  # [D, G, 2]
        every = np.arange(len(digits))
        least = np.lexsort((words[..., 1], words[..., 0]), axis=1)[:, 0]
        smallest = words[every, least]
        _, first, row = np.unique(smallest, axis=0, return_index=True, return_inverse=True)
        row = row.ravel()
        legal: Bools = np.zeros((len(first), grid.actions), dtype=np.bool_)
        total: Floats = np.zeros(legal.shape)
        for g, actions in enumerate(grid.maps):
            there = np.flatnonzero((words[:, g] == smallest).all(1))
            np.add.at(total, (row[there, None], actions[None, :]), label[there])
            legal[row[there, None], actions[None, :]] |= shown.legal[there]
        mean = (total / total.sum(1, keepdims=True)).astype(np.float32)
        return cls(np.ascontiguousarray(images[every, least][first]), legal, mean)


class NtupleTrainer:
    """The n-tuple clone of one seat, trained on whenever there are more labels."""

    def __init__(self, game: Game, config: NtupleClone, *, rng: Rng) -> None:
        """Draw the tuples.

        Args:
            game: A board, as it is, up to its symmetries, or another library's.
            config: Tuples and training.
            rng: Draws the tuples.

        Raises:
            NashmailError: For a game that is no board, tuples that do not fit it, and numbers out of range.
        """
        check_config(config)
        self.game, self.config = game, config
        self.grid = Grid.of(game, tied=config.tied)
        self.cells = self.grid.draw(config.tuples, config.length or length_for(self.grid), rng=rng)
        self._codes: list[Codes] = [np.zeros(0, dtype=np.uint64) for _ in self.cells]  # ascending, for each tuple
        self._weights: Weights = np.zeros((0, self.grid.actions), dtype=np.float32)  # [K, A]
        self._squares: Weights = self._weights.copy()  # [K, A] sums of squared gradients

    @classmethod
    def resume(cls, policy: NtuplePolicy, game: Game, config: NtupleClone) -> NtupleTrainer:
        """Train a policy on; Adagrad's sums, which a policy does not hold, begin anew.

        Raises:
            NashmailError: For a policy of another board, and for what the constructor refuses.
        """
        trainer = cls(game, config, rng=np.random.default_rng(0))
        policy.check_fits(trainer.grid, game.spec.name)
        if policy.tied != config.tied:
            raise NashmailError("a policy goes on with weights tied as they are; set tied as the policy has it")
        trainer.cells = policy.cells
        trainer._codes = list(np.split(policy.codes, np.cumsum(policy.counts)[:-1]))
        trainer._weights, trainer._squares = policy.weights.copy(), np.zeros_like(policy.weights)
        return trainer

    def train(self, shown: Demonstrations, *, rng: Rng, strictness: float = 1.0) -> Fit:
        """Train on until the clone agrees with these labels, or the passes are over.

        Args:
            shown: All labels so far, not the new ones alone.
            rng: Draws the order of every pass.
            strictness: The tolerances are divided by it.

        Raises:
            NashmailError: For a label that is empty or holds an illegal action.
        """
        from agents.ntuple_kernels import answer_numbered, learn

        config, rows = self.config, Rows.of(shown, self.grid)
        index, maps = self._number(rows.digits), self.grid.maps
        stop = config.tolerance / strictness, config.mixed_tolerance / strictness
        steps, taught = 0, 1
        while taught and steps < config.passes:
            order = rng.permutation(len(index))
            numbers = self._weights, self._squares, order, config.rate, *stop, config.sets
            taught = learn(index, maps, rows.legal, rows.label, *numbers)
            steps += 1
        found = np.zeros(rows.legal.shape)
        answer_numbered(index, maps, rows.legal, self._weights, found)
        outside = float(np.where(rows.label > 0, 0.0, found).sum(1).max())
        return Fit(self.policy(), steps, outside, float(0.5 * np.abs(found - rows.label).sum(1).mean()))

    def policy(self) -> NtuplePolicy:
        """A frozen copy of what has been learned so far."""
        counts = np.array([len(codes) for codes in self._codes], dtype=np.int64)
        return NtuplePolicy(
            self.cells, counts, np.concatenate(self._codes), self._weights.copy(), tied=self.config.tied
        )

    def _number(self, digits: Digits) -> NDArray[np.int32]:
        """[R, G, M] the weights' row of every pattern of positions [R, C], with rows of zeros for the new ones."""
        from agents.ntuple_kernels import number_patterns

        places = self.grid.places(self.cells)  # [G, M, L]
        images = len(digits) * len(places)
        codes = np.zeros(images, dtype=np.uint64)
        table = np.empty(1 << (2 * images + 1).bit_length(), dtype=np.int32)
        one = np.zeros((len(digits), len(places)), dtype=np.int32)
        index = np.zeros((*one.shape, len(self.cells)), dtype=np.int32)
        kept: list[Ints] = []  # where the rows that there were are now
        start = 0
        for m, known in enumerate(self._codes):
            table[:] = -1
            fresh = codes[: number_patterns(digits, np.ascontiguousarray(places[:, m]), table, codes, one)]
            merged = np.union1d(known, fresh)
            kept.append(start + np.searchsorted(merged, known))
            index[:, :, m] = (start + np.searchsorted(merged, fresh))[one]
            self._codes[m] = merged
            start += len(merged)
        before = np.concatenate(kept)
        self._weights, self._squares = (_spread(rows, before, start) for rows in (self._weights, self._squares))
        return index


def clone_ntuple(game: Game, shown: Demonstrations, config: NtupleClone, *, rng: Rng) -> Fit:
    """Fit a fresh n-tuple policy. NashmailError for what ``NtupleTrainer`` refuses."""
    return NtupleTrainer(game, config, rng=rng).train(shown, rng=rng)


def check_board(game: Game) -> None:
    """NashmailError for a game that is no board."""
    Grid.of(game)


def check_config(config: NtupleClone) -> None:
    """NashmailError for numbers that train nothing."""
    positive = (config.rate, config.tolerance, config.mixed_tolerance)
    if not all(0.0 < value < np.inf for value in positive) or config.passes < 1 or config.length < 0:
        raise NashmailError(
            "n-tuple clones need a rate and tolerances above 0, at least one pass and no negative length"
        )


def check_labels(shown: Demonstrations) -> None:
    """NashmailError for a label that is not finite, is negative, is empty, or holds an illegal action."""
    total = shown.total
    if not np.isfinite(total).all() or (total < 0).any():
        raise NashmailError("labels are probabilities; these hold negative numbers or numbers that are not finite")
    if (total.sum(1) == 0).any():
        raise NashmailError(f"label {int((total.sum(1) == 0).argmax())} is empty; a label takes one action at least")
    if (wrong := (total > 0) & ~shown.legal).any():
        row, action = (int(at[0]) for at in np.nonzero(wrong))
        raise NashmailError(f"label {row} takes action {action}, which is not legal there; label legal actions alone")


def _spread(rows: Weights, places: Ints, size: int) -> Weights:
    """[size, A] zeros, but for rows [K, A] at their new places [K]."""
    spread = np.zeros((size, rows.shape[1]), dtype=np.float32)
    spread[places] = rows
    return spread


def _words(digits: Digits) -> Codes:
    """[..., 2] digits [..., C] in base 4, in two words."""
    half = (digits.shape[-1] + 1) // 2
    words = [
        (part.astype(np.uint64) << (2 * np.arange(part.shape[-1], dtype=np.uint64))).sum(-1, dtype=np.uint64)
        for part in (digits[..., :half], digits[..., half:])
    ]
    return np.stack(words, axis=-1)
