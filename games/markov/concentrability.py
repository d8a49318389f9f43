"""Concentrability: how much more often a deviation visits a state than the experts do.

d is a distribution of visits: discounted and normalized, or of each step with a horizon; d^E is that of the expert
pair. A deviation is one seat's, against the other's expert (docs/algorithms.md, "Concentrability and bounds";
arXiv:2602.22810). State level: ``single_policy`` over best responses, ``all_policies`` over all deviations (variant B),
both exact. ``feature_level``: the same with second moments of features. The worst deviation is searched for, so the
result is attained by a deviation and comes with an upper bound. Ratios are maxima over states, with 0/0 = 0 and x/0 =
infinity. ``games.markov.bounds`` turns the coefficients into bounds on the Nash gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from games.base import Bools, Floats, GameError, Ints, Table
from games.markov.game import Linear
from games.markov.model import MarkovModel
from games.markov.transitions import LowRank
from games.progress import report

Profile = tuple[Table, Table]
_LARGEST = 1 << 26  # largest number of entries of an induced kernel
_ROOM = 1 << 22  # numbers in memory at a time, over many targets
_ZERO = 1e-12  # probabilities and squared lengths below this count as 0
_TIE = 1e-9  # action values within this, relative to the largest, are equal
_KEPT = 8  # directions that are pursued per round
_ROUNDS = 100  # of alternation between direction and deviation; a few suffice
VARIANTS = ("second-moment", "centred", "mean")


# --- state level -------------------------------------------------------------------------------------------


def single_policy(model: MarkovModel, profile: Profile, experts: Profile) -> float:
    """C(mu, nu): the worst ratio over all best responses to either seat's policy, ties included.

    With the experts as ``profile`` it is the quantity of the lower bounds.

    Args:
        model: The exact model.
        profile: [S, A] tables of seat 0 and seat 1, to which the other seat responds.
        experts: [S, A] tables of the experts.

    Raises:
        GameError: The game is too large.
    """
    seen = model.reach(experts)
    worst = 0.0
    for seat in (0, 1):
        values = model.respond(seat, profile[1 - seat]).action_values
        slack = _TIE * max(1.0, float(np.abs(values[np.isfinite(values)]).max()))
        best = values >= values.max(1, keepdims=True) - slack
        allowed = best & model.legal(seat)
        most = _Deviator(model, seat, profile[1 - seat], allowed).reachable()
        worst = max(worst, _worst_ratio(most.ravel(), seen))
    return worst


def all_policies(model: MarkovModel, experts: Profile) -> float:
    """C_max, variant B: the worst ratio over all deviations of one seat against the other's expert.

    Args:
        model: The exact model.
        experts: [S, A] tables of the experts.

    Raises:
        GameError: The game is too large.
    """
    seen = model.reach(experts)
    sides = (_Deviator(model, seat, experts[1 - seat], model.legal(seat)) for seat in (0, 1))
    return max(_worst_ratio(side.reachable().ravel(), seen) for side in sides)


# --- feature level -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Coefficient:
    """A feature-level coefficient: the value that a deviation attains, and an upper bound."""

    value: float
    """Attained by a deterministic deviation; the largest found by the search."""
    at_most: float
    """An upper bound over all deviations."""


def feature_level(
    model: MarkovModel,
    experts: Profile,
    *,
    linear: Linear | None = None,
    ridge: float = 0.0,
    variant: str = "second-moment",
) -> Coefficient:
    """C_phi, the larger of both seats' coefficients: how much more of a feature direction a deviation visits.

    For the imitated seat's features phi(s, a), with actions of its expert, Sigma = E[phi phi^T]: the largest eigenvalue
    of Sigma_E^(-1/2) Sigma_dev Sigma_E^(-1/2) over deviations of the *other* seat, in the worst step with a horizon.
    One-hot features without ridge give the worst ratio of state-action pairs.

    Args:
        model: The exact model.
        experts: [S, A] tables of the experts.
        linear: The features; the game's own by default.
        ridge: Added to both Sigmas, 0 or more.
        variant: ``second-moment``; ``centred`` subtracts the expert's mean feature in each state (the result is 0 for a
            deterministic expert); ``mean`` measures ``|E_dev phi|`` in the norm of Sigma_E^-1 instead.

    Raises:
        GameError: There are no features, an argument is invalid, or the game is too large.
    """
    features = linear or model.game.linear
    if features is None:
        raise GameError(f"{model.game.spec.name} has no features, which a feature-level coefficient needs")
    if variant not in VARIANTS:
        raise GameError(f"variant must be one of {', '.join(VARIANTS)}, not {variant!r}")
    if not ridge >= 0:
        raise GameError(f"the ridge must be 0 or more, not {ridge}")
    sides = [_one_side(model, experts, seat, features.features[seat], ridge, variant) for seat in (0, 1)]
    return Coefficient(max(side.value for side in sides), max(side.at_most for side in sides))


# --- parts -------------------------------------------------------------------------------------------------


class _Deviator:
    """One seat's decision process against a table of the other seat: K = left [steps, S, A, r] times right [r, S].

    For a kernel of low rank, r is that rank. For others the right factor is the identity and omitted.
    """

    def __init__(self, model: MarkovModel, seat: int, against: Table, allowed: Bools) -> None:
        """``allowed`` [positions, A] are the actions it may take; where there is none it does not act."""
        game = self.game = model.game
        own = game.rewards.shape[1 + seat]
        low_rank = game.transitions if isinstance(game.transitions, LowRank) else None
        if game.states * own * (len(low_rank.anchors) if low_rank else game.states) * model.layers > _LARGEST:
            raise GameError(f"{game.spec.name} is too large for exact coefficients: {game.states} states")
        joint = low_rank.features if low_rank else game.transitions.expect(np.eye(game.states))  # [S, A, B, r]
        form = "sabr,hsb->hsar" if seat == 0 else "sabr,hsa->hsbr"
        self.left = np.einsum(form, joint, model.strategies(1 - seat, against), optimize=True)
        self.right = low_rank.anchors if low_rank else None
        may = allowed[:, :own].reshape(model.layers, game.states, own).copy()
        may[~may.any(2), 0] = True
        self.may = may

    def best(self, rewards: Floats) -> tuple[Floats, Ints]:
        """The maximum of E[sum of (discounted) rewards] for ``rewards`` [T, steps, S], per target T, and actions
        [T, steps, S] that attain it.
        """
        steps, states, own = self.may.shape
        size = max(1, _ROOM // (states * max(self.left.shape[3], own, steps)))
        parts = [rewards[begin : begin + size] for begin in range(0, len(rewards), size)]
        solved = [self._endless(part[:, 0]) if self.game.horizon is None else self._backward(part) for part in parts]
        return np.concatenate([value for value, _ in solved]), np.concatenate([choice for _, choice in solved])

    def visits(self, choice: Ints) -> Floats:
        """[T, steps, S] the visits under choices [T, steps, S]."""
        mass = np.zeros(choice.shape)
        if self.game.horizon is None:
            for target, actions in enumerate(choice[:, 0]):
                mass[target, 0] = self._occupancy(actions)
            return mass
        states = np.arange(self.game.states)
        mass[:, 0] = self.game.initial
        for layer in range(1, choice.shape[1]):
            for target, actions in enumerate(choice[:, layer - 1]):
                moved = mass[target, layer - 1] @ self.left[layer - 1, states, actions]
                mass[target, layer] = self.game.spec.discount * (moved if self.right is None else moved @ self.right)
        return mass

    def reachable(self) -> Floats:
        """[steps, S] the largest number of visits of each position by any deviation."""
        steps, states = self.may.shape[:2]
        positions = steps * states
        most = np.zeros(positions)
        size = max(1, _ROOM // positions)
        for begin in range(0, positions, size):
            report(begin, positions, "positions", step="concentrability")
            part = np.arange(begin, min(begin + size, positions))
            target = np.zeros((len(part), positions))
            target[np.arange(len(part)), part] = 1.0
            most[part] = self.best(target.reshape(-1, steps, states))[0]
        return most.reshape(steps, states)

    def _occupancy(self, actions: Ints) -> Floats:
        """[S] the discounted visits under one choice of actions [S]."""
        start, discount = self.game.initial, self.game.spec.discount
        left = self.left[0, np.arange(len(start)), actions]  # [S, r]
        inner = np.eye(left.shape[1]) - discount * self._small(left).T
        entered = np.linalg.solve(inner, left.T @ start)
        return np.asarray(start + discount * (entered if self.right is None else entered @ self.right))

    def _small(self, left: Floats) -> Floats:
        """[..., r, r] the kernel of chosen actions [..., S, r]."""
        return left if self.right is None else np.asarray(self.right @ left)

    def _ahead(self, layer: int, values: Floats) -> Floats:
        """[T, S, A] the expected next value for values [T, S]; -inf for actions that are not allowed."""
        inner = values if self.right is None else values @ self.right.T  # [T, r]
        left = self.left[layer]
        ahead = (inner @ left.reshape(-1, left.shape[2]).T).reshape(len(values), *left.shape[:2])
        return np.where(self.may[layer], ahead, -np.inf)

    def _endless(self, rewards: Floats) -> tuple[Floats, Ints]:
        """Policy iteration for all targets at once, starting with the lowest allowed actions."""
        states, discount = np.arange(self.game.states), self.game.spec.discount
        targets = np.arange(len(rewards))[:, None]
        choice = np.broadcast_to(self.may[0].argmax(1), rewards.shape).copy()  # [T, S]
        slack = 1e-12 * np.maximum(np.abs(rewards).max(1), 1e-300)[:, None]
        while True:
            left = self.left[0][states, choice]  # [T, S, r]
            inner = np.eye(left.shape[2]) - discount * self._small(left)
            right = rewards if self.right is None else rewards @ self.right.T
            values = rewards + discount * (left @ np.linalg.solve(inner, right[..., None]))[..., 0]
            ahead = self._ahead(0, values)
            better = ahead.max(2) > ahead[targets, states, choice] + slack
            if not better.any():
                return values @ self.game.initial, choice[:, None]
            choice = np.where(better, ahead.argmax(2), choice)

    def _backward(self, rewards: Floats) -> tuple[Floats, Ints]:
        """Backward induction for all targets at once."""
        values = np.zeros((len(rewards), self.game.states))
        choice = np.zeros(rewards.shape, dtype=np.int64)
        for layer in reversed(range(rewards.shape[1])):
            ahead = self._ahead(layer, values)
            choice[:, layer] = ahead.argmax(2)
            values = rewards[:, layer] + self.game.spec.discount * ahead.max(2)
        return values @ self.game.initial, choice


def _worst_ratio(most: Floats, seen: Floats) -> float:
    """The largest ratio of the most visits to the experts' visits, over the same positions."""
    most, seen = np.where(most > _ZERO, most, 0.0), np.where(seen > _ZERO, seen, 0.0)
    if ((seen == 0) & (most > 0)).any():
        return float("inf")
    return float(np.divide(most, seen, out=np.zeros_like(most), where=seen > 0).max())


