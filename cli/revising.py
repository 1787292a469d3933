"""What auditors ask of the past as it was known: how figures were revised, and by which batches."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.options import (
    AREA,
    POINT,
    Settings,
    boundaries_notes,
    boundaries_option,
    drawn_as_of,
    known_option,
    today,
    uses_store,
)
from cli.output import (
    Column,
    Kind,
    Listing,
    Row,
    for_people,
    listing_options,
    percent,
    points,
    rounded,
    write_document,
)
from cli.tables import GAP, display_width
from cli.terminal import width_of
from cli.values import shown
from registry.language import _, formatted, joined, ngettext, said, whole
from registry.safe_text import safe

if TYPE_CHECKING:
    from fractions import Fraction

    from projections.closings import Overridden
    from projections.revisions import Metrics, Reference, Release, Revisions
    from projections.vintages import AreaEffect, BatchEffect, PotentialEffect, Vintage

METRIC_PLACES: Final = 2  # of means of workers
BATCHES_SHOWN: Final = 3
LATE_SHOWN: Final = 10

SHAPES: Final = ("long", "vertical", "horizontal")
VALUES: Final[dict[str, tuple[str, Kind]]] = {
    "active": ("active", "count"),
    "coverage": ("coverage_percent", "percent"),
}

_RELEASES: Final = (
    Column("on", _("Date"), "date"),
    Column("release", _("Release"), "count"),
    Column("known_on", _("Known on"), "date"),
    Column("vintage_on", _("Vintage"), "date"),
    Column("known_position", _("Known at"), "number"),
    Column("recorded_at", _("Recorded at"), "instant"),
    Column("recorded_by", _("By"), "text"),
    Column("active", _("Active"), "count"),
    Column("potential", _("Potential"), "count"),
    Column("coverage_percent", _("Coverage"), "percent"),
    Column("regencies_counted", _("Counted"), "count"),
    Column("revision", _("Revision"), "count"),
    Column("revision_points", _("Points"), "points"),
    Column("batches", _("Batches"), "json"),
    Column("batches_total", _("Batches in all"), "count"),
    Column("potentials", _("Potentials"), "json"),
    Column("areas", _("Areas"), "json"),
)
_ON_FOR_PEOPLE: Final = (
    Column("release", "#", "count"),
    Column("known_on", _("Known on"), "date"),
    Column("known_at", _("Known at"), "text"),
    Column("active", _("Active"), "count"),
    Column("revision", _("Revision"), "count"),
    Column("coverage_percent", _("Coverage"), "percent"),
    Column("because", _("Because"), "text"),
)
_LONG_FOR_PEOPLE: Final = (
    Column("on", _("Date"), "date"),
    Column("vintage", _("Vintage"), "text"),
    Column("active", _("Active"), "count"),
    Column("revision", _("Revision"), "count"),
    Column("coverage_percent", _("Coverage"), "percent"),
    Column("because", _("Because"), "text"),
)


@click.command("revisions")
@click.argument("area", type=AREA)
@click.option("--on", type=POINT, metavar="DATE", help="Every release of the figure of this day.")
@click.option("--triangle", is_flag=True, help="The figures of month ends, as known at vintages.")
@click.option(
    "--vintage",
    type=click.Choice(("recorded", "documented")),
    default="recorded",
    help="Known by when it was recorded, or by the date claimed on its document. [recorded]",
)
@click.option(
    "--at",
    "positions",
    metavar="K",
    multiple=True,
    help="With --triangle: a vintage as known then, instead of the month ends; may be repeated.",
)
@click.option(
    "--from", "since", type=POINT, metavar="DATE", help="With --triangle: the first month. [all]"
)
@click.option(
    "--to", "until", type=POINT, metavar="DATE", help="With --triangle: the last month. [today]"
)
@click.option(
    "--value",
    type=click.Choice(tuple(VALUES)),
    default="active",
    help="The figure in the cells of a triangle, and of the metrics in words. [active]",
)
@click.option(
    "--shape",
    type=click.Choice(SHAPES),
    help="Of a triangle: a row for each cell, for each date, or for each vintage."
    " [vertical for people, long for programs]",
)
@known_option
@boundaries_option
@uses_store
@listing_options
def revisions_command(
    settings: Settings,
    area: str,
    on: date | None,
    triangle: bool,  # noqa: FBT001
    vintage: str,
    positions: tuple[str, ...],
    since: date | None,
    until: date | None,
    value: str,
    shape: str | None,
    known: str | None,
    boundaries: str,
    format: str | None,
    output: Path | None,
) -> None:
    r"""How a figure was revised after it was first known, and by which batches.

    With --on: what was known of that day at its end, and each change since, with the batches that
    caused it. With --triangle: month ends (rows) as known at the month ends of recording (columns)
    and now; a figure is first released on its own day. Changes of closed days are listed as late,
    and what was reopened beside them.
    JSON has every release of either, and the metrics: mean, mean absolute and relative mean
    absolute revision, range, days to final.

    \b
    Examples:
      ucj revisions 16.06 --on 2025-07
      ucj revisions 16.06 --triangle --from 2025-01 --value coverage
      ucj revisions 16 --triangle --vintage documented --shape long --format csv
      ucj revisions 16.06 --triangle --at @120 --at 2025-06-30
    """
    _check(on, positions, since, until, shape, known, vintage, triangle=triangle)
    documented = vintage == "documented"
    last = until or today()
    if since is not None and since > last:
        raise click.UsageError(
            _("--from {since} is after --to {last}.").format(since=since, last=last)
        )
    from projections.revisions import revision_triangle, revisions_on

    with settings.workspace() as workspace:
        position = workspace.known(known)
        given = [workspace.known(each) for each in positions]
        if on is not None:
            found = workspace.ask(
                lambda ledger: revisions_on(
                    ledger,
                    area,
                    on,
                    documented=documented,
                    known=position,
                    as_of=drawn_as_of(boundaries, on),
                ),
                known=position,
            )
        else:
            found = workspace.ask(
                lambda ledger: revision_triangle(
                    ledger,
                    area,
                    since=since,
                    until=last,
                    documented=documented,
                    positions=given,
                    known=position,
                    as_of=drawn_as_of(boundaries, last),
                ),
                known=position,
            )
    people = for_people(format, output)
    if on is not None:
        listing = releases_listing(found, on, value=value, people=people)
    else:
        asked = shape or ("vertical" if people else "long")
        width = width_of(sys.stdout) if output in {None, Path("-")} else None
        listing = _triangle_listing(found, asked, value, people=people, width=width)
        notes = [*_notes(found, None, last, value), *_closed_notes(found), *listing.notes]
        listing = replace(listing, notes=notes if people else notes[:1])
    if people:
        listing = replace(listing, notes=[*listing.notes, *boundaries_notes(boundaries)])
    document = _document(found, on) | {"boundaries": boundaries}
    write_document(document, listing, format=format, output=output)


def _check(
    on: date | None,
    positions: tuple[str, ...],
    since: date | None,
    until: date | None,
    shape: str | None,
    known: str | None,
    vintage: str,
    *,
    triangle: bool,
) -> None:
    """Refuse what does not go together."""
    if (on is None) != triangle:
        raise click.UsageError(_("Give --on DATE for one day, or --triangle for all month ends."))
    if on is not None and on > today():
        raise click.UsageError(
            _("--on {on} is still to come: nothing of it can have been revised.").format(on=on)
        )
    only_of_triangle = {"--at": positions, "--from": since, "--to": until, "--shape": shape}
    for option, given in only_of_triangle.items():
        if given and not triangle:
            raise click.UsageError(_("{option} goes with --triangle.").format(option=option))
    if positions and (known is not None or vintage == "documented"):
        raise click.UsageError(_("--at says what is known: leave --known and --vintage out."))


# --- for programs -----------------------------------------------------------------------------------


def _document(found: Revisions, on: date | None) -> dict[str, Any]:
    return {
        "area": found.area,
        "area_name": found.area_name,
        "on": on,
        "known_position": found.known_position,
        "vintage": found.vintage,
        "compared": found.compared,
        "metrics": {
            "workers": _metrics(found.workers, METRIC_PLACES),
            "points": _metrics(found.points, None),
        },
        "vintages": [
            {"vintage_on": each.day, "known_position": each.position} for each in found.vintages
        ],
        "references": [_reference(each) for each in found.references],
        "releases": [
            _release(each)
            | {
                "coverage_percent": percent(each.figure.coverage),
                "revision_points": points(each.revision_points),
            }
            for each in found.releases
        ],
        "late": [asdict(each) for each in found.late],
        "reopened": [asdict(each) for each in found.reopened],
    }


def _metrics(metrics: Metrics | None, places: int | None) -> dict[str, Any] | None:
    """Return the metrics rounded: of workers to so many decimals, of points to theirs."""
    if metrics is None:
        return None

    def written(value: object) -> object:
        return points(value) if places is None else rounded(value, places)

    return {
        "observations": metrics.observations,
        "mean_revision": written(metrics.mean),
        "mean_absolute_revision": written(metrics.mean_absolute),
        "relative_mean_absolute_revision": points(metrics.relative_mean_absolute),
        "minimum": written(metrics.minimum),
        "maximum": written(metrics.maximum),
        "range": written(metrics.range),
    }


def _reference(reference: Reference) -> dict[str, Any]:
    first, latest = reference.first, reference.latest
    return {
        "on": reference.on,
        "releases": reference.releases,
        "first_known_on": first.known_on,
        "first_position": first.vintage.position,
        "first_active": first.figure.active,
        "first_coverage_percent": percent(first.figure.coverage),
        "latest_known_on": latest.known_on,
        "latest_position": latest.vintage.position,
        "latest_active": latest.figure.active,
        "latest_coverage_percent": percent(latest.figure.coverage),
        "revision": reference.revision,
        "revision_points": points(reference.revision_points),
        "days_to_first": reference.days_to_first,
        "days_to_final": reference.days_to_final,
    }


def _release(release: Release) -> dict[str, Any]:
    figure, vintage = release.figure, release.vintage
    return {
        "on": release.on,
        "release": release.number,
        "known_on": release.known_on,
        "vintage_on": vintage.day,
        "known_position": vintage.position,
        "recorded_at": vintage.recorded_at,
        "recorded_by": vintage.recorded_by,
        "active": figure.active,
        "potential": figure.potential,
        "coverage_percent": figure.coverage,
        "regencies_counted": figure.regencies_counted,
        "revision": release.revision,
        "revision_points": release.revision_points,
        "batches": [asdict(each) for each in release.batches],
        "batches_total": release.batches_total,
        "potentials": [asdict(each) for each in release.potentials],
        "areas": [asdict(each) for each in release.areas],
    }


# --- rows and columns ---------------------------------------------------------------------------------


def releases_listing(found: Revisions, on: date, *, value: str = "active", people: bool) -> Listing:
    """Return a row for each release of a day's figure; for people with what is said below them."""
    notes = [*_notes(found, on, on, value), *_closed_notes(found)]
    if not people:
        rows = [_release(each) for each in found.releases]
        return Listing("revisions", _RELEASES, rows, notes=notes[:1])
    columns = tuple(
        column
        for column in _ON_FOR_PEOPLE
        if column.key != "known_at" or found.vintage != "documented"
    )
    rows = [_in_words(each, found) for each in found.releases]
    return Listing("revisions", columns, rows, notes=notes)


