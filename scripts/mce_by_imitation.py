"""Maximum causal entropy IRL by the library ``imitation``, stored for a test to compare with ours.

``imitation`` needs an older gymnasium than this project, so that it goes into an environment of its own:

    python3 -m venv /tmp/imitation && /tmp/imitation/bin/pip install imitation==1.0.1
    /tmp/imitation/bin/python scripts/mce_by_imitation.py tests/fixtures/mce_by_imitation.json

Its ``seals`` makes a random decision process of five states, three actions and 20 steps. The soft-optimal policy of its
reward is the expert; ``imitation`` gets that policy's visits and learns a reward of states. Stored are the process, the
expert's visits and policy, the visits and policy that were learned, and the versions. Takes a minute.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import sys
from pathlib import Path
from typing import Any

SEED = 0
STATES, ACTIONS, STEPS, BRANCHES = 5, 3, 20, 2


def learned() -> dict[str, Any]:
    """The process and what ``imitation`` makes of it, as JSON values."""
    import numpy as np
    import torch

    mce_irl: Any = importlib.import_module("imitation.algorithms.mce_irl")
    reward_nets: Any = importlib.import_module("imitation.rewards.reward_nets")
    random_trans: Any = importlib.import_module("seals.diagnostics.random_trans")
    torch.manual_seed(SEED)
    torch.set_default_dtype(torch.float64)
    process = random_trans.RandomTransitionEnv(
        n_states=STATES,
        n_actions=ACTIONS,
        branch_factor=BRANCHES,
        horizon=STEPS,
        random_obs=False,
        generator_seed=SEED,
    )
    _, _, expert = mce_irl.mce_partition_fh(process)
    _, wanted = mce_irl.mce_occupancy_measures(process, pi=expert)
    net = reward_nets.BasicRewardNet(
        process.observation_space,
        process.action_space,
        hid_sizes=[],
        use_action=False,
        use_done=False,
        use_next_state=False,
    )
    trainer = mce_irl.MCEIRL(
        wanted,
        process,
        net,
        rng=np.random.default_rng(SEED),
        optimizer_kwargs={"lr": 0.01},
        linf_eps=1e-5,
        log_interval=None,
    )
    visits = trainer.train(max_iter=5000)
    return {
        "transitions": process.transition_matrix.tolist(),
        "start": process.initial_state_dist.tolist(),
        "reward": process.reward_matrix.tolist(),
        "steps": STEPS,
        "expert_visits": wanted.tolist(),
        "learned_visits": np.asarray(visits).tolist(),
        "expert_policy": expert.tolist(),
        "learned_policy": trainer.policy.pi.tolist(),
    }


def main(words: list[str]) -> int:
    """Write the file that is named; exit status 2 with one line where that cannot be done."""
    if len(words) != 1:
        print("mce_by_imitation.py: name one file to write", file=sys.stderr)
        return 2
    try:
        found = learned()
    except ImportError as error:
        print(f"mce_by_imitation.py: {error}; run it where imitation is installed (see its head)", file=sys.stderr)
        return 2
    versions = {name: importlib.metadata.version(name) for name in ("imitation", "seals", "torch", "numpy")}
    text = json.dumps({"made_by": "scripts/mce_by_imitation.py", "seed": SEED, "versions": versions, **found})
    path = Path(words[0])
    beside = path.with_name(f"{path.name}.part")
    beside.write_text(text + "\n")
    os.replace(beside, path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
