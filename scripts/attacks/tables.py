"""Faulty tables of policies, csv and json: refused, or measured as what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from attacks.fixture import GAME, Case, Fixture, simple
from attacks.mutations import DEEP, TITLE, VALUES, Mutation, of_bytes, of_json, some
from attacks.running import Command, Expect

KIND = "tables"
BYTES, JSON = 12, 25


def cases(fixture: Fixture, rng: np.random.Generator) -> list[Case]:
    """Faults of bytes, of JSON, and of rows."""
    csv = (fixture.folder / "table.csv").read_text()
    data = (fixture.folder / "table.json").read_bytes()
    found = [_case("csv", label, fault, "refuse") for label, fault in of_rows(csv)]
    for kind, content in (("csv", csv.encode()), ("json", data)):
        faults = list(of_bytes(content, rng))
        found += [_case(kind, label, fault, "either") for label, fault in some(faults, BYTES, rng)]
    faults = list(of_json(data, rng, lines=False))
    found += [_case("json", label, fault, "either") for label, fault in some(faults, JSON, rng)]
    values = json.loads(data)
    board = next(iter(values["positions"]))
    for value in VALUES:
        changed = {**values, "positions": {**values["positions"], board: value}}
        found.append(_case("json", f"a row is {ascii(value)[:24]}", json.dumps(changed).encode(), "refuse"))
    found.append(_case("json", "no positions", json.dumps({"game": GAME, "positions": {}}).encode(), "refuse"))
    found.append(_case("json", "of another game", json.dumps({**values, "game": "connect4"}).encode(), "refuse"))
    found.append(_case("csv", "in capitals", csv.encode(), "either", suffix="CSV"))
    return found


def of_rows(csv: str) -> Iterator[Mutation]:
    """Rows with other numbers or boards, too many, and too few."""
    heading, *rows = csv.splitlines()
    board, *numbers = rows[0].split(",")

    def put(row: str) -> bytes:
        return "\n".join([heading, row, *rows[1:], ""]).encode()

    ill = (
        "nan",
        "-1",
        "1e400",
        "",
        "x",
        TITLE,
        "0x1",
        "１",
        "1_0",
        "9" * 400,
        "1" * 200_000,
        '"',
        '"1',
        "True",
        "1+2j",
    )
    for word in ill:
        yield f"a number is {ascii(word)[1:20]}", put(",".join([board, word, *numbers[1:]]))
    for label, text in {
        "wrong letters": board.replace(".", "?"),
        "a title": TITLE,
        "empty": "",
        "too short": board[:-1],
        "too many stones": board.replace(".", "x"),
        "long": "x" * 300_000,
    }.items():
        yield f"the board is {label}", put(",".join([text, *numbers]))
    yield "one number less", put(",".join([board, *numbers[:-1]]))
    yield "one number more", put(",".join([board, *numbers, "0"]))
    yield "sums to 2", put(",".join([board, *("2" if float(one) else one for one in numbers)]))
    yield "all zero", put(",".join([board, *("0" for _ in numbers)]))
    yield "a row twice", "\n".join([heading, rows[0], *rows, ""]).encode()
    yield "a row missing", "\n".join([heading, *rows[1:], ""]).encode()
    yield "heading alone", f"{heading}\n".encode()
    yield "one line of 4 MB", (",".join(["x"] * 2_000_000)).encode()
    yield "a million empty lines", b"\n" * 1_000_000
    yield "quotes without end", b'"' + csv.encode()
    yield "deep", ("[" * DEEP).encode()
    yield "semicolons", csv.replace(",", ";").encode()
    yield "UTF-16", csv.encode("utf-16")
    yield "a NUL", csv.replace(",", "\0,", 5).encode()


def _case(kind: str, label: str, data: bytes, expect: Expect, suffix: str = "") -> Case:
    name = f"table.{suffix or kind}"

    def prepare(place: Path, fixture: Fixture) -> None:
        (place / name).write_bytes(data)

    command = Command(("gap", name, "--game", GAME, "--json"), expect, memory=2048)
    return simple(KIND, f"{KIND}: {kind}: {label}", 10, command, prepare)
