"""`ucj trace`: the statement that people read, and every step for programs."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.listing import Column, Listing, Row
from cli.trace_in_words import Known
from cli.tracing import _begun, _pieces
from tests.office_files import Row as OfficeRow
from tests.office_files import write_file
from tests.program import EXAMPLE, Answer, head, ucj

BETWEEN = ("--from", "2024-12", "--to", "2025-07")
FORMATS = ("table", "csv", "json", "jsonl", "md", "parquet", "xlsx")
BATCHES = "reference,action,area,category,from_category,workers,effective_on,covered_until,of_batch,reason\n"

# What other programs rely on; more may be added.
PROMISED = {
    "": {"area", "from", "to", "change", "steps"},
    "from": {"on", "known_position", "active", "potential", "coverage_percent"},
    "to": {"on", "known_position", "active", "potential", "coverage_percent"},
    "change": {"active", "percentage_points", "numerator_effect", "denominator_effect"},
    "steps": {
        "kind", "act", "class", "area", "category", "reference", "part", "reason", "document",
        "effective_on", "position", "recorded_by", "import_id", "sheet", "row", "workers",
        "reversed",
    },
}  # fmt: skip


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the published example in registry.db."""
    folder = tmp_path_factory.mktemp("tracing")
    assert ucj("init", folder=folder).code == 0
    for kind in ("potentials", "batches", "targets", "figures"):
        answer = ucj("import", kind, EXAMPLE / f"{kind}.csv", "--locale", "en", folder=folder)
        assert answer.code == 0, answer
    return folder


