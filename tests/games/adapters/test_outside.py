"""Other libraries' games: whatever goes wrong in them is one line, and none of them ends the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from games import GameError, make
from games.adapters.outside import answering, printable, quiet, reason
from games.adapters.replay import Replayed
from games.adapters.trial import tried


def refusal(name: str) -> str:
    with pytest.raises(GameError) as caught:
        make(name)
    text = str(caught.value)
    assert "\n" not in text and len(text) < 400
    return text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "says"),
    {
        "openspiel:havannah(board_size=-1)": "crashes on these parameters (SIGSEGV)",
        "openspiel:hanabi(colors=-1)": "crashes on these parameters (SIGABRT)",
        "openspiel:havannah(board_size=0)": "no legal action",
        "openspiel:connect_four(rows=0)": "over before its first move",
        "openspiel:dots_and_boxes(num_rows=0)": "num_rows_ >= 1",
        "openspiel:go(board_size=1)": "unsupported board size",
        "openspiel:go(max_game_length=2147483647)": "can last 2,147,483,647 moves",
        "openspiel:breakthrough(rows=100000,columns=100000)": "more memory than is available",
        "openspiel:efg_game(filename=/nonexistent)": "cannot open its file",
        "openspiel:connect_four(rows=99999999999)": "not a number of the kind it needs",
        "openspiel:misere(game=tictactoe())": "Unknown game 'tictactoe'",
        "openspiel:misere": "Missing parameter game",
        "openspiel:hex(board_size=3": "Missing closing bracket",
        "openspiel:hex(size=3)": "Unknown parameter 'size'",
        "openspiel:hexx": "did you mean hex?",
        "openspiel:\x1b[2J": "no game called '?[2J'",
        "openspiel:tic_tac_toe\0": "no game called",
        "openspiel:\udcff": "no game called '?'",
        "openspiel:" + "a" * 5000: "no game called",
        "simultaneous:kuhn_poker": "simultaneous:kuhn_poker does not fit: it is of imperfect information",
        "simultaneous:havannah(board_size=-1)": "SIGSEGV",
        "simultaneous:": "simultaneous:matrix_rps",
    }.items(),
)
def test_what_opens_no_game_is_one_line(name: str, says: str, capfd: pytest.CaptureFixture[str]) -> None:
    text = refusal(name)
    assert says in text
    assert capfd.readouterr().err == ""  # OpenSpiel's own lines are held back


@pytest.mark.parametrize(
    "name", ["mnk", "gomoku", "misere(game=tic_tac_toe())", "python_tic_tac_toe", "chess", "othello"]
)
def test_games_without_parameters_work(name: str) -> None:
    game = make(f"openspiel:{name}")
    assert isinstance(game, Replayed) and game.called == f"openspiel:{name}"
    assert make(game.spec.name).spec == game.spec


def test_a_sound_name_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("games.adapters.trial.subprocess", None)
    for text in ("chess", "connect_four(rows=4,columns=5)", "mnk(m=3,n=3,k=3)", "tic_tac_toe()"):
        tried(text, text, "")
    with pytest.raises(AttributeError):
        tried("connect_four(rows=-7)", "", "nowhere")


def test_a_name_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = refusal("openspiel:havannah(board_size=-3)")
    monkeypatch.setattr("games.adapters.trial.subprocess", None)
    assert refusal("openspiel:havannah(board_size=-3)") == first


class Broken(Replayed):
    """A game whose library fails after a move."""

    library = "Elsewhere"

    def __init__(self, error: Exception) -> None:
        inner = make("openspiel:nim(pile_sizes=1;2)")
        assert isinstance(inner, Replayed)
        super().__init__(inner.spec, None, merges=False, called="broken:game")
        self.inner, self.error = inner, error

    def replay(self, moves: tuple[int, ...]):  # type: ignore[no-untyped-def]
        if moves:
            os.write(2, b"a complaint of the library's own\n")
            raise self.error
        return self.inner.replay(moves)


@pytest.mark.parametrize("error", [KeyError("n"), IndexError("list"), MemoryError(), RuntimeError("/a/b.cc:1 x < y")])
def test_what_fails_later_is_one_line_too(error: Exception, capfd: pytest.CaptureFixture[str]) -> None:
    game = Broken(error)
    state = game.starts()
    with pytest.raises(GameError, match=r"^broken:game fails in Elsewhere: "):
        game.position((0,))
    assert state.shape == (1, game.spec.longest) and capfd.readouterr().err == ""


def test_reasons_leave_the_library_s_source_out() -> None:
    assert reason(RuntimeError("/project/a.cc:12 CHECK_GE(x, 1)\nx = 0, 1 = 1")) == "CHECK_GE(x, 1) (x = 0, 1 = 1)"
    assert reason(KeyError("n")) == "KeyError: 'n'" and reason(RuntimeError()) == "RuntimeError"
    assert printable("a\x1b[0m\n") == "a?[0m?" and len(printable("x" * 500)) == 80


def test_errors_of_ours_pass() -> None:
    with pytest.raises(GameError, match=r"^ours$"), answering("x"):
        raise GameError("ours")
    with pytest.raises(KeyboardInterrupt), answering("x"):
        raise KeyboardInterrupt


def test_standard_error_comes_back(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet(), quiet():
        os.write(2, b"inside\n")
    os.write(2, b"outside\n")
    assert capfd.readouterr().err == "outside\n"


def test_a_saved_game_cannot_end_the_process_either(tmp_path: Path) -> None:
    path = tmp_path / "game.txt"
    path.write_text("nashmail game 1\ngame: openspiel:hanabi(colors=-1)\n")
    command = [sys.executable, "-m", "mail", "replay", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
