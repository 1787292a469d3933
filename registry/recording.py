"""One transaction being decided: commands in, events appended, everything wrong collected.

Order within a file does not matter: what draws on another batch of the same file waits for it.
Nothing here commits; `registry.application` does, if no error was found.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from registry import area as areas
from registry import batch as batches
from registry import redrawing
from registry.area import Area
from registry.balances import FINDINGS_MAX
from registry.batch import Batch, BatchFact, Stamp, Statement
from registry.boundaries import boundaries_of
from registry.closed_boundaries import changes_of_closed
from registry.closing import Override, close_with, overridden
from registry.collecting import collecting_rarely
from registry.commands import (
    ChangeArea,
    Command,
    Commands,
    EntryPage,
    ParcelledCommands,
    PublishFigure,
    RecordBatch,
    RevisePotential,
    SetTarget,
)
from registry.differences import differences, in_words
from registry.drawing import DrawingError, statement_of
from registry.errors import Problem, RegistryError, StoreError
from registry.events import (
    AreaChanged,
    AreaEvent,
    BatchCorrected,
    BatchRecorded,
    Event,
    FileImported,
    ImportSource,
)
from registry.language import _
from registry.safe_text import safe
from registry.storage.entries import Entries
from registry.storage.mapper import instant_text
from registry.terms import BOUNDARIES_ID, Action, Change, Kind, area_id, batch_id, batch_stream
from registry.waiting import Waiting

if TYPE_CHECKING:
    from registry.balances import Balances, Finding
    from registry.reference.boundaries import Boundaries
    from registry.storage.mapper import EventMapper
    from registry.storage.sqlite import WriteTransaction

PAGE_COMMANDS: Final = 1_000
PAGE_LINES: Final = 10_000
REMEMBERED_BATCHES: Final = 2_000
LONG_FILE_BATCHES: Final = 2_000
"""Of fewer, those that bring heads in stand where they do in their file: somebody will read both."""
SHOWN_BLAMES: Final = 3

Where = Callable[[str | None, int | None, str], str]
"""The address of a row and column of a sheet, as a clerk can find it."""


@dataclass(slots=True)
class Counts:
    """What became of the commands."""

    new: int = 0
    already_recorded: int = 0
    by_action: dict[str, int] = field(default_factory=dict)
    moved: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Heads in and out by category, of what was appended; a correction's net effect."""
    capped: set[str] = field(default_factory=set)
    """Codes of which there may be more than were found."""

    def add(self, action: Action, moves: Iterable[tuple[str, int, int]]) -> None:
        """Count a batch that was appended: its category, heads in, heads out, line by line."""
        name = str(action)
        self.by_action[name] = self.by_action.get(name, 0) + 1
        for category, workers_in, workers_out in moves:
            entered, left = self.moved.get(category, (0, 0))
            self.moved[category] = entered + workers_in, left + workers_out

    def add_entries(self, page: EntryPage) -> None:
        """Count batches that only bring heads in."""
        for action, count in Counter(page.action).items():
            self.by_action[action] = self.by_action.get(action, 0) + count
        heads: Counter[str] = Counter()
        for category, workers in zip(page.category, page.workers, strict=True):
            heads[category] += workers
        for category, workers in heads.items():
            entered, left = self.moved.get(category, (0, 0))
            self.moved[category] = entered + workers, left


