"""A refutation or a proof for one seat's greedy policy where the game is too large to enumerate.

The policy's own moves are fixed, so only the positions that its opponent can force have to be looked at: layer by
layer, every board once, the policy asked in batches. The walk ends with

- a line in which the policy gets less than the game is worth to it: refuted, and anybody can replay it. Without
  scores it is a shortest such line: the walk goes on to the first finished game that is not good enough. With a
  solver's scores it stops sooner, at the first move that gives value away, and the solver plays the opponent from
  there on;
- no position left: proven, no opponent can get more than the game's value;
- more positions than it was allowed: nothing is known.

A policy that treats mirror images alike is walked up to symmetry. A move within ``layers.SLACK`` of the most probable
one is followed as well, so that a proof does not hang on the last bits of a network, which differ between machines.
A line that fails only through such a move refutes nothing, and prevents the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from agents.policy import Greedy, Lifted, Policy
from agents.solver import VALUE
from games.base import Enumerable, Floats, Game, GameError, States
from games.symmetry import Quotient
from mail.evaluation.certificate.layers import Layer, Moves, Shared, expand_layer, first_layer
from mail.evaluation.refutation import Mistake
from mail.parallel.pool import Local, Pool

LIMIT = 10_000_000
"""Most positions a walk asks at unless told otherwise: an unbeatable policy on 6x7 can be led to some seven million."""
SHORT, SCORED = 100_000, 2_000
"""The same for the first walk of ``search``, and for its walk with scores, which are slow."""

Scorer = Callable[[Game, States], Floats]
"""[N, A] a solver's scores for the seat to move, -inf where illegal; their signs are the values of the moves."""


@dataclass(frozen=True)
class Certificate:
    """What is known about one seat's greedy policy; values are the seat's own."""

    seat: int
    refuted: bool | None
    """False is proven; None: nothing was found within the limit, which proves nothing."""
    value: float | None
    """What the policy gets: in the line, or, proven, against every opponent."""
    game_value: float
    line: tuple[int, ...]
    """Both seats' actions from the start to the end of the game; empty where there is none."""
    result: float | None
    """Seat 0's payoff of that line."""
    mistake: Mistake | None
    """The first move of the line that gives value away, where scores were at hand to tell."""
    positions: int
    """At which the policy was asked for its move."""
    rounding: bool = False
    """Whether a line was found that fails through a move within rounding of the preferred one."""
    exploitability: float | None = None
    """Of the policy as it is, drawing its moves: not known."""

    def as_dict(self) -> dict[str, Any]:
        """As ``nashmail exploit --json`` gives it."""
        return {
            "seat": self.seat,
            "refuted": self.refuted,
            "value": self.value,
            "game_value": self.game_value,
            "exploitability": self.exploitability,
            "line": list(self.line),
            "result": self.result,
            "mistake": self.mistake and self.mistake.as_dict(),
            "positions": self.positions,
            "rounding": self.rounding,
        }


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
) -> Certificate:
    """The verdict on the greedy version of ``policy`` in this seat, from the game's start or another one [1, W].

    ``game_value`` is what that start is worth to the seat; ``limit`` bounds the positions the policy is asked at,
    layer by layer through ``pool``.
    For turn-based games without chance whose only reward comes with the end. GameError for several starts.
    """
    walk = _Walk(game, policy, seat, game_value, scorer, pool or Local())
    return walk.run(game.starts() if start is None else start, limit)


