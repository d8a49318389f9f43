"""Work cut into small pieces."""

from __future__ import annotations

import pytest

import mail.evaluation.certificate.layers
import mail.evaluation.tabulate
import mail.learners.collect
from tests.mail.parallel.small import SHARD


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards so small that a test's work has several."""
    monkeypatch.setattr(mail.learners.collect, "SHARD", SHARD)
    monkeypatch.setattr(mail.evaluation.tabulate, "ROWS", 500)
    monkeypatch.setattr(mail.evaluation.certificate.layers, "QUERIED", 128)
    monkeypatch.setattr(mail.evaluation.certificate.layers, "EXPANDED", 200)
