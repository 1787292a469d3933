"""The streams of the process: what they can show, how wide, in colour or not; progress.

Knows nothing of what is printed.
"""

from __future__ import annotations

import codecs
import os
import shutil
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from cli.escapes import visible

WIDTH_MIN: Final = 20
_FALLBACK: Final = "ucj-plain"
_PLAIN: Final = {
    "–": "-", "—": "-", "−": "-", "─": "-", "…": "...", "→": "->", "≤": "<=", "≥": ">=",
    "×": "x", "·": ".", "•": "*", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"',
}  # fmt: skip


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start : error.end]
    return "".join(_PLAIN.get(letter) or _bare(letter) for letter in refused), error.end


def _bare(letter: str) -> str:
    kept = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return kept if kept.isprintable() and kept else "?"


codecs.register_error(_FALLBACK, _plainly)


def prepare_streams() -> None:
    """Make stdout and stderr unable to fail on a letter; may be called again.

    A terminal that has no dash gets a hyphen, an accent it lacks is dropped, the rest is `?`.
    Redirected output is UTF-8 on Windows too, unless PYTHONIOENCODING says otherwise.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None:  # replaced by whoever embeds us, or absent
            continue
        if os.name == "nt" and not is_terminal(stream) and not os.environ.get("PYTHONIOENCODING"):
            reconfigure(encoding="utf-8")
        reconfigure(errors=_FALLBACK)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody is looking at the stream."""
    return stream is not None and not stream.closed and stream.isatty()


def may_colour(stream: TextIO | None) -> bool:
    """Whether escape codes are welcome: a terminal, and NO_COLOR empty (https://no-color.org)."""
    if not is_terminal(stream) or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return os.name != "nt" or "WT_SESSION" in os.environ  # the old Windows console prints them


def width_of(stream: TextIO | None) -> int | None:
    """Return the columns of a terminal (COLUMNS first), None where nothing limits the width."""
    if not is_terminal(stream):
        return None
    return max(WIDTH_MIN, shutil.get_terminal_size().columns)


@contextmanager
def quiet_broken_pipe() -> Iterator[None]:
    """End quietly when the reader of stdout has gone (`ucj coverage | head`).

    What was left to print is dropped and the caller goes on; stdout then leads nowhere, so that
    the interpreter does not complain when it flushes at the end.
    """
    try:
        yield
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


class Progress:
    """A bar that appears after a second, on a terminal only, and leaves no trace."""

    APPEARS_AFTER_SECONDS: Final = 1.0
    REDRAWN_AFTER_SECONDS: Final = 0.1
    BAR_WIDTH: Final = 24

    def __init__(
        self,
        label: str,
        length: int | None,
        *,
        stream: TextIO | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label = visible(label).replace("\n", " ")
        self._length = length
        self._stream = stream if is_terminal(stream) else None
        self._clock = clock
        self._done = 0
        self._drawn = 0
        self._next = clock() + self.APPEARS_AFTER_SECONDS

    def advance(self, n: int = 1) -> None:
        """Say that n more are done."""
        self._done += n
        if self._stream is not None and (now := self._clock()) >= self._next:
            self._next = now + self.REDRAWN_AFTER_SECONDS
            self._draw(self._line())

    def reach(self, total: int) -> None:
        """Say that so many are done in all."""
        self.advance(total - self._done)

    def close(self) -> None:
        """Wipe the bar, if it was ever drawn."""
        if self._drawn:
            self._draw("")
            self._draw("")

    def _line(self) -> str:
        if not self._length:
            return f"{self._label}  {self._done:,}"
        share = min(1.0, self._done / self._length)
        bar = "#" * round(share * self.BAR_WIDTH)
        return f"{self._label}  [{bar:.<{self.BAR_WIDTH}}] {share:4.0%}  {self._done:,}"

    def _draw(self, line: str) -> None:
        if self._stream is None:
            return
        room = (width_of(self._stream) or WIDTH_MIN) - 1
        line = line[:room]
        self._stream.write(f"\r{line:<{self._drawn}}")
        self._stream.flush()
        self._drawn = len(line)


@contextmanager
def progress(label: str, length: int | None = None) -> Iterator[Progress]:
    """Show on stderr how far a long task is; `length` is how many there are, if that is known."""
    bar = Progress(label, length, stream=sys.stderr)
    try:
        yield bar
    finally:
        bar.close()
