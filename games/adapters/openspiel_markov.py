"""Simultaneous-move games of OpenSpiel: ``to_openspiel(game)`` and ``from_openspiel("goofspiel(num_cards=3)")``.

Export: a Markov game with a horizon becomes a Python game of OpenSpiel (arXiv:1908.09453) with simultaneous nodes and
explicit chance. Rewards are multiplied by the discount, because OpenSpiel has none. Import: the histories of a
two-player, zero-sum game of perfect information (or one-shot), chance included, become a Markov game with a horizon.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import numpy as np

from games.adapters.openspiel import load
from games.adapters.openspiel_facts import fault
from games.adapters.outside import answering, printable
from games.base import Floats, GameError
from games.cost import TooLarge, afford
from games.markov.dynamics import Dynamics
from games.markov.game import MarkovGame, Views
from games.markov.transitions import Entries


def to_openspiel(game: MarkovGame) -> Any:
    """The game as a ``pyspiel.Game`` with simultaneous nodes.

    Args:
        game: a Markov game with a horizon.

    Raises:
        GameError: the game has no horizon, starts in more states than a chance node can have, or OpenSpiel is not
            installed.
    """
    if game.horizon is None:
        raise GameError(f"{game.spec.name} has no horizon; OpenSpiel's games must end, so give it one")
    if int((game.initial > 0).sum()) > _OUTCOMES:
        raise GameError(f"{game.spec.name} has more than {_OUTCOMES:,} initial states, too many for a chance node")
    return _classes()[0](_Uncopied(game))


def from_openspiel(text: str, *, most: int = 20_000) -> MarkovGame:
    """The OpenSpiel game of a description as a Markov game with one state per history.

    Args:
        text: what ``pyspiel.load_game`` accepts.
        most: the largest number of histories (decision nodes) to enumerate.

    Raises:
        GameError: the game is not for two players, zero-sum and of perfect information (or one-shot).
        TooLarge: it has more than ``most`` histories, or more than can be enumerated in a few seconds.
    """
    name = f"simultaneous:{text}"
    rules = load(text, adapter="simultaneous")
    with answering(name):
        _refuse_what_does_not_fit(rules, name)
        return _Listed(rules, most, name).game()


def _refuse_what_does_not_fit(rules: Any, name: str) -> None:
    """Raise GameError unless this is a two-player, zero-sum game of perfect information."""
    facts = rules.get_type()
    reasons = [
        (rules.num_players() != 2, f"it is for {rules.num_players()} players"),
        (facts.utility.name != "ZERO_SUM", f"its utilities are {facts.utility.name}"),
        (facts.dynamics.name == "MEAN_FIELD", "it is a mean-field game"),
        (facts.information.name not in ("PERFECT_INFORMATION", "ONE_SHOT"), f"it is of {facts.information.name}"),
    ]
    for bad, reason in reasons:
        if bad:
            raise GameError(f"{printable(name)} does not fit: {reason.replace('_', ' ').lower()}")
    if broken := fault(rules):
        raise GameError(f"{printable(name)} {broken}")


_OUTCOMES = 100_000  # of one chance node
_TABLES = 8  # arrays [H, S, A] that the measures of a game hold at once
_JOINT = 5_000_000  # joint actions of all positions; each has a row in the game's tables
_SECONDS = 6.0  # allowed for the enumeration of histories


# --- export ------------------------------------------------------------------------------------------------


class _Uncopied:
    """Holds the game, so that copies of a state share it."""

    def __init__(self, game: MarkovGame) -> None:
        self.game = game

    def __deepcopy__(self, memo: dict[int, Any]) -> _Uncopied:
        return self


class _State:
    """The methods of ``pyspiel.State``: a joint action, then a chance node where the outcome is random."""

    def __init__(self, rules: Any, uncopied: _Uncopied) -> None:
        self.uncopied = uncopied
        self.row: list[int] | None = None  # state and step; None before the chance node of the initial state
        self.pending: tuple[int, int] | None = None  # the joint action whose outcome chance decides next
        self.earned, self.total = 0.0, 0.0
        first = np.flatnonzero(uncopied.game.initial > 0)
        if len(first) == 1:
            self.row = [int(first[0]), 0]

    def current_player(self) -> int:
        import pyspiel

        if self.row is None or self.pending is not None:
            return int(pyspiel.PlayerId.CHANCE)
        acting = self.uncopied.game.acting(np.array([self.row]))[0]
        if acting.all():
            return int(pyspiel.PlayerId.SIMULTANEOUS)
        return int(acting.argmax()) if acting.any() else int(pyspiel.PlayerId.TERMINAL)

    def is_terminal(self) -> bool:
        return (
            self.row is not None
            and self.pending is None
            and not self.uncopied.game.acting(np.array([self.row]))[0].any()
        )

    def chance_outcomes(self) -> list[tuple[int, float]]:
        game = self.uncopied.game
        if self.row is None:
            return [(int(state), float(game.initial[state])) for state in np.flatnonzero(game.initial > 0)]
        _, following, probability = self._outcomes()
        return [(int(state), float(chance)) for state, chance in zip(following, probability, strict=True)]

    def _outcomes(self) -> Any:
        assert self.row is not None and self.pending is not None
        state, first, second = (np.array([number]) for number in (self.row[0], *self.pending))
        return self.uncopied.game.transitions.outcomes(state, first, second)

    def _legal_actions(self, player: int) -> list[int]:
        if self.row is None or self.pending is not None:
            return []
        legal = self.uncopied.game.legal(np.array([self.row]), player)[0]
        return [int(action) for action in np.flatnonzero(legal)]

    def _apply_action(self, action: int) -> None:
        if self.row is None:
            self.row = [action, 0]
        elif self.pending is not None:
            self.row, self.pending, self.earned = [action, self.row[1] + 1], None, 0.0
        else:  # one seat moves
            seat = self.current_player()
            self._joint((action, 0) if seat == 0 else (0, action))

    def _apply_actions(self, actions: list[int]) -> None:
        self._joint((actions[0], actions[1]))

    def _joint(self, joint: tuple[int, int]) -> None:
        assert self.row is not None
        game = self.uncopied.game
        self.earned = float(game.rewards[self.row[0], joint[0], joint[1]] * game.spec.discount ** self.row[1])
        self.total += self.earned
        self.pending = joint
        _, following, _ = self._outcomes()
        if len(following) == 1:
            self.row, self.pending = [int(following[0]), self.row[1] + 1], None

    def _action_to_string(self, player: int, action: int) -> str:
        return f"state {action}" if player < 0 else f"action {action}"

    def rewards(self) -> list[float]:
        return [self.earned, -self.earned]

    def returns(self) -> list[float]:
        return [self.total, -self.total]

    def __str__(self) -> str:
        return f"{self.row} {self.pending or ''} {self.total:.12g}"


class _Rules:
    """The methods of ``pyspiel.Game``."""

    def __init__(self, uncopied: _Uncopied) -> None:
        self.uncopied = uncopied

    def new_initial_state(self) -> Any:
        return _classes()[1](self, self.uncopied)

    def make_py_observer(self, kind: Any = None, params: Any = None) -> _Observer:
        return _Observer()


class _Observer:
    """Both seats observe the whole history as a string. Provides no tensor."""

    tensor = None

    def __init__(self) -> None:
        self.dict: dict[str, Any] = {}

    def set_from(self, state: Any, player: int) -> None:
        """Nothing to fill in."""

    def string_from(self, state: Any, player: int) -> str:
        return f"player {player}, {state} after {state.history_str()}"


@cache
def _classes() -> tuple[type, type]:
    """Both classes with OpenSpiel's base classes, so that OpenSpiel is imported only where it is used."""
    import pyspiel

    kind = pyspiel.GameType(
        short_name="nashmail_markov",
        long_name="Markov game",
        dynamics=pyspiel.GameType.Dynamics.SIMULTANEOUS,
        chance_mode=pyspiel.GameType.ChanceMode.EXPLICIT_STOCHASTIC,
        information=pyspiel.GameType.Information.PERFECT_INFORMATION,
        utility=pyspiel.GameType.Utility.ZERO_SUM,
        reward_model=pyspiel.GameType.RewardModel.REWARDS,
        max_num_players=2,
        min_num_players=2,
        provides_information_state_string=True,
        provides_information_state_tensor=False,
        provides_observation_string=False,
        provides_observation_tensor=False,
        parameter_specification={},
    )

    class Rules(_Rules, pyspiel.Game):  # type: ignore[misc]
        def __init__(self, uncopied: _Uncopied) -> None:
            game = uncopied.game
            assert game.horizon is not None
            most = float(np.abs(game.rewards).max()) * game.horizon
            info = pyspiel.GameInfo(
                num_distinct_actions=game.spec.actions,
                max_chance_outcomes=game.states,
                num_players=2,
                min_utility=-most,
                max_utility=most,
                utility_sum=0.0,
                max_game_length=game.horizon,
            )
            pyspiel.Game.__init__(self, kind, info, {})
            _Rules.__init__(self, uncopied)

    class State(_State, pyspiel.State):  # type: ignore[misc]
        def __init__(self, rules: Any, uncopied: _Uncopied) -> None:
            pyspiel.State.__init__(self, rules)
            _State.__init__(self, rules, uncopied)

    return Rules, State


