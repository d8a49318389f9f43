"""The process in which ``games.adapters.trial`` tries the description of an OpenSpiel game.

Run by its path, with OpenSpiel's directory as its argument and the description on standard input. It loads the game,
makes every call that the adapters make and plays a few random games. It prints a line once the game is loaded, then one
JSON object: {} or the class and message of the exception. What kills it would have killed its parent. It imports
nothing of this project.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import time
from typing import Any

MEMORY = 3 << 30  # bytes of address space
SECONDS = 8  # of processor time
PLAY = 0.15  # seconds allowed for random games
GAMES = 20
MOVES = 4000


def main() -> None:
    """Try the description on standard input."""
    for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0)):
        limits = resource.getrlimit(kind)
        soft = min([most, *(limit for limit in limits if limit != resource.RLIM_INFINITY)])
        resource.setrlimit(kind, (soft, limits[1]))
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    answer, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    os.dup2(2, 1)  # only the result goes to standard output

    problem = {}
    try:
        game = _loaded(text)
        answer.write("loaded\n")
        answer.flush()
        _tried(game)
    except Exception as error:
        problem = {"kind": type(error).__name__, "said": str(error)[:2000]}
    answer.write(json.dumps(problem))
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
    """Make every call once; raises what OpenSpiel raises."""
    kind = game.get_type()
    str(game), game.get_parameters(), game.num_players(), game.num_distinct_actions(), game.max_game_length()
    if kind.provides_observation_tensor:
        game.observation_tensor_shape()
    if game.max_game_length() < 1 or game.new_initial_state().is_terminal():
        raise ValueError("it is over before its first move; choose another size")
    if game.num_players() != 2 or kind.dynamics == kind.Dynamics.MEAN_FIELD:
        return  # the adapters refuse these
    begun = time.perf_counter()
    for number in range(GAMES):
        _play(game, kind.provides_observation_tensor, begun, random.Random(number))
        if number and time.perf_counter() - begun > PLAY:
            break
    if kind.dynamics == kind.Dynamics.SEQUENTIAL and kind.chance_mode == kind.ChanceMode.DETERMINISTIC:
        _moves_alone(game)


def _moves_alone(game: Any) -> None:
    """Random games like those with which ``games.adapters.openspiel_facts`` measures length: they must be fast."""
    moves = 0
    for number in range(GAMES):
        state, draw = game.new_initial_state(), random.Random(number)
        while moves < MOVES and not state.is_terminal():
            state.apply_action(_choice(state, state.current_player(), draw))
            moves += 1


def _play(game: Any, tensors: bool, begun: float, draw: random.Random) -> None:
    """One random game, within the time limit."""
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
        raise ValueError(f"it has no legal action after the moves {state.history()}; choose another size")
    return draw.choice(actions)


if __name__ == "__main__":
    main()
