"""``nashmail play``: games in the terminal against an expert, random play, a run's policy, or another human."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from games.base import NashmailError

if TYPE_CHECKING:
    from rich.console import Console

    from agents.policy import Policy, Seats
    from games.base import Floats, Game, Model, States
    from mail.terminal.answers import Read
    from mail.terminal.game.contest import GameSeries
    from mail.training.entrants import Entrant

NAMES = {"expert": "the expert", "random": "the random player"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "game", nargs="?", metavar="GAME", help="as `nashmail games` lists them (default: choose in the terminal)"
    )
    parser.add_argument(
        "--against",
        metavar="WHO",
        help="expert (default), unbeatable, pretrained, random, suboptimal:T, a table file, RUN[:LEARNER], or human",
    )
    parser.add_argument(
        "--seat",
        choices=("0", "1", "both"),
        help="your seat; 0 moves first (default: 0, or the one that is left), both: you play both",
    )
    parser.add_argument("--seed", type=_seed, metavar="S", help="random seed of the opponent (default: a new one)")
    parser.add_argument(
        "--from",
        dest="start",
        metavar="MOVES",
        help="begin after these moves, for example 4455, or after those of a saved game",
    )
    parser.add_argument("--analysis", action="store_true", help="show the values of moves; `analysis` switches it")
    parser.add_argument("--save", type=Path, metavar="FILE", help="save the game as text, see nashmail replay")
    parser.add_argument("--plain", action="store_true", help="a dialogue line by line instead of the full screen")
    parser.add_argument("--ascii", action="store_true", help="the same, drawn with plain characters")
    parser.add_argument("--no-animation", action="store_true", help="show a disc where it ends, without its fall")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")


def run(args: argparse.Namespace) -> int:
    """Play. Quitting early is not an error."""
    from rich.console import Console

    from mail.training.pretrained import only_seat

    console = Console(markup=False, highlight=False, emoji=False)
    full = not (args.plain or args.ascii) and _there(console)
    if args.game is None and not _choose(args, full, console):
        return 0
    args.against = args.against or _opponent(args.game, args.seat)
    args.seat = args.seat or ("1" if only_seat(args.against) == 0 else "0")
    if args.seat == "both" and args.against not in ("expert", "human"):
        who, only = args.against[:80], only_seat(args.against)
        free = "0 or 1" if only is None else 1 - only
        raise NashmailError(f"--seat both leaves no seat to {who}; choose --seat {free}, or --against human")
    series = _series(args, args.game, args.against, args.seat)
    seed = series.seed
    if full:
        from mail.terminal.full.start import play

        prepare = partial(_series, args, first=False)
        tally = play(series, prepare, animation=not args.no_animation, mouse=not args.no_mouse).tally
        if tally.won or tally.drawn or tally.lost:
            console.print(f"{tally}.", soft_wrap=True)
        return 0
    _dialogue(args, series, console)
    if args.seed is None and args.against not in ("expert", "human") and args.seat != "both":
        console.print(f"The same opponent again: --seed {seed}", soft_wrap=True)
    return 0


def _opponent(game: str, seat: str | None) -> str:
    """Whom one plays where nobody is named: the expert, or, without the solver that it needs, who comes with us."""
    from agents.solver import installed
    from mail.training import pretrained

    free = seat not in ("both", str(pretrained.UNBEATABLE_SEAT))
    return pretrained.UNBEATABLE if game == pretrained.UNBEATABLE_GAME and free and not installed() else "expert"


def _there(console: Console) -> bool:
    """Whether there is a full screen."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    from mail.terminal.full.start import has_full_screen

    return has_full_screen(console)


def _choose(args: argparse.Namespace, full: bool, console: Console) -> bool:
    """Let the human choose what to play. Returns whether something was chosen."""
    from games import make

    if sys.stdin is None or not sys.stdin.isatty():
        raise NashmailError(
            "name a GAME, for example `nashmail play tictactoe`; `nashmail games` lists them (without a name they are "
            "listed in a terminal)"
        )
    if args.against or args.seat or args.start:
        raise NashmailError("name the GAME, too: --against, --seat and --from are chosen in the terminal otherwise")
    if full:
        from mail.terminal.full.start import choose

        chosen = choose(make, mouse=not args.no_mouse)
    else:
        from mail.terminal.dialogue.menu import choose_game
        from mail.terminal.screen import Screen

        chosen = choose_game(make, _reader(), Screen(console, unicode=not args.ascii))
    if chosen is None:
        return False
    args.game, args.against, args.seat = chosen
    return True


