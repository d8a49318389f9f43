"""A run followed from another terminal: what its metrics file says so far, as one screen.

Reads ``config.json``, ``metrics.jsonl`` and, once it is there, ``result.json``; writes nothing and imports nothing
heavy. A line that is still being written is left for the next look. Whatever an explorer logs is shown: the budget
words first, then the rest (new positions, log-determinant, bonus, exploitability) as they come.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from games.base import NashmailError
from mail.screens import Look

FIRST = ("games", "labels", "distinct_labels")
BARS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
ASCII_BARS = "_.-=*#"
MEASURES = ("exploitability", "nash_gap", "greedy_nash_gap")


class WatchError(NashmailError):
    """A folder in which there is no run to be followed."""


@dataclass(frozen=True)
class Progress:
    """What a run has told so far."""

    folder: Path
    config: dict[str, Any]
    rounds: dict[tuple[str, int], list[dict[str, float]]]
    """Per learner and seat, the values of every round."""
    result: dict[str, Any] | None
    """What it came to, once it is finished."""

    def as_dict(self) -> dict[str, Any]:
        """As ``nashmail watch --json`` gives it."""
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
    """The state of a run's files. WatchError where there is no run, or a line of its metrics is damaged."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
        if not isinstance(config, dict) or "game" not in config:
            raise ValueError
    except OSError as error:
        raise WatchError(f"there is no run in {folder} (no config.json); `nashmail train` makes one") from error
    except ValueError as error:
        raise WatchError(f"{folder}/config.json is not a run's configuration; restore it or train anew") from error
    try:
        data = (folder / "metrics.jsonl").read_text("utf-8", "replace")
    except FileNotFoundError:
        data = ""
    return Progress(folder, config, _rounds(data, folder / "metrics.jsonl"), _result(folder / "result.json"))


def _rounds(data: str, path: Path) -> dict[tuple[str, int], list[dict[str, float]]]:
    """The values of every finished line by learner and seat."""
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    whole = data[: data.rfind("\n") + 1]  # the rest is being written
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            values = json.loads(line)
            key = (str(values.pop("learner")), int(values.pop("seat")))
            found.setdefault(key, []).append({name: float(value) for name, value in values.items()})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise WatchError(f"{path}, line {number} is damaged; resume the run, which writes it anew") from error
    return found


def _result(path: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(path.read_bytes())
        return values if isinstance(values, dict) else None
    except (OSError, ValueError):
        return None  # not there yet: it is the last file that a run writes


# --- the screen ------------------------------------------------------------------------------------------


def screen(progress: Progress, on: Look) -> Text:
    """Everything that is known, no line wider than ``on``."""
    config = progress.config
    options = [f"{key} {config[key]}" for key in ("explorer", "expert", "seed") if key in config]
    lines = [Text(f"{config['game']}: " + ", ".join(options), style="bold")]
    if not progress.rounds:
        lines.append(Text("nothing has been logged yet"))
    for (learner, seat), rounds in progress.rounds.items():
        lines += [Text(), Text(f"{learner}, seat {seat}: {_count(len(rounds), 'round')}", style="bold")]
        names = _names(rounds)
        width = min(max(map(len, names)), max(on.width // 2, 8))
        lines += [_line(name, width, rounds, on) for name in names]
    lines.append(Text())
    if progress.result is None:
        lines.append(Text("learning, or stopped; `nashmail train ... --resume` goes on with a stopped run"))
    else:
        lines += _finished(progress.result)
    for line in lines:
        line.truncate(on.width)
    return Text("\n").join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _names(rounds: list[dict[str, float]]) -> list[str]:
    """What was logged, the budget words first."""
    seen = dict.fromkeys(name for values in rounds for name in values)
    return [*(name for name in FIRST if name in seen), *(name for name in seen if name not in FIRST)]


def _line(name: str, width: int, rounds: list[dict[str, float]], on: Look) -> Text:
    """A metric's last value and its course."""
    values = [row[name] for row in rounds if name in row]
    line = Text(f"  {name.replace('_', ' ')[:width]:<{width}}{_number(values[-1] + 0.0):>12}  ")  # + 0.0: never -0
    line.append(sparkline(values, min(40, max(0, on.width - len(line.plain))), on), style="cyan")
    return line


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:z.5g}"


def sparkline(values: list[float], width: int, on: Look) -> str:
    """The course of some numbers in at most ``width`` characters, each the last number of its stretch."""
    bars = BARS if on.unicode else ASCII_BARS
    if width < 1 or not all(abs(value) < 1e300 for value in values):
        return ""
    if len(values) > width:
        values = [values[(index + 1) * len(values) // width - 1] for index in range(width)]
    low, high = min(values), max(values)
    scale = (len(bars) - 1) / (high - low) if high > low else 0.0
    return "".join(bars[round((value - low) * scale)] for value in values)


def _finished(result: dict[str, Any]) -> list[Text]:
    """The measures a run ended with."""
    lines = [Text("finished", style="bold green")]
    for name, row in result.get("learners", {}).items():
        told = [f"{row[key]:,} {key.replace('_', ' ')}" for key in FIRST if key in row]
        for key in MEASURES:
            if key in row:
                values = row[key] if isinstance(row[key], list) else [row[key]]
                told.append(f"{key.replace('_', ' ')} " + " ".join(f"{value:z.4f}" for value in values))
        lines.append(Text(f"  {name}: " + ", ".join(told[:3])))
        if told[3:]:
            lines.append(Text("    " + ", ".join(told[3:])))
    return lines
