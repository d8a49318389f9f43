"""Games and graphs that many tests share, built once per session."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is loaded: two test processes share two cores

import numpy as np
import pytest
from hypothesis import settings

from agents.expert import EXPERTS
from agents.network import Architecture
from agents.solver import Scores, use
from agents.storage.label_cache import LabelCache
from games import Board, GameGraph, Quotient
from games.registry import GAMES
from mail.clone.network import CloneConfig
from mail.clone.presets import Preset
from mail.clone.registry import CLONERS
from mail.explore import EXPLORERS
from mail.learners import LEARNERS
from mail.parallel.ray import RayPool
from tests import support

# A shell starts what runs in its background with Ctrl-C ignored, and children inherit that: tests send it to theirs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run, and no timing: a slow machine is not a fault.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None, max_examples=25)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever starts Ray is slow."""
    for item in items:
        if "ray_pool" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Solver scores go to a folder of the session, never to the user's cache."""
    os.environ["NASHMAIL_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def ray_pool(own_cache: None) -> Iterator[RayPool]:
    """One Ray for all tests, with a small object store; its workers start when the first test needs them."""
    with RayPool(2, patience=0.0, memory=100 << 20) as pool:
        yield pool


@pytest.fixture
def registries_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone afterwards."""
    for registry in (GAMES, EXPERTS, CLONERS, EXPLORERS, LEARNERS):
        monkeypatch.setattr(registry, "entries", dict(registry.entries))


@pytest.fixture
def hurried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connect Four on 6x7 with everything that takes long made short, and a label cache of the test's own."""
    pytest.importorskip("bitbully", reason="the extra `solver` is not installed")
    fit = CloneConfig(Architecture(4, 1, 16, 1), max_steps=40, mirrored=True)
    monkeypatch.setattr("mail.training.context.preset", lambda game: Preset(fit))
    monkeypatch.setattr("mail.evaluation.sampled.GAMES", 2)
    monkeypatch.setattr("mail.evaluation.sampled.HELD_OUT", 4)
    monkeypatch.setattr("mail.evaluation.sampled.OPPONENTS", ("suboptimal:0",))
    monkeypatch.setattr("mail.evaluation.blunders._GAMES", 4)
    monkeypatch.setattr("mail.evaluation.arena.openings.suite", lambda: ("1111256",))
    use(Scores(LabelCache(tmp_path / "cache" / "scores.sqlite")))
    yield
    use(None)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture(scope="session")
def tictactoe() -> Board:
    return support.game("tictactoe")


@pytest.fixture(scope="session")
def quotient() -> Quotient:
    """Tic-Tac-Toe up to symmetry."""
    return support.game("quotient:tictactoe")


@pytest.fixture(scope="session")
def connect4() -> Board:
    return support.game("connect4")


@pytest.fixture(scope="session")
def tictactoe_graph() -> GameGraph:
    return support.graph("tictactoe")


@pytest.fixture(scope="session")
def quotient_graph() -> GameGraph:
    return support.graph("quotient:tictactoe")


@pytest.fixture(scope="session")
def connect4_small_graph() -> GameGraph:
    """Connect Four on 4 x 4."""
    return support.graph("connect4:4x4")
