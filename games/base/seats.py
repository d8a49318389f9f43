"""What a seat sees and is told: pictures that conceal, words for actions, and which moves of the other it can see."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from games.base.arrays import States
from games.base.game import Enumerable, Game


@runtime_checkable
class Concealing(Game, Protocol):
    """A game of hidden information that can be drawn as a seat sees it."""

    def render_for(self, state: States, seat: int) -> str:
        """A position as plain text, with nothing in it that the seat cannot know.

        Args:
            state: [W].
            seat: who looks.

        Returns:
            The text, of one or more lines.
        """


@runtime_checkable
class Worded(Game, Protocol):
    """A game whose actions are called differently from position to position."""

    def words(self, state: States, seat: int) -> tuple[str, ...]:
        """What the actions are called where the seat is to move; may be typed instead of numbers.

        Args:
            state: [W].
            seat: who is to move.

        Returns:
            [A] words, empty for illegal actions; or nothing, where numbers are to do.
        """


def action_words(game: Game, state: States, seat: int) -> tuple[str, ...]:
    """What a game's actions are called at a position: its own words there, or those of its ``Display``; or nothing.

    Args:
        game: any game.
        state: [W].
        seat: who is to move.
    """
    return game.words(state, seat) if isinstance(game, Worded) else game.spec.display.names


def conceals(game: Game) -> bool:
    """Whether a seat may not see everything, as a game states by drawing what it sees.

    Args:
        game: any game.
    """
    return isinstance(game, Concealing)


def sees_move(game: Game, states: States, seat: int, action: int, viewer: int) -> bool:
    """Whether a seat that sees what follows can tell which action another seat has chosen.

    Args:
        game: any game; in one that conceals something and does not list what follows, nobody is taken to see a move.
        states: [1, W] the position before the move, at which ``seat`` alone is to move.
        seat: who moves.
        action: its action.
        viewer: who looks.
    """
    if viewer == seat or not isinstance(game, Concealing):
        return True
    if not isinstance(game, Enumerable):
        return False
    legal = np.flatnonzero(game.legal(states, seat)[0])
    moves = np.full((len(legal), 2), -1, dtype=np.int64)
    moves[:, seat] = legal
    after = game.successors(np.repeat(states, len(legal), axis=0), moves)
    looks = [key.tobytes() for key in np.ascontiguousarray(game.key(after.states, viewer))]
    own, others = set[bytes](), set[bytes]()
    for row, look in zip(after.rows.tolist(), looks, strict=True):
        (own if legal[row] == action else others).add(look)
    return not own & others
