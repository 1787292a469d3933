"""Heads counted from the commands themselves, so that no benchmark can measure nothing.

The independent figure beside every measured answer. Knows neither events nor ledgers: it says of
each row of a command whether its heads are covered on the day, and adds up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from registry.commands import BatchLine, Command, RecordBatch, RevisePotential
from registry.terms import Action

Heads = Counter[tuple[str, str]]
"""Heads by area and category."""


class Tally:
    """The heads covered on a day, after what was told so far.

    `changed` are the references that are corrected or withdrawn (see `changed_references`), of all
    that will be told at least: only of those is kept what they had said.
    """

    def __init__(self, on: date, *, changed: frozenset[str]) -> None:
        self.heads: Heads = Counter()
        self._on = on
        self._changed = changed
        self._former: dict[tuple[str, str], Heads] = {}

    def tell(self, command: Command) -> None:
        """Take in what was said next."""
        if not isinstance(command, RecordBatch):
            return
        counted = Counter[tuple[str, str]]()
        for category, workers in _movements(command, self._on):
            counted[command.area, category] += workers
        self.heads.update(counted)
        if command.reference in self._changed:
            identity = (command.area, command.reference)
            self.heads.subtract(self._former.get(identity, Counter()))
            self._former[identity] = counted


def heads_on(said: Iterable[Command], on: date, *, changed: frozenset[str]) -> Heads:
    """Return the heads covered on a day, after all that was said; `changed` as of a `Tally`."""
    tally = Tally(on, changed=changed)
    for command in said:
        tally.tell(command)
    return tally.heads


def changed_references(said: Iterable[Command]) -> frozenset[str]:
    """Return the references of batches that are corrected or withdrawn."""
    return frozenset(
        each.reference for each in said if isinstance(each, RecordBatch) and each.because
    )


def potentials_on(said: Iterable[Command], on: date) -> dict[str, int]:
    """Return the labour potential in force in each area."""
    latest: dict[str, tuple[date, int]] = {}
    for command in said:
        if isinstance(command, RevisePotential) and command.valid_from <= on:
            standing = latest.get(command.area, (command.valid_from, 0))
            if command.valid_from >= standing[0]:
                latest[command.area] = (command.valid_from, command.workers)
    return {area: workers for area, (_, workers) in latest.items()}


def lines_of(said: Iterable[Command]) -> int:
    """Return how many rows the commands have."""
    return sum(len(each.lines) for each in said if isinstance(each, RecordBatch))


def _movements(command: RecordBatch, on: date) -> Iterator[tuple[str, int]]:
    """Yield category and signed heads of the rows in effect on a day."""
    for line in command.lines:
        assert line.category is not None
        if not _in_effect(command, line, on):
            continue
        match command.action:
            case Action.DEACTIVATE:
                yield line.category, -line.workers
            case Action.RECLASSIFY:
                assert line.from_category is not None
                yield line.from_category, -line.workers
                yield line.category, line.workers
            case _:
                yield line.category, line.workers


def _in_effect(command: RecordBatch, line: BatchLine, on: date) -> bool:
    """Whether a row's heads are (or, for leavers, would still be) covered on a day."""
    assert command.effective_on is not None
    return command.effective_on <= on <= (line.covered_until or on)
