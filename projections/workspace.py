"""One open store for asking: its log, its images, and one setting for both.

A question that meets a damaged image is asked again over a rebuilt one; a question that had to
fold a long tail leaves a new image behind, after it was answered.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

import duckdb

from projections.known import resolve_known
from projections.ledger import (
    TAIL_MEMORY_LIMIT_LAST,
    ImageFolder,
    Ledger,
    image_folder,
    is_of_a_damaged_image,
    is_of_a_full_disk,
    is_worth_publishing,
    publish_next,
)
from registry.errors import RegistryError
from registry.language import _
from registry.storage.log import ConnectionLog, open_log

Answer = TypeVar("Answer")


class Workspace:
    """A store opened for questions; use as a context manager."""

    def __init__(
        self,
        path: Path,
        *,
        notice: Callable[[str], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.path = path
        self._notice = notice
        self._now = now
        self.log: ConnectionLog = open_log(path)
        self.folder: ImageFolder | None = image_folder(path, self.log.store_id)
        if self.folder is None:
            notice(
                _("No folder for the ledger image can be written; this answer is worked out anew.")
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the store."""
        self.log.close()

    def known(self, text: str | None) -> int:
        """Return the position that `--known` means."""
        return resolve_known(self.log, text, now=self._now())

    def ask(self, question: Callable[[Ledger], Answer], *, known: int | None = None) -> Answer:
        """Return the answer of a question over the ledger, up to `known` at least.

        The answer must be complete when the question returns: the ledger is closed then.
        """
        try:
            return self._ask(question, known)
        except duckdb.OutOfMemoryException:
            return self._ask(question, known, memory_limit=TAIL_MEMORY_LIMIT_LAST, apart=True)
        except duckdb.Error as error:
            if is_of_a_full_disk(error):
                return self._ask(question, known, apart=True)
            if self.folder is None or not is_of_a_damaged_image(error, self.folder):
                raise
            self._notice(_("The ledger image was damaged; it was set aside and is built anew."))
            for image in self.folder.images():
                self.folder.discard(image)
            self._publish()
            return self._ask(question, known)

    def _ask(
        self,
        question: Callable[[Ledger], Answer],
        known: int | None,
        *,
        memory_limit: str | None = None,
        apart: bool = False,
    ) -> Answer:
        ledger = Ledger(
            self.log,
            self.folder,
            upto=known,
            notice=self._notice,
            memory_limit=memory_limit,
            apart=apart,
        )
        try:
            answer = question(ledger)
            due = ledger.publish_is_due() and not apart
        finally:
            ledger.close()
        if due:
            self._publish()
        return answer

    def publish_if_due(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Leave a new image behind if the tail has grown long: for whoever has just recorded."""
        if self.folder is None:
            return
        self.folder.adopt(self.log.head())
        newest = next(iter(self.folder.images()), None)
        tail_events = self.log.head() - (newest.position if newest else 0)
        if is_worth_publishing(tail_events, newest):
            self._publish(progress)

    def _publish(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Leave a new image behind; the answer is given already, so failing is no failure."""
        if self.folder is not None:
            with suppress(duckdb.Error, RegistryError):
                publish_next(self.log, self.folder, progress=progress)
