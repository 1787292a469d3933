"""What auditors ask, through the program: history, show and source."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from itertools import count
from pathlib import Path

import pytest

from tests.program import ACTOR, EXAMPLE, nothing_recorded, ucj

HEADER = (
    "reference,action,area,category,workers,effective_on,covered_until,of_batch,NIK,reason,note"
)
PERSON = "1606010101010001"


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the example, and a file of batches that were changed afterwards."""
    folder = tmp_path_factory.mktemp("auditor")
    assert ucj("init", folder=folder).code == 0
    for kind in ("potentials", "batches"):
        path = EXAMPLE / f"{kind}.csv"
        assert ucj("import", kind, path, "--locale", "en", folder=folder).code == 0
    _import(
        folder,
        "sk.csv",
        f"SK 1,enrol,16.71,marbot,100,2025-01-01,2025-12-31,,{PERSON},,=1+1",
        f"SK 1,enrol,16.71,guru,20,2025-01-01,2025-12-31,,{PERSON},,=1+1",
        f"SK 2,deactivate,16.71,marbot,30,2025-02-01,,SK 1,{PERSON},resigned,",
        f"SK 3,enrol,16.71,bpd,5,2025-01-01,,,{PERSON},,",
        f"SK 3,enrol,16.72,bpd,5,2025-01-01,,,{PERSON},,",
    )
    (folder / "corrected.csv").write_text(
        "reference,action,area,category,workers,effective_on\nSK 3,enrol,16.71,bpd,4,2025-01-01\n",
        encoding="utf-8",
    )
    answer = ucj(
        "correct",
        "SK 3",
        "corrected.csv",
        "--area",
        "16.71",
        "--reason",
        "one twice",
        folder=folder,
    )
    assert answer.code == 0, answer
    return folder


def _import(folder: Path, name: str, *rows: str) -> None:
    (folder / name).write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    answer = ucj("import", "batches", name, "--ignore-column", "NIK", folder=folder)
    assert answer.code == 0, answer


# --- history ------------------------------------------------------------------------------------


def test_history_says_who_when_and_from_which_row(folder: Path) -> None:
    """Each batch of the example with its file, row, actor and transaction."""
    rows = ucj("history", "16.06", "--format", "json", folder=folder).json()
    batches = {row["reference"]: row for row in rows if row["reference"]}
    first = batches["PAKE-KELAMBU-2025"]
    assert (first["file"], first["row"], first["workers"]) == ("batches.csv", 3, 45_000)
    assert (first["recorded_by"], first["effective_on"]) == (ACTOR, "2025-07-16")
    assert first["recorded_at"].endswith("Z")
    file = next(row for row in rows if row["event"] == "file-imported" and row["rows"] == 4)
    assert (file["control_workers"], file["import_kind"]) == (212_997, "batches")
    assert file["import_id"] == first["import_id"]
    digest = hashlib.sha256((EXAMPLE / "batches.csv").read_bytes()).hexdigest()
    assert file["sha256"] == digest
    assert [row["position"] for row in rows] == sorted(row["position"] for row in rows)


def test_history_of_a_reference_has_its_versions_and_files(folder: Path) -> None:
    """Compared normalised; both areas; the files that they came from."""
    rows = ucj("history", "--reference", "sk  3", "--format", "json", folder=folder).json()
    assert [(row["event"], row["area"]) for row in rows] == [
        ("file-imported", None),
        ("batch-enrolled", "16.71"),
        ("batch-enrolled", "16.72"),
        ("file-imported", None),
        ("batch-corrected", "16.71"),
    ]
    assert rows[-1]["because"] == "one twice"
    assert (rows[-1]["workers"], rows[-1]["file"], rows[-1]["row"]) == (-1, "corrected.csv", 2)


def test_history_reads_well_and_a_damaged_pipe_is_quiet(folder: Path) -> None:
    """People see what, who and where from; csv has every key of the promise."""
    table = ucj("history", "16.06", folder=folder)
    assert "batches.csv:3" in table.out
    assert "213,582 persons" in table.out
    (file,) = (line for line in table.lines if "rows of batches" in line)
    assert "control total 212,997)" in file, "what a file holds moves nobody: it is in no column"
    assert file.split()[-2:] == ["–", "batches.csv"]
    header = ucj("history", "--format", "csv", folder=folder).lines[0].split(",")
    assert header[:3] == ["position", "recorded_at", "recorded_by"]
    known = ucj("history", "--known", "@3", "--format", "jsonl", folder=folder)
    assert [json.loads(line)["position"] for line in known.lines] == [1, 2, 3]


