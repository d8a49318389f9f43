"""Public functions, methods and classes say what each argument is, in a section ``Args``.

A method with the name and the parameters of one in a protocol or a base class is described there, and a function with
the parameters of a callable protocol (``Cloner``) there; what a subcommand has is described in ``Command``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPECIAL = ("__init__", "__call__")
MODULES = sorted(path for package in ("games", "agents", "mail") for path in (ROOT / package).rglob("*.py"))


@dataclass(frozen=True)
class Function:
    """A public function or method, and the docstrings that may describe its arguments."""

    name: str
    parameters: tuple[str, ...]
    text: str

    @property
    def described(self) -> set[str]:
        """The parameters that have an entry in ``Args``."""
        section = re.search(r"^Args:\n((?:    .*\n|\n)+)", self.text + "\n", re.MULTILINE)
        return set(re.findall(r"^    \*{0,2}(\w+): ", section[1], re.MULTILINE)) if section else set()


def parameters(node: ast.FunctionDef) -> tuple[str, ...]:
    """The names of all arguments but the object itself."""
    given = node.args
    extra = [one for one in (given.vararg, given.kwarg) if one]
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs, *extra)]
    return tuple(name for name in names if name not in ("self", "cls"))


def public(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[Function]:
    """The functions and methods of a module whose names do not begin with an underscore, and the constructors."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public(node, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef) and (node.name in SPECIAL or not node.name.startswith("_")):
            text = ast.get_docstring(node) or ""
            if node.name == "__init__":
                text += "\n" + (ast.get_docstring(tree) or "")
            yield Function(prefix + node.name, parameters(node), text)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def inherited() -> frozenset[tuple[str, tuple[str, ...]]]:
    """Name and parameters of the methods of protocols and base classes, all of them described there."""
    classes = [
        node
        for package in ("games", "agents", "mail")
        for path in (ROOT / package).rglob("*.py")
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef)
    ]
    bases = {ast.unparse(base).partition("[")[0] for node in classes for base in node.bases}
    kept = [
        node for node in classes if node.name in bases or any(ast.unparse(base) == "Protocol" for base in node.bases)
    ]
    methods = (function for node in kept for function in public(node))
    return frozenset((one.name, one.parameters) for one in methods if one.described == set(one.parameters))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_argument_is_described(path: Path) -> None:
    wrong = {}
    for function in public(parsed(path)):
        names = (function.name.rpartition(".")[2], "__call__")
        described = any((name, function.parameters) in inherited() for name in names)
        if not described and set(function.parameters) != function.described:
            wrong[function.name] = sorted(set(function.parameters) ^ function.described)
    assert wrong == {}
