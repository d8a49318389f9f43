"""Run folders: made once, never taken for anything else, read back exactly, and refused in one line when damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.policy import Seats, Uniform
from games import NashmailError
from mail.data.decisions import Decisions
from mail.data.rollout import play
from mail.parallel.streams import stream
from mail.training.folder import FORMAT, Config, Run, load_profile, read_config, read_decisions, same_but_for
from mail.training.profile import default_learner
from mail.training.progress.events import Logged, Stream
from mail.training.train import train
from tests.support import game

CONFIG = Config("tictactoe:2x2:2", explorer="counts", episodes=4, seed=3, points=1)
OTHERS: dict[str, Any] = {
    "game": "connect4:3x4",
    "learners": ("bc-uniform",),
    "explorer": "uniform",
    "expert": "uniform",
    "symmetry": True,
    "episodes": 5,
    "labels": 7,
    "seed": 4,
    "device": "cuda",
    "points": 2,
    "from_games": "0" * 64,
    "knowledge": "play",
    "imports": ("/somewhere/own.py",),
}


def some_decisions(seed: int = 0) -> Decisions:
    """Uniform play; only seat 0's decisions are labelled, so there are NaNs."""
    rng = stream(seed, "test/runs")
    return play(game("tictactoe"), (Uniform(), Uniform()), 4, labels=(Uniform(), None), rng=rng)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(says: str, action: Callable[[], object]) -> None:
    """One line that says so."""
    with pytest.raises(NashmailError, match=says) as error:
        action()
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run that is whole."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(Run.create(folder, CONFIG))
    return folder


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """The same, to be damaged."""
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


# --- configurations --------------------------------------------------------------------------------------


def test_every_field_of_a_configuration_comes_back(tmp_path: Path) -> None:
    assert set(OTHERS) == {field.name for field in fields(Config)}
    for number, config in enumerate((CONFIG, Config("tictactoe"), Config(**OTHERS))):
        run = Run.create(tmp_path / str(number), config)
        assert run.config == config
        assert read_config(run.folder) == config
        assert Run.resume(run.folder).config == config
        told = json.loads((run.folder / "config.json").read_bytes())
        assert told.pop("format") == FORMAT
        assert ("imports" in told) == bool(config.imports)
        assert ("knowledge" in told) == bool(config.knowledge)
        lists = {key: tuple(told.get(key, ())) for key in ("learners", "imports")}
        assert {"knowledge": "", **told, **lists} == asdict(config)


def test_fields_that_an_older_version_did_not_write_have_their_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"format": 1, "game": "tictactoe", "learners": ["bc"]}')
    assert read_config(tmp_path) == Config("tictactoe", learners=("bc",))


@pytest.mark.parametrize("name", list(OTHERS))
def test_configurations_are_compared_field_by_field(name: str) -> None:
    assert same_but_for(CONFIG, replace(CONFIG)) == []
    different = [] if name == "imports" else [name]  # where a file lies makes no difference
    assert same_but_for(CONFIG, replace(CONFIG, **{name: OTHERS[name]})) == different


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"format": 1, "game": "tictactoe", "learners": ["bc"], "rate": 1}', "has unknown keys: rate$"),
        (b'{"format": 1, "game": "tictactoe", "learners": ["bc"], "b": 1, "a": 2}', "has unknown keys: a, b$"),
        (b'{"format": 3, "game": "tictactoe", "learners": ["bc"]}', "has format 3, newer than 2; update nashmail"),
        (b'{"game": "tictactoe", "learners": ["bc"]}', "is not a run's configuration"),
        (b'{"format": 1, "learners": ["bc"]}', "is not a run's configuration"),
        (b'{"format": 1, "game": "tictactoe"}', "is not a run's configuration"),
        (b'{"format": 1, "game": "tictactoe", "learners": 5}', "is not a run's configuration"),
        (b'{"format": 1, "game": "tictactoe", "learners": ["bc"], "seed": "1"}', "is not a run's configuration"),
        (b'{"format": 1, "game": "tictactoe", "learners": ["bc"], "seed": -1}', "--seed must be 0 or more"),
        (b'{"format": 1, "game": "tictactoe", "learners": ["bc"], "episodes": 0}', "--episodes must be at least 1"),
        (b'{"format": 1, "game": "tictactoe", "learners": []}', "at least one learner, and none twice"),
        (b'{"format": 1, "game": "tictactoe", "learners": ["bc", "bc"]}', "at least one learner, and none twice"),
        (b'{"format": 1, "game": "tictact', "is not a run's configuration"),
        (b"", "is not a run's configuration"),
        (b"[]", "is not a run's configuration"),
        (b"null", "is not a run's configuration"),
        (b"\xff\xfe\x00", "is not a run's configuration"),
    ],
)
def test_what_is_no_configuration(data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(data)
    actions: list[Callable[[Path], object]] = [read_config, Run.resume, lambda folder: load_profile(str(folder))]
    for action in actions:
        refused(says, partial(action, tmp_path))
    assert contents(tmp_path) == {"config.json": data}, "nothing is written where there is no run"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"episodes": 0}, "--episodes must be at least 1, not 0"),
        ({"seed": -1}, "--seed must be 0 or more, not -1"),
        ({"learners": ()}, "at least one learner"),
        ({"learners": ("bc", "mail", "bc")}, "none twice"),
    ],
)
def test_configurations_that_make_no_run_leave_no_folder(changes: dict[str, Any], says: str, tmp_path: Path) -> None:
    refused(says, lambda: Run.create(tmp_path / "new", replace(CONFIG, **changes)))
    assert list(tmp_path.iterdir()) == []


