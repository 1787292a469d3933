"""The row spool: private, ordered, gone when closed."""

from __future__ import annotations

import json
import os
import tempfile
from itertools import groupby, islice, pairwise
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from registry.errors import InputUnreadableError
from registry.intake import admission, row_spool
from registry.intake.row_spool import RowSpool, written
from registry.intake.rows import Page, Row, Values


def add(spool: RowSpool, *lines: tuple[str, int]) -> None:
    """Keep rows of one sheet: the key and the number of each."""
    keys, numbers = [key for key, _ in lines], [number for _, number in lines]
    spool.add(0, keys, numbers, [[key, number, None] for key, number in lines])


def row_of(number: int, key: str) -> Row:
    """Return a row as `add` keeps it."""
    return Row(0, number, (key, number, None))


def page_of(lines: list[tuple[int, str]]) -> Page:
    """Return the same rows as `add` keeps, as a page."""
    runs = [(key, len([*run])) for key, run in groupby(lines, lambda line: line[1])]
    numbers = [number for number, _ in lines]
    columns: list[Values] = [[key for _, key in lines], numbers, [None] * len(lines)]
    return Page(0, [key for key, _ in runs], [length for _, length in runs], numbers, columns)


def test_groups_come_in_the_order_of_their_first_rows(tmp_path: Path) -> None:
    """Rows of one key are brought together, wherever they stood, in file order."""
    spool = RowSpool(tmp_path)
    add(spool, ("b", 2), ("a", 3), ("b", 4))
    add(spool, ("c", 5), ("a", 6))
    spool.seal()
    groups = [[row.number for row in group] for group in spool.groups(rows_max=10)]
    assert groups == [[2, 4], [3, 6], [5]]
    first = next(spool.groups(rows_max=10))[0]
    assert first.values == ("b", 2, None)
    assert spool.pages() is None
    spool.close()


def test_a_group_is_found_by_its_number(tmp_path: Path) -> None:
    """What waits for others is looked up alone: the same rows as when all are gone through."""
    for keys in ("bacabcdbb", "bbbacdd"):
        spool = RowSpool(tmp_path)
        add(spool, *((key, number) for number, key in enumerate(keys, start=2)))
        spool.seal()
        for most in (1, 2, 10):
            groups = list(spool.groups(rows_max=most))
            assert [spool.group(number, rows_max=most) for number in range(4)] == groups
        spool.close()


@given(
    st.lists(st.sampled_from("abcd"), max_size=30),
    st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=9),
)
def test_runs_are_the_groups_where_no_key_stands_apart(
    keys: list[str], cuts: list[tuple[int, bool]]
) -> None:
    """However the rows are handed over: row by row, or some of them as whole pages."""
    rows = [*enumerate(keys, start=2)]
    with tempfile.TemporaryDirectory() as folder:
        spool = RowSpool(Path(folder))
        left = iter(rows)
        for cut, is_page in [*cuts, (len(rows), False)]:
            some = [*islice(left, cut)]
            if is_page and some and some[0][1] != spool.last_key:
                page = page_of(some)
                spool.add_page(page, page.packed())
            else:
                add(spool, *((key, number) for number, key in some))
        spool.seal()
        by_key = {key: [row for row in rows if row[1] == key] for key in keys}
        groups = [*spool.groups(rows_max=100)]
        assert groups == [[row_of(*row) for row in group] for group in by_key.values()]
        assert [spool.group(at, rows_max=100) for at in range(len(groups))] == groups
        pages = spool.pages()
        if len([*groupby(keys)]) > len(by_key):
            assert pages is None
        kept = [*pages] if pages is not None else []
        if pages is not None:
            assert [group for page in kept for group in page.runs()] == groups
        for page in kept:
            assert [*page.keys_of_rows()] == [values[0] for values in page.rows()]
        spool.close()


_cells = st.none() | st.integers(-(2**63), 2**63) | st.text(st.characters(codec="utf-8"))


@given(st.lists(_cells, max_size=6))
def test_values_are_written_as_the_json_module_writes_them(values: list[str | int | None]) -> None:
    """A plan's digest can be repeated by anybody, and every value comes back as it was."""
    row = written(values)
    assert row.decode() == json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    assert from_json(row) == values


def test_a_long_group_is_cut(tmp_path: Path) -> None:
    """Memory is bounded; who asks for one more than allowed sees that there is more."""
    spool = RowSpool(tmp_path)
    add(spool, *(("a", number) for number in range(2, 3_000)))
    add(spool, ("b", 3_000))
    spool.seal()
    assert [len(group) for group in spool.groups(rows_max=5)] == [5, 1]
    spool.close()


