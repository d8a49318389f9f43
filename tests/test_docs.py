"""The recipes in docs/ are followed word for word."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from games import registry
from mail.explore import base
from mail.learners import base as learners

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def registries_as_they_were() -> Iterator[None]:
    """What a recipe registers is gone afterwards."""
    tables = (registry._FACTORIES, learners._LEARNERS, base._EXPLORERS)
    before = [dict(table) for table in tables]
    yield
    for table, contents in zip(tables, before, strict=True):
        table.clear()
        table.update(contents)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adding-a-game", "adding-a-learner"])
def test_the_recipe_works(name: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / f"{name}.md").read_text()
    blocks = re.findall(r"^( *)```python\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 4
    names: dict[str, object] = {"folder": str(tmp_path / "run")}
    for _, block in blocks:
        exec(compile(textwrap.dedent(block), f"docs/{name}.md", "exec"), names)