def _one_side(
    model: MarkovModel, experts: Profile, seat: int, features: Floats, ridge: float, variant: str
) -> Coefficient:
    """The coefficient of one imitated seat's features [S, A, d], under deviations of the other seat."""
    game = model.game
    table = experts[seat].reshape(model.layers, game.states, -1)  # [steps, S, A]
    phi = np.broadcast_to(features, (model.layers, *features.shape))
    if variant == "centred":
        phi = phi - np.einsum("hsa,hsad->hsd", table, phi)[:, :, None]
    deviator = _Deviator(model, 1 - seat, experts[seat], model.legal(1 - seat))
    seen = model.reach(experts).reshape(model.layers, game.states)
    most = deviator.reachable()
    lowest, highest = 0.0, 0.0
    for layer in range(model.layers):
        discount = game.spec.discount
        scale = 1.0 / model.span
        if game.horizon is not None:  # probabilities of this step; discount 0 leaves only the first
            scale = discount**-layer if discount else float(layer == 0)
        step = _Step(deviator, layer, scale, table[layer], phi[layer], ridge)
        side = step.means(seen[layer]) if variant == "mean" else step.moments(seen[layer])
        acts = table[layer].sum(1) > 0
        ratio = max(1.0, _worst_ratio(most[layer, acts], seen[layer, acts]))  # an upper bound on ratios of moments
        bound = min(side.at_most, float(np.sqrt(ratio)) if variant == "mean" else ratio)
        lowest, highest = max(lowest, side.value), max(highest, side.value, bound)
    return Coefficient(lowest, highest)


