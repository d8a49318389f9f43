"""A game of one's own: define it, register it, train BC and MAIL, measure: ``python examples/own_game.py``.

The game is a tug of war with simultaneous moves, given as arrays. docs/adding-a-game.md shows a game given as rules.
``nashmail train tug-of-war --import examples/own_game.py --learner mail-tabular`` trains on it, too.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import games
import mail


def tug_of_war(reach: int) -> games.MarkovGame:
    """A rope with its mark in the middle of ``2 * reach + 1`` places; whoever gets it to the own end wins a point.

    Both seats choose at once to rest (0) or to pull (1). The mark moves one place towards a seat that pulls alone.
    """
    places = 2 * reach + 1
    moves = np.array([[0, -1], [1, 0]])  # [A, B], towards seat 0's end, which is the last place
    rewards = np.zeros((places, 2, 2))  # [S, A, B], of seat 0
    transitions = np.zeros((places, 2, 2, places))  # [S, A, B, S]
    running = np.arange(1, places - 1)
    for (first, second), step in np.ndenumerate(moves):
        after = running + step
        transitions[running, first, second, after] = 1.0
        rewards[running, first, second] = 1.0 * (after == places - 1) - 1.0 * (after == 0)
    ends = [0, places - 1]
    transitions[ends, :, :, ends] = 1.0
    legal = np.ones((places, 2), dtype=np.bool_)
    legal[ends] = False  # no seat moves at an end: the game is over
    start = np.eye(places)[reach]
    dynamics = games.Dynamics(rewards, transitions, start, discount=0.95, episode=30, legal=(legal, legal))
    return games.MarkovGame(f"tug-of-war:{reach}", dynamics)


games.register("tug-of-war", lambda text: tug_of_war(int(text or 3)), summary="rest or pull, both at once")


def main() -> None:
    """Train on the game and print the exact Nash gaps.

    Two experts always pull, so the mark stays in the middle: BC learns nothing about any other place, and plays
    uniformly there. MAIL explores against each expert and learns what it does elsewhere.
    """
    print(games.check(games.make("tug-of-war:3")))
    with tempfile.TemporaryDirectory() as folder:
        result = mail.train("tug-of-war:3", Path(folder) / "run", learners=("mail-tabular", "bc-tabular"), episodes=30)
    for name, learned in result["learners"].items():
        print(f"{name:12} Nash gap {learned['nash_gap']:.4f}   ({learned['distinct_labels']} distinct labels)")


if __name__ == "__main__":
    main()
