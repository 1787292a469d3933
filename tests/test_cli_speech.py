"""`--lang id`: whatever a person reads is Indonesian, whatever a program reads is as it was."""

from __future__ import annotations

import csv
import os
import re
import shutil
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from docs.catalogue import catalogue
from docs.screens import CORRECTED, LATER, SCENES, WRONG, screens
from tests.program import ROOT, Answer, ucj

QUESTIONS: Final = [
    command
    for scene in SCENES
    for command in scene.commands
    if scene.title in {"An analyst asks", "An auditor traces"}
    if command.split()[0] not in {"close", "withdraw", "reopen", "report"}  # they answer no rows
] + ["status", "category list"]
WORDS_MIN: Final = 2  # of a sentence that would not stand in a file of ours by chance
LETTERS_MIN: Final = 3


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the store of the screens."""
    folder = tmp_path_factory.mktemp("office")
    shutil.copytree(ROOT / "examples", folder / "examples")
    for name, content in (("wrong", WRONG), ("later", LATER), ("two", CORRECTED)):
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    assert ucj("init", folder=folder).code == 0
    for kind in ("potentials", "batches", "targets", "figures"):
        file = f"examples/sumsel-2025/{kind}.csv"
        assert ucj("import", kind, file, "--locale", "en", folder=folder).code == 0
    assert ucj("import", "batches", "later.csv", folder=folder).code == 0
    return folder


def _both(folder: Path, *arguments: str) -> tuple[Answer, Answer]:
    english = ucj(*arguments, folder=folder)
    return english, ucj("--lang", "id", *arguments, folder=folder)


@pytest.mark.parametrize("command", QUESTIONS)
@pytest.mark.parametrize("format", ["json", "csv"])
def test_what_programs_read_is_the_same(office: Path, command: str, format: str) -> None:
    """Every key, code and number, byte for byte; the words beside it are for people."""
    import shlex

    now = ["--on", "2025-10-24"] if command.startswith("forecast") else []
    english, indonesian = _both(office, *shlex.split(command), *now, "--format", format)
    assert english.code == indonesian.code == 0
    assert english.out
    assert english.out == indonesian.out


def test_the_report_of_an_import_is_the_same_for_programs(office: Path) -> None:
    """The JSON report names each problem as it always did; of the refused rows all but the words."""
    reports, refused, problems = [], [], []
    for language in ("en", "id"):
        done = ucj(
            *("--lang", language, "import", "batches", "wrong.csv", "--report", f"{language}.json"),
            *("--refused", f"{language}.csv", "--format", "json"),
            folder=office,
        )
        assert done.code == 1
        report = (office / f"{language}.json").read_text("utf-8")
        reports.append([text.replace(f"{language}.csv", "X") for text in (done.out, report)])
        with (office / f"{language}.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        problems.append([row.pop(1) for row in rows])
        refused.append(rows)
    assert reports[0] == reports[1]
    assert "no area is called Musi Banyuasim" in reports[0][0]
    assert refused[0] == refused[1]
    assert "no area is called Musi Banyuasim" in problems[0][1]
    assert "tidak ada wilayah bernama Musi Banyuasim" in problems[1][1]


def test_a_person_reads_indonesian(office: Path) -> None:
    """Headings, numbers, days, notes and refusals; names, slugs and codes stay."""
    coverage = ucj("coverage", "16.06", "--on", "2025-07", "--lang", "id", folder=office)
    assert coverage.lines[0].split() == ["Wilayah", "Kode", "Aktif", "Potensi", "Cakupan"]
    assert coverage.lines[2].split() == [
        *("Musi", "Banyuasin", "16.06", "106.679", "213.582", "49,95", "%"),
    ]
    assert coverage.lines[4].startswith("Per 31 Juli 2025, sebagaimana diketahui pada #")
    unknown = ucj("coverage", "Atlantis", folder=office, environment={"UCJ_LANG": "id"})
    assert unknown.err.splitlines()[0] == "tidak ada wilayah bernama Atlantis"
    refused = ucj("--lang", "id", "import", "batches", "wrong.csv", folder=office)
    assert (
        "kesalahan: wrong.csv:4: penonaktifan menyebut sebab mereka keluar [missing-value]"
        in refused.err.splitlines()
    )


def test_a_spreadsheet_for_people_has_their_words_and_real_numbers(
    office: Path, tmp_path: Path
) -> None:
    """Headings are words; the order of a day is a format; a number is a number."""
    from openpyxl import load_workbook

    place = tmp_path / "timeline.xlsx"
    assert ucj("--lang", "id", "timeline", "16.06", "--output", place, folder=office).code == 0
    sheet = load_workbook(place)["timeline"]
    headings = [cell.value for cell in sheet[1]]
    assert headings[:4] == ["Kode", "Wilayah", "Kategori", "Per tanggal"]
    assert sheet.cell(2, 4).number_format == "dd-mm-yyyy"
    assert sheet.cell(2, headings.index("Aktif") + 1).value == 88_958


@pytest.mark.parametrize("ending", ["md", "html", "xlsx"])
def test_a_report_is_in_the_language_throughout(office: Path, tmp_path: Path, ending: str) -> None:
    """Its cover, chapters, sheets and what is said of each section; the commands stay."""
    place = tmp_path / f"r.{ending}"
    between = ("--from", "2024-12", "--to", "2025-07", "--output", place)
    assert ucj("--lang", "id", "report", "16.06", *between, folder=office).code == 0
    if ending == "xlsx":
        from openpyxl import load_workbook

        workbook = load_workbook(place)
        assert workbook.sheetnames[:3] == ["Sampul", "Cakupan awal", "Cakupan awal per kategori"]
        cells = [cell.value for sheet in workbook for row in sheet.iter_rows() for cell in row]
        text = "\n".join(each for each in cells if isinstance(each, str))
    else:
        text = place.read_text(encoding="utf-8")
    for said in ("31 Desember 2024 sampai 31 Juli 2025", "Telusur", "Angka terbitan", "Wilayah"):
        assert said in text
    assert "ucj coverage 16.06 --on 2024-12-31 --known @" in text
    for english in ("as known at", "Published", "Coverage", "in store", "Made by", "Regency"):
        assert english not in text
    if ending == "html":
        assert '<html lang="id">' in text


def test_markdown_is_for_people(office: Path) -> None:
    """As a table of the terminal."""
    page = ucj("--lang", "id", "timeline", "16.06", "--format", "md", folder=office)
    assert page.lines[0].startswith("| Per tanggal | Masuk | Keluar |")
    assert "| 31-12-2024 | 88.958 |" in page.lines[2]


def test_an_empty_file_to_fill_in_has_headers_that_are_read(office: Path) -> None:
    """`ucj template` in Indonesian is a form that `ucj import` takes."""
    page = ucj("--lang", "id", "template", "potentials", folder=office)
    assert page.lines[0] == "kabupaten/kota,berlaku,jumlah,definisi,sumber,tanggal_dokumen"
    assert "CONTOH-BPS" in page.lines[1]
    assert "jumlah orang berupa bilangan bulat" in page.err


@pytest.mark.parametrize("place", ["before", "after", "environment"])
def test_an_unknown_language_is_a_usage_error(office: Path, place: str) -> None:
    """Before anything is asked; the two there are are named."""
    arguments = {
        "before": ["--lang", "xx", "status"],
        "after": ["status", "--lang", "xx"],
        "environment": ["status"],
    }[place]
    environment = {"UCJ_LANG": "xx"} if place == "environment" else {}
    answer = ucj(*arguments, folder=office, environment=environment)
    assert answer.code == 2
    assert "'xx' is not one of 'en', 'id'" in answer.err


def test_the_option_is_stronger_than_the_environment(office: Path) -> None:
    """As everywhere; and a language does not outlast its run."""
    answers = [
        ucj("coverage", "16.06", "--lang", "en", folder=office, environment={"UCJ_LANG": "id"}),
        ucj("coverage", "16.06", folder=office, environment={"UCJ_LANG": "id"}),
        ucj("coverage", "16.06", folder=office),
    ]
    first = [answer.lines[0].split()[0] for answer in answers]
    assert first == ["Area", "Wilayah", "Area"]


def test_usage_is_explained_in_the_language_too(office: Path) -> None:
    """What click says of an option; and its own language is left as it was found."""
    environment = {"LANGUAGE": "id"}
    bogus = ["coverage", "--bogus"]
    english = ucj(*bogus, folder=office, environment=environment)
    indonesian = ucj("--lang", "id", *bogus, folder=office)
    again = ucj(*bogus, folder=office, environment=environment)
    assert english.code == indonesian.code == 2
    assert "Error: No such option '--bogus'." in english.err
    assert "Kesalahan: Tidak ada opsi '--bogus'." in indonesian.err
    assert again == english
    assert os.environ.get("LANGUAGE") != "id"


def test_every_help_is_translated_and_english_stays(tmp_path: Path) -> None:
    """No paragraph and no option explains itself in English; commands are not changed by it."""
    import click

    from cli.help_texts import in_language, texts
    from cli.main import COMMANDS
    from cli.main import ucj as program
    from registry.language import use

    with click.Context(program) as context:
        english = {name: program.get_command(context, name) for name in COMMANDS}
        said = {name: [*texts(each)] for name, each in english.items() if each}
        use("id")
        for name, command in english.items():
            assert command is not None
            told = [*texts(in_language(command))]
            assert len(told) == len(said[name])
            assert not {*told} & {*said[name]}, name
            assert [*texts(command)] == said[name]
    page = ucj("--lang", "id", "renew", "--help", folder=tmp_path)
    assert page.lines[0] == "Pemakaian: ucj renew [OPTIONS] REFERENCE"
    assert "  Contoh:" in page.lines
    assert any(line.endswith("[wajib]") for line in page.lines)
    assert "Examples:" in ucj("renew", "--help", folder=tmp_path).out


def test_no_english_is_left_on_any_screen() -> None:
    """Every screen of docs/screens.md in Indonesian: no sentence of the catalogue in English."""
    english = [*_sentences()]
    assert len(english) > 500
    seen = 0
    for _, command, answer in screens(100, "id"):
        said = " ".join((answer.out + answer.err).split())
        found = next((each.text for each in english if each.is_in(said)), None)
        assert found is None, f"{command}: {found!r} in {said}"
        seen += 1
    assert seen > 25


def test_english_would_be_found() -> None:
    """The negative control of the test above: on the English page there are plenty."""
    said = " ".join((ROOT / "docs" / "screens.md").read_text(encoding="utf-8").split())
    assert sum(each.is_in(said) for each in _sentences()) > 100


class Sentence(NamedTuple):
    """English of the catalogue: a heading whole, or a sentence with gaps for its values."""

    text: str
    pieces: tuple[str, ...]

    def is_in(self, said: str) -> bool:
        """Whether it is said; the pattern is slow, and hardly anything has all its pieces."""
        return all(piece in said for piece in self.pieces) and bool(self._pattern().search(said))

    def _pattern(self) -> re.Pattern[str]:
        gaps = ".{0,80}?".join(map(re.escape, self.pieces))
        return re.compile(rf"(?<![\w-]){gaps}(?![\w-])")


def _sentences() -> Iterator[Sentence]:
    messages = [message for message in catalogue() if message.id]
    indonesian = {word for each in messages for text in _strings(each) for word in text.split()}
    for message in messages:
        several = [message.id] if isinstance(message.id, str) else list(message.id)
        said = _strings(message)[0]
        for text in several:
            pieces = [
                literal for literal, *_rest in string.Formatter().parse(" ".join(text.split()))
            ]
            words = [word for piece in pieces for word in piece.split() if _is_word(word)]
            heading = len(text.split()) == 1 and text[:1].isupper() and "{" not in text
            if text == said or text in indonesian or not (heading or len(words) >= WORDS_MIN):
                continue
            yield Sentence(text, tuple(pieces))


def _strings(message: Any) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def _is_word(text: str) -> bool:
    return sum(map(str.isalpha, text)) >= LETTERS_MIN


@pytest.fixture(name="leaving", scope="module")
def _leaving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with thousands who left for a reason, two groups to renew, and a settled figure."""
    folder = tmp_path_factory.mktemp("leaving")
    columns = "reference,action,area,category,workers,effective_on,covered_until,of_batch,reason\n"
    first = "R1,enrol,34.01,petani,12000,2024-01-01,2024-12-31,,\n"
    first += "R1,enrol,34.01,guru,23000,2024-01-01,2024-12-31,,\n"
    files = {
        "batches": columns + first + "D1,deactivate,34.01,petani,3600,2024-03-01,,R1,moved\n",
        "figures": "area,as_of,active,publisher,published_on,source\n"
        "34.01,2024-08-31,33000,Dinas,2024-09-05,K\n",
    }
    files["other"] = columns + first.replace("12000", "12500")
    assert ucj("init", folder=folder).code == 0
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    for kind in ("batches", "figures"):
        done = ucj("import", kind, f"{kind}.csv", "--locale", "en", folder=folder)
        assert done.code == 0, done
    order = ("--settle", "--category", "petani", "--as", "S1", "--reason", "selisih")
    done = ucj("reconcile", "34.01", *order, folder=folder)
    assert done.code == 0, done
    return folder


