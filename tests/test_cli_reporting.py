"""`ucj report`: what the single commands say, at one position, in one file that is whole or not there."""

from __future__ import annotations

import datetime as dt
import errno
import re
import shlex
import stat
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

import cli.reporting
from cli.terminal import Progress
from registry import __version__
from tests.program import EXAMPLE, Answer, head, nothing_recorded, ucj, ucj_process

ENDINGS = ("xlsx", "md", "html")
BETWEEN = ("--from", "2024-12", "--to", "2025-07")
OFFICE = {
    "potentials": "area,valid_from,workers,definition,source\n"
    "16.71,2024-01-01,1000,labour force,BPS\n16.71,2025-01-01,1250,employed,BPS\n"
    "16.72,2024-01-01,100,labour force,BPS\n",
    "batches": "reference,action,area,category,from_category,workers,effective_on,covered_until,"
    "of_batch,reason,document\n"
    "SK 1,enrol,16.71,marbot,,100,2024-01-01,2025-09-30,,,Keputusan 1\n"
    "SK 2,enrol,16.71,guru,,50,2024-01-01,,,,\n"
    "SK 3,deactivate,16.71,marbot,,30,2025-06-01,,SK 1,resigned,\n"
    "SK 4,reclassify,16.71,marbot,guru,5,2025-02-01,,SK 2,,\n"
    "SK 5,enrol,16.72,marbot,,7,2025-03-01,,,,\n",
    "targets": "area,due_on,percent,basis,source\n16.71,2025-12-31,60,RPJMD,Bappeda\n"
    "16.71,2025-12-31,52.15,Perbup,Bappeda\n16,2026-12-31,75,RPJMD,Bappeda\n",
    "figures": "area,as_of,active,potential,percent,publisher,published_on,source\n"
    "16.71,2025-07,121,1250,9.68,BPJS,2025-08-05,Harian\n",
}


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the published example, and two regencies with terms, in registry.db."""
    folder = tmp_path_factory.mktemp("reporting")
    assert ucj("init", folder=folder).code == 0
    for kind, text in OFFICE.items():
        (folder / f"{kind}.csv").write_text(text, encoding="utf-8")
        for file in (EXAMPLE / f"{kind}.csv", f"{kind}.csv"):
            answer = ucj("import", kind, file, "--locale", "en", folder=folder)
            assert answer.code == 0, answer
    (folder / "more.csv").write_text(
        "reference,action,area,category,workers,effective_on\nSK 8,enrol,16.71,bpd,9,2025-04-01\n",
        encoding="utf-8",
    )
    assert ucj("import", "batches", "more.csv", folder=folder).code == 0
    return folder


def reported(folder: Path, place: Path, area: str, *options: str, **told: Any) -> Answer:
    """Ask for a report that must be written."""
    answer = ucj("report", area, *options, "--output", place, folder=folder, **told)
    assert answer.code == 0, answer
    assert not answer.out
    return answer


def asked(folder: Path, *command: str) -> Any:
    """Return what a command says in JSON."""
    answer = ucj(*command, "--format", "json", folder=folder)
    assert answer.code == 0, answer
    return answer.json()


def sections_of(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the command of each section of a Markdown report, and the lines it stands for."""
    for section in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        lines = section.split("\n## ")[0].splitlines()
        (at,) = [at for at, line in enumerate(lines) if line.startswith("    ucj ")]
        yield lines[at].strip(), [unaligned(line) for line in lines[at + 1 :] if line]


def unaligned(line: str) -> str:
    """Return a line of Markdown as it is where columns are not put under each other."""
    if not line.startswith("|"):
        return line
    return re.sub("-+", "-", re.sub(" +", " ", line))


