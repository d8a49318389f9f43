"""Facts that OpenSpiel's games do not report: what their future depends on, and how long they can last.

An OpenSpiel state has no identity. It serializes its history, and its string and tensors may omit what matters later
(passes and repetition in Go, captures without progress in Checkers, the piece in hand in Amazons). Only a walk through
all histories could detect that from outside, and there are too many. So the adapter merges histories only in the games
listed here. Their states were checked in OpenSpiel's source and hold nothing else, and tests walk through every history
of small sizes of each. In any other game a position is the sequence of moves that led to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MERGEABLE = {
    "breakthrough": "the pieces; a win is a square they reach",
    "clobber": "the pieces",
    "connect_four": "the stones",
    "dots_and_boxes": "the lines and boxes with their owners; the score is their sum",
    "gomoku": "the stones",
    "havannah": "the stones, which determine the groups; a swap is possible at the second move only",
    "hex": "the stones, which determine the edges a group touches; a swap is possible at the second move only",
    "mnk": "the stones",
    "nim": "the piles",
    "tic_tac_toe": "the stones",
    "y": "the stones, which determine the groups",
}
"""What the states hold of games whose future follows from what they show: string, both tensors, mover, legal moves and
number of moves."""

_ONCE = ("dots_and_boxes", "hex")  # each action occurs at most once; the declared length omits some actions
_GAMES, _MOVES = 1000, 4000  # limits of the random games that test a declared length
_MARGIN = 8  # times the longest random game, where the declared length is too short


def is_mergeable(rules: Any) -> bool:
    """Whether what a game shows of a position determines its future, so that histories may be merged.

    Args:
        rules: a pyspiel game.
    """
    kind, within = rules.get_type().short_name, _within(rules)
    return kind in MERGEABLE or (kind == "misere" and within is not None and is_mergeable(within))


def fault(rules: Any) -> str | None:
    """Why a game cannot be used although OpenSpiel loads it: a bug of OpenSpiel that would end the process.

    Args:
        rules: a pyspiel game.

    Returns:
        The reason; None if it can be used.
    """
    if (within := _within(rules)) is not None:
        return fault(within)
    facts = rules.get_parameters()
    if rules.get_type().short_name != "hex" or facts["num_rows"] == facts["num_cols"]:
        return None
    for word in ("swap", "plain_obs_tensor"):
        if facts[word]:
            return f"has {word} on a board that is not square, where OpenSpiel writes outside its memory"
    return None


def _within(rules: Any) -> Any:
    """The pyspiel game that another one wraps; None where it wraps none."""
    import pyspiel

    facts = rules.get_parameters().get("game")
    if not isinstance(facts, dict):
        return None
    facts = dict(facts)
    return pyspiel.load_game(facts.pop("name"), facts)


def most_moves(rules: Any) -> int:
    """An upper bound on the moves of one game: the length that OpenSpiel declares, or more where that is too short.

    Some declared lengths are wrong (a swap forgotten, rows taken for columns, passes not counted). For the games of
    ``MERGEABLE`` the bound is known. For others, fixed random games test it: if one is longer than half the bound, the
    bound grows by half; if one is longer than the bound, it becomes a multiple of the longest.

    Args:
        rules: a pyspiel game.
    """
    declared, within = int(rules.max_game_length()), _within(rules)
    if is_mergeable(rules):
        once = (within or rules).get_type().short_name in _ONCE
        return max(declared, int(rules.num_distinct_actions())) if once else declared
    seen = _longest_played(rules)
    if seen > declared:
        return _MARGIN * seen
    return declared + declared // 2 if seen > declared // 2 else declared


def _longest_played(rules: Any) -> int:
    """The length of the longest of some random games. The last game may be cut short by the limit on moves."""
    rng = np.random.default_rng(0)
    longest = moves = 0
    for _ in range(_GAMES):
        if moves == _MOVES:
            break
        state, length = rules.new_initial_state(), 0
        while not state.is_terminal() and moves < _MOVES:
            legal = state.legal_actions()
            if not legal:
                break
            length, moves = length + (not state.is_chance_node()), moves + 1
            state.apply_action(legal[rng.integers(len(legal))])
        longest = max(longest, length)
    return longest
