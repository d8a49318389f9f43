"""Small games in which cloning from expert-expert play must fail: what the experts never do to each other is not seen.

``chain:N`` is the chain of despair (docs/algorithms.md, "Chain of despair"): player 1 moves to a state in which nothing
happens any more, or walks N - 2 states down a chain, at whose end player 0 earns 10 a step with one action and loses 2
a step with the other. Experts never go there. ``unseen:K`` has an infinite concentrability coefficient: player 1's
deviation is as good as its expert's action, as long as player 0 knows the one right answer (action K of three) in a
state that no expert pair visits; a player 0 that has to guess loses at least 1 / (1 - discount). ``rps`` is repeated
rock, paper, scissors with state: the equilibrium mixes.
"""

from __future__ import annotations

import re
from functools import partial

import numpy as np

from games.base import Bools, Display, Floats, GameError
from games.markov.dynamics import Dynamics
from games.markov.game import Linear, MarkovGame, Views
from games.markov.transitions import Entries

DISCOUNT = 0.9
_LONGEST = 256  # states of a chain
HANDS = ("rock", "paper", "scissors")


def chain(states: int) -> MarkovGame:
    """The chain of despair.

    Player 1 decides in state 0: action 0 leads to state 1, which is absorbing and pays nothing, action 1 to state 2.
    From state 2 on its action 1 leads one state on, action 0 back to state 0. In the last state, which is absorbing,
    player 0 earns 10 a step for action 0 and -2 for action 1. If player 0 plays action 0 there with probability p, it
    is exploitable by max(0, g^(N-2) (2 - 12 p) / (1 - g)).

    Args:
        states: N, from 4 to 256.

    Returns:
        The game ``chain:N``.

    Raises:
        GameError: for another N.
    """
    if not 4 <= states <= _LONGEST:
        raise GameError(f"a chain of despair has 4 to {_LONGEST} states, not {states}")
    kernel = np.zeros((states, 2, 2, states))
    kernel[0, :, 0, 1] = kernel[0, :, 1, 2] = 1.0
    kernel[1, :, :, 1] = kernel[-1, :, :, -1] = 1.0
    along = np.arange(2, states - 1)
    kernel[along, :, 0, 0] = kernel[along, :, 1, along + 1] = 1.0
    rewards = np.zeros((states, 2, 2))
    rewards[-1, 0], rewards[-1, 1] = 10.0, -2.0
    return MarkovGame(
        f"chain:{states}",
        Dynamics(rewards, kernel, _at(0, states), discount=DISCOUNT, episode=states),
        Views(linear=onehot(states, 2), picture=partial(_link, states), unlabelled=1),
    )


def unseen(right: int) -> MarkovGame:
    """The game with an infinite concentrability coefficient.

    Player 1 decides in state 0: action 0 leads to state 1, action 1 to state 2, both absorbing. State 1 pays +1 a step;
    state 2 pays +1 for player 0's action ``right`` and -1 for the other two. The others are pure loss, so both of
    player 1's actions are best responses to the expert, and its expert takes the first.

    Args:
        right: 0, 1 or 2.

    Returns:
        The game ``unseen`` or ``unseen:K``.

    Raises:
        GameError: for another action.
    """
    if right not in range(3):
        raise GameError(f"unseen has three actions, numbered 0 to 2, not {right}")
    legal = (np.ones((3, 3), dtype=np.bool_), np.ones((3, 2), dtype=np.bool_))
    legal[0][:2, 1:], legal[1][1:, 1:] = False, False
    kernel = np.zeros((3, 3, 2, 3))
    kernel[0, :, 0, 1] = kernel[0, :, 1, 2] = 1.0
    kernel[1, :, :, 1] = kernel[2, :, :, 2] = 1.0
    rewards = np.zeros((3, 3, 2))
    rewards[1], rewards[2], rewards[2, right] = 1.0, -1.0, 1.0
    return MarkovGame(
        f"unseen:{right}" if right else "unseen",
        Dynamics(rewards, kernel, _at(0, 3), discount=DISCOUNT, legal=legal),
        Views(linear=onehot(3, 3), picture=_fork),
    )


def rps() -> MarkovGame:
    """Endless rock, paper, scissors: the action that won last is charged, and a win with it counts double.

    State 0: nothing is charged (a draw discharges); state 1 + h: action h is. The value is 0 by symmetry, the
    equilibrium mixes in every state, and its probabilities depend on the state.
    """
    first, second = np.indices((3, 3))
    won = (first - second) % 3  # 1: the first hand wins, 2: the second
    best = np.where(won == 1, first, second)
    following = np.where(won == 0, 0, 1 + best)  # [A, B]
    rewards = np.where(won == 1, 1.0, np.where(won == 2, -1.0, 0.0))
    table = np.stack([rewards * np.where(best == hand, 2.0, 1.0) for hand in (-1, 0, 1, 2)])  # [S, A, B]
    row = np.arange(table.size)
    kernel = Entries(table.shape, row, np.tile(following.ravel(), 4), np.ones(len(row)))
    return MarkovGame(
        "rps",
        Dynamics(table, kernel, _at(0, 4), discount=DISCOUNT),
        Views(linear=onehot(4, 3), picture=_hand, display=Display(names=HANDS)),
    )


def onehot(states: int, actions: int) -> Linear:
    """Features under which everything is linear and nothing is shared.

    Args:
        states: S.
        actions: A.

    Returns:
        [S, A, S * A] for both seats.
    """
    table = np.eye(states * actions).reshape(states, actions, -1)
    return Linear((table, table), name="onehot")


def named_chain(parameters: str) -> MarkovGame:
    """The game of a name's parameters.

    Args:
        parameters: N; 8 if empty.

    Raises:
        GameError: for anything else.
    """
    if not re.fullmatch(r"[0-9]{0,4}", parameters):
        raise GameError(f"chain:{parameters} is no chain; write chain:N, for example chain:16")
    return chain(int(parameters or 8))


def named_unseen(parameters: str) -> MarkovGame:
    """The game of a name's parameters.

    Args:
        parameters: K; 0 if empty.

    Raises:
        GameError: for anything else.
    """
    if not re.fullmatch(r"[0-9]{0,2}", parameters):
        raise GameError(f"unseen:{parameters} is no such game; write unseen:0, unseen:1 or unseen:2")
    return unseen(int(parameters or 0))


def named_rps(parameters: str) -> MarkovGame:
    """The game of a name's parameters.

    Args:
        parameters: nothing.

    Raises:
        GameError: for anything else.
    """
    if parameters:
        raise GameError(f"rps takes no parameters, not {parameters!r}")
    return rps()


def _at(state: int, states: int) -> Floats:
    return np.asarray(np.arange(states) == state, dtype=np.float64)


def _link(states: int, state: int) -> str:
    cells: Bools = np.arange(states) == state
    marks = ["o" if here else "." for here in cells]
    return f"fork {marks[0]}  haven {marks[1]}  chain {' '.join(marks[2:])}"


def _fork(state: int) -> str:
    return ("at the fork", "in the haven", "in the unseen state")[state]


def _hand(state: int) -> str:
    return f"charged: {HANDS[state - 1]}" if state else "charged: nothing"
