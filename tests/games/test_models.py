"""Which games have an exact model, and what is said where they have none."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from games import GameGraph, make
from games.cost import TooLarge
from games.models import TABLES, arrangements, has_model, instead, model_of, own_board
from mail.commands.cli import main
from tests.support import game, graph


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a command is refused with."""
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("\n") == 1
    return shown.err


def test_boards_of_other_libraries_are_known_to_be_too_large_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("games.models.GameGraph", None)  # nothing may be listed
    for name in ("openspiel:connect_four", "pettingzoo:connect_four", "openspiel:connect_four(rows=5,columns=5)"):
        assert not has_model(make(name)) and model_of(make(name)) is None


def test_our_own_board_is_named_where_it_can_do_more() -> None:
    names = {
        "openspiel:connect_four": "connect4",
        "openspiel:connect_four(rows=4,columns=5)": "connect4:4x5",
        "openspiel:mnk(m=4,n=3,k=3)": "tictactoe:3x4",
        "openspiel:mnk(m=4,n=4,k=4)": "tictactoe:4x4:4",
        "openspiel:mnk": "",
        "openspiel:chess": "",
        "connect4": "",
    }
    assert {name: own_board(make(name)) for name in names} == names
    assert instead(make("openspiel:connect_four")) == "choose connect4, our own game with the same rules"


def test_the_limits_are_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("games.models.SECONDS", 0.01)
    monkeypatch.setattr("games.cost.Meter.patience", 0.01)
    with pytest.raises(TooLarge, match=r"openspiel:hex\(board_size=4\) is too large.*, choose a smaller size, or play"):
        model_of(make("openspiel:hex(board_size=4)"))


def test_memory_that_runs_out_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(GameGraph, "__init__", full)
    with pytest.raises(TooLarge, match=r"not enough memory for the positions of connect4:4x4"):
        model_of(make("connect4:4x4"))


def test_small_games_of_other_libraries_have_a_model() -> None:
    model = model_of(make("openspiel:nim(pile_sizes=1;3)"))
    assert isinstance(model, GameGraph) and len(model) * model.game.spec.actions < TABLES


@pytest.mark.slow
@pytest.mark.parametrize("game", ["openspiel:go", "openspiel:connect_four"])
def test_training_what_is_too_large_is_refused_in_one_line(
    game: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("games.cost.Meter.patience", 0.2)
    line = told(["train", game, "--out", str(tmp_path / "run")], capsys)
    assert not (tmp_path / "run").exists()
    assert ("choose connect4" if "four" in game else "choose a smaller size") in line


@pytest.mark.slow
def test_games_too_large_for_a_model_are_played(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("games.cost.Meter.patience", 0.2)
    assert "expert needs the game's exact model: openspiel:chess is too large" in told(
        ["match", "openspiel:chess", "random", "expert"], capsys
    )
    line = told(["match", "openspiel:connect_four", "random", "expert"], capsys)
    assert "or connect4, which has the same rules" in line


@pytest.mark.parametrize("name", ["tictactoe", "tictactoe:2x3:2", "connect4:2x3:2", "connect4:3x3:3"])
def test_arrangements_are_all_fillings_with_stones_in_turn(name: str) -> None:
    board = game(name)
    count = 0
    for cells in product(".xo", repeat=board.spec.longest):
        columns = [cells[column :: board.columns] for column in range(board.columns)]
        floating = any("." in column[row:] for column in columns for row in range(board.rows) if column[row] != ".")
        count += cells.count("x") - cells.count("o") in (0, 1) and not (board.gravity and floating)
    assert arrangements(board) == count
    assert len(graph(name)) < count


@pytest.mark.parametrize(
    ("name", "positions"),
    [("connect4:3x4", 12_031), ("connect4:4x4", 161_029), ("connect4:4x5", 3_945_711), ("connect4:5x5", 69_763_700)],
)
def test_arrangements_bound_the_known_numbers_of_positions(name: str, positions: int) -> None:
    assert positions < arrangements(game(name)) < 3 * positions
