"""Train a response to a clone through Gymnasium, and compare it with the exact one: ``python examples/respond.py``.

One seat against a fixed policy is an ordinary ``gymnasium.Env``, so any library that trains on those can be used
(docs/adapters.md shows stable-baselines3). Here: Q-learning with a table, in a dozen lines.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

import games
import mail
from agents import tabulate
from agents.environments.seat import to_gymnasium

Values = defaultdict[bytes, np.ndarray]


def q_learning(env: Any, episodes: int) -> Values:
    """[A] the value of each action at each observation, from random legal play, which Q-learning may learn from."""
    values: Values = defaultdict(lambda: np.zeros(env.action_space.n))
    for episode in range(episodes):
        observation, info = env.reset(seed=episode)
        over = False
        while not over:
            action = env.action_space.sample(info["action_mask"])
            now = values[observation.tobytes()]
            observation, reward, ended, cut, info = env.step(action)
            over = ended or cut
            allowed = info["action_mask"] > 0
            later = 0.0 if over else values[observation.tobytes()][allowed].max()
            now[action] += 0.3 * (reward + later - now[action])
    return values


def mean_return(env: Any, values: Values, episodes: int) -> float:
    """What the best actions by these values win on average."""
    total = 0.0
    for episode in range(episodes):
        observation, info = env.reset(seed=episode)
        over = False
        while not over:
            action = np.where(info["action_mask"] > 0, values[observation.tobytes()], -np.inf).argmax()
            observation, reward, ended, cut, info = env.step(int(action))
            total, over = total + reward, ended or cut
    return total / episodes


def main() -> None:
    """Clone Tic-Tac-Toe's expert by BC, learn to beat the clone's second seat, and print what could be won at most."""
    game = games.make("tictactoe")
    with tempfile.TemporaryDirectory() as folder:
        mail.train("tictactoe", Path(folder) / "run", learners=("bc-tabular",))
        clone = mail.load_profile(f"{folder}/run:bc-tabular").policies[1]
    env = to_gymnasium(game, clone, seat=0)
    values = q_learning(env, episodes=1_500)
    model = games.GameGraph(game)
    best = model.respond(0, tabulate(model, clone, 1)).value
    print(f"Q-learning wins {mean_return(env, values, episodes=200):.3f} a game, the exact best response {best:.3f}")


if __name__ == "__main__":
    main()
