"""Proofs that travel: the checker agrees with walk, graph and OpenSpiel, and believes nothing that was changed."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyspiel
import pytest

from agents import PolicyError, Uniform, expert
from agents.export.plan import plan
from agents.export.write import packed
from agents.ntuple import NtuplePolicy
from agents.policy import Policy, query
from agents.tactics import Tactics
from games import GameError
from games.symmetry import board_behind
from mail.clone.ntuple import NtupleClone, clone_ntuple
from mail.commands.cli import main
from mail.data.drops import canonical, numbers, walkable
from mail.evaluation.certificate import walk
from mail.evaluation.certificate.proof import write_proofs
from mail.evaluation.refutation import refute
from mail.learners.walk.judge import check_board
from mail.parallel.pool import Local
from mail.training.folder import Config, Run
from tests.mail.clone.test_ntuple import shown
from tests.support import game, graph

BOARD = "connect4:3x4"


def cloned(name: str, seat: int) -> NtuplePolicy:
    """A clone of all of an expert's labels."""
    fit = clone_ntuple(game(name), shown(name, seat), NtupleClone(), rng=np.random.default_rng(3))
    assert isinstance(fit.policy, NtuplePolicy)
    return fit.policy


@pytest.fixture(scope="module")
def clones() -> tuple[NtuplePolicy, NtuplePolicy]:
    return cloned(BOARD, 0), cloned(BOARD, 1)


