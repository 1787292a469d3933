"""Which column is which: header names of the four kinds of files, in Indonesian and English.

Knows names only, never a value; a column of personal numbers or names is refused here, before
anything under it is read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, get_args

from registry.errors import Problem
from registry.intake.grid import Table
from registry.safe_text import safe

InputKind = Literal["batches", "potentials", "targets", "figures"]
KINDS: Final[tuple[InputKind, ...]] = get_args(InputKind)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: its name, whether the file must have it, and its other names.

    The first alias is the Indonesian header that a template carries.
    """

    name: str
    aliases: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class HeaderMap:
    """Where each column is: `positions` name → index; `unnamed` columns have no header.

    `readable` is False where a needed column is missing or given twice: then no row can be judged.
    """

    positions: Mapping[str, int]
    unnamed: tuple[int, ...]
    problems: tuple[Problem, ...]
    readable: bool


_SOURCE: Final = Column("source", ("sumber", "sumber data", "sumber berita", "media"), True)
_DOCUMENTED_ON: Final = Column(
    "documented_on", ("tanggal dokumen", "tgl dokumen", "tanggal sumber", "tgl sumber")
)
_AREA: Final = Column(
    "area",
    (
        "kabupaten/kota", "kab/kota", "kabkota", "kabupaten", "kota", "kabupaten atau kota",
        "wilayah", "kode wilayah", "nama wilayah", "nama kabupaten/kota", "nama kabupaten",
        "kode kabupaten/kota", "daerah", "pemerintah daerah", "pemda", "provinsi", "regency",
        "regency/city", "area code", "ke wilayah", "wilayah tujuan",
    ),
    True,
)  # fmt: skip
_CATEGORY: Final = Column(
    "category",
    (
        "kategori", "kategori pekerja", "kategori peserta", "kelompok pekerja", "jenis pekerja",
        "ke kategori", "kategori tujuan", "kategori baru", "worker category",
    ),
)  # fmt: skip
_SEGMENT: Final = Column("segment", ("segmen", "segmen kepesertaan", "segmen peserta"))

