"""The players in the two seats, and the sentences that name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agents.policy import Policy
from games.base import Game
from mail.terminal.boards import View


@dataclass(frozen=True)
class Player:
    """The player in a seat: a policy, or a human if there is none."""

    name: str
    policy: Policy | None = None
    ready: Callable[[], bool] = lambda: True
    """Whether the policy is ready. If not, a human who waits sees the board meanwhile."""


Players = tuple[Player, Player]
HUMAN = Player("human")


def humans(players: Players) -> list[int]:
    """The seats of humans.

    Args:
        players: Seat 0's and seat 1's.
    """
    return [seat for seat in (0, 1) if players[seat].policy is None]


def both_human(players: Players) -> bool:
    """Whether humans sit in both seats.

    Args:
        players: Seat 0's and seat 1's.
    """
    return len(humans(players)) == 2


def names(players: Players) -> tuple[str, str]:
    """Both names, as in a saved game.

    Args:
        players: Seat 0's and seat 1's.
    """
    first, second = ("human" if player.policy is None else player.name for player in players)
    return first, second


def greeting(game: Game, players: Players, display: View, *, both_act: bool) -> list[str]:
    """The game, the opponent, and how to answer.

    Args:
        game: The game.
        players: Seat 0's and seat 1's.
        display: The names of the seats and moves.
        both_act: Whether both seats choose the first move.
    """
    marks = display.marks
    if both_human(players):
        return [f"{game.spec.name}, {marks[0]} against {marks[1]}; you play both.{display.goal}"]
    human = humans(players)[0]
    turn = "both seats move at once" if both_act else f"move {('first', 'second')[human]}"
    words = f", or {', '.join(game.spec.display.names)}" if game.spec.display.names else ", or its word"
    words = words if display.names else ""
    return [
        f"{game.spec.name} against {players[1 - human].name}.{display.goal}",
        f"You are {marks[human]} and {turn}. Type the number of a {display.noun}{words}.",
    ]


def plays(players: Players, display: View, seat: int) -> str:
    """A seat as the subject of a sentence, with its verb.

    Args:
        players: Seat 0's and seat 1's.
        display: The names of the seats and moves.
        seat: The seat.
    """
    if players[seat].policy is None:
        return f"{display.marks[seat]} plays" if both_human(players) else "You play"
    name = players[seat].name
    return f"{'The ' + name[4:] if name.startswith('the ') else name} plays"


def whose(players: Players, display: View, seat: int) -> str:
    """A human's seat before the word ``move``.

    Args:
        players: Seat 0's and seat 1's.
        display: The names of the seats and moves.
        seat: The human's.
    """
    return f"{display.marks[seat]} to" if both_human(players) else "Your"


def resigns(players: Players, display: View, seat: int) -> str:
    """The sentence for a resignation of the human in this seat.

    Args:
        players: Seat 0's and seat 1's.
        display: The names of the seats and moves.
        seat: The human's.
    """
    if both_human(players):
        return f"{display.marks[seat]} resigns; {display.marks[1 - seat]} wins."
    return f"You resign: {players[1 - seat].name} wins."


def ending(game: Game, players: Players, display: View, earned: float) -> str:
    """The result as a sentence.

    Args:
        game: The game.
        players: Seat 0's and seat 1's.
        display: The names of the seats and moves.
        earned: Seat 0's payoff.
    """
    points = "" if game.spec.win_loss or not earned else f" ({abs(earned):g} ahead)"
    if both_human(players):
        return "A draw." if earned == 0 else f"{display.marks[0 if earned > 0 else 1]} wins{points}."
    human = humans(players)[0]
    opponent, own = players[1 - human].name, earned * (1 - 2 * human)
    if own == 0:
        return f"A draw between you and {opponent}."
    return f"You win against {opponent}{points}." if own > 0 else f"You lose: {opponent} wins{points}."
