"""Words that people read: English to every program, Indonesian where a person asks for it."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from registry.errors import RegistryError
from registry.indonesian import filled, period, short_day, written
from registry.language import (
    Period,
    _,
    decimal,
    formatted,
    joined,
    language,
    ngettext,
    numeral,
    packed,
    pgettext,
    said,
    unpacked,
    use,
    whole,
)

ROOT = Path(__file__).parent.parent
DAY = date(2025, 7, 31)
INSTANT = datetime(2025, 7, 16, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "form", "english", "indonesian"),
    [
        (106_679, ",", "106,679", "106.679"),
        (106_679, "", "106679", "106679"),
        (-30_879, "+,", "-30,879", "-30.879"),
        (14_121, "+,", "+14,121", "+14.121"),
        (Decimal("1048.26"), ",", "1,048.26", "1.048,26"),
        (Decimal("6.61"), "+,", "+6.61", "+6,61"),
        (147.5, ",.1f", "147.5", "147,5"),
        (DAY, "", "2025-07-31", "31 Juli 2025"),
        (DAY, "%Y-%m-%d", "2025-07-31", "31-07-2025"),
        (DAY, "%Y-%m", "2025-07", "07-2025"),
        (INSTANT, "%Y-%m-%d %H:%MZ", "2025-07-16 09:30Z", "16-07-2025 09:30Z"),
        ("16.06", "", "16.06", "16.06"),
    ],
)
def test_a_value_is_written_as_the_language_writes_it(
    value: object, form: str, english: str, indonesian: str
) -> None:
    """Marks of thousands and decimals exchange places, days come first; a code stays a code."""
    words = formatted(value, form)
    assert words == said(words) == english
    use("id")
    assert said(words) == written(value, form) == indonesian
    assert words == english


@pytest.mark.parametrize(
    ("iso", "words"),
    [("2025-07-31", "31 Juli 2025"), ("2025-07", "Juli 2025"), ("2025", "2025")],
)
def test_a_day_month_or_year_of_text(iso: str, words: str) -> None:
    """What a figure is about is known to the day, the month or the year."""
    assert said(Period(iso)) == iso
    use("id")
    assert said(Period(iso)) == period(iso) == words


def test_a_sentence_is_english_until_it_is_said() -> None:
    """As text it never changes; said, every part of it is in the language of the process."""
    part = _(" part {part}").format(part="b")
    words = _("On {on}, as known at #{position}.").format(on=DAY, position=8) + part
    english = "On 2025-07-31, as known at #8. part b"
    assert words == said(words) == english
    use("id")
    assert said(words) == "Per 31 Juli 2025, sebagaimana diketahui pada #8. bagian b"
    assert words == english
    assert json.dumps(words) == f'"{english}"'
    assert f"{words}" == str(words) == english


def test_one_and_several() -> None:
    """English tells one from several, Indonesian does not; a word of context tells two apart."""
    rows = [ngettext("{count} file", "{count} files", n).format(count=n) for n in (1, 2)]
    assert rows == ["1 file", "2 files"]
    use("id")
    assert [said(each) for each in rows] == ["1 berkas", "2 berkas"]
    assert said(pgettext("movement", "lapse")) == "berakhir sendiri"
    assert said(pgettext("nowhere", "lapse")) == "lapse"


def test_what_is_no_words_is_said_as_it_is() -> None:
    """A text from a file is never looked up, though the catalogue has the same."""
    use("id")
    assert said("Area") == "Area"
    assert said(_("Area")) == "Wilayah"
    assert said(None) is None


def test_words_stay_words_when_they_are_joined_added_and_copied() -> None:
    """A part that is lost on the way would be said in English."""
    use("id")
    area = _("Area")
    for words in (
        joined(", ", [area, "x", whole(1_000)]),
        area + ", x, " + whole(1_000),
        copy.deepcopy(area + ", x, " + whole(1_000)),
    ):
        assert words == "Area, x, 1,000"
        assert said(words) == "Wilayah, x, 1.000"
    assert said("* " + area) == "* Wilayah"


@pytest.mark.parametrize(
    "words",
    [
        "plain",
        _("Area"),
        _("{name} is empty").format(name="a.csv"),
        _("{file} was refused").format(file=_("an event")),
        ngettext("{count} file", "{count} files", 2).format(count=2),
        pgettext("movement", "lapse"),
        joined(_(" or "), ["a", whole(2_000)]),
        Period("2025-07"),
        decimal("48.26"),
    ],
)
def test_words_cross_between_processes(words: str) -> None:
    """The child that reads a spreadsheet writes its refusal as JSON; it is said by its parent."""
    again = unpacked(json.loads(json.dumps(packed(words))))
    assert again == words
    use("id")
    assert said(again) == said(words)


def test_a_refusal_is_said_whole() -> None:
    """What, where, why and remedy."""
    refusal = RegistryError(
        _("no area is given"), why=_("it is blank"), remedy=_("Check the file."), where="a.csv:2"
    )
    assert refusal.diagnostics() == ["a.csv:2: no area is given", "it is blank", "Check the file."]
    use("id")
    assert [said(line) for line in refusal.diagnostics()] == [
        "a.csv:2: wilayahnya belum diisi",
        "isinya kosong",
        "Periksa berkasnya.",
    ]


def test_braces_have_names() -> None:
    """A translation may put them in another order."""
    with pytest.raises(AssertionError):
        _("{} rows").format(3)
    assert filled("{b} {a:,}", {"a": 1_000, "b": "x"}) == "x 1.000"


def test_cells_of_tables() -> None:
    """A day in a column is short, whatever follows it."""
    assert numeral("1,000.5") == "1,000.5"
    use("id")
    assert numeral("1,000.5") == "1.000,5"
    assert short_day("2025-07-16 09:30:00Z") == "16-07-2025 09:30:00Z"


def test_english_costs_nothing() -> None:
    """Neither the catalogue nor its reader is loaded for English."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import sys; from registry.language import _, said; said(_('Area'));"
                "print('registry.indonesian' in sys.modules, 'gettext' in sys.modules)"
            ),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "False"]


def test_the_language_is_english_when_a_test_begins() -> None:
    """Whatever the one before did."""
    assert language() == "en"