def _triangle_listing(
    found: Revisions, shape: str, value: str, *, people: bool, width: int | None
) -> Listing:
    """Return the triangle in a shape; for people without what their terminal has no room for."""
    if shape == "long" and not people:
        return Listing("revisions", _RELEASES, [_release(each) for each in found.releases])
    if shape == "long":
        rows = [_in_words(each, found) for each in found.releases]
        return Listing("revisions", _LONG_FOR_PEOPLE, rows)
    key, kind = VALUES[value]
    matrix = (
        _vertical(found, key, kind)
        if shape == "vertical"
        else _horizontal(found, key, kind, people=people)
    )
    if not people:
        return Listing("revisions", *matrix)
    return _fitted(*matrix, _NO_ROOM[shape], width)


_NO_ROOM = {
    "vertical": _("{count} earlier vintages do not fit; --shape long, or a file, has all."),
    "horizontal": _("{count} earlier dates do not fit; --shape long, or a file, has all."),
}
Matrix = tuple[tuple[Column, ...], list[dict[str, object]]]


def _vertical(found: Revisions, key: str, kind: Kind) -> Matrix:
    """Return a row for each reference date and a column for each vintage."""
    names = [_key(each, found) for each in found.vintages]
    columns = (
        Column("on", _("Date"), "date"),
        *(
            Column(name, _title(each, found), kind)
            for name, each in zip(names, found.vintages, strict=True)
        ),
    )
    rows: dict[date, dict[str, object]] = {}
    for release in found.releases:
        row = rows.setdefault(release.on, {"on": release.on} | dict.fromkeys(names))
        row[_key(release.vintage, found)] = _release(release)[key]
    return columns, list(rows.values())


