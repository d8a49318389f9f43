"""``nashmail train`` with every game of OpenSpiel, by its name alone: whether it works or is refused in one line, and
how much time and memory that takes.

``python scripts/openspiel_games.py [NAME ...] [--limit SECONDS] [--out FILE]`` trains each for two episodes, so that
little but the game is measured, and writes a table in Markdown. Exit status 1 if a game took longer than the limit or
more than four gigabytes, printed more than a line, or ended in another way.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MEMORY = 4.0  # GB
ADAPTERS = ("openspiel", "simultaneous")


@dataclass(frozen=True)
class Outcome:
    """The result of one command."""

    name: str
    status: int | None
    """Exit status; None if it was killed at the limit."""
    said: str
    """Standard error."""
    seconds: float
    work: float
    """Processor seconds, which other programs on the machine do not affect."""
    memory: float
    """Peak memory in GB."""

    @property
    def good(self) -> bool:
        """Whether it worked, or was properly refused."""
        lines = self.said.strip().splitlines()
        refused = self.status == 2 and len(lines) == 1 and lines[0].startswith("nashmail")
        return (self.status == 0 or refused) and self.memory < MEMORY

    @property
    def words(self) -> str:
        """The result in a word."""
        if self.status == 0:
            return "works"
        if self.status is None:
            return "NOT DONE in time"
        reason = self.said.strip().removeprefix("nashmail train: ").replace("|", "\\|")
        return reason if self.good else f"BADLY ANSWERED: status {self.status}, {reason[-200:]!r}"


def asked(name: str, limit: float) -> Outcome:
    """Run ``nashmail train`` with this game, for at most ``limit`` seconds."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as errors:
        command = [sys.executable, "-m", "mail", "train", name, "--episodes", "2", "--out", str(Path(folder) / "run")]
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, stdin=subprocess.DEVNULL)
        status, work, used = _waited(process.pid, begun + limit)
        process.returncode = 0  # it has been waited for
        seconds = time.perf_counter() - begun
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    return Outcome(name, status, said, seconds, work, used)


def _waited(pid: int, late: float) -> tuple[int | None, float, float]:
    """Wait for a process: exit status (None if it was killed), processor seconds, peak memory in GB."""
    ended = False
    while True:
        found, status, usage = os.wait4(pid, os.WNOHANG)
        if found:
            code = None if ended else os.waitstatus_to_exitcode(status)
            return code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / (1 << 20)
        if time.perf_counter() > late and not ended:
            os.kill(pid, 9)
            ended = True
        time.sleep(0.02)


def table(outcomes: Sequence[Outcome]) -> str:
    """The table in Markdown, a line per game."""
    lines = ["| game | what becomes of it | seconds | of the processor | GB |", "| --- | --- | ---: | ---: | ---: |"]
    lines += [f"| `{o.name}` | {o.words} | {o.seconds:.1f} | {o.work:.1f} | {o.memory:.2f} |" for o in outcomes]
    works = sum(outcome.status == 0 for outcome in outcomes)
    bad = sum(not outcome.good for outcome in outcomes)
    most = max((outcome.seconds for outcome in outcomes), default=0.0)
    lines += [
        "",
        f"{len(outcomes)} games: {works} work, {len(outcomes) - works - bad} are refused in one line, {bad} are",
    ]
    lines[-1] += f" answered badly; at most {most:.1f} s and {max((o.memory for o in outcomes), default=0.0):.2f} GB."
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run every game and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="OpenSpiel's names (default: all registered ones)")
    parser.add_argument("--adapter", choices=ADAPTERS, default="openspiel", help="the word before the colon")
    parser.add_argument("--limit", type=float, default=20.0, metavar="SECONDS", help="per game (default: 20)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="file for the table (default: standard output)")
    args = parser.parse_args(argv)
    import pyspiel

    outcomes = []
    for name in args.names or pyspiel.registered_names():
        outcomes.append(asked(f"{args.adapter}:{name}", args.limit))
        print(f"{outcomes[-1].name}: {outcomes[-1].words[:100]}", file=sys.stderr)
    text = table(outcomes)
    if args.out is None:
        print(text)
    else:
        args.out.write_text(text + "\n", encoding="utf-8")
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
