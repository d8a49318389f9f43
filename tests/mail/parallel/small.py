"""Shards so small that the work of a test has several."""

from __future__ import annotations

SHARD = 4  # games
