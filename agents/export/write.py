"""Export of policies: files that numpy reads (``folder``), ONNX or TorchScript, each with its own loader, or one file
for Kaggle's ConnectX.

An exported policy is a function from observations (the mover's view, float32 [N, *shape]) and a legal mask (bool [N,
A]) to probabilities (float64 [N, A]); the mask is applied inside. For a policy on canonical positions, the function
also maps a board to its canonical image and the probabilities back. ``Plan`` describes all three forms. Weights are
exported in the precision of training, single; every form computes in double precision, as ``agents.network`` does.
"""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

from safetensors.numpy import save

from agents.export.connectx import to_connectx
from agents.export.plan import Array, Plan, plan
from agents.policy import PolicyError, Seats
from agents.storage.atomic import write_atomic
from agents.storage.policies import to_json
from agents.tactics import Tactics
from games.base import Game

FORMAT = 2  # 1 had no residual blocks
_FORMATS = {"ntuple": 3}  # kinds that older loaders do not know
_EXCEPTIONS = 4  # the format of n-tuples with exceptions
FORMS = ("folder", "onnx", "torchscript")
LOADER = "load.py"
SUBMISSION = "submission.py"


# --- writing ---------------------------------------------------------------------------------------------


def export(plans: tuple[Plan, Plan], form: str, folder: Path) -> list[Path]:
    """Write both seats and the loader.

    Args:
        plans: One plan per seat.
        form: One of ``FORMS``.
        folder: The directory, made if necessary.

    Returns:
        The files written.

    Raises:
        PolicyError: ``form`` is unknown, or it needs a package that is not installed.
    """
    if form not in FORMS:
        raise PolicyError(f"policies are exported to {', '.join(FORMS)}, not to {form!r}; choose one of them")
    written = []
    for one in plans:
        for suffix, data in _files(one, form):
            written.append(folder / f"seat{one.seat}.{suffix}")
            write_atomic(written[-1], data)
    loader = resources.files("agents.loaders").joinpath(f"{form}.py").read_bytes()
    write_atomic(folder / LOADER, loader)
    return [*written, folder / LOADER]


def export_connectx(seats: Seats, game: Game, folder: Path) -> list[Path]:
    """Write both seats into one file for Kaggle's ConnectX.

    Args:
        seats: One policy per seat, with tactics or without.
        game: The game that they play.
        folder: The directory, made if necessary.

    Returns:
        The file written, in a list.

    Raises:
        PolicyError: The game is not one that ConnectX can be set to, or a policy cannot be exported.
    """
    bare = [policy.policy if isinstance(policy, Tactics) else policy for policy in seats]
    first, second = (packed(plan(policy, game, seat)) for seat, policy in enumerate(bare))
    tactics = isinstance(seats[0], Tactics), isinstance(seats[1], Tactics)
    write_atomic(folder / SUBMISSION, to_connectx(game, (first, second), tactics))
    return [folder / SUBMISSION]


def _files(one: Plan, form: str) -> list[tuple[str, bytes]]:
    """Suffix and contents of every file of one seat."""
    if form == "folder":
        facts, numbers = packed(one)
        return [("safetensors", numbers), ("json", facts)]
    if one.kind == "ntuple":
        raise PolicyError(f"n-tuple policies look patterns up, which {form} files cannot; export them to folder")
    if form == "onnx":
        from agents.export.onnx import to_onnx

        return [("onnx", to_onnx(one))]
    from agents.export.torchscript import to_torchscript

    return [("pt", to_torchscript(one))]


def packed(one: Plan) -> tuple[bytes, bytes]:
    """The two files of one seat in the folder form.

    Args:
        one: the plan of the seat.

    Returns:
        The metadata, JSON, and the arrays, safetensors.
    """
    numbers = save(arrays_of(one))
    return to_json(about(one, numbers)), numbers


def arrays_of(one: Plan) -> dict[str, Array]:
    """Every array of a plan by name, as in the folder form.

    Args:
        one: the plan of a seat.
    """
    arrays = dict(one.arrays)
    if one.bits is not None:
        arrays["bits"] = one.bits
    if one.symmetry is not None:
        arrays["symmetry.source"], arrays["symmetry.forward"] = one.symmetry.source, one.symmetry.forward
    return arrays


def about(one: Plan, numbers: bytes) -> dict[str, Any]:
    """The metadata of the folder form, with check sums of the arrays and of itself.

    Args:
        one: the plan of a seat.
        numbers: the file of its arrays.
    """
    facts = {
        "format": _EXCEPTIONS if "exceptions" in one.arrays else _FORMATS.get(one.kind, FORMAT),
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
    return {**facts, "check": hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()}
