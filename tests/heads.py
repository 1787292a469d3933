"""Heads, one by one: what a set of stated batches comes to if every head is an object of its own.

The oracle's world. It must not repeat the ledger: no signed sums, no lapse rows, no running
balances. Heads are covered from a day until a day, batches pick heads out of sets, and a rule is
broken where there is nobody left to pick.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, NamedTuple

from registry.terms import Action, Funding, Segment

Key = tuple[str, str, str]
"""A batch's identity: area, reference and part, as compared."""

LEAVING: Final = frozenset({Action.DEACTIVATE, Action.BALANCE_OUT})


class Cohort(NamedTuple):
    """The heads that one batch brought in, alike, covered until the same last day."""

    area: str
    batch: Key
    category: str
    segment: Segment | None
    funding: Funding | None
    until: date | None


class Pool(NamedTuple):
    """Everybody without an end, of one area and category, whichever batch brought them in."""

    area: str
    category: str


class Move(NamedTuple):
    """So many heads leave somewhere, enter somewhere, or both; a renewal continues a cohort."""

    workers: int
    leaves: Cohort | Pool | None
    enters: Cohort | None
    continues: Cohort | None


@dataclass(frozen=True, slots=True)
class Stated:
    """A batch as it stands: what it does, from which day, and what else it says."""

    action: Action
    first_day: date
    moves: tuple[Move, ...]
    says: tuple[object, ...] = ()


@dataclass(eq=False, slots=True)
class Head:
    """Somebody's place in a cohort: covered from the first day until the last, or until gone."""

    cohort: Cohort
    first_day: date
    gone_on: date | None = None
    left: bool = False
    continued_by: Head | None = None

    def is_covered(self, day: date) -> bool:
        """Whether this place is held on a day."""
        if day < self.first_day or (self.gone_on is not None and day >= self.gone_on):
            return False
        return self.cohort.until is None or day <= self.cohort.until


@dataclass(eq=False, slots=True)
class Anybody:
    """Somebody without an end, seen from the pool: which batch brought them in is not asked."""

    first_day: date
    gone_on: date | None = None

    def is_covered(self, day: date) -> bool:
        """Whether this place is held on a day."""
        return self.first_day <= day and (self.gone_on is None or day < self.gone_on)


@dataclass(slots=True)
class World:
    """All heads that the stated batches bring in, and the rules that they break together."""

    cohorts: dict[Cohort, list[Head]] = field(default_factory=lambda: defaultdict(list))
    pools: dict[Pool, list[Anybody]] = field(default_factory=lambda: defaultdict(list))
    drawn_from: set[Pool] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    def left_of(self, cohort: Cohort) -> list[Head]:
        """Return the heads of a cohort that never left it before its end."""
        return [head for head in self.cohorts.get(cohort, ()) if head.gone_on is None]

    def covered(self, day: date) -> Iterator[tuple[str, str]]:
        """Return the area and category of every head covered on a day."""
        for cohort, heads in self.cohorts.items():
            if cohort.until is not None:
                for head in heads:
                    if head.is_covered(day):
                        yield cohort.area, cohort.category
        for pool, places in self.pools.items():
            for place in places:
                if place.is_covered(day):
                    yield pool.area, pool.category

    def covered_by_cohort(self, day: date) -> Iterator[Cohort]:
        """Return the cohort of every head covered on a day; who left a pool is not known by it."""
        for cohort, heads in self.cohorts.items():
            for head in heads:
                if head.is_covered(day):
                    yield cohort


def simulate(book: Mapping[Key, Stated]) -> World:
    """Bring all heads in, let them leave day by day, continue the renewed; note what cannot be."""
    world = World()
    for stated in book.values():
        for move in stated.moves:
            if move.enters is not None:
                world.cohorts[move.enters] += [
                    Head(move.enters, stated.first_day) for _ in range(move.workers)
                ]
    _leave_cohorts(world, book)
    _continue(world, book)
    _leave_pools(world, book)
    _open(world, book)
    return world


