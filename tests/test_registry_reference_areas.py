"""Areas: the facts of the data, every way to write one, and what is refused."""

from __future__ import annotations

import random
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable

import pytest

from registry import terms
from registry.errors import AmbiguousAreaError, BareDigitsError, UnknownAreaError
from registry.reference import area_names, areas, spelling
from registry.reference.area_codes import AreaCodes
from registry.reference.areas import (
    Area,
    all_areas,
    area_by_code,
    find_area,
    provinces,
    regencies,
)
from registry.reference.tables import rows

BOTH_KINDS = {
    "Bandung", "Banjar", "Bekasi", "Bima", "Blitar", "Bogor", "Cirebon", "Gorontalo", "Jayapura",
    "Kediri", "Kupang", "Madiun", "Magelang", "Malang", "Mojokerto", "Pasuruan", "Pekalongan",
    "Probolinggo", "Semarang", "Serang", "Solok", "Sorong", "Sukabumi", "Tangerang", "Tasikmalaya",
    "Tegal",
}  # fmt: skip


def refusal(text: str, area_codes: AreaCodes = "kemendagri") -> UnknownAreaError:
    """Look a text up that must be refused; return the refusal."""
    with pytest.raises(UnknownAreaError) as caught:
        find_area(text, area_codes=area_codes)
    return caught.value


# --- the facts ----------------------------------------------------------------------------------


def test_the_country_has_38_provinces_and_514_regencies_and_cities() -> None:
    """1 nation, 38 provinces, 416 kabupaten and 98 kota, each code once and of its form."""
    assert Counter(area.kind for area in all_areas()) == {
        "nation": 1, "province": 38, "kabupaten": 416, "kota": 98,
    }  # fmt: skip
    assert len({area.code for area in all_areas()}) == 553
    assert (len(provinces()), len(regencies())) == (38, 514)
    assert all(terms.is_regency(area.code) for area in regencies())
    assert not any(terms.is_regency(area.code) for area in provinces())


def test_the_code_tells_kind_and_province() -> None:
    """01 to 69 are kabupaten and 71 to 99 kota; the first two digits are the province."""
    for area in regencies():
        assert (int(area.code[3:]) > 70) == (area.kind == "kota"), area
        assert area.province == area.code[:2], area
    assert all(area.province is None for area in (*provinces(), area_by_code("ID")))


def test_26_names_are_both_kabupaten_and_kota() -> None:
    """A name alone is not a key: 26 are borne twice, none three times."""
    borne = Counter(area.name for area in regencies())
    assert {name for name, times in borne.items() if times == 2} == BOTH_KINDS
    assert len(BOTH_KINDS) == 26
    assert max(borne.values()) == 2


def test_199_bps_codes_differ_and_164_are_digits_of_another_regency() -> None:
    """Why bare digits are refused: BPS and Kemendagri give the same digits to different areas."""
    pairs = [(code, bps) for code, bps in rows("bps_codes")]
    kemendagri = {code.replace(".", "") for code, _ in pairs}
    differing = [bps for code, bps in pairs if code.replace(".", "") != bps]
    assert len(pairs) == len({bps for _, bps in pairs}) == 514
    assert len(differing) == 199
    assert sum(bps in kemendagri for bps in differing) == 164


def test_regencies_of_an_area() -> None:
    """The nation has all, South Sumatra 17, a regency itself alone, an unknown area none at all."""
    assert [len(regencies(province.code)) for province in provinces()].count(0) == 0
    assert sum(len(regencies(province.code)) for province in provinces()) == len(regencies("ID"))
    assert len(regencies("16")) == 17
    assert regencies("16.06") == (area_by_code("16.06"),)
    with pytest.raises(UnknownAreaError):
        regencies("99")


def test_the_nation_is_written_as_in_terms() -> None:
    """The gazetteer spells the nation's code itself (it must not load pydantic); held equal."""
    assert all_areas()[0].code == terms.NATION
    assert find_area(terms.NATION).name == "Indonesia"


