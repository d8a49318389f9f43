"""The count behind the expert ``few``, against plain recursion over strings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agents.experts.few import Moves, fewest
from games import GameGraph
from games.plies.graph import CompactGraph
from tests.support import PlainBoard, backward, game, graph, rows_by_picture

BOARD = "connect4:3x3:3"
PLAIN = PlainBoard.like(game(BOARD))
VALUES = backward(PLAIN, lambda picture, moves: (min if PLAIN.mover(picture) else max)(moves.values()))
Count = dict[str, tuple[int, int]]


def rivals(picture: str) -> str:
    """The same stones with colours exchanged, in which what was a block is a win."""
    return picture.translate(str.maketrans("xo", "ox"))


def by_rules(picture: str) -> list[int]:
    """The moves that win at once or, where none does, block a win at once."""
    mark = "xo"[PLAIN.mover(picture)]

    def wins(action: int, mark: str) -> bool:
        lines = [list(line) for line in picture.split("\n")]
        row = max(row for row in range(PLAIN.rows) if lines[row][action] == ".")
        lines[row][action] = mark
        return PLAIN.winner("\n".join("".join(line) for line in lines)) == "xo".index(mark)

    moves = PLAIN.moves(picture)
    return [a for a in moves if wins(a, mark)] or [a for a in moves if wins(a, rivals(mark))]


def counted(seat: int, weigh: Callable[[str, list[int]], int]) -> Count:
    """f and the action of ``few`` at every position of the seat, by recursion over all games."""
    found: Count = {}

    def f(picture: str) -> int:
        if not (moves := PLAIN.moves(picture)):
            return 0
        after = {action: PLAIN.after(picture, action) for action in moves}
        if PLAIN.mover(picture) != seat:
            return sum(f(following) for following in after.values())
        if picture not in found:
            sign = 1 - 2 * seat
            enough = [action for action in moves if sign * VALUES[after[action]] >= sign * VALUES[PLAIN.empty]]
            kept = enough or [action for action in moves if VALUES[after[action]] == VALUES[picture]]
            right = [action for action in kept if action in by_rules(picture)]
            costs = {action: f(after[action]) for action in right or kept}
            least = min(costs, key=lambda action: (costs[action], action))
            found[picture] = weigh(picture, moves) + costs[least], least
        return found[picture][0]

    for picture in VALUES:
        f(picture)
    return found


def needs_knowing(seat: int) -> Callable[[str, list[int]], int]:
    sign, value = 1 - 2 * seat, VALUES[PLAIN.empty]

    def weigh(picture: str, moves: list[int]) -> int:
        errs = any(sign * VALUES[PLAIN.after(picture, action)] < sign * value for action in moves)
        return int(errs and not by_rules(picture))

    return weigh


@pytest.mark.parametrize("seat", [0, 1])
def test_the_moves_and_counts_are_those_of_plain_recursion(seat: int) -> None:
    model, everything = graph(BOARD), rows_by_picture(graph(BOARD))
    for weigh, given in (
        (needs_knowing(seat), {}),
        (lambda *_: 1, {"weigh": lambda *args: np.ones(len(args[1].rows))}),
    ):
        found, (choice, start) = counted(seat, weigh), fewest(model, seat, **given)
        assert found
        assert {picture: int(choice[everything[picture]]) for picture in found} == {
            picture: action for picture, (_, action) in found.items()
        }
        first = found[PLAIN.empty][0] if seat == 0 else sum(
            found[PLAIN.after(PLAIN.empty, action)][0] for action in range(PLAIN.columns)
        )  # fmt: skip
        assert start == first


def test_moves_that_keep_the_value_are_those_of_plain_recursion() -> None:
    model = graph(BOARD)
    kept = Moves(model, np.arange(len(model))).keep()
    for picture, row in rows_by_picture(model).items():
        right = [a for a in PLAIN.moves(picture) if VALUES[PLAIN.after(picture, a)] == VALUES[picture]]
        assert np.flatnonzero(kept[row]).tolist() == right


@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["connect4:3x4", "quotient:connect4:3x4", "quotient:connect4:4x4"])
def test_compact_graphs_and_mirror_images_count_alike(name: str, seat: int) -> None:
    model, compact = graph(name), CompactGraph(game(name))
    (choice, count), (other, same) = fewest(model, seat), fewest(compact, seat)
    mine = model.seat == seat
    assert np.array_equal(choice[mine], other[mine])
    assert count == same == fewest(GameGraph(game(name.removeprefix("quotient:"))), seat)[1]
