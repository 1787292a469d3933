"""Which encoding the bytes of a text file are in, found by checking every one of them, once.

Owns what makes bytes a text that can be read, and says in which line they are not. No detector
guesses: a byte-order mark, then UTF-8, then Windows-1252, or a refusal.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final

from registry.errors import InputUnreadableError
from registry.language import _

CHUNK_BYTES: Final = 1 << 20
LINE_BYTES_MAX: Final = CHUNK_BYTES  # a line is held in memory whole; 200 full columns of notes
LINES_MAX: Final = 10_000_000  # about what fits in the largest file; a million rows are usual

# Everything below a space but tab, LF and CR; and DEL. No office program writes them into text.
_CONTROLS: Final = bytes(code for code in [*range(32), 127] if code not in b"\t\n\r")
_CONTROL: Final = re.compile(b"[" + re.escape(_CONTROLS) + b"]")
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
# A character of UTF-8 outside ASCII, over-long forms included; bytes as Latin-1.
_UTF8_SEQUENCE: Final = re.compile(
    r"[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3}"
)
_UNDEFINED_CP1252: Final = re.compile(r"[\x81\x8d\x8f\x90\x9d]")

_UTF8_BOM: Final = codecs.BOM_UTF8
_OTHER_FORMATS: Final = (
    (b"%PDF", _("a PDF document")),
    (b"{\\rtf", _("an RTF document")),
    (b"\x1f\x8b", _("a gzip archive")),
    (b"Rar!", _("a RAR archive")),
    (b"7z\xbc\xaf\x27\x1c", _("a 7z archive")),
    (b"SQLite format 3\x00", _("an SQLite database")),
    (b"PAR1", _("a Parquet file")),
    (b"\x89PNG", _("a picture")),
    (b"\xff\xd8\xff", _("a picture")),
    (b"\x09\x00\x04\x00", _("a spreadsheet of Excel 2")),
    (b"\x09\x02\x06\x00", _("a spreadsheet of Excel 3")),
    (b"\x09\x04\x06\x00", _("a spreadsheet of Excel 4")),
)
_MARKUP: Final = re.compile(rb"\s*<(?:!doctype|html|\?xml|table|head|meta)", re.IGNORECASE)


class _Utf8:
    """Whether the bytes fed so far are UTF-8; `broken_at` is the first that is not."""

    def __init__(self) -> None:
        self.broken_at: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._fed = 0

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        if self.broken_at is not None:
            return
        held = len(self._decoder.getstate()[0])  # bytes of a character cut by the last chunk
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            self.broken_at = self._fed - held + error.start
        self._fed += len(chunk)


def checked_encoding(path: Path, name: str) -> str:
    """Return the encoding that all bytes of the file are in.

    Raises: InputUnreadableError, with the line.
    """
    offset = lines = pending = 0
    utf8 = _Utf8()
    has_mark = False
    with path.open("rb") as stream:
        _refuse_other_formats(stream.read(CHUNK_BYTES), name)
        stream.seek(0)
        while chunk := stream.read(CHUNK_BYTES):
            if offset == 0:
                has_mark = chunk.startswith(_UTF8_BOM)
            if len(chunk.translate(None, _CONTROLS)) != len(chunk):
                raise _control_byte(path, name, offset, chunk)
            lines += chunk.count(b"\n") or chunk.count(b"\r")
            pending = _line_length(chunk, pending)
            if pending > LINE_BYTES_MAX or lines > LINES_MAX:
                raise _too_long(name, lines, _line_of(path, offset))
            utf8.feed(chunk)
            offset += len(chunk)
    utf8.feed(b"", final=True)
    if utf8.broken_at is None:
        return "utf-8-sig" if has_mark else "utf-8"
    if has_mark:
        raise _broken_utf8(path, name, utf8.broken_at)
    _refuse_unless_cp1252(path, name)
    return "cp1252"


def _refuse_other_formats(head: bytes, name: str) -> None:
    what = next((what for magic, what in _OTHER_FORMATS if head.startswith(magic)), None)
    if _MARKUP.match(head.removeprefix(_UTF8_BOM)):
        what = _("a web page or an XML document, whatever its name says")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        what = _("text in UTF-16 (“Unicode text”)")
    if not head:
        raise InputUnreadableError(
            _("{name} is empty").format(name=name), why=_("it has no bytes"), remedy=_("check it")
        )
    if what:
        raise InputUnreadableError(
            _("{name} is {what}").format(name=name, what=what),
            why=_("CSV text, .xlsx, .xls and .ods are read"),
            remedy=_("open it in a spreadsheet program and save it as .xlsx or as CSV UTF-8"),
        )


def _line_length(chunk: bytes, pending: int) -> int:
    """Return the longest line that this chunk ends, or else the one it leaves open.

    Lines wholly inside a chunk are never longer than the limit, so they need no look.
    """
    ends = (chunk.find(b"\n"), chunk.find(b"\r"))
    first = min((end for end in ends if end >= 0), default=-1)
    if first < 0:
        return pending + len(chunk)
    if pending + first > LINE_BYTES_MAX:
        return pending + first
    return len(chunk) - 1 - max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))


def _refuse_unless_cp1252(path: Path, name: str) -> None:
    """Windows-1252 takes almost any byte, so look for what it cannot be, line by line."""
    with path.open(encoding="latin-1", newline="") as bytes_as_text:
        for number, line in enumerate(bytes_as_text, start=1):
            if line.isascii():
                continue
            if _UNDEFINED_CP1252.search(line):
                raise InputUnreadableError(
                    _("a character cannot be read"),
                    where=f"{name}:{number}",
                    why=_("its byte belongs neither to UTF-8 nor to Windows-1252"),
                    remedy=_("save the file as CSV UTF-8"),
                )
            if _UTF8_SEQUENCE.search(line):
                raise InputUnreadableError(
                    _("the file mixes two encodings"),
                    where=f"{name}:{number}",
                    why=_("this line is UTF-8, but another line is not"),
                    remedy=_("save the whole file as CSV UTF-8"),
                )


def _control_byte(path: Path, name: str, offset: int, chunk: bytes) -> InputUnreadableError:
    found = _CONTROL.search(chunk)
    where = found.start() if found else 0
    code = chunk[where]
    nul = _(" (text in UTF-16, or not a text at all)") if code == 0 else ""
    return InputUnreadableError(
        _("the file holds a character that no text has"),
        where=f"{name}:{_line_of(path, offset + where)}",
        why=_("the byte 0x{code:02x}{nul}").format(code=code, nul=nul),
        remedy=_("save the file as CSV UTF-8, or as .xlsx"),
    )


def _broken_utf8(path: Path, name: str, offset: int) -> InputUnreadableError:
    return InputUnreadableError(
        _("a character cannot be read"),
        where=f"{name}:{_line_of(path, offset)}",
        why=_("the file says it is UTF-8, but this byte is not"),
        remedy=_("save the file again as CSV UTF-8"),
    )


def _too_long(name: str, lines: int, line: int) -> InputUnreadableError:
    if lines > LINES_MAX:
        return InputUnreadableError(
            _("{name} has more than {lines_max:,} lines").format(name=name, lines_max=LINES_MAX),
            remedy=_("split it into several files"),
        )
    return InputUnreadableError(
        _("a line has more than {line_bytes_max:,} bytes").format(line_bytes_max=LINE_BYTES_MAX),
        where=f"{name}:{line}",
        why=_("no row of a table is as long"),
        remedy=_("check that the file is a table, with its line ends"),
    )


def _line_of(path: Path, offset: int) -> int:
    """Return the line of a byte, counting LF, CR and CR LF as an editor does."""
    ends, read, last = 0, 0, b""
    with path.open("rb") as stream:
        while read < offset and (chunk := stream.read(min(CHUNK_BYTES, offset - read))):
            read += len(chunk)
            ends += len(_LINE_END.findall(chunk))
            if last == b"\r" and chunk.startswith(b"\n"):
                ends -= 1
            last = chunk[-1:]
    return ends + 1
