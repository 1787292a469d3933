"""Rarer rounds of the cycle collector, where many objects are made and no cycle.

Looking through them again and again takes a twentieth to a fifth of the time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

COLLECTED_OBJECTS: Final = 200_000


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Let the cycle collector look only after so many new objects."""
    thresholds = gc.get_threshold()
    gc.set_threshold(COLLECTED_OBJECTS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
