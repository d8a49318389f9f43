"""The line of play that refutes a policy, step by step on the board, and the reason why it works.

The reason illustrates the papers' point: at the move that gives value away, it shows the policy's probabilities, the
expert's moves, and the distance to the nearest position at which the run queried the expert. Distance is the number of
cells that differ; if the run learned positions up to symmetry, so is the distance.
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
from games.symmetry import Quotient
from mail.evaluation.refutation import Mistake
from mail.evaluation.refutation import replay as positions
from mail.terminal.analysis import CLOSE, Oracle, wording
from mail.terminal.answers import Read
from mail.terminal.boards import Canvas, Scene, View, canvas_of, styled, view
from mail.terminal.pages import pages, turn
from mail.training.folder import Run
from mail.training.profile import Profile, default_learner, split


@dataclass(frozen=True)
class Labelled:
    """The D distinct positions at which a run queried the expert of a seat."""

    states: States  # [D, W]
    label: Floats  # [D, A] mean label
    quotient: Quotient | None
    """If the run learned up to symmetry, the quotient, in which ``states`` are canonical; else None."""

    def nearest(self, game: Game, state: States) -> tuple[int, Ints]:
        """The nearest of them to a position, of which there must be one.

        Args:
            game: The game.
            state: [W] the position.

        Returns:
            The distance in cells, and the rows of all at this distance.
        """
        images = state[None] if self.quotient is None else self.quotient.base.images(state[None])[:, 0]
        apart = np.min([differing(game, self.states, image) for image in images], axis=0)
        return int(apart.min()), np.flatnonzero(apart == apart.min())


def differing(game: Game, states: States, state: States) -> Ints:
    """In how many cells positions differ from another of the same mover.

    For games other than those of placing stones, the number of state entries that differ.

    Args:
        game: The game.
        states: [N, W] positions.
        state: [W] the other.

    Returns:
        int64 [N].
    """
    if not game.spec.in_a_row:
        return np.asarray((states != state).sum(1), dtype=np.int64)
    differ = game.observe(states, 0) != game.observe(state[None], 0)  # [N, 2, rows, columns]
    return np.asarray(differ.any(1).sum((1, 2)), dtype=np.int64)


def labelled(profile: Profile, seat: int) -> Labelled:
    """The labelled positions of one seat, from a run's saved rounds.

    Args:
        profile: The run and its learner.
        seat: The seat.

    Raises:
        RunError: A round does not belong to the run.
    """
    game, (folder, learner) = profile.game, split(profile.name)
    run, learner = Run.at(folder), learner or default_learner(profile.config)
    width, total = game.start(1, rng=np.random.default_rng(0)).shape[1], game.spec.actions
    states, labels = [np.zeros((0, width), dtype=np.uint64)], [np.zeros((0, total))]
    spent = profile.result.get("labels_by_seat")
    for home in (0, 1):
        rounds = run.journal.rounds(learner, home)
        rows = [decisions.take(decisions.queried & (decisions.seat == seat)) for decisions in rounds]
        if not (queried := [part for part in rows if len(part)]):
            continue
        queried_states = np.concatenate([part.state for part in queried])
        answers = np.concatenate([part.label for part in queried])
        kept = len(answers) if spent is None else int(spent[seat])  # a budget may have cut the last game
        states.append(queried_states[:kept])
        labels.append(answers[:kept].astype(np.float64))
    every = np.concatenate(states[1:] or states)
    distinct, inverse, count = np.unique(every, axis=0, return_inverse=True, return_counts=True)
    mean = np.zeros((len(distinct), total))
    np.add.at(mean, inverse.ravel(), np.concatenate(labels))
    quotient = Quotient(game) if profile.config.symmetry else None
    return Labelled(distinct, mean / np.maximum(count, 1)[:, None], quotient)


def show(
    game: Enumerable,
    seat: int,
    line: Sequence[int],
    policy: Policy,
    labels: Labelled,
    canvas: Canvas,
    *,
    mistake: Mistake | None = None,
    oracle: Oracle | None = None,
) -> list[Text]:
    """The refutation of a seat's policy as pages: its plies, then the mistake and the nearest labelled position.

    Args:
        game: The game.
        seat: The policy's seat.
        line: Both seats' actions.
        policy: The policy.
        labels: The positions at which the run queried the seat's expert.
        canvas: The terminal.
        mistake: The move that gives value away; found with the oracle if not given.
        oracle: Judges the moves, if given.
    """
    states, moves = steps(game, line)
    if mistake is None and oracle is not None:
        mistake = first_mistake(states, moves, seat, oracle)
    remarks = {} if mistake is None else {mistake.ply: "(the mistake)"}
    texts = pages(game, states, moves, canvas, over=True, oracle=oracle, remarks=remarks)
    display = view(game)
    texts[0] = Text(f"How seat {seat}, {display.marks[seat]}, is beaten.\n\n") + texts[0]
    if mistake is not None:
        texts.append(_why(game, display, states[mistake.ply], seat, mistake, policy, labels, canvas))
    return texts


def steps(game: Enumerable, line: Sequence[int]) -> tuple[list[States], list[tuple[int, int]]]:
    """A line as positions and actions.

    Args:
        game: The game.
        line: Both seats' actions.

    Returns:
        The positions [1, W] before and after each move, and both seats' actions of each ply, -1 for none.
    """
    states = [state[None] for state in positions(game, tuple(line))]
    acting = [game.acting(state)[0] for state in states[:-1]]
    moves = [
        (action if first else -1, action if second else -1)
        for action, (first, second) in zip(line, acting, strict=True)
    ]
    return states, moves


class Finding(Protocol):
    """The result for a seat: ``mail.evaluation.refutation.Verdict`` or
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
    findings: Sequence[Finding],
    console: Console,
    *,
    oracle: Oracle | None = None,
    read: Read | None = None,
) -> None:
    """``nashmail exploit --show``: print the pages of every refuted seat.

    Args:
        game: The game that the findings refer to.
        profile: The policies.
        findings: The results for the seats.
        console: For output.
        oracle: Judges the moves, if given.
        read: Returns the answer after each page; None prints them all.
    """
    for finding in findings:
        if not finding.refuted:
            console.print(f"Seat {finding.seat} is not refuted: no line to show.")
            continue
        seat = finding.seat
        labels = labelled(profile, seat)
        policy = profile.policies[seat]
        canvas, line, mistake = canvas_of(console), finding.line, finding.mistake
        turn(show(game, seat, line, policy, labels, canvas, mistake=mistake, oracle=oracle), console, read=read)


