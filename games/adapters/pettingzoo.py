"""PettingZoo's games as our games: ``games.make("pettingzoo:tictactoe")``, and ``from_aec`` for any environment.

The adapter resets the environment and replays the moves so far, so the environment must have no chance (and no hidden
information, which cannot be checked from outside). Two histories lead to one position if the environment then holds the
same (``games.adapters.memory``). Where its contents cannot be read or are not reproducible, every history is a
position. The two classic boards have the keys, observations and action numbers of our ``Board``: PettingZoo numbers the
cells of Tic-Tac-Toe by column, we by row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.adapters.memory import fingerprint
from games.adapters.replay import NO_VIEWS, Moves, Position, Replayed
from games.base import GameError, Spec
from games.boards import Board

_CLASSIC = {  # word: environment, rows, columns, k, gravity, PettingZoo's number of each of our actions
    "tictactoe": ("classic/tictactoe-v3", 3, 3, 3, False, (0, 3, 6, 1, 4, 7, 2, 5, 8)),
    "connect_four": ("classic/connect_four-v3", 6, 7, 4, True, (0, 1, 2, 3, 4, 5, 6)),
}

_TRIED = 200  # moves of the game that is played twice to test whether the environment is reproducible


class PettingZooGame(Replayed):
    """An agent-environment-cycle (AEC) environment of two agents; seat 0 is ``possible_agents[0]``.

    Args:
        factory: Makes the environment. A function of a module (or a partial of one), if other processes need the game.
        name: The game's name.
        longest: An upper bound on the moves of one game.
        board: Our board with the same rules, if there is one. Keys, observations and pictures are then the board's.
        numbers: [A] the environment's number of each of our actions; the same numbers if empty.

    Raises:
        GameError: The environment does not fit, see ``from_aec``.
    """

    library = "PettingZoo"

    def __init__(
        self, factory: Callable[[], Any], *, name: str, longest: int, board: Board | None = None, numbers: Moves = ()
    ) -> None:
        self._again = partial(PettingZooGame, factory, name=name, longest=longest, board=board, numbers=numbers)
        self._env = factory()
        self._name = name
        self._agents = list(self._env.possible_agents)
        if len(self._agents) != 2:
            raise GameError(f"{name} has {len(self._agents)} agents; use an environment with two")
        actions = self._actions()
        first = [self._start(seed) for seed in (0, 1)]
        if not np.array_equal(first[0], first[1]):
            raise GameError(f"{name} starts differently with another seed; use an environment without chance")
        self._numbers = numbers or tuple(range(actions))
        spec = Spec(
            name=name,
            actions=actions,
            observation=board.spec.observation if board else first[0].shape[1:],
            longest=longest,
        )
        super().__init__(spec, board, merges=board is None and self._repeats(longest))

    def __reduce__(self) -> tuple[Any, ...]:
        return self._again, ()

    def replay(self, moves: Moves) -> Position:
        env = self._env
        env.reset(seed=0)
        reward = 0.0
        for action in moves:
            reward = self._step(action)
        held = fingerprint(env) if self.merges else None
        over = self._over()
        legal: Moves = ()
        if not over:
            allowed = self._observe(env.agent_selection)[1]
            legal = tuple(action for action, number in enumerate(self._numbers) if allowed[number])
            if not legal:
                raise GameError(f"{self._name} gives {env.agent_selection} no legal action after {list(moves)}")
        views, picture = (NO_VIEWS, "") if self.board else self._views()
        seat = -1 if over else self._agents.index(env.agent_selection)
        return Position(seat, legal, reward, views, picture, held)

    def _step(self, action: int) -> float:
        """Make a move and return seat 0's reward for it."""
        self._env.step(self._numbers[action])
        reward = self._reward()
        self._bury()
        return reward

    def _repeats(self, longest: int) -> bool:
        """Whether the environment's contents can be read and are the same when the same moves are replayed.

        GameError where its observations are not.
        """
        runs = [self._played_once(min(longest, _TRIED)) for _ in range(2)]
        if [observed for observed, _ in runs[0]] != [observed for observed, _ in runs[1]]:
            raise GameError(f"{self._name} differs when the same moves are replayed; use an environment without chance")
        held = [[held for _, held in run] for run in runs]
        return None not in held[0] and held[0] == held[1]

    def _played_once(self, most: int) -> list[tuple[bytes, bytes | None]]:
        """Observations and fingerprint at each position of a game of at most ``most`` moves: the last legal ones."""
        env, met = self._env, []
        env.reset(seed=0)
        while True:
            held = fingerprint(env)
            met.append((self._views()[0].tobytes(), held))
            if self._over() or len(met) > most:
                return met
            allowed = self._observe(env.agent_selection)[1]
            legal = [action for action, number in enumerate(self._numbers) if allowed[number]]
            if not legal:
                return met
            self._step(legal[-1])

    # --- queries to the environment ---------------------------------------------------------------------

    def _actions(self) -> int:
        """The number of actions. Both agents must have the same Discrete space, numbered from 0."""
        spaces = [self._env.action_space(agent) for agent in self._agents]
        sizes = {int(getattr(space, "n", 0)) for space in spaces}
        if len(sizes) != 1 or 0 in sizes or any(getattr(space, "start", 0) != 0 for space in spaces):
            raise GameError(f"{self._name} needs the same Discrete action space from 0 for both agents, not {spaces}")
        return int(sizes.pop())

    def _start(self, seed: int) -> NDArray[np.float32]:
        """[2, *observation] the views at the start."""
        self._env.reset(seed=seed)
        return self._views()[0]

    def _observe(self, agent: str) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """An agent's observation and action mask. The mask is part of the observation or of the agent's info."""

        observed = self._env.observe(agent)
        beside = isinstance(observed, dict)
        mask = observed.get("action_mask") if beside else self._env.infos.get(agent, {}).get("action_mask")
        if mask is None and agent == self._env.agent_selection:
            raise GameError(f"{self._name} gives {agent} no action_mask; add one, legal actions are unknown without it")
        return np.asarray(observed["observation"] if beside else observed, dtype=np.float32), np.asarray(mask)

    def _views(self) -> tuple[NDArray[np.float32], str]:
        """[2, *observation] both observations, and a picture: the environment's text, or the first observation."""
        views = [self._observe(agent)[0] for agent in self._agents]
        if views[0].shape != views[1].shape:
            raise GameError(f"{self._name} has observations of different shapes, {views[0].shape} and {views[1].shape}")
        picture = self._env.render() if getattr(self._env, "render_mode", None) == "ansi" else None
        return np.stack(views), picture or np.array2string(views[0], threshold=views[0].size + 1)

    def _reward(self) -> float:
        """Seat 0's reward for the last move. GameError where the rewards do not sum to 0."""
        first, second = (float(self._env.rewards.get(agent, 0.0)) for agent in self._agents)
        if first + second != 0:
            raise GameError(f"{self._name} is not zero-sum: one move gave the rewards {first:g} and {second:g}")
        return first + 0.0  # no -0.0

    def _over(self) -> bool:
        """Whether every agent is done."""
        env = self._env
        return all(env.terminations[agent] or env.truncations[agent] for agent in env.agents)

    def _bury(self) -> None:
        """Step agents that are done while another is not, as the interface requires."""
        env = self._env
        while not self._over() and (env.terminations[env.agent_selection] or env.truncations[env.agent_selection]):
            env.step(None)


