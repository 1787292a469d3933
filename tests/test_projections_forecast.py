"""The forecast: coverage on days to come is coverage as recorded; heads end as they are counted."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import projections.ledger
from projections.coverage import coverage_at
from projections.forecast import Cliff, EndingCohort, Forecast, ForecastMonth, forecast
from projections.months import end_of_month
from registry.commands import SetTarget
from registry.reference.areas import regencies
from registry.terms import NATION
from tests.heads import World
from tests.ledger_from_doc import Ledger, ledger_document
from tests.oracle import Oracle, key_of
from tests.strategies import PROVINCES, REGENCIES, History, histories, questions
from tests.test_properties_histories import play, stores

_fixture = pytest.fixture(name="ledger_from_doc")(ledger_document)

DAY = timedelta(days=1)
LAST = date(2027, 6, 30)


def ask(ledger: Ledger, area: str, on: str, until: str, percent: str | None = None) -> Forecast:
    """Return the forecast of an area in a document."""
    return forecast(
        ledger.ask(),
        area,
        date.fromisoformat(on),
        date.fromisoformat(until),
        target_percent=Fraction(percent) if percent else None,
    )


def said(found: Forecast) -> list[tuple[str, int, int, int, int | None]]:
    """Return day, ending, renewed, other and active of each row."""
    return [(str(m.on), m.ending, m.renewed, m.other, m.active) for m in found.months]


def test_terms_end_on_the_day_after_their_last(ledger_from_doc: Ledger) -> None:
    """A term until the end of a month counts on its last day, and falls in the month after.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 until 2025-09-30 SK-1
    #2 2025-01-10 enrol      16.06 guru    40 from 2025-01-01 until 2025-10-15 SK-2
    #3 2025-01-10 enrol      16.06 bpd      7 from 2025-01-01 SK-3
    #4 2025-03-10 deactivate 16.06 marbot  30 from 2025-03-01 of SK-1 SK-4
    """
    found = ask(ledger_from_doc, "16.06", "2025-08-15", "2025-11-30")
    assert (found.active, str(found.on)) == (117, "2025-08-15")
    assert said(found) == [
        ("2025-08-31", 0, 0, 0, 117),
        ("2025-09-30", 0, 0, 0, 117),
        ("2025-10-31", 110, 0, 0, 7),
        ("2025-11-30", 0, 0, 0, 7),
    ]
    assert [(str(each.on), each.lapsing, each.active) for each in found.cliffs] == [
        ("2025-10-01", 70, 47),
        ("2025-10-16", 40, 7),
    ]
    assert [(each.reference, str(each.covered_until), each.workers) for each in found.cohorts] == [
        ("SK-1", "2025-09-30", 70),
        ("SK-2", "2025-10-15", 40),
    ]


def test_what_is_renewed_or_recorded_ahead_counts(ledger_from_doc: Ledger) -> None:
    """Only what is not renewed lapses; what was recorded for later days is other.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 until 2025-09-30 SK-1
    #2 2025-03-10 renew      16.06 marbot  60 until 2025-12-31 of SK-1 SK-2
    #3 2025-03-10 enrol      16.06 guru     9 from 2025-10-20 SK-3
    #4 2025-03-11 deactivate 16.06 guru     4 from 2025-11-05 of SK-3 SK-4
    """
    found = ask(ledger_from_doc, "16.06", "2025-09-30", "2025-12-31")
    assert said(found) == [
        ("2025-10-31", 100, 60, 9, 69),
        ("2025-11-30", 0, 0, -4, 65),
        ("2025-12-31", 0, 0, 0, 65),
    ]
    (cohort,) = found.cohorts
    assert (cohort.workers, cohort.renewed, cohort.lapsing) == (100, 60, 40)
    assert [month.lapsed for month in found.months] == [40, 40, 40]
    later = ask(ledger_from_doc, "16.06", "2025-10-01", "2026-01-15")
    assert said(later)[-1] == ("2026-01-15", 60, 0, 0, 5), "the last row is the last day asked"
    assert [each.reference for each in later.cohorts] == ["SK-2"], "SK-1 has ended before"
    assert said(ask(ledger_from_doc, "16.06", "2025-10-01", "2025-10-01")) == []


def test_renewed_heads_that_leave_on_the_first_day_were_never_renewed(
    ledger_from_doc: Ledger,
) -> None:
    """Named as leaving the renewal on its first day, they lapse with the others.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 until 2025-09-30 SK-1
    #2 2025-03-10 renew      16.06 marbot 100 until 2025-12-31 of SK-1 SK-2
    #3 2025-03-11 deactivate 16.06 marbot  30 from 2025-10-01 of SK-2 SK-3
    """
    found = ask(ledger_from_doc, "16.06", "2025-09-30", "2025-10-31")
    (cohort,) = found.cohorts
    assert (cohort.workers, cohort.renewed, cohort.lapsing) == (100, 70, 30)
    assert said(found) == [("2025-10-31", 100, 70, 0, 70)]


def test_renewed_heads_that_move_on_the_first_day_were_renewed(ledger_from_doc: Ledger) -> None:
    """They are covered on, in another category.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 until 2025-09-30 SK-1
    #2 2025-03-10 renew      16.06 marbot 100 until 2025-12-31 of SK-1 SK-2
    #3 2025-03-11 reclassify 16.06 marbot  30 to guru from 2025-10-01 of SK-2 SK-3
    """
    found = ask(ledger_from_doc, "16.06", "2025-09-30", "2025-10-31")
    (cohort,) = found.cohorts
    assert (cohort.workers, cohort.renewed, cohort.lapsing) == (100, 100, 0)
    assert said(found) == [("2025-10-31", 100, 100, 0, 100)]


def test_who_lapsed_where_nothing_is_counted_cannot_help(ledger_from_doc: Ledger) -> None:
    """In a province only those of regencies with a potential by then are to be renewed.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 until 2025-09-30 SK-1
    #2 2025-01-10 enrol     16.71 marbot 100 from 2025-01-01 until 2025-09-30 SK-1
    #3 2025-01-11 potential 16.06 100 from 2025-01-01
    #4 2025-01-12 potential 16.71 500 from 2025-11-15
    """
    found = ask(ledger_from_doc, "16", "2025-08-31", "2025-11-30", "90")
    assert [(each.lapsed, each.needed, each.must_renew) for each in found.months] == [
        (0, 0, 0),
        (200, 90, 90),
        (200, 540, 200),
    ]
    beyond = ask(ledger_from_doc, "16", "2025-08-31", "2025-11-30", "150")
    assert [(each.needed, each.must_renew) for each in beyond.months] == [
        (50, 0),
        (150, 100),
        (900, 200),
    ]


def test_the_largest_cliff_comes_first(ledger_from_doc: Ledger) -> None:
    """By those who are not renewed; within a day the largest cohort first.

    #1 2025-01-10 enrol 16.06 marbot  50 from 2025-01-01 until 2025-09-30 SK-1
    #2 2025-01-10 enrol 16.06 guru    30 from 2025-01-01 until 2025-10-31 SK-2
    #3 2025-01-10 enrol 16.06 marbot  31 from 2025-01-01 until 2025-10-31 SK-3
    #4 2025-01-10 enrol 16.06 bpd    200 from 2025-01-01 until 2025-11-30 SK-4
    #5 2025-03-10 renew 16.06 bpd    190 until 2026-12-31 of SK-4 SK-5
    #6 2025-03-11 potential 16.06 400 from 2025-01-01
    """
    found = ask(ledger_from_doc, "16.06", "2025-08-31", "2025-12-31")
    assert [(str(each.on), each.lapsing, each.cohorts) for each in found.cliffs] == [
        ("2025-11-01", 61, 2),
        ("2025-10-01", 50, 1),
        ("2025-12-01", 10, 1),
    ]
    assert [each.points for each in found.cliffs] == [
        Fraction(-6100, 400),
        Fraction(-5000, 400),
        Fraction(-1000, 400),
    ]
    assert [each.coverage for each in found.cliffs] == [
        Fraction(20_000, 400),
        Fraction(26_100, 400),
        Fraction(19_000, 400),
    ]
    assert [each.reference for each in found.cohorts] == ["SK-3", "SK-2", "SK-1", "SK-4"]


def test_what_must_be_renewed_to_hold_a_target(ledger_from_doc: Ledger) -> None:
    """So many of those who lapsed as the target is short of, and never more than lapsed.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 until 2025-09-30 SK-1
    #2 2025-01-10 enrol     16.06 guru    50 from 2025-01-01 SK-2
    #3 2025-01-11 potential 16.06 200 from 2025-01-01
    """
    ledger = ledger_from_doc

    def must(percent: str) -> list[tuple[int | None, int | None]]:
        found = ask(ledger, "16.06", "2025-08-31", "2025-10-31", percent)
        return [(month.needed, month.must_renew) for month in found.months]

    assert must("60") == [(0, 0), (70, 70)]
    assert must("60.01") == [(0, 0), (71, 71)]
    assert must("80") == [(10, 0), (110, 100)], "who did not lapse must be enrolled, not renewed"
    assert must("25") == [(0, 0), (0, 0)]
    none = ask(ledger, "16.06", "2025-08-31", "2025-10-31")
    assert (none.target, none.target_percent, none.months[0].needed) == (None, None, None)


def test_the_target_in_force_is_to_be_held(ledger_from_doc: Ledger) -> None:
    """The next target of the area itself, unless another percentage is asked.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 until 2025-09-30 SK-1
    #2 2025-01-11 potential 16.06 200 from 2025-01-01
    """
    day = date.fromisoformat
    ledger_from_doc.store.registry.record(
        SetTarget("16.06", day("2024-12-31"), Decimal(10), "a", "s"),
        SetTarget("16.06", day("2025-12-31"), Decimal(40), "a", "s"),
        SetTarget("16.06", day("2026-12-31"), Decimal(90), "a", "s"),
    )
    found = ask(ledger_from_doc, "16.06", "2025-08-31", "2025-10-31")
    assert found.target is not None
    assert (found.target.position, found.target_conflicts) == (4, ())
    assert found.target_percent == Fraction(40)
    assert found.months[-1].must_renew == 80
    asked = ask(ledger_from_doc, "16.06", "2025-08-31", "2025-10-31", "10")
    assert (asked.target, asked.months[-1].must_renew) == (None, 20)
    assert ask(ledger_from_doc, "16", "2025-08-31", "2025-10-31").target is None
    ledger_from_doc.store.registry.record(
        SetTarget("16.06", day("2025-06-30"), Decimal(41), "a", "s")
    )
    found = ask(ledger_from_doc, "16.06", "2025-08-31", "2025-10-31")
    assert (found.target_percent, found.target_conflicts) == (Fraction(40), (6,))


def test_an_area_without_entries_has_nothing_to_lose(ledger_from_doc: Ledger) -> None:
    """Rows without a figure; no cliffs.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2025-01-01 until 2025-09-30 SK-1
    """
    found = ask(ledger_from_doc, "16.71", "2025-08-31", "2025-10-31", "50")
    assert [(month.active, month.needed) for month in found.months] == [(None, None)] * 2
    assert (found.cliffs, found.cohorts, found.active) == ((), (), None)


# --- any history -----------------------------------------------------------------------------------


def ending(world: World, inside: tuple[str, ...], on: date, until: date) -> Counter[object]:
    """Count the heads that are there on their cohort's last day, and those continued by others."""
    found: Counter[object] = Counter()
    for cohort, heads in world.cohorts.items():
        if cohort.until is None or cohort.area not in inside:
            continue
        if not on <= cohort.until < until:
            continue
        for head in heads:
            if head.is_covered(cohort.until):
                found[named(cohort.area, cohort.batch[1], cohort.batch[2], cohort)] += 1
                found["renewed", cohort.until] += head.continued_by is not None
    return found


