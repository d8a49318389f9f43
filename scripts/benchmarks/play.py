"""Moves per second of uniformly random play, with and without an observation for every mover: ``bench.py play``.

Ours: ``mail.data.rollout.random_moves`` on 4,096 games at once, so this is the speed of many games, not the latency of
one move. Peers, one game at a time as they are used from Python: PettingZoo's AEC loop (its ``last()`` always observes
and includes the legal moves, so one figure serves both cases) and OpenSpiel states (observations written into one
buffer, which is faster than ``observation_tensor``). With ``--pgx PYTHON``, a Python that has pgx and jax (pip install
pgx jax, in an environment of its own), pgx plays as many games at once (``benchmarks.pgx_play``), observations
included; it is started once and waits while others are measured. The random moves differ, so ``same_result`` is null.
Contestants alternate, each of pgx's measurements beside one of ours; figures are medians over repeats.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np

import games
from benchmarks.clocks import rate
from benchmarks.results import RATE, Result, Settings, note
from games.base import NashmailError
from mail.data.rollout import random_moves
from mail.parallel.streams import stream

BATCH = 4096  # games that random_moves plays at once


def run(settings: Settings, *, batch: int = BATCH) -> Result:
    """Moves per second of random play, without and with observations: us, PettingZoo, OpenSpiel, pgx."""
    contestants: dict[tuple[str, str], Callable[[], int]] = {}  # (case, name) -> play some games, count the moves
    for name, zoo, spiel in (
        ("tictactoe", "classic/tictactoe-v3", "tic_tac_toe"),
        ("connect4", "classic/connect_four-v3", "connect_four"),
    ):
        contestants[name, "pettingzoo"] = _pettingzoo(zoo, settings.seed)
        for case, observe in ((name, False), (f"{name}+observe", True)):
            contestants[case, "ours"] = _ours(name, settings.seed, batch, observe=observe)
            contestants[case, "openspiel"] = _openspiel(spiel, settings.seed, observe=observe)
    with _pgx(settings.pgx) as pgx:
        return _measured(settings, contestants, pgx)


def _measured(
    settings: Settings, contestants: dict[tuple[str, str], Callable[[], int]], pgx: Callable[[str, float], float] | None
) -> Result:
    """All rates, in turn."""
    repeats = settings.repeats or 3
    rates: dict[tuple[str, str], list[float]] = {key: [] for key in contestants}
    observed = [case for case, who in contestants if who == "ours" and case.endswith("+observe")]
    if pgx is not None:
        rates |= {(case, "pgx"): [] for case in observed}
        for case in observed:
            pgx(case.removesuffix("+observe"), 0.0)  # compiles
    for some_games in contestants.values():
        some_games()  # so that caches and lazy imports are not measured
    for repeat in range(repeats):
        for (case, who), some_games in contestants.items():
            rates[case, who].append(rate(some_games, settings.seconds))
            note(f"repeat {repeat}: {case}, {who}: {rates[case, who][-1]:,.0f} moves/s")
            if (case, "pgx") in rates and who == "ours":
                rates[case, "pgx"].append(pgx(case.removesuffix("+observe"), settings.seconds) if pgx else 0.0)
                note(f"repeat {repeat}: {case}, pgx: {rates[case, 'pgx'][-1]:,.0f} moves/s")
    figures = {key: median(found) for key, found in rates.items()}
    cases = [case for case, who in contestants if who == "ours"]
    return Result(
        ours={case: figures[case, "ours"] for case in cases},
        peers={
            "pettingzoo": {case: figures[case.removesuffix("+observe"), "pettingzoo"] for case in cases},
            "openspiel": {case: figures[case, "openspiel"] for case in cases},
        }
        | ({} if pgx is None else {"pgx": {case: figures[case, "pgx"] for case in observed}}),
        units=dict.fromkeys(cases, RATE),
        repeats=repeats,
        same_result=None,
    )


@contextmanager
def _pgx(python: str | None) -> Iterator[Callable[[str, float], float] | None]:
    """Moves per second of pgx by game and seconds, in a process of its own; None without a Python that has it."""
    if python is None:
        yield None
        return
    command = [python, str(Path(__file__).with_name("pgx_play.py"))]
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    except OSError as error:
        raise NashmailError(f"cannot start {python}: {error.strerror}; --pgx takes a Python that has pgx") from error

    def line() -> str:
        assert process.stdout is not None  # pipes were asked for
        found = process.stdout.readline()
        if not found:
            raise NashmailError(f"pgx cannot be measured with {python}; it takes one that has pgx and jax")
        return found

    def measure(game: str, seconds: float) -> float:
        assert process.stdin is not None
        process.stdin.write(f"{game} {seconds}\n")
        process.stdin.flush()
        return float(line())

    with process:
        note(f"peer: {line().strip()}")
        try:
            yield measure
        finally:
            process.kill()


def _ours(name: str, seed: int, batch: int, *, observe: bool) -> Callable[[], int]:
    game, rng = games.make(name), stream(seed, "bench/play")
    return lambda: random_moves(game, batch, rng=rng, observe=observe)


def _pettingzoo(name: str, seed: int) -> Callable[[], int]:
    """One game in the AEC loop, without the steps of agents that are already out (action None)."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pettingzoo

    env, draw = pettingzoo.make("aec", name), random.Random(seed).random
    env.reset(seed=seed)

    def one_game() -> int:
        env.reset()
        moves = 0
        while True:
            observation, _, terminated, truncated, _ = env.last()
            if terminated or truncated:
                return moves
            legal = np.flatnonzero(observation["action_mask"])
            env.step(int(legal[int(draw() * len(legal))]))
            moves += 1

    return one_game


def _openspiel(name: str, seed: int, *, observe: bool) -> Callable[[], int]:
    """Twenty games."""
    import pyspiel
    from open_spiel.python.observation import make_observation

    game, draw = pyspiel.load_game(name), random.Random(seed).random
    see = make_observation(game).set_from

    def some_games() -> int:
        moves = 0
        for _ in range(20):
            state = game.new_initial_state()
            while not state.is_terminal():
                legal = state.legal_actions()
                if observe:
                    see(state, state.current_player())
                state.apply_action(legal[int(draw() * len(legal))])
                moves += 1
        return moves

    return some_games
