"""The fold: a map over the log that skips nothing, guesses nothing, and knows every key."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast, get_args

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from projections import fold
from projections.ledger import connect
from registry.errors import StoreDamagedError, StoreNewerError
from registry.events import (
    EVENTS,
    BatchCorrected,
    BatchRecorded,
    BatchWithdrawn,
    Cohort,
    Event,
    Fact,
    ImportSource,
    Line,
    RenewedCohort,
    Taken,
)
from registry.storage.log import APPLICATION_ID, SEPARATOR, open_log
from registry.storage.mapper import TOPICS, EventMapper, canonical_json
from registry.storage.sqlite import create_store
from registry.terms import Act, Kind
from tests.event_samples import SAMPLES, events

MAPPER: Final = EventMapper(cast("Any", None))
Rows = dict[str, list[tuple[Any, ...]]]


def _line(position: int, topic: str, state: bytes) -> str:
    return SEPARATOR.join((str(position), f"{position:032x}", "1", state.decode(), topic))


def _line_of(position: int, event: Event) -> str:
    stored = MAPPER.to_stored_event(event)
    return _line(position, stored.topic, stored.state)


def _fold(connection: DuckDBPyConnection, lines: Sequence[str]) -> None:
    with TemporaryDirectory() as folder:
        chunk = fold.Chunk.written(Path(folder) / "lines", [list(lines)], bytes_wanted=1)
        assert chunk is not None
        fold.fold_chunk(connection, chunk)


def _rows(connection: DuckDBPyConnection) -> Rows:
    return {
        table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
        for table in fold.TABLES
    }


def _folded(*parts: Sequence[str]) -> Rows:
    """Fold the parts one after the other into the same tables."""
    with closing(connect(parallel=False)) as connection:
        fold.create_tables(connection)
        for lines in parts:
            _fold(connection, lines)
        return _rows(connection)


@pytest.fixture
def connection() -> Iterator[DuckDBPyConnection]:
    """Return a connection with the fold's tables, empty."""
    with closing(connect(parallel=False)) as opened:
        fold.create_tables(opened)
        yield opened


# --- nothing can be forgotten ---------------------------------------------------------------------


def test_the_fold_knows_every_topic() -> None:
    """The list by which nothing is skipped is the mapper's allow-list."""
    assert set(fold.topics()) == set(TOPICS)


def test_every_topic_is_folded_somewhere() -> None:
    """A topic that is known but in no SELECT would vanish without a word."""
    folded = set(re.findall(r"'(ucj\.[a-z-]+)'", fold.section("fold")))
    assert folded == set(TOPICS)


def test_the_fold_reads_every_key_of_every_event() -> None:
    """A new field cannot be forgotten: the union of all keys is just the fold's."""
    fields = {name for each in EVENTS for name in each.model_fields}
    assert fold.state_keys() == (fields - {"originator_id", "originator_version"}) | {
        "class_version"
    }


@pytest.mark.parametrize("event_class", EVENTS, ids=lambda each: each.TOPIC)
def test_the_form_of_a_topic_is_its_models(event_class: type[Event]) -> None:
    """Each topic's keys, in the order in which they are stored."""
    fields = set(event_class.model_fields) - {"originator_id", "originator_version"}
    assert list(fold._forms()[event_class.TOPIC]) == sorted(fields | {"class_version"})


def test_values_inside_are_read_in_the_order_they_are_stored() -> None:
    """Lines, cohorts and sources have the keys of their models, sorted as canonical JSON is."""
    structure = cast("Any", fold._state())
    line = structure["lines"][0]
    models: list[tuple[dict[str, Any], type[Fact]]] = [
        (line, Line),
        (line["cohort"], Cohort),
        (line["of"], RenewedCohort),
        (structure["takes_back"], Taken),
        (structure["source"], ImportSource),
    ]
    for value, model in models:
        assert list(value) == sorted(model.model_fields)
    assert structure["puts"] == structure["takes_back"]["lines"] == structure["lines"]


@pytest.mark.parametrize(("column", "words"), [("kind", Kind), ("act", Act)])
def test_closed_lists_are_the_words(column: str, words: Any) -> None:
    """What the tables admit as kind and act is what `registry.terms` lists."""
    check = re.search(rf"CHECK \({column} IN \(([^)]*)\)\)", fold.section("tables"))
    assert check is not None
    assert set(re.findall(r"'([a-z-]+)'", check[1])) == {str(each) for each in words}


def test_every_class_version_is_known() -> None:
    """The fold knows form 1 of every event; whoever raises one comes here first."""
    assert {event.class_version for event in EVENTS} == {1}


