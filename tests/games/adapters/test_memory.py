"""What an object holds: equal where nothing tells two apart, different wherever something could."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections import Counter, OrderedDict, deque, namedtuple
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any

import numpy as np
import pyspiel
import pytest

from games.adapters.memory import fingerprint


class Box:
    """Anything as an attribute."""

    def __init__(self, held: Any) -> None:
        self.held = held


class Slotted:
    __slots__ = ("__private", "open")

    def __init__(self, first: int, second: int) -> None:
        self.open, self.__private = first, second


class Shared:
    board: list[int] = []  # noqa: RUF012


class Listing(list[int]):
    """A list that can hold more."""


class Colour(Enum):
    RED = 1
    BLUE = 2


def counter(start: int) -> Callable[[], int]:
    number = [start]

    def more() -> int:
        number[0] += 1
        return number[0]

    return more


def generator(draws: int) -> np.random.Generator:
    made = np.random.default_rng(1)
    made.random(draws)
    return made


def shuffled(draws: int) -> random.Random:
    made = random.Random(1)
    made.random() if draws else None
    return made


Pair = namedtuple("Pair", "left right")
TWO: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
    (lambda: Box(1), lambda: Box(2)),
    (lambda: Box(1), lambda: Box(1.0)),
    (lambda: Box(1), lambda: Box(True)),
    (lambda: Box("ab"), lambda: Box(b"ab")),
    (lambda: Box(["a", "b"]), lambda: Box(["ab"])),
    (lambda: Box(0.0), lambda: Box(-0.0)),
    (lambda: Box({"a": 1, "b": 2}), lambda: Box({"b": 2, "a": 1})),
    (lambda: Box({1, 2}), lambda: Box({1, 3})),
    (lambda: Box(np.zeros(2)), lambda: Box(np.zeros(2, dtype=np.float32))),
    (lambda: Box(np.zeros((1, 2))), lambda: Box(np.zeros((2, 1)))),
    (lambda: Box(np.array([1, [2]], dtype=object)), lambda: Box(np.array([1, [3]], dtype=object))),
    (lambda: Slotted(1, 2), lambda: Slotted(1, 3)),
    (lambda: generator(0), lambda: generator(1)),
    (lambda: shuffled(0), lambda: shuffled(1)),
    (lambda: counter(1), lambda: counter(2)),
    (lambda: partial(max, 1), lambda: partial(max, 2)),
    (lambda: Colour.RED, lambda: Colour.BLUE),
    (lambda: Pair(1, [2]), lambda: Pair(1, [3])),
    (lambda: Counter("aab"), lambda: Counter("abb")),
    (lambda: deque([1], 2), lambda: deque([1], 3)),
    (lambda: OrderedDict(a=1), lambda: {"a": 1}),
    (lambda: Listing([1]), lambda: [1]),
]


@pytest.mark.parametrize(("one", "other"), TWO)
def test_what_is_held_is_seen(one: Callable[[], Any], other: Callable[[], Any]) -> None:
    assert fingerprint(one()) is not None
    assert fingerprint(one()) == fingerprint(one())
    assert fingerprint(one()) != fingerprint(other())


def test_one_thing_held_twice_is_not_two_that_are_equal() -> None:
    """A change of the one would be a change of the other."""
    row = [0]
    assert fingerprint(Box([row, row])) != fingerprint(Box([[0], [0]]))
    loop: list[Any] = [1]
    loop.append(loop)
    assert fingerprint(loop) is not None


def test_what_a_class_shares_is_seen() -> None:
    before = fingerprint(Shared())
    Shared.board.append(1)
    try:
        assert fingerprint(Shared()) != before
    finally:
        Shared.board.clear()
    assert fingerprint(Shared()) == before


@pytest.mark.parametrize(
    "thing",
    [threading.Lock(), iter([1]), (number for number in range(0)), sys.stdout, memoryview(b"a")],
    ids=["lock", "iterator", "generator", "file", "memoryview"],
)
def test_what_cannot_be_read_has_no_fingerprint(thing: Any) -> None:
    assert fingerprint(thing) is None
    assert fingerprint(Box({"deep": [thing]})) is None


def test_what_another_language_keeps_cannot_be_read() -> None:
    class Hidden(pyspiel.State):
        """Attributes of Python's, and what its base keeps beside them."""

    state = pyspiel.load_game("tic_tac_toe").new_initial_state()
    assert fingerprint(state) is None
    assert fingerprint(Box(Hidden(pyspiel.load_game("tic_tac_toe")))) is None


def test_fingerprints_are_the_same_in_every_process() -> None:
    held = "[{'a', 'b', 'c'}, {'x': (1, 2.5)}, max]"
    code = f"from games.adapters.memory import fingerprint; print(fingerprint({held}).hex())"
    said = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
