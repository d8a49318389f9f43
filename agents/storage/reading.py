"""Reading files that anybody may have written: bounded, strict, and refused in one line where they are damaged.

Only regular files are read, so that a pipe doesn't hang, a device doesn't fill the memory and a folder is called a
folder. JSON is strict: no NaN or Infinity, no nesting that exhausts the stack. Arrays are bounded by what they unpack
to, not by what they take on the disk. No heavy import, so that the terminal can read with it too.
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
"""Most bytes of a file, and of what an archive of arrays unpacks to, unless a caller says less."""

_DAMAGED = (OSError, ValueError, TypeError, EOFError, IndexError, RuntimeError, MemoryError, KeyError, SyntaxError)


class Unreadable(NashmailError):
    """A file that is missing, closed to this user, no regular file, too large, or not what it should be."""


def read_bytes(path: Path, *, most: int = LARGEST) -> bytes:
    """The bytes of a regular file (links are followed). Unreadable, with the reason, where it cannot be read.

    ``most``: bytes that it may have.
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
                f"cannot read {printable(path)}: too large, it has {about.st_size:,} bytes, at most {most:,} are read"
            )
        try:
            data = file.read(most + 1)
        except OSError as error:
            raise Unreadable(f"cannot read {printable(path)}: {error.strerror}") from error
    if len(data) > most:  # it grew meanwhile
        raise Unreadable(f"cannot read {printable(path)}: at most {most:,} bytes of a file are read")
    return data


def parse_json(data: bytes | str) -> Any:
    """The value of a strict JSON text. ValueError, with the reason, for anything else."""
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_json(path: Path, *, most: int = 1 << 26) -> dict[str, Any]:
    """The JSON object in a file. Unreadable where there is none."""
    data = read_bytes(path, most=most)
    try:
        values = parse_json(data)
    except ValueError as error:
        raise Unreadable(f"{printable(path)} is no JSON: {printable(error)}") from error
    if not isinstance(values, dict):
        raise Unreadable(f"{printable(path)} holds no JSON object")
    return values


def read_arrays(path: Path, *, most: int = LARGEST) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file, by name. Unreadable for any other file, or more than ``most`` bytes."""
    return parse_arrays(read_bytes(path, most=most), path, most=most)


def parse_arrays(data: bytes, path: Path, *, most: int = LARGEST) -> dict[str, NDArray[Any]]:
    """The arrays in the bytes of an npz file, as ``read_arrays`` gives them; messages name ``path``."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > most:
            raise Unreadable(f"{printable(path)} unpacks to {size:,} bytes, at most {most:,} are read")
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (*_DAMAGED, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"{printable(path)} is damaged: {printable(error)}") from error


def fields(values: object, kinds: Mapping[str, type]) -> dict[str, Any]:
    """The object that was read, which has these keys with values of these types, and no others.

    Types are exact (True is no int); where a float is wanted, a whole number will do. ValueError, with the reason, for
    anything else.
    """
    if not isinstance(values, dict):
        raise ValueError(f"an object is wanted, not {type(values).__name__}")
    if unknown := set(values) - set(kinds):
        raise ValueError(f"unknown keys: {', '.join(sorted(map(repr, unknown)))}")
    for key, kind in kinds.items():
        if key not in values:
            raise ValueError(f"{key} is missing")
        if type(values[key]) is not kind and not (kind is float and type(values[key]) is int):
            raise ValueError(f"{key} must be {kind.__name__}, not {values[key]!r:.40}")
    return values


def printable(value: object) -> str:
    """Text that was read or given, safe to print: characters that a terminal acts on are shown as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in _encodable(value))


def _encodable(value: object) -> str:
    """The text with bytes that are no UTF-8 (as names of files may hold) shown as escapes."""
    return str(value).encode("utf-8", "backslashreplace").decode()


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON")


def _kind(mode: int) -> str:
    """What a file is that is not a regular one."""
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
