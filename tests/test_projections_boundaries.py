"""Areas recoded, moved and split: both views of every day equal the heads followed one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.boundaries import boundaries_at
from projections.coverage import coverage_at
from projections.forecast import Forecast, forecast
from projections.ledger import Ledger
from projections.revisions import Release, revision_triangle, revisions_on
from projections.steps import Point, Traced, groups, steps
from projections.targets import targets_at
from projections.timeline import timeline
from projections.trace import Trace, trace
from projections.vintages import AreaEffect, Figure
from registry.commands import ChangeArea, RecordBatch, RevisePotential, SetTarget
from registry.errors import RegistryError
from registry.reference.boundaries import BUILT_IN
from registry.terms import NATION, Change
from tests.area_changes import (
    BASE,
    Census,
    census_of,
    changed,
    enrolled,
    store_at,
    transferred,
)
from tests.stores import Store

DAY: Final = timedelta(days=1)
BEFORE, ON, AFTER = date(2026, 12, 31), date(2027, 1, 1), date(2027, 6, 1)
LATER: Final = date(2030, 1, 1)

HEADS: Final = (
    enrolled("16.06", 100, "2026-01-01", "SK-1"),
    enrolled("16.71", 30, "2026-01-01", "SK-2", until="2027-03-31"),
    enrolled("11.01", 7, "2026-02-01", "SK-3"),
)
MOVED: Final = (
    changed("16.06", "moved", "2027-01-01", "11"),
    changed("16.06", "recoded", "2027-01-01", "11.80"),
)
SPLIT: Final = (
    changed("16.18", "opened", "2027-01-01", "Muba Ilir", "16.06"),
    transferred("16.06", "16.18", 40, "2027-01-01", "SK-4"),
)


@contextmanager
def ledger_of(
    *commands: RecordBatch | ChangeArea | RevisePotential | SetTarget,
) -> Iterator[Ledger]:
    """Record changes first, each kind in one transaction, and open the ledger."""
    with store_at() as store:
        play(store, *commands)
        with store.ledger() as ledger:
            yield ledger


def play(store: Store, *commands: RecordBatch | ChangeArea | RevisePotential | SetTarget) -> None:
    """Record: changes of areas, then all else."""
    changes = [each for each in commands if isinstance(each, ChangeArea)]
    others = [each for each in commands if not isinstance(each, ChangeArea)]
    for some in (changes, others):
        if some:
            # a potential may be said twice alike
            assert store.registry.record(*some).decision in {"recorded", "already-recorded"}


def sums(ledger: Ledger, on: date, by: str, as_of: date | None = None) -> Counter[str]:
    """Return the heads of the nation by area or province, as answered."""
    rows = coverage_at(ledger, [NATION], on, by=by, as_of=as_of)  # type: ignore[arg-type]
    return Counter({row.area: row.active or 0 for row in rows if row.active})


def check(ledger: Ledger, census: Census, on: date, as_of: date | None = None) -> None:
    """Hold one view of a day against the oracle: by area, by province, and the nation."""
    assert sums(ledger, on, "area", as_of) == census.by_code(on, as_of)
    assert sums(ledger, on, "province", as_of) == census.by_province(on, as_of)
    (nation,) = coverage_at(ledger, [NATION], on, as_of=as_of)
    assert (nation.active or 0) == census.by_area(on).total()


CASES: Final = {
    "recoded": (*HEADS, changed("16.06", "recoded", "2027-01-01", "16.80")),
    "renamed": (*HEADS, changed("16.06", "renamed", "2027-01-01", "Muba Raya")),
    "moved": (*HEADS, *MOVED),
    "split": (*HEADS, *SPLIT),
    "split, and a part moved": (*HEADS, *SPLIT, changed("16.18", "moved", "2028-01-01", "11")),
    "split twice": (
        *HEADS,
        *SPLIT,
        changed("16.81", "opened", "2028-01-01", "Muba Laut", "16.18"),
        transferred("16.18", "16.81", 15, "2028-01-01", "SK-5"),
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("on", [BEFORE, ON, AFTER, date(2028, 1, 1)], ids=str)
def test_sums_before_and_after_equal_the_heads(case: str, on: date) -> None:
    """By area, by province and for the nation, in the boundaries of the day and of a later one."""
    commands = CASES[case]
    with ledger_of(*commands) as ledger:
        check(ledger, census_of(*commands), on)
        check(ledger, census_of(*commands), on, LATER)


def test_the_code_of_the_day_is_shown() -> None:
    """One area under two codes: what was recorded under either is its own, before and after."""
    later = enrolled("16.06", 5, "2027-02-01", "SK-9")
    with ledger_of(*HEADS, later, changed("16.06", "recoded", "2027-01-01", "16.80")) as ledger:
        (before,) = coverage_at(ledger, ["16.06"], BEFORE)
        (after,) = coverage_at(ledger, ["16.06"], AFTER)
        (now,) = coverage_at(ledger, ["16.06"], BEFORE, as_of=LATER)
        found = [(row.on, row.area, row.active) for row in timeline(ledger, "16.06", until=AFTER)]
    assert [(row.area, row.active) for row in (before, after, now)] == [
        ("16.06", 100),
        ("16.80", 105),
        ("16.80", 100),
    ]
    assert found == [
        (date(2026, 1, 1), "16.06", 100),
        (ON, "16.80", 100),
        (date(2027, 2, 1), "16.80", 105),
    ]


def test_what_was_split_since_is_one_row() -> None:
    """Nobody is apportioned: asked for either part, today's view of before is both together."""
    with ledger_of(*HEADS, *SPLIT) as ledger:
        (row,) = coverage_at(ledger, ["16.06", "16.18"], BEFORE, as_of=LATER)
        (part,) = coverage_at(ledger, ["16.18"], BEFORE, as_of=LATER)
        (then,) = coverage_at(ledger, ["16.18"], BEFORE)
        parts = coverage_at(ledger, ["16.06", "16.18"], AFTER, as_of=LATER)
    assert (row.area, row.area_name, row.active) == (
        "16.06+16.18",
        "Musi Banyuasin + Muba Ilir",
        100,
    )
    assert part == row
    assert (then.active, then.regencies_total, then.complete) == (None, 0, False)
    assert [(each.area, each.active) for each in parts] == [("16.06", 60), ("16.18", 40)]


