"""Which area a text means. What other modules ask of areas is all here.

Knows neither files nor stores. `find_area` takes what a clerk writes; `area_by_code` what the
registry itself has written.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from registry.errors import UnknownAreaError
from registry.language import _
from registry.reference.area_codes import AreaCodes, is_code_like, read_code
from registry.reference.area_names import NOBODY, Bearers, read_name
from registry.reference.gazetteer import (
    Area,
    AreaKind,
    all_areas,
    area_by_code,
    provinces,
    regencies,
)
from registry.reference.spelling import disguise, folded
from registry.safe_text import safe

__all__ = [
    "Area",
    "AreaCodes",
    "AreaKind",
    "all_areas",
    "area_by_code",
    "find_area",
    "provinces",
    "regencies",
]

_LENGTH_MAX: Final = 100


def find_area(text: str, *, area_codes: AreaCodes = "kemendagri", also: Bearers = NOBODY) -> Area:
    """Return the area that a text means: `16.06`, `16`, `ID`, `Muba`, `Kota Palembang`.

    `also` are bearers of names that a store knows besides (`registry.reference.boundaries`).

    With `area_codes="bps"` digits without a dot are codes of BPS, and only those; dotted codes
    and names are read as ever.

    Raises: UnknownAreaError and its kinds AmbiguousAreaError and BareDigitsError. Never a guess.
    """
    return _read(text, area_codes, also) if also else _find(text, area_codes)


@lru_cache(maxsize=8192)
def _find(text: str, area_codes: AreaCodes) -> Area:
    """A file names few areas and names them often."""
    return _read(text, area_codes, NOBODY)


def _read(text: str, area_codes: AreaCodes, also: Bearers) -> Area:
    if not text.strip():
        raise UnknownAreaError(
            _("no area is given"), remedy=_("Write its code (16.06) or its name (Musi Banyuasin).")
        )
    if len(text) > _LENGTH_MAX:
        raise UnknownAreaError(
            _("no area is called {text}").format(text=safe(text)),
            why=_("No name of an area has more than {length_max} characters.").format(
                length_max=_LENGTH_MAX
            ),
        )
    why = disguise(text)
    if why is not None:
        raise UnknownAreaError(
            _("{text} may not be the area it looks like").format(text=safe(text)),
            why=_("In this name, {why}.").format(why=why),
            remedy=_("Type the name again by hand, or write the code (16.06)."),
        )
    plain = folded(text)
    return read_code(plain, area_codes) if is_code_like(plain) else read_name(text, also)
