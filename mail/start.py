"""Where ``nashmail`` starts: signals are looked after before anything else is imported (``mail.parallel.signals``)."""

from __future__ import annotations

from mail.parallel.signals import end_at_once, ignore


def main() -> int:
    """The ``nashmail`` command, see ``mail.commands.cli``; returns its exit status."""
    end_at_once()
    from mail.commands.cli import main as command

    status = command()
    ignore()
    return status
