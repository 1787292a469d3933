"""The steps of a trace: the entries that are counted at one of two ends only, and what they come to.

An end is a day and a position. A step is signed as it was stored if it is counted at the second
end, reversed if at the first. One question over the entries, grouped by the engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from projections.boundaries import among, boundaries_at, within
from projections.closings import is_late
from registry.temporary import private_folder
from registry.terms import NATION, is_regency

if TYPE_CHECKING:
    from projections.ledger import Ledger
    from registry.reference.boundaries import Map

PAGE_ROWS: Final = 5_000
MEMORY_LIMIT: Final = "1GB"

Grouping = Literal["kind", "category", "batch", "month", "reason"]
"""`reason`: by kind and, of those who left, why."""
StepClass = Literal["period", "restatement", "boundary"]


@dataclass(frozen=True, slots=True)
class Point:
    """One end of a trace: the day asked about, and up to which position the log is read."""

    on: date
    known: int


@dataclass(frozen=True, slots=True)
class Traced:
    """What is traced: an area, or one category in it, from one end to the other, in any order.

    Each end has the boundaries of its day as known then; with `as_of`, of that day: a regency that
    was split between the two days is one with its parts at both ends then.
    """

    area: str
    start: Point
    end: Point
    category: str | None = None
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class Flows:
    """What some steps come to, line by line of a statement: signed, and they add up to `workers`.

    Steps of regencies that lie inside at one end only are `moved`, whatever else they are. Steps
    that took effect on or before both days are `restated`, whatever their kind. Of the others: `entered` are openings and enrolments, `left` deactivations, `lapsed` terms that ended,
    `renewed` those covered on from the same day, `reconciled` balancing entries. A transfer or a
    reclassification enters or leaves by what a batch's moves come to in the area asked.
    """

    entered: int
    left: int
    lapsed: int
    renewed: int
    reconciled: int
    restated: int
    moved: int = 0

    @property
    def workers(self) -> int:
        """Return the change of the heads."""
        return sum(getattr(self, line) for line in LINES)

    def __add__(self, other: Flows) -> Flows:
        """Return what both come to together."""
        return Flows(*(getattr(self, line) + getattr(other, line) for line in LINES))


_AREA: Final = 3  # its place among the columns of _STEPS
LINES: Final = tuple(each.name for each in fields(Flows))


@dataclass(frozen=True, slots=True)
class Group:
    """Steps taken together: of one kind, category, month, or of one event of a batch.

    What they are not grouped by is None. By batch a row is one event's heads of one kind from one
    day in one area, with the document, file, sheet and rows it came from; `area` is where the
    heads are, `batch_area` where the batch is. `gives_back`: by batch, whether its heads as stated
    come to more: of a lapse, whether it ends what had left. `of_balance`: by reason, whether they are
    of balancing entries, or lapse of them. `late`: some were recorded on closed days.
    """

    kind: str | None
    category: str | None
    month: str | None
    area: str | None
    batch_area: str | None
    reference: str | None
    part: str | None
    effective_on: date | None
    step_class: StepClass | None
    position: int | None
    event: str | None
    recorded_at: datetime | None
    recorded_by: str | None
    reason: str | None
    because: str | None
    document: str | None
    import_id: str | None
    file: str | None
    sheet: str | None
    row: int | None
    last_row: int | None
    gives_back: bool | None
    of_balance: bool | None
    flows: Flows
    late: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One entry that is counted at one end only; `workers` signed, negated where `reversed`.

    `late`: it changed days that were closed when it was recorded.
    """

    kind: str
    act: str
    step_class: StepClass
    area: str
    category: str
    reference: str
    part: str
    reason: str | None
    document: str | None
    effective_on: date
    position: int
    recorded_by: str
    import_id: str | None
    sheet: str | None
    row: int | None
    workers: int
    reversed: bool
    segment: str | None
    funding: str | None
    cohort_reference: str | None
    cohort_part: str
    because: str | None
    file: str | None
    late: bool
    recorded_at: datetime


def groups(ledger: Ledger, traced: Traced, by: Grouping) -> Iterator[Group]:
    """Yield the steps taken together by kind, category, month or batch, in order.

    Steps that come to nothing are left out; by batch those that come to nothing in each category.
    Read it while the ledger is open; a page is held at a time.
    """
    names = _FACTS if by == "batch" else _NAMES.get(by, (by,))
    drawn = maps(ledger, traced)
    step = _step(ledger, traced, drawn)
    if by == "reason":
        step = _OF_BALANCE.format(step=step)
    flows = _FLOWS.format(step=step, finer=_FINER[by], keys=_KEYS[by])
    keys = ", ".join(names)
    question = _BATCHES.format(flows=flows) if by == "batch" else f"{flows} ORDER BY {keys}"
    found = ledger.connection.cursor().execute(question, _parameters(traced))
    while page := found.fetchmany(PAGE_ROWS):
        for row in page:
            facts: dict[str, Any] = _NO_FACTS | dict(zip(names, row, strict=False))
            if facts["recorded_at"] is not None:
                facts["recorded_at"] = facts["recorded_at"].replace(tzinfo=UTC)
            if by == "batch":
                facts |= {each: shown(facts[each], drawn) for each in ("area", "batch_area")}
            flows_of = Flows(*row[len(names) : len(names) + len(LINES)])
            yield Group(**facts, flows=flows_of, late=row[-1])


