"""A mistyped name is refused before torch is loaded, which takes longer than all else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.mail.training.run_folders import OLD

CODE = "import sys\nfrom mail.start import main\nstatus = main()\nprint(status, 'torch' in sys.modules)"
MISTYPED = [
    "train nope",
    "train tictactoe --learner nope",
    "train tictactoe --learner mail,nope",
    "train tictactoe --explorer nope",
    "train tictactoe --expert nope",
    "gap nope",
    "gap RUN:nope",
    "gap RUN nope",
    "gap UNFINISHED",
    "gap RUN --game nope",
    "exploit nope",
    "exploit RUN:nope",
    "export nope",
    "export RUN:nope",
    "match nope random expert",
    "match tictactoe random nope",
    "match tictactoe RUN nope",
    "match tictactoe RUN:nope random",
    "play nope",
    "play tictactoe --against nope",
    "watch nope --once",
    "replay nope",
    "games --check nope",
    "games --import nope",
]


@pytest.mark.parametrize("words", MISTYPED)
def test_torch_is_not_loaded_for_a_mistyped_name(words: str) -> None:
    places = {"RUN": str(OLD / "finished"), "UNFINISHED": str(OLD / "unfinished")}
    named = [":".join(places.get(part, part) for part in word.split(":")) for word in words.split()]
    done = subprocess.run([sys.executable, "-c", CODE, *named], capture_output=True, text=True, timeout=120)
    assert done.stdout == "2 False\n"
    assert done.stderr.startswith(f"nashmail {named[0]}: ") and done.stderr.count("\n") == 1
    assert "nope" in done.stderr or "is not finished" in done.stderr
