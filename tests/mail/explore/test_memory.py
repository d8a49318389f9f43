"""What explorers remember of their games: counts against a plain one."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.policy import Uniform
from mail.data.decisions import Decisions, merge
from mail.data.rollout import play
from mail.explore.memory import Memory
from mail.parallel.streams import stream
from tests.support import game


def brute_force(own: list[Decisions]) -> tuple[Counter[tuple[bytes, int, bytes]], dict[bytes, int], list[bytes]]:
    """Transitions by key, fewest own decisions before each position, and positions in order of appearance."""
    edges: Counter[tuple[bytes, int, bytes]] = Counter()
    depth: dict[bytes, int] = {}
    order: list[bytes] = []
    for part in own:
        for row in range(len(part)):
            earlier = [r for r in range(row) if part.episode[r] == part.episode[row]]
            key = part.key[row].tobytes()
            if key not in depth:
                order.append(key)
            depth[key] = min(depth.get(key, 99), len(earlier))
            later = [r for r in range(row + 1, len(part)) if part.episode[r] == part.episode[row]]
            edges[key, int(part.played[row]), part.key[later[0]].tobytes() if later else b"over"] += 1
    return edges, depth, order


@given(
    name=st.sampled_from(["tictactoe", "quotient:tictactoe", "connect4:3x4"]),
    seat=st.sampled_from([0, 1]),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    seed=st.integers(0, 2**16),
)
def test_memory_counts_what_was_played(name: str, seat: int, sizes: list[int], seed: int) -> None:
    memory, own = Memory(), []
    for number, episodes in enumerate(sizes):
        rng = stream(seed, "test/memory", round_=number)
        decisions = play(game(name), (Uniform(), Uniform()), episodes, rng=rng)
        own.append(decisions.take(decisions.seat == seat))
        known = len(brute_force(own[:-1])[0])
        assert memory.add(own[-1]) == len(brute_force(own)[0]) - known
    edges, depth, order = brute_force(own)
    seen = memory.transitions()
    keys = [key.tobytes() for key in seen.key]
    assert keys == order
    ends = [keys[after] if after >= 0 else b"over" for after in seen.following]
    found = zip((keys[at] for at in seen.position), seen.action.tolist(), ends, strict=True)
    assert dict(zip(found, seen.count.tolist(), strict=True)) == dict(edges)
    assert seen.depth.tolist() == [depth[key] for key in keys]
    together = merge(own)
    first = [[key.tobytes() for key in together.key].index(key) for key in keys]
    assert np.array_equal(seen.observation, together.observation[first])
    assert np.array_equal(seen.legal, together.legal[first])
    tries = Counter((key, action) for key, action, _ in edges.elements())
    assert {(keys[m], a): n for (m, a), n in np.ndenumerate(seen.visits) if n} == dict(tries)


def test_memory_keeps_the_fewest_decisions_before_a_position() -> None:
    """A game as it was played, and its tail as if it had begun there."""
    decisions = play(game("tictactoe"), (Uniform(), Uniform()), 1, rng=stream(0, "test"))
    own = decisions.take(decisions.seat == 0)
    tail = own.take(np.arange(1, len(own)))
    for parts in ((own, tail), (tail, own)):
        memory = Memory()
        assert [memory.add(part) for part in parts] in ([len(own), 0], [len(tail), 1])
        seen = memory.transitions()
        depth = {key.tobytes(): int(least) for key, least in zip(seen.key, seen.depth, strict=True)}
        assert [depth[key.tobytes()] for key in own.key] == [0, *range(len(tail))]
