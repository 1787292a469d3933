"""Entries written straight from their commands: the bytes of the models that they do without."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, cast
from unittest import mock
from uuid import UUID

import pytest
import xlsxwriter
from eventsourcing.persistence import StoredEvent
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from benchmarks.country import importable
from benchmarks.stores import as_csv
from registry import batch as batches
from registry import recording
from registry.batch import Stamp
from registry.commands import (
    BatchLine,
    Command,
    Commands,
    ParcelledCommands,
    RecordBatch,
)
from registry.drawing import statement_of
from registry.events import ImportSource
from registry.intake import admission
from registry.intake.admission import Admission, AdmissionOptions, admit
from registry.intake.spool import spool_input
from registry.recording import Counts, Recording
from registry.reference.categories import Categories
from registry.storage.entries import Entries
from registry.storage.log import StoredRow
from registry.storage.mapper import EventMapper
from registry.terms import Action, Funding, Programme, Segment, batch_stream
from tests.stores import Store

MAPPER: Final = EventMapper(cast("Any", None))
STAMP: Final = Stamp(7, datetime(2025, 8, 1, 2, 3, 4, 56, tzinfo=UTC), 'Siti "A" \\ é')
SOURCES: Final = {name: ImportSource(import_id=UUID(int=5), sheet=name) for name in ("", "Data é")}
ENTRIES: Final = Entries(STAMP, SOURCES)
ENTERING: Final = (Action.OPENING, Action.ENROL, Action.BALANCE_IN)
_ENTERING_TOPICS: Final = {"ucj.opening-stated", "ucj.batch-enrolled"}


def _by_the_model(command: RecordBatch) -> StoredEvent:
    """Return the stored event of a command as every other command comes to one: validated."""
    source = SOURCES.get(command.sheet or "")
    statement = statement_of(command, lambda _area, _reference, _part: None, source=source)
    event = batches.record(
        None,
        statement,
        area=command.area,
        reference=command.reference,
        part=command.part,
        stamp=STAMP,
        settles=command.settles,
    )
    return MAPPER.to_stored_event(event)


# --- any command ----------------------------------------------------------------------------------

_texts = st.text(st.characters(codec="utf-8").filter(str.isprintable), min_size=1, max_size=12)
_maybe_text = st.none() | _texts | st.sampled_from(['"', "\\", "=1+1", "\u2028x", "\U0001f600"])
_days = st.dates(date(1977, 12, 5), date(2199, 12, 30))
_lines = st.builds(
    BatchLine,
    category=st.sampled_from(["guru", "pekerja-rentan"]),
    workers=st.integers(1, 300_000_000),
    row=st.none() | st.integers(1, 2**31),
    covered_until=st.none() | st.dates(date(2150, 1, 1), date(2199, 12, 30)),
    segment=st.none() | st.sampled_from(Segment),
)
_entries = st.builds(
    RecordBatch,
    action=st.sampled_from(ENTERING),
    area=st.sampled_from(["16.06", "16.71"]),
    reference=_texts,
    lines=st.lists(_lines, min_size=1, max_size=4).map(tuple),
    part=st.just("") | _texts,
    effective_on=st.dates(date(1977, 12, 5), date(2149, 12, 31)),
    funding=st.none() | st.sampled_from(Funding),
    programmes=st.lists(st.sampled_from(Programme), max_size=3).map(tuple),
    decided_on=st.none() | _days,
    document=_maybe_text,
    proposed=st.none() | st.integers(1, 300_000_000),
    rejected=st.dictionaries(
        st.from_regex(r"[a-z0-9]{1,3}(-[a-z]{1,3})?", fullmatch=True), st.integers(1, 10**8)
    ).map(lambda said: tuple(said.items())),
    note=_maybe_text,
    sheet=st.none() | st.sampled_from(["", "Data é", "no such"]),
    settles=st.none() | st.integers(1, 2**53 - 1),
)


@given(_entries)
def test_an_entry_is_stored_as_its_model_is(command: RecordBatch) -> None:
    """Byte for byte, identity, version and topic."""
    assert ENTRIES.stored(command, command.identity()) == _by_the_model(command)


@pytest.mark.parametrize("action", [each for each in Action if each not in ENTERING])
def test_what_does_more_than_bring_heads_in_is_left_to_the_model(action: Action) -> None:
    """It draws on other batches, or changes one: its cohorts must be looked up."""
    line = BatchLine("guru", 10, of_batch="SK-0")
    command = RecordBatch(action, "16.06", "SK-1", (line,), effective_on=date(2025, 1, 1))
    assert ENTRIES.stored(command, command.identity()) is None


def test_what_replaces_a_batch_is_left_to_the_model() -> None:
    """A file of corrections says `enrol` too."""
    command = RecordBatch(Action.ENROL, "16.06", "SK-1", (BatchLine("guru", 1),), because="misread")
    assert ENTRIES.stored(command, command.identity()) is None


# --- whatever intake admits ---------------------------------------------------------------------

_MARKS: Final = (*"aZ09 /.-_,;:'=@+\"\\\t", "é", "e\u0301", "Ｓ", "\xa0", "ß", "\U0001d11e")
_WORDS: Final = _texts | st.lists(st.sampled_from(_MARKS), min_size=1, max_size=12).map("".join)
_blank = st.sampled_from(["", " "])
_CELLS: Final[dict[str, st.SearchStrategy[str]]] = {
    "reference": _WORDS,
    "part": _blank | _WORDS,
    "area": st.sampled_from(["16.06", "Musi Banyuasin", "Kota Palembang", "MUBA"]),
    "action": st.sampled_from(["opening", "enrol", "balance-in", "saldo awal", "Pendaftaran"]),
    "effective_on": st.sampled_from(["1977-12-05", "31/12/2024", "1 Juli 2025", "2199-12-30"]),
    "funding": _blank | st.sampled_from(["csr", "APBN", "apbd-kabupaten"]),
    "programmes": _blank | st.sampled_from(["JKK", "jkm;jkk", "JHT + JKK"]),
    "decided_on": _blank | st.sampled_from(["2025-01-01", "2199-12-31"]),
    "document": _blank | _WORDS,
    "proposed": _blank | st.sampled_from(["1", "300.000.000"]),
    "rejected": _blank
    | st.sampled_from(["duplicate:64;invalid-nik:120", "ganda=1; Di bawah umur:1.000"]),
    "note": _WORDS,
    "category": st.sampled_from(["guru", "Pekerja Rentan", "RT/RW"]),
    "workers": st.sampled_from(["1", "45.000", "300000000"]),
    "covered_until": _blank | st.sampled_from(["2199-12-30"]),
    "segment": _blank | st.sampled_from(["BPU", "pu"]),
}

_PLAIN: Final = {
    "area": "16.06", "action": "enrol", "effective_on": "2025-01-01", "category": "guru", "workers": "1"
}  # fmt: skip


@settings(max_examples=60)
@given(
    head=st.fixed_dictionaries(_CELLS), others=st.lists(st.fixed_dictionaries(_CELLS), max_size=2)
)
def test_whatever_intake_admits_the_model_admits(
    head: dict[str, str], others: list[dict[str, str]]
) -> None:
    """A cell that was read needs no second look: the model takes it, and writes the same bytes."""
    of_the_line = {"category", "workers", "covered_until", "segment"}
    rows = [head] + [{**head, **{name: other[name] for name in of_the_line}} for other in others]
    with _admitted(rows) as admission:
        assume(not admission.report.errors)
        (command,) = admission.commands()
    assert isinstance(command, RecordBatch)
    assert ENTRIES.stored(command, command.identity()) == _by_the_model(command)


@contextmanager
def _admitted(rows: Sequence[dict[str, str]]) -> Iterator[Admission]:
    """Admit a file of such rows."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerows([[*rows[0]], *([*row.values()] for row in rows)])
    with (
        spool_input(io.BytesIO(stream.getvalue().encode()), name="berkas.csv") as spooled,
        admit(spooled, AdmissionOptions("batches"), Categories()) as admission,
    ):
        yield admission


