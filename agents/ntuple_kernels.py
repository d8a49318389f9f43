"""Compiled loops of n-tuple policies (``agents.ntuple`` says what they compute, and for which arrays).

One thread, no fast mathematics: the same numbers give the same bits, whoever works beside. Loaded where first needed,
since numba takes a third of a second. Machine code is kept where numba can write, beside this file or in the user's
cache, and compiled anew, some seconds, where it cannot.

Shape letters: N positions, C cells, M tuples of L cells, G symmetries, A actions, K patterns, T places of a hash table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
TINY = np.float32(1e-30)
"""Added to sums of squared gradients: actions that are not legal have none."""
F = TypeVar("F", bound=Callable[..., Any])


def compiled(signature: str) -> Callable[[F], F]:
    """Machine code for exactly these types of arguments, made where it is defined, or read from numba's cache.

    Whatever is wrong with the files of that cache (no folder, a full disk, damage) costs the time to compile alone.
    """

    def compile_(function: F) -> F:
        try:
            return cast(F, numba.njit(signature, cache=True, error_model="numpy")(function))
        except Exception:  # it comes again where the cache was not to blame
            return cast(F, numba.njit(signature, error_model="numpy")(function))

    return compile_


@compiled("uint64(uint8[:,::1], int64, int64[::1])")
def code_of(digits: Array, row: int, places: Array) -> Any:
    """The digits in base 4 that a position shows at some places [L], the first one lowest."""
    code = np.uint64(0)
    for at in range(len(places)):
        code |= np.uint64(digits[row, places[at]]) << np.uint64(2 * at)
    return code


@compiled("uint64(uint64, uint64)")
def place_of(code: Any, mask: Any) -> Any:
    """Where in a hash table, of ``mask + 1`` places, the search for a code begins."""
    code = (code ^ (code >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
    return (code ^ (code >> np.uint64(29))) & mask


@compiled("int64(uint8[:,::1], int64[:,::1], int32[::1], uint64[::1], int32[:,::1])")
def number_patterns(digits: Array, places: Array, table: Array, found: Array, index: Array) -> int:
    """Number the patterns that positions [N, C] and their images show to one tuple, in order of first sight.

    Args:
        digits: [N, C] states of cells.
        places: [G, L] the tuple's cells under each symmetry.
        table: [T] memory filled with -1; T is a power of 2 above N * G.
        found: [N * G] receives the code of each pattern.
        index: [N, G] receives the number of each pattern.

    Returns:
        How many patterns there are.
    """
    count, mask = 0, np.uint64(len(table) - 1)
    for row in range(len(digits)):
        for image in range(len(places)):
            code = code_of(digits, row, places[image])
            place = place_of(code, mask)
            while table[place] >= 0 and found[table[place]] != code:
                place = (place + np.uint64(1)) & mask
            if table[place] < 0:
                table[place] = count
                found[count] = code
                count += 1
            index[row, image] = table[place]
    return count


@compiled("void(uint64[::1], int64[::1], int64[::1], int32[::1])")
def fill_tables(codes: Array, starts: Array, begins: Array, table: Array) -> None:
    """Hash tables of the patterns of all tuples, one behind the other in ``table`` [T], which is filled with -1.

    ``codes[starts[m]:starts[m + 1]]`` are a tuple's patterns; its table lies at ``begins[m]`` to ``begins[m + 1]``.
    """
    for one in range(len(starts) - 1):
        mask = np.uint64(begins[one + 1] - begins[one] - 1)
        for row in range(starts[one], starts[one + 1]):
            place = place_of(codes[row], mask)
            while table[begins[one] + np.int64(place)] >= 0:
                place = (place + np.uint64(1)) & mask
            table[begins[one] + np.int64(place)] = row


@compiled("void(float64[::1], boolean[::1], float64[::1])")
def softmax(logits: Array, legal: Array, out: Array) -> None:
    """Probabilities [A] of the legal actions; zeros where there is none."""
    top = -np.inf
    for action in range(len(logits)):
        if legal[action] and logits[action] > top:
            top = logits[action]
    total = 0.0
    for action in range(len(logits)):
        out[action] = math.exp(logits[action] - top) if legal[action] else 0.0
        total += out[action]
    for action in range(len(logits)):
        if legal[action]:
            out[action] /= total


_ANSWER = (
    "void(uint8[:,::1], boolean[:,::1], int64[:,:,::1], int64[:,::1], uint64[::1], int64[::1], int32[::1],"
    "float32[:,::1], float64[:,::1])"
)


@compiled(_ANSWER)
def answer(
    digits: Array,
    legal: Array,
    places: Array,
    actions: Array,
    codes: Array,
    begins: Array,
    table: Array,
    weights: Array,
    out: Array,
) -> None:
    """Probabilities of positions, each by itself and always in the same order of sums.

    Args:
        digits: [N, C] states of cells.
        legal: [N, A].
        places: [G, M, L] every tuple's cells under each symmetry.
        actions: [G, A] the action at the image that each action is.
        codes: [K] of the patterns.
        begins: [M + 1] of each tuple's hash table.
        table: [T] the hash tables of ``fill_tables``.
        weights: [K, A].
        out: [N, A] receives the probabilities.
    """
    logits, image = np.empty(len(actions[0])), np.empty(len(actions[0]))
    for row in range(len(digits)):
        logits[:] = 0.0
        for g in range(len(places)):
            image[:] = 0.0
            for one in range(places.shape[1]):
                code = code_of(digits, row, places[g, one])
                mask = np.uint64(begins[one + 1] - begins[one] - 1)
                place = place_of(code, mask)
                at = table[begins[one] + np.int64(place)]
                while at >= 0 and codes[at] != code:
                    place = (place + np.uint64(1)) & mask
                    at = table[begins[one] + np.int64(place)]
                if at >= 0:
                    for action in range(len(image)):
                        image[action] += weights[at, action]
            for action in range(len(image)):
                logits[action] += image[actions[g, action]]
        softmax(logits, legal[row], out[row])


@compiled("void(int32[:,:,::1], int64, int64[:,::1], float32[:,::1], float64[::1], float64[::1])")
def logits_of(index: Array, row: int, actions: Array, weights: Array, image: Array, logits: Array) -> None:
    """Logits [A] of one of the positions whose patterns [N, G, M] are numbered; ``image`` [A] is scratch memory."""
    logits[:] = 0.0
    for g in range(index.shape[1]):
        image[:] = 0.0
        for one in range(index.shape[2]):
            at = index[row, g, one]
            for action in range(len(image)):
                image[action] += weights[at, action]
        for action in range(len(image)):
            logits[action] += image[actions[g, action]]


@compiled("boolean(float64[::1], float32[::1], float64, float64, boolean, float64[::1])")
def teaches(probability: Array, label: Array, outside: float, apart: float, sets: bool, out: Array) -> bool:
    """Whether a position has something to teach, and the gradient [A] of its loss with respect to the logits.

    It teaches where actions that the label never takes have more probability than ``outside``, or, unless labels are
    ``sets``, where answer and label are further ``apart`` in total variation. Cross-entropy -sum y log p has the
    gradient p - y; -log P, where P is the probability of the set, has p - p [in the set] / P.
    """
    inside, distance = 0.0, 0.0
    for action in range(len(out)):
        if label[action] > 0.0:
            inside += probability[action]
        distance += 0.5 * abs(probability[action] - label[action])
    for action in range(len(out)):
        wanted: Any = np.float64(label[action])
        if sets:
            wanted = probability[action] / max(inside, 1e-300) if label[action] > 0.0 else 0.0
        out[action] = probability[action] - wanted
    return 1.0 - inside > outside or (not sets and distance > apart)


_LEARN = (
    "int64(int32[:,:,::1], int64[:,::1], boolean[:,::1], float32[:,::1], float32[:,::1], float32[:,::1], int64[::1],"
    "float64, float64, float64, boolean)"
)


@compiled(_LEARN)
def learn(
    index: Array,
    actions: Array,
    legal: Array,
    label: Array,
    weights: Array,
    squares: Array,
    order: Array,
    rate: float,
    outside: float,
    apart: float,
    sets: bool,
) -> int:
    """One pass of Adagrad over positions, one after the other; those close to their label (``teaches``) are skipped.

    Args:
        index: [N, G, M] numbers of patterns.
        actions: [G, A] the action at the image that each action is.
        legal: [N, A].
        label: [N, A].
        weights: [K, A] learned in place.
        squares: [K, A] sums of squared gradients, which grow in place.
        order: [N] in which the positions come.
        rate: of Adagrad.
        outside, apart, sets: see ``teaches``.

    Returns:
        How many positions taught.
    """
    size, taught = len(actions[0]), 0
    logits, image, probability = np.empty(size), np.empty(size), np.empty(size)
    gradient, moved = np.empty(size), np.empty(size, dtype=np.float32)
    for row in order:
        logits_of(index, row, actions, weights, image, logits)
        softmax(logits, legal[row], probability)
        if not teaches(probability, label[row], outside, apart, sets, gradient):
            continue
        taught += 1
        for g in range(index.shape[1]):
            for action in range(size):
                moved[actions[g, action]] = gradient[action]
            for one in range(index.shape[2]):
                at = index[row, g, one]
                for action in range(size):
                    squares[at, action] += moved[action] * moved[action]
                    weights[at, action] -= np.float32(rate) * moved[action] / np.sqrt(squares[at, action] + TINY)
    return taught


@compiled("void(int32[:,:,::1], int64[:,::1], boolean[:,::1], float32[:,::1], float64[:,::1])")
def answer_numbered(index: Array, actions: Array, legal: Array, weights: Array, out: Array) -> None:
    """Probabilities [N, A] of positions whose patterns [N, G, M] are numbered; the other arguments as in ``learn``."""
    logits, image = np.empty(len(actions[0])), np.empty(len(actions[0]))
    for row in range(len(index)):
        logits_of(index, row, actions, weights, image, logits)
        softmax(logits, legal[row], out[row])
