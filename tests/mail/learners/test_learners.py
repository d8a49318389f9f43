"""One suite over every learner: legal policies, budgets kept, the same bits for the same seed; then BC and MAIL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from agents import expert
from agents.network import Architecture
from agents.policy import Policy, Seats, query, tabulate
from games import Model, NashmailError
from games.models import model_of
from mail import explore
from mail.clone.network import CloneConfig
from mail.data.decisions import Decisions
from mail.data.rollout import Shard
from mail.evaluation.gap import exploitability
from mail.learners.base import LEARNERS, OF_THE_RUN, Learner, check, declared, make_learner, names, register
from mail.learners.bc import Bc
from mail.learners.budget import Budget
from mail.learners.collect import SHARD, Learned, Options
from mail.learners.interactive import Mail
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local
from tests.support import game, graph

QUICK = CloneConfig(architecture=Architecture(channels=4, convolutions=1, hidden=16), max_steps=30)
Round = tuple[str, int, int]
EXPERTS: dict[tuple[int, str], tuple[Model, Seats]] = {}
"""Made once; the model is kept with them, so that its identity stays its own."""


class Counting:
    """The local pool, which remembers the shards of games that it was given."""

    def __init__(self) -> None:
        self.shards: list[Shard] = []

    def map(self, task: Callable[[Any, Any], Any], shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> Any:
        self.shards += [shard for shard in shards if isinstance(shard, Shard)]
        return Local().map(task, shared, shards, on_result=on_result)

    def games(self, seat: int | None = None) -> int:
        return sum(shard.episodes for shard in self.shards if seat in (None, shard.seat))


class Backwards:
    """Does the last shard first, and gives the results in shard order."""

    def map(self, task: Callable[[Any, Any], Any], shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> Any:
        found = Local().map(task, shared, shards[::-1])[::-1]
        for index, result in reversed(list(enumerate(found))):
            if on_result is not None:
                on_result(index, result)
        return found


class Idle:
    """Nobody is to play."""

    def map(self, task: Callable[[Any, Any], Any], shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> Any:
        if any(isinstance(shard, Shard) for shard in shards):
            raise AssertionError("a game was played")
        return Local().map(task, shared, shards, on_result=on_result)


@dataclass
class Kept(NullJournal):
    """A journal in memory."""

    rounds: dict[Round, Decisions] = field(default_factory=dict)
    told: list[tuple[str, int, dict[str, float]]] = field(default_factory=list)
    values: dict[Round, dict[str, float]] = field(default_factory=dict)

    def load(self, learner: str, seat: int, round_: int) -> Decisions | None:
        return self.rounds.get((learner, seat, round_))

    def store(self, learner: str, seat: int, round_: int, decisions: Decisions) -> None:
        assert (learner, seat, round_) not in self.rounds, "a round was played twice"
        self.rounds[learner, seat, round_] = decisions

    def load_values(self, stage: str, seat: int, round_: int) -> dict[str, float]:
        return self.values.get((stage, seat, round_), {})

    def store_values(self, stage: str, seat: int, round_: int, values: dict[str, float]) -> None:
        self.values[stage, seat, round_] = values

    def log(self, learner: str, seat: int, values: dict[str, float]) -> None:
        self.told.append((learner, seat, values))


def experts(model: Model, ties: str = "first") -> Seats:
    key = id(model), ties
    if key not in EXPERTS:
        EXPERTS[key] = model, expert.make(ties, model)
    return EXPERTS[key][1]


def options(seed: int = 0, *, explorer: str = "counts", clone: CloneConfig = QUICK) -> Options:
    return Options(seed=seed, explorer=explorer, clone=clone, model=graph("tictactoe"))


@dataclass(frozen=True)
class Case:
    """A learner and where it learns."""

    name: str
    model: Model

    def build(self, seed: int = 0) -> Learner:
        return make_learner(self.name, replace(options(seed), model=self.model))

    def learn(self, seed: int = 0, *, episodes: int = 9, pool: Any = None, journal: Any = None) -> Learned:
        learner = self.build(seed)
        return learner.learn(
            self.model.game,
            experts(self.model, declared(self.name).expert or "first"),
            Budget(episodes),
            pool=pool or Local(),
            journal=journal or NullJournal(),
        )

    def bits(self, learned: Learned) -> list[bytes]:
        """Everything that came of it."""
        tables = [tabulate(self.model, policy, seat).tobytes() for seat, policy in enumerate(learned.policies)]
        return tables + [array.tobytes() for part in learned.decisions for array in part.arrays().values()]


@cache
def run_once(case: Case) -> tuple[Learned, Kept]:
    """The result of a learner of seed 0, and its journal, for checks that look at them and change nothing."""
    journal = Kept()
    return case.learn(journal=journal), journal


# --- what every learner promises -------------------------------------------------------------------------


def declares_what_there_is(case: Case) -> None:
    about = declared(case.name)
    assert about.summary and about.source
    assert "labels" in about.knows <= explore.KNOWLEDGE
    assert about.expert is None or about.expert in expert.names()
    assert about.explorer in (None, OF_THE_RUN) or about.explorer in explore.names()
    assert about.explores or about.explorer is None


def teaches_the_seats_that_it_declares(case: Case) -> None:
    learned, _ = run_once(case)
    first, second = learned.decisions
    shared = np.array_equal(first.state, second.state) and learned.games == first.games == second.games
    assert shared == declared(case.name).both_seats
    assert shared or learned.games == first.games + second.games


def gives_a_legal_policy_for_each_seat(case: Case) -> None:
    learned, _ = run_once(case)
    for seat, policy in enumerate(learned.policies):
        assert isinstance(policy, Policy)
        rows = query(policy, case.model.game, case.model.states, seat)
        assert np.array_equal(rows.sum(1) > 0.5, case.model.legal(seat).any(1))


def clones_labels_of_its_own_seat(case: Case) -> None:
    learned, _ = run_once(case)
    for seat, decisions in enumerate(learned.decisions):
        mine = decisions.take(decisions.seat == seat)
        assert mine.labels() > 0
        ties = declared(case.name).expert or "first"
        answers = query(experts(case.model, ties)[seat], case.model.game, mine.state, seat).astype(np.float32)
        assert np.array_equal(mine.label[mine.queried], answers[mine.queried])


def follows_from_its_seed(case: Case) -> None:
    one, same, other = case.learn(3), case.learn(3), case.learn(4)
    assert case.bits(one) == case.bits(same)
    # Tables and convex fits of one game draw nothing, and no more does DAgger's first round, which is that game, nor
    # exact best responses to tables.
    if (declared(case.name).explores and case.name not in ("dagger", "dagger-best")) or one.cloner == "network":
        assert case.bits(one)[:2] != case.bits(other)[:2]
    assert (one.games, one.fits[0].steps) == (same.games, same.fits[0].steps)


def plays_no_more_games_than_it_may(case: Case) -> None:
    for episodes in (1, 5, SHARD + 3):
        pool = Counting()
        learned = case.learn(episodes=episodes, pool=pool)
        assert max(pool.games(0), pool.games(1)) <= episodes
        assert learned.games == (sum(learned.labels) if case.name in WITHOUT_GAMES else pool.games())
        assert max(part.games for part in learned.decisions) <= episodes


def goes_on_from_its_journal_without_playing(case: Case) -> None:
    learned, journal = run_once(case)
    assert journal.rounds
    again = case.learn(pool=Idle(), journal=Kept(dict(journal.rounds)))
    assert case.bits(again) == case.bits(learned)
    assert again.games == learned.games


def goes_on_from_half_a_journal(case: Case) -> None:
    learned, journal = run_once(case)
    half = dict(list(journal.rounds.items())[: len(journal.rounds) // 2])
    assert case.bits(case.learn(journal=Kept(half))) == case.bits(learned)


def tells_its_journal_the_budget_words(case: Case) -> None:
    learned, journal = run_once(case)
    for seat in (0, 1):
        told = [values for name, where, values in journal.told if (name, where) == (case.name, seat)]
        assert told
        games = [values["games"] for values in told]
        assert games == sorted(games)
        mine = learned.decisions[seat].take(learned.decisions[seat].seat == seat)
        last = {key: told[-1][key] for key in ("games", "labels", "distinct_labels")}
        assert last == {
            "games": learned.decisions[seat].games,
            "labels": mine.labels(),
            "distinct_labels": mine.distinct_labels(),
        }


def gives_the_same_bits_from_another_pool(case: Case) -> None:
    assert case.bits(case.learn(pool=Backwards())) == case.bits(run_once(case)[0])


CHECKS = [
    declares_what_there_is,
    teaches_the_seats_that_it_declares,
    gives_a_legal_policy_for_each_seat,
    clones_labels_of_its_own_seat,
    follows_from_its_seed,
    plays_no_more_games_than_it_may,
    goes_on_from_its_journal_without_playing,
    goes_on_from_half_a_journal,
    tells_its_journal_the_budget_words,
    gives_the_same_bits_from_another_pool,
]
MARKS = dict.fromkeys((goes_on_from_half_a_journal, gives_the_same_bits_from_another_pool), pytest.mark.equal_results)


GAMES = {"malice": "rps", "mail-walk": "connect4:3x3:3"}
"""Where learners learn that cannot learn the boards: they need experts who come everywhere, or discs that fall."""
WITHOUT_GAMES = {"mail-walk"}
"""Learners that play no games; each of their queries counts as one."""


def places() -> list[Any]:
    """Every learner, in Tic-Tac-Toe and up to symmetry, or in its own game."""
    boards = [pytest.param(name, "quotient:tictactoe", marks=pytest.mark.slow) for name in names() if name not in GAMES]
    return [pytest.param(name, GAMES.get(name, "tictactoe")) for name in names()] + boards


@pytest.mark.parametrize(("name", "game_name"), places())
@pytest.mark.parametrize(
    "check", [pytest.param(check, marks=MARKS.get(check, ()), id=check.__name__) for check in CHECKS]
)
def test_learner(name: str, game_name: str, check: Callable[[Case], None]) -> None:
    model = model_of(game(game_name)) if name in GAMES else graph(game_name)
    assert model is not None
    check(Case(name, model))


def test_learners_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"bc", "bc-uniform", "mail"} <= set(names())
    with pytest.raises(
        NashmailError, match=r"^no learner is called 'nope'; the learners are: airl, airl-deep, bc, .*mail"
    ) as error:
        check("nope")
    assert "\n" not in str(error.value)
    monkeypatch.setattr(LEARNERS, "entries", {"bc": LEARNERS.entries["bc"]})
    with pytest.raises(NashmailError, match="a learner called bc is already registered"):
        register("bc", Bc)
    for bad in ("", "two words", "a:b", "a/b", "a,b"):
        with pytest.raises(NashmailError, match="a learner's name is a new word"):
            register(bad, Bc)
    register("mine-2", lambda given: Mail(given, name="mine-2"))
    assert isinstance(make_learner("mine-2", options()), Mail)
    assert names() == ["bc", "mine-2"]


# --- behavioral cloning ---------------------------------------------------------------------------------


def learn(learner: Learner, budget: Budget, *, pool: Any = None, ties: str = "first") -> Learned:
    model = graph("tictactoe")
    return learner.learn(model.game, experts(model, ties), budget, pool=pool or Local(), journal=NullJournal())


def own(learned: Learned, seat: int) -> Decisions:
    return learned.decisions[seat].take(learned.decisions[seat].seat == seat)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bc", "bc-uniform"])
@pytest.mark.parametrize("wanted", [(1, 1), (40, 30), (7, 200), (321, 256)])
def test_bc_spends_its_labels_exactly(name: str, wanted: tuple[int, int]) -> None:
    learned = learn(make_learner(name, options()), Budget(labels=wanted))
    assert (own(learned, 0).labels(), own(learned, 1).labels()) == wanted


def test_labels_are_spent_game_by_game_in_order_of_play() -> None:
    """Eight of a first seat's labels are one game of five decisions and the first three of the next."""
    learned = learn(Bc(options()), Budget(labels=(8, 8)))
    mine = own(learned, 0)
    assert mine.episode.tolist() == [0] * 5 + [1] * 3
    assert np.array_equal(mine.state[5:], mine.state[:3])


