"""XLSX: real numbers and days, text that never runs, nothing XML cannot hold."""

from __future__ import annotations

import errno
import gc
import io
import os
import random
import re
import sys
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cli.workbook
from cli.escapes import visible
from cli.listing import Column, Document, Listing, Section
from cli.values import shown
from cli.workbook import TEXT_LENGTH_MAX, write_document, write_workbook
from tests.papers import HOSTILE, MADE_AT, document

TEXT = (Column("t", "Text", "text"),)
STARTERS = "=+-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20"


def texts_in(path: Path) -> list[object]:
    """Return the first column under the header, as a spreadsheet shows it."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return [cell.value for (cell,) in sheet.iter_rows(min_row=2, max_col=1)]


def formulas_in(path: Path) -> int:
    """Return how many cells hold a formula, by openpyxl and by the XML itself."""
    found: int = sum(
        cell.data_type == "f"
        for sheet in openpyxl.load_workbook(path).worksheets
        for row in sheet.iter_rows()
        for cell in row
    )
    with zipfile.ZipFile(path) as parts:
        sheets = [name for name in parts.namelist() if name.startswith("xl/worksheets/")]
        return found + sum(len(re.findall(rb"<f[ >]", parts.read(name))) for name in sheets)


def listing_of(texts: list[str]) -> Listing:
    """Return a listing of one text column."""
    return Listing("texts", TEXT, ({"t": text} for text in texts))


def hostile_texts(count: int) -> list[str]:
    """Return texts that begin as formulas do; seeded."""
    chance = random.Random(43)
    pieces = [*STARTERS, "1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://x")', "http://x", " ", "SK"]
    return ["".join(chance.choices(pieces, k=chance.randint(1, 5))) for _ in range(count)]


def test_values_are_what_they_are(tmp_path: Path) -> None:
    """Counts and percentages are numbers, days are days, flags are flags, nulls are empty."""
    columns = (
        Column("area", "Area", "code"),
        Column("active", "Active", "count"),
        Column("percent", "Coverage", "percent"),
        Column("points", "Points", "points"),
        Column("on", "On", "date"),
        Column("at", "Recorded at", "instant"),
        Column("complete", "Complete", "flag"),
        Column("suspects", "Suspects", "json", show=False),
    )
    values = {
        "area": "16.10",
        "active": 88_958,
        "percent": Fraction(88_958 * 100, 213_582),
        "points": Fraction(-1, 7),
        "on": date(2024, 12, 31),
        "at": datetime(2025, 7, 16, 2, 30, 15, tzinfo=UTC),
        "complete": False,
        "suspects": ["SK-1"],
    }
    path = tmp_path / "x.xlsx"
    write_workbook(Listing("coverage", columns, [values, dict.fromkeys(values)]), path)

    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    header, first, second = sheet.iter_rows(max_row=3)
    assert [cell.value for cell in header] == [column.title for column in columns]
    assert [(cell.value, cell.number_format) for cell in first] == [
        ("16.10", "General"),
        (88_958, "#,##0"),
        (41.65, '0.00" %"'),
        (-0.142857, "0.00"),
        (datetime(2024, 12, 31), "yyyy-mm-dd"),
        (datetime(2025, 7, 16, 2, 30, 15), 'yyyy-mm-dd hh:mm:ss"Z"'),
        (False, "General"),
        ('["SK-1"]', "General"),
    ]
    assert all(cell.value is None for cell in second)
    assert sheet.title == "coverage"


def test_a_number_keeps_the_decimals_that_were_printed(tmp_path: Path) -> None:
    """50.00 was printed with two decimals: as 50 it would be another claim."""
    path = tmp_path / "x.xlsx"
    column = Column("percent", "Coverage published", "number")
    printed = (Decimal("50.00"), Decimal("50.0"), Decimal(50), 50)
    write_workbook(Listing("figures", (column,), ({"percent": each} for each in printed)), path)

    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    forms = [cell.number_format for (cell,) in sheet.iter_rows(min_row=2)]
    assert forms == ["0.00", "0.0", "General", "General"]


def test_a_sheet_is_ready_to_read(tmp_path: Path) -> None:
    """The header stays in sight, filters stand over all rows, columns are as wide as their text."""
    path = tmp_path / "x.xlsx"
    listing = Listing("texts", TEXT, [{"t": "x" * 30}, {"t": "x" * 500}], notes=["Known at #12."])
    write_workbook(listing, path)

    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:A3"
    assert 60 <= sheet.column_dimensions["A"].width <= 65
    assert book.properties.description == "Known at #12."


def test_no_formula_in_ten_thousand_cells(tmp_path: Path) -> None:
    """0 formula cells in 10,000 read back; every value round-trips."""
    texts = hostile_texts(10_000)
    path = tmp_path / "x.xlsx"
    write_workbook(listing_of(texts), path)

    assert formulas_in(path) == 0
    assert texts_in(path) == [visible(text) for text in texts]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=40))
def test_any_text_comes_back(tmp_path: Path, texts: list[str]) -> None:
    """Whatever the letters: a cell of text, the same text, its hidden characters shown."""
    path = tmp_path / "x.xlsx"
    write_workbook(listing_of(["=", *texts]), path)

    assert formulas_in(path) == 0
    # XML itself reads CR LF and CR as LF; `visible` has shown every CR before it came to that.
    assert texts_in(path)[1:] == [visible(text) for text in texts]


def test_the_judge_of_formulas_can_find_one(tmp_path: Path) -> None:
    """Negative control: xlsxwriter as it comes makes formulas of the same texts."""
    path = tmp_path / "x.xlsx"
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet().write(0, 0, "=1+1")
    book.close()

    assert formulas_in(path) > 0


def test_text_that_looks_like_an_escape_of_xlsx_is_kept(tmp_path: Path) -> None:
    """`_x0041_` is Excel's way to write A: text that says so is escaped, and not read as A."""
    path = tmp_path / "x.xlsx"
    write_workbook(listing_of(["_x0041_"]), path)

    assert texts_in(path) == ["_x005F_x0041_"]  # openpyxl shows the escape, Excel the text


