"""PettingZoo's Parallel environments and our games: ``to_parallel(make("gridworld:3x3"))``, and ``from_parallel``.

All agents of a Parallel environment act at every step: what a seat that rests sends is ignored. Agents are
``player_0`` and ``player_1``; each observes a dictionary of ``observation`` and ``action_mask`` (all zeros where it
rests). A game with a horizon terminates, a discounted one is truncated where its episode is cut; an illegal action
raises. The way back enumerates an environment without chance by what it shows and holds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from games.adapters.memory import fingerprint
from games.base import Bools, Floats, Game, GameError, Ints
from games.markov.game import MarkovGame
from games.markov.transitions import Entries

AGENTS = ("player_0", "player_1")
Path = tuple[tuple[int, int], ...]  # joint actions
Record = tuple[int, tuple[int, int], int, float]  # state, actions, next state, reward


def to_parallel(game: Game, *, render_mode: str | None = None) -> Any:
    """The game as a ``pettingzoo.ParallelEnv``; ``render_mode`` is None, ``"ansi"`` or ``"human"``."""
    if render_mode not in (None, "ansi", "human"):
        raise GameError(f"render_mode is None, 'ansi' or 'human', not {render_mode!r}")
    return _joined()(game, render_mode)


class _Environment:
    """What ``ParallelEnv`` asks for; ``_joined`` makes it one, so that PettingZoo is imported only where used."""

    def __init__(self, game: Game, render_mode: str | None) -> None:
        from gymnasium import spaces

        self.game = game
        self.render_mode = render_mode
        self.metadata = {"name": game.spec.name, "render_modes": ["human", "ansi"]}
        self.possible_agents = list(AGENTS)
        self.agents: list[str] = []
        shape, actions = game.spec.observation, game.spec.actions
        self.action_spaces = {agent: spaces.Discrete(actions) for agent in AGENTS}
        self.observation_spaces = {
            agent: spaces.Dict(
                {
                    "observation": spaces.Box(-np.inf, np.inf, shape, np.float32),
                    "action_mask": spaces.Box(0, 1, (actions,), np.int8),
                }
            )
            for agent in AGENTS
        }
        self._rng = np.random.default_rng()

    def __reduce__(self) -> tuple[Any, ...]:
        return to_parallel, (self.game,), self.__dict__

    def observation_space(self, agent: str) -> Any:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._states = self.game.start(1, rng=self._rng)
        self.agents = self.possible_agents[:]
        return self._observed(), {agent: {} for agent in AGENTS}

    def step(self, actions: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        if not self.agents:
            raise GameError("the game is over; reset the environment to play another")
        acting = self.game.acting(self._states)[0]
        played = np.array([[actions[agent] if acts else -1 for agent, acts in zip(AGENTS, acting, strict=True)]])
        self._states, earned, done = self.game.step(self._states, played.astype(np.int64), rng=self._rng)
        cut = bool(done[0]) and isinstance(self.game, MarkovGame) and self.game.cuts(self._states)[0]
        if done[0]:
            self.agents = []
        if self.render_mode == "human":
            self.render()
        return (
            self._observed(),
            {AGENTS[0]: float(earned[0]), AGENTS[1]: 0.0 - float(earned[0])},
            dict.fromkeys(AGENTS, bool(done[0]) and not cut),
            dict.fromkeys(AGENTS, bool(cut)),
            {agent: {} for agent in AGENTS},
        )

    def render(self) -> str | None:
        picture = self.game.render(self._states[0])
        if self.render_mode == "human":
            print(picture, end="\n\n")
        return picture if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Nothing to release."""

    def _observed(self) -> dict[str, Any]:
        return {
            agent: {
                "observation": self.game.observe(self._states, seat)[0],
                "action_mask": self.game.legal(self._states, seat)[0].astype(np.int8),
            }
            for seat, agent in enumerate(AGENTS)
        }


@cache
def _joined() -> type:
    """``_Environment`` as a ``ParallelEnv``."""
    from pettingzoo import ParallelEnv

    return type("GameParallel", (_Environment, ParallelEnv), {"__doc__": _Environment.__doc__})


# --- the way back ------------------------------------------------------------------------------------------


def from_parallel(
    factory: Callable[[], Any], *, name: str, horizon: int, discount: float = 1.0, most: int = 10_000
) -> MarkovGame:
    """The zero-sum Parallel environment of two agents that ``factory`` makes, as a Markov game of ``horizon`` steps.

    Its states are found by playing every joint action from every state, from the start on, up to the horizon. Two
    situations in which both agents observe (and may do) the same are one state if the environment also holds the same
    (``games.adapters.memory``); where that can't be read, every way to play is a state. For environments without
    chance. GameError where two seeds start differently, where the same moves do not show the same again, where rewards
    do not sum to zero, where nobody can move although the game is not over, where the environment is cut (truncated) on
    the way to a state, or for more than ``most`` states.
    """
    return _Explored(factory, name, horizon, most).game(discount)


