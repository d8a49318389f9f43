"""Games on the full screen, frame by frame: boards, cursors, panels, and what every key does."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from agents.policy import Uniform
from games import InfosetModel, make
from games.base import as_hidden
from games.markov.gridworld import gridworld
from mail.data.records import read
from mail.terminal.analysis import ModelOracle
from mail.terminal.boards import Canvas
from mail.terminal.full.work import Worker
from tests.mail.terminal.full.sitting import LARGE, SMALL, drawn, press, screen
from tests.mail.terminal.sitting import Preferring, expert, knowing
from tests.support import draw, game, graph


def test_the_board_is_drawn_in_place_with_a_cursor_and_a_panel() -> None:
    shown = screen(game("tictactoe"), Preferring(8, 7, 5))
    assert press(shown, "1").startswith(
        draw(
            """
            tictactoe against the opponent
              ┌──────┬──────┬──────┐  > ● x you
              │ ▗██▖ │> 2  <│  3   │    ○ o the opponent
              │ ▝██▘ │>    <│      │
              ├──────┼──────┼──────┤  score: 0 won, 0 drawn, 0 lost
              │  4   │  5   │  6   │
              │      │      │      │  moves (2)
              ├──────┼──────┼──────┤  19
              │  7   │  8   │[▗▛▜▖]│
              │      │      │[▝▙▟▘]│
              └──────┴──────┴──────┘
            """
        )
    )
    assert "You play cell 1. The opponent plays cell 9." in drawn(shown)


def test_columns_of_discs_fall_and_are_told_apart_without_colour() -> None:
    shown = screen(game("connect4:4x4"), Preferring(3, 2), animation=True)
    press(shown, "1")
    tops = []
    while shown.waits:
        tops.append([row for row, line in enumerate(drawn(shown).splitlines()) if "▗██▖" in line][:1])
        shown.tick()
    assert tops[:3] == [[2], [4], [6]]  # on its way down to the bottom row
    board = "\n".join(line[:28].rstrip() for line in drawn(shown).splitlines()[:11])
    assert board == draw(
        """
        connect4:4x4 against the opp
             ▼▼
          │  ▗▖    ▗▖    ▗▖    ▗▖  │
          │  ▝▘    ▝▘    ▝▘    ▝▘  │
          │  ▗▖    ▗▖    ▗▖    ▗▖  │
          │  ▝▘    ▝▘    ▝▘    ▝▘  │
          │  ▗▖    ▗▖    ▗▖    ▗▖  │
          │  ▝▘    ▝▘    ▝▘    ▝▘  │
          │ ▗██▖   ▗▖    ▗▖  [▗▛▜▖]│
          │ ▝██▘   ▝▘    ▝▘  [▝▙▟▘]│
          └────────────────────────┘
        """
    )


def test_small_terminals() -> None:
    shown = screen(game("connect4"), Preferring(6))
    press(shown, "4")
    assert drawn(shown, SMALL).splitlines()[0] == " " * 11 + "▼"
    assert drawn(shown, SMALL).partition("\n")[2] == draw(
        """
        │ ·  ·  ·  ·  ·  ·  · │
        │ ·  ·  ·  ·  ·  ·  · │
        │ ·  ·  ·  ·  ·  ·  · │
        │ ·  ·  ·  ·  ·  ·  · │
        │ ·  ·  ·  ·  ·  ·  · │
        │ ·  ·  ·  ●  ·  · [○]│
        └─────────────────────┘
          1  2  3  4  5  6  7
        You play column 4. The opponent plays
        column 7.
        ? keys  Enter plays  t hint  a analysis
        """
    )
    for width, height in ((40, 20), (30, 10), (33, 11), (120, 40), (200, 60)):
        for name in ("connect4", "tictactoe", "tictactoe:4x4:4", "gridworld:3x3", "kuhn", "rps"):
            shown = screen(make(name), Uniform(), analysis=True)
            drawn(shown, Canvas(True, width, height))
            press(shown, "?")
            drawn(shown, Canvas(True, width, height))


def test_every_key_is_listed_also_where_there_is_little_room() -> None:
    shown, listed = screen(game("connect4"), Uniform()), ""
    shown.press("?")
    while "any key: back" not in listed:
        listed += drawn(shown, SMALL)
        shown.press("j")
    assert all(does in listed for does in ("arrows, h l k j", "take back your last move", "Ctrl-Z", "q, Ctrl-C"))
    assert "1  2  3  4  5  6  7" in drawn(shown, SMALL)  # the last of these keys went back
    assert "any key: back" in press(shown, "?") and "any key" not in press(shown, "j")


def test_an_opponent_of_one_seat_is_offered_in_no_other() -> None:
    shown = screen(game("tictactoe"), Preferring(8, 7, 5, 3), one_seat=True)
    assert "the opponent plays only that seat." in press(shown, "s")
    said = press(shown, "1", "2", "3")
    assert "r rematch  m my mistakes  o other opponent" in said
    assert "the opponent plays only that" in press(shown, "s") and shown.contest.ended
    assert "> ● x you" in press(shown, "r") and shown.contest.moves == ""


def test_the_cursor_goes_by_arrows_letters_and_clicks() -> None:
    shown = screen(game("tictactoe"), None)
    assert "> 5  <" in drawn(shown)
    assert "> 1  <" in press(shown, "up", "left", "left", "k")
    assert "> 6  <" in press(shown, "j", "l", "right", "right")
    press(shown, "enter")
    assert shown.contest.moves == "6"
    frame = shown.draw(LARGE)
    row = next(at for at, line in enumerate(frame.lines) if " 3 " in line.plain)
    key = frame.at(row, frame.lines[row].plain.index("3"))
    assert key == "choose 2"
    press(shown, key)
    assert shown.contest.moves == "63" and "o plays cell 3" in drawn(shown)
    assert "Cell 3 is taken; free: 1-2 4-5 7-9." in press(shown, "3")
    assert "There is no cell 0" in press(shown, "0")


def test_numbers_of_two_digits_are_ended_by_enter() -> None:
    shown = screen(make("tictactoe:4x4:4"), None)
    assert "cell 16: Enter chooses it" in press(shown, "1", "6")
    press(shown, "enter", "7", "enter")
    assert shown.contest.moves == "16 7"


def test_win_rematch_swap_and_the_score() -> None:
    shown = screen(game("tictactoe"), Preferring(8, 7, 5, 3))
    said = press(shown, "1", "2", "3")
    assert "You win against the opponent." in said and "score: 1 won, 0 drawn, 0 lost" in said
    assert "r rematch  s swap seats  m my mistakes  o other opponent" in said
    assert "*▗██▖*" in said and "[▗██▖]" in said
    said = press(shown, "r")
    assert "score: 1 won" in said and shown.contest.moves == "" and shown.contest.seed == 1
    press(shown, "1", "2", "3", "s")
    assert shown.contest.moves == "9" and "score: 2 won" in drawn(shown)
    assert "  ● x the opponent" in drawn(shown) and "> ○ o you" in drawn(shown)
    press(shown, "r", "y", "o")
    assert shown.outcome == "other"


def test_resigning_asks_first() -> None:
    shown = screen(game("tictactoe"), Uniform())
    assert "Resign this game? Press y" in press(shown, "r")
    assert "Resign" not in press(shown, "n") and not shown.contest.ended
    said = press(shown, "r", "y")
    assert "You resign: the opponent wins." in said and "0 won, 0 drawn, 1 lost" in said
    assert "1 lost" in press(shown, "u")  # what was counted stays counted
    assert not shown.contest.ended


def test_undo_swap_hint_analysis_and_saving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = screen(game("tictactoe"), expert("tictactoe"), **knowing("tictactoe"))
    assert "You have no move to take back." in press(shown, "u")
    assert "Back to move 1." in press(shown, "5", "u") and shown.contest.moves == ""
    said = press(shown, "a")
    assert "cell  policy             value" in said and "   1  100.0% ██████████  draws  expert" in said
    assert "Keeps the draw." in press(shown, "1")
    assert "Hint: All legal moves are equally good." in press(shown, "t")
    assert "Saved to tictactoe-1.txt" in press(shown, "w")
    assert read(tmp_path / "tictactoe-1.txt").record.moves == ((0, -1), (-1, 4))
    assert "You are now o" in press(shown, "s")
    assert "value" not in press(shown, "a")
    assert "That was pasted text" in press(shown, "paste")
    assert "That key does nothing here" in press(shown, "z")


def test_an_analysis_that_ends_is_drawn_without_a_key() -> None:
    """The driver looks, draws and looks no more once nothing is awaited: not before the end has been taken in."""
    ready = Event()

    def oracle() -> ModelOracle:
        ready.wait(10)
        return ModelOracle(graph("tictactoe"))

    shown = screen(game("tictactoe"), expert("tictactoe"), advisers=expert("tictactoe"), oracle=oracle)
    shown.worker = Worker()
    assert "analysing ..." in press(shown, "a") and shown.waits
    ready.set()
    assert shown._known is not None
    shown._known[2].result()
    assert shown.waits
    shown.tick()
    assert not shown.waits and "expert" in drawn(shown)


def test_a_grid_world_is_played_by_arrows_and_both_moves_are_shown_at_once() -> None:
    shown = screen(gridworld(3, 3), Preferring(0))
    said = press(shown, "up")
    assert "You play up. The opponent plays left." in said
    assert "earned: +0" in said
    said = press(shown, "right", *["l"] * 8)
    assert "You win against the opponent (8 ahead)." in said and "earned: +8" in said
    assert shown.contest.ended


def test_words_of_a_game_are_buttons() -> None:
    shown = screen(make("rps"), Preferring(0))
    assert ">1 rock<  2 paper   3 scissors" in drawn(shown)
    assert "You play paper. The opponent plays rock." in press(shown, "right", "enter")
    assert "You play paper." in press(shown, "p")
    assert "earned: +3" in drawn(shown)  # paper was charged by the first win


def test_own_cards_alone_are_shown() -> None:
    shown = screen(make("kuhn"), Preferring(1))
    said = drawn(shown)
    cards = [line for line in said.splitlines() if "card" in line]
    assert cards and "card: " in cards[0] and "cards: seat" not in said


def test_two_humans_choose_in_secret_where_both_move() -> None:
    shown = screen(make("rps"), None)
    assert "Your move is made; it is shown when both have chosen." in press(shown, "3")
    assert "seat 0 plays scissors. seat 1 plays rock." in press(shown, "1")


def test_the_moves_of_somebody_who_sees_other_cards_are_not_judged() -> None:
    shown = screen(make("kuhn"), Preferring(1, 0), analysis=True, oracle=lambda: ModelOracle(model_of_kuhn()))
    press(shown, "1")
    assert "The opponent plays bet." in shown.message and shown.message.count(".") <= 3
    assert "You play" in shown.message


def model_of_kuhn() -> InfosetModel:
    return InfosetModel(as_hidden(make("kuhn")))
