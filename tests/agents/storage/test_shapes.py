"""Shapes of JSON values, and where a value does not have one."""

from __future__ import annotations

from typing import Any

import pytest

from agents.storage.shapes import misfit, number, plain, word


@pytest.mark.parametrize(
    ("value", "shape", "where"),
    [
        (1, number, None),
        (True, number, "it"),
        (10**400, number, "it"),
        ("a\x07", word, "it"),
        ({"a": [1, "x"]}, {"a": [number]}, "a[1]"),
        ({"a": [1]}, {"a": [number, 2]}, "a"),
        ({"a": {"b": None}}, {"a": {"b": (number, word)}}, "a.b"),
        ({}, {"a": number}, "a, which is missing"),
        ({}, {"a?": number}, None),
        ({"b": 1}, {"a?": number}, "it, with an unknown key"),
        ({"b": "x"}, {"a?": number, "*": number}, "b"),
        ({"b\n": 1}, {"*": number}, "it, with an unknown key"),
        ([[[[[[[[[1]]]]]]]]], plain, "it"),
    ],
)
def test_shapes(value: object, shape: Any, where: str | None) -> None:
    assert misfit(value, shape) == where
