"""One suite over every explorer, in both seats, on the board and up to symmetry; then what each does in particular."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents import expert
from agents.expert import optimal_table
from agents.policy import Policy, Seats, Uniform, greedy_rows, query, tabulate, uniform_rows
from agents.q_network import QSizes
from games import Game, GameGraph, NashmailError
from games.base import Rng, States
from mail import explore
from mail.data.decisions import Decisions, merge
from mail.data.rollout import play
from mail.evaluation.coverage import coverage_bounds
from mail.evaluation.gap import exploitability
from mail.explore import Explorer, ExplorerContext
from mail.explore.counts import optimistic_values
from mail.explore.deep import Deep, DeepConfig, bonus
from mail.explore.fixed import uniform
from mail.explore.memory import Memory, Transitions
from mail.explore.refute import Reachable, Refute, RefuteConfig
from mail.learners.budget import Budget
from mail.learners.collect import Collector, Options
from mail.learners.interactive import Mail
from mail.parallel.streams import stream
from tests.support import game, graph, random_profile, reloaded, visited

GAMES = ["tictactoe", "quotient:tictactoe"]

# --- what every explorer promises ------------------------------------------------------------------------


@cache
def first_experts(model: GameGraph) -> Seats:
    """Tables do not change, so a test may share them."""
    return expert.make("first", model)


@dataclass(frozen=True)
class Case:
    """An explorer's name, its seat, and where it explores."""

    name: str
    seat: int
    model: GameGraph

    @property
    def game(self) -> Game:
        return self.model.game

    def experts(self) -> Seats:
        return first_experts(self.model)

    def build(self, seed: int = 0) -> Explorer:
        setting = ExplorerContext(self.game, self.seat, self.experts(), model=self.model)
        return explore.make(self.name, setting, rng=stream(seed, "test/explorer"))

    def round(self, explorer: Explorer, number: int, seed: int = 0) -> Decisions:
        """One round of play of the explorer, the asked seat's decisions labelled as the explorer wants them."""
        pair = explorer.behavior_policy(), explorer.opponent_policy()
        asked = explorer.labels()
        rng = stream(seed, "test/play", round_=number)
        seats = (pair[0], pair[1]) if self.seat == 0 else (pair[1], pair[0])
        labels = (None, asked) if self.seat == 0 else (asked, None)
        return play(self.game, seats, explorer.games_per_round, labels=labels, rng=rng)

    def learn(self, explorer: Explorer, rounds: int, seed: int = 0) -> list[dict[str, float]]:
        """Some rounds of play and learning; the metrics of each."""
        metrics = []
        for number in range(rounds):
            decisions = self.round(explorer, number, seed)
            metrics.append(explorer.update(decisions, rng=stream(seed, "test/update", round_=number)))
        return metrics

    def positions(self) -> States:
        """Positions from all over the game, seen or not, and those of some games to the end."""
        return np.concatenate([self.model.states[::7], visited(self.game, episodes=20)])

    def query(self, policy: Policy) -> np.ndarray:
        """The policy everywhere, checked to be a legal distribution."""
        return query(policy, self.game, self.positions(), self.seat)


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
    before = torch.random.get_rng_state(), np.random.get_state()[1].tobytes()  # type: ignore[index, union-attr]  # noqa: NPY002
    threads = torch.get_num_threads()
    explorer = case.build()
    case.learn(explorer, 2)
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.random.get_state()[1].tobytes() == before[1]  # type: ignore[index, union-attr]  # noqa: NPY002
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


