"""`ucj reconcile`: the example's figures, what it prints and how wide, and what settling records."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.program import EXAMPLE, ROOT, Answer, head, nothing_recorded, ucj

FIGURES = (
    "area,as_of,category,segment,active,potential,percent,publisher,published_on,source\n"
    "16.06,2025-10-31,,,110000,,,Dinas,2025-11-01,Siaran\n"  # 30
    "16.06,2025-11-30,guru,,12,,,Dinas,2025-12-01,Siaran\n"  # 31
    "16,2025-11-30,,,999,,,Dinas,2025-12-01,Siaran\n"  # 32
    "16.06,unknown,,,999,,,Dinas,2025-12-01,Siaran\n"  # 33
    "15.03,2025-12,,,40000,,,Dinas,2025-12-01,Siaran\n"  # 34
    "15.03,2025-12-31,,PU,7,,,Dinas,2025-12-01,Siaran\n"  # 35
    "15.03,2025-12-31,,,48160,,,Dinas,2025-12-01,Siaran\n"  # 36
)


def _filled(folder: Path) -> Path:
    """Return the folder with the example in registry.db: figures at #15 to #28."""
    assert ucj("init", folder=folder).code == 0
    for kind in ("potentials", "batches", "targets", "figures"):
        answer = ucj("import", kind, EXAMPLE / f"{kind}.csv", "--locale", "en", folder=folder)
        assert answer.code == 0, answer
    return folder


@pytest.fixture(name="example", scope="module")
def _example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the example, which nobody writes to."""
    return _filled(tmp_path_factory.mktemp("reconcile"))


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Return a folder with the example and seven more figures, #30 to #36."""
    _filled(tmp_path)
    (tmp_path / "more.csv").write_text(FIGURES, encoding="utf-8")
    assert ucj("import", "figures", "more.csv", "--locale", "en", folder=tmp_path).code == 0
    return tmp_path


@pytest.fixture(name="rows", scope="module")
def _rows(example: Path) -> dict[int, dict[str, Any]]:
    """Return position → figure, as JSON has it."""
    answer = ucj("reconcile", "--format", "json", folder=example)
    assert answer.code == 0, answer
    return {row["position"]: row for row in answer.json()}


def says(row: dict[str, Any], code: str) -> str:
    """Return the arithmetic of a figure's one finding of a kind."""
    (said,) = [each["says"] for each in row["arithmetic"] if each["code"] == code]
    return str(said)


# --- the example --------------------------------------------------------------------------------


def test_the_printed_gap_of_the_example_is_flagged(rows: dict[int, dict[str, Any]]) -> None:
    """8,305 workers are needed for 52.15 %, not 21,311, which fits 58.24 %."""
    said = says(rows[16], "gap-inconsistent")
    assert said.startswith("21,311 printed; needed for 52.15 % are 8,305 workers (111,384, that is")
    assert "21,311 fits a target of 58.24 %" in said
    (gap,) = [each for each in rows[16]["tests"] if each["what"] == "gap"]
    assert (gap["published"], gap["expected"], gap["difference"]) == (21_311, 8_305, 13_006)


def test_two_figures_of_the_example_differ(rows: dict[int, dict[str, Any]]) -> None:
    """26.8 % fits no day of 2025; 49.2 % in September differs from the ledger's 48.26 %."""
    assert (rows[18]["verdict"], rows[19]["verdict"]) == ("differs", "differs")
    assert (
        "it fits no day of 2025: 41.65 % (2025-01-01) to 62.72 % (2025-07-16)"
        in (rows[18]["explanation"])
    )
    assert rows[19]["as_known_now"]["coverage_percent"] == 48.26
    assert (rows[19]["difference_in"], rows[19]["difference"]) == ("percent", 0.94)
    assert (rows[18]["agreed_before"], rows[19]["agreed_before"]) == (16, 16)


def test_covered_and_uncovered_of_the_example_make_no_whole(
    rows: dict[int, dict[str, Any]],
) -> None:
    """25.77 and 74.25 make 100.02."""
    assert says(rows[28], "uncovered-inconsistent") == (
        "25.77 covered and 74.25 not covered make 100.02, not 100"
    )