def rows_of(sheet: Worksheet) -> list[dict[str, Any]]:
    """Return the rows between the frozen header and what is said below, by the header's words."""
    top = int(re.sub("[A-Z]", "", str(sheet.freeze_panes))) - 1
    last = int(str(sheet.auto_filter.ref).rpartition(":")[2].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    titles = [str(cell.value) for cell in sheet[top] if cell.value is not None]
    return [
        dict(zip(titles, [cell.value for cell in row], strict=False))
        for row in sheet.iter_rows(min_row=top + 1, max_row=last)
    ]


def total_of(sheet: Worksheet) -> list[Any]:
    """Return what stands in the row after the filtered ones, which is bold."""
    last = int(re.sub(r".*\D", "", str(sheet.auto_filter.ref)))
    cells = [cell for cell in sheet[last + 1] if cell.value is not None]
    assert all(cell.font.bold for cell in cells)
    return [cell.value for cell in cells]


# --- what it says ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("area", "options"),
    [
        ("16.71", BETWEEN),
        ("16.71", (*BETWEEN, "--known-from", "@20")),
        ("16.71", ("--from", "2025-07", "--to", "2024-12")),
        ("16", BETWEEN),
        ("11.01", BETWEEN),
    ],
)
def test_each_section_is_what_its_command_prints(
    folder: Path, tmp_path: Path, area: str, options: tuple[str, ...]
) -> None:
    """The command beside a section, typed again, answers with the section, word for word."""
    reported(folder, tmp_path / "r.md", area, *options)
    told = list(sections_of((tmp_path / "r.md").read_text(encoding="utf-8")))

    assert len(told) == (12 if "." in area else 14)
    for command, lines in told:
        words = shlex.split(command)[1:]
        if "--format" in words:  # what one command has among other things: tested beside it
            assert ucj(*words, folder=folder).code == 0
            continue
        answer = ucj(*words, "--format", "md", folder=folder)
        assert [unaligned(line) for line in answer.lines if line] == lines, command


def test_a_workbook_has_the_numbers_of_the_single_commands(folder: Path, tmp_path: Path) -> None:
    """An independent reader finds what coverage and trace say in JSON."""
    reported(folder, tmp_path / "r.xlsx", "16.71", *BETWEEN)
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")

    for end, on in (("from", "2024-12"), ("to", "2025-07")):
        (row,) = asked(folder, "coverage", "16.71", "--on", on)
        (found,) = rows_of(book[f"Coverage {end}"])
        assert found["Active"] == row["active"] > 0
        assert found["Potential"] == row["potential"]
        assert found["Coverage"] == row["coverage_percent"]
        by_category = asked(folder, "coverage", "16.71", "--on", on, "--by", "category")
        assert [
            (each["Category"], each["Active"], each["Points"])
            for each in rows_of(book[f"Coverage {end} by category"])
        ] == [(each["category"], each["active"], each["points"]) for each in by_category]

    trace = asked(folder, "trace", "16.71", *BETWEEN, "--by", "batch")
    statement = rows_of(book["Statement"])
    heads = {row["Kota Palembang (16.71)"].split()[0]: row for row in statement}
    for line in trace["statement"]:
        assert heads[line["line"].capitalize()]["Workers"] == line["workers"]
    assert heads["Change"]["Points"] == trace["change"]["percentage_points"]
    assert heads["Numerator"]["Points"] == trace["change"]["numerator_effect"]
    assert heads["Denominator"]["Points"] == trace["change"]["denominator_effect"] < 0
    groups = [
        (each["position"], each["reference"], each["document"], each["file"], each["row"])
        for each in trace["groups"]
    ]
    batches = rows_of(book["Trace by batch"])
    assert [
        (each["#"], each["Reference"], each["Document"] or None, each["File"], each["Row"])
        for each in batches
    ] == groups
    assert [each["Workers"] for each in batches] == [each["workers"] for each in trace["groups"]]
    assert total_of(book["Trace by batch"]) == ["Change", trace["change"]["active"]]
    by_category = asked(folder, "trace", "16.71", *BETWEEN, "--by", "category")["groups"]
    assert [(each["Category"], each["Workers"]) for each in rows_of(book["Trace by category"])] == [
        (each["category"], each["workers"]) for each in by_category
    ]
    targets = asked(folder, "targets", "16.71", "--on", "2025-07")
    assert [(each["Target"], each["Needed"]) for each in rows_of(book["Targets"])] == [
        (each["target_percent"], each["needed"]) for each in targets
    ]
    months = asked(folder, "forecast", "16.71", "--on", "2025-07", "--until", "2026-07")["months"]
    lapses = rows_of(book["Lapses"])
    assert [(f"{each['On']:%Y-%m-%d}", each["Active"], each["Coverage"]) for each in lapses] == [
        (each["on"], each["active"], each["coverage_percent"]) for each in months
    ]
    assert len(months) == 12
    (cohort,) = rows_of(book["Terms that end"])
    assert (cohort["Batch"], cohort["Lapsing"]) == ("SK 1", 70)


