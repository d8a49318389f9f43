"""Games of OpenSpiel (arXiv:1908.09453) as our games: ``games.make("openspiel:connect_four(rows=4,columns=5)")``.

The text after the first colon goes to ``pyspiel.load_game``. The adapter takes any two-player, zero-sum, sequential
game of perfect information without chance. Tic-Tac-Toe, Connect Four and m,n,k-games have the keys, observations and
action numbers of our ``Board`` (where the size fits one). The others observe OpenSpiel's own tensor of the seat.
``games.adapters.openspiel_hidden`` takes games with chance or hidden information.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import Any

import numpy as np

from games.adapters.openspiel_facts import fault, is_mergeable, most_moves
from games.adapters.outside import answering, printable, quiet, reason
from games.adapters.replay import NO_VIEWS, Moves, Position, Replayed, moves_of
from games.adapters.trial import tried, trust
from games.base import Game, GameError, Spec, States
from games.boards import Board
from games.symmetry import board_behind

_LONGEST = 1_000_000  # moves of a game; a state stores one word for each


class OpenSpielGame(Replayed):
    """An OpenSpiel game as one of ours.

    Args:
        text: the description, for example ``connect_four(rows=4,columns=5)``.
        rules: the pyspiel game of this description, if it is loaded already.

    Raises:
        GameError: OpenSpiel has no such game, or it is not of the kind named above.
    """

    library = "OpenSpiel"

    def __init__(self, text: str, *, rules: Any = None) -> None:
        called = f"openspiel:{text}"
        self.rules = load(text) if rules is None else rules
        with answering(called):
            spec, board = self._fit(called)
        if spec.longest > _LONGEST:
            limit = f"more than {_LONGEST:,}; choose a smaller size"
            raise GameError(f"{printable(called)} can last {spec.longest:,} moves, {limit}")
        super().__init__(spec, board, merges=is_mergeable(self.rules), called=called)
        self._text = text
        self._parent: tuple[Moves, Any] | None = None  # the last state's predecessor and the last state itself:
        self._last: tuple[Moves, Any] | None = None  # their successors need not be replayed from the start

    def _fit(self, called: str) -> tuple[Spec, Board | None]:
        """The fixed facts, and our board with these rules. GameError where the game does not fit."""
        kind = self.rules.get_type()
        reasons = {
            "has chance or hidden information; games.make gives it as another kind of game": not open_information(
                self.rules
            ),
            "gives no observation tensor, which learners need": not kind.provides_observation_tensor,
        }
        refuse_others(self.rules, called, reasons)
        board = board_of(self.rules)
        spec = Spec(
            name="openspiel:" + str(self.rules).removesuffix("()"),
            actions=self.rules.num_distinct_actions(),
            observation=board.spec.observation if board else tuple(self.rules.observation_tensor_shape()),
            longest=most_moves(self.rules),
            payoffs=(float(self.rules.min_utility()), float(self.rules.max_utility())),
        )
        return spec, board

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self._text)

    def state(self, moves: Moves) -> Any:
        """OpenSpiel's own state after some moves. Do not change it: the next state may be cloned from it.

        Args:
            moves: legal moves from the start.
        """
        if not moves:
            return self.rules.new_initial_state()
        before = moves[:-1]
        if self._parent is None or self._parent[0] != before:
            self._parent = self._last if self._last and self._last[0] == before else (before, self._played(before))
        state = self._parent[1].clone()
        state.apply_action(moves[-1])
        self._last = moves, state
        return state

    def words(self, state: States, seat: int) -> tuple[str, ...]:
        """[A] OpenSpiel's words for the legal actions; nothing on boards of ours, whose cells have numbers, and where
        two actions have one word.
        """
        if self.board is not None:
            return ()
        moves = moves_of(state[None])[0]
        with answering(self.called):
            there = self.state(moves)
            legal = [] if there.is_terminal() or there.current_player() != seat else there.legal_actions()
            said = {action: " ".join(str(there.action_to_string(seat, action)).split()) for action in legal}
        if len({word.lower() for word in said.values()} - {""}) < len(said):
            return ()
        return tuple(printable(said.get(action, ""), 40) for action in range(self.spec.actions))

    def _played(self, moves: Moves) -> Any:
        """The state after these moves, replayed from the start."""
        state = self.rules.new_initial_state()
        for action in moves:
            state.apply_action(action)
        return state

    def replay(self, moves: Moves) -> Position:
        state = self.state(moves)
        over = state.is_terminal()
        reward = float(state.rewards()[0]) + 0.0 if moves else 0.0
        legal = () if over else tuple(state.legal_actions())
        if not over and not legal:
            raise GameError(f"{self.called} has no legal action after the moves {list(moves)}, although it is not over")
        seat = -1 if over else state.current_player()
        if self.board is not None:
            return Position(seat, legal, reward, NO_VIEWS, "")
        tensors = [state.observation_tensor(seat) for seat in (0, 1)]
        views = np.array(tensors, dtype=np.float32).reshape(2, *self.spec.observation)
        picture = str(state)
        future = picture.encode() + b"\0" + views.astype("<f4").tobytes() if self.merges else None
        return Position(seat, legal, reward, views, picture, future)


def _again(kind: type[OpenSpielGame], text: str) -> OpenSpielGame:
    """The game in another process, where its description need not be tried again."""
    trust(text)
    return kind(text)


def open_information(rules: Any) -> bool:
    """Whether everybody sees everything and chance has no part, as far as OpenSpiel says.

    Args:
        rules: a pyspiel game.
    """
    kind = rules.get_type()
    certain = kind.chance_mode == kind.ChanceMode.DETERMINISTIC
    return bool(certain and kind.information == kind.Information.PERFECT_INFORMATION)


def load(text: str, *, adapter: str = "openspiel") -> Any:
    """Load the pyspiel game of a description.

    Args:
        text: what ``pyspiel.load_game`` accepts.
        adapter: the word before the colon, for messages: the user requested ``adapter:text``.

    Raises:
        GameError: OpenSpiel is not installed or has no such game, or loading it or playing random games with it fails
            or ends the process that tries them.
    """
    try:
        import pyspiel
    except ImportError as error:
        raise GameError("this game needs OpenSpiel; install open_spiel") from error
    name, word = f"{adapter}:{text}", text.partition("(")[0]
    if not word:
        raise GameError(f"name an OpenSpiel game after the colon, for example {_EXAMPLES.get(adapter, _EXAMPLES[''])}")
    with answering(name):
        if "python_" in text:
            import open_spiel.python.games  # noqa: F401  # registers them
        known = pyspiel.registered_names()
    if word not in known:
        close = get_close_matches(word, known, n=1)
        meant = f"did you mean {close[0]}?" if close else "pyspiel.registered_names() lists what it has"
        raise GameError(f"OpenSpiel has no game called {printable(word)!r}; {meant}")
    wrong = tried(text, name, os.path.dirname(pyspiel.__file__))
    try:
        with quiet():
            rules = pyspiel.load_game(text)
    except Exception as error:
        raise GameError(f"OpenSpiel cannot make {printable(name)}: {reason(error)}") from error
    if wrong:
        known = fault(rules)
        raise GameError(f"{printable(name)} {known}" if known else f"OpenSpiel cannot make {printable(name)}: {wrong}")
    return rules


_EXAMPLES = {"": "openspiel:tic_tac_toe", "simultaneous": "simultaneous:matrix_rps"}


def parameters(rules: Any) -> dict[str, Any]:
    """All parameters of a game, with their defaults; some games, such as ``mnk``, list only those that were given.

    Args:
        rules: a pyspiel game.
    """
    return {**rules.get_type().parameter_specification, **rules.get_parameters()}


def board_of(rules: Any) -> Board | None:
    """Our board with the rules of an OpenSpiel game.

    Args:
        rules: a pyspiel game.

    Returns:
        The board; None for other games and for sizes that no board can have.
    """
    facts = parameters(rules)
    word = rules.get_type().short_name
    if word == "tic_tac_toe":
        size = (3, 3, 3)
    elif word == "mnk":
        size = (facts["n"], facts["m"], facts["k"])
    elif word == "connect_four":
        size = (facts["rows"], facts["columns"], facts["x_in_row"])
    else:
        return None
    try:
        return Board(*size, gravity=word == "connect_four", name=f"openspiel:{rules}")
    except GameError:
        return None


def twin(board: Board) -> Any:
    """The OpenSpiel game with the rules of a board: the inverse of ``board_of``.

    Args:
        board: one of ours.

    Returns:
        The pyspiel game.

    Raises:
        GameError: OpenSpiel is not installed, or cannot make it.
    """
    if board.gravity:
        return load(f"connect_four(rows={board.rows},columns={board.columns},x_in_row={board.k})")
    if (board.rows, board.columns, board.k) == (3, 3, 3):
        return load("tic_tac_toe")
    return load(f"mnk(m={board.columns},n={board.rows},k={board.k})")


def rules_behind(game: Game) -> Any | None:
    """The OpenSpiel game with the rules and action numbers of a game of ours.

    Args:
        game: any game.

    Returns:
        The pyspiel game; None where there is none.
    """
    if isinstance(game, OpenSpielGame):
        return game.rules
    board = board_behind(game)
    return None if board is None else twin(board)


def searchable(game: Game) -> bool:
    """Whether a game comes from OpenSpiel and hides nothing, so that OpenSpiel's tree search can play it.

    Args:
        game: Any game.
    """
    if not isinstance(game, OpenSpielGame):
        return False
    kind = game.rules.get_type()
    return bool(kind.information == kind.Information.PERFECT_INFORMATION)


def refuse_others(rules: Any, name: str, more: dict[str, bool]) -> None:
    """Refuse what is not a two-player, zero-sum, sequential game.

    Args:
        rules: a pyspiel game.
        name: what the user requested, for messages.
        more: further reasons to refuse it, and whether each applies.

    Raises:
        GameError: with the first reason that applies.
    """
    kind = rules.get_type()
    turns = "openspiel:turn_based_simultaneous_game(game=...) plays them in turn, hidden from each other"
    reasons = {
        f"has {rules.num_players()} players; only games for two fit": rules.num_players() != 2,
        "is not zero-sum; only zero-sum games fit": kind.utility != kind.Utility.ZERO_SUM,
        f"has simultaneous moves; {turns}": kind.dynamics != kind.Dynamics.SEQUENTIAL,
        **more,
    }
    name = printable(name)
    for words, applies in reasons.items():
        if applies:
            raise GameError(f"{name} {words}")
    if broken := fault(rules):
        raise GameError(f"{name} {broken}")
    if rules.max_game_length() < 1 or rules.new_initial_state().is_terminal():
        raise GameError(f"{name} is over before its first move; choose another size")
