"""Explorers by name: ``expert``, ``uniform``, ``counts``, ``deep``, ``refute``, and what ``register`` adds."""

from mail.explore import counts, deep, refute
from mail.explore.base import Explorer, Setting, check, make, names, register

__all__ = ["Explorer", "Setting", "check", "counts", "deep", "make", "names", "refute", "register"]
