"""Players by name, for every command that takes one: ``expert``, ``random``, ``suboptimal:T``, ``pretrained``, a table
file (``agents.storage.tables``), ``RUN[:LEARNER]``, and each of them with tactics, ``tactics:NAME``.

Names are checked, and runs loaded, before anything large is built. Players that need the game's model receive it later;
if that is None, they query a solver.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from agents.expert import make as make_expert
from agents.policy import Seats, Uniform
from agents.solver import solvable
from agents.suboptimal import WORD, parse, suboptimal
from agents.tactics import WORD as TACTICS
from agents.tactics import Tactics
from games.base import Game, GameError, Model, NashmailError
from games.models import called, has_model, model_of, own_board, positions_at_most
from games.symmetry import board_behind
from mail.evaluation.arena.match import MatchError
from mail.training import pretrained
from mail.training.profile import canonical, check_profile, load_profile

NOTICED = 1_000_000  # positions from which enumeration takes a second or more and is announced

Entrant = Callable[[Model | None], Seats]


def check_entrant(name: str) -> None:
    """Refuse a name that no player has, as far as can be told without loading a policy.

    Args:
        name: The player's.

    Raises:
        NashmailError: There is none.
    """
    if (bare := _without_tactics(name)) is not None:
        check_entrant(bare)
        return
    if name in ("random", "expert", pretrained.WORD) or is_table(name):
        return
    if name.partition(":")[0] == WORD:
        parse(name)
        return
    named = (name, name.rpartition(":")[0])
    if not any(os.path.exists(path) for path in named) and not pretrained.is_run(name):
        raise NashmailError(
            f"no player is called {name[:80]!r}; use expert, random, {WORD}:T, a table file, or a run's folder"
        )
    check_profile(name)


def is_table(name: str) -> bool:
    """Whether a name is the path of a policy table.

    Args:
        name: The player's.
    """
    return name.endswith((".csv", ".json")) and os.path.isfile(name)


def entrant(name: str, game: Game) -> Entrant:
    """The player of a name.

    Args:
        name: The player's.
        game: The game.

    Returns:
        A function from the game's model (or None) to both seats' policies.

    Raises:
        NashmailError: There is none.
    """
    check_entrant(name)
    if (bare := _without_tactics(name)) is not None:
        if board_behind(game) is None:
            raise NashmailError(f"tactics are for boards, and {game.spec.name} is none; say {bare[:80]!r}")
        player = entrant(bare, game)
        return lambda model: with_tactics(player(model))
    if name == "random":
        return lambda model: (Uniform(), Uniform())
    if name == "expert":
        return lambda model: make_expert("first", _known(model, game, name))
    if name.partition(":")[0] == WORD:
        temperature, random_when_lost = parse(name)
        return lambda model: suboptimal(_known(model, game, name), temperature, random_when_lost=random_when_lost)
    if is_table(name):
        from agents.storage.tables import read_table

        if not has_model(board_behind(game) or game):  # reading a table enumerates the positions
            raise NashmailError(
                f"{game.spec.name} has too many positions for a table; choose a run, random, or a smaller board"
            )
        table = read_table(Path(name), game)
        return lambda model: (table, table)
    if name == pretrained.WORD:
        if not pretrained.has(game.spec.name):
            raise NashmailError(f"no policies come with {game.spec.name}; train some: nashmail train {game.spec.name}")
        name = f"{pretrained.WORD}:{game.spec.name}"
    profile = load_profile(name)
    if profile.game.spec.name != game.spec.name:
        raise NashmailError(f"{name} plays {profile.game.spec.name}, not {game.spec.name}; choose another run")
    return lambda model: profile.policies


def with_tactics(seats: Seats) -> Seats:
    """Both seats with tactics.

    Args:
        seats: The policies.
    """
    return Tactics(seats[0]), Tactics(seats[1])


def _without_tactics(name: str) -> str | None:
    """The player that tactics are asked for, or None where they are not."""
    word, colon, bare = name.partition(":")
    return bare if colon and word == TACTICS else None


def needs_model(name: str) -> bool:
    """Whether a player needs the game's model.

    Args:
        name: The player's.
    """
    if (bare := _without_tactics(name)) is not None:
        return needs_model(bare)
    return name == "expert" or name.partition(":")[0] == WORD


def model_for(game: Game) -> Model | None:
    """The model of a game. A slow enumeration is announced on standard error.

    Args:
        game: The game.

    Returns:
        The model; None if there is none.
    """
    if (most := positions_at_most(game)) and has_model(game) and most > NOTICED:
        print(f"enumerating the positions of {game.spec.name}, at most {most:,} ...", file=sys.stderr)
    try:
        return model_of(game)
    except GameError:
        return None


def _known(model: Model | None, game: Game, name: str) -> Model | Game:
    """The argument that makes such a player: the model, or the game if it has a solver."""
    if model is not None:
        return model
    if not solvable(game):
        try:
            model_of(game)  # where the game should have a model this fails again, and says why
        except GameError as error:
            raise GameError(f"{name} needs the game's exact model: {error}") from error
        other = own_board(game)
        raise GameError(
            f"{called(game)} cannot be enumerated, which {name} needs; choose random, or a run"
            + (f", or {other}, which has the same rules" if other else "")
        )
    return game


def entrants(names: Sequence[str], game: Game) -> dict[str, Entrant]:
    """The players of a match.

    All names are checked, and runs loaded, before anything large is built.

    Args:
        names: The players'.
        game: The game.

    Returns:
        By name, a function from the game's model (or None) to both seats' policies.

    Raises:
        NashmailError: A name is unknown or repeated, or there are fewer than two.
    """
    if len(names) < 2:
        raise MatchError("a match needs at least two entrants; name a run, expert, random or suboptimal:T")
    for name in names:
        check_entrant(name)  # all of them before one is loaded, which is slow
        if pretrained.only_seat(name) is not None:
            raise MatchError(f"{name} plays one seat alone, and a match both; name {pretrained.WORD} to see it do so")
    known: set[str] = set()
    players: dict[str, Entrant] = {}
    for name in names:
        players[name] = entrant(name, game)
        if (plain := _plain(name, game)) in known:
            raise MatchError(f"{name[:80]!r} is entered twice; name each entrant once, it plays in both seats anyway")
        known.add(plain)
    return players


def _plain(name: str, game: Game) -> str:
    """A canonical name of an entrant: with its temperature as a number, or the real path of a table or a run."""
    if (bare := _without_tactics(name)) is not None:
        return f"{TACTICS}:{_plain(bare, game)}"
    if name.partition(":")[0] == WORD:
        temperature, random_when_lost = parse(name)
        return f"{WORD}:{temperature + 0.0}:{random_when_lost}"
    if name in ("random", "expert"):
        return name
    if is_table(name):
        return os.path.realpath(name)
    return canonical(f"{pretrained.WORD}:{game.spec.name}" if name == pretrained.WORD else name)
