"""Small boards learned with the defaults, one after the other: ``python scripts/boards.py [--knowledge play]``.

Each cell is the command ``nashmail train GAME --seed S [--knowledge play]`` in a process of its own, as a user would
run it. Processor time is that of the whole command, with its exact measurement, curves and figure. The table has the
mean of labels and of processor time over the seeds, and the worst gaps. Finished cells are kept in OUT, so that a run
that was killed goes on; ``--redraw`` prints the table of what is there.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from agents.storage.policies import to_json, write_atomic
from figures.over_seeds import rounded

BOARDS = ("tictactoe", "tictactoe:3x4", "connect4:4x4", "connect4:5x4", "connect4:4x5")
LINES = {"all": BOARDS, "play": ("tictactoe", "connect4:4x4")}
"""The boards by what learners may know."""
FILES = {"all": "boards.json", "play": "boards-play.json"}
KEPT = ("labels", "distinct_labels", "games", "nash_gap", "greedy_nash_gap")
"""What is kept of a learner's row in the command's JSON."""

Cell = dict[str, Any]


def trained(game: str, seed: int, knowledge: str = "all") -> Cell:
    """Run the command for one game and seed; its first learner's labels and exact gaps, and its times in seconds.

    Args:
        game: As ``games.make`` takes it.
        seed: The run's seed.
        knowledge: What learners may know.

    Raises:
        SystemExit: The command failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "run")
        words = ["-m", "mail", "train", game, "--seed", str(seed), "--out", out, "--json"]
        words += [] if knowledge == "all" else ["--knowledge", knowledge]
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
        after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"nashmail {' '.join(words[2:])} ended with status {done.returncode}: {done.stderr.strip()}")
    learner, row = next(iter(json.loads(done.stdout)["learners"].items()))
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"learner": learner, **{key: row[key] for key in KEPT}, "seconds": seconds, "cpu_seconds": cpu}


def table(data: dict[str, dict[str, Cell]]) -> str:
    """The cells of each board by seed as a Markdown table."""
    lines = [
        "| board | learner | seeds | labels, both seats | worst Nash gap | worst greedy gap | CPU seconds |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for game in sorted(data, key=lambda name: BOARDS.index(name) if name in BOARDS else len(BOARDS)):
        every = list(data[game].values())
        labels = [cell["labels"] for cell in every]
        spread = f"{np.mean(labels):.0f} ({min(labels)}-{max(labels)})"
        worst = [max(cell[key] for cell in every) for key in ("nash_gap", "greedy_nash_gap")]
        lines.append(
            f"| `{game}` | `{every[0]['learner']}` | {len(every)} | {spread} | {worst[0]:.4f} | {worst[1]:.4f} | "
            f"{np.mean([cell['cpu_seconds'] for cell in every]):.0f} |"
        )
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Run the cells that are missing, keep each, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, counted from 0 (default: 5)")
    parser.add_argument("--games", nargs="+", metavar="GAME", help="the boards (default: those with a line)")
    parser.add_argument("--knowledge", choices=list(LINES), default="all", help="what learners may know (default: all)")
    parser.add_argument("--out", type=Path, help="where cells are kept (default: docs/figures/boards[-play].json)")
    parser.add_argument("--redraw", action="store_true", help="print the table of the cells that are there")
    args = parser.parse_args(argv)
    out: Path = args.out or Path("docs/figures") / FILES[args.knowledge]
    data: dict[str, dict[str, Cell]] = json.loads(out.read_bytes()) if out.is_file() else {}
    for game in () if args.redraw else args.games or LINES[args.knowledge]:
        for seed in map(str, range(args.seeds)):
            if seed not in data.get(game, {}):
                data.setdefault(game, {})[seed] = rounded(trained(game, int(seed), args.knowledge))
                write_atomic(out, to_json(data))
                print(f"{game}, seed {seed}: {data[game][seed]['seconds']:.0f} s", file=sys.stderr, flush=True)
    print(table(data))
    return 0


if __name__ == "__main__":
    sys.exit(main())
