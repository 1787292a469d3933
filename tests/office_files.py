"""Files as offices send them, made from a seed, together with what each of them says.

Knows nothing of the program: what is expected of a file is what was written into it.
"""

from __future__ import annotations

import csv
import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

AREAS: Final = ("16.06", "16.71", "32.73", "35.78", "12.71", "73.71")
CATEGORIES: Final = ("pekerja-rentan", "guru", "marbot", "rt-rw")
HEADER: Final = (
    "reference", "action", "area", "category", "workers",
    "effective_on", "covered_until", "of_batch", "reason", "funding",
)  # fmt: skip
FIRST_ROW: Final = 2  # the header stands in the first

Said = tuple[str, str, str]
"""Area, reference, first day: which batch, and when."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: so many heads of one category, of one batch."""

    reference: str
    area: str
    category: str
    workers: int
    action: str = "enrol"
    effective_on: str = "2025-01-01"
    covered_until: str = ""
    of_batch: str = ""
    funding: str = ""

    def cells(self) -> tuple[str | int, ...]:
        """Return the row as it is written."""
        reason = "resigned" if self.action == "deactivate" else ""
        return (
            self.reference, self.action, self.area, self.category, self.workers,
            self.effective_on, self.covered_until, self.of_batch, reason, self.funding,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OfficeFile:
    """A file and what it says."""

    path: Path
    rows: tuple[Row, ...]
    sha256: str

    def batches(self) -> dict[tuple[str, str], list[tuple[int, str, int]]]:
        """Return, for each batch (area, reference), its lines: row, category, signed workers."""
        said: dict[tuple[str, str], list[tuple[int, str, int]]] = {}
        for number, row in enumerate(self.rows, FIRST_ROW):
            signed = -row.workers if row.action == "deactivate" else row.workers
            lines = said.setdefault((row.area, row.reference), [])
            lines.append((number, row.category, signed))
        return said


def write_file(path: Path, rows: Iterable[Row]) -> OfficeFile:
    """Write rows as CSV, or as a workbook where the name says so."""
    kept = tuple(rows)
    if path.suffix == ".xlsx":
        _write_workbook(path, kept)
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(row.cells() for row in kept)
    return OfficeFile(path, kept, hashlib.sha256(path.read_bytes()).hexdigest())


def _write_workbook(path: Path, rows: Sequence[Row]) -> None:
    import xlsxwriter

    workbook = xlsxwriter.Workbook(str(path))
    sheet = workbook.add_worksheet("Data")
    for number, cells in enumerate((HEADER, *(row.cells() for row in rows))):
        for column, value in enumerate(cells):
            if value != "":
                sheet.write(number, column, value)
    workbook.close()


def small_rows(rng: random.Random, mark: str, *, batches: int = 4) -> Iterator[Row]:
    """Give a few batches of two lines; the last one leaves the first, named."""
    area = rng.choice(AREAS)
    for number in range(1, batches + 1):
        covered_until = rng.choice(("", "2025-12-31"))
        for category in rng.sample(CATEGORIES, 2):
            yield Row(
                f"SK-{mark}/{number}", area, category, rng.randint(50, 5_000),
                covered_until=covered_until if number > 1 else "",
            )  # fmt: skip
    # Whatever categories the first batch has, these leave it by name.
    yield Row(f"SK-{mark}/extra", area, "guru", 60, covered_until="2025-12-31")
    yield Row(
        f"SK-{mark}/leave", area, "guru", rng.randint(1, 60), "deactivate",
        "2025-06-01", of_batch=f"SK-{mark}/extra",
    )  # fmt: skip


def write_large(path: Path, lines: int, variant: str, *, seed: int = 7) -> None:
    """Write a file of so many lines, in constant memory.

    `two-lines`: batches of two lines each; `fifty-lines`: of fifty, with other terms; `one-line`: a
    batch a line; `leaving`: a batch a line,
    each tenth of which leaves a batch of the same file that it names; `alike`: a batch a line, all
    of the same heads of one regency; `drawing`: one regency and category, of which half the batches
    bring in heads with a term, and the others take without naming a batch.
    """
    rng = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(row.cells() for row in _large_rows(rng, lines, variant))


def _large_rows(rng: random.Random, lines: int, variant: str) -> Iterator[Row]:
    width = {"two-lines": 2, "fifty-lines": 50}.get(variant, 1)
    fundings = ("apbd-kabupaten", "apbdes", "csr", "")
    for number in range(lines // width):
        if variant in {"alike", "drawing"}:
            yield _crowded(number, variant)
            continue
        if variant == "leaving" and number % 10 == 9:
            back = number - rng.randint(1, min(9, number))
            yield Row(
                f"400/{number}/2025", AREAS[back % len(AREAS)], CATEGORIES[back % 4], 1,
                "deactivate", "2025-12-01", of_batch=f"400/{back}/2025",
            )  # fmt: skip
            continue
        first = date_text(number)
        funding, until = rng.choice(fundings), rng.choice(("", "2026-12-31"))
        for line in range(width):
            yield Row(
                f"400/{number}/2025", AREAS[number % len(AREAS)],
                CATEGORIES[(number + line) % 4], rng.randint(9, 4_000),
                effective_on=first, funding=funding,
                covered_until=f"{2026 + line // 12}-{line % 12 + 1:02}-28" if width > 4 else until,
            )  # fmt: skip


def _crowded(number: int, variant: str) -> Row:
    """Return a row of which all others are of the same regency and category."""
    reference = f"400/{number}/2025"
    if variant == "alike":
        return Row(reference, AREAS[0], "rt-rw", 1, effective_on="2025-01-01")
    if number == 0:
        return Row(reference, AREAS[0], "rt-rw", 10_000_000, effective_on="2025-01-01")
    if number % 2:
        return Row(reference, AREAS[0], "rt-rw", 1, effective_on=date_text(number),
                   covered_until="2026-12-31")  # fmt: skip
    return Row(reference, AREAS[0], "rt-rw", 1, "deactivate", date_text(number))


def date_text(number: int) -> str:
    """Return a day of 2025 before December."""
    return f"2025-{number % 11 + 1:02}-{number % 28 + 1:02}"