@pytest.mark.parametrize("game_name", ["tictactoe", pytest.param("quotient:tictactoe", marks=pytest.mark.slow)])
@pytest.mark.parametrize("seat", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", explore.names())
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_explorer(name: str, seat: int, game_name: str, check: Callable[[Case], None]) -> None:
    check(Case(name, seat, graph(game_name)))


@pytest.mark.usefixtures("registries_as_they_were")
def test_explorers_by_name() -> None:
    assert {"expert", "uniform", "counts", "deep", "refute", "unsure"} <= set(explore.names())
    with pytest.raises(NashmailError, match=r"^no explorer is called 'nope'; the explorers are: counts, deep") as error:
        explore.check("nope")
    assert "\n" not in str(error.value)
    with pytest.raises(NashmailError, match="an explorer called counts is already registered"):
        explore.register("counts", lambda setting, rng: Deep(setting, DeepConfig(), rng=rng))
    explore.register("mine", lambda setting, rng: explore.make("uniform", setting, rng=rng))
    case = Case("mine", 0, graph("tictactoe"))
    assert isinstance(case.build().behavior_policy(), Uniform)


def test_only_those_who_say_so_know_the_expert_the_model_or_the_reward() -> None:
    knows = {name: explore.declared(name).knows for name in explore.names()}
    assert knows["expert"] == {"expert"}
    assert knows["uniform"] == knows["counts"] == knows["deep"] == frozenset()
    assert knows["unsure"] == {"labels"}
    assert {name for name, known in knows.items() if known & {"model", "reward", "rules"}} == {"refute"}


@pytest.mark.usefixtures("registries_as_they_were")
@pytest.mark.parametrize("knows", [None, frozenset({"model"}), frozenset({"labels", "rules"})])
def test_the_model_is_given_to_those_that_declare_it(knows: frozenset[str] | None) -> None:
    given = []

    def factory(setting: ExplorerContext, rng: Rng) -> Explorer:
        given.append(setting.model)
        return uniform(setting, rng)

    declared = None if knows is None else explore.ExplorerDeclaration(knows=knows)
    explore.register("curious", factory, declared)
    model = graph("tictactoe")
    setting = ExplorerContext(model.game, 0, first_experts(model), model=model)
    explore.make("curious", setting, rng=stream(0, "test"))
    explore.check("curious", setting)
    assert given == [model if knows is None or "model" in knows else None] * 2


def test_what_there_is_not_to_know_is_refused() -> None:
    with pytest.raises(NashmailError, match=r"knowledge must be any of expert, labels, .*, not future, past"):
        explore.ExplorerDeclaration(knows=frozenset({"past", "labels", "future"}))


# --- memory ----------------------------------------------------------------------------------------------


def brute_force(own: list[Decisions]) -> tuple[Counter[tuple[bytes, int, bytes]], dict[bytes, int], list[bytes]]:
    """Transitions by key, fewest own decisions before each position, and positions in order of appearance."""
    edges: Counter[tuple[bytes, int, bytes]] = Counter()
    depth: dict[bytes, int] = {}
    order: list[bytes] = []
    for part in own:
        for row in range(len(part)):
            earlier = [r for r in range(row) if part.episode[r] == part.episode[row]]
            key = part.key[row].tobytes()
            if key not in depth:
                order.append(key)
            depth[key] = min(depth.get(key, 99), len(earlier))
            later = [r for r in range(row + 1, len(part)) if part.episode[r] == part.episode[row]]
            edges[key, int(part.played[row]), part.key[later[0]].tobytes() if later else b"over"] += 1
    return edges, depth, order


@given(
    name=st.sampled_from(["tictactoe", "quotient:tictactoe", "connect4:3x4"]),
    seat=st.sampled_from([0, 1]),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    seed=st.integers(0, 2**16),
)
def test_memory_counts_what_was_played(name: str, seat: int, sizes: list[int], seed: int) -> None:
    memory, own = Memory(), []
    for number, episodes in enumerate(sizes):
        rng = stream(seed, "test/memory", round_=number)
        decisions = play(game(name), (Uniform(), Uniform()), episodes, rng=rng)
        own.append(decisions.take(decisions.seat == seat))
        known = len(brute_force(own[:-1])[0])
        assert memory.add(own[-1]) == len(brute_force(own)[0]) - known
    edges, depth, order = brute_force(own)
    seen = memory.transitions()
    keys = [key.tobytes() for key in seen.key]
    assert keys == order
    ends = [keys[after] if after >= 0 else b"over" for after in seen.following]
    found = zip((keys[at] for at in seen.position), seen.action.tolist(), ends, strict=True)
    assert dict(zip(found, seen.count.tolist(), strict=True)) == dict(edges)
    assert seen.depth.tolist() == [depth[key] for key in keys]
    together = merge(own)
    first = [[key.tobytes() for key in together.key].index(key) for key in keys]
    assert np.array_equal(seen.observation, together.observation[first])
    assert np.array_equal(seen.legal, together.legal[first])
    tries = Counter((key, action) for key, action, _ in edges.elements())
    assert {(keys[m], a): n for (m, a), n in np.ndenumerate(seen.visits) if n} == dict(tries)


def test_memory_keeps_the_fewest_decisions_before_a_position() -> None:
    """A game as it was played, and its tail as if it had begun there."""
    decisions = play(game("tictactoe"), (Uniform(), Uniform()), 1, rng=stream(0, "test"))
    own = decisions.take(decisions.seat == 0)
    tail = own.take(np.arange(1, len(own)))
    for parts in ((own, tail), (tail, own)):
        memory = Memory()
        assert [memory.add(part) for part in parts] in ([len(own), 0], [len(tail), 1])
        seen = memory.transitions()
        depth = {key.tobytes(): int(least) for key, least in zip(seen.key, seen.depth, strict=True)}
        assert [depth[key.tobytes()] for key in own.key] == [0, *range(len(tail))]


# --- counts ----------------------------------------------------------------------------------------------


def process(legal: list[list[int]], depth: list[int], edges: list[tuple[int, int, int, int]]) -> Transitions:
    """A hand-made process: legal actions, depths, and (position, action, following, count)."""
    position, action, following, count = (np.array(column) for column in zip(*edges, strict=True))
    m = len(legal)
    return Transitions(
        observation=np.zeros((m, 1), np.float32),
        key=np.arange(2 * m, dtype=np.uint64).reshape(m, 2),
        legal=np.array(legal, dtype=np.bool_),
        depth=np.array(depth),
        position=position,
        action=action,
        following=following,
        count=count,
    )


def test_optimistic_values_against_numbers_worked_out_by_hand() -> None:
    """Three positions, three own decisions at most.

    0 --a--> 1 (three times) or 2 (once);  0 --b--> over (once)
    1 --a--> over (once);                  b untried, so worth every decision still to come: 2
    2 --a--> over (four times);            b illegal
    """
    seen = process(
        [[1, 1], [1, 1], [1, 0]], [0, 1, 1], [(0, 0, 1, 3), (0, 1, -1, 1), (0, 0, 2, 1), (1, 0, -1, 1), (2, 0, -1, 4)]
    )
    values = optimistic_values(seen, horizon=3)
    second, third = 2.0, 1 / 5
    first = 1 / 5 + 3 / 4 * second + 1 / 4 * third
    expected = [[first, 1 / 2], [1 / 2, 2.0], [third, -np.inf]]
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)


