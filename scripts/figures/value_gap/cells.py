"""One cell of the figure: a learner, a game, a budget and a seed, and both gaps of what it learns, exact."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from agents.expert import make as make_expert
from agents.policy import greedy_rows
from games.base import Model
from games.models import model_of
from games.registry import make as make_game
from mail.evaluation.exact import table_measures, value_gap
from mail.evaluation.tabulate import profile_tables
from mail.learners.base import Learner, make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Options
from mail.learners.interactive import Mail
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local

MATCHING = (
    "bc-tabular",
    "iq-learn",
    "iq-learn-online",
    "gail",
    "ma-gail",
    "airl",
    "ma-airl",
    "infogail",
    "max-ent",
    "opt-ail",
)
LEARNERS = (*MATCHING, "mail")
GROUNDS = (("tictactoe", "first"), ("tictactoe", "uniform"), ("gridworld:3x3", "first"), ("rps", "uniform"))
GAMES = {"rps": (10, 100, 1000)}
"""Games of two experts, per game; elsewhere ``MOST`` at most, fewer where nothing new comes."""
MOST = 2000
MOST_SEEDS = {"gridworld:3x3": 2, "rps": 2}
"""Where fewer seeds than asked for are run: the first has one demonstrated game, the second shows three budgets."""


@dataclass(frozen=True)
class Cell:
    """One learner in one game, with one seed and budget."""

    game: str
    expert: str
    learner: str
    games: int
    seed: int

    @property
    def name(self) -> str:
        return f"{self.game.replace(':', '_')}-{self.expert}-{self.learner}-{self.games}-{self.seed}"


@cache
def model(name: str) -> Model:
    """The exact model of a game, built once per process."""
    found = model_of(make_game(name))
    assert found is not None
    return found


def measured(cell: Cell) -> dict[str, Any]:
    """A pool's task: learn, and measure both gaps, of the stochastic policy and of the greedy one."""
    exact = model(cell.game)
    experts = make_expert(cell.expert, exact)
    patience = cell.games if cell.game in GAMES else 64
    learner, budget = made(cell), Budget(cell.games * (3 if cell.learner == "mail" else 1), patience_games=patience)
    found = learner.learn(exact.game, experts, budget, pool=Local(), journal=NullJournal())
    _, wanted = profile_tables(exact, experts)
    _, tables = profile_tables(exact, found.policies)
    greedy = greedy_rows(tables[0]), greedy_rows(tables[1])
    gaps = {
        "value_gap": max(value_gap(exact, tables, wanted)),
        "greedy_value_gap": max(value_gap(exact, greedy, wanted)),
    }
    spent = {"labels": sum(found.labels), "distinct_labels": sum(found.distinct_labels)}
    where = {"game": cell.game, "expert": cell.expert, "learner": cell.learner, "games": cell.games, "seed": cell.seed}
    return {**where, **spent, **gaps, **table_measures(exact, tables)}


def made(cell: Cell) -> Learner:
    """The learner; ``mail`` follows the exact best response to its table of labels."""
    options = Options(seed=cell.seed, model=model(cell.game), sample_labels=cell.game in GAMES, explorer="respond")
    if cell.learner != "mail":
        return make_learner(cell.learner, options)
    if options.sample_labels:  # where everything is on the path, the other expert leads there, too
        return Mail(options, explorer="expert", cloner="tabular")
    return Mail(options, explorer="respond", cloner="tabular")


def infinite(game: str, expert: str) -> float:
    """The Nash gap of cloning with infinite data: the experts where they go, uniform play elsewhere."""
    exact = model(game)
    tables = exact.equilibrium(expert)
    seen = (exact.reach(tables) > 0)[:, None]
    legal = [exact.legal(seat) for seat in (0, 1)]
    rows = [part / np.maximum(part.sum(1, keepdims=True), 1) for part in legal]
    limit = np.where(seen, tables[0], rows[0]), np.where(seen, tables[1], rows[1])
    return float(table_measures(exact, limit)["nash_gap"])
