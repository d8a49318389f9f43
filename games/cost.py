"""What enumerating a game costs, estimated before it is paid: memory, and time while the enumeration runs.

The number of positions of an unknown game cannot be told from its parameters. So the enumeration itself is the probe:
the logarithms of the layers' sizes are extrapolated by a parabola, and as soon as the total is beyond the limits the
game is refused. Layers of games that fill up (Connect Four, Hex) are about parabolas; a game whose layers only grow is
refused.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

import numpy as np

from games.adapters.outside import printable
from games.base import Game, GameError
from games.progress import heard, report

_SHARE = 0.8  # of the memory that is free, what may be asked for
_FAR_BEYOND = 20.0  # so many times beyond a limit needs no second look

_MIN_LAYERS = 5  # layers from which an estimate is worth something


class TooLarge(GameError):
    """A game that would take more positions, memory or time to enumerate than allowed."""


def available_memory() -> int:
    """Bytes that this process can still take: free memory, within the container's limit and ``ulimit -v``."""
    found = [1 << 62]
    facts = _first_number("/proc/meminfo", "MemAvailable:")
    found += [kilobytes << 10 for kilobytes in facts]
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        most, now = _first_number(limit), _first_number(used)
        found += [max(0, most[0] - now[0])] if most and now else []
    try:
        import resource

        soft = resource.getrlimit(resource.RLIMIT_AS)[0]
        taken = _first_number("/proc/self/status", "VmSize:")
        if soft != resource.RLIM_INFINITY and taken:
            found.append(max(0, soft - (taken[0] << 10)))
    except ImportError:  # no such limits on this system
        pass
    return int(_SHARE * min(found))


def afford(needed: float, name: str, instead: str = "choose a smaller size") -> None:
    """Refuse what needs more memory than is available.

    Args:
        needed: bytes.
        name: the game's name.
        instead: what to do, for the message.

    Raises:
        GameError: where that is more than ``available_memory``.
    """
    available = available_memory()
    if needed > available:
        raise GameError(
            f"{printable(name)} needs about {size(needed)} of memory, {size(available)} is available; {instead}"
        )


def size(count: float) -> str:
    """Bytes in words.

    Args:
        count: bytes.
    """
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.0f} TB" if count < 1e6 else "millions of TB"


def _first_number(path: str, word: str = "") -> list[int]:
    """The number after a word at the start of a line of one of the system's files; an empty list without one."""
    try:
        with open(path, encoding="ascii") as file:
            lines = [line.removeprefix(word).split() for line in file if line.startswith(word)]
        return [int(line[0]) for line in lines[:1] if line]
    except (OSError, ValueError):
        return []


# --- enumeration -----------------------------------------------------------------------------------------------


