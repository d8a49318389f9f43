"""Poker with one private card each, at most one public card and limited bets: Kuhn's and Leduc poker, batched.

Sources: Kuhn, "A simplified two-person poker" (1950); Southey et al., "Bayes' bluff: opponent modelling in poker"
(arXiv 1207.1411), for Leduc. Actions and payoffs are OpenSpiel's, which the tests compare with move by move. Suits
decide nothing, so a card is its rank: Leduc has 288 information states here, where OpenSpiel's, with suits, has 936.

States are ``int64 [N, 4]``: seat 0's card, seat 1's, the public card (-1 before it is dealt), and the node of the tree
of bets. Chance is in ``start``, which deals, and in ``step``, which turns the public card.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from games.base import Bools, Floats, GameError, Ints, Keys, Rng, Spec, States, Successors
from games.cards.betting import Limits, betting

MOST = 100
"""Most ranks of a deck: the deals of two cards and a public one are about its cube."""

_PUBLIC, _NODE = 2, 3  # the words of a state after the two private cards


class Poker:
    """A deck of ``ranks`` with so many ``copies`` of each, dealt to two seats that bet within ``limits``.

    Args:
        name: ``spec.name``.
        ranks: ranks of the deck, 0 the lowest.
        copies: cards of each rank.
        limits: the rules of betting; with more than one round a public card is dealt before the second.
        words: what each action is called in pictures, in both situations: without a bet to answer, and with one.

    Raises:
        GameError: for fewer cards than are dealt, or more than ``MOST`` ranks.
    """

    def __init__(
        self, name: str, ranks: int, copies: int, limits: Limits, words: tuple[tuple[str, ...], tuple[str, ...]]
    ) -> None:
        dealt = 1 + len(limits.sizes)
        if not ranks * copies >= dealt or not 2 <= ranks <= MOST:
            raise GameError(f"{name.partition(':')[0]} is played with 2 to {MOST} ranks, at least {dealt} cards in all")
        self.ranks, self.copies, self.words = ranks, copies, words
        self.bets = betting(limits)
        moves, actions = self.bets.moves.shape[1], self.bets.child.shape[1]
        self.spec = Spec(name=name, actions=actions, observation=(2 * ranks + moves * actions,), longest=moves)

    # --- the contract of games.base ----------------------------------------------------------------------

    def start(self, n: int, *, rng: Rng) -> States:
        deck = np.repeat(np.arange(self.ranks), self.copies)
        dealt = rng.random((n, len(deck))).argsort(1)[:, :2]
        return self._undealt(deck[dealt])

    def acting(self, states: States) -> Bools:
        return np.asarray(self.bets.actor[states[:, _NODE], None] == [0, 1])

    def legal(self, states: States, seat: int) -> Bools:
        node = states[:, _NODE]
        return np.asarray((self.bets.child[node] >= 0) & (self.bets.actor[node] == seat)[:, None])

    def observe(self, states: States, seat: int) -> NDArray[np.float32]:
        """[N, 2 * ranks + L * A] own card, public card and each move so far, one-hot."""
        moves = self.bets.moves[states[:, _NODE]]  # [N, L]
        parts = [
            states[:, [seat]] == np.arange(self.ranks),
            states[:, [_PUBLIC]] == np.arange(self.ranks),
            (moves[:, :, None] == np.arange(self.spec.actions)).reshape(
                len(states), moves.shape[1] * self.spec.actions
            ),
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def key(self, states: States, seat: int | None = None) -> Keys:
        """[N, 2] the cards, and the bets; with a seat, of the private cards its own alone."""
        hands = [states[:, 0], states[:, 1]] if seat is None else [states[:, seat]]
        cards = states[:, _PUBLIC] + 1
        for hand in hands:
            cards = cards * self.ranks + hand
        return np.stack([cards, states[:, _NODE]], axis=1).astype(np.uint64)

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        after = self._moved(states, actions)
        dealt = np.flatnonzero(self.bets.deals[after[:, _NODE]])
        odds = self._left(after[dealt]).cumsum(1)
        mark = rng.random((len(dealt), 1)) * odds[:, -1:]
        after[dealt, _PUBLIC] = (odds <= mark).sum(1)
        return after, self._payoff(after), self.bets.actor[after[:, _NODE]] < 0

    def render(self, state: States) -> str:
        """Both private cards, the public one, and the bets."""
        own, their, public, _ = (int(word) for word in state)
        cards = f"cards: {self.card(own)} and {self.card(their)}" + (
            f"; public: {self.card(public)}" if public >= 0 else ""
        )
        return f"{cards}\n{self.record(state)}"

    def render_for(self, state: States, seat: int) -> str:
        """The seat's own card, the public one, and the bets."""
        public = f"; public: {self.card(int(state[_PUBLIC]))}" if state[_PUBLIC] >= 0 else ""
        return f"your card: {self.card(int(state[seat]))}{public}\n{self.record(state)}"

    # --- what can be listed ------------------------------------------------------------------------------

    def starts(self) -> States:
        """[n, 4] every deal of two private cards."""
        first, second = np.divmod(np.arange(self.ranks**2), self.ranks)
        states = self._undealt(np.stack([first, second], axis=1))
        return states[self._deals(states) > 0]

    def start_probability(self) -> Floats:
        """[n] of each of ``starts``."""
        odds = self._deals(self.starts())
        return np.asarray(odds / odds.sum())

    def successors(self, states: States, actions: Ints) -> Successors:
        after = self._moved(states, actions)
        odds = self._left(after)
        odds[~self.bets.deals[after[:, _NODE]]] = np.eye(1, self.ranks)  # nothing is dealt: one outcome
        rows, public = np.nonzero(odds)
        found = after[rows]
        dealt = self.bets.deals[found[:, _NODE]]
        found[dealt, _PUBLIC] = public[dealt]
        probability = odds[rows, public] / odds.sum(1)[rows]
        return Successors(rows, found, self._payoff(found), self.bets.actor[found[:, _NODE]] < 0, probability)

    # --- cards and bets ----------------------------------------------------------------------------------

    def card(self, rank: int) -> str:
        """What a card is called: by its letter up to the king, by its number in large decks."""
        names = "23456789TJQKA"
        low = {3: "JQK", 2: "QK"}.get(self.ranks, names[-self.ranks :])
        return low[rank] if self.ranks <= len(names) else str(rank + 1)

    def record(self, state: States) -> str:
        """The bets so far in words, and the pot: what both seats see."""
        said, node = [], 0
        for action in self.bets.moves[int(state[_NODE])]:
            if action < 0:
                break
            facing = int(self.bets.paid[node, 0] != self.bets.paid[node, 1])
            said.append(self.words[facing][action])
            node = int(self.bets.child[node, action])
        pot = int(self.bets.paid[int(state[_NODE])].sum())
        return f"bets: {', '.join(said) or 'none'}; pot {pot}"

    def _undealt(self, cards: Ints) -> States:
        """[n, 4] private cards [n, 2] before the first bet."""
        rest = np.broadcast_to(np.array([-1, 0]), (len(cards), 2))
        return np.concatenate([cards, rest], axis=1)

    def _deals(self, states: States) -> Floats:
        """[N] the ways to deal these private cards."""
        return np.asarray(self.copies * (self.copies - (states[:, 0] == states[:, 1])), dtype=np.float64)

    def _left(self, states: States) -> Floats:
        """[N, ranks] cards of each rank that nobody holds."""
        held = sum((states[:, [seat]] == np.arange(self.ranks)).astype(np.float64) for seat in (0, 1))
        return np.asarray(self.copies - held)

    def _moved(self, states: States, actions: Ints) -> States:
        """[N, 4] one bet further, nothing dealt. GameError where it is illegal."""
        node = states[:, _NODE]
        actor = self.bets.actor[node]
        chosen = actions[np.arange(len(states)), actor]  # -1, a seat that is over, picks seat 1's; refused below
        inside = (actor >= 0) & (chosen >= 0) & (chosen < self.spec.actions)
        child = np.where(inside, self.bets.child[node, np.where(inside, chosen, 0)], -1)
        if (child < 0).any():
            row = int((child < 0).argmax())
            raise GameError(f"{self.spec.name}: action {int(chosen[row])} is illegal here: {self.record(states[row])}")
        after = states.copy()
        after[:, _NODE] = child
        return after

    def _payoff(self, states: States) -> Floats:
        """[N] what seat 0 wins; 0 while the game goes on."""
        node = states[:, _NODE]
        hands, paid, folded = states[:, :2], self.bets.paid[node], self.bets.folded[node]
        strength = hands + self.ranks * (hands == states[:, [_PUBLIC]])  # a pair beats every single card
        sign = np.where(folded >= 0, 2 * folded - 1, np.sign(strength[:, 0] - strength[:, 1]))
        return np.where(self.bets.actor[node] < 0, sign * paid.min(1), 0).astype(np.float64)


