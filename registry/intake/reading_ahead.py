"""What an iterator makes, made by a child process while this one works on what came before.

Knows nothing of what is made, but that it can be made again: whatever keeps the child from its work,
the rest is made here. Only where a process can be forked safely, and there is a second processor.
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, BinaryIO, Final, NoReturn

_LENGTH_BYTES: Final = 4
_PIPE_BYTES: Final = 1 << 20  # ten pages: by default not one, and the child waited again and again
_END: Final = bytes(_LENGTH_BYTES)


def can_read_ahead() -> bool:
    """Whether a fork is safe here (no other thread may hold a lock) and of any use."""
    return (
        sys.platform == "linux"
        and threading.active_count() == 1
        and len(os.sched_getaffinity(0)) > 1
    )


def made_ahead(make: Callable[[], Iterator[Any]]) -> Generator[Any]:
    """Yield what `make` makes: texts, numbers, None and tuples or lists of them; made by a child.

    `make` must change nothing here. What it raises is raised here, after all that came before.
    """
    made = 0
    if (forked := _forked()) is None:
        yield from make()
        return
    child, reading, writing = forked
    if child == 0:
        os.close(reading)
        _work(make, writing)
    os.close(writing)
    try:
        with open(reading, "rb", buffering=1 << 20) as pipe:  # noqa: PTH123 - of a descriptor
            while (length := pipe.read(_LENGTH_BYTES)) != _END:
                size = int.from_bytes(length, "big")
                each = pipe.read(size)
                if len(length) < _LENGTH_BYTES or len(each) < size:
                    break  # it has ended before its time, perhaps in the middle of a message
                yield marshal.loads(each)  # noqa: S302 - our own child's
                made += 1
            else:
                return
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        with suppress(ChildProcessError):  # whoever started us may have the system collect them
            os.waitpid(child, 0)
    yield from islice(make(), made, None)


def _forked() -> tuple[int, int, int] | None:
    """Return a child (0: it is this one) and the ends of a pipe to read and to write; None if none can be."""
    import fcntl  # not there on Windows, where nothing is forked

    try:
        reading, writing = os.pipe()
    except OSError:  # no descriptor more
        return None
    # As it is, where that is more than this user may have, or no system of Linux.
    with suppress(OSError, AttributeError):
        fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    try:
        return os.fork(), reading, writing
    except OSError:  # no process more for this user, or no memory for one
        os.close(reading)
        os.close(writing)
        return None


def _work(make: Callable[[], Iterator[Any]], writing: int) -> NoReturn:
    """Make all of it, and end without a word: whatever fails here is seen again by the parent."""
    try:
        # Of a terminal both hear it; the parent says so.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        gc.disable()
        with open(writing, "wb", buffering=1 << 20) as pipe:
            for each in make():
                _send(pipe, marshal.dumps(each))
            pipe.write(_END)
    finally:
        os._exit(0)  # nothing of the parent's is closed, flushed or removed here


def _send(pipe: BinaryIO, each: bytes) -> None:
    pipe.write(len(each).to_bytes(_LENGTH_BYTES, "big"))
    pipe.write(each)
    pipe.flush()