@pytest.fixture(scope="module")
def proven(clones: tuple[NtuplePolicy, NtuplePolicy], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a proof for both seats."""
    folder = tmp_path_factory.mktemp("proof")
    assert len(write_proofs(folder, game(BOARD), clones, {0: 0.0, 1: -0.0}, pool=Local())) == 5
    return folder


@pytest.fixture
def proof(proven: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return shutil.copytree(proven, tmp_path / "proof")


def checked(folder: Path) -> tuple[int, str]:
    """Status and words of the checker."""
    done = subprocess.run([sys.executable, "-I", str(folder / "check.py")], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def changed(folder: Path, **facts: object) -> None:
    path = folder / "certificate0.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def test_the_checker_proves_what_the_graph_proves(proof: Path, clones: tuple[NtuplePolicy, NtuplePolicy]) -> None:
    for seat in (0, 1):
        assert not refute(graph(BOARD), clones[seat], seat).refuted
    status, words = checked(proof)
    assert status == 0 and re.fullmatch(r"(seat [01]: proven, no opponent leaves it less than 0 \(.*\)\n){2}", words)


def test_policies_with_tactics_are_proven_up_to_mirror_image(
    clones: tuple[NtuplePolicy, NtuplePolicy], proven: Path, tmp_path: Path
) -> None:
    tactical = Tactics(clones[0]), Tactics(clones[1])
    write_proofs(tmp_path, game(BOARD), tactical, {0: 0.0, 1: -0.0}, pool=Local())
    status, words = checked(tmp_path)
    assert status == 0 and words.count("proven") == 2
    for seat in (0, 1):
        fewer, all_ = (json.loads((at / f"certificate{seat}.json").read_text()) for at in (tmp_path, proven))
        assert fewer["tactics"] and not all_["tactics"]
        assert 0 < sum(fewer["positions"]) < sum(all_["positions"])
    with pytest.raises(PolicyError, match="is not proven"):
        write_proofs(tmp_path, game(BOARD), tactical, {0: 1.0}, pool=Local())
    with pytest.raises(PolicyError, match="is not proven within 10 positions"):
        write_proofs(tmp_path, game(BOARD), tactical, {0: 0.0}, limit=10, pool=Local())


def excepted(bare: NtuplePolicy, seat: int, *, losing: bool = False) -> NtuplePolicy:
    """A clone with exceptions at every third position of a seat, up to mirror image, as an exact expert plays there.

    Losing, wherever the expert would not: moves that give the draw away.
    """
    board, model = game(BOARD), graph(BOARD)
    policy = expert.make("first", model)[seat]
    mine = model.states[model.legal(seat).any(1)]
    mine = canonical(check_board(board_behind(board), BOARD), mine)[::3]
    rows = query(policy, board, mine, seat)
    if losing:
        rows = board.legal(mine, seat) & (query(expert.make("uniform", model)[seat], board, mine, seat) == 0)
        mine, rows = mine[rows.any(1)], rows[rows.any(1)]
    return bare.excepting(numbers(mine), rows.argmax(1))


@pytest.mark.parametrize("tactics", [False, True])
def test_exceptions_are_walked_as_they_are_played(
    tactics: bool, clones: tuple[NtuplePolicy, NtuplePolicy], tmp_path: Path
) -> None:
    def entered(losing: bool) -> tuple[Policy, Policy]:
        first, second = (excepted(bare, seat, losing=losing) for seat, bare in enumerate(clones))
        return (Tactics(first), Tactics(second)) if tactics else (first, second)

    write_proofs(tmp_path, game(BOARD), entered(False), {0: 0.0, 1: -0.0}, pool=Local())
    status, words = checked(tmp_path)
    assert status == 0 and words.count("proven") == 2
    with pytest.raises(PolicyError, match="is not proven"):
        write_proofs(tmp_path, game(BOARD), entered(True), {0: 0.0}, pool=Local())
    for seat in (0, 1):
        _, numbers_ = packed(plan(excepted(clones[seat], seat, losing=True), game(BOARD), seat))
        (tmp_path / f"seat{seat}.safetensors").write_bytes(numbers_)
    changed(tmp_path, policy=hashlib.sha256((tmp_path / "seat0.safetensors").read_bytes()).hexdigest())
    status, words = checked(tmp_path)
    assert status == 1 and "seat 0: refuted, it gets less than 0 in columns" in words


def test_verdicts_without_a_list_of_positions_leave_out_the_same(
    clones: tuple[NtuplePolicy, NtuplePolicy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on 6x7, with the value of this board in place of that one's."""
    monkeypatch.setattr(walk, "VALUE", 0.0)
    monkeypatch.setattr(walk, "SHORT", 10)
    board = game(BOARD)
    for seat in (0, 1):
        plain, tactical = (
            walk.search(board, policy, seat, scorer=None) for policy in (clones[seat], Tactics(clones[seat]))
        )
        assert plain.refuted is tactical.refuted is False and 10 < tactical.positions < plain.positions
        short = walk.search(board, Tactics(clones[seat]), seat, limit=20, scorer=None)
        assert short.refuted is None and short.positions <= 20
    losing = Tactics(excepted(clones[0], 0, losing=True))
    assert walk.search(board, losing, 0, scorer=None).refuted


def test_tactics_around_weights_that_are_not_tied_are_proven_too(tmp_path: Path) -> None:
    def loose(seat: int) -> Tactics:
        fit = clone_ntuple(game(BOARD), shown(BOARD, seat), NtupleClone(tied=False), rng=np.random.default_rng(3))
        return Tactics(fit.policy)

    write_proofs(tmp_path, game(BOARD), (loose(0), loose(1)), {0: 0.0, 1: -0.0}, pool=Local())
    status, words = checked(tmp_path)
    assert status == 0 and words.count("proven") == 2


def test_walks_up_to_mirror_image_need_tied_weights_and_tactics(clones: tuple[NtuplePolicy, NtuplePolicy]) -> None:
    first = clones[0]
    loose = NtuplePolicy(first.cells, first.counts, first.codes, first.weights, tied=False)
    assert walkable(game(BOARD), Tactics(first))
    assert not walkable(game(BOARD), first)
    assert not walkable(game(BOARD), Tactics(loose))
    assert not walkable(game("tictactoe"), Tactics(first))


def test_a_line_of_the_checker_is_a_loss_by_openspiels_rules(proof: Path) -> None:
    changed(proof, value=1.0)
    status, words = checked(proof)
    found = re.search(r"seat 0: refuted, it gets less than 1 in columns ([\d ]+)", words)
    assert status == 1 and found
    state = pyspiel.load_game("connect_four", {"rows": 3, "columns": 4}).new_initial_state()
    for column in found[1].split():
        state.apply_action(int(column) - 1)
    assert state.is_terminal() and state.returns()[0] < 1


@pytest.mark.parametrize("fact", ["digest", "positions"])
def test_a_certificate_of_other_positions_is_not_believed(fact: str, proof: Path) -> None:
    changed(proof, **{fact: "0" * 64 if fact == "digest" else [1]})
    status, words = checked(proof)
    assert status == 1 and "its positions are not those of the certificate" in words


def test_another_policy_is_not_what_was_proven(proof: Path) -> None:
    shutil.copy(proof / "seat1.safetensors", proof / "seat0.safetensors")
    status, words = checked(proof)
    assert status == 1 and "seat 0: the certificate is for another policy" in words


@pytest.mark.parametrize("facts", [{"format": 2}, {"rows": 2}, {"columns": 3}])
def test_a_certificate_for_another_board_or_version_is_refused(facts: dict[str, int], proof: Path) -> None:
    changed(proof, **facts)
    status, words = checked(proof)
    assert status == 1 and "seat 0: the certificate is for another policy, or for another board or version" in words


def test_what_cannot_be_proven_is_refused(clones: tuple[NtuplePolicy, NtuplePolicy], tmp_path: Path) -> None:
    folder = tmp_path / "proof"
    with pytest.raises(PolicyError, match="is not proven within"):
        write_proofs(folder, game(BOARD), clones, {0: 0.0}, limit=10, pool=Local())
    with pytest.raises(PolicyError, match="n-tuple policies"):
        write_proofs(folder, game(BOARD), (Uniform(), Uniform()), {0: 0.0}, pool=Local())
    with pytest.raises(GameError, match="discs fall"):
        write_proofs(folder, game("tictactoe"), (Uniform(), Uniform()), {0: 0.0}, pool=Local())
    assert not folder.exists()


def test_the_command_writes_it(
    clones: tuple[NtuplePolicy, NtuplePolicy], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run.create(tmp_path / "run", Config(BOARD, learners=("mail", "bc")))
    run.save_policies("mail", clones, game(BOARD))
    run.save_policies("bc", (Uniform(), Uniform()), game(BOARD))
    run.finish({"learners": {}}, b"", seconds=0.0, workers=1)
    assert main(["exploit", str(tmp_path / "run"), "--proof", str(tmp_path / "proof")]) == 0
    assert str(tmp_path / "proof" / "check.py") in capsys.readouterr().out
    assert checked(tmp_path / "proof")[0] == 0
    assert main(["exploit", f"{tmp_path / 'run'}:bc", "--proof", str(tmp_path / "other")]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "other").exists()


def test_the_checker_is_small_and_needs_numpy_alone() -> None:
    text = (Path(__file__).parents[3] / "mail" / "evaluation" / "certificate" / "checker.py").read_text()
    assert len(text.splitlines()) <= 150
    imported = re.findall(r"^\s*(?:import|from) (\w+)", text, re.MULTILINE)
    assert set(imported) - set(sys.stdlib_module_names) == {"numpy"}
