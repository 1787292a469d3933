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
