"""The rules, given/when/then: every docstring is a ledger that a registrar could check by hand.

The document itself says what is admitted and what is refused (tests/ledger_from_doc.py); the
oracle judges every transaction beside the registry.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from projections.coverage import coverage_at
from registry.commands import BatchLine, RecordBatch
from registry.errors import RuleBrokenError, StoreDamagedError
from registry.terms import Action
from tests.ledger_from_doc import Ledger, ledger_document, ledger_of, parsed
from tests.stores import Store, Unguarded

_fixture = pytest.fixture(name="ledger_from_doc")(ledger_document)


def _refusal(ledger: Ledger) -> str:
    """Return in words why the last transaction was refused."""
    return "\n".join(each.why for each in ledger.recorded[-1].problems)


# --- rule 2: within the cohort's life -----------------------------------------------------------


def test_a_leave_after_the_end_of_the_term_is_refused(ledger_from_doc: Ledger) -> None:
    """Who has left by themselves cannot be deactivated; on the last covered day they can.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    -- 2026-02-01 deactivate 16.06 pekerja-rentan  10 from 2026-01-01 of SK-1 SK-2  ! outside-term
    #2 2026-02-01 deactivate 16.06 pekerja-rentan  10 from 2025-12-31 of SK-1 SK-2
    """
    assert ledger_from_doc.active("16.06", on="2025-12-30") == 100
    assert ledger_from_doc.active("16.06", on="2025-12-31") == 90
    assert ledger_from_doc.active("16.06", on="2026-01-01") == 0


def test_a_leave_before_the_first_day_is_refused(ledger_from_doc: Ledger) -> None:
    """Nobody leaves before being covered; leaving on the first day means never covered.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    -- 2025-02-01 deactivate 16.06 pekerja-rentan  10 from 2024-12-31 of SK-1 SK-2  ! outside-term
    #2 2025-02-01 deactivate 16.06 pekerja-rentan  10 from 2025-01-01 of SK-1 SK-2
    """
    assert ledger_from_doc.active("16.06", on="2024-12-31") is None
    assert ledger_from_doc.active("16.06", on="2025-01-01") == 90


# --- rule 3: renewals ---------------------------------------------------------------------------


def test_only_the_survivors_are_renewed(ledger_from_doc: Ledger) -> None:
    """Of 100, 30 had left: 70 survive, and no more can be renewed.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-06-10 deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-1 for arrears SK-2
    -- 2025-12-10 renew      16.06 pekerja-rentan  71 until 2026-12-31 of SK-1 SK-3  ! renewal-exceeds-survivors
    #3 2025-12-10 renew      16.06 pekerja-rentan  70 until 2026-12-31 of SK-1 SK-3
    """
    assert "only 70 are left the day before" in "\n".join(
        each.why for recorded in ledger_from_doc.recorded for each in recorded.problems
    )
    assert ledger_from_doc.active("16.06", on="2025-12-31") == 70
    assert ledger_from_doc.active("16.06", on="2026-01-01") == 70
    assert ledger_from_doc.active("16.06", on="2026-01-01", known="#2") == 0
    assert ledger_from_doc.active("16.06", on="2027-01-01") == 0


def test_renew_batch_renews_whoever_survives(ledger_from_doc: Ledger) -> None:
    """The registry counts the survivors itself: 70 of 100.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-06-10 deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-1 for arrears SK-2
    """
    registry = ledger_from_doc.store.registry
    until = date(2026, 12, 31)
    registry.renew_batch("16.06", "sk-1", until=until, new_reference="SK-3")
    found = (
        ledger_from_doc.ask()
        .connection.execute("SELECT workers FROM entries WHERE kind = 'renewal'")
        .fetchall()
    )
    assert found == [(70,)]
    with pytest.raises(RuleBrokenError, match="is left to renew"):
        registry.renew_batch("16.06", "SK-1", until=until, new_reference="SK-4")


def test_renew_batch_renews_the_term_that_was_named(ledger_from_doc: Ledger) -> None:
    """A batch with two terms of one category: `old_term` says which of them is renewed.

    #1 2025-01-10 enrol 16.06 pekerja-rentan 100 from 2025-01-01 until 2025-06-30 SK-1
    +             enrol 16.06 pekerja-rentan  40 from 2025-01-01 until 2025-12-31 SK-1
    """
    registry = ledger_from_doc.store.registry
    until = date(2026, 12, 31)
    registry.renew_batch(
        "16.06", "SK-1", until=until, new_reference="SK-2", old_term=date(2025, 12, 31)
    )
    found = (
        ledger_from_doc.ask()
        .connection.execute("SELECT workers, effective_on FROM entries WHERE kind = 'renewal'")
        .fetchall()
    )
    assert found == [(40, date(2026, 1, 1))]


def test_a_backdated_leave_may_not_undercut_a_renewal(ledger_from_doc: Ledger) -> None:
    """60 of 100 renewed, then 50 left before: 10 of them were renewed, and must be named.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-12-10 renew      16.06 pekerja-rentan  60 until 2026-12-31 of SK-1 SK-2
    -- 2026-02-01 deactivate 16.06 pekerja-rentan  50 from 2025-10-01 of SK-1 SK-3  ! renewal-exceeds-survivors
    #3 2026-02-01 deactivate 16.06 pekerja-rentan  50 from 2025-10-01 of SK-1 SK-3
    +             deactivate 16.06 pekerja-rentan  10 from 2026-01-01 of SK-2 part renewed SK-3
    """
    assert ledger_from_doc.active("16.06", on="2025-12-31") == 50
    assert ledger_from_doc.active("16.06", on="2026-01-01") == 50
    assert ledger_from_doc.active("16.06", on="2026-01-01", known="#2") == 60


def test_naming_renewed_heads_cannot_be_undone_alone(ledger_from_doc: Ledger) -> None:
    """Withdrawing the leave that named the renewed would leave 60 renewed of 50 survivors.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-12-10 renew      16.06 pekerja-rentan  60 until 2026-12-31 of SK-1 SK-2
    #3 2026-02-01 deactivate 16.06 pekerja-rentan  50 from 2025-10-01 of SK-1 SK-3
    +             deactivate 16.06 pekerja-rentan  10 from 2026-01-01 of SK-2 SK-4
    -- 2026-03-01 withdraw   16.06 SK-4 because mistaken  ! renewal-exceeds-survivors
    #5 2026-03-01 withdraw   16.06 SK-4 because mistaken
    +             withdraw   16.06 SK-3 because mistaken
    """
    assert ledger_from_doc.active("16.06", on="2026-01-01") == 60


def test_renewed_heads_that_are_moved_on_the_first_day_stay_renewed(
    ledger_from_doc: Ledger,
) -> None:
    """Moving renewed heads to another category makes no room for renewing others in their place.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-12-10 renew      16.06 pekerja-rentan 100 until 2026-12-31 of SK-1 SK-2
    #3 2026-01-10 reclassify 16.06 pekerja-rentan  50 to marbot from 2026-01-01 of SK-2 SK-3
    -- 2026-01-11 renew      16.06 pekerja-rentan  50 until 2026-12-31 of SK-1 SK-4  ! renewal-exceeds-survivors
    """
    assert ledger_from_doc.active("16.06", on="2026-01-01") == 100
    assert ledger_from_doc.active("16.06", on="2026-01-01", category="marbot") == 50


def test_what_has_no_end_is_not_renewed(ledger_from_doc: Ledger) -> None:
    """A renewal continues a term.

    #1 2025-01-10 enrol 16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    -- 2025-12-10 renew 16.06 pekerja-rentan 100 until 2026-12-31 of SK-1 SK-2  ! outside-term
    """
    assert ledger_from_doc.active("16.06", on="2026-01-01") == 100


# --- what others depend on ----------------------------------------------------------------------


def test_a_term_is_not_corrected_while_a_leave_depends_on_it(ledger_from_doc: Ledger) -> None:
    """The leave took from heads until December; with another term these heads are not there.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-06-10 deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-1 SK-2
    -- 2025-07-01 correct    16.06 pekerja-rentan 100 from 2025-01-01 until 2025-09-30 because misread SK-1  ! cohort-below-zero
    """
    assert "these take from it: SK-2 (30 on 2025-06-01)" in _refusal(ledger_from_doc)
    assert ledger_from_doc.active("16.06", on="2025-10-01") == 70


def test_a_term_is_corrected_together_with_the_leave(ledger_from_doc: Ledger) -> None:
    """In one transaction, in any order, both may change.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-06-10 deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-1 SK-2
    #3 2025-07-01 correct    16.06 pekerja-rentan  30 from 2025-06-02 of SK-1 because misread SK-2
    +             correct    16.06 pekerja-rentan 100 from 2025-01-01 until 2025-09-30 because misread SK-1
    """
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 100
    assert ledger_from_doc.active("16.06", on="2025-06-02") == 70
    assert ledger_from_doc.active("16.06", on="2025-10-01") == 0
    assert ledger_from_doc.active("16.06", on="2025-10-01", known="#2") == 70


def test_a_payer_is_corrected_together_with_what_draws_on_it(ledger_from_doc: Ledger) -> None:
    """Who pays tells heads apart: of the old payer there are none any more, though nobody takes more.

    #1 2025-01-10 enrol      16.06 guru 100 from 2025-01-01 until 2025-12-31 by apbn SK-1
    #2 2025-06-10 deactivate 16.06 guru  30 from 2025-06-01 of SK-1 SK-2
    #3 2025-12-10 renew      16.06 guru  70 until 2026-12-31 of SK-1 SK-3
    -- 2025-12-11 correct    16.06 guru 100 from 2025-01-01 until 2025-12-31 by csr because misread SK-1  ! cohort-below-zero ! renewal-exceeds-survivors
    -- 2025-12-11 correct    16.06 guru 100 from 2025-01-01 until 2025-12-31 by apbn segment BPU because misread SK-1  ! cohort-below-zero ! renewal-exceeds-survivors
    #4 2025-12-11 correct    16.06 guru 100 from 2025-01-01 until 2025-12-31 by csr because misread SK-1
    +             correct    16.06 guru  30 from 2025-06-01 of SK-1 because misread SK-2
    +             correct    16.06 guru  70 until 2026-12-31 of SK-1 because misread SK-3
    """
    leave, renewal = (problem.why for problem in ledger_from_doc.recorded[3].problems)
    assert "its funding is corrected from apbn to csr; these take from it: SK-2 (30 on" in leave
    assert "renewed from 2026-01-01 (SK-3) would not be there any more: its funding is" in renewal
    (leave, _) = (problem.why for problem in ledger_from_doc.recorded[4].problems)
    assert "its segment is corrected from nothing to BPU" in leave
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 70


def test_a_batch_is_not_withdrawn_while_a_leave_stands(ledger_from_doc: Ledger) -> None:
    """Refused and listed; once the leave is withdrawn too, both go.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-06-10 deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-1 SK-2
    -- 2025-07-01 withdraw   16.06 SK-1 because mistaken  ! cohort-below-zero
    #3 2025-07-01 withdraw   16.06 SK-1 because mistaken
    +             withdraw   16.06 SK-2 because mistaken
    """
    refused = ledger_from_doc.recorded[2]
    assert "these take from it: SK-2 (30 on 2025-06-01)" in refused.problems[0].why
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 0
    assert ledger_from_doc.active("16.06", on="2025-06-01", known="#2") == 70


def test_withdraw_batch_lists_what_depends_on_it(ledger_from_doc: Ledger) -> None:
    """The method says the same as the command.

    #1 2025-01-10 enrol 16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-12-10 renew 16.06 pekerja-rentan  60 until 2026-12-31 of SK-1 SK-2
    """
    registry = ledger_from_doc.store.registry
    with pytest.raises(RuleBrokenError, match="only 0 are left the day before"):
        registry.withdraw_batch("16.06", "SK-1", because="mistaken")
    assert ledger_from_doc.head() == 2
    registry.withdraw_batch("16.06", "SK-2", because="mistaken")
    registry.withdraw_batch("16.06", "SK-1", because="mistaken")
    with pytest.raises(RuleBrokenError, match="is withdrawn"):
        registry.withdraw_batch("16.06", "SK-1", because="mistaken")
    with pytest.raises(RuleBrokenError, match=r"16\.06 has no such batch: SK-9"):
        registry.withdraw_batch("16.06", "SK-9", because="mistaken")


def test_a_correction_counts_only_once_known(ledger_from_doc: Ledger) -> None:
    """100 turn out to have been 98, from the first day on, as known from the correction on.

    #1 2025-01-10 enrol   16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    #2 2025-03-01 correct 16.06 pekerja-rentan  98 from 2025-01-01 because duplicate SK-1
    -- 2025-03-02 correct 16.06 pekerja-rentan  98 from 2025-01-01 because duplicate SK-1  ! rule-broken
    """
    assert ledger_from_doc.active("16.06", on="2025-06-01", known="#1") == 100
    assert ledger_from_doc.active("16.06", on="2025-06-01", known="#2") == 98
    assert "nothing to correct" in _refusal(ledger_from_doc)


def test_a_correction_below_what_left_is_refused(ledger_from_doc: Ledger) -> None:
    """100 cannot become 20 while 30 left; 30 they can become.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-06-10 deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-1 SK-2
    -- 2025-07-01 correct    16.06 pekerja-rentan  20 from 2025-01-01 until 2025-12-31 because misread SK-1  ! cohort-below-zero
    #3 2025-07-01 correct    16.06 pekerja-rentan  30 from 2025-01-01 until 2025-12-31 because misread SK-1
    """
    assert ledger_from_doc.active("16.06", on="2025-05-31") == 30
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 0


def test_the_same_lines_under_another_reference_are_warned_of(ledger_from_doc: Ledger) -> None:
    """In any order; of another day, another term or other heads they are not, nor once withdrawn.

    #1 2025-01-10 enrol      16.06 marbot 100 from 2025-01-01 until 2025-12-31 SK-1
    +             enrol      16.06 guru    50 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-01-11 enrol      16.06 guru    50 from 2025-01-01 until 2025-12-31 SK-2  ? looks-like-duplicate
    +             enrol      16.06 marbot 100 from 2025-01-01 until 2025-12-31 SK-2
    #3 2025-01-12 enrol      16.06 marbot 100 from 2025-01-01 until 2025-12-31 SK-3
    #4 2025-01-12 enrol      16.06 marbot 100 from 2025-01-02 until 2025-12-31 SK-4
    #5 2025-01-12 enrol      16.06 marbot 100 from 2025-01-01 until 2025-12-30 SK-5
    #6 2025-01-12 enrol      16.06 marbot  99 from 2025-01-01 until 2025-12-31 SK-6
    #7 2025-01-12 enrol      16.71 marbot 100 from 2025-01-01 until 2025-12-31 SK-7
    #8 2025-01-13 withdraw   16.06 SK-3 because mistaken
    #9 2025-01-14 enrol      16.06 marbot 100 from 2025-01-01 until 2025-12-31 SK-9
    #10 2025-01-15 enrol     16.06 marbot 100 from 2025-01-01 until 2025-12-31 SK-10  ? looks-like-duplicate
    """
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 2 * 150 + 4 * 100 + 99


def test_a_leave_that_names_no_batch_is_warned_of_where_others_have_terms(
    ledger_from_doc: Ledger,
) -> None:
    """On its day, in its regency and category; before they begin and after they end it is not.

    #1 2025-01-01 enrol      16.06 marbot 100 from 2025-01-01 SK-1
    #2 2025-01-01 enrol      16.06 marbot  50 from 2025-03-01 until 2025-06-30 SK-2
    #3 2025-01-02 deactivate 16.06 marbot   1 from 2025-02-28 SK-3
    #4 2025-01-02 deactivate 16.06 marbot   1 from 2025-03-01 SK-4  ? draws-on-pool
    #5 2025-01-02 deactivate 16.06 marbot   1 from 2025-06-30 SK-5  ? draws-on-pool
    #6 2025-01-02 deactivate 16.06 marbot   1 from 2025-07-01 SK-6
    #7 2025-01-02 deactivate 16.06 marbot  50 from 2025-03-01 of SK-2 SK-7
    #8 2025-01-02 deactivate 16.06 marbot   1 from 2025-04-01 SK-8
    """
    assert ledger_from_doc.active("16.06", on="2025-12-31") == 95


def test_a_correction_keeps_the_action(ledger_from_doc: Ledger) -> None:
    """Everything may change but area, identity and action: in and out are two actions.

    #1 2025-01-10 balance-in  16.06 pekerja-rentan 100 from 2025-01-01 note counted SK-1
    -- 2025-01-11 enrol       16.06 pekerja-rentan 100 from 2025-01-01 because misread SK-1  ! rule-broken
    -- 2025-01-11 balance-out 16.06 pekerja-rentan  10 from 2025-01-01 because misread SK-1  ! rule-broken  ? draws-on-pool
    #2 2025-01-11 correct     16.06 pekerja-rentan  10 from 2025-01-01 because misread SK-1
    """
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 10


# --- rule 1: nobody below zero -------------------------------------------------------------------


def test_more_than_a_batch_cannot_leave_it(ledger_from_doc: Ledger) -> None:
    """130 do not leave a batch of 100, even where others are there.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    #2 2025-01-10 enrol      16.06 pekerja-rentan 101 from 2025-01-01 SK-2
    -- 2025-06-10 deactivate 16.06 pekerja-rentan 130 from 2025-06-01 of SK-1 SK-3  ! cohort-below-zero
    #3 2025-06-10 deactivate 16.06 pekerja-rentan 100 from 2025-06-01 of SK-1 SK-3
    """
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 101


def test_a_backdated_leave_counts_against_later_ones(ledger_from_doc: Ledger) -> None:
    """60 left in June; of 100 only 40 can have left in March, or June comes out below zero.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    #2 2025-06-10 deactivate 16.06 pekerja-rentan  60 from 2025-06-01 of SK-1 SK-2
    -- 2025-07-10 deactivate 16.06 pekerja-rentan  41 from 2025-03-01 of SK-1 SK-3  ! cohort-below-zero
    #3 2025-07-10 deactivate 16.06 pekerja-rentan  40 from 2025-03-01 of SK-1 SK-3
    """
    assert ledger_from_doc.active("16.06", on="2025-03-01") == 60
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 0


def test_what_a_batch_lacks_is_not_told_of_the_pool_again(ledger_from_doc: Ledger) -> None:
    """Of the pool only what is amiss besides: 9 who named the opening, and 8 who named no batch.

    #1 2025-01-10 opening    16.06 guru 98 from 2024-12-31 SK-0
    -- 2025-02-10 deactivate 16.06 guru 99 from 2025-02-01 of SK-0 SK-1  ! cohort-below-zero
    #2 2025-02-10 deactivate 16.06 guru  9 from 2025-02-01 of SK-0 SK-1
    -- 2025-02-11 withdraw   16.06 SK-0 because misread  ! cohort-below-zero
    #3 2025-03-10 deactivate 16.06 guru  8 from 2025-03-01 SK-2
    -- 2025-03-11 withdraw   16.06 SK-0 because misread  ! cohort-below-zero ! pool-below-zero
    """
    assert "guru of 16.06 without an end would be -17" in _refusal(ledger_from_doc)


def test_a_leave_that_names_no_batch_takes_from_those_without_an_end(
    ledger_from_doc: Ledger,
) -> None:
    """The pool: open-ended heads of the category, with a warning how many others have terms.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 segment BPU SK-1
    #2 2025-01-10 enrol      16.06 pekerja-rentan  40 from 2025-01-01 until 2025-12-31 SK-2
    #3 2025-06-10 deactivate 16.06 pekerja-rentan  30 from 2025-06-01 SK-3  ? draws-on-pool
    -- 2025-07-10 deactivate 16.06 pekerja-rentan  71 from 2025-07-01 SK-4  ! pool-below-zero ? draws-on-pool
    #4 2026-07-10 deactivate 16.06 pekerja-rentan  70 from 2026-07-01 SK-4
    """
    warned = ledger_from_doc.recorded[2].problems[0]
    assert "another 40 of them have terms" in warned.why
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 110
    assert ledger_from_doc.active("16.06", on="2025-06-01", segment="BPU") == 100
    assert ledger_from_doc.active("16.06", on="2025-06-01", segment="not-attributed") == 10
    assert ledger_from_doc.active("16.06", on="2026-07-01") == 0


def test_workers_are_at_least_one(ledger_from_doc: Ledger) -> None:
    """Rule 5: no batch moves nobody, and none moves fewer than nobody.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    -- 2025-06-10 deactivate 16.06 pekerja-rentan   0 from 2025-06-01 of SK-1 SK-2  ! workers
    -- 2025-06-10 deactivate 16.06 pekerja-rentan -10 from 2025-06-01 of SK-1 SK-2  ! workers
    -- 2025-06-10 enrol      16.06 pekerja-rentan -10 from 2025-06-01 SK-2          ! workers
    """
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 100


def test_a_batch_without_rows_is_refused(ledger_from_doc: Ledger) -> None:
    """Nothing is not a batch, whatever the action.

    #1 2025-01-10 enrol 16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    """
    for action in (Action.ENROL, Action.RENEW, Action.DEACTIVATE, Action.CORRECT):
        command = RecordBatch(
            action, "16.06", "SK-1", (), effective_on=date(2025, 1, 1), because="mistaken"
        )
        with pytest.raises(RuleBrokenError, match="no rows"):
            ledger_from_doc.store.registry.record(command)
    assert ledger_from_doc.head() == 1


