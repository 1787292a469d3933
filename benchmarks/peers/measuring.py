"""Work done often enough that its median says something, and its answer held against the tally."""

from __future__ import annotations

import gc
import os
import statistics
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.peers.data import Data
from benchmarks.peers.peer import Peer, Question, Work

RUNS_MIN: Final = 5
RUNS_MAX: Final = 30
ENOUGH_SECONDS: Final = 1.0
ONCE_SECONDS: Final = 30.0
"""What takes longer is not repeated."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a peer took for one thing, run by run, in seconds; and whether the answer was right.

    `times` are by the clock, `processor_times` of all threads of this process and of the children that
    it has waited for; None of a server.
    """

    question: Question
    peer: str
    way: str
    times: tuple[float, ...]
    processor_times: tuple[float, ...] | None
    batches: int | None
    is_right: bool

    @property
    def amount(self) -> float:
        """Return what is compared: the median in seconds, for loading seconds a batch."""
        return statistics.median(self.times) / (self.batches or 1)

    @property
    def processor_amount(self) -> float | None:
        """Return the same of processor time."""
        if self.processor_times is None:
            return None
        return statistics.median(self.processor_times) / (self.batches or 1)

    def with_more(self, later: Figure) -> Figure:
        """Return the same with the runs of another time."""
        assert (self.question, self.way) == (later.question, later.way)
        return replace(
            self,
            times=self.times + later.times,
            processor_times=(self.processor_times or ()) + (later.processor_times or ()) or None,
            is_right=self.is_right and later.is_right,
        )


def measured(peer: Peer, data: Data, folder: Path, *, runs_min: int = RUNS_MIN) -> list[Figure]:
    """Return the figures of a peer."""
    folder.mkdir()
    with closing(peer.work(data, folder)) as works:
        return [_figure(peer, work, runs_min) for work in works]


def _figure(peer: Peer, work: Work, runs_min: int) -> Figure:
    times: list[float] = []
    processor_times: list[float] = []
    answer: object = None
    while not times or (times[0] <= ONCE_SECONDS and _goes_on(times, runs_min)):
        work.prepare()
        gc.collect()
        began, processor_began = time.perf_counter(), _processor_seconds()
        answer = work.run()
        processor_times.append(_processor_seconds() - processor_began)
        times.append(time.perf_counter() - began)
    if work.answer is not None:
        answer = work.answer()
    return Figure(
        question=work.question,
        peer=peer.name,
        way=work.way,
        times=tuple(times),
        processor_times=tuple(processor_times) if work.in_process else None,
        batches=work.batches,
        is_right=answer == work.expected,
    )


def _processor_seconds() -> float:
    told = os.times()
    return time.process_time() + told.children_user + told.children_system


def _goes_on(times: list[float], runs_min: int) -> bool:
    if len(times) < runs_min:
        return True
    return runs_min > 1 and sum(times) < ENOUGH_SECONDS and len(times) < RUNS_MAX
