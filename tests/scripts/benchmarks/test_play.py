"""The peer of the benchmark of play that lives in an environment of its own. Nothing here tests speed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import play
from games import NashmailError

PEER = """#!{python}
import sys
print("pgx 0 jax 0", flush=True)
for line in sys.stdin:
    game, seconds = line.split()
    print({{"tictactoe": 7.5, "connect4": 2.5}}[game] + float(seconds), flush=True)
"""


def test_the_peer_is_asked_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    peer = tmp_path / "python"
    peer.write_text(PEER.format(python=sys.executable))
    peer.chmod(0o755)
    with play._pgx(str(peer)) as measure:
        assert measure is not None
        assert (measure("tictactoe", 0.5), measure("connect4", 1.0)) == (8.0, 3.5)
    assert capsys.readouterr().err == "peer: pgx 0 jax 0\n"
    with play._pgx(None) as nobody:
        assert nobody is None


@pytest.mark.parametrize("python", [sys.executable, "/nowhere/python"])
def test_a_python_without_the_peer_is_refused(python: str) -> None:
    with pytest.raises(NashmailError, match="pgx"), play._pgx(python):
        pytest.fail("begun")
