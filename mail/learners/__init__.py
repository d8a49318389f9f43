"""Learners: what they collect, and what they clone."""
