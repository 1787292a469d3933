"""Revisions: how figures changed after they were first known, and which batches changed them.

Owns releases and their metrics. Knows neither how the ledger is asked for them nor how they are
shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from projections.closings import overrides, reopenings
from projections.months import month_ends
from projections.vintages import AreaVintages

if TYPE_CHECKING:
    from projections.closings import Overridden, Reopened
    from projections.ledger import Ledger
    from projections.vintages import (
        AreaEffect,
        BatchEffect,
        Causes,
        Figure,
        PotentialEffect,
        Vintage,
    )

VintageKind = Literal["recorded", "position", "documented"]
Compared = Literal["latest-with-first", "release-with-previous"]


@dataclass(frozen=True, slots=True)
class Release:
    """A reference date's figure at one vintage; `number` counts its releases from 1.

    `known_on` is when it was known: the vintage's day, or the reference date itself if that is
    later (nothing was learned since). `revision` (workers) and `revision_points` (exact) are the
    change since the release before, `batches` the largest of the `batches_total` that caused it,
    `areas` the regencies that came into the area or left it by then.
    """

    on: date
    vintage: Vintage
    number: int
    known_on: date
    figure: Figure
    revision: int | None
    revision_points: Fraction | None
    batches: tuple[BatchEffect, ...]
    batches_total: int
    potentials: tuple[PotentialEffect, ...]
    areas: tuple[AreaEffect, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference date: its first and its latest release, and how far they are apart.

    `revision` and `revision_points` are None where there is but one release. `days_to_first` and `days_to_final` are days from the reference date until a figure was known,
    and until the latest one was, not to change again (so far).
    """

    on: date
    releases: int
    first: Release
    latest: Release
    revision: int | None
    revision_points: Fraction | None
    days_to_first: int
    days_to_final: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """The size of revisions R = later − earlier of figures (L the later), exact, in their unit.

    Mean revision ΣR/n, mean absolute revision Σ|R|/n, relative mean absolute revision Σ|R|/Σ|L|
    (None where that is nothing), and the range from the lowest to the highest revision.
    Source: OECD, Recommended Statistical Measures for Interpreting the Outputs of Revision
    Analyses; the names are those of `get_revision_analysis` in R's reviser.
    """

    observations: int
    mean: Fraction
    mean_absolute: Fraction
    relative_mean_absolute: Fraction | None
    minimum: Fraction
    maximum: Fraction

    @property
    def range(self) -> Fraction:
        """The distance from the lowest to the highest revision."""
        return self.maximum - self.minimum


@dataclass(frozen=True, slots=True)
class Revisions:
    """The answer: reference dates, vintages, every release, and what the revisions come to.

    `workers` and `points` are the metrics of active workers and of coverage, None where nothing
    could be compared. `compared` says what with what: the latest release with the first, of each
    reference date that has two; or, of a single date, each release with the one before. `late` is
    what was changed on closed days, that date or any, in the area or one below it; `reopened`, which
    of them one person opened again.
    """

    area: str
    area_name: str
    known_position: int
    vintage: VintageKind
    compared: Compared
    vintages: tuple[Vintage, ...]
    references: tuple[Reference, ...]
    releases: tuple[Release, ...]
    workers: Metrics | None
    points: Metrics | None
    late: tuple[Overridden, ...]
    reopened: tuple[Reopened, ...]


def revisions_on(
    ledger: Ledger,
    area: str,
    on: date,
    *,
    documented: bool = False,
    known: int | None = None,
    as_of: date | None = None,
) -> Revisions:
    """Return every release of the figure of one date: what was known on that day, and each change.

    A release for each transaction after that day that changed the figure; with `documented`, for
    each claimed document date. The area is what lay in it on the day; with `as_of`, a day not
    before it, on that day.
    """
    position = ledger.position if known is None else known
    asked = AreaVintages(ledger, area, position, on, on, documented=documented, as_of=as_of)
    kind: VintageKind = "documented" if documented else "recorded"
    closed = _of_closed(ledger, asked, area, (on, on))
    return _answer(asked, [on], asked.changes_after(on), kind, closed, only_changes=True)


def revision_triangle(
    ledger: Ledger,
    area: str,
    *,
    since: date | None = None,
    until: date,
    documented: bool = False,
    positions: Sequence[int] = (),
    known: int | None = None,
    as_of: date | None = None,
) -> Revisions:
    """Return the figures of month ends (rows) as known at vintages (columns).

    Rows: the month ends from `since` (or the area's first entry) to `until`. Vintages: the month
    ends of recording (or of the claimed document dates), of whatever date, and last what is known
    at `known`; or just the `positions`. A figure is released at the vintages that were all that was
    known on its reference date or later, so each row begins on the diagonal. The area is what lies
    in it on the reference date, as known at the vintage; with `as_of`, a day not before `until`, on
    that day as known last, at every vintage. It is called as on `until`.
    """
    latest = max(positions, default=known)
    position = ledger.position if latest is None else latest
    asked = AreaVintages(
        ledger, area, position, date.min, until, documented=documented, as_of=as_of
    )
    begin = since or asked.first_day(until)
    references = list(month_ends(begin, until)) if begin else []
    vintages = asked.positions(positions) if positions else asked.months(until)
    if references and not positions:  # what was known before the first date says nothing of any
        vintages = [each for each in vintages if each.knows(references[0])]
    kind: VintageKind = "position" if positions else "documented" if documented else "recorded"
    closed = _of_closed(ledger, asked, area, (begin or date.min, until))
    return _answer(asked, references, vintages, kind, closed, only_changes=False)


