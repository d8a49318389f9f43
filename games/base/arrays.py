"""The arrays that everything is made of, and the errors.

Shape letters, used in every docstring: N positions, A actions (of the larger seat), W words of a state, S positions of
a model, E outcomes, G symmetries, d features.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

States: TypeAlias = NDArray[Any]  # [N, W] plain integer rows
Keys: TypeAlias = NDArray[np.uint64]  # [N, 2] equal rows <=> equal positions
Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Table: TypeAlias = NDArray[np.float64]  # [S, A] one seat's policy over a model's positions
Rng: TypeAlias = np.random.Generator


class NashmailError(ValueError):
    """Bad input of any kind; its message is one line that says what to do instead."""


class GameError(NashmailError):
    """A game or a position that does not exist or cannot be used."""
