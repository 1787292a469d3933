"""Text files: each hostile file is read right or refused with its line."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InputUnreadableError
from registry.intake.encodings import LINE_BYTES_MAX
from registry.intake.grid import (
    COLUMNS_MAX,
    FIELD_LENGTH_MAX,
    HEADER_ROWS_MAX,
    column_letters,
)
from registry.intake.spool import SpooledFile, spool_input
from registry.intake.tables import Row, Table, open_tables

Reader = Callable[[bytes], Table]

KNOWN = {"area", "category", "workers", "reference", "note", "kabupaten", "jumlah"}


def recognises(cells: Sequence[str]) -> int:
    """Count known headers, as the forms do."""
    return sum(cell.strip().casefold() in KNOWN for cell in cells)


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Reader]:
    """Write bytes as batches.csv, open them, and return the one table."""
    opened: list[SpooledFile] = []

    def reader(content: bytes) -> Table:
        path = tmp_path / "input-file"
        path.write_bytes(content)
        spooled = spool_input(path, name="batches.csv")
        opened.append(spooled)
        (table,) = open_tables(spooled, recognises=recognises)
        return table

    yield reader
    for spooled in opened:
        spooled.close()


H = b"area;category;workers\n"
ROW = ("16.06", "rt-rw", "45")


# name, bytes, the rows that must come out with their line numbers
READ_RIGHT: list[tuple[str, bytes, list[Row]]] = [
    ("semicolons", H + b"16.06;rt-rw;45\n", [(2, ROW)]),
    ("commas", b"area,category,workers\n16.06,rt-rw,45\n", [(2, ROW)]),
    ("tabs", b"area\tcategory\tworkers\n16.06\trt-rw\t45\n", [(2, ROW)]),
    ("vertical bars", b"area|category|workers\n16.06|rt-rw|45\n", [(2, ROW)]),
    ("no line end at the end", H + b"16.06;rt-rw;45", [(2, ROW)]),
    ("CR LF", H.replace(b"\n", b"\r\n") + b"16.06;rt-rw;45\r\n", [(2, ROW)]),
    ("CR only", b"area;category;workers\r16.06;rt-rw;45\r", [(2, ROW)]),
    ("CR CR LF", b"area;category;workers\r\r\n16.06;rt-rw;45\r\r\n", [(3, ROW)]),
    ("mixed line ends", b"area;category;workers\r\n16.06;rt-rw;45\n16.07;bpd;1\r",
     [(2, ROW), (3, ("16.07", "bpd", "1"))]),
    ("BOM", b"\xef\xbb\xbf" + H + b"16.06;rt-rw;45\n", [(2, ROW)]),
    ("BOM and quoted header", b'\xef\xbb\xbf"area";"category";"workers"\n16.06;rt-rw;45\n',
     [(2, ROW)]),
    ("UTF-8", H + "16.06;désa;45\n".encode(), [(2, ("16.06", "désa", "45"))]),
    ("Windows-1252", H + "16.06;désa;45\n".encode("cp1252"), [(2, ("16.06", "désa", "45"))]),
    ("Windows-1252 quotes", H + "16.06;“Pake” – €;45\n".encode("cp1252"),
     [(2, ("16.06", "“Pake” – €", "45"))]),
    ("title rows", b"PEMERINTAH KABUPATEN\nDaftar peserta\n\n" + H + b"16.06;rt-rw;45\n",
     [(5, ROW)]),
    ("title with the other delimiter", b"Daftar, peserta, BPU, 2025\n" + H + b"16.06;rt-rw;45\n",
     [(3, ROW)]),
    ("sep= line of Excel", b"sep=;\n" + H + b"16.06;rt-rw;45\n", [(3, ROW)]),
    ("blank rows between", H + b"\n;;\n  ; ;\t\n16.06;rt-rw;45\n\n", [(5, ROW)]),
    ("quoted delimiter", H + b'16.06;"rt;rw";45\n', [(2, ("16.06", "rt;rw", "45"))]),
    ("doubled quotation mark", H + b'16.06;"a ""b""";45\n', [(2, ("16.06", 'a "b"', "45"))]),
    ("line end inside a cell", H + b'16.06;"rt\nrw";45\n16.07;bpd;1\n',
     [(2, ("16.06", "rt\nrw", "45")), (4, ("16.07", "bpd", "1"))]),
    ("two multi-line cells", H + b'"16\n.06";"rt\r\nrw";45\n16.07;bpd;1\n',
     [(2, ("16\n.06", "rt\r\nrw", "45")), (5, ("16.07", "bpd", "1"))]),
    ("multi-line header", b'area;category;"workers"\n16.06;rt-rw;45\n', [(2, ROW)]),
    ("a mark inside an unquoted cell", H + b'16.06;5" pipe;45\n', [(2, ("16.06", '5" pipe', "45"))]),
    ("fewer cells than headers", H + b"16.06;rt-rw\n16.07\n",
     [(2, ("16.06", "rt-rw", None)), (3, ("16.07", None, None))]),
    ("blank cells beyond the header", H + b"16.06;rt-rw;45;;;\n", [(2, ROW)]),
    ("blank headers at the end", b"area;category;workers;;\n16.06;rt-rw;45;;\n", [(2, ROW)]),
    ("duplicate headers", b"area;workers;area\n16.06;45;16.07\n", [(2, ("16.06", "45", "16.07"))]),
    ("a blank header between", b"area;;workers\n16.06;x;45\n", [(2, ("16.06", "x", "45"))]),
    ("formula injection is text", H + b"=1+1;@SUM(A1);+45\n", [(2, ("=1+1", "@SUM(A1)", "+45"))]),
    ("Excel error is text", H + b"16.06;#REF!;45\n", [(2, ("16.06", "#REF!", "45"))]),
    ("no-break space is blank", H + "16.06;\xa0;45\n".encode(), [(2, ("16.06", None, "45"))]),
    ("zero-width space is not blank", H + "16.06;\u200b;45\n".encode(),
     [(2, ("16.06", "\u200b", "45"))]),
    ("spaces are kept", H + b" 16.06 ; rt-rw;45 \n", [(2, (" 16.06 ", " rt-rw", "45 "))]),
    ("line separator is no line end", H + "16.06;a\u2028b;45\n".encode(),
     [(2, ("16.06", "a\u2028b", "45"))]),
    ("a cell of the longest length", H + b"16.06;" + b"x" * FIELD_LENGTH_MAX + b";45\n",
     [(2, ("16.06", "x" * FIELD_LENGTH_MAX, "45"))]),
    ("a header and nothing else", H, []),
    ("a header without line end", H.strip(), []),
    ("million blank columns", H + b"16.06;rt-rw;45" + b";" * 900_000 + b"\n", [(2, ROW)]),
    ("a better header lower down", b"area;workers;x\n" + H + b"16.06;rt-rw;45\n", [(3, ROW)]),
    ("an equal header lower down is a row", H + H + b"16.06;rt-rw;45\n",
     [(2, ("area", "category", "workers")), (3, ROW)]),
    ("header in the last row looked at", b"x\n" * (HEADER_ROWS_MAX - 1) + H + b"16.06;rt-rw;45\n",
     [(HEADER_ROWS_MAX + 1, ROW)]),
]  # fmt: skip

