"""When two spellings are the same name, and when one only looks like it.

Case, spaces, dots, hyphens, apostrophes, underscores and full-width letters make no difference.
Every other character counts. Indonesian names and the words of this registry need no letter
beyond a to z, so any other letter is a disguise: it is refused, never dropped and never replaced,
because a Bangka with a Cyrillic a in it is either a slip of copying or a trick, and both need a person.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from registry.language import _
from registry.safe_text import safe

_TYPOGRAPHIC: Final = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2018\u2019")
_LAYOUT: Final = frozenset("\t\n\r")  # a cell with a line break in it is an ordinary cell
_SEPARATORS: Final = re.compile(r"[\s._'\-\u2010-\u2015\u2018\u2019]+")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_FULL_WIDTH: Final = range(0xFF01, 0xFF5F)


def disguise(text: str) -> str | None:
    """Say why a text may not be what it looks like; None for an honest one."""
    if text.isascii() and text.isprintable():
        return None
    for character in text:
        problem = _disguised(character)
        if problem is not None:
            name = unicodedata.name(character, "no name")
            return _("it holds U+{code:04X} ({name}), {problem}").format(
                code=ord(character), name=safe(name), problem=problem
            )
    return None


def _disguised(character: str) -> str | None:
    if character in _LAYOUT or (character.isascii() and character.isprintable()):
        return None
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return _("which cannot be seen")
    plain = unicodedata.normalize("NFKC", character)
    # A raised or circled digit is a mark beside a name (`16¹`), not a part of a code.
    if ord(character) not in _FULL_WIDTH and any(part.isdigit() for part in plain):
        return _("where only the digits 0 to 9 are read")
    if category == "Zs" or character in _TYPOGRAPHIC or plain.isascii():
        return None
    return _("where only the letters a to z are read")


def folded(text: str) -> str:
    """Return the text with full-width letters made ordinary, in lower case, without outer space."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def words(text: str) -> str:
    """Return the words of a text in lower case, with single spaces between them."""
    return _SEPARATORS.sub(" ", folded(text)).strip()


def key(text: str) -> str:
    """Return what is compared: `Batang Hari`, `Batanghari` and `BATANG-HARI` are one name."""
    return words(text).replace(" ", "")
