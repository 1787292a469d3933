"""`ucj revisions`: releases of one date, triangles in three shapes, in every format."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from registry.commands import BatchLine, ChangeArea, RecordBatch, RevisePotential
from registry.terms import Action, Change
from tests.program import EXAMPLE, Answer, head, ucj
from tests.stores import Store

FIGURES = {"2022-03-31": (8, 8, 7, 7, 7, 7, 7, 7), "2022-06-30": (2, 1, 1, 2, 2, 3, 2, 3)}
VINTAGES = (
    "2022-07-31", "2022-08-31", "2022-09-30", "2022-10-31",
    "2022-11-30", "2022-12-31", "2023-01-31", "2023-02-28",
)  # fmt: skip
"""The rows 2022Q1 and 2022Q2 of the triangle in the README of R's rjd3revisions, in tenths."""

TRIANGLE = ("revisions", "16.06", "--triangle", "--from", "2022-03", "--to", "2022-06")


def batch(reference: str, workers: int, on: str) -> RecordBatch:
    """Return heads who are covered on one day only."""
    day = date.fromisoformat(on)
    line = BatchLine("marbot", workers, covered_until=day)
    return RecordBatch(Action.ENROL, "16.06", reference, (line,), effective_on=day)


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the published triangle in registry.db, recorded as it was released."""
    folder = tmp_path_factory.mktemp("revising")
    store = Store(folder / "registry.db")
    quarters = {on: batch(f"SK {on}", rows[0], on) for on, rows in FIGURES.items()}
    for number, vintage in enumerate(VINTAGES):
        said: list[RecordBatch | RevisePotential] = []
        for on, rows in FIGURES.items():
            first, now = quarters[on], rows[number]
            if number == 0:
                said.append(first)
            elif now != rows[number - 1]:
                lines = (replace(first.lines[0], workers=now),)
                said.append(replace(first, lines=lines, because="more is known"))
        if number == 0:
            potential = RevisePotential("16.06", date(2022, 1, 1), 20, "workers", "BPS")
            said.append(potential)
        if said:
            store.clock.now = datetime.fromisoformat(f"{vintage}T09:00:00+07:00").astimezone(UTC)
            store.registry.record(*said)
    store.close()
    return folder


@pytest.fixture(name="demo", scope="module")
def _demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the example imported into registry.db."""
    folder = tmp_path_factory.mktemp("demo")
    assert ucj("init", folder=folder).code == 0
    for kind in ("potentials", "batches"):
        answer = ucj("import", kind, EXAMPLE / f"{kind}.csv", "--locale", "en", folder=folder)
        assert answer.code == 0, answer
    return folder


def rows_of(answer: Answer) -> list[list[str]]:
    """Return the cells of a CSV, header first."""
    assert answer.code == 0, answer
    return list(csv.reader(io.StringIO(answer.out)))


# --- shapes --------------------------------------------------------------------------------------------


def test_vertical_has_a_row_for_each_date(folder: Path) -> None:
    """As rjd3revisions' vertical view: vintages are columns, their days the names."""
    header, *rows = rows_of(ucj(*TRIANGLE, "--shape", "vertical", "--format", "csv", folder=folder))
    assert header == ["on", *VINTAGES]
    found = {row[0]: tuple(map(int, row[1:])) for row in rows}
    assert {day: found[day] for day in FIGURES} == FIGURES
    assert list(found) == ["2022-03-31", "2022-04-30", "2022-05-31", "2022-06-30"]


def test_horizontal_has_a_row_for_each_vintage(folder: Path) -> None:
    """The same, the other way round."""
    shape = ("--shape", "horizontal")
    header, *rows = rows_of(ucj(*TRIANGLE, *shape, "--format", "csv", folder=folder))
    assert header == ["vintage", "2022-03-31", "2022-04-30", "2022-05-31", "2022-06-30"]
    assert [row[0] for row in rows] == list(VINTAGES)
    assert tuple(int(row[1]) for row in rows) == FIGURES["2022-03-31"]
    assert tuple(int(row[4]) for row in rows) == FIGURES["2022-06-30"]


def test_a_vintage_is_called_the_same_in_every_shape_for_people(folder: Path) -> None:
    """Months by their name, the last by its day, as in CSV; nowhere by its position."""
    months = [*(each[: len("2022-07")] for each in VINTAGES[:-1]), VINTAGES[-1]]
    vertical = ucj(*TRIANGLE, "--shape", "vertical", folder=folder)
    assert vertical.lines[0].split() == ["Date", *months]
    horizontal = ucj(*TRIANGLE, "--shape", "horizontal", folder=folder)
    assert [line.split()[0] for line in horizontal.lines[2 : 2 + len(months)]] == months
    long = ucj(*TRIANGLE, "--shape", "long", folder=folder)
    assert [line.split()[1] for line in long.lines[2 : 2 + len(months)]] == months