# --- rule 4: the opening ------------------------------------------------------------------------


def test_a_batch_back_filled_before_the_opening_is_refused(ledger_from_doc: Ledger) -> None:
    """The opening states the stock at the end of its day: what is effective by then is in it.

    #1 2025-01-10 opening 16.06 pekerja-rentan 100 from 2024-12-31 SALDO
    -- 2025-02-01 enrol   16.06 pekerja-rentan  20 from 2024-06-01 SK-1  ! before-opening
    -- 2025-02-01 enrol   16.06 pekerja-rentan  20 from 2024-12-31 SK-1  ! before-opening
    #2 2025-02-01 enrol   16.06 pekerja-rentan  20 from 2025-01-01 SK-1
    #3 2025-02-01 enrol   16.71 pekerja-rentan  20 from 2024-06-01 SK-1
    """
    assert ledger_from_doc.active("16.06", on="2024-12-31") == 100
    assert ledger_from_doc.active("16.06", on="2024-12-30") is None
    assert ledger_from_doc.active("16", on="2025-01-01") == 140


def test_an_opening_is_not_moved_over_what_came_after_it(ledger_from_doc: Ledger) -> None:
    """The same holds where the opening itself comes later, or is corrected to a later day.

    #1 2025-02-01 enrol   16.06 pekerja-rentan  20 from 2025-01-15 SK-1
    -- 2025-02-01 opening 16.06 pekerja-rentan 100 from 2025-01-31 SALDO  ! before-opening
    #2 2025-02-01 opening 16.06 pekerja-rentan 100 from 2024-12-31 SALDO
    -- 2025-02-01 correct 16.06 pekerja-rentan 100 from 2025-01-15 because misread SALDO  ! before-opening
    """
    assert ledger_from_doc.active("16.06", on="2025-01-15") == 120


