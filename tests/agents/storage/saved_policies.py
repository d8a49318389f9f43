"""Policies of every kind as files, and what tests do to such files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from agents import expert
from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import Greedy, Lifted, Policy, PolicyError, Tempered, Uniform
from agents.storage.policies import load_policy, save_policy, to_json
from agents.tabular import Tabular, from_model
from tests.support import game, graph, random_profile

SIZES = Architecture(channels=4, convolutions=1, hidden=8)


def network(name: str = "tictactoe", seed: int = 3) -> NetworkPolicy:
    spec = game(name).spec
    return NetworkPolicy(PolicyNet(spec.observation, spec.actions, SIZES, rng=np.random.default_rng(seed)))


def table(name: str = "tictactoe", seat: int = 1) -> Tabular:
    model = graph(name)
    return from_model(model, seat, random_profile(model, 4, sparse=True)[seat])


def partial() -> Tabular:
    model = graph("tictactoe")
    rows = np.flatnonzero(model.seat == 1)[::3]
    return Tabular(model.game.key(model.states[rows]), random_profile(model, 6)[1][rows])


def lifted(policy: Policy) -> Lifted:
    return Lifted(policy, game("quotient:tictactoe"))


KINDS: dict[str, Callable[[], Policy]] = {
    "network": network,
    "tabular": table,
    "partial table": partial,
    "expert": lambda: expert.make("first", graph("tictactoe"))[1],
    "uniform": Uniform,
    "greedy": lambda: Greedy(network()),
    "tempered": lambda: Tempered(table(), 0.3),
    "greedy of tempered": lambda: Greedy(Tempered(partial(), 1 / 3)),
    "lifted network": lambda: lifted(network()),
    "lifted table": lambda: lifted(table("quotient:tictactoe")),
    "lifted greedy": lambda: lifted(Greedy(network())),
}


def saved(folder: Path, policy: Policy, *, seat: int = 1, name: str = "tictactoe") -> Path:
    path = folder / "policy-1"
    save_policy(path, policy, game=game(name), seat=seat)
    return path


def rewrite(path: Path, about: dict[str, Any]) -> None:
    """Replace the description with one whose check sum is right."""
    about.pop("check", None)
    check = hashlib.sha256(to_json(about)).hexdigest()
    path.with_name(path.name + ".json").write_bytes(to_json({**about, "check": check}))


def described(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.with_name(path.name + ".json").read_bytes()))


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


def edited(data: bytes) -> bytes:
    assert b'"seat": 1' in data
    return data.replace(b'"seat": 1', b'"seat": 0')


def refused(path: Path, *says: str) -> None:
    """Loading gives one line that says all of this."""
    with pytest.raises(PolicyError) as error:
        load_policy(path)
    message = str(error.value)
    assert "\n" not in message
    for word in says:
        assert word in message


def renumber(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Other numbers, with every check sum right."""
    data = save(arrays)
    path.with_name(path.name + ".safetensors").write_bytes(data)
    rewrite(path, {**described(path), "sha256": hashlib.sha256(data).hexdigest()})


def numbers(path: Path) -> dict[str, np.ndarray]:
    return dict(load(path.with_name(path.name + ".safetensors").read_bytes()))