def test_what_takes_back_names_its_own_row(folder: Path, tmp_path: Path) -> None:
    """From a withdrawal in a file to its cells, as from every other row."""
    copy = tmp_path / "office"
    shutil.copytree(folder, copy)
    rows = "reference,action,area,note\nSK 9,withdraw,16.71,x\nSK 3,withdraw,16.71,dobel\n"
    (copy / "w.csv").write_text(HEADER + "\nSK 9,enrol,16.71,bpd,5,2025-01-01,,,,,\n", "utf-8")
    assert ucj("import", "batches", "w.csv", "--ignore-column", "NIK", folder=copy).code == 0
    (copy / "out.csv").write_text(rows, encoding="utf-8")
    assert ucj("import", "batches", "out.csv", folder=copy).code == 0
    *_, last = ucj("source", "SK 3", "--area", "16.71", "--format", "json", folder=copy).json()[
        "versions"
    ]
    assert (last["event"], [row["row"] for row in last["rows"]]) == ("batch-withdrawn", [3])
    history = ucj("history", "--reference", "SK 3", "--format", "json", folder=copy).json()
    assert [row["row"] for row in history if row["event"] == "batch-withdrawn"] == [3]


def test_a_rule_broken_by_a_row_that_takes_back_has_its_address(
    folder: Path, tmp_path: Path
) -> None:
    """Correcting or withdrawing under a leave: the row is refused, and listed as such."""
    copy = tmp_path / "office"
    shutil.copytree(folder, copy)
    (copy / "out.csv").write_text(
        "reference,action,area,category,workers,effective_on,covered_until,note\n"
        "SK 3,withdraw,16.71,,,,,salah\n"
        "SK 1,correct,16.71,marbot,29,2025-01-01,2025-12-31,dobel\n"
        "SK 1,correct,16.71,guru,20,2025-01-01,2025-12-31,dobel\n",
        encoding="utf-8",
    )
    answer = ucj("import", "batches", "out.csv", "--format", "json", folder=copy)
    report = answer.json()
    assert answer.code == 1, answer
    (problem,) = report["problems"]
    assert (problem["code"], problem["where"]) == ("cohort-below-zero", "out.csv:3:workers")
    assert report["rows_refused"] == 1
    assert "SK 1" in (copy / "out.refused.csv").read_text(encoding="utf-8-sig")


def test_a_digest_is_shown_whole(tmp_path: Path) -> None:
    """Eleven of its digits may come one after another; a number of a person in it stays hidden."""
    row = "SK 1,enrol,16.71,marbot,1,2025-01-01,,,,,try {}\n"
    contents = (f"{HEADER}\n{row.format(n)}" for n in count())
    content = next(each for each in contents if re.search(r"\d{11}", _digest(each)))
    (tmp_path / "sk.csv").write_text(content, encoding="utf-8", newline="")
    assert ucj("init", folder=tmp_path).code == 0
    given = ("import", "batches", "sk.csv", "--ignore-column", "NIK")
    assert ucj(*given, folder=tmp_path).code == 0
    for question in (("show", "@1"), ("source", "@1"), ("sql", "SELECT sha256 FROM imports")):
        for form in ("table", "md"):
            shown = ucj(*question, "--format", form, folder=tmp_path).out
            assert _digest(content) in shown, question
            assert "withheld" not in shown


def test_an_ignored_column_may_be_called_anything(tmp_path: Path) -> None:
    """Also with the character that separates columns: the row is found again, without it."""
    content = 'reference;action;area;category;workers;effective_on;"a; b"\n'
    (tmp_path / "sk.csv").write_text(f"{content}SK 1;enrol;16.71;marbot;1;2025-01-01;x\n")
    assert ucj("init", folder=tmp_path).code == 0
    answer = ucj("import", "batches", "sk.csv", "--ignore-column", "a; b", folder=tmp_path)
    assert answer.code == 0, answer
    found = ucj("source", "SK 1", "--format", "json", folder=tmp_path).json()
    ((row,),) = (version["rows"] for version in found["versions"])
    assert (row["row"], "x" in row["cells"]) == (2, False)


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


# --- show ---------------------------------------------------------------------------------------


