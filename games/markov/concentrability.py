"""What learning from expert-expert play costs: how much more a deviation sees of a state than the experts show.

d is where mass is: discounted and normalised visits, or the distribution of each step with a horizon; d^E that of the
expert pair. Deviations are one seat's, against the other's expert (docs/algorithms.md, "Concentrability and bounds").
State level: ``single_policy`` over best responses, ``all_policies`` over every deviation (variant B), both exact.
``feature_level``: the same with second moments of features, of which the worst deviation is searched for: the result is
attained by a deviation, and comes with an upper bound. ``offline_bound`` and ``interactive_bound`` are certificates for
the Nash gap of a learned pair. Ratios are maxima over states, with 0/0 = 0 and x/0 = infinity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from games.base import Bools, Floats, GameError, Ints, Table
from games.markov.game import Linear
from games.markov.model import MarkovModel
from games.markov.transitions import LowRank

Profile = tuple[Table, Table]
_LARGEST = 1 << 26  # entries of an induced kernel that are worth holding
_ROOM = 1 << 22  # numbers held at a time while many targets are looked at
_ZERO = 1e-12  # probabilities and squared lengths below this are none
_TIE = 1e-9  # action values this close, relative to the largest, are equally good
_KEPT = 8  # directions that are followed up
_ROUNDS = 100  # of alternating between direction and deviation; a handful is needed
VARIANTS = ("second-moment", "centred", "mean")


# --- state level -------------------------------------------------------------------------------------------


def single_policy(model: MarkovModel, profile: Profile, experts: Profile) -> float:
    """C(mu, nu): the worst ratio over all best responses to either seat's policy, ties included.

    With ``profile`` the experts themselves this is the quantity of the lower bounds. GameError for games too large.
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
    """C_max, variant B: the worst ratio over every deviation of one seat against the other's expert."""
    seen = model.reach(experts)
    sides = (_Deviator(model, seat, experts[1 - seat], model.legal(seat)) for seat in (0, 1))
    return max(_worst_ratio(side.reachable().ravel(), seen) for side in sides)


# --- feature level -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Coefficient:
    """A feature-level coefficient, between what a deviation attains and what none can exceed."""

    value: float
    """Attained by a deterministic deviation; the largest found."""
    at_most: float
    """No deviation has more."""


def feature_level(
    model: MarkovModel,
    experts: Profile,
    *,
    linear: Linear | None = None,
    ridge: float = 0.0,
    variant: str = "second-moment",
) -> Coefficient:
    """C_phi, the larger of both seats': how much more of a direction in feature space a deviation sees.

    For the imitated seat's features phi(s, a), actions by its expert, Sigma = E[phi phi^T]: the largest eigenvalue of
    Sigma_E^(-1/2) Sigma_dev Sigma_E^(-1/2) over deviations of the *other* seat, the worst step with a horizon.
    ``ridge`` is added to both Sigmas. ``variant``: ``centred`` subtracts the expert's mean feature in each state (zero
    for a deterministic expert), ``mean`` measures ``|E_dev phi|`` in the norm of Sigma_E^-1 instead. One-hot features
    without ridge give the worst ratio of state-action pairs. GameError without features, or for games too large.
    """
    features = linear or model.game.linear
    if features is None:
        raise GameError(f"{model.game.spec.name} has no features to take a coefficient of")
    if variant not in VARIANTS:
        raise GameError(f"a feature-level coefficient is one of {', '.join(VARIANTS)}, not {variant!r}")
    if not ridge >= 0:
        raise GameError(f"a ridge is not negative, unlike {ridge}")
    found = [_one_side(model, experts, seat, features.features[seat], ridge, variant) for seat in (0, 1)]
    return Coefficient(max(side.value for side in found), max(side.at_most for side in found))


# --- certificates ------------------------------------------------------------------------------------------


def offline_bound(model: MarkovModel, learned: Profile, experts: Profile) -> float:
    """NashConv of ``learned`` is at most this: all-policy coefficient times what the pair gets wrong where experts go.

    (r_max - r_min) * span^2 * C_B * (E TV(mu, mu_E) + E TV(nu, nu_E)) over d^E, span = 1 / (1 - g) or the horizon.
    """
    coefficient = all_policies(model, experts)
    if not np.isfinite(coefficient):
        return coefficient  # nothing wrong where experts go says nothing of where they do not
    visits = model.reach(experts)
    wrong = sum(float(visits @ _apart(seat, learned, experts)) for seat in (0, 1))
    return _spread(model) * model.span * wrong * coefficient