def named(area: str, reference: str, part: str, cohort: object) -> tuple[object, ...]:
    """Return what tells cohorts apart, the reference evened out."""
    _, even, even_part = key_of(area, reference, part)
    until = getattr(cohort, "until", None) or getattr(cohort, "covered_until", None)
    fields = [getattr(cohort, name) for name in ("category", "segment", "funding")]
    return (area, even, even_part, until, *(str(each) for each in fields))


def check_cohorts(found: Forecast, oracle: Oracle, inside: tuple[str, ...]) -> None:
    """Hold the cohorts that end, and those of them renewed, to heads counted one by one."""
    counted = ending(oracle.known(found.known_position).world, inside, found.on, found.until)
    asked: Counter[object] = Counter()
    for each in found.cohorts:
        asked[named(each.area, each.reference, each.part, each)] += each.workers
        asked["renewed", each.covered_until] += each.renewed
        assert 0 <= each.renewed <= each.workers
    assert +asked == +counted
    falls = [each.lapsing for each in found.cliffs]
    assert falls == sorted(falls, reverse=True)
    assert [each.on - DAY for each in found.cliffs] == list(
        dict.fromkeys(each.covered_until for each in found.cohorts)
    )
    for cliff in found.cliffs:
        check_cliff(cliff, [e for e in found.cohorts if e.covered_until == cliff.on - DAY])


