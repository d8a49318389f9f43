"""Things by name: what a registry refuses, and that a target named by a text is imported when it is first used."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from games.base import GameError, NashmailError
from games.registered import Declaration, Registry, resolved

Maker = Callable[..., str]


def registry() -> Registry[Maker, Declaration]:
    made: Registry[Maker, Declaration] = Registry("oracle")
    made.add("plain", lambda: "said", Declaration("says it"))
    return made


def test_what_is_registered_is_found() -> None:
    oracles = registry()
    assert oracles.find("plain")() == "said"
    assert oracles.about("plain") == Declaration("says it")
    assert "plain" in oracles and "other" not in oracles
    oracles.add("a", lambda: "first", Declaration())
    assert oracles.names() == ["a", "plain"]


def test_unknown_and_taken_names_are_refused() -> None:
    oracles = registry()
    for find in (oracles.find, oracles.about, oracles.check):
        with pytest.raises(NashmailError, match=r"^no oracle is called 'x'; the oracles are: plain$"):
            find("x")
    with pytest.raises(NashmailError, match=r"^an oracle called plain is already registered; choose another name$"):
        oracles.add("plain", lambda: "", Declaration())
    for bad in ("", "two words", "a:b", "a/b", "a,b", "a\n", "\x1b[2J"):
        with pytest.raises(NashmailError, match=r"^an oracle's name is a new word of letters, .* not '"):
            oracles.add(bad, lambda: "", Declaration())
    assert oracles.names() == ["plain"]


def test_a_registry_has_an_error_and_a_rule_of_its_own() -> None:
    moves: Registry[Maker, Declaration] = Registry("move", error=GameError, rule="[a-h][1-8]", rule_said="a square")
    moves.add("e4", lambda: "", Declaration())
    with pytest.raises(GameError, match=r"^a move called e4 is already registered"):
        moves.add("e4", lambda: "", Declaration())
    with pytest.raises(GameError, match=r"^a move's name is a square, not 'e9'$"):
        moves.add("e9", lambda: "", Declaration())


def test_a_target_is_imported_when_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "late_module.py").write_text("def speak(word='nothing'):\n    return word\n")
    monkeypatch.syspath_prepend(tmp_path)
    oracles = registry()
    oracles.add("late", "late_module:speak", Declaration("speaks"))
    oracles.add("set", "late_module:speak", Declaration(), settings={"word": "this"})
    assert oracles.about("late").summary == "speaks" and "late_module" not in sys.modules
    assert oracles.find("late")() == "nothing"
    assert oracles.find("set")() == "this"
    monkeypatch.delitem(sys.modules, "late_module")


def test_what_is_no_text_resolves_to_itself() -> None:
    assert resolved("json:dumps") is json.dumps
    assert resolved(json.loads) is json.loads
