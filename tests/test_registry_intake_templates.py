"""Templates: importable once the examples are replaced, and never before."""

from __future__ import annotations

from enum import StrEnum
from itertools import product
from pathlib import Path

import pytest

from registry.intake.admission import AdmissionOptions, admit
from registry.intake.batch_form import DEMANDS
from registry.intake.columns import COLUMNS, KINDS, InputKind
from registry.intake.report import Report
from registry.intake.spool import spool_input
from registry.intake.templates import Language, allowed_values, template
from registry.numbers import Locale
from registry.reference.categories import Categories
from registry.reference.words import WordKind, find_word, usual_words
from registry.terms import Action, Funding, LeaveReason, Programme, RejectionReason, Segment

LANGUAGES: tuple[Language, ...] = ("en", "id")
LOCALES: tuple[Locale, ...] = ("en", "id")


def read(folder: Path, text: str, kind: InputKind, locale: Locale) -> Report:
    """Return the report of a text as a file of a kind."""
    path = folder / "isian.csv"
    path.write_text(text, encoding="utf-8", newline="")
    options = AdmissionOptions(kind=kind, locale=locale)
    with (
        spool_input(path, name=path.name) as spooled,
        admit(spooled, options, Categories()) as admission,
    ):
        return admission.report


@pytest.mark.parametrize(("kind", "lang", "locale"), list(product(KINDS, LANGUAGES, LOCALES)))
def test_a_template_is_refused_until_its_examples_are_replaced(
    tmp_path: Path, kind: InputKind, lang: Language, locale: Locale
) -> None:
    """Each example row is refused for being one, and for nothing else; replaced, all is accepted."""
    text = template(kind, lang)
    untouched = read(tmp_path, text, kind, locale)
    assert untouched.rows_refused == untouched.rows_read > 0
    assert {problem.code for problem in untouched.problems} == {"example-row"}
    mark = "EXAMPLE-" if lang == "en" else "CONTOH-"
    replaced = read(tmp_path, text.replace(mark, "SK/"), kind, locale)
    assert replaced.problems == []
    assert replaced.rows_accepted == untouched.rows_read


@pytest.mark.parametrize(("kind", "lang"), list(product(KINDS, LANGUAGES)))
def test_a_template_has_every_column(kind: InputKind, lang: Language) -> None:
    """In the order of the format; in Indonesian by the usual names."""
    headers = template(kind, lang).splitlines()[0].split(",")
    assert len(headers) == len(COLUMNS[kind])
    if lang == "en":
        assert headers == [column.name for column in COLUMNS[kind]]


@pytest.mark.parametrize(("kind", "lang"), list(product(KINDS, LANGUAGES)))
def test_the_allowed_values_name_every_column(kind: InputKind, lang: Language) -> None:
    """Each column has a line that says something."""
    lines = allowed_values(kind, lang).splitlines()
    for column in COLUMNS[kind]:
        (line,) = [
            line
            for line in lines
            if line.startswith((f"{column.name}:", f"{column.name} ("))
            or f"({column.name})" in line
        ]
        assert line.partition(": ")[2]


def test_the_allowed_values_name_every_word() -> None:
    """All closed lists, the categories, and what each action needs."""
    text = allowed_values("batches")
    for word in (
        *Action,
        *Funding,
        *LeaveReason,
        *RejectionReason,
        *Segment,
        *Categories().slugs(),
    ):
        assert word in text
    for action, demand in DEMANDS.items():
        assert f"  {action}: {', '.join(demand.needs)}" in text


@pytest.mark.parametrize("kind", KINDS)
def test_the_allowed_values_call_columns_as_the_template_does(kind: InputKind) -> None:
    """In Indonesian too, with the column's own name in brackets."""
    headers = template(kind, "id").splitlines()[0].split(",")
    lines = allowed_values(kind, "id").splitlines()
    names = [column.name for column in COLUMNS[kind]]
    for header, name, line in zip(headers, names, lines, strict=False):
        assert line.startswith(f"{header} ({name})")
    if kind == "batches":
        assert "  enrol: kategori, jumlah, TMT" in lines
        assert "  deactivate, balance-out: kategori or sk_asal" in lines


def test_the_allowed_values_have_indonesian_words_that_are_read() -> None:
    """Beside each English one of a closed list; a word of another value would be worse than none."""
    text = allowed_values("batches", "id")
    kinds: dict[WordKind, type[StrEnum]] = {
        "action": Action, "funding": Funding, "programme": Programme, "reason": LeaveReason,
        "rejection": RejectionReason, "segment": Segment,
    }  # fmt: skip
    for kind, values in kinds.items():
        for value in values:
            word = usual_words(kind)[value]
            assert f"{value} ({word})" in text
            assert find_word(kind, word) == value
    assert "opened (pemekaran)" in allowed_values("areas", "id")


def test_a_note_on_areas_is_no_note_on_batches() -> None:
    """No change of an area needs one."""
    assert "note: text\n" in allowed_values("areas")
    assert "note: text; needed by balance-in" in allowed_values("batches")


def test_every_action_has_its_demand() -> None:
    """A new action cannot be forgotten."""
    assert set(DEMANDS) == {action.value for action in Action}
