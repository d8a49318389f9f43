"""Exported policies: read by their own loaders in a process that has none of our packages, with the same answers."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from agents import make_expert
from agents.export.plan import Plan, plan
from agents.export.write import FORMS, export
from agents.loaders import folder as numpy_loader
from agents.network import Architecture, NetworkPolicy, PolicyNet, masked_softmax, one_thread
from agents.policy import Greedy, Lifted, Mixture, Policy, PolicyError, Seats, Tempered, Uniform, tabulate
from games.base import Floats, Game, States
from games.markov.gridworld import gridworld
from games.symmetry import Quotient
from mail.clone.dataset import Demonstrations
from mail.clone.network import CloneConfig, train_on
from tests.agents.nets import steep
from tests.support import game, gap, graph, visited

SMALL = Architecture(channels=4, convolutions=2, hidden=8)
LARGE = Architecture(channels=32, convolutions=1, hidden=128, blocks=2)
CLOSE = 1e-9
"""Between any two forms; what is promised is 1e-6."""
NAMES = ("tictactoe", "connect4:4x4", "tictactoe:2x3:2")


def network(played: Game, seed: int = 0, architecture: Architecture = SMALL) -> NetworkPolicy:
    rng = np.random.default_rng(seed)
    return NetworkPolicy(PolicyNet(played.spec.observation, played.spec.actions, architecture, rng=rng))


def clone(played: Game, architecture: Architecture, labels: int) -> PolicyNet:
    """Trained on a few positions of the second player, each with one random move for a label."""
    rng = np.random.default_rng(3)
    states = visited(played, episodes=30, seed=1)
    states = rng.permutation(states[played.acting(states)[:, 1]])[:labels]
    legal = played.legal(states, 1)
    label = np.eye(legal.shape[1], dtype=np.float32)[(legal * rng.random(legal.shape)).argmax(1)]
    config = CloneConfig(architecture=architecture, max_steps=150)
    net = PolicyNet(played.spec.observation, played.spec.actions, architecture, rng=rng)
    rows = states, played.key(states, 1), played.observe(states, 1), legal
    shown = Demonstrations(*rows, label.astype(np.float64), np.ones(len(states), dtype=np.int64))
    train_on(net, torch.optim.Adam(net.parameters(), lr=config.learning_rate), shown, config, rng=rng)
    return net


def policies(name: str) -> dict[str, Policy]:
    """One of every kind that can be exported."""
    played = game(name)
    quotient = Quotient(played)
    found: dict[str, Policy] = {
        "network": network(played),
        "residual": network(played, architecture=Architecture(4, 1, 8, blocks=2)),
        "lifted": Lifted(network(played), quotient),
        "greedy": Lifted(Greedy(network(played)), quotient),
        "tempered": Tempered(network(played), 0.5),
        "uniform": Uniform(),
    }
    if name != "connect4:4x4":
        found["table"] = make_expert("uniform", graph(name))[0]
        found["lifted table"] = Lifted(make_expert("first", graph(f"quotient:{name}"))[0], quotient)
    return found


def asked(played: Game, states: States) -> tuple[np.ndarray, np.ndarray]:
    """The view and the legal actions of whoever moves."""
    seat = played.acting(states)[:, 1].astype(int)
    views = [played.observe(states, which) for which in (0, 1)]
    legal = [played.legal(states, which) for which in (0, 1)]
    rows = np.arange(len(states))
    return np.stack(views)[seat, rows], np.stack(legal)[seat, rows]


def expected(policy: Policy, played: Game, states: States) -> Floats:
    """What the policy itself says, whoever moves; zero rows where the game is over."""
    return policy.probabilities(played, states, 0) + policy.probabilities(played, states, 1)


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_gives_the_same_answers(name: str, tmp_path: Path) -> None:
    played, states = game(name), visited(game(name), episodes=20)
    observation, legal = asked(played, states)
    for kind, policy in policies(name).items():
        if "table" in kind:
            policy = _whole(policy, played)
        home = tmp_path / kind
        export((plan(policy, played, 0), plan(policy, played, 1)), "folder", home)
        found = numpy_loader.load("seat1", home)(observation, legal)
        assert np.abs(found - expected(policy, played, states)).max() < CLOSE, kind
        assert (found[~legal] == 0).all()
        assert np.allclose(found.sum(1), legal.any(1), atol=1e-12)


def _whole(policy: Policy, played: Game) -> Policy:
    """A seat's table, which says nothing of the other seat's positions: those are played uniformly."""
    from agents.tabular import Tabular

    inner = policy.policy if isinstance(policy, Lifted) else policy
    assert isinstance(inner, Tabular)
    bare = Tabular(inner.keys, inner.table)
    return Lifted(bare, policy.quotient) if isinstance(policy, Lifted) else bare


PROGRAM = """
import sys
class Refuse:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in ("games", "agents", "mail", "nashmail") + {forbidden!r}:
            raise ImportError(name + " is not to be had here")
