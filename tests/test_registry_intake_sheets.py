"""Spreadsheets: read right or refused with the cause; the parent lives on."""

from __future__ import annotations

import io
import json
import math
import os
import signal
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
import xlsxwriter

import registry
from registry.cells import CellError
from registry.errors import InputUnreadableError
from registry.intake import workbooks
from registry.intake.grid import FIELD_LENGTH_MAX, HEADER_ROWS_MAX
from registry.intake.marks import UNCALCULATED, xlsx_marks
from registry.intake.packages import SHEETS_MAX, XlsxSheet
from registry.intake.spool import SpooledFile, spool_input
from registry.intake.tables import Row, Tables, open_tables
from tests.spreadsheet_samples import (
    DATE_STYLE,
    HEADER_ROW,
    archive,
    ods,
    ods_text,
    ole,
    record,
    text_cell,
    xls,
    xls_error,
    xls_formula,
    xls_number,
    xls_text,
    xlsx,
)

KNOWN = {"area", "category", "workers", "reference", "note"}
JULY_31 = date(2025, 7, 31)
ROOT = Path(registry.__file__).parents[1]


class Opener(Protocol):
    """Opens the tables of a spreadsheet given as bytes."""

    def __call__(self, content: bytes, sheet: str | None = None) -> Tables:
        """Return its tables."""


def recognises(cells: Sequence[str]) -> int:
    """Count known headers, as the forms do."""
    return sum(cell.strip().casefold() in KNOWN for cell in cells)


@pytest.fixture
def open_bytes(tmp_path: Path) -> Iterator[Opener]:
    """Write bytes under a name that lies about them, and open their tables."""
    opened: list[SpooledFile] = []

    def opener(content: bytes, sheet: str | None = None) -> Tables:
        path = tmp_path / "input-file"
        path.write_bytes(content)
        spooled = spool_input(path, name="batches.csv")
        opened.append(spooled)
        return open_tables(spooled, recognises=recognises, sheet=sheet)

    yield opener
    for spooled in opened:
        spooled.close()


def row(number: int, *cells: str) -> str:
    """Return a row of an .xlsx."""
    return f'<row r="{number}">{"".join(cells)}</row>'


def ods_row(*cells: str, repeated: int = 1) -> str:
    """Return a row of an .ods."""
    return (
        f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(cells)}'
        "</table:table-row>"
    )


def ods_cell(attributes: str = "", text: str = "") -> str:
    """Return any cell of an .ods."""
    shown = f"<text:p>{text}</text:p>" if text else ""
    return f"<table:table-cell {attributes}>{shown}</table:table-cell>"


REF = CellError("#REF!")
NO_RESULT = CellError(UNCALCULATED)
ON_LOAD = '<calcPr fullCalcOnLoad="1"/>'
ERROR_RESULT = struct.pack("<BBBBHH", 2, 0, 0x2A, 0, 0, 0xFFFF)

