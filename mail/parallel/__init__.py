"""Parallel work: pools of processes and machines, random streams, labels computed by solvers."""
