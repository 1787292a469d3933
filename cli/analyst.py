"""What analysts ask: coverage on a date, how it went, and SQL over the ledger's views."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from cli.options import (
    AREA,
    CATEGORY,
    POINT,
    Settings,
    boundaries_notes,
    boundaries_option,
    drawn_as_of,
    given_once,
    known_option,
    today,
    uses_store,
)
from cli.output import Column, Kind, Listing, choose, for_people, listing_options, write_listing
from registry.language import _, joined, ngettext
from registry.vocabulary import group

if TYPE_CHECKING:
    from projections.coverage import CoverageRow
    from projections.timeline import TimelineRow

WHOLE_PERCENT = 100
NAMED_MAX = 5
_ABOVE_WHOLE = _("Warning: coverage above 100 %: check the potential, or batches counted twice.")
GROUPINGS = ("area", "province", "category", "segment", "funding")

_COVERAGE = (
    Column("area", _("Code"), "code"),
    Column("area_name", _("Area"), "text"),
    Column("category", _("Category"), "text"),
    Column("segment", _("Segment"), "text"),
    Column("funding", _("Funding"), "text"),
    Column("on", _("On"), "date"),
    Column("known_position", _("Known at"), "number"),
    Column("active", _("Active"), "count"),
    Column("potential", _("Potential"), "count"),
    Column("coverage_percent", _("Coverage"), "percent"),
    Column("potential_valid_from", _("Potential from"), "date"),
    Column("potential_definition", _("Definition"), "text"),
    Column("potential_source", _("Source"), "text"),
    Column("regencies_total", _("Regencies"), "count"),
    Column("regencies_counted", _("Counted"), "count"),
    Column("complete", _("Complete"), "flag"),
    Column("points", _("Points"), "points"),
    Column("active_counted", _("Active counted"), "count"),
    Column("own_potential", _("Own potential"), "flag"),
    Column("boundaries", _("Boundaries"), "code"),
)


@click.command("coverage")
@click.argument("areas", nargs=-1, type=AREA, metavar="[AREA]...")
@click.option("--on", type=POINT, metavar="DATE", help="On this day; a month is its last. [today]")
@known_option
@click.option(
    "--by",
    type=click.Choice(GROUPINGS),
    multiple=True,
    help="A row for each; may be given twice (--by area --by category).",
)
@click.option(
    "--category",
    type=CATEGORY,
    multiple=True,
    callback=given_once,
    help="Only this category of workers.",
)
@click.option(
    "--own-potential",
    is_flag=True,
    help="Divide by the area's own recorded potential, whatever its regencies have.",
)
@boundaries_option
@uses_store
@listing_options
def coverage_command(
    settings: Settings,
    areas: tuple[str, ...],
    on: date | None,
    known: str | None,
    by: tuple[str, ...],
    category: str | None,
    own_potential: bool,  # noqa: FBT001
    boundaries: str,
    format: str | None,
    output: Path | None,
) -> None:
    r"""Active workers and coverage on a date, as known at any time.

    AREA is a code (16.06, 16, ID) or a name, of today or of before; without one, the nation. A
    province is the sum of the regencies that lay in it on the day; with --boundaries now, of those
    that lie in it today, and what was split since is one row.

    \b
    Examples:
      ucj coverage 16.06 --on 2025-07
      ucj coverage 91 --by area --on 2021-12 --boundaries now
      ucj coverage 16 --by area --on 31/07/2025 --format csv
      ucj coverage "Musi Banyuasin" --by category --known 2025-01-31
    """
    from projections.coverage import coverage_at
    from registry.nomenclature import categories_of

    asked = areas or ("ID",)
    day = on or today()
    with settings.workspace() as workspace:
        position = workspace.known(known)
        slug = categories_of(workspace.log).find(category) if category else None
        rows = workspace.ask(
            lambda ledger: coverage_at(
                ledger,
                asked,
                day,
                known=position,
                by=by,  # type: ignore[arg-type]
                category=slug,
                own_potential=own_potential,
                as_of=drawn_as_of(boundaries, day),
            ),
            known=position,
        )
    people = for_people(format, output)
    listing = coverage_listing(rows, day, position, slug, people=people, boundaries=boundaries)
    write_listing(listing, format=format, output=output)


def coverage_listing(
    rows: list[CoverageRow],
    on: date,
    position: int,
    category: str | None,
    *,
    people: bool,
    boundaries: str = "then",
) -> Listing:
    """Return the rows and what is said below them; for people the columns that say something."""
    return Listing(
        name="coverage",
        columns=_for_people(rows) if people else _COVERAGE,
        rows=[{**_coverage_row(row), "boundaries": boundaries} for row in rows],
        notes=[*_coverage_notes(rows, on, position, category), *boundaries_notes(boundaries)],
    )


def _coverage_row(row: CoverageRow) -> dict[str, object]:
    return {
        "area": row.area,
        "area_name": row.area_name,
        "category": row.category,
        "segment": group(row.segment),
        "funding": group(row.funding),
        "on": row.on,
        "known_position": row.known_position,
        "active": row.active,
        "potential": row.potential,
        "coverage_percent": row.coverage,
        "potential_valid_from": row.potential_valid_from,
        "potential_definition": row.potential_definition,
        "potential_source": row.potential_source,
        "regencies_total": row.regencies_total,
        "regencies_counted": row.regencies_counted,
        "complete": row.complete,
        "points": row.points,
        "active_counted": row.active_counted,
        "own_potential": row.own_potential,
        "counted": None
        if row.regencies_total <= 1
        else _("{mark}{counted} of {total} regencies").format(
            mark="* " if _is_of_those_counted(row) else "",
            counted=row.regencies_counted,
            total=row.regencies_total,
        ),
    }


def _is_of_those_counted(row: CoverageRow) -> bool:
    """Whether coverage is of a part of the area only: some regencies counted, some not."""
    return not row.complete and not row.own_potential and row.regencies_total > 1


def _counts_differ(row: CoverageRow) -> bool:
    return row.active_counted is not None and row.active_counted != row.active


_GROUPS = {"category": _("Category"), "segment": _("Segment"), "funding": _("Funding")}


def _for_people(rows: list[CoverageRow]) -> tuple[Column, ...]:
    """Return the columns worth showing: those that say something in some row."""
    groups = [
        Column(key, title, "text")
        for key, title in _GROUPS.items()
        if any(getattr(row, key) is not None for row in rows)
    ]
    columns = [Column("area_name", _("Area"), "text"), Column("area", _("Code"), "code"), *groups]
    columns.append(Column("active", _("Active"), "count"))
    if any(_counts_differ(row) for row in rows):
        columns.append(Column("active_counted", _("Active counted"), "count"))
    if groups:
        columns.append(Column("points", _("Points"), "points"))
    else:
        columns.append(Column("potential", _("Potential"), "count"))
        columns.append(Column("coverage_percent", _("Coverage"), "percent"))
    if any(row.regencies_total > 1 for row in rows):
        columns.append(Column("counted", _("Counted"), "text"))
    return tuple(columns)


def _coverage_notes(
    rows: list[CoverageRow], on: date, position: int, category: str | None
) -> list[str]:
    notes = [_("On {on}, as known at #{position}.").format(on=on, position=position)]
    if any(_is_of_those_counted(row) for row in rows):
        notes.append(_counted_note(rows))
    if any(row.own_potential and row.regencies_total > 1 for row in rows):
        notes.append(
            _("Where an area's own recorded potential is used, coverage is of all Active.")
        )
    said = {
        (row.potential_definition, row.potential_source)
        for row in rows
        if row.potential is not None
    }
    (definition, source), *others = said or {(None, None)}
    if definition is not None and source is not None and not others:
        notes.append(
            _("Potential: {definition} ({source}).").format(definition=definition, source=source)
        )
    if any(row.active is not None and row.active < 0 for row in rows):
        notes.append(
            _(
                "Not attributed, below 0: so many left without naming the batch that brought them"
                " in; which of the others they are of is not known."
            )
        )
    if _is_above_whole(rows):
        notes.append(_ABOVE_WHOLE)
    if without := [row.area_name for row in rows if _lacks_potential(row)]:
        notes.append(_no_potential_note(list(dict.fromkeys(without))))
    notes += [
        _("{area} ({code}) is newer than that day: what is its own was counted elsewhere.").format(
            area=row.area_name, code=row.area
        )
        for row in rows
        if row.regencies_total == 0
    ]
    if all(row.active is None for row in rows):
        of = _(" of {category}").format(category=category) if category else ""
        notes.append(_("No batch{of} is recorded there up to that day.").format(of=of))
    return notes


def _is_above_whole(rows: list[CoverageRow]) -> bool:
    """Whether an area has more covered than there are, in one row or in its groups together."""
    points: dict[str, Fraction] = {}
    for row in rows:
        points[row.key] = points.get(row.key, Fraction(0)) + (row.points or row.coverage or 0)
    return any(whole > WHOLE_PERCENT for whole in points.values())


def _lacks_potential(row: CoverageRow) -> bool:
    """Whether a regency has heads, and nothing to divide them by."""
    return (
        row.regencies_total == 1
        and row.active is not None
        and row.coverage is None
        and row.points is None
    )


def _no_potential_note(names: list[str]) -> str:
    named = joined(", ", names[:NAMED_MAX])
    if len(names) > NAMED_MAX:
        named += _(" and {more} more").format(more=len(names) - NAMED_MAX)
    return _("No labour potential is in force there on that day: {areas}.").format(areas=named)


def _counted_note(rows: list[CoverageRow]) -> str:
    """Return how to work a starred row out by hand."""
    shown = any(_counts_differ(row) for row in rows)
    grouped = any(row.category or row.segment or row.funding for row in rows)
    what = _("Points are") if grouped else _("Coverage and potential are")
    of = _("Active counted is of them, Active of all.") if shown else _("Active is of all.")
    return _(
        "* {what} of the regencies counted: those with both an active count and a potential. {of}"
    ).format(what=what, of=of)


_TIMELINE = (
    Column("area", _("Code"), "code"),
    Column("area_name", _("Area"), "text"),
    Column("category", _("Category"), "code"),
    Column("on", _("On"), "date"),
    Column("known_position", _("Known at"), "number"),
    Column("workers_in", _("In"), "count"),
    Column("workers_out", _("Out"), "count"),
    Column("reconciled", _("Reconciled"), "count"),
    Column("active", _("Active"), "count"),
    Column("potential", _("Potential"), "count", spare=True),
    Column("coverage_percent", _("Coverage"), "percent"),
    Column("points", _("Points"), "points"),
    Column("regencies_counted", _("Counted"), "count"),
    Column("regencies_total", _("Regencies"), "count"),
    Column("complete", _("Complete"), "flag"),
    Column("active_counted", _("Active counted"), "count"),
    Column("boundaries", _("Boundaries"), "code"),
)
_FLOWS = frozenset({"workers_in", "workers_out", "reconciled"})
_BY_CATEGORY = _FLOWS | {"on", "category", "active", "points"}
_WHOLE = _FLOWS | {"on", "active", "potential", "coverage_percent"}


@click.command("timeline")
@click.argument("area", type=AREA)
@click.option(
    "--from", "since", type=POINT, metavar="DATE", help="Begin with the state on this day."
)
@click.option(
    "--to", "until", type=POINT, metavar="DATE", help="Up to this day; a month is its last. [today]"
)
@known_option
@click.option(
    "--by", type=click.Choice(("category",)), help="A row for each category that changed."
)
@boundaries_option
@uses_store
@listing_options
def timeline_command(
    settings: Settings,
    area: str,
    since: date | None,
    until: date | None,
    known: str | None,
    by: str | None,
    boundaries: str,
    format: str | None,
    output: Path | None,
) -> None:
    """How an area's coverage went, day by day of change.

    One row per day on which heads came or went, or the potential changed, from the first of them
    (or the state at --from) to today (or --to: later days are what ends by itself). Terms that end
    are among those who left; what a correction settled is in neither column. Balancing entries, of
    which nobody is known to have come or gone, stand apart as Reconciled.

    \b
    Examples:
      ucj timeline 16.06
      ucj timeline 16 --from 2025-01 --to 2025-12 --format csv
      ucj timeline "Musi Banyuasin" --by category --known 2025-08-31
    """
    from projections.timeline import timeline

    last = until or today()
    if since is not None and since > last:
        raise click.UsageError(
            _("--from {since} is after --to {last}.").format(since=since, last=last)
        )
    with settings.workspace() as workspace:
        position = workspace.known(known)
        rows = workspace.ask(
            lambda ledger: [
                {**_timeline_row(row), "boundaries": boundaries}
                for row in timeline(
                    ledger,
                    area,
                    since=since,
                    until=last,
                    known=position,
                    by_category=by is not None,
                    as_of=drawn_as_of(boundaries, last),
                )
            ],
            known=position,
        )
    listing = Listing(
        name="timeline",
        columns=_timeline_columns(rows, people=for_people(format, output), by=by),
        rows=rows,
        notes=[
            *_timeline_notes(rows, area, last, position),
            *boundaries_notes(boundaries),
        ],
    )
    write_listing(listing, format=format, output=output)


def _timeline_row(row: TimelineRow) -> dict[str, object]:
    return {
        "area": row.area,
        "area_name": row.area_name,
        "category": row.category,
        "on": row.on,
        "known_position": row.known_position,
        "workers_in": row.workers_in,
        "workers_out": row.workers_out,
        "reconciled": row.reconciled,
        "active": row.active,
        "potential": row.potential,
        "coverage_percent": row.coverage,
        "points": row.points,
        "regencies_counted": row.regencies_counted,
        "regencies_total": row.regencies_total,
        "complete": row.complete,
        "active_counted": row.active_counted,
        "counted": _("{mark}{counted} of {total}").format(
            mark="" if row.complete else "* ",
            counted=row.regencies_counted,
            total=row.regencies_total,
        ),
    }


def _timeline_columns(
    rows: list[dict[str, object]], *, people: bool, by: str | None
) -> tuple[Column, ...]:
    if not people:
        return _TIMELINE
    wanted = _WHOLE if by is None else _BY_CATEGORY
    if not any(row["reconciled"] for row in rows):
        wanted -= {"reconciled"}
    columns = [column for column in _TIMELINE if column.key in wanted]
    if any(row["active_counted"] not in {None, row["active"]} for row in rows):
        after_active = [column.key for column in columns].index("active") + 1
        columns.insert(
            after_active, Column("active_counted", _("Active counted"), "count", spare=True)
        )
    if any(row["regencies_total"] != 1 for row in rows):
        columns.append(Column("counted", _("Regencies"), "text"))
    return tuple(sorted(columns, key=lambda column: column.key != "on"))


def _timeline_notes(
    rows: list[dict[str, object]], area: str, until: date, position: int
) -> list[str]:
    from projections.coverage import shown_name

    last = rows[-1] if rows else {"area": area, "area_name": shown_name(area)}
    notes = [
        _("{area} ({code}) up to {until}, as known at #{position}.").format(
            area=last["area_name"], code=last["area"], until=until, position=position
        )
    ]
    coverages = [row["coverage_percent"] for row in rows]
    if any(isinstance(each, Fraction) and each > WHOLE_PERCENT for each in coverages):
        notes.append(_ABOVE_WHOLE)
    if any(row["regencies_total"] != 1 and not row["complete"] for row in rows):
        what = (
            _("Points are")
            if any(row["category"] for row in rows)
            else _("Coverage and potential are")
        )
        notes.append(
            (
                _(
                    "* {what} of the regencies counted: those with both an active count and a"
                    " potential. Active counted is of them, Active of all."
                )
                if any(row["active_counted"] not in {None, row["active"]} for row in rows)
                else _(
                    "* {what} of the regencies counted: those with both an active count and a potential."
                    " Active is of all."
                )
            ).format(what=what)
        )
    notes += _counted_as_one(rows)
    if _changes_by_itself(rows):
        notes.append(
            _("Regencies came under it or left it: that changes Active without In or Out.")
        )
    if all(row["active"] is None for row in rows):
        notes.append(_("No batch is recorded there up to that day."))
    return notes


def _is_divided(before: dict[str, object], after: dict[str, object]) -> bool:
    """Whether one row is of several regencies counted as one, and the next of one of them."""
    return "+" in str(before["area"]) and before["area"] != after["area"]


def _counted_as_one(rows: list[dict[str, object]]) -> Iterator[str]:
    """Say until when an area is counted together with what it was split from, or was split from it."""
    for before, after in pairwise(rows):
        if _is_divided(before, after):
            yield _("Before {day} the parts of the split count as one: {area} ({code}).").format(
                day=after["on"], area=before["area_name"], code=before["area"]
            )


def _changes_by_itself(rows: list[dict[str, object]]) -> bool:
    """Whether heads came or went with their regency: Active changed by other than its In and Out."""
    active: dict[object, int] = {}
    before: dict[str, object] | None = None
    for row in rows:
        if before is not None and _is_divided(before, row):  # that is told by itself
            active.clear()
        before = row
        now, came, left, balanced = (
            cast("int", row[key] or 0)
            for key in ("active", "workers_in", "workers_out", "reconciled")
        )
        last = active.get(row["category"])
        if last is not None and now != last + came - left + balanced:
            return True
        active[row["category"]] = now
    return False


@click.command("sql")
@click.argument("statement", metavar="STATEMENT")
@known_option
@uses_store
@listing_options
def sql_command(
    settings: Settings,
    statement: str,
    known: str | None,
    format: str | None,
    output: Path | None,
) -> None:
    """Ask the ledger's views in SQL, read-only.

    One SELECT in DuckDB's SQL over entries, events, potentials, targets, figures, taken_back,
    closings, overrides, imports, area_changes, categories (all of them), areas and area_days (the
    province of an area from day to day), as known at --known. Nothing is written, and no file or
    other database can be reached. `SHOW TABLES` and `DESCRIBE entries` say what there is.

    \b
    Examples:
      ucj sql "SELECT category, sum(workers) FROM entries WHERE area = '16.06' GROUP BY ALL"
      ucj sql "DESCRIBE entries"
      ucj sql "SELECT * FROM events WHERE recorded_by = 'siti'" --output events.parquet
    """
    from projections.statements import StatementAnswer, answer_statement

    # A whole number may be a year or a position: it is printed without marks of thousands.
    whole: Kind = "count" if choose(format, output) == "parquet" else "number"

    def write(answer: StatementAnswer) -> None:
        columns = tuple(
            Column(each.name, each.name, whole if each.kind == "count" else each.kind)
            for each in answer.fields
        )
        note = ngettext(
            "{count:,} row, as known at #{position}.",
            "{count:,} rows, as known at #{position}.",
            answer.count,
        ).format(count=answer.count, position=position)
        listing = Listing("sql", columns, answer.rows, notes=[note])
        write_listing(listing, format=format, output=output)

    with settings.workspace() as workspace:
        position = workspace.known(known)
        workspace.ask(
            lambda ledger: answer_statement(ledger, statement, known=position, take=write),
            known=position,
        )