class Recording:
    """Decides commands within one write transaction.

    `admitted`: every value of the commands was read by `registry.intake`.
    """

    def __init__(
        self,
        transaction: WriteTransaction,
        mapper: EventMapper,
        stamp: Stamp,
        *,
        where: Where = lambda _sheet, _row, _column: "",
        sources: dict[str, ImportSource] | None = None,
        admitted: bool = False,
        override: Override | None = None,
    ) -> None:
        self.transaction = transaction
        self.stamp = stamp
        self.problems: list[Problem] = []
        self.counts = Counts()
        self._mapper = mapper
        self._where = where
        self._override = override
        self._moves_heads = False
        self._sources = sources or {}
        self._entries = Entries(stamp, self._sources) if admitted else None
        # Each as last looked at, and what was decided since: hardly any is looked at again.
        self._known: dict[UUID, tuple[Batch | None, BatchFact | StoredEvent | None]] = {}
        self._withdrawing: set[tuple[str, int]] = set()  # sheets and rows that withdraw a batch
        self._unrecorded: set[UUID] = set()  # of the batches of a page, those not in the log
        self._areas: dict[str, Area] = {}
        self._redrawn: tuple[Boundaries, Sequence[AreaChanged]] | None = None
        changed = boundaries_of(transaction.log).opened
        self._opened_on = {key: change.on for key, change in changed.items()}
        self._effect = hashlib.sha256()
        # As they stand in canonical JSON; inside a text the quotation marks would be escaped.
        self._stamps = (
            f'"recorded_at":"{instant_text(stamp.recorded_at)}",'.encode(),
            f'"recorded_by":{json.dumps(stamp.recorded_by, ensure_ascii=False)}'.encode(),
            f'"transaction_id":{stamp.transaction_id}'.encode(),
        )

    @property
    def refused(self) -> bool:
        """Whether anything found forbids the transaction."""
        return any(problem.severity == "error" for problem in self.problems)

    def append(self, events: Iterable[Event]) -> None:
        """Append events that were decided elsewhere (an import's own fact, a category)."""
        self._append(map(self._mapper.to_stored_event, events))

    def plan(self, file_digest: str) -> str:
        """Return the digest of what is recorded: the file as read, and every event made of it.

        Who, when and at which position are left out: they are not the same a moment later.
        """
        return hashlib.sha256(f"{file_digest}\n{self._effect.hexdigest()}".encode()).hexdigest()

    def _append(self, stored_events: Iterable[StoredEvent]) -> None:
        self.transaction.append(map(self._weighed, stored_events))

    def _weighed(self, stored: StoredEvent) -> StoredEvent:
        """Take a stored event into the plan's digest."""
        unstamped = stored.state
        for stamp in self._stamps:
            unstamped = unstamped.replace(stamp, b"", 1)
        identity = f"{stored.originator_id} {stored.originator_version} {stored.topic} "
        self._effect.update(identity.encode() + unstamped + b"\n")
        return stored

    def decide(
        self, commands: Commands, *, draws: bool, progress: Callable[[int], None] = lambda _: None
    ) -> None:
        """Decide all commands; `draws` says whether any of them names a batch of the file."""
        if isinstance(next(iter(commands), None), ChangeArea):  # a file holds nothing else then
            self._redraw(cast("Iterable[ChangeArea]", commands), progress)
            return
        with collecting_rarely():
            self._decide_in_order(commands, progress, draws=draws)

    def redraws(self, before: Boundaries, events: Sequence[AreaChanged] = ()) -> None:
        """Say that areas are changed: what they were before, and by which rows of a file."""
        self._redrawn = before, events

    def check(self, balances: Balances, *, dry_run: bool) -> None:
        """Ask the ledger whether the rules hold with everything appended, and closings stand.

        What changes areas moves nobody: of that only closings are asked.
        """
        found: Counter[str] = Counter()
        if self._redrawn is None:
            log, head = self.transaction.log, self.transaction.head
            followed = self.transaction.following
            findings = balances.findings(log, head, dry_run=dry_run, followed=followed)
        else:
            findings = self._findings_of_areas(*self._redrawn)
        for finding in findings:
            if found[finding.code] < FINDINGS_MAX:
                self._found(self._as_wanted(finding))
            found[finding.code] += 1
        self.counts.capped |= {code for code, count in found.items() if count >= FINDINGS_MAX}
        if self._override is not None and not self.refused:
            self._record_override(findings, self._override)

    def _findings_of_areas(
        self, before: Boundaries, events: Sequence[AreaChanged]
    ) -> list[Finding]:
        """Return which closings the areas, as they are now, go against."""
        after = boundaries_of(self.transaction.log)
        findings = [*changes_of_closed(before, after, self.area, events)]
        if self._override is not None:
            self._close_what_is_opened(events)
        return findings

    def _close_what_is_opened(self, events: Sequence[AreaChanged]) -> None:
        """Close what is split from a closed regency on closed days as that is."""
        for each in events:
            if each.change is not Change.OPENED or each.split_from is None:
                continue
            parent = self.area(each.split_from)
            if parent.closed_through is None or parent.closed_through < each.effective_on:
                continue
            self.append([close_with(parent, self.area(each.area), stamp=self.stamp)])
            why = _("{area} is closed through {through}, as {parent} is").format(
                area=each.area, through=parent.closed_through, parent=parent.code
            )
            remedy = _("Nothing needs to be done.")
            self.problems.append(
                Problem("closed-with-its-parent", "warning", each.area, None, why, remedy)
            )

    @property
    def changes_sums(self) -> bool:
        """Whether anything moved that a rule is about: heads, areas, or what is said of a closed one."""
        closed = any(area.closed_through is not None for area in self._areas.values())
        moved = self._moves_heads or self._redrawn is not None
        return moved or closed or self._override is not None

    def _as_wanted(self, finding: Finding) -> Finding:
        """Return a finding; one that two persons override is a warning."""
        if finding.overridable is None or self._override is None:
            return finding
        remedy = _("It is recorded as late: {because}; seconded by {seconded_by}.").format(
            because=safe(self._override.because), seconded_by=safe(self._override.seconded_by)
        )
        return replace(finding, severity="warning", remedy=remedy)

    def _record_override(self, findings: Sequence[Finding], override: Override) -> None:
        changes = [each.overridable for each in findings if each.overridable is not None]
        areas = {code: self.area(code) for code in {each.area for each in changes}}
        self.append(overridden(changes, areas, override, stamp=self.stamp))
        if not changes:
            self.problems.append(
                Problem(
                    code="nothing-overridden",
                    severity="warning",
                    where="",
                    value=None,
                    why=_("no closed day is changed, so nothing is recorded as overridden"),
                    remedy=_("Leave --override and --seconded-by out."),
                )
            )

    # --- deciding -----------------------------------------------------------------------------

    def _redraw(self, commands: Iterable[ChangeArea], progress: Callable[[int], None]) -> None:
        """Decide changes of areas: they are asked about together."""
        asked = list(commands)
        before = boundaries_of(self.transaction.log)
        redrawn = redrawing.redraw(
            before,
            len(self.transaction.log.stream(BOUNDARIES_ID.hex)),
            asked,
            sources=self._sources,
            stamp=self.stamp,
        )
        for each in redrawn.refusals:
            row, sheet = each.command.row, each.command.sheet
            self.problems.append(
                Problem(
                    code=each.code,
                    severity="error",
                    where=self._where(sheet, row, each.column),
                    value=safe(each.command.area),
                    why=each.why,
                    remedy=each.remedy,
                    row=row,
                    sheet=sheet,
                )
            )
        self.counts.new += len(redrawn.events)
        self.counts.already_recorded += redrawn.already_recorded
        self.append(redrawn.events)
        self.redraws(before, redrawn.events)
        progress(len(asked))

    def _decide_in_order(
        self, commands: Commands, progress: Callable[[int], None], *, draws: bool
    ) -> None:
        if self._entries is not None and isinstance(commands, ParcelledCommands):
            # What brings heads in draws on nothing, and so may stand before all that draws on it.
            is_long = len(commands) >= LONG_FILE_BATCHES
            parcels = commands.parcelled() if is_long or not draws else None
            entering, commands = parcels or ((), commands)
            for page in entering:
                if self._enter(page, self._entries):
                    progress(len(page.keys))
                else:
                    self._decide_all(page.commands(), progress)
        if not draws:
            self._decide_all(commands, progress)
            return
        waiting = Waiting(commands)
        self._decide_all(waiting.in_order(), progress)
        for command in waiting.circular():
            self._refuse_circular(command)
            progress(1)

    def _decide_all(self, commands: Iterable[Command], progress: Callable[[int], None]) -> None:
        for page in _pages(commands):
            self._forget_some()
            decided = self._decide_page(page)
            self.counts.new += len(decided)
            self._append(decided)
            self._unrecorded.clear()
            progress(len(page))

    def _enter(self, page: EntryPage, entries: Entries) -> bool:
        """Record batches that only bring heads in, all at once; False, and none is, if one needs a look.

        That is: it is recorded already, or its area was opened on some day.
        """
        if not self._opened_on.keys().isdisjoint(page.area):
            return False
        streams = [*map(batch_stream, page.keys)]
        stored = entries.stored_page(page, streams)
        if not self.transaction.append_first(stored.rows):
            return False
        self._effect.update(stored.unstamped)
        self.counts.new += len(streams)
        self.counts.add_entries(page)
        self._moves_heads = True
        return True

    def _decide_page(self, page: list[Command]) -> list[StoredEvent]:
        identities = [each.identity() if isinstance(each, RecordBatch) else None for each in page]
        streams = [each for each in identities if each is not None]
        self._unrecorded = set(streams) - self.transaction.known_streams(streams)
        decided = (
            self._said(cast("RevisePotential | SetTarget | PublishFigure", each))
            if identity is None
            else self._batch(cast("RecordBatch", each), identity)
            for each, identity in zip(page, identities, strict=True)
        )
        return [stored for stored in decided if stored is not None]

    def _batch(self, command: RecordBatch, identity: UUID) -> StoredEvent | None:
        if identity in command.draws_on():
            self._refuse_circular(command)
            return None
        if self._opened_on and self._is_before_opening(command):
            return None
        batch = self._find_by_id(identity)
        decided: BatchFact | StoredEvent | None = None
        if batch is None and self._entries is not None:
            decided = self._entries.stored(command, identity)
        try:
            decided = decided or self._decided(command, batch)
        except DrawingError as error:
            self._refuse(command, error.code, error.column, error.what, error.remedy, error.row)
        except StoreError:
            raise  # no fault of the row
        except RegistryError as error:
            self._refuse(command, error.code, "reference", error.what, error.remedy)
        if decided is None:
            return None
        self._moves_heads = True
        self._known[identity] = batch, decided
        if isinstance(decided, StoredEvent):
            self.counts.add(command.action, _entering(command))
            return decided
        self.counts.add(command.action, _moves(decided))
        return self._mapper.to_stored_event(decided)

    def _is_before_opening(self, command: RecordBatch) -> bool:
        """Refuse what takes effect in an area before it is opened."""
        areas_meant = {command.area, *(line.from_area or command.area for line in command.lines)}
        for area in sorted(areas_meant & self._opened_on.keys()):
            day = self._opened_on[area]
            if command.effective_on is not None and command.effective_on < day:
                self._refuse(
                    command,
                    "not-opened-yet",
                    "effective_on",
                    _(
                        "{area} is opened on {day}; before, its people were counted elsewhere"
                    ).format(area=area, day=day),
                    _("Record it in the area it was split from, and transfer on the day."),
                )
                return True
        return False

    def _decided(self, command: RecordBatch, batch: Batch | None) -> BatchFact | None:
        source = self._sources.get(command.sheet or "")
        if batch is None and (command.because is not None or command.action is Action.WITHDRAW):
            raise batches.missing(command.area, command.reference, command.part)
        if command.action is Action.WITHDRAW:
            if command.row is not None:
                self._withdrawing.add((command.sheet or "", command.row))
            if command.row is not None and batch is not None and batch.statement is None:
                self._skip(
                    command,
                    "already-withdrawn",
                    _("{name} is withdrawn already").format(name=batch.name),
                )
                return None
            return batches.withdraw(
                batch,
                because=command.because or "",
                decided_on=command.decided_on,
                document=command.document,
                source=source,
                row=command.row,
                stamp=self.stamp,
            )
        if command.because is not None:
            return self._correction(command, batch, source)
        if batch is not None and batch.statement is not None:
            self._recorded_already(command, batch, batch.statement)
            return None
        statement = statement_of(command, self._find, source=source)
        if batch is not None:
            self._warn(
                command,
                "recorded-again",
                _("{name} had been withdrawn and is recorded again").format(name=batch.name),
                _("If that is not meant, withdraw it again."),
            )
        if command.settles is not None:
            areas.check_settled(self.area(command.area), command.settles)
        return batches.record(
            batch,
            statement,
            area=command.area,
            reference=command.reference,
            part=command.part,
            stamp=self.stamp,
            settles=command.settles,
        )

    def _correction(
        self, command: RecordBatch, batch: Batch | None, source: ImportSource | None
    ) -> BatchCorrected | None:
        """Return the correction; None where a row repeats one, as growing workbooks do."""
        assert command.because is not None
        statement = self._corrected(command, batch, source)
        if command.row is not None and self._says(batch, statement):
            self._skip(
                command,
                "already-corrected",
                _("{reference} says that already").format(reference=command.reference),
            )
            return None
        if command.row is not None and self._corrected_before(command, batch, statement):
            self._skip(
                command,
                "corrected-since",
                _(
                    "{reference} was corrected to just that, and corrected again since;"
                    " the later correction stands"
                ).format(reference=command.reference),
                _("Bring the file up to date; to go back, use `ucj correct`."),
            )
            return None
        return batches.correct(batch, statement, because=command.because, stamp=self.stamp)

    def _corrected(
        self,
        command: RecordBatch,
        batch: Batch | None,
        source: ImportSource | None,
    ) -> Statement:
        if batch is not None and batch.statement is not None:  # the recorded spelling stays
            command = replace(command, reference=batch.reference, part=batch.part)
        if command.action is Action.CORRECT and batch is not None and batch.statement is not None:
            in_force = batch.statement
            if command.reason is not None and in_force.kind is not Kind.DEACTIVATION:
                raise DrawingError(
                    _("{name} was recorded as {action}, which has no reason").format(
                        name=batch.name, action=in_force.action()
                    ),
                    column="reason",
                    row=_first_row(command),
                    remedy=_("Leave the reason empty."),
                )
            command = replace(command, action=in_force.action())
            if command.row is not None:
                # An imported row's note says why it corrects: the batch's own stays as it is.
                reason = command.reason or in_force.reason
                note = command.note or in_force.note
                command = replace(command, note=note, reason=reason)
        elif command.action is Action.CORRECT:
            batches.correct(batch, cast("Statement", None), because="", stamp=self.stamp)
        return statement_of(command, self._find, source=source)

    def _says(self, batch: Batch | None, statement: Statement) -> bool:
        return (
            batch is not None
            and batch.statement is not None
            and batch.statement.content() == statement.content()
        )

    def _corrected_before(
        self, command: RecordBatch, batch: Batch | None, statement: Statement
    ) -> bool:
        """Whether this very correction is in the log, and the batch says something else by now."""
        if batch is None or len(batch.former) <= 1:  # it was corrected once at most
            return False
        events = (self._event(row) for row in self.transaction.log.stream(batch.id.hex))
        return any(
            isinstance(event, BatchCorrected)
            and event.because == command.because
            and batches.said_by(event).content() == statement.content()
            for event in events
        )

    def _skip(
        self,
        command: RecordBatch,
        code: str,
        why: str,
        remedy: str = _("Nothing needs to be done."),
    ) -> None:
        """Count what is recorded already: offices keep one growing workbook."""
        self.counts.already_recorded += 1
        self._warn(command, code, why, remedy)

    def _recorded_already(self, command: RecordBatch, batch: Batch, in_force: Statement) -> None:
        """Count what the batch says, or said, already; refuse what it never said."""
        try:
            statement = statement_of(command, self._find)
        except DrawingError:
            said = self._said_then(command, batch)
            if said is None:
                raise
        else:
            content = statement.content()
            known = (in_force, *batch.former)
            said = next((each for each in known if each.content() == content), None)
            said = said or self._said_then(command, batch)
            if said is None:
                found = differences(in_force, statement)
                self._refuse(
                    command,
                    "recorded-otherwise",
                    found[0].column if found else "reference",
                    _("{name} is recorded with other content: {differences}").format(
                        name=batch.name, differences=in_words(found)
                    ),
                    _(
                        "If the file is right, use `ucj correct {reference!r} FILE --area"
                        " {area} --reason …`; if it is another batch of the same document, give it a `part`."
                    ).format(reference=batch.reference, area=batch.area)
                    if not batch.part
                    else _(
                        "If the file is right, use `ucj correct {reference!r} FILE --part {part!r} --area"
                        " {area} --reason …`; if it is another batch of the same document, give it another"
                        " `part`."
                    ).format(reference=batch.reference, part=batch.part, area=batch.area),
                )
                return
        self.counts.already_recorded += 1
        if said.content() != in_force.content():
            self._warn(
                command,
                "corrected-since",
                _("{name} said just that until it was corrected; the correction stands").format(
                    name=batch.name
                ),
                _("Bring the file up to date with the correction."),
            )
        elif batch.reference != command.reference:
            self._warn(
                command,
                "spelling-differs",
                _("{reference} is recorded as {recorded}").format(
                    reference=safe(command.reference), recorded=batch.reference
                ),
                _("Nothing needs to be done; the recorded spelling stays."),
            )

    def _said_then(self, command: RecordBatch, batch: Batch) -> Statement | None:
        """Return what the batch once said, if the command says that, read as it was read then.

        What it draws on may have been corrected together with it: read now, its old row means
        other heads, or none.
        """
        if not command.draws_on():
            return None
        rows = self.transaction.log.stream(batch.id.hex)
        transactions = {self._event(row).transaction_id for row in rows}
        for transaction_id in sorted(transactions - {self.stamp.transaction_id}, reverse=True):
            find = partial(self._find_then, transaction_id)
            then = find(batch.area, batch.reference, batch.part)
            if then is None or then.statement is None:
                continue
            with suppress(DrawingError):
                if statement_of(command, find).content() == then.statement.content():
                    return then.statement
        return None

    def _said(self, command: RevisePotential | SetTarget | PublishFigure) -> StoredEvent | None:
        area = self._areas.get(command.area)
        if area is None:
            area = self._areas[command.area] = self.area(command.area)
        source = self._sources.get(command.sheet or "")
        event = areas.say(area, command, source=source, stamp=self.stamp)
        if event is None:
            self.counts.already_recorded += 1
            return None
        if command.row is not None and area.is_replaced(event):
            self.counts.already_recorded += 1
            self._warn_of_area(
                command,
                "revised-since",
                _("just that was recorded before, and revised since; the revision stands"),
                _(
                    "Bring the file up to date; to go back, take back the later one (`ucj retract`)."
                ),
            )
            return None
        if command.row is not None and area.is_taken_back(event):
            self._warn_of_area(
                command,
                "recorded-again",
                _("just that was recorded before, and taken back; it is recorded again"),
                _("If that is not meant, take it back again (`ucj retract`), and out of the file."),
            )
        # Its position is not known yet; within the transaction only its content matters.
        area.evolve(event, -event.originator_version)
        return self._mapper.to_stored_event(event)

    # --- state --------------------------------------------------------------------------------

    def area(self, code: str) -> Area:
        """Return an area as its stream tells it."""
        area = Area(code)
        for row in self.transaction.log.stream(area_id(code).hex):
            area.evolve(cast("AreaEvent", self._event(row)), row.position)
        return area

    def find_batch(self, area: str, reference: str, part: str) -> Batch | None:
        """Return a batch as its stream tells it, with what this transaction appended."""
        return self._find(area, reference, part)

    def _find(self, area: str, reference: str, part: str) -> Batch | None:
        return self._find_by_id(batch_id(area, reference, part))

    def _find_by_id(self, identity: UUID) -> Batch | None:
        batch, event = self._known.get(identity) or (self._recorded(identity), None)
        if event is not None:
            if isinstance(event, StoredEvent):
                event = cast("BatchFact", self._mapper.to_domain_event(event))
            batch = batches.evolve(batch, event)
            self._known[identity] = batch, None
        return batch

    def _recorded(self, identity: UUID) -> Batch | None:
        if identity in self._unrecorded:  # no need to look for what is not there
            return None
        rows = self.transaction.log.stream(identity.hex)
        batch = batches.evolve_all(self._event(row) for row in rows)
        self._known[identity] = batch, None
        return batch

    def _find_then(self, transaction_id: int, area: str, reference: str, part: str) -> Batch | None:
        """Return a batch as it was known at the end of an earlier transaction."""
        rows = self.transaction.log.stream(batch_id(area, reference, part).hex)
        events = (self._event(row) for row in rows)
        return batches.evolve_all(each for each in events if each.transaction_id <= transaction_id)

    def _forget_some(self) -> None:
        """Bound what is remembered; between pages only, when all of it is in the log."""
        for identity in [*islice(self._known, max(len(self._known) - REMEMBERED_BATCHES, 0))]:
            del self._known[identity]

    def _event(self, row: object) -> Event:
        from registry.storage.log import StoredRow

        assert isinstance(row, StoredRow)
        return self._mapper.to_domain_event(
            StoredEvent(UUID(row.originator_id), row.originator_version, row.topic, row.state)
        )

    # --- problems -----------------------------------------------------------------------------

    def _refuse(
        self,
        command: RecordBatch,
        code: str,
        column: str,
        why: str,
        remedy: str,
        row: int | None = None,
    ) -> None:
        row = row or _first_row(command)
        self.problems.append(
            Problem(
                code=code,
                severity="error",
                where=self._where(command.sheet, row, column),
                value=safe(command.reference),
                why=why,
                remedy=remedy,
                row=row,
                sheet=command.sheet,
            )
        )

    def _refuse_circular(self, command: RecordBatch) -> None:
        self._refuse(
            command,
            "circular",
            "of_batch",
            _("{reference} and the batches it names wait for each other").format(
                reference=command.reference
            ),
            _("Name the batch that brought the heads in."),
        )

    def _warn(self, command: RecordBatch, code: str, why: str, remedy: str) -> None:
        row = _first_row(command)
        self.problems.append(
            Problem(
                code=code,
                severity="warning",
                where=self._where(command.sheet, row, "reference"),
                value=safe(command.reference),
                why=why,
                remedy=remedy,
                row=row,
                sheet=command.sheet,
            )
        )

    def _warn_of_area(
        self,
        command: RevisePotential | SetTarget | PublishFigure,
        code: str,
        why: str,
        remedy: str,
    ) -> None:
        self.problems.append(
            Problem(
                code=code,
                severity="warning",
                where=self._where(command.sheet, command.row, "area"),
                value=command.area,
                why=why,
                remedy=remedy,
                row=command.row,
                sheet=command.sheet,
            )
        )

    def _found(self, finding: Finding) -> None:
        blames = finding.blames[:SHOWN_BLAMES]
        if not blames:
            self.problems.append(
                Problem(
                    finding.code, finding.severity, finding.area, None, finding.why, finding.remedy
                )
            )
        for blame in blames:
            withdraws = (blame.sheet or "", blame.row) in self._withdrawing
            column = "reference" if withdraws else finding.column  # it has hardly another cell
            self.problems.append(
                Problem(
                    code=finding.code,
                    severity=finding.severity,
                    where=self._where(blame.sheet, blame.row, column),
                    value=safe(blame.reference),
                    why=finding.why,
                    remedy=finding.remedy,
                    row=blame.row,
                    sheet=blame.sheet,
                )
            )


