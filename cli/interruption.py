"""When Ctrl-C is heard, and what is said of it.

Not heard while an engine is half loaded, which would crash or call it a fault.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ENGINE_INTERRUPTED: Final = "Query interrupted"


class RecordedBeforeInterruptError(KeyboardInterrupt):
    """An interruption that came after something was recorded: at which positions."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__()
        self.first = first
        self.last = last


def is_interruption(error: BaseException) -> bool:
    """Whether Ctrl-C is behind an error.

    While the ledger's engine works, it makes an error of its own of it; while it is loaded, an
    ImportError raised from the interruption.
    """
    if isinstance(error, KeyboardInterrupt):
        return True
    if type(error) is RuntimeError and str(error) == ENGINE_INTERRUPTED:
        return True
    return isinstance(error.__cause__ or error.__context__, KeyboardInterrupt)


def hear() -> None:
    """Raise KeyboardInterrupt from now on, unless somebody ignores interruptions."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def heard_later() -> Iterator[None]:
    """Hear an interruption when this is over: for what is loaded while files lie about.

    Only while there is no other thread, which would hear it.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def loading() -> Iterator[None]:
    """End at once when interrupted; only for what comes before anything is recorded."""
    handled = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not handled or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
