"""cli.importing: a file is recorded whole or not at all, and everything about it is said."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from cli.imported_before import ImportedBefore
from registry.intake.columns import COLUMNS, KINDS, InputKind
from tests.program import (
    EXAMPLE,
    Answer,
    head,
    nothing_recorded,
    process_environment,
    ucj,
    ucj_process,
)

NIK = "1671012304560001"
WRITTEN = {".csv", ".json"}
HEADER = "reference,action,area,category,workers,effective_on,covered_until,of_batch,reason,note\n"
ENROL = "400/1/2025,enrol,16.06,pekerja-rentan,100,2025-01-01,2025-12-31,,,\n"
LEAVE = "400/2/2025,deactivate,16.06,pekerja-rentan,30,2025-03-01,,400/1/2025,deceased,\n"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an empty store in it, and one where 30 of 100 enrolled have left."""
    folder = tmp_path_factory.mktemp("offices")
    for name in ("empty", "recorded"):
        (folder / name).mkdir()
        assert ucj("init", folder=folder / name).code == 0
    file = write(folder / "recorded", "b.csv", ENROL, LEAVE)
    assert ucj("import", "batches", file, folder=folder / "recorded").code == 0
    return folder


@pytest.fixture
def office(made_once: Path, tmp_path: Path) -> Path:
    """Return a folder with an empty store in it."""
    shutil.copytree(made_once / "empty", tmp_path, dirs_exist_ok=True)
    return tmp_path


def write(folder: Path, name: str, *rows: str, header: str = HEADER) -> Path:
    """Write a CSV of batches."""
    path = folder / name
    path.write_text(header + "".join(rows), encoding="utf-8")
    return path


def active(folder: Path, on: str = "2025-06-30") -> int | None:
    """Return the heads of Musi Banyuasin on a day."""
    answer = ucj("coverage", "16.06", "--on", on, "--format", "json", folder=folder)
    found: int | None = answer.json()[0]["active"]
    return found


# --- what goes well ----------------------------------------------------------------------------


def test_a_file_is_recorded_and_says_what_it_came_to(office: Path) -> None:
    """Rows, batches, heads by category, positions, instant and person, on stdout."""
    answer = ucj("import", "batches", write(office, "b.csv", ENROL, LEAVE), folder=office)
    assert answer.code == 0, answer
    assert answer.lines[:3] == [
        "b.csv: 2 rows read, 2 accepted, 0 refused",
        "  2 batches: 1 deactivate, 1 enrol",
        "  pekerja-rentan: +100 -30",
    ]
    last = r"recorded at #1–#3, \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ, by siti"
    assert re.fullmatch(last, answer.lines[3])
    assert answer.err == ""
    assert head(office / "registry.db") == 3
    assert active(office) == 70


@pytest.mark.parametrize("kind", ["batches", "potentials", "targets", "figures"])
def test_the_example_is_recorded(kind: str, office: Path) -> None:
    """All four kinds of the published example are taken as they are."""
    file = EXAMPLE / f"{kind}.csv"
    answer = ucj("import", kind, file, "--locale", "en", folder=office)
    assert answer.code == 0, answer
    rows = len(file.read_text(encoding="utf-8").splitlines()) - 1
    assert head(office / "registry.db") == rows + 1


def test_the_same_bytes_again_record_nothing_and_say_when(office: Path) -> None:
    """Exit code 0, the position, instant and person of the first time; renamed too."""
    file = write(office, "b.csv", ENROL)
    ucj("import", "batches", file, "--by", "budi", folder=office)
    file.rename(office / "renamed.csv")
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "batches", "renamed.csv", folder=office)
    assert answer.code == 0
    assert "already recorded at #1, " in answer.lines[-1]
    assert answer.lines[-1].endswith("by budi")


THOUSAND = ENROL.replace(",100,", ',"1.000",')
READ = "b.csv was read with --locale id then. Read with --locale en, it would be refused (1 error)"


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ((), 0, ""),
        (("--locale", "en"), 0, READ),
        (("--locale", "en", "--dry-run"), 0, READ),
        (("--locale", "en", "--plan", "0" * 12), 0, READ),
        (("--area-codes", "bps"), 0, "so it stands. If it should have been read with --area-codes bps,"),
        (("--locale", "en", "--expect-rows", "1"), 1, "b.csv is recorded already, byte for byte, at #1"),
        (("--expect-rows", "2"), 1, "b.csv is recorded already, byte for byte, at #1"),
    ],
)  # fmt: skip
def test_the_same_bytes_read_in_another_way_are_the_same_bytes(
    given: tuple[str, ...], code: int, words: str, office: Path
) -> None:
    """Already recorded, with a word on how; unless totals are asked of it, which have an answer."""
    file = write(office, "b.csv", THOUSAND)
    assert ucj("import", "batches", file, folder=office).code == 0
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "batches", file, *given, folder=office)
    assert answer.code == code, answer
    assert words in answer.err
    assert (answer.err == "") is (words == "")
    assert ("already recorded at #1, " in answer.out) is (code == 0)
    assert ("error:" in answer.err) is (code == 1)
    assert (office / "b.refused.csv").exists() is ("--locale" in given and code == 1)


def test_a_column_that_was_ignored_then_need_not_be_named_again(office: Path) -> None:
    """The same bytes with a column of NIK are recorded already, though it is not to be ignored now."""
    header, row = (line.replace("\n", more) for line, more in ((HEADER, ",NIK\n"), (ENROL, ",1\n")))
    file = write(office, "b.csv", row, header=header)
    assert ucj("import", "batches", file, folder=office).code == 1
    assert ucj("import", "batches", file, "--ignore-column", "NIK", folder=office).code == 0
    answer = ucj("import", "batches", file, folder=office)
    assert answer.code == 0, answer
    assert "was read with --ignore-column NIK then. Read without --ignore-column" in answer.err


@pytest.mark.parametrize(
    ("options", "errors", "words"),
    [
        ({"locale": "id"}, 0, None),
        ({"locale": "id"}, 2, "Read now, b.csv would be refused (2 errors); what is recorded"),
        ({"locale": "id", "sheet": "Data"}, 0, None),
        ({"locale": "en"}, 0, "b.csv was read with --locale id then, and so it stands. If it"),
    ],
)
def test_the_note_of_an_earlier_import(
    options: dict[str, str], errors: int, words: str | None
) -> None:
    """A later ucj may refuse what an earlier one took; a sheet is of the identity, not the reading."""
    before = ImportedBefore(1, datetime.now(UTC), "siti", {"locale": "id"}, ())
    note = before.note("b.csv", options, errors)
    assert (note is None) if words is None else (note or "").startswith(words)


def test_the_same_bytes_say_what_of_them_is_withdrawn(office: Path) -> None:
    """A no-op all the same; whoever expects the batch to count is told, and so is a program."""
    file = write(office, "b.csv", ENROL)
    assert ucj("import", "batches", file, folder=office).code == 0
    assert "withdrawn" not in ucj("import", "batches", file, folder=office).err
    withdraw = ("withdraw", "400/1/2025", "--area", "16.06", "--reason", "x")
    assert ucj(*withdraw, folder=office).code == 0
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "batches", file, folder=office)
    assert answer.code == 0
    assert "warning: b.csv:2:reference: 400/1/2025 is withdrawn since [withdrawn" in answer.err
    misread = ucj("import", "batches", file, "--locale", "en", "--format", "json", folder=office)
    report = misread.json()
    assert (report["decision"], report["errors"], report["warnings"]) == ("already-recorded", 0, 1)
    assert [each["code"] for each in report["problems"]] == ["withdrawn-since"]
    assert "400/1/2025 is withdrawn since" in misread.err


