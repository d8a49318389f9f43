"""``nashmail play``: a human in the terminal against an expert, random play, or what a run has learned."""

from __future__ import annotations

import argparse
import secrets
import sys


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("game", metavar="GAME", help="as `nashmail games` lists them, for example tictactoe")
    parser.add_argument(
        "--against",
        default="expert",
        metavar="WHO",
        help="expert (default), random, suboptimal:T, or RUN[:LEARNER] (mail)",
    )
    parser.add_argument("--seat", type=int, choices=(0, 1), default=0, help="yours; 0 moves first (default: 0)")
    parser.add_argument("--seed", type=_seed, metavar="S", help="of the opponent's draws (default: a fresh one)")


def run(args: argparse.Namespace) -> int:
    """Play one game; leaving it early is no failure."""
    from rich.console import Console

    from games import make
    from mail.entrants import asks_the_graph, entrant, graph_of
    from mail.terminal import Session, reader

    game = make(args.game)
    sits_down = entrant(args.against, game)
    policies = sits_down(graph_of(game) if asks_the_graph(args.against) else None)
    name = {"expert": "the expert", "random": "the random player"}.get(args.against, args.against)
    seed = secrets.randbelow(1_000_000) if args.seed is None else args.seed
    console = Console(markup=False, highlight=False, emoji=False)
    session = Session(
        game,
        policies[1 - args.seat],
        opponent=name,
        human=args.seat,
        seed=seed,
        read=reader(sys.stdin.buffer if sys.stdin else None),
        console=console,
        echo=not (sys.stdin and sys.stdin.isatty()),
    )
    try:
        session.play()
    except KeyboardInterrupt:
        console.print()  # the complaint starts a line of its own
        raise
    if args.seed is None and args.against != "expert":
        console.print(f"The same opponent again: --seed {seed}", soft_wrap=True)
    return 0


def _seed(text: str) -> int:
    """A seed as argparse wants it read."""
    if not (text.isascii() and text.isdigit() and len(text) <= 100):
        raise argparse.ArgumentTypeError(f"a seed is a whole number, 0 or more, not {text[:20]!r}")
    return int(text)
