"""Cloning by name: from the labels of one seat to a policy (ALGORITHMS.md §2).

- ``network``: a network trained by gradient steps (``mail.clone``).
- ``linear``: softmax-linear in the game's features, by a convex solver. Every distinct position is one row with its
  mean label, and weighs the same (``weigh="position"``, what the network does) or as often as it was asked
  (``"count"``, the maximum-likelihood fit). ``"pair"``, one row for each distinct pair of position and action, is a
  fault of the reference code, kept to reproduce it: it drives a mixed expert's clone towards uniform play.
- ``tabular``: the mean label of every position that was asked, the maximum likelihood of a table; uniform play, or
  one stated action, elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.linear import SoftmaxLinear, features
from agents.network import masked_softmax, one_thread, tensor
from agents.tabular import Tabular
from games.base import Bools, Floats, Game, NashmailError, Rng, States
from games.markov import MarkovGame
from games.markov_model import MarkovModel
from mail.clone import CloneConfig, Fit, clone, summed
from mail.decisions import Decisions


@dataclass(frozen=True)
class LinearClone:
    """How a softmax-linear clone is fitted."""

    ridge: float = 1e-8
    """Half of it times |theta|^2 is added to the mean cross-entropy. A deterministic expert is reached only with
    infinite weights, so the smaller the sharper; 0 is refused where the labels leave directions undetermined."""
    weigh: str = "position"
    """``position``: every distinct position alike; ``count``: as often as it was asked; ``pair``: every distinct pair
    of position and action alike, as in the reference code, so not the expert but uniform play over what it was seen
    to do (to reproduce its numbers only)."""
    steps: int = 500
    """Most iterations of the solver (L-BFGS)."""
    tolerance: float = 1e-8
    """It stops when no component of the gradient is larger."""


@dataclass(frozen=True)
class TabularClone:
    """How a table is cloned."""

    unseen: int | None = None
    """Action of Markov games that is played wherever nobody was asked; None: the game's own ``unlabelled``, if it
    states one, else uniform play. With an action the game's positions are listed, to make the table whole."""


@dataclass(frozen=True)
class ClonerConfig:
    """What every cloner is set to; each reads its own part."""

    network: CloneConfig = field(default_factory=CloneConfig)
    linear: LinearClone = field(default_factory=LinearClone)
    tabular: TabularClone = field(default_factory=TabularClone)


@dataclass(frozen=True)
class Asked:
    """The distinct labelled positions of a seat, D of them, in order of key."""

    state: States  # [D, W]
    key: np.ndarray  # uint64 [D, 2]
    legal: Bools  # [D, A]
    label: Floats  # [D, A] mean label
    count: np.ndarray  # int64 [D] times asked


def asked(decisions: Decisions, seat: int) -> Asked:
    """What a seat was asked. NashmailError if nothing."""
    rows, total, count = summed(decisions, seat)
    return Asked(rows.state, rows.key, rows.legal, total / total.sum(1, keepdims=True), count)


def drawn(decisions: Decisions) -> Decisions:
    """The same decisions where an ask is answered by *one drawn action*, not by a whole distribution.

    The draw is the action that was played: where the asked expert itself sits in the asked seat, as in ``mail`` and
    ``bc``, that is a draw of its own, from the stream of its game.
    """
    label = np.full(decisions.label.shape, np.nan, dtype=np.float32)
    rows = np.flatnonzero(decisions.asked)
    label[rows] = 0.0
    label[rows, decisions.played[rows]] = 1.0
    return replace(decisions, label=label)


@one_thread
def clone_linear(game: Game, decisions: Decisions, seat: int, config: LinearClone) -> Fit:
    """Fit theta by L-BFGS to the weighted cross-entropy with the exact gradient  E_pi phi - E_label phi.

    NashmailError without labels, and for a ridge that is negative or too small to settle theta.
    """
    from scipy.optimize import minimize

    shown = asked(decisions, seat)
    phi = features(game, shown.state, seat)  # [D, A, d]
    check_ridge(phi, shown.legal, config)
    label, weight = shown.label, np.ones(len(phi))
    if config.weigh == "count":
        weight = shown.count.astype(np.float64)
    elif config.weigh == "pair":
        weight = (label > 0).sum(1).astype(np.float64)
        label = (label > 0) / weight[:, None]
    weight /= weight.sum()
    flat, scale = tensor(phi.reshape(-1, phi.shape[2])), weight[:, None]

    def loss(theta: Floats) -> tuple[float, Floats]:
        return cross_entropy(theta, flat, shown.legal, label, scale, config.ridge)

    options = {"maxiter": config.steps, "maxfun": 2 * config.steps, "gtol": config.tolerance, "ftol": 0.0}
    run: Any = minimize  # its type stubs know no option names
    found = run(loss, np.zeros(phi.shape[2]), jac=True, method="L-BFGS-B", options=options)
    policy = SoftmaxLinear(found.x)
    rows = policy.probabilities(game, shown.state, seat)
    outside = float(np.where(shown.label > 0, 0.0, rows).sum(1).max())
    return Fit(policy, int(found.nit), outside, float(0.5 * np.abs(rows - shown.label).sum(1).mean()))


