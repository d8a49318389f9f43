"""The decision process that a seat faces while the other seat plays a fixed policy, exactly, from a game's model.

Its states are the seat's own decisions. One step is an own action and everything until the next own decision: the other
seat's reply, chance, discounting (docs/algorithms.md, "The process a seat faces"). All adversarial and inverse learners
need the same two sweeps over it: expected visits forward, soft values backward.

Shapes: n own decisions that some own policy reaches, A actions. Rewards, policies and visits are [n, A], with 0 where
an action is illegal; visits are expected (discounted) numbers per game, not normalized.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array, eye_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from agents.policy import uniform_rows
from agents.tabular import Tabular
from games.base import Bools, Floats, Keys, Model, NashmailError, Rng, Steps, Table
from mail.clone.dataset import demonstrations
from mail.data.decisions import Decisions

_LARGEST = 20_000_000  # most moves of a process
_SETTLED = 1e-12  # changes of soft values below this, relative to the largest, are rounding
_SWEEPS = 200  # of soft policy iteration; it needs about ten
_GONE = 1e-15  # mass that is left between own decisions


@dataclass(frozen=True)
class Process:
    """A Markov decision process with known transitions and unknown rewards."""

    keys: Keys
    """uint64 [n, 2] the positions, as the seat can tell them apart; all distinct."""
    legal: Bools
    """[n, A]; every row has a legal action."""
    kernel: csr_array
    """[n * A, n] expected (discounted) number of next own decisions there, after an action at a position."""
    start: Floats
    """[n] expected number of first own decisions there, discounted."""
    endless: bool
    """Whether a position can come again, so that sweeps have no end."""
    queried: int = 0
    """Number of positions at which the other seat's policy has to be known."""

    def __post_init__(self) -> None:
        n, actions = self.legal.shape
        if self.kernel.shape != (n * actions, n) or self.start.shape != (n,) or self.keys.shape != (n, 2):
            raise ValueError(f"a process of {n} positions and {actions} actions has parts of other shapes")

    def __len__(self) -> int:
        return len(self.legal)

    @cached_property
    def _back(self) -> csr_array:
        """[n, n * A] the kernel's transpose, by rows."""
        return csr_array(self.kernel.T)

    @cached_property
    def depth(self) -> int:
        """The most own decisions of one game, if the process is not ``endless``."""
        pattern, reached, sweeps = self._back, self.start > 0, 0
        while reached.any() and sweeps <= len(self):
            reached = pattern @ np.repeat(reached, self.legal.shape[1]).astype(np.float64) > 0
            sweeps += 1
        return sweeps

    @cached_property
    def uniform(self) -> Floats:
        """[n, A] uniform play."""
        return uniform_rows(self.legal)

    def next(self, values: Floats) -> Floats:
        """The expected value of the next own decision.

        Args:
            values: [n].

        Returns:
            [n, A]; 0 where the game ends.
        """
        return np.asarray((self.kernel @ values).reshape(self.legal.shape))

    def flow(self, mass: Floats) -> Floats:
        """[n] where mass [n, A] on positions and actions goes in one step."""
        return np.asarray(self._back @ mass.ravel())

    # --- sweeps ------------------------------------------------------------------------------------------

    def visits(self, policy: Floats, source: Floats | None = None) -> Floats:
        """[n, A] expected visits of each action under a policy [n, A]: the solution of x = source + P_policy x.

        Args:
            policy: [n, A] probabilities.
            source: [n] mass that is put into each position, of any sign; the start by default.
        """
        source = self.start if source is None else source
        if self.endless:
            total = self._solve(policy, source, transposed=True)
        else:
            total, moving = source.copy(), source
            for _ in range(self.depth - 1):
                moving = self.flow(moving[:, None] * policy)
                total += moving
        return np.asarray(total[:, None] * policy)

    def values(self, policy: Floats, reward: Floats) -> Floats:
        """The expected sum of rewards from each position on.

        Args:
            policy: [n, A].
            reward: [n, A].

        Returns:
            [n].
        """
        earned = (policy * reward).sum(1)
        if self.endless:
            return self._solve(policy, earned, transposed=False)
        values = earned
        for _ in range(self.depth - 1):
            values = earned + (policy * self.next(values)).sum(1)
        return np.asarray(values)

    def soft(self, reward: Floats, temperature: float = 1.0) -> tuple[Floats, Floats]:
        """Soft value iteration: Q = r + E V', V = temperature log sum over legal a of exp(Q / temperature).

        Args:
            reward: [n, A] of each action, finite where legal.
            temperature: The weight of the causal entropy; 0 is ordinary value iteration.

        Returns:
            The action values Q [n, A], -inf where illegal, and the values V [n].
        """
        base = np.where(self.legal, reward, -np.inf)
        if not self.endless:
            values = np.zeros(len(self))
            for _ in range(self.depth):
                actions = base + self.next(values)
                values = soft_max(actions, temperature)
            return actions, values
        values = np.zeros(len(self))
        for _ in range(_SWEEPS):
            actions = base + self.next(values)
            change = soft_max(actions, temperature) - values
            if np.abs(change).max() <= _SETTLED * max(1.0, float(np.abs(values).max())):
                return actions, values
            values = values + self._solve(softmax(actions, temperature), change, transposed=False)
        raise NashmailError(f"soft values did not settle in {_SWEEPS} sweeps; lower the rewards or the discount")

    def _solve(self, policy: Floats, right: Floats, *, transposed: bool) -> Floats:
        """[n] the solution of x = right + P_policy x, or of its transpose."""
        n, actions = self.legal.shape
        rows = np.arange(n + 1) * actions
        chosen = csr_array((policy.ravel(), np.arange(n * actions), rows), shape=(n, n * actions))
        system = eye_array(n, format="csc") - (chosen @ self.kernel).tocsc()
        if n <= 500:
            full = system.toarray()
            return np.asarray(np.linalg.solve(full.T if transposed else full, right))
        return np.asarray(spsolve((system.T if transposed else system).tocsc(), right))

    # --- play --------------------------------------------------------------------------------------------

    @cached_property
    def _cumulated(self) -> Floats:
        """[E] the kernel's entries cumulated within each row, plus the number of the row."""
        within = np.cumsum(self.kernel.data)
        before = np.concatenate([[0.0], within])[self.kernel.indptr[:-1]]
        row = np.repeat(np.arange(self.kernel.shape[0]), np.diff(self.kernel.indptr))
        return np.asarray(row + np.minimum(within - before[row], 1.0 - 1e-12))

    def sample(self, rows: Any, actions: Any, *, rng: Rng) -> Any:
        """Draw the next own decisions.

        Args:
            rows: int64 [N] positions.
            actions: int64 [N].
            rng: Draws them.

        Returns:
            int64 [N]; -1 where the game has ended (or was discounted away).
        """
        place = rows * self.legal.shape[1] + actions
        entry = np.searchsorted(self._cumulated, place + rng.random(len(place)), side="right")
        inside = entry < self.kernel.indptr[place + 1]
        following = np.append(self.kernel.indices, -1)  # one more: a kernel may have no entry at all
        return np.where(inside, following[np.minimum(entry, len(following) - 1)], -1)


