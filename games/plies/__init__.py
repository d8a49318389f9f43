"""The positions of a board ply by ply, as sets of bits: graphs of boards whose moves would not fit the memory.

- ``rules``: how positions are numbered, and the rules as tables for compiled loops (``games.compiled.layers``).
- ``graph``: a graph that keeps one bit for each position that there could be, and one byte for each that there is.
"""
