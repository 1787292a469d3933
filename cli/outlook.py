"""What analysts ask of the days to come: what targets need, and what will lapse."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import islice
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
    Listing,
    for_people,
    listing_options,
    percent,
    points,
    rounded,
    write_document,
    write_listing,
)
from registry.language import _, decimal, formatted, joined, whole
from registry.safe_text import safe
from registry.terms import LAST_DAY, NATION, NOTE_LENGTH_MAX

if TYPE_CHECKING:
    from projections.forecast import Cliff, EndingCohort, Forecast, ForecastMonth
    from projections.targets import Target, TargetRow

PACE_PLACES: Final = 2
CLIFFS_SHOWN: Final = 5
BATCHES_NAMED: Final = 2
MONTHS_AHEAD: Final = 12

_TARGETS: Final = (
    Column("area", _("Code"), "code"),
    Column("area_name", _("Area"), "text"),
    Column("due_on", _("Due on"), "date"),
    Column("target_percent", _("Target"), "number"),
    Column("basis", _("Basis"), "text"),
    Column("source", _("Source"), "text"),
    Column("documented_on", _("Documented on"), "date"),
    Column("position", "#", "number"),
    Column("on", _("On"), "date"),
    Column("known_position", _("Known at"), "number"),
    Column("active", _("Active"), "count"),
    Column("active_counted", _("Active counted"), "count"),
    Column("potential", _("Potential"), "count"),
    Column("coverage_percent", _("Coverage"), "percent"),
    Column("regencies_counted", _("Counted"), "count"),
    Column("regencies_total", _("Regencies"), "count"),
    Column("needed", _("Needed"), "count"),
    Column("gap_points", _("Points"), "points"),
    Column("months_left", _("Months left"), "number"),
    Column("pace_needed", _("Needed a month"), "number"),
    Column("pace", _("Gained a month"), "number"),
    Column("pace_since", _("Gained since"), "date"),
    Column("course", _("Course"), "code"),
    Column("conflicts_with", _("Conflicts with"), "json"),
    Column("boundaries", _("Boundaries"), "code"),
)
_TARGETS_FOR_PEOPLE: Final = (
    Column("place", _("Area"), "text"),
    Column("aim", _("Target"), "text"),
    Column("coverage_percent", _("Coverage"), "percent"),
    Column("needed", _("Needed"), "count"),
    Column("gap_points", _("Points"), "points"),
    Column("whole_pace_needed", _("Needed /month"), "count"),
    Column("whole_pace", _("Gained /month"), "count"),
    Column("course", _("Course"), "code"),
)


@click.command("targets")
@click.argument("area", required=False, type=AREA)
@click.option("--on", type=POINT, metavar="DATE", help="On this day; a month is its last. [today]")
@known_option
@boundaries_option
@uses_store
@listing_options
def targets_command(
    settings: Settings,
    area: str | None,
    on: date | None,
    known: str | None,
    boundaries: str,
    format: str | None,
    output: Path | None,
) -> None:
    r"""What each coverage target still needs, and at what pace.

    The targets of AREA and of those below it (without one, all): workers needed (the target's
    share of the potential in force, rounded up, less those active), the points they are, how many
    that is a month until it is due, and how many were gained a month over the last twelve. Targets
    of one area and year that contradict each other stand side by side, marked.

    \b
    Examples:
      ucj targets
      ucj targets 16.06 --on 2025-07
      ucj targets 16 --known 2025-12-31 --format csv
    """
    from projections.targets import targets_at

    day = on or today()
    with settings.workspace() as workspace:
        position = workspace.known(known)
        found = workspace.ask(
            lambda ledger: targets_at(
                ledger, area or NATION, day, known=position, as_of=drawn_as_of(boundaries, day)
            ),
            known=position,
        )
    people = for_people(format, output)
    listing = targets_listing(found, day, position, people=people, boundaries=boundaries)
    write_listing(listing, format=format, output=output)


def targets_listing(
    found: Sequence[TargetRow],
    on: date,
    position: int,
    *,
    people: bool,
    boundaries: str = "then",
) -> Listing:
    """Return a row for each target; for people with what is said below them."""
    notes = [*_target_notes(found, on, position), *boundaries_notes(boundaries)]
    return Listing(
        name="targets",
        columns=_TARGETS_FOR_PEOPLE if people else _TARGETS,
        rows=[{**_target_row(each), "boundaries": boundaries} for each in found],
        notes=notes if people else notes[:1],
    )


def _target_row(row: TargetRow) -> dict[str, object]:
    target = row.target
    counted = _is_of_part(row.regencies_counted, row.regencies_total)
    mark = "! " if row.conflicts_with else ""
    return {
        "area": row.area,
        "area_name": row.area_name,
        "due_on": target.due_on,
        "target_percent": Decimal(target.percent),
        "basis": target.basis,
        "source": target.source,
        "documented_on": target.documented_on,
        "position": target.position,
        "on": row.on,
        "known_position": row.known_position,
        "active": row.active,
        "active_counted": row.active_counted,
        "potential": row.potential,
        "coverage_percent": row.coverage,
        "regencies_counted": row.regencies_counted,
        "regencies_total": row.regencies_total,
        "needed": row.needed,
        "gap_points": row.gap_points,
        "months_left": rounded(row.months_left, PACE_PLACES),
        "pace_needed": rounded(row.pace_needed, PACE_PLACES),
        "pace": rounded(row.pace, PACE_PLACES),
        "pace_since": row.pace_since,
        "course": _COURSES[row.course],
        "conflicts_with": list(row.conflicts_with),
        "place": f"{'* ' if counted else ''}{row.area_name}",
        "aim": _("{mark}{percent} % by {due_on}").format(
            mark=mark, percent=decimal(target.percent), due_on=target.due_on
        ),
        # rounded up: so many a month do reach it
        "whole_pace_needed": None if row.pace_needed is None else math.ceil(row.pace_needed),
        "whole_pace": _whole(row.pace),
    }


_COURSES: Final = {
    "reached": _("reached"),
    "on-course": _("on-course"),
    "behind": _("behind"),
    "overdue": _("overdue"),
    "unknown": _("unknown"),
}


def _whole(pace: Fraction | None) -> int | None:
    return None if pace is None else int(rounded(pace, 0) or 0)


def _is_of_part(counted: int, total: int) -> bool:
    """Whether a figure is of some of an area's regencies only."""
    return 0 < counted < total


