"""Bounds of what an enumeration costs."""

from __future__ import annotations

import io

import pytest

from games import Game, GameError, GameGraph, make, register
from games.cost import Meter, TooLarge, afford, approximate, available_memory, duration, extrapolate, size
from games.markov.linear_games import linear

LAYERS = {  # positions to move in by ply
    "connect4:4x4": (
        [1, 4, 16, 52, 160, 436, 1128, 2452, 5036, 8756, 14352, 19498, 24710, 23804, 20894, 12990]
    ),
    "tictactoe:3x4": [1, 12, 132, 660, 2970, 7416, 16200, 19488, 19476, 9436, 3362, 410],
}  # fmt: skip


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS.keys())
def test_layers_of_boards_are_foreseen_within_a_factor_of_three(layers: list[int]) -> None:
    for seen in range(5, len(layers)):
        total = sum(layers[:seen]) + extrapolate(layers[:seen], len(layers))
        assert sum(layers) / 3 < total < 3 * sum(layers)


def test_layers_that_only_grow_are_followed_to_the_end() -> None:
    assert extrapolate([1, 10, 100, 1000], 6) == pytest.approx(10_000 + 100_000)
    assert extrapolate([1, 10, 100, 1000], 10_000) == 1e300


@pytest.mark.parametrize("name", ["chess", "othello", "mancala"])
def test_a_game_that_is_too_large_is_refused_soon(name: str) -> None:
    game = make(f"openspiel:{name}")
    meter = Meter(game, seconds=60, moves=2e8, patience=0.5)
    told = rf"^openspiel:{name} is too large to enumerate: (an estimate of|at least) .* positions"
    with pytest.raises(TooLarge, match=told):
        GameGraph(game, meter=meter)  # type: ignore[arg-type]


def test_positions_of_one_layer_are_no_estimate() -> None:
    """Listing the first moves alone takes too long, and nothing tells how many follow."""
    game = make("openspiel:othello")
    with pytest.raises(TooLarge, match=r"too large to enumerate: at least [\d,]+ positions"):
        GameGraph(game, meter=Meter(game, moves=1))  # type: ignore[arg-type]


def test_a_busy_machine_is_no_reason_to_refuse() -> None:
    """Hex 3x3 takes two seconds of the processor, after however many of a clock."""
    game = make("openspiel:hex(board_size=3)")
    meter = Meter(game, seconds=20, moves=2e8)
    meter.begun -= 100
    assert len(GameGraph(game, meter=meter)) == 4520  # type: ignore[arg-type]


def test_memory_alone_ends_an_enumeration() -> None:
    game = make("openspiel:nim")
    with pytest.raises(TooLarge):
        GameGraph(game, meter=Meter(game, room=100_000))  # type: ignore[arg-type]


def test_a_small_game_is_listed_as_without_a_meter() -> None:
    game = make("openspiel:nim(pile_sizes=1;3;2)")
    graph = GameGraph(game, meter=Meter(game, seconds=60, moves=2e8))  # type: ignore[arg-type]
    assert graph.layer_sizes == GameGraph(game).layer_sizes  # type: ignore[arg-type]


def test_histories_that_take_too_long_to_list_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("games.adapters.openspiel_markov._SECONDS", 0.2)
    with pytest.raises(TooLarge, match=r"^simultaneous:oshi_zumo has (too many|more than)"):
        make("simultaneous:oshi_zumo")


def test_tables_of_all_joint_actions_are_bounded() -> None:
    with pytest.raises(TooLarge, match=r"^simultaneous:clobber\(columns=2\) has 14,709 positions of 40 actions"):
        make("simultaneous:clobber(columns=2)")


def test_memory_that_is_not_there_is_refused_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GameError, match=r"needs about 1,000 TB of memory"):
        afford(1e15, "a game")
    monkeypatch.setattr("games.cost.available_memory", lambda: 1 << 20)
    with pytest.raises(GameError, match=r"^linear:50000,100 needs about 1.4 GB of memory, 1.0 MB is available"):
        linear(50_000, 100)


@pytest.mark.usefixtures("registries_as_they_were")
def test_what_runs_out_of_memory_after_all_is_one_line() -> None:
    def greedy(parameters: str) -> Game:
        raise MemoryError

    register("greedy", greedy)
    with pytest.raises(GameError, match=r"^greedy:9 needs more memory than is available; choose a smaller size$"):
        make("greedy:9")


def test_figures_in_words() -> None:
    assert (size(999), size(1.4e9), size(5e12)) == ("999 bytes", "1.4 GB", "5 TB")
    assert (duration(90), duration(7200), duration(1e30)) == ("90 seconds", "2 hours", "millions of years")
    assert (approximate(1234), approximate(3e7), approximate(1e20)) == ("1,234", "30 million", "1e20")
    assert available_memory() > 0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "shows"), [(Terminal, True), (io.StringIO, False)])
def test_a_terminal_is_told_how_far_it_is(
    stream: type[io.StringIO], shows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Meter(make("openspiel:hex(board_size=3)"), progress=True)
    meter.begun -= 3.0
    error = stream()
    monkeypatch.setattr("sys.stderr", error)
    meter.layer(1, 9, 9)
    meter.layer(9, 72, 9)
    meter.close()
    assert ("listing positions of openspiel:hex(board_size=3): 1 of about" in error.getvalue()) == shows
    assert error.getvalue().endswith(" " * 79 + "\r") == shows
