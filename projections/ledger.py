"""The ledger: the log spread out as signed movements, kept as an image plus the tail after it.

An image is one DuckDB file, immutable once published. It is a cache: deleting every image loses
nothing, and an image is used only if the log holds, at the image's position, the very event that
it was made from. Names are never reused, because DuckDB would show the old file under a new name.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from projections import fold
from projections.laying_out import copy_sorted
from registry.durable import sync_folder
from registry.errors import StoreError
from registry.language import _
from registry.system_errors import cause_of
from registry.temporary import private_folder, remove_left

if TYPE_CHECKING:
    from concurrent.futures import Future

    from registry.storage.log import Log

CHUNK_BYTES: Final = 16 << 20
"""Folded at once: about 25,000 events; what a fold takes of memory grows with it."""

REBUILD_CHUNK_BYTES: Final = 32 << 20
"""A rebuild has memory to itself: fewer and larger chunks are folded in less time."""

DISK_REBUILD_CHUNK_BYTES: Final = 64 << 20
"""Its entries fill a block of rows, which the engine writes out at once instead of piece by piece."""

FOLD_WORKERS: Final = 2
"""Chunks folded side by side, each taking memory; more than two hardly gain, as one thread reads."""

SIDE_BY_SIDE_EVENTS: Final = 4_000
"""Fewer are folded sooner by one thread."""

MEMORY_LIMIT: Final = "368MB"
TAIL_MEMORY_LIMIT: Final = "160MB"
"""Two chunks side by side take up to 107 MB, by how their steps happen to fall together."""

LONG_TAIL_EVENTS: Final = 200_000
LONG_TAIL_MEMORY_LIMIT: Final = "112MB"
"""Of so long a tail one chunk is folded at a time, within 64 MB, which takes half as long again.

An import holds its uncommitted pages besides (registry.storage.sqlite), within one gigabyte.
"""

TAIL_MEMORY_LIMIT_LAST: Final = "1GB"
"""For what did not fit: an answer late and large is better than none."""

PUBLISH_TAIL_EVENTS: Final = 10_000
PUBLISH_SHARE: Final = 20
"""An image is published for a tail of so many events, and of a twentieth of what is folded already.

Folding costs a question 20 to 40 µs an event, publishing about 20 µs an event of the whole log: so
publishing comes to at most 20 × 20 µs for each event ever recorded, however long the log grows.
"""

PARALLEL_EVENTS: Final = 50_000
"""Of fewer events a question is answered by one thread before several are started."""

DISK_REBUILD_EVENTS: Final = 300_000
"""From so many on the tables lie on disk while they are folded, compressed, as a long tail does.