# --- import ------------------------------------------------------------------------------------------------


class _Listed:
    """Every decision node of an OpenSpiel game, by its history, and one terminal state."""

    def __init__(self, rules: Any, most: int, name: str = "") -> None:
        self.rules, self.most = rules, most
        self.name = printable(name or f"simultaneous:{rules}")
        self.late = time.perf_counter() + _SECONDS
        self.nodes: list[Any] = []
        self.depth: list[int] = []
        self.entries: list[tuple[int, int, int, int, float, float]] = []  # node, a, b, next (-1: end), chance, reward

    def game(self) -> MarkovGame:
        start = self._decisions_after(self.rules.new_initial_state(), 0)
        if any(node < 0 for node, _, _ in start):
            raise GameError(f"{self.name} can be over before its first move; choose another size")
        node = 0
        while node < len(self.nodes):
            self._expand(node)
            node += 1
        return self._made(start)

    def _decisions_after(self, state: Any, depth: int) -> list[tuple[int, float, float]]:
        """The decision nodes that follow through chance: number (-1 if terminal), probability, seat 0's return."""
        if time.perf_counter() > self.late:
            raise TooLarge(
                f"{self.name} has too many histories to enumerate: {len(self.nodes):,} decision nodes and "
                f"{len(self.entries):,} moves after {_SECONDS:.0f} s, and more remain; choose a smaller size"
            )
        if state.is_terminal():
            return [(-1, 1.0, float(state.returns()[0]))]
        if state.is_chance_node():
            outcomes = []
            for action, chance in state.chance_outcomes():
                following = self._decisions_after(state.child(action), depth)
                outcomes += [(node, chance * inner, returns) for node, inner, returns in following]
            return outcomes
        if len(self.nodes) >= self.most:
            raise TooLarge(f"{self.name} has more than {self.most} histories to enumerate; choose a smaller size")
        self.nodes.append(state)
        self.depth.append(depth)
        return [(len(self.nodes) - 1, 1.0, float(state.returns()[0]))]

    def _expand(self, node: int) -> None:
        """Record the outcomes of all joint actions of a node."""
        state = self.nodes[node]
        before = float(state.returns()[0])
        seats = (0, 1) if state.is_simultaneous_node() else (state.current_player(),)
        if not all(state.legal_actions(seat) for seat in seats):
            raise GameError(f"{self.name} has no legal action after {state.history()}, although it is not over")
        for a in self._moves(state, 0):
            for b in self._moves(state, 1):
                successor = state.clone()
                if state.is_simultaneous_node():
                    successor.apply_actions([a, b])
                else:
                    successor.apply_action((a, b)[state.current_player()])
                for following, chance, returns in self._decisions_after(successor, self.depth[node] + 1):
                    self.entries.append((node, a, b, following, chance, returns - before))

    @staticmethod
    def _moves(state: Any, seat: int) -> list[int]:
        """A seat's legal actions; [0] for a seat that does not act."""
        acts = state.is_simultaneous_node() or state.current_player() == seat
        return list(state.legal_actions(seat)) if acts else [0]

    def _made(self, start: list[tuple[int, float, float]]) -> MarkovGame:
        states, actions = len(self.nodes) + 1, self.rules.num_distinct_actions()
        shape, layers = (states, actions, actions), max(self.depth) + 1
        if states * actions**2 > _JOINT:
            raise TooLarge(
                f"{self.name} has {states:,} positions of {actions:,} actions for each seat: {states * actions**2:,}"
                f" joint actions, more than {_JOINT:,}; choose a smaller size"
            )
        afford(8 * (4 * states * actions**2 + _TABLES * layers * states * actions), self.name)
        legal = np.zeros((2, states, actions), dtype=np.bool_)
        for number, state in enumerate(self.nodes):
            for seat in (0, 1):
                if state.is_simultaneous_node() or state.current_player() == seat:
                    legal[seat, number, state.legal_actions(seat)] = True
        node, a, b, following, chance, reward = (np.array(column) for column in zip(*self.entries, strict=True))
        row = np.ravel_multi_index((node, a, b), shape)
        chance, reward = chance.astype(np.float64), reward.astype(np.float64)
        rewards = np.bincount(row, weights=chance * reward, minlength=states * actions**2).reshape(shape)
        idle = np.setdiff1d(np.arange(states * actions**2), row)  # illegal joint actions lead back to their state
        initial = np.zeros(states)
        for begin, probability, _ in start:
            initial[begin] += probability
        return MarkovGame(
            f"simultaneous:{self.rules}",
            Dynamics(
                rewards,
                Entries(
                    shape,
                    np.concatenate([row, idle]),
                    np.concatenate([np.where(following < 0, states - 1, following), idle // actions**2]),
                    np.concatenate([chance, np.ones(len(idle))]),
                ),
                initial,
                horizon=layers,
                legal=(legal[0], legal[1]),
            ),
            Views(observations=self._views(states)),
        )

    def _views(self, states: int) -> tuple[np.ndarray, np.ndarray]:
        """Per seat [S, *shape]: OpenSpiel's observation tensor if the game has one, else the number of the history."""
        sides: list[Floats] = []
        for seat in (0, 1):
            if self.rules.get_type().provides_observation_tensor:
                rows = [state.observation_tensor(seat) for state in self.nodes]
            else:
                rows = [[float(node)] for node in range(states - 1)]
            sides.append(np.array([*rows, np.zeros(len(rows[0]))], dtype=np.float64))
        return sides[0].astype(np.float32), sides[1].astype(np.float32)
