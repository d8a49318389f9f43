"""Forced wins on boards with gravity, decided by a search (``games.deciding.decider``)."""

from games.deciding.decider import Decider

__all__ = ["Decider"]
