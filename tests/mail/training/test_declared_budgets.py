"""Budgets follow from what learners declare, whatever they are called."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import mail
from mail import learners
from mail.learners import LearnerDeclaration
from mail.learners.bc import Bc
from mail.learners.budget import Budget
from mail.learners.interactive import Mail
from mail.training.config import Config
from mail.training.folder import Run
from mail.training.train import train

pytestmark = pytest.mark.usefixtures("registries_as_they_were")

EXPLORES = LearnerDeclaration(knows=frozenset({"labels"}), explores=True)
DOES_NOT = LearnerDeclaration(knows=frozenset({"labels", "expert"}))


def budgets(order: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], Any]:
    """Each learner's budget of labels in a small run, and the result."""
    given: dict[str, Any] = {}

    def spy(kind: type[Mail] | type[Bc]) -> None:
        real: Any = kind.learn

        def learn(self: Any, game: Any, experts: Any, budget: Budget, **words: Any) -> Any:
            given[self.name] = budget.labels
            return real(self, game, experts, budget, **words)

        monkeypatch.setattr(kind, "learn", learn)

    spy(Mail)
    spy(Bc)
    config = Config("tictactoe:2x2:2", learners=order, explorer="uniform", episodes=3, points=1)
    return given, train(Run.create(folder, config))


def test_who_explores_goes_by_its_declaration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mail.evaluation.figure.draw_run", lambda result, title: b"")
    learners.register("scout", lambda options: Mail(options, name="scout", cloner="tabular"), EXPLORES)
    learners.register("mail-copy", lambda options: Bc(options, name="mail-copy", cloner="tabular"), DOES_NOT)
    given, result = budgets(("mail-copy", "scout", "bc-tabular", "mail-tabular"), tmp_path / "run", monkeypatch)
    spent = tuple(result["learners"]["scout"]["labels_by_seat"])
    assert given == {"mail-copy": None, "scout": None, "bc-tabular": spent, "mail-tabular": None}


def test_train_takes_what_a_configuration_holds() -> None:
    taken = {name: one.default for name, one in inspect.signature(mail.train).parameters.items()}
    del taken["progress"]  # it changes nothing
    assert set(taken) - {"game", "out"} == {one.name for one in fields(Config)} - {
        "game",
        "from_games",
        "imports",
    }
    assert {name: taken[name] for name in set(taken) - {"game", "out"}} == {
        one.name: one.default for one in fields(Config) if one.name in set(taken) - {"game"}
    }
    assert not any(one.kind == one.VAR_KEYWORD for one in inspect.signature(mail.train).parameters.values())
