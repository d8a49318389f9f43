"""``--csv FILE``: the tables that a command prints as CSV, with all digits; several have their names in a column.

Lists of numbers become a column each (``exploitability_0``, ``exploitability_1``); what is not known is empty.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Rows = Sequence[Mapping[str, Any]]
"""One table: a mapping from column to value per row."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table as CSV, too, with all digits")


def check(path: Path | None) -> None:
    """Refuse, before long work, a file that cannot be written.

    Args:
        path: The file; None for none.

    Raises:
        NashmailError: It is a folder or a device, in no folder, or may not be written.
    """
    from agents.storage.reading import printable
    from games.base import NashmailError

    if path is None:
        return
    if "\0" in str(path):
        raise NashmailError("--csv takes the name of a file, without NUL")
    if path.exists() and not path.is_file():  # a folder, or a device, which must not be replaced by a file
        raise NashmailError(f"--csv {printable(path)} is there and is no file; name a file")
    if not path.absolute().parent.is_dir():
        raise NashmailError(f"--csv {printable(path)} : there is no folder {printable(path.parent)}; make it first")
    if not os.access(path.absolute().parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise NashmailError(f"--csv {printable(path)} cannot be written; name another file")


def write(path: Path | None, **tables: Rows) -> None:
    """Write tables.

    Args:
        path: The file; None for none.
        tables: By name; those without rows are left out.
    """
    from agents.storage.atomic import write_atomic

    if path is not None:
        write_atomic(path, as_csv({name: rows for name, rows in tables.items() if rows}))


def as_csv(tables: Mapping[str, Rows]) -> bytes:
    """Tables as CSV. With more than one, the first column is ``table``.

    Args:
        tables: By name.
    """
    several = len(tables) > 1
    rows = [({"table": name} if several else {}) | dict(_flat(row)) for name, found in tables.items() for row in found]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _flat(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Columns and plain values of a row."""
    for name, value in row.items():
        if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
            yield name, " ".join(value)
        elif isinstance(value, list | tuple):
            yield from _flat({f"{name}_{index}": one for index, one in enumerate(value)})
        elif isinstance(value, Mapping):
            yield from _flat({f"{name}_{key}": one for key, one in value.items()})
        else:
            yield name, value
