"""How admins keep a store in order: what it holds, whether it is sound, its ledger, a copy of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.destination import PLACE, check_place, path_to
from cli.options import Settings, notice, uses_store
from cli.output import (
    Column,
    Listing,
    for_people,
    listing_options,
    write_document,
    write_listing,
)
from cli.recorded import moment, say
from registry.language import _, formatted, joined, ngettext, whole

if TYPE_CHECKING:
    from datetime import datetime

    from projections.ledger import Ledger
    from projections.workspace import Workspace
    from registry.storage.soundness import Soundness

EXIT_REFUSED: Final = 1
EXIT_STORE: Final = 4
CLOSED_SHOWN: Final = 3

_HELD_TITLES: Final = (
    _("Batches"),
    _("Areas"),
    _("Imports"),
    _("Potentials"),
    _("Targets"),
    _("Figures"),
)
_HELD_KEYS: Final = ("batches", "areas", "imports", "potentials", "targets", "figures")

_STATUS: Final = (
    Column("store", _("Store"), "code"),
    Column("store_id", _("Id"), "code"),
    Column("created", _("Made"), "text"),
    Column("holds", _("Holds"), "text"),
    Column("recorded", _("Recorded"), "text"),
    Column("originals", _("Originals"), "text"),
    Column("file", _("File"), "text"),
    Column("image", _("Ledger image"), "text"),
    Column("closed", _("Closed"), "text"),
    Column("engines", _("Engines"), "text"),
    Column("sound", _("Sound"), "flag"),
)

_STATUS_FOR_PROGRAMS: Final = (
    Column("store", _("Store"), "code"),
    Column("store_id", _("Id"), "code"),
    Column("store_format", _("Format"), "count"),
    Column("created_at", _("Made at"), "instant"),
    Column("created_by", _("Made by"), "text"),
    Column("ucj_version", "ucj", "code"),
    Column("sqlite_version", "SQLite", "code"),
    Column("duckdb_version", "DuckDB", "code"),
    Column("journal_mode", _("Journal mode"), "code"),
    Column("known_position", _("Events"), "count"),
    Column("first_recorded_at", _("First recorded at"), "instant"),
    Column("last_recorded_at", _("Last recorded at"), "instant"),
    *(Column(key, title, "count") for key, title in zip(_HELD_KEYS, _HELD_TITLES, strict=True)),
    Column("sources", _("Files kept"), "count"),
    Column("source_bytes", _("Bytes kept"), "count"),
    Column("store_bytes", _("Bytes of the store"), "count"),
    Column("image", _("Ledger image"), "json"),
    Column("tail_events", _("Events after the image"), "count"),
    Column("closed", _("Closed"), "json"),
    Column("sound", _("Sound"), "flag"),
    Column("problems", _("Problems"), "json"),
)

# A batch is one stream, however its reference is spelt the next time.
_HELD: Final = """
SELECT (SELECT count(*) FROM events WHERE reference IS NOT NULL AND originator_version = 1),
       (SELECT count(DISTINCT area) FROM entries),
       (SELECT count(*) FROM imports),
       (SELECT count(*) FROM potentials), (SELECT count(*) FROM targets),
       (SELECT count(*) FROM figures)
