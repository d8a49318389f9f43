"""Measure somebody else's policy exactly: ``python examples/measure_a_policy.py [TABLE.csv]``.

A policy is any object with ``probabilities(game, states, seat)``. Here: a rule of one's own for Tic-Tac-Toe, and a
table of probabilities in a file (docs/adapters.md has the format), as another program may write it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import games
import mail
from agents import Policy
from agents.storage.tables import read_table, write_table
from games.base import Floats, Game, States

PREFERENCE = np.array([2, 1, 2, 1, 3, 1, 2, 1, 2])
"""The rule of thumb: the centre, else a corner, else an edge; cells from the top left, row by row."""


class RuleOfThumb:
    """Plays the most valuable free cells, each with the same probability."""

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        """Args: N positions and the seat that moves. Returns: [N, 9], zero on cells that are taken."""
        legal = game.legal(states, seat)  # [N, 9]
        worth = np.where(legal, PREFERENCE, 0)
        best = legal & (worth == worth.max(axis=1, keepdims=True))
        return best / np.maximum(best.sum(axis=1, keepdims=True), 1)


def report(name: str, policy: Policy, model: games.GameGraph) -> None:
    """Print what best responses win against a policy that plays both seats."""
    gap = mail.nash_gap(model, (policy, policy))
    first, second = gap.exploitability
    print(f"{name}: exploitability {first:.4f} in seat 0, {second:.4f} in seat 1, Nash gap {gap.nash_gap:.4f}")


def main(table: Path) -> None:
    """Measure the rule, write it as a table unless there is one, and measure what the table holds."""
    model = games.GameGraph(games.make("tictactoe"))  # all 4,520 positions to move in
    report("rule of thumb", RuleOfThumb(), model)
    if not table.exists():
        write_table(table, RuleOfThumb(), model)
    report(f"table {table.name}", read_table(table, model.game), model)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary) / "rule.csv")
