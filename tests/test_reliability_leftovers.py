"""What a killed process left in the temporary folder is removed, and nothing that is in use."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.intake.spool import spool_input
from registry.temporary import make_private_folder, private_folder, remove_left
from tests.faults import environment_of, make_store, run, start
from tests.office_files import AREAS, Row, write_file

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows cannot tell who has gone")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give this process a temporary folder of its own."""
    folder = tmp_path / "temporary-of-this-test"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def gone() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def _of(process: int) -> Path:
    """Make the folder of another process of this machine, with a file in it."""
    ours = make_private_folder()
    left = ours.with_name(ours.name.replace(f"-{os.getpid()}-", f"-{process}-"))
    ours.rename(left)
    (left / "input").write_text("16.06;45\n")
    return left


@pytest.fixture
def running() -> Iterator[int]:
    """Return the number of a process that is running."""
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as process:
        yield process.pid


def test_only_what_nobody_uses_is_removed(temporary: Path, gone: int, running: int) -> None:
    """Of the dead: removed. Of the living, of ourselves, of others, and what is not ours: stays."""
    left = _of(gone)
    kept = {
        _of(running),
        make_private_folder(),
        temporary / f"ucj-00000000-{gone}-abc",  # another machine's
        temporary / f"other-{gone}-abc",
        temporary / "ucj-notes",
        temporary / "ucj-a-b-c",
    }
    for folder in kept:
        folder.mkdir(exist_ok=True)
    remove_left()
    assert not left.exists()
    assert all(folder.exists() for folder in kept)


def test_what_another_machine_left_is_removed_once_it_is_old(temporary: Path, gone: int) -> None:
    """Nobody can tell whether its process still runs; a day later it does not. Only such names."""
    old, new = (temporary / f"ucj-0000000{n}-{gone}-abc" for n in (0, 1))
    other = temporary / "ucj-notes-of-2025"
    for folder in (old, new, other):
        folder.mkdir()
    for folder in (old, other):
        os.utime(folder, (0, 0))
    remove_left()
    assert not old.exists()
    assert new.exists()
    assert other.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_what_belongs_to_another_user_stays(gone: int) -> None:
    """A folder with the right name that somebody else owns is not touched."""
    theirs = _of(gone)
    os.chown(theirs, 65_534, 65_534)
    remove_left()
    assert theirs.exists()


def test_a_link_is_not_followed(tmp_path: Path, gone: int) -> None:
    """Where somebody put a link of that name, what it leads to stays."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("kept")
    left = _of(gone)
    shutil.rmtree(left)
    left.symlink_to(elsewhere)
    remove_left()
    assert (elsewhere / "precious").read_text() == "kept"


def test_a_private_folder_is_private_and_goes(temporary: Path) -> None:
    """0700 whatever the umask, and gone afterwards, also after a failure."""
    before = os.umask(0)
    try:
        with pytest.raises(ZeroDivisionError), private_folder() as folder:  # noqa: PT012
            (folder / "input").write_text("16.06;45\n")
            assert folder.stat().st_mode & 0o777 == 0o700
            raise ZeroDivisionError
    finally:
        os.umask(before)
    assert not list(temporary.iterdir())


def test_spooling_removes_what_was_left(tmp_path: Path, gone: int) -> None:
    """Each import begins by removing what the killed ones left."""
    left = _of(gone)
    source = tmp_path / "a.csv"
    source.write_bytes(b"a;b\n")
    with spool_input(source, name="a.csv") as spooled:
        assert not left.exists()
        assert spooled.path.exists()


@pytest.mark.parametrize("again", ["import", "question"])
def test_the_copy_of_a_killed_import_goes_with_the_next_import(tmp_path: Path, again: str) -> None:
    """Killed while it has its copy: the copy stays, readable by its owner only, until an import.

    A question in between does not remove it: that is the control.
    """
    office = tmp_path / "office"
    make_store(office)
    rows = [Row(f"SK/{n}", AREAS[n % 6], "guru", 1) for n in range(4_000)]
    file = write_file(office / "a.csv", rows)
    running = start("import", "batches", file.path, folder=office)
    folder = Path(environment_of(office)["TMPDIR"])
    assert running.wait_for(lambda: any(folder.glob("ucj-*/rows-*"))), "it ended before"
    running.signal(signal.SIGKILL)
    assert running.end().code == -signal.SIGKILL
    (left,) = folder.glob("ucj-*")
    assert left.stat().st_mode & 0o777 == 0o700
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in left.iterdir())
    small = write_file(office / "b.csv", [Row("SK/b", AREAS[0], "guru", 1)])
    command = ("coverage", AREAS[0]) if again == "question" else ("import", "batches", small.path)
    assert run(*command, folder=office).code == 0
    assert left.exists() == (again == "question")