def test_the_two_targets_of_the_example_conflict(rows: dict[int, dict[str, Any]]) -> None:
    """52.15 % and 58 % for 2025, told of the figures that name a target or a gap."""
    told = [row for row in rows.values() if "targets-conflict" in row["findings"]]
    assert [row["position"] for row in told] == [16, 19]
    said = says(told[0], "targets-conflict")
    assert said.startswith("for 2025: 52.15 % by 2025-12-31 (#10")
    assert "58 % by 2025-12-31 (#11" in said


def test_what_agrees_in_the_example_is_balanced(rows: dict[int, dict[str, Any]]) -> None:
    """41.65 % and 48.26 %: the opening and the reconciling entry were made from those figures."""
    for position in (15, 16):
        assert rows[position]["verdict"] == "agrees"
        assert "balanced" in rows[position]["findings"]
    assert says(rows[16], "balanced") == (
        "103,079 = 88,958 opening − 30,879 reconciling + 45,000 by batches"
    )
    assert (rows[17]["verdict"], rows[17]["findings"]) == ("agrees", [])


def test_nothing_of_the_example_was_recorded_when_it_was_published(
    rows: dict[int, dict[str, Any]],
) -> None:
    """The press reports are older than the store: said, and not taken for a contradiction."""
    assert {row["verdict_then"] for row in rows.values()} == {"not-yet-recorded"}
    assert {row["as_known_then"] and 0 for row in rows.values()} == {None}
    assert not any("restated" in row["findings"] for row in rows.values())


# --- how it is printed ----------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [80, 100])
def test_the_table_fits_the_terminal(folder: Path, columns: int) -> None:
    """Figures of every verdict, a province among them; numbers never break."""
    answer = ucj("reconcile", folder=folder, columns=columns, terminal=True)
    bold, plain = "\x1b[1m", "\x1b[0m"
    assert answer.out.startswith(bold)
    printed = answer.out.replace(bold, "").replace(plain, "")
    assert answer.code == 0
    table = printed.partition("\n\n")[0].splitlines()
    assert max(map(len, table)) <= columns
    assert max(map(len, printed.splitlines())) <= columns
    assert table[0].split() == ["#", "As", "of", "Of", "Published", "Ledger", "Verdict"]
    assert any("103,079" in line for line in table)
    assert "30,879 reconciling" in " ".join(printed.splitlines())


def test_agreement_that_is_balanced_is_counted_apart(example: Path) -> None:
    """The last lines say how many figures came to what, from each of the three points."""
    lines = ucj("reconcile", "16.06", folder=example).lines
    assert lines[-2:] == [
        (
            "11 figures, as known at #28: 4 agree (of these 2 balanced), 2 differ, 5 unclassified;"
            " 4 other findings."
        ),
        (
            "As known when published: 11 not yet recorded. By what claims a document of that day or"
            " before: 11 without a ledger."
        ),
    ]


def test_numbers_printed_alone_are_shown_and_untested_ones_told(tmp_path: Path) -> None:
    """A potential that agrees is shown where it is all that is printed; a target is no potential."""
    _filled(tmp_path)
    text = (
        "area,as_of,potential,target_percent,publisher,source\n"
        "16.06,2025-10-31,213582,,Dinas,A\n"
        "16.06,2025-10-31,,58,Dinas,B\n"
    )
    (tmp_path / "alone.csv").write_text(text, encoding="utf-8")
    assert ucj("import", "figures", "alone.csv", "--locale", "en", folder=tmp_path).code == 0
    out = ucj("reconcile", "16.06", "--format", "table", folder=tmp_path).out
    (potential,) = [line for line in out.splitlines() if line.startswith("30 ")]
    assert potential.count("of 213,582") == 2
    words = " ".join(out.split())
    assert "because nothing is printed that a ledger holds: - #31" in words
    assert "only a target of 58 % is printed, and a ledger holds no targets" in words
    assert "no potential is in force" not in words
    assert "1 of a target alone" in words
    assert "without a ledger" not in words.split("As known when published")[0]


