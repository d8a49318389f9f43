"""Policies on disk: what is saved comes back bit for bit, anywhere, and anything else is refused in one line."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from agents import expert
from agents.linear import SoftmaxLinear
from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import Greedy, Lifted, Mixture, Policy, PolicyError, Tempered, Uniform
from agents.storage.policies import FORMAT, load_policy, save_policy, to_json, write_atomic
from agents.tabular import Tabular, from_model
from games import Board, Game, GameGraph, NashmailError
from tests.support import game, graph, random_profile, visited

SIZES = Architecture(channels=4, convolutions=1, hidden=8)


def network(name: str = "tictactoe", seed: int = 3) -> NetworkPolicy:
    spec = game(name).spec
    return NetworkPolicy(PolicyNet(spec.observation, spec.actions, SIZES, rng=np.random.default_rng(seed)))


def table(name: str = "tictactoe", seat: int = 1) -> Tabular:
    model = graph(name)
    return from_model(model, seat, random_profile(model, 4, sparse=True)[seat])


def partial() -> Tabular:
    model = graph("tictactoe")
    rows = np.flatnonzero(model.seat == 1)[::3]
    return Tabular(model.game.key(model.states[rows]), random_profile(model, 6)[1][rows])


def lifted(policy: Policy) -> Lifted:
    return Lifted(policy, game("quotient:tictactoe"))


KINDS: dict[str, Callable[[], Policy]] = {
    "network": network,
    "tabular": table,
    "partial table": partial,
    "expert": lambda: expert.make("first", graph("tictactoe"))[1],
    "uniform": Uniform,
    "greedy": lambda: Greedy(network()),
    "tempered": lambda: Tempered(table(), 0.3),
    "greedy of tempered": lambda: Greedy(Tempered(partial(), 1 / 3)),
    "lifted network": lambda: lifted(network()),
    "lifted table": lambda: lifted(table("quotient:tictactoe")),
    "lifted greedy": lambda: lifted(Greedy(network())),
}


def saved(folder: Path, policy: Policy, *, seat: int = 1, name: str = "tictactoe") -> Path:
    path = folder / "policy-1"
    save_policy(path, policy, game=game(name), seat=seat)
    return path


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


# --- what is not exactly that ----------------------------------------------------------------------------


def rewrite(path: Path, about: dict[str, Any]) -> None:
    """Replace the description with one whose check sum is right."""
    about.pop("check", None)
    check = hashlib.sha256(to_json(about)).hexdigest()
    path.with_name(path.name + ".json").write_bytes(to_json({**about, "check": check}))


def described(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.with_name(path.name + ".json").read_bytes()))


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


def edited(data: bytes) -> bytes:
    assert b'"seat": 1' in data
    return data.replace(b'"seat": 1', b'"seat": 0')


@pytest.mark.parametrize("kind", ["network", "tabular", "lifted network"])
@pytest.mark.parametrize(
    ("ending", "damage", "says"),
    [
        (".safetensors", cut, "is truncated or was edited"),
        (".safetensors", flipped, "is truncated or was edited"),
        (".safetensors", lambda data: b"", "is truncated or was edited"),
        (".safetensors", lambda data: data + b"\0", "is truncated or was edited"),
        (".json", cut, "is truncated or not a policy's description"),
        (".json", edited, "was edited"),
        (".json", lambda data: b"", "is truncated or not a policy's description"),
        (".json", lambda data: b"{}", "is truncated or not a policy's description"),
        (".json", lambda data: b"null", "is truncated or not a policy's description"),
        (".json", lambda data: b"\xff\xfe", "is truncated or not a policy's description"),
    ],
)
def test_damage_is_noticed(kind: str, ending: str, damage: Callable[[bytes], bytes], says: str, tmp_path: Path) -> None:
    path = saved(tmp_path, KINDS[kind]())
    file = path.with_name(path.name + ending)
    file.write_bytes(damage(file.read_bytes()))
    refused(path, says, file.name)


def refused(path: Path, *says: str) -> None:
    """Loading gives one line that says all of this."""
    with pytest.raises(PolicyError) as error:
        load_policy(path)
    message = str(error.value)
    assert "\n" not in message
    for word in says:
        assert word in message


@pytest.mark.parametrize("ending", [".safetensors", ".json"])
def test_a_file_that_is_not_there(ending: str, tmp_path: Path) -> None:
    path = saved(tmp_path, table())
    path.with_name(path.name + ending).unlink()
    refused(path, "cannot read", "No such file", path.name + ending)
    path.with_name(path.name + ending).mkdir()
    refused(path, "cannot read", "it is a folder")


def test_every_flipped_bit_of_the_description_is_noticed(tmp_path: Path) -> None:
    """Or harmless: white space, or a letter of an escape that means the same."""
    path = saved(tmp_path, Uniform())
    file = path.with_name(path.name + ".json")
    data, about = file.read_bytes(), described(path)
    noticed = 0
    for at in range(len(data)):
        file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        try:
            load_policy(path)
        except PolicyError as error:
            noticed += 1
            assert "\n" not in str(error)
        else:
            assert described(path) == about
    assert noticed > len(data) / 2


def test_newer_formats_are_not_guessed_at(tmp_path: Path) -> None:
    path = saved(tmp_path, table())
    rewrite(path, {**described(path), "format": FORMAT + 1})
    refused(path, f"has format {FORMAT + 1}, newer than {FORMAT}", "update nashmail")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"game": "chess"}, "no game is called 'chess'"),
        ({"game": "tictactoe:0x0"}, "a board needs"),
        ({"kind": "oracle"}, "unknown kind of policy 'oracle'"),
        ({"kind": "tabular", "settings": {"complete": True}}, "does not hold a tabular policy of tictactoe"),
        ({"kind": "tempered", "settings": {"of": "network", "settings": SIZES.as_dict(), "temperature": 0.0}}, "above"),
        ({"settings": {**SIZES.as_dict(), "depth": 3}}, "unknown architecture keys: depth"),
        ({"settings": {**SIZES.as_dict(), "hidden": "8"}}, "hidden must be a whole number"),
    ],
)
def test_descriptions_that_do_not_fit_their_numbers(changes: dict[str, Any], says: str, tmp_path: Path) -> None:
    """Edited by somebody who also made the check sum right."""
    path = saved(tmp_path, network())
    rewrite(path, {**described(path), **changes})
    with pytest.raises(NashmailError, match=says) as error:
        load_policy(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 0}, "no such format"),
        ({"format": -1}, "no such format"),
        ({"format": 1.0}, "format must be int"),
        ({"format": True}, "format must be int"),
        ({"seat": 2}, "no such format or seat"),
        ({"seat": "1"}, "seat must be int"),
        ({"game": None}, "game must be str"),
        ({"symmetry": 0}, "symmetry must be bool"),
        ({"settings": []}, "settings must be dict"),
        ({"settings": {"channels": 4, "convolutions": 1}}, "hidden is missing"),
        ({"note": 1}, "unknown keys: 'note'"),
        ({"kind": "uniform", "settings": {"of": "network"}}, "unknown keys: 'of'"),
        ({"kind": "greedy", "settings": {"of": 1, "settings": {}}}, "of must be str"),
        ({"kind": "tempered", "settings": {"of": "network", "settings": {}}}, "temperature is missing"),
        ({"kind": "linear", "settings": {}}, "its arrays are not the expected ones"),
    ],
)
def test_descriptions_of_other_types(changes: dict[str, Any], says: str, tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    rewrite(path, {**described(path), **changes})
    refused(path, says)


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "1e999", "1" + "0" * 400, "[" * 200_000, '{"a":' * 400 + "1" + "}" * 400]
)
def test_settings_that_json_should_not_hold(text: str, tmp_path: Path) -> None:
    path = saved(tmp_path, Tempered(Uniform(), 0.5))
    file = path.with_name("policy-1.json")
    file.write_text(file.read_text().replace("0.5", text))
    refused(path, "policy-1.json")


def test_policies_inside_policies_without_end(tmp_path: Path) -> None:
    path = saved(tmp_path, Uniform())
    settings: dict[str, Any] = {}
    kind = "uniform"
    for _ in range(9):
        kind, settings = "greedy", {"of": kind, "settings": settings}
    rewrite(path, {**described(path), "kind": kind, "settings": settings})
    refused(path, "more than 8 nested policies")


def renumber(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Other numbers, with every check sum right."""
    data = save(arrays)
    path.with_name(path.name + ".safetensors").write_bytes(data)
    rewrite(path, {**described(path), "sha256": hashlib.sha256(data).hexdigest()})


