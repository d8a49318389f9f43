"""Figures over every learner."""
