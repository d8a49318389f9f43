"""One run of one learner on one seat of an enumerable board: what it queries, and what its clone loses, as it goes.

What is measured is the clone that a learner would hand over if it stopped there. An explorer that stands by a clone of
its own is measured whenever it has fitted it, ``mail-walk`` at the snapshots that it keeps. For the others the first d
distinct labels are cloned afresh whenever d has grown by a share; between the first such d that reaches a target and
the one before, the least is found by bisection, to within 2 %. Who has not reached it within the budget of games is
reported so.

- ``cells``: what is run.
- ``measures``: games with their models, and what a clone loses.
- ``counting``: what has been spent, and the fewest queries that reach a target.
- ``runs``: the run.
"""
