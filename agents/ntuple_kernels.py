"""Compiled loops of n-tuple policies (``agents.ntuple`` says what they compute, and for which arrays).

Source: docs/algorithms.md, "N-tuple policies"; Duchi, Hazan, Singer, JMLR 2011 (Adagrad).

One thread and no fast mathematics: the same numbers give the same bits, whatever else the machine does. As numba takes
a third of a second to load, this module is imported where it is first needed (``games.compiled``).

Shape letters: N positions, C cells, M tuples of L cells, G symmetries, A actions, K patterns, T slots of hash tables.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.compiled.compiling import compiled

Array = NDArray[Any]
TINY = np.float32(1e-30)
"""Added to sums of squared gradients, which are 0 for illegal actions."""


@compiled("uint64(uint8[:,::1], int64, int64[::1])")
def code_of(digits: Array, row: int, places: Array) -> Any:
    """The code of one tuple's pattern: its cells' digits in base 4, the first cell's lowest.

    Args:
        digits: uint8 [N, C] states of cells.
        row: the position.
        places: int64 [L] the tuple's cells.
    """
    code = np.uint64(0)
    for at in range(len(places)):
        code |= np.uint64(digits[row, places[at]]) << np.uint64(2 * at)
    return code


@compiled("uint64(uint64, uint64)")
def slot_of(code: Any, mask: Any) -> Any:
    """The slot of a hash table at which the search for a code begins.

    Args:
        code: of a pattern.
        mask: the number of slots, a power of 2, less 1.
    """
    code = (code ^ (code >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
    return (code ^ (code >> np.uint64(29))) & mask


@compiled("int64(uint8[:,::1], int64[:,::1], int32[::1], uint64[::1], int32[:,::1])")
def number_patterns(digits: Array, places: Array, table: Array, codes: Array, index: Array) -> int:
    """Number the patterns that positions and their images show to one tuple, in order of first occurrence.

    Args:
        digits: uint8 [N, C] states of cells.
        places: int64 [G, L] the tuple's cells under each symmetry.
        table: int32 [T] memory filled with -1; T is a power of 2 above N * G.
        codes: uint64 [N * G] receives the code of each pattern.
        index: int32 [N, G] receives the number of each pattern.

    Returns:
        How many patterns there are.
    """
    count, mask = 0, np.uint64(len(table) - 1)
    for row in range(len(digits)):
        for image in range(len(places)):
            code = code_of(digits, row, places[image])
            slot = slot_of(code, mask)
            while table[slot] >= 0 and codes[table[slot]] != code:
                slot = (slot + np.uint64(1)) & mask
            if table[slot] < 0:
                table[slot] = count
                codes[count] = code
                count += 1
            index[row, image] = table[slot]
    return count


@compiled("void(uint64[::1], int64[::1], int64[::1], int32[::1])")
def fill_tables(codes: Array, starts: Array, offsets: Array, table: Array) -> None:
    """Fill the hash tables of all tuples' patterns, with linear probing.

    Args:
        codes: uint64 [K] the patterns' codes, tuple by tuple.
        starts: int64 [M + 1] where each tuple's codes begin, and K.
        offsets: int64 [M + 1] where each tuple's hash table begins in ``table``, and T.
        table: int32 [T] filled with -1; receives the rows of the codes.
    """
    for m in range(len(starts) - 1):
        mask = np.uint64(offsets[m + 1] - offsets[m] - 1)
        for row in range(starts[m], starts[m + 1]):
            slot = slot_of(codes[row], mask)
            while table[offsets[m] + np.int64(slot)] >= 0:
                slot = (slot + np.uint64(1)) & mask
            table[offsets[m] + np.int64(slot)] = row


@compiled("void(float64[::1], boolean[::1], float64[::1])")
def softmax(logits: Array, legal: Array, out: Array) -> None:
    """Probabilities of the legal actions; zeros where there is none.

    Args:
        logits: float64 [A].
        legal: bool [A].
        out: float64 [A] receives the probabilities.
    """
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


@compiled("void(uint8[:,::1], int64[::1], uint64[::1])")
def codes_of(cells: Array, places: Array, out: Array) -> None:
    """The codes of one tuple's patterns, as ``code_of``.

    Args:
        cells: uint8 [C, N or more] states of cells, position by position.
        places: int64 [L] the tuple's cells.
        out: uint64 [N] receives the codes.
    """
    out[:] = np.uint64(0)
    for at in range(len(places)):
        cell, shift = cells[places[at]], np.uint64(2 * at)
        for row in range(len(out)):
            out[row] |= np.uint64(cell[row]) << shift


@compiled("void(uint64[::1], uint64[::1], int32[::1], float32[:,::1], float64[:,::1])")
def add_weights(code: Array, codes: Array, table: Array, weights: Array, out: Array) -> None:
    """Add the weights of one tuple's patterns; those that are not known have none.

    Args:
        code: uint64 [N] codes of patterns; equal ones in a row are looked up once.
        codes: uint64 [K] of all patterns.
        table: int32 [a power of 2] the tuple's hash table.
        weights: float32 [K, A].
        out: float64 [N or more, A] to which they are added.
    """
    mask: Any = np.uint64(len(table) - 1)
    at: Any = -1
    for row in range(len(code)):
        if row == 0 or code[row] != code[row - 1]:
            slot = slot_of(code[row], mask)
            at = np.int64(table[slot])
            while at >= 0 and codes[at] != code[row]:
                slot = (slot + np.uint64(1)) & mask
                at = np.int64(table[slot])
        if at >= 0:
            for action in range(out.shape[1]):
                out[row, action] += weights[at, action]


_BLOCK = 256  # positions
_EVALUATE = (
    "void(uint8[:,::1], boolean[:,::1], int64[:,:,::1], int64[:,::1], uint64[::1], int64[::1], int32[::1],"
    "float32[:,::1], float64[:,::1])"
)


@compiled(_EVALUATE)
def evaluate(
    digits: Array,
    legal: Array,
    places: Array,
    actions: Array,
    codes: Array,
    offsets: Array,
    table: Array,
    weights: Array,
    out: Array,
) -> None:
    """Probabilities of positions, each by itself and with sums always in the same order.

    Positions go through the tuples in blocks, so that a tuple's patterns stay in the processor's cache.

    Args:
        digits: uint8 [N, C] states of cells.
        legal: bool [N, A].
        places: int64 [G, M, L] every tuple's cells under each symmetry.
        actions: int64 [G, A] the action at each image that an action corresponds to.
        codes: uint64 [K] of the patterns.
        offsets: int64 [M + 1] where each tuple's hash table begins, and T.
        table: int32 [T] the hash tables of ``fill_tables``.
        weights: float32 [K, A].
        out: float64 [N, A] receives the probabilities.
    """
    size = actions.shape[1]
    cells, code = np.empty((digits.shape[1], _BLOCK), dtype=np.uint8), np.empty(_BLOCK, dtype=np.uint64)
    image, logits = np.empty((_BLOCK, size)), np.empty((_BLOCK, size))
    for start in range(0, len(digits), _BLOCK):
        count = min(_BLOCK, len(digits) - start)
        for cell in range(len(cells)):
            for row in range(count):
                cells[cell, row] = digits[start + row, cell]
        logits[:count] = 0.0
        for g in range(len(places)):
            image[:count] = 0.0
            for m in range(places.shape[1]):
                codes_of(cells, places[g, m], code[:count])
                add_weights(code[:count], codes, table[offsets[m] : offsets[m + 1]], weights, image)
            for row in range(count):
                for action in range(size):
                    logits[row, action] += image[row, actions[g, action]]
        for row in range(count):
            softmax(logits[row], legal[start + row], out[start + row])


@compiled("void(int32[:,:,::1], int64, int64[:,::1], float32[:,::1], float64[::1], float64[::1])")
def logits_of(index: Array, row: int, actions: Array, weights: Array, image: Array, logits: Array) -> None:
    """Logits of one position whose patterns are numbered.

    Args:
        index: int32 [N, G, M] numbers of patterns.
        row: the position.
        actions: int64 [G, A] the action at each image that an action corresponds to.
        weights: float32 [K, A].
        image: float64 [A] scratch memory.
        logits: float64 [A] receives the logits.
    """
    logits[:] = 0.0
    for g in range(index.shape[1]):
        image[:] = 0.0
        for m in range(index.shape[2]):
            at = index[row, g, m]
            for action in range(len(image)):
                image[action] += weights[at, action]
        for action in range(len(image)):
            logits[action] += image[actions[g, action]]


@compiled("boolean(float64[::1], float32[::1], float64, float64, boolean, float64[::1])")
def needs_update(
    probability: Array, label: Array, max_outside: float, max_distance: float, sets: bool, out: Array
) -> bool:
    """Whether a position is still too far from its label, and the gradient of its loss with respect to the logits.

    Cross-entropy -sum y log p has the gradient p - y; -log P, where P is the probability of the set, has p - p [in the
    set] / P.

    Args:
        probability: float64 [A] the policy's.
        label: float32 [A].
        max_outside: tolerated probability of actions that the label never takes.
        max_distance: tolerated total variation distance to the label; not looked at for ``sets``.
        sets: whether a label is the set of actions that it gives any probability.
        out: float64 [A] receives the gradient.
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
    return 1.0 - inside > max_outside or (not sets and distance > max_distance)