# name, bytes, the rows that must come out of the sheet Data
READ_RIGHT: list[tuple[str, bytes, list[Row]]] = [
    ("xlsx", xlsx(row(2, text_cell("A2", "16.06"), '<c r="C2"><v>45000</v></c>')),
     [(2, ("16.06", None, 45000.0))]),
    ("xlsx, stored not packed", xlsx(row(2, '<c r="C2"><v>45</v></c>'), compression=zipfile.ZIP_STORED),
     [(2, (None, None, 45.0))]),
    ("xlsx date", xlsx(row(2, '<c r="C2" s="1"><v>45869</v></c>')), [(2, (None, None, JULY_31))]),
    ("xlsx date of 1904", xlsx(row(2, '<c r="C2" s="1"><v>44407</v></c>'),
                               workbook='<workbookPr date1904="1"/>'),
     [(2, (None, None, JULY_31))]),
    ("xlsx moment", xlsx(row(2, '<c r="C2" s="1"><v>45869.5</v></c>')),
     [(2, (None, None, datetime(2025, 7, 31, 12)))]),
    ("xlsx serial 60", xlsx(row(2, '<c r="C2" s="1"><v>60</v></c>')),
     [(2, (None, None, date(1900, 2, 28)))]),
    ("xlsx time of day", xlsx(row(2, '<c r="C2" s="1"><v>0.5</v></c>')),
     [(2, (None, None, "12:00:00"))]),
    ("xlsx truth", xlsx(row(2, '<c r="C2" t="b"><v>1</v></c>')), [(2, (None, None, True))]),
    ("xlsx long digits as text", xlsx(row(2, text_cell("A2", "1671012345678901"))),
     [(2, ("1671012345678901", None, None))]),
    ("xlsx error", xlsx(row(2, '<c r="C2" t="e"><v>#REF!</v></c>')), [(2, (None, None, REF))]),
    ("xlsx error in other quotes", xlsx(row(2, "<c r='C2' t = 'e'><v>#REF!</v></c>")),
     [(2, (None, None, REF))]),
    ("xlsx error without its text", xlsx(row(2, '<c r="C2" t="e"/>')),
     [(2, (None, None, CellError("#ERROR!")))]),
    ("xlsx error alone in the last row", xlsx(row(9, '<c r="C9" t="e"><v>#REF!</v></c>')),
     [(9, (None, None, REF))]),
    ("xlsx error beyond the header", xlsx(row(2, '<c r="E2" t="e"><v>#REF!</v></c>')),
     [(2, (None, None, None, None, REF))]),
    ("xlsx without cell names", xlsx('<row><c><v>1</v></c><c t="e"><v>#REF!</v></c></row>'),
     [(2, (1.0, REF, None))]),
    ("xlsx formula with a result", xlsx(row(2, '<c r="C2"><f>40+5</f><v>45</v></c>')),
     [(2, (None, None, 45.0))]),
    ("xlsx formula with a text result", xlsx(row(2, '<c r="A2" t="str"><f>"x"</f><v>x</v></c>')),
     [(2, ("x", None, None))]),
    ("xlsx formula without a result", xlsx(row(2, '<c r="C2"><f>40+5</f></c>')),
     [(2, (None, None, NO_RESULT))]),
    ("xlsx formula with a blank result", xlsx(row(2, '<c r="C2"><f>40+5</f><v></v></c>')),
     [(2, (None, None, NO_RESULT))]),
    ("xlsx 0 to be calculated on load", xlsx(row(2, '<c r="C2"><f>40+5</f><v>0</v></c>'),
                                             workbook=ON_LOAD), [(2, (None, None, NO_RESULT))]),
    ("xlsx 0 that was calculated", xlsx(row(2, '<c r="C2"><f>40-40</f><v>0</v></c>')),
     [(2, (None, None, 0.0))]),
    ("xlsx no number", xlsx(row(2, '<c r="C2"><v>12abc</v></c>')), [(2, (None, None, "12abc"))]),
    ("xlsx infinite", xlsx(row(2, '<c r="C2"><v>1e999</v></c>')), [(2, (None, None, math.inf))]),
    ("xlsx blank rows and cells", xlsx(row(5, text_cell("A5", " "), text_cell("B5", "x"))
                                       + row(7, text_cell("A7", " "))), [(5, (None, "x", None))]),
    ("xlsx last row of a sheet", xlsx(row(1048576, '<c r="A1048576"><v>1</v></c>')),
     [(1048576, (1.0, None, None))]),
    ("xlsx sheet that is a link away", xlsx(parts={"xl/externalLinks/externalLink1.xml": "<a/>"}), []),
    ("ods", ods(ods_row(ods_text("16.06"), ods_cell(),
                        ods_cell('office:value-type="float" office:value="45"'))),
     [(2, ("16.06", None, 45.0))]),
    ("ods date", ods(ods_row(ods_cell('office:value-type="date" office:date-value="2025-07-31"'))),
     [(2, (JULY_31, None, None))]),
    ("ods repeated rows", ods(ods_row(ods_text("x"), repeated=2) + ods_row(ods_text("y"))),
     [(2, ("x", None, None)), (3, ("x", None, None)), (4, ("y", None, None))]),
    ("ods blank to the end", ods(ods_row(ods_text("x"))
                                 + ods_row(ods_cell('table:number-columns-repeated="16384"'),
                                           repeated=1048574)), [(2, ("x", None, None))]),
    ("ods error", ods(ods_row(ods_cell(), ods_cell(
        'table:formula="of:=1/0" office:value-type="string" office:string-value="" '
        'calcext:value-type="error"', "#DIV/0!"), repeated=2)),
     [(2, (None, CellError("#DIV/0!"), None)), (3, (None, CellError("#DIV/0!"), None))]),
    ("ods error of an older program", ods(ods_row(ods_cell(
        'table:formula="of:=1/0" office:value-type="float" office:value="0"', "Err:502"))),
     [(2, (CellError("Err:502"), None, None))]),
    ("ods formula without a result", ods(ods_row(ods_cell('table:formula="of:=1+1"'))),
     [(2, (NO_RESULT, None, None))]),
    ("ods formula with a result", ods(ods_row(ods_cell(
        'table:formula="of:=1+1" office:value-type="float" office:value="2"', "2"))),
     [(2, (2.0, None, None))]),
    ("xls", xls(xls_text(1, 0, "16.06") + xls_number(1, 2, 45)), [(2, ("16.06", None, 45.0))]),
    ("xls date", xls(xls_number(1, 2, 45869, DATE_STYLE)), [(2, (None, None, JULY_31))]),
    ("xls date of 1904", xls(xls_number(1, 2, 44407, DATE_STYLE), more=record(0x22, b"\1\0")),
     [(2, (None, None, JULY_31))]),
    ("xls error", xls(xls_error(1, 2, 0x17)), [(2, (None, None, REF))]),
    ("xls truth", xls(xls_error(1, 2, 1, is_error=0)), [(2, (None, None, True))]),
    ("xls formula with an error", xls(xls_formula(1, 2, ERROR_RESULT)),
     [(2, (None, None, CellError("#N/A")))]),
    ("xls formula with a result", xls(xls_formula(1, 2, struct.pack("<d", 45))),
     [(2, (None, None, 45.0))]),
    ("xls formula to be calculated", xls(xls_formula(1, 2, bytes(8), flags=2)),
     [(2, (None, None, NO_RESULT))]),
]  # fmt: skip


