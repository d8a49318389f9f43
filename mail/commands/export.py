"""``nashmail export``: a run's policies, for programs without this package."""

from __future__ import annotations

import argparse
from pathlib import Path

from mail.commands.line.usage import say


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("run", metavar="RUN[:LEARNER]", help="a run's folder, and which learner of it (default: mail)")
    parser.add_argument(
        "--to",
        default="folder",
        metavar="FORM",
        help="folder (default: safetensors, JSON and a loader in pure numpy), onnx, torchscript, or connectx (one file "
        "that plays Kaggle's ConnectX)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="a new folder (default: RUN/export-FORM)")
    parser.add_argument("--force", action="store_true", help="overwrite an earlier export there")


def run(args: argparse.Namespace) -> int:
    """Write both seats and the loader, and print how to use them."""
    from mail.training import pretrained
    from mail.training.config import RunError
    from mail.training.profile import load_profile, split

    profile = load_profile(args.run)  # before slow imports, so that a mistyped run is refused at once
    from agents.export.plan import plan
    from agents.export.write import FORMS, LOADER, export, export_connectx
    from agents.policy import PolicyError
    from agents.storage.reading import printable

    if args.to not in (*FORMS, "connectx"):
        known = ", ".join((*FORMS, "connectx"))
        raise PolicyError(f"policies are exported to {known}, not to {args.to[:40]!r}; choose one of them")
    if args.out is None and pretrained.is_run(args.run):
        raise RunError(f"{args.run} comes with the package, where nothing is written; name a new folder with --out")
    home, learner = split(args.run)
    folder = args.out or home / ("-".join(("export", args.to, learner)) if learner else f"export-{args.to}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not args.force:
        raise RunError(f"{folder} is not empty; choose another --out, or --force to overwrite it")
    game = profile.game
    if args.to == "connectx":
        for path in export_connectx(profile.policies, game, folder):
            print(printable(path))
        say("submit it as it is: it plays the most probable column, in either seat")
        return 0
    plans = (plan(profile.policies[0], game, 0), plan(profile.policies[1], game, 1))
    for path in export(plans, args.to, folder):
        print(printable(path))
    say(
        f"observation: float32 [N, {', '.join(map(str, game.spec.observation))}], the mover's view, own stones first",
        f"legal: bool [N, {game.spec.actions}]; probabilities: float64 [N, {game.spec.actions}]",
        f"for usage see the first lines of {printable(folder / LOADER)}",
    )
    return 0
