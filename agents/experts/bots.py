"""Bots of OpenSpiel as experts: ``mcts:N``, its tree search with N simulations, and any other ``pyspiel.Bot``.

Tree search (Kocsis, Szepesvari, "Bandit based Monte-Carlo planning", 2006) plays random games from each move of a
position and looks deeper where they go well. It needs the rules alone, so it labels games that are too large to
enumerate. It is no equilibrium, and how far it is from one is known only where the game has an exact model.

A bot randomises. Here every position has a bot of its own, whose seed is made from the position, so that one position
always gets one answer, in whatever order and process positions are asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from agents.policy import PolicyError, Seats
from games.adapters.openspiel import rules_behind
from games.adapters.outside import answering
from games.base import Floats, Game, Known, States, model_and_game
from games.progress import report

MakeBot = Callable[[Any, int, int], Any]
"""From a pyspiel game, a player and a seed to a ``pyspiel.Bot``; a module-level function, so that policies pickle."""

EXPLORATION = 2.0
"""The constant of the search's upper confidence bounds, in units of the largest payoff."""
_MEMORY = 500
"""Most megabytes of one search's tree."""
_JUDGE = 1
"""The seed of searches that judge, other than that of those that play."""
_REMEMBERED = 1 << 16
"""Answers that a policy keeps at hand."""


@dataclass(frozen=True)
class BotPolicy:
    """A deterministic policy: at each position what a fresh bot plays there, with a seed made from the position."""

    make: MakeBot
    seed: int = 0
    """Of all bots."""
    _answers: dict[tuple[int, int, int], int] = field(default_factory=dict, repr=False, compare=False)

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        """[N, A] 1 for the action that the bot plays."""
        rows = np.zeros((len(states), game.spec.actions))
        acting = np.flatnonzero(game.legal(states, seat).any(1))
        keys = game.key(states[acting], seat).tolist()
        for at, (row, (first, second)) in enumerate(zip(acting.tolist(), keys, strict=True)):
            report(at, len(acting), "positions", step="search")
            place = (seat, first, second)
            if place not in self._answers:
                if len(self._answers) >= _REMEMBERED:
                    self._answers.clear()
                self._answers[place] = self._ask(game, states[row], place)
            rows[row, self._answers[place]] = 1.0
        return rows

    def __reduce__(self) -> tuple[Any, ...]:
        return BotPolicy, (self.make, self.seed)  # in another process it remembers nothing

    def _ask(self, game: Game, state: States, place: tuple[int, int, int]) -> int:
        with answering(game.spec.name):
            rules, there = _there(game, state, place[0])
            bot = self.make(rules, place[0], _seed(self.seed, place))
            bot.restart_at(there)
            action = int(bot.step(there))
        if action not in there.legal_actions():
            raise PolicyError(f"a bot plays action {action} in {game.spec.name}, which is not legal there")
        return action


def _there(game: Game, state: States, seat: int) -> tuple[Any, Any]:
    """The pyspiel game, and its state at the position [W] in which the seat is to move."""
    from agents.openspiel import moves_to, rules_of  # imports pyspiel

    rules = rules_of(game)
    there = rules.new_initial_state()
    for move in moves_to(game, state, seat):
        there.apply_action(move)
    return rules, there


def _seed(seed: int, place: tuple[int, int, int]) -> int:
    """The seed of a bot at a seat and position; OpenSpiel takes 31 bits."""
    return int(np.random.SeedSequence(seed, spawn_key=place).generate_state(1)[0]) >> 1


def check(game: Game, name: str) -> None:
    """PolicyError where a bot that sees the whole position cannot play the game.

    Args:
        game: any game.
        name: what the expert is called in messages.
    """
    rules = rules_behind(game)
    if rules is None:
        raise PolicyError(
            f"the expert {name!r} is a bot of OpenSpiel's, which has no game like {game.spec.name}; choose a board, or"
            " a game openspiel:NAME"
        )
    kind = rules.get_type()
    if kind.information != kind.Information.PERFECT_INFORMATION:
        raise PolicyError(
            f"the expert {name!r} sees the whole position, which a seat of {game.spec.name} does not; choose first,"
            " cfr+:N or dcfr:N"
        )


def search(rules: Any, seat: int, seed: int, *, simulations: int) -> Any:
    """A bot that searches: upper confidence bounds, one random game for each new leaf, proven results kept.

    Args:
        rules: a pyspiel game.
        seat: the bot's player; any, since it looks who is to move.
        seed: of its random games.
        simulations: random games of one search.

    Returns:
        A ``pyspiel.MCTSBot``.
    """
    import pyspiel

    evaluator = pyspiel.RandomRolloutEvaluator(1, seed)
    return pyspiel.MCTSBot(rules, evaluator, EXPLORATION, simulations, _MEMORY, True, seed, False)


def mcts(known: Known, simulations: int) -> Seats:
    """The expert ``mcts:N``, which plays both seats.

    Args:
        known: a game of perfect information that OpenSpiel has, or its model.
        simulations: random games of one search.

    Raises:
        PolicyError: where the game is another one.
    """
    _, game = model_and_game(known)
    check(game, "mcts")
    player = BotPolicy(partial(search, simulations=simulations))
    return player, player


def move_values(game: Game, states: States, seat: int, simulations: int) -> Floats:
    """[N, A] what a search makes of each move, for the seat that moves.

    Args:
        game: a game of perfect information that OpenSpiel has.
        states: [N, W] positions at which the seat moves.
        seat: 0 or 1.
        simulations: random games of the search at each position; the seed is made from the position.

    Returns:
        The mean payoff of a move's random games, or its proven payoff; -inf for illegal moves and for those that the
        search never tried.
    """
    values = np.full((len(states), game.spec.actions), -np.inf)
    for row, (first, second) in enumerate(game.key(states, seat).tolist()):
        report(row, len(states), "positions", step="search")
        with answering(game.spec.name):
            rules, there = _there(game, states[row], seat)
            seed = _seed(_JUDGE, (seat, first, second))
            root = search(rules, seat, seed, simulations=simulations).mcts_search(there)
            for child in root.children:
                if child.outcome:
                    values[row, child.action] = child.outcome[seat]
                elif child.explore_count:
                    values[row, child.action] = child.total_reward / child.explore_count
    return values
