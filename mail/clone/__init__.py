"""Behavioral cloning: from labels to a policy, by networks, softmax-linear policies and tables."""
