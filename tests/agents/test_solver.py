"""The solver of 6x7 Connect Four: its convention, its agreement with plain search, experts made from it, its memory."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import agents.solver
from agents import PolicyError, make_expert
from agents.policy import Lifted
from agents.solver import Scores, best_rows, scores, solvable, use
from agents.storage.label_cache import LabelCache
from agents.suboptimal import parse, rows_at, suboptimal
from games import Board, Quotient, make
from games.base import States
from tests.support import PlainBoard, game, move, position, random_play, reloaded

GAME = game("connect4")
PLAIN = PlainBoard.like(GAME)


@pytest.fixture(autouse=True)
def own_scores(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Every test with a cache of its own."""
    pytest.importorskip("bitbully", reason="the extra `solver` is not installed")
    use(Scores(LabelCache(tmp_path / "scores.sqlite")))
    yield
    use(None)


def after(columns: str) -> States:
    """The position after these moves, columns counted from 1."""
    states = GAME.starts()
    for ply, column in enumerate(columns):
        states = GAME.step(states, move(ply % 2, int(column) - 1), rng=np.random.default_rng(0))[0]
    return states


def late_positions(*, empty: int, n: int, seed: int) -> list[str]:
    """Pictures from random games with at most so many empty cells, not over."""
    rng = np.random.default_rng(seed)
    found: list[str] = []
    while len(found) < n:
        for states, *_ in random_play(GAME, 64, rng):
            if 42 - int(np.bitwise_count(states[0, 1])) <= empty:  # all games are at the same ply
                found += [GAME.render(state) for state in states]
    return found[:n]


@cache
def plain_score(picture: str) -> int:
    """The score for the seat to move by plain recursion: half the cells left, rounded as the winner's stones say."""
    return max(plain_move_scores(picture).values())


def plain_move_scores(picture: str) -> dict[int, int]:
    found = {}
    for action in PLAIN.moves(picture):
        child = PLAIN.after(picture, action)
        if PLAIN.winner(child) is not None:
            stones = 42 - child.count(".")
            found[action] = 22 - (stones + 1) // 2  # 22 minus the winner's stones
        else:
            found[action] = 0 if "." not in child else -plain_score(child)
    return found


def test_known_values() -> None:
    assert scores(GAME, after(""))[0].tolist() == [-2, -1, 0, 1, 0, -1, -2]
    assert scores(GAME, after("4455"))[0].max() == 18  # wins with the fourth own stone: 22 - 4
    assert scores(GAME, after("44455554221"))[0].max() == -15
    full = scores(GAME, after("444444"))[0]
    assert full[3] == -np.inf and np.isfinite(np.delete(full, 3)).all()


@pytest.mark.slow
def test_agrees_with_plain_search_on_late_positions() -> None:
    pictures = late_positions(empty=8, n=80, seed=1)
    states = np.concatenate([position(GAME, picture) for picture in pictures])
    for picture, found in zip(pictures, scores(GAME, states), strict=True):
        expected = plain_move_scores(picture)
        assert {action: found[action] for action in np.flatnonzero(np.isfinite(found))} == expected, picture


def test_the_best_moves_alone_are_those_of_all_scores() -> None:
    """At every stage of the game, in either order of asking; what is not scored is worse."""
    rng = np.random.default_rng(4)
    visited = [states for states, *_ in random_play(GAME, 12, rng)]
    states = np.concatenate([ply for ply in visited if not 12 <= int(np.bitwise_count(ply[0, 1])) <= 15])  # slow ones
    best = scores(GAME, states, best_only=True)
    every = scores(GAME, states)
    top = every == every.max(1, keepdims=True)
    assert (best[top] == every[top]).all() and (best[~top] == -np.inf).all()
    assert (scores(GAME, states, best_only=True) == every).all(), "all scores serve whoever needs only the best"
    file = agents.solver.shared().file
    assert file is not None
    assert (file.get("connect4", agents.solver._canonical(states)[0], 7)[1] != -127).all()


def test_experts_keep_the_value_win_soonest_and_lose_latest() -> None:
    pictures = late_positions(empty=6, n=60, seed=2)
    for name in ("first", "uniform"):
        expert = make_expert(name, GAME)
        for picture in pictures:
            seat, expected = PLAIN.mover(picture), plain_move_scores(picture)
            best = [action for action, score in expected.items() if score == max(expected.values())]
            row = expert[seat].probabilities(GAME, position(GAME, picture), seat)[0]
            assert np.flatnonzero(row).tolist() == (best[:1] if name == "first" else best)
            assert row[best[0]] == (1.0 if name == "first" else pytest.approx(1 / len(best)))


def test_on_the_quotient_images_get_images_of_one_answer() -> None:
    quotient = Quotient(GAME)
    expert = Lifted(make_expert("first", quotient)[0], quotient)
    states = after("4455")
    mirrored = GAME.images(states)[1]
    row, image = (expert.probabilities(GAME, each, 0)[0] for each in (states, mirrored))
    assert (row == image[::-1]).all() and row.max() == 1.0
    plain = make_expert("first", GAME)[0]
    assert plain.probabilities(GAME, states, 0)[0].argmax() == 2
    assert plain.probabilities(GAME, mirrored, 0)[0].argmax() == 1  # the lowest of both winning columns