# --- a map over the log -----------------------------------------------------------------------------


def _movements(position: int, event: Event) -> list[tuple[Any, ...]]:
    """Say what an event does to the ledger, told anew: (…, kind, act, day, workers, term)."""
    told: list[tuple[Kind, str, date, int, tuple[Line, ...]]] = []
    match event:
        case BatchRecorded():
            told = [(event.kind, "original", event.effective_on, 1, event.lines)]
        case BatchCorrected():
            taken = event.takes_back
            told = [
                (taken.kind, "takes-back", taken.effective_on, -1, taken.lines),
                (event.kind, "puts", event.effective_on, 1, event.puts),
            ]
        case BatchWithdrawn():
            taken = event.takes_back
            told = [(taken.kind, "takes-back", taken.effective_on, -1, taken.lines)]
        case _:
            return []
    rows = []
    for kind, act, day, sign, lines in told:
        for line in lines:
            cohort = line.cohort
            head = (position, cohort.area, cohort.category, cohort.reference, cohort.part)
            workers = sign * line.workers
            rows.append((*head, str(kind), act, day, workers, cohort.expires_on))
            if cohort.expires_on is not None:
                rows.append((*head, "lapse", act, cohort.expires_on, -workers, cohort.expires_on))
    return sorted(rows, key=repr)


@settings(max_examples=8)
@given(st.lists(events(), min_size=6, max_size=16), st.randoms(use_true_random=False))
def test_each_event_is_folded_by_itself(history: list[Event], chance: random.Random) -> None:
    """Alone, shuffled, in random partitions: the same rows, and no event that was written is refused."""
    lines = [_line_of(position, event) for position, event in enumerate(history, 1)]
    whole = _folded(lines)
    moved = chance.sample(lines, len(lines))
    cut = chance.randrange(len(lines) + 1)
    parts = [part for part in (moved[:cut], moved[cut:]) if part]
    assert _folded(*parts) == whole
    assert _folded(*([line] for line in moved[:4]), moved[4:]) == whole

    told = [row for position, event in enumerate(history, 1) for row in _movements(position, event)]
    columns = [0, 4, 5, 14, 15, 8, 9, 10, 11, 16]
    entries = [tuple(row[column] for column in columns) for row in whole["entries"]]
    assert sorted(entries, key=repr) == sorted(told, key=repr)
    assert len(whole["events"]) == len(history)


def test_every_letter_comes_through_the_fold(connection: DuckDBPyConnection) -> None:
    """All of the first planes: what the mapper writes of a text is what DuckDB writes of it again."""
    letters = [chr(code) for code in range(0x20000) if not 0xD800 <= code <= 0xDFFF]
    letters = [
        each for each in letters if each in "\t\n" or ord(each) > 159 or 31 < ord(each) < 127
    ]
    texts = ["".join(letters[start : start + 2_000]) for start in range(0, len(letters), 2_000)]
    states = [canonical_json({**ENROLLED, "note": text}) for text in texts]
    _fold(connection, [_line(n, "ucj.batch-enrolled", state) for n, state in enumerate(states, 1)])
    found = connection.execute("SELECT note FROM events ORDER BY position").fetchall()
    assert [note for (note,) in found] == texts


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.TOPIC)
def test_each_event_leaves_a_trace(sample: Event) -> None:
    """Every event is a row of `events` with who and when, and what it says is somewhere else too."""
    rows = _folded([_line_of(7, sample)])
    (event,) = rows["events"]
    recorded_at = sample.recorded_at.astimezone(UTC).replace(tzinfo=None)
    assert event[:5] == (7, 7, recorded_at, "Sri Wahyuni", sample.TOPIC.removeprefix("ucj."))
    others = [table for table in fold.TABLES if table != "events" and rows[table]]
    assert len(others) == 1
    assert all(row[0] == 7 for row in rows[others[0]])


def test_a_line_of_a_log_is_what_the_fold_reads(tmp_path: Path) -> None:
    """The log puts lines together in SQL; they hold what was stored, hostile texts included."""
    texts = ['"', "\\", "\\u0000", "\u2028", "\n\t", "\x7f", "é\U0001f600", "\x00", "\x1f"]
    states = [canonical_json({"class_version": 1, "note": text}) for text in texts]
    path = _store(tmp_path, [("ucj.target-set", state) for state in states])
    with closing(open_log(path)) as log:
        lines = [line for page in log.lines() for line in page]
    assert all("\n" not in line for line in lines)
    for number, (line, text) in enumerate(zip(lines, texts, strict=True), 1):
        position, stream, version, state, topic = line.split(SEPARATOR)
        assert (position, stream) == (str(number), f"{number:032x}")
        assert (version, topic) == ("1", "ucj.target-set")
        assert json.loads(state)["note"] == text


