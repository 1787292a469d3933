"""docs/json.md, docs/schemas and what the commands really print are one and the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from tests.program import EXAMPLE, ROOT, ucj

SCHEMAS = sorted(path.stem for path in (ROOT / "docs" / "schemas").glob("*.json"))
PAGE = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")

# Commands whose every answer must fit the schema; between them each key of each shape occurs.
COMMANDS: dict[str, list[list[str]]] = {
    "coverage": [
        ["coverage", "16.06", "--on", "2025-07"],
        ["coverage", "16", "--by", "area", "--by", "category", "--on", "2025-07"],
        ["coverage", "16.06", "--by", "segment", "--by", "funding"],
        ["coverage", "16.06", "--on", "2020-01-01"],
    ],
    "timeline": [["timeline", "16"], ["timeline", "16.06", "--by", "category"]],
    "trace": [
        ["trace", "16.06", "--from", "2024-12", "--to", "2025-07", "--by", "kind"],
        ["trace", "16", "--from", "2024-11", "--to", "2026-12", "--by", "batch"],
        ["trace", "16.71", "--from", "2026-12", "--to", "2025-03", "--known-from", "@12"],
        ["trace", "16.71", "--from", "2025-01", "--to", "2025-03", "--category", "marbot"],
        ["trace", "11", "--from", "2025-01", "--to", "2025-03", "--by", "month"],
    ],
    "targets": [["targets"], ["targets", "16.06", "--on", "2025-07"]],
    "forecast": [
        ["forecast", "16.71", "--on", "2025-06", "--until", "2026-12"],
        ["forecast", "16.06", "--on", "2025-07"],
        ["forecast", "11", "--target", "50"],
    ],
    "revisions": [
        ["revisions", "16.71", "--on", "2025-07"],
        ["revisions", "16", "--triangle", "--from", "2025-06"],
        ["revisions", "16.71", "--triangle", "--to", "2025-06", "--at", "@30", "--at", "@34"],
        ["revisions", "16.06", "--on", "2025-07", "--vintage", "documented"],
        ["revisions", "11", "--triangle"],
    ],
    "reconcile": [["reconcile"], ["reconcile", "16.06", "--known", "@20"]],
    "history": [["history"], ["history", "16.71"]],
    "show": [["show", "SK 1"], ["show", "SK 2"], ["show", "SK 4"], ["show", "SK 5"]],
    "event": [["show", "@1"], ["show", "@6"]],
    "source": [["source", "SK 1"], ["source", "@2"], ["source", "SK 4"]],
    "sql": [["sql", "FROM entries"], ["sql", "FROM events"], ["sql", "SELECT 1 WHERE false"]],
    "categories": [["category", "list"]],
    "status": [["status"]],
    "import-report": [
        ["import", "batches", "more.csv", "--dry-run"],
        ["import", "batches", "sk.csv", "--ignore-column", "NIK"],
        ["import", "batches", "wrong.csv"],
    ],
}


def schema(name: str) -> dict[str, Any]:
    """Return a schema."""
    text = (ROOT / "docs" / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def check(answer: object, name: str) -> None:
    """Hold an answer to its schema, formats of dates and instants included."""
    Draft202012Validator(schema(name), format_checker=FormatChecker()).validate(answer)


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store in which every kind of thing has happened."""
    folder = tmp_path_factory.mktemp("json")
    header = (
        "reference,action,area,category,workers,effective_on,covered_until,of_batch,reason,NIK\n"
    )
    files = {
        "sk.csv": header
        + "SK 1,enrol,16.71,marbot,100,2025-01-01,2025-12-31,,,1\n"
        + "SK 2,deactivate,16.71,marbot,30,2025-02-01,,SK 1,resigned,1\n"
        + "SK 4,enrol,16.71,bpd,4,2025-01-01,,,,1\n",
        "more.csv": "reference,action,area,category,workers,effective_on\n"
        "SK 9,enrol,16.71,guru,4,2025-01-01\n",
        "late.csv": "reference,action,area,category,workers,effective_on\n"
        "SK 7,enrol,16.71,guru,2,2025-06-01\n",
        "wrong.csv": "reference,action,area,category,workers,effective_on\n"
        "SK 8,enrol,16.71,guru,1.5,2025-01-01\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    commands = [
        ["init"],
        *(
            ["import", kind, str(EXAMPLE / f"{kind}.csv"), "--locale", "en"]
            for kind in ("potentials", "batches", "targets", "figures")
        ),
        ["import", "batches", "sk.csv", "--ignore-column", "NIK"],
        ["renew", "SK 1", "--area", "16.71", "--until", "2026-12-31", "--as", "SK 5"],
        ["withdraw", "SK 4", "--area", "16.71", "--reason", "twice"],
        ["retract", "figure", "@15", "--reason", "corrected by the newspaper"],
        ["close", "16.71", "--through", "2025-06"],
        ["import", "batches", "late.csv", "--override", "came in late", "--seconded-by", "Budi"],
        ["reopen", "16.71", "--from", "2025-06-01", "--reason", "SK 8 came in late"],
        ["close", "16.71", "--through", "2025-06"],
        ["category", "add", "nelayan-x", "--label-id", "Nelayan X", "--label-en", "Fishers X"],
        ["rebuild"],
    ]
    for command in commands:
        answer = ucj(*command, folder=folder)
        assert answer.code == 0, answer
    return folder


