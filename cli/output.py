"""How every answer is printed: the choice of format and place, and the options that make it.

Results go to stdout or to the file, words beside them to stderr. Knows no question.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, Literal, TextIO, TypeVar, cast

import click

from cli.destination import (
    PLACE_OR_STDOUT,
    OutputUnwritableError,
    check_place,
    path_to,
    text_to,
)
from cli.escapes import visible
from cli.listing import Column, Kind, Listing, Row
from cli.records import (
    write_csv,
    write_json,
    write_json_document,
    write_json_line,
    write_json_lines,
)
from cli.tables import markdown, table
from cli.terminal import is_terminal, may_colour, prepare_streams, width_of
from cli.values import percent, points, rounded
from registry.language import _

__all__ = [
    "FORMATS",
    "Column",
    "Kind",
    "Listing",
    "OutputUnwritableError",
    "Row",
    "choose",
    "for_people",
    "listing_options",
    "percent",
    "points",
    "rounded",
    "write_document",
    "write_listing",
]

Format = Literal["table", "csv", "json", "jsonl", "parquet", "xlsx", "md"]
Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS: Final[tuple[Format, ...]] = ("table", "csv", "json", "jsonl", "parquet", "xlsx", "md")
_ENDINGS: Final[Mapping[str, Format]] = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
    ".md": "md",
    ".txt": "table",
}
_BINARY: Final = frozenset({"parquet", "xlsx"})
_FOR_PEOPLE: Final = frozenset({"table", "md"})
_STDOUT: Final = Path("-")


def listing_options(command: Command) -> Command:
    """Give a command --format and --output; what cannot be done is refused before it starts."""

    @functools.wraps(command)
    def checked(*args: Any, **options: Any) -> Any:  # noqa: ANN401 (any command)
        choose(options["format"], options["output"])
        return command(*args, **options)

    for option in (
        click.option(
            "--output",
            type=PLACE_OR_STDOUT,
            metavar="FILE",
            help="Write to FILE instead of standard output; its ending chooses the format "
            f"({' '.join(_ENDINGS)}).",
        ),
        click.option(
            "--format",
            type=click.Choice(FORMATS),
            help="How to print the answer: a table for people (the default), or csv, json, jsonl, "
            "parquet, xlsx, md.",
        ),
    ):
        checked = option(checked)
    return cast("Command", checked)


def choose(asked: str | None, output: Path | None) -> Format:
    """Return the format to print in: as asked, else by the ending of the file, else a table.

    Raises click.UsageError where the two contradict, the ending says nothing, or a binary format
    would land on somebody's screen; and what `check_place` does.
    """
    if output is None or output == _STDOUT:
        chosen = _known(asked) or "table"
        if chosen in _BINARY and is_terminal(sys.stdout):
            raise click.UsageError(
                _("{chosen} is not made for a screen: give --output FILE{ending}.").format(
                    chosen=chosen, ending=_ending_of(chosen)
                )
            )
        return chosen
    check_place(output, f"--output {output.name}")
    by_ending = _ENDINGS.get(output.suffix.lower())
    chosen_or_none = _known(asked) or by_ending
    if chosen_or_none is None:
        raise click.UsageError(
            _(
                "--output {name} does not say which format: give --format, "
                "or an ending out of {endings}."
            ).format(name=output.name, endings=" ".join(_ENDINGS))
        )
    if by_ending is not None and by_ending != chosen_or_none:
        raise click.UsageError(
            _("--format {asked} contradicts --output {name}, which is {by_ending}.").format(
                asked=asked, name=output.name, by_ending=by_ending
            )
        )
    return chosen_or_none


def for_people(format: str | None, output: Path | None) -> bool:
    """Whether the answer is read by people, who are shown less and in words."""
    return choose(format, output) in _FOR_PEOPLE


def write_listing(listing: Listing, *, format: str | None, output: Path | None) -> None:
    """Print the listing, or write it to the file.

    The first row is asked for before anything is written: a refusal leaves no half answer.
    """
    chosen = choose(format, output)
    place = None if output == _STDOUT else output
    rows = iter(listing.rows)
    ready = replace(listing, rows=chain(list(islice(rows, 1)), rows))
    match chosen:
        case "csv":
            _write_text(write_csv, ready, place)
        case "json":
            _write_text(write_json, ready, place)
        case "jsonl":
            _write_text(write_json_lines, ready, place)
        case "table":
            with text_to(place, reader="people") as stream:
                shown_on = stream if place is None else None
                lines = table(ready, width=width_of(shown_on), colour=may_colour(shown_on))
                _write_lines(lines, stream)
        case "md":
            with text_to(place, reader="people") as stream:
                _write_lines(markdown(ready), stream)
        case "xlsx":
            from cli.workbook import write_workbook

            with path_to(place) as path:
                write_workbook(ready, path)
        case "parquet":
            from cli.columnar import write_parquet

            with path_to(place) as path:
                write_parquet(ready, path)
    if chosen not in _FOR_PEOPLE:
        _say(listing.notes)


def write_document(
    document: Mapping[str, object],
    listing: Listing,
    *,
    format: str | None,
    output: Path | None,
) -> None:
    """Print an answer whose JSON is one object: json and jsonl have it whole.

    Every other format has the listing, which is what of it fits in rows. Numbers in the document
    are rounded already (`percent`, `points`).
    """
    chosen = choose(format, output)
    if chosen not in {"json", "jsonl"}:
        write_listing(listing, format=chosen, output=output)
        return
    write = write_json_document if chosen == "json" else write_json_line
    _write_text(write, document, None if output == _STDOUT else output)
    _say(listing.notes)


Content = TypeVar("Content")


def _write_text(
    write: Callable[[Content, TextIO], None], content: Content, place: Path | None
) -> None:
    with text_to(place, reader="programs") as stream:
        write(content, stream)


def _write_lines(lines: Iterable[str], stream: TextIO) -> None:
    stream.writelines(f"{line}\n" for line in lines)


def _say(notes: Iterable[str]) -> None:
    prepare_streams()
    for note in notes:
        click.echo(visible(note), err=True)


def _known(asked: str | None) -> Format | None:
    for name in FORMATS:
        if asked == name:
            return name
    if asked is None:
        return None
    raise click.UsageError(
        _("--format {asked!r} is none of {formats}.").format(asked=asked, formats=" ".join(FORMATS))
    )


def _ending_of(chosen: Format) -> str:
    return next(ending for ending, name in _ENDINGS.items() if name == chosen)
