"""The private copy: what was hashed is what is read, nobody else reads it, nothing stays."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from registry.errors import InputUnreadableError
from registry.intake import spool
from registry.intake.spool import shown_file_name, spool_input

CONTENT = b"area;workers\n16.06;45\n"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the spool a temporary folder of its own, so that what stays behind is seen."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write the content to a file."""
    path = tmp_path / "batches.csv"
    path.write_bytes(CONTENT)
    return path


def test_the_copy_is_what_was_hashed(source: Path, temporary: Path) -> None:
    """Digest, size, kind and bytes are those of the input, and the original is left alone."""
    with spool_input(source, name=str(source)) as spooled:
        assert spooled.path.read_bytes() == CONTENT
        assert spooled.sha256 == hashlib.sha256(CONTENT).hexdigest()
        assert (spooled.size, spooled.kind, spooled.name) == (len(CONTENT), "text", "batches.csv")
        assert temporary in spooled.path.parents
    assert source.read_bytes() == CONTENT


def test_the_copy_does_not_change_with_the_original(source: Path) -> None:
    """Whoever rewrites the file meanwhile changes nothing that was checked."""
    with spool_input(source, name="a.csv") as spooled:
        source.write_bytes(b"something else")
        assert spooled.path.read_bytes() == CONTENT


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_nobody_else_can_read_the_copy(source: Path) -> None:
    """0600 in a 0700 folder, also under a careless umask."""
    before = os.umask(0)
    try:
        with spool_input(source, name="a.csv") as spooled:
            assert stat.S_IMODE(spooled.path.stat().st_mode) == 0o600
            assert stat.S_IMODE(spooled.path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_closing_leaves_nothing(source: Path, temporary: Path) -> None:
    """After close, twice too, the folder is gone."""
    spooled = spool_input(source, name="a.csv")
    assert list(temporary.iterdir())
    spooled.close()
    spooled.close()
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(("size", "refused"), [(99, False), (100, False), (101, True)])
@pytest.mark.parametrize("as_stream", [True, False])
def test_the_size_limit_is_exact(
    tmp_path: Path, temporary: Path, size: int, refused: bool, as_stream: bool
) -> None:
    """At the limit a file is read, one byte more is refused, and nothing stays behind."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * size)
    given: BinaryIO | Path = io.BytesIO(path.read_bytes()) if as_stream else path
    if refused:
        with pytest.raises(InputUnreadableError, match="100 bytes"):
            spool_input(given, name="a.csv", size_max_bytes=100)
        assert not list(temporary.iterdir())
    else:
        with spool_input(given, name="a.csv", size_max_bytes=100) as spooled:
            assert spooled.size == size


@pytest.mark.parametrize("magic", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_spreadsheet_has_the_lower_limit(monkeypatch: pytest.MonkeyPatch, magic: bytes) -> None:
    """What must be parsed in memory is refused sooner than text, told by its bytes."""
    monkeypatch.setattr(spool, "SPREADSHEET_BYTES_MAX", 100)
    with pytest.raises(InputUnreadableError, match="100 bytes"):
        spool_input(io.BytesIO(magic + b"x" * 200), name="a.csv", size_max_bytes=1000)
    with spool_input(io.BytesIO(b"y" * 208), name="a.xlsx", size_max_bytes=1000) as text:
        assert text.kind == "text"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_without_end_is_refused_at_the_limit(tmp_path: Path, temporary: Path) -> None:
    """A named pipe that never ends is read up to the limit and no further."""
    pipe = tmp_path / "endless"
    os.mkfifo(pipe)
    written = 0

    def pour() -> None:
        nonlocal written
        with suppress(BrokenPipeError), pipe.open("wb", buffering=0) as stream:
            while True:
                written += stream.write(b"x" * 4096)

    writer = threading.Thread(target=pour, daemon=True)
    writer.start()
    with pytest.raises(InputUnreadableError, match="too large"):
        spool_input(pipe, name="endless", size_max_bytes=1 << 20)
    writer.join(10)
    assert not writer.is_alive()
    assert written < 4 << 20
    assert not list(temporary.iterdir())


def test_standard_input_is_read_to_its_end() -> None:
    """`-` is handed over as a stream; its content is spooled like a file."""
    program = (
        "import sys; from registry.intake.spool import spool_input\n"
        "with spool_input(sys.stdin.buffer, name='-') as s: print(s.name, s.size, s.kind)"
    )
    root = Path(spool.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], input=CONTENT, capture_output=True, check=True, cwd=root
    )
    assert done.stdout.decode().split() == ["stdin", str(len(CONTENT)), "text"]


def test_a_link_is_followed(source: Path, tmp_path: Path) -> None:
    """Offices link to shared folders; the copy is of what the link leads to."""
    link = tmp_path / "link.csv"
    try:
        link.symlink_to(source)
    except OSError:
        pytest.skip("no links here")
    with spool_input(link, name="link.csv") as spooled:
        assert spooled.path.read_bytes() == CONTENT
        assert not spooled.path.is_symlink()


def test_what_cannot_be_opened_is_refused(tmp_path: Path, temporary: Path) -> None:
    """A missing file, a folder, a broken link, a loop, a NUL: each says so, and nothing stays."""
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    said = {}
    for name in ["missing", "temporary", "broken", "loop", "nul\0", "x" * 5000]:
        with pytest.raises(InputUnreadableError) as refusal:
            spool_input(tmp_path / name, name=name)
        said[name] = str(refusal.value)
        assert said[name].isprintable()
    assert "No such file" in said["missing"]
    assert "File name too long" in said["x" * 5000]
    assert "is a folder" in said["temporary"]
    assert not list(temporary.iterdir())


def test_a_read_that_fails_leaves_nothing(temporary: Path) -> None:
    """A disk or a share that fails in the middle is a refusal, not a short file."""

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(10 if size else size)
            if not data:
                raise OSError(5, "Input/output error")
            return data

    with pytest.raises(InputUnreadableError, match="Input/output error"):
        spool_input(Failing(CONTENT), name="a.csv")
    assert not list(temporary.iterdir())


def test_no_room_for_the_copy_is_said(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the temporary folder cannot take it, the refusal says what to do."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(InputUnreadableError, match="temporary folder"):
        spool_input(source, name="a.csv")


def test_an_interruption_leaves_nothing(temporary: Path) -> None:
    """Ctrl+C while copying removes what was copied."""

    class Interrupted(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spool_input(Interrupted(), name="a.csv")
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("batches.csv", "batches.csv"),
        ("/srv/office/batches.csv", "batches.csv"),
        (r"C:\office\batches.csv", "batches.csv"),
        ("../../etc/passwd", "passwd"),
        ("..", "input"),
        ("", "input"),
        ("/", "input"),
        ("-", "stdin"),
        ("a\x1b[2J.csv", r"a\x1b[2J.csv"),
        ("gpj.\u202evsc", r"gpj.\u202evsc"),
        ("a\nb.csv", r"a\x0ab.csv"),
        ("nik-1671012345678901.csv", "nik-[number withheld].csv"),
        ("x" * 300, "x" * 119 + "…"),
        ("CON", "CON"),
    ],
)
def test_a_name_is_only_ever_shown(name: str, shown: str) -> None:
    """The base name, printable and short; the copy is never named after it."""
    assert shown_file_name(name) == shown
    with spool_input(io.BytesIO(CONTENT), name=name) as spooled:
        assert spooled.name == shown
        assert spooled.path.name == "input"


def test_copying_is_quick() -> None:
    """64 MiB are copied and hashed well within a second or two."""
    started = time.perf_counter()
    with spool_input(io.BytesIO(bytes(64 << 20)), name="a.csv") as spooled:
        assert spooled.size == 64 << 20
    assert time.perf_counter() - started < 5
