"""Coverage: two dates, the roll-up, the potential in force, groups that add up."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from projections.coverage import NOT_ATTRIBUTED, CoverageRow, coverage_at
from registry.reference.areas import regencies
from tests.ledger_from_doc import Ledger, ledger_document
from tests.stores import Store

_fixture = pytest.fixture(name="ledger_from_doc")(ledger_document)


def coverage(ledger: Ledger, area: str, on: str = "2025-06-01", **asked: object) -> CoverageRow:
    """Return the one row of an area."""
    (row,) = coverage_at(ledger.ask(), [area], date.fromisoformat(on), **asked)  # type: ignore[arg-type]
    return row


def grouped(
    ledger: Ledger, area: str, on: str = "2025-06-01", **asked: object
) -> list[CoverageRow]:
    """Return the rows of an area."""
    return coverage_at(ledger.ask(), [area], date.fromisoformat(on), **asked)  # type: ignore[arg-type]


# --- the area itself ----------------------------------------------------------------------------


def test_nothing_is_null_and_not_zero_before_the_first_entry(ledger_from_doc: Ledger) -> None:
    """Before the first entry nobody knows; after the last head has left there are none: 0.

    #1 2025-01-10 potential  16.06 200 from 2024-01-01
    #2 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 until 2025-12-31 SK-1
    """
    before = coverage(ledger_from_doc, "16.06", "2024-12-31")
    assert (before.active, before.potential, before.coverage) == (None, 200, None)
    assert (before.regencies_counted, before.complete) == (0, False)
    assert grouped(ledger_from_doc, "16.06", "2024-12-31", by="category") == []
    assert grouped(ledger_from_doc, "16.06", by="category", category="rt-rw") == []
    assert coverage(ledger_from_doc, "16.06", "2025-01-01").coverage == 50
    after = coverage(ledger_from_doc, "16.06", "2026-01-01")
    assert (after.active, after.coverage) == (0, Fraction(0))
    elsewhere = coverage(ledger_from_doc, "16.71")
    assert (elsewhere.active, elsewhere.potential, elsewhere.coverage) == (None, None, None)


def test_coverage_is_exact_and_may_exceed_a_hundred(ledger_from_doc: Ledger) -> None:
    """A third is a third until it is printed; more heads than potential is no error.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 potential 16.06 300 from 2025-01-01
    #3 2025-01-10 potential 16.06  80 from 2025-07-01
    """
    assert coverage(ledger_from_doc, "16.06").coverage == Fraction(100, 3)
    assert coverage(ledger_from_doc, "16.06", "2025-07-01").coverage == 125


def test_as_known_at_any_position(ledger_from_doc: Ledger) -> None:
    """A back-dated batch changes the past only as known from then on.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-03-10 enrol 16.06 marbot  50 from 2025-01-01 SK-2
    """
    ledger = ledger_from_doc
    found = [coverage(ledger, "16.06", "2025-02-01", known=known) for known in (0, 1, 2)]
    assert [row.active for row in found] == [None, 100, 150]
    assert [row.known_position for row in found] == [0, 1, 2]


def test_the_end_of_a_transaction_is_what_known_means(ledger_from_doc: Ledger) -> None:
    """A position inside a transaction means the last before it: rules hold only at its end.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-03-10 renew      16.06 marbot 100 until 2026-12-31 of SK-1 SK-2
    +             enrol      16.06 guru     7 from 2025-01-01 SK-3
    """
    from contextlib import closing

    from projections.known import end_of_transaction

    with closing(ledger_from_doc.store.log()) as log:
        assert [end_of_transaction(log, position) for position in (0, 1, 2, 3)] == [0, 1, 1, 3]


# --- the potential in force ---------------------------------------------------------------------


def test_the_latest_valid_potential_is_in_force_among_equals_the_latest_recorded(
    ledger_from_doc: Ledger,
) -> None:
    """By the day from which it holds first, and only then by when it was recorded.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 potential 16.06 500 from 2025-03-01
    #3 2025-01-11 potential 16.06 400 from 2025-01-01
    #4 2025-01-12 potential 16.06 250 from 2025-03-01
    """
    ledger = ledger_from_doc

    def potential(on: str, known: int = 4) -> int | None:
        return coverage(ledger, "16.06", on, known=known).potential

    assert potential("2024-12-31") is None
    assert potential("2025-02-28") == 400
    assert potential("2025-03-01") == 250
    assert potential("2025-03-01", known=3) == 500
    assert potential("2025-02-28", known=2) is None
    row = coverage(ledger, "16.06", "2025-03-01")
    assert str(row.potential_valid_from) == "2025-03-01"
    assert (row.potential_definition, row.potential_source) == ("workers", "a source")


def test_a_withdrawn_potential_counts_no_more(ledger_from_doc: Ledger) -> None:
    """The one before it is in force again; as known before, nothing changes.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-11 potential 16.06 400 from 2025-01-01
    #3 2025-01-12 potential 16.06 250 from 2025-03-01
    """
    ledger = ledger_from_doc
    ledger.store.registry.take_back("potential", 3, because="of another regency")

    assert coverage(ledger, "16.06").potential == 400
    assert coverage(ledger, "16.06", known=3).potential == 250
    ledger.store.registry.take_back("potential", 2, because="of another regency")
    assert coverage(ledger, "16.06").potential is None


# --- roll-up ------------------------------------------------------------------------------------


def test_heads_of_one_area_are_never_divided_by_the_potential_of_another(
    ledger_from_doc: Ledger,
) -> None:
    """Only regencies with both an active count and a potential are in the percentage.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 enrol     16.71 marbot 900 from 2025-01-01 SK-1
    #3 2025-01-10 potential 16.06 400 from 2025-01-01
    #4 2025-01-10 potential 16.01 1000 from 2025-01-01
    """
    row = coverage(ledger_from_doc, "16")
    assert (row.active, row.active_counted, row.potential) == (1000, 100, 400)
    assert row.coverage == 25
    assert (row.regencies_counted, row.regencies_total, row.complete) == (1, 17, False)
    nation = coverage(ledger_from_doc, "ID")
    assert nation.coverage == 25
    assert (nation.regencies_counted, nation.regencies_total) == (1, 514)
    # Negative control: dividing all by all would have said something else.
    assert Fraction(100 * 1000, 1400) != row.coverage


def test_the_own_potential_only_when_complete_or_on_request(ledger_from_doc: Ledger) -> None:
    """A potential of the province itself waits until all its regencies are counted.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 potential 16.06 400 from 2025-01-01
    #3 2025-01-10 potential 16 8000 from 2025-01-01
    """
    assert coverage(ledger_from_doc, "16").potential == 400
    forced = coverage(ledger_from_doc, "16", own_potential=True)
    assert (forced.potential, forced.coverage) == (8000, Fraction(5, 4))
    assert (forced.regencies_counted, forced.complete) == (1, False)


def test_a_complete_province_uses_its_own_potential(ledger_from_doc: Ledger) -> None:
    """With all seventeen counted, the own figure of the province is the denominator.

    #1 2025-01-10 potential 16 8000 from 2025-03-01
    """
    from registry.commands import BatchLine, RecordBatch, RevisePotential
    from registry.terms import Action

    ledger = ledger_from_doc
    day = date(2025, 1, 1)
    codes = [each.code for each in regencies("16")]
    ledger.store.registry.record(
        *(RevisePotential(code, day, 100, "workers", "a source") for code in codes),
        *(
            RecordBatch(Action.ENROL, code, "SK-1", (BatchLine("marbot", 10),), effective_on=day)
            for code in codes
        ),
    )
    summed = coverage(ledger, "16", "2025-02-01")
    assert (summed.potential, summed.coverage, summed.complete) == (1700, Fraction(10), True)
    own = coverage(ledger, "16", "2025-03-01")
    assert (own.potential, own.coverage, own.active_counted) == (8000, Fraction(17, 8), 170)


def test_below_an_area_only_what_has_anything_is_listed(ledger_from_doc: Ledger) -> None:
    """Regencies with an entry or a potential, and the provinces they are in.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 potential 16.71 400 from 2025-01-01
    #3 2025-01-10 enrol     11.01 marbot   5 from 2025-01-01 SK-1
    """
    ledger = ledger_from_doc
    assert [row.area for row in grouped(ledger, "16", by="area")] == ["16.06", "16.71"]
    assert [row.area for row in grouped(ledger, "ID", by="area")] == ["11.01", "16.06", "16.71"]
    assert [row.area for row in grouped(ledger, "ID", by="province")] == ["11", "16"]
    assert [row.active for row in grouped(ledger, "ID", by="province")] == [5, 100]
    assert coverage(ledger, "16.71").area_name == "Kota Palembang"


# --- groups -------------------------------------------------------------------------------------


def test_points_of_the_groups_add_up_to_the_coverage(ledger_from_doc: Ledger) -> None:
    """By category, segment and funding alike; below the area no potential and no percentage.

    #1 2025-01-10 enrol      16.06 marbot  70 from 2025-01-01 segment BPU by apbd-kabupaten SK-1
    #2 2025-01-10 enrol      16.06 guru    25 from 2025-01-01 SK-2
    #3 2025-01-10 deactivate 16.06 marbot  10 from 2025-02-01 SK-3
    #4 2025-01-10 potential  16.06 300 from 2025-01-01
    #5 2025-01-10 enrol      16.71 marbot   9 from 2025-01-01 SK-9
    """
    ledger = ledger_from_doc
    for area in ("16.06", "16", "ID"):
        whole = coverage(ledger, area)
        assert whole.coverage == Fraction(85, 3)
        for dimension in ("category", "segment", "funding", ("category", "segment", "funding")):
            rows = grouped(ledger, area, by=dimension)
            assert sum(row.points for row in rows if row.points is not None) == whole.coverage
            assert sum(row.active for row in rows if row.active is not None) == whole.active
            assert {(row.potential, row.coverage) for row in rows} == {(None, None)}
    by_segment = {row.segment: row.active for row in grouped(ledger, "16.06", by="segment")}
    assert by_segment == {"BPU": 70, NOT_ATTRIBUTED: 15}


def test_each_value_of_a_group_stands_in_its_place(ledger_from_doc: Ledger) -> None:
    """Rows of groups are made by place: here once by name.

    #1 2025-01-10 potential 16.06 300 from 2025-01-01
    #2 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    """
    total = coverage(ledger_from_doc, "16.06")
    (row,) = grouped(ledger_from_doc, "16.06", by=("category", "segment", "funding"))
    assert row == total._replace(
        category="marbot",
        segment=NOT_ATTRIBUTED,
        funding=NOT_ATTRIBUTED,
        active=100,
        active_counted=100,
        potential=None,
        coverage=None,
        points_of=300,
        potential_valid_from=None,
        potential_definition=None,
        potential_source=None,
    )
    assert len(row) == len(CoverageRow._fields)


