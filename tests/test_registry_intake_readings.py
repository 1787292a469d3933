"""Readings: one cell at a time, remembered without mixing up what only looks equal."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registry.cells import CellError, ShownNumber, Value
from registry.intake import readings
from registry.intake.readings import (
    CellRefusedError,
    Reading,
    reading_of_area,
    reading_of_count,
    reading_of_day,
    reading_of_percent,
    reading_of_prose,
    reading_of_reference,
)


def refusal(reading: Reading, cell: Value) -> CellRefusedError:
    """Return the refusal of a cell."""
    with pytest.raises(CellRefusedError) as caught:
        reading[cell]
    return caught.value


@pytest.mark.parametrize("blank", [None, "", "  ", "\t", "\u00a0"])
def test_blank_is_nothing(blank: Value) -> None:
    """Blank cells of any kind are None, and no reading guesses a value."""
    assert reading_of_count("id")[blank] is None
    assert reading_of_reference()[blank] is None


def test_equal_keys_of_a_dictionary_are_not_equal_cells() -> None:
    """True == 1 == 1.0 in Python: whatever was read before, True stays refused."""
    reading = reading_of_count("id")
    for _ in range(2):
        assert reading[1] == 1
        assert reading[1.0] == 1
        assert refusal(reading, True).code == "invalid-number"
        assert reading["1"] == 1


def test_a_day_is_not_the_instant_it_begins_with() -> None:
    """A date cell is a day; a time of day is refused, in whichever order they come."""
    reading = reading_of_day()
    for _ in range(2):
        assert reading[date(2025, 7, 31)] == "2025-07-31"
        assert reading[datetime(2025, 7, 31)] == "2025-07-31"
        assert refusal(reading, datetime(2025, 7, 31, 8, 30)).code == "invalid-date"


def test_a_refusal_is_remembered_and_raised_anew() -> None:
    """The second time it says the same, without holding on to the first call."""
    reading = reading_of_count("id")
    first, second = refusal(reading, "x"), refusal(reading, "x")
    assert first is not second
    assert (first.code, first.why, first.remedy) == (second.code, second.why, second.remedy)


def test_what_is_remembered_is_bounded() -> None:
    """Neither many values nor long ones fill the memory."""
    numbers, notes = reading_of_count("id"), reading_of_prose()
    for number in range(1, 10_500):
        numbers[str(number)]
        assert notes["x" * 300 + str(number)] is not None
    assert len(numbers) <= 10_000
    assert len(notes) == 0
    words = reading_of_count("id")
    for number in range(10_500):
        with pytest.raises(CellRefusedError):
            words[f"x{number}"]
    assert len(words._refused) <= 10_000


def test_an_error_cell_is_never_empty() -> None:
    """`#REF!` in an optional column is refused too: nobody knows what stood there."""
    for reading in (reading_of_prose(), reading_of_count("id"), reading_of_day()):
        assert refusal(reading, CellError("#REF!")).code == "cell-error"


@pytest.mark.parametrize("reading", [reading_of_prose(), reading_of_reference()])
def test_a_number_in_groups_is_refused_after_the_word_that_names_it(reading: Reading) -> None:
    """Whoever's it is; the groups of a decree stay, also of 16 digits in a reference."""
    for cell in ("KPJ 1234-5678-901", "nip 19700101 199003 1 001", "No. HP: 0812-3456-7890"):
        refused = refusal(reading, cell)
        assert (refused.code, refused.value) == ("personal-data", "[withheld]")
    assert reading["SK 100.3.3.2.1234.2025"] == "SK 100.3.3.2.1234.2025"
    assert reading_of_reference()["100.3.3.2/1234.5678.2025"] == "100.3.3.2/1234.5678.2025"


@pytest.mark.parametrize(
    ("number", "form", "remark"),
    [
        (45, (False, 3, 3), "the cell holds 45 and shows 45.000"),
        (45, (False, 2, 2), None),
        (45_000, (False, 3, 3), None),  # 45000.000: nobody writes thousands so
        (45, (False, 0, 3), None),
    ],
)
def test_heads_that_are_shown_as_thousands_have_a_remark(
    number: int, form: tuple[bool, int, int], remark: str | None
) -> None:
    """45 in the format 0.000 reads 45.000 on the screen; it is taken as what the cell holds."""
    reading, cell = reading_of_count("id"), ShownNumber(number, form)
    if remark is None:
        assert reading[cell] == number
    else:
        found = refusal(reading, cell)
        assert (found.code, found.severity, found.reading) == ("shown-as-thousands", "warning", 45)
        assert remark in found.why


