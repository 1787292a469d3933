"""Tables for people: they fit, they never break a number, they hold text and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.listing import Column, Listing
from cli.tables import EMPTY, display_width, markdown, table, wrapped

COLUMNS = (
    Column("area", "Area", "code"),
    Column("area_name", "Name", "text"),
    Column("active", "Active workers", "count"),
    Column("coverage_percent", "Coverage", "percent"),
    Column("on", "On", "date"),
    Column("document", "Document", "text"),
    Column("known_position", "Known", "count", show=False),
)


def row(name: str = "Kabupaten Musi Banyuasin", document: str | None = None) -> dict[str, object]:
    """Return one area's row."""
    return {
        "area": "16.06",
        "area_name": name,
        "active": 103_079,
        "coverage_percent": Fraction(103_079 * 100, 213_582),
        "on": date(2025, 7, 31),
        "document": document,
        "known_position": 12,
    }


def lines(listing: Listing, width: int | None = None) -> list[str]:
    """Return the table without colours."""
    return list(table(listing, width=width))


def test_a_table_too_wide_leaves_out_what_it_can_spare_and_says_so() -> None:
    """Rows that can be compared are worth more than every column; the others have every one."""
    columns = (
        Column("area", "Area", "code"),
        Column("active", "Active", "count"),
        Column("on", "On", "date", spare=True),
    )
    listing = Listing("coverage", columns, [row()], notes=["Known."], total={"active": 1})
    assert lines(listing, 28)[0].split() == ["Area", "Active", "On"]
    assert lines(listing, 20) == [
        "Area    Active",
        "─────  ───────",
        "16.06  103,079",
        "─────  ───────",
        "             1",
        "",
        "Known.",
        "Too narrow here for:",
        "On.",
    ]
    assert lines(listing, 10)[0].split() == ["Area", "16.06"], "not even without it"


def test_a_table_reads_well_at_eighty_columns() -> None:
    """Titles and text wrap, numbers stand whole and to the right, what has no total is blank."""
    document = "SK Bupati 188/KPTS/2025 tentang Perlindungan Pekerja Rentan"
    listing = Listing(
        "coverage",
        COLUMNS,
        [row(document=document), row("Kota Palembang")],
        notes=["Known at #12."],
        total={"area_name": "Σ", "active": 206_158},
    )

    assert lines(listing, 80) == [
        "                        Active",
        "Area   Name            workers  Coverage  On          Document",
        "─────  ──────────────  ───────  ────────  ──────────  ──────────────────────────",
        "16.06  Kabupaten Musi  103,079   48.26 %  2025-07-31  SK Bupati 188/KPTS/2025",
        "       Banyuasin                                      tentang Perlindungan",
        "                                                      Pekerja Rentan",
        "16.06  Kota Palembang  103,079   48.26 %  2025-07-31  –",
        "─────  ──────────────  ───────  ────────  ──────────  ──────────────────────────",
        "       Σ               206,158",
        "",
        "Known at #12.",
    ]


def test_without_a_limit_nothing_wraps() -> None:
    """Into a pipe or a file a row is a line, however long."""
    document = "x " * 200

    assert len(lines(Listing("coverage", COLUMNS, [row(document=document)]))) == 3


def test_too_narrow_for_a_table_is_one_record_under_the_other() -> None:
    """On 40 columns each row is a block; long text wraps beside its title."""
    document = "SK Bupati 188/KPTS/2025 tentang Perlindungan"

    assert lines(Listing("coverage", COLUMNS, [row(document=document), row()]), 40)[:9] == [
        "Area            16.06",
        "Name            Kabupaten Musi Banyuasin",
        "Active workers  103,079",
        "Coverage        48.26 %",
        "On              2025-07-31",
        "Document        SK Bupati 188/KPTS/2025",
        "                tentang Perlindungan",
        "",
        "Area            16.06",
    ]


def test_a_listing_may_ask_for_records() -> None:
    """What describes one thing is printed as a block on any screen."""
    listing = Listing("status", COLUMNS[:2], [row()], layout="record")

    assert lines(listing) == ["Area  16.06", "Name  Kabupaten Musi Banyuasin"]


def test_nothing_found_says_so() -> None:
    """A header over nothing could be an error."""
    assert lines(Listing("coverage", COLUMNS, []))[-1] == EMPTY
    assert lines(Listing("coverage", COLUMNS, [], layout="record")) == [EMPTY]


@given(
    st.integers(20, 200),
    st.lists(st.text("ab –漢é\u0301/-", max_size=60), min_size=1, max_size=4),
)
def test_no_line_is_wider_than_the_screen(width: int, names: list[str]) -> None:
    """Whatever the text, every line fits, and every number stands whole on a line."""
    listing = Listing("coverage", COLUMNS, [row(name) for name in names], notes=["word " * 30])
    printed = lines(listing, width)

    assert max(map(display_width, printed)) <= max(width, 30)
    assert sum("103,079" in line and not line.startswith(" 103") for line in printed) == len(names)


def test_a_table_that_ignores_the_width_would_not_fit() -> None:
    """Negative control: without a width the same listing is wider than 80 columns."""
    assert max(map(display_width, lines(Listing("x", COLUMNS, [row("x" * 90)])))) > 80


