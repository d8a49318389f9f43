"""The tables that commands print: a row per pair of policies, with its measures and its budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from agents.storage.reading import printable
from agents.suboptimal import RANDOM_WHEN_LOST
from mail.evaluation.arena.match import Result
from mail.evaluation.arena.rating import Counted, Ratings
from mail.evaluation.intervals import wilson
from mail.evaluation.sampled import by_opponent
from mail.terminal.layout import records

FOLDED = 12  # characters that a folded column of text keeps


def plain(name: str) -> Text:
    """A name as plain text, without markup or escape sequences.

    Args:
        name: Of any content.
    """
    return Text(printable(name))


def _title(title: str) -> Text:
    return Text(printable(title), style="table.title")


class FittingTable(Table):
    """A table in the style of all commands; where it cannot fit, a paragraph for each row instead."""

    def __init__(self, *headings: str, title: str = "", caption: str = "") -> None:
        """A table without rows.

        Args:
            headings: Of columns of text, which are folded where there is no room for them.
            title: What it is about; printed as plain text.
            caption: A remark below.
        """
        super().__init__(
            title=_title(title) if title else None,
            title_justify="left",
            caption=caption or None,
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
        )
        for heading in headings:
            self.add_column(heading, overflow="fold")

    def add_numbers(self, *headings: str) -> None:
        """Add columns that are right-aligned and never folded.

        Args:
            headings: One for each column.
        """
        for heading in headings:
            self.add_column(heading, justify="right", no_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines, as rich calls for them."""
        if self._needs() <= options.max_width:
            yield from super().__rich_console__(console, options)
            return
        cells = [[str(cell) for cell in column.cells] for column in self.columns]
        if self.title:
            yield self.title
        headings = [str(column.header) for column in self.columns]
        yield Text(records(headings, list(zip(*cells, strict=True)), options.max_width).rstrip())
        if self.caption:
            yield self.caption
        yield Text()

    def _needs(self) -> int:
        """The least width at which it can be read: columns of text are folded to ``FOLDED`` characters at most."""
        widths = [max(map(cell_len, (str(column.header), *map(str, column.cells)))) for column in self.columns]
        least = [
            width if column.no_wrap else min(width, column.min_width or FOLDED)
            for width, column in zip(widths, self.columns, strict=True)
        ]
        return sum(least) + len(least) + 2


def learner_table(title: str, rows: dict[str, dict[str, Any]]) -> FittingTable:
    """Exact measures and budget of several pairs of policies.

    Args:
        title: Above the table.
        rows: Measures and budgets, by the names of the pairs.
    """
    table = FittingTable("policy", title=title)
    table.add_numbers("games", "labels", "distinct", "seat 0", "seat 1", "Nash gap", "greedy gap")
    for name, row in rows.items():
        counts = [f"{row[key]:,}" if key in row else "" for key in ("games", "labels", "distinct_labels")]
        measured = [*row["exploitability"], row["nash_gap"], row["greedy_nash_gap"]]
        table.add_row(plain(name), *counts, *(f"{value:z.4f}" for value in measured))
    return table


