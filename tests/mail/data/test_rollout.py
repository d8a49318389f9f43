"""Play and what it writes down: every decision once, linked to the same seat's next one, credited with its reward."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents import expert
from agents.policy import Lifted, Policy, PolicyError, Uniform
from agents.tabular import from_model
from games import Board, Game, GameError, GameGraph
from games.base import Bools, Floats, States
from mail.data.rollout import Match, Selective, Shard, play, play_shard, random_moves
from mail.parallel.streams import stream
from tests.mail.data.some_decisions import UNIFORM, same, some_decisions, some_game
from tests.support import PENNIES, Stuck, game, graph, move, random_profile, reloaded, uniform_profile

CASES = ["tictactoe", "quotient:tictactoe", "connect4:3x4", "connect4", "pennies"]


# --- what every batch of decisions holds -----------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_rows_say_what_the_game_says(name: str) -> None:
    played, rules = some_game(name), some_decisions(name)
    assert rules.games == 30
    for seat in (0, 1):
        mine = rules.seat == seat
        states = rules.state[mine]
        assert mine.any()
        assert np.array_equal(rules.legal[mine], played.legal(states, seat))
        assert np.array_equal(rules.observation[mine], played.observe(states, seat))
        assert np.array_equal(rules.key[mine], played.key(states, seat))
        assert played.acting(states)[:, seat].all()
    assert rules.legal[np.arange(len(rules)), rules.played].all()
    assert np.array_equal(np.unique(rules.episode), np.arange(30))


@pytest.mark.parametrize("name", CASES)
def test_next_is_the_same_seats_next_decision_of_the_same_game(name: str) -> None:
    decisions = some_decisions(name)
    for seat in (0, 1):
        for episode in range(decisions.games):
            rows = np.flatnonzero((decisions.seat == seat) & (decisions.episode == episode))
            assert decisions.next[rows].tolist() == [*rows[1:].tolist(), -1]
            assert decisions.ended[rows].tolist() == [False] * (len(rows) - 1) + [True]


@pytest.mark.parametrize("name", [case for case in CASES if case != "pennies"])
def test_decisions_replayed_give_the_states_and_the_payoffs(name: str) -> None:
    """The moves of each game, in order of rows, lead from state to state; each seat's rewards sum to its payoff."""
    rules, decisions = some_game(name), some_decisions(name)
    rng = np.random.default_rng(0)
    payoffs = []
    for episode in range(decisions.games):
        rows = np.flatnonzero(decisions.episode == episode)
        assert decisions.seat[rows].tolist() == [ply % 2 for ply in range(len(rows))]
        states, reward, done = rules.start(1, rng=rng), np.zeros(1), np.zeros(1, bool)
        for row in rows:
            assert not done[0]
            assert np.array_equal(states[0], decisions.state[row])
            states, reward, done = rules.step(
                states, move(int(decisions.seat[row]), int(decisions.played[row])), rng=rng
            )
        assert done[0]
        payoffs.append(reward[0])
        for seat in (0, 1):
            own = rows[decisions.seat[rows] == seat]
            assert (decisions.reward[own[:-1]] == 0).all()
            assert decisions.reward[own[-1]] == (1 - 2 * seat) * reward[0]
    assert {1.0, -1.0} <= set(payoffs)


def test_the_loser_is_told_at_its_last_decision(tictactoe: Board) -> None:
    """A drawn game: seat 0 fills the top row, seat 1 the middle one; the loss comes after seat 1's last move."""
    decisions = play(tictactoe, (Scripted([0, 1, 2]), Scripted([3, 4])), 2, rng=stream(0, "test"))
    assert decisions.episode.tolist() == [0, 1] * 5
    assert decisions.seat.tolist() == [0, 0, 1, 1, 0, 0, 1, 1, 0, 0]
    assert decisions.played.tolist() == [0, 0, 3, 3, 1, 1, 4, 4, 2, 2]
    assert decisions.next.tolist() == [4, 5, 6, 7, 8, 9, -1, -1, -1, -1]
    assert decisions.reward.tolist() == [0, 0, 0, 0, 0, 0, -1, -1, 1, 1]
    assert decisions.ended.tolist() == [False] * 6 + [True] * 4
    pictures = [tictactoe.render(state) for state in decisions.state[decisions.episode == 0]]
    assert pictures == [
        "...\n...\n...",
        "x..\n...\n...",
        "x..\no..\n...",
        "xx.\no..\n...",
        "xx.\noo.\n...",
    ]


class Scripted:
    """Takes the lowest legal one of its actions."""

    def __init__(self, actions: list[int]) -> None:
        self.actions = actions

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        rows = np.zeros((len(states), game.spec.actions))
        for row, legal in enumerate(game.legal(states, seat)):
            if legal.any():
                rows[row, next(action for action in self.actions if legal[action])] = 1.0
        return rows


