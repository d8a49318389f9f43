"""Policies as files: there and back without the loss of a bit, in the forms that are written down."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agents import expert
from agents.policy import Greedy, Mixture, Policy, PolicyError, Uniform
from agents.storage.policies import FORMAT, load_policy, save_policy, to_json
from games import Board, Game, GameGraph
from tests.agents.storage.saved_policies import KINDS, SIZES, described, lifted, network, rewrite, saved
from tests.support import game, graph, visited

# --- there and back --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_comes_back_bit_for_bit(kind: str, tmp_path: Path) -> None:
    policy, board = KINDS[kind](), game("tictactoe")
    states = visited(board, episodes=60)
    found = load_policy(saved(tmp_path, policy))
    assert found.game.spec == board.spec
    assert (found.seat, found.symmetry) == (1, kind.startswith("lifted"))
    assert type(found.policy) is type(policy)
    rows = policy.probabilities(board, states, 1)
    assert rows.any()
    assert np.array_equal(found.policy.probabilities(found.game, states, 1), rows)


@pytest.mark.parametrize("kind", KINDS)
def test_saving_what_was_loaded_gives_the_same_files(kind: str, tmp_path: Path) -> None:
    first = saved(tmp_path / "a", KINDS[kind]())
    second = saved(tmp_path / "b", load_policy(first).policy)
    for ending in (".json", ".safetensors"):
        name = first.name + ending
        assert (first.parent / name).read_bytes() == (second.parent / name).read_bytes()
    assert sorted(path.name for path in first.parent.iterdir()) == ["policy-1.json", "policy-1.safetensors"]


ELSEWHERE = """
import hashlib, json, sys
import numpy as np
from pathlib import Path
from agents.storage.policies import load_policy, save_policy
states, found = np.load(sys.argv[1]), {}
for folder in sys.argv[2:]:
    saved = load_policy(Path(folder) / "policy-1")
    rows = saved.policy.probabilities(saved.game, states, saved.seat)
    again = Path(folder) / "again"
    save_policy(again, saved.policy, game=saved.game, seat=saved.seat)
    files = [again.with_name("again" + ending).read_bytes() for ending in (".json", ".safetensors")]
    found[folder] = [hashlib.sha256(part).hexdigest() for part in (rows.tobytes(), *files)]
print(json.dumps(found))
"""


@pytest.mark.slow
def test_another_process_reads_and_writes_the_same(tmp_path: Path) -> None:
    board = game("tictactoe")
    states = visited(board, episodes=60)
    np.save(tmp_path / "states.npy", states)
    expected = {}
    for kind, build in KINDS.items():
        policy = build()
        path = saved(tmp_path / kind, policy)
        files = [path.with_name(path.name + ending).read_bytes() for ending in (".json", ".safetensors")]
        parts = (policy.probabilities(board, states, 1).tobytes(), *files)
        expected[str(tmp_path / kind)] = [hashlib.sha256(part).hexdigest() for part in parts]
    command = [sys.executable, "-c", ELSEWHERE, str(tmp_path / "states.npy"), *expected]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected


def test_a_games_name_says_its_size(tmp_path: Path) -> None:
    found = load_policy(saved(tmp_path, network("connect4:3x4"), seat=0, name="connect4:3x4"))
    assert isinstance(found.game, Board)
    assert (found.game.rows, found.game.columns, found.seat) == (3, 4, 0)


@pytest.mark.parametrize("policy", [Mixture([Uniform()], [1.0]), Greedy(Mixture([Uniform()], [1.0]))])
def test_what_has_no_file_form_is_refused_before_anything_is_written(policy: Policy, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="a Mixture policy cannot be saved"):
        saved(tmp_path / "new", policy)
    assert not (tmp_path / "new").exists()


def test_no_pickle_is_written_or_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saving and loading work where pickling does not, and a pickle in a policy's place is refused unread."""

    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("pickle was used")

    policies = {kind: build() for kind, build in KINDS.items()}
    for name in ("dump", "dumps", "load", "loads", "Pickler", "Unpickler"):
        monkeypatch.setattr(pickle, name, never)
    for kind, policy in policies.items():
        load_policy(saved(tmp_path / kind, policy))
    monkeypatch.undo()
    path = saved(tmp_path, Uniform())
    about = json.loads(path.with_name("policy-1.json").read_bytes())
    data = pickle.dumps({"weight": np.zeros(3)})
    path.with_name("policy-1.safetensors").write_bytes(data)
    rewrite(path, {**about, "sha256": hashlib.sha256(data).hexdigest()})
    with pytest.raises(PolicyError, match="does not hold a uniform policy"):
        load_policy(path)


def test_json_is_readable_and_in_order() -> None:
    assert to_json({"b": 1, "a": [1.5, None]}) == b'{\n  "a": [\n    1.5,\n    null\n  ],\n  "b": 1\n}\n'


def test_the_description_names_game_seat_and_kind(tmp_path: Path) -> None:
    about = described(saved(tmp_path, lifted(Greedy(network()))))
    assert {key: about[key] for key in ("format", "game", "seat", "symmetry", "kind")} == {
        "format": FORMAT,
        "game": "tictactoe",
        "seat": 1,
        "symmetry": True,
        "kind": "greedy",
    }
    assert about["settings"] == {"of": "network", "settings": SIZES.as_dict()}


def test_policies_are_read_as_they_were_written_for_their_game(tmp_path: Path) -> None:
    """A pair of policies in one folder, each under its own name."""
    model: GameGraph = graph("connect4:3x4")
    board: Game = model.game
    for seat, policy in enumerate(expert.make("uniform", model)):
        save_policy(tmp_path / f"expert-{seat}", policy, game=board, seat=seat)
    for seat, policy in enumerate(expert.make("uniform", model)):
        found = load_policy(tmp_path / f"expert-{seat}")
        assert found.seat == seat
        rows = found.policy.probabilities(found.game, model.states, seat)
        assert np.array_equal(rows, policy.probabilities(board, model.states, seat))
