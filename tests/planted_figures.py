"""A small country, and published figures about it with faults that are known by construction.

Everything is counted in plain dictionaries; the generator is seeded, so that a failure can be
repeated. Knows no ledger: it says what to record, and what must be found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from random import Random
from typing import Any, Final

from registry.commands import (
    BatchLine,
    ChangeArea,
    Command,
    PublishFigure,
    RecordBatch,
    RevisePotential,
    SetTarget,
)
from registry.terms import Action, Change

SEED: Final = 7
DAY: Final = timedelta(days=1)
FIRST: Final = date(2024, 1, 1)
RECORDED_ON: Final = date(2025, 12, 31)
"""The day on which the batches are recorded: later than all they say."""
PUBLISHED_ON: Final = date(2026, 2, 1)
CORRECTED_ON: Final = date(2026, 3, 1)
OPENED: Final = ("16.01", "16.02", "16.03")
ENROLLED: Final = ("16.04", "16.05", "16.06", "16.07")
WITHOUT_POTENTIAL: Final = "16.08"
WITHOUT_ANYTHING: Final = "16.09"
TARGETS_AT_ODDS: Final = "16.10"
UNCLASSIFIED: Final = "16.11"
WITHOUT_TARGETS: Final = (*OPENED[1:], *ENROLLED)
CORRECTED: Final = ("16.71", "16.72", "16.73", "16.74")
LAPSED: Final = ("17.01", "17.02", "17.03", "17.04", "17.05", "17.06")
STAYS: Final = "18.01"
MOVES: Final = "18.02"
RECEIVES: Final = "19"
"""Two regencies of one province; the second is told, late, to lie in another from `MOVED_ON` on."""
MOVED_ON: Final = FIRST + 100 * DAY
CATEGORIES: Final = ("pekerja-rentan", "guru", "marbot")
TIMES: Final = 6
"""How often each fault is planted."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A figure, and what must be found: the verdict and exactly these codes.

    `suspects`: references of exactly the batches behind it. `told`: what must be said of it, in its
    explanation or in what was found. Neither is looked at where it is None.
    """

    kind: str
    figure: PublishFigure
    verdict: str
    codes: frozenset[str]
    retracted: bool = False
    suspects: frozenset[str] | None = None
    told: str | None = None


@dataclass(slots=True)
class Country:
    """What is recorded, in this order; each figure with what must be found."""

    before: list[Command] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)
    corrections: list[Command] = field(default_factory=list)
    moves: list[ChangeArea] = field(default_factory=list)


class _Generator:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.heads: dict[str, list[tuple[date, str, int]]] = {}
        self.potential: dict[str, int] = {}
        self.used: set[tuple[str, str]] = set()
        self.country = Country()

    def make(self) -> Country:
        """Return the country with every fault planted `TIMES` times."""
        self._record()
        for number in range(TIMES):
            for kind in KINDS:
                self.country.planted += getattr(self, kind)(kind.replace("_", "-"), number)
        return self.country

    # --- what happened --------------------------------------------------------------------------

    def _record(self) -> None:
        areas = (*OPENED, *ENROLLED, WITHOUT_POTENTIAL, TARGETS_AT_ODDS, UNCLASSIFIED)
        for area in areas:
            self.heads[area] = []
            if area in OPENED:
                self._batch(area, Action.OPENING, FIRST, "guru", 20_000)
            if area == UNCLASSIFIED:
                self._batch(area, Action.ENROL, FIRST, "tidak-terklasifikasi", 30_000)
            for number in range(1, 13):
                category = CATEGORIES[0 if area == UNCLASSIFIED else number % len(CATEGORIES)]
                workers = 1_000 + self.random.randrange(4_000)
                self._batch(area, Action.ENROL, FIRST + number * 30 * DAY, category, workers)
            if area != WITHOUT_POTENTIAL:
                self.potential[area] = 99_991 + self.random.randrange(90_000)
                self.country.before.append(
                    RevisePotential(area, FIRST, self.potential[area], "workers", "BPS")
                )
        self.country.before += [
            SetTarget(TARGETS_AT_ODDS, date(2025, 12, 31), Decimal("52.15"), "RPJMD", "A"),
            SetTarget(TARGETS_AT_ODDS, date(2025, 6, 30), Decimal(58), "RKPD", "B"),
            SetTarget(OPENED[0], date(2025, 12, 31), Decimal(60), "RPJMD", "A"),
            SetTarget(OPENED[0], date(2025, 6, 30), Decimal("60.0"), "RPJMD", "B"),
            SetTarget(OPENED[0], date(2026, 12, 31), Decimal(70), "RPJMD", "A"),
        ]

    def _batch(self, area: str, action: Action, on: date, category: str, workers: int) -> None:
        self.heads[area].append((on, category, workers))
        reference = f"SK {len(self.heads[area])}/{area}"
        self.country.before.append(
            RecordBatch(action, area, reference, (BatchLine(category, workers),), effective_on=on)
        )

    def _active(self, area: str, on: date, category: str | None = None) -> int:
        return sum(
            workers for day, of, workers in self.heads[area] if day <= on and category in {None, of}
        )

    # --- what was printed ------------------------------------------------------------------------

    def _place(self, *areas: str, year: int | None = None) -> tuple[str, date]:
        """Return an area and a day, of one year if told, of which nothing was printed yet."""
        while True:
            area = self.random.choice(areas or (*OPENED, *ENROLLED))
            on = FIRST + 31 * DAY + self.random.randrange(600) * DAY
            if (area, str(on)) not in self.used and year in {None, on.year}:
                self.used.add((area, str(on)))
                return area, on

    def _percent(
        self, heads: int, potential: int, places: int = 2, how: str = ROUND_HALF_UP
    ) -> str:
        unit = Decimal(1).scaleb(-places)
        return str((Decimal(100 * heads) / Decimal(potential)).quantize(unit, how))

    def _planted(
        self,
        kind: str,
        area: str,
        as_of: date | str | None,
        verdict: str,
        *codes: str,
        **numbers: Any,
    ) -> Planted:
        good = verdict in {"agrees", "within-tolerance"}
        if good and area in OPENED and numbers.get("category") in {None, "guru"}:
            codes = (*codes, "balanced")
        figure = PublishFigure(
            area,
            None if as_of is None else str(as_of),
            "Dinas",
            f"{kind} {len(self.country.planted)}",
            **{"published_on": PUBLISHED_ON} | numbers,
        )
        return Planted(kind, figure, verdict, frozenset(codes))

    def clean(self, kind: str, number: int) -> Iterator[Planted]:
        """Everything right, printed with no, one, two or three decimals."""
        area, on = self._place()
        active, potential = self._active(area, on), self.potential[area]
        percent = self._percent(active, potential, number % 4)
        yield self._planted(
            kind, area, on, "agrees", active=active, potential=potential, percent=percent
        )

    def clean_of_a_category(self, kind: str, number: int) -> Iterator[Planted]:
        """Heads of one category."""
        area, on = self._place()
        category = CATEGORIES[number % len(CATEGORIES)]
        active = self._active(area, on, category)
        yield self._planted(kind, area, on, "agrees", active=active, category=category)

    def clean_uncovered(self, kind: str, number: int) -> Iterator[Planted]:
        """Covered and not covered make a whole; every second one prints only the latter."""
        area, on = self._place()
        active, potential = self._active(area, on), self.potential[area]
        uncovered = str(100 - Decimal(self._percent(active, potential)))
        percent = self._percent(active, potential) if number % 2 else None
        yield self._planted(kind, area, on, "agrees", percent=percent, uncovered_percent=uncovered)

    def clean_gap(self, kind: str, number: int) -> Iterator[Planted]:
        """A gap by each of its readings: workers, points, everybody not covered."""
        area, on = self._place(*WITHOUT_TARGETS)
        active, potential = self._active(area, on), self.potential[area]
        percent = self._percent(active, potential)
        target = Decimal("95.50")
        goal = -(-int(target * 100) * potential // 10_000)
        gap = (goal - active, target - Decimal(percent), potential - active)[number % 3]
        numbers = {"active": active, "potential": potential, "percent": percent}
        yield self._planted(
            kind, area, on, "agrees", **numbers, target_percent=str(target), gap=str(gap)
        )

    def clean_month(self, kind: str, number: int) -> Iterator[Planted]:
        """True on one day of a month or year, not on its last."""
        area, _ = self._place(*ENROLLED)
        on, _, _ = self.heads[area][4 + number % 5]
        active = self._active(area, on)
        as_of = f"{on:%Y-%m}" if number % 2 else f"{on:%Y}"
        if (area, as_of) in self.used:
            return
        self.used.add((area, as_of))
        yield self._planted(kind, area, as_of, "agrees", active=active)

    def within_tolerance(self, kind: str, number: int) -> Iterator[Planted]:
        """Rounded by who printed it, who says so."""
        area, on = self._place()
        active = self._active(area, on) + (400 if number % 2 else -400)
        verdict = "within-tolerance"
        yield self._planted(kind, area, on, verdict, active=active, tolerance=500)

    def beyond_tolerance(self, kind: str, number: int) -> Iterator[Planted]:
        """One head more than the tolerance allows."""
        area, on = self._place()
        active = self._active(area, on) + (501 if number % 2 else -501)
        yield self._planted(kind, area, on, "differs", active=active, tolerance=500)

    def other_active(self, kind: str, number: int) -> Iterator[Planted]:
        """One head too many."""
        area, on = self._place()
        active = self._active(area, on) + 1 + number
        yield self._planted(kind, area, on, "differs", active=active)

    def other_percent(self, kind: str, number: int) -> Iterator[Planted]:
        """A percentage that is nobody's, of no potential ever recorded."""
        area, on = self._place()
        percent = Decimal(self._percent(self._active(area, on), self.potential[area], 1))
        yield self._planted(kind, area, on, "differs", percent=str(percent + 3 + number))

    def other_potential_printed(self, kind: str, number: int) -> Iterator[Planted]:
        """Only a potential, and not the one in force."""
        area, on = self._place()
        potential = self.potential[area] + 1 + number
        yield self._planted(kind, area, on, "differs", potential=potential)

    def year_that_never_was(self, kind: str, number: int) -> Iterator[Planted]:
        """More than on any day of a year."""
        area = ENROLLED[number % len(ENROLLED)]
        as_of = str(2024 + number % 2)
        active = self._active(area, date(2026, 1, 1)) + 10_000 + number
        if (area, as_of) not in self.used:
            self.used.add((area, as_of))
            yield self._planted(kind, area, as_of, "differs", active=active)

    def percent_inconsistent(self, kind: str, number: int) -> Iterator[Planted]:
        """Active and potential right, and the percentage is not theirs."""
        area, on = self._place()
        active, potential = self._active(area, on), self.potential[area]
        percent = Decimal(self._percent(active, potential)) + Decimal("0.37") + number
        numbers = {"active": active, "potential": potential, "percent": str(percent)}
        yield self._planted(kind, area, on, "differs", kind, **numbers)

    def percent_truncated(self, kind: str, number: int) -> Iterator[Planted]:
        """Cut off instead of rounded; every second one prints no potential."""
        while True:
            area, on = self._place()
            active, potential = self._active(area, on), self.potential[area]
            cut = self._percent(active, potential, 1, ROUND_DOWN)
            if cut != self._percent(active, potential, 1):
                break
        printed = potential if number % 2 else None
        numbers = {"active": active, "potential": printed, "percent": cut}
        yield self._planted(kind, area, on, "differs", kind, **numbers)

    def uncovered_inconsistent(self, kind: str, number: int) -> Iterator[Planted]:
        """Covered and not covered make more or less than 100."""
        area, on = self._place()
        percent = self._percent(self._active(area, on), self.potential[area])
        off = Decimal("0.02") if number % 2 else Decimal("-0.01")
        numbers = {"percent": percent, "uncovered_percent": str(100 - Decimal(percent) + off)}
        yield self._planted(kind, area, on, "agrees", kind, **numbers)

    def gap_inconsistent(self, kind: str, number: int) -> Iterator[Planted]:
        """Neither workers, nor points, nor everybody; every second one prints no active."""
        area, on = self._place(*WITHOUT_TARGETS)
        active, potential = self._active(area, on), self.potential[area]
        target = Decimal("95.50")
        goal = -(-int(target * 100) * potential // 10_000)
        numbers: dict[str, Any] = {"active": active} if number % 2 else {}
        numbers["percent"] = self._percent(active, potential)
        gap = str(goal - active + 9_000 + number)
        yield self._planted(
            kind, area, on, "agrees", kind, **numbers, target_percent=str(target), gap=gap
        )

    def gap_alone(self, kind: str, number: int) -> Iterator[Planted]:
        """Nothing but a gap beside its target: the workers needed, or one more, and how it differs."""
        area, on = self._place(*ENROLLED)
        needed = -(-int(9_550 * self.potential[area]) // 10_000) - self._active(area, on)
        target = "95.50"
        if number % 3 == 0:
            yield self._planted(
                f"{kind}-right", area, on, "agrees", target_percent=target, gap=str(needed)
            )
            area, on = self._place(*ENROLLED)
            needed = -(-int(9_550 * self.potential[area]) // 10_000) - self._active(area, on)
        wrong = self._planted(
            kind,
            area,
            on,
            "differs",
            "gap-inconsistent",
            target_percent=target,
            gap=str(needed + 1),
        )
        yield replace(wrong, told=f"gap {needed + 1:,} printed, {needed:,} needed (+1)")

    def gap_without_a_target(self, kind: str, number: int) -> Iterator[Planted]:
        """A gap, the day and the potential in the ledger, and nothing to count it to."""
        area, on = self._place(*ENROLLED)
        told = "only a gap is printed, and no target is known to count it from"
        alone = self._planted(kind, area, on, "no-ledger", gap=str(17 + number))
        yield replace(alone, told=told)

    def other_potential(self, kind: str, number: int) -> Iterator[Planted]:
        """Active right, the percentage over a potential that is not in force."""
        area, on = self._place()
        active = self._active(area, on)
        percent = self._percent(active, self.potential[area] * 9 // 10 - number)
        yield self._planted(kind, area, on, "differs", kind, active=active, percent=percent)

    def other_potential_uncovered(self, kind: str, number: int) -> Iterator[Planted]:
        """Likewise, and only those not covered are printed."""
        area, on = self._place()
        active = self._active(area, on)
        percent = self._percent(active, self.potential[area] * 9 // 10 - number)
        numbers = {"active": active, "uncovered_percent": str(100 - Decimal(percent))}
        yield self._planted(kind, area, on, "differs", "other-potential", **numbers)

    def uncovered_truncated(self, kind: str, number: int) -> Iterator[Planted]:
        """Those not covered, cut off; every second one prints its potential, or nothing else."""
        while True:
            area, on = self._place()
            active, potential = self._active(area, on), self.potential[area]
            cut = self._percent(potential - active, potential, 1, ROUND_DOWN)
            if cut != self._percent(potential - active, potential, 1):
                break
        numbers = ({}, {"active": active}, {"active": active, "potential": potential})[number % 3]
        yield self._planted(
            kind, area, on, "differs", "percent-truncated", **numbers, uncovered_percent=cut
        )

    def clean_figures_of_a_year(self, kind: str, number: int) -> Iterator[Planted]:
        """Two figures of one month or year, each right on a day of its own: no conflict."""
        area = ENROLLED[number % len(ENROLLED)]
        of_year = number < len(ENROLLED)
        first, second = (self.heads[area][each][0] for each in ((2, 4) if of_year else (6, 7)))
        as_of = str(first.year) if of_year else f"{first:%Y-%m}"
        if not f"{second}".startswith(as_of) or (area, as_of) in self.used:
            return
        self.used.add((area, as_of))
        for on in (first, second):
            yield self._planted(kind, area, as_of, "agrees", active=self._active(area, on))

    def figures_conflict(self, kind: str, number: int) -> Iterator[Planted]:
        """Two papers of one day, one of them right."""
        area, on = self._place()
        active = self._active(area, on)
        yield self._planted(kind, area, on, "agrees", kind, active=active)
        yield self._planted(kind, area, on, "differs", kind, active=active + 10 + number)

    def targets_conflict(self, kind: str, number: int) -> Iterator[Planted]:
        """Two targets for one year, told of figures that name a target of that year."""
        area, on = self._place(TARGETS_AT_ODDS, year=2025)
        active = self._active(area, on)
        yield self._planted(kind, area, on, "agrees", kind, active=active, target_percent="58")
        area, on = self._place(TARGETS_AT_ODDS)
        yield self._planted(f"{kind}-elsewhere", area, on, "agrees", active=self._active(area, on))
        area, on = self._place(TARGETS_AT_ODDS, year=2024)
        active = self._active(area, on)
        yield self._planted(
            f"{kind}-another-year", area, on, "agrees", active=active, target_percent="58"
        )
        area, on = self._place(OPENED[0], year=2025)
        numbers = {"active": self._active(area, on), "target_percent": f"{61 + number}"}
        yield self._planted(f"{kind}-of-nobody", area, on, "agrees", kind, **numbers)

    def only_a_target(self, kind: str, number: int) -> Iterator[Planted]:
        """Nothing that a ledger holds."""
        del number
        area, on = self._place(OPENED[0], year=2025)
        yield self._planted(kind, area, on, "no-ledger", target_percent="60")

    def restated(self, kind: str, number: int) -> Iterator[Planted]:
        """Right when it was printed; then the only batch of a category is corrected."""
        if number:
            return
        for each, area in enumerate(CORRECTED):
            day = FIRST + (400 + each) * DAY
            line = BatchLine("bpd", 500)
            batch = RecordBatch(Action.ENROL, area, f"SK B/{area}", (line,), effective_on=day)
            self.country.before.append(batch)
            self.country.corrections.append(
                replace(batch, lines=(BatchLine("bpd", 490),), because="ten twice")
            )
            yield self._planted(kind, area, day, "differs", kind, active=500, category="bpd")

    def moved_away(self, kind: str, number: int) -> Iterator[Planted]:
        """A province as it was known; then one of its regencies is said to have lain elsewhere."""
        province, workers = STAYS[:2], {STAYS: 700, MOVES: 300}
        if not number:
            for area, heads in workers.items():
                lines = (BatchLine("guru", heads),)
                self.country.before.append(
                    RecordBatch(Action.ENROL, area, "SK M", lines, effective_on=FIRST)
                )
            move = ChangeArea(MOVES, Change.MOVED, MOVED_ON, None, RECEIVES, source="UU")
            self.country.moves.append(move)
            on = MOVED_ON - DAY
            yield self._planted(f"{kind}-before", province, on, "agrees", active=1_000)
        on = MOVED_ON + number * 30 * DAY
        wrong = self._planted(kind, province, on, "differs", "restated", active=1_000)
        yield replace(
            wrong, suspects=frozenset(), told=f"1,000 heads then, 700 now; {MOVES} left the area"
        )

    def left_with_the_year(self, kind: str, number: int) -> Iterator[Planted]:
        """Heads that a month still counts; another paper of that month knows that they have left."""
        area, workers, reference = LAPSED[number], 300 + number, f"SK L/{LAPSED[number]}"
        line = BatchLine("guru", workers, covered_until=date(2024, 12, 31))
        batch = RecordBatch(Action.ENROL, area, reference, (line,), effective_on=FIRST)
        self.country.before.append(batch)
        yield self._planted(f"{kind}-before", area, "2024-11", "agrees", active=workers)
        conflict = "figures-conflict"
        yield self._planted(f"{kind}-known", area, "2025-01", "agrees", conflict, active=0)
        wrong = self._planted(kind, area, "2025-01", "differs", conflict, active=workers)
        told = f"agreed (2024-11): {reference} (−{workers})"
        yield replace(wrong, suspects=frozenset({reference}), told=told)

    def unclassified(self, kind: str, number: int) -> Iterator[Planted]:
        """No such category, and enough heads of which nobody says which."""
        area, on = self._place(UNCLASSIFIED)
        yield self._planted(kind, area, on, kind, active=30_000 - number, category="guru")

    def not_enough_unclassified(self, kind: str, number: int) -> Iterator[Planted]:
        """No such category, and not enough heads that might be it."""
        area, on = self._place(UNCLASSIFIED)
        yield self._planted(kind, area, on, "differs", active=30_001 + number, category="guru")

    def undated(self, kind: str, number: int) -> Iterator[Planted]:
        """Nobody says of which day."""
        area, _ = self._place()
        yield self._planted(kind, area, None, kind, active=1_000 + number)

    def no_ledger(self, kind: str, number: int) -> Iterator[Planted]:
        """An area of which nothing is recorded, or a day before the first entry."""
        if number % 2:
            yield self._planted(kind, WITHOUT_ANYTHING, FIRST + number * DAY, kind, percent="39")
        else:
            area = ENROLLED[number % len(ENROLLED)]
            yield self._planted(kind, area, FIRST - (1 + number) * DAY, kind, active=10)

    def no_potential(self, kind: str, number: int) -> Iterator[Planted]:
        """Heads, and nothing to hold them against."""
        area, on = self._place(WITHOUT_POTENTIAL)
        active = self._active(area, on)
        yield self._planted(kind, area, on, kind, active=active, percent=f"{20 + number}.5")

    def retracted(self, kind: str, number: int) -> Iterator[Planted]:
        """Wrong in every way, and taken back."""
        area, on = self._place()
        numbers = {"active": 1 + number, "potential": 3, "percent": "99.9"}
        yield replace(self._planted(kind, area, on, kind, **numbers), retracted=True)


KINDS: Final = tuple(
    name
    for name, made in vars(_Generator).items()
    if not name.startswith("_") and callable(made) and name != "make"
)


def planted_country(seed: int = SEED) -> Country:
    """Return what to record, and the figures with what must be found of each."""
    return _Generator(seed).make()
