"""What environments of all libraries share: the picture of a position, as Gymnasium's ``render_mode`` asks for it."""

from __future__ import annotations

from games.base import Game, States


class Rendered:
    """The part of an environment that draws; it holds a game and one position of it."""

    game: Game
    render_mode: str | None
    _states: States  # [1, W]

    def render(self) -> str | None:
        """The position as text: returned for ``ansi``, printed for ``human``."""
        picture = self.game.render(self._states[0])
        if self.render_mode == "human":
            print(picture, end="\n\n")
        return picture if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Nothing to release."""
