"""Stored bytes: one form for one content, nothing imported by name, nothing read by halves."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC
from typing import Any, Final, cast

import pytest
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent
from eventsourcing.utils import resolve_topic
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import RegistryError, StoreDamagedError, StoreNewerError
from registry.events import EVENTS, BatchEnrolled, Event, TargetSet
from registry.storage.mapper import TOPICS, EventMapper, canonical_json
from tests.event_samples import SAMPLES, events

MAPPER: Final = EventMapper(cast("Any", None))
TARGET: Final = MAPPER.to_stored_event(
    next(each for each in SAMPLES if isinstance(each, TargetSet))
)


def _with(state: bytes, topic: str = TARGET.topic) -> StoredEvent:
    return StoredEvent(TARGET.originator_id, TARGET.originator_version, topic, state)


def _changed(**changes: Any) -> StoredEvent:
    return _with(json.dumps({**json.loads(TARGET.state), **changes}).encode())


# --- canonical JSON -------------------------------------------------------------------------------


def _rfc8785(value: Any) -> str:
    """Write a value as RFC 8785 says, told anew: §3.2.2.2 strings, §3.2.3 order of keys."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
        return (
            '"'
            + "".join(
                short.get(ord(each)) or (each if ord(each) > 31 else f"\\u{ord(each):04x}")
                for each in value
            )
            + '"'
        )
    if isinstance(value, list):
        return "[" + ",".join(map(_rfc8785, value)) + "]"
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(f"{_rfc8785(key)}:{_rfc8785(value[key])}" for key in keys) + "}"


_texts = st.text(st.characters(codec="utf-8"), max_size=8)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_texts, _values, max_size=6))
def test_states_are_written_as_rfc_8785_says(state: dict[str, Any]) -> None:
    """The bytes are canonical, so digests over the log can be repeated by anybody."""
    assert canonical_json(state) == _rfc8785(state).encode()
    assert json.loads(canonical_json(state)) == state


