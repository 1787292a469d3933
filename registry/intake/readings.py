"""One column at a time: a cell becomes its canonical value (text, whole number or nothing).

Owns what may stand in one cell and remembers what it has read, since offices repeat themselves.
Knows no row and no batch.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final, Literal, TypeGuard, cast

from registry.cells import CellError, ShownNumber, Value
from registry.dates import parse_as_of, parse_day
from registry.errors import RegistryError, Severity
from registry.language import _, joined
from registry.numbers import Locale, parse_count, parse_percent, parse_quantity
from registry.reference.boundaries import BUILT_IN, Boundaries
from registry.reference.categories import Categories
from registry.reference.spelling import disguise
from registry.reference.words import find_word
from registry.safe_text import looks_personal, may_be_personal, names_number
from registry.terms import (
    LAST_DAY,
    NOTE_LENGTH_MAX,
    REFERENCE_LENGTH_MAX,
    WORKERS_MAX,
    Programme,
    is_regency,
)

AreaCodes = Literal["kemendagri", "bps"]
Canonical = str | int | None
Parse = Callable[[Value], Canonical]

UNKNOWN_DAY: Final = "unknown"  # a figure whose day nobody knows; blank is something else
EXAMPLE_PREFIXES: Final = ("contoh-", "example-")
_REMEMBERED_MAX: Final = 10_000  # per column, as many refused texts again
_REMEMBERED_LENGTH_MAX: Final = 200  # longer texts hardly repeat, and would fill the memory
_WITHHELD: Final = "[withheld]"
_AREA_LENGTH_MAX: Final = 100
_LONG_NUMBER: Final = re.compile(r"\d{11,}")  # a KPJ has 11 digits, a NIK 16
_AS_THOUSANDS: Final = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")  # 45.000, which holds 45
_DECIMALS: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_PROGRAMME_SEPARATORS: Final = re.compile(r"[;,/+&\s]+")
_REJECTED_SEPARATORS: Final = re.compile(r";|,(?=\s*[^\W\d])")  # 1,200 is one number
_PLAIN_LINES: Final = re.compile(rf"(?:[!-~]{{1,{REFERENCE_LENGTH_MAX}}}\n)*")  # without spaces
_AS_TEXT: Final = _("Format the column as text and type the value again.")


class CellRefusedError(Exception):
    """A cell that cannot be taken as it is, or (severity `warning`) only with a remark.

    `reading` is the value to go on with after a warning; `value` what may be shown instead of the
    cell.
    """

    def __init__(
        self,
        code: str,
        why: str,
        remedy: str,
        *,
        severity: Severity = "error",
        reading: Canonical = None,
        value: str | None = None,
    ) -> None:
        super().__init__(why)
        self.code = code
        self.why = why
        self.remedy = remedy
        self.severity: Severity = severity
        self.reading = reading
        self.value = value

    def again(self) -> CellRefusedError:
        """Return the same refusal anew: one that was raised holds on to its whole call stack."""
        return CellRefusedError(
            self.code,
            self.why,
            self.remedy,
            severity=self.severity,
            reading=self.reading,
            value=self.value,
        )


class Reading(dict[Value, Canonical]):
    """The canonical values of one column: `reading[cell]`.

    Raises CellRefusedError. What was read is remembered, at most 10,000 texts at once. Numbers are
    read each time: in a dictionary 1, 1.0 and True are one key, in an office they are not.
    """

    def __init__(self, parse: Parse) -> None:
        super().__init__()
        self._parse = parse
        self._refused: dict[str, CellRefusedError] = {}

    def __missing__(self, cell: Value) -> Canonical:
        if not isinstance(cell, str):
            canonical = self._read(cell)
            if cell is None:
                self[cell] = canonical
            return canonical
        refused = self._refused.get(cell)
        if refused is not None:
            raise refused.again()
        rememberable = len(cell) <= _REMEMBERED_LENGTH_MAX
        try:
            canonical = self._read(cell)
        except CellRefusedError as error:
            if rememberable:
                _make_room(self._refused)
                self._refused[cell] = error.again()
            raise
        if rememberable:
            _make_room(self)
            self[cell] = canonical
        return canonical

    def column(self, cells: Sequence[Value]) -> Sequence[Canonical]:
        """Return the canonical values of many cells."""
        return [*map(self.__getitem__, cells)]

    def _read(self, cell: Value) -> Canonical:
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            return None
        if isinstance(cell, CellError):
            raise CellRefusedError(
                "cell-error",
                _("the spreadsheet holds an error or a formula without a result here"),
                _("Repair the formula, or type the value."),
            )
        try:
            return self._parse(cell)
        except RegistryError as error:
            why = joined(": ", (error.what, error.why)) if error.why else error.what
            raise CellRefusedError(error.code, why, error.remedy) from None


class _References(Reading):
    """References, of which hardly one comes twice but below itself, and most are plain."""

    def column(self, cells: Sequence[Value]) -> Sequence[Canonical]:
        """Look at all texts at once: plain ones are read as they stand."""
        return cells if _are_plain(cells) else super().column(cells)


def _are_plain(cells: Sequence[Value]) -> TypeGuard[Sequence[str]]:
    """Whether each is a text in which nothing needs a look, so that it is its own canonical value."""
    texts = cast("dict[str, None]", dict.fromkeys(cells))
    try:
        lines = "\n".join(texts) + "\n"
    except TypeError:  # one of them is no text
        return False
    if lines.count("\n") > len(texts):  # one is of several lines
        return False
    if _PLAIN_LINES.fullmatch(lines) is None or may_be_personal(lines):
        return False
    folded = f"\n{lines.lower()}"
    return not any(f"\n{prefix}" in folded for prefix in EXAMPLE_PREFIXES)


def _make_room(remembered: dict[Value, Canonical] | dict[str, CellRefusedError]) -> None:
    if len(remembered) >= _REMEMBERED_MAX:
        remembered.clear()


# --- text -------------------------------------------------------------------------------------


def reading_of_reference(*, may_be_example: bool = False) -> Reading:
    """Read a reference or a part: an identity, so hidden characters and lost digits are refused."""

    def parse(cell: Value) -> Canonical:
        text = _text(cell, REFERENCE_LENGTH_MAX)
        if _LONG_NUMBER.search(text) or names_number(text):
            raise _personal()
        if not may_be_example:
            _refuse_example(text)
        return _number_typed_as_text(cell, text)

    return Reading(parse) if may_be_example else _References(parse)


def reading_of_prose(*, may_be_example: bool = True) -> Reading:
    """Read a note, a source, a quotation: one line of printable text, no personal number."""

    def parse(cell: Value) -> Canonical:
        text = _text(cell, NOTE_LENGTH_MAX)
        if looks_personal(text):
            raise _personal()
        if not may_be_example:
            _refuse_example(text)
        return text

    return Reading(parse)


def _text(cell: Value, length_max: int) -> str:
    """Return the cell as one line of composed text; spaces and line breaks count as one space."""
    if not isinstance(cell, str):
        cell = _text_of_number(cell)
    text = " ".join(cell.split())
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        hidden = next(character for character in text if not character.isprintable())
        raise CellRefusedError(
            "hidden-character",
            _("it holds a character that cannot be seen (U+{code:04X})").format(code=ord(hidden)),
            _("Type the cell again instead of pasting it."),
        )
    if len(text) > length_max:
        raise CellRefusedError(
            "too-long",
            _("it has {length} characters; at most {length_max} are kept").format(
                length=len(text), length_max=length_max
            ),
            _("Shorten it."),
        )
    return text


def _text_of_number(cell: Value) -> str:
    if isinstance(cell, date):
        raise CellRefusedError(
            "date-in-text", _("the spreadsheet has made a date of this text"), _AS_TEXT
        )
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise CellRefusedError("not-text", _("the cell holds true or false, not text"), _AS_TEXT)
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else repr(cell)


def _number_typed_as_text(cell: Value, text: str) -> str:
    if isinstance(cell, str):
        return text
    if not text.isdecimal():  # 400.1 may have been 400.10: another document
        raise CellRefusedError(
            "number-as-text",
            _("the spreadsheet holds the number {text} here; zeros at its ends are lost").format(
                text=text
            ),
            _AS_TEXT,
        )
    raise CellRefusedError(
        "number-as-text",
        _(
            "the spreadsheet holds a number here; it is read as {text}, leading zeros are lost"
        ).format(text=text),
        _AS_TEXT,
        severity="warning",
        reading=text,
    )


def _personal() -> CellRefusedError:
    return CellRefusedError(
        "personal-data",
        _("it holds a number of 11 digits or more, as a NIK or a KPJ has"),
        _(
            "The registry counts heads: delete the number. If it is none of a person's, "
            "separate its parts with a comma or a slash."
        ),
        value=_WITHHELD,
    )


def _refuse_example(text: str) -> None:
    if text.casefold().startswith(EXAMPLE_PREFIXES):
        raise CellRefusedError(
            "example-row",
            _("this is an example row of the template"),
            _("Delete the row, or put your own in its place."),
        )


# --- numbers and days -------------------------------------------------------------------------


def reading_of_count(locale: Locale, *, minimum: int = 1) -> Reading:
    """Read a whole number of persons; one that is shown as thousands are written has a remark."""

    def parse(cell: Value) -> Canonical:
        count = parse_count(cell, locale, minimum=minimum, maximum=WORKERS_MAX)
        if isinstance(cell, ShownNumber) and _reads_as_thousands(cell):
            raise CellRefusedError(
                "shown-as-thousands",
                _(
                    "the cell holds {count} and shows {shown}, or the same with a comma:"
                    " it is read as {count}"
                ).format(count=count, shown=cell.text()),
                _("If thousands are meant, type the number without separators."),
                severity="warning",
                reading=count,
            )
        return count

    return Reading(parse)


def _reads_as_thousands(cell: ShownNumber) -> bool:
    return not cell.is_percent and _AS_THOUSANDS.fullmatch(cell.text()) is not None


def reading_of_percent(locale: Locale) -> Reading:
    """Read a percentage as printed, 0 to 1000."""
    return Reading(lambda cell: _stored_decimals(parse_percent(cell, locale)))


def reading_of_quantity(locale: Locale) -> Reading:
    """Read persons or points as printed."""
    return Reading(lambda cell: _stored_decimals(parse_quantity(cell, locale)))


def _stored_decimals(canonical: str) -> str:
    if not _DECIMALS.fullmatch(canonical):
        raise CellRefusedError(
            "invalid-number",
            _("it has more than 12 digits before, or 6 after, the decimal sign"),
            _("Type the number as it was printed."),
        )
    return canonical


def reading_of_day() -> Reading:
    """Read a day as ISO text."""
    return Reading(lambda cell: parse_day(cell).isoformat())


def reading_of_last_day() -> Reading:
    """Read the last covered day; the registry's very last day leaves none to expire on."""

    def parse(cell: Value) -> Canonical:
        day = parse_day(cell)
        if day >= LAST_DAY:
            raise CellRefusedError(
                "invalid-date",
                _("no term ends so late"),
                _("Leave it blank for heads without a term."),
            )
        return day.isoformat()

    return Reading(parse)


