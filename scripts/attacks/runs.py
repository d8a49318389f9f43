"""Every file of a run's folder with a fault, read by every command that reads it.

A command refuses the folder, or gives the result of the undisturbed one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from attacks.fixture import GAME, TRAIN, Case, Fixture, Script, answers, plainly
from attacks.judging import measured
from attacks.mutations import mutations, sampled
from attacks.running import Command

KIND = "runs"
SHARE = {
    "config.json": 60,
    "result.json": 60,
    "clock.json": 12,
    "metrics.jsonl": 40,
    "policies/mail-0.json": 45,
    "policies/mail-0.safetensors": 16,
}
"""The number of faults per file; OTHER for other files."""
OTHER = 12
_GAP, _EXPLOIT = ("gap", "run", "--json"), ("exploit", "run", "--json")
_PLAY = ("play", GAME, "--against", "run", "--seat", "0", "--seed", "1")
_MATCH = ("match", GAME, "run", "random", "--games", "4", "--json")
_RESUME = (*TRAIN, "--out", "run", "--resume", "--json")
_WATCH, _JSON = ("watch", "run", "--once"), ("watch", "run", "--json")
_EXPORT = ("export", "run", "--out", "elsewhere")
_SHOW = ("exploit", "run", "--show")
READERS = {
    "config.json": (_GAP, _EXPLOIT, _EXPORT, _PLAY, _MATCH, _WATCH, _JSON, _RESUME),
    "result.json": (_GAP, _WATCH, _JSON, _RESUME, _MATCH),
    "clock.json": (_RESUME, _JSON),
    "metrics.jsonl": (_WATCH, _JSON),
    "policies": (_GAP, _EXPLOIT, _EXPORT, _PLAY, _MATCH, _SHOW),
    "decisions": (_SHOW, _RESUME, _GAP),
}
_ANSWERS = (_GAP, _EXPLOIT, _PLAY, _MATCH, _RESUME, _EXPORT)
"""Commands whose results must not change; ``watch`` prints whatever was logged."""


def cases(fixture: Fixture, rng: np.random.Generator) -> list[Case]:
    """A sample of each file's faults, with alternating readers."""
    _undisturbed(fixture)
    home = fixture.folder / "done"
    found: list[Case] = []
    for path in sorted(path for path in home.rglob("*") if path.is_file() and path.suffix != ".png"):
        name = str(path.relative_to(home))
        if name.startswith("decisions/") and not name.startswith("decisions/mail-0/000000"):
            continue
        faults = list(mutations(name, path.read_bytes(), rng))
        readers = next((words for start, words in READERS.items() if name.startswith(start)), (_GAP, _RESUME, _JSON))
        for turn, (label, data) in enumerate(sampled(faults, SHARE.get(name, OTHER), rng)):
            found.append(_case(name, label, data, readers[turn % len(readers)]))
    return found


def _undisturbed(fixture: Fixture) -> None:
    """Run every command on the intact run."""
    place = fixture.folder / "undisturbed"
    place.mkdir()
    fixture.copy("done", place / "run")
    for words in (*_ANSWERS, _SHOW):
        outcome = fixture.run(Command(words, "accept", stdin=b"1\n" * 9, seconds=60.0, before=plainly), place)
        if outcome.status:
            raise RuntimeError(f"{outcome.command.shell()}: {outcome.err.decode()[-300:]}")
        fixture.expected[words] = measured(outcome.out) or outcome.out
    fixture.expected[("elsewhere",)] = _files(place / "elsewhere")


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())} if folder.is_dir() else {}


def _case(file: str, label: str, data: bytes, words: tuple[str, ...]) -> Case:
    def script(place: Path, fixture: Fixture) -> Script:
        run = fixture.copy("done", place / "run")
        (run / file).write_bytes(data)
        may = tuple(f"run/{name}" for name in ("metrics.jsonl",)) if words == _RESUME else ()
        (outcome,) = yield [Command(words, "either", stdin=b"1\n" * 9, may_change=may, before=plainly)]
        bad = answers(fixture, words, outcome) if words in _ANSWERS else []
        if words == _EXPORT and outcome.status == 0 and _files(place / "elsewhere") != fixture.expected[("elsewhere",)]:
            bad.append("exported something else")
        return bad

    return Case(KIND, f"{KIND}: {words[0]}{' --resume' if words == _RESUME else ''} with {file}: {label}", script, 11)


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files that equal runs share."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "clock.json" and "lock" not in path.name:
            yield str(path.relative_to(folder)), path.read_bytes()
