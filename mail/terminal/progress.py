"""A run followed from another terminal: the contents of its metrics file as one screen.

Reads ``config.json``, ``metrics.jsonl`` and, once it exists, ``result.json`` (``mail.training.files``). Writes nothing
and imports nothing heavy. An incomplete last line is ignored until the next read. All logged values are displayed: the
budget first, then the others (new positions, log-determinant, bonus, exploitability) in their order.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from agents.storage.reading import printable
from mail.learners import share_explorer
from mail.terminal.boards import Canvas
from mail.training.config import RunError, read_stored_config
from mail.training.files import FILES, METRICS, read_metrics, read_result

FIRST = ("games", "labels", "distinct_labels")
BARS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
ASCII_BARS = "_.-=*#"
MEASURES = ("exploitability", "nash_gap", "greedy_nash_gap")


@dataclass(frozen=True)
class Progress:
    """What a run has logged so far."""

    folder: Path
    config: dict[str, Any]
    rounds: dict[tuple[str, int], list[dict[str, float]]]
    """The values of every round, by learner and seat."""
    result: dict[str, Any] | None
    """The contents of ``result.json`` once the run is finished."""

    def as_dict(self) -> dict[str, Any]:
        """The dictionary that ``nashmail watch --json`` prints."""
        learners = [
            {"learner": name, "seat": seat, "rounds": len(values), "last": values[-1]}
            for (name, seat), values in self.rounds.items()
        ]
        measured = {} if self.result is None else self.result.get("learners", {})
        return {
            "run": str(self.folder),
            "game": self.config.get("game"),
            "finished": self.result is not None,
            "learning": learners,
            "learners": measured,
        }


def read_progress(folder: Path) -> Progress:
    """Read the state of a run.

    Args:
        folder: Of the run.

    Raises:
        RunError: There is no run, or one of its files is damaged.
    """
    stored = read_stored_config(folder)
    result = read_result(folder, stored)
    rounds: dict[tuple[str, int], list[dict[str, float]]] = {}
    for values in read_metrics(folder, None if result is None else result[FILES].get(METRICS)):
        learner, seat = values.pop("learner"), values.pop("seat")
        if learner not in stored.config.learners:
            raise RunError(f"{printable(folder / METRICS)} is of another run; resume the run, which rewrites it")
        rounds.setdefault((learner, seat), []).append({name: float(value) for name, value in values.items()})
    return Progress(folder, asdict(stored.config), rounds, result)


# --- the screen ------------------------------------------------------------------------------------------


def screen(progress: Progress, canvas: Canvas) -> Text:
    """The screen, no line of which is wider than the terminal.

    Args:
        progress: What the run has logged.
        canvas: The terminal.
    """
    config = progress.config
    shown = ("explorer", "expert", "seed") if share_explorer(config["learners"]) else ("expert", "seed")
    options = [f"{key} {config[key]}" for key in shown if key in config]
    lines = [Text(f"{config['game']}: " + ", ".join(options), style="bold")]
    if not progress.rounds:
        lines.append(Text("nothing has been logged yet"))
    for (learner, seat), rounds in progress.rounds.items():
        lines += [Text(), Text(f"{learner}, seat {seat}: {_count(len(rounds), 'round')}", style="bold")]
        names = _names(rounds)
        width = min(max(map(len, names)), max(canvas.width // 2, 8))
        lines += [_line(name, width, rounds, canvas) for name in names]
    lines.append(Text())
    if progress.result is None:
        lines.append(Text("running or stopped; `nashmail train ... --resume` continues a stopped run"))
    else:
        lines += _finished(progress.result)
    for line in lines:
        line.truncate(canvas.width)
    return Text("\n").join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _names(rounds: list[dict[str, float]]) -> list[str]:
    """The names of logged values, the budget first."""
    seen = dict.fromkeys(name for values in rounds for name in values)
    return [*(name for name in FIRST if name in seen), *(name for name in seen if name not in FIRST)]


def _line(name: str, width: int, rounds: list[dict[str, float]], canvas: Canvas) -> Text:
    """A metric's last value and its sparkline."""
    values = [row[name] for row in rounds if name in row]
    line = Text(f"  {name.replace('_', ' ')[:width]:<{width}}{_number(values[-1] + 0.0):>12}  ")  # + 0.0: never -0
    line.append(sparkline(values, min(40, max(0, canvas.width - len(line.plain))), canvas), style="cyan")
    return line


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:z.5g}"


def sparkline(values: list[float], width: int, canvas: Canvas) -> str:
    """A series as at most ``width`` characters; each shows the last value of its part.

    Args:
        values: Oldest first.
        width: Most characters.
        canvas: The terminal.
    """
    bars = BARS if canvas.unicode else ASCII_BARS
    if width < 1 or not all(abs(value) < 1e300 for value in values):
        return ""
    if len(values) > width:
        values = [values[(index + 1) * len(values) // width - 1] for index in range(width)]
    low, high = min(values), max(values)
    scale = (len(bars) - 1) / (high - low) if high > low else 0.0
    return "".join(bars[round((value - low) * scale)] for value in values)


def _finished(result: dict[str, Any]) -> list[Text]:
    """The measures of a finished run."""
    lines = [Text("finished", style="bold green")]
    for name, row in result.get("learners", {}).items():
        parts = [f"{row[key]:,} {key.replace('_', ' ')}" for key in FIRST if key in row]
        for key in MEASURES:
            if row.get(key) is not None:  # null if it was not measured exactly
                values = row[key] if isinstance(row[key], list) else [row[key]]
                parts.append(f"{key.replace('_', ' ')} " + " ".join(f"{value:z.4f}" for value in values))
        lines.append(Text(f"  {name}: " + ", ".join(parts[:3])))
        if parts[3:]:
            lines.append(Text("    " + ", ".join(parts[3:])))
    return lines
