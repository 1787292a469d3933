"""What contradicts a published figure: others of the same, and targets of the year it names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from registry.commands import RevisePotential, SetTarget
from tests.stores import Store
from tests.test_projections_reconciliation import codes, documented, figure, found, record, says

HISTORY = """
#1 2025-01-10 enrol 16.06 guru 100 from 2025-01-01 SK-1
#2 2025-02-10 enrol 16.06 guru 20 from 2025-07-15 SK-2
"""
POTENTIAL = RevisePotential("16.06", date(2025, 1, 1), 1_000, "w", "BPS")


@pytest.fixture(name="store")
def _store() -> Iterator[Store]:
    store = Store(None)
    documented(store, HISTORY)
    record(store, "2025-03-01", POTENTIAL)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("as_of", "one", "other", "conflict"),
    [
        ("2025", {"active": 100}, {"active": 120}, False),  # before 15 July, and after it
        ("2025-07", {"active": 100}, {"active": 120}, False),
        ("2025-07-20", {"active": 100}, {"active": 120}, True),
        ("2025-07", {"active": 120}, {"active": 121}, True),  # of which one fits no day
        ("2025-08", {"active": 100}, {"active": 120}, True),
        ("2025", {"percent": "10.0"}, {"uncovered_percent": "88.0"}, False),
        ("2025", {"percent": "10.0"}, {"uncovered_percent": "87.0"}, True),
        ("2025", {"potential": 1_000}, {"potential": 1_100}, True),
        ("2024", {"active": 100}, {"active": 120}, True),  # no ledger bears either out
        ("2025-07-20", {"percent": "10.0"}, {"active": 120, "potential": 1_000}, True),
        ("2025-07-20", {"percent": "12.0"}, {"active": 120, "potential": 1_000}, False),
        ("2025-07-20", {"percent": "11.9"}, {"active": 1_195, "potential": 10_000}, True),
        ("2025-07-20", {"percent": "11.9"}, {"active": 1_185, "potential": 10_000}, False),
        (
            "2025-07-20",
            {"uncovered_percent": "88.1"},
            {"active": 1_195, "potential": 10_000},
            False,
        ),
        ("2025-07-20", {"uncovered_percent": "88.1"}, {"active": 1_185, "potential": 10_000}, True),
        ("2025", {"percent": "12.0"}, {"active": 100, "potential": 1_000}, False),
        ("2025", {"percent": "12.0"}, {"active": 110, "potential": 1_000}, True),
        ("2024-12-31", {"active": 100}, {"active": 120}, True),
    ],
)
def test_figures_conflict_unless_both_can_be_true(
    store: Store, as_of: str, one: dict[str, Any], other: dict[str, Any], conflict: bool
) -> None:
    """Of one day always; of a month or year unless the ledger has a day for each of them."""
    record(store, "2025-12-01", figure(as_of=as_of, **one), figure(as_of=as_of, **other))
    for each in found(store).figures:
        assert ("figures-conflict" in codes(each)) == conflict, each.findings


def test_a_month_is_not_held_against_its_last_day(store: Store) -> None:
    """It does not say which day it means; the ledger judges each of them."""
    record(store, "2025-12-01", figure(as_of="2025-07", active=110))
    record(store, "2025-12-02", figure(as_of="2025-07-31", active=120))
    assert not any("figures-conflict" in codes(each) for each in found(store).figures)


def target(
    percent: str, due_on: str = "2025-12-31", basis: str = "RPJMD", source: str = "Perda 1"
) -> SetTarget:
    """Return a target of 16.06."""
    return SetTarget("16.06", date.fromisoformat(due_on), Decimal(percent), basis, source)


STAGED = (target("60", "2025-06-30"), target("70"))
AT_ODDS = (target("60"), target("70", basis="RKPD", source="Perbup 2"))


@pytest.mark.parametrize(
    ("targets", "as_of", "printed", "conflict"),
    [
        (AT_ODDS, "2025-07-31", "60", True),
        (AT_ODDS, "2025", "65", True),
        (AT_ODDS, "2024-07-31", "60", False),  # of another year
        (AT_ODDS, "2025-07-31", None, False),  # it names none
        (AT_ODDS, None, "60", False),
        (STAGED, "2025-07-31", "60", False),
        (STAGED, "2025-02-28", "70", False),
        (STAGED, "2025-02-28", "80", True),
        ((target("60"), target("60", basis="RKPD")), "2025-02-28", "60", False),
        ((target("60"),), "2025-02-28", "60.0", False),
        ((target("60"),), "2025-02-28", "62", True),
        ((target("62.15"),), "2025-02-28", "62", False),  # rounded
        ((target("60", "2025-06-30"),), "2025-07-31", "62", False),  # due already
        ((target("60"), target("80", "2029-12-31")), "2025-02-28", "80", False),
        ((target("80", "2029-12-31"),), "2025-02-28", "60", False),
    ],
)
def test_targets_conflict_for_figures_that_name_one_of_the_year(
    store: Store, targets: tuple[SetTarget, ...], as_of: str | None, printed: str, conflict: bool
) -> None:
    """Those recorded at odds with each other, or a printed one at odds with those recorded."""
    record(store, "2025-04-01", *targets)
    record(store, "2025-12-01", figure(as_of=as_of, active=100, target_percent=printed))
    (each,) = found(store).figures
    assert ("targets-conflict" in codes(each)) == conflict, each.findings


def test_targets_that_figures_print_for_one_year_conflict(store: Store) -> None:
    """Where none of them was recorded; a figure of a category names its own."""
    record(
        store,
        "2025-12-01",
        figure(as_of="2025-02-28", target_percent="60", active=100),
        figure(as_of="2025-09", target_percent="65", active=120),
        figure(as_of="2025-09", target_percent="90", active=120, category="guru"),
        figure(as_of="2024-02-28", target_percent="50", active=100),
    )
    one, other, group, earlier = found(store).figures
    assert says(one, "targets-conflict").startswith("for 2025: 60 % printed (#4, Koran")
    assert "; 65 % printed (#5, Koran" in says(one, "targets-conflict")
    assert "targets-conflict" in codes(other)
    assert not {"targets-conflict"} & (codes(group) | codes(earlier))
