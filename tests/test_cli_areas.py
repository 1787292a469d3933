"""Changes of areas, from a file to the answers: the way of an admin and of an analyst."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from tests.program import ROOT, Answer, ucj
from tests.test_docs_json import schema

PAPUA: Final = ROOT / "examples" / "papua-2022" / "areas.csv"
HEADER: Final = "area,change,on,from,to,source\n"
BATCHES: Final = "reference,action,area,category,workers,effective_on,from_area,from_category\n"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Return a folder with a store that knows of Papua, 2022."""
    assert ucj("init", folder=tmp_path).code == 0
    assert ucj("import", "areas", PAPUA, folder=tmp_path).code == 0
    return tmp_path


def write(folder: Path, name: str, text: str) -> str:
    """Write a file, and return its name."""
    (folder / name).write_text(text, encoding="utf-8")
    return name


def batches(folder: Path, *rows: str) -> Answer:
    """Import batches."""
    name = write(folder, f"batches-{len(list(folder.iterdir()))}.csv", BATCHES + "\n".join(rows))
    answer = ucj("import", "batches", name, folder=folder)
    assert answer.code == 0, answer
    return answer


def rows(folder: Path, *command: str) -> list[dict[str, Any]]:
    """Return the rows of an answer, held to its schema."""
    answer = ucj(*command, "--format", "json", folder=folder)
    assert answer.code == 0, answer
    Draft202012Validator(schema(command[0])).validate(answer.json())
    found: list[dict[str, Any]] = answer.json()
    return found


def active(folder: Path, *command: str) -> dict[str, int | None]:
    """Return the heads by code."""
    return {row["area"]: row["active"] for row in rows(folder, "coverage", *command)}


def test_old_and_new_codes_land_on_one_area(folder: Path) -> None:
    """Of a file from before and one from after; asked by either, the code of the day is shown."""
    batches(folder, "SK 1,enrol,91.01,guru,100,2021-01-01,,")
    batches(
        folder, "SK 2,enrol,93.01,guru,10,2023-01-01,,", "SK 3,enrol,Merauke,bpd,1,2023-01-01,,"
    )
    for code in ("91.01", "93.01", "Merauke"):
        assert active(folder, code, "--on", "2021-12") == {"91.01": 100}
        assert active(folder, code, "--on", "2023-12") == {"93.01": 111}
        assert active(folder, code, "--on", "2021-12", "--boundaries", "now") == {"93.01": 100}
    assert ucj("show", "SK 1", "--area", "91.01", folder=folder).code == 0
    again = batches(folder, "SK 1,enrol,93.01,guru,100,2021-01-01,,")
    assert "nothing is new" in again.out.lower() or "already" in again.out.lower(), again


def test_answers_show_the_code_of_the_day_and_listings_the_one_kept(folder: Path) -> None:
    """As docs/json.md says: a target beside coverage by the code of the day, an event by the list's."""
    batches(folder, "SK 1,enrol,91.01,guru,100,2021-01-01,,")
    given = write(folder, "t.csv", "area,due_on,percent,basis,source\n93.01,2027-12-31,60,R,P\n")
    assert ucj("import", "targets", given, folder=folder).code == 0
    for on, code in (("2021-12", "91.01"), ("2023-12", "93.01")):
        assert [row["area"] for row in rows(folder, "targets", "93.01", "--on", on)] == [code]
    kept = {row["area"] for row in rows(folder, "history", "93.01") if row["area"] is not None}
    assert kept == {"93.01"}


def test_a_province_is_the_sum_of_the_regencies_of_the_day(folder: Path) -> None:
    """Both views of both days, and the nation the same."""
    batches(
        folder,
        "SK 1,enrol,91.01,guru,100,2021-01-01,,",
        "SK 2,enrol,Kota Sorong,guru,50,2021-01-01,,",
        "SK 3,enrol,91.03,guru,7,2021-01-01,,",
    )
    by_province = ("ID", "--by", "province", "--on")
    assert active(folder, *by_province, "2021-12") == {"91": 107, "92": 50}
    assert active(folder, *by_province, "2023-12") == {"91": 7, "93": 100, "96": 50}
    now = active(folder, *by_province, "2021-12", "--boundaries", "now")
    assert now == {"91": 7, "93": 100, "96": 50}
    assert active(folder, "ID", "--on", "2021-12", "--boundaries", "now") == {"ID": 157}
    (papua,) = rows(folder, "coverage", "91", "--on", "2021-12")
    assert (papua["regencies_total"], papua["boundaries"]) == (29, "then")


