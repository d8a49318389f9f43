"""A player for Kaggle's ConnectX: what an export writes at the end of ``submission.py``, after the numpy loader.

ConnectX (https://www.kaggle.com/c/connectx) gives an agent the board as a flat list, row by row from the top, with 0
for an empty cell and 1 or 2 for the first or second player's disc, and expects the number of a column, counted from 0.
The agent plays the most probable column, the lowest of equals; of a policy with tactics, one that wins at once or else
blocks, where there is one. ``agent`` must stay the last function of the file: that is how ConnectX finds it.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.loaders.folder import Policy, described, greedy, tensors

# --- the player ---------------------------------------------------------------------------------------------

BOARD = (0, 0, 0)  # rows, columns, and discs in a row that win; set at the end of an exported file
SEATS: dict[int, tuple[str, str]] = {}  # per mark: metadata, and compressed arrays in base 85; set there, too
TACTICS: tuple[int, ...] = ()  # the marks that win at once, or else block, by the rules, whatever the policy says
LOADED: dict[int, Policy] = {}


def unpacked(mark: int) -> Policy:
    """The policy of a player; unpacked once.

    Args:
        mark: the player's, 1 or 2.
    """
    if mark not in LOADED:
        about, numbers = SEATS[mark]
        LOADED[mark] = Policy(described(about.encode()), tensors(zlib.decompress(base64.b85decode(numbers))))
    return LOADED[mark]


def winning(own: Any, cells: Any) -> Any:
    """The columns in which a player's next disc completes a line.

    Args:
        own: bool [rows, columns] the player's discs.
        cells: int [rows, columns], 0 where a cell is empty.

    Returns:
        bool [columns]
    """
    rows, columns, k = BOARD
    wins = np.zeros(columns, dtype=np.bool_)
    for column in np.flatnonzero(cells[0] == 0):
        row = int((cells[:, column] == 0).sum()) - 1
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            length = 1
            for sign in (1, -1):
                y, x = row + sign * down, column + sign * right
                while 0 <= y < rows and 0 <= x < columns and own[y, x]:
                    length, y, x = length + 1, y + sign * down, x + sign * right
            wins[column] |= length >= k
    return wins


def agent(observation: Mapping[str, Any], configuration: Mapping[str, Any]) -> int:
    """The column to play.

    Args:
        observation: ``board``, a list of rows * columns cells, and ``mark``, the number of the player that is to move.
        configuration: ``rows``, ``columns`` and ``inarow``.

    Returns:
        A column that is not full, counted from 0.

    Raises:
        ValueError: The board is not the one that the policy was made for.
    """
    asked = (configuration["rows"], configuration["columns"], configuration["inarow"])
    if asked != BOARD:
        raise ValueError(f"this policy plays boards of {BOARD} (rows, columns, in a row), not of {asked}")
    cells = np.array(observation["board"], dtype=np.int64).reshape(1, *BOARD[:2])
    own = cells == observation["mark"]
    planes = np.stack([own, (cells != 0) & ~own], axis=1).astype(np.float32)
    probabilities = unpacked(int(observation["mark"]))(planes, cells[:, 0] == 0)
    if observation["mark"] in TACTICS:
        forced = winning(own[0], cells[0])
        if not forced.any():
            forced = winning((cells[0] != 0) & ~own[0], cells[0])
        kept = np.where(forced, probabilities, 0.0)
        probabilities = kept if kept.any() else np.where(forced.any(), forced, probabilities)
    return int(greedy(probabilities)[0].argmax())
