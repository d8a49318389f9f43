"""``python -m mail`` is the same as ``nashmail``."""

from __future__ import annotations

from mail.start import main

if __name__ == "__main__":
    import sys

    sys.exit(main())
