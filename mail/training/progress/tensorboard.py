"""The metrics of a run for TensorBoard: scalars in ``RUN/tensorboard``, from the events that everyone gets.

Rounds are drawn by games, measures by labels. Needs the extra ``nashmail[tensorboard]``; nothing else imports it.
"""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from games.base import NashmailError
from mail.training.progress.events import Event, Logged, Measured, PointMeasured, Stream

FOLDER = "tensorboard"
"""In the run's folder."""
MEASURES = ("nash_gap", "greedy_nash_gap")
"""The measures of a learner that are drawn."""


def check() -> None:
    """Refuse before anything is written, without the package.

    Raises:
        NashmailError: TensorBoard is not installed.
    """
    if find_spec("tensorboard") is None:
        raise NashmailError("TensorBoard is not installed; pip install nashmail[tensorboard]")


class TensorBoard(AbstractContextManager["TensorBoard"]):
    """A sink that writes scalars while it is entered."""

    def __init__(self, folder: Path, stream: Stream) -> None:
        """Write nothing yet.

        Args:
            folder: The run's. What an earlier part of the run wrote there is replaced, because a resumed run logs all
                of its rounds again.
            stream: Whose events are written.

        Raises:
            NashmailError: TensorBoard is not installed.
        """
        check()
        self.folder, self.stream = folder / FOLDER, stream
        self._writer: Any = None

    def __enter__(self) -> Self:
        from torch.utils.tensorboard import SummaryWriter

        if self.folder.is_dir() and not self.folder.is_symlink():
            shutil.rmtree(self.folder)
        self._writer = SummaryWriter(str(self.folder))
        self.stream.sinks.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.sinks.remove(self)
        self._writer.close()

    def __call__(self, event: Event) -> None:
        """Write the numbers of an event.

        Args:
            event: The event.
        """
        match event.fact:
            case Logged(learner, seat, values):
                games = int(values.get("games", 0))
                for name, value in values.items():
                    self._scalar(f"{learner}/seat {seat}/{name}", value, games)
            case Measured(learner, values):
                for name in MEASURES:
                    if values.get(name) is not None:
                        self._scalar(f"{learner}/{name}", values[name], int(values.get("labels", 0)))
            case PointMeasured(learner, seat, labels, exploitability):
                self._scalar(f"{learner}/seat {seat}/exploitability", exploitability, labels)

    def _scalar(self, name: str, value: float, step: int) -> None:
        if isfinite(value):
            self._writer.add_scalar(name.replace(" ", "_"), value, step)
