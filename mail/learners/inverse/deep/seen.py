"""What games show of the decision process that a seat faces: visits, and the transitions between own decisions.

The deep learners' counterpart of ``mail.learners.inverse.process``: n positions that were seen in games of the experts
or in own games against the other seat's expert, and A actions. What came next is an estimate from all of these games;
it is known of actions that were played, unless play was cut there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from torch import Tensor

from agents.network import tensor
from games.base import Bools, Floats, Game, Ints, Keys, Rng
from mail.data.decisions import Decisions
from mail.explore.process import SeatTransitions, clock


@dataclass(frozen=True)
class Estimate:
    """A decision process as it was seen."""

    observation: np.ndarray
    """float32 ``[n, *shape]``."""
    legal: Bools
    """[n, A]."""
    expert: Floats
    """[n, A] the expert's (discounted) visits; 1 in all."""
    own: Floats
    """[n, A] the visits of own games, likewise; 0 before the first."""
    once: float
    """The share of one own visit; 1 before the first."""
    known: Bools
    """[n, A] the actions of which it is known what came next."""
    kernel: csr_array
    """[n * A, n] the share of each next own decision after a known action, discounted; the rest ended the game."""

    def __len__(self) -> int:
        return len(self.legal)

    @property
    def visited(self) -> Floats:
        """[n] how often each position comes in both kinds of games, half each; 1 in all."""
        visits = self.expert.sum(1) + self.own.sum(1)
        return np.asarray(visits / visits.sum())


@dataclass(frozen=True)
class Batch:
    """b positions of an estimate for a gradient step, and those others that may follow them, m in all."""

    observation: Tensor
    """float32 ``[m, *shape]``, the b positions first."""
    legal: Tensor
    """bool [m, A]."""
    expert: Tensor
    """[b, A] the expert's visits, each over b times the probability that its position was drawn."""
    own: Tensor
    """[b, A] those of own games, likewise."""
    once: Tensor
    """[b] the share of one own visit, likewise."""
    known: Tensor
    """bool [b, A] the actions of which it is known what came next."""
    pair: Tensor
    """int64 [e] position * A + action of each transition."""
    row: Tensor
    """int64 [e] the row of the position that it leads to."""
    share: Tensor
    """[e] how often it does, discounted."""

    def __len__(self) -> int:
        return len(self.expert)

    def next(self, values: Tensor) -> Tensor:
        """The expected value of the next own decision.

        Args:
            values: [m].

        Returns:
            [b, A]; 0 where the game ends, or what follows is not known.
        """
        flat = values.new_zeros(self.expert.numel()).index_add(0, self.pair, self.share * values[self.row])
        return flat.view(self.expert.shape)


