"""Rows of a batches file → one RecordBatch for each batch.

Owns what each action needs and refuses, and on what the rows of one batch must agree. What is
left of a cohort, and whether a batch is known, is asked later, under the lock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import accumulate, chain, pairwise, repeat
from typing import Any, Final, Self

from registry.commands import BatchLine, Command, EntryPage, RecordBatch
from registry.intake.readings import (
    AreaCodes,
    Reading,
    reading_of_area,
    reading_of_category,
    reading_of_count,
    reading_of_day,
    reading_of_last_day,
    reading_of_programmes,
    reading_of_prose,
    reading_of_reference,
    reading_of_rejected,
    reading_of_word,
)
from registry.intake.rows import Page, Remark, Row, Values, missing
from registry.language import _
from registry.numbers import Locale
from registry.reference.boundaries import BUILT_IN, Boundaries
from registry.reference.categories import Categories
from registry.terms import (
    LINES_MAX,
    Action,
    Funding,
    LeaveReason,
    Programme,
    Segment,
    normalised_reference,
)

_IDENTITY: Final = ("reference", "part", "area")
_HEAD: Final = (
    "action", "effective_on", "funding", "programmes", "reason", "decided_on", "document",
    "proposed", "rejected", "note",
)  # fmt: skip
_LINE: Final = (
    "category", "from_category", "from_area", "workers", "covered_until", "of_batch", "of_part",
    "segment",
)  # fmt: skip
COLUMNS: Final = (*_IDENTITY, *_HEAD, *_LINE)
(
    REFERENCE, PART, AREA,
    ACTION, EFFECTIVE_ON, FUNDING, PROGRAMMES, REASON, DECIDED_ON, DOCUMENT,
    PROPOSED, REJECTED, NOTE,
    CATEGORY, FROM_CATEGORY, FROM_AREA, WORKERS, COVERED_UNTIL, OF_BATCH, OF_PART,
    SEGMENT,
) = range(len(COLUMNS))  # fmt: skip
_HEAD_SLICE: Final = slice(ACTION, CATEGORY)
_DRAWN: Final = ("of_batch", "of_part")
_MOVED: Final = ("from_category", "from_area")
_REMEMBERED_MAX: Final = 10_000

_INCOMING: Final = frozenset({"opening", "enrol", "balance-in"})
_OUTGOING: Final = frozenset({"deactivate", "balance-out"})
_EXPLAINING: Final = frozenset({"correct", "withdraw"})  # their note is why
_DRAWING: Final = frozenset({*_OUTGOING, "reclassify"})
_ACTIONS: Final = {action.value: action for action in Action}
_FUNDINGS: Final = {funding.value: funding for funding in Funding}
_SEGMENTS: Final = {segment.value: segment for segment in Segment}


@dataclass(frozen=True, slots=True)
class Demand:
    """Which cells an action needs, and which it has no use for."""

    needs: tuple[str, ...]
    refuses: tuple[str, ...] = ()


_ENTRY: Final = Demand(
    needs=("category", "workers", "effective_on"), refuses=(*_DRAWN, *_MOVED, "reason")
)
DEMANDS: Final[Mapping[str, Demand]] = {
    "opening": _ENTRY,
    "enrol": _ENTRY,
    "renew": Demand(("of_batch", "covered_until", "workers"), (*_MOVED, "reason")),
    "deactivate": Demand(("reason", "workers", "effective_on"), _MOVED),
    "reclassify": Demand(("category", "workers", "effective_on"), ("reason",)),
    "balance-in": Demand((*_ENTRY.needs, "note"), _ENTRY.refuses),
    "balance-out": Demand(("workers", "effective_on", "note"), (*_MOVED, "reason")),
    "correct": Demand(("workers", "note")),
    "withdraw": Demand(
        ("note",), tuple(name for name in (*_HEAD, *_LINE) if name not in {"action", "note"})
    ),
}
_WHY_NEEDED: Final[Mapping[tuple[str, str], str]] = {
    ("renew", "of_batch"): _("a renewal says which batch it continues"),
    ("renew", "covered_until"): _("a renewal says its new last covered day"),
    ("deactivate", "reason"): _("a deactivation says why they leave"),
    ("deactivate", "effective_on"): _("a deactivation says the first day not covered"),
    ("balance-in", "note"): _("a balancing entry always explains itself"),
    ("balance-out", "note"): _("a balancing entry always explains itself"),
    ("correct", "note"): _("a correction says why"),
    ("withdraw", "note"): _("a withdrawal says why"),
}


class BatchForm:
    """Batches: rows with the same area, reference and part are one batch.

    `correcting`: the file corrects a batch for a reason given beside it, so that a row with the action
    `correct` needs no note, and one that it has is the batch's own.
    """

    columns = COLUMNS

    def __init__(
        self,
        locale: Locale,
        area_codes: AreaCodes,
        categories: Categories,
        boundaries: Boundaries = BUILT_IN,
        *,
        correcting: bool = False,
    ) -> None:
        self._explaining = frozenset[str]() if correcting else _EXPLAINING
        by_column = {
            "reference": reading_of_reference(),
            "part": reading_of_reference(may_be_example=True),
            "area": reading_of_area(area_codes, regencies_only=True, boundaries=boundaries),
            "action": reading_of_word("action"),
            "effective_on": reading_of_day(),
            "funding": reading_of_word("funding"),
            "programmes": reading_of_programmes(),
            "reason": reading_of_word("reason"),
            "decided_on": reading_of_day(),
            "document": reading_of_prose(),
            "proposed": reading_of_count(locale),
            "rejected": reading_of_rejected(locale),
            "note": reading_of_prose(),
            "category": reading_of_category(categories),
            "from_category": reading_of_category(categories),
            "from_area": reading_of_area(area_codes, regencies_only=True, boundaries=boundaries),
            "workers": reading_of_count(locale),
            "covered_until": reading_of_last_day(),
            "of_batch": reading_of_reference(may_be_example=True),
            "of_part": reading_of_reference(may_be_example=True),
            "segment": reading_of_word("segment"),
        }
        self.readings: tuple[Reading, ...] = tuple(by_column[name] for name in COLUMNS)
        self._folded = _Folded()
        self._shapes: dict[tuple[object, ...], Sequence[Remark]] = {}

    def shape_remarks(self, values: Values) -> Sequence[Remark]:
        """Say which cells the action misses and which it has no use for; remembered by shape."""
        shape = (values[ACTION], *[value is None for value in values])
        remarks = self._shapes.get(shape)
        if remarks is None:
            present = {
                name for name, value in zip(COLUMNS, values, strict=True) if value is not None
            }
            if values[ACTION] in _EXPLAINING - self._explaining:
                present.add("note")
            remarks = tuple(_shape_remarks(values[ACTION], present))
            if len(self._shapes) >= _REMEMBERED_MAX:
                self._shapes.clear()
            self._shapes[shape] = remarks
        return remarks

    def value_remarks(self, values: Values) -> Sequence[Remark]:
        """Say which days, reasons and moves contradict each other."""
        remarks: list[Remark] = []
        until, start = values[COVERED_UNTIL], values[EFFECTIVE_ON]
        if until is not None and start is not None and until < start:
            remarks.append(
                Remark(
                    "ends-before-it-starts",
                    "covered_until",
                    _("the last covered day {until} lies before effective_on {start}").format(
                        until=until, start=start
                    ),
                    _("Correct one of the two days."),
                )
            )
        if values[REASON] == LeaveReason.OTHER and values[NOTE] is None:
            remarks.append(missing("note", _("the reason `other` needs a note")))
        if values[ACTION] == Action.RECLASSIFY and _moves_nobody(values):
            remarks.append(
                Remark(
                    "nothing-moves",
                    "category",
                    _("they would leave and enter the same area and category"),
                    _("Correct from_category, from_area or category."),
                )
            )
        if values[OF_BATCH] is not None and self._draws_on_itself(values):
            remarks.append(
                Remark(
                    "draws-on-itself",
                    "of_batch",
                    _("the batch names itself as the one it draws on"),
                    _("Name the earlier batch, or give this one a reference or part of its own."),
                )
            )
        return remarks

    def is_usual(self, columns: Sequence[Values]) -> bool:
        """Look at one row of each shape, and at all only where days, moves or names can be at odds."""
        count = len(columns[ACTION])
        blank = [0 if all(column) else column.count(None) for column in columns]  # mostly sooner
        varying = [
            [value is None for value in columns[index]]
            for index, nones in enumerate(blank)
            if 0 < nones < count
        ]
        one_of_each = dict(
            zip(zip(columns[ACTION], *varying, strict=True), range(count), strict=True)
        )
        for row in one_of_each.values():
            if self.shape_remarks([column[row] for column in columns]):
                return False
        if blank[OF_BATCH] < count or blank[REASON] < count or "reclassify" in columns[ACTION]:
            return not any(map(self.value_remarks, zip(*columns, strict=True)))
        days = zip(columns[EFFECTIVE_ON], columns[COVERED_UNTIL], strict=True)
        return not any(start and until and until < start for start, until in days)

    def _draws_on_itself(self, values: Values) -> bool:
        if values[FROM_AREA] not in {None, values[AREA]}:
            return False
        folded = self._folded
        return (folded[values[OF_BATCH]], folded[values[OF_PART] or ""]) == (
            folded[values[REFERENCE]],
            folded[values[PART] or ""],
        )

    def key(self, values: Values) -> str:
        """Return area, reference and part as compared."""
        part = values[PART]
        reference = self._folded[values[REFERENCE]]
        return f"{values[AREA]}\x1f{reference}\x1f{self._folded[part] if part else ''}"

    def starts(self, columns: Sequence[Values]) -> list[int]:
        """Return where area, reference or part are not spelled as in the row above."""
        spelled = zip(columns[REFERENCE], columns[PART], columns[AREA], strict=True)
        return [0, *(at for at, (a, b) in enumerate(pairwise(spelled), 1) if a != b)]

    def keys(self, columns: Sequence[Values]) -> list[str]:
        """Return area, reference and part of each row as compared."""
        folded = self._folded
        references = map(folded.__getitem__, columns[REFERENCE])
        parts = [folded[part] if part else "" for part in columns[PART]]
        return [
            f"{area}\x1f{reference}\x1f{part}"
            for area, reference, part in zip(columns[AREA], references, parts, strict=True)
        ]

    def group_remarks(self, rows: Sequence[Row]) -> Iterator[tuple[Row, Remark]]:
        """Say where the rows of a batch disagree, repeat each other or are too many."""
        first = rows[0]
        proposed = first.values[PROPOSED]
        if proposed is not None:
            accepted = sum(row.values[WORKERS] or 0 for row in rows)
            if proposed < accepted:
                yield first, _proposed_below(proposed, accepted)
        if len(rows) == 1:
            return
        if len(rows) > LINES_MAX:
            yield rows[LINES_MAX], _too_many_lines()
            return
        seen: dict[tuple[object, ...], Row] = {}
        for row in rows:
            if row is not first:
                yield from _disagreements(first, row)
            if row.values[_HEAD_SLICE] != first.values[_HEAD_SLICE]:
                continue  # refused: it is not of this batch
            line = self._line_key(row.values)
            earlier = seen.setdefault(line, row)
            if earlier is not row and first.values[ACTION] != Action.WITHDRAW:
                yield row, _repeated_line(earlier, row)

    def all_agree(self, columns: Sequence[Values], lengths: Sequence[int]) -> bool:
        """Compare each row with the first of its batch, a column at once."""
        count, action = len(columns[ACTION]), columns[ACTION]
        if max(lengths) > LINES_MAX or (len(lengths) < count and Action.WITHDRAW in action):
            return False
        starts = [*accumulate(lengths, initial=0)]
        firsts = [*chain.from_iterable(map(repeat, starts, lengths))]
        for column in columns[:CATEGORY]:
            is_one = column[0] == column[-1] and column.count(column[0]) == count
            if not is_one and [*map(column.__getitem__, firsts)] != [*column]:
                return False
        said = (*columns[CATEGORY:WORKERS], columns[COVERED_UNTIL], columns[SEGMENT])
        if len({*zip(firsts, *said, strict=True)}) < count:
            return False
        proposed = columns[PROPOSED]
        if proposed.count(None) == count:
            return True
        heads = [*accumulate((workers or 0 for workers in columns[WORKERS]), initial=0)]
        return all(
            proposed[start] is None or proposed[start] >= heads[end] - heads[start]
            for start, end in pairwise(starts)
        )

    def _line_key(self, values: Values) -> tuple[object, ...]:
        of_batch, of_part = values[OF_BATCH], values[OF_PART]
        return (
            *values[CATEGORY:WORKERS],
            values[COVERED_UNTIL],
            self._folded[of_batch] if of_batch else None,
            self._folded[of_part] if of_part else None,
            values[SEGMENT],
        )

    def workers(self, values: Values) -> int:
        """Return the heads of the row; a withdrawal has none of its own."""
        return values[WORKERS] or 0

    def movements(self, values: Values) -> Iterator[tuple[str | None, int]]:
        """Yield what enters and leaves; renewals move nobody, corrections depend on the store."""
        action, workers = values[ACTION], values[WORKERS]
        if action in _INCOMING:
            yield values[CATEGORY], workers
        elif action in _OUTGOING:
            yield values[CATEGORY], -workers
        elif action == "reclassify":
            yield values[CATEGORY], workers
            yield values[FROM_CATEGORY] or values[CATEGORY], -workers

    def summed(self, rows: Iterable[Values]) -> Iterator[Values]:
        """Yield a row for each action, and the categories it moves heads between."""
        heads: defaultdict[tuple[Any, ...], int] = defaultdict(int)
        for row in rows:
            heads[row[ACTION], row[CATEGORY], row[FROM_CATEGORY]] += row[WORKERS] or 0
        for (action, category, from_category), workers in heads.items():
            said: list[Any] = [None] * len(COLUMNS)
            said[ACTION], said[CATEGORY], said[FROM_CATEGORY] = action, category, from_category
            said[WORKERS] = workers
            yield said

    def action(self, values: Values) -> str | None:
        """Return the action of the row."""
        return str(values[ACTION])

    @property
    def entering(self) -> Self:
        """Enrolments, openings and the like."""
        return self

    def enters(self, page: Page) -> Sequence[bool]:
        """Say of each batch whether it only brings heads in: all its rows do, or none."""
        action = page.columns[ACTION]
        return [action[start] in _INCOMING for start in page.starts()]

    def entries(
        self, page: Page, sheet: str | None, commands: Callable[[], Iterable[Command]]
    ) -> EntryPage:
        """Return batches that only bring heads in by column."""
        lines = page.columns
        starts = page.starts()
        heads = [[column[start] for start in starts] for column in lines[:CATEGORY]]
        return EntryPage(
            sheet,
            commands,
            page.keys,
            page.lengths,
            reference=heads[REFERENCE],
            part=heads[PART],
            area=heads[AREA],
            action=heads[ACTION],
            effective_on=heads[EFFECTIVE_ON],
            funding=heads[FUNDING],
            programmes=heads[PROGRAMMES],
            decided_on=heads[DECIDED_ON],
            document=heads[DOCUMENT],
            proposed=heads[PROPOSED],
            rejected=heads[REJECTED],
            note=heads[NOTE],
            category=lines[CATEGORY],
            workers=lines[WORKERS],
            covered_until=lines[COVERED_UNTIL],
            segment=lines[SEGMENT],
            row=page.numbers,
        )

    def command(self, rows: Sequence[Row], sheet: str | None) -> Command:
        """Return the batch: what its rows agree on, once, and a line for each row."""
        head = rows[0].values
        explains = head[ACTION] in self._explaining
        return RecordBatch(
            action=_ACTIONS[head[ACTION]],
            area=head[AREA],
            reference=head[REFERENCE],
            part=head[PART] or "",
            lines=() if head[ACTION] == "withdraw" else tuple([_line(row) for row in rows]),
            effective_on=_day(head[EFFECTIVE_ON]),
            funding=_FUNDINGS[head[FUNDING]] if head[FUNDING] else None,
            programmes=_programmes(head[PROGRAMMES]),
            reason=LeaveReason(head[REASON]) if head[REASON] else None,
            decided_on=_day(head[DECIDED_ON]),
            document=head[DOCUMENT],
            proposed=head[PROPOSED],
            rejected=_rejected(head[REJECTED]),
            note=None if explains else head[NOTE],
            because=head[NOTE] if explains else None,
            sheet=sheet,
            row=rows[0].number,
        )


class _Folded(dict[str, str]):
    """References as compared, remembered: folding one costs more than all else in its row."""

    def __missing__(self, reference: str) -> str:
        if len(self) >= _REMEMBERED_MAX:
            self.clear()
        folded = self[reference] = normalised_reference(reference)
        return folded


def _shape_remarks(action: str | None, present: set[str]) -> Iterator[Remark]:
    for name in ("reference", "area", "action"):
        if name not in present:
            yield missing(name, _("{name} is blank").format(name=name))
    if action is None:
        return
    demand = DEMANDS[action]
    for name in demand.needs:
        if name not in present:
            yield missing(
                name,
                _WHY_NEEDED.get(
                    (action, name), _("{action} needs {name}").format(action=action, name=name)
                ),
            )
    for name in demand.refuses:
        if name in present:
            yield _unexpected(
                name,
                _("{action} has no use for {name}").format(action=action, name=name),
                _("Leave it blank."),
            )
    yield from _of_batch_remarks(action, present)
    if action == "reclassify" and not present.intersection(_MOVED):
        yield missing("from_category", _("a reclassification says which category they leave"))


def _of_batch_remarks(action: str, present: set[str]) -> Iterator[Remark]:
    """Say what is missing or without meaning where a row draws on no named batch."""
    if "of_batch" in present:
        return
    if action in _OUTGOING and "category" not in present:
        yield missing(
            "category",
            _("no batch is named, so the category must be"),
            _("Fill in category, or of_batch."),
        )
    if action in _DRAWING and "covered_until" in present:
        yield _unexpected(
            "covered_until",
            _("it selects a term of the batch drawn on, and of_batch names none"),
            _("Fill in of_batch, or leave covered_until blank."),
        )
    if "of_part" in present and "of_part" not in DEMANDS[action].refuses:
        yield _unexpected(
            "of_part",
            _("it is a part of the batch drawn on, and of_batch names none"),
            _("Fill in of_batch, or leave of_part blank."),
        )


def _unexpected(column: str, why: str, remedy: str) -> Remark:
    return Remark("unexpected-value", column, why, remedy)


def _moves_nobody(values: Values) -> bool:
    origin = (
        values[FROM_AREA] or values[AREA],
        values[FROM_CATEGORY] or values[CATEGORY],
    )
    return origin == (values[AREA], values[CATEGORY])


def _disagreements(first: Row, row: Row) -> Iterator[tuple[Row, Remark]]:
    if row.sheet != first.sheet:
        yield (
            row,
            Remark(
                "batch-in-two-sheets",
                "reference",
                _("another sheet has rows of this batch (row {number} there)").format(
                    number=first.number
                ),
                _("Keep all rows of a batch in one sheet, or give each sheet's a part."),
            ),
        )
        return
    ours, theirs = row.values[_HEAD_SLICE], first.values[_HEAD_SLICE]
    if ours != theirs:
        column = next(
            name for name, one, other in zip(_HEAD, ours, theirs, strict=True) if one != other
        )
        changes = _EXPLAINING.intersection({str(row.values[ACTION]), str(first.values[ACTION])})
        yield (
            row,
            Remark(
                "batch-disagrees",
                column,
                _(
                    "row {number} of the same batch has another {column}: the same SK with two "
                    "dates, actions, funders or remarks"
                ).format(number=first.number, column=column),
                _("Correct or withdraw in a file of its own, after the batch is recorded.")
                if changes
                else _("Correct it, or give each a part."),
            ),
        )
    elif row.values[ACTION] == Action.WITHDRAW:
        yield (
            row,
            Remark(
                "withdrawn-twice",
                None,
                _("row {number} withdraws the whole batch already").format(number=first.number),
                _("Delete this row."),
            ),
        )
    elif row.values[REFERENCE:AREA] != first.values[REFERENCE:AREA]:
        yield (
            row,
            Remark(
                "spelling-differs",
                "reference",
                _("row {number} spells the same batch differently; its spelling is kept").format(
                    number=first.number
                ),
                _("Nothing to do if it is the same batch."),
                "warning",
            ),
        )


def _repeated_line(earlier: Row, row: Row) -> Remark:
    same = earlier.values[WORKERS] == row.values[WORKERS]
    alike = _("says exactly the same") if same else _("is alike in all but workers")
    return Remark(
        "repeated-line",
        "category",
        _("row {number} of the same batch {alike}; both are counted").format(
            number=earlier.number, alike=alike
        ),
        _("Nothing to do, unless one was copied by mistake."),
        "warning",
    )


def _proposed_below(proposed: int, accepted: int) -> Remark:
    return Remark(
        "proposed-below-accepted",
        "proposed",
        _("{proposed} were proposed, but the rows add up to {accepted}").format(
            proposed=proposed, accepted=accepted
        ),
        _("Check both numbers."),
        "warning",
    )


def _too_many_lines() -> Remark:
    return Remark(
        "too-many-lines",
        None,
        _("the batch has more than {lines_max:,} rows").format(lines_max=LINES_MAX),
        _("Give its parts a part of their own."),
    )


def _line(row: Row) -> BatchLine:
    values = row.values
    until, from_area, segment = values[COVERED_UNTIL], values[FROM_AREA], values[SEGMENT]
    category, from_category = values[CATEGORY], values[FROM_CATEGORY]
    return BatchLine(
        category=category,
        workers=values[WORKERS],
        row=row.number,
        # A move between areas keeps the category unless the row names the one that is left.
        from_category=from_category or (category if from_area else None),
        from_area=from_area,
        of_batch=values[OF_BATCH],
        of_part=values[OF_PART] or "",
        covered_until=date.fromisoformat(until) if until else None,
        segment=_SEGMENTS[segment] if segment else None,
    )


@lru_cache(maxsize=64)
def _programmes(text: str | None) -> tuple[Programme, ...]:
    return tuple(Programme(word) for word in text.split(";")) if text else ()


def _rejected(text: str | None) -> tuple[tuple[str, int], ...]:
    if not text:
        return ()
    pairs = (piece.rpartition(":") for piece in text.split(";"))
    return tuple((reason, int(number)) for reason, _, number in pairs)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
