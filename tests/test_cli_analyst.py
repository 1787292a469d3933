"""What analysts ask, through the program: timeline and sql over the published example."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.program import EXAMPLE, ROOT, Answer, head, nothing_recorded, ucj

VIEWS = [
    "area_changes",
    "area_days",
    "areas",
    "categories",
    "closings",
    "entries",
    "events",
    "figures",
    "imports",
    "overrides",
    "potentials",
    "taken_back",
    "targets",
]


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the example imported into registry.db."""
    folder = tmp_path_factory.mktemp("analyst")
    assert ucj("init", folder=folder).code == 0
    for kind in ("potentials", "batches", "targets", "figures"):
        answer = ucj("import", kind, EXAMPLE / f"{kind}.csv", "--locale", "en", folder=folder)
        assert answer.code == 0, answer
    return folder


# --- coverage and timeline: the worked example ----------------------------------------------------


@pytest.mark.parametrize(
    ("on", "active", "percent"),
    [("2024-12", 88_958, 41.65), ("16/07/2025", 133_958, 62.72), ("31 Juli 2025", 103_079, 48.26)],
)
def test_the_worked_example(folder: Path, on: str, active: int, percent: float) -> None:
    """As imported: three dates of Musi Banyuasin."""
    answer = ucj("coverage", "Muba", "--on", on, "--format", "json", folder=folder)
    (row,) = answer.json()
    assert (row["active"], row["coverage_percent"], row["potential"]) == (active, percent, 213_582)
    assert row["known_position"] == head(folder / "registry.db")


def test_the_timeline_tells_the_worked_example(folder: Path) -> None:
    """Three days of change, with what came and went; what was only reconciled stands apart."""
    answer = ucj("timeline", "16.06", "--to", "2025-12", "--format", "json", folder=folder)
    keys = ("on", "workers_in", "workers_out", "reconciled", "active", "coverage_percent")
    assert [tuple(row[key] for key in keys) for row in answer.json()] == [
        ("2024-12-31", 88_958, 0, 0, 88_958, 41.65),
        ("2025-07-16", 45_000, 0, 0, 133_958, 62.72),
        ("2025-07-31", 0, 0, -30_879, 103_079, 48.26),
    ]


def test_a_table_has_reconciled_where_anything_is(folder: Path) -> None:
    """A column beside In and Out, within 80 characters; none where it would be zeros."""
    shown = ucj("timeline", "16.06", "--to", "2025-12", folder=folder, columns=80)
    header, _, *rows = shown.lines
    assert header.split()[:5] == ["On", "In", "Out", "Reconciled", "Active"]
    assert rows[2].split()[:5] == ["2025-07-31", "0", "0", "-30,879", "103,079"]
    assert max(map(len, shown.lines[:5])) <= 80
    before = ucj("timeline", "16.06", "--to", "2025-07-30", folder=folder)
    assert "Reconciled" not in before.out


def test_a_table_says_how_many_regencies_are_counted(folder: Path) -> None:
    """The mark, 1 of 17, and what the mark means; all within 80 characters."""
    asked = ("timeline", "16", "--from", "2025-07", "--to", "2025-07")
    answer = ucj(*asked, folder=folder, columns=80)
    assert "with both an active count and a potential" in answer.out
    (header, _, row, *_) = answer.lines
    flows = ["In", "Out", "Reconciled"]
    assert header.split() == ["On", *flows, "Active", "Potential", "Coverage", "Regencies"]
    assert row.startswith("2025-07-31")
    assert row.endswith("* 1 of 17")
    assert len(header) <= 80


def test_of_two_categories_none_is_left_unsaid(folder: Path) -> None:
    """`--category` means one; the last of two would be answered as if it were both."""
    answer = ucj("coverage", "--category", "guru", "--category", "marbot", folder=folder)
    assert (answer.code, answer.out) == (2, "")
    assert "--category can be given once" in answer.err


def test_the_timeline_by_category_and_as_known(folder: Path) -> None:
    """A row for each category that changed; before the batches were known there is none."""
    assert "* Points are of" in ucj("timeline", "16", "--by", "category", folder=folder).out
    found = ucj("timeline", "16.06", "--by", "category", "--format", "csv", folder=folder)
    assert [line.split(",")[2:4] for line in found.lines[1:]] == [
        ["tidak-terklasifikasi", "2024-12-31"],
        ["pekerja-rentan", "2025-07-16"],
        ["tidak-terklasifikasi", "2025-07-31"],
    ]
    before = ucj("timeline", "16.06", "--known", "@3", "--format", "json", folder=folder).json()
    assert [row["active"] for row in before] == [None], "the potential alone"


