"""A game on the full screen: what keys and clicks do, and what is drawn. Knows no terminal.

The driver (``app``) hands over keys by name (``left``, ``enter``, or a character), calls ``tick`` while ``waits`` says
so, and shows ``draw``. So a test plays by calling the same three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from rich.text import Text

from games.base import States
from mail.terminal.boards import Canvas, Scene
from mail.terminal.full.board import Cursor, buttons, fall, picture
from mail.terminal.full.frame import Picture, below, beside, fitted, indented, wrapped
from mail.terminal.full.keys import GAME_KEYS, MOVES, help_pages
from mail.terminal.full.panel import narrowest, panel
from mail.terminal.full.work import Job, Worker
from mail.terminal.game.contest import GameSeries
from mail.terminal.moves import MoveAnalysis, ranges

UNDER = 8  # lines that the panel should have below a board
FOOT = 3  # lines below the board: for messages, and in small terminals the keys, too


class GameScreen:
    """Games of a series, one after the other.

    Args:
        series: The players.
        worker: Does what is slow.
        animation: Whether discs fall.

    Attributes:
        outcome: None while it goes on, then ``quit``, ``other`` (another opponent is wanted) or ``mistakes``.
    """

    def __init__(self, series: GameSeries, *, worker: Worker, animation: bool = True) -> None:
        self.series, self.worker, self.animation = series, worker, animation
        self.outcome: str | None = None
        self.analysing = series.options.analysis
        self._page: int | None = None  # of the list of keys
        self._last_page = True
        self._begin()

    def _begin(self) -> None:
        """The next game."""
        self.contest = self.series.contest()
        self.seat: int | None = None
        self.message = self.contest.view.goal.strip()
        self.problem = ""
        self._cursor = self._middle()
        self._typed = ""
        self._ask: Callable[[bool], None] | None = None
        self._chosen: dict[int, int] = {}
        self._policy: Job[dict[int, int]] | None = None
        self._said: list[tuple[str, Job[str]]] = []
        self._known: tuple[int, int, Job[MoveAnalysis]] | None = None
        self._awaited = False
        self._frames: list[dict[int, str]] = []
        self._advance()

    # --- the game ------------------------------------------------------------------------------------------

    @property
    def waits(self) -> bool:
        """Whether something goes on without a key: a disc falls, a policy is at work, or an analysis, whose end a tick
        has to take in."""
        return bool(self._frames or self._said) or self._policy is not None or self._awaited

    def tick(self) -> None:
        """What has happened meanwhile."""
        if self._frames:
            self._frames.pop(0)
            if not self._frames:
                self._advance()
        if self._policy is not None and self._policy.done:
            job, self._policy = self._policy, None
            self._apply(job.result())
        if self._known is not None and self._known[2].done:
            self._awaited = False
        self._collect()

    def _collect(self) -> None:
        """Put verdicts and hints behind the sentences that they belong to."""
        while self._said and self._said[0][1].done:
            sentence, job = self._said.pop(0)
            self.message = self.message.replace(sentence, f"{sentence} {job.result()}".strip())

    def _advance(self) -> None:
        """Let policies move until a human is to choose, or the game is over."""
        contest = self.contest
        if contest.ended:
            self.seat = None
            self.series.count(contest)
            self.message = f"{contest.ending()} {self.message}".strip()
            return
        turn = contest.turn()
        waiting = [seat for seat in turn if contest.players[seat].policy is None and seat not in self._chosen]
        self.seat = waiting[0] if waiting else None
        if waiting:
            self._settle_cursor()
            self._analyse()
        elif any(contest.players[seat].policy is not None for seat in turn):
            self._policy = self.worker.do(lambda: self._sampled(turn))
            self.tick()
        else:
            self._apply({})

    def _sampled(self, turn: list[int]) -> dict[int, int]:
        """The moves of the policies among those to move."""
        players = self.contest.players
        return {
            seat: self.contest.sample(policy, seat) for seat in turn if (policy := players[seat].policy) is not None
        }

    def _apply(self, sampled: dict[int, int]) -> None:
        """Play one ply with what was chosen and sampled; both moves are revealed at once."""
        contest, actions = self.contest, self._chosen | sampled
        before = contest.current.states
        said = [contest.announcement(seat, actions[seat], judged=False) for seat in sorted(actions)]
        judging = [seat for seat in sorted(actions) if self.analysing and contest.judges(seat)]
        human = [seat for seat in sorted(self._chosen) if contest.players[seat].policy is None]
        self._chosen = {}
        fresh = " ".join(said)
        self.message = f"{self.message} {fresh}" if self.seat is None and not human else fresh
        self.seat = None
        self.problem = contest.play(actions) or ""
        for seat in judging:
            self._said.append((said[sorted(actions).index(seat)], self._judge(before, seat, actions[seat])))
        self._collect()
        self._frames = fall(contest.game, contest.current.scene) if self.animation else []
        if not self._frames:
            self._advance()

    def _judge(self, states: States, seat: int, action: int) -> Job[str]:
        return self.worker.do(lambda: self.contest.advice.verdict(states, seat, action))

    # --- analysis ------------------------------------------------------------------------------------------

    def _analyse(self) -> None:
        """Ask what is known about the human's moves, if analysis is on."""
        if not self.analysing or self.seat is None:
            return
        contest, seat, states = self.contest, self.seat, self.contest.current.states
        self._awaited = True
        self._known = (
            len(contest.current.plies),
            seat,
            self.worker.do(lambda: contest.advice.analyse(states, seat)),
        )

    def _analysis(self) -> MoveAnalysis | str | None:
        """What the panel shows of it."""
        if not self.analysing:
            return None
        if self._known is None or self._known[:2] != (len(self.contest.current.plies), self.seat):
            return None
        if not self._known[2].done:
            return "analysing ..."
        moves = self._known[2].result()
        if moves.probability is None and moves.value is None:
            return "No analysis is available for this game and opponent."
        return moves

    # --- keys ----------------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        """A key, by its name or character."""
        self.problem = ""
        if self._page is not None:
            self._page = None if self._last_page else self._page + 1
        elif self._ask is not None:
            ask, self._ask = self._ask, None
            self.message = ""
            ask(key in ("y", "Y"))
        elif key == "paste":
            self.problem = "That was pasted text; press one key, or ? for the list of keys."
        elif key.startswith("choose "):
            self._click(int(key.split()[1]))
        elif key.isascii() and key.isdigit():
            self._digit(key)
        elif self.seat is not None and (action := self._by_word(key)) is not None:
            self._choose(action)
        elif key in MOVES:
            self._move(*MOVES[key])
        elif key in ("enter", " ") and self.seat is not None:
            self._choose(int(self._typed) - 1 if self._typed else self._cursor)
        else:
            self._command(key)
        if key not in "0123456789":
            self._typed = ""

    def _command(self, key: str) -> None:
        """A key that is no move."""
        ended = self.contest.ended
        if key == "?":
            self._page, self._last_page = 0, True
        elif key == "q":
            self.outcome = "quit"
        elif key == "a":
            self.analysing = not self.analysing
            self._analyse()
        elif key == "u":
            self._undo()
        elif key == "w":
            self.problem = self.contest.recorder.begin("")
        elif ended and key == "s" and self.contest.options.one_seat:
            self.problem = self.contest.swap()[1]
        elif ended and key in ("r", "s"):
            if key == "s":
                self.series.swap()
            self._begin()
        elif ended and key in ("o", "m"):
            self.outcome = {"o": "other", "m": "mistakes"}[key]
        elif self.seat is None:
            self.problem = "Wait for the opponent's move." if not ended else ""
        elif key == "r":
            self.message, self._ask = "Resign this game? Press y to resign, any other key to go on.", self._resign
        elif key == "s":
            self._swap()
        elif key == "t":
            states, seat = self.contest.current.states, self.seat
            self.message = "Hint:"
            self._said.append(("Hint:", self.worker.do(lambda: self.contest.advice.hint(states, seat))))
            self._collect()
        else:
            self.problem = "That key does nothing here; press ? for the list of keys."

    def _resign(self, yes: bool) -> None:
        if yes and self.seat is not None:
            self.contest.resign(self.seat)
            self._advance()

    def _undo(self) -> None:
        """Take the last move back, unless a policy is about to answer it."""
        if self._policy is not None or self._frames:
            self.problem = "Wait for the opponent's move."
            return
        undone, self.message = self.contest.undo()
        if undone:
            self._chosen = {}
            self._advance()

    def _swap(self) -> None:
        swapped, self.message = self.contest.swap()
        if swapped:
            self.series.swap()
            self._advance()

    def _digit(self, key: str) -> None:
        """A move by its number; in games of more than nine actions Enter ends it."""
        if self.seat is None:
            return
        self._typed = (self._typed + key)[-3:]
        if self.contest.game.spec.actions <= 9:
            self._choose(int(self._typed) - 1)
            self._typed = ""
        else:
            self.message = f"{self.contest.view.noun} {self._typed}: Enter chooses it"

    def _by_word(self, key: str) -> int | None:
        """The action that a key names: an arrow for ``left`` and the like, or the first letter of a word."""
        names = self.contest.view.names
        word = {"h": "left", "l": "right", "k": "up", "j": "down"}.get(key, key)
        if word in names:
            return names.index(word)
        first = [name[:1].lower() for name in names]
        free = key not in GAME_KEYS and first.count(key) == 1
        return first.index(key) if free else None

    def _click(self, action: int) -> None:
        """The first click puts the cursor there, the next one chooses; columns and cells are chosen at once."""
        if self.seat is not None:
            self._cursor = action
            self._choose(action)

    def _choose(self, action: int) -> None:
        """The human's move, if it is legal."""
        assert self.seat is not None
        contest, seat, noun = self.contest, self.seat, self.contest.view.noun
        if not 0 <= action < contest.game.spec.actions:
            self.problem = f"There is no {noun} {action + 1}; they count from 1 to {contest.game.spec.actions}."
            return
        if action not in (legal := contest.current.legal(seat)):
            free = ranges([other + 1 for other in legal])
            self.problem = f"{noun.capitalize()} {action + 1} is {contest.view.taken}; free: {free}."
            return
        self._cursor = action
        self._chosen[seat] = action
        if contest.turn() == [seat]:
            self._apply({})
        else:
            self.message = "Your move is made; it is shown when both have chosen."
            self._advance()

    # --- the cursor ----------------------------------------------------------------------------------------

    def _columns(self) -> int:
        """How many actions stand side by side: the cells of a row, or all."""
        spec = self.contest.game.spec
        return spec.observation[2] if spec.display.layout == "grid" and spec.in_a_row else spec.actions

    def _middle(self) -> int:
        actions = self.contest.game.spec.actions
        return actions // 2 if self.contest.game.spec.in_a_row else 0

    def _settle_cursor(self) -> None:
        """Move the cursor to a legal action, the nearest one."""
        assert self.seat is not None
        legal = np.array(self.contest.current.legal(self.seat))
        self._cursor = int(legal[np.abs(legal - self._cursor).argmin()])

    def _move(self, down: int, right: int) -> None:
        """Move the cursor; in a row of actions, up and down do nothing."""
        columns, actions = self._columns(), self.contest.game.spec.actions
        row, column = divmod(self._cursor, columns)
        row, column = row + down, column + right
        if 0 <= column < columns and 0 <= row * columns + column < actions and row >= 0:
            self._cursor = row * columns + column

    # --- drawing -------------------------------------------------------------------------------------------

    def scene(self) -> Scene:
        """The position that is drawn; while a disc falls, the one before it lies."""
        current, contest = self.contest.current, self.contest
        if self._frames:
            return Scene(current.plies[-1].states[0], None, False)
        return replace(current.scene, viewer=contest.viewer(self.seat), over=contest.ended)

    def draw(self, canvas: Canvas) -> Picture:
        """The whole screen."""
        if self._page is not None:
            pages = help_pages(self.contest.view, canvas)
            self._page = min(self._page, len(pages) - 1)  # a terminal that grew needs fewer
            self._last_page = self._page == len(pages) - 1
            return fitted(Picture(pages[self._page]), canvas.width, canvas.height)
        foot = self._foot(canvas)
        high = canvas.height - foot.height
        head = [Text(self._title(), style="bold")] if canvas.height > 12 else []
        body = fitted(self._body(replace(canvas, height=high - len(head))), canvas.width, high - len(head))
        return fitted(below(Picture(head), body, foot), canvas.width, canvas.height)

    def _title(self) -> str:
        names = [player.name for player in self.contest.players if player.policy is not None]
        return self.contest.game.spec.name + (f" against {names[0]}" if names else ", both seats")

    def _body(self, canvas: Canvas) -> Picture:
        """The board, with the panel beside it or below, where there is room."""
        least = narrowest(moves := self._analysis())
        beside_it = replace(canvas, width=canvas.width - least - 4)
        board = indented(self._board(beside_it if beside_it.width > 20 else canvas), 2)
        if board.width + 2 + least <= canvas.width:
            room = replace(canvas, width=canvas.width - board.width - 2)
            return beside(board, panel(self.series, self.contest, moves, room), at=board.width + 2)
        board = self._board(replace(canvas, height=canvas.height - UNDER))  # the panel is worth more than large discs
        room = replace(canvas, height=canvas.height - board.height - 1)
        if room.height < 2:
            return board
        return below(board, Picture([Text()]), panel(self.series, self.contest, moves, room))

    def _board(self, canvas: Canvas) -> Picture:
        """The board, and the actions below it where they are no places on it."""
        contest = self.contest
        cursor = None
        if self.seat is not None:
            cursor = Cursor(self._cursor, contest.view.marks[self.seat])
        falling = self._frames[0] if self._frames else None
        drawn = picture(contest.game, contest.view, self.scene(), canvas, cursor, falling)
        display = contest.game.spec.display
        if self.seat is None or (contest.game.spec.in_a_row and not display.names):
            return drawn
        legal = contest.current.legal(self.seat)
        return below(drawn, Picture([Text()]), buttons(contest.view, legal, self._cursor, canvas.width))

    def _foot(self, canvas: Canvas) -> Picture:
        """Two lines of messages, three where there is room, and the keys."""
        most = FOOT - 1 if canvas.height < 20 else FOOT
        said = wrapped(" ".join(filter(None, (self.message, self.problem))), canvas.width, rows=most)
        said += [Text()] * (most - len(said))
        if self._policy is not None:
            said[-1] = Text("the opponent thinks ...", style="dim") if not said[-1] else said[-1]
        return Picture([*said, self._keys(canvas.width)])

    def _keys(self, width: int) -> Text:
        """The most useful keys, as many as fit."""
        if self.contest.ended:
            swap = [] if self.contest.options.one_seat else ["s swap seats"]
            listed = ["r rematch", *swap, "m my mistakes", "o other opponent", "u undo", "q quit", "? keys"]
        else:
            listed = ["? keys", "Enter plays", "t hint", "a analysis", "u undo", "r resign", "q quit"]
        text = ""
        for word in listed:
            if len(text) + len(word) + 2 <= width:
                text += ("  " if text else "") + word
        return Text(text, style="dim")