# --- folders ---------------------------------------------------------------------------------------------


def test_a_run_begins_in_a_new_or_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "deep" / "new"):
        run = Run.create(folder, CONFIG)
        assert sorted(contents(folder)) == ["config.json", "metrics.jsonl"]
        assert run.result() is None


@pytest.mark.slow
def test_a_run_that_is_there_is_not_overwritten(copied: Path) -> None:
    before = contents(copied)
    refused("holds a run; add --resume .* or --force", lambda: Run.create(copied, CONFIG))
    assert contents(copied) == before


def test_force_starts_anew(copied: Path) -> None:
    (copied / "notes.txt").write_text("kept in the run's folder")
    Run.create(copied, replace(CONFIG, seed=9), force=True)
    assert sorted(contents(copied)) == ["config.json", "metrics.jsonl"]
    assert read_config(copied).seed == 9
    assert (copied / "metrics.jsonl").read_bytes() == b""


@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_run_is_never_touched(force: bool, tmp_path: Path) -> None:
    """A folder of other things, one that holds a run further down, and a plain file."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("years")
    Run.create(tmp_path / "all" / "one", CONFIG)
    (tmp_path / "file").write_text("text")
    before = contents(tmp_path)
    for name in ("work", "all", "file"):
        create = partial(Run.create, tmp_path / name, CONFIG, force=force)
        refused("exists and is not a run; choose another --out", create)
    assert contents(tmp_path) == before


def test_force_is_refused_before_anything_is_removed(copied: Path) -> None:
    before = contents(copied)
    refused("--episodes must be", lambda: Run.create(copied, replace(CONFIG, episodes=0), force=True))
    assert contents(copied) == before


def test_resuming_needs_a_run(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text")
    for name in ("empty", "missing", "file"):
        refused("there is no run in .*nashmail train", partial(Run.resume, tmp_path / name))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["empty", "file"]


def test_resuming_tells_metrics_anew_and_clears_what_a_kill_left(tmp_path: Path) -> None:
    run = Run.create(tmp_path, CONFIG)
    run.journal.log("mail", 0, {"games": 1})
    run.journal.store("mail", 0, 0, some_decisions())
    (tmp_path / "decisions" / "mail-0" / ".000001.npz.77.tmp").write_bytes(b"half")
    (tmp_path / ".config.json.77.tmp").write_bytes(b"half")
    Run.resume(tmp_path)
    assert sorted(contents(tmp_path)) == ["config.json", "decisions/mail-0/000000.npz", "metrics.jsonl"]
    assert (tmp_path / "metrics.jsonl").read_bytes() == b""


def test_resuming_a_whole_run_changes_nothing(copied: Path) -> None:
    before = contents(copied)
    result = Run.resume(copied).result()
    assert result is not None
    assert set(result["learners"]) == {"mail", "bc"}
    assert contents(copied) == before


# --- the journal -----------------------------------------------------------------------------------------


def test_rounds_come_back_bit_for_bit(tmp_path: Path) -> None:
    run = Run.create(tmp_path, CONFIG)
    rounds = {("mail", 0, 0): 1, ("mail", 1, 0): 2, ("mail", 0, 1): 3, ("bc", 0, 0): 4, ("bc-uniform", 0, 0): 5}
    for place, seed in rounds.items():
        assert run.journal.load(*place) is None
        run.journal.store(*place, some_decisions(seed))
    for place, seed in rounds.items():
        found, expected = Run.resume(tmp_path).journal.load(*place), some_decisions(seed)
        assert found is not None
        for name, array in expected.arrays().items():
            other = found.arrays()[name]
            assert (other.dtype, other.shape, other.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_equal_rounds_are_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        Run.create(tmp_path / name, CONFIG).journal.store("mail", 0, 0, some_decisions())
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_progress_is_told_and_written_line_by_line(tmp_path: Path) -> None:
    run = Run.create(tmp_path, CONFIG)
    told: list[object] = []
    with Stream([lambda event: told.append(event.fact)]):
        run.journal.log("mail", 0, {"games": 1, "loss": 0.5})
        run.journal.log("bc", 1, {"games": 2})
    assert told == [Logged("mail", 0, {"games": 1, "loss": 0.5}), Logged("bc", 1, {"games": 2})]
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines == [{"learner": "mail", "seat": 0, "games": 1, "loss": 0.5}, {"learner": "bc", "seat": 1, "games": 2}]


def middle(data: bytes) -> bytes:
    """One byte of an array changed: the archive's own check sum notices."""
    at = data.index(b"played.npy") + 200
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [middle, lambda data: b"", lambda data: b"not an archive", lambda data: b"\x80\x04]\x94."],
    ids=["flipped", "empty", "text", "pickle"],
)
def test_damaged_rounds_are_refused_by_name(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    run = Run.create(tmp_path, CONFIG)
    run.journal.store("mail", 1, 12, some_decisions())
    path = tmp_path / "decisions" / "mail-1" / "000012.npz"
    path.write_bytes(damage(path.read_bytes()))
    refused(r"mail-1/000012.npz is damaged; delete it and resume", lambda: run.journal.load("mail", 1, 12))


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.pop("label"),
        lambda arrays: arrays.update(extra=np.zeros(3)),
        lambda arrays: arrays.update(seat=arrays["seat"][1:]),
        lambda arrays: arrays.update(played=arrays["played"] + 9),
    ],
    ids=["missing", "extra", "short", "illegal"],
)
def test_archives_of_something_else_are_refused_by_name(
    change: Callable[[dict[str, Any]], object], tmp_path: Path
) -> None:
    arrays = some_decisions().arrays()
    change(arrays)
    np.savez(tmp_path / "round.npz", allow_pickle=False, **arrays)
    refused(r"round.npz is damaged", lambda: read_decisions(tmp_path / "round.npz"))