@pytest.fixture(name="office", scope="module")
def _office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with terms, a renewal, a move, a correction and two definitions."""
    folder = tmp_path_factory.mktemp("office")
    (folder / "batches.csv").write_text(
        BATCHES
        + "SK 1,enrol,16.71,marbot,,100,2024-01-01,2024-12-31,,\n"
        + "SK 2,enrol,16.71,guru,,50,2024-01-01,,,\n"
        + "SK 3,deactivate,16.71,marbot,,30,2024-06-01,,SK 1,resigned\n"
        + "SK 4,reclassify,16.71,marbot,guru,5,2025-02-01,,SK 2,\n"
        + "SK 5,enrol,16.72,marbot,,7,2025-03-01,,,\n"
        + "SK 7,enrol,16.72,bpd,,3,2025-05-01,,,\nSK 7,enrol,16.72,guru,,2,2025-05-01,,,\n",
        encoding="utf-8",
    )
    (folder / "potentials.csv").write_text(
        "area,valid_from,workers,definition,source\n"
        "16.71,2024-01-01,1000,labour force,BPS\n16.71,2025-01-01,1250,employed,BPS\n"
        "16.72,2024-01-01,100,labour force,BPS\n",
        encoding="utf-8",
    )
    (folder / "corrected.csv").write_text(
        "reference,action,area,category,workers,effective_on\nSK 2,enrol,16.71,guru,48,2024-01-01\n",
        encoding="utf-8",
    )
    write_file(
        folder / "more.xlsx", [OfficeRow("SK 9", "16.71", "bpd", 4, effective_on="2025-04-01")]
    )
    renewed = ("--area", "16.71", "--until", "2025-12-31", "--as", "SK 6", "--workers", "60")
    for command in (
        ["init"],
        ["import", "potentials", "potentials.csv"],
        ["import", "batches", "batches.csv"],
        ["renew", "SK 1", *renewed],
        ["correct", "SK 2", "corrected.csv", "--area", "16.71", "--reason", "two twice"],
        ["import", "batches", "more.xlsx"],
    ):
        answer = ucj(*command, folder=folder)
        assert answer.code == 0, answer
    return folder


def traced(folder: Path, area: str, *options: str, **told: Any) -> Answer:
    """Ask for a trace that must be answered."""
    answer = ucj("trace", area, *options, folder=folder, **told)
    assert answer.code == 0, answer
    return answer


def document(folder: Path, area: str, *options: str) -> dict[str, Any]:
    """Return a trace read as JSON."""
    found: dict[str, Any] = traced(folder, area, *options, "--format", "json").json()
    return found


# --- the worked example ---------------------------------------------------------------------------


def test_the_worked_example(folder: Path) -> None:
    """+14,121 and +6.61 points = +45,000 enrolment, -30,879 reconciling, denominator 0."""
    found = document(folder, "16.06", *BETWEEN)
    change = found["change"]
    assert (change["active"], round(change["percentage_points"], 2)) == (14_121, 6.61)
    assert change["numerator_effect"] == change["percentage_points"]
    assert (change["denominator_effect"], change["counted_regencies_effect"]) == (0, 0)
    assert [(step["kind"], step["workers"]) for step in found["steps"]] == [
        ("enrolment", 45_000),
        ("reconciling", -30_879),
    ]
    assert (found["from"]["coverage_percent"], found["to"]["coverage_percent"]) == (41.65, 48.26)
    assert [each["active"] for each in found["published"]] == [88_958, 103_079]
    assert found["unexplained"] == {
        "workers": -30_879,
        "reconciled": -30_879,
        "published_change": 14_121,
        "difference": 0,
    }


def test_the_promised_keys_are_there(folder: Path) -> None:
    """Those that are promised, in every part of the answer."""
    found = document(folder, "16.06", *BETWEEN)
    for part, keys in PROMISED.items():
        some = found if not part else found[part][0] if part == "steps" else found[part]
        assert keys <= some.keys(), part


@pytest.mark.parametrize(("columns", "terminal"), [(80, True), (100, True), (None, False)])
def test_the_table_reads_like_a_statement(
    folder: Path, columns: int | None, terminal: bool
) -> None:
    """Opening to change, the effects, what was published; within the terminal, whole in a pipe."""
    answer = traced(
        folder, "16.06", *BETWEEN, terminal=terminal, columns=columns,
        environment={"NO_COLOR": "1"},
    )  # fmt: skip
    numbers = {line.split("  ")[0]: line.split("  ", 1)[-1].split() for line in answer.lines}
    expected = {
        "Opening 2024-12-31": ["88,958", "41.65"],
        "In": ["45,000", "21.07"],
        "Out": ["0", "0.00"],
        "Lapsed": ["0", "0.00"],
        "Renewed": ["0", "0.00"],
        "Reconciled": ["-30,879", "-14.46"],
        "Restated": ["0", "0.00"],
        "Closing 2025-07-31": ["103,079", "48.26"],
        "Change": ["14,121", "6.61"],
        "Numerator effect": ["–", "6.61"],
        "Denominator effect": ["–", "0.00"],
        "Published 2024-12-31": ["88,958", "–"],
        "Published 2025-07-31": ["103,079", "–"],
        "Unexplained": ["-30,879", "–"],
    }
    assert {line: numbers[line][:2] for line in expected} == expected
    rows = [line.split("  ")[0] for line in answer.lines]
    assert [line for line in rows if line in expected] == list(expected), "in this order"
    if columns is not None:
        assert max(map(len, answer.lines)) <= columns
    words = " ".join(answer.lines)
    position = head(folder / "registry.db")
    assert f"both ends as known now, at #{position}" in words
    assert "41.65 % · BPJS Ketenagakerjaan, JPNN" in words


def test_by_batch_goes_on_to_document_file_row_and_cell(folder: Path) -> None:
    """The batch's document, file and row; `show` and `source` of its position have the rest."""
    found = document(folder, "16.06", *BETWEEN, "--by", "batch")
    first = found["groups"][0]
    assert (first["reference"], first["workers"]) == ("PAKE-KELAMBU-2025", 45_000)
    assert (first["file"], first["sheet"], first["row"]) == ("batches.csv", "", 3)
    assert first["document"] == "peluncuran Pake Kelambu, Sripoku 16-07-2025"
    event = ucj("show", f"@{first['position']}", "--format", "json", folder=folder).json()
    assert event["state"]["reference"] == "PAKE-KELAMBU-2025"
    cells = ucj("source", f"@{first['position']}", "--format", "csv", folder=folder)
    assert "45000" in cells.out
    table = traced(folder, "16.06", *BETWEEN, "--by", "batch")
    assert "batches.csv:3" in table.out
    assert "Sripoku 16-07-2025" in table.out


