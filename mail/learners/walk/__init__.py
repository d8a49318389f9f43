"""The learner ``mail-walk``: a walk finds the clone's mistakes on boards whose positions cannot be listed.

- ``judge``: whether moves keep what a seat can get, by search.
- ``layers``: one ply of a walk.
- ``descent``: the walk, and the queries at its mistakes.
- ``learner``: the learner.
"""
