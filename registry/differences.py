"""Where two statements of a batch differ, cell by cell, in the columns of a batches file.

Owns the words in which a clerk is shown both. Knows no file: a value is shown as it is recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

from registry.batch import Statement
from registry.events import Line
from registry.language import Period, _, formatted, joined, whole
from registry.safe_text import safe
from registry.terms import Kind, normalised_reference

_SHOWN_MAX: Final = 3
_NOTHING: Final = _("nothing")
_OF_ITSELF: Final = (
    "effective_on", "programmes", "reason", "decided_on", "document", "proposed", "rejected", "note",
)  # fmt: skip


class Difference(NamedTuple):
    """A column of the file, and what stands there: as recorded, and as the file says."""

    column: str
    recorded: str
    said: str

    def __str__(self) -> str:
        return str(self.in_words())

    def in_words(self) -> str:
        """Return what stands in both, of which `str()` is the English."""
        return _("{column}: recorded {recorded}, the file says {said}").format(
            column=self.column, recorded=self.recorded, said=self.said
        )


def differences(recorded: Statement, said: Statement) -> list[Difference]:
    """Return where the statements differ; empty if they say the same."""
    return [*_of_actions(recorded, said), *_of_lines(recorded, said), *_of_itself(recorded, said)]


def in_words(found: list[Difference]) -> str:
    """Return the first of them as words."""
    more = (
        _("; and {more} more").format(more=len(found) - _SHOWN_MAX)
        if len(found) > _SHOWN_MAX
        else ""
    )
    return joined("; ", [each.in_words() for each in found[:_SHOWN_MAX]]) + more


def _of_actions(recorded: Statement, said: Statement) -> Iterator[Difference]:
    if recorded.action() != said.action():
        yield Difference("action", str(recorded.action()), str(said.action()))


def _of_itself(recorded: Statement, said: Statement) -> Iterator[Difference]:
    for column in _OF_ITSELF:
        ours, theirs = getattr(recorded, column), getattr(said, column)
        if column == "programmes":
            ours, theirs = sorted(ours), sorted(theirs)
        if ours != theirs:
            yield Difference(column, _shown(ours), _shown(theirs))


def _of_lines(recorded: Statement, said: Statement) -> Iterator[Difference]:
    """Yield what differs in the lines: cell by cell where there is one on each side."""
    ours, theirs = Counter(_lines(recorded)), Counter(_lines(said))
    gone, new = [*(ours - theirs).elements()], [*(theirs - ours).elements()]
    if len(gone) == len(new) == 1:
        for column, one, other in zip(_Cells._fields, gone[0], new[0], strict=True):
            if one != other:
                yield Difference(column, _cell(one), _cell(other))
    elif gone or new:
        yield Difference("workers", _listed(gone), _listed(new))


class _Reference(str):
    """A reference as it is written, compared as references are."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and normalised_reference(self) == normalised_reference(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(normalised_reference(self))


class _Cells(NamedTuple):
    """What a file says in one row, by its columns; a reference compares as references do."""

    from_area: str
    from_category: str
    category: str
    segment: str
    funding: str
    covered_until: str
    of_batch: str
    of_part: str
    workers: int


def _lines(statement: Statement) -> Iterator[_Cells]:
    """Yield each line as a file has it: of a move both legs as one."""
    if statement.kind not in {Kind.RECLASSIFICATION, Kind.TRANSFER}:
        yield from (_cells(statement, line) for line in statement.lines)
        return
    left = (line for line in statement.lines if line.workers < 0)
    entered = (line for line in statement.lines if line.workers > 0)
    for out, into in zip(left, entered, strict=True):
        yield _cells(statement, into, out)


def _cells(statement: Statement, line: Line, left: Line | None = None) -> _Cells:
    cohort, origin = line.cohort, left.cohort if left else None
    drawn = origin or line.of or (cohort if line.workers < 0 else None)
    last_day = None if cohort.expires_on is None else cohort.expires_on - timedelta(days=1)
    return _Cells(
        origin.area if origin and origin.area != cohort.area else "",
        origin.category if origin else "",
        cohort.category,
        str(cohort.segment or ""),
        "" if statement.kind is Kind.DEACTIVATION else str(cohort.funding or ""),
        Period(str(last_day or "")),
        _Reference(safe(drawn.reference)) if drawn and drawn.reference else "",
        _Reference(safe(drawn.part)) if drawn else "",
        abs(line.workers),
    )


def _cell(value: object) -> str:
    if isinstance(value, int):
        return whole(value)
    return value if isinstance(value, str) and value else _NOTHING


def _listed(lines: list[_Cells]) -> str:
    shown = joined(
        ", ", [joined(" ", (whole(cells.workers), cells.category)) for cells in lines[:_SHOWN_MAX]]
    )
    more = (
        _(" and {more} more").format(more=len(lines) - _SHOWN_MAX)
        if len(lines) > _SHOWN_MAX
        else ""
    )
    return shown + more if lines else _NOTHING


def _shown(value: object) -> str:
    if isinstance(value, date):
        return formatted(value)
    if isinstance(value, int):
        return whole(value)
    if isinstance(value, dict):
        value = [f"{why}:{count}" for why, count in sorted(value.items())]
    if isinstance(value, list):
        value = ";".join(map(str, value))
    return _NOTHING if value in {None, ""} else safe(str(value))
