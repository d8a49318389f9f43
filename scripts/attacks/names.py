"""Names of games: invalid parameters, parameters that kill a process or are too large, and other libraries' games."""

from __future__ import annotations

import numpy as np

from attacks.fixture import Case, Fixture, simple
from attacks.mutations import TITLE
from attacks.running import Command

KIND = "names"
OURS = (  # none is a game
    "", ":", "tictactoe:", "x", "tictactoe:0x0", "tictactoe:3", "tictactoe:3x3:0", "tictactoe:3x3:99", "tictactoe:-1x3", "tictactoe:9999x9999",
    "tictactoe:3x3:3:3", "tictactoe:３x３", "tictactoe:1e3x3", "connect4:0x1", "connect4:100x100", "connect4:6x7:", "gridworld:0x0", "gridworld:x",
    "gridworld:9999x9999", "linear:", "linear:0,0", "linear:-1,2", "linear:1000000,200", "linear:4", "linear:4,2,x", "linear:nan,2", "linear-joint:1000000,200",
    "chain:0", "chain:-1", "chain:99999999999", "chain:x", "rps:1", "shifted:0", "shifted:x", "unseen:x", "tictactoe\n", "tictactoe ", TITLE, "tictactoe:" + TITLE,
    "a" * 100_000, "../tictactoe", "tictactoe\x00", "openspiel", "openspiel:", "simultaneous", "simultaneous:", "pettingzoo", "pettingzoo:", "pettingzoo:x",
    "pettingzoo:" + TITLE, "pettingzoo:connect_four_v3x", "pettingzoo:os", "pettingzoo:../x", "pettingzoo:texas_holdem", "pettingzoo:go", "pettingzoo:hanabi",
)  # fmt: skip
_MAYBE = {
    "tictactoe:",
    "linear:",
    "connect4:6x7:",
    "tictactoe:3x3:99",
    "pettingzoo:go",
    "rps:1",
    "shifted:0",
    "chain:99999999999",
    "gridworld:0x0",
}
SPIEL = (  # refused or played, but never a crash
    "havannah(board_size=-1)", "havannah(board_size=0)", "havannah(board_size=1000)", "hanabi(colors=-1)", "hanabi(players=0)", "go(board_size=1)", "go(board_size=-1)",
    "go(board_size=1000000)", "go(komi=nan)", "go(komi=x)", "hex(board_size=0)", "hex(board_size=-1)", "hex(board_size=100000)", "hex(num_rows=2,num_cols=)",
    "hex(board_size=3", "hex)board_size=3(", "hex(board_size=3))", "hex(nothing=3)", "hex(board_size=3,board_size=3)", "hex(board_size=3.5)", "hex(" + "a" * 10_000 + ")",
    "hex(board_size=" + "9" * 30 + ")", "nothing", "nothing()", TITLE, "", "()", "mnk", "mnk(m=-1)", "mnk(m=0,n=0,k=0)", "mnk(m=2,n=2,k=9)", "efg_game(filename=/nonexistent)",
    "efg_game(filename=/dev/zero)", "efg_game", "nfg_game(filename=/etc/passwd)", "dots_and_boxes(num_rows=0)", "dots_and_boxes(num_rows=-1,num_cols=-1)",
    "misere(game=tictactoe())", "misere(game=tic_tac_toe())", "misere(game=misere(game=misere(game=tic_tac_toe())))", "turn_based_simultaneous_game(game=matrix_rps())",
    "repeated_game(stage_game=matrix_rps(),num_repetitions=0)", "repeated_game(stage_game=matrix_rps(),num_repetitions=-1)", "python_tic_tac_toe", "python_iterated_prisoners_dilemma",
    "kuhn_poker", "kuhn_poker(players=3)", "kuhn_poker(players=-1)", "leduc_poker(players=0)", "chess", "chess(chess960=x)", "gomoku", "gomoku(size=-1)", "breakthrough", "breakthrough(rows=0)",
    "breakthrough(rows=-3,columns=-3)", "othello", "oware", "oware(num_houses_per_player=0)", "oware(num_houses_per_player=-1)", "mancala", "nim(pile_sizes=0)", "nim(pile_sizes=-1)",
    "nim(pile_sizes=1;x)", "nim(pile_sizes=)", "nim(pile_sizes=999999999;999999999)", "connect_four", "connect_four(rows=0)", "connect_four(rows=-1,columns=-1)", "quoridor(board_size=0)",
    "quoridor(board_size=-1)", "clobber(rows=0)", "clobber(rows=99,columns=99)", "amazons", "checkers(rows=1,columns=1)", "pentago", "y(board_size=-1)", "y(board_size=0)", "twixt(board_size=2)",
    "twixt(board_size=-5)", "lines_of_action", "phantom_ttt", "dark_hex(board_size=2)", "backgammon", "bargaining", "battleship", "blackjack", "bridge", "cliff_walking", "solitaire",
    "tiny_hanabi", "ultimate_tic_tac_toe", "universal_poker", "universal_poker(betting=x)", "coop_box_pushing", "cursor_go(board_size=-1)", "deep_sea(size=-1)", "gin_rummy", "euchre(x=",
    "restricted_nash_response(game=leduc_poker())", "zerosum(game=kuhn_poker())", "start_at(game=tic_tac_toe(),history=99)", "start_at(history=0;4,game=tic_tac_toe())", "add_noise(game=x)",
)  # fmt: skip
_REFUSED = {
    "nothing",
    "nothing()",
    TITLE,
    "",
    "()",
    "hex(nothing=3)",
    "mnk(m=-1)",
    "havannah(board_size=-1)",
    "hanabi(colors=-1)",
    "kuhn_poker(players=3)",
    "blackjack",
    "bridge",
}
BOTH = (
    "kuhn_poker", "matrix_rps(x=1)", "matrix_nothing", "matrix_pd", "goofspiel(num_cards=0)", "goofspiel(num_cards=-1)", "goofspiel(num_cards=40)", "goofspiel", "goofspiel(num_cards=3,imp_info=True)",
    "goofspiel(num_cards=3,imp_info=x)", "oshi_zumo(horizon=-1)", "oshi_zumo", "laser_tag", "laser_tag(horizon=-1)", "markov_soccer", "markov_soccer(horizon=99999999)", "pathfinding", "pathfinding(players=9)",
    "coordinated_mp", "blotto(players=2,coins=-1)", "blotto(players=2,coins=1000,fields=9)", "mfg_crowd_modelling", "python_rock_paper", TITLE, "",
)  # fmt: skip
LARGE = (
    "connect4",
    "tictactoe:5x5",
    "openspiel:gomoku",
    "openspiel:breakthrough",
    "openspiel:chess",
    "openspiel:connect_four",
    "openspiel:hex",
    "linear:1000000,200",
    "connect4:8x7",
    "openspiel:go",
)
"""Games that ``gap``, ``exploit`` and ``train`` cannot enumerate."""


