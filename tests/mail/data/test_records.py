"""Saved games: written and read back, refused with a line number where they break the rules, and learned from."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agents.policy import Lifted, Uniform, tabulate
from games.base import Game
from games.markov.gridworld import gridworld
from games.symmetry import Quotient
from mail.clone.network import CloneConfig
from mail.commands.cli import main
from mail.data.records import CHANCE, Played, Record, RecordError, parse, read, store_games, stored_games
from mail.learners.budget import Budget
from mail.learners.collect import Options
from mail.learners.from_games import FromGames, canonical, decisions_of
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local
from mail.parallel.streams import stream
from mail.terminal.analysis import ModelOracle
from mail.terminal.boards import Canvas
from mail.terminal.pages import pages, replayed, turn
from tests.support import draw, game, graph, random_actions

ASCII = Canvas(False, 80, 24)
GAME = """\
nashmail game 1
game: tictactoe
seat 0: human
seat 1: runs/demo#2
seed: 4
result: -1

1. 1
2. 5   # the middle
3. 2
4. 3
5. 6
6. 7
"""


def random_record(played: Game, seed: int) -> Record:
    """A game of random moves to its end."""
    rng, chance = np.random.default_rng(seed), stream(seed, CHANCE)
    states, moves, earned, done = played.start(1, rng=chance), [], 0.0, np.array([False])
    while not done[0]:
        actions = random_actions(played, states, rng)
        states, reward, done = played.step(states, actions, rng=chance)
        moves.append((int(actions[0, 0]), int(actions[0, 1])))
        earned += float(reward[0])
    return Record(played.spec.name, ("random", "random"), seed, tuple(moves), earned)


@pytest.mark.parametrize("name", ["tictactoe", "connect4", "connect4:4x5", "gridworld:3x3"])
@pytest.mark.parametrize("seed", range(4))
def test_there_and_back(name: str, seed: int) -> None:
    from games import make

    record = random_record(make(name), seed)
    played = parse(record.text(), "file")
    assert played.record == record
    assert played.over
    assert sum(played.rewards) == record.result
    assert len(played.states) == len(record.moves) + 1


def test_a_file_as_it_stands() -> None:
    played = parse(GAME, "file")
    assert played.record.players == ("human", "runs/demo#2")
    assert played.record.moves == ((0, -1), (-1, 4), (1, -1), (-1, 2), (5, -1), (-1, 6))
    assert played.game.render(played.states[-1][0]) == "xxo\n.ox\no.."
    assert parse(GAME.replace("4. 3\n5. 6\n6. 7\n", "").replace("-1", "unfinished", 1), "file").record.result is None
    resigned = GAME.replace("6. 7\n", "").replace("-1", "seat 1 resigned", 1)
    assert parse(resigned, "file").record.resigned == 1


WRONG = {
    "line 11: move 5 of seat 1 is not legal here": ("4. 3", "4. 5"),
    "line 11: move 10 of seat 1 is not legal here": ("4. 3", "4. 10"),
    "line 11: move 0 of seat 1 is not legal here": ("4. 3", "4. 0"),
    "line 11: this position takes 1 move(s), not 2": ("4. 3", "4. 3 4"),
    "line 12: expected move 5, not 6": ("5. 6\n", ""),
    "line 11: '4. three' is neither": ("4. 3", "4. three"),
    "line 14: the game was over before this move": ("6. 7\n", "6. 7\n7. 8\n"),
    "line 6: the moves end with result -1, not '1'": ("result: -1", "result: 1"),
    "line 6: the moves end with result -1, not 'unfinished'": ("result: -1", "result: unfinished"),
    "line 2: no game is called 'tactics'": ("game: tictactoe", "game: tactics"),
    "line 5: a seed must be a whole number, not 'four'": ("seed: 4", "seed: four"),
    "lacks the line 'seat 1: ...'": ("seat 1: runs/demo#2\n", ""),
    "line 3: 'game: tictactoe' is neither": ("seat 0: human", "game: tictactoe"),
    "its first line must be 'nashmail game 1'": ("nashmail game 1", "chess"),
    "not a saved game: its first line must be": ("nashmail game 1", "nashmail game 0"),
    "format 2, newer than 1; update nashmail": ("nashmail game 1", "nashmail game 2"),
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_wrong_is_said_with_its_line(said: str) -> None:
    before, after = WRONG[said]
    assert before in GAME
    with pytest.raises(RecordError) as error:
        parse(GAME.replace(before, after, 1), "file")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@given(st.text(max_size=200), st.integers(0, 12))
def test_no_text_breaks_the_reader(text: str, place: int) -> None:
    lines = GAME.splitlines()
    for source in (text, "\n".join([*lines[:place], text, *lines[place:]])):
        try:
            parse(source, "file")
        except RecordError as error:
            assert "\n" not in str(error)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 2_000_000)
    (tmp_path / "bytes").write_bytes(bytes(range(256)))
    for name, said in [
        ("none", "No such file"),
        ("large", "too large"),
        ("bytes", "is not a saved game"),
        (".", "cannot"),
    ]:
        with pytest.raises(RecordError, match=said):
            read(tmp_path / name)


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    for name, said in (("pipe", "it is a pipe"), ("zeros", "it is a device")):
        with pytest.raises(RecordError, match=said):
            read(tmp_path / name)


@pytest.mark.parametrize("name", ["runs\\demo", 'it\'s "mine"', "é\x1b]0;T\x07", "a\nb", "x" * 500, " y ", "\\x41"])
def test_names_are_written_once_and_read_as_printable_text(name: str, tmp_path: Path) -> None:
    """However often a game is written and read; a file that somebody else wrote does not act on the terminal either."""
    record = replace(parse(GAME, "file").record, players=("human", name))
    again = parse(record.text(), "file").record
    assert parse(again.text(), "file").record == again and again.text() == record.text()
    assert all(player.isprintable() and player.isascii() for player in again.players)
    raw = parse(GAME.replace("runs/demo#2", name.replace("\n", " ")), "file")
    assert not set("\x1b\x07") & set(replayed(raw, ASCII)[0].plain)


@pytest.mark.parametrize("game", ["\x1b[2J", "x" * 100_000, "tictactoe:99x99", "linear:nan,1", "openspiel:x", "[bold]"])
def test_a_game_that_is_none_is_one_line(game: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "game").write_text(GAME.replace("tictactoe", game))
    assert main(["replay", str(tmp_path / "game")]) == 2
    out, error = capsys.readouterr()
    assert not out and error.count("\n") == 1 and error[:-1].isprintable() and "line 2" in error


# --- stepping through ------------------------------------------------------------------------------------


def test_pages_of_a_game() -> None:
    found = replayed(parse(GAME, "file"), ASCII, ModelOracle(graph("tictactoe")))
    assert len(found) == 7
    assert found[0].plain.startswith("tictactoe, seed 4\nx: human\no: runs/demo#2\n\nThe start.")
    assert found[5].plain == draw(
        """
        5. x: cell 6, throws away a draw: it now loses

         x | x | o
        ---+---+---
         4 | o |[x]
        ---+---+---
         7 | 8 | 9
        """
    )
    assert found[6].plain.endswith("[o]| . | .\n\no wins (-1).")


def test_pages_of_games_in_which_both_move_at_once() -> None:
    played = parse(random_record(gridworld(3, 3), 0).text(), "file")
    found = replayed(played, ASCII)
    assert len(found) == 11
    assert found[1].plain.startswith("1. 0: ") and "; 1: " in found[1].plain


@pytest.mark.parametrize(
    ("answers", "headings"),
    [
        (["", "", "", "", "", ""], ["The start", "1.", "2.", "3.", "4.", "5.", "6."]),
        (["5", "b", "what", "99"], ["The start", "5.", "4.", "4.", "6."]),
        (["", "q"], ["The start", "1."]),
        ([], ["The start"]),
    ],
)
def test_turning_pages(answers: list[str], headings: list[str]) -> None:
    played = parse(GAME, "file")
    console = Console(file=StringIO(), width=80)
    given = iter(answers)
    found = pages(played.game, played.states, played.record.moves, ASCII, over=True)
    turn(found, console, read=lambda: next(given, None))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    shown = re.findall(r"(?:^|quit: )(The start|\d\.)", said, re.MULTILINE)
    assert shown == headings


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "game.txt"
    path.write_text(GAME)
    assert main(["replay", str(path), "--analysis"]) == 0
    said = capsys.readouterr().out
    assert "5. x: cell 6, throws away a draw: it now loses" in said
    assert said.endswith("o wins (-1).\n\n")
    path.write_text(GAME.replace("4. 3", "4. 5"))
    assert main(["replay", str(path)]) == 2
    assert capsys.readouterr().err == f"nashmail replay: {path}, line 11: move 5 of seat 1 is not legal here\n"


def test_what_play_saves_replay_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "game.txt"
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"1\n2\n6\n7\n9\n")))
    assert main(["play", "tictactoe", "--save", str(path), "--seed", "3"]) == 0
    assert main(["replay", str(path)]) == 0
    assert "o wins (-1)." in capsys.readouterr().out
    assert main(["play", "tictactoe", "--save", str(path)]) == 2
    assert "already exists" in capsys.readouterr().err


# --- demonstrations --------------------------------------------------------------------------------------


def games(count: int, name: str = "tictactoe") -> list[Played]:
    return [parse(random_record(game(name), seed).text(), str(seed)) for seed in range(count)]


def test_decisions_of_games() -> None:
    told = [parse(GAME, "file"), *games(3)]
    found = decisions_of(told)
    assert len(found) == sum(len(played.record.moves) for played in told)
    assert found.games == 4
    assert (found.label.argmax(1) == found.played).all() and (found.label.sum(1) == 1).all()
    first = found.take(found.episode == 0)
    assert first.seat.tolist() == [0, 1] * 3
    assert first.next.tolist() == [2, 3, 4, 5, -1, -1]
    assert first.reward.tolist() == [0, 0, 0, 0, -1, 1]
    assert first.ended.tolist() == [False] * 4 + [True] * 2
    board = game("tictactoe")
    for row in range(len(found)):
        state, seat = found.state[row : row + 1], int(found.seat[row])
        assert (found.key[row] == board.key(state, seat)[0]).all()
        assert (found.observation[row] == board.observe(state, seat)[0]).all()


def test_games_that_cannot_be_learned_from() -> None:
    with pytest.raises(RecordError, match="cannot be learned together"):
        decisions_of([*games(1), *games(1, "connect4:4x4")])
    empty = parse(GAME[: GAME.index("1. 1")].replace("-1", "unfinished", 1), "file")
    with pytest.raises(RecordError, match="no move"):
        decisions_of([empty])
    single = parse(GAME[: GAME.index("2. 5")].replace("-1", "unfinished", 1), "file")
    with pytest.raises(RecordError, match="seat 1 never moves"):
        FromGames([single], Options())


@pytest.mark.slow
@pytest.mark.parametrize("symmetry", [False, True])
def test_clones_of_games_play_the_moves_they_were_shown(symmetry: bool) -> None:
    told = [parse(GAME, "file")]
    options = Options(clone=CloneConfig(max_steps=300))
    learner, nobody = FromGames(told, options, symmetry=symmetry), (Uniform(), Uniform())
    learned = learner.learn(game("tictactoe"), nobody, Budget(), pool=Local(), journal=NullJournal())
    model = graph("tictactoe")
    policies = learned.policies
    if symmetry:
        quotient = Quotient(game("tictactoe"))
        policies = (Lifted(policies[0], quotient), Lifted(policies[1], quotient))
    tables = [tabulate(model, policies[seat], seat) for seat in (0, 1)]
    for ply, pair in enumerate(told[0].record.moves):
        row = model.index(told[0].states[ply])[0]
        chances = tables[ply % 2][row]
        if not symmetry or ply > 1:  # the first two positions have images of their own: any of the equal moves will do
            assert chances[pair[ply % 2]] > 0.9


def test_a_run_keeps_the_games_it_learns_from(tmp_path: Path) -> None:
    told = games(12)
    store_games(tmp_path, told)
    assert [played.record for played in stored_games(tmp_path)] == [played.record for played in told]
    with pytest.raises(RecordError, match="holds no games to learn from"):
        stored_games(tmp_path / "elsewhere")


def test_decisions_up_to_symmetry() -> None:
    """A game and its mirror image become the same decisions."""
    mirror = [3, 2, 1, 6, 5, 4, 9, 8, 7]
    lines = [line if not line[:1].isdigit() else f"{line[:2]} {mirror[int(line[3]) - 1]}" for line in GAME.splitlines()]
    quotient = Quotient(game("tictactoe"))
    one, other = (canonical(decisions_of([parse(text, "file")]), quotient) for text in (GAME, "\n".join(lines)))
    assert (one.key == other.key).all()
    assert (one.observation == other.observation).all()
    last = slice(2, None)  # later positions have no symmetry of their own
    assert (one.played[last] == other.played[last]).all()
    assert (one.label.argmax(1) == one.played).all()
