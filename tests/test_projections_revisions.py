"""Revisions: every cell is coverage as known then, each change is what its batches come to.

The oracle counts heads one by one for what was recorded; for what documents claim it goes through
the acknowledged transactions and adds up who is said to be covered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from projections.coverage import coverage_at
from projections.months import end_of_month
from projections.revisions import (
    Metrics,
    Reference,
    Release,
    Revisions,
    revision_metrics,
    revision_triangle,
    revisions_on,
)
from projections.vintages import BATCHES_LISTED
from registry.commands import BatchLine, Command, RecordBatch, RevisePotential
from registry.reference.areas import regencies
from registry.terms import JAKARTA, NATION, Action
from tests.heads import Cohort, Key, Stated
from tests.oracle import Oracle, key_of
from tests.stores import Store, head
from tests.strategies import DAYS, PROVINCES, REGENCIES, History, Step, histories, questions
from tests.test_properties_histories import play, stores

AREA = "16.06"
DAY = timedelta(days=1)
LAST = date(2027, 3, 31)
AREAS = (*REGENCIES, *PROVINCES, NATION)


def at_noon(day: str | date) -> datetime:
    """Return noon of a day in Jakarta, in UTC."""
    return datetime.fromisoformat(f"{day}T12:00:00+07:00").astimezone(UTC)


def batch(reference: str, workers: int, since: str, until: str | None = None) -> RecordBatch:
    """Return an enrolment in the regency of these tests."""
    line = BatchLine("marbot", workers, covered_until=until and date.fromisoformat(until))  # type: ignore[arg-type]
    return RecordBatch(
        Action.ENROL, AREA, reference, (line,), effective_on=date.fromisoformat(since)
    )


def corrected(command: RecordBatch, workers: int) -> RecordBatch:
    """Return the correction of a batch to another number of heads."""
    (line,) = command.lines
    return replace(command, lines=(replace(line, workers=workers),), because="counted again")


def withdrawn(command: RecordBatch) -> RecordBatch:
    """Return the withdrawal of a batch."""
    return RecordBatch(Action.WITHDRAW, command.area, command.reference, (), because="mistaken")


def potential(workers: int, since: str, area: str = AREA) -> RevisePotential:
    """Return a labour potential."""
    return RevisePotential(area, date.fromisoformat(since), workers, "workers", "a source")


@pytest.fixture(name="store")
def _store() -> Iterator[Store]:
    """Return an empty store in memory."""
    store = Store(None)
    yield store
    store.close()


def record(store: Store, *said: tuple[str, Sequence[Command]]) -> None:
    """Record transactions, each on a day of its own, at noon in Jakarta."""
    for day, commands in said:
        store.clock.now = at_noon(day)
        store.registry.record(*commands)


def on(store: Store, day: str, **asked: bool | int) -> Revisions:
    """Return the releases of one date."""
    with store.ledger() as ledger:
        return revisions_on(ledger, AREA, date.fromisoformat(day), **asked)  # type: ignore[arg-type]


def triangle(
    store: Store, until: str, since: str | None = None, *, documented: bool = False
) -> Revisions:
    """Return the triangle up to a day."""
    begin = date.fromisoformat(since) if since else None
    with store.ledger() as ledger:
        return revision_triangle(
            ledger, AREA, since=begin, until=date.fromisoformat(until), documented=documented
        )


def table(found: Revisions) -> dict[str, dict[str, int | None]]:
    """Return reference date → vintage's day → active."""
    rows: dict[str, dict[str, int | None]] = {}
    for each in found.releases:
        rows.setdefault(str(each.on), {})[str(each.vintage.day)] = each.figure.active
    return rows


# --- the metrics, against published triangles -------------------------------------------------------


def exactly(*figures: str) -> list[Fraction]:
    """Return printed figures as exact numbers."""
    return [Fraction(each) for each in figures]


