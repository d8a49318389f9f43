"""OpenSpiel as a referee of gaps of graphs."""

from __future__ import annotations

import pyspiel
import pytest
from open_spiel.python import policy as openspiel_policy
from open_spiel.python.algorithms import exploitability

from games import GameGraph
from tests.support import (
    Profile,
    gap,
    graph,
    random_profile,
    rows_by_picture,
)


class _ByBoard(openspiel_policy.Policy):
    """Our tables as OpenSpiel's policy: looked up by the board, which both draw alike."""

    def __init__(self, game: pyspiel.Game, model: GameGraph, profile: Profile) -> None:
        super().__init__(game, [0, 1])
        self.rows = rows_by_picture(model)
        self.profile = profile

    def action_probabilities(self, state: pyspiel.State, player_id: int | None = None) -> dict[int, float]:
        seat = state.current_player()
        row = self.profile[seat][self.rows[str(state).strip()]]
        return {action: float(row[action]) for action in state.legal_actions()}


def _openspiel_gains(game: pyspiel.Game, model: GameGraph, profile: Profile) -> tuple[float, list[float]]:
    found = exploitability.nash_conv(
        game, _ByBoard(game, model, profile), return_only_nash_conv=False, use_cpp_br=False
    )
    return float(found.nash_conv), [float(gain) for gain in found.player_improvements]


def _our_gains(model: GameGraph, profile: Profile) -> tuple[float, list[float]]:
    value = model.value(profile)
    gains = [model.respond(0, profile[1]).value - value, value - model.respond(1, profile[0]).value]
    return gap(model, profile), gains


@pytest.mark.parametrize(
    ("name", "spiel"),
    [
        ("connect4:3x3:3", "connect_four(rows=3,columns=3,x_in_row=3)"),
        ("tictactoe:2x3:3", "mnk(m=3,n=2,k=3)"),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_openspiel_finds_the_same_gap(name: str, spiel: str, seed: int) -> None:
    model, game = graph(name), pyspiel.load_game(spiel)
    profile = random_profile(model, seed, sparse=seed == 2)
    (ours, gains), (theirs, their_gains) = _our_gains(model, profile), _openspiel_gains(game, model, profile)
    assert ours == pytest.approx(theirs, abs=1e-12)
    assert gains == pytest.approx(their_gains, abs=1e-12)


@pytest.mark.slow
def test_openspiel_finds_the_same_gap_in_tictactoe(tictactoe_graph: GameGraph) -> None:
    profile = random_profile(tictactoe_graph, 3)
    game = pyspiel.load_game("tic_tac_toe")
    theirs, their_gains = _openspiel_gains(game, tictactoe_graph, profile)
    ours, gains = _our_gains(tictactoe_graph, profile)
    assert ours == pytest.approx(theirs, abs=1e-12)
    assert gains == pytest.approx(their_gains, abs=1e-12)
