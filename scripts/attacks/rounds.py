"""Unfinished runs that resume with damaged, edited, swapped or foreign rounds and stored fits.

The resumed run has the result of the undisturbed run, byte for byte, or is refused.
"""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np

from attacks.fixture import GAME, TRAIN, Case, Fixture, Script, plainly
from attacks.mutations import mutations, sampled, some
from attacks.running import Command
from attacks.runs import files_of

KIND = "rounds"
RESUME = (*TRAIN, "--out", "run", "--resume")
CLONED = (
    "train",
    GAME,
    "--seed",
    "2",
    "--out",
    "run",
    "--resume",
    "--from-games",
    "game.txt",
    "game0.txt",
    "game1.txt",
)
FAULTS, KEPT = 40, 16
MAY = ("run/metrics.jsonl", "run/kept/*", "run/policies/*", "run/.*")
"""The files that a resumed run may write before it finds the fault."""


def cases(fixture: Fixture, rng: np.random.Generator) -> list[Case]:
    """Faults of one round, of several, of stored fits, and of stored games."""
    part = fixture.folder / "part"
    found: list[Case] = []
    rounds = sorted(part.glob("decisions/mail-*/*.npz")) or sorted(part.glob("decisions/*/*.npz"))
    name = str(rounds[0].relative_to(part))
    faults = list(mutations(name, rounds[0].read_bytes(), rng))
    found += [_written(name, *fault) for fault in sampled(faults, FAULTS, rng)]
    kept = [(str(path.relative_to(part)), path) for path in sorted(part.glob("kept/*")) if path.is_file()]
    of_kept = [(one, fault) for one, path in kept for fault in mutations(one, path.read_bytes(), rng)]
    found += [_written(one, *fault) for one, fault in some(of_kept, KEPT, rng)]
    for label, fault in _SWAPS.items():
        found.append(_case(label, fault))
    stored = sorted(path for path in (fixture.folder / "storing").rglob("*.txt"))
    for label, content in (
        ("empty", b""),
        ("garbage", b"\0\xff" * 99),
        ("another game", (fixture.folder / "game1.txt").read_bytes()),
        ("deleted", None),
    ):
        for index in (0, len(stored) - 1):
            found.append(_stored(str(stored[index].relative_to(fixture.folder / "storing")), label, content))
    return found


def _written(name: str, label: str, data: bytes) -> Case:
    def fault(run: Path, fixture: Fixture) -> None:
        (run / name).write_bytes(data)

    return _case(f"{name}: {label}", fault)


def _case(label: str, fault: Callable[[Path, Fixture], None]) -> Case:
    def script(place: Path, fixture: Fixture) -> Script:
        run = fixture.copy("part", place / "run")
        fault(run, fixture)
        (outcome,) = yield [Command(RESUME, "either", seconds=30.0, may_change=MAY, before=plainly)]
        if outcome.status != 0:
            return []
        return same(run, fixture.folder / "done")

    return Case(KIND, f"{KIND}: resume with {label}", script, 11)


def same(run: Path, expected: Path) -> list[str]:
    """Whether two finished runs are equal, clock times aside."""
    mine, right = dict(files_of(run)), dict(files_of(expected))  # other files do not matter
    different = sorted(name for name in right if name not in mine or not _alike(name, mine[name], right[name]))
    return [f"went on to another {different[0]} and {len(different) - 1} more"] if different else []


def _alike(name: str, mine: bytes, right: bytes) -> bool:
    """Whether two files are equal; for archives, whether their arrays are."""
    if mine == right or not name.endswith(".npz"):
        return mine == right
    try:
        with np.load(BytesIO(mine)) as one, np.load(BytesIO(right)) as other:
            return one.files == other.files and all(
                one[key].dtype == other[key].dtype and one[key].tobytes() == other[key].tobytes() for key in one.files
            )
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        return False


def _rounds(run: Path, learner: str, seat: int) -> list[Path]:
    return sorted((run / "decisions" / f"{learner}-{seat}").glob("*.npz"))


def _swap(first: Path, second: Path) -> None:
    held = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(held)


def _other_game(run: Path, fixture: Fixture) -> None:
    shutil.copyfile(_rounds(fixture.folder / "markov", "mail-tabular", 0)[0], _rounds(run, "mail", 0)[0])


def _gap(run: Path, fixture: Fixture) -> None:
    _rounds(run, "mail", 0)[0].unlink()


def _folder(run: Path, fixture: Fixture) -> None:
    path = _rounds(run, "mail", 0)[0]
    path.unlink()
    path.mkdir()


def _more(run: Path, fixture: Fixture) -> None:
    path = _rounds(run, "mail", 0)[-1]
    shutil.copyfile(path, path.with_name(f"{int(path.stem) + 1:06d}.npz"))


def _kept_swapped(run: Path, fixture: Fixture) -> None:
    fits = sorted(path for path in (run / "kept").glob("*.fit"))
    if len(fits) > 1:
        for suffix in (".fit", ".json", ".safetensors"):
            first, second = (path.with_suffix(suffix) for path in fits[:2])
            if first.exists() and second.exists():
                _swap(first, second)


def _without(name: str) -> Callable[[Path, Fixture], None]:
    def fault(run: Path, fixture: Fixture) -> None:
        path = run / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    return fault


def _file_called_kept(run: Path, fixture: Fixture) -> None:
    shutil.rmtree(run / "kept", ignore_errors=True)
    (run / "kept").write_bytes(b"")


def _extra(name: str) -> Callable[[Path, Fixture], None]:
    def fault(run: Path, fixture: Fixture) -> None:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(b"left over")

    return fault


_SWAPS: dict[str, Callable[[Path, Fixture], None]] = {
    "rounds of the seats swapped": lambda run, fixture: _swap(_rounds(run, "mail", 0)[0], _rounds(run, "mail", 1)[0]),
    "rounds of two learners swapped": lambda run, fixture: _swap(
        _rounds(run, "mail", 0)[0], _rounds(run, "bc-linear", 0)[0]
    ),
    "first and last round swapped": lambda run, fixture: _swap(_rounds(run, "mail", 0)[0], _rounds(run, "mail", 0)[-1]),
    "a round of another game": _other_game,
    "a round missing": _gap,
    "a folder where a round should be": _folder,
    "a round too many": _more,
    "kept fits swapped": _kept_swapped,
    "no decisions": _without("decisions"),
    "nothing kept": _without("kept"),
    "no metrics": _without("metrics.jsonl"),
    "no policies": _without("policies"),
    "no configuration": _without("config.json"),
    "no ledger": _without("ledger.jsonl"),
    "a file left over": _extra(".config.json.1.tmp"),
    "a stranger among the rounds": _extra("decisions/mail-0/notes.txt"),
    "a shard of garbage": _extra("decisions/mail-0/000009.shards/000000.npz"),
    "a file called kept": _file_called_kept,
}


def _stored(name: str, label: str, content: bytes | None) -> Case:
    def script(place: Path, fixture: Fixture) -> Script:
        run = fixture.copy("storing", place / "run")
        for one in ("game.txt", "game0.txt", "game1.txt"):
            fixture.copy(one, place / one)
        if content is None:
            (run / name).unlink()
        else:
            (run / name).write_bytes(content)
        (outcome,) = yield [Command(CLONED, "either", seconds=30.0, may_change=(*MAY, "run/*.txt"), before=plainly)]
        return same(run, fixture.folder / "cloned") if outcome.status == 0 else []

    return Case(KIND, f"{KIND}: resume with stored {name}: {label}", script, 11)
