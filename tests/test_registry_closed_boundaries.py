"""Changes of areas and closed days: given a closing, when an area is changed, then refused or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.boundaries import among, within
from projections.closings import closed_periods, overrides, reopenings
from registry import recording
from registry.application import Recorded
from registry.closing import Override
from registry.commands import ChangeArea, Command
from registry.errors import RuleBrokenError
from registry.terms import FIRST_DAY, is_regency
from tests.area_changes import changed, enrolled, store_at, transferred
from tests.stores import Store

THROUGH: Final = date(2024, 12, 31)
SECONDED: Final = Override("the act came in late", "Budi")
MOVED: Final = changed("16.06", "moved", "2024-06-01", "11")
OPENED: Final = changed("16.18", "opened", "2024-06-01", "Muba Ilir", "16.06")


@pytest.fixture(name="store")
def _store() -> Iterator[Store]:
    """A store in which 16.06, of 100 heads, is closed through 2024."""
    with store_at() as store:
        store.registry.record(enrolled("16.06", 100, "2024-01-01", "SK 1"))
        store.registry.close_period("16.06", THROUGH)
        yield store


def late(store: Store, *commands: Command) -> Recorded:
    """Record as two persons want it."""
    store.registry._override = SECONDED
    try:
        return store.registry.record(*commands)
    finally:
        store.registry._override = None


def taken_back_late(store: Store, position: int) -> Recorded:
    """Take back a change as two persons want it."""
    store.registry._override = SECONDED
    try:
        return store.registry.take_back("area", position, because="annulled")
    finally:
        store.registry._override = None


def refusal(store: Store, *commands: Command) -> RuleBrokenError:
    """Return why a transaction is refused for a closing, of which nothing is recorded."""
    before = head(store)
    with pytest.raises(RuleBrokenError) as refused:
        store.registry.record(*commands)
    assert head(store) == before
    assert {each.code for each in refused.value.problems} == {"closed-period"}
    return refused.value


def head(store: Store) -> int:
    """Return where the log ends."""
    with closing(store.log()) as log:
        return log.head()


def closed(store: Store) -> dict[str, date]:
    """Return through which day each regency is closed."""
    with store.ledger() as ledger:
        found = closed_periods(ledger.connection, ledger.position)
    return {area: each.closed_through for area, each in found.items()}


def told(store: Store, area: str) -> list[tuple[str, str, date, date]]:
    """Return what revisions of an area list as late."""
    inside = among([area]) if is_regency(area) else within([area])
    with store.ledger() as ledger:
        found = overrides(ledger.connection, inside, ledger.position, area=area)
    return [(each.area, each.what, each.first_on, each.last_on) for each in found]


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ((MOVED,), "in which province 16.06 lies from 2024-06-01 to 2024-12-31"),
        ((changed("16.06", "moved", "2024-12-31", "11"),), "from 2024-12-31 to 2024-12-31"),
        # The list says that it lies in 16 today: what was before it came there is told late.
        ((changed("16.06", "moved", "2025-06-01", "16", "11"),), "from 1977-12-05 to 2024-12-31"),
        (
            (MOVED, changed("16.06", "moved", "2024-09-01", "16")),
            "from 2024-06-01 to 2024-08-31",
        ),
        ((OPENED,), "what is split from 16.06 from 2024-06-01 to 2024-12-31"),
        ((changed("11.30", "opened", "2024-12-31", "Muba Ulu", "16.06"),), "split from 16.06"),
    ],
)
def test_what_changes_where_closed_heads_are_counted_is_refused(
    store: Store, rows: Sequence[ChangeArea], why: str
) -> None:
    """By the days that differ, whatever the day of the change: what, where, why and what to do."""
    refused = refusal(store, *rows)
    assert why in refused.what
    assert "16.06 is closed through 2024-12-31 (#2)" in refused.what
    assert "--override REASON --seconded-by NAME" in refused.remedy
    assert "ucj reopen 16.06" in refused.remedy


@pytest.mark.parametrize(
    "row",
    [
        changed("16.06", "moved", "2025-01-01", "11"),
        changed("16.18", "opened", "2025-01-01", "Muba Ilir", "16.06"),
        changed("16.06", "renamed", "2024-06-01", "Muba Raya"),
        changed("16.06", "recoded", "2024-06-01", "16.80"),
        changed("16.71", "moved", "2024-06-01", "11"),
        changed("16.18", "opened", "2024-06-01", "Palembang Ilir", "16.71"),
        changed("97", "opened", "2024-06-01", "Sumatera Tengah"),
    ],
    ids=lambda row: f"{row.area} {row.change} {row.on}",
)
def test_what_changes_no_closed_day_is_free(store: Store, row: ChangeArea) -> None:
    """After the closed days, of names and codes, of a regency that is open, of a province."""
    assert store.registry.record(row).problems == ()


def test_reopened_it_is_free(store: Store) -> None:
    """The way of one person, which revisions of both provinces tell."""
    store.registry.reopen_period("16.06", date(2024, 6, 1), because="the act came in late")
    assert store.registry.record(MOVED).decision == "recorded"
    with store.ledger() as ledger:
        for area, known, expected in (("16", 4, 1), ("11", 4, 1), ("11", 3, 0), ("15", 4, 0)):
            found = reopenings(ledger.connection, among([area]), known, area=area)
            assert len(found) == expected, (area, known)


# --- what two persons want ------------------------------------------------------------------------


def test_two_persons_may_move_what_is_closed(store: Store) -> None:
    """Revisions list it as late: of the regency, and of the provinces it left and came to."""
    recorded = late(store, MOVED)
    assert [each.severity for each in recorded.problems] == ["warning"]
    assert (recorded.first_position, recorded.last_position) == (3, 4)
    expected = [("16.06", "boundaries", date(2024, 6, 1), THROUGH)]
    assert [told(store, area) for area in ("16.06", "16", "11", "ID")] == [expected] * 4
    assert told(store, "15") == []


def test_two_persons_may_split_what_is_closed_and_the_part_is_closed_with_it(store: Store) -> None:
    """And what is split from the part on the same closed days is closed as well."""
    part_of_part = changed("16.19", "opened", "2024-07-01", "Muba Laut", "16.18")
    recorded = late(store, OPENED, part_of_part)
    assert recorded.decision == "recorded"
    assert closed(store) == dict.fromkeys(("16.06", "16.18", "16.19"), THROUGH)
    assert told(store, "16") == [("16.06", "boundaries", date(2024, 6, 1), THROUGH)]
    assert told(store, "16.18") == told(store, "16")
    for area in ("16.18", "16.19"):
        refused = refusal(store, enrolled(area, 1000, "2024-08-01", "SK 9"))
        assert f"guru of {area} by +1,000 from 2024-08-01 to 2024-12-31" in refused.what
    refusal(store, transferred("16.06", "16.18", 40, "2024-06-01", "SK 8"))
    late(store, transferred("16.06", "16.18", 40, "2024-06-01", "SK 8"))
    assert store.registry.record(enrolled("16.18", 1, "2025-01-01", "SK 7")).problems == ()


def test_what_is_split_later_is_not_closed_with_it(store: Store) -> None:
    """It has no closed days; nor is it closed by a later closing of what it was part of."""
    store.registry.record(changed("16.18", "opened", "2025-01-01", "Muba Ilir", "16.06"))
    store.registry.close_period("16.06", date(2025, 6, 30))
    assert closed(store) == {"16.06": date(2025, 6, 30)}
    assert store.registry.record(enrolled("16.18", 1, "2025-02-01", "SK 7")).problems == ()


@pytest.mark.parametrize("row", [MOVED, OPENED], ids=["moved", "opened"])
def test_taking_back_takes_two_persons_as_well(store: Store, row: ChangeArea) -> None:
    """Then all is as before: what was closed with an opening is open, and it may come again."""
    late(store, row)
    with pytest.raises(RuleBrokenError, match=r"16\.06 is closed through 2024-12-31"):
        store.registry.take_back("area", 3, because="annulled")
    assert taken_back_late(store, 3).decision == "recorded"
    assert closed(store) == {"16.06": THROUGH}
    assert told(store, "16") == [("16.06", "boundaries", date(2024, 6, 1), THROUGH)] * 2
    refusal(store, row)
    assert late(store, row).decision == "recorded"
    assert closed(store).keys() == ({"16.06"} if row is MOVED else {"16.06", "16.18"})


def test_what_changed_no_closed_day_is_taken_back_freely(store: Store) -> None:
    """As any change of an area."""
    store.registry.record(changed("16.06", "moved", "2025-01-01", "11"))
    assert store.registry.take_back("area", 3, because="annulled").problems == ()


def test_an_override_of_open_days_is_said(store: Store) -> None:
    """The change is recorded as any other."""
    recorded = late(store, changed("16.06", "moved", "2025-01-01", "11"))
    assert [each.code for each in recorded.problems] == ["nothing-overridden"]
    assert told(store, "16") == []


# --- any chain of moves ---------------------------------------------------------------------------

JANUARY: Final = [date(2024, 1, 1) + timedelta(days=each) for each in range(12)]
EVERY_DAY: Final = (FIRST_DAY, date(2023, 12, 31), *JANUARY)


@st.composite
def chains(draw: st.DrawFn) -> tuple[ChangeArea, ...]:
    """Return moves of 16.06 from day to day, through its province of today."""
    days = draw(st.lists(st.sampled_from(JANUARY), min_size=1, max_size=4, unique=True))
    provinces = draw(
        st.lists(
            st.sampled_from(("16", "11", "15")), min_size=len(days) + 1, max_size=len(days) + 1
        ).filter(lambda found: "16" in found and all(a != b for a, b in pairwise(found)))
    )
    return tuple(
        changed("16.06", "moved", str(day), after, before)
        for day, (before, after) in zip(sorted(days), pairwise(provinces), strict=True)
    )


def province(moves: Sequence[ChangeArea], on: date) -> str | None:
    """Return where 16.06 lay on a day, told move by move."""
    where = moves[0].before
    for each in moves:
        where = each.after if each.on <= on else where
    return where


@settings(max_examples=max(1, settings().max_examples // 5))
@given(moves=chains(), through=st.sampled_from(JANUARY))
def test_refused_is_what_puts_a_closed_day_elsewhere(
    moves: tuple[ChangeArea, ...], through: date
) -> None:
    """Refused if and only if some closed day lies in another province; late from first to last."""
    elsewhere = [day for day in EVERY_DAY if day <= through and province(moves, day) != "16"]
    with store_at() as store:
        store.registry.close_period("16.06", through)
        if not elsewhere:
            assert store.registry.record(*moves).problems == ()
            return
        refusal(store, *moves)
        late(store, *moves)
        assert told(store, "ID") == [("16.06", "boundaries", elsewhere[0], elsewhere[-1])]


@pytest.mark.parametrize("guarded", [True, False])
def test_without_the_check_closed_days_would_move(
    monkeypatch: pytest.MonkeyPatch, store: Store, guarded: bool
) -> None:
    """Negative control: as soon as nobody compares the areas, one person moves closed heads."""
    if not guarded:
        monkeypatch.setattr(recording, "changes_of_closed", lambda *_: ())
        assert store.registry.record(MOVED).decision == "recorded"
        return
    refusal(store, MOVED)
