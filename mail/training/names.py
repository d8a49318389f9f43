"""The names in a configuration, checked before anything heavy is imported: nothing here loads torch."""

from __future__ import annotations

from agents.expert import EXPERTS
from games.registry import make as make_game
from mail import explore, learners
from mail.data.records import GAMES
from mail.training.config import Config


def check_names(config: Config) -> None:
    """NashmailError for a game, explorer, expert or learner that there is not."""
    make_game(config.game)
    explore.check(config.explorer)
    EXPERTS.check(config.expert)
    for name in config.learners:
        if name != GAMES:
            learners.check(name)