def test_a_gap_without_a_target_is_told_to_lack_one(tmp_path: Path) -> None:
    """The ledger has that day; the verdict's code stays."""
    assert ucj("init", folder=tmp_path).code == 0
    files = {
        "potentials": "area,valid_from,workers,definition,source\n16.71,2025-01-01,12000,w,BPS\n",
        "batches": "reference,action,area,category,workers,effective_on\n"
        "SK 1,enrol,16.71,guru,5000,2025-01-01\n",
        "figures": "area,as_of,gap,publisher,source,published_on\n"
        "16.71,2025-03-31,100,Dinas,A,2035-01-01\n16.71,2024-03-31,100,Dinas,B,2035-01-01\n",
    }
    for kind, text in files.items():
        (tmp_path / f"{kind}.csv").write_text(text, encoding="utf-8")
        answer = ucj("import", kind, f"{kind}.csv", "--locale", "en", folder=tmp_path)
        assert answer.code == 0, answer
    out = ucj("reconcile", "--format", "table", folder=tmp_path).out
    words = " ".join(out.split())
    assert "only a gap is printed, and no target is known to count it from" in words
    assert words.count("1 without a ledger, 1 without a target") == 3, "now, then and documented"
    (row,) = [line for line in out.splitlines() if "2025-03-31" in line and "gap 100" in line]
    assert row.split("  ")[-1].strip() == "no target"
    codes = [row["verdict"] for row in ucj("reconcile", "--format", "json", folder=tmp_path).json()]
    assert codes == ["no-ledger", "no-ledger"]


def test_an_area_without_figures_says_so(example: Path) -> None:
    """And a position before the first figure, likewise."""
    assert "No figures, as known at #28." in ucj("reconcile", "11", folder=example).out
    earlier = ucj("reconcile", "--known", "@9", "--format", "json", folder=example)
    assert (earlier.code, earlier.json()) == (0, [])


def test_every_format_has_the_same_figures(example: Path) -> None:
    """CSV has the keys of JSON as columns; lists in a cell are JSON."""
    listed = ucj("reconcile", "--format", "json", folder=example).json()
    text = ucj("reconcile", "--format", "csv", folder=example).out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [list(row) for row in rows] == [list(row) for row in listed]
    assert [json.loads(row["findings"]) for row in rows] == [row["findings"] for row in listed]
    lines = ucj("reconcile", "--format", "jsonl", folder=example).lines
    assert [json.loads(line) for line in lines] == listed


def test_what_a_figure_says_of_itself_moves_no_cursor(tmp_path: Path) -> None:
    """Words from outside are shown safely, in the notes too."""
    _filled(tmp_path)
    text = FIGURES.splitlines()[0] + "\n16.06,2025-10-31,,,1,,,D,,=cmd|' /C calc'!A0\n"
    (tmp_path / "odd.csv").write_text(text, encoding="utf-8")
    assert ucj("import", "figures", "odd.csv", "--locale", "en", folder=tmp_path).code == 0
    out = ucj("reconcile", "--format", "csv", folder=tmp_path).out
    assert ",=cmd" not in out


