"""Shapes of JSON values: what a value must look like, and where another one does not.

A shape is a function that says whether a value is right (``number``, ``count``, ``word``, ...); a tuple of shapes, one
of which must fit; a list ``[shape]`` of any length, or ``[shape, n]`` of that one; or a dict from key to shape. A key
that ends in ``?`` may be missing, ``*`` stands for every key that is not named; without it there must be no other.
"""

from __future__ import annotations

from typing import Any

_LARGE = 1e300
_WORD = 4096  # most characters of a name
_DEEP = 8  # of anything that is kept without being read


def number(value: object) -> bool:
    """Whether it is a finite number that can be calculated with; JSON may hold 1e999, too.

    Args:
        value: any value.
    """
    return type(value) in (int, float) and -_LARGE < value < _LARGE  # type: ignore[operator]


def count(value: object) -> bool:
    """Whether it is a whole number from 0 that fits 63 bits.

    Args:
        value: any value.
    """
    return type(value) is int and 0 <= value < 1 << 63


def natural(value: object) -> bool:
    """Whether it is a whole number from 0, however large.

    Args:
        value: any value.
    """
    return type(value) is int and value >= 0


def seat(value: object) -> bool:
    """Whether it is 0 or 1.

    Args:
        value: any value.
    """
    return type(value) is int and value in (0, 1)


def word(value: object) -> bool:
    """Whether it is a name that can be printed as it is: nothing in it makes a terminal do something.

    Args:
        value: any value.
    """
    return type(value) is str and len(value) <= _WORD and value.isprintable()


def flag(value: object) -> bool:
    """Whether it is True or False.

    Args:
        value: any value.
    """
    return type(value) is bool


def null(value: object) -> bool:
    """Whether it is None.

    Args:
        value: any value.
    """
    return value is None


def plain(value: object, deep: int = _DEEP) -> bool:
    """Whether a reader may hand it on unread: not nested too deeply, its numbers finite and its texts printable.

    Args:
        value: any value.
        deep: levels that it may have.
    """
    if isinstance(value, dict):
        return deep > 0 and all(word(key) and plain(part, deep - 1) for key, part in value.items())
    if isinstance(value, list):
        return deep > 0 and all(plain(part, deep - 1) for part in value)
    return number(value) or natural(value) or word(value) or flag(value) or null(value)


def misfit(value: object, shape: Any, at: str = "it") -> str | None:
    """Where a value does not have a shape.

    Args:
        value: any value.
        shape: see above.
        at: what the value is called in the answer.

    Returns:
        The place, in words; None where it has the shape.
    """
    if callable(shape):
        return None if shape(value) else at
    if isinstance(shape, tuple):
        return at if all(misfit(value, one, at) for one in shape) else None
    if isinstance(shape, list):
        if not isinstance(value, list) or (len(shape) > 1 and len(value) != shape[1]):
            return at
        places = ((part, shape[0], f"{at}[{index}]") for index, part in enumerate(value))
        return next((wrong for wrong in (misfit(*place) for place in places) if wrong), None)
    return _misfit(value, shape, at)


def _misfit(value: object, shape: dict[str, Any], at: str) -> str | None:
    """``misfit`` for a shape that is a dict."""
    if not isinstance(value, dict):
        return at
    named = {key.removesuffix("?"): part for key, part in shape.items() if key != "*"}
    for key, part in shape.items():
        name, inside = key.removesuffix("?"), f"{at}.{key.removesuffix('?')}".removeprefix("it.")
        if key == "*":
            continue
        if name not in value:
            if not key.endswith("?"):
                return f"{inside}, which is missing"
        elif wrong := misfit(value[name], part, inside):
            return wrong
    for key, part in value.items():
        if key in named:
            continue
        if "*" not in shape or not word(key):
            return f"{at}, with an unknown key"
        if wrong := misfit(part, shape["*"], f"{at}.{key}".removeprefix("it.")):
            return wrong
    return None
