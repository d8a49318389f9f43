"""Graphs of large boards (``games.plies.graph``), kept on disk between runs.

The files are ``NAME.npz`` in the directory ``graphs`` beside the label cache (``agents.storage.label_cache``): arrays
without pickle, a format version, the board, and a SHA-256 digest of all that. They are written under a temporary name
and renamed. A file that is damaged, of another version or of another board is renamed, with a line on standard error,
and the graph is listed anew; so it is where there is no room to keep it, which is said before anything is begun.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.storage.atomic import replacing
from agents.storage.label_cache import folder
from agents.storage.reading import Unreadable, printable, read_arrays
from games.base import Enumerable
from games.cost import size
from games.plies.graph import CompactGraph
from games.plies.listing import memory
from games.plies.rules import Rules, rules_of

FORMAT = 1
Arrays = dict[str, NDArray[Any]]


def graph_of(game: Enumerable) -> CompactGraph:
    """A board's graph with perfect play: from its file, or listed and then kept there.

    Args:
        game: A board that fits 32 bits, or its quotient by the mirror image.

    Raises:
        GameError: For another game, or where the memory does not suffice.
    """
    rules, path = rules_of(game), path_of(game)
    if rules is None or path is None:
        return CompactGraph(game)
    if path.exists():
        try:
            return _loaded(game, rules, path)
        except Unreadable as error:
            _set_aside(path, error)
    room = _room(path)
    needed = memory(rules)  # a bound
    if room < needed:
        _say(
            f"the graph of {game.spec.name} is not kept: it needs up to {size(needed)} in {path.parent}, which has "
            f"{size(room)}; set NASHMAIL_CACHE to another folder"
        )
    graph = CompactGraph(game)
    graph.solve()
    if room >= needed:
        _keep(graph, path)
    return graph


def path_of(game: Enumerable) -> Path | None:
    """Where a board's graph is kept.

    Args:
        game: A board or its quotient.

    Returns:
        The path; None for another game.
    """
    rules = rules_of(game)
    if rules is None:
        return None
    board: Any = getattr(game, "base", game)
    gravity = "drop" if board.gravity else "place"
    mirror = "-mirror" if rules.facts[2] else ""
    return folder() / "graphs" / f"{gravity}-{board.rows}x{board.columns}-{board.k}{mirror}.npz"


def clean() -> tuple[int, int]:
    """Delete all kept graphs, and files that were set aside.

    Returns:
        How many files, and their bytes.
    """
    files = [path for path in (folder() / "graphs").glob("*.npz*") if path.is_file()]
    total = sum(path.stat().st_size for path in files)
    for path in files:
        path.unlink(missing_ok=True)
    return len(files), total


def _keep(graph: CompactGraph, path: Path) -> None:
    """Write a graph; where that fails, say so."""
    arrays: Arrays = {f"ply_{ply.stones:02}": ply.bits for ply in graph.plies}
    arrays["plies_to_end"] = graph.plies_to_end
    about = {"format": FORMAT, "board": path.stem, "digest": _digest(path.stem, arrays)}
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    try:
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # the stubs take a keyword of savez for them
    except OSError as error:
        _say(f"the graph of {graph.game.spec.name} is not kept: {printable(error.strerror or error)}")


def _loaded(game: Enumerable, rules: Rules, path: Path) -> CompactGraph:
    """The graph of a file. Unreadable where it is not what it should be."""
    arrays = read_arrays(path)
    try:
        about = json.loads(arrays.pop("about").tobytes())
        if about["format"] != FORMAT:
            raise Unreadable(f"it has format {about['format']}, not {FORMAT}")
        if about["board"] != path.stem or about["digest"] != _digest(path.stem, arrays):
            raise Unreadable("its digest is not that of its contents")
        plies_to_end = arrays.pop("plies_to_end")
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"it lacks {printable(error)}") from error
    bits = [arrays[name] for name in sorted(arrays)]
    if [len(of_ply) for of_ply in bits] != [rules.words(stones) for stones in range(len(bits))]:
        raise Unreadable("its plies have other sizes")
    return CompactGraph(game, bits=bits, plies_to_end=plies_to_end)


def _digest(board: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of the format, the board's name and all arrays with their names and types."""
    found = hashlib.sha256(f"{FORMAT} {board}".encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f" {name} {array.dtype.str} {array.shape} ".encode())
        found.update(array.data)
    return found.hexdigest()


def _set_aside(path: Path, error: Exception) -> None:
    """Rename a file that cannot be used."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    try:
        path.rename(aside)
    except OSError:
        return
    _say(f"the graph file {path} cannot be used ({printable(error)}): kept as {aside.name}; the graph is listed anew")


def _room(path: Path) -> int:
    """Free bytes of the disk on which a file is to be."""
    there = next(parent for parent in path.absolute().parents if parent.exists())
    return shutil.disk_usage(there).free


def _say(line: str) -> None:
    print(line, file=sys.stderr)
