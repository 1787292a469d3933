"""`ucj close`, `ucj reopen`, and --override wherever closed days can be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from tests.program import Answer, nothing_recorded, ucj

BATCHES: Final = """reference,part,action,area,category,workers,effective_on,covered_until,of_batch
SK-1,,enrol,16.06,guru,100,2025-01-01,2025-12-31,
SK-2,,enrol,16.06,marbot,50,2025-01-01,,
"""
LATE: Final = """reference,part,action,area,category,workers,effective_on,covered_until,of_batch
SK-9,,enrol,16.06,guru,9,2025-06-01,,
"""
POTENTIALS: Final = """area,valid_from,workers,definition,source
16.06,2025-01-01,1000,workers,BPS
"""
LATE_POTENTIALS: Final = POTENTIALS.replace("2025-01-01,1000", "2025-03-01,900")
CORRECTED: Final = LATE.replace("SK-9", "SK-2").replace("guru,9,2025-06-01", "marbot,49,2025-01-01")
SECONDED: Final = ("--override", "came in late", "--seconded-by", "Budi")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files, and a store in which 16.06 is closed through June."""
    for name, text in (
        ("batches.csv", BATCHES),
        ("late.csv", LATE),
        ("potentials.csv", POTENTIALS),
        ("late-potentials.csv", LATE_POTENTIALS),
        ("corrected.csv", CORRECTED),
    ):
        (tmp_path / name).write_text(text)
    for arguments in (
        ("init",),
        ("import", "batches", "batches.csv"),
        ("import", "potentials", "potentials.csv"),
        ("close", "16.06", "--through", "2025-06"),
    ):
        assert ucj(*arguments, folder=tmp_path).code == 0
    return tmp_path


def test_a_closing_is_said_as_the_statement_it_is(folder: Path) -> None:
    """How many of how many, by category, and where it is recorded."""
    answer = ucj("close", "Musi Banyuasin", "--through", "31 Juli 2025", folder=folder)
    assert answer.code == 0, answer
    assert answer.lines[0].startswith("recorded at #7, ")
    assert answer.lines[1:] == [
        "Musi Banyuasin (16.06) is closed through 2025-07-31: 150 active of 1,000 (15.00 %)",
        "  100 guru",
        "  50 marbot",
    ]


