"""How a policy is beaten, as a page that one can send: ``nashmail exploit RUN --html FILE``.

The page says what ``exploit`` and ``exploit --show`` say: the verdict on each seat, the refuting line step by step on
the board, the mistake, what the policy and the expert do there, and the nearest position at which the expert was
queried. It is one file without scripts, fonts or pictures from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from agents.policy import Policy, query
from games.base import Enumerable, Game, States
from mail.evaluation.refutation import Mistake
from mail.terminal.analysis import Oracle
from mail.terminal.boards import Scene, view
from mail.terminal.moves import worth
from mail.terminal.pages import headings
from mail.terminal.refutation import Finding, first_mistake, labelled, reason, steps
from mail.terminal.web import svg
from mail.training.profile import Profile

STYLE = """\
:root{color-scheme:light dark;--ink:#1d2430;--paper:#fbfbf9;--board:#e9eef5;--line:#8a97a8;--x:#c0392b;--o:#1f6fb2;
--fresh:#f4e3a1;--won:#b9e4c0;--soft:#5b6675;--card:#fff;--edge:#d9dee6}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ee;--paper:#15181d;--board:#232933;--line:#5d6979;--x:#ff7666;
--o:#6db5f2;--fresh:#4d4523;--won:#24503a;--soft:#9aa6b5;--card:#1c2027;--edge:#333b46}}
body{margin:0 auto;overflow-wrap:anywhere;padding:1.5rem;max-width:62rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem} h2{font-size:1.2rem;margin-top:2.5rem} p{max-width:46rem} .soft{color:var(--soft)}
.steps{display:flex;flex-wrap:wrap;gap:1rem;padding:0;list-style:none}
.steps li{background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:.75rem;max-width:18rem}
.steps li.mistake{border:2px solid var(--x)} .steps p{margin:0 0 .5rem;font-size:.9rem}
.why{display:flex;flex-wrap:wrap;gap:2rem;align-items:flex-start}
table{border-collapse:collapse} td,th{padding:.2rem .8rem .2rem 0;text-align:left;font-variant-numeric:tabular-nums}
td .bar{display:inline-block;height:.7rem;background:var(--o);vertical-align:middle} code{overflow-wrap:anywhere}
pre{font-size:.9rem;overflow-x:auto}
"""


def refutation_page(
    game: Enumerable,
    profile: Profile,
    findings: Sequence[Finding],
    words: Sequence[Sequence[str]],
    moves: Sequence[str],
    *,
    oracle: Oracle | None = None,
) -> str:
    """The page on both seats of a policy.

    Args:
        game: The game that the findings refer to.
        profile: The policy.
        findings: The result for each seat.
        words: The verdict on each seat, in sentences.
        moves: Each line as a move string; empty where there is none.
        oracle: Judges the moves, if given.

    Returns:
        A complete HTML document.
    """
    title = f"{profile.name} on {game.spec.name}"
    parts = [f"<h1>{escape(title)}</h1>", _introduction(profile)]
    for finding, sentences, line in zip(findings, words, moves, strict=True):
        mark = view(game).marks[finding.seat]
        parts.append(f"<h2>Seat {finding.seat}, {escape(mark)}</h2>")
        parts += [f"<p>{escape(sentence)}</p>" for sentence in sentences]
        if finding.refuted:
            parts.append(_refuted(game, profile, finding, oracle))
            parts.append(f"<p>The line as moves: <code>{escape(line)}</code></p>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}{svg.STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _introduction(profile: Profile) -> str:
    """How the policy was measured, and how to do it again."""
    command = f"nashmail exploit {profile.name} --show"
    return (
        '<p class="soft">The policy plays its most probable moves, the opponent a best response to them. Made by '
        f"nashmail; <code>{escape(command)}</code> shows the same in a terminal.</p>"
    )


def _refuted(game: Enumerable, profile: Profile, finding: Finding, oracle: Oracle | None) -> str:
    """The line on the board, and the mistake in detail."""
    states, pairs = steps(game, finding.line)
    mistake = finding.mistake
    if mistake is None and oracle is not None:
        mistake = first_mistake(states, pairs, finding.seat, oracle)
    remarks = {} if mistake is None else {mistake.ply: "(the mistake)"}
    cards = [_card("The start.", svg.picture(game, Scene(states[0][0])), wrong=False)]
    for ply, heading in enumerate(headings(game, states, pairs, oracle=oracle, remarks=remarks)):
        scene = Scene(states[ply + 1][0], states[ply][0], over=ply == len(pairs) - 1)
        cards.append(_card(heading, svg.picture(game, scene), wrong=ply in remarks))
    line = f'<ol class="steps">{"".join(cards)}</ol>'
    return line if mistake is None else line + _why(game, profile, finding.seat, mistake, states[mistake.ply], oracle)


def _card(heading: str, picture: str, *, wrong: bool) -> str:
    kind = ' class="mistake"' if wrong else ""
    return f"<li{kind}><p>{escape(heading)}</p>{picture}</li>"


def _why(game: Game, profile: Profile, seat: int, mistake: Mistake, states: States, oracle: Oracle | None) -> str:
    """The position of the mistake with every move's probability and value, and the nearest labelled position."""
    display = view(game)
    why = reason(game, display, states, seat, mistake, profile.policies[seat], labelled(profile, seat))
    parts = [
        f"<h3>Move {mistake.ply + 1} in detail</h3>",
        f"<p>{escape(why.move)}</p>",
        f'<div class="why">{svg.picture(game, Scene(states[0]))}',
        _table(game, states, seat, profile.policies[seat], oracle),
        f"</div><p>{escape(why.labels)}</p>",
    ]
    if why.nearest is not None:
        parts.append(svg.picture(game, Scene(why.nearest)))
    return "".join(parts)


def _table(game: Game, states: States, seat: int, policy: Policy, oracle: Oracle | None) -> str:
    """A row per legal move of a position [1, W]: its probability, and its value where there is an oracle."""
    display = view(game)
    chances = query(policy, game, states, seat)[0]
    values = None if oracle is None else oracle.values(states, seat)[0]
    rows = []
    for action in np.flatnonzero(game.legal(states, seat)[0]):
        bar = f'<span class="bar" style="width:{6 * chances[action]:.2f}rem"></span>'
        value = "" if values is None else f"<td>{worth(float(values[action]), plain=game.spec.win_loss)}</td>"
        name = escape(display.move(int(action)))
        rows.append(f"<tr><td>{name}</td><td>{chances[action]:.1%}</td><td>{bar}</td>{value}</tr>")
    value = "" if values is None else "<th>value</th>"
    return f"<table><tr><th>move</th><th>policy</th><th></th>{value}</tr>{''.join(rows)}</table>"