def test_long_has_a_row_for_each_release_and_is_for_programs(folder: Path) -> None:
    """CSV and JSON have it without being asked; each revision names its batches."""
    header, *rows = rows_of(ucj(*TRIANGLE, "--format", "csv", folder=folder))
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    first = [each for each in cells if each["on"] == "2022-03-31"]
    assert [(e["release"], e["vintage_on"], e["active"], e["revision"]) for e in first][1:4] == [
        ("2", "2022-08-31", "8", "0"),
        ("3", "2022-09-30", "7", "-1"),
        ("4", "2022-10-31", "7", "0"),
    ]
    (cause,) = json.loads(first[2]["batches"])
    assert (cause["reference"], cause["workers"]) == ("SK 2022-03-31", -1)
    document = ucj(*TRIANGLE, "--format", "json", folder=folder).json()
    assert [str(each["active"]) for each in document["releases"]] == [e["active"] for e in cells]


def test_the_value_may_be_the_coverage(folder: Path) -> None:
    """8 of 20 are 40 %."""
    asked = (*TRIANGLE, "--shape", "vertical", "--value", "coverage", "--format", "csv")
    assert rows_of(ucj(*asked, folder=folder))[1][1:4] == ["40.00", "40.00", "35.00"]


def test_metrics_and_references_in_json(folder: Path) -> None:
    """By hand: two rows revised by -1 and 1, two that never were; days from the date itself."""
    found = ucj(*TRIANGLE, "--format", "json", folder=folder).json()
    assert found["compared"] == "latest-with-first"
    assert found["metrics"]["workers"] == {
        "observations": 4,
        "mean_revision": 0.0,
        "mean_absolute_revision": 0.5,
        "relative_mean_absolute_revision": 0.2,
        "minimum": -1.0,
        "maximum": 1.0,
        "range": 2.0,
    }
    assert found["metrics"]["points"]["maximum"] == 5.0
    first = found["references"][0]
    assert (first["first_active"], first["latest_active"], first["revision"]) == (8, 7, -1)
    assert (first["days_to_first"], first["days_to_final"]) == (122, 183)
    assert (first["first_position"], first["latest_position"]) == (
        3,
        head(folder / "registry.db"),
    )


def test_given_positions_are_the_columns(folder: Path) -> None:
    """Positions, dates and instants, each as known then; the columns are called by position."""
    at = ("--at", "@3", "--at", "2022-09-30")
    header, *rows = rows_of(
        ucj(*TRIANGLE, *at, "--shape", "vertical", "--format", "csv", folder=folder)
    )
    assert header == ["on", "#3", "#5"]
    assert (rows[0], rows[-1]) == (["2022-03-31", "8", "7"], ["2022-06-30", "2", "1"])


# --- one date ------------------------------------------------------------------------------------------


def test_one_date_lists_what_changed_it(folder: Path) -> None:
    """A release each, with who recorded it and the batch, and the answer again as known then."""
    asked = ("revisions", "16.06", "--on", "2022-06", "--format", "json")
    found = ucj(*asked, folder=folder).json()
    assert [each["known_on"] for each in found["releases"]] == [
        "2022-07-31", "2022-08-31", "2022-10-31", "2022-12-31", "2023-01-31", "2023-02-28",
    ]  # fmt: skip
    assert [each["revision"] for each in found["releases"]] == [None, -1, 1, 1, -1, 1]
    assert {each["recorded_by"] for each in found["releases"]} == {"tests"}
    assert found["compared"] == "release-with-previous"
    position = found["known_position"]
    again = ucj(*asked, "--known", f"#{position}", folder=folder)
    assert again.json() == found
    before = ucj(*asked, "--known", "#4", folder=folder).json()
    assert before["releases"] == found["releases"][:2]


def test_one_date_in_words(folder: Path) -> None:
    """The batches beside each change, and what it all came to under the table."""
    answer = ucj("revisions", "16.06", "--on", "2022-06", folder=folder)
    assert "SK 2022-06-30 -1" in answer.out
    assert "First 2, latest 3: +1 workers; first known 31 days after the day" in answer.out
    assert "5 times: mean revision +0.20 workers, mean absolute 1.00" in answer.out
    assert "from -1 to +1" in answer.out


# --- for people ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize(
    "asked",
    [
        ("--on", "2022-06"),
        ("--triangle",),
        ("--triangle", "--shape", "horizontal"),
        ("--triangle", "--shape", "long", "--to", "2022-08"),
        ("--triangle", "--vintage", "documented", "--value", "coverage"),
    ],
)
def test_tables_fit_a_terminal(folder: Path, asked: tuple[str, ...], columns: int) -> None:
    """As a grid, none of them one record under the other."""
    answer = ucj("revisions", "16.06", *asked, folder=folder, terminal=True, columns=columns)
    assert answer.code == 0, answer
    assert max(map(len, answer.lines)) <= columns + len("\x1b[1m\x1b[0m")
    assert any(line.startswith("─") for line in answer.lines)