def test_the_metrics_of_a_published_triangle_of_quarterly_growth() -> None:
    """R's rjd3revisions, README, "Usage": 2022Q1 to 2022Q4 at eight vintages, 2022-07 to 2023-02.

    First releases .8 .2 .5 .4, latest .7 .3 .7 .3 (https://github.com/rjdverse/rjd3revisions), so
    the revisions are -.1, .1, .2, -.1: by hand, mean .1/4, mean absolute .5/4, relative .5/2.0,
    from -.1 to .2.
    """
    first = exactly(".8", ".2", ".5", ".4")
    latest = exactly(".7", ".3", ".7", ".3")
    found = revision_metrics(zip(first, latest, strict=True))
    assert found == Metrics(
        observations=4,
        mean=Fraction("0.025"),
        mean_absolute=Fraction("0.125"),
        relative_mean_absolute=Fraction("0.25"),
        minimum=Fraction("-0.1"),
        maximum=Fraction("0.2"),
    )
    assert found.range == Fraction("0.3")


def test_the_metrics_of_a_published_triangle_of_euro_area_growth() -> None:
    """R's reviser, vignette "Introduction to reviser": GDP of the euro area, 2007Q1 to 2008Q2.

    First releases (`release_0`) and the vintage of 2008-10-01 as printed there
    (https://docs.ropensci.org/reviser/articles/reviser.html); 2008Q3 has one release only and is
    left out. Revisions by hand: .125 .128 -.159 -.028 -.139 .030, together -.043, absolute .609;
    the latest releases are absolute 2.945 together.
    """
    first = exactly("0.603", "0.349", "0.714", "0.382", "0.800", "-0.200")
    latest = exactly("0.728", "0.477", "0.555", "0.354", "0.661", "-0.170")
    found = revision_metrics(zip(first, latest, strict=True))
    assert found == Metrics(
        observations=6,
        mean=Fraction(-43, 6_000),
        mean_absolute=Fraction("0.1015"),
        relative_mean_absolute=Fraction(609, 2_945),
        minimum=Fraction("-0.159"),
        maximum=Fraction("0.128"),
    )
    assert found.range == Fraction("0.287")


def test_nothing_compared_has_no_metrics() -> None:
    """None rather than zeros; and what is relative to nothing is None."""
    assert revision_metrics([]) is None
    found = revision_metrics([(5, 0)])
    assert found is not None
    assert found.mean == Fraction(-5)
    assert found.relative_mean_absolute is None


@pytest.mark.parametrize("rows_of_a_loop", [0, 64], ids=["sorted", "in a loop"])
def test_what_came_to_be_known_counts_from_the_first_month_that_knows_it(
    store: Store, rows_of_a_loop: int
) -> None:
    """A month brought nothing, so it knows as much as the one before; however the engine joins them."""
    record(
        store,
        ("2025-07-31", [batch("SK-1", 8, "2025-06-30", "2025-06-30")]),
        ("2025-08-31", [corrected(batch("SK-1", 8, "2025-06-30", "2025-06-30"), 7)]),
        ("2025-12-31", [corrected(batch("SK-1", 8, "2025-06-30", "2025-06-30"), 6)]),
    )
    with store.ledger() as ledger:
        ledger.connection.execute(f"SET asof_loop_join_threshold = {rows_of_a_loop}")
        until = date(2025, 6, 30)
        found = revision_triangle(ledger, AREA, since=None, until=until, documented=False)
    figures = (8, 7, 7, 7, 7, 6)
    assert tuple(table(found)["2025-06-30"].values()) == figures


def test_the_published_triangle_through_the_ledger(store: Store) -> None:
    """The rows 2022Q1 and 2022Q2 of rjd3revisions' README, in tenths, as batches and corrections.

    Each quarter's figure is a batch covered on its last day only; each vintage of the README is a
    day on which it was recorded, or corrected.
    """
    first, second = (
        batch("Q1", 8, "2022-03-31", "2022-03-31"),
        batch("Q2", 2, "2022-06-30", "2022-06-30"),
    )
    record(
        store,
        ("2022-07-31", [first, second]),
        ("2022-08-31", [corrected(second, 1)]),
        ("2022-09-30", [corrected(first, 7)]),
        ("2022-10-31", [corrected(second, 2)]),
        ("2022-12-31", [corrected(second, 3)]),
        ("2023-01-31", [corrected(second, 2)]),
        ("2023-02-28", [corrected(second, 3)]),
    )
    found = triangle(store, "2022-06-30")

    vintages = (
        "2022-07-31", "2022-08-31", "2022-09-30", "2022-10-31",
        "2022-11-30", "2022-12-31", "2023-01-31", "2023-02-28",
    )  # fmt: skip
    assert [str(each.day) for each in found.vintages] == list(vintages)
    published = {"2022-03-31": (8, 8, 7, 7, 7, 7, 7, 7), "2022-06-30": (2, 1, 1, 2, 2, 3, 2, 3)}
    for day, figures in published.items():
        assert table(found)[day] == dict(zip(vintages, figures, strict=True))
    quarters = {str(each.on): each for each in found.references if str(each.on) in published}
    assert {
        day: (each.releases, each.revision, each.days_to_first, each.days_to_final)
        for day, each in quarters.items()
    } == {"2022-03-31": (8, -1, 122, 183), "2022-06-30": (8, 1, 31, 243)}
    one = on(store, "2022-06-30")
    assert [(str(each.known_on), each.revision) for each in one.releases] == [
        ("2022-07-31", None),
        ("2022-08-31", -1),
        ("2022-10-31", 1),
        ("2022-12-31", 1),
        ("2023-01-31", -1),
        ("2023-02-28", 1),
    ]
    assert one.compared == "release-with-previous"
    assert one.workers == revision_metrics([(2, 1), (1, 2), (2, 3), (3, 2), (2, 3)])


