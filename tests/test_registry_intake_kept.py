"""What is kept of a file: nothing that was not read, and what was read where it was."""

from __future__ import annotations

import contextlib
import io
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from registry.errors import InputUnreadableError
from registry.intake import kept
from registry.intake.admission import AdmissionOptions, admit
from registry.intake.headers import recognises
from registry.intake.kept import KeptFile
from registry.intake.spool import SpooledFile, spool_input
from registry.intake.tables import Row, Tables, open_tables
from registry.reference.categories import Categories
from tests.program import ucj

NIK = "1606010101010001"
HEADER = "reference,action,area,category,workers,effective_on,note"
HEADER_NIK = f"NIK,{HEADER}"
BATCH = ("SK 1", "enrol", "16.71", "marbot", 45, date(2025, 1, 1), "surat\nkedua")

Keep = Callable[..., tuple[SpooledFile, KeptFile]]


@pytest.fixture(name="keep")
def _keep(tmp_path: Path) -> Iterator[Keep]:
    """Return a function that admits bytes and says what is kept of them."""
    with contextlib.ExitStack() as stack:

        def keep(content: bytes, **options: Any) -> tuple[SpooledFile, KeptFile]:
            path = tmp_path / "input"
            path.write_bytes(content)
            spooled = stack.enter_context(spool_input(path, name="sk"))
            chosen = AdmissionOptions(**{"kind": "batches", "locale": "en", **options})
            admission = stack.enter_context(admit(spooled, chosen, Categories()))
            assert not admission.report.errors, admission.report.problems
            return spooled, admission.kept(spooled)

        yield keep


def workbook(author: str = "siti", /, **sheets: list[list[object]]) -> bytes:
    """Return an .xlsx with these rows on these sheets."""
    book = openpyxl.Workbook()
    book.properties.creator = author
    del book["Sheet"]
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def reread(file: KeptFile, sheet: str | None = None) -> tuple[Tables, list[list[Row]]]:
    """Read what is kept as any input is read."""
    with spool_input(file.path, name="sk") as spooled:
        tables = open_tables(spooled, recognises=recognises("batches"), sheet=sheet)
        return tables, [list(table.rows()) for table in tables]