def test_a_timeline_that_ends_before_it_begins_is_usage(folder: Path) -> None:
    """Nothing is guessed."""
    answer = ucj("timeline", "16", "--from", "2025-08", "--to", "2025-07", folder=folder)
    assert answer.code == 2
    assert "--from 2025-08-31 is after --to 2025-07-31" in answer.err


QUESTIONS = [
    ("coverage", "16.06"),
    ("coverage", "16", "--by", "area"),
    ("timeline", "16.06"),
    ("history",),
    ("sql", "FROM entries"),
]
NOTHING_YET = {
    "coverage": "No batch is recorded there up to that day.",
    "timeline": "No batch is recorded there up to that day.",
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("known", ["#0", "@0", "2024-01-01"])
def test_before_the_first_event_nothing_is_known(
    folder: Path, question: tuple[str, ...], known: str
) -> None:
    """An answer, not a refusal: as known at #0 there is nothing, and it is said."""
    answer = ucj(*question, "--known", known, folder=folder)
    assert answer.code == 0, answer
    assert "as known at #0" in answer.out.replace("As", "as")
    assert NOTHING_YET.get(question[0], "") in answer.out


def test_a_potential_without_a_batch_is_not_nothing(folder: Path) -> None:
    """What is missing is named: the batches, or those of the category asked."""
    for question in ("coverage", "timeline"):
        answer = ucj(question, "16.06", "--known", "@3", folder=folder)
        assert "No batch is recorded there up to that day." in answer.out
        assert "213,582" in answer.out
        assert "No batch" not in ucj(question, "16.06", folder=folder).out
    asked = ("coverage", "16.06", "--by", "category", "--category", "marbot")
    assert "No batch of marbot is recorded there" in ucj(*asked, folder=folder).out


@pytest.mark.parametrize("question", [*QUESTIONS, ("show", "@1"), ("source", "@1")])
@pytest.mark.parametrize(
    ("known", "words"),
    [
        ("#999999", "the log ends at #28"),
        ("@99999999999", "the log ends at #28"),
        ("2199-12-31", "has not come yet"),
        ("2199-12-31T00:00:00Z", "has not come yet"),
        ("9999-12-31", "out of range"),
        ("2025-13-77", "no day of the calendar"),
        ("soon", "soon is not a day"),
        ("", "is not a day"),
    ],
)
def test_what_cannot_be_known_is_refused(
    folder: Path, question: tuple[str, ...], known: str, words: str
) -> None:
    """Exit 1, nothing on stdout, in words."""
    answer = ucj(*question, "--known", known, folder=folder)
    assert (answer.code, answer.out) == (1, ""), answer
    assert words in answer.err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("coverage", "16.06", "--on", "2025-13"), "--on: 2025-13"),
        (("coverage", "16.06", "--on", "9999-12-31"), "--on: 9999-12-31 is out of range"),
        (("timeline", "16.06", "--from", "x", "--to", "2025"), "--from: x"),
        (("timeline", "16.06", "--from", "2025-01", "--to", "2025"), "--to: 2025"),
        (("coverage", "1606"), "Write Kemendagri's code with its dot (16.06), or the name"),
    ],
)
def test_a_refusal_names_the_option_and_what_helps_here(
    folder: Path, given: tuple[str, ...], words: str
) -> None:
    """Two dates may be given; and what a file may declare is no option of a question."""
    answer = ucj(*given, folder=folder)
    assert answer.code == 1, answer
    assert words in answer.err
    assert "--area-codes" not in answer.err


# --- sql --------------------------------------------------------------------------------------------


def sql(folder: Path, statement: str, *options: str) -> Answer:
    """Ask in SQL."""
    return ucj("sql", statement, *options, folder=folder)


def test_sql_answers_over_the_views(folder: Path) -> None:
    """The sum that is the whole of coverage, joined with the areas."""
    found = sql(
        folder,
        "SELECT a.name, sum(e.workers) AS active FROM entries e JOIN areas a ON a.code = e.area"
        " WHERE e.effective_on <= DATE '2025-07-31' GROUP BY ALL ORDER BY ALL",
        "--format",
        "json",
    )
    assert found.json() == [
        {"name": "Musi Banyuasin", "active": 103_079},
        {"name": "Sarolangun", "active": 48_160},
    ]
    tables = sql(folder, "SHOW TABLES", "--format", "json").json()
    assert [row["name"] for row in tables] == VIEWS