# --- what was learned ------------------------------------------------------------------------------------


def tables(policies: Seats) -> list[bytes]:
    board = game(CONFIG.game)
    states = np.unique(play(board, (Uniform(), Uniform()), 50, rng=stream(0, "test")).state, axis=0)
    return [policy.probabilities(board, states, seat).tobytes() for seat, policy in enumerate(policies)]


def test_a_name_is_a_folder_and_perhaps_a_learner(finished: Path) -> None:
    found = {name: load_profile(f"{finished}{name}") for name in ("", ":mail", ":bc")}
    assert [profile.name for profile in found.values()] == [f"{finished}{name}" for name in found]
    assert tables(found[""].policies) == tables(found[":mail"].policies) != tables(found[":bc"].policies)
    result = json.loads((finished / "result.json").read_bytes())
    for name, learner in (("", "mail"), (":mail", "mail"), (":bc", "bc")):
        assert found[name].result == result["learners"][learner]
        assert found[name].config == CONFIG
        assert found[name].game.spec == game(CONFIG.game).spec


def test_without_mail_the_first_learner_is_meant() -> None:
    assert default_learner(CONFIG) == "mail" != CONFIG.learners[1]
    assert default_learner(replace(CONFIG, learners=("bc", "bc-uniform"))) == "bc"


