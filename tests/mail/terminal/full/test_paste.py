"""What was pasted is no move, however slowly a busy machine reads it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from prompt_toolkit.keys import Keys

from mail.terminal.full import app


@pytest.mark.parametrize("seconds", [0.01, 0.5])
def test_a_paste_is_dropped_until_the_keys_are_a_persons_again(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[str] = []
    clock = iter(range(1000))
    monkeypatch.setattr("time.monotonic", lambda: next(clock) * seconds)
    pasted = ["\x1b[200~" + "4\r" * 508, *["4\r" * 512] * 20]
    reads = iter([*pasted, "4"])
    guarded: Any = app._Guarded.__new__(app._Guarded)
    guarded.stdin_reader = SimpleNamespace(read=lambda: next(reads))
    guarded.vt100_parser = SimpleNamespace(feed=fed.append, reset=lambda: fed.append("reset"))
    guarded._buffer = []
    keys = [key for _ in pasted for key in guarded.read_keys()]
    assert [key.key for key in keys] == [Keys.BracketedPaste]
    assert fed == [pasted[0], *["reset"] * 20]
    monkeypatch.setattr("time.monotonic", lambda: 1e6)
    guarded.read_keys()
    assert fed[-1] == "4"
