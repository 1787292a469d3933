"""How far ahead of the eventsourcing library ucj is to be: each promise beside what was found in this run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from benchmarks.peers import stock_eventsourcing as stock
from benchmarks.peers.measuring import Figure
from benchmarks.peers.peer import Question


class PeerBar(NamedTuple):
    """What a peer does, and how many times what ucj takes it is to take at least."""

    question: Question
    way: str
    least: float


BARS: Final = (
    PeerBar(Question.LOAD, stock.SAVED_ONE_BY_ONE, 10),
    PeerBar(Question.LOAD, stock.SAVED_TOGETHER, 2),
    PeerBar(Question.REBUILD, stock.REPLAYED, 3),
    PeerBar(Question.REBUILD, stock.FOLDED, 5),
    PeerBar(Question.REBUILD, stock.PROJECTED, 80),
)


def held(figures: Sequence[Figure], reference: str) -> Iterator[str]:
    """Yield a table in Markdown of the bars that these figures can be held against."""
    ours = {each.question: each for each in reversed(figures) if each.peer == reference}
    theirs = {(each.question, each.way): each for each in figures if each.peer != reference}
    found = [
        (bar, theirs[bar.question, bar.way].amount / ours[bar.question].amount)
        for bar in BARS
        if (bar.question, bar.way) in theirs and bar.question in ours
    ]
    if found:
        yield "| eventsourcing: how many times what ucj takes | found | bar | |"
        yield "|---|---|---|---|"
    for bar, ratio in found:
        missed = "missed" if ratio < bar.least else ""
        yield f"| {bar.way} | {ratio:.2f} × | ≥ {bar.least:g} × | {missed} |"