def test_sql_is_as_known(folder: Path) -> None:
    """The views end at --known, whatever the image holds beyond it."""
    (row,) = sql(
        folder, "SELECT count(*) AS n FROM events", "--known", "@3", "--format", "json"
    ).json()
    assert row == {"n": 3}
    assert sql(folder, "FROM entries", "--known", "@3", "--format", "json").json() == []


def test_a_whole_number_of_sql_may_be_a_year(folder: Path, tmp_path: Path) -> None:
    """It is printed as it is, and stays a whole number where there are types."""
    statement = "SELECT DISTINCT year(effective_on) AS y, position FROM entries WHERE position = 6"
    for form in ("table", "md", "csv"):
        assert "2025" in sql(folder, statement, "--format", form).out
    import duckdb

    target = tmp_path / "y.parquet"
    assert sql(folder, statement, "--output", str(target)).code == 0
    with duckdb.connect() as engine:
        assert engine.sql(f"SELECT y, typeof(y) FROM '{target}'").fetchall() == [(2025, "BIGINT")]


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl", "md", "parquet", "xlsx"])
def test_every_type_prints_in_every_format(folder: Path, tmp_path: Path, form: str) -> None:
    """Decimals, days, instants, lists, nested values, and what has no number or end."""
    statement = (
        "SELECT 1.50::DECIMAL(9,2) AS d, 0.1 + 0.2::DOUBLE AS f, DATE '2025-07-31' AS day,"
        " TIMESTAMPTZ '2025-07-31 07:00:00+07' AS t, TIME '10:00' AS u, INTERVAL 1 DAY AS v,"
        " [1, 2] AS l, [DATE '2025-01-01'] AS ld, {'a': [1.5]} AS s, MAP {'k': 1} AS m, true AS b,"
        " NULL AS n, 1::HUGEINT << 100 AS h, 'x'::BLOB AS raw, 'inf'::DOUBLE AS i,"
        " DATE 'infinity' AS e, uuid() AS id, 'a'::ENUM('a', 'b') AS en, 'A' AS a, 'B' AS a"
    )
    ending = {"table": "txt"}.get(form, form)
    output = tmp_path / f"answer.{ending}"
    answer = sql(folder, statement, "--format", form, "--output", str(output))
    assert answer.code == 0, answer
    assert output.stat().st_size > 0
    if form == "json":
        (row,) = json.loads(output.read_text(encoding="utf-8"))
        del row["id"]
        assert row == {
            "d": 1.5, "f": 0.30000000000000004, "day": "2025-07-31", "t": "2025-07-31T00:00:00Z",
            "u": "10:00:00", "v": "1 day", "l": [1, 2], "ld": ["2025-01-01"], "s": {"a": [1.5]},
            "m": {"k": 1}, "b": True, "n": None, "h": 1 << 100, "raw": "x", "i": None, "e": None,
            "en": "a", "a": "A", "a_1": "B",
        }  # fmt: skip
        assert '"d": 1.50' in output.read_text(encoding="utf-8")


REFUSED = [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "FROM glob('/etc/*')",
    "SELECT * FROM read_blob('registry.db')",
    "COPY (SELECT 1) TO 'written.csv'",
    "ATTACH 'other.db'",
    "INSTALL json",
    "LOAD json",
    "SET threads = 1",
    "PRAGMA version",
    "CALL pragma_version()",
    "CREATE TABLE t (i INT)",
    "CREATE TEMP TABLE t AS SELECT 1",
    "INSERT INTO entries SELECT * FROM entries",
    "DELETE FROM memory.tail.entries",
    "DROP VIEW entries",
    "WITH t AS (DELETE FROM memory.tail.entries RETURNING *) SELECT * FROM t",
    "WITH t AS (INSERT INTO memory.tail.taken_back VALUES (1, 1, 'x') RETURNING *) SELECT * FROM t",
    "SELECT 1; SELECT 2",
    "EXPORT DATABASE 'here'",
    "EXPLAIN ANALYZE SELECT 1",
    "BEGIN",
    "USE memory",
    "",
    "/* nothing */",
    "SELEC 1",
    "SELECT nothing FROM entries",
    "SELECT * FROM nowhere",
    "SELECT 'a'::INTEGER",
    "SELECT $1",
    "SELECT error('mine')",
    "FROM sqlite_scan('registry.db', 'stored_events')",
]


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("INSTALL httpfs", "INSTALL"),
        ("/* first */ load json", "LOAD"),
        ("use memory", "USE"),
        ("BEGIN", "BEGIN"),
        ("WITH t AS (SELECT 1) INSERT INTO entries FROM t", "INSERT"),
    ],
)
def test_a_refusal_names_the_word_typed(folder: Path, statement: str, word: str) -> None:
    """Not what the engine files it under; but WITH is admitted, so what follows it is named."""
    assert f"{word} is not admitted" in sql(folder, statement).err


