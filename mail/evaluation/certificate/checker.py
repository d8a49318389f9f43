"""Proves a policy of a board on which discs fall, or shows the line that beats it; needs Python 3.9 and numpy alone.

    python check.py [FOLDER]       # the folder of the proof, by default that of this file

The policy's greedy moves are fixed, and every reply of its opponent is tried, ply by ply, by rules of this file's own.
Moves with log-probabilities within SLACK of the best are tried, too, so that rounding cannot matter. Then the positions
are compared with the certificate's. A position is two words, the stones of the seat to move and all stones; the cell in
a column at a height from 0 is bit ``column * (rows + 1) + height``, so each column's highest bit stays 0.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np

SLACK, CHUNK = 1e-5, 1 << 15
Array = np.ndarray
U = np.uint64


class _Board:
    """The rules: ``k`` stones in a line win."""

    def __init__(self, rows: int, columns: int, k: int) -> None:
        self.rows, self.columns, self.k, self.high = rows, columns, k, rows + 1
        self.bottom = [U(1 << column * self.high) for column in range(columns)]
        self.top = [U(1 << column * self.high + rows - 1) for column in range(columns)]
        self.full = U(sum(((1 << rows) - 1) << column * self.high for column in range(columns)))

    def wins(self, stones: Array) -> Array:
        """[N] whether ``k`` of these stones stand in a line."""
        steps = (1, self.high, self.high - 1, self.high + 1)
        lines = [np.bitwise_and.reduce([stones >> U(far * step) for far in range(self.k)]) for step in steps]
        return np.asarray(np.any(lines, axis=0))

    def codes(self, own: Array, stones: Array) -> Array:
        """Distinct positions up to mirror, ascending: n stones in a column add 2**n - 1 and the mover's of them."""
        column, words = U((1 << self.high) - 1), own + stones
        places = [U(at * self.high) for at in range(self.columns)]
        moved = [(words >> at & column) << to for at, to in zip(places, reversed(places))]  # noqa: B905
        return np.unique(np.minimum(words, np.bitwise_or.reduce(moved)))

    def digits(self, own: Array, stones: Array) -> Array:
        """[N, cells] from the top left: 0 empty, 1 empty and playable, 2 the mover's, 3 the opponent's."""
        cells = []
        for height in reversed(range(self.rows)):
            for bottom in self.bottom:
                bit = bottom << U(height)
                playable = (height == 0) | (stones & bit >> U(1) != 0)
                cells.append(np.where(stones & bit == 0, playable, np.where(own & bit == 0, 3, 2)))
        return np.stack(cells, axis=1).astype(U)


class _Policy:
    """A softmax over sums of weights, one for each pattern that a group of cells shows."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        start = 8 + int.from_bytes(self.data[:8], "little")
        kinds = {"F32": "<f4", "I64": "<i8", "U64": "<u8"}
        self.arrays: dict[str, Array] = {}
        for name, entry in json.loads(self.data[8:start]).items():
            part = self.data[start:][slice(*entry["data_offsets"])]
            self.arrays[name] = np.frombuffer(part, kinds[entry["dtype"]]).reshape(entry["shape"])

    def logits(self, digits: Array) -> Array:
        """[N, columns] in double precision, of positions' cells."""
        names = ("places", "actions", "counts", "codes", "weights")
        places, actions, counts, codes, weights = (self.arrays[name] for name in names)
        out, ends = np.zeros((len(digits), weights.shape[1])), np.cumsum(counts)
        for tuples, columns in zip(places, actions):  # noqa: B905
            image = np.zeros(out.shape)
            for cells, begin, end in zip(tuples, ends - counts, ends):  # noqa: B905
                if begin < end:
                    code = np.bitwise_or.reduce(digits[:, cells] << U(2) * np.arange(len(cells), dtype=U), axis=1)
                    at = np.minimum(begin + np.searchsorted(codes[begin:end], code), end - 1)
                    known = np.flatnonzero(codes[at] == code)
                    image[known] += weights[at[known]]
            out += image[:, columns]
        return out


def _tried(board: _Board, policy: _Policy | None, own: Array, stones: Array) -> Array:
    """[N, columns] the policy's moves; all legal ones where its opponent moves."""
    legal = np.stack([stones & top == 0 for top in board.top], axis=1)
    if policy is None:
        return legal
    chunks = [slice(at, at + CHUNK) for at in range(0, len(own), CHUNK)]
    logits = np.concatenate([policy.logits(board.digits(own[part], stones[part])) for part in chunks])
    logits = np.where(legal, logits, -np.inf)
    return np.asarray(logits >= logits.max(1, keepdims=True) - SLACK)


def _walk(board: _Board, policy: _Policy, seat: int, value: float) -> tuple[list[Array], list[int]]:
    """The positions of the seat that an opponent can force, by ply, and a line that ends below ``value``, if any."""
    own, stones = np.zeros(1, U), np.zeros(1, U)
    layers: list[Array] = []
    origins: list[tuple[Array, Array]] = []
    for ply in range(board.rows * board.columns):
        if not len(own):
            break
        mine, after = ply % 2 == seat, []
        layers += [board.codes(own, stones)] if mine else []
        moves = _tried(board, policy if mine else None, own, stones)
        for column, bottom in enumerate(board.bottom):
            rows = np.flatnonzero(moves[:, column])
            played = stones[rows] | stones[rows] + bottom
            won = board.wins(own[rows] | played ^ stones[rows])
            ended = won | (played == board.full)
            short = ended & (np.where(won, 1 if mine else -1, 0) < value)
            if short.any():
                row, line = int(rows[short.argmax()]), [column]
                for before, how in reversed(origins):
                    row, line = int(before[row]), [int(how[row]), *line]
                return layers, line
            rows, played = rows[~ended], played[~ended]
            after.append((own[rows] ^ stones[rows], played, rows, np.full(len(rows), column)))
        others, played, rows, how = (np.concatenate(parts) for parts in zip(*after))  # noqa: B905
        kept = np.unique(others + played, return_index=True)[1]
        own, stones = others[kept], played[kept]
        origins.append((rows[kept], how[kept]))
    return layers, []


def _check(folder: Path, seat: int) -> tuple[bool, str]:
    """Whether a seat is proven, and a line of words on it."""
    told, begun = json.loads((folder / f"certificate{seat}.json").read_text()), time.time()
    policy, value = _Policy(folder / f"seat{seat}.safetensors"), told["value"]
    if hashlib.sha256(policy.data).hexdigest() != told["policy"]:
        return False, "the certificate is for another policy"
    layers, line = _walk(_Board(told["rows"], told["columns"], told["in_a_row"]), policy, seat, value)
    if line:
        return False, f"refuted, it gets less than {value:g} in columns {' '.join(str(move + 1) for move in line)}"
    digest = hashlib.sha256(b"".join(layer.astype("<u8").tobytes() for layer in layers)).hexdigest()
    if [len(layer) for layer in layers] != told["positions"] or digest != told["digest"]:
        return False, "nothing beats it, but its positions are not those of the certificate"
    number, seconds = sum(told["positions"]), time.time() - begun
    return True, f"proven, no opponent leaves it less than {value:g} ({number:,} positions, {seconds:.0f} s)"


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    results = [(seat, *_check(where, seat)) for seat in (0, 1) if (where / f"certificate{seat}.json").exists()]
    print(*(f"seat {seat}: {words}" for seat, _, words in results), sep="\n")
    sys.exit(0 if results and all(proven for _, proven, _ in results) else 1)
