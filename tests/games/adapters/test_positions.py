"""When two histories of another library's game are one position: held against every history that there is.

Nothing of ours is trusted: the tree is walked with OpenSpiel's own states, and NashConv is OpenSpiel's where the game
lets it be computed (it needs strings of information states), else a recursion over the tree written here.
"""

from __future__ import annotations

import hashlib
import threading
from functools import cache
from typing import Any

import numpy as np
import pettingzoo
import pyspiel
import pytest
from gymnasium import spaces
from open_spiel.python.algorithms import expected_game_score, exploitability
from open_spiel.python.policy import Policy

import games
from agents import Uniform
from games import GameError, GameGraph
from games.adapters.openspiel import OpenSpielGame
from games.adapters.openspiel_facts import MERGEABLE
from games.adapters.parallel import from_parallel
from games.adapters.pettingzoo import from_aec
from mail.data.rollout import play
from mail.evaluation.gap import table_gap
from mail.parallel.streams import stream

# --- against OpenSpiel, over every history ---------------------------------------------------------------

SMALL = [
    "breakthrough(rows=3,columns=2)",
    "breakthrough(rows=4,columns=2)",
    "chinese_checkers(players=2,max_moves=1)",
    "clobber(rows=2,columns=3)",
    "connect_four(rows=2,columns=4,x_in_row=2,egocentric_obs_tensor=True)",
    "connect_four(rows=9,columns=1,x_in_row=4)",
    "cursor_go(board_size=2,max_cursor_moves=0,komi=0.5)",
    "dots_and_boxes(num_rows=1,num_cols=1)",
    "go(board_size=2,komi=0.5,max_game_length=5)",
    "gomoku(size=2,connect=2,anti=True)",
    "gomoku(size=2,dims=3,connect=2)",
    "havannah(board_size=2)",
    "hex(board_size=2)",
    "hex(board_size=2,swap=True)",
    "hex(num_rows=2,num_cols=3)",
    "lines_of_action(max_game_length=2)",
    "misere(game=hex(board_size=2,swap=True))",
    "misere(game=go(board_size=2,max_game_length=4))",
    "mnk(m=2,n=3,k=2)",
    "nim(pile_sizes=1;2;3)",
    "nim(pile_sizes=1;2;3,is_misere=false)",
    "oware(num_houses_per_player=2,num_seeds_per_house=1)",
    "y(board_size=2)",
    "y(board_size=3)",
]
LARGER = [
    "breakthrough(rows=3,columns=3)",
    "clobber(rows=2,columns=4)",
    "dots_and_boxes(num_rows=2,num_cols=1,utility_margin=True)",
    "go(board_size=2,komi=0.5,max_game_length=6)",
    "gomoku(size=3,connect=2,anti=True)",
    "havannah(board_size=2,swap=True)",
    "hex(num_rows=3,num_cols=2,string_rep=explicit)",
]


def weights(key: list[int], legal: list[int], seed: int) -> dict[int, float]:
    """A random distribution over the legal actions, drawn by the position's key: the same on both sides."""
    drawn = {
        action: 0.05 + int.from_bytes(hashlib.blake2b(f"{seed} {key} {action}".encode(), digest_size=4).digest(), "big")
        for action in legal
    }
    total = sum(drawn.values())
    return {action: weight / total for action, weight in drawn.items()}


class ByKey(Policy):
    """The same random policy for OpenSpiel, which asks for it history by history."""

    def __init__(self, game: OpenSpielGame, seed: int) -> None:
        super().__init__(game.rules, [0, 1])
        self.own, self.seed = game, seed

    def key(self, history: list[int]) -> list[int]:
        row = np.full((1, self.own.spec.longest), -1)
        row[0, : len(history)] = history
        return self.own.key(row)[0].tolist()

    def action_probabilities(self, state: Any, player_id: int | None = None) -> dict[int, float]:
        return weights(self.key(state.history()), state.legal_actions(), self.seed)


