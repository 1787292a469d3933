"""A numeric cell counts as its number format shows it: .xlsx, .ods and .xls, and every refusal."""

from __future__ import annotations

import io
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.cells import ShownNumber, Value
from registry.dates import parse_as_of, parse_day
from registry.errors import InvalidDateError, InvalidNumberError
from registry.intake.columns import InputKind
from registry.intake.headers import recognises
from registry.intake.number_formats import (
    MONTH,
    YEAR,
    DateFormat,
    NumberFormat,
    number_format,
    shown_format,
    shown_period,
)
from registry.intake.spool import spool_input
from registry.intake.tables import open_tables
from registry.numbers import parse_percent, parse_quantity
from tests.program import ucj
from tests.spreadsheet_samples import PERCENT_STYLE, ods, record, xls, xls_number

# code, what it shows: (as a percentage, decimals at least, at most); None: not a plain number
CODES: list[tuple[str, tuple[bool, int, int] | None]] = [
    ("0", (False, 0, 0)),
    ("0.00", (False, 2, 2)),
    ("#,##0.0", (False, 1, 1)),
    ("0.##", (False, 0, 2)),
    ("0.0##", (False, 1, 3)),
    ("0%", (True, 0, 0)),
    ("0.00%", (True, 2, 2)),
    ("0.00 %", (True, 2, 2)),
    ('0.00" %"', (False, 2, 2)),  # a word beside it: the number is not multiplied
    ('"Rp"#,##0.00;[Red]-"Rp"#,##0.00', (False, 2, 2)),
    ("_(* #,##0.00_);_(* (#,##0.00);_(* \\-??_);_(@_)", (False, 2, 2)),
    ("[$-421]#,##0.00", (False, 2, 2)),
    ("0.00;-0.00", (False, 2, 2)),
    ('0.0" m"', (False, 1, 1)),
    ("General", None),
    ("", None),
    ("@", None),
    ("yyyy-mm-dd", None),
    ("[h]:mm", None),
    ("0.00E+00", None),
    ("# ?/?", None),
    ("#,##0,", None),  # thousands of thousands: shows another number
    ("0." + "0" * 30, None),
    (";;;", None),
]


@pytest.mark.parametrize(("code", "shown"), CODES)
def test_a_code_says_what_it_shows(code: str, shown: tuple[bool, int, int] | None) -> None:
    """Decimals that are always shown, those that may be, and the per cent sign; else nothing."""
    assert number_format(code) == (NumberFormat(*shown) if shown else None)


# the number, its format, what a percentage column reads; None: refused
PERCENTAGES: list[tuple[float, str, str | None]] = [
    (40.2, "0.00", "40.20"),
    (41, "0.00", "41.00"),
    (41, "0.0", "41.0"),
    (48.265, "0.00", "48.27"),
    (48.26, "0", "48"),
    (48.26, "General", "48.26"),
    (48.2, "0.0##", "48.2"),
    (0.4826, "0.00%", "48.26"),
    (0.4, "0.00%", "40.00"),
    (0.4, "0%", "40"),
    (1, "0%", "100"),
    (0, "0.0%", "0.0"),
    (0.005, "0.0%", "0.5"),
    (0.48, "0.00", None),
    (0.4826, "General", None),
    (1, "General", None),
    (12, "0%", None),  # 1200 %
]


def _workbook(number: float, code: str) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["area", "as_of", "percent", "publisher", "source"])
    page.append(["16.06", "2025-07-31", number, "a newspaper", "page 1"])
    page["C2"].number_format = code
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _cell(content: bytes, column: int, kind: InputKind = "figures") -> Value:
    with spool_input(io.BytesIO(content), name="table") as spooled:
        (table,) = open_tables(spooled, recognises=recognises(kind))
        ((_number, cells),) = table.rows()
    return cells[column]


@pytest.mark.parametrize(("number", "code", "read"), PERCENTAGES)
def test_a_percentage_is_read_as_its_cell_shows_it(
    number: float, code: str, read: str | None
) -> None:
    """Trailing zeros too: they are what a figure claims. Without a sign a share is refused."""
    value = _cell(_workbook(number, code), 2)
    if read is None:
        with pytest.raises(InvalidNumberError):
            parse_percent(value, "en")
    else:
        assert parse_percent(value, "en") == read


