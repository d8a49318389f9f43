"""Tests of the learner mail-walk."""