def test_the_same_bytes_say_what_of_them_is_corrected(office: Path) -> None:
    """Until it is corrected back, or withdrawn and recorded again as it was."""
    file = write(office, "b.csv", ENROL)
    fewer = write(office, "c.csv", ENROL.replace(",100,", ",98,"))
    correct = ("correct", "400/1/2025", "--area", "16.06", "--reason", "two twice")
    assert ucj("import", "batches", file, folder=office).code == 0
    assert ucj(*correct, fewer, folder=office).code == 0
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "batches", file, folder=office)
    assert answer.code == 0
    assert "warning: b.csv:2:reference: 400/1/2025 said just that until it was" in answer.err
    assert ucj(*correct, file, folder=office).code == 0
    assert "warning" not in ucj("import", "batches", file, folder=office).err
    assert "400/1/2025 said just that" in ucj("import", "batches", fewer, folder=office).err


def test_a_batch_in_another_spelling_is_the_same_batch(office: Path) -> None:
    """Withdrawn and recorded again so, it is in force, and one: also for whom has the first file."""
    file = write(office, "a.csv", ENROL.replace("400/1/2025", "SK 400/1"))
    again = write(office, "b.csv", ENROL.replace("400/1/2025", "sk400/1"))
    withdraw = ("withdraw", "SK 400/1", "--area", "16.06", "--reason", "x")
    assert ucj("import", "batches", file, folder=office).code == 0
    assert ucj(*withdraw, folder=office).code == 0
    assert ucj("import", "batches", again, folder=office).code == 0
    assert "withdrawn" not in ucj("import", "batches", file, folder=office).err
    assert ucj("status", "--format", "json", folder=office).json()["batches"] == 1
    assert ucj(*withdraw, folder=office).code == 0
    for each in (file, again):
        answer = ucj("import", "batches", each, folder=office)
        assert "is withdrawn since" in answer.err


@pytest.mark.parametrize("kind", ["potentials", "targets", "figures"])
def test_what_was_taken_back_by_mistake_is_recorded_again(office: Path, kind: str) -> None:
    """By a file of other bytes, with a warning; the very same bytes stay a no-op."""
    text = (EXAMPLE / f"{kind}.csv").read_text(encoding="utf-8")
    titles, first, *_ = text.splitlines(keepends=True)
    for name, content in (("a.csv", titles + first), ("b.csv", titles + first + "\n")):
        (office / name).write_text(content, encoding="utf-8")
    given = ("import", kind, "a.csv", "--locale", "en")
    assert ucj(*given, folder=office).code == 0
    at = head(office / "registry.db")
    retract = ("retract", kind.removesuffix("s"), f"@{at}", "--reason", "x")
    assert ucj(*retract, folder=office).code == 0
    with nothing_recorded(office / "registry.db"):
        assert ucj(*given, folder=office).code == 0
    again = ucj("import", kind, "b.csv", "--locale", "en", folder=office)
    assert again.code == 0, again
    assert "recorded-again" in again.err
    assert (
        ucj(*retract[:2], f"@{head(office / 'registry.db')}", *retract[3:], folder=office).code == 0
    )


def test_a_report_of_the_same_bytes_read_in_another_way(office: Path) -> None:
    """Decided by what is recorded; the errors are those of the reading that was asked for."""
    file = write(office, "b.csv", THOUSAND)
    assert ucj("import", "batches", file, folder=office).code == 0
    answer = ucj("import", "batches", file, "--locale", "en", "--format", "json", folder=office)
    assert answer.code == 0, answer
    report = answer.json()
    assert (report["decision"], report["errors"], report["plan"]) == ("already-recorded", 1, None)
    assert report["recorded"]["first_position"] == 1
    assert report["refused_file"] is None


def test_other_bytes_and_other_kinds_are_refused_as_ever(office: Path) -> None:
    """Negative control: one byte more, or a correction by the same bytes, is judged as it is read."""
    file = write(office, "b.csv", THOUSAND)
    assert ucj("import", "batches", file, folder=office).code == 0
    other = write(office, "o.csv", THOUSAND, "\n")
    for given in (
        ("import", "batches", other, "--locale", "en"),
        ("import", "potentials", file),
        ("correct", "400/1/2025", file, "--area", "16.06", "--reason", "x", "--locale", "en"),
    ):
        with nothing_recorded(office / "registry.db"):
            answer = ucj(*given, folder=office)
        assert answer.code == 1, answer
        assert "already recorded" not in answer.out + answer.err
        assert "recorded already" not in answer.err


def test_a_sheet_that_was_not_imported_is_judged(office: Path) -> None:
    """A workbook of which one sheet is recorded is refused for the other, as it is read."""
    book = openpyxl.Workbook()
    for name, workers in (("Januari", "1.000"), ("Februari", "2.000")):
        sheet = book.create_sheet(name)
        sheet.append(["Nomor SK", "action", "area", "category", "jumlah", "TMT"])
        sheet.append([f"SK-{name}", "enrol", "16.06", "guru", workers, "2025-01-01"])
    book.save(office / "sk.xlsx")
    one = ("import", "batches", "sk.xlsx", "--sheet", "Januari")
    assert ucj(*one, folder=office).code == 0
    assert ucj(*one, "--locale", "en", folder=office).code == 0
    both = ("import", "batches", "sk.xlsx", "--locale", "en")
    with nothing_recorded(office / "registry.db"):
        answer = ucj(*both, folder=office)
    assert answer.code == 1, answer
    assert "recorded already" not in answer.err
    assert ucj(*both[:3], folder=office).code == 0
    assert ucj(*both, folder=office).code == 0


def test_a_growing_file_records_what_is_new(office: Path) -> None:
    """Batches that are recorded already are counted and skipped; what is new stands apart."""
    ucj("import", "batches", write(office, "jan.csv", ENROL), folder=office)
    grown = write(office, "mar.csv", ENROL, LEAVE)
    dry = ucj("import", "batches", grown, "--dry-run", "--format", "json", folder=office).json()
    answer = ucj("import", "batches", grown, folder=office)
    assert answer.code == 0
    assert answer.lines[2:4] == [
        "  1 already recorded, and skipped; 1 new",
        "  pekerja-rentan: +0 -30 new; +100 -30 in the file",
    ]
    assert head(office / "registry.db") == 4
    assert (dry["workers_in"], dry["workers_out"]) == (100, 30)
    assert (dry["new_workers_in"], dry["new_workers_out"]) == (0, 30)
    again = ucj("import", "batches", grown, "--format", "json", folder=office).json()
    assert again["batches"]["new"] == again["new_workers_in"] == again["new_workers_out"] == 0


def test_corrections_and_withdrawals_in_a_file_say_what_they_change(made_once: Path) -> None:
    """What is taken back, what is put, and the difference; nothing of it was in the file's sums."""
    folder = made_once / "recorded"
    rows = (
        "400/1/2025,correct,16.06,pekerja-rentan,90,2025-01-01,2025-12-31,,,ten counted twice\n",
        "400/2/2025,withdraw,16.06,,,,,,,not signed\n",
    )
    file = write(folder, "changes.csv", *rows)
    answer = ucj("import", "batches", file, "--dry-run", folder=folder)
    assert answer.code == 0, answer
    assert answer.lines[1:-2] == [
        "  2 batches: 1 correct, 1 withdraw",
        "  pekerja-rentan: +30 -10",
        "  400/1/2025 of Musi Banyuasin (16.06): enrolment corrected",
        "    -100 pekerja-rentan from 2025-01-01 until 2025-12-31, taken back",
        "    +90 pekerja-rentan from 2025-01-01 until 2025-12-31",
        "    in all -10",
        "  400/2/2025 of Musi Banyuasin (16.06): deactivation withdrawn",
        "    +30 pekerja-rentan from 2025-03-01 until 2025-12-31 of 400/1/2025, taken back",
    ]
    report = ucj("import", "batches", file, "--dry-run", "--format", "json", folder=folder).json()
    assert (report["workers_in"], report["new_workers_in"], report["new_workers_out"]) == (
        0,
        30,
        10,
    )