def _store(folder: Path, rows: Sequence[tuple[str, bytes]]) -> Path:
    import sqlite3

    path = folder / "registry.db"
    create_store(path, created_at="2026-01-01T00:00:00Z", created_by="tests")
    with closing(sqlite3.connect(path)) as store:
        assert store.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        store.executemany(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
            " VALUES (?, 1, ?, ?)",
            [(f"{number:032x}", *row) for number, row in enumerate(rows, 1)],
        )
        store.commit()
    return path


# --- never skipped ------------------------------------------------------------------------------------

ENROLLED: Final = json.loads(
    MAPPER.to_stored_event(next(e for e in SAMPLES if e.TOPIC == "ucj.batch-enrolled")).state
)
_GOOD: Final = _line(1, "ucj.batch-enrolled", canonical_json(ENROLLED))
NEWER: Final = {
    "unknown-topic": ("ucj.batch-proposed", ENROLLED),
    "newer-form": ("ucj.batch-enrolled", {**ENROLLED, "class_version": 2}),
    "newer-form-of-other-types": (
        "ucj.batch-enrolled",
        {**ENROLLED, "class_version": 2, "effective_on": {"from": "soon"}, "lines": "many"},
    ),
    "unknown-topic-of-other-types": ("ucj.batch-proposed", {**ENROLLED, "workers": {"JKK": 1}}),
    "module-as-topic": ("subprocess:Popen", ENROLLED),
}


@pytest.mark.parametrize("name", NEWER)
def test_an_event_of_a_newer_ucj_is_never_skipped(
    name: str, connection: DuckDBPyConnection
) -> None:
    """Mapper and fold both say: update ucj; the fold with the position, and nothing is inserted."""
    from eventsourcing.persistence import StoredEvent

    topic, state = NEWER[name]
    with pytest.raises(StoreNewerError):
        MAPPER.to_domain_event(
            StoredEvent(SAMPLES[0].originator_id, 1, topic, canonical_json(state))
        )
    with pytest.raises(StoreNewerError, match="#2") as refused:
        _fold(connection, [_GOOD, _line(2, topic, canonical_json(state))])
    assert refused.value.remedy == "Update ucj."
    assert refused.value.exit_code == 4
    assert not any(_rows(connection).values())


