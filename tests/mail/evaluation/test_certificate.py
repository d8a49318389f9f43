"""Walks over what an opponent can force: the verdicts of exact graphs, lines that OpenSpiel replays, and proofs."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pyspiel
import pytest

from agents import PolicyError, Tabular, Uniform, make_expert, tabulate
from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import Greedy, Lifted, Policy
from agents.solver import VALUE, Scores, scores, use
from agents.storage.label_cache import LabelCache
from games import GameError, Quotient
from games.base import Floats, Game, States
from mail.commands.cli import main
from mail.evaluation.certificate.walk import Certificate, certify, search
from mail.evaluation.refutation import refute
from mail.training.folder import Config, Run
from tests.support import PENNIES, PlainBoard, game, graph, position

FULL = game("connect4")


@pytest.fixture
def solver(tmp_path: Path):  # type: ignore[no-untyped-def]
    """The solver, with a cache of the test's own."""
    pytest.importorskip("bitbully", reason="the extra `solver` is not installed")
    use(Scores(LabelCache(tmp_path / "scores.sqlite")))
    yield
    use(None)


def network(name: str, seed: int) -> NetworkPolicy:
    spec = game(name).spec
    rng = np.random.default_rng(seed)
    return NetworkPolicy(PolicyNet(spec.observation, spec.actions, Architecture(4, 1, 16), rng=rng))


class Sharp:
    """Random preferences, but wins and blocks where it can at once: not beaten in the first few moves."""

    def __init__(self, inner: Policy) -> None:
        self.inner = inner

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        rows = self.inner.probabilities(game, states, seat)
        for row, state in enumerate(states):
            plain = PlainBoard.like(game)  # type: ignore[arg-type]
            picture = game.render(state)
            if plain.mover(picture) != seat or plain.over(picture):
                continue
            for mark in ("xo"[seat], "ox"[seat]):
                winning = [a for a in plain.moves(picture) if _completes(plain, picture, a, mark)]
                if winning:
                    rows[row] = np.eye(game.spec.actions)[winning[0]]
                    break
        return rows


def _completes(plain: PlainBoard, picture: str, action: int, mark: str) -> bool:
    """Whether a stone of this mark dropped there completes a line."""
    before, after = picture, plain.after(picture, action)
    at = next(index for index, (a, b) in enumerate(zip(before, after, strict=True)) if a != b)
    return plain.winner(after[:at] + mark + after[at + 1 :]) is not None


def payoffs(name: str, line: tuple[int, ...]) -> list[float]:
    """Both players' results of a line by OpenSpiel, which takes only legal moves and must be at the end."""
    board = game(name)
    state = pyspiel.load_game("connect_four", {"rows": board.rows, "columns": board.columns}).new_initial_state()
    for action in line:
        state.apply_action(action)
    assert state.is_terminal()
    return list(state.returns())


def confirm(name: str, policy: Policy, found: Certificate) -> None:
    """A refuting line ends as it says, and the greedy policy makes its own moves of it."""
    assert found.refuted and found.value is not None and found.value < found.game_value
    assert payoffs(name, found.line)[found.seat] == found.value
    states, greedy = game(name).starts(), Greedy(policy)
    for ply, action in enumerate(found.line):
        if ply % 2 == found.seat:
            assert greedy.probabilities(game(name), states, found.seat)[0, action] == 1.0
        states = game(name).successors(states, np.where(game(name).acting(states), action, -1)).states


# --- against exact graphs --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.equal_results
@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["connect4:4x4", "connect4:3x4", "tictactoe"])
def test_verdicts_are_those_of_the_graph(name: str, seat: int) -> None:
    value = (1 - 2 * seat) * graph(name).solve()[0].value
    policies: list[Policy] = [network(name, seed) for seed in range(1 if name == "connect4:4x4" else 4)]
    policies += [Uniform(), make_expert("first", graph(name))[seat], make_expert("uniform", graph(name))[seat]]
    policies += [Lifted(network(name, 7), Quotient(game(name)))]
    for policy in policies:
        exact = refute(graph(name), policy, seat)
        found = certify(game(name), policy, seat, game_value=value)
        if found.rounding:  # equal preferences: some choice of theirs loses, this one may not
            assert found.refuted is None or exact.refuted
            continue
        assert found.refuted == exact.refuted
        if found.refuted:
            assert len(found.line) <= len(exact.line)
            if name != "tictactoe":
                confirm(name, policy, found)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "positions"), [("connect4:4x4", (766, 1728)), ("connect4:5x4", (2711, 6962))])
def test_a_fastest_win_expert_is_proven_over_all_it_can_be_led_to(name: str, positions: tuple[int, int]) -> None:
    experts = make_expert("first", graph(name))
    for seat in (0, 1):
        found = certify(game(name), experts[seat], seat, game_value=0.0)
        assert (found.refuted, found.value, found.line, found.positions) == (False, 0.0, (), positions[seat])


@pytest.mark.equal_results
def test_a_policy_up_to_symmetry_is_walked_up_to_symmetry() -> None:
    name, quotient = "connect4:4x4", game("quotient:connect4:4x4")
    lifted = Lifted(make_expert("first", graph("quotient:connect4:4x4"))[1], quotient)
    found = certify(game(name), lifted, 1, game_value=0.0)
    plain = certify(game(name), Tabular(*_whole(name, lifted, 1)), 1, game_value=0.0)
    assert found.refuted is plain.refuted is False
    assert plain.positions / 2 <= found.positions < 0.6 * plain.positions
    for seat in (0, 1):
        net = Lifted(network(name, 1), quotient)
        confirm(name, net, certify(game(name), net, seat, game_value=0.0))


