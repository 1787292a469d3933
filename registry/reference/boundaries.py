"""Which areas there are on a day, what each is called then, and which province it lies in.

The built-in list is how things stand today; changes recorded in a store say what was before and
what comes after. An area keeps one code for ever in the store, its key: the built-in one, or the
one it was opened under. Codes in force, names and provinces are looked up here, day by day. Knows
no events and no store: whoever reads them hands the changes in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Final

from registry.reference.area_codes import AreaCodes
from registry.reference.area_names import spellings_of
from registry.reference.areas import Area, AreaKind, all_areas, find_area
from registry.reference.gazetteer import area_by_code, area_of
from registry.reference.spelling import folded
from registry.terms import NATION, Change, is_regency

_CITY_FROM: Final = "71"
_JOINED: Final = "+"


@dataclass(frozen=True, slots=True)
class AreaChange:
    """One change of the area that the registry knows as `area`; `position` is where it is recorded.

    `before` and `after` are codes (recoded), names (renamed) or provinces (moved). Of one opened
    `before` is None, `after` its name, and `split_from` the regency whose part it was.
    """

    area: str
    change: Change
    on: date
    before: str | None
    after: str
    split_from: str | None
    position: int


@dataclass(frozen=True, slots=True)
class Place:
    """A regency or city as it stands: `key` in the store, and what it is called and lies in.

    Where today's areas are asked about a day before one was split, they are one place: `code` and
    `name` join theirs by a plus.
    """

    key: str
    code: str
    name: str
    kind: AreaKind
    province: str

    @property
    def shown_name(self) -> str:
        """The name as answers show it: a city says that it is one, others go plain."""
        return f"Kota {self.name}" if self.kind == "kota" and not self.is_joined else self.name

    @property
    def is_joined(self) -> bool:
        """Whether several of today's areas are meant."""
        return _JOINED in self.code


@dataclass(frozen=True)
class Map:
    """The places of one day, by province and code; each holds the heads of its key, once.

    `opened_in`: the province of each regency that was opened, whether it is on the map or not: the
    one it was opened in, or, on a map of another day's areas, that day's.
    """

    places: tuple[Place, ...]
    is_built_in: bool
    opened_in: Mapping[str, str]
    _whole: Mapping[str, Area]
    _holder: Mapping[str, str]

    @cached_property
    def _by_key(self) -> dict[str, Place]:
        return {place.key: place for place in self.places}

    @cached_property
    def _by_province(self) -> dict[str, tuple[Place, ...]]:
        inside: dict[str, list[Place]] = defaultdict(list)
        for place in self.places:
            inside[place.province].append(place)
        return {province: tuple(places) for province, places in inside.items()}

    def inside(self, area: str) -> tuple[Place, ...]:
        """Return the places whose heads are an area's; none where it does not exist on the day.

        Raises: UnknownAreaError.
        """
        if area == NATION:
            return self.places
        if area not in self._whole:
            area_by_code(area)
        if not is_regency(area):
            return self._by_province.get(area, ())
        place = self._by_key.get(self.holder(area))
        return () if place is None else (place,)

    def keys(self, area: str) -> tuple[str, ...]:
        """Return the keys of the places inside an area."""
        return tuple(place.key for place in self.inside(area))

    def has_place(self, key: str) -> bool:
        """Whether a key has a place of its own on the map."""
        return key in self._by_key

    def holder(self, key: str) -> str:
        """Return whose place has the heads of a key: its own, or one that is joined with it."""
        return self._holder.get(key, key)

    def joined_with(self, keys: AbstractSet[str]) -> frozenset[str]:
        """Return some keys with all that are one place with any of them."""
        holders = {*map(self.holder, keys)}
        held = (key for key, holder in self._holder.items() if holder in holders)
        return frozenset((*keys, *holders, *held))

    def has(self, area: str) -> bool:
        """Whether an area has heads of its own on the day, or is part of a place that has."""
        return self.holder(area) in self._by_key

    def code(self, area: str) -> str:
        """Return the code that stands for an area on the day."""
        places = self.inside(area) if is_regency(area) else ()
        return places[0].code if places else area

    def name(self, area: str) -> str:
        """Return an area's name as answers show it."""
        places = self.inside(area) if is_regency(area) else ()
        if places:
            return places[0].shown_name
        whole = self._whole.get(area) or area_by_code(area)
        return whole.full_name if whole.kind == "kota" else whole.name