@pytest.mark.parametrize("merged", [True, False])
def test_merged_cells_are_told_as_such(merged: bool, office: Path) -> None:
    """The clerk sees the SK in a cell that is blank: say why, where it is known or likely."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Nomor SK", "action", "area", "category", "jumlah", "TMT"])
    sheet.append(["SK 1", "enrol", "16.06", "guru", 10, "2025-01-01"])
    sheet.append([None, "enrol", "16.06", "petani", 20, "2025-01-01"])
    sheet.append([None, "enrol", "16.06", "nelayan", 30, "2025-01-01"])
    if merged:
        sheet.merge_cells("A2:A4")
    book.save(office / "sk.xlsx")
    answer = ucj("import", "batches", "sk.xlsx", folder=office)
    assert answer.code == 1
    assert ("A2:A4 are merged" in answer.err) is merged
    assert answer.err.count("nmerge" if merged else "Cells merged over several rows") == 2


def test_standard_input(office: Path) -> None:
    """- reads the file from stdin; no file of refused rows is made of it, unless named."""
    good = (HEADER + ENROL).encode()
    answer = ucj("import", "batches", "-", folder=office, stdin=good)
    assert (answer.code, answer.lines[0]) == (0, "stdin: 1 row read, 1 accepted, 0 refused")
    bad = (HEADER + ENROL.replace("100", "many")).encode()
    before = set(office.iterdir())
    assert ucj("import", "batches", "-", folder=office, stdin=bad).code == 1
    assert set(office.iterdir()) == before
    asked = ("import", "batches", "-", "--refused", "r.csv")
    assert ucj(*asked, folder=office, stdin=bad).code == 1
    assert "many" in (office / "r.csv").read_text(encoding="utf-8-sig")


def test_a_closed_standard_input_is_refused_in_words(
    office: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`ucj import batches - <&-`, as where a service starts it: there is no stdin at all."""
    from cli.main import run

    monkeypatch.chdir(office)
    monkeypatch.setattr(sys, "stdin", None)
    assert run(["import", "batches", "-"]) == 3
    assert capsys.readouterr().err.splitlines()[0] == "standard input (-) cannot be read"


def test_a_workbook_with_its_sheet(office: Path) -> None:
    """--sheet chooses; the row is found again by its cell."""
    book = openpyxl.Workbook()
    for name, workers in (("Januari", 100), ("Februari", 0)):
        sheet = book.create_sheet(name)
        sheet.append(["Nomor SK", "action", "area", "category", "jumlah", "TMT"])
        sheet.append([f"SK-{name}", "enrol", "16.06", "pekerja-rentan", workers, "2025-01-01"])
    book.save(office / "sk.xlsx")
    answer = ucj("import", "batches", "sk.xlsx", folder=office)
    assert answer.code == 1
    assert "Februari!E2" in answer.err
    answer = ucj("import", "batches", "sk.xlsx", "--sheet", "Januari", folder=office)
    assert answer.code == 0, answer
    assert active(office) == 100


def test_a_thousand_rows_with_their_control_totals(office: Path) -> None:
    """The totals of the cover letter are held against the file before anything is recorded."""
    rows = [f"SK-{n},enrol,16.06,guru,{n},2025-01-01,,,,\n" for n in range(1, 1001)]
    file = write(office, "b.csv", *rows)
    wrong = ("--expect-rows", "999"), ("--expect-workers", "500501")
    for name, value in wrong:
        with nothing_recorded(office / "registry.db"):
            answer = ucj("import", "batches", file, name, value, folder=office)
        assert answer.code == 1
        assert "were expected" in answer.err
    right = ("--expect-rows", "1000", "--expect-workers", "500500")
    answer = ucj("import", "batches", file, *right, folder=office)
    assert answer.code == 0, answer
    assert head(office / "registry.db") == 1001


# --- dry run and plan --------------------------------------------------------------------------


def test_a_dry_run_says_everything_and_records_nothing(office: Path) -> None:
    """The same report, the plan's digest, and how to record exactly that."""
    file = write(office, "b.csv", ENROL, LEAVE)
    with nothing_recorded(office / "registry.db"):
        dry = ucj("import", "batches", file, "--dry-run", folder=office)
    assert dry.code == 0
    plan = re.fullmatch(r"plan ([0-9a-f]{64}): nothing was recorded yet", dry.lines[3])
    assert plan is not None
    assert dry.lines[4] == f"to record exactly this: --plan {plan[1][:12]}"
    answer = ucj("import", "batches", file, "--plan", plan[1][:12].upper(), folder=office)
    assert answer.code == 0, answer
    assert answer.lines[:3] == dry.lines[:3]


def test_a_plan_is_of_what_the_store_makes_of_the_file(office: Path) -> None:
    """The same file is another plan once what it draws on has changed; nothing is recorded then."""
    assert ucj("import", "batches", write(office, "a.csv", ENROL), folder=office).code == 0
    leaving = write(office, "b.csv", LEAVE)
    plan = ucj("import", "batches", leaving, "--dry-run", folder=office).lines[-1].split()[-1]
    again = ucj("import", "batches", leaving, "--dry-run", folder=office).lines[-1].split()[-1]
    assert again == plan, "who, when and where in the log are no part of it"
    changed = write(office, "c.csv", ENROL.replace("2025-12-31", "2025-11-30"))
    shortened = ("correct", "400/1/2025", changed, "--area", "16.06", "--reason", "eleven months")
    assert ucj(*shortened, folder=office).code == 0
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "batches", leaving, "--plan", plan, folder=office)
    assert answer.code == 1
    assert "not the plan given" in answer.err


def test_another_plan_records_nothing(office: Path) -> None:
    """A file changed after its dry run is refused, with both digests."""
    dry = ucj("import", "batches", write(office, "b.csv", ENROL), "--dry-run", folder=office)
    plan = dry.lines[-1].split()[-1]
    changed = write(office, "b.csv", ENROL.replace(",100,", ",101,"))
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "batches", changed, "--plan", plan, folder=office)
    assert answer.code == 1
    assert answer.out == ""
    assert plan in answer.err
    assert len(re.findall(r"[0-9a-f]{64}", answer.err)) == 1


def test_the_rules_are_asked_in_a_dry_run_too(office: Path) -> None:
    """130 leaving a batch of 100 is refused by --dry-run as by the run itself."""
    file = write(office, "b.csv", ENROL, LEAVE.replace(",30,", ",130,"))
    for more in (("--dry-run",), ()):
        with nothing_recorded(office / "registry.db"):
            answer = ucj("import", "batches", file, *more, folder=office)
        assert answer.code == 1
        assert "would be -30" in answer.err
        assert "b.csv:3:workers" in answer.err


