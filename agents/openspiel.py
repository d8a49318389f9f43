"""Policies across the OpenSpiel adapter: ours as its ``Policy`` and ``Bot``, its policies as ours.

For boards of any size (Tic-Tac-Toe, Connect Four, m,n,k-games) and every game behind ``games.make("openspiel:...")``.
OpenSpiel's ``nash_conv`` of an exported pair is our Nash gap of it, computed slowly. Interface: arXiv 1908.09453.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pyspiel
from numpy.typing import NDArray
from open_spiel.python import policy as openspiel_policy

from agents.policy import HistoryWarning, Policy, PolicyError, Seats, by_history, query, sample
from games.adapters.openspiel import rules_behind
from games.adapters.openspiel_hidden import position_after
from games.base import Floats, Game, Rng, States
from games.symmetry import base_of, board_behind

_REMEMBERED = 1 << 18  # answers that an exported policy keeps at hand
_COMPARED = 200  # positions at which an imported policy is asked at a second history, to see whether they differ

# --- out: ours for OpenSpiel ---------------------------------------------------------------------------------


class ExportedPolicy(openspiel_policy.Policy):  # type: ignore[misc]  # OpenSpiel ships no types
    """A profile of ours as an OpenSpiel policy: each player's probabilities come from its seat's policy.

    Args:
        profile: a policy for each seat.
        game: the game that they play.

    Raises:
        PolicyError: for a game that OpenSpiel does not have.
    """

    def __init__(self, profile: Seats, game: Game) -> None:
        super().__init__(rules_of(game), [0, 1])
        self._profile = profile
        self._ours = game
        self._answers: dict[str, Floats] = {}

    def action_probabilities(self, state: Any, player_id: int | None = None) -> dict[int, float]:
        """Every legal action's probability; none for a player that is not to move.

        Args:
            state: a ``pyspiel.State``.
            player_id: whose probabilities; None: the player to move.
        """
        seat = state.current_player()
        if seat not in (0, 1) or player_id not in (None, seat):
            return {}
        row = self.row(state)
        return {action: float(row[action]) for action in state.legal_actions()}

    def row(self, state: Any) -> Floats:
        """What the player to move does. Boards are cached by their picture, which determines the position.

        Args:
            state: a ``pyspiel.State``.

        Returns:
            float64 [A].
        """
        if board_behind(self._ours) is None or any(map(by_history, self._profile)):
            return self._ask(state)
        picture = str(state)
        if picture not in self._answers:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            self._answers[picture] = self._ask(state)
        return self._answers[picture]

    def _ask(self, state: Any) -> Floats:
        seat = int(state.current_player())
        return np.asarray(query(self._profile[seat], self._ours, position_after(self._ours, state.history()), seat)[0])


class ExportedBot(pyspiel.Bot):  # type: ignore[misc]  # OpenSpiel ships no types
    """One seat of a profile of ours as an OpenSpiel bot.

    OpenSpiel's own ``PolicyBot`` fails where the only legal action is number 0; this one plays it.

    Args:
        policy: both seats' policies.
        seat: the player.
        rng: draws the moves.
    """

    def __init__(self, policy: ExportedPolicy, seat: int, rng: Rng) -> None:
        pyspiel.Bot.__init__(self)
        self._policy, self._seat, self._rng = policy, seat, rng

    def player_id(self) -> int:
        """The bot's seat."""
        return self._seat

    def restart_at(self, state: Any) -> None:
        """Does nothing: moves depend on the position alone.

        Args:
            state: a ``pyspiel.State``.
        """

    def provides_policy(self) -> bool:
        """True."""
        return True

    def get_policy(self, state: Any) -> list[tuple[int, float]]:
        """The probability of every legal action.

        Args:
            state: a ``pyspiel.State``.
        """
        return list(self._policy.action_probabilities(state, self._seat).items())

    def step_with_policy(self, state: Any) -> tuple[list[tuple[int, float]], int]:
        """The probability of every legal action, and a move.

        Args:
            state: a ``pyspiel.State``.
        """
        return self.get_policy(state), self.step(state)

    def step(self, state: Any) -> int:
        """A move.

        Args:
            state: a ``pyspiel.State``.

        Returns:
            The action; ``pyspiel.INVALID_ACTION`` where the seat is not to move.
        """
        if state.current_player() != self._seat:
            return int(pyspiel.INVALID_ACTION)
        return int(sample(self._policy.row(state)[None], rng=self._rng)[0])


