"""Image and tail: the same rows as a rebuild, whatever happened to the images."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

import duckdb
import pytest

from projections import fold, ledger
from projections.ledger import (
    Image,
    ImageFolder,
    Ledger,
    build_image,
    connect,
    image_folder,
    publish_next,
)
from projections.workspace import Workspace
from registry import temporary
from registry.errors import StoreDamagedError, StoreError, StoreNewerError
from registry.events import BatchEnrolled, Event
from registry.storage.log import ConnectionLog, open_log
from registry.storage.mapper import EventMapper, canonical_json
from registry.storage.sqlite import back_up, create_store
from registry.terms import Kind
from tests.event_samples import RECORDED_AT, SAMPLES
from tests.test_registry_storage_log import as_nobody, interrupt, own
from tests.test_registry_storage_log import shared as _shared_folder

shared = _shared_folder
MAPPER: Final = EventMapper(cast("Any", None))
Rows = dict[str, list[tuple[Any, ...]]]


def make(folder: Path, events: int = 40, *, name: str = "registry.db", kind: int = 0) -> Path:
    """Make a store with so many events, every kind in turn; `kind` says which comes first."""
    path = folder / name
    create_store(path, created_at=RECORDED_AT.isoformat(), created_by="tests")
    add(path, events, kind=kind)
    return path


def add(path: Path, events: int, *, kind: int = 0) -> None:
    """Append so many events."""
    with closing(sqlite3.connect(path)) as connection:
        head = connection.execute("SELECT count(*) FROM stored_events").fetchone()[0]
        samples = itertools.islice(itertools.cycle(SAMPLES), head + kind, None)
        store(connection, itertools.islice(samples, events))


def store(connection: sqlite3.Connection, events: Iterator[Event]) -> None:
    """Append events, each in a stream of its own."""
    (head,) = connection.execute("SELECT count(*) FROM stored_events").fetchone()
    for number, sample in enumerate(events, head + 1):
        changes = {
            "originator_id": UUID(int=number),
            "originator_version": 1,
            "transaction_id": number,
            "recorded_at": RECORDED_AT + timedelta(seconds=number),
        }
        stored = MAPPER.to_stored_event(type(sample).model_validate({**dict(sample), **changes}))
        connection.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
            " VALUES (?, 1, ?, ?)",
            (UUID(int=number).hex, stored.topic, stored.state),
        )
    connection.commit()


def rows_of(view: Ledger) -> Rows:
    """Return every row of every table up to the view's position."""
    return {
        table: sorted(
            view.connection.execute(
                f"SELECT * FROM {table} WHERE position <= $1", [view.position]
            ).fetchall(),
            key=repr,
        )
        for table in fold.TABLES
    }


def asked(
    log: ConnectionLog,
    folder: ImageFolder | None,
    upto: int | None = None,
    notice: Callable[[str], None] = lambda _: None,
) -> tuple[Rows, Image | None]:
    """Ask everything, and say which image it came from."""
    with closing(Ledger(log, folder, upto=upto, notice=notice)) as view:
        return rows_of(view), view.image


@pytest.fixture
def folder(tmp_path: Path) -> ImageFolder:
    """Return an empty folder for images."""
    path = tmp_path / "images"
    path.mkdir()
    return ImageFolder(path)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one store of forty events, with an image of all of it, for the tests that only read."""
    path = make(tmp_path_factory.mktemp("kept"))
    with closing(open_log(path)) as log:
        published(log, ImageFolder(path.parent))
    return path


@pytest.fixture
def log(kept: Path) -> Iterator[ConnectionLog]:
    """Open the log of forty events."""
    with closing(open_log(kept)) as opened:
        yield opened


@pytest.fixture(scope="module")
def right(kept: Path) -> Rows:
    """Return what the log alone says."""
    with closing(open_log(kept)) as log:
        return asked(log, None)[0]


@pytest.fixture
def image(kept: Path, folder: ImageFolder) -> Image:
    """Return a sound image of all of the log, in the test's own folder."""
    (made,) = ImageFolder(kept.parent).images()
    shutil.copy(made.path, folder.path)
    (copied,) = folder.images()
    return copied


def published(log: ConnectionLog, folder: ImageFolder) -> Image:
    """Publish an image of the whole log."""
    image = build_image(log, folder)
    assert image is not None
    return image


