"""A refutation or a proof for one seat's greedy policy where the game is too large to enumerate.

The policy's own moves are fixed, so only the positions that its opponent can force matter. They are visited layer by
layer, each board once, and the policy is queried in batches. The walk ends with

- a line in which the policy gets less than the game's value: refuted, and anyone can replay it. Without scores it is a
  shortest such line, because the walk stops at the first finished game with too low a payoff. With a solver's scores it
  stops sooner, at the first move that gives value away, and the solver plays the opponent from there on;
- no position left: proven, no opponent can get more than the game's value;
- the limit on positions: nothing is known.

The walk is up to symmetry if the policy treats mirror images alike. Moves within ``SLACK`` of the most probable
one are followed as well, so that a proof does not depend on the last bits of a network, which differ between machines.
A line that fails only through such a move refutes nothing, and prevents a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from agents.policy import Greedy, Lifted, Policy
from agents.solver import VALUE
from games.base import Enumerable, Floats, Game, GameError, States
from games.progress import report
from games.symmetry import Quotient, board_behind, canonical
from mail.data.drops import Seat, proves, walkable
from mail.evaluation.certificate.layers import Layer, Moves, Shared, expand_layer, first_layer
from mail.evaluation.refutation import Mistake, plain_verdict
from mail.parallel.pool import Local, Pool

LIMIT, MIRRORED_LIMIT = 10_000_000, 100_000_000
"""Default limits on the positions at which the policy is queried; the second one where mirror images and what is won at
once are left out (``mail.data.drops``), which takes a tenth of the time and little memory."""
SHORT, SCORED = 100_000, 2_000
"""The limits of the first walk of ``search``, and of its walk with scores, which are slow."""

Visitor = Callable[[States], None]
"""Is shown the positions [n, W] of each ply at which the policy is queried."""
Scorer = Callable[[Game, States], Floats]
"""[N, A] a solver's scores for the seat to move, -inf where illegal. Their signs are the values of the moves."""


@dataclass(frozen=True)
class Certificate:
    """What is known about one seat's greedy policy. Values are from that seat's view, in units of reward."""

    seat: int
    refuted: bool | None
    """False is a proof. None: no refutation within the limit, which proves nothing."""
    value: float | None
    """The policy's payoff: in the line, or, if proven, against every opponent."""
    game_value: float
    line: tuple[int, ...]
    """Both seats' actions from the start to the end of the game; empty if not refuted."""
    result: float | None
    """Seat 0's payoff in that line."""
    mistake: Mistake | None
    """The first move of the line that gives value away; None without scores."""
    positions: int
    """Number of positions at which the policy was queried."""
    rounding: bool = False
    """Whether a line failed through a move that is most probable only up to rounding."""
    exploitability: float | None = None
    """Of the stochastic policy: not known."""

    def as_dict(self) -> dict[str, Any]:
        """The dictionary that ``nashmail exploit --json`` prints."""
        return {**plain_verdict(self), "rounding": self.rounding}


def certify(
    game: Enumerable,
    policy: Policy,
    seat: int,
    *,
    game_value: float,
    limit: int = LIMIT,
    scorer: Scorer | None = None,
    start: States | None = None,
    pool: Pool | None = None,
    visit: Visitor | None = None,
) -> Certificate:
    """The verdict on the greedy version of a policy.

    Args:
        game: Turn-based, without chance, with its only reward at the end.
        policy: Queried layer by layer; walked up to symmetry if it is ``Lifted``.
        seat: The policy's seat.
        game_value: The value of the start for the seat.
        limit: Most positions at which the policy is queried.
        scorer: A solver's scores, if available.
        start: [1, W] where the walk starts; the game's start by default.
        pool: Expands the layers; this process by default.
        visit: Is shown the positions.

    Raises:
        GameError: The game has several starts, or is not of this kind.
    """
    walk = _Walk(game, policy, seat, game_value, scorer, pool or Local(), visit)
    return walk.run(game.starts() if start is None else start, limit)


