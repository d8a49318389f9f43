"""A table in the terminal: humans and policies in two seats, moves asked for line by line, and how it ended.

A human is not a distribution, so this is a loop of its own and no ``Policy``. It knows rules only through
``Game`` and takes its input and output from outside, so that a test can sit down as well as a person. What is shown
is drawn by ``mail.terminal.boards``. Where both seats move at once, the human chooses before the other seat's move is
shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np
from rich.console import Console
from rich.text import Text

from agents.policy import Policy, Seats, query, sample
from agents.storage.atomic import write_atomic
from agents.storage.reading import printable
from games.base import Game, States, stuck
from games.boards import Board
from mail.data.records import CHANCE, Record
from mail.parallel.streams import stream
from mail.terminal.analysis import CLOSE, Oracle, verdict, wording
from mail.terminal.boards import Look, Scene, View, Weighed, analysis, helped, look, ranges, too_narrow, view

__all__ = ["LONGEST_ANSWER", "PATIENCE", "Player", "Session", "Setting", "View", "reader", "view"]

Read = Callable[[], str | None]
LONGEST_ANSWER = 1000  # characters of a line that are looked at; the rest of it is dropped
PATIENCE = 10  # answers in a row that are no moves before no more is said about them
CHATTER = 200  # words in one game, such as hint, before no more is said about them
WORDS = {"?": "help", "h": "hint", "u": "undo", "s": "swap", "r": "resign", "a": "analysis", "b": "board", "q": "quit"}
KNOWN = ("help", "hint", "undo", "swap", "resign", "analysis", "save", "board", "quit", "exit")


@dataclass(frozen=True)
class Player:
    """Who sits in a seat: a policy, or, without one, whoever answers."""

    name: str
    policy: Policy | None = None
    ready: Callable[[], bool] = lambda: True
    """Whether the policy can be asked without a wait; people who watch are shown the board meanwhile."""


HUMAN = Player("human")


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


@dataclass(frozen=True)
class Moment:
    """One ply that was played, and how to take it back."""

    states: States  # [1, W] before it
    actions: tuple[int, int]
    reward: float
    draws: tuple[Mapping[str, Any], ...]
    """The generators as they were before it, so that taking it back gives the same chances again."""


class _Leave(Exception):
    """A human leaves the table: the reason, and the seat that resigns, if one does."""

    def __init__(self, said: str, resigned: int | None = None) -> None:
        super().__init__(said)
        self.said, self.resigned = said, resigned


class Session:
    """One game between two players, humans among them answering ``read``.

    ``read`` gives the next line of input, or None at its end; ``echo`` writes the answers down, for input that
    nobody sees being typed. Policies' moves and the game's chance come from streams of ``seed``: the same
    seed and the same answers are the same game.
    """

    def __init__(
        self,
        game: Game,
        players: tuple[Player, Player],
        *,
        seed: int,
        read: Read,
        console: Console,
        echo: bool = False,
        setting: Setting | None = None,
    ) -> None:
        self.game, self.players, self.seed = game, players, seed
        self.read, self.console, self.echo = read, console, echo
        self.setting = setting or Setting()
        self.view = view(game)
        self._rngs = (stream(seed, "play"), stream(seed, "play", seat=1), stream(seed, CHANCE))
        self._states = game.start(1, rng=self._rngs[2])
        self._past: list[Moment] = []
        self._over = False
        self._resigned: int | None = None
        self._analysing, self._saving = self.setting.analysis, self.setting.save
        self._asked_oracle = False
        self._oracle: Oracle | None = None
        self._mistakes = self._words = 0

    # --- the game --------------------------------------------------------------------------------------

    def play(self) -> float | None:
        """Play to the end; seat 0's payoff, or None where a human left."""
        self._greet()
        self._save()
        try:
            while not self._over:
                self._turn()
                self._end()
        except _Leave as left:
            self._resigned = left.resigned
            self._save_on()
            self._say(left.said)
            return None if left.resigned is None else 2.0 * left.resigned - 1.0
        return self._earned

    def _end(self) -> None:
        """Where the game is over: who won, and time to write it down or to take the last move back."""
        if not self._over:
            return
        self._draw()
        self._say(self._ending())
        while self.setting.linger and self._over:
            self._say("Enter leaves; undo takes your last move back, save writes the game down: ", end="")
            word, _, rest = (self.read() or "").strip().partition(" ")
            word = WORDS.get(word.lower(), word.lower())
            if word == "undo":
                self._undo()
            elif word == "save":
                self._save_to(rest.strip())
            else:
                return

    def record(self) -> Record:
        """The game so far."""
        names = (_named(self.players[0]), _named(self.players[1]))
        moves = tuple(moment.actions for moment in self._past)
        result = self._earned if self._over else None
        return Record(self.game.spec.name, names, self.seed, moves, result, self._resigned)

    @property
    def _earned(self) -> float:
        return sum(moment.reward for moment in self._past) + 0.0

    def _turn(self) -> None:
        """One ply: whoever acts chooses, humans first, unless the answer changed something else."""
        acting = [int(seat) for seat in np.flatnonzero(self.game.acting(self._states)[0])]
        if not all(self.game.legal(self._states, seat).any() for seat in acting):
            raise stuck(self.game, self._states[0])
        actions = [-1, -1]
        for seat in sorted(acting, key=lambda seat: self.players[seat].policy is not None):
            chosen = self._human(seat) if self.players[seat].policy is None else self._policy(seat)
            if chosen is None:
                return
            actions[seat] = chosen
        self._step((actions[0], actions[1]), acting)

    def _step(self, actions: tuple[int, int], acting: list[int]) -> None:
        """Play a ply, and say what was played and, with analysis on, what it is worth."""
        for seat in acting:
            if self.players[seat].policy is not None or self._analysing or (self._alone and len(acting) == 2):
                self._say(f"{self._who(seat)} {self.view.move(actions[seat])}.{self._judged(seat, actions[seat])}")
        before = self._states
        draws = tuple(rng.bit_generator.state for rng in self._rngs)
        moves = np.array([actions], dtype=np.int64)
        self._states, rewards, done = self.game.step(before, moves, rng=self._rngs[2])
        self._past.append(Moment(before, actions, float(rewards[0]), draws))
        self._over = bool(done[0])
        self._save_on()

    def _policy(self, seat: int) -> int:
        """The policy's move, drawn."""
        policy = self.players[seat].policy
        assert policy is not None  # whoever calls has looked
        if self.setting.linger and not self.players[seat].ready():
            self._draw()
            self._say(f"{self.players[seat].name} is being loaded ...")
        return int(sample(query(policy, self.game, self._states, seat), rng=self._rngs[seat])[0])

    # --- a human's turn --------------------------------------------------------------------------------

    def _human(self, seat: int) -> int | None:
        """The human's move, asked for until it is legal; None where the position changed instead."""
        legal = [int(action) for action in np.flatnonzero(self.game.legal(self._states, seat)[0])]
        self._draw(seat)
        self._mistakes = 0
        while True:
            answer = self._answer(seat, legal)
            word, _, rest = answer.partition(" ")
            word = WORDS.get(word.lower(), word.lower())
            if word in KNOWN and not (rest and word not in ("analysis", "save")):
                if self._word(word, rest.strip(), seat):
                    return None
                continue
            action, problem = self._understand(answer, legal)
            if action is not None:
                return action
            self._mistakes += 1
            self._complain(problem)

    def _answer(self, seat: int, legal: list[int]) -> str:
        """The next line that is typed; _Leave where there is none."""
        if self._mistakes <= PATIENCE and self._words <= CHATTER:
            names = self.view.names
            numbers = f"{self.view.noun} {ranges([action + 1 for action in legal])}"
            listed = " ".join(names[action] for action in legal) if names else numbers
            self._say(f"{self._whose(seat)} move ({listed}, ? for help): ", end="")
        answer = self.read()
        if answer is None:
            raise _Leave("\nThe input has ended. You leave the table; this game has no winner.")
        answer = answer.strip()
        if self.echo and self._mistakes <= PATIENCE and self._words <= CHATTER:
            self._say(_short(answer))
        return answer

    def _understand(self, answer: str, legal: list[int]) -> tuple[int | None, str]:
        """The action that is meant, or None and what is wrong."""
        noun, last = self.view.noun, self.game.spec.actions
        if not answer:
            return None, f"Nothing was typed. Type the number of a {noun}, or ? for help."
        if answer.lower() in self.view.names:
            action = self.view.names.index(answer.lower())
        elif re.fullmatch(r"[0-9]{1,6}", answer):
            action = int(answer) - 1
        else:
            return None, f"{_quoted(answer)} is not the number of a {noun}. Type one from the list, or ? for help."
        if not 0 <= action < last:
            return None, f"There is no {noun} {action + 1}; they count from 1 to {last}."
        if action not in legal:
            return None, f"{noun.capitalize()} {action + 1} is {self.view.taken}. Type one from the list."
        return action, ""

    def _complain(self, problem: str) -> None:
        """Say what is wrong; when too much is, say once that nothing more is said."""
        if self._mistakes <= PATIENCE:
            self._say(problem)
        elif self._mistakes == PATIENCE + 1:
            self._say(f"{self._mistakes} answers in a row were no moves; more such answers are passed over in silence.")

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
            self._save_to(rest)
        elif word == "analysis":
            self._switch(rest, seat)
        elif word == "hint":
            self._say(self._hint(seat))
        elif word == "board":
            self._draw(seat)
        else:
            self.console.print(self._fit(helped(self.view, self._look())), soft_wrap=True)
        return False

    def _resign(self, seat: int) -> NoReturn:
        if self._alone:
            raise _Leave(f"{self.view.marks[seat]} resigns; {self.view.marks[1 - seat]} wins.", seat)
        raise _Leave(f"You resign: {self.players[1 - seat].name} wins.", seat)

    def _undo(self) -> bool:
        """Back to the last position in which a human chose; every generator goes back too."""
        steps = len(self._past)
        while steps:
            steps -= 1
            moment = self._past[steps]
            acted = [who for who in (0, 1) if moment.actions[who] >= 0]
            if any(self.players[who].policy is None for who in acted):
                break
        else:
            self._say("There is no move of yours to take back.")
            return False
        self._states, self._over = moment.states, False
        for rng, state in zip(self._rngs, moment.draws, strict=True):
            rng.bit_generator.state = dict(state)
        del self._past[steps:]
        self._save_on()
        self._say(f"Back to move {steps + 1}.")
        return True

    def _swap(self) -> bool:
        """Human and policy change seats; the policy goes on with the seat's own half of itself."""
        if self._alone:
            self._say("You play both seats already.")
            return False
        human = 0 if self.players[0].policy is None else 1
        name, advisers = self.players[1 - human].name, self.setting.advisers
        if advisers is None:
            self._say(f"{name} plays that seat alone.")
            return False
        seats = [HUMAN, HUMAN]
        seats[human] = Player(name, advisers[human], self.players[1 - human].ready)
        self.players = (seats[0], seats[1])
        self._say(f"You are {self.view.marks[1 - human]} now, {name} is {self.view.marks[human]}.")
        return True

    # --- analysis --------------------------------------------------------------------------------------

    def _knows(self) -> Oracle | None:
        """The oracle, made when it is first needed; None where there is none."""
        if not self._asked_oracle:
            self._asked_oracle, self._oracle = True, self.setting.oracle()
        return self._oracle

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

    def _weighed(self, seat: int) -> Weighed:
        """Everything that is known of the seat's moves here."""
        oracle, advisers = self._knows(), self.setting.advisers
        legal = self.game.legal(self._states, seat)[0]
        chances = None if advisers is None else query(advisers[seat], self.game, self._states, seat)[0]
        values = None if oracle is None else oracle.values(self._states, seat)[0]
        best = None if oracle is None else oracle.best(self._states, seat)[0]
        return Weighed(legal, chances, values, best, isinstance(self.game, Board))

    def _show_analysis(self, seat: int) -> None:
        weighed = self._weighed(seat)
        if weighed.probability is None and weighed.value is None:
            self._say("Nothing is known of this position: play against a run or an expert, or a smaller game.")
            return
        self.console.print(self._fit(analysis(self.view, weighed, self._look())), soft_wrap=True)

    def _hint(self, seat: int) -> str:
        """What an expert would play, else what the policy likes best."""
        weighed = self._weighed(seat)
        if weighed.best is not None:
            if np.array_equal(weighed.best, weighed.legal):
                return "Every move is as good as any other."
            return f"An expert plays {wording(self.view, weighed.best)}."
        if weighed.probability is not None:
            most = weighed.probability >= weighed.probability.max() - CLOSE
            return f"The policy likes {wording(self.view, most)} best; what is right is not known here."
        return "Nobody here knows better than you."

    def _judged(self, seat: int, action: int) -> str:
        """With analysis on, a verdict on a move that is about to be made."""
        oracle = self._knows() if self._analysing else None
        if oracle is None:
            return ""
        legal = self.game.legal(self._states, seat)[0]
        said = verdict(self.game, legal, oracle.values(self._states, seat)[0], action)
        return f" {said[0].upper()}{said[1:]}."

    # --- records ---------------------------------------------------------------------------------------

    def _save_to(self, name: str) -> None:
        """Begin to write the game down; a file that holds something else is left alone."""
        path = Path(name) if name else _free(self.game.spec.name)
        before, self._saving = self._saving, path
        try:
            if path.exists() and path != before:
                self._saving = before
                self._say(f"{_quoted(str(path), 60)} is there already; choose another name.")
                return
            self._save()
        except (OSError, ValueError) as error:
            self._saving = before
            self._say(f"Cannot write {_quoted(str(path), 60)}: {_reason(error)}; choose another name.")
            return
        self._say(f"Written to {printable(path)}, as is every further move.")

    def _save_on(self) -> None:
        """Write down what has changed; where that fails the game goes on without."""
        try:
            self._save()
        except OSError as error:
            said = (
                f"Cannot write {_quoted(str(self._saving), 60)}: {_reason(error)}; the game goes on and is not saved."
            )
            self._saving = None
            self._say(said)

    def _save(self) -> None:
        if self._saving is not None:
            write(self._saving, self.record())

    # --- what is said ----------------------------------------------------------------------------------

    def _greet(self) -> None:
        humans = [seat for seat in (0, 1) if self.players[seat].policy is None]
        marks = self.view.marks
        if len(humans) == 2:
            self._say(f"{self.game.spec.name}, {marks[0]} against {marks[1]}, both yours.{self.view.goal}")
            return
        human = humans[0]
        self._say(f"{self.game.spec.name} against {self.players[1 - human].name}.{self.view.goal}")
        both = bool(self.game.acting(self._states)[0].all())
        turn = "both move at once" if both else f"move {('first', 'second')[human]}"
        words = f", or {', '.join(self.view.names)}" if self.view.names else ""
        self._say(f"You are {marks[human]} and {turn}. Answer with the number of a {self.view.noun}{words}.")

    def _who(self, seat: int) -> str:
        """A seat as the subject of a sentence, with its verb."""
        if self.players[seat].policy is None:
            return f"{self.view.marks[seat]} plays" if self._alone else "You play"
        name = self.players[seat].name
        return f"{'The ' + name[4:] if name.startswith('the ') else name} plays"

    def _whose(self, seat: int) -> str:
        return f"{self.view.marks[seat]} to" if self._alone else "Your"

    @property
    def _alone(self) -> bool:
        """Whether humans sit in both seats."""
        return all(player.policy is None for player in self.players)

    def _ending(self) -> str:
        """Who won."""
        earned = self._earned
        points = "" if isinstance(self.game, Board) or not earned else f" ({abs(earned):g} ahead)"
        if self._alone:
            return "A draw." if earned == 0 else f"{self.view.marks[0 if earned > 0 else 1]} wins{points}."
        human = 0 if self.players[0].policy is None else 1
        opponent, own = self.players[1 - human].name, earned * (1 - 2 * human)
        if own == 0:
            return f"A draw between you and {opponent}."
        return f"You win against {opponent}{points}." if own > 0 else f"You lose: {opponent} wins{points}."

    def _look(self) -> Look:
        on = look(self.console)
        return on if self.setting.unicode else replace(on, unicode=False)

    def _draw(self, seat: int | None = None) -> None:
        """The board as it stands, and with analysis on what is known of the seat's moves."""
        on = self._look()
        before = self._past[-1].states[0] if self._past else None
        picture = self.view.draw(Scene(self._states[0], before, self._over), on)
        self.console.print(self._fit(Text("\n") + picture + Text("\n")), soft_wrap=True)
        if narrow := too_narrow(picture, on):
            self._say(narrow)
        if seat is not None and self._analysing:
            self._show_analysis(seat)

    def _fit(self, text: Text) -> Text:
        """The text as this terminal can show it: nothing it cannot write, and no styles where colour is not wanted."""
        if self.console.no_color:
            return Text(_printable(text.plain, self.console))
        return text if text.plain.isascii() else _same(text, self.console)

    def _say(self, line: str, *, end: str = "\n") -> None:
        self.console.print(Text(_printable(line, self.console)), end=end, soft_wrap=True)
        self.console.file.flush()


