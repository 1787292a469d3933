"""Changes of areas: what is admitted, what is refused and where, and what may be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date
from typing import Final

import pytest

from registry.boundaries import boundaries_of
from registry.commands import ChangeArea
from registry.errors import RuleBrokenError
from registry.reference.boundaries import Boundaries
from registry.terms import Change
from tests.area_changes import changed, enrolled, store_at
from tests.stores import Store

OPENED: Final = changed("16.18", "opened", "2027-01-01", "Muba Ilir", "16.06")
RECODED: Final = changed("16.06", "recoded", "2027-01-01", "16.80")
MOVED: Final = changed("16.06", "moved", "2027-01-01", "11")
RENAMED: Final = changed("16.06", "renamed", "2027-01-01", "Muba Raya")

REFUSED: Final[dict[str, tuple[tuple[ChangeArea, ...], ChangeArea, str]]] = {
    "moved to an unknown province": (
        (), changed("16.06", "moved", "2027-01-01", "99"), "unknown-area"),
    "moved to a regency": (
        (), changed("16.06", "moved", "2027-01-01", "11.01"), "unknown-province"),
    "moved to a province that is opened later": (
        (changed("97", "opened", "2028-01-01", "Sumatera Tengah"),),
        changed("16.06", "moved", "2027-01-01", "97"), "unknown-province"),
    "moved to where it lies": (
        (), changed("16.06", "moved", "2027-01-01", "16"), "no-change"),
    "recoded to a code in use": (
        (), changed("16.06", "recoded", "2027-01-01", "16.07"), "code-in-use"),
    "recoded to a code that another had": (
        (RECODED,), changed("16.07", "recoded", "2028-01-01", "16.80"), "code-in-use"),
    "recoded to a code of another province": (
        (), changed("16.06", "recoded", "2027-01-01", "11.80"), "other-province"),
    "recoded to no code": (
        (), changed("16.06", "recoded", "2027-01-01", "1680"), "invalid-code"),
    "recoded from a code it never had": (
        (), changed("16.06", "recoded", "2027-01-01", "16.80", "16.81"), "contradicts"),
    "a change before the area exists": (
        (OPENED,), changed("16.18", "renamed", "2026-12-31", "Ilir"), "not-opened-yet"),
    "a change on the day the area is opened": (
        (OPENED,), changed("16.18", "renamed", "2027-01-01", "Ilir"), "not-opened-yet"),
    "two changes the same day": (
        (RECODED,), changed("16.06", "recoded", "2027-01-01", "16.81"), "two-changes-a-day"),
    "a change before one that says otherwise": (
        (RECODED,), changed("16.06", "recoded", "2026-01-01", "16.81"), "contradicts"),
    "renamed to a name already used": (
        (), changed("16.06", "renamed", "2027-01-01", "Ogan Ilir"), "name-in-use"),
    "renamed to another spelling of a name used": (
        (), changed("16.06", "renamed", "2027-01-01", "Kabupaten OGAN-ILIR"), "name-in-use"),
    "renamed to an alias of another": (
        (), changed("16.08", "renamed", "2027-01-01", "Muba"), "name-in-use"),
    "an unknown area": (
        (), changed("16.99", "renamed", "2027-01-01", "Muba Laut"), "unknown-area"),
    "the nation": (
        (), changed("ID", "renamed", "2027-01-01", "Nusantara"), "not-a-regency"),
    "a province moved": (
        (), changed("16", "moved", "2027-01-01", "11"), "not-a-regency"),
    "opened under a code in use": (
        (), changed("16.07", "opened", "2027-01-01", "Muba Ilir", "16.06"), "code-in-use"),
    "opened under a code that another had": (
        (RECODED,), changed("16.80", "opened", "2028-01-01", "Muba Ilir", "16.06"), "code-in-use"),
    "moved before a recorded change of code": (
        (RECODED,), changed("16.06", "moved", "2026-01-01", "11"), "other-province"),
    "opened before it is opened": (
        (OPENED,), changed("16.18", "opened", "2026-01-01", "Muba Ilir", "16.06"), "opened-twice"),
    "opened twice": (
        (OPENED,), changed("16.18", "opened", "2028-01-01", "Muba Ilir", "16.06"), "opened-twice"),
    "opened out of nothing": (
        (), changed("16.18", "opened", "2027-01-01", "Muba Ilir"), "missing"),
    "opened out of a province": (
        (), changed("16.18", "opened", "2027-01-01", "Muba Ilir", "16"), "unknown-area"),
    "opened out of what is opened later": (
        (changed("16.19", "opened", "2028-01-01", "Muba Laut", "16.06"),),
        changed("16.18", "opened", "2027-01-01", "Muba Ilir", "16.19"), "unknown-area"),
    "opened in an unknown province": (
        (), changed("99.01", "opened", "2027-01-01", "Muba Ilir", "16.06"), "unknown-province"),
    "opened under a name": (
        (), changed("Muba Ilir", "opened", "2027-01-01", "Muba Ilir", "16.06"), "unknown-area"),
    "a province opened out of a regency": (
        (), changed("97", "opened", "2027-01-01", "Sumatera Tengah", "16.06"), "unexpected-value"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    """Given what is recorded, when the row comes, then it is refused, and nothing is recorded."""
    given, row, code = REFUSED[case]
    with store_at() as store:
        if given:
            store.registry.record(*given)
        before = head(store)
        with pytest.raises(RuleBrokenError) as refused:
            store.registry.record(row)
        assert code in {each.code for each in refused.value.problems}
        assert head(store) == before


def test_a_row_that_makes_a_recorded_change_wrong_is_told_so() -> None:
    """Its own row is at fault, whichever others come with it; the recorded change is named."""
    rows = (
        changed("16.71", "moved", "2025-12-01", "11", row=2),
        changed("16.06", "moved", "2026-01-01", "11", row=3),
    )
    with store_at() as store:
        store.registry.record(RECODED)
        with pytest.raises(RuleBrokenError) as refused:
            store.registry.record(*rows)
    (problem,) = refused.value.problems
    assert (problem.row, problem.code) == (3, "other-province")
    assert "16.06 on 2027-01-01 (#1)" in problem.why
    assert "province 11" in problem.why
    assert "take #1 back" in problem.remedy


def test_a_move_before_a_recorded_change_of_code_may_be_sound() -> None:
    """Where the area lies in the province of its code again by then."""
    there_and_back = (
        changed("16.06", "moved", "2026-01-01", "11"),
        changed("16.06", "moved", "2026-06-01", "16"),
    )
    with store_at() as store:
        store.registry.record(RECODED)
        assert store.registry.record(*there_and_back).decision == "recorded"


@pytest.mark.parametrize("given", sorted({*REFUSED} - {"a change before one that says otherwise"}))
def test_the_same_is_refused_of_one_file(given: str) -> None:
    """Rows are asked about together: what is refused after another is refused beside it.

    Two that both leave blank what was before are a chain, whichever comes first.
    """
    before, row, _ = REFUSED[given]
    with store_at() as store, pytest.raises(RuleBrokenError):
        store.registry.record(row, *before)


ADMITTED: Final[dict[str, tuple[ChangeArea, ...]]] = {
    "all of one day, in any order": (RECODED_AFTER := changed(
        "16.06", "recoded", "2027-01-01", "11.80"), RENAMED, MOVED),
    "a split, and the new one renamed": (
        changed("16.18", "renamed", "2028-01-01", "Ilir Timur"), OPENED),
    "a province, and a regency moved there": (
        MOVED_97 := changed("16.06", "moved", "2027-01-01", "Sumatera Tengah"),
        changed("97", "opened", "2027-01-01", "Provinsi Sumatera Tengah")),
    "there and back": (
        MOVED, changed("16.06", "moved", "2029-01-01", "16")),
    "a history of codes": (
        changed("91.01", "recoded", "2022-07-25", "93.01"),
        changed("93.01", "moved", "2022-07-25", "93", "91"),
        changed("91.01", "recoded", "2010-01-01", "91.01", "91.80")),
    "a name before what the list has": (
        changed("16.06", "renamed", "1990-01-01", "Musi Banyuasin", "Musi Lama"),),
}  # fmt: skip


@pytest.mark.parametrize("case", ADMITTED)
def test_what_is_admitted_is_so_in_any_order(case: str) -> None:
    """Forwards and backwards the same changes are recorded, and again they are none."""
    rows = ADMITTED[case]
    found = []
    for some in (rows, rows[::-1]):
        with store_at() as store:
            assert store.registry.record(*some).counts.new == len(rows)
            again = store.registry.record(*some)
            assert (again.decision, again.counts.already_recorded) == (
                "already-recorded",
                len(rows),
            )
            found.append(
                {(e.area, e.change, e.on, e.before, e.after) for e in known(store).changes}
            )
    assert found[0] == found[1]


def test_every_code_and_name_finds_the_area() -> None:
    """Old and new ones: one area, under the code the registry first knew it by."""
    with store_at() as store:
        store.registry.record(*ADMITTED["all of one day, in any order"], OPENED)
        boundaries = known(store)
    for text in ("16.06", "11.80", "Musi Banyuasin", "Muba", "Muba Raya", "Kab. Muba Raya"):
        assert boundaries.find(text).code == "16.06"
    for text in ("16.18", "Muba Ilir", "kabupaten muba ilir"):
        assert boundaries.find(text).code == "16.18"


def test_what_an_area_is_called_from_day_to_day() -> None:
    """A chain told after the fact: what stood before, and what stands today."""
    with store_at() as store:
        store.registry.record(*ADMITTED["a history of codes"])
        boundaries = known(store)
    codes = [
        boundaries.standing("93.01", Change.RECODED, date(year, 1, 1))
        for year in (2009, 2015, 2023)
    ]
    places = [
        boundaries.standing("93.01", Change.MOVED, date(year, 1, 1)) for year in (2009, 2015, 2023)
    ]
    assert codes == ["91.80", "91.01", "93.01"]
    assert places == ["91", "91", "93"]


# --- taking back ----------------------------------------------------------------------------------


def test_a_change_is_taken_back_once() -> None:
    """It stands no more; taken back again there is nothing to do; recorded again it stands."""
    with store_at() as store:
        store.registry.record(RECODED)
        assert store.registry.take_back("area", 1, because="annulled").decision == "recorded"
        assert not known(store)
        again = store.registry.take_back("area", 1, because="annulled")
        assert again.decision == "already-recorded"
        assert store.registry.record(RECODED).counts.new == 1
        assert len(known(store).changes) == 1


@pytest.mark.parametrize(
    ("given", "position"),
    [
        ((OPENED, changed("16.18", "renamed", "2028-01-01", "Ilir")), 1),
        ((OPENED, changed("16.19", "opened", "2028-01-01", "Muba Laut", "16.18")), 1),
        (ADMITTED["a province, and a regency moved there"], 1),
        ((MOVED, RECODED_AFTER), 1),
    ],
)
def test_what_another_change_rests_on_stays(given: Sequence[ChangeArea], position: int) -> None:
    """The later one is taken back first."""
    with store_at() as store:
        store.registry.record(*given)
        with pytest.raises(RuleBrokenError, match="rests on"):
            store.registry.take_back("area", position, because="mistaken")
        store.registry.take_back("area", 2, because="mistaken")
        store.registry.take_back("area", position, because="mistaken")
        assert not known(store)


def test_an_opening_stays_while_anything_speaks_of_the_area() -> None:
    """What is recorded of it would belong nowhere."""
    with store_at() as store:
        store.registry.record(OPENED)
        store.registry.record(enrolled("16.18", 5, "2027-02-01", "SK-1"))
        with pytest.raises(RuleBrokenError, match="spoken of"):
            store.registry.take_back("area", 1, because="mistaken")


@pytest.mark.parametrize("position", [1, 99])
def test_only_a_change_of_an_area_is_taken_back_as_one(position: int) -> None:
    """Another event, or none, is refused."""
    with store_at() as store:
        store.registry.record(enrolled("16.06", 5, "2027-02-01", "SK-1"))
        with pytest.raises(RuleBrokenError, match="no change of an area"):
            store.registry.take_back("area", position, because="mistaken")


def test_no_batch_takes_effect_before_its_area_is_opened() -> None:
    """Those people were counted where it was split from; from the day on it is an area like any."""
    with store_at() as store:
        store.registry.record(OPENED)
        with pytest.raises(RuleBrokenError) as refused:
            store.registry.record(enrolled("16.18", 5, "2026-12-31", "SK-1"))
        assert {each.code for each in refused.value.problems} == {"not-opened-yet"}
        assert store.registry.record(enrolled("16.18", 5, "2027-01-01", "SK-1")).counts.new == 1


def known(store: Store) -> Boundaries:
    """Return the areas as the store knows them."""
    with closing(store.log()) as log:
        return boundaries_of(log)


def head(store: Store) -> int:
    """Return the last position of the log."""
    with closing(store.log()) as log:
        return log.head()