def test_show_has_a_batch_whole(folder: Path) -> None:
    """What it says, who is left, what draws on it, its version with file and row."""
    shown = ucj("show", "SK 1", "--format", "json", folder=folder).json()
    assert (shown["area"], shown["area_name"], shown["state"]) == (
        "16.71",
        "Kota Palembang",
        "in-force",
    )
    assert [(line["category"], line["workers"], line["row"]) for line in shown["lines"]] == [
        ("marbot", 100, 2),
        ("guru", 20, 3),
    ]
    cohorts = {each["category"]: each for each in shown["cohorts"]}
    assert (cohorts["marbot"]["brought_in"], cohorts["marbot"]["left"]) == (100, 30)
    assert [(each["reference"], each["workers"]) for each in shown["dependents"]] == [("SK 2", -30)]
    (version,) = shown["versions"]
    assert (version["file"], version["rows"]) == ("sk.csv", [2, 3])
    table = ucj("show", "SK 1", folder=folder)
    assert "Drawn on by SK 2" in table.out
    assert "from sk.csv rows 2, 3." in table.out


def test_a_long_event_says_that_it_is_cut(tmp_path: Path) -> None:
    """For people; a program gets all of it, and a short one is not said to be cut."""
    assert ucj("init", folder=tmp_path).code == 0
    rows = [f"SK 1,enrol,16.71,{slug},1,2025-01-01,,,,," for slug in ("guru", "marbot", "bpd")]
    _import(tmp_path, "short.csv", rows[0])
    _import(tmp_path, "long.csv", *(each.replace("SK 1", "SK 2" * 30) for each in rows * 4))
    short, long = (ucj("show", at, folder=tmp_path).out for at in ("@2", "@4"))
    assert ("--format json has it whole" in short, "--format json has it whole" in long) == (
        False,
        True,
    )
    answer = ucj("show", "@4", "--format", "json", folder=tmp_path)
    assert len(answer.json()["state"]["lines"]) == 12
    assert answer.err == ""


def test_show_needs_the_area_where_a_reference_is_in_several(folder: Path) -> None:
    """It lists them; with the area it is one."""
    refused = ucj("show", "SK 3", folder=folder)
    assert refused.code == 1
    assert "16.71" in refused.err
    assert "16.72" in refused.err
    shown = ucj("show", "SK 3", "--area", "16.71", "--format", "json", folder=folder).json()
    assert (shown["state"], shown["corrections"], shown["workers"]) == ("corrected", 1, 4)
    assert "corrected once" in ucj("show", "sk 3", "--area", "16.71", folder=folder).out
    assert ucj("show", "SK 99", folder=folder).code == 1


def test_show_and_history_say_what_only_moves_and_what_is_not_certain(tmp_path: Path) -> None:
    """Five hundred moved, not +0; and whose heads left the pool nobody knows."""
    assert ucj("init", folder=tmp_path).code == 0
    (tmp_path / "moves.csv").write_text(
        "reference,action,area,category,from_category,workers,effective_on,of_batch,reason,from_area\n"
        "T1,enrol,16.08,marbot,,498,2025-01-01,,,\n"
        "T2,deactivate,16.08,marbot,,30,2025-02-01,,resigned,\n"
        "R1,enrol,16.71,marbot,,800,2025-01-01,,,\n"
        "R2,reclassify,16.72,marbot,marbot,500,2025-03-01,R1,,16.71\n",
        encoding="utf-8",
    )
    assert ucj("import", "batches", "moves.csv", folder=tmp_path).code == 0
    shown = ucj("show", "R2", folder=tmp_path).out
    assert "Transfer of 500 from 2025-03-01" in shown
    assert "batch-reclassified 500 moved," in shown
    assert "+0" not in shown
    history = ucj("history", "16.71", folder=tmp_path).out
    assert "R2 (0 in, 500 out)" in history
    assert " -500 " in history
    pool = ucj("show", "T1", folder=tmp_path).out
    assert "less what left the marbot of 16.08 without naming a batch: 30." in pool
    assert "without naming a batch" not in ucj("show", "R1", folder=tmp_path).out


def test_show_an_event_as_it_is_stored(folder: Path) -> None:
    """The stored object, its digest, its address; what is not recorded is refused."""
    from registry.storage.log import open_log

    shown = ucj("show", "@6", "--format", "json", folder=folder).json()
    log = open_log(folder / "registry.db")
    row = log.row(6)
    log.close()
    assert row is not None
    assert shown["state"] == row.facts()
    assert shown["sha256"] == row.sha256()
    assert (shown["topic"], shown["file"]) == ("ucj.batch-enrolled", "batches.csv:3")
    assert ucj("show", "#6", folder=folder).code == 0
    assert ucj("show", "@6", "--known", "@4", folder=folder).code == 1
    assert ucj("show", "@999999", folder=folder).code == 1


