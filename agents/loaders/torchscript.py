"""An exported policy in torch. SEAT.pt contains the legal mask, the softmax and the symmetries.

    from load import load
    policy = load("seat0")                              # beside this file
    probabilities = policy(observation, legal)          # float32 [N, *shape], bool [N, A] -> float64 [N, A]

Needs torch. Torch has deprecated TorchScript (loading it warns since 2.10); prefer `--to onnx`.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import torch


def load(seat: str, folder: str | Path = Path(__file__).parent) -> Any:
    """Load the policy of one seat.

    Args:
        seat: ``seat0`` or ``seat1``.
        folder: where the files are; by default beside this one.

    Returns:
        A module from observations float32 [N, *shape] and legal actions bool [N, A] to probabilities float64 [N, A].
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.load(str(Path(folder) / f"{seat}.pt")).eval()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    print(load(sys.argv[1] if len(sys.argv) > 1 else "seat0"))
