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
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from torch import nn

from agents.atomic import write_atomic
from agents.files import refuse_unless_finite, to_json
from agents.linear import Featured, SoftmaxLinear
from agents.network import NetworkPolicy, Residual
from agents.policy import Greedy, Lifted, Policy, PolicyError, Tempered, Uniform
from agents.tabular import Tabular
from games.base import Game, Ints
from games.boards import Board

FORMAT = 2  # 1 had no residual blocks
FORMS = ("folder", "onnx", "torchscript")
LOADER = "load.py"
Array = NDArray[Any]


@dataclass(frozen=True)
class Symmetry:
    """How a board is brought to its least image; G symmetries, the identity first."""

    source: Ints  # [G, cells] the cell that arrives at each cell of the image
    forward: Ints  # [G, A] where each action goes


@dataclass(frozen=True)
class Plan:
    """A policy as arrays and a few words."""

    game: str
    seat: int
    observation: tuple[int, ...]
    actions: int
    kind: str
    """``layers`` (logits from a stack of layers; none at all play uniformly) or ``table``."""
    layers: tuple[str, ...] = ()
    """conv, relu, residual, flatten, linear; weights are ``arrays`` named by the layer's number."""
    arrays: dict[str, Array] = field(default_factory=dict)
    then: tuple[tuple[str, float], ...] = ()
    """What is done to the probabilities, innermost first: ("greedy", 0) or ("tempered", temperature)."""
    bits: Ints | None = None
    """[cells] the bit of each cell, row by row, in the two words of a position; for tables and symmetries."""
    symmetry: Symmetry | None = None


# --- from a policy to a plan -----------------------------------------------------------------------------


def plan(policy: Policy, game: Game, seat: int) -> Plan:
    """What there is to export. PolicyError for a policy that reads more than its observation and the mask,
    or whose numbers are not finite."""
    lifted = isinstance(policy, Lifted)
    bare = policy.policy if isinstance(policy, Lifted) else policy
    then: list[tuple[str, float]] = []
    while isinstance(bare, (Greedy, Tempered)):
        then.insert(0, ("greedy", 0.0) if isinstance(bare, Greedy) else ("tempered", bare.temperature))
        bare = bare.policy
    kind, layers, arrays = _parts(bare, game)
    refuse_unless_finite(arrays)
    on_board = lifted or kind == "table"
    if on_board and not isinstance(game, Board):
        raise PolicyError(f"tables and symmetries can be exported for boards alone, not for {game.spec.name}")
    bits, symmetry = _geometry(game) if isinstance(game, Board) and on_board else (None, None)
    return Plan(
        game=game.spec.name,
        seat=seat,
        observation=game.spec.observation,
        actions=game.spec.actions,
        kind=kind,
        layers=layers,
        arrays=arrays,
        then=tuple(then),
        bits=bits,
        symmetry=symmetry if lifted else None,
    )


def _parts(policy: Policy, game: Game) -> tuple[str, tuple[str, ...], dict[str, Array]]:
    """Kind, layers and arrays of a policy without what is done to its answers."""
    if isinstance(policy, Uniform):
        return "layers", (), {}
    if isinstance(policy, Tabular):
        return "table", (), {"keys": policy.keys.astype(np.int64), "table": np.asarray(policy.table)}
    if isinstance(policy, SoftmaxLinear) and not isinstance(game, Featured):
        blocks = policy.theta.reshape(game.spec.actions, -1)  # one per action: weights, then the constant's
        arrays = {"1.weight": np.ascontiguousarray(blocks[:, :-1]), "1.bias": np.ascontiguousarray(blocks[:, -1])}
        return "layers", ("flatten", "linear"), arrays
    if isinstance(policy, NetworkPolicy):
        return _network(policy)
    raise PolicyError(
        f"a {type(policy).__name__} policy of {game.spec.name} cannot be exported: it needs more than its observation"
    )


_WORDS = {nn.Conv2d: "conv", nn.Linear: "linear", nn.ReLU: "relu", nn.Flatten: "flatten", Residual: "residual"}


def _network(policy: NetworkPolicy) -> tuple[str, tuple[str, ...], dict[str, Array]]:
    """The layers of a policy network in order."""
    words: list[str] = []
    arrays: dict[str, Array] = {}
    for layer in policy.net.layers:
        for name, parameter in layer.named_parameters():
            arrays[f"{len(words)}.{name}"] = parameter.detach().cpu().numpy().copy()
        words.append(_WORDS[type(layer)])
    return "layers", tuple(words), arrays


def _geometry(game: Board) -> tuple[Ints, Symmetry]:
    """The bit of each cell and the symmetries, read off boards with a single stone."""
    cells = game.rows * game.columns
    states = np.array([[0, 1 << bit] for bit in range(63)], dtype=np.uint64)
    seen = game.observe(states, 1)[:, 1].reshape(len(states), -1)  # the other seat's only stone
    bits = seen.argmax(0)  # [cells]
    images = game.images(states[bits])  # [G, cells, 2]
    arrives = np.stack([game.observe(image, 1)[:, 1].reshape(cells, cells).argmax(1) for image in images])
    return 1 << bits, Symmetry(np.argsort(arrives, axis=1), np.array(game.spec.symmetries, dtype=np.int64))


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
        from agents.export_onnx import to_onnx

        return [("onnx", to_onnx(one))]
    from agents.export_torch import to_torchscript

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
