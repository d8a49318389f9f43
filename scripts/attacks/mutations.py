"""Faults of files: bytes, JSON, arrays and policies, each with a name."""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import PurePath
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

DEEP = 200_000  # nested brackets
TITLE = "\x1b]0;taken\x07\x1b[2J\x9b31m\u202e"  # sets a terminal's title, clears it, sets a colour, reverses text
FORMATS: tuple[Any, ...] = (-1, 0, 99, 1.5, "1", None, True, [], 10**30, float("nan"), float("inf"))
VALUES: tuple[Any, ...] = (
    None, -1, 0, True, 1.5, 10**30, 10**400, -(2**63), float("nan"), float("-inf"), "", "x", TITLE, "a" * 100_000, "\ud800",
    [], {}, [None], {"a": 1}, [[[]]],
)  # fmt: skip
WORST = (
    "empty",
    "deep",
    "deep inside",
    "bomb",
    "objects",
    "claims 8 TB",
    "header of code",
    "labels NaN",
    "format 99",
    "is NaN",
)
Mutation = tuple[str, bytes]
T = TypeVar("T")


def mutations(name: str, data: bytes, rng: np.random.Generator) -> Iterator[Mutation]:
    """All faults for a file of this name, in random order."""
    yield from of_bytes(data, rng)
    suffix = PurePath(name).suffix
    if suffix in (".json", ".jsonl", ".fit", ".measures"):
        yield from of_json(data, rng, lines=suffix == ".jsonl")
    if suffix == ".npz":
        yield from of_arrays(data, rng)
    if suffix == ".safetensors":
        yield from of_tensors(data)
    if suffix == ".json" and b'"sha256"' in data and b'"check"' in data:
        yield from of_policy(data)


def sampled(faults: Sequence[Mutation], most: int, rng: np.random.Generator) -> list[Mutation]:
    """At most so many of the faults, at random; the worst are always included."""
    chosen = set(rng.permutation(len(faults))[:most].tolist())
    return [fault for index, fault in enumerate(faults) if index in chosen or fault[0] in WORST]


def some(faults: Sequence[T], most: int, rng: np.random.Generator) -> list[T]:
    """So many of the faults, by chance, in their order."""
    return [faults[int(index)] for index in sorted(rng.permutation(len(faults))[:most])]


