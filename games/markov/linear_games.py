"""Random Markov games that are linear in known features, of any number of states S and dimension d.

With simplex features phi and anchor distributions M_j, P(s' | s, .) = sum over j of phi_j M_j(s'), and rewards are
phi . theta (docs/algorithms.md, "Games linear in known features"). In ``linear:S,d`` exactly one seat moves at each
state, so that each seat's own decision process is linear in phi(s, a) whatever the other plays, and minimax play is
argmax or argmin of phi(s, a) . w for one w: no knowledge of the experts is needed. In ``linear-joint:S,d`` both move
and P is linear in phi(s, a, b): the feature map of one seat that is exact averages phi over the *other expert's*
distribution, and is flagged as an oracle.

States fall into d kinds, anchor j draws from kind j. An action leads to few kinds, with weights of its own in every
state: the games are no aggregations. What kinds do is drawn from (seed, d) alone, so that games of different S with
the same d and seed resemble each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import numpy as np

from games.base import Floats, GameError, Ints
from games.cost import afford
from games.markov.dynamics import Dynamics
from games.markov.game import Linear, MarkovGame, Views
from games.markov.model import MarkovModel
from games.markov.transitions import LowRank

DISCOUNT = 0.9
ACTIONS = 3
_REACH = 3  # kinds that an action can lead to
_SPREAD = 10.0  # concentration of a state's weights around its kind's
_LARGEST = 1_000_000
_WIDEST = 200
_HELD = 2 * ACTIONS**2 + 6 * ACTIONS  # numbers per state and dimension: joint features twice, while they are normalised


def linear(states: int, dimension: int, seed: int = 0) -> MarkovGame:
    """The turn-based game: state s is of kind s mod d, and of the seat (s // d) mod 2.

    Takes O(S d) memory and a few seconds for S = 100,000.

    Args:
        states: S, at least 2 d.
        dimension: d, at least 2.
        seed: of the random game.

    Returns:
        The game ``linear:S,d`` or ``linear:S,d,seed``.

    Raises:
        GameError: for other sizes, or where memory is too small for them.
    """
    _sizes("linear", states, dimension)
    kinds, owner = _kinds(states, dimension), np.arange(states) // dimension % 2
    base = _base((dimension, 2, ACTIONS), dimension, seed)
    phi = _scattered(base[kinds, owner], _rng(1, states, dimension, seed))  # [S, A, d]
    theta = _theta(dimension, seed)
    mine = owner[:, None, None] == 0
    joint = np.where(mine[..., None], phi[:, :, None], phi[:, None, :])  # [S, A, B, d]
    moves = [np.repeat((owner == seat)[:, None], ACTIONS, axis=1) for seat in (0, 1)]
    view = phi.reshape(states, -1).astype(np.float32)
    return MarkovGame(
        _name("linear", states, dimension, seed),
        Dynamics(
            joint @ theta,
            LowRank(joint, anchors := _anchors(states, dimension, seed)),
            anchors[0],
            discount=DISCOUNT,
            legal=(moves[0], moves[1]),
        ),
        Views(
            linear=Linear((np.where(mine, phi, 0.0), np.where(mine, 0.0, phi)), name="simplex"),
            observations=(view, view),
            picture=partial(_turn, dimension),
        ),
    )


def joint(states: int, dimension: int, seed: int = 0, *, features: str = "induced") -> MarkovGame:
    """The game in which both seats move at once.

    Args:
        states: S, at least 2 d.
        dimension: d, at least 2.
        seed: of the random game.
        features: ``induced``, exact but made from the experts' own distributions (``Linear.oracle`` says so), or
            ``plain``, the average over the other seat's actions, which needs no oracle and is not exact.

    Returns:
        The game ``linear-joint:S,d``, with seed and features if they are not the default.

    Raises:
        GameError: for other sizes or features, or where memory is too small.
    """
    _sizes("linear-joint", states, dimension)
    if features not in MAPS:
        raise GameError(f"linear-joint has no features {features!r}; choose among: {', '.join(MAPS)}")
    base = _base((dimension, ACTIONS, ACTIONS), dimension, seed)
    phi = _scattered(base[_kinds(states, dimension)], _rng(1, states, dimension, seed))  # [S, A, B, d]
    anchors = _anchors(states, dimension, seed)
    view = phi.reshape(states, -1).astype(np.float32)
    return MarkovGame(
        _name("linear-joint", states, dimension, seed) + (":plain" if features == "plain" else ""),
        Dynamics(phi @ _theta(dimension, seed), LowRank(phi, anchors), anchors[0], discount=DISCOUNT),
        Views(linear=MAPS[features], observations=(view, view), picture=partial(_kind, dimension)),
    )


def plain(game: MarkovGame) -> Linear:
    """phi_i(s, a): the joint features averaged over all actions of the other seat.

    Args:
        game: a joint game.

    Raises:
        GameError: for any other game.
    """
    even = np.full((game.states, ACTIONS), 1.0 / ACTIONS)
    return Linear(_averaged(game, (even, even)), name="plain")


def induced(game: MarkovGame) -> Linear:
    """phi_i(s, a): the joint features averaged over what the other seat's expert plays.

    Args:
        game: a joint game.

    Raises:
        GameError: for any other game.
    """
    return Linear(_averaged(game, MarkovModel(game).equilibrium("first")), oracle=True, name="induced")


MAPS: dict[str, Callable[[MarkovGame], Linear]] = {"induced": induced, "plain": plain}
"""Feature maps of the joint game by the name that follows in ``linear-joint:S,d:NAME``."""


def named(parameters: str) -> MarkovGame:
    """The turn-based game of a name's parameters.

    Args:
        parameters: ``S,d`` or ``S,d,seed``; 100,5 if empty.

    Raises:
        GameError: for anything else.
    """
    return linear(*_numbers("linear", parameters))


def named_joint(parameters: str) -> MarkovGame:
    """The simultaneous game of a name's parameters.

    Args:
        parameters: ``S,d`` or ``S,d,seed``, with ``:plain`` or ``:induced`` after it or not; 100,5 if empty.

    Raises:
        GameError: for anything else.
    """
    sizes, _, features = parameters.partition(":")
    return joint(*_numbers("linear-joint", sizes), features=features or "induced")


# --- parts -------------------------------------------------------------------------------------------------


def _averaged(game: MarkovGame, experts: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Per seat [S, A, d] the joint features under the other seat's distribution."""
    kernel = game.transitions
    if not isinstance(kernel, LowRank):
        raise GameError(f"{game.spec.name} has no joint features")
    first = np.einsum("sb,sabd->sad", experts[1], kernel.features)
    second = np.einsum("sa,sabd->sbd", experts[0], kernel.features)
    return first, second


def _base(shape: tuple[int, ...], dimension: int, seed: int) -> Floats:
    """[*shape, d] the kinds that each action leads to: a few at random, with random weights."""
    rng = _rng(0, 0, dimension, seed)
    reach = min(_REACH, dimension)
    kinds = rng.random((*shape, dimension)).argpartition(reach - 1, axis=-1)[..., :reach]
    table = np.zeros((*shape, dimension))
    np.put_along_axis(table, kinds, rng.dirichlet(np.ones(reach), size=shape), axis=-1)
    return table


def _scattered(base: Floats, rng: np.random.Generator) -> Floats:
    """Weights like ``base`` [..., d], drawn anew for every state and action: Dirichlet around it, on its kinds."""
    drawn = rng.standard_gamma(_SPREAD * base)
    drawn += base * 1e-3  # a row of tiny shapes may draw nothing at all
    return np.asarray(drawn / drawn.sum(-1, keepdims=True))


def _anchors(states: int, dimension: int, seed: int) -> Floats:
    """[d, S] anchor j draws from the states of kind j, with random weights."""
    weight = _rng(2, states, dimension, seed).exponential(size=states)
    table = np.where(_kinds(states, dimension) == np.arange(dimension)[:, None], weight, 0.0)
    return np.asarray(table / table.sum(1, keepdims=True))


def _theta(dimension: int, seed: int) -> Floats:
    """[d] rewards of the kinds, between -1 and 1."""
    return _rng(3, 0, dimension, seed).uniform(-1.0, 1.0, dimension)


def _kinds(states: int, dimension: int) -> Ints:
    return np.arange(states) % dimension


def _rng(part: int, states: int, dimension: int, seed: int) -> np.random.Generator:
    return np.random.default_rng([part, states, dimension, seed])


def _sizes(word: str, states: int, dimension: int) -> None:
    """Raise GameError for sizes out of range, or that memory does not suffice for."""
    if not 2 <= dimension <= _WIDEST or not 2 * dimension <= states <= _LARGEST:
        raise GameError(
            f"{word}:S,d needs d from 2 to {_WIDEST} and S from 2 d to {_LARGEST}, not S = {states} and d = {dimension}"
        )
    afford(_HELD * 8.0 * states * dimension, f"{word}:{states},{dimension}")


def _numbers(word: str, parameters: str) -> list[int]:
    if not re.fullmatch(r"[0-9]{1,8},[0-9]{1,4}(,[0-9]{1,9})?", parameters or "100,5"):
        raise GameError(f"{word}:{parameters} is no such game; write {word}:S,d or {word}:S,d,seed, say {word}:100,5")
    return [int(number) for number in (parameters or "100,5").split(",")]


def _name(word: str, states: int, dimension: int, seed: int) -> str:
    return f"{word}:{states},{dimension}" + (f",{seed}" if seed else "")


def _turn(dimension: int, state: int) -> str:
    return f"state {state} of kind {state % dimension}, player {state // dimension % 2} to move"


def _kind(dimension: int, state: int) -> str:
    return f"state {state} of kind {state % dimension}"