def expert_row(name: str, measures: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """A row for ``learner_table`` with an expert that is no equilibrium, below those that learned from it; no row for
    one that is, or was not measured.

    Args:
        name: The expert's.
        measures: Its measures; None for an equilibrium.
    """
    return {f"expert {name}": measures} if measures is not None and measures["nash_gap"] is not None else {}


def expert_note(name: str, measures: dict[str, Any] | None) -> list[str]:
    """A line about an expert that is no equilibrium and was not measured; else none.

    Args:
        name: The expert's.
        measures: Its measures; None for an equilibrium.
    """
    if measures is None or measures["nash_gap"] is not None:
        return []
    return [f"the expert {name} is no equilibrium; how exploitable it is was not measured"]


def sampled_table(title: str, rows: dict[str, dict[str, Any]]) -> FittingTable:
    """Budget and win rates of pairs of policies in a game that is too large for exact measures.

    Args:
        title: Above the table.
        rows: Matches and budgets, by the names of the pairs.
    """
    note = "seats: win rates, 95 % Wilson"
    if any(f":{RANDOM_WHEN_LOST}" in opponent for row in rows.values() for opponent in by_opponent(row["matches"])):
        note += f"; *: {RANDOM_WHEN_LOST}, random where all moves lose"
    table = FittingTable("policy", title=title, caption=note)
    table.add_column("against", no_wrap=True)
    table.add_numbers("games", "labels", "distinct", "seat 0", "seat 1")
    for name, row in rows.items():
        words = [name, *(f"{row[key]:,}" for key in ("games", "labels", "distinct_labels"))]
        for opponent, (first, second) in by_opponent(row["matches"]).items():
            rates = _rate(first["wins"], first), _rate(second["losses"], second)
            table.add_row(plain(words[0]), plain(opponent.replace(f":{RANDOM_WHEN_LOST}", "*")), *words[1:], *rates)
            words = [""] * 4
    return table


def sampled_lines(rows: dict[str, dict[str, Any]]) -> list[str]:
    """Further results of each pair of policies, one per line.

    Args:
        rows: As in ``sampled_table``.
    """
    lines = []
    for name, row in ((printable(name), row) for name, row in rows.items()):
        lines += _by_search(name, row)
        if "certificates" not in row:
            continue
        first = row["certificates"][0]
        outcome = {
            True: f"refuted in {len(first['line'])} moves",
            False: f"proven unbeatable over {first['positions']:,} positions",
            None: f"not refuted within {first['positions']:,} positions",
        }[first["refuted"]]
        openings = row["openings"]
        lines.append(
            f"{name}: seat 0, greedy: {outcome}; seat 1, greedy: {openings['drawn']} of {openings['openings']} drawn "
            f"openings held, loses from the start after {openings['moves_to_loss_from_start']} own moves"
        )
        for seat, sources in enumerate(row["blunders"]):
            rates = ", ".join(f"{part['source']} {_share(part['rate'])}" for part in sources)
            lines.append(f"{name}: seat {seat} blunders on positions never labelled: {rates}")
    return lines


def _by_search(name: str, row: dict[str, Any]) -> list[str]:
    """A learner's bounds in a game without exact measures or a solver: learned responses, and a deeper search."""
    lines = []
    for seat, found in enumerate(row.get("responses", ())):
        low, high = found["interval"]
        lines.append(
            f"{name}: seat {seat}: its best opponent wins at least what a response learned in {found['games']:,} games "
            f"does, {found['value']:+z.3f} a game ({low:+z.3f} to {high:+z.3f}, 95 %)"
        )
    judged = row.get("search_blunders", {"seats": ()})
    for seat, sources in enumerate(judged["seats"]):
        rates = ", ".join(f"{part['source']} {_share(part['rate'])}" for part in sources)
        lines.append(
            f"{name}: seat {seat} blunders by a search with {judged['simulations']:,} simulations, on positions never "
            f"labelled: {rates}"
        )
    return lines


def _share(rate: float | None) -> str:
    return "-" if rate is None else f"{100 * rate:.1f} %"


def _rate(wins: int, match: dict[str, Any]) -> str:
    low, high = wilson(wins, match["games"])
    return f"{low:z.2f}-{high:.2f}"


def result_table(results: Sequence[Result]) -> FittingTable:
    """One row per ordered pair, from the first player's view.

    Args:
        results: Of the pairs.
    """
    exact = any(result.exact for result in results)
    table = FittingTable("first", "second")
    table.add_numbers("won", "drawn", "lost", "win rate", *(["exact"] if exact else []))
    for result in results:
        counts = [f"{count:,}" for count in (result.wins, result.draws, result.losses)]
        chances = [" ".join(map(_in_four, result.exact))] if result.exact else []
        interval = "-".join(map(_in_four, result.interval))
        table.add_row(plain(result.first), plain(result.second), *counts, interval, *chances)
    return table


def _in_four(rate: float) -> str:
    """A rate in four characters."""
    text = f"{rate:.3f}"
    return text[1:] if text.startswith("0") else text[:4]


def cross_table(results: Sequence[Counted]) -> FittingTable:
    """Everyone against everyone: the score of the row's player in seat 0 against the column's; draws count half.

    Args:
        results: Of all ordered pairs.
    """
    names = list(dict.fromkeys(name for result in results for name in (result.first, result.second)))
    table = FittingTable("", "seat 0")
    table.add_numbers(*(str(number + 1) for number in range(len(names))))
    scores = {(result.first, result.second): _score(result) for result in results}
    for number, name in enumerate(names):
        table.add_row(str(number + 1), plain(name), *(scores.get((name, other), "-") for other in names))
    return table


def _score(result: Counted) -> str:
    games = result.wins + result.draws + result.losses
    return f"{(result.wins + result.draws / 2) / games:.3f}" if games else "-"


def rating_table(ratings: Ratings) -> FittingTable:
    """Points with their intervals, in descending order.

    Args:
        ratings: Of all players.
    """
    table = FittingTable("", "player")
    table.add_numbers("points", "95 %")
    for place, (name, points, half) in enumerate(
        zip(ratings.names, ratings.points, ratings.interval, strict=True), start=1
    ):
        table.add_row(str(place), plain(name), f"{points:+z.0f}", f"+-{half:.0f}")
    return table
