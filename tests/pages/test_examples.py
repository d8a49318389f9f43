"""The examples run as they are and print what they are there to show; the notebook's cells run in order."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest
from traitlets.config import Config

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = [pytest.mark.slow, pytest.mark.pages]


def run(name: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def gaps(printed: str) -> dict[str, float]:
    """What each line says of the Nash gap, by the line's first words."""
    return {name: float(gap) for name, gap in re.findall(r"^([\w.-]+).*Nash gap ([\d.]+)", printed, re.MULTILINE)}


def test_train_and_measure(tmp_path: Path) -> None:
    printed = run("train_and_measure.py", str(tmp_path / "run"))
    learned = gaps(printed)
    assert learned["mail"] < 0.01 and learned["bc"] == 2.0
    assert "greedy mail: exploitability 0.0000 and 0.0000" in printed
    assert (tmp_path / "run" / "result.json").is_file()


def test_measure_a_policy(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    first = run("measure_a_policy.py", str(table))
    assert gaps(first) == {"rule": 2.0, "table": 2.0}
    assert run("measure_a_policy.py", str(table)) == first, "the table that is there is measured"


def test_own_game() -> None:
    learned = gaps(run("own_game.py"))
    assert learned["mail-tabular"] == 0.0 and learned["bc-tabular"] > 1.0


def test_respond() -> None:
    """The learned response wins more often than not, and no more than the exact one (plus the error of 200 games)."""
    learned, best = (float(number) for number in re.findall(r"\d\.\d+", run("respond.py")))
    assert 0.5 < learned <= best + 0.02 and best > 0.9


def test_the_tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs are not kept in the file; a cell that raises fails here."""
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")  # without it jupyter_core warns
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(EXAMPLES / "tour.ipynb", as_version=4)
    assert all(cell.get("outputs", []) == [] and cell.get("execution_count") is None for cell in notebook.cells)
    ipc = Config({"KernelManager": {"transport": "ipc", "ip": str(tmp_path / "kernel")}})  # no port is opened
    client = nbclient.NotebookClient(notebook, timeout=300, config=ipc, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "uniform play: 1.9197" in printed and "experts: 0.0000" in printed
    assert re.search(r"^mail .* Nash gap 0\.000", printed, re.MULTILINE)
    pictures = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 1
