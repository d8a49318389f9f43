"""The keys of the full screen, and the page that lists them."""

from __future__ import annotations

from textwrap import wrap

from rich.text import Text

from mail.terminal.boards import Canvas, View, styled

MOVES = {
    "left": (0, -1),
    "right": (0, 1),
    "up": (-1, 0),
    "down": (1, 0),
    "h": (0, -1),
    "l": (0, 1),
    "k": (-1, 0),
    "j": (1, 0),
}
"""Rows down and columns right that a key moves the cursor."""
WIDE = 70
"""Columns from which on descriptions of keys stand in a column."""
GAME_KEYS = "?qauwrsotmhjkl "
"""Characters that mean something in a game, so that no word of a game's is called by them."""


def help_pages(display: View, canvas: Canvas) -> list[list[Text]]:
    """Every key and what it does, on as many pages as the terminal needs.

    Args:
        display: The names of actions.
        canvas: The terminal.

    Returns:
        The lines of each page.
    """
    noun = display.noun
    rows = [
        (
            "arrows, h l k j",
            "move the cursor" if not display.names else "move the cursor, or make the move of that name",
        ),
        ("Enter, space", f"choose the {noun} under the cursor"),
        ("1 2 3 ...", f"choose a {noun} by its number"),
        ("mouse", f"a click chooses a {noun}"),
        ("t", "hint: what an expert would play, and why"),
        ("a", "analysis on and off: values, probabilities, verdicts"),
        ("u", "take back your last move and the reply"),
        ("s", "change seats with the opponent; after the game, play again so"),
        ("r", "resign (asks first); after the game, a rematch"),
        ("m", "after the game: find better moves where you went wrong"),
        ("o", "after the game: another opponent"),
        ("w", "write the game to a file, now and after every further move"),
        ("Ctrl-Z", "suspend; fg continues"),
        ("q, Ctrl-C", "quit"),
    ]
    lines: list[Text] = []
    for key, does in rows:
        start, hang = (key.ljust(17), 17) if canvas.width >= WIDE else (f"{key}  ", 2)
        first, *rest = wrap(start + does, canvas.width, subsequent_indent=" " * hang)
        lines.append(styled(first[: len(key)], "bold").append(first[len(key) :]))
        lines += map(Text, rest)
    room = canvas.height - 2
    parts = [lines[start : start + room] for start in range(0, len(lines), room)]
    feet = ["any key: more"] * (len(parts) - 1) + ["any key: back"]
    return [[styled("Keys", "bold"), *part, Text(foot, style="dim")] for part, foot in zip(parts, feet, strict=True)]
