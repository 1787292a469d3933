"""The trace: steps, the statement, the effects on the percentage, and what was published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import pytest

import projections.ledger
from projections.steps import (
    MEMORY_LIMIT,
    Flows,
    Group,
    Grouping,
    Point,
    Step,
    Traced,
    groups,
    sorted_on_disk,
    steps,
)
from projections.trace import Trace, as_of_texts, trace
from registry.commands import PublishFigure, RevisePotential
from registry.reference.areas import regencies
from registry.terms import Segment
from tests.ledger_from_doc import Ledger, ledger_document
from tests.stores import Store

_fixture = pytest.fixture(name="ledger_from_doc")(ledger_document)

NOBODY = Flows(0, 0, 0, 0, 0, 0)


def flows(**lines: int) -> Flows:
    """Return flows in which only the named lines have heads."""
    return Flows(**dict.fromkeys(Flows.__slots__, 0) | lines)


def traced(
    ledger: Ledger, area: str, start: str, end: str, category: str | None = None
) -> tuple[projections.ledger.Ledger, Traced]:
    """Return the ledger and what is traced; an end is a day, `2025-07-31`, or `2025-07-31 #4`."""
    opened = ledger.ask()
    first, second = (
        Point(date.fromisoformat(day), int(known) if known else opened.position)
        for day, _, known in (start.partition(" #"), end.partition(" #"))
    )
    return opened, Traced(area, first, second, category)


def traced_to(
    ledger: Ledger, area: str, start: str, end: str, *, category: str | None = None
) -> Trace:
    """Return the trace of an area."""
    return trace(*traced(ledger, area, start, end, category))


def listed(ledger: Ledger, area: str, start: str, end: str) -> list[Step]:
    """Return the steps of a trace."""
    return list(steps(*traced(ledger, area, start, end)))


def grouped(ledger: Ledger, area: str, start: str, end: str, *, by: Grouping) -> list[Group]:
    """Return the groups of a trace."""
    return list(groups(*traced(ledger, area, start, end), by))


def coverages(found: Trace) -> tuple[object, object]:
    """Return the percentage at each end."""
    return found.start.coverage, found.end.coverage


def effects(found: Trace) -> tuple[object, object, object]:
    """Return the numerator and the denominator effect, and that of the counted regencies."""
    assert found.effects is not None
    return found.effects.numerator, found.effects.denominator, found.effects.counted


# --- the statement ------------------------------------------------------------------------------


def test_a_statement_and_its_points_add_up(ledger_from_doc: Ledger) -> None:
    """Opening and lines make the closing, in heads and in points; what was balanced is unexplained.

    #1 2025-09-18 opening     16.06 tidak-terklasifikasi 890 from 2024-12-31 SALDO note "JPNN"
    +             enrol       16.06 pekerja-rentan       450 from 2025-07-16 KELAMBU
    +             balance-out 16.06 tidak-terklasifikasi 309 from 2025-07-31 REKON note "JPNN"
    #4 2025-09-18 potential   16.06 2136 from 2024-12-31
    """
    found = traced_to(ledger_from_doc, "16.06", "2024-12-31", "2025-07-31")

    assert (found.start.active, found.end.active, found.active) == (890, 1_031, 141)
    assert found.flows == flows(entered=450, reconciled=-309)
    assert found.points == Fraction(100 * 141, 2_136)
    assert effects(found) == (found.points, 0, 0)
    assert found.points_a_head == Fraction(100, 2_136)
    assert [(each.line, each.workers) for each in found.statement] == [
        ("opening", 890),
        ("in", 450),
        ("out", 0),
        ("lapsed", 0),
        ("renewed", 0),
        ("reconciled", -309),
        ("restated", 0),
        ("closing", 1_031),
        ("change", 141),
    ]
    *lines, closing, change = (each.points or Fraction() for each in found.statement)
    assert sum(lines) == closing
    assert sum(lines[1:]) == change == found.points
    assert found.unexplained == found.balanced == -309


def test_a_renewal_stands_beside_the_lapse_it_covers_on(ledger_from_doc: Ledger) -> None:
    """Terms of 70 end (30 of 100 had left before), 60 are renewed: 10 fewer.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-03-01 deactivate 16.06 marbot  30 from 2025-02-01 of SK-1 SK-2
    #3 2025-12-01 renew      16.06 marbot  60 until 2026-12-31 of SK-1 SK-3
    """
    ledger = ledger_from_doc
    found = traced_to(ledger, "16.06", "2025-12-31", "2026-01-01")
    assert found.flows == flows(lapsed=-70, renewed=60)
    assert [(s.reference, s.kind, s.workers) for s in listed(ledger, "16.06", *_YEAR_END)] == [
        ("SK-1", "lapse", -100),
        ("SK-2", "lapse", 30),
        ("SK-3", "renewal", 60),
    ]
    whole = traced_to(ledger, "16.06", "2024-12-31", "2027-06-30")
    assert whole.flows == flows(entered=100, left=-30, lapsed=-130, renewed=60)
    assert (whole.start.active, whole.end.active) == (None, 0)


def test_what_was_balanced_and_lapsed_is_unexplained_no_more(ledger_from_doc: Ledger) -> None:
    """The +700 came and went within the period: the change is the 1,000 taken out.

    #1 2025-01-10 enrol       16.06 petani 10000 from 2024-01-01 until 2024-12-31 F1
    +             balance-out 16.06 petani  1000 from 2024-06-01 until 2024-12-31 of F1 F3 note "a"
    +             balance-in  16.06 guru     700 from 2024-02-01 until 2024-05-31 F4 note "b"
    """
    ledger = ledger_from_doc
    found = traced_to(ledger, "16.06", "2024-01-31", "2024-08-31")
    assert found.flows == flows(lapsed=-700, reconciled=-300)
    assert found.unexplained == found.balanced == found.active == -1_000
    ends = traced_to(ledger, "16.06", "2024-08-31", "2025-01-31")
    assert (ends.balanced, ends.active) == (1_000, -9_000)
    assert traced_to(ledger, "16.06", "2024-08-31", "2024-01-31").balanced == 1_000
    lapses = [
        (g.reference, g.gives_back)
        for way in (("2024-01-31", "2025-01-31"), ("2025-01-31", "2024-01-31"))
        for g in grouped(ledger, "16.06", *way, by="batch")
        if g.kind == "lapse"
    ]
    assert lapses == [("F4", False), ("F1", False), ("F3", True)] * 2


_YEAR_END = ("2025-12-31", "2026-01-01")


def test_a_correction_is_settled_in_its_line(ledger_from_doc: Ledger) -> None:
    """Within the period only what a batch came to; a withdrawn one came to nothing.

    #1 2025-01-10 enrol    16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 enrol    16.06 guru    50 from 2025-01-01 SK-2
    #3 2025-03-01 enrol    16.06 marbot  98 from 2025-01-01 SK-1 because "two twice"
    #4 2025-03-02 withdraw 16.06 SK-2 because mistaken
    """
    ledger = ledger_from_doc
    between = ("2024-12-31", "2025-06-30")
    assert traced_to(ledger, "16.06", *between).flows == flows(entered=98)
    assert [g.category for g in grouped(ledger, "16.06", *between, by="category")] == ["marbot"]
    assert [(s.position, s.act, s.workers) for s in listed(ledger, "16.06", *between)] == [
        (1, "original", 100),
        (2, "original", 50),
        (3, "takes-back", -100),
        (3, "puts", 98),
        (4, "takes-back", -50),
    ]
    events = grouped(ledger, "16.06", *between, by="batch")
    assert [(g.position, g.event, g.because, g.flows.workers) for g in events] == [
        (1, "batch-enrolled", None, 100),
        (2, "batch-enrolled", None, 50),
        (3, "batch-corrected", "two twice", -2),
        (4, "batch-withdrawn", "mistaken", -50),
    ]


def test_what_became_known_later_is_restated(ledger_from_doc: Ledger) -> None:
    """The same day known before and after: whatever its kind, it stands in one line of its own.

    #1 2025-01-10 enrol       16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-03-01 enrol       16.06 marbot  98 from 2025-01-01 SK-1 because "two twice"
    #3 2025-03-01 balance-out 16.06 marbot   8 from 2025-02-01 S-1 note "a figure"
    #4 2025-03-02 enrol       16.06 guru     5 from 2025-02-01 SK-2
    """
    ledger = ledger_from_doc
    found = traced_to(ledger, "16.06", "2025-02-28 #1", "2025-02-28 #4")
    assert found.flows == flows(restated=-5)
    assert {kind: each.restated for kind, each in found.flows_by_kind.items()} == {
        "enrolment": 3,
        "reconciling": -8,
    }
    assert found.balanced == -8, "a restated balancing entry explains as little as another"
    mixed = traced_to(ledger, "16.06", "2025-01-31 #1", "2025-02-28 #4")
    assert mixed.flows == flows(entered=5, reconciled=-8, restated=-2)
    back = listed(ledger, "16.06", "2025-02-28 #4", "2025-01-31 #1")
    assert [(s.position, s.workers, s.reversed, s.step_class) for s in back] == [
        (2, 100, True, "restatement"),
        (2, -98, True, "restatement"),
        (3, 8, True, "period"),
        (4, -5, True, "period"),
    ]


def test_moves_enter_and_leave_only_what_is_asked(ledger_from_doc: Ledger) -> None:
    """A reclassification moves nobody out of the area, a transfer nobody out of the province.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-02-01 reclassify 16.06 marbot  10 to guru from 2025-02-01 SK-2
    #3 2025-03-01 reclassify 16.71 marbot  20 out-of 16.06 from 2025-03-01 SK-3
    #4 2025-04-01 reclassify 16.71 marbot  15 out-of 16.06 from 2025-03-01 SK-3 because miscounted
    """
    ledger = ledger_from_doc
    between = ("2025-01-31", "2025-06-30")
    assert traced_to(ledger, "16.06", *between).flows == flows(left=-15)
    assert traced_to(ledger, "16.71", *between).flows == flows(entered=15)
    assert traced_to(ledger, "16", *between).flows == NOBODY
    by_category = grouped(ledger, "16.06", *between, by="category")
    assert [(g.category, g.flows) for g in by_category] == [
        ("guru", flows(entered=10)),
        ("marbot", flows(left=-25)),
    ]
    assert traced_to(ledger, "16.06", *between, category="guru").flows == flows(entered=10)
    batches = grouped(ledger, "16.06", *between, by="batch")
    assert [(g.reference, g.batch_area, g.flows) for g in batches] == [
        ("SK-2", "16.06", flows(entered=10, left=-10)),
        ("SK-3", "16.71", flows(left=-20)),
        ("SK-3", "16.71", flows(left=5)),
    ]


def test_moves_in_are_not_set_off_against_moves_out(ledger_from_doc: Ledger) -> None:
    """Net figures hide what came and went; in the province neither came nor went.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 enrol      16.71 marbot 100 from 2025-01-01 SK-1
    #3 2025-03-01 reclassify 16.71 marbot  20 out-of 16.06 from 2025-03-01 SK-2
    #4 2025-03-01 reclassify 16.06 marbot  15 out-of 16.71 from 2025-03-01 SK-3
    """
    between = ("2025-01-31", "2025-06-30")
    ledger = ledger_from_doc
    assert traced_to(ledger, "16.06", *between).flows == flows(entered=15, left=-20)
    assert traced_to(ledger, "16.71", *between).flows == flows(entered=20, left=-15)
    assert traced_to(ledger, "16", *between).flows == NOBODY
    batches = grouped(ledger, "16", *between, by="batch")
    assert [(g.area, g.batch_area, g.flows.workers) for g in batches] == [
        ("16.06", "16.71", -20),
        ("16.06", "16.06", 15),
        ("16.71", "16.71", 20),
        ("16.71", "16.06", -15),
    ]


def test_months_are_those_of_the_world(ledger_from_doc: Ledger) -> None:
    """A month has what took effect in it, restated or not.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2025-01-01 until 2025-02-28 SK-1
    #2 2025-04-01 enrol 16.06 guru     5 from 2024-12-01 SK-2
    """
    found = grouped(ledger_from_doc, "16.06", "2024-12-31 #1", "2025-03-31 #2", by="month")
    assert [(group.month, group.flows) for group in found] == [
        ("2024-12", flows(restated=5)),
        ("2025-01", flows(entered=100)),
        ("2025-03", flows(lapsed=-100)),
    ]


def test_nothing_is_no_step(ledger_from_doc: Ledger) -> None:
    """Before the first entry the ends are null; between two equal ends there is nothing.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2025-01-01 SK-1
    """
    ledger = ledger_from_doc
    empty = traced_to(ledger, "16.71", "2025-01-31", "2025-06-30")
    assert (empty.start.active, empty.end.active, empty.active) == (None, None, 0)
    assert (empty.flows, empty.points, empty.effects) == (NOBODY, None, None)
    still = traced_to(ledger, "16.06", "2025-01-31", "2025-06-30")
    assert (still.start.active, still.active, still.flows_by_kind) == (100, 0, {})
    assert listed(ledger, "16.06", "2025-01-31", "2025-06-30") == []


# --- the effects --------------------------------------------------------------------------------


def test_another_potential_is_an_effect_of_its_own(ledger_from_doc: Ledger) -> None:
    """Of 100 in 200 to 150 in 400: each part by the formula, and both together 12.5 points fewer.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-11 potential 16.06 200 from 2025-01-01
    #3 2025-05-01 enrol     16.06 marbot  50 from 2025-05-01 SK-2
    """
    ledger = ledger_from_doc
    ledger.store.registry.record(
        RevisePotential("16.06", date(2025, 6, 1), 400, "without civil servants", "BPS")
    )
    found = traced_to(ledger, "16.06", "2025-01-31", "2025-06-30")

    assert coverages(found) == (50, Fraction(75, 2))
    numerator = 100 * 50 * Fraction(1, 2) * (Fraction(1, 200) + Fraction(1, 400))
    denominator = 100 * Fraction(1, 2) * 250 * (Fraction(1, 400) - Fraction(1, 200))
    assert effects(found) == (numerator, denominator, 0)
    assert numerator + denominator == found.points == Fraction(-25, 2)
    assert found.redefined == ("16.06",)
    assert traced_to(ledger, "16.06", "2025-01-31", "2025-05-31").redefined == ()


def test_the_definitions_of_the_potentials_used_are_compared(ledger_from_doc: Ledger) -> None:
    """Of the province's own where all its regencies are counted, of the regencies' before.

    #1 2025-01-02 enrol 34.01 guru 1 from 2025-01-01 A
    #2 2025-01-02 enrol 34.02 guru 1 from 2025-01-01 A
    #3 2025-01-02 enrol 34.03 guru 1 from 2025-01-01 A
    #4 2025-01-02 enrol 34.04 guru 1 from 2025-01-01 A
    #5 2025-01-02 enrol 34.71 guru 1 from 2025-01-01 A
    """
    registry = ledger_from_doc.store.registry
    of = ("34.01", "34.02", "34.03", "34.04", "34.71")
    registry.record(*(RevisePotential(e, date(2025, 1, 1), 10, "workers", "BPS") for e in of))
    for area, since, definition in (
        ("34", "2025-03-01", "workers"),
        ("34", "2025-04-01", "informal"),
        ("34.01", "2025-05-01", "farmers"),
    ):
        registry.record(RevisePotential(area, date.fromisoformat(since), 60, definition, "BPS"))
    days = ("2025-01-31", "2025-03-31", "2025-04-30", "2025-05-31")

    def redefined(first: str, last: str) -> tuple[str, ...]:
        found, back = (traced_to(ledger_from_doc, "34", *e) for e in ((first, last), (last, first)))
        assert found.redefined == back.redefined
        assert found.entering == found.leaving == ()
        return found.redefined

    assert redefined(days[0], days[1]) == (), "the sum of the regencies', then its own: the same"
    assert redefined(days[1], days[2]) == redefined(days[0], days[2]) == ("34",)
    assert redefined(days[2], days[3]) == (), "a regency's potential is not what is used"
    registry.take_back("potential", 11, because="mistaken")
    registry.take_back("potential", 12, because="mistaken")
    assert redefined(days[2], days[3]) == ("34.01",)


def test_counted_regencies_are_an_effect_of_their_own(ledger_from_doc: Ledger) -> None:
    """One enters with its first entry, one leaves as its potential was not known yet at that end.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 enrol     16.72 marbot  30 from 2025-01-01 SK-1
    #3 2025-01-11 potential 16.06 200 from 2025-01-01
    #4 2025-01-11 potential 16.71 500 from 2025-01-01
    #5 2025-01-12 enrol     16.71 marbot 100 from 2025-05-01 SK-1
    #6 2025-01-13 enrol     16.06 marbot  20 from 2025-05-01 SK-2
    #7 2025-01-14 potential 16.72 300 from 2025-01-01
    """
    ledger = ledger_from_doc
    entering = traced_to(ledger, "16", "2025-01-31 #6", "2025-06-30 #6")
    assert coverages(entering) == (50, Fraction(220, 7))
    assert (entering.entering, entering.leaving) == (("16.71",), ())
    assert effects(entering) == (10, 0, Fraction(220, 7) - 60)
    assert entering.points_a_head is None, "heads of regencies not counted are worth no points"

    leaving = traced_to(ledger, "16", "2025-01-31 #7", "2025-01-31 #6")
    assert (leaving.entering, leaving.leaving, leaving.active) == ((), ("16.72",), 0)
    assert effects(leaving) == (0, 0, 50 - 26)
    assert leaving.points == 50 - 26

    nothing_common = traced_to(ledger, "16", "2025-01-31 #4", "2025-01-31 #0")
    assert nothing_common.points is None


def test_an_areas_own_potential_is_an_effect_of_the_denominator(ledger_from_doc: Ledger) -> None:
    """The last regency enters at just the percentage of the others: that alone changes nothing.

    But then all are counted, so the own potential of the province is taken: twice the sum of theirs.

    #1 2025-01-02 enrol 34.01 guru 10 from 2025-01-01 A
    #2 2025-01-02 enrol 34.02 guru 10 from 2025-01-01 A
    #3 2025-01-02 enrol 34.03 guru 10 from 2025-01-01 A
    #4 2025-01-02 enrol 34.04 guru 10 from 2025-01-01 A
    #5 2025-01-02 enrol 34.71 guru 10 from 2025-02-01 A
    """
    registry = ledger_from_doc.store.registry
    of = ("34.01", "34.02", "34.03", "34.04", "34.71")
    registry.record(*(RevisePotential(e, date(2025, 1, 1), 100, "workers", "BPS") for e in of))
    registry.record(RevisePotential("34", date(2025, 1, 1), 1_000, "workers", "BPS"))
    found = traced_to(ledger_from_doc, "34", "2025-01-31", "2025-02-28")

    assert coverages(found) == (10, 5)
    assert (found.start.own_potential, found.end.own_potential) == (False, True)
    assert (found.entering, found.leaving) == (("34.71",), ())
    assert effects(found) == (0, -5, 0)


def test_a_category_of_counted_regencies_has_only_its_own_heads(ledger_from_doc: Ledger) -> None:
    """The same regencies, and in each only the heads of the category.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 enrol     16.06 guru    50 from 2025-01-01 SK-2
    #3 2025-01-11 potential 16.06 200 from 2025-01-01
    #4 2025-01-11 potential 16.71 300 from 2025-01-01
    #5 2025-01-12 enrol     16.71 guru    25 from 2025-05-01 SK-1
    #6 2025-01-13 enrol     16.06 guru    10 from 2025-05-01 SK-3
    #7 2025-01-13 enrol     16.06 marbot  40 from 2025-05-01 SK-4
    """
    guru = traced_to(ledger_from_doc, "16", "2025-01-31", "2025-06-30", category="guru")
    assert (guru.start.points, guru.end.points) == (
        Fraction(25),
        Fraction(17),
    )  # 50 of 200, 85 of 500
    assert effects(guru) == (5, 0, 17 - 30)


def test_heads_of_regencies_not_counted_are_worth_no_points(ledger_from_doc: Ledger) -> None:
    """The lines are of all heads: their points would not add up to the numerator effect.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 enrol     16.71 marbot  30 from 2025-01-01 SK-1
    #3 2025-01-11 potential 16.06 200 from 2025-01-01
    #4 2025-01-12 enrol     16.71 marbot   5 from 2025-05-01 SK-2
    #5 2025-01-13 enrol     16.06 marbot  10 from 2025-05-01 SK-2
    """
    found = traced_to(ledger_from_doc, "16", "2025-01-31", "2025-06-30")
    assert (found.active, effects(found)) == (15, (5, 0, 0))
    assert found.points_a_head is None
    assert [each.points for each in found.statement][1:-2] == [None] * 6
    alone = traced_to(ledger_from_doc, "16.06", "2025-01-31", "2025-06-30")
    assert alone.points_a_head == Fraction(1, 2)


def test_no_regency_in_common_leaves_only_the_counting(ledger_from_doc: Ledger) -> None:
    """Another regency altogether is divided by: no head and no potential is compared.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 enrol     16.71 marbot  30 from 2025-01-01 SK-1
    #3 2025-01-11 potential 16.06 200 from 2025-01-01
    #4 2025-01-12 potential 16.71 300 from 2025-01-01
    """
    ledger = ledger_from_doc
    ledger.store.registry.take_back("potential", 3, because="of another year")
    found = traced_to(ledger, "16", "2025-01-31 #3", "2025-01-31 #5")
    assert effects(found) == (0, 0, 10 - 50)
    assert found.points == 10 - 50
    assert found.points_a_head is None


def test_a_recorded_potential_of_the_area_divides_where_all_are_counted() -> None:
    """Papua Selatan: all four counted; its own potential comes into force, an effect as any other."""
    four = [each.code for each in regencies("93")]
    document = "\n".join(
        f"#{2 * number + 1} 2025-01-10 enrol {code} marbot 10 from 2025-01-01 SK-1\n"
        f"#{2 * number + 2} 2025-01-10 potential {code} 100 from 2025-01-01"
        for number, code in enumerate(four)
    )
    from tests.ledger_from_doc import ledger_of

    store = Store(None)
    ledger = ledger_of(f"{document}\n#9 2025-02-01 potential 93 500 from 2025-06-01", store)
    found = traced_to(ledger, "93", "2025-01-31", "2025-06-30")
    ledger.close()
    store.close()
    assert (found.start.potential, found.end.potential) == (400, 500)
    assert coverages(found) == (10, 8)
    assert effects(found) == (0, -2, 0)


def test_points_of_a_category_are_its_share(ledger_from_doc: Ledger) -> None:
    """A category has no coverage; its share of the whole changes by heads and by the potential.

    #1 2025-01-10 enrol     16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-11 potential 16.06 200 from 2025-01-01
    #3 2025-01-12 enrol     16.06 guru    20 from 2025-05-01 SK-2
    #4 2025-01-13 potential 16.06 400 from 2025-06-01
    """
    ledger = ledger_from_doc
    guru, marbot = (
        traced_to(ledger, "16.06", "2025-01-31", "2025-06-30", category=each)
        for each in ("guru", "marbot")
    )
    assert (guru.start.active, guru.start.points) == (0, Fraction(0))
    assert guru.end.points == 5
    assert coverages(guru) == (None, None)
    whole = traced_to(ledger, "16.06", "2025-01-31", "2025-06-30")
    for part in ("numerator", "denominator"):
        parts = [getattr(each.effects, part) for each in (guru, marbot)]
        assert sum(parts) == getattr(whole.effects, part)


# --- what was published ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "texts"),
    [
        (date(2025, 7, 31), ("2025-07-31", "2025-07")),
        (date(2025, 7, 30), ("2025-07-30",)),
        (date(2024, 12, 31), ("2024-12-31", "2024-12", "2024")),
        (date(2024, 2, 28), ("2024-02-28",)),
        (date(2024, 2, 29), ("2024-02-29", "2024-02")),
    ],
)
def test_a_month_or_year_is_of_its_last_day(on: date, texts: tuple[str, ...]) -> None:
    """As where a point of view is asked."""
    assert as_of_texts(on) == texts


def figure(as_of: str | None, active: int | None, **said: object) -> PublishFigure:
    """Return a figure of Musi Banyuasin."""
    return PublishFigure("16.06", as_of, "BPJS", "JPNN", active=active, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "change", "unexplained"),
    [
        ([figure("2024-12", 95), figure("2025-06-30", 120)], 25, 25 - 20),
        ([figure("2024", 95), figure("2025-06", 115)], 20, 0),
        ([figure("2025-06", 115)], None, 0),
        ([figure("2024", 95), figure("2025-06", 115), figure("2025-06-30", 116)], None, 0),
        ([figure("2024", 95), figure("2025-06", 115), figure("2025-06-30", 115)], 20, 0),
        ([figure("2024", 95), figure("2025-05", 120), figure(None, 120)], None, 0),
        ([figure("2024", 95), figure("2025-06", None, percent="41.7")], None, 0),
        ([figure("2024", 95), figure("2025-06", 120, segment=Segment.BPU)], None, 0),
        ([figure("2024", 95), figure("2025-06", 120, category="marbot")], None, 0),
    ],
)
def test_published_figures_of_both_ends_are_held_against_the_change(
    said: Sequence[PublishFigure], change: int | None, unexplained: int
) -> None:
    """Only where each end has one count of the whole; the ledger says 100 and then 120."""
    from tests.ledger_from_doc import ledger_of

    document = """
    #1 2025-01-10 enrol 16.06 marbot 100 from 2024-01-01 SK-1
    #2 2025-01-10 enrol 16.06 marbot  20 from 2025-06-01 SK-2
    """
    store = Store(None)
    ledger = ledger_of(document, store)
    for each in said:
        store.registry.record(each)
    found = traced_to(ledger, "16.06", "2024-12-31", "2025-06-30")
    ledger.close()
    store.close()
    assert (found.published_change, found.unexplained) == (change, unexplained)
    differences = [
        each.active - (end.active or 0)
        for end, figures in ((found.start, found.published_start), (found.end, found.published_end))
        for each in figures
        if each.active is not None
    ]
    both = (*found.published_start, *found.published_end)
    assert [each.difference for each in both if each.active is not None] == differences


def test_figures_are_those_known_at_either_end_and_not_retracted(ledger_from_doc: Ledger) -> None:
    """A figure is recorded after its day: the later knowledge has it for both ends.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2025-01-01 SK-1
    """
    ledger = ledger_from_doc
    registry = ledger.store.registry
    registry.record(figure("2025-01-31", 100, percent="41.70"))
    registry.take_back("figure", 2, because="a misprint")

    def published(start: int, end: int) -> list[str | None]:
        found = traced_to(ledger, "16.06", f"2025-01-31 #{start}", f"2025-01-31 #{end}")
        assert found.published_start == found.published_end
        return [each.percent for each in found.published_start]

    assert published(1, 1) == []
    assert published(1, 2) == published(2, 1) == ["41.70"]
    assert published(2, 3) == []


# --- how much is held ---------------------------------------------------------------------------


def test_long_lists_are_sorted_in_a_bound_of_memory(ledger_from_doc: Ledger) -> None:
    """Inside there is a bound and a folder to spill to, gone afterwards; outside there is none.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2025-01-01 SK-1
    """
    from pathlib import Path

    ledger = ledger_from_doc.ask()

    def settings() -> tuple[str, str]:
        ((folder, limit),) = ledger.connection.execute(
            "SELECT current_setting('temp_directory'), current_setting('memory_limit')"
        ).fetchall()
        return folder, limit

    before = settings()
    with sorted_on_disk(ledger):
        folder, limit = settings()
        assert before[0] == ""
        assert (MEMORY_LIMIT, limit) == ("1GB", "953.6 MiB") != (MEMORY_LIMIT, before[1])
        assert Path(folder).is_dir()
        with sorted_on_disk(ledger):
            assert settings() == (folder, limit), "a ledger that is bounded already keeps its bound"
    assert not Path(folder).exists()


def test_who_left_is_told_by_reason(ledger_from_doc: Ledger) -> None:
    """Deactivations of the period, signed as they are counted.

    #1 2025-01-10 enrol      16.06 guru 100 from 2025-01-01 SK-1
    #2 2025-03-01 deactivate 16.06 guru   5 from 2025-02-01 for deceased SK-2
    #3 2025-04-01 deactivate 16.06 guru   7 from 2025-03-01 for arrears SK-3
    #4 2025-05-01 deactivate 16.06 guru   2 from 2025-04-01 for deceased SK-4
    """
    whole = traced_to(ledger_from_doc, "16.06", "2025-01-31", "2025-07-31")
    assert whole.left_by_reason == {"arrears": -7, "deceased": -7}
    assert sum(whole.left_by_reason.values()) == whole.flows.left
    assert list(whole.flows_by_kind) == ["deactivation"]
    back = traced_to(ledger_from_doc, "16.06", "2025-07-31", "2025-03-15")
    assert back.left_by_reason == {"deceased": 2}
