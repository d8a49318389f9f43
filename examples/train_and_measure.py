"""Train MAIL and BC on Tic-Tac-Toe and measure both exactly: ``python examples/train_and_measure.py [FOLDER]``.

Positions that are mirror images or rotations of each other are learned as one, which makes the run short.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import games
import mail
from agents import Greedy


def main(folder: Path) -> None:
    """Train into ``folder`` and print what was learned."""
    result = mail.train("tictactoe", out=folder, learners=("mail", "bc"), explorer="counts", symmetry=True)
    for name, learned in result["learners"].items():
        queries = f"{learned['labels']:,} expert queries, {learned['distinct_labels']} distinct"
        print(f"{name:5} Nash gap {learned['nash_gap']:.4f}   ({queries})")

    # The run's folder holds the policies, so that they can be measured, played against and exported later.
    model = games.GameGraph(games.make("tictactoe"))
    policies = mail.load_profile(f"{folder}:mail").policies
    gap = mail.nash_gap(model, (Greedy(policies[0]), Greedy(policies[1])))
    print(f"greedy mail: exploitability {gap.exploitability[0]:.4f} and {gap.exploitability[1]:.4f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary) / "run")
