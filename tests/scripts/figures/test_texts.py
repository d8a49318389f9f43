"""No texts of a figure of docs/ overlap: ticks, labels, titles, legends, notes."""

from __future__ import annotations

import importlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from figures.field import leaderboard
from mail.evaluation.axes import log_ticks, overlaps
from reproduce import PACKAGES

DOCS = Path(__file__).parents[3] / "docs" / "figures"
DRAWN = (
    *("asks", "cards", "chain", "concentrability", "connect4", "connect4-exact", "dimension", "linear"),
    *("offline-limits", "rates", "tictactoe", "unbeatable", "value-gap"),
)
PACKAGED = ("cloning", "responses")
BOARDS = [f"leaderboard-{contest.file}" for contest in leaderboard.FIELD]


@cache
def found() -> list[Any]:
    """The leaderboard's stored cells, which take seconds to read and resample."""
    return list(leaderboard.found_in(DOCS))


def drawn(name: str) -> Figure:
    """A figure of docs/, from its stored data."""
    if name in BOARDS:
        return next(
            leaderboard.draw(contest, entrants)
            for contest, _, entrants in found()
            if name == f"leaderboard-{contest.file}"
        )
    module = importlib.import_module(f"figures.{PACKAGES.get(name, '')}{name.replace('-', '_')}")
    figure: Figure = module.draw(json.loads((DOCS / f"{name}.json").read_bytes()))
    return figure


@pytest.mark.slow
@pytest.mark.pages
@pytest.mark.parametrize("name", (*DRAWN, *PACKAGED, *BOARDS))
def test_no_texts_overlap(name: str) -> None:
    figure = drawn(name)
    assert overlaps(figure) == []
    plt.close(figure)


@pytest.mark.slow
@pytest.mark.pages
def test_every_figure_is_measured_and_is_there_for_print() -> None:
    assert sorted(path.stem for path in DOCS.glob("*.png")) == sorted((*DRAWN, *PACKAGED, *BOARDS))
    for name in (*DRAWN, *PACKAGED, *BOARDS):
        assert (DOCS / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert (DOCS / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_texts_that_overlap_are_found() -> None:
    figure, axes = plt.subplots(figsize=(2, 2))
    axes.set_xticks([0, 0.01, 1], ["one hundred", "two hundred", "three"])
    assert ("one hundred", "two hundred") in overlaps(figure)
    plt.close(figure)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (160, 5120, [200, 500, 1000, 2000, 5000]),
        (1, 2000, [1, 10, 100, 1000]),
        (5, 20, [5, 10, 20]),
        (3, 4, [3, 4]),
    ],
)
def test_logarithmic_ticks(low: float, high: float, ticks: list[float]) -> None:
    assert log_ticks(low, high) == pytest.approx(ticks)