def revision_metrics(pairs: Iterable[tuple[int | Fraction, int | Fraction]]) -> Metrics | None:
    """Return the metrics of (earlier, later) pairs; None without any."""
    revised: list[Fraction] = []
    later_sum = Fraction()
    for earlier, later in pairs:
        revised.append(Fraction(later) - Fraction(earlier))
        later_sum += abs(Fraction(later))
    if not revised:
        return None
    absolute_sum = sum(map(abs, revised), Fraction())
    return Metrics(
        observations=len(revised),
        mean=sum(revised, Fraction()) / len(revised),
        mean_absolute=absolute_sum / len(revised),
        relative_mean_absolute=absolute_sum / later_sum if later_sum else None,
        minimum=min(revised),
        maximum=max(revised),
    )


def _answer(
    asked: AreaVintages,
    references: Sequence[date],
    vintages: Sequence[Vintage],
    kind: VintageKind,
    closed: _OfClosed,
    *,
    only_changes: bool,
) -> Revisions:
    """Ask for the figures and compare them; `only_changes`: a release is what changed the figure."""
    rows: list[list[Release]] = []
    if references and vintages:
        figures = asked.figures(references, vintages)
        released = [
            _released(row, on, vintages, only_changes=only_changes)
            for on, row in zip(references, figures, strict=True)
        ]
        causes = asked.causes(references, vintages, released)
        rows = [
            list(
                _releases(asked, on, i, [(j, figures[i][j]) for j in released[i]], vintages, causes)
            )
            for i, on in enumerate(references)
        ]
    found = [row for row in rows if row]
    compared = [
        (earlier.figure, later.figure)
        for row in found
        for earlier, later in (pairwise(row) if only_changes else _first_and_latest(row))
    ]
    return Revisions(
        area=asked.code,
        area_name=asked.name,
        known_position=asked.known,
        vintage=kind,
        compared="release-with-previous" if only_changes else "latest-with-first",
        vintages=tuple(vintages),
        references=tuple(map(_reference, found)),
        releases=tuple(release for row in found for release in row),
        workers=revision_metrics(
            (earlier.active, later.active)
            for earlier, later in compared
            if earlier.active is not None and later.active is not None
        ),
        points=revision_metrics(
            (earlier.coverage, later.coverage)
            for earlier, later in compared
            if earlier.coverage is not None and later.coverage is not None
        ),
        late=closed.late,
        reopened=closed.reopened,
    )


class _OfClosed(NamedTuple):
    """What was changed on closed days, and which of them were opened again."""

    late: tuple[Overridden, ...]
    reopened: tuple[Reopened, ...]


def _of_closed(
    ledger: Ledger, asked: AreaVintages, area: str, days: tuple[date, date]
) -> _OfClosed:
    """Return what became of the closed days of an area, of those from one day to another."""
    since, until = days

    def concerns(each: Overridden | Reopened) -> bool:
        return each.first_on <= until and since <= each.last_on

    of = (ledger.connection, asked.inside, asked.known)
    return _OfClosed(
        tuple(filter(concerns, overrides(*of, area=area))),
        tuple(filter(concerns, reopenings(*of, area=area))),
    )


def _first_and_latest(row: Sequence[Release]) -> list[tuple[Release, Release]]:
    return [(row[0], row[-1])] if len(row) > 1 else []


def _released(
    row: Sequence[Figure], on: date, vintages: Sequence[Vintage], *, only_changes: bool
) -> list[int]:
    """Return the places of the vintages at which a figure of a date was released.

    The first is one of heads; that nothing is said any more, as all regencies left, is one as well.
    """
    places: list[int] = []
    for place, figure in enumerate(row):
        if (figure.active is None and not places) or not vintages[place].knows(on):
            continue
        if not (only_changes and places and figure == row[places[-1]]):
            places.append(place)
    return places


def _releases(
    asked: AreaVintages,
    on: date,
    i: int,
    released: Sequence[tuple[int, Figure]],
    vintages: Sequence[Vintage],
    causes: Causes,
) -> Iterator[Release]:
    active: int | None = None
    coverage: Fraction | None = None
    before = released[0][1] if released else None
    for number, (j, figure) in enumerate(released, start=1):
        assert before is not None
        yield Release(
            on=on,
            vintage=vintages[j],
            number=number,
            known_on=max(vintages[j].day, on),
            figure=figure,
            revision=_workers(active, figure.active),
            revision_points=_points(coverage, figure.coverage),
            batches=causes.batches.get((i, j), ()),
            batches_total=causes.batches_total.get((i, j), 0),
            potentials=tuple(
                each
                for each in causes.potentials.get((i, j), ())
                if asked.takes(each, before, figure)
            ),
            areas=causes.areas.get((i, j), ()),
        )
        active, coverage, before = figure.active, figure.coverage, figure


def _reference(row: Sequence[Release]) -> Reference:
    first, latest = row[0], row[-1]
    runs = [list(same) for _, same in groupby(row, key=lambda release: release.figure)]
    return Reference(
        on=first.on,
        releases=len(row),
        first=first,
        latest=latest,
        revision=_workers(first.figure.active, latest.figure.active) if row[1:] else None,
        revision_points=_points(first.figure.coverage, latest.figure.coverage) if row[1:] else None,
        days_to_first=(first.known_on - first.on).days,
        days_to_final=(runs[-1][0].known_on - first.on).days,
    )


def _workers(earlier: int | None, later: int | None) -> int | None:
    return None if earlier is None or later is None else later - earlier


def _points(earlier: Fraction | None, later: Fraction | None) -> Fraction | None:
    return None if earlier is None or later is None else later - earlier
