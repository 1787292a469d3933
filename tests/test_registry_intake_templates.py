"""Templates: importable once the examples are replaced, and never before."""

from __future__ import annotations

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
from registry.terms import Action, Funding, LeaveReason, Segment

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
    for word in (*Action, *Funding, *LeaveReason, *Segment, *Categories().slugs()):
        assert word in text
    for action, demand in DEMANDS.items():
        assert f"  {action}: {', '.join(demand.needs)}" in text


def test_every_action_has_its_demand() -> None:
    """A new action cannot be forgotten."""
    assert set(DEMANDS) == {action.value for action in Action}
