"""The forms of the events: what they admit, and that every form ever stored stays readable."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Final, cast
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given, settings
from pydantic import TypeAdapter, ValidationError

from registry.events import EVENTS, AsOf, Event, TargetSet
from registry.storage.mapper import TOPICS, EventMapper
from tests.event_samples import HOSTILE_TEXTS, SAMPLES, events

GOLDEN: Final = Path(__file__).parent / "golden"
MAPPER: Final = EventMapper(cast("Any", None))
BY_TOPIC: Final = {sample.TOPIC: sample for sample in SAMPLES}

HOSTILE_VALUES: Final[tuple[Any, ...]] = (
    *HOSTILE_TEXTS,
    None,
    True,
    0,
    -1,
    1.0,
    1.5,
    float("nan"),
    float("inf"),
    "1_000",
    "NaN",
    2**53,
    2**63,
    10**30,
    Decimal(1),
    b"bytes",
    "\ud800",
    "\x00",
    "\x1b[2J",
    "x" * 100_000,
    date(2025, 7, 31),
    date(1, 1, 1),
    date.max,
    datetime(2025, 7, 31, tzinfo=UTC),
    datetime(2025, 7, 31),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    "2025-07-31",
    [],
    (),
    {},
    {"_type_": "subprocess:Popen", "_data_": ["true"]},
    {"invalid-nik": 1.5},
    {1: 1},
    UUID(int=0),
    object,
)


def _path(topic: str, class_version: int) -> Path:
    return GOLDEN / f"{topic.removeprefix('ucj.')}.v{class_version}.json"


def _stored(sample: Event, state: bytes) -> StoredEvent:
    return StoredEvent(sample.originator_id, sample.originator_version, sample.TOPIC, state)


def test_there_is_a_sample_of_every_event() -> None:
    """Whoever adds an event adds a sample, and so its golden file and its hostile table."""
    assert {type(sample) for sample in SAMPLES} == set(EVENTS)
    assert len(TOPICS) == len(EVENTS)


def test_topics_are_names_of_facts_and_not_of_modules() -> None:
    """A stored topic says nothing about where code lies, so code may move."""
    for topic, event_class in TOPICS.items():
        assert topic.startswith("ucj.")
        assert event_class.__module__ not in topic
        assert "TOPIC" in vars(event_class), "a topic is not inherited"
        children = [each.__module__ for each in event_class.__subclasses__()]
        assert set(children) <= {__name__}, "a concrete event is never subclassed"


@pytest.mark.parametrize("event_class", EVENTS, ids=lambda each: each.TOPIC)
def test_every_version_ever_released_has_a_golden_file(event_class: type[Event]) -> None:
    """A version without a golden file would be a promise that nobody keeps."""
    for class_version in range(1, event_class.class_version + 1):
        assert _path(event_class.TOPIC, class_version).is_file()


def test_no_golden_file_is_forgotten() -> None:
    """Each file is of a topic and version that this code knows."""
    known = {
        _path(each.TOPIC, version)
        for each in EVENTS
        for version in range(1, each.class_version + 1)
    }
    assert set(GOLDEN.glob("*.json")) == known


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda each: each.name)
def test_stored_bytes_of_every_version_stay_readable(path: Path) -> None:
    """Golden bytes are read as the event they were, and today's version writes just them."""
    name, version, _ = path.name.split(".")
    sample = BY_TOPIC[f"ucj.{name}"]
    read = MAPPER.to_domain_event(_stored(sample, path.read_bytes()))
    assert read == sample
    if version == f"v{sample.class_version}":
        assert MAPPER.to_stored_event(sample).state == path.read_bytes()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.TOPIC)
def test_every_key_is_always_written(sample: Event) -> None:
    """Nulls too: a key that is absent could never be told from one that was forgotten."""
    state = json.loads(MAPPER.to_stored_event(sample).state)
    fields = set(type(sample).model_fields) - {"originator_id", "originator_version"}
    assert set(state) == {*fields, "class_version"}


def test_one_key_has_one_form_over_all_events() -> None:
    """The fold reads all events as one union; a key of two meanings would be misread."""
    forms: dict[str, set[str]] = {}
    for event_class in EVENTS:
        for name, field in event_class.model_fields.items():
            forms.setdefault(name, set()).add(_json_form(field.annotation))
    assert {name: form for name, form in forms.items() if len(form) > 1} == {}


def _json_form(annotation: Any) -> str:
    """Return the shape of a field without its limits: `str`, `int`, `Line`, a list."""
    from typing import get_args, get_origin

    arguments = [each for each in get_args(annotation) if each not in {type(None), Ellipsis}]
    if get_origin(annotation) is dict:
        return "dict of " + _json_form(arguments[1])
    if get_origin(annotation) is tuple:
        return "list of " + _json_form(arguments[0])
    if str(annotation).startswith("typing.Literal"):
        return "str"
    if arguments:
        return _json_form(arguments[0])
    if isinstance(annotation, type):
        text = issubclass(annotation, str | UUID)
        return "str" if text else annotation.__name__
    return str(annotation)


@given(events())
def test_every_event_comes_back_as_it_went_in(event: Event) -> None:
    """Whatever the form admits is read again as the very same (row 35)."""
    stored = MAPPER.to_stored_event(event)
    assert MAPPER.to_domain_event(stored) == event
    assert MAPPER.to_stored_event(MAPPER.to_domain_event(stored)) == stored


