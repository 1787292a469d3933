"""The categories of workers: an open list with labels and aliases in Indonesian and English.

Built-in ones come from categories.csv, further ones from the store (`AddedCategory`). Knows no
events and no store: whoever reads the log hands the added ones in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final, Literal

from registry.errors import RuleBrokenError, UnknownCategoryError
from registry.language import _
from registry.reference.spelling import disguise, key
from registry.reference.suggestions import Suggestions
from registry.reference.tables import rows
from registry.safe_text import safe

Language = Literal["id", "en"]

_SUGGESTIONS_MAX: Final = 3
_LENGTH_MAX: Final = 100
_SLUG_LENGTH_MAX: Final = 60  # as registry.terms.CategorySlug, which would bring pydantic here


@dataclass(frozen=True, slots=True)
class AddedCategory:
    """A category with its labels and the other words that mean it."""

    slug: str
    label_id: str
    label_en: str
    aliases: tuple[str, ...] = ()

    def spellings(self) -> tuple[str, ...]:
        """Return every text that means this category."""
        return (self.slug, self.label_id, self.label_en, *self.aliases)


class Categories:
    """The categories of one store: the built-in list plus what was added there."""

    def __init__(self, added: Iterable[AddedCategory] = ()) -> None:
        # What a store has added stands, even where a later release ships the same word built in:
        # its files have been read that way.
        self._by_slug = {category.slug: category for category in (*_built_in(), *added)}
        self._by_key = {
            key(text): category.slug
            for category in self._by_slug.values()
            for text in category.spellings()
        }

    def __iter__(self) -> Iterator[AddedCategory]:
        return iter(self._by_slug.values())

    def find(self, text: str) -> str:
        """Return the slug of the category that a slug, label or alias means.

        Raises: UnknownCategoryError, with up to three suggestions. Never a guess.
        """
        if not text.strip():
            raise UnknownCategoryError(
                _("no category is given"),
                remedy=_("Write a category, or tidak-terklasifikasi where none is known."),
            )
        if len(text) > _LENGTH_MAX:
            raise UnknownCategoryError(
                _("no category is called {text}").format(text=safe(text)),
                why=_("No category has more than {length_max} characters.").format(
                    length_max=_LENGTH_MAX
                ),
            )
        why = disguise(text)
        if why is not None:
            raise UnknownCategoryError(
                _("{text} may not be the category it looks like").format(text=safe(text)),
                why=_("In this word, {why}.").format(why=why),
                remedy=_("Type it again by hand."),
            )
        slug = self._by_key.get(key(text))
        if slug is None:
            raise UnknownCategoryError(
                _("no category is called {text}").format(text=safe(text)), remedy=self._near(text)
            )
        return slug

    def label(self, slug: str, lang: Language = "id") -> str:
        """Return the label of a slug in a language.

        Raises: UnknownCategoryError.
        """
        category = self._by_slug.get(slug)
        if category is None:
            raise UnknownCategoryError(_("no category has the slug {slug}").format(slug=safe(slug)))
        return category.label_en if lang == "en" else category.label_id

    def slugs(self) -> tuple[str, ...]:
        """Return the slugs: the built-in ones as listed, then the added ones in their order."""
        return tuple(self._by_slug)

    def bearer(self, text: str) -> str | None:
        """Return the slug of the category that already uses a text, or None."""
        return self._by_key.get(key(text))

    def _near(self, text: str) -> str:
        known = self._suggestions.near(key(text))
        slugs = list(dict.fromkeys(self._by_key[spelling] for spelling in known))
        if not slugs:
            return _("Add it with `ucj category add`.")
        meant = ", ".join(slugs[:_SUGGESTIONS_MAX])
        return _("Did you mean {meant}? If not, add it with `ucj category add`.").format(
            meant=meant
        )

    @cached_property
    def _suggestions(self) -> Suggestions:
        return Suggestions(self._by_key)


def check_new_category(existing: Categories, added: AddedCategory) -> None:
    """Refuse a category that no register could keep apart from those it has.

    Raises: RuleBrokenError, when a slug, label or alias is malformed or already means another.
    """
    _check_slug(added.slug)
    for text in added.spellings():
        name = safe(text)
        if not key(text):
            raise RuleBrokenError(
                _("the category {slug} has an empty label or alias").format(slug=added.slug)
            )
        if len(text) > _LENGTH_MAX:
            raise RuleBrokenError(
                _("{name} is longer than {length_max} characters").format(
                    name=name, length_max=_LENGTH_MAX
                )
            )
        why = disguise(text)
        if why is not None:
            raise RuleBrokenError(
                _("{name} may not be the word it looks like").format(name=name),
                why=_("In this word, {why}: it could be taken for another category.").format(
                    why=why
                ),
            )
        bearer = existing.bearer(text)
        if bearer is not None:
            raise RuleBrokenError(
                _("{name} already means the category {bearer}").format(name=name, bearer=bearer),
                why=_("One word must mean one category; case, spaces and hyphens do not count."),
                remedy=_("Use {bearer}, or choose another word.").format(bearer=bearer),
            )


def _check_slug(slug: str) -> None:
    from registry.terms import CATEGORY_PATTERN

    if not re.fullmatch(CATEGORY_PATTERN, slug) or len(slug) > _SLUG_LENGTH_MAX:
        raise RuleBrokenError(
            _("{slug} is not a slug").format(slug=safe(slug)),
            why=_(
                "At most {slug_length_max} small letters and digits, words joined by hyphens."
            ).format(slug_length_max=_SLUG_LENGTH_MAX),
            remedy=_("Such as pekerja-rentan."),
        )


@cache
def _built_in() -> tuple[AddedCategory, ...]:
    return tuple(
        AddedCategory(slug, label_id, label_en, tuple(aliases.split(";")))
        for slug, label_id, label_en, aliases in rows("categories")
    )
