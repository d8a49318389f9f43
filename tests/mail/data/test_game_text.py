"""Games as text of others: move strings, lists of moves and ConnectX replays, read by the rules or refused."""

from __future__ import annotations

import json
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from games.markov.gridworld import gridworld
from mail.data.game_text import follow, line_text, moves_text, read_games
from mail.data.records import RecordError, parse
from tests.mail.data.test_records import GAME, random_record
from tests.mail.terminal.sitting import command
from tests.support import draw, game

NAMES = ["tictactoe", "connect4", "tictactoe:4x4:4", "connect4:4x5", "gridworld:3x3", "kuhn"]
# a game of connect4.gamesolver.org's notation: Allis' opening in the middle column, x wins in column 1
WON = "1212121"


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_there_and_back(name: str, seed: int) -> None:
    """Random games of every kind, boards, simultaneous moves and dealt cards: the string leads to the same game."""
    from games import make

    played = make(name)
    record = random_record(played, seed)
    text = moves_text(played.spec.actions, record.moves)
    again = follow(played, text, seed=seed)
    assert again.record.moves == record.moves and again.record.result == record.result and again.over
    assert follow(played, text.replace(" ", ","), seed=seed).record.moves == record.moves


def test_a_string_is_what_the_rules_make_of_it() -> None:
    played = follow(game("connect4"), "4455", seed=None)
    assert list(played.record.moves) == [(3, -1), (-1, 3), (4, -1), (-1, 4)]
    assert played.game.render(played.states[-1][0]) == draw(
        """
        .......
        .......
        .......
        .......
        ...oo..
        ...xx..
        """
    )
    assert not played.over and played.record.result is None
    won = follow(game("connect4"), WON, seed=None)
    assert won.over and won.record.result == 1
    assert line_text(7, (3, 3, 4, 4)) == "4455" and line_text(16, (15, 0)) == "16 1"


def test_words_of_a_game_may_stand_for_numbers() -> None:
    played = follow(gridworld(3, 3), "up LEFT, 2 down", seed=3)
    assert played.record.moves == ((2, 0), (1, 3))


WRONG = {
    "move 5 ('8'): there is no such column; they count from 1 to 7": ("connect4", "44558"),
    "move 7 ('4') is not legal: that column is full": ("connect4", "4444444"),
    "move 3 ('x') is not the number of a column": ("connect4", "44x5"),
    "move 3 ('0'): there is no such column": ("connect4", "440"),
    "move 2 ('5') is not legal: that cell is taken": ("tictactoe", "55"),
    "the game is over before move 8 ('2')": ("connect4", "12121212"),
    "move 1 ('17'): there is no such cell; they count from 1 to 16": ("tictactoe:4x4:4", "17"),
    "move 1 ('1616'): there is no such cell": ("tictactoe:4x4:4", "1616"),
    r"move 1 ('\u0664') is not": ("connect4", "\u0664"),
}


@pytest.mark.parametrize("said", WRONG)
def test_an_illegal_move_is_refused_with_its_index(said: str) -> None:
    name, text = WRONG[said]
    with pytest.raises(RecordError) as error:
        follow(game(name), text, seed=None)
    assert said in str(error.value)
    assert "\n" not in str(error.value) and str(error.value).isascii()


def test_half_a_step_is_none() -> None:
    with pytest.raises(RecordError, match="seat 1 has no move in the last step"):
        follow(gridworld(3, 3), "123", seed=0)


@pytest.mark.parametrize("name", ["kuhn", "shifted:5,4,0.3", "linear:4,2"])
def test_where_chance_decides_moves_alone_are_no_game(name: str) -> None:
    from games import make

    with pytest.raises(RecordError, match="chance decides"):
        follow(make(name), "1 1 1 1", seed=None)


@pytest.mark.slow
@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    for name in ("connect4", "tictactoe:4x4:4"):
        try:
            follow(game(name), text, seed=None)
        except RecordError as error:
            assert "\n" not in str(error) and str(error).isprintable()


