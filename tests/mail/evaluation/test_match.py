"""Matches: counts against exact probabilities, intervals against known values, and what cannot be held."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from agents import expert
from agents.policy import Seats, Uniform
from agents.suboptimal import suboptimal
from games import GameError
from mail.commands.cli import main
from mail.evaluation.arena import match as module
from mail.evaluation.arena.match import MatchError, Result, match
from mail.evaluation.intervals import wilson
from mail.parallel.pool import Local
from mail.terminal.tables import result_table
from tests.mail.commands.test_exploit import cloned, saved
from tests.support import game, graph, reloaded

UNIFORM: Seats = (Uniform(), Uniform())


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The expert in MAIL's place, and BC of infinite data."""
    learners = {"mail": expert.make("first", graph("tictactoe")), "bc": cloned("tictactoe", "first")}
    return str(saved(tmp_path_factory.mktemp("runs") / "run", "tictactoe", learners))


def players(name: str = "tictactoe") -> dict[str, Seats]:
    """Good, bad and in between."""
    model = graph(name)
    return {"expert": expert.make("first", model), "random": UNIFORM, "suboptimal:1": suboptimal(model, 1.0)}


def held(name: str = "tictactoe", *, games: int = 200, seed: int = 0) -> list[Result]:
    return match(game(name), graph(name), players(name), games=games, seed=seed)


# --- counts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tictactoe", "connect4:3x4", "tictactoe:3x3:2"])
def test_counts_lie_about_the_exact_probabilities(name: str) -> None:
    for result in held(name, games=1000):
        assert result.exact is not None
        assert sum(result.exact) == pytest.approx(1.0, abs=1e-12)
        for count, chance in zip((result.wins, result.draws, result.losses), result.exact, strict=True):
            assert abs(count - 1000 * chance) <= 5 * math.sqrt(1000 * chance * (1 - chance)) + 1e-9


def test_everybody_meets_everybody_else_in_both_seats() -> None:
    results = held(games=7)
    pairs = [(result.first, result.second) for result in results]
    assert pairs == [(a, b) for a in players() for b in players() if a != b]
    assert all(result.games == result.wins + result.draws + result.losses == 7 for result in results)