def test_an_area_has_one_opening(ledger_from_doc: Ledger) -> None:
    """Two are refused, one after the other and in one transaction; a withdrawn one is none.

    -- 2025-01-10 opening  16.06 pekerja-rentan 100 from 2024-12-31 SALDO-1  ! second-opening
    +             opening  16.06 pekerja-rentan  90 from 2024-11-30 SALDO-2
    #1 2025-01-10 opening  16.06 pekerja-rentan 100 from 2024-12-31 SALDO-1
    -- 2025-01-10 opening  16.06 pekerja-rentan  90 from 2025-12-31 SALDO-2  ! second-opening
    #2 2025-01-10 withdraw 16.06 SALDO-1 because mistaken
    +             opening  16.06 pekerja-rentan  90 from 2024-11-30 SALDO-2
    """
    assert ledger_from_doc.active("16.06", on="2024-12-31") == 90


# --- identity -----------------------------------------------------------------------------------


def test_one_document_with_two_dates_has_parts(ledger_from_doc: Ledger) -> None:
    """Another date under the same reference is other content; as a part it is another batch.

    #1 2025-01-10 enrol 16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    -- 2025-01-10 enrol 16.06 pekerja-rentan  50 from 2025-07-01 SK-1            ! recorded-otherwise
    #2 2025-01-10 enrol 16.06 pekerja-rentan  50 from 2025-07-01 part juli SK-1
    #3 2025-08-01 deactivate 16.06 pekerja-rentan 50 from 2025-08-01 of SK-1 of-part Juli SK-2
    -- 2025-08-01 deactivate 16.06 pekerja-rentan 101 from 2025-08-01 of SK-1 SK-3  ! cohort-below-zero
    """
    assert "give it a `part`" in ledger_from_doc.recorded[1].problems[0].remedy
    assert ledger_from_doc.active("16.06", on="2025-07-01") == 150
    assert ledger_from_doc.active("16.06", on="2025-08-01") == 100


