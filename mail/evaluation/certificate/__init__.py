"""Proofs that a greedy policy cannot be beaten, by a walk over all replies."""
