"""What the pages link and the docstrings cite is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
MODULES = sorted(path for folder in ("games", "agents", "mail", "scripts") for path in (ROOT / folder).rglob("*.py"))


def anchors(path: Path) -> set[str]:
    """What ``#...`` can name in a page."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()) if not link.startswith("http")]
    for link in links:
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_citation_of_a_page_is_there(path: Path) -> None:
    text = " ".join(path.read_text().split())
    headings = re.findall(r"^## (.*)$", (ROOT / "docs" / "algorithms.md").read_text(), re.MULTILINE)
    for cited in re.findall(r'docs/algorithms\.md, "([^"]+)"', text):
        assert cited in headings
    for name in re.findall(r"\b(docs/[\w/-]+\.md|[A-Z]{4,}\.md)\b", text):
        assert (ROOT / name).exists(), name


def test_the_version_has_one_source() -> None:
    stated = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    cited = re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert stated and cited and stated[1] == cited[1]
