"""Spreadsheet files written byte by byte, for the tests of intake: .xlsx, .ods and .xls.

Owns what no library would write for us. Knows nothing of the code under test.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def text_cell(name: str, text: str) -> str:
    """Return a cell of an .xlsx with its text inside."""
    return f'<c r="{name}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADER_ROW = (
    '<row r="1">'
    + text_cell("A1", "area")
    + text_cell("B1", "category")
    + text_cell("C1", "workers")
    + "</row>"
)


def xlsx(
    rows: str | Mapping[str, str] = "",
    *,
    workbook: str = "",
    before_sheet: str = "",
    states: Mapping[str, str] | None = None,
    parts: Mapping[str, bytes | str] | None = None,
    compression: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """Return an .xlsx: rows of `Data`, or of several sheets by name; `parts` add or replace."""
    sheets = {"Data": HEADER_ROW + rows} if isinstance(rows, str) else dict(rows)
    states = states or {}
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" {states.get(name, "")} r:id="rId{n}"/>'
        for n, name in enumerate(sheets, start=1)
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    styles = (
        f'{XML}<styleSheet {MAIN}><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/>'
        '<xf numFmtId="10" applyNumberFormat="1"/></cellXfs></styleSheet>'
    )
    content: dict[str, bytes | str] = {
        "[Content_Types].xml": f'{XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'{XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        f'relationships"><Relationship Id="rId1" Type="{RELATIONS}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{XML}<workbook {MAIN} xmlns:r="{RELATIONS}">{workbook}'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{XML}<Relationships xmlns="http://schemas.openxmlformats.org/'
        f'package/2006/relationships">{related}<Relationship Id="rIdStyles" '
        f'Type="{RELATIONS}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": styles,
    }
    for n, sheet in enumerate(sheets.values(), start=1):
        content[f"xl/worksheets/sheet{n}.xml"] = (
            f"{XML}{before_sheet}<worksheet {MAIN}><sheetData>{sheet}</sheetData></worksheet>"
        )
    return archive({**content, **(parts or {})}, compression=compression)


ODS_NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
)


def ods_text(text: str) -> str:
    """Return a text cell of an .ods."""
    return (
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    )


ODS_HEADER = (
    "<table:table-row>" + "".join(map(ods_text, ["area", "category", "workers"]))
) + "</table:table-row>"


def ods(
    rows: str = "",
    *,
    mimetype: str = "application/vnd.oasis.opendocument.spreadsheet",
    before: str = "",
    parts: Mapping[str, bytes | str] | None = None,
) -> bytes:
    """Return an .ods with one table `Data`: the header, then the rows given."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content {ODS_NAMES} '
        'office:version="1.2"><office:body><office:spreadsheet><table:table table:name="Data">'
        f"{ODS_HEADER}{rows}</table:table></office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{mimetype}"/>'
        "</manifest:manifest>"
    )
    return archive(
        {
            "mimetype": mimetype,
            "content.xml": content,
            "META-INF/manifest.xml": manifest,
            **(parts or {}),
        }
    )


