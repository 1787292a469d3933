"""What settles a figure: only one that stands, of the same area, and only as it was looked at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from registry.commands import BatchLine, PublishFigure, RecordBatch
from registry.errors import RuleBrokenError
from registry.terms import Action
from tests.stores import Store

DAY = date(2025, 7, 31)


@pytest.fixture(name="store")
def _store() -> Iterator[Store]:
    """Return a store with a figure of 16.06 at #1, one of 16.71 at #2 and one taken back at #3."""
    store = Store(None)
    for area, source in (("16.06", "A"), ("16.71", "A"), ("16.06", "B")):
        store.registry.record(PublishFigure(area, str(DAY), "Dinas", source, active=10))
    store.registry.take_back("figure", 3, because="misprint")
    yield store
    store.close()


def entry(settles: int | None, action: Action = Action.BALANCE_IN, **more: Any) -> RecordBatch:
    """Return a balancing entry in 16.06."""
    line = (BatchLine("guru", 10),)
    note = "no list was found"
    return RecordBatch(
        action, "16.06", "REKON-1", line, effective_on=DAY, note=note, settles=settles, **more
    )


def stored(store: Store, position: int) -> dict[str, Any]:
    """Return an event as it lies in the log."""
    log = store.log()
    row = log.row(position)
    assert row is not None
    return row.facts()


@pytest.mark.parametrize("settles", [None, 1])
def test_an_entry_says_which_figure_it_settles(store: Store, settles: int | None) -> None:
    """The key is always written, null where it settles none."""
    assert store.registry.record(entry(settles)).first_position == 5
    assert stored(store, 5)["settles"] == settles


@pytest.mark.parametrize(
    "settles", [2, 3, 4, 99], ids=["of another area", "taken back", "no figure", "not there"]
)
def test_what_is_no_standing_figure_of_the_area_is_not_settled(store: Store, settles: int) -> None:
    """Nothing is recorded."""
    with pytest.raises(RuleBrokenError, match=f"no figure of 16.06 stands at #{settles}"):
        store.registry.record(entry(settles))
    assert store.log().head() == 4


def test_only_a_balancing_entry_settles(store: Store) -> None:
    """Other events have no such key."""
    store.registry.record(entry(None, Action.ENROL))
    assert "settles" not in stored(store, 5)


def test_what_was_looked_at_before_others_recorded_is_refused(store: Store) -> None:
    """The difference may be another by now; as it was known last, it is recorded."""
    with pytest.raises(RuleBrokenError, match="something was recorded meanwhile"):
        store.registry.record(entry(1), known=3)
    assert store.log().head() == 4
    assert store.registry.record(entry(1), known=4).decision == "recorded"
