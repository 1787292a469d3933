"""What the rules ask of the ledger: a port. `projections.rules` answers, the command line plugs in.

The rules hold over the whole timeline at the end of a transaction. They are asked inside it, with
its own uncommitted events in the log, so that two processes cannot both be right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from registry.storage.log import Log

FINDINGS_MAX: Final = 100  # of one kind: whoever has so many may have more


@dataclass(frozen=True, slots=True)
class Blame:
    """A row of the transaction that a finding is about."""

    reference: str
    part: str
    sheet: str | None
    row: int | None


@dataclass(frozen=True, slots=True)
class ChangeOfClosed:
    """What a transaction changes on closed days of a regency: a category's heads, or the potential.

    `category` is None for the potential. On the closed days from first to last that change it is by
    `lowest` to `highest` persons, signed.
    """

    area: str
    category: str | None
    closed_through: date
    closing_position: int
    first_on: date
    last_on: date
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class StatedPeriod:
    """What is known of a regency's day: active by category (None: no entry yet), and potential."""

    active_by_category: Mapping[str, int] | None
    potential: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule broken, or something odd, seen over the timeline with the transaction in it.

    `column` is the column of a file that the finding is about. `overridable`: what two persons may
    want to be recorded nevertheless.
    """

    code: str
    severity: Literal["error", "warning"]
    area: str
    why: str
    remedy: str
    column: str
    blames: tuple[Blame, ...]
    overridable: ChangeOfClosed | None = None


@dataclass(frozen=True, slots=True)
class Survivors:
    """How many of a cohort are left on the last day before its term ends."""

    category: str
    segment: str | None
    funding: str | None
    expires_on: date
    workers: int


class Follower(Protocol):
    """Somebody who works out what events come to while they are being appended."""

    def take(self, position: int, rows: Sequence[tuple[str, int, str, bytes]]) -> None:
        """Take events that were just appended: stream, version, topic, state; the first one's position."""
        ...

    def close(self) -> None:
        """Stop, and drop what was worked out; may be called twice."""
        ...


class Balances(Protocol):
    """What is left of cohorts and pools, over all dates."""

    def prepare(self) -> None:
        """Do what can be done before the write lock is taken."""
        ...

    def follow(self, since: int, expected: int) -> Follower | None:
        """Begin to work out what about so many events after `since` will come to; None if they are few.

        Asked under the write lock; whoever asks closes it before the commit.
        """
        ...

    def findings(
        self, log: Log, since: int, *, dry_run: bool = False, followed: Follower | None = None
    ) -> list[Finding]:
        """Return every rule that the events after `since` break, and what is worth a warning.

        Unless it is a dry run, what was worked out may be kept for the time after the commit.
        """
        ...

    def stated(self, log: Log, areas: Sequence[str], on: date) -> dict[str, StatedPeriod]:
        """Return what is known of each regency on a day."""
        ...

    def survivors(self, log: Log, area: str, reference: str, part: str) -> list[Survivors]:
        """Return, for each term of a batch, who is left on its last day and not yet renewed."""
        ...
