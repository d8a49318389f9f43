"""An exported policy in ONNX Runtime. SEAT.onnx contains the legal mask, the softmax and the symmetries.

    from load import load
    policy = load("seat0")                              # beside this file
    probabilities = policy(observation, legal)          # float32 [N, *shape], bool [N, A] -> float64 [N, A]

Needs Python 3.10, numpy and onnxruntime.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-not-found, import-untyped, unused-ignore]
from numpy.typing import NDArray

Array = NDArray[Any]


def load(seat: str, folder: str | Path = Path(__file__).parent) -> Callable[[Array, Array], Array]:
    """Load the policy of one seat.

    Args:
        seat: ``seat0`` or ``seat1``.
        folder: where the files are; by default beside this one.

    Returns:
        A function from observations float32 [N, *shape] and legal actions bool [N, A] to probabilities float64 [N, A].
    """
    session = onnxruntime.InferenceSession(str(Path(folder) / f"{seat}.onnx"), providers=["CPUExecutionProvider"])

    def policy(observation: Array, legal: Array) -> Array:
        inputs = {"observation": observation.astype(np.float32), "legal": legal.astype(np.bool_)}
        return np.asarray(session.run(["probabilities"], inputs)[0])

    return policy


if __name__ == "__main__":
    print(load(sys.argv[1] if len(sys.argv) > 1 else "seat0"))