What does not fit into memory would be written out anyhow, as it is, and something of each block stays
there: eight million events do not fit into MEMORY_LIMIT.
"""

LARGE_REBUILD_EVENTS: Final = 3_000_000
LARGE_MEMORY_LIMIT: Final = "1GB"
LARGE_CHECKPOINT_BYTES: Final = "256MB"
"""Of so many there is so much more to sort that within the other limits it takes a fifth longer."""

PARALLEL_REBUILD_EVENTS: Final = 20_000
"""Of fewer events an image is laid out sooner by one thread."""

DISK_TAIL_EVENTS: Final = 40_000
"""A longer tail lies on disk; a shorter one takes about 2 kB of memory an event, and is there sooner."""

LISTINGS_MAX: Final = 5
"""An image that was listed may be gone before it is opened; a newer one is there then."""

CHECKPOINT_BYTES: Final = "64MB"
"""What is not yet checkpointed stays in memory; to checkpoint every chunk took half the fold."""

FOREIGN_IMAGE_SECONDS: Final = 30 * 86_400.0
_NAMED: Final = re.compile(r"[0-9a-f]{8}-[^-]+-\d+-[0-9a-f]{16}\.duckdb")

_BUILDING: Final = "building-"

_DISK_FAULTS: Final = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.FatalException,
    duckdb.TransactionException,
)
_FULL: Final = ("No space left on device", "Disk quota exceeded", "File too large", "offload")

Notice = Callable[[str], None]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Image:
    """A published image: its file and the position up to which it holds the log."""

    path: Path
    position: int


class ImageFolder:
    """Where a store's images lie: beside the store, or where the user may write."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def images(self) -> list[Image]:
        """Return the images of this fold and engine, newest first."""
        found = []
        for path in self.path.glob(f"{_name_prefix()}-*.duckdb"):
            with suppress(ValueError, IndexError):
                found.append(Image(path, _position_in(path)))
        return sorted(found, key=lambda image: (image.position, image.path.name), reverse=True)

    def new_path(self, position: int, ending: str = ".duckdb") -> Path:
        """Return a name that was never used: later ones of a position sort behind."""
        return self.path / f"{_name_prefix()}-{position}-{time.time_ns():016x}{ending}"

    def discard_older(self) -> None:
        """Remove all images but the newest: whoever publishes last sees them all.

        Of another fold or engine those that are old: by then everybody uses the newer program.
        """
        for older in self.images()[1:]:
            self.discard(older)
        for path in self.path.glob("*.duckdb"):
            if _NAMED.fullmatch(path.name) and not path.name.startswith(f"{_name_prefix()}-"):
                with suppress(OSError):
                    if path.stat().st_mtime < time.time() - FOREIGN_IMAGE_SECONDS:
                        path.unlink()

    def discard(self, image: Image) -> None:
        """Remove an image; a file in use on Windows stays, and is not used again."""
        with suppress(OSError):
            image.path.unlink(missing_ok=True)

    def adopt(self, head: int) -> None:
        """Make an image of what was laid out ahead of a commit, once the log has come so far."""
        for path in self.path.glob(f"{_name_prefix()}-*.ahead"):
            with suppress(ValueError, IndexError, OSError):
                if _position_in(path) <= head:
                    path.rename(path.with_suffix(".duckdb"))
                    self.discard_older()

    def forget_ahead(self) -> None:
        """Remove what was laid out for a commit that never came; asked under the write lock."""
        for path in self.path.glob("*.ahead"):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def is_worth_publishing(tail_events: int, image: Image | None) -> bool:
    """Whether a tail after an image is so long that the next image pays."""
    folded = image.position if image else 0
    return tail_events >= max(PUBLISH_TAIL_EVENTS, folded // PUBLISH_SHARE)


def image_folder(store: Path, store_id: str) -> ImageFolder | None:
    """Return where images are kept: beside the store, or in the user's cache; None if nowhere.

    `UCJ_CACHE` names another folder for the cache, and then it comes first.
    """
    beside = store.with_name(store.name + ".ledger")
    if named := os.environ.get("UCJ_CACHE"):
        return _usable(Path(named) / store_id) or _usable(beside)
    if folder := _usable(beside):
        return folder
    from platformdirs import user_cache_path

    return _usable(user_cache_path("ucj") / store_id)


def _usable(path: Path) -> ImageFolder | None:
    if "?" in str(path):  # where DuckDB ends a path: the rest it takes for parameters
        return None
    try:
        there = next(each for each in (path, *path.absolute().parents) if each.exists())
        is_usable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    except OSError:  # a folder on the way may not even be looked into
        return None
    return ImageFolder(path) if is_usable else None


def _name_prefix() -> str:
    return f"{fold.version()}-{duckdb.__version__}"


def _position_in(path: Path) -> int:
    return int(path.stem.rsplit("-", 2)[1])


class Ledger:
    """One consistent view of a log: `connection` has the fold's tables as views, up to `position`.

    `tail_events` says how many events were folded for this view alone. A long tail lies on disk, and
    what is worked out over it spills there above `memory_limit` (by default as little as a tail of its
    length needs). `refused_images` were damaged or of another log; they are removed, or with
    `keep_damaged` left as they are. `apart`: what lies on disk lies in the temporary folder, because
    there is no room beside the image.
    """

    def __init__(
        self,
        log: Log,
        folder: ImageFolder | None,
        *,
        upto: int | None = None,
        notice: Notice = lambda _: None,
        memory_limit: str | None = None,
        keep_damaged: bool = False,
        apart: bool = False,
    ) -> None:
        self.log = log
        self.folder = folder
        self.head = log.head()
        self.position = self.head if upto is None else min(upto, self.head)
        self._notice = notice
        self.refused_images: tuple[Path, ...] = ()
        self._keep_damaged = keep_damaged
        self._apart = apart
        self._memory_limit = memory_limit
        self._working = ExitStack()
        self._tail = "memory.tail"
        self.connection = connect(parallel=self.head >= PARALLEL_EVENTS)
        try:
            self.image = self._attach_image()
            after = self.image.position if self.image else 0
            self.tail_events = max(0, self.position - after)
            self._fold_tail(after)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release the image and the memory of the tail."""
        self.connection.close()
        self._working.close()

    def goes_on_with(self, log: Log) -> None:
        """Say of which log it is, now that all is folded which was only expected when it was opened."""
        self.log = log
        self.head = self.position = log.head()
        self.tail_events = self.position - (self.image.position if self.image else 0)

    def publish_is_due(self) -> bool:
        """Whether a new image pays: the tail has grown large, or the image was damaged."""
        return self.folder is not None and (
            bool(self.refused_images) or is_worth_publishing(self.tail_events, self.image)
        )

    def merge_image_into_tail(self) -> str:
        """Copy the image's rows to the tail's, and return the schema that holds all of them.

        The last thing done with a ledger: its views would show the image twice. (To sort a union of
        both takes memory that grows with them; one table is sorted within the limit.)
        """
        for table in fold.TABLES if self.image else ():
            self.connection.execute(f"INSERT INTO {self._tail}.{table} FROM image.{table}")
        self._settle_tail()
        return self._tail

    def _attach_image(self) -> Image | None:
        if self.folder is None:
            return None
        self.folder.adopt(self.head)
        refused: set[Path] = set()
        image: Image | None = None
        for _listing in range(LISTINGS_MAX):
            image, gone = self._attach_newest(self.folder, refused)
            if image is not None or not gone:
                break
        self.refused_images = tuple(sorted(refused))
        if self._keep_damaged:
            return image
        if refused:
            self._notice(_("The ledger image was damaged or of another log; it is rebuilt."))
        elif image is None and self.position >= PUBLISH_TAIL_EVENTS:
            self._notice(_("There is no ledger image; it is rebuilt."))
        return image

    def _attach_newest(self, folder: ImageFolder, refused: set[Path]) -> tuple[Image | None, bool]:
        """Attach the newest sound image; also tell whether one was gone (a publisher removed it)."""
        gone = False
        for image in folder.images():
            if image.path in refused:
                continue
            # One that reaches past the view is fine: every question filters by position.
            try:
                self.connection.execute(f"ATTACH {_quoted(image.path)} AS image (READ_ONLY)")
            except duckdb.Error:
                if not image.path.exists():
                    gone = True
                    continue
            else:
                if self._is_of_this_log(image):
                    return image, gone
                self.connection.execute("DETACH image")
            refused.add(image.path)
            if not self._keep_damaged:
                folder.discard(image)
        return None, gone

    def _is_of_this_log(self, image: Image) -> bool:
        try:
            found = self.connection.execute(
                "SELECT store_id, fold_version, position, event_sha256 FROM image.image"
            ).fetchall()
        except duckdb.Error:
            return False
        if len(found) != 1:
            return False
        store_id, fold_version, position, event_sha256 = found[0]
        row = self.log.row(position)
        return (
            store_id == self.log.store_id
            and fold_version == fold.version()
            and position == image.position
            and row is not None
            and row.sha256() == event_sha256
        )

    def _fold_tail(self, after: int) -> None:
        if self.image and after >= self.position:  # nothing came after it
            self._show([f"SELECT * FROM image.{table}" for table in fold.TABLES])
            return
        if self.tail_events >= DISK_TAIL_EVENTS:
            self._work_on_disk()
        self.connection.execute(f"CREATE SCHEMA {self._tail}; USE {self._tail}")
        fold.create_tables(self.connection)
        if after < self.position:
            try:
                with private_folder() as folder:
                    each_bytes = min(CHUNK_BYTES, max(1, self.tail_events // 10_000) << 22)
                    chunks = _chunks(self.log, folder, after, self.position, each_bytes)
                    workers = FOLD_WORKERS if self._folds_side_by_side() else 1
                    _fold_all(self.connection, chunks, schema=self._tail, workers=workers)
            except OSError as error:
                raise _no_room(cause_of(error)) from None
            except duckdb.Error as error:
                if self._apart and is_of_a_full_disk(error):
                    raise _no_room(_("The disk may be full.")) from None
                raise
        self._settle_tail()
        self.connection.execute("USE memory.main")
        parts = [*(["image"] if self.image else []), self._tail]
        self._show(
            [
                " UNION ALL ".join(f"SELECT * FROM {part}.{table}" for part in parts)
                for table in fold.TABLES
            ]
        )

    def _folds_side_by_side(self) -> bool:
        if self._memory_limit is None and self.tail_events >= LONG_TAIL_EVENTS:
            return False
        return self.tail_events >= SIDE_BY_SIDE_EVENTS

    def _show(self, statements: list[str]) -> None:
        """Lay the fold's tables out as views, in one go."""
        views = zip(fold.TABLES, statements, strict=True)
        self.connection.execute(";".join(f"CREATE VIEW {name} AS {each}" for name, each in views))

    def _settle_tail(self) -> None:
        """Let what was written to a tail on disk leave the memory."""
        if self._tail != "memory.tail":
            self.connection.execute("CHECKPOINT working")

    def _work_on_disk(self) -> None:
        """Keep a long tail in a file, compressed, so that its length hardly shows in memory."""
        if self.folder is None or self._apart:
            beside = private_folder()
        else:
            beside = _building_folder(self.folder.path)
        folder = self._working.enter_context(beside)
        is_long = self.tail_events >= LONG_TAIL_EVENTS
        own_limit = LONG_TAIL_MEMORY_LIMIT if is_long else TAIL_MEMORY_LIMIT
        self.connection.execute(
            f"SET memory_limit = '{self._memory_limit or own_limit}';"
            f" SET temp_directory = {_quoted(folder / 'spill')};"
            " SET preserve_insertion_order = false; SET threads = 1;"  # each sets memory aside
            f" SET checkpoint_threshold = '{CHECKPOINT_BYTES}';"
            + _attach_working(folder / "tail.duckdb")
        )
        self._tail = "working.tail"


# What a question of ours cannot cause, so that only a damaged image can.
_FAULTS_OF_A_QUESTION = (
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.OutOfMemoryException,
)


def is_of_a_damaged_image(error: duckdb.Error, folder: ImageFolder) -> bool:
    """Whether an error in the middle of a question can come from an image, which is then at fault."""
    if isinstance(error, _FAULTS_OF_A_QUESTION) or is_of_a_full_disk(error):
        return False
    return bool(folder.images())


def is_of_a_full_disk(error: duckdb.Error) -> bool:
    """Whether there was no room for what the engine puts on disk, which is no image's fault."""
    return any(words in str(error) for words in _FULL)


def _no_room(why: str) -> StoreError:
    return StoreError(
        _("the temporary folder is full or cannot be written; nothing was recorded"),
        why=why,
        remedy=_("Free some space there, or name another folder in TMPDIR."),
    )


def connect(path: Path | None = None, *, parallel: bool = True) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection with everything set that answers could depend on.

    `parallel`: with a thread for each core, which take longer to start than a small question.
    """
    config: dict[str, Any] = {} if parallel else {"threads": 1}
    connection = duckdb.connect(str(path) if path else ":memory:", config=config)
    connection.execute(
        "SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false;"
        " SET autoload_known_extensions = false; SET enable_progress_bar = false;"
        " SET temp_directory = ''"  # never the folder somebody happens to stand in
    )
    return connection


def build_image(
    log: Log, folder: ImageFolder, *, progress: Progress = lambda _: None
) -> Image | None:
    """Fold the whole log into a new image and publish it; older images of its kind are removed.

    Returns None for an empty log. Raises StoreError where the image cannot be written.
    """
    position = log.head()
    if position == 0:
        return None
    with _writing_an_image(), _building_folder(folder.path) as building:
        built = building / "image.duckdb"
        with closing(connect(parallel=position >= PARALLEL_REBUILD_EVENTS)) as connection:
            schema = "memory.main"
            if position >= DISK_REBUILD_EVENTS:
                connection.execute(_attach_working(building / "work.duckdb"))
                schema = "working.main"
            _replay(connection, log, building, position, progress, schema=schema)
            _lay_out(connection, schema, built, log, position)
        image = Image(folder.new_path(position), position)
        _publish(built, image.path)
    folder.discard_older()
    return image


@contextmanager
def _writing_an_image() -> Iterator[None]:
    """Say what keeps an image from being written. Raises: StoreError."""
    try:
        yield
    except (OSError, *_DISK_FAULTS) as error:
        raise full_disk(_("the ledger image cannot be written"), error) from None


def full_disk(what: str, error: Exception) -> StoreError:
    """Return an error that says what could not be done for want of room beside the images."""
    return StoreError(
        what,
        why=cause_of(error) if isinstance(error, OSError) else _("The disk may be full."),
        remedy=_("Free some space, or name another folder in UCJ_CACHE."),
    )


def publish_next(
    log: Log, folder: ImageFolder, *, progress: Progress = lambda _: None
) -> Image | None:
    """Publish an image of the newest one and what came after it; of the whole log where none is.

    Copying what is folded takes a fraction of folding it again. An image that cannot be copied is
    damaged: it is removed, and the log folded again. Raises: as `build_image`.
    """
    with closing(Ledger(log, folder, memory_limit=MEMORY_LIMIT)) as ledger:
        if ledger.image is not None and ledger.tail_events:
            image = Image(folder.new_path(ledger.position), ledger.position)
            try:
                with _building_folder(folder.path) as building:
                    built = building / "image.duckdb"
                    whole = ledger.merge_image_into_tail()
                    _lay_out(ledger.connection, whole, built, log, ledger.position)
                    with _writing_an_image():
                        _publish(built, image.path)
            except duckdb.Error as error:
                if not is_of_a_damaged_image(error, folder):
                    with _writing_an_image():
                        raise
                folder.discard(ledger.image)
            else:
                progress(image.position)
                folder.discard_older()
                return image
    return build_image(log, folder, progress=progress)


@contextmanager
def replayed(
    log: Log, folder: ImageFolder | None, position: int, *, progress: Progress = lambda _: None
) -> Iterator[Path]:
    """Give a database with the tables folded anew from the log alone; gone afterwards.

    Raises: StoreError where there is no room for it.
    """
    with ExitStack() as stack:
        try:
            beside = _building_folder(folder.path) if folder is not None else private_folder()
            building = stack.enter_context(beside)
            work = building / "work.duckdb"
            with closing(connect(work, parallel=position >= PARALLEL_REBUILD_EVENTS)) as connection:
                _replay(connection, log, building, position, progress, schema="work.main")
        except (OSError, *_DISK_FAULTS) as error:
            raise full_disk(_("the log cannot be replayed to be compared"), error) from None
        yield work


@contextmanager
def _building_folder(parent: Path) -> Iterator[Path]:
    """A private folder for a build, gone afterwards; what a killed build left is removed too.

    The folder it lies in is made here: who only asks leaves none behind.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_left(parent, _BUILDING)
    with private_folder(parent, _BUILDING) as folder:
        yield folder


def _replay(
    connection: duckdb.DuckDBPyConnection,
    log: Log,
    building: Path,
    position: int,
    progress: Progress,
    *,
    schema: str,
) -> None:
    """Fold the log into fresh tables, chunks side by side; what does not fit spills beside it."""
    is_large = position >= LARGE_REBUILD_EVENTS
    connection.execute(
        f"SET memory_limit = '{LARGE_MEMORY_LIMIT if is_large else MEMORY_LIMIT}';"
        f" SET temp_directory = {_quoted(building / 'spill')};"
        f" SET checkpoint_threshold = '{LARGE_CHECKPOINT_BYTES if is_large else CHECKPOINT_BYTES}';"
        f" SET preserve_insertion_order = false; USE {schema}"
    )
    fold.create_tables(connection)
    is_long = position >= DISK_REBUILD_EVENTS
    chunk_bytes = DISK_REBUILD_CHUNK_BYTES if is_long else REBUILD_CHUNK_BYTES
    _fold_all(
        connection,
        _chunks(log, building, 0, position, chunk_bytes),
        schema=schema,
        workers=FOLD_WORKERS if position >= PARALLEL_REBUILD_EVENTS else 1,
        progress=progress,
    )


def _fold_all(
    connection: duckdb.DuckDBPyConnection,
    chunks: Iterator[fold.Chunk],
    *,
    schema: str,
    workers: int,
    progress: Progress = lambda _: None,
) -> None:
    """Fold chunks into a schema's tables, and remove their files; `workers` of them side by side."""
    folded = 0
    if workers == 1:
        for chunk in chunks:
            fold.fold_chunk(connection, chunk)
            chunk.path.unlink()
            folded += chunk.events
            progress(folded)
        return
    # Each worker folds a chunk of its own: the engine would share out no table so small.
    (threads,) = connection.execute("SELECT current_setting('threads')").fetchall()[0]
    connection.execute("SET threads = 1")
    with closing(_Folding(connection, schema, workers)) as folding:
        for done in folding.all(chunks):
            folded += done.events
            progress(folded)
    connection.execute(f"SET threads = {threads}")


class _Folding:
    """Chunks being folded, each over a connection of its own, while the next are written."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: str, workers: int) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._workers = workers
        self._idle = [connection.cursor() for _number in range(workers)]
        for cursor in self._idle:
            cursor.execute(f"USE {schema}")
        self._pool = ThreadPoolExecutor(max_workers=workers)
        self._running: deque[Future[fold.Chunk]] = deque()

    def all(self, chunks: Iterator[fold.Chunk]) -> Iterator[fold.Chunk]:
        """Fold each chunk as soon as a worker is free; yield them folded, in their order."""
        for chunk in chunks:
            while len(self._running) > self._workers:
                yield self._running.popleft().result()
            self._running.append(self._pool.submit(self._fold, chunk))
        while self._running:
            yield self._running.popleft().result()

    def _fold(self, chunk: fold.Chunk) -> fold.Chunk:
        cursor = self._idle.pop()
        try:
            fold.fold_chunk(cursor, chunk)
        finally:
            self._idle.append(cursor)
        chunk.path.unlink()
        return chunk

    def close(self) -> None:
        """Let what is being folded end, and drop what waits."""
        self._pool.shutdown(cancel_futures=True)
        for cursor in self._idle:
            cursor.close()


def _chunks(
    log: Log, building: Path, after: int, upto: int, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[fold.Chunk]:
    """Write the events after a position as files of lines."""
    pages = log.lines(after, upto)
    for number in itertools.count(1):
        path = building / f"lines-{number}"
        chunk = fold.Chunk.written(path, pages, bytes_wanted=chunk_bytes)
        if chunk is None:
            return
        yield chunk


def lay_out_ahead(ledger: Ledger) -> None:
    """Write image and tail together as the next image, before the tail's end is committed.

    It counts once the log has come so far and holds the very event it ends with. So nobody who
    asks after a long import has to fold it. It is a cache: failing is no failure. Nothing can be
    asked of the ledger afterwards.
    """
    if ledger.folder is None:
        return
    with suppress(duckdb.Error, OSError), _building_folder(ledger.folder.path) as building:
        built = building / "image.duckdb"
        whole = ledger.merge_image_into_tail()
        _lay_out(ledger.connection, whole, built, ledger.log, ledger.position)
        _publish(built, ledger.folder.new_path(ledger.position, ".ahead"))
        ledger.folder.discard_older()


def _lay_out(
    connection: duckdb.DuckDBPyConnection, schema: str, built: Path, log: Log, position: int
) -> None:
    """Write the tables as they lie in an image, and what it is an image of, into a new file."""
    row = log.row(position)
    assert row is not None
    connection.execute(f"SET preserve_insertion_order = true; ATTACH {_quoted(built)} AS built")
    copy_sorted(connection, schema)
    connection.execute(
        "CREATE TABLE built.image AS SELECT $1 AS store_id, $2 AS fold_version,"
        " $3 AS duckdb_version, $4::BIGINT AS position, $5 AS event_sha256",
        [log.store_id, fold.version(), duckdb.__version__, position, row.sha256()],
    )
    connection.execute("CHECKPOINT built; DETACH built")


def _publish(built: Path, target: Path) -> None:
    """Make the file durable and only then visible under its name."""
    built.chmod(0o600)
    with built.open("rb+") as file:
        os.fsync(file.fileno())
    built.replace(target)
    sync_folder(target.parent)


def _attach_working(path: Path) -> str:
    """Return what makes a database for the time of a fold: it is not there to survive anything."""
    return f"ATTACH {_quoted(path)} AS working (RECOVERY_MODE no_wal_writes)"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