def test_a_split_regency(folder: Path) -> None:
    """Opened, then transferred by an ordinary file; today's view of before is one row."""
    split = write(folder, "split.csv", HEADER + "16.18,opened,2025-01-01,Muba,Muba Ilir,UU x\n")
    assert ucj("import", "areas", split, folder=folder).code == 0
    batches(
        folder,
        "SK 1,enrol,16.06,guru,100,2024-01-01,,",
        "SK 2,reclassify,Muba Ilir,guru,40,2025-01-01,16.06,guru",
    )
    both = ("16.06", "16.18", "--on")
    assert active(folder, *both, "2024-12", "--boundaries", "now") == {"16.06+16.18": 100}
    assert active(folder, *both, "2024-12") == {"16.06": 100, "16.18": None}
    assert active(folder, *both, "2025-12") == {"16.06": 60, "16.18": 40}
    history = ("timeline", "16.18", "--boundaries", "now", "--to", "2025-12")
    words = ucj(*history, folder=folder).out
    assert "the parts of the split count as one" in words
    assert "came under it" not in words
    days = rows(folder, *history)
    assert [(row["area"], row["active"]) for row in days] == [("16.06+16.18", 100), ("16.18", 40)]
    given = write(folder, "t.csv", "area,due_on,percent,basis,source\n16.18,2027-12-31,60,R,P\n")
    assert ucj("import", "targets", given, folder=folder).code == 0
    for asked in (
        ("revisions", "16.18", "--on", "2024-12"),
        ("revisions", "16.18", "--triangle", "--to", "2024-12"),
        ("forecast", "16.18", "--on", "2024-12", "--until", "2025-02"),
        ("targets", "16.18", "--on", "2024-12"),
    ):
        found: Any = rows(folder, *asked, "--boundaries", "now")
        of = found[0] if asked[0] == "targets" else found
        assert (of["area"], of["area_name"]) == ("16.06+16.18", "Musi Banyuasin + Muba Ilir")
    early = write(folder, "early.csv", BATCHES + "SK 9,enrol,16.18,guru,1,2024-12-31,,\n")
    refused = ucj("import", "batches", early, folder=folder)
    assert refused.code == 1
    assert "early.csv:2:effective_on" in refused.err + refused.out


def test_a_trace_across_the_change(folder: Path) -> None:
    """What moved is a line of its own, and its steps a class; the schema holds."""
    batches(
        folder, "SK 1,enrol,91.01,guru,100,2021-01-01,,", "SK 2,enrol,91.03,guru,7,2023-01-01,,"
    )
    answer = ucj(
        "trace", "91", "--from", "2021-12", "--to", "2023-12", "--by", "batch", "--format", "json",
        folder=folder,
    ).json()  # fmt: skip
    Draft202012Validator(schema("trace")).validate(answer)
    assert answer["change"]["active"] == -93
    lines = {each["line"]: each["workers"] for each in answer["statement"]}
    assert (lines["moved"], lines["in"]) == (-100, 7)
    assert answer["change"]["regencies_moved_out"][:1] == ["93.01"]
    assert {each["class"]: each["workers"] for each in answer["steps"]} == {
        "boundary": -100,
        "period": 7,
    }
    people = ucj("trace", "91", "--from", "2021-12", "--to", "2023-12", folder=folder)
    assert "20 went out" in people.out


def test_as_known_before_the_old_boundaries_answer(folder: Path) -> None:
    """The changes lie in the log like anything else."""
    batches(folder, "SK 1,enrol,91.01,guru,100,2021-01-01,,")
    wanted = write(folder, "moved.csv", HEADER + "16.06,moved,2025-01-01,,11,UU x\n")
    assert active(folder, "11", "--on", "2025-12") == {"11": None}
    batches(folder, "SK 2,enrol,16.06,guru,5,2021-01-01,,")
    assert ucj("import", "areas", wanted, folder=folder).code == 0
    assert active(folder, "11", "--on", "2025-12") == {"11": 5}
    assert active(folder, "11", "--on", "2025-12", "--known", "@57") == {"11": None}


