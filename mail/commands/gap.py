"""``nashmail gap``: the exact Nash gap of saved policies: of runs, or of tables that anyone can write.

Where a run's expert is no equilibrium, its own gap, as the run has measured it, stands beside."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mail.commands.line import csv_file, workers

if TYPE_CHECKING:
    from agents.policy import Seats
    from games.base import Game
    from mail.parallel.pool import Pool


def arguments(parser: argparse.ArgumentParser) -> None:
    words = "a run's folder, and which learner of it; or a table file (.csv, .json)"
    parser.add_argument("policy", nargs="+", metavar="RUN[:LEARNER]", help=words)
    parser.add_argument("--game", help="the game of a table file, needed if no run is given")
    workers.arguments(parser)
    csv_file.arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    csv_file.check(args.csv)
    pool = workers.pool(args)
    game, policies, experts = _profiles(
        args.policy, args.game
    )  # before slow imports: a mistyped run is refused at once
    begun = time.perf_counter()
    with pool as opened:
        measure = _measure(game, opened)
        measured = {name: {**counts, **measure(seats)} for name, (seats, counts) in policies.items()}
    seconds = time.perf_counter() - begun
    own = {f"expert {name}": row for name, row in experts.items()}
    csv_file.write(args.csv, policies=[{"policy": name, **row} for name, row in {**measured, **own}.items()])
    if args.json:
        print(
            json.dumps(
                {"game": game.spec.name, "exact": True, "seconds": seconds, "policies": measured, "experts": experts}
            )
        )
        return 0
    from rich.console import Console

    from agents.storage.reading import printable
    from mail.terminal.screen import Screen
    from mail.terminal.tables import expert_note, expert_row, learner_table

    rows = {key: row for name, own in experts.items() for key, row in expert_row(name, own).items()}
    console = Console()
    console.print(learner_table(f"{game.spec.name}: exact, {seconds:.2f} s", {**measured, **rows}))
    for name, own in experts.items():
        for line in expert_note(name, own):
            Screen(console).say(printable(line))
    return 0


def _measure(game: Game, pool: Pool) -> Callable[[Seats], dict[str, Any]]:
    """What measures policies of a game that ``_profiles`` lets through."""
    from games.base import as_enumerable
    from games.models import has_plies, model_of

    if has_plies(game):
        from agents.storage.graphs import graph_of
        from mail.evaluation.plies import ply_measures

        return partial(ply_measures, graph_of(as_enumerable(game)), pool=pool)
    from mail.evaluation.exact import profile_measures

    model = model_of(game)
    assert model is not None  # _profiles has refused games without one
    return partial(profile_measures, model, pool=pool)


def _profiles(
    names: list[str], game_name: str | None
) -> tuple[Game, dict[str, tuple[Seats, dict[str, Any]]], dict[str, dict[str, Any]]]:
    """The game of all policies, each policy with its budget, and the measures of experts that are no equilibria, by
    name. RunError if they play different games, or one that is too large.
    """
    from pathlib import Path

    from agents.solver import solvable
    from agents.storage.tables import read_table
    from games.models import has_model, has_plies
    from games.registry import make
    from games.symmetry import board_behind
    from mail.training.config import RunError
    from mail.training.entrants import is_table
    from mail.training.profile import check_profile, load_profile

    tables = [name for name in names if is_table(name)]
    named = make(game_name) if game_name else None
    for name in (name for name in names if name not in tables):
        check_profile(name)  # all of them before one is loaded, which takes seconds
    runs = {name: load_profile(name) for name in names if name not in tables}
    game = named or next((profile.game for profile in runs.values()), None)
    if game is None:
        raise RunError(f"name the game of {tables[0]} with --game NAME")
    if has_plies(game) and tables:
        raise RunError(f"{game.spec.name} has too many positions for a table; only runs are measured there")
    if not (
        has_plies(game) or has_model(board_behind(game) or game)
    ):  # before tables are read, which is slow on large boards
        instead = "searches for a refutation" if solvable(game) else "with --learned GAMES learns a response"
        raise RunError(
            f"{game.spec.name} cannot be enumerated, so it has no exact Nash gap; `nashmail exploit` {instead}, "
            "`nashmail match` counts games"
        )
    policies: dict[str, tuple[Seats, dict[str, Any]]] = {}
    for name in names:
        if name in tables:
            table = read_table(Path(name), game)
            policies[name] = ((table, table), {})
            continue
        profile = runs[name]
        if profile.game.spec.name != game.spec.name:
            raise RunError(f"{name} plays {profile.game.spec.name}, not {game.spec.name}; measure it separately")
        words = ("games", "labels", "distinct_labels")
        policies[name] = (profile.policies, {key: profile.result[key] for key in words if key in profile.result})
    experts = {profile.config.expert: profile.expert for profile in runs.values() if profile.expert is not None}
    return game, policies, experts
