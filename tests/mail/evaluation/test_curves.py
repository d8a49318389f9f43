"""Figures of curves: which runs are one line, axes that hold the data, and texts that do not overlap."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.text import Text

from mail.evaluation.curves import draw, lines_of
from mail.evaluation.figure import draw_run, image


def result(
    learners: tuple[str, ...] = ("mail",),
    *,
    explorer: str = "deep",
    expert: str = "first",
    symmetry: bool = False,
    labels: tuple[int, ...] = (100, 200),
    values: tuple[float, ...] = (1.0, 0.0),
) -> dict[str, Any]:
    """What a run writes, as far as figures read it."""
    curve = [
        {"labels": count, "exploitability": value, "greedy_exploitability": value / 2}
        for count, value in zip(labels, values, strict=True)
    ]
    return {
        "config": {"game": "tictactoe", "explorer": explorer, "expert": expert},
        "exact": True,
        "symmetry": symmetry,
        "seed": 0,
        "curves": {name: [curve, curve] for name in learners},
    }


def names(*results: dict[str, Any], wanted: str = "") -> list[tuple[str, int]]:
    return [(line.name, len(line.seats[0])) for line in lines_of((wanted, one) for one in results)]


def test_runs_that_differ_in_their_seed_are_one_line() -> None:
    assert names(result(("mail", "bc")), result(("mail", "bc"))) == [("mail", 2), ("bc", 2)]
    assert names(result(("mail", "bc")), wanted="bc") == [("bc", 1)]


def test_lines_are_named_by_what_distinguishes_them() -> None:
    assert names(result(), result(explorer="counts")) == [("mail, explorer deep", 1), ("mail, explorer counts", 1)]
    assert names(result(("bc",)), result(explorer="counts")) == [("bc", 1), ("mail", 1)]
    assert names(result(), result(symmetry=True)) == [("mail, no symmetry", 1), ("mail, symmetry", 1)]
    assert names(result(), result(("bc",), expert="uniform")) == [("mail, expert first", 1), ("bc, expert uniform", 1)]


def texts(figure: Figure) -> list[Text]:
    """Every visible text of ticks, titles, axis labels and legends."""
    figure.canvas.draw()
    found = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes overlap by more than a pixel."""
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    pairs = []
    for (one, first), (other, second) in combinations(boxes, 2):
        wide = min(first.x1, second.x1) - max(first.x0, second.x0)
        high = min(first.y1, second.y1) - max(first.y0, second.y0)
        if wide > 1 and high > 1:
            pairs.append((one, other))
    return pairs


CASES: dict[str, list[dict[str, Any]]] = {
    "one point": [result(labels=(7,), values=(0.0,))],
    "all zero": [result(values=(0.0, 0.0))],
    "tiny and large": [result(labels=(1, 10, 100_000), values=(12.6, 1e-9, 3e-4))],
    "narrow": [result(labels=(800, 1_000_000), values=(0.9, 0.8))],
    "neighbours": [result(labels=(5, 6), values=(0.51, 0.5))],
    "twelve learners": [result(tuple(f"learner-{index}" for index in range(12)))],
    "seeds of two explorers": [result(explorer=name) for name in ("deep", "deep", "counts")],
}


@pytest.mark.parametrize("case", CASES)
def test_texts_do_not_overlap_and_points_are_inside(case: str) -> None:
    figure = draw(lines_of(("", one) for one in CASES[case]), "a title")
    try:
        assert overlapping(figure) == []
        for axes in figure.axes:
            low, high = axes.get_ylim()
            left, right = axes.get_xlim()
            for line in axes.get_lines():
                x, y = (np.asarray(values, dtype=float) for values in line.get_data())
                assert ((low <= y) & (y <= high) & (left <= x) & (x <= right)).all()
        ticks = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        assert ticks[0] == "0" and len(ticks) >= 2
    finally:
        plt.close(figure)


def test_the_check_for_overlaps_finds_them() -> None:
    figure, axes = plt.subplots()
    axes.set_xticks([0.0, 0.001, 1.0], ["0.000", "0.001", "1"])
    try:
        assert ("0.000", "0.001") in overlapping(figure)
    finally:
        plt.close(figure)


def test_zero_is_drawn_at_zero() -> None:
    figure = draw(lines_of([("", result(values=(1.0, 0.0)))]), "")
    try:
        scale = figure.axes[0].transData
        at_zero, at_least = (scale.transform((100, value))[1] for value in (0.0, 0.1))
        assert at_zero < at_least - 5
        assert [line.get_ydata()[-1] for line in figure.axes[0].get_lines()] == [0.0, 0.0]  # type: ignore[index]
    finally:
        plt.close(figure)


@pytest.mark.parametrize(("form", "head"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_equal_figures_are_equal_files(form: str, head: bytes) -> None:
    first, second = (image(draw(lines_of([("", result())]), ""), form) for _ in range(2))
    assert first == second and first.startswith(head)


def test_a_run_draws_its_own_curves() -> None:
    assert draw_run(result(("mail", "bc")), "a run").startswith(b"\x89PNG")
