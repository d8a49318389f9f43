"""Small boards, whole and up to their mirror image, on which two ways to build the same graph are compared."""

from __future__ import annotations

BOARDS = (
    "tictactoe",
    "tictactoe:2x2:2",
    "tictactoe:3x4:3",
    "tictactoe:1x9:3",
    "connect4:3x4",
    "connect4:3x3:3",
    "connect4:5x3:3",
    "connect4:4x4",
    "connect4:15x2:2",  # all 32 bits of a word
    "quotient:connect4:3x4",
    "quotient:connect4:5x3:3",
    "quotient:connect4:4x4",
)