# --- strictness -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("area", "strict", "code"),
    [
        ("16.06", (), 0),
        ("16.06", ("--strict",), 1),
        ("16.06", ("--strict=independent",), 1),
        ("15.03", ("--strict",), 0),
        ("15.03", ("--strict=independent",), 1),
        ("16.09", ("--strict",), 1),
        ("11", ("--strict=independent",), 0),
    ],
)
def test_strict_exits_with_one_if_something_was_found(
    example: Path, area: str, strict: Sequence[str], code: int
) -> None:
    """Balanced agreement is enough for --strict, and not for --strict=independent."""
    assert ucj("reconcile", *strict, area, folder=example).code == code
    assert ucj("reconcile", area, *strict, "--format", "json", folder=example).code == code


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("99.99",), 1, "no area has the code 99.99"),
        (("1606",), 1, "Kemendagri"),
        (("--known", "@99"), 1, "#99 is not recorded yet"),
        (("--known", "2099-01-01"), 1, "has not come yet"),
        (("--strict=never",), 2, "independent"),
        (("16.06", "--as", "R"), 2, "--as goes with --settle only"),
        (("16.06", "--dry-run"), 2, "--dry-run goes with --settle only"),
        (("16.06", "--settle", "--reason", "x"), 2, "--settle needs --as"),
        (("16.06", "--settle", "--as", "R"), 2, "--settle needs --reason"),
        (
            ("--settle", "--as", "R", "--reason", "x", "--known", "@3"),
            2,
            "--known does not go with --settle",
        ),
        (
            ("--settle", "--as", "R", "--reason", "x", "--strict"),
            2,
            "--strict does not go with --settle",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(
    example: Path, options: Sequence[str], code: int, said: str
) -> None:
    """In one go, with the reason, and nothing on stdout."""
    answer = ucj("reconcile", *options, folder=example)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err


# --- settling -------------------------------------------------------------------------------------


def settle(folder: Path, *options: str, reference: str = "REKON-1") -> Answer:
    """Tell it to settle."""
    named = ("--as", reference, "--reason", "no list was found")
    return ucj("reconcile", "--settle", *named, *options, folder=folder)


def event(folder: Path, position: int) -> dict[str, Any]:
    """Return an event as stored."""
    (shown,) = [ucj("show", f"@{position}", "--format", "json", folder=folder).json()]
    return dict(shown["state"])


def test_settling_records_a_visible_entry_in(folder: Path) -> None:
    """6,921 heads of the category named, from the figure's day, with the reason and the figure."""
    before = head(folder / "registry.db")
    answer = settle(folder, "--figure", "@30", "--category", "guru")
    assert answer.code == 0, answer
    assert answer.lines[1:] == [
        "REKON-1 of Musi Banyuasin (16.06): reconciling, settles the figure at #30",
        "  +6,921 guru from 2025-10-31",
    ]
    stored = event(folder, before + 1)
    assert (stored["kind"], stored["settles"], stored["effective_on"]) == (
        "reconciling",
        30,
        "2025-10-31",
    )
    assert (stored["note"], stored["recorded_by"]) == ("no list was found", "siti")
    row = _figure(folder, 30)
    assert (row["verdict"], row["findings"]) == ("agrees", ["balanced"])


def test_settling_records_a_visible_entry_out_at_the_end_of_a_month(folder: Path) -> None:
    """Of the open-ended pool; a month is settled on its last day."""
    answer = settle(folder, "--figure", "@34", "--category", "tidak terklasifikasi")
    assert answer.code == 0, answer
    assert "-8,160 tidak-terklasifikasi from 2025-12-31" in answer.out
    assert _figure(folder, 34)["verdict"] == "agrees"


def test_a_figure_of_a_category_is_settled_in_that_category(folder: Path) -> None:
    """Once there are heads of it; the category need not be named, and no other may be."""
    assert settle(folder, "--figure", "@30", "--category", "guru").code == 0
    wrong = settle(folder, "--figure", "@31", "--category", "marbot", reference="REKON-2")
    assert (wrong.code, "is of guru, not of marbot" in wrong.err) == (1, True)
    assert settle(folder, "--figure", "@31", reference="REKON-2").code == 0
    assert _figure(folder, 31)["verdict"] == "agrees"


def test_who_has_an_end_is_settled_out_of_the_batch_that_is_named(folder: Path) -> None:
    """Heads with a term are in no pool: without the batch it is refused, with it the figure agrees."""
    (folder / "term.csv").write_text(
        "reference,area,category,action,workers,effective_on,covered_until\n"
        "TERM-1,16.71,guru,enrol,500,2025-01-01,2026-12-31\n"
    )
    (folder / "one.csv").write_text(
        "area,as_of,category,segment,active,potential,percent,publisher,published_on,source\n"
        "16.71,2025-06-30,guru,,450,,,Dinas,2025-07-01,Siaran\n"
    )
    for kind, file in (("batches", "term.csv"), ("figures", "one.csv")):
        answer = ucj("import", kind, file, "--locale", "en", folder=folder)
        assert answer.code == 0, answer
    figure = head(folder / "registry.db")
    named = ("reconcile", "16.71", "--settle", "--figure", f"@{figure}", "--reason", "no list")
    refused = ucj(*named, "--as", "REKON-9", folder=folder)
    assert (refused.code, "name the batch" in refused.err) == (1, True), refused
    answer = ucj(*named, "--as", "REKON-9", "--of-batch", "TERM-1", folder=folder)
    assert answer.code == 0, answer
    assert "-50 guru from 2025-06-30" in answer.out
    assert _figure(folder, figure)["verdict"] == "agrees"


def test_of_batch_is_of_who_leaves(folder: Path) -> None:
    """Who is brought in comes out of no batch; a part is one of a batch."""
    answer = settle(folder, "--figure", "@30", "--category", "guru", "--of-batch", "SK-1")
    assert (answer.code, "Leave --of-batch out" in answer.err) == (1, True), answer
    answer = settle(folder, "--figure", "@30", "--of-part", "A")
    assert (answer.code, "--of-part goes with --of-batch" in answer.err) == (2, True), answer


def test_a_closed_day_is_settled_only_by_two(folder: Path) -> None:
    """As any change of closed days: refused, or recorded as late where a second person wants it."""
    assert ucj("close", "16.06", "--through", "2025-10-31", folder=folder).code == 0
    asked = ("--figure", "@30", "--category", "guru")
    assert settle(folder, *asked).code == 1
    answer = settle(folder, *asked, "--override", "agreed in the audit", "--seconded-by", "budi")
    assert answer.code == 0, answer
    assert _figure(folder, 30)["verdict"] == "agrees"
    answer = ucj("reconcile", "--override", "x", "--seconded-by", "budi", folder=folder)
    assert (answer.code, "--override goes with --settle only" in answer.err) == (2, True), answer


def test_a_dry_run_of_settling_records_nothing(folder: Path) -> None:
    """It says what it would."""
    with nothing_recorded(folder / "registry.db"):
        answer = settle(folder, "--figure", "@30", "--category", "guru", "--dry-run")
    assert answer.code == 0
    assert "+6,921 guru from 2025-10-31" in answer.out
    assert "nothing was recorded" in answer.out


def test_asking_settles_nothing(folder: Path) -> None:
    """Only when told to."""
    with nothing_recorded(folder / "registry.db"):
        assert ucj("reconcile", "--strict", folder=folder).code == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "the heads of 2 figures differ"),
        (("16.06",), "of which category"),
        (("--figure", "@30"), "of which category"),
        (("--figure", "@99"), "no figure of that area was recorded at #99"),
        (("15.03", "--figure", "@30"), "no figure of that area was recorded at #30"),
        (("--figure", "@18"), "it prints no heads"),
        (("--figure", "@21"), "of no stated category"),
        (("--figure", "@32"), "is no kabupaten or kota"),
        (("--figure", "@33"), "of which day it is"),
        (("--figure", "@30", "--category", "no such"), "no such"),
    ],
)
def test_nothing_is_settled_by_guess(folder: Path, options: Sequence[str], said: str) -> None:
    """Figure, day, heads and category are named or plain; otherwise nothing is recorded."""
    with nothing_recorded(folder / "registry.db"):
        answer = settle(folder, *options)
    assert (answer.code, answer.out) == (1, "")
    assert said in answer.err


