"""Explorers by name: ``expert``, ``uniform``, ``counts``, ``deep``, and what ``register`` adds."""

from mail.explore import counts, deep
from mail.explore.base import Explorer, Setting, check, make, names, register

__all__ = ["Explorer", "Setting", "check", "counts", "deep", "make", "names", "register"]
