"""The built-in learners, as data. Each is imported when it is first made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mail.clone.registry import ClonerDeclaration
from mail.clone.registry import register as register_cloner
from mail.learners.base import OF_THE_RUN, LearnerDeclaration, register

_PAPER = "arXiv 2602.22810"

# --- behavioral cloning ----------------------------------------------------------------------------------

_TO_BC = "mail.learners.bc:Bc"
_BC = LearnerDeclaration(
    "behavioral cloning: two experts play each other, a network clones both",
    _PAPER,
    knows=frozenset({"labels", "expert"}),
    both_seats=True,
)
_FIRST = replace(_BC, summary="bc of the expert that takes the lowest of its best actions", expert="first")
_UNIFORM = replace(_BC, summary="bc of the expert that mixes all its best actions", expert="uniform")
_BC_LINEAR = replace(_BC, summary="bc with softmax-linear clones in the features of the game")
_BC_NTUPLE = replace(_BC, summary="bc with n-tuple clones, for boards")
_BC_TABULAR = replace(_BC, summary="bc into a table")

register("bc", _TO_BC, _BC)
register("bc-first", _TO_BC, _FIRST, settings={"name": "bc-first"})
register("bc-linear", _TO_BC, _BC_LINEAR, settings={"name": "bc-linear", "cloner": "linear"})
register("bc-ntuple", _TO_BC, _BC_NTUPLE, settings={"name": "bc-ntuple", "cloner": "ntuple"})
register("bc-tabular", _TO_BC, _BC_TABULAR, settings={"name": "bc-tabular", "cloner": "tabular"})
register("bc-uniform", _TO_BC, _UNIFORM, settings={"name": "bc-uniform"})

# --- interactive imitation -------------------------------------------------------------------------------

_TO_MAIL = "mail.learners.interactive:Mail"
_MAIL = LearnerDeclaration(
    "interactive imitation: an explorer in the other seat plays against the queried expert",
    _PAPER,
    knows=frozenset({"labels"}),
    explores=True,
    explorer=OF_THE_RUN,
)


def _mail(cloner: str, explorer: str, summary: str, *, name: str = "", source: str = _PAPER) -> None:
    """Register ``mail-EXPLORER``, or another name, with its own explorer and cloner."""
    name = name or f"mail-{explorer}"
    declared = replace(_MAIL, summary=summary, source=source, explorer=explorer)
    register(name, _TO_MAIL, declared, settings={"name": name, "explorer": explorer, "cloner": cloner})


_NTUPLE = replace(_MAIL, summary="mail with n-tuple clones, for boards")

register("mail", _TO_MAIL, _MAIL)
register("mail-ntuple", _TO_MAIL, _NTUPLE, settings={"name": "mail-ntuple", "cloner": "ntuple"})
_mail("linear", "linear", "mail with linear exploration and softmax-linear clones")
_mail("tabular", "tabular", "mail with tabular exploration, into a table")
_mail("tabular", "respond", "mail that follows the best response to its labels, into a table")
_mail("tabular", "counts", "mail that explores by counts, into a table")
_mail("network", "uniform", "mail that explores uniformly at random")

_mail("ntuple", "deep-respond", "n-tuple clones, corrected where a learned response beats them",
      name="mail-bro-deep", source="arXiv 2505.17610")  # fmt: skip
_mail("ntuple", "deep-unsure", "n-tuple clones, corrected where a learned response leads to the unknown",
      name="murmail-deep", source="arXiv 2505.17610")  # fmt: skip

register(
    "mail-walk",
    "mail.learners.walk.learner:MailWalk",
    LearnerDeclaration(
        "a walk that needs no list of positions finds the mistakes of n-tuple clones, for boards on which discs fall",
        "docs/algorithms.md",
        knows=frozenset({"labels", "rules", "reward"}),
        explores=True,
    ),
)

_DAGGER = LearnerDeclaration(
    "",
    "Ross et al. 2011, arXiv 1011.0686",
    knows=frozenset({"labels", "expert"}),
    explores=True,
)


def _dagger(opponent: str, summary: str, *more: str) -> None:
    """Register ``dagger-OPPONENT``; ``more`` is what it knows beside labels and the expert as a player."""
    declared = replace(_DAGGER, summary=f"data aggregation: own play, labelled by the expert, against {summary}",
                       knows=_DAGGER.knows | set(more))  # fmt: skip
    name = "dagger" if opponent == "expert" else f"dagger-{opponent}"
    register(name, "mail.learners.dagger:Dagger", declared, settings={"name": name, "opponent": opponent})


_dagger("expert", "the other expert")
_dagger("clone", "the other seat's clone")
_dagger("uniform", "uniform play")
_dagger("best", "the exact best response to the clone", "model", "reward")

_RESPONSES = replace(_DAGGER, source="arXiv 2505.17610", knows=frozenset({"labels"}))


def _response(name: str, target: str, summary: str, *more: str, **settings: Any) -> None:
    """Register a learner by responses; ``more`` is what it knows beside labels."""
    declared = replace(_RESPONSES, summary=summary, knows=_RESPONSES.knows | set(more))
    register(name, f"mail.learners.responses.{target}", declared, settings={"name": name, **settings})


_response(
    "mail-bro",
    "mail_bro:MailBro",
    "exponential weights, corrected where the exact best response leads",
    "model",
    "reward",
)
_response(
    "mail-bro-greedy",
    "mail_bro:MailBro",
    "the same, until the greedy policy cannot be exploited either",
    "model",
    "reward",
    greedy=True,
)
_response(
    "murmail",
    "murmail:Murmail",
    "exponential weights, corrected where the clone differs most from the expert, explored with UCBVI",
)
_response(
    "murmail-exact",
    "murmail:Murmail",
    "the same, with the response planned on the exact model, without payoffs",
    "model",
    inner="exact",
)

# --- noise injection -------------------------------------------------------------------------------------

_TO_NOISE = "mail.learners.noise_injection:NoiseInjection"
_NOISE = LearnerDeclaration(
    "noise injection: experts with random moves, later clones, in both seats; experts are queried",
    "Laskey et al. 2017 (DART), Ross et al. 2011 (DAgger)",
    knows=frozenset({"labels", "expert"}),
    explores=True,
    both_seats=True,
)
_TREMBLE = replace(_NOISE, summary="the former name of mail-noise")

register("mail-noise", _TO_NOISE, _NOISE, settings={"name": "mail-noise"})
register("mail-tremble", _TO_NOISE, _TREMBLE, settings={"name": "mail-tremble"})

# --- adversarial and inverse imitation -------------------------------------------------------------------

_IQ = "Garg et al. 2021, arXiv 2106.12142"
_SOFT_Q = "a table of soft action values by IQ-Learn's offline loss, chi-squared"
_INVERSE = LearnerDeclaration("", knows=frozenset({"labels", "expert", "model"}), both_seats=True)


def _inverse(
    name: str, target: str, summary: str, source: str, declared: LearnerDeclaration = _INVERSE, **settings: Any
) -> None:
    """Register a learner that imitates each seat in its decision process against the other seat's expert: the exact
    one, or what play shows of it.
    """
    declared = replace(declared, summary=summary, source=source)
    register(name, f"mail.learners.inverse.{target}", declared, settings={"name": name, **settings})


register_cloner("iq-learn", "mail.learners.inverse.iq_learn:clone_iq", ClonerDeclaration(_SOFT_Q, _IQ))
register("iq-learn", _TO_BC, replace(_BC, summary=f"bc into {_SOFT_Q}", source=_IQ),
         settings={"name": "iq-learn", "cloner": "iq-learn"})  # fmt: skip
_inverse(
    "gail",
    "gail:Gail",
    "visits of the expert by mirror descent, with the exact discriminator",
    "Ho and Ermon 2016, arXiv 1606.03476",
)
_inverse("iq-learn-online", "iq_online:IqLearnOnline", "soft action values by IQ-Learn's online loss, chi-squared", _IQ)
_inverse(
    "max-ent",
    "max_ent:MaxEnt",
    "a reward by maximum causal entropy, and its soft-optimal policy",
    "Ziebart, Bagnell, Dey 2010",
)
_inverse(
    "airl",
    "airl:Airl",
    "a shaped reward that tells the expert from the policy, and its soft-optimal policy",
    "Fu, Luo, Levine 2018, arXiv 1710.11248",
)
_inverse(
    "opt-ail",
    "opt_ail:OptAil",
    "visits of the expert by optimistic play in transitions that it learns",
    "Xu et al. 2024 (OPT-AIL)",
)
_inverse(
    "infogail",
    "infogail:InfoGail",
    "gail with a code per game, for an expert of two styles",
    "Li, Song, Ermon 2017, arXiv 1703.08840",
)
_inverse(
    "ma-gail",
    "ma_gail:MaGail",
    "gail for both seats with one critic: what seat 0 gains, seat 1 loses",
    "Song et al. 2018, arXiv 1807.09936",
)
_inverse(
    "ma-airl",
    "ma_airl:MaAirl",
    "airl for both seats with one shaped reward",
    "Yu, Song, Ermon 2019, arXiv 1907.13220",
)

_BY_PLAY = replace(_INVERSE, knows=frozenset({"labels", "expert"}), both_seats=False)
"""With networks, in play against the other seat's expert."""
_SOFT_NET = "a network of soft action values by IQ-Learn's offline loss, chi-squared"

