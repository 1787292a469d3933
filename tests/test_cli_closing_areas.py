"""Closing, revisions and reports of areas that were opened, moved or recoded in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.program import ROOT, ucj
from tests.test_cli_areas import HEADER, batches, write

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


def test_papua_of_2021_is_closed_whole(tmp_path: Path) -> None:
    """The 29 regencies of that day; a province that there was not yet has none to close."""
    assert ucj("init", folder=tmp_path).code == 0
    assert ucj("import", "areas", PAPUA, folder=tmp_path).code == 0
    answer = ucj("close", "91", "--all", "--through", "2021-12-31", folder=tmp_path)
    assert len([line for line in answer.lines if "is closed through" in line]) == 29
    assert "Merauke (91.01)" in answer.out
    none = ucj("close", "93", "--all", "--through", "2021-12-31", folder=tmp_path)
    assert (none.code, "in that province on 2021-12-31" in none.err) == (1, True)
