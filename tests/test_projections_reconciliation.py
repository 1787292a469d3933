"""Published figures held against the ledger: planted faults, the naive oracle, the arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.boundaries import Crossing
from projections.coverage import coverage_at
from projections.ledger import Ledger
from projections.points import Point
from projections.reconciliation import Reconciled, Reconciliation, reconcile
from projections.suspects import NAMED_MAX, Suspect, Suspects, Window, suspects_in
from projections.vintages import AreaVintages, Vintage
from registry.boundaries import boundaries_of
from registry.commands import (
    BatchLine,
    ChangeArea,
    Command,
    PublishFigure,
    RecordBatch,
    RevisePotential,
    SetTarget,
)
from registry.storage.log import Log
from registry.terms import NATION, Action, Change, Segment
from tests.area_changes import changed, enrolled
from tests.ledger_from_doc import attempted, parsed
from tests.naive_reconciliation import Naive, Outcome
from tests.planted_figures import (
    CORRECTED_ON,
    PUBLISHED_ON,
    RECORDED_ON,
    Country,
    planted_country,
)
from tests.stores import Store
from tests.strategies import CATEGORIES, PROVINCES, REGENCIES, History, histories
from tests.test_properties_histories import play

DAY = timedelta(days=1)


@pytest.fixture(name="store")
def _store() -> Iterator[Store]:
    store = Store(None)
    yield store
    store.close()


def on(day: date) -> datetime:
    """Return an instant on a day in Jakarta, and on the same in UTC."""
    return datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=3)


def record(store: Store, day: str | date, *commands: Command) -> int:
    """Record on a day; return the first position."""
    store.clock.now = on(day if isinstance(day, date) else date.fromisoformat(day))
    recorded = attempted(store, commands)
    assert recorded.decision == "recorded", recorded.problems
    assert recorded.first_position is not None
    return recorded.first_position


def documented(store: Store, document: str) -> None:
    """Record the rows of a test's docstring."""
    for transaction in parsed(document):
        record(store, transaction.recorded_on, *transaction.commands)


def figure(area: str = "16.06", as_of: str | None = "2025-07-31", **numbers: Any) -> PublishFigure:
    """Return a figure printed on 1 August 2025, if nothing else is said."""
    said = {"published_on": date(2025, 8, 1)} | numbers
    return PublishFigure(area, as_of, "Dinas", f"Koran {sorted(numbers.items(), key=str)}", **said)


def found(store: Store, area: str = NATION, known: int | None = None) -> Reconciliation:
    """Return what reconciling says."""
    with store.ledger() as ledger:
        return reconcile(ledger, area, known=known)


def only(store: Store, said: PublishFigure, day: str = "2026-01-01") -> Reconciled:
    """Record one figure and return what becomes of it."""
    position = record(store, day, said)
    return next(each for each in found(store).figures if each.figure.position == position)


def codes(each: Reconciled) -> set[str]:
    """Return the codes of what was found."""
    return {finding.code for finding in each.findings}


def says(each: Reconciled, code: str) -> str:
    """Return the arithmetic of the one finding of a kind."""
    (said,) = [finding.says for finding in each.findings if finding.code == code]
    return said


# --- planted faults -------------------------------------------------------------------------------


@pytest.fixture(name="planted", scope="module")
def _planted() -> Iterator[tuple[Country, Reconciliation]]:
    country = planted_country()
    with closing(Store(None)) as store:
        record(store, RECORDED_ON, *country.before)
        record(store, PUBLISHED_ON, *(each.figure for each in country.planted))
        with closing(store.log()) as log:
            said = [row.position for row in log.rows() if row.topic == "ucj.figure-published"]
        for each, position in zip(country.planted, said, strict=True):
            if each.retracted:
                store.registry.take_back("figure", position, because="misread")
        record(store, CORRECTED_ON, *country.corrections)
        record(store, CORRECTED_ON, *country.moves)
        yield country, found(store)


