"""The script that attacks the command: what it counts as answered badly, the faults it makes, and a short attack."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attacks.judging import judge
from attacks.mutations import mutations, packed
from attacks.running import Command, Outcome

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
SHORT = 50  # cases of the short form


def judged(
    status: int, *, out: bytes = b"said\n", err: bytes = b"", after: dict[str, Any] | None = None, **changes: Any
) -> list[str]:
    """What is bad about a command that ended so, in a folder with one file."""
    fields = {name: changes.pop(name) for name in ("hung", "left", "memory") if name in changes}
    command = Command(("gap", "run"), **{"expect": "either", **changes})
    outcome = replace(Outcome(command, status, out, err, 1.0, 100), **fields)
    before = {"run/config.json": ("file", 5, "a")}
    return judge(outcome, before, before if after is None else after)


def test_one_line_and_status_2_is_a_good_answer() -> None:
    assert judged(2, err=b"nashmail gap: there is no run\n", expect="refuse") == []
    assert judged(0, expect="accept") == []
    assert judged(130, err=b"nashmail gap: interrupted\n", statuses=(130,)) == []


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"status": 1}, "exit status 1"),
        ({"status": -11}, "signal 11"),
        ({"status": 2}, "without a word"),
        ({"status": 2, "err": b"nashmail gap: a\nand b\n"}, "2 lines"),
        ({"status": 2, "err": b"Error: no\n"}, "not nashmail's"),
        ({"status": 2, "err": b"nashmail gap: " + b"a" * 9000}, "a line of"),
        ({"status": 2, "err": b"Traceback (most recent call last):\nKeyError: 1\n"}, "crash"),
        ({"status": 0, "err": b"x.py:1: RuntimeWarning: nan\n"}, "all was right"),
        ({"status": 0, "out": b"\x1b[2J"}, "control character"),
        ({"status": 2, "err": "nashmail gap: \u202e\n".encode()}, "control character"),
        ({"status": 0, "out": b" \n"}, "printed nothing"),
        ({"status": 0, "expect": "refuse"}, "accepted what is wrong"),
        ({"status": 2, "err": b"nashmail gap: no\n", "expect": "accept"}, "refused what is right"),
        ({"status": 2, "err": b"nashmail gap: no\n", "after": {}}, "changed run/config.json"),
        ({"status": 0, "after": {"run/.a.tmp": ("file", 1, "b")}}, "left run/.a.tmp"),
        ({"status": 0, "after": {"ran": ("file", 1, "b")}}, "ran code"),
        ({"status": 0, "memory": 5000}, "5000 MiB"),
        ({"status": 0, "left": ("raylet", "gcs_server")}, "2 processes"),
        ({"status": -9, "hung": True}, "no answer"),
    ],
)
def test_what_is_answered_badly(fault: dict[str, Any], word: str) -> None:
    assert any(word in one for one in judged(**fault)), judged(**fault)


@pytest.mark.parametrize("out", [b'{"a": NaN}', b'{"a": Infinity}', b"{", b'{"a": [-0.0]}'])
def test_json_is_strict(out: bytes) -> None:
    command = Command(("gap", "run", "--json"), "accept")
    assert judge(Outcome(command, 0, out, b"", 1.0, 100), {}, {})


def test_faults_are_faults_and_the_same_for_a_seed() -> None:
    data = json.dumps({"format": 1, "seed": 3, "learners": ["mail"]}, indent=2).encode()
    faults = list(mutations("config.json", data, np.random.default_rng(0)))
    assert all(content != data for _, content in faults)
    assert len({label for label, _ in faults}) > 50
    assert faults == list(mutations("config.json", data, np.random.default_rng(0)))
    names = {
        "label": np.ones((2, 3)),
        "reward": np.ones(2),
        "key": np.ones((2, 2), np.uint64),
        "state": np.ones((2, 1), int),
    }
    more = {name: np.zeros(2, int) for name in ("seat", "played", "next")}
    rounds = dict(
        mutations("000000.npz", packed({**names, **more, "legal": np.ones((2, 3), bool)}), np.random.default_rng(0))
    )
    assert {"bomb", "objects", "labels NaN", "other seat"} <= set(rounds)
    assert len(rounds["bomb"]) < 1 << 24


@pytest.mark.slow
@pytest.mark.faults
def test_a_short_attack_is_answered_well() -> None:
    words = [sys.executable, str(SCRIPTS / "attack.py"), "--quick", "--most", str(SHORT), "--patience", "6", "--json"]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    told = json.loads(ended.stdout)
    assert told["badly"] == [], json.dumps(told["badly"], indent=2)
    assert told["cases"] == SHORT and ended.returncode == 0
