"""The history: every event in the order it was recorded, with the file and row it came from.

Asked in pages by position, so that an answer of any length is held a page at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from projections.boundaries import boundaries_at, last_map, within
from registry.language import Period, _, decimal, joined
from registry.terms import normalised_reference
from registry.vocabulary import change_of_area

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from projections.ledger import Ledger
    from registry.reference.boundaries import Map
    from registry.storage.log import Log

PAGE_ROWS: Final = 20_000


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One event: who recorded what, when, on which document, from which file and row.

    `workers` is the net change that a batch's event brings to the area asked (to all, if none
    is); `workers_in` and `workers_out` are those who entered and left a category there, so that a
    transfer or a reclassification shows its heads. A balancing entry is in neither: its heads,
    signed, are `reconciled`. `rows`, `control_workers` and `sha256` are those of an imported file.
    `details` is for people: what a potential, target, figure or closing says, or which figure a
    balancing entry settles.
    """

    position: int
    recorded_at: datetime
    recorded_by: str
    event: str
    area: str | None
    area_name: str | None
    reference: str | None
    part: str | None
    kind: str | None
    effective_on: date | None
    workers: int | None
    workers_in: int | None
    workers_out: int | None
    reconciled: int | None
    decided_on: date | None
    document: str | None
    reason: str | None
    because: str | None
    note: str | None
    import_id: str | None
    file: str | None
    sheet: str | None
    row: int | None
    transaction_id: int
    takes_back_position: int | None
    import_kind: str | None
    rows: int | None
    control_workers: int | None
    sha256: str | None
    details: str | None


def history_page(
    ledger: Ledger,
    *,
    area: str | None = None,
    reference: str | None = None,
    known: int | None = None,
    after: int = 0,
    limit: int = PAGE_ROWS,
) -> list[HistoryRow]:
    """Return up to `limit` events after a position, oldest first.

    `area`: what was recorded of it or of an area below it; a transfer belongs to both its areas.
    `reference`: the batches of that reference, however it is spelt. Files are listed too where
    nothing is asked for, or anything asked for came from them.
    """
    position = ledger.position if known is None else known
    inside = None if area is None else _ever_within(ledger, area, position)
    wanted = _wanted(ledger.connection, area, inside, reference, position)
    names = last_map(ledger, position)
    found = ledger.connection.execute(
        _PAGE.format(
            wanted=wanted,
            files=_FILES.format(wanted=wanted),
            inside=inside or "true",
        ),
        {"after": after, "known": position, "limit": limit},
    ).fetchall()
    return [_row(each, names, ledger.log) for each in found]


def _ever_within(ledger: Ledger, area: str, known: int) -> str:
    """Return a condition over `area`: what lay inside on any day."""
    boundaries = boundaries_at(ledger, known)
    maps = (boundaries.map_on(day) for day in (date.min, *boundaries.days))
    conditions = dict.fromkeys(within([area], each) for each in maps)
    return " OR ".join(conditions) if len(conditions) == 1 else f"({' OR '.join(conditions)})"


def spellings(connection: DuckDBPyConnection, reference: str, known: int) -> list[str]:
    """Return how a reference is written in the ledger; compared normalised, shown as written."""
    wanted = normalised_reference(reference)
    found = connection.execute(
        # Plain ASCII is compared by the engine; the few others by the rule itself.
        r"""
        SELECT DISTINCT reference FROM events
        WHERE reference IS NOT NULL AND position <= $known
          AND (strlen(reference) <> length(reference)
            OR regexp_replace(lower(reference), '\s+', '', 'g') = $wanted)
        """,
        {"known": known, "wanted": wanted},
    ).fetchall()
    return sorted(each for (each,) in found if normalised_reference(each) == wanted)


def _wanted(
    connection: DuckDBPyConnection,
    area: str | None,
    inside: str | None,
    reference: str | None,
    known: int,
) -> str:
    """Return a condition over `events`; what is written into it is quoted."""
    conditions = []
    if area is not None and inside is not None and inside != "true":
        # of the area itself, or moving heads in it; `area` in `inside` is each table's own
        own = inside if len(area) != len("16") else f"({inside} OR area = '{area}')"
        conditions.append(
            f"({own} OR (kind = 'transfer' AND position IN ("
            f"SELECT position FROM entries WHERE position <= $known AND {inside})))"
        )
    if reference is not None:
        written = ", ".join(_quoted(each) for each in spellings(connection, reference, known))
        conditions.append(f"reference IN ({written})" if written else "false")
    return " AND ".join(conditions) or "true"


_FILES: Final = """ OR position IN (
        SELECT position FROM imports WHERE position > $after AND import_id IN (
            SELECT import_id FROM events WHERE position <= $known AND {wanted}))"""

