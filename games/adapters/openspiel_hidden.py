"""OpenSpiel's sequential games with chance or hidden information: ``games.make("openspiel:kuhn_poker")``.

A state is its history, moves of chance included; what a seat knows of it is OpenSpiel's information state. For
two-player, zero-sum games whose chance moves are listed. Slow: every history is played in OpenSpiel. Interface: arXiv
1908.09453.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.adapters.openspiel import OpenSpielGame, refuse_others
from games.adapters.openspiel_facts import most_moves
from games.adapters.outside import answering, printable
from games.adapters.replay import NO_VIEWS, Moves, Position, moves_of
from games.base import Floats, Game, GameError, Ints, Keys, Rng, Spec, States, Successors
from games.cost import TooLarge, approximate

_DEALS = 200_000
"""Most outcomes of the chance moves before anybody decides."""


@dataclass(frozen=True)
class Situation(Position):
    """What OpenSpiel reports about a history. ``Position.reward`` is everything that seat 0 has been paid so far."""

    known: tuple[bytes, bytes] = (b"", b"")
    """What each seat knows, whether it is to move included."""


class HiddenOpenSpielGame(OpenSpielGame):
    """The OpenSpiel game that ``text`` describes, as a ``games.Hidden`` game.

    States are ``int64 [N, W]``, all moves in order, those of chance among them, padded with -1. A seat's key is 64 bits
    of a BLAKE2b hash of its information state and of whether it is to move; without a seat, of all moves. Information
    states of finished games are not distinguished from the history.

    Raises:
        GameError: for a game that does not fit.
    """

    def _fit(self, called: str) -> tuple[Spec, None]:
        kind = self.rules.get_type()
        refuse_others(self.rules, called, self._reasons(kind))
        self._tensor = kind.provides_information_state_tensor
        shape = self.rules.information_state_tensor_shape if self._tensor else self.rules.observation_tensor_shape
        spec = Spec(
            name="openspiel:" + str(self.rules).removesuffix("()"),
            actions=self.rules.num_distinct_actions(),
            observation=tuple(shape()),
            longest=most_moves(self.rules),
            payoffs=(float(self.rules.min_utility()), float(self.rules.max_utility())),
        )
        self._width = spec.longest + int(self.rules.max_chance_nodes_in_history())
        self._strings = kind.provides_information_state_string
        return spec, None

    @staticmethod
    def _reasons(kind: Any) -> dict[str, bool]:
        """Why a game does not fit."""
        hidden = kind.information != kind.Information.PERFECT_INFORMATION
        return {
            "draws chance by itself; only games that list the outcomes of chance fit": kind.chance_mode
            == kind.ChanceMode.SAMPLED_STOCHASTIC,
            "tells no information states, which hidden information needs": hidden
            and not kind.provides_information_state_string,
            "gives no tensor of what a seat sees, which learners need": not (
                kind.provides_information_state_tensor or kind.provides_observation_tensor
            ),
        }

    remembered = 1 << 20  # situations are small

    def replay(self, moves: Moves) -> Situation:
        state = self.state(moves)
        total = float(state.returns()[0]) + 0.0
        if state.is_terminal():
            return Situation(-1, (), total, NO_VIEWS, "")
        seat, legal = state.current_player(), tuple(state.legal_actions())
        if not legal:
            raise GameError(f"{self.called} goes on without a move to make after the moves {list(moves)}")
        known = [self._told(state, viewer, moves) for viewer in (0, 1)]
        return Situation(seat, legal, total, NO_VIEWS, "", known=(known[0], known[1]))

    def _told(self, state: Any, seat: int, moves: Moves) -> bytes:
        """What the seat knows; where everybody sees everything and OpenSpiel has no word for it, the moves."""
        said = state.information_state_string(seat) if self._strings else " ".join(map(str, moves))
        return b"%d " % (state.current_player() == seat) + said.encode()

    # --- the contract of games.base ----------------------------------------------------------------------

    def start(self, n: int, *, rng: Rng) -> States:
        return self._padded([self._drawn((), rng) for _ in range(n)])

    def observe(self, states: States, seat: int) -> NDArray[np.float32]:
        """[N, *observation] OpenSpiel's tensor of what the seat knows; zeros once the game is over."""
        views = np.zeros((len(states), *self.spec.observation), dtype=np.float32)
        for row, moves in enumerate(moves_of(states)):
            if self.position(moves).seat >= 0:
                with answering(self.called, self.library):
                    state = self.state(moves)
                    tensor = state.information_state_tensor if self._tensor else state.observation_tensor
                    views[row] = np.array(tensor(seat), dtype=np.float32).reshape(self.spec.observation)
        return views

    def render(self, state: States) -> str:
        """OpenSpiel's own picture, and the moves, which tell positions apart."""
        moves = moves_of(state[None])[0]
        with answering(self.called, self.library):
            picture = str(self.state(moves)).rstrip()
            there, said = self.rules.new_initial_state(), list[str]()
            for move in moves:
                said.append(" ".join(str(there.action_to_string(there.current_player(), move)).split()))
                there.apply_action(move)
        return "\n".join([picture, *wrap(f"moves: {', '.join(said) or 'none'}", 76)])

    def render_for(self, state: States, seat: int) -> str:
        """The seat's information state in OpenSpiel's words; the whole picture when the game is over or has none."""
        moves = moves_of(state[None])[0]
        with answering(self.called, self.library):
            there = self.state(moves)
            if not there.is_terminal() and self._strings:
                return _legible(str(there.information_state_string(seat)))
        return self.render(state)

    def key(self, states: States, seat: int | None = None) -> Keys:
        words = [
            self._word(moves, None if seat is None else self.situation(moves).known[seat]) for moves in moves_of(states)
        ]
        return np.frombuffer(b"".join(words), dtype=">u4").reshape(-1, 2).astype(np.uint64)

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, np.ndarray]:
        before = moves_of(states)
        after = [self._drawn(moves, rng) for moves in self._moved(before, actions)]
        return self._padded(after), self._paid(before, after), self._over(after)

    def starts(self) -> States:
        return self._padded([moves for moves, _ in self._starts])

    def start_probability(self) -> Floats:
        return np.array([odds for _, odds in self._starts])

    @cached_property
    def _starts(self) -> list[tuple[Moves, float]]:
        """The moves of chance before anybody decides, with their probability."""
        return self._outcomes(())

    def successors(self, states: States, actions: Ints) -> Successors:
        before = moves_of(states)
        found = [
            (row, *outcome)
            for row, moves in enumerate(self._moved(before, actions))
            for outcome in self._outcomes(moves)
        ]
        rows = np.array([row for row, _, _ in found], dtype=np.int64)
        after = [moves for _, moves, _ in found]
        paid = self._paid([before[row] for row in rows], after)
        odds = np.array([odds for _, _, odds in found], dtype=np.float64)
        return Successors(rows, self._padded(after), paid, self._over(after), odds)

    def at(self, moves: Moves) -> States:
        """The position after some moves.

        Args:
            moves: legal moves from the start, those of chance among them.

        Returns:
            [1, W].
        """
        return self._padded([moves])

    # --- moves -------------------------------------------------------------------------------------------

    def situation(self, moves: Moves) -> Situation:
        """What OpenSpiel reports about a history at which a seat decides, or that is over.

        Args:
            moves: legal moves from the start, those of chance among them.
        """
        found = self.position(moves)
        assert isinstance(found, Situation)
        return found

    def _moved(self, before: list[Moves], actions: Ints) -> list[Moves]:
        """Histories with one action more, before chance draws. GameError where the action is illegal."""
        after = []
        for moves, both in zip(before, actions, strict=True):
            known = self.situation(moves)
            action = int(both[known.seat]) if known.seat >= 0 else -1
            if action not in known.legal:
                raise GameError(f"{self.spec.name}: action {action} is not legal after the moves {list(moves)}")
            after.append((*moves, action))
        return after

    def _paid(self, before: list[Moves], after: list[Moves]) -> Floats:
        pairs = zip(before, after, strict=True)
        paid = [self.situation(later).reward - self.situation(earlier).reward for earlier, later in pairs]
        return np.array(paid, dtype=np.float64)

    def _over(self, after: list[Moves]) -> np.ndarray:
        return np.array([self.situation(moves).seat < 0 for moves in after], dtype=np.bool_)

    def _padded(self, rows: list[Moves]) -> States:
        states = np.full((len(rows), self._width), -1, dtype=np.int64)
        for place, moves in enumerate(rows):
            if len(moves) > self._width:
                raise GameError(f"{self.called} goes on after {self._width} moves, its stated length; make it longer")
            states[place, : len(moves)] = moves
        return states

    def _word(self, moves: Moves, known: bytes | None) -> bytes:
        """8 bytes of a hash of what a seat knows; of the whole history if ``known`` is None or the game is over."""
        whole = known is None or self.situation(moves).seat < 0
        said = " ".join(map(str, moves)).encode() if whole else b"known " + (known or b"")
        return blake2b(said, digest_size=8).digest()

    # --- chance ------------------------------------------------------------------------------------------

    def _drawn(self, moves: Moves, rng: Rng) -> Moves:
        """The moves with draws of chance after them, until somebody decides."""
        with answering(self.called, self.library):
            while (state := self.state(moves)).is_chance_node():
                actions, odds = zip(*state.chance_outcomes(), strict=True)
                total = np.cumsum(odds)
                mark = min(rng.random() * total[-1], np.nextafter(total[-1], 0.0))
                moves = (*moves, actions[int((total <= mark).sum())])
        return moves

    def _outcomes(self, moves: Moves) -> list[tuple[Moves, float]]:
        """All ways in which chance goes on until somebody decides, with their probabilities. TooLarge for too many."""
        found: list[tuple[Moves, float]] = []
        with answering(self.called, self.library):
            self._expand(moves, 1.0, found)
        return found

    def _expand(self, moves: Moves, odds: float, dealt: list[tuple[Moves, float]]) -> None:
        state = self.state(moves)
        if not state.is_chance_node():
            dealt.append((moves, odds))
            return
        outcomes = [(action, chance) for action, chance in state.chance_outcomes() if chance > 0]
        if len(moves) == 0 and (deals := self._deals()) > _DEALS:
            name = printable(self.called)
            raise TooLarge(
                f"{name} is too large to enumerate: chance alone can begin in about {approximate(deals)} ways"
            )
        for action, chance in outcomes:
            self._expand((*moves, action), odds * chance, dealt)

    def _deals(self) -> float:
        """The ways in which chance can begin, if all branch as the first does."""
        state, ways = self.rules.new_initial_state(), 1.0
        while state.is_chance_node() and ways < 1e300:
            outcomes = state.chance_outcomes()
            ways *= len(outcomes)
            state.apply_action(outcomes[0][0])
        return ways


def _legible(said: str) -> str:
    """An information state in lines: OpenSpiel brackets its parts, or writes them without a break."""
    said = said.strip()
    if said.startswith("[") and "][" in said:
        said = "\n".join(part.rstrip(": ") for part in said.strip("[]").split("][") if not part.endswith(": "))
    elif said and "\n" not in said:
        said = f"you know: {said}"
    return "\n".join(line for whole in said.splitlines() for line in wrap(whole, 76)) or "nothing is known yet"


def position_after(game: Game, moves: list[int]) -> States:
    """The position of a game of ours after some moves.

    Args:
        game: any game of ours whose chance moves, if any, are among its moves.
        moves: of both seats, and of chance where the game has any.

    Returns:
        [1, W].
    """
    if isinstance(game, HiddenOpenSpielGame):
        return game.at(tuple(moves))
    rng = np.random.default_rng(0)  # the others draw nothing
    states = game.start(1, rng=rng)
    for action in moves:
        acting = game.acting(states)
        states = game.step(states, np.where(acting, action, -1), rng=rng)[0]
    return states