def forged(content: bytes, name: bytes, old: bytes, new: bytes) -> bytes:
    """Change bytes of one central-directory entry: what an archive claims of a member."""
    at = content.rindex(name)
    start = content.rindex(b"PK\x01\x02", 0, at)
    return content[:start] + content[start:at].replace(old, new, 1) + content[at:]


def bomb(size: int) -> bytes:
    """Return a workbook with one cell of so many equal characters."""
    return xlsx(row(2, text_cell("A2", "A" * size)))


def shared_bomb() -> bytes:
    """Return a small workbook whose 40,000 cells share one long text: over a gigabyte in memory."""
    text = f"<si><t>{'x' * 32_000}</t></si>"
    cells = "".join(row(n, f'<c r="A{n}" t="s"><v>0</v></c>') for n in range(2, 40_002))
    strings = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="1" '
        f'uniqueCount="1">{text}</sst>'
    )
    related = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/worksheet" Target="worksheets/sheet1.xml"/>'
        '<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    )
    return xlsx(
        cells, parts={"xl/sharedStrings.xml": strings, "xl/_rels/workbook.xml.rels": related}
    )


DOCTYPE = '<!DOCTYPE a [<!ENTITY x "y">]>'
WHOLE = xlsx(row(2, '<c r="C2"><v>45</v></c>'))
WHOLE_XLS = xls(xls_number(1, 2, 45))
FAR = "very far"
MACRO = "macros"
PASSWORD = "password"
DAMAGED = "the spreadsheet is damaged"
BOMB = "unpacks to"


