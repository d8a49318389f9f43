"""Reasons for moves on drawn boards, and how many moves a win takes, against a count that knows no graph."""

from __future__ import annotations

import numpy as np
import pytest

from agents import solver
from games import make
from games.base import Game
from mail.data.game_text import follow
from mail.terminal.analysis import ModelOracle, SolverOracle, moves_to_end
from mail.terminal.reasons import reason
from tests.support import game, graph, position

REASONS = {
    # what the move of the action, from 1, does there
    "completes 1-2-3": ("tictactoe", "xx.\noo.\n...", 3),
    "completes 4-5-6": ("tictactoe", "xxo\noo.\nx.x", 6),
    "blocks 1-2-3": ("tictactoe", "oo.\nx..\n.x.", 3),
    "blocks 3-5-7 and threatens twice, 1-4-7 and 7-8-9": ("tictactoe", "x.o\n.o.\n..x", 7),
    "threatens 7-8-9": ("tictactoe", "ox.\n.o.\n..x", 7),
    "threatens twice, 1-2-3 and 1-5-9": ("tictactoe", "..x\n..o\n.ox", 1),
    "lets o complete 1-4-7": ("tictactoe", "ox.\no.x\n...", 9),
    "lets o complete 1-2-3 and 1-5-9": ("tictactoe", "oo.\nxox\nx..", 8),
    "completes column 1 upwards": ("connect4:4x4", "....\nx...\nx.o.\nxoo.", 1),
    "blocks columns 1-4 level": ("connect4:4x4", "....\n..x.\nx.x.\nooo.", 4),
    "completes columns 1-4 diagonally": ("connect4:4x4", "....\n..xo\noxox\nxoox", 4),
    "": ("tictactoe", "...\n...\n...", 5),
}


@pytest.mark.parametrize("said", REASONS)
def test_reasons(said: str) -> None:
    name, drawn, action = REASONS[said]
    states = position(game(name), drawn)
    seat = int(game(name).acting(states)[0, 1])
    assert reason(game(name), states, seat, action - 1) == said


def test_other_games_have_no_such_reasons() -> None:
    rps = make("rps")
    assert reason(rps, rps.start(1, rng=np.random.default_rng(0)), 0, 0) == ""


LEFT: dict[tuple[str, ...], tuple[int, int]] = {}


def plies_left(moves: str) -> tuple[int, int]:
    """Of Tic-Tac-Toe after these moves: its value for the mover, and the plies to the end under best play."""
    cells = tuple("".join(sorted(moves[seat::2])) for seat in (0, 1))  # whatever the order
    if cells not in LEFT:
        LEFT[cells] = counted(moves)
    return LEFT[cells]


def counted(moves: str) -> tuple[int, int]:
    """The same, by playing every move."""
    played = follow(game("tictactoe"), moves, seed=None)
    if played.over:
        return (0, 0) if played.record.result == 0 else (-1, 0)
    found = []
    for action in np.flatnonzero(game("tictactoe").legal(played.states[-1], len(moves) % 2)[0]):
        value, plies = plies_left(moves + str(action + 1))
        found.append((-value, plies + 1))
    best = max(value for value, _ in found)
    lengths = [plies for value, plies in found if value == best]
    return best, min(lengths) if best > 0 else max(lengths)


@pytest.mark.parametrize("moves", ["1243", "51", "1527", "12", "15236", "123456", "12543"])
def test_moves_to_the_end_of_tictactoe(moves: str) -> None:
    played, board = follow(game("tictactoe"), moves, seed=None), game("tictactoe")
    seat, states = len(moves) % 2, played.states[-1]
    scores = ModelOracle(graph("tictactoe")).scores(states, seat)
    assert scores is not None
    found = moves_to_end(board.spec.longest, len(moves), scores[0])
    for action in np.flatnonzero(board.legal(states, seat)[0]):
        value, plies = plies_left(moves + str(action + 1))
        own = (plies + 1) // 2 if value > 0 else plies // 2 + 1 if value < 0 else 0
        assert found[action] == (0 if value == 0 else own), (moves, action)


@pytest.mark.skipif(not solver.installed(), reason="needs the Connect Four solver")
def test_moves_to_the_end_of_connect_four() -> None:
    board: Game = make("connect4")
    for moves, action, count in [("414141", 3, 1), ("414141", 1, 1), ("41414", 3, 0)]:
        played = follow(board, moves, seed=None)
        scores = SolverOracle(board).scores(played.states[-1], len(moves) % 2)
        found = moves_to_end(42, len(moves), scores[0])
        if count:
            assert found[action] == count
        else:  # o blocks, and all else loses at once
            assert found[action] != 1 and (np.delete(found, action) == 1).all()
