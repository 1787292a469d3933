"""Private temporary folders that know whose they are, so that a killed process leaves nothing long.

What is spooled may hold what an office would not publish. A folder's name says which machine and
process made it; whoever makes the next one there may remove those whose process is gone.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

PREFIX: Final = "ucj-"
_NAMED: Final = re.compile(r"([0-9a-f]{8})-([0-9]+)-")
OTHERS_SECONDS: Final = 86_400.0
"""Whether a process of another machine still runs nobody can tell: what it left is old by then."""


def make_private_folder(parent: Path | None = None, prefix: str = PREFIX) -> Path:
    """Make a folder that only this user can read (0700), named after this process."""
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{_machine()}-{os.getpid()}-", dir=parent))


@contextmanager
def private_folder(parent: Path | None = None, prefix: str = PREFIX) -> Iterator[Path]:
    """Give such a folder; gone afterwards."""
    folder = make_private_folder(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left(parent: Path | None = None, prefix: str = PREFIX) -> None:
    """Remove the folders of this user whose process is gone. What cannot be removed stays."""
    for left in (parent or Path(tempfile.gettempdir())).glob(f"{prefix}*-*-*"):
        named = _NAMED.match(left.name.removeprefix(prefix))
        if named is None:  # somebody else's
            continue
        machine, process = named.groups()
        gone = not _is_running(int(process)) if machine == _machine() else _is_old(left)
        if gone and _is_ours(left):
            shutil.rmtree(left, ignore_errors=True)


@cache
def _machine() -> str:
    """Return eight digits for this machine: a process number of another one says nothing here.

    A container may have the name of its host, but counts its processes for itself.
    """
    name = os.uname().nodename if hasattr(os, "uname") else ""
    try:
        processes = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:  # not Linux
        processes = 0
    return f"{zlib.crc32(f'{name} {processes}'.encode()):08x}"


def _is_old(folder: Path) -> bool:
    try:
        return folder.lstat().st_mtime < time.time() - OTHERS_SECONDS
    except OSError:  # gone meanwhile
        return False


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
