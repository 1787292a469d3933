"""A made-up country with a realistic history, the same on every machine: what is measured on.

Streams commands in the order in which they are recorded, each with the day of recording; every
beginning of the stream obeys the rules. Knows neither stores nor files. Only `Random.random()` is
used of the generator, because only that is promised to stay the same in every Python.
"""

from __future__ import annotations

import dataclasses
import hashlib
import heapq
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from random import Random
from typing import Final, NamedTuple

from registry.commands import BatchLine, Command, RecordBatch, RevisePotential
from registry.reference.areas import regencies
from registry.terms import Action, Funding, LeaveReason, Programme, Segment

SEED: Final = 2025
OPENED_ON: Final = date(2019, 12, 31)
FIRST_DAY: Final = date(2020, 1, 1)
LAST_DAY: Final = date(2025, 12, 31)
BATCHES_PER_REGENCY_MIN: Final = 20  # a small country has fewer regencies, not emptier ones

CATEGORIES: Final = (
    "pekerja-rentan", "perangkat-desa", "non-asn", "rt-rw", "bpd", "guru", "marbot", "guru-ngaji",
    "kader-posyandu", "petani", "nelayan", "buruh-tani", "linmas", "pengemudi-ojek",
    "pedagang-pasar", "buruh-kebun-sawit", "pekerja-konstruksi", "petugas-kebersihan",
    "relawan-damkar", "buruh-tembakau", "rohaniwan", "tukang-parkir", "pekerja-migran",
    "tidak-terklasifikasi",
)  # fmt: skip

# Of all batches, as the shares of a whole country: terms 25 %, corrected 4 %, withdrawn 2 %,
# renewed 3 %, back-dated 10 %. Some fates come after the last day, hence a little more here.
_TERM: Final = 0.25
_CORRECTED: Final = 0.044
_WITHDRAWN: Final = 0.022
_LEFT: Final = 0.045
_MOVED: Final = 0.011
_RENEWED_OF_TERMS: Final = 0.165
_LEFT_THE_POOL: Final = 0.012
_BACK_DATED: Final = 0.11

_LINES: Final = (1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4)  # on average 1.95
_MONTHS: Final = (3, 6, 6, 12, 12, 12)
_SEGMENTS: Final = (
    Segment.BPU, Segment.BPU, Segment.BPU, Segment.PU, Segment.JAKON, None,
)  # fmt: skip
_FUNDINGS: Final = (
    Funding.APBD_KABUPATEN, Funding.APBD_KABUPATEN, Funding.APBD_PROVINSI, Funding.APBDES,
    Funding.DBH_SAWIT, Funding.DBH_CHT, Funding.CSR, Funding.EMPLOYER, None,
)  # fmt: skip
_PROGRAMMES: Final = (
    (Programme.JKK, Programme.JKM),
    (Programme.JKK, Programme.JKM),
    (Programme.JKK, Programme.JKM, Programme.JHT),
)
_REASONS: Final = tuple(each for each in LeaveReason if each is not LeaveReason.OTHER)
_DAY: Final = timedelta(days=1)


class Dated(NamedTuple):
    """A command and the day on which it is recorded."""

    on: date
    command: Command


class _Due(NamedTuple):
    """What will happen to a batch already recorded; `number` keeps the order of equals."""

    on: date
    number: int
    make: Callable[[RecordBatch, date], RecordBatch]
    batch: RecordBatch


def history(batches: int, *, seed: int = SEED) -> Iterator[Dated]:
    """Stream the history of a country of so many batches.

    Corrections, withdrawals and potentials come on top: about 1.06 commands a batch, and six
    potentials a regency.
    """
    return _Country(batches, seed).history()


def commands(batches: int, *, seed: int = SEED) -> Iterator[Command]:
    """Stream the commands of `history`."""
    return (each.command for each in history(batches, seed=seed))


def enrolments(batches: int, *, seed: int = SEED) -> Iterator[RecordBatch]:
    """Stream only the plain enrolments of a country."""
    for command in commands(batches, seed=seed):
        if isinstance(command, RecordBatch) and command.action is Action.ENROL:
            yield command


def importable(batches: int, *, seed: int = SEED) -> Iterator[RecordBatch]:
    """Stream the batches that one file can hold together: no batch is corrected or withdrawn."""
    for command in commands(batches, seed=seed):
        if isinstance(command, RecordBatch) and command.because is None:
            yield command


def digest(said: Iterable[Dated]) -> str:
    """Return the SHA-256 over the canonical bytes of a history."""
    summed = hashlib.sha256()
    for on, command in said:
        fields = [on.isoformat(), type(command).__name__, _plain(command)]
        summed.update(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode())
        summed.update(b"\n")
    return summed.hexdigest()


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        names = sorted(each.name for each in dataclasses.fields(value))
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, int) else str(value)