def test_every_planted_fault_is_found_and_no_other(
    planted: tuple[Country, Reconciliation],
) -> None:
    """Each figure has the verdict and exactly the codes that it was made for."""
    country, answer = planted
    assert len(country.planted) >= 100
    wrong = [
        f"{each.kind}: {each.figure}\n  made for {each.verdict} {sorted(each.codes)},"
        f" found {row.verdict} {sorted(codes(row))} {[one.says for one in row.findings]}"
        for each, row in zip(country.planted, answer.figures, strict=True)
        if (str(each.verdict), set(each.codes)) != (str(row.verdict), codes(row))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_kind_of_fault_is_planted(planted: tuple[Country, Reconciliation]) -> None:
    """No code and no verdict is left out, each several times."""
    country, _ = planted
    verdicts = Counter(each.verdict for each in country.planted)
    made = Counter(code for each in country.planted for code in each.codes)
    assert set(verdicts) == {
        "agrees", "within-tolerance", "differs", "unclassified", "undated", "no-ledger",
        "no-potential", "retracted",
    }  # fmt: skip
    assert set(made) == {
        "percent-inconsistent", "percent-truncated", "uncovered-inconsistent", "gap-inconsistent",
        "other-potential", "figures-conflict", "targets-conflict", "restated", "balanced",
    }  # fmt: skip
    assert min(verdicts.values()) > 3
    assert min(made.values()) > 3


def test_the_cause_of_each_planted_difference_is_told(
    planted: tuple[Country, Reconciliation],
) -> None:
    """The batches behind it are named, and the words that it was made for are said."""
    country, answer = planted
    pairs = list(zip(country.planted, answer.figures, strict=True))
    for each, row in pairs:
        if each.suspects is not None:
            assert {batch.reference for batch in row.suspects.named} == each.suspects, each
        if each.told is not None:
            said = [row.explanation or "", *(finding.says for finding in row.findings)]
            assert any(each.told in words for words in said), (each, said)
    made = Counter(each.kind for each, _ in pairs if each.told is not None)
    assert min(made.values()) > 3


def test_the_naive_oracle_finds_the_same_planted_faults(
    planted: tuple[Country, Reconciliation],
) -> None:
    """The oracle is right where the faults are known: it is no echo of the program."""
    country, answer = planted
    with closing(Store(None)) as store:
        record(store, RECORDED_ON, *country.before)
        record(store, PUBLISHED_ON, *(each.figure for each in country.planted))
        for each, row in zip(country.planted, answer.figures, strict=True):
            if each.retracted:
                store.registry.take_back("figure", row.figure.position, because="misread")
        record(store, CORRECTED_ON, *country.corrections)
        record(store, CORRECTED_ON, *country.moves)
        with closing(store.log()) as log:
            rows = list(log.rows())
    outcomes = Naive(rows).outcomes(rows[-1].position)
    expected = [(each.kind, each.verdict, set(each.codes)) for each in country.planted]
    named = [each.kind for each in country.planted]
    assert expected == [
        (kind, each.verdict, each.codes) for kind, each in zip(named, outcomes, strict=True)
    ]
    for made, outcome in zip(country.planted, outcomes, strict=True):
        if made.suspects is not None:
            assert {reference for _, reference, _ in outcome.suspects} == made.suspects


# --- the three points of view -----------------------------------------------------------------------

HISTORY = """
#1 2025-01-10 opening 16.06 tidak-terklasifikasi 100 from 2024-12-31 SK-0
#2 2025-02-10 enrol 16.06 guru 20 from 2025-02-01 SK-1
"""


def test_a_figure_is_tested_as_known_at_the_end_of_its_day_in_jakarta(store: Store) -> None:
    """What is recorded a second before midnight there counts, a second after does not."""
    midnight = datetime(2025, 8, 1, 17, tzinfo=UTC)  # 2 August begins in Jakarta
    record(store, "2025-07-01", *parsed(HISTORY)[0].commands)
    store.clock.now = midnight - timedelta(seconds=2)
    attempted(store, parsed(HISTORY)[1].commands)
    said = only(store, figure(active=120))
    assert (said.verdict_then, said.figure.known_then) == ("agrees", 2)
    with closing(Store(None)) as later:
        record(later, "2025-07-01", *parsed(HISTORY)[0].commands)
        later.clock.now = midnight
        attempted(later, parsed(HISTORY)[1].commands)
        said = only(later, figure(active=120))
        assert (said.verdict, said.verdict_then, said.figure.known_then) == ("agrees", "differs", 1)


def test_what_the_log_did_not_hold_was_not_yet_recorded(store: Store) -> None:
    """Another area's batches are none of this one's; its potential is something."""
    record(store, "2025-07-01", *parsed(HISTORY)[0].commands)
    other = figure("16.71", active=1)
    assert only(store, other).verdict_then == "not-yet-recorded"
    assert only(store, figure("16", active=100)).verdict_then == "agrees"
    with closing(Store(None)) as early:
        record(early, "2025-07-01", RevisePotential("16.71", date(2025, 1, 1), 9, "w", "BPS"))
        assert only(early, other).verdict_then == "no-ledger"


def test_what_was_documented_then_counts_by_its_claimed_date(store: Store) -> None:
    """Recorded late, claimed early; what claims nothing counts from the day it was recorded."""
    first, second = (each.commands for each in parsed(HISTORY))
    record(
        store,
        "2026-03-01",
        *(replace(cast("RecordBatch", each), decided_on=date(2025, 1, 2)) for each in first),
    )
    record(store, "2026-03-01", *second)
    said = only(store, figure(active=100), day="2026-03-02")
    assert (said.verdict, said.verdict_then) == ("differs", "not-yet-recorded")
    assert said.documented is not None
    assert said.documented.verdict == "agrees"
    late = only(store, figure(active=120, published_on=date(2026, 3, 1)), day="2026-03-02")
    assert late.documented is not None
    assert late.documented.verdict == "agrees"


def test_the_documented_view_is_that_of_the_revisions(store: Store) -> None:
    """One rule for both: the same figure at the same claimed day."""
    for number, transaction in enumerate(parsed(HISTORY)):
        for command in transaction.commands:
            claimed = replace(cast("RecordBatch", command), decided_on=date(2025, 5, 1 + number))
            record(store, "2026-03-01", claimed)
    for day, active in (
        (date(2025, 4, 30), None),
        (date(2025, 5, 1), 100),
        (date(2025, 5, 2), 120),
    ):
        said = only(store, figure(active=1, published_on=day), day="2026-03-02")
        assert said.documented is not None
        assert said.documented.standing is not None
        assert said.documented.standing.active == active
        with store.ledger() as ledger:
            july = date(2025, 7, 31)
            vintages = AreaVintages(ledger, "16.06", ledger.position, july, july, documented=True)
            ((seen,),) = vintages.figures([july], [Vintage(day, ledger.position)])
        assert seen.active == active


def test_a_potential_recorded_for_the_whole_province_is_named(store: Store) -> None:
    """Beside that of the regencies counted, with the percentage that all heads are of it."""
    day = date(2025, 1, 1)
    heads = [
        RecordBatch(Action.ENROL, area, "SK-1", (BatchLine("guru", workers),), effective_on=day)
        for area, workers in (("16.06", 100), ("16.71", 60))
    ]
    said = [
        RevisePotential(area, since, workers, "workers", "BPS")
        for area, since, workers in (
            ("16", date(2024, 1, 1), 70_000),
            ("16", day, 80_000),
            ("16", date(2026, 1, 1), 90_000),
            ("16.06", day, 1_000),
        )
    ]
    first = record(store, "2025-02-01", *heads, *said)
    own = first + 3
    whole = only(store, figure("16", potential=80_000, percent="0.20"))
    assert (whole.verdict, codes(whole)) == ("differs", {"other-potential"})
    named = (
        f"80,000 is the potential recorded for the whole area, from 2025-01-01 (#{own});"
        " in force are 1,000, of the 1 of 17 regencies counted"
    )
    assert says(whole, "other-potential") == (f"{named}; 160 of all regencies are 0.20 % of it")
    assert says(only(store, figure("16", potential=80_000)), "other-potential") == named
    assert codes(only(store, figure("16", potential=70_000))) == {"figures-conflict"}
    assert "other-potential" not in codes(only(store, figure("16.06", potential=80_000)))


def test_restated_names_the_batches_that_did_it(store: Store) -> None:
    """It agreed when it was printed; then a batch was recorded, back-dated."""
    record(store, "2025-07-01", *parsed(HISTORY)[0].commands)
    position = record(store, "2025-08-01", figure(active=100))
    record(store, "2025-09-01", *parsed(HISTORY)[1].commands)
    (said,) = found(store).figures
    assert (said.verdict, said.verdict_then) == ("differs", "agrees")
    assert [(each.reference, each.workers) for each in said.restated_by.named] == [("SK-1", 20)]
    assert says(said, "restated") == ("100 heads then, 120 now; recorded since #2: SK-1 (+20)")
    (before,) = found(store, known=position).figures
    assert (before.verdict, codes(before)) == ("agrees", {"balanced"})


@pytest.mark.parametrize(
    ("numbers", "agreed"),
    [
        ({"active": 121}, "heads"),  # the potential that agreed in May says nothing of heads
        ({"percent": "13.0"}, "heads"),
        ({"potential": 999}, "potential"),
        ({"active": 121, "potential": 999}, "heads"),
    ],
)
def test_only_a_figure_of_the_same_number_and_an_earlier_day_vouches(
    store: Store, numbers: dict[str, Any], agreed: str
) -> None:
    """SK-1 took effect after the last heads that agreed; what agrees of the same day is no help."""
    record(store, "2025-01-01", RevisePotential("16.06", date(2025, 1, 1), 1_000, "w", "BPS"))
    documented(store, HISTORY.replace("#1", "#2").replace("#2 2025-02", "#3 2025-02"))
    vouching = {
        "heads": record(store, "2025-08-02", figure(as_of="2025-01-31", active=100)),
        "potential": record(store, "2025-08-03", figure(as_of="2025-05-31", potential=1_000)),
    }
    record(store, "2025-08-04", figure(as_of="2025-07-31", active=120, percent="12.0"))
    said = only(store, figure(**numbers), "2025-08-05")
    assert said.verdict == "differs"
    assert said.agreed_before is not None
    assert said.agreed_before.position == vouching[agreed]
    named = [each.reference for each in said.suspects.named]
    assert named == (["SK-1"] if agreed == "heads" else [])


def test_what_was_recorded_after_a_figure_is_suspect_though_a_later_paper_agrees(
    store: Store,
) -> None:
    """An earlier day, printed later: it vouches for nothing that was recorded in between."""
    record(store, "2025-07-01", *parsed(HISTORY)[0].commands)
    record(store, "2025-08-02", figure(active=100))
    record(store, "2025-09-01", *parsed(HISTORY)[1].commands)
    later = figure(as_of="2025-06-30", active=120, published_on=date(2025, 10, 1))
    record(store, "2025-10-01", later)
    said = found(store).figures[0]
    assert said.verdict == "differs"
    assert said.agreed_before is not None
    assert said.agreed_before.as_of == "2025-06-30"
    assert [each.reference for each in said.suspects.named] == ["SK-1"]


def test_a_year_vouches_from_the_day_on_which_it_agreed(store: Store) -> None:
    """Not up to its end: what took effect in it later is suspect."""
    documented(store, HISTORY)
    record(store, "2025-08-02", figure(as_of="2025", active=100))
    said = only(store, figure(as_of="2025-03-01", active=99), "2025-08-03")
    assert said.agreed_before is not None
    assert said.agreed_before.as_of == "2025"
    assert [each.reference for each in said.suspects.named] == ["SK-1"]


@pytest.mark.parametrize("agreeing", ["2025-01", "2025-01-01", "2025"])
def test_what_agrees_in_a_month_vouches_for_none_of_it(store: Store, agreeing: str) -> None:
    """The heads left with the year; a paper of January that knows so does not hide their batch."""
    record(store, "2024-01-02", enrolling("SK-1", 300, date(2024, 1, 1), date(2024, 12, 31)))
    before = record(store, "2025-08-02", figure(as_of="2024-11", active=300))
    record(store, "2025-08-02", figure(as_of=agreeing, active=0))
    said = only(store, figure(as_of="2025-01", active=300))
    assert [each.verdict for each in found(store).figures] == ["agrees", "agrees", "differs"]
    assert said.agreed_before is not None
    assert (said.agreed_before.position, said.agreed_before.as_of) == (before, "2024-11")
    assert [(each.reference, each.workers) for each in said.suspects.named] == [("SK-1", -300)]


@pytest.mark.parametrize(
    ("numbers", "verdict", "words"),
    [
        ({"target_percent": "60"}, "no-ledger", "only a target of 60 % is printed"),
        ({"gap": "5"}, "no-ledger", "only a gap is printed, and no target"),
        ({"target_percent": "60", "gap": "480"}, "agrees", None),
        ({"target_percent": "60", "gap": "500"}, "differs", "gap 500 printed, 480 needed (+20)"),
        (
            {"target_percent": "60", "gap": "1.5"},
            "differs",
            "a gap of 1.5 points printed, and none",
        ),
    ],
)
def test_a_figure_of_a_target_alone_is_not_said_to_lack_a_potential(
    store: Store, numbers: dict[str, str], verdict: str, words: str | None
) -> None:
    """One is in force; nothing that a ledger holds is printed, and the words say so."""
    record(store, "2025-01-01", RevisePotential("16.06", date(2025, 1, 1), 1_000, "w", "BPS"))
    documented(store, HISTORY.replace("#1", "#2").replace("#2 2025-02", "#3 2025-02"))
    said = only(store, figure(**numbers))
    assert said.now.verdict == verdict
    assert said.verdict_then == verdict, "the ledger held the same then"
    if words is not None:
        assert said.explanation is not None
        assert said.explanation.startswith(words)
        assert "no figure before it" not in said.explanation, "none was looked for"
    if "gap" in numbers:
        (gap,) = said.now.checks
        assert (gap.what, gap.result) == ("gap", verdict)


def test_a_gap_of_a_month_says_from_which_day_it_is_counted(store: Store) -> None:
    """Its last, as of every month; and it is found odd with all that it might have meant."""
    record(store, "2025-01-01", RevisePotential("16.06", date(2025, 1, 1), 1_000, "w", "BPS"))
    documented(store, HISTORY.replace("#1", "#2").replace("#2 2025-02", "#3 2025-02"))
    said = only(store, figure(as_of="2025-07", target_percent="60", gap="500"))
    assert said.explanation == "gap 500 printed, 480 needed (+20) on 2025-07-31"
    assert codes(said) == {"gap-inconsistent"}


def test_a_gap_of_a_day_that_the_ledger_does_not_have_lacks_no_target(store: Store) -> None:
    """One is known; it is the ledger that has nothing."""
    record(store, "2025-01-01", RevisePotential("16.06", date(2024, 1, 1), 1_000, "w", "BPS"))
    said = only(store, figure(as_of="2024-06-30", target_percent="60", gap="500"))
    assert (said.verdict, said.explanation) == ("no-ledger", None)


def test_a_month_or_a_year_agrees_if_any_day_of_it_does(store: Store) -> None:
    """The day it agreed is said; one that fits no day is held against the last."""
    documented(store, HISTORY)
    for as_of in ("2025-02", "2025"):
        assert only(store, figure(as_of=as_of, active=120)).verdict == "agrees"
    year = only(store, figure(as_of="2025", active=100))
    assert (year.verdict, year.on) == ("agrees", date(2025, 1, 1))
    month = only(store, figure(as_of="2025-02", active=99))
    assert (month.verdict, month.on) == ("differs", date(2025, 2, 28))
    assert "it was 120 on every day of 2025-02" in str(month.explanation)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("48.26", "agrees"), ("48.3", "agrees"), ("48", "agrees"), ("48.27", "differs"),
     ("48.2", "differs"), ("48.262", "agrees"), ("48.263", "differs")],
)  # fmt: skip
def test_a_percentage_agrees_at_its_printed_decimals(store: Store, text: str, verdict: str) -> None:
    """103,079 of 213,582 is 48.2620… %: rounded half away from zero, not cut off."""
    record(store, "2025-07-01", RevisePotential("16.06", date(2025, 1, 1), 213_582, "w", "BPS"))
    documented(store, "#1 2025-07-02 enrol 16.06 guru 103079 from 2025-07-01 SK-1")
    assert only(store, figure(percent=text)).verdict == verdict


