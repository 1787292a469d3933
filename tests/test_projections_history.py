"""The history: every event once, in order, under every area it moves heads in."""

from __future__ import annotations

import pytest

from projections.history import HistoryRow, history_page, spellings
from tests.ledger_from_doc import Ledger, ledger_document

_fixture = pytest.fixture(name="ledger_from_doc")(ledger_document)


def positions(ledger: Ledger, **asked: object) -> list[int]:
    """Return which events are listed."""
    return [row.position for row in history_page(ledger.ask(), **asked)]  # type: ignore[arg-type]


def at(ledger: Ledger, position: int) -> HistoryRow:
    """Return the row of one event."""
    (row,) = (each for each in history_page(ledger.ask()) if each.position == position)
    return row


def test_an_area_has_what_was_recorded_of_it_and_below_it(ledger_from_doc: Ledger) -> None:
    """A transfer is listed under both areas; the own potential of a province under the province.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 enrol      11.01 marbot   7 from 2025-01-01 SK-1
    #3 2025-01-11 potential  16 5000 from 2025-01-01
    #4 2025-03-01 reclassify 16.71 marbot 20 out-of 16.06 from 2025-03-01 SK-3
    """
    ledger = ledger_from_doc
    assert positions(ledger) == [1, 2, 3, 4]
    assert positions(ledger, area="16.06") == [1, 4]
    assert positions(ledger, area="16.71") == [4]
    assert positions(ledger, area="16") == [1, 3, 4]
    assert positions(ledger, area="11") == [2]
    assert positions(ledger, area="ID") == [1, 2, 3, 4]
    assert positions(ledger, area="16.06", known=3) == [1]
    assert at(ledger, 4).area == "16.71"
    assert (at(ledger, 4).kind, at(ledger, 4).workers) == ("transfer", 0)


def test_workers_are_the_net_change(ledger_from_doc: Ledger) -> None:
    """A batch brings what all its lines come to; a withdrawal takes it back; a potential nothing.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 SK-1
    +             enrol      16.06 guru    20 from 2025-01-01 SK-1
    #2 2025-01-11 potential  16.06 5000 from 2025-01-01
    #3 2025-02-10 withdraw   16.06 SK-1 because mistaken
    """
    ledger = ledger_from_doc
    assert [at(ledger, position).workers for position in (1, 2, 3)] == [120, None, -120]
    assert at(ledger, 3).because == "mistaken"
    assert str(at(ledger, 2).effective_on) == "2025-01-01"
    assert at(ledger, 2).details == "5,000 persons: workers (a source)"


def test_a_reference_is_compared_normalised(ledger_from_doc: Ledger) -> None:
    """Case, width and spaces do not matter, in the question or in the ledger.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2025-01-01 "SK 1/B"
    #2 2025-01-10 enrol 16.71 marbot 100 from 2025-01-01 "sk  1/b"
    #3 2025-01-10 enrol 11.01 marbot 100 from 2025-01-01 "ＳＫ 1/B"
    #4 2025-01-10 enrol 11.71 marbot 100 from 2025-01-01 "SK 1/BB"
    """
    ledger = ledger_from_doc
    assert positions(ledger, reference=" sk 1/b") == [1, 2, 3]
    assert positions(ledger, reference="SK1 / b") == [1, 2, 3]
    assert positions(ledger, reference="SK 1/B", area="16") == [1, 2]
    assert positions(ledger, reference="SK 2") == []
    assert positions(ledger, reference="'; DROP TABLE events; --") == []
    assert len(spellings(ledger.ask().connection, "SK 1/B", 4)) == 3
    assert len(spellings(ledger.ask().connection, "SK 1/B", 1)) == 1


def test_pages_join_without_a_gap(ledger_from_doc: Ledger) -> None:
    """Whatever the size of a page, the events come once each and in order.

    #1 2025-01-10 enrol 16.06 marbot 1 from 2025-01-01 SK-1
    #2 2025-01-10 enrol 16.06 guru   2 from 2025-01-01 SK-2
    #3 2025-01-10 enrol 16.06 guru   3 from 2025-01-01 SK-3
    #4 2025-01-10 enrol 16.06 guru   4 from 2025-01-01 SK-4
    """
    ledger = ledger_from_doc.ask()
    for limit in (1, 2, 3, 4, 5):
        seen: list[int] = []
        after = 0
        while page := history_page(ledger, after=after, limit=limit):
            assert len(page) <= limit
            seen += [row.position for row in page]
            after = seen[-1]
        assert seen == [1, 2, 3, 4]


def test_a_transfer_is_told_from_both_sides(ledger_from_doc: Ledger) -> None:
    """Twenty out of the one, twenty into the other; together they are no change.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-03-01 reclassify 16.71 marbot  20 out-of 16.06 from 2025-03-01 of SK-1 SK-2
    #3 2025-03-01 reclassify 16.06 marbot   5 to guru from 2025-03-01 of SK-1 SK-3
    #4 2025-03-01 potential  16.06 1000 from 2025-01-01
    """
    asked = ledger_from_doc.ask()

    def told(area: str | None) -> list[tuple[int | None, int | None, int | None]]:
        rows = history_page(asked, area=area)
        return [(row.workers, row.workers_in, row.workers_out) for row in rows]

    nothing = (None, None, None)
    assert told("16.06") == [(100, 100, 0), (-20, 0, 20), (0, 5, 5), nothing]
    assert told("16.71") == [(20, 20, 0)]
    assert told("16") == told(None) == [(100, 100, 0), (0, 20, 20), (0, 5, 5), nothing]


def test_a_balancing_entry_is_neither_in_nor_out(ledger_from_doc: Ledger) -> None:
    """Its heads stand apart, signed, also where it is taken back; sums of in and out are gross.

    #1 2025-01-10 opening     16.06 marbot 100 from 2025-01-01 SALDO
    #2 2025-02-10 balance-out 16.06 marbot  30 from 2025-02-01 S-1 note "a figure printed"
    #3 2025-02-11 balance-in  16.06 guru     7 from 2025-03-01 until 2025-03-31 S-2 note "again"
    #4 2025-05-11 withdraw    16.06 S-1 because mistaken
    #5 2025-05-12 potential   16.06 1000 from 2025-01-01
    """
    rows = history_page(ledger_from_doc.ask())
    told = [(row.workers, row.workers_in, row.workers_out, row.reconciled) for row in rows]
    assert told == [
        (100, 100, 0, 0),
        (-30, 0, 0, -30),
        (7, 0, 0, 7),
        (30, 0, 0, 30),
        (None, None, None, None),
    ]
