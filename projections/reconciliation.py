"""Every published figure held against the ledger: as known now, as known then, as documented then.

All figures of an area are answered together, with a handful of queries whatever their number. A
figure is a claim: what is odd is told with its arithmetic, and nothing is corrected.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from projections.boundaries import Crossing, KnownBoundaries
from projections.conflicts import (
    figures_in_conflict,
    named_year,
    printed_targets_in_conflict,
    targets_in_conflict,
)
from projections.days import Days
from projections.explanations import explained, restated
from projections.figures import Figure, Printed, printed
from projections.findings import (
    Code,
    Finding,
    of_its_whole,
    of_the_balance,
    of_the_gap,
    of_the_percentage,
    of_the_uncovered,
)
from projections.gaps import read_gap
from projections.points import Below, Point, below_on_any_day
from projections.potentials import Potentials, PotentialSaid, potentials_said
from projections.published import figures_recorded
from projections.standings import Extent, extent_within, extents_of, standings_at
from projections.suspects import NOBODY, Suspects, Window, looking_for_suspects
from projections.targets import Target, targets_of
from projections.verdicts import (
    GOOD,
    Check,
    Judgement,
    Result,
    Tested,
    What,
    checks_of,
    fits,
    judge,
    tested,
)
from registry.collecting import collecting_rarely
from registry.terms import NATION, is_regency

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from projections.ledger import Ledger
    from registry.reference.boundaries import Boundaries, Map

Verdict = Literal[Result, "retracted"]
VerdictThen = Literal[Result, "not-yet-recorded"]

COLLECTED_OBJECTS: Final = 5_000_000
"""None of them is garbage before the answer is, so that ten thousand figures are not looked through."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One published figure and what became of testing it.

    `now` is judged as known at the position of the answer, `then` at the figure's `known_then` (None
    where the log held nothing of the area, which `verdict_then` says, or the day of publication is
    unknown), `documented` by what claims a document of that day or before. `days` is what the ledger
    says, as known now, of the days that it can mean. `looked_for` has the batches recorded or effective
    since `agreed_before`, the last figure of the same that agreed in what differs, on an earlier day; it
    is None where none were looked for: the heads do not differ, or are those of a province or the nation
    of which no figure agreed before.
    `suspect_areas` are the regencies that came into its area or left it since, `restated_areas` those
    since it was published. `area` is the code, `area_name` the name of the figure's day.
    """

    figure: Figure
    area: str
    area_name: str
    now: Tested
    then: Judgement | None
    documented: Judgement | None
    verdict: Verdict
    verdict_then: VerdictThen | None
    findings: tuple[Finding, ...]
    days: Days
    agreed_before: Figure | None
    looked_for: Suspects | None
    restated_by: Suspects
    suspect_areas: tuple[Crossing, ...]
    restated_areas: tuple[Crossing, ...]

    @property
    def suspects(self) -> Suspects:
        """The batches that may be behind its difference."""
        return self.looked_for or NOBODY

    @property
    def explanation(self) -> str | None:
        """How it differs and since when; put in words by whoever asks, for that takes longest."""
        if self.verdict == "retracted":
            return None
        return explained(
            self.figure,
            self.now,
            self.days,
            self.agreed_before,
            self.looked_for,
            self.suspect_areas,
        )

    @property
    def on(self) -> date | None:
        """The day taken: of a month or year the first of the last days on end that fit, else its last."""
        standing = self.now.standing
        if standing is None or self.now.verdict in GOOD:
            return standing.on if standing else None
        return self.figure.last_day

    @property
    def codes(self) -> list[Code]:
        """What was found, each kind once."""
        return list(dict.fromkeys(each.code for each in self.findings))

    @property
    def is_balanced(self) -> bool:
        """Whether it agrees where an opening or a reconciling entry may have made it so."""
        return "balanced" in self.codes

    @property
    def is_odd(self) -> bool:
        """Whether anything but its balance was found."""
        return any(code != "balanced" for code in self.codes)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All figures asked for, as known at a position, and by area the targets that are at odds."""

    known_position: int
    figures: list[Reconciled]
    targets_in_conflict: dict[str, list[Finding]]