COLUMNS: Final[Mapping[InputKind, tuple[Column, ...]]] = {
    "batches": (
        Column(
            "reference",
            (
                "nomor_sk", "no sk", "sk", "nomor surat keputusan", "no surat keputusan",
                "surat keputusan", "referensi", "nomor referensi", "no referensi", "nomor batch",
                "no batch", "kode batch", "batch", "sk number", "reference number",
            ),
            True,
        ),
        Column("part", ("bagian", "bagian ke", "bagian sk")),
        Column(
            "action",
            (
                "tindakan", "aksi", "jenis", "jenis tindakan", "jenis aksi", "jenis mutasi",
                "mutasi", "jenis transaksi", "jenis batch",
            ),
            True,
        ),
        _AREA,
        _CATEGORY,
        Column(
            "from_category",
            ("dari kategori", "kategori asal", "kategori semula", "kategori lama"),
        ),
        Column(
            "from_area",
            ("dari wilayah", "wilayah asal", "dari kabupaten/kota", "kabupaten/kota asal"),
        ),
        Column(
            "workers",
            (
                "jumlah", "jumlah pekerja", "jumlah peserta", "jumlah tenaga kerja", "jumlah tk",
                "jumlah orang", "jumlah jiwa", "jumlah diterima", "jumlah disetujui", "diterima",
                "disetujui", "pekerja", "peserta", "tenaga kerja", "heads", "head count",
                "worker count", "number of workers",
            ),
        ),
        Column(
            "effective_on",
            (
                "TMT", "berlaku", "tanggal berlaku", "tgl berlaku", "berlaku mulai",
                "mulai berlaku", "berlaku sejak", "tanggal mulai", "tgl mulai", "tanggal efektif",
                "tgl efektif", "tanggal tmt", "tgl tmt", "tmt berlaku",
                "terhitung mulai tanggal", "effective date", "effective",
            ),
        ),
        Column(
            "covered_until",
            (
                "berlaku sampai", "sampai", "sampai dengan", "s/d", "sampai tanggal",
                "berlaku hingga", "hingga", "masa berlaku sampai", "terlindungi sampai",
                "dilindungi sampai", "tanggal berakhir", "tgl berakhir", "berakhir",
                "tanggal akhir", "tgl akhir", "until",
            ),
        ),
        Column(
            "of_batch",
            (
                "sk asal", "dari sk", "nomor sk asal", "no sk asal", "sk lama", "sk sebelumnya",
                "batch asal", "dari batch",
            ),
        ),
        Column("of_part", ("bagian asal", "bagian sk asal", "dari bagian")),
        _SEGMENT,
        Column(
            "funding",
            (
                "sumber dana", "sumber pendanaan", "sumber pembiayaan", "sumber anggaran",
                "pendanaan", "pembiayaan", "dana", "anggaran", "funding source", "funder",
                "funded by",
            ),
        ),
        Column(
            "programmes",
            (
                "program", "program jaminan", "program perlindungan", "programs", "programme",
            ),
        ),
        Column(
            "reason",
            (
                "sebab", "alasan", "sebab na", "sebab nonaktif", "sebab non aktif",
                "alasan nonaktif", "alasan non aktif",
            ),
        ),
        Column(
            "decided_on",
            (
                "ditetapkan", "tanggal ditetapkan", "tgl ditetapkan", "tanggal penetapan",
                "tanggal sk", "tgl sk", "tanggal surat keputusan", "tanggal dokumen",
                "tgl dokumen", "decision date",
            ),
        ),
        Column("document", ("dokumen", "nama dokumen", "judul dokumen", "judul sk", "tentang")),
        Column("proposed", ("diusulkan", "usulan", "jumlah usulan", "jumlah diusulkan")),
        Column("rejected", ("ditolak", "jumlah ditolak", "rincian ditolak", "penolakan")),
        Column("note", ("keterangan", "catatan", "ket", "notes")),
    ),
    "potentials": (
        _AREA,
        Column(
            "valid_from",
            (
                "berlaku", "berlaku sejak", "berlaku mulai", "mulai berlaku", "tanggal berlaku",
                "tgl berlaku", "TMT",
            ),
            True,
        ),
        Column(
            "workers",
            (
                "jumlah", "potensi", "potensi tenaga kerja", "potensi pekerja", "jumlah potensi",
                "jumlah pekerja", "jumlah tenaga kerja", "potential", "labour potential",
            ),
            True,
        ),
        Column("definition", ("definisi", "definisi potensi"), True),
        _SOURCE,
        _DOCUMENTED_ON,
    ),
    "targets": (
        _AREA,
        Column(
            "due_on",
            (
                "tenggat", "jatuh tempo", "batas waktu", "tanggal target", "tgl target",
                "due date", "due",
            ),
            True,
        ),
        Column(
            "percent",
            (
                "persen", "persentase", "target", "target persen", "persen target",
                "persentase target", "target cakupan", "target percent",
            ),
            True,
        ),
        Column("basis", ("dasar", "dasar target", "dasar hukum")),
        _SOURCE,
        _DOCUMENTED_ON,
    ),
    "figures": (
        _AREA,
        Column(
            "as_of",
            (
                "per tanggal", "posisi", "posisi per", "tanggal posisi", "tgl posisi", "per",
                "keadaan per",
            ),
            True,
        ),
        _CATEGORY,
        _SEGMENT,
        Column(
            "active",
            (
                "aktif", "peserta aktif", "jumlah aktif", "jumlah peserta aktif",
                "tenaga kerja aktif", "pekerja aktif", "active workers",
            ),
        ),
        Column(
            "potential",
            (
                "potensi", "potensi tenaga kerja", "potensi pekerja", "jumlah potensi",
                "labour potential",
            ),
        ),
        Column(
            "percent",
            (
                "persen", "persentase", "cakupan", "persentase cakupan", "capaian", "ucj",
                "coverage", "coverage percent",
            ),
        ),
        Column(
            "uncovered_percent",
            (
                "persen belum terlindungi", "persentase belum terlindungi", "belum terlindungi",
                "persen belum",
            ),
        ),
        Column(
            "target_percent",
            ("persen target", "target", "target persen", "persentase target", "target cakupan"),
        ),
        Column("gap", ("selisih", "kekurangan", "kurang")),
        Column("tolerance", ("toleransi",)),
        Column("publisher", ("penerbit", "diterbitkan oleh", "published by"), True),
        Column(
            "published_on",
            (
                "tanggal terbit", "tgl terbit", "diterbitkan", "terbit", "publication date",
                "published",
            ),
        ),
        _SOURCE,
        Column("quote", ("kutipan", "kutipan asli")),
    ),
}  # fmt: skip

_SPACED: Final = re.compile(r"[\W_]+")

# A running number in front of a list; offices have one everywhere and it says nothing.
_ROW_COUNTERS: Final = frozenset({"no", "no urut", "nomor urut", "nomer", "nr", "row number"})