def test_coverage_is_over_the_regencies_of_the_day() -> None:
    """A regency that moved takes its potential with it, and only then."""
    potentials = [
        RevisePotential(area, date(2026, 1, 1), workers, "angkatan kerja", "BPS")
        for area, workers in (("16.06", 200), ("16.71", 60), ("11.01", 70))
    ]
    with ledger_of(*HEADS, *MOVED, *potentials) as ledger:
        found = {
            (area, on): coverage_at(ledger, [area], on)[0].coverage
            for area in ("16", "11")
            for on in (BEFORE, ON)
        }
    assert found == {
        ("16", BEFORE): Fraction(100 * 130, 260),
        ("16", ON): Fraction(100 * 30, 60),
        ("11", BEFORE): Fraction(100 * 7, 70),
        ("11", ON): Fraction(100 * 107, 270),
    }


def test_a_change_is_known_from_its_position_on() -> None:
    """As known before it was recorded, or after it was taken back, the old boundaries answer."""
    with store_at() as store:
        play(store, *HEADS)
        with closing(store.log()) as log:
            before = log.head()
        play(store, *MOVED)
        with closing(store.log()) as log:
            moved, changed_at = before + 1, log.head()
        store.registry.take_back("area", changed_at, because="not yet")
        store.registry.take_back("area", moved, because="annulled")
        with store.ledger() as ledger:
            found = [
                coverage_at(ledger, ["11"], AFTER, known=known)[0].active
                for known in (before, changed_at, ledger.position)
            ]
            assert boundaries_at(ledger, ledger.position) is BUILT_IN
    assert found == [7, 107, 7]


def test_the_image_and_the_tail_agree(tmp_path: object) -> None:
    """A change in the image, taken back in the tail."""
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    with store_at(tmp_path) as store:
        play(store, *HEADS, *MOVED)
        store.publish()
        with store.ledger() as ledger:
            check(ledger, census_of(*HEADS, *MOVED), AFTER)
        store.registry.take_back("area", 2, because="annulled")
        with store.ledger() as ledger:
            assert ledger.tail_events == 1
            assert coverage_at(ledger, ["16.06"], AFTER)[0].area == "16.06"


# --- the trace ------------------------------------------------------------------------------------


def test_heads_of_a_regency_that_moved_are_their_own_line() -> None:
    """All of them, whenever they came; the steps still sum to the change."""
    later = enrolled("16.06", 5, "2027-02-01", "SK-9")
    other = enrolled("11.71", 3, "2027-02-01", "SK-10")
    with ledger_of(*HEADS, *MOVED, later, other) as ledger:
        here = Point(BEFORE, ledger.position)
        there = Point(AFTER, ledger.position)
        traced = Traced("11", here, there)
        found = trace(ledger, traced)
        listed = list(steps(ledger, traced))
        grouped = list(groups(ledger, traced, "batch"))
        back = trace(ledger, Traced("11", there, here))
        now = trace(ledger, Traced("11", here, there, as_of=LATER))
    assert (found.active, found.flows.moved, found.flows.entered) == (108, 105, 3)
    assert (found.moved_in, found.moved_out) == (("11.80",), ())
    assert {each.line for each in found.statement} >= {"moved"}
    assert sum(each.workers for each in listed) == 108
    assert {(e.area, e.step_class) for e in listed} == {("11.80", "boundary"), ("11.71", "period")}
    assert sum(each.flows.moved for each in grouped) == 105
    assert (back.flows.moved, back.moved_out) == (-105, ("16.06",))
    assert (now.active, now.flows.moved, now.flows.entered) == (8, 0, 8)


def test_the_percentage_of_a_regency_that_moved_is_the_effect_of_the_counted() -> None:
    """Where nothing else happened, heads and potential have no effect of their own."""
    potentials = [
        RevisePotential(area, date(2026, 1, 1), workers, "angkatan kerja", "BPS")
        for area, workers in (("16.06", 200), ("11.01", 70))
    ]
    with ledger_of(*HEADS, *MOVED, *potentials) as ledger:
        points = (Point(BEFORE, ledger.position), Point(ON, ledger.position))
        found = trace(ledger, Traced("11", *points))
    assert found.effects is not None
    assert found.effects.numerator == found.effects.denominator == 0
    assert found.effects.counted == found.points == Fraction(10700, 270) - 10
    assert found.entering == ("11.80",)


# --- any history ----------------------------------------------------------------------------------

_DAYS = [date(2026, 6, 1) + 90 * DAY * n for n in range(6)]
_days = st.sampled_from(_DAYS)


@st.composite
def histories(draw: st.DrawFn) -> list[RecordBatch | ChangeArea]:
    """Return heads, changes that are admitted, and transfers to what is opened."""
    commands: list[RecordBatch | ChangeArea] = []
    for number, area in enumerate(draw(st.lists(st.sampled_from([*BASE]), max_size=5))):
        day = draw(_days)
        until = str(day + 200 * DAY) if draw(st.booleans()) else None
        commands.append(
            enrolled(area, draw(st.integers(1, 9)), str(day), f"SK-{number}", until=until)
        )
    for number in range(draw(st.integers(0, 4))):
        census = census_of(*commands)
        on = draw(_days)
        area = draw(st.sampled_from(census.areas()))
        change = draw(st.sampled_from([Change.MOVED, Change.RECODED, Change.OPENED]))
        opened = census.opened(area)
        later = [each for each in census.changes if each.area == area and each.on >= on]
        if (later and change is not Change.OPENED) or (opened is not None and opened.on >= on):
            continue
        province = census.province(area, on)
        if change is Change.MOVED:
            commands.append(changed(area, "moved", str(on), "11" if province == "16" else "16"))
        elif change is Change.RECODED:
            commands.append(changed(area, "recoded", str(on), f"{province}.9{number}"))
        else:
            new = f"16.8{number}"
            commands.append(changed(new, "opened", str(on), f"Baru {number}", area))
            staying = [head for head in census.heads if head.gone_on is None]
            free = min(  # on that day and, as others may leave later, on every later one
                sum(head.area(day) == area for head in staying) for day in _DAYS if day >= on
            )
            if free:
                workers = draw(st.integers(1, free))
                commands.append(transferred(area, new, workers, str(on), f"TR-{number}"))
    census = census_of(*commands)
    for number, key in enumerate(draw(st.lists(st.sampled_from(census.areas()), max_size=3))):
        opened = census.opened(key)
        on = max(draw(_days), on_or_before(opened))
        until = str(on + 130 * DAY) if draw(st.booleans()) else None
        commands.append(
            enrolled(key, draw(st.integers(1, 9)), str(on), f"LT-{number}", until=until)
        )
    return commands