_ADAGRAD = (
    "int64(int32[:,:,::1], int64[:,::1], boolean[:,::1], float32[:,::1], float32[:,::1], float32[:,::1], int64[::1],"
    "float64, float64, float64, boolean)"
)


@compiled(_ADAGRAD)
def adagrad_pass(
    index: Array,
    actions: Array,
    legal: Array,
    label: Array,
    weights: Array,
    squares: Array,
    order: Array,
    rate: float,
    max_outside: float,
    max_distance: float,
    sets: bool,
) -> int:
    """One pass of Adagrad, position by position; positions that need no update (``needs_update``) are skipped.

    Args:
        index: int32 [N, G, M] numbers of patterns.
        actions: int64 [G, A] the action at each image that an action corresponds to.
        legal: bool [N, A].
        label: float32 [N, A].
        weights: float32 [K, A] updated in place.
        squares: float32 [K, A] sums of squared gradients, updated in place.
        order: int64 [N] in which the positions come.
        rate: learning rate.
        max_outside: see ``needs_update``.
        max_distance: see ``needs_update``.
        sets: see ``needs_update``.

    Returns:
        How many positions were not skipped.
    """
    size, updated = len(actions[0]), 0
    logits, image, probability = np.empty(size), np.empty(size), np.empty(size)
    gradient, moved = np.empty(size), np.empty(size, dtype=np.float32)
    for row in order:
        logits_of(index, row, actions, weights, image, logits)
        softmax(logits, legal[row], probability)
        if not needs_update(probability, label[row], max_outside, max_distance, sets, gradient):
            continue
        updated += 1
        for g in range(index.shape[1]):
            for action in range(size):
                moved[actions[g, action]] = gradient[action]
            for m in range(index.shape[2]):
                at = index[row, g, m]
                for action in range(size):
                    squares[at, action] += moved[action] * moved[action]
                    weights[at, action] -= np.float32(rate) * moved[action] / np.sqrt(squares[at, action] + TINY)
    return updated


@compiled("void(int32[:,:,::1], int64[:,::1], boolean[:,::1], float32[:,::1], float64[:,::1])")
def evaluate_numbered(index: Array, actions: Array, legal: Array, weights: Array, out: Array) -> None:
    """Probabilities of positions whose patterns are numbered.

    Args:
        index: int32 [N, G, M] numbers of patterns.
        actions: int64 [G, A] the action at each image that an action corresponds to.
        legal: bool [N, A].
        weights: float32 [K, A].
        out: float64 [N, A] receives the probabilities.
    """
    logits, image = np.empty(len(actions[0])), np.empty(len(actions[0]))
    for row in range(len(index)):
        logits_of(index, row, actions, weights, image, logits)
        softmax(logits, legal[row], out[row])
