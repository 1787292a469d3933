"""Private temporary folders that know whose they are, so that a killed process leaves nothing long.

What is spooled may hold what an office would not publish. A folder's name says which machine and
process made it; the next import removes those of the same user whose process is gone.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PREFIX: Final = "ucj-"


def make_private_folder() -> Path:
    """Make a folder that only this user can read (0700), named after this process."""
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{_machine()}-{os.getpid()}-"))


@contextmanager
def private_folder() -> Iterator[Path]:
    """Give such a folder; gone afterwards."""
    folder = make_private_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left() -> None:
    """Remove the folders of this user whose process is gone. What cannot be removed stays."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}{_machine()}-*-*"):
        process = left.name.split("-")[2]
        if process.isdigit() and _is_ours(left) and not _is_running(int(process)):
            shutil.rmtree(left, ignore_errors=True)


def _machine() -> str:
    """Return eight digits for this machine: a process number of another one says nothing here."""
    name = os.uname().nodename if hasattr(os, "uname") else ""
    return f"{zlib.crc32(name.encode()):08x}"


def _is_ours(folder: Path) -> bool:
    if not hasattr(os, "getuid"):
        return True  # the temporary folder of Windows is the user's own
    try:
        return folder.lstat().st_uid == os.getuid()
    except OSError:  # gone meanwhile
        return False


def _is_running(process: int) -> bool:
    if os.name != "posix":
        return True  # signal 0 would end the process there
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # another user's, or no number of a process
    return True
