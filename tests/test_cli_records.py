"""csv, json and jsonl: exact text, no formulas, no control characters, one row at a time."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction
from typing import ClassVar, TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.escapes import visible
from cli.listing import Column, Listing
from cli.records import write_csv, write_json, write_json_document, write_json_lines
from registry.safe_text import unformulated

COLUMNS = (
    Column("area", "Area", "code"),
    Column("note", "Note", "text", show=False),
    Column("active", "Active", "count"),
    Column("coverage_percent", "Coverage", "percent"),
    Column("on", "On", "date"),
    Column("complete", "Complete", "flag"),
    Column("suspects", "Suspects", "json"),
)
MUBA = {
    "area": "16.06",
    "note": 'Pake "Kelambu", 2025',
    "active": -88_958,
    "coverage_percent": Fraction(88_958 * 100, 213_582),
    "on": date(2024, 12, 31),
    "complete": True,
    "suspects": ["SK-1"],
    "not a column": object(),
}
NOTHING = dict.fromkeys(MUBA)
STARTERS = "=+-@\uff1d\uff0b\uff0d\uff20"
BEFORE = r"[\s\"'`\u2018\u2019\u201c\u201d]*"
AT_START = rf"{BEFORE}[{re.escape(STARTERS)}\x00\t\r\n]"
WITHIN = rf"{BEFORE}[{re.escape(STARTERS)}]"
FORMULA = re.compile(rf"{WITHIN}|[\x00\t\r\n]")


def written(write: Callable[[Listing, TextIO], None], *rows: dict[str, object]) -> str:
    """Return what the writer makes of the rows."""
    stream = io.StringIO()
    write(Listing("coverage", COLUMNS, iter(rows)), stream)
    return stream.getvalue()


def one_text(write: Callable[[Listing, TextIO], None], *texts: str) -> str:
    """Return what the writer makes of a listing of one text column."""
    stream = io.StringIO()
    write(Listing("x", (Column("t", "T", "text"),), ({"t": text} for text in texts)), stream)
    return stream.getvalue()


def test_csv_is_keys_then_rows() -> None:
    """Every column, hidden ones too; plain numbers, ISO days, nulls empty, LF at each end."""
    assert written(write_csv, MUBA, NOTHING) == (
        "area,note,active,coverage_percent,on,complete,suspects\n"
        '16.06,"Pake ""Kelambu"", 2025",-88958,41.65,2024-12-31,true,"[""SK-1""]"\n'
        ",,,,,,\n"
    )


def test_json_is_a_list_with_one_object_a_line() -> None:
    """Exactly the keys of the columns, in their order; a percentage is 41.65, not 41.649999."""
    row = (
        '{"area": "16.06", "note": "Pake \\"Kelambu\\", 2025", "active": -88958, '
        '"coverage_percent": 41.65, "on": "2024-12-31", "complete": true, "suspects": ["SK-1"]}'
    )
    null = (
        '{"area": null, "note": null, "active": null, "coverage_percent": null, "on": null, '
        '"complete": null, "suspects": null}'
    )

    assert written(write_json) == "[]\n"
    assert written(write_json, MUBA) == f"[\n{row}\n]\n"
    assert written(write_json, MUBA, NOTHING) == f"[\n{row},\n{null}\n]\n"
    assert written(write_json_lines, MUBA, NOTHING) == f"{row}\n{null}\n"
    assert written(write_json_lines) == ""


@pytest.mark.parametrize("write", [write_csv, write_json, write_json_lines])
def test_a_row_without_a_column_is_our_mistake(write: Callable[[Listing, TextIO], None]) -> None:
    """A key is a promise: a row that lacks one is not printed as null."""
    with pytest.raises(KeyError):
        written(write, {"area": "16.06"})


def test_a_document_has_a_key_a_line() -> None:
    """Readable without a tool: lists of objects one a line, everything else compact."""
    stream = io.StringIO()
    write_json_document({"area": "16.06", "steps": [{"n": 1}, {"n": 2}], "empty": []}, stream)

    assert stream.getvalue() == (
        '{\n  "area": "16.06",\n  "steps": [\n    {"n": 1},\n    {"n": 2}\n  ],\n  "empty": []\n}\n'
    )
    assert json.loads(stream.getvalue())["steps"] == [{"n": 1}, {"n": 2}]


# --- formulas -----------------------------------------------------------------------------------


def test_csv_header_is_never_a_formula() -> None:
    """A statement of a person names its columns: they are guarded as the values are."""
    stream = io.StringIO()
    columns = (Column("=cmd", "=cmd", "count"), Column("a b", "a b", "count"))
    write_csv(Listing("sql", columns, [{"=cmd": 1, "a b": 2}]), stream)
    assert stream.getvalue() == "'=cmd,a b\n1,2\n"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+62 711", "'+62 711"),
        ("-", "'-"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ('"=1', "'\"=1"),
        ("'=1", "''=1"),
        ("\uff1dcmd", "'\uff1dcmd"),
        ("\u00a0\uff20x", "'\u00a0\uff20x"),
        ("\t=1", "'\\x09=1"),
        ("\rx", "'\\x0dx"),
        ("\x00x", "'\\x00x"),
        ("\nx", "'\nx"),
        ("a\n=1", "a\n'=1"),
        ("a; =1;b", "a;' =1;b"),
        ("a,=1", "a,=1"),
        ("SK-1/2025", "SK-1/2025"),
        ("a = b", "a = b"),
        ("'quoted'", "'quoted'"),
        ("", ""),
    ],
)
def test_csv_text_is_never_a_formula(text: str, cell: str) -> None:
    """A `'` before what a spreadsheet would run, wherever it would see a cell begin."""
    document = one_text(write_csv, text)

    assert list(csv.reader(io.StringIO(document, newline=""))) == [["t"], [cell]]


def test_numbers_are_not_touched() -> None:
    """A negative count stays a number."""
    assert ",-88958," in written(write_csv, MUBA)


TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from(STARTERS + ";,\t\r\n\x00\x1b\"'\u2018\u201d \u00a0a1|"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=12,
)


@given(TEXTS)
def test_the_quote_is_put_where_it_can_be_taken_away(text: str) -> None:
    """One `'` before each formula and nothing else: two texts never become one."""
    quoted = unformulated(text)

    assert re.sub(rf"\A'(?={AT_START})|(?<=[;\n])'(?={WITHIN})", "", quoted) == text
    assert len(quoted) > len(text) or not FORMULA.match(text)


def hostile_texts(count: int) -> list[str]:
    """Return texts that start, continue and end with what spreadsheets run; seeded."""
    chance = random.Random(43)
    pieces = [*STARTERS, "\t", "\r", "\n", "\x00", ";", ",", '"', "'", " ", "\u00a0", "1+1", "cmd|' /C calc'!A0", "SK", "x"]  # fmt: skip
    return ["".join(chance.choices(pieces, k=chance.randint(1, 6))) for _ in range(count)]


def formula_cells(document: str) -> list[str]:
    """Return the cells a spreadsheet would run, whichever separator it splits the file by."""
    cells = [cell for line in document.split("\n") for cell in line.split(";")]
    for separator in ",;":
        read = csv.reader(io.StringIO(document, newline=""), delimiter=separator)
        cells += [cell for row in read for cell in row]
    return [cell for cell in cells if FORMULA.match(cell) and not cell.lstrip('"').startswith("'")]


def test_no_formula_in_ten_thousand_cells() -> None:
    """0 formula cells, read by comma and by semicolon; every value round-trips."""
    texts = hostile_texts(10_000)
    document = one_text(write_csv, *texts)

    assert formula_cells(document) == []
    read = [row[0] if row else "" for row in csv.reader(io.StringIO(document, newline=""))][1:]
    assert len(read) == len(texts)
    assert all(bare(cell) == bare(visible(text)) for cell, text in zip(read, texts, strict=True))
    assert len(set(read)) == len(set(texts))


def bare(cell: str) -> str:
    """Return the text without its apostrophes, the only thing that was added."""
    return cell.replace("'", "")


def test_the_judge_of_formulas_can_find_one() -> None:
    """Negative control: the same texts written by csv alone are full of formulas."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([text] for text in hostile_texts(1_000))

    assert len(formula_cells(stream.getvalue())) > 300


