"""One private copy of the input, made once while it is hashed; everything reads this copy.

Owns the temporary folder and the size limits. Knows no format beyond a file's first bytes: what is
spooled is what was hashed, whatever happens to the original meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, Self

from registry.errors import InputUnreadableError
from registry.language import _
from registry.safe_text import safe
from registry.system_errors import cause_of
from registry.temporary import make_private_folder, remove_left

if TYPE_CHECKING:
    from collections.abc import Iterator

CSV_BYTES_MAX: Final = 1 << 30  # about 10 million rows of a batches file: thrice the country
SPREADSHEET_BYTES_MAX: Final = 64 << 20  # packed; more cannot be parsed within the child's memory
CHUNK_BYTES: Final = 1 << 20
NAME_LENGTH_MAX: Final = 120  # characters of a file's name that are kept for addresses

FileKind = Literal["text", "zip", "ole"]

ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """The private copy: 0600 in a 0700 folder of its own, gone after `close()`."""

    path: Path
    name: str
    sha256: str
    size: int
    kind: FileKind

    def close(self) -> None:
        """Remove the copy and its folder; closing twice does no harm."""
        shutil.rmtree(self.path.parent, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def file_kind(first_bytes: bytes) -> FileKind:
    """Tell a spreadsheet from text by its first bytes, never by its name."""
    if first_bytes.startswith(ZIP_MAGIC):
        return "zip"
    return "ole" if first_bytes.startswith(OLE_MAGIC) else "text"


def spool_input(
    source: Path | BinaryIO, *, name: str, size_max_bytes: int = CSV_BYTES_MAX
) -> SpooledFile:
    """Copy the input once, hashing it, into a private temporary file. The caller closes it.

    A stream (stdin) is read to its end. A pipe without end is refused at the limit, as is a file;
    a spreadsheet has the lower limit, SPREADSHEET_BYTES_MAX. `name` is only ever shown.

    Raises: InputUnreadableError; nothing is left behind then.
    """
    shown_name = shown_file_name(name)
    remove_left()
    with _opened(source, shown_name) as stream:
        _refuse_known_size(stream, shown_name, size_max_bytes)
        try:
            folder = make_private_folder()
        except OSError as error:
            raise _cannot_spool(shown_name, error) from None
        try:
            return _copy(stream, folder / "input", shown_name, size_max_bytes)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def shown_file_name(name: str) -> str:
    """Return the base name as it may be printed and stored; it is never used as a path."""
    base = name.replace("\\", "/").rstrip("/").rpartition("/")[2].strip()
    if base == "-":
        return "stdin"
    return safe(base, limit=NAME_LENGTH_MAX) if base.strip(".") else "input"


@contextmanager
def _opened(source: Path | BinaryIO, name: str) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        yield source
        return
    if os.path.isdir(source):  # noqa: PTH112 - unlike Path.is_dir it never raises
        raise InputUnreadableError(
            _("{name} is a folder").format(name=name),
            why=_("a file is needed"),
            remedy=_("name the files in it one by one"),
        )
    try:
        stream = source.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = cause_of(error) if isinstance(error, OSError) else _("no such path")
        raise InputUnreadableError(
            _("{name} cannot be opened").format(name=name),
            why=why,
            remedy=_("check the path and who may read the file"),
        ) from None
    with stream:
        yield stream


def _refuse_known_size(stream: BinaryIO, name: str, size_max_bytes: int) -> None:
    """Spare the copying where the size is known beforehand (a pipe's is 0 here)."""
    try:
        size = os.fstat(stream.fileno()).st_size
    except (OSError, AttributeError):  # not a real file; io.UnsupportedOperation is an OSError
        return
    if size > size_max_bytes:
        raise _too_large(name, size_max_bytes)


def _copy(stream: BinaryIO, path: Path, name: str, size_max_bytes: int) -> SpooledFile:
    digest, size, head = hashlib.sha256(), 0, b""
    kind: FileKind = "text"
    limit = size_max_bytes
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:  # closing writes too
        with os.fdopen(os.open(path, flags, 0o600), "wb") as copy:
            while chunk := _read(stream, name):
                if len(head) < len(OLE_MAGIC):  # a pipe may give less than that at first
                    head += chunk[: len(OLE_MAGIC)]
                    kind = file_kind(head)
                    if kind != "text":
                        limit = min(size_max_bytes, SPREADSHEET_BYTES_MAX)
                size += len(chunk)
                if size > limit:
                    raise _too_large(name, limit)
                digest.update(chunk)
                copy.write(chunk)
    except OSError as error:
        raise _cannot_spool(name, error) from None
    return SpooledFile(path, name, digest.hexdigest(), size, kind)


def _read(stream: BinaryIO, name: str) -> bytes:
    try:
        return stream.read(CHUNK_BYTES)
    except OSError as error:
        raise InputUnreadableError(
            _("{name} cannot be read").format(name=name),
            why=cause_of(error),
            remedy=_("copy the file to this machine and try again"),
        ) from None


def _too_large(name: str, limit: int) -> InputUnreadableError:
    return InputUnreadableError(
        _("{name} is too large").format(name=name),
        why=_("at most {limit:,} bytes of such a file are read").format(limit=limit),
        remedy=_("split it into several files; a spreadsheet may be saved as CSV"),
    )


def _cannot_spool(name: str, error: OSError) -> InputUnreadableError:
    return InputUnreadableError(
        _("{name} cannot be copied to the temporary folder").format(name=name),
        why=cause_of(error),
        remedy=_("free space there, or set TMPDIR to a folder with room"),
    )
