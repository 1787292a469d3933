"""One value on its way out: rounding, JSON and words."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.listing import Kind
from cli.values import encoded, percent, plain, points, rounded, shown

JAKARTA = timezone(timedelta(hours=7))
DIGEST = f"a12345678901{'b' * 52}"

HALVES: list[tuple[Fraction | Decimal | int, str]] = [
    (Fraction(1, 200), "0.01"),
    (Fraction(-1, 200), "-0.01"),
    (Fraction(2675, 1000), "2.68"),
    (Fraction(-2675, 1000), "-2.68"),
    (Fraction(1005, 1000), "1.01"),
    (Fraction(12345, 1000), "12.35"),
    (Fraction(88_958 * 100, 213_582), "41.65"),
    (Fraction(133_958 * 100, 213_582), "62.72"),
    (Fraction(103_079 * 100, 213_582), "48.26"),
    (Fraction(-1, 1000), "0.00"),
    (Decimal("26.8"), "26.80"),
    (100, "100.00"),
]


@pytest.mark.parametrize(("exact", "printed"), HALVES)
def test_a_half_is_rounded_away_from_zero(exact: Fraction | Decimal | int, printed: str) -> None:
    """Two decimals from the exact value, a half away from zero, and no minus zero."""
    assert encoded(percent(exact)) == printed


def test_floats_would_have_rounded_otherwise() -> None:
    """Negative control: the same values through floats and round() come out wrong."""
    wrong = [exact for exact, printed in HALVES if f"{round(float(exact), 2):.2f}" != printed]

    assert Fraction(2675, 1000) in wrong
    assert Fraction(1005, 1000) in wrong


def test_a_float_is_never_taken_for_exact() -> None:
    """A float has lost what rounding would need; so has a flag."""
    for value in (41.65, True, "41.65"):
        with pytest.raises(TypeError, match="exact"):
            rounded(value, 2)


@given(st.lists(st.integers(0, 1_000_000), min_size=1, max_size=24), st.integers(1, 10_000_000))
def test_points_add_up(workers: list[int], potential: int) -> None:
    """The printed points of an area's groups sum to its percentage, to the printed decimals."""
    total = Fraction(sum(workers) * 100, potential)
    printed = sum((points(Fraction(w * 100, potential)) or Decimal(0)) for w in workers)

    assert round(abs(Fraction(printed) - total), 10) <= Fraction(len(workers), 2_000_000)


@pytest.mark.parametrize(
    ("value", "kind", "program", "people"),
    [
        (None, "count", "null", "–"),
        (88_958, "count", "88958", "88,958"),
        (-30_879, "count", "-30879", "-30,879"),
        (Fraction(12_345_678, 10_000), "percent", "1234.57", "1,234.57 %"),
        (Fraction(1_412_100, 213_582), "points", "6.611512", "6.61"),
        (date(2025, 7, 31), "date", '"2025-07-31"', "2025-07-31"),
        (
            datetime(2025, 7, 31, 10, 0, 0, 120, tzinfo=JAKARTA),
            "instant",
            '"2025-07-31T03:00:00.000120Z"',
            "2025-07-31 03:00:00Z",
        ),
        (True, "flag", "true", "yes"),
        (False, "flag", "false", "no"),
        ("Σ – naïve", "text", '"Σ – naïve"', "Σ – naïve"),
        (UUID(int=5), "code", f'"{UUID(int=5)}"', str(UUID(int=5))),
        ("12345678901" * 4, "code", f'"{"12345678901" * 4}"', "12345678901" * 4),
        (["SK-1", {"n": None}], "json", '["SK-1", {"n": null}]', '["SK-1", {"n": null}]'),
    ],
)
def test_each_kind_has_one_form_for_programs_and_one_for_people(
    value: object, kind: Kind, program: str, people: str
) -> None:
    """JSON text on the left, the cell of a table on the right."""
    assert encoded(plain(value, kind)) == program
    assert shown(value, kind) == people


def test_people_see_no_number_of_a_person() -> None:
    """Text from files goes through `safe`; only what the registry made itself is shown whole."""
    assert "1606010101800001" not in shown("NIK 1606010101800001", "text")
    assert "1606010101800001" not in shown({"note": "1606010101800001", "id": DIGEST}, "json")


@pytest.mark.parametrize("kind", ["text", "json"])
@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (DIGEST, True),
        ("12345678-1234-5234-8234-12345678901a", True),
        ("1234567890" * 6 + "1234", False),
        (f"{DIGEST}1606010101800001", False),
        (f"NIK {DIGEST}", False),
        (DIGEST[1:], False),
        (DIGEST.upper(), False),
        ("12345678-1234-5234-8234-123456789012", False),
    ],
)
def test_a_digest_or_an_id_is_nobodys_number(text: str, kind: Kind, *, whole: bool) -> None:
    """A text that is one, and nothing else, is shown whole; digits alone are never taken for one."""
    assert (text in shown(text, kind)) is whole
    assert ("withheld" in shown(text, kind)) is not whole


def test_a_long_document_is_cut_for_people() -> None:
    """As a text is; digests in it do not make it longer."""
    words = shown([DIGEST] * 1_000, "json")
    assert len(words) == 2_000
    assert words.endswith("…")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1.5, "count"),
        (True, "count"),
        ("1", "count"),
        (b"x", "text"),
        (1, "text"),
        (datetime(2025, 7, 31, tzinfo=UTC), "date"),
        ("2025-07-31", "date"),
        (date(2025, 7, 31), "instant"),
        (datetime(2025, 7, 31), "instant"),
        (1, "flag"),
        (0.5, "percent"),
    ],
)
def test_a_value_of_another_kind_is_our_mistake(value: object, kind: Kind) -> None:
    """Nothing is converted silently on the way out."""
    with pytest.raises(TypeError):
        plain(value, kind)


@pytest.mark.parametrize("value", [0.1, Fraction(1, 3), object(), b"x", {"a": {1, 2}}])
def test_json_refuses_what_has_no_exact_form(value: object) -> None:
    """A fraction in a document must have been rounded by whoever knows its decimals."""
    with pytest.raises(TypeError, match="has no form in JSON"):
        encoded(value)


NESTED = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(NESTED)
def test_json_says_exactly_what_was_given(value: Any) -> None:
    """Any nested value comes back equal, decimals to the last digit."""
    assert json.loads(encoded(value), parse_float=Decimal) == value


@pytest.mark.parametrize(
    ("hidden", "written"),
    [
        ("\x00", "\\u0000"),
        ("\x1b", "\\u001b"),
        ("\x7f", "\\u007f"),
        ("\x9b", "\\u009b"),
        ("\u202e", "\\u202e"),
        ("\u2028", "\\u2028"),
        ("\U000e0041", "\\udb40\\udc41"),
    ],
)
def test_json_holds_no_hidden_character_raw(hidden: str, written: str) -> None:
    """Escaped as JSON itself allows, so a parser gives back the character."""
    text = encoded(f"a{hidden}b")

    assert text == f'"a{written}b"'
    assert json.loads(text) == f"a{hidden}b"


def test_half_a_character_is_shown_not_sent() -> None:
    """A lone surrogate cannot be UTF-8, and strict readers refuse its escape: it is named."""
    assert json.loads(encoded("a\ud800b")) == "a\\ud800b"
