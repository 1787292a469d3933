"""Where an answer goes: stdout, or a file that is either whole or untouched.

Owns what every command says of a place: exit 2 where it cannot be meant (no such folder, a folder
for a file), 1 where it is taken or cannot be written. 4 is the store's alone. Knows nothing of
formats but that some are text and some need a file to be built in.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Literal, TextIO, cast

import click

from cli.terminal import is_terminal, prepare_streams, quiet_broken_pipe
from registry.errors import RegistryError
from registry.language import _
from registry.safe_text import safe
from registry.system_errors import cause_of

_NAME_KEPT: Final = 40  # characters; a name of a file may have 255 bytes

_JOURNALS: Final = ("-journal", "-wal", "-shm")

PLACE: Final = click.Path(dir_okay=False, path_type=Path)
PLACE_OR_STDOUT: Final = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


class OutputUnwritableError(RegistryError):
    """The place of an answer cannot be written; a file that was there before still is."""

    code = "output-unwritable"

    @classmethod
    def at_stdout(cls, error: OSError) -> OutputUnwritableError:
        """Return the refusal where standard output takes no more."""
        return cls(
            _("standard output cannot be written"),
            why=cause_of(error),
            remedy=_("The answer is not whole; {remedy}, and ask again.").format(
                remedy=remedy_of(error)
            ),
        )


def check_place(place: Path, named: str, *, new: bool = False) -> None:
    """Refuse, before anything is asked or recorded, a place where nothing can be written.

    `named` is how it was typed: `--output x.csv`. A `new` one must not be there yet.
    Raises: click.UsageError where its folder does not exist; OutputUnwritableError.
    """
    try:
        if not place.parent.is_dir():
            raise click.UsageError(
                _("The folder {folder} of {named} does not exist.").format(
                    folder=safe(str(place.parent)), named=named
                )
            )
        taken = place.exists() or place.is_symlink()
        folder = Path(os.path.realpath(place)).parent
        writable = not _is_ordinary(place) or os.access(folder, os.W_OK)
    except OSError as error:  # it may not even be looked at
        raise unwritable(place, error) from error
    if new and taken:
        raise OutputUnwritableError(
            _("{name} is there already; it was not touched").format(name=safe(place.name)),
            remedy=_("Name a new place: what is there may be somebody's work."),
        )
    if taken and _is_of_a_store(place):
        raise OutputUnwritableError(
            _("{name} is a registry's store; it was not touched").format(name=safe(place.name)),
            remedy=_("Name another place: a store is never written over."),
        )
    if not writable:
        raise unwritable(place, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def unwritable(place: Path, error: OSError) -> OutputUnwritableError:
    """Return the refusal of a place that cannot be written."""
    return OutputUnwritableError(
        _("the output cannot be written"),
        where=safe(place.name),
        why=cause_of(error),
        remedy=_("What was there before, if anything, is as it was; {remedy}.").format(
            remedy=remedy_of(error)
        ),
    )


def partial(target: Path) -> Path:
    """Return a new name beside the target, which says whose beginning it is.

    A killed process leaves what it had written under it; nothing ever reads that.
    """
    return target.with_name(f".{target.name[:_NAME_KEPT]}.partial-{os.urandom(4).hex()}")


def remedy_of(error: OSError) -> str:
    """Return what helps where a place cannot be written, by what the system says is wrong."""
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return _("choose a place that you may write to")
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return _("free some room or choose another place")
    return _("choose another place")


@contextmanager
def refusing_stdout() -> Iterator[None]:
    """Turn what fails while only stdout is written into a refusal; stdout then leads nowhere.

    A reader who has gone is no failure: that stays a BrokenPipeError.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon_stdout()
        raise OutputUnwritableError.at_stdout(error) from error


def abandon_stdout() -> None:
    """Lead stdout nowhere, so that the interpreter does not complain when it flushes at the end."""
    with suppress(OSError, ValueError):  # without a file below it nothing is flushed at the end
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


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
    _check_stdout()
    with quiet_broken_pipe():
        buffer = getattr(sys.stdout, "buffer", None)
        if is_terminal(sys.stdout) or buffer is None:
            yield sys.stdout
            return
        with refusing_stdout():
            sys.stdout.flush()
        yield cast("TextIO", _Stdout(None if reader == "people" else buffer))
        with refusing_stdout():
            sys.stdout.flush()


@contextmanager
def path_to(output: Path | None) -> Iterator[Path]:
    """Give a path to build the file at; it goes to its place only when the body ends well.

    Raises: OutputUnwritableError, for an output that is a file, a device or a named pipe.
    """
    if output is None:
        _check_stdout()
        with _apart() as path:
            yield path
            with quiet_broken_pipe(), refusing_stdout():
                sys.stdout.flush()
                _copy(path, sys.stdout.buffer)
        return
    try:
        with _beside(output) if _is_ordinary(output) else _into(output) as path:
            yield path
    except OSError as error:
        raise unwritable(output, error) from error


@contextmanager
def _beside(output: Path) -> Iterator[Path]:
    target = Path(os.path.realpath(output))  # a link stays a link
    path = partial(target)
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
    from registry.temporary import private_folder  # loads what text on stdout does without

    with private_folder() as folder:
        yield folder / "output"


def _is_of_a_store(place: Path) -> bool:
    """Whether a place is a store, by whatever name, or a store's journal."""
    from registry.storage.log import is_store

    parts = [Path(str(place).removesuffix(end)) for end in _JOURNALS if place.name.endswith(end)]
    return any(map(is_store, (place, *parts)))


def _is_ordinary(output: Path) -> bool:
    return output.is_file() or not output.exists()


def _copy(path: Path, place: BinaryIO) -> None:
    with path.open("rb") as built:
        shutil.copyfileobj(built, place)
    place.flush()


def _check_stdout() -> None:
    if sys.stdout is None:
        raise OutputUnwritableError.at_stdout(OSError(errno.EBADF, _("it is closed")))


class _Stdout(io.TextIOBase):
    """Text into stdout, refusing in words; into its bytes as UTF-8, or in its own encoding."""

    def __init__(self, place: BinaryIO | None) -> None:
        self._place = place

    def write(self, text: str, /) -> int:
        with refusing_stdout():
            if self._place is None:
                sys.stdout.write(text)
            else:
                self._place.write(text.encode("utf-8"))
        return len(text)
