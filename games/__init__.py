"""The games: rules as batched functions of integer rows, and exact models of those that can be enumerated.

``games.make("tictactoe")`` gives a game, ``games.register(name, factory)`` adds one. This package needs numpy, loads
numba where loops are worth compiling (``games.compiled``), and knows of no learner.
"""

from games.base import (
    Display,
    Enumerable,
    Game,
    GameError,
    Hidden,
    Model,
    NashmailError,
    Response,
    Spec,
    Successors,
    Symmetric,
)
from games.boards import Board
from games.check import check
from games.graph import GameGraph
from games.infosets.model import InfosetModel
from games.markov.dynamics import Dynamics
from games.markov.game import Linear, MarkovGame, Views
from games.markov.model import MarkovModel
from games.registry import describe, make, names, register
from games.symmetry import Quotient

__all__ = [
    "Board",
    "Display",
    "Dynamics",
    "Enumerable",
    "Game",
    "GameError",
    "GameGraph",
    "Hidden",
    "InfosetModel",
    "Linear",
    "MarkovGame",
    "MarkovModel",
    "Model",
    "NashmailError",
    "Quotient",
    "Response",
    "Spec",
    "Successors",
    "Symmetric",
    "Views",
    "check",
    "describe",
    "make",
    "names",
    "register",
]