@pytest.mark.parametrize(
    ("cell", "outcome"),
    [
        ("  SK \n 1 ", "SK 1"), ("ＳＫ", "ＳＫ"), ("e\u0301", "\u00e9"),
        (123, ("number-as-text", "warning", "123")), (123.0, ("number-as-text", "warning", "123")),
        (1.5, ("number-as-text", "error", None)),  # may have been 1.50
        (True, ("not-text", "error", None)), (date(2025, 2, 1), ("date-in-text", "error", None)),
        (1.606011212900001e15, ("personal-data", "error", None)),
        ("a\x00b", ("hidden-character", "error", None)),
        ("a\u200bb", ("hidden-character", "error", None)),
    ],
)  # fmt: skip
def test_a_reference_is_text(cell: Value, outcome: str | tuple[str, str, str | None]) -> None:
    """Spaces and composition do not count; what a spreadsheet changed is refused or told."""
    if isinstance(outcome, str):
        assert reading_of_reference()[cell] == outcome
    else:
        odd = refusal(reading_of_reference(), cell)
        assert (odd.code, odd.severity, odd.reading) == outcome


@pytest.mark.parametrize(
    ("cell", "outcome"),
    [
        ("16.06", "16.06"), ("Muba", "16.06"), (16.06, "16.06"),
        (16.1, "area-as-number"), (1606.0, "bare-digits"), (1606, "bare-digits"),
        (True, "not-text"), ("16.06\u200b", "hidden-character"),
    ],
)  # fmt: skip
def test_an_area_in_a_number_cell_is_read_only_where_no_digit_is_lost(
    cell: Value, outcome: str
) -> None:
    """16.06 is what it says; 16.1 may have been typed as 16.10."""
    reading = reading_of_area("kemendagri", regencies_only=True)
    if outcome[0].isdigit():
        assert reading[cell] == outcome
    else:
        assert refusal(reading, cell).code == outcome


def test_bps_codes_are_read_where_declared() -> None:
    """BPS 1608 is OKU Selatan; the Kemendagri code 16.08 is another regency."""
    reading = reading_of_area("bps", regencies_only=True)
    assert reading["1608"] == reading[1608.0] == "16.09"


def test_more_decimals_than_can_be_stored_are_refused() -> None:
    """A computed cell has fifteen digits that nobody printed."""
    assert refusal(reading_of_percent("id"), 48.123456789).code == "invalid-number"
    assert reading_of_percent("id")[48.25] == "48.25"


_PIECES = (
    "SK", "/", "1", "2025", " ", "  ", "\n", "\t", "é", "\u200b", "-", "HP", "kpj", "Wa", "contoh-",
    "EXAMPLE-", "12345678901", "1234567890", "0812", ".", "x" * 199, "2025-07-16",
)  # fmt: skip
_references = st.lists(st.sampled_from(_PIECES), max_size=6).map("".join)
_cells = st.none() | st.integers(1, 10**12) | _references


def _one_by_one(cells: list[Value]) -> list[object]:
    """Return what a fresh reading makes of each; the code of the first refusal where there is one."""
    reading = reading_of_reference()
    try:
        return [reading[cell] for cell in cells]
    except CellRefusedError as error:
        return [error.code]


def _together(cells: list[Value]) -> list[object]:
    try:
        return [*reading_of_reference().column(cells)]
    except CellRefusedError as error:
        return [error.code]


@settings(max_examples=500)
@given(st.lists(_references, min_size=1, max_size=4) | st.lists(_cells, min_size=1, max_size=4))
@example(["SK-1\nSK-2"])
@example(["KPJ 1234", "5678901"])
@example(["WA/2025", "12", "3456789"])
def test_references_together_are_read_as_one_by_one(cells: list[Value]) -> None:
    """Whatever stands above or below: nothing is hidden in the others, and nothing made of them."""
    assert _together(cells) == _one_by_one(cells)


def test_plain_references_are_read_together() -> None:
    """Control: else nothing above is looked at together; and numbers of decrees are plain."""
    assert readings._are_plain(["560/SK-1/36.01/2020", "100.3.3.2/1234/KPTS/2025"])
    for odd in ("KPJ:1234-5678-901", "12345678901", "contoh-1", "SK 1", "é", "", "x" * 201, "a\nb"):
        assert not readings._are_plain(["SK-1", odd])