def test_two_first_experts_show_five_and_four_decisions_however_often_they_play() -> None:
    learned = learn(Bc(options()), Budget(200))
    assert [own(learned, seat).distinct_labels() for seat in (0, 1)] == [5, 4]
    assert learned.decisions[0].games == 2 * SHARD, "nothing new came in the second shard"


def test_mail_that_explores_with_the_expert_sees_what_bc_sees() -> None:
    """Exploring with the other expert is what makes MAIL into BC."""
    bc, mail = learn(Bc(options()), Budget(64)), learn(Mail(options(explorer="expert")), Budget(64))
    for seat, distinct in enumerate((5, 4)):
        seen = [own(learned, seat) for learned in (bc, mail)]
        keys = [{key.tobytes() for key in part.key[part.queried]} for part in seen]
        assert keys[0] == keys[1]
        assert len(keys[0]) == distinct
        labels = [dict(zip(map(bytes, part.key), map(bytes, part.label), strict=True)) for part in seen]
        assert labels[0] == labels[1]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_bc_of_a_first_expert_stays_exploitable(seed: int) -> None:
    """It fits every label it was shown, and an opponent who leaves that path beats it all the same."""
    model = graph("tictactoe")
    learned = learn(Bc(options(seed, clone=CloneConfig())), Budget(200))
    for seat, policy in enumerate(learned.policies):
        assert learned.fits[seat].worst <= CloneConfig().tolerance
        assert exploitability(model, tabulate(model, policy, seat), seat) > 0.9