def test_a_province_has_its_regencies(folder: Path, tmp_path: Path) -> None:
    """Both ends have a sheet with a row for each regency; a regency has none."""
    reported(folder, tmp_path / "r.xlsx", "16", *BETWEEN)
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    asked_too = asked(folder, "coverage", "16", "--on", "2025-07", "--by", "area")
    assert [(each["Code"], each["Active"]) for each in rows_of(book["Coverage to by regency"])] == [
        (each["area"], each["active"]) for each in asked_too
    ]
    assert len(asked_too) == 3
    assert "Coverage from by regency" in book.sheetnames


def test_numbers_are_numbers_and_days_are_days(folder: Path, tmp_path: Path) -> None:
    """Whole numbers, percentages, points and days have number formats; headers stay in sight."""
    reported(folder, tmp_path / "r.xlsx", "16.71", *BETWEEN)
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    formats = {
        "Active": "#,##0", "Workers": "#,##0", "Potential": "#,##0", "Coverage": '0.00" %"',
        "Points": "0.00", "Effective on": "yyyy-mm-dd", "Due on": "yyyy-mm-dd", "On": "yyyy-mm-dd",
        "Recorded at": 'yyyy-mm-dd hh:mm:ss"Z"',
    }  # fmt: skip
    seen = set()
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes == "A6"
        assert sheet.print_title_rows == "$1:$5"
        assert str(sheet.auto_filter.ref).startswith("A5:")
        for column in sheet.iter_cols(min_row=5):
            title, *cells = str(column[0].value), *column[1:]
            for cell in cells:
                if title in formats and isinstance(cell.value, int | float):
                    assert cell.number_format == formats[title], (sheet.title, cell)
                    seen.add(title)
                if isinstance(cell.value, dt.datetime):
                    assert cell.number_format == formats.get(title, "yyyy-mm-dd")
                    seen.add(title)
    assert seen >= formats.keys() - {"Potential"}
    widths = [each.width for each in book["Trace by batch"].column_dimensions.values()]
    assert min(widths) > 3


def test_a_workbook_has_published_figures_as_numbers(folder: Path, tmp_path: Path) -> None:
    """What was printed, what the ledger says, and the difference: numbers to be reckoned with."""
    reported(folder, tmp_path / "r.xlsx", "16.06", *BETWEEN)
    rows = rows_of(openpyxl.load_workbook(tmp_path / "r.xlsx")["Published figures"])
    figures = asked(folder, "reconcile", "16.06")
    assert len(rows) == len(figures) > 5
    for row, each in zip(rows, figures, strict=True):
        printed, now = each["published"], each["as_known_now"]
        assert (row["#"], row["As of"], row["Code"]) == (each["position"], each["as_of"], "16.06")
        assert row["Active published"] == printed["active"]
        assert row["Potential published"] == printed["potential"]
        percent = printed["percent"]
        assert row["Coverage published"] == (None if percent is None else float(percent))
        assert (row["Active"], row["Potential"]) == (now["active"], now["potential"])
        assert row["Coverage"] == now["coverage_percent"]
        assert row["Difference"] == each["difference"]
    assert {row["Verdict"] for row in rows} >= {"agrees", "differs"}


def test_batches_are_named_in_the_language_of_the_report(folder: Path, tmp_path: Path) -> None:
    """In a workbook too, where each word stands in a column of its own."""
    reported(folder, tmp_path / "r.xlsx", "16.06", *BETWEEN)
    reported(folder, tmp_path / "id.xlsx", "16.06", *BETWEEN, environment={"UCJ_LANG": "id"})
    said = [
        {row[kind] for row in rows_of(openpyxl.load_workbook(tmp_path / file)[sheet])}
        for file, sheet, kind in (
            ("r.xlsx", "Trace by batch", "Kind"),
            ("id.xlsx", "Telusur per batch", "Jenis"),
        )
    ]
    assert said == [{"enrolment", "reconciling"}, {"pendaftaran", "rekonsiliasi"}]