def test_a_province_is_held_against_the_regencies_counted(store: Store) -> None:
    """Never one area's heads over another's potential; the answer says how many of how many."""
    record(store, "2025-07-01", RevisePotential("16.06", date(2025, 1, 1), 200, "w", "BPS"))
    documented(store, HISTORY.replace("16.06 guru", "16.71 guru"))
    said = only(store, figure("16", percent="50.00"))
    assert said.verdict == "agrees"
    assert said.now.standing is not None
    assert (said.now.standing.active, said.now.standing.active_counted) == (120, 100)
    assert (said.now.standing.regencies_counted, said.now.standing.regencies_total) == (1, 17)
    nation = only(store, figure(NATION, active=119))
    assert "1 of 514 regencies" in str(nation.explanation)


# --- how many questions ---------------------------------------------------------------------------


class Counting:
    """A connection that counts what it is asked."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.queries = 0

    def execute(self, *arguments: Any) -> Any:
        """Count and pass on."""
        self.queries += 1
        return self.connection.execute(*arguments)

    def cursor(self) -> Counting:
        """Count what is asked beside, too."""
        return self

    def close(self) -> None:
        """Stay open: whoever made it closes it."""


def test_no_figure_costs_a_query(planted: tuple[Country, Reconciliation], store: Store) -> None:
    """As many queries for one figure as for all of them: seven at most."""
    country, _ = planted
    record(store, RECORDED_ON, *country.before)
    counts = []
    for said in (country.planted[:1], country.planted[1:]):
        record(store, PUBLISHED_ON, *(each.figure for each in said))
        with store.ledger() as ledger:
            counting = Counting(ledger.connection)
            answer = reconcile(cast("Ledger", Stand(counting, ledger.position, ledger.log)))
        counts.append((len(answer.figures), counting.queries))
    (one, few), (many, queries) = counts
    assert (one, many) == (1, len(country.planted))
    assert few <= queries <= 7


class Stand(NamedTuple):
    """What reconciling needs of a ledger."""

    connection: Counting
    position: int
    log: Log


# --- any history, any figures ----------------------------------------------------------------------

EPOCH = date(2026, 1, 1)
AS_OF = (
    "2023-12-31", "2024-01-01", "2024-02-29", "2024-12-31", "2025-01-01", "2025-06-30",
    "2025-07-01", "2026-01-01", "2026-12-31", "2024-02", "2025-07", "2025-12", "2024", "2026", None,
)  # fmt: skip


class Draft:
    """How a figure is to be made out of what is true when it is recorded."""

    def __init__(self, draw: st.DrawFn) -> None:
        def pick(*choices: Any) -> Any:
            return draw(st.sampled_from(choices))

        self.area = pick(*REGENCIES, *REGENCIES, *PROVINCES, NATION)
        self.as_of = pick(*AS_OF)
        self.category = pick(None, None, None, *CATEGORIES)
        self.segment = pick(None, None, None, None, None, Segment.BPU)
        self.fields = draw(
            st.sets(
                st.sampled_from(("active", "potential", "percent", "uncovered_percent")),
                min_size=1,
                max_size=3,
            )
        )
        self.off = {name: pick(0, 0, 0, 0, 1, -1, 40) for name in self.fields}
        self.places = pick(0, 1, 2, 2)
        self.tolerance = pick(0, 0, 0, 1, 3)
        self.target = pick(None, None, "50", "105.5")
        self.gap = pick(None, None, None, "workers", "points", "everybody", "odd")
        self.published = pick(None, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 40)
        self.retracted = pick(False, False, False, False, True)
        self.after_step = pick(0, 1, 2, 3, 4)

    def figure(self, naive: Naive, number: int) -> PublishFigure:
        """Return the figure, near the truth."""
        known = naive.rows[-1].position if naive.rows else 0
        seen = naive.at(self.area, self.category, self.segment, self.as_of, known)
        heads = seen.active if seen and seen.active is not None else 5
        over = (seen.potential if seen else None) or 20
        share = 100 * Decimal(heads) / over
        unit = Decimal(1).scaleb(-self.places)
        numbers: dict[str, Any] = {}
        for name in self.fields:
            off = self.off[name]
            if name in {"active", "potential"}:
                true = heads if name == "active" else over
                numbers[name] = max(1 if name == "potential" else 0, true + off)
            else:
                true_share = share if name == "percent" else 100 - share
                printed_share = max(Decimal(0), true_share.quantize(unit) + off * unit)
                numbers[name] = str(min(printed_share, Decimal(1000 if name == "percent" else 100)))
        if self.target is not None:
            numbers["target_percent"] = self.target
        target = Decimal(self.target or "50")
        gaps = {
            "workers": Decimal(-(-int(target * over) // 100) - heads),
            "points": (target - share).quantize(unit),
            "everybody": Decimal(over - heads),
            "odd": Decimal(over + 17),
        }
        if self.gap is not None:
            numbers["gap"] = str(max(Decimal(0), gaps[self.gap]))
        day = None if self.published is None else EPOCH + self.published * DAY
        return PublishFigure(
            self.area,
            self.as_of,
            "Dinas",
            f"Koran {number}",
            category=self.category,
            segment=self.segment,
            tolerance=self.tolerance,
            published_on=day,
            **numbers,
        )


drafts = st.composite(Draft)
targets = st.builds(
    SetTarget,
    area=st.sampled_from((*REGENCIES, "16")),
    due_on=st.sampled_from((date(2025, 6, 30), date(2025, 12, 31), date(2026, 12, 31))),
    percent=st.sampled_from((Decimal(50), Decimal("50.0"), Decimal("105.5"))),
    basis=st.sampled_from(("RPJMD", "RPJMD", "RKPD")),
    source=st.just("of no history"),
)

EXAMPLES = max(1, settings().max_examples // 5)


@pytest.mark.timeout(20 * EXAMPLES)
@settings(max_examples=EXAMPLES)
@given(
    history=histories(),
    drawn=st.lists(drafts(), min_size=1, max_size=12),
    aims=st.lists(targets, max_size=3, unique_by=lambda each: (each.area, each.due_on)),
    moves=st.lists(st.tuples(st.sampled_from(REGENCIES), st.integers(0, 4)), max_size=2),
    place=st.integers(0, 1_000),
)
def test_any_figures_come_to_what_the_oracle_counts(
    history: History,
    drawn: list[Draft],
    aims: list[SetTarget],
    moves: list[tuple[str, int]],
    place: int,
) -> None:
    """Verdicts from three points of view, numbers, findings and suspects, at any position."""
    with closing(Store(None)) as store:
        besides: set[int] = set()
        if aims:
            first = record(store, EPOCH - DAY, *aims)
            besides.update(range(first, first + len(aims)))
        for number, step in enumerate(history.steps):
            store.clock.now = on(EPOCH + 2 * number * DAY)
            play(store, step, history.oracle, besides=besides)
            for area in {area for area, after in moves if after == number}:
                besides.add(record(store, EPOCH + 2 * number * DAY, move(store, area, number)))
            for at, draft in enumerate(drawn):
                if min(draft.after_step, len(history.steps) - 1) == number:
                    day = EPOCH + (2 * number + 1) * DAY
                    besides.add(draw_up(store, draft, at, day))
        rows = list(store.log().rows())
        naive = Naive(rows)
        ends = [row.position for row in rows if is_an_end(rows, row.position)]
        for known in {ends[-1], ends[place % len(ends)]}:
            with store.ledger() as ledger:
                answer = reconcile(ledger, known=known)
                for each, outcome in zip(answer.figures, naive.outcomes(known), strict=True):
                    agree(each, outcome)
                    as_coverage_says(each, ledger, known)


def move(store: Store, area: str, number: int) -> ChangeArea:
    """Return that a regency moves to the other province, a year after it did so last."""
    with closing(store.log()) as log:
        lies = boundaries_of(log).standing(area, Change.MOVED, date.max)
    return changed(area, "moved", f"{2024 + number}-02-10", "11" if lies == "16" else "16")


def draw_up(store: Store, draft: Draft, number: int, day: date) -> int:
    """Record a drafted figure, and take it back if it is to be; return its position."""
    rows = list(store.log().rows())
    position = record(store, day, draft.figure(Naive(rows), number))
    if draft.retracted:
        store.registry.take_back("figure", position, because="misread")
    return position


def is_an_end(rows: Sequence[Any], position: int) -> bool:
    """Whether a transaction ends at a position."""
    following = [row for row in rows if row.position == position + 1]
    return not following or following[0].facts()["transaction_id"] > position


def agree(each: Reconciled, outcome: Outcome) -> None:
    """Hold one answer to the oracle's."""
    assert each.figure.position == outcome.position
    assert each.verdict == outcome.verdict, (each, outcome)
    assert each.verdict_then == outcome.verdict_then, (each, outcome)
    seen = each.documented.verdict if each.documented else None
    assert seen == outcome.verdict_documented or each.figure.as_of is None, (each, outcome)
    then = each.then.standing if each.then else None
    for standing, count in ((each.now.standing, outcome.now), (then, outcome.then)):
        if standing is None or count is None:
            assert standing is None
            assert count is None
            continue
        assert (standing.active, standing.potential) == (count.active, count.potential)
        balance = standing.balance
        assert (balance.opening, balance.reconciling) == (count.opening, count.reconciling)
    named = {
        "uncovered" if check.what == "uncovered_percent" else check.what: check.result
        for check in each.now.checks
        if check.what != "gap"
    }
    assert named == outcome.results
    assert codes(each) == outcome.codes, f"{each.figure} {each.findings} {outcome.now}"
    crossed = {(area, has_come) for area, _, has_come in each.restated_areas}
    assert crossed == outcome.restated_areas, (each, outcome)
    crossed = {(area, has_come) for area, _, has_come in each.suspect_areas}
    if each.suspects.total or outcome.crossed:  # else only a potential may differ
        assert crossed == outcome.crossed, (each, outcome)
    for batches, expected in (
        (each.suspects, outcome.suspects),
        (each.restated_by, outcome.restated_by),
    ):
        assert batches.total == len(expected), (each, outcome)
        assert len(batches.named) == min(NAMED_MAX, len(expected))
        for batch in batches.named:
            assert expected[batch.area, batch.reference, batch.part] == batch.workers


