"""One batch, whole: what it says, what is left of it, what draws on it, and all its versions.

Versions and lines come from the batch's own stream in the log; what became of its heads is summed
over the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

from projections.boundaries import last_map
from projections.history import spellings
from registry.errors import RegistryError, UnknownBatchError
from registry.language import _, joined
from registry.safe_text import safe
from registry.terms import batch_id, normalised_reference

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from projections.ledger import Ledger
    from registry.reference.boundaries import Map
    from registry.storage.log import Log, StoredRow

LISTED: Final = 10
CHANGES: Final = frozenset({"batch-corrected", "batch-withdrawn"})
FILE_IMPORTED: Final = "file-imported"


class AmbiguousBatchError(RegistryError):
    """Several batches have that reference: in other areas, or as parts of one document."""

    code = "ambiguous-batch"


@dataclass(frozen=True, slots=True)
class BatchKey:
    """Which batch: area, reference and part as they were recorded."""

    area: str
    reference: str
    part: str


@dataclass(frozen=True, slots=True)
class Version:
    """One event of the batch: who recorded it, when, why, and from which file and rows.

    `workers` is its net change; `moved` are those it states as only moving: a transfer or a
    reclassification has both sides in its lines, and comes to nothing net. `kept_sha256` is of the
    bytes kept: `file_sha256`, or that of a copy without what was not read of the file.
    """

    position: int
    version: int
    event: str
    recorded_at: datetime
    recorded_by: str
    workers: int
    moved: int
    because: str | None
    import_id: str | None
    file: str | None
    file_sha256: str | None
    file_bytes: int | None
    kept_sha256: str | None
    sheet: str | None
    rows: tuple[int, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class LineInForce:
    """One line: how many heads (signed) of which cohort, and until when they are covered."""

    area: str
    category: str
    segment: str | None
    funding: str | None
    cohort_reference: str | None
    cohort_part: str
    covered_until: date | None
    workers: int
    row: int | None
    renews_reference: str | None
    renews_part: str | None


@dataclass(frozen=True, slots=True)
class CohortLeft:
    """What became of the heads that the batch brought in, by cohort.

    `left` went by other batches up to the day, `moved` changed category or area, `renewed` are
    covered on by a renewal, `active` are covered on the day; `to_leave` is recorded for later.
    `pool_draws` are those who left the category by then naming no batch: any of them may be of
    this cohort, if it has no end, and are then fewer than `active` says. Zero where it has one.
    """

    category: str
    segment: str | None
    funding: str | None
    covered_until: date | None
    brought_in: int
    left: int
    moved: int
    to_leave: int
    renewed: int
    active: int
    pool_draws: int


@dataclass(frozen=True, slots=True)
class Dependent:
    """Another batch that draws on this one: its net heads (negative), or those it renews."""

    area: str
    reference: str
    part: str
    kind: str
    effective_on: date
    workers: int


@dataclass(frozen=True, slots=True)
class BatchShown:
    """A batch as known at a position, with what is left of it on a day.

    `state` is in-force, corrected (in force, changed `corrections` times) or withdrawn. What a
    withdrawn batch said last still stands in its fields, but it has no lines in force. `settles`: the
    position of the figure that a balancing entry was made for.
    """

    key: BatchKey
    area_name: str
    known_position: int
    on: date
    kind: str
    effective_on: date
    programmes: tuple[str, ...]
    fundings: tuple[str, ...]
    reason: str | None
    decided_on: date | None
    document: str | None
    note: str | None
    settles: int | None
    proposed: int | None
    rejected: dict[str, int]
    state: Literal["in-force", "corrected", "withdrawn"]
    corrections: int
    workers: int
    lines: tuple[LineInForce, ...]
    cohorts: tuple[CohortLeft, ...]
    dependents: tuple[Dependent, ...]
    versions: tuple[Version, ...]


def find_batch(
    ledger: Ledger, reference: str, *, area: str | None, part: str | None, known: int
) -> BatchKey:
    """Return the one batch of a reference, compared normalised.

    Raises: UnknownBatchError; AmbiguousBatchError where area or part must say which, listing them.
    """
    names = last_map(ledger, known)
    written = spellings(ledger.connection, reference, known)
    found = ledger.connection.execute(
        "SELECT DISTINCT area, reference, part FROM events"
        " WHERE reference IN (SELECT unnest($written::VARCHAR[])) AND position <= $known"
        " ORDER BY ALL",
        {"written": written, "known": known},
    ).fetchall()
    keys = {
        batch_id(*each): BatchKey(*each)
        for each in found
        if area in {None, each[0]}
        and (part is None or normalised_reference(part) == normalised_reference(each[2]))
    }
    if not keys:
        where = _(" in {area}").format(area=names.name(area)) if area else ""
        what = _("no batch {reference}{part} is recorded{where}, as known at #{position}").format(
            reference=safe(reference), part=_part(part), where=where, position=known
        )
        raise UnknownBatchError(
            what, why=_elsewhere(found, names), remedy=_("Find it with `ucj history`.")
        )
    if len(keys) > 1:
        several = sorted(keys.values(), key=lambda key: (key.area, key.part))
        # where only parts differ, the batch without one is what the bare reference means
        bare = [key for key in several if not key.part]
        if part is None and len({key.area for key in several}) == 1 and len(bare) == 1:
            return bare[0]
        raise AmbiguousBatchError(
            _("{reference} is the reference of {number} batches").format(
                reference=safe(reference), number=len(keys)
            ),
            why=_listed(several, names),
            remedy=_("Say which with --area and --part."),
        )
    return next(iter(keys.values()))


def batch_at(ledger: Ledger, key: BatchKey, *, on: date, known: int) -> BatchShown:
    """Return a batch whole, as known at a position, with what is left of it on a day."""
    stream = batch_rows(ledger.log, key, known)
    facts = [row.facts() for row in stream]
    last = facts[-1]
    withdrawn = stream[-1].topic.endswith("batch-withdrawn")
    stated = next(each for each in reversed(facts) if "effective_on" in each)
    lines = () if withdrawn else tuple(_line(each) for each in _lines_of(last))
    since_recorded = max(
        number for number, row in enumerate(stream) if event_of(row) not in CHANGES
    )
    corrections = sum(event_of(row) == "batch-corrected" for row in stream[since_recorded:])
    fundings = dict.fromkeys(each.funding for each in lines if each.funding)
    written = sorted({each["reference"] for each in facts})
    return BatchShown(
        key=BatchKey(last["area"], last["reference"], last["part"]),
        area_name=last_map(ledger, known).name(last["area"]),
        known_position=known,
        on=on,
        kind=stated["kind"],
        effective_on=date.fromisoformat(stated["effective_on"]),
        programmes=tuple(stated["programmes"]),
        fundings=tuple(fundings),
        reason=stated["reason"],
        decided_on=_day(stated["decided_on"]),
        document=stated["document"],
        note=stated["note"],
        settles=next((each["settles"] for each in reversed(facts) if "settles" in each), None),
        proposed=stated["proposed"],
        rejected=dict(stated["rejected"]),
        state="withdrawn" if withdrawn else "corrected" if corrections else "in-force",
        corrections=corrections,
        workers=sum(each.workers for each in lines),
        lines=lines,
        cohorts=_cohorts(ledger.connection, key.area, written, key.part, on, known),
        dependents=_dependents(ledger.connection, key.area, written, key.part, known),
        versions=versions_of(ledger.connection, stream),
    )


def batch_rows(log: Log, key: BatchKey, known: int) -> list[StoredRow]:
    """Return the events of a batch up to a position, in the order of its stream."""
    stream = log.stream(batch_id(key.area, key.reference, key.part).hex)
    return _upto(stream, known)


def versions_of(connection: DuckDBPyConnection, stream: list[StoredRow]) -> tuple[Version, ...]:
    """Return what each event of a stream is, and the file and rows it came from."""
    files = _files(connection, [row.facts().get("source") for row in stream])
    return tuple(_version(row, files) for row in stream)


def _upto(stream: list[StoredRow], known: int) -> list[StoredRow]:
    return [row for row in stream if row.position <= known]


def event_of(row: StoredRow) -> str:
    """Return the name of an event, as `ucj history` shows it."""
    return row.topic.removeprefix("ucj.")


_File = tuple[str, str, int, str]


def _version(row: StoredRow, files: dict[str, _File]) -> Version:
    facts = row.facts()
    source = facts.get("source") or {}
    if event_of(row) == FILE_IMPORTED:  # it is the file: its own facts say which
        source = {"import_id": str(UUID(row.originator_id)), "sheet": facts["sheet"]}
        file: _File | tuple[None, ...] = (
            facts["file_name"],
            facts["sha256"],
            facts["size"],
            facts["kept_sha256"],
        )
    else:
        file = files.get(source.get("import_id", ""), (None, None, None, None))
    name, sha256, size, kept_sha256 = file
    stated = [line["workers"] for line in _lines_of(facts)]
    taken = sum(line["workers"] for line in (facts.get("takes_back") or {}).get("lines", ()))
    rows = {line["row"] for line in _lines_of(facts)} | {facts.get("row")}
    return Version(
        position=row.position,
        version=row.originator_version,
        event=event_of(row),
        recorded_at=row.recorded_at(),
        recorded_by=facts["recorded_by"],
        workers=sum(stated) - taken,
        moved=min(sum(each for each in stated if each > 0), -sum(e for e in stated if e < 0)),
        because=facts.get("because"),
        import_id=source.get("import_id"),
        file=name,
        file_sha256=sha256,
        file_bytes=size,
        kept_sha256=kept_sha256,
        sheet=source.get("sheet"),
        rows=tuple(sorted(number for number in rows if number is not None)),
        sha256=row.sha256(),
    )


def _files(
    connection: DuckDBPyConnection, sources: list[dict[str, Any] | None]
) -> dict[str, _File]:
    """Return import id → (name, sha256, bytes, sha256 of what is kept) of events' files."""
    found = connection.execute(
        "SELECT import_id, file_name, sha256, size, kept_sha256 FROM imports"
        " WHERE import_id IN (SELECT unnest($ids::VARCHAR[]))",
        {"ids": [source["import_id"] for source in sources if source]},
    ).fetchall()
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in found}


