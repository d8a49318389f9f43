"""Policies on disk: numbers in NAME.safetensors, what they are in NAME.json, both written atomically.

The JSON carries a format version, the game, the seat, whether the policy lives on canonical positions
(symmetry), and check sums of the numbers and of itself, so that a truncated or edited file is refused with
one line instead of playing something else. No pickle anywhere.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load, save

from agents.atomic import write_atomic as write_atomic
from agents.linear import SoftmaxLinear
from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import Greedy, Lifted, Policy, PolicyError, Tempered, Uniform
from agents.tabular import Tabular
from games.base import Game, Symmetric
from games.registry import make
from games.symmetry import Quotient

FORMAT = 1
_KEYS = {"format": int, "kind": str, "settings": dict, "game": str, "seat": int, "symmetry": bool, "sha256": str}


@dataclass(frozen=True)
class Saved:
    """A policy as it was read: for which game and seat, and ready to play on the board."""

    game: Game
    seat: int
    policy: Policy
    symmetry: bool


def to_json(values: Any) -> bytes:
    """Readable JSON with a final newline."""
    return (json.dumps(values, indent=2, sort_keys=True) + "\n").encode()


def save_policy(path: Path, policy: Policy, *, game: Game, seat: int) -> None:
    """Write ``path``.safetensors and ``path``.json. PolicyError for a kind of policy that has no file form."""
    symmetry = isinstance(policy, Lifted)
    bare = policy.policy if isinstance(policy, Lifted) else policy
    kind, settings, arrays = _describe(bare)
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
    """Read what ``save_policy`` wrote. PolicyError, in one line, for anything that is not exactly that."""
    about = _read_about(path.with_name(path.name + ".json"))
    numbers = path.with_name(path.name + ".safetensors")
    try:
        data = numbers.read_bytes()
    except OSError as error:
        raise PolicyError(f"cannot read {numbers}: {error.strerror}; train again or restore it") from error
    if hashlib.sha256(data).hexdigest() != about["sha256"]:
        raise PolicyError(f"{numbers} is truncated or was edited (check sum differs); train again or restore it")
    game = make(about["game"])
    try:
        policy = _rebuild(about["kind"], about["settings"], load(data), game, device)
    except (SafetensorError, RuntimeError, KeyError, TypeError) as error:
        why = " ".join(str(error).split())
        raise PolicyError(f"{numbers} does not hold a {about['kind']} policy of {about['game']}: {why}") from error
    if about["symmetry"]:
        if not isinstance(game, Symmetric):
            raise PolicyError(f"{path}.json says symmetry, which {about['game']} does not have")
        policy = Lifted(policy, Quotient(game))
    return Saved(game, about["seat"], policy, about["symmetry"])


def _read_about(path: Path) -> dict[str, Any]:
    """The JSON beside the numbers, checked against its own check sum."""
    try:
        about = json.loads(path.read_bytes())
        check = about.pop("check")
        if not all(type(about[key]) is kind for key, kind in _KEYS.items()):
            raise KeyError("a value of the wrong kind")
    except OSError as error:
        raise PolicyError(f"cannot read {path}: {error.strerror}; no policy was saved under that name") from error
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise PolicyError(f"{path} is truncated or not a policy's description; train again or restore it") from error
    if check != _check(about):
        raise PolicyError(f"{path} was edited (check sum differs); train again or restore it")
    if about["format"] > FORMAT:
        raise PolicyError(f"{path} has format {about['format']}, newer than {FORMAT}; update nashmail to read it")
    return dict(about)


def _check(about: dict[str, Any]) -> str:
    return hashlib.sha256(to_json(about)).hexdigest()


def _describe(policy: Policy) -> tuple[str, dict[str, Any], dict[str, np.ndarray]]:
    """Kind, settings and arrays of a policy that can be saved."""
    if isinstance(policy, NetworkPolicy):
        weights = {name: tensor.cpu().numpy() for name, tensor in policy.net.state_dict().items()}
        return "network", policy.net.architecture.as_dict(), weights
    if isinstance(policy, Tabular):
        return "tabular", {"complete": policy.complete}, {"keys": policy.keys, "table": policy.table}
    if isinstance(policy, SoftmaxLinear):
        return "linear", {}, {"theta": policy.theta}
    if isinstance(policy, Uniform):
        return "uniform", {}, {}
    if isinstance(policy, (Greedy, Tempered)):
        kind, settings, arrays = _describe(policy.policy)
        if isinstance(policy, Greedy):
            return "greedy", {"of": kind, "settings": settings}, arrays
        return "tempered", {"of": kind, "settings": settings, "temperature": policy.temperature}, arrays
    raise PolicyError(f"a {type(policy).__name__} policy has no file form; save what it is made of")


def _rebuild(kind: str, settings: dict[str, Any], arrays: dict[str, np.ndarray], game: Game, device: str) -> Policy:
    """The way back from ``_describe``."""
    if kind == "network":
        rng = np.random.default_rng(0)  # drawn over at once by the saved weights
        net = PolicyNet(game.spec.observation, game.spec.actions, Architecture.parse(settings), rng=rng)
        net.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in arrays.items()})
        return NetworkPolicy(net, device=device)
    if kind == "tabular":
        if arrays["table"].shape[1:] != (game.spec.actions,):
            raise RuntimeError(f"its rows have shape {arrays['table'].shape[1:]}, not ({game.spec.actions},)")
        return Tabular(arrays["keys"], arrays["table"], complete=settings["complete"])
    if kind == "linear":
        return SoftmaxLinear(arrays["theta"])
    if kind == "uniform":
        return Uniform()
    if kind == "greedy":
        return Greedy(_rebuild(settings["of"], settings["settings"], arrays, game, device))
    if kind == "tempered":
        inner = _rebuild(settings["of"], settings["settings"], arrays, game, device)
        return Tempered(inner, settings["temperature"])
    raise PolicyError(f"unknown kind of policy {kind!r}")
