"""Which sections a report has, and what each of them says: the listings of the single commands.

Every section is built by what its command prints with, over one ledger at one position. Knows no
file and no format; `typed` says that every fact has a column of its own, for a workbook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from cli.analyst import coverage_listing
from cli.listing import Listing, Section
from cli.outlook import forecast_listing, targets_listing, twelve_months_after
from cli.reconciliation_in_words import figures_as_numbers, figures_for_people
from cli.revising import releases_listing
from cli.trace_in_words import Known, grouped_for_people, notes, statement_for_people
from cli.tracing import groups_listing
from registry.language import _, language, said
from registry.terms import is_regency
from registry.vocabulary import MOVEMENTS, leaving

if TYPE_CHECKING:
    from projections.coverage import Dimension
    from projections.forecast import Forecast
    from projections.ledger import Ledger
    from projections.steps import Group, Grouping, Point, Traced
    from projections.trace import Trace

_BY: Final[tuple[tuple[Dimension | None, str], ...]] = (
    (None, _("On {day}")),
    ("category", _("On {day}, by category")),
    ("area", _("On {day}, by regency")),
)
_COVERAGE_NAMES: Final[dict[tuple[str, Dimension | None], str]] = {
    ("from", None): _("Coverage from"),
    ("from", "category"): _("Coverage from by category"),
    ("from", "area"): _("Coverage from by regency"),
    ("to", None): _("Coverage to"),
    ("to", "category"): _("Coverage to by category"),
    ("to", "area"): _("Coverage to by regency"),
}
_OF_BATCHES: Final = (
    "position", "effective_on", "area", "reference", "part", "kind", "class", "workers", "reason", "late", "document",
    "file", "sheet", "row", "last_row", "because", "recorded_at", "recorded_by",
)  # fmt: skip
_OF_TARGETS: Final = frozenset(
    {"area", "area_name", "due_on", "target_percent", "basis", "source", "position", "active"}
    | {"potential", "coverage_percent", "regencies_counted", "regencies_total", "needed"}
    | {"gap_points", "months_left", "pace_needed", "pace", "course", "conflicts_with"}
)
"""What a workbook has of a batch and of a target: every fact in a column of its own."""


@dataclass(frozen=True)
class Asked:
    """What a report is of. `traced.end` is the end that revisions, lapses and targets are of.

    A section has at most `rows_max` rows, and says how many there are if there are more.
    """

    ledger: Ledger
    traced: Traced
    store_id: str
    typed: bool
    rows_max: int

    @property
    def known(self) -> Known:
        """Both positions, as if asked for: a document is read when they are not now any more."""
        start, end = self.traced.start.known, self.traced.end.known
        return Known(start, end, start_is_asked=True, end_is_asked=True)

    @cached_property
    def found(self) -> Trace:
        """The trace, which several sections are of."""
        from projections.trace import trace

        return trace(self.ledger, self.traced)

    @cached_property
    def forecast(self) -> Forecast:
        """What lapses in the twelve months after the second end."""
        from projections.forecast import forecast

        end = self.traced.end
        until = twelve_months_after(end.on)
        return forecast(self.ledger, self.traced.area, end.on, until, known=end.known)


def sections(asked: Asked) -> Sequence[Section]:
    """Return the sections in their order; nothing is asked of the ledger yet."""
    return [section for build in _CHAPTERS for section in build(asked)]


# --- the chapters -------------------------------------------------------------------------------


def _coverage(asked: Asked) -> Iterator[Section]:
    area = asked.traced.area
    for end, at in (("from", asked.traced.start), ("to", asked.traced.end)):
        for by, title in _BY[:2] if is_regency(area) else _BY:
            yield _section(
                asked,
                _("Coverage"),
                title.format(day=at.on),
                _COVERAGE_NAMES[end, by],
                _on(at),
                f"ucj coverage {area} --on {at.on} --known @{at.known}{f' --by {by}' if by else ''}",
                partial(_coverage_of, asked, at, by),
            )


def _coverage_of(asked: Asked, at: Point, by: Dimension | None) -> Listing:
    from projections.coverage import coverage_at

    rows = coverage_at(asked.ledger, [asked.traced.area], at.on, known=at.known, by=by)
    return coverage_listing(rows, at.on, at.known, None, people=True)


def _trace(asked: Asked) -> Iterator[Section]:
    groupings: tuple[tuple[str, str, Grouping | None], ...] = (
        (_("Statement"), _("Statement"), None),
        (_("By category"), _("Trace by category"), "category"),
        (_("By batch"), _("Trace by batch"), "batch"),
    )
    for title, name, by in groupings:
        yield _section(
            asked,
            _("Trace"),
            title,
            name,
            _between(asked),
            f"{_trace_command(asked)}{f' --by {by}' if by else ''}",
            partial(_trace_of, asked, by),
        )


def _trace_of(asked: Asked, by: Grouping | None) -> Listing:
    from projections.steps import groups

    found = asked.found
    remarks = notes(found, asked.known, by=by)
    if by is None:
        return replace(statement_for_people(found), notes=remarks)
    rows = groups(asked.ledger, asked.traced, by)
    if by == "batch" and asked.typed:
        return replace(_batches(found, rows), notes=remarks)
    return replace(grouped_for_people(found, by, rows), notes=remarks)


def _batches(found: Trace, rows: Iterable[Group]) -> Listing:
    listing = groups_listing(rows)
    columns = {each.key: each for each in listing.columns}
    total = {"reference": _("Change"), "workers": found.active}
    rows_said = (
        {
            **row,
            "kind": _said_of(MOVEMENTS, row["kind"]),
            "class": _said_of(_CLASSES, row["class"]),
            "reason": None if row["reason"] is None else said(leaving(str(row["reason"]))),
        }
        for row in listing.rows
    )
    return replace(
        listing, columns=tuple(columns[key] for key in _OF_BATCHES), rows=rows_said, total=total
    )


_CLASSES: Final = {
    "period": _("period"),
    "restatement": _("restatement"),
    "boundary": _("boundary"),
}


def _said_of(words: Mapping[str, str], code: object) -> str | None:
    return None if code is None else str(said(words[str(code)]))


def _figures(asked: Asked) -> Iterator[Section]:
    at = asked.known.head
    yield _section(
        asked,
        _("Published figures"),
        _("Held against the ledger"),
        _("Published figures"),
        _("Every day, as known at #{position}").format(position=at),
        f"ucj reconcile {asked.traced.area} --known @{at}",
        partial(_figures_of, asked),
    )


def _figures_of(asked: Asked) -> Listing:
    from projections.reconciliation import reconcile

    found = reconcile(asked.ledger, asked.traced.area, known=asked.known.head)
    return figures_as_numbers(found) if asked.typed else figures_for_people(found)


def _revisions(asked: Asked) -> Iterator[Section]:
    end = asked.traced.end
    yield _section(
        asked,
        _("Revisions"),
        _("Of the figure of {day}").format(day=end.on),
        _("Revisions"),
        _on(end),
        f"ucj revisions {asked.traced.area} --on {end.on} --known @{end.known}",
        partial(_revisions_of, asked),
    )


def _revisions_of(asked: Asked) -> Listing:
    from projections.revisions import revisions_on

    end = asked.traced.end
    found = revisions_on(asked.ledger, asked.traced.area, end.on, known=end.known)
    return releases_listing(found, end.on, people=True)


def _lapses(asked: Asked) -> Iterator[Section]:
    end = asked.traced.end
    until = twelve_months_after(end.on)
    if until <= end.on:  # no day comes after
        return
    command = f"ucj forecast {asked.traced.area} --on {end.on} --until {until} --known @{end.known}"
    for title, name, by in (
        (_("Month by month"), _("Lapses"), "month"),
        (_("The terms that end"), _("Terms that end"), "cohort"),
    ):
        yield _section(
            asked,
            _("What will lapse"),
            title,
            name,
            _on(end),
            command if by == "month" else f"{command} --by {by}",
            partial(_lapses_of, asked, by),
        )


def _lapses_of(asked: Asked, by: str) -> Listing:
    return forecast_listing(asked.forecast, by, people=True)


def _targets(asked: Asked) -> Iterator[Section]:
    end = asked.traced.end
    yield _section(
        asked,
        _("Targets"),
        _("On {day}").format(day=end.on),
        _("Targets"),
        _on(end),
        f"ucj targets {asked.traced.area} --on {end.on} --known @{end.known}",
        partial(_targets_of, asked),
    )


def _targets_of(asked: Asked) -> Listing:
    from projections.targets import targets_at

    area, end = asked.traced.area, asked.traced.end
    found = targets_at(asked.ledger, area, end.on, known=end.known)
    listing = targets_listing(found, end.on, end.known, people=True)
    if not asked.typed or not found:
        return listing
    typed = targets_listing(found, end.on, end.known, people=False)
    columns = tuple(each for each in typed.columns if each.key in _OF_TARGETS)
    return replace(typed, columns=columns, notes=listing.notes)


_CHAPTERS: Final[tuple[Callable[[Asked], Iterator[Section]], ...]] = (
    _coverage,
    _trace,
    _figures,
    _revisions,
    _lapses,
    _targets,
)
"""In the order of a report: each yields its sections. Another chapter goes here."""


# --- what they have in common -------------------------------------------------------------------


def spoken() -> str:
    """Return the option that makes a command answer in the language of the report."""
    return "" if language() == "en" else f" --lang {language()}"


def _section(
    asked: Asked,
    chapter: str,
    title: str,
    name: str,
    of: str,
    command: str,
    build: Callable[[], Listing],
) -> Section:
    """Return a section, cut to as many rows as a report has at most."""
    command += spoken()

    def built() -> Listing:
        return _cut(build(), asked.rows_max, command)

    return Section(
        said(chapter),
        said(title),
        said(name),
        said(_("{of}, in store {store}").format(of=of, store=asked.store_id)),
        command,
        built,
    )


def _on(at: Point) -> str:
    return _("On {day}, as known at #{known}").format(day=at.on, known=at.known)


def _between(asked: Asked) -> str:
    start, end = asked.traced.start, asked.traced.end
    return _("From {start}, as known at #{known_from}, to {end}, as known at #{known_to}").format(
        start=start.on, known_from=start.known, end=end.on, known_to=end.known
    )


def _cut(listing: Listing, rows_max: int, command: str) -> Listing:
    """Return the listing with so many rows at most; how many more there are is said first."""
    waiting = iter(listing.rows)
    rows = list(islice(waiting, rows_max))
    more = sum(1 for _row in waiting)
    if not more:
        return replace(listing, rows=rows)
    cut = _(
        "These are the first {shown:,} of {all:,} rows; `{command} --format csv` lists all of them."
    ).format(shown=rows_max, all=rows_max + more, command=command)
    return replace(listing, rows=rows, notes=[cut, *listing.notes])


def _trace_command(asked: Asked) -> str:
    start, end = asked.traced.start, asked.traced.end
    return (
        f"ucj trace {asked.traced.area} --from {start.on} --to {end.on}"
        f" --known-from @{start.known} --known-to @{end.known}"
    )