def first_mistake(
    states: Sequence[States], moves: Sequence[tuple[int, int]], seat: int, oracle: Oracle
) -> Mistake | None:
    """The first of the seat's moves that gives value away according to the oracle.

    Args:
        states: [1, W] each, before and after each move.
        moves: Both seats' actions of each ply, -1 for none.
        seat: The seat.
        oracle: Judges the moves.
    """
    for ply, pair in enumerate(moves):
        if pair[seat] < 0:
            continue
        values = oracle.values(states[ply], seat)[0]
        if values[pair[seat]] < (kept := values.max()) - CLOSE:
            keeps = tuple(int(action) for action in np.flatnonzero(values >= kept - CLOSE))
            return Mistake(ply, pair[seat], float(values[pair[seat]]) + 0.0, float(kept) + 0.0, keeps)
    return None


@dataclass(frozen=True)
class Reason:
    """Why a mistake was made, in words."""

    move: str
    """What the policy plays there, how often, and what is right."""
    labels: str
    """How near the labelled positions come."""
    nearest: States | None
    """[W] one of the nearest labelled positions; None where there is none, or where the position itself is labelled."""


def reason(
    game: Game, display: View, states: States, seat: int, mistake: Mistake, policy: Policy, labels: Labelled
) -> Reason:
    """Why a policy made a mistake.

    Args:
        game: The game.
        display: How it is shown.
        states: [1, W] the position of the mistake.
        seat: The policy's seat.
        mistake: The mistake.
        policy: The policy.
        labels: The positions at which the run queried the seat's expert.
    """
    chances, display = query(policy, game, states, seat)[0], display.at(states[0], seat)
    keeps = np.isin(np.arange(len(chances)), mistake.keeps)
    move = (
        f"The policy plays {display.move(mistake.played)} with probability {chances[mistake.played]:.1%}; after that "
        f"the game is worth {mistake.left:g} to it. Right: {wording(display, keeps)}, worth {mistake.kept:g}; it plays "
        f"that with probability {chances[keeps].sum():.1%}."
    )
    return Reason(move, *_nearest(game, display, states[0], labels))


def _nearest(game: Game, display: View, state: States, labels: Labelled) -> tuple[str, States | None]:
    """Words about the labelled positions nearest to a position [W], and one of them."""
    if not len(labels.states):
        return "The run has no labels for this seat: its expert was never queried.", None
    distance, rows = labels.nearest(game, state)
    up_to = ", up to symmetry" if labels.quotient is not None else ""
    count = f"{len(labels.states):,} labelled position" + ("" if len(labels.states) == 1 else "s")
    answer = wording(display, labels.label[rows[0]] > 0)
    if distance == 0:
        return f"This position was labelled{up_to}: the expert plays {answer}, which the clone did not learn.", None
    apart = f"{distance} {'cell' if game.spec.in_a_row else 'number'}{'' if distance == 1 else 's'}{up_to}"
    if len(rows) == 1:
        nearest = f"The nearest of the run's {count} differs in {apart}; there the expert plays {answer}:"
    else:
        nearest = (
            f"The nearest {len(rows):,} of the run's {count} differ in {apart}. "
            f"One of them, where the expert plays {answer}:"
        )
    return f"The expert was never queried here. {nearest}", labels.states[rows[0]]


def _why(
    game: Game,
    display: View,
    states: States,
    seat: int,
    mistake: Mistake,
    policy: Policy,
    labels: Labelled,
    canvas: Canvas,
) -> Text:
    """The position of the mistake, the policy's move, the right ones, and the nearest labelled position."""
    text = styled(f"Move {mistake.ply + 1} in detail: the position of {display.marks[seat]}.\n\n", "bold")
    text += display.draw(Scene(states[0]), canvas) + Text("\n\n")
    why = reason(game, display, states, seat, mistake, policy, labels)
    text += Text(f"{fill(why.move, canvas.width)}\n{fill(why.labels, canvas.width)}")
    if why.nearest is None:
        return text
    return text + Text("\n\n") + display.draw(Scene(why.nearest), canvas)