# --- one date ------------------------------------------------------------------------------------------


def test_each_change_of_a_date_is_a_release_with_its_batches(store: Store) -> None:
    """What was known on the day first; then each transaction that changed it, and no other.

    A batch that begins later, or ends before, changes nothing; a correction counts by what it came
    to; two batches of one transaction are one release.
    """
    late = batch("SK-2", 30, "2025-01-15")
    record(
        store,
        ("2025-01-10", [batch("SK-1", 100, "2025-01-01"), potential(400, "2025-01-01")]),
        ("2025-01-31", [batch("SK-0", 5, "2025-01-20", "2025-01-25")]),
        ("2025-02-03", [late, batch("SK-3", 7, "2025-01-31")]),
        ("2025-02-04", [batch("SK-4", 9, "2025-02-01")]),
        ("2025-03-01", [corrected(late, 28)]),
        ("2025-03-02", [potential(500, "2025-01-31")]),
    )
    found = on(store, "2025-01-31")

    assert [
        (each.number, str(each.known_on), each.vintage.position, each.revision, each.batches_total)
        for each in found.releases
    ] == [(1, "2025-01-31", 3, None, 0), (2, "2025-02-03", 5, 37, 2), (3, "2025-03-01", 7, -2, 1),
          (4, "2025-03-02", 8, 0, 0)]  # fmt: skip
    first, second, third, fourth = found.releases
    assert [each.position for each in found.vintages] == [3, 5, 7, 8], "SK-4 says nothing of it"
    assert (first.vintage.recorded_by, second.vintage.recorded_by) == (None, "tests")
    assert [(each.reference, each.workers, each.position) for each in second.batches] == [
        ("SK-2", 30, 4),
        ("SK-3", 7, 5),
    ]
    assert [(each.reference, each.workers) for each in third.batches] == [("SK-2", -2)]
    (revised,) = fourth.potentials
    assert (revised.area, revised.position, revised.before, revised.after) == (AREA, 8, 400, 500)
    assert fourth.revision_points == Fraction(135, 5) - Fraction(135, 4)
    (reference,) = found.references
    assert (reference.revision, reference.days_to_first, reference.days_to_final) == (35, 0, 30)
    earlier = on(store, "2025-01-31", known=5)
    assert earlier.releases == found.releases[:2], "what was known does not change"


def test_only_a_potential_that_is_divided_by_is_a_cause(store: Store) -> None:
    """A province's own while some regencies are not counted is none, nor a regency's while it is."""
    of = ("34.01", "34.02", "34.03", "34.04", "34.71")
    day = "2025-01-01"
    rest = [potential(100, day, each) for each in of[1:]]
    enrolled = [replace(batch("SK-1", 10, day), area=each) for each in of]
    record(
        store,
        ("2025-01-10", [*enrolled, potential(100, day, of[0])]),
        ("2025-02-10", [potential(900, day, "34"), potential(50, day, of[0])]),
        ("2025-03-10", rest),
        ("2025-04-10", [potential(1_000, day, "34"), potential(60, day, of[0])]),
    )
    with store.ledger() as ledger:
        found = revisions_on(ledger, "34", date.fromisoformat("2025-01-31"))
    assert [each.figure.potential for each in found.releases] == [100, 50, 900, 1_000]
    causes = [sorted(each.area for each in release.potentials) for release in found.releases]
    assert causes == [[], ["34.01"], list(of[1:]), ["34"]]


