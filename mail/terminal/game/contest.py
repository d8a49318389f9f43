"""One game between two players, without input or output: whose turn it is, moves, undo, exchanged seats, resigning,
saving, and what is to be said about each. The line dialogue (``session``) and the full screen (``full``) drive it.

A human is not a distribution over actions, so this is no ``Policy``: humans' moves come from outside, policies' are
sampled. With simultaneous moves the human chooses before the other seat's move is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from agents.policy import Policy, Seats
from games.base import Game, conceals, sees_move
from mail.data.game_text import moves_text
from mail.data.records import Record
from mail.terminal.advice import Advice, Mistake
from mail.terminal.analysis import Oracle
from mail.terminal.boards import View, view
from mail.terminal.game.current_game import CurrentGame
from mail.terminal.game.players import HUMAN, Player, Players, both_human, ending, humans, names, plays, resigns
from mail.terminal.game.recorder import Recorder


@dataclass(frozen=True)
class GameOptions:
    """Options of a session."""

    advisers: Seats | None = None
    """The policies whose probabilities are displayed beside each seat's moves."""
    oracle: Callable[[], Oracle | None] = lambda: None
    """Makes the source of move values; called once, at its first use."""
    analysis: bool = False
    """Whether analysis is on at the start."""
    save: Path | None = None
    """The file to which the game is saved from the first move on."""
    moves: tuple[tuple[int, int], ...] = ()
    """Moves from the start to the position in which the session begins, as in ``CurrentGame.play``."""
    linger: bool = False
    """Whether to wait for an answer after the game, which may undo the last move."""
    one_seat: bool = False
    """Whether the opponent has learned the seat alone in which it begins."""
    unicode: bool = True
    """False draws with ASCII, whatever the terminal can do."""


class Contest:
    """One game between two players.

    Args:
        game: The game.
        players: Seat 0's and seat 1's player.
        seed: Of the policies' moves and of chance. The same seed and moves of humans give the same game.
        options: Further options.
    """

    def __init__(self, game: Game, players: Players, *, seed: int, options: GameOptions) -> None:
        self.game, self.players, self.seed, self.options = game, players, seed, options
        self._view = view(game)
        self.current = CurrentGame(game, seed=seed)
        for pair in options.moves:
            self.current.play(pair)
        self.advice = Advice(game, self._view, options.advisers, options.oracle)
        self.recorder = Recorder(self.record, options.save)
        self.resigned: int | None = None

    @property
    def view(self) -> View:
        """The view of the present position: actions are called what they are there for the seat to move."""
        states = self.current.states
        acting = np.flatnonzero(self.game.acting(states)[0])
        return self._view.at(states[0], int(acting[0])) if len(acting) == 1 else self._view

    def record(self) -> Record:
        """The game so far."""
        moves = tuple(ply.actions for ply in self.current.plies)
        result = self.current.earned if self.current.over else None
        return Record(self.game.spec.name, names(self.players), self.seed, moves, result, self.resigned)

    @property
    def moves(self) -> str:
        """The game so far as a move string."""
        return moves_text(self.game.spec.actions, [ply.actions for ply in self.current.plies])

    @property
    def public_moves(self) -> str:
        """The same for somebody who looks on; nothing while a game that conceals something goes on."""
        return self.moves if self.ended or not conceals(self.game) else ""

    @property
    def ended(self) -> bool:
        """Whether the game is over, or a seat resigned."""
        return self.current.over or self.resigned is not None

    @property
    def payoff(self) -> float | None:
        """Seat 0's payoff; None while the game goes on."""
        if self.resigned is not None:
            return 2.0 * self.resigned - 1.0
        return self.current.earned if self.current.over else None

    def turn(self) -> list[int]:
        """The seats to move, humans first, so that a policy's simultaneous move is sampled after theirs."""
        return sorted(self.current.acting(), key=lambda seat: self.players[seat].policy is not None)

    def sample(self, policy: Policy, seat: int) -> int:
        """The policy's move.

        Args:
            policy: The policy.
            seat: Its seat.
        """
        return self.current.sample(policy, seat)

    def play(self, actions: dict[int, int]) -> str | None:
        """Play one ply.

        Args:
            actions: The action of each seat to move.

        Returns:
            A problem of saving as a sentence, if there is one.
        """
        self.current.play((actions.get(0, -1), actions.get(1, -1)))
        return self.recorder.go_on()

    # --- what humans may do besides ------------------------------------------------------------------------

    def resign(self, seat: int) -> str:
        """A human gives up.

        Args:
            seat: The human's.

        Returns:
            The sentence about it.
        """
        self.resigned = seat
        self.recorder.go_on()
        return resigns(self.players, self.view, seat)

    def undo(self) -> tuple[bool, str]:
        """Return to the last position in which a human chose, or take a resignation back.

        Returns:
            Whether there was one, and a sentence.
        """
        if self.resigned is None and not self.current.take_back(humans(self.players)):
            return False, "You have no move to take back."
        self.resigned = None
        problem = self.recorder.go_on()
        return True, problem or f"Back to move {len(self.current.plies) + 1}."

    def swap(self) -> tuple[bool, str]:
        """Exchange the seats of human and policy. The opponent continues with its policy for the other seat.

        Returns:
            Whether that was possible, and a sentence.
        """
        if both_human(self.players):
            return False, "You already play both seats."
        human = humans(self.players)[0]
        other, advisers = self.players[1 - human], self.options.advisers
        if advisers is None or self.options.one_seat:
            return False, f"{other.name} plays only that seat."
        moved = Player(other.name, advisers[human], other.ready)
        self.players = (moved, HUMAN) if human == 0 else (HUMAN, moved)
        return True, f"You are now {self.view.marks[1 - human]}, {other.name} is {self.view.marks[human]}."

    def mistakes(self) -> list[Mistake]:
        """The humans' moves so far that gave value away; empty without an oracle."""
        plies = self.current.plies
        found = [
            self.advice.mistake(at, ply.states, plies[at - 1].states[0] if at else None, seat, ply.actions[seat])
            for at, ply in enumerate(plies)
            for seat in humans(self.players)
            if ply.actions[seat] >= 0
        ]
        return [mistake for mistake in found if mistake is not None]

    # --- what is said --------------------------------------------------------------------------------------

    def announcement(self, seat: int, action: int, *, judged: bool) -> str:
        """A seat's move, before it is made, as a sentence; with a verdict if ``judged``.

        Of a move that the only human cannot see it says no more than that it was made. The other's moves are not judged
        in a game that conceals something: how good they are tells what the other sees.

        Args:
            seat: Who moves.
            action: The move.
            judged: Whether a verdict is wanted.
        """
        viewer = self.viewer(seat)
        if viewer is not None and not sees_move(self.game, self.current.states, seat, action, viewer):
            return f"{plays(self.players, self.view, seat).removesuffix(' plays')} has moved; you cannot see how."
        judged = judged and self.judges(seat)
        comment = self.advice.verdict(self.current.states, seat, action) if judged else ""
        sentence = f"{plays(self.players, self.view, seat)} {self.view.move(action)}."
        return f"{sentence} {comment}" if comment else sentence

    def judges(self, seat: int) -> bool:
        """Whether a seat's moves may be judged before the game is over: not the other's where something is hidden.

        Args:
            seat: Who moves.
        """
        return self.viewer(seat) in (None, seat) or not conceals(self.game)

    def ending(self) -> str:
        """The result as a sentence."""
        if self.resigned is not None:
            return resigns(self.players, self.view, self.resigned)
        return ending(self.game, self.players, self.view, self.current.earned)

    def viewer(self, seat: int | None) -> int | None:
        """Whose cards are shown: those of the only human, or of the human who is to move.

        Args:
            seat: The human to move; None if nobody is.

        Returns:
            The seat; None if everything is shown.
        """
        there = humans(self.players)
        if len(there) == 2:
            return seat if seat is not None else int(self.game.acting(self.current.states)[0].argmax())
        return there[0] if there else None


