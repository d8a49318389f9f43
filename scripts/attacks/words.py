"""The arguments of every command: odd values for every option, and arguments that exclude each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from attacks.fixture import GAME, Case, Fixture, simple
from attacks.mutations import TITLE
from attacks.running import Command

KIND = "words"
NUMBERS = ("", "x", "-1", "1.5", "nan", "inf", "1e9", "0x10", "9" * 40, "-" + "9" * 40, "１", "1\n", " ", TITLE)
"""Values that are not whole numbers in an allowed range."""
PATHS = (
    "",
    "nobody",
    "/dev/null",
    "a" * 256,
    "a/" * 3000,
    "x\x00y",
    TITLE,
    "done:",
    "done:nobody",
    ":mail",
    "done/config.json",
    "..",
)
WORDS = ("", "x", ",", "mail,mail", "MAIL", TITLE, "a" * 10_000, "mail,", "--", "bc bc")
_TRAIN = ("train", GAME, "--episodes", "2", "--out", "new")
_BEGUN = {
    "train": _TRAIN,
    "gap": ("gap", "done"),
    "exploit": ("exploit", "done"),
    "match": ("match", GAME, "random", "random", "--games", "2"),
    "play": ("play", GAME, "--against", "random"),
    "watch": ("watch", "done", "--once"),
    "export": ("export", "done", "--out", "new"),
}
_OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "--seed": NUMBERS, "--episodes": (*NUMBERS, "0"), "--labels": NUMBERS, "--learner": WORDS, "--explorer": WORDS,
        "--expert": WORDS, "--device": (*WORDS, "cuda:99", "meta"), "--workers": (*NUMBERS, "0"), "--out": PATHS[2:7],
    },
    "exploit": {"--limit": (*NUMBERS, "0"), "--learned": (*NUMBERS, "0"), "--seed": NUMBERS, "--workers": ("0", "-1", "x")},
    "match": {"--csv": PATHS[3:6], "--games": (*NUMBERS, "0"), "--seed": NUMBERS, "--workers": ("0", "-1", "x", "1e3")},
    "play": {"--seed": NUMBERS, "--seat": ("2", "-1", "", "x", TITLE), "--against": PATHS, "--save": PATHS[3:7]},
    "watch": {"--every": ("", "x", "-1", "0", "nan", "inf", "1e9", TITLE)},
    "gap": {"--csv": PATHS[3:6], "--game": ("x", TITLE, "a" * 10_000, "x\x00y"), "--workers": ("0", "-1", "x", "9" * 40)},
    "export": {"--to": ("", "x", TITLE, "ONNX", "../x"), "--out": PATHS[2:7]},
}  # fmt: skip
_EITHER = {("--seed", "9" * 40), ("--limit", "9" * 40), ("--learner", "mail,"), ("--seed", "1e9"),
           ("--out", "a" * 256), ("--out", TITLE), ("--save", TITLE), ("--workers", "9" * 40)}  # fmt: skip
"""Values that may be accepted as numbers or as file names."""
_WHOLE = (  # each is wrong as a whole
    ("",), ("trian",), ("train",), ("--nothing",), ("train", GAME, "--nothing"), ("gap",), ("replay",), (TITLE,), ("a" * 10_000,),
    (*_TRAIN, "--resume", "--force"), (*_TRAIN, "--resume"), ("train", GAME, "--out", "done"),
    ("train", GAME, "--out", "done", "--resume", "--seed", "7"), (*_TRAIN, "--from-games"), (*_TRAIN, "--from-games", "nothing.txt"),
    (*_TRAIN, "--from-games", "done"), ("train", "rps", "--from-games", "game.txt", "--out", "new"),
    ("train", "rps", "--explorer", "refute", "--out", "new"),
    ("train", "connect4:4x4", "--expert", "vertex", "--out", "new"),
    ("train", "simultaneous:matrix_rps", "--learner", "bc-linear", "--out", "new"), ("train", "rps", "--symmetry", "--out", "new"),
    ("train", "simultaneous:matrix_rps", "--explorer", "refute", "--out", "new"), (*_TRAIN, "--expert", "vertex"),
    ("train", "linear:4,2", "--symmetry", "--out", "new"), ("train", "openspiel:tic_tac_toe", "--symmetry", "--expert", "vertex", "--out", "new"),
    ("gap", "done", "markov"), ("gap", "table.csv"), ("gap", "table.csv", "--game", "connect4:4x4"), ("gap", "table.csv", "--game", "rps"),
    ("gap", "game.txt"), ("gap", ""), ("exploit", ""), ("export", ""), ("watch", "", "--once"), ("replay", ""), ("play", ""), ("train", ""), ("match", "", "random", "random"),
    ("exploit", "done", "--json", "--show"), ("exploit", "done", "--seed", "1"), ("exploit", "markov"), ("exploit", "part"),
    ("export", "done", "--to", "onnx", "--out", "done"), ("export", "part"), ("export", "done", "--out", "game.txt"),
    ("match", GAME, "random"), ("match", GAME, "done", "nobody"), ("match", "rps", "done", "random"), ("match", GAME, "suboptimal:-1", "random"),
    ("match", GAME, "suboptimal:nan", "random"), ("match", GAME, "suboptimal:", "random"), ("match", GAME, "suboptimal:x,y,z", "random"),
    ("match", GAME, "table.csv", "nothing.csv"), ("play", GAME, "--against", "markov"), ("play", GAME, "--against", "part"),
    ("watch", "game.txt", "--once"), ("watch", "nobody", "--once"), ("watch", "nobody", "--json"), ("games", "x"), ("games", "--json", "x"),
    ("train", GAME, "--out", "game.txt"), ("train", GAME, "--out", "game.txt/x"), ("train", GAME, "--out", "done/policies"), ("train", GAME, "--out", "/proc/new"),
    ("train", GAME, "--out", "cloned", "--force", "--from-games", "nothing.txt"), ("replay", "done"), ("replay", "/dev/zero"), ("replay", "/proc/self/mem"),
)  # fmt: skip
_LINKED = ("train", "cloned", "--resume", "--from-games", "game0.txt")
_RIGHT = (  # must keep working
    ("--help",), *((name, "--help") for name in (*_BEGUN, "games", "replay")), ("games",), ("games", "--json"),
    ("gap", "done", "--json"), ("gap", "done", "done:bc-linear"), ("gap", "table.csv", "--game", GAME), ("gap", "table.json", "--game", GAME, "--json"),
    ("exploit", "done"), ("exploit", "done", "--show"), ("export", "done"), ("export", "done:bc-linear", "--to", "torchscript"),
    ("match", GAME, "done", "expert", "random", "suboptimal:1", "--games", "4", "--json"), ("replay", "game.txt", "--all"),
    ("watch", "done", "--json"), ("watch", "part", "--once"), ("gap", "cloned"), ("gap", "markov", "--json"), ("play", GAME, "--against", "done", "--seat", "1"),
    (*_TRAIN, "--symmetry", "--json"), ("train", "cloned", "--help"), ("gap", "./done/"), ("match", GAME, "random", "done", "--ratings", "--games", "2"),
)  # fmt: skip


def cases(fixture: Fixture, rng: np.random.Generator) -> list[Case]:
    """All cases."""
    found = []
    for command, options in _OPTIONS.items():
        for option, values in options.items():
            for value in values:
                words = (*_BEGUN[command], option, value)
                either = (option, value) in _EITHER or value in ("１", "1\n")  # accepted by int()
                found.append(_case(words, "either" if either else "refuse", f"{command} {option} {ascii(value)[:40]}"))
    found += [_case(words, "refuse", " ".join(words)[:70]) for words in _WHOLE]
    found += [_case(words, "accept", "right: " + " ".join(words)[:60]) for words in _RIGHT]
    other = ("train", GAME, "--seed", "2", "--out", "storing", "--resume", "--from-games", "game0.txt")
    return [*found, _case(other, "refuse", "--from-games OTHER --resume")]


def _case(words: tuple[str, ...], expect: str, name: str) -> Case:
    used = {"done", "part", "cloned", "storing", "markov", "game.txt", "game0.txt", "table.csv", "table.json"}
    first = {word.partition("/")[0].partition(":")[0] for word in words} | ({"done"} if "./done/" in words else set())
    copied = sorted(used & first)

    def prepare(place: Path, fixture: Fixture) -> None:
        for one in copied:
            fixture.copy(one, place / one)

    command = Command(words, expect, seconds=15.0, may_change=("*/metrics.jsonl",))  # type: ignore[arg-type]
    if any("\0" in word for word in words):
        pass  # reaches main unchanged: arguments of a copied process do not pass through the system
    return simple(KIND, f"{KIND}: {ascii(name)[1:-1]}", 11, command, prepare)