def test_a_date_that_was_never_revised_has_one_release(store: Store) -> None:
    """And no metrics: nothing was compared."""
    record(store, ("2025-03-10", [batch("SK-1", 100, "2025-01-01")]))
    found = on(store, "2025-06-30")
    assert [(each.number, str(each.known_on)) for each in found.releases] == [(1, "2025-06-30")]
    assert (found.workers, found.points) == (None, None)
    assert on(store, "2024-12-31").releases == (), "before the first entry nothing is known"


def test_a_withdrawn_batch_and_a_withdrawn_potential_are_revisions(store: Store) -> None:
    """Both go back; the potential before is in force again."""
    mistaken = batch("SK-2", 40, "2025-01-01")
    record(
        store,
        ("2025-01-10", [batch("SK-1", 100, "2025-01-01"), potential(400, "2025-01-01")]),
        ("2025-02-10", [mistaken, potential(200, "2025-01-05")]),
        ("2025-03-10", [withdrawn(mistaken)]),
    )
    store.clock.now = at_noon("2025-04-10")
    store.registry.take_back("potential", 4, because="mistaken")
    found = on(store, "2025-01-31")
    assert [(each.figure.active, each.figure.potential) for each in found.releases] == [
        (100, 400),
        (140, 200),
        (100, 200),
        (100, 400),
    ]
    assert [(p.before, p.after) for each in found.releases for p in each.potentials] == [
        (400, 200),
        (200, 400),
    ]
    (reference,) = found.references
    assert reference.revision == 0
    assert str(found.releases[-1].known_on) == "2025-04-10"
    assert reference.days_to_final == (date(2025, 4, 10) - date(2025, 1, 31)).days


def test_the_largest_batches_are_listed_and_all_are_counted(store: Store) -> None:
    """More than fit: the largest first."""
    many = [batch(f"SK-{number}", number, "2025-01-01") for number in range(1, BATCHES_LISTED + 6)]
    record(store, ("2025-01-10", [batch("SK", 9, "2025-01-01")]), ("2025-02-10", many))
    release = on(store, "2025-01-31").releases[-1]
    assert release.batches_total == BATCHES_LISTED + 5
    workers = [each.workers for each in release.batches]
    assert workers == sorted(workers, reverse=True)
    assert (len(workers), workers[0]) == (BATCHES_LISTED, BATCHES_LISTED + 5)


def test_a_document_counts_from_the_day_it_claims(store: Store) -> None:
    """Without a claimed date, from the day on which it was recorded."""
    early = replace(batch("SK-1", 100, "2025-01-01"), decided_on=date(2024, 12, 20))
    late = replace(batch("SK-2", 30, "2025-01-01"), decided_on=date(2025, 2, 15))
    record(store, ("2025-06-10", [late, early, batch("SK-3", 7, "2025-01-01")]))

    found = on(store, "2025-01-31", documented=True)
    assert [(str(each.known_on), each.figure.active) for each in found.releases] == [
        ("2025-01-31", 100),
        ("2025-02-15", 130),
        ("2025-06-10", 137),
    ]
    assert {each.vintage.position for each in found.releases} == {3}, "all as known at the end"
    months = triangle(store, "2025-01-31", documented=True)
    assert [str(each.day) for each in months.vintages] == [
        "2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31", "2025-06-10",
    ]  # fmt: skip
    assert [each.figure.active for each in months.releases] == [100, 130, 130, 130, 130, 137]
    assert [each.figure.active for each in triangle(store, "2025-01-31").releases] == [137]


# --- the triangle --------------------------------------------------------------------------------------


