"""Which column is which: header names of the five kinds of files, in Indonesian and English.

Knows names only, never a value; a column of personal numbers or names is refused here, before
anything under it is read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from registry.errors import Problem
from registry.intake.columns import (
    COLUMNS,
    COUNTING_WORDS,
    PERSONAL_NAMES,
    PERSONAL_WORDS,
    PROVINCE_NAMES,
    Column,
    InputKind,
)
from registry.intake.grid import Table
from registry.intake.refused_rows import holds_refused_rows
from registry.language import _, joined
from registry.safe_text import safe


@dataclass(frozen=True, slots=True)
class HeaderMap:
    """Where each column is: `positions` name → index; `unnamed` columns have no header.

    `counters` are columns of running numbers, which say nothing but where a total stands.
    `readable` is False where a needed column is missing or given twice: then no row can be judged.
    """

    positions: Mapping[str, int]
    unnamed: tuple[int, ...]
    problems: tuple[Problem, ...]
    readable: bool
    counters: tuple[int, ...] = ()


_SPACED: Final = re.compile(r"[\W_]+")

# A running number in front of a list; offices have one everywhere and it says nothing.
_ROW_COUNTERS: Final = frozenset({"no", "no urut", "nomor urut", "nomer", "nr", "row number"})

_SUGGESTIONS_MAX: Final = 3


def normalised_header(text: str) -> str:
    """Return a header as compared: NFKC, case-folded, punctuation and underscores as one space."""
    return _SPACED.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def is_personal_header(text: str) -> bool:
    """Whether a header names something of a person (a number, a name, a birthday, an address)."""
    name = normalised_header(text)
    words = name.split()
    if name in PERSONAL_NAMES:
        return True
    return not COUNTING_WORDS.intersection(words) and bool(PERSONAL_WORDS.intersection(words))


def recognises(kind: InputKind) -> Callable[[Sequence[str]], int]:
    """Return how many cells of a row are headers of this kind (or of persons, to refuse them)."""
    names = _names(kind)

    def count(cells: Sequence[str]) -> int:
        return sum(
            1
            for cell in cells
            if cell and (normalised_header(cell) in names or is_personal_header(cell))
        )

    return count


def map_headers(
    kind: InputKind,
    table: Table,
    ignore_columns: Iterable[str] = (),
    *,
    sheet: str | None = None,
) -> HeaderMap:
    """Say where each column of the kind is, and what is wrong with the header row.

    `sheet` is the sheet's name as problems may show it.
    """
    if holds_refused_rows(table.headers):
        return HeaderMap({}, (), (_refused_rows(table, sheet),), readable=False)
    names = _names(kind)
    ignored = {normalised_header(name) for name in ignore_columns}
    positions: dict[str, int] = {}
    unnamed: list[int] = []
    problems: list[Problem] = []
    readable = True
    for index, header in enumerate(table.headers):
        name = normalised_header(header)
        if name in ignored and name:
            continue
        known = names.get(name)
        if known is not None and known in positions:
            problems.append(_duplicate(table, index, known, positions[known], sheet))
            readable = False
        elif known is not None:
            positions[known] = index
        elif not name:
            unnamed.append(index)
        else:
            problems.append(_not_read(kind, table, index, sheet))
    for column in COLUMNS[kind]:
        if column.required and column.name not in positions:
            problems.append(_missing(table, column, sheet))
            readable = False
    counters = tuple(
        index
        for index, header in enumerate(table.headers)
        if normalised_header(header) in _ROW_COUNTERS - ignored
    )
    return HeaderMap(positions, tuple(unnamed), tuple(problems), readable, counters)


def ignored_nowhere(
    ignore_columns: Iterable[str], headers: Iterable[Sequence[str]]
) -> tuple[str, ...]:
    """Return the columns to ignore that no table has: most likely misspelt."""
    present = {normalised_header(cell) for row in headers for cell in row}
    return tuple(name for name in ignore_columns if normalised_header(name) not in present)


def how_to_add(kind: InputKind, name: str) -> str:
    """Return what to do where a file lacks a column that a row of it needs."""
    column = next(column for column in COLUMNS[kind] if column.name == name)
    return _("Add the column {name}; it may also be called {names}.").format(
        name=name, names=", ".join(column.aliases[:3])
    )


@cache
def _names(kind: InputKind) -> dict[str, str]:
    """Every name of every column of the kind → the column; a name means one column only."""
    names: dict[str, str] = {}
    for column in COLUMNS[kind]:
        for name in (column.name, *column.aliases):
            names.setdefault(normalised_header(name), column.name)
    return names


def _not_read(kind: InputKind, table: Table, index: int, sheet: str | None) -> Problem:
    header = table.headers[index]
    name = normalised_header(header)
    if is_personal_header(header):
        return _header_problem(
            table,
            index,
            sheet,
            code="personal-data",
            why=_("the registry counts heads; it takes no numbers, names or addresses of persons"),
            remedy=_(
                "Delete the column, or pass --ignore-column {quoted}: "
                "its cells are then neither read nor kept."
            ).format(quoted=_quoted(header)),
        )
    if name in _ROW_COUNTERS:
        return _header_problem(
            table,
            index,
            sheet,
            code="running-number",
            why=_("a running number; it is not read"),
            remedy=_("Nothing to do."),
            severity="warning",
        )
    suggestions = _suggestions(kind, name)
    meant = (
        _("Is it {names}? Rename it").format(names=joined(_(" or "), suggestions))
        if suggestions
        else _("Rename it")
    )
    return _header_problem(
        table,
        index,
        sheet,
        code="unknown-column",
        why=_("no column of a file of {kind} is called so").format(kind=kind),
        remedy=_("{meant}, delete it, or pass --ignore-column {quoted}.").format(
            meant=meant, quoted=_quoted(header)
        ),
    )


def _suggestions(kind: InputKind, name: str) -> list[str]:
    from difflib import get_close_matches  # only for a refusal: the import costs milliseconds

    names = _names(kind)
    close = get_close_matches(name, names, n=2 * _SUGGESTIONS_MAX, cutoff=0.6)
    return list(dict.fromkeys(names[match] for match in close))[:_SUGGESTIONS_MAX]


def _refused_rows(table: Table, sheet: str | None) -> Problem:
    return Problem(
        code="refused-rows",
        severity="error",
        where=table.address(table.header_row),
        value=None,
        why=_("these are rows that ucj has refused of another file, and not all of its rows"),
        remedy=_("Repair the original file and import that again."),
        sheet=sheet,
    )


def _duplicate(table: Table, index: int, known: str, first: int, sheet: str | None) -> Problem:
    both = [table.headers[first], table.headers[index]]
    one, other = map(_quoted, both)
    provinces = [header for header in both if normalised_header(header) in PROVINCE_NAMES]
    if normalised_header(both[0]) == normalised_header(both[1]):
        keep = _("Keep one: rename or delete the other, since both have one name.")
    elif len(provinces) == 1:  # what stands in a row of a regency is the regency's
        keep = _("Leave the province out: pass --ignore-column {quoted}.").format(
            quoted=_quoted(provinces[0])
        )
    else:
        keep = _(
            "Keep the one that is meant: pass --ignore-column {one} or --ignore-column {other}."
        ).format(one=one, other=other)
    return _header_problem(
        table,
        index,
        sheet,
        code="duplicate-column",
        why=_("columns {first} ({one}) and {second} ({other}) are both {known}").format(
            first=first + 1, one=one, second=index + 1, other=other, known=known
        ),
        remedy=keep,
    )


def _missing(table: Table, column: Column, sheet: str | None) -> Problem:
    return Problem(
        code="missing-column",
        severity="error",
        where=table.address(table.header_row),
        value=None,
        why=_("the column {name} is missing").format(name=column.name),
        remedy=_("Add it; it may also be called {names}.").format(
            names=", ".join(column.aliases[:3])
        ),
        sheet=sheet,
    )


def _header_problem(
    table: Table,
    index: int,
    sheet: str | None,
    *,
    code: str,
    why: str,
    remedy: str,
    severity: Literal["error", "warning"] = "error",
) -> Problem:
    return Problem(
        code=code,
        severity=severity,
        where=table.address(table.header_row, index),
        value=safe(table.headers[index]),
        why=why,
        remedy=remedy,
        sheet=sheet,
    )


def _quoted(header: str) -> str:
    shown = safe(header.strip())
    return f'"{shown}"' if _SPACED.search(shown) else shown
