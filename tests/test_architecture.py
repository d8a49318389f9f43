"""The direction of imports: games <- agents <- mail <- scripts, downwards inside ``mail``, no circle anywhere; and who
may load what is heavy.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = ("games", "agents", "mail", "scripts")
ROOMS = (  # of mail, the lowest first: a module imports from its own room and from lower ones
    {"parallel"},
    {"data"},
    {"clone", "evaluation"},
    {"explore"},
    {"learners"},
    {"training"},
    {"terminal"},
    {"commands"},
)
MEASURES = {"mail.explore.refute"}  # who may import mail.evaluation although it learns: they declare that they know it
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


def named(path: Path) -> str:
    """The dotted name that a module is imported by; scripts are found in their own folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[1:] if parts[0] == "scripts" else parts).removesuffix(".__init__")


NAMES = {named(path): path for path in MODULES}
TOPS = {  # the first words of what a folder's modules are called
    folder: {named(path).partition(".")[0] for path in MODULES if path.relative_to(ROOT).parts[0] == folder}
    for folder in ORDER
}


def uses(path: Path) -> set[str]:
    """The modules of ours that a module imports, at its top or later."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & set(NAMES)) or {node.module}
    return (found & set(NAMES)) - {named(path)}


USES = {name: uses(path) for name, path in NAMES.items()}


def rank(name: str) -> int | None:
    """How high the room of a module of ``mail`` lies; None for the package itself and its command."""
    parts = name.split(".")
    return next(
        (at for at, rooms in enumerate(ROOMS) if parts[0] == "mail" and len(parts) > 1 and parts[1] in rooms), None
    )


def test_every_module_of_mail_has_a_room() -> None:
    outside = {name for name in NAMES if name.startswith("mail") and rank(name) is None}
    assert outside == {"mail", "mail.__main__", "mail.start"}


def test_imports_inside_mail_run_downwards() -> None:
    up = [
        (name, used)
        for name, others in USES.items()
        for used in others
        if (here := rank(name)) is not None
        and (there := rank(used)) is not None
        and (there > here or (there == here and name.split(".")[1] != used.split(".")[1]))
    ]
    assert up == []


def test_learning_knows_no_measure() -> None:
    learning = {name for name in NAMES if name.startswith(("mail.clone", "mail.explore", "mail.learners"))}
    knowing = {name for name in learning if any(used.startswith("mail.evaluation") for used in USES[name])}
    assert knowing <= MEASURES


def test_no_circle_of_imports() -> None:
    left = dict(USES)
    while leaves := [name for name, others in left.items() if not others & set(left)]:
        for name in leaves:
            del left[name]
    assert not left


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    room = ORDER.index(path.relative_to(ROOT).parts[0])
    above = {name for folder in ORDER[room + 1 :] for name in TOPS[folder]}
    assert not imported(path) & above


@pytest.mark.parametrize("path", sorted((ROOT / "games").rglob("*.py")), ids=lambda path: path.name)
def test_games_load_numpy_alone(path: Path) -> None:
    assert imported(path, top_level_only=True) <= {"games", "numpy"} | sys.stdlib_module_names


def test_one_module_alone_imports_ray() -> None:
    assert [path.relative_to(ROOT) for path in MODULES if "ray" in imported(path)] == [
        Path("mail/parallel/ray_host.py")
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_pickle(path: Path) -> None:
    text = path.read_text()
    assert "pickle" not in imported(path)
    assert "allow_pickle=True" not in text and "torch.load" not in text and "torch.save" not in text


@pytest.mark.slow
@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_say_what_they_are_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))
