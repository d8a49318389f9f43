"""N-tuple policies against the sum over all patterns written out, their files and exports, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.export.plan import plan
from agents.export.write import export
from agents.loaders import folder as numpy_loader
from agents.ntuple import LONGEST, Grid, NtuplePolicy
from agents.policy import Lifted, PolicyError, query
from agents.storage.policies import load_policy, save_policy
from games.base import Floats, Game, States
from games.boards import Board
from games.registry import make
from games.symmetry import Quotient
from tests.support import PENNIES, game, position, reloaded, visited

NAMES = ("tictactoe", "connect4:4x4", "tictactoe:2x3:2")


def drawn(board: Game, tuples: int = 6, length: int = 4, *, tied: bool = True, seed: int = 0) -> NtuplePolicy:
    """A policy with random weights for about half of the patterns that there are."""
    rng = np.random.default_rng(seed)
    grid = Grid.of(board)
    cells = grid.draw_tuples(tuples, length, rng=rng)
    codes = [np.flatnonzero(rng.random(4**length) < 0.5).astype(np.uint64) for _ in cells]
    counts = np.array([len(part) for part in codes])
    weights = rng.normal(size=(counts.sum(), grid.actions)).astype(np.float32)
    return NtuplePolicy(cells, counts, np.concatenate(codes), weights, tied=tied)


def mover(board: Game, states: States) -> np.ndarray:
    return board.acting(states)[:, 1].astype(int)


def written_out(policy: NtuplePolicy, board: Board, state: States) -> Floats:
    """The logits of one position, from its picture, image by image and tuple by tuple."""
    logits = np.zeros(board.spec.actions)
    images = board.images(state[None])[: None if policy.tied else 1]
    for image, actions in zip(images[:, 0], board.spec.symmetries, strict=False):
        lines = board.render(image).split("\n")
        own = "xo"[mover(board, image[None])[0]]
        digit = {}
        for row, line in enumerate(lines):
            for column, mark in enumerate(line):
                below = lines[row + 1][column] if row + 1 < board.rows else "#"
                empty = 0 if board.gravity and below == "." else 1
                digit[row * board.columns + column] = empty if mark == "." else 2 if mark == own else 3
        start = 0
        for cells, count in zip(policy.cells, policy.counts, strict=True):
            code = sum(digit[int(cell)] << (2 * at) for at, cell in enumerate(cells))
            found = np.flatnonzero(policy.codes[start : start + count] == code)
            if len(found):
                logits += policy.weights[start + found[0]].astype(np.float64)[list(actions)]
            start += count
    return logits


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_the_softmax_of_the_sum_written_out(name: str, tied: bool) -> None:
    board = game(name)
    policy, states = drawn(board, tied=tied), visited(board)
    states = states[board.acting(states).any(1)][::3]
    for seat in (0, 1):
        mine = states[mover(board, states) == seat]
        rows = query(policy, board, mine, seat)
        logits = np.array([written_out(policy, board, state) for state in mine])
        weights = np.where(board.legal(mine, seat), np.exp(logits), 0.0)
        np.testing.assert_allclose(rows, weights / weights.sum(1, keepdims=True), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_images_have_moved_answers(name: str) -> None:
    board = game(name)
    policy, states = drawn(board), visited(board)
    for seat in (0, 1):
        rows = policy.probabilities(board, states, seat)
        for image, actions in zip(board.images(states), board.spec.symmetries, strict=True):
            there = policy.probabilities(board, image, seat)
            np.testing.assert_allclose(there[:, list(actions)], rows, rtol=0, atol=1e-12)


def test_rows_do_not_depend_on_the_batch_to_the_bit() -> None:
    board = game("connect4:4x4")
    policy, states = drawn(board), visited(board)
    rows = policy.probabilities(board, states, 0)
    alone = np.concatenate([policy.probabilities(board, states[at : at + 1], 0) for at in range(len(states))])
    assert np.array_equal(rows, alone)
    assert np.array_equal(reloaded(policy).probabilities(board, states, 0), rows)


def test_cells_show_four_states_with_gravity_and_three_without() -> None:
    falling, free = game("connect4:4x4"), game("tictactoe")
    (digits,) = Grid.of(falling).digits(falling.observe(position(falling, "....\n....\n.o..\n.x.x\n"), 1))
    assert digits.reshape(4, 4).tolist() == [[0, 0, 0, 0], [0, 1, 0, 0], [0, 2, 0, 1], [1, 3, 1, 3]]
    (digits,) = Grid.of(free).digits(free.observe(position(free, "x..\n.o.\n..."), 0))
    assert digits.tolist() == [2, 1, 1, 1, 3, 1, 1, 1, 1]


def test_tuples_are_walks_of_a_king() -> None:
    grid = Grid.of(game("connect4:4x4"))
    cells = grid.draw_tuples(50, 6, rng=np.random.default_rng(0))
    assert np.array_equal(cells, grid.draw_tuples(50, 6, rng=np.random.default_rng(0)))
    for walk in cells:
        places = [divmod(int(cell), 4) for cell in walk]
        assert len(set(places)) == 6
        for at in range(1, 6):  # next to one that was visited before
            assert any(max(abs(a - b) for a, b in zip(places[at], old, strict=True)) == 1 for old in places[:at])


@pytest.mark.parametrize(("tuples", "length"), [(1, 10), (0, 3), (3, 0), (1, 17)])
def test_tuples_that_do_not_fit_are_refused(tuples: int, length: int) -> None:
    with pytest.raises(PolicyError, match="cannot be drawn; take 1 or more, of 1 to 9 cells"):
        Grid.of(game("tictactoe")).draw_tuples(tuples, length, rng=np.random.default_rng(0))


def test_codes_have_room_for_32_cells() -> None:
    board = make("connect4")
    grid = Grid.of(board)
    (cells,) = grid.draw_tuples(1, LONGEST, rng=np.random.default_rng(0))
    full = np.array([2**64 - 1], dtype=np.uint64)
    policy = NtuplePolicy(cells[None], np.array([1]), full, np.ones((1, 7), dtype=np.float32))
    assert np.allclose(policy.probabilities(board, board.start(1, rng=np.random.default_rng(0)), 0), 1 / 7)
    with pytest.raises(PolicyError, match="of 1 to 32 cells"):
        grid.draw_tuples(1, LONGEST + 1, rng=np.random.default_rng(0))


def test_games_that_are_no_boards_are_refused() -> None:
    with pytest.raises(PolicyError, match="test-pennies is no board"):
        Grid.of(PENNIES)
    with pytest.raises(PolicyError, match="made for another board than tictactoe"):
        drawn(game("connect4:4x4")).probabilities(game("tictactoe"), np.zeros((1, 2), dtype=np.uint64), 0)


@pytest.mark.parametrize(
    ("part", "value", "says"),
    [
        ("cells", np.array([[0, 0]]), "all different"),
        ("cells", np.array([[0, -1]]), "all different"),
        ("counts", np.array([3]), "a count for each tuple"),
        ("codes", np.array([5, 4], dtype=np.uint64), "ascend"),
        ("codes", np.array([5, 16], dtype=np.uint64), "two bits for each"),
        ("codes", np.array([5, 6]), "uint64"),
        ("weights", np.full((2, 9), np.nan, dtype=np.float32), "not finite"),
        ("weights", np.ones((3, 9), dtype=np.float32), "as many codes and weights"),
    ],
)
def test_arrays_that_are_no_policy_are_refused(part: str, value: np.ndarray, says: str) -> None:
    codes = np.array([5, 6], dtype=np.uint64)
    parts = {"cells": np.array([[0, 1]]), "counts": np.array([2]), "codes": codes}
    arrays: dict[str, Any] = {**parts, "weights": np.ones((2, 9), dtype=np.float32)}
    NtuplePolicy(**arrays)
    with pytest.raises(PolicyError, match=says):
        NtuplePolicy(**{**arrays, part: value})


@pytest.mark.parametrize("lifted", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_saved_and_exported_it_gives_the_same_answers(name: str, lifted: bool, tmp_path: Path) -> None:
    board = game(name)
    policy = Lifted(drawn(board), Quotient(board)) if lifted else drawn(board)
    states = visited(board)
    save_policy(tmp_path / "one", policy, game=board, seat=1)
    saved = load_policy(tmp_path / "one")
    rows = policy.probabilities(board, states, 1)
    assert np.array_equal(saved.policy.probabilities(board, states, 1), rows)
    export((plan(policy, board, 0), plan(policy, board, 1)), "folder", tmp_path / "out")
    exported = numpy_loader.load("seat1", tmp_path / "out")(board.observe(states, 1), board.legal(states, 1))
    np.testing.assert_allclose(exported, rows, rtol=0, atol=1e-12)
    with pytest.raises(PolicyError, match="export them to folder"):
        export((plan(policy, board, 0), plan(policy, board, 1)), "onnx", tmp_path / "other")


# --- exceptions ------------------------------------------------------------------------------------------


def excepting(board: Board, states: States) -> tuple[NtuplePolicy, States, np.ndarray]:
    """A policy with exceptions at every third of some positions, those positions, and the moves there."""
    policy, rng = drawn(board), np.random.default_rng(1)
    mirrored = board.images(states)[1]
    lesser = states[states.sum(1) < mirrored.sum(1)][::3]
    moves = (rng.random((len(lesser), board.spec.actions)) * board.legal(lesser, 0)).argmax(1)
    return policy.excepting(lesser.sum(1)[::-1], moves[::-1]), lesser, moves


def test_exceptions_are_played_and_so_are_their_mirror_images(tmp_path: Path) -> None:
    board = game("connect4:4x4")
    assert isinstance(board, Board)
    states = visited(board)
    states = states[board.legal(states, 0).any(1)]
    policy, lesser, moves = excepting(board, states)
    assert len(lesser) > 5
    wanted = np.eye(4)[moves]
    assert np.array_equal(policy.probabilities(board, lesser, 0), wanted)
    assert np.array_equal(policy.probabilities(board, board.images(lesser)[1], 0), wanted[:, ::-1])
    excepted = np.isin(np.minimum(states.sum(1), board.images(states)[1].sum(1)), lesser.sum(1))
    rows = policy.probabilities(board, states, 0)
    assert np.array_equal(rows[~excepted], drawn(board).probabilities(board, states[~excepted], 0))
    save_policy(tmp_path / "one", policy, game=board, seat=0)
    assert np.array_equal(load_policy(tmp_path / "one").policy.probabilities(board, states, 0), rows)
    assert np.array_equal(policy.sharpened(2.0).probabilities(board, lesser, 0), wanted)
    export((plan(policy, board, 0), plan(policy, board, 1)), "folder", tmp_path / "out")
    exported = numpy_loader.load("seat0", tmp_path / "out")(board.observe(states, 0), board.legal(states, 0))
    np.testing.assert_allclose(exported, rows, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("numbers", "answers", "says"),
    [([5, 6], [0], "an answer for each"), ([5, 5], [0, 1], "ascend"), ([5], [4], "from 0 to 3"), ([5], [-1], "from 0")],
)
def test_exceptions_that_are_none_are_refused(numbers: list[int], answers: list[int], says: str) -> None:
    arrays: dict[str, Any] = drawn(game("connect4:4x4")).arrays()
    excepted: dict[str, Any] = {"exceptions": np.array(numbers, dtype=np.uint64), "answers": np.array(answers)}
    with pytest.raises(PolicyError, match=says):
        NtuplePolicy(**arrays, **excepted)


def test_exceptions_need_mirror_images_and_discs_that_fall() -> None:
    one = {"exceptions": np.array([5], dtype=np.uint64), "answers": np.array([0])}
    arrays = drawn(game("connect4:4x4")).arrays()
    falling: dict[str, Any] = {**arrays, **one, "tied": False}
    with pytest.raises(PolicyError, match="its weights are tied"):
        NtuplePolicy(**falling)
    free = game("tictactoe")
    with pytest.raises(PolicyError, match="another board"):
        drawn(free).excepting(one["exceptions"], one["answers"]).probabilities(free, visited(free), 0)


def test_a_file_for_another_board_is_refused(tmp_path: Path) -> None:
    save_policy(tmp_path / "one", drawn(make("connect4:4x4")), game=make("connect4:4x5"), seat=0)
    with pytest.raises(PolicyError, match="weights is float32"):
        load_policy(tmp_path / "one")


@pytest.mark.slow
def test_it_plays_where_numba_can_keep_nothing(tmp_path: Path) -> None:
    """The cache's folders are files, and then damaged: the answers are the same."""
    code = (
        "from agents.ntuple_kernels import slot_of\nimport numpy as np\nprint(slot_of(np.uint64(5), np.uint64(1023)))"
    )

    def run(**environment: str) -> str:
        found = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=True
        )
        return found.stdout

    home = tmp_path / "cache"
    usual = run(NUMBA_CACHE_DIR=str(home))
    for file in home.rglob("*.nbi"):
        file.write_bytes(b"not an index")
    assert run(NUMBA_CACHE_DIR=str(home)) == usual
    blocked = run(NUMBA_CACHE_DIR="/dev/null/x", NUMBA_CACHE_LOCATOR_CLASSES="UserProvidedCacheLocator")
    assert blocked == usual


