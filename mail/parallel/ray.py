"""The pool of many processes and machines: shards as Ray tasks (arXiv:1712.05889).

What the shards share goes into the object store once. A bounded number of shards is in flight. A shard whose worker or
node dies runs again (tasks retry, and they are pure). There are no actors: what a worker must keep, like a solver with
its opening book, is a lazy global of its process, which a new worker creates again.

Ray takes about two seconds to start, so it starts only after that much work has been done in this process. Short work
never waits for it, long work loses a few seconds, and results are the same bits either way. Ray runs in a separate
process (``mail.parallel.ray_link``), so that its failures do not end a run.
"""

from __future__ import annotations

import re
import socket
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import cloudpickle

from games import progress
from mail.parallel.pool import BY_VALUE, START_UP, All, Local, OnResult, Out, Part, PoolError, Task, failed
from mail.parallel.ray_link import Link, open_link
from mail.parallel.solver_labels import received, run_with_scores

_REACH = 10.0  # seconds within which a cluster must answer
_TELL = 0.5  # seconds between two reports while shards are in flight
_AHEAD = 2  # shards in flight per worker: one running, one waiting
_PING, _PAYLOAD = 6, b"nashmail"  # an HTTP/2 ping frame; the answer has the same type and payload
_HELLO = (  # HTTP/2 with default settings, and a ping
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
    + bytes([0, 0, len(_PAYLOAD), _PING, 0, 0, 0, 0, 0])
    + _PAYLOAD
)
_MOST = 1 << 16  # bytes within which a ping must be answered
_LONGEST = 80  # characters of an address in messages