def _same(text: Text, console: Console) -> Text:
    """The text, or, where the encoding cannot write it, its plain form."""
    plain = _printable(text.plain, console)
    return text if plain == text.plain else Text(plain)


def _reason(error: OSError | ValueError) -> str:
    """Why a file could not be written."""
    return error.strerror if isinstance(error, OSError) and error.strerror else "no such name can be used"


def _named(player: Player) -> str:
    return "human" if player.policy is None else player.name


def _free(game: str) -> Path:
    """The first unused name for a record in the current folder."""
    word = re.sub(r"[^a-z0-9]+", "-", game.lower()).strip("-")
    number = 1
    while (path := Path(f"{word}-{number}.txt")).exists():
        number += 1
    return path


def write(path: Path, record: Record) -> None:
    """Write a record, whole or not at all."""
    write_atomic(path, record.text().encode())


def _printable(text: str, console: Console) -> str:
    """The text without what the terminal's encoding cannot write."""
    return text.encode(console.encoding, "backslashreplace").decode(console.encoding)


def _short(answer: str) -> str:
    """An answer, whatever is in it, as a few harmless characters."""
    return answer if re.fullmatch(r"[ -~]{0,20}", answer) else _quoted(answer)


def _quoted(answer: str, most: int = 20) -> str:
    return ascii(answer[:most]) + ("..." if len(answer) > most else "")


# --- where answers come from -----------------------------------------------------------------------------


class Lines(Protocol):
    """A binary stream such as ``sys.stdin.buffer``."""

    def readline(self, size: int = -1, /) -> bytes: ...


def reader(lines: Lines | None) -> Read:
    """Answers from a binary stream: undecodable bytes become question marks, long lines lose their ends."""

    def read() -> str | None:
        line = lines.readline(LONGEST_ANSWER) if lines else b""
        rest = line
        while lines and rest and not rest.endswith(b"\n"):
            rest = lines.readline(1 << 16)
        return line.decode("utf-8", "replace") if line else None

    return read