def as_coverage_says(each: Reconciled, ledger: Ledger, known: int) -> None:
    """What a figure is held against is what `ucj coverage` answers on the day taken."""
    standing, said = each.now.standing, each.figure
    if standing is None or said.is_of_a_group:
        return
    assert each.on is not None
    (row,) = coverage_at(ledger, [said.area], each.on, known=known)
    assert (standing.active, standing.potential) == (row.active, row.potential)
    assert standing.coverage == row.coverage
    assert standing.regencies_counted == row.regencies_counted


# --- what a fresh pair of eyes found --------------------------------------------------------------


def enrolling(reference: str, workers: int, on: date, until: date | None = None) -> RecordBatch:
    """Return a batch of guru in 16.06, with a term or without."""
    line = BatchLine("guru", workers, covered_until=until)
    return RecordBatch(Action.ENROL, "16.06", reference, (line,), effective_on=on)


def test_a_batch_whose_term_began_and_ended_in_between_is_suspect(store: Store) -> None:
    """The figure still counts heads that have lapsed: their batch explains it, and is named first."""
    record(
        store,
        "2025-01-02",
        enrolling("A1", 1_240, date(2025, 1, 1)),
        enrolling("A2", 500, date(2025, 3, 1), date(2025, 8, 31)),
        enrolling("A3", 900, date(2024, 1, 1), date(2024, 6, 30)),
    )
    record(store, "2025-03-01", figure(as_of="2025-02-28", active=1_240))
    said = only(store, figure(as_of="2025-09-15", active=1_740), "2025-09-16")
    assert [(each.reference, each.workers) for each in said.suspects.named] == [("A2", -500)]
    assert said.explanation is not None
    assert "A2 (−500)" in said.explanation
    assert "no batch" not in said.explanation


