"""A cache of slow labels: a solver's scores by game and position, in one SQLite file that all runs of a user share.

The file is ``scores.sqlite`` in the directory ``NASHMAIL_CACHE``, else in ``nashmail`` under ``XDG_CACHE_HOME``, else
under ``~/.cache``. Each batch is one transaction of a write-ahead log, so a killed process leaves every earlier batch
intact. Each row carries a check sum. A damaged file is renamed, with a line on standard error, and a new file replaces
it with the rows that could still be read.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from agents.policy import PolicyError
from games.base import Bools, Ints

FORMAT = 1
WAIT = 8.0
"""Seconds to wait for other processes before the cache counts as unavailable."""
_BESIDE = ("-wal", "-shm", "-journal", ".lock")  # suffixes of the files that SQLite and this module keep beside it
_QUERY_SIZE = 500  # positions in one SQL query
_HEADER = 100  # bytes of SQLite's header at the start of the file
_SCHEMAS = 4  # schema formats that SQLite has
_NEVER = 1_000  # a format number from here on means damage
_TABLE = """
    CREATE TABLE IF NOT EXISTS scores (
        game TEXT NOT NULL, position INTEGER NOT NULL, scores BLOB NOT NULL, sum INTEGER NOT NULL,
        PRIMARY KEY (game, position)
    ) WITHOUT ROWID
