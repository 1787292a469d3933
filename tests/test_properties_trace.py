"""Any history, any two days as known at any two positions: the trace equals the heads simulated."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.effects import Measured, effects
from projections.known import end_of_transaction
from projections.ledger import Ledger
from projections.steps import Flows, Grouping, Point, Step, Traced, groups, steps
from projections.trace import Trace, trace
from registry.reference.areas import regencies
from registry.terms import NATION, Action
from tests.heads import Stated
from tests.oracle import Known, Oracle, standing
from tests.stores import Store
from tests.strategies import CATEGORIES, DAY, PROVINCES, REGENCIES, History, histories, questions
from tests.test_properties_histories import play

GROUPINGS: Final[tuple[Grouping, ...]] = ("kind", "category", "month", "batch")

ends = st.tuples(questions, st.integers(0, 1_000))
"""A day, and a place in the log (taken modulo its length)."""

EXAMPLES = max(1, settings().max_examples * 2 // 5)


@contextmanager
def ledger_of(history: History, published: int | None) -> Iterator[Ledger]:
    """Play a history in memory, or in a file whose image is published after a step."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(None if published is None else Path(folder) / "registry.db")
        try:
            for number, step in enumerate(history.steps):
                play(store, step, history.oracle)
                if number == published:
                    store.publish()
            with store.ledger() as ledger:
                yield ledger
        finally:
            store.close()


def inside(area: str) -> tuple[str, ...]:
    """Return the regencies of an area."""
    return tuple(each.code for each in regencies(area))


def workers(found: Iterable[Step], key: Callable[[Step], object]) -> Counter[object]:
    """Return the heads of steps by a key, groups of nobody left out."""
    sums: Counter[object] = Counter()
    for step in found:
        sums[key(step)] += step.workers
    return Counter({each: heads for each, heads in sums.items() if heads})


# --- what the oracle says of a trace ----------------------------------------------------------------


def covered(oracle: Oracle, traced: Traced, at: Point) -> Counter[str]:
    """Return the heads at an end, by category, of what is traced."""
    found = oracle.by_category(inside(traced.area), at.on, at.known)
    return Counter({e: n for e, n in found.items() if traced.category in {None, e}})


def flows_of(oracle: Oracle, traced: Traced) -> Flows:
    """Count what came to pass between the two days head by head, and what only became known."""
    start, end = traced.start, traced.end
    first, last = sorted((start.on, end.on))
    sign, at = (1, end) if start.on <= end.on else (-1, start)
    came = _between(oracle.known(at.known), traced, first, last)
    then, now = (
        covered(oracle, traced, Point(first, known)).total() for known in (start.known, end.known)
    )
    return Flows(**{line: sign * heads for line, heads in came.items()}, restated=now - then)


def _between(known: Known, traced: Traced, first: date, last: date) -> dict[str, int]:
    places = set(inside(traced.area))

    def is_asked(area: str, category: str) -> bool:
        return area in places and traced.category in {None, category}

    came = dict.fromkeys(("entered", "left", "lapsed", "renewed", "reconciled"), 0)
    for stated in standing(known.book).values():
        if first < stated.first_day <= last:
            line, heads = _came_to(stated, is_asked)
            came[line] += heads
    for cohort, heads_in_it in known.world.cohorts.items():
        if cohort.until is not None and is_asked(cohort.area, cohort.category):
            for head in heads_in_it:
                if head.gone_on is None and first < cohort.until + DAY <= last:
                    came["lapsed"] -= 1
    return came


def _came_to(stated: Stated, is_asked: Callable[[str, str], bool]) -> tuple[str, int]:
    net = 0
    for move in stated.moves:
        if move.enters is not None and is_asked(move.enters.area, move.enters.category):
            net += move.workers
        if move.leaves is not None and is_asked(move.leaves.area, move.leaves.category):
            net -= move.workers
    match stated.action:
        case Action.RENEW:
            return "renewed", net
        case Action.BALANCE_IN | Action.BALANCE_OUT:
            return "reconciled", net
        case _:
            return ("entered" if net > 0 else "left"), net


