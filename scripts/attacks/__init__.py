"""The cases of ``scripts/attack.py``, one module per kind, and how they are run and judged."""