def test_a_killed_statement_leaves_a_folder_that_is_known(folder: Path) -> None:
    """Where it spills is named after the process, so that the next import removes it."""
    found = sql(folder, "SELECT current_setting('temp_directory') AS place", "--format", "json")
    ((place),) = (row["place"] for row in found.json())
    assert re.fullmatch(rf"ucj-[0-9a-f]{{8}}-{os.getpid()}-\w+", Path(place).name)
    assert not Path(place).exists()


@pytest.mark.parametrize("statement", REFUSED)
def test_what_is_not_one_question_is_refused(folder: Path, statement: str) -> None:
    """In a line or three, exit 1; nothing is read, written, or rebuilt."""
    before = sorted(str(each) for each in folder.rglob("*"))
    with nothing_recorded(folder / "registry.db"):
        answer = sql(folder, statement, "--format", "json")
    assert answer.code == 1, answer
    assert answer.out == ""
    assert 1 <= len(answer.err.splitlines()) <= 3, answer
    assert "Traceback" not in answer.err
    assert "root:" not in answer.err
    assert "damaged" not in answer.err
    assert sorted(str(each) for each in folder.rglob("*")) == before


def test_without_the_protection_the_file_would_be_read(tmp_path: Path) -> None:
    """Negative control: an engine that is not shut in does read and write files."""
    import duckdb

    secret = tmp_path / "secret.txt"
    secret.write_text("hidden", encoding="utf-8")
    with duckdb.connect() as engine:
        found = engine.execute(f"SELECT content FROM read_text('{secret}')").fetchall()
        engine.execute(f"COPY (SELECT 1 AS i) TO '{tmp_path / 'written.csv'}'")
    assert found == [("hidden",)]
    assert (tmp_path / "written.csv").exists()


def test_a_refused_statement_leaves_an_image_alone(folder: Path) -> None:
    """A conversion that fails over a published image is no damage."""
    assert ucj("rebuild", folder=folder).code == 0
    images = sorted((folder / "registry.db.ledger").glob("*.duckdb"))
    written = [each.stat().st_mtime_ns for each in images]
    answer = sql(folder, "SELECT reference::INTEGER FROM entries")
    assert answer.code == 1
    assert images
    assert [each.stat().st_mtime_ns for each in images] == written


@pytest.mark.skipif(os.name != "posix", reason="signals as a terminal sends them")
def test_ctrl_c_stops_a_long_statement(folder: Path) -> None:
    """Exit 130, soon, in one line."""
    statement = (
        "SELECT count(*) FROM range(9000000) a, range(9000000) b WHERE (a.range * b.range) % 7 = 3"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "cli.main", "sql", statement],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            # Interrupted until it hears: the first may come while Python is still starting.
            deadline = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    process.wait(timeout=3)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=5)
        finally:
            process.kill()  # a statement that does not hear would be worked out for days
    assert process.returncode == 130, err.decode()
    assert out == b""
    assert len(err.decode().strip().splitlines()) == 1


# --- what a starred row was worked out from --------------------------------------------------------


