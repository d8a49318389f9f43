"""Small decision processes for tests: random ones, a tree of three steps, and those of real games."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.sparse import csr_array

import games
from games import Model
from games.base import Floats
from games.models import model_of
from mail.learners.inverse.process import Demonstrated, Process, of_policy, process_of


@cache
def model(name: str) -> Model:
    """The exact model of a game, built once."""
    found = model_of(games.make(name))
    assert found is not None
    return found


@cache
def facing(name: str, ties: str, seat: int) -> Process:
    """A seat's process against the expert of the other seat."""
    return process_of(model(name), seat, model(name).equilibrium(ties)[1 - seat])


@cache
def expert_rows(name: str, ties: str, seat: int) -> Floats:
    """[n, A] the expert's probabilities at every position of its process."""
    exact, process = model(name), facing(name, ties, seat)
    own = np.flatnonzero(exact.legal(seat).any(1))
    rows = {tuple(key): row for key, row in zip(exact.game.key(exact.states[own], seat).tolist(), own, strict=True)}
    return np.stack([exact.equilibrium(ties)[seat][rows[tuple(key)]] for key in process.keys.tolist()])


def on_path(name: str, ties: str, seat: int) -> Demonstrated:
    """What demonstrations without end show: the expert where it comes itself, and nothing elsewhere."""
    process, rows = facing(name, ties, seat), expert_rows(name, ties, seat)
    seen = process.visits(rows).sum(1) > 0
    return of_policy(process, np.where(seen[:, None], rows, 0.0))


def from_kernel(kernel: Floats, start: Floats, legal: np.ndarray | None = None, *, endless: bool) -> Process:
    """A process with expected next positions [n, A, n]."""
    n, actions = kernel.shape[:2]
    legal = np.ones((n, actions), dtype=np.bool_) if legal is None else legal
    table = np.where(legal[:, :, None], kernel, 0.0)
    keys = np.stack([np.arange(n), np.zeros(n)], axis=1).astype(np.uint64)
    return Process(keys, legal, csr_array(table.reshape(n * actions, n)), start, endless)


def random_process(seed: int, *, n: int = 5, actions: int = 3, discount: float = 0.8) -> Process:
    """An endless discounted process in which some actions are illegal."""
    rng = np.random.default_rng(seed)
    kernel = discount * rng.dirichlet(np.full(n, 0.5), size=(n, actions))
    legal = rng.random((n, actions)) < 0.8
    legal[:, 0] |= ~legal.any(1)
    return from_kernel(kernel, rng.dirichlet(np.ones(n)), legal, endless=True)


def tree(branching: int = 2, steps: int = 3, *, chance: float = 0.0) -> Process:
    """A tree of own decisions; with ``chance``, a move leads to its neighbor's position that often."""
    sizes = [branching**step for step in range(steps)]
    first = np.concatenate([[0], np.cumsum(sizes)])
    n = int(first[-1])
    kernel = np.zeros((n, branching, n))
    for step in range(steps - 1):
        for place in range(sizes[step]):
            for action in range(branching):
                child = first[step + 1] + place * branching
                kernel[first[step] + place, action, child + action] += 1.0 - chance
                kernel[first[step] + place, action, child + (action + 1) % branching] += chance
    return from_kernel(kernel, np.eye(n)[0], endless=False)


def random_reward(process: Process, seed: int, scale: float = 1.0) -> Floats:
    """[n, A] normal rewards of legal actions."""
    rewards = np.random.default_rng(seed).normal(size=process.legal.shape, scale=scale)
    return np.where(process.legal, rewards, 0.0)


def random_policy(process: Process, seed: int) -> Floats:
    """[n, A] positive probabilities of legal actions."""
    weights = np.where(process.legal, np.random.default_rng(seed).random(process.legal.shape) + 0.05, 0.0)
    return np.asarray(weights / weights.sum(1, keepdims=True))
