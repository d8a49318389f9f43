"""A run followed from its files: half-written lines, damaged ones, finished runs, and the command."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from agents.storage.atomic import write_atomic
from mail.commands.cli import main
from mail.terminal.boards import Canvas
from mail.terminal.progress.run import BARS, Progress, cropped, read_progress, screen, sparkline
from mail.training.config import RunError
from mail.training.progress.events import Bounds
from mail.training.progress.state import OpenPhase, State
from mail.training.progress.status import StatusFile, birth
from tests.support import draw

ASCII = Canvas(False, 80, 24)
CONFIG = {"format": 1, "game": "tictactoe", "explorer": "deep", "expert": "first", "seed": 3, "learners": ["mail"]}


def folder(
    home: Path, lines: list[dict[str, object]], *, tail: str = "", result: Mapping[str, object] | None = None
) -> Path:
    write_atomic(home / "config.json", json.dumps(CONFIG).encode())  # at no time half there, as in a run
    write_atomic(home / "metrics.jsonl", ("".join(json.dumps(line) + "\n" for line in lines) + tail).encode())
    if result is not None:
        write_atomic(home / "result.json", json.dumps(result).encode())
    return home


def told(seat: int, **values: float) -> dict[str, object]:
    return {"learner": "mail", "seat": seat, **values}


ROUNDS = [
    told(0, games=8, labels=30, distinct_labels=9, log_det=1.5),
    told(0, games=1600, labels=6000, distinct_labels=70, log_det=31.25),
    told(1, games=8, labels=20, distinct_labels=11, log_det=2.0, exploitability=-0.0),
]
RESULT = {
    "learners": {
        "mail": {"games": 9, "labels": 50, "distinct_labels": 20, "exploitability": [0.0, 0.25], "nash_gap": 0.25}
    }
}


def test_the_screen_of_a_run_that_learns(tmp_path: Path) -> None:
    said = screen(read_progress(folder(tmp_path, ROUNDS, tail='{"learner": "mail", "se')), ASCII).plain
    assert "\n".join(line.rstrip() for line in said.splitlines()) == draw(
        """
        tictactoe: explorer deep, expert first, seed 3

        mail: positions with a label, by games
         70 |                                                           0
            |                                                           0
            |                                                           0
            |                                                           0
            |                                                           0
            |                                                           0
          0 |000000000000000000000000000000000000000000000000000000000000
            0                                                       1,600

        mail, seat 0: 2 rounds
          games                 1,600  _#
          labels                6,000  _#
          distinct labels          70  _#
          log det               31.25  _#

        mail, seat 1: 1 round
          games                     8  _
          labels                   20  _
          distinct labels          11  _
          log det                   2  _
          exploitability            0  _

        running or stopped; `nashmail train ... --resume` continues a stopped run
        """
    )


def test_the_screen_of_a_finished_run_and_of_one_that_has_not_begun(tmp_path: Path) -> None:
    said = screen(read_progress(folder(tmp_path / "done", ROUNDS, result=RESULT)), ASCII).plain
    assert said.splitlines()[-3:] == [
        "finished",
        "  mail: 9 games, 50 labels, 20 distinct labels",
        "    exploitability 0.0000 0.2500, nash gap 0.2500",
    ]
    assert "nothing has been logged yet" in screen(read_progress(folder(tmp_path / "new", [])), ASCII).plain


@pytest.mark.parametrize("width", [20, 40, 200])
def test_no_line_is_wider_than_the_terminal(tmp_path: Path, width: int) -> None:
    rounds = [
        told(0, games=n, labels=n * n, a_very_long_name_of_a_metric_that_somebody_chose=1 / n) for n in range(1, 300)
    ]
    said = screen(read_progress(folder(tmp_path, rounds, result=RESULT)), Canvas(True, width, 24)).plain
    assert max(map(len, said.splitlines())) <= width


def test_sparklines() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8, Canvas(True)) == BARS
    assert sparkline([0, 1], 8, ASCII) == "_#"
    assert sparkline(list(range(100)), 5, ASCII) == "_.-*#" or len(sparkline(list(range(100)), 5, ASCII)) == 5
    assert sparkline(list(range(100)), 5, ASCII)[-1] == "#"
    assert sparkline([3, 3, 3], 8, ASCII) == "___"
    assert sparkline([1, float("nan")], 8, ASCII) == sparkline([1, float("inf")], 8, ASCII) == ""
    assert sparkline([1, 2], 0, ASCII) == ""


@pytest.mark.parametrize(
    "line", ["no json", "[1, 2]", '{"learner": "mail"}', '{"learner": "mail", "seat": "x"}', '{"seat": 0, "games": []}']
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    home = folder(tmp_path, ROUNDS, tail=line + "\n")
    with pytest.raises(RunError, match=r"metrics\.jsonl, line 4 is damaged"):
        read_progress(home)


def test_what_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("")
    assert main(["watch", str(tmp_path)]) == 2
    assert "there is no run in" in capsys.readouterr().err
    (tmp_path / "config.json").write_text("[]")
    assert main(["watch", str(tmp_path)]) == 2
    assert "not a run's configuration" in capsys.readouterr().err


def test_once_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = folder(tmp_path, ROUNDS)
    assert main(["watch", str(home), "--once"]) == 0
    assert "mail, seat 0: 2 rounds" in capsys.readouterr().out
    assert main(["watch", str(home), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["game"], said["finished"], said["learners"]) == ("tictactoe", False, {})
    assert said["learning"][0]["last"]["labels"] == 6000
    with pytest.raises(SystemExit):
        main(["watch", str(home), "--every", "0"])


def test_a_run_is_followed_until_it_is_finished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = folder(tmp_path, ROUNDS[:1])

    def learn() -> None:
        time.sleep(0.3)
        folder(home, ROUNDS)
        time.sleep(0.3)
        folder(home, ROUNDS, result=RESULT)

    thread = threading.Thread(target=learn)
    thread.start()
    assert main(["watch", str(home), "--every", "0.05"]) == 0
    thread.join()
    said = capsys.readouterr().out
    assert said.count("mail, seat 0: 1 round\n") == 1
    assert said.count("mail, seat 0: 2 rounds\n") == 2
    assert said.endswith("nash gap 0.2500\n")


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    home = folder(tmp_path, ROUNDS)
    heavy = ("torch", "ray", "pyspiel", "pettingzoo", "matplotlib")
    code = (
        f"import sys; from mail.commands.cli import main; main(['watch', {str(home)!r}, '--once']); "
        f"print({{*{heavy}}} & {{*sys.modules}})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")


def test_progress_is_a_value() -> None:
    assert Progress(Path("run"), CONFIG, {}, None).as_dict()["learning"] == []


def status(home: Path, *, pid: int, born: int, host: str = "", stopped: bool = False) -> None:
    """The progress of a run that explores for seat 1, of some process."""
    state = State(seconds=61.0, bounds=Bounds((81, 426), (63, 282)), gaps={"nash_gap": 0.25}, gap_of="nash_gap")
    explore = OpenPhase("explore", "mail", 1, 1.0, 312.0, 1000.0, "games", "fit", 6.0, 10.0, "steps")
    state.phases = [OpenPhase("learn", "mail", None, 0.0), explore]
    state.logged = {("mail", 1): {"games": 310.0, "labels": 1204.0, "distinct_labels": 213.0}}
    file = StatusFile(home)
    file.state, file._at = state, state.phases
    file._process = {"pid": pid, "birth": born, "host": host or platform.node()}
    file._write(stopped=stopped)


def test_the_present_phase_and_whether_the_process_lives(tmp_path: Path) -> None:
    home, me = folder(tmp_path, ROUNDS), os.getpid()
    status(home, pid=me, born=birth(me))
    progress = read_progress(home)
    lines = screen(progress, ASCII).plain.splitlines()
    assert progress.as_dict()["alive"] is True
    assert lines[1].startswith(f"running: process {me}, 0:01:0")
    assert lines[2:7] == [
        "mail: explore, seat 1",
        "  #########--------------------- 312 of 1,000 games",
        "  seat 1: 310 games, 1,204 labels, 213 of 426 positions (50%)",
        "  latest gap: 0.2500 (Nash gap)",
        "  fit: 6 of 10 steps",
    ]
    assert "mail: share of the reachable positions with a label, by games" in lines
    for pid, born, stopped in ((me, birth(me) + 1, False), (2**22 + 5, 1, False), (me, birth(me), True)):
        status(home, pid=pid, born=born, stopped=stopped)
        said = screen(read_progress(home), ASCII).plain
        assert said.splitlines()[1].startswith("stopped: process")
        assert said.endswith("stopped; `nashmail train ... --resume` continues it")
    status(home, pid=me, born=birth(me), host="elsewhere")
    assert (
        f"running or stopped: process {me} on elsewhere, 0:01:01, last heard of"
        in screen(read_progress(home), ASCII).plain
    )


def test_a_screen_is_cropped_to_the_terminal(tmp_path: Path) -> None:
    picture = screen(read_progress(folder(tmp_path, ROUNDS)), ASCII)
    lines = cropped(picture, 12).plain.splitlines()
    assert len(lines) == 11
    assert lines[-1] == f"... {len(picture.plain.splitlines()) - 10} more lines; --once prints all"
    assert cropped(picture, 100).plain == picture.plain