def test_without_the_query_a_newer_event_would_vanish(
    connection: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: the union of SELECTs alone passes over a topic that it does not know."""
    monkeypatch.setattr(fold, "_refuse", lambda *_: None)
    monkeypatch.setattr(fold, "_refuse_malformed", lambda _: None)
    monkeypatch.setattr(fold, "_malformed_of", lambda _: "SELECT NULL")
    _fold(connection, [_GOOD, _line(2, *_as_stored("unknown-topic"))])
    rows = _rows(connection)
    assert {row[0] for row in rows["entries"]} == {1}


def _as_stored(name: str) -> tuple[str, bytes]:
    topic, state = NEWER[name]
    return topic, canonical_json(state)


# --- nothing malformed gets in --------------------------------------------------------------------------


def _at(state: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        state = state[key]
    return state


def _mutated(state: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> bytes:
    changed = copy.deepcopy(state)
    change(_at(changed, path[:-1]), path[-1])
    return canonical_json(changed)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inner:
        yield (*path, key)
        if isinstance(each, dict | list):
            yield from _paths(each, (*path, key))


MALFORMED: Final[dict[str, tuple[tuple[Any, ...], Any]]] = {
    "half a worker": (("lines", 0, "workers"), 1.5),
    "workers as a text": (("lines", 0, "workers"), "100"),
    "workers true": (("lines", 0, "workers"), True),
    "workers with a fraction of zero": (("lines", 0, "workers"), 100.0),
    "no workers": (("lines", 0, "workers"), None),
    "zero workers": (("lines", 0, "workers"), 0),
    "more workers than a number holds": (("lines", 0, "workers"), 2**63),
    "enrolled out": (("lines", 0, "workers"), -100),
    "month 13": (("effective_on",), "2025-13-45"),
    "30 February": (("effective_on",), "2025-02-30"),
    "short date": (("effective_on",), "2025-1-5"),
    "date with slashes": (("effective_on",), "2025/07/16"),
    "date and time": (("effective_on",), "2025-07-16 00:00:00"),
    "an endless date": (("effective_on",), "infinity"),
    "date as a number": (("effective_on",), 20250716),
    "no date": (("effective_on",), None),
    "an endless term": (("lines", 0, "cohort", "expires_on"), "infinity"),
    "a term as an object": (("lines", 0, "cohort", "expires_on"), {"day": "2026-01-01"}),
    "a term in another form": (("lines", 0, "cohort", "expires_on"), "2026-01-01T00:00:00"),
    "a term before the start": (("lines", 0, "cohort", "expires_on"), "2025-07-16"),
    "an unknown kind": (("kind",), "vanished"),
    "no kind": (("kind",), None),
    "no area": (("area",), None),
    "a cohort in no area": (("lines", 0, "cohort", "area"), None),
    "a cohort in a province": (("lines", 0, "cohort", "area"), "16"),
    "a cohort of no category": (("lines", 0, "cohort", "category"), None),
    "enrolled into the pool": (("lines", 0, "cohort", "reference"), None),
    "no part": (("part",), None),
    "no reference": (("reference",), None),
    "no lines": (("lines",), None),
    "an empty batch": (("lines",), []),
    "a line that is null": (("lines", 0), None),
    "lines as an object": (("lines",), {"0": {}}),
    "a source without its keys": (("source",), {}),
    "recorded on a day": (("recorded_at",), "2025-08-01"),
    "recorded in a local time": (("recorded_at",), "2025-08-01T09:03:04.000056+07:00"),
    "recorded without an end": (("recorded_at",), "infinity"),
    "recorded never": (("recorded_at",), None),
    "recorded by nobody": (("recorded_by",), None),
    "recorded by a number": (("recorded_by",), 7),
    "no transaction": (("transaction_id",), None),
    "no class version": (("class_version",), None),
    "class version as a text": (("class_version",), "1"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_event_is_refused(name: str, connection: DuckDBPyConnection) -> None:
    """Damage, exit code 4, and no entry is left of it."""
    path, value = MALFORMED[name]
    state = _mutated(ENROLLED, path, lambda parent, key: parent.__setitem__(key, value))
    with pytest.raises(StoreDamagedError) as refused:
        _fold(connection, [_line(3, "ucj.batch-enrolled", state)])
    assert refused.value.exit_code == 4
    assert "malformed" in refused.value.what


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.TOPIC)
def test_no_key_can_be_missing_misspelt_or_added(
    sample: Event, connection: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any depth, in any event: the position of every such state is found."""
    stored = MAPPER.to_stored_event(sample)
    state = json.loads(stored.state)
    states = []
    for path in _paths(state):
        if isinstance(path[-1], int) or path[0] in {
            "rejected",
            "options",
            "active_by_category",
        }:
            continue
        if path == ("class_version",):
            continue  # told apart above: what has no version is damage as well
        states.append(_mutated(state, path, lambda parent, key: parent.pop(key)))
        states.append(
            _mutated(
                state, path, lambda parent, key: parent.__setitem__(f"{key}s", parent.pop(key))
            )
        )
        states.append(
            _mutated(state, path, lambda parent, key: parent.__setitem__(f"{key}_", None))
        )
    lines = [_line(number, stored.topic, each) for number, each in enumerate(states, 1)]
    every = fold.section("malformed").replace("LIMIT 1", "")
    assert every != fold.section("malformed")
    found: set[int] = set()

    def collect(malformed: Any) -> None:
        assert malformed is not None
        sql = every.replace("@WRITTEN_AGAIN", fold._written_again(frozenset([stored.topic])))
        found.update(row[0] for row in connection.execute(sql).fetchall())
        raise StopIteration

    monkeypatch.setattr(fold, "_refuse_malformed", collect)
    with pytest.raises(StopIteration):
        _fold(connection, lines)
    assert found == set(range(1, len(states) + 1))
    assert len(states) >= 3 * 6


OTHER_TYPES: Final[tuple[Any, ...]] = (
    1.5,
    True,
    "12",
    "x",
    [],
    {},
    -1,
    0,
    "2025-13-45",
    1e300,
    2**63,
)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.TOPIC)
def test_a_value_of_another_type_is_refused(sample: Event, connection: DuckDBPyConnection) -> None:
    """A number is not a text, a text is no list: ten random places in each event.

    What is of the right type is the mapper's to judge; here it may pass.
    """
    stored = MAPPER.to_stored_event(sample)
    state = json.loads(stored.state)
    chance = random.Random(stored.topic)
    places = [path for path in _paths(state) if path != ("class_version",)]
    tried = 0
    while tried < 10:
        path = chance.choice(places)
        value = chance.choice(OTHER_TYPES)
        if type(_at(state, path)) is type(value) or _at(state, path) is None:
            continue
        tried += 1
        changed = _mutated(state, path, lambda parent, key: parent.__setitem__(key, value))  # noqa: B023
        line = _line(1, stored.topic, changed)
        with pytest.raises(StoreDamagedError):
            _fold(connection, [line])


