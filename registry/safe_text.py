r"""The printable form of text from outside: nothing hidden, nothing obeyed, nobody named.

Owns what may reach a terminal, a log or a report. Pure, standard library only.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LIMIT: Final = 80  # characters: one line of a terminal
PERSONAL_DIGITS_MIN: Final = 11  # a KPJ has 11 digits, a NIK 16, a family card 16
NIK_DIGITS: Final = 16
WITHHELD: Final = "[number withheld]"
LATIN_1_MAX: Final = 0xFF
BASIC_PLANE_MAX: Final = 0xFFFF
CUT: Final = "…"

# Categories that print nothing, or turn the text around: controls, formats (bidi, zero-width),
# surrogates, private use, unassigned, line and paragraph separators.
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that print as nothing although their category says otherwise (UTS 39 and
# Default_Ignorable_Code_Point of Unicode 15): fillers, joiners, variation selectors, braille blank.
_HIDDEN_RANGES: Final = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_HIDDEN_LETTERS: Final = re.compile(f"[{_HIDDEN_RANGES}]")
_INVISIBLE: Final = (
    r"\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff" + _HIDDEN_RANGES
)
_GAP: Final = rf"[{_INVISIBLE}]*+"
_BETWEEN: Final = r" .\-\xa0\u2007\u2009\u202f\u2010-\u2015\u2212"
_SEPARATOR: Final = rf"[{_BETWEEN}]?+"
# One digit after another; whatever prints as nothing does not hide the number. Possessive (`*+`),
# so that no text costs more than one pass; not of groups, which Python before 3.11.5 reads too far
# (https://github.com/python/cpython/issues/106052). With a space, dot or hyphen between digits it must be
# just as long as a NIK: numbers of decrees (100.3.3.2.1234.2025) are written so too.
_PERSONAL: Final = re.compile(
    rf"\d(?:{_GAP}\d){{{PERSONAL_DIGITS_MIN - 1},}}"
    rf"|(?<!\d)\d(?:{_GAP}{_SEPARATOR}{_GAP}\d){{{NIK_DIGITS - 1}}}(?!{_GAP}{_SEPARATOR}{_GAP}\d)"
)
# In groups of whatever length where the word right before says whose it is: KPJ 1234-5678-901,
# HP (+62) 812-3456-7890.
_LOOSE: Final = rf"[{_BETWEEN}()]{{0,2}}+"
_SAYING_SO: Final = (
    "nik|ktp|kk|kpj|nip|npwp|hp|handphone|ponsel|mobile|phone|telp|tlp|telpon|telepon|wa|whatsapp"
    "|rek|rekening|paspor|passport"
)
_NAMED: Final = re.compile(
    rf"(?<![^\W_])(?:{_SAYING_SO})(?:\W{{0,3}}(?:no|nomor|number))?[^\w]{{0,6}}"
    rf"(?P<number>\d(?:{_GAP}{_LOOSE}{_GAP}\d){{{PERSONAL_DIGITS_MIN - 1},}})",
    re.IGNORECASE,
)
_WORDS: Final = tuple(_SAYING_SO.split("|"))
_LONG: Final = re.compile(f"[0-9]{{{PERSONAL_DIGITS_MIN}}}")
# = + - @, their full-width and small forms: a spreadsheet reads each as the start of a formula.
_STARTERS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
_BEFORE: Final = "[\\s\"'`\u2018\u2019\u201c\u201d]*"  # spaces and quotes hide nothing from it
# A cell begins at the start of the text; and, for a spreadsheet whose list separator is ";" (as
# in Indonesia), after every ";" of a comma-separated file, and after a line feed.
_FORMULA: Final = re.compile(
    rf"\A(?={_BEFORE}[{_STARTERS}\x00\t\r\n])|(?<=[;\n])(?={_BEFORE}[{_STARTERS}])"
)
_OTHER_THAN_DIGITS: Final = bytes(set(range(256)) - set(b"0123456789"))
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}|\d{2}[-.]\d{2}[-.]\d{4}")


def safe(text: str, *, limit: int = LIMIT) -> str:
    r"""Return the text as it may be printed, on one line of at most `limit` characters.

    Composed (NFC); what prints nothing or moves the cursor is shown as `\xNN`, `\uNNNN` or
    `\UNNNNNNNN`; a number long enough to be a NIK or a KPJ is withheld; what is too long ends in …
    """
    masked = _PERSONAL.sub(_withheld, unicodedata.normalize("NFC", text))
    masked = _NAMED.sub(_withheld_after_its_name, masked)
    if len(masked) <= limit and masked.isascii() and masked.isprintable():
        return masked
    pieces: list[str] = []
    length = 0
    for character in masked:
        piece = _visible(character)
        length += len(piece)
        if length > limit:
            return _cut(pieces, limit)
        pieces.append(piece)
    return "".join(pieces)


def looks_personal(text: str) -> bool:
    """Whether the text holds a number long enough to be a person's: a NIK or a KPJ."""
    return names_number(text) or any(
        not _is_of_dates(match[0]) for match in _PERSONAL.finditer(text)
    )


def names_number(text: str) -> bool:
    """Whether a number of 11 digits or more, in whatever groups, comes after a word such as KPJ."""
    if text.isascii() and _digits_of_ascii(text) < PERSONAL_DIGITS_MIN:
        return False  # the same, in a tenth of the time
    return any(not _is_of_dates(match["number"]) for match in _NAMED.finditer(text))


def may_be_personal(ascii_lines: str) -> bool:
    """Whether one of many lines may hold such a number; False where surely none does.

    Asked of all at once, which takes a tenth of the time: what goes on in the next line only adds to it.
    """
    if _LONG.search(ascii_lines):
        return True
    folded = ascii_lines.lower()
    return any(word in folded for word in _WORDS) and _NAMED.search(ascii_lines) is not None


def _digits_of_ascii(text: str) -> int:
    return len(text.encode().translate(None, _OTHER_THAN_DIGITS))


def unformulated(text: str) -> str:
    """Return the text with `'` before whatever a spreadsheet would run as a formula.

    The quote is what a spreadsheet's own user types to say "this is text". Taking one `'` away
    wherever this would have put it gives the text back.
    """
    return _FORMULA.sub("'", text)


def _withheld(match: re.Match[str]) -> str:
    return match[0] if _is_of_dates(match[0]) else WITHHELD


def _withheld_after_its_name(match: re.Match[str]) -> str:
    if _is_of_dates(match["number"]):
        return match[0]
    return match[0].removesuffix(match["number"]) + WITHHELD


def _is_of_dates(number: str) -> bool:
    """Whether the digits are dates one after another: `2025-07-16 2025-07-31`."""
    left = _DATE.sub("", number)
    return left != number and not any(character.isdigit() for character in left)


def _visible(character: str) -> str:
    if " " <= character <= "~":
        return character
    hidden = unicodedata.category(character) in _HIDDEN_CATEGORIES
    if not hidden and not _HIDDEN_LETTERS.match(character):
        return character
    code = ord(character)
    if code <= LATIN_1_MAX:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= BASIC_PLANE_MAX else f"\\U{code:08x}"


def _cut(pieces: list[str], limit: int) -> str:
    kept = list(pieces)
    while kept and sum(map(len, kept)) + len(CUT) > limit:
        kept.pop()
    return "".join(kept) + CUT