def of_bytes(data: bytes, rng: np.random.Generator) -> Iterator[Mutation]:
    """Faults of a disk, and of an editor."""
    yield "empty", b""
    yield "half", data[: len(data) // 2]
    yield "last byte missing", data[:-1]
    yield "twice", data + data
    yield "zeros", b"\0" * len(data)
    yield "garbage", rng.bytes(max(64, len(data) // 2))
    yield "no UTF-8", b"\xff\xfe" + data
    yield "deep", b"[" * DEEP + b"]" * DEEP
    yield "deep objects", b'{"a":' * DEEP + b"1" + b"}" * DEEP
    for number in range(3):
        at, bit = int(rng.integers(len(data))), int(rng.integers(8))
        yield f"flipped bit {number}", data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
    at = int(rng.integers(len(data)))
    yield "byte missing", data[:at] + data[at + 1 :]
    yield "bytes doubled", data[:at] + data[at : at + 8] + data[at:]


# --- JSON ------------------------------------------------------------------------------------------------


def of_json(data: bytes, rng: np.random.Generator, *, lines: bool) -> Iterator[Mutation]:
    """Other types, missing and extra keys, invalid numbers. ``lines``: the file has an object per line."""
    rows = data.splitlines() if lines else [data]
    for label, value in (("list", []), ("null", None), ("number", 5), ("text", "x"), ("object", {}), ("true", True)):
        yield f"is {label}", json.dumps(value).encode()
    yield "is NaN", b"NaN"
    first = json.loads(rows[-1])

    def put(value: Any) -> bytes:
        text = json.dumps(value).encode()
        return b"\n".join([*rows[:-1], text, b""]) if lines else text

    for format_ in FORMATS:
        yield f"format {format_!r}", put({**first, "format": format_})
    yield "unknown key", put({**first, "\x1b[2Jsurprise": 1})
    yield "key given twice", put(first)[:-1].rstrip(b"}\n") + b', "format": 7}'
    deep = json.dumps({**first, "extra": 0})[:-2].encode() + b"[" * DEEP + b"]" * DEEP + b"}"
    yield "deep inside", b"\n".join([*rows[:-1], deep]) if lines else deep
    for key in first:
        yield f"no {key}", put({one: value for one, value in first.items() if one != key})
    places = list(leaves(first))
    for key in first:  # whole branches
        yield f"{key} is {_short(value := VALUES[int(rng.integers(len(VALUES)))])}", put({**first, key: value})
    for value in VALUES:
        place = places[int(rng.integers(len(places)))]
        yield f"{'.'.join(map(str, place))} is {_short(value)}", put(changed(first, place, value))


def _short(value: object) -> str:
    return ascii(value)[:24].replace("/", "|")


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every number and string of a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*place, index))
    else:
        yield place


def changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """The JSON value with one place replaced."""
    if not place:
        return new
    copied = value.copy()
    copied[place[0]] = changed(value[place[0]], place[1:], new)
    return copied


# --- arrays ----------------------------------------------------------------------------------------------


def of_arrays(data: bytes, rng: np.random.Generator) -> Iterator[Mutation]:
    """A round of decisions with other shapes, types and values."""
    with np.load(BytesIO(data), allow_pickle=False) as opened:
        arrays = {name: opened[name] for name in opened.files}

    def put(**changes: NDArray[Any] | None) -> bytes:
        kept = {name: array for name, array in {**arrays, **changes}.items() if array is not None}
        return packed(kept)

    for name in arrays:
        yield f"no {name}", put(**{name: None})
    yield "unknown array", put(surprise=np.zeros(3))
    yield "nothing in it", packed({})
    for name, array in arrays.items():
        yield f"{name} of text", put(**{name: array.astype("U4")})
        if array.dtype.kind not in "US":
            yield f"{name} of complex numbers", put(**{name: array.astype(np.complex128)})
        yield f"{name} with a row more", put(**{name: np.concatenate([array, array[:1]])})
        yield f"{name} without rows", put(**{name: array[:0]})
        yield f"{name} of one dimension more", put(**{name: array[..., None]})
    for label, value in {"NaN": np.nan, "negative": -1.0, "zero": 0.0, "infinite": np.inf, "doubled": 2.0}.items():
        yield f"labels {label}", put(label=np.full_like(arrays["label"], value))
    yield "labels reversed", put(label=arrays["label"][:, ::-1])
    yield "rewards NaN", put(reward=np.full_like(arrays["reward"], np.nan))
    yield "keys of garbage", put(key=rng.integers(1 << 62, size=arrays["key"].shape).astype(arrays["key"].dtype))
    yield (
        "states of garbage",
        put(state=rng.integers(1 << 30, size=arrays["state"].shape).astype(arrays["state"].dtype)),
    )
    yield "other seat", put(seat=1 - arrays["seat"])
    yield "seat 7", put(seat=np.full_like(arrays["seat"], 7))
    yield "played 99", put(played=np.full_like(arrays["played"], 99))
    yield "next far away", put(next=np.full_like(arrays["next"], 10**6))
    yield "all illegal", put(legal=np.zeros_like(arrays["legal"]))
    yield "rows reversed", packed({name: array[::-1] for name, array in arrays.items()})
    yield "no rows at all", packed({name: array[:0] for name, array in arrays.items()})
    yield "objects", _member(data, "label.npy", _header("|O", (2,)) + b"cposix\nsystem\n(S'touch ran'\ntR.")
    yield "claims 8 TB", _member(data, "label.npy", _header("<f8", (10**6, 10**6)))
    yield "header of code", _member(data, "label.npy", _raw("{'descr': __import__('os').system('touch ran')}"))
    yield "header deep", _member(data, "label.npy", _raw("(" * 5000 + ")" * 5000))
    yield "bomb", bomb()


def packed(arrays: dict[str, NDArray[Any]]) -> bytes:
    """The bytes of a round's file."""
    buffer = BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def bomb(chunks: int = 192, chunk: int = 1 << 24) -> bytes:
    """A few megabytes that unpack to three gigabytes: one compressed piece of zeros, repeated."""
    header, packer = _header("|u1", (chunks * chunk,)), zlib.compressobj(1, zlib.DEFLATED, -15)
    start = packer.compress(header) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(b"\0" * chunk) + packer.flush(zlib.Z_FULL_FLUSH)  # independent of earlier data
    content = start + piece * chunks + packer.flush()
    size, name = len(header) + chunks * chunk, b"label.npy"
    about = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, 0, len(content), size, len(name), 0)
    local = b"PK\3\4" + about + name + content
    central = b"PK\1\2" + struct.pack("<H", 20) + about + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def _raw(text: str) -> bytes:
    return b"\x93NUMPY\x02\x00" + len(text).to_bytes(4, "little") + text.encode()


