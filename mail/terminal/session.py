"""One game in the terminal: humans and policies in two seats, moves asked for line by line, and how it ended.

A human is not a distribution, so this is a loop of its own and no ``Policy``. It knows rules only through
``Game`` and takes its input and output from outside, so that a test can sit down as well as a person. The session is
the dialogue alone: the position is kept by ``current_game``, answers are understood by ``answers``, and what is known
of moves comes from ``advice``. Where both seats move at once, the human chooses before the other seat's move is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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

PATIENCE = 10  # answers in a row that are no moves before no more is said about them
CHATTER = 200  # words in one game, such as hint, before no more is said about them


@dataclass(frozen=True)
class Setting:
    """What a session may fall back on; all of it may be absent."""

    advisers: Seats | None = None
    """Whose probabilities are shown beside the moves of each seat."""
    oracle: Callable[[], Oracle | None] = lambda: None
    """Who knows what moves are worth; called once, when it is first needed."""
    analysis: bool = False
    """Whether probabilities, values and verdicts are shown from the start."""
    save: Path | None = None
    """Where the game is written down from the first move on."""
    linger: bool = False
    """Whether a finished game is left only after one more answer, which may take the last move back."""
    unicode: bool = True
    """False draws with plain characters, whatever the terminal can do."""


class _Leave(Exception):
    """A human leaves the table: the reason, and the seat that resigns, if one does."""

    def __init__(self, said: str, resigned: int | None = None) -> None:
        super().__init__(said)
        self.said, self.resigned = said, resigned


class Session:
    """One game between two players, humans among them answering ``read``.

    Args:
        game: What is played.
        players: Who sits in seat 0 and in seat 1.
        seed: Of the policies' moves and the game's chance: the same seed and the same answers are the same game.
        read: Gives the next line of input, or None at its end.
        console: What is written to.
        echo: Write the answers down, for input that nobody sees being typed.
        setting: What the session may fall back on.
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
        self.advice = Advice(game, self.view, self.setting.advisers, self.setting.oracle)
        self.recorder = Recorder(self.record, self.setting.save)
        self.screen = Screen(console, unicode=self.setting.unicode)
        self._say = self.screen.say
        self._resigned: int | None = None
        self._analysing = self.setting.analysis
        self._mistakes = self._words = 0

    # --- the game --------------------------------------------------------------------------------------

    def play(self) -> float | None:
        """Play to the end; seat 0's payoff, or None where a human left."""
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
            self._say(left.said)
            return None if left.resigned is None else 2.0 * left.resigned - 1.0
        return self.current.earned

    def record(self) -> Record:
        """The game so far."""
        moves = tuple(ply.actions for ply in self.current.plies)
        result = self.current.earned if self.current.over else None
        return Record(self.game.spec.name, names(self.players), self.seed, moves, result, self._resigned)

    def _turn(self) -> None:
        """One ply: whoever acts chooses, humans first, unless the answer changed something else."""
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
        """The policy's move; whoever waits for it is shown the board."""
        if self.setting.linger and not self.players[seat].ready():
            self._draw()
            self._say(f"{self.players[seat].name} is being loaded ...")
        return self.current.sample(policy, seat)

    def _announce(self, seat: int, action: int, *, both_act: bool) -> None:
        """Say what is played where it was not just typed, and, with analysis on, what it is worth."""
        if self.players[seat].policy is None and not self._analysing and not (both_act and both_human(self.players)):
            return
        judged = self.advice.verdict(self.current.states, seat, action) if self._analysing else ""
        sentence = f"{plays(self.players, self.view, seat)} {self.view.move(action)}."
        self._say(f"{sentence} {judged}" if judged else sentence)

    def _end(self) -> None:
        """Where the game is over: who won, and time to write it down or to take the last move back."""
        if not self.current.over:
            return
        self._draw()
        self._say(ending(self.game, self.players, self.view, self.current.earned))
        while self.setting.linger and self.current.over:
            self._say("Enter leaves; undo takes your last move back, save writes the game down: ", end="")
            word, rest = split((self.read() or "").strip())
            if word == "undo":
                self._undo()
            elif word == "save":
                self._say(self.recorder.begin(rest))
            else:
                return

    # --- a human's turn --------------------------------------------------------------------------------

    def _human(self, seat: int) -> int | None:
        """The human's move, asked for until it is legal; None where the position changed instead."""
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
        """The next line that is typed; _Leave where there is none."""
        quiet = self._mistakes > PATIENCE or self._words > CHATTER
        if not quiet:
            words = self.view.names
            numbers = f"{self.view.noun} {ranges([action + 1 for action in legal])}"
            listed = " ".join(words[action] for action in legal) if words else numbers
            self._say(f"{whose(self.players, self.view, seat)} move ({listed}, ? for help): ", end="")
        answer = self.read()
        if answer is None:
            raise _Leave("\nThe input has ended. You leave the table; this game has no winner.")
        answer = answer.strip()
        if self.echo and not quiet:
            self._say(short(answer))
        return answer

    def _complain(self, problem: str) -> None:
        """Say what is wrong; when too much is, say once that nothing more is said."""
        if self._mistakes <= PATIENCE:
            self._say(problem)
        elif self._mistakes == PATIENCE + 1:
            self._say(f"{self._mistakes} answers in a row were no moves; more such answers are passed over in silence.")

    # --- words -----------------------------------------------------------------------------------------

    def _word(self, word: str, rest: str, seat: int) -> bool:
        """Do what a word says; whether the position or the seats have changed. _Leave for those that end the game."""
        if word in ("quit", "exit"):
            raise _Leave("You leave the table; this game has no winner.")
        if word == "resign":
            self._resign(seat)
        self._words += 1
        if self._words > CHATTER:
            if self._words == CHATTER + 1:
                self._say(f"{CHATTER} words are enough; from now on this game takes moves, resign and quit alone.")
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
        """Back to the last position in which a human chose."""
        if not self.current.take_back(humans(self.players)):
            self._say("There is no move of yours to take back.")
            return False
        self._save()
        self._say(f"Back to move {len(self.current.plies) + 1}.")
        return True

    def _swap(self) -> bool:
        """Human and policy change seats; the policy goes on with the seat's own half of itself."""
        if both_human(self.players):
            self._say("You play both seats already.")
            return False
        human = humans(self.players)[0]
        other, advisers = self.players[1 - human], self.setting.advisers
        if advisers is None:
            self._say(f"{other.name} plays that seat alone.")
            return False
        moved = Player(other.name, advisers[human], other.ready)
        self.players = (moved, HUMAN) if human == 0 else (HUMAN, moved)
        self._say(f"You are {self.view.marks[1 - human]} now, {other.name} is {self.view.marks[human]}.")
        return True

    def _switch(self, rest: str, seat: int) -> None:
        """Analysis on or off, and shown at once."""
        if rest.lower() not in ("", "on", "off"):
            self._say("Say analysis on, or analysis off.")
            return
        self._analysing = not self._analysing if not rest else rest.lower() == "on"
        if self._analysing:
            self._show_analysis(seat)
        else:
            self._say("Analysis is off.")

    # --- what is shown ---------------------------------------------------------------------------------

    def _draw(self, seat: int | None = None) -> None:
        """The board as it stands, and with analysis on what is known of the seat's moves."""
        self.screen.draw(self.view, self.current.scene)
        if seat is not None and self._analysing:
            self._show_analysis(seat)

    def _show_analysis(self, seat: int) -> None:
        weighed = self.advice.weighed(self.current.states, seat)
        if weighed.probability is None and weighed.value is None:
            self._say("Nothing is known of this position: play against a run or an expert, or a smaller game.")
            return
        self.screen.show(analysis(self.view, weighed, self.screen.look()))

    def _save(self) -> None:
        """Write what has changed, if the game is saved."""
        if problem := self.recorder.go_on():
            self._say(problem)
