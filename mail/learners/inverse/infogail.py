"""InfoGAIL, exact: imitation of an expert of several styles, one code each (Li, Song, Ermon, arXiv:1703.08840;
docs/algorithms.md, "Adversarial imitation").

A code c, one of M alike, is drawn once per game and fixes the policy pi(a | s, c). With the shares rho_c of each code
and their mean rho, the discriminator and the posterior are known in closed form:

    f = log rho_E - log rho                     q(c | s, a) = rho_c(s, a) / sum over codes of rho_c(s, a)
    L_I = E over codes and pairs of log q(c | s, a) + log M      at most log M, and equal where pairs tell their code

The objective 2 JS(rho_E, rho) - lambda L_I is lowered by mirror descent as in ``gail``, each code with the reward

    -log(1 - D) - log 2 + lambda (log q(c | s, a) + log M)

whose second part is centred, so that it pays nothing for longer games. Codes begin with slightly different rewards;
which code takes which style is arbitrary. Drawing a code per game is a policy with memory: ``infogail`` returns the
policy with the same visits against the expert, and ``modes`` gives each code's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from games.base import Floats, Ints, NashmailError, Rng
from games.progress import report
from mail.learners.collect import Options
from mail.learners.inverse.gail import REWARDS
from mail.learners.inverse.learner import Inverse, Solution
from mail.learners.inverse.process import Demonstrated, Process, softmax
from mail.learners.inverse.reward import FLOOR, jensen_shannon, log_ratio, shares


@dataclass(frozen=True)
class InfoGailConfig:
    """The settings of ``infogail``."""

    codes: int = 2
    """M."""
    information: float = 0.1
    """lambda, the weight of the information. 0 is ``gail`` with an input that means nothing."""
    rate: float = 0.5
    """The first rate, as in ``gail``."""
    rounds: int = 100
    """Most rounds."""
    spread: float = 0.1
    """Standard deviation of the first rewards, which tell the codes apart."""
    tolerance: float = 1e-9
    """Stop at a Jensen-Shannon divergence of at most this, in nats, if there is no information to gain."""

    def __post_init__(self) -> None:
        if self.codes < 1:
            raise NashmailError(f"infogail needs at least one code, not {self.codes}")


@dataclass(frozen=True)
class Modes:
    """The codes' policies."""

    policies: Floats
    """[M, n, A]."""
    visits: Floats
    """[M, n, A] expected visits of each."""
    divergence: float
    """Jensen-Shannon divergence of their mean from the expert, in nats."""
    rounds: int

    @property
    def posterior(self) -> Floats:
        """[M, n, A] q(c | s, a); all codes alike where none comes."""
        return posterior(np.stack([shares(part) for part in self.visits]))

    @property
    def information(self) -> float:
        """L_I, in nats."""
        return information(np.stack([shares(part) for part in self.visits]))

    def decode(self, rows: Ints, actions: Ints) -> int:
        """The most probable code of one game, from its decisions.

        Args:
            rows: int64 [T] positions of the process.
            actions: int64 [T].
        """
        return int(np.log(np.maximum(self.posterior[:, rows, actions], FLOOR)).sum(1).argmax())


def posterior(parts: Floats) -> Floats:
    """q(c | s, a) for codes that are drawn with equal probability.

    Args:
        parts: [M, n, A] the shares of each code.

    Returns:
        [M, n, A].
    """
    total = parts.sum(0)
    return np.asarray(np.where(total > 0, parts / np.where(total > 0, total, 1.0), 1.0 / len(parts)))


def information(parts: Floats) -> float:
    """L_I for codes that are drawn with equal probability.

    Args:
        parts: [M, n, A] the shares of each code.
    """
    right = posterior(parts)
    logs = np.log(np.where(parts > 0, np.maximum(right, 1e-300), 1.0))
    return float((parts * logs).sum() / len(parts) + np.log(len(parts)))


def modes(config: InfoGailConfig, process: Process, expert: Demonstrated, rng: Rng) -> Modes:
    """Fit the codes to demonstrations that do not say which style they are of.

    Args:
        config: Codes, rate and limits.
        process: The seat's decision process.
        expert: The demonstrations in it.
        rng: Draws the first rewards of the codes.
    """
    theirs = shares(expert.visits)
    totals = config.spread * rng.normal(size=(config.codes, *process.legal.shape)) * (config.codes > 1)
    played, rate, round_ = _played(config, process, theirs, totals), config.rate, 0
    while round_ < config.rounds and (played.divergence > config.tolerance or config.information > 0):
        round_ += 1
        report(round_, config.rounds, "rounds", step="fit")
        steps = rate * _rewards(config, theirs, played.parts)
        tried = _played(config, process, theirs, totals + steps)
        if tried.objective >= played.objective:
            rate /= 2
            if rate < 1e-6:
                break
            continue
        totals, played, rate = totals + steps, tried, 1.2 * rate
    return Modes(played.policies, played.visits, played.divergence, round_)


@dataclass(frozen=True)
class _Played:
    """What the codes do under some rewards."""

    policies: Floats
    visits: Floats
    parts: Floats
    divergence: float
    objective: float


def _played(config: InfoGailConfig, process: Process, theirs: Floats, totals: Floats) -> _Played:
    policies = np.stack([softmax(process.soft(total)[0], 1.0) for total in totals])
    visits = np.stack([process.visits(policy) for policy in policies])
    parts = np.stack([shares(part) for part in visits])
    divergence = jensen_shannon(theirs, parts.mean(0))
    return _Played(policies, visits, parts, divergence, 2 * divergence - config.information * information(parts))


def _rewards(config: InfoGailConfig, theirs: Floats, parts: Floats) -> Floats:
    """[M, n, A] each code's reward."""
    imitation = REWARDS["centred"](log_ratio(theirs, parts.mean(0)))
    log_posterior = np.log(np.maximum(posterior(parts), FLOOR)) + np.log(len(parts))
    return np.asarray(imitation + config.information * log_posterior)


def infogail(config: InfoGailConfig, process: Process, expert: Demonstrated, rng: Rng) -> Solution:
    """The policy with the visits of codes that are drawn once per game.

    Args:
        config: Codes, rate and limits.
        process: The seat's decision process.
        expert: The demonstrations in it.
        rng: Draws the first rewards of the codes.
    """
    found = modes(config, process, expert, rng)
    visits = found.visits.mean(0)
    came = visits.sum(1, keepdims=True)
    mixed = np.where(came > 0, visits / np.where(came > 0, came, 1.0), process.uniform)
    return Solution(mixed, found.rounds, {"jensen_shannon": found.divergence, "information": found.information})


class InfoGail(Inverse):
    """The learner ``infogail``.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: Codes, rate and limits.
    """

    def __init__(self, options: Options, *, name: str = "infogail", config: InfoGailConfig = InfoGailConfig()) -> None:
        super().__init__(options, name=name, method=partial(infogail, config))
