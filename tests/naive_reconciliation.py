"""Published figures held against the log, the long way: event by event, day by day, pair by pair.

The oracle of `projections.reconciliation`. It reads the events as plain JSON, knows neither the fold
nor DuckDB nor any rule of the program's, divides in `decimal` and compares printed texts. Written
from DESIGN sections 2, 3, 5 and 7. Slow on purpose.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

from registry.reference.areas import regencies

DAY = timedelta(days=1)
UNCLASSIFIED = "tidak-terklasifikasi"
GOOD = ("agrees", "within-tolerance")
FROM_BEST = (
    "agrees", "within-tolerance", "no-potential", "unclassified", "no-ledger", "undated", "differs",
)  # fmt: skip


class Row(Protocol):
    """A row of the log."""

    @property
    def position(self) -> int:
        """Return where it stands."""

    @property
    def topic(self) -> str:
        """Return what kind of event it is."""

    def facts(self) -> dict[str, Any]:
        """Return what it says."""

    def recorded_at(self) -> datetime:
        """Return when it was recorded."""


class Movement(NamedTuple):
    """Heads that enter or leave on a day; those that lapse had come or gone by another kind."""

    position: int
    documented_on: date | None
    area: str
    category: str
    segment: str | None
    kind: str
    day: date
    workers: int
    batch: tuple[str, str, str]
    by_kind: str


class Said(NamedTuple):
    """A potential, target or figure as recorded, and where it was taken back."""

    position: int
    facts: dict[str, Any]
    taken_back: int | None


class View(NamedTuple):
    """Up to where the log is read, and which papers are believed.

    `areas`: up to where it is read for changes of areas, if not as far.
    """

    known: int
    documented_by: date | None = None
    areas: int | None = None


class Count(NamedTuple):
    """What there is of one thing on one day."""

    active: int | None
    potential: int | None
    active_counted: int | None
    counted: int
    regencies: int
    seen: bool
    perhaps: int
    opening: int
    reconciling: int
    balanced_by: frozenset[tuple[str, str, str]]
    counted_balanced_by: frozenset[tuple[str, str, str]]

    def percent(self) -> Decimal | None:
        """Return the coverage, nearly exact."""
        if self.active_counted is None or not self.potential:
            return None
        return quotient(self.active_counted, self.potential)


@dataclass
class Outcome:
    """What became of one figure."""

    position: int
    verdict: str
    verdict_then: str | None
    verdict_documented: str | None
    now: Count | None
    then: Count | None
    results: dict[str, str]
    codes: set[str] = field(default_factory=set)
    suspects: dict[tuple[str, str, str], int] = field(default_factory=dict)
    restated_by: dict[tuple[str, str, str], int] = field(default_factory=dict)
    crossed: set[tuple[str, bool]] = field(default_factory=set)
    restated_areas: set[tuple[str, bool]] = field(default_factory=set)


def quotient(heads: int, potential: int) -> Decimal:
    """Return heads over a potential in percent, to sixty digits: no tie is missed or made."""
    with localcontext() as context:
        context.prec = 60
        return Decimal(100 * heads) / Decimal(potential)


def rounds_to(exact: Decimal, text: str) -> bool:
    """Whether the exact value is printed so."""
    return exact.quantize(Decimal(text), ROUND_HALF_UP) == Decimal(text)


def cut_to(exact: Decimal, text: str) -> bool:
    """Whether the exact value is printed so if the rest is thrown away, and otherwise if rounded."""
    return exact.quantize(Decimal(text), ROUND_DOWN) == Decimal(text) and not rounds_to(exact, text)


def movements(rows: Iterable[Row]) -> Iterator[Movement]:
    """Yield what every batch ever did, line by line, and that a term ends by itself."""
    for row in rows:
        facts = row.facts()
        if "reference" not in facts or "kind" not in facts:
            continue
        taken = facts.get("takes_back")
        groups = [(facts.get("lines"), 1, facts), (facts.get("puts"), 1, facts)]
        if taken:
            groups.append((taken["lines"], -1, taken))
        for lines, sign, of in groups:
            for line in lines or ():
                cohort = line["cohort"]
                said = _day(facts["decided_on"])
                place = cohort["area"], cohort["category"], cohort["segment"]
                batch = facts["area"], facts["reference"], facts["part"]
                day = date.fromisoformat(of["effective_on"])
                workers = sign * line["workers"]
                yield Movement(
                    row.position, said, *place, of["kind"], day, workers, batch, of["kind"]
                )
                if cohort["expires_on"]:
                    ends = date.fromisoformat(cohort["expires_on"])
                    yield Movement(
                        row.position, said, *place, "lapse", ends, -workers, batch, of["kind"]
                    )


class Naive:
    """A whole log, read."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.movements = list(movements(rows))
        taken = {
            row.facts()["takes_back_position"]: row.position
            for row in rows
            if "takes_back_position" in row.facts()
        }
        of = {
            topic: [
                Said(row.position, row.facts(), taken.get(row.position))
                for row in rows
                if row.topic == f"ucj.{topic}"
            ]
            for topic in ("labour-potential-revised", "target-set", "figure-published")
        }
        self.potentials = of["labour-potential-revised"]
        self.targets = of["target-set"]
        self.figures = of["figure-published"]
        self.moves = [
            Said(row.position, row.facts(), taken.get(row.position))
            for row in rows
            if row.topic == "ucj.area-changed" and row.facts()["change"] == "moved"
        ]
        self._counted: dict[tuple[str, str | None, str | None, date, View], Count] = {}

    # --- what there is ----------------------------------------------------------------------------

    def inside(self, area: str, on: date, known: int) -> list[str]:
        """Return the regencies of an area on a day: each follows its moves, one after another."""
        if not self.moves or "." in area or area == "ID":
            return [each.code for each in regencies(area)]
        return [each.code for each in regencies("ID") if self._lies(each.code, on, known) == area]

    def _lies(self, code: str, on: date, known: int) -> str:
        moves = sorted(
            (each.facts["effective_on"], each.position, each.facts)
            for each in self.moves
            if each.facts["area"] == code and each.position <= known and not _gone(each, known)
        )
        where = moves[0][2]["before"] if moves else code[:2]
        for day, _, facts in moves:
            where = facts["after"] if day <= str(on) else where
        return str(where)

    def _believed(self, view: View, position: int, documented_on: date | None) -> bool:
        if position > view.known:
            return False
        if view.documented_by is None:
            return True
        return (documented_on or self._recorded_on(position)) <= view.documented_by

    def _recorded_on(self, position: int) -> date:
        (row,) = [each for each in self.rows if each.position == position]
        return (row.recorded_at() + timedelta(hours=7)).date()

    def _withdrawn(self, said: Said, view: View) -> bool:
        if not _gone(said, view.known):
            return False
        assert said.taken_back is not None
        return (
            view.documented_by is None or self._recorded_on(said.taken_back) <= view.documented_by
        )

    def potential(self, area: str, on: date, view: View) -> int | None:
        """Return the potential in force: the latest day, among equals the latest recorded."""
        found = [
            (_day(said.facts["valid_from"]), said.position, said.facts["workers"])
            for said in self.potentials
            if said.facts["area"] == area
            and _day(said.facts["valid_from"]) <= on  # type: ignore[operator]
            and self._believed(view, said.position, _day(said.facts["documented_on"]))
            and not self._withdrawn(said, view)
        ]
        return max(found)[2] if found else None

    def count(
        self, area: str, category: str | None, segment: str | None, on: date, view: View
    ) -> Count:
        """Count one area, or one category or segment of it, on one day; remembered."""
        asked = area, category, segment, on, view
        if asked not in self._counted:
            self._counted[asked] = self._count(*asked)
        return self._counted[asked]

    def _count(
        self, area: str, category: str | None, segment: str | None, on: date, view: View
    ) -> Count:
        inside = self.inside(area, on, view.known if view.areas is None else view.areas)
        there = [
            each
            for each in self.movements
            if each.area in inside
            and each.day <= on
            and self._believed(view, each.position, each.documented_on)
        ]
        of_it = [
            each
            for each in there
            if (category is None or each.category == category)
            and (segment is None or each.segment == segment)
        ]
        perhaps = [
            each
            for each in there
            if (category is None or each.category in {category, UNCLASSIFIED})
            and (segment is None or each.segment in {segment, None})
        ]
        potentials = {each: self.potential(each, on, view) for each in inside}
        both = {each.area for each in there if potentials[each.area] is not None}
        own = self.potential(area, on, view)
        potential: int | None = sum(potentials[each] or 0 for each in both) or None
        counted: int | None = sum(each.workers for each in there if each.area in both)
        if inside == [area] or (own is not None and len(both) == len(inside)):
            potential = own
        group = category is not None or segment is not None
        return Count(
            active=sum(each.workers for each in of_it) if there else None,
            potential=None if group else potential,
            active_counted=None if group or not both else counted,
            counted=len(both),
            regencies=len(inside),
            seen=bool(of_it),
            perhaps=sum(each.workers for each in perhaps),
            opening=sum(each.workers for each in of_it if each.by_kind == "opening"),
            reconciling=sum(each.workers for each in of_it if each.by_kind == "reconciling"),
            balanced_by=_standing_balances(of_it),
            counted_balanced_by=_standing_balances(each for each in of_it if each.area in both),
        )

    def at(
        self, area: str, category: str | None, segment: str | None, as_of: str | None, known: int
    ) -> Count | None:
        """Count on the last day of a day, month or year."""
        days = list(days_of(as_of))
        return self.count(area, category, segment, days[-1], View(known)) if days else None

    # --- one figure -------------------------------------------------------------------------------

    def known_then(self, published_on: date, known: int) -> int:
        """Return the last position recorded before the next day begins in Jakarta."""
        midnight = datetime.combine(published_on + DAY, datetime.min.time(), UTC) - timedelta(
            hours=7
        )
        before = [row.position for row in self.rows if row.recorded_at() < midnight]
        return min(max(before, default=0), known)

    def holds_anything(self, area: str, known: int) -> bool:
        """Whether anything was said by then of the heads or the potential of an area."""
        days = [date.min, *(date.fromisoformat(each.facts["effective_on"]) for each in self.moves)]
        inside = {area, *(code for on in days for code in self.inside(area, on, known))}
        return any(
            each.area in inside and each.position <= known for each in self.movements
        ) or any(
            said.facts["area"] in inside and said.position <= known for said in self.potentials
        )

    def counts(self, facts: dict[str, Any], known: int) -> list[Count]:
        """Count on every day that a figure can mean."""
        of = facts["area"], facts["category"], facts["segment"]
        return [self.count(*of, on, View(known)) for on in days_of(facts["as_of"])]

    def judged(self, facts: dict[str, Any], view: View) -> tuple[str, Count | None, dict[str, str]]:
        """Judge a figure on each of its days: the last of the best, or its last."""
        days = list(days_of(facts["as_of"]))
        if not days:
            return _worst(facts, None)
        seen = [
            _worst(facts, self.count(facts["area"], facts["category"], facts["segment"], on, view))
            for on in days
        ]
        for good in GOOD:
            for each in reversed(seen):
                if each[0] == good:
                    return each
        return seen[-1]

    def outcomes(self, known: int) -> list[Outcome]:
        """Judge all figures recorded up to a position."""
        figures = [said for said in self.figures if said.position <= known]
        found = {said.position: self._outcome(said, known) for said in figures}
        standing = [said for said in figures if not _gone(said, known)]
        for said in standing:
            outcome = found[said.position]
            outcome.codes |= self._own_codes(said.facts, outcome, known)
            if any(self._contradict(said.facts, other.facts, known) for other in standing):
                outcome.codes.add("figures-conflict")
            if self._has_targets_at_odds(said.facts, standing, known):
                outcome.codes.add("targets-conflict")
            self._add_suspects(said, outcome, standing, found, known)
        return list(found.values())

    def _outcome(self, said: Said, known: int) -> Outcome:
        facts = said.facts
        verdict, now, results = self.judged(facts, View(known))
        then: Count | None = None
        verdict_then = verdict_documented = None
        published_on = _day(facts["published_on"])
        if published_on is not None:
            at = self.known_then(published_on, known)
            verdict_then = "undated" if facts["as_of"] is None else "not-yet-recorded"
            if facts["as_of"] is not None and self.holds_anything(facts["area"], at):
                verdict_then, then, _ = self.judged(facts, View(at))
            if facts["as_of"] is not None:
                verdict_documented = self.judged(facts, View(known, published_on, at))[0]
        gone = _gone(said, known)
        verdict = self._gap_alone(facts, known) or verdict
        return Outcome(
            said.position,
            "retracted" if gone else verdict,
            verdict_then,
            verdict_documented,
            now,
            then,
            results,
        )

    def _own_codes(self, facts: dict[str, Any], outcome: Outcome, known: int) -> set[str]:
        codes = set()
        days = self.counts(facts, known)
        percent, uncovered = facts["percent"], facts["uncovered_percent"]
        active, potential, slack = facts["active"], facts["potential"], facts["tolerance"]
        exact = quotient(active, potential) if active is not None and potential else None
        if percent and exact is not None and not _may_be(percent, active, potential, slack):
            cut = cut_to(exact, percent)
            codes.add("percent-truncated" if cut else "percent-inconsistent")
            codes |= set() if cut else self._of_another_that_is_recorded(facts, days, known)
        elif (
            uncovered
            and not percent
            and exact is not None
            and not _may_be_left(uncovered, active, potential, slack)
        ):
            cut = cut_to(100 - exact, uncovered)
            codes.add("percent-truncated" if cut else "uncovered-inconsistent")
            codes |= set() if cut else self._of_another_that_is_recorded(facts, days, known)
        elif (percent or uncovered) and days:
            found = [
                self._by_the_potential(facts, day, known)
                if day.potential and self._is_whole(facts, day)
                else self._cut_of_a_part(facts, day)
                for day in set(days)
            ]
            codes |= set.intersection(*found)
        if (
            potential is not None
            and "." not in facts["area"]
            and outcome.results.get("potential") == "differs"
            and self.potential(facts["area"], list(days_of(facts["as_of"]))[-1], View(known))
            == potential
        ):
            codes.add("other-potential")
        if uncovered and percent:
            codes |= _uncovered_beside(percent, uncovered, exact, days)
        if facts["gap"] and all(
            self._gap_is_odd(facts, day, known) for day in (*set(days), *(() if days else (None,)))
        ):
            codes.add("gap-inconsistent")
        if outcome.verdict_then in GOOD and outcome.verdict == "differs":
            codes.add("restated")
        tested = {
            what for what in ("active", "percent", "uncovered") if outcome.results.get(what) in GOOD
        }
        if outcome.verdict in GOOD and tested:
            agreeing = [day for day in days if _worst(facts, day)[0] == outcome.verdict]
            rests = "counted_balanced_by" if active is None else "balanced_by"
            if all(getattr(day, rests) for day in agreeing):
                codes.add("balanced")
        return codes

    def _cut_of_a_part(self, facts: dict[str, Any], now: Count) -> set[str]:
        """Say whether a percentage is that of the regencies counted, with the rest thrown away."""
        if not now.potential or now.active_counted is None or facts["active"] is not None:
            return set()
        is_covered = facts["percent"] is not None
        if _worst(facts, now)[2]["percent" if is_covered else "uncovered"] in GOOD:
            return set()
        heads = now.active_counted if is_covered else now.potential - now.active_counted
        text = facts["percent"] if is_covered else facts["uncovered_percent"]
        return {"percent-truncated"} if cut_to(quotient(heads, now.potential), text) else set()

    def _of_another_that_is_recorded(
        self, facts: dict[str, Any], days: Sequence[Count], known: int
    ) -> set[str]:
        """Say whether a percentage that its own numbers do not make is of a potential that stands."""
        fitting = [
            said
            for said in self.potentials
            if said.facts["area"] == facts["area"]
            and said.position <= known
            and not _gone(said, known)
            and _is_printed_of(facts, said.facts["workers"])
        ]
        found = [
            self._by_the_potential(facts, day, known)
            if day.potential and self._is_whole(facts, day)
            else set()
            for day in set(days)
        ]
        return set.intersection(*found) if fitting and found else set()

    def _is_whole(self, facts: dict[str, Any], now: Count) -> bool:
        return now.counted == now.regencies or "." in facts["area"]

    def _by_the_potential(self, facts: dict[str, Any], now: Count, known: int) -> set[str]:
        """Say what the percentage, covered or not, is on one day over the potential in force."""
        assert now.potential
        active, is_covered = facts["active"], facts["percent"] is not None
        text = facts["percent"] if is_covered else facts["uncovered_percent"]

        def share(heads: int, potential: int) -> Decimal:
            return quotient(heads if is_covered else potential - heads, potential)

        if active is not None:
            if _is_printed_of(facts, now.potential):
                return set()
            if facts["potential"] is None and cut_to(share(active, now.potential), text):
                return {"percent-truncated"}
            return {"other-potential"}
        result = _worst(facts, now)[2]["percent" if is_covered else "uncovered"]
        if result in GOOD or now.active_counted is None:
            return set()
        if cut_to(share(now.active_counted, now.potential), text):
            return {"percent-truncated"}
        others = [
            said.facts["workers"]
            for said in self.potentials
            if said.facts["area"] == facts["area"]
            and said.position <= known
            and not _gone(said, known)
        ]
        if facts["potential"]:
            others.append(facts["potential"])
        others = [each for each in others if each != now.potential]
        return {
            "other-potential"
            for other in others
            if rounds_to(share(now.active_counted, other), text)
        }

    def _gap_alone(self, facts: dict[str, Any], known: int) -> str | None:
        """Judge a gap beside which nothing is printed but its target; None if it cannot be told."""
        others = ("active", "potential", "percent", "uncovered_percent")
        if not facts["gap"] or any(facts[each] is not None for each in others):
            return None
        days = self.counts(facts, known)
        if days and all(self._gap_is_odd(facts, day, known) for day in days):
            return "differs"
        return "agrees" if any(self._gap_fits(facts, day, known) for day in days) else None

    def _gap_is_odd(self, facts: dict[str, Any], now: Count | None, known: int) -> bool:
        """Whether a target is known, and no reading of the gap fits."""
        return self._gap_fits(facts, now, known) is False

    def _gap_fits(self, facts: dict[str, Any], now: Count | None, known: int) -> bool | None:
        """Try every reading of the gap; None if none fits, and not all could be tried."""
        gap = Decimal(facts["gap"])
        targets = [facts["target_percent"]] if facts["target_percent"] else [
            said.facts["percent"]
            for said in self.targets
            if said.facts["area"] == facts["area"]
            and said.position <= known
            and not _gone(said, known)
        ]  # fmt: skip
        potential = facts["potential"] or (now.potential if now else None)
        stated = facts["percent"]
        if stated is None and facts["uncovered_percent"]:
            stated = str(100 - Decimal(facts["uncovered_percent"]))
        heads: list[int] = []
        if facts["active"] is not None:
            heads = [facts["active"]]
        elif stated is not None and potential:
            heads = _heads_printed_as(stated, potential)
        elif stated is None and now is not None and now.active_counted is not None:
            heads = [now.active_counted]
        whole = gap == gap.to_integral_value()
        for goal in (*map(Decimal, targets), Decimal(100)):  # all of them, too, is a goal
            if potential and heads and whole:
                aim = -(-int(goal * 10**20) * potential // (100 * 10**20))
                if _persons_fit(int(gap), aim, heads, facts["tolerance"]):
                    return True
            if _points_fit(facts["gap"], goal, stated, heads, potential):
                return True
        by_persons = bool(targets and potential and heads)
        by_points = bool(targets and (stated is not None or (heads and potential)))
        return False if by_persons or (by_points and not whole) else None

    def _has_targets_at_odds(
        self, facts: dict[str, Any], standing: Sequence[Said], known: int
    ) -> bool:
        """Whether it names a target of a year whose targets cannot all be held, or one of nobody's."""
        if not _names_a_target(facts):
            return False
        year, aim = facts["as_of"][:4], facts["target_percent"]
        said = [
            each.facts
            for each in self.targets
            if each.facts["area"] == facts["area"]
            and each.position <= known
            and not _gone(each, known)
        ]
        ahead = [each for each in said if each["due_on"][:4] >= year]
        of_year = [each for each in said if each["due_on"][:4] == year]
        if any(_exclude(one, other) for one in of_year for other in of_year):
            return True

        def is_set(text: str) -> bool:
            return any(_is_one_aim(text, each["percent"]) for each in ahead)

        if is_set(aim):
            return False
        begins = str(next(days_of(facts["as_of"])))
        if any(each["due_on"] >= begins for each in of_year):
            return True
        return any(
            _names_a_target(each.facts)
            and each.facts["area"] == facts["area"]
            and each.facts["as_of"][:4] == year
            and not is_set(each.facts["target_percent"])
            and not _is_one_aim(each.facts["target_percent"], aim)
            for each in standing
        )

    def _contradict(self, one: dict[str, Any], other: dict[str, Any], known: int) -> bool:
        """Whether two figures cannot both be true; of a month or year, as the ledger has it."""
        if one["as_of"] is None:
            return False
        if any(one[key] != other[key] for key in ("area", "as_of", "category", "segment")):
            return False
        is_of_a_day = len(one["as_of"]) == len("2025-07-31")
        return any(
            _apart(one, other, key)
            and (is_of_a_day or not all(self._has_a_day(each, key, known) for each in (one, other)))
            for key in ("active", "potential", "percent")
        )

    def _has_a_day(self, facts: dict[str, Any], key: str, known: int) -> bool:
        """Whether the ledger says on some day of a figure what it prints."""
        what = {key}
        if key == "percent" and facts["percent"] is None:
            what = {"uncovered"} if facts["uncovered_percent"] else {"active", "potential"}
        return any(
            all(_worst(facts, day)[2][each] in GOOD for each in what)
            for day in self.counts(facts, known)
        )

    # --- since when -------------------------------------------------------------------------------

    def _add_suspects(
        self,
        said: Said,
        outcome: Outcome,
        standing: Sequence[Said],
        found: dict[int, Outcome],
        known: int,
    ) -> None:
        facts = said.facts
        days = list(days_of(facts["as_of"]))
        if outcome.verdict != "differs" or not days:
            return
        if outcome.verdict_then in GOOD:
            at = self.known_then(_day(facts["published_on"]), known)  # type: ignore[arg-type]
            outcome.restated_by = self._moved(facts, days[-1], known, days[-1], at)
            good = [day for day in days if self._on(facts, day, View(at)) == outcome.verdict_then]
            outcome.restated_areas = self._crossed(facts, (good[-1], at), (days[-1], known))
        if facts["active"] is not None:
            if outcome.results["active"] != "differs":
                return
            vouching = {"active"}
        elif "differs" in {outcome.results.get("percent"), outcome.results.get("uncovered")}:
            vouching = {"active", "percent", "uncovered"}
        else:
            return
        same = ("area", "category", "segment")
        agreed = []
        for each in standing:
            other = found[each.position]
            on = self._agreed_since(each.facts, known)
            if (
                on is not None
                and on < days[-1]
                and (
                    on < days[0]
                    or (on > days[0] and not {*days} <= {*days_of(each.facts["as_of"])})
                )
                and any(other.results.get(what) in GOOD for what in vouching)
                and all(each.facts[key] == facts[key] for key in same)
            ):
                agreed.append((on, each.position, each))
        if not agreed:
            if "." in facts["area"]:
                outcome.suspects = self._moved(facts, days[-1], known, date.min, 0)
            return
        since, _, before = max(agreed)
        recorded = min(self._speaks_until(each, known) for each in (before, said))
        outcome.suspects = self._moved(facts, days[-1], known, since, recorded)
        outcome.crossed = self._crossed(facts, (since, recorded), (days[-1], known))

    def _on(self, facts: dict[str, Any], day: date, view: View) -> str:
        of = facts["area"], facts["category"], facts["segment"]
        return _worst(facts, self.count(*of, day, view))[0]

    def _crossed(
        self, facts: dict[str, Any], before: tuple[date, int], after: tuple[date, int]
    ) -> set[tuple[str, bool]]:
        """Return who is in an area and was not (True), or was and is not (False)."""
        if "." in facts["area"]:
            return set()
        was, now = ({*self.inside(facts["area"], *each)} for each in (before, after))
        return {(code, code in now) for code in was ^ now}

    def _speaks_until(self, said: Said, known: int) -> int:
        """Return the last position that who printed a figure can have known of."""
        if said.facts["published_on"] is not None:
            at = self.known_then(_day(said.facts["published_on"]), known)  # type: ignore[arg-type]
            if self.holds_anything(said.facts["area"], at):
                return min(said.position, at)
        return said.position

    def _agreed_since(self, facts: dict[str, Any], known: int) -> date | None:
        """Return from which day on a figure agrees: of the last days that agree best."""
        days = list(days_of(facts["as_of"]))
        counts = self.counts(facts, known)
        seen = [_worst(facts, count)[0] for count in counts]
        for good in GOOD:
            if good in seen:
                place = max(number for number, each in enumerate(seen) if each == good)
                while place and counts[place - 1] == counts[place]:
                    place -= 1
                return days[place]
        return None

    def _moved(
        self, facts: dict[str, Any], until: date, known: int, since: date, recorded: int
    ) -> dict[tuple[str, str, str], int]:
        inside = {*self.inside(facts["area"], until, known)}
        sums: dict[tuple[str, str, str], int] = {}
        lapsed: dict[tuple[str, str, str], int] = {}
        for each in self.movements:
            if (
                each.area in inside
                and each.day <= until
                and each.position <= known
                and (each.day > since or each.position > recorded)
                and facts["category"] in {None, each.category}
                and facts["segment"] in {None, each.segment}
            ):
                sums[each.batch] = sums.get(each.batch, 0) + each.workers
                if each.kind == "lapse" and each.day > since:
                    lapsed[each.batch] = lapsed.get(each.batch, 0) + each.workers
        moved = {batch: workers or lapsed.get(batch, 0) for batch, workers in sums.items()}
        return {batch: workers for batch, workers in moved.items() if workers}


def _standing_balances(movements: Iterable[Movement]) -> frozenset[tuple[str, str, str]]:
    """Return the openings and reconciling entries of which anything is left as recorded."""
    sums: dict[tuple[tuple[str, str, str], str, str, str | None], int] = {}
    for each in movements:
        if each.by_kind in {"opening", "reconciling"}:
            of = each.batch, each.area, each.category, each.segment
            sums[of] = sums.get(of, 0) + each.workers
    return frozenset(batch for (batch, *_), workers in sums.items() if workers)


def days_of(as_of: str | None) -> Iterator[date]:
    """Yield every day that a day, a month or a year has."""
    if as_of is None:
        return
    parts = [int(each) for each in as_of.split("-")]
    match parts:
        case [year, month, day]:
            yield date(year, month, day)
        case [year, month]:
            for day in range(1, calendar.monthrange(year, month)[1] + 1):
                yield date(year, month, day)
        case [year]:
            for month in range(1, 13):
                yield from days_of(f"{year:04}-{month:02}")
        case _:
            raise AssertionError(as_of)


def _worst(facts: dict[str, Any], count: Count | None) -> tuple[str, Count | None, dict[str, str]]:
    results = {}
    slack = facts["tolerance"]
    if facts["active"] is not None:
        results["active"] = _persons(facts["active"], count.active if count else None, slack, count)
        if (
            count is not None
            and not count.seen
            and results["active"] in {"within-tolerance", "differs"}
            and count.perhaps >= max(1, facts["active"] - slack)
        ):
            results["active"] = "unclassified"
    if facts["potential"] is not None:
        found = count.potential if count else None
        result = _persons(facts["potential"], found, slack, count)
        results["potential"] = "no-potential" if result == "no-ledger" else result
    if facts["percent"] is not None:
        exact = count.percent() if count else None
        results["percent"] = _percentage(facts["percent"], exact, count, slack)
    if facts["uncovered_percent"] is not None:
        exact = count.percent() if count else None
        left = None if exact is None else 100 - exact
        results["uncovered"] = _percentage(facts["uncovered_percent"], left, count, slack)
    deciding = [
        result
        for what, result in results.items()
        if what != "uncovered" or facts["percent"] is None
    ]
    if deciding:
        return max(deciding, key=FROM_BEST.index), count, results
    if count is None:
        return "undated", None, results
    if facts["gap"] and count.active is not None and count.potential is None:
        return "no-potential", count, results
    return "no-ledger", count, results


def _persons(published: int, found: int | None, slack: int, count: Count | None) -> str:
    if count is None:
        return "undated"
    if found is None:
        return "no-ledger"
    if published == found:
        return "agrees"
    return "within-tolerance" if abs(published - found) <= slack else "differs"


def _percentage(text: str, exact: Decimal | None, count: Count | None, slack: int) -> str:
    if count is None:
        return "undated"
    if exact is None:
        return "no-ledger" if count.active is None else "no-potential"
    if rounds_to(exact, text):
        return "agrees"
    assert count.potential
    near = quotient(slack, count.potential)
    low, high = _rounding(text)
    return (
        "within-tolerance" if slack and exact - near < high and exact + near >= low else "differs"
    )


def _rounding(text: str) -> tuple[Decimal, Decimal]:
    """Return from where to where, without the end, what rounds to a text lies."""
    half = Decimal(1).scaleb(-len(text.partition(".")[2])) / 2
    return Decimal(text) - half, Decimal(text) + half


def _is_printed_of(facts: dict[str, Any], potential: int) -> bool:
    """Whether its own heads, within its tolerance, are printed as its percentage of a potential."""
    active, is_covered = facts["active"], facts["percent"] is not None
    text = facts["percent"] if is_covered else facts["uncovered_percent"]
    low, high = active - facts["tolerance"], active + facts["tolerance"]
    return any(
        rounds_to(quotient(heads if is_covered else potential - heads, potential), text)
        for heads in {low, active, high, *range(max(low, 0), min(high, low + 2_000) + 1)}
        if heads >= 0
    )


def _may_be(text: str, heads: int, potential: int, slack: int) -> bool:
    """Whether heads over a potential, each off by its tolerance at most, may be printed so."""
    if not slack:
        return rounds_to(quotient(heads, potential), text)
    low, high = _rounding(text)
    if quotient(heads - slack, potential + slack) >= high:
        return False
    return potential <= slack or quotient(heads + slack, potential - slack) >= low


def _may_be_left(text: str, active: int, potential: int, slack: int) -> bool:
    """Whether what is not covered, with active and potential each off, may be printed so."""
    if not slack:
        return rounds_to(quotient(potential - active, potential), text)
    low, high = _rounding(text)
    if 100 - quotient(max(0, active - slack), potential + slack) < low:
        return False
    return potential <= slack or 100 - quotient(active + slack, potential - slack) < high


def _uncovered_beside(
    percent: str, uncovered: str, own: Decimal | None, days: Sequence[Count]
) -> set[str]:
    for exact in (own, *(day.percent() for day in days)):
        if exact is not None and rounds_to(exact, percent) and rounds_to(100 - exact, uncovered):
            return set()
    low, high = _rounding(percent)
    left_low, left_high = _rounding(uncovered)
    meets = max(low, 100 - left_high) < min(high, 100 - left_low)
    return set() if meets else {"uncovered-inconsistent"}


def _heads_printed_as(percent: str, potential: int) -> list[int]:
    """Return all heads that a percentage of a potential can be printed from."""
    around = int(Decimal(percent) * potential / 100)
    reach = int(potential / 10 ** len(percent.partition(".")[2]) / 100) + 2
    return [
        heads
        for heads in range(max(0, around - reach), around + reach + 1)
        if rounds_to(quotient(heads, potential), percent)
    ]


def _persons_fit(gap: int, aim: int, heads: list[int], slack: int) -> bool:
    if aim <= min(heads):  # reached
        return gap == 0
    return any(abs(aim - each - gap) <= slack for each in heads)


def _points_fit(
    gap: str, goal: Decimal, stated: str | None, heads: list[int], potential: int | None
) -> bool:
    low, high = _rounding(gap)
    if stated is not None:
        least, greatest = _rounding(stated)
        return max(low, goal - greatest) < min(high, goal - least)
    if len(heads) == 1 and potential:
        points = goal - quotient(heads[0], potential)
        return rounds_to(points, gap)
    return False


def _apart(one: dict[str, Any], other: dict[str, Any], key: str) -> bool:
    """Whether two figures say what no one number can be."""
    if key != "percent":
        if one[key] is None or other[key] is None:
            return False
        return bool(abs(one[key] - other[key]) > one["tolerance"] + other["tolerance"])
    spans = [_stated(each) for each in (one, other)]
    if spans[0] is None or spans[1] is None:
        return False
    (low, high), (other_low, other_high) = spans[0], spans[1]
    return low > other_high or other_low > high


def _names_a_target(facts: dict[str, Any]) -> bool:
    """Whether a figure names a target of a whole area, of a year."""
    grouped = facts["category"] is not None or facts["segment"] is not None
    return bool(facts["target_percent"] and facts["as_of"] and not grouped)


def _exclude(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether of two targets of a year one must be wrong: no milestones of one paper."""
    first, second = sorted((one, other), key=lambda each: str(each["due_on"]))
    less = Decimal(second["percent"]) - Decimal(first["percent"])
    if first["due_on"] == second["due_on"]:
        return less != 0
    one_paper = first["source"] == second["source"] or first["basis"] == second["basis"]
    return less < 0 if one_paper else less != 0


def _is_one_aim(one: str, other: str) -> bool:
    """Whether the target with more decimals is printed as the other, if rounded."""
    fewer, more = sorted((one, other), key=lambda text: len(text.partition(".")[2]))
    return rounds_to(Decimal(more), fewer)


_Bound = tuple[Fraction, int]  # and whether what lies there counts: 0, or is above it, or below


def _stated(facts: dict[str, Any]) -> tuple[_Bound, _Bound] | None:
    if facts["percent"] is not None:
        low, high = _rounding(facts["percent"])
        return (Fraction(low), 0), (Fraction(high), -1)
    if facts["uncovered_percent"] is not None:
        low, high = _rounding(facts["uncovered_percent"])
        return (Fraction(100 - high), 1), (Fraction(100 - low), 0)
    active, potential, slack = facts["active"], facts["potential"], facts["tolerance"]
    if active is None or potential is None or potential <= slack:
        return None
    return (
        (Fraction(100 * (active - slack), potential + slack), 0),
        (Fraction(100 * (active + slack), potential - slack), 0),
    )


def _gone(said: Said, known: int) -> bool:
    return said.taken_back is not None and said.taken_back <= known


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