# --- image and tail ---------------------------------------------------------------------------------


class Shorter(ConnectionLog):
    """A log as it was at an earlier position."""

    def __init__(self, log: ConnectionLog, head: int) -> None:
        super().__init__(log._connection, log.store_id)
        self._head = head

    def head(self) -> int:
        """Return the earlier position."""
        return self._head


def upto(rows: Rows, position: int) -> Rows:
    """Return the rows that were known at a position."""
    return {table: [row for row in found if row[0] <= position] for table, found in rows.items()}


@pytest.mark.parametrize("position", [1, 7, 24, 40])
def test_image_and_tail_are_the_rebuild(
    log: ConnectionLog, folder: ImageFolder, right: Rows, position: int
) -> None:
    """With the image at any position, asked up to any other: what the log alone says."""
    image = published(Shorter(log, position), folder)
    assert image.position == position
    for known in (position - 1, position + 1, 40):
        told, used = asked(log, folder, known)
        assert used == image
        assert told == upto(right, known)
    assert asked(log, None, position)[0] == upto(right, position)


def test_the_tail_is_what_the_image_lacks(log: ConnectionLog, folder: ImageFolder) -> None:
    """Only the events after the image are folded; with none, nothing is."""
    published(Shorter(log, 30), folder)
    with closing(Ledger(log, folder)) as view:
        assert (view.tail_events, view.position) == (10, 40)
        assert view.connection.execute("SELECT count(*) FROM memory.tail.events").fetchone() == (
            10,
        )
        assert not view.publish_is_due()
    published(log, folder)
    with closing(Ledger(log, folder)) as view:
        assert view.tail_events == 0


def test_a_log_that_grew_is_answered_from_the_old_image(
    tmp_path: Path, folder: ImageFolder
) -> None:
    """Answers are never stale: what was recorded since is in them."""
    path = make(tmp_path)
    with closing(open_log(path)) as log:
        image = published(log, folder)
        add(path, 9)
        told, used = asked(log, folder)
        assert used == image
        assert told == asked(log, None)[0]
        assert max(row[0] for row in told["events"]) == 49


@pytest.mark.parametrize("disk_tail", [1, 10_000])
@pytest.mark.parametrize("side_by_side", [1, 10_000])
def test_chunks_of_any_size_fold_the_same(
    log: ConnectionLog,
    folder: ImageFolder,
    right: Rows,
    monkeypatch: pytest.MonkeyPatch,
    side_by_side: int,
    disk_tail: int,
) -> None:
    """Where the log is cut into files makes no difference, nor how many are folded at once, or where."""
    monkeypatch.setattr("registry.storage.log.PAGE_EVENTS", 3)
    monkeypatch.setattr(ledger, "CHUNK_BYTES", 2_000)
    monkeypatch.setattr(ledger, "REBUILD_CHUNK_BYTES", 2_000)
    monkeypatch.setattr(ledger, "DISK_REBUILD_CHUNK_BYTES", 2_000)
    monkeypatch.setattr(ledger, "SIDE_BY_SIDE_EVENTS", side_by_side)
    monkeypatch.setattr(ledger, "PARALLEL_REBUILD_EVENTS", side_by_side)
    monkeypatch.setattr(ledger, "DISK_TAIL_EVENTS", disk_tail)
    monkeypatch.setattr(ledger, "DISK_REBUILD_EVENTS", disk_tail)
    assert asked(log, None)[0] == right
    published(log, folder)
    assert asked(log, folder)[0] == right


@pytest.mark.parametrize(
    ("long_tail", "memory_limit", "workers", "limit"),
    [(10_000, None, 2, "152.5 MiB"), (1, None, 1, "106.8 MiB"), (1, "384MB", 2, "366.2 MiB")],
)
def test_a_long_tail_is_folded_by_one_worker_in_less_memory(
    log: ConnectionLog,
    monkeypatch: pytest.MonkeyPatch,
    long_tail: int,
    memory_limit: str | None,
    workers: int,
    limit: str,
) -> None:
    """An import holds its pages besides: two side by side would not always fit with them."""
    monkeypatch.setattr(ledger, "SIDE_BY_SIDE_EVENTS", 1)
    monkeypatch.setattr(ledger, "DISK_TAIL_EVENTS", 1)
    monkeypatch.setattr(ledger, "LONG_TAIL_EVENTS", long_tail)
    seen: list[int] = []
    fold_all = ledger._fold_all

    def watched(*given: Any, workers: int, **named: Any) -> None:
        seen.append(workers)
        fold_all(*given, workers=workers, **named)

    monkeypatch.setattr(ledger, "_fold_all", watched)
    with closing(Ledger(log, None, memory_limit=memory_limit)) as view:
        found = view.connection.execute("SELECT current_setting('memory_limit')").fetchall()
    assert (seen, found) == ([workers], [(limit,)])