def on_the_tree(policy: ByKey, state: Any, seat: int | None) -> float:
    """Seat 0's payoff when ``seat`` answers the policy as well as it can; None: both play as well as they can."""
    if state.is_terminal():
        return float(state.returns()[0])
    found = {action: on_the_tree(policy, state.child(action), seat) for action in state.legal_actions()}
    mover = state.current_player()
    if seat in (None, mover):
        return min(found.values()) if mover else max(found.values())
    return sum(policy.action_probabilities(state)[action] * value for action, value in found.items())


@pytest.mark.parametrize("text", [*SMALL, *(pytest.param(text, marks=pytest.mark.slow) for text in LARGER)])
def test_values_and_gaps_are_openspiels_on_the_history_tree(text: str) -> None:
    game = games.make(f"openspiel:{text}")
    assert isinstance(game, OpenSpielGame)
    model, policy, root = GameGraph(game), ByKey(game, 3), game.rules.new_initial_state()
    profile = np.zeros((2, len(model), game.spec.actions))
    for row, (key, open_) in enumerate(zip(game.key(model.states).tolist(), model.legal_mask, strict=True)):
        for action, weight in weights(key, np.flatnonzero(open_).tolist(), 3).items():
            profile[model.seat[row], row, action] = weight
    gap = table_gap(model, (profile[0], profile[1]))
    best = [on_the_tree(policy, root, seat) for seat in (0, 1)]
    value = on_the_tree(policy, root, None)
    assert model.solve()[0].value == pytest.approx(value, abs=1e-9)
    assert gap.exploitability == pytest.approx((value - best[1], best[0] - value), abs=1e-9)
    assert gap.nash_gap == pytest.approx(best[0] - best[1], abs=1e-9)
    if game.rules.get_type().provides_information_state_string:
        assert gap.nash_gap == pytest.approx(exploitability.nash_conv(game.rules, policy), abs=1e-9)
        score = expected_game_score.policy_value(root, [policy, policy])[0]
        assert model.value((profile[0], profile[1])) == pytest.approx(score, abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        text if text in SMALL else pytest.param(text, marks=pytest.mark.slow)
        for text in [*SMALL, *LARGER]
        if text.partition("(")[0] in {*MERGEABLE, "misere"}
    ],
)
def test_histories_that_share_a_key_have_one_future(text: str) -> None:
    """For every history of the games that are merged: movers, moves, payoffs and ends of all that can follow."""
    game = games.make(f"openspiel:{text}")
    assert isinstance(game, OpenSpielGame)
    policy = ByKey(game, 0)
    futures: dict[tuple[int, ...], Any] = {}

    def future(state: Any) -> Any:
        paid = state.rewards()[0] if state.history() else 0.0
        if state.is_terminal():
            return hash((paid, "over"))
        found = hash((paid, state.current_player(), *((a, future(state.child(a))) for a in state.legal_actions())))
        assert futures.setdefault(tuple(policy.key(state.history())), found) == found, state.history()
        return found

    future(game.rules.new_initial_state())
    assert len(futures) == len(GameGraph(game))


def test_every_game_that_is_merged_was_walked_through() -> None:
    tried = {text.partition("(")[0] for text in SMALL}
    boards = {"tic_tac_toe"}  # a board of ours: test_adapters.py compares it, position by position
    assert set(MERGEABLE) <= tried | boards
    assert set(MERGEABLE) <= set(pyspiel.registered_names())


def test_a_pass_in_go_is_part_of_the_position() -> None:
    """Moves 1, pass, 0 and pass, 1, 0 leave one picture; only after the second does one more pass end the game."""
    game: Any = games.make("openspiel:go(board_size=2,komi=0.5,max_game_length=5)")
    model = GameGraph(game)
    assert model.solve()[0].value == -1.0
    even = np.where(model.legal_mask, 1.0 / np.maximum(model.legal_mask.sum(1, keepdims=True), 1), 0.0)
    gap = table_gap(model, (even * model.legal(0), even * model.legal(1)))
    assert gap.nash_gap == pytest.approx(1.8333333333333333, abs=1e-12)


