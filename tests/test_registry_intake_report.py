"""The report: its promised shape, its counts, its bounded memory, and the file of refused rows."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.cells import CellError
from registry.errors import Problem, Severity
from registry.intake.grid import Row, Table
from registry.intake.refused_rows import write_refused
from registry.intake.report import (
    EXAMPLES_MAX,
    GROUPS_MAX,
    Movement,
    Recorded,
    Report,
    RowSet,
    SheetFacts,
)

PROMISED = {
    "file", "sha256", "size", "kind", "sheets", "locale", "area_codes", "decision", "plan",
    "rows_read", "rows_accepted", "rows_refused", "batches", "workers_in", "workers_out",
    "by_category", "new_workers_in", "new_workers_out", "new_by_category", "workers_by_action", "control", "problems", "problem_groups", "problems_total",
    "errors", "warnings", "recorded", "refused_file",
}  # fmt: skip


def report() -> Report:
    """Return an empty report of a batches file."""
    return Report(
        file="berkas.csv",
        sha256="0" * 64,
        size=10,
        kind="batches",
        locale="id",
        area_codes="kemendagri",
    )


def problem(
    code: str = "unknown-area", severity: Severity = "error", row: int | None = 2
) -> Problem:
    """Return a problem in a row."""
    return Problem(code, severity, f"berkas.csv:{row}:area", "Atlantis", "why", "remedy", row)


def test_the_shape_is_the_promised_one() -> None:
    """Every key is there, also in an empty report, and the docstring names each."""
    empty = report().as_json()
    assert set(empty) == PROMISED
    assert json.loads(json.dumps(empty)) == empty
    assert [key for key in PROMISED if f"`{key}`" not in (Report.__doc__ or "")] == []
    assert empty["batches"] == {"new": 0, "already_recorded": 0, "total": 0, "by_action": {}}
    assert empty["control"] == {
        "rows": 0,
        "workers": 0,
        "expected_rows": None,
        "expected_workers": None,
    }


def test_counts_and_totals_come_out_as_put_in() -> None:
    """Batches by action, heads in and out by category; a category nobody knows yet is null."""
    filled = report()
    filled.rows_read = 3
    filled.sheets = (SheetFacts("Data", 3, 160),)
    filled.count_batches("enrol")
    filled.count_batches("deactivate")
    filled.count_workers("enrol", 100)
    filled.count_workers("deactivate", 60)
    filled.count_movement("guru", 100)
    filled.count_movement("guru", -20)
    filled.count_movement(None, -40)
    filled.batches_already_recorded = 1
    shape = filled.as_json()
    assert shape["batches"] == {
        "new": 1,
        "already_recorded": 1,
        "total": 2,
        "by_action": {"deactivate": 1, "enrol": 1},
    }
    assert (shape["workers_in"], shape["workers_out"]) == (100, 60)
    assert shape["by_category"] == [
        {"category": None, "workers_in": 0, "workers_out": 40},
        {"category": "guru", "workers_in": 100, "workers_out": 20},
    ]
    assert shape["workers_by_action"] == {"deactivate": 60, "enrol": 100}
    assert shape["sheets"] == [{"name": "Data", "rows": 3, "workers": 160}]
    assert (shape["rows_accepted"], shape["rows_refused"]) == (3, 0)


def test_an_error_refuses_the_file_and_its_row_once() -> None:
    """Two errors of one row are one refused row; a warning refuses nothing."""
    filled = report()
    filled.rows_read = 5
    filled.plan = "digest"
    filled.add(problem("repeated-line", "warning", 4))
    assert (filled.decision, filled.plan, filled.rows_refused) == ("planned", "digest", 0)
    filled.add(problem(row=2))
    filled.add(problem("invalid-number", row=2))
    assert (filled.rows_refused, filled.rows_accepted) == (1, 4)
    filled.add(problem("missing-column", row=None))
    refused = filled.as_json()
    assert (refused["decision"], refused["plan"]) == ("refused", None)
    assert (filled.errors, filled.warnings) == (3, 1)
    assert (filled.rows_refused, filled.rows_accepted) == (5, 0), "with its header all are refused"
    assert filled.rows_at_fault == 1


def test_many_problems_are_counted_and_few_are_kept() -> None:
    """Of each code and column 20 examples; every one is counted."""
    filled = report()
    for row in range(2, 10_002):
        filled.add(problem(row=row), "area")
        filled.add(problem("invalid-number", row=row), "workers")
    shape = filled.as_json()
    assert shape["problems_total"] == 20_000
    assert len(filled.problems) == 2 * EXAMPLES_MAX
    assert [one.row for one in filled.problems[:4]] == [2, 2, 3, 3]
    assert shape["problem_groups"] == [
        {"code": "unknown-area", "severity": "error", "column": "area", "count": 10_000}
        | {"at_least": False},
        {"code": "invalid-number", "severity": "error", "column": "workers", "count": 10_000}
        | {"at_least": False},
    ]
    assert filled.rows_refused == 10_000
    assert len(filled.as_lines()) < 40


def test_even_the_kinds_of_problems_are_bounded() -> None:
    """Whatever codes come, memory stays; the count is right."""
    filled = report()
    for number in range(3 * GROUPS_MAX):
        filled.add(problem(f"code-{number}"))
    shape = filled.as_json()
    groups = shape["problem_groups"]
    assert isinstance(groups, list)
    assert len(groups) == GROUPS_MAX + 1
    assert sum(group["count"] for group in groups) == 3 * GROUPS_MAX


def test_people_read_what_where_and_what_to_do() -> None:
    """The lines give address, reason, value, code and remedy, then the decision."""
    filled = report()
    filled.rows_read = 1234
    filled.add(problem(row=17))
    filled.refused_file = "berkas.refused.csv"
    text = "\n".join(filled.as_lines())
    assert "berkas.csv: 1,234 rows read, 1,233 accepted, 1 refused" in text
    assert "error: berkas.csv:17:area: why (Atlantis) [unknown-area]\n  remedy" in text
    assert "refused: 1 error; nothing was recorded" in text
    assert "berkas.refused.csv" in text


@pytest.mark.parametrize(
    ("decision", "words"),
    [("recorded", "recorded at #3–#7"), ("already-recorded", "already recorded at #3–#7")],
)
def test_what_was_recorded_is_said(decision: str, words: str) -> None:
    """Positions, instant and person, in words and in JSON."""
    filled = report()
    filled.decision = "recorded" if decision == "recorded" else "already-recorded"
    filled.recorded = Recorded(3, 7, datetime(2025, 7, 31, 8, tzinfo=UTC), "sari")
    assert words in filled.as_lines()[-1]
    assert filled.as_json()["recorded"] == {
        "first_position": 3,
        "last_position": 7,
        "recorded_at": "2025-07-31T08:00:00+00:00",
        "recorded_by": "sari",
    }


@given(st.lists(st.integers(0, 5_000)))
def test_a_row_set_is_a_set(numbers: list[int]) -> None:
    """Membership and size are those of a set."""
    rows = RowSet()
    for number in numbers:
        rows.add(number)
    assert len(rows) == len(set(numbers))
    assert {number for number in range(5_001) if number in rows} == set(numbers)


# --- the file of refused rows ---------------------------------------------------------------------


class Given(Table):
    """A table with rows from a list."""

    def __init__(self, headers: tuple[str, ...], *rows: Row, sheet: str | None = None) -> None:
        super().__init__("berkas.csv", sheet, 1, headers)
        self._rows = rows

    def rows(self) -> Iterator[Row]:
        """Yield the rows."""
        yield from self._rows


def read_back(path: Path) -> list[list[str]]:
    """Return the cells of a CSV."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def test_refused_rows_are_written_in_file_order(tmp_path: Path) -> None:
    """Row number, every reason once, then the known columns as they were; others are left out."""
    table = Given(
        ("area", "NIK", "workers", "asing"),
        (2, ("16.06", "1606011212900001", "5", "rahasia")),
        (3, ("16.07", "1606011212900002", "x", "rahasia")),
        (5, ("Atlantis", "1606011212900003", 1.0, "rahasia")),
    )
    path = tmp_path / "berkas.refused.csv"
    refusals = [(3, "workers: bad"), (5, "area: bad"), (5, "area: bad"), (5, "again")]
    write_refused(path, [(table, {"workers": 2, "area": 0}, refusals)])
    assert read_back(path) == [
        ["row", "problem", "area", "workers"],
        ["3", "workers: bad", "16.07", "x"],
        ["5", "area: bad; again", "Atlantis", "1"],
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_each_sheet_has_its_own_header(tmp_path: Path) -> None:
    """Sheets may have other columns; one without refused rows is not named."""
    one = Given(("area", "workers"), (2, ("x", 1)), sheet="Januari")
    two = Given(("workers",), (9, (CellError("#REF!"),)), sheet="Februari")
    three = Given(("workers",), (9, (1,)), sheet="Maret")
    path = tmp_path / "refused.csv"
    write_refused(
        path,
        [
            (one, {"area": 0, "workers": 1}, [(2, "bad")]),
            (two, {"workers": 0}, [(9, "bad")]),
            (three, {"workers": 0}, []),
        ],
    )
    assert read_back(path) == [
        ["sheet", "row", "problem", "area", "workers"],
        ["Januari", "2", "bad", "x", "1"],
        ["sheet", "row", "problem", "workers"],
        ["Februari", "9", "bad", "#REF!"],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝", "＋", "－", "＠"])
def test_no_formula_leaves(tmp_path: Path, start: str) -> None:
    """Whatever a cell starts with, a spreadsheet shows it and does not run it."""
    table = Given(("area",), (2, (f"{start}1+1",)))
    path = tmp_path / "refused.csv"
    write_refused(path, [(table, {"area": 0}, [(2, "bad")])])
    cell = read_back(path)[1][2]
    assert cell[0] in "'\\"  # an apostrophe, or a control character spelt out
    assert "1+1" in cell


def test_a_number_of_a_person_is_masked(tmp_path: Path) -> None:
    """Also where it stands in a column that the kind knows."""
    table = Given(("workers", "note"), (2, ("1606011212900001", "NIK 1606 0112 1290 0001\x1b")))
    path = tmp_path / "refused.csv"
    write_refused(path, [(table, {"workers": 0, "note": 1}, [(2, "bad")])])
    content = path.read_bytes()
    assert b"1606" not in content
    assert b"\x1b" not in content


@pytest.mark.parametrize("cell", [1606011212900001, 12345678901, 197001011990031001])
@pytest.mark.parametrize("kind", [int, float])
def test_a_number_of_a_person_is_masked_in_a_number_cell(
    kind: type[int | float], cell: int, tmp_path: Path
) -> None:
    """As a spreadsheet holds it; the heads beside it are shown as they stand."""
    table = Given(("reference", "workers"), (2, (kind(cell), kind(45_000))))
    path = tmp_path / "refused.csv"
    write_refused(path, [(table, {"reference": 0, "workers": 1}, [(2, "bad")])])
    assert read_back(path)[1] == ["2", "bad", "[number withheld]", "45000"]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Neither half a file nor a changed old one."""
    path = tmp_path / "refused.csv"
    path.write_text("old")

    def fails() -> Iterator[tuple[int, str]]:
        yield 2, "bad"
        raise OSError

    table = Given(("area",), (2, ("x",)))
    with pytest.raises(OSError):  # noqa: PT011 - the very error put in
        write_refused(path, [(table, {"area": 0}, fails())])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_new_stands_beside_the_whole_file() -> None:
    """A clerk compares the file with its cover letter, and what is recorded with what is new."""
    grown = report()
    grown.batches_total, grown.batches_already_recorded = 5, 4
    grown.count_movement("guru", 45_000)
    grown.count_movement("guru", -1_250)
    grown.count_movement("petani", 100)
    grown.new_by_category = {"guru": Movement(2_971, 0)}
    assert [*grown.count_lines()][2:] == [
        "  4 already recorded, and skipped; 1 new",
        "  guru: +2,971 -0 new; +45,000 -1,250 in the file",
        "  petani: +0 -0 new; +100 -0 in the file",
        "  in all: +2,971 -0 new; +45,100 -1,250 in the file",
    ]
    shape = grown.as_json()
    assert (shape["workers_in"], shape["workers_out"]) == (45_100, 1_250)
    assert (shape["new_workers_in"], shape["new_workers_out"]) == (2_971, 0)
    assert shape["new_by_category"] == [{"category": "guru", "workers_in": 2_971, "workers_out": 0}]


def test_where_all_is_new_it_is_said_once_by_the_category_that_was_found() -> None:
    """A row that names only the batch it draws on is told by that batch's category."""
    first = report()
    first.count_movement(None, -30)
    assert [*first.count_lines()][2:] == ["  (as the batch drawn on): +0 -30"]
    first.new_by_category = {"guru": Movement(0, 30)}
    assert [*first.count_lines()][2:] == ["  guru: +0 -30"]


def test_a_value_that_the_words_name_is_not_told_twice() -> None:
    """But a 5 within a 50 is not the 5."""
    twice = report()
    twice.add(Problem("invalid-number", "error", "b.csv:2", "1.5", "1.5 is no number", "x", 2))
    twice.add(Problem("invalid-number", "error", "b.csv:3", "5", "50 is too much", "x", 3))
    lines = [line for line in twice.problem_lines() if line.startswith("error")]
    assert lines == [
        "error: b.csv:2: 1.5 is no number [invalid-number]",
        "error: b.csv:3: 50 is too much (5) [invalid-number]",
    ]


def test_a_search_that_stopped_is_told_as_such() -> None:
    """A cap is never told as a count."""
    many = report()
    for row in range(2, 102):
        many.add(problem("looks-like-duplicate", "warning", row), "reference")
    assert "  … and 95 more of looks-like-duplicate in reference" in [*many.problem_lines()]
    many.capped.add("looks-like-duplicate")
    lines = [*many.problem_lines()]
    assert "  … and at least 95 more of looks-like-duplicate in reference" in lines
    assert [group["at_least"] for group in many.as_json()["problem_groups"]] == [True]  # type: ignore[attr-defined]