def test_where_no_batch_was_looked_for_none_is_said_to_be_missing(store: Store) -> None:
    """Its heads agree; only the potential is another one."""
    record(store, "2025-01-01", RevisePotential("16.06", date(2025, 1, 1), 10_000, "w", "BPS"))
    record(store, "2025-01-02", enrolling("A1", 1_240, date(2025, 1, 1)))
    record(store, "2025-03-01", figure(as_of="2025-02-28", active=1_240, potential=10_000))
    record(store, "2025-03-02", enrolling("A2", 500, date(2025, 3, 1)))
    said = only(store, figure(as_of="2025-03-31", active=1_740, potential=11_000), "2025-04-01")
    assert said.verdict == "differs"
    assert said.explanation is not None
    assert "no batch" not in said.explanation
    assert said.explanation.endswith("its heads agree")


def test_a_percentage_of_a_category_says_why_it_is_not_tested(store: Store) -> None:
    """There is a potential of the area, and none of its teachers."""
    record(store, "2025-01-01", RevisePotential("16.06", date(2025, 1, 1), 10_000, "w", "BPS"))
    record(store, "2025-01-02", enrolling("A1", 3_333, date(2025, 1, 1)))
    said = only(
        store,
        figure(as_of="2025-02-28", category="guru", active=3_333, percent="33.33"),
        "2025-03-01",
    )
    assert said.verdict == "no-potential"
    assert said.explanation is not None
    assert said.explanation.startswith("its heads agree; a percentage of a category")