def test_the_earliest_columns_give_way_to_a_terminal(folder: Path) -> None:
    """The latest vintages are shown and it is said how many are not; a pipe has all."""
    asked = (*TRIANGLE, "--shape", "vertical")
    narrow = ucj(*asked, folder=folder, terminal=True, columns=48)
    assert "5 earlier vintages do not fit" in narrow.out
    assert "2022-10" not in narrow.out
    assert "2023-01" in narrow.out
    piped = ucj(*asked, folder=folder)
    assert "do not fit" not in piped.out
    assert "2022-10" in piped.out


def test_what_was_never_revised_says_so(demo: Path) -> None:
    """The example is recorded at once: one vintage, no metrics."""
    one = ucj("revisions", "16.06", "--on", "2025-07", folder=demo)
    assert "It was never revised." in one.out
    triangle = ucj("revisions", "Muba", "--triangle", "--to", "2025-07", folder=demo)
    assert "no date has two releases" in triangle.out
    assert "103,079" in triangle.lines[-4]
    nothing = ucj("revisions", "16.71", "--triangle", folder=demo)
    assert "No batch is recorded there" in nothing.out
    (roll_up,) = ucj("revisions", "16", "--on", "2025-07", "--format", "json", folder=demo).json()[
        "references"
    ]
    assert (roll_up["latest_active"], roll_up["latest_coverage_percent"]) == (103_079, 48.26)


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl", "md", "parquet", "xlsx"])
@pytest.mark.parametrize("shape", ["long", "vertical", "horizontal"])
def test_every_shape_prints_in_every_format(
    folder: Path, tmp_path: Path, shape: str, form: str
) -> None:
    """Into a file of its ending."""
    output = tmp_path / f"answer.{ {'table': 'txt'}.get(form, form) }"
    answer = ucj(*TRIANGLE, "--shape", shape, "--output", output, folder=folder)
    assert answer.code == 0, answer
    assert output.stat().st_size > 0


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((), "Give --on DATE for one day, or --triangle"),
        (("--on", "2022-06", "--triangle"), "Give --on DATE for one day, or --triangle"),
        (("--on", "2199-06"), "--on 2199-06-30 is still to come"),
        (("--on", "2022-06", "--at", "@3"), "--at goes with --triangle"),
        (("--on", "2022-06", "--shape", "long"), "--shape goes with --triangle"),
        (("--on", "2022-06", "--from", "2022-01"), "--from goes with --triangle"),
        (("--triangle", "--at", "@3", "--known", "@4"), "leave --known and --vintage out"),
        (("--triangle", "--at", "@3", "--vintage", "documented"), "leave --known and --vintage"),
        (("--triangle", "--from", "2022-07", "--to", "2022-06"), "is after --to 2022-06-30"),
    ],
)
def test_what_does_not_go_together_is_usage(
    folder: Path, asked: tuple[str, ...], words: str
) -> None:
    """Exit 2, and nothing on stdout."""
    answer = ucj("revisions", "16.06", *asked, folder=folder)
    assert (answer.code, answer.out) == (2, ""), answer
    assert words in answer.err


@pytest.mark.parametrize("known", ["#0", "2020-01-01"])
def test_before_the_first_event_nothing_is_known(folder: Path, known: str) -> None:
    """An answer, not a refusal."""
    for asked in (("--on", "2022-06"), ("--triangle",)):
        answer = ucj("revisions", "16.06", *asked, "--known", known, folder=folder)
        assert answer.code == 0, answer
        assert "as known at #0" in answer.out
    answer = ucj("revisions", "16.06", "--triangle", "--at", known, folder=folder)
    assert (answer.code, "(no rows)" in answer.out) == (0, True), answer
    assert ucj("revisions", "16.06", "--triangle", "--at", "@999", folder=folder).code == 1


@pytest.mark.parametrize("style", ["table", "csv", "json", "md"])
def test_a_figure_that_is_no_more_is_told(tmp_path: Path, style: str) -> None:
    """Of a province whose only regency with heads is known to lie elsewhere."""
    store = Store(tmp_path / "registry.db")
    store.clock.now = datetime(2026, 6, 1, tzinfo=UTC)
    lines = (BatchLine("marbot", 9),)
    store.registry.record(
        RecordBatch(Action.ENROL, "16.06", "SK-1", lines, effective_on=date(2026, 1, 1))
    )
    store.clock.now = datetime(2026, 9, 1, tzinfo=UTC)
    moved = ChangeArea("16.06", Change.MOVED, date(2026, 1, 1), None, "11", "UU 1/2026")
    store.registry.record(moved)
    store.close()
    asked = ("revisions", "16", "--on", "2026-01-01", "--format", style)
    answer = ucj(*asked, folder=tmp_path)
    assert answer.code == 0, answer
    if style == "json":
        shown = answer.json()
        assert [each["active"] for each in shown["releases"]] == [9, None]
        assert shown["references"][0]["latest_active"] is None
    elif style == "csv":
        header, *rows = rows_of(answer)
        assert [row[header.index("active")] for row in rows] == ["9", ""]
    else:
        assert "there is no figure" in answer.err + answer.out
        assert "never revised" not in answer.err + answer.out