_PAGE: Final = """
WITH asked AS (
    SELECT * FROM events
    WHERE position > $after AND position <= $known AND ({wanted}{files})
    ORDER BY position LIMIT $limit
), settled AS (
    SELECT position, kind = 'reconciling' AS balances, sum(workers) AS workers FROM entries
    WHERE position IN (SELECT position FROM asked) AND kind <> 'lapse' AND {inside}
    GROUP BY position, area, category, balances
), moved AS (
    SELECT position,
           CAST(coalesce(sum(workers) FILTER (workers > 0 AND NOT balances), 0) AS BIGINT)
             AS entered,
           CAST(coalesce(-sum(workers) FILTER (workers < 0 AND NOT balances), 0) AS BIGINT)
             AS has_left,
           CAST(coalesce(sum(workers) FILTER (balances), 0) AS BIGINT) AS balanced
    FROM settled GROUP BY position
)
SELECT asked.position, asked.recorded_at, asked.recorded_by, asked.event, asked.area,
       asked.reference, asked.part, asked.kind,
       coalesce(asked.effective_on, potentials.valid_from, targets.due_on,
                closings.closed_through, overridden.closed_through),
       CASE WHEN asked.workers IS NOT NULL THEN coalesce(entered - has_left + balanced, 0) END,
       CASE WHEN asked.workers IS NOT NULL THEN coalesce(entered, 0) END,
       CASE WHEN asked.workers IS NOT NULL THEN coalesce(has_left, 0) END,
       CASE WHEN asked.workers IS NOT NULL THEN coalesce(balanced, 0) END,
       asked.decided_on, asked.document, asked.reason, asked.because, asked.note,
       coalesce(asked.import_id, itself.import_id), coalesce(origin.file_name, itself.file_name),
       coalesce(asked.sheet, itself.sheet), asked."row", asked.transaction_id,
       asked.takes_back_position, itself.import_kind, itself.rows, itself.control_workers,
       coalesce(itself.sha256, origin.sha256),
       {{'potential': potentials.workers, 'definition': potentials.definition,
         'source': coalesce(potentials.source, targets.source, figures.source,
                            area_changes.source),
         'change': area_changes.change, 'before': area_changes."before",
         'after': area_changes."after", 'split_from': area_changes.split_from,
         'target': targets.percent, 'publisher': figures.publisher, 'as_of': figures.as_of,
         'category': coalesce(categories.category, figures.category), 'active': figures.active,
         'percent': figures.percent, 'closed_through': closings.closed_through,
         'stated': closings.active, 'stated_potential': closings.potential,
         'changed_from': overridden.first_on, 'changed_until': overridden.last_on,
         'seconded_by': overridden.seconded_by}}
FROM asked
LEFT JOIN moved ON moved.position = asked.position
LEFT JOIN imports AS origin ON origin.import_id = asked.import_id
LEFT JOIN imports AS itself ON itself.position = asked.position
LEFT JOIN potentials ON potentials.position = asked.position
LEFT JOIN targets ON targets.position = asked.position
LEFT JOIN figures ON figures.position = asked.position
LEFT JOIN area_changes ON area_changes.position = asked.position
LEFT JOIN categories ON categories.position = asked.position
LEFT JOIN closings ON closings.position = asked.position
LEFT JOIN (
    SELECT position, seconded_by, closed_through, min(first_on) AS first_on, max(last_on) AS last_on
    FROM overrides GROUP BY ALL
) AS overridden ON overridden.position = asked.position
ORDER BY asked.position
"""


_FIELDS: Final = tuple(each.name for each in fields(HistoryRow) if each.name != "area_name")


def _row(found: tuple[Any, ...], names: Map, log: Log) -> HistoryRow:
    facts = dict(zip(_FIELDS, found, strict=True))
    area = facts["area"]
    details = _details(facts["details"])
    if facts["event"] == "balance-reconciled":
        details = _settles(log, facts["position"])
    return HistoryRow(
        **facts
        | {
            "recorded_at": facts["recorded_at"].replace(tzinfo=UTC),
            "area_name": names.name(area) if area else None,
            "details": details,
        }
    )


def _settles(log: Log, position: int) -> str | None:
    """Return in words which figure a balancing entry is for; only the log says it, and few are."""
    row = log.row(position)
    assert row is not None
    settles = row.facts()["settles"]
    return (
        None if settles is None else _("settles the figure at #{position}").format(position=settles)
    )


def _details(said: dict[str, Any]) -> str | None:
    """Return in words what an event says that is not of a batch."""
    words = []
    if said["potential"] is not None:
        words.append(
            _("{workers:,} persons: {definition}").format(
                workers=said["potential"], definition=said["definition"]
            )
        )
    if said["target"] is not None:
        words.append(_("target {percent} %").format(percent=decimal(said["target"])))
    if said["active"] is not None:
        words.append(_("{workers:,} active").format(workers=said["active"]))
    if said["percent"] is not None:
        words.append(decimal(said["percent"]) + " %")
    if said["publisher"] is not None:
        day = Period(said["as_of"]) if said["as_of"] else _("an unknown day")
        words.append(_("as of {day}, by {publisher}").format(day=day, publisher=said["publisher"]))
    if said["category"] is not None:
        words.append(said["category"])
    words += _details_of_closing(said)
    if said["change"] is not None:
        words.append(_change(said))
    if said["source"] is not None:
        words.append(f"({said['source']})")
    return joined(" ", words) or None


def _details_of_closing(said: dict[str, Any]) -> list[str]:
    """Return what a closing states, or which closed days were changed and who seconded it."""
    written = {
        "closed_through": _("closed through {said}"),
        "stated": _("stating {said:,} active"),
        "stated_potential": _("of a potential of {said:,}"),
        "changed_from": _("changed from {said}"),
        "changed_until": _("to {said}"),
        "seconded_by": _("seconded by {said}"),
    }
    return [words.format(said=said[key]) for key, words in written.items() if said[key] is not None]


def _change(said: dict[str, Any]) -> str:
    if said["change"] != "opened":
        return _("{change} from {before} to {after}").format(
            change=change_of_area(said["change"]), before=said["before"], after=said["after"]
        )
    split = (
        _(", split from {split_from}").format(split_from=said["split_from"])
        if said["split_from"]
        else ""
    )
    return _("opened as {after}{split}").format(after=said["after"], split=split)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
