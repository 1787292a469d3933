"""A file that changed on its way: what the declared totals see, and what the plan sees besides.

A thousand rows; every cell changed, every row dropped, doubled, and swapped with another. The totals
of rows and workers cannot see that two rows exchanged their workers, or that a day is another: the
plan of a dry run must.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from registry.errors import InputUnreadableError
from registry.intake.admission import AdmissionOptions, admit
from registry.intake.spool import spool_input
from registry.reference.categories import Categories
from tests.faults import seed_of

ROWS: Final = 1_000
SAMPLED: Final = 150
COLUMNS: Final = ("reference", "action", "area", "category", "workers", "effective_on", "funding")
OTHERWISE: Final = {
    "action": "opening", "area": "16.07", "category": "bpd", "workers": "977",
    "effective_on": "2024-12-31", "funding": "apbn", "reference": "SK/another/2025",
}  # fmt: skip

Rows = list[list[str]]


def _rows() -> Rows:
    return [
        [
            f"SK/{number}/2025", "enrol", ("16.06", "16.71", "17.03")[number % 3],
            ("pekerja-rentan", "guru", "marbot")[number % 3], str(10 + number % 40),
            f"2025-{number % 12 + 1:02}-01", ("apbd-kabupaten", "csr")[number % 2],
        ]
        for number in range(ROWS)
    ]  # fmt: skip


def _mutations(rows: Rows) -> Iterator[tuple[str, Rows]]:
    """Yield what happened to the file, and its rows then."""
    for number, row in enumerate(rows):
        before, after = rows[:number], rows[number + 1 :]
        for column, name in enumerate(COLUMNS):
            changed = [*row]
            changed[column] = OTHERWISE[name]
            yield f"change {name}", [*before, changed, *after]
        yield "drop", before + after
        yield "double", [*before, row, row, *after]
        other = (number + 7) % len(rows)
        if rows[other][1:] != row[1:]:
            swapped = [[*each] for each in rows]
            workers = COLUMNS.index("workers")
            swapped[number][workers], swapped[other][workers] = rows[other][workers], row[workers]
            if swapped != rows:
                yield "swap workers", swapped
        exchanged = [*rows]
        exchanged[number], exchanged[other] = rows[other], row
        yield "swap rows", exchanged


def _content(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([COLUMNS, *rows])
    return text.getvalue().encode()


def _admitted(path: Path, content: bytes, options: AdmissionOptions) -> tuple[bool, str]:
    """Return whether the file is refused or warned of, and its plan."""
    path.write_bytes(content)
    with spool_input(path, name=path.name) as spooled:
        try:
            with admit(spooled, options, Categories()) as admission:
                return bool(admission.report.problems), admission.digest
        except InputUnreadableError:
            return True, ""


def _check(path: Path, mutations: Sequence[tuple[str, Rows]]) -> Counter[tuple[str, str]]:
    """Return how each kind of change was seen; fail on one that neither totals nor plan saw."""
    rows = _rows()
    workers = sum(int(row[COLUMNS.index("workers")]) for row in rows)
    declared = AdmissionOptions("batches", expect_rows=ROWS, expect_workers=workers)
    refused, plan = _admitted(path, _content(rows), declared)
    assert not refused, "the file as it was is not refused"
    seen: Counter[tuple[str, str]] = Counter()
    for happened, changed in mutations:
        refused, found = _admitted(path, _content(changed), declared)
        assert refused or found != plan, happened
        seen[happened, "totals" if refused else "plan"] += 1
    return seen


def test_a_changed_file_is_seen(tmp_path: Path) -> None:
    """A random choice of all changes of cells, rows and their order: none passes unseen."""
    rng = seed_of("changed files")
    mutations = list(_mutations(_rows()))
    seen = _check(tmp_path / "batches.csv", rng.sample(mutations, SAMPLED))
    assert {"totals", "plan"} == {by for _, by in seen}


def test_control_totals_alone_do_not_see_everything(tmp_path: Path) -> None:
    """Negative control: a swap of workers keeps both totals, so only the plan can tell."""
    mutations = [each for each in _mutations(_rows()) if each[0] == "swap workers"][:20]
    seen = _check(tmp_path / "batches.csv", mutations)
    assert seen == {("swap workers", "plan"): len(mutations)}


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_every_changed_file_is_seen(tmp_path: Path) -> None:
    """All of them; the figures are those of docs/reliability.md."""
    mutations = list(_mutations(_rows()))
    seen = _check(tmp_path / "batches.csv", mutations)
    print(f"{len(mutations)} changes: {dict(seen)}")  # noqa: T201
    assert seen.total() == len(mutations)