def reconcile(ledger: Ledger, area: str = NATION, *, known: int | None = None) -> Reconciliation:
    """Test every figure recorded of an area and of those below it, in the order of recording.

    Shape: a retracted figure is listed and not tested. Units: persons; percentages are exact.
    Rule: what the ledger says is what coverage says on that day, as known at that position; the
    regencies of an area too. A change of areas claims no document, so it is documented by the day on
    which it was recorded.
    """
    with collecting_rarely(COLLECTED_OBJECTS):
        position = ledger.position if known is None else known
        return _reconciliation(ledger.connection, area, position, KnownBoundaries(ledger, position))


def _reconciliation(
    connection: DuckDBPyConnection, area: str, position: int, known_areas: KnownBoundaries
) -> Reconciliation:
    boundaries = known_areas.at(position)
    figures = figures_recorded(connection, area, position, boundaries)
    areas = sorted({figure.area for figure in figures})
    then = {figure.known_then for figure in figures if figure.known_then is not None}
    below = below_on_any_day(*{known_areas.at(known) for known in (position, *then)})
    potentials = potentials_said(connection, areas, below)
    log = _Log(extents_of(connection, areas, below), known_areas)
    views = [_views(figure, position, log) for figure in figures]
    points = [point for each in views for point in each if point is not None]
    standings = standings_at(connection, points, potentials, known_areas.at, below)
    seen = [_seen(figure, each, standings) for figure, each in zip(figures, views, strict=True)]
    agreed = _agreed_before(seen)
    windows = dict(_windows(seen, agreed, log, position))
    crossings = dict(_crossings(seen, agreed, log, position))
    targets = targets_of(connection, area, position, boundaries.map_on(date.max))
    with looking_for_suspects(connection, windows) as looked_for:
        said = _Said(seen, targets, potentials, position)
        found = [_found(each, said) for each in seen]
        suspects = dict.fromkeys(windows, NOBODY) | looked_for()
    return Reconciliation(
        position,
        [
            _reconciled(
                each,
                _called(each.seen.figure.area, each.seen.figure.last_day, boundaries),
                agreed.get(each.seen.figure.position),
                suspects,
                crossings,
            )
            for each in found
        ],
        said.targets_in_conflict,
    )


# --- from which points a figure is seen -----------------------------------------------------------


class _Views(NamedTuple):
    """The points to ask the ledger at; None where there is none."""

    now: Point | None
    then: Point | None
    documented: Point | None


class _Seen(NamedTuple):
    """A figure judged from the points on which it depends which batches are looked for.

    `days` is what the ledger says of its days as known now, `checks` its numbers as judged now;
    `documented` what it says of them by its documents, still to be judged.
    """

    figure: Figure
    point: Point | None
    days: Days
    now: Judgement
    checks: tuple[Check, ...]
    then: Judgement | None
    documented: Days | None

    @property
    def series(self) -> tuple[str, str | None, str | None]:
        """What it is a figure of."""
        return self.figure.area, self.figure.category, self.figure.segment


class _Log:
    """From where to where the log speaks of an area, as its regencies are known after a change."""

    def __init__(self, extents: Mapping[str, Extent], areas: KnownBoundaries) -> None:
        self.areas = areas
        self._extents = extents
        self._below: dict[int, Below] = {}
        self._found: dict[tuple[int, str], Extent | None] = {}

    def extent(self, change: int, area: str) -> Extent | None:
        """Return the extent of an area, as known at a change of areas."""
        if (change, area) not in self._found:
            if change not in self._below:
                self._below[change] = below_on_any_day(self.areas.at(change))
            self._found[change, area] = extent_within(self._extents, self._below[change](area))
        return self._found[change, area]