def effects_of(oracle: Oracle, traced: Traced) -> tuple[Fraction, Fraction, Fraction] | None:
    """Work the effects out from the oracle's regencies, by the definition and nothing else."""
    counted: list[dict[str, tuple[int, int]]] = []
    for at in (traced.start, traced.end):
        known = oracle.known(at.known)
        found = {}
        for regency in inside(traced.area):
            answer = oracle.answer(regency, (regency,), at.on, at.known)
            potential = oracle.potential(regency, at.on, known)
            if answer.active is not None and potential is not None:
                heads = covered(oracle, replace(traced, area=regency), at).total()
                found[regency] = heads, potential
        counted.append(found)
    one, two = counted
    if not one or not two:
        return None
    both = one.keys() & two.keys()
    if not both:
        return Fraction(0), Fraction(0), _share(two.values()) - _share(one.values())
    (a1, p1), (a2, p2) = (_sum(each[code] for code in both) for each in counted)
    numerator = (a2 - a1) * Fraction(1, 2) * (Fraction(1, p1) + Fraction(1, p2))
    denominator = Fraction(1, 2) * (a1 + a2) * (Fraction(1, p2) - Fraction(1, p1))
    entered = _share(two.values()) - _share(two[code] for code in both)
    left = _share(one[code] for code in both) - _share(one.values())
    return 100 * numerator, 100 * denominator, entered + left