def _whole(name: str, policy: Policy, seat: int) -> tuple[np.ndarray, np.ndarray]:
    """A policy of one seat as a table of the whole board, which nobody can tell is symmetric."""
    rows = np.flatnonzero(graph(name).seat == seat)
    return game(name).key(graph(name).states[rows]), tabulate(graph(name), policy, seat)[rows]


# --- what rounding and limits do -------------------------------------------------------------------------------


def test_a_move_within_rounding_that_loses_prevents_the_proof_and_refutes_nothing() -> None:
    name = "connect4:4x4"
    keys, table = _whole(name, make_expert("first", graph(name))[0], 0)
    values = graph(name).solve()[0].action_values[graph(name).seat == 0]
    costly = (values == values.max(1, keepdims=True)).any(1) & (np.isfinite(values) & (values < 0)).any(1)
    row = int(np.flatnonzero(costly & (values.max(1) == 0))[0])
    worse = int(np.flatnonzero(values[row] == -1)[0])
    for off, refuted in ((1e-7, None), (1e-3, False)):
        changed = table.copy()
        changed[row] = 0.0
        changed[row, table[row].argmax()], changed[row, worse] = 0.5 + off, 0.5 - off
        found = certify(game(name), Tabular(keys, changed), 0, game_value=0.0)
        assert (found.refuted, found.rounding) == (refuted, refuted is None)


def test_a_limit_proves_nothing() -> None:
    expert = make_expert("first", graph("connect4:4x4"))[0]
    found = certify(game("connect4:4x4"), expert, 0, game_value=0.0, limit=765)
    assert (found.refuted, found.value, found.line) == (None, None, ()) and 0 < found.positions <= 765
    assert certify(game("connect4:4x4"), expert, 0, game_value=0.0, limit=766).refuted is False


def test_games_of_other_kinds_are_refused() -> None:
    with pytest.raises(GameError):
        certify(PENNIES, Uniform(), 0, game_value=0.0)
    with pytest.raises(PolicyError):
        certify(FULL, Tabular(FULL.key(FULL.starts()), np.full((1, 7), 0.5)), 0, game_value=1.0)


# --- the real board --------------------------------------------------------------------------------------------


def test_policies_on_the_real_board_are_refuted_without_a_solver() -> None:
    for seed in range(2):
        found = search(FULL, network("connect4", seed), 0, scorer=None)
        confirm("connect4", network("connect4", seed), found)
        assert found.mistake is None and found.game_value == VALUE
    second = search(FULL, network("connect4", 0), 1, scorer=None)
    assert (second.refuted, second.value, second.game_value, second.positions) == (False, -1.0, -1.0, 0)


def test_scores_stop_at_the_first_mistake(solver: None) -> None:
    policy = Sharp(network("connect4", 0))
    plain = certify(FULL, policy, 0, game_value=VALUE, limit=40)
    assert plain.refuted is None
    found = certify(FULL, policy, 0, game_value=VALUE, limit=40, scorer=scores)
    confirm("connect4", policy, found)
    mistake = found.mistake
    assert mistake is not None and mistake.kept == 1.0 and mistake.left < 1.0
    assert found.line[mistake.ply] == mistake.played and mistake.played not in mistake.keeps
    shortest = search(FULL, network("connect4", 0), 0, scorer=scores)
    assert shortest.mistake is not None and shortest.mistake.ply < len(shortest.line)


def test_a_perfect_player_is_proven_in_an_endgame(solver: None) -> None:
    """From a position with 14 empty cells that seat 0 wins, every reply walked; counted again on strings."""
    picture = """
        ..o....
        ..x..x.
        .oo..ox
        oxx.ooo
        oxxxoxx
        xxooxox
    """
    start = position(FULL, picture)
    best = scores(FULL, start).max()
    seat = int(FULL.acting(start)[0, 1])
    value = float(np.sign(best))
    expert = make_expert("first", FULL)[0]
    found = certify(FULL, expert, seat, game_value=value, start=start)
    assert found.refuted is False

    plain = PlainBoard.like(FULL)
    seen: set[str] = set()

    @cache
    def walk(board: str) -> float:
        """The least the expert gets from here, against every reply."""
        if plain.over(board):
            return (1 - 2 * seat) * plain.payoff(board)
        if plain.mover(board) != seat:
            return min(walk(plain.after(board, action)) for action in plain.moves(board))
        seen.add(board)
        move = int(expert.probabilities(FULL, position(FULL, board), seat)[0].argmax())
        return walk(plain.after(board, move))

    assert walk(FULL.render(start[0])) == value
    assert found.positions == len(seen)


def test_the_command_refutes_on_the_real_board(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.solver.installed", lambda: False)
    run = Run.create(tmp_path / "run", Config("connect4", learners=("bc",)))
    run.save_policies("bc", (network("connect4", 0), network("connect4", 1)), FULL)
    run.finish({"learners": {"bc": {}}}, b"", seconds=0.0, workers=1)
    assert main(["exploit", str(tmp_path / "run"), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["seats"]
    assert first["refuted"] is True and payoffs("connect4", tuple(first["line"]))[0] == first["value"] < 1
    assert second["refuted"] is False and second["line"] == []
    assert main(["exploit", str(tmp_path / "run"), "--limit", "1"]) == 0
    assert "not refuted within 1 positions, which proves nothing" in capsys.readouterr().out
    assert main(["exploit", str(tmp_path / "run"), "--limit", "0"]) == 2