def _horizontal(found: Revisions, key: str, kind: Kind, *, people: bool) -> Matrix:
    """Return a row for each vintage and a column for each reference date."""
    days = [each.on for each in found.references]
    columns = (
        Column("vintage", _("Vintage"), "code"),
        *(Column(str(day), formatted(day, "%Y-%m"), kind) for day in days),
    )
    rows: dict[Vintage, dict[str, object]] = {
        each: {"vintage": (_title if people else _key)(each, found)}
        | {str(day): None for day in days}
        for each in found.vintages
    }
    for release in found.releases:
        rows[release.vintage][str(release.on)] = _release(release)[key]
    return columns, list(rows.values())


def _key(vintage: Vintage, found: Revisions) -> str:
    """Return what a vintage is called by programs: its day, or its position where it was given."""
    return f"#{vintage.position}" if found.vintage == "position" else str(vintage.day)


def _title(vintage: Vintage, found: Revisions) -> str:
    """Return what a vintage is called by people: its month; the last by its day, as it may go on."""
    if found.vintage == "position":
        return f"#{vintage.position}"
    is_last = vintage is found.vintages[-1]
    return formatted(vintage.day, "%Y-%m-%d" if is_last else "%Y-%m")


def _fitted(
    columns: Sequence[Column], rows: Sequence[Row], what: str, width: int | None
) -> Listing:
    """Leave out the earliest columns that there is no room for, and say so."""
    if width is None:
        return Listing("revisions", tuple(columns), rows)
    widths = [
        max(
            display_width(said(each.title)),
            *(display_width(shown(r[each.key], each.kind)) for r in rows),
        )
        if rows
        else display_width(said(each.title))
        for each in columns
    ]
    kept = len(columns) - 1
    while kept > 1 and widths[0] + sum(len(GAP) + each for each in widths[-kept:]) > width:
        kept -= 1
    left_out = len(columns) - 1 - kept
    notes = [what.format(count=left_out)]
    shown_columns = (columns[0], *columns[len(columns) - kept :]) if kept else tuple(columns)
    return Listing("revisions", shown_columns, rows, notes=notes if left_out else ())


