"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.storage.policies import write_atomic
from tests.agents.storage.saved_policies import network, refused, saved


def test_files_are_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file"
    for data in (b"one", b"", b"two" * 1000):
        write_atomic(path, data)
        assert path.read_bytes() == data
        assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("stage", ["write_bytes", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")
    write = Path.write_bytes

    def half(self: Path, data: bytes) -> int:
        write(self, data[: len(data) // 2])
        raise OSError("disk full")

    def fail(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, stage, half if stage == "write_bytes" else fail)
    for interrupted in (path, tmp_path / "new"):
        with pytest.raises(OSError, match="disk full"):
            write_atomic(interrupted, b"fresh content")
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def test_a_policy_that_failed_to_save_is_no_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The description comes last: numbers without it are nothing, numbers under an old one do not pass for it."""
    replace = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if Path(target).suffix == ".json":
            raise OSError("disk full")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        saved(tmp_path, network())
    refused(tmp_path / "policy-1", "cannot read")
    monkeypatch.undo()
    path = saved(tmp_path, network(seed=1))
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        saved(tmp_path, network(seed=2))
    refused(path, "is truncated or was edited")