@settings(max_examples=60)
@given(st.lists(st.fixed_dictionaries(_CELLS), min_size=1, max_size=5))
def test_a_page_is_written_as_its_batches_are(rows: list[dict[str, str]]) -> None:
    """By column, and one by one: the very same streams, topics, states and digest of the plan."""
    with _admitted([row for row in rows for _ in range(2)]) as admission:
        assume(not admission.report.errors)
        commands = admission.commands()
        assert isinstance(commands, ParcelledCommands)
        parcels = commands.parcelled()
        assume(parcels is not None)
        assert parcels is not None
        pages, others = parcels
        for page in pages:
            one_by_one = [cast("RecordBatch", each) for each in page.commands()]
            assert one_by_one == [*commands]
            written = ENTRIES.stored_page(page, [batch_stream(key) for key in page.keys])
            assert [
                StoredEvent(UUID(stream), version, topic, state)
                for stream, version, topic, state in written.rows
            ] == [ENTRIES.stored(each, each.identity()) for each in one_by_one]
        assert not [*others]
        assert _decided(commands, draws=False) == _decided(tuple(commands), draws=False)


def test_a_page_that_needs_a_look_is_decided_one_by_one() -> None:
    """Where a batch of it is recorded already nothing is recorded twice, and the others are."""
    rows = [dict.fromkeys(_CELLS, "") | _PLAIN | {"reference": f"SK-{n}"} for n in range(4)]
    with _admitted(rows) as admission, _admitted(rows[1:3]) as earlier:
        commands, before = admission.commands(), tuple(earlier.commands())
        found = _decided(commands, draws=False, before=before)
        assert found == _decided(tuple(commands), draws=False, before=before)
    assert len(found[0]) == len(rows)
    assert cast("Counts", found[1]).already_recorded == len(before)


