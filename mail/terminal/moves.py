"""What the terminal says about moves: the choices of a prompt, the table of analysis, the list of commands.

Pure functions, as in ``boards``. Moves count from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.text import Text

from games.base import Bools, Floats, Ints
from mail.terminal.boards import Canvas, View, styled
from mail.terminal.layout import wrapped


def ranges(numbers: list[int]) -> str:
    """Ascending numbers in short form: ``1-3 5 7-9``.

    Args:
        numbers: Without repetition.
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def listed(names: Sequence[str]) -> str:
    """Words for a prompt, those of illegal actions left out.

    Args:
        names: Of all actions; empty for illegal ones.
    """
    said = [name for name in names if name]
    return (", " if any(" " in name for name in said) else " ").join(said)


_LISTED = 56
"""Most characters of words that are listed on the line of a prompt."""


def choices(display: View, legal: Sequence[int]) -> str:
    """The legal actions for a prompt: words, or numbers where the words are too long or there are none.

    Args:
        display: The names of actions.
        legal: The legal actions, ascending.
    """
    words = listed([display.names[action] for action in legal]) if display.names else ""
    numbers = f"{display.noun} {ranges([action + 1 for action in legal])}"
    if not words:
        return numbers
    return words if len(words) <= _LISTED else f"{words[:_LISTED].rpartition(' ')[0].rstrip(',')} ... ({numbers})"


@dataclass(frozen=True)
class MoveAnalysis:
    """What is known about the moves of a position. Arrays are [A], None if unknown."""

    legal: Bools
    probability: Floats | None
    """Of the policy in this seat, or of the adviser for it."""
    value: Floats | None
    """The game's value after each move, from the mover's view."""
    best: Bools | None
    """The moves that an expert may play."""
    plain: bool
    """Whether values are wins, draws and losses."""
    mix: Floats | None = None
    """Of the equilibrium, where it may have to randomize."""
    ends: Ints | None = None
    """How many of the winner's moves each takes to the end under best play; 0 where it is drawn."""


def analysis(display: View, moves: MoveAnalysis, canvas: Canvas) -> Text:
    """A line per legal move: the policy's probability, the game's value, and whether an expert would play it; or, where
    equilibria randomize, the equilibrium's probability, and the regret, what the move is worth less than the best one.

    Args:
        display: The names of moves.
        moves: What is known about them.
        canvas: The terminal.
    """
    actions = [int(action) for action in np.flatnonzero(moves.legal)]
    names = [display.names[action] if display.names else str(action + 1) for action in actions]
    width = max(map(len, [*names, display.noun]))
    worths = {action: _worth(moves, action) for action in actions}
    wide = max(5, *(len(words) for words in worths.values()))
    bars = moves.probability is not None and canvas.width >= (40 if moves.mix is None else 60)
    mixed = moves.mix is not None and moves.value is not None
    mixes = "equilibrium" if canvas.width >= MIXED else "equil."
    valued = moves.value is not None and not (mixed and canvas.width < NARROW)
    lines = []
    for name, action in zip(names, actions, strict=True):
        line = styled(name.rjust(width), "bold")
        if moves.probability is not None:
            chance = moves.probability[action]
            line.append(f"  {chance:6.1%}")
            if bars:
                line.append(" " + _bar(float(chance), 10, canvas), style="cyan")
        if valued:
            line.append("  " + worths[action].ljust(wide))
        if mixed:
            line.append(_mixed(moves, action, len(mixes)))
        elif moves.best is not None and moves.best[action]:
            line.append("  expert" if canvas.width >= WORDY else " *", style="green")
        line.rstrip()
        lines.append(line)
    heading = display.noun.rjust(width) + ("  policy" if moves.probability is not None else "")
    if moves.value is not None:
        heading += (" " * 11 if bars else "") + ("  value" if valued else "")
        heading += " " * (valued and wide - 5) + f"  {mixes}  regret" if mixed else ""
    if moves.mix is None and moves.best is not None and canvas.width < WORDY:
        heading += "  (*: expert)"
    return Text("\n").join([styled(heading, "dim"), *lines])


MIXED = 44
"""Columns from which on the equilibrium's probabilities have a heading in full."""
NARROW = 38
"""Columns below which a table with them leaves out what the moves are worth: the regrets tell the same."""
WORDY = 36
"""Columns from which on a table of moves has the word ``expert`` instead of an asterisk."""


def _mixed(moves: MoveAnalysis, action: int, wide: int) -> str:
    """The equilibrium's probability of a move, so many characters wide, and its regret."""
    assert moves.mix is not None and moves.value is not None
    return f"  {moves.mix[action]:{wide}.1%}  {moves.value[moves.legal].max() - moves.value[action]:6.3f}"


def _bar(share: float, width: int, canvas: Canvas) -> str:
    full = round(share * width)
    return (("\u2588" if canvas.unicode else "#") * full).ljust(width)


def _worth(moves: MoveAnalysis, action: int) -> str:
    """The value of a move, and in how many moves of the winner it is reached, where that is known."""
    if moves.value is None:
        return ""
    words = worth(float(moves.value[action]), plain=moves.plain).strip()
    ends = 0 if moves.ends is None else int(moves.ends[action])
    return f"{words} in {ends}" if ends else words


def worth(value: float, *, plain: bool) -> str:
    """The value of a move for the mover, in words or as a number.

    Args:
        value: From the mover's view.
        plain: Whether values are wins, draws and losses.
    """
    if plain:
        return "wins " if value > 0 else "draws" if value == 0 else "loses"
    return f"{value:+z.3f}"


HELP = (
    ("NUMBER", "make that move"),
    ("hint", "what an expert, or else the policy, would play"),
    ("undo", "take back your last move and the reply"),
    ("swap", "change seats with the opponent"),
    ("resign", "give up the game, as a loss"),
    ("analysis", "on and off: probabilities, values, a verdict after every move"),
    ("save [FILE]", "save the game, now and after every further move"),
    ("board", "draw the board again, for example after resizing"),
    ("help", "this list (?)"),
    ("quit", "quit the game (q)"),
)


def help_text(display: View, canvas: Canvas) -> Text:
    """The list of commands.

    Args:
        display: The names of actions.
        canvas: The terminal.
    """
    rows = [*HELP]
    if display.names:
        words = listed(display.names)
        rows.insert(1, (words if len(words) <= _LISTED else "WORD", "the same, as words"))
    width = min(max(len(word) for word, _ in rows), 22) + 2
    lines = []
    for word, does in rows:
        narrow = width + len(does) > canvas.width
        lines.append(styled(word, "bold") if narrow else styled(word.ljust(width), "bold") + Text(does))
        if narrow:
            lines.append(Text(wrapped(f"  {does}", canvas.width, hang="").removesuffix("\n")))
    return Text("\n").join(lines)