# --- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "where", "words"),
    [
        (ENROL.replace("16.06", "1606"), "b.csv:2:area", "1606"),
        (ENROL.replace("16.06", "Banyuasn"), "b.csv:2:area", "Banyuasin"),
        (ENROL.replace("100", "45,000").replace("45,000", '"45,000"'), "b.csv:2:workers", "45,000"),
        (ENROL.replace("2025-01-01", "2025-01"), "b.csv:2:effective_on", "first"),
        (ENROL.replace("2025-01-01", "30/02/2025"), "b.csv:2:effective_on", "30/02/2025"),
        (ENROL.replace("pekerja-rentan", "astronaut"), "b.csv:2:category", "astronaut"),
        (LEAVE, "b.csv:2:of_batch", "400/1/2025"),
        (ENROL.replace("400/1", f"{NIK}/1"), "b.csv:2:reference", "11 digits"),
        (ENROL.replace("100", "=1+1"), "b.csv:2:workers", "=1+1"),
        (ENROL.replace("400/1", "40\u200b0/1"), "b.csv:2:reference", "U+200B"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_address(
    row: str, where: str, words: str, office: Path
) -> None:
    """Exit code 1; cell, value, reason on stderr; the row in NAME.refused.csv; nothing recorded."""
    file = write(office, "b.csv", row)
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "batches", file, folder=office)
    assert answer.code == 1, answer
    assert answer.out == ""
    assert where in answer.err
    assert words in answer.err
    assert "refused: " in answer.err
    assert "the refused rows are in b.refused.csv" in answer.err
    rows = list(csv.reader((office / "b.refused.csv").read_text("utf-8-sig").splitlines()))
    assert [each[0] for each in rows] == ["row", "2"]
    assert NIK not in answer.err + str(rows)
    assert "\u200b" not in answer.err


def test_what_is_right_beside_what_is_wrong_is_not_recorded(office: Path) -> None:
    """One file is one decision."""
    rows = [f"SK-{n},enrol,16.06,guru,{n},2025-01-01,,,,\n" for n in range(1, 500)]
    with nothing_recorded(office / "registry.db"):
        answer = ucj(
            "import", "batches", write(office, "b.csv", *rows, "SK-X,enrol,16.06\n"), folder=office
        )
    assert answer.code == 1
    assert active(office) is None


def test_a_column_of_personal_numbers_is_refused_until_it_is_ignored(office: Path) -> None:
    """Refused by its header, and nothing of it is echoed or kept; --ignore-column leaves it out."""
    file = write(
        office, "b.csv", ENROL.replace("\n", f",{NIK}\n"), header=HEADER.replace("\n", ",NIK\n")
    )
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "batches", file, folder=office)
    assert answer.code == 1
    assert "--ignore-column" in answer.err
    assert NIK not in answer.err
    assert not (office / "b.refused.csv").exists()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("nosuch.csv", None, 3),
        ("folder", "", 3),
        ("empty.csv", b"", 3),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00", 3),
        ("words.csv", b"dear all,\nplease find attached\n", 3),
        ("fake.xlsx", b"PK\x03\x04rubbish", 3),
        ("escape.csv", HEADER.encode() + b"\x1b]0;x\x07,enrol\n", 3),
        ("headers.csv", HEADER.encode(), 1),
    ],
)
def test_what_is_no_table_is_refused(
    name: str, content: bytes | str | None, code: int, office: Path
) -> None:
    """Exit code 3 where nothing can be read, 1 where there is nothing in it; and why."""
    if content == "":
        (office / name).mkdir()
    elif isinstance(content, bytes):
        (office / name).write_bytes(content)
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "batches", name, folder=office)
    assert answer.code == code, answer
    assert name in answer.err
    assert "\x1b" not in answer.err
    assert "Traceback" not in answer.err


def test_another_kind_of_file_is_refused_by_its_columns(office: Path) -> None:
    """A file of targets is no file of potentials."""
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "potentials", EXAMPLE / "targets.csv", folder=office)
    assert answer.code == 1
    assert "the column valid_from is missing" in answer.err
    assert not (EXAMPLE / "targets.refused.csv").exists()


def test_the_wrong_locale_is_refused(office: Path, tmp_path: Path) -> None:
    """41.65 is no number in Indonesian; it is never guessed."""
    file = tmp_path / "figures.csv"
    file.write_bytes((EXAMPLE / "figures.csv").read_bytes())
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "figures", file, folder=office)
    assert answer.code == 1
    assert "figures.csv:2:percent" in answer.err
    assert ucj("import", "figures", file, "--locale", "en", folder=office).code == 0


def test_the_template_is_refused_until_it_is_filled_in(office: Path) -> None:
    """Its examples are never recorded by mistake."""
    for kind in ("batches", "potentials", "targets", "figures"):
        assert ucj("template", kind, "--output", f"{kind}.csv", folder=office).code == 0
        with nothing_recorded(office / "registry.db"):
            answer = ucj("import", kind, f"{kind}.csv", folder=office)
        assert answer.code == 1
        assert "example row" in answer.err


def test_why_a_file_cannot_be_read_is_said_in_the_persons_language(office: Path) -> None:
    """Also what the system says of it, in English of its own accord."""
    answer = ucj("--lang", "id", "import", "batches", "nope.csv", folder=office)
    assert answer.code == 3
    assert "berkas atau folder itu tidak ada" in answer.err
    assert "No such file" not in answer.err


def test_a_missing_store_is_said_before_the_file_is_read(tmp_path: Path) -> None:
    """Exit code 4, even where the file is missing as well."""
    answer = ucj("import", "batches", "nosuch.csv", folder=tmp_path)
    assert answer.code == 4
    assert "there is no store" in answer.err


@pytest.mark.parametrize(
    "given",
    [
        ("b.csv", "--dry-run", "--plan", "0" * 12),
        ("b.csv", "--plan", "123"),
        ("b.csv", "--plan", "nothexadecimal"),
        ("b.csv", "c.csv", "--expect-rows", "1"),
        ("b.csv", "c.csv", "--report", "r.json"),
        ("b.csv", "c.csv", "--format", "json"),
        ("b.csv", "--expect-rows", "1_000"),
        ("b.csv", "--expect-rows", "٣"),
        ("b.csv", "--report", "nosuch/r.json"),
        ("b.csv", "--report", "b.csv"),
        ("b.csv", "--refused", "b.csv"),
        ("b.csv", "--refused", "-"),
        ("-", "-"),
        ("b.csv", "--locale", "fr"),
        (),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(given: tuple[str, ...], office: Path) -> None:
    """Exit code 2, before anything is read or written."""
    file = write(office, "b.csv", ENROL)
    content, before = file.read_bytes(), sorted(office.iterdir())
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "batches", *given, folder=office)
    assert answer.code == 2, answer
    assert answer.out == ""
    assert file.read_bytes() == content
    assert sorted(office.iterdir()) == before


# --- several files -----------------------------------------------------------------------------


def test_several_files_are_several_decisions(office: Path) -> None:
    """A refused file does not stop the others; the worst code is the answer."""
    write(office, "a.csv", ENROL)
    write(office, "b.csv", ENROL.replace("100", "x").replace("/1/", "/8/"))
    write(office, "d.csv", ENROL.replace("/1/", "/9/"))
    answer = ucj("import", "batches", "a.csv", "b.csv", "nosuch.csv", "d.csv", folder=office)
    assert answer.code == 3, answer
    assert "2 of 4 files are recorded." in answer.err
    assert "nosuch.csv cannot be opened" in answer.err
    assert head(office / "registry.db") == 4
    assert active(office) == 200


def test_files_are_decided_in_order(office: Path) -> None:
    """A leave may come in the file after its batch, not before it."""
    write(office, "a.csv", ENROL)
    write(office, "b.csv", LEAVE)
    assert ucj("import", "batches", "b.csv", "a.csv", folder=office).code == 1
    assert head(office / "registry.db") == 2
    assert ucj("import", "batches", "a.csv", "b.csv", folder=office).code == 0
    assert active(office) == 70


def test_a_dry_run_of_several_files_says_that_none_sees_another(office: Path) -> None:
    """It refuses the leave from a batch that the real run would have recorded before."""
    write(office, "a.csv", ENROL)
    write(office, "b.csv", LEAVE)
    checked = ("import", "batches", "--dry-run")
    several = ucj(*checked, "a.csv", "b.csv", folder=office)
    assert several.code == 1
    assert "without the files before it" in several.err
    assert "without the files before it" not in ucj(*checked, "a.csv", folder=office).err


# --- reports -----------------------------------------------------------------------------------


def test_the_report_as_json_says_the_same(office: Path) -> None:
    """--format json prints what --report writes, whatever was decided."""
    good, bad = write(office, "a.csv", ENROL), write(office, "b.csv", "x,enrol,Atlantis\n")
    document: dict[str, Any] = {}
    for file, code, decision in ((good, 0, "recorded"), (bad, 1, "refused")):
        more = ("--format", "json", "--report", "r.json")
        answer = ucj("import", "batches", file, *more, folder=office)
        assert answer.code == code
        document = answer.json()
        assert document == json.loads((office / "r.json").read_text(encoding="utf-8"))
        assert document["decision"] == decision
    assert document["recorded"] is None
    assert document["refused_file"] == "b.refused.csv"
    assert document["problems"][0]["where"].startswith("b.csv:2")


def test_json_instants_are_utc(office: Path) -> None:
    """As in every JSON of ours: with a Z."""
    file = write(office, "a.csv", ENROL)
    answer = ucj("import", "batches", file, "--format", "json", folder=office)
    recorded = answer.json()["recorded"]
    assert recorded["recorded_at"].endswith("Z")
    assert (recorded["first_position"], recorded["last_position"]) == (1, 2)


def test_json_lines_for_several_files(office: Path) -> None:
    """One report a line."""
    write(office, "a.csv", ENROL)
    write(office, "b.csv", LEAVE)
    given = ("import", "batches", "a.csv", "b.csv", "--format", "jsonl")
    reports = [json.loads(line) for line in ucj(*given, folder=office).lines]
    assert [each["file"] for each in reports] == ["a.csv", "b.csv"]


def test_refused_rows_that_cannot_be_written_are_said(office: Path) -> None:
    """The refusal stands, and says where they could go: no name has 262 characters."""
    file = write(office, f"{'b' * 250}.csv", "x,enrol,Q\n")
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "batches", file, folder=office)
    assert answer.code == 1
    assert "name another place with --refused" in answer.err


