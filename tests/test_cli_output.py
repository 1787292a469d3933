"""The choice of format and place: what is chosen, what is refused, what is left on disk."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import click
import duckdb
import openpyxl
import pytest
from click.testing import CliRunner

import cli.output
from cli.output import (
    FORMATS,
    Column,
    Listing,
    OutputUnwritableError,
    choose,
    listing_options,
    percent,
    write_document,
    write_listing,
)
from cli.records import write_csv

ROOT = Path(__file__).parent.parent
COLUMNS = (
    Column("area", "Area", "text"),
    Column("active", "Active", "count"),
    Column("coverage_percent", "Coverage", "percent"),
    Column("known_position", "Known", "count", show=False),
)
ROW = {
    "area": "Musi Banyuasin",
    "active": 88_958,
    "coverage_percent": Fraction(88_958 * 100, 213_582),
    "known_position": 12,
}
TO_A_FILE: dict[str, str] = {name: "txt" if name == "table" else name for name in FORMATS}


def listing() -> Listing:
    """Return one row and a note."""
    return Listing("coverage", COLUMNS, iter([ROW]), notes=["Known at #12."])


def failing(rows: int, error: BaseException) -> Iterator[dict[str, object]]:
    """Yield some rows, then fail."""
    for _ in range(rows):
        yield ROW
    raise error


# --- the choice -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "name", "chosen"),
    [
        (None, None, "table"),
        ("md", None, "md"),
        (None, "-", "table"),
        ("csv", "-", "csv"),
        (None, "x.csv", "csv"),
        (None, "X.XLSX", "xlsx"),
        (None, "x.json", "json"),
        (None, "x.jsonl", "jsonl"),
        (None, "x.ndjson", "jsonl"),
        (None, "x.parquet", "parquet"),
        (None, "x.md", "md"),
        (None, "x.txt", "table"),
        ("csv", "x.csv", "csv"),
        ("json", "x.answer", "json"),
        ("csv", "no ending", "csv"),
    ],
)
def test_the_format_is_asked_for_or_follows_the_ending(
    tmp_path: Path, asked: str | None, name: str | None, chosen: str
) -> None:
    """--format first, then the ending of --output, then a table."""
    output = None if name is None else Path("-") if name == "-" else tmp_path / name

    assert choose(asked, output) == chosen


@pytest.mark.parametrize(
    ("asked", "name", "words"),
    [
        ("csv", "x.json", "contradicts"),
        ("json", "x.jsonl", "contradicts"),
        ("table", "x.csv", "contradicts"),
        (None, "x.dat", "does not say which format"),
        (None, "x", "does not say which format"),
        ("yaml", None, "is none of"),
        (None, "missing/x.csv", "does not exist"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    tmp_path: Path, asked: str | None, name: str | None, words: str
) -> None:
    """Two answers to one question, or none, end with exit code 2."""
    with pytest.raises(click.UsageError, match=words) as refused:
        choose(asked, None if name is None else tmp_path / name)

    assert refused.value.exit_code == 2


@pytest.mark.parametrize("binary", ["parquet", "xlsx"])
def test_no_binary_on_a_screen(monkeypatch: pytest.MonkeyPatch, binary: str) -> None:
    """Refused on a terminal, with the remedy; allowed into a pipe."""
    assert choose(binary, None) == binary

    monkeypatch.setattr(cli.output, "is_terminal", lambda _: True)
    with pytest.raises(click.UsageError, match=rf"--output FILE\.{binary}"):
        choose(binary, None)


# --- the options ----------------------------------------------------------------------------------


@click.command()
@click.argument("area")
@listing_options
def asking(area: str, format: str | None, output: Path | None) -> None:
    """Ask something."""
    click.echo("started", err=True)
    rows = [{**ROW, "area": area}]
    write_listing(Listing("coverage", COLUMNS, rows), format=format, output=output)


def test_the_options_explain_themselves() -> None:
    """Both stand in --help with every format and ending."""
    told = CliRunner().invoke(asking, ["--help"]).stdout

    for word in ("--format", "--output FILE", *FORMATS, ".csv", ".txt", ".ndjson"):
        assert word in told


def test_a_command_prints_as_it_is_asked(tmp_path: Path) -> None:
    """The decorator hands both options to the command."""
    told = CliRunner().invoke(asking, ["Muba", "--format", "csv"])
    assert (told.exit_code, told.stderr) == (0, "started\n")
    assert told.stdout == "area,active,coverage_percent,known_position\nMuba,88958,41.65,12\n"

    told = CliRunner().invoke(asking, ["Muba", "--output", str(tmp_path / "x.json")])
    assert (told.exit_code, told.stdout) == (0, "")
    assert json.loads((tmp_path / "x.json").read_text("utf-8"))[0]["area"] == "Muba"

    told = CliRunner().invoke(asking, ["Muba", "--output", "-", "--format", "jsonl"])
    assert json.loads(told.stdout)["area"] == "Muba"


@pytest.mark.parametrize(
    "options", [["--format", "csv", "--output", "x.json"], ["--output", "x"], ["--format", "xml"]]
)
def test_a_wrong_choice_is_refused_before_the_work(options: list[str]) -> None:
    """Exit 2, and the command has not begun."""
    told = CliRunner().invoke(asking, ["Muba", *options])

    assert told.exit_code == 2
    assert "started" not in told.stderr


# --- what is written ------------------------------------------------------------------------------


def csv_row(path: Path) -> list[object]:
    """Return the cells under the header."""
    return [*list(csv.reader(io.StringIO(path.read_text("utf-8"))))[1]]


def json_row(path: Path) -> list[object]:
    """Return the values of the only object, in a list or on its line."""
    found = json.loads(path.read_text("utf-8"))
    return [*(found[0] if isinstance(found, list) else found).values()]


def xlsx_row(path: Path) -> list[object]:
    """Return the cells under the header."""
    return [cell.value for cell in list(openpyxl.load_workbook(path).worksheets[0])[1]]


def parquet_row(path: Path) -> list[object]:
    """Return the only row, decimals as text."""
    with duckdb.connect(":memory:") as engine:
        (found,) = engine.execute("SELECT * FROM read_parquet($1)", [str(path)]).fetchall()
    return [str(value) if isinstance(value, Decimal) else value for value in found]


def table_row(path: Path) -> list[object]:
    """Return the cells under the rule, of a table or of Markdown."""
    return [*re.split(r"\s{2,}|\s*\|\s*", path.read_text("utf-8").splitlines()[2].strip("| "))]


@pytest.mark.parametrize(
    ("name", "read", "row"),
    [
        ("x.csv", csv_row, ["Musi Banyuasin", "88958", "41.65", "12"]),
        ("x.json", json_row, ["Musi Banyuasin", 88_958, 41.65, 12]),
        ("x.jsonl", json_row, ["Musi Banyuasin", 88_958, 41.65, 12]),
        ("x.xlsx", xlsx_row, ["Musi Banyuasin", 88_958, 41.65, 12]),
        ("x.parquet", parquet_row, ["Musi Banyuasin", 88_958, "41.65", 12]),
        ("x.md", table_row, ["Musi Banyuasin", "88,958", "41.65 %"]),
        ("x.txt", table_row, ["Musi Banyuasin", "88,958", "41.65 %"]),
    ],
)
def test_every_format_says_the_same(
    tmp_path: Path, name: str, read: Callable[[Path], list[object]], row: list[object]
) -> None:
    """All columns for programs, the shown ones for people, the same figures everywhere."""
    write_listing(listing(), format=None, output=tmp_path / name)

    assert read(tmp_path / name) == row
    assert [place.name for place in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("form", FORMATS)
def test_notes_are_words(tmp_path: Path, capfd: pytest.CaptureFixture[str], form: str) -> None:
    """Under a table they are part of it; beside data they go to stderr."""
    path = tmp_path / f"x.{TO_A_FILE[form]}"
    write_listing(listing(), format=None, output=path)

    beside = capfd.readouterr().err
    assert beside == ("" if form in {"table", "md"} else "Known at #12.\n")
    if form in {"table", "md"}:
        assert "12." in path.read_text("utf-8").splitlines()[-1]


def test_a_document_is_one_object_and_else_its_rows(tmp_path: Path) -> None:
    """For json and jsonl it is the whole document, other formats the listing of it."""
    document = {"area": "16.06", "change": {"coverage_percent": percent(Fraction(661, 100))}}
    for name in ("x.json", "x.jsonl", "x.csv"):
        write_document(document, listing(), format=None, output=tmp_path / name)

    line = '{"area": "16.06", "change": {"coverage_percent": 6.61}}\n'
    assert (tmp_path / "x.jsonl").read_text("utf-8") == line
    assert (tmp_path / "x.json").read_text("utf-8") == (
        '{\n  "area": "16.06",\n  "change": {"coverage_percent": 6.61}\n}\n'
    )
    assert (tmp_path / "x.csv").read_text("utf-8").splitlines()[1].startswith("Musi Banyuasin")


# --- whole or untouched ---------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("error", [RuntimeError("fault"), KeyboardInterrupt()], ids=["fault", "^C"])
def test_a_failure_leaves_the_old_file(tmp_path: Path, form: str, error: BaseException) -> None:
    """Whatever breaks off the answer: the old file is whole, and nothing lies beside it."""
    path = tmp_path / f"x.{TO_A_FILE[form]}"
    path.write_bytes(b"old")

    with pytest.raises(type(error)):
        write_listing(Listing("x", COLUMNS, failing(5_000, error)), format=form, output=path)
    assert path.read_bytes() == b"old"
    assert [place.name for place in tmp_path.iterdir()] == [path.name]


def test_writing_in_place_would_have_lost_it(tmp_path: Path) -> None:
    """Negative control: the same failure over an open file leaves half an answer."""
    path = tmp_path / "x.csv"
    path.write_bytes(b"old")

    with pytest.raises(RuntimeError), path.open("w", encoding="utf-8") as stream:
        write_csv(Listing("x", COLUMNS, failing(5_000, RuntimeError())), stream)
    assert path.read_bytes() != b"old"


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl", "md"])
def test_a_refusal_at_the_first_row_prints_nothing(
    capfd: pytest.CaptureFixture[str], form: str
) -> None:
    """A question refused while it is asked leaves no header and no bracket behind."""
    with pytest.raises(RuntimeError):
        write_listing(Listing("x", COLUMNS, failing(0, RuntimeError())), format=form, output=None)
    assert capfd.readouterr().out == ""


@pytest.mark.skipif(os.name == "nt", reason="links and modes as POSIX has them")
def test_a_link_stays_a_link_and_a_private_file_private(tmp_path: Path) -> None:
    """What is replaced is the file behind the link, with the mode it had."""
    target = tmp_path / "target.csv"
    target.write_bytes(b"old")
    target.chmod(0o600)
    link = tmp_path / "link.csv"
    link.symlink_to(target)

    write_listing(listing(), format=None, output=link)

    assert link.is_symlink()
    assert target.read_bytes().startswith(b"area,")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("form", FORMATS)
def test_a_full_disk_is_a_refusal_that_names_the_place(form: str) -> None:
    """No traceback and no device replaced by a file: what, where, and what to do."""
    with pytest.raises(OutputUnwritableError) as refused:
        write_listing(listing(), format=form, output=Path("/dev/full"))

    assert refused.value.exit_code == 1
    assert refused.value.where == "full"
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


# --- the process ----------------------------------------------------------------------------------

PROGRAM = """
import sys
from cli.output import Column, Listing, write_listing
columns = (Column("t", "T", "text"), Column("n", "N", "count"))
rows = [{"t": "Σ – " + chr(0x1b) + "[2J", "n": 1}]
write_listing(Listing("x", columns, rows), format=sys.argv[1], output=None)
"""


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    """Run Python in the checkout."""
    environment = {**os.environ, **settings}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, check=False
    )


def test_a_question_loads_no_engine_of_a_format_it_does_not_print() -> None:
    """Importing the output, and printing CSV, loads neither duckdb nor xlsxwriter nor tabulate."""
    heavy = "{'duckdb', 'xlsxwriter', 'tabulate', 'eventsourcing'}"
    told = run("-c", f"{PROGRAM}\nprint(sorted({heavy} & set(sys.modules)))", "csv")
    assert told.stdout.splitlines()[-1] == b"[]"

    # Negative control: the one that is printed is loaded.
    told = run(
        "-c", f"{PROGRAM}\nprint(sorted({heavy} & set(sys.modules)), file=sys.stderr)", "xlsx"
    )
    assert told.stderr.splitlines()[-1] == b"['xlsxwriter']"


@pytest.mark.parametrize(("form", "start"), [("parquet", b"PAR1"), ("xlsx", b"PK\x03\x04")])
def test_binary_goes_whole_into_a_pipe(form: str, start: bytes) -> None:
    """Redirected output is the file and nothing else."""
    told = run("-c", PROGRAM, form)

    assert (told.returncode, told.stderr) == (0, b"")
    assert told.stdout.startswith(start)


@pytest.mark.parametrize("form", ["table", "md", "csv", "json", "jsonl"])
def test_no_control_character_on_stdout(form: str) -> None:
    """0 raw control bytes but line ends."""
    told = run("-c", PROGRAM, form, PYTHONIOENCODING="utf-8")

    assert told.returncode == 0
    assert not {byte for byte in told.stdout if byte < 0x20 or byte == 0x7F} - {0x0A}


@pytest.mark.parametrize("write", [write_listing, write_document])
def test_the_way_to_print_is_always_said(write: Callable[..., None]) -> None:
    """Format and place are keywords without a default: no command can forget its options."""
    with pytest.raises(TypeError):
        write(listing())