def _in_words(release: Release, found: Revisions) -> dict[str, object]:
    """Return a release for people: its vintage and its causes in words."""
    return _release(release) | {
        "vintage": _title(release.vintage, found),
        "known_at": f"#{release.vintage.position}",
        "because": joined("; ", _causes(release)),
    }


def _causes(release: Release) -> Iterator[str]:
    areas = [each for each in release.areas[:BATCHES_SHOWN] if each.workers] or release.areas[:1]
    yield from map(_area, areas)
    if (more := len(release.areas) - len(areas)) > 0:
        yield _("and {more:,} more regencies").format(more=more)
    for batch in release.batches[:BATCHES_SHOWN]:
        yield _batch(batch)
    if (more := release.batches_total - BATCHES_SHOWN) > 0:
        yield _("and {more:,} more").format(more=more)
    for potential in release.potentials[:BATCHES_SHOWN]:
        yield _potential(potential)


def _batch(batch: BatchEffect) -> str:
    part = _(" part {part}").format(part=safe(batch.part)) if batch.part else ""
    return joined("", (safe(batch.reference), part, " ", whole(batch.workers, "+,")))


def _area(effect: AreaEffect) -> str:
    said = (
        _("{area} came in {workers:+,} (#{position})")
        if effect.change == "came-in"
        else _("{area} left {workers:+,} (#{position})")
    )
    return said.format(area=effect.area, workers=effect.workers, position=effect.position)


def _potential(effect: PotentialEffect) -> str:
    before, after = (
        _("none") if each is None else whole(each) for each in (effect.before, effect.after)
    )
    return _("potential of {area} {before} → {after}").format(
        area=effect.area, before=before, after=after
    )


# --- words under a table ------------------------------------------------------------------------------


def _notes(found: Revisions, on: date | None, until: date, value: str) -> Iterator[str]:
    where = f"{found.area_name} ({found.area})"
    asked = (
        _("on {on}").format(on=on) if on else _("at month ends up to {until}").format(until=until)
    )
    yield _("{where} {asked}, as known at #{position}.").format(
        where=where, asked=asked, position=found.known_position
    )
    if not found.releases:
        yield _("No batch is recorded there up to that day.")
        return
    if found.vintage == "documented":
        yield (
            _(
                "By the dates claimed on documents; what claims none counts from the day it was"
                " recorded."
            )
        )
    if on is not None:
        yield _course(found.references[0])
    metrics = found.workers if value == "active" else found.points
    if metrics is None:
        if all(each.releases == 1 for each in found.references):
            yield (
                _("Nothing was revised yet: no date has two releases.")
                if on is None
                else (_("It was never revised."))
            )
        return
    what = _("each release with the one before") if on else _("the latest release with the first")
    times = ngettext("once", "{count} times", metrics.observations).format(
        count=metrics.observations
    )
    yield _("Comparing {what}, {times}: {metrics}.").format(
        what=what, times=times, metrics=_metrics_in_words(metrics, value)
    )