sys.meta_path.insert(0, Refuse)
sys.path.insert(0, {home!r})
import numpy as np
from load import load
inputs = np.load({inputs!r})
observation, legal = inputs["observation"], inputs["legal"]
if {form!r} == "torchscript":
    import torch
    torch.set_num_threads(1)
    observation, legal = torch.from_numpy(observation), torch.from_numpy(legal)
for kind in {kinds!r}:
    found = [np.asarray(load("seat" + seat, {home!r} + "/" + kind)(observation, legal)) for seat in "01"]
    np.save({home!r} + "/" + kind + ".npy", np.stack(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_loaders_need_none_of_our_packages(form: str, tmp_path: Path) -> None:
    """Every kind of policy of Tic-Tac-Toe, on positions of random games, finished ones among them."""
    played = game("tictactoe")
    states = visited(played, episodes=60)
    observation, legal = asked(played, states)
    np.savez(tmp_path / "inputs.npz", observation=observation, legal=legal)
    made = {
        kind: _whole(policy, played) if "table" in kind else policy for kind, policy in policies("tictactoe").items()
    }
    for kind, policy in made.items():
        export((plan(policy, played, 0), plan(Uniform(), played, 1)), form, tmp_path / kind)
    (tmp_path / "load.py").write_bytes((tmp_path / "network" / "load.py").read_bytes())
    words = {
        "forbidden": {"folder": ("torch", "safetensors", "onnx"), "onnx": ("torch", "onnx"), "torchscript": ()}[form],
        "home": str(tmp_path),
        "inputs": str(tmp_path / "inputs.npz"),
        "form": form,
        "kinds": tuple(made),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(**words)], capture_output=True, text=True, cwd=tmp_path, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for kind, policy in made.items():
        first, second = np.load(tmp_path / f"{kind}.npy")
        assert first.dtype == np.float64
        assert np.abs(first - expected(policy, played, states)).max() < CLOSE, kind
        assert (second == expected(Uniform(), played, states)).all()
        assert (first[~legal] == 0).all()


@one_thread
def loaded(form: str, home: Path, observation: np.ndarray, legal: np.ndarray) -> Floats:
    """What an exported policy of seat 1 says, in this process."""
    if form == "torchscript":
        from agents.loaders import torchscript

        return np.asarray(torchscript.load("seat1", home)(torch.from_numpy(observation), torch.from_numpy(legal)))
    from agents.loaders import onnx

    return np.asarray((numpy_loader if form == "folder" else onnx).load("seat1", home)(observation, legal))


@pytest.mark.slow
@pytest.mark.equal_results
@pytest.mark.parametrize(
    ("name", "architecture", "episodes"),
    [("tictactoe", Architecture(), 40), ("connect4:4x4", Architecture(), 40), ("connect4", LARGE, 10)],
    ids=str,
)
def test_forms_agree_far_from_the_labels_where_logits_are_large(
    name: str, architecture: Architecture, episodes: int, tmp_path: Path
) -> None:
    """A clone of ten labels, as it is and with logits up to 60, where single precision is not as close by far."""
    played, states = game(name), visited(game(name), episodes=episodes)
    observation, legal = played.observe(states, 1), played.legal(states, 1)
    legal = np.where(legal.any(1, keepdims=True), legal, True)  # of everybody's positions, to ask about more of them
    net = clone(played, architecture, labels=10)
    as_it_is = NetworkPolicy(copy.deepcopy(net))
    large = NetworkPolicy(steep(net, observation))
    for kind, policy in (("clone", as_it_is), ("steep", large)):
        expected = masked_softmax(policy.logits(observation), legal)
        for form in FORMS:
            home = tmp_path / kind / form
            export((plan(policy, played, 0), plan(policy, played, 1)), form, home)
            assert np.abs(loaded(form, home, observation, legal) - expected).max() < CLOSE, (kind, form)
    with torch.inference_mode():
        single = large.net(torch.from_numpy(observation)).double().numpy()
    assert np.abs(masked_softmax(single, legal) - expected).max() > 50 * CLOSE, "single precision does as well"


@pytest.mark.parametrize("name", ["tictactoe", "tictactoe:2x3:2", "connect4:4x4", "connect4"])
def test_the_least_image_is_found_as_the_quotient_finds_it(name: str) -> None:
    """Also on 6x7, whose words need 48 bits."""
    played, quotient = game(name), Quotient(game(name))
    states = visited(played, episodes=10)
    made: Plan = plan(Lifted(Uniform(), quotient), played, 0)
    policy = numpy_loader.Policy({"symmetry": True}, _symmetry_arrays(made))
    found, which = policy._canonical(asked(played, states)[0])
    canonical, reference = quotient.canonical(states)
    running = played.acting(states).any(1)
    assert (found[running] == asked(played, canonical)[0][running]).all()
    assert (which[running] == reference[running]).all()


def _symmetry_arrays(made: Plan) -> dict[str, np.ndarray]:
    from agents.export.write import arrays_of

    return arrays_of(made)


def test_what_the_folder_says_of_itself(tmp_path: Path) -> None:
    played = game("tictactoe")
    written = export((plan(Uniform(), played, 0), plan(Uniform(), played, 1)), "folder", tmp_path)
    assert sorted(path.name for path in written) == sorted(path.name for path in tmp_path.iterdir())
    about = json.loads((tmp_path / "seat1.json").read_text())
    assert (about["format"], about["game"], about["seat"], about["observation"]) == (2, "tictactoe", 1, [2, 3, 3])
    (tmp_path / "seat1.json").write_text(json.dumps({**about, "format": 1}))  # had no residual blocks, the rest alike
    numpy_loader.load("seat1", tmp_path)
    (tmp_path / "seat1.json").write_text(json.dumps({**about, "format": numpy_loader.FORMAT + 1}))
    with pytest.raises(ValueError, match="newer than this loader"):
        numpy_loader.load("seat1", tmp_path)


def exported(folder: Path) -> Path:
    """A table of both seats as a folder of numbers."""
    played = game("tictactoe")
    pair = _table_of(played)
    export((plan(pair[0], played, 0), plan(pair[1], played, 1)), "folder", folder)
    return folder


@pytest.mark.slow
def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    """Or changes nothing: every one of the description, and some of the numbers."""
    home = exported(tmp_path)
    observation, legal = asked(game("tictactoe"), game("tictactoe").starts())
    expected = numpy_loader.load("seat0", home)(observation, legal)
    noticed = 0
    for name in ("seat0.json", "seat0.safetensors"):
        file = home / name
        data = file.read_bytes()
        for at in [*range(len(data))[:: 1 if name.endswith("json") else 20011], 0, 9, len(data) - 1]:
            file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            try:
                assert np.array_equal(numpy_loader.load("seat0", home)(observation, legal), expected)
            except ValueError as error:
                noticed += 1
                assert "cannot be used" in str(error) and "\n" not in str(error)
        file.write_bytes(data)
    assert noticed > 350


@pytest.mark.parametrize("name", ["seat0.json", "seat0.safetensors"])
def test_a_bad_folder_is_one_clear_error(name: str, tmp_path: Path) -> None:
    file = exported(tmp_path) / name
    for text in ("", "null", "[1]", "{}", '{"format": "2"}', "[" * 200_000, "\xff"):
        file.write_text(text)
        refused(tmp_path, name)
    file.unlink()
    refused(tmp_path, "No such file")
    os.mkfifo(file)
    refused(tmp_path, "not a regular file")
    file.unlink()
    file.symlink_to("/dev/zero")
    refused(tmp_path, "not a regular file")
    command = [sys.executable, str(tmp_path / "load.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "not a regular file" in done.stderr


def refused(home: Path, says: str) -> None:
    with pytest.raises(ValueError, match="cannot be used: ") as error:
        numpy_loader.load("seat0", home)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    policy = numpy_loader.load("seat0", exported(tmp_path))
    for observation, legal in (((1, 2, 3, 4), (1, 9)), ((2, 2, 3, 3), (1, 9)), ((1, 2, 3, 3), (1, 8)), ((), (1, 9))):
        with pytest.raises(ValueError, match="need observation"):
            policy(np.zeros(observation), np.ones(legal))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_no_rows_give_no_rows(form: str, tmp_path: Path) -> None:
    played = game("tictactoe")
    observation, legal = np.zeros((0, 2, 3, 3), dtype=np.float32), np.zeros((0, 9), dtype=np.bool_)
    for kind, policy in policies("tictactoe").items():
        export((plan(policy, played, 0), plan(policy, played, 1)), form, tmp_path / kind)
        assert loaded(form, tmp_path / kind, observation, legal).shape == (0, 9), kind


def test_numbers_that_are_not_finite_are_not_exported() -> None:
    played = game("tictactoe")
    policy = network(played)
    with torch.no_grad():
        next(policy.net.parameters())[0] = torch.inf
    with pytest.raises(PolicyError, match="not finite"):
        plan(Greedy(policy), played, 0)


def test_what_cannot_be_exported() -> None:
    played = game("tictactoe")
    with pytest.raises(PolicyError, match="Mixture policy of tictactoe cannot be exported"):
        plan(Mixture([Uniform()], [1.0]), played, 0)
    with pytest.raises(
        PolicyError, match="only policies of boards can be exported with a table or symmetries, not gridworld:2x2"
    ):
        plan(_table_of(played)[0], gridworld(2, 2), 0)
    with pytest.raises(PolicyError, match="to folder, onnx, torchscript, not to 'csv'"):
        export((plan(Uniform(), played, 0), plan(Uniform(), played, 1)), "csv", Path("nowhere"))


def _table_of(played: Game) -> Seats:
    return make_expert("first", graph(played.spec.name))


@pytest.mark.equal_results
def test_the_nash_gap_stays_the_same(tmp_path: Path) -> None:
    played, model = game("tictactoe"), graph("tictactoe")
    pair = (Lifted(network(played, 1), Quotient(played)), network(played, 2))
    export((plan(pair[0], played, 0), plan(pair[1], played, 1)), "folder", tmp_path)
    tables = []
    for seat in (0, 1):
        policy = numpy_loader.load(f"seat{seat}", tmp_path)
        tables.append(policy(played.observe(model.states, seat), played.legal(model.states, seat)))
    kept = gap(model, (tabulate(model, pair[0], 0), tabulate(model, pair[1], 1)))
    assert gap(model, (tables[0], tables[1])) == pytest.approx(kept, abs=CLOSE)


def test_networks_of_other_games_are_exported_too(tmp_path: Path) -> None:
    """A grid world's planes; both seats move at once."""
    grid = gridworld(3, 3)
    policy = network(grid)
    export((plan(policy, grid, 0), plan(policy, grid, 1)), "folder", tmp_path)
    states = np.array([[state, 0] for state in range(grid.states)])
    for seat in (0, 1):
        found = numpy_loader.load(f"seat{seat}", tmp_path)(grid.observe(states, seat), grid.legal(states, seat))
        assert np.abs(found - policy.probabilities(grid, states, seat)).max() < CLOSE
