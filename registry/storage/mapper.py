"""Events to stored bytes and back: canonical JSON, an allow-list of topics, upcasting.

The bytes are RFC 8785 canonical JSON (sorted keys, no spaces, UTF-8; the events hold no floats).
A stored topic is looked up in a fixed table and never imported: a row cannot name code.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import Mapper, StoredEvent
from pydantic import ValidationError

from registry.errors import StoreDamagedError, StoreNewerError
from registry.events import EVENTS, Event

TOPICS: Final[dict[str, type[Event]]] = {event.TOPIC: event for event in EVENTS}


def canonical_json(state: dict[str, Any]) -> bytes:
    """Return RFC 8785 bytes of a state of strings, integers, booleans, nulls, lists and objects."""
    return json.dumps(
        state, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def state_of(event: Event) -> dict[str, Any]:
    """Return an event's stored state: every key of its class version, nulls too."""
    state = event.model_dump(mode="json", exclude={"originator_id", "originator_version"})
    recorded_at = event.recorded_at.astimezone(UTC)
    state["recorded_at"] = recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    state["class_version"] = event.class_version
    return state


class EventMapper(Mapper[UUID]):
    """The library's mapper, with our form of the bytes and without its reach into modules."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """Return the stored form of an event of the allow-list."""
        topic = type(domain_event).TOPIC
        if TOPICS.get(topic) is not type(domain_event):
            msg = f"{type(domain_event).__name__} is not an event of the registry"
            raise TypeError(msg)
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=topic,
            state=canonical_json(state_of(domain_event)),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        """Return the event of a stored row, upcast to today's form and validated.

        Raises: StoreNewerError for a topic or class version that this ucj does not know;
        StoreDamagedError for bytes that are not such an event.
        """
        event_class = TOPICS.get(stored_event.topic)
        if event_class is None:
            what = f"the store holds an event this ucj does not know: {stored_event.topic!r}"
            raise StoreNewerError(what, remedy="Update ucj.")
        try:
            state = json.loads(stored_event.state)
            from_version = state.pop("class_version")
            if from_version > event_class.class_version:
                what = f"the store holds a newer form ({from_version}) of {stored_event.topic}"
                raise StoreNewerError(what, remedy="Update ucj.")
            state = event_class.upcast(state, from_version)
            state["originator_id"] = str(stored_event.originator_id)
            state["originator_version"] = stored_event.originator_version
            return event_class.model_validate_json(json.dumps(state))
        except (ValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
            what = (
                f"event {stored_event.originator_id} version {stored_event.originator_version}"
                f" ({stored_event.topic}) cannot be read: {type(error).__name__}"
            )
            raise StoreDamagedError(what, remedy="Restore the store from a backup.") from None
