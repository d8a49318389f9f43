"""Our games as PettingZoo environments: ``to_aec(games.make("connect4"))``.

For any turn-based game. The agents are ``player_0`` (seat 0) and ``player_1`` (seat 1). Each observes a dictionary of
``observation`` (own stones first) and ``action_mask`` (all zeros while the other agent moves). As in PettingZoo's own
classic games, an illegal move ends the game with reward -1 for the agent that made it and 0 for the other. That is a
rule of the interface, not of the game. Interface: https://pettingzoo.farama.org/api/aec/.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from games.adapters.rendered import Rendered
from games.adapters.replay import Replayed
from games.base import Game, GameError
from games.boards import Board
from games.symmetry import Quotient

AGENTS = ("player_0", "player_1")


def to_aec(game: Game, *, render_mode: str | None = None) -> Any:
    """The game as a ``pettingzoo.AECEnv``, in PettingZoo's usual wrappers.

    Args:
        game: A turn-based game.
        render_mode: None, ``"ansi"`` (``render`` returns text) or ``"human"`` (every step prints it).

    Returns:
        The wrapped environment. Observations are float32 of ``game.spec.observation``, masks int8 ``[A]``.

    Raises:
        GameError: The game has simultaneous moves, or ``render_mode`` is another value.
    """
    from pettingzoo.utils import wrappers

    if game.acting(game.start(1, rng=np.random.default_rng(0))).sum() != 1:
        raise GameError(f"{game.spec.name} is not turn-based, which this interface needs; use to_parallel")
    if render_mode not in (None, "ansi", "human"):
        raise GameError(f"render_mode is None, 'ansi' or 'human', not {render_mode!r}")
    env = _bare(game, render_mode)
    env = wrappers.TerminateIllegalWrapper(env, illegal_reward=-1)
    env = wrappers.AssertOutOfBoundsWrapper(env)
    return wrappers.OrderEnforcingWrapper(env)


class _Environment(Rendered):
    """The methods of ``AECEnv``. ``_joined`` adds the base class, so PettingZoo is imported only where it is used."""

    _was_dead_step: Callable[[Any], None]  # AECEnv provides these two
    _accumulate_rewards: Callable[[], None]

    def __init__(self, game: Game, render_mode: str | None) -> None:
        from gymnasium import spaces

        self.game = game
        self.render_mode = render_mode
        self.metadata = {"name": game.spec.name, "render_modes": ["human", "ansi"], "is_parallelizable": False}
        self.possible_agents = list(AGENTS)
        low, high = (0.0, 1.0) if _is_board(game) else (-np.inf, np.inf)
        shape, actions = game.spec.observation, game.spec.actions
        self.action_spaces = {agent: spaces.Discrete(actions) for agent in AGENTS}
        self.observation_spaces = {
            agent: spaces.Dict(
                {
                    "observation": spaces.Box(low, high, shape, np.float32),
                    "action_mask": spaces.Box(0, 1, (actions,), np.int8),
                }
            )
            for agent in AGENTS
        }
        self._rng = np.random.default_rng()

    def __reduce__(self) -> tuple[Any, ...]:
        return _bare, (self.game, self.render_mode), self.__dict__

    def observation_space(self, agent: str) -> Any:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._states = self.game.start(1, rng=self._rng)
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(AGENTS, 0.0)
        self._cumulative_rewards = dict.fromkeys(AGENTS, 0.0)
        self.terminations = dict.fromkeys(AGENTS, False)
        self.truncations = dict.fromkeys(AGENTS, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in AGENTS}
        self.agent_selection = AGENTS[int(self.game.acting(self._states)[0, 1])]

    def observe(self, agent: str) -> dict[str, Any]:
        seat = AGENTS.index(agent)
        return {
            "observation": self.game.observe(self._states, seat)[0],
            "action_mask": self.game.legal(self._states, seat)[0].astype(np.int8),
        }

    def step(self, action: Any) -> None:
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        seat = AGENTS.index(agent)
        actions = np.full((1, 2), -1, dtype=np.int64)
        actions[0, seat] = action
        self._states, earned, done = self.game.step(self._states, actions, rng=self._rng)
        self._cumulative_rewards[agent] = 0.0
        self.rewards = {AGENTS[0]: float(earned[0]), AGENTS[1]: 0.0 - float(earned[0])}
        self._accumulate_rewards()
        self.terminations = dict.fromkeys(AGENTS, bool(done[0]))
        following = 1 - seat if done[0] else int(self.game.acting(self._states)[0, 1])
        self.agent_selection = AGENTS[following]
        if self.render_mode == "human":
            self.render()


@cache
def _joined() -> type:
    """``_Environment`` as a subclass of ``AECEnv``."""
    from pettingzoo import AECEnv

    return type("GameAEC", (_Environment, AECEnv), {"__doc__": _Environment.__doc__})


def _bare(game: Game, render_mode: str | None) -> Any:
    """The environment without wrappers."""
    return _joined()(game, render_mode)


def _is_board(game: Game) -> bool:
    """Whether observations are planes of stones, with values 0 and 1."""
    base = game.base if isinstance(game, Quotient) else game
    return isinstance(base, Board) or (isinstance(base, Replayed) and base.board is not None)
