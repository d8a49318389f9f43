"""The README is a promise: snippets, its own and the pages', print what they say; the files it names are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mail.commands.cli import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


PROMISE = r"print\(.*?  # (?:exact: )?([\w.,/\[\] ]+?)(?: positions to move in)?$"
PAGES = (ROOT / "README.md", ROOT / "docs" / "adapters.md", ROOT / "docs" / "connect4.md")
SNIPPETS = [
    pytest.param(snippet, id=f"{page.name}-{number}")
    for page in PAGES
    for number, snippet in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
]


@pytest.mark.slow
@pytest.mark.parametrize("snippet", SNIPPETS)
def test_every_snippet_prints_what_it_says(
    snippet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "a page", "exec"), {})
    said = capsys.readouterr().out
    promised = re.findall(PROMISE, snippet, re.MULTILINE)
    assert promised
    for words in promised:
        for word in [words] if words.startswith("[") else words.split(", "):
            assert word in said, (word, said)


def test_every_file_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:games|agents|mail|scripts|docs)/[\w/.]+\.\w+)`", README))
    named |= set(re.findall(r"\]\((docs/[\w/.]+)\)", README))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_command_is_in_its_table() -> None:
    assert set(re.findall(r"^\| `nashmail (\w+)", README, re.MULTILINE)) == set(COMMANDS)
