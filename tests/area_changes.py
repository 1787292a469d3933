"""Changes of areas for tests, and an oracle that follows every head through them, one by one.

The oracle knows heads and changes only: no chain, no map, no SQL. Who an area is, is looked up by
walking the changes of one day after another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from registry.commands import BatchLine, ChangeArea, RecordBatch
from registry.terms import Action, Change
from tests.stores import Store

BASE = {
    "16.06": "16", "16.71": "16", "11.01": "11", "11.71": "11",
}  # fmt: skip
"""Some regencies of the built-in list, with their provinces."""


def changed(
    area: str,
    change: str,
    on: str,
    after: str,
    before: str | None = None,
    *,
    row: int | None = None,
) -> ChangeArea:
    """Return a row of a file of areas."""
    return ChangeArea(
        area, Change(change), date.fromisoformat(on), before, after, source="UU 1/2027", row=row
    )


def enrolled(
    area: str, workers: int, on: str, reference: str, *, until: str | None = None
) -> RecordBatch:
    """Return a batch that brings heads in."""
    line = BatchLine(
        "guru", workers, covered_until=None if until is None else date.fromisoformat(until)
    )
    return RecordBatch(Action.ENROL, area, reference, (line,), effective_on=date.fromisoformat(on))


def transferred(
    from_area: str, area: str, workers: int, on: str, reference: str, *, of: str | None = None
) -> RecordBatch:
    """Return a batch that takes heads from one area to another."""
    line = BatchLine("guru", workers, from_category="guru", from_area=from_area, of_batch=of)
    return RecordBatch(
        Action.RECLASSIFY, area, reference, (line,), effective_on=date.fromisoformat(on)
    )


@contextmanager
def store_at(folder: Path | None = None) -> Iterator[Store]:
    """Give a store in memory, or in a folder."""
    with closing(Store(None if folder is None else folder / "registry.db")) as store:
        yield store


@dataclass(slots=True)
class Head:
    """One head: in which area from which day on, until it is gone."""

    stays: list[tuple[date, str]]
    gone_on: date | None = None

    def area(self, on: date) -> str | None:
        """Return where it is counted on a day."""
        if self.gone_on is not None and self.gone_on <= on:
            return None
        return next((area for day, area in reversed(self.stays) if day <= on), None)


@dataclass(slots=True)
class Census:
    """Heads and changes, and the sums a patient clerk would make of them."""

    heads: list[Head] = field(default_factory=list)
    changes: list[ChangeArea] = field(default_factory=list)

    def province(self, area: str, on: date) -> str:
        """Return where an area lies: what the last change up to a day says."""
        where = BASE.get(area, area[:2])
        for each in sorted(self.changes, key=lambda each: each.on):
            if each.change is Change.MOVED and each.area == area and each.on <= on:
                where = each.after
        return where

    def code(self, area: str, on: date) -> str:
        """Return what an area's code is on a day."""
        code = area
        for each in sorted(self.changes, key=lambda each: each.on):
            if each.change is Change.RECODED and each.area == area and each.on <= on:
                code = each.after
        return code

    def opened(self, area: str) -> ChangeArea | None:
        """Return how an area came to be, if it is not of the built-in list."""
        opened = (each for each in self.changes if each.change is Change.OPENED)
        return next((each for each in opened if each.area == area), None)

    def root(self, area: str, on: date) -> str:
        """Return the area whose part an area was on a day: itself once it is opened."""
        opened = self.opened(area)
        while opened is not None and opened.on > on:
            area = opened.before or ""
            opened = self.opened(area)
        return area

    def areas(self) -> list[str]:
        """Return all areas there ever are."""
        return [*BASE, *(e.area for e in self.changes if e.change is Change.OPENED)]

    def by_area(self, on: date) -> Counter[str]:
        """Return the heads of a day by area."""
        return Counter(area for head in self.heads if (area := head.area(on)) is not None)

    def by_code(self, on: date, as_of: date | None = None) -> Counter[str]:
        """Return the heads of a day by the codes in force; split since: joined by a plus."""
        names: dict[str, list[str]] = {}
        for area in self.areas():
            if self.root(area, as_of or on) == area:
                names.setdefault(self.root(area, on), []).append(area)
        found: Counter[str] = Counter()
        for area, heads in self.by_area(on).items():
            parts = sorted(names[area], key=lambda each: (each != area, each))
            found["+".join(self.code(each, as_of or on) for each in parts)] += heads
        return found

    def by_province(self, on: date, as_of: date | None = None) -> Counter[str]:
        """Return the heads of a day by province."""
        found: Counter[str] = Counter()
        for area, heads in self.by_area(on).items():
            found[self.province(area, as_of or on)] += heads
        return found


def census_of(*commands: RecordBatch | ChangeArea) -> Census:
    """Follow the heads of some commands: those of one area leave it in the order they came."""
    census = Census(changes=[each for each in commands if isinstance(each, ChangeArea)])
    for each in sorted(_batches(commands), key=lambda each: each.effective_on or date.max):
        assert each.effective_on is not None
        for line in each.lines:
            if line.from_area is None:
                gone_on = None
                if line.covered_until is not None:
                    gone_on = date.fromordinal(line.covered_until.toordinal() + 1)
                census.heads += [
                    Head([(each.effective_on, each.area)], gone_on) for _ in range(line.workers)
                ]
                continue
            leaving = [
                head
                for head in census.heads
                if head.area(each.effective_on) == line.from_area and head.gone_on is None
            ]
            for head in leaving[: line.workers]:
                head.stays.append((each.effective_on, each.area))
    return census


def _batches(commands: Iterable[RecordBatch | ChangeArea]) -> list[RecordBatch]:
    return [each for each in commands if isinstance(each, RecordBatch)]
