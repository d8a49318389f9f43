"""Sizes of what is to be read: files in a directory, lines of a file, lines of a function. Shown by ``pytest -s``."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("games", "agents", "mail", "scripts")
MOST_FILES = 15  # modules of one directory, beside its folders
MOST_LINES = 400  # of a file
LONGEST, MEDIAN = 56, 8  # lines of a function, its docstring not included: a section on each argument is no fault


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def functions(path: Path) -> dict[str, int]:
    """The lines of every function of a module, decorators and docstrings not counted."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            text = node.body[0] if ast.get_docstring(node) is not None else None
            described = 0 if text is None or text.end_lineno is None else text.end_lineno - text.lineno + 1
            found[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = node.end_lineno - node.lineno + 1 - described
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_directories_are_small(folder: str) -> None:
    count = Counter(str(path.parent.relative_to(ROOT)) for path in modules(folder))
    print(f"largest directories of {folder}: {count.most_common(3)}")
    assert {name: files for name, files in count.items() if files > MOST_FILES} == {}


@pytest.mark.parametrize("folder", [*FOLDERS, "tests"])
def test_files_are_short(folder: str) -> None:
    lines = Counter({str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules(folder)})
    print(f"longest files of {folder}: {lines.most_common(3)}, median {median(lines.values())}")
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
def test_functions_are_short(folder: str) -> None:
    lines = Counter({name: count for path in modules(folder) for name, count in functions(path).items()})
    print(f"longest functions of {folder}: {lines.most_common(3)}, median {median(lines.values())}")
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}
    assert median(lines.values()) <= MEDIAN
