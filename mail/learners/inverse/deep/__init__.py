"""Adversarial and inverse learners with networks, which know play and labels alone: no exact model."""
