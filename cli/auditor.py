"""What auditors ask: who recorded what, one batch whole, and the cells it came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.destination import PLACE, check_place, path_to
from cli.options import AREA, Settings, known_option, notice, taking, today, uses_store
from cli.output import (
    Column,
    Listing,
    for_people,
    listing_options,
    write_document,
    write_listing,
)
from cli.values import encoded
from registry.language import _, formatted, joined, ngettext, whole
from registry.safe_text import safe
from registry.terms import NOTE_LENGTH_MAX, Kind
from registry.vocabulary import event, imported, leaving, movement

if TYPE_CHECKING:
    from projections.batches import BatchKey, BatchShown, Version
    from projections.history import HistoryRow
    from projections.ledger import Ledger
    from projections.originals import Original
    from projections.workspace import Workspace
    from registry.storage.log import StoredRow

ROWS_SHOWN_MAX: Final = 5
MOVING: Final = frozenset({"reclassification", "transfer"})
"""What moves heads from one place or category to another: its net change alone says nothing."""
_POSITION: Final = re.compile(r"[@#]([1-9][0-9]{0,17})")

_WHEN: Final = (
    Column("recorded_at", _("Recorded at"), "instant"),
    Column("recorded_by", _("By"), "text"),
)

_HISTORY: Final = (
    Column("position", "#", "number"),
    *_WHEN,
    Column("event", _("Event"), "code"),
    Column("area", _("Code"), "code"),
    Column("area_name", _("Area"), "text"),
    Column("reference", _("Reference"), "text"),
    Column("part", _("Part"), "text"),
    Column("kind", _("Kind"), "code"),
    Column("effective_on", _("Effective on"), "date"),
    Column("workers", _("Workers"), "count"),
    Column("workers_in", _("In"), "count"),
    Column("workers_out", _("Out"), "count"),
    Column("reconciled", _("Reconciled"), "count"),
    Column("decided_on", _("Decided on"), "date"),
    Column("document", _("Document"), "text"),
    Column("reason", _("Reason"), "code"),
    Column("because", _("Because"), "text"),
    Column("note", _("Note"), "text"),
    Column("import_id", _("Import"), "code"),
    Column("file", _("File"), "text"),
    Column("sheet", _("Sheet"), "text"),
    Column("row", _("Row"), "count"),
    Column("transaction_id", _("Transaction"), "count"),
    Column("takes_back_position", _("Takes back"), "number"),
    Column("import_kind", _("File of"), "code"),
    Column("rows", _("Rows"), "count"),
    Column("control_workers", _("Control total"), "count"),
    Column("sha256", _("SHA-256 of the file"), "code"),
    Column("details", _("Details"), "text"),
)
_HISTORY_SHOWN: Final = (
    Column("position", "#", "number"),
    Column("recorded", _("Recorded"), "text"),
    Column("what", _("What"), "text"),
    Column("effective_on", _("Effective"), "date"),
    Column("workers", _("Workers"), "count"),
    Column("origin", _("From"), "text"),
)


@click.command("history")
@click.argument("area", required=False, type=AREA)
@click.option("--reference", metavar="R", help="Only the batches of this reference.")
@known_option
@uses_store
@listing_options
def history_command(
    settings: Settings,
    area: str | None,
    reference: str | None,
    known: str | None,
    format: str | None,
    output: Path | None,
) -> None:
    """What was recorded, by whom and when, from which file and row.

    Oldest first. AREA is a code or a name, and takes in the areas below it; a transfer between two
    areas is listed under both. Workers are the net change that an event brings to the area asked.

    \b
    Examples:
      ucj history 16.06
      ucj history --reference PAKE-KELAMBU-2025 --format json
      ucj history 16 --known 2025-12-31 --output history.csv
    """
    with settings.workspace() as workspace:
        position = workspace.known(known)
        people = for_people(format, output)
        rows = _history(workspace, area, reference, position)
        first = next(rows, None)
        if first is None:
            note = _("Nothing of it is recorded, as known at #{position}.")
        else:
            note = _("As known at #{position}. Oldest first; `ucj show @N` shows an event whole.")
            rows = chain([first], rows)
        listing = Listing(
            name="history",
            columns=_HISTORY_SHOWN if people else _HISTORY,
            rows=(_history_for_people(row) for row in rows) if people else rows,
            notes=[note.format(position=position)],
        )
        write_listing(listing, format=format, output=output)


def _history(
    workspace: Workspace, area: str | None, reference: str | None, position: int
) -> Iterator[dict[str, Any]]:
    """Yield the history, asked page by page: one page is held, and one damaged image costs one."""
    from projections.history import PAGE_ROWS, history_page

    keys = [column.key for column in _HISTORY]
    after = 0
    while True:

        def page_after(ledger: Ledger, after: int = after) -> list[HistoryRow]:
            return history_page(ledger, area=area, reference=reference, known=position, after=after)

        page = workspace.ask(page_after, known=position)
        for row in page:
            yield {key: getattr(row, key) for key in keys}  # asdict copies, six times slower
        if len(page) < PAGE_ROWS:
            return
        after = page[-1].position


def _history_for_people(row: dict[str, Any]) -> dict[str, object]:
    what = [row["reference"] or row["details"] or row["file"] or ""]
    if row["part"]:
        what.append(_("part {part}").format(part=row["part"]))
    if row["reference"] and row["details"]:
        what.append(joined("", ("(", row["details"], ")")))
    if row["rows"] is not None:
        what.append(_import_in_words(row))
    if row["takes_back_position"]:
        what.append(_("takes back #{position}").format(position=row["takes_back_position"]))
    if row["kind"] in MOVING:
        what.append(
            _("({workers_in:,} in, {workers_out:,} out)").format(
                workers_in=row["workers_in"], workers_out=row["workers_out"]
            )
        )
    if row["because"]:
        what.append(_("because {because}").format(because=row["because"]))
    said = event(row["event"])
    if row["kind"] is not None:
        said += joined("", (" (", movement(row["kind"]), ")"))
    place = f"{row['area_name']} · " if row["area_name"] else ""
    return {
        "position": row["position"],
        "recorded": joined(" ", (_moment(row["recorded_at"]), row["recorded_by"])),
        "what": joined("", (place, said, " · ", joined(" ", filter(None, what)))),
        "effective_on": row["effective_on"],
        "workers": row["workers"],
        "origin": _address(row["file"], row["sheet"], row["row"]),
    }


def _import_in_words(row: dict[str, Any]) -> str:
    """Return what a file held; its control total moves nobody, so it is no figure of a column."""
    rows = ngettext("{rows:,} row of {kind}", "{rows:,} rows of {kind}", row["rows"]).format(
        rows=row["rows"], kind=imported(row["import_kind"])
    )
    if row["import_kind"] == "batches":
        rows += _(", control total {workers:,}").format(workers=row["control_workers"])
    return joined("", ("(", rows, ")"))


_LINES: Final = (
    Column("area", _("Code"), "code"),
    Column("category", _("Category"), "code"),
    Column("segment", _("Segment"), "code"),
    Column("funding", _("Funding"), "code"),
    Column("workers", _("Workers"), "count"),
    Column("effective_on", _("Effective on"), "date"),
    Column("covered_until", _("Covered until"), "date"),
    Column("cohort_reference", _("Of batch"), "text"),
    Column("cohort_part", _("Of part"), "text"),
    Column("renews_reference", _("Renews"), "text"),
    Column("renews_part", _("Renews part"), "text"),
    Column("row", _("Row"), "count"),
)
_LINES_FOR_PEOPLE: Final = frozenset({"area", "category", "workers", "covered_until", "row"})


_takes_batch: Final = taking(
    click.argument("reference", metavar="REFERENCE|@POSITION"),
    click.option(
        "--area", type=AREA, help="Where the batch is, if its reference is used in several."
    ),
    click.option("--part", metavar="P", help="Which part, if its document has several."),
    known_option,
)


@click.command("show")
@_takes_batch
@uses_store
@listing_options
def show_command(
    settings: Settings,
    reference: str,
    area: str | None,
    part: str | None,
    known: str | None,
    format: str | None,
    output: Path | None,
) -> None:
    """One batch or event, whole.

    A batch: what it says, its lines in force, what has left, was renewed and is left today, what
    draws on it, and all its versions. An event: as it is stored, with its digest.

    \b
    Examples:
      ucj show PAKE-KELAMBU-2025
      ucj show 400/1/2025 --area "Musi Banyuasin" --part b --known 2025-12-31
      ucj show @12 --format json
    """
    if match := _POSITION.fullmatch(reference.strip()):
        with settings.workspace() as workspace:
            _show_event(workspace, int(match[1]), known, format, output)
        return
    with settings.workspace() as workspace:
        shown = _batch(workspace, reference, area, part, workspace.known(known))
    document = _batch_document(shown)
    columns = tuple(
        column
        for column in _LINES
        if column.key in _LINES_FOR_PEOPLE
        or any(
            line[column.key] not in {None, "", shown.key.reference, shown.key.part}
            for line in document["lines"]
        )
    )
    people = for_people(format, output)
    listing = Listing(
        name="show",
        columns=columns if people else _LINES,
        rows=document["lines"],
        notes=_batch_notes(shown) if people else [],
    )
    write_document(document, listing, format=format, output=output)


def _batch(
    workspace: Workspace, reference: str, area: str | None, part: str | None, position: int
) -> BatchShown:
    from projections.batches import batch_at, find_batch

    on = today()

    def question(ledger: Ledger) -> BatchShown:
        key = find_batch(ledger, reference, area=area, part=part, known=position)
        return batch_at(ledger, key, on=on, known=position)

    return workspace.ask(question, known=position)


def _batch_document(shown: BatchShown) -> dict[str, Any]:
    return {
        "area": shown.key.area,
        "area_name": shown.area_name,
        "reference": shown.key.reference,
        "part": shown.key.part,
        "known_position": shown.known_position,
        "on": shown.on,
        "state": shown.state,
        "corrections": shown.corrections,
        "kind": shown.kind,
        "effective_on": shown.effective_on,
        "workers": shown.workers,
        "programmes": list(shown.programmes),
        "fundings": list(shown.fundings),
        "reason": shown.reason,
        "decided_on": shown.decided_on,
        "document": shown.document,
        "note": shown.note,
        "settles": shown.settles,
        "proposed": shown.proposed,
        "rejected": shown.rejected,
        "lines": [asdict(line) | {"effective_on": shown.effective_on} for line in shown.lines],
        "cohorts": [asdict(cohort) for cohort in shown.cohorts],
        "dependents": [asdict(dependent) for dependent in shown.dependents],
        "versions": [_version_document(version) for version in shown.versions],
    }


def _version_document(version: Version) -> dict[str, Any]:
    return asdict(version) | {"rows": list(version.rows)}


_BEGUN: Final[Mapping[str, str]] = {
    Kind.OPENING: _("Opening"),
    Kind.ENROLMENT: _("Enrolment"),
    Kind.RENEWAL: _("Renewal"),
    Kind.DEACTIVATION: _("Deactivation"),
    Kind.RECLASSIFICATION: _("Reclassification"),
    Kind.TRANSFER: _("Transfer"),
    Kind.RECONCILING: _("Reconciling"),
}


def _batch_notes(shown: BatchShown) -> list[str]:
    """Return what a table of lines leaves out, in words."""
    part = _(" part {part}").format(part=safe(shown.key.part)) if shown.key.part else ""
    times = ngettext("once", "{count} times", shown.corrections).format(count=shown.corrections)
    state = {
        "in-force": _("in force"),
        "corrected": _("in force, corrected {times}").format(times=times),
        "withdrawn": _("withdrawn: nothing of it is in force"),
    }[shown.state]
    said = joined("", (" · " + each for each in _said(shown)))
    where = f"{shown.area_name} ({shown.key.area})"
    known = _("as known at #{known_position}").format(known_position=shown.known_position)
    notes = [
        joined("", (safe(shown.key.reference), part, f" · {where} · ", state, ", ", known, ".")),
        _("{kind} from {effective_on}{said}.").format(
            kind=_BEGUN[shown.kind], effective_on=shown.effective_on, said=said
        )
        if shown.state == "withdrawn"
        else _("{kind} of {heads} from {effective_on}{said}.").format(
            kind=_BEGUN[shown.kind], heads=_heads(shown), effective_on=shown.effective_on, said=said
        ),
    ]
    for cohort in shown.cohorts:
        until = (
            _(" until {covered_until}").format(covered_until=cohort.covered_until)
            if cohort.covered_until
            else ""
        )
        words = [
            _("{brought_in:,} {category} brought in{until}").format(
                brought_in=cohort.brought_in, category=cohort.category, until=until
            )
        ]
        words += [
            what.format(count=count)
            for what, count in (
                (_("{count:,} left"), cohort.left),
                (_("{count:,} moved"), cohort.moved),
                (_("{count:,} to leave later"), cohort.to_leave),
                (_("{count:,} renewed"), cohort.renewed),
            )
            if count
        ]
        covered = _("{active:,} covered on {on}").format(active=cohort.active, on=shown.on)
        if cohort.pool_draws and cohort.active:
            covered += _(
                ", less what left the {category} of {area} without naming a batch: {pool_draws:,}"
            ).format(category=cohort.category, area=shown.key.area, pool_draws=cohort.pool_draws)
        notes.append(joined("; ", (*words, covered)) + ".")
    notes += [
        _(
            "Drawn on by {reference}{part} ({area}): {kind} of {workers:+,} from {effective_on}."
        ).format(
            reference=safe(each.reference),
            part=_(" part {part}").format(part=safe(each.part)) if each.part else "",
            area=each.area,
            kind=movement(each.kind),
            workers=each.workers,
            effective_on=each.effective_on,
        )
        for each in shown.dependents
    ]
    return notes + [_version_note(version) for version in shown.versions]


def _heads(shown: BatchShown) -> str:
    """Return how many heads: signed, but those who only move as they are."""
    if shown.kind not in MOVING:
        return whole(shown.workers, "+,")
    return whole(sum(line.workers for line in shown.lines if line.workers > 0))


def _said(shown: BatchShown) -> Iterator[str]:
    if shown.fundings:
        yield _("paid by {fundings}").format(fundings=", ".join(shown.fundings))
    if shown.programmes:
        yield " ".join(shown.programmes)
    if shown.reason:
        yield _("reason {reason}").format(reason=leaving(shown.reason))
    if shown.decided_on:
        yield _("decided on {decided_on}").format(decided_on=shown.decided_on)
    if shown.document:
        yield safe(shown.document, limit=NOTE_LENGTH_MAX)
    if shown.proposed is not None:
        yield _("{proposed:,} proposed").format(proposed=shown.proposed)
    if shown.rejected:
        rejected = (
            joined(" ", (whole(count), leaving(why))) for why, count in shown.rejected.items()
        )
        yield _("rejected {rejected}").format(rejected=joined(", ", rejected))
    if shown.settles is not None:
        yield _("settles the figure at #{position}").format(position=shown.settles)
    if shown.note:
        yield _("note: {note}").format(note=safe(shown.note, limit=NOTE_LENGTH_MAX))


def _version_note(version: Version) -> str:
    origin = _address(version.file, version.sheet, None)
    place = (
        _(", from {origin}{rows}").format(origin=origin, rows=_rows_of(version))
        if origin
        else _(", typed")
    )
    because = (
        _(", because {because}").format(because=safe(version.because)) if version.because else ""
    )
    heads = (
        _("{moved:,} moved").format(moved=version.moved)
        if version.moved
        else whole(version.workers, "+,")
    )
    return _("#{position} {event} {heads}, {moment} by {recorded_by}{place}{because}.").format(
        position=version.position,
        event=event(version.event),
        heads=heads,
        moment=_moment(version.recorded_at),
        recorded_by=safe(version.recorded_by),
        place=place,
        because=because,
    )


def _rows_of(version: Version) -> str:
    if not version.rows:
        return ""
    rows = ", ".join(str(row) for row in version.rows[:ROWS_SHOWN_MAX])
    more = "…" if len(version.rows) > ROWS_SHOWN_MAX else ""
    return ngettext(" row {rows}{more}", " rows {rows}{more}", len(version.rows)).format(
        rows=rows, more=more
    )


_EVENT: Final = (
    Column("position", "#", "number"),
    Column("event", _("Event"), "code"),
    Column("topic", _("Topic"), "code", show=False),
    *_WHEN,
    Column("transaction_id", _("Transaction"), "count"),
    Column("originator_id", _("Stream"), "code"),
    Column("originator_version", _("Version"), "count"),
    Column("sha256", "SHA-256", "code"),
    Column("file", _("File"), "text"),
    Column("state", _("As stored"), "json"),
)


def _show_event(
    workspace: Workspace, position: int, known: str | None, form: str | None, output: Path | None
) -> None:
    row = _event(workspace, position, workspace.known(known))
    facts = row.facts()
    address = workspace.ask(lambda ledger: _address_of(ledger, row), known=position)
    document = {
        "position": row.position,
        "event": row.topic.removeprefix("ucj."),
        "topic": row.topic,
        "recorded_at": row.recorded_at(),
        "recorded_by": facts["recorded_by"],
        "transaction_id": facts["transaction_id"],
        "originator_id": row.originator_id,
        "originator_version": row.originator_version,
        "sha256": row.sha256(),
        "file": address,
        "state": facts,
    }
    people = for_people(form, output)
    cut = people and len(encoded(facts)) > NOTE_LENGTH_MAX
    notes = (
        [_("As stored it is longer than is shown here; --format json has it whole.")] if cut else []
    )
    row_shown = document | ({"event": event(str(document["event"]))} if people else {})
    listing = Listing("event", _EVENT, [row_shown], layout="record", notes=notes)
    write_document(document, listing, format=form, output=output)


def _event(workspace: Workspace, position: int, known: int) -> StoredRow:
    from registry.errors import KnownInFutureError

    row = workspace.log.row(position) if position <= known else None
    if row is None:
        what = _("nothing is recorded at #{position}, as known at #{known}").format(
            position=position, known=known
        )
        raise KnownInFutureError(what, remedy=_("Find it with `ucj history`."))
    return row


def _address_of(ledger: Ledger, row: StoredRow) -> str | None:
    from projections.batches import versions_of

    (version,) = versions_of(ledger.connection, [row])
    return _address(version.file, version.sheet, version.rows[0] if version.rows else None)


_SOURCE: Final = (
    Column("position", "#", "number"),
    Column("event", _("Event"), "code"),
    *_WHEN,
    Column("file", _("File"), "text"),
    Column("sha256", _("SHA-256 of the file"), "code"),
    Column("sheet", _("Sheet"), "text"),
    Column("row", _("Row"), "count"),
    Column("address", _("Cell"), "text"),
    Column("column", _("Column"), "text"),
    Column("value", _("Value"), "text"),
)
_SOURCE_FOR_PEOPLE: Final = frozenset({"position", "address", "column", "value"})


@click.command("source")
@_takes_batch
@click.option(
    "--file",
    "copy_to",
    type=PLACE,
    metavar="FILE",
    help="Write the file as it is kept, byte for byte, to a new FILE instead.",
)
@uses_store
@listing_options
def source_command(
    settings: Settings,
    reference: str,
    area: str | None,
    part: str | None,
    known: str | None,
    copy_to: Path | None,
    format: str | None,
    output: Path | None,
) -> None:
    """The original cells, or the file, that a batch came from.

    Each version of the batch with its file and the rows as they stand in the bytes kept in the
    store: the original, or, where columns or sheets were left unread at the import or a number as
    long as a NIK stands beside the cells, a copy of what was read. Its second SHA-256 is then the
    copy's.

    \b
    Examples:
      ucj source PAKE-KELAMBU-2025
      ucj source 400/1/2025 --area 16.06 --format json
      ucj source 400/1/2025 --area 16.06 --file original.xlsx
    """
    if copy_to is not None and (format is not None or output is not None):
        raise click.UsageError(
            _("--file writes the file as it is kept: leave --format and --output out.")
        )
    with settings.workspace() as workspace:
        position = workspace.known(known)
        key, versions = _versions(workspace, reference, area, part, position)
        if copy_to is not None:
            _copy_original(workspace, versions, copy_to)
            return
        from projections.originals import original_of

        originals = [original_of(workspace.log, version) for version in versions]
    document = {
        "area": key.area if key else None,
        "reference": key.reference if key else None,
        "part": key.part if key else None,
        "known_position": position,
        "versions": [_original_document(original) for original in originals],
    }
    people = for_people(format, output)
    listing = Listing(
        name="source",
        columns=tuple(c for c in _SOURCE if not people or c.key in _SOURCE_FOR_PEOPLE),
        rows=_cells(originals, blank=not people),
        notes=[_original_note(original) for original in originals] if people else [],
    )
    write_document(document, listing, format=format, output=output)


def _versions(
    workspace: Workspace, reference: str, area: str | None, part: str | None, known: int
) -> tuple[BatchKey | None, tuple[Version, ...]]:
    """Return the versions of a batch, or the one event at a position."""
    from projections.batches import batch_rows, find_batch, versions_of

    match = _POSITION.fullmatch(reference.strip())
    row = _event(workspace, int(match[1]), known) if match else None

    def question(ledger: Ledger) -> tuple[BatchKey | None, tuple[Version, ...]]:
        if row is not None:
            return None, versions_of(ledger.connection, [row])
        key = find_batch(ledger, reference, area=area, part=part, known=known)
        return key, versions_of(ledger.connection, batch_rows(ledger.log, key, known))

    return workspace.ask(question, known=known)


def _copy_original(workspace: Workspace, versions: tuple[Version, ...], target: Path) -> None:
    """Write the file as kept, refusing to overwrite; what fails to match is not left behind."""
    from projections.originals import NoOriginalError

    files = {version.kept_sha256: version for version in versions if version.kept_sha256}
    if not files:
        raise NoOriginalError(
            _("no file is kept for it: it was typed"),
            remedy=_("See `ucj show` for who recorded it."),
        )
    if len(files) > 1:
        listed = joined(
            "; ",
            (
                _("@{position} from {file}").format(position=version.position, file=version.file)
                for version in files.values()
            ),
        )
        raise NoOriginalError(
            _("its versions came from {number} files").format(number=len(files)),
            why=listed,
            remedy=_("Name one by its position: `ucj source @N --file FILE`."),
        )
    check_place(target, f"--file {target.name}", new=True)
    ((sha256, version),) = files.items()
    assert sha256 is not None
    with path_to(target) as path, path.open("wb") as file:
        path.chmod(0o600)  # an office's file may say more than its rows do
        for chunk in workspace.log.source(sha256):  # raises where the bytes no longer match
            file.write(chunk)
    if sha256 == version.file_sha256:
        notice(
            _("{file} as imported, SHA-256 {sha256}, is in {name}.").format(
                file=version.file, sha256=sha256, name=safe(target.name)
            )
        )
    else:
        notice(
            _("{file} is in {name}. {copy_note}").format(
                file=version.file, name=safe(target.name), copy_note=_copy_note(version)
            )
        )


def _copy_note(version: Version) -> str:
    return _(
        "It is kept without what was not read (columns or sheets left out, or what beside the cells"
        " may be somebody's number): this is a copy,"
        " SHA-256 {kept}; the original's SHA-256 was {original}."
    ).format(kept=version.kept_sha256, original=version.file_sha256)


def _origin(version: Version) -> dict[str, Any]:
    return {
        "position": version.position,
        "event": version.event,
        "recorded_at": version.recorded_at,
        "recorded_by": version.recorded_by,
        "file": version.file,
        "sha256": version.file_sha256,
    }


def _original_document(original: Original) -> dict[str, Any]:
    version = original.version
    return {
        **_origin(version),
        "bytes": version.file_bytes,
        "kept_sha256": version.kept_sha256,
        "sheet": version.sheet,
        "header_row": original.header_row,
        "header": list(original.header),
        "left_out": list(original.left_out),
        "rows": [
            {"row": row.number, "address": row.address, "cells": list(row.cells)}
            for row in original.rows
        ],
    }


def _cells(originals: list[Original], *, blank: bool) -> Iterator[dict[str, object]]:
    """Yield one row for each original cell; empty cells only for programs."""
    for original in originals:
        version = original.version
        for row in original.rows:
            for index, column in enumerate(original.header):
                if row.cells[index] is None and not blank:
                    continue
                yield {
                    **_origin(version),
                    "sheet": version.sheet,
                    "row": row.number,
                    "address": row.cell_addresses[index],
                    "column": column,
                    "value": row.cells[index],
                }


def _original_note(original: Original) -> str:
    version = original.version
    when = _("{moment} by {recorded_by}").format(
        moment=_moment(version.recorded_at), recorded_by=safe(version.recorded_by)
    )
    said = joined("", (f"#{version.position} ", event(version.event), ", ", when))
    if version.file is None:
        return _("{said}: typed, no file.").format(said=said)
    sheet = _(", sheet {sheet}").format(sheet=safe(version.sheet)) if version.sheet else ""
    file = _("{file}{sheet}, {size:,} bytes").format(
        file=safe(version.file), sheet=sheet, size=version.file_bytes
    )
    words = [
        _("{said}: {file}, SHA-256 {sha256}.").format(
            said=said, file=file, sha256=version.file_sha256
        )
    ]
    if version.kept_sha256 != version.file_sha256:
        words.append(_copy_note(version))
    if not original.rows:
        words.append(_("It is of no single row; --file writes the file."))
    if original.left_out:
        words.append(
            _("Left out, as at the import: {columns}.").format(columns=", ".join(original.left_out))
        )
    return joined(" ", words)


def _address(file: str | None, sheet: str | None, row: int | None) -> str | None:
    """Return where to look: `batches.csv:17`, `batches.xlsx Data!17`, or the file."""
    if file is None or (row is None and not sheet):
        return file
    place = f"{file} {sheet}!" if sheet else f"{file}:"
    return f"{place}{row}" if row is not None else place.rstrip("!")


def _moment(instant: date) -> str:
    assert isinstance(instant, datetime)
    return formatted(instant.astimezone(UTC), "%Y-%m-%d %H:%MZ")
