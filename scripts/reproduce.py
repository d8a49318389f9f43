"""Figures of the papers, remade with exact measures: ``python scripts/reproduce.py FIGURE``.

Each figure leaves its data (JSON) and its picture (PNG, most of them as PDF for print, too) in the output folder and
prints its table. ``--workers N`` shares its cells (a line, game or size with one seed each) among N processes,
``--ray-address HOST:PORT`` among the processors of a Ray cluster whose machines all have this folder, at the same
place; only the clock shows it. Figures:

    tictactoe   BC and MAIL with several explorers on Tic-Tac-Toe, both seats: exact exploitability against
                queries, beside the reference's own proxy; games and queries to coverage; the default learner's result
    asks        eight explorers (and mail-walk) on Tic-Tac-Toe and Connect Four 4x4, with symmetry and without: labels,
                queries and games until the clone cannot be exploited. Finished cells are kept in OUT/asks-cells,
                so that a run that was killed goes on
    connect4-exact  MAIL and BC on Connect Four 4x4, 5x4, 4x5 and 5x5, exact: exploitability against queries; cells are
                kept in OUT/connect4-exact-cells
    connect4    five learners on Connect Four 6x7, equal queries: wins against players that err, and blunders; needs
                the solver, and hours; runs are kept in OUT/connect4-cells

    unbeatable  a first player of 6x7 that nothing beats: its walks and its proof; needs the solver, and hours; the
                run is kept in OUT/unbeatable-run, the proof in OUT/unbeatable-proof

    value-gap   adversarial and inverse imitation, BC, and MAIL: value gap against the expert beside the Nash gap,
                exact; cells are kept in OUT/value-gap-cells
    leaderboard every learner on six games (docs/leaderboard.md); stored cells are not run again
    responses   MAIL-BRO and MURMAIL beside BC where an opponent leaves the experts' path, by concentrability
    cloning     label smoothing and weight averaging in network clones of equal labels
    experts     which equilibrium is cheapest to imitate: positions to be known and queries by expert, on Connect Four
                3x3 to 5x5; cells are kept in OUT/experts-cells; data and table, no picture

Linear Markov games (docs/markov-games.md), all exact:

    linear      the 3x3 grid world: BC, uniform, tabular, linear and deep MAIL, on three sets of features
    chain       directed against uniform exploration on the chain of despair, N = 4, 8, 16
    dimension   queries to a small gap against S at fixed d, and against d at fixed S
    concentrability   BC's gap where the state level and the feature level come apart
    rates       gap against queries for experts that mix, beside the slope -1/2
    offline-limits    games in which matching what experts do is not enough, and the bound where it is

Hidden information (docs/cards.md), exact:

    cards       Kuhn's and Leduc poker: BC, MAIL and other interactive learners, Nash gap against queries; cells
                are kept in OUT/cards-cells
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

from mail.commands.line import workers
from mail.commands.line.usage import Parser

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
FIGURES = (
    "tictactoe",
    "asks",
    "connect4",
    "connect4-exact",
    "unbeatable",
    "linear",
    "chain",
    "dimension",
    "concentrability",
    "rates",
    "offline-limits",
    "cards",
    "value-gap",
    "leaderboard",
    "responses",
    "cloning",
    "experts",
)
PACKAGES = dict.fromkeys(("leaderboard", "responses", "cloning", "experts"), "field.") | {"unbeatable": "large."}
"""Those over many learners or experts, and on large boards, have folders of their own."""


def main(argv: list[str] | None = None) -> int:
    """Make one figure; exit status 2 with one line for a figure there is not."""
    parser = Parser(prog="reproduce.py", description="Make a figure: its data, picture and table.")
    parser.add_argument("figure", help=", ".join(FIGURES))
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds, counted from 0 (default: 10)")
    parser.add_argument("--out", type=Path, default=Path("docs/figures"), help="folder for data and picture")
    workers.arguments(parser)
    parser.add_argument("--redraw", action="store_true", help="only the picture and tables, from the data in --out")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    args = parser.parse_args(argv)
    if args.figure not in FIGURES:
        print(f"reproduce.py: no figure is called {args.figure!r}; there are: {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    if args.seeds < 2:
        print(f"reproduce.py: --seeds must be at least 2 (bands and intervals), not {args.seeds}", file=sys.stderr)
        return 2
    if args.redraw and not (args.out / f"{args.figure}.json").is_file():
        print(f"reproduce.py: there is no {args.figure}.json in {args.out} to redraw", file=sys.stderr)
        return 2
    return figure(args)


def figure(args: argparse.Namespace) -> int:
    """Make or redraw what the words name; one line for workers that are not available, or a cell that fails."""
    for variable in THREADS:  # read when numpy is loaded: two threads slow small matrices
        os.environ.setdefault(variable, "1")
    from games.base import NashmailError

    module = importlib.import_module(f"figures.{PACKAGES.get(args.figure, '')}{args.figure.replace('-', '_')}")
    try:
        if args.redraw:
            module.redraw(args.out)
        else:
            with workers.pool(args, at_once=True) as pool:
                module.make(args.seeds, args.out, pool)
    except KeyboardInterrupt:
        if args.debug:
            raise
        print("reproduce.py: interrupted; finished cells are kept", file=sys.stderr)
        return 130
    except NashmailError as error:
        if args.debug:
            raise
        print(f"reproduce.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
