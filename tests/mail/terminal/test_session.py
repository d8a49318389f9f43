"""A human at the table: scripted games from both seats, changing seats, taking back, resigning and leaving."""

from __future__ import annotations

import re

import numpy as np
import pytest

from agents import PolicyError, Uniform
from games import Game, GameError
from games.base import Floats, States
from games.markov.gridworld import gridworld
from mail.terminal.game.contest import GameOptions
from mail.terminal.game.players import HUMAN, Player
from mail.terminal.session import CHATTER
from tests.mail.terminal.sitting import Preferring, boards, draw_grid, expert, recorded, session, sit
from tests.support import PENNIES, Stuck, draw, game


def test_win_from_the_first_seat() -> None:
    reward, said = sit("tictactoe", Preferring(8, 7, 5), "1", "2", "3")
    assert reward == 1
    assert "You are x and move first." in said
    assert "The opponent plays cell 9." in said
    assert said.endswith("You win against the opponent.\n")
    assert boards(said)[0] == draw_grid(" 1 | 2 | 3", " 4 | 5 | 6", " 7 | 8 | 9")
    assert boards(said)[1] == draw_grid(" x | 2 | 3", " 4 | 5 | 6", " 7 | 8 |[o]")
    assert boards(said)[-1] == draw_grid("*x*|*x*|[x]", " . | . | .", " . | o | o")


def test_win_from_the_second_seat() -> None:
    reward, said = sit("tictactoe", Preferring(0, 1, 8, 7), "4", "5", "6", human=1)
    assert reward == -1
    assert "You are o and move second." in said
    assert boards(said)[0] == draw_grid("[x]| 2 | 3", " 4 | 5 | 6", " 7 | 8 | 9")
    assert boards(said)[-1] == draw_grid(" x | x | .", "*o*|*o*|[o]", " . | . | x")
    assert said.endswith("You win against the opponent.\n")


def test_loss_and_draw_against_the_expert() -> None:
    first, second = expert("tictactoe")
    reward, said = sit("tictactoe", second, "1", "2", "6", "7", "9")
    assert reward == -1
    assert said.endswith("You lose: the opponent wins.\n")
    reward, said = sit("tictactoe", second, "5", "3", "4", "2", "9")
    assert reward == 0
    assert said.endswith("A draw between you and the opponent.\n")
    reward, said = sit("tictactoe", first, "9", "2", "4", "6", human=1)
    assert reward == 1


def test_columns_fall_and_carry_their_numbers_below() -> None:
    reward, said = sit("connect4:4x4", Preferring(3, 2), "1", "1", "1", "1")
    assert reward == 1
    assert "Your move (column 1-4, ? for help): 1\nThe opponent plays column 4.\n" in said
    assert boards(said)[1] == draw(
        """
        | .  .  .  . |
        | .  .  .  . |
        | .  .  .  . |
        | x  .  . [o]|
        +------------+
          1  2  3  4
        """
    )
    assert boards(said)[-1] == draw(
        """
        |[x] .  .  . |
        |*x* .  .  o |
        |*x* .  .  o |
        |*x* .  .  o |
        +------------+
        """
    )


def test_a_full_column_is_refused_and_no_longer_numbered() -> None:
    reward, said = sit("connect4:4x4", Preferring(0, 3), "1", "1", "1", "2")
    assert reward is None
    assert "Column 1 is full. Type one from the list." in said
    assert "Your move (column 2-4, ? for help): 1\n" in said
    assert "\n     2  3  4\n" in said


def test_any_turn_based_game_is_played_by_the_numbers_of_its_moves() -> None:
    reward, said = session(game("openspiel:tic_tac_toe"), Preferring(*range(9)), iter(["5", "99", "q"]))
    assert reward is None
    assert "You are seat 0 and move first. Type the number of a move." in said
    assert "\n...\n...\n...\n" in said
    assert "There is no move 99; they count from 1 to 9." in said


def test_games_in_which_both_move_at_once() -> None:
    """Matching pennies, then with the sign that chance drew: the human chooses before the other's move is shown."""
    reward, said = session(PENNIES, Preferring(0), iter(["1", "1"]), seed=3)
    sign = 1 if "round 1, sign 1" in said else -1
    assert reward == 1 + sign
    assert "You are seat 0 and both seats move at once." in said
    first, second = said.index("Your move (move 1-2"), said.index("The opponent plays move 1.")
    assert first < second


def test_a_grid_world_is_played_with_words_or_numbers() -> None:
    grid = gridworld(3, 3)
    answers = iter(["up", "r", "y", "right", "2", *["left"] * 10])
    reward, said = session(grid, Preferring(0), answers)
    assert "'r' is not" not in said and "You resign" in said  # r is a word already
    answers = iter(["up", "right", "2", *["left"] * 10])
    reward, said = session(grid, Preferring(0), answers)
    assert "and both seats move at once. Type the number of a move, or left, right, up, down.\n" in said
    assert "Your move (left right up down, ? for help): 2\n" in said
    assert reward == 8  # on the goal after two moves to the right, and there until the end
    assert said.endswith("You win against the opponent (8 ahead).\n")
    assert boards(said)[-1] == draw_grid(" . | . |[0]", " . | . | .", " 1 | . | .").replace("[0]", " 0")


# --- both seats, and changing them ------------------------------------------------------------------------


def test_two_humans_at_one_table() -> None:
    reward, said = recorded(
        game("tictactoe"), (HUMAN, HUMAN), iter(["1", "5", "2", "7", "3"]), seed=0, options=GameOptions(unicode=False)
    )
    assert reward == 1
    assert "tictactoe, x against o; you play both." in said
    assert "x to move (cell 1-9, ? for help): 1\n" in said
    assert "o to move (cell 2-9, ? for help): 5\n" in said
    assert said.endswith("x wins.\n")


