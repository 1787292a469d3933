"""Text made harmless where it is written: for a terminal, for a reader of JSON.

Nothing here masks or cuts; that is `registry.safe_text`, for words shown to people.
"""

from __future__ import annotations

import re
from typing import Final

from registry.language import said

# Controls (C0 but LF, DEL, C1), soft hyphen, bidi and zero-width marks, line separators, lone
# surrogates, tags: what moves a cursor, reorders a line or cannot be seen. LF is left, since CSV
# and JSON have a way of their own to write it.
_HIDDEN: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    r"""Say the text, and show what cannot be seen: all but the line feed as `\xNN` or `\uNNNN`."""
    return _HIDDEN.sub(_named, said(text))


def json_escaped(encoded: str) -> str:
    r"""Escape in JSON text the hidden characters that JSON would let through, as `\uNNNN`."""
    return _HIDDEN.sub(_json_named, encoded)


def _named(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code <= 0xFF:  # noqa: PLR2004 (Latin-1)
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 (BMP)


def _json_named(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 (half a character: no reader takes it)
        return f"\\\\u{code:04x}"
    units = chr(code).encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