def test_a_row_begins_on_the_diagonal_and_the_last_vintage_has_all(store: Store) -> None:
    """Month ends of recording up to the last change, and then what is known."""
    record(
        store,
        ("2025-01-10", [batch("SK-1", 100, "2025-01-01")]),
        ("2025-02-20", [batch("SK-2", 10, "2025-01-20")]),
        ("2025-03-05", [batch("SK-3", 1, "2025-02-15")]),
    )
    assert table(triangle(store, "2025-05-15")) == {
        "2025-01-31": {"2025-01-31": 100, "2025-02-28": 110, "2025-03-05": 110},
        "2025-02-28": {"2025-02-28": 110, "2025-03-05": 111},
        "2025-03-31": {"2025-03-05": 111},
        "2025-04-30": {"2025-03-05": 111},
    }
    found = triangle(store, "2025-05-15")
    assert found.compared == "latest-with-first"
    assert [(str(each.on), each.days_to_final) for each in found.references] == [
        ("2025-01-31", 28),
        ("2025-02-28", 5),
        ("2025-03-31", 0),
        ("2025-04-30", 0),
    ]
    assert found.workers == revision_metrics([(100, 110), (110, 111)])
    assert [str(each.on) for each in triangle(store, "2025-05-15", since="2025-03-01").references]
    assert triangle(store, "2024-12-31").releases == ()


@pytest.mark.parametrize("documented", [False, True])
def test_a_date_is_revised_alike_whichever_others_are_asked(
    store: Store,
    documented: bool,
) -> None:
    """The columns are of all that was recorded, also of later dates: to January as to May."""
    record(
        store,
        ("2025-01-10", [batch("SK-1", 100, "2025-01-01")]),
        ("2025-02-20", [batch("SK-2", 10, "2025-01-20")]),
        ("2025-06-05", [batch("SK-3", 1, "2025-05-15")]),
    )
    whole, early, late = (
        triangle(store, until, since=since, documented=documented)
        for until, since in (
            ("2025-05-31", None),
            ("2025-01-31", None),
            ("2025-05-31", "2025-05-01"),
        )
    )
    assert early.vintages == whole.vintages
    assert str(whole.vintages[-1].day) == "2025-06-05"
    assert early.references == whole.references[:1]
    assert late.references == whole.references[-1:]
    assert [each.days_to_final for each in early.references] == [28]


def test_given_positions_are_the_vintages(store: Store) -> None:
    """In their order, each once: of every date that came while no more than it was known."""
    record(
        store,
        ("2025-01-10", [batch("SK-1", 100, "2025-01-01")]),
        ("2025-02-20", [batch("SK-2", 10, "2025-01-20")]),
        ("2025-03-05", [batch("SK-3", 1, "2025-01-15")]),
    )
    with store.ledger() as ledger:
        found = revision_triangle(ledger, AREA, until=date(2025, 2, 28), positions=[3, 1, 3])
    assert found.vintage == "position"
    assert found.known_position == 3
    assert [each.position for each in found.vintages] == [1, 3]
    assert table(found) == {
        "2025-01-31": {"2025-01-10": 100, "2025-03-05": 111},
        "2025-02-28": {"2025-03-05": 111},
    }
    with store.ledger() as ledger:
        found = revision_triangle(ledger, AREA, until=date(2025, 2, 28), positions=[3, 2])
    assert table(found) == {
        "2025-01-31": {"2025-02-20": 110, "2025-03-05": 111},
        "2025-02-28": {"2025-02-20": 110, "2025-03-05": 111},
    }


def test_a_change_names_only_what_counts_on_its_date(store: Store) -> None:
    """Of two batches recorded in one month, each date has those in effect by then.

    A transfer within the area, and what was put in and withdrawn in between, change nothing.
    """
    mistaken = batch("SK-4", 9, "2025-01-10")
    record(
        store,
        ("2025-01-10", [batch("SK-1", 100, "2025-01-01")]),
        ("2025-03-10", [batch("SK-2", 10, "2025-01-20"), batch("SK-3", 1, "2025-02-15")]),
        ("2025-03-11", [mistaken]),
        ("2025-03-12", [withdrawn(mistaken)]),
    )
    causes = {
        str(each.on): [(batch.reference, batch.workers) for batch in each.batches]
        for each in triangle(store, "2025-02-28").releases
        if str(each.vintage.day) == "2025-03-12"
    }
    assert causes == {
        "2025-01-31": [("SK-2", 10)],
        "2025-02-28": [("SK-2", 10), ("SK-3", 1)],
    }