def unpacked(content: bytes) -> bytes:
    """Return the bytes, and those of what is packed in them if it is a zip."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return content + b"".join(archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (f"{HEADER}\nSK 1,enrol,16.71,marbot,4,2025-01-01,\n".encode("utf-8-sig"), {}),
        (f"DAFTAR\r\n\r\nNo,{HEADER}\r\n1,SK 1,enrol,16.71,guru,4,2025-01-01,é\r\n".encode("cp1252"),
         {"ignore_columns": ("NIK",)}),
        (workbook(Data=[[*HEADER.split(",")], [*BATCH]]), {}),
        (workbook(Data=[[*HEADER.split(",")], [*BATCH]]), {"sheet": "Data"}),
    ],
    ids=["csv", "nothing to ignore", "workbook", "the only sheet named"],
)  # fmt: skip
def test_a_file_that_was_read_whole_is_kept_verbatim(
    keep: Keep, content: bytes, options: dict[str, Any]
) -> None:
    """Byte for byte, under its own digest."""
    spooled, found = keep(content, **options)
    assert found.verbatim
    assert found.path.read_bytes() == content
    assert (found.sha256, found.size) == (spooled.sha256, len(content))


def test_a_text_is_kept_without_the_column_that_was_ignored(keep: Keep) -> None:
    """Rows stay on their lines, cells in their columns; titles and other cells are blank."""
    content = (
        f"LAMPIRAN {NIK}\n\n{HEADER_NIK}\n"
        f'{NIK},SK 1,enrol,16.71,marbot,4,2025-01-01,"satu; ""dua""\r\ntiga, empat"\n'
        f"\n{NIK},SK 2,enrol,16.71,guru,5,2025-01-01,\n"
    ).replace(",", ";").replace("satu;", "satu,").encode("cp1252")  # fmt: skip
    spooled, found = keep(content, ignore_columns=("nik",))
    assert NIK.encode() in content, "negative control"
    assert not found.verbatim
    copy = found.path.read_bytes()
    assert NIK.encode() not in copy
    assert found.size == len(copy)
    assert found.path.parent == spooled.path.parent
    assert found.path.stat().st_mode & 0o777 == 0o600
    (table,), (rows,) = reread(found)
    assert (table.header_row, table.headers) == (3, tuple(HEADER_NIK.split(",")))
    assert [(number, cells[0], cells[1]) for number, cells in rows] == [
        (4, None, "SK 1"),
        (7, None, "SK 2"),
    ]
    assert rows[0][1][-1] == 'satu, "dua" tiga; empat'


def test_a_workbook_is_kept_without_the_sheet_that_was_left_out(keep: Keep) -> None:
    """The sheet that was read has its name, rows, columns and types; of the other nothing."""
    later = ("SK 2", "enrol", "16.71", "bpd", 7, datetime(2025, 2, 1), "=1+1")
    content = workbook(
        Peserta=[["Siti", NIK]],
        Rekap=[
            [f"LAMPIRAN {NIK}"],
            [],
            [*HEADER_NIK.split(",")],
            [NIK, *BATCH],
            [],
            [int(NIK), *later[:6]],
        ],
    )
    assert NIK.encode() in unpacked(content), "negative control"
    _, found = keep(content, ignore_columns=("NIK",))
    assert not found.verbatim
    copy = unpacked(found.path.read_bytes())
    assert NIK.encode() not in copy
    assert b"Siti" not in copy
    assert b"Peserta" not in copy
    tables, (rows,) = reread(found)
    assert tables.whole
    assert (tables[0].sheet, tables[0].header_row) == ("Rekap", 3)
    assert rows[0] == (4, (None, *BATCH[:5], date(2025, 1, 1), "surat\nkedua"))
    assert rows[1] == (6, (None, *later[:5], date(2025, 2, 1), None))
    assert tables[0].address(4, 5) == "Rekap!F4"


def test_the_sheet_that_was_chosen_is_kept_alone(keep: Keep) -> None:
    """One of several by --sheet: the others were not read, though each has a header."""
    header: list[object] = [*HEADER.split(",")]
    both = workbook(Januari=[header, [*BATCH]], Februari=[header, ["SK 2", *BATCH[1:]]])
    assert keep(both)[1].verbatim
    _, found = keep(both, sheet="Februari")
    assert not found.verbatim
    tables, _ = reread(found)
    assert [table.sheet for table in tables] == ["Februari"]


@pytest.mark.parametrize(
    "content",
    [
        f"Petugas, NIP {NIK}\n\nNo,{HEADER}\n1,SK 1,enrol,16.71,marbot,45,2025-01-01,\n".encode(),
        f"No,{HEADER}\n{NIK},SK 1,enrol,16.71,marbot,45,2025-01-01,\n".encode(),
        workbook(Data=[[f"NIP {NIK}"], [], ["No", *HEADER.split(",")], [1, *BATCH]]),
        workbook(Data=[["No", *HEADER.split(",")], [int(NIK), *BATCH]]),
        workbook("Siti " + NIK, Data=[["No", *HEADER.split(",")], [1, *BATCH]]),
    ],
    ids=["title", "running number", "title of a sheet", "running number of one", "author"],
)
def test_a_file_that_may_name_somebody_is_kept_as_what_was_read(keep: Keep, content: bytes) -> None:
    """Every column was read and none ignored; what is beside them has somebody's number."""
    assert NIK.encode() in unpacked(content), "negative control"
    _, found = keep(content)
    assert not found.verbatim
    assert NIK.encode() not in unpacked(found.path.read_bytes())
    (table,), ((row,),) = reread(found)
    assert table.headers == ("No", *HEADER.split(","))
    assert (row[1][0], row[1][1], row[1][4]) == (None, "SK 1", "marbot")


@pytest.mark.filterwarnings("ignore:Title is more than 31 characters")
def test_a_name_that_excel_does_not_allow_is_kept(keep: Keep) -> None:
    """What the sheet is called in the import is what it is found by, long or with signs."""
    name = "Rekapitulasi peserta Kabupaten Musi Banyuasin"
    sheets: dict[str, list[list[object]]] = {name: [[*HEADER_NIK.split(",")], [NIK, *BATCH]]}
    _, found = keep(workbook(**sheets), ignore_columns=("NIK",))
    (table,), _ = reread(found, sheet=name)
    assert table.sheet == name


@pytest.mark.parametrize("kind", ["text", "workbook"])
def test_one_file_read_in_one_way_has_one_copy(keep: Keep, kind: str) -> None:
    """Recorded again, or planned and then recorded, it is the same bytes."""
    content = f"{HEADER_NIK}\n{NIK},SK 1,enrol,16.71,marbot,4,2025-01-01,\n".encode()
    if kind == "workbook":
        content = workbook(Data=[[*HEADER_NIK.split(",")], [NIK, *BATCH]])
    digests = {keep(content, ignore_columns=("NIK",))[1].sha256 for _ in range(2)}
    assert len(digests) == 1


def test_cells_keep_their_types(tmp_path: Path) -> None:
    """Numbers, truth, days and moments are such; nothing that looks like a formula is one."""
    values = (1.5, True, date(2025, 1, 1), datetime(2025, 1, 1, 12, 30), "=1+1", "0012", "a\n b ")
    path = tmp_path / "cells.xlsx"
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        page = book.add_worksheet("Data")
        page.write_row(0, 0, ["area", "category"])
        for column, value in enumerate((*values, None, date(1899, 12, 1))):
            kept._write_cell(
                page, 1, column, value, lambda code: book.add_format({"num_format": code})
            )
    with spool_input(path, name="cells") as spooled:
        (table,) = open_tables(spooled, recognises=recognises("batches"))
        ((_, cells),) = table.rows()
    assert cells == (*values, None, "1899-12-01")