THEIRS = {
    "a letter": b"dear all",
    "a table of batches": HEADER.encode(),
    "a table that begins alike": b"row,problem,note\n1,x,y\n",
    "what a spreadsheet has saved again": b"\xef\xbb\xbfrow;problem;reference\r\n2;x;y\r\n",
    "nothing": b"",
}


def workbook(path: Path, *rows: list[Any], sheet: str | None = None) -> Path:
    """Write a workbook with one sheet, each cell of the type that is given."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet or page.title
    for row in rows:
        page.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [int(NIK), 17_019_876_543])
def test_a_number_of_a_person_in_a_number_cell_goes_nowhere(
    number: int, kind: InputKind, office: Path
) -> None:
    """In whatever column it stands: neither into the refused rows nor into any report."""
    names = [column.name for column in COLUMNS[kind]]
    workbook(office / "b.xlsx", names, [number] * len(names))
    answers = [
        ucj("import", kind, "b.xlsx", "--dry-run", "--report", "r.json", folder=office),
        ucj("import", kind, "b.xlsx", "--format", "json", folder=office),
    ]
    if kind == "batches":
        because = ("--area", "16.06", "--reason", "typing error", "--refused", "c.csv")
        answers.append(ucj("correct", "SK 1", "b.xlsx", *because, folder=office))
        assert (office / "c.csv").is_file()
    said = [text for answer in answers for text in (answer.out, answer.err)]
    written = [path.read_text("utf-8-sig") for path in office.iterdir() if path.suffix in WRITTEN]
    assert [answer.code for answer in answers] == [1] * len(answers)
    assert "[number withheld]" in (office / "b.refused.csv").read_text("utf-8-sig")
    assert not [text for text in said + written if str(number) in text]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_refused_rows_are_written_as_the_input_and_in_the_persons_language(
    delimiter: str, office: Path
) -> None:
    """Its delimiter, and the problems in Indonesian; known again as ours by the headers."""
    rows = (HEADER + ENROL.replace(",100,", ",many,")).replace(",", delimiter)
    (office / "b.csv").write_text(rows, encoding="utf-8")
    for _ in range(2):
        answer = ucj("--lang", "id", "import", "batches", "b.csv", folder=office)
        assert "baris yang ditolak ada di b.refused.csv" in answer.err
    text = (office / "b.refused.csv").read_text("utf-8-sig")
    header, row = csv.reader(text.splitlines(), delimiter=delimiter)
    assert header[:3] == ["row", "problem", "reference"]
    assert row[1].startswith("workers: many bukan jumlah orang yang bulat")
    again = ucj("import", "batches", "b.refused.csv", folder=office)
    assert "[refused-rows]" in again.err


@pytest.mark.parametrize(
    "more", [(), ("--ignore-column", "row", "--ignore-column", "problem"), ("--dry-run",)]
)
def test_refused_rows_are_not_taken_for_a_file(more: tuple[str, ...], office: Path) -> None:
    """Not even repaired: the rows beside them would be missing. None are refused of them again."""
    file = write(office, "b.csv", ENROL, ENROL.replace(",100,", ",many,"))
    words = "the refused rows are in b.refused.csv, to look through; repair the original file and"
    assert words in ucj("import", "batches", file, folder=office).err
    refused = office / "b.refused.csv"
    refused.write_bytes(refused.read_bytes().replace(b"many", b"50"))
    with nothing_recorded(office / "registry.db"):
        answer = ucj("import", "batches", "b.csv", "b.refused.csv", *more, folder=office)
    assert answer.code == 1
    assert "error: b.refused.csv:1: these are rows that ucj has refused of another" in answer.err
    assert "Repair the original file and import that again." in answer.err
    assert not list(office.glob("*.refused.refused*"))


def test_a_value_that_is_missing_with_its_column_says_which_to_add(office: Path) -> None:
    """There is no cell to fill in."""
    header = "reference,action,area,category,workers\n"
    file = write(office, "b.csv", "SK 1,enrol,16.06,guru,5\n", header=header)
    answer = ucj("import", "batches", file, folder=office)
    words = "Add the column effective_on; it may also be called TMT, berlaku, tanggal berlaku."
    assert words in answer.err


@pytest.mark.parametrize("content", THEIRS.values(), ids=THEIRS)
def test_refused_rows_go_over_nothing_of_others(content: bytes, office: Path) -> None:
    """Beside it they have a number; the next refusal takes the same place, which is ours."""
    place = office / "b.refused.csv"
    place.write_bytes(content)
    for workers in ("many", "more"):
        file = write(office, "b.csv", ENROL.replace("100", workers))
        answer = ucj("import", "batches", file, folder=office)
        assert answer.code == 1
        assert "the refused rows are in b.refused-2.csv" in answer.err
        assert workers in (office / "b.refused-2.csv").read_text(encoding="utf-8-sig")
    assert place.read_bytes() == content
    assert sorted(path.name for path in office.glob("*.refused*")) == [
        "b.refused-2.csv",
        "b.refused.csv",
    ]


def test_refused_rows_of_a_workbook_are_known_again(office: Path) -> None:
    """They begin with the sheet; the next refusal takes their place."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["reference", "action", "area", "category", "workers", "effective_on"])
    sheet.append(["SK 1", "enrol", "16.06", "guru", "many", "2025-01-01"])
    book.save(office / "sk.xlsx")
    for _ in range(2):
        answer = ucj("import", "batches", "sk.xlsx", folder=office)
        assert "the refused rows are in sk.refused.csv" in answer.err


