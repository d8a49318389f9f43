"""The process in which a description of an OpenSpiel game is tried before this one is given it:
``games.adapters.trial``.

Run by its path, with OpenSpiel's folder as its argument and the description on standard input: loads the game, asks
all that the adapters ask and plays a few random games. Prints a line once the game is loaded, then one JSON object: {}
or the kind of what went wrong and what it said. What kills it would have killed whoever asked. Imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import time
from typing import Any

MEMORY = 3 << 30  # bytes of addresses
SECONDS = 8  # of processor time
PLAY = 0.15  # seconds that random games may take
GAMES = 20
MOVES = 4000


def main() -> None:
    """Try what standard input says."""
    for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0)):
        limits = resource.getrlimit(kind)
        soft = min([most, *(limit for limit in limits if limit != resource.RLIM_INFINITY)])
        resource.setrlimit(kind, (soft, limits[1]))
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    answer, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    os.dup2(2, 1)  # the answer alone goes to standard output
    found = {}
    try:
        game = _loaded(text)
        answer.write("loaded\n")
        answer.flush()
        _tried(game)
    except Exception as error:
        found = {"kind": type(error).__name__, "said": str(error)[:2000]}
    answer.write(json.dumps(found))
    answer.flush()
    os._exit(0)


def _loaded(text: str) -> Any:
    """The game; raises what OpenSpiel raises."""
    sys.path.insert(0, sys.argv[1])
    import pyspiel

    if "python_" in text:
        import open_spiel.python.games  # noqa: F401
    return pyspiel.load_game(text)


def _tried(game: Any) -> None:
    """Everything once; raises what OpenSpiel raises."""
    kind = game.get_type()
    str(game), game.get_parameters(), game.num_players(), game.num_distinct_actions(), game.max_game_length()
    if kind.provides_observation_tensor:
        game.observation_tensor_shape()
    if game.max_game_length() < 1 or game.new_initial_state().is_terminal():
        raise ValueError("it has no move to make; choose another size")
    if game.num_players() != 2 or kind.dynamics == kind.Dynamics.MEAN_FIELD:
        return  # which the adapters refuse
    begun = time.perf_counter()
    for number in range(GAMES):
        _play(game, kind.provides_observation_tensor, begun, random.Random(number))
        if number and time.perf_counter() - begun > PLAY:
            break
    if kind.dynamics == kind.Dynamics.SEQUENTIAL and kind.chance_mode == kind.ChanceMode.DETERMINISTIC:
        _moves_alone(game)


def _moves_alone(game: Any) -> None:
    """Games as those by which ``games.adapters.openspiel_facts`` finds out how long one lasts: they must be quick
    enough.
    """
    moves = 0
    for number in range(GAMES):
        state, draw = game.new_initial_state(), random.Random(number)
        while moves < MOVES and not state.is_terminal():
            state.apply_action(_choice(state, state.current_player(), draw))
            moves += 1


def _play(game: Any, tensors: bool, begun: float, draw: random.Random) -> None:
    """A random game, as far as time allows."""
    state = game.new_initial_state()
    for _ in range(game.max_game_length() + 1):
        str(state), state.is_terminal(), state.rewards(), state.returns()
        if state.is_terminal() or time.perf_counter() - begun > PLAY:
            return
        if state.is_chance_node():
            outcomes = state.chance_outcomes()
            state.apply_action(draw.choices([a for a, _ in outcomes], [p for _, p in outcomes])[0])
            continue
        for seat in (0, 1) if tensors else ():
            state.observation_tensor(seat)
        if state.is_simultaneous_node():
            state.apply_actions([_choice(state, seat, draw) for seat in (0, 1)])
        else:
            state.apply_action(_choice(state, state.current_player(), draw))


def _choice(state: Any, seat: int, draw: random.Random) -> int:
    """A legal action of the seat."""
    actions: list[int] = state.legal_actions(seat)
    if not actions:
        raise ValueError(f"it goes on without a move to make after the moves {state.history()}; choose another size")
    return draw.choice(actions)


if __name__ == "__main__":
    main()