@pytest.mark.parametrize(("large", "limit"), [(10_000, "350.9 MiB"), (1, "953.6 MiB")])
def test_a_large_log_is_rebuilt_in_more_memory(
    log: ConnectionLog,
    folder: ImageFolder,
    right: Rows,
    monkeypatch: pytest.MonkeyPatch,
    large: int,
    limit: str,
) -> None:
    """Within its own bound: half a gigabyte of a million events, one and a half of ten million."""
    monkeypatch.setattr(ledger, "LARGE_REBUILD_EVENTS", large)
    monkeypatch.setattr(ledger, "DISK_REBUILD_EVENTS", 1)
    seen: list[str] = []
    lay_out = ledger._lay_out

    def watched(connection: Any, *given: Any) -> None:
        seen.extend(connection.execute("SELECT current_setting('memory_limit')").fetchall()[0])
        lay_out(connection, *given)

    monkeypatch.setattr(ledger, "_lay_out", watched)
    published(log, folder)
    assert seen == [limit]
    assert asked(log, folder)[0] == right


def test_an_event_longer_than_the_engine_reads_at_once_is_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many, as long lines as a batch may have: it does not stop the fold."""
    lines = 20_000
    path = make(tmp_path, 3)
    sample = next(each for each in SAMPLES if isinstance(each, BatchEnrolled))
    stored = MAPPER.to_stored_event(sample)
    state = json.loads(stored.state)
    line = state["lines"][0]
    line["cohort"]["reference"] = line["cohort"]["part"] = "\U0001f600" * 200
    state["lines"] = [line] * lines
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
            " VALUES ('s', 1, ?, ?)",
            (stored.topic, canonical_json(state)),
        )
        connection.commit()
    with closing(open_log(path)) as log:
        with closing(Ledger(log, None)) as view:
            found = view.connection.execute(
                "SELECT count(*) FROM entries WHERE position = 4 AND kind = $1",
                [str(Kind.ENROLMENT)],
            ).fetchone()
            assert found == (lines,)
        folding = fold.fold_chunk
        monkeypatch.setattr(  # the control: with the usual limit the engine refuses it
            fold,
            "fold_chunk",
            lambda connection, chunk: folding(
                connection, replace(chunk, line_bytes_max=fold.LINE_BYTES_MAX)
            ),
        )
        with pytest.raises(StoreDamagedError):
            Ledger(log, None)


def test_where_the_engine_cannot_read_a_path_there_is_no_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB ends a path at `?`; the images go to the cache, or nowhere, and every answer is right."""
    odd = tmp_path / "ada?"
    odd.mkdir()
    path = make(odd)
    monkeypatch.setenv("UCJ_CACHE", str(odd))
    assert image_folder(path, "0" * 32) is None
    with closing(open_log(path)) as log, closing(Ledger(log, None)) as view:
        assert rows_of(view)["events"]
    monkeypatch.setenv("UCJ_CACHE", str(tmp_path / "cache"))
    folder = image_folder(path, "0" * 32)
    assert folder is not None
    assert folder.path == tmp_path / "cache" / ("0" * 32)
    with closing(open_log(path)) as log:
        build_image(log, folder)
        assert folder.images()


def test_an_empty_log_has_an_empty_ledger(tmp_path: Path, folder: ImageFolder) -> None:
    """No image, no rows, no fault."""
    with closing(open_log(make(tmp_path, 0))) as log:
        assert build_image(log, folder) is None
        told, used = asked(log, folder)
        assert used is None
        assert not any(told.values())