def kuhn(parameters: str) -> Poker:
    """Kuhn poker: ``kuhn``, three cards, or ``kuhn:RANKS``; actions 0 (pass) and 1 (bet)."""
    limits = Limits(ante=1, sizes=(1,), raises=1, numbers={"fold": 0, "check": 0, "call": 1, "raise": 1})
    return Poker(*_named("kuhn", parameters, 3), 1, limits, (("check", "bet"), ("fold", "call")))


def leduc(parameters: str) -> Poker:
    """Leduc poker: ``leduc``, two suits of three ranks, or ``leduc:RANKS``; actions 0 (fold), 1 (call), 2 (raise)."""
    limits = Limits(ante=1, sizes=(2, 4), raises=2, numbers={"fold": 0, "check": 1, "call": 1, "raise": 2})
    return Poker(*_named("leduc", parameters, 3), 2, limits, (("", "check", "bet"), ("fold", "call", "raise")))


def _named(word: str, parameters: str, usual: int) -> tuple[str, int]:
    """The name and the number of ranks of what was asked for."""
    if not parameters:
        return word, usual
    if not (parameters.isascii() and parameters.isdigit()) or len(parameters) > 4:
        raise GameError(f"{word}:{parameters[:40]} is no game; write {word} or {word}:RANKS")
    ranks = int(parameters)
    return (word if ranks == usual else f"{word}:{ranks}"), ranks