def _views(figure: Figure, known: int, log: _Log) -> _Views:
    if figure.first_day is None or figure.last_day is None:
        return _Views(None, None, None)
    first_day, last_day = figure.first_day, figure.last_day

    def seen_at(position: int, change: int, documented_by: date | None = None) -> Point:
        # what was recorded after the last that matters changes nothing: points become the same
        extent = log.extent(change, figure.area)
        known = min(position, extent.last) if extent else 0
        group = figure.category, figure.segment
        return Point(figure.area, *group, first_day, last_day, known, documented_by, change)

    now = seen_at(known, log.areas.change_before(known))
    if figure.known_then is None:
        return _Views(now, None, None)
    change_then = log.areas.change_before(figure.known_then)
    extent_then = log.extent(change_then, figure.area)
    held = extent_then is not None and extent_then.first <= figure.known_then
    return _Views(
        now,
        seen_at(figure.known_then, change_then) if held else None,
        seen_at(known, change_then, figure.published_on),
    )


def _seen(figure: Figure, views: _Views, standings: Mapping[Point, Days]) -> _Seen:
    days = standings[views.now] if views.now is not None else Days()
    now = judge(figure, days)
    then = None
    if views.then is not None:
        then = now if views.then == views.now else judge(figure, standings[views.then])
    return _Seen(
        figure,
        views.now,
        days,
        now,
        checks_of(figure, now.standing),
        then,
        standings[views.documented] if views.documented is not None else None,
    )


# --- since when it may have gone wrong ------------------------------------------------------------

_Key = tuple[Literal["suspects", "restated"], int]


class _Agreed(NamedTuple):
    """A figure that agreed, and from which day on: of a month or year the last stretch that fits."""

    on: date
    position: int
    figure: Figure


def _agreed_before(seen: Sequence[_Seen]) -> dict[int, _Agreed]:
    """Return position → the last figure that agreed on an earlier day, of those that differ.

    It is of the same, and was tested in the number that differs.
    """
    agreed: dict[tuple[str | None, ...], dict[tuple[date, str | None], _Agreed]] = defaultdict(dict)
    for each in seen:
        figure, standing = each.figure, each.now.standing
        if each.now.verdict in GOOD and not figure.retracted and standing is not None:
            for check in each.checks:
                if check.result in GOOD:
                    # of one period that agrees from one day on, the one recorded last says it all
                    same = agreed[*each.series, check.what]
                    same[standing.on, figure.as_of] = _Agreed(standing.on, figure.position, figure)
    ordered = {of: sorted(some.values(), key=itemgetter(0, 1)) for of, some in agreed.items()}
    found: dict[int, _Agreed] = {}
    for each in seen:
        figure = each.figure
        if each.now.verdict != "differs" or figure.last_day is None:
            continue
        before = []
        for what in _vouching(each.checks):
            series = ordered.get((*each.series, what), [])
            place = bisect_left(series, figure.last_day, key=itemgetter(0))
            while place and not _vouches(series[place - 1], figure):
                place -= 1
            before += series[place - 1 : place]
        if before:
            found[figure.position] = max(before, key=itemgetter(0, 1))
    return found


def _vouches(agreed: _Agreed, figure: Figure) -> bool:
    """Whether nothing that took effect up to the day a figure agreed is behind another's difference.

    A month or a year may mean any of its days: what is of all of them too, or agreed on the first,
    tells nothing from what took effect as it began.
    """
    of, first_day, last_day = agreed.figure, figure.first_day, figure.last_day
    assert first_day is not None
    assert last_day is not None
    assert of.first_day is not None
    assert of.last_day is not None
    is_of_all = of.first_day <= first_day and last_day <= of.last_day
    return agreed.on < first_day or (agreed.on > first_day and not is_of_all)


_VOUCHING: Final[dict[What, tuple[What, ...]]] = {
    "active": ("active",),
    "potential": ("potential",),
    "percent": ("percent", "uncovered_percent", "active"),
    "uncovered_percent": ("percent", "uncovered_percent", "active"),
}


def _vouching(checks: Sequence[Check]) -> tuple[What, ...]:
    """Return the numbers of an earlier figure that vouch for what differs first.

    Heads that agreed vouch for a percentage too; a rounded percentage does not for heads.
    """
    differing = [each.what for each in checks if each.decides and each.result == "differs"]
    heads = [what for what in differing if what != "potential"]
    first = next(iter(heads or differing), None)
    return _VOUCHING[first] if first is not None else ()