_MIXED: Final = st.lists(
    st.fixed_dictionaries(
        {
            "reference": st.sampled_from([f"SK-{n}" for n in range(6)]),
            "action": st.sampled_from(["enrol", "enrol", "opening", "deactivate", "reclassify"]),
            "of_batch": st.sampled_from(["", "SK-0", "SK-1", "SK-2", "SK-5"]),
            "workers": st.sampled_from(["1", "5"]),
        }
    ),
    min_size=1,
    max_size=8,
)


def _mixed_row(said: dict[str, str]) -> dict[str, str]:
    """Return a row that its action allows: who enters is of no other batch, who leaves has a reason."""
    row = {**dict.fromkeys(_CELLS, ""), "from_category": "", "reason": "", **_PLAIN, **said}
    if row["action"] == "deactivate":
        return {**row, "reason": "resigned"}
    if row["action"] == "reclassify":
        return {**row, "category": "bpd", "from_category": "guru"}
    return {**row, "of_batch": ""}


def _regardless_of_order(decided: tuple[list[StoredRow], object, Any, str]) -> tuple[object, ...]:
    """Return what is recorded, counted and found, wherever it stands."""
    rows, counts, problems, _plan = decided
    recorded = {
        (each.originator_id, each.originator_version, each.topic, each.state) for each in rows
    }
    return recorded, counts, sorted(problems, key=repr)


