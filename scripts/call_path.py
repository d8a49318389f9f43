"""The files that a training run goes through on its way to the first game: ``python scripts/call_path.py [GAME ...]``.

It takes the words of ``nashmail train`` (default: ``tictactoe``), runs that command in this process and stops where
``mail.data.rollout.play`` is entered for the first time. Of the files under ``games``, ``agents`` and ``mail`` it names

- the *call path*: those with a function on the call stack at that moment, in order;
- those *entered in training*: any function of theirs was called since ``mail.training.train.train`` was;
- those *entered* at all: any function of theirs was called since ``mail.commands.cli.main`` was.

Functions that are called while a module is imported (decorators, registration) are not counted.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).parents[1]
PACKAGES = ("games", "agents", "mail")
TRAIN, PLAY = ("mail/training/train.py", "train"), ("mail/data/rollout.py", "play")


class Reached(BaseException):
    """The first game begins. The command does not catch this as one of its errors."""


@dataclass
class Seen:
    """The files that were seen, each once, in the order of their first call."""

    path: dict[str, None] = field(default_factory=dict)
    training: dict[str, None] = field(default_factory=dict)
    entered: dict[str, None] = field(default_factory=dict)
    in_training: bool = False

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """A profile function (``sys.setprofile``). Raises Reached where the first game begins."""
        if event != "call" or (file := own(frame)) is None or importing(frame):
            return
        function = (file, frame.f_code.co_name)
        self.in_training |= function == TRAIN
        self.entered[file] = None
        if self.in_training:
            self.training[file] = None
        if function == PLAY:
            sys.setprofile(None)
            files = [own(caller) for caller in stack(frame)]
            self.path = dict.fromkeys(file for file in reversed(files) if file is not None)
            raise Reached


def own(frame: FrameType) -> str | None:
    """The file of a frame, as a path in the repository; None for files of other packages."""
    place = Path(frame.f_code.co_filename)
    if not place.is_relative_to(ROOT) or place.relative_to(ROOT).parts[0] not in PACKAGES:
        return None
    return place.relative_to(ROOT).as_posix()


def stack(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and its callers, innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def importing(frame: FrameType) -> bool:
    """Whether a module of ours is being imported, and this called by it."""
    return any(caller.f_code.co_name == "<module>" and own(caller) is not None for caller in stack(frame))


def trace(words: Sequence[str]) -> Seen:
    """What ``nashmail train`` with these words goes through; RuntimeError where it plays no game."""
    sys.path.insert(0, str(ROOT))
    from mail.commands.cli import main as nashmail

    seen = Seen()
    with tempfile.TemporaryDirectory() as folder:
        sys.setprofile(seen)
        try:
            nashmail(["train", *words, "--out", str(Path(folder) / "run")])
        except Reached:
            return seen
        finally:
            sys.setprofile(None)
    raise RuntimeError(f"nashmail train {' '.join(words)} ended before its first game")


def main(argv: Sequence[str] | None = None) -> int:
    """Trace one command and print its files; the exit status."""
    seen = trace(list(sys.argv[1:] if argv is None else argv) or ["tictactoe"])
    parts = {"call path": seen.path, "entered in training": seen.training, "entered": seen.entered}
    for name, files in parts.items():
        print(f"{name}: {len(files)} files", *files, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