def _windows(
    seen: Sequence[_Seen],
    agreed: Mapping[int, _Agreed],
    log: _Log,
    known: int,
) -> Iterator[tuple[_Key, Window]]:
    """Yield where to look for the batches behind each figure whose heads differ."""
    for each in seen:
        figure, point = each.figure, each.point
        if point is None or figure.retracted or each.now.verdict != "differs":
            continue
        look = partial(Window, point, log.areas.inside(figure.area, known, point.last_day))
        if each.then is not None and each.then.verdict in GOOD:
            assert figure.known_then is not None
            yield ("restated", figure.position), look(point.last_day, figure.known_then)
        heads = _heads_that_differ(each.checks)
        if heads is None:
            continue
        before = agreed.get(figure.position)
        if before is None:
            if is_regency(figure.area):  # else it would be every batch of the province
                yield ("suspects", figure.position), look(date.min, 0, heads)
            continue
        recorded_after = _recorded_after(figure, before, log, known)
        yield ("suspects", figure.position), look(before.on, recorded_after, heads)


def _crossings(
    seen: Sequence[_Seen],
    agreed: Mapping[int, _Agreed],
    log: _Log,
    known: int,
) -> Iterator[tuple[_Key, tuple[Crossing, ...]]]:
    """Yield which regencies lie in a figure's area no more, or only now, where it differs."""
    for each in seen:
        figure, standing = each.figure, each.now.standing
        if standing is None or figure.retracted or each.now.verdict != "differs":
            continue
        now = known, standing.on
        then = each.then.standing if each.then and each.then.verdict in GOOD else None
        if then is not None and figure.known_then is not None:
            at = figure.known_then, then.on
            yield ("restated", figure.position), log.areas.crossings(figure.area, at, now)
        if (before := agreed.get(figure.position)) is not None:
            at = _recorded_after(figure, before, log, known), before.on
            yield ("suspects", figure.position), log.areas.crossings(figure.area, at, now)


def _recorded_after(figure: Figure, before: _Agreed, log: _Log, known: int) -> int:
    """Return the last position that both a figure and the one that agreed before it can speak of."""
    extent = log.extent(log.areas.change_before(known), figure.area)
    assert extent is not None  # a figure of the same agreed with what is in it
    first = extent.first
    return min(_vouched_until(before.figure, first), _vouched_until(figure, first))


def _vouched_until(figure: Figure, first: int) -> int:
    """Return the last position that a figure can speak of: up to where it was printed or recorded.

    Where the log held nothing of the area yet when it was printed, that says nothing.
    """
    if figure.known_then is None or figure.known_then < first:
        return figure.position
    return min(figure.position, figure.known_then)


def _heads_that_differ(checks: Sequence[Check]) -> int | None:
    """Return the heads that the ledger has more than the figure; 0 if unknown; None if they agree."""
    for check in checks:
        if check.what == "active":
            return -int(check.difference or 0) if check.result == "differs" else None
    differ = any(each.what != "potential" and each.result == "differs" for each in checks)
    return 0 if differ else None


# --- what is said of it ---------------------------------------------------------------------------


def _standing_potentials(potentials: Potentials, known: int, area: str) -> list[PotentialSaid]:
    return [each for each in potentials.said_of(area) if each.counts(known, None)]


class _Said:
    """What else was said of the areas: figures, targets and potentials that stand."""

    def __init__(
        self,
        seen: Sequence[_Seen],
        targets: Sequence[Target],
        potentials: Potentials,
        known: int,
    ) -> None:
        self.potentials = cache(partial(_standing_potentials, potentials, known))
        self._targets: dict[str, list[Printed]] = defaultdict(list)
        for target in targets:
            self._targets[target.area].append(printed(target.percent))
        figures = [each.figure for each in seen if not each.figure.retracted]
        days = {each.figure.position: each.days for each in seen}
        self._conflicts = figures_in_conflict(
            figures, lambda whats, figure: fits(whats, figure, days[figure.position])
        )
        self._of_years = targets_in_conflict(targets)
        self._of_figures = printed_targets_in_conflict(figures, targets)

    @property
    def targets_in_conflict(self) -> dict[str, list[Finding]]:
        """By area, what is said of the recorded targets that contradict each other."""
        found: dict[str, list[Finding]] = defaultdict(list)
        for (area, _), finding in self._of_years.items():
            found[area].append(finding)
        return found

    def targets(self, area: str) -> Sequence[Printed]:
        """Return the targets recorded for an area."""
        return self._targets.get(area, ())

    def conflicts(self, figure: Figure) -> Iterator[Finding]:
        """Yield what contradicts a figure: others, and targets of the year whose target it names."""
        yield from self._conflicts.get(figure.position, ())
        year = named_year(figure)
        if year is not None and (figure.area, year) in self._of_years:
            yield self._of_years[figure.area, year]
        if figure.position in self._of_figures:
            yield self._of_figures[figure.position]


