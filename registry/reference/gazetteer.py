"""The areas: one nation, 38 provinces, 514 regencies and cities, by Kemendagri code.

Knows codes, not spellings; `registry.reference.areas` looks names up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final, Literal

from registry.errors import UnknownAreaError
from registry.language import _
from registry.reference.tables import rows
from registry.safe_text import safe

AreaKind = Literal["nation", "province", "kabupaten", "kota"]

# As registry.terms.NATION; not imported, because terms brings pydantic and a question needs none.
_NATION: Final = "ID"
_PREFIXES: Final = MappingProxyType(
    {"nation": "", "province": "Provinsi ", "kabupaten": "Kabupaten ", "kota": "Kota "}
)


@dataclass(frozen=True, slots=True)
class Area:
    """One area. `province` is the code of the province a regency or city lies in, else None."""

    code: str
    name: str
    kind: AreaKind
    province: str | None

    @property
    def full_name(self) -> str:
        """The name with its kind: it names one area only, which the bare name may not."""
        return _PREFIXES[self.kind] + self.name

    def __str__(self) -> str:
        return f"{self.full_name} ({self.code})"


@cache
def _by_code() -> MappingProxyType[str, Area]:
    """All areas by code: the nation, then each province followed by what lies in it."""
    areas = {_NATION: Area(_NATION, "Indonesia", "nation", None)}
    for code, name, kind, province, province_name in rows("areas"):
        if province not in areas:
            areas[province] = Area(province, province_name, "province", None)
        areas[code] = Area(code, name, "kota" if kind == "kota" else "kabupaten", province)
    return MappingProxyType(areas)


def area_by_code(code: str) -> Area:
    """Return the area of exactly this code (`ID`, `16`, `16.06`).

    Raises: UnknownAreaError.
    """
    area = _by_code().get(code)
    if area is None:
        raise UnknownAreaError(
            _("no area has the code {code}").format(code=safe(code)),
            remedy=_("Codes look like 16.06 (regency or city), 16 (province) or ID (the nation)."),
        )
    return area


def area_of(code: str) -> Area | None:
    """Return the area of exactly this code, or None."""
    return _by_code().get(code)


@cache
def all_areas() -> tuple[Area, ...]:
    """Return the nation, then each province followed by its regencies and cities, by code."""
    return tuple(_by_code().values())


@cache
def provinces() -> tuple[Area, ...]:
    """Return the provinces, by code."""
    return tuple(area for area in all_areas() if area.kind == "province")


@cache
def regencies(of: str = _NATION) -> tuple[Area, ...]:
    """Return the regencies and cities of an area, by code; of a regency, itself alone.

    Raises: UnknownAreaError.
    """
    whole = area_by_code(of)
    return tuple(
        area
        for area in all_areas()
        if area.province is not None
        and (whole.kind == "nation" or of in (area.code, area.province))
    )
