"""Learners side by side: a grid of cells (learner, explorer, budget, seed), resumable cell by cell."""
