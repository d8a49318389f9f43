"""A game step by step on the board, as pages: saved games and lines of play.

Pages are pure functions of a game; only ``turn`` prints and reads input. No heavy import.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from games.base import Game, States
from mail.data.records import Played
from mail.terminal.analysis import Oracle, verdict
from mail.terminal.answers import Read
from mail.terminal.boards import Canvas, Scene, styled, view
from mail.terminal.layout import wrapped
from mail.terminal.screen import Screen


def pages(
    game: Game,
    states: Sequence[States],
    moves: Sequence[tuple[int, int]],
    canvas: Canvas,
    *,
    over: bool,
    oracle: Oracle | None = None,
    remarks: dict[int, str] | None = None,
) -> list[Text]:
    """The start and every ply of a game, as a heading above the resulting board.

    Args:
        game: The game.
        states: [1, W] each, one more than there are moves.
        moves: Both seats' actions of each ply, -1 where a seat does not act.
        canvas: The terminal.
        over: Whether the last move ended the game.
        oracle: Judges the moves, if given.
        remarks: Additions to the headings of some plies.
    """
    display = view(game)
    texts = [styled("The start.\n\n", "bold") + display.draw(Scene(states[0][0]), canvas)]
    for ply, words in enumerate(headings(game, states, moves, oracle=oracle, remarks=remarks)):
        last = over and ply == len(moves) - 1
        scene = Scene(states[ply + 1][0], states[ply][0], last)
        texts.append(styled(wrapped(words, canvas.width) + "\n", "bold") + display.draw(scene, canvas))
    return texts


def headings(
    game: Game,
    states: Sequence[States],
    moves: Sequence[tuple[int, int]],
    *,
    oracle: Oracle | None = None,
    remarks: dict[int, str] | None = None,
) -> list[str]:
    """A line about each ply of a game, such as ``3. x: cell 5, keeps the draw``.

    Args:
        game: The game.
        states: [1, W] each, one more than there are moves.
        moves: Both seats' actions of each ply, -1 where a seat does not act.
        oracle: Judges the moves, if given.
        remarks: Additions to the lines of some plies.
    """
    display = view(game)
    lines = []
    for ply, pair in enumerate(moves):
        parts = []
        for seat in (0, 1):
            if pair[seat] < 0:
                continue
            value = f", {_verdict(game, states[ply], seat, pair[seat], oracle)}" if oracle is not None else ""
            parts.append(f"{display.marks[seat]}: {display.at(states[ply][0], seat).move(pair[seat])}{value}")
        remark = (remarks or {}).get(ply, "")
        lines.append(f"{ply + 1}. " + "; ".join(parts) + (f" {remark}" if remark else ""))
    return lines


def _verdict(game: Game, states: States, seat: int, action: int, oracle: Oracle) -> str:
    return verdict(game, game.legal(states, seat)[0], oracle.values(states, seat)[0], action)


def replayed(played: Played, canvas: Canvas, oracle: Oracle | None = None) -> list[Text]:
    """The pages of a saved game: its players, plies and ending.

    Args:
        played: The game.
        canvas: The terminal.
        oracle: Judges the moves, if given.
    """
    record, marks = played.record, view(played.game).marks
    names = [f"{marks[seat]}: {record.players[seat]}" for seat in (0, 1)]
    title = Text(wrapped("\n".join([f"{record.game}, seed {record.seed}", *names]), canvas.width) + "\n")
    texts = pages(played.game, played.states, record.moves, canvas, over=played.over, oracle=oracle)
    texts[0] = title + texts[0]
    texts[-1] = texts[-1] + Text(f"\n\n{_ending(played)}")
    return texts


def _ending(played: Played) -> str:
    record, marks = played.record, view(played.game).marks
    if record.resigned is not None:
        return f"{marks[record.resigned]} resigned; {marks[1 - record.resigned]} wins."
    if record.result is None:
        return "This game was not finished."
    return "A draw." if record.result == 0 else f"{marks[0 if record.result > 0 else 1]} wins ({record.result:+g})."


def turn(texts: Sequence[Text], console: Console, *, read: Read | None) -> None:
    """Print pages in order, or as answers ask for them.

    Args:
        texts: The pages.
        console: For output.
        read: Returns the answer after each page, which may name another one; None prints them all.
    """
    screen, place = Screen(console), 0
    while place < len(texts):
        screen.show(texts[place])
        screen.say("")
        if read is None or place == len(texts) - 1:
            place += 1
            continue
        screen.say(f"[{place}/{len(texts) - 1}] Enter: next, b: back, a number: that page, q: quit: ", end="")
        answer = read()
        word = "q" if answer is None else answer.strip().lower()
        if word in ("q", "quit"):
            screen.say("")
            return
        place = _place(word, place, len(texts))


def _place(word: str, place: int, count: int) -> int:
    """The page that an answer selects; the next one by default."""
    if word in ("b", "back"):
        return max(place - 1, 0)
    if word.isascii() and word.isdigit() and len(word) < 7:
        return min(int(word), count - 1)
    return place if word else place + 1
