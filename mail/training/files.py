"""The JSON files in a run's folder other than its configuration: their schemas and readers.

``result.json`` and the intermediate files of an unfinished run have a check sum of their contents and their identity
(the run's configuration, and their place in the run). Files that are truncated, edited or of another run are refused.
``result.json`` also has the check sums of the files that were complete when it was written. Folders of the first format
have no check sums; their values are checked against the same schemas. No heavy import, so that the terminal can follow
runs.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.storage.reading import Unreadable, parse_json, printable, read_bytes
from agents.storage.shapes import count, flag, misfit, natural, null, number, plain, seat, word
from mail.training.config import RunError, StoredConfig, remedy

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
    """Whether these are matches of a policy against others, each in both seats and with games."""
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
    "value_gap?": _PAIR,
    "matches?": _matches,
    "greedy_matches?": _matches,
    "certificates?": [{"line": [count], "positions": count, "refuted": (flag, null), "*": plain}],
    "openings?": {"drawn": count, "openings": count, "moves_to_loss_from_start": (number, null), "*": plain},
    "blunders?": [[_BLUNDERS]],
    "responses?": [{"value": number, "interval": [number, 2], "games": count, "*": plain}],
    "search_blunders?": {"simulations": count, "seats": [[_BLUNDERS]], "*": plain},
    "*": plain,
}
_RESULT = {
    "learners": {"*": _ROW},
    "config?": {"game": word, "explorer": word, "expert": word, "knowledge?": word},
    "exact?": flag,
    "expert?": {
        **dict.fromkeys(("exploitability", "greedy_exploitability"), _PAIR),
        **dict.fromkeys(("nash_gap", "greedy_nash_gap"), _MEASURE),
        "*": plain,
    },
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
    """Values with a check sum of them and of their identity.

    Args:
        values: The values.
        identity: The file's: its run, and its place in it.
    """
    return {**values, CHECK: _check(values, identity)}


def _check(values: dict[str, Any], identity: str) -> str:
    return hashlib.sha256(f"{identity}\n{json.dumps(values, sort_keys=True)}".encode()).hexdigest()


def digest(data: bytes) -> str:
    """The check sum of a file's contents.

    Args:
        data: The contents.
    """
    return hashlib.sha256(data).hexdigest()


def unsealed(path: Path, identity: str, *, always: bool = True, cure: str = _AGAIN) -> dict[str, Any]:
    """Read a file that ``sealed`` made.

    Args:
        path: The file, which must exist.
        identity: As in ``sealed``.
        always: Whether a check sum is required; older versions wrote none.
        cure: The advice for a damaged file.

    Raises:
        RunError: The file is damaged, or its check sum is wrong.
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


def read_result(folder: Path, stored: StoredConfig) -> dict[str, Any] | None:
    """The result of a finished run, with the check sums of its ``files``.

    Every value has the type of the schema; ``check_whole`` checks which are present.

    Args:
        folder: The run's.
        stored: Its configuration.

    Returns:
        The result; None if the run is not finished.

    Raises:
        RunError: The file is not what this run wrote.
    """
    path = folder / RESULT
    if not path.exists() and not path.is_symlink():
        return None
    values = unsealed(path, f"{stored.identity}/{RESULT}", always=stored.sealed)
    version, files = values.pop("format", 1), values.pop(FILES, {})
    if type(version) is not int or version != stored.format or misfit(files, {"*": word}):
        raise RunError(f"{printable(path)} is of another format than the run; {_AGAIN}")
    if wrong := misfit(values, _RESULT) or _other(values, stored):
        raise RunError(f"{printable(path)} is truncated or was edited ({wrong}); {_AGAIN}")
    return {**values, FILES: files}


def _other(values: dict[str, Any], stored: StoredConfig) -> str | None:
    """The first setting in a result that differs from the run's configuration; None if they agree."""
    configured = asdict(stored.config)
    reported = {**values.get("config", {}), **{key: values[key] for key in ("symmetry", "seed") if key in values}}
    return next((key for key, value in reported.items() if value != configured[key]), None)


def check_whole(result: dict[str, Any], stored: StoredConfig, folder: Path) -> None:
    """Refuse a result that lacks values of a finished run, or one of its learners.

    Args:
        result: The result.
        stored: The run's configuration.
        folder: The run's, for messages.

    Raises:
        RunError: Something is missing.
    """
    row = _EXACT if result.get("exact", True) else _SAMPLED
    learners = dict.fromkeys(stored.config.learners, row)
    needed = {"config": plain, "symmetry": flag, "seed": natural, "limits": plain, "learners": learners, "*": plain}
    if wrong := misfit(result, needed):
        path = printable(folder / RESULT)
        raise RunError(f"{path} is truncated or was edited ({wrong}); {_AGAIN}")


def read_seconds(folder: Path) -> float:
    """The seconds that a finished run took.

    Args:
        folder: The run's.

    Raises:
        RunError: Its clock is damaged.
    """
    cure = f"delete it and {RESULT} and resume the run"
    values = unsealed(folder / CLOCK, CLOCK, always=False, cure=cure)
    if misfit(values, _CLOCK) or values["seconds"] < 0:
        raise RunError(f"{printable(folder / CLOCK)} is truncated or was edited; {cure}")
    return float(values["seconds"])


def read_metrics(folder: Path, check: str | None = None) -> list[dict[str, Any]]:
    """The complete lines of a run's metrics, one per round, learner and seat. An incomplete last line is ignored.

    Args:
        folder: The run's folder.
        check: The check sum of the whole file, once the run is finished.

    Raises:
        RunError: A line is damaged, or the check sum is wrong.
    """
    path = folder / METRICS
    try:
        data = read_bytes(path, most=_MOST)
    except Unreadable as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return []
        raise RunError(f"{error}; {remedy(error, 'resume the run, which rewrites it')}") from error
    if check not in (None, digest(data)):
        raise RunError(f"{printable(path)} was edited after the run finished (check sum differs); restore it")
    rounds = []
    for number_, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            values = parse_json(line)
            if misfit(values, ROUND_METRICS):
                raise ValueError("no line of metrics")
        except ValueError as error:
            raise RunError(
                f"{printable(path)}, line {number_} is damaged; resume the run, which rewrites it"
            ) from error
        rounds.append(values)
    return rounds