# --- files -------------------------------------------------------------------------------------------------


def test_lists_of_moves(tmp_path: Path) -> None:
    path = tmp_path / "moves.txt"
    path.write_text(f"# two games\n4455\n\n{WON}  # won\n")
    first, second = read_games(path, game("connect4"))
    assert len(first.record.moves) == 4 and second.record.result == 1
    path.write_text("4455\n4458\n")
    with pytest.raises(RecordError, match=r"moves.txt, line 2: move 4 \('8'\)"):
        read_games(path, game("connect4"))
    path.write_text("\n# nothing\n")
    with pytest.raises(RecordError, match="holds no moves"):
        read_games(path, game("connect4"))
    with pytest.raises(RecordError, match="not a saved game"):
        read_games(path)


def test_saved_games_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (GAME, "5 1 9\n"):
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(text.encode())))
        (played,) = read_games(Path("-"), game("tictactoe"))
        assert played.record.moves[:1] == (parse(GAME, "file").record.moves[:1] if text is GAME else ((4, -1),))
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"4" * (1 << 24) + b"44")))
    with pytest.raises(RecordError, match="more than the limit"):
        read_games(Path("-"), game("connect4"))


# --- Kaggle ------------------------------------------------------------------------------------------------


def connectx(moves: str, rows: int = 6, columns: int = 7, k: int = 4, ending: str = "DONE") -> dict[str, Any]:
    """A replay of these moves as kaggle-environments writes it, with boards that are filled here."""

    def step(board: list[int], actions: list[int], statuses: list[str]) -> list[dict[str, Any]]:
        agents = [
            {"action": action, "reward": 0, "info": {}, "observation": {"mark": mark + 1}, "status": statuses[mark]}
            for mark, action in enumerate(actions)
        ]
        agents[0]["observation"]["board"] = [*board]  # type: ignore[index]
        return agents

    board, turn = [0] * rows * columns, ["ACTIVE", "INACTIVE"]
    steps = [step(board, [0, 0], turn)]
    for at, column in enumerate(int(move) - 1 for move in moves):
        cell = max(cell for cell in range(column, rows * columns, columns) if board[cell] == 0)
        board[cell] = at % 2 + 1
        turn = [ending, ending] if at == len(moves) - 1 else turn[::-1]
        steps.append(step(board, [column, 0] if at % 2 == 0 else [0, column], turn))
    about = {"rows": rows, "columns": columns, "inarow": k, "timeout": 2}
    info = {"TeamNames": ["one", "two"]}
    return {"name": "connectx", "configuration": about, "steps": steps, "rewards": [1, -1], "info": info}


def written(folder: Path, values: Any) -> Path:
    path = folder / "replay.json"
    path.write_text(json.dumps(values))
    return path


@pytest.mark.parametrize(
    ("moves", "size", "name"),
    [
        (WON, {}, "connect4"),
        ("444444", {"ending": "INACTIVE"}, "connect4"),
        ("1212121", {"rows": 4, "columns": 5}, "connect4:4x5"),
        ("12121", {"rows": 6, "columns": 7, "k": 3}, "connect4:6x7:3"),
    ],
)
def test_a_replay_of_kaggle(tmp_path: Path, moves: str, size: dict[str, Any], name: str) -> None:
    (played,) = read_games(written(tmp_path, connectx(moves, **size)))
    assert played.game.spec.name == name
    assert moves_text(7, played.record.moves) == moves
    assert played.record.players == ("one", "two")
    assert played.over == ("ending" not in size)


def test_replays_that_end_by_an_error_keep_the_moves_before_it(tmp_path: Path) -> None:
    values = connectx("4455")
    values["steps"][-1][1] |= {"action": 9, "status": "Invalid column: 9"}
    values["steps"][-1][0]["observation"]["board"] = values["steps"][-2][0]["observation"]["board"]
    (played,) = read_games(written(tmp_path, values))
    assert moves_text(7, played.record.moves) == "445" and not played.over


