"""The direction of imports: games <- agents <- mail <- scripts, and who may load what is heavy."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = ("games", "agents", "mail", "scripts")
MODULES = sorted(path for folder in ORDER for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path, *, top_level_only: bool = False) -> set[str]:
    """The first word of every module this file imports."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    room = ORDER.index(path.relative_to(ROOT).parts[0])
    assert not imported(path) & set(ORDER[room + 1 :])


@pytest.mark.parametrize("path", sorted((ROOT / "games").rglob("*.py")), ids=lambda path: path.name)
def test_games_load_numpy_alone(path: Path) -> None:
    ours_and_numpy = {"games", "numpy"}
    assert imported(path, top_level_only=True) <= ours_and_numpy | sys.stdlib_module_names


def test_one_module_alone_imports_ray() -> None:
    assert [path.relative_to(ROOT) for path in MODULES if "ray" in imported(path)] == [
        Path("mail/parallel/ray_host.py")
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_pickle(path: Path) -> None:
    text = path.read_text()
    assert "pickle" not in imported(path)
    assert "allow_pickle=True" not in text and "torch.load" not in text and "torch.save" not in text


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_say_what_they_are_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))
