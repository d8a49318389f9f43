"""One module per command of ``nashmail``: ``arguments(parser)`` and ``run(args) -> exit status``."""