@pytest.mark.parametrize(
    ("percent", "codes_found"), [("21.85", set()), ("21.8", {"percent-truncated"}), ("21.7", set())]
)
def test_a_province_may_be_cut_off_where_a_part_of_it_is_counted(
    store: Store, percent: str, codes_found: set[str]
) -> None:
    """21.852 % of the one regency that is counted, printed 21.8."""
    record(store, "2025-01-01", RevisePotential("16.06", date(2025, 1, 1), 100_000, "w", "BPS"))
    record(store, "2025-01-02", enrolling("A1", 21_852, date(2025, 1, 1)))
    said = only(store, figure("16", as_of="2025-05-30", percent=percent), "2025-06-01")
    assert codes(said) == codes_found
    assert said.verdict == ("agrees" if percent == "21.85" else "differs")


# --- what agreement rests on ----------------------------------------------------------------------

LAPSING = """
#1 2025-01-02 opening     16.06 petani 10000 from 2024-01-01 until 2024-06-30 O
+             enrol       16.06 petani 12000 from 2024-07-01 E
#3 2025-01-02 enrol       16.71 petani 10000 from 2024-01-01 until 2024-12-31 F1
+             enrol       16.71 petani  5000 from 2024-01-01 F2
+             balance-out 16.71 petani  1000 from 2024-06-01 until 2024-12-31 of F1 F3 note "a"
+             balance-in  16.71 guru     700 from 2024-02-01 until 2024-05-31 F4 note "b"
"""


