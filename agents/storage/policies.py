"""Policies on disk: arrays in NAME.safetensors, metadata in NAME.json, both written atomically.

The JSON holds a format version, the game, the seat, whether the policy is defined on canonical positions (symmetry),
and check sums of the arrays and of itself. A truncated or edited file is refused with one line. No pickle.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from agents.linear import SoftmaxLinear
from agents.network import Architecture, NetworkPolicy, PolicyNet, layers
from agents.ntuple import Grid, NtuplePolicy
from agents.policy import Greedy, Lifted, Policy, PolicyError, Tempered, Uniform
from agents.storage.atomic import write_atomic as write_atomic
from agents.storage.reading import LARGEST, Unreadable, fields, parse_json, read_bytes
from agents.tabular import Tabular
from agents.tactics import WORD, Tactics
from games.base import Game, GameError, NashmailError
from games.features import features
from games.registry import make
from games.symmetry import Quotient

FORMAT = 1
_KEYS = {"format": int, "kind": str, "settings": dict, "game": str, "seat": int, "symmetry": bool, "sha256": str}
_WRAPPERS: dict[str, dict[str, type]] = {
    "greedy": {"of": str, "settings": dict},
    "tempered": {"of": str, "settings": dict, "temperature": float},
    "tactics": {"of": str, "settings": dict},
}  # kinds that wrap another policy, and their settings
_DEEPEST = 8  # nested policies
_LONGEST = 1 << 16  # bytes of the JSON
_TOLERANCE = 1e-6  # allowed deviation of a row's sum from 1, as in ``query``
Arrays: TypeAlias = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Saved:
    """A policy read from disk, ready to play."""

    game: Game
    """The game it was saved for; the board itself, also with symmetry."""
    seat: int
    policy: Policy
    symmetry: bool
    """Whether it is defined on canonical positions; ``policy`` is then ``Lifted``."""


def to_json(values: Any) -> bytes:
    """Readable JSON with a final newline.

    Args:
        values: what ``json.dumps`` takes.
    """
    return (json.dumps(values, indent=2, sort_keys=True) + "\n").encode()


def save_policy(path: Path, policy: Policy, *, game: Game, seat: int) -> None:
    """Write ``path``.safetensors and ``path``.json.

    Args:
        path: the common stem of both files.
        policy: a network, table, linear or uniform policy, or a greedy, tempered or lifted version of one.
        game: the game it plays (the board itself for a ``Lifted`` policy).
        seat: 0 or 1.

    Raises:
        PolicyError: policies of this kind cannot be saved, or its numbers are not finite.
    """
    symmetry = isinstance(policy, Lifted)
    bare = policy.policy if isinstance(policy, Lifted) else policy
    kind, settings, arrays = _describe(bare)
    refuse_unless_finite(arrays)
    data = save(arrays)
    about = {
        "format": FORMAT,
        "kind": kind,
        "settings": settings,
        "game": game.spec.name,
        "seat": seat,
        "symmetry": symmetry,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    write_atomic(path.with_name(path.name + ".safetensors"), data)
    write_atomic(path.with_name(path.name + ".json"), to_json({**about, "check": _check(about)}))


def load_policy(path: Path, *, device: str = "cpu") -> Saved:
    """Read what ``save_policy`` wrote.

    Args:
        path: the common stem of both files.
        device: the torch device of a network.

    Raises:
        PolicyError: the files are missing, damaged or edited, or their game is unknown.
    """
    file = path.with_name(path.name + ".json")
    about = _read_about(file)
    numbers = path.with_name(path.name + ".safetensors")
    data = _read(numbers, LARGEST)
    if hashlib.sha256(data).hexdigest() != about["sha256"]:
        raise PolicyError(f"{numbers} is truncated or was edited (check sum differs); train again or restore it")
    try:
        game = make(about["game"])
    except NashmailError as error:
        raise PolicyError(f"{file} names no usable game: {error}") from error
    try:
        policy = _rebuild(about["kind"], about["settings"], load(data), game, device)
    except (SafetensorError, ArithmeticError, KeyError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        why = " ".join(str(error).split())
        raise PolicyError(f"{numbers} does not hold a {about['kind']} policy of {about['game']}: {why}") from error
    if about["symmetry"]:
        try:
            policy = Lifted(policy, Quotient(game))
        except GameError as error:
            raise PolicyError(f"{file} requires symmetry, which {about['game']} does not have; train again") from error
    return Saved(game, about["seat"], policy, about["symmetry"])


def refuse_unless_finite(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse numbers that are NaN or infinite.

    Args:
        arrays: a policy's arrays, by name.

    Raises:
        PolicyError: names the first array that holds one.
    """
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise PolicyError(f"its {name} holds numbers that are not finite; train again, or restore it")


