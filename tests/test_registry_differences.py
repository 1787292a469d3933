"""registry.differences: where a file says something else than is recorded, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from registry.commands import BatchLine, RecordBatch
from registry.errors import RuleBrokenError
from registry.terms import Action, Funding, Programme, Segment
from tests.stores import Store

LINE = BatchLine("guru", 10, segment=Segment.PU, covered_until=date(2025, 12, 31), row=2)
ENROL = RecordBatch(
    Action.ENROL,
    "16.06",
    "SK-1",
    (LINE,),
    effective_on=date(2025, 1, 1),
    funding=Funding.APBN,
    row=2,
)


@pytest.fixture(name="store")
def _store() -> Iterator[Store]:
    store = Store(None)
    store.registry.record(ENROL)
    yield store
    store.close()


def line(**changes: Any) -> RecordBatch:
    """Return the batch with another line."""
    return replace(ENROL, lines=(replace(LINE, **changes),))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (line(category="marbot"), "category: recorded guru, the file says marbot"),
        (line(workers=12), "workers: recorded 10, the file says 12"),
        (line(segment=Segment.BPU), "segment: recorded PU, the file says BPU"),
        (line(segment=None), "segment: recorded PU, the file says nothing"),
        (
            line(covered_until=date(2026, 6, 30)),
            "covered_until: recorded 2025-12-31, the file says 2026-06-30",
        ),
        (replace(ENROL, funding=Funding.CSR), "funding: recorded apbn, the file says csr"),
        (
            replace(ENROL, effective_on=date(2025, 2, 1)),
            "effective_on: recorded 2025-01-01, the file says 2025-02-01",
        ),
        (replace(ENROL, note="ralat"), "note: recorded nothing, the file says ralat"),
        (
            replace(ENROL, programmes=(Programme.JKM, Programme.JKK)),
            "programmes: recorded nothing, the file says JKK;JKM",
        ),
        (
            replace(ENROL, rejected=(("duplicate", 3),), proposed=13),
            (
                "proposed: recorded nothing, the file says 13; rejected: recorded nothing, the file says"
                " duplicate:3"
            ),
        ),
        (
            replace(ENROL, lines=(LINE, BatchLine("bpd", 5, row=3))),
            "workers: recorded nothing, the file says 5 bpd",
        ),
        (
            replace(ENROL, action=Action.OPENING, lines=(replace(LINE, covered_until=None),)),
            (
                "action: recorded enrol, the file says opening; "
                "covered_until: recorded 2025-12-31, the file says nothing"
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_both_are_shown_and_the_cell_is_named(store: Store, said: RecordBatch, words: str) -> None:
    """What is recorded and what the file says, of every column that differs and of no other."""
    with pytest.raises(RuleBrokenError) as refused:
        store.registry.record(said)
    assert refused.value.what == f"SK-1 is recorded with other content: {words}"


def test_a_batch_that_is_drawn_on_is_named_as_written(store: Store) -> None:
    """Though it is compared whatever its case: another spelling alone is no difference."""
    store.registry.record(replace(ENROL, reference="SK-1 Lama"))
    leave = RecordBatch(
        Action.DEACTIVATE,
        "16.06",
        "SK-2",
        (BatchLine("guru", 6, of_batch="SK-1", row=2),),
        effective_on=date(2025, 2, 1),
    )
    store.registry.record(leave)
    other = replace(leave, lines=(replace(leave.lines[0], of_batch="sk-1 lama"),))
    with pytest.raises(RuleBrokenError) as refused:
        store.registry.record(other)
    assert refused.value.what.endswith("of_batch: recorded SK-1, the file says SK-1 Lama")
    same = replace(leave, lines=(replace(leave.lines[0], of_batch="sk-1"),))
    assert store.registry.record(same).decision == "already-recorded"


def test_another_part_of_the_batch_that_is_drawn_on_is_told(store: Store) -> None:
    """One document with parts: the rows differ in nothing else."""
    for part in ("a", "b"):
        store.registry.record(replace(ENROL, reference="SK-3", part=part))
    line = BatchLine("guru", 6, of_batch="SK-3", of_part="a", row=2)
    day = date(2025, 2, 1)
    leave = RecordBatch(Action.DEACTIVATE, "16.06", "SK-2", (line,), effective_on=day)
    store.registry.record(leave)
    with pytest.raises(RuleBrokenError) as refused:
        store.registry.record(replace(leave, lines=(replace(line, of_part="B"),)))
    assert refused.value.what.endswith("other content: of_part: recorded a, the file says b")


def test_a_move_is_counted_once(store: Store) -> None:
    """A reclassification of 6 has two legs, and moves 6."""
    move = RecordBatch(
        Action.RECLASSIFY,
        "16.06",
        "SK-2",
        (BatchLine("marbot", 6, from_category="guru", of_batch="SK-1", row=2),),
        effective_on=date(2025, 2, 1),
        row=2,
    )
    assert store.registry.record(move).decision == "recorded"
    seven = replace(move, lines=(replace(move.lines[0], workers=7),))
    with pytest.raises(RuleBrokenError, match="content: workers: recorded 6, the file says 7"):
        store.registry.record(seven)


def test_where_heads_were_moved_from_is_told(store: Store) -> None:
    """Another category, batch or area that they leave: the leg that enters is the same."""
    enrolled = replace(ENROL, reference="SK-4", lines=(replace(LINE, category="bpd"),))
    store.registry.record(enrolled)
    store.registry.record(replace(ENROL, area="16.07"))
    line = BatchLine("marbot", 6, from_category="guru", of_batch="SK-1", row=2)
    day = date(2025, 2, 1)
    move = RecordBatch(Action.RECLASSIFY, "16.06", "SK-2", (line,), effective_on=day, row=2)
    store.registry.record(move)
    category = (
        "from_category: recorded guru, the file says bpd;"
        " of_batch: recorded SK-1, the file says SK-4"
    )
    for other, words in (
        (replace(line, from_category="bpd", of_batch="SK-4"), category),
        (replace(line, from_area="16.07"), "from_area: recorded nothing, the file says 16.07"),
    ):
        with pytest.raises(RuleBrokenError) as refused:
            store.registry.record(replace(move, lines=(other,)))
        assert refused.value.what.endswith(f"other content: {words}")


def test_the_same_is_no_difference(store: Store) -> None:
    """Negative control: order and rows are no content."""
    assert store.registry.record(replace(ENROL, row=9)).decision == "already-recorded"
