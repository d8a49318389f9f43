"""Learning by imitation, and measuring exactly: ``mail.train``, ``mail.nash_gap``, ``mail.load_profile``.

Names are imported when they are first used, so that ``import mail`` and ``nashmail --help`` stay light; nothing at
all is imported here, so that the command's entry, which comes after this, can catch Ctrl-C from the first moment on.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HOMES = {
    "Budget": "mail.learners.budget",
    "Config": "mail.training.folder",
    "Decisions": "mail.data.decisions",
    "Gap": "mail.evaluation.gap",
    "Run": "mail.training.folder",
    "load_profile": "mail.training.folder",
    "nash_gap": "mail.evaluation.gap",
    "register_explorer": ("mail.explore", "register"),
    "register_learner": ("mail.learners.base", "register"),
}


def train(game: str, out: str, **options: Any) -> dict[str, Any]:
    """Train on a game into the new folder ``out`` and return the result; options are the fields of ``Config``.

    Raises NashmailError for names that do not exist and for a folder that holds something already.
    """
    from pathlib import Path

    from mail.training.folder import Config, Run
    from mail.training.train import prepare
    from mail.training.train import train as run_training

    config = Config(game=game, **options)
    known = prepare(config)
    return run_training(Run.create(Path(out), config), known=known)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mail' has no attribute {name!r}")
    from importlib import import_module

    home = _HOMES[name]
    module, attribute = home if isinstance(home, tuple) else (home, name)
    return getattr(import_module(module), attribute)