def test_a_seat_that_does_not_move_and_a_finished_game_have_zero_rows() -> None:
    expert = make_expert("first", GAME)[0]
    states = np.concatenate([after(""), after("1"), after("1212121")])
    assert expert.probabilities(GAME, states, 0).sum(1).tolist() == [1, 0, 0]
    assert expert.probabilities(GAME, states, 1).sum(1).tolist() == [0, 1, 0]
    assert not np.isfinite(scores(GAME, states[2:])).any()
    assert expert.probabilities(GAME, states[:0], 0).shape == (0, 7)


def test_suboptimal_players_follow_their_temperature() -> None:
    states = after("4455")
    found = scores(GAME, states)
    weights = np.exp(found[0] / 2.0)
    row = suboptimal(GAME, 2.0)[0].probabilities(GAME, states, 0)[0]
    assert row == pytest.approx(weights / weights.sum())
    assert suboptimal(GAME, 0.0)[0].probabilities(GAME, states, 0)[0].argmax() == 2


def test_the_hopeless_variant_draws_only_where_every_move_loses() -> None:
    lost, won = after("44455554221"), after("4455")
    assert scores(GAME, lost).max() < 0
    states = np.concatenate([lost, after("44")])
    plain, random_when_lost = (suboptimal(GAME, 0.0, random_when_lost=word)[1] for word in (False, True))
    assert plain.probabilities(GAME, states, 1)[0].max() == 1.0
    row = random_when_lost.probabilities(GAME, states, 1)[0]
    weights = np.exp(scores(GAME, lost)[0])
    assert row == pytest.approx(weights / weights.sum())
    assert (rows_at(scores(GAME, won), 0.0, random_when_lost=True) == best_rows(scores(GAME, won), ties="first")).all()
    assert parse("suboptimal:0:hopeless") == (0.0, True) and parse("suboptimal:0.5") == (0.5, False)
    with pytest.raises(PolicyError, match="only temperature 0"):
        parse("suboptimal:1:hopeless")


def test_only_the_real_board_is_known() -> None:
    assert solvable(GAME) and solvable(Quotient(GAME))
    for other in ("connect4:7x6", "connect4:6x7:3", "connect4:6x6", "tictactoe:6x7:4"):
        assert not solvable(make(other))
        with pytest.raises(PolicyError):
            scores(game(other), game(other).starts())
    with pytest.raises(PolicyError, match="enumerated as a graph, and connect4 on 6x7"):
        make_expert("first", make("connect4:6x6"))


def test_an_expert_goes_through_a_pickle() -> None:
    expert = reloaded(make_expert("uniform", GAME)[0])
    assert expert.probabilities(GAME, after(""), 0)[0].tolist() == [0, 0, 0, 1, 0, 0, 0]


def test_a_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents.solver, "find_spec", lambda name: None)
    with pytest.raises(PolicyError, match="`make solver`"):
        make_expert("first", GAME)
    with pytest.raises(PolicyError, match="`make solver`"):
        suboptimal(GAME, 1.0)


# --- what is remembered ----------------------------------------------------------------------------------------


def some_positions(n: int) -> States:
    pictures = late_positions(empty=14, n=n, seed=3)
    return np.concatenate([position(GAME, picture) for picture in pictures])


def test_a_position_and_its_image_are_solved_once_and_never_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, states = Scores(LabelCache(tmp_path / "a.sqlite")), some_positions(80)
    mirrored = GAME.images(states)[1]
    found = first.of(states)
    solved = first.solved
    assert (first.of(mirrored) == found[:, ::-1]).all() and first.solved == solved <= 80 and first.queried == 160
    monkeypatch.setattr(agents.solver, "_solve", None)  # from here on, solving anything raises
    monkeypatch.setattr(agents.solver, "_solve_best", None)
    assert (first.of(states, best_only=True) == found).all()
    assert (Scores(LabelCache(tmp_path / "a.sqlite")).of(states) == found).all()


def test_a_process_that_may_not_write_hands_over_what_it_solved(tmp_path: Path) -> None:
    path, states = tmp_path / "a.sqlite", some_positions(20)
    worker = Scores(LabelCache(path), writes=False)
    found = worker.of(states)
    assert worker.solved and not LabelCache(path).get("connect4", np.arange(3), 7)[0].any()
    new = worker.take_new()
    assert len(new[0]) == worker.solved and not len(worker.take_new()[0])
    driver = Scores(LabelCache(path))
    driver.add(*new)
    assert LabelCache(path).get("connect4", new[0], 7)[0].all()
    assert (driver.of(states) == found).all() and driver.solved == 0


def test_without_the_file_everything_is_computed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.sqlite").mkdir()
    states = some_positions(20)
    for writes in (True, False):
        found = Scores(LabelCache(tmp_path / "a.sqlite"), writes=writes)
        assert (found.of(states) == Scores(None).of(states)).all() and found.solved
        found.of(some_positions(21))
        said = capsys.readouterr().err
        assert said.count("\n") == writes and ("this run goes on without it" in said) == writes


def test_numbered_positions_give_back_their_boards() -> None:
    states = some_positions(200)
    position_, mirrored = agents.solver._canonical(states)
    images = GAME.images(states)
    least = np.where(mirrored[:, None], images[1], images[0])
    for (stones, own, left), state in zip(agents.solver._their_boards(position_), least, strict=True):
        ours = [[(int(word) >> (7 * column)) & 0x3F for column in range(7)] for word in state]
        theirs = [[(word >> (9 * column)) & 0x3F for column in range(7)] for word in (own, stones)]
        assert ours == theirs and left == 42 - int(np.bitwise_count(state[1]))


def test_the_board_is_the_registered_one() -> None:
    assert isinstance(GAME, Board) and agents.solver._BOARD.spec == GAME.spec
