"""Cloning into an n-tuple policy (``agents.ntuple``): a convex problem in many weights, by Adagrad.

Positions that are images of one another are one row with the mean of their labels, since the policy answers them alike.
By default a label is a distribution, and the loss is the cross-entropy  -sum_a y_a log p_a.  With ``sets`` a label is
the set of actions that it gives any probability, all equally good, and the loss is  -log sum_{a in set} p_a.

Rows that are closer to their label than a tolerance are skipped, so that a pass costs little once most are learned, and
training ends when a pass skips all. ``NtupleTrainer`` trains on when there are more labels.

Sources: docs/algorithms.md, "N-tuple policies"; Thill, Koch, Konen, PPSN 2012 (n-tuples); Duchi, Hazan, Singer, JMLR
2011 (Adagrad).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.ntuple import Codes, Digits, Grid, NtuplePolicy, Weights
from games.base import Bools, Floats, Game, Ints, NashmailError, Rng
from games.progress import report
from mail.clone.dataset import Demonstrations, Fit

_SHORTEST, _LONGEST = 5, 10  # cells of a tuple where a configuration names none


@dataclass(frozen=True)
class NtupleClone:
    """How an n-tuple clone is fitted."""

    tuples: int = 100
    """M, how many tuples are drawn."""
    length: int = 0
    """L, cells of each; 0 for what suits the board (``suitable_length``). Longer than the board is refused."""
    rate: float = 0.05
    """Of Adagrad."""
    passes: int = 50
    """Most passes over the rows."""
    tolerance: float = 1e-2
    """Largest probability of actions that the label never takes at which a row is skipped ..."""
    mixed_tolerance: float = 0.1
    """... if its total variation distance to the label is at most this, too. Sets have the first condition alone."""
    sets: bool = False
    """Whether a label is the set of actions that it gives any probability."""
    lines: bool = False
    """Whether there is a tuple for each line of the board instead (``Grid.draw_lines``), whatever ``tuples`` says."""
    tied: bool = True
    """Whether weights are shared by the board's symmetries."""


