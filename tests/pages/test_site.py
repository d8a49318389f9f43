"""`make docs`: the pages and the API reference are built without a warning, and load nothing from elsewhere."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

import agents
import games
import mail

ROOT = Path(__file__).parents[2]
PUBLIC = {"games": games.__all__, "agents": agents.__all__, "mail": [*mail._HOMES, "train", "compare"]}
SIGNATURES = {
    "games": ("games.GameGraph", "make(name: str) → Game", "legal(states: States, seat: int) → Bools"),
    "agents": ("query(policy: Policy, game: Game, states: States, seat: int) → Floats",),
    "mail": ("nash_gap(model: Model, profile: Seats, *, pool: Pool | None = None) → Gap",),
}

pytestmark = [pytest.mark.slow, pytest.mark.pages]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    build = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-d",
        str(out / "trees"),
        "docs",
        str(out / "html"),
    ]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out / "html"


@pytest.mark.parametrize("package", PUBLIC)
def test_the_reference_holds_every_public_name(site: Path, package: str) -> None:
    page = (site / "api" / f"{package}.html").read_text()
    assert [name for name in PUBLIC[package] if f'id="{package}.{name}"' not in page] == []
    text = html.unescape(re.sub(r"<[^>]*>", "", page))
    for signature in SIGNATURES[package]:
        assert signature in text


def test_every_page_is_in_the_contents(site: Path) -> None:
    pages = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.*") if path.suffix in (".md", ".rst")]
    contents = (site / "index.html").read_text()
    assert [
        str(page) for page in pages if f'class="reference internal" href="{page.with_suffix("")}.html"' not in contents
    ] == ["index.md"]


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loaded = re.compile(r'<(?:script|img|iframe)[^>]*src="([^"]*)"|<link[^>]*href="([^"]*)"|url\(([^)]*)\)')
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        for found in loaded.findall(path.read_text()):
            assert not re.match(r"[\"']?(https?:)?//", "".join(found)), (path.name, found)