# --- source -------------------------------------------------------------------------------------


def test_source_shows_the_original_cells(folder: Path) -> None:
    """As they stand in the kept bytes, with their addresses."""
    found = ucj("source", "PAKE-KELAMBU-2025", "--format", "json", folder=folder).json()
    (version,) = found["versions"]
    (row,) = version["rows"]
    cells = dict(zip(version["header"], row["cells"], strict=True))
    assert (row["row"], row["address"]) == (3, "batches.csv:3")
    assert (cells["workers"], cells["programmes"], cells["reason"]) == ("45000", "JKK;JKM", None)
    table = ucj("source", "PAKE-KELAMBU-2025", folder=folder)
    assert "batches.csv:3:workers" in table.out
    assert ucj("source", "@2", "--format", "json", folder=folder).json()["versions"][0]["rows"]


def test_source_of_an_import_is_its_file(folder: Path, tmp_path: Path) -> None:
    """A file-imported event is of no row, but its bytes are kept: said, described and given."""
    kept = (EXAMPLE / "potentials.csv").read_bytes()
    digest = hashlib.sha256(kept).hexdigest()
    shown = ucj("source", "@1", folder=folder)
    assert shown.code == 0, shown
    assert f"potentials.csv, {len(kept)} bytes, SHA-256 {digest}" in shown.out
    assert "typed" not in shown.out
    (version,) = ucj("source", "@1", "--format", "json", folder=folder).json()["versions"]
    assert (version["event"], version["file"]) == ("file-imported", "potentials.csv")
    assert (version["sha256"], version["bytes"]) == (digest, len(kept))
    target = tmp_path / "original.csv"
    answer = ucj("source", "@1", "--file", target, folder=folder)
    assert answer.code == 0, answer
    assert target.read_bytes() == kept


@pytest.mark.parametrize("kind", ["potentials", "targets", "figures"])
def test_source_of_a_row_that_is_no_batch(tmp_path: Path, kind: str) -> None:
    """A potential, a target and a published figure have the row that they came from."""
    assert ucj("init", folder=tmp_path).code == 0
    done = ucj("import", kind, EXAMPLE / f"{kind}.csv", "--locale", "en", folder=tmp_path)
    assert done.code == 0, done
    (version,) = ucj("source", "@2", "--format", "json", folder=tmp_path).json()["versions"]
    (row,) = version["rows"]
    assert (row["row"], version["file"]) == (2, f"{kind}.csv")
    assert "16.06" in row["cells"]


