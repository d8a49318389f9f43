"""Experts beside ``first`` and ``uniform``: choices among moves that keep the value, averages, bots that search."""