def test_optimistic_values_are_capped_by_the_decisions_to_come() -> None:
    """0 leads to 1, where something is untried, surely: 1/2 + 2 stays under 3 decisions, but not under 2."""
    edges = [(0, 0, 1, 1), (1, 0, -1, 1)]
    legal = [[1, 0], [1, 1]]
    assert optimistic_values(process(legal, [0, 1], edges), horizon=3)[0, 0] == 2.5
    assert optimistic_values(process(legal, [0, 0], edges), horizon=2)[0, 0] == 2.0
    assert optimistic_values(process(legal, [0, 1], edges), horizon=1)[1, 1] == 1.0, "a decision is worth 1 at least"


def test_optimistic_values_reach_the_end_of_a_chain() -> None:
    """1/2 for each of four decisions, whichever order the positions were seen in."""
    edges = [(3, 0, 2, 1), (2, 0, 1, 1), (1, 0, 0, 1), (0, 0, -1, 1)]
    values = optimistic_values(process([[1]] * 4, [3, 2, 1, 0], edges), horizon=4)
    assert values[:, 0].tolist() == [0.5, 1.0, 1.5, 2.0]


def test_counts_tries_what_is_untried_and_mixes_what_is_alike() -> None:
    case = Case("counts", 0, graph("tictactoe"))
    explorer = case.build()
    empty = case.model.states[:1]
    assert np.allclose(explorer.behavior_policy().probabilities(case.game, empty, 0), 1 / 9)
    tried: set[int] = set()
    for number in range(9):
        decisions = case.round(explorer, number)
        mine = decisions.take(decisions.seat == 0)
        tried.add(int(mine.played[0]))
        metrics = explorer.update(decisions, rng=stream(0, "test"))
        row = explorer.behavior_policy().probabilities(case.game, empty, 0)[0]
        assert len(tried) == number + 1, "an action was tried again before all had been"
        if number < 8:
            assert set(np.flatnonzero(row)) == set(range(9)) - tried
            np.testing.assert_allclose(row[row > 0], 1 / (8 - number), rtol=1e-12)
        assert metrics["new_transitions"] >= 1


