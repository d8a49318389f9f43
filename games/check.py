"""A check that a game satisfies the contract of ``games.base``: every method, on sampled play.

``check(game)`` plays random games and tests every method: shapes and types, that arguments are not changed, that
batches equal rows, that legal actions are accepted and others refused, that equal keys mean equal positions (moves,
views, futures), that games end, and that successors, symmetries and copies agree with ``step``. A GameError of one line
names the method, the position and the right behavior. It cannot know whether these are the intended rules.
``quick(game)`` is the part that takes a millisecond; models run it when they are built.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from games.base import Bools, Enumerable, Game, GameError, Ints, Rng, States, Symmetric
from games.calls import Calls
from games.quick import check_keys, groups, random_actions, random_legal

_POSITIONS = 400  # positions to check one by one, in both seats
_MOVES = 2000  # moves to check from there


@dataclass(frozen=True)
class Checked:
    """The extent of a check."""

    name: str
    positions: int
    """Number of distinct positions, finished ones included."""
    moves: int
    """Number of moves whose outcome was checked."""


def check(game: Game, *, games: int = 32, seed: int = 0) -> Checked:
    """Check a game against its contract.

    Args:
        game: The game.
        games: The number of random games to play.
        seed: Of the random games.

    Raises:
        GameError: Names the first violation.
    """
    calls = Calls(game)
    calls.spec()
    _start(calls)
    visited = _play(calls, games, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    some = visited[np.sort(rng.permutation(len(visited))[:_POSITIONS])]
    _questions(calls, some)
    running = some[calls.acting(some).any(1)]
    before, actions = _moves(calls, running, rng)
    after = _legality(calls, before, actions)
    _illegal(calls, running[:64], rng)
    everything = np.unique(np.concatenate([some, after]), axis=0)
    check_keys(calls, everything)
    if isinstance(game, Enumerable):
        _successors(calls, before, actions)
    elif hasattr(game, "starts") or hasattr(game, "successors"):
        calls.refuse("starts, successors", "a game that lists its positions has both of them")
    _futures(calls, everything, rng)
    _stated(calls, before, actions)
    _symmetries(calls, before, actions)
    _copies(calls, before[:64], actions[:64])
    _name(calls)
    return Checked(game.spec.name, len(everything), len(before))


# --- play ----------------------------------------------------------------------------------------------------


def _start(calls: Calls) -> None:
    for n in (0, 1, 5):
        states = calls.start(n, np.random.default_rng(7))
        if not np.array_equal(states, calls.start(n, np.random.default_rng(7))):
            calls.refuse("start", "every draw comes from rng: equal generators give equal positions")
    idle = ~calls.acting(states).any(1)
    if idle.any():
        calls.refuse("acting", "somebody acts at the start of a game", states[idle][0])


def _play(calls: Calls, games: int, rng: Rng) -> States:
    """The distinct positions of random games, finished ones included. Checks each step."""
    states = calls.start(games, rng)
    seen = [states]
    for _ in range(calls.game.spec.longest):
        actions = random_actions(calls, states, rng)
        after, _, done = calls.step(states, actions, rng)
        going = calls.acting(after).any(1)
        if (going == done).any():
            row = int((going == done).argmax())
            right = "the game is over (the third answer) when and only when acting names nobody"
            calls.refuse("step", f"{right}; here over is {bool(done[row])}", after[row])
        seen.append(after)
        states = after[~done]
        if not len(states):
            break
    if len(states):
        right = f"a game ends within spec.longest = {calls.game.spec.longest} moves; this one goes on"
        calls.refuse("step", right, states[0])
    return np.unique(np.concatenate(seen), axis=0)


def _moves(calls: Calls, states: States, rng: Rng) -> tuple[States, Ints]:
    """Positions and legal actions there: all of them where one seat moves, and as many random pairs where both do."""
    legal = [calls.legal(states, seat) for seat in (0, 1)]
    rows, actions = [], []
    for seat in (0, 1):
        row, action = np.nonzero(legal[seat])
        moves = np.full((len(row), 2), -1, dtype=np.int64)
        moves[:, seat] = action
        moves[:, 1 - seat] = random_legal(legal[1 - seat][row], rng)
        rows.append(row)
        actions.append(moves)
    row, moves = np.concatenate(rows), np.concatenate(actions)
    chosen = np.sort(rng.permutation(len(row))[:_MOVES])
    return states[row[chosen]], moves[chosen]


# --- questions -----------------------------------------------------------------------------------------------


def _questions(calls: Calls, states: States) -> None:
    """Check that a seat that acts has legal actions, batches equal their rows, views are finite, no rows
    give no rows.
    """
    acting = calls.acting(states)
    for seat in (0, 1):
        odd = calls.legal(states, seat).any(1) != acting[:, seat]
        if odd.any():
            right = "a seat has legal actions where it acts and none elsewhere"
            says = f"acting says {bool(acting[odd.argmax(), seat])} of seat {seat}"
            calls.refuse("legal", f"{right}; {says}", states[odd][0])
        odd = ~np.isfinite(calls.observe(states, seat)).reshape(len(states), -1).all(1)
        if odd.any():
            calls.refuse("observe", "observations are finite", states[odd][0])
    few = states[:: max(1, len(states) // 24)]
    for method, question in calls.questions():
        whole = question(few)
        question(states[:0])
        for row in range(len(few)):
            if not np.array_equal(question(few[row : row + 1])[0], whole[row]):
                calls.refuse(method, "each row's answer depends on that row alone, whatever its neighbours", few[row])
    for state in few:
        calls.render(state)


def _legality(calls: Calls, states: States, actions: Ints) -> States:
    """[N, W] the positions after these legal moves. Checks that all randomness comes from rng."""
    once, again = (calls.step(states, actions, np.random.default_rng(3)) for _ in range(2))
    if any(not np.array_equal(a, b) for a, b in zip(once, again, strict=True)):
        calls.refuse("step", "every draw comes from rng: equal generators give equal answers")
    if calls.certain(states, actions):
        for row in range(0, len(states), max(1, len(states) // 24)):
            alone = calls.step(states[row : row + 1], actions[row : row + 1], np.random.default_rng(3))
            if any(not np.array_equal(whole[row], one[0]) for whole, one in zip(once, alone, strict=True)):
                calls.refuse(
                    "step", "each row's answer depends on that row alone, whatever its neighbours", states[row]
                )
    return once[0]


def _illegal(calls: Calls, states: States, rng: Rng) -> None:
    """Check that illegal actions and numbers out of range are refused, alone and among legal ones."""
    actions = random_actions(calls, states, rng)
    for seat in (0, 1):
        legal = calls.legal(states, seat)
        for row in np.flatnonzero(legal.any(1)):
            closed = rng.permutation(np.flatnonzero(~legal[row]))[:3]
            for action in (-1, legal.shape[1], *closed.tolist()):
                wrong = actions[row].copy()
                wrong[seat] = action
                calls.refuses(states[row : row + 1], wrong[None], seat)
                if row == 0 and len(states) > 1:
                    calls.refuses(states[:2], np.stack([wrong, actions[1]]), seat)


# --- keys ----------------------------------------------------------------------------------------------------


def _futures(calls: Calls, states: States, rng: Rng) -> None:
    """Check that equal keys have equal futures: every move leads to the same keys, rewards and ends."""
    rows, first = groups(calls.key(states))
    running = calls.acting(states[rows]).any(1)
    chosen = rng.permutation(np.flatnonzero(running))[:200]
    rows, first = rows[chosen], first[chosen]
    every = _moves(calls, states[rows], rng) if len(rows) else None
    if every is None or not (isinstance(calls.game, Enumerable) or calls.certain(*every)):
        return
    for row, other in zip(states[rows], states[first], strict=True):
        _, actions = _moves(calls, row[None], rng)
        for action in actions:
            here, there = (calls.outcomes(state, action) for state in (row, other))
            if here != there and not any(map(calls.is_cut, (row, other), (action, action))):
                right = "positions with equal keys have equal futures"
                move = f"after actions {action.tolist()} {calls.at(other)} leads elsewhere"
                calls.refuse("key", f"{right}; {move} (other keys, rewards or ends)", row)


# --- what goes with step -------------------------------------------------------------------------------------


def _successors(calls: Calls, states: States, actions: Ints) -> None:
    """Check that outcomes include those of step, with probabilities that sum to 1, and starts those of start."""
    listed = {row.tobytes() for row in calls.key(calls.starts())}
    drawn = calls.start(50, np.random.default_rng(11))
    for state, key in zip(drawn, calls.key(drawn), strict=True):
        if key.tobytes() not in listed:
            calls.refuse("starts", "every first position that start gives is listed", state)
    listing = calls.successors(states, actions)
    total = np.bincount(listing.rows, listing.probability, minlength=len(states))
    if not (np.abs(total - 1.0) <= 1e-9).all() or not (listing.probability > 0).all():
        row = int((~(np.abs(total - 1.0) <= 1e-9)).argmax())
        right = "probabilities are above 0 and sum to 1 over the outcomes of each move"
        calls.refuse("successors", f"{right}; here they sum to {total[row]:g}", states[row])
    keys = calls.key(listing.states)
    outcomes: dict[tuple[int, bytes, bool], list[float]] = {}
    for row, key, done, reward in zip(listing.rows, keys, listing.done, listing.rewards, strict=True):
        outcomes.setdefault((int(row), key.tobytes(), bool(done)), []).append(float(reward))
    for seed in range(3):
        after, rewards, done = calls.step(states, actions, np.random.default_rng(seed))
        for row, key in enumerate(calls.key(after)):
            known = outcomes.get((row, key.tobytes(), bool(done[row])), [])
            if not any(abs(reward - rewards[row]) <= 1e-9 for reward in known):
                right = f"what step gives for actions {actions[row].tolist()} is among the listed outcomes"
                calls.refuse("successors", f"{right} (same key, reward and end)", states[row])


def _stated(calls: Calls, states: States, actions: Ints) -> None:
    """What the spec says of rewards, of the clock and of the picture is what play shows."""
    spec = calls.game.spec
    after, rewards, done = calls.step(states, actions, np.random.default_rng(0))
    if spec.win_loss and (odd := np.where(done, ~np.isin(rewards, (-1, 0, 1)), rewards != 0)).any():
        row = int(odd.argmax())
        right = f"win_loss means that games pay 1, 0 or -1 at their end and nothing before; here {rewards[row]:g}"
        calls.refuse("spec", right, states[row])
    if spec.clock is not None:
        if spec.clock not in range(states.shape[1]):
            calls.refuse(
                "spec", f"clock is the number of a word of the state, below {states.shape[1]}, not {spec.clock}"
            )
        if (odd := after[:, spec.clock] != states[:, spec.clock] + 1).any():
            calls.refuse(
                "spec", f"word {spec.clock} is the clock, so each step adds 1 to it", states[int(odd.argmax())]
            )
    if spec.display.layout != "text":
        for state in states[:64]:
            shape = {len(line.replace(" ", "")) for line in calls.render(state).splitlines()}
            if len(shape) != 1 or (spec.in_a_row and shape != {spec.observation[-1]}):
                right = f"display.layout {spec.display.layout!r} needs rows of as many cells, a character each"
                calls.refuse("render", right, state)


def _symmetries(calls: Calls, states: States, actions: Ints) -> None:
    """Check that action permutations form a group, identity first, and that images commute with moves and rewards."""
    permutations = calls.game.spec.symmetries
    if not permutations or not isinstance(calls.game, Symmetric):  # a quotient has them without images
        return
    identity = tuple(range(calls.game.spec.actions))
    proper = all(tuple(sorted(p)) == identity for p in permutations) and len(set(permutations)) == len(permutations)
    if permutations[0] != identity or not proper:
        calls.refuse("spec.symmetries", "distinct permutations of the actions, the identity first")
    for one in permutations:
        for other in permutations:
            if tuple(other[action] for action in one) not in permutations:
                calls.refuse("spec.symmetries", f"a group: {list(one)} and then {list(other)} is missing")
    after, rewards, done = calls.step(states, actions, np.random.default_rng(5))
    images, after_images = calls.images(states), calls.images(after)
    if not np.array_equal(images[0], states):
        calls.refuse("images", "the first image is the position itself")
    for image, moved, permutation in zip(images, after_images, np.array(permutations), strict=True):
        for seat in (0, 1):
            odd = (calls.legal(image, seat)[:, permutation] != calls.legal(states, seat)).any(1)
            _commutes(calls, odd, states, f"legal actions of seat {seat} at the image", permutation)
        there = calls.step(image, np.where(actions >= 0, permutation[actions], -1), np.random.default_rng(5))
        odd = (
            (calls.key(there[0]) != calls.key(moved)).any(1) | (np.abs(there[1] - rewards) > 1e-9) | (there[2] != done)
        )
        _commutes(calls, odd, states, "what step gives at the image", permutation)


def _commutes(calls: Calls, odd: Bools, states: States, what: str, permutation: Ints) -> None:
    if odd.any():
        right = f"{what} is the image of what it is at the position"
        calls.refuse("images", f"{right}; not so under {permutation.tolist()}", states[odd][0])


def _copies(calls: Calls, states: States, actions: Ints) -> None:
    """Check that a copy, as other processes receive it, is the same game."""
    try:
        other = Calls(copy.deepcopy(calls.game))
    except Exception as error:
        calls.refuse("copies", f"a game is sent to other processes, so it can be pickled; this one can't: {error}")
    if other.game.spec != calls.game.spec:
        calls.refuse("copies", "a copy has the same spec")
    mine, theirs = (each.step(states, actions, np.random.default_rng(5)) for each in (calls, other))
    if any(not np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True)):
        calls.refuse("copies", "a copy plays as the game does", states[0])


def _name(calls: Calls) -> None:
    """Check that ``games.make`` returns this game for its name, if the name's first word is registered."""
    from games import registry  # imports every game

    name = calls.game.spec.name
    if not registry.known(name):
        return
    try:
        other: Any = registry.make(name)
    except GameError as error:
        calls.refuse("spec.name", f"games.make(spec.name) gives this game again; it says: {error}")
    if other.spec != calls.game.spec:
        calls.refuse("spec.name", f"games.make(spec.name) gives this game again, not one of {other.spec}")
