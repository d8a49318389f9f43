"""What is shown in a terminal: boards, games, progress and tables."""
