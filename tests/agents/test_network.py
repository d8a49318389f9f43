"""Networks: weights from the given generator alone, legal softmax, the same answers in any batch but for rounding."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from agents.network import (
    AT_ONCE,
    Architecture,
    NetworkPolicy,
    PolicyNet,
    draw_weights,
    in_batches,
    masked_softmax,
    one_thread,
)
from agents.policy import PolicyError
from games import Board
from tests.agents.nets import steep
from tests.support import reloaded, visited

SMALL = Architecture(channels=4, convolutions=2, hidden=8)


def small_net(seed: int = 0, shape: tuple[int, ...] = (2, 3, 3), architecture: Architecture = SMALL) -> PolicyNet:
    return PolicyNet(shape, 9, architecture, rng=np.random.default_rng(seed))


def weights(net: torch.nn.Module) -> bytes:
    return b"".join(tensor.numpy().tobytes() for tensor in net.state_dict().values())


# --- weights ---------------------------------------------------------------------------------------------


def test_weights_come_from_the_generator_alone() -> None:
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = small_net(7)
    assert torch.equal(torch.random.get_rng_state(), state), "torch's global generator was used"
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002  the global generators must not matter
    assert weights(small_net(7)) == weights(first)
    assert weights(small_net(8)) != weights(first)


def test_every_weight_is_drawn_within_its_bound() -> None:
    """Uniform within 1 / sqrt(inputs): inside the bound, and close to it on both sides."""
    net = small_net(3, architecture=Architecture(channels=16, convolutions=2, hidden=64))
    layers = [layer for layer in net.modules() if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d))]
    assert [layer.weight[0].numel() for layer in layers] == [2 * 9, 16 * 9, 16 * 9, 64]
    for layer in layers:
        bound = layer.weight[0].numel() ** -0.5
        drawn = layer.weight.detach().numpy()
        assert np.abs(drawn).max() <= bound
        assert drawn.max() > 0.95 * bound
        assert drawn.min() < -0.95 * bound
        assert layer.bias is not None
        assert 0 < np.abs(layer.bias.detach().numpy()).max() <= bound


def test_drawing_again_replaces_every_weight() -> None:
    net = small_net(0)
    before = [tensor.clone() for tensor in net.state_dict().values()]
    draw_weights(net, rng=np.random.default_rng(1))
    assert all((tensor != old).all() for tensor, old in zip(net.state_dict().values(), before, strict=True))
    assert weights(net) == weights(small_net(1))


@pytest.mark.parametrize("shape", [(2, 3, 3), (2, 6, 7), (5,), (2, 4)])
def test_one_logit_per_action_for_boards_and_for_vectors(shape: tuple[int, ...]) -> None:
    net = small_net(0, shape)
    assert net(torch.zeros((3, *shape))).shape == (3, 9)
    convolutions = [layer for layer in net.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert len(convolutions) == (2 if len(shape) == 3 else 0)


# --- the softmax -----------------------------------------------------------------------------------------


@given(
    logits=arrays.arrays(np.float64, (4, 5), elements=st.floats(-1e6, 1e6)),
    legal=arrays.arrays(np.bool_, (4, 5)).map(lambda mask: mask | (np.arange(5) == 2)),
)
def test_softmax_is_a_distribution_over_the_legal(logits: np.ndarray, legal: np.ndarray) -> None:
    rows = masked_softmax(logits, legal)
    assert (rows[~legal] == 0).all(), "illegal actions have probability exactly 0"
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(1), 1.0, rtol=0, atol=1e-12)


def test_softmax_against_numbers_worked_out_by_hand() -> None:
    """Odds 1 : 3 between the legal ones, whatever the illegal logit says, and however large the common part is."""
    legal = np.array([[True, False, True]])
    for shift in (0.0, 1000.0, -1000.0):
        rows = masked_softmax(np.array([[0.0, 1e9, np.log(3.0)]]) + shift, legal)
        np.testing.assert_allclose(rows, [[0.25, 0.0, 0.75]], rtol=0, atol=1e-12)


def test_illegal_actions_get_exactly_nothing(tictactoe: Board) -> None:
    states = visited(tictactoe, episodes=30)
    policy = NetworkPolicy(small_net())
    for seat in (0, 1):
        rows, legal = policy.probabilities(tictactoe, states, seat), tictactoe.legal(states, seat)
        assert (rows[~legal] == 0).all()
        assert (rows[legal] > 0).all(), "a softmax of finite logits leaves no legal action out"


# --- the same answers everywhere -------------------------------------------------------------------------

CLOSE = 1e-12
"""Between logits of the size of 1 from different batches; what is promised of probabilities is 1e-9."""


@pytest.mark.slow
@pytest.mark.equal_results
@pytest.mark.parametrize("rows", [1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 500])
def test_a_row_depends_on_its_batch_by_rounding_alone(rows: int) -> None:
    policy = NetworkPolicy(PolicyNet((2, 3, 3), 9, Architecture(), rng=np.random.default_rng(0)))
    observations = np.random.default_rng(1).random((500, 2, 3, 3)).astype(np.float32)
    alone = np.concatenate([policy.logits(observations[row : row + 1]) for row in range(500)])
    for start in (0, 500 - rows):
        batch = observations[start : start + rows]
        assert np.abs(policy.logits(batch) - alone[start : start + rows]).max() < CLOSE
        assert np.array_equal(policy.logits(batch.copy()), policy.logits(batch)), "one batch, other bits"
    order = np.random.default_rng(2).permutation(500)[:rows]
    assert np.abs(policy.logits(observations[order]) - alone[order]).max() < CLOSE
    assert policy.logits(observations[:0]).shape == (0, 9)


ARCHITECTURES = [
    Architecture(),
    Architecture(7, 1, 13),
    Architecture(1, 2, 1, 1),
    Architecture(64, 3, 128),
    Architecture(32, 1, 128, 2),
]
SHAPES = [((2, 4, 4), 4), ((2, 6, 7), 7), ((3, 2, 12), 5), ((1, 3, 1), 2), ((10,), 3), ((2, 4), 1)]


@pytest.mark.slow
@pytest.mark.equal_results
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
@pytest.mark.parametrize(("shape", "actions"), SHAPES)
def test_a_row_has_its_answer_wherever_it_lies(
    architecture: Architecture, shape: tuple[int, ...], actions: int
) -> None:
    policy = NetworkPolicy(PolicyNet(shape, actions, architecture, rng=np.random.default_rng(3)))
    observations = np.random.default_rng(4).random((AT_ONCE + 5, *shape)).astype(np.float32)
    found = policy.logits(observations)
    assert np.abs(policy.logits(np.roll(observations, 7, axis=0)) - np.roll(found, 7, axis=0)).max() < CLOSE
    order = np.random.default_rng(5).permutation(len(observations))
    assert np.abs(policy.logits(observations[order]) - found[order]).max() < CLOSE


@pytest.mark.slow
@pytest.mark.equal_results
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
@pytest.mark.parametrize(("shape", "actions"), SHAPES)
def test_logits_are_those_of_the_network_in_double_precision(
    architecture: Architecture, shape: tuple[int, ...], actions: int
) -> None:
    """Against torch's own layers given doubles, with logits between -60 and 60."""
    observations = np.random.default_rng(7).random((69, *shape)).astype(np.float32)
    net = steep(PolicyNet(shape, actions, architecture, rng=np.random.default_rng(6)), observations)
    with torch.inference_mode():
        exact = copy.deepcopy(net).double()(torch.from_numpy(observations).double()).numpy()
    assert np.abs(exact).max() == pytest.approx(60.0, abs=0.01)
    assert np.abs(NetworkPolicy(net).logits(observations) - exact).max() < 1e-10


