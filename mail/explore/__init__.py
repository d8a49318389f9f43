"""Explorers by name: ``counts``, ``deep``, ``expert``, ``linear``, ``linear-reference``, ``refute``, ``tabular``,
``uniform``, ``unsure``, and what ``register`` adds.
"""

from mail.explore import counts, deep, linear, refute, tabular, unsure
from mail.explore.base import Explorer, ExplorerContext, check, make, names, register

__all__ = [
    "Explorer",
    "ExplorerContext",
    "check",
    "counts",
    "deep",
    "linear",
    "make",
    "names",
    "refute",
    "register",
    "tabular",
    "unsure",
]
