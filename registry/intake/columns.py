"""The columns of the five kinds of files, by all their names in Indonesian and English.

Owns the table only; how a header is compared and what is refused stands in headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

InputKind = Literal["batches", "potentials", "targets", "figures", "areas"]
KINDS: Final[tuple[InputKind, ...]] = get_args(InputKind)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: its name, whether the file must have it, and its other names.

    The first alias is the Indonesian header that a template carries.
    """

    name: str
    aliases: tuple[str, ...]
    required: bool = False


_SOURCE: Final = Column(
    "source", ("sumber", "sumber data", "sumber berita", "media"), required=True
)
_DOCUMENTED_ON: Final = Column(
    "documented_on", ("tanggal dokumen", "tgl dokumen", "tanggal sumber", "tgl sumber")
)
_AREA: Final = Column(
    "area",
    (
        "kabupaten/kota", "kab/kota", "kabkota", "kabupaten", "kota", "kabupaten atau kota",
        "wilayah", "kode wilayah", "nama wilayah", "nama kabupaten/kota", "nama kabupaten",
        "kode kabupaten/kota", "daerah", "pemerintah daerah", "pemda", "provinsi", "province",
        "regency", "regency/city", "area code", "ke wilayah", "wilayah tujuan",
    ),
    required=True,
)  # fmt: skip
PROVINCE_NAMES: Final = frozenset({"provinsi", "province"})  # of those of the area
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
                "nomor_sk", "no sk", "sk", "nomor keputusan", "no keputusan",
                "nomor surat keputusan", "no surat keputusan",
                "surat keputusan", "referensi", "nomor referensi", "no referensi", "nomor batch",
                "no batch", "kode batch", "batch", "sk number", "reference number",
            ),
            required=True,
        ),
        Column("part", ("bagian", "bagian ke", "bagian sk")),
        Column(
            "action",
            (
                "tindakan", "aksi", "jenis", "jenis tindakan", "jenis aksi", "jenis mutasi",
                "mutasi", "jenis transaksi", "jenis batch",
            ),
            required=True,
        ),
        _AREA,
        _CATEGORY,
        Column(
            "from_category",
            ("dari kategori", "kategori asal", "kategori semula", "kategori lama"),
        ),
        Column(
            "workers",
            (
                "jumlah", "jumlah pekerja", "jumlah peserta", "jumlah tenaga kerja", "jumlah tk",
                "jumlah orang", "jumlah jiwa", "jml", "jml pekerja", "jml peserta",
                "jml tenaga kerja", "jml tk", "jml orang", "banyaknya",
                "jumlah diterima", "jumlah disetujui", "diterima",
                "disetujui", "pekerja", "peserta", "tenaga kerja", "heads", "head count",
                "worker count", "number of workers",
            ),
        ),
        Column(
            "effective_on",
            (
                "TMT", "berlaku", "tanggal berlaku", "tgl berlaku", "berlaku mulai",
                "mulai berlaku", "berlaku sejak", "tanggal mulai", "tgl mulai", "tanggal efektif",
                "tgl efektif", "tanggal tmt", "tgl tmt", "tmt berlaku", "TMT awal", "TMT mulai",
                "awal berlaku", "tanggal awal", "tgl awal", "mulai", "mulai tanggal", "sejak",
                "terhitung mulai tanggal", "effective date", "effective",
            ),
        ),
        Column(
            "covered_until",
            (
                "berlaku sampai", "sampai", "sampai dengan", "s/d", "sampai tanggal",
                "berlaku hingga", "hingga", "masa berlaku sampai", "terlindungi sampai",
                "dilindungi sampai", "tanggal berakhir", "tgl berakhir", "berakhir",
                "tanggal akhir", "tgl akhir", "TMT akhir", "TMT s/d", "berlaku s/d", "s/d tanggal",
                "berlaku sampai dengan", "berlaku s/d tanggal", "periode s/d", "periode sampai",
                "sd", "berlaku sd", "akhir berlaku", "masa berlaku s/d", "masa berlaku hingga",
                "until",
            ),
        ),
        Column(
            "of_batch",
            (
                "sk asal", "dari sk", "nomor sk asal", "no sk asal", "sk lama", "sk sebelumnya",
                "batch asal", "dari batch",
            ),
        ),
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
                "program", "program bpjs", "program jamsostek", "program jaminan", "program perlindungan", "programs", "programme",
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
                "ditetapkan", "tanggal ditetapkan", "tgl ditetapkan", "tanggal penetapan", "tgl penetapan",
                "tanggal sk", "tgl sk", "tanggal surat keputusan", "tanggal dokumen",
                "tgl dokumen", "decision date",
            ),
        ),
        Column("document", ("dokumen", "nama dokumen", "judul dokumen", "judul sk", "tentang")),
        Column("proposed", ("diusulkan", "usulan", "jumlah usulan", "jumlah diusulkan")),
        Column("rejected", ("ditolak", "jumlah ditolak", "rincian ditolak", "penolakan")),
        Column("note", ("keterangan", "catatan", "ket", "notes")),
        Column(
            "from_area",
            ("dari wilayah", "wilayah asal", "dari kabupaten/kota", "kabupaten/kota asal"),
        ),
        Column("of_part", ("bagian asal", "bagian sk asal", "dari bagian")),
    ),
    "potentials": (
        _AREA,
        Column(
            "valid_from",
            (
                "berlaku", "berlaku sejak", "berlaku mulai", "mulai berlaku", "tanggal berlaku",
                "tgl berlaku", "TMT",
            ),
            required=True,
        ),
        Column(
            "workers",
            (
                "jumlah", "potensi", "potensi tenaga kerja", "potensi pekerja", "jumlah potensi",
                "jumlah pekerja", "jumlah tenaga kerja", "jml", "jml potensi", "jml pekerja",
                "jml tenaga kerja", "potential", "labour potential",
            ),
            required=True,
        ),
        Column("definition", ("definisi", "definisi potensi"), required=True),
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
            required=True,
        ),
        Column(
            "percent",
            (
                "persen", "persentase", "target", "target persen", "persen target",
                "persentase target", "target cakupan", "target percent",
            ),
            required=True,
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
            required=True,
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
        Column("publisher", ("penerbit", "diterbitkan oleh", "published by"), required=True),
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
    "areas": (
        _AREA,
        Column("change", ("perubahan", "jenis perubahan"), required=True),
        Column(
            "on",
            (
                "berlaku", "berlaku sejak", "berlaku mulai", "mulai berlaku", "tanggal berlaku",
                "tgl berlaku", "TMT", "effective_on",
            ),
            required=True,
        ),
        Column("from", ("semula", "dari", "asal", "before")),
        Column("to", ("menjadi", "ke", "after"), required=True),
        Column("document", ("dokumen", "dasar hukum", "peraturan")),
        _SOURCE,
        Column("note", ("keterangan", "catatan", "ket", "notes")),
    ),
}  # fmt: skip

