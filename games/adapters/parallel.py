"""PettingZoo's Parallel environments: ``to_parallel(games.make("gridworld:3x3"))`` and ``from_parallel``.

All agents of a Parallel environment act at every step. The action of a seat that does not move is ignored. The agents
are ``player_0`` and ``player_1``. Each observes a dictionary of ``observation`` and ``action_mask`` (all zeros where it
does not move). A game with a horizon terminates; a discounted one is truncated where its episode is cut. An illegal
action raises. ``from_parallel`` enumerates an environment without chance by its observations and contents. Interface:
https://pettingzoo.farama.org/api/parallel/.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from games.adapters.memory import fingerprint
from games.adapters.rendered import Rendered
from games.base import Bools, Floats, Game, GameError, Ints
from games.markov.dynamics import Dynamics
from games.markov.game import MarkovGame, Views
from games.markov.transitions import Entries

AGENTS = ("player_0", "player_1")
Path = tuple[tuple[int, int], ...]  # joint actions
Record = tuple[int, tuple[int, int], int, float]  # state, actions, next state, reward


def to_parallel(game: Game, *, render_mode: str | None = None) -> Any:
    """The game as a ``pettingzoo.ParallelEnv``.

    Args:
        game: any game.
        render_mode: None, ``"ansi"`` (``render`` returns text) or ``"human"`` (every step prints it).

    Returns:
        the environment. Observations are float32 of ``game.spec.observation``, masks int8 ``[A]``.

    Raises:
        GameError: ``render_mode`` is another value.
    """
    if render_mode not in (None, "ansi", "human"):
        raise GameError(f"render_mode is None, 'ansi' or 'human', not {render_mode!r}")
    return _joined()(game, render_mode)


class _Environment(Rendered):
    """The methods of ``ParallelEnv``. ``_joined`` adds the base class, so PettingZoo is imported only where used."""

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
    """``_Environment`` as a subclass of ``ParallelEnv``."""
    from pettingzoo import ParallelEnv

    return type("GameParallel", (_Environment, ParallelEnv), {"__doc__": _Environment.__doc__})


# --- import ------------------------------------------------------------------------------------------------


def from_parallel(
    factory: Callable[[], Any], *, name: str, horizon: int, discount: float = 1.0, most: int = 10_000
) -> MarkovGame:
    """A zero-sum Parallel environment of two agents, without chance, as a Markov game.

    The states are enumerated breadth first: every joint action is played from every state, up to the horizon. Two
    histories after which both agents have the same observations and legal actions are one state if the environment also
    holds the same (``games.adapters.memory``). Where its contents cannot be read, every history is a state.

    Args:
        factory: makes the ``pettingzoo.ParallelEnv``.
        name: the game's name.
        horizon: steps of an episode.
        discount: per step.
        most: the largest number of states to enumerate.

    Raises:
        GameError: two seeds start differently, the same moves give different observations, rewards do not sum to 0,
            no agent has a legal action although the game is not over, the environment truncates within the horizon, or
            it has more than ``most`` states.
    """
    return _Explored(factory, name, horizon, most).game(discount)


class _Explored:
    """An environment enumerated breadth first by replaying joint actions."""

    def __init__(self, factory: Callable[[], Any], name: str, horizon: int, most: int) -> None:
        self.env, self.name, self.horizon, self.most = factory(), name, horizon, most
        self.agents = list(self.env.possible_agents)
        if len(self.agents) != 2:
            raise GameError(f"{name} has {len(self.agents)} agents; use an environment with two")
        self.actions = tuple(int(self.env.action_space(agent).n) for agent in self.agents)
        self.known: dict[bytes, int] = {}
        self.views: list[tuple[Floats, Floats]] = []
        self.legal: list[tuple[Bools, Bools]] = []
        self.paths: list[Path] = []
        starts = {self._parse(self.env.reset(seed=seed)[0], over=False)[0] for seed in (0, 1)}
        if len(starts) > 1:
            raise GameError(f"{name} starts differently with another seed; use an environment without chance")
        self.readable = self._repeats()
        self._number(self._play(())[0], ())

    def game(self, discount: float) -> MarkovGame:
        records: list[Record] = []
        state = 0
        while state < len(self.paths):
            if len(self.paths) > self.most:
                why = "" if self.readable else "; its contents cannot be read, so every history is a state"
                raise GameError(f"{self.name} has more than {self.most} states, too many to enumerate{why}")
            if len(self.paths[state]) < self.horizon:
                records += [self._outcome(state, joint) for joint in self._joints(state)]
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
            Dynamics(
                rewards,
                Entries(shape, row, following.ravel(), np.ones(len(row))),
                start,
                discount=discount,
                horizon=self.horizon,
                legal=(legal[0], legal[1]),
            ),
            Views(observations=(views[0], views[1])),
        )

    def _joints(self, state: int) -> list[tuple[int, int]]:
        """The legal joint actions, with action 0 for a seat that does not act; none in a finished game."""
        mine, others = (np.flatnonzero(side) for side in self.legal[state])
        if not len(mine) and not len(others):
            return []
        return [(int(a), int(b)) for a in (mine if len(mine) else [0]) for b in (others if len(others) else [0])]

    def _outcome(self, state: int, joint: tuple[int, int]) -> Record:
        """The outcome of a joint action, after replaying the path to the state."""
        path = (*self.paths[state], joint)
        observed, reward, over = self._play(path)
        return state, joint, self._number(observed, path, over=over), reward

    def _play(self, path: Path) -> tuple[dict[str, Any], float, bool]:
        """The observations after these joint actions, player 0's reward for the last, and whether the game is over."""
        observed, _ = self.env.reset(seed=0)
        first, over = 0.0, False
        for step in path:
            observed, rewards, ended, cut, _ = self.env.step(dict(zip(self.agents, step, strict=True)))
            over = any(ended.values())
            if any(cut.values()):
                raise GameError(f"{self.name} truncates after {len(path)} steps; give it a limit beyond the horizon")
            first, second = (float(rewards[agent]) for agent in self.agents)
            if abs(first + second) > 1e-9:
                raise GameError(f"{self.name} is not zero-sum: one step gave the rewards {first:g} and {second:g}")
        return observed, first, over

    def _repeats(self) -> bool:
        """Whether the environment's contents can be read and are the same when the same moves are replayed.

        GameError where its observations are not.
        """
        path: Path = ()
        readable = True
        while len(path) <= self.horizon:
            runs, held = [], []
            for _ in range(2):
                observed, _, over = self._play(path)
                held.append(fingerprint(self.env))
                runs.append(self._parse(observed, over=over))
            if runs[0][0] != runs[1][0]:
                raise GameError(
                    f"{self.name} differs when the same moves are replayed; use an environment without chance"
                )
            readable = readable and held[0] is not None and held[0] == held[1]
            moves = [np.flatnonzero(mask) for mask in runs[0][2]]
            if not any(map(len, moves)):
                break
            path = (*path, (int(moves[0][-1]) if len(moves[0]) else 0, int(moves[1][-1]) if len(moves[1]) else 0))
        return readable

    def _number(self, observed: dict[str, Any], path: Path, *, over: bool = False) -> int:
        """The number of the state with these observations; a new number for a new state."""
        held = fingerprint(self.env) if self.readable else None
        content, views, masks = self._parse(observed, over=over)
        if not over and len(path) < self.horizon and not (masks[0].any() or masks[1].any()):
            raise GameError(f"{self.name} has no legal action after the joint actions {list(path)}")
        decides = repr(path).encode() if held is None else held
        key = content if over else content + decides  # a finished game has no future
        if key not in self.known:
            self.known[key] = len(self.paths)
            self.views.append(views)
            self.legal.append(masks)
            self.paths.append(path)
        return self.known[key]

    def _parse(
        self, observed: dict[str, Any], *, over: bool
    ) -> tuple[bytes, tuple[Floats, Floats], tuple[Bools, Bools]]:
        """All observations as bytes, and each agent's observation and legal actions."""
        views, masks = [], []
        for agent, actions in zip(self.agents, self.actions, strict=True):
            view = observed[agent]
            mask = np.ones(actions, dtype=np.bool_)
            if isinstance(view, dict):
                mask = np.asarray(view["action_mask"], dtype=np.bool_)
                view = view["observation"]
            views.append(np.asarray(view, dtype=np.float64).reshape(np.shape(view) or (1,)))
            masks.append(mask & (not over))
        content = b"".join([bytes([over]), *(part.tobytes() for part in (*views, *masks))])
        return content, (views[0], views[1]), (masks[0], masks[1])
