"""An equilibrium in sequence form, by linear programming.

Source: Koller, Megiddo, von Stengel, "Fast algorithms for finding randomized strategies in game trees" (1994);
docs/algorithms.md, "Hidden information".

Seat 0 chooses a realization plan x that maximises its payoff against a best response of seat 1. That response is itself
a linear program. Its dual has a variable v for each of seat 1's information states, and one for the start. Together
they are one program: maximise v_start, subject to x being a plan and, for each sequence of seat 1, v of the information
state that it ends in being at most the payoff of x against it plus the v of the information states that follow it.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from games.base import Floats, GameError
from games.infosets.treeplex import Treeplex

_Method = Literal["highs", "highs-ipm"]
_EXACT = 1e-10  # feasibility, the least that HiGHS takes
SMALL = 8_000
"""Sequences of both seats up to which the simplex method takes a few seconds."""
MOST = 80_000
"""Sequences of both seats for which the program takes a minute or two: the 63,422 of Leduc poker with 30 ranks took 74
seconds, the 49,142 of liar's dice with one die each 4."""


def equilibrium(first: Treeplex, second: Treeplex, payoff: Any, name: str) -> tuple[Floats, Floats]:
    """Realization plans of both seats that are best responses to each other.

    Args:
        first: seat 0.
        second: seat 1.
        payoff: sparse float64 [Q of seat 0, Q of seat 1] seat 0's reward after each pair of sequences.
        name: the game's name, for messages.

    Returns:
        float64 [Q] of each seat.

    Raises:
        GameError: where the solver finds none.
    """
    if len(first) + len(second) > SMALL:
        return _solved(first, second, payoff, name, method="highs-ipm")
    return (
        _solved(first, second, payoff, name, method="highs")[0],
        _solved(second, first, -payoff.T.tocsr(), name, method="highs")[0],
    )


def _solved(own: Treeplex, other: Treeplex, payoff: Any, name: str, *, method: _Method) -> tuple[Floats, Floats]:
    """A plan of one seat that maximises its ``payoff`` [Q, Q of the other] against best responses, and that one."""
    from scipy.optimize import linprog
    from scipy.sparse import block_array, csr_array

    flow, answers = _constraints(own), _constraints(other)
    count, states = len(own), answers.shape[0]
    objective = np.zeros(count + states)
    objective[count] = -1.0  # v of the start
    whole = np.zeros(flow.shape[0])
    whole[0] = 1.0
    below: Any = csr_array(block_array([[-payoff.T, answers.T]]))
    equal: Any = csr_array(block_array([[flow, csr_array((flow.shape[0], states))]]))
    found = linprog(
        objective,
        A_ub=below,
        b_ub=np.zeros(len(other)),
        A_eq=equal,
        b_eq=whole,
        bounds=[(0.0, None)] * count + [(None, None)] * states,
        method=method,
        options={"primal_feasibility_tolerance": _EXACT, "dual_feasibility_tolerance": _EXACT},
    )
    if found.x is None:
        raise GameError(f"{name}: the linear program of its equilibrium was not solved: {found.message}")
    return np.maximum(found.x[:count], 0.0), np.maximum(-found.ineqlin.marginals, 0.0)


def _constraints(seat: Treeplex) -> Any:
    """Sparse [1 + I, Q] by which a vector is a plan: the empty sequence has weight 1, and the sequences of an
    information state share the weight of the one that leads there.
    """
    from scipy.sparse import csr_array

    infosets = np.arange(1, len(seat.parent) + 1)
    row = np.concatenate([[0], infosets, seat.infoset[1:] + 1])
    column = np.concatenate([[0], seat.parent, np.arange(1, len(seat))])
    amount = np.concatenate([[1.0], -np.ones(len(infosets)), np.ones(len(seat) - 1)])
    return csr_array((amount, (row, column)), shape=(len(infosets) + 1, len(seat)))
