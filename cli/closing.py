"""Closing a period and opening it again: what was stated of it holds, unless two persons say not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.options import AREA, DAY, POINT, REGENCY, TEXT, Settings, dry_run_option, records
from cli.recorded import say_recorded
from registry.language import _
from registry.terms import NATION, is_regency

if TYPE_CHECKING:
    from datetime import date


@click.command("close")
@click.argument("area", type=AREA)
@click.option(
    "--through",
    type=POINT,
    required=True,
    metavar="DATE",
    help="The last closed day, today at the latest; a month is its last day.",
)
@click.option(
    "--all",
    "whole_province",
    is_flag=True,
    help="Every kabupaten and kota that the province AREA has on the last closed day.",
)
@dry_run_option
@records
def close_command(
    settings: Settings,
    area: str,
    through: date,
    whole_province: bool,  # noqa: FBT001
    dry_run: bool,  # noqa: FBT001
) -> None:
    r"""Close a kabupaten or kota through a day.

    What is known of that day is stated: active workers by category, and the potential. From then on
    whatever would change a category's active workers, or the potential in force, on a closed day is
    refused, whichever dates its batches have; with --override REASON --seconded-by NAME it is
    recorded, marked as late in `ucj trace` and listed by `ucj revisions`. Targets and published
    figures change no sum, and may come at any time. A province's own potential is not closed.

    \b
    Examples:
      ucj close 16.06 --through 2025-06 --dry-run
      ucj close 16.06 --through 2025-06-30 --by "Siti Aminah"
      ucj close 16 --all --through 2025-06
    """
    _check_asked(area, whole_province=whole_province)
    with settings.recording() as registry:
        close = registry.close_province if whole_province else registry.close_period
        say_recorded(close(area, through, dry_run=dry_run), settings.boundaries().map_on(through))


def _check_asked(area: str, *, whole_province: bool) -> None:
    if is_regency(area):
        if whole_province:
            raise click.UsageError(
                _("{area} is one kabupaten or kota; leave --all out.").format(area=area)
            )
    elif not whole_province or area == NATION:
        raise click.UsageError(
            _("Name a kabupaten or kota; or a province, with --all for each in it.")
        )


@click.command("reopen")
@click.argument("area", type=REGENCY)
@click.option(
    "--from",
    "since",
    type=DAY,
    required=True,
    metavar="DATE",
    help="The first day that is open again; what was closed before it stays closed.",
)
@click.option("--reason", type=TEXT, required=True, help="Why; kept with the reopening.")
@dry_run_option
@records
def reopen_command(
    settings: Settings,
    area: str,
    since: date,
    reason: str,
    dry_run: bool,  # noqa: FBT001
) -> None:
    r"""Open closed days of a kabupaten or kota again.

    The days before --from stay closed. What the closing stated stays in the log; close again when
    the days are right. Refused where no day from then on is closed. `ucj revisions` lists it: who
    reopened which days, when and why.

    \b
    Examples:
      ucj reopen 16.06 --from 2025-06-01 --reason "SK 400/9 came in late" --dry-run
      ucj reopen 16.06 --from 2025-06-01 --reason "SK 400/9 came in late"
    """
    with settings.recording() as registry:
        recorded = registry.reopen_period(area, since, because=reason, dry_run=dry_run)
        say_recorded(recorded, settings.boundaries().map_on(since))
