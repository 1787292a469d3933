"""Any history with closings: what changes a closed day is refused, and nothing else is.

Whether it does is counted head by head: on every day on which anything could differ, who is covered
in each area and category, and which potential is in force, with the transaction and without it.
"""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections import rules
from registry.application import Recorded
from registry.closing import Override
from registry.commands import BatchLine, RecordBatch, RevisePotential
from registry.errors import RuleBrokenError
from registry.reference.categories import AddedCategory
from registry.terms import Action
from tests.ledger_from_doc import attempted
from tests.oracle import Oracle, Said
from tests.stores import SAID_AS, Admitted, Store, head, position_of
from tests.strategies import DAY, DAYS, REGENCIES, Step, transactions

AFTER_ALL: date = DAYS[-1] + timedelta(days=200)
SECONDED: Override = Override("it came in late", "somebody else")


def naive_changes(before: Oracle, after: Oracle, closed: dict[str, date]) -> set[tuple[str, str]]:
    """Return the area × category (or "potential") that differ on some closed day."""
    changed = set()
    for day in _days(before, after):
        sums = [Counter(each.now.world.covered(day)) for each in (before, after)]
        for area, category in sums[0].keys() | sums[1].keys():
            is_closed = area in closed and day <= closed[area]
            if is_closed and sums[0][area, category] != sums[1][area, category]:
                changed.add((area, category))
        for area, through in closed.items():
            potentials = {each.potential(area, day, each.now) for each in (before, after)}
            if day <= through and len(potentials) > 1:
                changed.add((area, "potential"))
    return changed


def _days(*oracles: Oracle) -> set[date]:
    """Return every day on which a head comes or goes, or a potential begins to be in force."""
    days = set(DAYS)
    for oracle in oracles:
        said = [each.said for each in oracle.said]
        days |= {each.valid_from for each in said if isinstance(each, RevisePotential)}
        world = oracle.now.world
        for each in itertools.chain.from_iterable(world.cohorts.values()):
            days |= {each.first_day, each.gone_on or each.first_day}
            days.add((each.cohort.until or each.first_day) + DAY)
        for place in itertools.chain.from_iterable(world.pools.values()):
            days |= {place.first_day, place.gone_on or place.first_day}
    return days


def acknowledged(oracle: Oracle, step: Step, last_position: int) -> Oracle:
    """Return the oracle as it would be with the step."""
    after = deepcopy(oracle)
    if step.takes_back is not None:
        after.acknowledge_taken_back(after.said[step.takes_back], last_position)
    elif step.adds is not None:
        after.acknowledge_besides(last_position)
    else:
        after.acknowledge(step.verdict, last_position)
    return after


def tried(store: Store, step: Step, said: Sequence[Said]) -> Recorded:
    """Return what became of a step, refused or recorded; `said` is what the oracle remembers."""
    try:
        if step.takes_back is not None:
            what = SAID_AS[type(said[step.takes_back].said)]
            position = position_of(store, step.takes_back)
            return store.registry.take_back(what, position, because="mistaken")
        if step.adds is not None:
            return store.registry.add_category(AddedCategory(step.adds, step.adds, step.adds))
    except RuleBrokenError as error:
        return Recorded("refused", problems=error.problems)
    if step.in_file:
        return store.registry.import_file(Admitted(step.commands, number=head(store)))
    return attempted(store, step.commands)


