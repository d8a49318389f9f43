"""The expert ``few`` of 6x7: the budgeted count, by plain recursion, and moves that keep the value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.experts.lookahead import Lookahead, decisions_after, kept_rows
from agents.policy import query
from agents.solver import Scores, scores, use
from agents.storage.label_cache import LabelCache
from games.base import States
from tests.support import PlainBoard, game, graph, position, random_play, reloaded

GAME = game("connect4")


def wins(plain: PlainBoard, picture: str) -> bool:
    return any(plain.winner(plain.after(picture, action)) is not None for action in plain.moves(picture))


def plain_count(plain: PlainBoard, picture: str, turns: int) -> dict[int, float]:
    """Decisions after each legal move."""

    def decisions(picture: str, turns: int) -> float:
        if not plain.moves(picture) or wins(plain, picture):
            return 0.0
        safe = [a for a in plain.moves(picture) if not wins(plain, plain.after(picture, a))]
        if turns == 1 or not safe:
            return 1.0
        after = plain_count(plain, picture, turns - 1)
        return 1.0 + min(after[action] for action in safe)

    def after(picture: str) -> float:
        return sum(decisions(plain.after(picture, reply), turns) for reply in plain.moves(picture))

    return {action: after(plain.after(picture, action)) for action in plain.moves(picture)}


def test_the_count_is_that_of_plain_recursion() -> None:
    board, model = game("connect4:4x4"), graph("connect4:4x4")
    rows = np.random.default_rng(0).choice(len(model), 12, replace=False)
    plain, states = PlainBoard.like(board), model.states[rows]
    for turns in (1, 2):
        found = decisions_after(board, states, turns)
        for state, counts in zip(states, found, strict=True):
            there = {action: count for action, count in enumerate(counts.tolist()) if np.isfinite(count)}
            assert there == plain_count(plain, board.render(state), turns)


def test_on_the_real_board_it_keeps_the_value(tmp_path: Path) -> None:
    pytest.importorskip("bitbully", reason="the extra `solver` is not installed")
    use(Scores(LabelCache(tmp_path / "scores.sqlite")))
    states = late(8)
    scored, seat = scores(GAME, states), int(GAME.acting(states)[0].argmax())
    for found in (query(policy, GAME, states, seat) for policy in (Lookahead(), reloaded(Lookahead()))):
        assert (found.max(1) == 1.0).all()
        assert (np.sign(scored[found > 0]) == np.sign(scored.max(1))).all()
    use(None)


def late(empty: int) -> States:
    """Positions of random games with so many empty cells."""
    return next(
        states
        for states, *_ in random_play(GAME, 400, np.random.default_rng(0))
        if 42 - int(np.bitwise_count(states[0, 1])) == empty
    )


def test_a_move_keeps_the_value_by_the_sign_of_its_score() -> None:
    none = -np.inf
    scored = np.array([[3.0, 1.0, 0.0, none], [none, 0.0, -2.0, 0.0], [-5.0, none, -1.0, none]])
    assert kept_rows(scored).tolist() == [[0.5, 0.5, 0, 0], [0, 0.5, 0, 0.5], [0.5, 0, 0.5, 0]]


def test_a_threat_leaves_fewer_decisions_than_a_quiet_move() -> None:
    picture = ".......\n.......\n.......\n.......\n.......\n.xx..oo"
    counts = decisions_after(GAME, position(GAME, picture), 2)[0]
    assert counts[3] < counts[0]
    assert counts.argmin() == 3
