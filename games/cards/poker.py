"""Limit poker with one private card for each seat and at most one public card: Kuhn and Leduc poker, batched.

Sources: Kuhn, "A simplified two-person poker" (1950); Southey et al., "Bayes' bluff: opponent modelling in poker"
(arXiv 1207.1411), for Leduc. Actions and payoffs are OpenSpiel's, and the tests compare them move by move. Suits decide
nothing, so a card is its rank: Leduc has 288 information states here, but 936 in OpenSpiel, which tells suits apart.

States are int64 [N, 4]: seat 0's card, seat 1's card, the public card (-1 before it is dealt), and the node of the
betting tree. Chance is in ``start``, which deals the private cards, and in ``step``, which deals the public card.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from games.base import Bools, Floats, GameError, Ints, Keys, Rng, Spec, States, Successors
from games.cards.betting import Limits, betting

MAX_RANKS = 100
"""Most ranks of a deck: the deals of two cards and a public one are about its cube."""

_PUBLIC, _NODE = 2, 3  # the words of a state after the two private cards


class Poker:
    """Limit poker with a deck of ``ranks`` and ``copies`` cards of each; the contract is ``games.base.Hidden``.

    Args:
        name: ``spec.name``.
        ranks: ranks of the deck; cards are numbers from 0, the lowest.
        copies: cards of each rank.
        limits: the rules of betting; with more than one round the public card is dealt before the second.
        words: [2][A] what actions are called in pictures: without a bet to answer, and with one.

    Raises:
        GameError: for a deck with fewer cards than are dealt, or with more than ``MAX_RANKS`` ranks.
    """

    def __init__(
        self, name: str, ranks: int, copies: int, limits: Limits, words: tuple[tuple[str, ...], tuple[str, ...]]
    ) -> None:
        dealt = 1 + len(limits.sizes)
        if not ranks * copies >= dealt or not 2 <= ranks <= MAX_RANKS:
            raise GameError(
                f"{name.partition(':')[0]} is played with 2 to {MAX_RANKS} ranks, at least {dealt} cards in all"
            )
        self.ranks, self.copies, self.action_names = ranks, copies, words
        self.bets = betting(limits)
        moves, actions = self.bets.moves.shape[1], self.bets.successor.shape[1]
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
        return np.asarray((self.bets.successor[node] >= 0) & (self.bets.actor[node] == seat)[:, None])

    def observe(self, states: States, seat: int) -> NDArray[np.float32]:
        """Own card, public card and each move so far, one-hot.

        Args:
            states: [N, 4].
            seat: whose view.

        Returns:
            float32 [N, 2 * ranks + L * A].
        """
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
        """The cards in one word, the node of the betting tree in the other.

        Args:
            states: [N, 4].
            seat: whose information state, which holds its own private card alone; None: both private cards.

        Returns:
            uint64 [N, 2].
        """
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
        """Both private cards, the public card and the bets.

        Args:
            state: [4].

        Returns:
            Two lines.
        """
        own, their, public, _ = (int(word) for word in state)
        cards = f"cards: seat 0 {self.card(own)}, seat 1 {self.card(their)}" + (
            f"; public: {self.card(public)}" if public >= 0 else ""
        )
        return f"{cards}\n{self.record(state)}"

    def render_for(self, state: States, seat: int) -> str:
        """The seat's own card, the public card and the bets.

        Args:
            state: [4].
            seat: whose view.

        Returns:
            Two lines.
        """
        public = f"; public: {self.card(int(state[_PUBLIC]))}" if state[_PUBLIC] >= 0 else ""
        return f"your card: {self.card(int(state[seat]))}{public}\n{self.record(state)}"

    # --- what can be listed ------------------------------------------------------------------------------

    def starts(self) -> States:
        """Every deal of two private cards.

        Returns:
            int64 [n, 4].
        """
        first, second = np.divmod(np.arange(self.ranks**2), self.ranks)
        states = self._undealt(np.stack([first, second], axis=1))
        return states[self._deals(states) > 0]

    def start_probability(self) -> Floats:
        """The probability of each of ``starts``.

        Returns:
            float64 [n].
        """
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
        """What a card is called.

        Args:
            rank: from 0, the lowest.

        Returns:
            Its letter or digit: up to the king in decks of 2 or 3 ranks, up to the ace in decks of 4 to 13 ranks. In
            larger decks its number, from 1.
        """
        names = "23456789TJQKA"
        low = {3: "JQK", 2: "QK"}.get(self.ranks, names[-self.ranks :])
        return low[rank] if self.ranks <= len(names) else str(rank + 1)

    def record(self, state: States) -> str:
        """What both seats see: the bets so far in words, and the pot.

        Args:
            state: [4].

        Returns:
            One line.
        """
        said, node = [], 0
        for action in self.bets.moves[int(state[_NODE])]:
            if action < 0:
                break
            facing = int(self.bets.paid[node, 0] != self.bets.paid[node, 1])
            said.append(self.action_names[facing][action])
            node = int(self.bets.successor[node, action])
        pot = int(self.bets.paid[int(state[_NODE])].sum())
        return f"bets: {', '.join(said) or 'none'}; pot {pot}"

    def words(self, state: States, seat: int) -> tuple[str, ...]:
        """[A] what the actions are called, without a bet to answer or with one; empty for illegal ones.

        Args:
            state: [W].
            seat: who is to move; the words are the same for both.
        """
        node = int(state[_NODE])
        said = self.action_names[int(self.bets.paid[node, 0] != self.bets.paid[node, 1])]
        return tuple(word if child >= 0 else "" for word, child in zip(said, self.bets.successor[node], strict=True))

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
        """[N, 4] positions after the bets, before a card is dealt. GameError where one is illegal."""
        node = states[:, _NODE]
        actor = self.bets.actor[node]
        chosen = actions[np.arange(len(states)), actor]  # -1, a seat that is over, picks seat 1's; refused below
        inside = (actor >= 0) & (chosen >= 0) & (chosen < self.spec.actions)
        child = np.where(inside, self.bets.successor[node, np.where(inside, chosen, 0)], -1)
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
    """Kuhn poker; actions are 0 (pass) and 1 (bet).

    Args:
        parameters: the number of ranks, 3 if empty.

    Returns:
        The game ``kuhn`` or ``kuhn:RANKS``.

    Raises:
        GameError: for anything that is no number of ranks from 2 to ``MAX_RANKS``.
    """
    limits = Limits(ante=1, sizes=(1,), raises=1, numbers={"fold": 0, "check": 0, "call": 1, "raise": 1})
    return Poker(*_named("kuhn", parameters, 3), 1, limits, (("check", "bet"), ("fold", "call")))


def leduc(parameters: str) -> Poker:
    """Leduc poker, two cards of each rank; actions are 0 (fold), 1 (call) and 2 (raise).

    Args:
        parameters: the number of ranks, 3 if empty.

    Returns:
        The game ``leduc`` or ``leduc:RANKS``.

    Raises:
        GameError: for anything that is no number of ranks from 2 to ``MAX_RANKS``.
    """
    limits = Limits(ante=1, sizes=(2, 4), raises=2, numbers={"fold": 0, "check": 1, "call": 1, "raise": 2})
    return Poker(*_named("leduc", parameters, 3), 2, limits, (("", "check", "bet"), ("fold", "call", "raise")))


def _named(word: str, parameters: str, usual: int) -> tuple[str, int]:
    """The name of the game and its number of ranks, from the text after the colon."""
    if not parameters:
        return word, usual
    if not (parameters.isascii() and parameters.isdigit()) or len(parameters) > 4:
        raise GameError(f"{word}:{parameters[:40]} is no game; write {word} or {word}:RANKS")
    ranks = int(parameters)
    return (word if ranks == usual else f"{word}:{ranks}"), ranks
