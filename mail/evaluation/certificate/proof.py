"""Proofs that travel: a policy, a certificate of the walk that proves it, and a checker that needs numpy alone.

A certificate states, for one seat, the hash of the policy's file, the value that no opponent can take from it, how many
positions of each of its plies an opponent can force, and a digest of those positions. ``checker`` is copied beside it;
it makes the walk once more with rules of its own, and compares. Of a position and its mirror image one counts, the
smaller by P. Pons's number ("Solving Connect Four", 2015): the mover's stones plus all stones, as bitboards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from agents.export.plan import Plan, plan
from agents.export.write import packed
from agents.policy import Policy, PolicyError, Seats
from agents.storage.atomic import write_atomic
from agents.storage.policies import to_json
from agents.tactics import Tactics
from games.base import Enumerable, GameError, Keys, States
from games.boards import Board
from games.symmetry import board_behind
from mail.data.drops import Seat, canonical, numbers, proves, walkable, wins_at_once
from mail.evaluation.certificate.walk import certify, default_limit
from mail.parallel.pool import Pool

FORMAT = 1
CHECKER = "check.py"


class Trace:
    """The positions of one seat that a walk has visited, as a certificate states them.

    Args:
        board: The game.
        seat: The seat.
        tactics: Whether it wins at once where it can; such positions are left out.
    """

    def __init__(self, board: Board, seat: int, *, tactics: bool = False) -> None:
        self.board, self.seat, self.tactics = board, seat, tactics
        self.counts: list[int] = []
        self._hash = hashlib.sha256()

    def __call__(self, states: States) -> None:
        """Add the positions of a ply.

        Args:
            states: [n, 2].
        """
        if self.tactics:
            states = states[~wins_at_once(self.board, states, self.seat)]
        if len(states):
            self.add(numbers(canonical(self.board, states)))

    def add(self, codes: Keys) -> None:
        """Add the positions of a ply by their numbers.

        Args:
            codes: uint64 [n] the smaller number of each position and its mirror image, ascending.
        """
        self.counts.append(len(codes))
        self._hash.update(codes.astype("<u8").tobytes())

    @property
    def digest(self) -> str:
        """Of all positions so far, ply by ply."""
        return self._hash.hexdigest()


def provable(game: Enumerable, policies: Seats) -> tuple[Board, tuple[Plan, Plan]]:
    """What a proof is about.

    Args:
        game: The game.
        policies: Both seats' policies.

    Returns:
        The board, and the plans of both policies' files.

    Raises:
        GameError: Discs do not fall in this game.
        PolicyError: A policy is not made of n-tuples.
    """
    board = board_behind(game)
    if board is None or not board.gravity:
        raise GameError(f"proofs are written for boards on which discs fall, and {game.spec.name} is none")
    plans = plan(_bare(policies[0]), game, 0), plan(_bare(policies[1]), game, 1)
    if any(one.kind != "ntuple" or one.symmetry is not None for one in plans):
        raise PolicyError("proofs are written for n-tuple policies; train with --cloner ntuple, without --symmetry")
    return board, plans


def write_proofs(
    folder: Path,
    game: Enumerable,
    policies: Seats,
    values: Mapping[int, float],
    *,
    limit: int | None = None,
    pool: Pool,
) -> list[Path]:
    """Walk over all that an opponent can force, and write what others need to do it again.

    Args:
        folder: Where the files go; made if necessary.
        game: The game.
        policies: Both seats' policies.
        values: For each seat that is to be proven, what its policy gets against every opponent at least.
        limit: Most positions at which a policy is queried, by default ``default_limit``.
        pool: Expands the layers of the walks.

    Returns:
        The files written.

    Raises:
        GameError: Discs do not fall in this game.
        PolicyError: A policy is not made of n-tuples, or is not proven; nothing is written.
    """
    board, plans = provable(game, policies)
    files = {CHECKER: resources.files("mail.evaluation.certificate").joinpath("checker.py").read_bytes()}
    for seat, value in values.items():
        trace = Trace(board, seat, tactics=isinstance(policies[seat], Tactics))
        most = limit or default_limit(board, policies[seat])
        if not _proven(board, policies[seat], value, trace, most, pool):
            raise PolicyError(f"the policy of seat {seat} is not proven within {most:,} positions; raise --limit")
        numbers = packed(plans[seat])[1]
        files[f"seat{seat}.safetensors"] = numbers
        files[f"certificate{seat}.json"] = to_json(_certificate(board, trace, value, numbers))
    for name, data in sorted(files.items(), key=lambda one: -len(one[1])):  # a full disk refuses the first of them
        write_atomic(folder / name, data)
    return [folder / name for name in files]


def _proven(board: Board, policy: Policy, value: float, trace: Trace, limit: int, pool: Pool) -> bool:
    """Whether a walk proves a policy; the trace gets its positions."""
    if walkable(board, policy):
        return proves(Seat(board, policy, trace.seat, value), limit=limit, pool=pool, visit=trace.add) is True
    found = certify(board, policy, trace.seat, game_value=value, limit=limit, pool=pool, visit=trace)
    return found.refuted is False


def _bare(policy: Policy) -> Policy:
    """A policy without its tactics."""
    return policy.policy if isinstance(policy, Tactics) else policy


def _certificate(board: Board, trace: Trace, value: float, numbers: bytes) -> dict[str, Any]:
    """What a certificate says."""
    return {
        "format": FORMAT,
        "game": board.spec.name,
        "rows": board.rows,
        "columns": board.columns,
        "in_a_row": board.k,
        "seat": trace.seat,
        "value": value + 0.0,
        "tactics": trace.tactics,
        "policy": hashlib.sha256(numbers).hexdigest(),
        "positions": trace.counts,
        "digest": trace.digest,
    }
