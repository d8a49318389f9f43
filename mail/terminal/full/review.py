"""After a game: each of the human's mistakes once more, asked again before the answer is shown."""

from __future__ import annotations

from rich.text import Text

from mail.terminal.advice import Mistake
from mail.terminal.boards import Canvas, Scene
from mail.terminal.full.board import Cursor, picture
from mail.terminal.full.frame import Picture, below, fitted, indented, wrapped
from mail.terminal.full.keys import MOVES
from mail.terminal.full.work import Job, Worker
from mail.terminal.game.contest import Contest

KEYS = "Enter tries a move  v shows the answer  n next  b back  q back to the game"


class Review:
    """The mistakes of a finished game, one after the other.

    Args:
        contest: The game.
        worker: Finds them.

    Attributes:
        outcome: None, then ``done``.
    """

    def __init__(self, contest: Contest, *, worker: Worker) -> None:
        self.contest = contest
        self.outcome: str | None = None
        self._job: Job[list[Mistake]] | None = worker.do(contest.mistakes)
        self._mistakes: list[Mistake] = []
        self._at = 0
        self._cursor = 0
        self.message = "looking for mistakes ..."
        self.tick()

    @property
    def waits(self) -> bool:
        return self._job is not None

    def tick(self) -> None:
        """Take in the mistakes once they are found."""
        if self._job is not None and self._job.done:
            self._mistakes, self._job = self._job.result(), None
            self._ask()

    def _ask(self) -> None:
        """Ask for a better move at the present mistake."""
        if not self._mistakes:
            self.message = "No mistake of yours is known in this game. Any key goes back."
            return
        mistake = self._mistakes[self._at]
        view = self.contest.view.at(mistake.states[0], mistake.seat)
        self._cursor = mistake.action
        self.message = (
            f"Mistake {self._at + 1} of {len(self._mistakes)}, move {mistake.ply + 1}: you played "
            f"{view.move(mistake.action)}, which {mistake.verdict}. Find a better move."
        )

    def press(self, key: str) -> None:
        """A key, by its name or character."""
        if self._job is not None:
            self.outcome = "done" if key == "q" else None
        elif not self._mistakes or key in ("q", "backspace"):
            self.outcome = "done"
        elif key in ("n", "b"):
            self._at = min(max(self._at + (1 if key == "n" else -1), 0), len(self._mistakes) - 1)
            self._ask()
        elif key == "v":
            self.message = (
                f"Right: {self.contest.advice.hint(self._mistake.states, self._mistake.seat)} n: the next one."
            )
        elif key in MOVES:
            self._move(*MOVES[key])
        elif key in ("enter", " "):
            self._try(self._cursor)
        elif key.startswith("choose "):
            self._try(int(key.split()[1]))
        elif key.isascii() and key.isdigit():
            self._try(int(key) - 1)

    @property
    def _mistake(self) -> Mistake:
        return self._mistakes[self._at]

    def _try(self, action: int) -> None:
        """Judge a move that the human tries."""
        mistake, contest = self._mistake, self.contest
        if (
            not 0 <= action < contest.game.spec.actions
            or not contest.game.legal(mistake.states, mistake.seat)[0, action]
        ):
            self.message = f"{contest.view.noun.capitalize()} {action + 1} is {contest.view.taken} here."
            return
        self._cursor = action
        word = contest.view.at(mistake.states[0], mistake.seat).move(action)
        verdict = contest.advice.verdict(mistake.states, mistake.seat, action)
        if action in mistake.better:
            last = self._at == len(self._mistakes) - 1
            self.message = f"Yes, {word}: {verdict} " + ("That was the last; q goes back." if last else "n: next.")
        else:
            self.message = f"No, not {word}: {verdict} Try again, or v shows the answer."

    def _move(self, down: int, right: int) -> None:
        spec = self.contest.game.spec
        columns = spec.observation[2] if spec.display.layout == "grid" and spec.in_a_row else spec.actions
        row, column = divmod(self._cursor, columns)
        row, column = row + down, column + right
        if 0 <= column < columns and 0 <= row * columns + column < spec.actions:
            self._cursor = row * columns + column

    def draw(self, canvas: Canvas) -> Picture:
        """The position of the mistake, the question, and the keys."""
        head = Picture([Text("Learn from your mistakes", style="bold"), Text()])
        foot = Picture([*wrapped(self.message, canvas.width, rows=3), Text(KEYS, style="dim")])
        room = Canvas(canvas.unicode, canvas.width - 2, canvas.height - head.height - foot.height)
        body = Picture([])
        if self._mistakes:
            mistake = self._mistake
            cursor = Cursor(self._cursor, self.contest.view.marks[mistake.seat])
            scene = Scene(mistake.states[0], mistake.before, viewer=mistake.seat)
            body = indented(picture(self.contest.game, self.contest.view, scene, room, cursor), 2)
        return fitted(below(head, fitted(body, canvas.width, room.height), foot), canvas.width, canvas.height)
