"""The archive of an .xlsx or .ods, looked over before any parser is let near it.

Runs in the child process only. Owns what a spreadsheet file must not hold (bombs, macros,
passwords, document types) and the words that say so. Reads no cell; standard library only.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from xml.parsers import expat

from registry.language import _

MEMBERS_MAX: Final = 2_000  # a workbook of 100 sheets, each with drawings, has some 500
UNPACKED_BYTES_MAX: Final = 400 << 20  # what can be parsed within the child's memory, at best
RATIO_MAX: Final = 200  # repetitive sheets reach 100; a bomb of deflate 1,000
RATIO_BYTES_MIN: Final = 10 << 20  # below this size a bomb does no harm
SHEETS_MAX: Final = 100  # a monthly sheet for eight years; nobody can look over more
CHUNK_BYTES: Final = 1 << 20

PackageKind = Literal["xlsx", "ods", "xls"]

_DECLARATION: Final = re.compile(rb"<!(?!--|\[CDATA\[)")  # DOCTYPE and ENTITY: no writer uses them
_OVERLAP: Final = 16  # bytes kept between two chunks, so that no mark is cut in two
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_ENCRYPTED_FLAG: Final = 0x1


class PackageRefusedError(Exception):
    """The file is refused before it is parsed: what, why, and what to do."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        super().__init__(what)
        self.lines = (what, why, remedy)


def refused_macros() -> PackageRefusedError:
    """Return the refusal of a workbook that brings a program along."""
    return PackageRefusedError(
        _("the workbook holds macros"),
        _("a file with a program inside is not read"),
        _("save it as .xlsx, without macros"),
    )


def refused_password() -> PackageRefusedError:
    """Return the refusal of an encrypted workbook."""
    return PackageRefusedError(
        _("the workbook is protected by a password"),
        _("its cells are encrypted"),
        _("save it without a password"),
    )


def refused_damaged(detail: str) -> PackageRefusedError:
    """Return the refusal of a file that does not hold together."""
    return PackageRefusedError(
        _("the spreadsheet is damaged"),
        detail,
        _("open it in a spreadsheet program and save it again"),
    )


def refused_far_cell() -> PackageRefusedError:
    """Return the refusal of a sheet that would fill the memory with blank cells."""
    return PackageRefusedError(
        _("a sheet spans far more cells than a table"),
        _("a forgotten cell stands very far from the table (Ctrl+End shows it)"),
        _("copy the table alone into a new workbook, or save it as CSV"),
    )


def refused_sheets(count: int) -> PackageRefusedError:
    """Return the refusal of a workbook with more sheets than anybody looks over."""
    return PackageRefusedError(
        _("the workbook has {count} sheets").format(count=count),
        _("at most {sheets_max} are read").format(sheets_max=SHEETS_MAX),
        _("keep the sheets with the table only"),
    )