def from_aec(factory: Callable[[], Any], *, name: str, longest: int) -> PettingZooGame:
    """The environment that ``factory`` makes, as a game.

    Two histories are one position where the environment holds the same after both. Register a factory with
    ``games.register``, so that ``games.make`` finds the game.

    Args:
        factory: Makes the ``pettingzoo.AECEnv``, see ``PettingZooGame``.
        name: The game's name.
        longest: An upper bound on the moves of one game.

    Raises:
        GameError: The environment does not have two agents with the same Discrete action space, an action mask, rewards
            that sum to 0 (checked at every reward), the same start for every seed and the same game for the same moves.
    """
    return PettingZooGame(factory, name=name, longest=longest)


def classic(word: str) -> PettingZooGame:
    """One of PettingZoo's own boards.

    Args:
        word: ``tictactoe`` or ``connect_four``.

    Raises:
        GameError: for another word, or where PettingZoo is not installed.
    """
    if word not in _CLASSIC:
        known = ", ".join(f"pettingzoo:{name}" for name in _CLASSIC)
        raise GameError(
            f"no PettingZoo game is called {word!r} here; use {known}, or games.adapters.pettingzoo.from_aec for others"
        )
    identity, rows, columns, k, gravity, numbers = _CLASSIC[word]
    name = f"pettingzoo:{word}"
    board = Board(rows, columns, k, gravity=gravity, name=name)
    return PettingZooGame(partial(_make, identity), name=name, longest=rows * columns, board=board, numbers=numbers)


def _make(identity: str) -> Any:
    try:
        import pettingzoo
    except ImportError as error:
        raise GameError("this game needs PettingZoo; install pettingzoo[classic]") from error
    return pettingzoo.make("aec", identity)
