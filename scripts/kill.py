"""Training on 6x7 that is killed at random moments: ``python scripts/kill.py [--kills 50] [--json]``.

A run on Connect Four 6x7 (MAIL against uniform play, labels by the solver, two workers, a separate and initially empty
label cache) loses one of its three processes again and again: a worker, or the driver, which is restarted and resumes.
Four kills in five follow a random number of further completed labels, so that they strike during work, however busy the
machine; the others follow a random time, possibly while Ray starts. A run that ends before all kills are done is
compared, and another one is started. The run's final measures and its cloning are shortened; its play and labels are
not.

Labels are counted independently of the label cache: the driver appends completed labels to a ledger.

``lost``        labels in the ledger but not in the cache, read after every kill and at every end
``duplicated``  labels that completed twice
``repaid``      labels that a shard computed although they were completed before it began
``different``   runs whose folder (policies, decisions, metrics, result; clock times aside) or whose label cache differs
                from those of an undisturbed process

All four must be zero; exit status 1 otherwise. Needs ``ps`` (Linux, macOS). Drivers import the package again after
every kill, so do not edit it meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from agents import solver
from agents.storage.label_cache import LabelCache
from games.base import Ints, Rng
from mail.parallel.pool import Local, Pool
from mail.parallel.ray import report
from mail.parallel.streams import stream

GAMES = 120
"""Games per seat: some thousand labels."""
SHARD = 8  # games; small, so that many are in flight between two kills
BY_TIME, LONGEST, MOMENT = 0.2, 20.0, 0.5  # share of kills by time; their most seconds, and those after labels
COMPLETED, PAID = "completed", "repaid"  # lines of the ledger


@dataclass
class Tally:
    """The results of all kills."""

    driver: int = 0
    worker: int = 0
    amid: int = 0
    """Kills after a run's first label."""
    runs: int = 0
    labels: int = 0
    """Completed labels of all runs."""
    lost: int = 0
    duplicated: int = 0
    repaid: int = 0
    different: int = 0
    seconds: float = 0.0

    def add(self, faults: Faults) -> None:
        self.lost += faults.lost
        self.duplicated += faults.duplicated
        self.repaid += faults.repaid

    @property
    def sound(self) -> bool:
        return not (self.lost or self.duplicated or self.repaid or self.different)


@dataclass(frozen=True)
class Faults:
    """The faulty labels of one run."""

    lost: int
    duplicated: int
    repaid: int


