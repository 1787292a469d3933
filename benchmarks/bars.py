"""What a run is held against: each promise of speed as two figures of the same run and their ratio.

Nothing fails by it: a machine that is busy makes no ratio wrong, but a bar missed. The table is what
`make bench` ends with, and what benchmarks/README.md shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise: one benchmark's median beside another's, or alone, and how much it may be.

    `most` is a ratio to `beside`; with `is_more` the seconds that it may take more than that one;
    without `beside` seconds, or whatever `unit` says.
    """

    what: str
    measured: str
    beside: str | None
    most: float
    is_more: bool = False
    unit: str = "s"

    def line(self, figures: Mapping[str, float]) -> tuple[str, ...] | None:
        """Return what, measured, beside, found and the bar in words; None if it was not measured."""
        found = figures.get(self.measured)
        other = figures.get(self.beside) if self.beside else None
        if found is None or (self.beside and other is None):
            return None
        if other is None:
            value, bar = found, f"≤ {self.most:g} {self.unit}"
            told = f"{found:,.3g} {self.unit}" if self.unit == "s" else f"{found:,.0f} {self.unit}"
        elif self.is_more:
            value, bar = found - other, f"≤ +{1_000 * self.most:g} ms"
            told = f"{1_000 * value:+,.1f} ms"
        else:
            value, bar = found / other, f"≤ {self.most:g} ×"
            told = f"{value:.2f} ×"
        beside = "" if other is None else _time(other)
        measured = _time(found) if self.unit == "s" else told
        return self.what, measured, beside, told, bar, "" if value <= self.most else "missed"


def _time(seconds: float) -> str:
    return f"{seconds:,.2f} s" if seconds >= 1 else f"{1_000 * seconds:,.1f} ms"


BARS: Final = (
    Bar("rebuild / bare scan as lines", "rebuild", "bare_scan_written_out_as_lines", 2),
    Bar("rebuild: most memory", "rebuild_as_a_process:memory_mib_max", None, 512, unit="MiB"),
    Bar("rebuild of 10,000,000: most memory",
        "rebuild_as_a_process:memory_mib_max_if_large", None, 1_536, unit="MiB"),
    Bar("rebuild / of a tenth of the log", "rebuild", "rebuild_of_a_tenth", 11),
    Bar("import of 200,000 lines / bare executemany of its rows",
        "a_file_into_an_empty_store[200000-plain]",
        "a_file_into_an_empty_store[200000-plain]:bare_executemany", 8),
    Bar("the same / the library's save() for each batch",
        "a_file_into_an_empty_store[200000-plain]",
        "a_file_into_an_empty_store[200000-plain]:saved_one_by_one", 0.1),
    Bar("the same / the library's one save() for all",
        "a_file_into_an_empty_store[200000-plain]",
        "a_file_into_an_empty_store[200000-plain]:saved_together", 0.5),
    Bar("small import: filled / empty store",
        "a_small_file_into_a_filled_store", "a_small_file_into_an_empty_store", 2),
    Bar("one regency by category, in process", "one_regency_by_category_in_process", None, 0.005),
    Bar("the same / bare sum", "one_regency_by_category_in_process",
        "one_regency_by_category_in_process:beside", 0.003, is_more=True),
    Bar("nation by regency × category, in process / bare sum",
        "the_nation_by_regency_and_category_in_process",
        "the_nation_by_regency_and_category_in_process:beside", 1.5),
    Bar("a question with a tail of 10,000 / without one",
        "a_question_with_a_tail[10000]", "a_question_with_a_tail[0]", 0.150, is_more=True),
    Bar("trace of a regency over a year / its two ends",
        "a_regency_over_a_year", "both_ends_of_a_regency", 3),
    Bar("trace of the nation by category / its two ends",
        "the_nation_over_a_year_by_category", "both_ends_of_the_nation_by_category", 3),
    Bar("reconcile of 10,000 figures", "all_figures_of_the_nation", None, 2),
    Bar("ucj --help / import click", "help", "bare_python[click]", 1.5),
    Bar("ucj --version / import click", "version", "bare_python[click]", 1.5),
    Bar("completion / import click", "completion", "bare_python[click]", 1.5),
    Bar("ucj coverage 16.06 / import duckdb", "coverage", "bare_python[duckdb]", 2),
    Bar("ucj trace 16.06 over a year / ucj coverage 16.06", "trace", "coverage", 1.5),
    Bar("8 readers beside a writer / without one",
        "eight_readers_beside_a_writer[200000]:beside", "eight_readers_beside_a_writer[200000]:alone", 1.5),
    Bar("a writer beside 8 readers / without them",
        "eight_readers_beside_a_writer[200000]:writer_beside", "eight_readers_beside_a_writer[200000]:writer_alone",
        1.25),
)  # fmt: skip
"""In the order of the README; names are those of the benchmarks without `test_`."""

HEADINGS: Final = ("question", "measured", "beside", "found", "bar", "")


def table(figures: Mapping[str, float]) -> Iterator[str]:
    """Yield the lines of the table, in Markdown, of what was measured."""
    rows = [HEADINGS, *(line for bar in BARS if (line := bar.line(figures)) is not None)]
    if len(rows) == 1:
        return
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADINGS))]
    for number, row in enumerate(rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"| {' | '.join(cells)} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"
