"""Closed periods: given a closing, when something is recorded, then refused or not, by net effect."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from projections.boundaries import within
from projections.closings import closed_periods, overrides, reopenings
from projections.steps import Point, Traced, groups, steps
from projections.trace import trace
from registry.application import Recorded
from registry.closing import Override, check_override
from registry.commands import Command, PublishFigure, RecordBatch, RevisePotential, SetTarget
from registry.errors import RuleBrokenError
from registry.reference.areas import regencies
from registry.terms import FIRST_DAY, Action
from tests.ledger_from_doc import parsed
from tests.stores import Store

JUNE: Final = date(2025, 6, 30)
SECONDED: Final = Override("SK 9 came in late", "Budi")
GIVEN: Final = """
#1 2025-01-10 enrol      16.06 guru   100 from 2025-01-01 until 2025-12-31 SK-1
+             enrol      16.06 marbot  50 from 2025-01-01 SK-2
+             enrol      16.06 guru    20 from 2025-01-01 until 2025-06-30 SK-3
+             enrol      11.01 guru    30 from 2025-01-01 SK-4
+             enrol      16.06 guru    40 from 2025-07-15 SK-5
+             potential  16.06 1000 from 2025-01-01
+             potential  16.06 1100 from 2025-07-01
"""
"""What is known when 16.06 is closed through June; SK-5 is still to come then."""


def commands(document: str) -> tuple[Command, ...]:
    """Return the commands of a document's only transaction."""
    (transaction,) = parsed(document)
    return tuple(transaction.commands)


def given_store(path: Path) -> Store:
    """Return a store that knows what is given, in which 16.06 is closed through June."""
    store = Store(path)
    store.registry.record(*commands(GIVEN))
    store.registry.close_period("16.06", JUNE)
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store in which 16.06 is closed through June."""
    with closing(given_store(tmp_path / "registry.db")) as store:
        yield store


def refusal(store: Store, recording: Sequence[Command]) -> RuleBrokenError:
    """Return the refusal of a transaction, of which nothing is recorded."""
    with closing(store.log()) as log:
        head = log.head()
    with pytest.raises(RuleBrokenError) as refused:
        store.registry.record(*recording)
    with closing(store.log()) as log:
        assert log.head() == head
    return refused.value


def last_state(store: Store) -> dict[str, Any]:
    """Return what the log's last event says."""
    with closing(store.log()) as log:
        return list(log.rows())[-1].facts()


# --- closing ------------------------------------------------------------------------------------


def test_a_closing_states_what_is_known_of_its_day(store: Store) -> None:
    """Position, active by category and the potential in force; not what is still to come."""
    said = last_state(store)
    assert said["closed_through"] == "2025-06-30"
    assert said["known_position"] == 7
    assert said["active_by_category"] == {"guru": 120, "marbot": 50}
    assert said["active"] == 170
    assert said["potential"] == 1000


def test_a_closing_of_an_area_without_entries_states_nothing(store: Store) -> None:
    """Null and not 0: nobody was recorded; it is said, and it is closed nevertheless."""
    recorded = store.registry.close_period("16.71", JUNE)
    said = last_state(store)
    assert (said["active"], said["active_by_category"], said["potential"]) == (None, {}, None)
    assert [each.code for each in recorded.problems] == ["nothing-stated"]
    error = refusal(store, commands("#1 2026-01-01 enrol 16.71 guru 1 from 2025-06-30 SK-9"))
    assert [each.code for each in error.problems] == ["closed-period"]


def test_closing_the_same_day_again_is_nothing_to_do(store: Store) -> None:
    """It is said when it was closed, and nothing is recorded."""
    recorded = store.registry.close_period("16.06", JUNE)
    assert recorded.decision == "already-recorded"
    assert "closed through 2025-06-30 already (#8)" in recorded.problems[0].why


def test_an_earlier_closing_is_refused_and_explained(store: Store) -> None:
    """What is closed through June is closed through May; it is opened by name only."""
    with pytest.raises(RuleBrokenError, match="through 2025-06-30 already") as refused:
        store.registry.close_period("16.06", date(2025, 5, 31))
    assert "ucj reopen 16.06 --from 2025-06-01" in refused.value.remedy


def test_a_later_closing_closes_more(store: Store) -> None:
    """It is a statement of its own, of its own day."""
    store.registry.close_period("16.06", date(2025, 7, 31))
    said = last_state(store)
    assert said["active_by_category"] == {"guru": 140, "marbot": 50}
    assert said["potential"] == 1100


