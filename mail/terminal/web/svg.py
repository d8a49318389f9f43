"""Positions as SVG: boards with their discs or marks, other games as the text that ``render`` gives.

A picture needs no colour to be read: seat 0's marks are filled discs or crosses, seat 1's rings. The colours are CSS
classes, which the page sets (``STYLE``), so that they fit a light or a dark screen.
"""

from __future__ import annotations

from html import escape

from games.base import Game
from mail.terminal.boards import Scene, marked_cells

SIDE = 40
"""Pixels of a cell."""

STYLE = """\
svg.board{background:var(--board);border-radius:6px}
.board .line{stroke:var(--line);stroke-width:1}
.board .x{fill:var(--x);stroke:var(--x)} .board .o{fill:none;stroke:var(--o)}
.board .cross{fill:none} .board .stone{stroke-width:5}
.board .fresh{fill:var(--fresh)} .board .won{fill:var(--won)}
.board text{fill:var(--line);font:11px sans-serif;text-anchor:middle;dominant-baseline:central}
"""


def picture(game: Game, scene: Scene) -> str:
    """One moment of a game as an HTML element: ``svg`` where the game is drawn in cells, else ``pre``.

    Args:
        game: The game.
        scene: The moment.
    """
    layout = game.spec.display.layout
    if layout == "text" or not game.spec.in_a_row:
        return f"<pre>{escape(game.render(scene.state))}</pre>"
    cells, columns, fresh, won = marked_cells(game, scene)
    rows = len(cells) // columns
    drawn = _background(rows, columns, fresh, won)
    for index, mark in enumerate(cells):
        middle_x, middle_y = (index % columns + 0.5) * SIDE, (index // columns + 0.5) * SIDE
        if mark in "xo":
            drawn.append(_stone(mark, middle_x, middle_y, cross=layout == "grid" and mark == "x"))
        elif layout == "grid":
            drawn.append(f'<text x="{middle_x:g}" y="{middle_y:g}">{index + 1}</text>')
    width, height = columns * SIDE, rows * SIDE
    label = escape(" / ".join(game.render(scene.state).splitlines()))
    return (
        f'<svg class="board" role="img" aria-label="{label}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{"".join(drawn)}</svg>'
    )


def _background(rows: int, columns: int, fresh: set[int], won: set[int]) -> list[str]:
    """The cells that are marked, and the lines between cells."""
    parts = []
    for cells, name in ((fresh - won, "fresh"), (won, "won")):
        for index in sorted(cells):
            x, y = index % columns * SIDE, index // columns * SIDE
            parts.append(f'<rect class="{name}" x="{x}" y="{y}" width="{SIDE}" height="{SIDE}"/>')
    for column in range(1, columns):
        parts.append(f'<path class="line" d="M{column * SIDE} 0V{rows * SIDE}"/>')
    for row in range(1, rows):
        parts.append(f'<path class="line" d="M0 {row * SIDE}H{columns * SIDE}"/>')
    return parts


def _stone(mark: str, x: float, y: float, *, cross: bool) -> str:
    """A disc, a ring or a cross in the middle of a cell."""
    if cross:
        reach = SIDE * 0.27
        path = f"M{x - reach:g} {y - reach:g}l{2 * reach:g} {2 * reach:g}m{-2 * reach:g} 0l{2 * reach:g} {-2 * reach:g}"
        return f'<path class="stone x cross" d="{path}"/>'
    return f'<circle class="stone {mark}" cx="{x:g}" cy="{y:g}" r="{SIDE * 0.3:g}"/>'