class _Walk:
    """One walk: its layers so far, and its results."""

    def __init__(
        self,
        game: Enumerable,
        policy: Policy,
        seat: int,
        game_value: float,
        scorer: Scorer | None,
        pool: Pool,
        visit: Visitor | None,
    ) -> None:
        self.real, self.pool, self.visit = game, pool, visit
        self.policy: Policy = policy
        self.game: Enumerable = game
        self.quotient: Quotient | None = None
        if isinstance(policy, Lifted):  # equivariant: one of all images is enough
            self.game = self.quotient = policy.quotient
            self.policy = policy.policy
        self.lifted = policy
        self.shared = Shared(self.policy, self.game, seat, game_value, keep_moves=scorer is not None)
        self.seat, self.game_value, self.scorer = seat, game_value, scorer
        self.sign = 1.0 - 2.0 * seat
        self.layers: list[Layer] = []
        self.positions = 0
        self.rounding = False

    def run(self, start: States, limit: int) -> Certificate:
        if len(start) != 1:
            raise GameError(f"{self.real.spec.name} has several starts; a line of play needs a single one")
        self.start = start
        layer = first_layer(canonical(self.game, start))
        while len(layer.states):
            report(self.positions, limit, "positions", step="walk")
            self.layers.append(layer)
            if self.game.acting(layer.states[:1])[0, self.seat]:
                if self.positions + len(layer.states) > limit:
                    return self._unknown()
                self.positions += len(layer.states)
                if self.visit is not None:
                    self.visit(layer.states)
            expansion = expand_layer(self.pool, self.shared, layer)
            if self.scorer is not None and (line := self._first_mistake(layer, expansion.moves, self.scorer)):
                return self._refuted(line)
            if line := self._failed(expansion.short):
                return self._refuted(line)
            layer = expansion.after
        return self._unknown() if self.rounding else self._proven()

    # --- lines ---------------------------------------------------------------------------------------------

    def _line(self, moves: Moves) -> list[int]:
        """The actions on the board from the start to the first of these moves out of the last layer."""
        row, walked = int(moves.row[0]), [int(moves.action[0])]
        for layer in reversed(self.layers[1:]):
            walked.append(int(layer.origin.action[row]))
            row = int(layer.origin.row[row])
        walked.reverse()
        if self.quotient is None:
            return walked
        state, line = self.start, []
        for action in walked:
            forward = self.quotient.to_canonical(self.quotient.canonical(state)[1])[0]  # [A] of an action on the board
            line.append(int(np.flatnonzero(forward == action)[0]))
            state = _after(self.real, state, line[-1])[0]
        return line

    def _holds(self, line: list[int]) -> bool:
        """Whether the greedy policy itself, queried position by position, makes its moves of this line."""
        state, greedy = self.start, Greedy(self.lifted)
        for action in line:
            if (
                self.real.acting(state)[0, self.seat]
                and not greedy.probabilities(self.real, state, self.seat)[0, action]
            ):
                return False
            state = _after(self.real, state, action)[0]
        return True

    def _failed(self, moves: Moves) -> list[int] | None:
        """A line through the first strict one of these moves, all of which lose too much; None if there is none."""
        self.rounding |= bool((~moves.strict).any())
        for at in np.flatnonzero(moves.strict)[:1]:
            line = self._line(moves[at:])
            if self._holds(line):
                return line
            self.rounding = True
        return None

    def _first_mistake(self, layer: Layer, moves: Moves, scorer: Scorer) -> list[int] | None:
        """A whole line through a move of this layer that gives value away, if any; the solver plays the opponent."""
        if not len(moves.row):
            return None
        scored = scorer(self.game, layer.states)
        lost = np.flatnonzero(np.sign(scored[moves.row, moves.action]) < self.game_value)
        line = self._failed(moves[lost])
        return line and self._played_out(line, scorer)

    def _played_out(self, line: list[int], scorer: Scorer) -> list[int]:
        """The line continued to the end of the game: the policy's greedy moves against the solver's best ones."""
        state, done, greedy = self.start, False, Greedy(self.lifted)
        for action in line:
            state, done = _after(self.real, state, action)[:2]
        while not done:
            own = bool(self.real.acting(state)[0, self.seat])
            row = greedy.probabilities(self.real, state, self.seat) if own else scorer(self.real, state)
            line = [*line, int(row[0].argmax())]
            state, done = _after(self.real, state, line[-1])[:2]
        return line

    # --- verdicts ------------------------------------------------------------------------------------------

    def _refuted(self, line: list[int]) -> Certificate:
        state, result = self.start, 0.0
        for action in line:
            state, _, reward = _after(self.real, state, action)
            result += reward
        return Certificate(
            self.seat,
            True,
            self.sign * result + 0.0,
            self.game_value,
            tuple(line),
            result,
            None if self.scorer is None else blame(self.real, self.start, self.seat, line, self.scorer),
            self.positions,
            self.rounding,
        )

    def _proven(self) -> Certificate:
        return Certificate(self.seat, False, self.game_value, self.game_value, (), None, None, self.positions)

    def _unknown(self) -> Certificate:
        return Certificate(self.seat, None, None, self.game_value, (), None, None, self.positions, self.rounding)