def interactive_bound(model: MarkovModel, learned: Profile, experts: Profile) -> float:
    """NashConv of ``learned`` is at most this, without a coefficient: what it gets wrong where its best opponent goes.

    (r_max - r_min) * span^2 * (E TV(mu, mu_E) under (mu, br(mu)) + E TV(nu, nu_E) under (br(nu), nu)).
    """
    total = 0.0
    for seat in (0, 1):
        answer = model.respond(1 - seat, learned[seat]).policy
        pair = (learned[0], answer) if seat == 0 else (answer, learned[1])
        total += float(model.reach(pair) @ _apart(seat, learned, experts))
    return _spread(model) * model.span * total


# --- parts -------------------------------------------------------------------------------------------------


def _apart(seat: int, learned: Profile, experts: Profile) -> Floats:
    """[S] total variation between the seat's learned and expert distributions."""
    return np.asarray(np.abs(learned[seat] - experts[seat]).sum(1) / 2.0)


def _spread(model: MarkovModel) -> float:
    """r_max - r_min over the joint actions that can be played."""
    first, second = model.game.joint_legal()
    played = model.game.rewards[first[:, :, None] & second[:, None, :]]
    return float(played.max() - played.min())


class _Deviator:
    """One seat's decision process against a table of the other: K = left [steps, S, A, r] times right [r, S].

    For a kernel of low rank, r is that rank; for any other the right factor is the identity and left out.
    """

    def __init__(self, model: MarkovModel, seat: int, against: Table, allowed: Bools) -> None:
        """``allowed`` [positions, A] are the actions it may take; where it has none it rests."""
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
        """The most of E[sum of (discounted) rewards] for ``rewards`` [T, steps, S], per target T, and a choice
        [T, steps, S] of actions that earns it.
        """
        steps, states, own = self.may.shape
        size = max(1, _ROOM // (states * max(self.left.shape[3], own, steps)))
        parts = [rewards[begin : begin + size] for begin in range(0, len(rewards), size)]
        found = [self._endless(part[:, 0]) if self.game.horizon is None else self._swept(part) for part in parts]
        return np.concatenate([value for value, _ in found]), np.concatenate([choice for _, choice in found])

    def visits(self, choice: Ints) -> Floats:
        """[T, steps, S] visits under choices [T, steps, S]."""
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
        """[steps, S] the most visits that any deviation makes of each position."""
        steps, states = self.may.shape[:2]
        positions = steps * states
        most = np.zeros(positions)
        size = max(1, _ROOM // positions)
        for begin in range(0, positions, size):
            part = np.arange(begin, min(begin + size, positions))
            target = np.zeros((len(part), positions))
            target[np.arange(len(part)), part] = 1.0
            most[part] = self.best(target.reshape(-1, steps, states))[0]
        return most.reshape(steps, states)

    def _occupancy(self, actions: Ints) -> Floats:
        """[S] discounted visits under one choice of actions [S]."""
        start, discount = self.game.initial, self.game.spec.discount
        left = self.left[0, np.arange(len(start)), actions]  # [S, r]
        inner = np.eye(left.shape[1]) - discount * self._small(left).T
        entered = np.linalg.solve(inner, left.T @ start)
        return np.asarray(start + discount * (entered if self.right is None else entered @ self.right))

    def _small(self, left: Floats) -> Floats:
        """[..., r, r] of the chosen [..., S, r]."""
        return left if self.right is None else np.asarray(self.right @ left)

    def _ahead(self, layer: int, values: Floats) -> Floats:
        """[T, S, A] the expected next value for values [T, S]; -inf for actions that are not allowed."""
        inner = values if self.right is None else values @ self.right.T  # [T, r]
        left = self.left[layer]
        ahead = (inner @ left.reshape(-1, left.shape[2]).T).reshape(len(values), *left.shape[:2])
        return np.where(self.may[layer], ahead, -np.inf)

    def _endless(self, rewards: Floats) -> tuple[Floats, Ints]:
        """Policy iteration for every target at once, from the lowest allowed actions."""
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

    def _swept(self, rewards: Floats) -> tuple[Floats, Ints]:
        """Backward induction for every target at once."""
        values = np.zeros((len(rewards), self.game.states))
        choice = np.zeros(rewards.shape, dtype=np.int64)
        for layer in reversed(range(rewards.shape[1])):
            ahead = self._ahead(layer, values)
            choice[:, layer] = ahead.argmax(2)
            values = rewards[:, layer] + self.game.spec.discount * ahead.max(2)
        return values @ self.game.initial, choice


def _worst_ratio(most: Floats, seen: Floats) -> float:
    """The largest of most visits over the experts' visits, of the same positions."""
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
        if game.horizon is not None:  # probabilities of this step, which discount 0 leaves nothing of after the first
            scale = discount**-layer if discount else float(layer == 0)
        step = _Step(deviator, layer, scale, table[layer], phi[layer], ridge)
        side = step.means(seen[layer]) if variant == "mean" else step.moments(seen[layer])
        acts = table[layer].sum(1) > 0
        ratio = max(1.0, _worst_ratio(most[layer, acts], seen[layer, acts]))  # moments cannot differ by more
        bound = min(side.at_most, float(np.sqrt(ratio)) if variant == "mean" else ratio)
        lowest, highest = max(lowest, side.value), max(highest, side.value, bound)
    return Coefficient(lowest, highest)


@dataclass(frozen=True)
class _Step:
    """Everything that a coefficient at one time index needs."""

    deviator: _Deviator
    layer: int
    scale: float  # from visits to probabilities
    table: Floats  # [S, A] the imitated expert
    phi: Floats  # [S, A, d]
    ridge: float

    def moments(self, seen: Floats) -> Coefficient:
        """The largest eigenvalue: alternate between the best deviation for a direction and the direction for it."""
        white = self._whitened(seen)
        if white is None:
            return Coefficient(np.inf, np.inf)
        if not white[0].shape[2]:
            return Coefficient(0.0, 0.0)  # features that are zero wherever anybody goes
        psi, extra = white  # [S, A, r] whitened features, [r, r] the ridge there
        trace = self._best(np.einsum("sa,sar->s", self.table, psi**2)[None])[0][0] + np.trace(extra)
        state, action = np.nonzero(self.table > _ZERO)
        rows, weight = psi[state, action], self.table[state, action]  # [n, r] what the expert's actions look like
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
        """|E phi| in the experts' norm, the same way; no deviation has more than it has of E |phi|."""
        white = self._whitened(seen)
        if white is None:
            return Coefficient(np.inf, np.inf)
        if not white[0].shape[2]:
            return Coefficient(0.0, 0.0)  # features that are zero wherever anybody goes
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

        None if a deviation can see a direction that the experts never do.
        """
        weight = (seen * self.scale)[:, None] * self.table
        sigma = np.einsum("sa,sad,sae->de", weight, self.phi, self.phi, optimize=True)
        sigma += self.ridge * np.eye(len(sigma))
        size, vectors = np.linalg.eigh(sigma)
        held = size > _ZERO * max(float(size[-1]), 1e-300)
        if not held.all():
            lost = np.einsum("sad,dr->sar", self.phi, vectors[:, ~held])
            outside = (lost**2).sum(2).max(1, initial=0.0, where=self.table > _ZERO)
            if (outside > 1e-9 * max(float((self.phi**2).max()), 1e-300)).any() and self._comes_by(outside):
                return None
        whiten = vectors[:, held] / np.sqrt(size[held])
        return self.phi @ whiten, self.ridge * whiten.T @ whiten

    def _comes_by(self, outside: Floats) -> bool:
        """Whether a deviation visits a state that has anything ``outside`` [S]."""
        return bool(self._best(outside[None] > 1e-9 * outside.max())[0][0] > _ZERO)

    def _best(self, gained: Floats) -> tuple[Floats, Ints]:
        """Most of E[gained] [T, S] at this time index, and the deviations."""
        rewards = np.zeros((len(gained), *self.deviator.may.shape[:2]))
        rewards[:, self.layer] = gained * self.scale
        return self.deviator.best(rewards)

    def _visits(self, choice: Ints) -> Floats:
        return self.deviator.visits(choice)[:, self.layer] * self.scale


def _length(rows: Floats) -> Floats:
    """[n, 1] the length of each row, at least a tiny number."""
    return np.asarray(np.maximum(np.sqrt((rows**2).sum(1, keepdims=True)), 1e-300))
