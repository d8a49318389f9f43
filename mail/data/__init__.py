"""Training data: decisions, how play collects them, and saved games."""