def test_a_withdrawn_reference_is_recorded_again(ledger_from_doc: Ledger) -> None:
    """As the next version of its stream, with other content or the same, and a warning.

    #1 2025-01-10 enrol    16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    #2 2025-01-11 withdraw 16.06 SK-1 because mistaken
    #3 2025-01-12 enrol    16.06 marbot 80 from 2025-02-01 SK-1  ? recorded-again
    #4 2025-01-13 withdraw 16.06 SK-1 because mistaken
    #5 2025-01-14 enrol    16.06 pekerja-rentan 100 from 2025-01-01 SK-1  ? recorded-again
    """
    in_may = [ledger_from_doc.active("16.06", on="2025-05-01", known=f"#{n}") for n in range(1, 6)]
    assert in_may == [100, 0, 80, 0, 100]


def test_a_reference_spelt_differently_is_the_same(ledger_from_doc: Ledger) -> None:
    """Case, spaces and full-width letters do not make another batch; the first spelling stays.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 part "A b" "SK 12/2025"
    #1 2025-01-11 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 part "a  B" "sk12 / 2025"  ? spelling-differs
    #2 2025-02-10 deactivate 16.06 pekerja-rentan  30 from 2025-02-01 of "ＳＫ 12/2025" of-part "a b" SK-2
    #3 2025-03-10 correct    16.06 pekerja-rentan  98 from 2025-01-01 until 2025-12-31 part "A B" because duplicate "Sk 12/2025"
    -- 2025-03-11 enrol      16.06 pekerja-rentan  90 from 2025-01-01 until 2025-12-31 part "A B" "sK 12/2025"  ! recorded-otherwise
    """
    assert ledger_from_doc.active("16.06", on="2025-02-01") == 68
    found = (
        ledger_from_doc.ask()
        .connection.execute("SELECT DISTINCT cohort_reference, cohort_part FROM entries")
        .fetchall()
    )
    assert found == [("SK 12/2025", "A b")]