def test_a_retracted_figure_is_not_settled(folder: Path) -> None:
    """It was taken back."""
    assert ucj("retract", "figure", "@30", "--reason", "misprint", folder=folder).code == 0
    answer = settle(folder, "--figure", "@30", "--category", "guru")
    assert (answer.code, "it was taken back" in answer.err) == (1, True)


@pytest.mark.parametrize("options", [("--figure", "@36"), ("16.09",)])
def test_what_agrees_needs_no_settling(folder: Path, options: Sequence[str]) -> None:
    """Nothing to do is done."""
    with nothing_recorded(folder / "registry.db"):
        answer = settle(folder, *options)
    assert answer.code == 0, answer
    assert answer.out.startswith("nothing to settle: ")


def test_settling_keeps_to_the_rules(folder: Path) -> None:
    """Nobody leaves who is not there: guru has no heads to give for the figure of #34."""
    with nothing_recorded(folder / "registry.db"):
        answer = settle(folder, "--figure", "@34", "--category", "guru")
    assert answer.code == 1
    assert "guru" in answer.err


def test_what_it_shows_in_docs_is_what_it_prints() -> None:
    """The page of the commands has it, with an example of each use."""
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert "ucj reconcile --strict --format json" in page
    assert "ucj reconcile 16.06 --settle --figure @16" in page


def _figure(folder: Path, position: int) -> dict[str, Any]:
    rows = ucj("reconcile", "--format", "json", folder=folder).json()
    (row,) = [each for each in rows if each["position"] == position]
    return dict(row)
