"""What models ask of a game before they are built on it: a part of ``games.check`` that costs a millisecond."""

from __future__ import annotations

import numpy as np

from games.base import Game, Ints, Rng, States
from games.calls import Calls


def quick(game: Game) -> None:
    """Shapes and types of every method on a few positions, and that equal keys are equal positions there. GameError."""
    ask, rng = Calls(game, strict=False), np.random.default_rng(0)
    ask.spec()
    seen = [ask.start(8, rng)]
    for _ in range(8):
        states = seen[-1]
        acting = ask.acting(states)
        open_ = np.stack([ask.legal(states, seat).any(1) for seat in (0, 1)], axis=1)
        states = states[acting.any(1) & (open_ == acting).all(1)]  # where a move is missing, models say so themselves
        if not len(states):
            break
        seen.append(ask.step(states, random_actions(ask, states, rng), rng)[0])
    states = np.concatenate(seen)
    ask.render(states[0])
    check_keys(ask, states)


def random_actions(ask: Calls, states: States, rng: Rng) -> Ints:
    """[N, 2] a uniformly random legal action for every seat that acts, -1 for the others."""
    actions = np.full((len(states), 2), -1, dtype=np.int64)
    for seat in (0, 1):
        legal = ask.legal(states, seat)
        chosen = (rng.random(legal.shape) * legal).argmax(1)
        actions[:, seat] = np.where(legal.any(1), chosen, -1)
    return actions


def groups(keys: np.ndarray) -> tuple[Ints, Ints]:
    """Rows [n] that are not the first with their key, and for each the first one [n]."""
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    leader = first[inverse.reshape(-1)]
    rows = np.flatnonzero(leader != np.arange(len(keys)))
    return rows, leader[rows]


def check_keys(ask: Calls, states: States) -> None:
    """Equal keys: the same seats act, with the same legal actions and views. With a seat: the same for that seat."""
    key = ask.key(states)
    acting, legal = ask.acting(states), [ask.legal(states, seat) for seat in (0, 1)]
    views = [ask.observe(states, seat) for seat in (0, 1)]
    keys = [ask.key(states, seat) for seat in (0, 1)]
    rows, first = groups(key)
    _same(ask, states, rows, first, "acting", acting)
    for seat in (0, 1):
        for what, answer in ((f"key for seat {seat}", keys[seat]), (f"legal for seat {seat}", legal[seat])):
            _same(ask, states, rows, first, what, answer)
        _same(ask, states, rows, first, f"observe for seat {seat}", views[seat])
        own_rows, own_first = groups(keys[seat])
        for what, answer in (("legal", legal[seat]), ("observe", views[seat])):
            _same(ask, states, own_rows, own_first, f"{what} for seat {seat}", answer, f"key for seat {seat}")


def _same(
    ask: Calls, states: States, rows: Ints, first: Ints, what: str, answers: np.ndarray, method: str = "key"
) -> None:
    """Refuse a key that two positions share which ``answers`` [N, ...] tells apart."""
    flat = answers.reshape(len(answers), -1)
    flat = np.nan_to_num(flat) if flat.dtype.kind == "f" else flat  # what is not finite is named elsewhere
    odd = (flat[rows] != flat[first]).any(1)
    if odd.any():
        row, other = states[rows[odd][0]], states[first[odd][0]]
        right = "keys are equal for equal positions and for no others"
        ask.refuse(method, f"{right}; {ask.at(other)} has the same key and another answer of {what}", row)