def test_a_folder_may_have_a_colon_in_its_name(finished: Path, tmp_path: Path) -> None:
    """The folder is found first; a learner may still follow."""
    folder = tmp_path / "night:bc"
    shutil.copytree(finished, folder)
    (tmp_path / "night").mkdir()
    assert tables(load_profile(str(folder)).policies) == tables(load_profile(f"{finished}:mail").policies)
    assert tables(load_profile(f"{folder}:bc").policies) == tables(load_profile(f"{finished}:bc").policies)


def test_profiles_that_are_not_there(copied: Path) -> None:
    refused("has no learner 'dagger'; it has: mail, bc", lambda: load_profile(f"{copied}:dagger"))
    refused("has no learner ''", lambda: load_profile(f"{copied}:"))
    for name in ("missing", "missing:mail", "missing:bc", ""):
        folder = f"{copied}-{name}"
        refused("there is no run in .*no config.json", partial(load_profile, folder))
    (copied / "policies" / "mail-1.json").unlink()
    refused("cannot read .*mail-1.json", lambda: load_profile(str(copied)))
    assert load_profile(f"{copied}:bc")


def test_a_run_that_is_not_finished_has_no_profile(copied: Path) -> None:
    (copied / "result.json").unlink()
    refused("is not finished; .*--resume", lambda: load_profile(str(copied)))


@pytest.mark.parametrize("data", [b"", b'{"learners": {', b"\xff"])
def test_a_damaged_result_is_refused_by_name(data: bytes, copied: Path) -> None:
    (copied / "result.json").write_bytes(data)
    refused("result.json is truncated or was edited", lambda: load_profile(str(copied)))
    refused("result.json is truncated or was edited", lambda: Run.resume(copied))


def test_a_game_may_be_asked_for_by_several_words(tmp_path: Path) -> None:
    config = Config("tictactoe:3x3", learners=("bc-tabular",), episodes=2)
    train(Run.create(tmp_path / "run", config))
    assert load_profile(str(tmp_path / "run")).game.spec.name == "tictactoe"


def test_policies_of_another_run_are_refused(copied: Path, tmp_path: Path) -> None:
    """A seat's policy copied over the other's, and that of a run with another seed."""
    for ending in ("json", "safetensors"):
        shutil.copy(copied / "policies" / f"bc-0.{ending}", copied / "policies" / f"bc-1.{ending}")
    refused(r"bc-1.json is a policy of another run", lambda: load_profile(f"{copied}:bc"))
    train(Run.create(tmp_path / "other", replace(CONFIG, seed=4, learners=("mail",))))
    for ending in ("json", "safetensors"):
        shutil.copy(tmp_path / "other" / "policies" / f"mail-1.{ending}", copied / "policies" / f"mail-1.{ending}")
    refused(r"mail-1.json is a policy of another run", lambda: load_profile(str(copied)))


@pytest.mark.parametrize("change", [{"game": "tictactoe"}, {"learners": ["bc"]}, {"format": 1}, {"seed": 4}])
def test_a_configuration_that_was_edited_does_not_fit_its_result(change: dict[str, Any], copied: Path) -> None:
    told = json.loads((copied / "config.json").read_bytes())
    (copied / "config.json").write_text(json.dumps({**told, **change}))
    refused(r"result.json .* or its run's configuration was", lambda: load_profile(str(copied)))
    refused(r"result.json .* or its run's configuration was", lambda: Run.resume(copied))
    (copied / "config.json").write_text(json.dumps(told))
    assert load_profile(str(copied)).result == load_profile(str(copied)).result


def test_a_whole_run_has_what_it_says(finished: Path) -> None:
    rounds = sorted(path.parent.name for path in (finished / "decisions").rglob("*.npz"))
    assert set(rounds) == {"mail-0", "mail-1", "bc-0"}
    assert sorted(path.name for path in finished.iterdir()) == [
        "clock.json",
        "config.json",
        "decisions",
        "figure.png",
        "metrics.jsonl",
        "policies",
        "result.json",
    ]
    clock = json.loads((finished / "clock.json").read_bytes())
    assert {"seconds", "workers", "host", "python", "numpy"} <= clock.keys()
    assert (finished / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert not list(finished.rglob("*.tmp"))