def test_seats_that_act_at_once_both_decide_and_are_rewarded_each_round() -> None:
    decisions = play(PENNIES, UNIFORM, 50, rng=stream(1, "test"))
    assert len(decisions) == 50 * 2 * 2
    first, second = (np.flatnonzero(decisions.seat == seat) for seat in (0, 1))
    for rows in (first, second):
        assert np.array_equal(decisions.next[rows], np.where(decisions.next[rows] < 0, -1, rows + 100))
        assert decisions.state[rows, 0].tolist() == [0] * 50 + [1] * 50
    matched = decisions.played[first] == decisions.played[second]
    assert decisions.reward[first].tolist() == (np.where(matched, 1, -1) * decisions.state[first, 1]).tolist()
    assert np.array_equal(decisions.reward[first], -decisions.reward[second])
    assert set(decisions.state[100:, 1]) == {-1, 1}


def test_one_position_asked_of_both_seats_is_two_labels() -> None:
    """Both rounds' three positions, and both seats decide at each."""
    decisions = some_decisions("pennies")
    assert (decisions.labels(), decisions.distinct_labels()) == (30 * 2 * 2, 3 * 2)


# --- labels ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [(True, True), (True, False), (False, True), (False, False)])
def test_labels_are_there_exactly_where_somebody_was_asked(
    tictactoe: Board, tictactoe_graph: GameGraph, asked: tuple[bool, bool]
) -> None:
    experts = expert.make("uniform", tictactoe_graph)
    labels = experts[0] if asked[0] else None, experts[1] if asked[1] else None
    decisions = play(tictactoe, UNIFORM, 40, labels=labels, rng=stream(2, "test"))
    assert decisions.label.dtype == np.float32
    assert decisions.labels() == sum((decisions.seat == seat).sum() for seat in (0, 1) if asked[seat])
    pairs = set()
    for seat in (0, 1):
        mine = decisions.seat == seat
        assert (decisions.queried[mine] == asked[seat]).all()
        if asked[seat]:
            answers = experts[seat].probabilities(tictactoe, decisions.state[mine], seat)
            assert np.array_equal(decisions.label[mine], answers.astype(np.float32))
            pairs |= {(seat, key.tobytes()) for key in decisions.key[mine]}
        else:
            assert np.isnan(decisions.label[mine]).all()
    assert decisions.distinct_labels() == len(pairs)
    assert (decisions.distinct_labels() < decisions.labels()) == any(asked)


def test_asking_does_not_change_the_games(tictactoe: Board, tictactoe_graph: GameGraph) -> None:
    experts = expert.make("first", tictactoe_graph)
    silent = play(tictactoe, UNIFORM, 20, rng=stream(3, "test"))
    asked = play(tictactoe, UNIFORM, 20, labels=experts, rng=stream(3, "test"))
    assert same(replace(asked, label=silent.label), silent)


def test_a_policy_that_plays_and_labels_is_asked_once(tictactoe: Board) -> None:
    class Counting(Uniform):
        asks = 0

        def probabilities(self, game: Game, states: States, seat: int) -> Floats:
            self.asks += len(states)
            return super().probabilities(game, states, seat)

    players = Counting(), Counting()
    decisions = play(tictactoe, players, 20, labels=(players[0], None), rng=stream(4, "test"))
    assert [player.asks for player in players] == [(decisions.seat == seat).sum() for seat in (0, 1)]
    assert np.allclose(decisions.label[decisions.seat == 0].sum(1), 1.0)


class EveryOther:
    """Wants to ask where no stone lies, or four, or eight: not at every one of seat 0's turns."""

    def __call__(self, game: Game, states: States, seat: int) -> Bools:
        return np.array([bin(int(stones)).count("1") % 4 == 0 for stones in states[:, 1]])


@pytest.mark.parametrize("plays", [False, True])
def test_a_selective_policy_is_asked_where_it_wants_and_nowhere_else(
    plays: bool, tictactoe: Board, tictactoe_graph: GameGraph
) -> None:
    class Counting:
        asks = 0

        def __init__(self, policy: Policy) -> None:
            self.policy = policy

        def probabilities(self, game: Game, states: States, seat: int) -> Floats:
            self.asks += len(states)
            return self.policy.probabilities(game, states, seat)

    first = Counting(expert.make("first", tictactoe_graph)[0])
    asked = Selective(first, EveryOther(), plays)
    decisions = play(tictactoe, UNIFORM, 30, labels=(asked, None), rng=stream(3, "test"))
    mine = decisions.take(decisions.seat == 0)
    wanted = EveryOther()(tictactoe, mine.state, 0)
    assert wanted.any() and not wanted.all()
    assert np.array_equal(mine.queried, wanted)
    assert first.asks == wanted.sum() == decisions.labels()
    answers = first.policy.probabilities(tictactoe, mine.state[wanted], 0)
    assert np.array_equal(mine.label[wanted], answers.astype(np.float32))
    assert (mine.played[wanted] == answers.argmax(1)).all() == plays
    if not plays:
        silent = play(tictactoe, UNIFORM, 30, rng=stream(3, "test"))
        assert same(replace(decisions, label=silent.label), silent), "asking does not change the games"


