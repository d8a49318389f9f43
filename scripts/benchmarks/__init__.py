"""The benchmarks of ``scripts/bench.py``, one module each with ``run``, and what they share."""
