"""``games.check``: a good game passes, and each broken rule is named with its method, a position and what is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any

import numpy as np
import pytest

import games
from games import GameError, GameGraph, MarkovGame, MarkovModel
from games.base import Bools, Display, Floats, Ints, Keys, Rng, States
from games.markov.dynamics import Dynamics
from games.quick import quick
from tests.games.heaps import Heaps

Break = Callable[..., Any]


def broken(**methods: Any) -> Any:
    """The heaps with other methods (functions of the game and the method's own arguments), or another ``spec``."""
    spec = methods.pop("spec", None)
    made = type("Broken", (Heaps,), methods)()
    if spec is not None:
        made.spec = replace(made.spec, **spec) if isinstance(spec, dict) else spec
    return made


def paying(pay: Callable[[Floats, Bools], Floats]) -> Callable[..., tuple[States, Floats, Bools]]:
    """A ``step`` of the heaps that pays what ``pay`` makes of its rewards and ends."""

    def step(self: Heaps, *args: Any, **named: Any) -> tuple[States, Floats, Bools]:
        states, rewards, done = Heaps.step(self, *args, **named)
        return states, pay(rewards, done), done

    return step


def changed(method: str, change: Callable[[Any], Any]) -> Any:
    """The heaps with this method's answer changed."""
    return broken(**{method: lambda self, *args, **named: change(getattr(Heaps, method)(self, *args, **named))})


def stepped(change: Callable[[States, Floats, Bools], Any]) -> Any:
    """The heaps with another answer of ``step`` (and of ``successors``, which asks it)."""
    return changed("step", lambda answer: change(*answer))


def listed(**fields: Callable[[Any], Any]) -> Any:
    """The heaps with other fields in ``successors``."""
    return changed("successors", lambda s: replace(s, **{name: f(getattr(s, name)) for name, f in fields.items()}))


def writes(self: Any, states: States, seat: int) -> Bools:
    states[:, 2] = seat
    return Heaps.legal(self, states, seat)


def lenient(self: Any, states: States, actions: Ints, *, rng: Rng) -> Any:
    """An illegal action is taken for the first legal one."""
    mask = self.legal(states, 0) | self.legal(states, 1)
    action = actions[np.arange(len(states)), states[:, 2]]
    fine = mask[np.arange(len(states)), np.clip(action, 0, 3)] & (action >= 0) & (action < 4)
    return Heaps.step(self, states, np.repeat(np.where(fine, action, mask.argmax(1))[:, None], 2, 1), rng=rng)


def crashing(self: Any, states: States, actions: Ints, *, rng: Rng) -> Any:
    try:
        return Heaps.step(self, states, actions, rng=rng)
    except GameError as error:
        raise IndexError("out of range") from error


def picky(self: Any, states: States, actions: Ints, *, rng: Rng) -> Any:
    if (actions == 3).any():
        raise GameError("two stones of the second heap are too many")
    return Heaps.step(self, states, actions, rng=rng)


def timed(self: Any, states: States, seat: int | None = None) -> Keys:
    """Without the second heap's last bit."""
    return np.stack([states[:, 0] * 64 + states[:, 1] // 2 * 2, states[:, 2]], axis=1).astype(np.uint64)


def forgetful(self: Any, states: States, seat: int | None = None) -> Keys:
    """The sum of both heaps: same moves nearly always, other futures."""
    return np.stack([states[:, 0] + states[:, 1], states[:, 2]], axis=1).astype(np.uint64)


class Hidden(Heaps):
    """How often the second heap was chosen decides who wins, and neither views nor keys show it: only futures tell."""

    def __init__(self) -> None:
        super().__init__()
        self.spec = replace(self.spec, symmetries=())

    def start(self, n: int, *, rng: Rng) -> States:
        return np.tile(np.array([[5, 5, 0, 0]]), (n, 1))

    def starts(self) -> States:
        return np.array([[5, 5, 0, 0]])

    def observe(self, states: States, seat: int) -> np.ndarray:
        return states[:, :3].astype(np.float32)

    def acting(self, states: States) -> Bools:
        return super().acting(states[:, :3])

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        after, rewards, done = super().step(states[:, :3], actions, rng=rng)
        action = actions[np.arange(len(states)), states[:, 2]]
        parity = (states[:, 3] + action // 2) % 2
        return np.column_stack([after, parity]), np.where(parity, -rewards, rewards), done


RULES: dict[str, tuple[Callable[[], Any], str]] = {
    # keys
    "three words": (
        lambda: broken(key=lambda self, s, seat=None: s.astype(np.uint64)),
        r"key at \[\d, \d, 0\] \(\d and \d stones, .*: gives uint64 \[N, 2\]: two words .* not uint64 \[\d+, 3\]",
    ),
    "signed": (lambda: changed("key", lambda k: k.astype(np.int64)), r"key at .* not int64"),
    "a list": (lambda: changed("key", lambda k: k.tolist()), r"key at .* not list"),
    "without the seat to move": (
        lambda: changed("key", lambda k: k * np.array([1, 0], dtype=np.uint64)),
        r"key at .* keys are equal for equal positions .* has the same key and another answer of",
    ),
    "merged positions": (lambda: broken(key=forgetful), r"key at .* has the same key and another answer of"),
    "merged where legal moves differ": (
        lambda: broken(key=timed, observe=lambda self, s, seat: np.zeros((len(s), 3), np.float32)),
        r"key at .* has the same key and another answer of (legal|acting)",
    ),
    "merged where futures differ": (Hidden, r"key at .* equal futures; after actions .* leads elsewhere"),
    "a seat's key that hides its view": (
        lambda: broken(key=lambda self, s, seat=None: Heaps.key(self, s) * np.uint64(seat != 1)),
        r"key for seat 1 at .* another answer of (legal|observe)",
    ),
    "a seat's key that sees more": (
        lambda: broken(
            key=lambda self, s, seat=None: (
                Heaps.key(self, s)
                + np.uint64(seat == 1) * np.random.default_rng(len(s)).integers(99, size=(len(s), 1)).astype(np.uint64)
            )
        ),
        r"key for seat 1 at .* each row's answer depends on that row alone",
    ),
    # what a game states of itself
    "wins that are paid twice": (
        lambda: broken(
            spec={"win_loss": True},
            step=paying(lambda rewards, done: 2 * rewards),
        ),
        r"spec at .* win_loss means that games pay 1, 0 or -1 at their end and nothing before; here -?2",
    ),
    "pay along the way": (
        lambda: broken(
            spec={"win_loss": True},
            step=paying(lambda rewards, done: rewards + 0.5 * ~done),
        ),
        r"spec at .* win_loss means .* here 0.5",
    ),
    "a clock that stands still": (
        lambda: broken(spec={"clock": 0}),
        r"spec at .* word 0 is the clock, so each step adds 1 to it",
    ),
    "a clock that is not there": (lambda: broken(spec={"clock": 3}), r"spec: clock is .* below 3, not 3"),
    "endless without a clock": (lambda: broken(spec={"endless": True}), r"spec: endless needs a clock, not True"),
    "stones without planes": (lambda: broken(spec={"in_a_row": 3}), r"spec: in_a_row needs observations of two planes"),
    "an action that is none": (
        lambda: broken(spec={"unlabelled": 4}),
        r"spec: unlabelled is an action, or None, not 4",
    ),
    "words for some actions": (
        lambda: broken(spec={"display": Display(names=("left",))}),
        r"spec: display has a word for every action, or none",
    ),
    "a grid that is none": (
        lambda: broken(
            spec={"display": Display(layout="grid")}, render=lambda self, s: "|" * int(s[0]) + ".\n" + "|" * int(s[1])
        ),
        r"render at .* display.layout 'grid' needs rows of as many cells",
    ),
    # who moves and what is legal
    "acting as numbers": (
        lambda: changed("acting", lambda a: a.astype(np.int64)),
        r"acting at .* gives bool \[N, 2\]",
    ),
    "nobody at the start": (
        lambda: broken(acting=lambda self, s: np.zeros((len(s), 2), np.bool_)),
        r"acting at .* somebody acts at the start",
    ),
    "too few actions": (
        lambda: changed("legal", lambda m: m[:, :3]),
        r"legal at .* gives bool \[N, A\].* \[\d+, 4\], not bool \[\d+, 3\]",
    ),
    "moves while the other acts": (
        lambda: broken(legal=lambda self, s, seat: s[:, [0, 0, 1, 1]] >= [1, 2, 1, 2]),
        r"(legal|step|acting)",
    ),
    "no moves while it acts": (
        lambda: broken(legal=lambda self, s, seat: Heaps.legal(self, s, seat) & (s[:, :1] > 3)),
        r"(legal|step)",
    ),
    "legal moves refused": (lambda: broken(step=picky), r"step at .* refuses what the contract allows: two stones"),
    "illegal moves accepted": (
        lambda: broken(step=lenient),
        r"step at .* refuses action -1 of seat 0, .* it is accepted",
    ),
    "illegal moves crash": (
        lambda: broken(step=crashing),
        r"step at .* refuses action .* with a GameError, not with IndexError: out of range",
    ),
    # views
    "views of the wrong type": (
        lambda: changed("observe", lambda o: o.astype(np.float64)),
        r"observe at .* float32 .* not float64",
    ),
    "views of the wrong shape": (
        lambda: changed("observe", lambda o: o[:, :2]),
        r"observe at .* float32 \[\d+, 3\], not float32 \[\d+, 2\]",
    ),
    "views that are not finite": (
        lambda: changed("observe", lambda o: o / o[:, :1].clip(0)),
        r"observe at .* observations are finite",
    ),
    "views of the neighbours": (lambda: changed("observe", lambda o: o - o.mean(0)), r"(observe|key)"),
    # play
    "one reward too many": (
        lambda: stepped(lambda a, r, d: (a, np.stack([r, -r], 1), d)),
        r"step at .* rewards float64 \[N\], seat 0's alone \(zero-sum\)",
    ),
    "whole rewards": (
        lambda: stepped(lambda a, r, d: (a, r.astype(np.int64), d)),
        r"step at .* rewards float64 \[N\].* not int64",
    ),
    "infinite rewards": (
        lambda: stepped(lambda a, r, d: (a, r / 0.0 if d.any() else r, d)),
        r"step at .* rewards are finite",
    ),
    "over as numbers": (lambda: stepped(lambda a, r, d: (a, r, d * 1)), r"step at .* over, bool \[N\]"),
    "never over": (
        lambda: stepped(lambda a, r, d: (a, r, d & False)),
        r"step at .* over \(the third answer\) when and only when acting names nobody",
    ),
    "two answers": (lambda: stepped(lambda a, r, d: (a, r)), r"step: gives three arrays"),
    "other states": (
        lambda: stepped(lambda a, r, d: (a[:, :2], r, d)),
        r"step at .* next states of the shape and type of states",
    ),
    "too long": (lambda: broken(spec={"longest": 4}), r"step at .* a game ends within spec.longest = 4 moves"),
    "draws of its own": (
        lambda: broken(start=lambda self, n, *, rng: np.random.default_rng().integers(1, 6, (n, 3)) * [1, 1, 0]),
        r"start: every draw comes from rng",
    ),
    "a start of one row": (
        lambda: changed("start", lambda s: s[:1]),
        r"start: gives positions as rows of integers .* \[0, W\]|start: .*\[5, W\], not int64 \[1, 3\]",
    ),
    "positions as fractions": (
        lambda: changed("start", lambda s: s.astype(np.float64)),
        r"start: gives positions as rows of integers .* not float64",
    ),
    "it writes": (lambda: broken(legal=writes), r"legal at .* leaves the arrays it is given as they are"),
    "it crashes": (
        lambda: broken(observe=lambda self, s, seat: s[99]),
        r"observe at .* answers, but raises IndexError",
    ),
    "no picture": (lambda: changed("render", lambda text: None), r"render at .* gives text, not NoneType"),
    # what goes with it
    "probabilities": (lambda: listed(probability=lambda p: p / 2), r"successors at .* sum to 1 .* they sum to 0.5"),
    "other outcomes": (lambda: listed(rewards=lambda r: -r), r"successors at .* among the listed outcomes"),
    "outcomes in floats": (
        lambda: listed(rows=lambda r: r.astype(np.float64)),
        r"successors at .* int64 \[E\].* not float64",
    ),
    "rows of nothing": (lambda: listed(rows=lambda r: r + 1), r"successors: rows count the moves, from 0"),
    "a tuple for outcomes": (
        lambda: changed("successors", lambda s: (s.states, s.rewards)),
        r"successors: gives games.Successors, not tuple",
    ),
    "another start": (
        lambda: changed("starts", lambda s: s - 1),
        r"(starts at .* every first position|successors|starts)",
    ),
    "no start": (lambda: changed("starts", lambda s: s[:0]), r"starts: lists at least one position"),
    "no group": (
        lambda: broken(spec={"symmetries": ((0, 1, 2, 3), (1, 2, 3, 0))}),
        r"(spec.symmetries: a group|images)",
    ),
    "identity not first": (
        lambda: broken(spec={"symmetries": ((2, 3, 0, 1), (0, 1, 2, 3))}),
        r"spec.symmetries: distinct permutations of the actions, the identity first",
    ),
    "images that do not move": (
        lambda: broken(images=lambda self, s: np.stack([s, s])),
        r"images at .* is the image of what it is at the position",
    ),
    "images in another order": (
        lambda: changed("images", lambda i: i[::-1]),
        r"images: the first image is the position itself",
    ),
    "too few images": (lambda: changed("images", lambda i: i[:1]), r"images at .* gives images \[G, N, W\]"),
    # the facts
    "no Spec": (lambda: broken(spec="heaps"), r"spec: is a games.Spec, not str"),
    "a shape in a list": (lambda: broken(spec={"observation": [3]}), r"spec: observation is a tuple"),
    "no actions": (lambda: broken(spec={"actions": 0}), r"spec: actions is a whole number"),
    "a discount": (lambda: broken(spec={"discount": 2}), r"spec: discount lies between 0 and 1, not 2"),
    "a name of another game": (
        lambda: broken(spec={"name": "tictactoe", "symmetries": ()}),
        r"spec.name: games.make\(spec.name\) gives this game again",
    ),
    "a name that leads nowhere": (
        lambda: broken(spec={"name": "tictactoe:heaps", "symmetries": ()}),
        r"spec.name: .* it says: tictactoe:heaps is no board",
    ),
    "a lock inside": (
        lambda: locked(),
        r"copies: .* can be pickled; this one can't",
    ),
    "a method missing": (lambda: broken(key=None), r"methods: a game has .* this one lacks key"),
    "starts without successors": (lambda: broken(successors=None, images=None), r"(successors|starts)"),
}


def locked() -> Any:
    made = Heaps()
    made.lock = Lock()  # type: ignore[attr-defined]
    return made


def test_a_good_game_passes() -> None:
    found = games.check(Heaps())
    assert found.name == "test-heaps"
    assert found.positions > 40 and found.moves > 100
    quick(Heaps())
    assert GameGraph(Heaps()).solve()[0].value == -1.0, "equal heaps are lost"


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_checked_and_named(rule: str) -> None:
    make, says = RULES[rule]
    with np.errstate(all="ignore"), pytest.raises(GameError, match=says) as error:
        games.check(make())
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 1500


@pytest.mark.parametrize("rule", ["three words", "signed", "a list", "without the seat to move", "acting as numbers"])
def test_a_graph_of_a_game_whose_keys_are_wrong_is_not_built(rule: str) -> None:
    make, says = RULES[rule]
    with pytest.raises(GameError, match=says):
        GameGraph(make())


def test_a_markov_model_looks_too() -> None:
    class Wide(MarkovGame):
        def key(self, states: States, seat: int | None = None) -> Keys:
            return np.repeat(super().key(states), 2, axis=1)

    rewards, kernel = np.zeros((2, 2, 2)), np.full((2, 2, 2, 2), 0.5)
    game = Wide("test-wide", Dynamics(rewards, kernel, np.array([1.0, 0.0]), horizon=2))
    with pytest.raises(GameError, match=r"test-wide: key at \[0, 0\] .* not uint64 \[\d+, 4\]"):
        MarkovModel(game)


def test_errors_of_the_game_are_its_own() -> None:
    """A model doesn't put words before an error of the game's own."""
    with pytest.raises(GameError, match=r"^two stones of the second heap are too many"):
        GameGraph(broken(step=picky))
