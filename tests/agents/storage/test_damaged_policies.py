"""Files that are damaged, or do not describe the policy that they hold, are refused with the reason."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agents.linear import SoftmaxLinear
from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import PolicyError, Tempered, Uniform
from agents.storage.policies import FORMAT, load_policy
from games import NashmailError
from tests.agents.storage.saved_policies import (
    KINDS,
    SIZES,
    cut,
    described,
    edited,
    flipped,
    network,
    numbers,
    refused,
    renumber,
    rewrite,
    saved,
    table,
)
from tests.support import game


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
        (
            lambda arrays: {**arrays, "keys": arrays["keys"][:1].repeat(len(arrays["keys"]), axis=0)},
            "two rows for one position",
        ),
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
