"""One suite over every explorer, in both seats, on the board and up to symmetry; then what each does in particular."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from agents.policy import Policy, Uniform, query
from games import NashmailError
from games.base import Rng
from mail import explore
from mail.explore import Explorer, ExplorerContext
from mail.explore.deep import Deep, DeepConfig
from mail.explore.fixed import uniform
from mail.parallel.streams import stream
from tests.mail.explore.cases import Case, first_experts
from tests.support import graph, reloaded

GAMES = ["tictactoe", "quotient:tictactoe"]


def knows_what_there_is_to_know(case: Case) -> None:
    explorer = case.build()
    assert explore.declared(case.name).knows <= explore.KNOWLEDGE
    assert explore.declared(case.name).summary
    assert explorer.games_per_round >= 1
    assert explorer.done is False


def plays_legally_everywhere_from_the_start_and_later(case: Case) -> None:
    explorer = case.build()
    for rounds in (0, 1, 2):
        case.learn(explorer, rounds)
        policy = explorer.behavior_policy()
        assert isinstance(policy, Policy)
        rows = case.query(policy)
        idle = ~case.game.acting(case.positions())[:, case.seat]
        assert (rows[idle] == 0).all()
        assert (rows[~idle].sum(1) > 0.99).all()


def hands_out_frozen_snapshots(case: Case) -> None:
    explorer = case.build()
    case.learn(explorer, 1)
    kept = explorer.behavior_policy()
    before = case.query(kept).copy()
    case.learn(explorer, 2, seed=1)
    assert np.array_equal(case.query(kept), before), "the snapshot went on learning"


def hands_out_what_can_be_sent_to_another_process(case: Case) -> None:
    explorer = case.build()
    case.learn(explorer, 2)
    policy = explorer.behavior_policy()
    assert np.array_equal(case.query(reloaded(policy)), case.query(policy))
    opposite = explorer.opponent_policy()
    states = case.model.states[:1] if case.seat == 1 else case.round(explorer, 9).state[1:2]
    rows = query(opposite, case.game, states, 1 - case.seat)
    assert np.array_equal(query(reloaded(opposite), case.game, states, 1 - case.seat), rows)


def tells_numbers_of_its_progress(case: Case) -> None:
    for metrics in case.learn(case.build(), 2):
        for name, value in metrics.items():
            assert isinstance(name, str)
            assert isinstance(value, (int, float))
            assert not math.isinf(value)


def follows_from_its_generators(case: Case) -> None:
    runs = []
    for seed in (0, 0, 1):
        explorer = case.build(seed)
        metrics = case.learn(explorer, 2, seed)
        runs.append((repr(metrics), case.query(explorer.behavior_policy()).tobytes()))
    assert runs[0] == runs[1]
    if any(metrics):  # it learns
        assert runs[0] != runs[2], "other draws give another explorer"


def leaves_the_global_generators_alone(case: Case) -> None:
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    before = torch.random.get_rng_state(), np.random.get_state()[1].tobytes()  # type: ignore[index]  # noqa: NPY002
    threads = torch.get_num_threads()
    explorer = case.build()
    case.learn(explorer, 2)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.random.get_state()[1].tobytes() == before[1]  # type: ignore[index]  # noqa: NPY002
    assert torch.get_num_threads() == threads


CHECKS = [
    knows_what_there_is_to_know,
    plays_legally_everywhere_from_the_start_and_later,
    hands_out_frozen_snapshots,
    hands_out_what_can_be_sent_to_another_process,
    tells_numbers_of_its_progress,
    follows_from_its_generators,
    leaves_the_global_generators_alone,
]


@pytest.mark.parametrize(
    ("seat", "game_name", "cloner"),
    [(0, "tictactoe", "ntuple"), pytest.param(1, "quotient:tictactoe", "network", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("name", explore.names())
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_explorer(name: str, seat: int, game_name: str, cloner: str, check: Callable[[Case], None]) -> None:
    check(Case(name, seat, graph(game_name), cloner))


@pytest.mark.usefixtures("registries_as_they_were")
def test_explorers_by_name() -> None:
    assert {"expert", "uniform", "counts", "deep", "refute", "unsure"} <= set(explore.names())
    with pytest.raises(NashmailError, match=r"^no explorer is called 'nope'; the explorers are: counts, deep") as error:
        explore.check("nope")
    assert "\n" not in str(error.value)
    with pytest.raises(NashmailError, match="an explorer called counts is already registered"):
        explore.register("counts", lambda context, rng: Deep(context, DeepConfig(), rng=rng))
    explore.register("mine", lambda context, rng: explore.make("uniform", context, rng=rng))
    case = Case("mine", 0, graph("tictactoe"))
    assert isinstance(case.build().behavior_policy(), Uniform)


def test_only_those_who_say_so_know_the_expert_the_model_or_the_reward() -> None:
    knows = {name: explore.declared(name).knows for name in explore.names()}
    assert knows["expert"] == {"expert"}
    assert knows["uniform"] == knows["counts"] == knows["deep"] == frozenset()
    assert knows["unsure"] == {"labels"}
    modelled = {name for name, known in knows.items() if known & {"model", "reward", "rules"}}
    assert modelled == {"deep-respond", "mistakes", "refute", "respond"}


@pytest.mark.usefixtures("registries_as_they_were")
@pytest.mark.parametrize("knows", [None, frozenset({"model"}), frozenset({"labels", "rules"})])
def test_the_model_is_given_to_those_that_declare_it(knows: frozenset[str] | None) -> None:
    given = []

    def factory(context: ExplorerContext, rng: Rng) -> Explorer:
        given.append(context.model)
        return uniform(context, rng)

    declared = None if knows is None else explore.ExplorerDeclaration(knows=knows)
    explore.register("curious", factory, declared)
    model = graph("tictactoe")
    context = ExplorerContext(model.game, 0, first_experts(model), model=model)
    explore.make("curious", context, rng=stream(0, "test"))
    explore.check("curious", context)
    assert given == [model if knows is None or "model" in knows else None] * 2


def test_what_there_is_not_to_know_is_refused() -> None:
    with pytest.raises(NashmailError, match=r"knowledge must be any of expert, labels, .*, not future, past"):
        explore.ExplorerDeclaration(knows=frozenset({"past", "labels", "future"}))
