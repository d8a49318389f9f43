"""Bounded, strict reading of files that anyone may have written. Damaged files are refused with one line.

Only regular files are read: a pipe must not block, a device must not fill the memory, a directory must be called one.
JSON is strict: no NaN or Infinity, no nesting that exhausts the stack. Archives of arrays are limited by their unpacked
size, not by their size on disk. No heavy import, so that the terminal can use it too.
"""

from __future__ import annotations

import json
import os
import stat
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from games.base import NashmailError

LARGEST = 1 << 31
"""Default limit in bytes of a file, and of the unpacked arrays of an archive."""

_DAMAGED = (OSError, ValueError, TypeError, EOFError, IndexError, RuntimeError, MemoryError, KeyError, SyntaxError)


class Unreadable(NashmailError):
    """A file that is missing, unreadable for this user, not a regular file, too large or malformed."""


def read_bytes(path: Path, *, most: int = LARGEST) -> bytes:
    """The contents of a regular file. Links are followed.

    Args:
        path: The file.
        most: The limit on its size in bytes.

    Raises:
        Unreadable: The file cannot be read, is not regular or is larger than ``most``.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Unreadable(f"cannot read {printable(path)}: {reason}") from error
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        raise Unreadable(f"cannot read {printable(path)}: it is {_kind(about.st_mode)}, not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        if about.st_size > most:
            raise Unreadable(
                f"cannot read {printable(path)}: too large, it has {about.st_size:,} bytes, at most {most:,}"
            )
        try:
            data = file.read(most + 1)
        except OSError as error:
            raise Unreadable(f"cannot read {printable(path)}: {error.strerror}") from error
    if len(data) > most:  # it grew after fstat
        raise Unreadable(f"cannot read {printable(path)}: it has more than the limit of {most:,} bytes")
    return data


def parse_json(data: bytes | str) -> Any:
    """The value of a strict JSON text.

    Args:
        data: the text.

    Raises:
        ValueError: for any other text, with the reason.
    """
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_json(path: Path, *, most: int = 1 << 26) -> dict[str, Any]:
    """The JSON object in a file.

    Args:
        path: the file.
        most: the limit on its size in bytes.

    Raises:
        Unreadable: the file cannot be read or holds no JSON object.
    """
    data = read_bytes(path, most=most)
    try:
        values = parse_json(data)
    except ValueError as error:
        raise Unreadable(f"{printable(path)} is not JSON: {printable(error)}") from error
    if not isinstance(values, dict):
        raise Unreadable(f"{printable(path)} holds no JSON object")
    return values


def read_arrays(path: Path, *, most: int = LARGEST) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file, by name.

    Args:
        path: the file.
        most: the limit on its size in bytes, and on that of the unpacked arrays.

    Raises:
        Unreadable: the file cannot be read, is no npz file or is too large.
    """
    return parse_arrays(read_bytes(path, most=most), path, most=most)


def parse_arrays(data: bytes, path: Path, *, most: int = LARGEST) -> dict[str, NDArray[Any]]:
    """The arrays in the bytes of an npz file, by name.

    Args:
        data: the bytes.
        path: the file they are from, for messages.
        most: the limit on the size of the unpacked arrays in bytes.

    Raises:
        Unreadable: they are no npz file, or too large.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > most:
            raise Unreadable(f"{printable(path)} unpacks to {size:,} bytes, more than the limit of {most:,}")
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (*_DAMAGED, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"{printable(path)} is damaged: {printable(error)}") from error


def fields(values: object, kinds: Mapping[str, type]) -> dict[str, Any]:
    """Check that a value is an object with exactly these keys, whose values have these types.

    Types are exact (True is not an int), except that an int is accepted for a float.

    Args:
        values: The value read.
        kinds: The type of each key's value.

    Returns:
        ``values``.

    Raises:
        ValueError: ``values`` is something else; the message gives the reason.
    """
    if not isinstance(values, dict):
        raise ValueError(f"an object is expected, not {type(values).__name__}")
    if unknown := set(values) - set(kinds):
        raise ValueError(f"unknown keys: {', '.join(sorted(map(repr, unknown)))}")
    for key, kind in kinds.items():
        if key not in values:
            raise ValueError(f"{key} is missing")
        if type(values[key]) is not kind and not (kind is float and type(values[key]) is int):
            raise ValueError(f"{key} must be {kind.__name__}, not {values[key]!r:.40}")
    return values


def printable(value: object) -> str:
    """Text that is safe to print: control characters and other unprintable ones become escapes.

    Args:
        value: anything that ``str`` takes.
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in _encodable(value))


def _encodable(value: object) -> str:
    """The text with bytes that are not UTF-8 (as in some file names) as escapes."""
    return str(value).encode("utf-8", "backslashreplace").decode()


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number in JSON")


def _kind(mode: int) -> str:
    """The kind of a file that is not regular."""
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
