"""Seconds for CFR+ and for exact Nash gaps of Leduc poker, ours and OpenSpiel's: ``bench.py cfr``.

Ours plays ``openspiel:leduc_poker``, whose information states are OpenSpiel's own, suits told apart. Peers: OpenSpiel's
CFR+ and ``nash_conv`` in Python (``openspiel-python``) and its C++ ones called from Python (``openspiel-c++``).
``setup`` is what comes before the first iteration: writing the game out, against making the solver. ``iterations`` is
100 iterations of CFR+, ``gap`` the exact Nash gap of the average after them. ``gap 0.01`` is ours alone: from the model
to an average whose Nash gap is at most 0.01, all measures on the way included; ``own poker`` is the same for ``leduc``,
in which a card is its rank; ``equilibrium`` is ours alone, too: both linear programs of the sequence form. The value of
the game and the Nash gaps of that equilibrium and of uniform play are told on standard error. ``same_result``: all
three averages have the same Nash gap to 1e-9. Each peer runs once, ours several times; figures of ours are medians.
"""

from __future__ import annotations

from typing import Any

from agents import cfr
from agents.policy import uniform_rows
from benchmarks.clocks import median_timed, timed
from benchmarks.nash_gap import nash_conv
from benchmarks.results import SECONDS, Result, Settings, note
from games import InfosetModel, make
from games.base import as_hidden

ITERATIONS, NEAR, TOLERANCE = 100, 0.01, 1e-9


def run(settings: Settings, *, theirs: str = "leduc_poker", own: str = "leduc", iterations: int = ITERATIONS) -> Result:
    """CFR+ by us and by OpenSpiel.

    Args:
        settings: ``seconds`` is how long ours is repeated for one figure.
        theirs: OpenSpiel's name of the game.
        own: our own game of the same rules.
        iterations: of CFR+, for the case of that name.
    """
    import pyspiel
    from open_spiel.python.algorithms import exploitability
    from open_spiel.python.algorithms.cfr import CFRPlusSolver

    ours, average = _ours(f"openspiel:{theirs}", iterations, settings.seconds)
    ours["own poker"] = _ours(own, iterations, settings.seconds)[0]["gap 0.01"]
    rules = pyspiel.load_game(theirs)
    python, python_gap = _theirs(CFRPlusSolver, exploitability.nash_conv, rules, iterations)
    note(f"{iterations} iterations: {python['iterations']:.3g} s OpenSpiel in Python")
    c, c_gap = _theirs(pyspiel.CFRPlusSolver, pyspiel.nash_conv, rules, iterations)
    note(f"Nash gap: {average.nash_gap:.12f} ours, {python_gap:.12f} and {c_gap:.12f} OpenSpiel")
    return Result(
        ours=ours,
        peers={"openspiel-python": python, "openspiel-c++": c},
        units=dict.fromkeys(ours, SECONDS),
        repeats=1,
        same_result=max(abs(average.nash_gap - python_gap), abs(average.nash_gap - c_gap)) <= TOLERANCE,
    )


def _ours(name: str, iterations: int, seconds: float) -> tuple[dict[str, float], cfr.Average]:
    """Our figures for a game, and the average after the iterations."""
    game = as_hidden(make(name))
    setup, model = timed(InfosetModel, game)  # once: the game remembers its answers
    solved, (first, second) = timed(model.solve)
    equilibrium, uniform = (first.policy, second.policy), (uniform_rows(model.legal(0)), uniform_rows(model.legal(1)))
    note(
        f"{name}: value {first.value:.12f}, Nash gap of the equilibrium {nash_conv(model, equilibrium):.1e}, "
        f"of uniform play {nash_conv(model, uniform):.10f}"
    )
    iterate, average = median_timed(seconds, lambda: cfr.solve(model, iterations=iterations, look=iterations))
    gap, _ = median_timed(seconds, lambda: nash_conv(model, average.profile))
    near, found = median_timed(seconds, lambda: cfr.solve(model, iterations=100_000, gap=NEAR))
    note(
        f"{name}: {len(model):,} information states; Nash gap {found.nash_gap:.4f} after {found.iterations} iterations"
    )
    return {"setup": setup, "iterations": iterate, "gap": gap, "gap 0.01": near, "equilibrium": solved}, average


def _theirs(solver: Any, measured: Any, rules: Any, iterations: int) -> tuple[dict[str, float], float]:
    """A peer's figures, and the Nash gap of its average."""
    setup, made = timed(solver, rules)

    def iterate() -> None:
        for _ in range(iterations):
            made.evaluate_and_update_policy()

    seconds, _ = timed(iterate)
    policy = made.average_policy()
    measure, gap = timed(measured, rules, policy)
    return {"setup": setup, "iterations": seconds, "gap": measure}, float(gap)