def explored(name: str, seat: int, seed: int, budget: Budget) -> Decisions:
    """What ``mail`` sees of this seat's first expert on Tic-Tac-Toe."""
    model = graph("tictactoe")
    collector = Collector("mail", model.game, seed)
    learner = Mail(Options(seed=seed, explorer=name, model=model))
    return learner.explore(collector, first_experts(model), budget, seat).decisions


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("seat", "decisions", "games"), [(0, 81, 63), (1, 426, 282)])
def test_counts_sees_all_of_an_expert_in_half_as_many_games_again_as_the_least(
    seat: int, decisions: int, games: int, seed: int
) -> None:
    budget = Budget(episodes=games * 3 // 2, patience_games=10**9)
    found = explored("counts", seat, seed, budget)
    assert found.games <= budget.episodes
    assert found.distinct_labels() == decisions


def test_uniform_exploration_does_not_see_all_of_it_in_as_many_games() -> None:
    """The comparison that makes the test above one of exploration."""
    assert explored("uniform", 0, 0, Budget(episodes=94, patience_games=10**9)).distinct_labels() < 81


# --- deep ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ridge", [1e-3, 0.5, 7.0])
def test_the_bonus_of_one_hot_features_counts(ridge: float) -> None:
    tries = np.random.default_rng(0).integers(0, 50, (5, 3))
    tries[0, 0] = 0
    gram = torch.stack([torch.diag(ridge + torch.from_numpy(tries[:, action]).double()) for action in range(3)])
    found = bonus(torch.eye(5, dtype=torch.float64), ridge * torch.linalg.inv(gram))
    np.testing.assert_allclose(found.numpy(), np.sqrt(ridge / (ridge + tries)), rtol=1e-12)
    assert found[0, 0] == 1.0


def test_the_bonus_is_the_elliptical_norm_of_each_action() -> None:
    rng = np.random.default_rng(1)
    tried, phi = rng.normal(size=(20, 4)), rng.normal(size=(6, 4))
    action = rng.integers(0, 2, 20)
    ridge = 0.3
    gram = [ridge * np.eye(4) + tried[action == a].T @ tried[action == a] for a in range(2)]
    expected = [[np.sqrt(ridge * row @ np.linalg.inv(gram[a]) @ row) for a in range(2)] for row in phi]
    inverse = torch.from_numpy(ridge * np.linalg.inv(np.array(gram)))
    np.testing.assert_allclose(bonus(torch.from_numpy(phi), inverse).numpy(), expected, rtol=1e-9)


def deep(config: DeepConfig, *, seat: int = 0, seed: int = 0) -> tuple[Case, Deep]:
    case = Case("deep", seat, graph("tictactoe"))
    setting = ExplorerContext(case.game, seat, case.experts(), model=case.model)
    return case, Deep(setting, config, rng=stream(seed, "test/deep"))


def log_det(net: torch.nn.Module, own: list[Decisions], actions: int, config: DeepConfig) -> float:
    """Sum over actions of log det of ridge I + sum of phi phi^T, straight from all tries."""
    rows = merge(own)
    with torch.no_grad():
        phi = net.features(torch.from_numpy(rows.observation)).double().numpy()  # type: ignore[operator]
    total = 0.0
    for action in range(actions):
        tried = phi[rows.played == action]
        total += np.linalg.slogdet(config.ridge * np.eye(config.net.features) + tried.T @ tried).logabsdet
    return total


@pytest.mark.slow
@pytest.mark.parametrize("seat", [0, 1])
def test_an_epoch_ends_when_log_det_has_grown_by_log_2(seat: int) -> None:
    """Growth told by the metrics against determinants computed directly; a large ridge makes epochs long."""
    config = DeepConfig(net=QSizes(embedding=16, features=12), ridge=40.0, games_per_round=1, steps=2)
    case, explorer = deep(config, seat=seat)
    own: list[Decisions] = []
    at_epoch_start = log_det_of_nothing = 9 * 12 * math.log(40.0)
    lengths, length = [], 0
    for number in range(60):
        snapshot = explorer.behavior_policy()
        decisions = case.round(explorer, number)
        own.append(decisions.take(decisions.seat == seat))
        metrics = explorer.update(decisions, rng=stream(0, "test", round_=number))
        direct = log_det(snapshot.net, own, 9, config)  # type: ignore[attr-defined]
        assert metrics["log_det"] == pytest.approx(direct, abs=1e-6)
        assert metrics["log_det"] > log_det_of_nothing
        length += 1
        ended = direct - at_epoch_start > math.log(2.0)
        assert (explorer.behavior_policy() is not snapshot) == ended
        assert metrics["epoch"] == len(lengths)
        assert ("loss" in metrics) == ended
        if ended:
            at_epoch_start = log_det(explorer.behavior_policy().net, own, 9, config)  # type: ignore[attr-defined]
            lengths.append(length)
            length = 0
    assert explorer.epoch == len(lengths) >= 2
    assert max(lengths) > 1, "some epochs last longer than a round"


def test_nothing_comes_after_the_end() -> None:
    """The last decision of a game is worth what it is worth now: q learns 0 for it. Before that, untried actions
    of the next position, worth about 1 each, are still to come."""
    config = DeepConfig(steps=300, learning_rate=3e-3)
    case, explorer = deep(config)
    decisions = play(case.game, (Uniform(), Uniform()), 20, rng=stream(1, "test"))
    explorer.update(decisions, rng=stream(0, "test"))
    own = decisions.take(decisions.seat == 0)
    with torch.no_grad():
        q = explorer.net(torch.from_numpy(own.observation))[1].numpy()[np.arange(len(own)), own.played]
    ends: dict[bytes, set[bool]] = {}
    moves = [key.tobytes() + bytes([played]) for key, played in zip(own.key, own.played.tolist(), strict=True)]
    for made, over in zip(moves, own.ended.tolist(), strict=True):
        ends.setdefault(made, set()).add(over)
    surely = np.array([len(ends[made]) == 1 for made in moves])  # the other seat's reply decides elsewhere
    last = own.ended & surely
    assert last.sum() > 10
    assert np.abs(q[last]).max() < 0.3
    lively = ~own.ended & surely & (own.legal[own.next].sum(1) > 1)
    assert lively.sum() > 10
    assert q[lively].min() > 0.7


def test_a_game_that_ends_at_once_leaves_nothing_to_come() -> None:
    """Only last decisions are shown: every target is 0, so the loss goes to 0."""
    config = DeepConfig(net=QSizes(embedding=32, features=48), steps=400, learning_rate=3e-3)
    case, explorer = deep(config)
    decisions = play(case.game, (Uniform(), Uniform()), 30, rng=stream(2, "test"))
    metrics = explorer.update(decisions.take(decisions.ended), rng=stream(0, "test"))
    assert metrics["loss"] < 1e-4


def test_what_was_tried_draws_less_than_what_was_not() -> None:
    """At the first position, after a round that tried some of its actions."""
    case, explorer = deep(DeepConfig())
    decisions = case.round(explorer, 0)
    explorer.update(decisions, rng=stream(0, "test"))
    tried = np.unique(decisions.played[decisions.state[:, 1] == 0])
    row = explorer.behavior_policy().probabilities(case.game, case.model.states[:1], 0)[0]
    assert len(tried) == 2
    assert row[tried].max() < np.delete(row, tried).min() / 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_deep_sees_all_of_the_first_seats_expert_within_410_asks(seed: int) -> None:
    found = explored("deep", 0, seed, Budget(labels=(410, 410)))
    assert found.labels() == 410
    assert found.distinct_labels() == 81


# --- refute ----------------------------------------------------------------------------------------------


def led(model: GameGraph, table: np.ndarray, seat: int, negligible: float) -> Reachable:
    return Reachable.of(model, lambda rows: table[rows], seat, negligible)


@pytest.mark.equal_results
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["tictactoe", "connect4:3x3:3"])
def test_a_refutation_is_the_best_response_where_nothing_is_negligible(name: str, seat: int, seed: int) -> None:
    """Against the sweep over all positions; what is neglected, or corrected, can only be lost less."""
    model = graph(name)
    table = random_profile(model, seed)[seat]
    exact = exploitability(model, table, seat)
    found = led(model, table, seat, 1e-300).refute()
    assert found.loss == pytest.approx(exact, abs=1e-12)
    losses = [led(model, table, seat, negligible).refute().loss for negligible in (1e-300, 1e-3, 1e-1, 2.0)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == pytest.approx(0.0, abs=1e-12)
    everywhere = np.ones(len(model), dtype=np.bool_)
    assert led(model, table, seat, 1e-300).refute(everywhere).loss == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("seat", [0, 1])
def test_a_line_is_a_game_that_the_greedy_clone_loses(seat: int) -> None:
    """Played out move by move, against uniform play made greedy: the lowest action everywhere."""
    model = graph("tictactoe")
    table = greedy_rows(uniform_rows(model.legal(seat)))
    found = led(model, table, seat, 0.5).refute()
    assert found.loss == exploitability(model, table, seat) == 1.0
    line = found.line(stream(0, "test"))
    assert line.rows[0] == 0
    for row, move, after in zip(line.rows[:-1], line.moves[:-1], line.rows[1:], strict=True):
        assert model.successor[row, move] == after
    mine = model.seat[line.rows] == seat
    assert (table[line.rows[mine], line.moves[mine]] == 1.0).all()
    assert model.reward[line.rows[-1], line.moves[-1]] == 2 * seat - 1


@pytest.mark.slow
@pytest.mark.equal_results
@pytest.mark.parametrize("seat", [0, 1])
def test_refute_ends_with_a_clone_that_cannot_be_refuted(seat: int) -> None:
    """No label is paid twice, none lies off the expert's ways, and there are fewer than cover them."""
    model = graph("connect4:3x3:3")
    case = Case("refute", 1 - seat, model)
    explorer = case.build()
    rounds: list[Decisions] = []
    while not explorer.done and len(rounds) < 100:
        rounds.append(case.round(explorer, len(rounds)))
        explorer.update(rounds[-1], rng=stream(0, "test/update", round_=len(rounds)))
    assert explorer.done
    fit = explorer.clone()
    assert fit is not None
    table = tabulate(model, fit.policy, seat)
    assert exploitability(model, greedy_rows(table), seat) == 0.0
    assert exploitability(model, table, seat) <= RefuteConfig().tolerance
    asked = merge(rounds)
    asked = asked.take(asked.queried)
    assert (asked.seat == seat).all()
    assert (
        asked.labels()
        == asked.distinct_labels()
        < coverage_bounds(model, optimal_table(model, ties="first"), seat).labels
    )
    profile = [uniform_rows(model.legal(0)), uniform_rows(model.legal(1))]
    profile[seat] = optimal_table(model, ties="first")
    assert (model.reach((profile[0], profile[1]))[model.index(asked.state)] > 0).all()


@pytest.mark.slow
def test_refute_stops_asking_once_the_answer_leaves_the_line() -> None:
    """In each game every ask but the last is answered with the line's own move."""
    case = Case("refute", 1, graph("tictactoe"))
    explorer = case.build()
    assert isinstance(explorer, Refute)
    surprised = 0
    for number in range(6):
        line = explorer.lines[0]
        planned = dict(zip(line.rows.tolist(), line.moves.tolist(), strict=True))
        decisions = case.round(explorer, number)
        asked = decisions.take(decisions.queried)
        answers = asked.label.argmax(1)
        own = [planned[row] for row in case.model.index(asked.state).tolist()]
        assert (answers[:-1] == own[:-1]).all()
        surprised += bool(answers[-1] != own[-1])
        explorer.update(decisions, rng=stream(0, "test/update", round_=number))
    assert surprised >= 3


@pytest.mark.parametrize("seat", [0, 1])
def test_refute_asks_once_even_where_nothing_can_be_lost(seat: int) -> None:
    """Two in a row on 2 x 2: whoever moves first wins, whatever is played."""
    model = graph("tictactoe:2x2:2")
    collector = Collector("mail", model.game, 0)
    learner = Mail(Options(explorer="refute", model=model))
    found = learner.explore(collector, first_experts(model), Budget(episodes=5), seat)
    assert found.decisions.games == 1 and 1 <= found.decisions.labels() <= 2  # a line has two decisions of seat 0
    assert found.clone is not None
    assert exploitability(model, tabulate(model, found.clone.policy, seat), seat) == pytest.approx(0.0, abs=1e-12)