def _cut(share: int) -> bytes:
    return WHOLE[: max(len(WHOLE) * share // 100, 60)]


# name, how to make the bytes, what the refusal says
REFUSED: list[tuple[str, Callable[[], bytes], str]] = [
    ("far cell", lambda: xlsx(row(1048576, '<c r="XFD1048576"><v>1</v></c>')), FAR),
    ("far cell, ods", lambda: ods(ods_row(ods_cell('table:number-columns-repeated="16383"'),
                                          ods_text("x"), repeated=1048570)), FAR),
    ("sheet filled by repetition", lambda: ods(ods_row(
        '<table:table-cell office:value-type="string" table:number-columns-repeated="16384">'
        "<text:p>x</text:p></table:table-cell>", repeated=1048576)), FAR),
    ("errors without end", lambda: ods(ods_row(ods_cell(
        'table:number-columns-repeated="16384" table:formula="of:=1/0" '
        'office:value-type="string" calcext:value-type="error"', "#REF!"), repeated=1048576)),
     "hold errors"),
    ("cell of 32 MB", lambda: bomb(32 << 20), BOMB),
    ("cell of 9 MB", lambda: bomb(9 << 20), "too long"),
    ("cell one too long", lambda: bomb(FIELD_LENGTH_MAX + 1), "too long"),
    ("one text in 40,000 cells", shared_bomb, "memory"),
    ("archive that claims a gigabyte", lambda: forged(
        WHOLE, b"xl/styles.xml", _size_of(WHOLE, "xl/styles.xml"), struct.pack("<I", 1 << 30)), BOMB),
    ("archive that claims less than it holds", lambda: forged(
        WHOLE, b"xl/styles.xml", _size_of(WHOLE, "xl/styles.xml"), struct.pack("<I", 10)), DAMAGED),
    ("members that overlap", lambda: forged(
        WHOLE, b"xl/styles.xml", _packed_size_of(WHOLE, "xl/styles.xml"),
        struct.pack("<I", 1 << 20)), "overlap"),
    ("3,000 members", lambda: xlsx(parts={f"xl/x{n}.bin": "" for n in range(3_000)}), "members"),
    ("10,000 sheets", lambda: xlsx({f"S{n}": "" for n in range(10_000)}), "members"),
    ("101 sheets", lambda: xlsx({f"S{n}": "" for n in range(SHEETS_MAX + 1)}), "101 sheets"),
    ("101 sheets, xls", lambda: xls(sheets=SHEETS_MAX + 1), "101 sheets"),
    ("document type", lambda: xlsx(before_sheet=DOCTYPE), "document type"),
    ("document type in the workbook", lambda: xlsx(parts={"xl/workbook.xml": DOCTYPE + "<a/>"}),
     "document type"),
    ("document type late in a part", lambda: xlsx(parts={
        "docProps/core.xml": " " * ((1 << 20) - 4) + DOCTYPE}), "document type"),
    ("document type, ods", lambda: ods(before=DOCTYPE), "document type"),
    ("part in UTF-16", lambda: xlsx(parts={"xl/styles.xml": "<a/>".encode("utf-16")}), "UTF-8"),
    ("path out of the archive", lambda: xlsx(parts={"../../evil.xml": "<a/>"}), "outside"),
    ("path with backslashes", lambda: xlsx(parts={"..\\..\\evil.xml": "<a/>"}), "outside"),
    ("absolute path", lambda: xlsx(parts={"/etc/evil.xml": "<a/>"}), "outside"),
    ("two members of one name", lambda: archive([("xl/workbook.xml", "<a/>"),
                                                 ("XL/workbook.xml", "<b/>")]), "same name"),
    ("encrypted member", lambda: _flagged(WHOLE), PASSWORD),
    ("encrypted workbook", lambda: ole({"EncryptedPackage": b"x", "EncryptionInfo": b"y"}), PASSWORD),
    ("encrypted xls", lambda: xls(more=record(0x2F, bytes(6))), PASSWORD),
    ("macros", lambda: xlsx(parts={"xl/vbaProject.bin": b"\xd0\xcf"}), MACRO),
    ("macro sheet", lambda: xlsx(parts={"xl/macrosheets/sheet1.xml": "<a/>"}), MACRO),
    ("macros, ods", lambda: ods(parts={"Basic/Standard/Module1.xml": "<a/>"}), MACRO),
    ("macros, xls", lambda: xls(streams=["_VBA_PROJECT_CUR"]), MACRO),
    ("macro sheet, xls", lambda: xls(sheet_kind=1), MACRO),
    *((f"cut short at {share} %", partial(_cut, share), DAMAGED) for share in (1, 10, 50, 90, 99)),
    ("nothing but the magic", lambda: b"PK\x03\x04" + bytes(1_000), DAMAGED),
    ("cut short, xls", lambda: WHOLE_XLS[: len(WHOLE_XLS) // 3], DAMAGED),
    ("header of an xls alone", lambda: WHOLE_XLS[:60], DAMAGED),
    ("bit turned", lambda: _turned(WHOLE, b"xl/worksheets/sheet1.xml"), DAMAGED),
    ("sectors in a circle", lambda: _circle(WHOLE_XLS), DAMAGED),
    ("random after the magic, zip", lambda: b"PK\x03\x04" + bytes(range(256)) * 40, DAMAGED),
    ("random after the magic, xls", lambda: WHOLE_XLS[:8] + bytes(range(256)) * 40, DAMAGED),
    ("broken XML", lambda: xlsx("<row><c"), DAMAGED),
    ("shared text that is not there", lambda: xlsx(row(2, '<c r="C2" t="s"><v>7</v></c>')), DAMAGED),
    ("sheet that is not there", lambda: xlsx(parts={"xl/_rels/workbook.xml.rels": "<a/>"}), DAMAGED),
    ("workbook behind the workbook", lambda: xlsx(parts={
        "xl/other.xml": "<a/>", "_rels/.rels": '<Relationships><Relationship Type="x/officeDocument" '
        'Target="xl/other.xml"/></Relationships>'}), DAMAGED),
    ("Word document", lambda: archive({"word/document.xml": "<a/>"}), "Word"),
    ("Word document of old", lambda: ole({"WordDocument": b"x"}), "Word"),
    ("presentation", lambda: archive({"ppt/presentation.xml": "<a/>"}), "presentation"),
    ("binary workbook", lambda: archive({"xl/workbook.bin": b"x"}), "xlsb"),
    ("OpenDocument text", lambda: ods(mimetype="application/vnd.oasis.opendocument.text"),
     "not a spreadsheet"),
    ("any archive", lambda: archive({"batches.csv": "area;workers\n"}), "not a spreadsheet"),
    ("empty archive", lambda: archive({}), "not a spreadsheet"),
    ("no sheet with a header", lambda: xlsx({"Data": row(1, text_cell("A1", "foo"))}), "no header"),
    ("no cell at all", lambda: xlsx({"Data": ""}), "no table"),
    ("chart alone, xls", lambda: xls(sheet_kind=2), "no table"),
]  # fmt: skip


def _info(content: bytes, name: str) -> zipfile.ZipInfo:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return opened.getinfo(name)


def _size_of(content: bytes, name: str) -> bytes:
    return struct.pack("<I", _info(content, name).file_size)


def _packed_size_of(content: bytes, name: str) -> bytes:
    return struct.pack("<I", _info(content, name).compress_size)


def _flagged(content: bytes) -> bytes:
    """Set the flag of encryption in each entry of the archive's directory."""
    parts = content.split(b"PK\x01\x02")
    return parts[0] + b"".join(
        b"PK\x01\x02" + part[:4] + b"\x01\x00" + part[6:] for part in parts[1:]
    )


def _turned(content: bytes, name: bytes) -> bytes:
    """Turn one bit in the packed bytes of a member."""
    at = content.index(name) + len(name) + 40
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


def _circle(content: bytes) -> bytes:
    """Let the first sector of the stream be followed by itself."""
    first = struct.pack("<II", 1, 2)
    at = content.rindex(first)
    return content[:at] + struct.pack("<II", 0, 2) + content[at + 8 :]


NAMES_READ = [name for name, *_ in READ_RIGHT]
NAMES_REFUSED = [name for name, *_ in REFUSED]


def test_the_set_is_large_enough() -> None:
    """At least 40 hostile files; each has a name of its own."""
    assert len({*NAMES_READ, *NAMES_REFUSED}) == len(READ_RIGHT) + len(REFUSED)
    assert len(REFUSED) >= 40


@pytest.mark.parametrize(("content", "rows"), [each[1:] for each in READ_RIGHT], ids=NAMES_READ)
def test_odd_spreadsheets_are_read_right(
    open_bytes: Opener, content: bytes, rows: list[Row]
) -> None:
    """Each comes out cell by cell with its own row number: no error passed over, no 0 made up."""
    (table,) = open_bytes(content)
    assert (table.sheet, table.headers) == ("Data", ("area", "category", "workers"))
    assert list(table.rows()) == rows
    assert list(table.rows()) == rows, "asked again, the table says the same"


@pytest.mark.parametrize(("make", "what"), [each[1:] for each in REFUSED], ids=NAMES_REFUSED)
def test_hostile_spreadsheets_are_refused(
    open_bytes: Opener, make: Callable[[], bytes], what: str
) -> None:
    """Within 10 seconds, with the cause, in words that can be printed; this process lives on."""
    started = time.perf_counter()
    with pytest.raises(InputUnreadableError) as refusal:
        open_bytes(make())
    said = str(refusal.value)
    assert what in said
    assert said.startswith("batches.csv")
    assert said.isprintable()
    assert len(said) < 1_000
    assert time.perf_counter() - started < 10


def test_negative_control_the_parser_alone_passes_over_errors(tmp_path: Path) -> None:
    """Without our marks an error reads as empty and an uncalculated formula as 0: the marks matter."""
    import python_calamine

    path = tmp_path / "a.xlsx"
    path.write_bytes(
        xlsx(
            row(2, '<c r="A2" t="e"><v>#REF!</v></c><c r="C2"><f>40+5</f><v>0</v></c>'),
            workbook=ON_LOAD,
        )
    )
    workbook = python_calamine.load_workbook(path)
    assert workbook.get_sheet_by_index(0).to_python()[1] == ["", "", 0.0]


def test_a_workbook_of_a_library_is_read(tmp_path: Path) -> None:
    """What xlsxwriter writes: texts shared, dates styled, a formula it cannot calculate."""
    path = tmp_path / "office.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Data peserta")
        styled = workbook.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write(0, 1, "PEMERINTAH KABUPATEN")
        sheet.write_row(3, 1, ["area", "note", "workers"])
        sheet.write_row(4, 1, ["16.06", "désa", 45000])
        sheet.write_datetime(5, 2, datetime(2025, 7, 31), styled)
        sheet.write_formula(6, 3, "=SUM(D5:D6)")
    with spool_input(path, name="office.xlsx") as spooled:
        (table,) = open_tables(spooled, recognises=recognises)
        assert table.header_row == 4
        assert table.headers == ("", "area", "note", "workers")
        assert list(table.rows()) == [
            (5, (None, "16.06", "désa", 45000.0)),
            (6, (None, None, JULY_31, None)),
            (7, (None, None, None, NO_RESULT)),
        ]
        assert table.address(5, 3) == "'Data peserta'!D5"


def test_sheets_without_a_header_are_left_out_and_named(open_bytes: Opener) -> None:
    """A cover sheet is reported, a hidden sheet is not read unless it is asked for."""
    second = row(2, text_cell("A2", "16.07"))
    content = xlsx(
        {
            "Cover": row(1, text_cell("A1", "Judul")),
            "Data": HEADER_ROW + row(2, text_cell("A2", "16.06")),
            "Lama": HEADER_ROW + second,
            "Kosong": "",
        },
        states={"Lama": 'state="hidden"'},
    )
    tables = open_bytes(content)
    assert [table.sheet for table in tables] == ["Data"]
    assert [name for name, _ in tables.left_out] == ["Cover", "Lama", "Kosong"]
    assert "hidden" in dict(tables.left_out)["Lama"]
    asked = open_bytes(content, sheet="lama")
    assert list(asked[0].rows()) == [(2, ("16.07", None, None))]
    assert asked.left_out == (("Data", workbooks.NOT_ASKED_FOR),), "only what has a table is missed"


def test_several_sheets_with_a_header_are_several_tables(open_bytes: Opener) -> None:
    """Each has its own rows, read in any order."""
    content = xlsx(
        {name: HEADER_ROW + row(2, text_cell("A2", name)) for name in ("One", "Two", "Three")}
    )
    tables = open_bytes(content)
    assert [next(iter(table.rows()))[1][0] for table in reversed(tables)] == ["Three", "Two", "One"]
    assert [table.address(2, 0) for table in tables] == ["One!A2", "Two!A2", "Three!A2"]


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(open_bytes: Opener) -> None:
    """The refusal lists the sheets, safely."""
    with pytest.raises(InputUnreadableError) as refusal:
        open_bytes(xlsx({"Data": HEADER_ROW, "A\u202eB": ""}), sheet="Dta")
    assert refusal.value.why == r"its sheets are: Data, A\u202eB"


def test_a_header_too_far_down_is_not_found(open_bytes: Opener) -> None:
    """The header stands in one of the first rows, also where blank rows come before it."""
    last, beyond = (
        xlsx({"Data": row(n, text_cell(f"A{n}", "area"), text_cell(f"C{n}", "workers"))})
        for n in (HEADER_ROWS_MAX, HEADER_ROWS_MAX + 1)
    )
    (table,) = open_bytes(last)
    assert (table.header_row, table.headers) == (HEADER_ROWS_MAX, ("area", "", "workers"))
    with pytest.raises(InputUnreadableError, match="first 30 rows are blank"):
        open_bytes(beyond)


def test_a_row_with_more_cells_than_headers_loses_nothing(open_bytes: Opener) -> None:
    """A surplus cell is found, with its address."""
    (table,) = open_bytes(xlsx(row(2, text_cell("A2", "16.06"), text_cell("E2", "x"))))
    ((number, values),) = table.rows()
    assert table.surplus(values) == 4
    assert table.address(number, 4) == "Data!E2"


def test_a_folder_named_registry_where_ucj_is_run_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child must be ours: with -P the current folder has no say (without, it would)."""
    planted = tmp_path / "registry" / "intake"
    planted.mkdir(parents=True)
    for folder in (planted.parent, planted):
        (folder / "__init__.py").write_text("")
    (planted / "sheets.py").write_text("open('planted', 'w').close()")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.xlsx").write_bytes(WHOLE)
    with spool_input(Path("a.xlsx"), name="a.xlsx") as spooled:
        assert open_tables(spooled, recognises=recognises)
    assert not Path("planted").exists()
    without = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run([sys.executable, "-m", workbooks.CHILD], check=True, env=without)
    assert Path("planted").exists(), "negative control"


def test_a_child_that_hangs_is_stopped(open_bytes: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock bounds what processor time does not."""
    monkeypatch.setattr(workbooks, "TIMEOUT_SECONDS", 0.001)
    with pytest.raises(InputUnreadableError, match="too long"):
        open_bytes(WHOLE)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os; os.abort()", "memory"),
        ("import sys; sys.exit(3)", "give up"),
        ("print('')", "give up"),
        ("print('[1,[')", "give up"),
        ('print(\'{"sheet":"Data","hidden":false,"merged":[]}\')', "give up"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "processor time"),
    ],
)
def test_however_the_child_ends_the_parent_says_so(
    open_bytes: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, said: str
) -> None:
    """A child that aborts, exits, is killed or stops in the middle is a refusal, never a table."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "planted_child.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr(workbooks, "CHILD", "planted_child")
    with pytest.raises(InputUnreadableError, match=said):
        open_bytes(WHOLE)


def test_no_process_to_be_had_is_a_refusal(
    open_bytes: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no child can be started, the spreadsheet is not parsed here instead."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(InputUnreadableError, match="no process"):
        open_bytes(WHOLE)


def _modules_of_the_parent() -> set[str]:
    """Return what a fresh process has loaded after it read a spreadsheet."""
    program = (
        "import sys, io, json\n"
        "from registry.intake.spool import SpooledFile, spool_input\n"
        "from registry.intake.tables import Row, Tables, open_tables\n"
        "spooled = spool_input(sys.stdin.buffer, name='-')\n"
        "open_tables(spooled, recognises=lambda cells: sum(c == 'area' for c in cells) * 2)\n"
        "spooled.close()\n"
        "print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=WHOLE, capture_output=True, check=True, cwd=ROOT
    )
    return set(json.loads(done.stdout))


def test_the_parent_loads_no_parser() -> None:
    """What a file does to the parser, it does in the child: the parent never imports it."""
    loaded = _modules_of_the_parent()
    assert "registry.intake.workbooks" in loaded
    assert not loaded & {"python_calamine", "registry.intake.sheets", "xml.parsers.expat"}


@pytest.mark.skipif(not hasattr(signal, "SIGXCPU"), reason="Windows has no such limits")
def test_the_child_limits_its_memory_and_time() -> None:
    """512 MiB and 10 s; without the limits the same allocation succeeds (negative control)."""
    allocate = "\ntry: bytearray(1 << 30)\nexcept MemoryError: print('refused')\nelse: print('had')"
    limit = "from registry.intake.sheets import _limit_ourselves; _limit_ourselves()"
    limits = (
        "\nimport resource as r; print(r.getrlimit(r.RLIMIT_CPU)[0], r.getrlimit(r.RLIMIT_CORE))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT
        ).stdout.decode()
        for program in (limit + allocate + limits, "pass" + allocate)
    ]
    assert said == ["refused\n10 (0, 0)\n", "had\n"]


def test_without_the_resource_module_the_time_out_remains() -> None:
    """On Windows the child runs without limits of its own instead of failing."""
    program = (
        "import sys; sys.modules['resource'] = None\n"
        "from registry.intake.sheets import _limit_ourselves; _limit_ourselves()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_twenty_thousand_rows_take_seconds(tmp_path: Path) -> None:
    """A spreadsheet streams through the child's file; the parent holds one row at a time."""
    path = tmp_path / "large.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet("Data")
        sheet.write_row(0, 0, ["area", "category", "workers"])
        for number in range(1, 20_001):
            sheet.write_row(number, 0, ["16.06", "rt-rw", number])
    started = time.perf_counter()
    with spool_input(path, name="large.xlsx") as spooled:
        (table,) = open_tables(spooled, recognises=recognises)
        assert (
            sum(int(str(values[2]).removesuffix(".0")) for _, values in table.rows())
            == 20_000 * 20_001 / 2
        )
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("prefix", ["", "x:"])
@pytest.mark.parametrize(
    ("before", "marked"),
    [
        ('<{0}row r="2"><{0}c r="A2"><{0}v>1</{0}v></{0}c></{0}row>', 3),
        ('<{0}row r="2"/>', 3),
        ("<{0}row><{0}c><{0}v>1</{0}v></{0}c></{0}row>", 3),
        ('<!-- </{0}row> --><{0}row r="2"><{0}c><{0}v>1</{0}v></{0}c></{0}row>', 3),
        ('<{0}row r="2"><{0}c><{0}v>1</{0}v></{0}c></{0}row ><{0}row r="7"></{0}row>', 3),
    ],
)
def test_errors_are_found_however_the_rows_are_written(
    tmp_path: Path, prefix: str, before: str, marked: int
) -> None:
    """The quick search by rows and the whole reading find the same cell, in the same row."""
    last = '<{0}row r="3"><{0}c r="B3" t="e"><{0}v>#REF!</{0}v></{0}c></{0}row>'
    path = tmp_path / "a.zip"
    sheet = (before + last).format(prefix)
    path.write_bytes(archive({"s.xml": f"<w><sheetData>{sheet}</sheetData></w>"}))
    with zipfile.ZipFile(path) as opened:
        listed = XlsxSheet("Data", "s.xml")
        found = xlsx_marks(opened, listed, uncalculated=False, formats={})
    assert found == {marked - 1: {1: "#REF!"}}