def steps(ledger: Ledger, traced: Traced) -> Iterator[Step]:
    """Yield the entries counted at one end only: by area, day and position.

    Read it while the ledger is open; a page is held at a time.
    """
    drawn = maps(ledger, traced)
    found = ledger.connection.cursor().execute(
        _STEPS.format(step=_step(ledger, traced, drawn)), _parameters(traced)
    )
    while page := found.fetchmany(PAGE_ROWS):
        for row in page:
            *facts, recorded_at = row
            facts.append(recorded_at.replace(tzinfo=UTC))
            facts[_AREA] = shown(facts[_AREA], drawn)
            yield Step(*facts)


def maps(ledger: Ledger, traced: Traced) -> tuple[Map, Map]:
    """Return the map at each end: of its day, as known at its position."""
    first, second = (
        boundaries_at(ledger, at.known).map_on(at.on, as_of=traced.as_of)
        for at in (traced.start, traced.end)
    )
    return first, second


def sides(area: str, drawn: tuple[Map, Map]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys whose entries are an area's at each end.

    A regency that is not on the map at an end, being opened later, has nobody there. It lies where
    it was opened: that it came to be is no change of border, so its steps are those of the period.
    """
    opened_in = {**drawn[1].opened_in, **drawn[0].opened_in}

    if is_regency(area):
        several = together(area, drawn)
        return several, several

    def keys(at: Map) -> frozenset[str]:
        to_come = (
            key
            for key, province in opened_in.items()
            if not at.has_place(key) and area in {NATION, at.opened_in.get(key, province)}
        )
        return frozenset((*at.keys(area), *to_come))

    first, second = map(keys, drawn)
    return first, second


def together(regency: str, drawn: tuple[Map, Map]) -> frozenset[str]:
    """Return a regency with all that are one place with it at either end."""
    keys, more = frozenset[str](), frozenset({regency})
    while keys != more:
        keys, more = more, drawn[1].joined_with(drawn[0].joined_with(more))
    return keys


def shown(area: str, drawn: tuple[Map, Map]) -> str:
    """Return the code of an area at the second end, or at the first where it is none at that."""
    first, second = drawn
    if second.is_built_in and first.is_built_in:
        return area
    return next((each.code(area) for each in (second, first) if each.has(area)), area)


def _step(ledger: Ledger, traced: Traced, drawn: tuple[Map, Map]) -> str:
    """Return the question for the entries counted at one end only, which may lie otherwise there."""
    if traced.area == NATION or all(each.is_built_in for each in drawn):
        first = second = within([traced.area])
    else:
        first, second = map(among, sides(traced.area, drawn))
    late = is_late(ledger.connection)
    if first == second:
        return _STEP.format(inside=first, first="true", second="true", late=late)
    inside = f"({first} OR {second})"
    return _STEP.format(inside=inside, first=first, second=second, late=late)


@contextmanager
def sorted_on_disk(ledger: Ledger) -> Iterator[None]:
    """Let long lists of steps be sorted in a bound of memory, and beyond it on disk, while inside."""
    ((bound,),) = ledger.connection.execute("SELECT current_setting('temp_directory')").fetchall()
    if bound:  # as a ledger with a long tail already is
        yield
        return
    with private_folder() as spill:
        quoted = str(spill).replace("'", "''")
        ledger.connection.execute(
            f"SET temp_directory = '{quoted}'; SET memory_limit = '{MEMORY_LIMIT}'"
        )
        yield


def _parameters(traced: Traced) -> dict[str, object]:
    return {
        "start_on": traced.start.on,
        "start_known": traced.start.known,
        "end_on": traced.end.on,
        "end_known": traced.end.known,
        "category": traced.category,
    }


_COUNTED_FIRST: Final = "(effective_on <= $start_on AND position <= $start_known)"
_COUNTED_SECOND: Final = "(effective_on <= $end_on AND position <= $end_known)"

# `stated`: as the batch says it, whether it is put or taken back.
_STEP: Final = f"""
SELECT * REPLACE (CASE WHEN {_COUNTED_FIRST} AND {{first}} THEN -entries.workers
                       ELSE entries.workers END AS workers),
       CASE WHEN act = 'takes-back' THEN -entries.workers ELSE entries.workers END AS stated,
       {_COUNTED_FIRST} AND {{first}} AS reversed,
       CASE WHEN {{first}} <> {{second}} THEN 'boundary'
            WHEN effective_on > least($start_on::DATE, $end_on::DATE)
            THEN 'period' ELSE 'restatement' END AS step_class,
       strftime(effective_on, '%Y-%m') AS month, {{late}} AS late
FROM main.entries AS entries
WHERE {{inside}} AND ($category IS NULL OR category = $category)
  AND ({_COUNTED_FIRST} AND {{first}}) <> ({_COUNTED_SECOND} AND {{second}})
"""

# Each grouping's keys, and what the steps are settled by besides kind and class. A move has legs in
# two places: what it comes to where it is settled says whether heads entered or left.
_KEYS: Final[dict[Grouping, str]] = {
    "kind": "kind",
    "category": "category",
    "month": "month",
    "batch": "area, effective_on, position, kind, step_class",
    "reason": "kind, reason, of_balance",
}
_FINER: Final[dict[Grouping, str]] = {
    "kind": "",
    "category": ", category",
    "month": ", month",
    "batch": ", area, effective_on, position, category",
    "reason": ", reason, of_balance",
}
_NAMES: Final[dict[Grouping, tuple[str, ...]]] = {"reason": ("kind", "reason", "of_balance")}
# The heads of a balancing entry lapse by it: every movement carries its own end.
_OF_BALANCE: Final = """
SELECT *, kind = 'reconciling' OR (kind = 'lapse' AND position IN (
    SELECT position FROM main.events WHERE kind = 'reconciling')) AS of_balance
FROM ({step})
"""
_MOVING: Final = "kind IN ('reclassification', 'transfer')"
_OF_THE_PERIOD: Final = {
    "entered": f"kind IN ('opening', 'enrolment') OR ({_MOVING} AND stated > 0)",
    "left": f"kind = 'deactivation' OR ({_MOVING} AND stated <= 0)",
    "lapsed": "kind = 'lapse'",
    "renewed": "kind = 'renewal'",
    "reconciled": "kind = 'reconciling'",
}


def _heads(condition: str, line: str) -> str:
    return f"CAST(coalesce(sum(workers) FILTER ({condition}), 0) AS BIGINT) AS {line}"


_LINES: Final = ", ".join(
    [
        *(
            _heads(f"step_class = 'period' AND ({condition})", line)
            for line, condition in _OF_THE_PERIOD.items()
        ),
        _heads("step_class = 'restatement'", "restated"),
        _heads("step_class = 'boundary'", "moved"),
    ]
)
_FLOWS: Final = f"""
WITH step AS ({{step}}), settled AS (
    SELECT kind, step_class{{finer}}, sum(workers) AS workers, sum(stated) AS stated,
           min("row") AS first_row, max("row") AS last_row, bool_or(late) AS late
    FROM step GROUP BY kind, step_class{{finer}}, CASE WHEN {_MOVING} THEN (position, act) END
)
SELECT {{keys}}, {_LINES}, min(first_row) AS first_row, max(last_row) AS last_row,
       sum(stated) > 0 AS gives_back, bool_or(late) AS late
FROM settled GROUP BY {{keys}} HAVING count(*) FILTER (workers <> 0) > 0
"""

_FACTS: Final = (
    "area", "effective_on", "position", "kind", "step_class", "batch_area", "reference", "part",
    "event", "recorded_at", "recorded_by", "reason", "because", "document", "import_id", "file",
    "sheet", "row", "last_row", "gives_back",
)  # fmt: skip
_NO_FACTS: Final = dict.fromkeys((*_FACTS, "category", "month", "of_balance"))
_BATCHES: Final = f"""
SELECT flows.area, flows.effective_on, flows.position, flows.kind, flows.step_class,
       events.area, events.reference, events.part, events.event, events.recorded_at,
       events.recorded_by, CASE WHEN flows.kind <> 'lapse' THEN events.reason END, events.because,
       events.document, events.import_id, imports.file_name, events.sheet, coalesce(first_row, events."row"),
       coalesce(last_row, events."row"), gives_back, {", ".join(f"flows.{line}" for line in LINES)},
       flows.late
FROM ({{flows}}) AS flows
JOIN main.events AS events ON events.position = flows.position
LEFT JOIN main.imports AS imports ON imports.import_id = events.import_id
ORDER BY flows.area, flows.effective_on, flows.position, flows.kind
"""

_STEPS: Final = """
SELECT step.kind, act, step_class, step.area, step.category, step.reference, step.part,
       step.reason, events.document, step.effective_on, step.position, step.recorded_by,
       step.import_id, step.sheet, coalesce(step."row", events."row"), step.workers, reversed,
       step.segment, step.funding, cohort_reference, cohort_part, events.because,
       imports.file_name, late, step.recorded_at
FROM ({step}) AS step
JOIN main.events AS events ON events.position = step.position
LEFT JOIN main.imports AS imports ON imports.import_id = step.import_id
ORDER BY step.area, step.effective_on, step.position, act DESC, step.category, step.kind,
         step."row", step.workers, step.segment, step.funding, expires_on, cohort_reference,
         cohort_part
"""
