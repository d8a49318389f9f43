"""An exported policy in pure numpy: arrays in SEAT.safetensors, metadata in SEAT.json.

    from load import load
    policy = load("seat0")                              # beside this file
    probabilities = policy(observation, legal)          # float32 [N, *shape], bool [N, A] -> float64 [N, A]

Observations are the mover's view, as SEAT.json describes them. Illegal actions get exactly 0. A row without a legal
action is all 0. All computation is in double precision. Needs Python 3.9 and numpy.
"""

from __future__ import annotations

import hashlib
import json
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
FORMAT = 4
SLACK = 1e-9
KINDS = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "U64": "<u8"}


def load(seat: str, folder: str | Path | None = None) -> Policy:
    """Load the policy of one seat.

    Args:
        seat: ``seat0`` or ``seat1``.
        folder: The directory of the exported files; by default that of this file.

    Raises:
        ValueError: A file is missing, unreadable or not as exported.
    """
    path = (Path(__file__).parent if folder is None else Path(folder)) / f"{seat}.json"
    try:
        about = described(read(path))
        path = path.with_suffix(".safetensors")
        data = read(path)
        if hashlib.sha256(data).hexdigest() != about["sha256"]:
            raise ValueError("it was changed after the export (check sum differs)")
        return Policy(about, tensors(data))
    except (AttributeError, KeyError, OSError, RecursionError, TypeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{path} cannot be used: {reason}; export the policy again") from error


def read(path: Path) -> bytes:
    """The contents of a regular file.

    Args:
        path: the file.

    Raises:
        ValueError: it is something else.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is not a regular file")
    return path.read_bytes()


def described(data: bytes) -> dict[str, Any]:
    """The metadata. Since format 2 it carries a check sum of its other entries.

    Args:
        data: the JSON text.

    Raises:
        ValueError: it has a newer format, or was edited.
    """
    about = json.loads(data)
    check = about.pop("check", None)
    if about["format"] > FORMAT:
        raise ValueError(f"format {about['format']} is newer than this loader; use the one beside the policy")
    rest = json.dumps(about, sort_keys=True).encode()
    if about["format"] != 1 and hashlib.sha256(rest).hexdigest() != check:
        raise ValueError("it was changed after the export (check sum differs)")
    return dict(about)


def tensors(data: bytes) -> dict[str, Array]:
    """The arrays of a safetensors file: the length of a JSON header, the header, the data.

    Args:
        data: the file.
    """
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        numbers = np.frombuffer(data[start + first : start + last], dtype=KINDS[entry["dtype"]])
        arrays[name] = numbers.reshape(entry["shape"])
    return arrays


class Policy:
    """A function from observations and legal masks to probabilities.

    Args:
        about: the metadata.
        arrays: the arrays by name.
    """

    def __init__(self, about: dict[str, Any], arrays: dict[str, Array]) -> None:
        self.about, self.arrays = about, arrays

    def __call__(self, observation: Array, legal: Array) -> Array:
        """The probabilities of a batch.

        Args:
            observation: float32 [N, *shape], the mover's view.
            legal: bool [N, A].

        Returns:
            float64 [N, A]; 0 for illegal actions.

        Raises:
            ValueError: The arrays have other shapes.
        """
        observation, legal = np.asarray(observation), np.asarray(legal)
        shape, actions = tuple(self.about["observation"]), self.about["actions"]
        if not observation.size and not legal.size:
            return np.zeros((0, actions))
        if observation.shape[1:] != shape or legal.shape != (len(observation), actions):
            raise ValueError(
                f"need observation [N, {shape}] and legal [N, {actions}], not {observation.shape} and {legal.shape}"
            )
        if not self.about["symmetry"]:
            return self._query(observation, legal)
        observation, which = self._canonical(observation)
        to = self.arrays["symmetry.forward"][which]  # [N, A] the image of each action
        moved = np.zeros(legal.shape, dtype=np.bool_)
        np.put_along_axis(moved, to, legal.astype(np.bool_), axis=1)
        return np.take_along_axis(self._query(observation, moved), to, axis=1)

    def _query(self, observation: Array, legal: Array) -> Array:
        legal = legal.astype(np.bool_)
        if self.about["kind"] == "table":
            rows = self._table(observation, legal)
        elif self.about["kind"] == "ntuple":
            rows = softmax(self._patterns(observation), legal)
        else:
            logits = self._logits(observation) if self.about["layers"] else np.zeros(legal.shape)
            rows = softmax(logits, legal)
        for word, number in self.about["then"]:
            rows = greedy(rows) if word == "greedy" else tempered(rows, number)
        return rows

    def _logits(self, rows: Array) -> Array:
        """[N, A] the output of the layers, in double precision."""
        rows = rows.astype(np.float64)
        for index, layer in enumerate(self.about["layers"]):
            if layer == "relu":
                rows = np.maximum(rows, 0.0)
            elif layer == "flatten":
                rows = rows.reshape(len(rows), -1)
            elif layer == "linear":
                weight, bias = self._numbers(index)
                rows = rows @ weight.T + bias
            elif layer == "conv":
                rows = convolved(rows, *self._numbers(index))
            else:
                inner = np.maximum(convolved(rows, *self._numbers(f"{index}.first")), 0.0)
                rows = np.maximum(rows + convolved(inner, *self._numbers(f"{index}.second")), 0.0)
        return rows

    def _numbers(self, layer: int | str) -> tuple[Array, Array]:
        """Weights and biases of a layer, in double precision."""
        return self.arrays[f"{layer}.weight"].astype(np.float64), self.arrays[f"{layer}.bias"].astype(np.float64)

    def _words(self, planes: Array) -> tuple[Array, Array]:
        """[N] own stones and all stones as integers, one bit per cell."""
        bits = self.arrays["bits"]
        own, other = (planes.reshape(len(planes), 2, -1) > 0).astype(np.int64).transpose(1, 0, 2) @ bits
        return own, own + other

    def _canonical(self, observation: Array) -> tuple[Array, Array]:
        """The canonical (smallest) image of every board, and the symmetry [N] that maps to it."""
        flat = observation.reshape(len(observation), 2, -1)
        best, which = flat, np.zeros(len(flat), dtype=np.int64)
        smallest = self._words(best)
        for g, source in enumerate(self.arrays["symmetry.source"][1:], start=1):
            image = flat[:, :, source]
            words = self._words(image)
            less = (words[0] < smallest[0]) | ((words[0] == smallest[0]) & (words[1] < smallest[1]))
            best = np.where(less[:, None, None], image, best)
            smallest = (np.where(less, words[0], smallest[0]), np.where(less, words[1], smallest[1]))
            which = np.where(less, g, which)
        return best.reshape(observation.shape), which

    def _table(self, observation: Array, legal: Array) -> Array:
        """[N, A] the rows of known positions; uniform over legal actions elsewhere."""
        own, stones = self._words(observation)
        at = np.array([self._places.get((int(a), int(b)), -1) for a, b in zip(own, stones)])  # noqa: B905
        uniform = legal / np.maximum(legal.sum(1, keepdims=True), 1)
        known = ((at >= 0) & legal.any(1))[:, None]
        return np.asarray(np.where(known, self.arrays["table"][np.maximum(at, 0)], uniform))

    @cached_property
    def _places(self) -> dict[tuple[int, int], int]:
        """The row of each known position in the table."""
        return {(int(own), int(stones)): row for row, (own, stones) in enumerate(self.arrays["keys"])}

    def _patterns(self, observation: Array) -> Array:
        """[N, A] the sums of the weights of all patterns that a position and its images show."""
        own, other = observation[:, 0] > 0, observation[:, 1] > 0
        playable = ~(own | other)
        if self.arrays["gravity"][0]:
            playable[:, :-1] &= (own | other)[:, 1:]
        digits = (playable + 2 * own + 3 * other).reshape(len(own), -1).astype(np.uint64)  # [N, cells]
        codes, weights, last = self.arrays["codes"], self.arrays["weights"], np.cumsum(self.arrays["counts"])
        logits = np.zeros((len(own), weights.shape[1]))
        for places, actions in zip(self.arrays["places"], self.arrays["actions"]):  # noqa: B905
            image = np.zeros(logits.shape)
            for cells, start, stop in zip(places, last - self.arrays["counts"], last):  # noqa: B905
                shifts = 2 * np.arange(len(cells), dtype=np.uint64)
                code = np.bitwise_or.reduce(digits[:, cells] << shifts, axis=1)
                at = np.minimum(start + np.searchsorted(codes[start:stop], code), max(stop - 1, 0))
                if stop > start:
                    known = np.flatnonzero(codes[at] == code)
                    image[known] += weights[at[known]]
            logits += image[:, actions]
        if "exceptions" in self.arrays:
            self._except(digits, observation.shape[2], logits)
        return logits

    def _except(self, digits: Array, rows: int, logits: Array) -> None:
        """At exceptions, one move outweighs all others.

        A position is named by the mover's stones plus all stones, as bitboards; of mirror images by the smaller number.
        """
        exceptions, columns = self.arrays["exceptions"], digits.shape[1] // rows
        cell = np.arange(digits.shape[1])
        bits = np.uint64(1) << (cell % columns * (rows + 1) + rows - 1 - cell // columns).astype(np.uint64)
        stones = (digits >= 2) + (digits == 2).astype(np.uint64)
        numbers, mirrored = stones @ bits, stones.reshape(len(stones), rows, -1)[..., ::-1].reshape(stones.shape) @ bits
        number = np.minimum(numbers, mirrored)
        at = np.minimum(np.searchsorted(exceptions, number), len(exceptions) - 1)
        row = np.flatnonzero(exceptions[at] == number)
        answer = self.arrays["answers"][at[row]]
        logits[row] = 0.0
        logits[row, np.where(number[row] < numbers[row], columns - 1 - answer, answer)] = 1e9


def convolved(rows: Array, weight: Array, bias: Array) -> Array:
    """A 3 x 3 convolution with zero padding.

    Args:
        rows: float64 [N, C, rows, columns].
        weight: float64 [F, C, 3, 3].
        bias: float64 [F].

    Returns:
        float64 [N, F, rows, columns].
    """
    padded = np.pad(rows, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))  # [N, C, rows, columns, 3, 3]
    out = np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3)))  # [N, rows, columns, F]
    return np.asarray(out.transpose(0, 3, 1, 2) + bias[:, None, None])


def softmax(logits: Array, legal: Array) -> Array:
    """Softmax over the legal actions.

    Args:
        logits: float64 [N, A].
        legal: bool [N, A].

    Returns:
        float64 [N, A]; zero rows where none is legal.
    """
    top = np.where(legal, logits, -np.inf).max(1, keepdims=True, initial=-1e300)
    weights = np.where(legal, np.exp(np.where(legal, logits - top, 0.0)), 0.0)
    return np.asarray(weights / np.maximum(weights.sum(1, keepdims=True), 1e-300))


def greedy(rows: Array) -> Array:
    """Probability 1 for the most probable action of each row, the lowest among equals.

    Probabilities within a relative 1e-9 count as equal, because their last digits differ between processors.

    Args:
        rows: float64 [N, A].

    Returns:
        float64 [N, A].
    """
    best = (rows >= rows.max(1, keepdims=True) * (1.0 - SLACK)) & (rows > 0)
    return np.asarray(best & (best.cumsum(1) == 1), dtype=np.float64)


def tempered(rows: Array, temperature: float) -> Array:
    """Probabilities to the power 1 / temperature, normalized.

    Args:
        rows: float64 [N, A].
        temperature: above 0.

    Returns:
        float64 [N, A].
    """
    scaled = (rows / np.maximum(rows.max(1, keepdims=True), 1e-300)) ** (1.0 / temperature)
    return np.asarray(scaled / np.maximum(scaled.sum(1, keepdims=True), 1e-300))


if __name__ == "__main__":
    try:
        policy = load(sys.argv[1] if len(sys.argv) > 1 else "seat0")
    except ValueError as error:
        sys.exit(str(error))
    shape, actions = policy.about["observation"], policy.about["actions"]
    print(policy(np.zeros((1, *shape), dtype=np.float32), np.ones((1, actions), dtype=np.bool_)))
