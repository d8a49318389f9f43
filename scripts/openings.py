"""The suite of drawn openings of 6x7 Connect Four: ``python scripts/openings.py`` writes
``mail/evaluation/arena/openings.txt``.

Positions with seven stones, seat 1 to move, no two equal or mirror images, that are drawn according to the solver: the
first 200 of them in a random order, with a fixed seed, of all positions of that ply. Needs the solver (``make solver``)
and a minute.
"""

from __future__ import annotations

import sys

import numpy as np

from agents import solver
from agents.storage.policies import write_atomic
from games import Board, Quotient
from games.base import Ints, States
from mail.evaluation.arena.openings import FILE
from mail.parallel.streams import stream

PLY, SIZE = 7, 200


def connect4() -> Board:
    """Connect Four on 6 x 7."""
    return Board(6, 7, 4, gravity=True, name="connect4")


def layer(ply: int) -> tuple[States, list[Ints]]:
    """All positions [n, 2] of a ply up to mirror image, and the columns [n] of one line to each, move by move."""
    game = Quotient(connect4())
    states = game.starts()
    line: list[Ints] = []
    for moved in range(ply):
        row, action = np.nonzero(game.legal(states, moved % 2))
        moves = np.full((len(row), 2), -1, dtype=np.int64)
        moves[:, moved % 2] = action
        found = game.successors(states[row], moves)
        _, first = np.unique(found.states, axis=0, return_index=True)
        first = first[~found.done[first]]
        states = found.states[first]
        line = [part[row[first]] for part in line] + [action[first]]
    return states, line


def suite_rows(states: States) -> Ints:
    """The lines of the suite."""
    game = connect4()
    rows: list[int] = []
    for row in stream(0, "openings").permutation(len(states)):
        if solver.scores(game, states[row : row + 1], best_only=True).max() == 0:
            rows.append(int(row))
        if len(rows) == SIZE:
            break
    return np.array(rows)


def main() -> int:
    """Write the file."""
    states, line = layer(PLY)
    rows = suite_rows(states)
    # The line passes through images of positions; on the board it is reconstructed by walking towards each of them.
    texts = sorted(on_the_board([int(part[row]) for part in line]) for row in rows)
    write_atomic(FILE, ("\n".join(texts) + "\n").encode())
    print(f"{len(texts)} of {len(states):,} positions: {FILE}", file=sys.stderr)
    return 0


def on_the_board(line: list[int]) -> str:
    """The columns, counted from 1, of a line of the quotient, played without mirroring."""
    board = connect4()
    quotient = Quotient(board)
    states, text = board.starts(), ""
    for action in line:
        forward = quotient.to_canonical(quotient.canonical(states)[1])[0]
        column = int(np.flatnonzero(forward == action)[0])
        text += str(column + 1)
        states = board.successors(states, np.where(board.acting(states), column, -1)).states
    return text


if __name__ == "__main__":
    sys.exit(main())
