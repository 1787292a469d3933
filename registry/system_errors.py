"""Why the system could not do what it was asked, in words that have a translation.

Owns the usual causes around files; of others the system's own words are passed on, in English.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Final

from registry.language import _

_CAUSES: Final[Mapping[int, str]] = {
    errno.ENOENT: _("No such file or directory"),
    errno.EACCES: _("Permission denied"),
    errno.EISDIR: _("Is a directory"),
    errno.ENOTDIR: _("Not a directory"),
    errno.ENOSPC: _("No space left on device"),
    errno.EROFS: _("Read-only file system"),
    errno.EDQUOT: _("Disk quota exceeded"),
    errno.EFBIG: _("File too large"),
    errno.ENAMETOOLONG: _("File name too long"),
}


def cause_of(error: OSError) -> str:
    """Return why it failed: `No such file or directory`, *berkas atau folder tidak ada*."""
    return _CAUSES.get(error.errno or 0) or error.strerror or type(error).__name__