class RayPool:
    """``workers`` processes on this machine or in the cluster at ``address``."""

    def __init__(
        self,
        workers: int | None,
        *,
        address: str | None = None,
        patience: float = START_UP,
        memory: int = 1 << 30,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Check the arguments; Ray starts later, when it is needed.

        Args:
            workers: Number of processes. None: one here, every processor of a cluster.
            address: HOST:PORT of a cluster; None for this machine.
            patience: Seconds of work in this process before Ray starts.
            memory: Bytes of Ray's object store on this machine.
            say: Receives one line when Ray starts, for the user.

        Raises:
            PoolError: Fewer than one worker, or no Ray head listens at ``address``.
        """
        if workers is not None and workers < 1:
            raise PoolError(f"--workers must be at least 1, not {workers}")
        if address is not None:
            _reach(address)
        self.address, self.memory, self.say = address, memory, say
        self._workers = 1 if workers is None and address is None else workers
        self._left = patience
        self._link: Link | None = None
        self._kept: tuple[Any, Any] | None = None  # the task and shared argument that the workers have
        self._shares = 0  # the number of the last shared argument
        self._early: list[tuple[Any, ...]] = []  # results received while waiting for another message

    @property
    def workers(self) -> int:
        """The number of processes that work at the same time; for a whole cluster, its current number of processors."""
        if self._workers is not None:
            return self._workers
        if self._link is None:
            return 1
        self._link.send(("processors",))
        while (message := self._link.receive())[0] != "processors":
            self._early.append(message)
        return int(message[1])

    def map(
        self, task: Task[All, Part, Out], shared: All, shards: Sequence[Part], *, on_result: OnResult[Out] | None = None
    ) -> list[Out]:
        """See ``Pool.map``."""
        results: dict[int, Out] = {}

        def keep(index: int, result: Out) -> None:
            results[index] = result
            if on_result is not None:
                on_result(index, result)

        begun = 0
        while begun < len(shards) and self._stays_here(len(shards) - begun):
            clock = time.perf_counter()
            try:
                result = Local().map(task, shared, shards[begun : begun + 1])[0]
            except PoolError as error:
                cause = error.__cause__ or error
                raise failed(begun, len(shards), type(cause).__name__, str(cause)) from error.__cause__
            self._left -= time.perf_counter() - clock
            keep(begun, result)
            begun += 1
        if begun < len(shards):
            self._scatter(task, shared, list(enumerate(shards))[begun:], len(shards), keep)
        return [results[index] for index in range(len(shards))]

    def _stays_here(self, shards: int) -> bool:
        """Whether the next shard runs in this process: it is the only one left, or Ray is not yet worth starting."""
        return shards == 1 or (self._left > 0 and self._link is None)

    def _scatter(
        self,
        task: Task[All, Part, Out],
        shared: All,
        todo: list[tuple[int, Part]],
        total: int,
        keep: OnResult[Out],
    ) -> None:
        """Keep ``_AHEAD`` shards per worker in flight until all have completed."""
        link = self._started()
        flying, completed, waiting = 0, total - len(todo), iter(todo)
        try:
            self._share(link, task, shared)
            most = _AHEAD * self.workers
            while True:
                while flying < most and (entry := next(waiting, None)) is not None:
                    link.send(("shard", entry[0], _packed(entry[1])))
                    flying += 1
                if not flying:
                    return
                while not self._early and not link.arrives(_TELL):
                    progress.report(completed, total, "shards", step="workers")
                index, outcome = self._completed(link)
                flying, completed = flying - 1, completed + 1
                keep(index, received(_result(outcome, index, total)))
        except BaseException:
            # Possibly in the middle of a message. Shards in flight are not cancelled one by one: Ray's core aborts when
            # a task ends while it is cancelled. They end with their Ray, and the next map starts another.
            self.close()
            raise

    def _share(self, link: Link, task: object, shared: object) -> None:
        """Send the task and the shared argument, unless the workers have them."""
        if self._kept is None or self._kept[0] is not task or self._kept[1] is not shared:
            self._shares += 1
            link.send(("share", self._shares, _packed((run_with_scores, (task, shared)))))
            self._kept = task, shared

    def _completed(self, link: Link) -> tuple[int, tuple[Any, ...]]:
        """The index and outcome of the next shard that completes."""
        _, index, outcome = self._early.pop(0) if self._early else link.receive()
        return index, outcome

    def _started(self) -> Link:
        """The link to Ray, which is started or joined at the first call."""
        if self._link is None:
            where = (
                f"joining the Ray cluster at {self.address}" if self.address else f"starting {self._workers} workers"
            )
            self.say(where)
            self._link = open_link(self._workers, self.address, self.memory)
        return self._link

    def close(self) -> None:
        """Stop the workers on this machine, or leave the cluster."""
        if self._link is not None:
            self._link.close()
        self._link = self._kept = None
        self._early.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._link is None and self._workers != 1:
            self.say("the work was too short to be worth starting workers")
        self.close()


def _packed(thing: object) -> bytes:
    """The pickled object. PoolError if it holds something that cannot leave this process."""
    for module in BY_VALUE:
        cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(thing))
    except Exception as error:
        raise PoolError(f"this cannot be sent to workers, so use one: {' '.join(str(error).split())}") from error


def _result(outcome: tuple[Any, ...], index: int, total: int) -> Any:
    """The result of a completed shard. PoolError if its task raised an error or its workers kept dying."""
    kind, *content = outcome
    if kind == "result":
        return cloudpickle.loads(content[0])
    if kind == "refused":
        raise cloudpickle.loads(content[0])
    name, message, trace = content
    raise failed(index, total, name, message) from RuntimeError(trace)


def _reach(address: str) -> None:
    """Raise PoolError unless a server that speaks gRPC, as Ray heads do, listens at HOST:PORT."""
    host, _, port = address.rpartition(":")
    where = ascii(address if len(address) <= _LONGEST else f"{address[:_LONGEST]}...")
    if not host or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise PoolError(f"a Ray address is HOST:PORT, not {where}")
    where = where[1:-1]
    try:
        with socket.create_connection((host, int(port)), timeout=_REACH) as connection:
            speaks = _speaks(connection)
    except (OSError, ValueError) as error:  # ValueError: an invalid host name
        reason = "no such name" if isinstance(error, ValueError) else error.strerror or "timed out"
        raise PoolError(f"cannot connect to {where} ({reason}); start a head there with `ray start --head`") from error
    if not speaks:
        raise PoolError(f"the server at {where} is not a Ray head; start one with `ray start --head`")


def _speaks(connection: socket.socket) -> bool:
    """Whether the other side answers like a gRPC server. Ray itself would wait for minutes."""
    deadline = time.monotonic() + _REACH
    answer = b""
    try:
        connection.sendall(_HELLO)
        while not _answers(answer) and len(answer) < _MOST:
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            if not (more := connection.recv(1024)):
                return False
            answer += more
    except OSError:
        return False
    return _answers(answer)


def _answers(answer: bytes) -> bool:
    """Whether these frames answer the ping. A frame: 3 bytes of length, type, flags, 4 bytes of stream, payload."""
    while len(answer) >= 9 + (length := int.from_bytes(answer[:3])):
        if answer[3] == _PING and answer[4] & 1 and answer[9 : 9 + length] == _PAYLOAD:
            return True
        answer = answer[9 + length :]
    return False


def report(line: str) -> None:
    """Print a line on standard error.

    Args:
        line: The line.
    """
    print(line, file=sys.stderr, flush=True)
