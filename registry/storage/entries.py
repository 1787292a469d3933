"""Batches that only bring heads in, as stored events: written straight from their commands.

Most of what files say is that. Such a batch draws on nothing, so nothing has to be looked up, and
its event is its command in other words. The bytes are those of the event's model, which is not made:
only commands that `registry.intake` has read cell by cell may come here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from pydantic_core import to_json

from registry.batch import RECORDED_AS, Stamp
from registry.commands import RecordBatch
from registry.drawing import KIND_OF
from registry.events import ImportSource
from registry.storage.mapper import instant_text
from registry.terms import Action, Kind

_DAY: Final = timedelta(days=1)
_ENTERING: Final = {
    action: (KIND_OF[action], RECORDED_AS[KIND_OF[action]])
    for action in (Action.OPENING, Action.ENROL, Action.BALANCE_IN)
}


class Entries:
    """Writes the entries of one transaction; `sources` are its imports, by sheet."""

    def __init__(self, stamp: Stamp, sources: Mapping[str, ImportSource]) -> None:
        self._stamp = stamp
        self._recorded_at = instant_text(stamp.recorded_at)
        self._sources = {name: source.model_dump(mode="json") for name, source in sources.items()}

    def stored(self, command: RecordBatch, identity: UUID) -> StoredEvent | None:
        """Return the first event of the batch's stream; None if it does more than bring heads in."""
        entering = _ENTERING.get(command.action)
        if entering is None or command.because is not None:
            return None
        kind, event_class = entering
        # Keys in the order of canonical JSON.
        lines = [
            {
                "cohort": {
                    "area": command.area,
                    "category": line.category,
                    "expires_on": line.covered_until and line.covered_until + _DAY,
                    "funding": command.funding,
                    "part": command.part,
                    "reference": command.reference,
                    "segment": line.segment,
                },
                "of": None,
                "row": line.row,
                "workers": line.workers,
            }
            for line in command.lines
        ]
        state = {
            "area": command.area,
            "class_version": event_class.class_version,
            "decided_on": command.decided_on,
            "document": command.document,
            "effective_on": command.effective_on,
            "kind": kind,
            "lines": lines,
            "note": command.note,
            "part": command.part,
            "programmes": command.programmes,
            "proposed": command.proposed,
            "reason": command.reason,
            "recorded_at": self._recorded_at,
            "recorded_by": self._stamp.recorded_by,
            "reference": command.reference,
            "rejected": dict(sorted(command.rejected)),
            **({"settles": command.settles} if kind is Kind.RECONCILING else {}),
            "source": self._sources.get(command.sheet or ""),
            "transaction_id": self._stamp.transaction_id,
        }
        return StoredEvent(identity, 1, event_class.TOPIC, to_json(state))
