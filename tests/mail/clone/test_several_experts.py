"""Several experts cloned together: the mean label of a position is not the mixture of the experts."""

from __future__ import annotations

import numpy as np
import pytest

from agents.policy import Uniform, tabulate, uniform_rows
from games.base import Table
from mail.evaluation.gap import exploitability
from tests.support import graph

MODEL = graph("tictactoe")


def expert(seat: int, *, last: bool) -> Table:
    """An equilibrium policy: an optimal move wherever an opponent can lead it, uniform play elsewhere."""
    values = MODEL.solve()[seat].action_values
    best = np.isfinite(values) & (values == values.max(1, keepdims=True))
    if last:
        best &= best[:, ::-1].cumsum(1)[:, ::-1] == 1
    else:
        best &= best.cumsum(1) == 1
    other = tabulate(MODEL, Uniform(), 1 - seat)
    own = uniform_rows(best)
    reach = MODEL.reach((own, other) if seat == 0 else (other, own))
    return np.where(reach[:, None] > 0, own, uniform_rows(MODEL.legal(seat)))


@pytest.mark.parametrize("seat", [0, 1])
def test_the_average_by_position_of_two_equilibria_can_be_exploited(seat: int) -> None:
    """Each cannot, and so no mixture that draws one of them per game; the mean at every position leaves one expert's
    path for the other's and meets positions that only one of them knows.
    """
    first, last = expert(seat, last=False), expert(seat, last=True)
    assert exploitability(MODEL, first, seat) == exploitability(MODEL, last, seat) == 0.0
    assert exploitability(MODEL, (first + last) / 2, seat) > 0.1