def cases(fixture: Fixture, rng: np.random.Generator) -> list[Case]:
    """Each name with ``play``; some with ``train``."""
    found = [_case(name, "either" if name in _MAYBE else "refuse", 6) for name in OURS]
    found += [_case(f"openspiel:{name}", "refuse" if name in _REFUSED else "either", 6) for name in SPIEL]
    found += [_case(f"simultaneous:{name}", "either" if name else "refuse", 6) for name in BOTH]
    for name in LARGE:
        train = ("train", name, "--episodes", "1", "--explorer", "refute", "--out", "new")
        command = Command(train, "refuse", seconds=20.0, memory=4096)
        found.append(simple(KIND, f"{KIND}: train {name} --explorer refute", 5, command))
        found.append(
            simple(
                KIND,
                f"{KIND}: gap --game {name}",
                5,
                Command(("gap", "table.csv", "--game", name), seconds=20.0),
                lambda place, fixture: fixture.copy("table.csv", place / "table.csv"),
            )
        )
    for name in ("openspiel:chess", "openspiel:othello", "openspiel:go(board_size=5)", "openspiel:breakthrough"):
        command = Command(
            ("play", name, "--against", "random", "--seed", "1"),
            "accept",
            stdin=b"hint\n1\nanalysis\n?\n",
            seconds=20.0,
        )
        found.append(simple(KIND, f"{KIND}: play {name} with hint", 13, command))
        command = Command(("match", name, "random", "random", "--games", "1"), "either", seconds=20.0)
        found.append(simple(KIND, f"{KIND}: match {name}", 5, command))
    return found


def _case(name: str, expect: str, point: int) -> Case:
    command = Command(("play", name, "--against", "random", "--seed", "1"), expect, stdin=b"", seconds=20.0)  # type: ignore[arg-type]
    return simple(KIND, f"{KIND}: {ascii(name)[1:61]}", point, command)