def _fields() -> list[tuple[Event, str]]:
    return [(sample, name) for sample in SAMPLES for name in type(sample).model_fields]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.TOPIC)
def test_a_hostile_value_is_refused_or_kept(sample: Event) -> None:
    """Each value in each field: refused when the event is made, or stored and read again the same."""
    refused = kept = 0
    for name in type(sample).model_fields:
        for value in HOSTILE_VALUES:
            facts = {**dict(sample), name: value}
            try:
                event = type(sample).model_validate(facts)
                stored = MAPPER.to_stored_event(event)
            except (ValidationError, OverflowError, UnicodeEncodeError):
                refused += 1
                continue
            assert MAPPER.to_domain_event(stored) == event, (name, value)
            kept += 1
    assert refused > 10 * len(type(sample).model_fields)
    assert kept > 0


def test_a_lax_model_would_let_hostile_values_in() -> None:
    """Negative control: without `strict` the same table lets wrong numbers through."""
    from pydantic import BaseModel

    class Lax(BaseModel):
        workers: int

    taken = [Lax.model_validate({"workers": value}).workers for value in ("1_000", True, 1.0)]
    assert taken == [1_000, 1, 1]
    from registry.events import LabourPotentialRevised

    sample = dict(BY_TOPIC[LabourPotentialRevised.TOPIC])
    for value in ("1_000", True, 1.0):
        with pytest.raises(ValidationError):
            LabourPotentialRevised.model_validate({**sample, "workers": value})


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.TOPIC)
def test_an_event_is_frozen_and_complete(sample: Event) -> None:
    """No field can be set, left out or added."""
    name = next(iter(type(sample).model_fields))
    with pytest.raises(ValidationError):
        setattr(sample, name, None)
    with pytest.raises(ValidationError):
        type(sample).model_validate({**dict(sample), "_type_": "x"})
    for name in type(sample).model_fields:
        rest = {key: value for key, value in dict(sample).items() if key != name}
        with pytest.raises(ValidationError):
            type(sample).model_validate(rest)


# --- upcasting: on a form of its own, never on the allow-list ---------------------------------------


@dataclass(frozen=True)
class _Step:
    """What an old form lacked."""

    seen: ClassVar[list[int]] = []


class TargetSetThrice(TargetSet):
    """A later form of a target, for these tests alone: v2 added a unit, v3 renamed it."""

    class_version: ClassVar[int] = 3
    measure: str

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> dict[str, Any]:
        """Targets of version 1 were all percentages."""
        _Step.seen.append(1)
        return {**state, "unit": "percent"}

    @staticmethod
    def upcast_v2_v3(state: dict[str, Any]) -> dict[str, Any]:
        """The unit was renamed."""
        _Step.seen.append(2)
        unit = state.pop("unit")
        return {**state, "measure": unit}


@pytest.fixture
def _with_later_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOPICS, TargetSet.TOPIC, TargetSetThrice)
    _Step.seen.clear()


@pytest.mark.usefixtures("_with_later_form")
@pytest.mark.parametrize(
    ("class_version", "added", "steps"),
    [
        (1, {}, [1, 2]),
        (2, {"unit": "percent"}, [2]),
        (3, {"measure": "percent"}, []),
    ],
)
def test_old_forms_are_brought_up_one_version_at_a_time(
    class_version: int, added: dict[str, str], steps: list[int]
) -> None:
    """A state of any released version is read as today's event, through every step between."""
    state = json.loads(_path(TargetSet.TOPIC, 1).read_bytes())
    state = {**state, **added, "class_version": class_version}
    read = MAPPER.to_domain_event(_stored(BY_TOPIC[TargetSet.TOPIC], json.dumps(state).encode()))
    assert isinstance(read, TargetSetThrice)
    assert read.measure == "percent"
    assert _Step.seen == steps
    assert json.loads(MAPPER.to_stored_event(read).state)["class_version"] == 3


def test_without_its_upcaster_an_old_form_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a form that was raised without an upcaster is refused, never half read."""
    from registry.errors import StoreDamagedError

    class Forgotten(TargetSet):
        class_version: ClassVar[int] = 2
        measure: str

    monkeypatch.setitem(TOPICS, TargetSet.TOPIC, Forgotten)
    with pytest.raises(StoreDamagedError):
        MAPPER.to_domain_event(
            _stored(BY_TOPIC[TargetSet.TOPIC], _path(TargetSet.TOPIC, 1).read_bytes())
        )


@settings(max_examples=20)
@given(events())
def test_equal_events_have_equal_bytes(event: Event) -> None:
    """One content, one byte form, also for the same instant in another time zone."""
    moved = event.recorded_at.astimezone(timezone(timedelta(hours=9)))
    again = type(event).model_validate({**dict(event), "recorded_at": moved})
    assert MAPPER.to_stored_event(again) == MAPPER.to_stored_event(event)


@pytest.mark.parametrize(
    "as_of", ["2025-13", "2025-02-30", "2025-00", "0000", "1976", "2200", "2025-1", "25"]
)
def test_a_figure_is_of_a_day_month_or_year_there_is(as_of: str) -> None:
    """What is not in the calendar is refused, though it looks like a date."""
    published = TypeAdapter(AsOf)
    with pytest.raises(ValidationError):
        published.validate_python(as_of)
    for right in ("2025", "2025-02", "2024-02-29"):
        assert published.validate_python(right) == right