def test_no_control_character_in_the_xml(tmp_path: Path) -> None:
    """A bare control character would be a damaged file, or a hidden order."""
    hidden = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)])) + "\u202e\u2028\ufffe"
    path = tmp_path / "x.xlsx"
    write_workbook(listing_of([hidden, "\ud800"]), path)

    with zipfile.ZipFile(path) as parts:
        xml = b"".join(parts.read(name) for name in parts.namelist()).decode()
    assert not set(xml) & (set(hidden) - {"\n"})
    assert texts_in(path)[1] == "\\ud800"


@pytest.mark.parametrize("letter", ["x", "漢", "😀"])
def test_text_over_the_limit_is_cut(tmp_path: Path, letter: str) -> None:
    """Excel takes 32,767 UTF-16 units and calls a file with more damaged; … says it was cut."""
    path = tmp_path / "x.xlsx"
    write_workbook(listing_of([letter * 40_000, letter * 100]), path)

    cut, whole = texts_in(path)
    assert len(str(cut).encode("utf-16-le")) // 2 in {TEXT_LENGTH_MAX, TEXT_LENGTH_MAX - 1}
    assert str(cut).endswith(f"{letter}…")
    assert whole == letter * 100


def test_a_full_sheet_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows than Excel can hold are not lost: each sheet has its header and its filter."""
    monkeypatch.setattr(cli.workbook, "SHEET_ROWS_MAX", 4)
    path = tmp_path / "x.xlsx"
    write_workbook(listing_of(list("abcdefg")), path)

    sheets = openpyxl.load_workbook(path).worksheets
    assert [sheet.title for sheet in sheets] == ["texts", "texts 2", "texts 3"]
    assert [[cell.value for (cell,) in sheet.iter_rows()] for sheet in sheets] == [
        ["Text", "a", "b", "c"],
        ["Text", "d", "e", "f"],
        ["Text", "g"],
    ]
    assert [sheet.auto_filter.ref for sheet in sheets] == ["A1:A4", "A1:A4", "A1:A2"]


# --- a document for people ----------------------------------------------------------------------


def test_a_document_has_a_sheet_for_each_section(tmp_path: Path) -> None:
    """A cover with links to them, then each with what it is of, its rows, its total, its notes."""
    path = tmp_path / "x.xlsx"
    write_document(document(), path)

    book = openpyxl.load_workbook(path)
    cover, first, second, third = book.worksheets
    assert book.sheetnames == ["Cover", "Sheet First", "Sheet Second", "Sheet Third"]
    assert cover["A1"].value == "=Title <script>"
    assert (cover["B4"].value, cover["B4"].number_format) == (datetime(2024, 12, 31), "yyyy-mm-dd")
    links = [cell.hyperlink for row in cover.iter_rows() for cell in row if cell.hyperlink]
    assert [each.location for each in links] == [f"'{name}'!A1" for name in book.sheetnames[1:]]
    assert all(each.target is None for each in links), "they lead nowhere else"
    for sheet in (first, second, third):
        assert (sheet.freeze_panes, sheet["A3"].value) == ("A6", "Asked again by: ucj x")
        assert [cell.value for cell in sheet[5]][:7] == [
            "Text <b>", "=Code", "Nested", "Active", "Share", "Points", "On",
        ]  # fmt: skip
    assert [(cell.value, cell.number_format) for cell in second[6]][3:7] == [
        (-45_000, "#,##0"),
        (66.67, '0.00" %"'),
        (-0.142857, "0.00"),
        (datetime(2025, 7, 31), "yyyy-mm-dd"),
    ]
    assert (second["A7"].value, second["D7"].value, second["D7"].number_format) == (
        "Sum <i>",
        7,
        "#,##0",
    )
    assert second["D7"].font.bold
    assert third["A7"].value == "Nothing."
    assert book.properties.created == MADE_AT.replace(tzinfo=None)


def test_a_document_holds_no_formula_and_nothing_hidden(tmp_path: Path) -> None:
    """Texts are texts, as people are shown them: no formula, no control, no column kept from them."""
    path = tmp_path / "x.xlsx"
    write_document(document(), path)

    assert formulas_in(path) == 0
    first = openpyxl.load_workbook(path)["Sheet First"]
    texts = [cell.value for (cell,) in first.iter_rows(min_row=6, max_col=1)]
    assert texts[: len(HOSTILE)] == [shown(text, "text") for text in HOSTILE]
    with zipfile.ZipFile(path) as parts:
        xml = b"".join(parts.read(name) for name in parts.namelist()).decode()
    assert "not for people" not in xml
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", xml.replace("\r\n", "\n"))


def test_what_is_said_below_the_rows_can_be_read_whole(tmp_path: Path) -> None:
    """A long sentence has its own cell over several columns, and the height of its lines."""
    path = tmp_path / "x.xlsx"
    long = "It counts heads. " * 20
    shown_listing = Listing("x", TEXT, [{"t": "x"}], notes=[long, "Short."])
    section = Section("Chapter", "Title", "Name", "On a day", "ucj x", lambda: shown_listing)
    cover = Listing("cover", TEXT, [{"t": "x"}])
    answered = [(section, shown_listing)]
    write_document(Document("Title", cover, [section], answered, MADE_AT), path)

    sheet = openpyxl.load_workbook(path)["Name"]
    assert sheet["A8"].value == long
    assert sheet["A8"].alignment.wrap_text
    assert sheet.row_dimensions[8].height >= 4 * 15
    assert len(sheet.merged_cells.ranges) == 2


class Small(io.FileIO):
    """A file on a disk that has room for a few bytes more, which somebody else takes then."""

    room = 2_000

    def write(self, data: Any, /) -> int:
        """Take what fits."""
        if self.tell() + len(data) > self.room:
            self.room = 0
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


def test_a_workbook_that_does_not_fit_is_an_error_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the system's number, by which a remedy is found; and nothing is told of it afterwards."""

    class Full(cli.workbook._Target, Small):
        pass

    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    monkeypatch.setattr(cli.workbook, "_Target", Full)
    with pytest.raises(OSError, match="No space left") as full:
        write_workbook(listing_of(hostile_texts(2_000)), tmp_path / "full.xlsx")
    assert full.value.errno == errno.ENOSPC
    del full
    gc.collect()
    assert told == []
