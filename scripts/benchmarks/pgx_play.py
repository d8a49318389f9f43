"""Random play of pgx (a simulator in JAX), in an environment of its own: ``PYTHON scripts/benchmarks/pgx_play.py``.

``bench.py play --pgx PYTHON`` starts this with a Python that has pgx and jax; nothing of ours is imported. As we do, it
plays many games at once and begins anew where they are over (``auto_reset``); moves are uniform over the legal ones.
One call compiled by JAX makes many moves in every game, so that Python costs nothing. An observation belongs to every
state of pgx and is summed up, lest the compiler leave it out.

For each line ``GAME SECONDS`` of standard input, one line with the moves per second of about so long. J. Koyamada et
al., "Pgx: hardware-accelerated parallel game simulators for reinforcement learning", NeurIPS 2023.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import jax
import jax.numpy as jnp
import pgx
from pgx.experimental import auto_reset

NAMES = {"tictactoe": "tic_tac_toe", "connect4": "connect_four"}
BATCH, MOVES = 4096, 64  # games at once; moves in each of one call


class Player:
    """Random play of one game."""

    def __init__(self, name: str) -> None:
        """Compile it.

        Args:
            name: our name of the game.
        """
        env = pgx.make(NAMES[name])
        start, step = jax.jit(jax.vmap(env.init)), jax.vmap(auto_reset(env.step, env.init))

        def one(carry: Any, key: Any) -> Any:
            state, total = carry
            logits = jnp.where(state.legal_action_mask, 0.0, -jnp.inf)
            action = jax.random.categorical(key, logits, axis=1)
            state = step(state, action, jax.random.split(key, BATCH))
            return (state, total + state.observation.sum()), None

        def many(state: Any, key: Any) -> Any:
            first = state.observation.sum()
            return jax.lax.scan(one, (state, first), jax.random.split(key, MOVES))[0]

        self.many = jax.jit(many)
        self.key = jax.random.PRNGKey(0)
        self.state = start(jax.random.split(self.key, BATCH))
        self.rate(0.0)

    def rate(self, seconds: float) -> float:
        """Moves per second, measured for about so long."""
        begun = now = time.perf_counter()
        calls = 0
        while calls == 0 or now - begun < seconds:
            self.key, key = jax.random.split(self.key)
            self.state, total = self.many(self.state, key)
            total.block_until_ready()
            calls, now = calls + 1, time.perf_counter()
        return calls * BATCH * MOVES / (now - begun)


if __name__ == "__main__":
    players: dict[str, Player] = {}
    print(f"pgx {pgx.__version__} jax {jax.__version__}", flush=True)
    for line in sys.stdin:
        game, length = line.split()
        if game not in players:
            players[game] = Player(game)
        print(players[game].rate(float(length)), flush=True)
