"""The line of play that refutes a policy, step by step on the board, and the reason why it works.

The reason is the point of the papers, seen: at the move that gives the game away, what the policy does and with what
probability, what an expert would have done, and how near to that position the run ever asked. Distance is the number
of cells that differ; where the run learned positions up to symmetry, so is distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Protocol

import numpy as np
from rich.console import Console
from rich.text import Text

from agents.policy import Policy, query
from games.base import Enumerable, Floats, Game, Ints, States
from games.boards import Board
from games.symmetry import Quotient
from mail.evaluation.refutation import Mistake
from mail.evaluation.refutation import replay as positions
from mail.terminal.analysis import CLOSE, Oracle, wording
from mail.terminal.answers import Read
from mail.terminal.boards import Look, Scene, View, look, styled, view
from mail.terminal.pages import pages, turn
from mail.training.folder import Run
from mail.training.profile import Profile, default_learner, split


@dataclass(frozen=True)
class Labelled:
    """The distinct positions at which a seat of a run was told what the expert would do; D of them."""

    states: States  # [D, W]
    label: Floats  # [D, A] mean label
    quotient: Quotient | None
    """The quotient in which the run met them, where it learned up to symmetry; ``states`` are canonical there."""

    def nearest(self, game: Game, state: States) -> tuple[int, Ints]:
        """The distance [cells] of the nearest to a position [W], and the rows at that distance. D must not be 0."""
        images = state[None] if self.quotient is None else self.quotient.base.images(state[None])[:, 0]
        apart = np.min([differing(game, self.states, image) for image in images], axis=0)
        return int(apart.min()), np.flatnonzero(apart == apart.min())


def differing(game: Game, states: States, state: States) -> Ints:
    """[N] on how many cells positions [N, W] of one mover differ from a position [W]; for other games, numbers."""
    if not isinstance(game, Board):
        return np.asarray((states != state).sum(1), dtype=np.int64)
    own, other = states[:, 0] ^ state[0], (states[:, 0] ^ states[:, 1]) ^ (state[0] ^ state[1])
    return np.asarray(np.bitwise_count(own | other), dtype=np.int64)


def labelled(profile: Profile, seat: int) -> Labelled:
    """What a run was told of one seat's positions, from the rounds it kept. RunError where one is none of the run's."""
    game, (folder, learner) = profile.game, split(profile.name)
    run, learner = Run.at(folder), learner or default_learner(profile.config)
    width, total = len(game.starts()[0]) if isinstance(game, Enumerable) else 0, game.spec.actions
    states, labels = [np.zeros((0, width), dtype=np.uint64)], [np.zeros((0, total))]
    spent = profile.result.get("labels_by_seat")
    for home in (0, 1):
        landed = run.journal.rounds(learner, home)
        rows = [decisions.take(decisions.queried & (decisions.seat == seat)) for decisions in landed]
        if not (asked := [part for part in rows if len(part)]):
            continue
        found = np.concatenate([part.state for part in asked])
        said = np.concatenate([part.label for part in asked])
        kept = len(found) if spent is None else int(spent[seat])  # a budget may have cut the last game
        states.append(found[:kept])
        labels.append(said[:kept].astype(np.float64))
    every = np.concatenate(states[1:] or states)
    distinct, inverse, count = np.unique(every, axis=0, return_inverse=True, return_counts=True)
    mean = np.zeros((len(distinct), total))
    np.add.at(mean, inverse.ravel(), np.concatenate(labels))
    quotient = Quotient(game) if profile.config.symmetry and isinstance(game, Board) else None
    return Labelled(distinct, mean / np.maximum(count, 1)[:, None], quotient)


def show(
    game: Enumerable,
    seat: int,
    line: Sequence[int],
    policy: Policy,
    told: Labelled,
    on: Look,
    *,
    mistake: Mistake | None = None,
    oracle: Oracle | None = None,
) -> list[Text]:
    """The refutation of a seat's policy as pages: its plies, then the mistake and what was known of it.

    ``line`` are both seats' actions. Where no ``mistake`` is given the oracle looks for the first one.
    """
    states = [state[None] for state in positions(game, tuple(line))]
    acting = [game.acting(state)[0] for state in states[:-1]]
    moves = [
        (action if first else -1, action if second else -1)
        for action, (first, second) in zip(line, acting, strict=True)
    ]
    if mistake is None and oracle is not None:
        mistake = first_mistake(states, moves, seat, oracle)
    remarks = {} if mistake is None else {mistake.ply: "(here it goes wrong)"}
    found = pages(game, states, moves, on, over=True, oracle=oracle, remarks=remarks)
    shown = view(game)
    found[0] = Text(f"How seat {seat}, {shown.marks[seat]}, is beaten.\n\n") + found[0]
    if mistake is not None:
        found.append(_why(game, shown, states[mistake.ply], seat, mistake, policy, told, on))
    return found


class Finding(Protocol):
    """What is found about a seat: ``mail.evaluation.refutation.Verdict``,
    ``mail.evaluation.certificate.walk.Certificate``.
    """

    @property
    def seat(self) -> int: ...
    @property
    def refuted(self) -> bool | None: ...
    @property
    def line(self) -> tuple[int, ...]: ...
    @property
    def mistake(self) -> Mistake | None: ...


def present(
    game: Enumerable,
    profile: Profile,
    found: Sequence[Finding],
    console: Console,
    *,
    oracle: Oracle | None = None,
    read: Read | None = None,
) -> None:
    """``nashmail exploit --show``: print every refuted seat's pages, waiting between them where ``read`` is given."""
    for finding in found:
        if not finding.refuted:
            console.print(f"Seat {finding.seat} is not refuted: there is nothing to show.")
            continue
        seat = finding.seat
        told = labelled(profile, seat)
        policy = profile.policies[seat]
        on, line, mistake = look(console), finding.line, finding.mistake
        turn(show(game, seat, line, policy, told, on, mistake=mistake, oracle=oracle), console, read=read)


