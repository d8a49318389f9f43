"""The part of ``games.check`` that takes a millisecond. Models run it before they are built."""

from __future__ import annotations

import numpy as np

from games.base import Bools, Game, Ints, Rng, States
from games.calls import Calls


def quick(game: Game) -> None:
    """Check shapes and types of every method, and keys, on a few positions of random games.

    Args:
        game: the game.

    Raises:
        GameError: names the first violation.
    """
    calls, rng = Calls(game, strict=False), np.random.default_rng(0)
    calls.spec()
    seen = [calls.start(8, rng)]
    for _ in range(8):
        states = seen[-1]
        acting = calls.acting(states)
        can_move = np.stack([calls.legal(states, seat).any(1) for seat in (0, 1)], axis=1)
        states = states[acting.any(1) & (can_move == acting).all(1)]  # models report a missing move themselves
        if not len(states):
            break
        seen.append(calls.step(states, random_actions(calls, states, rng), rng)[0])
    states = np.concatenate(seen)
    calls.render(states[0])
    check_keys(calls, states)


def random_actions(calls: Calls, states: States, rng: Rng) -> Ints:
    """Uniformly random legal actions.

    Args:
        calls: the game.
        states: [N, W].
        rng: draws them.

    Returns:
        int64 [N, 2]; -1 for a seat that does not act.
    """
    actions = np.full((len(states), 2), -1, dtype=np.int64)
    for seat in (0, 1):
        actions[:, seat] = random_legal(calls.legal(states, seat), rng)
    return actions


def random_legal(legal: Bools, rng: Rng) -> Ints:
    """One uniformly random legal action for each row.

    Args:
        legal: bool [N, A].
        rng: draws them.

    Returns:
        int64 [N]; -1 where none is legal.
    """
    return np.where(legal.any(1), (rng.random(legal.shape) * legal).argmax(1), -1)


def groups(keys: np.ndarray) -> tuple[Ints, Ints]:
    """Rows with equal keys.

    Args:
        keys: uint64 [N, 2].

    Returns:
        int64 [n] the rows that repeat an earlier key, and int64 [n] the first row with that key.
    """
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    leader = first[inverse.reshape(-1)]
    rows = np.flatnonzero(leader != np.arange(len(keys)))
    return rows, leader[rows]


def check_keys(calls: Calls, states: States) -> None:
    """Check that positions with equal keys have the same acting seats, legal actions and views.

    Keys of a seat are held against that seat's legal actions and views alone.

    Args:
        calls: the game.
        states: [N, W].

    Raises:
        GameError: names two positions that differ.
    """
    key = calls.key(states)
    acting, legal = calls.acting(states), [calls.legal(states, seat) for seat in (0, 1)]
    views = [calls.observe(states, seat) for seat in (0, 1)]
    keys = [calls.key(states, seat) for seat in (0, 1)]
    rows, first = groups(key)
    _same(calls, states, rows, first, "acting", acting)
    for seat in (0, 1):
        for what, answer in ((f"key for seat {seat}", keys[seat]), (f"legal for seat {seat}", legal[seat])):
            _same(calls, states, rows, first, what, answer)
        _same(calls, states, rows, first, f"observe for seat {seat}", views[seat])
        own_rows, own_first = groups(keys[seat])
        for what, answer in (("legal", legal[seat]), ("observe", views[seat])):
            _same(calls, states, own_rows, own_first, f"{what} for seat {seat}", answer, f"key for seat {seat}")


def _same(
    calls: Calls, states: States, rows: Ints, first: Ints, what: str, answers: np.ndarray, method: str = "key"
) -> None:
    """Refuse a key shared by two positions with different ``answers`` [N, ...]."""
    flat = answers.reshape(len(answers), -1)
    flat = np.nan_to_num(flat) if flat.dtype.kind == "f" else flat  # other checks report non-finite values
    odd = (flat[rows] != flat[first]).any(1)
    if odd.any():
        row, other = states[rows[odd][0]], states[first[odd][0]]
        right = "keys are equal for equal positions and for no others"
        calls.refuse(method, f"{right}; {calls.at(other)} has the same key and another answer of {what}", row)
