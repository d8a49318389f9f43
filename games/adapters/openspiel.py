"""OpenSpiel's games as games of ours: ``games.make("openspiel:connect_four(rows=4,columns=5)")``.

The text after the first colon goes to ``pyspiel.load_game``. For any two-player, zero-sum, sequential game of
perfect information without chance. Tic-Tac-Toe, Connect Four and m,n,k-games have the keys, observations and
action numbers of our ``Board`` (where the board fits one); the others observe OpenSpiel's own tensor for the seat.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import Any

import numpy as np

from games.adapters.openspiel_facts import fault, most_moves, shown_is_all
from games.adapters.outside import answering, quiet, reason, shown
from games.adapters.replay import NO_VIEWS, Moves, Position, Replayed
from games.adapters.trial import tried, trust
from games.base import GameError, Spec
from games.boards import Board

_LONGEST = 1_000_000  # moves of a game: a state has a word for each


class OpenSpielGame(Replayed):
    """The OpenSpiel game that ``text`` describes. GameError, in one line, for one that does not fit (see above)."""

    library = "OpenSpiel"

    def __init__(self, text: str) -> None:
        called = f"openspiel:{text}"
        self.rules = load(text)
        with answering(called):
            _refuse_what_does_not_fit(self.rules, called)
            board = board_of(self.rules)
            spec = Spec(
                name="openspiel:" + str(self.rules).removesuffix("()"),
                actions=self.rules.num_distinct_actions(),
                observation=board.spec.observation if board else tuple(self.rules.observation_tensor_shape()),
                longest=most_moves(self.rules),
            )
        if spec.longest > _LONGEST:
            raise GameError(f"{shown(called)} can last {spec.longest:,} moves, more than {_LONGEST:,}; make it shorter")
        super().__init__(spec, board, merges=shown_is_all(self.rules), called=called)
        self._text = text
        self._parent: tuple[Moves, Any] | None = None  # where the last state came from, and that state: children and
        self._last: tuple[Moves, Any] | None = None  # siblings of it need not be played from the start

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self._text,)

    def state(self, moves: Moves) -> Any:
        """OpenSpiel's own state after these moves; not to be changed, the next one may be a child of it."""
        if not moves:
            return self.rules.new_initial_state()
        before = moves[:-1]
        if self._parent is None or self._parent[0] != before:
            self._parent = self._last if self._last and self._last[0] == before else (before, self._played(before))
        state = self._parent[1].clone()
        state.apply_action(moves[-1])
        self._last = moves, state
        return state

    def _played(self, moves: Moves) -> Any:
        """The state after these moves, from the start."""
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
            raise GameError(f"{self.called} goes on without a move to make after the moves {list(moves)}")
        seat = -1 if over else state.current_player()
        if self.board is not None:
            return Position(seat, legal, reward, NO_VIEWS, "")
        tensors = [state.observation_tensor(seat) for seat in (0, 1)]
        views = np.array(tensors, dtype=np.float32).reshape(2, *self.spec.observation)
        picture = str(state)
        future = picture.encode() + b"\0" + views.astype("<f4").tobytes() if self.merges else None
        return Position(seat, legal, reward, views, picture, future)


def _again(text: str) -> OpenSpielGame:
    """The game in another process, where its description need not be tried again."""
    trust(text)
    return OpenSpielGame(text)


def load(text: str, *, door: str = "openspiel") -> Any:
    """The pyspiel game of this description, asked for as ``door:text``.

    GameError where OpenSpiel has none, or is not there, or where loading it, or the first moves of random games, fail
    or end the process that tries them.
    """
    try:
        import pyspiel
    except ImportError as error:
        raise GameError("this game needs OpenSpiel; install open_spiel") from error
    name, word = f"{door}:{text}", text.partition("(")[0]
    if not word:
        raise GameError(f"name an OpenSpiel game after the colon, for example {_EXAMPLES.get(door, _EXAMPLES[''])}")
    with answering(name):
        if "python_" in text:
            import open_spiel.python.games  # noqa: F401  # registers them
        known = pyspiel.registered_names()
    if word not in known:
        close = get_close_matches(word, known, n=1)
        meant = f"did you mean {close[0]}?" if close else "pyspiel.registered_names() lists what it has"
        raise GameError(f"OpenSpiel has no game called {shown(word)!r}; {meant}")
    wrong = tried(text, name, os.path.dirname(pyspiel.__file__))
    try:
        with quiet():
            rules = pyspiel.load_game(text)
    except Exception as error:
        raise GameError(f"OpenSpiel cannot make {shown(name)}: {reason(error)}") from error
    if wrong:
        known = fault(rules)
        raise GameError(f"{shown(name)} {known}" if known else f"OpenSpiel cannot make {shown(name)}: {wrong}")
    return rules


_EXAMPLES = {"": "openspiel:tic_tac_toe", "simultaneous": "simultaneous:matrix_rps"}


def parameters(rules: Any) -> dict[str, Any]:
    """All parameters of a pyspiel game: some, such as ``mnk``, do not list those that were not given."""
    return {**rules.get_type().parameter_specification, **rules.get_parameters()}


def board_of(rules: Any) -> Board | None:
    """Our board with the rules of this pyspiel game; None where it is another game, or a size no board can have."""
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
    """The pyspiel game with the rules of this board of ours: the way back of ``board_of``."""
    if board.gravity:
        return load(f"connect_four(rows={board.rows},columns={board.columns},x_in_row={board.k})")
    if (board.rows, board.columns, board.k) == (3, 3, 3):
        return load("tic_tac_toe")
    return load(f"mnk(m={board.columns},n={board.rows},k={board.k})")


def _refuse_what_does_not_fit(rules: Any, name: str) -> None:
    """GameError with the first reason why this is no two-player zero-sum game of perfect information and no chance."""
    kind = rules.get_type()
    hidden = kind.information != kind.Information.PERFECT_INFORMATION
    reasons = {
        f"has {rules.num_players()} players; only games for two fit": rules.num_players() != 2,
        "is not zero-sum; only zero-sum games fit": kind.utility != kind.Utility.ZERO_SUM,
        "has simultaneous moves; only sequential games fit": kind.dynamics != kind.Dynamics.SEQUENTIAL,
        "has chance moves; only games without chance fit": kind.chance_mode != kind.ChanceMode.DETERMINISTIC,
        "has hidden information; only perfect information fits": hidden,
        "gives no observation tensor, which learners need": not kind.provides_observation_tensor,
    }
    name = shown(name)
    for words, applies in reasons.items():
        if applies:
            raise GameError(f"{name} {words}")
    if broken := fault(rules):
        raise GameError(f"{name} {broken}")
    if rules.max_game_length() < 1 or rules.new_initial_state().is_terminal():
        raise GameError(f"{name} has no move to make; choose another size")
