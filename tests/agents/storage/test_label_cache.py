"""The file of slow labels: what is written stays, whoever is killed, writes at the same time, or damages the file."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.policy import PolicyError
from agents.storage import label_cache
from agents.storage.label_cache import LabelCache

ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
import numpy as np
from agents.storage import label_cache
from agents.storage.label_cache import LabelCache

cache, first, step = LabelCache(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
for batch in range(int(sys.argv[4])):
    position = first + step * (10 * batch + np.arange(10))
    cache.put("game", position, np.tile((position % 100)[:, None], (1, 7)))
    print(batch, flush=True)
"""


def scores(position: np.ndarray) -> np.ndarray:
    """What the writers write."""
    return np.tile((position % 100)[:, None], (1, 7)).astype(np.int8)


def writer(path: Path, first: int, step: int, batches: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(first), str(step), str(batches)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def cache(tmp_path: Path) -> LabelCache:
    return LabelCache(tmp_path / "deep" / "scores.sqlite")


def fill(cache: LabelCache, n: int = 2000) -> np.ndarray:
    position = np.arange(n) * 3
    cache.put("game", position, scores(position))
    return position


def test_what_was_put_is_found_by_game_and_position(cache: LabelCache) -> None:
    position = fill(cache)
    found, there = cache.get("game", np.arange(6), 7)
    assert found.tolist() == [True, False, False, True, False, False]
    assert (there[found] == scores(np.array([0, 3]))).all()
    assert not cache.get("another", position, 7)[0].any()
    extremes = np.array([[-128, 127, 0, -1, 1, 2, 3]], dtype=np.int8)
    cache.put("game", np.array([2**49 - 1]), extremes)
    assert (LabelCache(cache.path).get("game", np.array([2**49 - 1]), 7)[1] == extremes).all()


def test_a_killed_writer_leaves_all_that_had_landed(tmp_path: Path) -> None:
    path = tmp_path / "scores.sqlite"
    with writer(path, 0, 1, 1_000_000) as running:
        assert running.stdout is not None
        told = [int(running.stdout.readline()) for _ in range(40)]
        os.kill(running.pid, signal.SIGKILL)
        told += [int(line) for line in running.stdout.read().split()]
    position = np.arange(10 * (told[-1] + 1))
    found, there = LabelCache(path).get("game", position, 7)
    assert found.all() and (there == scores(position)).all()
    assert not list(tmp_path.glob("*damaged*"))


def test_runs_write_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "scores.sqlite"
    both = [writer(path, first, 2, 60) for first in (0, 1)]
    for running in both:
        running.communicate(timeout=60)
        assert running.returncode == 0
    found, there = LabelCache(path).get("game", np.arange(1200), 7)
    assert found.all() and (there == scores(np.arange(1200))).all()


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def flip_a_score(path: Path) -> None:
    """Change one row's scores, as a failing disk might, in a file that sqlite finds nothing wrong with."""
    data = path.read_bytes()
    at = data.rfind(bytes(scores(np.array([33]))[0]))
    assert at > 0
    overwrite(path, at, b"\x05")


DAMAGE = {
    "another kind of file": lambda path: path.write_bytes(b"no database at all, " * 500),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:9000]),
    "pages overwritten": lambda path: overwrite(path, 8192, b"\xff" * 8192),
    "a wrong score": flip_a_score,
    "a file that may not be written": lambda path: overwrite(path, 18, b"\x07"),
    "a schema there is not": lambda path: overwrite(path, 47, b"\x09"),
    "a format there will never be": lambda path: overwrite(path, 60, b"\x01"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_set_aside_and_begun_anew(
    cache: LabelCache, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    position = fill(cache)
    cache.close()
    DAMAGE[kind](cache.path)
    before = cache.path.read_bytes()
    other = cache.path.with_name("something else")
    other.write_text("stays")

    if kind == "a file that may not be written":  # which can be read
        cache.put("game", position[:1], scores(position[:1]))
    found, there = cache.get("game", position, 7)
    assert (there[found] == scores(position[found])).all(), "what is given is what was written"
    assert found.sum() == (len(position) - 1 if kind == "a wrong score" else found.sum())
    (aside,) = cache.path.parent.glob("*.damaged-?")
    assert aside.read_bytes() == before and other.read_text() == "stays"
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"kept as {aside.name}" in said

    cache.put("game", position, scores(position))
    cache.close()
    assert LabelCache(cache.path).get("game", position, 7)[0].all()
    assert capsys.readouterr().err == ""


def test_others_go_on_in_the_new_file(cache: LabelCache, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever had the damaged file open when it was set aside reads and writes the one in its place."""
    position = fill(cache)
    cache.close()
    other, idle = LabelCache(cache.path), LabelCache(cache.path)
    assert other.get("game", position, 7)[0].all() and idle.get("game", position, 7)[0].all()
    flip_a_score(cache.path)
    assert cache.get("game", position, 7)[0].sum() == len(position) - 1
    assert "was damaged: kept as" in capsys.readouterr().err
    later = np.arange(100) + 10**6
    other.put("game", later, scores(later))
    for one in (cache, idle, LabelCache(cache.path)):
        found, there = one.get("game", later, 7)
        assert found.all() and (there == scores(later)).all()
    idle.close()
    other.close()
    cache.close()
    assert LabelCache(cache.path).get("game", later, 7)[0].all() and capsys.readouterr().err == ""


def test_a_write_that_was_under_way_is_made_again(cache: LabelCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file goes aside between the opening and the end of a write."""
    fill(cache)
    real = label_cache._put

    def slow(connection: sqlite3.Connection, rows: list[Any]) -> None:
        monkeypatch.setattr(label_cache, "_put", real)
        cache.path.rename(cache.path.with_name("scores.sqlite.damaged-1"))
        real(connection, rows)

    monkeypatch.setattr(label_cache, "_put", slow)
    later = np.arange(100) + 10**6
    cache.put("game", later, scores(later))
    assert LabelCache(cache.path).get("game", later, 7)[0].all()


def test_a_file_of_a_newer_format_is_left_alone(cache: LabelCache) -> None:
    fill(cache)
    cache.close()
    with sqlite3.connect(cache.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(PolicyError, match="format 99, newer than 1; update nashmail"):
        cache.get("game", np.arange(3), 7)


def test_a_place_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PolicyError, match=r"cannot create the label cache .*set NASHMAIL_CACHE to another folder"):
        LabelCache(tmp_path / "file" / "scores.sqlite").get("game", np.arange(3), 7)
    (tmp_path / "folder.sqlite").mkdir()
    with pytest.raises(PolicyError, match=r"cannot use the label cache .*set NASHMAIL_CACHE"):
        LabelCache(tmp_path / "folder.sqlite").get("game", np.arange(3), 7)


def test_a_lock_that_is_a_link_leaves_its_target_alone(cache: LabelCache) -> None:
    fill(cache)
    cache.close()
    thesis = cache.path.with_name("thesis")
    thesis.write_text("years of work")
    for end in (".lock", "-wal"):
        beside = cache.path.with_name(cache.path.name + end)
        beside.unlink(missing_ok=True)
        beside.symlink_to(thesis)
        with pytest.raises(PolicyError, match=f"cannot use the label cache .*sqlite{end} is not a regular file"):
            cache.put("game", np.arange(3), scores(np.arange(3)))
        assert thesis.read_text() == "years of work"
        beside.unlink()
    assert cache.get("game", np.arange(3) * 3, 7)[0].all()


@pytest.mark.parametrize("end", ["", ".lock", "-shm"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_regular_file_is_refused_at_once(make: Callable[[Path], None], end: str, tmp_path: Path) -> None:
    make(tmp_path / f"scores.sqlite{end}")
    with pytest.raises(PolicyError, match="is not a regular file"):
        LabelCache(tmp_path / "scores.sqlite").get("game", np.arange(3), 7)


def test_a_file_that_another_process_holds_is_not_waited_for_without_end(
    cache: LabelCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(cache)
    cache.close()
    assert label_cache.WAIT < 15
    monkeypatch.setattr(label_cache, "WAIT", 0.2)
    with cache._lock(), pytest.raises(PolicyError, match=r"another process has held its lock for 0\.2 s"):
        LabelCache(cache.path).get("game", np.arange(3), 7)
    holder = sqlite3.connect(cache.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(PolicyError, match="database is locked"):
        LabelCache(cache.path).put("game", np.arange(3), scores(np.arange(3)))
    holder.close()
    LabelCache(cache.path).put("game", np.arange(3), scores(np.arange(3)))


def test_the_place_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NASHMAIL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert LabelCache.default().path == tmp_path / "xdg" / "nashmail" / "scores.sqlite"
    monkeypatch.setenv("NASHMAIL_CACHE", str(tmp_path / "mine"))
    assert LabelCache.default().path == tmp_path / "mine" / "scores.sqlite"
    monkeypatch.delenv("NASHMAIL_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert LabelCache.default().path == tmp_path / ".cache" / "nashmail" / "scores.sqlite"