@settings(max_examples=100)
@given(_MIXED)
def test_what_enters_goes_first_and_all_is_recorded_as_in_order(said: list[dict[str, str]]) -> None:
    """The same events, counts and refusals, whatever draws on what; only their order is another."""
    with _admitted([_mixed_row(each) for each in said]) as admission:
        assume(not admission.report.errors)
        commands = admission.commands()
        expected = _decided(tuple(commands))
        assert _decided(commands) == expected  # so few stay in order
        with mock.patch.object(recording, "LONG_FILE_BATCHES", 0):
            found = _decided(commands)
        assert _regardless_of_order(found) == _regardless_of_order(expected)
        assert isinstance(commands, ParcelledCommands)
        if commands.parcelled() is not None:
            entered = [each.topic in _ENTERING_TOPICS for each in found[0]]
            assert entered == sorted(entered, reverse=True)


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.integers(-2, 3), min_size=1, max_size=5), min_size=2, max_size=3),
    st.sampled_from([1, 2, 4]),
)
def test_sheets_that_end_anywhere_are_recorded_as_in_order(
    sheets: list[list[int]], at_once: int
) -> None:
    """Each number is a batch of so many rows, or one that leaves: pages end with a sheet, or do not."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        for number, lengths in enumerate(sheets):
            sheet = book.add_worksheet(f"S{number}")
            sheet.write_row(0, 0, [*_mixed_row({})])
            said = [
                _mixed_row({"reference": f"SK-{number}-{n}", "workers": str(row + 1)})
                if length > 0
                else _mixed_row({"reference": f"SK-{number}-{n}", "action": "deactivate"})
                for n, length in enumerate(lengths)
                for row in range(max(length, 1))
            ]
            for row, cells in enumerate(said, 1):
                sheet.write_row(row, 0, [*cells.values()])
    stream.seek(0)
    with (
        mock.patch.multiple(admission, BATCHES_AT_ONCE=at_once, ROWS_AT_ONCE=2 * at_once),
        mock.patch.object(recording, "LONG_FILE_BATCHES", 0),
        spool_input(stream, name="berkas.xlsx") as spooled,
        admit(spooled, AdmissionOptions("batches"), Categories()) as admitted,
    ):
        assert not admitted.report.errors
        commands = admitted.commands()
        found, expected = _decided(commands), _decided(tuple(commands))
    assert _regardless_of_order(found) == _regardless_of_order(expected)
    assert len(found[0]) == sum(map(len, sheets))


def test_a_long_mixed_file_is_recorded_as_in_order(tmp_path: Path) -> None:
    """Some pages of all that a file can hold, each with batches that draw on others."""
    path = tmp_path / "batches.csv"
    as_csv(importable(5_000), path)
    with (
        spool_input(path, name="berkas.csv") as spooled,
        admit(spooled, AdmissionOptions("batches", "en"), Categories()) as admission,
    ):
        commands = admission.commands()
        found, expected = _decided(commands), _decided(tuple(commands))
        assert found[0] != expected[0]  # control: it went another way
    assert _regardless_of_order(found) == _regardless_of_order(expected)


# --- within a transaction -------------------------------------------------------------------------


def _decided(
    commands: Commands,
    *,
    admitted: bool = True,
    draws: bool = True,
    before: tuple[Command, ...] = (),
) -> tuple[list[StoredRow], object, object, str]:
    """Return what a transaction comes to: its rows, counts, problems and plan."""
    with closing(Store(None)) as store, store.registry.log_recorder.write() as transaction:
        mapper = cast("EventMapper", store.registry.mapper)
        Recording(transaction, mapper, STAMP, sources=SOURCES).decide(before, draws=False)
        recording = Recording(transaction, mapper, STAMP, sources=SOURCES, admitted=admitted)
        recording.decide(commands, draws=draws)
        transaction.discard()
        rows = [*transaction.log.rows()]
        return rows, recording.counts, recording.problems, recording.plan("file")


def test_a_file_is_recorded_as_typed_commands_are() -> None:
    """Openings, enrolments, leaves, renewals and moves of each other, said twice: the very same."""
    commands = [*importable(600)]
    said = {str(each.action) for each in commands}
    assert {"opening", "enrol", "renew", "deactivate", "reclassify"} <= said
    admitted = _decided((*commands, *commands), admitted=True)
    assert admitted == _decided((*commands, *commands), admitted=False)
    assert len(admitted[0]) == len(commands)


def test_only_what_was_admitted_goes_without_its_model() -> None:
    """Negative control: an entry looks at no value; whoever types one meets the model's checks."""
    hostile = RecordBatch(
        Action.ENROL,
        "16.06",
        "\x1b[2J",
        (BatchLine("guru", 1),),
        effective_on=date(2025, 1, 1),
        row=2,
    )
    assert ENTRIES.stored(hostile, hostile.identity()) is not None
    with closing(Store(None)) as store, pytest.raises(ValidationError):
        store.registry.record(hostile)