def cross_entropy(
    theta: Floats, phi: Tensor, legal: Bools, label: Floats, weight: Floats, ridge: float
) -> tuple[float, Floats]:
    """Weighted cross-entropy with ridge, and its gradient [d]: features [D * A, d], labels [D, A], weights [D, 1]."""
    logits = torch.mv(phi, tensor(theta)).numpy().reshape(legal.shape)
    rows = masked_softmax(logits, legal)
    top = np.where(legal, logits, -np.inf).max(1, keepdims=True)
    log_sum = top + np.log(np.where(legal, np.exp(np.where(legal, logits - top, 0.0)), 0.0).sum(1, keepdims=True))
    value = float((weight * label * np.where(legal, log_sum - logits, 0.0)).sum() + 0.5 * ridge * theta @ theta)
    return value, torch.mv(phi.T, tensor((weight * (rows - label)).ravel())).numpy() + ridge * theta


def check_ridge(phi: Floats, legal: Bools, config: LinearClone) -> None:
    """NashmailError for a config that has no unique fit to features [D, A, d]."""
    if not 0.0 <= config.ridge < np.inf or config.weigh not in ("position", "count", "pair"):
        raise NashmailError("a linear clone needs a ridge of 0 or more, and weigh='position', 'count' or 'pair'")
    if config.ridge == 0.0:
        mean = np.where(legal[:, :, None], phi, 0.0).sum(1, keepdims=True) / legal.sum(1)[:, None, None]
        centred = np.where(legal[:, :, None], phi - mean, 0.0).reshape(-1, phi.shape[2])
        if np.linalg.matrix_rank(centred) < phi.shape[2]:
            raise NashmailError("with ridge 0 the regression is singular on these labels; give a ridge above 0")


def clone_tabular(game: Game, decisions: Decisions, seat: int, config: TabularClone) -> Fit:
    """The mean labels as a table. NashmailError without labels, and where ``unseen`` is no action of a listed game."""
    shown = asked(decisions, seat)
    policy = Tabular(shown.key, shown.label)
    unseen = game.unlabelled if config.unseen is None and isinstance(game, MarkovGame) else config.unseen
    if unseen is not None:
        policy = whole(game, policy, seat, unseen)
    return Fit(policy, 0, 0.0, 0.0)


def whole(game: Game, policy: Tabular, seat: int, unseen: int) -> Tabular:
    """The table with one action at every other position of the seat at which it is legal; uniform where it is not."""
    if not isinstance(game, MarkovGame):
        raise NashmailError(f"unseen positions of {game.spec.name} are not listed; leave unseen at None")
    model = MarkovModel(game)
    legal = model.legal(seat)
    if not 0 <= unseen < legal.shape[1]:
        raise NashmailError(f"unseen is one of the actions 0 to {legal.shape[1] - 1} of {game.spec.name}, not {unseen}")
    acts = np.flatnonzero(legal.any(1))
    keys, first = np.unique(game.key(model.states[acts]), axis=0, return_index=True)
    rows = policy.probabilities(game, model.states[acts[first]], seat)
    known, _ = policy.find(keys)
    other = np.flatnonzero(~known & legal[acts[first], unseen])
    rows[other] = 0.0
    rows[other, unseen] = 1.0
    return Tabular(keys, rows)


Cloner = Callable[[Game, Decisions, int, ClonerConfig, Rng, str], Fit]
"""From a game, decisions, a seat, the configuration, a generator and a torch device to a fitted policy; picklable."""
Check = Callable[[Game], None]
_CLONERS: dict[str, Cloner] = {}
_CHECKS: dict[str, Check] = {}


def register(name: str, cloner: Cloner, *, check: Check | None = None) -> None:
    """Make ``fit(name, ...)`` call ``cloner``; ``check`` raises NashmailError for a game that it cannot take."""
    if name in _CLONERS:
        raise NashmailError(f"there is a cloner called {name} already")
    _CLONERS[name] = cloner
    if check is not None:
        _CHECKS[name] = check


def check(name: str, game: Game | None = None) -> None:
    """NashmailError unless there is a cloner of this name and, where a game is given, it takes that."""
    if name not in _CLONERS:
        raise NashmailError(f"no cloner is called {name!r}; the cloners are: {', '.join(names())}")
    if game is not None and name in _CHECKS:
        _CHECKS[name](game)


def names() -> list[str]:
    """The registered cloners."""
    return sorted(_CLONERS)


def find(name: str) -> Cloner:
    """The cloner of this name; NashmailError names those there are."""
    check(name)
    return _CLONERS[name]


def fit(
    name: str, game: Game, decisions: Decisions, seat: int, *, config: ClonerConfig, rng: Rng, device: str = "cpu"
) -> Fit:
    """Clone one seat's labels. NashmailError for a cloner there is not, and without labels."""
    return find(name)(game, decisions, seat, config, rng, device)


def _network(game: Game, decisions: Decisions, seat: int, config: ClonerConfig, rng: Rng, device: str) -> Fit:
    return clone(game, decisions, seat, config=config.network, rng=rng, device=device)


def _linear(game: Game, decisions: Decisions, seat: int, config: ClonerConfig, rng: Rng, device: str) -> Fit:
    return clone_linear(game, decisions, seat, config.linear)


def _tabular(game: Game, decisions: Decisions, seat: int, config: ClonerConfig, rng: Rng, device: str) -> Fit:
    return clone_tabular(game, decisions, seat, config.tabular)


def _featured(game: Game) -> None:
    """GameError for a Markov game without features."""
    start = game.start(1, rng=np.random.default_rng(0))
    for seat in (0, 1):
        features(game, start, seat)


register("network", _network)
register("linear", _linear, check=_featured)
register("tabular", _tabular)
