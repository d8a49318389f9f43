"""Explorers by name: those of ``mail.explore.builtin``, and those that ``register`` adds. Does not import torch."""

from mail.explore import builtin as builtin
from mail.explore.base import (
    EXPLORERS,
    KNOWLEDGE,
    Explorer,
    ExplorerContext,
    ExplorerDeclaration,
    check,
    declared,
    make,
    names,
    register,
)

__all__ = [
    "EXPLORERS",
    "KNOWLEDGE",
    "Explorer",
    "ExplorerContext",
    "ExplorerDeclaration",
    "check",
    "declared",
    "make",
    "names",
    "register",
]
