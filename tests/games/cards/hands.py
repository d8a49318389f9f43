"""OpenSpiel's poker games hand by hand, with the same hand in ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.support import game, move

RULES = {"kuhn": ("kuhn_poker", 1), "leduc": ("leduc_poker", 2)}
"""OpenSpiel's game, and the cards of each rank in its deck."""


def openspiel_hands(name: str) -> Iterator[tuple[Any, Any, float]]:
    """Every history but those of chance to move: OpenSpiel's state, ours [1, 4], what seat 0 has won with it here."""
    pyspiel = pytest.importorskip("pyspiel")
    poker, (rules, suits) = game(name), RULES[name]

    def walk(theirs: Any, ours: Any, won: float) -> Iterator[tuple[Any, Any, float]]:
        if theirs.is_chance_node():
            for card, _ in theirs.chance_outcomes():
                dealt = ours.copy()
                dealt[0, int((ours[0, :2] >= 0).sum())] = card // suits  # the two hands, then the public card
                yield from walk(theirs.child(card), dealt, won)
            return
        yield theirs, ours, won
        for action in () if theirs.is_terminal() else theirs.legal_actions():
            found = poker.successors(ours, move(theirs.current_player(), action))
            yield from walk(theirs.child(action), found.states[:1], float(found.rewards[0]))

    yield from walk(pyspiel.load_game(rules).new_initial_state(), np.array([[-1, -1, -1, 0]]), 0.0)
