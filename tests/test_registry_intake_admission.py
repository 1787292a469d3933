"""Admission: a whole file is checked, counted, digested and streamed, and leaves nothing behind."""

from __future__ import annotations

import csv
import io
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from registry.commands import RecordBatch
from registry.errors import ImportRefusedError, InputUnreadableError, Problem
from registry.intake import batch_form, second_pass
from registry.intake.admission import Admission, AdmissionOptions, SheetFacts, admit
from registry.intake.spool import SpooledFile, spool_input
from registry.reference.categories import Categories

HEADER = "reference,action,area,category,workers,effective_on"
ROWS = (
    "SK/1,enrol,16.06,pekerja-rentan,100,2025-01-01",
    "SK/1,enrol,16.06,guru,20,2025-01-01",
    "SK/2,deactivate,16.06,guru,5,2025-02-01",
)
CANARY = "1606011212900001"

Open = Callable[..., Admission]


def text(*rows: str, header: str = HEADER) -> str:
    """Return a CSV text."""
    return "\n".join((header, *rows)) + "\n"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Return a function that admits a text (or a file's bytes); all is closed at the end."""
    files: list[SpooledFile] = []
    admissions: list[Admission] = []

    def admit_content(
        content: str | bytes, *, name: str = "berkas.csv", progress: Any = None, **options: Any
    ) -> Admission:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        files.append(spool_input(path, name=name))
        chosen = AdmissionOptions(**{"kind": "batches", **options})
        admissions.append(admit(files[-1], chosen, Categories(), on_progress=progress))
        return admissions[-1]

    yield admit_content
    for admission in admissions:
        admission.close()
    for file in files:
        file.close()


def codes(admission: Admission) -> list[str]:
    """Return the codes of the problems kept."""
    return [problem.code for problem in admission.report.problems]


GOOD = text(ROWS[0], ROWS[1])


def test_a_file_is_counted_and_digested(opened: Open) -> None:
    """Rows, batches, heads in and out, control totals and the plan."""
    leave = "SK/2,deactivate,16.06,guru,5,2025-02-01,resigned"
    admission = opened(text(*(f"{row}," for row in ROWS[:2]), leave, header=f"{HEADER},reason"))
    report = admission.report
    assert (report.rows_read, report.rows_accepted, report.errors) == (3, 3, 0)
    assert (report.batches_total, report.batches_by_action) == (2, {"enrol": 1, "deactivate": 1})
    assert (report.workers_in, report.workers_out, report.workers) == (120, 5, 125)
    assert admission.sheets == (SheetFacts("", 3, 125),)
    assert report.plan == admission.digest
    assert len(admission.digest) == 64


@pytest.mark.parametrize(
    ("row", "moved"),
    [
        ("opening,16.06,guru,,9,2025-01-01,,,", {"guru": (9, 0)}),
        ("balance-in,16.06,guru,,9,2025-01-01,,,x", {"guru": (9, 0)}),
        ("balance-out,16.06,guru,,9,2025-01-01,,,x", {"guru": (0, 9)}),
        ("deactivate,16.06,guru,,9,2025-01-01,,,x", {"guru": (0, 9)}),
        ("deactivate,16.06,,,9,2025-01-01,,SK/0,x", {None: (0, 9)}),
        ("reclassify,16.06,guru,bpd,9,2025-01-01,,,", {"guru": (9, 0), "bpd": (0, 9)}),
        ("renew,16.06,guru,,9,,2026-01-01,SK/0,", {}),
        ("correct,16.06,guru,,9,,,,x", {}),
    ],
)
def test_heads_in_and_out_by_category(
    opened: Open, row: str, moved: dict[str | None, tuple[int, int]]
) -> None:
    """Renewals move nobody, and what a correction moves only the store knows."""
    header = (
        "reference,action,area,category,from_category,workers,effective_on,covered_until,of_batch,"
        "note,reason"
    )
    reason = "resigned" if row.startswith("deactivate") else ""
    report = opened(text(f"SK/1,{row},{reason}", header=header)).report
    found = {
        category: (movement.workers_in, movement.workers_out)
        for category, movement in report.by_category.items()
    }
    assert (report.errors, report.workers, found) == (0, 9, moved)


def test_a_sum_of_heads_is_not_judged_while_rows_are_refused(opened: Open) -> None:
    """Their heads are missing from it: one error, not two."""
    assert codes(opened(text(ROWS[0], ROWS[2]), expect_workers=105)) == ["missing-value"]


def test_a_row_with_a_warning_is_not_among_the_refused(opened: Open, tmp_path: Path) -> None:
    """The file of refused rows has only what must be repaired."""
    admission = opened(text(ROWS[0], ROWS[0], ROWS[2]))
    assert codes(admission) == ["repeated-line", "missing-value"]
    admission.write_refused(tmp_path / "refused.csv")
    lines = (tmp_path / "refused.csv").read_text("utf-8-sig").splitlines()
    assert [line.partition(",")[0] for line in lines] == ["row", "4"]


def test_commands_are_complete_and_may_be_asked_again(opened: Open) -> None:
    """A dry run and the real one read the same rows twice."""
    admission = opened(GOOD)
    once, again = list(admission.commands()), list(admission.commands())
    assert once == again
    (batch,) = once
    assert isinstance(batch, RecordBatch)
    assert [(line.category, line.workers, line.row) for line in batch.lines] == [
        ("pekerja-rentan", 100, 2),
        ("guru", 20, 3),
    ]


def test_a_command_is_looked_up_by_its_number(opened: Open) -> None:
    """Rows of one batch may stand anywhere: its number is the place of its first row."""
    rows = [
        f"SK/{name},enrol,16.06,guru,{heads},2025-01-01" for heads, name in enumerate("BACAB", 1)
    ]
    commands = opened(
        text(*rows, header="reference,action,area,category,workers,effective_on")
    ).commands()
    assert [commands[number] for number in range(3)] == list(commands)
    assert [each.reference for each in commands if isinstance(each, RecordBatch)] == [
        "SK/B",
        "SK/A",
        "SK/C",
    ]


def test_one_error_refuses_the_file(opened: Open) -> None:
    """No command comes of a file with an error; there is no plan; both rows are told apart."""
    admission = opened(text(ROWS[0], ROWS[2]))
    assert codes(admission) == ["missing-value"]
    report = admission.report
    assert (report.decision, report.plan) == ("refused", None)
    assert (report.rows_read, report.rows_accepted, report.rows_refused) == (2, 1, 1)
    with pytest.raises(ImportRefusedError):
        admission.commands()


def test_a_problem_found_later_refuses_the_file_too(opened: Open, tmp_path: Path) -> None:
    """The application adds what the store says; the row joins the refused ones."""
    admission = opened(GOOD)
    where = admission.where(None, 3, "workers")
    assert where == "berkas.csv:3:workers"
    later = Problem("rule-broken", "error", where, "20", "below zero", "correct it", 3)
    admission.add_problem(later, "workers")
    assert admission.report.decision == "refused"
    with pytest.raises(ImportRefusedError):
        admission.commands()
    admission.write_refused(tmp_path / "berkas.refused.csv")
    assert admission.report.refused_file == "berkas.refused.csv"
    lines = (tmp_path / "berkas.refused.csv").read_text("utf-8-sig").splitlines()
    assert lines == [
        f"row,problem,{HEADER}",
        f"3,workers: below zero [rule-broken],{ROWS[1]}",
    ]


@pytest.mark.parametrize(
    ("options", "problems"),
    [
        ({"expect_rows": 2, "expect_workers": 120}, []),
        ({"expect_rows": 3}, ["control-total"]),
        ({"expect_workers": 119}, ["control-total"]),
        ({"expect_rows": 1, "expect_workers": 1}, ["control-total", "control-total"]),
        ({"expect_rows": 0}, ["control-total"]),
    ],
)
def test_control_totals_are_compared(
    opened: Open, options: dict[str, int], problems: list[str]
) -> None:
    """What the cover letter says must be what the file holds."""
    admission = opened(GOOD, **options)
    assert codes(admission) == problems
    assert admission.report.decision == ("refused" if problems else "planned")


def test_a_file_without_rows_is_refused(opened: Open) -> None:
    """A header alone is a file that somebody forgot to fill in."""
    assert codes(opened(text())) == ["no-rows"]


def test_a_file_that_is_no_table_leaves_nothing(tmp_path: Path) -> None:
    """The spool folder holds the copy and nothing else after the refusal."""
    path = tmp_path / "x.csv"
    path.write_text(f'{HEADER}\nSK/1,enrol,16.06,guru,1,2025-01-01\n"open\n')
    with spool_input(path, name="x.csv") as spooled:
        with pytest.raises(InputUnreadableError):
            admit(spooled, AdmissionOptions(kind="batches"), Categories())
        assert list(spooled.path.parent.iterdir()) == [spooled.path]


def test_closing_leaves_only_the_copy(tmp_path: Path) -> None:
    """The rows that waited are gone with the admission."""
    path = tmp_path / "x.csv"
    path.write_text(GOOD)
    with spool_input(path, name="x.csv") as spooled:
        with admit(spooled, AdmissionOptions(kind="batches"), Categories()):
            assert len(list(spooled.path.parent.iterdir())) == 2
        assert list(spooled.path.parent.iterdir()) == [spooled.path]


# --- the plan's digest ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "same",
    [
        GOOD.replace(",", " , ").replace("pekerja-rentan", "Pekerja  Rentan"),
        GOOD.replace("2025-01-01", "1 Januari 2025"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\nSK/1,enrol,16.06,guru", "\n\nSK/1,enrol,16.06,guru"),
        GOOD.replace("16.06", "Musi Banyuasin"),
        GOOD.replace(",", ";"),
        GOOD.replace(HEADER, "no_sk,tindakan,kab/kota,kategori,jumlah,tmt"),
    ],
    ids=["spaces", "dates", "line ends", "blank row", "names", "delimiter", "headers"],
)
def test_what_reads_the_same_has_the_same_digest(opened: Open, same: str) -> None:
    """The plan is about what is recorded, not about how it was typed."""
    first, other = opened(GOOD), opened(same, name="lain.csv")
    assert codes(other) == []
    assert other.digest == first.digest


def test_any_changed_cell_changes_the_digest(opened: Open) -> None:
    """Each cell of a batch, each in turn; and rows dropped, doubled or put in another order."""
    header = (
        "reference,part,action,area,category,workers,effective_on,covered_until,segment,funding,"
        "programmes,decided_on,document,proposed,rejected,note"
    )
    row = [
        "SK/1",
        "a",
        "enrol",
        "16.06",
        "guru",
        "20",
        "2025-01-01",
        "2025-12-31",
        "PU",
        "csr",
        "JKK",
        "2024-12-01",
        "Naskah",
        "90",
        "moved:3",
        "catatan",
    ]
    other = [
        "SK/2",
        "b",
        "opening",
        "16.07",
        "petani",
        "21",
        "2025-01-02",
        "2025-12-30",
        "BPU",
        "apbn",
        "JKM",
        "2024-12-02",
        "Lain",
        "91",
        "moved:4",
        "lain",
    ]
    variants = [[row], [row, other], [other, row]]
    variants += [[[*row[:at], other[at], *row[at + 1 :]]] for at in range(len(row))]
    digests = []
    for variant in variants:
        admission = opened(text(*(",".join(cells) for cells in variant), header=header))
        assert codes(admission) == []
        digests.append(admission.digest)
    assert len(set(digests)) == len(variants)


def test_what_was_declared_is_part_of_the_plan(opened: Open) -> None:
    """The same cells under another declaration are another plan; expectations are not."""
    plain = opened(GOOD).digest
    assert opened(GOOD, locale="en").digest != plain
    assert opened(GOOD, area_codes="bps").digest != plain
    assert opened(GOOD, expect_rows=2, expect_workers=120).digest == plain


def test_each_mutation_of_a_file_is_seen(opened: Open) -> None:
    """Row 67 of the fault list: cells changed, rows dropped, doubled or swapped in 100 ways."""
    generator = random.Random(67)
    rows = [f"SK/{n // 3},enrol,16.06,{('guru', 'bpd', 'marbot')[n % 3]},{n + 1},2025-01-01".split(",")
            for n in range(60)]  # fmt: skip

    def digest_of(changed: list[list[str]]) -> str | None:
        admission = opened(text(*(",".join(row) for row in changed)))
        seen = admission.report.plan
        admission.close()
        return seen

    original = digest_of(rows)
    assert original is not None
    for _ in range(100):
        changed = [list(row) for row in rows]
        at, to = generator.sample(range(60), 2)
        match generator.choice(("cell", "drop", "double", "swap")):
            case "cell":
                changed[at][4] = str(int(changed[at][4]) + generator.randint(1, 9))
            case "drop":
                del changed[at]
            case "double":
                changed.insert(to, changed[at])
            case _:  # two cells of equal sum: no total sees it
                changed[at][4], changed[to][4] = changed[to][4], changed[at][4]
        assert digest_of(changed) != original


# --- persons ----------------------------------------------------------------------------------------


def test_an_ignored_column_is_nowhere(opened: Open, tmp_path: Path) -> None:
    """Its values are not in the commands, the report, the refused rows or the temporary file."""
    header = f"NIK,{HEADER},nama"
    content = text(f"{CANARY},{ROWS[0]},Siti", f"{CANARY},{ROWS[2]},Siti", header=header)
    refused = opened(content)
    assert codes(refused) == ["personal-data", "personal-data", "missing-value"]
    ignoring = opened(content, ignore_columns=("nik", "NAMA"))
    assert codes(ignoring) == ["missing-value"]
    for admission in (refused, ignoring):
        admission.write_refused(tmp_path / "berkas.refused.csv")
        traces = [
            json.dumps(admission.report.as_json()),
            "\n".join(admission.report.as_lines()),
            (tmp_path / "berkas.refused.csv").read_text("utf-8-sig"),
            "\n".join(map(str, admission._rows._connection.iterdump())),
        ]
        for trace in traces:
            assert CANARY not in trace
            assert "Siti" not in trace
    # The control: the number was really in the file.
    assert CANARY in content


def test_a_column_to_ignore_that_is_nowhere_is_warned_of(opened: Open) -> None:
    """A misspelt name would leave the meant column unignored."""
    admission = opened(GOOD, ignore_columns=("NKI",))
    assert codes(admission) == ["nothing-to-ignore"]
    assert admission.report.errors == 0


@pytest.mark.parametrize("name", ["NIK", "wrokers lama"])
def test_nothing_is_accepted_under_a_header_that_is_refused(name: str, opened: Open) -> None:
    """Though no row is at fault by itself; its totals are compared all the same."""
    content = text(f"{ROWS[0]},x", header=f"{HEADER},{name}")
    admission = opened(content, expect_workers=1)
    report = admission.report
    assert (report.rows_read, report.rows_accepted, report.rows_refused) == (1, 0, 1)
    assert "control-total" in codes(admission)


def test_a_value_under_no_header_is_refused_and_not_shown(opened: Open) -> None:
    """Left and right of the known columns alike: nothing is dropped unseen."""
    header = HEADER.replace(",action", ",,action")
    blank = ROWS[0].replace(",enrol", ",,enrol")
    stray = ROWS[1].replace(",enrol", ",Siti,enrol")
    assert codes(opened(text(blank, header=header))) == []
    for content in (text(blank, stray, header=header), text(ROWS[0], f"{ROWS[1]},Siti")):
        admission = opened(content)
        assert codes(admission) == ["unnamed-column"]
        assert admission.report.rows_refused == 1
        assert "Siti" not in json.dumps(admission.report.as_json())


# --- spreadsheets -----------------------------------------------------------------------------------


def workbook(**sheets: list[list[object]]) -> bytes:
    """Return an .xlsx with these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_all_sheets_with_a_header_are_one_decision(opened: Open) -> None:
    """Totals for each sheet, addresses by cell; a sheet without a header is named."""
    head: list[object] = [*HEADER.split(",")]
    content = workbook(
        Petunjuk=[["isi dengan huruf cetak"]],
        Januari=[["REKAP"], head, ["SK/1", "enrol", 16.06, "guru", 20, "2025-01-01"]],
        Februari=[head, ["SK/2", "enrol", "Muba", "bpd", 30, "2025-02-01"],
                  ["SK/3", "enrol", 16.1, "bpd", 1.5, "2025-02"]],
    )  # fmt: skip
    admission = opened(content, name="rekap.xlsx")
    problems = {(one.code, one.where, one.sheet) for one in admission.report.problems}
    assert problems == {
        ("sheet-left-out", "rekap.xlsx", None),
        ("area-as-number", "Februari!C3", "Februari"),
        ("invalid-number", "Februari!E3", "Februari"),
        ("invalid-date", "Februari!F3", "Februari"),
    }
    assert admission.sheets == (SheetFacts("Januari", 1, 20), SheetFacts("Februari", 2, 30))
    january = opened(content, name="rekap.xlsx", sheet="Januari")
    (batch,) = january.commands()
    assert isinstance(batch, RecordBatch)
    assert (batch.sheet, batch.row, batch.lines[0].row) == ("Januari", 3, 3)


def test_a_batch_stands_in_one_sheet(opened: Open) -> None:
    """Two sheets are two streams of imports; a batch has one source."""
    head: list[object] = [*HEADER.split(",")]
    content = workbook(
        A=[head, ["SK/1", "enrol", "16.06", "guru", 20, "2025-01-01"]],
        B=[head, ["sk/1", "enrol", "16.06", "bpd", 20, "2025-01-01"]],
    )
    admission = opened(content, name="dua.xlsx")
    assert [(one.code, one.where) for one in admission.report.problems] == [
        ("batch-in-two-sheets", "B!A2")
    ]


# --- size -------------------------------------------------------------------------------------------


def test_a_header_that_cannot_be_used_refuses_every_row(opened: Open) -> None:
    """Rows are counted, none is judged: the one problem is the header."""
    admission = opened(text(*ROWS, header=HEADER.replace("area", "reference")))
    assert codes(admission) == ["duplicate-column", "missing-column"]
    report = admission.report
    assert (report.rows_read, report.rows_refused, report.rows_accepted) == (3, 3, 0)


def test_progress_is_heard(opened: Open) -> None:
    """In steps of about a thousand rows, and the total at the end."""
    heard: list[int] = []
    rows = [f"SK/{n},enrol,16.06,guru,1,2025-01-01" for n in range(2_500)]
    opened(text(*rows), progress=heard.append)
    assert [round(rows, -3) for rows in heard[:2]] == [1_000, 2_000]
    assert heard[-1] == 2_500


def test_the_rows_of_one_batch_are_limited(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """One event holds them all: beyond the limit the batch must be given parts."""
    monkeypatch.setattr(batch_form, "LINES_MAX", 3)
    monkeypatch.setattr(second_pass, "LINES_MAX", 3)
    categories = ("guru", "bpd", "marbot", "petani", "nelayan")
    rows = [f"SK/1,enrol,16.06,{category},1,2025-01-01" for category in categories]
    assert codes(opened(text(*rows[:3]))) == []
    assert codes(opened(text(*rows))) == ["too-many-lines"]


def test_memory_does_not_grow_with_the_problems(opened: Open, tmp_path: Path) -> None:
    """6,000 bad cells: all counted, few kept, every bad row in the refused file."""
    rows = [f"SK/{n},enrol,16.06,guru,x{n},2025-01-01" for n in range(6_000)]
    admission = opened(text(*rows))
    assert admission.report.errors == admission.report.rows_refused == 6_000
    assert len(admission.report.problems) == 20
    admission.write_refused(tmp_path / "refused.csv")
    with (tmp_path / "refused.csv").open(encoding="utf-8-sig", newline="") as stream:
        refused = list(csv.reader(stream))[1:]
    assert [int(row[0]) for row in refused] == list(range(2, 6_002))


def test_a_full_temporary_folder_is_a_refusal(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 3 with a word, not a traceback; the parent lives."""
    connect = sqlite3.connect

    def small(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.execute("PRAGMA max_page_count = 20")
        return connection

    monkeypatch.setattr(sqlite3, "connect", small)
    rows = [f"SK/{n},enrol,16.06,guru,1,2025-01-01" for n in range(5_000)]
    with pytest.raises(InputUnreadableError, match="temporary folder"):
        opened(text(*rows))


def test_a_total_under_the_running_number_is_seen(opened: Open) -> None:
    """Offices merge the word over the first columns, so that it stands under No."""
    header = "No,reference,action,area,category,workers,effective_on"
    total = "Jumlah,,,,,100,"
    report = opened(text(f"1,{ROWS[0]}", total, header=header)).report
    errors = [problem.code for problem in report.problems if problem.severity == "error"]
    assert errors == ["total-row"]
