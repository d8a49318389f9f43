"""``result.json`` is what its JSON schema says, for every kind of game, and the schema describes every key."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mail.training.folder import Config, Run
from mail.training.train import train

SCHEMA: dict[str, Any] = json.loads((files("mail.training") / "result.schema.json").read_text())
CONFIGS = {
    "board": Config("tictactoe:2x3", explorer="counts", episodes=6, points=1, expert="uniform"),
    "Markov game": Config("rps", learners=("mail-tabular",), explorer="counts", episodes=4, points=2),
    "features": Config("chain:6", learners=("mail-linear",), explorer="linear", episodes=4, points=1),
    "cards": Config("kuhn", learners=("mail-tabular",), explorer="counts", episodes=20, points=1, expert="cfr+:3"),
}


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_result_is_valid(kind: str, tmp_path: Path) -> None:
    train(Run.create(tmp_path / "run", CONFIGS[kind]))
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    jsonschema.validate(result, SCHEMA, jsonschema.Draft202012Validator)
    described = SCHEMA["$defs"]["learner"]["properties"] | SCHEMA["$defs"]["measures"]["properties"]
    for row in result["learners"].values():
        assert row.keys() <= described.keys()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(result | {"more": 1}, SCHEMA, jsonschema.Draft202012Validator)


def test_the_page_names_every_key() -> None:
    page = (Path(__file__).parents[3] / "docs" / "runs.md").read_text()
    keys = [
        *SCHEMA["properties"],
        *SCHEMA["$defs"]["learner"]["properties"],
        *SCHEMA["$defs"]["measures"]["properties"],
    ]
    assert [key for key in keys if f"`{key}`" not in page] == []
