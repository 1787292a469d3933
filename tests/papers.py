"""A document for tests of how documents are written, with text in it that would like to be more."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Final

from cli.listing import Column, Document, Listing, Section

HOSTILE: Final = (
    "=1+1",
    '=HYPERLINK("http://x")',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    " =1+1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table></body>",
    "<style>@import 'http://x'</style>",
    "&lt;b&gt; &amp; &#61;1",
    "a | b \\| c",
    "`x` **y** [z](http://x) # _q_",
    "line\nfeed\r\ttab",
    "\u202eright to left\x1b[31m",
    "<!-- comment",
    "漢字",
)
MADE_AT: Final = datetime(2025, 9, 26, 2, tzinfo=UTC)

_COVER: Final = (
    Column("area", "Area", "text"),
    Column("from", "From", "date"),
    Column("made_at", "Made at", "instant"),
)
_COLUMNS: Final = (
    Column("text", "Text <b>", "text"),
    Column("code", "=Code", "code"),
    Column("nested", "Nested", "json"),
    Column("active", "Active", "count"),
    Column("share", "Share", "percent"),
    Column("points", "Points", "points"),
    Column("on", "On", "date"),
    Column("hidden", "Hidden", "text", show=False),
)


def row(text: str) -> dict[str, object]:
    """Return a row with a text wherever one may be."""
    return {
        "text": text,
        "code": text,
        "nested": [text],
        "active": -45_000,
        "share": Fraction(200, 3),
        "points": Fraction(-1, 7),
        "on": date(2025, 7, 31),
        "hidden": "not for people",
    }


def document() -> Document:
    """Return a document of three sections in two chapters, one of them without rows."""
    listings = (
        Listing("a", _COLUMNS, [row(text) for text in HOSTILE], notes=HOSTILE),
        Listing("b", _COLUMNS, iter([row("x")]), total={"text": "Sum <i>", "active": 7}),
        Listing("c", _COLUMNS, [], notes=["Nothing."]),
    )
    sections = tuple(
        Section(chapter, f"{title} <u>", f"Sheet {title}", f"{title} of =1", "ucj x", _never)
        for chapter, title in (("One <u>", "First"), ("One <u>", "Second"), ("Two", "Third"))
    )
    cover = Listing(
        "cover", _COVER, [{"area": HOSTILE[6], "from": date(2024, 12, 31), "made_at": MADE_AT}]
    )
    answered = zip(sections, listings, strict=True)
    return Document("=Title <script>", cover, sections, answered, MADE_AT)


def _never() -> Listing:
    raise AssertionError("the listings are handed over beside the sections")