def test_asking_for_an_area_does_not_load_pydantic() -> None:
    """A simple question starts fast: the look-up needs the standard library only."""
    script = (
        "import sys; from registry.reference.areas import find_area; find_area('Muba');"
        "from registry.reference.categories import Categories; Categories().find('guru');"
        "print(sorted({'pydantic', 'difflib', 'duckdb', 'eventsourcing'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# --- found --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("16.06", "16.06"),
        (" 16.06 ", "16.06"),
        ("16", "16"),
        ("ID", "ID"),
        ("id", "ID"),
        ("Indonesia", "ID"),
        ("nasional", "ID"),
        ("Muba", "16.06"),
        ("MUBA", "16.06"),
        ("musi banyuasin", "16.06"),
        ("Kab. Musi Banyuasin", "16.06"),
        ("Kab.Musi Banyuasin", "16.06"),
        ("KAB MUSI BANYUASIN", "16.06"),
        ("Kabupaten Musi Banyuasin", "16.06"),
        ("Kabupaten Muba", "16.06"),
        ("Pemkab Musi Banyuasin", "16.06"),
        ("Pemerintah Kabupaten Musi Banyuasin", "16.06"),
        ("Musi Banyuasin Regency", "16.06"),
        ("Musi\nBanyuasin", "16.06"),
        ("Musi\u00a0Banyuasin", "16.06"),
        ("Ｍｕｂａ", "16.06"),
        ("１６．０６", "16.06"),
        ("Kab. Banyuasin", "16.07"),
        ("Kota Palembang", "16.71"),
        ("Palembang", "16.71"),
        ("Palembang City", "16.71"),
        ("OKU Timur", "16.08"),
        ("O.K.U. Timur", "16.08"),
        ("OKU Selatan", "16.09"),
        ("Sumsel", "16"),
        ("Prov. Sumatera Selatan", "16"),
        ("Propinsi Sumsel", "16"),
        ("South Sumatra", "16"),
        ("DKI", "31"),
        ("Jakarta", "31"),
        ("Jabar", "32"),
        ("Babel", "19"),
        ("Bangka-Belitung", "19"),
        ("Kota Adm. Jakarta Pusat", "31.71"),
        ("Kab. Adm. Kep. Seribu", "31.01"),
        ("Kabupaten Bandung", "32.04"),
        ("Kota Bandung", "32.73"),
        ("Provinsi Jambi", "15"),
        ("Kota Jambi", "15.71"),
        ("Provinsi Gorontalo", "75"),
        ("Kab. Gorontalo", "75.01"),
        ("Kota Gorontalo", "75.71"),
        ("Kota Yogyakarta", "34.71"),
        ("Provinsi DI Yogyakarta", "34"),
        ("Lima Puluh Kota", "13.07"),
        ("Kab. 50 Kota", "13.07"),
        ("Kota Waringin Timur", "62.02"),
        ("Kab. Kotabaru", "63.02"),
        ("Kota Banjarbaru", "63.72"),
        ("Kepulauan Siau Tagulandang Biaro", "71.09"),
        ("Lubuklinggau", "16.73"),
        ("Toli Toli", "72.04"),
        ("Kab. Toba Samosir", "12.12"),
        ("Papua", "91"),
    ],
)
def test_an_area_is_found(text: str, code: str) -> None:
    """Codes, names in any case, kinds before or after, abbreviations, both languages."""
    assert find_area(text).code == code


def test_every_area_is_found_by_its_code_and_its_full_name() -> None:
    """553 areas: the code, and the name with its kind, always mean that one area."""
    for area in all_areas():
        assert find_area(area.code) is area
        assert find_area(area.full_name) is area
        assert find_area(area.full_name.replace("Kabupaten", "Kab.").upper()) is area
        assert area_by_code(area.code) is area


def test_a_bare_name_means_its_only_bearer_or_is_refused() -> None:
    """Names that several areas bear need their kind; every other name alone is enough."""
    borne = Counter(area.name for area in all_areas())
    ambiguous = {name for name, times in borne.items() if times > 1} | {"Yogyakarta"}
    for area in all_areas():
        if area.name in ambiguous:
            assert isinstance(refusal(area.name), AmbiguousAreaError), area
        else:
            assert find_area(area.name) is area
    assert ambiguous == BOTH_KINDS | {"Jambi", "Bengkulu", "Yogyakarta"}


def test_every_alias_means_one_area_and_says_where_it_is_from() -> None:
    """No alias is ambiguous, but the three for Yogyakarta, which need their kind; all have a source."""
    codes: dict[str, set[str]] = {}
    for alias, code, source in rows("aliases"):
        assert source, alias
        codes.setdefault(alias, set()).add(code)
    for alias, meant in codes.items():
        if spelling.key(alias) in {"yogyakarta", "jogja", "yogya"}:
            assert isinstance(refusal(alias), AmbiguousAreaError)
            assert find_area(f"Kota {alias}").code == "34.71"
            assert find_area(f"Provinsi {alias}").code == "34"
        else:
            assert {find_area(alias).code} == meant, alias


def test_a_spelling_never_belongs_to_two_areas_of_one_kind() -> None:
    """With its kind, every spelling that is understood at all means one area only."""
    index = area_names._index()
    for spelt, bearers in index.items():
        kinds = [area.kind for area in bearers]
        assert len(kinds) == len(set(kinds)), spelt
    assert len(index) > 700


