"""Bad input that once got through: damaged files, wrong kinds of values, budgets out of reach. One test per bug."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agents import expert
from agents.policy import PolicyError, Uniform
from agents.storage.policies import load_policy
from games import NashmailError
from mail.commands.cli import main
from mail.learners.budget import Budget
from mail.learners.collect import Options
from mail.learners.interactive import Mail
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local
from mail.training.folder import Config, Run, read_decisions
from tests.agents.storage.saved_policies import SIZES, described, network, refused, rewrite, saved, table
from tests.mail.training.test_folder import some_decisions
from tests.support import graph


@pytest.mark.slow
def test_mail_train_twice_in_one_process(tmp_path: Path) -> None:
    code = (
        "import sys, mail\nfor name in ('a', 'b'):\n"
        "    mail.train('tictactoe:2x2:2', sys.argv[1] + '/' + name, learners=('bc',), episodes=1, points=1)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_force_spares_a_folder_whose_config_is_not_a_runs(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"name": "my app"}')
    (tmp_path / "precious.txt").write_text("years")
    with pytest.raises(NashmailError):
        Run.create(tmp_path, Config("tictactoe"), force=True)
    assert (tmp_path / "precious.txt").exists()


@pytest.mark.parametrize("at", ["end", "middle"])
def test_a_truncated_round(at: str, tmp_path: Path) -> None:
    run = Run.create(tmp_path, Config("tictactoe"))
    run.journal.store("mail", 0, 0, some_decisions())
    path = next(tmp_path.rglob("*.npz"))
    data = path.read_bytes()
    path.write_bytes(data[:-7] if at == "end" else data[: len(data) // 2])
    with pytest.raises(NashmailError, match="is damaged"):
        read_decisions(path)


def test_every_kind_of_flipped_bit(tmp_path: Path) -> None:
    run = Run.create(tmp_path, Config("tictactoe"))
    run.journal.store("mail", 0, 0, some_decisions())
    path = next(tmp_path.rglob("*.npz"))
    data = path.read_bytes()
    central = data.index(b"PK\x01\x02")
    for at in [*range(30), *range(central, central + 46)]:
        for bit in range(8):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
            try:
                read_decisions(path)
            except NashmailError as error:
                assert "is damaged" in str(error)


@pytest.mark.parametrize("data", [b"5", b"null", b"[1]"])
def test_a_result_that_is_no_object(data: bytes, tmp_path: Path) -> None:
    run = Run.create(tmp_path, Config("tictactoe"))
    (tmp_path / "result.json").write_bytes(data)
    with pytest.raises(NashmailError, match=r"result\.json"):
        run.result()


@pytest.mark.parametrize(
    "change", [{"learners": "mail"}, {"episodes": 1.5}, {"game": 5}, {"points": 0}, {"symmetry": "no"}]
)
def test_config_values_of_the_wrong_kind(change: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"format": 1, "game": "tictactoe", "learners": ["bc"], **change}))
    with pytest.raises(NashmailError):
        Run.resume(tmp_path)


def test_newer_format_is_said_before_its_new_keys(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"format": 3, "game": "tictactoe", "learners": ["bc"], "new": 1}')
    with pytest.raises(NashmailError, match="newer"):
        Run.resume(tmp_path)


def test_a_description_that_is_a_list(tmp_path: Path) -> None:
    path = saved(tmp_path, Uniform())
    path.with_name(path.name + ".json").write_bytes(b"[]")
    refused(path, "not a policy's description")


@pytest.mark.parametrize("change", [{"format": "1"}, {"seat": None}, {"settings": {**SIZES.as_dict(), "hidden": True}}])
def test_other_edits_with_a_right_check_sum(change: dict[str, object], tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    about = {k: v for k, v in {**described(path), **change}.items() if v is not None}
    rewrite(path, about)
    with pytest.raises(PolicyError):
        load_policy(path)


def test_network_of_another_game_in_one_line(tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    rewrite(path, {**described(path), "game": "connect4:3x4"})
    refused(path, "does not hold a network policy")


def test_a_table_of_another_game(tmp_path: Path) -> None:
    path = saved(tmp_path, table())
    rewrite(path, {**described(path), "game": "connect4:3x4"})
    refused(path, "does not hold a tabular policy")


def test_mail_with_labels_it_cannot_reach_within_its_episodes() -> None:
    model = graph("tictactoe")
    learned = Mail(Options(explorer="counts"), name="other").learn(
        model.game, expert.make("first", model), Budget(2, labels=(50, 50)), pool=Local(), journal=NullJournal()
    )
    assert learned.games == 4


def test_debug_before_the_command() -> None:
    with pytest.raises(NashmailError):
        main(["--debug", "train", "chess"])


def test_symmetry_that_is_not_there_leaves_no_folder(tmp_path: Path) -> None:
    assert main(["train", "connect4:4x1", "--symmetry", "--out", str(tmp_path / "run")]) == 2
    assert list(tmp_path.iterdir()) == []