def test_a_category_alone(ledger_from_doc: Ledger) -> None:
    """Its heads and its share of the percentage; a category that nobody is in has 0.

    #1 2025-01-10 enrol     16.06 marbot 60 from 2025-01-01 SK-1
    #2 2025-01-10 enrol     16.06 guru   40 from 2025-01-01 SK-2
    #3 2025-01-10 potential 16.06 400 from 2025-01-01
    """
    ledger = ledger_from_doc
    marbot = coverage(ledger, "16.06", category="marbot")
    assert (marbot.category, marbot.active, marbot.points) == ("marbot", 60, Fraction(15))
    nobody = coverage(ledger, "16.06", category="bpd")
    assert (nobody.active, nobody.points) == (0, Fraction(0))
    unknown = coverage(ledger, "16.06", "2024-01-01", category="marbot")
    assert (unknown.active, unknown.points) == (None, None)


def test_the_worked_example() -> None:
    """Three dates of Musi Banyuasin, from typed commands."""
    from registry.commands import BatchLine, RecordBatch, RevisePotential
    from registry.terms import Action, Funding

    store = Store(None)

    def batch(action: Action, reference: str, category: str, workers: int, on: date) -> RecordBatch:
        line = BatchLine(category, workers)
        enrols = action is Action.ENROL
        return RecordBatch(
            action,
            "16.06",
            reference,
            (line,),
            effective_on=on,
            funding=Funding.APBD_KABUPATEN if enrols else None,
            note=None if enrols else "to settle the published figure",
        )

    rest = "tidak-terklasifikasi"
    store.registry.record(
        RevisePotential("16.06", date(2024, 12, 31), 213_582, "BPS 2025", "JPNN"),
        batch(Action.OPENING, "SALDO-AWAL", rest, 88_958, date(2024, 12, 31)),
        batch(Action.ENROL, "PAKE-KELAMBU", "pekerja-rentan", 45_000, date(2025, 7, 16)),
        batch(Action.BALANCE_OUT, "REKON", rest, 30_879, date(2025, 7, 31)),
    )
    with store.ledger() as ledger:
        found = [
            coverage_at(ledger, ["16.06"], on)[0]
            for on in (date(2024, 12, 31), date(2025, 7, 16), date(2025, 7, 31))
        ]
    store.close()
    assert [row.active for row in found] == [88_958, 133_958, 103_079]
    printed = [f"{float(row.coverage or 0):.2f}" for row in found]
    assert printed == ["41.65", "62.72", "48.26"]