@pytest.mark.parametrize(
    ("now", "through", "is_closed"),
    [
        (datetime(2026, 5, 31, 16, 59, tzinfo=UTC), date(2026, 5, 31), True),
        (datetime(2026, 5, 31, 16, 59, tzinfo=UTC), date(2026, 6, 1), False),
        (datetime(2026, 5, 31, 17, 1, tzinfo=UTC), date(2026, 6, 1), True),
    ],
)
def test_what_is_still_to_come_cannot_be_closed(
    store: Store, now: datetime, through: date, is_closed: bool
) -> None:
    """Through today at the latest, and it is the day in Jakarta."""
    store.clock.now = now
    if is_closed:
        assert store.registry.close_period("16.06", through).decision == "recorded"
        return
    with pytest.raises(RuleBrokenError, match="still to come"):
        store.registry.close_period("16.06", through)


def test_a_province_is_closed_in_one_transaction(store: Store) -> None:
    """Each regency by its own event; those closed through that day or later stay as they are."""
    store.registry.close_period("16.71", date(2025, 7, 31))
    recorded = store.registry.close_province("16", JUNE)
    with store.ledger() as ledger:
        closed = closed_periods(ledger.connection, ledger.position)
    through = dict.fromkeys((each.code for each in regencies("16")), JUNE)
    through["16.71"] = date(2025, 7, 31)
    assert {area: each.closed_through for area, each in closed.items()} == through
    assert recorded.last_position == (recorded.first_position or 0) + len(through) - 3
    codes = [each.code for each in recorded.problems]
    assert codes == ["already-closed", "already-closed", "nothing-stated"]


def test_a_dry_run_closes_and_opens_nothing(store: Store) -> None:
    """It says what would be, and the log ends where it ended."""
    planned = store.registry.close_period("16.71", JUNE, dry_run=True)
    assert (planned.decision, len(planned.events)) == ("planned", 1)
    planned = store.registry.reopen_period("16.06", JUNE, because="to see", dry_run=True)
    assert planned.decision == "planned"
    with store.ledger() as ledger:
        assert ledger.position == 8
        assert closed_periods(ledger.connection, 8).keys() == {"16.06"}


# --- what is refused and what is not ------------------------------------------------------------

