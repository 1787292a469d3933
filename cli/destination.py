"""Where an answer goes: stdout, or a file that is either whole or untouched.

Knows nothing of formats but that some are text and some need a file to be built in.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, TextIO, cast

from cli.terminal import is_terminal, prepare_streams, quiet_broken_pipe
from registry.errors import RegistryError


class OutputUnwritableError(RegistryError):
    """The file asked for with --output cannot be written; what was there before still is."""

    code = "output-unwritable"


@contextmanager
def text_to(output: Path | None, *, reader: Literal["people", "programs"]) -> Iterator[TextIO]:
    """Open the place for text: UTF-8 with LF, but on a terminal whatever the terminal can show.

    Words for people on stdout keep its encoding (a pager knows it); programs always get UTF-8.
    """
    if output is not None:
        with path_to(output) as path, path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    prepare_streams()
    with quiet_broken_pipe():
        buffer = getattr(sys.stdout, "buffer", None)
        if reader == "people" or is_terminal(sys.stdout) or buffer is None:
            yield sys.stdout
        else:
            sys.stdout.flush()
            yield cast("TextIO", _Utf8(buffer))


@contextmanager
def path_to(output: Path | None) -> Iterator[Path]:
    """Give a path to build the file at; it goes to its place only when the body ends well.

    Raises: OutputUnwritableError, for an output that is a file, a device or a named pipe.
    """
    if output is None:
        with _apart() as path:
            yield path
            with quiet_broken_pipe():
                sys.stdout.flush()
                _copy(path, sys.stdout.buffer)
        return
    try:
        with _beside(output) if _is_ordinary(output) else _into(output) as path:
            yield path
    except OSError as error:
        raise OutputUnwritableError(
            "the output cannot be written",
            where=output.name,
            why=error.strerror or type(error).__name__,
            remedy="the file there, if any, is as it was; free some room or choose another place",
        ) from error


@contextmanager
def _beside(output: Path) -> Iterator[Path]:
    target = Path(os.path.realpath(output))  # a link stays a link
    path = target.with_name(f".ucj-{os.urandom(8).hex()}.part")
    try:
        yield path
        if target.exists():
            shutil.copymode(target, path)  # a file kept private stays private
        path.replace(target)
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _into(output: Path) -> Iterator[Path]:
    with _apart() as path:
        yield path
        with output.open("wb") as place:
            _copy(path, place)


@contextmanager
def _apart() -> Iterator[Path]:
    import tempfile  # loads random and hashlib, which text on stdout does without

    with tempfile.TemporaryDirectory(prefix="ucj-") as folder:
        yield Path(folder, "output")


def _is_ordinary(output: Path) -> bool:
    return output.is_file() or not output.exists()


def _copy(path: Path, place: BinaryIO) -> None:
    with path.open("rb") as built:
        shutil.copyfileobj(built, place)
    place.flush()


class _Utf8(io.TextIOBase):
    """Text into the bytes of stdout, whatever encoding stdout itself has; keeps no buffer."""

    def __init__(self, place: BinaryIO) -> None:
        self._place = place

    def write(self, text: str, /) -> int:
        self._place.write(text.encode("utf-8"))
        return len(text)
