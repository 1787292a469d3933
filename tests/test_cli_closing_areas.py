"""Closing, revisions and reports of areas that were opened, moved or recoded in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from jsonschema import Draft202012Validator

from tests.program import ROOT, nothing_recorded, ucj
from tests.test_cli_areas import BATCHES, HEADER, batches, write
from tests.test_docs_json import schema

PAPUA: Final = ROOT / "examples" / "papua-2022" / "areas.csv"
SUMSEL: Final = (
    "16.18,opened,2025-03-01,16.06,Muba Ilir,UU x\n"
    "16.07,moved,2025-04-01,,17,UU x\n"
    "16.05,recoded,2025-04-01,,16.25,UU x\n"
)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Return a folder with a store that knows a split, a move and another code."""
    assert ucj("init", folder=tmp_path).code == 0
    changes = write(tmp_path, "areas.csv", HEADER + SUMSEL)
    assert ucj("import", "areas", changes, folder=tmp_path).code == 0
    batches(
        tmp_path,
        "SK 1,enrol,16.06,guru,100,2024-01-01,,",
        "SK 2,reclassify,16.18,guru,40,2025-03-01,16.06,guru",
        "SK 3,enrol,16.05,guru,7,2024-01-01,,",
    )
    return tmp_path


def test_an_opened_regency_is_closed_revised_and_reported(folder: Path) -> None:
    """By its name and code, as any of the built-in list."""
    closed = ucj("close", "16.18", "--through", "2025-05", folder=folder)
    assert closed.code == 0, closed
    assert "Muba Ilir (16.18) is closed through 2025-05-31: 40 active" in closed.out
    revisions = ucj("revisions", "16.18", "--on", "2025-04", folder=folder)
    assert (revisions.code, "40" in revisions.out) == (0, True), revisions
    between = ("--from", "2025-03", "--to", "2025-04")
    assert ucj("report", "16.18", *between, "--output", "r.md", folder=folder).code == 0
    assert "Muba Ilir (16.18)" in (folder / "r.md").read_text().splitlines()[0]


@pytest.mark.parametrize(
    ("through", "count", "inside", "outside"),
    [
        ("2025-02-28", 17, ("(16.05)", "(16.07)"), ("(16.18)", "(16.25)")),
        ("2025-03-31", 18, ("(16.05)", "(16.07)", "Muba Ilir (16.18)"), ("(16.25)",)),
        ("2025-04-30", 17, ("Muba Ilir (16.18)", "(16.25)"), ("(16.07)", "(16.05)")),
    ],
)
def test_a_province_is_closed_as_it_lay_on_the_last_closed_day(
    folder: Path, through: str, count: int, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    """What moved away by then is left open, what was opened is closed; codes are those of the day."""
    answer = ucj("close", "16", "--all", "--through", through, folder=folder)
    assert answer.code == 0, answer
    lines = [line for line in answer.lines if "is closed through" in line]
    assert len(lines) == count
    for each in inside:
        assert each in answer.out
    for each in outside:
        assert each not in answer.out + answer.err


SECONDED: Final = ("--override", "the act came in late", "--seconded-by", "Budi")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("16.07,moved,2024-06-01,16,17,UU x", "in which province 16.07 lies from 2024-06-01"),
        ("16.19,opened,2024-06-01,16.06,Muba Ulu,UU x", "what is split from 16.06 from 2024-06-01"),
    ],
    ids=["moved", "opened"],
)
def test_closed_days_are_moved_and_split_by_two_persons_only(
    tmp_path: Path, row: str, why: str
) -> None:
    """Given a province is closed, then the row is told so; by two it is recorded, and late.

    Nothing of the province's closed days changes by one person: not by the new regency either, which
    is closed as well. Taking it back takes two as well.
    """
    assert ucj("init", folder=tmp_path).code == 0
    batches(
        tmp_path, "SK 1,enrol,16.06,guru,100,2024-01-01,,", "SK 2,enrol,16.07,guru,9,2024-01-01,,"
    )
    assert ucj("close", "16", "--all", "--through", "2024-12", folder=tmp_path).code == 0
    name = write(tmp_path, "late.csv", HEADER + row + "\n")
    with nothing_recorded(tmp_path / "registry.db"):
        refused = ucj("import", "areas", name, folder=tmp_path)
        assert refused.code == 1
        assert f"late.csv:2:on: it would change {why} to 2024-12-31" in refused.err
        assert "--override REASON --seconded-by NAME" in refused.err
        planned = ucj("import", "areas", name, *SECONDED, "--dry-run", folder=tmp_path)
        assert (planned.code, "recorded as late" in planned.err) == (0, True), planned
    assert ucj("import", "areas", name, *SECONDED, folder=tmp_path).code == 0
    if ",opened," in row:
        enrolment = write(
            tmp_path, "more.csv", BATCHES + "SK 3,enrol,16.19,guru,1000,2024-06-01,,\n"
        )
        assert "16.19 is closed" in ucj("import", "batches", enrolment, folder=tmp_path).err
    traced = ucj(
        "trace", "16", "--from", "2024-05", "--to", "2024-06", "--format", "json", folder=tmp_path
    ).json()
    Draft202012Validator(schema("trace")).validate(traced)
    late = [each["area"] for each in traced["change"]["late_moves"]]
    assert late == ([] if ",opened," in row else ["16.07"])
    words = ucj("trace", "16", "--from", "2024-05", "--to", "2024-06", folder=tmp_path).out
    assert ("A regency was moved late, on days that were closed: 16.07 (#" in words) == bool(late)
    answer = ucj("revisions", "16", "--on", "2024-12", folder=tmp_path)
    (key,) = (each for each in ("16.06", "16.07") if each in why)
    assert f"changed the boundaries of {key} on closed days from 2024-06-01 to" in answer.out
    document = ucj("revisions", "16", "--on", "2024-12", "--format", "json", folder=tmp_path).json()
    Draft202012Validator(schema("revisions")).validate(document)
    (late,) = document["late"]
    assert (late["what"], late["category"], late["seconded_by"]) == ("boundaries", None, "Budi")
    retract = ("retract", "area", "@22", "--reason", "annulled")
    assert f"16.0{key[-1]} is closed through" in ucj(*retract, folder=tmp_path).err
    assert ucj(*retract, *SECONDED, folder=tmp_path).code == 0


def test_papua_of_2021_is_closed_whole(tmp_path: Path) -> None:
    """The 29 regencies of that day; a province that there was not yet has none to close."""
    assert ucj("init", folder=tmp_path).code == 0
    assert ucj("import", "areas", PAPUA, folder=tmp_path).code == 0
    answer = ucj("close", "91", "--all", "--through", "2021-12-31", folder=tmp_path)
    assert len([line for line in answer.lines if "is closed through" in line]) == 29
    assert "Merauke (91.01)" in answer.out
    none = ucj("close", "93", "--all", "--through", "2021-12-31", folder=tmp_path)
    assert (none.code, "in that province on 2021-12-31" in none.err) == (1, True)
