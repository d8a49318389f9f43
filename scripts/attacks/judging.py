"""What counts as bad: a traceback, a timeout, death by a signal, more than one line, and silence about an error."""

from __future__ import annotations

import hashlib
import json
import re
import stat
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NoReturn

from attacks.running import Outcome

LONGEST = 5_000  # characters of an error line
REPORTS = (  # lines on standard error that report progress and are no errors
    r"the label cache .*",
    r"seat [01]: .* games, the response gets .*",
    r"(listing|enumerating) the positions of .*",
    r"(starting \d+ workers|connecting to|.* workers? (are|is)|the work was too short|every worker|a worker).*",
    r".* this run goes on without it, labels are computed anew",
    r"\d+:\d\d:\d\d .*",  # how far a run is, now and then, where no terminal shows it (mail/terminal/progress)
)
_CRASH = re.compile(
    rb"Traceback \(most recent|^\s*\w*(Warning|Exception)\b.*:|Exception ignored|Fatal Python|terminate called|core dumped|Spiel Fatal",
    re.M,
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_ALWAYS = ("*.lock", "*lock", "*/progress.json")

Snapshot = dict[str, tuple[str, int, str]]


def judge(outcome: Outcome, before: Snapshot, after: Snapshot) -> list[str]:
    """The faults of an outcome, a few words each; empty if all is right."""
    command = outcome.command
    bad = _ending(outcome) + _lines(outcome)
    if outcome.memory > command.memory:
        bad.append(f"took {outcome.memory} MiB")
    if outcome.left:
        bad.append(f"left {len(outcome.left)} processes behind ({outcome.left[0].strip()[:80]})")
    if command.expect == "accept" and outcome.status == 2:
        bad.append("refused what is right")
    if command.expect == "refuse" and outcome.status == 0:
        bad.append("accepted what is wrong")
    if outcome.status == 2:
        bad += _changed(before, after, command.may_change)
    if outcome.status == 0 and "--json" in command.words and command.out == "file":
        bad += _strict(outcome.out)
    if outcome.status == 0 and command.says and command.out == "file" and not outcome.out.strip():
        bad.append("printed nothing")
    if any(Path(name).name == "ran" for name in after):
        bad.append("ran code that it read")
    stray = [name for name in after if name.endswith(".tmp")]
    if stray and outcome.status in (0, 2) and command.strike is None:
        bad.append(f"left {stray[0]}")
    return bad


def _ending(outcome: Outcome) -> list[str]:
    allowed = {0, 2, *outcome.command.statuses}
    if outcome.hung:
        return [f"no answer within {outcome.command.seconds:g} s"]
    if outcome.status < 0 and outcome.status not in allowed:
        return [f"ended by signal {-outcome.status}"]
    return [] if outcome.status in allowed else [f"exit status {outcome.status}"]


def _lines(outcome: Outcome) -> list[str]:
    """The faults of the output."""
    bad = []
    said = outcome.err.decode("utf-8", "replace")
    if found := _CRASH.search(outcome.err) or _CRASH.search(outcome.out):
        last = said.strip().splitlines()[-1:] or [found[0].decode("utf-8", "replace")]
        bad.append(f"crash on the console ({last[0][:160]})")
    lines = [line for line in said.splitlines() if line.strip() and not any(re.fullmatch(one, line) for one in REPORTS)]
    if outcome.status == 2 and outcome.command.err in ("file", "pipe") and not bad:
        if not lines:
            bad.append("refused without a word")
        elif len(lines) > 1:
            bad.append(f"{len(lines)} lines instead of one ({lines[0][:100]} ... {lines[-1][:60]})")
        elif not lines[0].startswith("nashmail"):
            bad.append(f"the line is not nashmail's: {lines[0][:100]}")
        elif len(lines[0]) > LONGEST:
            bad.append(f"a line of {len(lines[0])} characters")
    if outcome.status == 0 and lines and not bad:
        bad.append(f"said on standard error though all was right: {lines[0][:100]}")
    for name, data in (("output", outcome.out), ("error", outcome.err)):
        if control := _CONTROL.search(data.decode("utf-8", "replace")):
            bad.append(f"control character {control[0]!r} in the {name}")
    return bad


def _changed(before: Snapshot, after: Snapshot, may: tuple[str, ...]) -> list[str]:
    """Files that a refused command has changed."""
    names = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    names = sorted(name for name in names if not any(fnmatch(name, pattern) for pattern in (*may, *_ALWAYS)))
    return [f"refused, and changed {names[0]}" + (f" and {len(names) - 1} more" if names[1:] else "")] if names else []


def _strict(out: bytes) -> list[str]:
    """Whether standard output is one strict JSON value."""

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} in JSON")

    try:
        json.loads(out, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        return [f"--json gives no JSON: {str(error)[:80]}"]
    return [] if b"-0.0," not in out and b"-0.0]" not in out and b"-0.0}" not in out else ["-0.0 in JSON"]


def snapshot(folder: Path) -> Snapshot:
    """Every file below a folder: type, size, check sum. Links are not followed."""
    found: Snapshot = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        name = str(path.relative_to(folder))
        if stat.S_ISREG(about.st_mode):
            try:
                small = about.st_size < 1 << 24
                found[name] = ("file", about.st_size, hashlib.sha256(path.read_bytes()).hexdigest() if small else "")
            except OSError:
                found[name] = ("file", about.st_size, "unreadable")
        elif stat.S_ISLNK(about.st_mode):
            found[name] = ("link", 0, str(path.readlink()))
        else:
            found[name] = (oct(stat.S_IFMT(about.st_mode)), 0, "")
    return found


def measured(out: bytes) -> Any:
    """A command's measures, clock times aside; None if it printed no JSON."""
    try:
        values = json.loads(out)
    except (ValueError, RecursionError):
        return None
    return (
        {key: value for key, value in values.items() if key not in ("seconds", "run")}
        if isinstance(values, dict)
        else values
    )
