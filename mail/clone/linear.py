"""Softmax-linear cloning in a game's features: a convex problem, solved by L-BFGS.

With theta the weights, phi [D, A, d] the features and y [D, A] the labels of D positions, it minimizes

    sum over positions of weight * cross-entropy(y, softmax(phi theta))  +  ridge / 2 |theta|^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.linear import SoftmaxLinear
from agents.network import masked_softmax, one_thread, tensor
from games.base import Bools, Floats, Game, NashmailError
from games.features import features
from games.progress import report
from mail.clone.dataset import Fit, demonstrations
from mail.data.decisions import Decisions


@dataclass(frozen=True)
class LinearClone:
    """The settings of a softmax-linear clone."""

    ridge: float = 1e-8
    """Half of it times |theta|^2 is added to the mean cross-entropy. A deterministic expert would need infinite
    weights, so smaller is sharper. 0 is refused if the labels do not determine theta.
    """
    weigh: str = "position"
    """``position``: every distinct position has the same weight. ``count``: its number of labels. ``pair``: every
    distinct pair of position and action has the same weight, as in the reference code; that fits uniform play over the
    expert's observed actions, not the expert (only to reproduce its numbers).
    """
    steps: int = 500
    """Most iterations of the solver (L-BFGS)."""
    tolerance: float = 1e-8
    """Stop when no component of the gradient is larger."""


@one_thread
def clone_linear(game: Game, decisions: Decisions, seat: int, config: LinearClone) -> Fit:
    """Fit theta by L-BFGS to the weighted cross-entropy, with the exact gradient  E_pi phi - E_label phi.

    Args:
        game: The game, whose features are used.
        decisions: Decisions of either seat; those of ``seat`` with a label are used.
        seat: The seat that is cloned.
        config: Ridge, weights and tolerances.

    Returns:
        The policy, and how closely it fits.

    Raises:
        NashmailError: There are no labels, or the ridge is negative or too small to determine theta.
    """
    samples = demonstrations(decisions, seat)
    phi = features(game, samples.state, seat)  # [D, A, d]
    check_ridge(phi, samples.legal, config)
    label, weight = samples.distribution, np.ones(len(phi))
    if config.weigh == "count":
        weight = samples.count.astype(np.float64)
    elif config.weigh == "pair":
        weight = (label > 0).sum(1).astype(np.float64)
        label = (label > 0) / weight[:, None]
    theta, steps = fit_linear(phi, samples.legal, label, weight, config)
    policy = SoftmaxLinear(theta)
    return Fit.of(policy, steps, policy.probabilities(game, samples.state, seat), samples.distribution)


def fit_linear(
    phi: Floats, legal: Bools, label: Floats, weight: Floats, config: LinearClone, start: Floats | None = None
) -> tuple[Floats, int]:
    """The weights that minimize the weighted cross-entropy with its ridge.

    Args:
        phi: [D, A, d] the features.
        legal: [D, A].
        label: [D, A] distributions.
        weight: [D] of the positions, 0 or more; only their ratios count.
        config: Ridge and tolerances.
        start: [d] where the solver begins; 0 by default.

    Returns:
        theta [d], and the number of the solver's iterations.
    """
    from scipy.optimize import minimize

    flat, scale = tensor(phi.reshape(-1, phi.shape[2])), (weight / weight.sum())[:, None]

    evaluated = 0

    def loss(theta: Floats) -> tuple[float, Floats]:
        nonlocal evaluated
        evaluated += 1
        report(evaluated, 2 * config.steps, "evaluations", step="fit")
        return cross_entropy(theta, flat, legal, label, scale, config.ridge)

    options = {"maxiter": config.steps, "maxfun": 2 * config.steps, "gtol": config.tolerance, "ftol": 0.0}
    run: Any = minimize  # its type stubs lack the names of options
    begin = np.zeros(phi.shape[2]) if start is None else start
    solution = run(loss, begin, jac=True, method="L-BFGS-B", options=options)
    return np.asarray(solution.x), int(solution.nit)


def cross_entropy(
    theta: Floats, phi: Tensor, legal: Bools, label: Floats, weight: Floats, ridge: float
) -> tuple[float, Floats]:
    """Weighted cross-entropy with ridge, and its gradient.

    Args:
        theta: [d] the weights.
        phi: float64 [D * A, d] the features.
        legal: [D, A].
        label: [D, A] distributions.
        weight: [D, 1] of the positions.
        ridge: Of |theta|^2 / 2.

    Returns:
        The value, and the gradient [d].
    """
    logits = torch.mv(phi, tensor(theta)).numpy().reshape(legal.shape)
    rows = masked_softmax(logits, legal)
    top = np.where(legal, logits, -np.inf).max(1, keepdims=True)
    log_sum = top + np.log(np.where(legal, np.exp(np.where(legal, logits - top, 0.0)), 0.0).sum(1, keepdims=True))
    value = float((weight * label * np.where(legal, log_sum - logits, 0.0)).sum() + 0.5 * ridge * theta @ theta)
    return value, torch.mv(phi.T, tensor((weight * (rows - label)).ravel())).numpy() + ridge * theta


def check_ridge(phi: Floats, legal: Bools, config: LinearClone) -> None:
    """Refuse settings without a unique fit.

    Args:
        phi: [D, A, d] the features.
        legal: [D, A].
        config: The settings.

    Raises:
        NashmailError: For such settings, or values out of range.
    """
    if not 0.0 <= config.ridge < np.inf or config.weigh not in ("position", "count", "pair"):
        raise NashmailError("a linear clone needs a ridge of 0 or more, and weigh='position', 'count' or 'pair'")
    if config.ridge == 0.0:
        mean = np.where(legal[:, :, None], phi, 0.0).sum(1, keepdims=True) / legal.sum(1)[:, None, None]
        centred = np.where(legal[:, :, None], phi - mean, 0.0).reshape(-1, phi.shape[2])
        if np.linalg.matrix_rank(centred) < phi.shape[2]:
            raise NashmailError("with ridge 0 the regression is singular on these labels; give a ridge above 0")