def reading_of_as_of() -> Reading:
    """Read the day, month or year a figure is about, or `unknown`."""
    return Reading(lambda cell: parse_as_of(cell) or UNKNOWN_DAY)


# --- words and reference data -----------------------------------------------------------------


def reading_of_area(
    area_codes: AreaCodes, *, regencies_only: bool, boundaries: Boundaries = BUILT_IN
) -> Reading:
    """Read an area, by any code or name that it has or had, as the code the registry keeps it by."""

    def parse(cell: Value) -> Canonical:
        area = boundaries.find(_area_text(cell), area_codes=area_codes)
        if regencies_only and not is_regency(area.code):
            raise CellRefusedError(
                "not-a-regency",
                _("{full_name} is no kabupaten or kota; only those hold batches").format(
                    full_name=area.full_name
                ),
                _("Name the kabupaten or kota of these workers."),
            )
        return area.code

    return Reading(parse)


def reading_of_area_text() -> Reading:
    """Read a code or a name of an area as written: what it means depends on the other rows."""

    def parse(cell: Value) -> Canonical:
        text = _area_text(cell)
        why = disguise(text)
        if looks_personal(text):
            raise _personal()
        if why is not None or len(text) > _AREA_LENGTH_MAX:
            raise CellRefusedError(
                "unknown-area",
                _("in this name, {why}").format(why=why)
                if why
                else _("no name of an area is so long"),
                _("Type the name again by hand, or write the code."),
            )
        return text

    return Reading(parse)