def test_the_cover_says_what_it_is_of(folder: Path, tmp_path: Path) -> None:
    """Area, days, positions, store, by whom and when, the program, the command; then the sheets."""
    answer = reported(folder, tmp_path / "r.xlsx", "16.71", *BETWEEN, "--by", "Budi")
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    cover = {a.value: b.value for a, b in book["Cover"].iter_rows(max_col=2) if b.value is not None}
    status = asked(folder, "status")
    at = head(folder / "registry.db")

    assert cover["Area"] == "Kota Palembang (16.71)"
    assert (cover["From"], cover["To"]) == (
        dt.datetime(2024, 12, 31),
        dt.datetime(2025, 7, 31),
    )
    assert cover["From, as known at"] == cover["To, as known at"] == f"#{at}"
    assert cover["Store"] == status["store_id"]
    assert isinstance(cover["Made at"], dt.datetime)
    assert cover["Made by"] == "Budi"
    assert cover["Program"] == f"ucj {__version__}"
    assert cover["Made by the command"] == (
        f"ucj report 16.71 --from 2024-12-31 --to 2025-07-31 --known-from @{at} --known-to @{at}"
        " --output r.xlsx"
    )
    assert answer.err == f"12 sections, as known at #{at}, are in r.xlsx.\n"
    listed = [cell.value for (cell,) in book["Cover"].iter_rows(min_row=15, max_col=1)]
    assert listed[-12:] == book.sheetnames[1:]


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_area_with_nothing_recorded(folder: Path, tmp_path: Path, ending: str) -> None:
    """All sections are there and say that there is nothing."""
    reported(folder, tmp_path / f"r.{ending}", "11.01", *BETWEEN)
    if ending == "xlsx":
        book = openpyxl.load_workbook(tmp_path / "r.xlsx")
        said = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row]
        assert len(book.sheetnames) == 13
    else:
        said = [(tmp_path / f"r.{ending}").read_text(encoding="utf-8")]
    for sentence in ("No batch is recorded there up to that day.", "No target is recorded there."):
        assert any(sentence in each for each in said)


def test_an_empty_store(tmp_path: Path) -> None:
    """Before anything is recorded there is a report too."""
    assert ucj("init", folder=tmp_path).code == 0
    reported(tmp_path, tmp_path / "r.md", "ID", *BETWEEN)
    assert "as known at \\#0" in (tmp_path / "r.md").read_text(encoding="utf-8")


def test_the_last_day_of_all(folder: Path, tmp_path: Path) -> None:
    """Nothing can lapse after the last day that the registry knows: that chapter is left out."""
    reported(folder, tmp_path / "r.md", "16.71", "--from", "2025-07", "--to", "2199-12-31")
    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert "## Targets" in text
    assert "## What will lapse" not in text


# --- one moment -----------------------------------------------------------------------------------


