"""The figures of ``scripts/reproduce.py``, one module each with ``make`` and ``redraw``, and what they share."""
