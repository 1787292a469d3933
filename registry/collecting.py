"""Rarer rounds of the cycle collector, where many objects are made and no cycle.

Looking through them again and again takes a twentieth to a fifth of the time.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

COLLECTED_OBJECTS: Final = 200_000


class _Rarely:
    """What the threshold was before the first of those who are at it, in any thread."""

    lock = threading.Lock()
    users = 0
    before = 0


@contextmanager
def collecting_rarely(objects: int = COLLECTED_OBJECTS) -> Iterator[None]:
    """Let the cycle collector look only after so many new objects; not at all where it is off.

    Where several are at it, the number of the first holds for all.
    """
    with _Rarely.lock:
        if _Rarely.users == 0:
            _Rarely.before = _set_first(objects)
        _Rarely.users += 1
    try:
        yield
    finally:
        with _Rarely.lock:
            _Rarely.users -= 1
            if _Rarely.users == 0:
                if gc.get_count()[0] > COLLECTED_OBJECTS and not gc.get_freeze_count():
                    _let_age()
                _set_first(_Rarely.before)


def _let_age() -> None:
    """Count what was made among the old: the next round would look through all of a large answer."""
    gc.freeze()
    gc.unfreeze()


def _set_first(objects: int) -> int:
    """Set after how many new objects it looks, and return what that was before."""
    before, *others = gc.get_threshold()
    if before:
        gc.set_threshold(objects, *others)
    return before