"""
_ALL = "SELECT game, position, scores, sum FROM scores"
_Row = tuple[str, int, bytes, int]
_T = TypeVar("_T")


def folder() -> Path:
    """The user's directory of what is kept between runs, as described above."""
    named = os.environ.get("NASHMAIL_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "nashmail"


class LabelCache:
    """The cache file, opened at its first use. Methods raise PolicyError where it cannot be created, read or locked.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None  # identity of the open file

    @classmethod
    def default(cls) -> LabelCache:
        """The user's cache, at the path described above."""
        return cls(folder() / "scores.sqlite")

    def get(self, game: str, position: Ints, actions: int) -> tuple[Bools, NDArray[np.int8]]:
        """Read the cached scores of positions.

        Args:
            game: The game's name.
            position: [N] int64 position codes.
            actions: A.

        Returns:
            [N] bool, whether each position is cached; [N, A] int8 scores, 0 where it is not.

        Raises:
            PolicyError: The cache cannot be used.
        """
        return self._safely(lambda connection: _get(connection, game, position, actions))

    def put(self, game: str, position: Ints, scores: NDArray[np.int8]) -> None:
        """Write scores of positions. They are on disk when this returns.

        Args:
            game: The game's name.
            position: [N] int64 position codes.
            scores: [N, A] int8.

        Raises:
            PolicyError: The cache cannot be used.
        """
        prefix = _prefix(game)
        rows = [
            (game, key, data, _sum(prefix, key, data))
            for key, data in zip(position.tolist(), map(bytes, scores.astype(np.int8)), strict=True)
        ]
        self._safely(lambda connection: _put(connection, rows))
        while self._moved():  # another process has replaced the damaged file in the meantime
            self._safely(lambda connection: _put(connection, rows))

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _safely(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do the work on the file or, if that is damaged, on the new file that replaces it."""
        try:
            try:
                return work(self._open())
            except (sqlite3.DatabaseError, _Damaged) as error:
                if not _is_damage(error, self.path):
                    raise
                self.close()
                self._set_aside()
                return work(self._open())
        except (sqlite3.DatabaseError, _Damaged) as error:
            raise self._unusable(error) from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._moved():
            self.close()
        if self._connection is None:
            deadline = time.monotonic() + WAIT
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self._lock():
                    self._connect(max(deadline - time.monotonic(), 1.0))
            except OSError as error:
                raise PolicyError(
                    f"cannot create the label cache {self.path}: {error.strerror}; set NASHMAIL_CACHE to another folder"
                ) from error
        assert self._connection is not None  # opened above
        return self._connection

    def _connect(self, wait: float = WAIT) -> None:
        self._connection = _connect(self.path, wait)
        self._file = _identity(self.path)

    def _moved(self) -> bool:
        """Whether the open file is no longer the one at the path."""
        return self._file != _identity(self.path)

    def _set_aside(self) -> None:
        """Rename the damaged file, unless another process has already done so."""
        with self._lock():
            try:
                current = _connect(self.path, WAIT)
                _check_rows(current)
                current.close()
                if not _is_mislabelled(self.path):
                    return
            except (sqlite3.DatabaseError, _Damaged):
                pass
            number = 1
            while (aside := self.path.with_name(f"{self.path.name}.damaged-{number}")).exists():
                number += 1
            for end in ("-wal", "-shm", ""):
                part = self._beside(end)
                if part.exists():
                    part.rename(aside.with_name(aside.name + end))
            rescued = _rescue(aside)
            self._connect()
            assert self._connection is not None  # opened above
            _put(self._connection, rescued)
        print(
            f"the label cache {self.path} was damaged: kept as {aside.name}; {len(rescued):,} labels were saved",
            file=sys.stderr,
        )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Exclusive access among processes, by a lock file beside the cache. The system frees it when a process ends.

        Without such locks (on Windows) only the replacement of a damaged file is unsafe.
        """
        if find_spec("fcntl") is None:
            yield
            return
        fcntl = import_module("fcntl")
        self._refuse_odd_files()
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # never truncates
        descriptor = os.open(self._beside(".lock"), flags, 0o666)
        try:
            deadline = time.monotonic() + WAIT
            while not _locked(fcntl, descriptor):
                if time.monotonic() > deadline:
                    raise self._unusable(f"another process has held its lock for {WAIT:g} s")
                time.sleep(0.05)
            yield
        finally:
            os.close(descriptor)

    def _beside(self, end: str) -> Path:
        return self.path.with_name(self.path.name + end)

    def _refuse_odd_files(self) -> None:
        """PolicyError for pipes, devices and directories, on which SQLite may block, and for links beside the file."""
        for path in (self.path, *map(self._beside, _BESIDE)):
            try:
                mode = os.stat(path, follow_symlinks=path == self.path).st_mode
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(mode):
                raise self._unusable(f"{path.name} is not a regular file")

    def _unusable(self, why: object) -> PolicyError:
        return PolicyError(f"cannot use the label cache {self.path}: {why}; set NASHMAIL_CACHE to another folder")


def _locked(fcntl: Any, descriptor: int) -> bool:
    """Whether the lock was acquired at once."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _Damaged(Exception):
    """The file can be read, but its contents are invalid."""


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file at the path; None if there is no file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _connect(path: Path, wait: float) -> sqlite3.Connection:
    """Open a cache file of this format and check it. Waits up to ``wait`` seconds for other writers."""
    connection = sqlite3.connect(path, timeout=wait, isolation_level=None)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version >= _NEVER:
            raise _Damaged("format")
        if version not in (0, FORMAT):
            raise PolicyError(f"{path} has format {version}, newer than {FORMAT}; update nashmail to read it")
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise _Damaged("quick_check")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(_TABLE)
        if version != FORMAT:
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute(f"{_ALL} LIMIT 1").fetchone()
        connection.execute(f"PRAGMA busy_timeout = {round(1000 * WAIT)}")
    except BaseException:
        connection.close()
        raise
    return connection


def _get(connection: sqlite3.Connection, game: str, position: Ints, actions: int) -> tuple[Bools, NDArray[np.int8]]:
    cached = np.zeros(len(position), dtype=np.bool_)
    scores = np.zeros((len(position), actions), dtype=np.int8)
    keys = position.tolist()
    place = {key: row for row, key in enumerate(keys)}
    prefix = _prefix(game)
    for start in range(0, len(keys), _QUERY_SIZE):
        batch = keys[start : start + _QUERY_SIZE]
        marks = ",".join("?" * len(batch))
        query = f"SELECT position, scores, sum FROM scores WHERE game = ? AND position IN ({marks})"
        found = connection.execute(query, (game, *batch)).fetchall()
        for key, data, total in found:
            if total != _sum(prefix, key, data) or len(data) != actions:
                raise _Damaged(f"position {key}")
        rows = [place[key] for key, _, _ in found]
        if not rows:
            continue
        cached[rows] = True
        scores[rows] = np.frombuffer(b"".join([data for _, data, _ in found]), dtype=np.int8).reshape(-1, actions)
    return cached, scores


def _put(connection: sqlite3.Connection, rows: list[_Row]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _check_rows(connection: sqlite3.Connection) -> None:
    """_Damaged at the first row whose check sum is wrong."""
    for row in connection.execute(_ALL):
        if not _right(row):
            raise _Damaged(f"position {row[1]}")


def _rescue(path: Path) -> list[_Row]:
    """The rows of a damaged file with a correct check sum, up to the first unreadable page."""
    rows: list[_Row] = []
    try:
        with closing(sqlite3.connect(path)) as connection:
            rows += (row for row in connection.execute(_ALL) if _right(row))
    except sqlite3.DatabaseError:
        pass  # the rest is unreadable
    return rows


def _right(row: _Row) -> bool:
    """Whether a row's check sum is right."""
    return row[3] == _sum(_prefix(row[0]), row[1], row[2])


def _prefix(game: str) -> int:
    """The check sum of what comes first in all rows of a game."""
    return crc32(f"{game} ".encode())


def _sum(prefix: int, position: int, scores: bytes) -> int:
    """The check sum of a row; -1, which none has, where a column is of another type."""
    try:
        return crc32(scores, crc32(f"{position} ".encode(), prefix))
    except TypeError:  # a column of another type
        return -1


def _is_damage(error: Exception, path: Path) -> bool:
    """Whether the file is at fault and not its surroundings (full disk, no permission, locked for too long)."""
    if not isinstance(error, sqlite3.OperationalError) or "no such column" in str(error):
        return True
    return _is_mislabelled(path)


def _is_mislabelled(path: Path) -> bool:
    """Whether damage makes SQLite take the file for read-only or for one of a later version."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except OSError:
        return False
    return len(header) == _HEADER and (not set(header[18:20]) <= {1, 2} or header[47] > _SCHEMAS)
