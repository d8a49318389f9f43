"""``nashmail gap``: the exact Nash gap of saved policies, measured anew."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="+", metavar="RUN[:LEARNER]", help="a run's folder, and which learner of it")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    from games.base import Enumerable
    from games.graph import GameGraph
    from mail.runs import RunError, load_profile
    from mail.train import measures

    profiles = [load_profile(name) for name in args.run]
    game = profiles[0].game
    for profile in profiles:
        if profile.game.spec.name != game.spec.name:
            raise RunError(f"{profile.name} plays {profile.game.spec.name}, not {game.spec.name}; measure it apart")
    if not isinstance(game, Enumerable):
        raise RunError(f"{game.spec.name} cannot be enumerated, so it has no exact Nash gap")
    begun = time.perf_counter()
    model = GameGraph(game)
    policies: dict[str, dict[str, Any]] = {}
    for profile in profiles:
        counts: dict[str, Any] = {
            key: profile.result[key] for key in ("games", "labels", "distinct_labels") if key in profile.result
        }
        policies[profile.name] = {**counts, **measures(model, profile.policies)}
    seconds = time.perf_counter() - begun
    if args.json:
        print(json.dumps({"game": game.spec.name, "exact": True, "seconds": seconds, "policies": policies}))
        return 0
    from rich.console import Console

    from mail.tables import learner_table

    Console().print(learner_table(f"{game.spec.name}: exact, {seconds:.2f} s", policies))
    return 0