def to_openspiel_policy(profile: Seats, game: Game) -> ExportedPolicy:
    """Both seats' policies as one OpenSpiel policy, for OpenSpiel's game of the same rules.

    Args:
        profile: a policy for each seat.
        game: a board, or an adapted OpenSpiel game.

    Raises:
        PolicyError: for a game that OpenSpiel does not have.
    """
    return ExportedPolicy(profile, game)


def to_openspiel_bot(profile: Seats, game: Game, seat: int, *, rng: Rng) -> ExportedBot:
    """One seat of a profile as an OpenSpiel bot.

    Args:
        profile: a policy for each seat.
        game: a board, or an adapted OpenSpiel game.
        seat: the bot's player.
        rng: draws its moves.

    Raises:
        PolicyError: for a game that OpenSpiel does not have.
    """
    return ExportedBot(ExportedPolicy(profile, game), seat, rng)


def rules_of(game: Game) -> Any:
    """The OpenSpiel game with the rules and action numbers of a game of ours.

    Args:
        game: any game.

    Returns:
        The ``pyspiel.Game``.

    Raises:
        PolicyError: where there is none.
    """
    merged = base_of(game) is not game
    rules = None if merged else rules_behind(game)
    if rules is not None:
        return rules
    hint = "; lift the policies to the board (Lifted) and give the board" if merged else ""
    raise PolicyError(f"{game.spec.name} ({type(game).__name__}) is no game of OpenSpiel's{hint}")


# --- in: OpenSpiel's for us ----------------------------------------------------------------------------------


