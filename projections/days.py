"""What the ledger says in the days of one point, day by day; each day made when it is read.

Pure: the courses of its regencies and the potentials in force in, standings out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import cached_property, reduce
from itertools import accumulate
from operator import attrgetter
from typing import Final, NamedTuple, overload

from projections.courses import NO_BALANCE, Balance, Course, more
from projections.points import Point
from projections.potentials import PotentialSaid
from projections.roll_up import RollUp
from registry.terms import is_regency


class Standing(NamedTuple):
    """What the ledger says from one day on, until it says something else.

    `active` is of the category and segment asked, None before the area's first entry; `potential`
    and `active_counted` are what coverage is taken over, None of a category or segment. `has_group`:
    whether any head was ever recorded of it; `unclassified`: heads that may be of it or are.
    `balance` are the heads in `active` that no batch explains, `balance_counted` those of them in
    `active_counted`.
    """

    on: date
    active: int | None
    potential: int | None
    active_counted: int | None
    regencies_counted: int
    regencies_total: int
    has_group: bool
    unclassified: int
    balance: Balance
    balance_counted: Balance

    @property
    def coverage(self) -> Fraction | None:
        """What is counted over the potential, in percent, exact."""
        if self.active_counted is None or not self.potential:
            return None
        return Fraction(100 * self.active_counted, self.potential)


class Stretch:
    """Days of a point on which the same regencies lie in its area: the first, and each of a change.

    `courses` are by key of a regency, inside or not; `in_force` by key of an area, as
    `Potentials.in_force` has them. Days are ordinals of dates.
    """

    def __init__(
        self,
        point: Point,
        first_day: date,
        last_day: date,
        inside: frozenset[str],
        courses: Mapping[str, Course],
        in_force: Mapping[str, Sequence[PotentialSaid]],
    ) -> None:
        self._point = point
        self._first, self._last = first_day.toordinal(), last_day.toordinal()
        self._inside = inside
        self._courses = courses
        self._in_force = in_force
        self._made: dict[int, Standing] = {}
        self._seldom: dict[int, tuple[dict[str, int], dict[str, Balance], Balance]] = {}

    @cached_property
    def days(self) -> Sequence[int]:
        """The first day, and each on which heads moved or a potential was revised; ascending."""
        if self._first == self._last:
            return [self._first]
        moving = (
            course.days[
                bisect_right(course.days, self._first) : bisect_right(course.days, self._last)
            ]
            for course in self._courses.values()
        )
        return sorted({self._first, *self._revising()}.union(*moving))

    @cached_property
    def active(self) -> Sequence[int | None]:
        """The heads asked for, day by day; None before the first entry."""
        courses = [course for _, course in self._courses_inside]
        if len(courses) == 1 and courses[0].days == self.days:  # of a regency nearly always
            return self._heads(courses[0])
        moved: dict[int, int] = defaultdict(int)
        for course in courses:
            before = 0
            for day, heads in zip(course.days, self._heads(course), strict=True):
                moved[max(day, self._first)] += heads - before
                before = heads
        begun = min(moved, default=self._last + 1)
        carried = accumulate(moved.get(day, 0) for day in self.days)
        return [
            heads if day >= begun else None for day, heads in zip(self.days, carried, strict=True)
        ]

    def may_have(self, fewest: int, most: int) -> bool:
        """Whether so many heads are asked for on any day, as far as that shows without the days."""
        if self._point.is_of_a_group:
            return True
        bounds = [course.bounds for _, course in self._courses_inside]
        return sum(least for least, _ in bounds) <= most and fewest <= sum(
            greatest for _, greatest in bounds
        )

    def days_of_a_count(self) -> list[int]:
        """Return the days on which a potential, or what is counted, may be another; ascending."""
        begun = (course.first_day for course in self._courses.values())
        beginning = (day for day in begun if self._first < day <= self._last)
        return sorted({self._first, *self._revising(), *beginning})

    @property
    def last_day(self) -> int:
        """The last of its days, of the last stretch of a point."""
        if self._first == self._last:
            return self._first
        moved = (course.last_day for course in self._courses.values())
        return max((self._first, *self._revising(), *moved))

    def standing(self, place: int) -> Standing:
        """Return what the ledger says from the day at a place on."""
        return self.standing_on(self.days[place])

    def standing_on(self, day: int) -> Standing:
        """Return what the ledger says from one of the days on."""
        if day not in self._made:
            self._made[day] = self._on_day(day)
        return self._made[day]

    def _on_day(self, day: int) -> Standing:
        if self._point.is_of_a_group:
            return self._of_a_group(day)
        if len(self._inside) == 1 and is_regency(self._point.area):
            return self._of_one(day)
        return self._rolled_up(day)

    def _of_one(self, day: int) -> Standing:
        """Of one regency there is nothing to roll up."""
        (key,) = self._inside
        on, course = date.fromordinal(day), self._courses.get(key)
        potential, active, balance = self._potential(key, on), None, NO_BALANCE
        if course is not None and (active := course.heads_on(day)) is not None:
            balance = course.balance_on(day)
        is_counted = active is not None and potential is not None
        return Standing(  # by place: there may be one for each day of a year of each figure
            on,
            active,
            potential,
            active if is_counted else None,
            int(is_counted),
            1,
            active is not None,
            0,
            balance,
            balance if is_counted else NO_BALANCE,
        )

    def _rolled_up(self, day: int) -> Standing:
        potentials, balances, everywhere = self._seldom_other(day)
        roll_up = RollUp(self._point.area, self._inside)
        for area, workers in potentials.items():
            roll_up.revise(area, workers)
        for key, course in self._courses_inside:
            if (heads := course.heads_on(day)) is not None:
                roll_up.move(key, heads)
        counted = (balance for key, balance in balances.items() if roll_up.counts(key))
        return Standing(
            date.fromordinal(day),
            roll_up.active,
            roll_up.potential,
            roll_up.active_counted,
            roll_up.regencies_counted,
            roll_up.regencies_total,
            roll_up.active is not None,
            0,
            everywhere,
            everywhere if roll_up.counts_all else reduce(more, counted, NO_BALANCE),
        )

    def _of_a_group(self, day: int) -> Standing:
        """Of a category or segment no potential is recorded; regencies are counted all the same."""
        begun, (potentials, _, everywhere) = self._begun(day), self._seldom_other(day)
        of_group = [course.of_group[place] for _, course, place in begun]
        return Standing(
            date.fromordinal(day),
            sum(each or 0 for each in of_group) if begun else None,
            None,
            None,
            sum(key in potentials for key, _, _ in begun),
            len(self._inside),
            any(each is not None for each in of_group),
            sum(course.perhaps_of_group[place] or 0 for _, course, place in begun),
            everywhere,
            NO_BALANCE,
        )

    def _begun(self, day: int) -> list[tuple[str, Course, int]]:
        """Return the regencies inside that have heads by a day, and the place of them in its course."""
        return [
            (key, course, place - 1)
            for key, course in self._courses_inside
            if (place := bisect_right(course.days, day))
        ]

    @cached_property
    def _courses_inside(self) -> list[tuple[str, Course]]:
        return [(key, self._courses[key]) for key in self._inside if key in self._courses]

    def _seldom_other(self, day: int) -> tuple[dict[str, int], dict[str, Balance], Balance]:
        """Return the potentials in force on a day, the balances of the regencies, and all of these."""
        since = bisect_right(self._seldom_days, day)
        if since not in self._seldom:
            on = date.fromordinal(day)
            in_force = {area: self._potential(area, on) for area in self._in_force}
            balances = {key: course.balance_on(day) for key, course in self._courses_inside}
            self._seldom[since] = (
                {area: workers for area, workers in in_force.items() if workers is not None},
                {key: balance for key, balance in balances.items() if balance != NO_BALANCE},
                reduce(more, balances.values(), NO_BALANCE),
            )
        return self._seldom[since]

    @cached_property
    def _seldom_days(self) -> list[int]:
        """The days on which a potential or a balance becomes another: few, beside those of heads."""
        balancing = {day for _, course in self._courses_inside for day, _ in course.balances}
        return sorted(balancing.union(self._revising()))

    def _potential(self, area: str, on: date) -> int | None:
        said = self._in_force.get(area, ())
        place = bisect_right(said, on, key=_VALID_FROM)
        return said[place - 1].workers if place else None

    def _heads(self, course: Course) -> Sequence[int]:
        """Return the heads asked for, from each day of a course on."""
        if self._point.is_of_a_group:
            return [each or 0 for each in course.of_group]
        return course.heads

    def _revising(self) -> Iterator[int]:
        """Yield the days after the first from which a potential holds."""
        for said in self._in_force.values():
            for each in said:
                if self._first < (day := each.valid_from.toordinal()) <= self._last:
                    yield day


_VALID_FROM: Final = attrgetter("valid_from")


class Days(Sequence[Standing]):
    """The standings of a point, by the day from which each holds; none of an unknown day.

    Of most days nobody asks more than how many heads there are.
    """

    def __init__(self, stretches: Sequence[Stretch] = ()) -> None:
        self._stretches = stretches

    @property
    def last(self) -> Standing | None:
        """The last of them."""
        if not self._stretches:
            return None
        return self._stretches[-1].standing_on(self._stretches[-1].last_day)

    def __len__(self) -> int:
        """Return how many there are."""
        return sum(len(each.days) for each in self._stretches)

    def __iter__(self) -> Iterator[Standing]:
        """Yield each, the first first."""
        for each in self._stretches:
            for place in range(len(each.days)):
                yield each.standing(place)

    def __reversed__(self) -> Iterator[Standing]:
        """Yield each, the last first."""
        for each in reversed(self._stretches):
            for place in reversed(range(len(each.days))):
                yield each.standing(place)

    @overload
    def __getitem__(self, place: int) -> Standing: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Standing]: ...
    def __getitem__(self, place: int | slice) -> Standing | Sequence[Standing]:
        """Return the standing at a place, or those of a slice."""
        return list(self)[place]

    def with_active(self, fewest: int, most: int) -> Iterator[Standing]:
        """Yield the standings with so many active heads, the last first."""
        for stretch in reversed(self._stretches):
            if not stretch.may_have(fewest, most):
                continue
            places = [
                place
                for place, heads in enumerate(stretch.active)
                if heads is not None and fewest <= heads <= most
            ]
            for place in reversed(places):
                yield stretch.standing(place)

    def by_what_is_counted(self) -> Iterator[Standing]:
        """Yield a standing wherever a potential, or which regencies are counted, may be another."""
        for each in self._stretches:
            for day in each.days_of_a_count():
                yield each.standing_on(day)
