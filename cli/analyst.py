"""What analysts ask: coverage on a date, how it went, and SQL over the ledger's views."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import AREA, POINT, Settings, known_option, today, uses_store
from cli.output import Column, Listing, choose, listing_options, write_listing

if TYPE_CHECKING:
    from projections.coverage import CoverageRow

WHOLE_PERCENT = 100
GROUPINGS = ("area", "province", "category", "segment", "funding")

_COVERAGE = (
    Column("area", "Code", "code"),
    Column("area_name", "Area", "text"),
    Column("category", "Category", "text"),
    Column("segment", "Segment", "text"),
    Column("funding", "Funding", "text"),
    Column("on", "On", "date"),
    Column("known_position", "Known at", "count"),
    Column("active", "Active", "count"),
    Column("potential", "Potential", "count"),
    Column("coverage_percent", "Coverage", "percent"),
    Column("potential_valid_from", "Potential from", "date"),
    Column("potential_definition", "Definition", "text"),
    Column("potential_source", "Source", "text"),
    Column("regencies_total", "Regencies", "count"),
    Column("regencies_counted", "Counted", "count"),
    Column("complete", "Complete", "flag"),
    Column("points", "Points", "points"),
    Column("active_counted", "Active counted", "count"),
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
@click.option("--category", metavar="C", help="Only this category of workers.")
@click.option(
    "--own-potential",
    is_flag=True,
    help="Divide by the area's own recorded potential, whatever its regencies have.",
)
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
    format: str | None,
    output: Path | None,
) -> None:
    r"""Active workers and coverage on a date, as known at any time.

    AREA is a code (16.06, 16, ID) or a name; without one, the nation.

    \b
    Examples:
      ucj coverage 16.06 --on 2025-07
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
            ),
            known=position,
        )
    people = choose(format, output) in {"table", "md"}
    columns = _for_people(rows) if people else _COVERAGE
    listing = Listing(
        name="coverage",
        columns=columns,
        rows=[_coverage_row(row) for row in rows],
        notes=_coverage_notes(rows, day, position),
    )
    write_listing(listing, format=format, output=output)


def _coverage_row(row: CoverageRow) -> dict[str, object]:
    return {
        "area": row.area,
        "area_name": row.area_name,
        "category": row.category,
        "segment": row.segment,
        "funding": row.funding,
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
        "counted": None
        if row.regencies_total == 1
        else f"{'' if row.complete else '* '}{row.regencies_counted} of {row.regencies_total}"
        " regencies",
    }


def _for_people(rows: list[CoverageRow]) -> tuple[Column, ...]:
    """Return the columns worth showing: those that say something in some row."""
    groups = [
        Column(key, key.capitalize(), "text")
        for key in ("category", "segment", "funding")
        if any(getattr(row, key) is not None for row in rows)
    ]
    columns = [Column("area_name", "Area", "text"), Column("area", "Code", "code"), *groups]
    columns.append(Column("active", "Active", "count"))
    if groups:
        columns.append(Column("points", "Points", "points"))
    else:
        columns.append(Column("potential", "Potential", "count"))
        columns.append(Column("coverage_percent", "Coverage", "percent"))
    if any(row.regencies_total > 1 for row in rows):
        columns.append(Column("counted", "Counted", "text"))
    return tuple(columns)


def _coverage_notes(rows: list[CoverageRow], on: date, position: int) -> list[str]:
    notes = [f"On {on}, as known at #{position}."]
    if any(not row.complete and row.regencies_total > 1 for row in rows):
        notes.append(
            "* Coverage and potential are of the regencies counted: those with both an active count"
            " and a potential. Active is of all."
        )
    sources = {
        f"{row.potential_definition} ({row.potential_source})"
        for row in rows
        if row.potential_source
    }
    if len(sources) == 1:
        notes.append(f"Potential: {sources.pop()}.")
    if any(row.coverage is not None and row.coverage > WHOLE_PERCENT for row in rows):
        notes.append(
            "Warning: coverage above 100 %: check the potential, or batches counted twice."
        )
    if rows and all(row.active is None for row in rows):
        notes.append("Nothing is recorded there up to that day.")
    return notes
