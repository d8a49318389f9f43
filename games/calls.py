"""Calls of a game's methods whose results are checked against the contract: the basis of ``games.check``.

Arrays are passed read-only, and results must have the shapes and types of ``games.base``. Anything else is a GameError
of one line that names the method, the position and the right behavior.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from games.base import (
    Bools,
    Floats,
    Game,
    GameError,
    Ints,
    Keys,
    NashmailError,
    Rng,
    Spec,
    States,
    Successors,
    one_line,
)

_METHODS = ("start", "acting", "legal", "observe", "key", "step", "render")
_LONGEST = 400  # characters of a message's parts

KEYS = "uint64 [N, 2]: two words for each position, equal for equal positions and for no others"


class Calls:
    """A game whose methods are called with read-only arguments and checked results.

    A method takes what the game's own takes (``games.base``), with ``rng`` as a positional argument, and raises
    GameError where the result is not as stated there.
    """

    def __init__(self, game: Game, *, strict: bool = True) -> None:
        """Wrap a game.

        Args:
            game: the game.
            strict: whether errors that the game itself raises violate the contract, too.
        """
        self.game: Any = game
        self._strict = strict
        name = getattr(getattr(game, "spec", None), "name", None)
        self._name = name if isinstance(name, str) else type(game).__name__

    # --- errors ------------------------------------------------------------------------------------------

    def refuse(self, method: str, right: str, state: States | None = None) -> NoReturn:
        """Report a violation of the contract.

        Args:
            method: the method, or what else is wrong.
            right: the right behavior.
            state: [W] the position, if it is about one.

        Raises:
            GameError: always; in one line.
        """
        where = "" if state is None else f" at {self.at(state)}"
        raise GameError(" ".join(f"{self._name}: {method}{where}: {right}".split()))

    def at(self, state: States) -> str:
        """A position for a message: its row and its picture.

        Args:
            state: [W].
        """
        row = np.asarray(state).tolist()
        try:
            picture = one_line(str(self.game.render(state)))[:_LONGEST]
        except Exception:
            picture = ""
        words = f"{row}" if len(row) <= 12 else f"[{', '.join(map(str, row[:12]))}, ...]"
        return f"{words} ({picture})" if picture else words

    def _call(self, method: str, states: States | None, *args: Any, **kwargs: Any) -> Any:
        first = None if states is None or not len(states) else states[0]
        given = () if states is None else (_frozen(states),)
        try:
            return getattr(self.game, method)(*given, *args, **kwargs)
        except NashmailError as error:
            if not self._strict:
                raise
            self.refuse(method, f"refuses what the contract allows: {error}", first)
        except Exception as error:
            if "read-only" in str(error):
                self.refuse(method, f"leaves the arrays it is given as they are, but writes to one ({error})", first)
            self.refuse(method, f"answers, but raises {type(error).__name__}: {str(error)[:_LONGEST]}", first)

    def _array(self, method: str, given: Any, shape: tuple[int, ...], dtype: Any, right: str, states: States) -> Any:
        if not isinstance(given, np.ndarray) or given.shape != shape or given.dtype != np.dtype(dtype):
            first = states[0] if len(states) else None
            self.refuse(method, f"gives {right}; here {np.dtype(dtype)} {list(shape)}, not {_kind(given)}", first)
        return given

    # --- the methods -------------------------------------------------------------------------------------

    def spec(self) -> None:
        """Check the fixed facts, and that all methods exist."""
        missing = [name for name in _METHODS if not callable(getattr(self.game, name, None))]
        if missing:
            self.refuse("methods", f"a game has {', '.join(_METHODS)}; this one lacks {', '.join(missing)}")
        spec = getattr(self.game, "spec", None)
        if not isinstance(spec, Spec):
            self.refuse("spec", f"is a games.Spec, not {type(spec).__name__}")
        shape = spec.observation
        facts = {
            "name is a word": isinstance(spec.name, str) and bool(spec.name) and spec.name.isprintable(),
            "actions is a whole number of at least 1": _whole(spec.actions),
            "longest is a whole number of at least 1": _whole(spec.longest),
            "observation is a tuple of sizes of at least 1": isinstance(shape, tuple) and all(map(_whole, shape)),
            "discount lies between 0 and 1": isinstance(spec.discount, float | int) and 0 <= spec.discount <= 1,
            "symmetries are tuples of one number per action": isinstance(spec.symmetries, tuple)
            and all(len(permutation) == spec.actions for permutation in spec.symmetries),
            "in_a_row needs observations of two planes, [2, rows, columns]": not spec.in_a_row
            or (len(shape) == 3 and shape[0] == 2),
            "clock is the number of a word of the state, or None": spec.clock is None or isinstance(spec.clock, int),
            "endless needs a clock": spec.clock is not None or not spec.endless,
            "unlabelled is an action, or None": spec.unlabelled is None or spec.unlabelled in range(spec.actions),
            "display has a word for every action, or none": len(spec.display.names) in (0, spec.actions),
        }
        for fact, holds in facts.items():
            if not holds:
                self.refuse("spec", f"{fact}, not {getattr(spec, fact.split()[0])!r}"[:_LONGEST])

    def start(self, n: int, rng: Rng) -> States:
        """First positions.

        Args:
            n: how many.
            rng: draws them.

        Returns:
            [n, W] states.
        """
        return self._rows("start", self._call("start", None, n, rng=rng), n)

    def starts(self) -> States:
        """Every first position: [n, W], at least one."""
        rows = self._call("starts", None)
        if isinstance(rows, np.ndarray) and not len(rows):
            self.refuse("starts", "lists at least one position")
        return self._rows("starts", rows, len(rows) if isinstance(rows, np.ndarray) else 1)

    def _rows(self, method: str, answer: Any, n: int) -> States:
        if not isinstance(answer, np.ndarray) or answer.ndim != 2 or len(answer) != n or answer.dtype.kind not in "iu":
            self.refuse(method, f"gives positions as rows of integers [N, W], here [{n}, W], not {_kind(answer)}")
        return answer

    def acting(self, states: States) -> Bools:
        """Which seats decide: bool [N, 2]."""
        answer = self._call("acting", states)
        right = "bool [N, 2], who decides"
        return np.asarray(self._array("acting", answer, (len(states), 2), np.bool_, right, states))

    def legal(self, states: States, seat: int) -> Bools:
        """Legal actions: bool [N, A]."""
        answer, shape = self._call("legal", states, seat), (len(states), self.game.spec.actions)
        return np.asarray(self._array("legal", answer, shape, np.bool_, "bool [N, A], the legal actions", states))

    def observe(self, states: States, seat: int) -> Any:
        """The seat's observations: float32 ``[N, *spec.observation]``."""
        answer, shape = self._call("observe", states, seat), (len(states), *self.game.spec.observation)
        return self._array("observe", answer, shape, np.float32, "float32 [N, *spec.observation]", states)

    def key(self, states: States, seat: int | None = None) -> Keys:
        """Keys: uint64 [N, 2]."""
        answer = self._call("key", states) if seat is None else self._call("key", states, seat)
        return np.asarray(self._array("key", answer, (len(states), 2), np.uint64, KEYS, states))

    def render(self, state: States) -> str:
        """A position as text."""
        picture = self._call("render", state[None][0])
        if not isinstance(picture, str):
            self.refuse("render", f"gives text, not {type(picture).__name__}", state)
        return picture

    def step(self, states: States, actions: Ints, rng: Rng) -> tuple[States, Floats, Bools]:
        """One move in each position.

        Args:
            states: [N, W].
            actions: int64 [N, 2].
            rng: draws what is left to chance.

        Returns:
            Next states [N, W], rewards float64 [N] and ends bool [N].
        """
        answer = self._call("step", states, _frozen(actions), rng=rng)
        if not isinstance(answer, tuple) or len(answer) != 3:
            self.refuse("step", f"gives three arrays: next states, rewards and over, not {type(answer).__name__}")
        after, rewards, done = answer
        n = len(states)
        self._array("step", after, states.shape, states.dtype, "next states of the shape and type of states", states)
        self._array("step", rewards, (n,), np.float64, "rewards float64 [N], seat 0's alone (zero-sum)", states)
        self._array("step", done, (n,), np.bool_, "over, bool [N]", states)
        if not np.isfinite(rewards).all():
            self.refuse("step", "rewards are finite", states[~np.isfinite(rewards)][0])
        return after, rewards, done

    def successors(self, states: States, actions: Ints) -> Successors:
        """All outcomes of one move in each position."""
        answer = self._call("successors", states, _frozen(actions))
        if not isinstance(answer, Successors):
            self.refuse("successors", f"gives games.Successors, not {type(answer).__name__}")
        count = len(answer.rows) if isinstance(answer.rows, np.ndarray) else 0
        right = "for each outcome the row of its move: int64 [E]"
        self._array("successors", answer.rows, (count,), np.int64, right, states)
        if count and not 0 <= answer.rows.min() <= answer.rows.max() < len(states):
            self.refuse("successors", f"rows count the moves, from 0 to {len(states) - 1}")
        shape = (count, states.shape[1])
        self._array("successors", answer.states, shape, states.dtype, "states [E, W] of the type of states", states)
        self._array("successors", answer.rewards, (count,), np.float64, "rewards float64 [E]", states)
        self._array("successors", answer.done, (count,), np.bool_, "done, bool [E]", states)
        self._array("successors", answer.probability, (count,), np.float64, "probability float64 [E]", states)
        return answer

    def images(self, states: States) -> States:
        """Every position under every symmetry: [G, N, W]."""
        answer, shape = self._call("images", states), (len(self.game.spec.symmetries), *states.shape)
        right = "images [G, N, W], G the number of symmetries"
        return np.asarray(self._array("images", answer, shape, states.dtype, right, states))

    # --- combinations ------------------------------------------------------------------------------------

    def questions(self) -> Iterator[tuple[str, Callable[[States], Any]]]:
        """The methods whose only arguments are positions and a seat, with their names."""
        yield "acting", self.acting
        yield "key", self.key
        for seat in (0, 1):
            for name, method in (("legal", self.legal), ("observe", self.observe), ("key", self.key)):
                yield f"{name} for seat {seat}", lambda states, method=method, seat=seat: method(states, seat)  # type: ignore[misc]

    def refuses(self, states: States, actions: Ints, seat: int) -> None:
        """Check that the game refuses an illegal action.

        Args:
            states: [N, W].
            actions: int64 [N, 2], of which the first row's is illegal for ``seat``.
            seat: 0 or 1.

        Raises:
            GameError: where it accepts the action, or raises another kind of error.
        """
        action = int(actions[0, seat])
        right = f"refuses action {action} of seat {seat}, which is not legal there, with a GameError"
        try:
            self.game.step(_frozen(states), _frozen(actions), rng=np.random.default_rng(0))
        except NashmailError:
            return
        except Exception as error:
            self.refuse("step", f"{right}, not with {type(error).__name__}: {str(error)[:_LONGEST]}", states[0])
        self.refuse("step", f"{right}; it is accepted", states[0])

    def certain(self, states: States, actions: Ints) -> bool:
        """Whether chance has no part in moves, as far as four random draws show.

        Args:
            states: [N, W].
            actions: int64 [N, 2].
        """
        after = [self.step(states, actions, np.random.default_rng(seed))[0] for seed in range(4)]
        return all(np.array_equal(after[0], other) for other in after[1:])

    def outcomes(self, state: States, action: Ints) -> list[tuple[bytes, float, bool, float]]:
        """Every outcome of one move.

        Args:
            state: [W].
            action: int64 [2].

        Returns:
            Key, reward, over and probability of each, sorted.
        """
        if hasattr(self.game, "successors"):
            listing = self.successors(state[None], action[None])
            after, parts = listing.states, (listing.rewards, listing.done, listing.probability)
        else:
            after, rewards, done = self.step(state[None], action[None], np.random.default_rng(0))
            parts = (rewards, done, np.ones(1))
        rows = zip(self.key(after), *parts, strict=True)
        return sorted((key.tobytes(), round(float(r), 9), bool(d), round(float(p), 9)) for key, r, d, p in rows)

    def is_cut(self, state: States, action: Ints) -> bool:
        """Whether play is cut after a move although the game is not over: futures then depend on the step.

        Args:
            state: [W].
            action: int64 [2].
        """
        cuts = getattr(self.game, "cuts", None)
        return bool(cuts is not None and cuts(self.successors(state[None], action[None]).states).any())


def _frozen(array: Any) -> Any:
    """A read-only copy."""
    made = array.copy()
    made.flags.writeable = False
    return made


def _kind(given: Any) -> str:
    """The type of a value, for a message."""
    return f"{given.dtype} {list(given.shape)}" if isinstance(given, np.ndarray) else type(given).__name__


def _whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1
