"""Where work is done: pools of processes and machines, random streams, labels that solvers compute."""
