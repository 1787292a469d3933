"""The export: whole, described, the same again, and never over anything."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import stat
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.program import EXAMPLE, nothing_recorded, ucj


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the example, and a reference that a spreadsheet would run."""
    folder = tmp_path_factory.mktemp("exporting")
    assert ucj("init", folder=folder).code == 0
    for kind in ("potentials", "batches", "targets", "figures"):
        path = EXAMPLE / f"{kind}.csv"
        assert ucj("import", kind, path, "--locale", "en", folder=folder).code == 0
    (folder / "formula.csv").write_text(
        "reference,action,area,category,workers,effective_on,note\n"
        '=cmd|calc!A1,enrol,16.71,marbot,7,2025-01-01,"+1, ""quoted"" and\nnext line"\n',
        encoding="utf-8",
    )
    answer = ucj("import", "batches", "formula.csv", folder=folder)
    assert answer.code == 0, answer
    return folder


def exported(folder: Path, target: Path, *options: str) -> dict[str, dict[str, object]]:
    """Export, and return the resources of the description by file."""
    with nothing_recorded(folder / "registry.db"):
        answer = ucj("export", target, *options, folder=folder)
    assert answer.code == 0, answer
    package = json.loads((target / "datapackage.json").read_text(encoding="utf-8"))
    return {resource["path"]: resource for resource in package["resources"]}


def test_every_file_is_as_described(folder: Path, tmp_path: Path) -> None:
    """Bytes and SHA-256 of each file; every file described; columns as in the schema."""
    target = tmp_path / "ledger"
    resources = exported(folder, target)
    assert {path.name for path in target.iterdir()} == {*resources, "datapackage.json"}
    for name, resource in resources.items():
        content = (target / name).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        fields = [field["name"] for field in resource["schema"]["fields"]]  # type: ignore[index]
        if name.endswith(".csv"):
            with (target / name).open(encoding="utf-8", newline="") as file:
                assert next(csv.reader(file)) == fields
        else:
            found = duckdb.execute(f"SELECT * FROM '{target / name}' LIMIT 0").description or ()
            assert [column[0] for column in found] == fields
    assert [path.name for path in tmp_path.iterdir()] == ["ledger"], "nothing is left beside it"


def test_csv_and_parquet_say_the_same(folder: Path, tmp_path: Path) -> None:
    """The sums over both are what coverage answers."""
    target = tmp_path / "ledger"
    exported(folder, target)
    for source in ("entries.csv", "entries.parquet"):
        (row,) = duckdb.execute(
            f"SELECT sum(workers) FROM '{target / source}'"
            " WHERE area::VARCHAR = '16.06' AND effective_on <= DATE '2025-07-31'"
        ).fetchall()
        assert row == (103_079,)
    (areas,) = duckdb.execute(f"SELECT count(*) FROM '{target / 'areas.parquet'}'").fetchall()
    assert areas == (1 + 38 + 514,)
    events = duckdb.execute(
        f"SELECT programmes, typeof(recorded_at) FROM '{target / 'events.parquet'}'"
    )
    assert (["JKK", "JKM"], "TIMESTAMP WITH TIME ZONE") in events.fetchall()


def test_instants_are_read_as_described(folder: Path, tmp_path: Path) -> None:
    """`any`, since some have a fraction of a second; the default form of Table Schema has none."""
    target = tmp_path / "ledger"
    resources = exported(folder, target)
    read = 0
    for name, resource in resources.items():
        fields: list[dict[str, str]] = resource["schema"]["fields"]  # type: ignore[index]
        for field in fields:
            is_instant = field["type"] == "datetime" and name.endswith(".csv")
            assert field.get("format") == ("any" if is_instant else None)
            if is_instant:
                with (target / name).open(encoding="utf-8", newline="") as file:
                    for row in csv.DictReader(file):
                        said = datetime.fromisoformat(row[field["name"]])
                        assert said.utcoffset() == timedelta(0)
                        read += 1
    assert read > 0


