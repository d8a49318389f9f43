"""Which of OpenSpiel's games work here, and why the others do not: ``nashmail games --openspiel``.

Each game is tried by its name alone in a process of its own, ``python -m games.adapters.survey NAME``, which makes it,
checks a few positions and lists its positions as every command does (``games.models``). Its memory and processor time
are limited, so that no game can harm the others or the machine. The answer is what a command would do with the game, at
its default size: another size may fit where that one does not.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Literal

from games.adapters.outside import printable
from games.base import GameError

MEMORY = 4 << 30
"""Bytes of address space of one process."""
SECONDS = 45
"""Of processor time; listing positions ends itself after 40 at most."""
LATE = 180.0
"""Seconds of a clock after which a process is ended, whatever it does."""

_LONGEST = 160  # characters of a reason

Kind = Literal["exact", "bounds", "play", "no"]
WORDS: dict[Kind, str] = {
    "exact": "exactly: learned from an equilibrium, with the exact Nash gap",
    "bounds": "by bounds: learned from a search (--expert mcts:N); matches, learned responses",
    "play": "to play and to measure matches; there is no expert to learn from",
    "no": "not at all",
}
"""What each kind of answer means."""


@dataclass(frozen=True)
class Answer:
    """What becomes of one game."""

    name: str
    """As commands take it."""
    kind: Kind
    positions: int | None = None
    """Positions or information states at which somebody decides, where they were listed."""
    reason: str = ""
    """Why it is not measured exactly, or does not work; in one line."""


def survey(names: Sequence[str] = (), *, on_answer: Callable[[Answer], None] = lambda answer: None) -> list[Answer]:
    """Try games, as many at once as there are processors, four at most.

    Args:
        names: OpenSpiel's names, parameters allowed; all that it has by default.
        on_answer: Called with each answer as it comes.

    Returns:
        The answers, in the order of the names.

    Raises:
        GameError: OpenSpiel is not installed.
    """
    names = list(names) or all_names()

    def tell(name: str) -> Answer:
        answer = _asked(name)
        on_answer(answer)
        return answer

    with ThreadPoolExecutor(min(4, len(os.sched_getaffinity(0)))) as threads:
        return list(threads.map(tell, names))


def all_names() -> list[str]:
    """The names of all games that OpenSpiel has. GameError where it is not installed."""
    try:
        import open_spiel.python.games  # noqa: F401  # registers those in Python
        import pyspiel
    except ImportError as error:
        raise GameError("this needs OpenSpiel; install open_spiel") from error
    return sorted(pyspiel.registered_names())


def _asked(name: str) -> Answer:
    """Try a game in another process."""
    command = [sys.executable, "-m", "games.adapters.survey", name]
    called = f"openspiel:{printable(name)}"
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LATE, check=False)
    except subprocess.TimeoutExpired:
        return Answer(called, "no", reason=f"no answer within {LATE:.0f} seconds")
    try:
        return Answer(**json.loads(done.stdout))
    except (ValueError, TypeError):
        limits = f"{MEMORY >> 30} GB and {SECONDS} seconds of the processor"
        return Answer(called, "no", reason=f"its process ended without an answer (status {done.returncode}; {limits})")


# --- in the other process ----------------------------------------------------------------------------------


def answer(name: str) -> Answer:
    """Try a game here.

    Args:
        name: OpenSpiel's name, parameters allowed.
    """
    from games.adapters.openspiel import load, searchable
    from games.base import Game
    from games.cost import TooLarge
    from games.models import model_of
    from games.registry import make

    called = f"openspiel:{name}"
    try:
        rules = load(name)
        kind = rules.get_type()
        if kind.dynamics == kind.Dynamics.SIMULTANEOUS:
            called = f"simultaneous:{name}"
        game: Game = make(called)
        try:
            model = model_of(game)
        except TooLarge as large:
            model, reason = None, _size(str(large))
        else:
            reason = "too large to enumerate"
        if model is None:
            return Answer(called, "bounds" if searchable(game) else "play", reason=reason)
        return Answer(called, "exact", positions=len(model.states))
    except GameError as error:
        text = " ".join(str(error).split())
        text = text.removeprefix(f"{called}: ").removeprefix(f"{called} ")
        return Answer(called, "no", reason=printable(text, _LONGEST))


def _size(refusal: str) -> str:
    """The estimate in a refusal; how long listing would take, if that is less than years."""
    found = re.search(r"(?:an estimate of |(?=at least ))(.+? positions), .+? and (.+?) \(", refusal)
    if found is None:
        return refusal.partition(": ")[2].partition(";")[0]
    return f"{found[1]}" + ("" if "years" in found[2] else f", {found[2]} to list")


def _limited() -> None:
    """Limit the memory and processor time of this process."""
    for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def main() -> None:
    """Print the answer for the name in the first argument, as JSON."""
    _limited()
    out, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    os.dup2(2, 1)  # what OpenSpiel prints is no part of the answer
    json.dump(asdict(answer(sys.argv[1])), out)
    out.flush()
    os._exit(0)  # without the destructors of a game that may be broken


if __name__ == "__main__":
    main()