# --- what is asked ----------------------------------------------------------------------------------


def test_reading_backwards_turns_every_sign(folder: Path) -> None:
    """The same steps, negated and said to be reversed; the foot says how to read it."""
    there = document(folder, "16.06", "--from", "2024-11", "--to", "2025-07")
    back = document(folder, "16.06", "--from", "2025-07", "--to", "2024-11")
    assert [-step["workers"] for step in there["steps"]] == [s["workers"] for s in back["steps"]]
    assert {step["reversed"] for step in back["steps"]} == {True}
    assert {step["reversed"] for step in there["steps"]} == {False}
    table = traced(folder, "16.06", "--from", "2025-07", "--to", "2024-11")
    assert "Read backwards" in table.out


def test_each_end_is_as_known_when_it_is_said(office: Path) -> None:
    """The correction stands between the two; the foot names both positions."""
    log = head(office / "registry.db")
    said = ("--from", "2024-07", "--to", "2024-07")
    history = ucj("history", "--reference", "SK 2", "--format", "json", folder=office).json()
    before = next(e["transaction_id"] for e in history if e["event"] == "batch-corrected") - 1
    found = document(office, "16.71", *said, "--known-from", f"@{before}")
    assert (found["from"]["active"], found["to"]["active"]) == (120, 118)
    assert [(s["act"], s["class"], s["because"]) for s in found["steps"][:2]] == [
        ("takes-back", "restatement", "two twice"),
        ("puts", "restatement", "two twice"),
    ]
    table = traced(office, "16.71", *said, "--known-from", f"@{before}")
    assert f"known at #{before}, to 2024-07-31 as known now, at #{log}" in table.out
    assert "Restated: in effect by 2024-07-31 already" in table.out
    later = traced(office, "16.71", *said[:2], "--to", "2024-08", "--known-from", f"@{before}")
    assert "Restated: in effect by 2024-07-31 already" in later.out
    both = traced(office, "16.71", *said, "--known-from", "@1", "--known-to", f"@{log}")
    assert f"as known at #0, to 2024-07-31 as known at #{log}" in both.out


def test_now_is_one_position_for_both_ends() -> None:
    """Whoever records meanwhile: the log's end is asked once."""
    ends = iter((7, 8))
    assert Known.of(lambda _: next(ends), None, None) == Known(7, 7, False, False)


def test_lapses_and_renewals_and_another_definition_are_told(office: Path) -> None:
    """70 terms end, 60 are renewed; the potential counts something else, which is announced."""
    between = ("--from", "2024-12-30", "--to", "2025-02")
    found = document(office, "16.71", *between)
    lines = {each["line"]: each["workers"] for each in found["statement"]}
    assert (lines["lapsed"], lines["renewed"], lines["change"]) == (-70, 60, -10)
    assert found["change"]["regencies_redefined"] == ["16.71"]
    assert found["change"]["denominator_effect"] < 0
    table = traced(office, "16.71", *between)
    assert "lapsed and renewed together come to -10" in table.out
    assert "The potential counts something else" in table.out
    assert "1,000, labour force (BPS) on 2024-12-30; 1,250, employed (BPS)" in table.out
    batches = traced(office, "16.71", *between, "--by", "batch")
    assert "lapse (not of those who had left)" in batches.out
    assert "reclassification (5 in, -5 out)" in batches.out


