"""What is odd about a published figure: only what holds on every day that it can mean."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from registry.commands import RevisePotential
from tests.stores import Store
from tests.test_projections_reconciliation import codes, documented, figure, only, record, says

HISTORY = "#1 2025-01-10 enrol 16.06 guru 5173 from 2024-01-01 SK-1"
OF_20_000: dict[str, Any] = {"active": 5_173, "potential": 20_000}
OF_THE_PERCENTAGE = frozenset({"other-potential", "percent-truncated", "percent-inconsistent"})


@pytest.fixture(name="store")
def _store() -> Iterator[Store]:
    """Heads since 2024; the potential is 10,000, and 12,000 from July 2025."""
    store = Store(None)
    documented(store, HISTORY)
    record(
        store,
        "2025-03-01",
        RevisePotential("16.06", date(2024, 1, 1), 10_000, "w", "BPS"),
        RevisePotential("16.06", date(2025, 7, 1), 12_000, "w", "BPS"),
    )
    yield store
    store.close()


@pytest.mark.parametrize(
    ("as_of", "numbers", "expected"),
    [
        ("2025", {"active": 5_000, "percent": "50"}, set()),  # of 10,000, until June
        ("2025", {"active": 5_000, "uncovered_percent": "50.00"}, set()),
        ("2025-12-31", {"active": 5_000, "percent": "50"}, {"other-potential"}),
        ("2025-12-31", {"active": 5_000, "uncovered_percent": "50.0"}, {"other-potential"}),
        ("2025", {"active": 5_000, "percent": "62.50"}, {"other-potential"}),  # of 8,000
        ("2025", {"active": 5_173, "percent": "51.7"}, set()),
        ("2025", {"active": 5_173, "percent": "43.1"}, set()),
        ("2025-12", {"percent": "43.10"}, {"percent-truncated"}),  # 43.108…: rounded 43.11
        ("2025", {"percent": "43.10"}, set()),  # on no day of June is it that, cut or not
        ("2025-01", {"uncovered_percent": "48.27"}, set()),
        ("2025-01", {"uncovered_percent": "48.2"}, {"percent-truncated"}),  # 48.27
        ("2025-01", {"active": 5_173, "uncovered_percent": "48.2"}, {"percent-truncated"}),
        (
            "2025-01",
            {"active": 5_173, "potential": 10_000, "uncovered_percent": "48.2"},
            {"percent-truncated"},
        ),
        ("2025-01", {"uncovered_percent": "48.3"}, set()),
        ("2025-01", {"uncovered_percent": "48"}, set()),
        ("2025-01", {"uncovered_percent": "56.89"}, {"other-potential"}),  # of 12,000
        ("2025-01", {"uncovered_percent": "60"}, set()),  # of none ever said
        # at odds with its own potential: it implies another only if that is one of those said
        ("2025-01", OF_20_000 | {"percent": "43.11"}, {"percent-inconsistent", "other-potential"}),
        ("2025-01", OF_20_000 | {"uncovered_percent": "56.89"}, {"other-potential"}),
        ("2025-01", OF_20_000 | {"percent": "51.73"}, {"percent-inconsistent"}),  # that in force
        ("2025-01", OF_20_000 | {"percent": "62"}, {"percent-inconsistent"}),  # none ever said
        ("2025", OF_20_000 | {"percent": "43.11"}, {"percent-inconsistent"}),  # in force in July
        ("2025-01", OF_20_000 | {"potential": 12_000, "percent": "43.10"}, {"percent-truncated"}),
    ],
)
def test_what_holds_on_every_day_is_found(
    store: Store, as_of: str, numbers: dict[str, Any], expected: set[str]
) -> None:
    """A percentage, covered or not, over each potential that was in force in its period."""
    assert codes(only(store, figure(as_of=as_of, **numbers))) & OF_THE_PERCENTAGE == expected


def test_half_a_unit_is_rounded_up_of_those_covered_and_of_those_not(store: Store) -> None:
    """1,001 of 8,000 are 12.5125 %, and 87.4875 % are not: 87.488 and 12.513 are both right."""
    record(store, "2025-03-02", RevisePotential("16.71", date(2024, 1, 1), 8_000, "w", "BPS"))
    documented(store, "#1 2025-03-03 enrol 16.71 guru 1001 from 2024-01-01 SK-9")
    for numbers in (
        {"percent": "12.513"},
        {"uncovered_percent": "87.488"},
        {"active": 1_001, "uncovered_percent": "87.488"},
    ):
        each = only(store, figure("16.71", as_of="2025-01", **numbers))
        assert (each.verdict, codes(each)) == ("agrees", set())


def test_the_arithmetic_of_an_uncovered_percentage_is_told(store: Store) -> None:
    """What was cut off is those not covered; what it is over, those covered."""
    cut = only(store, figure(as_of="2025-01", uncovered_percent="48.2"))
    assert says(cut, "percent-truncated") == (
        "4,827 of 10,000 not covered is 48.2700 %: 48.2 % is cut off, rounded it is 48.3 %"
    )
    other = only(store, figure(as_of="2025-01", active=5_000, uncovered_percent="37.5"))
    assert says(other, "other-potential").startswith("5,000 is 62.5 % of 7,99")


def test_a_percentage_of_neither_potential_names_the_third(store: Store) -> None:
    """Of 20,000 it is not; 10,000 are in force; it is that of the 12,000 that hold from July."""
    each = only(store, figure(as_of="2025-01", **OF_20_000, percent="43.11"))
    assert says(each, "percent-inconsistent") == "5,173 of 20,000 is 25.87 %, not 43.11 %"
    other = says(each, "other-potential")
    assert other.startswith("5,173 is 43.11 % of 11,99")
    assert "in force are 10,000; 12,000 holds from 2025-07-01" in other


def test_a_gap_is_odd_only_if_it_means_nothing_on_any_day(store: Store) -> None:
    """Everybody not covered: 4,827 until June, 6,827 after it."""
    for as_of, gap, odd in (
        ("2025", "4827", False),
        ("2025", "6827", False),
        ("2025", "5555", True),
        ("2025-12", "4827", True),
    ):
        each = only(store, figure(as_of=as_of, active=5_173, target_percent="60", gap=gap))
        assert ("gap-inconsistent" in codes(each)) == odd


def test_a_target_that_is_reached_needs_nobody(store: Store) -> None:
    """5,173 are more than half of 10,000: neither workers nor points are less than none."""
    each = only(store, figure(as_of="2025-01", active=5_173, target_percent="50", gap="30"))
    assert says(each, "gap-inconsistent").startswith(
        "30 printed; needed for 50 % are 0 workers (5,000, that is 50 % of 10,000 in force rounded up,"
        " is reached by 5,173) or 0.00 points; not covered are 4,827"
    )
    (gap,) = [check for check in each.now.checks if check.what == "gap"]
    assert (gap.expected, gap.difference) == (0, 30)


def test_covered_and_not_covered_make_a_whole_on_some_day(store: Store) -> None:
    """Each rounded up from a half of June, when 12.5125 % were covered."""
    record(
        store,
        "2025-03-02",
        RevisePotential("16.71", date(2024, 1, 1), 8_000, "w", "BPS"),
        RevisePotential("16.71", date(2025, 7, 1), 9_000, "w", "BPS"),
    )
    documented(store, "#1 2025-03-03 enrol 16.71 guru 1001 from 2024-01-01 SK-9")
    numbers = {"percent": "12.513", "uncovered_percent": "87.488"}
    assert codes(only(store, figure("16.71", as_of="2025", **numbers))) == set()
    last = only(store, figure("16.71", as_of="2025-12", **numbers))
    assert "uncovered-inconsistent" in codes(last)
