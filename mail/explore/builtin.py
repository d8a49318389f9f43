"""The built-in explorers, as data. Each is imported when it is first made."""

from __future__ import annotations

from mail.explore.base import ExplorerDeclaration, register

_PAPER = "arXiv 2602.22810"
_TABULAR = "arXiv 2510.09325 (template); docs/algorithms.md, tabular exploration"
_RESPONSES = "arXiv 2505.17610; docs/algorithms.md, deep responses"
_PLAY: frozenset[str] = frozenset()
"""Nothing beyond play."""

register(
    "counts",
    "mail.explore.counts:counts",
    ExplorerDeclaration("optimistic planning over the transitions counted so far", _TABULAR, _PLAY),
)
register(
    "deep",
    "mail.explore.deep:deep",
    ExplorerDeclaration("a Q-network rewarded by the elliptical bonus of its own last layer", _PAPER, _PLAY),
)
register(
    "deep-respond",
    "mail.explore.learned.deep:deep_respond",
    ExplorerDeclaration(
        "a Q-network that learns to beat the clone, with queries on the lines that win",
        _RESPONSES,
        frozenset({"labels", "reward"}),
        check="mail.explore.learned.leading:check",
    ),
)
register(
    "deep-unsure",
    "mail.explore.learned.deep:deep_unsure",
    ExplorerDeclaration(
        "a Q-network rewarded by the clone's uncertainty, with queries where it leads",
        _RESPONSES,
        frozenset({"labels"}),
        check="mail.explore.learned.leading:check",
    ),
)
register(
    "doubt",
    "mail.explore.learned.doubt:doubt",
    ExplorerDeclaration(
        "leads the clone to where it knows least, by play, and queries there alone",
        "docs/algorithms.md, queries in doubt",
        frozenset({"labels"}),
        check="mail.explore.learned.leading:check",
    ),
)
register(
    "expert",
    "mail.explore.fixed:expert",
    ExplorerDeclaration("the expert of its own seat, which makes MAIL behavioral cloning", "", frozenset({"expert"})),
)
register(
    "linear",
    "mail.explore.linear:linear",
    ExplorerDeclaration("reward-free LSVI-UCB in the features of the game", _PAPER, _PLAY),
)
register(
    "linear-reference",
    "mail.explore.linear:linear_reference",
    ExplorerDeclaration("the same with the constants of the reference code", _PAPER, _PLAY),
)
register(
    "mistakes",
    "mail.explore.mistakes.explorer:mistakes",
    ExplorerDeclaration(
        "leads the clone to its first mistakes, and queries there alone",
        "docs/algorithms.md, queries at mistakes",
        frozenset({"labels", "rules", "model", "reward"}),
        check="mail.explore.mistakes.explorer:walkable",
    ),
)
register(
    "refute",
    "mail.explore.refute:refute",
    ExplorerDeclaration(
        "plays the line on which the clone loses most, and queries there",
        "docs/algorithms.md, queries driven by refutation",
        frozenset({"labels", "rules", "model", "reward"}),
        check="mail.explore.refute:check",
    ),
)
register(
    "respond",
    "mail.explore.respond:respond",
    ExplorerDeclaration(
        "plays the exact best response to the labels so far, and queries where it leads",
        "docs/algorithms.md, queries driven by refutation",
        frozenset({"labels", "rules", "model", "reward"}),
        check="mail.explore.respond:model_of",
    ),
)
register(
    "tabular",
    "mail.explore.tabular:tabular",
    ExplorerDeclaration("optimistic planning that knows how many steps are left", _TABULAR, _PLAY),
)
register("uniform", "mail.explore.fixed:uniform", ExplorerDeclaration("uniformly random legal actions", _PAPER, _PLAY))
register(
    "unsure",
    "mail.explore.unsure:unsure",
    ExplorerDeclaration(
        "counts, with queries only where an ensemble of clones disagrees",
        "docs/algorithms.md, queries driven by disagreement",
        frozenset({"labels"}),
    ),
)
