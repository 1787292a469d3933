"""What the ledger says at many points: on each day of a period, of the regencies of that day."""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.boundaries import boundaries_in
from projections.courses import Balance
from projections.coverage import coverage_at
from projections.days import Days, Standing
from projections.ledger import Ledger
from projections.points import Point, below_on_any_day
from projections.potentials import potentials_said
from projections.reconciliation import Reconciled, reconcile
from projections.standings import standings_at
from registry.commands import BatchLine, ChangeArea, RecordBatch, RevisePotential
from registry.terms import NATION, Action
from tests.area_changes import BASE, changed, enrolled
from tests.stores import Store
from tests.test_projections_boundaries import histories as boundary_histories
from tests.test_projections_boundaries import play
from tests.test_projections_reconciliation import figure, only, record

FIRST = date(2027, 1, 1)


def moved_in_2027(store: Store) -> None:
    """Record that 16.06 goes from 16 to 11 on 1 May, that 16.71 is split, and heads of all."""
    play(
        store,
        changed("16.06", "moved", "2027-05-01", "11"),
        changed("16.18", "opened", "2027-09-01", "Muba Ilir", "16.71"),
        enrolled("16.06", 1_000, "2026-01-01", "SK-1"),
        enrolled("16.06", 7, "2027-03-01", "SK-2"),
        enrolled("16.71", 500, "2026-01-01", "SK-3", until="2027-07-31"),
        enrolled("16.18", 40, "2027-09-01", "SK-4"),
        enrolled("11.01", 50, "2027-02-01", "SK-5"),
        RevisePotential("16.06", FIRST, 8_000, "workers", "BPS"),
        RevisePotential("16.71", FIRST, 4_000, "workers", "BPS"),
        RevisePotential("16.71", date(2027, 6, 1), 4_500, "workers", "BPS"),
        RevisePotential("11.01", FIRST, 900, "workers", "BPS"),
    )


@pytest.mark.parametrize(
    ("area", "numbers", "verdict"),
    [
        ("16", {"active": 1_500, "potential": 12_000, "percent": "12.50"}, "agrees"),
        ("16", {"active": 500, "potential": 4_500}, "agrees"),
        ("16", {"active": 1_507, "potential": 4_500}, "differs"),  # of two days, not of one
        ("11", {"active": 1_057, "potential": 8_900}, "agrees"),
        ("11", {"active": 50, "potential": 900}, "agrees"),
        ("16", {"active": 40}, "agrees"),
        ("16", {"active": 1_047}, "differs"),
    ],
)
def test_a_year_is_held_against_the_regencies_of_each_of_its_days(
    area: str, numbers: dict[str, int], verdict: str
) -> None:
    """A province's heads and potential of any one day, with what lay in it on that day."""
    with closing(Store(None)) as store:
        moved_in_2027(store)
        assert only(store, figure(area, "2027", **numbers), "2028-01-01").verdict == verdict


def test_every_day_of_a_year_is_what_coverage_says_of_it() -> None:
    """The standings of a year, carried from change to change, against a question for each day."""
    areas = ["16", "11", "ID", "16.06", "16.71"]
    with closing(Store(None)) as store:
        moved_in_2027(store)
        with store.ledger() as ledger:
            standings = {area: _days(ledger, area) for area in areas}
            for on in standings["ID"]:
                found = zip(areas, coverage_at(ledger, areas, on), strict=True)
                for area, row in found:
                    assert (row.active, row.potential) == standings[area][on], (area, on)


def _days(ledger: Ledger, area: str) -> dict[date, tuple[int | None, int | None]]:
    """Return what a figure of the year is held against: on each day the standing it is in."""
    point = Point(area, None, None, FIRST, date(2027, 12, 31), ledger.position)
    found = _standings(ledger, [point])[point]
    assert found[0].on == FIRST
    assert [each.on for each in found] == sorted({each.on for each in found})
    days = {}
    for number in range(365):
        on = FIRST + timedelta(days=number)
        standing = [each for each in found if each.on <= on][-1]
        days[on] = standing.active, standing.potential
    return days


