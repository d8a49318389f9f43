"""What the figures of Markov games share: a game with its model and experts, exploring once and cloning at several
budgets, exact gaps, and lines with intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from rich import box
from rich.console import Console
from rich.table import Table

from agents.policy import Policy, Seats, Uniform, tabulate
from agents.storage.policies import to_json, write_atomic
from agents.tabular import from_model
from figures.over_seeds import rounded, spread
from games.base import Floats
from games.markov.game import MarkovGame
from games.markov.model import MarkovModel
from games.registry import make
from mail.clone.dataset import sampled_labels
from mail.data.decisions import Decisions, merge
from mail.evaluation.axes import seeds_line
from mail.evaluation.gap import exploitability, nash_gap
from mail.learners.budget import Budget, BudgetTracker
from mail.learners.collect import Collector, Options, cloned
from mail.learners.interactive import Mail
from mail.parallel.streams import stream

ROUNDED = 1e-9
"""Gaps below this are drawn as 0."""


@dataclass(frozen=True)
class SolvedGame:
    """A game, what is known of it exactly, and its experts."""

    game: MarkovGame
    model: MarkovModel
    tables: tuple[Floats, Floats]
    experts: Seats


def on(game: MarkovGame, ties: str = "first") -> SolvedGame:
    """A game whose experts play its equilibrium with these ties."""
    model = MarkovModel(game)
    tables = model.equilibrium(ties)
    return SolvedGame(game, model, tables, (from_model(model, 0, tables[0]), from_model(model, 1, tables[1])))


@cache
def named(name: str, ties: str = "first") -> SolvedGame:
    """A registered game with its model and experts, made once."""
    return on(cast(MarkovGame, make(name)), ties)  # these figures name Markov games only


@dataclass(frozen=True)
class Line:
    """One method: who explores, how labels are cloned, in which game. Exploring as the expert makes MAIL into BC."""

    explorer: str
    cloner: str
    game: str
    ties: str = "first"


def explored(solved: SolvedGame, explorer: str, episodes: int, options: Options) -> tuple[Decisions, Decisions]:
    """Per seat its expert's labels, in ``episodes`` games of an explorer against it."""
    budget = Budget(episodes, patience_games=10**9)
    mail = Mail(options, explorer=explorer)
    collector = Collector("mail", solved.game, options.seed)
    first, second = (mail.explore(collector, solved.experts, budget, seat).decisions for seat in (0, 1))
    return (sampled_labels(first), sampled_labels(second)) if options.sample_labels else (first, second)


def clones(
    solved: SolvedGame, cloner: str, collected: tuple[Decisions, Decisions], games: int, options: Options
) -> Seats:
    """Both seats' clones of the labels of their first games."""
    first, second = (_clone(solved, cloner, collected[seat], seat, games, options) for seat in (0, 1))
    return first, second


def _clone(solved: SolvedGame, cloner: str, collected: Decisions, seat: int, games: int, options: Options) -> Policy:
    rng = stream(options.seed, "figure/clone", seat=seat, round_=games)
    part = collected.take(collected.episode < games)
    if not part.labels():
        return Uniform()
    return cloned(cloner, solved.game, part, seat, options, rng=rng).policy


def gaps(solved: SolvedGame, line: Line, budgets: Sequence[int], options: Options) -> list[float]:
    """The exact Nash gap of the clones after each number of games a seat."""
    collected = explored(solved, line.explorer, budgets[-1], options)
    return [
        nash_gap(solved.model, clones(solved, line.cloner, collected, games, options)).nash_gap for games in budgets
    ]


class Reaching(BudgetTracker):
    """Queries until the clone of a seat's labels is good enough: its exact exploitability at most ``target``, at
    ``in_a_row`` measures (measuring, not learning). It is measured after the numbers of games in ``at``, or, with
    none given, whenever there is a new label.
    """

    def __init__(
        self, solved: SolvedGame, seat: int, cloner: str, options: Options, *, target: float, most: int,
        at: Sequence[int] = (), in_a_row: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(Budget(most, patience_games=10**9), seat)
        self.solved, self.cloner, self.options, self.target = solved, cloner, options, target
        self.at, self.in_a_row = at, in_a_row
        self.played: list[Decisions] = []
        self.losses: list[float] = []
        self.measured: list[tuple[int, int]] = []  # games and queries at each measure

    def update(self, decisions: Decisions) -> None:
        for game in range(decisions.games):  # a round may be many games
            known = len(self._seen)
            super().update(one_game(decisions, game))
            self.played.append(one_game(decisions, game))
            if not self.reached and (self.games in self.at if self.at else len(self._seen) > known):
                self._measure()

    def _measure(self) -> None:
        clone = _clone(self.solved, self.cloner, merge(self.played), self.seat, self.games, self.options)
        table = tabulate(self.solved.model, clone, self.seat)
        self.losses.append(exploitability(self.solved.model, table, self.seat))
        self.measured.append((self.games, self.labels))

    @property
    def reached(self) -> bool:
        """Whether the last measures say so."""
        return len(self.losses) >= self.in_a_row and max(self.losses[-self.in_a_row :]) <= self.target

    @property
    def done(self) -> bool:
        return self.reached or super().done

    def run(self, explorer: str) -> Reaching:
        """Explore until it is enough."""
        collector = Collector("mail", self.solved.game, self.options.seed)
        mail = Mail(self.options, explorer=explorer)
        mail.explore(collector, self.solved.experts, self.budget, self.seat, self)
        return self


def one_game(decisions: Decisions, game: int) -> Decisions:
    """The rows of one episode, as if it were the only one."""
    part = decisions.take(decisions.episode == game)
    return replace(part, episode=np.zeros(len(part), dtype=np.int64))


def banded(
    axes: Axes, x: Sequence[float], rows: Sequence[Sequence[float]], *, label: str, colour: str, **look: Any
) -> None:
    """The median over seeds with its quartiles; what differs from 0 by rounding alone is 0."""
    values = np.array(rows)
    seeds_line(axes, x, np.where(values < ROUNDED, 0.0, values).tolist(), label=label, color=colour, **look)


def cell(values: Sequence[float]) -> str:
    """Mean and 95 % interval of some gaps."""
    return spread(values, ".3f")


def grid(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    for heading in headings:
        table.add_column(heading, justify="right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=150, markup=False, highlight=False, emoji=False).print(table)


def keep(out: Path, name: str, data: dict[str, Any]) -> None:
    """Write a figure's data."""
    write_atomic(out / f"{name}.json", to_json(rounded(data)))
