"""Matches between policies, their ratings, and openings to start from."""
