"""Adversarial and inverse imitation, each in the decision process that a seat faces against the expert."""
