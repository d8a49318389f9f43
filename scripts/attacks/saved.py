"""Invalid saved games, and input to ``play``: garbage, floods, control sequences, file names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from attacks.fixture import GAME, SAVED, Case, Fixture, simple
from attacks.mutations import TITLE, of_bytes, some
from attacks.running import Command, Expect

KIND = "saved"
BYTES = 10
_HEAD = SAVED.splitlines()
TEXTS: dict[str, str] = {
    "no title": SAVED.replace("nashmail game 1", "hello"), "format 2": SAVED.replace("game 1", "game 2", 1), "format 0": SAVED.replace("game 1", "game 0", 1), "format -1": SAVED.replace("game 1", "game -1", 1),
    "a title in front": TITLE + SAVED, "no game": SAVED.replace(_HEAD[1] + "\n", ""), "another game": SAVED.replace(GAME, "connect4"), "an unknown game": SAVED.replace(GAME, "ludo"),
    "a title for a game": SAVED.replace(GAME, TITLE), "a game that kills": SAVED.replace(GAME, "openspiel:havannah(board_size=-1)"), "a game that aborts": SAVED.replace(GAME, "openspiel:hanabi(colors=-1)"),
    "a game of no size": SAVED.replace(GAME, "openspiel:hex(board_size=100000)"), "a game of 8 TB": SAVED.replace(GAME, "linear:1000000,200"), "a file for a game": SAVED.replace(GAME, "openspiel:efg_game(filename=/dev/zero)"),
    "seed -1": SAVED.replace("seed: 4", "seed: -1"), "seed x": SAVED.replace("seed: 4", "seed: x"), "result 0": SAVED.replace("result: 1", "result: 0"), "result nan": SAVED.replace("result: 1", "result: nan"),
    "result unfinished": SAVED.replace("result: 1", "result: unfinished"), "seat 7 resigned": SAVED.replace("result: 1", "result: seat 7 resigned"), "moves swapped": SAVED.replace("1. 1\n2. 6", "2. 6\n1. 1"),
    "an illegal move": SAVED.replace("2. 6", "2. 1"), "move 0": SAVED.replace("2. 6", "2. 0"), "move 999999": SAVED.replace("2. 6", "2. 999999"), "two moves on a line": SAVED.replace("2. 6", "2. 6 5"),
    "a move after the end": SAVED + "4. 3\n", "a million moves": SAVED + "".join(f"{ply}. 1\n" for ply in range(4, 90_000)), "a field twice": SAVED.replace("seed: 4", "seed: 4\nseed: 4"), "an unknown field": SAVED.replace("seed: 4", "sede: 4"),
    "a field among moves": SAVED + "seed: 4\n", "a line of 900 kB": SAVED + "x" * 900_000, "a title for a move": SAVED.replace("2. 6", f"2. {TITLE}"), "move 1e0": SAVED.replace("2. 6", "2. 1e0"), "no result": SAVED.replace("result: 1\n", ""),
    "digits of another script": SAVED.replace("2. 6", "2. ６"), "two games": SAVED + SAVED, "20 MB": SAVED + "# x\n" * 5_000_000,
}  # fmt: skip
HARMLESS: dict[str, str] = {
    "a title for a name": SAVED.replace("random", TITLE), "a long name": SAVED.replace("random", "r" * 900_000), "a name with a sign": SAVED.replace("random", "a # b"), "a name backwards": SAVED.replace("random", "\u202eabc"),
    "a remark with a title": SAVED.replace("2. 6", f"2. 6 # {TITLE}"), "lines of Windows": SAVED.replace("\n", "\r\n"), "no last line": SAVED.rstrip(), "unfinished": SAVED.replace("3. 2\n", "").replace("result: 1", "result: unfinished"),
    "a seed of 100 digits": SAVED.replace("seed: 4", "seed: " + "9" * 100), "a NUL in a name": SAVED.replace("random", "a\0b"),
    "2 MB of remarks": SAVED + "# x\n" * 500_000,
}  # fmt: skip
TYPED: dict[str, bytes] = {
    "nothing": b"", "blank lines": b"\n" * 5000, "garbage": bytes(range(256)) * 40, "no UTF-8": b"\xff\xfe\xfd\n" * 50, "a line of 8 MB": b"1" * (8 << 20) + b"\n1\n", "a title": TITLE.encode() + b"\n1\n", "NUL": b"\0\n1\n2\n",
    "words without end": b"hint\nboard\nanalysis\nswap\nundo\n?\n" * 300, "moves that are none": b"0\n-1\n99\n1.5\n1e9\n999999999999\n" * 30, "undo at once": b"undo\nundo\n1\nundo\nundo\nundo\n", "swap and undo": b"swap\nundo\nswap\n1\nswap\nundo\nanalysis on\nhint\n",
    "resign": b"resign\nno\nresign\nyes\n", "save nowhere": b"save\nsave \nsave /\nsave /nothing/there\nsave .\nsave ..\n1\n", "save too long": b"save " + b"a" * 256 + b"\nsave " + b"b/" * 3000 + b"\n1\n", "save a NUL": b"save a\0b\n1\n", "save a title": b"save " + TITLE.encode() + b"\n1\n",
    "save over a device": b"save /dev/full\nsave /dev/null/x\nsave /proc/x\n1\n", "save over the game": b"save game.txt\n1\nsave game.txt\n", "save no UTF-8": b"save \xff\xfe\n1\nq\n", "Windows' lines": b"1\r\n2\r\n3\r\n", "old Mac's lines": b"1\r2\r3\r", "end in a line": b"1\nhi",
    "analysis of anything": b"analysis x\nanalysis \x1b[2J\nanalysis on on\nanalysis off\nhelp me\nquit now\nq\n",
}  # fmt: skip


def cases(fixture: Fixture, rng: np.random.Generator) -> list[Case]:
    """Saved games for ``replay`` and ``train --from-games``, and dialogues through a pipe."""
    found = []
    for number, (label, text) in enumerate(TEXTS.items()):
        words = (
            ("train", GAME, "--from-games", "bad.txt", "--out", "new")
            if number % 4 == 3
            else ("replay", "bad.txt", "--all")
        )
        found.append(_file(label, text.encode(), "refuse", words))
    for label, text in HARMLESS.items():
        found.append(
            _file(
                label,
                text.encode(),
                "either" if "NUL" in label else "accept",
                ("replay", "bad.txt", "--all", "--analysis"),
            )
        )
    faults = list(of_bytes(SAVED.encode(), rng))
    for label, data in some(faults, BYTES, rng):
        found.append(_file(label, data, "either", ("replay", "bad.txt")))
    for number, (label, data) in enumerate(TYPED.items()):
        options = (("--seat", "both"), ("--analysis",), ("--ascii", "--seat", "1"), ())[number % 4]
        for game in (GAME, "simultaneous:matrix_rps" if number % 2 else "openspiel:tic_tac_toe"):
            words = (
                "play",
                game,
                "--against",
                "random" if "--seat" not in options else "expert",
                "--seed",
                "1",
                *options,
            )
            command = Command(words, "accept", stdin=data)
            found.append(
                simple(
                    KIND,
                    f"{KIND}: typed at {game}: {label}",
                    11,
                    command,
                    lambda place, fixture: fixture.copy("game.txt", place / "game.txt"),
                )
            )
    return found


def _file(label: str, data: bytes, expect: Expect, words: tuple[str, ...]) -> Case:
    def prepare(place: Path, fixture: Fixture) -> None:
        (place / "bad.txt").write_bytes(data)

    return simple(KIND, f"{KIND}: {words[0]} {label}", 11, Command(words, expect, memory=3000), prepare)
