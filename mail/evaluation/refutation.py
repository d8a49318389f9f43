"""A refutation of a policy: a line of play that anyone can replay, in which it gets less than the value of the game.

The policy plays its greedy moves and the opponent a best response to them, so on an enumerated graph the outcome is the
worst possible for the greedy policy. If it is no worse than the game's value, the greedy policy is proven
unexploitable; the stochastic policy may still be exploitable (see ``mail.evaluation.gap``).

For graphs with a single start: a line is a list of actions from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.policy import Policy, greedy_rows, tabulate
from games.base import Enumerable, GameError, Ints, Response, States, Table
from games.graph import GameGraph
from mail.evaluation.gap import exploitability


@dataclass(frozen=True)
class Mistake:
    """The first move of a line by which the policy gives value away."""

    ply: int
    """Its index in the line, from 0."""
    played: int
    left: float
    """The value of the position for the seat after the move, under perfect play."""
    kept: float
    """The value before it."""
    keeps: tuple[int, ...]
    """The moves that would have kept the value."""

    def as_dict(self) -> dict[str, Any]:
        """The dictionary that ``nashmail exploit --json`` prints."""
        return {"ply": self.ply, "played": self.played, "keeps": list(self.keeps)}


@dataclass(frozen=True)
class Verdict:
    """What is known about one seat's policy. Values are from that seat's view, in units of reward."""

    seat: int
    refuted: bool
    """False is a proof: greedy play gets at least the game's value against every opponent."""
    value: float
    """The payoff of the greedy policy against its best opponent."""
    game_value: float
    exploitability: float
    """Of the stochastic policy."""
    line: tuple[int, ...]
    """Both seats' actions in a shortest line with payoff ``value``. Empty if not refuted."""
    result: float | None
    """Seat 0's payoff in that line."""
    mistake: Mistake | None
    positions: int
    """Number of positions of the model, all of which the proof covers."""

    def as_dict(self) -> dict[str, Any]:
        """The dictionary that ``nashmail exploit --json`` prints."""
        return plain_verdict(self)


def plain_verdict(verdict: Any) -> dict[str, Any]:
    """What verdicts of all kinds say, in plain types.

    Args:
        verdict: A ``Verdict``, or a certificate.
    """
    keys = ("seat", "refuted", "value", "game_value", "exploitability", "line", "result", "mistake", "positions")
    mistake: Mistake | None = verdict.mistake
    said = {key: getattr(verdict, key) for key in keys}
    return said | {"line": list(verdict.line), "mistake": mistake and mistake.as_dict()}


def refute(model: GameGraph, policy: Policy, seat: int) -> Verdict:
    """The verdict on one seat's policy, over all positions of the model.

    Args:
        model: The game's graph.
        policy: The policy; it is queried at every position of its seat.
        seat: 0 or 1.

    Raises:
        GameError: The game has several starts.
    """
    if len(model.roots) != 1:
        raise GameError(f"{model.game.spec.name} has several starts; a line of play needs a single one")
    sign = 1.0 - 2.0 * seat
    table = tabulate(model, policy, seat)
    greedy = greedy_rows(table)
    response = model.respond(1 - seat, greedy)
    value, game_value = sign * response.value + 0.0, sign * model.solve()[0].value + 0.0  # + 0.0: never -0.0
    lost = exploitability(model, table, seat)
    if value >= game_value:
        return Verdict(seat, False, value, game_value, lost, (), None, None, len(model))
    rows, line = _walk(model, _shortest(model, response, greedy))
    result = float(model.reward[rows, line].sum())
    mistake = _first_mistake(model, seat, rows, line)
    return Verdict(seat, True, value, game_value, lost, tuple(line), result, mistake, len(model))


def replay(game: Enumerable, line: tuple[int, ...]) -> list[States]:
    """The positions of a line, before and after each move.

    Args:
        game: The game.
        line: Actions from its start.

    Returns:
        States [W], one more than moves.

    Raises:
        GameError: A move is illegal.
    """
    states = [game.starts()[0]]
    for action in line:
        moves = np.where(game.acting(states[-1][None]), action, -1)
        states.append(game.successors(states[-1][None], moves).states[0])
    return states


def _shortest(model: GameGraph, response: Response, greedy: Table) -> Ints:
    """[S] the move at every position that ends the game soonest. The responding seat chooses among its best actions,
    the other seat plays its greedy one. Ties go to the lowest action.
    """
    left = np.zeros(len(model) + 1)  # [S + 1] plies to the end; the last one, index -1, stays 0
    choice = np.zeros(len(model), dtype=np.int64)
    for block in reversed(model.blocks):
        if block.seat == response.seat:
            own = response.action_values[block.rows]
            wanted = own == own.max(1, keepdims=True)
        else:
            wanted = greedy[block.rows] > 0
        plies = np.where(wanted, 1.0 + left[model.successor[block.rows]], np.inf)
        choice[block.rows] = plies.argmin(1)
        left[block.rows] = plies.min(1)
    return choice


def _walk(model: GameGraph, choice: Ints) -> tuple[list[int], list[int]]:
    """The rows that a game with these choices visits, and the action at each."""
    rows, line = [int(model.roots[0])], [int(choice[model.roots[0]])]
    while (successor := int(model.successor[rows[-1], line[-1]])) >= 0:
        rows.append(successor)
        line.append(int(choice[successor]))
    return rows, line


def _first_mistake(model: GameGraph, seat: int, rows: list[int], line: list[int]) -> Mistake | None:
    """The seat's first move that is not optimal against perfect play."""
    for ply, (row, played) in enumerate(zip(rows, line, strict=True)):
        own = model.solve()[seat].action_values[row]  # [A]; -inf at the other seat's positions
        if own[played] < (kept := own.max()):
            keeps = tuple(int(action) for action in np.flatnonzero(own == kept))
            return Mistake(ply, played, float(own[played]) + 0.0, float(kept) + 0.0, keeps)
    return None
