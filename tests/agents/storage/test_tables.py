"""Tables that anyone can write: read back to the last bit, and every mistake named in one line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents import expert
from agents.policy import PolicyError, Uniform, query, sample, tabulate
from agents.storage.tables import board_strings, read_table, write_table
from agents.tabular import from_model
from mail.evaluation.gap import nash_gap
from tests.support import PENNIES, game, graph, random_profile

NAME = "tictactoe:2x2:2"  # 17 positions with a move to make: small enough to write by hand


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, so that messages name files as they were given."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- there and back --------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "json"])
@pytest.mark.parametrize("name", [NAME, "tictactoe", "connect4:3x4"])
def test_a_table_comes_back_to_the_last_bit(folder: Path, name: str, suffix: str) -> None:
    model = graph(name)
    tables = random_profile(model, 6, sparse=True)
    path = Path(f"policy.{suffix}")
    write_table(path, (from_model(model, 0, tables[0]), from_model(model, 1, tables[1])), model)
    read = read_table(path, model.game)
    for seat in (0, 1):
        assert np.array_equal(tabulate(model, read, seat), tables[seat])
    again = Path(f"again.{suffix}")
    write_table(again, read, model)
    assert again.read_bytes() == path.read_bytes()


def test_an_expert_keeps_its_nash_gap(folder: Path) -> None:
    model = graph("tictactoe")
    write_table(Path("expert.csv"), expert.make("uniform", model), model)
    read = read_table(Path("expert.csv"), model.game)
    assert nash_gap(model, (read, read)).nash_gap == 0.0


BACKENDS = ["tictactoe", "openspiel:tic_tac_toe", "openspiel:mnk(m=3,n=3,k=3)", "pettingzoo:tictactoe"]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "json"])
@pytest.mark.parametrize("name", BACKENDS)
def test_a_table_serves_every_backend(folder: Path, name: str, suffix: str) -> None:
    """Read for any of them, it answers alike on all of them, at every position of some games."""
    model = graph("tictactoe")
    tables = random_profile(model, 6)
    path = Path(f"policy.{suffix}")
    write_table(path, (from_model(model, 0, tables[0]), from_model(model, 1, tables[1])), model)
    native, read = read_table(path, model.game), read_table(path, game(name))
    played = model.game.starts(), game(name).starts()
    rng = np.random.default_rng(0)
    for ply in range(5):
        rows = [
            query(read, each, states, ply % 2) for each, states in zip((model.game, game(name)), played, strict=True)
        ]
        assert np.array_equal(rows[0], rows[1])
        assert np.array_equal(rows[0], query(native, model.game, played[0], ply % 2))
        action = sample(rows[0], rng=rng)
        actions = np.where(np.arange(2) == ply % 2, action[:, None], -1)
        played = model.game.step(played[0], actions, rng=rng)[0], game(name).step(played[1], actions, rng=rng)[0]


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_a_table_written_by_another_backend_comes_back(folder: Path, suffix: str) -> None:
    name = "openspiel:connect_four(rows=2,columns=3,x_in_row=2)"
    model, native = graph(name), graph("connect4:2x3:2")
    tables = random_profile(native, 6)
    profile = from_model(native, 0, tables[0]), from_model(native, 1, tables[1])
    write_table(Path(f"theirs.{suffix}"), profile, model)
    write_table(Path(f"ours.{suffix}"), profile, native)
    for file in ("theirs", "ours"):
        for each in (model, native):
            read = read_table(Path(f"{file}.{suffix}"), each.game)
            expected = nash_gap(native, profile).nash_gap
            assert nash_gap(each, (read, read)).nash_gap == pytest.approx(expected, abs=1e-12)


def test_up_to_symmetry_a_table_has_to_be_symmetric(folder: Path) -> None:
    model, quotient = graph("tictactoe"), graph("quotient:tictactoe")
    write_table(Path("random.csv"), Uniform(), model)
    read = read_table(Path("random.csv"), quotient.game)
    assert nash_gap(quotient, (read, read)).nash_gap == pytest.approx(1.9196593915343916, abs=1e-12)
    write_table(Path("first.csv"), expert.make("first", model), model)
    with pytest.raises(
        PolicyError, match=r"^first.csv, line \d+: \S+ and its image \S+ have other probabilities; measure"
    ):
        read_table(Path("first.csv"), quotient.game)
    with pytest.raises(PolicyError, match=r"a table needs every position of the board: lift the policies \(Lifted\)"):
        write_table(Path("lifted.csv"), Uniform(), quotient)


@pytest.mark.parametrize(
    "other", ["connect4:2x2:2", "tictactoe:3x3:2", "openspiel:havannah(board_size=-1)", "mine", "chain"]
)
def test_a_table_for_other_rules_is_refused(folder: Path, other: str) -> None:
    """Whatever the file says its game is; a name that could end the process is never looked up."""
    write_table(Path("policy.json"), Uniform(), graph(NAME))
    Path("policy.json").write_text(Path("policy.json").read_text().replace(NAME, other))
    refused(Path("policy.json"), f"policy.json, line 2: this is a table for {other}, not for {NAME}")


def test_the_file_reads_as_it_is_drawn(folder: Path) -> None:
    """A heading, then one board to a line, rows from the top; a program of a few lines can write this."""
    write_table(Path("policy.csv"), Uniform(), graph(NAME))
    lines = Path("policy.csv").read_text().splitlines()
    assert lines[:3] == ["board,0,1,2,3", "../..,0.25,0.25,0.25,0.25", lines[2]]
    assert f"x./..,0.0,{1 / 3},{1 / 3},{1 / 3}" in lines
    write_table(Path("policy.json"), Uniform(), graph(NAME))
    whole = json.loads(Path("policy.json").read_text())
    assert whole["game"] == NAME
    assert whole["positions"]["../.."] == [0.25] * 4
    assert len(whole["positions"]) == len(lines) - 1 == len(graph(NAME))


def test_a_handwritten_file_may_be_in_any_order_spaced_quoted_and_without_heading(folder: Path) -> None:
    write_table(Path("policy.csv"), Uniform(), graph(NAME))
    heading, *lines = Path("policy.csv").read_text().splitlines()
    assert heading.startswith("board")
    spaced = [f'"{line.replace(",", chr(34) + " , ", 1)}' for line in reversed(lines)]
    Path("mine.csv").write_text("\ufeff" + "\r\n\r\n".join(spaced), encoding="utf-8", newline="")
    assert np.array_equal(
        tabulate(graph(NAME), read_table(Path("mine.csv"), game(NAME)), 0), tabulate(graph(NAME), Uniform(), 0)
    )


def test_sums_may_be_off_by_what_printing_costs(folder: Path) -> None:
    write_table(Path("policy.csv"), Uniform(), graph(NAME))
    text = Path("policy.csv").read_text().replace(str(1 / 3), "0.33333334")
    Path("policy.csv").write_text(text)
    read = read_table(Path("policy.csv"), game(NAME))
    assert query(read, game(NAME), graph(NAME).states[1:2], 1).max() == 0.33333334


@pytest.mark.parametrize("name", ["tictactoe", "tictactoe:3x4:3", "connect4:4x4"])
def test_boards_are_written_as_they_are_drawn(name: str) -> None:
    board, states = game(name), graph(name).states[:: max(1, len(graph(name)) // 500)]
    drawn = [board.render(state).replace("\n", "/") for state in states]
    assert [text.decode() for text in board_strings(board, states)] == drawn


# --- mistakes --------------------------------------------------------------------------------------------

Change = Callable[[list[str]], list[str]]


def put(line: int, text: str) -> Change:
    """Another text in this line, counted from 1."""
    return lambda lines: [*lines[: line - 1], text, *lines[line:]]


def drop(*gone: int) -> Change:
    return lambda lines: [text for number, text in enumerate(lines, 1) if number not in gone]


def add(text: str) -> Change:
    return lambda lines: [*lines, text]


ROOT = "../.."
CSV_MISTAKES: dict[str, tuple[Change, str]] = {
    "one position missing": (drop(2), "t.csv: 1 of 17 positions of tictactoe:2x2:2 are missing, the first is ../.."),
    "several missing": (drop(3, 4, 5), "t.csv: 3 of 17 positions of tictactoe:2x2:2 are missing, the first is "),
    "nothing there": (lambda lines: [], "t.csv: 17 of 17 positions of tictactoe:2x2:2 are missing, the first is ../.."),
    "negative": (put(2, f"{ROOT},-0.5,0.5,0.5,0.5"), f"t.csv, line 2: {ROOT} holds a negative probability: -0.5, 0.5"),
    "not a number": (put(2, f"{ROOT},nan,0.5,0.5,0"), f"t.csv, line 2: {ROOT} holds a number that is not finite: nan"),
    "infinite": (put(2, f"{ROOT},inf,0,0,0"), f"t.csv, line 2: {ROOT} holds a number that is not finite: inf"),
    "sum": (put(2, f"{ROOT},0.25,0.25,0.25,0.24"), f"t.csv, line 2: {ROOT} holds probabilities that do not sum to 1"),
    "all zero": (put(2, f"{ROOT},0,0,0,0"), f"t.csv, line 2: {ROOT} holds probabilities that do not sum to 1"),
    "illegal": (add("x./..,1,0,0,0"), "t.csv, line 19: x./.. puts probability on an illegal action: 1, 0, 0, 0"),
    "over": (
        add("xo/x.,0,0,0,1"),
        "t.csv, line 19: 'xo/x.' is not a reachable position of tictactoe:2x2:2 with a move",
    ),
    "unreachable": (
        add("xx/..,0,0,0,1"),
        "t.csv, line 19: 'xx/..' is not a reachable position of tictactoe:2x2:2 with",
    ),
    "wrong size": (
        add(".../...,0,0,0,1"),
        "t.csv, line 19: '.../...' is not a board of 2 rows of 2 characters x, o or .",
    ),
    "capitals": (add("X./..,0,0,0,1"), "t.csv, line 19: 'X./..' is not a board of 2 rows of 2 characters x, o or ."),
    "no board": (add("\u00e9,0,0,0,1"), "t.csv, line 19: '\u00e9' is not a board of 2 rows of 2 characters x, o or ."),
    "twice": (add(f"{ROOT},1,0,0,0"), "t.csv, line 19: ../.. repeats t.csv, line 2"),
    "too few": (put(2, f"{ROOT},0.5,0.5,0"), "t.csv, line 2: 3 probabilities; tictactoe:2x2:2 has 4 actions"),
    "too many": (put(2, f"{ROOT},1,0,0,0,0"), "t.csv, line 2: 5 probabilities; tictactoe:2x2:2 has 4 actions"),
    "word": (put(3, "x./..,0,half,0.5,0"), "t.csv, line 3: a probability must be a number: could not convert string"),
    "semicolons": (put(2, f"{ROOT};1;0;0;0"), "t.csv, line 2: 0 probabilities; tictactoe:2x2:2 has 4 actions"),
    "heading later": (add("board,0,1,2,3"), "t.csv, line 19: 'board' is not a board of 2 rows"),
}


@pytest.mark.parametrize("mistake", CSV_MISTAKES)
def test_a_mistake_in_csv_is_named_with_its_line(folder: Path, mistake: str) -> None:
    change, message = CSV_MISTAKES[mistake]
    write_table(Path("t.csv"), Uniform(), graph(NAME))
    lines = Path("t.csv").read_text().splitlines()
    assert (len(lines), lines[1][:5]) == (18, ROOT)
    if mistake == "illegal":
        lines = ["" if line.startswith("x./..") else line for line in lines]  # its line stays, empty
    Path("t.csv").write_text("\n".join(change(lines)), encoding="utf-8")
    refused(Path("t.csv"), message)


JSON_MISTAKES: dict[str, tuple[Callable[[str], str], str]] = {
    "cut off": (lambda text: text[: len(text) // 2], "t.json, line 9: not JSON: "),
    "wrong game": (
        lambda text: text.replace(NAME, "connect4"),
        "t.json, line 2: this is a table for connect4, not for",
    ),
    "no game": (lambda text: text.replace('"game"', '"name"'), "t.json, line 1: a table must be "),
    "a list": (lambda text: "[1, 2]", "t.json, line 1: a table must be "),
    "no list": (lambda text: text.replace("[0.25, 0.25, 0.25, 0.25]", "0.25"), "t.json, line 4: ../.. needs a list of"),
    "text": (lambda text: text.replace("[0.25,", '["0.25",'), "t.json, line 4: ../.. needs a list of numbers"),
    "true": (lambda text: text.replace("[0.25,", "[true,"), "t.json, line 4: ../.. needs a list of numbers"),
    "object": (lambda text: text.replace("[0.25, 0.25, 0.25, 0.25]", "{}"), "t.json, line 4: ../.. needs a list of"),
    "too few": (lambda text: text.replace("[0.25, ", "["), "t.json, line 4: 3 probabilities; tictactoe:2x2:2 has 4"),
    "sum": (
        lambda text: text.replace("[0.25, ", "[0.2, "),
        "t.json, line 4: ../.. holds probabilities that do not sum",
    ),
    "not a number": (
        lambda text: text.replace("[0.25, ", "[NaN, "),
        "t.json, line 4: ../.. holds a number that is not",
    ),
    "too large": (
        lambda text: text.replace("[0.25, ", f"[1{'0' * 400}, "),
        "t.json, line 4: a probability must be a number",
    ),
    "far too large": (lambda text: text.replace("[0.25, ", f"[1{'0' * 5000}, "), "t.json: JSON that cannot be read: "),
    "too deep": (lambda text: "[" * 100_000, "t.json"),
    "unreachable": (
        lambda text: text.replace("../..", "o./.."),
        "t.json, line 4: 'o./..' is not a reachable position of",
    ),
    "twice": (
        lambda text: text.replace('    "../..": [0.25', '    "../..": [1, 0, 0, 0],\n    "../..": [0.25'),
        "t.json, line 5: ../.. repeats t.json, line 4",
    ),
}


@pytest.mark.parametrize("mistake", JSON_MISTAKES)
def test_a_mistake_in_json_is_named_with_its_line(folder: Path, mistake: str) -> None:
    change, message = JSON_MISTAKES[mistake]
    write_table(Path("t.json"), Uniform(), graph(NAME))
    text = Path("t.json").read_text()
    assert text.splitlines()[3].startswith('    "../.."')
    assert change(text) != text
    Path("t.json").write_text(change(text))
    refused(Path("t.json"), message)


def test_files_that_cannot_be_tables_are_refused(folder: Path) -> None:
    refused(Path("nowhere.csv"), "cannot read nowhere.csv: No such file or directory")
    refused(Path("policy.txt"), "policy.txt: a table must be a .csv or .json file")
    Path("binary.csv").write_bytes(b"\xff\xfe\x00")
    refused(Path("binary.csv"), "binary.csv is not text in UTF-8")
    Path("open.csv").write_text(f'"{"x" * 200_000}')
    refused(Path("open.csv"), "open.csv, line 1: not CSV: field larger than field limit")
    os.mkfifo("pipe.csv")
    refused(Path("pipe.csv"), "cannot read pipe.csv: it is a pipe")
    Path("zeros.json").symlink_to("/dev/zero")
    refused(Path("zeros.json"), "cannot read zeros.json: it is a device")
    with Path("large.csv").open("wb") as large:
        large.truncate(1 << 40)
    refused(Path("large.csv"), "cannot read large.csv: too large")
    Path("wide.csv").write_text("0," * 1_000_000)
    refused(Path("wide.csv"), "wide.csv, line 1: 2,000,000 characters are no row of tictactoe:2x2:2")
    with pytest.raises(PolicyError, match=r"a table must be a \.csv or \.json file"):
        write_table(Path("policy.txt"), Uniform(), graph(NAME))
    assert not Path("policy.txt").exists()


@pytest.mark.parametrize("other", [PENNIES, game("openspiel:hex(board_size=3)")])
def test_games_that_are_not_drawn_as_boards_are_refused(folder: Path, other: Any) -> None:
    Path("t.csv").write_text("")
    with pytest.raises(PolicyError, match="is not a board; tables are for boards only"):
        read_table(Path("t.csv"), other)


def refused(path: Path, message: str) -> None:
    with pytest.raises(PolicyError) as error:
        read_table(path, game(NAME))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