@given(st.text("ab 漢é\u0301-", max_size=80), st.integers(2, 30))
def test_wrapping_loses_no_letter(text: str, width: int) -> None:
    """Lines fit, and hold the text's letters in their order."""
    pieces = wrapped(text, width)

    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
    assert all(display_width(piece) <= width for piece in pieces)


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("abc", 3), ("–", 1), ("漢字", 4), ("\uff1d", 2), ("e\u0301", 1), ("Σ", 1)],
)
def test_width_is_what_a_terminal_shows(text: str, width: int) -> None:
    """Wide letters take two columns, combining marks none."""
    assert display_width(text) == width


def test_wide_letters_keep_the_columns_straight() -> None:
    """The column after a wide name starts at the same place in each row."""
    listing = Listing("x", COLUMNS[1:3], [row("漢字"), row("abcd")])

    starts = {display_width(line[: line.index("103,079")]) for line in lines(listing)[2:]}
    assert len(starts) == 1


def test_colour_is_only_for_the_header() -> None:
    """Bold titles when asked; the same text without the codes otherwise."""
    listing = Listing("x", COLUMNS, [row()])
    coloured = list(table(listing, colour=True))

    assert coloured[0].startswith("\x1b[1m")
    assert coloured[0].endswith("\x1b[0m")
    assert [re.sub(r"\x1b\[\dm", "", line) for line in coloured] == lines(listing)


# --- what cells may hold --------------------------------------------------------------------------

HIDDEN = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)])) + "\u200b\u2028\u202e\u2066\ufeff"
HOSTILE = Listing(
    "hostile",
    (Column("t", "T", "text"), Column("c", "C", "code"), Column("j", "J", "json")),
    [{"t": f"a{HIDDEN}z", "c": f"a{HIDDEN}z", "j": [HIDDEN]}],
    notes=[f"note {HIDDEN}"],
)


def every_table(listing: Listing) -> Iterator[str]:
    """Yield the lines of each form for people."""
    yield from table(listing)
    yield from table(listing, width=80)
    yield from table(listing, width=20)
    yield from markdown(listing)


def test_no_control_character_reaches_a_screen() -> None:
    """0 raw control bytes, in rows and in notes, in every form for people."""
    assert not set("".join(every_table(HOSTILE))) & set(HIDDEN)


def test_a_person_is_not_named_in_a_table() -> None:
    """A number as long as a NIK is withheld; the digits of a digest are not."""
    digest = "0123456789" * 6 + "abcd"
    listing = Listing("x", HOSTILE.columns, [{"t": "NIK 1606010101800001", "c": digest, "j": None}])
    text = "\n".join(every_table(listing))

    assert "1606010101800001" not in text
    assert digest in text


def test_markdown_is_a_table_of_text() -> None:
    """Numbers to the right; nothing in a cell becomes markup, ends it or starts a line."""
    listing = Listing(
        "x",
        (Column("t", "T|", "text"), Column("n", "N", "count")),
        [{"t": "a|b\n<b>*x*</b> `[y]` \\", "n": 1_000}, {"t": None, "n": None}],
        notes=["Known at #12."],
        total={"n": 1_000},
    )

    assert list(markdown(listing)) == [
        r"| T\| | N |",
        "| --- | ---: |",
        r"| a\|b\\x0a\<b\>\*x\*\</b\> \`\[y\]\` \\ | 1,000 |",
        "| – | – |",
        "|  | **1,000** |",
        "",
        r"Known at \#12.",
    ]


@given(st.lists(st.text("ab|\\\n`", max_size=12), min_size=1, max_size=5))
def test_markdown_rows_have_their_cells_and_no_more(texts: list[str]) -> None:
    """However many bars the text holds, a row splits into two cells."""
    columns = (Column("t", "T", "text"), Column("n", "N", "count"))
    listing = Listing("x", columns, [{"t": text, "n": 1} for text in texts])

    for line in list(markdown(listing))[2:]:
        unescaped = re.sub(r"\\.", "", line)
        assert unescaped.count("|") == 3


def test_a_slug_is_broken_after_hyphens_and_never_cut() -> None:
    """`not-` above `attributed`; where not even that fits, records take the table's place."""
    slug = "not-attributed"
    columns = (Column("funding", "Funding", "text"), Column("workers", "Workers", "count"))
    listing = Listing("t", columns, [{"funding": slug, "workers": 1}])
    narrow = [line.split()[0] for line in table(listing, width=21)]
    assert narrow[2:] == ["not-", "attributed"]
    several = tuple(Column(f"c{at}", f"C{at}", "text") for at in range(4))
    word = "penyelenggara"
    wide = Listing("t", several, [{column.key: word for column in several}])
    assert [line.split() for line in table(wide, width=57)] == [
        [column.title, word] for column in several
    ]
    assert next(table(wide, width=58)).split() == ["C0", "C1", "C2", "C3"], "it fits exactly"


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("pekerja-rentan", 10, ["pekerja-", "rentan"]),
        ("pekerja-rentan", 14, ["pekerja-rentan"]),
        ("penyelenggara", 5, ["penye", "lengg", "ara"]),
        ("a penyelenggara-pemilu", 12, ["a", "penyelenggar", "a-pemilu"]),
        ("2025-07-16", 8, ["2025-07-", "16"]),
    ],
)
def test_words_break_after_hyphens_first(text: str, width: int, lines: list[str]) -> None:
    """Inside a part only where the part itself is wider than the line."""
    assert wrapped(text, width) == lines
