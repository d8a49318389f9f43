"""Play an exported ConnectX agent in Kaggle's own environment: ``python scripts/connectx.py submission.py``.

The referee is the package kaggle-environments (https://github.com/Kaggle/kaggle-environments), whose many dependencies
want an environment of their own; nothing of ours is imported. The agent plays both seats against Kaggle's ``random``
and ``negamax``. A game in which it makes an illegal move, raises or is too late ends the program with status 1.
"""

from __future__ import annotations

import argparse
import ast
from pathlib import Path
from typing import Any


def board_of(path: Path) -> dict[str, int]:
    """Kaggle's configuration for the board that a file was made for: the last BOARD that is set in it."""
    for node in reversed(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "BOARD":
            rows, columns, inarow = ast.literal_eval(node.value)
            return {"rows": rows, "columns": columns, "inarow": inarow}
    raise SystemExit(f"{path} is no exported ConnectX agent; make one with nashmail export RUN --to connectx")


def play(agent: str, opponent: str, first: bool, board: dict[str, int]) -> float:
    """The agent's reward in one game: 1, 0 or -1. SystemExit where its move was not accepted."""
    from kaggle_environments import make

    env: Any = make("connectx", configuration=board)
    env.run([agent, opponent] if first else [opponent, agent])
    ours = env.state[0 if first else 1]
    if ours["status"] != "DONE" or ours["reward"] is None:
        raise SystemExit(f"the agent's game against {opponent} ended with status {ours['status']}")
    return float(ours["reward"])


def main() -> None:
    """Print wins, draws and losses by opponent and seat."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path, help="a submission.py")
    parser.add_argument("--games", type=int, default=5, help="games against each player in each seat (default 5)")
    args = parser.parse_args()
    board = board_of(args.file)
    for opponent in ("random", "negamax"):
        for first in (True, False):
            rewards = [play(str(args.file), opponent, first, board) for _ in range(args.games)]
            counts = ", ".join(
                f"{rewards.count(value)} {word}" for value, word in ((1, "won"), (0, "drawn"), (-1, "lost"))
            )
            print(f"{'first' if first else 'second'} player against {opponent}: {counts}")


if __name__ == "__main__":
    main()