def test_no_sorting_in_memory(tmp_path: Path) -> None:
    """Groups are read along two indexes: asking for the first, or one, does not read them all."""
    from registry.intake import row_spool

    spool = RowSpool(tmp_path)
    add(spool, ("a", 2), ("b", 3), ("a", 4))
    spool.seal()
    for query, asked in ((row_spool._GROUPS, ()), (row_spool._GROUP, (1,))):
        plan = spool._connection.execute(f"EXPLAIN QUERY PLAN {query}", asked).fetchall()
        steps = " | ".join(step[3] for step in plan)
        assert "TEMP B-TREE" not in steps
        assert "USING INDEX run_key" in steps
    spool.close()


def test_the_file_is_private_and_goes_away(tmp_path: Path) -> None:
    """0600 whatever the umask; nothing is left, not even beside it; closing twice is once."""
    before = os.umask(0)
    try:
        spool = RowSpool(tmp_path)
    finally:
        os.umask(before)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    add(spool, ("a", 2))
    spool.seal()
    assert list(tmp_path.iterdir()) == [file]
    spool.close()
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_refusals_come_back_in_row_order(tmp_path: Path) -> None:
    """Also those still waiting to be written, sheet by sheet."""
    spool = RowSpool(tmp_path)
    for number in (9, 3, 9):
        spool.refuse(0, number, f"why {number}")
    spool.refuse(1, 4, "other sheet")
    assert list(spool.refusals(0)) == [(3, "why 3"), (9, "why 9"), (9, "why 9")]
    assert list(spool.refusals(1)) == [(4, "other sheet")]
    spool.close()


def test_a_full_disk_is_a_refusal(tmp_path: Path) -> None:
    """What the temporary folder cannot take is said, not shown as a fault of ours."""
    spool = RowSpool(tmp_path)
    spool._connection.execute("PRAGMA max_page_count = 5")
    add(spool, *(("a" * 100 + str(number), number) for number in range(2, 1_000)))
    with pytest.raises(InputUnreadableError) as caught:
        spool.seal()
    assert "TMPDIR" in caught.value.remedy
    spool.close()


def test_a_folder_that_is_gone_is_a_refusal(tmp_path: Path) -> None:
    """Somebody cleaned the temporary folder: said with a word, not shown as a fault of ours."""
    with pytest.raises(InputUnreadableError) as caught:
        RowSpool(tmp_path / "gone")
    assert str(tmp_path) not in str(caught.value)


def test_a_page_of_large_batches_is_a_small_one(tmp_path: Path) -> None:
    """A thousand batches of a thousand rows each would else be in memory at once."""
    spool = RowSpool(tmp_path)
    with mock.patch.object(row_spool, "PAGE_BYTES", 100):
        add(spool, *((key, number) for key in "abcdefgh" for number in range(5)))
        spool.seal()
        pages = spool.pages()
        assert pages is not None
        assert [len(page.numbers) for page in pages] == [10, 10, 10, 10]
    spool.close()


@given(
    st.lists(st.tuples(st.integers(0, 1), st.lists(st.integers(1, 3), min_size=1, max_size=5))),
    st.integers(1, 4),
    st.integers(1, 9),
)
def test_pages_of_as_many_batches_have_the_same_batches(
    sheets: list[tuple[int, list[int]]], batches: int, rows: int
) -> None:
    """In the same order, sheet by sheet; more of them together than they are told only at the end."""
    numbers = iter(range(2, 10_000))
    pages = [
        page_of([(next(numbers), f"{at}/{run}") for run, length in enumerate(lengths) for _ in range(length)])
        ._replace(sheet=sheet)
        for at, (sheet, lengths) in enumerate(sheets)
    ]  # fmt: skip
    with (
        mock.patch.object(admission, "BATCHES_AT_ONCE", batches),
        mock.patch.object(admission, "ROWS_AT_ONCE", rows),
    ):
        found = [*admission._of_as_many_batches(iter(pages))]
    assert [group for page in found for group in page.runs()] == [
        group for page in pages for group in page.runs()
    ]
    assert [key for page in found for key in page.keys] == [
        key for page in pages for key in page.keys
    ]
    for page, following in pairwise(found):
        if len(page.numbers) < rows and page.sheet == following.sheet:
            assert len(page.keys) == batches