def _target_notes(found: Sequence[TargetRow], on: date, position: int) -> Iterator[str]:
    yield _("On {on}, as known at #{position}.").format(on=on, position=position)
    if not found:
        yield _("No target is recorded there.")
        return
    yield (
        _(
            "Needed: workers short of the target's share of the potential in force. Gained: net, over the"
            " last twelve months, or since the first entry."
        )
    )
    if any(_is_of_part(row.regencies_counted, row.regencies_total) for row in found):
        yield (
            _(
                "* Of the regencies counted: those with both an active count and a potential;"
                " --format csv says how many."
            )
        )
    said: set[int] = set()
    for row in found:
        if row.conflicts_with and row.target.position not in said:
            group = [row, *(e for e in found if e.target.position in row.conflicts_with)]
            said.update(each.target.position for each in group)
            yield _conflict(group)


def _conflict(group: Sequence[TargetRow]) -> str:
    """Return what targets that contradict each other say, side by side."""
    listed = joined(
        "; ",
        (
            _("{percent} % by {due_on}, {basis} ({source}, #{position})").format(
                percent=decimal(each.target.percent),
                due_on=each.target.due_on,
                basis=safe(each.target.basis),
                source=safe(each.target.source),
                position=each.target.position,
            )
            for each in sorted(group, key=lambda each: each.target.position)
        ),
    )
    first = group[0]
    return _("! {area_name} has several targets for {year}: {listed}.").format(
        area_name=first.area_name, year=first.target.due_on.year, listed=listed
    )


# --- what will lapse ----------------------------------------------------------------------------------


