"""A document as one HTML file that needs nothing else, to be read on a screen and printed.

Knows no stream. There is no script in it and nothing is fetched; every word is text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Final

from cli.escapes import visible
from cli.listing import Column, Document, Listing, Section
from cli.tables import EMPTY, is_number, total_cells
from cli.values import shown
from registry.language import language, said
from registry.safe_text import unformulated

_STYLE: Final = """
:root { color-scheme: light; }
body { font: 11pt/1.45 system-ui, sans-serif; color: #111; background: #fff; max-width: 72rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; border-bottom: 2px solid #111; }
h3 { margin: 2rem 0 .25rem; }
table { border-collapse: collapse; margin: .75rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ccc; overflow-wrap: anywhere; }
thead th { vertical-align: bottom; border-bottom: 2px solid #111; overflow-wrap: normal; }
tfoot td { font-weight: bold; border-top: 2px solid #111; }
.n { text-align: right; } td.n, td.d { white-space: nowrap; overflow-wrap: normal; }
.cover th { font-weight: normal; color: #444; white-space: nowrap; }
.asked, code { color: #444; font-size: .9em; } .asked { margin: 0; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
p { max-width: 48rem; margin: .4rem 0; }
@page { size: A4; margin: 15mm 12mm 18mm; @bottom-right { content: counter(page); } }
@media print {
  body { font-size: 9pt; max-width: none; margin: 0; padding: 0; }
  a { color: inherit; text-decoration: none; }
  .chapter { break-before: page; }
  h2, h3, .asked { break-after: avoid; }
  thead { display: table-header-group; } tfoot { display: table-row-group; }
  tr { break-inside: avoid; }
}
"""
# Nothing may be fetched and nothing may run, whatever stands in the text.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def html_document(document: Document) -> Iterator[str]:
    """Yield the lines of the document: cover, contents, and a table for each section."""
    title = _text(document.title)
    yield "<!DOCTYPE html>"
    yield f'<html lang="{language()}">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title>"
    yield f"<style>{_STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield f"<h1>{title}</h1>"
    yield from _cover(document.cover)
    yield from _contents(document.sections)
    for chapter, answered in groupby(document.answered, key=lambda each: each[0].chapter):
        yield '<div class="chapter">'
        yield f"<h2>{_text(chapter)}</h2>"
        for section, listing in answered:
            yield from _section(section, listing)
        yield "</div>"
    yield "</body>"
    yield "</html>"


def _cover(cover: Listing) -> Iterator[str]:
    yield '<table class="cover">'
    for row in cover.rows:
        for column in cover.shown:
            fact = _text(shown(row[column.key], column.kind))
            yield f'<tr><th scope="row">{_text(column.title)}</th><td>{fact}</td></tr>'
    yield "</table>"


def _contents(sections: Sequence[Section]) -> Iterator[str]:
    yield "<nav><ul>"
    for chapter, inside in groupby(sections, key=lambda each: each.chapter):
        links = ", ".join(f'<a href="#{_anchor(each)}">{_text(each.title)}</a>' for each in inside)
        yield f"<li>{_text(chapter)}: {links}</li>"
    yield "</ul></nav>"


def _section(section: Section, listing: Listing) -> Iterator[str]:
    columns = listing.shown
    yield f'<section id="{_anchor(section)}">'
    yield f"<h3>{_text(section.title)}</h3>"
    yield (f'<p class="asked">{_text(section.asked)}:<br><code>{_text(section.command)}</code></p>')
    yield "<table>"
    yield f"<thead>{_row('th', columns, [column.title for column in columns])}</thead>"
    yield "<tbody>"
    empty = True
    for row in listing.rows:
        empty = False
        yield _row("td", columns, [shown(row[column.key], column.kind) for column in columns])
    if empty:
        yield f'<tr><td colspan="{len(columns)}">{said(EMPTY)}</td></tr>'
    yield "</tbody>"
    if total := total_cells(listing):
        yield f"<tfoot>{_row('td', columns, total)}</tfoot>"
    yield "</table>"
    yield from (f"<p>{_text(visible(said(note)))}</p>" for note in listing.notes if note)
    yield "</section>"


def _row(element: str, columns: Sequence[Column], cells: Sequence[str]) -> str:
    written = (
        f"<{element}{_class(column)}>{escape(cell) if is_number(column.kind) else _text(cell)}</{element}>"
        for column, cell in zip(columns, cells, strict=True)
    )
    return f"<tr>{''.join(written)}</tr>"


def _class(column: Column) -> str:
    if is_number(column.kind):
        return ' class="n"'
    return ' class="d"' if column.kind in {"date", "instant"} else ""


def _anchor(section: Section) -> str:
    return section.name.lower().replace(" ", "-")


def _text(text: str) -> str:
    """Return a text as HTML: no markup, and nothing a spreadsheet that opens the file would run."""
    return escape(unformulated(text))