@pytest.mark.parametrize(("name", "length"), [("connect4:4x4", 4), ("connect4:4x5", 8), ("connect4:3x3:3", 9)])
def test_tuples_of_lines_hold_each_line_once_and_stay_on_the_board(name: str, length: int) -> None:
    board = game(name)
    grid, k = Grid.of(board), board.k
    cells = grid.draw_lines(k, length, rng=np.random.default_rng(0))
    lines = set()
    for row in range(board.rows):
        for column in range(board.columns):
            for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                line = [(row + n * down, column + n * right) for n in range(k)]
                if all(r < board.rows and 0 <= c < board.columns for r, c in line):
                    lines.add(frozenset(r * board.columns + c for r, c in line))
    assert sorted(map(sorted, lines)) == sorted(sorted(row[:k].tolist()) for row in cells)
    assert cells.shape == (len(lines), length) and cells.min() >= 0 and cells.max() < grid.cells
    assert all(len(set(row)) == length for row in cells.tolist()), "no cell comes twice"
    for row in cells.tolist():
        for at, cell in enumerate(row[k:], k):
            near = [
                max(abs(cell // board.columns - c // board.columns), abs(cell % board.columns - c % board.columns))
                for c in row[:at]
            ]
            assert min(near) == 1, "a neighbour of the cells before it"
    assert np.array_equal(cells, grid.draw_lines(k, length, rng=np.random.default_rng(0)))
