"""Learned best responses: lower bounds on exploitability in games that cannot be enumerated."""
