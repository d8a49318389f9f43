"""Every file of a run's folder, mutated: a command refuses it in one line, or says what it says of the run as it
was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mail.commands.cli import main

GAME = "tictactoe:2x3:2"
TRAIN = ("train", GAME, "--seed", "1", "--episodes", "3", "--learner", "mail,bc-linear")
CONTROL = frozenset(map(chr, (*range(10), *range(11, 32), *range(127, 160))))
DEEP = b"[" * 200_000

FILES = (
    "config.json", "result.json", "metrics.jsonl", "clock.json", "policies/mail-0.json", "policies/mail-0.safetensors",
    "policies/bc-linear-1.json", "policies/bc-linear-1.safetensors", "decisions/mail-0/000000.npz",
    "decisions/bc-linear-0/000000.npz",
)  # fmt: skip


def nashmail(*words: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a command in this process."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(list(words))
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
    return status, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run, finished."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    status, _, said = nashmail(*TRAIN, "--out", str(folder))
    assert status == 0, said
    return folder


@pytest.fixture(scope="module")
def undisturbed(trained: Path) -> dict[str, str]:
    """What every command says of it."""
    said = {name: nashmail(*words(trained)) for name, words in READERS.items()}
    assert all(status == 0 for status, _, _ in said.values()), said
    return {name: out for name, (_, out, _) in said.items()}


@pytest.fixture(scope="module")
def unfinished(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, killed before its result was written."""
    folder = tmp_path_factory.mktemp("unfinished") / "run"
    shutil.copytree(trained, folder)
    (folder / "result.json").unlink()
    return folder


def measured(out: str) -> Any:
    """What a command says with --json, clock times apart."""
    return {key: value for key, value in json.loads(out).items() if key not in ("seconds", "run")}


READERS: dict[str, Callable[[Path], tuple[str, ...]]] = {
    "gap": lambda run: ("gap", str(run), "--json"),
    "exploit": lambda run: ("exploit", str(run), "--json"),
    "match": lambda run: ("match", GAME, str(run), "random", "--games", "2", "--json"),
    "resume": lambda run: (*TRAIN, "--out", str(run), "--resume", "--json"),
    "watch": lambda run: ("watch", str(run), "--json"),
}


# --- mutations -------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["\x1b]0;x\x07", -1, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """The file, cut, flipped, grown, or written over."""
    at = draw(st.integers(0, len(data) - 1))
    kind = draw(st.sampled_from(["cut", "flip", "insert", "overwrite", "deep", "json", "json", "key"]))
    if kind in ("json", "key"):
        return _of_json(draw, data, kind)
    if kind == "cut":
        return data[:at]
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]
    if kind == "deep":
        return DEEP + data
    bytes_ = draw(st.binary(min_size=1, max_size=12))
    return data[:at] + bytes_ + data[at + (len(bytes_) if kind == "overwrite" else 0) :]


def _of_json(draw: st.DrawFn, data: bytes, kind: str) -> bytes:
    """A value at a drawn place replaced, or a key taken away; files that are no JSON are emptied."""
    try:
        *before, last = data.splitlines() if data.count(b"\n{") else [data]
        value = json.loads(last)
    except ValueError:
        return b""
    inner, place = value, None
    while isinstance(inner, (dict, list)) and inner and (place is None or draw(st.booleans())):
        key = draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        place, inner = (inner, key), inner[key]
    assert place is not None
    if kind == "key":
        del place[0][place[1]]
    else:
        place[0][place[1]] = draw(JSON)
    return b"\n".join([*before, json.dumps(value).encode(), b""])


@contextmanager
def written(path: Path, data: bytes) -> Iterator[None]:
    """The file with another content, for a while."""
    right = path.read_bytes()
    path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(right)


def refused(status: int, said: str) -> bool:
    """Whether this is an error as all are: one line without control characters, exit status 2."""
    assert status in (0, 2), said
    if status == 0:
        return False
    assert said.startswith("nashmail ") and said.count("\n") == 1 and said.endswith("\n"), said
    assert not CONTROL & set(said), said
    return True


# --- tests -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=st.data())
def test_a_mutated_file_is_refused_or_changes_nothing(
    file: str, trained: Path, undisturbed: dict[str, str], drawn: st.DataObject
) -> None:
    path = trained / file
    reader = drawn.draw(st.sampled_from(sorted(READERS)))
    with written(path, drawn.draw(mutated(path.read_bytes()))):
        status, out, said = nashmail(*READERS[reader](trained))
        if refused(status, said):
            assert out == ""
        elif reader == "watch":
            json.loads(out, parse_constant=pytest.fail)
        else:
            assert measured(out) == measured(undisturbed[reader])


FAULTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another seat": lambda arrays: {**arrays, "seat": 1 - arrays["seat"]},
    "labels that are negative": lambda arrays: {**arrays, "label": -arrays["label"]},
    "labels of zero": lambda arrays: {**arrays, "label": 0 * arrays["label"]},
    "labels that are none": lambda arrays: {**arrays, "label": np.nan * arrays["label"]},
    "keys of garbage": lambda arrays: {**arrays, "key": arrays["key"] + np.uint64(7)},
    "text for keys": lambda arrays: {**arrays, "key": arrays["key"].astype("U8")},
    "complex rewards": lambda arrays: {**arrays, "reward": arrays["reward"].astype(complex)},
    "a row more": lambda arrays: {**arrays, "played": np.append(arrays["played"], 0)},
    "rows in another order": lambda arrays: {name: array[::-1] for name, array in arrays.items()},
    "nothing": lambda arrays: {},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_edited_round_is_refused_or_changes_nothing(
    fault: str, trained: Path, unfinished: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(unfinished, run)
    path = run / "decisions" / "mail-0" / "000000.npz"
    with np.load(path) as arrays:
        np.savez(path, **FAULTS[fault](dict(arrays)))
    status, _, said = nashmail(*TRAIN, "--out", str(run), "--resume")
    if not refused(status, said):
        assert (run / "result.json").read_bytes() == (trained / "result.json").read_bytes()
        assert path.read_bytes() == (trained / "decisions" / "mail-0" / "000000.npz").read_bytes()


@pytest.mark.parametrize(
    ("first", "second"),
    [("mail-0/000000", "mail-1/000000"), ("mail-0/000000", "bc-linear-0/000000"), ("mail-0/000000", "mail-0/000001")],
)
def test_swapped_rounds_are_refused(first: str, second: str, unfinished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(unfinished, run)
    one, other = (run / "decisions" / f"{name}.npz" for name in (first, second))
    if not other.exists():
        pytest.skip("there is one round alone")
    held = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(held)
    status, _, said = nashmail(*TRAIN, "--out", str(run), "--resume")
    assert refused(status, said)
    assert one.name in said and "decisions" in said
