"""Make the policies that come with the package: ``python scripts/pretrained.py`` (five minutes).

Each is the run of ``nashmail train GAME`` with its defaults and seed 0, whose decisions and figure are left out. The
first player of 6x7, which takes half an hour (``scripts/reproduce.py unbeatable``), is copied from there by
``--unbeatable OUT``, with the certificate of its proof. The program prints the table of docs/pretrained.md; with
``--redraw`` that is all it does.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from agents.storage.atomic import write_atomic
from mail.commands.cli import main as nashmail
from mail.training import pretrained

GAMES = ("tictactoe", "connect4:4x4", "connect4:5x4", "connect4:5x5")
CERTIFICATE = "certificate0.json"


def make(game: str) -> None:
    """Train, and keep the files that a player needs.

    Args:
        game: The game's name.

    Raises:
        SystemExit: Training failed, or an opponent still beats the greedy policies.
    """
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        if status := nashmail(["train", game, "--seed", "0", "--out", str(run)]):
            raise SystemExit(status)
        result = json.loads((run / "result.json").read_bytes())
        if any(row["greedy_nash_gap"] for row in result["learners"].values()):
            raise SystemExit(f"the policies of {game} can be beaten; they are not kept")
        keep(game, run)


def keep(game: str, run: Path) -> None:
    """Copy the files of a run that a player needs.

    Args:
        game: The game's name.
        run: Its folder.
    """
    result = json.loads((run / "result.json").read_bytes())
    shutil.rmtree(pretrained.home(game), ignore_errors=True)
    for name in ("config.json", "result.json", *result["files"], *policies(run)):
        write_atomic(pretrained.home(game) / name, (run / name).read_bytes())


def keep_unbeatable(out: Path) -> None:
    """Copy the first player of 6x7 and its certificate.

    Args:
        out: The folder of ``reproduce.py unbeatable``.

    Raises:
        SystemExit: There is no proof.
    """
    proof = out / "unbeatable-proof" / CERTIFICATE
    if not proof.is_file():
        raise SystemExit(f"there is no {proof}; make it: python scripts/reproduce.py unbeatable")
    keep(pretrained.UNBEATABLE_GAME, out / "unbeatable-run")
    write_atomic(pretrained.home(pretrained.UNBEATABLE_GAME) / CERTIFICATE, proof.read_bytes())


def policies(run: Path) -> list[str]:
    """The files of a run's policies.

    Args:
        run: Its folder.
    """
    return [str(path.relative_to(run)) for path in sorted(run.glob("policies/*"))]


def table() -> str:
    """The table of the policies that are there."""
    lines = ["| game | learner | queries | Nash gap | greedy | size |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    for game in filter(pretrained.has, (*GAMES, pretrained.UNBEATABLE_GAME)):
        home = pretrained.home(game)
        learner, row = next(iter(json.loads((home / "result.json").read_bytes())["learners"].items()))
        size = sum((home / name).stat().st_size for name in policies(home)) / 1e6
        labels = " + ".join(map(str, row["labels_by_seat"]))
        gaps = f"{row['nash_gap']:.4f} | {row['greedy_nash_gap']:.4f}" if game in GAMES else "- | first seat proven"
        lines.append(f"| `{game}` | `{learner}` | {labels} | {gaps} | {size:.1f} MB |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Make the policies, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--redraw", action="store_true", help="print the table of the policies that are there")
    parser.add_argument("--unbeatable", type=Path, metavar="OUT", help="copy the first player of 6x7 from there alone")
    args = parser.parse_args(argv)
    if args.unbeatable is not None:
        keep_unbeatable(args.unbeatable)
    elif not args.redraw:
        for game in GAMES:
            make(game)
    print(table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
