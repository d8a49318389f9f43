"""Graphs on disk: what is kept is what was listed, and nothing else is taken for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import agents.storage.graphs as kept
from games import Enumerable
from games.plies.graph import CompactGraph
from tests.support import game

NAMES = ["connect4:3x4", "quotient:connect4:3x4"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASHMAIL_CACHE", str(tmp_path))
    return tmp_path / "graphs"


def path(board: Enumerable) -> Path:
    found = kept.path_of(board)
    assert found is not None
    return found


def never(*_: object, **__: object) -> None:
    pytest.fail("listed again")


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_is_listed_once(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = kept.graph_of(game(name))
    monkeypatch.setattr("games.plies.graph.listed", never)
    monkeypatch.setattr("games.compiled.layers.solve", never)
    other = kept.graph_of(game(name))
    assert np.array_equal(one.successor[:], other.successor[:])
    assert np.array_equal(one.plies_to_end, other.plies_to_end)
    assert [file.name for file in folder.iterdir()] == [path(game(name)).name]


def test_boards_have_files_of_their_own() -> None:
    names = [*NAMES, "connect4:4x3:4", "connect4:3x4:3", "tictactoe:3x4:3"]
    assert len({path(game(name)) for name in names}) == len(names)
    assert kept.path_of(game("connect4")) is None


def damage(file: Path, how: str) -> None:
    data = file.read_bytes()
    if how == "cut":
        file.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "other board":
        file.write_bytes((kept.graph_of(game(NAMES[1])), path(game(NAMES[1])).read_bytes())[1])
    else:
        with np.load(file) as read:
            arrays = {name: read[name] for name in read.files}
        about = json.loads(arrays["about"].tobytes())
        if how == "format":
            about["format"] += 1
        elif how == "bits":
            arrays["ply_03"] = arrays["ply_03"] ^ np.uint64(4)
        elif how == "names":
            arrays["ply_99"] = arrays.pop("ply_03")
        arrays["about"] = np.frombuffer((b"[" if how == "words" else b"") + json.dumps(about).encode(), dtype=np.uint8)
        np.savez(file, **arrays)


@pytest.mark.parametrize("how", ["cut", "empty", "other board", "format", "bits", "names", "words"])
def test_a_file_that_is_damaged_or_of_another_version_is_set_aside(
    how: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = game(NAMES[0])
    wanted = kept.graph_of(board)
    damage(path(board), how)
    found = kept.graph_of(board)
    assert np.array_equal(found.successor[:], wanted.successor[:])
    assert np.array_equal(found.plies_to_end, wanted.plies_to_end)
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "kept as drop-3x4-4.npz.damaged-1" in said
    assert {file.name for file in folder.iterdir()} >= {"drop-3x4-4.npz", "drop-3x4-4.npz.damaged-1"}
    kept.graph_of(board)  # the new file is good
    assert capsys.readouterr().err == ""


def test_too_little_disk_is_said_before_anything_is_begun(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_room", lambda _: 1000)
    said: list[str] = []

    class Begun(CompactGraph):
        def __init__(self, board: Enumerable) -> None:
            said.append(capsys.readouterr().err)
            super().__init__(board)

    monkeypatch.setattr(kept, "CompactGraph", Begun)
    kept.graph_of(game(NAMES[0]))
    assert "connect4:3x4 is not kept: it needs up to" in said[0] and "which has 1.0 KB" in said[0]
    assert not folder.exists()


def test_where_nothing_can_be_written_the_graph_is_used_anyway(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "graphs").write_text("no folder")
    assert len(kept.graph_of(game(NAMES[0]))) == 11_035
    assert "is not kept" in capsys.readouterr().err


def test_clean_deletes_all(folder: Path) -> None:
    assert kept.clean() == (0, 0)
    kept.graph_of(game(NAMES[0]))
    damage(path(game(NAMES[0])), "cut")
    kept.graph_of(game(NAMES[0]))
    (folder / "other.txt").write_text("a user's")
    total = sum(file.stat().st_size for file in folder.glob("*npz*"))
    assert kept.clean() == (2, total)
    assert [file.name for file in folder.iterdir()] == ["other.txt"]
