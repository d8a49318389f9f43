"""Whether compiled loops are loaded yet, and arrays as they take them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

LOADING = 0.5
"""Seconds that loading takes."""
CALL, ROW = 50e-6, 0.3e-6
"""Seconds of array code for a call, and for each of its rows."""
_spent = 0.0
_loaded: ModuleType | None = None


def kernels(rows: int) -> Any:
    """The compiled loops of play (``games.compiled.play``), if they are worth loading.

    Args:
        rows: positions of the call that is about to be made.

    Returns:
        The module; None where array code should be used.
    """
    global _spent
    if _loaded is None:
        _spent += CALL + ROW * rows
        if _spent > LOADING:
            load()
    return _loaded


def load() -> None:
    """Load the loops of play now, as long work does sooner or later."""
    global _loaded
    from games.compiled import play

    _loaded = play


def plain(array: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """An array as compiled loops take it: of this type, in one piece and writable; copied where it is not.

    Args:
        array: any array.
        dtype: the type.
    """
    flags = array.flags
    if array.dtype == dtype and flags.c_contiguous and flags.writeable:
        return array
    return np.array(array, dtype=dtype, order="C")
