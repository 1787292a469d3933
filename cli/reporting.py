"""What auditors file: how a figure became another, whole, as one workbook, page or text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cli.destination import PLACE, check_place, path_to
from cli.listing import Column, Document, Listing, Section
from cli.options import AREA, POINT, Settings, notice, uses_store
from cli.terminal import Progress, progress
from cli.trace_in_words import Known, change_in_words
from registry import __version__
from registry.language import _, said
from registry.safe_text import safe
from registry.terms import is_regency

if TYPE_CHECKING:
    from cli.report_sections import Asked
    from projections.ledger import Ledger

ROWS_MAX: Final = {".xlsx": 20_000, ".md": 2_000, ".html": 2_000}
"""Of a section, by the file's ending: what is read on paper is shorter."""

_COVER: Final = (
    Column("area", _("Area"), "text"),
    Column("from", _("From"), "date"),
    Column("known_from", _("From, as known at"), "text"),
    Column("to", _("To"), "date"),
    Column("known_to", _("To, as known at"), "text"),
    Column("change", _("Change"), "text"),
    Column("store", _("Store"), "code"),
    Column("made_at", _("Made at"), "instant"),
    Column("made_by", _("Made by"), "text"),
    Column("program", _("Program"), "text"),
    Column("command", _("Made by the command"), "code"),
)


@click.command("report")
@click.argument("area", type=AREA)
@click.option(
    "--from",
    "start",
    type=POINT,
    required=True,
    metavar="DATE",
    help="The figure on this day; a month is its last.",
)
@click.option(
    "--to",
    "end",
    type=POINT,
    required=True,
    metavar="DATE",
    help="What it became, on this day: revisions, lapses and targets are of it.",
)
@click.option(
    "--known-from",
    metavar="K",
    help="The first figure as known then: #1234 or @1234, a date or an instant. [now]",
)
@click.option("--known-to", metavar="K", help="The second figure as known then. [now]")
@click.option(
    "--output",
    type=PLACE,
    required=True,
    metavar="FILE",
    help=f"Where to write it; the ending says as what ({' '.join(ROWS_MAX)}).",
)
@click.option("--by", "actor", metavar="NAME", help="Who makes it.")
@uses_store
def report_command(
    settings: Settings,
    area: str,
    start: date,
    end: date,
    known_from: str | None,
    known_to: str | None,
    output: Path,
    actor: str | None,
) -> None:
    """Write the statement that an auditor files.

    How the figure of one day became that of another: coverage on both days, the trace by category
    and by batch with document, file and row, the published figures, how the later figure was
    revised, what lapses in the twelve months after, and the targets. Each section says of which
    day it is, as known when, from which store, and the command that asks the same again. A
    workbook has a sheet for each; a page of HTML is whole in itself and made to be printed. All of
    it is of one moment, whatever is imported meanwhile. A new file is readable by you only.

    \b
    Examples:
      ucj report 16.06 --from 2024-12 --to 2025-07 --output muba-2025-07.xlsx
      ucj report 16 --from 2024-12 --to 2025-07 --known-from 2024-12-31 --output sumsel.html
    """
    ending = output.suffix.lower()
    if ending not in ROWS_MAX:
        raise click.UsageError(
            _("--output {name} does not say as what: give an ending out of {endings}.").format(
                name=output.name, endings=" ".join(ROWS_MAX)
            )
        )
    check_place(output, f"--output {output.name}")
    made_by, made_at = settings.acting(actor).actor, datetime.now(UTC)
    with settings.workspace() as workspace:
        from cli.report_sections import Asked
        from projections.steps import Point, Traced

        known = Known.of(workspace.known, known_from, known_to)
        traced = Traced(area, Point(start, known.start), Point(end, known.end))
        store_id = workspace.log.store_id

        def question(ledger: Ledger) -> int:
            asked = Asked(
                ledger, traced, store_id, typed=ending == ".xlsx", rows_max=ROWS_MAX[ending]
            )
            return _report(asked, output, made_at=made_at, made_by=made_by)

        count = workspace.ask(question, known=known.head)
    notice(
        _("{count} sections, as known at #{position}, are in {name}.").format(
            count=count, position=known.head, name=safe(output.name)
        )
    )


def _report(asked: Asked, output: Path, *, made_at: datetime, made_by: str) -> int:
    """Write the report while the ledger is open; return how many sections it has."""
    from cli.report_sections import sections
    from projections.steps import sorted_on_disk

    parts = sections(asked)
    one_regency = is_regency(asked.traced.area)
    with (
        progress(_("making the report"), len(parts)) as bar,
        nullcontext() if one_regency else sorted_on_disk(asked.ledger),
        path_to(output) as path,
    ):
        path.touch(mode=0o600)
        cover = _cover(asked, output, made_at, made_by)
        document = Document(_title(asked), cover, parts, _answered(parts, bar), made_at)
        _write(document, output.suffix.lower(), path)
    return len(parts)


def _answered(parts: Sequence[Section], bar: Progress) -> Iterator[tuple[Section, Listing]]:
    for section in parts:
        yield section, section.build()
        bar.advance()


def _write(document: Document, ending: str, path: Path) -> None:
    if ending == ".xlsx":
        from cli.workbook import write_document

        write_document(document, path)
        return
    if ending == ".html":
        from cli.report_html import html_document as lines
    else:
        from cli.report_markdown import markdown_document as lines
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(f"{line}\n" for line in lines(document))


def _place(asked: Asked) -> str:
    return f"{asked.found.area_name} ({asked.found.area})"


def _title(asked: Asked) -> str:
    title = _("{place}, {start} to {end}").format(
        place=_place(asked), start=asked.traced.start.on, end=asked.traced.end.on
    )
    return str(said(title))


def _cover(asked: Asked, output: Path, made_at: datetime, made_by: str) -> Listing:
    from cli.report_sections import spoken

    start, end = asked.traced.start, asked.traced.end
    command = (
        f"ucj report {asked.traced.area} --from {start.on} --to {end.on} --known-from @{start.known}"
        f" --known-to @{end.known} --output {shlex.quote(safe(output.name))}{spoken()}"
    )
    fact = {
        "area": _place(asked),
        "from": start.on,
        "known_from": f"#{start.known}",
        "to": end.on,
        "known_to": f"#{end.known}",
        "change": change_in_words(asked.found),
        "store": asked.store_id,
        "made_at": made_at,
        "made_by": made_by,
        "program": f"ucj {__version__}",
        "command": command,
    }
    return Listing("report", _COVER, [fact], layout="record")