"""


@click.command("status")
@uses_store
@listing_options
def status_command(
    settings: Settings,
    format: str | None,
    output: Path | None,
) -> int:
    r"""Say what the store holds and whether it is sound.

    Checks the file's pages, that the log has no gaps, and that the store still has every trigger
    that keeps it append-only. Exit code 4 if the file is damaged, 1 if it was tampered with.

    \b
    Examples:
      ucj status
      ucj status --store /srv/registry/sumsel.db --format json
    """
    from registry.errors import RegistryError
    from registry.storage.soundness import examine

    problems: list[str] = []
    code = 0
    with settings.workspace() as workspace:
        soundness = examine(settings.store)
        if soundness.damage:
            problems += soundness.damage
            code = EXIT_STORE
        elif soundness.missing or soundness.changed:
            code = EXIT_REFUSED
        problems += [_("{name} is missing").format(name=name) for name in soundness.missing]
        problems += [
            _("{name} is not as it was made").format(name=name) for name in soundness.changed
        ]
        try:
            document = _status(workspace, soundness)
        except RegistryError as error:
            document = _identity(workspace, soundness)
            problems += error.diagnostics()
            code = max(code, error.exit_code)
    document |= {"sound": not problems, "problems": problems}
    listing = (
        Listing("status", _STATUS, [_in_words(document)], layout="record")
        if for_people(format, output)
        else Listing("status", _STATUS_FOR_PROGRAMS, [document])
    )
    write_document(document, listing, format=format, output=output)
    for problem in problems:
        notice(_("not sound: {problem}").format(problem=problem))
    if problems:
        notice(
            _(
                "Record nothing more here: restore the store from a backup (`ucj backup` made one) and"
                " compare the two with `ucj history`."
            )
        )
    return code


def _identity(workspace: Workspace, soundness: Soundness) -> dict[str, Any]:
    """Return what is known without the ledger."""
    import sqlite3

    import duckdb

    from registry import __version__

    path = workspace.path.resolve()
    head = workspace.log.head()
    first, last = (workspace.log.row(position) for position in (1, head))
    return {
        "store": str(path),
        "store_id": workspace.log.store_id,
        "store_format": soundness.store_format,
        "created_at": _instant(soundness.created_at),
        "created_by": soundness.created_by,
        "ucj_version": __version__,
        "sqlite_version": sqlite3.sqlite_version,
        "duckdb_version": duckdb.__version__,
        "journal_mode": soundness.journal_mode,
        "known_position": head,
        "first_recorded_at": first.recorded_at() if first else None,
        "last_recorded_at": last.recorded_at() if last else None,
        **dict.fromkeys(_HELD_KEYS),
        "sources": soundness.sources,
        "source_bytes": soundness.source_bytes,
        "store_bytes": path.stat().st_size,
        "image": None,
        "tail_events": head,
        "closed": [],
    }


def _status(workspace: Workspace, soundness: Soundness) -> dict[str, Any]:
    from projections.closings import closed_periods

    def question(ledger: Ledger) -> tuple[Any, Any]:
        held = ledger.connection.execute(_HELD).fetchone()
        return held, closed_periods(ledger.connection, ledger.position)

    identity = _identity(workspace, soundness)
    held, closed = workspace.ask(question, known=identity["known_position"])
    document = identity | dict(zip(_HELD_KEYS, held, strict=True))
    document["closed"] = [
        {"area": each.area, "closed_through": each.closed_through, "position": each.position}
        for each in closed.values()
    ]
    # What there is now: the question itself may have left a newer one behind.
    image = next(iter(workspace.folder.images()), None) if workspace.folder else None
    if image is not None:
        with suppress(FileNotFoundError):  # somebody else's newer one has just taken its place
            document["image"] = {
                "file": image.path.name,
                "folder": str(image.path.parent.resolve()),
                "position": image.position,
                "bytes": image.path.stat().st_size,
            }
            document["tail_events"] = max(0, identity["known_position"] - image.position)
    return document


_COUNTED: Final[dict[str, Callable[[int], str]]] = {
    "known_position": lambda count: ngettext("{count} event", "{count} events", count),
    "batches": lambda count: ngettext("{count} batch", "{count} batches", count),
    "areas": lambda count: ngettext("{count} area", "{count} areas", count),
    "imports": lambda count: ngettext("{count} import", "{count} imports", count),
    "potentials": lambda count: ngettext("{count} potential", "{count} potentials", count),
    "targets": lambda count: ngettext("{count} target", "{count} targets", count),
    "figures": lambda count: ngettext("{count} figure", "{count} figures", count),
    "tail_events": lambda count: ngettext("{count} event", "{count} events", count),
    "sources": lambda count: ngettext("{count} file", "{count} files", count),
}


def _in_words(document: dict[str, Any]) -> dict[str, object]:
    def many(key: str) -> str:
        count = document[key]
        words: str = _COUNTED[key](0 if count is None else count)
        return words.format(count="?" if count is None else whole(count))

    image = document["image"]
    holds = map(many, ("known_position", *_HELD_KEYS))
    tail = many("tail_events")
    return {
        "store": document["store"],
        "store_id": document["store_id"],
        "created": _("{moment} by {person}").format(
            moment=_day_and_time(document["created_at"]), person=document["created_by"]
        ),
        "holds": joined(", ", holds),
        "recorded": _("{first} to {last}").format(
            first=_day_and_time(document["first_recorded_at"]),
            last=_day_and_time(document["last_recorded_at"]),
        )
        if document["first_recorded_at"]
        else _("nothing yet"),
        "originals": joined(", ", (many("sources"), _size(document["source_bytes"]))),
        "file": _("{size}, format {format}, journal mode {mode}").format(
            size=_size(document["store_bytes"]),
            format=document["store_format"],
            mode=document["journal_mode"],
        ),
        "image": _("at #{position}, {size}, {tail} after it").format(
            position=image["position"], size=_size(image["bytes"]), tail=tail
        )
        if image
        else _("none yet; a question folds {tail}").format(tail=tail),
        "closed": _closed(document["closed"]),
        "engines": f"ucj {document['ucj_version']}, SQLite {document['sqlite_version']},"
        f" DuckDB {document['duckdb_version']}",
        "sound": document["sound"],
    }


def _closed(closed: list[dict[str, Any]]) -> str:
    """Return what is closed: of many regencies the first."""
    some = [
        _("{area} through {day}").format(area=each["area"], day=each["closed_through"])
        for each in closed[:CLOSED_SHOWN]
    ]
    more = (
        _(" and {more} more").format(more=len(closed) - CLOSED_SHOWN)
        if len(closed) > CLOSED_SHOWN
        else ""
    )
    return (joined(", ", some) or _("nothing")) + more


def _instant(text: str | None) -> datetime | None:
    from datetime import datetime

    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:  # `examine` says so
        return None


def _day_and_time(instant: datetime | None) -> str:
    return "?" if instant is None else moment(instant)


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:  # noqa: PLR2004 (decimal units)
            if unit == "bytes":
                return _("{size:,.0f} bytes").format(size=size)
            return formatted(size, ",.1f") + f" {unit}"
        size /= 1000
    return formatted(size, ",.1f") + " GB"


@click.command("rebuild")
@click.option("--check", is_flag=True, help="Change nothing; compare the ledger with the log.")
@uses_store
def rebuild_command(settings: Settings, check: bool) -> int:  # noqa: FBT001
    r"""Build the ledger anew from the log, or check it.

    The log is the truth and the ledger image a cache of it: rebuilding loses nothing. --check
    replays the log into fresh tables and compares every cell of both; exit code 1 if one differs.

    \b
    Examples:
      ucj rebuild
      ucj rebuild --check
    """
    with settings.workspace() as workspace:
        return _check(workspace) if check else _rebuild(workspace)


def _rebuild(workspace: Workspace) -> int:
    from cli.terminal import progress
    from projections.ledger import build_image
    from registry.errors import StoreError

    if workspace.folder is None:
        raise StoreError(
            _("the ledger image has no folder that can be written"),
            remedy=_("Name one in UCJ_CACHE. Until then every question works it out anew."),
        )
    with progress(_("events folded"), workspace.log.head()) as bar:
        image = build_image(workspace.log, workspace.folder, progress=bar.reach)
    if image is None:
        say([_("the log is empty; there is nothing to build")])
        return 0
    say(
        [
            _("built the ledger image at #{position}: {path}").format(
                position=image.position, path=image.path.resolve()
            )
        ]
    )
    return 0


def _check(workspace: Workspace) -> int:
    import duckdb

    from cli.terminal import progress
    from projections.checking import compare
    from projections.ledger import full_disk, is_of_a_full_disk

    with progress(_("events replayed"), workspace.log.head()) as bar:
        try:
            found = compare(workspace.log, workspace.folder, progress=bar.reach)
        except duckdb.Error as error:
            if is_of_a_full_disk(error):
                what = _("the ledger cannot be compared with the replayed log")
                raise full_disk(what, error) from None
            damage = str(error).splitlines()[0][:200]
            notice(_("the ledger image cannot be read to its end: {damage}").format(damage=damage))
            notice(_("Build it anew with `ucj rebuild`; the log is untouched."))
            return EXIT_REFUSED
    for path in found.damaged_images:
        notice(_("the ledger image {name} is damaged, or of another log").format(name=path.name))
    compared = (
        _("the image at #{position} and {events:,} events after it").format(
            position=found.image_position, events=found.position - found.image_position
        )
        if found.image_position is not None
        else _("no image, {events:,} events folded").format(events=found.position)
    )
    if found.damaged_images and not found.differences_total:
        notice(_("Build it anew with `ucj rebuild`; the log is untouched."))
        return EXIT_REFUSED
    if not found.differences_total:
        say(
            [
                _("the ledger is what the log says: {rows:,} rows compared ({compared})").format(
                    rows=found.rows, compared=compared
                )
            ]
        )
        return 0
    columns = (
        Column("table", _("Table"), "code"),
        Column("side", _("Only in"), "code"),
        Column("position", "#", "number"),
        Column("row", _("Row"), "json"),
    )
    rows = [
        {"table": each.table, "side": each.side, "position": each.position, "row": _plain(each.row)}
        for each in found.differences
    ]
    write_listing(Listing("differences", columns, rows, layout="record"), format=None, output=None)
    notice(
        _("the ledger differs from the log in {rows:,} rows ({compared})").format(
            rows=found.differences_total, compared=compared
        )
    )
    notice(_("Build it anew with `ucj rebuild`; the log is untouched."))
    return EXIT_REFUSED


def _plain(row: dict[str, object]) -> dict[str, object]:
    return {
        name: value if isinstance(value, str | int | list | dict) else str(value)
        for name, value in row.items()
    }


@click.command("backup")
@click.argument("file", type=PLACE, metavar="FILE")
@uses_store
def backup_command(settings: Settings, file: Path) -> None:
    r"""Copy the store to one file, while others work.

    The copy is checked, readable by you only, and opens as it is, from read-only media too. FILE
    must not exist yet. Copying a store with other programs may catch it half-written.

    \b
    Examples:
      ucj backup registry-2025-07-31.db
      ucj --store registry-2025-07-31.db status
    """
    from registry.durable import sync_folder
    from registry.storage.log import open_log
    from registry.storage.sqlite import back_up

    open_log(settings.store).close()  # a store that cannot serve comes before a place that cannot
    check_place(file, f"FILE {file.name}", new=True)
    with path_to(file) as path:
        head = back_up(settings.store, path)
    sync_folder(file.resolve().parent)
    with closing(open_log(file)) as log:
        assert log.head() == head
    say(
        [
            _("copied up to #{head}: {path}, {size}").format(
                head=head, path=file.resolve(), size=_size(file.stat().st_size)
            )
        ]
    )
