"""A run followed from another terminal: the contents of its metrics file as one screen.

Reads ``config.json``, ``metrics.jsonl``, while it trains ``progress.json`` (``mail.training.progress.status``), and
``result.json`` once it exists (``mail.training.files``). Writes nothing and imports nothing heavy. An incomplete last
line is ignored until the next read. All logged values are displayed: the budget first, then the others (new positions,
log-determinant, bonus, exploitability) in their order.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from agents.storage.reading import printable
from agents.storage.shapes import misfit, number, plain
from mail.learners import share_explorer
from mail.terminal.boards import Canvas
from mail.terminal.layout import wrapped
from mail.terminal.progress.chart import Series, chart
from mail.terminal.progress.words import amount, clock, details, place
from mail.training.config import RunError, read_stored_config
from mail.training.files import FILES, METRICS, read_metrics, read_result
from mail.training.progress.state import CLONE_GAP
from mail.training.progress.status import Status, read_status, state_of

FIRST = ("games", "labels", "distinct_labels")
BARS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
ASCII_BARS = "_.-=*#"
_SILENT = 10.0  # seconds after which a running process has not been heard of for long
_HUGE = 1e15  # values from which nothing is drawn
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
    status: Status | None = None
    """How far an unfinished run is, and whether its process lives; None where that is not known."""

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
            "alive": None if self.status is None else self.status.alive,
            "status": None if self.status is None else self.status.values,
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
    return Progress(folder, asdict(stored.config), rounds, result, None if result else read_status(folder))


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
    if progress.status is not None:
        lines += _present(progress.status, canvas)
    elif not progress.rounds:
        lines.append(Text("nothing has been logged yet"))
    for drawing in _charts(progress, canvas):
        lines += [Text(), *drawing]
    for (learner, seat), rounds in progress.rounds.items():
        lines += [Text(), Text(f"{learner}, seat {seat}: {_count(len(rounds), 'round')}", style="bold")]
        names = _names(rounds)
        width = min(max(map(len, names)), max(canvas.width // 2, 8))
        lines += [_line(name, width, rounds, canvas) for name in names]
    lines.append(Text())
    if progress.result is not None:
        lines += _finished(progress.result)
    elif progress.status is None:
        lines.append(Text("running or stopped; `nashmail train ... --resume` continues a stopped run"))
    elif progress.status.alive is False:
        lines.append(Text("stopped; `nashmail train ... --resume` continues it", style="bold red"))
    else:
        lines.pop()
    return Text("\n").join(part for line in lines for part in _broken(line, canvas.width))


def _broken(line: Text, width: int) -> list[Text]:
    """A line as lines that are no wider, broken between words."""
    lines = [line]
    if line.cell_len > width:
        lines = [Text(part, style=line.style) for part in wrapped(line.plain, width).splitlines()]
    for part in lines:
        part.truncate(width)
    return lines


def cropped(picture: Text, height: int) -> Text:
    """The upper part of a screen that is too high for the terminal, and how many lines are missing.

    Args:
        picture: The screen.
        height: Lines of the terminal.
    """
    lines = picture.split("\n")
    if len(lines) < height:
        return picture
    kept = max(1, height - 2)
    more = Text(f"... {len(lines) - kept} more lines; --once prints all", style="dim")
    return Text("\n").join([*lines[:kept], more])


def _present(status: Status, canvas: Canvas) -> list[Text]:
    """What the run is doing, and which process does it."""
    values, state = status.values, state_of(status.values)
    ago = max(0.0, time.time() - values["time"])
    process = f"process {values['pid']}" + (f" on {values['host']}" if status.alive is None else "")
    word = {True: "running", False: "stopped", None: "running or stopped"}[status.alive]
    heard = f", last heard of {clock(ago)} ago" if status.alive is None or ago > _SILENT else ""
    seconds = values["seconds"] + (ago if status.alive else 0.0)
    lines = [Text(f"{word}: {process}, {clock(seconds)}{heard}")]
    if state.phases:
        last = state.phases[-1]
        lines.append(Text(place(state.phases), style="bold"))
        if last.total:
            lines.append(Text(f"  {_bar(last.done / last.total, canvas)} ") + amount(last.done, last.total, last.unit))
    return lines + [Text(f"  {line}") for line in details(state)]


def _bar(share: float, canvas: Canvas) -> str:
    """A share of a whole."""
    width = max(4, min(30, canvas.width - 40))
    full = round(min(1.0, max(0.0, share)) * width)
    return "\u2588" * full + "\u2591" * (width - full) if canvas.unicode else "#" * full + "-" * (width - full)


def _charts(progress: Progress, canvas: Canvas) -> list[list[Text]]:
    """Coverage of the learner that logged last, and what is known of gaps."""
    if progress.result is not None:
        curves = progress.result.get("curves") or {}
        points = {name: _worst(seats) for name, seats in curves.items()} if isinstance(curves, dict) else {}
        series = [Series(name, found) for name, found in points.items()]
        drawing = chart(series, canvas, title="exploitability of the worse seat, by labels")
        return [drawing] if drawing else []
    if not progress.rounds:
        return []
    learner = list(progress.rounds)[-1][0]
    seats = {seat: rounds for (name, seat), rounds in progress.rounds.items() if name == learner}
    least = [] if progress.status is None else progress.status.values["bounds"]["labels"]
    covered = [Series(f"seat {seat}", _covered(rounds, least[seat:])) for seat, rounds in seats.items()]
    lost = [Series(f"seat {seat}", _points(rounds, "labels", CLONE_GAP)) for seat, rounds in seats.items()]
    what, top = ("share of the reachable positions", 1.0) if least else ("positions", None)
    drawings = (
        chart(covered, canvas, title=f"{learner}: {what} with a label, by games", top=top),
        chart(lost, canvas, title=f"{learner}: exploitability of the clone, by labels"),
    )
    return [drawing for drawing in drawings if drawing]


def _covered(rounds: list[dict[str, float]], least: list[int]) -> list[tuple[float, float]]:
    """The distinct labels by games; as shares of the first of ``least`` where that is known."""
    most = max(1, least[0]) if least else 1
    return [(games, labels / most) for games, labels in _points(rounds, "games", "distinct_labels")]


def _points(rounds: list[dict[str, float]], x: str, y: str) -> list[tuple[float, float]]:
    return [(row[x], row[y]) for row in rounds if x in row and y in row and abs(row[x]) + abs(row[y]) < _HUGE]


def _worst(seats: Any) -> list[tuple[float, float]]:
    """The larger exploitability of two seats' curves, point by point; none where they cannot be read."""
    if misfit(seats, [[{"labels": number, "exploitability": number, "*": plain}], 2]):
        return []
    return [
        (max(one["labels"], other["labels"]), max(one["exploitability"], other["exploitability"]))
        for one, other in zip(*seats, strict=False)
    ]


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


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
