"""Where a file's refused rows go: beside it, and never over what somebody else has put there.

Ours is what begins as we begin it, to the byte; what a spreadsheet has saved again mostly does not,
and is somebody's work by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

_BEGINNING: Final = re.compile(
    rb'\xef\xbb\xbf(?:(?:sheet,)?row,problem[,\r]|"row"[;\t]"problem"[;\t\r])'
)
_BEGINNING_BYTES: Final = 32


def is_ours(place: Path) -> bool:
    """Whether a place holds refused rows as this program writes them; a link to some does not."""
    try:
        if place.is_symlink() or not place.is_file():
            return False
        with place.open("rb") as file:
            return _BEGINNING.match(file.read(_BEGINNING_BYTES)) is not None
    except OSError:  # what may not be looked at is not ours
        return False


def place_beside(file: Path) -> Path:
    """Return where to write the refused rows of a file: the first name that is free, or ours."""
    return next(place for place in _names(file) if is_ours(place) or not _is_taken(place))


def left_beside(file: Path) -> list[Path]:
    """Return the files of refused rows that earlier tries have left beside a file."""
    found: list[Path] = []
    for place in _names(file):
        if not _is_taken(place):
            return found
        if is_ours(place):
            found.append(place)
    return found


def _names(file: Path) -> Iterator[Path]:
    """Yield NAME.refused.csv, NAME.refused-2.csv and so on, without an end."""
    yield file.with_name(f"{file.stem}.refused.csv")
    for number in count(2):
        yield file.with_name(f"{file.stem}.refused-{number}.csv")


def _is_taken(place: Path) -> bool:
    try:
        place.lstat()
    except OSError:  # not there, or no name that anything can have: writing will tell
        return False
    return True
