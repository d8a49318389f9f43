"""``nashmail learners``: learners, explorers and cloners, and what each may know, as they declare it."""

from __future__ import annotations

import argparse
import json
from typing import Any

from games.registered import Declaration
from mail.clone.registry import CLONERS
from mail.explore import EXPLORERS
from mail.learners import LEARNERS, OF_THE_RUN, LearnerDeclaration, knowledge

OTHERS = "its explorer's"  # what a learner may know beside its own


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    """Print them as tables or as JSON."""
    if args.json:
        print(json.dumps(facts(), indent=2))
        return 0
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    for kind, rows in facts().items():
        table = Table(title=kind, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        headings = ("name", *(("knows",) if kind != "cloners" else ()), *(("explores",) if kind == "learners" else ()))
        for heading in headings:
            table.add_column(heading, overflow="fold")
        table.add_column("what it is", overflow="fold")
        for row in rows:
            cells = [_cell(row[heading]) for heading in headings]
            table.add_row(*(Text(cell) for cell in cells), Text(row["summary"]))
        console.print(table)
    console.print("knows: beyond play. Who explores has the run's budget; others spend as many labels as the first.")
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
