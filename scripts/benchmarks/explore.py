"""Exploration of 6x7 Connect Four with a solver as the expert: ``bench.py explore``; needs the solver extra.

The algorithm: one seat plays uniformly random legal moves, the other the solver's first best move, and every decision
of the solver is a label; as many games with the solver in seat 0 as in seat 1. Ours plays all games in one batch and
scores every distinct position (up to mirror image) once, its best moves only: ``cold`` without known scores, ``warm``
the same games again as a new process would, with all scores in the file on disk. Peer: the loop of PettingZoo's AEC
interface, one board at a time, in which the same solver with the same book scores all moves at each of its decisions,
as it is used from Python. The peer keeps only the solver's own table of positions. That table and the file are empty at
the start of every repeat, for both.

``games`` and ``labels`` are per second, on one core; ``solver`` is the share of our cold time spent in the solver. The
random moves differ, so the games do, too; ``same_result`` says that our labels at all the peer's labelled positions,
and at their mirror images, equal the peer's. Contestants alternate; figures are medians over repeats.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import games
from agents import solver
from agents.policy import Uniform
from agents.storage.label_cache import LabelCache
from benchmarks.results import Result, Settings, note
from games.base import States
from games.compiled import loading
from mail.data.rollout import play
from mail.parallel.streams import stream

GAMES = 128  # of each seat in one repeat
Line = list[int]  # the moves of one game


def run(settings: Settings, *, plays: int = GAMES) -> Result:
    """Both rates. PolicyError if the solver is not installed."""
    seed, repeats = settings.seed, settings.repeats or 3
    solver.load()
    loading.load()  # as games that take longer do by themselves
    found: dict[str, list[float]] = {}
    same = True
    try:
        for repeat in range(repeats):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "scores.sqlite"
                figures = {**_ours("cold", path, seed, repeat, plays), **_ours("warm", path, seed, repeat, plays)}
            theirs, lines = _peer(seed, repeat, plays)
            same &= _agree(lines)
            for case, figure in {**figures, **theirs}.items():
                found.setdefault(case, []).append(figure)
                note(f"repeat {repeat}: {case}: {figure:,.3g}")
    finally:
        solver.use(None)
    figures = {case: median(values) for case, values in found.items()}
    peer: dict[str, float] = {}
    for words in ("games", "labels"):
        rate = figures.pop(f"pettingzoo {words}")
        peer |= {f"{words} cold": rate, f"{words} warm": rate}
    units = {case: f"{case.split()[0]}/s" for case in peer} | {"solver share": "of cold time"}
    return Result(ours=figures, peers={"pettingzoo": peer}, units=units, repeats=repeats, same_result=same)


def _ours(heat: str, path: Path, seed: int, repeat: int, plays: int) -> dict[str, float]:
    """Our rates, with the label cache at ``path``, which need not exist."""
    game = games.make("connect4")
    solver.forget()
    scores = solver.Scores(LabelCache(path))
    solver.use(scores)
    expert = solver.solver_expert(game, ties="first")[0]
    begun, labels = time.perf_counter(), 0
    for seat in (0, 1):
        seats = (expert, Uniform()) if seat == 0 else (Uniform(), expert)
        queried = (expert, None) if seat == 0 else (None, expert)
        rng = stream(seed, "bench/explore", seat=seat, round_=repeat)
        labels += play(game, seats, plays, labels=queried, rng=rng).labels()
    seconds = time.perf_counter() - begun
    share = {"solver share": scores.seconds / seconds} if heat == "cold" else {}
    return {f"games {heat}": 2 * plays / seconds, f"labels {heat}": labels / seconds, **share}


def _peer(seed: int, repeat: int, plays: int) -> tuple[dict[str, float], list[tuple[int, Line]]]:
    """The peer's rates, and its games, each with the solver's seat."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pettingzoo

    env = pettingzoo.make("aec", "classic/connect_four-v3")
    draw = random.Random(1000 * seed + repeat).random
    solver.forget()
    env.reset(seed=seed)
    lines: list[tuple[int, Line]] = []
    begun, labels = time.perf_counter(), 0
    for seat in (0, 1):
        for _ in range(plays):
            lines.append((seat, _one_game(env, seat, draw)))
            labels += len(lines[-1][1][seat::2])
    seconds = time.perf_counter() - begun
    return {"pettingzoo games": 2 * plays / seconds, "pettingzoo labels": labels / seconds}, lines


def _one_game(env: Any, seat: int, draw: Any) -> Line:
    """One game in the AEC loop, with the solver's own board."""
    bitbully, board = solver.core()
    board.setRawState(0, 0, 42)
    env.reset()
    line: Line = []
    while True:
        observation, _, terminated, truncated, _ = env.last()
        if terminated or truncated:
            return line
        if len(line) % 2 == seat:
            scores = bitbully.scoreMoves(board)
            action = scores.index(max(scores))
        else:
            legal = np.flatnonzero(observation["action_mask"])
            action = int(legal[int(draw() * len(legal))])
        board.play(action)
        env.step(action)
        line.append(action)


def _agree(lines: list[tuple[int, Line]]) -> bool:
    """Whether our expert's labels equal the peer's at every decision of its solver, and at the mirror images."""
    game = games.Board(6, 7, 4, gravity=True, name="connect4")
    expert = solver.solver_expert(game, ties="uniform")[0]
    positions, labels = zip(*(pair for seat, line in lines for pair in _decisions(game, seat, line)), strict=True)
    states, played = np.concatenate(positions), np.array(labels)
    seats = game.acting(states)[:, 1]
    for seat in (0, 1):
        rows = np.flatnonzero(seats == seat)
        best = expert.probabilities(game, states[rows], seat) > 0
        mirrored = expert.probabilities(game, game.images(states[rows])[1], seat)[:, ::-1] > 0
        if (best.argmax(1) != played[rows]).any() or (best != mirrored).any():
            return False
    return True


def _decisions(game: games.Board, seat: int, line: Line) -> Iterator[tuple[States, int]]:
    """The positions [1, W] of a game at which the seat decided, and its decisions."""
    states = game.starts()
    for ply, action in enumerate(line):
        if ply % 2 == seat:
            yield states, action
        states = game.successors(states, np.where(game.acting(states), action, -1)).states