def test_a_policy_stays_as_it_was_made() -> None:
    net = small_net()
    policy, observations = NetworkPolicy(net), np.ones((3, 2, 3, 3), dtype=np.float32)
    before = policy.logits(observations)
    draw_weights(net, rng=np.random.default_rng(9))
    assert np.array_equal(policy.logits(observations), before)
    assert not np.array_equal(NetworkPolicy(net).logits(observations), before)


@pytest.mark.equal_results
def test_threads_may_ask_one_policy_at_once() -> None:
    policy = NetworkPolicy(PolicyNet((2, 4, 4), 4, Architecture(), rng=np.random.default_rng(0)))
    asked = np.random.default_rng(1).random((8, 300, 2, 4, 4)).astype(np.float32)
    alone = [policy.logits(observations) for observations in asked]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(policy.logits, asked))
    assert all(np.array_equal(one, other) for one, other in zip(together, alone, strict=True))


def test_functions_are_always_asked_with_the_same_number_of_rows() -> None:
    sizes: list[int] = []

    def twice(rows: torch.Tensor) -> torch.Tensor:
        sizes.append(len(rows))
        return 2 * rows

    given = np.arange(20, dtype=np.float32).reshape(10, 2)
    found = in_batches(twice, given, size=4)
    assert sizes == [4, 4, 4]
    assert found.dtype == np.float64
    assert np.array_equal(found, 2 * given)
    sizes.clear()
    assert in_batches(twice, given[:0], size=4).shape == (0, 2)
    assert sizes == [4]