def test_a_province_tells_which_regencies_are_counted(office: Path) -> None:
    """One enters with its first batch: named, and an effect of its own."""
    between = ("--from", "2025-01", "--to", "2025-06")
    found = document(office, "16", *between)
    change = found["change"]
    assert change["regencies_entering"] == ["16.72"]
    parts = ("numerator_effect", "denominator_effect", "counted_regencies_effect")
    assert sum(change[part] for part in parts) == pytest.approx(change["percentage_points"])
    assert change["counted_regencies_effect"] != 0
    table = traced(office, "16", *between)
    assert "entering Kota Pagar Alam (16.72)" in table.out
    assert "1 of 17 on 2025-01-31, 2 of 17 on 2025-06-30" in table.out


def test_groups_add_up_in_every_grouping(office: Path) -> None:
    """Kinds, categories, months and batches each come to the change, in groups and in steps."""
    between = ("--from", "2023-12", "--to", "2026-06")
    for by, key in (("kind", "kind"), ("category", "category"), ("batch", "reference")):
        found = document(office, "16", *between, "--by", by)
        grouped: Counter[str] = Counter()
        for group in found["groups"]:
            grouped[group[key]] += group["workers"]
        listed: Counter[str] = Counter()
        for step in found["steps"]:
            listed[step[key]] += step["workers"]
        assert grouped.total() == listed.total() == found["change"]["active"]
        assert +grouped == +listed
        assert -grouped == -listed
    months = document(office, "16", *between, "--by", "month")
    assert sum(group["workers"] for group in months["groups"]) == months["change"]["active"]
    for by in ("kind", "category", "month", "batch"):
        table = traced(office, "16", *between, "--by", by)
        (total,) = (line for line in table.lines if "Change " in line)
        assert f"{months['change']['active']}" in total.split()


def test_a_category_is_traced_alone(office: Path) -> None:
    """Only its steps; its share of the percentage in points, no coverage of its own."""
    found = document(office, "16.71", "--from", "2024-12", "--to", "2025-02", "--category", "guru")
    assert {step["category"] for step in found["steps"]} == {"guru"}
    assert (found["category"], found["change"]["active"]) == ("guru", -5)
    assert (found["to"]["coverage_percent"], found["to"]["points"]) == (None, 100 * 43 / 1250)


def test_what_is_not_there_is_said(folder: Path) -> None:
    """An area without anything, a day without a potential, a period without a change."""
    table = traced(folder, "16.71", *BETWEEN)
    assert "No batch is recorded there up to either day." in table.out
    assert "no labour potential is known" in table.out
    assert "Points" not in table.out, "a column of nothing is left out"
    assert document(folder, "16.71", *BETWEEN)["steps"] == []
    still = traced(folder, "16.06", "--from", "2025-08", "--to", "2025-09")
    assert "Nothing changed" in still.out
    grouped = traced(folder, "16.06", "--from", "2025-08", "--to", "2025-09", "--by", "batch")
    assert "(no rows)" in grouped.out
    unpublished = traced(folder, "16.06", "--from", "2025-01", "--to", "2025-07")
    assert "No figure is published for 2025-01-31." in unpublished.out


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (("16.06", "--from", "2025-13", "--to", "2025-07"), 1, "--from: 2025-13"),
        (("16.06", "--from", "2025-01", "--to", "soon"), 1, "--to: soon"),
        (("16.06", "--from", "2025-01"), 2, "--to"),
        (("Atlantis", *BETWEEN), 1, "Atlantis"),
        (("16.06", *BETWEEN, "--known-to", "@99999"), 1, "the log ends at"),
        (("16.06", *BETWEEN, "--known-from", "2199-01-01"), 1, "has not come yet"),
        (("16.06", *BETWEEN, "--category", "astronaut"), 1, "astronaut"),
        (("16.06", *BETWEEN, "--by", "row"), 2, "row"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    folder: Path, given: tuple[str, ...], code: int, words: str
) -> None:
    """In words, with nothing on stdout."""
    answer = ucj("trace", *given, folder=folder)
    assert (answer.code, answer.out) == (code, ""), answer
    assert words in answer.err