def _series(args: argparse.Namespace, game: str, against: str, seat: str, *, first: bool = True) -> GameSeries:
    """The players that are named; ``first``: in the first game, which has a seed, moves and a file of its own."""
    from agents.storage.reading import printable
    from games import make
    from mail.data.records import RecordError
    from mail.terminal.analysis import oracle
    from mail.terminal.game.contest import GameOptions, GameSeries
    from mail.training.entrants import needs_model
    from mail.training.pretrained import only_seat

    played, taken = make(game), only_seat(against)
    if taken is not None and seat == str(taken):
        raise NashmailError(f"{against} plays seat {taken} alone; choose --seat {1 - taken}")
    if first and args.save is not None and args.save.exists():
        raise RecordError(f"{args.save} already exists; choose another --save")
    make_seats = None if against == "human" else _entrant(against, played)
    known = _Known(played)
    seats = None if make_seats is None else make_seats(known.model() if needs_model(against) else None)
    seed, moves = _begun(args, played) if first else (secrets.randbelow(1_000_000), ())
    options = GameOptions(
        seats,
        lambda: oracle(played, known.model),
        args.analysis,
        args.save if first else None,
        moves,
        linger=bool(sys.stdin and sys.stdin.isatty()),
        one_seat=taken is not None,
        unicode=not args.ascii,
    )
    alone = seat == "both" or seats is None
    name = None if alone else NAMES.get(against, printable(against))
    return GameSeries(played, name, seats, 0 if alone else int(seat), seed=seed, options=options)


def _dialogue(args: argparse.Namespace, series: GameSeries, console: Console) -> None:
    """Games line by line."""
    from mail.terminal.dialogue.sitting import sit_down

    try:
        sit_down(
            series,
            partial(_series, args, first=False),
            read=_reader(),
            console=console,
            echo=not series.options.linger,
        )
    except KeyboardInterrupt:
        console.print()  # the error message starts on a new line
        raise


def _reader() -> Read:
    from mail.terminal.answers import reader

    return reader(sys.stdin.buffer if sys.stdin else None)


def _begun(args: argparse.Namespace, game: Game) -> tuple[int, tuple[tuple[int, int], ...]]:
    """The seed, and the moves that were made before, if the arguments name some."""
    from mail.data.game_text import follow, read_games
    from mail.data.records import RecordError

    seed = secrets.randbelow(1_000_000) if args.seed is None else args.seed
    if args.start is None:
        return seed, ()
    if args.start.endswith((".txt", ".json")) or os.path.isfile(args.start):  # False for what is too long for a name
        played = read_games(Path(args.start), game)[0]
        seed = played.record.seed  # its chances are those of the moves
    else:
        played = follow(game, args.start, seed=seed, source="--from")
    if played.over:
        raise RecordError("--from: the game is over after these moves; name fewer, or see it with `nashmail replay`")
    return seed, played.record.moves


class _Known:
    """The game's model, made at its first use."""

    def __init__(self, game: Game) -> None:
        self.game, self._made = game, False
        self._model: Model | None = None

    def model(self) -> Model | None:
        from mail.training.entrants import model_for

        if not self._made:
            self._made, self._model = True, model_for(self.game)
        return self._model


# --- the opponent ----------------------------------------------------------------------------------------


def _entrant(name: str, game: Game) -> Entrant:
    """The player of this name. A run that looks valid is loaded in the background, while the user sees
    the first board.
    """
    from mail.training.entrants import entrant

    if not _is_run_of(name, game):
        return entrant(name, game)
    loading = _Loading(name, game)
    return lambda model: (_Later(loading, 0), _Later(loading, 1))


def _is_run_of(name: str, game: Game) -> bool:
    """Whether this is a finished run of this game, according to its configuration.

    If not, the run is loaded at once, which reports the problem.
    """
    from mail.training.config import folder_of, read_config

    for place, learner in ((name, None), name.rpartition(":")[::2]):
        try:
            config = read_config(folder := folder_of(place))
        except NashmailError:
            continue
        known = learner is None or learner in config.learners
        return config.game == game.spec.name and known and (folder / "result.json").is_file()
    return False


class _Loading:
    """A run that is loaded in a background thread, because the import of torch takes longer than drawing a board."""

    def __init__(self, name: str, game: Game) -> None:
        self.name, self.game = name, game
        self._seats: Seats | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._load, daemon=True)
        self._thread.start()

    def _load(self) -> None:
        from mail.training.entrants import entrant

        try:
            self._seats = entrant(self.name, self.game)(None)
        except BaseException as error:  # raised where the policies are used
            self._error = error

    def ready(self) -> bool:
        return not self._thread.is_alive()

    def seats(self) -> Seats:
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._seats is not None  # the thread has ended without an error
        return self._seats


class _Later:
    """One seat of a run that is being loaded. The first query waits for it."""

    def __init__(self, loading: _Loading, seat: int) -> None:
        self._loading, self._seat = loading, seat
        self.ready = loading.ready

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        policy: Policy = self._loading.seats()[self._seat]
        return policy.probabilities(game, states, seat)


def _seed(text: str) -> int:
    """Parse a seed for argparse."""
    if not (text.isascii() and text.isdigit() and len(text) <= 100):
        raise argparse.ArgumentTypeError(f"a seed must be a whole number, 0 or more, not {text[:20]!r}")
    return int(text)