@dataclass(frozen=True)
class Demonstrated:
    """What demonstrations show of the expert of a process."""

    policy: Floats
    """[n, A] the mean label of each demonstrated position; 0 elsewhere."""
    visits: Floats
    """[n, A] expected visits of each action by that policy, under the process's own transitions. A game that comes to a
    position without a demonstration is lost from sight: nothing is known of the expert there.
    """

    @property
    def known(self) -> Bools:
        """[n] positions with a demonstration."""
        return np.asarray(self.policy.any(1))


def demonstrated(process: Process, decisions: Decisions, seat: int) -> Demonstrated:
    """The labels of a seat in its process.

    Visits are not counted but computed from the mean labels and the known transitions, which has no sampling noise but
    that of the labels (Rajaraman et al., arXiv:2009.05990, where transitions are known), also in endless games, of
    which play shows only the first steps.

    Args:
        process: The seat's.
        decisions: Decisions of either seat; those of ``seat`` with a label are used.
        seat: The seat.

    Raises:
        NashmailError: There are no labels.
    """
    labelled = demonstrations(decisions, seat)
    table = Tabular(labelled.key, labelled.distribution)
    known, row = table.find(process.keys)
    policy = np.zeros(process.legal.shape)
    policy[known] = table.table[row[known]]
    return of_policy(process, policy)


def of_policy(process: Process, policy: Floats) -> Demonstrated:
    """What demonstrations without end show of an expert.

    Args:
        process: The seat's decision process.
        policy: [n, A] the expert's probabilities; 0 where they are unknown.
    """
    return Demonstrated(policy, process.visits(policy))


# --- making ----------------------------------------------------------------------------------------------


