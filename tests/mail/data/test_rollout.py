"""Play and what it writes down: every decision once, linked to the same seat's next one, credited with its reward."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import expert
from agents.policy import Lifted, Policy, PolicyError, Seats, Uniform, tabulate
from agents.tabular import from_model
from games import Board, Game, GameError, GameGraph
from games.base import Bools, Floats, States
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Match, Selective, Shard, play, play_shard, random_moves
from mail.parallel.streams import stream
from tests.support import PENNIES, Stuck, game, graph, move, random_profile, reloaded, uniform_profile

UNIFORM: Seats = (Uniform(), Uniform())
CASES = ["tictactoe", "quotient:tictactoe", "connect4:3x4", "connect4", "pennies"]


def some_game(name: str) -> Game:
    return PENNIES if name == "pennies" else game(name)


def some_decisions(name: str = "tictactoe", episodes: int = 30, seed: int = 0) -> Decisions:
    """Uniform play, every decision labelled."""
    return play(some_game(name), UNIFORM, episodes, labels=UNIFORM, rng=stream(seed, "test"))


def same(one: Decisions, other: Decisions) -> bool:
    """Bit for bit, NaN included."""
    pairs = zip(one.arrays().values(), other.arrays().values(), strict=True)
    return all(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in pairs)


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


def test_streams_are_told_apart_by_every_part_of_their_address() -> None:
    seats = [0, 1]
    addresses = [
        (seed, stage, seat, round_, shard)
        for seed in (0, 1, 2**40)
        for stage in ("bc", "mail/explore", "mail/explore ", "")
        for seat in seats
        for round_ in range(3)
        for shard in range(3)
    ]
    draws = [stream(a, b, seat=c, round_=d, shard=e).integers(2**63) for a, b, c, d, e in addresses]
    assert len(set(draws)) == len(addresses)
    again = [stream(a, b, seat=c, round_=d, shard=e).integers(2**63) for a, b, c, d, e in reversed(addresses)]
    assert draws == again[::-1]


def test_a_stream_is_pinned() -> None:
    """Saved runs resume only while an address keeps meaning the same draws."""
    assert stream(3, "mail/explore", seat=1, round_=2, shard=4).integers(1000, size=4).tolist() == [172, 869, 802, 840]
    assert np.array_equal(stream(3, "x").random(5), stream(3, "x", seat=0, round_=0, shard=0).random(5))


def test_a_shard_plays_from_its_own_stream(tictactoe: Board) -> None:
    match = Match(tictactoe, UNIFORM, (None, Uniform()))
    shard = Shard(episodes=7, seed=1, stage="test", seat=1, round_=2, shard=3)
    here, elsewhere = play_shard(match, shard), play_shard(*reloaded((match, shard)))
    assert here.games == 7
    assert same(here, elsewhere)
    rng = stream(1, "test", seat=1, round_=2, shard=3)
    assert same(here, play(tictactoe, UNIFORM, 7, labels=(None, Uniform()), rng=rng))
    assert not same(here, play_shard(match, replace(shard, shard=4)))


# --- decisions as data -----------------------------------------------------------------------------------

DECISIONS = some_decisions(episodes=8)
masks = st.lists(st.booleans(), min_size=len(DECISIONS), max_size=len(DECISIONS)).map(np.array)


@given(mask=masks)
def test_take_keeps_rows_and_the_links_between_them(mask: np.ndarray) -> None:
    rows = np.flatnonzero(mask)
    taken = DECISIONS.take(mask)
    assert len(taken) == len(rows)
    assert same(taken, DECISIONS.take(rows))
    for field in fields(Decisions):
        if field.name != "next":
            assert np.array_equal(getattr(taken, field.name), getattr(DECISIONS, field.name)[rows])
    place = {row: at for at, row in enumerate(rows.tolist())}
    assert taken.next.tolist() == [place.get(row, -1) for row in DECISIONS.next[rows].tolist()]


@given(first=masks, second=masks)
def test_take_twice_is_take_once(first: np.ndarray, second: np.ndarray) -> None:
    """Where a row is left out its link is cut, whichever of the two leaves it out."""
    assert same(DECISIONS.take(first).take(second[first]), DECISIONS.take(first & second))


@given(order=st.permutations(range(len(DECISIONS))))
def test_take_in_another_order_keeps_every_link(order: list[int]) -> None:
    taken = DECISIONS.take(np.array(order))
    linked = taken.next >= 0
    assert linked.sum() == (DECISIONS.next >= 0).sum()
    assert np.array_equal(taken.state[taken.next[linked]], DECISIONS.state[DECISIONS.next[np.array(order)[linked]]])
    assert same(taken.take(np.argsort(order)), DECISIONS)


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=5), seed=st.integers(0, 1000))
def test_merge_puts_batches_one_after_the_other(sizes: list[int], seed: int) -> None:
    parts = [some_decisions("connect4:3x4", size, seed + at) for at, size in enumerate(sizes)]
    whole = merge(parts)
    assert len(whole) == sum(len(part) for part in parts)
    assert whole.games == sum(sizes)
    start = games = 0
    for part in parts:
        rows = slice(start, start + len(part))
        for field in fields(Decisions):
            merged, own = getattr(whole, field.name)[rows], getattr(part, field.name)
            if field.name == "next":
                own = np.where(own >= 0, own + start, -1)
            if field.name == "episode":
                own = own + games
            assert np.array_equal(merged, own)
            assert merged.dtype == own.dtype
        assert same(replace(whole.take(np.arange(start, start + len(part))), episode=part.episode), part)
        start, games = start + len(part), games + part.games
    assert whole.labels() == sum(part.labels() for part in parts)
    assert whole.distinct_labels() <= sum(part.distinct_labels() for part in parts)
    assert merge([whole]).distinct_labels() == merge([whole, whole]).distinct_labels() == whole.distinct_labels()


@given(sizes=st.lists(st.integers(1, 4), min_size=3, max_size=3))
def test_merge_is_associative(sizes: list[int]) -> None:
    a, b, c = (some_decisions("tictactoe", size, seed) for seed, size in enumerate(sizes))
    assert same(merge([merge([a, b]), c]), merge([a, b, c]))
    assert same(merge([a, merge([b, c])]), merge([a, b, c]))
    assert same(merge([a]), a)


def test_merging_with_nothing() -> None:
    nothing = DECISIONS.take(np.zeros(len(DECISIONS), dtype=bool))
    assert (len(nothing), nothing.games, nothing.labels(), nothing.distinct_labels()) == (0, 0, 0, 0)
    assert same(merge([nothing, DECISIONS, nothing]), DECISIONS)
    with pytest.raises(ValueError, match="nothing to merge"):
        merge([])


def test_arrays_are_the_way_out_and_back() -> None:
    assert list(DECISIONS.arrays()) == [field.name for field in fields(Decisions)]
    assert same(Decisions(**DECISIONS.arrays()), DECISIONS)
    assert same(reloaded(DECISIONS), DECISIONS)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seat": DECISIONS.seat[1:]}, "seat has"),
        ({"next": DECISIONS.next[:-1]}, "next has"),
        ({"label": DECISIONS.label.astype(np.float64)}, "label must be float32"),
        ({"label": DECISIONS.label[:, 1:]}, "label must be float32"),
        ({"played": np.roll(DECISIONS.played, 1)}, "illegal action"),
        ({"next": np.where(DECISIONS.next < 0, len(DECISIONS), DECISIONS.next)}, "refers to rows that do not exist"),
        ({"next": np.where(DECISIONS.next < 0, -2, DECISIONS.next)}, "refers to rows that do not exist"),
    ],
)
def test_decisions_are_checked_where_they_are_built(changes: dict[str, np.ndarray], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Decisions(**(DECISIONS.arrays() | changes))


def test_tables_tell_who_was_asked_what(tictactoe_graph: GameGraph) -> None:
    """Labels collected over a graph's every position are the expert's table."""
    table = tabulate(tictactoe_graph, expert.make("first", tictactoe_graph)[0], 0)
    experts = expert.make("first", tictactoe_graph)
    decisions = play(tictactoe_graph.game, UNIFORM, 400, labels=(experts[0], None), rng=stream(9, "test"))
    mine = decisions.take(decisions.seat == 0)
    assert np.array_equal(mine.label, table[tictactoe_graph.index(mine.state)].astype(np.float32))


def test_a_position_that_goes_on_without_a_move_ends_play_with_an_error() -> None:
    with pytest.raises(GameError, match="test-stuck goes on without a move to make at: "):
        play(Stuck(), (Uniform(), Uniform()), 3, rng=stream(0, "stuck", seat=0))