@dataclass
class Meter:
    """Watches positions being listed, layer by layer: GameError (TooLarge) once they are or will be too many.

    A ``Meter(game)`` minds the memory alone.
    """

    game: Game
    seconds: float = float("inf")
    """Most seconds that listing may take, as estimated, of the processor's time, so that it doesn't depend on what else
    the machine does; it is ended for good after twice as many."""
    moves: float = float("inf")
    """Most positions times actions."""
    patience: float = 4.0
    """Seconds, of the processor's time too, after which it must be certain that the limits are kept."""
    expected: float | None = None
    """Positions in all, where an estimate is known; else it is made from the layers as they come."""
    progress: bool = False
    """Whether to tell standard error how far it is, where that is a terminal and nobody listens otherwise."""

    room: int = field(default_factory=available_memory)
    begun: float = field(default_factory=time.perf_counter)
    work: float = field(default_factory=time.process_time)
    sizes: list[int] = field(default_factory=list)
    """Positions of every layer so far, the one whose moves are being made last."""
    _made: int = 0  # moves, in all layers
    _due: int = 0  # moves of the last layer
    _new: float = 1.0  # positions per move of the layer before it
    _drawn: float = 0.0  # when progress was last shown

    def layer(self, positions: int, moves: int, width: int) -> None:
        """Count a complete layer.

        Args:
            positions: of the layer.
            moves: that will be made in it.
            width: words of a state.

        Raises:
            TooLarge: where the limits will not be kept.
        """
        self.sizes.append(positions)
        self._new, self._due = positions / max(1, self._due, positions), moves
        held = sum(self.sizes) * self._each(width) + moves * 8 * (3 * width + 8)
        if held > self.room:
            raise self._refusal()
        self.tick(0)

    def tick(self, moves: int) -> None:
        """Count moves that were made, or whose positions were looked at. To be called often.

        Args:
            moves: since the last call.

        Raises:
            TooLarge: where the limits will not be kept.
        """
        self._made += moves
        spent, total = self._spent(), self.total()
        excess = max(total * self.game.spec.actions / self.moves, self._duration(total) / self.seconds)
        early = self._worked() < self.patience
        telling = len(self.sizes) >= _MIN_LAYERS and self._worked() > self.patience / 10
        if (
            sum(self.sizes) * self.game.spec.actions > self.moves
            or (self.expected or 0.0) * self.game.spec.actions > _FAR_BEYOND * self.moves
            or self._worked() > 2 * self.seconds
            or (excess > (_FAR_BEYOND if early else 1.0) and (telling or not early))
        ):
            raise self._refusal()
        report(sum(self.sizes), total, "positions", step="list")
        if self.progress and not heard() and spent > 1.0 and spent - self._drawn > 0.5 and sys.stderr.isatty():
            self._drawn = spent
            line = f"listing positions of {self._name()}: {sum(self.sizes):,} of about {approximate(total)}"
            print(f"\r{line[:79]:79}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the line of progress: enumeration is complete."""
        if self._drawn:
            print(f"\r{'':79}\r", end="", file=sys.stderr, flush=True)
            self._drawn = 0.0

    def total(self) -> float:
        """Estimated positions of all layers; while there are few, with the next one, whose moves are known."""
        if self.expected is not None:
            return max(self.expected, float(sum(self.sizes)))
        known = [*self.sizes, int(self._due * self._new)] if len(self.sizes) < _MIN_LAYERS else self.sizes
        return min(1e300, sum(known) + extrapolate(known, self.game.spec.longest))

    def _spent(self) -> float:
        return time.perf_counter() - self.begun

    def _each(self, width: int) -> int:
        """Bytes that a position takes in the graph."""
        return 8 * width + 14 * self.game.spec.actions + 16

    def _duration(self, total: float) -> float:
        """Estimated seconds for so many positions: as long a move as up to now, as many moves as in the last layer."""
        moves = total * self._due / max(1, self.sizes[-1])
        return self._worked() * moves / max(1, self._made)

    def _worked(self) -> float:
        return time.process_time() - self.work

    def _name(self) -> str:
        return printable(getattr(self.game, "called", self.game.spec.name))

    def _refusal(self) -> TooLarge:
        self.close()
        total = self.total()
        rough = "an estimate of" if self.expected or len(self.sizes) > 1 else "at least"  # nothing to extrapolate from
        return TooLarge(
            f"{self._name()} is too large to enumerate: {rough} {approximate(total)} positions, "
            f"{size(total * self._each(self.game.spec.longest))} and {duration(self._duration(total))} "
            f"(from {sum(self.sizes):,} in {self._spent():.1f} s)"
        )


def approximate(count: float) -> str:
    """A large number in words, as exact as an estimate deserves.

    Args:
        count: the number.
    """
    if count < 1e6:
        return f"{count:,.0f}"
    for unit, most in (("million", 1e9), ("billion", 1e12), ("trillion", 1e15)):
        if count < most:
            return f"{count / (most / 1000):,.0f} {unit}"
    return f"1e{np.log10(count):.0f}" if count < 1e100 else "more than 1e100"


def extrapolate(sizes: list[int], longest: int) -> float:
    """Estimate the positions of the layers that follow.

    The logarithms of the sizes are continued as a parabola that fits the last of them; where they do not bend down, as
    a straight line.

    Args:
        sizes: positions of each layer so far.
        longest: most plies of a game.

    Returns:
        Their sum, at most 1e300.
    """
    if len(sizes) < 3 or not sizes[-1]:
        return float(sizes[-1]) if sizes else 1.0
    growth = np.diff(np.log(np.maximum(sizes[-8:], 1)))
    bend = float(np.polyfit(np.arange(len(growth)), growth, 1)[0])
    rate, level, total = float(growth[-2:].mean()) + bend / 2, float(np.log(sizes[-1])), 0.0
    bend = min(bend, 0.0)
    for _ in range(longest - len(sizes)):
        rate += bend
        level += rate
        if level < 0:
            break
        if level > 600:
            return 1e300
        total += float(np.exp(level))
    return total


def duration(seconds: float) -> str:
    """A length of time in words.

    Args:
        seconds: the length.
    """
    for unit, length in (("seconds", 60.0), ("minutes", 60.0), ("hours", 24.0), ("days", 365.0)):
        if seconds < length * 2:
            return f"{seconds:.0f} {unit}"
        seconds /= length
    return f"{seconds:,.0f} years" if seconds < 1e6 else "millions of years"