def regencies_of(batches: int) -> tuple[str, ...]:
    """Return the codes of the regencies of a country of so many batches, evenly chosen."""
    codes = [each.code for each in regencies()]
    wanted = min(len(codes), max(1, batches // BATCHES_PER_REGENCY_MIN))
    return tuple(codes[number * len(codes) // wanted] for number in range(wanted))


class _Country:
    """The state of the stream; it grows with what is pending, not with what was said."""

    def __init__(self, batches: int, seed: int) -> None:
        self._random = Random(seed).random
        self._batches = batches
        self._areas = regencies_of(batches)
        self._made = 0
        self._due: list[_Due] = []
        self._numbered = 0
        # What may still leave the open-ended pool: of the openings only, so it never runs dry.
        self._pools: dict[tuple[str, str], int] = {}
        self._pool_keys: list[tuple[str, str]] = []

    def history(self) -> Iterator[Dated]:
        """See the function of this name."""
        yield from self._openings()
        year = 0
        openings, days = self._made, (LAST_DAY - FIRST_DAY).days
        while self._made < self._batches:
            passed = days * (self._made - openings) // max(1, self._batches - openings)
            today = FIRST_DAY + timedelta(days=passed)
            if today.year > year:
                year = today.year
                yield from self._potentials(today)
            yield Dated(today, self._next(today))

    def _next(self, today: date) -> RecordBatch:
        if self._due and self._due[0].on <= today:
            due = heapq.heappop(self._due)
            command = due.make(due.batch, today)
        elif self._random() < _LEFT_THE_POOL:
            command = self._pool_leave(today)
        else:
            command = self._enrolment(today)
            self._decide_fate(command, today)
        if command.because is None:
            self._made += 1
        return command

    # --- drawing -------------------------------------------------------------------------------

    def _below(self, end: int) -> int:
        return int(self._random() * end)

    def _heads(self, most: int) -> int:
        """Return a head count: many small groups, few large ones."""
        return 5 + self._below(1 + self._below(most))

    def _categories(self, count: int) -> list[str]:
        """Return different categories, the first of the list more often."""
        chosen: dict[str, None] = {}
        while len(chosen) < count:
            chosen[CATEGORIES[self._below(1 + self._below(len(CATEGORIES)))]] = None
        return list(chosen)

    def _reference(self, area: str, on: date) -> str:
        self._numbered += 1
        return f"560/SK-{self._numbered}/{area}/{on.year}"

    # --- what is said --------------------------------------------------------------------------

    def _openings(self) -> Iterator[Dated]:
        for area in self._areas[: self._batches]:
            lines = []
            for category in self._categories(4 + self._below(5)):
                workers = 100 + self._heads(20_000)
                lines.append(BatchLine(category, workers))
                self._pools[area, category] = workers
                self._pool_keys.append((area, category))
            self._made += 1
            yield Dated(
                FIRST_DAY,
                RecordBatch(
                    Action.OPENING,
                    area,
                    f"Saldo awal {area}/2019",
                    tuple(lines),
                    effective_on=OPENED_ON,
                    document="Laporan kepesertaan akhir 2019",
                ),
            )

    def _potentials(self, today: date) -> Iterator[Dated]:
        for number, area in enumerate(self._areas):
            yield Dated(
                today,
                RevisePotential(
                    area,
                    valid_from=date(today.year, 1, 1),
                    workers=60_000 + 1_000 * (number % 400) + self._below(20_000),
                    definition="Penduduk bekerja",
                    source=f"BPS, Sakernas {today.year - 1}",
                    documented_on=today,
                ),
            )

    def _enrolment(self, today: date) -> RecordBatch:
        area = self._areas[self._below(len(self._areas))]
        effective_on = self._takes_effect(today)
        until = self._until(effective_on) if self._random() < _TERM else None
        lines = tuple(
            BatchLine(
                category,
                self._heads(4_000),
                covered_until=until,
                segment=_SEGMENTS[self._below(len(_SEGMENTS))],
            )
            for category in self._categories(_LINES[self._below(len(_LINES))])
        )
        rejected = (("duplicate", 1 + self._below(60)), ("invalid-nik", 1 + self._below(120)))
        refused = self._random() < 0.1
        return RecordBatch(
            Action.ENROL,
            area,
            self._reference(area, today),
            lines,
            effective_on=effective_on,
            funding=_FUNDINGS[self._below(len(_FUNDINGS))],
            programmes=_PROGRAMMES[self._below(len(_PROGRAMMES))],
            decided_on=effective_on - self._below(20) * _DAY,
            document="Keputusan Bupati" if self._random() < 0.5 else None,
            proposed=sum(each.workers for each in lines) + sum(n for _, n in rejected)
            if refused
            else None,
            rejected=rejected if refused else (),
            note="Usulan dinas tenaga kerja" if self._random() < 0.05 else None,
        )

    def _takes_effect(self, today: date) -> date:
        """Return a day up to two weeks ago, or, back-dated, up to a year ago."""
        back = 30 + self._below(336) if self._random() < _BACK_DATED else self._below(15)
        return max(FIRST_DAY, today - back * _DAY)

    def _until(self, starts_on: date) -> date:
        """Return the last covered day of a term of some months of 30 days."""
        return starts_on + (30 * _MONTHS[self._below(len(_MONTHS))] - 1) * _DAY

    # --- what becomes of it --------------------------------------------------------------------

    def _decide_fate(self, batch: RecordBatch, today: date) -> None:
        """Put at most one thing that happens to a batch on the calendar."""
        until = batch.lines[0].covered_until
        chance = self._random()
        for share, make in (
            (_CORRECTED, self._correction),
            (_WITHDRAWN, self._withdrawal),
            (_LEFT, self._leave),
            (_MOVED, self._move),
        ):
            if chance < share:
                self._schedule(today + (3 + self._below(120)) * _DAY, make, batch)
                return
            chance -= share
        if until is not None and self._random() < _RENEWED_OF_TERMS:
            on = max(today + _DAY, until + (self._below(45) - 30) * _DAY)
            self._schedule(on, self._renewal, batch)

    def _schedule(
        self, on: date, make: Callable[[RecordBatch, date], RecordBatch], batch: RecordBatch
    ) -> None:
        heapq.heappush(self._due, _Due(on, self._numbered, make, batch))

    def _correction(self, batch: RecordBatch, today: date) -> RecordBatch:
        """Some heads fewer; now and then from a later day as well."""
        del today
        first = batch.lines[0]
        fewer = dataclasses.replace(first, workers=max(1, first.workers - 1 - self._below(20)))
        later = 1 + self._below(20) if self._random() < 0.2 else 0
        assert batch.effective_on is not None
        return dataclasses.replace(
            batch,
            action=Action.CORRECT,
            lines=(fewer, *batch.lines[1:]),
            effective_on=batch.effective_on + later * _DAY,
            because="Hasil verifikasi data ganda",
        )

    def _withdrawal(self, batch: RecordBatch, today: date) -> RecordBatch:
        del today
        return RecordBatch(
            Action.WITHDRAW,
            batch.area,
            batch.reference,
            (),
            because="Keputusan dibatalkan",
        )

    def _within(self, batch: RecordBatch, today: date) -> date:
        """Return a day near today on which the heads of a batch are covered."""
        assert batch.effective_on is not None
        until = batch.lines[0].covered_until or LAST_DAY
        return max(batch.effective_on, min(until, today - self._below(15) * _DAY))

    def _leave(self, batch: RecordBatch, today: date) -> RecordBatch:
        lines = tuple(
            BatchLine(
                each.category,
                1 + self._below(each.workers),
                of_batch=batch.reference,
                covered_until=each.covered_until,
            )
            for each in batch.lines[: 1 + self._below(len(batch.lines))]
        )
        return self._deactivation(batch.area, lines, self._within(batch, today), today)

    def _pool_leave(self, today: date) -> RecordBatch:
        """Take from what an opening stated, naming no batch; where it is used up, enrol."""
        area, category = self._pool_keys[self._below(len(self._pool_keys))]
        left = self._pools[area, category]
        if left < 2:
            return self._enrolment(today)
        workers = 1 + self._below(min(left, 500))
        self._pools[area, category] = left - workers
        return self._deactivation(
            area, (BatchLine(category, workers),), self._takes_effect(today), today
        )

    def _deactivation(
        self, area: str, lines: tuple[BatchLine, ...], effective_on: date, today: date
    ) -> RecordBatch:
        return RecordBatch(
            Action.DEACTIVATE,
            area,
            self._reference(area, today),
            lines,
            effective_on=effective_on,
            reason=_REASONS[self._below(len(_REASONS))],
            decided_on=effective_on,
        )

    def _move(self, batch: RecordBatch, today: date) -> RecordBatch:
        first = batch.lines[0]
        assert first.category is not None
        other = CATEGORIES.index(first.category) + 1 + self._below(len(CATEGORIES) - 1)
        line = BatchLine(
            CATEGORIES[other % len(CATEGORIES)],
            1 + self._below(first.workers),
            from_category=first.category,
            of_batch=batch.reference,
            covered_until=first.covered_until,
        )
        return RecordBatch(
            Action.RECLASSIFY,
            batch.area,
            self._reference(batch.area, today),
            (line,),
            effective_on=self._within(batch, today),
            decided_on=today,
        )

    def _renewal(self, batch: RecordBatch, today: date) -> RecordBatch:
        """Cover on nine in ten of each line."""
        until = batch.lines[0].covered_until
        assert until is not None
        starts_on = until + _DAY
        new_until = self._until(starts_on)
        lines = tuple(
            BatchLine(
                each.category,
                max(1, each.workers * 9 // 10),
                of_batch=batch.reference,
                covered_until=new_until,
            )
            for each in batch.lines
        )
        return RecordBatch(
            Action.RENEW,
            batch.area,
            self._reference(batch.area, today),
            lines,
            effective_on=starts_on,
            funding=batch.funding,
            programmes=batch.programmes,
            decided_on=starts_on - 10 * _DAY,
        )