def test_a_day_ends_in_jakarta(store: Store) -> None:
    """Recorded on the evening of the last day in UTC it is the first of the next month there."""
    store.clock.now = datetime(2025, 1, 31, 16, 59, tzinfo=UTC)
    store.registry.record(batch("SK-1", 100, "2025-01-01"))
    store.clock.now = datetime(2025, 1, 31, 17, 0, tzinfo=UTC)
    store.registry.record(batch("SK-2", 10, "2025-01-01"))
    found = on(store, "2025-01-31")
    assert [(str(each.known_on), each.figure.active) for each in found.releases] == [
        ("2025-01-31", 100),
        ("2025-02-01", 110),
    ]
    assert table(triangle(store, "2025-01-31")) == {
        "2025-01-31": {"2025-01-31": 100, "2025-02-01": 110}
    }


def test_a_province_is_divided_by_its_own_potential_once_all_are_counted(store: Store) -> None:
    """Until then over the regencies that have both; then by what was recorded of the province."""
    *others, last = (each.code for each in regencies("34"))
    first = replace(batch("SK-1", 10, "2025-01-01"), area=last)
    record(
        store,
        ("2025-01-10", [potential(500, "2025-01-01", "34")]),
        ("2025-01-10", [potential(50, "2025-01-01", code) for code in (*others, last)]),
        ("2025-01-10", [replace(first, area=code) for code in others]),
        ("2025-02-10", [first]),
    )
    with store.ledger() as ledger:
        found = revisions_on(ledger, "34", date(2025, 1, 31))
    total = len(others) + 1
    assert [(each.figure.potential, each.figure.coverage) for each in found.releases] == [
        (50 * len(others), Fraction(20)),
        (500, Fraction(100 * 10 * total, 500)),
    ]


# --- any history -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Played:
    """A history in a store, and on which day each of its transactions was recorded."""

    oracle: Oracle
    days: tuple[date, ...]


def play_over_time(store: Store, history: History, gaps: Sequence[int]) -> Played:
    """Record a history over months, from the beginning of its world on."""
    now = at_noon(DAYS[0])
    days = [DAYS[0]]
    oracle = history.oracle
    for number, step in enumerate(history.steps):
        now += timedelta(days=gaps[number % len(gaps)])
        store.clock.now = now
        before = head(store)
        play(store, step, oracle)
        if head(store) > before:
            days.append(now.astimezone(JAKARTA).date())
    assert len(days) == len(oracle.history)
    return Played(oracle, tuple(days))


def figure_of(release: Release) -> tuple[int | None, int | None, Fraction | None, int]:
    """Return a release's figure as a tuple."""
    figure = release.figure
    return figure.active, figure.potential, figure.coverage, figure.regencies_counted


def hold_together(found: Revisions) -> None:
    """Releases, their causes, references and metrics say the same."""
    rows: dict[date, list[Release]] = {}
    for release in found.releases:
        rows.setdefault(release.on, []).append(release)
    assert list(rows) == [each.on for each in found.references]
    pairs = []
    for reference, row in zip(found.references, rows.values(), strict=True):
        check_row(reference, row)
        if found.compared == "release-with-previous":
            pairs += list(pairwise(row))
        elif len(row) > 1:
            pairs.append((row[0], row[-1]))
    active = [(a.figure.active, b.figure.active) for a, b in pairs]
    assert found.workers == revision_metrics(active)  # type: ignore[arg-type]


def check_row(reference: Reference, row: list[Release]) -> None:
    """Hold a reference date to its releases, and each of them to what caused it."""
    assert [each.number for each in row] == list(range(1, len(row) + 1))
    assert (reference.first, reference.latest, reference.releases) == (row[0], row[-1], len(row))
    revised = [each.revision for each in row[1:]]
    assert reference.revision == (sum(each or 0 for each in revised) if revised else None)
    assert (row[0].batches, row[0].revision) == ((), None)
    finals = [each for each in row if each.figure == row[-1].figure]
    changed = [each for each in row if each.figure != row[-1].figure]
    final = next(each for each in finals if not changed or each.number > changed[-1].number)
    assert reference.days_to_final == (final.known_on - reference.on).days
    for before, after in pairwise(row):
        assert after.revision == (after.figure.active or 0) - (before.figure.active or 0)
        assert len(after.batches) == min(after.batches_total, BATCHES_LISTED)
        assert sum(each.workers for each in after.batches) == after.revision
        same = (before.figure.potential, before.figure.regencies_counted) == (
            after.figure.potential,
            after.figure.regencies_counted,
        )
        assert same or after.potentials or after.batches, "a change without a cause"


