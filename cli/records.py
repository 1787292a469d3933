"""The formats a program reads line by line: csv, json, jsonl. One row is held at a time."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from typing import TextIO

from cli.escapes import visible
from cli.listing import Column, Listing, Row
from cli.values import encoded, plain
from registry.safe_text import unformulated


def write_csv(listing: Listing, stream: TextIO) -> None:
    """Write RFC 4180 with a header of keys and lines that end in LF.

    Null is an empty cell; numbers, days and flags are as in JSON; nested values are JSON text.
    Text, the header's too, holds no control character but LF, and nothing a spreadsheet would run.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(visible(unformulated(column.key)) for column in listing.columns)
    for row in listing.rows:
        writer.writerow([_cell(row[column.key], column) for column in listing.columns])


def write_json(listing: Listing, stream: TextIO) -> None:
    """Write a list with one object on each line."""
    mark = "["
    for line in json_lines(listing):
        stream.write(f"{mark}\n{line}")
        mark = ","
    stream.write("[]\n" if mark == "[" else "\n]\n")


def write_json_lines(listing: Listing, stream: TextIO) -> None:
    """Write one object a line and nothing else."""
    stream.writelines(f"{line}\n" for line in json_lines(listing))


def write_json_document(document: Mapping[str, object], stream: TextIO) -> None:
    """Write one object, a key on each line, and each object of its lists on a line of its own."""
    keys = (f"  {encoded(str(key))}: {_spread(value)}" for key, value in document.items())
    body = ",\n".join(keys)
    stream.write(f"{{\n{body}\n}}\n" if body else "{}\n")


def write_json_line(document: Mapping[str, object], stream: TextIO) -> None:
    """Write one object on one line."""
    stream.write(f"{encoded(document)}\n")


def json_lines(listing: Listing) -> Iterator[str]:
    """Yield each row as one JSON object with exactly the keys of the columns, in their order."""
    as_object = _object_writer(listing.columns)
    return (as_object(row) for row in listing.rows)


def _object_writer(columns: tuple[Column, ...]) -> Callable[[Row], str]:
    fields = [(f"{encoded(column.key)}: ", column.key, column.kind) for column in columns]

    def as_object(row: Row) -> str:
        pairs = [head + encoded(plain(row[key], kind)) for head, key, kind in fields]
        return "{" + ", ".join(pairs) + "}"

    return as_object


def _cell(value: object, column: Column) -> str:
    ready = plain(value, column.kind)
    if ready is None:
        return ""
    if column.kind in {"text", "code"}:
        # The mark is found in the text as it came: a leading TAB is suspect, and shown after.
        return visible(unformulated(str(ready)))
    if column.kind == "json":
        return unformulated(encoded(ready))
    return encoded(ready).strip('"')


def _spread(value: object) -> str:
    if isinstance(value, list | tuple) and value and all(isinstance(v, Mapping) for v in value):
        return "[\n" + ",\n".join(f"    {encoded(item)}" for item in value) + "\n  ]"
    return encoded(value)
