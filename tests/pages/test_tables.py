"""The tables of the pages hold the figures' data: each row is one that `reproduce.py FIGURE --redraw` prints."""

from __future__ import annotations

import importlib
import re
import shutil
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from figures import markov_games
from reproduce import PACKAGES
from tests.pages.reading import ROOT

FIGURES = {
    "tictactoe": "results",
    "asks": "results",
    "connect4-exact": "connect4",
    "connect4": "connect4",
    "dimension": "markov-games",
    "cards": "cards",
    "experts": "results",
}
"""Figures whose tables are on a page row by row, and the page."""

pytestmark = [pytest.mark.slow, pytest.mark.pages]


@pytest.mark.parametrize("figure", FIGURES)
def test_every_row_is_printed(
    figure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module(f"figures.{PACKAGES.get(figure, '')}{figure.replace('-', '_')}")
    for place in (module, markov_games):
        if hasattr(place, "Console"):
            monkeypatch.setattr(place, "Console", partial(wide, place.Console))
    monkeypatch.setattr(module, "draw", lambda *data: None, raising=False)
    monkeypatch.setattr(module, "picture", lambda *written: None, raising=False)
    shutil.copy(ROOT / "docs" / "figures" / f"{figure}.json", tmp_path)
    module.redraw(tmp_path)
    printed = [numbers(line) for line in capsys.readouterr().out.splitlines()]
    rows = table_rows(ROOT / "docs" / f"{FIGURES[figure]}.md", figure)
    assert len(rows) > 5
    assert [row for row in rows if numbers(row) not in printed] == []


def wide(make: type[Console], **options: object) -> Console:
    """A console in which no cell is wrapped."""
    return make(**{**options, "width": 250})  # type: ignore[arg-type]


def table_rows(page: Path, figure: str) -> list[str]:
    """The rows of the tables in the section that names the figure's command, headings left out."""
    for section in page.read_text().split("\n## "):
        if re.search(rf"reproduce\.py {figure}\b(?!-)", section):
            return re.findall(r"^\|(?! ---).*\d.*$(?!\n\| ---)", section, re.MULTILINE)
    return []


def numbers(row: str) -> list[float]:
    """The numbers of a row, from left to right; those of its names, too."""
    return [float(number.replace(",", "")) for number in re.findall(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?![\w.])", row)]
