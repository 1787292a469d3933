"""Printing what came from outside: nothing hidden, nothing obeyed, nobody named."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.safe_text import LIMIT, WITHHELD, looks_personal, safe

NIK = "1671012345678901"  # made up: no such date of birth
KPJ = "12345678901"

PLAIN = ["", "SK-1/2025", "Kab. Musi Banyuasin", "45.000", "é", "2025-07-31", "31/07/2025", "a\\b"]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    """What is harmless must not be changed: a clerk looks for it in the file."""
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb", r"a\x0ab"),
        ("a\rb", r"a\x0db"),
        ("a\tb", r"a\x09b"),
        ("a\x00b", r"a\x00b"),
        ("a\x7fb", r"a\x7fb"),
        ("a\x9bb", r"a\x9bb"),
        ("a\u202eb", r"a\u202eb"),
        ("a\u2066b", r"a\u2066b"),
        ("a\u200bb", r"a\u200bb"),
        ("a\u200db", r"a\u200db"),
        ("a\ufeffb", r"a\ufeffb"),
        ("a\u2028b", r"a\u2028b"),
        ("a\u2029b", r"a\u2029b"),
        ("a\xadb", r"a\xadb"),
        ("a\udc80b", r"a\udc80b"),
        ("a\ue000b", r"a\ue000b"),
        ("a\u3164b", r"a\u3164b"),
        ("a\u034fb", r"a\u034fb"),
        ("a\ufe0fb", r"a\ufe0fb"),
        ("a\u2800b", r"a\u2800b"),
        ("a\U000e0041b", r"a\U000e0041b"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_what_prints_nothing_is_named(text: str, shown: str) -> None:
    """Controls, bidi, zero-width and separators are shown as escapes; letters are composed."""
    assert safe(text) == shown


@pytest.mark.parametrize(
    "number",
    [
        NIK,
        KPJ,
        "1671 0123 4567 8901",
        "16.71.01.23.45.67.89.01",
        "16-71-01-2345-6789-01",
        "1671\xa00123\xa04567\xa08901",
        "1671\u20130123\u20134567\u20138901",
        "1671\u200b0123\u200b4567\u200b8901",
        "1671\x00012345678901",
        "１６７１０１２３４５６７８９０１",
        "١٦٧١٠١٢٣٤٥٦٧٨٩٠١",
        "1.671012345678901e+15",
    ],
)
def test_a_number_that_may_be_a_persons_is_withheld(number: str) -> None:
    """A NIK or KPJ is never echoed, however it is spaced or disguised."""
    assert looks_personal(f"NIK {number},")
    shown = safe(f"NIK {number},")
    assert shown.startswith(f"NIK {WITHHELD}")
    assert sum(character.isdigit() for character in shown) < len("12345678901")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("KPJ 1234-5678-901", f"KPJ {WITHHELD}"),
        ("a.n. Siti, NIP 19700101 199003 1 001.", f"a.n. Siti, NIP {WITHHELD}."),
        ("(No. HP: 0812-3456-7890)", f"(No. HP: {WITHHELD})"),
        ("wa +62 812 3456 7890", f"wa +{WITHHELD}"),
        ("Telp. 0711.3456.7890", f"Telp. {WITHHELD}"),
        ("kpj no. 1234\u200b5678.901", f"kpj no. {WITHHELD}"),
        ("HP (+62) 812-3456-7890", f"HP (+{WITHHELD}"),
        ("HP (0812) 3456 7890", f"HP ({WITHHELD}"),
    ],
)
def test_a_number_in_groups_is_withheld_after_the_word_that_names_it(text: str, shown: str) -> None:
    """It has 11 digits or more; without such a word it may be a decree's."""
    assert looks_personal(text)
    assert safe(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "KPJ 1234-5678-90",
        "NIP 2025-07-16 2025-07-31",
        "skpj 100.3.3.2.1234.2025",
        "KPJ menurut SK 100.3.3.2.1234.2025",
        "1234567890",
        "SK 188.45/123/2025",
        "SK 100.3.3.2.1234.2025",
        "2025-07-16 2025-07-31",
        "2025-07-31",
        "12345 (67890) 1",
        "16.06",
        "1,2,3",
    ],
)
def test_shorter_numbers_are_shown(text: str) -> None:
    """Negative control: what cannot be a person's number stays readable."""
    assert not looks_personal(text)
    assert safe(text) == text


@pytest.mark.parametrize("limit", [1, 2, 10, LIMIT])
@pytest.mark.parametrize("text", ["x" * 500, "\u202e" * 500, "é" * 500, "ab\x1b" * 100])
def test_the_limit_holds(text: str, limit: int) -> None:
    """What is too long ends in an ellipsis, within the limit, no escape cut in two."""
    shown = safe(text, limit=limit)
    assert len(shown) <= limit
    assert shown.endswith("…")
    assert not shown.rstrip("…").endswith(("\\", "\\u", "\\u2", "\\x", "\\x1"))


@given(st.text(alphabet=st.characters(), max_size=200), st.integers(1, 120))
def test_nothing_raw_ever_comes_out(text: str, limit: int) -> None:
    """For any text: one line, within the limit, no character that hides or turns the text."""
    shown = safe(text, limit=limit)
    assert len(shown) <= limit
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not [c for c in shown if unicodedata.category(c) in hidden]


@pytest.mark.parametrize(
    "text",
    [
        "hp" * 16_000,
        "hp " + "1 " * 9 + "\x00" * 32_000,
        "wa no" * 8_000,
        "1" + "\u200b" * 32_000,
        "1\u200b \u200b" * 8_000 + "x",
        "1 " * 10 + "\x00" * 32_000,
    ],
)
def test_no_text_is_slow(text: str) -> None:
    """The search for numbers takes one pass: a hostile cell cannot make it quadratic."""
    started = time.perf_counter()
    looks_personal(text)
    assert time.perf_counter() - started < 1