def checked_zip(path: Path) -> PackageKind:
    """Look over every member of the archive; return what it is. Raises: PackageRefusedError."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_members(members, path.stat().st_size)
            kind = _kind_of({member.filename for member in members}, archive)
            total = 0
            for member in members:
                if member.filename.lower().endswith((".xml", ".rels")):
                    total += _check_xml(archive, member, UNPACKED_BYTES_MAX - total)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise refused_damaged(
            _("its archive cannot be unpacked: {error}").format(error=error)
        ) from None
    return kind


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    names = [member.filename.replace("\\", "/") for member in members]
    if len(members) > MEMBERS_MAX:
        raise PackageRefusedError(
            _("the archive has {members} members").format(members=len(members)),
            _("at most {members_max:,} are read (too many sheets, or an archive bomb)").format(
                members_max=MEMBERS_MAX
            ),
            _("keep the sheets with the table only"),
        )
    if any(member.flag_bits & _ENCRYPTED_FLAG for member in members):
        raise refused_password()
    if any(name.startswith("/") or ".." in name.split("/") or ":" in name for name in names):
        raise PackageRefusedError(
            _("the archive names a path outside itself"),
            _("no spreadsheet program writes such a file"),
            _("ask whoever sent it where it comes from"),
        )
    if len({name.lower() for name in names}) != len(names):
        raise refused_damaged(_("two members of its archive have the same name"))
    if any(re.search(r"vbaproject|/macrosheets/|^Basic/", name, re.IGNORECASE) for name in names):
        raise refused_macros()
    unpacked = sum(member.file_size for member in members)
    bombs = [
        member
        for member in members
        if member.file_size > RATIO_BYTES_MIN
        and member.file_size > RATIO_MAX * max(member.compress_size, 1)
    ]
    if unpacked > UNPACKED_BYTES_MAX or bombs:
        raise _refused_bomb(_("it unpacks to {unpacked:,} MiB").format(unpacked=unpacked >> 20))
    if sum(member.compress_size for member in members) > size:
        raise _refused_bomb(_("its members overlap"))


def _refused_bomb(why: str) -> PackageRefusedError:
    return PackageRefusedError(
        _("the archive unpacks to far more than a table"),
        _("{why}; such a file would fill the memory (an archive bomb)").format(why=why),
        _("save the table alone as CSV"),
    )


def _kind_of(names: set[str], archive: zipfile.ZipFile) -> PackageKind:
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "content.xml" in names and "mimetype" in names:
        with archive.open("mimetype") as stream:
            mimetype = stream.read(100)
        if mimetype.strip() == b"application/vnd.oasis.opendocument.spreadsheet":
            return "ods"
    what = _("an archive, not a spreadsheet")
    if "xl/workbook.bin" in names:
        what = _("a binary workbook (.xlsb)")
    elif any(name.startswith("word/") for name in names):
        what = _("a Word document")
    elif any(name.startswith("ppt/") for name in names):
        what = _("a presentation")
    elif "content.xml" in names:
        what = _("an OpenDocument file, but not a spreadsheet")
    raise PackageRefusedError(
        _("it is {what}").format(what=what),
        _(".xlsx, .xls, .ods and CSV are read"),
        _("save the table as .xlsx or CSV"),
    )


def _check_xml(archive: zipfile.ZipFile, member: zipfile.ZipInfo, bytes_max: int) -> int:
    """Unpack one member for the look of it; return its true size, whatever its entry claims."""
    size, tail = 0, b""
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            if size == 0 and chunk.startswith(_UTF16_MARKS):
                raise refused_damaged(_("a part of it is not in UTF-8"))
            size += len(chunk)
            if size > bytes_max:
                raise _refused_bomb(
                    _("it unpacks to more than {unpacked_bytes_max} MiB").format(
                        unpacked_bytes_max=UNPACKED_BYTES_MAX >> 20
                    )
                )
            if _DECLARATION.search(tail + chunk):
                raise PackageRefusedError(
                    _("the spreadsheet declares a document type or entities"),
                    _("no spreadsheet program does; it is a known attack on parsers"),
                    _("ask whoever sent it where it comes from"),
                )
            tail = chunk[-_OVERLAP:]
    return size


@dataclass(frozen=True, slots=True)
class XlsxSheet:
    """A sheet of an .xlsx as its workbook lists it, and the archive's member with its cells."""

    name: str
    member: str


def xlsx_sheets(archive: zipfile.ZipFile) -> tuple[list[XlsxSheet], bool]:
    """Return the listed sheets, and whether the workbook asks to be calculated when opened."""
    _check_root(archive)
    targets: dict[str, str] = {}
    sheets: list[XlsxSheet] = []
    uncalculated = False
    for name, attributes in elements(archive, "xl/_rels/workbook.xml.rels"):
        if name == "Relationship":
            target = posixpath.join("/xl", attributes.get("Target", ""))
            targets[attributes.get("Id", "")] = posixpath.normpath(target).lstrip("/").lower()
    members = {member.lower(): member for member in archive.namelist()}
    for name, attributes in elements(archive, "xl/workbook.xml"):
        if name == "sheet":
            relation = next((v for k, v in attributes.items() if k.rpartition(":")[2] == "id"), "")
            member = members.get(targets.get(relation, ""))
            if member is None:
                raise refused_damaged(_("a sheet that it lists is not in it"))
            sheets.append(XlsxSheet(attributes.get("name", ""), member))
        elif name == "calcPr":
            uncalculated = attributes.get("fullCalcOnLoad") in {"1", "true"}
    if len(sheets) > SHEETS_MAX:
        raise refused_sheets(len(sheets))
    return sheets, uncalculated


def _check_root(archive: zipfile.ZipFile) -> None:
    """Refuse an archive whose entrance leads to another workbook than the one looked over."""
    for name, attributes in elements(archive, "_rels/.rels"):
        if name == "Relationship" and attributes.get("Type", "").endswith("/officeDocument"):
            target = posixpath.normpath(posixpath.join("/", attributes.get("Target", "")))
            if target != "/xl/workbook.xml":
                raise refused_damaged(_("its workbook is not where every program puts it"))


def elements(archive: zipfile.ZipFile, member: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each element's local name and attributes, in document order; nothing if it is absent."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append(
        (name.rpartition(":")[2], attributes)
    )
    try:
        with archive.open(member) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                parser.Parse(chunk, False)  # noqa: FBT003 - expat's own signature
                yield from found
                found.clear()
    except KeyError:
        return
    except expat.ExpatError as error:
        raise refused_damaged(f"{member}: {error}") from None