@pytest.mark.parametrize(
    ("area", "as_of", "active", "balanced"),
    [
        ("16.06", "2024-06-30", 10_000, "10,000 = 10,000 opening"),
        ("16.06", "2024-08-31", 12_000, None),  # the opening has lapsed
        ("16.71", "2024-05-31", 15_700, "15,700 = 700 reconciling + 15,000 by batches"),
        ("16.71", "2024-08-31", 14_000, "14,000 = −1,000 reconciling + 15,000 by batches"),
        ("16.71", "2025-02-28", 5_000, None),  # those taken out would have lapsed by now
        ("16.71", "2024", 14_000, "14,000 = −1,000 reconciling + 15,000 by batches"),
        ("16.71", "2024", 15_000, None),  # in January, before anything was balanced
    ],
)
def test_agreement_rests_on_what_has_not_lapsed(
    store: Store, area: str, as_of: str, active: int, balanced: str | None
) -> None:
    """An opening or a reconciling entry whose heads' term has ended contributes nobody."""
    documented(store, LAPSING)
    said = only(store, figure(area, as_of, active=active))
    assert said.verdict == "agrees"
    assert [each.says for each in said.findings] == ([balanced] if balanced else [])


def test_a_year_that_agrees_without_an_opening_too_is_independent(store: Store) -> None:
    """It agrees in June by the opening alone, and in July by a batch alone."""
    documented(store, LAPSING.replace("12000", "10000"))
    assert codes(only(store, figure("16.06", "2024", active=10_000))) == set()
    assert codes(only(store, figure("16.06", "2024-06", active=10_000))) == {"balanced"}


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"percent": "10"}, set()),
        ({"uncovered_percent": "90"}, set()),
        ({"active": 600}, {"balanced"}),
    ],
)
def test_a_percentage_rests_on_the_regencies_counted(
    store: Store, numbers: dict[str, Any], expected: set[str]
) -> None:
    """An opening in a regency without a potential is in the heads, in no percentage."""
    record(store, "2025-01-01", RevisePotential("16.06", date(2024, 1, 1), 1_000, "w", "BPS"))
    documented(
        store,
        """
        #2 2025-01-02 enrol   16.06 petani 100 from 2024-01-01 K
        +             opening 16.71 petani 500 from 2024-01-01 L
        """,
    )
    said = only(store, figure("16", "2024-08-31", **numbers))
    assert (said.verdict, codes(said)) == ("agrees", expected)
    record(store, "2026-02-01", RevisePotential("16.71", date(2024, 1, 1), 5_000, "w", "BPS"))
    both = only(store, figure("16", "2024-08-31", percent="10.0"), "2026-02-02")
    assert (both.verdict, codes(both)) == ("agrees", {"balanced"})
    assert says(both, "balanced") == "600 = 500 opening + 100 by batches"