@pytest.fixture(name="partly", scope="module")
def _partly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder where one regency has a potential, another none, and the province its own."""
    folder = tmp_path_factory.mktemp("partly")
    files = {
        "potentials": "area,valid_from,workers,definition,source\n"
        "16.06,2024-12-31,400,workers,BPS\n16,2024-12-31,8000,workers,BPS\n",
        "batches": "reference,action,area,category,workers,effective_on\n"
        "SK 1,enrol,16.06,guru,100,2025-01-01\nSK 2,enrol,16.71,marbot,70,2025-01-01\n",
    }
    assert ucj("init", folder=folder).code == 0
    for kind, text in files.items():
        (folder / f"{kind}.csv").write_text(text, encoding="utf-8")
        answer = ucj("import", kind, f"{kind}.csv", "--locale", "en", folder=folder)
        assert answer.code == 0, answer
    return folder


def test_a_starred_row_can_be_worked_out_by_hand(partly: Path) -> None:
    """100 of 400, not 170 of 400: the heads that were counted stand beside all."""
    answer = ucj("coverage", "16", folder=partly)
    header, _, row, *notes = answer.lines
    assert "Active counted" in header
    assert row.split()[3:8] == ["170", "100", "400", "25.00", "%"]
    assert "* 1 of 17 regencies" in row
    assert any("Active counted is of them, Active of all." in note for note in notes)
    alone = ucj("coverage", "16.06", folder=partly)
    assert "Active counted" not in alone.out, "negative control: nothing differs"


def test_an_own_potential_is_of_all_and_not_starred(partly: Path) -> None:
    """170 of the province's own 8,000: no regency is left out of it."""
    answer = ucj("coverage", "16", "--own-potential", folder=partly)
    assert "2.13 %  1 of 17 regencies" in answer.out
    assert "*" not in answer.out
    assert "own recorded potential" in answer.out
    rows = ucj("coverage", "16", "16.06", "--format", "json", folder=partly).json()
    assert [row["own_potential"] for row in rows] == [False, True]
    (own,) = ucj("coverage", "16", "--own-potential", "--format", "json", folder=partly).json()
    assert (own["own_potential"], own["active_counted"]) == (True, 170)


def test_the_source_of_a_potential_is_said_where_all_rows_have_it(tmp_path: Path) -> None:
    """Of rows with several, or of an area that sums several up, no one's is all of theirs."""
    folder = tmp_path

    def said(*areas: str) -> list[str]:
        answer = ucj("coverage", *areas, "--on", "2025-07", folder=folder)
        return [line for line in answer.lines if line.startswith("Potential:")]

    potentials = "area,valid_from,workers,definition,source\n"
    for number, rows in enumerate(
        (
            "16.06,2025-01-01,1000,workers,BPS\n16.71,2025-01-01,900,workers,BPS\n",
            "16.07,2025-01-01,500,farmers,Disnaker\n",
        )
    ):
        (folder / f"p{number}.csv").write_text(potentials + rows, encoding="utf-8")
    batches = "reference,action,area,category,workers,effective_on\n" + "".join(
        f"SK {area},enrol,{area},guru,10,2025-01-01\n" for area in ("16.06", "16.71", "16.07")
    )
    (folder / "b.csv").write_text(batches, encoding="utf-8")
    assert ucj("init", folder=folder).code == 0
    for kind, name in (("potentials", "p0"), ("batches", "b")):
        assert ucj("import", kind, f"{name}.csv", "--locale", "en", folder=folder).code == 0
    assert said("16.06", "16") == ["Potential: workers (BPS)."]
    assert ucj("import", "potentials", "p1.csv", "--locale", "en", folder=folder).code == 0
    assert said("16.06") == ["Potential: workers (BPS)."]
    assert said("16") == []
    assert said("16.06", "16") == []


def test_more_who_left_than_are_attributed_are_explained(tmp_path: Path) -> None:
    """50 leave without naming a batch: by who pays that is −50 of nobody known."""
    rows = (
        "reference,action,area,category,workers,effective_on,funding,reason\n"
        "SK 1,enrol,16.06,guru,100,2025-01-01,csr,\n"
        "SK 2,deactivate,16.06,guru,50,2025-02-01,,arrears\n"
    )
    (tmp_path / "b.csv").write_text(rows, encoding="utf-8")
    assert ucj("init", folder=tmp_path).code == 0
    assert ucj("import", "batches", "b.csv", "--locale", "en", folder=tmp_path).code == 0
    answer = ucj("coverage", "16.06", "--by", "funding", folder=tmp_path)
    assert "-50" in answer.out
    assert "Not attributed, below 0" in answer.out
    whole = ucj("coverage", "16.06", folder=tmp_path)
    assert "Not attributed" not in whole.out, "negative control: nobody is missing"


