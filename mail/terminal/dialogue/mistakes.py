"""After a game, line by line: each of the human's mistakes once more, asked again before the answer is shown."""

from __future__ import annotations

from collections.abc import Iterable

from mail.terminal.advice import Mistake
from mail.terminal.answers import Read, is_word, split, understand
from mail.terminal.boards import Scene
from mail.terminal.game.contest import Contest
from mail.terminal.screen import Screen

TRIES = 20  # answers to one question after which the next one is asked


def go_through(contest: Contest, mistakes: Iterable[Mistake], read: Read, screen: Screen) -> None:
    """Ask for a better move at each mistake, until the human has seen all or leaves.

    Args:
        contest: The finished game.
        mistakes: Its mistakes, as ``Contest.mistakes`` finds them.
        read: The next line of input.
        screen: For output.
    """
    found = list(mistakes)
    if not found:
        screen.say("No mistake of yours is known in this game.")
    for number, mistake in enumerate(found, start=1):
        view = contest.view.at(mistake.states[0], mistake.seat)
        screen.draw(view, Scene(mistake.states[0], mistake.before, viewer=mistake.seat))
        screen.say(
            f"Mistake {number} of {len(found)}, move {mistake.ply + 1}: you played {view.move(mistake.action)}, which "
            f"{mistake.verdict}."
        )
        if not _asked(contest, mistake, read, screen):
            return


def _asked(contest: Contest, mistake: Mistake, read: Read, screen: Screen) -> bool:
    """Ask until a better move is found or the answer is wanted. Returns whether the human goes on."""
    view, game = contest.view.at(mistake.states[0], mistake.seat), contest.game
    legal = [action for action in range(game.spec.actions) if game.legal(mistake.states, mistake.seat)[0, action]]
    for _ in range(TRIES):
        screen.say("Find a better move (Enter shows the answer, q goes back): ", end="")
        answer = read()
        if answer is None or (is_word(answer.strip()) and split(answer.strip())[0] in ("quit", "exit")):
            return False
        if not answer.strip():
            break
        action, problem = understand(answer.strip(), legal, view, game.spec.actions)
        if action is None:
            screen.say(problem)
            continue
        said = f"{view.move(action)}: {contest.advice.verdict(mistake.states, mistake.seat, action)}"
        if action in mistake.better:
            screen.say(f"Yes, {said}")
            return True
        screen.say(f"No, not {said}")
    screen.say(f"Right: {contest.advice.hint(mistake.states, mistake.seat)}")
    return True
