"""Networks whose last bits depend on where a row lies in its batch, as with the kernels of some processors.

Python loads this module by itself, in every process, where this folder is on its path: `make test-kernels` puts it
there and runs the tests of equal results. Nothing else uses it.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MODULE = "agents.network"


def shake(module: ModuleType) -> None:
    """Add a few units of the last place, more or less, to logits, by place in the batch and by action."""
    import numpy as np

    inner = module.NetworkPolicy.logits

    def logits(self: Any, observations: Any) -> Any:
        found = inner(self, observations)
        units = np.arange(found.size).reshape(found.shape) * 5 % 13 - 6
        return found + units * np.finfo(np.float64).eps * np.maximum(np.abs(found), 1.0)

    module.NetworkPolicy.logits = logits


class Finder(importlib.abc.MetaPathFinder):
    """Finds the one module as everybody would, and shakes it once it is loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.loader is not None
        load = spec.loader.exec_module

        def load_and_shake(module: ModuleType) -> None:
            load(module)
            shake(module)

        spec.loader.exec_module = load_and_shake  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, Finder())