def test_without_a_potential_there_is_no_own_one(partly: Path) -> None:
    """Not of a regency either; one with a potential and no batch has its own."""
    asked = ("coverage", "16.71", "16.01", "--own-potential", "--format", "json")
    rows = ucj(*asked, folder=partly).json()
    assert [(row["potential"], row["own_potential"]) for row in rows] == [(None, False)] * 2
    before = ("coverage", "16.06", "16.71", "--on", "2024-12-31", "--format", "json")
    rows = ucj(*before, folder=partly).json()
    said = [(row["active"], row["potential"], row["own_potential"]) for row in rows]
    assert said == [(None, 400, True), (None, None, False)]


# --- what an analyst should not overlook ------------------------------------------------------


@pytest.fixture(name="odd", scope="module")
def _odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store where one regency has more heads than potential, and one has no potential."""
    folder = tmp_path_factory.mktemp("odd")
    assert ucj("init", folder=folder).code == 0
    files = {
        "potentials": "area,valid_from,workers,definition,source\n16.06,2024-12-01,100,workers,BPS\n",
        "batches": "reference,action,area,category,workers,effective_on\n"
        "S1,enrol,16.06,guru,90,2025-01-01\nS1,enrol,16.06,bpd,60,2025-01-01\n"
        "S2,enrol,16.07,guru,7,2025-01-01\n",
    }
    for kind, content in files.items():
        (folder / f"{kind}.csv").write_text(content, encoding="utf-8")
        assert ucj("import", kind, f"{kind}.csv", folder=folder).code == 0
    return folder


@pytest.mark.parametrize(
    ("command", "warned"),
    [
        (("coverage", "16.06", "--on", "2025-02"), True),
        (("coverage", "16.06", "--on", "2025-02", "--by", "category"), True),
        (("coverage", "16.06", "--on", "2025-02", "--category", "guru"), False),
        (("timeline", "16.06", "--to", "2025-02"), True),
        (("timeline", "16.07", "--to", "2025-02"), False),
    ],
)
def test_more_than_all_is_warned_of(odd: Path, command: tuple[str, ...], warned: bool) -> None:
    """In one figure, in groups that come to it together, and on any day of a timeline."""
    answer = ucj(*command, folder=odd)
    assert answer.code == 0, answer
    assert ("above 100 %" in answer.out) == warned, answer


def test_heads_without_a_potential_are_said_to_be_so(odd: Path) -> None:
    """A dash alone does not say why there is no percentage."""
    answer = ucj("coverage", "16.06", "16.07", "--on", "2025-02", folder=odd)
    (said,) = [line for line in answer.lines if "No labour potential" in line]
    assert said.endswith("Banyuasin.")
    assert "No labour potential" not in ucj("coverage", "16.06", folder=odd).out


def test_a_statement_that_would_fill_the_disk_is_refused(
    odd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits in the temporary folder has a limit; the control is the same within it."""
    monkeypatch.setattr("projections.statements.MEMORY_LIMIT", "64MB")
    monkeypatch.setattr("projections.statements.SPILL_LIMIT", "16MB")
    question = "SELECT repeat(hash(i)::VARCHAR, 400) AS long FROM range({}) AS t(i)"
    refused = ucj("sql", question.format(100_000), "--format", "csv", folder=odd)
    assert refused.code == 1, refused.err
    assert "needs more room" in refused.err
    assert not refused.out
    assert ucj("sql", question.format(100), "--format", "csv", folder=odd).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--lang", "id", "--help"), "Tampilkan pesan ini"),
        (("coverage", "--lang", "id", "--help"), "Contoh:"),
        (("coverage", "--lang", "id", "--help"), "Tampilkan pesan ini"),
        (("--lang", "id", "coverage", "--lang", "en", "--help"), "Examples:"),
        (("--lang", "id", "coverage", "--lang", "en", "--help"), "Show this message"),
        (("--lang", "id", "import", "batches", "--help"), "Tampilkan pesan ini"),
    ],
)
def test_help_is_in_the_language_asked_last(
    odd: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Wherever --lang stands, description, options and click's own line are in one language."""
    page = ucj(*arguments, folder=odd)
    assert page.code == 0
    assert said in page.out
    english = {"Examples:", "Show this message"} & {said}
    other = ("Contoh:", "Tampilkan") if english else ("Examples:", "Show this")
    assert not [each for each in other if each in page.out]
