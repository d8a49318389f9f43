"""The JSON files of a run's folder beside its configuration: what may stand in each, read in one place.

``result.json`` and what is kept of an unfinished run carry a check sum over themselves and over what they are for (the
run, by its configuration, and their place in it); so they are whole, unedited, and this run's, or they are refused.
``result.json`` also holds the check sums of the files that were whole when it was written. Folders of the first format
have none of these; their values are held against the same shapes. No heavy import: terminals follow runs with this.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.storage.reading import Unreadable, parse_json, printable, read_bytes
from agents.storage.shapes import count, flag, misfit, natural, null, number, plain, seat, word
from mail.training.config import Begun, RunError, remedy

RESULT, CLOCK, METRICS, CHECK, FILES = "result.json", "clock.json", "metrics.jsonl", "check", "files"
ROUND_METRICS = {"learner": word, "seat": seat, "*": number}
"""A line of ``metrics.jsonl``."""
_CLOCK = {"seconds": number, "*": plain}
_MOST = 1 << 28  # bytes of a file
_AGAIN = "delete it and resume the run"

_MEASURE = (number, null)
_PAIR = ([number, 2], null)
_COUNTS = [count, 2]
_MATCH = {"first": word, "second": word, "wins": count, "draws": count, "losses": count, "games": count, "*": plain}


def _matches(value: object) -> bool:
    """Whether these are matches of a policy with others: each in both seats, none without games."""
    if misfit(value, [_MATCH]) or not isinstance(value, list):
        return False
    first = sorted(match["second"] for match in value if match["first"] == "policy")
    second = sorted(match["first"] for match in value if match["second"] == "policy")
    played = all(0 < match["games"] == match["wins"] + match["draws"] + match["losses"] for match in value)
    return first == second and len(set(first)) == len(first) and played


_BLUNDERS = {"source": word, "rate": _MEASURE, "*": plain}
_ROW = {
    "games?": count,
    "labels?": count,
    "distinct_labels?": count,
    "games_by_seat?": _COUNTS,
    "labels_by_seat?": _COUNTS,
    "distinct_labels_by_seat?": _COUNTS,
    "exploitability?": _PAIR,
    "nash_gap?": _MEASURE,
    "nash_gap_max?": _MEASURE,
    "greedy_exploitability?": _PAIR,
    "greedy_nash_gap?": _MEASURE,
    "matches?": _matches,
    "greedy_matches?": _matches,
    "certificates?": [{"line": [count], "positions": count, "refuted": (flag, null), "*": plain}],
    "openings?": {"drawn": count, "openings": count, "moves_to_loss_from_start": (number, null), "*": plain},
    "blunders?": [[_BLUNDERS]],
    "*": plain,
}
_RESULT = {
    "learners": {"*": _ROW},
    "config?": {"game": word, "explorer": word, "expert": word},
    "exact?": flag,
    "symmetry?": flag,
    "seed?": natural,
    "curves?": {"*": plain},
    "limits?": {
        "least_games": [(count, null)],
        "reachable_labels": [count],
        "bc_infinite": {"*": [number, 2]},
        "*": plain,
    },
    "*": plain,
}
_EXACT = {
    **dict.fromkeys(("games", "labels", "distinct_labels"), count),
    **{name: [number, 2] for name in ("exploitability", "greedy_exploitability")},
    **dict.fromkeys(("nash_gap", "greedy_nash_gap"), number),
    "*": plain,
}
_SAMPLED = {**dict.fromkeys(("games", "labels", "distinct_labels"), count), "matches": _matches, "*": plain}


def sealed(values: dict[str, Any], identity: str) -> dict[str, Any]:
    """The values with their check sum; ``identity`` says what they are for."""
    return {**values, CHECK: _check(values, identity)}


def _check(values: dict[str, Any], identity: str) -> str:
    return hashlib.sha256(f"{identity}\n{json.dumps(values, sort_keys=True)}".encode()).hexdigest()


def digest(data: bytes) -> str:
    """The check sum of a whole file."""
    return hashlib.sha256(data).hexdigest()


def unsealed(path: Path, identity: str, *, always: bool = True, cure: str = _AGAIN) -> dict[str, Any]:
    """The values in a file that is there. RunError where they were not sealed as ``identity``.

    ``always``: whether there must be a check sum; older versions wrote none. ``cure``: what to do about a damaged file.
    """
    where = printable(path)
    try:
        data = read_bytes(path, most=_MOST)
    except Unreadable as error:
        raise RunError(f"{error}; {remedy(error, cure)}") from error
    try:
        values = parse_json(data)
        if not isinstance(values, dict) or not values or not plain(values, 16):
            raise ValueError("no object")
    except ValueError as error:
        raise RunError(f"{where} is truncated or was edited; {cure}") from error
    check = values.pop(CHECK, None)
    if (always or check is not None) and check != _check(values, identity):
        raise RunError(
            f"{where} is truncated or was edited, or its run's configuration was (check sum differs); restore it, or "
            + cure
        )
    return values


def read_result(folder: Path, begun: Begun) -> dict[str, Any] | None:
    """What a finished run came to, with the check sums of its ``files``; None where it is not finished.

    RunError where the file is not what this run wrote. Every value has its shape; which are there ``check_whole`` asks.
    """
    path = folder / RESULT
    if not path.exists() and not path.is_symlink():
        return None
    values = unsealed(path, f"{begun.identity}/{RESULT}", always=begun.sealed)
    version, files = values.pop("format", 1), values.pop(FILES, {})
    if type(version) is not int or version != begun.format or misfit(files, {"*": word}):
        raise RunError(f"{printable(path)} is of another format than the run; {_AGAIN}")
    if wrong := misfit(values, _RESULT) or _other(values, begun):
        raise RunError(f"{printable(path)} is truncated or was edited ({wrong}); {_AGAIN}")
    return {**values, FILES: files}


def _other(values: dict[str, Any], begun: Begun) -> str | None:
    """What a result says of its run that its configuration does not; None where they agree."""
    asked = asdict(begun.config)
    told = {**values.get("config", {}), **{key: values[key] for key in ("symmetry", "seed") if key in values}}
    return next((key for key, value in told.items() if value != asked[key]), None)


def check_whole(result: dict[str, Any], begun: Begun, folder: Path) -> None:
    """RunError unless a result that was read has all that a run ends with, for each of its learners."""
    row = _EXACT if result.get("exact", True) else _SAMPLED
    learners = dict.fromkeys(begun.config.learners, row)
    needed = {"config": plain, "symmetry": flag, "seed": natural, "limits": plain, "learners": learners, "*": plain}
    if wrong := misfit(result, needed):
        path = printable(folder / RESULT)
        raise RunError(f"{path} is truncated or was edited ({wrong}); {_AGAIN}")


def read_seconds(folder: Path) -> float:
    """How long a finished run took. RunError where its clock is damaged."""
    cure = f"delete it and {RESULT} and resume the run"
    values = unsealed(folder / CLOCK, CLOCK, always=False, cure=cure)
    if misfit(values, _CLOCK) or values["seconds"] < 0:
        raise RunError(f"{printable(folder / CLOCK)} is truncated or was edited; {cure}")
    return float(values["seconds"])


def read_metrics(folder: Path, check: str | None = None) -> list[dict[str, Any]]:
    """The finished lines of a run's metrics, each a round of a learner's seat; what is still being written is left out.

    ``check``: the check sum of the whole file, once the run is finished. RunError where a line is damaged.
    """
    path = folder / METRICS
    try:
        data = read_bytes(path, most=_MOST)
    except Unreadable as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return []
        raise RunError(f"{error}; {remedy(error, 'resume the run, which writes it anew')}") from error
    if check not in (None, digest(data)):
        raise RunError(f"{printable(path)} was edited since the run finished (check sum differs); restore it")
    rounds = []
    for number_, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            values = parse_json(line)
            if misfit(values, ROUND_METRICS):
                raise ValueError("no line of metrics")
        except ValueError as error:
            raise RunError(
                f"{printable(path)}, line {number_} is damaged; resume the run, which writes it anew"
            ) from error
        rounds.append(values)
    return rounds
