"""A registry lives for a while beside the oracle, and they never differ.

50 lives of 20 steps in every run, 500 of 50 steps under the `soak` profile (tests/conftest.py).
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from projections.known import end_of_transaction
from projections.ledger import Ledger
from tests.oracle import Oracle, standing
from tests.stores import Store
from tests.strategies import Step, command_of, follow, questions, transactions
from tests.test_properties_histories import (
    add_up,
    agree,
    agree_on_every_turn,
    agree_on_potentials,
    play,
    rows,
)


class LifeOfARegistry(RuleBasedStateMachine):
    """Transactions good and bad, questions of any date as known at any time, new images."""

    def __init__(self) -> None:
        super().__init__()
        self.oracle = Oracle()
        self.stack = ExitStack()
        self.opened: Ledger | None = None
        self.answered: dict[tuple[date, int], str] = {}

    @initialize(kept_in=st.sampled_from(("memory", "file")))
    def begin(self, kept_in: str) -> None:
        """Make a store."""
        path = None
        if kept_in == "file":
            path = Path(self.stack.enter_context(tempfile.TemporaryDirectory())) / "registry.db"
        self.store = Store(path)
        self.stack.callback(self.store.close)
        self.questions = self.stack.enter_context(ExitStack())

    @rule(data=st.data())
    def transact(self, data: st.DataObject) -> None:
        """Try a transaction."""
        step = data.draw(transactions(self.oracle))
        play(self.store, step, self.oracle)
        follow(self.oracle, step)

    @rule()
    def record_all_of_it_again(self) -> None:
        """One growing workbook: all that stands, said again, changes nothing."""
        stands = standing(self.oracle.now.book)
        commands = tuple(command_of(key, stated) for key, stated in stands.items())
        step = Step(commands, self.oracle.judge(commands))
        assert step.verdict.new == 0
        if commands:
            play(self.store, step, self.oracle)

    @rule(on=questions, place=st.integers(0, 1_000))
    def ask(self, on: date, place: int) -> None:
        """Ask of any date, as known at any position."""
        ledger = self.ledger()
        at = place % (ledger.head + 1)
        known = end_of_transaction(ledger.log, at)
        assert known == self.oracle.known(at).last_position
        agree(ledger, self.oracle, on, known)
        self.answered.setdefault((on, known), rows(ledger, on, known))

    @precondition(lambda self: self.store.path is not None)
    @rule()
    def publish(self) -> None:
        """Publish an image; the rules and all later questions use it."""
        self.store.publish()
        self.questions.close()
        self.opened = None

    @invariant()
    def nothing_else_is_recorded(self) -> None:
        """The log ends where the oracle says."""
        log = self.store.log()
        assert log.head() == self.oracle.now.last_position
        log.close()

    def ledger(self) -> Ledger:
        """Return the ledger as it is now, opened once for each head of the log."""
        if self.opened is None or self.opened.position != self.oracle.now.last_position:
            self.questions.close()
            self.opened = self.questions.enter_context(self.store.ledger())
        return self.opened

    def teardown(self) -> None:
        """At the end: what was answered is answered byte for byte, and all sums add up."""
        try:
            if hasattr(self, "store"):
                ledger = self.ledger()
                for (on, known), before in self.answered.items():
                    assert rows(ledger, on, known) == before
                add_up(ledger, date(2025, 6, 30), ledger.position)
                agree(ledger, self.oracle, date(2025, 6, 30), ledger.position)
                agree_on_every_turn(ledger, self.oracle)
                agree_on_potentials(ledger, self.oracle)
        finally:
            self.stack.close()


EXTENT = (
    settings().max_examples * settings().stateful_step_count
)  # of the profile: 1,000 in every run

# About 0.04 s a step where nothing else runs.
TestLifeOfARegistry = pytest.mark.timeout(0.6 * EXTENT)(LifeOfARegistry.TestCase)