UNKNOWN = "no header row"
QUOTE = "never closed"

# name, bytes, what the refusal says, the line it names (None: the file as a whole)
REFUSED: list[tuple[str, bytes, str, int | None]] = [
    ("empty", b"", "is empty", None),
    ("BOM alone", b"\xef\xbb\xbf", "no table in it", None),
    ("line ends alone", b"\n\r\n\n", "no table in it", None),
    ("spaces alone", b"   \n \t \n", "no table in it", None),
    ("delimiters alone", b";;;\n;;;\n", "no table in it", None),
    ("no known header", b"foo;bar\n1;2\n", UNKNOWN, None),
    ("no known header, quoted", b'"foo";"bar"\n"1";"2"\n', UNKNOWN, None),
    ("one known header", b"area;bar\n16.06;2\n", UNKNOWN, None),
    ("hash as delimiter", b"area#category#workers\n16.06#rt-rw#45\n", "or vertical bars", None),
    ("header too far down", b"x\n" * HEADER_ROWS_MAX + H, UNKNOWN, None),
    ("header words in prose", b"The area and workers of the category\n", UNKNOWN, None),
    ("UTF-16 LE with BOM", "area;workers\n1;2\n".encode("utf-16"), "UTF-16", None),
    ("UTF-16 BE with BOM", b"\xfe\xff" + "area;workers\n".encode("utf-16-be"), "UTF-16", None),
    ("UTF-16 without BOM", "area;workers\n1;2\n".encode("utf-16-le"), "0x00", 1),
    ("UTF-32", "area;workers\n".encode("utf-32"), "UTF-16", None),
    ("NUL in a cell", H + b"16.06;rt\x00rw;45\n", "0x00", 2),
    ("NUL at the end", H + b"16.06;rt-rw;45\n\x00", "0x00", 3),
    ("escape sequence", H + b"16.06;rt-rw;45\n16.06;\x1b[2J;45\n", "0x1b", 3),
    ("Ctrl-Z of DOS", H + b"16.06;rt-rw;45\n\x1a", "0x1a", 3),
    ("DEL", H + b"16.06;rt\x7f;45\n", "0x7f", 2),
    ("vertical tab, CR only", b"area;workers\r1;2\r3;\x0b\r", "0x0b", 3),
    ("undefined in Windows-1252", H + b"16.06;rt-rw;45\n16.06;\x81;45\n", "Windows-1252", 3),
    ("undefined, CR only", b"area;workers\r1;2\r3;\x9d\r", "Windows-1252", 3),
    ("two encodings", H + "16.06;désa;45\n".encode("cp1252") + "16.07;désa;1\n".encode(),
     "two encodings", 3),
    ("two encodings, the other order", H + "16.06;désa;1\n".encode() + b"16.07;d\xe9sa;1\n",
     "two encodings", 2),
    ("over-long UTF-8", H + b"16.06;\xc0\xaf;45\n", "two encodings", 2),
    ("surrogate in UTF-8", H + b"16.06;\xed\xa0\x80;45\n", "two encodings", 2),
    ("BOM, then not UTF-8", b"\xef\xbb\xbf" + H + b"16.06;d\xe9sa;45\n", "says it is UTF-8", 2),
    ("BOM, cut inside a character", b"\xef\xbb\xbf" + H + b"16.06;rt-rw;45\xc3", "says it is", 2),
    ("broken character after a megabyte", b"\xef\xbb\xbf" + H + b"16.06;rt-rw;45\n" * 80_000
     + b"16.06;\xff;45\n", "says it is UTF-8", 80_002),
    ("open quotation mark", H + b'16.06;"rt-rw;45\n16.07;bpd;1\n', QUOTE, 2),
    ("open quotation mark, last row", H + b'16.06;rt-rw;45\n16.07;bpd;"1\n', QUOTE, 3),
    ("open mark after a multi-line cell", H + b'"16\n.06";"rt-rw;45\n16.07;bpd;1\n', QUOTE, 3),
    ("open mark after doubled ones", H + b'"a ""b""";"rt""rw;45\n16.07;bpd;1\n', QUOTE, 2),
    ("open mark in the title", b'"Daftar\n' + H + b"16.06;rt-rw;45\n", QUOTE, 1),
    ("open mark before a long rest", H + b'16.06;"rt-rw;45\n' + b"16.07;bpd;1\n" * 5_000, QUOTE, 2),
    ("text after a quoted cell", H + b'16.06;rt-rw;45\n16.06;"rt"rw;45\n', "none can stand", 3),
    ("space after a quoted cell", H + b'16.06;"rt" ;45\n', "none can stand", 2),
    ("cell too long", H + b"16.06;" + b"x" * (FIELD_LENGTH_MAX + 1) + b";45\n", "characters", 2),
    ("quoted cell too long", H + b'16.06;"' + b"x" * (FIELD_LENGTH_MAX + 1) + b'";45\n',
     "characters", 2),
    ("cell of a megabyte", H + b"16.06;" + b"x" * (1 << 20) + b";45\n", "bytes", 2),
    ("line without end", b"x" * (3 * LINE_BYTES_MAX), "bytes", 1),
    ("long line in the middle", H + b"16.06;rt-rw;45\n" * 100_000 + b"x" * (2 * LINE_BYTES_MAX)
     + b"\n", "bytes", 100_002),
    ("too many headers", b";".join([b"area;workers"] * 101) + b"\n", "columns", 1),
    ("million headers", b"area;workers" + b";x" * 400_000 + b"\n", "columns", 1),
    ("two delimiters, one header each", b"area;workers\narea,workers\n", "more than one", None),
    ("web page named csv", b"<html><table><tr><td>area</td></tr></table></html>", "web page", None),
    ("web page after BOM", b"\xef\xbb\xbf\r\n<!DOCTYPE html>", "web page", None),
    ("XML named csv", b'<?xml version="1.0"?><Workbook/>', "XML", None),
    ("PDF named csv", b"%PDF-1.7\n...", "PDF", None),
    ("gzip named csv", b"\x1f\x8b\x08\x00\x00", "gzip", None),
    ("picture named csv", b"\x89PNG\r\n\x1a\n", "picture", None),
    ("SQLite named csv", b"SQLite format 3\x00", "SQLite", None),
    ("Parquet named csv", b"PAR1\x15\x04", "Parquet", None),
    ("random bytes", bytes(range(256)), "0x00", 1),
]  # fmt: skip

