"""What OpenSpiel's games do not say of themselves: what their future depends on, and how long they can last.

A state of OpenSpiel tells no identity: what it serializes is its history, and its picture and tensors may leave out
what decides later (passes and repetition in Go, captures without progress in Checkers, the piece in hand in Amazons).
Nothing short of every history can find that out from outside, and there are too many. So histories are merged only
in the games listed here, whose states were read in OpenSpiel's source and hold nothing else; tests walk through
every history of small sizes of each. In any other game a position is the moves that led to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SHOWN = {
    "breakthrough": "the pieces; a win is a place they reach",
    "clobber": "the pieces",
    "connect_four": "the stones",
    "dots_and_boxes": "the lines and boxes with their owners, of which the points are the sum",
    "gomoku": "the stones",
    "havannah": "the stones, how groups are joined follows from them; a swap is for the second move alone",
    "hex": "the stones, which edges a group reaches follows from them; a swap is for the second move alone",
    "mnk": "the stones",
    "nim": "the piles",
    "tic_tac_toe": "the stones",
    "y": "the stones, how groups are joined follows from them",
}
"""Games whose future follows from what is shown (picture, both tensors, mover, legal moves, number of moves): what
their states hold."""

_ONCE = ("dots_and_boxes", "hex")  # every action at most once; what they declare forgets some of the actions
_GAMES, _MOVES = 1000, 4000  # most random games, and moves in all of them, by which a declared length is tried
_MARGIN = 8  # times the longest of them, where they show that what is declared is too short


def shown_is_all(rules: Any) -> bool:
    """Whether what this pyspiel game shows of a position decides its future."""
    kind, within = rules.get_type().short_name, _within(rules)
    return kind in SHOWN or (kind == "misere" and within is not None and shown_is_all(within))


def fault(rules: Any) -> str | None:
    """Why a game cannot be used although OpenSpiel makes it: a fault of OpenSpiel's that would end the process."""
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
    """The pyspiel game that another one changes; None where there is none."""
    import pyspiel

    facts = rules.get_parameters().get("game")
    if not isinstance(facts, dict):
        return None
    facts = dict(facts)
    return pyspiel.load_game(facts.pop("name"), facts)


def most_moves(rules: Any) -> int:
    """The most moves of a game: what OpenSpiel declares, or more where that is too short.

    Declared lengths are wrong in places (a swap forgotten, rows taken for columns, passes not counted). For the games
    of ``SHOWN`` the bound is known; elsewhere a few random games try it, always the same ones. Where one of them
    outlasts half of it the bound is widened by half, where one outlasts it, to a multiple of the longest.
    """
    declared, within = int(rules.max_game_length()), _within(rules)
    if shown_is_all(rules):
        once = (within or rules).get_type().short_name in _ONCE
        return max(declared, int(rules.num_distinct_actions())) if once else declared
    seen = _longest_played(rules)
    if seen > declared:
        return _MARGIN * seen
    return declared + declared // 2 if seen > declared // 2 else declared


def _longest_played(rules: Any) -> int:
    """The length of the longest of some random games; games that the moves run out for count as far as they went."""
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
            state.apply_action(legal[rng.integers(len(legal))])
            length, moves = length + 1, moves + 1
        longest = max(longest, length)
    return longest
