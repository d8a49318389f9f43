"""Tables of every command fit the terminal: as tables where that is possible, as a paragraph for each row elsewhere."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from mail.evaluation.arena.match import Result
from mail.terminal.layout import records
from mail.terminal.tables import FittingTable, learner_table, result_table

ROW: dict[str, Any] = {
    "games": 656,
    "labels": 2361,
    "distinct_labels": 507,
    "exploitability": [0.0, 0.0015],
    "nash_gap": 0.0015,
    "greedy_nash_gap": 0.0,
}


def drawn(table: FittingTable, width: int) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=width).print(table)
    return buffer.getvalue()


def tables() -> dict[str, FittingTable]:
    return {
        "learners": learner_table("tictactoe: exact, 0.01 s", {"mail": ROW, "runs/with-a-long-name:bc": ROW}),
        "results": result_table([Result("runs/demo", "suboptimal:0.5", 12, 5, 183, (0.06, 0.025, 0.915))]),
    }


@pytest.mark.parametrize("name", tables())
@pytest.mark.parametrize("width", [120, 80, 60, 40, 30])
def test_every_cell_can_be_read_at_any_width(name: str, width: int) -> None:
    shown = drawn(tables()[name], width)
    assert "…" not in shown and max(map(len, shown.splitlines())) <= width
    for cell in {"learners": ("2,361", "0.0015", "656"), "results": ("12", "183", ".060 .025 .915")}[name]:
        assert cell in shown


def test_a_narrow_table_names_every_cell() -> None:
    shown = drawn(learner_table("a title", {"mail": ROW}), 40)
    assert shown.splitlines() == [
        "a title",
        "mail",
        "  games: 656; labels: 2,361;",
        "  distinct: 507; seat 0: 0.0000;",
        "  seat 1: 0.0015; Nash gap: 0.0015;",
        "  greedy gap: 0.0000",
        "",
    ]


def test_records_leave_out_what_does_not_apply() -> None:
    assert records(("game", "board", "actions"), [("chain:8", "-", "2"), ("rps", "", "-")], 40) == (
        "chain:8\n  actions: 2\nrps\n"
    )
