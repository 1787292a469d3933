"""registry.intake.unread: a number as long as a person's is found wherever nothing is read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart

from registry.intake import unread
from registry.intake.headers import map_headers, recognises
from registry.intake.notes import Sheet
from registry.intake.spool import spool_input
from registry.intake.tables import open_tables
from registry.intake.unread import may_name_somebody
from tests.spreadsheet_samples import HEADER_ROW, MAIN, ods, ods_text, ole, text_cell, xls, xlsx

NIK = "1606010101010001"
KPJ = "16060101012"
SHORT = "1606010101"  # ten digits: nobody's
CSV = "No,area,category,workers\n1,16.71,guru,4\n"

EXCEL = """<x:theme xmlns:x="urn:x"><x:latin typeface="Calibri" panose="020F0302020204030204"/>
<x:sheet xr:uid="{00000000-0001-0000-0000-000000000000}"/><x:ext uri="12345678-1234-1234-1234-123456789012"/>
<x:pageMargins top="1.05277777777778"/><x:v>45658.333333333336</x:v><x:v>0.30000000000000004</x:v>
<x:numFmt formatCode="0000000000000000"/><x:created>2025-07-16T09:30:00.123456789Z</x:created></x:theme>"""


def looked(content: bytes, folder: Path) -> bool:
    """Return what is said of a file, read as one of batches."""
    path = folder / "input"
    path.write_bytes(content)
    with spool_input(path, name="sk") as spooled:
        tables = open_tables(spooled, recognises=recognises("batches"))
        sheets = [
            Sheet(at, table, table.sheet, map_headers("batches", table))
            for at, table in enumerate(tables)
        ]
        return may_name_somebody(spooled, sheets)


def book(**places: str) -> bytes:
    """Return an .xlsx by openpyxl with a text in its properties, a comment or a foot."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (["area", "category", "workers"], ["16.71", "guru", 4]):
        sheet.append(row)
    workbook.properties.creator = places.get("creator", "siti")
    workbook.properties.description = places.get("description")
    if "foot" in places:
        sheet.oddFooter = HeaderFooterItem(center=_HeaderFooterPart(text=places["foot"]))
    if "comment" in places:
        sheet["A1"].comment = Comment(places["comment"], "siti")
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def headed(title: str) -> bytes:
    """Return an .xlsx with a title row above the header and a column of running numbers."""
    header = HEADER_ROW.replace('r="1"', 'r="3"').replace('1"', '3"')
    header = header.replace("</row>", text_cell("D3", "No") + "</row>")
    return xlsx({"Data": f'<row r="1">{title}</row>{header}'})


PLACES = [
    ("title of a text", lambda text: f"LAMPIRAN {text}\n\n{CSV}".encode()),
    ("title in cp1252", lambda text: f"é {text}\n{CSV}".replace(",", ";").encode("cp1252")),
    ("running number", lambda text: f"{CSV}{text},16.71,guru,4\n".encode()),
    ("title of a sheet", lambda text: headed(text_cell("A1", f"NIP {text}"))),
    ("title beyond the headers", lambda text: headed(text_cell("J1", text))),
    ("number in a title", lambda text: headed(f'<c r="B1"><v>{text}</v></c>')),
    ("running number of a sheet",
     lambda text: xlsx({"Data": HEADER_ROW.replace("area", "No", 1).replace("</row>",
        text_cell("D1", "area") + "</row>")
        + f'<row r="2"><c r="A2"><v>{text}</v></c>{text_cell("D2", "16.71")}</row>'})),
    ("author", lambda text: book(creator=text)),
    ("description", lambda text: book(description=f"dari {text}")),
    ("foot of a page", lambda text: book(foot=text)),
    ("comment", lambda text: book(comment=f"NIK {text}")),
    ("any part", lambda text: xlsx(parts={"xl/pivotCache/r1.xml": f'<s v="{text}"/>'})),
    ("string that no cell has", lambda text: xlsx(parts={
        "xl/sharedStrings.xml": f"<sst {MAIN}><si><t>{text}</t></si></sst>"})),
    ("name of a part", lambda text: xlsx(parts={f"xl/media/{text}.png": b"\x89PNG"})),
    ("properties of an .ods", lambda text: ods(parts={"meta.xml": f"<m>{text}</m>"})),
    ("text of an .xls", lambda text: ole({"Workbook": _stream(), "Notes": text.encode("utf-16-le")})),
    ("properties of an .xls", lambda text: ole({"Workbook": _stream(), "Notes": text.encode()})),
]  # fmt: skip


def _stream() -> bytes:
    """Return the stream of a workbook: the first sector of the sample follows its header."""
    return xls()[512:]


@pytest.mark.parametrize(("place", "content"), PLACES, ids=[name for name, _ in PLACES])
def test_a_number_as_long_as_a_persons_is_found(
    place: str, content: Callable[[str], bytes], tmp_path: Path
) -> None:
    """In each place, of 16 digits or of 11; of ten it is none: that is the control."""
    assert looked(content(KPJ if "title" in place else NIK), tmp_path)
    assert not looked(content(SHORT), tmp_path)


def test_what_is_written_apart_is_found_in_cells(tmp_path: Path) -> None:
    """A title may write a NIK in groups; dates one after another are no such number."""
    assert looked(f"NIK 1606 0101 0101 0001\n{CSV}".encode(), tmp_path)
    assert not looked(f"2025-07-16 2025-07-31\n{CSV}".encode(), tmp_path)


def test_what_spreadsheet_programs_write_themselves_is_nobodys(tmp_path: Path) -> None:
    """Ids, typefaces, decimal fractions, zeros of a format: as many digits, and no number."""
    assert not looked(xlsx(parts={"xl/theme/theme1.xml": EXCEL}), tmp_path)
    assert not looked(book(), tmp_path)
    assert not looked(ods(f"<table:table-row>{ods_text('16.71')}</table:table-row>"), tmp_path)
    assert not looked(xls(), tmp_path)
    assert looked(xlsx(parts={"xl/theme/theme1.xml": EXCEL + NIK}), tmp_path), "negative control"


@pytest.mark.parametrize("filling", [b"x", b"<a/>"], ids=["no mark-up", "mark-up"])
def test_nothing_is_lost_between_two_chunks(
    filling: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the chunks part a number is found once more, and a fraction is not torn into one."""
    monkeypatch.setattr(unread, "CHUNK_BYTES", 128)
    for before in range(300):
        for text, is_number in ((NIK.encode(), True), (b"<v>45658.333333333336</v>", False)):
            content = (filling * before)[:before] + text + filling * 40
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as target:
                target.writestr("part", content)
            with zipfile.ZipFile(packed) as archive:
                found = unread._in_member(archive, archive.infolist()[0])
            if is_number or filling == b"<a/>":
                assert found == is_number, (before, text)


def test_what_cannot_be_unpacked_may_name_anybody(tmp_path: Path) -> None:
    """Then the bytes are not kept as they are."""
    path = tmp_path / "broken.zip"
    path.write_bytes(xlsx()[:-30])
    assert unread._in_package(path)
    path.write_bytes(xlsx())
    assert not unread._in_package(path), "negative control"
