"""Rounds of decisions on disk: npz files with their identity and a check sum.

Both are in the comment at the end of the archive (the *seal*), so they are written together with the data. The identity
names the run, learner, seat, round and shard; the check sum covers every byte before it. So a round that was edited,
moved or copied from another run is detected. Folders of the first format have no seals; there, the rows are checked
against the rules of the game.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np

from agents.storage.atomic import write_atomic
from agents.storage.reading import Unreadable, parse_arrays, printable, read_bytes
from games.base import Game, NashmailError
from mail.data.decisions import Decisions
from mail.training.config import RunError, remedy

_TITLE = b"nashmail "  # before the identity and the check sum
_DIGITS = 64
_AGAIN = "delete it and resume, its games are played again"


def write_decisions(path: Path, decisions: Decisions, identity: str) -> None:
    """Write a round (or one shard) and its seal.

    Args:
        path: The file.
        decisions: The round.
        identity: Of its run, and its place in it.
    """
    buffer = BytesIO()
    np.savez(buffer, **decisions.arrays())  # type: ignore[arg-type]
    with ZipFile(buffer, "a") as archive:
        archive.comment = _TITLE + identity.encode() + b" " + b"0" * _DIGITS
    body = buffer.getvalue()[:-_DIGITS]
    write_atomic(path, body + _check(body))


def _check(body: bytes) -> bytes:
    """The check sum of all bytes before it."""
    return hashlib.sha256(body).hexdigest().encode()


def read_decisions(path: Path, identity: str | None = None, *, game: Game | None = None) -> Decisions:
    """Read a round.

    Args:
        path: The npz file.
        identity: The identity it must have; None for any.
        game: Allows a file without a seal, from older versions, whose rows must then fit the rules of this game.

    Raises:
        RunError: The file is damaged, or is another round; the message says what to do.
    """
    try:
        data = read_bytes(path)
    except Unreadable as error:
        raise RunError(f"{error}; {remedy(error, _AGAIN)}") from error
    where = printable(path)
    try:
        decisions = Decisions(**parse_arrays(data, path))
        with ZipFile(BytesIO(data)) as archive:
            seal = archive.comment
    except (ValueError, TypeError, IndexError, AttributeError, BadZipFile) as error:
        raise RunError(f"{where} is damaged; {_AGAIN}") from error
    if seal:
        if not seal.startswith(_TITLE) or data[-_DIGITS:] != _check(data[:-_DIGITS]):
            raise RunError(f"{where} is damaged or was edited (check sum differs); {_AGAIN}")
        if identity is not None and identity.encode() != seal[len(_TITLE) : -_DIGITS - 1]:
            raise RunError(f"{where} is another round, or another run's; {_AGAIN}")
    elif game is not None:
        if wrong := misfit(decisions, game):
            raise RunError(f"{where} does not fit {game.spec.name} ({wrong}); {_AGAIN}")
    elif identity is not None:
        raise RunError(f"{where} has no check sum; {_AGAIN}")
    return decisions


_KINDS = {
    "seat": np.int64,
    "episode": np.int64,
    "key": np.uint64,
    "observation": np.float32,
    "legal": np.bool_,
    "played": np.int64,
    "label": np.float32,
    "reward": np.float64,
    "next": np.int64,
    "ended": np.bool_,
}


def misfit(decisions: Decisions, game: Game) -> str | None:
    """The name of the first column that cannot come from a game.

    Args:
        decisions: What a file holds.
        game: The game.

    Returns:
        The name; None if all columns can.
    """
    for one in fields(decisions):
        array = getattr(decisions, one.name)
        if one.name != "state" and array.dtype != _KINDS[one.name]:
            return one.name
    seat, episode, following = decisions.seat, decisions.episode, decisions.next
    shapes = {"seat": (), "episode": (), "played": (), "reward": (), "next": (), "ended": (), "key": (2,)}
    for name, shape in {**shapes, "observation": game.spec.observation, "legal": (game.spec.actions,)}.items():
        if getattr(decisions, name).shape[1:] != tuple(shape):
            return name
    if not ((seat == 0) | (seat == 1)).all():
        return "seat"
    if (episode < 0).any() or (episode > len(decisions)).any():
        return "episode"
    if not np.isfinite(decisions.reward).all():
        return "reward"
    if ((following >= 0) & (following <= np.arange(len(decisions)))).any():
        return "next"
    if not _labels_fit(decisions):
        return "label"
    return _rules(decisions, game)


def _labels_fit(decisions: Decisions) -> bool:
    """Whether every label is a distribution over legal actions, or all NaN."""
    label, legal = decisions.label, decisions.legal
    queried = ~np.isnan(label).all(1)
    rows = label[queried].astype(np.float64)
    if not np.isfinite(rows).all() or (rows < 0).any() or rows[~legal[queried]].any():
        return False
    return bool((np.abs(rows.sum(1) - 1.0) < 1e-4).all())


def _rules(decisions: Decisions, game: Game) -> str | None:
    """The first column that contradicts the rules of the game."""
    start = game.start(1, rng=np.random.default_rng(0))
    states = decisions.state
    if states.shape[1:] != start.shape[1:] or states.dtype != start.dtype:
        return "state"
    for seat in (0, 1):
        mine = decisions.seat == seat
        try:
            expected = {
                "legal": game.legal(states[mine], seat),
                "key": game.key(states[mine], seat),
                "observation": game.observe(states[mine], seat),
            }
        except (NashmailError, ArithmeticError, LookupError, TypeError, ValueError, RuntimeError):
            return "state"  # a position that cannot occur
        for name, array in expected.items():
            if not np.array_equal(getattr(decisions, name)[mine], array):
                return name
    return None
