"""What there is to choose before a game, as lists and on the screen; and the thread that does what is slow."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from agents.policy import Uniform
from games import make
from mail.terminal.boards import Canvas
from mail.terminal.full.frame import text_of
from mail.terminal.full.menu import Menu
from mail.terminal.full.work import Worker
from mail.terminal.game.choices import games, opponents, runs, seats
from mail.training.entrants import check_entrant
from mail.training.folder import Config, Run
from tests.support import game


def test_every_game_can_be_made_and_has_opponents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for choice in games():
        words = [other.word for other in opponents(make(choice.word))]
        assert words[-2:] == ["random", "human"]
        for word in words[:-1]:
            check_entrant(word)
    assert games()[0].word == "tictactoe"


def test_opponents_of_a_board_are_the_expert_levels_runs_and_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = Run.create(tmp_path / "runs" / "mine", Config(game="tictactoe", learners=("mail", "bc")))
    for learner in ("mail", "bc"):
        run.save_policies(learner, (Uniform(), Uniform()), game("tictactoe"))
    run.finish({"learners": {}}, b"", seconds=0.0, workers=1)
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "result.json").write_text("{}")
    (tmp_path / "mine.csv").write_text("")
    found = opponents(game("tictactoe"))
    assert [choice.word for choice in found] == [
        "expert", "suboptimal:0.25", "suboptimal:1", "suboptimal:4", "pretrained", "runs/mine:mail", "runs/mine:bc",
        "mine.csv", "random", "human",
    ]  # fmt: skip
    assert [choice.about for choice in found][:4] == ["cannot be beaten", "hard", "medium", "easy"]
    assert runs(game("connect4"), Path("runs")) == [] and runs(game("connect4"), Path("nowhere")) == []
    assert [choice.word for choice in seats(game("tictactoe"), "expert")] == ["0", "1"]
    assert [choice.word for choice in seats(game("connect4"), "unbeatable")] == ["1"], "it moves first"


def test_a_list_is_gone_through_by_keys_numbers_and_clicks() -> None:
    on = Canvas(True, 40, 10)
    menu = Menu("Which game?", games())
    assert text_of(menu.draw(on).lines).startswith("Which game?\n\n>  1  tictactoe")
    for key in ("down", "j", "k"):
        menu.press(key)
    assert ">  2  " in text_of(menu.draw(on).lines) and menu.outcome is None
    menu.press("up")
    menu.press("up")  # round to the last one, which is scrolled to
    frame = menu.draw(on)
    assert f"> {len(games())}  {games()[-1].word}" in text_of(frame.lines)
    row = next(at for at, line in enumerate(frame.lines) if line.plain.startswith(">"))
    assert frame.at(row - 1, 5) == f"choose {len(games()) - 2}"
    menu.press(str(frame.at(row - 1, 5)))
    assert menu.outcome == games()[-2].word
    for keys, outcome in (("12", games()[11].word), ("3", games()[2].word), ("q", "quit"), ("0", None)):
        menu = Menu("Which game?", games())
        for key in keys:
            menu.press(key)
        assert menu.outcome == outcome, keys
    menu.press("backspace")
    assert menu.outcome == "back"


def test_work_is_done_in_order_in_one_thread_and_errors_come_with_the_result() -> None:
    worker, seen = Worker(), []

    def work(number: int) -> int:
        seen.append((number, threading.current_thread()))
        return number

    jobs = [worker.do(lambda number=number: work(number)) for number in range(20)]  # type: ignore[misc]
    failed = worker.do(lambda: 1 // 0)
    assert [job.result() for job in jobs] == list(range(20)) == [number for number, _ in seen]
    assert len({thread for _, thread in seen}) == 1 and seen[0][1] is not threading.main_thread()
    with pytest.raises(ZeroDivisionError):
        failed.result()
    assert failed.done