def _leave_cohorts(world: World, book: Mapping[Key, Stated]) -> None:
    """Rules 1 and 2: who leaves a cohort is in it on that day, within its life."""
    leavers: dict[Cohort, list[tuple[date, int, bool, str]]] = defaultdict(list)
    for key, stated in book.items():
        for move in stated.moves:
            if isinstance(move.leaves, Cohort):
                leaves = stated.action in LEAVING
                leavers[move.leaves].append((stated.first_day, move.workers, leaves, key[1]))
    for cohort, leaving in leavers.items():
        there = world.cohorts.get(cohort, [])
        for day, workers, leaves, reference in sorted(leaving):
            if cohort.until is not None and day > cohort.until:
                world.broken.append(f"rule 2: {reference} takes from {cohort} after its end")
            present = [head for head in there if head.is_covered(day)]
            if len(present) < workers:
                world.broken.append(
                    f"rule 1: {reference} takes {workers} of {len(present)} left in {cohort} on {day}"
                )
            for head in present[:workers]:
                head.gone_on, head.left = day, leaves


def _continue(world: World, book: Mapping[Key, Stated]) -> None:
    """Rule 3: whom a renewal covers was covered the day before, and nobody is renewed twice.

    Heads named as leaving the renewal on its first day were never covered by it.
    """
    for key, stated in book.items():
        for cohort, old in {(m.enters, m.continues) for m in stated.moves if m.continues}:
            assert cohort is not None
            assert old is not None
            day_before = stated.first_day - timedelta(days=1)
            renewed = [
                head
                for head in world.cohorts[cohort]
                if not (head.left and head.gone_on == head.first_day)
            ]
            free = [
                head
                for head in world.cohorts.get(old, [])
                if head.is_covered(day_before) and head.continued_by is None
            ]
            if len(renewed) > len(free):
                world.broken.append(
                    f"rule 3: {key[1]} renews {len(renewed)}, {len(free)} are left in {old}"
                )
            for survivor, head in zip(free, renewed, strict=False):
                survivor.continued_by = head


def _leave_pools(world: World, book: Mapping[Key, Stated]) -> None:
    """Rule 1 for the open-ended: at the end of no day have more left than ever came."""
    arrivals: dict[Pool, list[date]] = defaultdict(list)
    departures: dict[Pool, list[date]] = defaultdict(list)
    for stated in book.values():
        for move in stated.moves:
            if move.enters is not None and move.enters.until is None:
                pool = Pool(move.enters.area, move.enters.category)
                arrivals[pool] += [stated.first_day] * move.workers
            if isinstance(move.leaves, Pool):
                world.drawn_from.add(move.leaves)
                departures[move.leaves] += [stated.first_day] * move.workers
            elif move.leaves is not None and move.leaves.until is None:
                pool = Pool(move.leaves.area, move.leaves.category)
                departures[pool] += [stated.first_day] * move.workers
    for pool in arrivals.keys() | departures.keys():
        places = [Anybody(day) for day in arrivals[pool]]
        world.pools[pool] = places
        for day in sorted(departures[pool]):
            taken = next((place for place in places if place.is_covered(day)), None)
            if taken is None:
                world.broken.append(f"rule 1: nobody of {pool} is left to leave on {day}")
                break
            taken.gone_on = day


def _open(world: World, book: Mapping[Key, Stated]) -> None:
    """Rule 4: one opening an area; nothing on or before its day but itself."""
    openings: dict[str, list[tuple[Key, date]]] = defaultdict(list)
    for key, stated in book.items():
        if stated.action is Action.OPENING:
            openings[key[0]].append((key, stated.first_day))
    for area, found in openings.items():
        if len(found) > 1:
            world.broken.append(f"rule 4: {area} has {len(found)} openings")
    for key, stated in book.items():
        for area in areas_of(stated):
            for opening, day in openings.get(area, []):
                if opening != key and stated.first_day <= day:
                    world.broken.append(f"rule 4: {key[1]} is not after the opening of {area}")


def areas_of(stated: Stated) -> set[str]:
    """Return the areas that a batch touches: two for a transfer."""
    ends = itertools.chain.from_iterable((move.leaves, move.enters) for move in stated.moves)
    return {end.area for end in ends if end is not None}