@pytest.mark.parametrize(
    ("name", "command"),
    [(name, command) for name, commands in COMMANDS.items() for command in commands],
    ids=lambda value: value if isinstance(value, str) else "_".join(value[:3]),
)
def test_what_a_command_prints_fits_its_schema(folder: Path, name: str, command: list[str]) -> None:
    """As json, and line by line as jsonl."""
    answer = ucj(*command, "--format", "json", folder=folder)
    assert answer.code in ({0, 1} if name == "import-report" else {0}), answer
    check(answer.json(), name)
    lines = ucj(*command, "--format", "jsonl", folder=folder)
    listed = [json.loads(line) for line in lines.lines]
    if schema(name)["type"] == "array":
        assert listed == answer.json()
        check(listed, name)
    else:
        (one,) = listed
        check(one, name)


def test_the_description_of_an_export_fits_its_schema(folder: Path, tmp_path: Path) -> None:
    """With both formats and with one."""
    for number, form in enumerate(("both", "csv", "parquet")):
        target = tmp_path / str(number)
        answer = ucj("export", target, "--format", form, folder=folder)
        assert answer.code == 0, answer
        check(json.loads((target / "datapackage.json").read_text(encoding="utf-8")), "datapackage")


def test_a_report_written_to_a_file_is_the_same(folder: Path) -> None:
    """`--report` has what `--format json` prints."""
    answer = ucj(
        "import", "batches", "more.csv", "--dry-run", "--report", "report.json", "--format", "json",
        folder=folder,
    )  # fmt: skip
    written = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    check(written, "import-report")
    assert written == answer.json()


def test_a_missing_or_a_new_key_is_seen(folder: Path) -> None:
    """Negative control: the schemas are closed, and check types, dates and instants."""
    (row,) = ucj("coverage", "16.06", "--format", "json", folder=folder).json()
    for broken in (
        {key: value for key, value in row.items() if key != "points"},
        row | {"undocumented": 1},
        row | {"active": "103079"},
        row | {"on": "31/07/2025"},
        row | {"complete": None},
    ):
        with pytest.raises(ValidationError):
            check([broken], "coverage")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one(name: str) -> None:
    """Valid against the meta-schema, its own name, and run against some command above."""
    found = schema(name)
    Draft202012Validator.check_schema(found)
    assert found["$id"] == f"urn:ucj:schema:{name}"
    assert name in COMMANDS or name == "datapackage"


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_page_documents_every_key_and_no_other(name: str) -> None:
    """Key by key, with its type and meaning, in the schema's order."""
    found = schema(name)
    top = found["items"] if found["type"] == "array" else found
    expected = list(_documented(top.get("properties", {})))
    assert _tables()[name] == expected


def test_the_page_and_the_folder_name_the_same_shapes() -> None:
    """No shape without a schema, no schema without its words."""
    assert sorted(_tables()) == SCHEMAS


def _tables() -> dict[str, list[tuple[str, str, str]]]:
    """Return the tables of the page: shape → (key, type, meaning)."""
    tables: dict[str, list[tuple[str, str, str]]] = {}
    for section in PAGE.split("\n## ")[1:]:
        name, _, body = section.partition("\n")
        rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| (.+) \|$", body, re.MULTILINE)
        tables[name.strip()] = rows
    return tables


def _documented(properties: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    for key, node in properties.items():
        yield f"{prefix}{key}", _type(node), node["description"]
        inner = node["items"] if node["type"] == "array" else node
        mark = "[]." if node["type"] == "array" else "."
        yield from _documented(inner.get("properties", {}), f"{prefix}{key}{mark}")


def _type(node: dict[str, Any]) -> str:
    types = [node["type"]] if isinstance(node["type"], str) else node["type"]
    if "array" in types:
        inner = node["items"]["type"]
        return f"list of {inner}s" if isinstance(inner, str) else "list of " + " or ".join(inner)
    names = {"date": "date", "date-time": "instant", "uuid": "uuid"}
    return " or ".join(
        "null" if each == "null" else names.get(node.get("format", ""), each) for each in types
    )
