"""What every peer offers: a name, a word on why it cannot be measured here, and its work."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from benchmarks.peers.data import Data
from benchmarks.tally import Heads


class Question(Enum):
    """What is measured, as the table says it."""

    LOAD = "load"
    REBUILD = "rebuild"
    NATION = "nation"
    REGENCY = "regency"


@dataclass(frozen=True, slots=True)
class Work:
    """One thing that a peer does, which is timed.

    `run` is timed, `prepare` before it is not. What `run` returns, or `answer` after the last run,
    must equal `expected`. `batches` are those that one run records or loads.
    Not `in_process` is what a server does: its processor time is not ours.
    """

    question: Question
    way: str
    run: Callable[[], object]
    expected: object
    answer: Callable[[], object] | None = None
    prepare: Callable[[], object] = lambda: None
    batches: int | None = None
    in_process: bool = True


class Peer(Protocol):
    """One way to keep and ask the same data. `batches_max`: beyond it, it would take too long."""

    name: str
    batches_max: int | None

    def why_not(self) -> str | None:
        """Return what is missing here to measure it, None where nothing is."""
        ...

    def work(self, data: Data, folder: Path) -> Generator[Work, None, None]:
        """Yield its work, each after what it needs; what was opened is closed at the end."""
        ...


def missing(*modules: str) -> str | None:
    """Return a word on the first of these modules that is not installed."""
    for module in modules:
        if find_spec(module) is None:
            return f"the Python package {module} is not installed (extra: peers)"
    return None


def asked(
    data: Data,
    nation: Callable[[], Heads],
    regency: Callable[[], Heads],
    *,
    way: str = "",
    in_process: bool = True,
) -> Iterator[Work]:
    """Yield the two questions that every peer with entries can answer."""
    yield Work(Question.NATION, way, nation, data.nation, in_process=in_process)
    yield Work(Question.REGENCY, way, regency, data.of_regency, in_process=in_process)


def heads_of(rows: Iterable[tuple[str, str, int]]) -> Heads:
    """Return rows of area, category and heads as the tally has them: without zeros."""
    return Heads({(area, category): int(heads) for area, category, heads in rows if heads})
