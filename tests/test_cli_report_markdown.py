"""Markdown: tables that a reader of Markdown takes for tables, and texts that it takes for texts."""

from __future__ import annotations

import re

import pytest

from cli.report_markdown import markdown_document
from cli.tables import display_width
from tests.papers import HOSTILE, document

UNESCAPED = r"(?<!\\)(?:\\\\)*"


@pytest.fixture(name="lines", scope="module")
def _lines() -> list[str]:
    return list(markdown_document(document()))


def tables(lines: list[str]) -> list[list[list[str]]]:
    """Return the cells of each table, split at the bars that are no text."""
    found: list[list[list[str]]] = [[]]
    for line in lines:
        if line.startswith("|"):
            found[-1].append([each.strip() for each in re.split(UNESCAPED + r"\|", line)[1:-1]])
        elif found[-1]:
            found.append([])
    return [each for each in found if each]


def test_every_table_is_well_formed(lines: list[str]) -> None:
    """A head, a rule, and as many cells in each row; whatever stands in them."""
    found = tables(lines)
    assert [len(each) for each in found] == [2 + len(HOSTILE), 4, 2]
    for table in found:
        assert {len(row) for row in table} == {7}
        assert all(re.fullmatch("-{2,}:?", cell) for cell in table[1])
    assert found[1][-1][:1] == ["**Sum \\<i\\>**"]


def test_no_text_is_markup(lines: list[str]) -> None:
    """What Markdown or HTML would read as more than text has a backslash before it."""
    told = [line for line in lines if not line.startswith(("|", "#", "- ", "    "))]
    told += [
        cell for table in tables(lines) for row in table[2:] for cell in row if "**" not in cell
    ]
    for line in told:
        assert not re.search(r"[<>`*\[\]&#]", _bare(line)), line
    assert not any(re.search("[\x00-\x09\x0b-\x1f\u202e]", line) for line in lines)


def _bare(line: str) -> str:
    """Return a line without the pairs of a backslash and what it escapes."""
    return re.sub(r"\\.", "", line)


def test_it_reads_well_as_text(lines: list[str]) -> None:
    """Columns stand under each other, numbers to the right; a long cell pushes its own row only."""
    text = "\n".join(lines)
    (second,) = re.findall(r"(?<=### Second \\<u\\>\n).*?(?=\n## )", text, re.DOTALL)
    rows = [line for line in second.splitlines() if line.startswith("|")]
    assert len({display_width(row) for row in rows}) == 1
    assert re.search(r"\| +-45,000 \|", rows[2])


def test_the_order_of_the_document(lines: list[str]) -> None:
    """Title, cover, chapters with their sections, each with its command."""
    heads = [line for line in lines if line.startswith("#")]
    assert heads == [
        "# =Title \\<script\\>",
        "## One \\<u\\>",
        "### First \\<u\\>",
        "### Second \\<u\\>",
        "## Two",
        "### Third \\<u\\>",
    ]
    assert lines.count("    ucj x") == 3
    assert "- From: 2024-12-31" in lines
