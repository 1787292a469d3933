"""Where the process `ucj` begins: while something is loaded, Ctrl-C ends it without a word.

Imports nothing heavy, so that there is next to no time in which an interruption is a traceback.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def main() -> None:
    """Run `ucj`; see `cli.main.main`."""
    with loading():
        from cli.main import main as run_and_exit
    run_and_exit()


@contextmanager
def loading() -> Iterator[None]:
    """End at once when interrupted: an engine that is half loaded would crash, or call it a fault.

    Only while nothing is recorded; an interruption that somebody ignores stays ignored.
    """
    handled = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not handled or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    main()
