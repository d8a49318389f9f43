"""The plan of an export: a policy as arrays and a few words, from which every form is written.

An exported policy is a function from observations (the mover's view, float32 [N, *shape]) and a legal mask (bool [N,
A]) to probabilities (float64 [N, A]). A policy that needs other input, such as features of states, has no plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from agents.linear import SoftmaxLinear
from agents.network import NetworkPolicy, Residual
from agents.ntuple import Grid, NtuplePolicy
from agents.policy import Greedy, Lifted, Policy, PolicyError, Tempered, Uniform
from agents.storage.policies import refuse_unless_finite
from agents.tabular import Tabular
from games.base import Game, Ints
from games.boards import Board
from games.features import has_features

Array = NDArray[Any]


@dataclass(frozen=True)
class Symmetry:
    """How a board is mapped to its canonical image; G symmetries, the identity first."""

    source: Ints  # [G, cells] the cell that moves to each cell of the image
    forward: Ints  # [G, A] the image of each action


@dataclass(frozen=True)
class Plan:
    """A policy for export, as arrays and a few words."""

    game: str
    seat: int
    observation: tuple[int, ...]
    actions: int
    kind: str
    """``layers`` (logits from a stack of layers; uniform if it is empty) ``table``, or ``ntuple``."""
    layers: tuple[str, ...] = ()
    """conv, relu, residual, flatten, linear; the weights are ``arrays`` named by the layer's index."""
    arrays: dict[str, Array] = field(default_factory=dict)
    then: tuple[tuple[str, float], ...] = ()
    """Transformations of the probabilities, innermost first: ("greedy", 0) or ("tempered", temperature)."""
    bits: Ints | None = None
    """[cells] the bit of each cell, row by row, in the two words of a position. For tables and symmetries."""
    symmetry: Symmetry | None = None


def plan(policy: Policy, game: Game, seat: int) -> Plan:
    """The plan of a policy.

    Args:
        policy: any policy.
        game: the game that it plays.
        seat: who plays it.

    Raises:
        PolicyError: the policy needs more than its observation and the legal mask, or its numbers are not finite.
    """
    lifted = isinstance(policy, Lifted)
    bare = policy.policy if isinstance(policy, Lifted) else policy
    then: list[tuple[str, float]] = []
    while isinstance(bare, (Greedy, Tempered)):
        then.insert(0, ("greedy", 0.0) if isinstance(bare, Greedy) else ("tempered", bare.temperature))
        bare = bare.policy
    kind, layers, arrays = _parts(bare, game)
    refuse_unless_finite(arrays)
    bits, symmetry = _geometry(game) if lifted or kind == "table" else (None, None)
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
    """Kind, layers and arrays of a policy, without the transformations of its probabilities."""
    if isinstance(policy, Uniform):
        return "layers", (), {}
    if isinstance(policy, Tabular):
        return "table", (), {"keys": policy.keys.astype(np.int64), "table": np.asarray(policy.table)}
    if isinstance(policy, SoftmaxLinear) and not has_features(game):
        blocks = policy.theta.reshape(game.spec.actions, -1)  # one per action: weights, then the bias
        arrays = {"1.weight": np.ascontiguousarray(blocks[:, :-1]), "1.bias": np.ascontiguousarray(blocks[:, -1])}
        return "layers", ("flatten", "linear"), arrays
    if isinstance(policy, NetworkPolicy):
        return _network(policy)
    if isinstance(policy, NtuplePolicy):
        return "ntuple", (), _ntuple(policy, game)
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


def _ntuple(policy: NtuplePolicy, game: Game) -> dict[str, Array]:
    """The patterns and weights of an n-tuple policy, its cells and actions under every symmetry, and the gravity."""
    grid = Grid.of(game, tied=policy.tied)
    policy.check_fits(grid, game.spec.name)
    gravity = np.array([grid.gravity], dtype=np.int64)
    return {**policy.arrays(), "places": grid.places(policy.cells), "actions": grid.maps, "gravity": gravity}


def _geometry(game: Game) -> tuple[Ints, Symmetry]:
    """The bit of each cell, from boards with a single stone, and the symmetries. PolicyError for other games."""
    if not isinstance(game, Board):  # what is exported reads the bits of its states, which no contract names
        raise PolicyError(f"only policies of boards can be exported with a table or symmetries, not {game.spec.name}")
    states = np.array([[0, 1 << bit] for bit in range(63)], dtype=np.uint64)
    stones = game.observe(states, 1)[:, 1].reshape(len(states), -1)  # the other seat's only stone
    grid = Grid.of(game)
    return 1 << stones.argmax(0), Symmetry(grid.sources, grid.maps)
