"""Work cut into pieces so small that a test has several.

Runs that are compared byte for byte have to be cut alike: how many rows a network is asked at once decides the last
bits of its answers.
"""

from __future__ import annotations

import pytest

SHARD = 4  # games
PIECES = {
    "mail.learners.collect.SHARD": SHARD,
    "mail.evaluation.tabulate.ROWS": 500,
    "mail.evaluation.certificate.layers.QUERIED": 128,
    "mail.evaluation.certificate.layers.EXPANDED": 200,
}
STATEMENTS = "\n".join(
    [*(f"import {name.rpartition('.')[0]}" for name in PIECES), *(f"{name} = {size}" for name, size in PIECES.items())]
)
"""The same for a script of another process."""


def cut(patch: pytest.MonkeyPatch) -> None:
    """Cut all work of this process so."""
    for name, size in PIECES.items():
        patch.setattr(name, size)
