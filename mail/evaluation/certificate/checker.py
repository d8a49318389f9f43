"""Proves a policy of a board on which discs fall, or shows the line that beats it; needs Python 3.9 and numpy alone.

    python check.py [FOLDER]       # the folder of the proof, by default that of this file

All replies to the greedy moves are tried, by rules of this file's own, and so are moves with log-probabilities within
SLACK of the best. With tactics it wins at once where it can, else blocks. Mirror images with equal answers count once.
A position is the mover's stones and all stones, its number their sum; a cell is bit ``column * (rows + 1) + height``.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np

SLACK, CHUNK, U = 1e-5, 1 << 15, np.uint64
Array = np.ndarray


class _Board:
    """The rules: ``k`` stones in a line win."""

    def __init__(self, rows: int, columns: int, k: int) -> None:
        self.rows, self.columns, self.high = rows, columns, rows + 1
        self.lines = [[U(far * step) for far in range(k)] for step in (1, rows, rows + 1, rows + 2)]
        self.column = np.array([((1 << rows) - 1) << column * self.high for column in range(columns)], U)
        self.bottom = np.array([1 << column * self.high for column in range(columns)], U)

    def wins(self, stones: Array) -> Array:
        """Whether ``k`` of these stones stand in a line."""
        return np.asarray(np.any([np.bitwise_and.reduce([stones >> far for far in line]) for line in self.lines], 0))

    def discs(self, stones: Array) -> Array:
        """[N, columns] the disc that each move adds; 0 where it is illegal."""
        return np.asarray(stones[:, None] + self.bottom & self.column)

    def flipped(self, words: Array) -> Array:
        """[N] bitboards, or numbers of positions, with the columns in reverse order."""
        every, places = U((1 << self.high) - 1), [U(at * self.high) for at in range(self.columns)]
        return sum(((words >> at & every) << to for at, to in zip(places, places[::-1])), words * U(0))  # noqa: B905

    def digits(self, own: Array, stones: Array) -> list[Array]:
        """[cells] of [N], from the top left: 0 empty, 1 empty and playable, 2 the mover's, 3 the opponent's."""
        bits = [bottom << U(height) for height in reversed(range(self.rows)) for bottom in self.bottom]
        tops = stones + np.sum(self.bottom)
        return [np.where(stones & bit == 0, tops & bit != 0, 3 - (own & bit != 0)) for bit in bits]


class _Policy:
    """A softmax over sums of weights, one for each pattern that a group of cells shows."""

    def __init__(self, data: bytes, board: _Board, tactics: bool) -> None:
        self.board, self.tactics, start = board, tactics, 8 + int.from_bytes(data[:8], "little")
        kinds, arrays = {"F32": "<f4", "I64": "<i8", "U64": "<u8"}, {}
        for name, entry in json.loads(data[8:start]).items():
            part = data[start:][slice(*entry["data_offsets"])]
            arrays[name] = np.frombuffer(part, kinds[entry["dtype"]]).reshape(entry["shape"])
        self.places, self.actions, self.turn = arrays["places"], arrays["actions"], np.arange(board.columns)
        self.exceptions, self.answers = arrays.get("exceptions", ~self.turn[:1]), arrays.get("answers", self.turn)
        image = [self.places[0], self.places[0] - 2 * (self.places[0] % board.columns) + board.columns - 1]
        self.tied = np.array_equal(self.places, image) and np.array_equal(self.actions, [self.turn, self.turn[::-1]])
        tuples = np.repeat(np.arange(len(image[0])), arrays["counts"])
        self.rows = np.full((len(image[0]), 4 ** self.places.shape[2]), len(tuples))  # of each pattern; the last is 0
        self.rows[tuples, arrays["codes"].astype(int)] = np.arange(len(tuples))
        self.weights = np.pad(arrays["weights"], ((0, 1), (0, 0)))

    def logits(self, own: Array, stones: Array) -> Array:
        """[N, columns] in double precision."""
        digits, out = self.board.digits(own, stones), np.zeros((len(own), self.board.columns))
        for tuples, columns in zip(self.places, self.actions):  # noqa: B905
            image = np.zeros(out.shape)
            for cells, rows in zip(tuples, self.rows):  # noqa: B905
                image += self.weights[rows[sum(digits[cell] << 2 * at for at, cell in enumerate(cells))]]
            out += image[:, columns]
        return out

    def excepted(self, numbers: Array, discs: Array) -> Array:
        """[N, columns] the moves at positions that have one of their own, whatever their patterns say."""
        least = np.minimum(numbers, self.board.flipped(numbers))
        at = np.searchsorted(self.exceptions, least) % len(self.exceptions)
        answer = np.where(least < numbers, len(self.turn) - 1 - self.answers[at], self.answers[at])
        return np.asarray((self.turn == answer[:, None]) & (self.exceptions[at] == least)[:, None] & (discs != 0))

    def tried(self, own: Array, stones: Array) -> Array:
        """[N, columns] its moves."""
        discs, chunks = self.board.discs(stones), [slice(at, at + CHUNK) for at in range(0, len(own), CHUNK)]
        logits = np.where(discs, np.concatenate([self.logits(own[part], stones[part]) for part in chunks]), -np.inf)
        moves = np.asarray(logits >= logits.max(1, keepdims=True) - SLACK)
        sides = (own ^ stones, own) if self.tactics else ()  # moves that block, then those that win
        for best in [self.excepted(own + stones, discs), *(self.board.wins(side[:, None] | discs) for side in sides)]:
            moves = np.where(best.any(1, keepdims=True), best, moves)
        return moves


def _walk(board: _Board, policy: _Policy, seat: int, value: float) -> tuple[list[Array], list[int]]:
    """The positions of the seat that an opponent can force, by ply, and a line that ends below ``value``, if any."""
    own, stones, layers, origins = np.zeros(1, U), np.zeros(1, U), list[Array](), list[tuple[Array, Array, Array]]()
    for ply in range(board.rows * board.columns):
        mine, numbers, discs = ply % 2 == seat and len(own) > 0, own + stones, board.discs(stones)
        layers += [np.unique(np.minimum(numbers, board.flipped(numbers)))] if mine else []
        rows, how = np.nonzero(policy.tried(own, stones) if mine else discs)
        played = own[rows] | discs[rows, how]
        after = stones[rows] | played
        won, full = board.wins(played), after == board.column.sum()
        short = (won | full) & (np.where(won, 1 if mine else -1, 0) < value)
        if short.any():
            row, line = int(rows[short.argmax()]), [int(how[short.argmax()])]
            for before, column, turned in reversed(origins):
                line = [board.columns - 1 - move for move in line] if turned[row] else line
                row, line = int(before[row]), [int(column[row]), *line]
            return layers, line
        own, stones = after ^ played, after
        turned = policy.tied & (board.flipped(own + stones) < own + stones)
        own, stones = np.where(turned, board.flipped(own), own), np.where(turned, board.flipped(stones), stones)
        going = ~won & ~full
        going &= ~(board.wins(own[:, None] | board.discs(stones)).any(1) & (policy.tactics and not mine))
        kept = np.flatnonzero(going)[np.unique((own + stones)[going], return_index=True)[1]]
        own, stones = own[kept], stones[kept]
        origins.append((rows[kept], how[kept], turned[kept]))
    return layers, []


def _check(folder: Path, seat: int) -> tuple[bool, str]:
    """Whether a seat is proven, and a line of words on it."""
    told, begun = json.loads((folder / f"certificate{seat}.json").read_text()), time.time()
    data, value = (folder / f"seat{seat}.safetensors").read_bytes(), told["value"]
    board = _Board(told["rows"], told["columns"], told["in_a_row"])
    known = hashlib.sha256(data).hexdigest() == told["policy"] and told["format"] == 1
    policy = _Policy(data, board, told.get("tactics", False)) if known else None
    if policy is None or len(policy.actions[0]) != board.columns or policy.places.max() // board.columns >= board.rows:
        return False, "the certificate is for another policy, or for another board or version"
    layers, line = _walk(board, policy, seat, value)
    if line:
        return False, f"refuted, it gets less than {value:g} in columns {' '.join(str(move + 1) for move in line)}"
    digest = hashlib.sha256(b"".join(layer.astype("<u8").tobytes() for layer in layers)).hexdigest()
    if [len(layer) for layer in layers] != told["positions"] or digest != told["digest"]:
        return False, "nothing beats it, but its positions are not those of the certificate"
    done = f"{value:g} ({sum(told['positions']):,} positions, {time.time() - begun:.0f} s)"
    return True, f"proven, no opponent leaves it less than {done}"


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    results = [(seat, *_check(where, seat)) for seat in (0, 1) if (where / f"certificate{seat}.json").exists()]
    print(*(f"seat {seat}: {words}" for seat, _, words in results), sep="\n")
    sys.exit(0 if results and all(proven for _, proven, _ in results) else 1)