class PercentType(click.ParamType[Any]):
    """A percentage in plain digits; after a comma one or two, so that no separator is guessed."""

    name = "percent"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """Return the percentage, exact."""
        match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6}|,[0-9]{1,2})?)\s*%?", str(value).strip())
        if match is None:
            self.fail(
                _("{value} is no percentage below 1,000; write it as {example}.").format(
                    value=value, example=decimal("52.15")
                ),
                param,
                ctx,
            )
        return Fraction(match[1].replace(",", "."))


_MONTHS: Final = (
    Column("on", _("On"), "date"),
    Column("ending", _("Ending"), "count"),
    Column("renewed", _("Renewed"), "count"),
    Column("other", _("Other"), "count"),
    Column("active", _("Active"), "count"),
    Column("potential", _("Potential"), "count"),
    Column("coverage_percent", _("Coverage"), "percent"),
    Column("regencies_counted", _("Counted"), "count"),
    Column("lapsed", _("Lapsed so far"), "count"),
    Column("needed", _("Needed"), "count"),
    Column("must_renew", _("To renew"), "count"),
)
_COHORTS: Final = (
    Column("covered_until", _("Covered until"), "date"),
    Column("area", _("Code"), "code"),
    Column("area_name", _("Area"), "text"),
    Column("reference", _("Batch"), "text"),
    Column("part", _("Part"), "text"),
    Column("category", _("Category"), "code"),
    Column("segment", _("Segment"), "code"),
    Column("funding", _("Funding"), "code"),
    Column("workers", _("Workers"), "count"),
    Column("renewed", _("Renewed"), "count"),
    Column("lapsing", _("Lapsing"), "count"),
)
_ALWAYS: Final = frozenset(
    {"on", "ending", "active", "coverage_percent", "covered_until", "reference", "category"}
    | {"lapsing"}
)
_NEVER: Final = frozenset(
    {"potential", "regencies_counted", "lapsed", "area_name", "part", "segment", "funding"}
)


@click.command("forecast")
@click.argument("area", type=AREA)
@click.option(
    "--until",
    type=POINT,
    metavar="DATE",
    help="Up to this day; a month is its last. [twelve months]",
)
@click.option("--on", type=POINT, metavar="DATE", help="From this day on. [today]")
@click.option(
    "--target",
    type=PercentType(),
    metavar="PERCENT",
    help="The coverage to hold (52.15). [the target in force for the area]",
)
@click.option(
    "--by",
    type=click.Choice(("month", "cohort")),
    default="month",
    help="A row for each month end, or for each cohort whose term ends, the largest fall first."
    " [month]",
)
@known_option
@boundaries_option
@uses_store
@listing_options
def forecast_command(
    settings: Settings,
    area: str,
    until: date | None,
    on: date | None,
    target: Fraction | None,
    by: str,
    known: str | None,
    boundaries: str,
    format: str | None,
    output: Path | None,
) -> None:
    r"""What will lapse, and what must be renewed to hold a target.

    Coverage at each month end if nothing more is recorded, the terms that end until then (less what
    is renewed already), and the days of the largest falls. With a target, how many of those who
    lapse must be renewed to hold it. JSON has months, falls and cohorts whichever is asked for.

    \b
    Examples:
      ucj forecast 16.06
      ucj forecast 16 --on 2025-07 --until 2026-12 --by cohort --format csv
      ucj forecast "Musi Banyuasin" --target 52.15 --known 2025-12-31
    """
    from projections.forecast import forecast

    first = on or today()
    last = until or twelve_months_after(first)
    if last <= first:
        raise click.UsageError(
            _(
                "--until {last} is not after {first}. Give a later day, or --on with one before it."
            ).format(last=last, first=first)
        )
    with settings.workspace() as workspace:
        position = workspace.known(known)
        found = workspace.ask(
            lambda ledger: forecast(
                ledger,
                area,
                first,
                last,
                known=position,
                target_percent=target,
                as_of=drawn_as_of(boundaries, last),
            ),
            known=position,
        )
    listing = forecast_listing(found, by, people=for_people(format, output), boundaries=boundaries)
    document = _forecast_document(found) | {"boundaries": boundaries}
    write_document(document, listing, format=format, output=output)


