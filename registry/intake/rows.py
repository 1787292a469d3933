"""What a checked row is, what may be remarked of it, and what every kind of form answers.

Owns the words between reading a row and making a command of it. Knows no kind of file.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, compress, islice, repeat
from typing import Any, NamedTuple, Protocol, Self, cast

from registry.commands import Command, EntryPage
from registry.errors import Severity
from registry.intake.readings import Reading
from registry.language import _

# Canonical values in the order of a form's columns: each is what that column's reading makes
# (text, a whole number or None), which no type of a tuple can say for 21 columns.
Values = Sequence[Any]


class Row(NamedTuple):
    """One checked row: `sheet` counts the tables of the file from 0, `number` is the file's row."""

    sheet: int
    number: int
    values: Values


class Page(NamedTuple):
    """Rows of one sheet by column. Those of one key that stand one below the other are a run.

    `keys` and `lengths` (in rows) have one value a run; `numbers`, the file's rows, and each of `columns`
    one a row.
    """

    sheet: int
    keys: Sequence[str]
    lengths: Sequence[int]
    numbers: Sequence[int]
    columns: Sequence[Values]

    def packed(self) -> bytes:
        """Return it as bytes, which only the same Python reads."""
        return marshal.dumps(cast("Any", tuple(self)))

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """Return what was packed."""
        return cls(*marshal.loads(packed))  # noqa: S302 - our own, of a private file or our child

    @classmethod
    def joined(cls, pages: Sequence[Page]) -> Page:
        """Return pages of one sheet as one."""
        if len(pages) == 1:
            return pages[0]
        _sheets, keys, lengths, numbers, columns = zip(*pages, strict=True)
        return cls(
            pages[0].sheet,
            [*chain.from_iterable(keys)],
            [*chain.from_iterable(lengths)],
            [*chain.from_iterable(numbers)],
            [[*chain.from_iterable(each)] for each in zip(*columns, strict=True)],
        )

    def cut(self, runs: int) -> tuple[Page, Page]:
        """Return the first runs of it, and the others."""
        rows = sum(self.lengths[:runs])
        first, others = slice(0, rows), slice(rows, None)
        return (
            Page(
                self.sheet, self.keys[:runs], self.lengths[:runs], self.numbers[first],
                [column[first] for column in self.columns],
            ),
            Page(
                self.sheet, self.keys[runs:], self.lengths[runs:], self.numbers[others],
                [column[others] for column in self.columns],
            ),
        )  # fmt: skip

    def of_runs(self, wanted: Sequence[bool]) -> Page:
        """Return only some of its runs."""
        of_rows = [*chain.from_iterable(map(repeat, wanted, self.lengths))]
        return Page(
            self.sheet,
            [*compress(self.keys, wanted)],
            [*compress(self.lengths, wanted)],
            [*compress(self.numbers, of_rows)],
            [[*compress(column, of_rows)] for column in self.columns],
        )

    def rows(self) -> list[Values]:
        """Return the values row by row."""
        return [*zip(*self.columns, strict=True)]

    def runs(self) -> Iterator[list[Row]]:
        """Yield the rows of each run."""
        rows = map(Row, repeat(self.sheet), self.numbers, self.rows())
        return ([*islice(rows, length)] for length in self.lengths)

    def rows_at(self, places: Iterable[int]) -> list[Row]:
        """Return some of its rows."""
        columns, numbers = self.columns, self.numbers
        return [
            Row(self.sheet, numbers[at], tuple([column[at] for column in columns])) for at in places
        ]

    def keys_of_rows(self) -> Iterator[str]:
        """Yield the key of each row."""
        return chain.from_iterable(map(repeat, self.keys, self.lengths))

    def starts(self) -> list[int]:
        """Return where each run begins, counted in rows of the page."""
        starts, start = [], 0
        for length in self.lengths:
            starts.append(start)
            start += length
        return starts


@dataclass(frozen=True, slots=True)
class Remark:
    """What is wrong, or odd, in one row; `column` None is the row as a whole."""

    code: str
    column: str | None
    why: str
    remedy: str
    severity: Severity = "error"


class Entering(Protocol):
    """What a kind of file says of groups without errors that only bring heads in."""

    def enters(self, page: Page) -> Sequence[bool]:
        """Say of each group whether it is such a one."""

    def entries(
        self, page: Page, sheet: str | None, commands: Callable[[], Iterable[Command]]
    ) -> EntryPage:
        """Return such groups by column; `commands` makes them one by one."""


class Form(Protocol):
    """One kind of file: its columns, its rules for a row and a group of rows, its command.

    A group is all rows with the same key, in file order; it becomes one command.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in the order of the values."""

    @property
    def readings(self) -> tuple[Reading, ...]:
        """One reading for each column."""

    @property
    def entering(self) -> Entering | None:
        """What is said of groups that only bring heads in; None where no file of the kind has any."""

    def shape_remarks(self, values: Values) -> Sequence[Remark]:
        """Say which cells are missing and which must be blank (only blank or not is looked at)."""

    def value_remarks(self, values: Values) -> Sequence[Remark]:
        """Say what does not fit together within the row."""

    def is_usual(self, columns: Sequence[Values]) -> bool:
        """Whether there is nothing to say of any of many rows, whose values are given by column."""

    def key(self, values: Values) -> str:
        """Return the same text for all rows of one group."""

    def starts(self, columns: Sequence[Values]) -> list[int]:
        """Return where, of many rows by column, one may be of another group than the one above it."""

    def keys(self, columns: Sequence[Values]) -> list[str]:
        """Return the key of each of many rows, whose values are given by column."""

    def group_remarks(self, rows: Sequence[Row]) -> Iterator[tuple[Row, Remark]]:
        """Say what does not fit together between the rows of a group."""

    def all_agree(self, columns: Sequence[Values], lengths: Sequence[int]) -> bool:
        """Whether there is nothing to say of any of many groups, of so many rows, given by column.

        False where it would have to be looked for.
        """

    def workers(self, values: Values) -> int:
        """Return the heads of the row, for the control total."""

    def movements(self, values: Values) -> Iterator[tuple[str | None, int]]:
        """Yield (category, signed heads) for every movement that the row alone decides."""

    def summed(self, rows: Iterable[Values]) -> Iterator[Values]:
        """Yield rows that say of heads in all what these say, one for many where they may be added."""

    def action(self, values: Values) -> str | None:
        """Return the action that the row asks for, where the kind has one."""

    def command(self, rows: Sequence[Row], sheet: str | None) -> Command:
        """Return the command of a group without errors."""


def missing(column: str, why: str, remedy: str = "") -> Remark:
    """Return the remark that a cell is blank and must not be."""
    return Remark(
        "missing-value", column, why, remedy or _("Fill in {column}.").format(column=column)
    )
