"""The explorer ``mistakes``: queries at the mistakes to which an opponent can lead the clone.

- ``walk``: where an opponent can lead a clone, layer by layer, and where the clone gives the game's value away.
- ``explorer``: the explorer.
"""
