"""Training runs: configuration, folder, learning, evaluation and report."""
