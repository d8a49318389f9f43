"""InfoGAIL: the bound on its information, the posterior, and an expert of two openings that is told apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.tabular import Tabular
from games import NashmailError
from games.base import Floats
from mail.learners.inverse.gail import GailConfig, gail
from mail.learners.inverse.infogail import InfoGailConfig, Modes, infogail, information, modes, posterior
from mail.learners.inverse.process import Demonstrated, of_policy
from mail.learners.inverse.reward import shares
from tests.mail.learners.inverse.processes import expert_rows, facing, model, random_policy, random_process

CENTRE, CORNER = 4, 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_information_is_at_most_the_logarithm_of_the_codes(seed: int, codes: int) -> None:
    rng = np.random.default_rng(seed)
    parts = np.stack([shares(rng.random((3, 2)) ** 4) for _ in range(codes)])
    assert -1e-12 <= information(parts) <= np.log(codes) + 1e-12
    other = rng.dirichlet(np.ones(codes), size=(3, 2)).transpose(2, 0, 1)
    worse = float((parts * np.log(other)).sum() / codes + np.log(codes))
    assert worse <= information(parts) + 1e-12, "the closed form is the best posterior"
    assert np.allclose(posterior(parts).sum(0), 1.0)


def test_information_is_the_logarithm_where_codes_can_be_decoded_and_0_where_they_are_alike() -> None:
    apart = np.zeros((2, 2, 2))
    apart[0, 0, 0] = apart[1, 1, 1] = 1.0
    assert information(apart) == pytest.approx(np.log(2))
    assert information(np.full((2, 2, 2), 0.25)) == pytest.approx(0.0)


def test_one_code_is_gail() -> None:
    process = random_process(1)
    expert = of_policy(process, random_policy(process, 2))
    rng = np.random.default_rng(0)
    plain = gail(GailConfig(rounds=20), process, expert, rng)
    coded = infogail(InfoGailConfig(codes=1, information=0.0, rounds=20), process, expert, rng)
    assert np.allclose(plain.policy, coded.policy)


def test_without_weight_codes_stay_as_they_began() -> None:
    process = random_process(1)
    expert = of_policy(process, random_policy(process, 2))
    found = modes(InfoGailConfig(information=0.0), process, expert, np.random.default_rng(0))
    assert found.information < 0.01 and found.divergence < 1e-6


def two_openings() -> tuple[Floats, Floats, Demonstrated]:
    """Experts that open in the centre and in a corner, both to a draw, and what half of each looks like."""
    process, rows = facing("tictactoe", "first", 0), expert_rows("tictactoe", "first", 0)
    begin = int(np.flatnonzero(process.start)[0])
    experts = []
    for opening in (CENTRE, CORNER):
        table = rows.copy()
        table[begin] = np.eye(9)[opening]
        experts.append(table)
    visits = [process.visits(table) for table in experts]
    both = (visits[0] + visits[1]) / 2
    came = both.sum(1, keepdims=True)
    policy = np.where(came > 0, both / np.where(came > 0, came, 1.0), 0.0)
    return experts[0], experts[1], Demonstrated(policy, both)


def sampled_game(policy: Floats, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The decisions of one game: rows and actions."""
    process, rng = facing("tictactoe", "first", 0), np.random.default_rng(seed)
    row, rows, actions = int(np.flatnonzero(process.start)[0]), [], []
    while row >= 0:
        rows.append(row)
        actions.append(int(rng.choice(9, p=policy[row])))
        row = int(process.sample(np.array([row]), np.array([actions[-1]]), rng=rng)[0])
    return np.array(rows), np.array(actions)


@pytest.fixture(scope="module")
def found() -> Modes:
    expert = two_openings()[2]
    config = InfoGailConfig(information=0.1, rounds=150)
    return modes(config, facing("tictactoe", "first", 0), expert, np.random.default_rng(0))


def test_an_expert_of_two_openings_is_told_apart(found: Modes) -> None:
    first, second, _ = two_openings()
    codes = np.array([[found.decode(*sampled_game(policy, seed)) for seed in range(40)] for policy in (first, second)])
    right = max((codes == [[0], [1]]).mean(), (codes == [[1], [0]]).mean())
    assert right >= 0.95
    assert found.information >= 0.95 * np.log(2)


def test_each_code_plays_one_opening_and_both_keep_the_draw(found: Modes) -> None:
    process, exact = facing("tictactoe", "first", 0), model("tictactoe")
    begin = int(np.flatnonzero(process.start)[0])
    openings = found.policies[:, begin][:, [CENTRE, CORNER]]
    assert openings.max(1).min() >= 0.95 and set(openings.argmax(1)) == {0, 1}
    assert np.allclose(openings.mean(0), 0.5, atol=0.05), "the mixture opens as often as the experts do"
    for policy in found.policies:
        table = Tabular(process.keys, policy).probabilities(exact.game, exact.states, 0)
        assert exact.value((table, exact.equilibrium("first")[1])) >= -0.02


def test_no_codes_are_refused() -> None:
    with pytest.raises(NashmailError, match="infogail needs at least one code, not 0"):
        InfoGailConfig(codes=0)
