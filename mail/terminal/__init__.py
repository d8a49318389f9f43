"""The terminal interface: boards, games, progress and tables."""