class Seen:
    """All games of one seat so far.

    Args:
        game: The game.
        seat: The seat.
    """

    def __init__(self, game: Game, seat: int) -> None:
        self.game, self.seat, self.actions = game, seat, game.spec.actions
        self._place: dict[tuple[int, int], int] = {}
        self.key: Keys = np.zeros((0, 2), np.uint64)
        self.observation = np.zeros((0, *game.spec.observation), np.float32)
        self.legal: Bools = np.zeros((0, self.actions), np.bool_)
        self._visits: dict[bool, list[tuple[Ints, Floats]]] = {True: [], False: []}
        self._edges: list[tuple[Ints, Ints, Floats]] = []
        self.games = 0

    def __len__(self) -> int:
        return len(self.key)

    def add(self, decisions: Decisions, *, expert: bool) -> None:
        """Add games.

        Args:
            decisions: Both seats' decisions.
            expert: Whether the seat's labels are demonstrations; if not, the seat's moves are its own.
        """
        found = SeatTransitions.of(self.game, decisions, self.seat)
        own, place = found.own, self._enter(found.own)
        weight = self.game.spec.discount ** clock(self.game, own.state).astype(np.float64)
        if expert:
            rows = np.flatnonzero(own.queried)
            shown = weight[rows, None] * own.label[rows]
            row, action = np.nonzero(shown)
            self._visits[True].append((place[rows[row]] * self.actions + action, shown[row, action]))
        else:
            self._visits[False].append((place * self.actions + own.played, weight))
            self.games += decisions.games
        told = (found.following >= 0) | own.ended[found.rows]
        pair = (place * self.actions + own.played)[found.rows[told]]
        share = self.game.spec.discount ** found.lasted[told].astype(np.float64)
        self._edges.append((pair, np.append(place, -1)[found.following[told]], share))

    def estimate(self) -> Estimate:
        """The process so far."""
        n, cells = len(self), self.legal.size
        pair, following, share = (np.concatenate(part) for part in zip(*self._edges, strict=True))
        times = np.bincount(pair, minlength=cells)
        going = following >= 0
        weight = share[going] / times[pair[going]]
        kernel = csr_array((weight, (pair[going], following[going])), shape=(cells, n))
        kernel.sum_duplicates()
        known = (times > 0).reshape(self.legal.shape)
        expert, own = self._total(True), self._total(False)
        visits = own.sum() or 1.0
        return Estimate(self.observation, self.legal, expert / expert.sum(), own / visits, 1.0 / visits, known, kernel)

    def _total(self, expert: bool) -> Floats:
        """[n, A] visits, of the experts' games or of own ones."""
        total = np.zeros(self.legal.size)
        for pair, weight in self._visits[expert]:
            total += np.bincount(pair, weights=weight, minlength=len(total))
        return total.reshape(self.legal.shape)

    def _enter(self, own: Decisions) -> Ints:
        """[R] the places of these positions, new ones included."""
        fresh: list[int] = []
        places = np.zeros(len(own), np.int64)
        for row, (first, second) in enumerate(own.key.tolist()):
            places[row] = self._place.setdefault((first, second), len(self._place))
            if places[row] == len(self) + len(fresh):
                fresh.append(row)
        new = own.take(np.array(fresh, np.int64))
        self.key = np.concatenate([self.key, new.key])
        self.observation = np.concatenate([self.observation, new.observation])
        self.legal = np.concatenate([self.legal, new.legal])
        return places


def batch_of(seen: Estimate, rows: Ints, chance: Floats, device: str = "cpu") -> Batch:
    """Positions of an estimate as a batch.

    Args:
        seen: The estimate.
        rows: [b] the positions.
        chance: [b] b times the probability that each was drawn; 1 if all were taken once.
        device: For torch.
    """
    actions = seen.legal.shape[1]
    entries = seen.kernel[(rows[:, None] * actions + np.arange(actions)).ravel()].tocoo()
    row = np.full(len(seen), -1, dtype=np.int64)
    row[rows] = np.arange(len(rows))
    beyond = np.unique(entries.col[row[entries.col] < 0])
    row[beyond] = len(rows) + np.arange(len(beyond))
    every = np.concatenate([rows, beyond])

    def scaled(values: Floats) -> Tensor:
        return tensor((values[rows] / chance[:, None]).astype(np.float32), device)

    return Batch(
        tensor(seen.observation[every], device),
        tensor(seen.legal[every], device),
        scaled(seen.expert),
        scaled(seen.own),
        tensor((seen.once / chance).astype(np.float32), device),
        tensor(seen.known[rows], device),
        tensor(entries.row.astype(np.int64), device),
        tensor(row[entries.col], device),
        tensor(entries.data.astype(np.float32), device),
    )


def drawn(seen: Estimate, size: int, chance: Floats, *, rng: Rng, device: str = "cpu") -> Batch:
    """A batch of positions, or all of them if they are no more than ``size``.

    Args:
        seen: The estimate.
        size: b.
        chance: [n] the probability that each position is drawn.
        rng: Draws them.
        device: For torch.
    """
    n = len(seen)
    if n <= size:
        return batch_of(seen, np.arange(n), np.ones(n), device)
    rows = rng.choice(n, size, p=chance)
    return batch_of(seen, rows, size * chance[rows], device)
