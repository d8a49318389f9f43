"""How long a run says nothing: the longest time between two progress events, by game and phase, of bare training runs.

    python scripts/silences.py                      # every named game, as `nashmail train GAME` learns it
    python scripts/silences.py rps connect4:4x4     # these games
    python scripts/silences.py connect4 --seconds 300 --episodes 50

A run is watched for at most ``--seconds``. What lies between two events belongs to the phase in which the first was.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from games.registry import names
from mail.commands.games import SIZES
from mail.parallel.pool import Local
from mail.training.config import Config
from mail.training.defaults import KNOWLEDGE_LEVELS, default_for
from mail.training.folder import Run
from mail.training.progress.events import Advanced, Event, Stream
from mail.training.train import prepare, train


class Enough(Exception):
    """The time of a game is over."""


@dataclass
class Silences:
    """A sink that times what lies between events."""

    seconds: float
    """After which it ends the run."""
    longest: dict[str, float] = field(default_factory=dict)
    """By phase."""
    after: dict[str, str] = field(default_factory=dict)
    """What was said before the longest silence."""
    work: dict[str, float] = field(default_factory=dict)
    """Seconds of the processor in the longest silence, which another program's work does not add to."""
    last: float = field(default_factory=time.perf_counter)
    last_work: float = field(default_factory=time.process_time)
    phase: str = "begin"
    said: str = ""
    events: int = 0

    def __call__(self, event: Event) -> None:
        """Take an event."""
        now, work = time.perf_counter(), time.process_time()
        if now - self.last > self.longest.get(self.phase, -1.0):
            self.longest[self.phase], self.after[self.phase] = now - self.last, self.said
            self.work[self.phase] = work - self.last_work
        self.last_work = work
        self.last, self.phase = now, " > ".join(phase.name for phase in event.phases)
        fact = event.fact
        self.said = f"{fact.step} {fact.done:g}/{fact.total}" if isinstance(fact, Advanced) else type(fact).__name__
        self.events += 1
        if event.seconds > self.seconds:
            raise Enough


def measured(name: str, *, seconds: float, episodes: int | None) -> dict[str, Any]:
    """The silences of one game's default run."""
    line = default_for(name, KNOWLEDGE_LEVELS[0])
    begun, silences, over = time.perf_counter(), Silences(seconds), True
    stream = Stream([silences])
    with tempfile.TemporaryDirectory() as place:
        try:
            with stream:
                config = _config(name, line, episodes)
                prepared = prepare(config)
            train(Run.create(Path(place) / "run", config), prepared=prepared, pool=Local(), stream=stream)
        except Enough:
            over = False
    return {
        "game": name,
        "finished": over,
        "seconds": time.perf_counter() - begun,
        "events": silences.events,
        "longest": max(silences.longest.values()),
        "phases": silences.longest,
        "processor": silences.work,
        "after": silences.after,
    }


def _config(name: str, line: Any, episodes: int | None) -> Config:
    from games.registry import make
    from mail.clone.presets import preset

    most = episodes or line.episodes or preset(make(name)).episodes
    config = Config(name, line.learners, line.explorer, episodes=most)
    return config if line.points is None else replace(config, points=line.points)


def main(words: Sequence[str] | None = None) -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("games", nargs="*", help="games (default: every named one)")
    parser.add_argument("--seconds", type=float, default=600.0, help="most seconds of a game (default: 600)")
    parser.add_argument("--episodes", type=int, help="most games per seat (default: the game's)")
    parser.add_argument("--json", action="store_true", help="one JSON object a game")
    args = parser.parse_args(words)
    for name in args.games or [size for word in names() for size in SIZES.get(word, (word,))]:
        row = measured(name, seconds=args.seconds, episodes=args.episodes)
        if args.json:
            print(json.dumps(row), flush=True)
            continue
        state = "" if row["finished"] else " (stopped)"
        print(f"{name}: {row['seconds']:.1f} s{state}, {row['events']} events, longest silence {row['longest']:.2f} s")
        for phase, silence in sorted(row["phases"].items(), key=lambda pair: -pair[1])[:6]:
            work = f"{row['processor'][phase]:.2f} s of work"
            print(
                f"    {silence:6.2f} s  {phase or 'between phases'}, after {row['after'][phase]} ({work})", flush=True
            )


if __name__ == "__main__":
    main()