def on_or_before(opened: ChangeArea | None) -> date:
    """Return the first day on which an area may have heads."""
    return date.min if opened is None else opened.on


@settings(max_examples=max(1, settings().max_examples // 4))
@given(histories(), _days, _days, st.integers(0, 99))
def test_the_nation_is_the_same_in_both_views(
    commands: list[RecordBatch | ChangeArea], on: date, other: date, place: int
) -> None:
    """For any history and any two days: areas, provinces and the nation equal the heads followed."""
    on, as_of = sorted((on, other))
    census = census_of(*commands)
    with ledger_of(*commands) as ledger:
        check(ledger, census, on)
        check(ledger, census, on, as_of)
        areas = ("16", "11", *census.areas())
        area = areas[place % len(areas)]
        for view in (None, as_of):
            last = list(timeline(ledger, area, until=on, as_of=view))[-1:]
            (row,) = coverage_at(ledger, [area], on, as_of=view)
            assert (last[0].active if last else None) == row.active


_said = st.lists(st.tuples(st.integers(0, 9), _days, st.integers(1, 50)), max_size=6)
"""Potentials: whose (by its place), from which day, how many persons."""


def potentials_said(census: Census, said: list[tuple[int, date, int]]) -> Iterator[RevisePotential]:
    """Yield them; of an opened regency from the day it is opened at the earliest."""
    areas = census.areas()
    for place, day, workers in said:
        area = areas[place % len(areas)]
        opened = census.opened(area)
        since = day if opened is None else max(day, opened.on)
        yield RevisePotential(area, since, workers, "angkatan kerja", "BPS")


def check_effects(found: Trace) -> None:
    """The effects add up to the change of the percentage; of one regency there are but two."""
    if found.effects is None:
        assert found.points is None
        return
    parts = (found.effects.numerator, found.effects.denominator, found.effects.counted)
    assert sum(parts) == found.points
    if "." in found.traced.area:
        assert found.effects.counted == 0


def check_now(ledger: Ledger, census: Census, traced: Traced) -> None:
    """In the boundaries of one later day nothing moves, and a split regency is whole at both ends."""
    found, listed = trace(ledger, traced), list(steps(ledger, traced))
    assert found.flows.workers == found.active == sum(each.workers for each in listed)
    assert (found.flows.moved, found.moved_in, found.moved_out) == (0, (), ())
    check_effects(found)
    assert traced.as_of is not None
    first, last = sorted((traced.start.on, traced.end.on))
    if "." not in traced.area:
        return
    root = census.root(traced.area, first)
    parts = {root, *(key for key in census.areas() if census.root(key, first) == root)}
    parts = {key for key in parts if census.root(key, traced.as_of) == key}
    if traced.area not in parts:  # opened after that day: nobody is in it
        parts = set()
    heads = [
        sum(workers for key, workers in census.by_area(on).items() if key in parts)
        for on in (traced.start.on, traced.end.on)
    ]
    assert [found.start.active or 0, found.end.active or 0] == heads
    assert found.joined == (sum(census.root(key, last) == key for key in parts) > 1)


def lies_in(census: Census, key: str, area: str, on: date) -> bool:
    """Whether a regency is an area's on a day; one that is opened later lies where it will be."""
    opened = census.opened(key)
    if opened is not None:
        on = max(on, opened.on)
    return area in {NATION, key, census.province(key, on)}


def expected_steps(
    ledger: Ledger, census: Census, area: str, start: date, end: date
) -> Counter[tuple[object, ...]]:
    """Sort the entries that are counted at one of two days only, one by one."""
    expected: Counter[tuple[object, ...]] = Counter()
    for key, position, day, workers in ledger.connection.execute(
        "SELECT area, position, effective_on, workers FROM entries"
    ).fetchall():
        there, then = (lies_in(census, key, area, on) for on in (start, end))
        first, second = there and day <= start, then and day <= end
        if first == second:
            continue
        period = "period" if day > min(start, end) else "restatement"
        step_class = "boundary" if there != then else period
        expected[position, -workers if first else workers, first, step_class] += 1
    return expected


@settings(max_examples=max(1, settings().max_examples // 4))
@given(histories(), _said, st.tuples(_days, _days, _days), st.integers(0, 99))
def test_the_steps_are_the_entries_counted_at_one_end(
    commands: list[RecordBatch | ChangeArea],
    said: list[tuple[int, date, int]],
    days: tuple[date, date, date],
    place: int,
) -> None:
    """For any history and any three days: only what really moved is a step of the boundary.

    Steps come to the change, the other way round they are negated, and two traces make the third;
    the effects add up to the change of the percentage. So do they in today's boundaries.
    """
    census = census_of(*commands)
    with ledger_of(*commands, *potentials_said(census, said)) as ledger:
        areas = (NATION, "16", "11", *census.areas())
        area = areas[place % len(areas)]
        points = [Point(on, ledger.position) for on in days]
        changes: dict[tuple[int, int], int] = {}
        for first, second in ((0, 1), (1, 0), (1, 2), (0, 2)):
            traced = Traced(area, points[first], points[second])
            found, listed = trace(ledger, traced), list(steps(ledger, traced))
            classes = Counter((e.position, e.workers, e.reversed, e.step_class) for e in listed)
            assert classes == expected_steps(ledger, census, area, days[first], days[second])
            assert found.flows.workers == found.active == sum(each.workers for each in listed)
            assert found.flows.moved == sum(
                each.workers for each in listed if each.step_class == "boundary"
            )
            assert (found.flows.moved == 0) or found.moved_in or found.moved_out
            changes[first, second] = found.active
            check_now(ledger, census, replace(traced, as_of=max(days)))
            check_effects(found)
        assert changes[0, 1] == -changes[1, 0]
        assert changes[0, 1] + changes[1, 2] == changes[0, 2]


def test_what_comes_to_an_opened_regency_came_in() -> None:
    """Of itself, its province and the nation: transfers and enrolments, nothing moved."""
    later = enrolled("16.18", 5, "2027-02-01", "SK-9")
    with ledger_of(*HEADS, *SPLIT, later) as ledger:
        ends = (Point(BEFORE, ledger.position), Point(date(2027, 3, 1), ledger.position))
        found = {
            area: trace(ledger, Traced(area, *ends)) for area in ("16.18", "16.06", "16", "ID")
        }
        back = trace(ledger, Traced("16.18", ends[1], ends[0]))
    flows = {
        area: (each.flows.entered, each.flows.left, each.flows.moved)
        for area, each in found.items()
    }
    assert flows == {"16.18": (45, 0, 0), "16.06": (0, -40, 0), "16": (5, 0, 0), "ID": (5, 0, 0)}
    assert not any((*each.moved_in, *each.moved_out) for each in found.values())
    assert (back.active, back.flows.entered) == (-45, -45)


def test_a_split_regency_is_one_at_both_ends_in_todays_boundaries() -> None:
    """The parts' heads and potentials together, asked for either; effects are of like with like."""
    potentials = [
        RevisePotential(area, date.fromisoformat(day), workers, "angkatan kerja", "BPS")
        for area, day, workers in (
            ("16.06", "2026-01-01", 200),
            ("16.06", "2027-01-01", 120),
            ("16.18", "2027-01-01", 90),
        )
    ]
    later = enrolled("16.18", 5, "2027-02-01", "SK-9")
    with ledger_of(*HEADS, *SPLIT, later, *potentials) as ledger:
        ends = (Point(BEFORE, ledger.position), Point(AFTER, ledger.position))
        parts = [trace(ledger, Traced(each, *ends, as_of=LATER)) for each in ("16.06", "16.18")]
        province = trace(ledger, Traced("16", *ends, as_of=LATER))
        guru = trace(ledger, Traced("16.18", *ends, category="guru", as_of=LATER))
    for found in (*parts, guru):
        assert (found.area, found.joined) == ("16.06+16.18", True)
        assert (found.start.active, found.end.active) == (100, 105)
        assert (found.start.potential, found.end.potential) == (200, 210)
        assert (found.flows.entered, found.flows.left, found.flows.moved) == (5, 0, 0)
        assert found.points == 0
        assert found.effects is not None
        assert found.effects.numerator == -found.effects.denominator != 0
    assert province.effects is not None
    assert province.effects.counted == 0
    assert province.entering == ()


def test_of_a_split_regency_a_part_without_potential_leaves_no_percentage() -> None:
    """Part of the denominator would be missing; the heads are known nevertheless."""
    potential = RevisePotential("16.06", date(2026, 1, 1), 200, "angkatan kerja", "BPS")
    with ledger_of(*HEADS, *SPLIT, potential) as ledger:
        ends = (Point(BEFORE, ledger.position), Point(AFTER, ledger.position))
        found = trace(ledger, Traced("16.06", *ends, as_of=LATER))
    assert (found.end.active, found.end.potential, found.end.coverage) == (100, None, None)
    assert found.effects is None


def test_what_was_opened_and_then_moved_came_with_its_regency() -> None:
    """Between a day before both and one after both, its heads are Moved for the new province."""
    moved = changed("16.18", "moved", "2028-01-01", "11")
    with ledger_of(*HEADS, *SPLIT, moved) as ledger:
        ends = (Point(BEFORE, ledger.position), Point(LATER, ledger.position))
        there = trace(ledger, Traced("11", *ends))
        here = trace(ledger, Traced("16", *ends))
    assert (there.flows.moved, there.moved_in, there.moved_out) == (40, ("16.18",), ())
    assert (here.flows.left, here.flows.moved, here.moved_in, here.moved_out) == (-40, 0, (), ())


def test_an_area_is_known_by_name_before_its_opening_is_recorded() -> None:
    """As known then there is nobody in it, at every question."""
    with store_at() as store:
        play(store, *HEADS)
        with closing(store.log()) as log:
            before = log.head()
        play(store, *SPLIT)
        with store.ledger() as ledger:
            (row,) = coverage_at(ledger, ["16.18"], AFTER, known=before)
            (province,) = coverage_at(ledger, ["16"], AFTER, known=before)
            days = list(timeline(ledger, "16.18", until=AFTER, known=before))
            ends = (Point(AFTER, before), Point(AFTER, ledger.position))
            found = trace(ledger, Traced("16.18", *ends))
            revised = revisions_on(ledger, "16.18", AFTER, known=before)
    assert (row.area_name, row.active, row.regencies_total) == ("Muba Ilir", None, 0)
    assert (province.active, province.regencies_total) == (130 - 30, 17)
    assert days == []
    assert (found.active, found.flows.restated, found.flows.moved) == (40, 40, 0)
    assert (revised.area_name, revised.releases) == ("Muba Ilir", ())


@pytest.mark.parametrize("changes", [MOVED, SPLIT], ids=["moved", "split"])
def test_targets_forecast_and_revisions_are_of_the_same_area(
    changes: tuple[RecordBatch | ChangeArea, ...],
) -> None:
    """With the boundaries of the day or of a later one, each says what coverage says then."""
    areas = ("16", "11", "16.06", NATION)
    said: list[RevisePotential | SetTarget] = [
        *(
            RevisePotential(each, date(2026, 1, 1), 1_000 + n, "workers", "BPS")
            for n, each in enumerate(("16.06", "16.71", "11.01"))
        ),
        *(SetTarget(each, date(2027, 12, 31), Decimal(50), "a plan", "a paper") for each in areas),
    ]
    with ledger_of(*changes, *HEADS, *said) as ledger:
        for area, on, as_of in product(areas, (BEFORE, ON, AFTER), (None, LATER)):
            (row,) = coverage_at(ledger, [area], on, as_of=as_of)
            expected = (row.active, row.potential, row.coverage)
            (held,) = (
                e for e in targets_at(ledger, area, on, as_of=as_of) if e.target.area == area
            )
            assert (held.active, held.potential, held.coverage) == expected
            found = forecast(ledger, area, on, on + 90 * DAY, as_of=as_of)
            assert (found.active, found.potential, found.coverage) == expected
            revised = revisions_on(ledger, area, on, as_of=as_of)
            latest = revised.references[0].latest.figure if revised.references else None
            assert (latest.active if latest else None) == row.active
            assert latest is None or (latest.potential, latest.coverage) == expected[1:]


@pytest.mark.parametrize("documented", [False, True], ids=["recorded", "documented"])
def test_revisions_of_a_part_before_the_split_are_those_of_the_whole(documented: bool) -> None:
    """In today's boundaries either part answers what both came to, over the potential they had."""
    potential = RevisePotential("16.06", date(2026, 1, 1), 200, "angkatan kerja", "BPS")
    with ledger_of(*HEADS, *SPLIT, potential) as ledger:
        found = [
            revisions_on(ledger, area, BEFORE, documented=documented, as_of=LATER)
            for area in ("16.06", "16.18")
        ]
        rows = [
            revision_triangle(ledger, area, until=BEFORE, documented=documented, as_of=LATER)
            for area in ("16.06", "16.18")
        ]
    for whole, part in (found, rows):
        assert part == whole
        assert whole.area == "16.06+16.18"
        latest = whole.references[-1].latest.figure
        assert (latest.active, latest.potential, latest.coverage) == (100, 200, Fraction(50))


def test_a_row_of_a_triangle_is_the_same_up_to_whatever_month() -> None:
    """Each follows the boundaries of its own date: a province has a regency until it moves."""
    potentials = [
        RevisePotential(area, date(2026, 1, 1), workers, "angkatan kerja", "BPS")
        for area, workers in (("16.06", 200), ("16.71", 60), ("11.01", 70))
    ]
    with ledger_of(*HEADS, *MOVED, *potentials) as ledger:
        found = {
            (area, until, view): {
                str(each.on): (each.latest.figure.active, each.latest.figure.potential)
                for each in revision_triangle(
                    ledger, area, since=date(2026, 11, 30), until=until, as_of=view
                ).references
            }
            for area in ("16", "11")
            for until in (BEFORE, date(2027, 1, 31))
            for view in (None, LATER)
        }
    after = date(2027, 1, 31)
    then = {"2026-11-30": (130, 260), "2026-12-31": (130, 260)}
    assert found["16", BEFORE, None] == then
    assert found["16", after, None] == then | {"2027-01-31": (30, 60)}
    assert found["11", after, None] == {
        "2026-11-30": (7, 70),
        "2026-12-31": (7, 70),
        "2027-01-31": (107, 270),
    }
    assert {*found["16", after, LATER].values()} == {(30, 60)}
    assert {*found["11", BEFORE, LATER].values()} == {(107, 270)}


@settings(max_examples=max(1, settings().max_examples // 4))
@given(histories(), _said, st.integers(0, 99), st.booleans())
def test_every_cell_of_a_triangle_is_coverage_on_its_date(
    commands: list[RecordBatch | ChangeArea],
    said: list[tuple[int, date, int]],
    place: int,
    now: bool,
) -> None:
    """For any history: each reference date, as known at each vintage, in the boundaries of its day.

    In those of a later day too. What changed a figure comes to the change.
    """
    changes = [each for each in commands if isinstance(each, ChangeArea)]
    batches = [each for each in commands if isinstance(each, RecordBatch)]
    census = census_of(*commands)
    others: list[RecordBatch | RevisePotential] = [*batches, *potentials_said(census, said)]
    areas = (NATION, "16", "11", *census.areas())
    area, view = areas[place % len(areas)], _DAYS[-1] if now else None
    with store_at() as store:
        play(store, *changes)
        for command in others:
            play(store, command)
        with store.ledger() as ledger:
            positions = [*range(len(changes), ledger.position + 1)]
            found = revision_triangle(
                ledger, area, until=_DAYS[-1], positions=positions, as_of=view
            )
            for release in found.releases:
                known, figure = release.vintage.position, release.figure
                (row,) = coverage_at(ledger, [area], release.on, known=known, as_of=view)
                assert (figure.active, figure.potential, figure.coverage) == (
                    row.active,
                    row.potential if row.active is not None else None,
                    row.coverage,
                )
                if release.revision is not None:
                    assert release.revision == sum(each.workers for each in release.batches)
            for reference in found.references:
                (row,) = coverage_at(ledger, [area], reference.on, as_of=view)
                assert reference.latest.figure.active == row.active


@pytest.mark.parametrize("documented", [False, True], ids=["recorded", "documented"])
def test_a_move_told_late_revises_both_provinces(documented: bool) -> None:
    """Each cell is what coverage answered then; the event that moved the regency is the cause."""
    end = date(2027, 1, 31)
    said = [
        RevisePotential(area, date(2026, 1, 1), workers, "workers", "BPS")
        for area, workers in (("16.06", 200), ("16.71", 60), ("11.01", 70))
    ]
    with store_at() as store:
        store.clock.now = datetime(2027, 1, 2, tzinfo=UTC)
        store.registry.record(*HEADS, *said)
        store.clock.now = datetime(2027, 4, 2, tzinfo=UTC)
        moved = store.registry.record(*MOVED).first_position
        with store.ledger() as ledger:
            found = {
                area: revisions_on(ledger, area, end, documented=documented)
                for area in ("16", "11", NATION)
            }
            table = revision_triangle(ledger, "16", until=end, documented=documented)
            now = revisions_on(ledger, "16", end, documented=documented, as_of=LATER)
            known = [coverage_at(ledger, ["16"], end, known=each)[0].active for each in (6, 8)]
    assert {
        area: [(r.figure.active, r.figure.potential, r.revision) for r in each.releases]
        for area, each in found.items()
    } == {
        "16": [(130, 260, None), (30, 60, -100)],
        "11": [(7, 70, None), (107, 270, 100)],
        NATION: [(137, 330, None)],
    }
    assert known == [130, 30]
    assert moved is not None
    left = AreaEffect("16.06", "left", moved, -100)
    assert [each.areas for each in found["16"].releases] == [(), (left,)]
    assert [each.areas for each in found["11"].releases] == [
        (),
        (AreaEffect("16.06", "came-in", moved, 100),),
    ]
    row = [r.figure.active for r in table.releases if r.on == end]
    assert (row[0], row[-1]) == (130, 30)
    assert [r.areas for r in table.releases if r.on == end and r.areas] == [(left,)]
    before = {r.figure.active for r in table.releases if r.on == BEFORE}
    assert before == {130}, "on that day it lay there, whatever was known"
    assert [r.figure.active for r in now.releases] == [30], "one map for all vintages"


def test_a_figure_that_is_no_more_is_released_too() -> None:
    """What was printed of a province holds no longer once it is known that its heads lie elsewhere."""
    with store_at() as store:
        store.clock.now = datetime(2026, 6, 1, tzinfo=UTC)
        store.registry.record(enrolled("16.06", 9, "2026-01-01", "SK-1"))
        store.clock.now = datetime(2027, 2, 2, tzinfo=UTC)
        store.registry.record(changed("16.06", "moved", "2026-01-01", "11"))
        with store.ledger() as ledger:
            found = revisions_on(ledger, "16", BEFORE)
            rows = revision_triangle(ledger, "16", since=BEFORE, until=BEFORE, positions=[1, 2])
    for releases in (found.releases, rows.releases):
        assert [each.figure.active for each in releases] == [9, None]
        assert [each.revision for each in releases] == [None, None]
        assert [(each.change, each.workers) for each in releases[1].areas] == [("left", -9)]
    assert found.references[0].latest.figure.active is None


@settings(max_examples=max(1, settings().max_examples // 10))
@given(histories(), _said, st.integers(0, 99), _days, st.randoms(use_true_random=False))
def test_every_release_is_coverage_as_known_then(
    commands: list[RecordBatch | ChangeArea],
    said: list[tuple[int, date, int]],
    place: int,
    on: date,
    random: Random,
) -> None:
    """For any history told in any order: the areas too are those known at the vintage.

    What changed a figure comes to the change, and is told. By documents that claim no date a change
    counts from the day on which it was recorded.
    """
    census = census_of(*commands)
    with store_at() as store:
        days = told_in_some_order(store, [*commands, *potentials_said(census, said)], random)
        with store.ledger() as ledger:
            areas = (NATION, "16", "11", *BASE, *boundaries_at(ledger, ledger.position).opened)
            area = areas[place % len(areas)]
            ends = [*range(1, ledger.position + 1)]
            found = [
                revision_triangle(ledger, area, until=_DAYS[-1], positions=ends),
                revision_triangle(ledger, area, until=_DAYS[-1], documented=True),
                revisions_on(ledger, area, on),
                revisions_on(ledger, area, on, documented=True),
            ]
            for answer, release in ((each, r) for each in found for r in each.releases):
                known = release.vintage.position
                if answer.vintage == "documented":
                    known = sum(day <= release.vintage.day for day in days)
                assert figure_of(release.figure) == known_then(ledger, area, release.on, known)
                check_causes(release)
            for known in ends:
                releases = [r for r in found[2].releases if r.vintage.position <= known]
                figure = figure_of(releases[-1].figure) if releases else (None, None, None, 0)
                assert figure == known_then(ledger, area, on, known)


def told_in_some_order(
    store: Store, commands: Sequence[RecordBatch | ChangeArea | RevisePotential], random: Random
) -> list[date]:
    """Record each that is admitted some time on a day of its own, in any order; return the days."""
    days: list[date] = []
    waiting = list(commands)
    while waiting:
        random.shuffle(waiting)
        left = []
        for command in waiting:
            day = date(2028, 1, 1) + len(days) * DAY
            store.clock.now = datetime.combine(day, time(3), UTC)
            try:
                store.registry.record(command)
            except RegistryError:
                left.append(command)
            else:
                days.append(day)
        if len(left) == len(waiting):  # a code may be taken, or a province left, by then
            break
        waiting = left
    return days


def known_then(
    ledger: Ledger, area: str, on: date, known: int
) -> tuple[int | None, int | None, Fraction | None, int]:
    """Return what coverage says, nothing of a potential before the first entry."""
    (row,) = coverage_at(ledger, [area], on, known=known)
    if row.active is None:
        return None, None, None, 0
    return row.active, row.potential, row.coverage, row.regencies_counted


def figure_of(figure: Figure) -> tuple[int | None, int | None, Fraction | None, int]:
    """Return a figure as a tuple; nothing of a potential before the first entry."""
    if figure.active is None:
        return None, None, None, 0
    return figure.active, figure.potential, figure.coverage, figure.regencies_counted


def check_causes(release: Release) -> None:
    """Batches and areas come to the revision, where there is one before to compare with."""
    if release.revision is not None:
        assert release.batches_total == len(release.batches), "all are listed"
        came = sum(each.workers for each in release.areas)
        assert release.revision == came + sum(each.workers for each in release.batches)


def test_heads_that_a_new_regency_had_from_the_start_are_no_pace() -> None:
    """Neither gained by it nor lost by the one it was split from; what came and went besides is."""
    said: list[RevisePotential | SetTarget] = [
        RevisePotential("16.06", date(2026, 1, 1), 1_000, "workers", "BPS"),
        RevisePotential("16.18", ON, 500, "workers", "BPS"),
        *(
            SetTarget(area, date(2028, 12, 31), Decimal(50), "a plan", "a paper")
            for area in ("16", "16.06", "16.18")
        ),
    ]
    others = (
        enrolled("16.18", 6, "2027-02-01", "SK-7"),
        enrolled("16.06", 3, "2027-02-01", "SK-8"),
        transferred("16.06", "16.18", 12, "2027-03-01", "SK-9"),
        transferred("16.71", "16.18", 18, "2027-01-01", "SK-10"),  # of another, on the day
        enrolled("16.71", 18, "2026-01-01", "SK-11"),
    )
    with ledger_of(*HEADS, *SPLIT, *others, *said) as ledger:
        rows = {e.target.area: e for e in targets_at(ledger, "16", date(2027, 7, 1))}
        later = {e.target.area: e.pace for e in targets_at(ledger, "16", date(2028, 7, 1))}
    assert rows["16.06"].pace == Fraction(3 - 12, 12)
    assert (rows["16.18"].pace, rows["16.18"].pace_since) == (Fraction(6 + 12 + 18, 6), ON)
    assert rows["16"].pace == Fraction(3 - 12, 12) + 6
    assert rows["16.06"].course == "behind"
    assert later["16.06"] == later["16.18"] == 0


# --- the forecast ---------------------------------------------------------------------------------


def falls(found: Forecast) -> list[tuple[str, int, int]]:
    """Return the day, ending and other of each row with any."""
    return [(str(m.on), m.ending, m.other) for m in found.months if m.ending or m.other]


def test_terms_that_end_after_a_regency_moved_are_those_of_its_new_province() -> None:
    """The heads are Other, out and in, as in a trace they are Moved; what may be renewed goes along."""
    term = enrolled("16.06", 20, "2026-01-01", "SK-5", until="2026-12-31")
    ends = enrolled("16.06", 50, "2026-01-01", "SK-6", until="2027-04-30")
    stays = enrolled("16.71", 8, "2026-01-01", "SK-7", until="2027-04-30")
    potentials = [
        RevisePotential(area, date(2026, 1, 1), 200, "angkatan kerja", "BPS")
        for area in ("16.06", "16.71", "11.01")
    ]
    moved = changed("16.06", "moved", "2027-02-01", "11")
    with ledger_of(*HEADS, moved, term, ends, stays, *potentials) as ledger:
        asked = [
            forecast(ledger, area, date(2026, 11, 30), AFTER, target_percent=Fraction(100))
            for area in ("16", "11")
        ]
        first, last = (Point(on, ledger.position) for on in (date(2026, 11, 30), AFTER))
        traced = trace(ledger, Traced("16", first, last))
    here, there = asked
    assert falls(here) == [
        ("2027-01-31", 20, 0),
        ("2027-02-28", 0, -150),
        ("2027-04-30", 30, 0),
        ("2027-05-31", 8, 0),
    ]
    assert (traced.flows.lapsed, traced.flows.moved) == (-38, -170)
    assert falls(there) == [("2027-02-28", 0, 150), ("2027-05-31", 50, 0)]
    assert [(str(each.on), each.lapsing) for each in here.cliffs] == [
        ("2027-04-01", 30),
        ("2027-01-01", 20),
        ("2027-05-01", 8),
    ]
    assert [(each.area, each.reference) for each in there.cohorts] == [("16.06", "SK-6")]
    must = {str(each.on): each.must_renew for each in here.months}
    assert (must["2027-01-31"], must["2027-02-28"], must["2027-05-31"]) == (20, 0, 38)
    assert (here.months[-1].lapsed, there.months[-1].must_renew) == (58, 50)


def test_on_the_day_a_regency_moves_its_terms_end_in_the_new_province() -> None:
    """There its heads come in and go at once; of the old one they have moved."""
    term = enrolled("16.06", 20, "2026-01-01", "SK-5", until="2026-12-31")
    with ledger_of(term, changed("16.06", "moved", "2027-01-01", "11")) as ledger:
        for area, expected in (("16", (0, -20)), ("11", (20, 20)), (NATION, (20, 0))):
            found = forecast(ledger, area, date(2026, 12, 30), ON)
            assert [(m.ending, m.other) for m in found.months] == [(0, 0), expected]


def test_in_todays_boundaries_a_split_regency_stays_together() -> None:
    """Its heads, potentials and terms, those of the part that is to come too; as a trace has it."""
    term = enrolled("16.06", 20, "2026-01-01", "SK-5", until="2027-03-31")
    line = transferred("16.06", "16.18", 8, "2027-01-01", "SK-6", of="SK-5")
    potentials = [
        RevisePotential(area, date.fromisoformat(day), workers, "angkatan kerja", "BPS")
        for area, day, workers in (
            ("16.06", "2026-01-01", 200),
            ("16.06", "2027-01-01", 120),
            ("16.18", "2027-02-10", 90),
        )
    ]
    with ledger_of(*HEADS, *SPLIT, term, line, *potentials) as ledger:
        found, part = (
            forecast(ledger, area, BEFORE, AFTER, as_of=LATER, target_percent=Fraction(60))
            for area in ("16.06", "16.18")
        )
        then = forecast(ledger, "16.06", BEFORE, AFTER)
        alone = forecast(ledger, "16.18", ON, AFTER, as_of=LATER)
    assert (found.area, found.active, found.potential) == ("16.06+16.18", 120, 200)
    assert (part.months, part.cliffs, part.cohorts) == (found.months, found.cliffs, found.cohorts)
    assert falls(found) == [("2027-04-30", 20, 0)]
    assert [(m.active, m.potential, m.needed, m.must_renew) for m in found.months] == [
        (120, None, None, None),
        (120, 210, 6, 0),
        (120, 210, 6, 0),
        (100, 210, 26, 20),
        (100, 210, 26, 20),
        (100, 210, 26, 20),
    ]
    named = {(each.area, each.area_name, each.workers) for each in found.cohorts}
    assert named == {("16.06", "Musi Banyuasin", 12), ("16.18", "Muba Ilir", 8)}
    assert falls(then) == [("2027-01-31", 0, -48), ("2027-04-30", 12, 0)]
    assert (alone.area, alone.active, falls(alone)) == ("16.18", 48, [("2027-04-30", 8, 0)])


def lying(census: Census, area: str, on: date, view: tuple[date, date] | None) -> frozenset[str]:
    """Return the regencies that are an area's on a day; in today's boundaries (first day, today).

    A regency is then all that was one with it on the first day.
    """
    there = [key for key in census.areas() if census.root(key, on) == key]
    if "." not in area:
        today = on if view is None else view[1]
        return frozenset(k for k in there if area in {NATION, census.province(k, today)})
    if view is None:
        return frozenset(key for key in there if key == area)
    first, _ = view
    return frozenset(key for key in there if census.root(key, first) == census.root(area, first))


def check_forecast(
    found: Forecast, ledger: Ledger, census: Census, area: str, view: tuple[date, date] | None
) -> None:
    """Hold each row and each fall to the heads that are inside, and leave, one by one."""
    gone = Counter(
        (head.gone_on, key)
        for head in census.heads
        if head.gone_on is not None and found.on < head.gone_on <= found.until
        for key in [head.area(head.gone_on - DAY)]
        if key in lying(census, area, head.gone_on, view)
    )
    asked: Counter[tuple[date, str]] = Counter()
    for each in found.cohorts:
        asked[each.covered_until + DAY, each.area] += each.workers
    assert asked == gone
    by_day: Counter[date] = Counter()
    for (day, _), workers in gone.items():
        by_day[day] += workers
    assert {each.on: each.workers for each in found.cliffs} == by_day
    before, active = found.on, found.active or 0
    for month in found.months:
        inside = lying(census, area, month.on, view)
        heads = sum(census.by_area(month.on)[key] for key in inside)
        assert (month.active or 0) == heads
        assert month.ending == sum(n for day, n in by_day.items() if before < day <= month.on)
        assert heads - active == month.other - month.ending + month.renewed
        if month.needed is not None:
            rows = coverage_at(ledger, sorted(inside), month.on)
            counted = {row.key for row in rows if row.coverage is not None}
            lapsed = sum(n for (day, k), n in gone.items() if day <= month.on and k in counted)
            assert month.must_renew == min(month.needed, lapsed)
        before, active = month.on, heads


def check_against_traces(
    found: Forecast, ledger: Ledger, census: Census, area: str, as_of: date | None
) -> None:
    """A row with endings, and the last, is the end of a trace; so are its lapses.

    But for those since the row before if a border changed in between.
    """
    before = found.on
    changes = {each.on for each in census.changes}
    for month in found.months:
        if month.ending or month.on == found.until:
            start, last, end = (Point(on, ledger.position) for on in (found.on, before, month.on))
            whole = trace(ledger, Traced(area, start, end, as_of=as_of))
            assert (month.active, month.coverage) == (whole.end.active, whole.end.coverage)
            alone = as_of is not None and whole.joined  # a part between two days after the split
            if not alone and not any(before < day <= month.on for day in changes):
                step = trace(ledger, Traced(area, last, end, as_of=as_of))
                assert step.flows.lapsed == -month.ending
        before = month.on


@st.composite
def histories_with_terms(draw: st.DrawFn) -> list[RecordBatch | ChangeArea]:
    """Return a history, and most often a regency that moves while a term of it runs."""
    commands = draw(histories())
    if not any(each.area == "11.71" for each in commands if isinstance(each, ChangeArea)):
        on = draw(st.sampled_from(_DAYS[2:4]))
        commands.append(changed("11.71", "moved", str(on), "16"))
        until = str(on + draw(st.integers(-3, 80)) * DAY)
        workers = draw(st.integers(1, 9))
        commands.append(enrolled("11.71", workers, "2026-01-01", "MV-1", until=until))
    return commands


@settings(max_examples=max(1, settings().max_examples // 6))
@given(
    histories_with_terms(),
    _said,
    st.tuples(st.sampled_from(_DAYS[:3]), st.sampled_from(_DAYS[3:]), st.sampled_from(_DAYS[5:])),
    st.integers(0, 99),
)
def test_terms_end_where_their_regency_lies(
    commands: list[RecordBatch | ChangeArea],
    said: list[tuple[int, date, int]],
    days: tuple[date, date, date],
    place: int,
) -> None:
    """For any history and days: of every province, in the boundaries of each day and of a later one."""
    census = census_of(*commands)
    first, until, today = days
    with ledger_of(*commands, *potentials_said(census, said)) as ledger:
        regencies = census.areas()
        for area, as_of in product(
            (NATION, "16", "11", regencies[place % len(regencies)]), (None, today)
        ):
            if as_of is not None and "." in area and census.root(area, as_of) != area:
                continue  # it is opened later: nobody is in it
            found = forecast(ledger, area, first, until, target_percent=Fraction(90), as_of=as_of)
            view = None if as_of is None else (first, as_of)
            check_forecast(found, ledger, census, area, view)
            check_against_traces(found, ledger, census, area, as_of)


def test_todays_boundaries_are_another_view() -> None:
    """The negative control: a province that a regency leaves has others in it with each view."""
    with ledger_of(*MOVED, *HEADS) as ledger:
        for view, heads in ((None, 130), (LATER, 30)):
            (revised,) = revisions_on(ledger, "16", BEFORE, as_of=view).references
            assert revised.latest.figure.active == heads
            assert forecast(ledger, "16", BEFORE, AFTER, as_of=view).active == heads


def test_the_oracle_can_disagree() -> None:
    """Negative control: without its changes the oracle sums otherwise, and is heard."""
    with ledger_of(*HEADS, *MOVED) as ledger, pytest.raises(AssertionError):
        check(ledger, census_of(*HEADS), AFTER)
