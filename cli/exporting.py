"""The whole ledger as files that describe themselves: CSV, Parquet, and a datapackage.json.

Built in a folder of its own and given its name only when whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.destination import check_place, partial, unwritable
from cli.listing import Column, Listing
from cli.options import Settings, known_option, notice, uses_store
from cli.output import OutputUnwritableError
from registry.language import _
from registry.safe_text import safe

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from projections.ledger import Ledger
    from projections.whole import TableColumn

FORMATS: Final = ("csv", "parquet", "both")

_MEDIA: Final = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_FORMS: Final = {
    "csv": "In CSV an empty cell is null or empty text, and hidden characters are written as escapes"
    " (\\x09); Parquet has both as they are. A ' stands before what a spreadsheet would run as a"
    " formula (= + - @ a tab or a line break, at the start of a cell, after a semicolon or after a"
    " line feed, whatever spaces and quotes come first): take that one ' away for the text itself.",
    "parquet": "In Parquet values are typed, and text is as it was recorded.",
}
_DESCRIBED: Final = {
    "entries": "Every signed movement of heads: active on a day is the sum of workers whose"
    " effective_on is not after it.",
    "events": "Every event of the log, in order.",
    "potentials": "Labour potentials (persons), the denominator of coverage.",
    "targets": "Coverage targets, percent of potential.",
    "figures": "Published figures: claims, never an input of coverage.",
    "taken_back": "Which potential, target or figure was taken back, at which position.",
    "closings": "What was closed of a regency, and reopened: its last row says what is closed."
    " A closing states what was known of its last day.",
    "overrides": "What was changed on closed days, why, and which two persons wanted it.",
    "imports": "The files that were imported, with their SHA-256 and control totals.",
    "categories": "Categories of workers, built in or added to the store.",
    "area_changes": "Changes of areas: a new code, name or province from a day on, or a new area.",
    "areas": "The nation, provinces, regencies and cities after the last change; code is that of the"
    " other tables.",
    "area_days": "What each area is called, and which province it lies in, from valid_from until the"
    " day before expires_on; area is the code of the other tables, code the one in force.",
}


@click.command("export")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=True, path_type=Path))
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    default="both",
    show_default=True,
    help="Which files to write of each table.",
)
@known_option
@uses_store
def export_command(
    settings: Settings,
    folder: Path,
    format: str,
    known: str | None,
) -> None:
    """Write the ledger's tables as CSV and Parquet, described.

    DIR must be new or empty. Its datapackage.json (Frictionless Data Package) names every file
    with its columns, bytes and SHA-256, the store, the position, and the command to do it again.
    The files are readable by you only, as the store is.

    \b
    Examples:
      ucj export ledger-2025
      ucj export ledger-2025 --format parquet --known 2025-12-31
    """
    from registry.temporary import private_folder

    target = _checked(folder)
    endings = ("csv", "parquet") if format == "both" else (format,)
    with settings.workspace() as workspace:
        position = workspace.known(known)
        described = {
            "store": {"id": workspace.log.store_id, "known_position": position},
            "command": f"ucj export DIR --format {format} --known @{position}",
        }
        with _building(target) as building:

            def question(ledger: Ledger) -> int:
                for left in building.iterdir():  # of a first try, over a damaged image
                    left.unlink()
                with private_folder() as spill:
                    quoted = str(spill).replace("'", "''")
                    ledger.connection.execute(f"SET temp_directory = '{quoted}'")
                    return _write(ledger.connection, building, endings, position, described)

            count = workspace.ask(question, known=position)
    notice(
        _("{count} files and datapackage.json, as known at #{position}, are in {name}.").format(
            count=count, position=position, name=safe(folder.name)
        )
    )


def _checked(folder: Path) -> Path:
    """Return where to write, after checking that nothing is there."""
    target = Path(os.path.realpath(folder))
    check_place(target, f"DIR {folder.name}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OutputUnwritableError(
            _("{name} is there already, and not an empty folder; it was not touched").format(
                name=safe(folder.name)
            ),
            remedy=_("Name a new folder."),
        )
    return target


@contextmanager
def _building(target: Path) -> Iterator[Path]:
    """Give a folder beside the target to build in; it becomes the target when all went well."""
    building = partial(target)
    try:
        building.mkdir(mode=0o700)
        yield building
        for file in building.iterdir():
            file.chmod(0o600)
        if target.is_dir():
            shutil.copymode(target, building)
            target.rmdir()  # empty, or somebody wrote into it meanwhile: then it fails
        building.rename(target)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _write(
    connection: DuckDBPyConnection,
    building: Path,
    endings: tuple[str, ...],
    position: int,
    described: dict[str, Any],
) -> int:
    """Write every table and the description; return how many files of tables there are."""
    from projections.whole import TABLES, columns_of, complete, copy_parquet, rows_of

    complete(connection, position)
    resources = []
    for table in TABLES:
        columns = columns_of(connection, table)
        for ending in endings:
            path = building / f"{table}.{ending}"
            if ending == "csv":
                _write_csv(table, columns, rows_of(connection, table, position), path)
            else:
                copy_parquet(connection, table, position, path)
            resources.append(_resource(table, path, ending, columns))
    package = {
        "profile": "tabular-data-package" if endings == ("csv",) else "data-package",
        "name": "ucj-ledger",
        "title": "Ledger of enrolment batches (Universal Coverage Jamsostek)",
        "description": " ".join(_FORMS[ending] for ending in endings),
        "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        **described,
        "resources": resources,
    }
    text = json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    (building / "datapackage.json").write_text(text, encoding="utf-8", newline="\n")
    return len(resources)


def _write_csv(
    table: str,
    columns: tuple[TableColumn, ...],
    rows: Iterator[dict[str, object]],
    path: Path,
) -> None:
    """Write a table row by row; no cell is anything a spreadsheet would run."""
    from cli.records import write_csv

    printed = tuple(Column(each.name, each.name, each.kind) for each in columns)
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_csv(Listing(table, printed, rows), stream)


def _resource(
    table: str, path: Path, ending: str, columns: tuple[TableColumn, ...]
) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "profile": "tabular-data-resource" if ending == "csv" else "data-resource",
        "name": table if ending == "csv" else f"{table}-parquet",
        "title": table,
        "description": _DESCRIBED[table],
        "path": path.name,
        "format": ending,
        "mediatype": _MEDIA[ending],
        **({"encoding": "utf-8"} if ending == "csv" else {}),
        "bytes": path.stat().st_size,
        "hash": f"sha256:{digest}",
        "schema": {
            "fields": [_field(each, ending) for each in columns],
            "missingValues": [""],
        },
    }


def _field(column: TableColumn, ending: str) -> dict[str, str]:
    """Return a column as Table Schema has it.

    Its default form of a datetime has no fraction of a second; `any` is any ISO 8601.
    """
    written = {"name": column.name, "type": column.type}
    if ending == "csv" and column.type == "datetime":
        written["format"] = "any"
    return written
