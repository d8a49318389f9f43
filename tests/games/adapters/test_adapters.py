"""The adapters between our games and other libraries: OpenSpiel's and PettingZoo's as ours, ours as PettingZoo's.

The wrapped games also run through the conformance suite; here is what holds for adapters only: that the backend
makes no difference, what is refused and why, and what tells two positions apart.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pettingzoo
import pyspiel
import pytest
from gymnasium import spaces
from open_spiel.python.algorithms.minimax import alpha_beta_search

import games
from agents import expert
from agents.policy import Uniform
from games import GameError, GameGraph
from games.adapters.openspiel import OpenSpielGame, twin
from games.adapters.pettingzoo import from_aec
from mail.data.rollout import play
from mail.parallel.streams import stream
from tests.support import game, graph, move, random_play, reloaded

# --- the backend makes no difference ---------------------------------------------------------------------


BACKENDS = {
    "tictactoe": ["openspiel:tic_tac_toe", "openspiel:mnk(m=3,n=3,k=3)", "pettingzoo:tictactoe"],
    "connect4": ["openspiel:connect_four", "pettingzoo:connect_four"],
    "tictactoe:3x4:3": ["openspiel:mnk(m=4,n=3,k=3)"],
    "connect4:4x4": ["openspiel:connect_four(rows=4,columns=4)"],
    "connect4:5x4": ["openspiel:connect_four(rows=5,columns=4,x_in_row=4)"],
    "connect4:4x5": ["openspiel:connect_four(rows=4,columns=5)"],
    "connect4:3x5:3": ["openspiel:connect_four(rows=3,columns=5,x_in_row=3)"],
}
ASKED = ("tictactoe", "connect4:4x4", "connect4:3x5:3")  # an exact expert labels these
PAIRS = [(ours, theirs) for ours, others in BACKENDS.items() for theirs in others]


@pytest.mark.slow
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_backend_gives_the_same_decisions(ours: str, theirs: str) -> None:
    """Bit for bit from the same stream, labels included; only the rows of ``state`` are the backend's own."""
    label = expert.make("first", graph(ours)) if ours in ASKED else (Uniform(), Uniform())
    seats = (Uniform(), Uniform())
    one, other = (
        play(game(name), seats, 40, labels=label, rng=stream(3, "doors", seat=0)).arrays() for name in (ours, theirs)
    )
    assert one.keys() == other.keys()
    for column in one.keys() - {"state"}:
        assert one[column].dtype == other[column].dtype
        assert one[column].tobytes() == other[column].tobytes(), column


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("tictactoe", "openspiel:tic_tac_toe"),
        ("connect4:3x3:3", "openspiel:connect_four(rows=3,columns=3,x_in_row=3)"),
        pytest.param("tictactoe", "pettingzoo:tictactoe", marks=pytest.mark.slow),
    ],
)
def test_every_backend_has_the_same_graph(ours: str, theirs: str) -> None:
    """All positions (of Tic-Tac-Toe 4,520): the same legal moves, children, rewards and value, row by row."""
    one, other = graph(ours), graph(theirs)
    assert np.array_equal(one.game.key(one.states), other.game.key(other.states))
    for part in ("seat", "legal_mask", "successor", "reward"):
        assert np.array_equal(getattr(one, part), getattr(other, part)), part
    assert one.solve()[0].value == other.solve()[0].value


def test_a_size_that_no_board_of_ours_can_have_keeps_openspiels_own_view() -> None:
    assert game("openspiel:connect_four(rows=4,columns=5)").spec.observation == (2, 4, 5)
    large = games.make("openspiel:connect_four(rows=8,columns=8)")
    assert isinstance(large, OpenSpielGame) and large.board is None
    assert large.spec.observation == (3, 8, 8)