NAMES_READ = [name for name, *_ in READ_RIGHT]
NAMES_REFUSED = [name for name, *_ in REFUSED]


def test_the_set_is_large_enough() -> None:
    """At least 60 hostile files; each has a name of its own."""
    assert len({*NAMES_READ, *NAMES_REFUSED}) == len(READ_RIGHT) + len(REFUSED) >= 60


@pytest.mark.parametrize(("content", "rows"), [each[1:] for each in READ_RIGHT], ids=NAMES_READ)
def test_odd_files_are_read_right(read: Reader, content: bytes, rows: list[Row]) -> None:
    """Each comes out cell by cell, with the line its row starts on."""
    table = read(content)
    assert list(table.rows()) == rows
    assert list(table.rows()) == rows, "asked again, the table says the same"
    assert table.sheet is None


@pytest.mark.parametrize(
    ("content", "what", "line"), [each[1:] for each in REFUSED], ids=NAMES_REFUSED
)
def test_hostile_files_are_refused(
    read: Reader, content: bytes, what: str, line: int | None
) -> None:
    """The refusal names the cause and the line, is short, and prints nothing raw."""
    with pytest.raises(InputUnreadableError) as refusal:
        list(read(content).rows())
    said = str(refusal.value)
    assert what in said
    assert refusal.value.exit_code == 3
    assert len(said) < 1_000
    assert said.isprintable()
    if line is not None:
        assert refusal.value.where == f"batches.csv:{line}"


