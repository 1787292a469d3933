"""Headers: every name finds its column, persons' columns are refused, nothing is dropped unseen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest

from registry.intake.columns import COLUMNS, KINDS, InputKind
from registry.intake.grid import Row, Table
from registry.intake.headers import (
    HeaderMap,
    ignored_nowhere,
    is_personal_header,
    map_headers,
    normalised_header,
    recognises,
)

# The columns of the SIPP upload templates: what an office has at hand.
SIPP_PERSONAL = [
    "NO_PEGAWAI", "NAMA_LENGKAP", "GELAR", "TELEPON_AREA_RUMAH", "TELEPON_RUMAH",
    "TELEPON_AREA_KANTOR", "TELEPON_KANTOR", "TELEPON_EXT_KANTOR", "HP", "EMAIL", "TEMPAT_LAHIR",
    "TANGGAL_LAHIR", "NAMA_IBU_KANDUNG", "JENIS_IDENTITAS", "NOMOR_IDENTITAS",
    "MASA_LAKU_IDENTITAS", "JENIS_KELAMIN", "SURAT_MENYURAT_KE", "TANGGAL_KEPESERTAAN",
    "STATUS_KAWIN", "GOLONGAN_DARAH", "NPWP", "UPAH", "ALAMAT", "KODE_POS", "LOKASI_PEKERJAAN",
    "STATUS_PEGAWAI", "TGL_AWAL_BEKERJA", "TGL_AKHIR_KONTRAK", "NOMOR_IDENTITAS_KPJ", "TGL_LAHIR",
    "KPJ", "NIK", "KODE_TK", "RAPEL", "ALAMAT_LENGKAP_DOMISILI", "HANDPHONE", "NAMA_BANK",
    "KODE_BANK", "NOMOR_REKENING", "NAMA_REKENING", "NOMOR_PEGAWAI", "ID_PEGAWAI",
]  # fmt: skip
OFFICE_PERSONAL = [
    "N I K".replace(" ", ""), "No. KTP", "nomor KTP", "NIK/KTP", "No. Peserta", "Nama", "NAMA",
    "Nama Peserta", "nama ibu", "No HP", "Telepon", "alamat rumah", "e-mail", "Email",
    "ＮＩＫ", "Nama Lengkap (sesuai KTP)",
]  # fmt: skip
BATCHES = ("reference", "action", "area", "category", "workers", "effective_on")


class HeadersOnly(Table):
    """A table of which only the header row is asked."""

    def rows(self) -> Iterator[Row]:
        """Yield nothing."""
        yield from ()


def table(*headers: str, sheet: str | None = None) -> Table:
    """Return a table with these headers in row 3."""
    return HeadersOnly("berkas.csv", sheet, 3, headers)


def mapped(*headers: str, kind: InputKind = "batches", ignore: tuple[str, ...] = ()) -> HeaderMap:
    """Return the map of these headers."""
    return map_headers(kind, table(*headers), ignore)


def codes(headers: HeaderMap) -> list[tuple[str, str]]:
    """Return code and place of each problem."""
    return [(problem.code, problem.where) for problem in headers.problems]


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_means_two_columns(kind: InputKind) -> None:
    """Within a kind every name, compared as headers are, belongs to one column."""
    names = [
        normalised_header(name)
        for column in COLUMNS[kind]
        for name in {normalised_header(name) for name in (column.name, *column.aliases)}
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", KINDS)
def test_no_column_of_ours_looks_like_a_persons(kind: InputKind) -> None:
    """A name that the kind knows is never refused as personal."""
    names = chain.from_iterable((column.name, *column.aliases) for column in COLUMNS[kind])
    assert [name for name in names if is_personal_header(name)] == []


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Nomor_SK", "reference"), ("No. SK", "reference"), ("SK", "reference"),
        ("Kabupaten/Kota", "area"), ("KAB/KOTA", "area"), ("wilayah", "area"),
        ("Kategori", "category"), ("Jumlah", "workers"), ("jumlah pekerja", "workers"),
        ("TMT", "effective_on"), ("berlaku", "effective_on"), ("Tanggal Berlaku", "effective_on"),
        ("Sampai", "covered_until"), ("berlaku sampai", "covered_until"),
        ("s/d", "covered_until"), ("Sumber Dana", "funding"), ("sebab", "reason"),
        ("Alasan", "reason"), ("Keterangan", "note"), ("Program", "programmes"),
        ("segmen", "segment"), ("bagian", "part"), ("Dari Kategori", "from_category"),
        ("dari wilayah", "from_area"), ("tindakan", "action"), ("AKSI", "action"),
        ("jenis", "action"), ("SK Asal", "of_batch"), ("ditetapkan", "decided_on"),
        ("diusulkan", "proposed"), ("ditolak", "rejected"), (" workers * ", "workers"),
        ("ＴＭＴ", "effective_on"), ("of_part", "of_part"),
    ],
)  # fmt: skip
def test_indonesian_and_english_headers_are_known(header: str, column: str) -> None:
    """Case, spaces, underscores, slashes and full-width letters do not count."""
    assert mapped(header).positions == {column: 0}


def test_positions_are_where_the_columns_stand() -> None:
    """Columns may come in any order; one that is ignored leaves a gap."""
    headers = mapped("NIK", "area", "action", "reference", ignore=("nik",))
    assert headers.positions == {"area": 1, "action": 2, "reference": 3}
    assert headers.problems == ()
    assert headers.readable


@pytest.mark.parametrize("header", [*SIPP_PERSONAL, *OFFICE_PERSONAL])
def test_a_persons_column_is_refused_and_may_be_ignored(header: str) -> None:
    """The refusal says that heads are counted and how to ignore the column; then it is gone."""
    (problem,) = mapped(*BATCHES, header).problems
    assert problem.code == "personal-data"
    assert problem.severity == "error"
    assert "counts heads" in problem.why
    assert "--ignore-column" in problem.remedy
    ignoring = mapped(*BATCHES, header, ignore=(header.lower(),))
    assert ignoring.problems == ()
    assert set(ignoring.positions) == set(BATCHES)


@pytest.mark.parametrize("header", ["jumlah NIK", "total KTP", "unik", "teknik", "alamatnya"])
def test_a_word_inside_a_word_or_a_count_is_not_a_persons(header: str) -> None:
    """Such a column is unknown, not personal: the message must be the right one."""
    assert codes(mapped(*BATCHES, header)) == [("unknown-column", f"berkas.csv:3:{header}")]


@pytest.mark.parametrize(
    ("header", "suggestion"),
    [("efective_on", "effective_on"), ("kategory", "category"), ("refrence", "reference")],
)
def test_an_unknown_column_is_an_error_with_suggestions(header: str, suggestion: str) -> None:
    """A misspelt header is never taken for what it resembles; ignoring it is a decision."""
    headers = mapped("reference", "action", "area", "workers", header)
    unknown = next(problem for problem in headers.problems if problem.code == "unknown-column")
    assert suggestion in unknown.remedy
    assert unknown.where == f"berkas.csv:3:{header}"
    assert header not in headers.positions
    assert "unknown-column" not in dict(
        codes(mapped("reference", "action", "area", header, ignore=(header,)))
    )


def test_a_cyrillic_look_alike_is_unknown() -> None:
    """`area` with a Cyrillic а is another word."""
    headers = mapped("reference", "action", "are\u0430")
    assert {code for code, _ in codes(headers)} == {"unknown-column", "missing-column"}


def test_two_columns_of_one_meaning_are_refused() -> None:
    """`jumlah` and `workers` in one table: nobody knows which counts."""
    headers = mapped(*BATCHES, "jumlah")
    assert codes(headers) == [("duplicate-column", "berkas.csv:3:jumlah")]
    assert headers.problems[0].why == "columns 5 (workers) and 7 (jumlah) are both workers"
    assert "--ignore-column workers or --ignore-column jumlah" in headers.problems[0].remedy
    twice = mapped(*BATCHES, "workers")
    assert codes(twice) == [("duplicate-column", "berkas.csv:3:workers")]
    assert "--ignore-column" not in twice.problems[0].remedy, "it would leave out both"
    assert not headers.readable
    assert mapped(*BATCHES, "jumlah", ignore=("Jumlah",)).readable


@pytest.mark.parametrize("province", ["Provinsi", "PROVINCE"])
@pytest.mark.parametrize("comes_first", [True, False])
def test_of_a_province_and_a_regency_the_province_is_left_out(
    province: str, *, comes_first: bool
) -> None:
    """The other way round a regency's potential would become its province's."""
    areas = (province, "Kabupaten/Kota") if comes_first else ("Kabupaten/Kota", province)
    others = ("berlaku", "jumlah", "definisi", "sumber")
    headers = mapped(*areas, *others, kind="potentials")
    problem = headers.problems[0]
    assert not headers.readable
    assert all(area in problem.why for area in areas)
    assert problem.remedy == f"Leave the province out: pass --ignore-column {province}."
    assert mapped(*areas, *others, kind="potentials", ignore=(province,)).readable


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("begins", [("row", "problem"), ("sheet", "Row", "PROBLEM ")])
def test_refused_rows_are_no_file_to_import(begins: tuple[str, ...], kind: InputKind) -> None:
    """They are a part of a file; their remedy is the only one, whatever is told to be ignored."""
    names = [column.name for column in COLUMNS[kind]]
    headers = mapped(*begins, *names, kind=kind, ignore=("sheet", "row", "problem"))
    assert codes(headers) == [("refused-rows", "berkas.csv:3")]
    assert headers.problems[0].remedy == "Repair the original file and import that again."
    assert not headers.readable
    assert "refused-rows" not in dict(codes(mapped("problem", "row", *names, kind=kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_column_is_refused(kind: InputKind) -> None:
    """Each needed column is asked for by name."""
    needed = [column.name for column in COLUMNS[kind] if column.required]
    for name in needed:
        headers = mapped(*(other for other in needed if other != name), kind=kind)
        assert codes(headers) == [("missing-column", "berkas.csv:3")]
        assert name in headers.problems[0].why
        assert not headers.readable
    assert mapped(*needed, kind=kind).readable


def test_a_running_number_is_left_out_with_a_word() -> None:
    """`No.` before a list is no reason to refuse a file, and is not dropped unseen either."""
    headers = mapped("No.", *BATCHES)
    assert codes(headers) == [("running-number", "berkas.csv:3:No.")]
    assert headers.problems[0].severity == "warning"
    assert headers.readable


def test_a_column_without_a_header_is_remembered() -> None:
    """Whether something stands in it is seen row by row."""
    assert mapped("reference", "", "action", "area").unnamed == (1,)


def test_a_spreadsheets_problem_has_its_cell_and_sheet() -> None:
    """`Data!B3`, as a clerk finds it."""
    headers = map_headers("batches", table(*BATCHES, "NIK", sheet="Data"), sheet="Data")
    assert (headers.problems[0].where, headers.problems[0].sheet) == ("Data!G3", "Data")


def test_a_header_with_control_characters_is_shown_safely() -> None:
    """What a header holds cannot drive a terminal."""
    (problem,) = mapped(*BATCHES, "NIK\x1b[2J").problems
    assert "\x1b" not in f"{problem.value}{problem.where}{problem.remedy}"


@pytest.mark.parametrize(
    ("cells", "count"),
    [
        (BATCHES, 6),
        (("Rekapitulasi", "", "Tahun 2025"), 0),
        (("KPJ", "NAMA_LENGKAP", "TGL_LAHIR", "SEBAB_NA", "TGL_KEJADIAN", "KETERANGAN"), 5),
        (("", ""), 0),
    ],
)
def test_a_header_row_is_recognised(cells: tuple[str, ...], count: int) -> None:
    """Persons' headers count too, so that such a sheet is refused by name and not as unreadable."""
    assert recognises("batches")(cells) == count


def test_a_column_to_ignore_that_is_nowhere_is_named() -> None:
    """Most likely it is misspelt, and another column will be read."""
    assert ignored_nowhere(("nik", "nkp"), [("NIK", "area"), ("KPJ",)]) == ("nkp",)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Berlaku s.d.", "covered_until"), ("s.d.", "covered_until"), ("s/d", "covered_until"),
        ("Berlaku s/d", "covered_until"), ("Sampai dengan", "covered_until"),
        ("TMT Akhir", "covered_until"), ("TMT Awal", "effective_on"), ("Tgl TMT", "effective_on"),
        ("No. SK", "reference"), ("Nomor Surat Keputusan", "reference"),
        ("Jumlah Tenaga Kerja", "workers"), ("Jml", "workers"), ("Jml. Peserta", "workers"),
        ("Jumlah Peserta", "workers"),
    ],
)  # fmt: skip
def test_headers_as_offices_write_them(header: str, column: str) -> None:
    """Abbreviations and punctuation of everyday tables."""
    headers = mapped(*(name for name in BATCHES if name != column), header)
    assert headers.positions[column] == len(headers.positions) - 1
    assert headers.problems == ()