@pytest.mark.parametrize("segment", [None, "BPU"])
def test_a_point_asked_among_others_is_what_it_is_alone(segment: str | None) -> None:
    """What lies before every point is summed once for all: of early, late and spanning points."""
    with closing(Store(None)) as store:
        moved_in_2027(store)
        with store.ledger() as ledger:
            spans = [
                (FIRST, FIRST),
                (FIRST, date(2027, 12, 31)),
                (date(2027, 7, 1), date(2027, 9, 2)),
            ]
            points = [
                Point(area, None, segment, *span, known, documented)
                for area in ("ID", "16", "11", "16.06", "16.71", "16.18", "12")
                for span in spans
                for known, documented in ((3, None), (ledger.position, None), (4, date(2000, 1, 1)))
            ]
            together = _standings(ledger, points)
            for point in points:
                assert list(together[point]) == list(_standings(ledger, [point])[point])


def test_days_are_the_same_however_they_are_read() -> None:
    """From either end, by their heads, or one by one."""
    with closing(Store(None)) as store:
        moved_in_2027(store)
        year = FIRST, date(2027, 12, 31)
        with store.ledger() as ledger:
            points = [
                Point(area, category, None, *year, ledger.position)
                for area in ("ID", "16", "11", "16.06", "16.71", "16.18", "12")
                for category in (None, "guru")
            ]
            for point in points:
                # first, while nobody has gone through the days between
                last = _standings(ledger, [point])[point].last
                counted = _standings(ledger, [point])[point].by_what_is_counted()
                days = _standings(ledger, [point])[point]
                every = list(days)
                assert last == every[-1]
                assert set(counted) <= set(every)
                for least, most in ((-1, -1), (0, 0), (1, 400), (401, 10**8), (10**8, 10**9)):
                    unread = _standings(ledger, [point])[point].with_active(least, most)
                    assert list(unread) == [
                        each
                        for each in reversed(every)
                        if each.active is not None and least <= each.active <= most
                    ]
                assert [days[place] for place in range(len(days))] == every
                assert list(reversed(days)) == every[::-1]
                assert days.last == every[-1]
                for heads in {each.active for each in every if each.active is not None}:
                    of_it = [each for each in every if each.active == heads]
                    assert list(days.with_active(heads, heads)) == of_it[::-1]
                kinds = {_counted(each) for each in every}
                assert {_counted(each) for each in days.by_what_is_counted()} == kinds


def _standings(ledger: Ledger, points: list[Point]) -> dict[Point, Days]:
    boundaries = boundaries_in(ledger.connection, ledger.position)
    below = below_on_any_day(boundaries)
    potentials = potentials_said(ledger.connection, {each.area for each in points}, below)
    return standings_at(ledger.connection, points, potentials, lambda _: boundaries, below)


def _counted(standing: Standing) -> tuple[int | None, int, int]:
    return standing.potential, standing.regencies_counted, standing.regencies_total


def test_known_then_are_the_boundaries_too() -> None:
    """A move recorded since the day of publication was no news to who printed the figure."""
    with closing(Store(None)) as store:
        record(
            store,
            "2027-02-01",
            enrolled("16.06", 1_000, "2026-01-01", "SK-1"),
            enrolled("11.01", 50, "2026-01-01", "SK-2"),
            RevisePotential("16.06", FIRST, 8_000, "workers", "BPS"),
            RevisePotential("11.01", FIRST, 900, "workers", "BPS"),
        )
        before = _head(store)
        for area in ("16", "11", "ID"):
            record(
                store,
                "2027-02-03",
                figure(area, "2027-01-31", active=1_000, published_on=date(2027, 2, 2)),
                figure(area, "2027-01-31", active=1_050, published_on=date(2027, 2, 4)),
            )
        record(store, "2027-02-04", changed("16.06", "moved", "2027-01-01", "11"))
        with store.ledger() as ledger:
            figures = reconcile(ledger).figures
    seen = [_three(each) for each in figures]
    assert seen == [
        (None, 1_000, 1_000),  # of 16, before and after the move was recorded
        (None, None, None),
        (1_050, 50, 50),
        (1_050, 1_050, 1_050),
        (1_050, 1_050, 1_050),
        (1_050, 1_050, 1_050),
    ]
    assert [each.verdict_then for each in figures] == [
        "agrees", "no-ledger", "differs", "agrees", "differs", "agrees",
    ]  # fmt: skip
    assert figures[0].figure.known_then == before
    assert figures[0].then is not None
    assert figures[0].then.standing is not None
    assert figures[0].then.standing.potential == 8_000