@pytest.mark.parametrize(
    ("command", "code", "words", "english"),
    [
        (
            ["trace", "34.01", "--from", "2024-01", "--to", "2024-03"],
            0,
            "menurut sebab: pindah -3.600",
            "moved",
        ),
        (
            ["trace", "34.01", "--from", "2024-01", "--to", "2024-03", "--by", "batch"],
            0,
            "penonaktifan (pindah)",
            "(moved)",
        ),
        (
            [
                "renew",
                "R1",
                *("--area", "34.01", "--until", "2025-12-31", "--as", "R2"),
                "--workers",
                "9",
            ],
            1,
            "23.000 guru, 8.400 petani",
            "23,000",
        ),
        (
            ["import", "batches", "--locale", "en", "other.csv"],
            1,
            "tercatat 12.000, berkas menyebut 12.500",
            "12,000",
        ),
        (["coverage", "34.01", "--on", "2024-08", "--by", "funding"], 0, "tidak dirinci", "not-"),
        (["history", "34.01"], 0, "batch dinonaktifkan (penonaktifan)", "batch-deactivated"),
        (["show", "D1"], 0, "batch dinonaktifkan -3.600", "batch-deactivated"),
        (["show", "D1"], 0, "sebab pindah", "moved"),
        (["show", "@2"], 0, "batch", "batch-enrolled"),
        (["source", "D1"], 0, "batch dinonaktifkan", "batch-deactivated"),
        (["show", "S1"], 0, "menyelesaikan angka terbitan pada #", "settles"),
        (["history", "34.01"], 0, "S1 (menyelesaikan angka terbitan pada #", "settles"),
    ],
)
def test_numbers_and_words_of_closed_lists_are_said(
    leaving: Path, command: list[str], code: int, words: str, english: str
) -> None:
    """In the language of who reads; the same in English keeps its slugs and commas."""
    indonesian = ucj("--lang", "id", *command, folder=leaving)
    assert indonesian.code == code, indonesian
    said = " ".join((indonesian.out + indonesian.err).split())
    assert words in said
    assert english not in said
    plain = ucj(*command, folder=leaving)
    assert english in " ".join((plain.out + plain.err).split())


@pytest.mark.parametrize(
    "command",
    [
        "history 34.01",
        "show D1",
        "show @2",
        "coverage 34.01 --on 2024-08 --by funding",
        "trace 34.01 --from 2024-01 --to 2024-03 --by batch",
    ],
)
def test_what_programs_read_keeps_its_slugs(leaving: Path, command: str) -> None:
    """JSON and CSV are never translated."""
    for format in ("json", "csv"):
        asked = (*command.split(), "--format", format)
        english, indonesian = _both(leaving, *asked)
        assert english.code == indonesian.code == 0
        assert english.out == indonesian.out


def test_a_settling_entry_names_its_figure(leaving: Path) -> None:
    """In the words of both commands, and as a key of the batch."""
    shown = ucj("show", "S1", "--format", "json", folder=leaving).json()
    (entry,) = ucj("history", "--reference", "S1", "--format", "json", folder=leaving).json()
    assert entry["details"] == f"settles the figure at #{shown['settles']}"
    assert ucj("show", "R1", "--format", "json", folder=leaving).json()["settles"] is None
