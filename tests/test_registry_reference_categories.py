"""Categories: the built-in list, what may be added, and that no twin can slip in."""

from __future__ import annotations

import random
import re
import unicodedata

import pytest

from registry.errors import RuleBrokenError, UnknownCategoryError
from registry.reference import categories
from registry.reference.categories import AddedCategory, Categories, check_new_category
from registry.reference.spelling import disguise, key
from registry.reference.tables import rows
from registry.terms import CATEGORY_PATTERN

LIFEGUARDS = AddedCategory("penjaga-pantai", "Penjaga pantai", "Lifeguards", ("balawista",))


@pytest.fixture(name="built_in")
def _built_in() -> Categories:
    return Categories()


def test_the_list_is_long_enough_and_every_entry_complete(built_in: Categories) -> None:
    """At least 24 categories, each with a slug of the right form, both labels and an alias."""
    assert len(built_in.slugs()) == len(set(built_in.slugs())) == len(rows("categories")) >= 24
    for category in built_in:
        assert re.fullmatch(CATEGORY_PATTERN, category.slug)
        assert len(category.slug) <= 60
        assert all(text.strip() == text != "" for text in category.spellings()), category
        assert not any(disguise(text) for text in category.spellings()), category


def test_the_categories_of_the_design_are_there(built_in: Categories) -> None:
    """These slugs are promises to files and commands."""
    assert {
        "pekerja-rentan", "non-asn", "perangkat-desa", "bpd", "rt-rw", "guru", "marbot",
        "guru-ngaji", "relawan-damkar", "tidak-terklasifikasi",
    } <= set(built_in.slugs())  # fmt: skip


def test_one_word_means_one_category(built_in: Categories) -> None:
    """No slug, label or alias is claimed by two categories, however it is spelt."""
    claims: dict[str, set[str]] = {}
    for category in built_in:
        for text in category.spellings():
            claims.setdefault(key(text), set()).add(category.slug)
    assert {text: slugs for text, slugs in claims.items() if len(slugs) > 1} == {}


def test_every_spelling_is_found_in_any_case(built_in: Categories) -> None:
    """Slugs, labels and aliases; upper case, hyphens for spaces and full-width letters too."""
    for category in built_in:
        for text in category.spellings():
            wide = text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
            for written in (text, text.upper(), text.replace(" ", "-"), f" {text}  ", wide):
                assert built_in.find(written) == category.slug


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Pekerja Rentan", "pekerja-rentan"),
        ("PEKERJA_RENTAN", "pekerja-rentan"),
        ("Vulnerable workers", "pekerja-rentan"),
        ("Non-ASN", "non-asn"),
        ("honorer", "non-asn"),
        ("RT/RW", "rt-rw"),
        ("RT / RW", "rt-rw"),
        ("Ketua RT/RW", "rt-rw"),
        ("Guru", "guru"),
        ("guru tenaga pendidik", "guru"),
        ("Guru  Ngaji", "guru-ngaji"),
        ("Ojol", "pengemudi-ojek"),
        ("Pendeta", "rohaniwan"),
        ("Badan Permusyawaratan Desa", "bpd"),
    ],
)
def test_a_category_is_found(built_in: Categories, text: str, slug: str) -> None:
    """The words that files and press reports use, in either language."""
    assert built_in.find(text) == slug


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no category is given"),
        (" ", "no category is given"),
        ("guruu", "Did you mean guru"),
        ("pekerja rentn", "Did you mean pekerja-rentan"),
        ("zzz", "no category is called zzz"),
        ("guru/marbot", "no category is called"),
        ("gurυ", "GREEK SMALL LETTER UPSILON"),
        ("guru\u200b", "cannot be seen"),
        ("guru" * 100, "more than 100 characters"),
        ("3275010101010001", "[number withheld]"),
    ],
)
def test_a_category_is_refused_with_what_to_do(built_in: Categories, text: str, says: str) -> None:
    """Never a guess; three suggestions at most; nothing personal or invisible is echoed."""
    with pytest.raises(UnknownCategoryError) as caught:
        built_in.find(text)
    assert says in str(caught.value)
    assert caught.value.remedy.count(",") <= 3
    assert "3275010101010001" not in str(caught.value)


def test_labels_in_both_languages(built_in: Categories) -> None:
    """Indonesian unless English is asked for; an unknown slug is refused."""
    assert built_in.label("pekerja-rentan") == "Pekerja rentan"
    assert built_in.label("pekerja-rentan", "en") == "Vulnerable workers"
    with pytest.raises(UnknownCategoryError):
        built_in.label("tidak-ada")