@pytest.mark.parametrize(
    ("topic", "error"),
    [("ucj.batch-proposed", StoreNewerError), ("ucj.target-set", StoreDamagedError)],
)
@pytest.mark.parametrize("side_by_side", [1, 10_000])
def test_no_answer_is_given_while_an_event_is_skipped(
    tmp_path: Path,
    folder: ImageFolder,
    monkeypatch: pytest.MonkeyPatch,
    topic: str,
    error: type[StoreError],
    side_by_side: int,
) -> None:
    """In the tail and in a build: refused with the position, and no image is published."""
    monkeypatch.setattr(ledger, "SIDE_BY_SIDE_EVENTS", side_by_side)
    monkeypatch.setattr(ledger, "PARALLEL_REBUILD_EVENTS", side_by_side)
    path = make(tmp_path, 5)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
            " VALUES ('s', 1, ?, ?)",
            (topic, b'{"class_version":1}'),
        )
        connection.commit()
    with closing(open_log(path)) as log:
        with pytest.raises(error, match="#6"):
            Ledger(log, folder)
        with pytest.raises(error, match="#6"):
            build_image(log, folder)
    assert list(folder.path.iterdir()) == []


# --- images that are not what they say ------------------------------------------------------------------


def _changed(path: Path, statement: str) -> None:
    """Change an image as DuckDB itself would."""
    changed = path.with_name("changed.db")
    shutil.copy(path, changed)
    with closing(duckdb.connect(str(changed))) as connection:
        connection.execute(statement)
        connection.execute("CHECKPOINT")
    changed.replace(path)


def _other_store(path: Path) -> None:
    folder = path.parent / "other"
    folder.mkdir()
    with closing(open_log(make(folder))) as log:
        shutil.copy(published(log, ImageFolder(folder)).path, path)
    shutil.rmtree(folder)


