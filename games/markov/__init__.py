"""Markov games of simultaneous moves: dynamics, exact models, named games."""