def test_a_file_is_checked_whole_and_recorded_once(folder: Path) -> None:
    """Dry run, cell addresses, all or nothing; the same again is nothing new."""
    assert "already" in ucj("import", "areas", PAPUA, folder=folder).out
    text = HEADER + "16.06,recoded,2025-01-01,,16.80,UU x\n16.07,recoded,2025-01-01,,16.06,UU x\n"
    wrong = write(folder, "wrong.csv", text)
    refused = ucj("import", "areas", wrong, "--format", "json", folder=folder)
    assert refused.code == 1
    assert [(each["code"], each["where"]) for each in refused.json()["problems"]] == [
        ("code-in-use", "wrong.csv:3:to")
    ]
    right = write(folder, "right.csv", HEADER + "16.06,ganti kode,01/01/2025,,16.80,UU x\n")
    dry = ucj("import", "areas", right, "--dry-run", folder=folder)
    assert dry.code == 0, dry
    assert active(folder, "16.06", "--on", "2025-12") == {"16.06": None}
    assert ucj("import", "areas", right, folder=folder).code == 0
    other = write(folder, "again.csv", HEADER + "16.80,recoded,2025-01-01,16.06,16.80,UU y\n")
    report = ucj("import", "areas", other, "--format", "json", folder=folder).json()
    assert report["batches"]["already_recorded"] == 1, report


def test_a_change_is_found_and_taken_back(folder: Path) -> None:
    """History names its position; taken back, the built-in area answers."""
    name = write(folder, "wrong.csv", HEADER + "16.06,renamed,2025-01-01,,Muba Raya,UU x\n")
    assert ucj("import", "areas", name, folder=folder).code == 0
    history = ucj("history", "Muba Raya", "--format", "json", folder=folder).json()
    (event,) = (each for each in history if each["event"] == "area-changed")
    assert "renamed from Musi Banyuasin to Muba Raya" in event["details"]
    taken = ucj("retract", "area", f"@{event['position']}", "--reason", "typo", folder=folder)
    assert taken.code == 0, taken
    assert ucj("coverage", "Muba Raya", folder=folder).code == 1
    again = ucj("retract", "area", f"@{event['position']}", "--reason", "typo", folder=folder)
    assert (again.code, again.out) == (0, "nothing to record\n")
    assert f"#{event['position']} is taken back already" in again.err


def test_sql_sums_a_province_by_the_day(folder: Path) -> None:
    """`area_days` has the province of an area from one day to the next."""
    batches(folder, "SK 1,enrol,91.01,guru,100,2021-01-01,,")
    question = (
        "SELECT province, sum(workers)::INT AS workers FROM entries JOIN area_days USING (area)"
        " WHERE valid_from <= '{0}' AND coalesce(area_days.expires_on > '{0}', true) GROUP BY ALL"
    )
    for on, province in (("2021-12-31", "91"), ("2023-12-31", "93")):
        found = ucj("sql", question.format(on), "--format", "json", folder=folder).json()
        assert found == [{"province": province, "workers": 100}]


def test_an_unknown_area_is_unknown_without_a_store_too(tmp_path: Path) -> None:
    """The refusal is of the area; a known one is refused for the missing store."""
    assert ucj("coverage", "Atlantis", folder=tmp_path).code == 1
    assert ucj("coverage", "16.06", folder=tmp_path).code == 4


def test_a_split_is_traced(folder: Path) -> None:
    """What came to the new regency is In; in today's boundaries both ends are of both together."""
    batches(folder, "SK 1,enrol,16.06,guru,100,2024-01-01,,")
    split = write(folder, "split.csv", HEADER + "16.18,opened,2025-01-01,16.06,Muba Ilir,UU x\n")
    assert ucj("import", "areas", split, folder=folder).code == 0
    batches(
        folder,
        "SK 2,reclassify,16.18,guru,40,2025-01-01,16.06,guru",
        "SK 3,enrol,16.18,guru,5,2025-02-01,,",
    )
    asked = ("trace", "16.18", "--from", "2024-12", "--to", "2025-03", "--format", "json")
    then = ucj(*asked, folder=folder).json()
    lines = {each["line"]: each["workers"] for each in then["statement"]}
    assert (lines["in"], lines["change"], "moved" in lines) == (45, 45, False)
    assert {each["class"] for each in then["steps"]} == {"period"}
    now = ucj(*asked, "--boundaries", "now", folder=folder).json()
    Draft202012Validator(schema("trace")).validate(now)
    assert (now["area"], now["from"]["active"], now["to"]["active"]) == ("16.06+16.18", 100, 105)
    people = ucj(*asked[:-2], "--boundaries", "now", folder=folder)
    assert "both ends are of 16.06+16.18 together" in people.out + people.err
    province = ucj("trace", "16", *asked[2:-2], "--by", "kind", folder=folder).out
    assert "transfer" not in province