def process_of(model: Model, seat: int, against: Table) -> Process:
    """The decision process of a seat of an enumerable game against the other seat's table.

    Args:
        model: The game's exact model.
        seat: The seat that decides.
        against: float64 [S, A], the other seat's policy.

    Raises:
        NashmailError: The seat cannot tell its positions apart, or there are too many.
    """
    actions, legal = model.game.spec.actions, model.legal(seat)
    if legal.size > _LARGEST:
        raise NashmailError(
            f"{model.game.spec.name} has too many positions for a table of each; choose another learner"
        )
    found = model.steps(seat, against)
    own = legal.any(1)
    reached = reached_rows(found)
    rows = np.flatnonzero(own & reached)
    place = np.full(len(legal), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    kernel, start = _between(found, own & reached, reached, place, len(rows), actions)
    keys = model.game.key(model.states[rows], seat)
    if len(np.unique(keys, axis=0)) != len(keys):
        raise NashmailError(f"{model.game.spec.name} comes to one position after different numbers of moves")
    queried = int((model.legal(1 - seat).any(1) & reached).sum())
    return Process(keys, legal[rows], kernel, start, endless(kernel), queried)


def reached_rows(steps: Steps) -> Bools:
    """Positions that some policy of the free seat reaches.

    Args:
        steps: What follows each move.

    Returns:
        [S].
    """
    reached, fresh = np.asarray(steps.start > 0), np.asarray(steps.start > 0)
    while fresh.any():
        following = np.zeros_like(reached)
        following[steps.following[fresh[steps.row]]] = True
        fresh = following & ~reached
        reached = reached | fresh
    return np.asarray(reached)


def _between(steps: Steps, own: Bools, reached: Bools, place: Any, n: int, actions: int) -> tuple[csr_array, Floats]:
    """The kernel from own decision to next own decision, and the start; mass passes others' decisions on the way."""
    positions = len(own)
    decides = own[steps.row]
    passing = reached[steps.row] & ~decides
    onwards = csr_array(
        (steps.weight[passing], (steps.row[passing], steps.following[passing])), shape=(positions, positions)
    )
    moves = place[steps.row[decides]] * actions + steps.action[decides]
    moving = csr_array((steps.weight[decides], (moves, steps.following[decides])), shape=(n * actions, positions))
    first = csr_array(steps.start[None, :])
    arrive = csr_array((np.ones(n), (np.flatnonzero(own), np.arange(n))), shape=(positions, n))
    elsewhere = csr_array((np.ones(int((~own).sum())), (np.flatnonzero(~own),) * 2), shape=(positions, positions))
    total = [part @ arrive for part in (moving, first)]
    rest = [part @ elsewhere for part in (moving, first)]
    while max(part.sum() for part in rest) > _GONE:
        rest = [part @ onwards for part in rest]
        total = [sofar + part @ arrive for sofar, part in zip(total, rest, strict=True)]
        rest = [part @ elsewhere for part in rest]
    kernel = csr_array(total[0])
    kernel.sum_duplicates()
    return kernel, np.asarray(total[1].toarray()[0])


def endless(kernel: csr_array) -> bool:
    """Whether a position can be reached from itself.

    Args:
        kernel: [n * A, n].
    """
    places, n = kernel.shape
    source = np.repeat(np.arange(places), np.diff(kernel.indptr)) // (places // n)
    graph = csr_array((np.ones(len(source)), (source, kernel.indices)), shape=(n, n))
    components, _ = connected_components(graph, connection="strong")
    return bool(components < n or graph.diagonal().any())


# --- soft maxima -----------------------------------------------------------------------------------------


def soft_max(actions: Floats, temperature: float) -> Floats:
    """temperature log sum over a of exp(Q / temperature).

    Args:
        actions: [n, A] Q, which may be -inf.
        temperature: 0 or more; 0 gives the maximum.

    Returns:
        [n].
    """
    top = actions.max(1)
    if temperature == 0:
        return np.asarray(top)
    return np.asarray(top + temperature * np.log(np.exp((actions - top[:, None]) / temperature).sum(1)))


def softmax(actions: Floats, temperature: float) -> Floats:
    """Probabilities proportional to exp(Q / temperature).

    Args:
        actions: [n, A] Q, which may be -inf.
        temperature: 0 or more; 0 gives all best actions with equal probability.

    Returns:
        [n, A].
    """
    if temperature == 0:
        return uniform_rows(actions >= actions.max(1, keepdims=True))
    weights = np.exp((actions - actions.max(1, keepdims=True)) / temperature)
    return np.asarray(weights / weights.sum(1, keepdims=True))