# --- refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no area is given"),
        ("   ", "no area is given"),
        ("Bandung", "Kabupaten Bandung (32.04), Kota Bandung (32.73)"),
        ("Gorontalo", "Provinsi Gorontalo (75), Kabupaten Gorontalo (75.01), Kota Gorontalo"),
        ("Kabupaten Palembang", "of another kind: Kota Palembang (16.71)"),
        ("Kota Musi Banyuasin", "of another kind: Kabupaten Musi Banyuasin (16.06)"),
        ("Musi Banyuasinn", "Did you mean Kabupaten Musi Banyuasin (16.06)"),
        ("Bangka, Belitung", "no area is called"),
        ("Bangka/Belitung", "no area is called"),
        ("Muba*", "Kabupaten Musi Banyuasin (16.06)"),
        ("=Muba", "no area is called"),
        ("Mura", "no area is called"),
        ("Atlantis", "no area is called Atlantis"),
        ("Kab.", "no area is called"),
        ("16.99", "no area has the code 16.99"),
        ("99", "no area has the code 99"),
        ("16.1", "(16.10) or Kabupaten Ogan Komering Ulu (16.01)"),
        ("16,06", "did you mean Kabupaten Musi Banyuasin (16.06)?"),
        ("16-06", "did you mean Kabupaten Musi Banyuasin (16.06)?"),
        ("'16.06", "did you mean Kabupaten Musi Banyuasin (16.06)?"),
        ("16.06.01", "Districts and villages have no batches"),
        ("1606010001", "Districts and villages have no batches"),
        ("91.01", "Did you mean Kabupaten Merauke (93.01)?"),
        ("1.606", "is not the code of an area"),
        ("16.06 Musi Banyuasin", "no area is called"),
        ("x" * 101, "more than 100 characters"),
    ],
)
def test_an_area_is_refused_with_what_to_do(text: str, says: str) -> None:
    """Never a guess: each refusal says which areas could be meant, or what a code looks like."""
    assert says in str(refusal(text))


def test_at_most_three_areas_are_suggested() -> None:
    """Suggestions are near spellings, three at most, and only ever words of the refusal."""
    for text in ("Musi Banyuasn", "Ogan Komering Ulu Utara", "Lombok", "Kepulauan", "Papua Utara"):
        remedy = refusal(text).remedy
        assert 1 <= remedy.count("(") <= 3, remedy


def test_a_personal_number_in_the_area_column_is_not_echoed() -> None:
    """A NIK in the wrong column is refused without being printed."""
    assert "3275010101010001" not in str(refusal("3275010101010001"))


def test_bare_digits_are_refused_with_both_readings() -> None:
    """BPS 1608 is OKU Selatan, Kemendagri 16.08 is OKU Timur; the refusal names both."""
    error = refusal("1608")
    assert isinstance(error, BareDigitsError)
    assert "BPS: Kabupaten Ogan Komering Ulu Selatan (16.09)" in error.why
    assert "Kemendagri: Kabupaten Ogan Komering Ulu Timur (16.08)" in error.why
    assert "--area-codes bps" in error.remedy


def test_every_bps_code_is_refused_bare_and_read_when_declared() -> None:
    """514 codes: undeclared always refused, also where both agree; declared, the bridge decides."""
    for code, bps in rows("bps_codes"):
        assert isinstance(refusal(bps), BareDigitsError)
        assert find_area(bps, area_codes="bps").code == code
        assert find_area(code, area_codes="bps").code == code


def test_bps_provinces_are_read_where_that_is_certain() -> None:
    """32 of the 34 old province codes stand for one province; Papua's two were divided."""
    old = {bps[:2] for _, bps in rows("bps_codes")}
    assert len(old) == 34
    for bps in old - {"91", "94"}:
        assert find_area(bps, area_codes="bps").code == bps
    for bps, today in (("91", "Papua Barat Daya (96)"), ("94", "Papua Tengah (94)")):
        error = refusal(bps, "bps")
        assert isinstance(error, AmbiguousAreaError)
        assert today in error.why
    assert find_area("94").name == "Papua Tengah"


@pytest.mark.parametrize("text", ["9501", "92", "10", "160", "0000"])
def test_unknown_bps_codes_are_refused(text: str) -> None:
    """Codes that BPS's list of 2020 does not hold are refused, not looked up elsewhere."""
    assert not isinstance(refusal(text, "bps"), BareDigitsError)


def test_former_codes_are_named_and_never_accepted() -> None:
    """The 26 codes replaced in Papua belong to nobody today; the refusal names the new code."""
    former = rows("former_codes")
    assert len(former) == 26
    for old, new in former:
        assert f"({new})" in refusal(old).remedy