REFUSED: Final = {
    "a batch dated inside": "enrol 16.06 guru 10 from 2025-06-30 SK-9",
    "a batch before the first entry": "enrol 16.06 guru 10 from 2024-03-01 until 2024-04-30 SK-9",
    "a term that begins before and ends inside": "enrol 16.06 guru 9 from 2024-12-01 until 2025-02-28 SK-9",
    "a leave inside": "deactivate 16.06 guru 1 from 2025-06-30 of SK-1 for arrears SK-9",
    "a back-dated leave from the pool": "deactivate 16.06 marbot 1 from 2025-01-02 SK-9",
    "heads to another category inside": "reclassify 16.06 guru 5 to marbot from 2025-03-01 of SK-1 SK-9",
    "a withdrawal": "withdraw 16.06 SK-2 because mistaken",
    "a correction of the day": "correct 16.06 marbot 50 from 2025-01-02 because misread SK-2",
    "a correction of the end": "correct 16.06 guru 20 from 2025-01-01 until 2025-06-29 because misread SK-3",
    "a correction into another category": "correct 16.06 bpd 50 from 2025-01-01 because misread SK-2",
    "a transfer into it": "reclassify 16.06 guru 5 to guru from 2025-03-01 of SK-4 out-of 11.01 SK-9",
    "a potential from inside": "potential 16.06 900 from 2025-06-30",
    "a potential from the first day": "potential 16.06 900 from 2025-01-01",
}
ADMITTED: Final = {
    "a batch from the day after": "enrol 16.06 guru 10 from 2025-07-01 SK-9",
    "a leave from the day after": "deactivate 16.06 guru 10 from 2025-07-01 of SK-1 for arrears SK-9",
    "a renewal from the day after": "renew 16.06 guru 20 until 2026-06-30 of SK-3 SK-9",
    "heads to another category after": "reclassify 16.06 guru 5 to marbot from 2025-07-01 of SK-1 SK-9",
    "a transfer out of it after": "reclassify 11.01 guru 5 to guru from 2025-07-01 of SK-1 out-of 16.06 SK-9",
    "a correction of what is still to come": "correct 16.06 guru 30 from 2025-08-01 because misread SK-5",
    "a correction of the end after": "correct 16.06 guru 100 from 2025-01-01 until 2025-11-30 because misread SK-1",
    "a correction of segment and funding": "correct 16.06 marbot 50 from 2025-01-01 segment BPU by csr because misread SK-2",
    "a withdrawal of what is still to come": "withdraw 16.06 SK-5 because mistaken",
    "another area": "enrol 11.01 guru 10 from 2025-01-01 SK-9",
    "a potential from the day after": "potential 16.06 900 from 2025-07-01",
    "a potential of the province": "potential 16 900 from 2025-01-01",
    "the potential in force, said of a later day": "potential 16.06 1000 from 2025-03-01",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_changes_a_closed_day_is_refused(store: Store, name: str) -> None:
    """With who closed it, when, and by how much which closed days would change."""
    error = refusal(store, commands(f"#9 2026-01-01 {REFUSED[name]}"))
    assert {each.code for each in error.problems if each.severity == "error"} == {"closed-period"}
    assert "16.06 is closed through 2025-06-30, by tests at 2026-01-01" in error.what
    assert "(#8)" in error.what
    assert "--override REASON --seconded-by NAME" in error.remedy


@pytest.mark.parametrize("name", ADMITTED)
def test_what_changes_no_closed_day_is_recorded(store: Store, name: str) -> None:
    """Whatever else it says: only sums of an area × category and the potential are closed."""
    recorded = store.registry.record(*commands(f"#9 2026-01-01 {ADMITTED[name]}"))
    assert recorded.decision == "recorded"
    assert not {each.code for each in recorded.problems} & {"closed-period"}


def test_the_refusal_says_by_how_much_on_which_days(store: Store) -> None:
    """A term of two months inside: that, and nothing else, would change."""
    document = "#9 2026-01-01 enrol 16.06 guru 9 from 2025-02-01 until 2025-03-31 SK-9"
    error = refusal(store, commands(document))
    assert "the guru of 16.06 by +9 from 2025-02-01 to 2025-03-31" in error.what


def test_two_movements_that_cancel_out_change_nothing(store: Store) -> None:
    """The net effect of the transaction counts: one batch in the place of another is no change."""
    replaced = """
    #9 2026-01-01 withdraw 16.06 SK-2 because "another reference"
    +             enrol    16.06 marbot 50 from 2025-01-01 SK-2A
    """
    assert store.registry.record(*commands(replaced)).decision == "recorded"


def test_two_movements_that_cancel_out_on_some_days_only_are_refused(store: Store) -> None:
    """From February on it comes to the same; in January it does not."""
    replaced = """
    #9 2026-01-01 withdraw 16.06 SK-2 because "another day"
    +             enrol    16.06 marbot 50 from 2025-02-01 SK-2A
    """
    error = refusal(store, commands(replaced))
    assert "marbot of 16.06 by -50 from 2025-01-01 to 2025-01-31;" in error.what


def test_every_category_is_listed(store: Store) -> None:
    """A move between categories changes both, and each is said."""
    document = "#9 2026-01-01 reclassify 16.06 guru 5 to marbot from 2025-03-01 of SK-1 SK-9"
    problems = refusal(store, commands(document)).problems
    assert ["by -5" in problems[0].why, "by +5" in problems[1].why] == [True, True]


def test_the_potential_in_force_is_closed(store: Store) -> None:
    """Taking it back is refused; one that is in force only afterwards may go."""
    with pytest.raises(RuleBrokenError, match=r"the potential of 16\.06 by -1,000"):
        store.registry.take_back("potential", 6, because="mistaken")
    assert store.registry.take_back("potential", 7, because="mistaken").decision == "recorded"


def test_a_potential_that_counts_something_else_changes_what_was_closed(store: Store) -> None:
    """The same number of another definition is another denominator."""
    other = RevisePotential("16.06", date(2025, 2, 1), 1000, "only BPU", "BPS")
    assert "in what it counts from 2025-02-01 to 2025-06-30" in refusal(store, [other]).what


def test_a_late_potential_is_marked_in_a_trace(store: Store) -> None:
    """Where it is in force at one end only, as heads are; taken back late, its end as well."""
    other = RevisePotential("16.06", date(2025, 2, 1), 500, "angkatan kerja", "BPS")
    timely = RevisePotential("16.06", date(2025, 8, 1), 900, "angkatan kerja", "BPS")
    first = late(store, other, timely).first_position or 0
    store.registry._override = SECONDED
    taken = store.registry.take_back("potential", first, because="mistaken").first_position or 0
    january, august = date(2025, 1, 31), date(2025, 8, 1)
    with store.ledger() as ledger:
        now = ledger.position
        expected = {
            (Point(JUNE, first - 1), Point(JUNE, taken - 1)): [first],
            (Point(JUNE, taken - 1), Point(JUNE, now)): [first, taken],
            (Point(january, taken - 1), Point(JUNE, taken - 1)): [first],
            (Point(january, now), Point(JUNE, now)): [],
            (Point(JUNE, now), Point(august, now)): [],
        }
        for area in ("16.06", "16"):
            for (start, end), positions in expected.items():
                for ends in ((start, end), (end, start)):
                    found = trace(ledger, Traced(area, *ends)).late_potentials
                    assert [each.position for each in found] == positions
                    assert {each.area for each in found} <= {"16.06"}
        elsewhere = trace(ledger, Traced("11", *next(iter(expected))))
    assert elsewhere.late_potentials == ()


def test_targets_and_figures_are_no_sums(store: Store) -> None:
    """They may come at any time, and be taken back."""
    target = SetTarget("16.06", date(2025, 3, 1), Decimal(50), "RPJMD", "Perda")
    figure = PublishFigure("16.06", "2025-03", "Pemkab", "siaran pers", active=7)
    recorded = store.registry.record(target, figure)
    assert recorded.decision == "recorded"
    assert recorded.last_position is not None
    taken = store.registry.take_back("figure", recorded.last_position, because="mistaken")
    assert taken.decision == "recorded"


def test_a_renewal_by_command_of_a_term_that_ends_with_the_closing(store: Store) -> None:
    """It begins the day after, so it is free."""
    until = date(2026, 6, 30)
    assert store.registry.renew_batch("16.06", "SK-3", until=until, new_reference="SK-9").events


# --- reopening ----------------------------------------------------------------------------------


def test_reopening_opens_from_a_day(store: Store) -> None:
    """May stays closed, June is open."""
    store.registry.reopen_period("16.06", date(2025, 6, 1), because="SK 9 came in late")
    assert last_state(store)["closed_through"] == "2025-05-31"
    late = commands("#10 2026-01-01 enrol 16.06 guru 1 from 2025-06-01 SK-9")
    assert store.registry.record(*late).decision == "recorded"
    refusal(store, commands("#11 2026-01-01 enrol 16.06 guru 1 from 2025-05-31 SK-10"))


@pytest.mark.parametrize(
    ("area", "since", "why"),
    [
        ("16.06", date(2025, 7, 1), "closed through 2025-06-30 only"),
        ("16.71", date(2025, 1, 1), "nothing is closed"),
    ],
)
def test_reopening_what_is_open_is_refused(store: Store, area: str, since: date, why: str) -> None:
    """Whoever asks for it means another area or another day."""
    with pytest.raises(RuleBrokenError, match=why):
        store.registry.reopen_period(area, since, because="to see")


def test_everything_can_be_reopened(store: Store) -> None:
    """From the first day of the calendar on nothing stays closed; it may be closed again."""
    store.registry.reopen_period("16.06", date(1977, 12, 5), because="to see")
    assert last_state(store)["closed_through"] is None
    with store.ledger() as ledger:
        assert closed_periods(ledger.connection, ledger.position) == {}
    assert store.registry.close_period("16.06", date(2025, 1, 31)).decision == "recorded"


def reopened(store: Store, area: str = "16", *, known: int | None = None) -> list[tuple[Any, ...]]:
    """Return which days of an area were opened again, where and why."""
    with store.ledger() as ledger:
        found = reopenings(ledger.connection, within([area]), known or ledger.position)
    return [(each.area, each.first_on, each.last_on, each.position, each.because) for each in found]


def test_what_was_reopened_stays_told_when_it_is_closed_again(store: Store) -> None:
    """Given June is reopened, changed and closed once more, then the reopening is still told."""
    store.registry.reopen_period("16.06", date(2025, 6, 1), because="to see")
    store.registry.record(*commands("#10 2026-01-01 enrol 16.06 guru 9 from 2025-06-01 SK-9"))
    store.registry.close_period("16.06", JUNE)
    told = ("16.06", date(2025, 6, 1), JUNE, 9, "to see")
    assert reopened(store) == [told]
    assert reopened(store, known=8) == []
    assert reopened(store, "11") == []
    store.registry.reopen_period("16.06", FIRST_DAY, because="all of it")
    assert reopened(store) == [told, ("16.06", FIRST_DAY, JUNE, 12, "all of it")]


def test_each_reopening_tells_the_days_that_it_opened(store: Store) -> None:
    """Of two in a row the second opens what the first had left; an override in between is none."""
    store.registry.reopen_period("16.06", date(2025, 6, 1), because="June")
    late(store, *commands("#10 2026-01-01 enrol 16.06 guru 9 from 2025-05-01 SK-9"))
    store.registry.reopen_period("16.06", date(2025, 4, 1), because="spring")
    assert [each[1:3] for each in reopened(store)] == [
        (date(2025, 6, 1), JUNE),
        (date(2025, 4, 1), date(2025, 5, 31)),
    ]


# --- overriding ---------------------------------------------------------------------------------


def late(store: Store, *recording: Command, dry_run: bool = False) -> Recorded:
    """Record as two persons want it."""
    store.registry._override = SECONDED
    try:
        return store.registry.record(*recording, dry_run=dry_run)
    finally:
        store.registry._override = None


def test_two_persons_may_change_what_is_closed(store: Store) -> None:
    """Then the log says what was changed, why, and which two; and who closed it."""
    recorded = late(store, *commands("#9 2026-01-01 enrol 16.06 guru 9 from 2025-06-01 SK-9"))
    assert [each.severity for each in recorded.problems] == ["warning"]
    said = last_state(store)
    assert (said["because"], said["seconded_by"]) == ("SK 9 came in late", "Budi")
    assert (said["closed_through"], said["closing_position"]) == ("2025-06-30", 8)
    assert said["changes"] == [
        {
            "category": "guru",
            "first_on": "2025-06-01",
            "last_on": "2025-06-30",
            "lowest": 9,
            "highest": 9,
        }
    ]


def test_what_was_recorded_so_is_late(store: Store) -> None:
    """The entries on closed days in the category that changed, and no others of the transaction."""
    recorded = late(
        store,
        *commands(
            """
            #9 2026-01-01 enrol 16.06 guru   9 from 2025-06-01 until 2025-09-30 SK-9
            +             enrol 16.06 marbot 2 from 2025-07-01 SK-10
            +             enrol 16.71 guru   3 from 2025-01-01 SK-11
            """
        ),
    )
    store.registry.record(*commands("#13 2026-01-01 enrol 16.06 guru 1 from 2025-08-01 SK-12"))
    with store.ledger() as ledger:
        start, end = (
            Point(date(2024, 1, 1), ledger.position),
            Point(date(2026, 1, 1), ledger.position),
        )
        traced = Traced("16", start, end)
        found = {(each.reference, each.kind) for each in steps(ledger, traced) if each.late}
        grouped = {each.reference for each in groups(ledger, traced, "batch") if each.late}
        said = overrides(ledger.connection, within(["16"]), ledger.position)
        before = overrides(ledger.connection, within(["16"]), (recorded.first_position or 0) - 1)
    assert found == {("SK-9", "enrolment")}
    assert grouped == {"SK-9"}
    assert [(each.area, each.category, each.highest) for each in said] == [("16.06", "guru", 9)]
    assert before == ()


def test_a_taken_back_potential_may_be_overridden(store: Store) -> None:
    """By the same two persons; what counts then is recorded with it."""
    store.registry._override = SECONDED
    recorded = store.registry.take_back("potential", 6, because="mistaken")
    assert (recorded.decision, len(recorded.events)) == ("recorded", 2)
    assert last_state(store)["changes"][0]["category"] is None


def test_nobody_seconds_oneself() -> None:
    """Names are compared normalised: case, spaces and width make nobody another person."""
    for name in ("tests", "Tests ", "Ｔests", "te sts"):
        with pytest.raises(RuleBrokenError, match="cannot second it as well"):
            check_override(replace(SECONDED, seconded_by=name), "tests")
    check_override(SECONDED, "tests")


def test_an_override_of_nothing_is_said_and_not_recorded(store: Store) -> None:
    """The transaction is recorded as any other: nothing in it is late."""
    recorded = late(store, *commands("#9 2026-01-01 enrol 16.06 guru 9 from 2025-07-01 SK-9"))
    assert [each.code for each in recorded.problems] == ["nothing-overridden"]
    assert len(recorded.events) == 1


def test_an_override_is_of_closings_and_of_no_other_rule(store: Store) -> None:
    """More cannot leave than are there, whoever wants it."""
    document = "#9 2026-01-01 deactivate 16.06 guru 101 from 2025-06-01 of SK-1 for arrears SK-9"
    with pytest.raises(RuleBrokenError) as refused:
        late(store, *commands(document))
    errors = {each.code for each in refused.value.problems if each.severity == "error"}
    assert errors == {"cohort-below-zero"}


def test_a_dry_run_of_an_override_records_nothing(store: Store) -> None:
    """It shows both events: the batch and what it overrides."""
    document = "#9 2026-01-01 enrol 16.06 guru 9 from 2025-06-01 SK-9"
    planned = late(store, *commands(document), dry_run=True)
    assert (planned.decision, len(planned.events)) == ("planned", 2)
    with store.ledger() as ledger:
        assert ledger.position == 8


@pytest.mark.parametrize("imaged_after", [0, 1, 2])
def test_it_holds_over_image_and_tail(tmp_path: Path, imaged_after: int) -> None:
    """Whether closing and override lie in the image, in the tail, or on either side."""
    with closing(given_store(tmp_path / "registry.db")) as store:
        if imaged_after == 0:
            store.publish()
        late(store, *commands("#9 2026-01-01 enrol 16.06 guru 9 from 2025-06-01 SK-9"))
        if imaged_after == 1:
            store.publish()
        refusal(store, commands("#11 2026-01-01 enrol 16.06 guru 1 from 2025-06-01 SK-10"))
        store.registry.reopen_period("16.06", date(2025, 6, 1), because="to see")
        if imaged_after == 2:
            store.publish()
        document = "#12 2026-01-01 enrol 16.06 guru 1 from 2025-06-01 SK-10"
        assert store.registry.record(*commands(document)).decision == "recorded"
        with store.ledger() as ledger:
            assert len(overrides(ledger.connection, within(["16.06"]), ledger.position)) == 1


# --- two processes --------------------------------------------------------------------------------


def _enrol_when_told(path: Path, turn: Any, answer: Any) -> None:
    """In another process: with a registry opened before the closing, record after it."""
    from projections.rules import LedgerBalances
    from registry.application import EnrolmentRegistry
    from registry.storage.log import open_log

    with closing(
        EnrolmentRegistry(path, balances=LedgerBalances(None, lambda: open_log(path)), actor="b")
    ) as registry:
        registry.record(*commands("#1 2026-01-01 enrol 16.71 guru 1 from 2025-01-01 SK-1"))
        answer.put("ready")
        turn.get()
        try:
            registry.record(*commands("#1 2026-01-01 enrol 16.71 guru 1 from 2025-01-01 SK-2"))
        except RuleBrokenError as error:
            answer.put([each.code for each in error.problems if each.severity == "error"])
        else:
            answer.put("recorded")


def test_a_process_that_was_there_before_sees_the_closing(tmp_path: Path) -> None:
    """Whoever has the write lock later sees what the earlier one recorded."""
    path = tmp_path / "registry.db"
    with closing(Store(path)) as store:
        context = multiprocessing.get_context("spawn")
        turn, answer = context.Queue(), context.Queue()
        other = context.Process(target=_enrol_when_told, args=(path, turn, answer))
        other.start()
        try:
            assert answer.get(timeout=60) == "ready"
            store.registry.close_period("16.71", JUNE)
            turn.put("go")
            assert answer.get(timeout=60) == ["closed-period"]
        finally:
            other.join(timeout=60)
            other.kill()


def test_a_withdrawn_batch_recorded_again_is_judged_by_what_it_changes(store: Store) -> None:
    """Withdrawn by two persons, it cannot slip back unseen: coming back changes closed days too."""
    late(store, *commands("#9 2026-01-01 withdraw 16.06 SK-2 because mistaken"))
    (again,) = (
        each
        for each in commands(GIVEN)
        if isinstance(each, RecordBatch) and each.reference == "SK-2"
    )
    assert again.action is Action.ENROL
    assert "by +50" in refusal(store, [again]).what
