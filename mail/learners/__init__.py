"""Learners by name: those of ``mail.learners.builtin``, and those that ``register`` adds. Does not import torch."""

from mail.learners import builtin as builtin
from mail.learners.base import (
    LEARNERS,
    OF_THE_RUN,
    CheckingLearner,
    Learner,
    LearnerDeclaration,
    check,
    declared,
    knowledge,
    make_learner,
    names,
    register,
    share_explorer,
)

__all__ = [
    "LEARNERS",
    "OF_THE_RUN",
    "CheckingLearner",
    "Learner",
    "LearnerDeclaration",
    "check",
    "declared",
    "knowledge",
    "make_learner",
    "names",
    "register",
    "share_explorer",
]
