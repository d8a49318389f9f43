"""One seat of a game as a Gymnasium environment, against a fixed policy in the other seat: ``to_gymnasium``.

The environment is the decision process that a seat faces against a fixed opponent (docs/algorithms.md, "Setting"): a
step is the agent's own action, then the opponent's, up to the agent's next decision. So anything that trains on
Gymnasium environments trains against our experts and clones, and what it learns is a response to them: never an
equilibrium by itself. Interface: https://gymnasium.farama.org/api/env/.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import numpy as np

from agents.policy import Policy, query, sample
from games.adapters.rendered import Rendered
from games.base import Game, GameError, Ints

Masks = Literal["info", "observation"]


def to_gymnasium(
    game: Game, opponent: Policy, seat: int = 0, *, masks: Masks = "info", render_mode: str | None = None
) -> Any:
    """One seat of the game as a ``gymnasium.Env``.

    Rewards are the agent's own, between one of its decisions and the next. An action that is not legal ends the episode
    with reward -1 and ``info["illegal"]`` true: that is a rule of the interface, not of the game, for algorithms that
    ignore masks. A game that is cut although it goes on (``spec.endless``) is truncated, any other terminates.
    ``action_masks()`` returns the present mask, as sb3-contrib's MaskablePPO wants it.

    Args:
        game: Any game; with simultaneous moves the opponent decides without seeing the agent's action.
        opponent: Who plays the other seat. Its actions are sampled.
        seat: The agent's seat, 0 or 1.
        masks: Where legal actions are given as int8 [A]: as ``info["action_mask"]`` alone, or in the observation too,
            which is then a dictionary of ``observation`` and ``action_mask``.
        render_mode: None, ``"ansi"`` (``render`` returns text) or ``"human"`` (every step prints it).

    Returns:
        The environment. Observations are float32 of ``game.spec.observation``, actions 0 to A - 1.

    Raises:
        GameError: An argument is another value.
    """
    if seat not in (0, 1):
        raise GameError(f"the seats are 0 and 1, not {seat!r}")
    if masks not in ("info", "observation"):
        raise GameError(f"masks go to 'info' or into the 'observation', not {masks!r}")
    if render_mode not in (None, "ansi", "human"):
        raise GameError(f"render_mode is None, 'ansi' or 'human', not {render_mode!r}")
    return _joined()(game, opponent, seat, masks, render_mode)


class _Environment(Rendered):
    """The methods of ``gymnasium.Env``. ``_joined`` adds the base class, so Gymnasium is imported only where used."""

    np_random: np.random.Generator  # the base class provides it

    def __init__(self, game: Game, opponent: Policy, seat: int, masks: Masks, render_mode: str | None) -> None:
        from gymnasium import spaces

        self.game, self.opponent, self.seat, self.masks = game, opponent, seat, masks
        self.render_mode = render_mode
        self.metadata = {"name": game.spec.name, "render_modes": ["human", "ansi"], "render_fps": 1}
        low, high = (0.0, 1.0) if game.spec.in_a_row else (-np.inf, np.inf)  # planes of stones, or anything
        board = spaces.Box(low, high, game.spec.observation, np.float32)
        mask = spaces.MultiBinary(game.spec.actions)
        self.action_space = spaces.Discrete(game.spec.actions)
        self.observation_space = board if masks == "info" else spaces.Dict({"observation": board, "action_mask": mask})
        self._over = True

    def __reduce__(self) -> tuple[Any, ...]:
        made = self.game, self.opponent, self.seat, self.masks, self.render_mode
        return _make, made, self.__dict__

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin a game and play it to the agent's first decision.

        Args:
            seed: What all chance and the opponent's sampling follow from, until the next seed.
            options: Not used.

        Returns:
            The observation and ``{"action_mask": ...}``.

        Raises:
            GameError: The agent never gets to decide.
        """
        super().reset(seed=seed)  # type: ignore[misc]  # the base class sets np_random
        self._states = self.game.start(1, rng=self.np_random)
        self._over = over = False
        while not over and not self._decides():
            _, over = self._advance(-1)
        if over:
            raise GameError(f"{self.game.spec.name} ended before seat {self.seat} had a decision; take the other seat")
        self._show()
        return self._observation(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Make the agent's move, then the opponent's until the agent decides again.

        Args:
            action: An action from 0 to A - 1.

        Returns:
            Observation, own reward, terminated, truncated, info.

        Raises:
            GameError: The episode is over.
        """
        if self._over:
            raise GameError("the episode is over; call reset")
        if not self.action_space.contains(action) or not self.action_masks()[int(action)]:
            self._over = True
            return self._observation(), -1.0, True, False, {**self._info(), "illegal": True}
        reward, over = self._advance(int(action))
        while not over and not self._decides():
            more, over = self._advance(-1)
            reward += more
        self._show()
        cut = over and self.game.spec.endless
        return self._observation(), reward, over and not cut, cut, self._info()

    def action_masks(self) -> Any:
        """bool [A] the legal actions; all False once the game is over."""
        if self._over:
            return np.zeros(self.game.spec.actions, dtype=np.bool_)
        return self.game.legal(self._states, self.seat)[0]

    def _decides(self) -> bool:
        """Whether the agent is to decide."""
        return bool(self.game.acting(self._states)[0, self.seat])

    def _advance(self, action: int) -> tuple[float, bool]:
        """One ply with the agent's action, -1 where it does not act: the agent's reward, and whether the game ended."""
        other = 1 - self.seat
        actions: Ints = np.full((1, 2), -1, dtype=np.int64)
        actions[0, self.seat] = action
        if self.game.acting(self._states)[0, other]:
            row = query(self.opponent, self.game, self._states, other)
            actions[0, other] = sample(row, rng=self.np_random)[0]
        self._states, earned, done = self.game.step(self._states, actions, rng=self.np_random)
        self._over = bool(done[0])
        return float(earned[0] if self.seat == 0 else 0.0 - earned[0]), self._over

    def _observation(self) -> Any:
        seen = self.game.observe(self._states, self.seat)[0]
        if self.masks == "info":
            return seen
        return {"observation": seen, "action_mask": self.action_masks().astype(np.int8)}

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self.action_masks().astype(np.int8)}

    def _show(self) -> None:
        if self.render_mode == "human":
            self.render()


@cache
def _joined() -> type:
    """``_Environment`` as a subclass of ``gymnasium.Env``."""
    from gymnasium import Env

    return type("SeatEnv", (_Environment, Env), {"__doc__": _Environment.__doc__})


def _make(game: Game, opponent: Policy, seat: int, masks: Masks, render_mode: str | None) -> Any:
    return _joined()(game, opponent, seat, masks, render_mode)
