"""A game between two players in the terminal, without input or output: position, turns, players, score, record."""
