"""What auditors ask most: how one figure became another, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cli.destination import text_to
from cli.options import (
    AREA,
    CATEGORY,
    POINT,
    Settings,
    boundaries_option,
    drawn_as_of,
    notice,
    uses_store,
)
from cli.output import (
    Column,
    Listing,
    Row,
    choose,
    for_people,
    listing_options,
    percent,
    points,
    write_listing,
)
from cli.records import json_lines
from cli.trace_in_words import Known, grouped_for_people, notes, statement_for_people
from cli.values import encoded
from registry.language import _
from registry.terms import is_regency

if TYPE_CHECKING:
    from datetime import date

    from projections.ledger import Ledger
    from projections.steps import Group, Grouping, Traced
    from projections.trace import End, Trace
    from projections.workspace import Workspace

GROUPINGS: Final = ("kind", "category", "batch", "month")

_ORIGIN: Final = (
    Column("position", "#", "number"),
    Column("recorded_at", _("Recorded at"), "instant"),
    Column("recorded_by", _("By"), "text"),
    Column("reason", _("Reason"), "code"),
    Column("because", _("Because"), "text"),
    Column("document", _("Document"), "text"),
    Column("import_id", _("Import"), "code"),
    Column("file", _("File"), "text"),
    Column("sheet", _("Sheet"), "text"),
    Column("row", _("Row"), "count"),
)
_STEPS: Final = (
    Column("kind", _("Kind"), "code"),
    Column("act", _("Act"), "code"),
    Column("class", _("Class"), "code"),
    Column("area", _("Code"), "code"),
    Column("category", _("Category"), "code"),
    Column("segment", _("Segment"), "code"),
    Column("funding", _("Funding"), "code"),
    Column("reference", _("Reference"), "text"),
    Column("part", _("Part"), "text"),
    Column("effective_on", _("Effective on"), "date"),
    Column("cohort_reference", _("Of batch"), "text"),
    Column("cohort_part", _("Of part"), "text"),
    *_ORIGIN,
    Column("workers", _("Workers"), "count"),
    Column("reversed", _("Reversed"), "flag"),
    Column("late", _("Late"), "flag"),
)
_FLOWS: Final = (
    Column("in", _("In"), "count"),
    Column("out", _("Out"), "count"),
    Column("lapsed", _("Lapsed"), "count"),
    Column("renewed", _("Renewed"), "count"),
    Column("reconciled", _("Reconciled"), "count"),
    Column("restated", _("Restated"), "count"),
)
_GROUPS: Final = (
    Column("kind", _("Kind"), "code"),
    Column("category", _("Category"), "code"),
    Column("month", _("Month"), "code"),
    Column("area", _("Code"), "code"),
    Column("batch_area", _("Batch of"), "code"),
    Column("reference", _("Reference"), "text"),
    Column("part", _("Part"), "text"),
    Column("effective_on", _("Effective on"), "date"),
    Column("class", _("Class"), "code"),
    Column("event", _("Event"), "code"),
    *_ORIGIN,
    Column("last_row", _("Last row"), "count"),
    *_FLOWS,
    Column("workers", _("Workers"), "count"),
    Column("late", _("Late"), "flag"),
    Column("moved", _("Moved"), "count"),
)
_STATEMENT: Final = (
    Column("line", _("Line"), "code"),
    Column("workers", _("Workers"), "count"),
    Column("points", _("Points"), "points"),
)
_REASONS: Final = (
    Column("reason", _("Reason"), "code"),
    Column("workers", _("Workers"), "count"),
)
_PUBLISHED: Final = (
    Column("end", _("End"), "code"),
    Column("as_of", _("As of"), "code"),
    Column("active", _("Active"), "count"),
    Column("potential", _("Potential"), "count"),
    Column("percent", _("Percent"), "number"),
    Column("uncovered_percent", _("Not covered"), "number"),
    Column("publisher", _("Publisher"), "text"),
    Column("published_on", _("Published on"), "date"),
    Column("source", _("Source"), "text"),
    Column("position", "#", "number"),
    Column("difference", _("Difference"), "count"),
)


@click.command("trace")
@click.argument("area", type=AREA)
@click.option(
    "--from",
    "start",
    type=POINT,
    required=True,
    metavar="DATE",
    help="The figure on this day; a month is its last.",
)
@click.option(
    "--to",
    "end",
    type=POINT,
    required=True,
    metavar="DATE",
    help="What it became, on this day; it may be the earlier one.",
)
@click.option(
    "--known-from",
    metavar="K",
    help="The first figure as known then: #1234 or @1234, a date or an instant. [now]",
)
@click.option("--known-to", metavar="K", help="The second figure as known then. [now]")
@click.option(
    "--by", type=click.Choice(GROUPINGS), help="A row for each; by batch with its file and row."
)
@click.option("--category", type=CATEGORY, help="Only this category of workers.")
@boundaries_option
@uses_store
@listing_options
def trace_command(
    settings: Settings,
    area: str,
    start: date,
    end: date,
    known_from: str | None,
    known_to: str | None,
    by: Grouping | None,
    category: str | None,
    boundaries: str,
    format: str | None,
    output: Path | None,
) -> None:
    """How one figure became another, batch by batch.

    A statement: what was there, what came in, went out, lapsed, was renewed, reconciled and
    restated, what is there, and what the published figures of both days say. The steps are the
    entries counted at one of the two ends only; json, csv and the other formats for programs have
    each of them. Late is what was recorded on days closed by then (`ucj close`). Heads of a regency
    that came under the province, or left it, between the two days are Moved, an effect of their
    own; with --boundaries now none do. Without --known-from and --known-to both figures are as
    known now.

    \b
    Examples:
      ucj trace 16.06 --from 2024-12 --to 2025-07
      ucj trace 16.06 --from 2024-12 --to 2025-07 --by batch
      ucj trace 16 --from 2025-07 --to 2025-07 --known-from 2025-08-31 --format json
    """
    with settings.workspace() as workspace:
        known = Known.of(workspace.known, known_from, known_to)
        traced = _traced(workspace, area, start, end, known, category)
        traced = replace(traced, as_of=drawn_as_of(boundaries, start, end))
        workspace.ask(
            lambda ledger: _answer(ledger, traced, known, by, format, output), known=known.head
        )


def _traced(
    workspace: Workspace, area: str, start: date, end: date, known: Known, category: str | None
) -> Traced:
    from projections.steps import Point, Traced
    from registry.nomenclature import categories_of

    slug = categories_of(workspace.log).find(category) if category else None
    return Traced(area, Point(start, known.start), Point(end, known.end), slug)


def _answer(
    ledger: Ledger,
    traced: Traced,
    known: Known,
    by: Grouping | None,
    format: str | None,
    output: Path | None,
) -> None:
    """Answer while the ledger is open: of a long list only a page is in memory."""
    from projections.steps import groups, sorted_on_disk, steps
    from projections.trace import trace

    found = trace(ledger, traced)
    with nullcontext() if is_regency(traced.area) else sorted_on_disk(ledger):
        rows = groups(ledger, traced, by) if by else iter(())
        if for_people(format, output):
            listing = grouped_for_people(found, by, rows) if by else statement_for_people(found)
            listing = replace(listing, notes=notes(found, known, by=by))
            write_listing(listing, format=format, output=output)
            return
        lists = {
            "groups": groups_listing(rows),
            "steps": Listing("trace", _STEPS, map(_step_row, steps(ledger, traced))),
        }
        said = notes(found, known, by=by, for_programs=True)
        if choose(format, output) in {"json", "jsonl"}:
            _write_document(found, by, lists, format, output)
            for line in said:
                notice(line)
            return
        listing = replace(lists["groups" if by else "steps"], notes=said)
        write_listing(listing, format=format, output=output)


# --- rows for programs --------------------------------------------------------------------------

_ATTRIBUTES: Final = {"class": "step_class", "in": "flows.entered", "out": "flows.left"} | {
    line: f"flows.{line}" for line in ("lapsed", "renewed", "reconciled", "restated", "moved")
}


def _reader(columns: tuple[Column, ...], **named: str) -> Callable[[object], Row]:
    """Return how a row of the keys of some columns is read off an object."""
    keys = [column.key for column in columns]
    values = attrgetter(*((_ATTRIBUTES | named).get(key, key) for key in keys))
    return lambda each: dict(zip(keys, values(each), strict=True))


_group_row: Final = _reader(_GROUPS, workers="flows.workers")
_step_row: Final = _reader(_STEPS)
_line_row: Final = _reader(_STATEMENT)


def _end_document(end: End) -> dict[str, object]:
    return {
        "on": end.on,
        "known_position": end.known_position,
        "active": end.active,
        "potential": end.potential,
        "coverage_percent": percent(end.coverage),
        "points": points(end.points),
        "active_counted": end.active_counted,
        "potential_valid_from": end.potential_valid_from,
        "potential_definition": end.potential_definition,
        "potential_source": end.potential_source,
        "own_potential": end.own_potential,
        "regencies_total": end.regencies_total,
        "regencies_counted": end.regencies_counted,
        "complete": end.complete,
    }


def _change_document(found: Trace) -> dict[str, object]:
    parts = found.effects
    return {
        "active": found.active,
        "percentage_points": points(found.points),
        "numerator_effect": points(parts.numerator if parts else None),
        "denominator_effect": points(parts.denominator if parts else None),
        "counted_regencies_effect": points(parts.counted if parts else None),
        "regencies_entering": list(found.entering),
        "regencies_leaving": list(found.leaving),
        "regencies_redefined": list(found.redefined),
        "regencies_moved_in": list(found.moved_in),
        "regencies_moved_out": list(found.moved_out),
        "late_potentials": [
            {"area": each.area, "position": each.position} for each in found.late_potentials
        ],
        "late_moves": [{"area": each.area, "position": each.position} for each in found.late_moves],
    }


def _unexplained_document(found: Trace) -> dict[str, object]:
    return {
        "workers": found.unexplained,
        "reconciled": found.balanced,
        "published_change": found.published_change,
        "difference": found.published_difference,
    }


def groups_listing(rows: Iterable[Group]) -> Listing:
    """Return groups of steps with every fact in a column of its own, read row by row."""
    return Listing("trace", _GROUPS, map(_group_row, rows))


def published_listing(found: Trace) -> Listing:
    """Return the published figures of both ends, each with what it has more than the ledger."""
    return Listing("published", _PUBLISHED, [*_published_rows(found)])


def _published_rows(found: Trace) -> Iterator[Row]:
    read = _reader(_PUBLISHED[1:])
    for end, figures in (("from", found.published_start), ("to", found.published_end)):
        for figure in figures:
            row = {"end": end, **read(figure)}
            for key in ("percent", "uncovered_percent"):
                row[key] = None if row[key] is None else Decimal(str(row[key]))
            yield row


# --- a document with long lists -----------------------------------------------------------------


def _write_document(
    found: Trace,
    by: Grouping | None,
    lists: Mapping[str, Listing],
    format: str | None,
    output: Path | None,
) -> None:
    """Write one object whose lists are read row by row; each is begun before anything is written."""
    traced = found.traced
    head: dict[str, object] = {
        "area": found.area,
        "area_name": found.area_name,
        "category": traced.category,
        "by": by,
        "from": _end_document(found.start),
        "to": _end_document(found.end),
        "change": _change_document(found),
        "unexplained": _unexplained_document(found),
        "boundaries": "then" if traced.as_of is None else "now",
    }
    own = {
        "statement": Listing("statement", _STATEMENT, map(_line_row, found.statement)),
        "left_by_reason": Listing(
            "left_by_reason",
            _REASONS,
            (
                {"reason": reason, "workers": workers}
                for reason, workers in found.left_by_reason.items()
            ),
        ),
        "published": published_listing(found),
    }
    begun = {key: replace(each, rows=_begun(each.rows)) for key, each in {**own, **lists}.items()}
    pieces = _pieces(head, begun, spread=choose(format, output) == "json")
    with text_to(None if output == Path("-") else output, reader="programs") as stream:
        stream.writelines(pieces)


def _begun(rows: Iterable[Row]) -> Iterable[Row]:
    waiting = iter(rows)
    return chain(list(islice(waiting, 1)), waiting)


def _pieces(
    head: Mapping[str, object], lists: Mapping[str, Listing], *, spread: bool
) -> Iterator[str]:
    """Yield an object: a key on each line, and each row of a list; or all of it on one line."""
    outer, inner = ("\n  ", "\n    ") if spread else ("", "")
    comma, mark = "," if spread else ", ", "{"
    for key, value in head.items():
        yield f"{mark}{outer}{encoded(key)}: {encoded(value)}"
        mark = comma
    for key, listing in lists.items():
        yield f"{mark}{outer}{encoded(key)}: "
        between = "["
        for line in json_lines(listing):
            yield f"{between}{inner}{line}"
            between = comma
        yield "[]" if between == "[" else f"{outer}]"
        mark = comma
    yield "\n}\n" if spread else "}\n"