def test_without_the_protection_they_would(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: told that everything is ours, it goes over somebody's file."""
    monkeypatch.setattr("cli.refused_places.is_ours", lambda _: True)
    (office / "b.refused.csv").write_bytes(THEIRS["a letter"])
    file = write(office, "b.csv", ENROL.replace("100", "many"))
    assert "b.refused.csv" in ucj("import", "batches", file, folder=office).err
    assert (office / "b.refused.csv").read_bytes() != THEIRS["a letter"]


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
def test_refused_rows_go_over_no_link_and_no_folder(office: Path) -> None:
    """A link stays, and so does what it leads to, be it refused rows; a folder stays too."""
    file = write(office, "b.csv", ENROL.replace("100", "many"))
    assert ucj("import", "batches", file, "--refused", "elsewhere.csv", folder=office).code == 1
    (office / "b.refused.csv").symlink_to("elsewhere.csv")
    (office / "b.refused-2.csv").mkdir()
    answer = ucj("import", "batches", file, folder=office)
    assert "the refused rows are in b.refused-3.csv" in answer.err
    assert (office / "b.refused.csv").is_symlink()


def test_a_file_refused_for_its_columns_has_no_rows_to_write(office: Path) -> None:
    """Somebody who asked for them is told that there is no such file."""
    (office / "b.csv").write_text("wilayah,kategori\n16.06,guru\n", encoding="utf-8")
    answer = ucj("import", "batches", "b.csv", "--refused", "r.csv", folder=office)
    assert answer.code == 1
    assert "r.csv was not written" in answer.err
    assert not (office / "r.csv").exists()


def test_a_place_named_for_refused_rows_is_new_or_ours(office: Path) -> None:
    """Refused before the file is read where it is neither; nothing is touched."""
    file = write(office, "b.csv", ENROL.replace("100", "many"))
    (office / "r.csv").write_bytes(THEIRS["a letter"])
    answer = ucj("import", "batches", file, "--refused", "r.csv", folder=office)
    assert (answer.code, answer.out) == (1, "")
    assert "r.csv is there already; it was not touched" in answer.err
    assert (office / "r.csv").read_bytes() == THEIRS["a letter"]
    for _ in range(2):
        answer = ucj("import", "batches", file, "--refused", "new.csv", folder=office)
        assert "the refused rows are in new.csv" in answer.err


def test_what_an_earlier_refusal_left_is_named_and_stays(office: Path) -> None:
    """Somebody may have written in it; a file of others, or beside a refusal, is not named."""
    file = write(office, "b.csv", ENROL.replace("100", "many"))
    assert ucj("import", "batches", file, folder=office).code == 1
    left = (office / "b.refused.csv").read_bytes()
    file = write(office, "b.csv", ENROL)
    words = "b.refused.csv has rows refused earlier; b.csv is recorded, so it may go."
    assert words not in ucj("import", "batches", file, "--dry-run", folder=office).err
    for _ in range(2):
        assert words in ucj("import", "batches", file, folder=office).err
    assert (office / "b.refused.csv").read_bytes() == left
    (office / "b.refused.csv").write_bytes(THEIRS["a letter"])
    assert ucj("import", "batches", file, folder=office).err == ""


def test_words_are_whole_on_narrow_terminals_and_without_colour(office: Path) -> None:
    """No line is cut, no escape code is printed, whatever the terminal."""
    file = write(office, "b.csv", ENROL)
    plain = ucj("import", "batches", file, "--dry-run", folder=office)
    for columns, more in ((60, {}), (200, {"NO_COLOR": "1"})):
        shown = ucj(
            "import", "batches", file, "--dry-run",
            folder=office, terminal=True, columns=columns, environment=more,
        )  # fmt: skip
        assert shown.lines == plain.lines
        assert "\x1b" not in shown.out + shown.err


def test_through_a_pipe_as_a_process(office: Path) -> None:
    """The same words from a process whose streams are pipes, fed through a pipe."""
    done = ucj_process("import", "batches", "-", folder=office, stdin=(HEADER + ENROL).encode())
    assert (done.code, done.err) == (0, "")
    assert "recorded at #1–#2" in done.out


def test_a_reader_who_has_gone_does_not_stop_the_import(office: Path) -> None:
    """`ucj import batches a.csv b.csv | head -0` records both files all the same."""
    write(office, "a.csv", ENROL)
    write(office, "b.csv", LEAVE)
    command = [sys.executable, "-m", "cli.main", "import", "batches", "a.csv", "b.csv"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command, cwd=office, env=process_environment(), stdout=writing, stderr=subprocess.PIPE,
        check=False, timeout=60,
    )  # fmt: skip
    os.close(writing)
    assert done.returncode == 0, done.stderr
    assert b"2 of 2 files are recorded." in done.stderr
    assert head(office / "registry.db") == 4


def test_a_busy_store_is_waited_for_and_then_said(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process writes for longer than the time-out: exit code 4, nothing recorded."""
    from registry.application import EnrolmentRegistry

    waits = EnrolmentRegistry.__init__.__kwdefaults__
    assert waits is not None
    monkeypatch.setitem(waits, "lock_timeout_seconds", 0.2)
    write(office, "a.csv", ENROL)
    write(office, "b.csv", LEAVE)
    with closing(sqlite3.connect(office / "registry.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = ucj("import", "batches", "a.csv", "b.csv", folder=office)
        other.execute("ROLLBACK")
    assert answer.code == 4, answer
    assert "the store registry.db is busy: another is writing; nothing was recorded" in answer.err
    assert "left: a.csv, b.csv." in answer.err
    assert head(office / "registry.db") == 0
    assert ucj("import", "batches", "a.csv", "b.csv", folder=office).code == 0


# --- interruptions -----------------------------------------------------------------------------


def _interrupt(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "moment",
    [
        "registry.intake.spool._copy",
        "registry.intake.admission.admit",
        "registry.application.EnrolmentRegistry.import_file",
        "registry.recording.Recording.check",
        "registry.storage.sqlite.WriteTransaction.keep_source",
    ],
)
def test_an_interruption_before_the_commit_records_nothing(
    moment: str, office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 130, nothing recorded, and it is said so."""
    file = write(office, "b.csv", ENROL)
    with nothing_recorded(office / "registry.db"), monkeypatch.context() as patched:
        patched.setattr(moment, _interrupt)
        answer = ucj("import", "batches", file, folder=office)
    assert answer.code == 130, answer
    assert "Interrupted; nothing was recorded." in answer.err
    assert ucj("import", "batches", file, folder=office).code == 0


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGINT to send")
def test_ctrl_c_while_a_pipe_is_read(office: Path) -> None:
    """A process that waits for its input ends with 130 and leaves no copy of it behind."""
    spool = office / "spool"
    spool.mkdir()
    command = [sys.executable, "-m", "cli.main", "import", "batches", "-"]
    with (
        nothing_recorded(office / "registry.db"),
        subprocess.Popen(
            command, cwd=office, env=process_environment(TMPDIR=str(spool)),
            stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process,
    ):  # fmt: skip
        assert process.stdin is not None
        process.stdin.write((HEADER + ENROL).encode())
        process.stdin.flush()
        deadline = time.monotonic() + 30
        while not list(spool.glob("ucj-*/input")) and time.monotonic() < deadline:
            os.sched_yield()
        assert list(spool.glob("ucj-*/input")), "the fault was never reached"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Interrupted; nothing was recorded." in err
    assert list(spool.iterdir()) == []


def test_nothing_is_left_in_the_temporary_folder(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was decided, the private copy of the input goes."""
    spool = office / "spool"
    spool.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spool))
    write(office, "a.csv", ENROL)
    write(office, "b.csv", "x,enrol,Atlantis\n")
    (office / "c.csv").write_bytes(b"\x00")
    codes = [ucj("import", "batches", f"{name}.csv", folder=office).code for name in "abc"]
    assert codes == [0, 1, 3]
    assert list(spool.iterdir()) == []


def test_an_interruption_after_the_commit_does_not_deny_it(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is recorded is said to be, although the answer was cut short."""
    file = write(office, "b.csv", ENROL)
    with monkeypatch.context() as patched:
        patched.setattr("cli.import_report.say", _interrupt)
        answer = ucj("import", "batches", file, folder=office)
    assert answer.code == 130
    assert "Interrupted, but b.csv is recorded." in answer.err
    assert "nothing was recorded" not in answer.err
    assert head(office / "registry.db") == 2


def test_what_is_interrupted_before_its_commit_is_not_said_to_be_recorded(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the very bytes were imported before."""
    file = write(office, "b.csv", ENROL)
    given = ("correct", "400/1/2025", file, "--area", "16.06", "--reason", "again")
    assert ucj("import", "batches", file, folder=office).code == 0
    monkeypatch.setattr("registry.recording.Recording.decide", _interrupt)
    answer = ucj(*given, folder=office)
    assert answer.code == 130, answer
    assert answer.err.endswith("Interrupted; nothing was recorded.\n")
    assert "but" not in answer.err


def test_an_interruption_between_files_says_what_is_left(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first file stays recorded; the second is named as left."""
    write(office, "a.csv", ENROL)
    write(office, "b.csv", LEAVE)
    from registry.intake import admission

    real = admission.admit

    def second_interrupts(spooled: Any, *rest: Any, **named: Any) -> Any:
        return _interrupt() if spooled.name == "b.csv" else real(spooled, *rest, **named)

    with monkeypatch.context() as patched:
        patched.setattr(admission, "admit", second_interrupts)
        answer = ucj("import", "batches", "a.csv", "b.csv", folder=office)
    assert answer.code == 130
    assert "1 of 2 files were decided as said above; left: b.csv." in answer.err
    assert "nothing was recorded" not in answer.err
    assert head(office / "registry.db") == 2


def test_a_long_tail_leaves_an_image_behind(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the commit is acknowledged an image is published; being interrupted there is nothing."""
    monkeypatch.setattr("projections.workspace.is_worth_publishing", lambda tail, _image: tail > 1)
    answer = ucj("import", "batches", write(office, "a.csv", ENROL), folder=office)
    assert answer.code == 0
    images = [path.name for path in (office / "registry.db.ledger").glob("*-2-*.duckdb")]
    assert len(images) == 1
    monkeypatch.setattr("projections.workspace.publish_next", _interrupt)
    answer = ucj("import", "batches", write(office, "b.csv", LEAVE), folder=office)
    assert answer.code == 0, answer
    answer = ucj("import", "batches", write(office, "c.csv", ENROL, LEAVE), folder=office)
    assert answer.code == 0, answer
    assert "left for later" in answer.err
    assert active(office) == 70


# --- correct -----------------------------------------------------------------------------------


def correct(folder: Path, *more: str, rows: str = "", name: str = "c.csv") -> Answer:
    """Correct 400/1/2025 by a file of rows."""
    write(folder, name, rows or ENROL.replace(",100,", ",98,"))
    given = ("correct", "400/1/2025", name, "--area", "16.06", "--reason", "two twice", *more)
    return ucj(*given, folder=folder)


@pytest.fixture
def recorded(made_once: Path, tmp_path: Path) -> Path:
    """Return a folder with a store where 30 of 100 enrolled have left."""
    shutil.copytree(made_once / "recorded", tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_a_correction_replaces_what_the_batch_says(recorded: Path) -> None:
    """100 becomes 98: what goes, what comes, and the sum; the past stays as it was known."""
    with nothing_recorded(recorded / "registry.db"):
        dry = correct(recorded, "--dry-run")
    assert dry.code == 0, dry
    answer = correct(recorded)
    assert answer.code == 0, answer
    assert (
        answer.lines[1:5]
        == dry.lines[1:5]
        == [
            "400/1/2025 of Musi Banyuasin (16.06): enrolment corrected",
            "  -100 pekerja-rentan from 2025-01-01 until 2025-12-31, taken back",
            "  +98 pekerja-rentan from 2025-01-01 until 2025-12-31",
            "  in all -2",
        ]
    )
    assert answer.lines[5].startswith("recorded at #4–#5, ")
    assert active(recorded) == 68
    known = ucj("coverage", "16.06", "--on", "2025-06", "--known", "#3", "--format", "json",
                folder=recorded)  # fmt: skip
    assert known.json()[0]["active"] == 70


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (ENROL.replace(",100,", ",20,"), "400/2/2025 (30 on 2025-03-01)"),
        (ENROL + ENROL.replace("/1/", "/7/"), "only the rows of 400/1/2025"),
        (ENROL.replace("16.06", "16.07"), "only the rows of 400/1/2025"),
        (
            LEAVE.replace("400/1/2025", "").replace("400/2", "400/1"),
            "Withdraw it and record another",
        ),
        ("400/1/2025,withdraw,16.06,,,,,,,wrong\n", "Use `ucj withdraw`"),
        (ENROL.replace(",100,", ",0,"), "c.csv:2:workers"),
    ],
)
def test_a_correction_that_cannot_be_is_refused(rows: str, words: str, recorded: Path) -> None:
    """Exit code 1 with the reason and every dependent batch; nothing recorded."""
    with nothing_recorded(recorded / "registry.db"):
        answer = correct(recorded, rows=rows)
    assert answer.code == 1, answer
    assert words in answer.err
    assert active(recorded) == 70


@pytest.mark.parametrize(("note", "kept"), [("", "as promised"), ("as decided", "as decided")])
def test_a_file_of_a_correction_may_say_so(note: str, kept: str, office: Path) -> None:
    """The action `correct` is the batch's own; the reason is given, so a note is the batch's, too."""
    enrolled = write(office, "a.csv", ENROL.replace(",,\n", ",,as promised\n"))
    assert ucj("import", "batches", enrolled, folder=office).code == 0
    row = ENROL.replace("enrol", "correct").replace(",100,", ",98,").replace(",,\n", f",,{note}\n")
    answer = correct(office, rows=row)
    assert answer.code == 0, answer
    shown = ucj("show", "400/1/2025", "--format", "json", folder=office).json()
    assert (shown["kind"], shown["note"]) == ("enrolment", kept)
    assert shown["versions"][-1]["because"] == "two twice"
    assert active(office) == 98


def test_a_correction_to_what_stands_already_is_nothing_to_do(recorded: Path) -> None:
    """Exit code 0, nothing recorded, and the file is not kept either."""
    with nothing_recorded(recorded / "registry.db"):
        answer = correct(recorded, rows=ENROL)
    assert answer.code == 0, answer
    assert "already" in answer.out + answer.err
    assert active(recorded) == 70


def test_a_correction_of_nothing_is_refused(office: Path) -> None:
    """A batch that was never recorded is imported, not corrected."""
    with nothing_recorded(office / "registry.db"):
        answer = correct(office)
    assert answer.code == 1
    assert "no such batch" in answer.err


def test_the_spelling_of_the_reference_does_not_matter(recorded: Path) -> None:
    """NFKC, case and spaces are not the identity of a batch."""
    write(recorded, "c.csv", ENROL.replace(",100,", ",98,"))
    given = ("correct", " 400/1/2025 ", "c.csv", "--area", "musi banyuasin", "--reason", "x")
    assert ucj(*given, folder=recorded).code == 0


# --- remedies that work ------------------------------------------------------------------------


def test_the_remedy_of_an_ambiguous_renewal_is_one(office: Path) -> None:
    """Two terms of one batch: the day after the old one says which is renewed."""
    terms = ["S1,enrol,16.06,guru,10,2025-01-01,2025-06-30,,,\n"]
    terms += ["S1,enrol,16.06,guru,20,2025-01-01,2025-12-31,,,\n"]
    terms += ["S1,enrol,16.06,guru,40,2025-01-01,,,,\n"]
    assert ucj("import", "batches", write(office, "a.csv", *terms), folder=office).code == 0
    renewal = write(office, "r.csv", "R1,renew,16.06,guru,3,,2026-06-30,S1,,\n")
    refused = ucj("import", "batches", renewal, folder=office)
    assert refused.code == 1
    assert "\n  Give in effective_on the day after its old term.\n" in refused.err
    assert "open-ended" not in refused.err, "what has no end is not renewed"
    again = write(office, "s.csv", "R1,renew,16.06,guru,3,2025-07-01,2026-06-30,S1,,\n")
    answer = ucj("import", "batches", again, folder=office)
    assert answer.code == 0, answer
    assert "  renewed: 3" in answer.lines


@pytest.mark.parametrize(
    ("groups", "renewal", "remedy"),
    [
        (
            (",guru,10,2025-01-01,2025-06-30,,,", ",marbot,20,2025-01-01,2025-06-30,,,"),
            "R1,renew,16.06,,3,,2026-06-30,S1,,",
            "Say which by category.",
        ),
        (
            (",guru,10,2025-01-01,2025-06-30,,,", ",marbot,20,2025-01-01,2025-12-31,,,"),
            "R1,renew,16.06,,3,,2026-06-30,S1,,",
            "Say which by category, or give in effective_on the day after its old term.",
        ),
        (
            (",guru,10,2025-01-01,2025-06-30,,,", ",marbot,20,2025-01-01,,,,"),
            "L1,deactivate,16.06,,3,2025-02-01,,S1,deceased,",
            "Say which by category or covered_until.",
        ),
    ],
)
def test_an_ambiguous_row_is_told_what_tells_apart(
    groups: tuple[str, ...], renewal: str, remedy: str, office: Path
) -> None:
    """And nothing else: groups of one term are not told apart by their term."""
    enrolled = write(office, "a.csv", *(f"S1,enrol,16.06{each}\n" for each in groups))
    assert ucj("import", "batches", enrolled, folder=office).code == 0
    answer = ucj("import", "batches", write(office, "r.csv", renewal + "\n"), folder=office)
    assert answer.code == 1
    assert f"\n  {remedy}\n" in answer.err


def test_other_content_of_a_part_names_the_part(office: Path) -> None:
    """The command that the refusal gives is the one that corrects; without the part it says so."""
    header = f"part,{HEADER}"
    first = write(office, "a.csv", f"b,{ENROL}", header=header)
    assert ucj("import", "batches", first, folder=office).code == 0
    second = write(office, "b.csv", f"b,{ENROL}".replace(",100,", ",98,"), header=header)
    refused = ucj("import", "batches", second, folder=office)
    assert refused.code == 1
    assert "ucj correct '400/1/2025' FILE --part 'b' --area 16.06 --reason …" in refused.err
    wrong = ("correct", "400/1/2025", "--area", "16.06", "--reason", "two twice", str(second))
    answer = ucj(*wrong, folder=office)
    assert answer.code == 1
    assert "--part b" in answer.err
    answer = ucj(*wrong, "--part", "b", folder=office)
    assert answer.code == 0, answer
    assert active(office) == 98


def test_a_dependent_of_another_area_is_named_with_it(office: Path) -> None:
    """A transfer is a batch of the area that it enters."""
    enrolled = write(office, "a.csv", "S1,enrol,16.06,guru,30,2025-01-01,2025-12-31,,,\n")
    assert ucj("import", "batches", enrolled, folder=office).code == 0
    header = HEADER.replace("note", "from_area")
    moved = write(
        office, "b.csv", "S5,reclassify,16.07,guru,20,2025-04-01,,S1,,16.06\n", header=header
    )
    assert ucj("import", "batches", moved, folder=office).code == 0
    refused = ucj("withdraw", "S1", "--area", "16.06", "--reason", "x", folder=office)
    assert refused.code == 1
    assert "S5 of 16.07 (20 on 2025-04-01)" in refused.err


def test_a_sheet_that_is_no_table_of_batches_can_be_left_out(office: Path) -> None:
    """The refusal of one sheet of several names the option that reads the other alone."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "Data"
    for row in (HEADER, ENROL):
        page.append(row.strip().split(","))
    recap = book.create_sheet("Rekap")
    for cells in (["wilayah", "jumlah"], ["16.06", "100"]):
        recap.append(cells)
    book.save(office / "b.xlsx")
    refused = ucj("import", "batches", "b.xlsx", folder=office)
    assert refused.code == 1
    assert "--sheet NAME" in refused.err
    twice = ucj("import", "batches", "b.xlsx", "--sheet", "Rekap", "--sheet", "Data", folder=office)
    assert twice.code == 2
    assert "--sheet can be given once; it was given 2 times." in twice.err
    read = ucj("import", "batches", "b.xlsx", "--sheet", "Data", folder=office)
    assert read.code == 0
    assert "it has a table as well, and --sheet names another" in read.err
    assert "(Rekap) [sheet-left-out]" in read.err


RENEW = "R1,renew,16.06,,60,,2026-12-31,E1,,\n"
E1 = "E1,enrol,16.06,guru,100,2025-01-01,2025-12-31,,,\n"
L1 = "L1,deactivate,16.06,guru,50,2025-03-01,,E1,deceased,\n"


def test_who_breaks_a_renewal_is_told_of_the_renewal(office: Path) -> None:
    """Of 100, 60 are renewed: a correction to 50, or 50 who leave, concern what is renewed."""
    assert ucj("import", "batches", write(office, "a.csv", E1, RENEW), folder=office).code == 0
    fewer = write(office, "c.csv", E1.replace("100", "50"))
    corrected = ucj(
        "correct", "E1", fewer, "--area", "16.06", "--reason", "x", folder=office
    )  # fmt: skip
    assert corrected.code == 1
    assert "First correct R1 to fewer, or withdraw it.\n" in corrected.err
    left = ucj("import", "batches", write(office, "l.csv", L1), folder=office)
    assert "First correct R1 to fewer, or withdraw it. Where heads that left had" in left.err
    more = write(office, "r.csv", RENEW.replace("R1", "R2"))
    renewed = ucj("import", "batches", more, folder=office)
    assert "Renew fewer; or, where heads that left had been renewed" in renewed.err


def test_a_row_that_withdraws_is_addressed_by_its_reference(office: Path) -> None:
    """It has no workers: a blank cell is nothing to look at."""
    assert ucj("import", "batches", write(office, "a.csv", E1, L1), folder=office).code == 0
    file = write(office, "w.csv", "E1,withdraw,16.06,,,,,,,typing error\n")
    answer = ucj("import", "batches", file, folder=office)
    assert answer.code == 1
    assert "error: w.csv:2:reference: " in answer.err
    assert "w.csv:2:workers" not in answer.err


def test_a_list_of_persons_without_a_header_is_not_echoed(office: Path) -> None:
    """Where a number of a person stands in the row, its names are not shown either."""
    people = f"1,{NIK},Budi Santoso,Jl. Merdeka 5\n2,{NIK},Siti,Jl. Sudirman 1\n"
    file = write(office, "p.csv", people, header="")
    answer = ucj("import", "batches", file, folder=office)
    assert answer.code == 3
    assert "Budi" not in answer.err
    assert NIK not in answer.err
    assert "4 cells" in answer.err
