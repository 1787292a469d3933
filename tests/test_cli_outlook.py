"""`ucj targets` and `ucj forecast`: the example's targets, cohorts that end, in every format."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.program import EXAMPLE, ROOT, head, nothing_recorded, ucj

FILES = {
    "potentials": "area,valid_from,workers,definition,source\n16.71,2025-01-01,200,workers,BPS\n",
    "batches": "reference,action,area,category,workers,effective_on,covered_until,of_batch\n"
    "SK 1,enrol,16.71,marbot,100,2025-01-01,2025-09-30,\n"
    "SK 2,enrol,16.71,guru,20,2025-01-01,2025-10-31,\n"
    "SK 3,enrol,16.71,bpd,30,2025-01-01,,\n"
    "SK 4,renew,16.71,marbot,60,,2026-03-31,SK 1\n",
    "targets": "area,due_on,percent,basis,source\n16.71,2025-12-31,60,RPJMD,Bappeda\n"
    "16,2026-12-31,75,RPJMD,Bappeda\n",
}


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the example, and a regency whose terms end, in registry.db."""
    folder = tmp_path_factory.mktemp("outlook")
    assert ucj("init", folder=folder).code == 0
    for kind in ("potentials", "batches", "targets"):
        (folder / f"{kind}.csv").write_text(FILES[kind], encoding="utf-8")
        for file in (EXAMPLE / f"{kind}.csv", f"{kind}.csv"):
            answer = ucj("import", kind, file, "--locale", "en", folder=folder)
            assert answer.code == 0, answer
    return folder


# --- targets -------------------------------------------------------------------------------------------


def test_the_targets_of_the_worked_example(folder: Path) -> None:
    """To reach 52.15 % takes 8,305 more workers, not the 21,311 that was printed; 58 % takes more."""
    asked = ("targets", "16.06", "--on", "2025-07", "--format", "json")
    first, second = ucj(*asked, folder=folder).json()
    assert (first["target_percent"], first["needed"], first["course"]) == (
        52.15,
        8_305,
        "on-course",
    )
    assert (first["active"], first["potential"], first["coverage_percent"]) == (
        103_079,
        213_582,
        48.26,
    )
    assert first["gap_points"] == 3.887974
    assert (first["months_left"], first["pace_needed"]) == (5.0, 1_661.0)
    assert (first["pace"], first["pace_since"]) == (2_017.29, "2024-12-31")
    assert (second["target_percent"], second["needed"], second["course"]) == (58, 20_799, "behind")
    assert first["conflicts_with"] == [second["position"]]
    assert second["conflicts_with"] == [first["position"]]
    assert first["basis"] == "target nasional 2025"


def test_conflicting_targets_stand_side_by_side_and_marked(folder: Path) -> None:
    """A mark on each, and below the table what each of them says."""
    answer = ucj("targets", "--on", "2025-07", folder=folder, columns=100)
    table, _, notes = answer.out.partition("\n\n")
    marked = [line for line in table.splitlines() if "! " in line]
    assert [("52.15" in line, "8,305" in line) for line in marked] == [(True, True), (False, False)]
    (conflict,) = [line for line in notes.splitlines() if line.startswith("! ")]
    assert "Musi Banyuasin has several targets for 2025" in conflict
    assert "target nasional 2025" in conflict
    assert "sesuai target nasional" in conflict


def test_a_province_lists_its_own_targets_and_those_below(folder: Path) -> None:
    """Over the regencies counted, and starred; without an area all are listed."""
    asked = ("targets", "16", "--on", "2025-07", "--format", "json")
    found = ucj(*asked, folder=folder).json()
    assert [(each["area"], each["needed"]) for each in found] == [
        ("16", 57_108),
        ("16.06", 8_305),
        ("16.06", 20_799),
        ("16.09", None),
        ("16.71", 0),
    ]
    assert (found[0]["regencies_counted"], found[0]["regencies_total"]) == (2, 17)
    everywhere = ucj("targets", "--on", "2025-07", "--format", "json", folder=folder).json()
    assert [each["area"] for each in everywhere] == ["15.03", *(each["area"] for each in found)]
    words = ucj("targets", "16", "--on", "2025-07", folder=folder)
    assert "* Sumatera Selatan" in words.out
    assert "* Of the regencies counted" in words.out


def test_targets_as_known_before_any(folder: Path) -> None:
    """None, and it is said; a taken-back target is not listed."""
    answer = ucj("targets", "--known", "@1", folder=folder)
    assert answer.code == 0, answer
    assert "No target is recorded there." in answer.out
    assert ucj("targets", "--known", "@1", "--format", "json", folder=folder).json() == []


# --- forecast ------------------------------------------------------------------------------------------

ASKED = ("forecast", "16.71", "--on", "2025-08-31", "--until", "2026-04")


def test_what_lapses_and_what_must_be_renewed(folder: Path) -> None:
    """Of 100 whose term ends 60 are renewed; to hold 60 % of 200 the others must be as well."""
    found = ucj(*ASKED, "--format", "json", folder=folder).json()
    assert (found["active"], found["coverage_percent"]) == (150, 75.0)
    assert found["target_percent"] == 60.0
    assert found["target"]["due_on"] == "2025-12-31"
    keys = ("on", "ending", "renewed", "other", "active", "needed", "must_renew")
    months = [tuple(each[key] for key in keys) for each in found["months"]]
    assert months[:3] == [
        ("2025-09-30", 0, 0, 0, 150, 0, 0),
        ("2025-10-31", 100, 60, 0, 110, 10, 10),
        ("2025-11-30", 20, 0, 0, 90, 30, 30),
    ]
    assert months[-1] == ("2026-04-30", 60, 0, 0, 30, 90, 90)
    assert [(each["on"], each["lapsing"], each["points"]) for each in found["cliffs"]] == [
        ("2026-04-01", 60, -30.0),
        ("2025-10-01", 40, -20.0),
        ("2025-11-01", 20, -10.0),
    ]
    assert [(each["reference"], each["workers"], each["lapsing"]) for each in found["cohorts"]] == [
        ("SK 4", 60, 60),
        ("SK 1", 100, 40),
        ("SK 2", 20, 20),
    ]
    position = str(head(folder / "registry.db"))
    again = ucj(*ASKED, "--known", f"#{position}", "--format", "json", folder=folder)
    assert again.json() == found


