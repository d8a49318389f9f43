"""Players: experts, clones, random play and wrappers, all with the interface ``Policy.probabilities``.

Importing this package does not import torch; ``agents.network`` and ``agents.storage.policies`` do.
"""

from agents.expert import make as make_expert
from agents.expert import register as register_expert
from agents.policy import Greedy, Lifted, Mixture, Policy, PolicyError, Tempered, Uniform, query, sample, tabulate
from agents.tabular import Tabular

__all__ = [
    "Greedy",
    "Lifted",
    "Mixture",
    "Policy",
    "PolicyError",
    "Tabular",
    "Tempered",
    "Uniform",
    "make_expert",
    "query",
    "register_expert",
    "sample",
    "tabulate",
]
