"""A full disk, a signal, a reader that leaves: nothing half, a true word, and it works again."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.faults import (
    UCJ,
    Running,
    environment_of,
    journal_of,
    make_store,
    mark_of,
    run,
    start,
)
from tests.office_files import AREAS, OfficeFile, Row, small_rows, write_file
from tests.plain_store import check_store

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits and signals of POSIX")

IMPORT: Final = ("import", "batches")
STORE: Final = 4
UNREADABLE: Final = 3
REFUSED: Final = 1
INTERRUPTED: Final = 130
TINY_MIB: Final = 2
MANY: Final = 3_000  # batches: enough that admitting and recording each last a while


def _batches(path: Path, count: int) -> OfficeFile:
    rows = (
        Row(f"{path.stem}/{number}", AREAS[number % len(AREAS)], "guru", 1 + number % 99)
        for number in range(count)
    )
    return write_file(path, rows)


@pytest.mark.parametrize("room_bytes", [0, 4_096, 40_000])
def test_a_file_size_limit_refuses_the_import_and_nothing_else(
    tmp_path: Path, room_bytes: int
) -> None:
    """Where the store may not grow: exit 4, nothing recorded; without the limit it is recorded."""
    import resource

    folder = tmp_path / "office"
    store = make_store(folder)
    stock = _batches(folder / "stock.csv", 400)
    assert run(*IMPORT, stock.path, folder=folder).code == 0
    assert run("rebuild", folder=folder).code == 0  # so that only the store is long
    file = _batches(folder / "more.csv", 100)
    size = store.stat().st_size + room_bytes

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    refused = run(*IMPORT, file.path, folder=folder, limit=limit)
    assert refused.code == STORE, refused
    assert len(refused.err.splitlines()) >= 2, refused.err
    assert "othing was recorded" in refused.err, refused.err
    assert check_store(store, [stock, file]).imported() == [stock.sha256]
    again = run(*IMPORT, file.path, folder=folder)
    assert again.code == 0, again.err
    assert check_store(store, [stock, file]).imported() == [stock.sha256, file.sha256]


def test_control_with_room_the_same_limit_lets_the_import_through(tmp_path: Path) -> None:
    """A limit far above the store refuses nothing: it was the limit that refused above."""
    import resource

    folder = tmp_path / "office"
    make_store(folder)
    file = _batches(folder / "more.csv", 100)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20))

    assert run(*IMPORT, file.path, folder=folder, limit=limit).code == 0


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of two megabytes, or skip with the reason."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or sys.platform != "linux" or not shutil.which("mount"):
        pytest.skip("only root can mount a tiny disk: a full one is tried by the size limit alone")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={TINY_MIB}m", "tmpfs", place],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("no disk can be mounted here: a full one is tried by the size limit alone")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def _fill(ballast: Path, *, leaving_bytes: int) -> None:
    """Fill the disk to the last byte, then leave some of it."""
    with ballast.open("wb", buffering=0) as file:
        for size in (4_096, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass
        file.truncate(file.tell() - leaving_bytes)


def test_a_full_disk_under_the_store_refuses_until_it_is_freed(
    tmp_path: Path, tiny_disk: Path
) -> None:
    """Exit 4, nothing recorded, questions answer; freed, the next import works at once."""
    folder = tmp_path / "office"
    store = tiny_disk / "registry.db"
    shutil.move(make_store(folder), store)
    environment = {"UCJ_STORE": str(store)}
    stock = _batches(folder / "stock.csv", 20)
    assert run(*IMPORT, stock.path, folder=folder, environment=environment).code == 0
    _fill(tiny_disk / "ballast", leaving_bytes=0)
    more = write_file(folder / "more.csv", small_rows(random.Random(3), "more", batches=60))
    refused = run(*IMPORT, more.path, folder=folder, environment=environment)
    assert refused.code == STORE, refused
    assert len(refused.err.splitlines()) >= 2, refused.err
    assert check_store(store, [stock, more]).imported() == [stock.sha256]
    asked = run("coverage", AREAS[0], folder=folder, environment=environment)
    assert asked.code == 0, asked
    (tiny_disk / "ballast").unlink()
    again = run(*IMPORT, more.path, folder=folder, environment=environment)
    assert again.code == 0, again.err
    assert check_store(store, [stock, more]).imported() == [stock.sha256, more.sha256]


def test_a_full_disk_under_a_backup_leaves_nothing(tmp_path: Path, tiny_disk: Path) -> None:
    """Exit 1: the store is well, the place is not; freed, the copy is made."""
    folder = tmp_path / "office"
    make_store(folder)
    assert run(*IMPORT, _batches(folder / "stock.csv", 20).path, folder=folder).code == 0
    _fill(tiny_disk / "ballast", leaving_bytes=16_384)
    target = tiny_disk / "copy.db"
    refused = run("backup", target, folder=folder)
    assert refused.code == REFUSED, refused
    assert "free some room" in refused.err, refused.err
    assert [path.name for path in tiny_disk.iterdir()] == ["ballast"]
    (tiny_disk / "ballast").unlink()
    assert run("backup", target, folder=folder).code == 0
    assert target.stat().st_size > 16_384


@pytest.mark.parametrize("batches", [30, 60, 300])
def test_a_full_temporary_folder_refuses_until_it_is_freed(
    tmp_path: Path, tiny_disk: Path, batches: int
) -> None:
    """Full where copies are made: told so (exit 3 or 4), nothing recorded; freed, it works."""
    folder = tmp_path / "office"
    store = make_store(folder)
    environment = {"TMPDIR": str(tiny_disk)}
    more = write_file(folder / "more.csv", small_rows(random.Random(3), "more", batches=batches))
    # One page: without it Python would take another temporary folder by itself.
    _fill(tiny_disk / "ballast", leaving_bytes=4_096)
    refused = run(*IMPORT, more.path, folder=folder, environment=environment)
    assert refused.code in {STORE, UNREADABLE}, refused
    assert "TMPDIR" in refused.err, refused.err
    assert not check_store(store, [more]).events
    assert not list(tiny_disk.glob("ucj-*")), "a part of a copy was left behind"
    (tiny_disk / "ballast").unlink()
    again = run(*IMPORT, more.path, folder=folder, environment=environment)
    assert again.code == 0, again.err
    assert check_store(store, [more]).imported() == [more.sha256]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> OfficeFile:
    """Write a file that takes long enough to be interrupted in each of its phases."""
    return _batches(tmp_path_factory.mktemp("large") / "large.csv", MANY)


def _reach(running: Running, store: Path, phase: str) -> bool:
    """Wait until the import checks rows, or until it writes to the store."""
    temporary = Path(environment_of(store.parent)["TMPDIR"])
    if phase == "admit":
        return running.wait_for(lambda: any(temporary.glob("ucj-*/rows-*")))
    return running.wait_for(lambda: mark_of(journal_of(store)) is not None)


@pytest.mark.parametrize("phase", ["admit", "record"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing(
    tmp_path: Path, large: OfficeFile, sent: signal.Signals, phase: str
) -> None:
    """Interrupted while checking or recording: nothing recorded, no copy left, and it works again.

    Ctrl-C is answered in words with exit 130. SIGTERM ends the process; what it left behind is
    removed by the next import.
    """
    folder = tmp_path / "office"
    store = make_store(folder)
    running = start(*IMPORT, large.path, folder=folder)
    assert _reach(running, store, phase), "the import had ended before it got there"
    running.signal(sent)
    ended = running.end()
    temporary = Path(environment_of(folder)["TMPDIR"])
    if sent == signal.SIGINT:
        assert ended.code == INTERRUPTED, ended
        assert "nothing was recorded" in ended.err
        assert not any(temporary.glob("ucj-*")), "a copy of the file was left behind"
    else:
        assert ended.code in {-sent, INTERRUPTED}, ended
    assert not ended.acknowledged
    assert "Traceback" not in ended.err
    assert not check_store(store, [large]).events
    small = _batches(folder / "small.csv", 3)
    again = run(*IMPORT, small.path, folder=folder)
    assert again.code == 0, again.err
    assert check_store(store, [large, small]).imported() == [small.sha256]
    assert not any(temporary.glob("ucj-*")), "what was left behind is still there"


def test_control_without_a_signal_the_same_file_is_recorded(
    tmp_path: Path, large: OfficeFile
) -> None:
    """It is the signal that stops the import, not the file."""
    folder = tmp_path / "office"
    store = make_store(folder)
    assert run(*IMPORT, large.path, folder=folder).code == 0
    assert check_store(store, [large]).imported() == [large.sha256]


@pytest.mark.parametrize("listing", ["csv", "jsonl", "table"])
def test_a_reader_that_leaves_ends_a_listing_quietly(
    tmp_path: Path, large: OfficeFile, listing: str
) -> None:
    """`ucj history | head -1` prints its line, no complaint, and leaves the store as it was."""
    folder = tmp_path / "office"
    store = make_store(folder)
    assert run(*IMPORT, large.path, folder=folder).code == 0
    command = " ".join([*UCJ, "history", "--format", listing])
    shell = Running(["sh", "-c", f"{command} | head -n 1"], folder=folder).end()
    assert len(shell.out.splitlines()) == 1, shell
    assert "Traceback" not in shell.err, shell.err
    assert "Broken" not in shell.err, shell.err
    check_store(store, [large])


def test_an_import_whose_reader_has_left_is_recorded_all_the_same(tmp_path: Path) -> None:
    """`ucj import … | true`: the file is recorded, though nobody heard of it; again says so."""
    folder = tmp_path / "office"
    store = make_store(folder)
    file = _batches(folder / "a.csv", 300)
    command = " ".join([*UCJ, *IMPORT, str(file.path)])
    shell = Running(["sh", "-c", f"{command} | true"], folder=folder).end()
    assert "Traceback" not in shell.err, shell.err
    assert check_store(store, [file]).imported() == [file.sha256]
    assert "already recorded" in run(*IMPORT, file.path, folder=folder).out