def test_source_of_a_sheet_names_it(tmp_path: Path) -> None:
    """Of a workbook an import is one sheet: its name is said with the file's."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(tmp_path / "sk.xlsx")) as book:
        sheet = book.add_worksheet("Juli")
        sheet.write_row(0, 0, ["nomor sk", "tindakan", "wilayah", "kategori", "jumlah", "TMT"])
        sheet.write_row(1, 0, ["SK 9", "enrol", "16.06", "marbot", 45, "2025-01-01"])
    assert ucj("init", folder=tmp_path).code == 0
    assert ucj("import", "batches", "sk.xlsx", folder=tmp_path).code == 0
    assert "sk.xlsx, sheet Juli, " in ucj("source", "@1", folder=tmp_path).out
    target = tmp_path / "kept.xlsx"
    assert ucj("source", "@1", "--file", target, folder=tmp_path).code == 0
    assert target.read_bytes() == (tmp_path / "sk.xlsx").read_bytes()


def test_source_keeps_personal_columns_out(folder: Path) -> None:
    """A column that was left unread at the import is left out, in every format."""
    for form in ("table", "csv", "json", "jsonl", "md"):
        answer = ucj("source", "SK 1", "--format", form, folder=folder)
        assert answer.code == 0, answer
        assert PERSON not in answer.out + answer.err
    found = ucj("source", "SK 1", "--format", "json", folder=folder).json()
    (version,) = found["versions"]
    assert version["left_out"] == ["NIK"]
    assert [row["row"] for row in version["rows"]] == [2, 3]
    assert PERSON.encode() in (folder / "sk.csv").read_bytes(), (
        "negative control: it is in the file"
    )
    csv = ucj("source", "SK 1", "--format", "csv", folder=folder)
    assert ",'=1+1" in csv.out, "nothing that a spreadsheet would run"


def test_source_has_every_version(folder: Path) -> None:
    """The file of the first entry and the file of the correction."""
    found = ucj("source", "SK 3", "--area", "16.71", "--format", "json", folder=folder).json()
    assert [(each["event"], each["file"]) for each in found["versions"]] == [
        ("batch-enrolled", "sk.csv"),
        ("batch-corrected", "corrected.csv"),
    ]


def test_source_gives_the_file_back_byte_for_byte(folder: Path, tmp_path: Path) -> None:
    """Byte-identical, never over an existing file; of several files one must be named."""
    target = tmp_path / "original"
    answer = ucj("source", "PAKE-KELAMBU-2025", "--file", target, folder=folder)
    assert answer.code == 0, answer
    assert target.read_bytes() == (EXAMPLE / "batches.csv").read_bytes()
    again = ucj("source", "SK 1", "--file", target, folder=folder)
    assert again.code == 1
    assert target.read_bytes() == (EXAMPLE / "batches.csv").read_bytes()
    several = ucj("source", "SK 3", "--area", "16.71", "--file", tmp_path / "o.csv", folder=folder)
    assert several.code == 1
    assert "@" in several.err
    assert not (tmp_path / "o.csv").exists()


def test_source_of_a_workbook(tmp_path: Path) -> None:
    """Rows of the very sheet, with the addresses of a spreadsheet."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(tmp_path / "sk.xlsx"))
    sheet = book.add_worksheet("Data SK")
    sheet.write_row(0, 0, ["DAFTAR PESERTA"])
    sheet.write_row(2, 0, ["nomor sk", "tindakan", "wilayah", "kategori", "jumlah", "TMT"])
    sheet.write_row(3, 0, ["SK 9", "enrol", "16.06", "marbot", 45, "2025-01-01"])
    book.close()
    assert ucj("init", folder=tmp_path).code == 0
    imported = ucj("import", "batches", "sk.xlsx", folder=tmp_path)
    assert imported.code == 0, imported
    found = ucj("source", "SK 9", "--format", "json", folder=tmp_path).json()
    (version,) = found["versions"]
    assert (version["sheet"], version["header_row"]) == ("Data SK", 3)
    assert version["rows"][0]["address"] == "'Data SK'!4"
    cells = dict(zip(version["header"], version["rows"][0]["cells"], strict=True))
    assert cells["jumlah"] == "45", "a whole number, as the spreadsheet shows it"
    assert "'Data SK'!E4" in ucj("source", "SK 9", folder=tmp_path).out


def test_source_of_what_was_typed_has_no_file(folder: Path, tmp_path: Path) -> None:
    """A withdrawal that was typed is listed without cells; its file is the one of the entry."""
    import shutil

    shutil.copy(folder / "registry.db", tmp_path)
    done = ucj("withdraw", "SK 2", "--area", "16.71", "--reason", "revoked", folder=tmp_path)
    assert done.code == 0, done
    found = ucj("source", "SK 2", "--format", "json", folder=tmp_path).json()
    assert [(each["file"], len(each["rows"])) for each in found["versions"]] == [
        ("sk.csv", 1),
        (None, 0),
    ]
    last = found["versions"][-1]["position"]
    typed = ucj("source", f"@{last}", "--file", tmp_path / "o.csv", folder=tmp_path)
    assert typed.code == 1
    shown = ucj("show", "SK 2", folder=tmp_path)
    assert "withdrawn: nothing of it is in force" in shown.out


def test_bytes_that_are_not_as_imported_are_said_to_be_damaged(
    folder: Path, tmp_path: Path
) -> None:
    """The digest is checked whenever the original is read; exit 4."""
    import shutil
    import sqlite3
    import zlib

    shutil.copy(folder / "registry.db", tmp_path)
    connection = sqlite3.connect(tmp_path / "registry.db")
    connection.execute("DROP TRIGGER chunks_never_change")
    content = (EXAMPLE / "batches.csv").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    forged = zlib.compress(content.replace(b"45000", b"46000"))
    connection.execute("UPDATE source_chunks SET bytes = ? WHERE sha256 = ?", (forged, digest))
    connection.commit()
    connection.close()
    target = tmp_path / "o.csv"
    for options in ([], ["--file", str(target)]):
        answer = ucj("source", "PAKE-KELAMBU-2025", *options, folder=tmp_path)
        assert answer.code == 4, answer
        assert "46000" not in answer.out
    assert not target.exists()


def test_questions_record_nothing(folder: Path) -> None:
    """Asking is not recording."""
    with nothing_recorded(folder / "registry.db"):
        for command in (["history"], ["show", "SK 1"], ["source", "SK 1"], ["show", "@1"]):
            assert ucj(*command, folder=folder).code == 0