def test_what_is_recorded_already_is_counted_and_changes_nothing(ledger_from_doc: Ledger) -> None:
    """Also where it says what a correction has since replaced: then it warns.

    #1 2025-01-10 enrol   16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    +             enrol   16.06 marbot          10 from 2025-01-01 SK-2
    #2 2025-01-11 enrol   16.06 marbot          10 from 2025-01-01 SK-2
    +             enrol   16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    #3 2025-03-01 correct 16.06 pekerja-rentan  98 from 2025-01-01 because duplicate SK-1
    #3 2025-03-02 enrol   16.06 pekerja-rentan 100 from 2025-01-01 SK-1  ? corrected-since
    """
    assert [each.decision for each in ledger_from_doc.recorded] == [
        "recorded",
        "already-recorded",
        "recorded",
        "already-recorded",
    ]
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 108


def test_rows_corrected_together_with_what_they_draw_on_are_known(ledger_from_doc: Ledger) -> None:
    """The old rows name a category that SK-1 no longer has; they say what was said until then.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-06-10 deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-1 SK-2
    #3 2025-07-01 correct    16.06 marbot         100 from 2025-01-01 until 2025-12-31 because misread SK-1
    +             correct    16.06 marbot          30 from 2025-06-01 of SK-1 because misread SK-2
    #5 2025-08-01 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1  ? corrected-since
    +             deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-1 SK-2
    +             enrol      16.06 guru             5 from 2025-08-01 SK-3
    #5 2025-08-02 deactivate 16.06 marbot          30 from 2025-06-01 of SK-1 SK-2
    """
    grown, corrected = ledger_from_doc.recorded[-2:]
    assert (grown.counts.new, grown.counts.already_recorded) == (1, 2)
    assert [each.value for each in grown.problems] == ["SK-1", "SK-2"]
    assert (corrected.decision, corrected.problems) == ("already-recorded", ())
    assert ledger_from_doc.active("16.06", on="2025-08-01") == 75


def test_rows_of_a_corrected_term_and_its_renewals_are_known(ledger_from_doc: Ledger) -> None:
    """Read now, the leave would take from the new term, and the renewal start on another day.

    #1 2025-01-10 enrol      16.06 guru 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-06-10 deactivate 16.06 guru  30 from 2025-06-01 of SK-1 SK-2
    #3 2025-12-10 renew      16.06 guru  70 from 2026-01-01 until 2026-12-31 of SK-1 SK-3
    #4 2026-02-10 deactivate 16.06 guru  10 from 2026-02-01 of SK-3 SK-4
    #5 2026-03-01 correct    16.06 guru 100 from 2025-01-01 until 2025-11-30 because misread SK-1
    +             correct    16.06 guru  31 from 2025-06-01 of SK-1 because misread SK-2
    +             correct    16.06 guru  69 from 2025-12-01 until 2026-11-30 of SK-1 because misread SK-3
    +             correct    16.06 guru  11 from 2026-02-01 of SK-3 because misread SK-4
    #8 2026-03-02 deactivate 16.06 guru  10 from 2026-02-01 of SK-3 SK-4  ? corrected-since
    +             renew      16.06 guru  70 from 2026-01-01 until 2026-12-31 of SK-1 SK-3
    +             deactivate 16.06 guru  30 from 2025-06-01 of SK-1 SK-2
    +             enrol      16.06 guru 100 from 2025-01-01 until 2025-12-31 SK-1
    """
    assert len(ledger_from_doc.recorded[-1].problems) == 4
    assert ledger_from_doc.active("16.06", on="2026-02-01") == 58