@dataclass(frozen=True)
class _Step:
    """The data of a coefficient at one time index."""

    deviator: _Deviator
    layer: int
    scale: float  # from visits to probabilities
    table: Floats  # [S, A] the imitated expert
    phi: Floats  # [S, A, d]
    ridge: float

    def moments(self, seen: Floats) -> Coefficient:
        """The largest eigenvalue, by alternating between the best deviation for a direction and the converse."""
        white = self._whitened(seen)
        if white is None:
            return Coefficient(np.inf, np.inf)
        if not white[0].shape[2]:
            return Coefficient(0.0, 0.0)  # features are zero at every visited state
        psi, extra = white  # [S, A, r] whitened features, [r, r] the ridge in these coordinates
        trace = self._best(np.einsum("sa,sar->s", self.table, psi**2)[None])[0][0] + np.trace(extra)
        state, action = np.nonzero(self.table > _ZERO)
        rows, weight = psi[state, action], self.table[state, action]  # [n, r] features of the expert's actions
        per_state = np.zeros((len(psi), len(rows)))  # [S, n] from rows to states
        per_state[state, np.arange(len(rows))] = weight
        directions = np.unique(np.round(rows / _length(rows), 12), axis=0)
        highest = 0.0
        for _ in range(_ROUNDS):
            gained, choice = self._best((directions @ rows.T) ** 2 @ per_state.T)
            kept = np.argsort(-gained, kind="stable")[:_KEPT]
            mass = self._visits(choice[kept])[:, state] * weight  # [T, n]
            ends = [np.linalg.eigh(rows.T @ (part[:, None] * rows) + extra) for part in mass]
            before, highest = highest, max(highest, *(float(size[-1]) for size, _ in ends))
            if highest <= before * (1.0 + 1e-10):
                break
            directions = np.stack([vectors[:, -1] for _, vectors in ends])
        return Coefficient(highest, max(highest, float(trace)))

    def means(self, seen: Floats) -> Coefficient:
        """|E phi| in the experts' norm, by the same alternation. E |phi| is an upper bound."""
        white = self._whitened(seen)
        if white is None:
            return Coefficient(np.inf, np.inf)
        if not white[0].shape[2]:
            return Coefficient(0.0, 0.0)  # features are zero at every visited state
        mean = np.einsum("sa,sar->sr", self.table, white[0])  # [S, r]
        bound = self._best(np.sqrt((mean**2).sum(1))[None])[0][0]
        directions = np.concatenate([mean, -mean])
        directions = directions / _length(directions)
        highest = 0.0
        for _ in range(_ROUNDS):
            gained, choice = self._best(directions @ mean.T)
            kept = np.argsort(-gained, kind="stable")[:_KEPT]
            reached = self._visits(choice[kept]) @ mean  # [T, r]
            before, highest = highest, max(highest, float(_length(reached).max()))
            if highest <= before * (1.0 + 1e-10):
                break
            directions = reached / _length(reached)
        return Coefficient(highest, max(highest, float(bound)))

    def _whitened(self, seen: Floats) -> tuple[Floats, Floats] | None:
        """Features in coordinates in which the experts' second moment (with the ridge) is 1, and the ridge in them.

        None if a deviation visits a direction that the experts never visit.
        """
        weight = (seen * self.scale)[:, None] * self.table
        sigma = np.einsum("sa,sad,sae->de", weight, self.phi, self.phi, optimize=True)
        sigma += self.ridge * np.eye(len(sigma))
        size, vectors = np.linalg.eigh(sigma)
        held = size > _ZERO * max(float(size[-1]), 1e-300)
        if not held.all():
            lost = np.einsum("sad,dr->sar", self.phi, vectors[:, ~held])
            outside = (lost**2).sum(2).max(1, initial=0.0, where=self.table > _ZERO)
            if (outside > 1e-9 * max(float((self.phi**2).max()), 1e-300)).any() and self._visited(outside):
                return None
        whiten = vectors[:, held] / np.sqrt(size[held])
        return self.phi @ whiten, self.ridge * whiten.T @ whiten

    def _visited(self, outside: Floats) -> bool:
        """Whether a deviation visits a state with a positive entry of ``outside`` [S]."""
        return bool(self._best(outside[None] > 1e-9 * outside.max())[0][0] > _ZERO)

    def _best(self, gained: Floats) -> tuple[Floats, Ints]:
        """The maximum of E[gained] [T, S] at this time index, and deviations that attain it."""
        rewards = np.zeros((len(gained), *self.deviator.may.shape[:2]))
        rewards[:, self.layer] = gained * self.scale
        return self.deviator.best(rewards)

    def _visits(self, choice: Ints) -> Floats:
        return self.deviator.visits(choice)[:, self.layer] * self.scale


def _length(rows: Floats) -> Floats:
    """[n, 1] the length of each row, at least a tiny positive number."""
    return np.asarray(np.maximum(np.sqrt((rows**2).sum(1, keepdims=True)), 1e-300))