def _truncated(path: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(path.stat().st_size // 3)


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("no image " * 10_000)


def _an_sqlite_file(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE image (position)")


def _a_database_of_something_else(path: Path) -> None:
    path.unlink()
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute("CREATE TABLE entries AS SELECT 1 AS workers")


def _with_broken_header(path: Path) -> None:
    with path.open("rb+") as file:
        file.seek(10)
        file.write(b"\xff" * 20)


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _statement(text: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        _changed(path, text)

    return change


SPOILS: Final[dict[str, Callable[[Path], None]]] = {
    "of another store": _other_store,
    "truncated": _truncated,
    "zero length": _emptied,
    "a text": _text,
    "an SQLite file": _an_sqlite_file,
    "another database": _a_database_of_something_else,
    "a broken header": _with_broken_header,
    "a folder": _a_folder,
    "of another store's id": _statement("UPDATE image SET store_id = 'other'"),
    "of another fold": _statement("UPDATE image SET fold_version = '00000000'"),
    "of another event there": _statement("UPDATE image SET event_sha256 = 'ab'"),
    "of another position": _statement("UPDATE image SET position = position - 1"),
    "of two things": _statement("INSERT INTO image SELECT * FROM image"),
    "of nothing": _statement("DELETE FROM image"),
    "without a mark": _statement("DROP TABLE image"),
}


@pytest.mark.parametrize("name", SPOILS)
def test_a_wrong_image_is_set_aside(
    log: ConnectionLog, folder: ImageFolder, image: Image, right: Rows, name: str
) -> None:
    """The answer is right, one line says so, and the image is gone."""
    SPOILS[name](image.path)
    notices: list[str] = []
    told, used = asked(log, folder, notice=notices.append)
    assert used is None
    assert told == right
    assert len(notices) == 1
    assert (folder.images() == []) == (name != "a folder")


def test_an_image_set_aside_is_built_again(
    log: ConnectionLog, folder: ImageFolder, image: Image, right: Rows
) -> None:
    """Whoever asked is told to publish, however short the tail; the name is another."""
    _truncated(image.path)
    with closing(Ledger(log, folder)) as view:
        assert (rows_of(view), view.image, view.publish_is_due()) == (right, None, True)
    rebuilt = published(log, folder)
    assert rebuilt.path != image.path
    with closing(Ledger(log, folder)) as view:
        assert (rows_of(view), view.image, view.publish_is_due()) == (right, rebuilt, False)


def test_an_unchecked_image_would_answer_for_another_store(
    log: ConnectionLog,
    folder: ImageFolder,
    image: Image,
    right: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Negative control: without the check of whose it is, another store's image answers."""
    other = folder.path / "other"
    other.mkdir()
    with closing(open_log(make(other, kind=3))) as different:
        shutil.copy(published(different, ImageFolder(other)).path, image.path)
    monkeypatch.setattr(Ledger, "_is_of_this_log", lambda _self, _image: True)
    assert asked(log, folder)[0] != right


def test_an_older_sound_image_serves(
    log: ConnectionLog, folder: ImageFolder, image: Image, right: Rows
) -> None:
    """Where the newest is damaged, the next one is taken, and a word is said."""
    folder.discard(image)
    older = published(Shorter(log, 20), folder)
    content = older.path.read_bytes()
    newest = published(log, folder)
    older.path.write_bytes(content)  # as a publisher leaves it that ended just before it removed it
    _truncated(newest.path)
    notices: list[str] = []
    told, used = asked(log, folder, notice=notices.append)
    assert used == older
    assert told == right
    assert "rebuilt" in notices[0]


def test_a_flipped_bit_is_an_error_and_never_another_answer(
    log: ConnectionLog, folder: ImageFolder, image: Image, right: Rows
) -> None:
    """At thirty places: the image is set aside, or DuckDB stops the question; no figure changes."""
    sound = image.path.read_bytes()
    chance = random.Random(20250731)
    noticed = 0
    used_bytes = max(
        index for index in range(0, len(sound), 512) if any(sound[index : index + 512])
    )
    for place in (*range(0, 64, 16), *(chance.randrange(used_bytes) for _ in range(26))):
        flipped = bytearray(sound)
        flipped[place] ^= 1 << chance.randrange(8)
        image.path.unlink(missing_ok=True)
        image.path.write_bytes(flipped)
        try:
            told, used = asked(log, folder)
        except duckdb.Error:
            noticed += 1
            continue
        assert told == right, f"bit at {place}"
        noticed += used is None
    assert noticed >= 10, "hardly a flip was met: the test proves nothing"


def test_a_damaged_image_is_not_copied_into_the_next(tmp_path: Path, folder: ImageFolder) -> None:
    """Whichever block of it is damaged, the next image is sound: else it is made of the log."""
    path = make(tmp_path)
    with closing(open_log(path)) as log:
        image = published(log, folder)
    sound = image.path.read_bytes()
    add(path, 10)
    blocks = range(4096 * 3, len(sound), 1 << 18)
    anew = 0
    for block in blocks:
        for each in folder.images():
            folder.discard(each)
        damaged = bytearray(sound)
        damaged[block + 100] ^= 0xFF
        image.path.write_bytes(damaged)
        with closing(open_log(path)) as log, monkeypatched_builds() as built:
            found = publish_next(log, folder)
            assert found is not None
            anew += bool(built)
            told, used = asked(log, folder)
            assert used == found
            assert told == asked(log, None)[0]
    assert anew, "no damage was met"
    assert len(blocks) >= 4


@contextmanager
def monkeypatched_builds() -> Iterator[list[int]]:
    """Give the positions at which images are built anew."""
    built: list[int] = []
    build = ledger.build_image

    def counted(log: ConnectionLog, folder: ImageFolder, **named: Any) -> Image | None:
        built.append(log.head())
        return build(log, folder, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "build_image", counted)
        yield built


@pytest.mark.parametrize("when", ["a tail is folded", "a tail is folded anywhere"])
def test_a_full_disk_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The image stays, and the tail is folded in the temporary folder, or the disk is named."""
    monkeypatch.setattr(ledger, "DISK_TAIL_EVENTS", 5)
    path = make(tmp_path)
    with Workspace(path) as workspace:
        assert workspace.folder is not None
        image = published(workspace.log, workspace.folder)
        add(path, 10)
        right = asked(workspace.log, None)[0]
        fold_chunk = fold.fold_chunk
        beside = str(workspace.folder.path)

        def full(connection: duckdb.DuckDBPyConnection, chunk: fold.Chunk) -> None:
            (used,) = connection.execute(
                "SELECT path FROM duckdb_databases() WHERE database_name = 'working'"
            ).fetchall()
            if when.endswith("anywhere") or str(used[0]).startswith(beside):
                msg = "Could not write file: No space left on device"
                raise duckdb.IOException(msg)
            fold_chunk(connection, chunk)

        monkeypatch.setattr(fold, "fold_chunk", full)
        if when.endswith("anywhere"):
            with pytest.raises(StoreError, match="temporary folder is full"):
                workspace.ask(rows_of)
        else:
            assert workspace.ask(rows_of) == right
        assert workspace.folder.images() == [image]


def test_a_rollback_that_the_engine_has_done_hides_nothing() -> None:
    """A full disk ends the transaction by itself: what is said is what went wrong."""
    with closing(connect(parallel=False)) as connection:
        fold._undo(connection)
        with pytest.raises(duckdb.TransactionException):
            connection.execute("ROLLBACK")


def test_the_log_of_an_older_backup_is_not_answered_from_the_future(
    tmp_path: Path, folder: ImageFolder
) -> None:
    """A store restored from a backup has the same id; an image beyond its log is not used."""
    path = make(tmp_path, 20)
    back_up(path, tmp_path / "backup.db")
    add(path, 20)
    with closing(open_log(path)) as log:
        published(log, folder)
    with closing(open_log(tmp_path / "backup.db")) as restored:
        told, used = asked(restored, folder)
        assert used is None
        assert told == asked(restored, None)[0]
    add(tmp_path / "backup.db", 20, kind=5)  # another history up to the same position
    with closing(open_log(path)) as log:
        published(log, folder)
    with closing(open_log(tmp_path / "backup.db")) as restored:
        told, used = asked(restored, folder)
        assert used is None
        assert told == asked(restored, None)[0]


def test_images_of_another_fold_go_once_they_are_old(
    log: ConnectionLog, folder: ImageFolder
) -> None:
    """A month later nobody uses that program; what has another name is nobody's image."""
    old, new = (folder.path / f"00000000-2.0.0-40-{n:016x}.duckdb" for n in (1, 2))
    other = folder.path / "notes-of-2025-40.duckdb"
    for each in (old, new, other):
        each.write_bytes(b"theirs")
    for each in (old, other):
        os.utime(each, (0, 0))
    published(log, folder)
    assert (old.exists(), new.exists(), other.exists()) == (False, True, True)


def test_images_of_another_fold_or_engine_are_left_alone(
    log: ConnectionLog, folder: ImageFolder
) -> None:
    """A newer ucj builds its own beside; neither removes nor reads the other's."""
    others = [
        folder.path / f"00000000-{duckdb.__version__}-40.duckdb",
        folder.path / f"{fold.version()}-9.9.9-40.duckdb",
        folder.path / "notes.txt",
    ]
    for other in others:
        other.write_bytes(b"theirs")
    image = published(log, folder)
    assert asked(log, folder)[1] == image
    assert all(other.read_bytes() == b"theirs" for other in others)


# --- one after the other, and at once ---------------------------------------------------------------------


def test_an_image_rebuilt_at_the_same_position_is_really_read(
    log: ConnectionLog, folder: ImageFolder, image: Image, right: Rows
) -> None:
    """In one process, also while the damaged one is still open: the old file is not shown again."""
    with closing(Ledger(log, folder)) as first:
        assert rows_of(first) == right
        _changed(image.path, "UPDATE entries SET workers = 2 * workers")
        with closing(Ledger(log, folder)) as second:
            assert rows_of(second) != right  # the replaced file is read: that the test can fail
            rebuilt = published(log, folder)
            assert rebuilt.path != image.path
            with closing(Ledger(log, folder)) as third:
                assert third.image == rebuilt
                assert rows_of(third) == right
        assert rows_of(first) == right
    assert asked(log, folder) == (right, rebuilt)


def test_an_image_deleted_while_it_is_open_still_answers(
    log: ConnectionLog, folder: ImageFolder, image: Image, right: Rows
) -> None:
    """A publisher may remove what a reader has open; the next reader does without."""
    with closing(Ledger(log, folder)) as view:
        folder.discard(image)
        assert not image.path.exists()
        assert rows_of(view) == right
    assert asked(log, folder)[1] is None


class Stale(ImageFolder):
    """A folder whose first listing is from just before a publisher replaced the image."""

    listed: list[Image]

    def images(self) -> list[Image]:
        """Return the old listing once, then the true one."""
        if self.listed:
            return [self.listed.pop()]
        return super().images()


@pytest.mark.parametrize(("listings", "found"), [(ledger.LISTINGS_MAX, True), (1, False)])
def test_an_image_gone_since_it_was_listed_is_looked_for_again(
    log: ConnectionLog,
    folder: ImageFolder,
    image: Image,
    right: Rows,
    monkeypatch: pytest.MonkeyPatch,
    listings: int,
    found: bool,
) -> None:
    """The newer one is found, without a word; listing only once it would not be (control)."""
    monkeypatch.setattr(ledger, "LISTINGS_MAX", listings)
    gone = Image(image.path.with_name(image.path.name.replace("-40-", "-39-")), 39)
    assert gone.path != image.path
    stale = Stale(folder.path)
    stale.listed = [gone]
    notices: list[str] = []
    told, used = asked(log, stale, notice=notices.append)
    assert told == right
    assert (used == image) is found
    assert notices == []


def test_a_publisher_removes_what_is_older_of_its_kind(
    log: ConnectionLog, folder: ImageFolder
) -> None:
    """One image stays, and nothing of the building."""
    for position in (10, 20, 40):
        published(Shorter(log, position), folder)
    assert [image.position for image in folder.images()] == [40]
    assert [each.name for each in folder.path.iterdir()] == [folder.images()[0].path.name]


def test_two_publishers_at_once_both_succeed(tmp_path: Path, folder: ImageFolder) -> None:
    """Threads and processes building the same image: one sound image, no rubbish, no fault."""
    path = make(tmp_path)
    program = """
import sys
from contextlib import closing
from pathlib import Path
from projections.ledger import ImageFolder, build_image
from registry.storage.log import open_log
with closing(open_log(Path(sys.argv[1]))) as log:
    for _ in range(2):
        assert build_image(log, ImageFolder(Path(sys.argv[2])))
"""
    command = [sys.executable, "-c", program, str(path), str(folder.path)]
    processes = [
        subprocess.Popen(command, cwd=Path(__file__).parents[1], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    faults: list[BaseException] = []

    def publish() -> None:
        try:
            with closing(open_log(path)) as log:
                published(log, folder)
                assert asked(log, folder)[0] == asked(log, None)[0]
        except BaseException as fault:  # noqa: BLE001 -- told by the assertion below
            faults.append(fault)

    threads = [threading.Thread(target=publish) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert faults == []
    assert [each.suffix for each in folder.path.iterdir()] == [".duckdb"]
    with closing(open_log(path)) as log:
        told, used = asked(log, folder)
        assert used is not None
        assert told == asked(log, None)[0]


def test_what_a_killed_build_left_is_removed(log: ConnectionLog, folder: ImageFolder) -> None:
    """By the next build, and only what no running process owns."""
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    machine = temporary._machine()
    left = folder.path / f"building-{machine}-{int(done.stdout)}-x"
    running = folder.path / f"building-{machine}-{os.getppid()}-x"
    for each in (left, running):
        each.mkdir()
        (each / "work.duckdb").write_bytes(b"half")
    assert asked(log, folder)[1] is None
    published(log, folder)
    assert not left.exists()
    assert running.exists()


FULL: Final = """
import resource, sys
from contextlib import closing
from pathlib import Path
from projections.ledger import ImageFolder, build_image
from registry.errors import StoreError
from registry.storage.log import open_log
path, folder = Path(sys.argv[1]), ImageFolder(Path(sys.argv[2]))
with closing(open_log(path)) as log:
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (1_000, 20_000, 300_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited[1]))
        try:
            build_image(log, folder)
        except StoreError as error:
            print("refused", error.exit_code, [each.name for each in folder.path.iterdir()])
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    print("built", build_image(log, folder).position)
"""


def test_an_image_that_does_not_fit_is_refused_and_leaves_nothing(
    tmp_path: Path, folder: ImageFolder
) -> None:
    """A full disk at several points of a build: told as such, tidy, and later it works."""
    path = make(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", FULL, str(path), str(folder.path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["refused 4 []"] * 3 + ["built 40"]


def test_an_interrupted_import_is_no_part_of_an_answer(tmp_path: Path) -> None:
    """The import died before its COMMIT: the next question rolls it back and answers as before."""
    path = make(tmp_path)
    with closing(open_log(path)) as log:
        before, _ = asked(log, None)
    interrupt(path)
    with closing(open_log(path)) as log:
        assert asked(log, None)[0] == before


# --- where images lie -----------------------------------------------------------------------------------


def test_images_lie_beside_the_store(tmp_path: Path) -> None:
    """In `<store>.ledger`, which is the owner's alone; who only asks leaves none behind."""
    path = make(tmp_path, 5)
    with closing(open_log(path)) as log:
        found = image_folder(path, log.store_id)
        assert found is not None
        assert found.path == path.with_name(path.name + ".ledger")
        with closing(Ledger(log, found)) as view:
            assert rows_of(view)["events"]
        assert not found.path.exists()
        published(log, found)
        assert found.path.stat().st_mode & 0o777 == 0o700


def test_ucj_cache_names_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By store id, where beside the store cannot be written; where neither can, nowhere."""
    (tmp_path / "registry.db.ledger").touch()
    monkeypatch.setenv("UCJ_CACHE", str(tmp_path / "cache"))
    found = image_folder(tmp_path / "registry.db", "id")
    assert found is not None
    assert found.path == tmp_path / "cache" / "id"
    (tmp_path / "file").touch()
    monkeypatch.setenv("UCJ_CACHE", str(tmp_path / "file"))
    assert image_folder(tmp_path / "registry.db", "id") is None


READ_ONLY: Final = """
path = Path(sys.argv[1])
with closing(open_log(path)) as log:
    folder = image_folder(path, log.store_id)
    print("folder", folder and folder.path)
    if folder:
        build_image(log, folder)
    with closing(Ledger(log, folder)) as view:
        print(view.tail_events, *view.connection.execute("SELECT sum(workers) FROM entries").fetchone())
"""


@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o400, 0o500), (0o600, 0o500)])
def test_a_read_only_store_keeps_its_images_in_the_users_cache(
    shared: Path, tmp_path: Path, file_mode: int, folder_mode: int
) -> None:
    """And answers from them; the folder of the store stays as it was."""
    home = tmp_path / "home"
    home.mkdir()
    path = make(shared)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = delete")
    own(home, path)
    path.chmod(file_mode)
    shared.chmod(folder_mode)
    with closing(open_log(path)) as log, closing(Ledger(log, None)) as view:
        total = view.connection.execute("SELECT sum(workers) FROM entries").fetchone()
        assert total is not None
        cache = home / ".cache" / "ucj" / log.store_id
    said = as_nobody(READ_ONLY, path, folder=home)
    assert said == [f"folder {cache}", f"0 {total[0]}"]
    assert [each.name for each in shared.iterdir()] == ["registry.db"]
    shared.chmod(0o700)


@pytest.mark.parametrize("home_mode", [0o555, 0o000], ids=["not written", "not looked into"])
def test_where_nothing_can_be_written_the_answer_is_worked_out_in_memory(
    shared: Path, tmp_path: Path, home_mode: int
) -> None:
    """No folder at all: the same figures, folded anew."""
    path = make(shared)
    home = tmp_path / "home"
    home.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = delete")
    own(path)
    path.chmod(0o400)
    shared.chmod(0o500)
    home.chmod(home_mode)
    program = "tempfile.tempdir = sys.argv[2]\n" + READ_ONLY
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    own(scratch)
    with closing(open_log(path)) as log, closing(Ledger(log, None)) as view:
        total = view.connection.execute("SELECT sum(workers) FROM entries").fetchone()
        assert total is not None
    assert as_nobody(program, path, scratch, folder=home) == ["folder None", f"40 {total[0]}"]
    shared.chmod(0o700)


def test_an_image_that_may_not_be_read_is_done_without(shared: Path) -> None:
    """Somebody else's image in a shared cache: the answer is folded anew, nothing is broken."""
    path = make(shared)
    with closing(open_log(path)) as log:
        beside = image_folder(path, log.store_id)
        assert beside is not None
        image = published(log, beside)
        right = asked(log, None)[0]["entries"]
    image.path.chmod(0o000)
    own(path, beside.path)
    said = as_nobody(
        """
        path = Path(sys.argv[1])
        with closing(open_log(path)) as log:
            folder = image_folder(path, log.store_id)
            with closing(Ledger(log, folder, notice=print)) as view:
                print(*view.connection.execute("SELECT count(*) FROM entries").fetchone())
        """,
        path,
        folder=shared,
    )
    assert said[-1] == str(len(right))
    assert len(said) == 2
