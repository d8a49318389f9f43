"""Networks that are hard to compute alike everywhere."""

from __future__ import annotations

import numpy as np
import torch

from agents.network import PolicyNet


def steep(net: PolicyNet, observations: np.ndarray, reach: float = 60.0) -> PolicyNet:
    """The network with its last layer scaled so that the largest logit of these observations is ``reach`` in size.

    Clones of few labels look like that far from them; single precision then errs by more than 1e-6.
    """
    last = net.layers[-1]
    assert isinstance(last, torch.nn.Linear)
    with torch.no_grad():
        factor = reach / net(torch.from_numpy(observations)).abs().max()
        last.weight.mul_(factor)
        last.bias.mul_(factor)
    return net
