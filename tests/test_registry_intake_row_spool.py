"""The row spool: private, ordered, gone when closed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from registry.errors import InputUnreadableError
from registry.intake.row_spool import RowSpool, written


def line(key: str, number: int) -> tuple[str, int, int, bytes]:
    """Return a row of a key."""
    return key, 0, number, written([key, number, None])


def test_groups_come_in_the_order_of_their_first_rows(tmp_path: Path) -> None:
    """Rows of one key are brought together, wherever they stood, in file order."""
    spool = RowSpool(tmp_path)
    spool.add([line("b", 2), line("a", 3), line("b", 4)])
    spool.add([line("c", 5), line("a", 6)])
    spool.seal()
    groups = [[row.number for row in group] for group in spool.groups(rows_max=10)]
    assert groups == [[2, 4], [3, 6], [5]]
    first = next(spool.groups(rows_max=10))[0]
    assert (first.values, first.written) == (["b", 2, None], b'["b",2,null]')
    spool.close()


def test_a_group_is_found_by_its_number(tmp_path: Path) -> None:
    """What waits for others is looked up alone: the same rows as when all are gone through."""
    spool = RowSpool(tmp_path)
    spool.add([line(key, number) for number, key in enumerate("bacabcdbb", start=2)])
    spool.seal()
    for most in (1, 2, 10):
        groups = list(spool.groups(rows_max=most))
        assert [spool.group(number, rows_max=most) for number in range(4)] == groups
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
    spool.add([line("a", number) for number in range(2, 3_000)])
    spool.add([line("b", 3_000)])
    spool.seal()
    assert [len(group) for group in spool.groups(rows_max=5)] == [5, 1]
    spool.close()


def test_no_sorting_in_memory(tmp_path: Path) -> None:
    """Groups are read along two indexes: asking for the first, or one, does not read them all."""
    from registry.intake import row_spool

    spool = RowSpool(tmp_path)
    spool.seal()
    for query, asked in ((row_spool._GROUPS, ()), (row_spool._GROUP, (1, 1))):
        plan = spool._connection.execute(f"EXPLAIN QUERY PLAN {query}", asked).fetchall()
        steps = " | ".join(step[3] for step in plan)
        assert "TEMP B-TREE" not in steps
        assert "USING INDEX line_key" in steps
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
    spool.add([line("a", 2)])
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
    with pytest.raises(InputUnreadableError) as caught:
        spool.add([line("a" * 100, number) for number in range(2, 1_000)])
    assert "TMPDIR" in caught.value.remedy
    spool.close()


def test_a_folder_that_is_gone_is_a_refusal(tmp_path: Path) -> None:
    """Somebody cleaned the temporary folder: said with a word, not shown as a fault of ours."""
    with pytest.raises(InputUnreadableError) as caught:
        RowSpool(tmp_path / "gone")
    assert str(tmp_path) not in str(caught.value)
