"""The direction of imports: games <- agents <- mail <- scripts, downwards inside ``mail``, no circle anywhere; and who
may load what is heavy.
"""

from __future__ import annotations

import ast
import sys
from functools import cache
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


@cache
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


@cache
def all_uses() -> dict[str, set[str]]:
    """The same for every module, by name. No constant: whoever only collects tests need not parse everything."""
    return {name: uses(path) for name, path in NAMES.items()}


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
        for name, others in all_uses().items()
        for used in others
        if (here := rank(name)) is not None
        and (there := rank(used)) is not None
        and (there > here or (there == here and name.split(".")[1] != used.split(".")[1]))
    ]
    assert up == []


def test_learning_knows_no_measure() -> None:
    learning = {name for name in NAMES if name.startswith(("mail.clone", "mail.explore", "mail.learners"))}
    knowing = {name for name in learning if any(used.startswith("mail.evaluation") for used in all_uses()[name])}
    assert knowing <= MEASURES


def test_no_circle_of_imports() -> None:
    left = dict(all_uses())
    while leaves := [name for name, others in left.items() if not others & set(left)]:
        for name in leaves:
            del left[name]
    assert not left


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    room = ORDER.index(path.relative_to(ROOT).parts[0])
    above = {name for folder in ORDER[room + 1 :] for name in TOPS[folder]}
    assert not imported(path) & above


# --- what a game can do is stated by the game --------------------------------------------------------------

TYPE_TESTS = 10
"""Type tests of games and their models outside ``games/``: only fewer. A game states what it can do
(``games.base.Spec``), and so does its model; each test that is left has a comment that says why.
"""


@cache
def classes_of_games() -> set[str]:
    """The names of all classes in ``games/`` that are no errors."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "games").rglob("*.py")]
    found = {node.name: {ast.unparse(base) for base in node.bases} for tree in trees for node in ast.walk(tree)
             if isinstance(node, ast.ClassDef)}  # fmt: skip
    errors = {"Exception", "ValueError"}
    while more := {name for name, bases in found.items() if bases & errors} - errors:
        errors |= more
    return set(found) - errors


def type_tests(text: str, classes: set[str]) -> list[tuple[int, str]]:
    """The line and the words of every test of such a class in a module: ``isinstance``, ``issubclass``, ``match``,
    ``type(game) is``, under whatever name the class was imported.
    """
    tree, found = ast.parse(text), []
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "games"
        for alias in node.names
        if alias.name in classes
    }

    def tells(node: ast.AST) -> bool:
        return any(
            (isinstance(part, ast.Name) and part.id in names)
            or (isinstance(part, ast.Attribute) and part.attr in classes and ast.unparse(part.value) == "games")
            for part in ast.walk(node)
        )

    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            tested: ast.AST = node.args[1]
        elif isinstance(node, ast.Compare) and ast.unparse(node.left).startswith("type("):
            tested = ast.Tuple(node.comparators)
        elif isinstance(node, ast.MatchClass):
            tested = node.cls
        else:
            continue
        if tells(tested):
            found.append((node.lineno if not isinstance(node, ast.MatchClass) else node.cls.lineno, ast.unparse(node)))
    return found


def test_type_tests_are_seen() -> None:
    seen = type_tests(
        "import games\nfrom games.boards import Board as B\nfrom games.base import GameError\n"
        "isinstance(x, B)\nisinstance(x, (int, games.MarkovGame))\ntype(x) is B\nisinstance(x, GameError)\n"
        "isinstance(x, int | B)\nissubclass(x, B)\n",
        classes_of_games(),
    )
    assert [line for line, _ in seen] == [4, 5, 6, 8, 9]


def test_games_state_what_they_can_do() -> None:
    """Instead of having others ask what they are."""
    classes, found, bare = classes_of_games(), [], []
    for path in MODULES:
        if path.relative_to(ROOT).parts[0] == "games":
            continue
        text = path.read_text()
        for line, words in type_tests(text, classes):
            here, before = text.splitlines()[line - 1], text.splitlines()[line - 2]
            found.append(f"{path.relative_to(ROOT)}:{line}: {words}")
            if "#" not in here and not before.strip().startswith("#"):
                bare.append(found[-1])
    assert len(found) <= TYPE_TESTS, "\n".join(found)
    assert bare == [], "say why in a comment"


@pytest.mark.parametrize("path", sorted((ROOT / "games").rglob("*.py")), ids=lambda path: path.name)
def test_games_load_numpy_alone(path: Path) -> None:
    assert imported(path, top_level_only=True) <= {"games", "numpy"} | sys.stdlib_module_names


def test_one_module_alone_imports_ray() -> None:
    assert [path.relative_to(ROOT) for path in MODULES if "ray" in imported(path)] == [
        Path("mail/parallel/ray_host.py")
    ]


def test_full_screen_play_alone_imports_prompt_toolkit() -> None:
    using = [path.relative_to(ROOT) for path in MODULES if "prompt_toolkit" in imported(path)]
    assert using == [Path("mail/terminal/full/app.py")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_pickle(path: Path) -> None:
    text = path.read_text()
    assert "pickle" not in imported(path)
    assert "allow_pickle=True" not in text and "torch.load" not in text and "torch.save" not in text


@pytest.mark.slow
@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_say_what_they_are_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))
