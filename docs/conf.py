"""The documentation site: the pages of this folder and an API reference from the docstrings, built by `make docs`.

Nothing is fetched while it is built or read: no inventories of other projects, no fonts or scripts from elsewhere.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent

project = "nashmail"
author = "The nashmail authors"
version = release = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "index"
html_theme = "furo"
html_title = f"nashmail {version}"
html_show_copyright = False
html_copy_source = False

# Headings get the anchors that code hosts give them, so that `page.md#heading` leads to the same place.
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False

# Annotations are shown by these names, which api/games.rst defines.
ALIASES = (
    "States",
    "Keys",
    "Bools",
    "Floats",
    "Ints",
    "Table",
    "Rng",
    "Profile",
    "Seats",
    "Labels",
    "Factory",
    "Check",
)
autodoc_type_aliases = {name: name for name in ALIASES}


def add_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Make the pages that the start page links the site's contents, in that order.

    A ``toctree`` in the page itself would be shown as a block of code where pages are read without Sphinx.
    """
    if page == root_doc:
        linked = dict.fromkeys(re.findall(r"\]\(([\w/-]+)\.(?:md|rst)\)", source[0]))
        source[0] += "\n```{toctree}\n:hidden:\n\n" + "\n".join(linked) + "\n```\n"


def keep_colons(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Keep napoleon from reading ``one thing: another`` where an attribute's text begins as ``type: description``."""
    if what in ("attribute", "data", "property"):
        lines.insert(0, "\\ ")  # an escaped space shows nothing


def shorten_signature(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Show aliases and arrays as they are written; a protocol has no constructor to show."""
    if what == "class" and getattr(obj, "_is_protocol", False):
        signature = ""
    return shorten(signature), shorten(returns)


def shorten(annotation: str | None) -> str | None:
    """Autodoc leaves its own placeholders inside of ``tuple[...]``, and spells ``NDArray`` out."""
    if annotation is None:
        return None
    annotation = re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", annotation)
    return re.sub(r"ndarray\[tuple\[Any, \.\.\.\], dtype\[(\w+)\]\]", r"NDArray[\1]", annotation)


def setup(app: Sphinx) -> None:
    """Connect the above; called by Sphinx."""
    app.connect("source-read", add_contents)
    app.connect("autodoc-process-docstring", keep_colons, priority=400)  # before napoleon's 500
    app.connect("autodoc-process-signature", shorten_signature)