def test_mail_sees_more_than_bc_for_the_same_asks() -> None:
    mail = learn(Mail(options()), Budget(40))
    spent = own(mail, 0).labels(), own(mail, 1).labels()
    bc = learn(Bc(options()), Budget(labels=spent))
    for seat in (0, 1):
        assert own(bc, seat).labels() == own(mail, seat).labels()
        assert own(mail, seat).distinct_labels() > 5 * own(bc, seat).distinct_labels()


def test_mail_asks_one_seat_at_a_time() -> None:
    """While seat 0's expert is led around, seat 1 explores and is asked nothing."""
    learned = learn(Mail(options()), Budget(5))
    for seat, decisions in enumerate(learned.decisions):
        assert set(np.unique(decisions.seat)) == {0, 1}
        assert (decisions.queried == (decisions.seat == seat)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("explorer", "episodes"),
    [
        *((name, games) for name in explore.names() for games in (1, 5) if name != "doubt"),
        *(("doubt", games) for games in (33, 37)),  # its first rounds look, and ask nothing
        ("uniform", 18),
    ],
)
def test_mail_plays_no_more_games_than_it_may_with_any_explorer(explorer: str, episodes: int) -> None:
    """However many games a round has."""
    pool = Counting()
    learned = learn(Mail(options(explorer=explorer)), Budget(episodes, patience_games=100), pool=pool)
    for seat in (0, 1):
        assert 1 <= pool.games(seat) <= episodes
        assert learned.decisions[seat].games == pool.games(seat)
    if explorer == "uniform":
        assert [shard.episodes for shard in pool.shards] == {1: [1, 1], 5: [5, 5], 18: [16, 2, 16, 2]}[episodes]
