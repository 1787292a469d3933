"""The fold is a map over the log: any partition of it, in any order, gives the same rows."""

from __future__ import annotations

import tempfile
from contextlib import closing
from datetime import date
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from projections import fold
from projections.ledger import connect
from registry.commands import BatchLine, RecordBatch
from registry.terms import Action
from tests.stores import Store
from tests.strategies import History, histories
from tests.test_properties_histories import play


def folded(chunks: list[list[str]]) -> dict[str, list[str]]:
    """Return all rows of all tables after folding chunks of lines one after the other."""
    with tempfile.TemporaryDirectory() as folder, closing(connect(parallel=False)) as connection:
        fold.create_tables(connection)
        for number, lines in enumerate(chunks):
            pages = [lines] if lines else []  # a log has no empty pages
            chunk = fold.Chunk.written(Path(folder) / f"{number}", pages, bytes_wanted=1)
            if chunk is not None:
                fold.fold_chunk(connection, chunk)
        return {
            table: sorted(map(repr, connection.execute(f"FROM {table}").fetchall()))
            for table in fold.TABLES
        }


@settings(max_examples=max(1, settings().max_examples // 5))
@given(history=histories(steps_max=3), random=st.randoms(use_true_random=False))
def test_any_partition_in_any_order_folds_to_the_same_rows(
    history: History, random: Random
) -> None:
    """Also each event by itself: the fold needs no state and looks nothing up."""
    store = Store(None)
    for step in history.steps:
        play(store, step, history.oracle)
    lines = [line for page in store.log().lines() for line in page]
    store.close()
    whole = folded([lines])
    assert len(whole["events"]) == len(lines)
    random.shuffle(lines)
    cut = random.randint(0, len(lines))
    assert folded([part for part in (lines[:cut], lines[cut:]) if part]) == whole
    alone = random.sample(lines, min(2, len(lines)))
    rest = [line for line in lines if line not in alone]
    assert folded([*([line] for line in alone), *([rest] if rest else [])]) == whole


def test_a_fold_that_depends_on_order_would_be_seen() -> None:
    """Negative control: the comparison sees a missing and a doubled event."""
    store = Store(None)
    for number in (1, 2):
        store.registry.record(
            RecordBatch(
                Action.ENROL,
                "16.06",
                f"SK-{number}",
                (BatchLine("marbot", number),),
                effective_on=date(2025, 1, 1),
            )
        )
    lines = [line for page in store.log().lines() for line in page]
    store.close()
    whole = folded([lines])
    assert folded([lines[:1]]) != whole
    assert folded([lines, lines[:1]]) != whole
    assert folded([lines[1:], lines[:1]]) == whole