def test_one_thread_while_it_runs_and_the_old_number_afterwards() -> None:
    seen: list[int] = []

    @one_thread
    def work(answer: int, *, fail: bool) -> int:
        seen.append(torch.get_num_threads())
        if fail:
            raise ValueError("stop")
        return answer

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert work(3, fail=False) == 3
        assert torch.get_num_threads() == 2
        with pytest.raises(ValueError, match="stop"):
            work(3, fail=True)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [1, 1]
    assert work.__name__ == "work"


@pytest.mark.equal_results
def test_the_callers_threads_change_nothing(tictactoe: Board) -> None:
    policy, states = NetworkPolicy(small_net()), visited(tictactoe, episodes=30)
    before = torch.get_num_threads()
    try:
        answers = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            answers.append(policy.probabilities(tictactoe, states, 0))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(reloaded(policy).probabilities(tictactoe, states, 0), answers[0])


# --- architectures ---------------------------------------------------------------------------------------


def test_an_architecture_is_read_back() -> None:
    for architecture in (Architecture(), SMALL, Architecture(hidden=4096), Architecture(blocks=2)):
        assert Architecture.parse(architecture.as_dict()) == architecture
    assert Architecture.parse({"hidden": 7}) == Architecture(hidden=7)
    assert Architecture.parse({}) == Architecture() and Architecture().blocks == 0


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"width": 3}, "unknown architecture keys: width"),
        ({"b": 1, "a": 1, "hidden": 8}, "unknown architecture keys: a, b"),
        ({"hidden": 0}, "hidden must be a whole number from 1 to 4096, not 0"),
        ({"channels": -1}, "channels must be .* not -1"),
        ({"blocks": -1}, "blocks must be a whole number from 0 to 4096, not -1"),
        ({"channels": 4097}, "channels must be .* not 4097"),
        ({"convolutions": 1.5}, "convolutions must be .* not 1.5"),
        ({"hidden": "64"}, "hidden must be .* not '64'"),
        ({"hidden": None}, "hidden must be .* not None"),
    ],
)
def test_what_makes_no_network_is_refused(values: dict[str, object], says: str) -> None:
    with pytest.raises(PolicyError, match=says) as error:
        Architecture.parse(values)
    assert "\n" not in str(error.value)


def test_residual_blocks_add_what_their_convolutions_give() -> None:
    """Against the sums written out: x + W2 * relu(W1 * x), rectified, before the fully connected layers."""
    architecture = Architecture(channels=3, convolutions=1, hidden=5, blocks=2)
    net = small_net(4, architecture=architecture)
    x = torch.rand((6, 2, 3, 3), generator=torch.Generator().manual_seed(1))
    conv = torch.nn.functional.conv2d
    parameters = iter(net.parameters())

    def convolved(planes: torch.Tensor) -> torch.Tensor:
        weight, bias = next(parameters), next(parameters)
        return conv(planes, weight, bias, padding=1)

    planes = convolved(x).relu()
    for _ in range(architecture.blocks):
        planes = (planes + convolved(convolved(planes).relu())).relu()
    weight, bias = next(parameters), next(parameters)
    hidden = (planes.flatten(1) @ weight.T + bias).relu()
    weight, bias = next(parameters), next(parameters)
    assert next(parameters, None) is None
    assert torch.allclose(net(x), hidden @ weight.T + bias, atol=1e-6)


def test_residual_nets_follow_their_generator_and_go_through_a_pickle() -> None:
    architecture = Architecture(channels=4, convolutions=1, hidden=8, blocks=1)
    first, same, other = (small_net(seed, architecture=architecture) for seed in (1, 1, 2))
    x = torch.rand((3, 2, 3, 3), generator=torch.Generator().manual_seed(2))
    assert torch.equal(first(x), same(x)) and not torch.equal(first(x), other(x))
    assert torch.equal(reloaded(first)(x), first(x))
