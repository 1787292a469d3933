"""The glossary explains every word of the closed lists, and no link to it leads nowhere."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Final

import pytest

from registry import terms

ROOT: Final = Path(__file__).parent.parent
GLOSSARY: Final = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
LISTS: Final = [
    one
    for one in vars(terms).values()
    if isinstance(one, type) and issubclass(one, StrEnum) and one is not StrEnum
]
WORDS: Final = sorted({str(word) for one in LISTS for word in one})
# Words that are no member of a list.
PRACTICE: Final = ("bps", "kpj", "nik", "sipp", "sk", "tmt", "ucj", "cakupan", "wilayah")


def _anchors(text: str) -> set[str]:
    """Return the anchors that a renderer makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _links() -> list[tuple[str, str]]:
    """Return (file, anchor) of every link to the glossary, from it or from anywhere else."""
    found = [("docs/glossary.md", anchor) for anchor in re.findall(r"\]\(#([^)]+)\)", GLOSSARY)]
    for folder in ("registry", "projections", "cli", "docs", "."):
        pattern = "*.md" if folder == "." else "**/*"
        for path in sorted((ROOT / folder).glob(pattern)):
            if path.suffix in {".py", ".sql", ".md"} and path.is_file():
                text = path.read_text(encoding="utf-8")
                name = str(path.relative_to(ROOT))
                found += [(name, one) for one in re.findall(r"glossary\.md#([\w-]+)", text)]
    return found


def test_the_lists_are_found() -> None:
    """The lists of registry/terms.py are seen: the next test asks about something."""
    assert {"Segment", "Programme", "Funding", "LeaveReason"} <= {one.__name__ for one in LISTS}


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_a_closed_list_is_explained(word: str) -> None:
    """Each member stands in the glossary as it is written in files."""
    assert f"`{word}`" in GLOSSARY


@pytest.mark.parametrize("word", PRACTICE)
def test_every_word_of_practice_has_an_entry(word: str) -> None:
    """Abbreviations of the law and of the offices have an anchor of their own."""
    assert word in _anchors(GLOSSARY)


def test_no_link_leads_nowhere() -> None:
    """Every link to an entry of the glossary names an entry that exists."""
    links = _links()
    assert len(links) > len(PRACTICE)
    assert [link for link in links if link[1] not in _anchors(GLOSSARY)] == []