def _head(store: Store) -> int:
    with closing(store.log()) as log:
        return log.head()


def _three(each: Reconciled) -> tuple[int | None, int | None, int | None]:
    """Return the heads as known now, as known then and as documented then."""
    now, then, documented = (
        judged.standing.active if judged is not None and judged.standing is not None else None
        for judged in (each.now, each.then, each.documented)
    )
    return now, then, documented


@settings(max_examples=max(1, settings().max_examples // 5))
@given(
    boundary_histories(),
    st.lists(
        st.tuples(
            st.sampled_from([NATION, "16", "11", *BASE]), st.integers(0, 6), st.integers(0, 20)
        ),
        min_size=1,
        max_size=6,
        unique=True,
    ),
)
def test_what_was_known_then_is_what_coverage_says_at_that_position(
    commands: list[RecordBatch | ChangeArea], asked: list[tuple[str, int, int]]
) -> None:
    """For any history, recorded a day after the other: any day of any area, printed on any day.

    Nothing here claims a document, so as documented then is as recorded then.
    """
    first = date(2026, 6, 1)
    with closing(Store(None)) as store:
        for number, command in enumerate(commands):
            record(store, first + timedelta(days=number), command)
        record(store, first, RevisePotential("16.71", first, 60, "workers", "BPS"))
        for area, month, day in asked:
            as_of = str(first + timedelta(days=90 * month))
            printed = first + timedelta(days=day)
            record(store, "2029-01-01", figure(area, as_of, active=1, published_on=printed))
        with store.ledger() as ledger:
            for each in reconcile(ledger).figures:
                of, known = each.figure, each.figure.known_then
                assert of.last_day is not None
                assert known is not None
                (then,) = coverage_at(ledger, [of.area], of.last_day, known=known)
                (now,) = coverage_at(ledger, [of.area], of.last_day)
                assert _three(each) == (now.active, then.active, then.active)


def test_reconciling_entries_are_summed_in_and_out_and_none_that_was_taken_back() -> None:
    """+500 and −500 that both stand are 500 in and 500 out; one withdrawn is neither."""
    with closing(Store(None)) as store:
        record(
            store,
            "2027-02-01",
            enrolled("16.06", 1_000, "2027-01-01", "SK-1"),
            *(
                RecordBatch(
                    action,
                    "16.06",
                    f"REKON-{number}",
                    (BatchLine("guru", workers),),
                    effective_on=date(2027, 1, 5),
                    note="no list",
                )
                for number, (action, workers) in enumerate(
                    ((Action.BALANCE_IN, 500), (Action.BALANCE_OUT, 500), (Action.BALANCE_IN, 9))
                )
            ),
        )
        store.registry.withdraw_batch("16.06", "REKON-2", because="twice")
        record(store, "2027-03-01", figure(as_of="2027-01-31", active=1_000))
        with store.ledger() as ledger:
            (each,) = reconcile(ledger).figures
    standing = each.now.standing
    assert standing is not None
    assert standing.balance == Balance(0, 500, -500)
    assert standing.balance.reconciling == 0
    (balanced,) = each.findings
    assert balanced.code == "balanced"
    assert balanced.says == "1,000 = 500 reconciling − 500 reconciling + 1,000 by batches"
