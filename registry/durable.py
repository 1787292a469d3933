"""What a power cut would undo: which files a folder has is written by itself, later than the files."""

from __future__ import annotations

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make durable what was made, renamed or removed in a folder. Raises: OSError."""
    if os.name != "posix":  # elsewhere a folder cannot be opened, and need not be
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
