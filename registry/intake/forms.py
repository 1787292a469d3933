"""Rows of potentials, targets, figures and areas → commands, and which form belongs to which kind.

Owns what a row of each kind must and may hold. Batches have a file of their own (batch_form).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from registry.commands import ChangeArea, Command, PublishFigure, RevisePotential, SetTarget
from registry.intake.batch_form import BatchForm
from registry.intake.columns import COLUMNS, InputKind
from registry.intake.readings import (
    UNKNOWN_DAY,
    AreaCodes,
    Reading,
    reading_of_area,
    reading_of_area_text,
    reading_of_as_of,
    reading_of_category,
    reading_of_count,
    reading_of_day,
    reading_of_percent,
    reading_of_prose,
    reading_of_quantity,
    reading_of_word,
)
from registry.intake.rows import Form, Remark, Row, Values, missing
from registry.language import _
from registry.numbers import Locale
from registry.reference.boundaries import BUILT_IN, Boundaries
from registry.reference.categories import Categories
from registry.terms import Change, Segment

_SEPARATOR: Final = "\x1f"
_FIGURE_NUMBERS: Final = (
    "active", "potential", "percent", "uncovered_percent", "target_percent", "gap",
)  # fmt: skip


def form_for(
    kind: InputKind,
    *,
    locale: Locale,
    area_codes: AreaCodes,
    categories: Categories,
    boundaries: Boundaries = BUILT_IN,
    correcting: bool = False,
) -> Form:
    """Return the form of a kind of file, reading numbers and areas as declared."""
    match kind:
        case "batches":
            return BatchForm(locale, area_codes, categories, boundaries, correcting=correcting)
        case "potentials":
            return PotentialForm(locale, area_codes, boundaries)
        case "targets":
            return TargetForm(locale, area_codes, boundaries)
        case "figures":
            return FigureForm(locale, area_codes, categories, boundaries)
        case "areas":
            return ChangeForm()


class _AreaForm:
    """What the three kinds about an area have in common: one row is one command."""

    entering = None

    def __init__(self, kind: InputKind, readings: dict[str, Reading]) -> None:
        self.columns = tuple(readings)
        self.readings = tuple(readings.values())
        self._at = {name: index for index, name in enumerate(self.columns)}
        self._required = tuple(
            (self._at[column.name], column.name) for column in COLUMNS[kind] if column.required
        )

    def shape_remarks(self, values: Values) -> Sequence[Remark]:
        """Say which cells of columns that must be filled are blank."""
        return [
            missing(name, _("{name} is blank").format(name=name))
            for index, name in self._required
            if values[index] is None
        ]

    def value_remarks(self, values: Values) -> Sequence[Remark]:
        """Say nothing: any two cells of these kinds go together."""
        del values
        return ()

    def is_usual(self, columns: Sequence[Values]) -> bool:
        """Look at each row."""
        rows = zip(*columns, strict=True)
        return not any(self.shape_remarks(row) or self.value_remarks(row) for row in rows)

    def key(self, values: Values) -> str:
        """Return the whole row: only a row equal in every cell is the same statement."""
        return _SEPARATOR.join(str(value) for value in values)

    def starts(self, columns: Sequence[Values]) -> list[int]:
        """Return every row."""
        return [*range(len(columns[0]))]

    def keys(self, columns: Sequence[Values]) -> list[str]:
        """Return what makes each row the same statement."""
        return [*map(self.key, zip(*columns, strict=True))]

    def group_remarks(self, rows: Sequence[Row]) -> Iterator[tuple[Row, Remark]]:
        """Refuse the repetition of a statement."""
        first = rows[0]
        for row in rows[1:]:
            if row.values == first.values:
                yield (
                    row,
                    Remark(
                        "repeated-row",
                        None,
                        _("row {number} says exactly the same").format(number=first.number),
                        _("Delete one of the two."),
                    ),
                )
            else:
                yield row, self._contradiction(first)

    def _contradiction(self, first: Row) -> Remark:
        raise AssertionError(first)  # rows of one key are equal in every cell here

    def all_agree(self, columns: Sequence[Values], lengths: Sequence[int]) -> bool:
        """Several rows about the same are looked at."""
        return len(lengths) == len(columns[0])

    def workers(self, values: Values) -> int:
        """Return 0: these rows move no heads."""
        del values
        return 0

    def movements(self, values: Values) -> Iterator[tuple[str | None, int]]:
        """Yield nothing: these rows move no heads."""
        del values
        yield from ()

    def summed(self, rows: Iterable[Values]) -> Iterator[Values]:
        """Yield them as they are."""
        return iter(rows)

    def action(self, values: Values) -> str | None:
        """Return None: these rows have no action."""
        del values
        return None


class PotentialForm(_AreaForm):
    """Labour potentials: `area, valid_from, workers, definition, source, documented_on`."""

    def __init__(self, locale: Locale, area_codes: AreaCodes, boundaries: Boundaries) -> None:
        super().__init__(
            "potentials",
            {
                "area": reading_of_area(area_codes, regencies_only=False, boundaries=boundaries),
                "valid_from": reading_of_day(),
                "workers": reading_of_count(locale),
                "definition": reading_of_prose(),
                "source": reading_of_prose(may_be_example=False),
                "documented_on": reading_of_day(),
            },
        )

    def key(self, values: Values) -> str:
        """Return area and day: one file says one potential of an area from a day on."""
        return f"{values[0]}{_SEPARATOR}{values[1]}"

    def _contradiction(self, first: Row) -> Remark:
        return Remark(
            "contradicting-rows",
            "workers",
            _("row {number} states another potential of this area from the same day on").format(
                number=first.number
            ),
            _("Keep one, or give them two days."),
        )

    def workers(self, values: Values) -> int:
        """Return the potential."""
        return int(values[2])

    def command(self, rows: Sequence[Row], sheet: str | None) -> Command:
        """Return the one command of a row."""
        area, valid_from, workers, definition, source, documented_on = rows[0].values
        return RevisePotential(
            area=area,
            valid_from=date.fromisoformat(valid_from),
            workers=workers,
            definition=definition,
            source=source,
            documented_on=_day(documented_on),
            row=rows[0].number,
            sheet=sheet,
        )


class TargetForm(_AreaForm):
    """Coverage targets: `area, due_on, percent, basis, source, documented_on`."""

    def __init__(self, locale: Locale, area_codes: AreaCodes, boundaries: Boundaries) -> None:
        super().__init__(
            "targets",
            {
                "area": reading_of_area(area_codes, regencies_only=False, boundaries=boundaries),
                "due_on": reading_of_day(),
                "percent": reading_of_percent(locale),
                "basis": reading_of_prose(),
                "source": reading_of_prose(may_be_example=False),
                "documented_on": reading_of_day(),
            },
        )

    def command(self, rows: Sequence[Row], sheet: str | None) -> Command:
        """Return the one command of a row."""
        area, due_on, percent, basis, source, documented_on = rows[0].values
        return SetTarget(
            area=area,
            due_on=date.fromisoformat(due_on),
            percent=Decimal(percent),
            basis=basis or "",
            source=source,
            documented_on=_day(documented_on),
            row=rows[0].number,
            sheet=sheet,
        )


class FigureForm(_AreaForm):
    """Published figures: an area, a day, at least one number, who printed it and where."""

    def __init__(
        self,
        locale: Locale,
        area_codes: AreaCodes,
        categories: Categories,
        boundaries: Boundaries,
    ) -> None:
        super().__init__(
            "figures",
            {
                "area": reading_of_area(area_codes, regencies_only=False, boundaries=boundaries),
                "as_of": reading_of_as_of(),
                "category": reading_of_category(categories),
                "segment": reading_of_word("segment"),
                "active": reading_of_count(locale, minimum=0),
                "potential": reading_of_count(locale),
                "percent": reading_of_percent(locale),
                "uncovered_percent": reading_of_percent(locale),
                "target_percent": reading_of_percent(locale),
                "gap": reading_of_quantity(locale),
                "tolerance": reading_of_count(locale, minimum=0),
                "publisher": reading_of_prose(),
                "published_on": reading_of_day(),
                "source": reading_of_prose(may_be_example=False),
                "quote": reading_of_prose(),
            },
        )

    def shape_remarks(self, values: Values) -> Sequence[Remark]:
        """Say which cells are missing; a figure without any number claims nothing."""
        remarks = list(super().shape_remarks(values))
        if all(values[self._at[name]] is None for name in _FIGURE_NUMBERS):
            remarks.append(
                missing(
                    "active",
                    _("the figure has no number"),
                    _("Fill in at least one of {columns}.").format(
                        columns=", ".join(_FIGURE_NUMBERS)
                    ),
                )
            )
        return remarks

    def command(self, rows: Sequence[Row], sheet: str | None) -> Command:
        """Return the one command of a row."""
        cells = dict(zip(self.columns, rows[0].values, strict=True))
        as_of, segment, published_on = cells["as_of"], cells["segment"], cells["published_on"]
        return PublishFigure(
            area=cells["area"],
            as_of=None if as_of == UNKNOWN_DAY else as_of,
            publisher=cells["publisher"],
            source=cells["source"],
            category=cells["category"],
            segment=Segment(segment) if segment else None,
            active=cells["active"],
            potential=cells["potential"],
            percent=cells["percent"],
            uncovered_percent=cells["uncovered_percent"],
            target_percent=cells["target_percent"],
            gap=cells["gap"],
            tolerance=cells["tolerance"] or 0,
            published_on=_day(published_on),
            quote=cells["quote"],
            row=rows[0].number,
            sheet=sheet,
        )


class ChangeForm(_AreaForm):
    """Changes of areas: `area, change, on, from, to, document, source, note`.

    Areas stay as written: a row may name one that only another row opens or recodes.
    """

    def __init__(self) -> None:
        super().__init__(
            "areas",
            {
                "area": reading_of_area_text(),
                "change": reading_of_word("change"),
                "on": reading_of_day(),
                "from": reading_of_area_text(),
                "to": reading_of_area_text(),
                "document": reading_of_prose(),
                "source": reading_of_prose(may_be_example=False),
                "note": reading_of_prose(),
            },
        )

    def command(self, rows: Sequence[Row], sheet: str | None) -> Command:
        """Return the one command of a row."""
        area, change, on, before, after, document, source, note = rows[0].values
        return ChangeArea(
            area=area,
            change=Change(change),
            on=date.fromisoformat(on),
            before=before,
            after=after,
            source=source,
            document=document,
            note=note,
            row=rows[0].number,
            sheet=sheet,
        )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
