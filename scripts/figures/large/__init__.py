"""Figures of boards that cannot be enumerated."""
