"""The tables that commands print: a row per pair of policies, with its measures and its budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from agents.storage.reading import printable
from agents.suboptimal import RANDOM_WHEN_LOST
from mail.evaluation.arena.rating import Counted, Ratings
from mail.evaluation.intervals import wilson
from mail.evaluation.sampled import by_opponent


def plain(name: str) -> Text:
    """A name as plain text, without markup or escape sequences."""
    return Text(printable(name))


def _title(title: str) -> Text:
    return Text(printable(title), style="table.title")


def learner_table(title: str, rows: dict[str, dict[str, Any]]) -> Table:
    """Exact measures and budget of several pairs of policies. Fits 80 columns."""
    table = Table(title=_title(title), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("policy", overflow="fold")
    for heading in ("games", "labels", "distinct", "seat 0", "seat 1", "Nash gap", "greedy gap"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in rows.items():
        counts = [f"{row[key]:,}" if key in row else "" for key in ("games", "labels", "distinct_labels")]
        measured = [*row["exploitability"], row["nash_gap"], row["greedy_nash_gap"]]
        table.add_row(plain(name), *counts, *(f"{value:z.4f}" for value in measured))
    return table


def expert_row(name: str, measures: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """A row for ``learner_table`` with an expert that is no equilibrium, below those that learned from it; no row for
    one that is, or was not measured.
    """
    return {f"expert {name}": measures} if measures is not None and measures["nash_gap"] is not None else {}


def expert_note(name: str, measures: dict[str, Any] | None) -> list[str]:
    """A line about an expert that is no equilibrium and was not measured; else none."""
    if measures is None or measures["nash_gap"] is not None:
        return []
    return [f"the expert {name} is no equilibrium; how exploitable it is was not measured"]


def sampled_table(title: str, rows: dict[str, dict[str, Any]]) -> Table:
    """Budget and win rates of pairs of policies in a game that is too large for exact measures. Fits 80 columns."""
    note = f"seats: win rates, 95 % Wilson; *: {RANDOM_WHEN_LOST}, random where all moves lose"
    table = Table(title=_title(title), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=note)
    table.add_column("policy", overflow="fold")
    table.add_column("against", no_wrap=True)
    for heading in ("games", "labels", "distinct", "seat 0", "seat 1"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in rows.items():
        words = [name, *(f"{row[key]:,}" for key in ("games", "labels", "distinct_labels"))]
        for opponent, (first, second) in by_opponent(row["matches"]).items():
            rates = _rate(first["wins"], first), _rate(second["losses"], second)
            table.add_row(plain(words[0]), plain(opponent.replace(f":{RANDOM_WHEN_LOST}", "*")), *words[1:], *rates)
            words = [""] * 4
    return table


def sampled_lines(rows: dict[str, dict[str, Any]]) -> list[str]:
    """Further results of each pair of policies, one per line."""
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


def cross_table(results: Sequence[Counted]) -> Table:
    """Everyone against everyone: the score of the row's player in seat 0 against the column's; draws count half."""
    names = list(dict.fromkeys(name for result in results for name in (result.first, result.second)))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", justify="right")
    table.add_column("seat 0", overflow="fold")
    for number in range(len(names)):
        table.add_column(str(number + 1), justify="right", no_wrap=True)
    scores = {(result.first, result.second): _score(result) for result in results}
    for number, name in enumerate(names):
        table.add_row(str(number + 1), plain(name), *(scores.get((name, other), "-") for other in names))
    return table


def _score(result: Counted) -> str:
    games = result.wins + result.draws + result.losses
    return f"{(result.wins + result.draws / 2) / games:.3f}" if games else "-"


def rating_table(ratings: Ratings) -> Table:
    """Points with their intervals, in descending order. Fits 80 columns."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", justify="right")
    table.add_column("player", overflow="fold")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("95 %", justify="right", no_wrap=True)
    for place, (name, points, half) in enumerate(
        zip(ratings.names, ratings.points, ratings.interval, strict=True), start=1
    ):
        table.add_row(str(place), plain(name), f"{points:+z.0f}", f"+-{half:.0f}")
    return table