def test_keys_stand_in_utf16_order() -> None:
    """Negative control of the order: by code points the two would stand the other way round."""
    state = {"\uff5e": 1, "\U0001f600": 2}
    assert canonical_json(state) == '{"\U0001f600":2,"\uff5e":1}'.encode()
    by_code_points = json.dumps(
        state, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()
    assert by_code_points != canonical_json(state)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_a_number_is_not_written(number: float) -> None:
    """NaN is no JSON."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"workers": number})


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.TOPIC)
def test_stored_bytes_are_canonical(sample: Any) -> None:
    """What the mapper stores is just what RFC 8785 makes of it, instants in UTC microseconds."""
    state = MAPPER.to_stored_event(sample).state
    assert state == _rfc8785(json.loads(state)).encode()
    assert json.loads(state)["recorded_at"] == "2025-08-01T02:03:04.000056Z"


@given(events())
def test_stored_bytes_are_what_the_model_says(event: Event) -> None:
    """In whatever way they are written: every field, and the class version, as RFC 8785 says."""
    state = {**event.model_dump(mode="json"), "class_version": type(event).class_version}
    del state["originator_id"], state["originator_version"]
    instant = event.recorded_at.astimezone(UTC).replace(tzinfo=None)
    state["recorded_at"] = instant.isoformat(timespec="microseconds") + "Z"
    assert MAPPER.to_stored_event(event).state == _rfc8785(state).encode()


def test_the_words_of_an_office_are_sorted_too() -> None:
    """The reasons of a rejection come in any order; stored they stand in UTF-16's."""
    sample = next(each for each in SAMPLES if isinstance(each, BatchEnrolled))
    words = {"\uff5e": 1, "b": 2, "\U0001f600": 3, "a": 4}
    event = type(sample).model_validate({**dict(sample), "rejected": words})
    stored = json.loads(MAPPER.to_stored_event(event).state)
    assert [*stored["rejected"]] == ["a", "b", "\U0001f600", "\uff5e"]


# --- what is not an event ---------------------------------------------------------------------------

HOSTILE_TOPICS: Final = (
    "subprocess:Popen",
    "os:system",
    "registry.events:TargetSet",
    "tests.event_samples:SAMPLES",
    "antigravity:geohash",
    "ucj.target-set ",
    "UCJ.TARGET-SET",
    "ucj.batch-proposed",
    "",
    "\x1b[2J",
)


@pytest.mark.parametrize("topic", HOSTILE_TOPICS)
def test_an_unknown_topic_is_refused(topic: str) -> None:
    """A row cannot name code: the topic is looked up, never resolved (row 64)."""
    with pytest.raises(StoreNewerError) as refused:
        MAPPER.to_domain_event(_with(TARGET.state, topic))
    assert refused.value.exit_code == 4
    assert "\x1b" not in str(refused.value)


def test_a_hostile_topic_imports_nothing() -> None:
    """`subprocess:Popen` and a module with effects stay unimported; the library imports them."""
    program = """
import sys
from uuid import UUID
from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import resolve_topic
from registry.errors import StoreNewerError
from registry.storage.mapper import EventMapper
for topic in ("this:s", "antigravity:geohash"):
    assert topic.split(":")[0] not in sys.modules
    try:
        EventMapper(None).to_domain_event(StoredEvent(UUID(int=1), 1, topic, b"{}"))
    except StoreNewerError:
        print("refused", topic.split(":")[0] in sys.modules)
resolve_topic("this:s")
print("the library", "this" in sys.modules)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    lines = ran.stdout.splitlines()
    assert lines[:2] == ["refused False", "refused False"]
    assert lines[-1] == "the library True"  # the negative control


def test_the_librarys_mapper_would_resolve_any_topic() -> None:
    """Negative control: the stock mapper takes a topic for the name of code."""
    stored = _with(b"{}", "subprocess:Popen")
    assert resolve_topic(stored.topic) is subprocess.Popen
    stock: Mapper[Any] = Mapper(JSONTranscoder())
    with pytest.raises(Exception, match=r"Popen|has no attribute|argument") as failed:
        stock.to_domain_event(stored)
    assert not isinstance(failed.value, RegistryError)


def test_only_events_of_the_registry_are_stored() -> None:
    """An object that claims a topic, or extends an event, is not stored under it."""

    class Impostor(TargetSet):
        extra: str = "x"

    impostor = Impostor.model_validate(dict(next(e for e in SAMPLES if isinstance(e, TargetSet))))
    with pytest.raises(TypeError, match="Impostor"):
        MAPPER.to_stored_event(impostor)


# --- newer and damaged states -------------------------------------------------------------------------


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_a_newer_form_is_refused_as_newer(topic: str) -> None:
    """A class version of tomorrow says: update ucj; it is never read as today's."""
    for class_version in (2, 99):
        stored = _with(json.dumps({"class_version": class_version}).encode(), topic)
        with pytest.raises(StoreNewerError) as refused:
            MAPPER.to_domain_event(stored)
        assert refused.value.remedy == "Update ucj."


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"null",
        b"[]",
        b"1",
        b"{",
        b"{}",
        b"\xff\xfe",
        b"\x00",
        b'{"class_version":0}',
        b'{"class_version":-1}',
        b'{"class_version":true}',
        b'{"class_version":1.0}',
        b'{"class_version":"1"}',
        b'{"class_version":null}',
        b'{"class_version":1}',
        b'{"class_version":1,"area":NaN}',
        b'{"a":' * 100_000,
        TARGET.state[:-1],
        TARGET.state + b"}",
        TARGET.state.replace(b"52.15", b"\x80"),
    ],
    ids=lambda state: repr(bytes(state[:30])),
)
def test_bytes_that_are_no_event_are_damage(state: bytes) -> None:
    """Whatever the bytes are, they are refused in words, with exit code 4."""
    with pytest.raises(StoreDamagedError) as refused:
        MAPPER.to_domain_event(_with(state))
    assert refused.value.exit_code == 4
    assert str(TARGET.originator_id) in refused.value.what


@pytest.mark.parametrize(
    "changes",
    [
        {"percent": 52.15},
        {"percent": None},
        {"due_on": "2025-13-45"},
        {"due_on": "2025-1-5"},
        {"due_on": "20251231"},
        {"due_on": 1_767_139_200},
        {"due_on": None},
        {"recorded_at": "2025-08-01"},
        {"recorded_at": "2025-08-01T00:00:00"},
        {"row": 1.5},
        {"row": True},
        {"row": "2"},
        {"area": "1606"},
        {"transaction_id": 0},
        {"_type_": "uuid_hex", "_data_": ""},
    ],
    ids=str,
)
def test_a_state_of_wrong_values_is_damage(changes: dict[str, Any]) -> None:
    """What comes out of the store passes the same checks as what went in."""
    assert TARGET.topic == MAPPER.to_domain_event(_changed()).TOPIC  # unchanged, it can be read
    with pytest.raises(StoreDamagedError):
        MAPPER.to_domain_event(_changed(**changes))


@pytest.mark.parametrize("key", sorted(json.loads(TARGET.state)))
def test_a_missing_key_is_damage(key: str) -> None:
    """No key has a default: one that is gone is not null."""
    state = json.loads(TARGET.state)
    del state[key]
    with pytest.raises(StoreDamagedError):
        MAPPER.to_domain_event(_with(json.dumps(state).encode()))


def test_the_allow_list_is_every_event() -> None:
    """Nothing is on it that is no event, and no event is missing."""
    assert set(TOPICS.values()) == set(EVENTS)
    assert [event.TOPIC for event in EVENTS] == list(TOPICS)
