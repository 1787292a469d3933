"""Events to stored bytes and back: canonical JSON, an allow-list of topics, upcasting.

The bytes are RFC 8785 canonical JSON (sorted keys, no spaces, UTF-8; the events hold no floats).
A stored topic is looked up in a fixed table and never imported: a row cannot name code.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, Final, get_origin
from uuid import UUID

from eventsourcing.persistence import Mapper, StoredEvent
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from registry.errors import StoreDamagedError, StoreNewerError
from registry.events import EVENTS, Event
from registry.language import _
from registry.safe_text import safe

TOPICS: Final[dict[str, type[Event]]] = {event.TOPIC: event for event in EVENTS}

_IN_ORDER_OF_KEYS: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
)


def canonical_json(state: dict[str, Any]) -> bytes:
    """Return RFC 8785 bytes of a state of strings, integers, booleans, nulls, lists and objects."""
    text = _IN_ORDER_OF_KEYS.encode(state)
    if text.isascii():
        return text.encode()
    return to_json(_in_utf16_order(state))  # where keys may sort otherwise, RFC 8785 §3.2.3


def _in_utf16_order(value: Any) -> Any:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: str(key).encode("utf-16-be", "surrogatepass"))
        return {key: _in_utf16_order(value[key]) for key in keys}
    if isinstance(value, list):
        return [_in_utf16_order(each) for each in value]
    return value


def state_of(event: Event) -> dict[str, Any]:
    """Return an event's stored state: every key of its class version, nulls too, sorted."""
    state = event.model_dump(mode="json")
    state["recorded_at"] = instant_text(event.recorded_at)
    state["class_version"] = event.class_version
    return {name: state[name] for name in _names(type(event))}  # what is inside them is sorted


@cache
def _names(event_class: type[Event]) -> tuple[str, ...]:
    beside = {"originator_id", "originator_version"}  # in columns of their own
    return tuple(sorted({*event_class.model_fields, "class_version"} - beside))


@cache
def _words(event_class: type[Event]) -> tuple[str, ...]:
    """Return the fields that are objects: their keys are somebody's words, in any order."""
    fields = event_class.model_fields.items()
    return tuple(name for name, field in fields if get_origin(field.annotation) is dict)


@lru_cache(maxsize=16)  # all events of a transaction have one instant
def instant_text(recorded_at: datetime) -> str:
    """Return an instant as stored: UTC with six decimals, so that text order is time order."""
    utc = recorded_at.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds") + "Z"  # strftime would write year 1 as "1"


_UNREADABLE: Final = (
    ValidationError, ValueError, KeyError, TypeError, AttributeError, RecursionError
)  # fmt: skip


class EventMapper(Mapper[UUID]):
    """The library's mapper, with our form of the bytes and without its reach into modules."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """Return the stored form of an event of the allow-list."""
        topic = type(domain_event).TOPIC
        if TOPICS.get(topic) is not type(domain_event):
            msg = f"{type(domain_event).__name__} is not an event of the registry"
            raise TypeError(msg)
        state = state_of(domain_event)
        words = any(state[name] for name in _words(type(domain_event)))
        return StoredEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=topic,
            # The same, in a quarter of the time, where all keys are known and so in order.
            state=canonical_json(state) if words else to_json(state),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        """Return the event of a stored row, upcast to today's form and validated.

        Raises: StoreNewerError for a topic or class version that this ucj does not know;
        StoreDamagedError for bytes that are not such an event.
        """
        event_class = TOPICS.get(stored_event.topic)
        if event_class is None:
            what = _("the store holds an event this ucj does not know: {topic}").format(
                topic=safe(stored_event.topic)
            )
            raise StoreNewerError(what, remedy=_("Update ucj."))
        try:
            state = from_json(stored_event.state)
            from_version = state.pop("class_version")
            if type(from_version) is not int or from_version < 1:
                what = _("a class version is a number from 1")
                raise ValueError(what)
            if from_version > event_class.class_version:
                what = _("the store holds a newer form ({from_version}) of {topic}").format(
                    from_version=from_version, topic=stored_event.topic
                )
                raise StoreNewerError(what, remedy=_("Update ucj."))
            state = event_class.upcast(state, from_version)
            state["originator_id"] = str(stored_event.originator_id)
            state["originator_version"] = stored_event.originator_version
            return event_class.model_validate_json(to_json(state))
        except _UNREADABLE as error:
            what = _(
                "event {originator_id} version {originator_version}"
                " ({topic}) cannot be read: {name}"
            ).format(
                originator_id=stored_event.originator_id,
                originator_version=stored_event.originator_version,
                topic=safe(stored_event.topic),
                name=type(error).__name__,
            )
            raise StoreDamagedError(what, remedy=_("Restore the store from a backup.")) from None
