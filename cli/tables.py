"""Listings for people: the table of a terminal, records one under the other, Markdown.

Knows no stream. Every cell has come through `cli.values.shown`: nothing in it moves a cursor.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from cli.escapes import visible
from cli.listing import Column, Kind, Listing, Row
from cli.values import shown
from registry.language import _, joined, said

GAP: Final = "  "
EMPTY: Final = _("(no rows)")
NARROWEST_TEXT: Final = 12  # columns of a terminal under which wrapped text reads badly
ALIGNED_WIDTH_MAX: Final = 40  # in Markdown; a longer cell would push all others off the screen
LONGEST_WORD: Final = 30  # a longer one (a digest, an address of the web) may be cut in a column

_NUMBERS: Final[frozenset[Kind]] = frozenset({"count", "number", "percent", "points"})
_WRAPPED: Final[frozenset[Kind]] = frozenset({"text", "code", "json"})
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]<>|~&#])")
_NO_BREAK: Final = "\u00a0"
_AFTER_HYPHEN: Final = re.compile(r"(?<=-)")
_BOLD: Final = ("\x1b[1m", "\x1b[0m")

Lines = list[str]


def table(listing: Listing, *, width: int | None = None, colour: bool = False) -> Iterator[str]:
    """Yield the lines of a table that fits the width: text wraps, numbers never break.

    What does not fit is tried again without the columns to spare; what cannot fit, and a listing
    laid out as records, is printed one record under the other.
    """
    columns = listing.shown
    rows = [_cells(columns, row) for row in listing.rows]
    total = total_cells(listing)
    everything = rows if total is None else [*rows, total]
    feet = [*listing.notes]
    widths = _widths(columns, everything, width)
    spared = [column for column in columns if column.spare]
    if widths is None and spared and listing.layout == "table":
        kept = [at for at, column in enumerate(columns) if not column.spare]
        fewer = [[row[at] for at in kept] for row in everything]
        widths = _widths([columns[at] for at in kept], fewer, width)
        if widths is not None:
            columns = tuple(columns[at] for at in kept)
            rows, total = fewer[: len(rows)], fewer[-1] if total is not None else None
            titles = joined(", ", [column.title for column in spared])
            feet.append(said(_("Too narrow here for: {titles}.").format(titles=titles)))
    if listing.layout == "record" or widths is None:
        yield from _records(columns, everything, width, colour=colour)
    else:
        yield from _grid(columns, rows, total, widths, colour=colour)
    yield from _feet(feet, width)


def markdown(listing: Listing, *, aligned: bool = False) -> Iterator[str]:
    """Yield the lines of a GitHub table; cells are text, never markup.

    `aligned` holds all rows, to put the columns of a short one under each other.
    """
    columns = listing.shown
    lines = _markdown_cells(listing)
    yield from map(_piped, _aligned(list(lines), columns) if aligned else lines)
    for note in listing.notes:
        yield ""
        yield literal(_one_line(note))


def display_width(text: str) -> int:
    """Return the columns the text takes on a terminal: 2 for East Asian wide, 0 for marks."""
    if text.isascii():
        return len(text)
    return sum(_width_of(character) for character in text)


def wrapped(text: str, width: int) -> Lines:
    """Break the text into lines of at most that width: at spaces, in a word only if it must be.

    A no-break space has done its work then, and is printed as any other.
    """
    lines: Lines = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if display_width(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = _broken(word, width)
        lines += full
    return [each.replace(_NO_BREAK, " ") for each in (*lines, line)]


def literal(text: str) -> str:
    """Return a text on one line as Markdown that is read as that text."""
    return _MARKDOWN.sub(r"\\\1", text)


def is_number(kind: Kind) -> bool:
    """Whether a column of this kind is set to the right."""
    return kind in _NUMBERS


def total_cells(listing: Listing) -> Lines | None:
    """Return the cells of the total; what has no total is blank, not unknown."""
    total = listing.total
    if total is None:
        return None
    blank = {column.key for column in listing.shown if total.get(column.key) is None}
    return [
        "" if column.key in blank else shown(total[column.key], column.kind)
        for column in listing.shown
    ]


def _markdown_cells(listing: Listing) -> Iterator[Lines]:
    columns = listing.shown
    yield [literal(column.title) for column in columns]
    yield ["---:" if is_number(column.kind) else "---" for column in columns]
    for row in listing.rows:
        yield [literal(cell) for cell in _cells(columns, row)]
    if total := total_cells(listing):
        yield [f"**{literal(cell)}**" if cell else "" for cell in total]


def _aligned(rows: Sequence[Lines], columns: Sequence[Column]) -> Iterator[Lines]:
    """Yield the rows with their cells as wide as the widest of the column that reads well."""
    widths = [
        min(max(display_width(row[at]) for row in rows), ALIGNED_WIDTH_MAX)
        for at in range(len(columns))
    ]
    for number, row in enumerate(rows):
        if number == 1:
            yield [
                f"{'-' * (width - len(mark))}{mark}"
                for width, mark in zip(widths, row, strict=True)
            ]
            continue
        yield [
            _padded(cell, width, to_the_right=is_number(column.kind))
            for cell, width, column in zip(row, widths, columns, strict=True)
        ]


def _grid(
    columns: Sequence[Column],
    rows: Sequence[Lines],
    total: Lines | None,
    widths: Sequence[int],
    *,
    colour: bool,
) -> Iterator[str]:
    rule = GAP.join("─" * width for width in widths)
    for line in _row([column.title for column in columns], columns, widths, at_foot=True):
        yield line.join(_BOLD) if colour else line
    yield rule
    for row in rows:
        yield from _row(row, columns, widths)
    if not rows:
        yield said(EMPTY)
    if total is not None:
        yield rule
        yield from _row(total, columns, widths)


def _row(
    cells: Sequence[str],
    columns: Sequence[Column],
    widths: Sequence[int],
    *,
    at_foot: bool = False,
) -> Iterator[str]:
    blocks = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    height = max(map(len, blocks), default=0)
    for index, block in enumerate(blocks):
        blank = [""] * (height - len(block))
        blocks[index] = blank + block if at_foot else block + blank
    for line in range(height):
        padded = (
            _padded(block[line], width, to_the_right=column.kind in _NUMBERS)
            for block, width, column in zip(blocks, widths, columns, strict=True)
        )
        yield GAP.join(padded).rstrip()


def _records(
    columns: Sequence[Column], rows: Sequence[Lines], width: int | None, *, colour: bool
) -> Iterator[str]:
    margin = max((display_width(column.title) for column in columns), default=0)
    room = None if width is None else max(NARROWEST_TEXT, width - margin - len(GAP))
    for number, row in enumerate(rows):
        if number:
            yield ""
        for column, cell in zip(columns, row, strict=True):
            if not cell:
                continue
            head = _padded(column.title, margin)
            for line in [cell] if room is None else wrapped(cell, room):
                yield f"{head.join(_BOLD) if colour else head}{GAP}{line}".rstrip()
                head = " " * margin
    if not rows:
        yield said(EMPTY)


def _feet(notes: Sequence[str], width: int | None) -> Iterator[str]:
    if notes:
        yield ""
    for note in notes:
        yield from [_one_line(note)] if width is None else wrapped(_one_line(note), width)


def _widths(
    columns: Sequence[Column], rows: Sequence[Lines], width: int | None
) -> list[int] | None:
    """Share the width out: titles wrap first, then the widest text column gives way, or None."""
    titles = [display_width(column.title) for column in columns]
    words = [max(map(display_width, column.title.split(" "))) for column in columns]
    cells = [max((display_width(row[at]) for row in rows), default=0) for at in range(len(columns))]
    natural = [max(pair) for pair in zip(titles, cells, strict=True)]
    if width is None:
        return natural
    room = width - len(GAP) * (len(columns) - 1)
    least = [
        max(word, max((_least(row[at]) for row in rows), default=0))
        if columns[at].kind in _WRAPPED
        else max(word, cells[at])
        for at, word in enumerate(words)
    ]
    if sum(least) > room:
        return None
    bodies = [max(pair) for pair in zip(words, cells, strict=True)]
    fitting = _narrowed(_narrowed(natural, bodies, room), least, room)
    return _tightened(fitting, words, rows, room) if sum(bodies) > room else fitting


def _narrowed(widths: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Take from the widest column that may still give, until all fit or none may give."""
    narrowed = list(widths)
    while sum(narrowed) > room:
        giving = [at for at, width in enumerate(narrowed) if width > least[at]]
        if not giving:
            break
        narrowed[max(giving, key=narrowed.__getitem__)] -= 1
    return narrowed