def first_mistake(
    states: Sequence[States], moves: Sequence[tuple[int, int]], seat: int, oracle: Oracle
) -> Mistake | None:
    """The first of the seat's own moves that an oracle knows to give value away."""
    for ply, pair in enumerate(moves):
        if pair[seat] < 0:
            continue
        values = oracle.values(states[ply], seat)[0]
        if values[pair[seat]] < (kept := values.max()) - CLOSE:
            keeps = tuple(int(action) for action in np.flatnonzero(values >= kept - CLOSE))
            return Mistake(ply, pair[seat], float(values[pair[seat]]) + 0.0, float(kept) + 0.0, keeps)
    return None


def _why(
    game: Game, shown: View, states: States, seat: int, mistake: Mistake, policy: Policy, told: Labelled, on: Look
) -> Text:
    """The position of the mistake, what the policy does there, what is right, and how near it ever was told so."""
    chances = query(policy, game, states, seat)[0]
    keeps = np.isin(np.arange(len(chances)), mistake.keeps)
    said = styled(f"Move {mistake.ply + 1} in detail: what {shown.marks[seat]} saw.\n\n", "bold")
    said += shown.draw(Scene(states[0]), on) + Text("\n\n")
    words = (
        f"The policy plays {shown.move(mistake.played)} with probability {chances[mistake.played]:.1%}; after that "
        f"the game is worth {mistake.left:g} to it. Right: {wording(shown, keeps)}, worth {mistake.kept:g}; it plays "
        f"that with probability {chances[keeps].sum():.1%}."
    )
    return said + Text(f"{fill(words, on.width)}\n") + _nearest(game, shown, states[0], told, on)


def _nearest(game: Game, shown: View, state: States, told: Labelled, on: Look) -> Text:
    """How near the asks of the run came to a position [W], and what was answered there."""
    if not len(told.states):
        return Text(fill("The run has no labelled position of this seat: it was never told what to do.", on.width))
    distance, rows = told.nearest(game, state)
    up_to = ", up to symmetry" if told.quotient is not None else ""
    count = f"{len(told.states):,} labelled position" + ("" if len(told.states) == 1 else "s")
    said = wording(shown, told.label[rows[0]] > 0)
    if distance == 0:
        words = f"This very position was labelled{up_to}: the expert said {said}, and the clone did not learn it."
        return Text(fill(words, on.width))
    unit = ("cell" if isinstance(game, Board) else "number") + ("" if distance == 1 else "s")
    words = (
        f"It was never told what to do here. Of its {count} the nearest, {len(rows):,} of them, differ in "
        f"{distance} {unit}{up_to}. One of these, where the expert said {said}:"
    )
    return Text(f"{fill(words, on.width)}\n\n") + shown.draw(Scene(told.states[rows[0]]), on)
