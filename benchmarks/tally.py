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


def heads_on(said: Iterable[Command], on: date, *, changed: frozenset[str]) -> Heads:
    """Return the heads covered on a day, after all that was said.

    `changed` are the references that are corrected or withdrawn (see `changed_references`): only
    of those is kept what they had said.
    """
    heads: Heads = Counter()
    former: dict[tuple[str, str], Heads] = {}
    for command in said:
        if not isinstance(command, RecordBatch):
            continue
        counted = Counter[tuple[str, str]]()
        for category, workers in _movements(command, on):
            counted[command.area, category] += workers
        heads.update(counted)
        if command.reference in changed:
            identity = (command.area, command.reference)
            heads.subtract(former.get(identity, Counter()))
            former[identity] = counted
    return heads


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