class _Explored:
    """An environment walked through, breadth first, by replaying joint actions."""

    def __init__(self, factory: Callable[[], Any], name: str, horizon: int, most: int) -> None:
        self.env, self.name, self.horizon, self.most = factory(), name, horizon, most
        self.agents = list(self.env.possible_agents)
        if len(self.agents) != 2:
            raise GameError(f"{name} has {len(self.agents)} agents; only games for two fit")
        self.actions = tuple(int(self.env.action_space(agent).n) for agent in self.agents)
        self.known: dict[bytes, int] = {}
        self.views: list[tuple[Floats, Floats]] = []
        self.legal: list[tuple[Bools, Bools]] = []
        self.paths: list[Path] = []
        starts = {self._shown(self.env.reset(seed=seed)[0], over=False)[0] for seed in (0, 1)}
        if len(starts) > 1:
            raise GameError(f"{name} starts differently with another seed; only games without chance fit")
        self.readable = self._repeats()
        self._seen(self._play(())[0], ())

    def game(self, discount: float) -> MarkovGame:
        records: list[Record] = []
        state = 0
        while state < len(self.paths):
            if len(self.paths) > self.most:
                why = "" if self.readable else "; what it holds cannot be read, so every way to play is a state"
                raise GameError(f"{self.name} has more than {self.most} states; too many to enumerate{why}")
            if len(self.paths[state]) < self.horizon:
                records += [self._tried(state, joint) for joint in self._joints(state)]
            state += 1
        shape = (len(self.paths), self.actions[0], self.actions[1])
        rewards = np.zeros(shape)
        following = np.broadcast_to(np.arange(len(self.paths))[:, None, None], rewards.shape).copy()
        for source, joint, target, reward in records:
            rewards[source][joint], following[source][joint] = reward, target
        start = np.zeros(len(self.paths))
        start[0] = 1.0
        row: Ints = np.arange(rewards.size)
        legal = [np.stack([both[seat] for both in self.legal]) for seat in (0, 1)]
        views = [np.stack([both[seat] for both in self.views]).astype(np.float32) for seat in (0, 1)]
        return MarkovGame(
            self.name,
            rewards,
            Entries(shape, row, following.ravel(), np.ones(len(row))),
            start,
            discount=discount,
            horizon=self.horizon,
            legal=(legal[0], legal[1]),
            observations=(views[0], views[1]),
        )

    def _joints(self, state: int) -> list[tuple[int, int]]:
        """The joint actions to try: the legal ones, or the lowest of a seat that rests; none in a finished game."""
        mine, others = (np.flatnonzero(side) for side in self.legal[state])
        if not len(mine) and not len(others):
            return []
        return [(int(a), int(b)) for a in (mine if len(mine) else [0]) for b in (others if len(others) else [0])]

    def _tried(self, state: int, joint: tuple[int, int]) -> Record:
        """What a joint action does, after playing the way to the state again."""
        path = (*self.paths[state], joint)
        observed, reward, over = self._play(path)
        return state, joint, self._seen(observed, path, over=over), reward

    def _play(self, path: Path) -> tuple[dict[str, Any], float, bool]:
        """What is observed after these joint actions, player 0's reward for the last, and whether the game is over."""
        observed, _ = self.env.reset(seed=0)
        first, over = 0.0, False
        for step in path:
            observed, rewards, ended, cut, _ = self.env.step(dict(zip(self.agents, step, strict=True)))
            over = any(ended.values())
            if any(cut.values()):
                raise GameError(f"{self.name} is cut after {len(path)} steps; make it with a limit that is not met")
            first, second = (float(rewards[agent]) for agent in self.agents)
            if abs(first + second) > 1e-9:
                raise GameError(f"{self.name} is not zero-sum: it pays {first:g} and {second:g} at once")
        return observed, first, over

    def _repeats(self) -> bool:
        """Whether what the environment holds can be read, and is the same when the same moves are played again.

        GameError where what it shows is not.
        """
        path: Path = ()
        readable = True
        while len(path) <= self.horizon:
            shown, held = [], []
            for _ in range(2):
                observed, _, over = self._play(path)
                held.append(fingerprint(self.env))
                shown.append(self._shown(observed, over=over))
            if shown[0][0] != shown[1][0]:
                raise GameError(
                    f"{self.name} shows other things when the same moves are played again; chance doesn't fit"
                )
            readable = readable and held[0] is not None and held[0] == held[1]
            moves = [np.flatnonzero(mask) for mask in shown[0][2]]
            if not any(map(len, moves)):
                break
            path = (*path, (int(moves[0][-1]) if len(moves[0]) else 0, int(moves[1][-1]) if len(moves[1]) else 0))
        return readable

    def _seen(self, observed: dict[str, Any], path: Path, *, over: bool = False) -> int:
        """The number of the state in which this is observed; a new one for what was not met before."""
        held = fingerprint(self.env) if self.readable else None
        shown, views, masks = self._shown(observed, over=over)
        if not over and len(path) < self.horizon and not (masks[0].any() or masks[1].any()):
            raise GameError(f"{self.name} goes on without a move to make after the joint actions {list(path)}")
        decides = repr(path).encode() if held is None else held
        key = shown if over else shown + decides  # nothing follows an end
        if key not in self.known:
            self.known[key] = len(self.paths)
            self.views.append(views)
            self.legal.append(masks)
            self.paths.append(path)
        return self.known[key]

    def _shown(
        self, observed: dict[str, Any], *, over: bool
    ) -> tuple[bytes, tuple[Floats, Floats], tuple[Bools, Bools]]:
        """Bytes of all that is observed, each agent's view, and what it may do."""
        views, masks = [], []
        for agent, actions in zip(self.agents, self.actions, strict=True):
            shown = observed[agent]
            mask = np.ones(actions, dtype=np.bool_)
            if isinstance(shown, dict):
                mask = np.asarray(shown["action_mask"], dtype=np.bool_)
                shown = shown["observation"]
            views.append(np.asarray(shown, dtype=np.float64).reshape(np.shape(shown) or (1,)))
            masks.append(mask & (not over))
        told = b"".join([bytes([over]), *(part.tobytes() for part in (*views, *masks))])
        return told, (views[0], views[1]), (masks[0], masks[1])
