"""Proofs that a greedy policy cannot be beaten, by a walk over all replies.

- ``walk``: the verdict on a policy; ``layers``: one ply of the walk.
- ``proof``: proofs as files; ``checker``: the program beside them, which needs numpy alone.
"""
