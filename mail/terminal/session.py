"""One game in the terminal between humans and policies, with moves typed line by line.

A human is not a distribution over actions, so this is a separate loop and not a ``Policy``. It knows the rules only
through ``Game``, and its input and output are arguments, so tests can play, too. The session is only the dialogue:
``current_game`` has the position, ``answers`` parses input, ``advice`` judges moves. With simultaneous moves, the human
chooses before the other seat's move is displayed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from agents.policy import Policy, Seats
from games.base import Game
from mail.data.records import Record
from mail.terminal.advice import Advice
from mail.terminal.analysis import Oracle
from mail.terminal.answers import Read, is_word, short, split, understand
from mail.terminal.boards import analysis, helped, ranges, view
from mail.terminal.current_game import CurrentGame
from mail.terminal.players import (
    HUMAN,
    Player,
    Players,
    both_human,
    ending,
    greeting,
    humans,
    names,
    plays,
    resigns,
    whose,
)
from mail.terminal.recorder import Recorder
from mail.terminal.screen import Screen

PATIENCE = 10  # invalid answers in a row after which the session stops to comment on them
CHATTER = 200  # commands, such as hint, in one game after which the session stops to answer them


@dataclass(frozen=True)
class Setting:
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
    unicode: bool = True
    """False draws with ASCII, whatever the terminal can do."""


class _Leave(Exception):
    """A human leaves the game: a line for the screen, and the seat that resigns, if one does."""

    def __init__(self, line: str, resigned: int | None = None) -> None:
        super().__init__(line)
        self.line, self.resigned = line, resigned


class Session:
    """One game between two players. Humans answer through ``read``.

    Args:
        game: The game.
        players: Seat 0's and seat 1's player.
        seed: Of the policies' moves and of chance. The same seed and answers give the same game.
        read: Returns the next line of input, or None at its end.
        console: For output.
        echo: Whether to print the answers, for input that is not typed in the terminal.
        setting: Further options.
    """

    def __init__(
        self,
        game: Game,
        players: Players,
        *,
        seed: int,
        read: Read,
        console: Console,
        echo: bool = False,
        setting: Setting | None = None,
    ) -> None:
        self.game, self.players, self.seed = game, players, seed
        self.read, self.echo = read, echo
        self.setting = setting or Setting()
        self.view = view(game)
        self.current = CurrentGame(game, seed=seed)
        for pair in self.setting.moves:
            self.current.play(pair)
        self.advice = Advice(game, self.view, self.setting.advisers, self.setting.oracle)
        self.recorder = Recorder(self.record, self.setting.save)
        self.screen = Screen(console, unicode=self.setting.unicode)
        self._say = self.screen.say
        self._resigned: int | None = None
        self._analysing = self.setting.analysis
        self._mistakes = self._words = 0

    # --- the game --------------------------------------------------------------------------------------

    def play(self) -> float | None:
        """Play to the end. Returns seat 0's payoff, or None if a human left."""
        both_act = bool(self.game.acting(self.current.states)[0].all())
        for line in greeting(self.game, self.players, self.view, both_act=both_act):
            self._say(line)
        self.recorder.save()
        try:
            while not self.current.over:
                self._turn()
                self._end()
        except _Leave as left:
            self._resigned = left.resigned
            self._save()
            self._say(left.line)
            return None if left.resigned is None else 2.0 * left.resigned - 1.0
        return self.current.earned

    def record(self) -> Record:
        """The game so far."""
        moves = tuple(ply.actions for ply in self.current.plies)
        result = self.current.earned if self.current.over else None
        return Record(self.game.spec.name, names(self.players), self.seed, moves, result, self._resigned)

    def _turn(self) -> None:
        """One ply: every acting seat chooses, humans first, unless an answer changed the position or the seats."""
        acting = self.current.acting()
        actions = [-1, -1]
        for seat in sorted(acting, key=lambda seat: self.players[seat].policy is not None):
            policy = self.players[seat].policy
            chosen = self._human(seat) if policy is None else self._sample(policy, seat)
            if chosen is None:
                return
            actions[seat] = chosen
        for seat in acting:
            self._announce(seat, actions[seat], both_act=len(acting) == 2)
        self.current.play((actions[0], actions[1]))
        self._save()

    def _sample(self, policy: Policy, seat: int) -> int:
        """The policy's move. If it is slow to load, show the board meanwhile."""
        if self.setting.linger and not self.players[seat].ready():
            self._draw()
            self._say(f"Loading {self.players[seat].name} ...")
        return self.current.sample(policy, seat)

    def _announce(self, seat: int, action: int, *, both_act: bool) -> None:
        """Print the move unless it was just typed, and, with analysis on, its verdict."""
        if self.players[seat].policy is None and not self._analysing and not (both_act and both_human(self.players)):
            return
        comment = self.advice.verdict(self.current.states, seat, action) if self._analysing else ""
        sentence = f"{plays(self.players, self.view, seat)} {self.view.move(action)}."
        self._say(f"{sentence} {comment}" if comment else sentence)

    def _end(self) -> None:
        """If the game is over, print the result; then the human may save the game or undo the last move."""
        if not self.current.over:
            return
        self._draw()
        self._say(ending(self.game, self.players, self.view, self.current.earned))
        while self.setting.linger and self.current.over:
            self._say("Press Enter to leave, or type undo to take your last move back, or save: ", end="")
            word, rest = split((self.read() or "").strip())
            if word == "undo":
                self._undo()
            elif word == "save":
                self._say(self.recorder.begin(rest))
            else:
                return

    # --- a human's turn --------------------------------------------------------------------------------

    def _human(self, seat: int) -> int | None:
        """The human's move; None if the position or the seats changed instead."""
        legal = self.current.legal(seat)
        self._draw(seat)
        self._mistakes = 0
        while True:
            answer = self._answer(seat, legal)
            if is_word(answer):
                if self._word(*split(answer), seat):
                    return None
                continue
            action, problem = understand(answer, legal, self.view, self.game.spec.actions)
            if action is not None:
                return action
            self._mistakes += 1
            self._complain(problem)

    def _answer(self, seat: int, legal: list[int]) -> str:
        """The next line of input. _Leave at its end."""
        quiet = self._mistakes > PATIENCE or self._words > CHATTER
        if not quiet:
            words = self.view.names
            numbers = f"{self.view.noun} {ranges([action + 1 for action in legal])}"
            listed = " ".join(words[action] for action in legal) if words else numbers
            self._say(f"{whose(self.players, self.view, seat)} move ({listed}, ? for help): ", end="")
        answer = self.read()
        if answer is None:
            raise _Leave("\nThe input has ended. You quit; this game has no winner.")
        answer = answer.strip()
        if self.echo and not quiet:
            self._say(short(answer))
        return answer

    def _complain(self, problem: str) -> None:
        """Print the problem, up to ``PATIENCE`` times."""
        if self._mistakes <= PATIENCE:
            self._say(problem)
        elif self._mistakes == PATIENCE + 1:
            self._say(f"{self._mistakes} answers in a row were no moves; further ones get no reply.")

    # --- words -----------------------------------------------------------------------------------------

    def _word(self, word: str, rest: str, seat: int) -> bool:
        """Execute a command. Returns whether the position or the seats changed. _Leave if it ends the game."""
        if word in ("quit", "exit"):
            raise _Leave("You quit; this game has no winner.")
        if word == "resign":
            self._resign(seat)
        self._words += 1
        if self._words > CHATTER:
            if self._words == CHATTER + 1:
                self._say(f"{CHATTER} commands are the limit; this game now takes only moves, resign and quit.")
            return False
        if word == "undo":
            return self._undo()
        if word == "swap":
            return self._swap()
        if word == "save":
            self._say(self.recorder.begin(rest))
        elif word == "analysis":
            self._switch(rest, seat)
        elif word == "hint":
            self._say(self.advice.hint(self.current.states, seat))
        elif word == "board":
            self._draw(seat)
        else:
            self.screen.show(helped(self.view, self.screen.look()))
        return False

    def _resign(self, seat: int) -> NoReturn:
        raise _Leave(resigns(self.players, self.view, seat), seat)

    def _undo(self) -> bool:
        """Return to the last position in which a human chose."""
        if not self.current.take_back(humans(self.players)):
            self._say("You have no move to take back.")
            return False
        self._save()
        self._say(f"Back to move {len(self.current.plies) + 1}.")
        return True

    def _swap(self) -> bool:
        """Exchange the seats of human and policy. The opponent continues with its policy for the other seat."""
        if both_human(self.players):
            self._say("You already play both seats.")
            return False
        human = humans(self.players)[0]
        other, advisers = self.players[1 - human], self.setting.advisers
        if advisers is None:
            self._say(f"{other.name} plays only that seat.")
            return False
        moved = Player(other.name, advisers[human], other.ready)
        self.players = (moved, HUMAN) if human == 0 else (HUMAN, moved)
        self._say(f"You are now {self.view.marks[1 - human]}, {other.name} is {self.view.marks[human]}.")
        return True

    def _switch(self, rest: str, seat: int) -> None:
        """Turn analysis on or off; if on, show it."""
        if rest.lower() not in ("", "on", "off"):
            self._say("Type analysis on, or analysis off.")
            return
        self._analysing = not self._analysing if not rest else rest.lower() == "on"
        if self._analysing:
            self._show_analysis(seat)
        else:
            self._say("Analysis is off.")

    # --- output ----------------------------------------------------------------------------------------

    def _draw(self, seat: int | None = None) -> None:
        """Draw the board and, with analysis on, the table of the seat's moves."""
        self.screen.draw(self.view, replace(self.current.scene, viewer=self._viewer(seat)))
        if seat is not None and self._analysing:
            self._show_analysis(seat)

    def _viewer(self, seat: int | None) -> int | None:
        """Whose cards are shown: those of the only human, or of the human who is to move."""
        there = humans(self.players)
        if len(there) == 2:
            return seat if seat is not None else int(self.game.acting(self.current.states)[0].argmax())
        return there[0] if there else None

    def _show_analysis(self, seat: int) -> None:
        weighed = self.advice.weighed(self.current.states, seat)
        if weighed.probability is None and weighed.value is None:
            self._say("No analysis is available: play against a run or an expert, or choose a smaller game.")
            return
        self.screen.show(analysis(self.view, weighed, self.screen.look()))

    def _save(self) -> None:
        """Save the game if a file is set."""
        if problem := self.recorder.go_on():
            self._say(problem)
