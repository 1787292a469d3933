"""Words of the closed lists: both languages, one meaning each, nothing guessed."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import cast, get_args

import pytest

from registry import vocabulary
from registry.errors import UnknownWordError
from registry.language import said, use
from registry.reference.spelling import disguise, key
from registry.reference.suggestions import Suggestions
from registry.reference.tables import rows
from registry.reference.words import WordKind, find_word
from registry.terms import (
    Action,
    Change,
    Funding,
    LeaveReason,
    Programme,
    RejectionReason,
    Segment,
)

LISTS: dict[WordKind, type[StrEnum]] = {
    "action": Action,
    "change": Change,
    "funding": Funding,
    "programme": Programme,
    "segment": Segment,
    "reason": LeaveReason,
    "rejection": RejectionReason,
}
KINDS = list(LISTS)


def find(kind: WordKind, text: str) -> StrEnum:
    """Look a word up for a kind that is only known when the test runs."""
    return cast("Callable[[WordKind, str], StrEnum]", find_word)(kind, text)


def test_every_kind_is_covered() -> None:
    """The seven closed lists, and no other, have words."""
    assert set(LISTS) == set(get_args(WordKind)) == {kind for kind, _, _ in rows("words")}


@pytest.mark.parametrize("kind", KINDS)
def test_every_member_has_words_and_is_found_by_its_own_value(kind: WordKind) -> None:
    """Each value in any case, and at least one further word for each."""
    rows_of_kind = {value: aliases for of, value, aliases in rows("words") if of == kind}
    assert set(rows_of_kind) == {member.value for member in LISTS[kind]}
    for member in LISTS[kind]:
        assert find(kind, member.value) is member
        assert find(kind, f" {member.value.upper()} ") is member
        assert find(kind, member.value.lower().replace("-", " ")) is member
        assert rows_of_kind[member.value]


@pytest.mark.parametrize("kind", KINDS)
def test_one_word_has_one_meaning(kind: WordKind) -> None:
    """Within a list no word, however it is spelt, means two members, and none is a disguise."""
    claims: dict[str, set[str]] = {key(member): {member.value} for member in LISTS[kind]}
    for of, value, aliases in rows("words"):
        if of == kind:
            for word in aliases.split(";"):
                assert word == word.strip() != ""
                assert disguise(word) is None
                claims.setdefault(key(word), set()).add(value)
    assert {word: values for word, values in claims.items() if len(values) > 1} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_of_the_table_is_understood(kind: WordKind) -> None:
    """The values, and each alias, in any case."""
    aliases = [word for of, _, words in rows("words") if of == kind for word in words.split(";")]
    for word in (*LISTS[kind], *aliases):
        assert isinstance(find(kind, word.title()), LISTS[kind])


@pytest.mark.parametrize(
    ("kind", "text", "member"),
    [
        ("action", "penambahan", Action.ENROL),
        ("action", "Pendaftaran", Action.ENROL),
        ("action", "enroll", Action.ENROL),
        ("action", "NONAKTIF", Action.DEACTIVATE),
        ("action", "Non-Aktif", Action.DEACTIVATE),
        ("action", "penonaktifan", Action.DEACTIVATE),
        ("action", "saldo awal", Action.OPENING),
        ("action", "Perpanjangan", Action.RENEW),
        ("action", "reklasifikasi", Action.RECLASSIFY),
        ("action", "penyesuaian masuk", Action.BALANCE_IN),
        ("action", "Penyesuaian  Keluar", Action.BALANCE_OUT),
        ("action", "koreksi", Action.CORRECT),
        ("action", "batal", Action.WITHDRAW),
        ("funding", "APBD Kab.", Funding.APBD_KABUPATEN),
        ("funding", "APBD Kabupaten/Kota", Funding.APBD_KABUPATEN),
        ("funding", "APBD Provinsi", Funding.APBD_PROVINSI),
        ("funding", "APB Desa", Funding.APBDES),
        ("funding", "DBH-Sawit", Funding.DBH_SAWIT),
        ("funding", "DBHCHT", Funding.DBH_CHT),
        ("funding", "pemberi kerja", Funding.EMPLOYER),
        ("funding", "mandiri", Funding.SELF),
        ("funding", "Lain-lain", Funding.OTHER),
        ("programme", "jkk", Programme.JKK),
        ("programme", "Jaminan Kematian", Programme.JKM),
        ("segment", "bpu", Segment.BPU),
        ("segment", "Bukan Penerima Upah", Segment.BPU),
        ("segment", "penerima upah", Segment.PU),
        ("segment", "Jasa Konstruksi", Segment.JAKON),
        ("reason", "menunggak", LeaveReason.ARREARS),
        ("reason", "Mengundurkan Diri", LeaveReason.RESIGNED),
        ("reason", "Meninggal Dunia", LeaveReason.DECEASED),
        ("reason", "usia lebih", LeaveReason.OVER_AGE),
        ("reason", "NIK tidak valid", LeaveReason.INVALID_NIK),
        ("reason", "Ganda", LeaveReason.DUPLICATE),
        ("reason", "terlindungi di tempat lain", LeaveReason.COVERED_ELSEWHERE),
        ("reason", "pindah", LeaveReason.MOVED),
        ("reason", "ASN/PNS", LeaveReason.CIVIL_SERVANT),
        ("reason", "pengurangan kuota", LeaveReason.QUOTA_CUT),
        ("reason", "Proyek selesai", LeaveReason.PROJECT_FINISHED),
        ("reason", "lainnya", LeaveReason.OTHER),
    ],
)
def test_a_word_is_found(kind: WordKind, text: str, member: StrEnum) -> None:
    """The words that offices write, in either language."""
    assert find(kind, text) is member


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("funding", "APBD", "apbd-kabupaten"),
        ("funding", "APBD", "apbd-provinsi"),
        ("funding", "perusahaan", "is not a known funding"),
        ("funding", "dana desa", "is not a known funding"),
        ("action", "", "no action is given"),
        ("action", "mutasi", "is not a known action"),
        ("action", "enrool", "Did you mean enrol?"),
        ("reason", "ganda?", "is not a known reason"),
        ("reason", "gаnda", "CYRILLIC SMALL LETTER A"),
        ("reason", "gan\u200bda", "cannot be seen"),
        ("segment", "informal", "Allowed: PU, BPU, JAKON, PMI."),
        ("programme", "JKK;JKM", "is not a known programme"),
        ("reason", "3275010101010001", "[number withheld]"),
    ],
)
def test_a_word_is_refused_naming_what_is_allowed(kind: WordKind, text: str, says: str) -> None:
    """Ambiguous (`APBD`, `perusahaan`), unknown and disguised words are refused, never guessed."""
    with pytest.raises(UnknownWordError) as caught:
        find(kind, text)
    assert says in str(caught.value)
    assert f"Allowed: {', '.join(LISTS[kind])}." in caught.value.remedy
    assert "3275010101010001" not in str(caught.value)


def test_suggestions_are_ordered_and_bounded() -> None:
    """The likest first, always in the same order, and nothing for a sentence or for gibberish."""
    known = Suggestions(["marbot", "guru", "guru-paud", "gurung"])
    assert known.near("gurun")[:2] == ["gurung", "guru"]
    assert known.near("qqqqq") == []
    assert known.near("guru" * 50) == []
    assert known.near("") == []


@pytest.mark.parametrize(
    ("word", "member"),
    [
        ("Aktivasi", Action.ENROL),
        ("Pengaktifan", Action.ENROL),
        ("Pendaftaran baru", Action.ENROL),
        ("Kepesertaan baru", Action.ENROL),
        ("Nonaktivasi", Action.DEACTIVATE),
        ("Deaktivasi", Action.DEACTIVATE),
    ],
)
def test_words_of_opposite_actions_are_not_confused(word: str, member: Action) -> None:
    """Aktivasi and nonaktivasi differ by three letters and mean the opposite."""
    assert find_word("action", word) is member


@pytest.mark.parametrize("word", ["aktif", "aktifasi", "pengaktfan", "penaktifan", "activate"])
def test_no_antonym_is_ever_suggested(word: str) -> None:
    """Rather no suggestion than the opposite of what is meant."""
    with pytest.raises(UnknownWordError) as refused:
        find_word("action", word)
    asked, _, _ = (refused.value.remedy or "").partition("Allowed")
    assert "deactivate" not in asked
    assert asked.count(",") == 0


def test_an_action_is_called_by_a_word_that_a_file_may_hold(
    request: pytest.FixtureRequest,
) -> None:
    """What a report says in either language can be typed into the next file."""
    request.addfinalizer(lambda: use("en"))
    for action in Action:
        assert vocabulary.action(action) == action
    use("id")
    for action in Action:
        word = said(vocabulary.action(action))
        assert word != action
        assert find_word("action", word) is action