@pytest.mark.parametrize(
    "name", ["tictactoe", "tictactoe:3x4:3", "connect4", "connect4:4x5", "connect4:5x4", "connect4:3x3:3"]
)
def test_twin_is_the_way_back(name: str) -> None:
    theirs = games.make(f"openspiel:{twin(game(name))}")
    assert isinstance(theirs, OpenSpielGame) and theirs.board is not None
    assert (theirs.board.rows, theirs.board.columns, theirs.board.k, theirs.board.gravity) == (
        game(name).rows, game(name).columns, game(name).k, game(name).gravity,
    )  # fmt: skip


def test_games_alone_load_no_other_library() -> None:
    code = (
        "import sys, games; games.names(); games.make('tictactoe');"
        "sys.exit(bool({'pyspiel', 'open_spiel', 'pettingzoo', 'gymnasium', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_adapters_are_no_games_by_themselves() -> None:
    assert not {"openspiel", "pettingzoo"} & set(games.names())
    with pytest.raises(GameError, match="openspiel:NAME, pettingzoo:NAME"):
        games.make("nope")


# --- games that are no boards of ours --------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "nim(pile_sizes=1;2;3)",
        "nim(is_misere=false,pile_sizes=1;2;4)",
        "hex(board_size=3)",
        "dots_and_boxes(num_rows=1,num_cols=2)",
        "misere(game=connect_four(rows=2,columns=3,x_in_row=2))",
        "clobber(rows=2,columns=3)",
    ],
)
def test_the_value_is_openspiels(text: str) -> None:
    """Backward induction over merged positions gives what OpenSpiel's alpha-beta search gives over histories."""
    model = GameGraph(game(f"openspiel:{text}"))
    rules = pyspiel.load_game(text)
    value, _ = alpha_beta_search(rules, maximizing_player_id=0)
    assert model.solve()[0].value == value


@pytest.mark.slow
def test_positions_merge_where_nothing_tells_them_apart() -> None:
    """Hex on 3 x 3: as many positions as OpenSpiel has pictures of running games."""
    seen: set[str] = set()

    def visit(state: Any) -> None:
        if state.is_terminal() or str(state) in seen:
            return
        seen.add(str(state))
        for action in state.legal_actions():
            visit(state.child(action))

    visit(pyspiel.load_game("hex(board_size=3)").new_initial_state())
    assert len(graph("openspiel:hex(board_size=3)")) == len(seen)


def test_what_the_picture_hides_still_tells_positions_apart() -> None:
    """OpenSpiel draws Dots and Boxes without the owners of small boxes; the observation shows them."""
    boxes = games.make("openspiel:dots_and_boxes(num_rows=1,num_cols=2)")
    states = np.concatenate([ply[0] for ply in random_play(boxes, 60, np.random.default_rng(0))])
    keys = boxes.key(states)
    by_picture: dict[str, set[bytes]] = {}
    for state, key, acting in zip(states, keys, boxes.acting(states), strict=True):
        by_picture.setdefault(f"{boxes.render(state)} {acting}", set()).add(key.tobytes())
    assert max(len(found) for found in by_picture.values()) > 1
    assert (keys < 2**32).all(), "two words that tables and graphs can pack"


def test_the_number_of_moves_tells_positions_apart() -> None:
    """Nim's heaps can be left by the same seat after different numbers of moves: one picture, several positions."""
    model = graph("openspiel:nim(pile_sizes=1;2;3)")
    keys = model.game.key(model.states)
    assert len(np.unique(keys, axis=0)) == len(model)
    pictures = {model.game.render(state).split("\n")[0] for state in model.states}
    assert len(pictures) < len(model)
    assert np.array_equal(model.index(model.states), np.arange(len(model)))


def test_keys_are_the_same_in_every_process() -> None:
    name = "openspiel:hex(board_size=3)"
    code = f"import games; g = games.make({name!r}); print(g.key(g.starts()).tolist())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == str(game(name).key(game(name).starts()).tolist())


