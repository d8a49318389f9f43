"""``nashmail match``: many games between runs, the expert, random play and players that err on purpose."""

from __future__ import annotations

import argparse
import json

from mail.commands.line import csv_file, workers


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("game", metavar="GAME", help="as `nashmail games` lists them, for example tictactoe")
    parser.add_argument(
        "entrant",
        nargs="+",
        metavar="WHO",
        help="two or more of: RUN[:LEARNER], expert, random, suboptimal:T (softmax of solver scores, temperature T)",
    )
    parser.add_argument("--games", type=int, default=200, metavar="N", help="games per ordered pair (default: 200)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="random seed (default: 0)")
    parser.add_argument(
        "--ratings",
        action="store_true",
        help="also a cross table and ratings: Bradley-Terry with Davidson's draws and a seat effect, "
        "fitted with a normal prior, in points (400 more: odds of ten to one)",
    )
    parser.add_argument("--moves", action="store_true", help="also the moves of a game of each pair in each order")
    workers.arguments(parser)
    csv_file.arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    """Play, count and print."""
    from games.registry import make
    from mail.evaluation.arena.match import check, match
    from mail.evaluation.arena.rating import rate, remarks
    from mail.terminal.tables import cross_table, rating_table, result_table
    from mail.training.entrants import entrants, model_for

    check(games=args.games, seed=args.seed)
    csv_file.check(args.csv)
    pool = workers.pool(args)
    game = make(args.game)
    entered = entrants(args.entrant, game)
    model = model_for(game)
    players = {name: entrant(model) for name, entrant in entered.items()}
    with pool as opened:
        results = match(game, model, players, games=args.games, seed=args.seed, pool=opened)
    ratings = rate(results) if args.ratings else None
    points = [] if ratings is None else ratings.as_dict()["players"]
    csv_file.write(args.csv, results=[result.as_dict() for result in results], ratings=points)
    if args.json:
        facts = {"game": game.spec.name, "games": args.games, "seed": args.seed, "entrants": list(players)}
        rated = {} if ratings is None else {"ratings": ratings.as_dict()}
        print(json.dumps({**facts, "results": [result.as_dict() for result in results], **rated}))
        return 0
    from rich.console import Console

    from agents.storage.reading import printable

    console = Console(markup=False, highlight=False, emoji=False)
    console.print(f"{game.spec.name}: {args.games:,} games of each pair in each order, seed {args.seed}")
    console.print(result_table(results))
    exact = "; exact: probabilities of won, drawn, lost" if any(result.exact for result in results) else ""
    console.print(f"win rate: the first's, 95 % Wilson interval{exact}")
    if args.moves:
        console.print("moves of the first game of each pair in each order, for nashmail replay --moves:")
        for result in results:
            console.print(
                f"{printable(result.first)} against {printable(result.second)}: {result.moves}", soft_wrap=True
            )
    if ratings is not None:
        console.print(cross_table(results))
        console.print("score of the row's player in seat 0 against the column's, draws count half")
        console.print(rating_table(ratings))
        for line in remarks(ratings):
            console.print(printable(line))
    return 0