def _header(descr: str, shape: tuple[int, ...]) -> bytes:
    return _raw(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n")


def _member(data: bytes, name: str, content: bytes) -> bytes:
    """The archive with one member replaced."""
    buffer = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for member in old.infolist():
            new.writestr(member.filename, content if member.filename == name else old.read(member))
    return buffer.getvalue()


# --- policies --------------------------------------------------------------------------------------------


def of_tensors(data: bytes) -> Iterator[Mutation]:
    """Safetensors with a wrong header."""
    length = int.from_bytes(data[:8], "little")
    yield "header of 2^63 bytes", (2**63 - 1).to_bytes(8, "little") + data[8:]
    yield "no header", data[8 + length :]
    yield "numbers NaN", data[: 8 + length] + b"\xff" * (len(data) - 8 - length)


def of_policy(data: bytes) -> Iterator[Mutation]:
    """A policy's metadata with right check sums and wrong contents."""
    about = json.loads(data)
    faults: dict[str, dict[str, Any]] = {
        "format 99": {"format": 99},
        "format -1": {"format": -1},
        "no settings": {"settings": {}},
        "4,096 x 4,096 channels": {"settings": {**about["settings"], "channels": 4096, "hidden": 1 << 20}},
        "channels -1": {"settings": {**about["settings"], "channels": -1}},
        "10^6 convolutions": {"settings": {**about["settings"], "convolutions": 10**6}},
        "kind unknown": {"kind": TITLE},
        "kind linear": {"kind": "linear"},
        "kind uniform": {"kind": "uniform"},
        "kind tempered": {"kind": "tempered", "settings": {"of": "uniform", "settings": {}, "temperature": -1}},
        "greedy without end": {"kind": "greedy", "settings": _nested(900)},
        "another game": {"game": "connect4"},
        "a game that kills": {"game": "openspiel:havannah(board_size=-1)"},
        "no game": {"game": TITLE},
        "seat 5": {"seat": 5},
        "symmetry": {"symmetry": not about["symmetry"]},
    }
    for label, changes in faults.items():
        yield f"sealed, {label}", sealed({**about, **changes})


def _nested(depth: int) -> dict[str, Any]:
    settings: dict[str, Any] = {"of": "uniform", "settings": {}}
    for _ in range(depth):
        settings = {"of": "greedy", "settings": settings}
    return settings


def sealed(about: dict[str, Any]) -> bytes:
    """A policy's metadata with its check sum."""
    bare = {key: value for key, value in about.items() if key != "check"}

    def text(values: dict[str, Any]) -> bytes:
        return (json.dumps(values, indent=2, sort_keys=True) + "\n").encode()

    return text({**bare, "check": hashlib.sha256(text(bare)).hexdigest()})