def blame(game: Enumerable, start: States, seat: int, line: Sequence[int], scorer: Scorer) -> Mistake | None:
    """The first move of a seat in a line that gives value away.

    Args:
        game: The game.
        start: [1, W] where the line begins.
        seat: The seat.
        line: The actions of both seats.
        scorer: Scores moves.

    Returns:
        The move; None if no move does.
    """
    state = start
    for ply, action in enumerate(line):
        if game.acting(state)[0, seat]:
            values = np.sign(scorer(game, state)[0])
            if values[action] < values.max():
                keeps = tuple(int(other) for other in np.flatnonzero(values == values.max()))
                return Mistake(ply, action, float(values[action]), float(values.max()), keeps)
        state = _after(game, state, action)[0]
    return None


def search(
    game: Enumerable,
    policy: Policy,
    seat: int,
    *,
    limit: int | None = None,
    scorer: Scorer | None,
    pool: Pool | None = None,
) -> Certificate:
    """The verdict on a seat of a ``solvable`` game, by walks of increasing cost.

    First a short walk without scores, since most policies lose soon; then one with scores, which detects the first
    mistake; then the whole walk up to the limit.

    Args:
        game: See ``certify``, as for the others.
        policy: The policy.
        seat: Its seat.
        limit: Positions visited by the last walk, by default ``default_limit``.
        scorer: Scores moves; None to do without.
        pool: Expands layers; by default this process.
    """
    value = (1.0 - 2.0 * seat) * VALUE
    if value < 0:  # nothing is worse than a loss
        return Certificate(seat, False, value, value, (), None, None, 0)
    limit = limit or default_limit(game, policy)
    verdict = certify(game, policy, seat, game_value=value, limit=min(limit, SHORT), pool=pool)
    if verdict.refuted is None and scorer is not None:
        most = min(limit, SCORED)
        scored = certify(game, policy, seat, game_value=value, limit=most, scorer=scorer, pool=pool)
        verdict = scored if scored.refuted is not None else verdict
    if verdict.refuted is None and limit > SHORT:
        mirrored = _up_to_mirror_images(game, policy, seat, value, limit, pool or Local())
        verdict = mirrored or certify(game, policy, seat, game_value=value, limit=limit, pool=pool)
    if verdict.refuted and verdict.mistake is None and scorer is not None:
        verdict = replace(verdict, mistake=blame(game, game.starts(), seat, verdict.line, scorer))
    return verdict


def default_limit(game: Game, policy: Policy) -> int:
    """The limit on the positions of a walk where none is named.

    Args:
        game: The game.
        policy: The policy.
    """
    return MIRRORED_LIMIT if walkable(game, policy) else LIMIT


def _up_to_mirror_images(
    game: Enumerable, policy: Policy, seat: int, value: float, limit: int, pool: Pool
) -> Certificate | None:
    """A proof, or that the limit is too small for one, by the walk that leaves most positions out; None otherwise."""
    board = board_behind(game)
    if board is None or not walkable(game, policy):
        return None
    counts: list[int] = []
    found = proves(
        Seat(board, policy, seat, value), limit=limit, pool=pool, visit=lambda all_: counts.append(len(all_))
    )
    if found is False:
        return None
    refuted, payoff = (False, value) if found else (None, None)
    return Certificate(seat, refuted, payoff, value, (), None, None, sum(counts))


def _after(game: Enumerable, state: States, action: int) -> tuple[States, bool, float]:
    """The position [1, W] after a move, whether the game is over, and seat 0's reward."""
    outcome = game.successors(state, np.where(game.acting(state), action, -1))
    return outcome.states, bool(outcome.done[0]), float(outcome.rewards[0])