# --- every format -----------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [None, "kind", "category", "batch", "month"])
@pytest.mark.parametrize("form", FORMATS)
def test_every_format_prints(office: Path, tmp_path: Path, form: str, by: str | None) -> None:
    """With and without a grouping, to a file."""
    output = tmp_path / f"trace.{'txt' if form == 'table' else form}"
    grouping = ("--by", by) if by else ()
    between = ("--from", "2024-06", "--to", "2025-06")
    traced(office, "16", *between, *grouping, "--format", form, "--output", str(output))
    assert output.stat().st_size > 0


def test_csv_and_parquet_have_the_steps_or_the_groups(office: Path, tmp_path: Path) -> None:
    """The same keys and rows as the lists of the document."""
    import duckdb

    between = ("--from", "2023-12", "--to", "2025-06")
    found = document(office, "16", *between, "--by", "batch")
    for name, grouping in (("steps", ()), ("groups", ("--by", "batch"))):
        text = traced(office, "16", *between, *grouping, "--format", "csv").out
        rows = list(csv.DictReader(io.StringIO(text)))
        assert list(rows[0]) == list(found[name][0])
        assert [row["workers"] for row in rows] == [str(each["workers"]) for each in found[name]]
        path = tmp_path / f"{name}.parquet"
        traced(office, "16", *between, *grouping, "--output", str(path))
        with duckdb.connect() as engine:
            ((count, workers),) = engine.sql(
                f"SELECT count(*), sum(workers) FROM '{path}'"
            ).fetchall()
        assert (count, workers) == (len(found[name]), found["change"]["active"])


def test_the_rows_are_those_of_what_is_asked(office: Path) -> None:
    """Of a batch of two rows both; of one category in it, its own."""
    between = ("--from", "2025-04", "--to", "2025-05", "--by", "batch")
    (both,) = document(office, "16.72", *between)["groups"]
    assert (both["row"], both["last_row"], both["workers"]) == (7, 8, 5)
    assert "batches.csv:7–8" in traced(office, "16.72", *between).out
    (guru,) = document(office, "16.72", *between, "--category", "guru")["groups"]
    assert (guru["row"], guru["last_row"], guru["workers"]) == (8, 8, 2)


def test_a_sheet_is_part_of_the_address(office: Path) -> None:
    """Of a workbook the sheet is named before the row; of what was typed, that it was."""
    table = traced(office, "16.71", "--from", "2024-01", "--to", "2026-06", "--by", "batch")
    assert "more.xlsx Data!2" in table.out
    assert "typed" in table.out


def test_jsonl_is_the_same_object_on_one_line(office: Path) -> None:
    """Byte for byte the same values; notes go to stderr."""
    asked = ("16", "--from", "2023-12", "--to", "2025-06", "--by", "batch")
    line = ucj("trace", *asked, "--format", "jsonl", folder=office)
    assert len(line.lines) == 1
    assert json.loads(line.out) == document(office, *asked)
    assert "both ends as known now" in line.err


def test_long_lists_are_written_as_they_are_read() -> None:
    """Of an endless list each row is written before the next but one is read."""
    read = 0

    def rows() -> Iterator[Row]:
        nonlocal read
        while True:
            read += 1
            yield {"n": read}

    listing = Listing("n", (Column("n", "N", "count"),), _begun(rows()))
    assert read == 1, "what is refused is refused before anything is written"
    pieces = _pieces({"area": "ID"}, {"steps": listing}, spread=False)
    written = ""
    while '"n": 100}' not in written:
        written += next(pieces)
    assert read <= 101
    assert written.startswith('{"area": "ID", "steps": [{"n": 1}, {"n": 2}')


# --- the words that fit what happened ---------------------------------------------------------------