def numbers(path: Path) -> dict[str, np.ndarray]:
    return dict(load(path.with_name(path.name + ".safetensors").read_bytes()))


def test_a_network_is_as_large_as_its_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the description asks for is compared with what is there before any of it is made."""
    path = saved(tmp_path, network())
    monkeypatch.setattr("agents.storage.policies.PolicyNet", None)
    for sizes in ({"channels": 4096, "convolutions": 3}, {"hidden": 4096}, {"blocks": 2}, {"convolutions": 2}):
        rewrite(path, {**described(path), "settings": SIZES.as_dict() | sizes})
        refused(path, "does not hold a network policy")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["network", "tabular"])
def test_numbers_that_are_not_finite(kind: str, value: float, tmp_path: Path) -> None:
    path = saved(tmp_path, KINDS[kind]())
    arrays = numbers(path)
    name = "table" if kind == "tabular" else "layers.0.weight"
    arrays[name] = arrays[name].copy()
    arrays[name].flat[3] = value
    renumber(path, arrays)
    refused(path, "policy-1.safetensors")


def test_a_policy_that_is_not_finite_is_not_saved(tmp_path: Path) -> None:
    policy = network()
    with torch.no_grad():
        next(policy.net.parameters())[0] = torch.nan
    with pytest.raises(PolicyError, match="not finite"):
        saved(tmp_path / "new", policy)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda arrays: {**arrays, "table": arrays["table"][:-1]}, "its table is"),
        (lambda arrays: {**arrays, "table": arrays["table"].astype(np.int64)}, "its table is int64"),
        (lambda arrays: {**arrays, "table": 2 * arrays["table"]}, "no probabilities"),
        (lambda arrays: {**arrays, "table": arrays["table"] * [[-1.0]]}, "no probabilities"),
        (lambda arrays: {**arrays, "keys": arrays["keys"].astype(np.int64)}, "its keys is int64"),
        (lambda arrays: {**arrays, "keys": arrays["keys"].repeat(2, axis=1)}, "its keys is"),
        (lambda arrays: {**arrays, "keys": np.zeros((), dtype=np.uint64)}, "its keys is"),
        (lambda arrays: {**arrays, "keys": arrays["keys"][:1].repeat(len(arrays["keys"]), axis=0)}, "twice"),
        (lambda arrays: {**arrays, "more": np.zeros(3)}, "not the expected ones: more"),
        (lambda arrays: {}, "not the expected ones: keys, table"),
    ],
)
def test_tables_of_other_shapes_types_and_numbers(
    change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]], says: str, tmp_path: Path
) -> None:
    path = saved(tmp_path, table())
    renumber(path, change(numbers(path)))
    refused(path, says)


def test_weights_of_another_number_of_features(tmp_path: Path) -> None:
    path = saved(tmp_path, SoftmaxLinear(np.zeros(9 * 19)))
    renumber(path, {"theta": np.zeros(9 * 10)})
    refused(path, "its theta is float64 (90,); it needs float64 (171,)")


@pytest.mark.parametrize("ending", [".safetensors", ".json"])
def test_what_is_no_regular_file_or_too_large_is_not_read(ending: str, tmp_path: Path) -> None:
    path = saved(tmp_path, table())
    file = path.with_name(path.name + ending)
    file.unlink()
    os.mkfifo(file)
    refused(path, "it is a pipe")
    file.unlink()
    file.symlink_to("/dev/zero")
    refused(path, "it is a device")
    file.unlink()
    with file.open("wb") as large:
        large.truncate(1 << 40)
    refused(path, "at most")


def test_a_file_that_is_closed_to_us_is_not_called_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, table())

    def closed(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("agents.storage.reading.os.open", closed)
    refused(path, "policy-1.json: Permission denied")


def test_a_network_saved_before_there_were_blocks_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    about = described(path)
    assert about["settings"].pop("blocks") == 0
    rewrite(path, about)
    board = game("tictactoe")
    old = load_policy(path).policy.probabilities(board, board.starts(), 0)
    assert np.array_equal(old, network().probabilities(board, board.starts(), 0))


def test_a_residual_network_is_read_back(tmp_path: Path) -> None:
    board = game("connect4")
    sizes = Architecture(channels=4, convolutions=1, hidden=8, blocks=2)
    net = PolicyNet(board.spec.observation, board.spec.actions, sizes, rng=np.random.default_rng(3))
    found = load_policy(saved(tmp_path, NetworkPolicy(net), name="connect4")).policy
    states = board.successors(board.starts(), np.array([[3, -1]])).states
    assert isinstance(found, NetworkPolicy) and found.net.architecture == sizes
    assert np.array_equal(found.probabilities(board, states, 1), NetworkPolicy(net).probabilities(board, states, 1))


@pytest.mark.parametrize("other", ["connect4:3x4", "tictactoe:4x4:3"])
def test_numbers_of_another_game_are_refused(other: str, tmp_path: Path) -> None:
    path = saved(tmp_path, network())
    rewrite(path, {**described(path), "game": other})
    with pytest.raises(PolicyError, match=f"does not hold a network policy of {other}"):
        load_policy(path)


def test_symmetry_needs_a_game_that_has_it(tmp_path: Path) -> None:
    """A board of one column has no mirror image."""
    path = saved(tmp_path, Uniform())
    rewrite(path, {**described(path), "game": "connect4:4x1", "symmetry": True})
    with pytest.raises(NashmailError, match="symmetr"):
        load_policy(path)


# --- writing ---------------------------------------------------------------------------------------------


def test_files_are_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file"
    for data in (b"one", b"", b"two" * 1000):
        write_atomic(path, data)
        assert path.read_bytes() == data
        assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("stage", ["write_bytes", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")
    write = Path.write_bytes

    def half(self: Path, data: bytes) -> int:
        write(self, data[: len(data) // 2])
        raise OSError("disk full")

    def fail(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, stage, half if stage == "write_bytes" else fail)
    for interrupted in (path, tmp_path / "new"):
        with pytest.raises(OSError, match="disk full"):
            write_atomic(interrupted, b"fresh content")
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def test_a_policy_that_failed_to_save_is_no_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The description comes last: numbers without it are nothing, numbers under an old one do not pass for it."""
    replace = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if Path(target).suffix == ".json":
            raise OSError("disk full")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        saved(tmp_path, network())
    refused(tmp_path / "policy-1", "cannot read")
    monkeypatch.undo()
    path = saved(tmp_path, network(seed=1))
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        saved(tmp_path, network(seed=2))
    refused(path, "is truncated or was edited")


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