def test_the_rows_before_a_refusal_come_out_first(read: Reader) -> None:
    """The table streams: whoever reads it must count nothing before the end was reached."""
    rows = read(H + b'16.06;rt-rw;45\n16.07;bpd;"1\n').rows()
    assert next(rows) == (2, ROW)
    with pytest.raises(InputUnreadableError, match=r"batches\.csv:3"):
        next(rows)


def test_headers_are_returned_as_written(read: Reader) -> None:
    """What a header means is the caller's business; the row it stands in is known."""
    table = read(b"Judul\n\n Kabupaten ;Jumlah;;Ket.;;\n")
    assert table.headers == (" Kabupaten ", "Jumlah", "", "Ket.")
    assert table.header_row == 3


def test_a_row_with_more_cells_than_headers_loses_nothing(read: Reader) -> None:
    """A surplus cell is found, with its address; a well-formed row has none."""
    table = read(H + b"16.06;rt-rw;48;26\n16.06;rt-rw;45;;;x;\n16.06;rt-rw;45;\n16.06\n")
    rows = list(table.rows())
    assert [table.surplus(values) for _, values in rows] == [3, 5, None, None]
    assert rows[0] == (2, ("16.06", "rt-rw", "48", "26"))
    assert table.address(2, 3) == "batches.csv:2:column 4"


