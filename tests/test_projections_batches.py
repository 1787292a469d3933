"""One batch whole: its state, what is left of it, what draws on it, all its versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from projections.batches import AmbiguousBatchError, BatchShown, batch_at, find_batch
from registry.commands import RecordBatch
from registry.errors import UnknownBatchError
from tests.ledger_from_doc import Ledger, ledger_document, parsed

_fixture = pytest.fixture(name="ledger_from_doc")(ledger_document)


def batch(
    ledger: Ledger,
    reference: str,
    *,
    on: str = "2025-08-01",
    area: str | None = None,
    part: str | None = None,
    known: int | None = None,
) -> BatchShown:
    """Return a batch of a document."""
    asked = ledger.ask()
    position = asked.position if known is None else known
    key = find_batch(asked, reference, area=area, part=part, known=position)
    return batch_at(asked, key, on=date.fromisoformat(on), known=position)


def test_what_is_left_of_a_batch(ledger_from_doc: Ledger) -> None:
    """100 came, 30 left, 20 moved, 5 are to leave; 40 of the rest are renewed; the days say when.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-03-01 deactivate 16.06 marbot  30 from 2025-02-01 of SK-1 SK-2
    #3 2025-03-01 reclassify 16.06 marbot  20 to guru from 2025-03-01 of SK-1 SK-3
    #4 2025-03-01 deactivate 16.06 marbot   5 from 2025-10-01 of SK-1 SK-4
    #5 2025-03-01 renew      16.06 marbot  40 until 2026-12-31 of SK-1 SK-5
    """
    shown = batch(ledger_from_doc, "SK-1")
    (cohort,) = shown.cohorts
    assert (cohort.brought_in, cohort.left, cohort.moved) == (100, 30, 20)
    assert (cohort.to_leave, cohort.renewed, cohort.active) == (5, 40, 50)
    assert str(cohort.covered_until) == "2025-12-31"
    assert [(each.reference, each.kind, each.workers) for each in shown.dependents] == [
        ("SK-2", "deactivation", -30),
        ("SK-3", "reclassification", -20),
        ("SK-4", "deactivation", -5),
        ("SK-5", "renewal", 40),
    ]
    (before,) = batch(ledger_from_doc, "SK-1", on="2025-01-15").cohorts
    assert (before.left, before.moved, before.to_leave, before.active) == (0, 0, 55, 100)
    (after,) = batch(ledger_from_doc, "SK-1", on="2026-02-01").cohorts
    assert after.active == 0
    (known_then,) = batch(ledger_from_doc, "SK-1", known=2).cohorts
    assert (known_then.left, known_then.moved, known_then.active) == (30, 0, 70)


def test_a_leave_brings_in_no_cohort(ledger_from_doc: Ledger) -> None:
    """Its line says whose heads left; it has no heads of its own.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-03-01 deactivate 16.06 marbot  30 from 2025-02-01 of SK-1 SK-2
    """
    shown = batch(ledger_from_doc, "SK-2")
    assert (shown.workers, shown.cohorts, shown.dependents) == (-30, (), ())
    (line,) = shown.lines
    assert (line.cohort_reference, line.workers) == ("SK-1", -30)


def test_corrected_and_withdrawn_and_recorded_again(ledger_from_doc: Ledger) -> None:
    """The state follows the versions; what was known before stays known.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2025-01-01 SK-1
    """
    ledger = ledger_from_doc
    assert batch(ledger, "SK-1").state == "in-force"
    (command,) = parsed("#2 2025-02-01 enrol 16.06 marbot 98 from 2025-01-01 SK-1")[0].commands
    assert isinstance(command, RecordBatch)
    registry = ledger.store.registry
    registry.record(replace(command, because="two counted twice"))
    corrected = batch(ledger, "SK-1")
    assert (corrected.state, corrected.corrections, corrected.workers) == ("corrected", 1, 98)
    assert [each.workers for each in corrected.versions] == [100, -2]
    assert corrected.versions[1].because == "two counted twice"
    registry.withdraw_batch("16.06", "SK-1", because="mistaken")
    withdrawn = batch(ledger, "SK-1")
    assert (withdrawn.state, withdrawn.lines, withdrawn.workers) == ("withdrawn", (), 0)
    assert str(withdrawn.effective_on) == "2025-01-01"
    assert [each.active for each in withdrawn.cohorts] == []
    registry.record(command)
    again = batch(ledger, "SK-1")
    assert (again.state, again.corrections, again.workers) == ("in-force", 0, 98)
    assert [each.event for each in again.versions] == [
        "batch-enrolled",
        "batch-corrected",
        "batch-withdrawn",
        "batch-enrolled",
    ]
    assert batch(ledger, "SK-1", known=1).workers == 100


def test_a_reference_of_several_areas_needs_its_area(ledger_from_doc: Ledger) -> None:
    """The refusal lists them; parts need telling apart as well, unless one has none.

    #1 2025-01-10 enrol 16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 enrol 16.71 marbot 101 from 2025-01-01 SK-1
    #3 2025-01-10 enrol 11.01 marbot 102 from 2025-01-01 part a SK-2
    #4 2025-01-10 enrol 11.01 marbot 103 from 2025-02-01 part b SK-2
    #5 2025-01-10 enrol 16.06 guru   104 from 2025-02-01 part b SK-1
    """
    ledger = ledger_from_doc
    with pytest.raises(AmbiguousBatchError) as refused:
        batch(ledger, "sk-1")
    assert "16.06" in refused.value.why
    assert "16.71" in refused.value.why
    assert batch(ledger, "sk-1", area="16.06").workers == 100
    assert batch(ledger, "sk-1", area="16.06", part="B").workers == 104
    with pytest.raises(AmbiguousBatchError, match="part b"):
        batch(ledger, "SK-2", area="11.01")
    assert batch(ledger, "SK-2", part="a").workers == 102
    with pytest.raises(UnknownBatchError) as unknown:
        batch(ledger, "SK-1", area="11.71")
    assert "Musi Banyuasin (16.06)" in unknown.value.why
    with pytest.raises(UnknownBatchError):
        batch(ledger, "SK-2", known=2)


def test_a_transfer_under_the_same_reference_is_told_apart(ledger_from_doc: Ledger) -> None:
    """A batch of another area and the same reference that takes heads here is a dependent.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-03-01 reclassify 16.71 marbot  20 out-of 16.06 from 2025-03-01 of SK-1 SK-1
    """
    shown = batch(ledger_from_doc, "SK-1", area="16.06")
    (cohort,) = shown.cohorts
    assert (cohort.brought_in, cohort.moved, cohort.active) == (100, 20, 80)
    (dependent,) = shown.dependents
    assert (dependent.area, dependent.kind, dependent.workers) == ("16.71", "transfer", -20)
    (moved,) = batch(ledger_from_doc, "SK-1", area="16.71").cohorts
    assert (moved.brought_in, moved.active) == (20, 20)


def test_what_left_the_pool_may_be_of_an_open_ended_batch(ledger_from_doc: Ledger) -> None:
    """30 left the category naming no batch: said beside both cohorts without an end, of no other.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-10 enrol      16.06 marbot  40 from 2025-01-01 until 2025-12-31 SK-2
    #3 2025-01-10 enrol      16.06 guru    50 from 2025-01-01 SK-3
    #4 2025-01-10 enrol      16.71 marbot  60 from 2025-01-01 SK-4
    #5 2025-03-01 deactivate 16.06 marbot  30 from 2025-02-01 SK-5 ? draws-on-pool
    """
    found = {
        reference: batch(ledger_from_doc, reference).cohorts[0].pool_draws
        for reference in ("SK-1", "SK-2", "SK-3", "SK-4")
    }
    assert found == {"SK-1": 30, "SK-2": 0, "SK-3": 0, "SK-4": 0}
    assert batch(ledger_from_doc, "SK-1").cohorts[0].active == 100
    (before,) = batch(ledger_from_doc, "SK-1", on="2025-01-31").cohorts
    assert before.pool_draws == 0, "they had not left yet"
    (unknown,) = batch(ledger_from_doc, "SK-1", known=4).cohorts
    assert unknown.pool_draws == 0, "nor was it known"


def test_a_transfer_says_how_many_it_moves(ledger_from_doc: Ledger) -> None:
    """Nothing net, twenty moved; an enrolment moves nobody.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-03-01 reclassify 16.71 marbot  20 out-of 16.06 from 2025-03-01 of SK-1 SK-2
    """
    (version,) = batch(ledger_from_doc, "SK-2").versions
    assert (version.workers, version.moved) == (0, 20)
    (first,) = batch(ledger_from_doc, "SK-1").versions
    assert (first.workers, first.moved) == (100, 0)