class _Walk:
    """One walk: the layers so far, and what has been found."""

    def __init__(
        self, game: Enumerable, policy: Policy, seat: int, game_value: float, scorer: Scorer | None, pool: Pool
    ) -> None:
        self.real, self.pool = game, pool
        self.policy: Policy = policy
        self.game: Enumerable = game
        if isinstance(policy, Lifted):  # equivariant: one of all images will do
            self.game, self.policy = policy.quotient, policy.policy
        self.lifted = policy
        self.shared = Shared(self.policy, self.game, seat, game_value, told=scorer is not None)
        self.seat, self.game_value, self.scorer = seat, game_value, scorer
        self.sign = 1.0 - 2.0 * seat
        self.layers: list[Layer] = []
        self.positions = 0
        self.rounding = False

    def run(self, start: States, limit: int) -> Certificate:
        if len(start) != 1:
            raise GameError(f"{self.real.spec.name} has several starts; a line of play needs a single one")
        self.start = start
        states = self.game.canonical(start)[0] if isinstance(self.game, Quotient) else start
        layer = first_layer(states)
        while len(layer.states):
            self.layers.append(layer)
            if self.game.acting(layer.states[:1])[0, self.seat]:
                if self.positions + len(layer.states) > limit:
                    return self._unknown()
                self.positions += len(layer.states)
            found = expand_layer(self.pool, self.shared, layer)
            if self.scorer is not None and (line := self._first_mistake(layer, found.moves, self.scorer)):
                return self._refuted(line)
            if line := self._failed(found.short):
                return self._refuted(line)
            layer = found.after
        return self._unknown() if self.rounding else self._proven()

    # --- lines ---------------------------------------------------------------------------------------------

    def _line(self, moves: Moves) -> list[int]:
        """The actions on the board from the start to the first of these moves out of the last layer."""
        row, walked = int(moves.row[0]), [int(moves.action[0])]
        for layer in reversed(self.layers[1:]):
            walked.append(int(layer.led.action[row]))
            row = int(layer.led.row[row])
        walked.reverse()
        if not isinstance(self.game, Quotient):
            return walked
        state, line = self.start, []
        for action in walked:
            forward = self.game.to_canonical(self.game.canonical(state)[1])[0]  # [A] of an action on the board
            line.append(int(np.flatnonzero(forward == action)[0]))
            state = _after(self.real, state, line[-1])[0]
        return line

    def _holds(self, line: list[int]) -> bool:
        """Whether the greedy policy itself, asked position by position, makes its moves of this line."""
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
        """A line through the first strict one of these moves, all of which cost too much; None if there is none."""
        self.rounding |= bool((~moves.strict).any())
        for at in np.flatnonzero(moves.strict)[:1]:
            line = self._line(moves[at:])
            if self._holds(line):
                return line
            self.rounding = True
        return None

    def _first_mistake(self, layer: Layer, moves: Moves, scorer: Scorer) -> list[int] | None:
        """A whole line through a move of this layer that gives value away, if there is one; the solver opposes it."""
        if not len(moves.row):
            return None
        scored = scorer(self.game, layer.states)
        lost = np.flatnonzero(np.sign(scored[moves.row, moves.action]) < self.game_value)
        line = self._failed(moves[lost])
        return line and self._played_out(line, scorer)

    def _played_out(self, line: list[int], scorer: Scorer) -> list[int]:
        """The line to the end of the game: the policy's greedy moves, the solver's best against them."""
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
    """The first of the seat's moves in a line from ``start`` [1, W] that gives value away, by the scores."""
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
    limit: int = LIMIT,
    scorer: Scorer | None,
    pool: Pool | None = None,
) -> Certificate:
    """The verdict on a seat of a ``solvable`` game, found the quick way: a short walk without scores, since most
    policies lose soon; then one with scores, which sees the first mistake; then the whole walk up to the limit.
    """
    value = (1.0 - 2.0 * seat) * VALUE
    if value < 0:  # less than a loss there is not
        return Certificate(seat, False, value, value, (), None, None, 0)
    found = certify(game, policy, seat, game_value=value, limit=min(limit, SHORT), pool=pool)
    if found.refuted is None and scorer is not None:
        most = min(limit, SCORED)
        scored = certify(game, policy, seat, game_value=value, limit=most, scorer=scorer, pool=pool)
        found = scored if scored.refuted is not None else found
    if found.refuted is None and limit > SHORT:
        found = certify(game, policy, seat, game_value=value, limit=limit, pool=pool)
    if found.refuted and found.mistake is None and scorer is not None:
        found = replace(found, mistake=blame(game, game.starts(), seat, found.line, scorer))
    return found


def _after(game: Enumerable, state: States, action: int) -> tuple[States, bool, float]:
    """The position [1, W] after a move, whether the game is over, and seat 0's reward."""
    found = game.successors(state, np.where(game.acting(state), action, -1))
    return found.states, bool(found.done[0]), float(found.rewards[0])
