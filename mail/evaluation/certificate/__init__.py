"""Proofs that a greedy policy cannot be beaten, by walking every reply."""
