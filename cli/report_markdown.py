"""A document as Markdown that also reads well as plain text. Knows no stream."""

from __future__ import annotations

from collections.abc import Iterator

from cli.listing import Document
from cli.tables import literal, markdown
from cli.values import shown


def markdown_document(document: Document) -> Iterator[str]:
    """Yield the lines of the document: its cover as a list, its sections as tables."""
    yield f"# {literal(document.title)}"
    yield ""
    for row in document.cover.rows:
        for column in document.cover.shown:
            yield f"- {literal(column.title)}: {literal(shown(row[column.key], column.kind))}"
    chapter = ""
    for section, listing in document.answered:
        if section.chapter != chapter:
            chapter = section.chapter
            yield ""
            yield f"## {literal(chapter)}"
        yield ""
        yield f"### {literal(section.title)}"
        yield ""
        yield f"{literal(section.asked)}:"
        yield ""
        yield f"    {section.command}"
        yield ""
        yield from markdown(listing, aligned=True)