def _lines_of(facts: dict[str, Any]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = facts.get("lines") or facts.get("puts") or []
    return lines


def _line(line: dict[str, Any]) -> LineInForce:
    cohort, of = line["cohort"], line["of"] or {}
    return LineInForce(
        area=cohort["area"],
        category=cohort["category"],
        segment=cohort["segment"],
        funding=cohort["funding"],
        cohort_reference=cohort["reference"],
        cohort_part=cohort["part"],
        covered_until=_last_day(_day(cohort["expires_on"])),
        workers=line["workers"],
        row=line["row"],
        renews_reference=of.get("reference"),
        renews_part=of.get("part"),
    )


# `own`: the batch that a movement belongs to is that of its event; a transfer into another area
# writes in both, under a reference that may be somebody else's in the second.
_MOVEMENTS: Final = """
WITH movement AS (
    SELECT entries.*, events.area AS batch_area,
           (events.area = $area AND entries.reference IN (SELECT unnest($written::VARCHAR[]))
            AND entries.part = $part) AS own
    FROM entries JOIN events USING (position)
    WHERE entries.position <= $known AND entries.area = $area
      AND entries.cohort_reference IN (SELECT unnest($written::VARCHAR[]))
      AND entries.cohort_part = $part
)
"""

_COHORTS: Final = (
    _MOVEMENTS
    + """
, renewed AS (
    SELECT category, segment, of_funding AS funding, effective_on AS expires_on,
           sum(workers) AS workers
    FROM entries
    WHERE position <= $known AND area = $area AND kind = 'renewal'
      AND of_reference IN (SELECT unnest($written::VARCHAR[])) AND of_part = $part
    GROUP BY ALL
), pool AS (
    SELECT category, CAST(greatest(-sum(workers), 0) AS BIGINT) AS draws
    FROM entries
    WHERE position <= $known AND area = $area AND cohort_reference IS NULL
      AND effective_on <= $on
    GROUP BY category
), cohort AS (
    SELECT category, segment, funding, expires_on,
           coalesce(sum(workers) FILTER (own AND kind <> 'lapse'), 0) AS brought_in,
           coalesce(-sum(workers) FILTER (NOT own AND effective_on <= $on
               AND kind IN ('deactivation', 'reconciling')), 0) AS has_left,
           coalesce(-sum(workers) FILTER (NOT own AND effective_on <= $on
               AND kind IN ('reclassification', 'transfer')), 0) AS moved,
           coalesce(-sum(workers) FILTER (NOT own AND effective_on > $on
               AND kind <> 'lapse'), 0) AS to_leave,
           coalesce(sum(workers) FILTER (effective_on <= $on), 0) AS active
    FROM movement GROUP BY ALL
)
SELECT cohort.category, cohort.segment, cohort.funding, cohort.expires_on,
       CAST(brought_in AS BIGINT), CAST(has_left AS BIGINT), CAST(moved AS BIGINT),
       CAST(to_leave AS BIGINT), CAST(coalesce(renewed.workers, 0) AS BIGINT),
       CAST(active AS BIGINT),
       CASE WHEN cohort.expires_on IS NULL THEN coalesce(pool.draws, 0) ELSE 0 END
FROM cohort LEFT JOIN pool ON pool.category = cohort.category
LEFT JOIN renewed
  ON renewed.category = cohort.category
 AND renewed.segment IS NOT DISTINCT FROM cohort.segment
 AND renewed.funding IS NOT DISTINCT FROM cohort.funding
 AND renewed.expires_on = cohort.expires_on
WHERE brought_in <> 0 OR has_left <> 0 OR moved <> 0 OR to_leave <> 0
ORDER BY ALL
"""
)


def _cohorts(
    connection: DuckDBPyConnection, area: str, written: list[str], part: str, on: date, known: int
) -> tuple[CohortLeft, ...]:
    found = connection.execute(
        _COHORTS, {"area": area, "written": written, "part": part, "on": on, "known": known}
    ).fetchall()
    return tuple(
        CohortLeft(*each) for each in (((*row[:3], _last_day(row[3]), *row[4:])) for row in found)
    )


_DEPENDENTS: Final = (
    _MOVEMENTS
    + """
, drawing AS (
    SELECT batch_area, reference, part, kind, effective_on, workers
    FROM movement WHERE NOT own AND kind <> 'lapse'
    UNION ALL
    SELECT area, reference, part, kind, effective_on, workers FROM entries
    WHERE position <= $known AND area = $area AND kind = 'renewal'
      AND of_reference IN (SELECT unnest($written::VARCHAR[])) AND of_part = $part
)
SELECT batch_area, reference, part, kind, effective_on, CAST(sum(workers) AS BIGINT)
FROM drawing GROUP BY ALL HAVING sum(workers) <> 0
ORDER BY effective_on, batch_area, reference, part, kind
"""
)


def _dependents(
    connection: DuckDBPyConnection, area: str, written: list[str], part: str, known: int
) -> tuple[Dependent, ...]:
    found = connection.execute(
        _DEPENDENTS, {"area": area, "written": written, "part": part, "known": known}
    ).fetchall()
    return tuple(Dependent(*each) for each in found)


def _elsewhere(found: list[tuple[str, str, str]], names: Map) -> str:
    listed = [BatchKey(*each) for each in found]
    return _("There is {listed}.").format(listed=_listed(listed, names)) if found else ""


def _listed(keys: list[BatchKey], names: Map) -> str:
    words = [
        _("{reference}{part} of {area} ({code})").format(
            reference=safe(key.reference),
            part=_part(key.part),
            area=names.name(key.area),
            code=key.area,
        )
        for key in keys[:LISTED]
    ]
    more = _("; and {more} more").format(more=len(keys) - LISTED) if len(keys) > LISTED else ""
    return joined("; ", words) + more


def _part(part: str | None) -> str:
    return _(" part {part}").format(part=safe(part)) if part else ""


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _last_day(expires_on: date | None) -> date | None:
    return expires_on - timedelta(days=1) if expires_on else None