def killed(
    kills: int, games: int, seed: int, *, apart: int | None = None, say: Callable[[str], None] = lambda line: None
) -> Tally:
    """Kill ``kills`` times, in as many runs as that takes. ``apart``: most labels between two (None: a tenth)."""
    rng, tally, begun = stream(seed, "kill"), Tally(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nashmail-kill-") as name:
        folder = Path(name)
        wait(start(folder / "whole", games, workers=1), folder / "whole")
        expected = contents(folder / "whole")
        apart = len(expected[1]) // 10 if apart is None else apart
        say(f"undisturbed: {len(expected[1])} labels; up to {apart} of them between two kills")
        while tally.driver + tally.worker < kills:
            place = folder / f"killed-{tally.runs}"
            lost = disturb(place, games, kills, apart, tally, rng, say)
            found = inspect(place)
            tally.add(replace(found, lost=max(lost, found.lost)))
            tally.different += contents(place) != expected
            tally.labels += len(ledger(place))
            tally.runs += 1
            say(f"run {tally.runs} is over: {asdict(tally)}")
    tally.seconds = time.monotonic() - begun
    return tally


def disturb(place: Path, games: int, kills: int, apart: int, tally: Tally, rng: Rng, say: Callable[[str], None]) -> int:
    """Run to the end, with kills while any are left. Returns the largest number of labels lost at one of them."""
    driver, lost = start(place, games, workers=2), 0
    while tally.driver + tally.worker < kills and still_runs(driver, place, apart, rng):
        before, pid = len(ledger(place)), rng.choice([driver.pid, *workers_of(driver.pid)])
        kill(int(pid))
        if pid == driver.pid:
            driver.wait()
            tally.driver += 1
        else:
            tally.worker += 1
        tally.amid += before > 0
        lost = max(lost, inspect(place).lost)
        say(f"killed {tally.driver} drivers and {tally.worker} workers; {before} labels completed, {lost} lost")
        if driver.poll() == -signal.SIGKILL:
            driver = start(place, games, workers=2)
    wait(driver, place)
    return lost


def still_runs(driver: subprocess.Popen[bytes], place: Path, apart: int, rng: Rng) -> bool:
    """Wait for the moment of a kill. Returns whether the driver is still running."""
    by_time, seconds = rng.random() < BY_TIME, rng.uniform(0.0, LONGEST)
    enough = len(ledger(place)) + int(rng.integers(1, apart, endpoint=True))
    begun = time.monotonic()
    while driver.poll() is None and not (
        time.monotonic() - begun > seconds if by_time else len(ledger(place)) >= enough
    ):
        time.sleep(0.05)
    with suppress(subprocess.TimeoutExpired):
        driver.wait(timeout=rng.uniform(0.0, MOMENT))
    return driver.poll() is None


def start(place: Path, games: int, *, workers: int) -> subprocess.Popen[bytes]:
    """A driver that starts or resumes the run in this place."""
    place.mkdir(exist_ok=True)
    command = [sys.executable, str(Path(__file__).resolve()), "--drive", str(place), str(workers), str(games)]
    own = {"NASHMAIL_CACHE": str(place / "cache"), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    own["RAY_worker_niceness"] = "0"  # on a busy machine niced workers would hardly run
    with (place / "log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **own})


def wait(driver: subprocess.Popen[bytes], place: Path) -> None:
    """Wait for the end of the run. RuntimeError with the driver's last output if it fails."""
    if driver.wait():
        said = (place / "log").read_text(errors="replace").splitlines()[-1:]
        raise RuntimeError(f"a driver ended with exit status {driver.returncode}: {' '.join(said)}")


def workers_of(driver: int) -> list[int]:
    """The pids of Ray workers among the descendants of this process."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], stdout=subprocess.PIPE, text=True, check=True).stdout
    parent, workers = {}, []
    for line in listed.splitlines():
        pid, above, words = line.split(maxsplit=2) if len(line.split()) > 2 else (*line.split(), "")
        parent[int(pid)] = int(above)
        if words.startswith(("ray::IDLE", "ray::run_shard")):  # not the agents, without which Ray ends
            workers.append(int(pid))

    def below(pid: int) -> bool:
        while (pid := parent.get(pid, 0)) not in (driver, 0):
            pass
        return pid == driver

    return [pid for pid in workers if below(pid)]


def kill(pid: int) -> None:
    """Kill a process, unless it has just ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


# --- counting --------------------------------------------------------------------------------------------


def ledger(place: Path) -> list[tuple[int, bool]]:
    """The completed labels, in order: position, and whether all its moves were scored."""
    return [(int(words[1]), words[2] == "1") for words in _lines(place) if words[0] == COMPLETED]


def _lines(place: Path) -> list[list[str]]:
    path = place / "ledger"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def inspect(place: Path) -> Faults:
    """The faults in a run's cache and ledger."""
    completed, held = ledger(place), rows(place)
    lost = [one for one in set(completed) if one[0] not in held or (one[1] and solver.WORSE in held[one[0]])]
    repaid = sum(words[0] == PAID for words in _lines(place))
    return Faults(len(lost), sum(times - 1 for times in Counter(completed).values()), repaid)


def rows(place: Path) -> dict[int, list[int]]:
    """The cached scores of every position."""
    path = place / "cache" / "scores.sqlite"
    if not path.exists():
        return {}
    connection = sqlite3.connect(path, timeout=60)
    try:
        found = connection.execute("SELECT position, scores FROM scores").fetchall()
    except sqlite3.OperationalError:  # killed before the table was made
        return {}
    finally:
        connection.close()
    return {position: np.frombuffer(scores, dtype=np.int8).tolist() for position, scores in found}


def contents(place: Path) -> tuple[dict[str, bytes], dict[int, list[int]]]:
    """What equal runs share: the run's files and the scores."""
    files = sorted(path for path in (place / "run").rglob("*") if path.is_file() and path.name != "clock.json")
    return {str(path.relative_to(place)): path.read_bytes() for path in files}, rows(place)


# --- in the driver ---------------------------------------------------------------------------------------


class Noted(solver.Scores):
    """Appends completed labels, and those that are computed again, to the ledger."""

    def __init__(self, place: Path, pool: Stamped) -> None:
        super().__init__(LabelCache.default())
        self.path, self.pool = place / "ledger", pool
        self.completed = {
            (int(words[1]), words[2]): float(words[3]) for words in _lines(place) if words[0] == COMPLETED
        }

    def add(self, position: Ints, scores: solver.Scored) -> None:
        super().add(position, scores)
        now = time.time()
        for label in self._labels(position, scores):
            self.completed[label] = now
            self._note(COMPLETED, label, now)

    def receive(self, position: Ints, scores: solver.Scored) -> None:
        for label in self._labels(position, scores):
            whole = (label[0], "1")  # scores of all moves include the best ones
            if min(self.completed.get(one, np.inf) for one in (label, whole)) < self.pool.began:
                self._note(PAID, label, self.pool.began)
        super().receive(position, scores)

    def _labels(self, position: Ints, scores: solver.Scored) -> list[tuple[int, str]]:
        return [(key, str(int(solver.WORSE not in row))) for key, row in zip(position.tolist(), scores, strict=True)]

    def _note(self, what: str, label: tuple[int, str], when: float) -> None:
        with self.path.open("ab", buffering=0) as file:  # one write, so that a kill leaves whole lines
            file.write(f"{what} {label[0]} {label[1]} {when:.6f}\n".encode())


class Stamped(Local):
    """A pool that knows when the shard that is completing began."""

    def __init__(self, inner: Pool) -> None:
        self.inner, self.began, self.workers = inner, 0.0, inner.workers

    def map(self, task: Any, shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> list[Any]:
        def keep(index: int, stamped_result: tuple[float, Any]) -> None:
            self.began = stamped_result[0]
            if on_result is not None:
                on_result(index, stamped_result[1])

        return [result for _, result in self.inner.map(stamped, (task, shared), shards, on_result=keep)]


def stamped(job: tuple[Callable[[Any, Any], Any], Any], shard: Any) -> tuple[float, Any]:
    """A pool's task: another task, and the time at which it began."""
    return time.time(), job[0](job[1], shard)


def drive(place: Path, workers: int, games: int) -> None:
    """Start or resume the run in this place and finish it."""
    import mail.clone.presets
    import mail.evaluation.arena.openings
    import mail.evaluation.sampled
    import mail.learners.base
    from mail.parallel.ray import RayPool
    from mail.training.folder import Config, Run
    from mail.training.train import train

    mail.learners.collect.SHARD = SHARD
    large = mail.clone.presets.LARGE
    mail.clone.presets.LARGE = replace(large, clone=replace(large.clone, max_steps=20))
    for name, small in {"OPPONENTS": (), "GAMES": 2, "HELD_OUT": 8, "WALKED": 500}.items():
        setattr(mail.evaluation.sampled, name, small)
    suite = mail.evaluation.arena.openings.suite()[:8]
    mail.evaluation.arena.openings.suite = lambda: suite  # type: ignore[assignment]
    config = Config("connect4", learners=("mail",), explorer="uniform", episodes=games, points=1)
    folder = place / "run"
    run = Run.resume(folder) if (folder / "config.json").exists() else Run.create(folder, config)
    with Local() if workers == 1 else RayPool(workers, patience=0.0, memory=100 << 20) as inner:
        pool = Stamped(inner)
        solver.use(Noted(place, pool))
        if run.result() is None:
            train(run, pool=pool)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="kill.py", description="Kill a training run at random moments, and count.")
    parser.add_argument("--kills", type=int, default=50, metavar="N", help="(default: 50)")
    parser.add_argument("--games", type=int, default=GAMES, metavar="N", help=f"per seat (default: {GAMES})")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of moments and victims (default: 0)")
    parser.add_argument("--apart", type=int, metavar="N", help="most labels between kills (default: a tenth of all)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--drive", nargs=3, metavar=("PLACE", "WORKERS", "GAMES"), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.drive:
        drive(Path(args.drive[0]), int(args.drive[1]), int(args.drive[2]))
        return 0
    tally = killed(args.kills, args.games, args.seed, apart=args.apart, say=report)
    listed = asdict(tally)
    print(json.dumps(listed) if args.json else "\n".join(f"{name:16}{value:g}" for name, value in listed.items()))
    return 0 if tally.sound else 1


if __name__ == "__main__":
    sys.exit(main())