def test_a_published_figure_is_held_to_what_its_cell_shows(tmp_path: Path) -> None:
    """40.20 is not 40.24 at two decimals, though 40.2 would be at one."""
    files = {
        "potentials": "area,valid_from,workers,definition,source\n16.06,2024-01-01,10000,workers,BPS\n",
        "batches": "reference,area,category,action,workers,effective_on\n"
        "S1,16.06,guru,enrol,4024,2025-01-01\n",
    }
    assert ucj("init", folder=tmp_path).code == 0
    for kind, content in files.items():
        (tmp_path / f"{kind}.csv").write_text(content, encoding="utf-8")
        answer = ucj("import", kind, f"{kind}.csv", "--locale", "en", folder=tmp_path)
        assert answer.code == 0, answer.err
    for name, number, code in (("a", 40.2, "0.00"), ("b", 40.2, "0.0"), ("c", 0.4024, "0.00%")):
        (tmp_path / f"{name}.xlsx").write_bytes(_workbook(number, code))
        assert ucj("import", "figures", f"{name}.xlsx", folder=tmp_path).code == 0
    rows = ucj("reconcile", "16.06", "--format", "json", folder=tmp_path).json()
    said = [(row["published"]["percent"], row["verdict"]) for row in rows]
    assert said == [("40.20", "differs"), ("40.2", "agrees"), ("40.24", "agrees")]


@pytest.mark.parametrize(
    ("attributes", "text", "read"),
    [
        ('office:value-type="percentage" office:value="0.4826"', "48,26 %", "48.26"),
        ('office:value-type="percentage" office:value="0.482"', "48.20%", "48.20"),
        ('office:value-type="float" office:value="40.2"', "40,20", "40.20"),
        ('office:value-type="float" office:value="41"', "41.0", "41.0"),
        ('office:value-type="float" office:value="40.2"', "", "40.2"),
        ('office:value-type="float" office:value="0.4826"', "0,48", None),
    ],
)
def test_an_ods_cell_is_read_as_it_shows(attributes: str, text: str, read: str | None) -> None:
    """The text beside the number is what was printed; thousands are no decimals."""
    shown = f"<text:p>{text}</text:p>" if text else ""
    cell = f"<table:table-cell {attributes}>{shown}</table:table-cell>"
    blank = '<table:table-cell table:number-columns-repeated="2"/>'
    value = _cell(ods(f"<table:table-row>{blank}{cell}</table:table-row>"), 2, "batches")
    if read is None:
        with pytest.raises(InvalidNumberError):
            parse_percent(value, "en")
    else:
        assert parse_percent(value, "en") == read


def test_thousands_shown_in_an_ods_are_no_decimals() -> None:
    """8.305 is eight thousand where the number is, and has three decimals where that is."""
    assert shown_format("8305", "8.305", is_percent=False) == (False, 0, 0)
    assert shown_format("8.305", "8,305", is_percent=False) == (False, 3, 3)
    assert shown_format("1", "a word", is_percent=False) is None


def test_an_xls_cell_is_read_as_it_shows() -> None:
    """Built-in formats and those of the file, in NUMBER, RK and MULRK records."""
    assert parse_percent(
        _cell(xls(xls_number(1, 2, 0.4826, PERCENT_STYLE)), 2, "batches"), "en"
    ) == ("48.26")
    own = record(0x041E, b"\xa4\x00\x04\x00\x000.00")  # format 164: 0.00
    style = record(0x00E0, b"\x00\x00\xa4\x00" + bytes(16))  # before the others, so style 0
    number = _cell(xls(xls_number(1, 2, 40.2), more=own + style), 2, "batches")
    assert parse_percent(number, "en") == "40.20"
    # RK: 40.2 as an integer of hundredths; MULRK: two cells, the second with that
    hundredths = ((4020 << 2) | 3).to_bytes(4, "little")
    rk = record(0x027E, b"\x01\x00\x02\x00\x00\x00" + hundredths)
    assert parse_percent(_cell(xls(rk, more=own + style), 2, "batches"), "en") == "40.20"
    pairs = b"\x00\x00" + hundredths
    several = record(0x00BD, b"\x01\x00\x01\x00" + pairs * 2 + b"\x02\x00")
    assert parse_percent(_cell(xls(several, more=own + style), 2, "batches"), "en") == "40.20"