class ImportedPolicy:
    """An OpenSpiel policy (Python or C++) as one of ours.

    Most of OpenSpiel's policies look up the *history* of a game, of which a position has many. In the tree of histories
    (``games.histories``), which ``mail.nash_gap`` uses for it, the policy is queried at each of them and is the policy
    that OpenSpiel's ``nash_conv`` measures. Queried by position, it answers for the history that plays the stones in
    the least order of actions, so that equal positions get equal answers: a policy of the board, but another one where
    histories matter. A HistoryWarning says so as soon as it is seen. In a game that is no board, it is queried at the
    moves that were made.

    Args:
        policy: an OpenSpiel policy.
        rules: its ``pyspiel.Game``.
    """

    def __init__(self, policy: Any, rules: Any) -> None:
        self.policy, self.rules = policy, rules
        self.by_history = not isinstance(policy, ExportedPolicy)  # ours, which play by the position
        self._to_compare = _COMPARED if self.by_history else 0

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        rows = np.zeros(legal.shape)
        acting = np.flatnonzero(legal.any(1))
        for row in acting:
            rows[row] = self._at(moves_to(game, states[row], seat), game.spec.actions)
        if self._to_compare and board_behind(game) is not None:
            self._compare(game, states[acting], rows[acting], seat)
        return rows

    def _at(self, history: list[int], actions: int) -> Floats:
        """[A] the policy's answer after these moves."""
        state = self.rules.new_initial_state()
        for action in history:
            state.apply_action(action)
        answer = np.zeros(actions)
        for action, probability in self.policy.action_probabilities(state).items():
            answer[action] = probability
        return answer

    def _compare(self, game: Game, states: States, answers: Floats, seat: int) -> None:
        """Warn where another history of some of these positions [n] gets another answer than those [n, A] given."""
        for row in range(0, len(states), max(1, len(states) // self._to_compare)):
            first, last = (moves_to(game, states[row], seat, least=least) for least in (True, False))
            if first == last:
                continue
            self._to_compare -= 1
            if np.abs(self._at(last, game.spec.actions) - answers[row]).max() > 1e-9:
                self._to_compare = 0
                warnings.warn(
                    f"this policy of {self.rules} depends on the history: after the moves {_words(first)} and "
                    f"{_words(last)}, which lead to one position, it plays differently. Here it is asked by the "
                    "position (after the first of them), which is another policy; mail.nash_gap of both seats measures "
                    "the policy itself where its histories can be listed",
                    HistoryWarning,
                    stacklevel=3,
                )
            if not self._to_compare:
                return


def from_openspiel_policy(policy: Any, game: Game) -> Policy:
    """An OpenSpiel policy as one of ours, for both seats.

    Args:
        policy: an OpenSpiel policy.
        game: our game of the same rules.

    Raises:
        PolicyError: where OpenSpiel does not have the game, or the policy is for another one.
    """
    rules = rules_of(base_of(game))
    theirs = getattr(policy, "game", rules)
    if _identity(theirs) != _identity(rules):
        raise PolicyError(f"this is a policy for OpenSpiel's {theirs}, not for {rules}, which {game.spec.name} is")
    return ImportedPolicy(policy, rules)


def _words(moves: list[int]) -> str:
    return " ".join(map(str, moves))


def moves_to(game: Game, state: States, seat: int, *, least: bool = True) -> list[int]:
    """Moves that lead to a position; on a board, the least of all sequences.

    Args:
        game: any game whose states are histories, or a board.
        state: [W] the position.
        seat: who is to move there.
        least: False: the greatest of all sequences instead.

    Returns:
        The actions in order.

    Raises:
        PolicyError: for a position of a board that is not reachable.
    """
    board = board_behind(game)
    if board is not None:
        stones = game.observe(state[None], seat)[0] > 0  # [2, rows, columns], own first
        return stone_order(stones[seat], stones[1 - seat], gravity=board.gravity, least=least)
    return [int(action) for action in state[state >= 0]]


def stone_order(first: NDArray[np.bool_], second: NDArray[np.bool_], *, gravity: bool, least: bool = True) -> list[int]:
    """The least sequence of actions, seats in turn, that puts stones on a board.

    Each action has a pile of stones, bottom up: a column with gravity, a single cell without. Depth first over the
    heights of the piles; heights from which no sequence goes on are tried once.

    Args:
        first: bool [rows, columns] seat 0's stones.
        second: bool [rows, columns] seat 1's stones.
        gravity: whether stones fall.
        least: False: the greatest sequence instead.

    Returns:
        The actions in order.

    Raises:
        PolicyError: where there is none.
    """
    owner = np.where(first, 0, np.where(second, 1, -1))
    if gravity:
        piles = [[int(seat) for seat in column[::-1] if seat >= 0] for column in owner.T]
    else:
        piles = [[int(seat)] if seat >= 0 else [] for seat in owner.ravel()]
    total = sum(len(pile) for pile in piles)
    actions = range(len(piles)) if least else range(len(piles))[::-1]

    @cache
    def rest(heights: tuple[int, ...]) -> tuple[int, ...] | None:
        placed = sum(heights)
        if placed == total:
            return ()
        for action in actions:
            pile, height = piles[action], heights[action]
            if height < len(pile) and pile[height] == placed % 2:
                following = rest((*heights[:action], height + 1, *heights[action + 1 :]))
                if following is not None:
                    return (action, *following)
        return None

    found = rest((0,) * len(piles))
    if found is None:
        raise PolicyError("no sequence of moves leads to these stones; the position is not reachable")
    return list(found)


def _identity(rules: Any) -> tuple[str, dict[str, Any]]:
    return rules.get_type().short_name, rules.get_parameters()