def test_rows_that_drew_on_what_was_withdrawn_are_known(ledger_from_doc: Ledger) -> None:
    """The heads turned out to be of another document, in another area: both were set right.

    #1 2025-01-10 enrol      16.06 guru 100 from 2025-01-01 SK-1
    #2 2025-01-10 enrol      16.71 guru 100 from 2025-01-01 SK-2
    #3 2025-06-10 reclassify 11.71 guru  30 from 2025-06-01 out-of 16.06 of SK-1 PINDAH
    #4 2025-07-01 withdraw   16.06 SK-1 because mistaken
    +             correct    11.71 guru  30 from 2025-06-01 out-of 16.71 of SK-2 because mistaken PINDAH
    #5 2025-08-01 reclassify 11.71 guru  30 from 2025-06-01 out-of 16.06 of SK-1 PINDAH  ? corrected-since
    #5 2025-08-01 reclassify 11.71 guru  30 from 2025-06-01 out-of 16.71 of SK-2 PINDAH
    """
    assert ledger_from_doc.active("16.71", on="2025-06-01") == 70


def test_a_row_that_fits_several_since_stays_what_it_was(ledger_from_doc: Ledger) -> None:
    """SK-1 was of one category when SK-2 was recorded; SK-2 itself was never corrected.

    #1 2025-01-10 enrol      16.06 guru 100 from 2025-01-01 SK-1
    #2 2025-06-10 deactivate 16.06 any   30 from 2025-06-01 of SK-1 SK-2
    #3 2025-07-01 correct    16.06 guru   60 from 2025-01-01 because misread SK-1
    +             correct    16.06 marbot 40 from 2025-01-01 because misread SK-1
    #3 2025-08-01 deactivate 16.06 any   30 from 2025-06-01 of SK-1 SK-2
    -- 2025-08-01 deactivate 16.06 any   30 from 2025-06-01 of SK-1 SK-3  ! ambiguous-cohort
    """
    assert ledger_from_doc.active("16.06", on="2025-06-01", category="guru") == 30


def test_a_row_that_was_never_said_is_refused(ledger_from_doc: Ledger) -> None:
    """Neither now nor then: halves of two statements make no third, and a new batch is read now.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    #2 2025-06-10 deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-1 SK-2
    #3 2025-07-01 correct    16.06 marbot         100 from 2025-01-01 because misread SK-1
    +             correct    16.06 marbot          25 from 2025-06-01 of SK-1 because misread SK-2
    -- 2025-08-01 deactivate 16.06 pekerja-rentan  25 from 2025-06-01 of SK-1 SK-2  ! no-such-cohort
    -- 2025-08-01 deactivate 16.06 marbot          30 from 2025-06-01 of SK-1 SK-2  ! recorded-otherwise
    -- 2025-08-01 deactivate 16.06 guru            30 from 2025-06-01 of SK-1 SK-2  ! no-such-cohort
    -- 2025-08-01 deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-9 SK-2  ! unknown-batch
    -- 2025-08-01 deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-1 SK-3  ! no-such-cohort
    #5 2025-08-01 withdraw   16.06 SK-2 because mistaken
    -- 2025-08-02 deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-1 SK-2  ! no-such-cohort
    """
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 100


def test_the_same_batch_twice_in_one_transaction_is_one(ledger_from_doc: Ledger) -> None:
    """Two sheets of one file may say the same; said otherwise, the transaction is refused.

    #1 2025-01-10 enrol 16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    """
    once = RecordBatch(
        action=Action.ENROL,
        area="16.06",
        reference="SK-2",
        lines=(BatchLine("marbot", 10),),
        effective_on=date(2025, 1, 1),
    )
    otherwise = replace(once, lines=(BatchLine("marbot", 11),))
    registry = ledger_from_doc.store.registry
    with pytest.raises(RuleBrokenError, match="recorded with other content"):
        registry.record(once, otherwise)
    recorded = registry.record(once, once)
    assert (recorded.counts.new, recorded.counts.already_recorded) == (1, 1)
    assert (recorded.first_position, recorded.last_position) == (2, 2)


# --- moves and balances -------------------------------------------------------------------------


def test_a_transfer_keeps_the_sum_of_the_nation(ledger_from_doc: Ledger) -> None:
    """Who moves away leaves one regency and enters another on the same day, term and all.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-06-10 reclassify 16.71 pekerja-rentan  30 from 2025-06-01 out-of 16.06 of SK-1 PINDAH-1
    -- 2025-06-10 reclassify 16.71 pekerja-rentan  71 from 2025-06-01 out-of 16.06 of SK-1 PINDAH-2  ! cohort-below-zero
    -- 2025-06-10 reclassify 16.06 pekerja-rentan  10 from 2025-06-01 out-of 16.06 of SK-1 PINDAH-3  ! cohort
    -- 2025-06-10 enrol      11.71 marbot 1 from 2025-01-01 until 2024-12-31 SK-1  ! outside-term
    """
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 70
    assert ledger_from_doc.active("16.71", on="2025-06-01") == 30
    assert ledger_from_doc.active("16.71", on="2025-05-31") is None
    assert ledger_from_doc.active("ID", on="2025-06-01") == 100
    assert ledger_from_doc.active("ID", on="2026-01-01") == 0


def test_a_reclassification_keeps_the_sum_of_the_area(ledger_from_doc: Ledger) -> None:
    """Heads change category, and may leave and be renewed as what they have become.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 segment BPU SK-1
    #2 2025-06-10 reclassify 16.06 pekerja-rentan  30 to marbot from 2025-06-01 of SK-1 SK-2
    #3 2025-06-10 deactivate 16.06 marbot           5 from 2025-07-01 of SK-2 SK-3
    -- 2025-06-10 deactivate 16.06 pekerja-rentan   1 from 2025-07-01 of SK-2 SK-4  ! no-such-cohort
    #4 2025-12-10 renew      16.06 marbot          25 until 2026-12-31 of SK-2 SK-5
    -- 2025-12-10 renew      16.06 pekerja-rentan  71 until 2026-12-31 of SK-1 SK-6  ! renewal-exceeds-survivors
    """
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 100
    assert ledger_from_doc.active("16.06", on="2025-06-01", category="marbot") == 30
    assert ledger_from_doc.active("16.06", on="2025-06-01", segment="BPU") == 100
    assert ledger_from_doc.active("16.06", on="2026-01-01") == 25