def test_the_package_says_how_values_are_written(folder: Path, tmp_path: Path) -> None:
    """Of CSV that null and empty text look alike, and what guards formulas; of Parquet neither."""
    for form in ("csv", "parquet"):
        exported(folder, tmp_path / form, "--format", form)
    said = {
        form: json.loads((tmp_path / form / "datapackage.json").read_text("utf-8"))["description"]
        for form in ("csv", "parquet")
    }
    assert "null or empty text" in said["csv"]
    assert "take that one ' away" in said["csv"]
    assert "null" not in said["parquet"]
    with (tmp_path / "csv" / "entries.csv").open(encoding="utf-8", newline="") as file:
        (row,) = (row for row in csv.DictReader(file) if row["reference"].startswith("'"))
    assert (row["part"], row["expires_on"]) == ("", ""), "empty text, and null"
    found = duckdb.execute(
        f"SELECT part, expires_on, reference FROM '{tmp_path / 'parquet' / 'entries.parquet'}'"
        " WHERE starts_with(reference, '=')"
    ).fetchall()
    assert found == [("", None, row["reference"].removeprefix("'"))]


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_the_files_are_readable_by_their_owner_only(folder: Path, tmp_path: Path) -> None:
    """As the store is, whatever the umask; a folder that was made beforehand keeps its mode."""
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    prepared.chmod(0o750)
    mask = os.umask(0)
    try:
        (tmp_path / "open").write_text("", encoding="utf-8")
        for target in (tmp_path / "new", prepared):
            exported(folder, target)
    finally:
        os.umask(mask)
    for target, mode in ((tmp_path / "new", 0o700), (prepared, 0o750)):
        assert stat.S_IMODE(target.stat().st_mode) == mode
        assert {stat.S_IMODE(file.stat().st_mode) for file in target.iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o666, "negative control"


def test_no_cell_of_a_csv_is_a_formula(folder: Path, tmp_path: Path) -> None:
    """A reference that a spreadsheet would run is quoted; Parquet has it as written."""
    target = tmp_path / "ledger"
    exported(folder, target)
    for name in ("entries.csv", "events.csv"):
        with (target / name).open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert "'=cmd|calc!A1" in cells
        assert not [cell for cell in cells if cell[:1] in set("=+@\t\r")]
    found = duckdb.execute(
        f"SELECT DISTINCT reference FROM '{target / 'entries.parquet'}'"
    ).fetchall()
    assert ("=cmd|calc!A1",) in found


def test_the_command_does_it_again(folder: Path, tmp_path: Path) -> None:
    """The description names the position; the command with it makes the very same files."""
    first = exported(folder, tmp_path / "first", "--known", "@5")
    package = json.loads((tmp_path / "first" / "datapackage.json").read_text(encoding="utf-8"))
    assert package["store"]["known_position"] == 3, "inside a transaction: the last before it"
    program, *words = package["command"].split()
    assert program == "ucj"
    again = tmp_path / "again"
    answer = ucj(*[again if word == "DIR" else word for word in words], folder=folder)
    assert answer.code == 0, answer
    for name in first:
        if name.endswith(".csv"):
            assert (again / name).read_bytes() == (tmp_path / "first" / name).read_bytes()
    assert first["entries.csv"]["hash"] != exported(folder, tmp_path / "now")["entries.csv"]["hash"]


@pytest.mark.parametrize(("form", "count"), [("csv", 13), ("parquet", 13), ("both", 26)])
def test_the_formats(folder: Path, tmp_path: Path, form: str, count: int) -> None:
    """One of the two, or both; an empty folder is taken."""
    target = tmp_path / "ledger"
    target.mkdir()
    assert len(exported(folder, target, "--format", form)) == count


def test_nothing_is_ever_overwritten(folder: Path, tmp_path: Path) -> None:
    """A folder with something in it, a file, a missing parent: refused, and left as it was."""
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine", encoding="utf-8")
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    assert ucj("export", full, folder=folder).code == 1
    assert ucj("export", file, folder=folder).code == 1
    assert ucj("export", tmp_path / "no" / "where", folder=folder).code == 2
    assert ucj("export", tmp_path / "new", "--known", "@999999", folder=folder).code == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_failure_in_the_middle_leaves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the folder nor what was built of it."""
    import projections.whole

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(projections.whole, "copy_parquet", full)
    answer = ucj("export", tmp_path / "ledger", folder=folder)
    assert answer.code == 1
    assert "No space left on device" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_the_categories_are_all_of_them(folder: Path, tmp_path: Path) -> None:
    """Built-in ones and those added by then: exported and asked in SQL alike."""
    shutil.copy(folder / "registry.db", tmp_path)
    typed = ["category", "add", "penari", "--label-id", "Penari", "--label-en", "Dancers"]
    assert ucj(*typed, folder=tmp_path).code == 0
    exported(tmp_path, tmp_path / "ledger")
    with (tmp_path / "ledger" / "categories.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["category"]: row for row in csv.DictReader(file)}
    assert list(rows["penari"].values()) == ["penari", "Penari", "Dancers", "true"]
    assert rows["guru"]["added"] == "false"
    listed = ucj("category", "list", "--format", "json", folder=tmp_path).json()
    assert set(rows) == {row["category"] for row in listed}
    asked = "SELECT count(*) AS n, count(*) FILTER (added) AS added FROM categories"
    answer = ucj("sql", asked, "--format", "json", folder=tmp_path).json()
    assert answer == [{"n": len(rows), "added": 1}]
    before = ucj("sql", asked, "--known", "@1", "--format", "json", folder=tmp_path).json()
    assert before == [{"n": len(rows) - 1, "added": 0}], "known later"
    parquet = duckdb.execute(f"SELECT count(*) FROM '{tmp_path / 'ledger' / 'categories.parquet'}'")
    assert parquet.fetchall() == [(len(rows),)]