def test_replays_that_are_refused(tmp_path: Path) -> None:
    other, moved, board, text = (connectx(WON) for _ in range(4))
    other["name"] = "halite"
    moved["steps"][2][1]["action"] = 3
    board["steps"][3][0]["observation"]["board"][0] = 2
    text["steps"][1][0]["action"] = "1"
    for values, said in [
        (other, "is no replay of Kaggle's ConnectX"),
        (moved, "step 2: its board is not the one"),
        (board, "step 3: its board is not the one"),
        (text, "an action must be a whole number"),
        ({"name": "connectx"}, "is damaged: KeyError"),
        (connectx(WON) | {"steps": 3}, "is damaged"),
        (connectx(WON) | {"configuration": {"rows": 99, "columns": 99, "inarow": 4}}, "replay.json: "),
    ]:
        with pytest.raises(RecordError, match=said):
            read_games(written(tmp_path, values))
    with pytest.raises(RecordError, match="holds a game of connect4, not of connect4:4x5"):
        read_games(written(tmp_path, connectx(WON)), game("connect4:4x5"))
    (tmp_path / "replay.json").write_text("{" * 100_000)
    with pytest.raises(RecordError, match="is not JSON"):
        read_games(tmp_path / "replay.json")


# --- commands ----------------------------------------------------------------------------------------------


def test_commands_take_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = written(tmp_path, connectx(WON))
    status, out, _ = command(monkeypatch, capsys, f"replay {path}")
    assert status == 0 and "connect4, seed 0\nx: one\no: two" in out and out.endswith("x wins (+1).\n\n")
    assert command(monkeypatch, capsys, "replay --game connect4 --moves 4455")[0] == 0
    assert command(monkeypatch, capsys, "replay - --game connect4 --number 2", f"44\n{WON}\n")[1].count("x wins") == 1
    for words, said in [
        ("replay", "name either a FILE or --moves"),
        ("replay --moves 44", "--moves needs --game"),
        ("replay --game connect4 --moves 44 --number 2", "--number 2 is not there"),
        ("replay --game connect4 --moves 4x", "--moves: move 2 ('x') is not the number of a column"),
        (f"replay {path} --game tictactoe", "holds a game of connect4, not of tictactoe"),
        ("play tictactoe --from 55", "--from: move 2 ('5') is not legal"),
        ("play tictactoe --from 14253", "--from: the game is over after these moves"),
        (f"play tictactoe --from {path}", "holds a game of connect4, not of tictactoe"),
        ("play tictactoe --seat both --against random", "--seat both leaves no seat to random"),
        ("play connect4 --seat both --against unbeatable", "choose --seat 1, or --against human"),
        (
            f"train connect4:4x4 --from-games {path} --out {tmp_path}/run",
            "holds a game of connect4, not of connect4:4x4",
        ),
    ]:
        status, out, err = command(monkeypatch, capsys, words)
        assert (status, out) == (2, "") and said in err and err.count("\n") == 1, words


def test_play_begins_after_moves_or_a_saved_game(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "game.txt").write_text(GAME.replace("5. 6\n6. 7\n", "").replace("-1", "unfinished"))
    for words in ("--from 1523", f"--from {tmp_path / 'game.txt'}"):
        status, out, _ = command(monkeypatch, capsys, f"play tictactoe --ascii --seed 4 {words}", "7\nundo\nundo\nq\n")
        assert status == 0
        assert " x | x |[o]\n" in out and "You play cell 7" not in out
        assert "(cell 4 6-9, ? for help): 7" in out and "Back to move 5." in out and "Back to move 3." in out


def test_matches_and_lines_are_told_as_moves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "match tictactoe expert suboptimal:1 --games 3"
    _, out, _ = command(monkeypatch, capsys, f"{words} --json")
    strings = [result["moves"] for result in json.loads(out)["results"]]
    assert all(follow(game("tictactoe"), text, seed=None).over for text in strings) and strings[0].startswith("1")
    _, out, _ = command(monkeypatch, capsys, f"{words} --moves")
    assert f"expert against suboptimal:1: {strings[0]}\n" in out