def test_undo_takes_back_the_own_move_and_the_answer() -> None:
    reward, said = sit("tictactoe", Preferring(8, 7, 5), "undo", "1", "2", "u", "5", "undo", "undo", "4", "5", "6")
    assert "You have no move to take back." in said
    assert "Back to move 3." in said and "Back to move 1." in said
    assert said.endswith("You win against the opponent.\n") and reward == 1
    assert boards(said)[-1] == draw_grid(" . | . | .", "*x*|*x*|[x]", " . | o | o")


def test_undo_gives_the_same_chances_again() -> None:
    """What a random opponent answers to the same move is the same after taking it back."""
    _, plain = sit("tictactoe", Uniform(), "5", "q", seed=11)
    _, undone = sit("tictactoe", Uniform(), "1", "undo", "5", "undo", "5", "q", seed=11)
    answer = re.findall(r"The opponent plays cell \d", plain)
    assert len(answer) == 1
    assert re.findall(r"The opponent plays cell \d", undone)[1:] == answer * 2


def test_undo_after_the_end() -> None:
    played = ["1", "2", "6", "undo", "7", "quit"]
    file = iter(played)
    _, second = expert("tictactoe")
    reward, said = session(game("tictactoe"), second, file, linger=True)
    assert "You lose: the opponent wins.\nPress Enter to leave, or type mistakes, undo or save: " in said
    assert "Back to move 5." in said
    assert reward is None


def test_swap_changes_the_seats() -> None:
    pair = expert("tictactoe")
    reward, said = sit("tictactoe", pair[1], "5", "swap", "q", advisers=pair)
    assert "You are now o, the opponent is x." in said
    assert reward is None
    assert sum(sum(mark in "xo" for mark in re.sub(r"[^xo]", "", board)) for board in boards(said)[-1:]) == 3
    _, said = sit("tictactoe", pair[1], "swap", "q")
    assert "the opponent plays only that seat." in said


def test_resigning_is_a_loss() -> None:
    reward, said = sit("tictactoe", Uniform(), "5", "resign", "y")
    assert reward == -1
    assert said.endswith("You resign: the opponent wins.\n")
    reward, said = sit("tictactoe", Uniform(), "r", "yes", human=1)
    assert reward == 1


@pytest.mark.parametrize("answer", ["n", "", "5", "resign"])
def test_resigning_asks_first(answer: str) -> None:
    reward, said = sit("tictactoe", Uniform(), "resign", answer, "q")
    assert "Resign this game? Type y to resign, anything else to go on: " in said
    assert reward is None and "You quit; this game has no winner." in said


def test_a_paste_of_resignations_does_not_flood_the_screen() -> None:
    _, said = sit("tictactoe", Uniform(), *["resign", "no"] * 10_000, "q")
    assert said.count("Resign this game?") == CHATTER and len(said) < 60_000


# --- the opponent's draws --------------------------------------------------------------------------------


def test_the_same_seed_is_the_same_game() -> None:
    answers = [str(cell) for cell in range(1, 10)]
    games = [sit("tictactoe", Uniform(), *answers, seed=seed) for seed in [*range(8), *range(8)]]
    assert games[:8] == games[8:]
    assert len({said for _, said in games}) > 4
    assert {reward for reward, _ in games} >= {1, -1}


def test_moves_are_drawn_with_the_policys_probabilities() -> None:
    class Tilted:
        def probabilities(self, game: Game, states: States, seat: int) -> Floats:
            return np.array([[0.25, 0.0, 0.0, 0.75]])

    said = [sit("connect4:4x4", Tilted(), human=1, seed=seed)[1] for seed in range(400)]
    first, last = (sum(f"plays column {column}." in text for text in said) for column in (1, 4))
    assert first + last == 400
    assert abs(first - 100) < 4 * (400 * 0.25 * 0.75) ** 0.5


def test_an_opponent_that_would_cheat_is_an_error() -> None:
    class Cheat:
        def probabilities(self, game: Game, states: States, seat: int) -> Floats:
            return np.eye(9)[[0]]

    with pytest.raises(PolicyError, match="illegal"):
        sit("tictactoe", Cheat(), "1")


# --- leaving ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["q", "quit", "Q", " QUIT \n", "exit"])
def test_quit(word: str) -> None:
    reward, said = sit("tictactoe", Uniform(), "5", word)
    assert reward is None
    assert said.endswith("You quit; this game has no winner.\n")


def test_the_end_of_input_is_a_way_to_leave() -> None:
    reward, said = sit("tictactoe", Uniform(), "5")
    assert reward is None
    assert said.endswith("The input has ended. You quit; this game has no winner.\n")


def test_whoever_waits_for_a_policy_sees_the_board() -> None:
    _, said = recorded(
        game("tictactoe"),
        (Player("runs/slow", Uniform(), lambda: False), HUMAN),
        iter(["q"]),
        seed=0,
        options=GameOptions(unicode=False, linger=True),
    )
    assert boards(said)[0] == draw_grid(" 1 | 2 | 3", " 4 | 5 | 6", " 7 | 8 | 9")
    assert said.index("Loading runs/slow ...") < said.index("runs/slow plays cell")


def test_a_game_that_goes_on_without_a_move_is_not_asked_on_about() -> None:
    with pytest.raises(GameError, match="test-stuck goes on without a move to make at: "):
        session(Stuck(), Preferring(*range(4)), iter(["1", "2", "3", "4"]))