def test_a_selective_policy_travels_with_its_shard(tictactoe: Board, tictactoe_graph: GameGraph) -> None:
    match = Match(
        tictactoe, UNIFORM, (None, Selective(expert.make("uniform", tictactoe_graph)[1], EveryOther(), plays=True))
    )
    shard = Shard(episodes=5, seed=1, stage="test", seat=1, round_=0, shard=0)
    assert same(play_shard(match, shard), play_shard(*reloaded((match, shard))))


def test_a_policy_that_is_no_distribution_is_refused(tictactoe: Board) -> None:
    class Half(Uniform):
        def probabilities(self, game: Game, states: States, seat: int) -> Floats:
            return super().probabilities(game, states, seat) / 2

    for seats, labels in (((Half(), Uniform()), (None, None)), (UNIFORM, (None, Half()))):
        with pytest.raises(PolicyError, match=r"^Half .*do not sum to 1 \(off by 0.5\)"):
            play(tictactoe, seats, 3, labels=labels, rng=stream(0, "test"))
    for episodes in (0, -1):
        with pytest.raises(ValueError, match="at least one episode"):
            play(tictactoe, UNIFORM, episodes, rng=stream(0, "test"))


# --- play is fair ----------------------------------------------------------------------------------------


def test_results_are_as_often_as_the_graph_says(tictactoe: Board, tictactoe_graph: GameGraph) -> None:
    """20,000 games between random tables; mean and reach within five standard errors."""
    profile = random_profile(tictactoe_graph, 8)
    seats = from_model(tictactoe_graph, 0, profile[0]), from_model(tictactoe_graph, 1, profile[1])
    episodes = 20_000
    decisions = play(tictactoe, seats, episodes, rng=stream(5, "test"))
    mean = decisions.reward[decisions.seat == 0].sum() / episodes
    assert abs(mean - tictactoe_graph.value(profile)) < 5 / np.sqrt(episodes)
    visits = np.bincount(tictactoe_graph.index(decisions.state), minlength=len(tictactoe_graph)) / episodes
    reach = tictactoe_graph.reach(profile)
    assert (visits[reach == 0] == 0).all()
    assert (np.abs(visits - reach) <= 5 * np.sqrt(reach * (1 - reach) / episodes) + 2e-4).all()


def test_two_first_experts_play_one_game_over_and_over(tictactoe: Board, tictactoe_graph: GameGraph) -> None:
    experts = expert.make("first", tictactoe_graph)
    decisions = play(tictactoe, experts, 12, labels=experts, rng=stream(6, "test"))
    assert decisions.labels() == 12 * 9
    assert decisions.distinct_labels() == 9
    assert (decisions.reward == 0).all(), "perfect play of both is a draw"
    assert np.array_equal(decisions.label.argmax(1), decisions.played)


def test_a_lifted_policy_plays_the_board(tictactoe: Board, quotient_graph: GameGraph) -> None:
    experts = expert.make("first", quotient_graph)
    lifted: list[Policy] = [Lifted(policy, quotient_graph.game) for policy in experts]  # type: ignore[arg-type]
    decisions = play(tictactoe, (Uniform(), lifted[1]), 200, labels=(None, lifted[1]), rng=stream(7, "test"))
    assert (decisions.reward[decisions.seat == 1] >= 0).all(), "the expert never loses"
    assert (decisions.reward[decisions.seat == 1] > 0).any()


def test_random_moves_counts_every_stone(tictactoe: Board) -> None:
    """As many moves a game as the graph says, with observations or without."""
    model = graph("tictactoe")
    expected = model.reach(uniform_profile(model)).sum()
    moves = random_moves(tictactoe, 5000, rng=stream(8, "test"))
    assert moves / 5000 == pytest.approx(expected, abs=5 * 1.2 / np.sqrt(5000))
    assert random_moves(tictactoe, 5000, rng=stream(8, "test"), observe=True) == moves
    assert random_moves(game("connect4:2x2:2"), 100, rng=stream(8, "test")) == 300


# --- streams ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tictactoe", "connect4", "pennies"])
def test_the_same_stream_gives_the_same_decisions(name: str) -> None:
    assert same(some_decisions(name), some_decisions(name))
    assert not same(some_decisions(name), some_decisions(name, seed=1))


def test_a_shard_plays_from_its_own_stream(tictactoe: Board) -> None:
    match = Match(tictactoe, UNIFORM, (None, Uniform()))
    shard = Shard(episodes=7, seed=1, stage="test", seat=1, round_=2, shard=3)
    here, elsewhere = play_shard(match, shard), play_shard(*reloaded((match, shard)))
    assert here.games == 7
    assert same(here, elsewhere)
    rng = stream(1, "test", seat=1, round_=2, shard=3)
    assert same(here, play(tictactoe, UNIFORM, 7, labels=(None, Uniform()), rng=rng))
    assert not same(here, play_shard(match, replace(shard, shard=4)))


def test_a_position_that_goes_on_without_a_move_ends_play_with_an_error() -> None:
    with pytest.raises(GameError, match="test-stuck goes on without a move to make at: "):
        play(Stuck(), (Uniform(), Uniform()), 3, rng=stream(0, "stuck", seat=0))