def test_a_dry_run_closes_nothing(folder: Path) -> None:
    """It says the same, and that nothing was recorded."""
    with nothing_recorded(folder / "registry.db"):
        answer = ucj("close", "16", "--all", "--through", "2025-06", "--dry-run", folder=folder)
    assert answer.code == 0, answer
    assert "nothing was recorded" in answer.lines[0]
    assert "16.06 is closed through 2025-06-30 already (#6)" in answer.err
    assert len([line for line in answer.lines if "is closed through" in line]) == 16


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("close", "16.06", "--through", "2025-06"), 0, "already (#6)"),
        (("close", "16.06", "--through", "2025-05"), 1, "ucj reopen 16.06 --from 2025-06-01"),
        (("close", "16.06", "--through", "2199-12-31"), 1, "still to come"),
        (("close", "16", "--through", "2025-06"), 2, "with --all for each in it"),
        (("close", "ID", "--all", "--through", "2025-06"), 2, "or a province"),
        (("close", "16.06", "--all", "--through", "2025-06"), 2, "leave --all out"),
        (("reopen", "16.06", "--from", "2025-07-01", "--reason", "x"), 1, "2025-06-30 only"),
        (("reopen", "16.71", "--from", "2025-01-01", "--reason", "x"), 1, "nothing is closed"),
        (("reopen", "16.06", "--from", "2025-06", "--reason", "x"), 1, "2025-06-01"),
        (("withdraw", "SK-2", "--area", "16.06", "--reason", "x"), 1, "marbot of 16.06 by -50"),
        (("retract", "potential", "@5", "--reason", "x"), 1, "potential of 16.06 by -1,000"),
        (("import", "batches", "late.csv"), 1, "guru of 16.06 by +9 from 2025-06-01"),
        (("import", "potentials", "late-potentials.csv"), 1, "by -100 from 2025-03-01"),
        (
            ("correct", "SK-2", "corrected.csv", "--area", "16.06", "--reason", "x"),
            1,
            "marbot of 16.06 by -1 from",
        ),
        (("import", "batches", "late.csv", "--override", "x"), 2, "go together"),
        (("import", "batches", "late.csv", "--seconded-by", "Budi"), 2, "go together"),
        (
            ("import", "batches", "late.csv", "--override", "x", "--seconded-by", " "),
            2,
            "--seconded-by is empty",
        ),
        (
            ("import", "batches", "late.csv", "--override", "x", "--seconded-by", "SITI"),
            1,
            "cannot second it as well",
        ),
        (
            ("import", "batches", "late.csv", "--override", "x", "--seconded-by", "1" * 16),
            1,
            "cannot be kept",
        ),
    ],
)
def test_what_is_refused_says_why_and_records_nothing(
    folder: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """The same for every command: exit code, words, and an unchanged log."""
    with nothing_recorded(folder / "registry.db"):
        answer = ucj(*arguments, folder=folder)
    assert answer.code == code, answer
    assert said in answer.out + answer.err, answer


OVERRIDING: Final = {
    "import batches": ("import", "batches", "late.csv"),
    "import potentials": ("import", "potentials", "late-potentials.csv"),
    "correct": ("correct", "SK-2", "corrected.csv", "--area", "16.06", "--reason", "x"),
    "withdraw": ("withdraw", "SK-2", "--area", "16.06", "--reason", "x"),
    "retract": ("retract", "potential", "@5", "--reason", "x"),
}


def late_in_revisions(folder: Path) -> Any:
    """Return what the revisions of June say was late."""
    answer = ucj("revisions", "16.06", "--on", "2025-06", "--format", "json", folder=folder)
    assert answer.code == 0, answer
    return answer.json()["late"]


@pytest.mark.parametrize("name", OVERRIDING)
def test_two_persons_override_a_closing(folder: Path, name: str) -> None:
    """Whatever the command: a dry run shows it, then it is recorded and listed as late."""
    with nothing_recorded(folder / "registry.db"):
        planned = ucj(*OVERRIDING[name], *SECONDED, "--dry-run", folder=folder)
        assert planned.code == 0, planned
    answer = ucj(*OVERRIDING[name], *SECONDED, folder=folder)
    assert answer.code == 0, answer
    assert "recorded as late: came in late; seconded by Budi" in answer.err + answer.out
    (late,) = late_in_revisions(folder)
    assert (late["recorded_by"], late["seconded_by"]) == ("siti", "Budi")
    assert (late["closed_through"], late["closing_position"]) == ("2025-06-30", 6)


def test_a_renewal_may_override_too(folder: Path) -> None:
    """Where the term ends on closed days, covering on changes them."""
    assert ucj("close", "16.06", "--through", "2026-01", folder=folder).code == 0
    renewal = ("renew", "SK-1", "--area", "16.06", "--until", "2026-12", "--as", "SK-8")
    assert ucj(*renewal, folder=folder).code == 1
    answer = ucj(*renewal, *SECONDED, folder=folder)
    assert answer.code == 0, answer


def test_a_plan_of_an_override_is_of_that_override(folder: Path) -> None:
    """What --dry-run showed is recorded with --plan; with other words it is another plan."""
    late = ("import", "batches", "late.csv")
    planned = ucj(*late, *SECONDED, "--dry-run", "--format", "json", folder=folder).json()
    plan = ("--plan", planned["plan"])
    other = ucj(*late, "--override", "other", *SECONDED[2:], *plan, folder=folder)
    assert other.code == 1, other
    assert "not the plan given" in other.out + other.err
    assert ucj(*late, *SECONDED, *plan, folder=folder).code == 0


def test_an_override_of_nothing_is_said(folder: Path) -> None:
    """It is recorded as what it is: nothing late."""
    (folder / "late.csv").write_text(LATE.replace("2025-06-01", "2025-07-01"))
    answer = ucj("import", "batches", "late.csv", *SECONDED, folder=folder)
    assert answer.code == 0, answer
    assert "nothing is recorded as overridden" in answer.out + answer.err
    assert late_in_revisions(folder) == []


def test_trace_marks_what_is_late(folder: Path) -> None:
    """In the table by batch, in each step of the JSON, and a word below the statement."""
    assert ucj("import", "batches", "late.csv", *SECONDED, folder=folder).code == 0
    asked = ("trace", "16.06", "--from", "2025-01", "--to", "2025-07")

    def traced(*more: str) -> Answer:
        answer = ucj(*asked, *more, folder=folder, terminal=True, columns=100)
        assert answer.code == 0, answer
        return answer

    assert "enrolment · late · SK-9" in traced("--by", "batch").out
    said = traced()
    assert "`--by batch` marks it" in said.out + said.err
    steps = traced("--format", "json").json()["steps"]
    assert [(each["reference"], each["late"]) for each in steps] == [("SK-9", True)]
    groups = traced("--format", "json", "--by", "category").json()["groups"]
    assert [(each["category"], each["late"]) for each in groups] == [("guru", True)]


def test_a_trace_marks_a_late_potential(folder: Path) -> None:
    """Beside its effect, below the statement, and in the JSON: where it is recorded."""
    late = ("import", "potentials", "late-potentials.csv", *SECONDED)
    assert ucj(*late, folder=folder).code == 0
    asked = ("trace", "16.06", "--from", "2025-02", "--to", "2025-06")
    answer = ucj(*asked, folder=folder, terminal=True, columns=100)
    said = " ".join((answer.out + answer.err).split())
    assert "another potential, late: #8" in said
    assert "A potential is late, changed on days that were closed: 16.06 (#8)" in said
    change = ucj(*asked, "--format", "json", folder=folder).json()["change"]
    assert change["late_potentials"] == [{"area": "16.06", "position": 8}]


def test_revisions_list_what_is_late(folder: Path) -> None:
    """In words below the table too: what, why, and which two persons."""
    assert ucj("import", "batches", "late.csv", *SECONDED, folder=folder).code == 0
    asked = ("revisions", "16.06", "--triangle", "--from", "2025-05", "--to", "2025-07")
    answer = ucj(*asked, folder=folder, terminal=True, columns=100)
    words = " ".join((answer.out + answer.err).split())
    assert (
        "Late: #9 changed guru of 16.06 by +9 on closed days from 2025-06-01 to 2025-06-30,"
        " because came in late (siti, seconded by Budi)." in words
    )


def late_note(folder: Path, *asked: str) -> str:
    """Return what is said below the revisions of June of the one late change."""
    answer = ucj(*asked, "revisions", "16.06", "--on", "2025-06", folder=folder)
    (note,) = (each for each in (answer.out + answer.err).splitlines() if "Budi" in each)
    return note


@pytest.mark.parametrize(
    ("row", "english", "indonesian"),
    [
        ("2025-01-01,1000,wage earners", "what the potential of 16.06 counts on",
         "yang dihitung potensi 16.06 pada"),
        ("2025-03-01,900,workers", "the potential of 16.06 by -100 on",
         "potensi 16.06 sebesar -100 pada"),
    ],
)  # fmt: skip
def test_a_late_potential_says_what_it_changed(
    folder: Path, row: str, english: str, indonesian: str
) -> None:
    """Another definition of the same number is no change by nobody; another number is one."""
    (folder / "p.csv").write_text(f"area,valid_from,workers,definition,source\n16.06,{row},BPS\n")
    assert ucj("import", "potentials", "p.csv", *SECONDED, folder=folder).code == 0
    assert f"changed {english} closed days" in late_note(folder)
    assert f"mengubah {indonesian} hari tertutup" in late_note(folder, "--lang", "id")


def test_revisions_list_what_one_person_reopened(folder: Path) -> None:
    """Given June is reopened, changed and closed again, then revisions of June say who and why.

    Those of May say nothing: that day was closed all the time.
    """
    for each in (
        ("reopen", "16.06", "--from", "2025-06-01", "--reason", "SK 9 came in late"),
        ("import", "batches", "late.csv"),
        ("close", "16.06", "--through", "2025-06"),
    ):
        assert ucj(*each, folder=folder).code == 0

    def asked(*of: str) -> Answer:
        return ucj("revisions", "16.06", *of, folder=folder, terminal=True, columns=100)

    (row,) = asked("--on", "2025-06", "--format", "json").json()["reopened"]
    assert row.pop("recorded_at").endswith("Z")
    assert row == {
        "area": "16.06",
        "first_on": "2025-06-01",
        "last_on": "2025-06-30",
        "position": 7,
        "recorded_by": "siti",
        "because": "SK 9 came in late",
    }
    for of in (("--on", "2025-06"), ("--triangle", "--to", "2025-07")):
        answer = asked(*of)
        words = " ".join((answer.out + answer.err).split())
        assert (
            "Reopened: #7 opened closed days from 2025-06-01 to 2025-06-30 of 16.06 again, because"
            " SK 9 came in late (siti, 20" in words
        )
    assert asked("--on", "2025-05", "--format", "json").json()["reopened"] == []
    assert "Reopened" not in asked("--on", "2025-05").out


def test_history_show_and_status_say_what_is_closed(folder: Path) -> None:
    """The closing is an event like any other, and status says what is closed now."""
    rows = ucj("history", "16.06", "--format", "json", folder=folder).json()
    (row,) = (each for each in rows if each["event"] == "period-closed")
    assert (row["position"], row["effective_on"]) == (6, "2025-06-30")
    assert row["details"] == (
        "closed through 2025-06-30 stating 150 active of a potential of 1,000"
    )
    shown = ucj("show", "@6", "--format", "json", folder=folder)
    assert shown.json()["state"]["active_by_category"] == {"guru": 100, "marbot": 50}
    status = ucj("status", "--format", "json", folder=folder).json()
    assert status["closed"] == [{"area": "16.06", "closed_through": "2025-06-30", "position": 6}]
    people = ucj("status", folder=folder, terminal=True, columns=100)
    assert "16.06 through 2025-06-30" in people.out
    reopened = ("reopen", "16.06", "--from", "2025-06-01", "--reason", "SK 9 came in late")
    answer = ucj(*reopened, folder=folder)
    assert answer.lines[1] == (
        "Musi Banyuasin (16.06) is open again from 2025-06-01, closed through 2025-05-31"
    )
    assert "SK 9 came in late" in ucj("history", "16.06", folder=folder).out


def test_what_is_said_fits_a_terminal(folder: Path) -> None:
    """Prose wraps as notes do, categories keep their margin; a pipe has each sentence on a line."""
    asked = ("close", "16.06", "--through", "2025-07-31", "--dry-run")
    narrow = ucj(*asked, folder=folder, terminal=True, columns=80)
    assert max(map(len, narrow.lines)) <= 80
    assert "  100 guru" in narrow.lines
    piped = ucj(*asked, folder=folder)
    assert len(piped.lines) == len(narrow.lines) - 1
    assert " ".join(narrow.out.split()) == " ".join(piped.out.split())
