"""Matches between policies, ratings of them, and openings to start from."""