@pytest.fixture(name="balanced", scope="module")
def _balanced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with balancing entries that lapse, a potential revised, and a moved regency."""
    folder = tmp_path_factory.mktemp("balanced")
    files = {
        "batches": "reference,action,area,category,workers,effective_on,covered_until,of_batch,note,reason\n"
        "F1,enrol,16.71,petani,10000,2024-01-01,2024-12-31,,,\n"
        "F2,balance-out,16.71,,1000,2024-06-01,,F1,selisih,\n"
        "F3,balance-in,16.71,guru,700,2024-02-01,2024-05-31,,selisih,\n"
        "F4,deactivate,16.71,petani,3600,2024-03-01,,F1,,moved\n",
        "potentials": "area,valid_from,workers,definition,source\n"
        "16.71,2024-01-01,100000,AK,BPS\n16.71,2025-06-01,110000,AK,BPS\n",
        "figures": "area,as_of,active,publisher,published_on,source\n"
        "16.71,2024-05-31,7100,Dinas,2024-06-05,K\n16.71,2024-07-31,5400,Dinas,2024-08-05,K\n",
        "areas": "area,change,on,from,to,source\n16.71,moved,2024-04-01,16,17,BPK\n",
    }
    assert ucj("init", folder=folder).code == 0
    for kind, text in files.items():
        (folder / f"{kind}.csv").write_text(text, encoding="utf-8")
        answer = ucj("import", kind, f"{kind}.csv", "--locale", "en", folder=folder)
        assert answer.code == 0, answer
    return folder


def test_what_was_balanced_and_lapsed_is_told(balanced: Path) -> None:
    """The 700 let in came and went: the two parts of what is unexplained, each with its sign."""
    between = ("--from", "2024-01-31", "--to", "2024-08-31")
    unexplained = document(balanced, "16.71", *between)["unexplained"]
    assert (unexplained["reconciled"], unexplained["workers"]) == (-1_000, -1_000)
    words = " ".join(traced(balanced, "16.71", *between).out.split())
    assert "-1,000 – reconciled -300, lapsed of what was reconciled -700" in words


def test_a_lapse_of_those_let_in_is_a_plain_lapse(balanced: Path) -> None:
    """Only those who had been taken out do not lapse, forwards or backwards."""
    days = ("2024-01-31", "2025-01-31")
    for start, end in (days, days[::-1]):
        table = traced(balanced, "16.71", "--from", start, "--to", end, "--by", "batch")
        rows = {
            name: next(line for line in table.lines if f"lapse{name}" in line)
            for name in (" · F3", " (not of those who had left) · F2")
        }
        assert "700" in rows[" · F3"]


def test_only_the_potential_changed(balanced: Path) -> None:
    """Below a change of points nothing says that nothing changed."""
    table = traced(balanced, "16.71", "--from", "2024-08", "--to", "2024-09")
    assert "Nothing changed" in table.out
    still = traced(balanced, "16.71", "--from", "2024-12-01", "--to", "2024-12-30")
    assert "Nothing changed" in still.out
    revised = traced(balanced, "16.71", "--from", "2025-05", "--to", "2025-06")
    assert "No heads changed" in revised.out
    assert "Nothing changed" not in revised.out


def test_a_border_that_only_became_known_is_not_between_two_days(balanced: Path) -> None:
    """On one day at two positions nothing came between the days."""
    moved = head(balanced / "registry.db")
    same = ("--from", "2024-05", "--to", "2024-05")
    table = traced(balanced, "16", *same, "--known-from", f"@{moved - 2}")
    assert "As known at one of the two positions only, regencies left it" in table.out
    later = traced(balanced, "16", "--from", "2024-03", "--to", "2024-05")
    assert "Between the two days regencies left it" in later.out


def test_a_category_lacks_figures_of_its_own(balanced: Path) -> None:
    """The whole area has one for both days; the category has none."""
    between = ("--from", "2024-05", "--to", "2024-07")
    guru = traced(balanced, "16.71", *between, "--category", "guru")
    assert "No figure of guru is published for 2024-05-31 or 2024-07-31." in guru.out
    assert "No figure" not in traced(balanced, "16.71", *between).out