def test_the_day_taken_is_the_first_of_the_last_days_on_end_that_agree(store: Store) -> None:
    """100 in January, 120 in February, 100 again from March: of the year it is 1 March."""
    documented(
        store,
        """
        #1 2025-04-10 enrol 16.06 guru 100 from 2025-01-01 SK-0
        #2 2025-04-10 enrol 16.06 guru 20 from 2025-02-01 until 2025-02-28 SK-1
        """,
    )
    assert only(store, figure(as_of="2025", active=100)).on == date(2025, 3, 1)
    assert only(store, figure(as_of="2025", active=99)).on == date(2025, 12, 31)


# --- a province that has other regencies than before ------------------------------------------------


LATER = date(2025, 6, 2)


def moving_away(store: Store) -> int:
    """Record 1,700 heads of 16, of which 500 lie in 15 from March 2025 on; return where that is said.

    Four figures are published before: of January, which agrees, and of days after.
    """
    said = [
        RevisePotential(area, date(2025, 1, 1), workers, "workers", "BPS")
        for area, workers in (("16.06", 4_000), ("16.07", 2_000))
    ]
    heads = [
        replace(enrolling("SK-1", workers, date(2025, 1, 1)), area=area)
        for area, workers in (("16.06", 1_200), ("16.07", 500))
    ]
    record(store, "2025-02-01", *said, *heads)
    early = {"published_on": date(2025, 4, 30)}
    record(store, "2025-04-30", figure("16", "2025-01-31", active=1_700, potential=6_000, **early))
    record(store, "2025-04-30", figure("16", "2025-03-31", active=1_700, potential=6_000, **early))
    record(store, "2025-04-30", figure("16", "2025-04", active=1_700, **early))
    record(store, "2025-04-30", figure("16", "2025-04-30", potential=6_000, **early))
    return record(store, "2025-06-01", changed("16.07", "moved", "2025-03-01", "15"))


def test_a_regency_that_left_is_what_restated_a_province(store: Store) -> None:
    """What was printed before it was known differs now, and says which event made it so."""
    moved = moving_away(store)
    first, *others = found(store).figures
    left = (Crossing("16.07", moved, has_come=False),)
    assert (first.verdict, first.restated_areas, first.suspect_areas) == ("agrees", (), ())
    assert [each.restated_areas for each in others] == [left] * 3
    assert [each.suspect_areas for each in others] == [left] * 3
    for each in others:
        assert says(each, "restated") == (
            "1,700 heads then, 1,200 now; potential 6,000 then, 4,000 now;"
            f" 16.07 left the area (#{moved})"
        )
        assert str(each.explanation).endswith(
            f"since #{first.figure.position} agreed (2025-01-31): 16.07 left the area (#{moved})"
        )
        assert (each.suspects.total, each.restated_by.total) == (0, 0)


def test_a_regency_that_came_is_behind_the_difference_of_its_new_province(store: Store) -> None:
    """It was so a month earlier; no batch is."""
    moved = moving_away(store)
    record(store, "2025-06-02", replace(enrolling("SK-2", 10, date(2025, 1, 1)), area="15.01"))
    record(store, "2025-06-02", figure("15", "2025-02-28", active=10, published_on=None))
    said = only(store, figure("15", "2025-03-31", active=10, published_on=None), "2025-06-02")
    assert said.suspect_areas == (Crossing("16.07", moved, has_come=True),)
    assert str(said.explanation).endswith(
        f" agreed (2025-02-28): 16.07 came into the area (#{moved})"
    )


def test_a_move_that_is_taken_back_restates_too(store: Store) -> None:
    """Where it is taken back is what did it, not where it was said."""
    moved = moving_away(store)
    record(store, "2025-06-02", figure("16", "2025-05-31", active=1_200, published_on=LATER))
    store.clock.now = on(LATER + DAY)
    taken = store.registry.take_back("area", moved, because="not so").first_position
    said = found(store).figures[-1]
    assert (said.verdict, said.verdict_then) == ("differs", "agrees")
    assert taken is not None
    assert said.restated_areas == (Crossing("16.07", taken, has_come=True),)
    assert says(said, "restated").endswith(f"; 16.07 came into the area (#{taken})")


def test_batches_of_a_regency_that_left_are_no_suspects(store: Store) -> None:
    """They are in the figure of the other province."""
    moved = moving_away(store)
    elsewhere = replace(enrolling("SK-2", 40, date(2025, 3, 10)), area="16.07")
    record(store, "2025-06-02", elsewhere, enrolling("SK-3", 7, date(2025, 3, 10)))
    said = found(store).figures[1]
    assert [each.reference for each in said.suspects.named] == ["SK-3"]
    assert [each.reference for each in said.restated_by.named] == ["SK-3"]
    assert str(said.explanation).endswith(f": 16.07 left the area (#{moved}), SK-3 (+7)")


def test_a_batch_recorded_again_in_another_spelling_is_one_suspect(store: Store) -> None:
    """Withdrawn, recorded again as an office now writes it, and corrected: it explains all by itself."""
    again = enrolled("16.06", 100, "2026-01-01", "sk 1")
    store.registry.record(enrolled("16.06", 100, "2026-01-01", "SK1"))
    store.registry.withdraw_batch("16.06", "SK1", because="wrong")
    store.registry.record(again)
    corrected = enrolled("16.06", 90, "2026-01-01", "sk 1")
    store.registry.record(replace(corrected, because="counted again"))
    with store.ledger() as ledger:
        on = date(2026, 6, 1)
        point = Point("16.06", None, None, on, on, ledger.position)
        window = Window(point, frozenset({"16.06"}), date(2025, 1, 1), 0, 90)
        (found,) = suspects_in(ledger.connection, {"w": window}).values()
    assert found == Suspects((Suspect("16.06", "sk 1", "", 90),), 1)