def _closed_notes(found: Revisions) -> Iterator[str]:
    """Yield what became of closed days: what two persons changed, and what one opened again."""
    yield from _late_notes(found)
    yield from _reopening_notes(found)


def _late_notes(found: Revisions) -> Iterator[str]:
    """Yield what was changed on closed days: why, and which two persons wanted it."""
    for each in found.late[-LATE_SHOWN:]:
        yield (
            _(
                "Late: #{position} changed {what} on {days}, because"
                " {because} ({recorded_by}, seconded by"
                " {seconded_by})."
            ).format(
                position=each.position,
                what=_changed(each),
                days=_closed_days(each.first_on, each.last_on),
                because=safe(each.because),
                recorded_by=safe(each.recorded_by),
                seconded_by=safe(each.seconded_by),
            )
        )
    if (more := len(found.late) - LATE_SHOWN) > 0:
        yield _("{more:,} earlier changes of closed days are in --format json.").format(more=more)


def _reopening_notes(found: Revisions) -> Iterator[str]:
    """Yield which closed days one person opened again, so that they could be changed unmarked."""
    for each in found.reopened[-LATE_SHOWN:]:
        yield (
            _(
                "Reopened: #{position} opened {days} of {area} again, because {because}"
                " ({recorded_by}, {recorded_at:%Y-%m-%d %H:%M}Z)."
            ).format(
                position=each.position,
                days=_closed_days(each.first_on, each.last_on),
                area=each.area,
                because=safe(each.because),
                recorded_by=safe(each.recorded_by),
                recorded_at=each.recorded_at,
            )
        )
    if (more := len(found.reopened) - LATE_SHOWN) > 0:
        yield _("{more:,} earlier reopenings are in --format json.").format(more=more)


def _changed(late: Overridden) -> str:
    """Return what was changed of a regency, and by how many where it is a number."""
    if late.what in _NO_NUMBER:
        return _NO_NUMBER[late.what].format(area=late.area)
    by = whole(late.lowest, "+,")
    if late.lowest != late.highest:
        by += _(" to {highest:+,}").format(highest=late.highest)
    if late.category is None:
        return _("the potential of {area} by {by}").format(area=late.area, by=by)
    return _("{category} of {area} by {by}").format(category=late.category, area=late.area, by=by)


_NO_NUMBER: Final[dict[str, str]] = {
    "definition": _("what the potential of {area} counts"),
    "boundaries": _("the boundaries of {area}"),
}


def _closed_days(first: date, last: date) -> str:
    if first == last:
        return formatted(first)
    return _("closed days from {first} to {last}").format(first=formatted(first), last=last)


def _course(reference: Reference) -> str:
    """Return what became of a date's figure."""
    first, latest = reference.first.figure, reference.latest.figure
    if reference.releases == 1:
        return _("First known {days} after the day.").format(days=_days(reference.days_to_first))
    if latest.active is None:
        return _(
            "First {first:,}, known {known} after the day; since {final} after it there is no figure:"
            " the regencies that had heads are known to lie elsewhere."
        ).format(
            first=first.active,
            known=_days(reference.days_to_first),
            final=_days(reference.days_to_final),
        )
    return _(
        "First {first:,}, latest {latest:,}: {revision:+,} workers;"
        " first known {known} after the day, final (so far)"
        " {final} after."
    ).format(
        first=first.active,
        latest=latest.active,
        revision=reference.revision,
        known=_days(reference.days_to_first),
        final=_days(reference.days_to_final),
    )


def _metrics_in_words(metrics: Metrics, value: str) -> str:
    unit = _("workers") if value == "active" else _("points")
    relative = metrics.relative_mean_absolute
    share = (
        ""
        if relative is None
        else _(" ({share} of the figures)").format(share=_percent(100 * relative))
    )
    lowest, highest = (
        formatted(int(each) if value == "active" else rounded(each, METRIC_PLACES), "+,")
        for each in (metrics.minimum, metrics.maximum)
    )
    return _(
        "mean revision {mean:+,} {unit},"
        " mean absolute {mean_absolute:,}{share},"
        " from {lowest} to {highest}"
    ).format(
        mean=rounded(metrics.mean, METRIC_PLACES),
        unit=unit,
        mean_absolute=rounded(metrics.mean_absolute, METRIC_PLACES),
        share=share,
        lowest=lowest,
        highest=highest,
    )


def _percent(value: Fraction) -> str:
    return formatted(percent(value), ",") + " %"


def _days(days: int) -> str:
    return ngettext("one day", "{days:,} days", days).format(days=days)
