"""The regression in n-tuple features: beside its closed form, its uncertainty, and the policy that it is."""

from __future__ import annotations

import numpy as np
import pytest

from agents.ntuple import Codes
from agents.policy import greedy_rows
from games.base import Floats
from mail.clone.posterior import Posterior, Tracked
from mail.parallel.streams import stream
from tests.mail.explore.cases import first_experts
from tests.support import graph

SEAT, RIDGE = 0, 0.01


def fitted(name: str, labels: int) -> tuple[Posterior, np.ndarray, Floats]:
    """A regression of the first labels of a shuffled list, all positions of the seat, and the expert's answers."""
    model = graph(name)
    rows = stream(0, "test/rows").permutation(np.flatnonzero(model.seat == SEAT))
    states = model.states[rows]
    answers = first_experts(model)[SEAT].probabilities(model.game, states, SEAT)
    posterior = Posterior(model.game, SEAT, tuples=30, lines=1, ridge=RIDGE, rng=stream(0, "test/tuples"))
    for part in np.array_split(np.arange(labels), 3):
        posterior.add(states[part], answers[part].astype(np.float32))
    return posterior, states, answers


def indicators(codes: Codes) -> Floats:
    """[N, K] the features phi, a column for every pattern of every tuple."""
    columns = [(codes[:, m, None] == np.unique(codes[:, m])[None, :]) for m in range(codes.shape[1])]
    return np.concatenate(columns, axis=1) / np.sqrt(codes.shape[1])


@pytest.mark.slow
def test_values_and_deviations_are_those_of_the_explicit_features() -> None:
    posterior, states, answers = fitted("tictactoe:2x3", 12)
    phi = indicators(posterior._show(posterior._digits(states)))
    legal = posterior.game.legal(states, SEAT)
    targets = answers - legal / legal.sum(1, keepdims=True)
    gram = RIDGE * np.eye(phi.shape[1]) + phi[:12].T @ phi[:12]
    values = phi @ np.linalg.solve(gram, phi[:12].T @ targets[:12])
    deviation = np.sqrt(RIDGE * (phi * np.linalg.solve(gram, phi.T).T).sum(1))
    found = posterior.answers(states)
    assert np.allclose(found.values[legal], values[legal], atol=1e-9)
    assert np.allclose(found.deviation, deviation, atol=1e-7)
    assert found.deviation[:12].max() < found.deviation[12:].max()


@pytest.mark.parametrize("name", ["tictactoe:2x3", "quotient:connect4:3x3:3"])
def test_the_policy_prefers_what_the_regression_does(name: str) -> None:
    posterior, states, answers = fitted(name, 12)
    rows = greedy_rows(posterior.policy().probabilities(posterior.game, states, SEAT))
    values = posterior.answers(states).values
    best = values >= values.max(1, keepdims=True) - 1e-5
    assert (best & (rows > 0)).any(1).all()
    assert (answers[:12] * rows[:12]).sum(1).min() > 0, "labels are fitted"


def test_without_a_label_everything_is_in_doubt_but_forced_moves() -> None:
    posterior, states, _ = fitted("tictactoe:2x3", 0)
    several = posterior.game.legal(states, SEAT).sum(1) > 1
    doubt = posterior.answers(states).doubt
    assert (doubt[several] > 1e6).all() and (doubt[~several] == 0.0).all()


@pytest.mark.parametrize("name", ["tictactoe:2x3", "quotient:connect4:3x3:3"])
def test_tracked_answers_are_those_of_the_regression_whenever_labels_and_positions_came(name: str) -> None:
    posterior, states, answers = fitted(name, 0)
    tracked = Tracked(posterior)
    for first in range(0, 20, 4):
        tracked.add(states[5 * first : 5 * (first + 4)])
        posterior.add(states[first : first + 4], answers[first : first + 4].astype(np.float32))
    tracked.update()
    found, expected = tracked.answers(np.arange(len(tracked))), posterior.answers(states[: len(tracked)])
    assert np.allclose(found.values, expected.values, rtol=0.0, atol=1e-9)
    assert np.allclose(found.deviation, expected.deviation, rtol=0.0, atol=1e-6)
