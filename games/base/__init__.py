"""What a game and a model of a game are: the contracts that learners and measures are written against.

Everything is batched. Shape letters, used in every docstring: N positions, A actions (of the larger seat), W words of a
state, S positions of a model, E outcomes, G symmetries, d features. Seats are 0 (moves first, the papers' player 1, the
maximizer) and 1. Rewards are always seat 0's; the game is zero-sum. Sources: Shapley, "Stochastic games" (1953);
docs/algorithms.md, "Setting".
"""

from games.base.arrays import (
    Bools,
    Floats,
    GameError,
    Ints,
    Keys,
    NashmailError,
    Rng,
    States,
    Table,
)
from games.base.game import (
    TEXT,
    Display,
    Enumerable,
    Game,
    Hidden,
    Spec,
    Successors,
    Symmetric,
    as_enumerable,
    as_hidden,
    certain,
    deals,
    one_line,
    pack,
    stuck,
)
from games.base.model import (
    Known,
    Lazy,
    Model,
    Response,
    Steps,
    model_and_game,
)
from games.base.seats import Concealing, Worded, action_words, conceals, sees_move

__all__ = [
    "TEXT",
    "Bools",
    "Concealing",
    "Display",
    "Enumerable",
    "Floats",
    "Game",
    "GameError",
    "Hidden",
    "Ints",
    "Keys",
    "Known",
    "Lazy",
    "Model",
    "NashmailError",
    "Response",
    "Rng",
    "Spec",
    "States",
    "Steps",
    "Successors",
    "Symmetric",
    "Table",
    "Worded",
    "action_words",
    "as_enumerable",
    "as_hidden",
    "certain",
    "conceals",
    "deals",
    "model_and_game",
    "one_line",
    "pack",
    "sees_move",
    "stuck",
]