def _read(path: Path, most: int) -> bytes:
    try:
        return read_bytes(path, most=most)
    except Unreadable as error:
        raise PolicyError(f"{error}; train again or restore it") from error


def _read_about(path: Path) -> dict[str, Any]:
    """The metadata, checked against its own check sum."""
    data = _read(path, _LONGEST)
    try:
        about = fields(parse_json(data), {**_KEYS, "check": str})
        check = about.pop("check")
        if about["format"] < 1 or about["seat"] not in (0, 1):
            raise ValueError("no such format or seat")
        right = check == _check(about)
    except (ValueError, MemoryError, RecursionError) as error:
        raise PolicyError(
            f"{path} is truncated or not a policy's description ({error}); train again or restore it"
        ) from error
    if not right:
        raise PolicyError(f"{path} was edited (check sum differs); train again or restore it")
    if about["format"] > FORMAT:
        raise PolicyError(f"{path} has format {about['format']}, newer than {FORMAT}; update nashmail to read it")
    return about


def _check(about: dict[str, Any]) -> str:
    return hashlib.sha256(to_json(about)).hexdigest()


def _describe(policy: Policy) -> tuple[str, dict[str, Any], dict[str, np.ndarray]]:
    """Kind, settings and arrays of a policy. PolicyError for a kind that cannot be saved."""
    if isinstance(policy, NetworkPolicy):
        weights = {name: tensor.cpu().numpy() for name, tensor in policy.net.state_dict().items()}
        return "network", policy.net.architecture.as_dict(), weights
    if isinstance(policy, Tabular):
        return "tabular", {"complete": policy.complete}, {"keys": policy.keys, "table": policy.table}
    if isinstance(policy, SoftmaxLinear):
        return "linear", {}, {"theta": policy.theta}
    if isinstance(policy, NtuplePolicy):
        return "ntuple", {"tied": policy.tied}, policy.arrays()
    if isinstance(policy, Uniform):
        return "uniform", {}, {}
    if isinstance(policy, (Greedy, Tempered, Tactics)):
        kind, settings, arrays = _describe(policy.policy)
        if isinstance(policy, Tactics):
            return WORD, {"of": kind, "settings": settings}, arrays
        if isinstance(policy, Greedy):
            return "greedy", {"of": kind, "settings": settings}, arrays
        return "tempered", {"of": kind, "settings": settings, "temperature": policy.temperature}, arrays
    raise PolicyError(f"a {type(policy).__name__} policy cannot be saved; save the policies it is made of")