def _area_text(cell: Value) -> str:
    """Return a code typed as a number as text, unless a spreadsheet may have cut its zero."""
    if isinstance(cell, float) and not cell.is_integer():
        text = repr(cell)
        if len(text.partition(".")[2]) != len("06"):
            raise CellRefusedError(
                "area-as-number",
                _(
                    "the spreadsheet holds a number here, which keeps no last zero: 16.10 becomes 16.1"
                ),
                _AS_TEXT,
            )
        return text
    return _text(cell, NOTE_LENGTH_MAX)


def reading_of_category(categories: Categories) -> Reading:
    """Read a category as its slug."""
    return Reading(lambda cell: categories.find(_text(cell, NOTE_LENGTH_MAX)))


def reading_of_word(kind: Literal["action", "change", "funding", "segment", "reason"]) -> Reading:
    """Read a word of a closed list."""
    return Reading(lambda cell: str(find_word(kind, _text(cell, NOTE_LENGTH_MAX)).value))


def reading_of_programmes() -> Reading:
    """Read programmes (`JKK;JKM`) as one text, in the order of the list."""

    def parse(cell: Value) -> Canonical:
        words = [word for word in _PROGRAMME_SEPARATORS.split(_text(cell, NOTE_LENGTH_MAX)) if word]
        found = {find_word("programme", word).value for word in words}
        return ";".join(programme.value for programme in Programme if programme.value in found)

    return Reading(parse)


def reading_of_rejected(locale: Locale) -> Reading:
    """Read refused heads by reason (`invalid-nik:120;duplicate:64`), reasons sorted."""

    def parse(cell: Value) -> Canonical:
        counts: dict[str, int] = {}
        for piece in _REJECTED_SEPARATORS.split(_text(cell, NOTE_LENGTH_MAX)):
            if not piece.strip():
                continue
            word, sign, number = piece.replace("=", ":").rpartition(":")
            if not sign:
                raise _rejected(_("a reason and a number are needed, with a colon between"))
            reason = find_word("rejection", word).value
            if reason in counts:
                raise _rejected(_("{reason} is given twice").format(reason=reason))
            counts[reason] = parse_count(number.strip(), locale)
        if not counts:
            raise _rejected(_("a reason and a number are needed, with a colon between"))
        return ";".join(f"{reason}:{counts[reason]}" for reason in sorted(counts))

    return Reading(parse)


def _rejected(why: str) -> CellRefusedError:
    return CellRefusedError(
        "invalid-rejected", why, _("Write it as invalid-nik:120;duplicate:64, or leave it blank.")
    )