def _called(area: str, day: date | None, boundaries: Boundaries) -> Map:
    """Return the map that says what an area is called: that of the day, or the last."""
    drawn = boundaries.map_on(day or date.max)
    if is_regency(area) and not drawn.has(area):  # it was opened later
        return boundaries.map_on(date.max)
    return drawn


class _Found(NamedTuple):
    """What became of a figure, all but what the batches behind it say."""

    seen: _Seen
    now: Tested
    then: Judgement | None
    documented: Judgement | None
    findings: tuple[Finding, ...]


def _found(seen: _Seen, said: _Said) -> _Found:
    figure, targets = seen.figure, said.targets(seen.figure.area)
    gap = None
    if figure.gap is not None and not figure.retracted:
        gap = read_gap(figure, seen.now.standing, seen.days, targets)
    now = tested(seen.now, seen.checks, gap.check if gap else None)
    findings: list[Finding] = []
    if not figure.retracted:
        potentials = said.potentials(figure.area)
        findings += of_the_percentage(figure, now, seen.days, potentials)
        findings += of_its_whole(figure, now, potentials)
        findings += of_the_uncovered(figure, seen.days)
        findings += of_the_gap(gap)
        findings += said.conflicts(figure)
        findings += of_the_balance(figure, now, seen.days)
    documented = judge(figure, seen.documented) if seen.documented is not None else None
    return _Found(
        seen,
        now,
        _with_its_gap(figure, seen.then, targets),
        _with_its_gap(figure, documented, targets),
        tuple(findings),
    )


def _reconciled(
    found: _Found,
    called: Map,
    agreed: _Agreed | None,
    suspects: Mapping[_Key, Suspects],
    crossings: Mapping[_Key, tuple[Crossing, ...]],
) -> Reconciled:
    seen, now, then, documented, findings = found
    figure = seen.figure
    since = suspects.get(("restated", figure.position), NOBODY)
    areas_since = crossings.get(("restated", figure.position), ())
    has_differed_since = then is not None and then.verdict in GOOD and now.verdict == "differs"
    if then is not None and has_differed_since and not figure.retracted:
        findings += (restated(figure, then, now, since, areas_since),)
    return Reconciled(
        figure=figure,
        area=called.code(figure.area),
        area_name=called.name(figure.area),
        now=now,
        then=then,
        documented=documented,
        verdict="retracted" if figure.retracted else now.verdict,
        verdict_then=_verdict_then(seen, then),
        findings=findings,
        days=seen.days,
        agreed_before=agreed.figure if agreed is not None else None,
        looked_for=suspects.get(("suspects", figure.position)),
        restated_by=since,
        suspect_areas=crossings.get(("suspects", figure.position), ()),
        restated_areas=areas_since,
    )


def _with_its_gap(
    figure: Figure, judged: Judgement | None, targets: Sequence[Printed]
) -> Judgement | None:
    """Let a gap decide that stands alone, from this point of view too."""
    if judged is None or judged.standing is None or figure.gap is None or figure.retracted:
        return judged
    gap = read_gap(figure, judged.standing, [judged.standing], targets)
    return Judgement(
        judged.standing, tested(judged, checks_of(figure, judged.standing), gap.check).verdict
    )


def _verdict_then(seen: _Seen, then: Judgement | None) -> VerdictThen | None:
    if seen.figure.known_then is None:
        return None
    if seen.point is None:
        return "undated"
    return "not-yet-recorded" if then is None else then.verdict