def test_a_missing_term_would_cover_for_ever(
    connection: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: without the comparison a cohort that lost its end is open-ended."""
    path = ("lines", 0, "cohort", "expires_on")
    state = _mutated(ENROLLED, path, lambda parent, key: parent.pop(key))
    monkeypatch.setattr(fold, "_refuse_malformed", lambda _: None)
    _fold(connection, [_line(1, "ucj.batch-enrolled", state)])
    kinds = [row[8] for row in _rows(connection)["entries"]]
    assert kinds.count("lapse") == kinds.count("enrolment") - 1


def test_without_constraints_wrong_signs_would_pass(connection: DuckDBPyConnection) -> None:
    """Negative control: the tables' CHECKs are what refuses an enrolment of −100."""
    path = ("lines", 0, "workers")
    state = _mutated(ENROLLED, path, lambda parent, key: parent.__setitem__(key, -100))
    line = _line(1, "ucj.batch-enrolled", state)
    with pytest.raises(StoreDamagedError):
        _fold(connection, [line])
    connection.execute("CREATE OR REPLACE TABLE entries AS SELECT * FROM entries LIMIT 0")
    connection.execute("CREATE OR REPLACE TABLE events AS SELECT * FROM events LIMIT 0")
    _fold(connection, [line])
    assert -100 in [row[11] for row in _rows(connection)["entries"]]


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"1",
        b"{}",
        b'{"class_version":1}',
        canonical_json(ENROLLED) + b" ",
        canonical_json(ENROLLED).replace(b",", b", ", 1),
        b'{"class_version":1,' + canonical_json(ENROLLED)[1:],
        canonical_json(ENROLLED) + b"\n" + canonical_json(ENROLLED),
        canonical_json(ENROLLED) + b"\n" + _GOOD.encode(),
        canonical_json(ENROLLED) + SEPARATOR.encode(),
        SEPARATOR.encode() + canonical_json(ENROLLED),
        canonical_json(ENROLLED) + f"{SEPARATOR}ucj.batch-enrolled\n2{SEPARATOR}x".encode(),
    ],
    ids=lambda state: repr(bytes(state[:24] + state[-12:])),
)
def test_bytes_that_ucj_never_wrote_are_refused(
    state: bytes, connection: DuckDBPyConnection
) -> None:
    """No JSON, JSON in another form, doubled keys, and states that try to be more than one value."""
    with pytest.raises(StoreDamagedError):
        _fold(connection, [_line(1, "ucj.batch-enrolled", state)])


def test_a_refusal_shows_no_value_of_the_event(connection: DuckDBPyConnection) -> None:
    """A malformed event may hold anything; its position is told, not what is in it."""
    state = {**ENROLLED, "note": "3201010101010001", "effective_on": "\x1b[2J3201010101010001"}
    with pytest.raises(StoreDamagedError) as refused:
        _fold(connection, [_line(5, "ucj.batch-enrolled", canonical_json(state))])
    said = "\n".join(refused.value.diagnostics())
    assert "#5" in said
    assert "3201" not in said
    assert "\x1b" not in said


def test_as_many_kinds_as_the_models_admit() -> None:
    """The samples draw on every kind but the lapse, which no event states."""
    assert get_args(Kind) == ()
    told = {getattr(sample, "kind", None) for sample in SAMPLES} - {None}
    assert told <= set(Kind)
    assert Kind.LAPSE not in told


def test_any_change_of_the_page_is_another_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image is used only by the fold that made it: its version is the text's."""
    before = fold.version()
    text = fold._text()
    monkeypatch.setattr(fold, "_text", lambda: text + " ")
    fold.version.cache_clear()
    try:
        assert fold.version() != before
    finally:
        monkeypatch.undo()
        fold.version.cache_clear()
    assert fold.version() == before


@pytest.mark.parametrize(("event_bytes", "chunk_events"), [(1_000, 20), (20_000, 5)])
def test_a_chunk_of_long_events_is_a_smaller_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event_bytes: int, chunk_events: int
) -> None:
    """They lie in memory all at once in each step of the fold, whatever the file's size."""
    monkeypatch.setattr(fold, "LONG_CHUNK_BYTES", 100_000)
    pages = iter([["x" * event_bytes]] * 20)
    chunk = fold.Chunk.written(tmp_path / "lines", pages, bytes_wanted=400_000)
    assert chunk is not None
    assert chunk.events == chunk_events