@contextmanager
def life() -> Iterator[Store]:
    """Return a store in a file, at a time when all days of the histories are over."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "registry.db")
        store.clock.now = datetime(AFTER_ALL.year, AFTER_ALL.month, AFTER_ALL.day, tzinfo=UTC)
        try:
            yield store
        finally:
            store.close()


class Clerk:
    """Records a history, closes and reopens, and holds the registry to what heads say."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.oracle = Oracle()
        self.closed: dict[str, date] = {}
        self.refused = 0

    def close_or_reopen(self, area: str, day: date) -> None:
        """Close the area through a day; or reopen it from the day, if that is closed."""
        registry = self.store.registry
        if area in self.closed and self.closed[area] >= day:
            registry.reopen_period(area, day, because="to see")
            self.closed[area] = day - DAY
        else:
            registry.close_period(area, day)
            self.closed[area] = day
        self._settle()

    def try_step(self, step: Step) -> None:
        """Refused if and only if the heads of a closed day differ; then recorded by two persons."""
        if step.verdict.refused:
            assert tried(self.store, step, self.oracle.said).decision == "refused"
            return
        after = acknowledged(self.oracle, step, head(self.store) + 1)
        expected = naive_changes(self.oracle, after, self.closed)
        recorded = tried(self.store, step, self.oracle.said)
        codes = {each.code for each in recorded.problems if each.severity == "error"}
        assert (recorded.decision == "refused") == bool(expected), (step, expected, self.closed)
        assert codes == ({"closed-period"} if expected else set()), recorded.problems
        if expected:
            self.refused += 1
            recorded = self._overridden(step, expected)
        if recorded.last_position is not None:
            self.oracle = acknowledged(self.oracle, step, recorded.last_position)

    def _overridden(self, step: Step, expected: set[tuple[str, str]]) -> Recorded:
        registry = self.store.registry
        registry._override = SECONDED
        recorded = tried(self.store, step, self.oracle.said)
        registry._override = None
        assert recorded.decision == "recorded"
        with self.store.ledger() as ledger:
            found = ledger.connection.execute(
                "SELECT area, coalesce(category, 'potential'), recorded_by, seconded_by, because"
                " FROM overrides WHERE transaction_id = $first",
                {"first": recorded.first_position},
            ).fetchall()
        said = ("tests", SECONDED.seconded_by, SECONDED.because)
        assert sorted(found) == sorted((*each, *said) for each in expected)
        return recorded

    def _settle(self) -> None:
        """A closing changes nothing that the oracle knows, but where the log ends."""
        self.oracle.now.last_position = head(self.store)


def play(data: st.DataObject, store: Store, *, steps: int) -> Clerk:
    """Play a history in which areas are closed and reopened between transactions."""
    clerk = Clerk(store)
    for number in range(steps):
        step = data.draw(transactions(clerk.oracle, commands_max=2 if number else 8))
        clerk.try_step(step)
        if data.draw(st.booleans()):
            area = data.draw(st.sampled_from(REGENCIES))
            day = data.draw(st.sampled_from(DAYS) | st.dates(DAYS[0], DAYS[-1]))
            clerk.close_or_reopen(area, day)
        if number == 1 and data.draw(st.booleans()):
            store.publish()
    return clerk


EXAMPLES = max(1, settings().max_examples // 5)


@pytest.mark.timeout(20 * EXAMPLES)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_refused_is_what_changes_heads_of_a_closed_day(data: st.DataObject) -> None:
    """By net effect: refused if and only if naive sums differ on a closed day, else recorded."""
    with life() as store:
        play(data, store, steps=5)


def _enrolled(clerk: Clerk, reference: str) -> Step:
    """Return the step in which ten come in on the first of the days."""
    lines = (BatchLine("guru", 10),)
    commands = (RecordBatch(Action.ENROL, REGENCIES[0], reference, lines, effective_on=DAYS[0]),)
    return Step(commands, clerk.oracle.judge(commands))


@pytest.mark.parametrize("guarded", [True, False])
def test_without_the_check_closed_days_would_change(
    monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """Negative control: what the clerk holds the registry to fails as soon as nobody is asked."""
    if not guarded:
        monkeypatch.setattr(rules, "changes_of_closed", lambda _connection, _since: ())
    with life() as store:
        clerk = Clerk(store)
        clerk.try_step(_enrolled(clerk, "SK-1"))
        clerk.close_or_reopen(REGENCIES[0], DAYS[-1])
        with nullcontext() if guarded else pytest.raises(AssertionError):
            clerk.try_step(_enrolled(clerk, "SK-2"))
        assert clerk.refused == guarded