def test_an_accidental_key_is_noticed_when_positions_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    nim: Any = games.make("openspiel:nim(pile_sizes=1;2)")
    real = OpenSpielGame._digest
    monkeypatch.setattr(OpenSpielGame, "_digest", lambda self, moves: bytes(8) + real(self, moves)[8:])
    monkeypatch.setattr("games.graph.quick", lambda game: None)  # which would notice that no two keys differ
    with pytest.raises(GameError, match=r"two positions of .*nim.* have the same 64-bit hash"):
        GameGraph(nim)


@pytest.mark.parametrize("name", ["openspiel:tic_tac_toe", "pettingzoo:tictactoe", "openspiel:hex(board_size=3)"])
def test_moves_that_are_not_legal_are_refused(name: str) -> None:
    wrapped = game(name)
    rng = np.random.default_rng(0)
    states = wrapped.step(wrapped.start(1, rng=rng), move(0, 4), rng=rng)[0]
    for bad in (move(1, 4), move(1, 9), move(0, 3)):
        with pytest.raises(GameError, match="is not legal after the moves \\[4\\]"):
            wrapped.step(states, bad, rng=rng)
    over = list(random_play(wrapped, 1, rng))[-1][2]
    with pytest.raises(GameError, match="is not legal after the moves"):
        wrapped.step(over, move(0, 0), rng=rng)


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("openspiel", "name an OpenSpiel game after the colon"),
        ("openspiel:nope", "OpenSpiel has no game called 'nope'"),
        ("openspiel:connect_four(rows=4,cols=5)", "OpenSpiel cannot make .*: Unknown parameter 'cols'"),
        ("openspiel:connect_four(rows=0)", "is over before its first move"),
        ("openspiel:kuhn_poker(players=3)", "has 3 players; only games for two fit"),
        ("openspiel:tiny_hanabi", "tiny_hanabi is not zero-sum"),
        ("openspiel:gin_rummy", "gin_rummy tells no information states"),
        ("openspiel:goofspiel(num_cards=3)", "simultaneous moves; .*turn_based_simultaneous_game"),
        ("openspiel:matrix_pd", "matrix_pd is not zero-sum"),
        ("openspiel:matrix_rps", "matrix_rps has simultaneous moves"),
        ("openspiel:oshi_zumo", "oshi_zumo has simultaneous moves"),
        ("openspiel:chinese_checkers(players=3)", "has 3 players; only games for two fit"),
        ("openspiel:pathfinding", "only games for two fit"),
        ("pettingzoo", "no PettingZoo game is called '' here; use pettingzoo:tictactoe"),
        ("pettingzoo:chess", "no PettingZoo game is called 'chess' here; use pettingzoo:tictactoe"),
    ],
)
def test_games_that_do_not_fit_are_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(GameError, match=reason) as error:
        games.make(name)
    assert "\n" not in str(error.value)


def test_openspiel_games_of_open_moves_that_are_not_zero_sum_are_refused(tmp_path: Path) -> None:
    tree = tmp_path / "both_win.efg"
    tree.write_text('EFG 2 R "both" { "A" "B" }\np "" 1 1 "" { "l" "r" } 0\nt "" 1 "" { 1 2 }\nt "" 2 "" { 0 0 }\n')
    with pytest.raises(GameError, match="is not zero-sum; only zero-sum games fit"):
        games.make(f"openspiel:efg_game(filename={tree})")