def test_the_forecast_in_words(folder: Path) -> None:
    """The state it begins with, the target, and the largest falls with their batches."""
    answer = ucj(*ASKED, folder=folder)
    assert "from 2025-08-31 (150 active, 75.00 %) to 2026-04-30" in answer.out
    assert "To hold 60 % by 2025-12-31 (RPJMD" in answer.out
    assert "on 2026-04-30 90 workers are short" in answer.out
    assert "Of the 120 who lapse until then 90 must be renewed." in answer.out
    assert "2026-04-01: 60 covered no more to 15.00 % (-30.00 points): SK 4 60" in answer.out
    more = ucj(*ASKED, "--target", "80.5%", folder=folder)
    assert "To hold 80.50 %" in more.out
    assert "120 must be renewed, and 11 others enrolled" in more.out
    less = ucj(*ASKED, "--target", "10", folder=folder)
    assert "nobody must be renewed" in less.out


def test_which_target_is_held_is_said_where_another_contradicts(folder: Path) -> None:
    """Two targets for 2025: the one recorded last, and how to choose."""
    answer = ucj("forecast", "16.06", "--on", "2025-07", folder=folder)
    assert "58 % by 2025-12-31" in answer.out
    assert "--target chooses" in answer.out
    assert "nobody lapses until then" in answer.out
    assert "No term ends in that time." in answer.out
    document = ucj("forecast", "16.06", "--on", "2025-07", "--format", "json", folder=folder).json()
    assert len(document["target"]["conflicts_with"]) == 1
    assert len(document["months"]) == 12, "twelve month ends, if nothing is said"
    assert document["until"] == "2026-07-31"


def test_by_cohort_has_each_term_that_ends(folder: Path) -> None:
    """The largest fall first; of a province with the regency."""
    asked = ("forecast", "16", *ASKED[2:], "--by", "cohort", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ucj(*asked, folder=folder).out)))
    assert [(row["covered_until"], row["area"], row["reference"]) for row in rows] == [
        ("2026-03-31", "16.71", "SK 4"),
        ("2025-09-30", "16.71", "SK 1"),
        ("2025-10-31", "16.71", "SK 2"),
    ]
    months = list(
        csv.DictReader(io.StringIO(ucj("forecast", "ID", "--format", "csv", folder=folder).out))
    )
    assert len(months) == 12


def test_an_area_of_which_nothing_is_recorded(folder: Path) -> None:
    """Said so, exit 0; as known before anything, too."""
    for asked in (("11",), ("16.71", "--known", "#0")):
        answer = ucj("forecast", *asked, folder=folder)
        assert answer.code == 0, answer
        assert "No batch is recorded there" in answer.out


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize(
    "asked",
    [
        ("targets", "--on", "2025-07"),
        ASKED,
        (*ASKED, "--by", "cohort"),
        ("forecast", "16", *ASKED[2:], "--by", "cohort"),
    ],
)
def test_tables_fit_a_terminal(folder: Path, asked: tuple[str, ...], columns: int) -> None:
    """As a grid, none of them one record under the other."""
    answer = ucj(*asked, folder=folder, terminal=True, columns=columns)
    assert answer.code == 0, answer
    assert max(map(len, answer.lines)) <= columns + len("\x1b[1m\x1b[0m")
    assert any(line.startswith("─") for line in answer.lines)


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl", "md", "parquet", "xlsx"])
@pytest.mark.parametrize("asked", [("targets",), ASKED, (*ASKED, "--by", "cohort")])
def test_every_answer_prints_in_every_format(
    folder: Path, tmp_path: Path, asked: tuple[str, ...], form: str
) -> None:
    """Into a file of its ending; asking records nothing."""
    output = tmp_path / f"answer.{ {'table': 'txt'}.get(form, form) }"
    with nothing_recorded(folder / "registry.db"):
        answer = ucj(*asked, "--output", output, folder=folder)
    assert answer.code == 0, answer
    assert output.stat().st_size > 0


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("forecast", "16.06", "--on", "2025-07", "--until", "2025-07"), "is not after 2025-07-31"),
        (("forecast", "16.06", "--target", "52,150"), "write it as 52.15"),
        (("forecast", "16.06", "--target", "-5"), "write it as 52.15"),
        (("forecast", "16.06", "--target", "NaN"), "write it as 52.15"),
        (("forecast",), "Missing argument"),
        (("forecast", "16.06", "--on", "2199-12-31"), "is not after 2199-12-31"),
    ],
)
def test_what_makes_no_sense_is_usage(folder: Path, asked: tuple[str, ...], words: str) -> None:
    """Exit 2, and nothing on stdout: no number is guessed."""
    answer = ucj(*asked, folder=folder)
    assert (answer.code, answer.out) == (2, ""), answer
    assert words in answer.err


def test_the_example_is_the_published_one() -> None:
    """Negative control: the files say the percentages of the press, and no number of workers."""
    text = (ROOT / "examples" / "sumsel-2025" / "targets.csv").read_text(encoding="utf-8")
    assert "52.15" in text
    assert "8305" not in text
