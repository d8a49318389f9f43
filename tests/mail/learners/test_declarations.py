"""What learners, explorers and cloners declare is there without torch, and is what runs go by."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from games.base import NashmailError
from mail import learners
from mail.clone.registry import CLONERS
from mail.explore import EXPLORERS, KNOWLEDGE
from mail.learners import LEARNERS, OF_THE_RUN, LearnerDeclaration
from mail.learners.bc import Bc
from mail.learners.collect import Options
from mail.training.config import heading
from tests.support import graph

pytestmark = pytest.mark.usefixtures("registries_as_they_were")


@pytest.mark.parametrize("module", ["mail.learners", "mail.explore", "mail.clone.registry", "mail.training.config"])
def test_declarations_load_no_torch(module: str) -> None:
    code = f"import sys, {module}; print([name for name in ('torch', 'scipy', 'ray', 'rich') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("module", ["mail.learners", "mail.learners.bc", "mail.learners.base"])
def test_every_built_in_learner_is_there_whatever_is_imported_first(module: str) -> None:
    code = f"import {module}; from mail import explore, learners; print(*learners.names(), *explore.names())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert {"bc", "mail", "mail-noise", "mail-tremble", "refute", "uniform"} <= set(done.stdout.split())


@pytest.mark.parametrize("registry", [LEARNERS, EXPLORERS, CLONERS], ids=lambda registry: registry.kind)
def test_every_target_is_there(registry: Any) -> None:
    for name in registry.names():
        assert callable(registry.find(name)) and registry.about(name).summary


def test_a_learner_knows_what_its_explorer_knows() -> None:
    assert learners.knowledge("mail", "deep") == {"labels"}
    assert learners.knowledge("mail", "expert") == {"labels", "expert"}
    assert learners.knowledge("mail", "refute") == {"labels", "rules", "model", "reward"}
    assert learners.knowledge("mail-uniform", "refute") == {"labels"}
    assert learners.knowledge("bc", "refute") == {"labels", "expert"}
    with pytest.raises(NashmailError, match="no explorer is called 'nope'"):
        learners.knowledge("mail", "nope")


def test_who_declares_nothing_may_know_everything_and_does_not_explore() -> None:
    learners.register("undeclared", lambda options: Bc(options))
    assert learners.declared("undeclared") == LearnerDeclaration()
    assert learners.knowledge("undeclared", "deep") == KNOWLEDGE and not learners.declared("undeclared").explores


def test_a_class_may_say_what_it_knows() -> None:
    class Modest(Bc):
        knows = frozenset({"labels"})
        expert = "uniform"

    learners.register("modest", Modest)
    assert learners.declared("modest") == LearnerDeclaration(knows=frozenset({"labels"}), expert="uniform")


@pytest.mark.parametrize(
    ("declared", "explorer", "given"),
    [
        (LearnerDeclaration(knows=frozenset({"labels"})), "refute", False),
        (LearnerDeclaration(knows=frozenset({"labels"}), explorer=OF_THE_RUN), "uniform", False),
        (LearnerDeclaration(knows=frozenset({"labels"}), explorer=OF_THE_RUN), "refute", True),
        (LearnerDeclaration(knows=frozenset({"labels"}), explorer="refute"), "uniform", True),
        (LearnerDeclaration(knows=frozenset({"model"})), "uniform", True),
        (LearnerDeclaration(), "uniform", True),
    ],
)
def test_the_model_is_given_to_those_that_declare_it(declared: LearnerDeclaration, explorer: str, given: bool) -> None:
    learners.register("one", Bc, declared)
    made: Any = learners.make_learner("one", Options(explorer=explorer, model=graph("tictactoe")))
    assert (made.options.model is not None) == given


@pytest.mark.parametrize(("names", "named"), [(["mail", "bc"], True), (["bc", "mail-tabular"], False), (["x"], False)])
def test_a_title_names_the_explorer_if_a_learner_uses_it(names: list[str], named: bool) -> None:
    config = {"game": "chain:4", "expert": "first", "explorer": "deep"}
    result = {"config": config, "symmetry": False, "seed": 3, "learners": {name: {} for name in names}}
    explorer = "explorer deep, " if named else ""
    assert heading(result) == f"chain:4: expert first, {explorer}symmetry off, seed 3"