def test_an_import_meanwhile_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process records after the report began is in no section of it."""
    assert ucj("init", folder=tmp_path).code == 0
    for kind, text in OFFICE.items():
        (tmp_path / f"{kind}.csv").write_text(text, encoding="utf-8")
        assert ucj("import", kind, f"{kind}.csv", "--locale", "en", folder=tmp_path).code == 0
    reported(tmp_path, tmp_path / "before.md", "16.71", *BETWEEN)
    at = head(tmp_path / "registry.db")
    (tmp_path / "later.csv").write_text(
        "reference,action,area,category,workers,effective_on\nSK 9,enrol,16.71,bpd,400,2024-06-01\n",
        encoding="utf-8",
    )
    recorded = []
    counted = cli.reporting._answered

    def recording(*of: Any) -> Iterator[Any]:
        for number, each in enumerate(counted(*of)):
            if number == 1:
                recorded.append(ucj_process("import", "batches", "later.csv", folder=tmp_path).code)
            yield each

    monkeypatch.setattr(cli.reporting, "_answered", recording)
    reported(tmp_path, tmp_path / "meanwhile.md", "16.71", *BETWEEN)
    assert recorded == [0]
    assert head(tmp_path / "registry.db") > at

    monkeypatch.undo()
    reported(tmp_path, tmp_path / "after.md", "16.71", *BETWEEN)
    before, meanwhile, after = (
        list(sections_of((tmp_path / f"{name}.md").read_text(encoding="utf-8")))
        for name in ("before", "meanwhile", "after")
    )
    assert meanwhile == before
    assert "SK 9" not in str(meanwhile)
    assert after != before, "negative control: the import would have changed the report"


def test_each_end_is_as_known_when_asked(folder: Path, tmp_path: Path) -> None:
    """The first end by --known-from; the second, and what is said of it, by --known-to."""
    at = head(folder / "registry.db")
    known = ("--known-from", f"@{at}", "--known-to", "#20")
    reported(folder, tmp_path / "r.md", "16.71", *BETWEEN, *known)
    commands = [each for each, _ in sections_of((tmp_path / "r.md").read_text(encoding="utf-8"))]
    second = [each for each in commands if "--on 2025-07-31" in each]
    assert len(second) == 6
    assert {re.findall(r"--known @(\d+)", each)[0] for each in second} == {
        re.findall(r"--known-to @(\d+)", commands[4])[0]
    }
    assert all(f"--known @{at}" in each for each in commands[:2])


# --- rows that are too many -----------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_long_section_is_cut_and_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """So many rows at most, how many there are, which command has all; the total is of all."""
    monkeypatch.setattr(cli.reporting, "ROWS_MAX", dict.fromkeys(cli.reporting.ROWS_MAX, 2))
    reported(folder, tmp_path / f"r.{ending}", "16.71", *BETWEEN)
    trace = asked(folder, "trace", "16.71", *BETWEEN, "--by", "batch")
    number = len(trace["groups"])
    assert number > 2
    said = f"These are the first 2 of {number} rows;"
    if ending == "xlsx":
        sheet = openpyxl.load_workbook(tmp_path / "r.xlsx")["Trace by batch"]
        assert len(rows_of(sheet)) == 2
        assert total_of(sheet) == ["Change", trace["change"]["active"]]
        assert any(said in str(cell.value) for row in sheet.iter_rows() for cell in row)
    else:
        text = (tmp_path / f"r.{ending}").read_text(encoding="utf-8")
        assert said in text
        assert "SK 3" not in text.split("Published figures")[-2 if ending == "html" else 0]


# --- the place ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--output", "r.csv"], 2, "give an ending out of .xlsx .md .html"),
        (["--output", "r"], 2, "give an ending out of"),
        (["--output", "-"], 2, "give an ending out of"),
        ([], 2, "Missing option '--output'"),
        (["--output", "nowhere/r.md"], 2, "The folder nowhere of --output r.md does not"),
        (["--output", "r.md", "--known-to", "@999999"], 1, "not recorded yet"),
        (["--output", "r.md", "--to", "31 Febuari 2025"], 1, ""),
    ],
)
def test_what_cannot_be_is_refused(folder: Path, options: list[str], code: int, said: str) -> None:
    """Exit 2 for a place that cannot be meant, 1 for a refusal; nothing is written."""
    before = set(folder.iterdir())
    with nothing_recorded(folder / "registry.db"):
        answer = ucj("report", "16.06", *BETWEEN, *options, folder=folder)
    assert (answer.code, answer.out) == (code, ""), answer
    assert said in answer.err
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize("ending", [*ENDINGS, "MD"])
def test_a_new_file_is_for_its_owner_only(folder: Path, tmp_path: Path, ending: str) -> None:
    """0600; one that was there keeps what it had."""
    place = tmp_path / f"r.{ending}"
    reported(folder, place, "16.06", *BETWEEN)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    place.chmod(0o640)
    reported(folder, place, "16.06", *BETWEEN)
    assert stat.S_IMODE(place.stat().st_mode) == 0o640


def _full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _stopped() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("fail", "code"), [(_full, 1), (_stopped, 130)])
def test_a_write_that_fails_leaves_nothing(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
    fail: Callable[[], None],
    code: int,
) -> None:
    """A full disk, or Ctrl-C, in the midst of it: what was there is as it was, nothing beside it."""
    counted = cli.reporting._answered

    def failing(*of: Any) -> Iterator[Any]:
        for first, _ in pairwise(counted(*of)):
            yield first
            fail()

    monkeypatch.setattr(cli.reporting, "_answered", failing)
    place = tmp_path / f"r.{ending}"
    for there in (False, True):
        if there:
            place.write_text("somebody's", encoding="utf-8")
        answer = ucj("report", "16.06", *BETWEEN, "--output", place, folder=folder)
        assert answer.code == code, answer
        assert list(tmp_path.iterdir()) == ([place] if there else [])
    assert place.read_text(encoding="utf-8") == "somebody's"


def test_a_report_that_takes_long_says_how_far_it_is(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bar on a terminal, section by section, gone at the end."""
    monkeypatch.setattr(Progress, "APPEARS_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(Progress, "REDRAWN_AFTER_SECONDS", 0.0)
    answer = reported(folder, tmp_path / "r.md", "16.06", *BETWEEN, terminal=True, columns=80)
    assert "making the report  [" in answer.err
    assert "100%  12" in answer.err
    assert answer.err.rpartition("\r")[2].startswith("12 sections")
