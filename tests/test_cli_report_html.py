"""HTML: one file that needs nothing else, in which every text is text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cli.report_html import html_document
from cli.tables import EMPTY
from cli.values import shown
from registry.safe_text import unformulated
from tests.papers import HOSTILE, document
from tests.program import ucj

VOID = {"meta", "br"}
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "table", "thead", "tbody",
    "tfoot", "tr", "th", "td", "nav", "ul", "li", "a", "div", "section", "p", "br", "code",
}  # fmt: skip
STARTERS = tuple("=+-@\t\r\n")


class Page(HTMLParser):
    """A page as an independent reader sees it; ill-formed nesting is an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[int] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Go into an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(len(self.texts))
            self.texts.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        """Leave the element that was opened last, no other."""
        assert self.texts[self.open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        """Put text to the innermost element."""
        if self.open:
            tag, said = self.texts[self.open[-1]]
            self.texts[self.open[-1]] = (tag, said + data)

    def handle_comment(self, data: str) -> None:
        """There are none."""
        raise AssertionError(data)

    def texts_in(self, tag: str) -> list[str]:
        """Return the texts of all elements of a kind."""
        return [said for each, said in self.texts if each == tag]


@pytest.fixture(name="text", scope="module")
def _text() -> str:
    return "\n".join(html_document(document()))


def test_the_page_is_well_formed_and_every_text_is_text(text: str) -> None:
    """Elements are closed in order, only those of ours are there, and hostile texts read as such."""
    page = Page(text)
    assert {tag for tag, _ in page.elements} <= ALLOWED
    cells = page.texts_in("td")
    for each in HOSTILE:
        assert cells.count(unformulated(shown(each, "text"))) >= 1, each
    assert page.texts_in("h2") == ["One <u>", "Two"]
    assert page.texts_in("h3") == ["First <u>", "Second <u>", "Third <u>"]
    assert page.texts_in("title") == page.texts_in("h1") == ["'=Title <script>"]


def test_nothing_is_fetched_and_nothing_runs(text: str) -> None:
    """No script, no handler, no address but those inside the page; a policy that forbids them."""
    page = Page(text)
    anchors = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    for tag, attributes in page.elements:
        assert tag not in {"script", "link", "img", "iframe", "object", "form", "base"}
        assert attributes.keys() <= {
            "lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "scope",
            "colspan",
        }  # fmt: skip
        if "href" in attributes:
            assert str(attributes["href"]).removeprefix("#") in anchors
    (style,) = page.texts_in("style")
    assert not re.search(r"url\(|@import|expression|http", style)
    policies = [each["content"] for _, each in page.elements if "http-equiv" in each]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_it_is_made_to_be_printed(text: str) -> None:
    """Chapters begin on a new page, heads are repeated, no row is cut in two."""
    _, _, printed = Page(text).texts_in("style")[0].partition("@media print")
    for rule in (
        "break-before: page",
        "display: table-header-group",
        "tr { break-inside: avoid; }",
    ):
        assert rule in printed
    assert text.count("<thead>") == 3


def test_no_cell_is_run_by_a_spreadsheet_that_opens_the_page(text: str) -> None:
    """A spreadsheet reads the cells of a page as if they were typed: none begins a formula."""
    page = Page(text)
    cells = [
        said
        for tag in ("td", "th", "p", "h1", "h2", "h3", "li")
        for said in page.texts_in(tag)
        if not re.fullmatch(r"-?[0-9.,]+( %)?", said)
    ]
    assert not [said for said in cells if said.lstrip(" \"'`")[:1] in STARTERS and said[:1] != "'"]
    assert any(said.startswith("'=") for said in cells), "the judge has seen one"


def test_what_people_are_not_shown_is_not_there(text: str) -> None:
    """Hidden columns, and controls that move a cursor or turn a line around."""
    assert "not for people" not in text
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)
    assert EMPTY in Page(text).texts_in("td")
    assert "Sum <i>" in Page(text).texts_in("td")


def _unescaped() -> Iterator[str]:
    from unittest import mock

    with mock.patch("cli.report_html.escape", str):
        yield from html_document(document())


def test_the_judges_can_find_markup() -> None:
    """Negative control: without the escaping the page is no page any more."""
    with pytest.raises(AssertionError):
        test_the_page_is_well_formed_and_every_text_is_text("\n".join(_unescaped()))


def test_hostile_names_in_a_store(tmp_path: Path) -> None:
    """From the file that is imported to the page: still text."""
    (tmp_path / "batches.csv").write_text(
        "reference,action,area,category,workers,effective_on,covered_until,document\n"
        '=1+1,enrol,16.71,marbot,100,2025-01-01,2025-12-31,"<script>alert(1)</script>"\n'
        '"<b>SK|2</b>",enrol,16.71,guru,50,2025-02-01,,"=HYPERLINK(""http://x"")"\n',
        encoding="utf-8",
    )
    (tmp_path / "potentials.csv").write_text(
        "area,valid_from,workers,definition,source\n"
        "16.71,2024-01-01,1000,<img src=x onerror=alert(1)>,@SUM(A1)\n",
        encoding="utf-8",
    )
    (tmp_path / "figures.csv").write_text(
        "area,as_of,active,publisher,published_on,source\n"
        "16.71,2025-03,150,</td><script>,2025-04-01,=cmd|calc\n",
        encoding="utf-8",
    )
    assert ucj("init", folder=tmp_path).code == 0
    for kind in ("batches", "potentials", "figures"):
        answer = ucj("import", kind, f"{kind}.csv", "--locale", "en", folder=tmp_path)
        assert answer.code == 0, answer
    between = ("--from", "2024-12", "--to", "2025-03")
    assert ucj("report", "16.71", *between, "--output", "r.html", folder=tmp_path).code == 0
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    page = Page(text)
    assert any("<script>alert(1)</script>" in said for said in page.texts_in("td"))
    assert any("<b>SK|2</b>" in said for said in page.texts_in("td"))
    assert "=cmd|calc" in text
    assert not [said for said in page.texts_in("td") if said.startswith(("=", "+cmd", "@"))]
    test_nothing_is_fetched_and_nothing_runs(text)
