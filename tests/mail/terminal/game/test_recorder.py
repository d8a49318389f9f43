"""Games saved while they are played."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents import Uniform
from mail.data.records import Record, read
from tests.mail.terminal.sitting import expert, sit


def test_a_saved_game_is_written_at_every_move(tmp_path: Path) -> None:
    path = tmp_path / "game.txt"
    _, second = expert("tictactoe")
    reward, said = sit("tictactoe", second, "1", f"save {path}", "2", "undo", "2", "6", seed=7)
    assert reward == -1
    assert "now and after every further move." in said
    played = read(path)
    assert played.record.players == ("human", "the opponent")
    assert (played.record.seed, played.record.result) == (7, -1)
    assert [pair[ply % 2] + 1 for ply, pair in enumerate(played.record.moves)] == [1, 5, 2, 3, 6, 7]


def test_saving_leaves_other_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    _, said = sit("tictactoe", Uniform(), "save mine.txt", "save", "save no\0name", f"save {tmp_path}/mine.txt/x", "q")
    assert "'mine.txt' already exists; choose another name." in said
    assert "Saved to tictactoe-1.txt, now and after every further move." in said
    assert said.count("; choose another name.") == 3
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert read(tmp_path / "tictactoe-1.txt").record.result is None


@pytest.mark.parametrize("name", ["x" * 256, "x" * 900, "dir", "null/x", "pipe"])
def test_a_name_that_cannot_be_written_does_not_end_the_game(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dir").mkdir()
    (tmp_path / "null").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe")
    _, second = expert("tictactoe")
    reward, said = sit("tictactoe", second, "1", f"save {name}", "2", "6")
    assert reward == -1 and said.count("; choose another name.") == 1


def test_a_disk_that_fills_up_does_not_end_the_game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = []

    def full(path: Path, record: Record) -> None:
        saved.append(path)
        if len(saved) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("mail.terminal.game.recorder.write", full)
    reward, said = sit("tictactoe", expert("tictactoe")[1], "1", f"save {tmp_path / 'game'}", "2", "6")
    assert reward == -1 and len(saved) == 3
    assert said.count("No space left on device; the game continues without saving.") == 1


def test_names_that_are_saved_under_do_not_act_on_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, said = sit("tictactoe", Uniform(), "save \x1b]0;title\x07", "q")
    assert r"Saved to \x1b]0;title\x07, now" in said and "\x1b" not in said
    assert (tmp_path / "\x1b]0;title\x07").exists()