# --- look-alikes -------------------------------------------------------------

CYRILLIC = str.maketrans("aeopcxyiABEKMHOPCT", "аеорсхуіАВЕКМНОРСТ")
GREEK = str.maketrans("oviuAB", "ονιυΑΒ")
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
INVISIBLE = (
    "\u200b",
    "\u200c",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u202e",
    "\u0000",
    "\u3164",
)


def _inserted(text: str, mark: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + mark + text[at:]


def _accented(text: str, chance: random.Random) -> str:
    at = chance.choice([at for at, letter in enumerate(text) if letter in "aeiouAEIOU"])
    return text[: at + 1] + "\u0301" + text[at + 1 :]


Disguise = Callable[[str, random.Random], str]
REFUSED: dict[str, Disguise] = {
    "cyrillic": lambda text, _: text.translate(CYRILLIC),
    "greek": lambda text, _: text.translate(GREEK),
    "invisible": lambda text, chance: _inserted(text, chance.choice(INVISIBLE), chance),
    "nfd": _accented,
    "nfc": lambda text, chance: unicodedata.normalize("NFC", _accented(text, chance)),
    "raised digit": lambda text, _: text + "¹",
    "arabic digit": lambda text, _: text + "١",
    "dotless": lambda text, _: text.replace("i", "ı").replace("a", "ɑ"),
    "division slash": lambda text, _: text.replace(" ", "\u2215") + "\u2215",
}
FOUND: dict[str, Disguise] = {
    "upper": lambda text, _: text.upper(),
    "lower": lambda text, _: text.lower(),
    "swapped": lambda text, _: text.swapcase(),
    "full width": lambda text, _: text.translate(FULL_WIDTH),
    "bold": lambda text, _: "".join(
        chr(0x1D400 + ord(letter) - 65) if "A" <= letter <= "Z" else letter for letter in text
    ),
    "spaces": lambda text, _: text.replace(" ", " \u00a0\u2003"),
    "typographic hyphen": lambda text, _: text.replace(" ", "\u2010").replace("-", "\u2011"),
}


def _outcome(text: str) -> Area | None:
    try:
        return find_area(text)
    except UnknownAreaError:
        return None


@pytest.mark.parametrize("name", [*REFUSED, *FOUND])
def test_a_look_alike_finds_the_right_area_or_none(name: str) -> None:
    """553 names in each of 16 disguises (seed 45): the right area or a refusal, never another."""
    chance = random.Random(45)
    twist = REFUSED.get(name) or FOUND[name]
    before = [area.code for area in all_areas()]
    changed = 0
    for area in all_areas():
        written = twist(area.full_name, chance)
        if written == area.full_name:
            continue
        changed += 1
        assert _outcome(written) is (area if name in FOUND else None), ascii(written)
    assert changed >= 500
    assert [area.code for area in all_areas()] == before


def test_disguised_codes_never_read_as_another() -> None:
    """Raised, circled and foreign digits are marks, not digits: 1¹ is not Aceh's 11."""
    for text in ("1¹", "16.0⁶", "①⑥", "١٦", "१६", "16.0\u200b6", "1\u00bd"):
        assert _outcome(text) is None, ascii(text)


def test_control_without_the_protection_a_mark_becomes_another_area(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Negative control: with the check for disguises off, `1¹` does read as Aceh."""
    monkeypatch.setattr(areas, "disguise", lambda _text: None)
    areas._find.cache_clear()
    try:
        found = _outcome("1¹")
    finally:
        areas._find.cache_clear()
    assert found is not None
    assert found.name == "Aceh"


def test_the_refusal_says_what_is_wrong_and_prints_nothing_raw() -> None:
    """The character is named; the invisible and the bidirectional never reach the terminal raw."""
    error = str(refusal("Mubа"))
    assert "U+0430 (CYRILLIC SMALL LETTER A)" in error
    for mark in INVISIBLE[:-1]:
        error = str(refusal(f"Mu{mark}ba"))
        assert mark not in error
        assert f"U+{ord(mark):04X}" in error


def test_misspelt_names_never_find_another_area() -> None:
    """One letter dropped, doubled or swapped (seed 45): the right area, a refusal, or an exact name."""
    chance = random.Random(45)
    index = area_names._index()
    refused = 0
    for area in regencies():
        at = chance.randrange(1, len(area.name) - 1)
        name = area.name
        for slip in (
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :],
        ):
            found = _outcome(slip)
            refused += found is None
            assert found in (None, area) or found in index.get(spelling.key(slip), ())
    assert refused > 1000