def _rebuild(kind: str, settings: dict[str, Any], arrays: Arrays, game: Game, device: str, *, depth: int = 0) -> Policy:
    """The inverse of ``_describe``. ValueError (PolicyError is one) for input that ``_describe`` never produces."""
    if kind in _WRAPPERS:
        wrapper = fields(settings, _WRAPPERS[kind])
        if depth == _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} nested policies")
        inner = _rebuild(wrapper["of"], wrapper["settings"], arrays, game, device, depth=depth + 1)
        if kind == "tempered":
            return Tempered(inner, float(wrapper["temperature"]))
        return Greedy(inner) if kind == "greedy" else Tactics(inner)
    if kind == "network":
        sizes = Architecture.parse(settings)
        fields({"blocks": 0, **settings}, dict.fromkeys(sizes.as_dict(), int))  # older files have no blocks
        return _network(sizes, arrays, game, device)
    if kind == "tabular":
        return _tabular(fields(settings, {"complete": bool})["complete"], arrays, game)
    if kind == "ntuple":
        return _ntuple(fields(settings, {"tied": bool})["tied"], arrays, game)
    if kind not in ("linear", "uniform"):
        raise PolicyError(f"unknown kind of policy {kind!r}")
    fields(settings, {})
    if kind == "linear":
        start = game.start(1, rng=np.random.default_rng(0))  # every position has the same number of features
        _expect(arrays, {"theta": ((features(game, start, 0).shape[2],), ("float64",))})
        return SoftmaxLinear(arrays["theta"])
    _expect(arrays, {})
    return Uniform()


def _network(sizes: Architecture, arrays: Arrays, game: Game, device: str) -> NetworkPolicy:
    """The network with these weights. It is allocated only after all weights have been checked."""
    spec = game.spec
    wanted = layers(spec.observation, spec.actions, sizes).state_dict(prefix="layers.")
    _expect(arrays, {name: (tuple(weights.shape), ("float32",)) for name, weights in wanted.items()})
    rng = np.random.default_rng(0)  # the saved weights replace the random ones
    net = PolicyNet(spec.observation, spec.actions, sizes, rng=rng)
    net.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in arrays.items()})
    return NetworkPolicy(net, device=device)


def _tabular(complete: bool, arrays: Arrays, game: Game) -> Tabular:
    """The table with these rows, which must be distributions."""
    rows = len(arrays["keys"]) if arrays.get("keys", np.zeros(())).ndim else 0
    wide = ("float64", "float32")
    _expect(arrays, {"keys": ((rows, 2), ("uint64",)), "table": ((rows, game.spec.actions), wide)})
    table = arrays["table"]
    if (table < 0).any() or (np.abs(table.sum(1, dtype=np.float64) - 1.0) > _TOLERANCE).any():
        raise PolicyError("its rows are no probabilities")
    return Tabular(arrays["keys"], table, complete=complete)


def _ntuple(tied: bool, arrays: Arrays, game: Game) -> NtuplePolicy:
    """The n-tuple policy with these arrays, which must be of the game's board."""
    tuples, length = arrays["cells"].shape
    patterns = len(arrays["codes"])
    wanted = {"cells": ((tuples, length), ("int64",)), "counts": ((tuples,), ("int64",))}
    numbers = {"codes": ((patterns,), ("uint64",)), "weights": ((patterns, game.spec.actions), ("float32",))}
    if "exceptions" in arrays:
        excepted = arrays["exceptions"].shape
        numbers |= {"exceptions": (excepted, ("uint64",)), "answers": (excepted, ("int64",))}
    _expect(arrays, {**wanted, **numbers})
    policy = NtuplePolicy(**arrays, tied=tied)
    policy.check_fits(Grid.of(game), game.spec.name)
    return policy


def _expect(arrays: Arrays, wanted: Mapping[str, tuple[tuple[int, ...], tuple[str, ...]]]) -> None:
    """Raise PolicyError unless these are the arrays, each with its shape, one of its dtypes and finite numbers."""
    if odd := set(arrays) ^ set(wanted):
        raise PolicyError(f"its arrays are not the expected ones: {', '.join(sorted(odd))[:80]}")
    for name, (shape, dtypes) in wanted.items():
        array = arrays[name]
        if array.shape != shape or array.dtype.name not in dtypes:
            raise PolicyError(f"its {name} is {array.dtype} {array.shape}; it needs {dtypes[0]} {shape}")
    refuse_unless_finite(arrays)