# the format of a day, what the cell says
PERIODS: list[tuple[str, str]] = [
    ("mmm-yy", "2025-07"),
    ("mmmm yyyy", "2025-07"),
    ("[$-421]mmmm yyyy;@", "2025-07"),
    ("mm/yyyy", "2025-07"),
    ("yyyy", "2025"),
]


@pytest.mark.parametrize(("code", "said"), PERIODS)
def test_a_day_of_which_a_month_is_shown_is_that_month(code: str, said: str) -> None:
    """A clerk who types "Jul 2025" gets a cell with the first of July, and has not said so."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["area", "as_of", "percent", "publisher", "source"])
    page.append(["16.06", date(2025, 7, 1), 40.2, "a newspaper", "page 1"])
    page["B2"].number_format = code
    written = io.BytesIO()
    book.save(written)
    value = _cell(written.getvalue(), 1)
    assert value == said
    assert parse_as_of(value) == said
    with pytest.raises(InvalidDateError):
        parse_day(value)


@pytest.mark.parametrize(
    "code", ["yyyy-mm-dd", "dd/mm/yyyy", "d-mmm-yy", "[$-421]dd mmmm yyyy", "d-mmm"]
)
def test_a_day_that_is_shown_is_that_day(code: str) -> None:
    """The negative control: with the day in its format, the cell is a day."""
    assert number_format(code) is None


@pytest.mark.parametrize(
    ("day", "text", "shown"),
    [
        ("2025-07-01", "Jul 25", MONTH),
        ("2025-07-01", "Juli 2025", MONTH),
        ("2025-07-01", "07/2025", MONTH),
        ("2025-07-01", "2025", YEAR),
        ("2025-07-01", "1 Juli 2025", None),
        ("2025-07-01", "01/07/2025", None),
        ("2025-07-07", "07/07/25", None),
        ("2025-07-16", "16 Juli", None),
        ("2025-07-16", "", None),
    ],
)
def test_an_ods_day_is_read_as_it_shows(day: str, text: str, shown: DateFormat | None) -> None:
    """The text beside the day says whether the day was said; in a table it is read so."""
    assert shown_period(date.fromisoformat(day), text) == shown
    attributes = f'office:value-type="date" office:date-value="{day}"'
    cell = f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"
    blank = '<table:table-cell table:number-columns-repeated="2"/>'
    value = _cell(ods(f"<table:table-row>{blank}{cell}</table:table-row>"), 2, "batches")
    expected = date.fromisoformat(day)
    if shown is MONTH:
        assert value == f"{expected:%Y-%m}"
    elif shown is None:
        assert isinstance(value, date)
        assert parse_day(value) == expected


def test_an_xls_month_is_a_month() -> None:
    """The built-in format 17 (mmm-yy), in a number cell of an .xls."""
    style = record(0x00E0, b"\x00\x00\x11\x00" + bytes(16))  # before the others, so style 0
    assert _cell(xls(xls_number(1, 2, 45_839), more=style), 2, "batches") == "2025-07"


def test_persons_are_whole_in_whatever_format() -> None:
    """8,305.00 are 8305 persons; 0.0389 shown as 3.89 % are 3.89 points."""
    assert parse_quantity(_cell(_workbook(8305, "#,##0.00"), 2), "en") == "8305"
    assert parse_quantity(_cell(_workbook(0.0389, "0.00%"), 2), "en") == "3.89"


@given(
    st.decimals(min_value=0, max_value=1000, places=6),
    st.integers(0, 6),
    st.integers(0, 3),
    st.booleans(),
)
def test_what_is_shown_is_the_number_rounded(
    number: Decimal, fixed: int, free: int, is_percent: bool
) -> None:
    """At most so many decimals, a half away from zero; trailing zeros only down to the least."""
    text = ShownNumber(float(number), (is_percent, fixed, fixed + free)).text()
    exact = Decimal(repr(float(number))) * (100 if is_percent else 1)
    assert Decimal(text) == exact.quantize(Decimal(1).scaleb(-(fixed + free)), ROUND_HALF_UP)
    decimals = text.partition(".")[2]
    assert len(decimals) >= fixed
    assert len(decimals) == fixed or not decimals.endswith("0")
