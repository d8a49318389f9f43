"""Work cut into small pieces."""

from __future__ import annotations

import pytest

from tests.mail.parallel.small import cut


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards so small that a test's work has several."""
    cut(monkeypatch)
