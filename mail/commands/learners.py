"""``nashmail learners``: learners, explorers, cloners and experts, and what each may know, as they declare it."""

from __future__ import annotations

import argparse
import json
from typing import Any

from agents import expert
from games.registered import Declaration
from mail.clone.registry import CLONERS
from mail.commands.line import csv_file
from mail.commands.line.usage import say
from mail.explore import EXPLORERS
from mail.learners import LEARNERS, OF_THE_RUN, LearnerDeclaration, knowledge

OTHERS = "its explorer's"  # what a learner may know beside its own


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    csv_file.arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    """Print them as tables or as JSON."""
    csv_file.check(args.csv)
    csv_file.write(args.csv, **facts())
    if args.json:
        print(json.dumps(facts(), indent=2))
        return 0
    from rich.console import Console

    from mail.terminal.tables import FittingTable, plain

    console = Console()
    for kind, rows in facts().items():
        headings = ("name", *(key for key in ("knows", "explores") if key in rows[0]))
        table = FittingTable(*headings, title=kind)
        table.add_column("what it is", min_width=24)
        for row in rows:
            cells = [_cell(row[heading]) for heading in headings]
            table.add_row(*map(plain, cells), plain(row["summary"]))
        console.print(table)
    say(
        "knows: what is used beyond playing games. A learner that explores has the run's budget; the other learners of "
        "a run get as many labels as its first one that explores."
    )
    return 0


def _cell(value: object) -> str:
    """A value in a table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) or "play alone" if isinstance(value, list) else str(value)


def facts() -> dict[str, list[dict[str, Any]]]:
    """All of them, as ``--json`` gives them."""
    return {
        "learners": [_learner(name, LEARNERS.about(name)) for name in LEARNERS.names()],
        "explorers": [
            {**_common(name, EXPLORERS.about(name)), "knows": sorted(EXPLORERS.about(name).knows)}
            for name in EXPLORERS.names()
        ],
        "cloners": [_common(name, CLONERS.about(name)) for name in CLONERS.names()],
        "experts": [{"name": name, "summary": summary} for name, summary in expert.listed().items()],
    }


def _common(name: str, about: Declaration) -> dict[str, Any]:
    """What all kinds declare."""
    return {"name": name, "summary": about.summary, "source": about.source}


def _learner(name: str, about: LearnerDeclaration) -> dict[str, Any]:
    """A learner's declaration; what its explorer knows is added where the explorer is its own."""
    knows = sorted(knowledge(name, ""))
    return {
        **_common(name, about),
        "knows": [*knows, OTHERS] if about.explorer == OF_THE_RUN else knows,
        "explores": about.explores,
        "both_seats": about.both_seats,
        "expert": about.expert,
        "explorer": "the run's" if about.explorer == OF_THE_RUN else about.explorer,
    }
