"""One seat's decisions in order: its information states, its sequences of own actions, and sweeps over them.

Shape letters: I information states, Q sequences (one per information state and legal action, and the empty one, which
is sequence 0), A actions. Information states are numbered by depth, the number of own decisions before them, and their
sequences in the same order, so that a depth is a slice of each and a sweep needs no more than one step a depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from games.base import Bools, Floats, Ints, Table


@dataclass(frozen=True)
class Level:
    """All information states of one depth: ``infosets`` of them, and their ``sequences``."""

    infosets: slice
    sequences: slice
    first: Ints
    """Where the sequences of each information state begin, counted from the first of the level."""
    into: slice
    """Sequences among which are those that lead to the level."""
    parent: Ints
    """Which of ``into`` leads to each information state."""


@dataclass(frozen=True)
class Treeplex:
    """One seat's information states and sequences."""

    parent: Ints
    """[I] the sequence with which the seat comes to the information state; 0 where it has not acted before."""
    infoset: Ints
    """[Q] the information state that the sequence ends with an action in; -1 for the empty sequence."""
    action: Ints
    """[Q] that action; -1 for the empty sequence."""
    actions: int
    """A, the columns of a table."""

    def __len__(self) -> int:
        """Q."""
        return len(self.infoset)

    @cached_property
    def first(self) -> Ints:
        """[I] the first sequence of each information state; the others follow it."""
        return np.searchsorted(self.infoset, np.arange(len(self.parent)))

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """From the first decisions to the last."""
        levels, stop, after = [], 0, 1
        while stop < len(self.parent):
            start, before = stop, after
            stop += int((self.parent[start:] < before).sum())
            after = int(np.searchsorted(self.infoset, stop))
            parent = self.parent[start:stop]
            low, high = int(parent.min()), int(parent.max()) + 1
            first = self.first[start:stop] - before
            levels.append(Level(slice(start, stop), slice(before, after), first, slice(low, high), parent - low))
        return tuple(levels)

    @cached_property
    def before(self) -> Ints:
        """[Q] the sequence that each one continues; 0 for the empty one."""
        return np.append(0, self.parent[self.infoset[1:]])

    @cached_property
    def legal(self) -> Bools:
        """[I, A] the actions of each information state."""
        table = np.zeros((len(self.parent), self.actions), dtype=np.bool_)
        table[self.infoset[1:], self.action[1:]] = True
        return table

    # --- policies ------------------------------------------------------------------------------------------

    def weights(self, table: Table) -> Floats:
        """[Q] the probability of each sequence's last action, from a table [I, A]; 1 for the empty sequence."""
        return np.concatenate([[1.0], table[self.infoset[1:], self.action[1:]]])

    def table(self, weights: Floats) -> Table:
        """[I, A] the way back of ``weights``."""
        table = np.zeros(self.legal.shape)
        table[self.infoset[1:], self.action[1:]] = weights[1:]
        return table

    def plan(self, weights: Floats) -> Floats:
        """[Q] the probability that the seat plays each sequence, as far as it depends on the seat: the product of the
        ``weights`` of its actions.
        """
        plan = weights.copy()
        for level in self.levels:
            plan[level.sequences] *= plan[self.before[level.sequences]]
        return plan

    def normalised(self, amounts: Floats) -> Floats:
        """[Q] amounts that are not negative, divided by their sum in each information state; where that is 0, every
        action alike.
        """
        out = np.ones(len(self))
        if len(out) > 1:
            total = np.add.reduceat(amounts[1:], self.first - 1)[self.infoset[1:]]
            count = np.diff(self.first, append=len(self))[self.infoset[1:]]
            np.divide(amounts[1:], total, out=out[1:], where=total > 0)
            out[1:][total <= 0] = 1.0 / count[total <= 0]
        return out

    # --- sweeps --------------------------------------------------------------------------------------------

    def expect(self, gains: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Values [Q] of the sequences and [I] of the information states, for a seat that plays ``weights``.

        Args:
            gains: [Q] what the seat gains right after each sequence, weighted by the probability of what chance and the
                other seat must do for that; values are weighted alike.
            weights: [Q] probability of each sequence's last action.
        """
        values, worth = gains.copy(), np.empty(len(self.parent))
        for level in reversed(self.levels):
            worth[level.infosets] = np.add.reduceat((values * weights)[level.sequences], level.first)
            _credit(values, worth, level)
        return values, worth

    def best(self, gains: Floats) -> tuple[Floats, Floats]:
        """``expect`` for a seat that plays the best action everywhere: a best response. Its worth is ``values[0]``."""
        values, worth = gains.copy(), np.empty(len(self.parent))
        for level in reversed(self.levels):
            worth[level.infosets] = np.maximum.reduceat(values[level.sequences], level.first)
            _credit(values, worth, level)
        return values, worth


def _credit(values: Floats, worth: Floats, level: Level) -> None:
    """Add what a level's information states are worth to the sequences that lead there."""
    values[level.into] += np.bincount(level.parent, worth[level.infosets])