def test_a_balance_counts_in_both_directions(ledger_from_doc: Ledger) -> None:
    """Balancing entries bring in and take out, under the same rules as everything else.

    #1 2025-01-10 opening     16.06 pekerja-rentan 100 from 2024-12-31 SALDO
    #2 2025-06-10 balance-in  16.06 pekerja-rentan  20 from 2025-06-01 note unexplained B-1
    #3 2025-07-10 balance-out 16.06 pekerja-rentan  50 from 2025-07-01 note unexplained B-2
    -- 2025-07-10 balance-out 16.06 pekerja-rentan  71 from 2025-07-01 note unexplained B-3  ! pool-below-zero
    -- 2025-07-10 balance-in  16.06 pekerja-rentan   1 from 2024-12-31 note unexplained B-4  ! before-opening
    """
    assert ledger_from_doc.active("16.06", on="2025-06-01") == 120
    assert ledger_from_doc.active("16.06", on="2025-07-01") == 70


# --- within a transaction -----------------------------------------------------------------------


def test_order_within_a_transaction_does_not_matter(ledger_from_doc: Ledger) -> None:
    """A leave before its enrolment, a renewal before both.

    #1 2025-01-10 renew      16.06 pekerja-rentan  70 until 2026-12-31 of SK-1 SK-3
    +             deactivate 16.06 pekerja-rentan  30 from 2025-06-01 of SK-1 SK-2
    +             enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    """
    assert ledger_from_doc.active("16.06", on="2026-01-01") == 70


def test_inside_a_transaction_is_not_known_yet(ledger_from_doc: Ledger) -> None:
    """Rules hold at its end: a position inside it means the last one before it.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 SK-1
    #2 2025-02-10 enrol      16.06 pekerja-rentan  10 from 2025-01-01 SK-2
    +             deactivate 16.06 pekerja-rentan  10 from 2025-02-01 of SK-1 SK-3
    """
    oracle = ledger_from_doc.oracle
    assert oracle.known(2) is oracle.known(1)
    assert ledger_from_doc.active("16.06", on="2025-02-01", known="#3") == 100
    assert ledger_from_doc.active("16.06", on="2025-02-01", known="#1") == 100


def test_batches_that_name_each_other_are_refused(ledger_from_doc: Ledger) -> None:
    """Nobody comes from nowhere: neither by a circle, nor by a batch that names itself.

    -- 2025-01-10 reclassify 16.06 marbot 5 to guru   from 2025-01-01 of SK-2 SK-1  ! circular
    +             reclassify 16.06 guru   5 to marbot from 2025-01-01 of SK-1 SK-2
    -- 2025-01-10 reclassify 16.06 marbot 5 to guru   from 2025-01-01 of SK-1 SK-1  ! circular
    #1 2025-01-10 enrol      16.06 marbot 5 from 2025-01-01 SK-0
    #2 2025-01-10 reclassify 16.06 marbot 5 to guru   from 2025-01-01 of SK-0 SK-1
    -- 2025-01-10 correct    16.06 guru   5 to bpd    from 2025-01-01 of SK-1 because misread SK-1  ! circular
    """
    assert ledger_from_doc.active("16.06", on="2025-01-01", category="guru") == 5


def test_a_draw_that_fits_several_cohorts_is_refused(ledger_from_doc: Ledger) -> None:
    """Never a guess: the row says which, by segment or by the last covered day.

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-06-30 SK-1
    +             enrol      16.06 pekerja-rentan  40 from 2025-01-01 until 2025-12-31 SK-1
    -- 2025-02-10 deactivate 16.06 pekerja-rentan  10 from 2025-02-01 of SK-1 SK-2  ! ambiguous-cohort
    -- 2025-02-10 deactivate 16.06 pekerja-rentan  10 from 2025-02-01 until 2025-07-31 of SK-1 SK-2  ! no-such-cohort
    #2 2025-02-10 deactivate 16.06 pekerja-rentan  10 from 2025-02-01 until 2025-12-31 of SK-1 SK-2
    -- 2025-02-10 deactivate 16.06 pekerja-rentan  10 from 2025-02-01 of SK-9 SK-3  ! unknown-batch
    -- 2025-02-10 deactivate 16.06 pekerja-rentan  10 from 2025-02-01 until 2025-12-31 SK-3  ! cohort
    """
    assert ledger_from_doc.active("16.06", on="2025-02-01") == 130
    assert ledger_from_doc.active("16.06", on="2025-07-01") == 30


def test_the_potential_in_force_is_the_latest(ledger_from_doc: Ledger) -> None:
    """The latest valid_from up to the date; among equals the latest recorded.

    #1 2025-01-10 potential 16.06 1000 from 2025-01-01
    #2 2025-01-10 potential 16.06 1200 from 2025-07-01
    #3 2025-01-11 potential 16.06 1100 from 2025-01-01
    #3 2025-01-11 potential 16.06 1100 from 2025-01-01
    #4 2025-01-11 potential 16.06 1000 from 2025-01-01
    #5 2025-01-11 enrol 16.06 marbot 6 from 2025-01-01 SK-1
    """
    for on, known, potential in (
        ("2025-06-30", 2, 1000),
        ("2025-06-30", 3, 1100),
        ("2025-06-30", 4, 1000),
        ("2025-07-01", 4, 1200),
    ):
        oracle, day = ledger_from_doc.oracle, date.fromisoformat(on)
        assert oracle.answer("16.06", ("16.06",), day, known).potential == potential
        row = coverage_at(ledger_from_doc.ask(), ["16.06"], day, known=known)[0]
        assert row.potential == potential