# Headers of persons: the SIPP upload templates (docs/glossary.md), and what offices call them.
PERSONAL_NAMES: Final = frozenset(
    {
        "nama", "nama lengkap", "nama peserta", "nama pekerja", "nama tenaga kerja", "nama tk",
        "nama karyawan", "nama pegawai", "nama ibu", "nama ibu kandung", "nama sesuai ktp",
        "nama ahli waris", "e mail", "name", "full name", "worker name", "gelar", "tempat lahir",
        "tanggal lahir", "tgl lahir", "tempat tanggal lahir", "ttl", "lahir", "date of birth",
        "birth date", "dob", "umur", "usia", "jenis kelamin", "kelamin", "gender", "sex",
        "golongan darah", "status kawin", "status perkawinan", "jenis identitas",
        "masa laku identitas", "nomor identitas", "no identitas", "nomor identitas kpj",
        "identitas", "nomor peserta", "no peserta", "nomor kepesertaan", "no kepesertaan",
        "nomor kartu", "no kartu", "nomor kartu peserta", "no kartu peserta", "nomor pegawai",
        "no pegawai", "id pegawai", "kode tk", "nip", "surat menyurat ke", "tanggal kepesertaan",
        "kode pos", "upah", "rapel", "gaji", "kode bank", "nama bank", "nama rekening",
        "nomor rekening", "no rekening", "ktp elektronik", "foto", "tanda tangan",
        "lokasi pekerjaan", "status pegawai", "tgl awal bekerja", "tgl akhir kontrak", "no hp",
        "nomor hp",
    }
)  # fmt: skip
PERSONAL_WORDS: Final = frozenset(
    {
        "nik", "ktp", "kpj", "npwp", "telepon", "telpon", "telp", "hp", "handphone", "ponsel",
        "phone", "mobile", "whatsapp", "wa", "email", "surel", "alamat", "domisili", "address",
        "rekening", "paspor", "passport", "nokk",
    }
)  # fmt: skip
COUNTING_WORDS: Final = frozenset({"jumlah", "total", "banyaknya", "number", "count"})
