"""The benchmark of cloning at a tiny size: what it says of whom."""

from __future__ import annotations

import numpy as np

from agents.expert import make as make_expert
from agents.policy import Uniform
from benchmarks.clone import SEAT, Size, once, task
from mail.parallel.streams import stream
from tests.support import graph


def test_both_learn_the_same_labels_and_are_judged_by_others() -> None:
    size = Size("tictactoe", 300, (5,))
    given = task(size, stream(0, "test/clone"))
    assert (len(given.labelled), len(given.states)) == (300, 300)
    assert not {row.tobytes() for row in given.labelled.state} & {row.tobytes() for row in given.states}
    assert given.error(make_expert("first", graph("tictactoe"))[SEAT]) == 0.0
    assert 0.2 < given.error(Uniform()) < 1.0
    ours, theirs, reached = once(size, stream(0, "test/clone"))
    assert ours.keys() == theirs.keys() == {"5 steps", "read"}
    assert reached and all(np.isfinite(figure) and figure > 0 for figure in (*ours.values(), *theirs.values()))