# --- negative controls --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            """
            #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 SK-1
            #2 2025-01-10 enrol      16.06 pekerja-rentan 101 from 2025-01-01 SK-2
            -- 2025-06-10 deactivate 16.06 pekerja-rentan 130 from 2025-06-01 of SK-1 SK-3  ! cohort-below-zero
            """,
            id="rule-1-cohort",
        ),
        pytest.param(
            """
            #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 SK-1
            -- 2025-06-10 deactivate 16.06 pekerja-rentan 130 from 2025-06-01 SK-3  ! pool-below-zero
            """,
            id="rule-1-pool",
        ),
        pytest.param(
            """
            #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
            #2 2025-06-10 deactivate 16.06 pekerja-rentan  30 from 2025-11-01 of SK-1 SK-2
            -- 2025-07-01 correct    16.06 pekerja-rentan 100 from 2025-01-01 until 2025-09-30 because misread SK-1  ! cohort-below-zero
            """,
            id="rule-2-after-a-correction",
        ),
        pytest.param(
            """
            #1 2025-01-10 enrol 16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
            -- 2025-12-10 renew 16.06 pekerja-rentan 101 until 2026-12-31 of SK-1 SK-3  ! renewal-exceeds-survivors
            """,
            id="rule-3",
        ),
        pytest.param(
            """
            #1 2025-01-10 opening 16.06 pekerja-rentan 100 from 2024-12-31 SALDO
            -- 2025-02-01 enrol   16.06 pekerja-rentan  20 from 2024-06-01 SK-1  ! before-opening
            """,
            id="rule-4-before",
        ),
        pytest.param(
            """
            #1 2025-01-10 opening 16.06 pekerja-rentan 100 from 2024-12-31 SALDO-1
            -- 2025-01-10 opening 16.06 marbot          90 from 2025-12-31 SALDO-2  ! second-opening
            """,
            id="rule-4-second",
        ),
    ],
)
def test_without_the_ledgers_check_the_same_is_admitted(document: str, tmp_path: Path) -> None:
    """The refusal comes from the rule and from nothing else; a real file, not memory."""
    path = tmp_path / "with.db"
    guarded = Store(path)
    ledger_of(document, guarded)
    blind = Store(tmp_path / "without.db", balances=Unguarded())
    for transaction in parsed(document):
        blind.registry.record(*transaction.commands)
    with guarded.ledger() as kept, blind.ledger() as broken:
        assert broken.head == kept.head + 1
    guarded.close()
    blind.close()


def test_a_growing_file_may_say_a_withdrawal_or_correction_again(tmp_path: Path) -> None:
    """A row that withdraws or corrects is skipped, with a warning, once that is recorded.

    The batch keeps its own note, because the row's note says why it corrects.
    """
    day = date(2025, 1, 1)

    def enrol(reference: str, workers: int) -> RecordBatch:
        lines = (BatchLine("guru", workers, row=2),)
        return RecordBatch(
            Action.ENROL, "16.06", reference, lines, effective_on=day, row=2, note="own"
        )

    with closing(Store(tmp_path / "registry.db")) as store:
        store.registry.record(enrol("SK-1", 100), enrol("SK-2", 50))
        correct = replace(enrol("SK-1", 98), action=Action.CORRECT, note=None, because="two twice")
        withdraw = RecordBatch(Action.WITHDRAW, "16.06", "SK-2", (), because="wrong", row=3)
        assert store.registry.record(correct, withdraw).counts.new == 2
        again = store.registry.record(correct, withdraw)
        assert again.decision == "already-recorded"
        assert {problem.code for problem in again.problems} == {
            "already-corrected",
            "already-withdrawn",
        }
        with pytest.raises(RuleBrokenError, match="is withdrawn"):
            store.registry.withdraw_batch("16.06", "SK-2", because="typed, not from a file")
        (row,) = [row for row in store.log().rows() if row.topic == "ucj.batch-corrected"]
        assert row.facts()["note"] == "own"


def test_a_row_that_corrects_does_not_undo_a_later_correction(tmp_path: Path) -> None:
    """Said again by a growing file, it is skipped with a warning; said anew, it corrects back."""
    line = BatchLine("guru", 100, row=2)
    enrol = RecordBatch(
        Action.ENROL, "16.06", "SK-1", (line,), effective_on=date(2025, 1, 1), row=2
    )

    def correct(workers: int, because: str) -> RecordBatch:
        lines = (replace(line, workers=workers),)
        return replace(enrol, action=Action.CORRECT, lines=lines, because=because)

    def in_force(store: Store) -> int:
        facts = [row.facts() for row in store.log().rows()][-1]
        return int(facts["puts"][0]["workers"])

    with closing(Store(tmp_path / "registry.db")) as store:
        for command in (enrol, correct(98, "two twice"), correct(97, "three twice")):
            assert store.registry.record(command).counts.new == 1
        again = store.registry.record(correct(98, "two twice"))
        assert again.decision == "already-recorded"
        assert [problem.code for problem in again.problems] == ["corrected-since"]
        assert in_force(store) == 97
        assert store.registry.record(correct(98, "two twice after all")).counts.new == 1
        assert in_force(store) == 98


@pytest.mark.parametrize("reference", ["SK-1", "SK-2"])
def test_a_damaged_event_is_no_fault_of_the_row(reference: str, tmp_path: Path) -> None:
    """Neither the batch that cannot be read is refused, nor the one that draws on it: exit 4."""
    path = tmp_path / "registry.db"
    lines = (BatchLine("guru", 10),)
    enrol = RecordBatch(Action.ENROL, "16.06", "SK-1", lines, effective_on=date(2025, 1, 1))
    drawing = (BatchLine("guru", 10, of_batch="SK-1"),)
    leave = replace(enrol, action=Action.BALANCE_OUT, reference="SK-2", lines=drawing, note="why")
    with closing(Store(path)) as store:
        store.registry.record(enrol)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DROP TRIGGER events_never_change")
            state = b'{"class_version":1,"recorded_at":"2026-01-01T00:00:00.000000Z"}'
            connection.execute("UPDATE stored_events SET state = ?", (state,))
        with pytest.raises(StoreDamagedError) as damaged:
            store.registry.record(enrol if reference == "SK-1" else leave)
    assert damaged.value.exit_code == 4