def twelve_months_after(first: date) -> date:
    """Return the twelfth month end after a day; the last that there is where days run out."""
    from projections.months import month_ends

    ahead = islice(month_ends(first + timedelta(days=1), LAST_DAY), MONTHS_AHEAD)
    return max(ahead, default=first)


def forecast_listing(
    found: Forecast, by: str, *, people: bool, boundaries: str = "then"
) -> Listing:
    """Return a row for each month or cohort; for people the columns that say something."""
    rows = [_cohort(e) for e in found.cohorts] if by == "cohort" else [*map(_month, found.months)]
    columns = _COHORTS if by == "cohort" else _MONTHS
    notes = [*_forecast_notes(found, by), *boundaries_notes(boundaries)]
    return Listing(
        name="forecast",
        columns=tuple(each for each in columns if _is_shown(each, rows)) if people else columns,
        rows=rows,
        notes=notes if people else notes[:1],
    )


def _is_shown(column: Column, rows: Sequence[dict[str, object]]) -> bool:
    """Whether a column says anything to people: always, or where some row has something in it."""
    if column.key in _ALWAYS:
        return True
    if column.key == "area":
        return len({row["area"] for row in rows}) > 1
    if column.key in {"needed", "must_renew"}:
        return any(row[column.key] is not None for row in rows)
    return column.key not in _NEVER and any(row[column.key] for row in rows)


def _month(month: ForecastMonth) -> dict[str, object]:
    return {
        "on": month.on,
        "ending": month.ending,
        "renewed": month.renewed,
        "other": month.other,
        "active": month.active,
        "potential": month.potential,
        "coverage_percent": month.coverage,
        "regencies_counted": month.regencies_counted,
        "lapsed": month.lapsed,
        "needed": month.needed,
        "must_renew": month.must_renew,
    }


def _cohort(cohort: EndingCohort) -> dict[str, object]:
    return asdict(cohort) | {"lapsing": cohort.lapsing}


def _cliff(cliff: Cliff) -> dict[str, object]:
    return {
        "on": cliff.on,
        "cohorts": cliff.cohorts,
        "workers": cliff.workers,
        "renewed": cliff.renewed,
        "lapsing": cliff.lapsing,
        "active": cliff.active,
        "coverage_percent": percent(cliff.coverage),
        "points": points(cliff.points),
    }


def _forecast_document(found: Forecast) -> dict[str, Any]:
    return {
        "area": found.area,
        "area_name": found.area_name,
        "on": found.on,
        "until": found.until,
        "known_position": found.known_position,
        "active": found.active,
        "potential": found.potential,
        "coverage_percent": percent(found.coverage),
        "regencies_counted": found.regencies_counted,
        "regencies_total": found.regencies_total,
        "target_percent": percent(found.target_percent),
        "target": _target(found.target, found.target_conflicts) if found.target else None,
        "months": [
            _month(each) | {"coverage_percent": percent(each.coverage)} for each in found.months
        ],
        "cliffs": [_cliff(each) for each in found.cliffs],
        "cohorts": [_cohort(each) for each in found.cohorts],
    }


def _target(target: Target, conflicts: Sequence[int]) -> dict[str, object]:
    return {
        "position": target.position,
        "due_on": target.due_on,
        "percent": Decimal(target.percent),
        "basis": target.basis,
        "source": target.source,
        "conflicts_with": list(conflicts),
    }