def test_an_added_category_is_found_by_all_its_words(built_in: Categories) -> None:
    """What the store adds is looked up like the built-in ones, and comes after them."""
    with pytest.raises(UnknownCategoryError):
        built_in.find("Balawista")
    check_new_category(built_in, LIFEGUARDS)
    grown = Categories([LIFEGUARDS])
    assert {grown.find(text) for text in LIFEGUARDS.spellings()} == {"penjaga-pantai"}
    assert grown.slugs() == (*built_in.slugs(), "penjaga-pantai")
    assert grown.label("penjaga-pantai", "en") == "Lifeguards"
    assert "penjaga-pantai" not in built_in.slugs()


@pytest.mark.parametrize(
    ("slug", "label_id", "label_en", "aliases", "says"),
    [
        ("guru", "Baru", "New", (), "guru already means the category guru"),
        ("guru-baru", "GURU", "New", (), "already means the category guru"),
        ("guru-baru", "Baru", "Teachers", (), "already means the category guru"),
        ("guru-baru", "Baru", "New", ("x", "Pen-didik PAUD"), "the category guru-paud"),
        ("baru", "Ojek-Online", "New", (), "the category pengemudi-ojek"),
        ("baru", "Ｏｊｏｌ", "New", (), "the category pengemudi-ojek"),
        ("penjaga-pantai", "A", "B", (), "the category penjaga-pantai"),
        ("baru", "A", "B", ("Balawista",), "the category penjaga-pantai"),
        ("baru", "", "New", (), "empty label"),
        ("baru", "Baru", "- -", (), "empty label"),
        ("baru", "Gurυ", "New", (), "may not be the word it looks like"),
        ("baru", "Baru", "New", ("gu\u200bru",), "may not be the word it looks like"),
        ("baru", "B" * 101, "New", (), "longer than 100"),
        ("Baru", "Baru", "New", (), "is not a slug"),
        ("baru\n", "Baru", "New", (), "is not a slug"),
        ("baru-", "Baru", "New", (), "is not a slug"),
        ("x" * 61, "Baru", "New", (), "is not a slug"),
        ("gurυ", "Baru", "New", (), "is not a slug"),
    ],
)
def test_a_colliding_or_malformed_category_is_refused(
    slug: str, label_id: str, label_en: str, aliases: tuple[str, ...], says: str
) -> None:
    """A slug, label or alias that already means a category, added ones included, is refused."""
    existing = Categories([LIFEGUARDS])
    with pytest.raises(RuleBrokenError) as caught:
        check_new_category(existing, AddedCategory(slug, label_id, label_en, aliases))
    assert says in str(caught.value)


def test_a_recorded_addition_outlives_a_release_that_ships_the_same_word() -> None:
    """A store recorded `ojol` as its own before it was built in: its files read as they did."""
    own = AddedCategory("ojek-daring", "Ojek daring", "Ride hailing", ("ojol",))
    renamed = AddedCategory("guru", "Guru honor", "Honorary teachers", ())
    grown = Categories([own, renamed])
    assert grown.find("ojol") == "ojek-daring"
    assert grown.find("ojek") == "pengemudi-ojek"
    assert grown.label("guru") == "Guru honor"


# --- look-alikes -------------------------------------------------------------

LOOK_ALIKES = str.maketrans("aeopcxyi", "аеорсхуі")
INVISIBLE = ("\u200b", "\u200d", "\ufeff", "\u00ad", "\u202e", "\u3164")


def _disguised(text: str, chance: random.Random) -> list[str]:
    at = chance.randrange(len(text) + 1)
    accent = text[:1] + "\u0301" + text[1:]
    return [
        text.translate(LOOK_ALIKES),
        text[:at] + chance.choice(INVISIBLE) + text[at:],
        accent,
        unicodedata.normalize("NFC", accent),
    ]


def test_a_look_alike_makes_no_twin_category(built_in: Categories) -> None:
    """Over 500 disguised spellings (seed 45): neither found as, nor added beside, the real one."""
    chance = random.Random(45)
    tried = 0
    for category in built_in:
        for text in category.spellings():
            for written in _disguised(text, chance):
                if written == text:
                    continue
                tried += 1
                with pytest.raises(UnknownCategoryError):
                    built_in.find(written)
                with pytest.raises(RuleBrokenError):
                    check_new_category(built_in, AddedCategory("baru", written, "New"))
    assert tried >= 500


def test_control_without_the_protection_a_twin_is_admitted(
    built_in: Categories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: with the check for disguises off, a second `guru` is let in."""
    twin = AddedCategory("baru", "gu\u200bru", "New")
    with pytest.raises(RuleBrokenError):
        check_new_category(built_in, twin)
    monkeypatch.setattr(categories, "disguise", lambda _text: None)
    check_new_category(built_in, twin)
    assert Categories([twin]).find("gu\u200bru") == "baru"
