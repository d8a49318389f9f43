"""What of a policy is exported: arrays and a few words, the one description that all forms are written from.

What leaves is a function from observations (the mover's view, float32 [N, *shape]) and a legal mask (bool [N, A]) to
probabilities (float64 [N, A]). A policy that reads more than these, such as features of states, has no plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from agents.linear import Featured, SoftmaxLinear
from agents.network import NetworkPolicy, Residual
from agents.policy import Greedy, Lifted, Policy, PolicyError, Tempered, Uniform
from agents.storage.policies import refuse_unless_finite
from agents.tabular import Tabular
from games.base import Game, Ints
from games.boards import Board

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
