"""Whether a game keeps the contract of ``games.base``: every method, on sampled play, before anything is built on it.

``check(game)`` plays random games and asks every method what it promises: shapes and types, that the arrays it is given
stay as they are, that batches equal rows, that legal actions are accepted and others refused, that equal keys are equal
positions (same moves, same views, same futures), that games end, that successors, symmetries and copies agree with
``step``. GameError, in one line, names the method, the position and what is right. What it cannot know: whether these
are the rules that were meant. ``quick(game)`` is the part that costs a millisecond; models do it when they are built.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from games.base import Bools, Enumerable, Game, GameError, Ints, Rng, States, Symmetric
from games.calls import Calls
from games.quick import check_keys, groups, random_actions

_POSITIONS = 400  # positions that are asked about one by one, in both seats
_MOVES = 2000  # moves that are looked at from there


@dataclass(frozen=True)
class Checked:
    """What a check has looked at."""

    name: str
    positions: int
    """Distinct positions, finished ones included."""
    moves: int
    """Moves of which the outcome was looked at."""


def check(game: Game, *, games: int = 32, seed: int = 0) -> Checked:
    """Hold a game against its contract on so many random games; GameError names the first thing that is not right."""
    ask = Calls(game)
    ask.spec()
    _start(ask)
    visited = _play(ask, games, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    some = visited[np.sort(rng.permutation(len(visited))[:_POSITIONS])]
    _questions(ask, some)
    running = some[ask.acting(some).any(1)]
    before, actions = _moves(ask, running, rng)
    after = _legality(ask, before, actions)
    _illegal(ask, running[:64], rng)
    everything = np.unique(np.concatenate([some, after]), axis=0)
    check_keys(ask, everything)
    if isinstance(game, Enumerable):
        _successors(ask, before, actions)
    elif hasattr(game, "starts") or hasattr(game, "successors"):
        ask.refuse("starts, successors", "a game that lists its positions has both of them")
    _futures(ask, everything, rng)
    _symmetries(ask, before, actions)
    _copies(ask, before[:64], actions[:64])
    _name(ask)
    return Checked(game.spec.name, len(everything), len(before))


# --- play ----------------------------------------------------------------------------------------------------


def _start(ask: Calls) -> None:
    for n in (0, 1, 5):
        states = ask.start(n, np.random.default_rng(7))
        if not np.array_equal(states, ask.start(n, np.random.default_rng(7))):
            ask.refuse("start", "every draw comes from rng: equal generators give equal positions")
    idle = ~ask.acting(states).any(1)
    if idle.any():
        ask.refuse("acting", "somebody acts at the start of a game", states[idle][0])


def _play(ask: Calls, games: int, rng: Rng) -> States:
    """The distinct positions of random games, finished ones included, each step checked."""
    states = ask.start(games, rng)
    seen = [states]
    for _ in range(ask.game.spec.longest):
        actions = random_actions(ask, states, rng)
        after, _, done = ask.step(states, actions, rng)
        going = ask.acting(after).any(1)
        if (going == done).any():
            row = int((going == done).argmax())
            right = "the game is over (the third answer) when and only when acting names nobody"
            ask.refuse("step", f"{right}; here over is {bool(done[row])}", after[row])
        seen.append(after)
        states = after[~done]
        if not len(states):
            break
    if len(states):
        right = f"a game ends within spec.longest = {ask.game.spec.longest} moves; this one goes on"
        ask.refuse("step", right, states[0])
    return np.unique(np.concatenate(seen), axis=0)


def _moves(ask: Calls, states: States, rng: Rng) -> tuple[States, Ints]:
    """Positions and legal actions there: all of them where one seat moves, and as many at random where both do."""
    legal = [ask.legal(states, seat) for seat in (0, 1)]
    rows, actions = [], []
    for seat in (0, 1):
        row, action = np.nonzero(legal[seat])
        moves = np.full((len(row), 2), -1, dtype=np.int64)
        moves[:, seat] = action
        other = legal[1 - seat][row]
        moves[:, 1 - seat] = np.where(other.any(1), (rng.random(other.shape) * other).argmax(1), -1)
        rows.append(row)
        actions.append(moves)
    row, moves = np.concatenate(rows), np.concatenate(actions)
    chosen = np.sort(rng.permutation(len(row))[:_MOVES])
    return states[row[chosen]], moves[chosen]


# --- questions -----------------------------------------------------------------------------------------------


def _questions(ask: Calls, states: States) -> None:
    """Who acts has legal actions, batches are their rows, and views are finite; no rows give no rows."""
    acting = ask.acting(states)
    for seat in (0, 1):
        odd = ask.legal(states, seat).any(1) != acting[:, seat]
        if odd.any():
            right = "a seat has legal actions where it acts and none elsewhere"
            says = f"acting says {bool(acting[odd.argmax(), seat])} of seat {seat}"
            ask.refuse("legal", f"{right}; {says}", states[odd][0])
        odd = ~np.isfinite(ask.observe(states, seat)).reshape(len(states), -1).all(1)
        if odd.any():
            ask.refuse("observe", "observations are finite", states[odd][0])
    few = states[:: max(1, len(states) // 24)]
    for method, question in ask.questions():
        whole = question(few)
        question(states[:0])
        for row in range(len(few)):
            if not np.array_equal(question(few[row : row + 1])[0], whole[row]):
                ask.refuse(method, "each row's answer depends on that row alone, whatever its neighbours", few[row])
    for state in few:
        ask.render(state)


def _legality(ask: Calls, states: States, actions: Ints) -> States:
    """[N, W] where these legal moves lead; draws come from rng."""
    once, again = (ask.step(states, actions, np.random.default_rng(3)) for _ in range(2))
    if any(not np.array_equal(a, b) for a, b in zip(once, again, strict=True)):
        ask.refuse("step", "every draw comes from rng: equal generators give equal answers")
    if ask.certain(states, actions):
        for row in range(0, len(states), max(1, len(states) // 24)):
            alone = ask.step(states[row : row + 1], actions[row : row + 1], np.random.default_rng(3))
            if any(not np.array_equal(whole[row], one[0]) for whole, one in zip(once, alone, strict=True)):
                ask.refuse("step", "each row's answer depends on that row alone, whatever its neighbours", states[row])
    return once[0]


def _illegal(ask: Calls, states: States, rng: Rng) -> None:
    """Each illegal action, and numbers that are none, is refused: alone and among legal ones."""
    actions = random_actions(ask, states, rng)
    for seat in (0, 1):
        legal = ask.legal(states, seat)
        for row in np.flatnonzero(legal.any(1)):
            closed = rng.permutation(np.flatnonzero(~legal[row]))[:3]
            for action in (-1, legal.shape[1], *closed.tolist()):
                wrong = actions[row].copy()
                wrong[seat] = action
                ask.refuses(states[row : row + 1], wrong[None], seat)
                if row == 0 and len(states) > 1:
                    ask.refuses(states[:2], np.stack([wrong, actions[1]]), seat)


# --- keys ----------------------------------------------------------------------------------------------------


def _futures(ask: Calls, states: States, rng: Rng) -> None:
    """Equal keys have equal futures: every move leads to the same keys, rewards and ends."""
    rows, first = groups(ask.key(states))
    running = ask.acting(states[rows]).any(1)
    chosen = rng.permutation(np.flatnonzero(running))[:200]
    rows, first = rows[chosen], first[chosen]
    every = _moves(ask, states[rows], rng) if len(rows) else None
    if every is None or not (isinstance(ask.game, Enumerable) or ask.certain(*every)):
        return
    for row, other in zip(states[rows], states[first], strict=True):
        _, actions = _moves(ask, row[None], rng)
        for action in actions:
            here, there = (ask.outcomes(state, action) for state in (row, other))
            if here != there and not any(map(ask.is_cut, (row, other), (action, action))):
                right = "positions with equal keys have equal futures"
                move = f"after actions {action.tolist()} {ask.at(other)} leads elsewhere"
                ask.refuse("key", f"{right}; {move} (other keys, rewards or ends)", row)


# --- what goes with step -------------------------------------------------------------------------------------


def _successors(ask: Calls, states: States, actions: Ints) -> None:
    """The list of outcomes has what step gives, with probabilities that sum to 1; starts has what start gives."""
    listed = {row.tobytes() for row in ask.key(ask.starts())}
    drawn = ask.start(50, np.random.default_rng(11))
    for state, key in zip(drawn, ask.key(drawn), strict=True):
        if key.tobytes() not in listed:
            ask.refuse("starts", "every first position that start gives is listed", state)
    found = ask.successors(states, actions)
    total = np.bincount(found.rows, found.probability, minlength=len(states))
    if not (np.abs(total - 1.0) <= 1e-9).all() or not (found.probability > 0).all():
        row = int((~(np.abs(total - 1.0) <= 1e-9)).argmax())
        right = "probabilities are above 0 and sum to 1 over the outcomes of each move"
        ask.refuse("successors", f"{right}; here they sum to {total[row]:g}", states[row])
    keys = ask.key(found.states)
    outcomes: dict[tuple[int, bytes, bool], list[float]] = {}
    for row, key, done, reward in zip(found.rows, keys, found.done, found.rewards, strict=True):
        outcomes.setdefault((int(row), key.tobytes(), bool(done)), []).append(float(reward))
    for seed in range(3):
        after, rewards, done = ask.step(states, actions, np.random.default_rng(seed))
        for row, key in enumerate(ask.key(after)):
            known = outcomes.get((row, key.tobytes(), bool(done[row])), [])
            if not any(abs(reward - rewards[row]) <= 1e-9 for reward in known):
                right = f"what step gives for actions {actions[row].tolist()} is among the listed outcomes"
                ask.refuse("successors", f"{right} (same key, reward and end)", states[row])


def _symmetries(ask: Calls, states: States, actions: Ints) -> None:
    """Action permutations form a group, identity first; images move with them: legal actions, steps, rewards, ends."""
    permutations = ask.game.spec.symmetries
    if not permutations or not isinstance(ask.game, Symmetric):  # a quotient has them without images
        return
    identity = tuple(range(ask.game.spec.actions))
    proper = all(tuple(sorted(p)) == identity for p in permutations) and len(set(permutations)) == len(permutations)
    if permutations[0] != identity or not proper:
        ask.refuse("spec.symmetries", "distinct permutations of the actions, the identity first")
    for one in permutations:
        for other in permutations:
            if tuple(other[action] for action in one) not in permutations:
                ask.refuse("spec.symmetries", f"a group: {list(one)} and then {list(other)} is missing")
    after, rewards, done = ask.step(states, actions, np.random.default_rng(5))
    images, after_images = ask.images(states), ask.images(after)
    if not np.array_equal(images[0], states):
        ask.refuse("images", "the first image is the position itself")
    for image, moved, permutation in zip(images, after_images, np.array(permutations), strict=True):
        for seat in (0, 1):
            odd = (ask.legal(image, seat)[:, permutation] != ask.legal(states, seat)).any(1)
            _commutes(ask, odd, states, f"legal actions of seat {seat} at the image", permutation)
        there = ask.step(image, np.where(actions >= 0, permutation[actions], -1), np.random.default_rng(5))
        odd = (ask.key(there[0]) != ask.key(moved)).any(1) | (np.abs(there[1] - rewards) > 1e-9) | (there[2] != done)
        _commutes(ask, odd, states, "what step gives at the image", permutation)


def _commutes(ask: Calls, odd: Bools, states: States, what: str, permutation: Ints) -> None:
    if odd.any():
        right = f"{what} is the image of what it is at the position"
        ask.refuse("images", f"{right}; not so under {permutation.tolist()}", states[odd][0])


def _copies(ask: Calls, states: States, actions: Ints) -> None:
    """A copy, such as other processes get, is the same game."""
    try:
        other = Calls(copy.deepcopy(ask.game))
    except Exception as error:
        ask.refuse("copies", f"a game is sent to other processes, so it can be pickled; this one can't: {error}")
    if other.game.spec != ask.game.spec:
        ask.refuse("copies", "a copy has the same spec")
    mine, theirs = (each.step(states, actions, np.random.default_rng(5)) for each in (ask, other))
    if any(not np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True)):
        ask.refuse("copies", "a copy plays as the game does", states[0])


def _name(ask: Calls) -> None:
    """Where the name's first word is registered, ``games.make`` leads back to this game."""
    from games import registry  # which loads every game

    name = ask.game.spec.name
    if not registry.known(name):
        return
    try:
        other: Any = registry.make(name)
    except GameError as error:
        ask.refuse("spec.name", f"games.make(spec.name) gives this game again; it says: {error}")
    if other.spec != ask.game.spec:
        ask.refuse("spec.name", f"games.make(spec.name) gives this game again, not one of {other.spec}")
