"""Files that anyone may have written are read whole, bounded and strictly."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from agents.storage.reading import Unreadable, parse_json, printable, read_arrays, read_bytes, read_json


def test_a_regular_file_and_a_link_to_it_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_bytes(tmp_path / "file") == read_bytes(tmp_path / "link", most=3) == b"abc"


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    for name, kind in (("pipe", "a pipe"), ("zeros", "a device"), (".", "a folder")):
        with pytest.raises(Unreadable, match=kind):
            read_bytes(tmp_path / name)
    with pytest.raises(Unreadable, match="No such file"):
        read_bytes(tmp_path / "nothing")
    with pytest.raises(Unreadable, match="null"):
        read_bytes(Path("a\0b"))


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abcd")
    with pytest.raises(Unreadable, match="has 4 bytes, at most 3"):
        read_bytes(tmp_path / "file", most=3)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "[" * 200_000, "{", "1" * 5_000, ""])
def test_json_is_strict(text: str) -> None:
    with pytest.raises(ValueError):
        parse_json(text)


def test_a_json_file_holds_an_object(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("[1]")
    (tmp_path / "object").write_text('{"a": 1}')
    assert read_json(tmp_path / "object") == {"a": 1}
    with pytest.raises(Unreadable, match="no JSON object"):
        read_json(tmp_path / "list")


def test_arrays_are_bounded_by_what_they_unpack_to(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "zeros.npz", zeros=np.zeros(100_000))
    assert read_arrays(tmp_path / "zeros.npz")["zeros"].shape == (100_000,)
    with pytest.raises(Unreadable, match="unpacks to"):
        read_arrays(tmp_path / "zeros.npz", most=10_000)


def test_damaged_arrays_and_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", values=np.array([{}], dtype=object))
    (tmp_path / "short.npz").write_bytes((tmp_path / "objects.npz").read_bytes()[:50])
    header = np.lib.format.magic(1, 0) + (b"v\0" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (10**15,), }\n")
    with zipfile.ZipFile(tmp_path / "header.npz", "w") as archive:
        archive.writestr("values.npy", header)
    for name in ("objects", "short", "header"):
        with pytest.raises(Unreadable, match="damaged"):
            read_arrays(tmp_path / f"{name}.npz")


def test_text_cannot_act_on_the_terminal() -> None:
    assert printable("a\x1b]0;title\x07b\n\u202e") == r"a\x1b]0;title\x07b\n\u202e"
    assert printable("é □") == "é □"
    assert printable(os.fsdecode(b"\xff")) == r"\udcff"