def test_pairs_are_shards_that_count_alike_wherever_they_are_played() -> None:
    """In reverse order, each with what a process of its own would receive."""

    class Elsewhere(Local):
        def map(self, task: Any, shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> list[Any]:
            assert shards == [(a, b) for a in range(3) for b in range(3) if a != b]
            return [task(reloaded(shared), shard) for shard in reversed(shards)][::-1]

    found = match(game("tictactoe"), graph("tictactoe"), players(), games=50, seed=2, pool=Elsewhere())
    assert found == held(games=50, seed=2)


def test_random_play_has_its_known_probabilities() -> None:
    (result, _) = match(game("tictactoe"), graph("tictactoe"), {"a": UNIFORM, "b": UNIFORM}, games=1, seed=0)
    assert result.exact == pytest.approx((0.584921, 0.126984, 0.288095), abs=1e-6)


def test_experts_draw_each_other() -> None:
    twins = {ties: expert.make(ties, graph("tictactoe")) for ties in ("first", "uniform")}
    for result in match(game("tictactoe"), graph("tictactoe"), twins, games=200, seed=3):
        assert (result.wins, result.draws, result.losses) == (0, 200, 0)
        assert result.exact == pytest.approx((0.0, 1.0, 0.0), abs=1e-12)


def test_the_expert_never_loses_in_either_seat() -> None:
    for result in held(games=500):
        if result.first == "expert":
            assert result.losses == 0 and result.exact is not None and result.exact[2] == 0.0
        if result.second == "expert":
            assert result.wins == 0 and result.exact is not None and result.exact[0] == 0.0


def test_the_same_seed_gives_the_same_counts_and_another_seed_others() -> None:
    assert held() == held()
    assert held() != held(seed=1)


def test_one_more_entrant_changes_no_other_result() -> None:
    field = players()
    fewer = {name: field[name] for name in ("expert", "random")}
    small = match(game("tictactoe"), graph("tictactoe"), fewer, games=50, seed=0)
    assert set(small) < set(held(games=50))


def test_seats_and_pairs_have_streams_of_their_own() -> None:
    """The same players under other names do not play the same games again."""
    same = dict.fromkeys("abc", UNIFORM)
    results = match(game("tictactoe"), None, same, games=300, seed=0)
    assert len({(result.wins, result.draws, result.losses) for result in results}) > 1
    assert all(result.exact is None for result in results)


def test_many_games_are_played_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = held(games=64)
    monkeypatch.setattr(module, "SHARD", 64)
    assert held(games=64) == whole
    longer = held(games=150)
    assert all(result.games == 150 for result in longer)
    assert all(a.wins <= b.wins and a.losses <= b.losses for a, b in zip(whole, longer, strict=True))


def test_games_too_large_to_enumerate_are_played_all_the_same() -> None:
    results = match(game("connect4"), None, {"a": UNIFORM, "b": UNIFORM}, games=20, seed=0)
    assert [result.games for result in results] == [20, 20]
    assert [result.exact for result in results] == [None, None]


# --- the interval ----------------------------------------------------------------------------------------


# --- the command -----------------------------------------------------------------------------------------

Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Said:
    """The command's exit status, output and complaints, on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words: str) -> tuple[int, str, str]:
        try:
            status = main(["match", *words])
        except SystemExit as stop:
            status = int(stop.code or 0)
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_json_is_from_the_firsts_view(run_folder: str, said: Said) -> None:
    names = [run_folder, f"{run_folder}:bc", "expert", "random", "suboptimal:0.5"]
    words = ["tictactoe:3x3", *names, "--games", "30", "--seed", "5", "--json"]
    status, out, err = said(*words)
    assert (status, err, out.count("\n")) == (0, "", 1)
    found = json.loads(out)
    assert set(found) == {"game", "games", "seed", "entrants", "results"}
    assert (found["game"], found["games"], found["seed"], found["entrants"]) == ("tictactoe", 30, 5, names)
    assert [(row["first"], row["second"]) for row in found["results"]] == [
        (a, b) for a in names for b in names if a != b
    ]
    for row in found["results"]:
        assert set(row) == {"first", "second", "wins", "draws", "losses", "games", "interval", "exact", "moves"}
        assert row["wins"] + row["draws"] + row["losses"] == row["games"] == 30
        assert row["interval"] == list(wilson(row["wins"], 30))
        assert sum(row["exact"]) == pytest.approx(1.0)
    by_pair = {(row["first"], row["second"]): row for row in found["results"]}
    assert by_pair[run_folder, "expert"]["draws"] == 30, "the expert, saved and loaded"
    assert by_pair["expert", "random"]["losses"] == by_pair["random", run_folder]["wins"] == 0
    assert said(*words) == (status, out, err)


def test_the_table_fits_eighty_columns(run_folder: str, said: Said) -> None:
    status, out, err = said("tictactoe", run_folder, "expert", "suboptimal:0.125", "--games", "20")
    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert out.startswith("tictactoe: 20 games of each pair in each order, seed 0")
    assert "1.00" in out and "exact" in out


def test_the_table_fits_large_counts_and_odd_names() -> None:
    million, third = 1_000_000, (1 / 3, 1 / 3, 1 / 3)
    results = [
        Result("runs/[bold]tictactoe-0:mail", "suboptimal:0.5", million, 0, 0, third),
        Result("suboptimal:0.5", "runs/[bold]tictactoe-0:mail", 333_333, 333_334, 333_333, (1.0, 0.0, 0.0)),
    ]
    shown = drawn(results)
    assert max(map(len, shown.splitlines())) <= 80
    assert "1,000,000" in shown and "333,334" in shown
    assert ".333 .333 .333" in shown and "1.00 .000 .000" in shown
    assert "[" in shown and "]" in shown, "a name is no markup"


def test_the_table_leaves_out_what_is_not_known() -> None:
    shown = drawn([Result("a", "b", 5, 0, 5, None)])
    assert "exact" not in shown
    assert ".237-.763" in shown


def drawn(results: list[Result]) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=80).print(result_table(results))
    return buffer.getvalue()


def test_bad_input_is_one_line(run_folder: str, tmp_path: Path, said: Said) -> None:
    cases: dict[tuple[Any, ...], str] = {
        ("tictactoe",): "required",
        ("tictactoe", "expert"): "at least two entrants",
        ("tictactoe", "expert", "expert"): "entered twice",
        ("tictactoe", run_folder, "random", f"{run_folder}/"): "entered twice",
        ("tictactoe", "suboptimal:1", "suboptimal:1.0"): "entered twice",
        ("tictactoe", "expert", "nobody"): "no player is called 'nobody'; use expert, random, suboptimal:T",
        ("tictactoe", "expert", "nobody:mail"): "no player is called 'nobody:mail'",
        ("tictactoe", "expert", str(tmp_path)): "there is no run in",
        ("tictactoe", "expert", f"{run_folder}:gail"): "has no learner 'gail'",
        ("tictactoe", "expert", "suboptimal"): "names no temperature",
        ("tictactoe", "expert", "suboptimal:hot"): "names no temperature",
        ("tictactoe", "expert", "suboptimal:-1"): "0 or more and finite, not -1",
        ("tictactoe", "expert", "suboptimal:nan"): "0 or more and finite",
        ("tictactoe", "expert", "random", "--games", "0"): "--games must be at least 1, not 0",
        ("tictactoe", "expert", "random", "--games", "many"): "invalid int value",
        ("tictactoe", "expert", "random", "--seed", "-1"): "--seed must be 0 or more",
        ("connect4:3x4", "random", run_folder): "plays tictactoe, not connect4:3x4",
        ("connect4:6x6", "random", "expert"): "cannot be enumerated, which expert needs",
        ("connect4:6x6", "random", "suboptimal:1"): "cannot be enumerated, which suboptimal:1 needs",
        ("chess", "random", "expert"): "no game is called 'chess'",
    }
    for words, says in cases.items():
        status, out, err = said(*words)
        assert (status, out, err.count("\n")) == (2, "", 1), words
        assert says in err


@pytest.mark.parametrize(("games", "seed"), [(0, 0), (-5, 0), (1, -1)])
def test_numbers_are_checked_in_the_library_too(games: int, seed: int) -> None:
    with pytest.raises(MatchError, match="must be"):
        match(game("tictactoe"), None, {"a": UNIFORM, "b": UNIFORM}, games=games, seed=seed)


def test_a_run_of_a_large_game_meets_random_play(tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # so that the table holds no path that may say anything
    folder = str(saved(Path("run"), "connect4", {"mail": UNIFORM}))
    assert "exact" not in said("connect4", folder, "random", "--games", "3")[1]
    found = json.loads(said("connect4", folder, "random", "--games", "25", "--json")[1])
    assert [row["games"] for row in found["results"]] == [25, 25]
    assert [row["exact"] for row in found["results"]] == [None, None]


@pytest.mark.parametrize(
    "backend", ["openspiel:tic_tac_toe", pytest.param("pettingzoo:tictactoe", marks=pytest.mark.slow)]
)
def test_another_backend_plays_the_same_games(backend: str, said: Said) -> None:
    words = ["expert", "random", "suboptimal:1", "--games", "20", "--json"]
    ours, theirs = json.loads(said("tictactoe", *words)[1]), json.loads(said(backend, *words)[1])
    assert theirs["results"] == ours["results"]


def test_a_game_whose_positions_nobody_can_list_has_no_exact_figures(
    said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Boards are known to be too large beforehand; other games say so when they are tried."""

    def refuse(*_: object, **__: object) -> None:
        raise GameError("more positions than can be held")

    monkeypatch.setattr("games.graph.GameGraph.__init__", refuse)
    folder = str(saved(tmp_path / "run", "openspiel:tic_tac_toe", {"mail": UNIFORM}))
    status, out, _ = said("openspiel:tic_tac_toe", folder, "random", "--games", "10", "--json")
    assert (status, json.loads(out)["results"][0]["exact"]) == (0, None)
    why = "expert needs the game's exact model: more positions than can be held"
    assert why in said("openspiel:tic_tac_toe", folder, "expert")[2]
