"""What a command hands over to be printed: columns and rows, exact and not yet rounded.

Knows no format and no stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from registry.language import said

Kind = Literal[
    "text", "code", "count", "number", "percent", "points", "date", "instant", "flag", "json"
]  # fmt: skip
Row = Mapping[str, object]

PERCENT_PLACES: Final = 2
POINTS_PLACES: Final = 6  # so that points add up; tables show PERCENT_PLACES of them


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `key` is a promise to programs, `title` a word for people.

    Kinds: `text` came from people or files and is shown through `registry.safe_text`; `code` was
    made by the registry (a digest, an id, an area code) and is shown whole; `count` is an int;
    `number` is an int or Decimal of any size, printed as it is; `percent` and `points` are exact (Fraction, int or Decimal); `json` is nested and may hold no
    Fraction. `show`: whether tables for people have it; every other format has all columns.
    `spare`: a table that is too wide for the terminal may leave it out, and says so.
    """

    key: str
    title: str
    kind: Kind
    show: bool = True
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """The answer of one command.

    `rows` may be a generator, read once: csv, json, jsonl and xlsx hold one row at a time.
    `notes` are printed under a table, and on stderr beside the other formats. `total` is a last
    row for people only (table and md). `layout` "record" prints each row as a block of its own.
    """

    name: str
    columns: tuple[Column, ...]
    rows: Iterable[Row]
    notes: Sequence[str] = ()
    total: Row | None = None
    layout: Literal["table", "record"] = "table"

    @property
    def shown(self) -> tuple[Column, ...]:
        """The columns that people see, their titles in the language of the process."""
        return tuple(
            replace(column, title=said(column.title)) for column in self.columns if column.show
        )


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a document: what it is about, and the command that asks the same again.

    `name` names it in a workbook, in at most 31 characters; parts of one `chapter` follow each
    other. `build` works its listing out, when it is its turn.
    """

    chapter: str
    title: str
    name: str
    asked: str
    command: str
    build: Callable[[], Listing]


@dataclass(frozen=True, slots=True)
class Document:
    """A paper of several listings, for people: a cover of one row, and the sections.

    `answered` are the same sections with their listings, worked out one after the other and read
    once: only one is held at a time.
    """

    title: str
    cover: Listing
    sections: Sequence[Section]
    answered: Iterable[tuple[Section, Listing]]
    made_at: datetime