class Race(pettingzoo.AECEnv):
    """Agents in turn add 1 or 2 to a total; who makes it 5 or more takes ``prize`` from the next one."""

    metadata: dict[str, Any] = {"name": "race_v0", "is_parallelizable": False}  # noqa: RUF012
    render_mode = None

    def __init__(
        self, *, agents: int = 2, mask: str = "beside", prize: float = 1.0, cost: float = -1.0, chance: bool = False
    ) -> None:
        self.possible_agents = [f"runner_{i}" for i in range(agents)]
        self.mask, self.prize, self.cost, self.chance = mask, prize, cost, chance

    def observation_space(self, agent: str) -> Any:
        return spaces.Box(0, 9, (2,), np.float32)

    def action_space(self, agent: str) -> Any:
        return spaces.Discrete(2)

    def reset(self, seed: int | None = None, options: Any = None) -> None:
        self.agents = self.possible_agents[:]
        self.total = int(np.random.default_rng(seed).integers(1, 4)) if self.chance else 0
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: self._mask() for agent in self.agents}
        self.agent_selection = self.agents[0]

    def _mask(self) -> dict[str, Any]:
        return {"action_mask": np.ones(2, np.int8)} if self.mask == "info" else {}

    def observe(self, agent: str) -> Any:
        seen = np.array([self.total, self.possible_agents.index(agent)], np.float32)
        return {"observation": seen, "action_mask": np.ones(2, np.int8)} if self.mask == "beside" else seen

    def step(self, action: int) -> None:
        mine = self.agents.index(self.agent_selection)
        following = self.agents[(mine + 1) % len(self.agents)]
        self.total += action + 1
        if self.total >= 5:
            self.rewards = {self.agent_selection: self.prize, following: self.cost}
            self.terminations = dict.fromkeys(self.agents, True)
        self.agent_selection = following


@pytest.mark.parametrize("mask", ["beside", "info"])
def test_any_fitting_environment_becomes_a_game(mask: str) -> None:
    """Who is to move at 2 loses (5 - 3); from 0, adding 2 leaves the other there. Seat 0 wins."""
    race = from_aec(partial(Race, mask=mask), name="test-race", longest=5)
    assert (race.spec.actions, race.spec.observation) == (2, (2,))
    model = GameGraph(race)
    assert model.solve()[0].value == 1.0
    assert model.solve()[0].policy[0].tolist() == [0.0, 1.0]
    again = GameGraph(reloaded(race))
    assert np.array_equal(again.successor, model.successor)
    assert race.render(model.states[0]).endswith("moves played: 0")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"agents": 3}, "test-race has 3 agents; use an environment with two"),
        ({"mask": "none"}, "test-race gives runner_0 no action_mask"),
        ({"chance": True}, "test-race starts differently with another seed"),
        ({"cost": 0.0}, "test-race is not zero-sum: one move gave the rewards 1 and 0"),
    ],
)
def test_environments_that_do_not_fit_are_refused_with_the_reason(settings: dict[str, Any], reason: str) -> None:
    """What cannot be seen at once, rewards, is refused as soon as it is seen."""
    with pytest.raises(GameError, match=reason) as error:
        GameGraph(from_aec(partial(Race, **settings), name="test-race", longest=5))
    assert "\n" not in str(error.value)


class Retiring(Race):
    """The first runner is done after its first move; the second runs on alone."""

    def step(self, action: Any) -> None:
        if self.terminations[self.agent_selection]:
            self._was_dead_step(action)
            return
        super().step(action)
        if self.agents[0] == "runner_0" and self.total < 5:
            self.terminations["runner_0"] = True
            self.agent_selection = "runner_1"
            self._deads_step_first()
        elif self.total < 5:
            self.agent_selection = "runner_1"


def test_an_agent_that_is_done_before_the_other_moves_no_more() -> None:
    race = from_aec(partial(Retiring, prize=0.0, cost=0.0), name="test-retiring", longest=5)
    rng = np.random.default_rng(0)
    seats = [int(race.acting(states)[0, 1]) for states, *_ in random_play(race, 1, rng)]
    assert seats == [0] + [1] * (len(seats) - 1)
    assert len(seats) >= 3


def test_a_game_that_outlasts_its_stated_length_is_refused() -> None:
    with pytest.raises(GameError, match="test-race continues after its stated length of 2 moves"):
        GameGraph(from_aec(Race, name="test-race", longest=2))
