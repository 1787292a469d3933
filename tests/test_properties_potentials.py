"""Potentials of a few days, said and taken back again and again: which is in force, and which is new.

Other properties say most things once; here two areas and two days hear of three numbers, so that one
is nearly always said again after another.
"""

from __future__ import annotations

from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from registry.commands import RevisePotential
from tests.oracle import Oracle, Verdict
from tests.stores import Store
from tests.strategies import DAYS, REGENCIES, History, Step, follow
from tests.test_properties_histories import agree_on_potentials, play

few = st.builds(
    RevisePotential,
    area=st.sampled_from(REGENCIES[:2]),
    valid_from=st.sampled_from(DAYS[:2]),
    workers=st.sampled_from((7, 20, 1_000)),
    definition=st.just("workers"),
    source=st.just("a source"),
)


@st.composite
def said_again_and_again(draw: DrawFn) -> History:
    """Return a history of potentials and no more, with the oracle that has acknowledged it."""
    oracle = Oracle()
    steps = []
    for _ in range(draw(st.integers(6, 12))):
        stands = [place for place, each in enumerate(oracle.said) if each.taken_back is None]
        if stands and draw(st.integers(0, 5)) == 5:
            step = Step((), Verdict(()), takes_back=draw(st.sampled_from(stands)))
        else:
            commands = tuple(draw(st.lists(few, min_size=1, max_size=3)))
            step = Step(commands, oracle.judge(commands))
        steps.append(step)
        follow(oracle, step)
    return History(steps, oracle)


@given(history=said_again_and_again())
def test_the_last_said_of_the_latest_day_is_in_force(history: History) -> None:
    """As known after each transaction; and what stands already, and was not replaced, is not new."""
    with closing(Store(None)) as store:
        for step in history.steps:
            play(store, step, history.oracle)
        with store.ledger() as ledger:
            assert ledger.head == history.oracle.now.last_position
            agree_on_potentials(ledger, history.oracle)
