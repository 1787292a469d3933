"""The categories that were added to a store's list: its own stream, read without the write side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.errors import StoreDamagedError
from registry.language import _
from registry.reference.categories import AddedCategory, Categories
from registry.terms import NOMENCLATURE_ID

if TYPE_CHECKING:
    from registry.storage.log import Log


def added_categories(log: Log) -> list[AddedCategory]:
    """Return what was added, in order."""
    added = []
    for row in log.stream(NOMENCLATURE_ID.hex):
        facts = row.facts()
        try:
            added.append(
                AddedCategory(
                    slug=facts["category"],
                    label_id=facts["label_id"],
                    label_en=facts["label_en"],
                    aliases=tuple(facts["aliases"]),
                )
            )
        except KeyError:
            what = _("the category at #{position} cannot be read").format(position=row.position)
            raise StoreDamagedError(what, remedy=_("Restore the store from a backup.")) from None
    return added


def categories_of(log: Log) -> Categories:
    """Return the built-in categories and those added to the store."""
    return Categories(added_categories(log))
