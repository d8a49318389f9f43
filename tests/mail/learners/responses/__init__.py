"""Tests of learners by responses."""
