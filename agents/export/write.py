"""Policies for elsewhere: a folder of numbers that numpy reads, ONNX, TorchScript; each with a loader of its own.

What leaves is a function from observations (the mover's view, float32 [N, *shape]) and a legal mask (bool [N, A])
to probabilities (float64 [N, A]), with the mask inside it. Where a policy lives on canonical positions, finding the
least image of a board, and moving the answer back, happens inside it too. ``Plan`` is the one description that all
three forms are written from. Weights leave as they were trained, in single precision; every form computes with
them in double, as ``agents.network`` does.
"""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

from safetensors.numpy import save

from agents.export.plan import Array, Plan
from agents.policy import PolicyError
from agents.storage.atomic import write_atomic
from agents.storage.policies import to_json

FORMAT = 2  # 1 had no residual blocks
FORMS = ("folder", "onnx", "torchscript")
LOADER = "load.py"


# --- from a policy to a plan -----------------------------------------------------------------------------


# --- writing ---------------------------------------------------------------------------------------------


def export(plans: tuple[Plan, Plan], form: str, folder: Path) -> list[Path]:
    """Write both seats and the loader into ``folder``; the files. PolicyError for a form there is none of."""
    if form not in FORMS:
        raise PolicyError(f"policies are exported to {', '.join(FORMS)}, not to {form!r}")
    written = []
    for one in plans:
        for suffix, data in _files(one, form):
            written.append(folder / f"seat{one.seat}.{suffix}")
            write_atomic(written[-1], data)
    loader = resources.files("agents.loaders").joinpath(f"{form}.py").read_bytes()
    write_atomic(folder / LOADER, loader)
    return [*written, folder / LOADER]


def _files(one: Plan, form: str) -> list[tuple[str, bytes]]:
    """Suffix and content of every file of one seat."""
    if form == "folder":
        numbers = save(arrays_of(one))
        return [("safetensors", numbers), ("json", to_json(about(one, numbers)))]
    if form == "onnx":
        from agents.export.onnx import to_onnx

        return [("onnx", to_onnx(one))]
    from agents.export.torchscript import to_torchscript

    return [("pt", to_torchscript(one))]


def arrays_of(one: Plan) -> dict[str, Array]:
    """Every array of a plan by name, as the folder form holds them."""
    arrays = dict(one.arrays)
    if one.bits is not None:
        arrays["bits"] = one.bits
    if one.symmetry is not None:
        arrays["symmetry.source"], arrays["symmetry.forward"] = one.symmetry.source, one.symmetry.forward
    return arrays


def about(one: Plan, numbers: bytes) -> dict[str, Any]:
    """The JSON beside the numbers, with a check sum of them and one of itself."""
    said = {
        "format": FORMAT,
        "game": one.game,
        "seat": one.seat,
        "observation": list(one.observation),
        "actions": one.actions,
        "kind": one.kind,
        "layers": list(one.layers),
        "then": [list(step) for step in one.then],
        "symmetry": one.symmetry is not None,
        "sha256": hashlib.sha256(numbers).hexdigest(),
        "inputs": "observation float32 [N, *observation]: the mover's view, own things first; legal bool [N, actions]",
    }
    return {**said, "check": hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()}
