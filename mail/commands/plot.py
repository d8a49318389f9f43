"""``nashmail plot``: the curves of finished runs in one figure, as PNG, SVG or PDF."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

FORMATS = ("png", "svg", "pdf")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "run",
        nargs="+",
        metavar="RUN[:LEARNER]",
        help="finished runs of one game; runs that differ in their seed are one line",
    )
    parser.add_argument(
        "--format", metavar="FORM", help="png (default), svg or pdf; by default as the file's name ends"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file (default: GAME.FORM in the present folder)")
    parser.add_argument("--force", action="store_true", help="overwrite the file")


def run(args: argparse.Namespace) -> int:
    """Draw the figure and print its name."""
    from mail.training.config import RunError

    form, results = _form(args), [_result(name) for name in args.run]
    names = {result["config"]["game"] for _, result in results}
    if len(names) > 1:
        raise RunError(f"these runs are of different games, {', '.join(sorted(names))}; plot them separately")
    game = names.pop()
    file = args.out or Path(f"{game.replace(':', '-').replace('/', '-')}.{form}")
    if file.exists() and not args.force:
        from agents.storage.reading import printable

        raise RunError(f"{printable(file)} is there already; name another --out, or --force to overwrite it")
    from agents.storage.atomic import write_atomic
    from agents.storage.reading import printable
    from mail.evaluation.curves import draw, lines_of
    from mail.evaluation.figure import image

    write_atomic(file, image(draw(lines_of(results), f"{game}: exact exploitability"), form))
    print(printable(file))
    return 0


def _form(args: argparse.Namespace) -> str:
    """The format that is named, or that the file's name ends in."""
    from mail.training.config import RunError

    form = str(args.format or (args.out.suffix.removeprefix(".") if args.out and args.out.suffix else "png"))
    if form not in FORMATS:
        raise RunError(f"figures are written as {', '.join(FORMATS)}, not as {form[:40]!r}; choose one with --format")
    return form


def _result(name: str) -> tuple[str, dict[str, Any]]:
    """The learner, if one is named, and the result of ``RUN[:LEARNER]``."""
    from mail.training.config import RunError
    from mail.training.profile import finished, split

    learner = split(name)[1] or ""
    result = finished(name)
    if not result["exact"]:
        raise RunError(
            f"{name} has no exact measures to plot: its game cannot be enumerated; its figure.png has its win rates"
        )
    return learner, result
