"""The progress of a run on a terminal: while it trains, and followed from another terminal."""