gaps_drawn = st.lists(st.sampled_from((1, 20, 40, 200)), min_size=1, max_size=4)
EXAMPLES = max(1, settings().max_examples // 5)


@settings(max_examples=EXAMPLES)
@given(histories(), gaps_drawn, st.sampled_from(AREAS), st.integers(0, 1_000))
def test_every_cell_is_coverage_as_known_then(
    history: History, gaps: list[int], area: str, place: int
) -> None:
    """Any history: as the oracle counts heads, as `coverage_at` answers; and nothing is left out."""
    inside = tuple(each.code for each in regencies(area))
    with stores() as (store, _):
        played = play_over_time(store, history, gaps)
        with store.ledger() as ledger:
            positions = [known.last_position for known in played.oracle.history]
            known = positions[place % len(positions)]
            found = revision_triangle(ledger, area, until=LAST, known=known)
            hold_together(found)
            cells = {(each.on, each.vintage.position): each for each in found.releases}
            for (day, position), release in cells.items():
                (row,) = coverage_at(ledger, [area], day, known=position)
                said = (row.active, row.potential, row.coverage, row.regencies_counted)
                answer = played.oracle.answer(area, inside, day, position)
                assert figure_of(release) == said
                assert said[:3] == (answer.active, answer.potential, answer.coverage)
            for release in found.releases:
                same = cells[release.on, release.vintage.position]
                assert figure_of(release) == figure_of(same)
            check_vintages(found, played, known)


def check_vintages(found: Revisions, played: Played, known: int) -> None:
    """Each month end has what was recorded by then; each date whatever was known from it on."""
    for vintage in found.vintages[:-1]:
        assert vintage.day == end_of_month(vintage.day)
        recorded = [
            state.last_position
            for state, day in zip(played.oracle.history, played.days, strict=True)
            if day <= vintage.day and state.last_position <= known
        ]
        assert vintage.position == max(recorded)
    if found.vintages:
        assert found.vintages[-1].position == known
    released = {(each.on, each.vintage.position, each.vintage.day) for each in found.releases}
    for reference in found.references:
        for vintage in found.vintages:
            if vintage.day >= reference.first.known_on:
                assert (reference.on, vintage.position, vintage.day) in released


@settings(max_examples=EXAMPLES)
@given(histories(), gaps_drawn, st.sampled_from(AREAS), st.lists(st.integers(0, 99), min_size=2))
def test_a_column_does_not_depend_on_the_others(
    history: History, gaps: list[int], area: str, places: list[int]
) -> None:
    """Any positions: each column is the same alone, and has the dates that came in its time."""
    with stores() as (store, _):
        played = play_over_time(store, history, gaps)
        with store.ledger() as ledger:
            recorded = list(zip(played.oracle.history[1:], played.days[1:], strict=True))
            assume(recorded)  # of a history that is refused whole there are no columns
            positions = sorted({recorded[each % len(recorded)][0].last_position for each in places})
            together = _columns(revision_triangle(ledger, area, until=LAST, positions=positions))
            for position in positions:
                alone = revision_triangle(ledger, area, until=LAST, positions=[position])
                assert _columns(alone).get(position) == together.get(position)
                later = [day for state, day in recorded if state.last_position > position]
                (own,) = (day for state, day in recorded if state.last_position == position)
                for on, _ in together.get(position, ()):
                    assert not later or on <= own or on < later[0]


def _columns(found: Revisions) -> dict[int, list[tuple[date, int | None]]]:
    columns: dict[int, list[tuple[date, int | None]]] = {}
    for each in found.releases:
        columns.setdefault(each.vintage.position, []).append((each.on, each.figure.active))
    return columns


@settings(max_examples=EXAMPLES)
@given(histories(), gaps_drawn, st.sampled_from(AREAS), questions)
def test_the_releases_of_a_date_are_all_its_changes(
    history: History, gaps: list[int], area: str, day: date
) -> None:
    """Any history: asked after each transaction, the figure is the last release's by then."""
    inside = tuple(each.code for each in regencies(area))
    with stores() as (store, _):
        played = play_over_time(store, history, gaps)
        with store.ledger() as ledger:
            found = revisions_on(ledger, area, day)
            hold_together(found)
            for before, after in pairwise(found.releases):
                assert before.figure != after.figure
            for state, recorded in zip(played.oracle.history, played.days, strict=True):
                if recorded < day and state is not played.oracle.now:
                    continue  # what was known on the day itself is the first release
                answer = played.oracle.answer(area, inside, day, state.last_position)
                known = [
                    each for each in found.releases if each.vintage.position <= state.last_position
                ]
                figure = known[-1].figure if known else None
                assert (figure and figure.active) == answer.active
                if figure:
                    assert (figure.potential, figure.coverage) == (
                        answer.potential,
                        answer.coverage,
                    )


# --- what documents claim --------------------------------------------------------------------------


def claimed(reference: str, part: str = "") -> date | None:
    """Return the date on a batch's paper, always the same; some have none."""
    _, even, even_part = key_of(AREA, reference, part)
    number = hashlib.sha256(f"{even}/{even_part}".encode()).digest()[0]
    return None if number % 4 == 0 else DAYS[0] + timedelta(days=4 * number)


def dated(step: Step) -> Step:
    """Return a step whose batches say when they were decided."""
    commands = tuple(
        replace(each, decided_on=claimed(each.reference, each.part))
        if isinstance(each, RecordBatch) and each.action is not Action.WITHDRAW
        else each
        for each in step.commands
    )
    return replace(step, commands=commands)


def documented_active(played: Played, inside: tuple[str, ...], day: date, by: date) -> int | None:
    """Add up who is covered on a day by the papers of up to another, batch by batch."""
    heads = 0
    seen = False
    history = played.oracle.history
    for (before, after), recorded in zip(pairwise(history), played.days[1:], strict=True):
        for key, entry in after.book.items():
            former = before.book.get(key)
            if former is entry:
                continue
            stands = entry.stands
            paper = claimed(key[1], key[2]) if stands is not None else None
            if (paper or recorded) > by:
                continue
            for stated, sign in ((former.stands if former else None, -1), (stands, 1)):
                touches, covered = covered_by(stated, inside, day)
                seen = seen or touches
                heads += sign * covered
    return heads if seen else None


def covered_by(stated: Stated | None, inside: tuple[str, ...], day: date) -> tuple[bool, int]:
    """Return whether a batch says anything of some areas by a day, and who is covered then."""
    heads = 0
    touches = False
    if stated is None or stated.first_day > day:
        return False, 0
    for move in stated.moves:
        for place, sign in ((move.enters, 1), (move.leaves, -1)):
            if place is None or place.area not in inside:
                continue
            touches = True
            until = place.until if isinstance(place, Cohort) else None
            if until is None or day <= until:
                heads += sign * move.workers
    return touches, heads


@settings(max_examples=EXAMPLES)
@given(histories(), gaps_drawn, st.sampled_from(REGENCIES), questions)
def test_documented_vintages_are_what_the_papers_say(
    history: History, gaps: list[int], area: str, day: date
) -> None:
    """Any history with dated papers: heads counted by the date on each, not by its recording."""
    history = History([dated(step) for step in history.steps], history.oracle)
    with stores() as (store, _):
        played = play_over_time(store, history, gaps)

        def naive(on_day: date, by: date) -> int | None:
            return documented_active(played, (area,), on_day, by)

        with store.ledger() as ledger:
            one = revisions_on(ledger, area, day, documented=True)
            months = revision_triangle(ledger, area, until=LAST, documented=True)
        hold_together(one)
        hold_together(months)
        for release in (*one.releases, *months.releases):
            assert release.figure.active == naive(release.on, release.vintage.day)
        if months.releases:
            by_paper, now = months.references[-1], played.oracle.now
            answer = played.oracle.answer(area, (area,), by_paper.on, now.last_position)
            assert by_paper.latest.figure.active == answer.active, "in the end all papers are there"


def test_the_keys_of_claims_are_those_of_batches() -> None:
    """Negative control: the papers of these tests do differ, and some batches have none."""
    keys: set[Key] = {key_of(AREA, f"SK {number}/B") for number in range(1, 9)}
    papers = {claimed(key[1], key[2]) for key in keys}
    assert None in papers or len(papers) == len(keys)
    assert len(papers) > 2