def _tightened(
    widths: Sequence[int], words: Sequence[int], rows: Sequence[Lines], room: int
) -> list[int]:
    """Take back what wrapped text leaves unused, for the column that lacks most."""
    tight = [
        max([word, *(display_width(line) for row in rows for line in wrapped(row[at], width))])
        for at, (width, word) in enumerate(zip(widths, words, strict=True))
    ]
    wanted = [max((display_width(row[at]) for row in rows), default=0) for at in range(len(widths))]
    neediest = max(range(len(widths)), key=lambda at: wanted[at] - tight[at])
    tight[neediest] += max(0, min(room - sum(tight), wanted[neediest] - tight[neediest]))
    return tight


def _cells(columns: Sequence[Column], row: Row) -> Lines:
    return [shown(row[column.key], column.kind) for column in columns]


def _broken(word: str, width: int) -> Lines:
    """Break a word that does not fit a line: after hyphens, inside a part only if it must be."""
    lines = [""]
    for part in _AFTER_HYPHEN.split(word):
        if display_width(lines[-1] + part) <= width:
            lines[-1] += part
            continue
        if lines[-1]:
            lines.append("")
        for character in part:
            if display_width(lines[-1] + character) > width and lines[-1]:
                lines.append("")
            lines[-1] += character
    return lines


def _least(cell: str) -> int:
    """Return how narrow a wrapped cell may become: no word of it is cut but a very long one."""
    parts = (part for word in cell.split(" ") for part in _AFTER_HYPHEN.split(word))
    longest = min(max(map(display_width, parts)), LONGEST_WORD)
    return min(display_width(cell), max(longest, NARROWEST_TEXT))


def _padded(text: str, width: int, *, to_the_right: bool = False) -> str:
    blank = " " * (width - display_width(text))
    return blank + text if to_the_right else text + blank


def _width_of(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _one_line(note: str) -> str:
    return visible(note).replace("\n", " ")


def _piped(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
