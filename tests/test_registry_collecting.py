"""The cycle collector looks rarely while somebody is at it, and as before afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from registry.collecting import COLLECTED_OBJECTS, collecting_rarely


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)


def test_the_threshold_is_back_when_the_last_has_ended() -> None:
    """Two threads begin and end in any order: here the first to begin is the first to end."""
    before = gc.get_threshold()
    one, another = collecting_rarely(), collecting_rarely()
    one.__enter__()
    another.__enter__()
    assert gc.get_threshold()[0] == COLLECTED_OBJECTS
    one.__exit__(None, None, None)
    assert gc.get_threshold()[0] == COLLECTED_OBJECTS
    another.__exit__(None, None, None)
    assert gc.get_threshold() == before


def test_who_ends_with_an_error_leaves_it_as_it_was() -> None:
    """A question that is refused must not change how all others are collected."""
    before = gc.get_threshold()
    with pytest.raises(LookupError), collecting_rarely():
        raise LookupError
    assert gc.get_threshold() == before


def test_a_collector_that_is_off_stays_off() -> None:
    """Who calls us may have reasons."""
    gc.set_threshold(0)
    with collecting_rarely():
        assert gc.get_threshold()[0] == 0
    assert gc.get_threshold()[0] == 0


def test_a_large_answer_is_not_looked_through_as_soon_as_it_is_there() -> None:
    """The first object after it would set off a round over all of it; small ones age as always."""
    rounds: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            rounds.append(info["generation"])

    gc.callbacks.append(note)
    try:
        with collecting_rarely(10 * COLLECTED_OBJECTS):
            answer = [[each] for each in range(COLLECTED_OBJECTS + 10_000)]
        few = [[each] for each in range(100)]
    finally:
        gc.callbacks.remove(note)
    assert (len(answer), len(few)) == (COLLECTED_OBJECTS + 10_000, 100)
    assert not rounds
    assert gc.get_freeze_count() == 0
    assert all(map(gc.is_tracked, answer))


def test_what_is_frozen_stays_frozen() -> None:
    """Who froze objects before a fork wants them left alone."""
    gc.freeze()
    try:
        with collecting_rarely(10 * COLLECTED_OBJECTS):
            answer = [[each] for each in range(COLLECTED_OBJECTS + 10_000)]
        assert gc.get_freeze_count() > 0
        assert len(answer) > COLLECTED_OBJECTS
    finally:
        gc.unfreeze()