def _sum(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    found = list(pairs)
    return sum(heads for heads, _ in found), sum(potential for _, potential in found)


def _share(pairs: Iterable[tuple[int, int]]) -> Fraction:
    heads, potential = _sum(pairs)
    return Fraction(100 * heads, potential)


# --- what must hold -----------------------------------------------------------------------------------


def check_ends(found: Trace, oracle: Oracle) -> None:
    """Both ends are what the oracle counts, and their difference is the change."""
    traced = found.traced
    for end, at in ((found.start, traced.start), (found.end, traced.end)):
        answer = oracle.answer(traced.area, inside(traced.area), at.on, at.known)
        heads = covered(oracle, traced, at).total()
        assert end.active == (None if answer.active is None else heads)
        assert end.potential == answer.potential
        if traced.category is None:
            assert (end.coverage, end.points) == (answer.coverage, answer.coverage)
        else:
            assert end.coverage is None
        assert (end.known_position, end.regencies_counted) == (at.known, answer.counted)


def check_steps(ledger: Ledger, found: Trace, listed: Sequence[Step], oracle: Oracle) -> None:
    """The steps are the entries counted at one end only, and come to the change in every group."""
    traced = found.traced
    start, end = traced.start, traced.end
    expected: Counter[tuple[object, ...]] = Counter()
    for position, area, category, kind, act, day, heads in ledger.connection.execute(
        "SELECT position, area, category, kind, act, effective_on, workers FROM entries"
    ).fetchall():
        first, second = (day <= at.on and position <= at.known for at in (start, end))
        if area in inside(traced.area) and traced.category in {None, category} and first != second:
            sign = -1 if first else 1
            period = "period" if day > min(start.on, end.on) else "restatement"
            row = (position, area, category, kind, act, day, sign * heads, first, period)
            expected[row] += 1
    assert expected == Counter(
        (e.position, e.area, e.category, e.kind, e.act, e.effective_on, e.workers, e.reversed,
         e.step_class)
        for e in listed
    )  # fmt: skip
    before, after = (covered(oracle, traced, at) for at in (start, end))
    assert sum(step.workers for step in listed) == found.active == after.total() - before.total()
    after.subtract(before)
    categories = {each: heads for each, heads in after.items() if heads}
    assert workers(listed, lambda step: step.category) == categories


def check_groups(ledger: Ledger, found: Trace, listed: Sequence[Step]) -> None:
    """Each grouping is the steps summed by its key; kinds are those of the statement."""
    keys: dict[Grouping, Callable[[Step], object]] = {
        "kind": lambda step: step.kind,
        "category": lambda step: step.category,
        "month": lambda step: f"{step.effective_on:%Y-%m}",
        "batch": lambda step: (step.area, step.position, step.kind, step.effective_on),
    }
    for by in GROUPINGS:
        rows = list(groups(ledger, found.traced, by))
        sums: Counter[object] = Counter()
        for row in rows:
            batch = (row.area, row.position, row.kind, row.effective_on)
            key = batch if by == "batch" else getattr(row, by)
            assert key not in sums
            sums[key] = row.flows.workers
        assert Counter({e: n for e, n in sums.items() if n}) == workers(listed, keys[by]), by
    assert sum(each.workers for each in found.flows_by_kind.values()) == found.active


def check_effects(found: Trace, oracle: Oracle) -> None:
    """The effects are those of the definition, and add up to the change of the percentage."""
    expected = effects_of(oracle, found.traced)
    if expected is None:
        assert (found.effects, found.points) == (None, None)
        return
    assert found.effects is not None
    parts = (found.effects.numerator, found.effects.denominator, found.effects.counted)
    assert parts == expected
    assert sum(parts) == found.points
    if found.points_a_head is not None:
        assert found.flows.workers * found.points_a_head == found.effects.numerator


def negated(listed: Iterable[Step]) -> Counter[Step]:
    """Return the steps with their signs turned."""
    return Counter(replace(e, workers=-e.workers, reversed=not e.reversed) for e in listed)


@pytest.mark.timeout(20 * EXAMPLES)
@settings(max_examples=EXAMPLES)
@given(
    history=histories(),
    asked=st.tuples(ends, ends, ends),
    area=st.sampled_from((*REGENCIES, *PROVINCES, NATION)),
    category=st.sampled_from((None, None, *CATEGORIES)),
    published=st.one_of(st.none(), st.integers(0, 4)),
)
def test_a_trace_is_what_the_oracle_counts(
    history: History,
    asked: tuple[tuple[date, int], ...],
    area: str,
    category: str | None,
    published: int | None,
) -> None:
    """Three ends A, B and C in any order of days and knowledge; all six traces between them.

    Steps come to the change, by category and kind too; the statement and the effects are the
    oracle's; exchanging the ends negates every step; A to B and B to C make A to C.
    """
    oracle = history.oracle
    with ledger_of(history, published) as ledger:
        points = [
            Point(on, end_of_transaction(ledger.log, place % (ledger.head + 1)))
            for on, place in asked
        ]
        listed: dict[tuple[int, int], list[Step]] = {}
        for first, second in ((0, 1), (1, 0), (1, 2), (0, 2)):
            traced = Traced(area, points[first], points[second], category)
            found = trace(ledger, traced)
            some = listed[first, second] = list(steps(ledger, traced))
            check_ends(found, oracle)
            check_steps(ledger, found, some, oracle)
            check_groups(ledger, found, some)
            check_effects(found, oracle)
            assert found.flows == flows_of(oracle, traced)
        assert Counter(listed[1, 0]) == negated(listed[0, 1])
        by_category = [workers(some, lambda step: step.category) for some in listed.values()]
        there, _, on, whole = by_category
        both = Counter(there)
        both.update(on)
        assert {e: n for e, n in both.items() if n} == dict(whole)


counts = st.integers(0, 10_000)
potentials = st.integers(1, 10_000)
measured = st.dictionaries(st.sampled_from("abcde"), st.tuples(counts, potentials), min_size=1)


@given(one=measured, two=measured, own=st.one_of(st.none(), potentials))
def test_effects_add_up_and_turn_round(
    one: dict[str, tuple[int, int]], two: dict[str, tuple[int, int]], own: int | None
) -> None:
    """Exactly, whatever is counted at either end and whichever potential is divided by."""
    first = Measured(*_sum(one.values()), one)
    second = Measured(*_sum(two.values()), two)
    if own is not None:
        second = replace(second, potential=own)
    there, back = effects(first, second), effects(second, first)
    change = Fraction(100 * second.heads, second.potential) - Fraction(
        100 * first.heads, first.potential
    )
    assert there.numerator + there.denominator + there.counted == change
    for part in ("numerator", "denominator", "counted"):
        assert getattr(there, part) == -getattr(back, part)
    if one.keys() == two.keys():
        assert there.counted == 0
    if one == two and own is None:
        assert set(astuple(there)[:3]) == {0}