def test_an_opened_area_may_be_asked_about_as_known_before(folder: Path) -> None:
    """Nobody yet, in words and by name; never an unknown code."""
    split = write(folder, "split.csv", HEADER + "16.18,opened,2025-01-01,16.06,Muba Ilir,UU x\n")
    assert ucj("import", "areas", split, folder=folder).code == 0
    known = ("--known", "@50")
    (row,) = rows(folder, "coverage", "16.18", "--on", "2025-12", *known)
    assert (row["area_name"], row["active"]) == ("Muba Ilir", None)
    between = ("--from", "2024-12", "--to", "2025-12")
    asked = ("trace", "16.18", *between, "--known-from", "@50", "--known-to", "@50")
    answer = ucj(*asked, folder=folder)
    assert (answer.code, "Muba Ilir (16.18)" in answer.out + answer.err) == (0, True), answer
    for command in (
        ("forecast", "16.18", "--on", "2025-12"),
        ("timeline", "16.18"),
        ("targets", "16.18"),
        ("reconcile", "16.18"),
        ("revisions", "16.18", "--on", "2025-12"),
    ):
        assert ucj(*command, *known, folder=folder).code == 0, command
    report = ("report", "16.18", *between, "--known-from", "@50", "--known-to", "@50")
    assert ucj(*report, "--output", "r.md", folder=folder).code == 0


def test_a_late_move_is_told_by_revisions_and_by_reconcile(folder: Path) -> None:
    """The revisions are what coverage answered as known then; both name the event that moved it."""
    batches(
        folder, "SK 1,enrol,16.06,guru,1200,2025-01-01,,", "SK 2,enrol,16.07,guru,500,2025-01-01,,"
    )
    figures = "area,as_of,active,publisher,source\n"
    figures += "16,2025-01-31,1700,Dinas,a\n16,2025-03-31,1700,Dinas,b\n"
    assert ucj("import", "figures", write(folder, "f.csv", figures), folder=folder).code == 0
    before = rows(folder, "coverage", "16")[0]["known_position"]
    move = HEADER + "16.07,moved,2025-03-01,16,15,UU\n"
    assert ucj("import", "areas", write(folder, "m.csv", move), folder=folder).code == 0
    ucj("import", "areas", write(folder, "m.csv", move), folder=folder)
    asked = ("revisions", "16", "--triangle", "--from", "2025-03", "--to", "2025-03")
    now = rows(folder, "coverage", "16", "--on", "2025-03-31")[0]["known_position"]
    answer = ucj(*asked, "--at", f"@{before}", "--at", f"@{now}", "--format", "json", folder=folder)
    Draft202012Validator(schema("revisions")).validate(answer.json())
    first, second = answer.json()["releases"]
    for release in (first, second):
        known = f"@{release['known_position']}"
        (row,) = rows(folder, "coverage", "16", "--on", "2025-03-31", "--known", known)
        assert (row["active"], row["regencies_counted"]) == (release["active"], 0)
    assert (first["active"], second["active"]) == (1_700, 1_200)
    assert first["areas"] == []
    moved = {"area": "16.07", "change": "left", "position": now}
    assert second["areas"] == [moved | {"workers": -500}]
    told = ucj(*asked, "--at", f"@{before}", "--at", f"@{now}", "--shape", "long", folder=folder)
    assert f"16.07 left -500 (#{now})" in told.out
    held = rows(folder, "reconcile", "16")
    assert [each["suspect_areas"] for each in held] == [[], [moved]]
    assert held[1]["explanation"].endswith(f"agreed (2025-01-31): 16.07 left the area (#{now})")