def check_cliff(cliff: Cliff, cohorts: list[EndingCohort]) -> None:
    """Hold a cliff to its cohorts."""
    assert cliff.cohorts == len(cohorts)
    assert cliff.workers == sum(each.workers for each in cohorts)
    assert cliff.lapsing == sum(each.lapsing for each in cohorts)


def check_months(
    found: Forecast, ledger: projections.ledger.Ledger, percent: Fraction | None
) -> None:
    """Hold each row to coverage on its day as known, with no later entries, and to the row before."""
    known = found.known_position
    assert [month.on for month in found.months] == [
        found.on + DAY * number
        for number in range(1, (found.until - found.on).days + 1)
        if (day := found.on + DAY * number) == end_of_month(day) or day == found.until
    ]
    for month in found.months:
        (row,) = coverage_at(ledger, [found.area], month.on, known=known)
        assert (month.active, month.potential, month.coverage) == (
            row.active,
            row.potential,
            row.coverage,
        )
        if percent is not None and row.active_counted is not None and row.potential:
            short = percent / 100 * row.potential - row.active_counted
            assert month.needed == max(0, -(-short // 1))
            assert month.must_renew == min(month.needed, lapsed_where_counted(found, ledger, month))
        else:
            assert month.needed is None
    active = [found.active or 0, *(month.active or 0 for month in found.months)]
    for (before, after), month in zip(pairwise(active), found.months, strict=True):
        assert after - before == -month.ending + month.renewed + month.other
        ended = [each for each in found.cohorts if each.covered_until < month.on]
        assert month.lapsed == sum(each.lapsing for each in ended)
    for cliff in found.cliffs:
        (row,) = coverage_at(ledger, [found.area], cliff.on, known=known)
        (day_before,) = coverage_at(ledger, [found.area], cliff.on - DAY, known=known)
        assert (cliff.active, cliff.coverage) == (row.active, row.coverage)
        if cliff.points is not None:
            assert row.coverage is not None
            assert day_before.coverage is not None
            assert cliff.points == row.coverage - day_before.coverage
    assert sum(m.ending for m in found.months) == sum(each.workers for each in found.cohorts)


def lapsed_where_counted(
    found: Forecast, ledger: projections.ledger.Ledger, month: ForecastMonth
) -> int:
    """Add up who lapsed by a month's end in the regencies that its coverage is taken over."""
    areas = sorted({each.area for each in found.cohorts})
    rows = coverage_at(ledger, areas, month.on, known=found.known_position) if areas else []
    counted = {row.area for row in rows if row.coverage is not None}
    return sum(
        each.lapsing
        for each in found.cohorts
        if each.area in counted and each.covered_until < month.on
    )


@settings(max_examples=max(1, settings().max_examples // 5))
@given(
    histories(),
    st.sampled_from((*REGENCIES, *PROVINCES, NATION)),
    st.tuples(questions, questions).map(sorted),
    st.one_of(st.none(), st.fractions(0, 120, max_denominator=10)),
    st.integers(0, 1_000),
)
def test_every_row_is_coverage_with_no_later_entries(
    history: History, area: str, days: list[date], percent: Fraction | None, place: int
) -> None:
    """Any history, any first and last day, any position: months, cliffs and cohorts."""
    on, until = days
    inside = tuple(each.code for each in regencies(area))
    with stores() as (store, _):
        for step in history.steps:
            play(store, step, history.oracle)
        positions = [known.last_position for known in history.oracle.history]
        known = positions[place % len(positions)]
        with store.ledger() as ledger:
            found = forecast(ledger, area, on, until, known=known, target_percent=percent)
            check_months(found, ledger, percent)
            check_cohorts(found, history.oracle, inside)
