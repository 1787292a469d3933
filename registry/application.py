"""The enrolment registry: the one way in. Commands are decided and recorded in one transaction.

Clock, actor and balances are passed in. Every public method records everything it was given, or
raises and records nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment, EnvType

from registry import area as areas
from registry import redrawing
from registry.batch import Stamp
from registry.boundaries import boundaries_of
from registry.closing import Override, check_override, close_all, reopen
from registry.commands import BatchLine, Command, Commands, RecordBatch
from registry.errors import Problem, RuleBrokenError
from registry.events import AreaChanged, CategoryAdded, FileImported, ImportSource
from registry.language import _, joined, whole
from registry.nomenclature import added_categories
from registry.recording import Counts, Recording, import_fact
from registry.reference.categories import AddedCategory, Categories, check_new_category
from registry.storage.log import LOCK_TIMEOUT_SECONDS, StoredRow
from registry.storage.mapper import EventMapper
from registry.storage.sqlite import LogFactory, LogRecorder, WriteTransaction
from registry.terms import (
    BOUNDARIES_ID,
    FIRST_DAY,
    NOMENCLATURE_ID,
    Action,
    Change,
    Funding,
    Segment,
    import_id,
)
from registry.vocabulary import statement

if TYPE_CHECKING:
    from registry.balances import Balances, Survivors
    from registry.reference.boundaries import Map

Clock = Callable[[], datetime]
Progress = Callable[[int], None]
SHOWN_EVENTS_MAX: Final = 100
ROWS_A_BATCH: Final = 2
"""Of most files; by it the rows of a file are so many events."""


class SheetFacts(Protocol):
    """What a file's sheet came to: its name ("" for CSV), rows, and sum of workers."""

    @property
    def name(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def workers(self) -> int: ...


class KeptFile(Protocol):
    """The bytes that are kept of a file: all of it, or a copy of what was read."""

    @property
    def path(self) -> Path: ...
    @property
    def sha256(self) -> str: ...
    @property
    def size(self) -> int: ...


class AdmittedFile(Protocol):
    """A file whose every cell was checked: what `registry.intake.admission` hands over."""

    import_kind: str
    file_name: str
    sha256: str
    size: int
    options: dict[str, str]
    digest: str
    names_batches: bool

    @property
    def batches_total(self) -> int:
        """How many batches it has, or statements of another kind."""

    @property
    def sheets(self) -> tuple[SheetFacts, ...]:
        """What each sheet came to."""

    @property
    def kept(self) -> KeptFile:
        """What is kept of it; made when first asked for, which takes a while."""
        ...

    def commands(self) -> Commands:
        """Return the commands; they are read anew each time they are gone through."""
        ...

    def address(self, sheet: str | None, row: int | None, column: str) -> str:
        """Return where a row and column are, as a clerk can find them."""
        ...

    def let_go(self) -> None:
        """Drop what waits in temporary files: all that is to be recorded is appended."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a transaction came to. Positions are None where nothing was recorded.

    `decision` is recorded, planned (a dry run), refused, or already-recorded. `events` are the
    events themselves, recorded or planned, where they are few.
    """

    decision: str
    counts: Counts = field(default_factory=Counts)
    problems: tuple[Problem, ...] = ()
    first_position: int | None = None
    last_position: int | None = None
    recorded_at: datetime | None = None
    recorded_by: str | None = None
    events: tuple[StoredRow, ...] = ()
    plan: str | None = None


class EnrolmentRegistry(Application[UUID]):
    """The write side over one store; `path` None is a store in memory, for tests.

    `override`: whatever changes closed days is recorded nevertheless, with why and who seconds it.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        balances: Balances,
        actor: str,
        override: Override | None = None,
        clock: Clock = lambda: datetime.now(UTC),
        lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS,
    ) -> None:
        self._path = path
        self._balances = balances
        self._actor = actor
        if override is not None:
            check_override(override, actor)
        self._override = override
        self._clock = clock
        self._lock_timeout_seconds = lock_timeout_seconds
        super().__init__()

    # --- the library's parts, told by arguments and never by the environment --------------------

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Return an empty environment: a stray shell variable never chooses the store."""
        return Environment(name, dict(env or {}))

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """Return the factory of our store."""
        del env
        return LogFactory(self._path, lock_timeout_seconds=self._lock_timeout_seconds)

    def construct_mapper(self) -> EventMapper:
        """Return the mapper with the allow-list."""
        return EventMapper(cast("Any", None))

    @property
    def log_recorder(self) -> LogRecorder:
        """The recorder, as what it is."""
        return cast("LogRecorder", self.recorder)

    @property
    def committed(self) -> tuple[int, int] | None:
        """The first and last position of the last transaction recorded through this registry."""
        return self.log_recorder.committed

    # --- commands -------------------------------------------------------------------------------

    def import_file(
        self,
        admitted: AdmittedFile,
        *,
        dry_run: bool = False,
        plan: str | None = None,
        correcting: str | None = None,
        progress: Progress = lambda _: None,
    ) -> Recorded:
        """Record a checked file: all of it with the bytes it was read from, or nothing.

        `plan` (the digest of a dry run, or its first digits) refuses to record anything else.
        `correcting` (a reason) makes each of its batches replace the one recorded. A file whose
        sheets were all imported before records nothing and says when they were.
        """
        self._balances.prepare()
        kept = admitted.kept  # before the lock: nobody waits for a copy
        with self.log_recorder.write() as transaction, ExitStack() as before_the_commit:
            identities = {
                sheet.name: import_id(admitted.sha256, admitted.import_kind, sheet.name)
                for sheet in admitted.sheets
            }
            known = transaction.known_streams(list(identities.values()))
            if known and len(known) == len(identities) and correcting is None:
                transaction.discard()
                return self._imported_before(transaction, next(iter(known)))
            stamp = self._stamp(transaction)
            if admitted.import_kind == "batches":
                # Long batches are as much to fold as many short ones.
                rows = sum(sheet.rows for sheet in admitted.sheets)
                expected = max(admitted.batches_total, rows // ROWS_A_BATCH) + len(identities)
                transaction.following = self._balances.follow(transaction.head, expected)
            if transaction.following is not None:
                before_the_commit.callback(transaction.following.close)
            recording = Recording(
                transaction,
                cast("EventMapper", self.mapper),
                stamp,
                where=admitted.address,
                sources={
                    name: ImportSource(import_id=identity, sheet=name)
                    for name, identity in identities.items()
                },
                admitted=True,
                override=self._override,
            )
            recording.append(
                self._import_fact(admitted, sheet, identities[sheet.name], stamp)
                for sheet in admitted.sheets
                if identities[sheet.name] not in known
            )
            commands = admitted.commands()
            recording.decide(
                commands if correcting is None else _Correcting(commands, correcting),
                draws=admitted.names_batches,
                progress=progress,
            )
            if correcting is not None and recording.counts.new == 0 and not recording.refused:
                transaction.discard()  # nothing to correct, so the file is not worth keeping
                return Recorded("already-recorded", recording.counts, tuple(recording.problems))
            if not recording.refused and len(known) < len(identities):  # an import tells of it
                transaction.keep_source(kept.sha256, kept.size, kept.path)
            if not recording.refused and recording.changes_sums:
                recording.check(self._balances, dry_run=dry_run)
            digest = recording.plan(admitted.digest)
            if plan is not None and not digest.startswith(plan) and not recording.refused:
                recording.problems.append(_other_plan(admitted.file_name, digest, plan))
            if not recording.refused:
                # Readers wait while the commit writes: it may have the memory that this took.
                admitted.let_go()
            return replace(self._end(recording, dry_run=dry_run), plan=digest)

    def record(
        self, *commands: Command, dry_run: bool = False, known: int | None = None
    ) -> Recorded:
        """Record typed commands in one transaction, in any order; RuleBrokenError if refused.

        `known` is the position of the answer that the commands were made of: refused if the log
        has gone on since.
        """
        self._balances.prepare()
        with self.log_recorder.write() as transaction:
            if known is not None and transaction.head != known:
                what = _("something was recorded meanwhile: the log ends at #{head}").format(
                    head=transaction.head
                )
                raise RuleBrokenError(what, remedy=_("Look at it again, and repeat the command."))
            return self._decide(self._recording(transaction), commands, dry_run=dry_run)

    def withdraw_batch(
        self, area: str, reference: str, *, part: str = "", because: str, dry_run: bool = False
    ) -> Recorded:
        """Take back everything a batch put in; refused while others depend on it."""
        command = RecordBatch(
            action=Action.WITHDRAW,
            area=area,
            reference=reference,
            part=part,
            lines=(),
            because=because,
        )
        return self.record(command, dry_run=dry_run)

    def renew_batch(
        self,
        area: str,
        reference: str,
        *,
        until: date,
        new_reference: str,
        part: str = "",
        new_part: str = "",
        workers: int | None = None,
        category: str | None = None,
        segment: Segment | None = None,
        old_term: date | None = None,
        funding: Funding | None = None,
        decided_on: date | None = None,
        document: str | None = None,
        note: str | None = None,
        dry_run: bool = False,
    ) -> Recorded:
        """Cover on, as a new batch, those who are left when a batch's term ends.

        All survivors unless `workers` says fewer; `category`, `segment` and `old_term` (the last
        covered day) say which group where the batch has several.
        """
        self._balances.prepare()
        with self.log_recorder.write() as transaction:
            recording = self._recording(transaction)
            batch = recording.find_batch(area, reference, part)
            renewal = recording.find_batch(area, new_reference, new_part)
            if renewal is not None and renewal.statement is not None:
                what = _("{name} of {area} is recorded already").format(
                    name=renewal.name, area=area
                )
                raise RuleBrokenError(what, remedy=_("See `ucj show` for what it says."))
            left = (
                self._balances.survivors(transaction.log, area, batch.reference, batch.part)
                if batch is not None and batch.statement is not None
                else []
            )
            ends_on = old_term + timedelta(days=1) if old_term else None
            chosen = [
                each
                for each in left
                if category in {None, each.category}
                and (segment is None or segment == each.segment)
                and ends_on in {None, each.expires_on}
            ]
            if batch is not None and batch.statement is not None and not chosen:
                what = _("nobody of {name} in {area} is left to renew").format(
                    name=batch.name, area=area
                )
                raise RuleBrokenError(
                    what,
                    why=_("Its heads have no end, have left, or are renewed already."),
                    remedy=_("See `ucj show` for its lines."),
                )
            command = RecordBatch(
                action=Action.RENEW,
                area=area,
                reference=new_reference,
                part=new_part,
                lines=_renewed_lines(chosen, reference, part, until, workers),
                effective_on=ends_on,
                funding=funding,
                programmes=batch.statement.programmes if batch and batch.statement else (),
                decided_on=decided_on,
                document=document,
                note=note,
            )
            return self._decide(recording, (command,), dry_run=dry_run)

    def take_back(
        self, what: str, position: int, *, because: str, dry_run: bool = False
    ) -> Recorded:
        """Take back the potential, target, figure or change of an area recorded at a position."""
        if what == "area":
            return self._take_back_change(position, because, dry_run=dry_run)
        self._balances.prepare()
        with self.log_recorder.write() as transaction:
            recording = self._recording(transaction)
            row = transaction.log.row(position)
            said_as = areas.TAKES_BACK[what][0]
            if row is None or row.topic != said_as.TOPIC:
                message = _("no {what} was recorded at #{position}").format(
                    what=statement(what), position=position
                )
                raise RuleBrokenError(message, remedy=_("Find its position with `ucj history`."))
            area = recording.area(str(row.facts()["area"]))
            if position in area.taken_back:
                recording.problems.append(_taken_back_already(position))
                return self._end(recording, dry_run=dry_run)
            recording.append(
                [areas.take_back(area, position, what, because=because, stamp=recording.stamp)]
            )
            if area.closed_through is not None or self._override is not None:
                recording.check(self._balances, dry_run=dry_run)
            return self._admitted(recording, dry_run=dry_run)

    def close_period(self, regency: str, through: date, *, dry_run: bool = False) -> Recorded:
        """Close a regency through a day, stating what is known of it.

        One that is closed through that day already is left as it is; a later closing refuses it.
        """
        return self._close(lambda _drawn: (regency,), through, dry_run=dry_run)

    def close_province(self, province: str, through: date, *, dry_run: bool = False) -> Recorded:
        """Close each regency that a province has on a day, through that day; all, or none.

        Those closed through that day or a later one are left as they are.
        """
        return self._close(lambda drawn: drawn.keys(province), through, dry_run=dry_run)

    def _close(
        self, choose: Callable[[Map], Sequence[str]], through: date, *, dry_run: bool
    ) -> Recorded:
        self._balances.prepare()
        with self.log_recorder.write() as transaction:
            recording = self._recording(transaction)
            drawn = boundaries_of(transaction.log).map_on(through)
            regencies = choose(drawn)
            if not regencies:
                raise RuleBrokenError(
                    _("no kabupaten or kota lies in that province on {day}").format(day=through),
                    remedy=_("Name the province in which they lay on that day."),
                )
            stated = self._balances.stated(transaction.log, regencies, through)
            found = [recording.area(code) for code in regencies]
            events, problems = close_all(found, through, stated, drawn, stamp=recording.stamp)
            recording.problems += problems
            recording.append(events)
            return self._end(recording, dry_run=dry_run)

    def reopen_period(
        self, regency: str, since: date, *, because: str, dry_run: bool = False
    ) -> Recorded:
        """Open the days of a regency from one on; refused where none of them is closed."""
        with self.log_recorder.write() as transaction:
            recording = self._recording(transaction)
            area = recording.area(regency)
            recording.append([reopen(area, since, because=because, stamp=recording.stamp)])
            return self._end(recording, dry_run=dry_run)

    def _take_back_change(self, position: int, because: str, *, dry_run: bool) -> Recorded:
        """Take back a change of an area; refused while anything rests on it."""
        with self.log_recorder.write() as transaction:
            recording = self._recording(transaction)
            row = transaction.log.row(position)
            if row is None or row.topic != AreaChanged.TOPIC:
                message = _("no change of an area was recorded at #{position}").format(
                    position=position
                )
                raise RuleBrokenError(message, remedy=_("Find its position with `ucj history`."))
            boundaries = boundaries_of(transaction.log)
            if all(each.position != position for each in boundaries.changes):
                recording.problems.append(_taken_back_already(position))
                return self._end(recording, dry_run=dry_run)
            redrawing.check_unused(boundaries, row, transaction.log.rows(position))
            recording.append(
                [
                    redrawing.take_back(
                        boundaries,
                        len(transaction.log.stream(BOUNDARIES_ID.hex)),
                        position,
                        because=because,
                        stamp=recording.stamp,
                    )
                ]
            )
            area = recording.area(str(row.facts()["area"]))
            if row.facts()["change"] == Change.OPENED and area.closed_through is not None:
                recording.append([reopen(area, FIRST_DAY, because=because, stamp=recording.stamp)])
            recording.redraws(boundaries)
            recording.check(self._balances, dry_run=dry_run)
            return self._admitted(recording, dry_run=dry_run)

    def add_category(self, category: AddedCategory, *, dry_run: bool = False) -> Recorded:
        """Add a category to the list; refused where a name of it is taken."""
        with self.log_recorder.write() as transaction:
            recording = self._recording(transaction)
            added = added_categories(transaction.log)
            check_new_category(Categories(added), category)
            recording.append(
                [
                    CategoryAdded(
                        originator_id=NOMENCLATURE_ID,
                        originator_version=len(added) + 1,
                        transaction_id=recording.stamp.transaction_id,
                        recorded_at=recording.stamp.recorded_at,
                        recorded_by=recording.stamp.recorded_by,
                        category=category.slug,
                        label_id=category.label_id,
                        label_en=category.label_en,
                        aliases=tuple(category.aliases),
                    )
                ]
            )
            return self._end(recording, dry_run=dry_run)

    # --- inside ---------------------------------------------------------------------------------

    def _decide(
        self, recording: Recording, commands: tuple[Command, ...], *, dry_run: bool
    ) -> Recorded:
        recording.decide(commands, draws=len(commands) > 1)
        if not recording.refused and recording.changes_sums:
            recording.check(self._balances, dry_run=dry_run)
        return self._admitted(recording, dry_run=dry_run)

    def _admitted(self, recording: Recording, *, dry_run: bool) -> Recorded:
        """End a transaction of typed commands; RuleBrokenError if it is refused."""
        recorded = self._end(recording, dry_run=dry_run)
        if recorded.decision == "refused":
            errors = tuple(each for each in recorded.problems if each.severity == "error")
            raise RuleBrokenError(
                errors[0].why, remedy=errors[0].remedy, problems=recorded.problems
            )
        return recorded

    def _recording(self, transaction: WriteTransaction) -> Recording:
        return Recording(
            transaction,
            cast("EventMapper", self.mapper),
            self._stamp(transaction),
            override=self._override,
        )

    def _stamp(self, transaction: WriteTransaction) -> Stamp:
        """Return one instant and actor for the transaction; the clock never runs backwards."""
        now = self._clock().astimezone(UTC)
        last = transaction.log.row(transaction.head) if transaction.head else None
        if last is not None:
            now = max(now, last.recorded_at())
        return Stamp(transaction.head + 1, now, self._actor)

    def _end(self, recording: Recording, *, dry_run: bool) -> Recorded:
        transaction = recording.transaction
        refused = recording.refused
        nothing = transaction.appended == 0
        if refused or dry_run or nothing:
            transaction.discard()
        if refused or nothing:
            decision = "refused" if refused else "already-recorded"
            return Recorded(decision, recording.counts, tuple(recording.problems))
        return Recorded(
            "planned" if dry_run else "recorded",
            recording.counts,
            tuple(recording.problems),
            transaction.head + 1,
            transaction.head + transaction.appended,
            recording.stamp.recorded_at,
            recording.stamp.recorded_by,
            tuple(transaction.log.rows(transaction.head))
            if transaction.appended <= SHOWN_EVENTS_MAX
            else (),
        )

    def _imported_before(self, transaction: WriteTransaction, identity: UUID) -> Recorded:
        row = transaction.log.stream(identity.hex)[0]
        facts = row.facts()
        return Recorded(
            "already-recorded",
            first_position=row.position,
            last_position=row.position,
            recorded_at=row.recorded_at(),
            recorded_by=str(facts["recorded_by"]),
        )

    def _import_fact(
        self, admitted: AdmittedFile, sheet: SheetFacts, identity: UUID, stamp: Stamp
    ) -> FileImported:
        return import_fact(
            stamp=stamp,
            identity=identity,
            file_name=admitted.file_name,
            sha256=admitted.sha256,
            size=admitted.size,
            kept_sha256=admitted.kept.sha256,
            import_kind=admitted.import_kind,
            sheet=sheet.name,
            options=admitted.options,
            rows=sheet.rows,
            control_workers=sheet.workers,
        )


def _other_plan(file_name: str, digest: str, plan: str) -> Problem:
    return Problem(
        code="other-plan",
        severity="error",
        where=file_name,
        value=plan,
        why=_("what would be recorded now is {digest}, not the plan given").format(digest=digest),
        remedy=_(
            "Look at it again with --dry-run: the file, the way it is read, or what is recorded"
            " already has changed."
        ),
    )


def _taken_back_already(position: int) -> Problem:
    return Problem(
        code="already-taken-back",
        severity="warning",
        where="",
        value=None,
        why=_("#{position} is taken back already").format(position=position),
        remedy=_("Nothing needs to be done."),
    )


class _Correcting:
    """The commands of a file, each to replace what is recorded of its batch."""

    def __init__(self, commands: Commands, because: str) -> None:
        self._commands = commands
        self._because = because

    def __iter__(self) -> Iterator[Command]:
        return map(self._corrects, self._commands)

    def __getitem__(self, number: int, /) -> Command:
        return self._corrects(self._commands[number])

    def _corrects(self, command: Command) -> Command:
        assert isinstance(command, RecordBatch)
        return replace(command, because=self._because)


def _renewed_lines(
    chosen: list[Survivors], reference: str, part: str, until: date, workers: int | None
) -> tuple[BatchLine, ...]:
    """Return the rows that renew the chosen groups; with `workers`, only the one group."""
    if workers is not None and len(chosen) > 1:
        groups = joined(
            ", ", [joined(" ", (whole(each.workers), each.category)) for each in chosen]
        )
        what = _("{reference} has several groups to renew: {groups}").format(
            reference=reference, groups=groups
        )
        raise RuleBrokenError(
            what, remedy=_("Say which with --category or --segment, or renew all survivors.")
        )
    if not chosen:
        return (
            BatchLine(None, workers or 1, of_batch=reference, of_part=part, covered_until=until),
        )
    return tuple(
        BatchLine(
            category=each.category,
            workers=workers if workers is not None else each.workers,
            of_batch=reference,
            of_part=part,
            covered_until=until,
            segment=Segment(each.segment) if each.segment else None,
        )
        for each in chosen
    )


__all__ = ["AdmittedFile", "EnrolmentRegistry", "Recorded"]