# --- control characters ---------------------------------------------------------------------------

HIDDEN = (
    "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)])) + "\u200b\u200f\u2028\u202e\u2066\ufeff"
)


@pytest.mark.parametrize("write", [write_csv, write_json, write_json_lines])
def test_no_control_character_leaves(write: Callable[[Listing, TextIO], None]) -> None:
    """Nothing raw but the LF that each format has a way to write."""
    document = one_text(write, *HIDDEN, f"a{HIDDEN}z", "\x1b]0;owned\x07\x1b[2J")

    assert set(document) & set(HIDDEN) == {"\n"}


@given(st.text())
def test_json_gives_back_the_very_text(text: str) -> None:
    """What was escaped is escaped as JSON does it: the reader gets the value stored."""
    assert json.loads(one_text(write_json, text)) == [{"t": text}]


# --- one row at a time ----------------------------------------------------------------------------


class Counted(dict[str, object]):
    """A row that knows how many of its kind are alive."""

    alive: ClassVar[int] = 0
    peak: ClassVar[int] = 0

    def __init__(self, number: int) -> None:
        super().__init__(t=f"SK-{number}")
        Counted.alive += 1
        Counted.peak = max(Counted.peak, Counted.alive)

    def __del__(self) -> None:
        Counted.alive -= 1


class Nowhere(io.TextIOBase):
    """A stream that counts what it is given and forgets it."""

    lines = 0

    def write(self, text: str, /) -> int:
        """Count the line ends."""
        self.lines += text.count("\n")
        return len(text)


def peak_of(
    write: Callable[[Listing, TextIO], None], rows: Iterator[Counted] | list[Counted]
) -> int:
    """Return how many rows were alive at once while the listing was written."""
    stream = Nowhere()
    write(Listing("x", (Column("t", "T", "text"),), rows), stream)  # type: ignore[arg-type]
    assert stream.lines >= 1_000
    return Counted.peak


@pytest.mark.parametrize("write", [write_csv, write_json, write_json_lines])
def test_a_hundred_thousand_rows_are_never_held(write: Callable[[Listing, TextIO], None]) -> None:
    """A generator is read row by row: at most a few rows exist at any time."""
    Counted.alive = Counted.peak = 0

    assert peak_of(write, (Counted(number) for number in range(100_000))) <= 3


def test_rows_that_are_held_are_counted() -> None:
    """Negative control: a list of rows is alive as a whole."""
    Counted.alive = Counted.peak = 0

    assert peak_of(write_csv, [Counted(number) for number in range(1_000)]) == 1_000