def suitable_length(grid: Grid) -> int:
    """The length L of tuples where a configuration names none: a third of the board's cells, from 5 to 10.

    Tuples of most of a small board's cells would amount to a table, which does not generalise.

    Args:
        grid: The board.
    """
    return min(grid.cells, max(_SHORTEST, min(_LONGEST, (grid.cells + 2) // 3)))


@dataclass(frozen=True)
class Rows:
    """The training set: one row for all images of a position; R rows, C cells, A actions."""

    digits: Digits  # [R, C]
    legal: Bools  # [R, A]
    label: NDArray[np.float32]  # [R, A]

    @classmethod
    def of(cls, demonstrations: Demonstrations, grid: Grid) -> Rows:
        """Map demonstrations to the least image of each position, and average their labels there.

        A position that is its own image gets the mean of its label and the images of its label.

        Args:
            demonstrations: The labels of one seat.
            grid: The board.

        Raises:
            NashmailError: For a label that is empty or holds an illegal action.
        """
        check_labels(demonstrations)
        label = demonstrations.distribution
        digits = grid.digits(demonstrations.observation)
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
            legal[row[there, None], actions[None, :]] |= demonstrations.legal[there]
        mean = (total / total.sum(1, keepdims=True)).astype(np.float32)
        return cls(np.ascontiguousarray(images[every, least][first]), legal, mean)


class NtupleTrainer:
    """The n-tuple clone of one seat, which can be trained on as labels are added."""

    def __init__(self, game: Game, config: NtupleClone, *, rng: Rng) -> None:
        """Draw the tuples.

        Args:
            game: A board of ours, as it is or up to its symmetries, or another library's game with the same rules.
            config: Tuples and training.
            rng: Draws the tuples.

        Raises:
            NashmailError: For a game that is not played on a board, tuples that do not fit it, and numbers out of
                range.
        """
        check_config(config)
        self.game, self.config = game, config
        self.grid = Grid.of(game, tied=config.tied)
        self.cells = self._draw(config, rng)
        self._codes: list[Codes] = [np.zeros(0, dtype=np.uint64) for _ in self.cells]  # ascending, for each tuple
        self._weights: Weights = np.zeros((0, self.grid.actions), dtype=np.float32)  # [K, A]
        self._squares: Weights = self._weights.copy()  # [K, A] sums of squared gradients

    def _draw(self, config: NtupleClone, rng: Rng) -> Ints:
        """[M, L] the tuples."""
        length = config.length or suitable_length(self.grid)
        if not config.lines:
            return self.grid.draw_tuples(config.tuples, length, rng=rng)
        in_a_row = self.game.spec.in_a_row
        return self.grid.draw_lines(in_a_row, min(self.grid.cells, max(in_a_row, length)), rng=rng)

    def train(self, demonstrations: Demonstrations, *, rng: Rng, strictness: float = 1.0) -> Fit:
        """Train until the clone agrees with these labels, or the passes are over.

        Args:
            demonstrations: All labels so far, not the new ones alone.
            rng: Draws the order of every pass.
            strictness: The tolerances are divided by it.

        Returns:
            A frozen copy of the clone, and how closely it fits.

        Raises:
            NashmailError: For a label that is empty or holds an illegal action.
        """
        from agents.ntuple_kernels import adagrad_pass, evaluate_numbered

        config, rows = self.config, Rows.of(demonstrations, self.grid)
        index, maps = self._number(rows.digits), self.grid.maps
        stop = config.tolerance / strictness, config.mixed_tolerance / strictness
        steps, updated = 0, 1
        while updated and steps < config.passes:
            report(steps, config.passes, "passes", step="fit")
            order = rng.permutation(len(index))
            numbers = self._weights, self._squares, order, config.rate, *stop, config.sets
            updated = adagrad_pass(index, maps, rows.legal, rows.label, *numbers)
            steps += 1
        found = np.zeros(rows.legal.shape)
        evaluate_numbered(index, maps, rows.legal, self._weights, found)
        return Fit.of(self.policy(), steps, found, rows.label)

    def policy(self) -> NtuplePolicy:
        """A frozen copy of what has been learned so far."""
        counts = np.array([len(codes) for codes in self._codes], dtype=np.int64)
        return NtuplePolicy(
            self.cells, counts, np.concatenate(self._codes), self._weights.copy(), tied=self.config.tied
        )

    def _number(self, digits: Digits) -> NDArray[np.int32]:
        """[R, G, M] the weights' row of every pattern of positions [R, C]; new patterns get rows of zeros."""
        from agents.ntuple_kernels import number_patterns

        places = self.grid.places(self.cells)  # [G, M, L]
        images = len(digits) * len(places)
        codes = np.zeros(images, dtype=np.uint64)
        table = np.empty(1 << (2 * images + 1).bit_length(), dtype=np.int32)
        numbers = np.zeros((len(digits), len(places)), dtype=np.int32)
        index = np.zeros((*numbers.shape, len(self.cells)), dtype=np.int32)
        moved_to: list[Ints] = []  # new places of the rows that there were
        start = 0
        for m, known in enumerate(self._codes):
            table[:] = -1
            fresh = codes[: number_patterns(digits, np.ascontiguousarray(places[:, m]), table, codes, numbers)]
            merged = np.union1d(known, fresh)
            moved_to.append(start + np.searchsorted(merged, known))
            index[:, :, m] = (start + np.searchsorted(merged, fresh))[numbers]
            self._codes[m] = merged
            start += len(merged)
        places_now = np.concatenate(moved_to)
        self._weights, self._squares = (_spread(rows, places_now, start) for rows in (self._weights, self._squares))
        return index


def clone_ntuple(game: Game, demonstrations: Demonstrations, config: NtupleClone, *, rng: Rng) -> Fit:
    """Fit a new n-tuple policy.

    Args:
        game: The board.
        demonstrations: The labels of one seat.
        config: Tuples and training.
        rng: Draws the tuples and the order of every pass.

    Returns:
        The clone, and how closely it fits.

    Raises:
        NashmailError: For what ``NtupleTrainer`` refuses.
    """
    return NtupleTrainer(game, config, rng=rng).train(demonstrations, rng=rng)


def check_board(game: Game) -> None:
    """Refuse a game that is not played on a board.

    Args:
        game: The game.

    Raises:
        NashmailError: For a game without a board.
    """
    Grid.of(game)


def check_config(config: NtupleClone) -> None:
    """Refuse numbers with which nothing would be trained.

    Args:
        config: The settings of a clone.

    Raises:
        NashmailError: Where a rate, tolerance, length or number of passes is out of range.
    """
    positive = (config.rate, config.tolerance, config.mixed_tolerance)
    if not all(0.0 < value < np.inf for value in positive) or config.passes < 1 or config.length < 0:
        raise NashmailError(
            "n-tuple clones need a rate and tolerances above 0, at least one pass and no negative length"
        )


def check_labels(demonstrations: Demonstrations) -> None:
    """Refuse labels that are no distributions over legal actions.

    Args:
        demonstrations: The labels of one seat.

    Raises:
        NashmailError: For a label that is not finite, is negative, is empty, or holds an illegal action.
    """
    total = demonstrations.total
    if not np.isfinite(total).all() or (total < 0).any():
        raise NashmailError("labels are probabilities; these hold negative numbers or numbers that are not finite")
    if (total.sum(1) == 0).any():
        raise NashmailError(f"label {int((total.sum(1) == 0).argmax())} is empty; a label takes one action at least")
    if (wrong := (total > 0) & ~demonstrations.legal).any():
        row, action = (int(at[0]) for at in np.nonzero(wrong))
        raise NashmailError(f"label {row} takes action {action}, which is not legal there; label legal actions alone")


def _spread(rows: Weights, places: Ints, size: int) -> Weights:
    """[size, A] the rows [K, A] at their new places [K], zeros elsewhere."""
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
