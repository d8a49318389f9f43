"""What a seat has seen of a game's transitions, as a decision process with optimism: UCBVI's model.

Source: Azar, Osband, Munos, "Minimax regret bounds for reinforcement learning" (ICML 2017), with the constant of the
bonus as a setting. The other seat's policy is the learner's own, so that transitions are counted by joint action, and
seen games serve for every later policy.
"""

from __future__ import annotations

import numpy as np

from games.base import Bools, Floats, Game, Ints, Keys, States, Steps
from mail.data.decisions import Decisions
from mail.explore.process import clock, steps_of

ENDED = -1


class Experience:
    """Positions of a game that play came through, and how often each joint action led where.

    Args:
        game: The game.
    """

    def __init__(self, game: Game) -> None:
        self.game = game
        self.states: States = np.zeros((0, 0), dtype=np.int64)
        self._places: dict[tuple[int, int], int] = {}
        self._starts: Ints = np.zeros(0, dtype=np.int64)
        self._moves: Ints = np.zeros((0, 4), dtype=np.int64)  # [K, 4] position, both seats' actions, next position
        self._counts: Ints = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.states)

    def add(self, decisions: Decisions) -> None:
        """Add games.

        Args:
            decisions: Both seats' decisions, in order of play.
        """
        order = np.argsort(decisions.episode, kind="stable")
        episode, state = decisions.episode[order], decisions.state[order]
        fresh = np.ones(len(order), dtype=np.bool_)
        fresh[1:] = (episode[1:] != episode[:-1]) | (state[1:] != state[:-1]).any(1)
        number = fresh.cumsum() - 1
        played = np.zeros((number[-1] + 1, 2), dtype=np.int64)
        played[number, decisions.seat[order]] = decisions.played[order]
        episode, state = episode[fresh], state[fresh]
        place = self._find(state)
        last = np.append(episode[1:] != episode[:-1], True)
        following = np.where(last, ENDED, np.append(place[1:], ENDED))
        known = np.ones(len(place), dtype=np.bool_)
        if self.game.spec.endless:  # play was cut there, but the game goes on
            known = ~last | (clock(self.game, state) < steps_of(self.game) - 1)
        first = np.append(True, last[:-1])
        self._starts = np.concatenate([self._starts, place[first]])
        new = np.column_stack([place, played, following])[known]
        moves = np.concatenate([self._moves, new])
        counts = np.concatenate([self._counts, np.ones(len(new), dtype=np.int64)])
        self._moves, inverse = np.unique(moves, axis=0, return_inverse=True)
        self._counts = np.bincount(inverse.reshape(-1), weights=counts).astype(np.int64)

    def _find(self, states: States) -> Ints:
        """[N] the places of these positions, new ones included."""
        keys: Keys = self.game.key(states)
        places, new = np.zeros(len(keys), dtype=np.int64), []
        for row, key in enumerate(keys):
            word = int(key[0]), int(key[1])
            if word not in self._places:
                self._places[word] = len(self._places)
                new.append(row)
            places[row] = self._places[word]
        self.states = np.concatenate([self.states, states[new]]) if len(self.states) else states[new]
        return places

    def steps(self, seat: int, other: Floats) -> tuple[Steps, Floats, Floats]:
        """The empirical process of one seat while the other plays a policy.

        Args:
            seat: The free seat.
            other: float64 [S, A], the other seat's probabilities at ``states``; zero rows where it does not act.

        Returns:
            The process, as exact models give it; float64 [S, A], how often the seat played each action; and float64
            [S, A], how probable the other's actions are that it never played there beside this one, so that nothing is
            known of what follows. Where the seat does not act, action 0 stands for all.
        """
        row, own, others, following = self._moves[:, 0], *self._moves[:, [1 + seat, 2 - seat]].T, self._moves[:, 3]
        acts = self.game.acting(self.states)
        own = np.where(acts[row, seat], own, 0)
        _, one, joint = np.unique(np.column_stack([row, own, others]), axis=0, return_index=True, return_inverse=True)
        joint = joint.reshape(-1)
        often = np.bincount(joint, weights=self._counts)[joint]
        plays = np.where(acts[row, 1 - seat], other[row, others], 1.0)
        weight = self.game.spec.discount * plays * self._counts / often
        visits = np.zeros(other.shape)
        np.add.at(visits, (row, own), self._counts)
        unseen = np.where(visits > 0, 1.0, 0.0)
        np.subtract.at(unseen, (row[one], own[one]), plays[one])
        going = following != ENDED
        start = np.bincount(self._starts, minlength=len(self)) / len(self._starts)
        return Steps(row[going], own[going], following[going], weight[going], start), visits, np.maximum(unseen, 0.0)


def bonuses(free: Bools, visits: Floats, scale: float, cap: float) -> Floats:
    """Optimism: ``scale * cap / sqrt(visits)`` where the seat acts, ``cap`` for actions never played.

    Args:
        free: bool [S, A] the seat's legal actions.
        visits: float64 [S, A].
        scale: The constant of the bonus.
        cap: The largest value.

    Returns:
        float64 [S, A].
    """
    optimism = np.minimum(cap, scale * cap / np.sqrt(np.maximum(visits, 1e-300)))
    return np.where(free, optimism, 0.0)
