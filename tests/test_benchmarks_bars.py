"""benchmarks.bars: every bar is of benchmarks that are there, and its line says what was found."""

from __future__ import annotations

import re

import pytest

from benchmarks.bars import BARS, Bar, table
from tests.program import ROOT

MEASURED = {
    name
    for path in (ROOT / "benchmarks").glob("bench_*.py")
    for name in re.findall(r"^def test_(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("bar", BARS, ids=lambda bar: bar.what)
def test_a_bar_is_of_benchmarks_that_are_there(bar: Bar) -> None:
    """A benchmark that is called otherwise one day would leave its bar out without a word."""
    for name in filter(None, (bar.measured, bar.beside)):
        assert re.split(r"[\[:]", name)[0] in MEASURED


@pytest.mark.parametrize(
    ("bar", "figures", "line"),
    [
        (Bar("a", "x", "y", 2), {"x": 3.0, "y": 2.0}, ("a", "3.00 s", "2.00 s", "1.50 ×", "≤ 2 ×", "")),
        (
            Bar("a", "x", "y", 1.2),
            {"x": 3.0, "y": 2.0},
            ("a", "3.00 s", "2.00 s", "1.50 ×", "≤ 1.2 ×", "missed"),
        ),
        (
            Bar("a", "x", "y", 0.15, is_more=True),
            {"x": 0.3, "y": 0.1},
            ("a", "300.0 ms", "100.0 ms", "+200.0 ms", "≤ +150 ms", "missed"),
        ),
        (Bar("a", "x", None, 2), {"x": 1.5}, ("a", "1.50 s", "", "1.5 s", "≤ 2 s", "")),
        (
            Bar("a", "x:mib", None, 512, unit="MiB"),
            {"x:mib": 600},
            ("a", "600 MiB", "", "600 MiB", "≤ 512 MiB", "missed"),
        ),
        (Bar("a", "x", "y", 2), {"x": 3.0}, None),
    ],
)  # fmt: skip
def test_a_line_says_what_was_found(
    bar: Bar, figures: dict[str, float], line: tuple[str, ...] | None
) -> None:
    """A ratio, seconds more, or seconds alone, and whether the bar is missed."""
    assert bar.line(figures) == line


def test_only_what_was_measured_is_in_the_table() -> None:
    """Nothing where nothing was measured; else a table of Markdown."""
    assert list(table({})) == []
    lines = list(table({"rebuild": 4.0, "bare_scan_written_out_as_lines": 1.0}))
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1
    assert lines[2].endswith(" missed |")
