"""Upper bounds on the Nash gap of a learned pair, from its errors along play (arXiv:2602.22810).

Source: docs/algorithms.md, "Concentrability and bounds".
"""

from __future__ import annotations

import numpy as np

from games.base import Floats
from games.markov.concentrability import Profile, all_policies
from games.markov.model import MarkovModel


def offline_bound(model: MarkovModel, learned: Profile, experts: Profile) -> float:
    """A bound from errors where the experts play, times the all-policy coefficient.

    (r_max - r_min) * span^2 * C_B * (E TV(mu, mu_E) + E TV(nu, nu_E)) over d^E, span = 1 / (1 - g) or the horizon.

    Args:
        model: The exact model.
        learned: [S, A] tables of the learned pair.
        experts: [S, A] tables of the experts.

    Returns:
        An upper bound on the NashConv of ``learned``; infinite where the coefficient is.

    Raises:
        GameError: The game is too large.
    """
    coefficient = all_policies(model, experts)
    if not np.isfinite(coefficient):
        return coefficient  # errors elsewhere are unbounded, even without errors where the experts play
    visits = model.reach(experts)
    wrong = sum(float(visits @ _errors(seat, learned, experts)) for seat in (0, 1))
    return _reward_range(model) * model.span * wrong * coefficient


def interactive_bound(model: MarkovModel, learned: Profile, experts: Profile) -> float:
    """A bound from errors where the learned policies' best opponents play; needs no coefficient.

    (r_max - r_min) * span^2 * (E TV(mu, mu_E) under (mu, br(mu)) + E TV(nu, nu_E) under (br(nu), nu)).

    Args:
        model: The exact model.
        learned: [S, A] tables of the learned pair.
        experts: [S, A] tables of the experts.

    Returns:
        An upper bound on the NashConv of ``learned``.
    """
    total = 0.0
    for seat in (0, 1):
        answer = model.respond(1 - seat, learned[seat]).policy
        pair = (learned[0], answer) if seat == 0 else (answer, learned[1])
        total += float(model.reach(pair) @ _errors(seat, learned, experts))
    return _reward_range(model) * model.span * total


def _errors(seat: int, learned: Profile, experts: Profile) -> Floats:
    """[S] total variation distance between the seat's learned and expert distributions."""
    return np.asarray(np.abs(learned[seat] - experts[seat]).sum(1) / 2.0)


def _reward_range(model: MarkovModel) -> float:
    """r_max - r_min over the legal joint actions."""
    first, second = model.game.joint_legal()
    played = model.game.rewards[first[:, :, None] & second[:, None, :]]
    return float(played.max() - played.min())