def _forecast_notes(found: Forecast, by: str) -> Iterator[str]:
    where = f"{found.area_name} ({found.area})"
    known = _("as known at #{position}").format(position=found.known_position)
    if found.active is None and not found.cohorts:
        yield _("{where} from {on} to {until}, {known}.").format(
            where=where, on=found.on, until=found.until, known=known
        )
        yield _("No batch is recorded there up to that day.")
        return
    covered = "" if found.coverage is None else ", " + _percent(found.coverage)
    yield (
        _(
            "{where} from {on} ({active:,} active{covered}) to {until}, {known},"
            " if nothing more is recorded."
        ).format(
            where=where,
            on=found.on,
            active=found.active or 0,
            covered=covered,
            until=found.until,
            known=known,
        )
    )
    if _is_of_part(found.regencies_counted, found.regencies_total):
        yield (
            _(
                "Coverage is of {counted} of {total} regencies: those"
                " with both an active count and a potential."
            ).format(counted=found.regencies_counted, total=found.regencies_total)
        )
    if found.target_percent is not None:
        yield _to_hold(found)
    if not found.cohorts:
        yield _("No term ends in that time.")
        return
    falls = [each for each in found.cliffs if each.lapsing]
    if by == "cohort" or not falls:
        return
    yield _("The largest falls:")
    for cliff in falls[:CLIFFS_SHOWN]:
        yield _fall(cliff, found.cohorts)
    if len(falls) > CLIFFS_SHOWN:
        yield _("and on {count} days more; --by cohort has all terms.").format(
            count=len(falls) - CLIFFS_SHOWN
        )


def _to_hold(found: Forecast) -> str:
    """Return what the last row's target asks for, and which target it is."""
    assert found.target_percent is not None
    aim = _percent(found.target_percent)
    if target := found.target:
        words = safe(target.basis, limit=NOTE_LENGTH_MAX)
        aim = _("{percent} % by {due_on} ({words}, #{position})").format(
            percent=decimal(target.percent),
            due_on=target.due_on,
            words=words,
            position=target.position,
        )
        if target_conflicts := found.target_conflicts:
            others = ", ".join(f"#{each}" for each in target_conflicts)
            aim += _(", which {others} of the same year contradicts; --target chooses").format(
                others=others
            )
    last = found.months[-1]
    if last.needed is None:
        return _("To hold {aim}: nothing can be said without a coverage.").format(aim=aim)
    if not last.needed:
        return _("To hold {aim}: nobody must be renewed by {on}.").format(aim=aim, on=last.on)
    short = _("To hold {aim}: on {on} {needed:,} workers are short").format(
        aim=aim, on=last.on, needed=last.needed
    )
    if not last.must_renew:
        return _("{short}, and nobody lapses until then who could be renewed.").format(short=short)
    new = last.needed - last.must_renew
    enrol = _(", and {new:,} others enrolled").format(new=new) if new else ""
    return _(
        "{short}. Of the {lapsed:,} who lapse until then {must_renew:,} must be renewed{enrol}."
    ).format(short=short, lapsed=last.lapsed, must_renew=last.must_renew, enrol=enrol)


def _percent(value: Fraction) -> str:
    return formatted(percent(value), ",") + " %"


def _fall(cliff: Cliff, cohorts: Sequence[EndingCohort]) -> str:
    """Return a day's fall and the batches whose heads it takes, the largest first."""
    lapsing: dict[str, int] = {}
    for each in cohorts:
        if (cliff.on - each.covered_until).days == 1 and each.lapsing:
            part = _(" part {part}").format(part=safe(each.part)) if each.part else ""
            batch = safe(each.reference) + part
            lapsing[batch] = lapsing.get(batch, 0) + each.lapsing
    largest = sorted(lapsing.items(), key=lambda batch: -batch[1])
    named = joined(
        ", ", (joined(" ", (batch, whole(workers))) for batch, workers in largest[:BATCHES_NAMED])
    )
    more = (
        _(" and {count} more").format(count=len(largest) - BATCHES_NAMED)
        if largest[BATCHES_NAMED:]
        else ""
    )
    change = ""
    if cliff.coverage is not None and cliff.points is not None:
        change = _(" to {coverage} ({points:+,} points)").format(
            coverage=_percent(cliff.coverage), points=percent(cliff.points)
        )
    return _("{on}: {lapsing:,} covered no more{change}: {named}{more}").format(
        on=cliff.on, lapsing=cliff.lapsing, change=change, named=named, more=more
    )
