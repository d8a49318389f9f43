"""The treeplex of one seat: its information states and sequences in order, and the sweeps over them.

Source: von Stengel, "Efficient computation of behavior strategies" (1996), for sequences and realization plans; Hoda,
Gilpin, Pena, Sandholm, "Smoothing techniques for computing Nash equilibria of sequential games" (2010), for the word.

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

    def behavior(self, table: Table) -> Floats:
        """A table as a behavior strategy by sequences.

        Args:
            table: float64 [I, A] action probabilities in each information state.

        Returns:
            float64 [Q] the probability of each sequence's last action; 1 for the empty sequence.
        """
        return np.concatenate([[1.0], table[self.infoset[1:], self.action[1:]]])

    def table(self, behavior: Floats) -> Table:
        """A behavior strategy as a table: the inverse of ``behavior``.

        Args:
            behavior: float64 [Q] the probability of each sequence's last action.

        Returns:
            float64 [I, A]; 0 where an action is illegal.
        """
        table = np.zeros(self.legal.shape)
        table[self.infoset[1:], self.action[1:]] = behavior[1:]
        return table

    def plan(self, behavior: Floats) -> Floats:
        """The realization plan of a behavior strategy.

        Args:
            behavior: float64 [Q] the probability of each sequence's last action.

        Returns:
            float64 [Q] the probability that the seat plays each sequence, as far as it depends on the seat: the product
            of the probabilities of its actions.
        """
        plan = behavior.copy()
        for level in self.levels:
            plan[level.sequences] *= plan[self.before[level.sequences]]
        return plan

    def normalised(self, amounts: Floats) -> Floats:
        """A behavior strategy in proportion to given amounts: regret matching, for positive regrets.

        Args:
            amounts: float64 [Q], none negative.

        Returns:
            float64 [Q] the amounts divided by their sum in each information state; uniform where the sum is 0.
        """
        out = np.ones(len(self))
        if len(out) > 1:
            total = np.add.reduceat(amounts[1:], self.first - 1)[self.infoset[1:]]
            count = np.diff(self.first, append=len(self))[self.infoset[1:]]
            np.divide(amounts[1:], total, out=out[1:], where=total > 0)
            out[1:][total <= 0] = 1.0 / count[total <= 0]
        return out

    # --- sweeps --------------------------------------------------------------------------------------------

    def expect(self, gains: Floats, behavior: Floats) -> tuple[Floats, Floats]:
        """Values for a seat that plays a behavior strategy.

        Args:
            gains: float64 [Q] what the seat gains right after each sequence, in its own view, times the probability
                that chance and the other seat do what this takes.
            behavior: float64 [Q] the probability of each sequence's last action.

        Returns:
            Values [Q] of the sequences and [I] of the information states, float64, weighted as ``gains`` are
            (counterfactual values). The value of the empty sequence is that of the whole game.
        """
        values, state_values = gains.copy(), np.empty(len(self.parent))
        for level in reversed(self.levels):
            state_values[level.infosets] = np.add.reduceat((values * behavior)[level.sequences], level.first)
            _credit(values, state_values, level)
        return values, state_values

    def best(self, gains: Floats) -> tuple[Floats, Floats]:
        """Values for a seat that plays the best action everywhere: a best response.

        Args:
            gains: float64 [Q] as in ``expect``.

        Returns:
            Values [Q] of the sequences and [I] of the information states, as in ``expect``.
        """
        values, state_values = gains.copy(), np.empty(len(self.parent))
        for level in reversed(self.levels):
            state_values[level.infosets] = np.maximum.reduceat(values[level.sequences], level.first)
            _credit(values, state_values, level)
        return values, state_values

    def first_best(self, values: Floats, state_values: Floats) -> Floats:
        """The best response that ``best`` has valued.

        Args:
            values: float64 [Q] values of the sequences, from ``best``.
            state_values: float64 [I] values of the information states, from ``best``.

        Returns:
            float64 [Q] a deterministic behavior strategy: the lowest of the best actions.
        """
        rows = 1 + np.flatnonzero(values[1:] == state_values[self.infoset[1:]])
        _, lowest = np.unique(self.infoset[rows], return_index=True)
        behavior = np.zeros(len(self))
        behavior[0] = 1.0
        behavior[rows[lowest]] = 1.0
        return behavior


def _credit(values: Floats, state_values: Floats, level: Level) -> None:
    """Add what a level's information states are state_values to the sequences that lead there."""
    values[level.into] += np.bincount(level.parent, state_values[level.infosets])
