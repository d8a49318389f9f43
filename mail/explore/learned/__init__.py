"""Explorers that lead a clone of n-tuples, by play alone, to where its labels are worth most."""
