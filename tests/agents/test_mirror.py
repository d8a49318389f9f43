"""Networks tied to their mirror image: what they answer, and what training leaves of the ties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.mirror import Ties
from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import PolicyError, Uniform
from games import Board, make
from games.base import Floats, Ints
from mail.clone.network import CloneConfig, clone
from mail.data.rollout import play
from mail.parallel.streams import stream
from tests import support
from tests.mail.clone.test_network import labelled

SIZES = Architecture(channels=6, convolutions=2, hidden=10, blocks=2)
BOARDS = ["connect4", "connect4:4x5", "tictactoe"]


def board(name: str) -> Board:
    game = make(name)
    assert isinstance(game, Board)
    return game


def drawn(game: Board, architecture: Architecture = SIZES) -> PolicyNet:
    return PolicyNet(game.spec.observation, game.spec.actions, architecture, rng=np.random.default_rng(5))


def difference(game: Board, net: PolicyNet) -> tuple[float, Floats]:
    """How far the logits of mirrored positions are from mirrored logits at most; the logits themselves."""
    states = play(game, (Uniform(), Uniform()), 20, rng=stream(0, "test")).state
    which, forward = mirror(game)
    policy = NetworkPolicy(net)
    logits, images = (policy.logits(game.observe(each, 0)) for each in (states, game.images(states)[which]))
    return float(np.abs(logits - images[:, forward]).max()), logits


def mirror(game: Board) -> tuple[int, Ints]:
    """The symmetry that turns the columns around: its place among the game's, and where it takes each action."""
    states = play(game, (Uniform(), Uniform()), 5, rng=stream(1, "test")).state
    turned = game.observe(states, 0)[..., ::-1]
    (which,) = [g for g, image in enumerate(game.images(states)) if (game.observe(image, 0) == turned).all()]
    return which, np.array(game.spec.symmetries[which])


@pytest.mark.parametrize("name", BOARDS)
def test_mirror_images_get_mirrored_logits(name: str) -> None:
    game = board(name)
    net = drawn(game)
    assert difference(game, net)[0] > 1e-3, "not by themselves"
    Ties(net).draw()
    far, logits = difference(game, net)
    assert far < 1e-9 and np.ptp(logits, axis=0).min() > 1e-3, "and still every position has logits of its own"


def test_tied_weights_are_as_far_apart_as_drawn() -> None:
    net = drawn(board("connect4"), Architecture(64, 1, 128, 3))
    before = [float(parameter.detach().std()) for parameter in net.parameters() if parameter.ndim > 1]
    Ties(net).draw()
    after = [float(parameter.detach().std()) for parameter in net.parameters() if parameter.ndim > 1]
    np.testing.assert_allclose(after, before, rtol=0.06)


def test_the_gradient_is_that_of_a_batch_and_its_mirror_images() -> None:
    game = board("connect4")
    net = drawn(game)
    ties = Ties(net)
    ties.draw()
    states = play(game, (Uniform(), Uniform()), 3, rng=stream(2, "test")).state
    seen = torch.from_numpy(game.observe(states, 0).astype(np.float32))
    wanted = torch.randn((len(seen), 7), generator=torch.Generator().manual_seed(0))
    ((net(seen) - wanted) ** 2).mean().backward()
    ties.gradients()
    found = [parameter.grad.clone() for parameter in net.parameters() if parameter.grad is not None]
    net.zero_grad()
    both, answers = torch.cat([seen, seen.flip(3)]), torch.cat([wanted, wanted.flip(1)])
    ((net(both) - answers) ** 2).mean().backward()
    for one, parameter in zip(found, net.parameters(), strict=True):
        torch.testing.assert_close(one, parameter.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_mirrored_clone_knows_the_mirror_images_of_what_it_was_shown(precision: str) -> None:
    graph = support.graph("connect4:3x4")
    game = graph.game
    assert isinstance(game, Board)
    acts = graph.states[graph.legal(0).any(1)]
    rows = np.flatnonzero(graph.legal(0).any(1))[(game.images(acts)[1] > acts).any(1)]
    rows = np.random.default_rng(3).permutation(rows)[:150]
    states = graph.states[rows]
    label = np.eye(game.spec.actions)[graph.legal(0)[rows].argmax(1)]
    config = CloneConfig(SIZES, learning_rate=5e-3, max_steps=300, mirrored=True, precision=precision)
    fit = clone(game, labelled(graph, rows, label, 0), 0, config=config, rng=stream(0, "test"))
    assert isinstance(fit.policy, NetworkPolicy) and difference(game, fit.policy.net)[0] < 1e-9
    there, image = (fit.policy.probabilities(game, each, 0) for each in (states, game.images(states)[1]))
    np.testing.assert_allclose(image[:, ::-1], there, rtol=0, atol=1e-9)
    assert (there.argmax(1) == label.argmax(1)).mean() > 0.9


def test_networks_that_cannot_be_tied_are_refused() -> None:
    game = board("connect4")
    for odd in (replace(SIZES, channels=7), replace(SIZES, hidden=9)):
        with pytest.raises(PolicyError, match="even width"):
            Ties(drawn(game, odd))
    flat = PolicyNet((5,), 3, SIZES, rng=np.random.default_rng(0))
    with pytest.raises(PolicyError, match="networks of boards"):
        Ties(flat)