class Boundaries:
    """The areas of one store as known at one position: the built-in list and what changed it.

    `later`: openings that were recorded after it. Those areas can be asked about by name and code,
    and there is nobody in them.
    """

    def __init__(
        self, changes: Iterable[AreaChange] = (), *, later: Iterable[AreaChange] = ()
    ) -> None:
        self._later = {each.area: each for each in later}
        self.changes = tuple(sorted(changes, key=lambda each: (each.on, each.position)))
        self._chains: dict[tuple[str, Change], list[AreaChange]] = defaultdict(list)
        for each in self.changes:
            self._chains[each.area, each.change].append(each)
        self._changed = {each.area for each in self.changes}
        self.days = tuple(sorted({each.on for each in self.changes}))
        self._maps: dict[tuple[int, int | None], Map] = {}

    def __bool__(self) -> bool:
        """Whether anything differs from the built-in list."""
        return bool(self.changes)

    # --- one area -------------------------------------------------------------------------------

    @cached_property
    def opened(self) -> Mapping[str, AreaChange]:
        """The areas that the built-in list does not have, by key."""
        return {
            key: chain[0] for (key, kind), chain in self._chains.items() if kind is Change.OPENED
        }

    def chain(self, key: str, trait: Change) -> tuple[AreaChange, ...]:
        """Return the changes of one trait of an area, by day."""
        return tuple(self._chains.get((key, trait), ()))

    def first(self, key: str, trait: Change) -> str:
        """Return an area's code, name or province as its key was first known.

        Raises: UnknownAreaError.
        """
        opening = self.opened.get(key)
        if trait is Change.RECODED:
            return key
        if opening is not None:
            return opening.after if trait is Change.RENAMED else key.split(".", maxsplit=1)[0]
        area = area_by_code(key)
        return area.name if trait is Change.RENAMED else area.province or NATION

    def standing(self, key: str, trait: Change, on: date) -> str:
        """Return an area's code, name or province on a day.

        Raises: UnknownAreaError.
        """
        chain = self._chains.get((key, trait))
        if not chain:
            return self.first(key, trait)
        place = bisect_right(chain, on, key=lambda each: each.on)
        return chain[place - 1].after if place else chain[0].before or self.first(key, trait)

    def exists(self, key: str, on: date) -> bool:
        """Whether an area exists on a day: all but those opened later."""
        opening = self.opened.get(key)
        return opening.on <= on if opening is not None else area_of(key) is not None

    @cached_property
    def areas(self) -> tuple[Area, ...]:
        """All areas by their keys, as they stand after the last change."""
        return (*(self.area(each.code) for each in all_areas()), *map(self.area, self.opened))

    def area(self, key: str) -> Area:
        """Return an area as it stands after the last change, under its key.

        Raises: UnknownAreaError.
        """
        return self._area(key, date.max)

    def _area(self, key: str, on: date) -> Area:
        kind = kind_of(key) if key in self.opened else area_by_code(key).kind
        name = self.standing(key, Change.RENAMED, on)
        province = self.standing(key, Change.MOVED, on) if is_regency(key) else None
        return Area(key, name, kind, province)

    # --- all of them on a day -------------------------------------------------------------------

    def map_on(self, on: date, *, as_of: date | None = None) -> Map:
        """Return the places of a day, called and lying as on that day.

        With `as_of`, a day not before it, they are called and lie as then; what was split between
        the two days is one place, so that nobody is apportioned.
        """
        assert as_of is None or as_of >= on
        days = (
            bisect_right(self.days, on),
            None if as_of is None else bisect_right(self.days, as_of),
        )
        if days not in self._maps:
            self._maps[days] = self._drawn(
                on, on if as_of is None else as_of, now=as_of is not None
            )
        return self._maps[days]

    def _drawn(self, on: date, as_of: date, *, now: bool) -> Map:
        holder: dict[str, str] = {}
        called: dict[str, list[str]] = defaultdict(list)
        for key in self._regencies():
            held_by = self._holder(key, on)
            if self.exists(key, as_of):
                called[held_by].append(key)
                if now or held_by == key:
                    holder[key] = held_by
        places = [self._place(key, merged, as_of) for key, merged in called.items()]
        return Map(
            tuple(sorted(places, key=lambda each: (each.province, each.code))),
            is_built_in=not self.changes and not self._later,
            opened_in={
                key: self.standing(key, Change.MOVED, as_of if now else opening.on)
                for key, opening in self.opened.items()
                if is_regency(key)
            },
            _whole={key: self._area(key, as_of) for key in self._changed}
            | {key: _as_opened(each) for key, each in self._later.items()},
            _holder=holder if self.changes else _ITSELF,
        )

    def _regencies(self) -> Iterable[str]:
        yield from (each.code for each in all_areas() if each.province is not None)
        yield from (key for key in self.opened if is_regency(key))

    def _holder(self, key: str, on: date) -> str:
        """Return which area held an area's people on a day: itself, or what it was split from."""
        while not self.exists(key, on):
            parent = self.opened[key].split_from
            assert parent is not None
            key = parent
        return key

    def _place(self, key: str, merged: list[str], as_of: date) -> Place:
        if merged == [key] and key not in self._changed:  # as nearly all are
            area = area_by_code(key)
            return Place(key, key, area.name, area.kind, area.province or NATION)
        merged = sorted(merged, key=lambda each: (each != key, each))
        areas = [self._area(each, as_of) for each in merged]
        names = [each.full_name if each.kind == "kota" else each.name for each in areas]
        return Place(
            key=key,
            code=_JOINED.join(self.standing(each, Change.RECODED, as_of) for each in merged),
            name=" + ".join(names) if len(merged) > 1 else areas[0].name,
            kind=areas[0].kind,
            province=areas[0].province or NATION,
        )

    # --- look-up --------------------------------------------------------------------------------

    @cached_property
    def keys_by_code(self) -> Mapping[str, str]:
        """Every code that a change names or opens, now in force or not, with the key of its area."""
        codes = {key: key for key in self.opened}
        for each in self.changes:
            if each.change is Change.RECODED:
                codes |= {code: each.area for code in (each.before, each.after) if code}
        return codes

    @cached_property
    def _bearers(self) -> Mapping[str, tuple[Area, ...]]:
        """Who bears, or once bore, each name that the built-in list does not have."""
        bearers: dict[str, dict[str, Area]] = defaultdict(dict)
        for each in self.changes:
            named = {Change.RENAMED: (each.before, each.after), Change.OPENED: (each.after,)}
            for name in named.get(each.change, ()):
                for spelling in spellings_of(name or ""):
                    bearers[spelling][each.area] = self.area(each.area)
        return {spelling: tuple(areas.values()) for spelling, areas in bearers.items()}

    def find(self, text: str, *, area_codes: AreaCodes = "kemendagri") -> Area:
        """Return the area that a code or name means, under its key; old and new ones alike.

        Raises: UnknownAreaError and its kinds, as `areas.find_area`. Never a guess.
        """
        key = self.keys_by_code.get(folded(text))
        if key is not None:
            return self.area(key)
        return find_area(text, area_codes=area_codes, also=self._bearers)


def _as_opened(opening: AreaChange) -> Area:
    key = opening.area
    province = key.split(".", maxsplit=1)[0] if is_regency(key) else None
    return Area(key, opening.after, kind_of(key), province)


def kind_of(key: str) -> AreaKind:
    """Return what a new area is, by its code: 01 to 69 a kabupaten, 71 to 99 a kota."""
    if not is_regency(key):
        return "province"
    return "kota" if key.split(".")[1] >= _CITY_FROM else "kabupaten"


_ITSELF: Final[Mapping[str, str]] = MappingProxyType({})
BUILT_IN: Final = Boundaries()
"""The areas of a store that has recorded no change."""