@dataclass
class Tally:
    """Games between the same players: of the human, or of seat 0 where a human has both seats."""

    won: int = 0
    drawn: int = 0
    lost: int = 0

    def count(self, payoff: float) -> None:
        """Enter a game with this payoff.

        Args:
            payoff: Of the player whose games are counted.
        """
        self.won += payoff > 0
        self.drawn += payoff == 0
        self.lost += payoff < 0

    def __str__(self) -> str:
        return f"{self.won} won, {self.drawn} drawn, {self.lost} lost"


class GameSeries:
    """Several games against the same opponent, with a score.

    Args:
        game: The game.
        name: The opponent's name; None if a human plays both seats.
        seats: The opponent's policies for both seats; None as above.
        human: The human's seat in the first game.
        seed: Of the first game; each further one has the next.
        options: Of every game, but that only the first is saved.
    """

    def __init__(
        self, game: Game, name: str | None, seats: Seats | None, human: int, *, seed: int, options: GameOptions
    ) -> None:
        self.game, self.name, self.seats, self.human = game, name, seats, human
        self.seed, self.options = seed, options
        self.tally = Tally()
        self.tallies: dict[str | None, Tally] = {name: self.tally}
        self._counted: Contest | None = None

    def contest(self) -> Contest:
        """The next game."""
        contest = Contest(self.game, self._players(), seed=self.seed, options=self.options)
        self.seed, self.options = self.seed + 1, replace(self.options, save=None)
        return contest

    def _players(self) -> Players:
        if self.seats is None or self.name is None:
            return HUMAN, HUMAN
        policy = self.seats[1 - self.human]
        other = Player(self.name, policy, getattr(policy, "ready", lambda: True))
        return (HUMAN, other) if self.human == 0 else (other, HUMAN)

    def count(self, contest: Contest) -> None:
        """Enter the result of a finished game, once.

        Args:
            contest: The game.
        """
        if contest is self._counted or contest.payoff is None:
            return
        self._counted = contest
        there = humans(contest.players)
        self.tally.count(contest.payoff * (1 - 2 * there[0]) + 0.0)

    def followed_by(self, other: GameSeries) -> GameSeries:
        """The same series as ``other``, which goes on with the score that there was with its opponent before.

        Args:
            other: The next one.
        """
        other.tallies = self.tallies
        other.tally = self.tallies.setdefault(other.name, other.tally)
        return other

    def swap(self) -> None:
        """The other seat in the next game, if the opponent plays both."""
        if not self.options.one_seat:
            self.human = 1 - self.human


class Prepare(Protocol):
    """Makes a series of what was chosen."""

    def __call__(self, game: str, against: str, seat: str) -> GameSeries:
        """The players of a new series.

        Args:
            game: The game's name.
            against: The opponent, as on the command line.
            seat: ``0``, ``1`` or ``both``.
        """
