"""Targets: what each one needs is what reaches it, and not one head less."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import projections.ledger
from projections.coverage import coverage_at
from projections.months import months_after, months_between
from projections.targets import Target, TargetRow, target_in_force, targets_at, workers_needed
from registry.commands import BatchLine, RecordBatch, SetTarget
from registry.reference.areas import regencies
from registry.terms import NATION, Action
from tests.ledger_from_doc import Ledger, ledger_document
from tests.oracle import Oracle, standing
from tests.stores import Store
from tests.strategies import DAYS, PROVINCES, REGENCIES, History, histories, questions
from tests.test_properties_histories import play, stores

_fixture = pytest.fixture(name="ledger_from_doc")(ledger_document)


def target(
    area: str, due_on: str, percent: str, basis: str = "RPJMD", source: str = "a source"
) -> SetTarget:
    """Return a target."""
    return SetTarget(area, date.fromisoformat(due_on), Decimal(percent), basis, source)


def asked(ledger: Ledger, on: str, area: str = NATION, known: int | None = None) -> list[TargetRow]:
    """Return the targets of a document."""
    return targets_at(ledger.ask(), area, date.fromisoformat(on), known=known)


def test_what_a_target_needs(ledger_from_doc: Ledger) -> None:
    """The share of the potential, rounded up, less those active; months and pace by the calendar.

    #1 2025-01-10 opening   16.06 marbot 100 from 2024-12-31 SALDO
    #2 2025-01-11 potential 16.06 1000 from 2024-12-31
    #3 2025-04-10 enrol     16.06 guru   70 from 2025-04-01 SK-1
    """
    ledger = ledger_from_doc
    ledger.store.registry.record(
        target("16.06", "2025-12-31", "20.01"),
        target("16.06", "2026-07-31", "29"),
        target("16.06", "2026-07-31", "29.01"),
    )
    first, second, third = asked(ledger, "2025-07-31")
    assert (first.active, first.potential, first.coverage) == (170, 1000, Fraction(17))
    assert first.needed == 31, "20.01 % of 1,000 are 200.1: 201 heads"
    assert first.gap_points == Fraction("3.01")
    assert (first.months_left, first.pace_needed) == (Fraction(5), Fraction(31, 5))
    assert (first.pace, str(first.pace_since)) == (Fraction(70, 7), "2024-12-31")
    assert first.course == "on-course"
    assert second.months_left == 12
    assert (second.needed, second.course) == (120, "on-course"), "just so: 12 months, 10 each"
    assert (third.needed, third.course) == (121, "behind")


def test_the_pace_is_of_the_last_twelve_months(ledger_from_doc: Ledger) -> None:
    """Net, those who left included; what came before does not count.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2024-01-15 SK-1
    #2 2025-01-11 potential  16.06 1000 from 2024-01-01
    #3 2025-04-10 enrol      16.06 guru   70 from 2024-07-31 SK-2
    #4 2025-04-10 enrol      16.06 guru   60 from 2024-08-01 SK-3
    #5 2025-04-11 deactivate 16.06 guru   24 from 2025-07-31 of SK-3 SK-4
    """
    ledger_from_doc.store.registry.record(target("16.06", "2025-12-31", "90"))
    (row,) = asked(ledger_from_doc, "2025-07-31")
    assert (row.pace, str(row.pace_since)) == (Fraction(36, 12), "2024-07-31")
    (row,) = asked(ledger_from_doc, "2024-01-15")
    assert (row.pace, row.pace_since, row.course) == (None, None, "unknown"), "no month has passed"


def test_who_was_enrolled_first_was_gained(ledger_from_doc: Ledger) -> None:
    """Only an opening says what was there before; a first enrolment is gained like any other.

    #1 2025-01-10 opening   16.06 marbot 100 from 2025-01-01 SALDO
    #2 2025-01-11 enrol     16.07 marbot 100 from 2025-01-01 SK-1
    #3 2025-01-12 potential 16.06 1000 from 2024-01-01
    #4 2025-01-12 potential 16.07 1000 from 2024-01-01
    """
    ledger_from_doc.store.registry.record(
        target("16.06", "2025-12-31", "90"), target("16.07", "2025-12-31", "90")
    )
    opened, enrolled = asked(ledger_from_doc, "2025-05-01")
    assert (opened.pace, enrolled.pace) == (Fraction(0), Fraction(100, 4))


def test_a_target_is_reached_behind_or_overdue(ledger_from_doc: Ledger) -> None:
    """Reached is never below 0; what is due and not reached is overdue; nothing known is unknown.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2024-01-15 SK-1
    #2 2025-01-11 potential 16.06 200 from 2024-01-01
    #3 2025-01-12 enrol     16.71 marbot 100 from 2024-01-15 SK-1
    """
    ledger = ledger_from_doc
    ledger.store.registry.record(
        target("16.06", "2024-12-31", "50"),
        target("16.06", "2024-12-31", "50.01"),
        target("16.06", "2026-12-31", "40"),
        target("16.71", "2026-12-31", "40"),
        target("11.01", "2026-12-31", "40"),
    )
    rows = asked(ledger, "2025-07-31")
    assert [(row.target.area, row.target.percent, row.needed, row.course) for row in rows] == [
        ("11.01", "40", None, "unknown"),
        ("16.06", "50", 0, "reached"),
        ("16.06", "50.01", 1, "overdue"),
        ("16.06", "40", 0, "reached"),
        ("16.71", "40", None, "unknown"),
    ]
    assert rows[3].gap_points == 0
    assert rows[2].pace_needed is None, "there is no month left"


def test_a_province_needs_what_its_counted_regencies_lack(ledger_from_doc: Ledger) -> None:
    """Over the regencies with both an active count and a potential, as its coverage is.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2024-01-15 SK-1
    #2 2025-01-11 potential 16.06 1000 from 2024-01-01
    #3 2025-01-12 enrol     16.71 marbot 440 from 2025-06-01 SK-1
    #4 2025-01-12 enrol     16.71 guru    60 from 2025-07-01 SK-2
    #5 2025-01-12 enrol     16.06 guru    12 from 2025-07-01 SK-2
    """
    ledger_from_doc.store.registry.record(target("16", "2025-12-31", "20"))
    (row,) = asked(ledger_from_doc, "2025-07-31")
    assert (row.active, row.active_counted, row.potential, row.needed) == (612, 112, 1000, 88)
    assert row.pace == Fraction(12, 12), "what 16.71 gained is nowhere counted"
    assert asked(ledger_from_doc, "2025-07-31", area="16.06") == []
    assert [each.target.area for each in asked(ledger_from_doc, "2025-07-31", area="16")] == ["16"]


def test_what_is_taken_back_or_not_yet_known_is_not_listed(ledger_from_doc: Ledger) -> None:
    """As known before, it still is.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2024-01-15 SK-1
    """
    registry = ledger_from_doc.store.registry
    registry.record(target("16.06", "2025-12-31", "20"))
    registry.record(target("16.06", "2026-12-31", "30"))
    registry.take_back("target", 2, because="mistaken")
    positions = {
        known: [row.target.position for row in asked(ledger_from_doc, "2025-07-31", known=known)]
        for known in range(5)
    }
    assert positions == {0: [], 1: [], 2: [2], 3: [2, 3], 4: [3]}


CONFLICTS = [
    ("16.06 2025-12-31 20 a", "16.06 2025-12-31 30 a", True),
    ("16.06 2025-12-31 20 a", "16.06 2025-06-30 30 a", True),
    ("16.06 2025-12-31 20 a", "16.06 2025-12-31 20 b", False),
    ("16.06 2025-12-31 30 a", "16.06 2025-06-30 20 a", False),
    ("16.06 2025-12-31 30 a", "16.06 2025-06-30 20 b", False),
    ("16.06 2025-12-31 30 a paper", "16.06 2025-06-30 20 b leaflet", True),
    ("16.06 2025-12-31 30 a paper", "16.06 2025-06-30 20 a leaflet", False),
    ("16.06 2025-12-31 30 a", "16.06 2025-12-31 20 b", True),
    ("16.06 2025-12-31 20 a", "16.06 2025-12-31 20.00 a", False),
    ("16.06 2025-12-31 20 a", "16.06 2026-01-01 30 a", False),
    ("16.06 2025-12-31 20 a", "16.71 2025-12-31 30 a", False),
]


@pytest.mark.parametrize(("one", "other", "conflict"), CONFLICTS)
def test_targets_conflict_within_an_area_and_a_year(one: str, other: str, conflict: bool) -> None:
    """Another percentage for one day, or in another document; milestones of one may rise."""
    store = Store(None)
    store.registry.record(*(target(*each.split()) for each in (one, other)))
    with store.ledger() as ledger:
        rows = {row.target.position: row for row in targets_at(ledger, NATION, DAYS[0])}
    store.close()
    assert [rows[position].conflicts_with for position in (1, 2)] == (
        [(2,), (1,)] if conflict else [(), ()]
    )


def test_the_target_in_force_is_the_next_one_due() -> None:
    """On its day still; after the last, the last; among equals the one recorded last."""

    def made(position: int, due_on: str) -> Target:
        return Target(position, "16.06", date.fromisoformat(due_on), "1", "a", "a", None)

    targets = [made(1, "2025-12-31"), made(2, "2024-12-31"), made(3, "2025-12-31")]
    found = {
        on: getattr(target_in_force(targets, date.fromisoformat(on)), "position", None)
        for on in ("2024-01-01", "2024-12-31", "2025-01-01", "2025-12-31", "2026-01-01")
    }
    assert list(found.values()) == [2, 2, 3, 3, 3]
    assert target_in_force([], DAYS[0]) is None


@given(
    st.integers(1, 400_000),
    st.integers(0, 500_000),
    st.decimals(0, 150, places=2, allow_nan=False),
)
def test_exactly_so_many_reach_it_and_one_fewer_does_not(
    potential: int, active: int, percent: Decimal
) -> None:
    """Compared crosswise, in whole numbers, without dividing."""
    needed = workers_needed(Fraction(percent) / 100, potential, active)
    hundredths = int(percent * 100)
    assert (active + needed) * 10_000 >= hundredths * potential
    assert needed == 0 or (active + needed - 1) * 10_000 < hundredths * potential


targets_drawn = st.lists(
    st.tuples(
        st.sampled_from((*REGENCIES, *PROVINCES, NATION)),
        st.sampled_from(DAYS),
        st.decimals(1, 120, places=1),
        st.sampled_from(("a", "b")),
    ),
    min_size=1,
    max_size=6,
    unique=True,
)


@dataclass(frozen=True, slots=True)
class Naive:
    """What the oracle makes of an area: heads and potential of the regencies counted, and a pace."""

    active: int
    potential: int
    pace: Fraction


def naive(oracle: Oracle, area: str, on: date) -> Naive | None:
    """Count heads of each regency on a day and a year before, one regency after the other."""
    position = oracle.now.last_position
    inside = [each.code for each in regencies(area) if each.code in REGENCIES]
    active = potential = 0
    pace = Fraction()
    for regency in inside:
        answer = oracle.answer(regency, (regency,), on, position)
        if answer.active is None or answer.potential is None:
            continue
        active, potential = active + answer.active, potential + answer.potential
        first_day, year_ago = oracle.now.first_days[regency], months_after(on, -12)
        since = max(first_day, year_ago)
        months = months_between(since, on)
        if months:
            if first_day > year_ago:  # what an opening brought was there before
                then = _opened(oracle, regency, first_day)
            else:
                then = oracle.answer(regency, (regency,), since, position).active or 0
            pace += (answer.active - then) / months
    return Naive(active, potential, pace) if potential else None


def _opened(oracle: Oracle, regency: str, day: date) -> int:
    return sum(
        move.workers
        for key, each in standing(oracle.now.book).items()
        if key[0] == regency and each.action is Action.OPENING and each.first_day == day
        for move in each.moves
    )


def check(row: TargetRow, oracle: Oracle, ledger: projections.ledger.Ledger) -> None:
    """Hold a row to coverage, and to heads counted one by one."""
    (covered,) = coverage_at(ledger, [row.target.area], row.on, known=row.known_position)
    assert (row.active, row.potential, row.coverage) == (
        covered.active,
        covered.potential,
        covered.coverage,
    )
    counted = naive(oracle, row.target.area, row.on)
    if counted is None:
        assert (row.needed, row.gap_points, row.course) == (None, None, "unknown")
        return
    share = Fraction(row.target.percent) / 100
    enough = next(
        n for n in range(10_000) if Fraction(counted.active + n, counted.potential) >= share
    )
    assert row.needed == enough
    assert row.gap_points == max(0, 100 * share - Fraction(100 * counted.active, counted.potential))
    assert (row.pace or 0) == counted.pace
    left = months_between(row.on, row.target.due_on)
    assert row.months_left == left
    if not enough:
        assert row.course == "reached"
    elif not left:
        assert row.course == "overdue"
    elif row.pace is not None:
        assert row.pace_needed == enough / left
        assert row.course == ("on-course" if counted.pace * left >= enough else "behind")


@settings(max_examples=max(1, settings().max_examples // 5))
@given(histories(targets=False), targets_drawn, questions)
def test_any_target_of_any_history(
    history: History, drawn: list[tuple[str, date, Decimal, str]], on: date
) -> None:
    """As the oracle counts; and every pair of targets that contradict each other is marked."""
    assume(len({(area, due, percent, basis) for area, due, percent, basis in drawn}) == len(drawn))
    with stores() as (store, _):
        for step in history.steps:
            play(store, step, history.oracle)
        store.registry.record(
            *(SetTarget(area, due, percent, basis, "s") for area, due, percent, basis in drawn)
        )
        with store.ledger() as ledger:
            rows = targets_at(ledger, NATION, on)
            assert len(rows) == len(drawn)

            def falls(first: Target, second: Target) -> bool:
                # all are of one source
                less = Decimal(second.percent) - Decimal(first.percent)
                return less < 0 if first.due_on < second.due_on else less != 0

            for row in rows:
                check(row, history.oracle, ledger)
                against = {
                    other.target.position
                    for other in rows
                    if other.target.area == row.target.area
                    and other.target.due_on.year == row.target.due_on.year
                    and falls(*sorted((row.target, other.target), key=lambda of: of.due_on))
                }
                assert set(row.conflicts_with) == against
            for area in (*REGENCIES, *PROVINCES):
                below = [row for row in rows if row.target.area.startswith(area)]
                assert targets_at(ledger, area, on) == below


@settings(max_examples=max(1, settings().max_examples // 10))
@given(st.integers(1, 3_000), st.integers(1, 1_000), st.decimals(1, 100, places=2))
def test_recording_exactly_what_is_needed_reaches_it(
    potential: int, active: int, percent: Decimal
) -> None:
    """One head fewer is still one short; with that head the target is reached."""
    store = Store(None)
    try:
        needed = _needed(store, potential, active, percent)
        if needed > 1:
            _enrol(store, "SK-2", needed - 1)
        if needed:
            assert _row(store).needed == 1
            assert _row(store).course != "reached"
            _enrol(store, "SK-3", 1)
        assert (_row(store).needed, _row(store).course) == (0, "reached")
    finally:
        store.close()


def _needed(store: Store, potential: int, active: int, percent: Decimal) -> int:
    from registry.commands import RevisePotential

    store.registry.record(
        RevisePotential("16.06", DAYS[0], potential, "workers", "s"),
        SetTarget("16.06", DAYS[-1], percent, "a", "s"),
    )
    _enrol(store, "SK-1", active)
    needed = _row(store).needed
    assert needed is not None
    return needed


def _enrol(store: Store, reference: str, workers: int) -> None:
    line = BatchLine("marbot", workers)
    store.registry.record(
        RecordBatch(Action.ENROL, "16.06", reference, (line,), effective_on=DAYS[0])
    )


def _row(store: Store) -> TargetRow:
    with store.ledger() as ledger:
        (row,) = targets_at(ledger, "16.06", DAYS[1])
    return row
