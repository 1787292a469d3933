"""Reads an area written as a name: normalise, exact, alias, else refuse with suggestions.

A name that several areas bear is refused unless it comes with its kind. Nothing is ever guessed:
nearness of spelling serves suggestions only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Final

from registry.errors import AmbiguousAreaError, UnknownAreaError
from registry.language import _
from registry.reference.gazetteer import Area, AreaKind, all_areas, area_by_code
from registry.reference.spelling import words
from registry.reference.suggestions import Suggestions
from registry.reference.tables import rows
from registry.safe_text import safe

Bearers = Mapping[str, tuple[Area, ...]]
"""Spelling → the areas that bear the name."""

NOBODY: Final[Bearers] = MappingProxyType({})
_SUGGESTIONS_MAX: Final = 3
_KINDS: Final[MappingProxyType[str, AreaKind]] = MappingProxyType(
    {
        "kabupaten": "kabupaten",
        "kab": "kabupaten",
        "pemkab": "kabupaten",
        "regency": "kabupaten",
        "kota": "kota",
        "kotamadya": "kota",
        "pemkot": "kota",
        "city": "kota",
        "provinsi": "province",
        "propinsi": "province",
        "prov": "province",
        "pemprov": "province",
        "province": "province",
    }
)
_PREFIXED: Final = re.compile(
    r"(?:pemerintah )?(kabupaten|kab|kotamadya|kota|provinsi|propinsi|prov|pemkab|pemkot|pemprov)"
    r"(?: administrasi| adm)? (.+)"
)
_SUFFIXED: Final = re.compile(r"(.+) (regency|city|province)")
_ISLANDS: Final = re.compile(r"\bkep\b")


def read_name(text: str, also: Bearers = NOBODY) -> Area:
    """Return the one area that the text names; `also` are bearers that a store knows besides.

    Raises: UnknownAreaError, AmbiguousAreaError.
    """
    spelt = _ISLANDS.sub("kepulauan", words(text))
    wrong_kind: Sequence[Area] = ()
    for kind, name in _readings(spelt):
        spelling = name.replace(" ", "")
        known = (*_index().get(spelling, ()), *also.get(spelling, ()))
        bearers = tuple({area.code: area for area in known}.values())
        meant = [area for area in bearers if kind in (None, area.kind)]
        if len(meant) == 1:
            return meant[0]
        if meant:
            raise AmbiguousAreaError(
                _("{text} is the name of {number} areas").format(
                    text=safe(text), number=len(meant)
                ),
                why=", ".join(map(str, meant)) + ".",
                remedy=_("Write it with its kind, such as {full_name}, or the code.").format(
                    full_name=meant[-1].full_name
                ),
            )
        wrong_kind = wrong_kind or bearers
    if wrong_kind:
        raise UnknownAreaError(
            _("there is no area {text}").format(text=safe(text)),
            why=_("Of that name, but of another kind: {areas}.").format(
                areas=", ".join(map(str, wrong_kind))
            ),
            remedy=_("Write the name with the right kind, or the code."),
        )
    raise UnknownAreaError(
        _("no area is called {text}").format(text=safe(text)), remedy=_remedy(spelt)
    )


def spellings_of(name: str) -> set[str]:
    """Return the spellings under which a name is looked up: whole, and without its kind."""
    readings = _readings(_ISLANDS.sub("kepulauan", words(name)))
    return {bare.replace(" ", "") for _kind, bare in readings}


def _readings(spelt: str) -> Iterator[tuple[AreaKind | None, str]]:
    """The whole as a name (`Kota Waringin Barat`), then without the word for its kind."""
    yield None, spelt
    prefixed = _PREFIXED.fullmatch(spelt)
    if prefixed:
        yield _KINDS[prefixed[1]], prefixed[2]
    suffixed = _SUFFIXED.fullmatch(spelt)
    if suffixed:
        yield _KINDS[suffixed[2]], suffixed[1]


def _remedy(spelt: str) -> str:
    near: dict[str, Area] = {}
    for _kind, name in reversed(list(_readings(spelt))):
        for known in _suggestions().near(name.replace(" ", "")):
            near.update((area.code, area) for area in _index()[known])
    if not near:
        return _("Write the code (16.06), or the name as Kemendagri spells it.")
    return _("Did you mean {areas}?").format(
        areas=", ".join(map(str, list(near.values())[:_SUGGESTIONS_MAX]))
    )


@cache
def _index() -> MappingProxyType[str, tuple[Area, ...]]:
    """Who bears each name: areas by name, then aliases. More than one: the kind is needed."""
    bearers: dict[str, dict[str, Area]] = defaultdict(dict)
    named = [(area.name, area) for area in all_areas()]
    named += [(area.code, area) for area in all_areas() if area.kind == "nation"]
    named += [(alias, area_by_code(code)) for alias, code, _ in rows("aliases")]
    for name, area in named:
        for spelling in spellings_of(name):
            bearers[spelling][area.code] = area
    return MappingProxyType({name: tuple(areas.values()) for name, areas in bearers.items()})


@cache
def _suggestions() -> Suggestions:
    return Suggestions(_index())
