"""After a game: one's own mistakes, asked again before the answer is shown."""

from __future__ import annotations

from mail.terminal.full.frame import text_of
from mail.terminal.full.review import Review
from mail.terminal.full.work import Worker
from mail.terminal.game.contest import Contest
from tests.mail.terminal.full.sitting import LARGE, SMALL, press, screen
from tests.mail.terminal.sitting import Preferring, expert, knowing
from tests.support import game


def review(*moves: str, advised: bool = True) -> Review:
    """Of a game against the expert, or against somebody of whom nothing is known."""
    known = knowing("tictactoe") if advised else {}
    shown = screen(game("tictactoe"), expert("tictactoe")[1], **known)
    press(shown, *moves)
    assert shown.contest.ended
    press(shown, "m")
    assert shown.outcome == "mistakes"
    return Review(shown.contest, worker=Worker(at_once=True))


def shown(page: Review, *keys: str) -> str:
    for key in keys:
        page.press(key)
    for on in (SMALL, LARGE):
        lines = page.draw(on).lines
        assert len(lines) == on.height and all(line.cell_len <= on.width for line in lines)
    return " ".join(text_of(lines).split())


def test_a_mistake_is_asked_again_before_the_answer() -> None:
    page = review("1", "7", "9")  # 1 5, 7 4, 9 6
    assert "Mistake 1 of 1, move 5: you played cell 9, which throws away a draw: it now loses." in shown(page)
    assert "No, not cell 2: Throws away a draw: it now loses; it lets o complete 4-5-6." in shown(page, "2")
    assert "Cell 5 is taken here." in shown(page, "5")
    assert "Right: An expert plays cell 6; it blocks 4-5-6" in shown(page, "v")
    assert "Yes, cell 6: The only move that draws; it blocks 4-5-6" in shown(page, "choose 5")
    assert "> 3 <" in shown(page, "k") and "No, not cell 3" in shown(page, "enter")
    assert page.outcome is None
    page.press("q")
    assert page.outcome == "done"


def test_a_game_without_mistakes_and_one_of_which_nothing_is_known() -> None:
    for page in (review("5", "3", "4", "2", "9"), review("1", "7", "9", advised=False)):
        assert "No mistake of yours is known in this game." in shown(page)
        page.press("x")
        assert page.outcome == "done"


def test_several_mistakes_are_gone_through() -> None:
    page = Review(_two_mistakes(), worker=Worker(at_once=True))
    first = shown(page)
    assert "Mistake 1 of 2" in first and "Mistake 2 of 2" in shown(page, "n", "n")
    assert shown(page, "b") == first


def _two_mistakes() -> Contest:
    """x throws a draw away twice, because o gives it back."""
    played = screen(game("tictactoe"), Preferring(1, 5, 8, 3), **knowing("tictactoe"))
    press(played, "1", "3", "4", "7")
    while not played.contest.ended:
        press(played, str(played.contest.current.legal(0)[0] + 1))
    return played.contest