def test_a_copy_that_cannot_be_made_is_a_refusal(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is said; the original is not kept in its place."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept, "_write_text", full)
    content = f"{HEADER_NIK}\n{NIK},SK 1,enrol,16.71,marbot,4,2025-01-01,\n".encode()
    with pytest.raises(InputUnreadableError, match="no copy of what was read"):
        keep(content, ignore_columns=("NIK",))


# --- the whole program --------------------------------------------------------------------------


def everything_under(folder: Path) -> bytes:
    """Return every byte under a folder, packed and unpacked: files, archives, kept originals."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        found.append(unpacked(content))
        if content.startswith(b"SQLite format 3"):
            with contextlib.closing(sqlite3.connect(path)) as connection:
                chunks = connection.execute(
                    "SELECT bytes FROM source_chunks ORDER BY sha256, number"
                )
                found += [unpacked(zlib.decompress(chunk)) for (chunk,) in chunks]
    return b"\n".join(found)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("protected", [True, False], ids=["", "negative control"])
def test_no_number_of_a_person_is_anywhere_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, *, protected: bool
) -> None:
    """Store, journal, images, backup, export, copy: none has it, and the cells are still shown."""
    content = (
        f"{HEADER_NIK}\n{NIK},SK 1,enrol,16.71,marbot,45,2025-01-01,\n".encode()
        if kind == "csv"
        else workbook(Peserta=[["Siti", NIK]], Rekap=[[*HEADER_NIK.split(",")], [None, *BATCH[:6]]])
    )
    if not protected:
        monkeypatch.setattr(
            "registry.intake.admission.kept_copy",
            lambda spooled, _, **__: KeptFile(spooled.path, spooled.sha256, spooled.size, True),
        )
    office, away = tmp_path / "office", tmp_path / "away"
    office.mkdir()
    away.mkdir()
    (away / f"sk.{kind}").write_bytes(content)
    environment = {"XDG_CACHE_HOME": str(office / "cache"), "UCJ_STORE": str(office / "r.db")}
    commands: list[list[str | Path]] = [
        ["init"],
        ["import", "batches", away / f"sk.{kind}", "--locale", "en", "--ignore-column", "NIK"],
        ["rebuild"],
        ["backup", "backup.db"],
        ["export", "export"],
    ]
    for command in commands:
        answer = ucj(*command, folder=office, environment=environment)
        assert answer.code == 0, (command, answer)
    copy = ucj("source", "@1", "--file", f"copy.{kind}", folder=office, environment=environment)
    copied = copy.err
    assert {"backup.db", "export", f"copy.{kind}"} <= {each.name for each in office.iterdir()}
    assert (NIK.encode() in everything_under(office)) is not protected
    source = ucj("source", "SK 1", "--format", "json", folder=office, environment=environment)
    (version,) = source.json()["versions"]
    (row,) = version["rows"]
    cells = dict(zip(version["header"], row["cells"], strict=True))
    assert (cells["category"], cells["workers"]) == ("marbot", "45")
    assert row["address"] == (f"sk.{kind}:2" if kind == "csv" else "Rekap!2")
    assert version["left_out"] == ["NIK"]
    table = ucj("source", "SK 1", folder=office, environment=environment).out
    assert ("sk.csv:2:workers" if kind == "csv" else "Rekap!F2") in table
    said = " ".join(table.split())
    for text in (copied, said):
        assert ("this is a copy" in text) is protected
    if protected:
        assert version["kept_sha256"] != version["sha256"]
        assert f"the original's SHA-256 was {version['sha256']}" in copied


@pytest.mark.parametrize("protected", [True, False], ids=["", "negative control"])
def test_no_number_in_a_title_is_anywhere_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, protected: bool
) -> None:
    """Nothing was ignored, so nobody said that there is one; the cells are still shown."""
    if not protected:
        monkeypatch.setattr("registry.intake.kept.may_name_somebody", lambda *_: False)
    office, away = tmp_path / "office", tmp_path / "away"
    office.mkdir()
    away.mkdir()
    file = away / "sk.csv"
    file.write_text(f"NIP {NIK}\nNo,{HEADER}\n{NIK},SK 1,enrol,16.71,marbot,45,2025-01-01,\n")
    ucj("init", folder=office)
    answer = ucj("import", "batches", file, folder=office)
    assert answer.code == 0, answer
    assert NIK not in answer.out + answer.err
    assert (NIK.encode() in everything_under(office)) is not protected
    shown = ucj("source", "SK 1", folder=office).out
    assert "sk.csv:3:category" in shown
    assert NIK not in shown
    assert ("may be somebody's number" in " ".join(shown.split())) is protected