def test_addresses_are_where_a_clerk_looks(read: Reader) -> None:
    """File, line and the header as written; never a raw control or a hidden character."""
    table = read(b'area;workers;"a\nb";\xc2\xa0;category\n16.06;45;x;;y\n')
    assert table.address(17) == "batches.csv:17"
    assert table.address(17, 0) == "batches.csv:17:area"
    assert table.address(17, 2) == r"batches.csv:17:a\x0ab"
    assert table.address(17, 3) == "batches.csv:17:column 4"
    assert table.address(17, 4) == "batches.csv:17:category"


def test_the_refusal_names_the_headers_seen_but_no_persons_number(read: Reader) -> None:
    """A file without header is known by its cells, none of which is shown beside a NIK."""
    with pytest.raises(InputUnreadableError) as refusal:
        read(b"foo;bar;1671012345678901;\x1fx\n".replace(b"\x1f", b""))
    assert "4 cells, some of a person" in refusal.value.why
    assert "foo" not in refusal.value.diagnostics()[0]
    with pytest.raises(InputUnreadableError) as refusal:
        read(b"foo;bar;x\n")
    assert "foo, bar, x" in refusal.value.why


def test_a_sheet_cannot_be_chosen_in_a_text_file(tmp_path: Path) -> None:
    """Who names a sheet means another file."""
    path = tmp_path / "a.csv"
    path.write_bytes(H)
    with (
        spool_input(path, name="a.csv") as spooled,
        pytest.raises(InputUnreadableError, match="no sheets"),
    ):
        open_tables(spooled, recognises=recognises, sheet="Data")


@pytest.mark.parametrize(
    ("column", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_have_the_letters_of_a_spreadsheet(column: int, letters: str) -> None:
    """A to Z, then AA."""
    assert column_letters(column) == letters


def test_the_limit_of_columns_is_exact(read: Reader) -> None:
    """As many columns as allowed are read, one more is refused."""
    header = ["area", "workers"] + ["x"] * (COLUMNS_MAX - 2)
    assert len(read(";".join(header).encode()).headers) == COLUMNS_MAX
    with pytest.raises(InputUnreadableError, match="columns"):
        read(";".join([*header, "x"]).encode())


@given(
    cells=st.lists(
        st.lists(
            st.text(
                alphabet=st.characters(
                    blacklist_categories=["Cs"],
                    blacklist_characters="".join(map(chr, [*range(32), 127])),
                ),
                max_size=8,
            )
            | st.sampled_from(['"', 'a"b', "a;b", "a,b", "a\nb", "a\r\nb", "", " "]),
            min_size=3,
            max_size=3,
        ),
        max_size=6,
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    bom=st.booleans(),
)
def test_what_a_spreadsheet_program_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[list[str]],
    delimiter: str,
    line_end: str,
    bom: bool,
) -> None:
    """Any table, quoted as CSV demands, comes back cell by cell; blank cells as None."""
    quoted = [
        delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row)
        for row in [["area", "category", "workers"], *cells]
    ]
    content = ("\ufeff" if bom else "") + line_end.join(quoted)
    path = tmp_path_factory.mktemp("written") / "a.csv"
    path.write_bytes(content.encode())
    with spool_input(path, name="a.csv") as spooled:
        (table,) = open_tables(spooled, recognises=recognises)
        rows = [values for _, values in table.rows()]
    expected = [
        tuple(cell if cell and not cell.isspace() else None for cell in row) for row in cells
    ]
    assert rows == [row for row in expected if any(row)]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """No bytes escape as another exception, whatever follows a good header."""
    path = tmp_path_factory.mktemp("bytes") / "a.csv"
    path.write_bytes(H + content)
    said = ""
    with spool_input(path, name="a.csv") as spooled:
        try:
            for table in open_tables(spooled, recognises=recognises):
                list(table.rows())
        except InputUnreadableError as refusal:
            said = str(refusal)
    assert said.isprintable()


def test_rows_stream_in_constant_memory(read: Reader) -> None:
    """100,000 rows pass in a few seconds, holding one row at a time."""
    table = read(H + b"16.06;rt-rw;45\n" * 100_000)
    started = time.perf_counter()
    assert sum(1 for _ in table.rows()) == 100_000
    assert time.perf_counter() - started < 5
    tracemalloc.start()
    for number, _ in table.rows():
        if number > 20_000:
            break
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