# --- how long a game lasts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "longest"),
    [
        ("hex(board_size=2,swap=True)", 5),  # declared: 4
        ("hex(board_size=2)", 4),
        ("dots_and_boxes(num_rows=2,num_cols=1)", 7),  # declared: 6
        ("misere(game=dots_and_boxes(num_rows=2,num_cols=1))", 7),
        ("nim(pile_sizes=1;2)", 3),
        ("mancala", 1000),
    ],
)
def test_declared_lengths_are_kept_or_mended(text: str, longest: int) -> None:
    assert games.make(f"openspiel:{text}").spec.longest == longest


@pytest.mark.parametrize(
    "text",
    [
        "cursor_go(board_size=2,max_cursor_moves=1,komi=0.5)",
        "hex(board_size=2,swap=True)",
        "dots_and_boxes(num_rows=2,num_cols=1)",
    ],
)
def test_games_that_outlast_what_is_declared_are_played(text: str) -> None:
    game = games.make(f"openspiel:{text}")
    declared = pyspiel.load_game(text).max_game_length()
    found = play(game, (Uniform(), Uniform()), 200, rng=stream(1, "length", seat=0))
    assert np.bincount(found.episode).max() > declared
    assert np.bincount(found.episode).max() <= game.spec.longest == games.make(f"openspiel:{text}").spec.longest


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("adapter", ["openspiel", "simultaneous"])
@pytest.mark.parametrize("text", ["hex(board_size=1)", "hex(num_rows=1,num_cols=3)"])
def test_a_running_game_without_a_legal_action_is_refused(adapter: str, text: str) -> None:
    with pytest.raises(GameError, match=r"hex.* has no legal action after .*\[\d"):
        GameGraph(games.make(f"{adapter}:{text}"))  # type: ignore[arg-type]


@pytest.mark.parametrize("adapter", ["openspiel", "simultaneous"])
@pytest.mark.parametrize(
    "text", ["hex(num_rows=2,num_cols=3,swap=True)", "misere(game=hex(num_rows=3,num_cols=2,plain_obs_tensor=True))"]
)
def test_games_that_would_end_the_process_are_refused(adapter: str, text: str) -> None:
    with pytest.raises(GameError, match="on a board that is not square"):
        games.make(f"{adapter}:{text}")


def test_an_adapter_that_merges_what_differs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MERGEABLE, "go", "not true")
    merging: Any = games.make("openspiel:go(board_size=2,komi=0.5,max_game_length=5)")
    with pytest.raises(GameError, match=r"seem to lead to the same position, but action 4 has different outcomes"):
        GameGraph(merging)


# --- PettingZoo: what is held, not what is shown ---------------------------------------------------------


class Lights(pettingzoo.AECEnv):
    """Agents in turn switch one of two lights, four times in all; both see the lights and how often that was done.

    With ``memory``, whoever moves last wins only if light 0 was switched first; else if light 0 is on.
    """

    metadata: dict[str, Any] = {"name": "lights_v0", "is_parallelizable": False}  # noqa: RUF012
    render_mode = None
    possible_agents = ["a", "b"]  # noqa: RUF012

    def __init__(self, memory: bool, opaque: bool = False) -> None:
        self.memory = memory
        if opaque:
            self.lock = threading.Lock()

    def observation_space(self, agent: str) -> Any:
        return spaces.Box(0, 9, (3,), np.float32)

    def action_space(self, agent: str) -> Any:
        return spaces.Discrete(2)

    def reset(self, seed: int | None = None, options: Any = None) -> None:
        self.agents = self.possible_agents[:]
        self.lights, self.moves, self.first = np.zeros(2, dtype=np.int64), 0, -1
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, Any] = {agent: {} for agent in self.agents}
        self.agent_selection = "a"

    def observe(self, agent: str) -> Any:
        return {"observation": np.array([*self.lights, self.moves], np.float32), "action_mask": np.ones(2, np.int8)}

    def step(self, action: int) -> None:
        if self.memory and self.moves == 0:
            self.first = action
        self.lights[action] ^= 1
        self.moves += 1
        if self.moves == 4:
            won = self.first == 0 if self.memory else bool(self.lights[0])
            self.rewards = {"a": -1.0, "b": 1.0} if won else {"a": 1.0, "b": -1.0}
            self.terminations = dict.fromkeys(self.agents, True)
        self.agent_selection = "b" if self.agent_selection == "a" else "a"


