"""Experts that are no exact equilibria: averages of regret minimisation, and bots that search."""
