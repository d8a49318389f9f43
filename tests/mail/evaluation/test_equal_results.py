"""What is promised of equal results: in the same batches the same bits, in others the same decisions, values to 1e-9.

`make test-kernels` runs these tests, and others marked ``equal_results``, with other kernels, and with networks whose
last bits depend on a row's place (``tests/shaken``).
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from agents.mirror import Ties
from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import Greedy, Seats, greedy_rows, tabulate
from games import make
from games.base import Floats, Game
from games.graph import GameGraph
from mail.data.rollout import play
from mail.evaluation.certificate.walk import certify
from mail.evaluation.gap import table_gap
from mail.evaluation.refutation import refute
from tests.support import game, graph

pytestmark = pytest.mark.equal_results
SIZES = Architecture(channels=8, convolutions=1, hidden=16)


class Shaken(NetworkPolicy):
    """A network whose logits are off by a few units of the last place, by where a row lies in its batch."""

    def logits(self, observations: np.ndarray) -> Floats:
        found = super().logits(observations)
        units = np.arange(found.size).reshape(found.shape) * 5 % 13 - 6
        return found + units * np.finfo(np.float64).eps * np.maximum(np.abs(found), 1.0)


def networks(played: Game, kind: type[NetworkPolicy] = NetworkPolicy, *, tied: bool = False) -> Seats:
    """A fresh network for each seat; ``tied`` ones treat mirror images alike."""
    found = []
    for seat in (0, 1):
        net = PolicyNet(played.spec.observation, played.spec.actions, SIZES, rng=np.random.default_rng(seat))
        if tied:
            Ties(net).draw()
        found.append(kind(net))
    return found[0], found[1]


def tables(model: GameGraph, seats: Seats, at_once: int = 1 << 16) -> tuple[Floats, Floats]:
    return tabulate(model, seats[0], 0, at_once=at_once), tabulate(model, seats[1], 1, at_once=at_once)


@pytest.mark.parametrize("backend", ["openspiel:tic_tac_toe", "pettingzoo:tictactoe"])
def test_backends_ask_the_same_batches(backend: str) -> None:
    """So decisions and labels are equal, bit for bit."""
    ours, theirs = game("tictactoe"), make(backend)
    seats = networks(ours)
    found, expected = (play(on, seats, 50, labels=seats, rng=np.random.default_rng(5)) for on in (theirs, ours))
    for name in ("seat", "episode", "key", "observation", "legal", "played", "label", "reward", "next", "ended"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tictactoe", "connect4:4x4"])
def test_other_batches_and_last_bits_change_no_measure(name: str) -> None:
    model = graph(name)
    expected = tables(model, networks(model.game))
    for seats, at_once in ((networks(model.game), 1000), (networks(model.game, Shaken), 1 << 16)):
        found = tables(model, seats, at_once)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
            assert np.array_equal(greedy_rows(one), greedy_rows(other))
        gaps = table_gap(model, found), table_gap(model, expected)
        assert gaps[0].nash_gap == pytest.approx(gaps[1].nash_gap, abs=1e-9)
        assert gaps[0].exploitability == pytest.approx(gaps[1].exploitability, abs=1e-9)


@pytest.mark.parametrize("seat", [0, 1])
def test_verdicts_hang_on_no_last_bits(seat: int) -> None:
    model = graph("connect4:4x4")
    plain, shaken = networks(model.game)[seat], networks(model.game, Shaken)[seat]
    assert refute(model, shaken, seat).line == refute(model, plain, seat).line
    found = [certify(model.game, policy, seat, game_value=0.0) for policy in (plain, shaken)]
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", [NetworkPolicy, Shaken])
def test_moves_that_are_alike_by_symmetry_are_decided_alike(kind: type[NetworkPolicy]) -> None:
    """The two middle columns of an empty board of four are worth the same to a tied network, but for rounding."""
    board = game("connect4:4x4")
    policy = networks(board, kind, tied=True)[0]
    empty = board.start(1, rng=np.random.default_rng(0))
    row = policy.probabilities(board, empty, 0)[0]
    np.testing.assert_allclose(row, row[::-1], rtol=0, atol=1e-12)
    asked = Greedy(policy).probabilities(board, np.repeat(empty, 300, axis=0), 0)
    assert set(asked.argmax(1)) == {int(row[:2].argmax())}, "the lowest of the two, wherever it lies"


@pytest.mark.skipif("shaken" not in os.environ.get("PYTHONPATH", ""), reason="only where all networks are shaken")
def test_networks_are_shaken() -> None:
    board = game("tictactoe")
    states = np.repeat(board.start(1, rng=np.random.default_rng(0)), 50, axis=0)
    assert len(np.unique(networks(board)[0].probabilities(board, states, 0), axis=0)) > 1
