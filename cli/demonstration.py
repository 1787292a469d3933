"""The example, live: published facts through the very same commands, and what the ledger answers.

Every figure it prints is asked of the ledger; none stands here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.destination import PLACE, check_place
from cli.options import Settings, UnusableActorError, actor_named
from cli.output import Column, Listing, write_listing
from cli.recorded import moment, place, say
from registry.language import _, joined, whole
from registry.vocabulary import movement

if TYPE_CHECKING:
    from datetime import date

    from projections.ledger import Ledger

AREA: Final = "16.06"
EXAMPLE: Final = "sumsel-2025"
KINDS: Final = ("potentials", "batches", "targets", "figures")

_BATCHES: Final = """
SELECT entries.position, entries.effective_on, entries.kind, entries.reference,
       sum(entries.workers) AS workers, any_value(file_name) AS file, min(entries."row") AS "row",
       entries.recorded_by, entries.recorded_at
FROM entries LEFT JOIN imports ON imports.import_id = entries.import_id
WHERE entries.area = $area AND entries.kind <> 'lapse'
GROUP BY entries.position, entries.effective_on, entries.kind, entries.reference,
         entries.recorded_by, entries.recorded_at
ORDER BY entries.effective_on, entries.position
"""


@click.command("demo")
@click.option(
    "--keep",
    type=PLACE,
    metavar="PATH",
    help="Make the store there and keep it; it must not exist yet.",
)
def demo_command(keep: Path | None) -> None:
    r"""Show the registry at work on published figures.

    Imports what five press reports of 2024 and 2025 say of two regencies into a store of its own,
    and asks it what the coverage was and where each number comes from. Your own store is not
    touched.

    \b
    Examples:
      ucj demo
      ucj demo --keep demo.db
    """
    root = click.get_current_context().find_root()
    actor = _actor((root.obj or {}).get("actor"))
    with _place(keep) as store:
        for arguments in (["init"], *(_import(kind) for kind in KINDS)):
            _run(root, store, actor, arguments)
        _ask(Settings(store, actor))
    _say_what_next(keep)


def _actor(named: str | None) -> str:
    try:
        return actor_named(named)
    except UnusableActorError:  # a container without a login name may see the demo too
        if named:
            raise
        return "demo"


@contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        check_place(keep, f"--keep {keep.name}", new=True)
        yield keep
        return
    from registry.temporary import private_folder

    with private_folder() as folder:
        yield folder / "demo.db"


def example_folder() -> Path:
    """Return where the example lies: beside the packages in a checkout, inside ours in a wheel."""
    here = Path(__file__).parent
    beside = here.parent / "examples" / EXAMPLE
    return beside if beside.is_dir() else here / "examples" / EXAMPLE


def _import(kind: str) -> list[str]:
    return ["import", kind, str(example_folder() / f"{kind}.csv"), "--locale", "en"]


def _run(root: click.Context, store: Path, actor: str, arguments: list[str]) -> None:
    """Run a command as it is typed, and show it as it would be."""
    shown = " ".join(
        "/".join(Path(each).parts[-3:]) if each.endswith(".csv") else each for each in arguments
    )
    say([f"$ ucj {shown}"])
    given = ["--store", str(store), "--by", actor, *arguments]
    code = root.command.main(args=given, prog_name="ucj", standalone_mode=False)
    assert not code, f"the example was refused: {shown}"
    say([""])


def _ask(settings: Settings) -> None:
    with settings.workspace() as workspace:
        batches, coverage = workspace.ask(_answers)
    say([_("Coverage of {place} on the days it changed:").format(place=place(AREA)), ""])
    write_listing(coverage, format="table", output=None)
    say(["", _("Where each number comes from, who recorded it and when:"), ""])
    write_listing(batches, format="table", output=None)


def _answers(ledger: Ledger) -> tuple[Listing, Listing]:
    from projections.coverage import coverage_at

    found = ledger.connection.execute(_BATCHES, {"area": AREA}).fetchall()
    days: dict[date, list[str]] = {}
    for _position, day, kind, reference, workers, *_origin in found:
        days.setdefault(day, []).append(
            joined("", (whole(workers, "+,"), " ", movement(kind), f": {reference}"))
        )
    rows = [
        {
            "on": row.on,
            "active": row.active,
            "potential": row.potential,
            "coverage_percent": row.coverage,
            "because": joined("; ", days[row.on]),
        }
        for day in days
        for row in coverage_at(ledger, [AREA], day)
    ]
    return _batches(found), Listing("coverage", _COVERAGE, rows)


_COVERAGE: Final = (
    Column("on", _("On"), "date"),
    Column("active", _("Active"), "count"),
    Column("potential", _("Potential"), "count"),
    Column("coverage_percent", _("Coverage"), "percent"),
    Column("because", _("Because"), "text"),
)
_ORIGINS: Final = (
    Column("position", "#", "number"),
    Column("reference", _("Batch"), "text"),
    Column("workers", _("Workers"), "text"),
    Column("origin", _("From file and row"), "text"),
    Column("recorded", _("Recorded"), "text"),
    Column("recorded_by", _("By"), "text"),
)


def _batches(found: list[Any]) -> Listing:
    from datetime import UTC

    rows = [
        {
            "position": position,
            "reference": reference,
            "workers": whole(workers, "+,"),
            "origin": f"{file}:{row}",
            "recorded": moment(recorded_at.replace(tzinfo=UTC)),
            "recorded_by": recorded_by,
        }
        for position, _day, _kind, reference, workers, file, row, recorded_by, recorded_at in found
    ]
    return Listing("batches", _ORIGINS, rows)


def _say_what_next(keep: Path | None) -> None:
    store = str(keep) if keep else "demo.db"
    lines = ["", _("Try next:")]
    if keep is None:
        lines.append("  ucj demo --keep demo.db")
    lines += [
        f"  ucj --store {store} coverage 16 --on 2025-07",
        f"  ucj --store {store} coverage 16.06 --on 2025-07 --by category",
        f"  ucj --store {store} history 16.06",
        f"  ucj --store {store} reconcile 16.06",
    ]
    say(lines)
