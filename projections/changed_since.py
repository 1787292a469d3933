"""Of bytes that are imported already: which of the batches they brought say something else by now.

Found in the ledger, judged by each batch's own stream. Knows no file but by its imports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from registry.errors import Problem
from registry.language import _

if TYPE_CHECKING:
    from eventsourcing.persistence import StoredEvent

    from projections.ledger import Ledger

Where = Callable[[str | None, int | None, str], str]

CODES: Final = ("corrected-since", "withdrawn-since")

# One that was withdrawn and recorded again in another spelling has both in its stream.
_TOUCHED: Final = """
SELECT area, reference, part, arg_max(sheet, position) FILTER (import_id IN $imports),
       arg_max("row", position) FILTER (import_id IN $imports)
FROM events WHERE reference IS NOT NULL GROUP BY area, reference, part
HAVING max(position) > max(position) FILTER (import_id IN $imports)
ORDER BY ALL
"""


def changed_since(
    ledger: Ledger,
    imports: Sequence[str],
    *,
    event_of: Callable[[StoredEvent], Any],
    where: Where,
) -> Iterator[Problem]:
    """Yield a warning for each batch that is corrected, or withdrawn, since `imports` brought it."""
    from eventsourcing.persistence import StoredEvent

    from registry.batch import evolve_all, said_by
    from registry.events import BatchWithdrawn
    from registry.terms import batch_id

    touched = ledger.connection.execute(_TOUCHED, {"imports": list(imports)})
    for area, reference, part, sheet, row in iter(touched.fetchone, None):
        events = [
            event_of(
                StoredEvent(
                    UUID(each.originator_id), each.originator_version, each.topic, each.state
                )
            )
            for each in ledger.log.stream(batch_id(area, reference, part).hex)
            if each.position <= ledger.position
        ]
        brought = [each for each in events if each.source and str(each.source.import_id) in imports]
        batch = evolve_all(events)
        assert batch is not None
        if isinstance(brought[-1], BatchWithdrawn):
            continue
        if batch.statement is None:
            why = _("{name} is withdrawn since").format(name=batch.name)
            remedy = _(
                "To record again what was withdrawn by mistake, import its rows in another file:"
                " these very bytes are never read twice."
            )
        elif batch.statement.content() == said_by(brought[-1]).content():
            continue
        else:
            why = _("{name} said just that until it was corrected; the correction stands").format(
                name=batch.name
            )
            remedy = _("Bring the file up to date with the correction.")
        yield Problem(
            code=CODES[batch.statement is None],
            severity="warning",
            where=where(sheet, row, "reference"),
            value=batch.reference,
            why=why,
            remedy=remedy,
            row=row,
            sheet=sheet,
        )
