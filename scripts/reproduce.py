"""Figures of the papers, remade with exact measures: ``python scripts/reproduce.py FIGURE``.

Each figure leaves its data (JSON) and its picture (PNG) in the output folder and prints its table. Figures:

    tictactoe   BC and MAIL with several explorers on Tic-Tac-Toe, both seats: exact exploitability against
                asks, beside the reference's own proxy; games and asks to coverage; the default learner's result
    asks        six explorers on Tic-Tac-Toe and Connect Four 4x4, with symmetry and without: distinct labels,
                asks and games until the clone cannot be exploited. Finished cells are kept in OUT/asks-cells,
                so that a run that was killed goes on
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from mail.usage import Parser

FIGURES = ("tictactoe", "asks")


def main(argv: list[str] | None = None) -> int:
    """Make one figure; exit status 2 with one line for a figure there is not."""
    parser = Parser(prog="reproduce.py", description="Make a figure: its data, picture and table.")
    parser.add_argument("figure", help=", ".join(FIGURES))
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds, counted from 0 (default: 10)")
    parser.add_argument("--out", type=Path, default=Path("docs/figures"), help="folder for data and picture")
    parser.add_argument("--redraw", action="store_true", help="only the picture and tables, from the data in --out")
    args = parser.parse_args(argv)
    if args.figure not in FIGURES:
        print(f"reproduce.py: no figure is called {args.figure!r}; there are: {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    if args.seeds < 2:
        print(f"reproduce.py: --seeds must be at least 2 (bands and intervals), not {args.seeds}", file=sys.stderr)
        return 2
    module = importlib.import_module(f"figure_{args.figure}")
    if not args.redraw:
        module.make(args.seeds, args.out)
    elif (args.out / f"{args.figure}.json").is_file():
        module.redraw(args.out)
    else:
        print(f"reproduce.py: there is no {args.figure}.json in {args.out} to redraw", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
