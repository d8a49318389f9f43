"""Both seats as one file for Kaggle's ConnectX: the numpy loader, a player around it, and the numbers as text.

The file needs numpy alone and reads no other file. ``agents.loaders.connectx`` says what the competition expects.
"""

from __future__ import annotations

import base64
import zlib
from importlib import resources

from agents.policy import PolicyError
from games.base import Game
from games.symmetry import board_behind

_PROGRAM = '\n\nif __name__ == "__main__":'  # from here on the loader is a program, which a submission is not
_PLAYER = "# --- the player"  # from here on the player needs nothing but the loader above it


def to_connectx(
    game: Game, seats: tuple[tuple[bytes, bytes], tuple[bytes, bytes]], tactics: tuple[bool, bool] = (False, False)
) -> bytes:
    """The contents of ``submission.py``.

    Args:
        game: The game that is played: a board on which discs fall.
        seats: Per seat, the metadata and the arrays of the folder form.
        tactics: Per seat, whether it wins at once or blocks by the rules, as ``agents.tactics`` does.

    Returns:
        The bytes of the file.

    Raises:
        PolicyError: The game is not one that ConnectX can be set to.
    """
    board = board_behind(game)
    if board is None or not board.gravity:
        raise PolicyError(f"ConnectX is played where discs fall, and {game.spec.name} is not; choose another form")
    packed = {
        mark: (about.decode(), base64.b85encode(zlib.compress(numbers, 9)).decode())
        for mark, (about, numbers) in enumerate(seats, start=1)
    }
    by_rules = tuple(mark for mark, wanted in enumerate(tactics, start=1) if wanted)
    parts = (
        f"# An agent for Kaggle's ConnectX: {game.spec.name}, learned and exported by nashmail. It needs numpy alone.",
        _source("folder").partition(_PROGRAM)[0],
        "import base64\nimport zlib\nfrom collections.abc import Mapping\n",
        _source("connectx").partition(_PLAYER)[2].partition("\n")[2],
        f"BOARD = {(board.rows, board.columns, board.k)}\nTACTICS = {by_rules!r}\nSEATS = {packed!r}\n",
    )
    return "\n".join(parts).encode()


def _source(loader: str) -> str:
    """The text of a loader."""
    return resources.files("agents.loaders").joinpath(f"{loader}.py").read_text(encoding="utf-8")
