"""A refutation on the board: the line, the mistake, what an expert does, and how near the asks came."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from agents import Uniform, make_expert
from games.base import Floats, Game, States
from games.symmetry import Quotient
from mail.data.rollout import play
from mail.evaluation.refutation import refute
from mail.parallel.streams import stream
from mail.terminal.analysis import ModelOracle
from mail.terminal.boards import Canvas
from mail.terminal.refutation import Labelled, differing, first_mistake, labelled, present, show
from mail.training.folder import Config, Profile, Run, load_profile
from tests.support import game, graph, position

ASCII = Canvas(False, 80, 24)


class Lowest:
    """The lowest legal action, always."""

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        return (legal & (legal.cumsum(1) == 1)).astype(np.float64)


def told(*pictures: str, actions: tuple[int, ...] = (), quotient: bool = False) -> Labelled:
    board = game("tictactoe")
    states = [position(board, picture) for picture in pictures]
    label = np.eye(9)[list(actions) or [0] * len(pictures)]
    found = np.concatenate(states) if states else np.zeros((0, 2), dtype=np.uint64)
    if quotient:
        folded = Quotient(board)
        found = folded.canonical(found)[0]
        return Labelled(found, label, folded)
    return Labelled(found, label.reshape(len(found), 9), None)


def shown(labels: Labelled, seat: int = 1) -> list[str]:
    model, policy = graph("tictactoe"), Lowest()
    found = refute(model, policy, seat)
    assert found.refuted
    oracle = ModelOracle(model)
    pages = show(model.game, seat, found.line, policy, labels, ASCII, mistake=found.mistake, oracle=oracle)
    return [page.plain for page in pages]


def test_the_line_and_the_mistake() -> None:
    pages = shown(told("x..\n...\n...", actions=(4,)))
    assert pages[0].startswith("How seat 1, o, is beaten.\n\nThe start.")
    wrong = [page for page in pages if "(the mistake)" in page]
    assert len(wrong) == 1 and wrong[0].startswith("2. o: cell")
    assert "*x*" in pages[-2] or "[x]" in pages[-2]
    assert pages[-1].startswith("Move 2 in detail: the position of o.")
    assert "The policy plays cell 2 with probability 100.0%; after that the game is worth" in pages[-1]
    assert "Right: " in pages[-1] and "it plays that with probability 0.0%." in pages[-1].replace("\n", " ")
    assert max(len(line) for page in pages for line in page.splitlines()) <= 80


def test_the_distance_to_the_nearest_label() -> None:
    line = shown(told())
    mistake = line[-1]
    assert "The run has no labels for this seat: its expert was never queried." in mistake
    seen = _position_on(mistake)
    here = shown(told(seen, actions=(4,)))[-1]
    assert "This position was labelled: the expert plays cell 5, which the clone did not learn." in here.replace(
        "\n", " "
    )
    far = shown(told("xo.\n.x.\n..o\n".replace("..o", "..."), "xox\n...\n...", actions=(8, 4)))[-1].replace("\n", " ")
    assert "The expert was never queried here. The nearest " in far and "of the run's 2 labelled positions" in far
    assert "differ" in far and "the expert plays cell" in far


def _position_on(page: str) -> str:
    """The position that a page of a mistake draws."""
    rows = [line for line in page.splitlines()[2:7] if "---" not in line]
    cells = [[cell.strip("[] ") for cell in row.split("|")] for row in rows]
    return "\n".join("".join(cell if cell in ("x", "o") else "." for cell in row) for row in cells)


def test_distances_are_cells_that_differ() -> None:
    board = game("tictactoe")
    states = np.concatenate([position(board, text) for text in ("xo.\n...\n...", "ox.\n...\n...", "x..\n...\n..o")])
    assert differing(board, states, states[0]).tolist() == [0, 2, 2]
    assert differing(board, states, states[1]).tolist() == [2, 0, 3]
    plain = told("xo.\n...\n...", "...\n...\n.ox")
    assert plain.nearest(board, position(board, "..x\n..o\n...")[0])[0] == 4
    folded = told("xo.\n...\n...", quotient=True)
    assert folded.nearest(board, position(board, "..x\n..o\n...")[0])[0] == 0


def test_the_first_mistake_is_found_without_a_graph_too() -> None:
    """With an oracle alone, as for boards that only a solver knows."""
    model, policy = graph("tictactoe"), Lowest()
    for seat in (0, 1):
        found = refute(model, policy, seat)
        states, moves = [model.game.starts()], []
        for ply, action in enumerate(found.line):
            moves.append((action, -1) if ply % 2 == 0 else (-1, action))
            states.append(model.game.step(states[-1], np.array([moves[-1]]), rng=np.random.default_rng(0))[0])
        assert first_mistake(states, moves, seat, ModelOracle(model)) == found.mistake


@pytest.mark.parametrize("symmetry", [False, True])
def test_what_a_run_was_told(tmp_path: Path, symmetry: bool) -> None:
    """Rounds on disk become distinct positions with their mean label, cut where the budget was spent."""
    board = game("tictactoe")
    learned = Quotient(board) if symmetry else board
    experts = make_expert("first", graph("quotient:tictactoe" if symmetry else "tictactoe"))
    run = Run.create(tmp_path / "run", Config("tictactoe", ("mail", "bc"), symmetry=symmetry))
    rounds = [
        play(learned, (experts[0], Uniform()), 5, labels=(experts[0], None), rng=stream(0, "t", round_=n))
        for n in (0, 1)
    ]
    for number, decisions in enumerate(rounds):
        run.journal.store("mail", 0, number, decisions)
    asked = [part.take(part.queried & (part.seat == 0)) for part in rounds]
    total = sum(len(part) for part in asked)
    for spent in (total, 3):
        profile = Profile(str(tmp_path / "run"), board, experts, run.config, {"labels_by_seat": [spent, 0]})
        found = labelled(profile, 0)
        rows = np.concatenate([part.state for part in asked])[:spent]
        assert {tuple(row) for row in found.states.tolist()} == {tuple(row) for row in rows.tolist()}
        assert np.allclose(found.label.sum(1), 1)
        assert (found.quotient is not None) == symmetry
        assert len(labelled(profile, 1).states) == 0
    named = Profile(f"{tmp_path / 'run'}:bc", board, experts, run.config, {})
    assert len(labelled(named, 0).states) == 0


@pytest.mark.slow
@pytest.mark.equal_results
def test_a_loaded_policy_has_the_same_bits_in_another_process(tmp_path: Path) -> None:
    """What ``train`` saves, a new process reads: probabilities on all positions, compared bit by bit."""
    import hashlib
    import subprocess
    import sys

    from mail.clone.network import CloneConfig, clone

    model = graph("tictactoe")
    experts = make_expert("first", model)
    decisions = play(model.game, experts, 8, labels=experts, rng=stream(0, "bits"))
    fits = [
        clone(model.game, decisions, seat, config=CloneConfig(max_steps=20), rng=stream(0, "bits/clone", seat=seat))
        for seat in (0, 1)
    ]
    run = Run.create(tmp_path / "run", Config("tictactoe", ("mail",)))
    run.save_policies("mail", (fits[0].policy, fits[1].policy), model.game)
    run.finish({"learners": {}}, b"", seconds=0.0, workers=1)
    code = (
        "import hashlib, sys; from games import GameGraph; from mail.training.folder import load_profile; "
        "p = load_profile(sys.argv[1]); g = GameGraph(p.game); "
        "print(hashlib.sha256(b''.join(p.policies[s].probabilities(p.game, g.states, s).tobytes() "
        "for s in (0, 1))).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run")], capture_output=True, text=True, check=True
    )
    for policies in ((fits[0].policy, fits[1].policy), load_profile(str(tmp_path / "run")).policies):
        bits = b"".join(policies[seat].probabilities(model.game, model.states, seat).tobytes() for seat in (0, 1))
        assert hashlib.sha256(bits).hexdigest() == done.stdout.strip()


def test_both_seats_are_presented(tmp_path: Path) -> None:
    """What ``nashmail exploit --show`` prints: refuted seats with their pages, the others in one line."""
    model = graph("tictactoe")
    run = Run.create(tmp_path / "run", Config("tictactoe", ("mail",)))
    policies = (make_expert("first", model)[0], Lowest())
    profile = Profile(str(tmp_path / "run"), model.game, policies, run.config, {})
    console = Console(file=StringIO(), width=80)
    found = [refute(model, policies[seat], seat) for seat in (0, 1)]
    present(model.game, profile, found, console, oracle=ModelOracle(model))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert said.startswith("Seat 0 is not refuted: no line to show.\nHow seat 1, o, is beaten.\n")
    assert "(the mistake)" in said
    assert said.rstrip().endswith("its expert was never queried.")
