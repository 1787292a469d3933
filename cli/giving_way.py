"""A long import gives way to those who ask: it has minutes, they wait for one answer."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

LONG_ROWS: Final = 15_000
LONG_TEXT_BYTES: Final = 1 << 20
"""As many rows as text: some two seconds; what is shorter is over before anybody notices."""

NICENESS: Final = 10


def give_way() -> None:
    """Run at a lower priority from here on, where the system knows one; it cannot be taken back."""
    if hasattr(os, "setpriority"):  # not on Windows
        with suppress(OSError):
            niceness = max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0))
            os.setpriority(os.PRIO_PROCESS, 0, niceness)
