"""One game in the terminal between humans and policies, with moves typed line by line.

Its input and output are arguments, so tests can play, too. The session is only the dialogue: ``contest`` has the game,
``answers`` parses input, ``advice`` judges moves. With simultaneous moves, the human chooses before the other seat's
move is displayed.
"""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from agents.policy import Policy
from games.base import Game
from mail.terminal.answers import Read, is_word, short, split, understand
from mail.terminal.boards import View
from mail.terminal.dialogue.mistakes import go_through
from mail.terminal.game.contest import Contest, GameOptions, GameSeries
from mail.terminal.game.players import Players, both_human, greeting, whose
from mail.terminal.moves import analysis, choices, help_text
from mail.terminal.screen import Screen

PATIENCE = 10  # invalid answers in a row after which the session stops to comment on them
CHATTER = 200  # commands, such as hint, in one game after which the session stops to answer them
AFTER = {"rematch": "rematch", "resign": "rematch", "swap": "swap", "other": "other", "o": "other"}
"""What may be wanted after a game; ``r``, which is short for resign before its end, is a rematch then."""


class _Leave(Exception):
    """A human leaves the game: a line for the screen."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line


class Session:
    """One game between two players. Humans answer through ``read``.

    Args:
        game: The game.
        players: Seat 0's and seat 1's player.
        seed: Of the policies' moves and of chance. The same seed and answers give the same game.
        read: Returns the next line of input, or None at its end.
        console: For output.
        echo: Whether to print the answers, for input that is not typed in the terminal.
        options: Further options.
        series: Whose next game this is, with the score; None for a game by itself.

    Attributes:
        outcome: What the human wants after the game: ``rematch``, ``swap`` (a rematch in the other seat), ``other``
            (another opponent) or ``leave``.
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
        options: GameOptions | None = None,
        series: GameSeries | None = None,
    ) -> None:
        self.game, self.read, self.echo = game, read, echo
        self.options = options or GameOptions()
        self.contest = Contest(game, players, seed=seed, options=self.options)
        self.current, self.advice = self.contest.current, self.contest.advice
        self.recorder = self.contest.recorder
        self.screen = Screen(console, unicode=self.options.unicode)
        self._say = self.screen.say
        self._analysing = self.options.analysis
        self._invalid = self._words = 0
        self.series, self.outcome = series, "leave"

    # --- the game --------------------------------------------------------------------------------------

    def play(self) -> float | None:
        """Play to the end. Returns seat 0's payoff, or None if a human left."""
        both_act = bool(self.game.acting(self.current.states)[0].all())
        for line in greeting(self.game, self.players, self.view, both_act=both_act):
            self._say(line)
        self.recorder.save()
        try:
            while not self.contest.ended:
                self._turn()
                self._end()
        except _Leave as left:
            self._say(left.line)
        return self.contest.payoff

    @property
    def view(self) -> View:
        """The view of the present position."""
        return self.contest.view

    @property
    def players(self) -> Players:
        """Who has seat 0 and seat 1 now."""
        return self.contest.players

    def _turn(self) -> None:
        """One ply: every acting seat chooses, humans first, unless an answer changed the position or the seats."""
        acting = self.contest.turn()
        actions: dict[int, int] = {}
        for seat in acting:
            policy = self.players[seat].policy
            chosen = self._human(seat) if policy is None else self._sample(policy, seat)
            if chosen is None:
                return
            actions[seat] = chosen
        for seat in sorted(acting):
            self._announce(seat, actions[seat], both_act=len(acting) == 2)
        if problem := self.contest.play(actions):
            self._say(problem)

    def _sample(self, policy: Policy, seat: int) -> int:
        """The policy's move. If it is slow to load, show the board meanwhile."""
        if self.options.linger and not self.players[seat].ready():
            self._draw()
            self._say(f"Loading {self.players[seat].name} ...")
        return self.contest.sample(policy, seat)

    def _announce(self, seat: int, action: int, *, both_act: bool) -> None:
        """Print the move unless it was just typed, and, with analysis on, its verdict."""
        if self.players[seat].policy is None and not self._analysing and not (both_act and both_human(self.players)):
            return
        self._say(self.contest.announcement(seat, action, judged=self._analysing))

    def _end(self) -> None:
        """If the game is over, print the result; then the human says what is next, or takes the last move back."""
        if not self.contest.ended:
            return
        if self.contest.resigned is None:
            self._draw()
        self._say(self.contest.ending())
        if self.series is not None:
            self.series.count(self.contest)
            if self.options.linger and not both_human(self.players):
                self._say(f"Score: {self.series.tally}.")
        for _ in range(CHATTER):
            if not (self.options.linger and self.contest.ended):
                return
            swap = "" if self.options.one_seat else "swap, "
            again = f"rematch, {swap}other, " if self.series is not None else ""
            self._say(f"Press Enter to leave, or type {again}mistakes, undo or save: ", end="")
            word, rest = split((self.read() or "").strip())
            if word == "undo":
                self._undo()
            elif word == "save":
                self._say(self.recorder.begin(rest))
            elif word in ("mistakes", "m", "analyse", "analysis"):
                go_through(self.contest, self.contest.mistakes(), self.read, self.screen)
            elif again and word in AFTER:
                self.outcome = AFTER[word]
                return
            elif word in ("", "quit", "exit"):
                return
            else:
                self._say(f"{short(word)} is none of them.")

    # --- a human's turn --------------------------------------------------------------------------------

    def _human(self, seat: int) -> int | None:
        """The human's move; None if the position or the seats changed instead."""
        legal = self.current.legal(seat)
        self._draw(seat)
        self._invalid = 0
        while True:
            answer = self._answer(seat, legal)
            if is_word(answer):
                if self._word(*split(answer), seat):
                    return None
                continue
            action, problem = understand(answer, legal, self.view, self.game.spec.actions)
            if action is not None:
                return action
            self._invalid += 1
            self._complain(problem)

    def _answer(self, seat: int, legal: list[int]) -> str:
        """The next line of input. _Leave at its end."""
        quiet = self._invalid > PATIENCE or self._words > CHATTER
        if not quiet:
            view = self.view
            self._say(f"{whose(self.players, view, seat)} move ({choices(view, legal)}, ? for help): ", end="")
        answer = self.read()
        if answer is None:
            raise _Leave("\nThe input has ended. You quit; this game has no winner.")
        answer = answer.strip()
        if self.echo and not quiet:
            self._say(short(answer))
        return answer

    def _complain(self, problem: str) -> None:
        """Print the problem, up to ``PATIENCE`` times."""
        if self._invalid <= PATIENCE:
            self._say(problem)
        elif self._invalid == PATIENCE + 1:
            self._say(f"{self._invalid} answers in a row were no moves; further ones get no reply.")

    # --- words -----------------------------------------------------------------------------------------

    def _word(self, word: str, rest: str, seat: int) -> bool:
        """Execute a command. Returns whether the position or the seats changed. _Leave if it ends the game."""
        if word in ("quit", "exit"):
            raise _Leave("You quit; this game has no winner.")
        self._words += 1
        if word == "resign":
            return self._resign(seat)
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
            self.screen.show(help_text(self.view, self.screen.canvas()))
        return False

    def _resign(self, seat: int) -> bool:
        """Ask, and give up if that is meant."""
        if self._words <= CHATTER:
            self._say("Resign this game? Type y to resign, anything else to go on: ", end="")
        answer = self.read()
        if self.echo and answer is not None and self._words <= CHATTER:
            self._say(short(answer.strip()))
        if answer is None or answer.strip().lower() not in ("y", "yes"):
            return False
        self.contest.resign(seat)
        return True

    def _undo(self) -> bool:
        """Return to the last position in which a human chose."""
        undone, line = self.contest.undo()
        self._say(line)
        return undone

    def _swap(self) -> bool:
        """Exchange the seats of human and policy."""
        swapped, line = self.contest.swap()
        self._say(line)
        return swapped

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
        self.screen.draw(self.view, replace(self.current.scene, viewer=self.contest.viewer(seat)))
        if seat is not None and self._analysing:
            self._show_analysis(seat)

    def _show_analysis(self, seat: int) -> None:
        moves = self.advice.analyse(self.current.states, seat)
        if moves.probability is None and moves.value is None:
            self._say("No analysis is available: play against a run or an expert, or choose a smaller game.")
            return
        self.screen.show(analysis(self.view, moves, self.screen.canvas()))