# Headers of persons: the SIPP upload templates (docs/glossary.md), and what offices call them.
_PERSONAL_NAMES: Final = frozenset(
    """
    nama|nama lengkap|nama peserta|nama pekerja|nama tenaga kerja|nama tk|nama karyawan
    nama pegawai|nama ibu|nama ibu kandung|nama sesuai ktp|nama ahli waris|name|full name
    worker name|gelar|tempat lahir|tanggal lahir|tgl lahir|tempat tanggal lahir|ttl|lahir
    date of birth|birth date|dob|umur|usia|jenis kelamin|kelamin|gender|sex|golongan darah
    status kawin|status perkawinan|jenis identitas|masa laku identitas|nomor identitas
    no identitas|nomor identitas kpj|identitas|nomor peserta|no peserta|nomor kepesertaan
    no kepesertaan|nomor kartu|no kartu|nomor kartu peserta|no kartu peserta|nomor pegawai
    no pegawai|id pegawai|kode tk|nip|surat menyurat ke|tanggal kepesertaan|kode pos|upah|rapel
    gaji|kode bank|nama bank|nama rekening|nomor rekening|no rekening|ktp elektronik|foto|tanda tangan
    lokasi pekerjaan|status pegawai|tgl awal bekerja|tgl akhir kontrak|no hp|nomor hp
    """.replace("\n", "|").split("|")
)
_PERSONAL_WORDS: Final = frozenset(
    """
    nik ktp kpj npwp telepon telpon telp hp handphone ponsel phone mobile whatsapp wa email surel
    alamat domisili address rekening paspor passport nokk
    """.split()
)
_COUNTING_WORDS: Final = frozenset({"jumlah", "total", "banyaknya", "number", "count"})
_SUGGESTIONS_MAX: Final = 3


def normalised_header(text: str) -> str:
    """Return a header as compared: NFKC, case-folded, punctuation and underscores as one space."""
    return _SPACED.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def is_personal_header(text: str) -> bool:
    """Whether a header names something of a person (a number, a name, a birthday, an address)."""
    name = normalised_header(text)
    words = name.split()
    if name.strip() in _PERSONAL_NAMES - {""}:
        return True
    return not _COUNTING_WORDS.intersection(words) and bool(_PERSONAL_WORDS.intersection(words))


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
            first = table.address(table.header_row, positions[known])
            problems.append(_duplicate(table, index, known, first, sheet))
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
    return HeaderMap(positions, tuple(unnamed), tuple(problems), readable)


def ignored_nowhere(
    ignore_columns: Iterable[str], headers: Iterable[Sequence[str]]
) -> tuple[str, ...]:
    """Return the columns to ignore that no table has: most likely misspelt."""
    present = {normalised_header(cell) for row in headers for cell in row}
    return tuple(name for name in ignore_columns if normalised_header(name) not in present)


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
            "personal-data",
            "the registry counts heads; it does not take numbers, names or addresses of persons",
            f"Delete the column, or pass --ignore-column {_quoted(header)}: "
            "its cells are then neither read nor kept.",
        )
    if name in _ROW_COUNTERS:
        return _header_problem(
            table,
            index,
            sheet,
            "running-number",
            "a running number; it is not read",
            "Nothing to do.",
            severity="warning",
        )
    suggestions = _suggestions(kind, name)
    meant = f"Is it {' or '.join(suggestions)}? Rename it" if suggestions else "Rename it"
    return _header_problem(
        table,
        index,
        sheet,
        "unknown-column",
        f"no column of a {kind} file is called so",
        f"{meant}, delete it, or pass --ignore-column {_quoted(header)}.",
    )


def _suggestions(kind: InputKind, name: str) -> list[str]:
    from difflib import get_close_matches  # only for a refusal: the import costs milliseconds

    names = _names(kind)
    close = get_close_matches(name, names, n=2 * _SUGGESTIONS_MAX, cutoff=0.6)
    return list(dict.fromkeys(names[match] for match in close))[:_SUGGESTIONS_MAX]


def _duplicate(table: Table, index: int, known: str, first: str, sheet: str | None) -> Problem:
    return _header_problem(
        table,
        index,
        sheet,
        "duplicate-column",
        f"two columns are {known}; the other is {first}",
        f"Keep one, or pass --ignore-column {_quoted(table.headers[index])}.",
    )


def _missing(table: Table, column: Column, sheet: str | None) -> Problem:
    return Problem(
        code="missing-column",
        severity="error",
        where=table.address(table.header_row),
        value=None,
        why=f"the column {column.name} is missing",
        remedy=f"Add it; it may also be called {', '.join(column.aliases[:3])}.",
        sheet=sheet,
    )


def _header_problem(
    table: Table,
    index: int,
    sheet: str | None,
    code: str,
    why: str,
    remedy: str,
    *,
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
