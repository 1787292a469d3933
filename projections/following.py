"""The fold, while the events are still being appended: an import need not wait for it at its end.

Owns the thread in which a ledger is made of a log that grows. What it is given are the lines that the
log itself would give; whoever asks has the ledger only if all of them came, and else makes one anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from queue import Full, Queue
from typing import TYPE_CHECKING, Final

from projections.ledger import ImageFolder, Ledger
from registry.storage.log import SEPARATOR

if TYPE_CHECKING:
    from registry.storage.log import Log, StoredRow

FOLLOWED_EVENTS: Final = 10_000
"""Fewer are folded sooner than a thread is worth."""

WAITING_PAGES: Final = 8
"""One or two megabytes each; whoever appends faster than is folded waits."""

_LOOKED_AFTER_SECONDS: Final = 0.1


class Following:
    """A ledger being made of a log and of what is appended to it meanwhile.

    `expected`: about how many events that will be, by which the ledger arranges itself.
    """

    def __init__(
        self, folder: ImageFolder | None, open_log: Callable[[], Log], expected: int
    ) -> None:
        self._pages: Queue[list[str] | None] = Queue(WAITING_PAGES)
        self._given = 0
        self._is_ended = False
        self._is_unwanted = threading.Event()
        self._ledger: Ledger | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(
            target=self._fold, args=(folder, open_log, expected), name="ucj-following", daemon=True
        )
        self._thread.start()

    def take(self, position: int, rows: Sequence[tuple[str, int, str, bytes]]) -> None:
        """Take events that were just appended: stream, version, topic, state; the first one's position."""
        self._put(
            [
                SEPARATOR.join((str(number), stream, str(version), state.decode(), topic))
                for number, (stream, version, topic, state) in enumerate(rows, position)
            ]
        )
        self._given += len(rows)

    def ledger(self, log: Log, since: int) -> Ledger | None:
        """Return the ledger of a log, if all that it has after a position was taken; else None.

        The caller closes it. It is of the log as it is now, and asks that from now on.
        """
        self._end()
        ledger, self._ledger = self._ledger, None
        if ledger is None:
            return None
        if self._error is not None or since + self._given != log.head():
            ledger.close()
            return None
        ledger.goes_on_with(log)
        return ledger

    def close(self) -> None:
        """Let the thread end, and drop what it has made; closing twice does no harm."""
        self._is_unwanted.set()  # what waits is not folded any more
        self._end()
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def _end(self) -> None:
        if not self._is_ended:  # and it is not, where somebody loses patience in the midst of this
            self._put(None)
            self._thread.join()
            self._is_ended = True

    def _put(self, page: list[str] | None) -> None:
        while self._thread.is_alive():  # one that failed takes nothing any more
            with suppress(Full):
                self._pages.put(page, timeout=_LOOKED_AFTER_SECONDS)
                return

    def _fold(self, folder: ImageFolder | None, open_log: Callable[[], Log], expected: int) -> None:
        try:
            with closing(open_log()) as log:
                growing = _GrowingLog(log, expected, self._pages, self._is_unwanted)
                self._ledger = Ledger(growing, folder)
        except Exception as error:  # noqa: BLE001 - whoever asks makes a ledger anew, and is told then
            self._error = error


class _UnwantedError(Exception):
    """Nobody will ask for the ledger any more."""


class _GrowingLog:
    """A log, and after it the pages that are still to come."""

    def __init__(
        self,
        log: Log,
        expected: int,
        pages: Queue[list[str] | None],
        is_unwanted: threading.Event,
    ) -> None:
        self.store_id = log.store_id
        self._log = log
        self._head = log.head()
        self._expected = expected
        self._pages = pages
        self._is_unwanted = is_unwanted

    def head(self) -> int:
        return self._head + self._expected

    def row(self, position: int) -> StoredRow | None:
        return self._log.row(position)

    def rows(self, after: int = 0, upto: int | None = None) -> Iterator[StoredRow]:
        return self._log.rows(after, upto)

    def lines(self, after: int = 0, upto: int | None = None) -> Iterator[list[str]]:
        del upto  # there is an end when the pages have one
        yield from self._log.lines(after, self._head)
        while (page := self._pages.get()) is not None:
            if self._is_unwanted.is_set():
                raise _UnwantedError
            yield page

    def stream(self, originator_id: str) -> list[StoredRow]:
        return self._log.stream(originator_id)

    def source(self, sha256: str) -> Iterator[bytes]:
        return self._log.source(sha256)

    def close(self) -> None:
        self._log.close()