register_cloner("iq-learn-deep", "mail.learners.inverse.deep.iq_learn:clone_iq", ClonerDeclaration(_SOFT_NET, _IQ))
register("iq-learn-deep", _TO_BC, replace(_BC, summary=f"bc into {_SOFT_NET}", source=_IQ),
         settings={"name": "iq-learn-deep", "cloner": "iq-learn-deep"})  # fmt: skip
_inverse(
    "iq-learn-online-deep",
    "deep.iq_learn:IqLearnOnlineDeep",
    "the same network, with the penalty on own games against the other expert, too",
    _IQ,
    _BY_PLAY,
)
_inverse(
    "gail-deep",
    "deep.gail:GailDeep",
    "a discriminator and a Q-network, in own games against the other expert",
    "Ho and Ermon 2016, arXiv 1606.03476",
    _BY_PLAY,
)
_inverse(
    "airl-deep",
    "deep.airl:AirlDeep",
    "a reward that tells the expert from own games against the other, and its soft Q-network",
    "Fu, Luo, Levine 2018, arXiv 1710.11248",
    _BY_PLAY,
)

# --- the regret gap --------------------------------------------------------------------------------------

register(
    "malice",
    "mail.learners.malice:Malice",
    replace(
        _INVERSE,
        summary="bc weighted by where deviations lead; needs experts that come to every position",
        source="Tang et al. 2024, arXiv 2406.04219",
    ),
)