def archive(
    members: Mapping[str, bytes | str] | Iterable[tuple[str, bytes | str]],
    *,
    compression: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """Return a zip archive of the members, in order."""
    pairs = members.items() if isinstance(members, Mapping) else members
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as target:
        for name, content in pairs:
            target.writestr(name, content)
    return packed.getvalue()


# --- .xls: records in a stream, the stream in an OLE file -------------------------------------------

DATE_STYLE, PERCENT_STYLE = 1, 2


def record(kind: int, content: bytes = b"") -> bytes:
    """Return one BIFF record."""
    return struct.pack("<HH", kind, len(content)) + content


def xls_number(row: int, column: int, value: float, style: int = 0) -> bytes:
    """Return a NUMBER record."""
    return record(0x0203, struct.pack("<HHHd", row, column, style, value))


def xls_text(row: int, column: int, text: str) -> bytes:
    """Return a LABEL record."""
    packed = text.encode("utf-16-le")
    return record(0x0204, struct.pack("<HHHHB", row, column, 0, len(text), 1) + packed)


def xls_error(row: int, column: int, code: int, is_error: int = 1) -> bytes:
    """Return a BOOLERR record."""
    return record(0x0205, struct.pack("<HHHBB", row, column, 0, code, is_error))


def xls_formula(row: int, column: int, result: bytes, flags: int = 0) -> bytes:
    """Return a FORMULA record with a stored result and the formula `1`."""
    head = struct.pack("<HHH8sHIH", row, column, 0, result, flags, 0, 3)
    return record(0x0006, head + b"\x1e\x01\x00")


XLS_HEADER = b"".join(
    xls_text(0, n, name) for n, name in enumerate(["area", "category", "workers"])
)


def xls(
    cells: bytes = b"",
    *,
    more: bytes = b"",
    sheet_kind: int = 0,
    hidden: int = 0,
    sheets: int = 1,
    streams: Iterable[str] = (),
) -> bytes:
    """Return an .xls with a sheet `Data`; `more` are further records of the workbook itself."""
    start = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 1997, 0, 6))
    styles = b"".join(
        record(0x00E0, struct.pack("<HH", 0, number) + bytes(16)) for number in (0, 14, 10)
    )
    sheet = (
        record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 1997, 0, 6))
        + record(0x0200, struct.pack("<IIHHH", 0, 100, 0, 10, 0))
        + XLS_HEADER
        + cells
        + record(0x000A)
    )
    names = ["Data", *(f"S{n}" for n in range(1, sheets))]
    listed_size = sum(12 + len(name) for name in names)
    place = len(start + more + styles) + listed_size + len(record(0x000A))
    listed = b"".join(
        record(
            0x0085,
            struct.pack("<IBBBB", place, hidden, sheet_kind, len(name), 0) + name.encode(),
        )
        for name in names
    )
    return ole({"Workbook": start + more + styles + listed + record(0x000A) + sheet}, streams)


def ole(streams: Mapping[str, bytes], empty: Iterable[str] = ()) -> bytes:
    """Return an OLE file with the streams, each padded beyond the size of a small one."""
    sector = 512
    body, table, entries = b"", list[int](), [_entry("Root Entry", 5, 0xFFFFFFFE, 0)]
    for name, content in streams.items():
        padded = content.ljust(4096, b"\x00")
        padded += bytes(-len(padded) % sector)
        first, count = len(table), len(padded) // sector
        table += [*range(first + 1, first + count), 0xFFFFFFFE]
        body += padded
        entries.append(_entry(name, 2, first, len(padded)))
    entries += [_entry(name, 1, 0, 0) for name in empty]
    entries += [bytes(128)] * (-len(entries) % 4)
    directory = len(table)
    count = len(entries) // 4
    table += [*range(directory + 1, directory + count), 0xFFFFFFFE]
    body += b"".join(entries)
    tables = 1
    while (len(table) + tables) * 4 > tables * sector:
        tables += 1
    first_table = len(table)
    table += [0xFFFFFFFD] * tables
    table += [0xFFFFFFFF] * (tables * sector // 4 - len(table))
    places = [*range(first_table, first_table + tables)]
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(6)
        + struct.pack(
            "<IIIIIIIIII", 0, tables, directory, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0
        )[:36]
    )
    header += struct.pack("<109I", *places, *[0xFFFFFFFF] * (109 - tables))
    return header + body + struct.pack(f"<{len(table)}I", *table)


def _entry(name: str, kind: int, first: int, size: int) -> bytes:
    packed = (name + "\0").encode("utf-16-le")
    none = 0xFFFFFFFF
    return (
        packed.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(packed), kind, 1, none, none, 1 if kind == 5 else none)
        + bytes(36)
        + struct.pack("<IQ", first, size)
    )
