"""Forms: what each row must and may hold, and the command that comes of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from registry.commands import (
    BatchLine,
    Command,
    PublishFigure,
    RecordBatch,
    RevisePotential,
    SetTarget,
)
from registry.errors import Problem
from registry.intake.admission import AdmissionOptions, admit
from registry.intake.columns import COLUMNS, InputKind
from registry.intake.spool import spool_input
from registry.numbers import Locale
from registry.reference.categories import Categories
from registry.terms import Action, Funding, LeaveReason, Programme, Segment

Cells = dict[str, str]
Outcome = tuple[list[Command], list[Problem]]

ENROL: Final[Cells] = {
    "reference": "SK/1/2025", "action": "enrol", "area": "16.06", "category": "pekerja-rentan",
    "workers": "100", "effective_on": "2025-01-01",
}  # fmt: skip
LEAVE: Final[Cells] = {**ENROL, "action": "deactivate", "reason": "deceased"}
RENEW: Final[Cells] = {
    "reference": "SK/2/2025", "action": "renew", "area": "16.06", "workers": "70",
    "of_batch": "SK/1/2024", "covered_until": "2025-12-31",
}  # fmt: skip
MOVE: Final[Cells] = {**ENROL, "action": "reclassify", "from_category": "non-asn"}
BALANCE_IN: Final[Cells] = {**ENROL, "action": "balance-in", "note": "selisih"}
BALANCE_OUT: Final[Cells] = {**ENROL, "action": "balance-out", "note": "selisih"}
CORRECT: Final[Cells] = {**ENROL, "action": "correct", "note": "salah hitung"}
WITHDRAW: Final[Cells] = {
    "reference": "SK/1/2025", "action": "withdraw", "area": "16.06", "note": "SK dicabut",
}  # fmt: skip
POTENTIAL: Final[Cells] = {
    "area": "16.06", "valid_from": "2024-12-31", "workers": "213.582",
    "definition": "angkatan kerja", "source": "BPS 2025",
}  # fmt: skip
TARGET: Final[Cells] = {
    "area": "16.06", "due_on": "2025-12-31", "percent": "52,15", "source": "RPJMD",
}  # fmt: skip
FIGURE: Final[Cells] = {
    "area": "16.06", "as_of": "2025-07", "percent": "48,20", "publisher": "BPJS", "source": "JPNN",
}  # fmt: skip

Read = Callable[..., Outcome]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that reads rows as a file of a kind: its commands and its problems."""

    def read_rows(*rows: Cells, kind: InputKind = "batches", locale: Locale = "id") -> Outcome:
        given = {name for row in rows for name in row}
        needed = {column.name for column in COLUMNS[kind] if column.required}
        names = [column.name for column in COLUMNS[kind] if column.name in given | needed]
        text = io.StringIO()
        writer = csv.DictWriter(text, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
        path = tmp_path / "berkas.csv"
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
        options = AdmissionOptions(kind=kind, locale=locale)
        with (
            spool_input(path, name=path.name) as spooled,
            admit(spooled, options, Categories()) as admission,
        ):
            problems = admission.report.problems
            commands = [] if admission.report.errors else list(admission.commands())
        return commands, problems

    return read_rows


def found(outcome: Outcome) -> list[tuple[str, str]]:
    """Return (code, place below the file's name) of each problem."""
    return [(problem.code, problem.where.partition(":")[2]) for problem in outcome[1]]


def test_an_enrolment_becomes_one_batch_with_a_line_for_each_row(read: Read) -> None:
    """All that the rows agree on stands once, the rest in the lines, each with its row."""
    head = {
        "part": "a", "funding": "APBDes", "programmes": "JKM; jkk", "decided_on": "20 Desember 2024",
        "document": "Keputusan  Bupati", "proposed": "1.800", "note": "catatan",
        "rejected": "duplicate:64;berkas kurang:120",
    }  # fmt: skip
    term = {"covered_until": "2025-12-31", "segment": "bpu"}
    commands, problems = read(
        {**ENROL, **head, **term}, {**ENROL, **head, "category": "guru", "workers": "1.516"}
    )
    assert problems == []
    assert commands == [
        RecordBatch(
            action=Action.ENROL,
            area="16.06",
            reference="SK/1/2025",
            part="a",
            lines=(
                BatchLine(
                    "pekerja-rentan",
                    100,
                    2,
                    covered_until=date(2025, 12, 31),
                    segment=Segment.BPU,
                ),
                BatchLine("guru", 1516, 3),
            ),
            effective_on=date(2025, 1, 1),
            funding=Funding.APBDES,
            programmes=(Programme.JKK, Programme.JKM),
            decided_on=date(2024, 12, 20),
            document="Keputusan Bupati",
            proposed=1800,
            rejected=(("duplicate", 64), ("incomplete-data", 120)),
            note="catatan",
            row=2,
        )
    ]


def test_each_action_becomes_its_command(read: Read) -> None:
    """Nine actions, one batch each."""
    rows = (
        {**ENROL, "action": "opening"}, ENROL, RENEW, LEAVE, MOVE, BALANCE_IN, BALANCE_OUT,
        CORRECT, WITHDRAW,
    )  # fmt: skip
    commands, problems = read(
        *({**row, "reference": f"SK/{number}"} for number, row in enumerate(rows))
    )
    assert problems == []
    assert [command.action for command in commands if isinstance(command, RecordBatch)] == [
        Action.OPENING, Action.ENROL, Action.RENEW, Action.DEACTIVATE, Action.RECLASSIFY,
        Action.BALANCE_IN, Action.BALANCE_OUT, Action.CORRECT, Action.WITHDRAW,
    ]  # fmt: skip


def test_a_leave_names_what_it_draws_on(read: Read) -> None:
    """With of_batch the category is the cohort's; covered_until selects its term."""
    row = {
        "of_batch": "SK/1/2024", "of_part": "b", "covered_until": "2025-12-31", "category": "",
    }  # fmt: skip
    (command,), problems = read({**LEAVE, **row})
    assert problems == []
    assert isinstance(command, RecordBatch)
    assert command.reason is LeaveReason.DECEASED
    assert command.lines == (
        BatchLine(
            None, 100, 2, of_batch="SK/1/2024", of_part="b", covered_until=date(2025, 12, 31)
        ),
    )


def test_a_transfer_keeps_the_category_unless_told(read: Read) -> None:
    """from_area without from_category: they leave the same category there."""
    (command,), _ = read({**MOVE, "from_category": "", "from_area": "Kab. Banyuasin"})
    assert isinstance(command, RecordBatch)
    (line,) = command.lines
    assert (line.from_area, line.from_category, line.category) == (
        "16.07",
        "pekerja-rentan",
        "pekerja-rentan",
    )


@pytest.mark.parametrize("row", [CORRECT, WITHDRAW], ids=["correct", "withdraw"])
def test_the_note_of_what_changes_a_batch_is_its_because(read: Read, row: Cells) -> None:
    """A correction and a withdrawal say why; a withdrawal has no lines."""
    (command,), _ = read(row)
    assert isinstance(command, RecordBatch)
    assert (command.because, command.note) == (row["note"], None)
    assert bool(command.lines) == (row is CORRECT)


@pytest.mark.parametrize(
    ("row", "change", "problems"),
    [
        # what every batch needs
        (ENROL, {"reference": ""}, [("missing-value", "2:reference")]),
        (ENROL, {"area": ""}, [("missing-value", "2:area")]),
        (ENROL, {"action": ""}, [("missing-value", "2:action")]),
        (ENROL, {"action": "daftar ulang saja"}, [("unknown-word", "2:action")]),
        (ENROL, {"area": "16"}, [("not-a-regency", "2:area")]),
        (ENROL, {"area": "Indonesia"}, [("not-a-regency", "2:area")]),
        (ENROL, {"area": "1608"}, [("bare-digits", "2:area")]),
        (ENROL, {"area": "Banyuasinn"}, [("unknown-area", "2:area")]),
        (ENROL, {"category": "pekerja ajaib"}, [("unknown-category", "2:category")]),
        (ENROL, {"workers": "1.5"}, [("invalid-number", "2:workers")]),
        (ENROL, {"workers": "0"}, [("invalid-number", "2:workers")]),
        (ENROL, {"workers": " "}, [("missing-value", "2:workers")]),
        (ENROL, {"effective_on": "2025-07"}, [("invalid-date", "2:effective_on")]),
        (ENROL, {"effective_on": "30/02/2025"}, [("invalid-date", "2:effective_on")]),
        (ENROL, {"funding": "APBD"}, [("unknown-word", "2:funding")]),
        (ENROL, {"segment": "XX"}, [("unknown-word", "2:segment")]),
        (ENROL, {"programmes": "JKK;ABC"}, [("unknown-word", "2:programmes")]),
        (ENROL, {"covered_until": "2199-12-31"}, [("invalid-date", "2:covered_until")]),
        (ENROL, {"covered_until": "2024-12-31"}, [("ends-before-it-starts", "2:covered_until")]),
        (ENROL, {"covered_until": "2025-01-01"}, []),
        (ENROL, {"proposed": "99"}, [("proposed-below-accepted", "2:proposed")]),
        (ENROL, {"proposed": "100"}, []),
        # opening, enrol, balance-in
        (ENROL, {"category": ""}, [("missing-value", "2:category")]),
        (ENROL, {"effective_on": ""}, [("missing-value", "2:effective_on")]),
        (ENROL, {"of_batch": "SK/0"}, [("unexpected-value", "2:of_batch")]),
        (ENROL, {"of_part": "a"}, [("unexpected-value", "2:of_part")]),
        (ENROL, {"from_category": "guru"}, [("unexpected-value", "2:from_category")]),
        (ENROL, {"from_area": "16.07"}, [("unexpected-value", "2:from_area")]),
        (ENROL, {"reason": "moved"}, [("unexpected-value", "2:reason")]),
        (BALANCE_IN, {"note": ""}, [("missing-value", "2:note")]),
        (BALANCE_IN, {"of_batch": "SK/0"}, [("unexpected-value", "2:of_batch")]),
        # renew
        (RENEW, {"of_batch": ""}, [("missing-value", "2:of_batch")]),
        (RENEW, {"covered_until": ""}, [("missing-value", "2:covered_until")]),
        (RENEW, {"workers": ""}, [("missing-value", "2:workers")]),
        (RENEW, {"effective_on": "2025-01-01", "category": "guru"}, []),
        (RENEW, {"of_batch": "sk/2/2025"}, [("draws-on-itself", "2:of_batch")]),
        (RENEW, {"of_batch": "sk/2/2025", "part": "b"}, []),
        (RENEW, {"from_category": "guru"}, [("unexpected-value", "2:from_category")]),
        # deactivate, balance-out
        (LEAVE, {"reason": ""}, [("missing-value", "2:reason")]),
        (LEAVE, {"reason": "other", "note": ""}, [("missing-value", "2:note")]),
        (LEAVE, {"reason": "lainnya", "note": "pindah sistem"}, []),
        (LEAVE, {"category": ""}, [("missing-value", "2:category")]),
        (LEAVE, {"category": "", "of_batch": "SK/0"}, []),
        (LEAVE, {"covered_until": "2025-12-31"}, [("unexpected-value", "2:covered_until")]),
        (LEAVE, {"of_part": "a"}, [("unexpected-value", "2:of_part")]),
        (LEAVE, {"from_category": "guru"}, [("unexpected-value", "2:from_category")]),
        (LEAVE, {"effective_on": ""}, [("missing-value", "2:effective_on")]),
        (BALANCE_OUT, {"note": ""}, [("missing-value", "2:note")]),
        (BALANCE_OUT, {"reason": "moved"}, [("unexpected-value", "2:reason")]),
        (BALANCE_OUT, {"category": ""}, [("missing-value", "2:category")]),
        # reclassify
        (MOVE, {"from_category": ""}, [("missing-value", "2:from_category")]),
        (MOVE, {"from_category": "pekerja rentan"}, [("nothing-moves", "2:category")]),
        (MOVE, {"from_category": "", "from_area": "16.06"}, [("nothing-moves", "2:category")]),
        (MOVE, {"category": ""}, [("missing-value", "2:category")]),
        (MOVE, {"of_batch": "SK/1/2025", "from_area": "16.07"}, []),
        (MOVE, {"of_batch": "SK/1/2025"}, [("draws-on-itself", "2:of_batch")]),
        (MOVE, {"from_area": "16"}, [("not-a-regency", "2:from_area")]),
        # correct, withdraw
        (CORRECT, {"note": ""}, [("missing-value", "2:note")]),
        (CORRECT, {"workers": ""}, [("missing-value", "2:workers")]),
        (CORRECT, {"category": "", "effective_on": ""}, []),
        (CORRECT, {"of_batch": "SK/0", "reason": "moved", "from_category": "guru"}, []),
        (WITHDRAW, {"note": ""}, [("missing-value", "2:note")]),
        (WITHDRAW, {"workers": "1"}, [("unexpected-value", "2:workers")]),
        (WITHDRAW, {"category": "guru"}, [("unexpected-value", "2:category")]),
        (WITHDRAW, {"effective_on": "2025-01-01"}, [("unexpected-value", "2:effective_on")]),
        # rejected
        (ENROL, {"rejected": "184"}, [("invalid-rejected", "2:rejected")]),
        (ENROL, {"rejected": "invalid-nik:x"}, [("invalid-number", "2:rejected")]),
        (ENROL, {"rejected": "duplicate:1;ganda:2"}, [("invalid-rejected", "2:rejected")]),
        (ENROL, {"rejected": "<b>:2"}, [("unknown-word", "2:rejected")]),
        (ENROL, {"rejected": ":2"}, [("unknown-word", "2:rejected")]),
        (ENROL, {"rejected": "Budi Santoso:1"}, [("unknown-word", "2:rejected")]),
        # text
        (ENROL, {"note": "x" * 2001}, [("too-long", "2:note")]),
        (ENROL, {"reference": "x" * 201}, [("too-long", "2:reference")]),
        (ENROL, {"reference": "SK\u200b/1"}, [("hidden-character", "2:reference")]),
        (ENROL, {"note": "a\u202eb"}, [("hidden-character", "2:note")]),
        (ENROL, {"note": "dua\nbaris"}, []),
        (ENROL, {"reference": "CONTOH-1"}, [("example-row", "2:reference")]),
    ],
)  # fmt: skip
def test_each_action_asks_for_its_cells_and_no_others(
    read: Read, row: Cells, change: Cells, problems: list[tuple[str, str]]
) -> None:
    """One change to a good row gives exactly these problems, each at its cell."""
    assert found(read({**row, **change})) == problems


def test_a_problem_explains_itself(read: Read) -> None:
    """Severity, value, why, remedy, row: all that a clerk needs."""
    _, (problem,) = read(ENROL, {**ENROL, "reference": "SK/2", "workers": "1_000"})
    assert (problem.severity, problem.value, problem.row, problem.sheet) == (
        "error",
        "1_000",
        3,
        None,
    )
    assert problem.why
    assert problem.remedy


def test_all_cells_of_a_row_are_told_at_once(read: Read) -> None:
    """One look at a row finds what is wrong in each cell and what is missing beside."""
    bad = {"workers": "-5", "area": "Atlantis", "effective_on": ""}
    assert sorted(found(read({**ENROL, **bad}))) == [
        ("invalid-number", "2:workers"),
        ("missing-value", "2:effective_on"),
        ("unknown-area", "2:area"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"action": "opening"}, {"effective_on": "2025-02-01"}, {"funding": "csr"},
        {"programmes": "JKK"}, {"decided_on": "2024-12-01"}, {"document": "lain"},
        {"proposed": "500"}, {"rejected": "duplicate:1"}, {"note": "lain"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_rows_of_a_batch_must_agree(read: Read, change: Cells) -> None:
    """The same SK with two dates, actions or funders is refused at the cell, pointing to part."""
    _, (problem,) = read(ENROL, {**ENROL, **change, "category": "guru"})
    (column,) = change
    assert (problem.code, problem.where) == ("batch-disagrees", f"berkas.csv:3:{column}")
    assert "row 2" in problem.why
    assert "part" in problem.remedy
    commands, problems = read(ENROL, {**ENROL, **change, "category": "guru", "part": "b"})
    assert (len(commands), problems) == (2, [])


@pytest.mark.parametrize(
    "change", [{"category": "guru"}, {"segment": "PU"}, {"covered_until": "2025-06-30"}]
)
def test_rows_of_a_batch_may_differ_in_their_line(read: Read, change: Cells) -> None:
    """Category, segment, term and workers belong to the row."""
    (command,), problems = read(ENROL, {**ENROL, **change, "workers": "7"})
    assert problems == []
    assert isinstance(command, RecordBatch)
    assert len(command.lines) == 2


def test_one_batch_spelt_differently_is_one_batch(read: Read) -> None:
    """Case, width and spaces do not make a second batch; the first spelling is kept, with a word."""
    other = {**ENROL, "reference": "ｓｋ/1/2025", "category": "guru"}
    (command,), problems = read(ENROL, {**other, "area": "Muba"})
    assert isinstance(command, RecordBatch)
    assert (command.reference, len(command.lines)) == ("SK/1/2025", 2)
    assert [(problem.code, problem.severity) for problem in problems] == [
        ("spelling-differs", "warning")
    ]


def test_a_repeated_line_is_kept_with_a_warning(read: Read) -> None:
    """Two rows alike in all but workers add up; somebody may have copied one by mistake."""
    (command,), problems = read(ENROL, {**ENROL, "workers": "7"})
    assert isinstance(command, RecordBatch)
    assert [line.workers for line in command.lines] == [100, 7]
    assert [(problem.code, problem.severity) for problem in problems] == [
        ("repeated-line", "warning")
    ]
    assert "alike in all but workers" in problems[0].why
    _, (same,) = read(ENROL, ENROL)
    assert (same.code, "says exactly the same" in same.why) == ("repeated-line", True)


def test_a_row_of_another_day_is_no_repetition(read: Read) -> None:
    """It disagrees with its batch, and that is all that is said of it."""
    _, problems = read(ENROL, {**ENROL, "effective_on": "2025-02-01"})
    assert [problem.code for problem in problems] == ["batch-disagrees"]


@pytest.mark.parametrize(
    "text",
    ["NIK tidak valid:1.200;ganda:64", "NIK tidak valid = 1.200, Data Ganda = 64"],
)
def test_rejected_is_read_in_the_words_of_the_office(read: Read, text: str) -> None:
    """Reasons in both languages, numbers as declared."""
    (command,), problems = read({**ENROL, "rejected": text})
    assert isinstance(command, RecordBatch)
    assert command.rejected == (("duplicate", 64), ("invalid-nik", 1200))
    assert problems == []


def test_a_misspelt_rejection_is_refused_with_what_may_be_meant(read: Read) -> None:
    """The list is closed, as that of `reason` is, and has words that heads do not leave for."""
    _, problems = read({**ENROL, "rejected": "invalid-nikk:120;duplicate:64"})
    (problem,) = problems
    assert problem.why == "invalid-nikk is not a known reason"
    assert problem.remedy.startswith("Did you mean invalid-nik? Allowed: arrears, ")
    assert problem.remedy.endswith(", other, incomplete-data, under-age.")


def test_rows_of_a_batch_need_not_be_neighbours(read: Read) -> None:
    """The order within a file does not matter; batches come in the order of their first rows."""
    other = {**ENROL, "reference": "SK/2"}
    commands, problems = read(ENROL, other, {**ENROL, "category": "guru"})
    assert problems == []
    assert [
        (command.reference, [line.row for line in command.lines])
        for command in commands
        if isinstance(command, RecordBatch)
    ] == [("SK/1/2025", [2, 4]), ("SK/2", [3])]


def test_one_reference_in_two_areas_is_two_batches(read: Read) -> None:
    """A governor's decision orders enrolments in many regencies."""
    commands, problems = read(ENROL, {**ENROL, "area": "16.07", "effective_on": "2025-02-01"})
    assert problems == []
    assert [command.area for command in commands] == ["16.06", "16.07"]


def test_a_batch_is_withdrawn_once(read: Read) -> None:
    """A second row has nothing left to withdraw."""
    assert found(read(WITHDRAW, WITHDRAW)) == [("withdrawn-twice", "3")]


def test_the_sum_at_the_foot_of_a_table_is_named_as_such(read: Read) -> None:
    """`JUMLAH` under the areas: one word about the row, not five about its cells."""
    assert found(read(ENROL, {"area": "JUMLAH", "workers": "100"})) == [("total-row", "3")]


def test_a_header_that_is_repeated_is_named_as_such(read: Read) -> None:
    """As office tables have one on each printed page; `Jumlah` in it makes it no total."""
    again = {column: column for column in ENROL}
    assert found(read(ENROL, again)) == [("header-again", "3")]


@pytest.mark.parametrize(
    ("column", "text", "refused"),
    [
        ("note", "NIK 1606011212900001", True),
        ("note", "1606 0112 1290 0001", True),
        ("document", "KPJ 12345678901", True),
        ("reference", "1606011212900001", True),
        ("of_batch", "SK 1606011212900001", True),
        ("reference", "800/1.11.1/2345/2025-07-16", False),
        ("reference", "188.45-2025-07-16-001", False),
        ("note", "per 31-07-2025 103.079 orang", False),
        ("note", "SK 2024/001 sampai 2025/002", False),
    ],
)
def test_a_persons_number_is_refused_and_not_repeated(
    read: Read, column: str, text: str, refused: bool
) -> None:
    """A NIK or KPJ in a text cell is refused; a document number or a date with a sum is not."""
    outcome = read({**LEAVE, "of_batch": "SK/0", column: text})
    assert found(outcome) == ([("personal-data", f"2:{column}")] if refused else [])
    digits = "".join(filter(str.isdigit, text))
    assert not refused or digits not in repr(outcome)


def test_a_persons_number_in_any_other_cell_is_masked(read: Read) -> None:
    """Wherever it stands, the value shown is not the number."""
    columns = [name for name in ENROL if name != "reference"]
    outcome = read({**ENROL, **dict.fromkeys(columns, "1606011212900001")})
    assert len(outcome[1]) >= len(columns) - 1
    assert "1606011212900001" not in repr(outcome)


# --- potentials, targets, figures -----------------------------------------------------------------


def test_a_potential_becomes_its_command(read: Read) -> None:
    """Any area may have one, the nation too."""
    commands, problems = read(
        POTENTIAL, {**POTENTIAL, "area": "ID", "documented_on": "1/2/2025"}, kind="potentials"
    )
    assert problems == []
    first = RevisePotential(
        "16.06", date(2024, 12, 31), 213582, "angkatan kerja", "BPS 2025", None, 2
    )
    assert commands[0] == first
    assert isinstance(commands[1], RevisePotential)
    assert (commands[1].area, commands[1].documented_on) == ("ID", date(2025, 2, 1))


def test_a_target_becomes_its_command(read: Read) -> None:
    """The basis may be unknown; the decimals are kept."""
    commands, problems = read(TARGET, kind="targets")
    assert problems == []
    assert commands == [
        SetTarget("16.06", date(2025, 12, 31), Decimal("52.15"), "", "RPJMD", None, 2)
    ]


def test_a_figure_keeps_its_numbers_as_printed(read: Read) -> None:
    """`48,20` stays 48.20; a month stays a month; unknown is None; tolerance is 0 unless given."""
    commands, problems = read(
        FIGURE,
        {**FIGURE, "as_of": "tidak diketahui", "active": "0", "gap": "8.305", "tolerance": "500"},
        kind="figures",
    )
    assert problems == []
    assert commands[0] == PublishFigure("16.06", "2025-07", "BPJS", "JPNN", percent="48.20", row=2)
    assert isinstance(commands[1], PublishFigure)
    second = commands[1]
    assert (second.as_of, second.active, second.gap, second.tolerance) == (None, 0, "8305", 500)


@pytest.mark.parametrize(
    ("kind", "row", "change", "problems"),
    [
        ("potentials", POTENTIAL, {"workers": "0"}, [("invalid-number", "2:workers")]),
        ("potentials", POTENTIAL, {"valid_from": "2024-12"}, [("invalid-date", "2:valid_from")]),
        ("potentials", POTENTIAL, {"definition": ""}, [("missing-value", "2:definition")]),
        ("potentials", POTENTIAL, {"source": ""}, [("missing-value", "2:source")]),
        ("potentials", POTENTIAL, {"source": "CONTOH-BPS"}, [("example-row", "2:source")]),
        ("targets", TARGET, {"percent": ""}, [("missing-value", "2:percent")]),
        ("targets", TARGET, {"percent": "1001"}, [("invalid-number", "2:percent")]),
        ("targets", TARGET, {"percent": "5,1234567"}, [("invalid-number", "2:percent")]),
        ("targets", TARGET, {"percent": "1000"}, []),
        ("figures", FIGURE, {"percent": ""}, [("missing-value", "2")]),
        ("figures", {**FIGURE, "active": ""}, {"percent": ""}, [("missing-value", "2:active")]),
        ("figures", FIGURE, {"percent": "", "uncovered_percent": "74,25"}, []),
        ("figures", FIGURE, {"as_of": ""}, [("missing-value", "2:as_of")]),
        ("figures", FIGURE, {"as_of": "kemarin"}, [("invalid-date", "2:as_of")]),
        ("figures", FIGURE, {"publisher": ""}, [("missing-value", "2:publisher")]),
        ("figures", FIGURE, {"category": "guru", "segment": "BPU"}, []),
        ("figures", FIGURE, {"category": "ajaib"}, [("unknown-category", "2:category")]),
    ],
)  # fmt: skip
def test_the_other_kinds_ask_for_their_cells(
    read: Read, kind: InputKind, row: Cells, change: Cells, problems: list[tuple[str, str]]
) -> None:
    """One change to a good row gives exactly these problems."""
    assert found(read({**row, **change}, kind=kind)) == problems


@pytest.mark.parametrize(
    ("kind", "row"), [("potentials", POTENTIAL), ("targets", TARGET), ("figures", FIGURE)]
)
def test_the_same_statement_twice_is_refused(read: Read, kind: InputKind, row: Cells) -> None:
    """A row equal in every cell was copied by mistake, however it is spelt."""
    assert found(read(row, {**row, "area": "Musi Banyuasin"}, kind=kind)) == [("repeated-row", "3")]


def test_two_potentials_of_one_day_contradict_each_other(read: Read) -> None:
    """Which of them is in force would depend on the order of the rows, and order means nothing."""
    outcome = read(POTENTIAL, {**POTENTIAL, "workers": "200.000"}, kind="potentials")
    assert found(outcome) == [("contradicting-rows", "3:workers")]


def test_two_targets_of_one_day_may_stand_beside_each_other(read: Read) -> None:
    """Two papers set two targets; both are claims."""
    commands, problems = read(TARGET, {**TARGET, "percent": "58"}, kind="targets")
    assert (len(commands), problems) == (2, [])


def test_numbers_follow_the_declared_locale(read: Read) -> None:
    """The same text is another number, or none, in the other locale."""
    (indonesian,), _ = read({**POTENTIAL, "workers": "45.000"}, kind="potentials", locale="id")
    assert isinstance(indonesian, RevisePotential)
    assert indonesian.workers == 45000
    outcome = read({**POTENTIAL, "workers": "45.000"}, kind="potentials", locale="en")
    assert found(outcome) == [("invalid-number", "2:workers")]
