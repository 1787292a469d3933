"""What auditors ask of published figures: does the ledger say so, did it then, and what is odd."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from cli.options import (
    AREA,
    CATEGORY,
    POSITION,
    REFERENCE,
    TEXT,
    Settings,
    dry_run_option,
    known_option,
    uses_store,
)
from cli.output import Column, Listing, for_people, listing_options, percent, write_listing
from cli.overriding import may_override
from cli.reconciliation_in_words import figures_for_people, summary
from cli.settling import Settling, settle_figure
from registry.language import _

if TYPE_CHECKING:
    from projections.boundaries import Crossing
    from projections.days import Standing
    from projections.figures import Figure, Printed
    from projections.reconciliation import Reconciled, Reconciliation
    from projections.verdicts import Check

Strictness = Literal["differs", "independent"]

EXIT_FOUND: Final = 1

_COLUMNS: Final = (
    Column("area", _("Code"), "code"),
    Column("as_of", _("As of"), "text"),
    Column("category", _("Category"), "code"),
    Column("segment", _("Segment"), "code"),
    Column("publisher", _("Publisher"), "text"),
    Column("published_on", _("Published on"), "date"),
    Column("published", _("Published"), "json"),
    Column("as_known_then", _("As known then"), "json"),
    Column("as_known_now", _("As known now"), "json"),
    Column("as_documented_then", _("As documented then"), "json"),
    Column("tests", _("Tests"), "json"),
    Column("difference", _("Difference"), "number"),
    Column("verdict", _("Verdict"), "code"),
    Column("verdict_then", _("Verdict then"), "code"),
    Column("findings", _("Findings"), "json"),
    Column("suspects", _("Suspects"), "json"),
    Column("position", "#", "number"),
    Column("area_name", _("Area"), "text"),
    Column("source", _("Source"), "text"),
    Column("on", _("On"), "date"),
    Column("difference_in", _("Difference in"), "code"),
    Column("verdict_documented", _("Verdict documented"), "code"),
    Column("explanation", _("Explanation"), "text"),
    Column("arithmetic", _("Arithmetic"), "json"),
    Column("agreed_before", _("Agreed before"), "count"),
    Column("suspects_total", _("Suspects in all"), "count"),
    Column("restated_by", _("Restated by"), "json"),
    Column("regencies_counted", _("Counted"), "count"),
    Column("regencies_total", _("Regencies"), "count"),
    Column("suspect_areas", _("Suspect areas"), "json"),
    Column("restated_areas", _("Restated by areas"), "json"),
)


class _StrictIsAFlagToo(click.Command):
    """`--strict` alone never takes the area after it for its value; only `--strict=…` has one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write the bare option out."""
        end = args.index("--") if "--" in args else len(args)
        plain = ["--strict=differs" if each == "--strict" else each for each in args[:end]]
        return super().parse_args(ctx, [*plain, *args[end:]])


@click.command("reconcile", cls=_StrictIsAFlagToo)
@click.argument("area", required=False, default="ID", type=AREA)
@click.option(
    "--strict",
    type=click.Choice(("differs", "independent")),
    metavar="[=independent]",
    help="Exit with 1 if anything differs or is odd; =independent: also where agreement is only"
    " balanced.",
)
@known_option
@click.option("--settle", is_flag=True, help="Record the entry that makes the ledger agree.")
@click.option("--figure", type=POSITION, help="The figure to settle. [the only one that differs]")
@click.option(
    "--category", type=CATEGORY, help="Of which workers the entry is, where the figure is of all."
)
@click.option(
    "--of-batch",
    type=REFERENCE,
    metavar="REFERENCE",
    help="Whom the entry takes out; needed for heads with an end. [those without one]",
)
@click.option("--of-part", type=TEXT, help="The part of --of-batch, where it has parts.")
@click.option("--as", "reference", type=REFERENCE, help="The reference of the settling entry.")
@click.option("--reason", type=TEXT, help="Why; kept with the settling entry.")
@dry_run_option
@click.option("--by", "actor", metavar="NAME", help="Who settles.")
@uses_store
@listing_options
@may_override
def reconcile_command(
    settings: Settings,
    area: str,
    strict: Strictness | None,
    known: str | None,
    settle: bool,  # noqa: FBT001
    figure: int | None,
    category: str | None,
    of_batch: str | None,
    of_part: str | None,
    reference: str | None,
    reason: str | None,
    dry_run: bool,  # noqa: FBT001
    actor: str | None,
    format: str | None,
    output: Path | None,
) -> int | None:
    r"""Hold every published figure against the ledger.

    Each figure is tested as known now, as known at the end of the day it was published (Jakarta),
    and by what claims a document of that day or before. A percentage agrees if the exact value
    rounds to the printed one; a month or a year agrees if any day of it does. What is odd about a
    figure is told with its arithmetic. AREA takes in the areas below it; without one, all.

    With --settle it records a balancing entry instead, in or out, from the day of the figure: a
    visible one, which stays told apart from what batches did.

    \b
    Examples:
      ucj reconcile 16.06
      ucj reconcile --strict --format json
      ucj reconcile "Sumatera Selatan" --strict=independent --output figures.xlsx
      ucj reconcile 16.06 --settle --figure @16 --category guru --as REKON-1 \
        --reason "no list of who left was found" --dry-run
    """
    settling = {
        "--figure": figure,
        "--category": category,
        "--of-batch": of_batch,
        "--of-part": of_part,
        "--as": reference,
        "--reason": reason,
        "--dry-run": dry_run or None,
        "--by": actor,
        "--override": settings.override,
    }
    if settle:
        asking = {"--strict": strict, "--known": known, "--format": format, "--output": output}
        _refuse_any_of(asking, _("{option} does not go with --settle."))
        if reference is None or reason is None:
            missing = "--as" if reference is None else "--reason"
            raise click.UsageError(_("--settle needs {option}.").format(option=missing))
        if of_part is not None and of_batch is None:
            raise click.UsageError(_("--of-part goes with --of-batch."))
        order = Settling(
            area,
            figure,
            category,
            reference,
            reason,
            dry_run,
            of_batch=of_batch,
            of_part=of_part or "",
        )
        settle_figure(settings.acting(actor), order)
        return None
    _refuse_any_of(settling, _("{option} goes with --settle only."))
    from projections.reconciliation import reconcile

    with settings.workspace() as workspace:
        position = workspace.known(known)
        found = workspace.ask(
            lambda ledger: reconcile(ledger, area, known=position), known=position
        )
    if for_people(format, output):
        listing = figures_for_people(found)
    else:
        rows = (_row(each, position) for each in found.figures)
        listing = Listing("reconcile", _COLUMNS, rows, notes=[*summary(found)])
    write_listing(listing, format=format, output=output)
    return EXIT_FOUND if strict is not None and _is_found(found, strict) else None


def _refuse_any_of(options: Mapping[str, object], why: str) -> None:
    for option, value in options.items():
        if value is not None:
            raise click.UsageError(why.format(option=option))


def _is_found(found: Reconciliation, strict: Strictness) -> bool:
    return (
        any(each.verdict == "differs" or each.is_odd for each in found.figures)
        or bool(found.targets_in_conflict)
        or (strict == "independent" and any(each.is_balanced for each in found.figures))
    )


def _row(each: Reconciled, known: int) -> dict[str, object]:
    figure, standing, deciding = each.figure, each.now.standing, each.now.deciding
    retracted = figure.retracted
    then = each.then.standing if each.then else None
    documented = each.documented.standing if each.documented else None
    return {
        "area": each.area,
        "as_of": figure.as_of,
        "category": figure.category,
        "segment": figure.segment,
        "publisher": figure.publisher,
        "published_on": figure.published_on,
        "published": _published(figure),
        "as_known_then": None if then is None else _known(then, figure.known_then or 0),
        "as_known_now": _known(standing, known),
        "as_documented_then": _known(documented, known) if _says(documented) else None,
        "tests": [] if retracted else [_test(check) for check in each.now.checks],
        "difference": None if retracted or deciding is None else deciding.difference,
        "verdict": each.verdict,
        "verdict_then": each.verdict_then,
        "findings": each.codes,
        "suspects": [suspect.reference for suspect in each.suspects.named],
        "position": figure.position,
        "area_name": each.area_name,
        "source": figure.source,
        "on": each.on,
        "difference_in": None if retracted or deciding is None else deciding.what,
        "verdict_documented": each.documented.verdict if each.documented else None,
        "explanation": each.explanation,
        "arithmetic": [{"code": odd.code, "says": odd.says} for odd in each.findings],
        "agreed_before": each.agreed_before.position if each.agreed_before else None,
        "suspects_total": each.suspects.total,
        "restated_by": [batch.reference for batch in each.restated_by.named],
        "regencies_counted": standing.regencies_counted if standing else None,
        "regencies_total": standing.regencies_total if standing else None,
        "suspect_areas": [_moved(moved) for moved in each.suspect_areas],
        "restated_areas": [_moved(moved) for moved in each.restated_areas],
    }


def _moved(moved: Crossing) -> dict[str, object]:
    return {"area": moved.area, "change": moved.change, "position": moved.position}


def _published(figure: Figure) -> dict[str, object]:
    """Return the numbers as printed: percentages and the gap as texts, decimals and all."""
    return {
        "active": figure.active,
        "potential": figure.potential,
        "percent": _text(figure.percent),
        "uncovered_percent": _text(figure.uncovered),
        "target_percent": _text(figure.target),
        "gap": _text(figure.gap),
        "tolerance": figure.tolerance,
    }


def _text(printed: Printed | None) -> str | None:
    return None if printed is None else printed.text


def _says(standing: Standing | None) -> bool:
    return standing is not None and (standing.active, standing.potential) != (None, None)


def _known(standing: Standing | None, position: int) -> dict[str, object]:
    return {
        "active": standing.active if standing else None,
        "potential": standing.potential if standing else None,
        "coverage_percent": percent(standing.coverage) if standing else None,
        "known_position": position,
    }


def _test(check: Check) -> dict[str, object]:
    return {
        "what": check.what,
        "published": check.published_number,
        "expected": check.expected_number,
        "difference": check.difference,
        "result": check.result,
        "reading": check.reading,
    }
