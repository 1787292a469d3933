"""A transaction is decided in pages, which nobody may notice: what is recorded is that of one page."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import Final, cast

import pytest
from hypothesis import given, note

from projections.coverage import coverage_at
from registry import recording
from registry.balances import Finding
from registry.batch import Stamp
from registry.commands import BatchLine, Command, PublishFigure, RecordBatch, RevisePotential
from registry.recording import PAGE_COMMANDS, REMEMBERED_BATCHES
from registry.storage.log import StoredRow
from registry.storage.mapper import EventMapper
from registry.terms import Action
from tests.ledger_from_doc import attempted
from tests.stores import EPOCH, Admitted, Store, Unguarded
from tests.strategies import History, histories

AREA: Final = "16.06"
FIRST_DAY: Final = date(2025, 1, 1)
LAST_DAY: Final = date(2025, 12, 31)
BATCHES: Final = REMEMBERED_BATCHES + 2 * PAGE_COMMANDS
WHOLE: Final = 10**9
Outcome = tuple[list[StoredRow], object, object]


def _enrol(number: int, workers: int = 10) -> RecordBatch:
    line = BatchLine("guru", workers, covered_until=LAST_DAY)
    return RecordBatch(Action.ENROL, AREA, f"SK-{number}", (line,), effective_on=FIRST_DAY)


def _leave(reference: str, of: str, workers: int) -> RecordBatch:
    line = BatchLine("guru", workers, of_batch=of)
    day = date(2025, 6, 1)
    return RecordBatch(Action.DEACTIVATE, AREA, reference, (line,), effective_on=day)


def _renew(reference: str, of: str, workers: int, until: date) -> RecordBatch:
    line = BatchLine("guru", workers, of_batch=of, covered_until=until)
    return RecordBatch(Action.RENEW, AREA, reference, (line,))


def _far_apart() -> tuple[Command, ...]:
    """Return commands of five pages, newest first where they draw on others; some in each page.

    Batch 1 is said twice, 2 corrected, 3 withdrawn and recorded again, 4 corrected twice: each at
    the other end of the transaction, after it was forgotten.
    """
    renewals = [
        _renew("R-1", "SK-5", 8, date(2026, 12, 31)),
        _renew("R-2", "R-1", 8, date(2027, 12, 31)),
        _renew("R-3", "R-2", 8, date(2028, 12, 31)),
    ]
    leaves = [_leave(f"K-{n}", f"SK-{n}", 1) for n in range(5, BATCHES, 400)]
    again: list[Command] = [
        _enrol(1),
        replace(_enrol(2, 9), because="one twice"),
        RecordBatch(Action.WITHDRAW, AREA, "SK-3", (), because="mistaken"),
        _enrol(3, 7),
        replace(_enrol(4, 9), because="one twice"),
        replace(_enrol(4, 8), because="two twice"),
        _leave("K-again", "SK-5", 1),
        RevisePotential(AREA, FIRST_DAY, 1_000_000, "workers", "a source"),
    ]
    return (*reversed(renewals), *leaves, *map(_enrol, range(1, BATCHES)), *again)


HEADS: Final = 10 * (BATCHES - 1) - 1 - 3 - 2 - len(range(5, BATCHES, 400)) - 1
"""Those enrolled, less the corrections of 2, 3 and 4, less those who left."""


def _outcome(store: Store, commands: Sequence[Command], *, in_file: bool) -> Outcome:
    """Record the commands; return the log, the counts and what was said of them."""
    if in_file:
        recorded = store.registry.import_file(Admitted(tuple(commands), 1))
    else:
        recorded = store.registry.record(*commands)
    assert recorded.decision == "recorded", recorded.problems
    return _log(store), recorded.counts, recorded.problems


def _log(store: Store) -> list[StoredRow]:
    with closing(store.log()) as log:
        return list(log.rows())


@pytest.mark.parametrize("in_file", [False, True], ids=["typed", "in-a-file"])
def test_pages_of_a_transaction_are_as_one(
    monkeypatch: pytest.MonkeyPatch, *, in_file: bool
) -> None:
    """Byte for byte, whatever lies in another page: what is drawn on, corrected or said again."""
    commands = _far_apart()
    if in_file:
        commands = tuple(each for each in commands if isinstance(each, RecordBatch))
    assert len(commands) > REMEMBERED_BATCHES + 2 * PAGE_COMMANDS
    with closing(Store(None)) as store:
        in_pages = _outcome(store, commands, in_file=in_file)
        with store.ledger() as ledger:
            (row,) = coverage_at(ledger, [AREA], date(2025, 6, 1))
            assert row.active == HEADS
            (row,) = coverage_at(ledger, [AREA], date(2028, 12, 31))
            assert row.active == 8
    rows, counts, _ = in_pages
    assert len(rows) == len(commands) - 1 + in_file
    assert getattr(counts, "already_recorded", None) == 1
    monkeypatch.setattr(recording, "PAGE_COMMANDS", WHOLE)
    monkeypatch.setattr(recording, "PAGE_LINES", WHOLE)
    monkeypatch.setattr(recording, "REMEMBERED_BATCHES", WHOLE)
    with closing(Store(None)) as store:
        assert _outcome(store, commands, in_file=in_file) == in_pages


def test_a_batch_of_many_rows_ends_a_page() -> None:
    """A page is bounded by rows as well; none is lost and none comes twice."""
    large = replace(_enrol(2), lines=_enrol(2).lines * recording.PAGE_LINES)
    commands = [_enrol(1), large, *map(_enrol, range(3, PAGE_COMMANDS + 4))]
    pages = list(recording._pages(commands))
    assert [len(page) for page in pages] == [2, PAGE_COMMANDS, 1]
    assert [each for page in pages for each in page] == commands


@given(history=histories())
def test_any_transaction_in_pages_of_one_is_as_a_whole(history: History) -> None:
    """Also refused ones: the same is found wrong with them, in the same words."""

    def log_of(page: int) -> list[object]:
        with (
            closing(Store(None, balances=Unguarded())) as store,
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setattr(recording, "PAGE_COMMANDS", page)
            patch.setattr(recording, "REMEMBERED_BATCHES", 0 if page == 1 else WHOLE)
            found = [attempted(store, each.commands) for each in history.steps if each.commands]
            said = [(each.decision, each.problems, each.counts) for each in found]
            return [*said, *_log(store)]

    in_pages, whole = log_of(1), log_of(WHOLE)
    note(f"{history!r}")
    assert in_pages == whole


class _Asked(Unguarded):
    """Balances that count how often the rules are asked."""

    times = 0

    def follow(self, since: int, expected: int) -> None:
        """Follow nothing."""

    def findings(self, *_: object, **__: object) -> list[Finding]:
        """Count, and find nothing."""
        self.times += 1
        return super().findings()


def test_what_moves_nobody_asks_no_rule() -> None:
    """A figure or a potential opens no ledger under the lock, unless a closing may be about it."""
    balances = _Asked()
    potential = RevisePotential(AREA, FIRST_DAY, 1_000, "workers", "BPS")
    figure = PublishFigure(AREA, "2025-01-31", "BPS", "page 1", active=10)
    with closing(Store(None, balances)) as store:
        store.registry.record(potential, figure)
        assert balances.times == 0
        store.registry.record(_enrol(1))
        assert balances.times == 1
        store.registry.record(_enrol(1), replace(figure, source="page 2"))
        assert balances.times == 1, "the batch is recorded already"
        store.registry.close_period(AREA, FIRST_DAY)
        asked = balances.times
        store.registry.record(replace(potential, workers=900))
        assert balances.times == asked + 1


def test_progress_comes_to_all_commands_even_where_some_wait_for_each_other() -> None:
    """A bar that stopped short would look as if something had been left out."""
    heard: list[int] = []
    commands = (
        _leave("K-1", "K-2", 1),
        _leave("K-2", "K-1", 1),
        _enrol(1),
        _leave("K-3", "SK-1", 1),
    )
    with closing(Store(None)) as store, store.registry.log_recorder.write() as transaction:
        mapper = cast("EventMapper", store.registry.mapper)
        decided = recording.Recording(transaction, mapper, Stamp(1, EPOCH, "tests"))
        decided.decide(commands, draws=True, progress=heard.append)
        transaction.discard()
    assert {each.code for each in decided.problems} == {"circular"}
    assert sum(heard) == len(commands)