def lights() -> Lights:
    return Lights(memory=True)


def plain_lights() -> Lights:
    return Lights(memory=False)


def opaque_lights() -> Lights:
    return Lights(memory=True, opaque=True)


def test_what_an_environment_remembers_tells_its_positions_apart() -> None:
    """Seat 0 wins by switching light 1 first; by what is shown, 0 then 1 and 1 then 0 would be one position."""
    model = GameGraph(from_aec(lights, name="test-lights", longest=4))
    assert model.layer_sizes == (1, 2, 4, 4)
    assert model.solve()[0].value == 1.0
    assert model.solve()[0].policy[0].tolist() == [0.0, 1.0]


def test_an_environment_without_a_memory_has_the_positions_that_it_shows() -> None:
    model = GameGraph(from_aec(plain_lights, name="test-lights", longest=4))
    assert model.layer_sizes == (1, 2, 2, 2)  # the lights' parity is the number of moves'
    assert model.solve()[0].value == -1.0


def test_an_environment_that_cannot_be_read_is_told_apart_by_its_moves() -> None:
    game = from_aec(opaque_lights, name="test-lights", longest=4)
    assert not game.merges
    model = GameGraph(game)
    assert model.layer_sizes == (1, 2, 4, 8)
    assert model.solve()[0].value == 1.0


class Dice(Lights):
    """The lights, with a draw that no seed decides."""

    def step(self, action: int) -> None:
        super().step(action)
        self.lights[1] = np.random.default_rng().integers(1 << 30)


def test_chance_within_a_game_is_noticed() -> None:
    with pytest.raises(GameError, match="differs when the same moves are replayed"):
        from_aec(lambda: Dice(memory=False), name="test-dice", longest=4)


class Debt:
    """Two agents match pennies for nothing; what they did in the first of three rounds is paid in the last."""

    possible_agents = ("a", "b")

    def __init__(self, *, dead: bool = False) -> None:
        self.dead = dead

    def action_space(self, agent: str) -> Any:
        return spaces.Discrete(2)

    def reset(self, seed: int = 0) -> Any:
        self.round, self.owed = 0, 0.0
        return self._seen(), {}

    def _seen(self) -> Any:
        mask = np.full(2, not (self.dead and self.round == 2), dtype=np.int8)
        return {agent: {"observation": np.array([self.round]), "action_mask": mask} for agent in "ab"}

    def step(self, actions: dict[str, int]) -> Any:
        if self.round == 0:
            self.owed = 3.0 if actions["a"] == actions["b"] else 0.0
        self.round += 1
        over = self.round == 3
        paid = self.owed if over else 0.0
        ended, cut = dict.fromkeys("ab", over), dict.fromkeys("ab", False)
        return self._seen(), {"a": paid, "b": -paid}, ended, cut, {}


@cache
def debt() -> games.MarkovModel:
    return games.MarkovModel(from_parallel(Debt, name="test-debt", horizon=3))


def test_a_parallel_environment_that_remembers_keeps_its_situations_apart() -> None:
    assert debt().game.states == 6, "the start, two of each later round, the end"
    assert debt().solve()[0].value == pytest.approx(1.5, abs=1e-9)


def test_a_parallel_environment_without_a_move_is_refused() -> None:
    with pytest.raises(GameError, match=r"test-debt has no legal action after the joint actions \[\(0, 0\)"):
        from_parallel(lambda: Debt(dead=True), name="test-debt", horizon=3)