def _pages(commands: Iterable[Command]) -> Iterator[list[Command]]:
    """Group commands into pages of bounded size, however many lines a batch has."""
    page: list[Command] = []
    lines = 0
    for command in commands:
        page.append(command)
        lines += len(command.lines) if isinstance(command, RecordBatch) else 1
        if len(page) >= PAGE_COMMANDS or lines >= PAGE_LINES:
            yield page
            page, lines = [], 0
    if page:
        yield page


def _entering(command: RecordBatch) -> Iterator[tuple[str, int, int]]:
    for line in command.lines:
        assert line.category is not None  # a row that brings heads in says of which
        yield line.category, line.workers, 0


def _moves(event: BatchFact) -> Iterator[tuple[str, int, int]]:
    """Yield category, heads in, heads out; what changes a batch counts by what it changes."""
    if isinstance(event, BatchRecorded):
        for line in event.lines if event.kind is not Kind.RENEWAL else ():
            yield line.cohort.category, max(line.workers, 0), max(-line.workers, 0)
        return
    net: Counter[str] = Counter()
    for line in event.puts if isinstance(event, BatchCorrected) else ():
        net[line.cohort.category] += line.workers
    for line in event.takes_back.lines:
        net[line.cohort.category] -= line.workers
    for category, workers in net.items() if event.kind is not Kind.RENEWAL else ():
        yield category, max(workers, 0), max(-workers, 0)


def _first_row(command: RecordBatch) -> int | None:
    return command.lines[0].row if command.lines else command.row


def import_fact(
    *,
    stamp: Stamp,
    identity: UUID,
    file_name: str,
    sha256: str,
    size: int,
    kept_sha256: str,
    import_kind: str,
    sheet: str,
    options: dict[str, str],
    rows: int,
    control_workers: int,
) -> FileImported:
    """Return the fact that one sheet of one file was imported."""
    return FileImported.model_validate(
        {
            "originator_id": identity,
            "originator_version": 1,
            "transaction_id": stamp.transaction_id,
            "recorded_at": stamp.recorded_at,
            "recorded_by": stamp.recorded_by,
            "file_name": file_name,
            "sha256": sha256,
            "size": size,
            "kept_sha256": kept_sha256,
            "import_kind": import_kind,
            "sheet": sheet,
            "options": options,
            "rows": rows,
            "control_workers": control_workers,
        }
    )
