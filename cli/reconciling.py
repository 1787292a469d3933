"""What auditors ask of published figures: does the ledger say so, did it then, and what is odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from cli.options import AREA, Settings, known_option, uses_store
from cli.output import Column, Listing, for_people, listing_options, percent, write_listing
from registry.safe_text import safe

if TYPE_CHECKING:
    from projections.figures import Figure, Printed
    from projections.reconciliation import Reconciled, Reconciliation
    from projections.standings import Standing
    from projections.verdicts import Check

Strictness = Literal["differs", "independent"]

EXIT_FOUND: Final = 1

_COLUMNS: Final = (
    Column("area", "Code", "code"),
    Column("as_of", "As of", "text"),
    Column("category", "Category", "code"),
    Column("segment", "Segment", "code"),
    Column("publisher", "Publisher", "text"),
    Column("published_on", "Published on", "date"),
    Column("published", "Published", "json"),
    Column("as_known_then", "As known then", "json"),
    Column("as_known_now", "As known now", "json"),
    Column("as_documented_then", "As documented then", "json"),
    Column("tests", "Tests", "json"),
    Column("difference", "Difference", "number"),
    Column("verdict", "Verdict", "code"),
    Column("verdict_then", "Verdict then", "code"),
    Column("findings", "Findings", "json"),
    Column("suspects", "Suspects", "json"),
    Column("position", "#", "count"),
    Column("area_name", "Area", "text"),
    Column("source", "Source", "text"),
    Column("on", "On", "date"),
    Column("difference_in", "Difference in", "code"),
    Column("verdict_documented", "Verdict documented", "code"),
    Column("explanation", "Explanation", "text"),
    Column("arithmetic", "Arithmetic", "json"),
    Column("agreed_before", "Agreed before", "count"),
    Column("suspects_total", "Suspects in all", "count"),
    Column("restated_by", "Restated by", "json"),
    Column("regencies_counted", "Counted", "count"),
    Column("regencies_total", "Regencies", "count"),
)

_MEANINGS: Final = {
    "percent-inconsistent": "The percentage is not its own active over its own potential",
    "percent-truncated": "The percentage was cut off, not rounded",
    "uncovered-inconsistent": "Covered and not covered do not make a whole",
    "gap-inconsistent": "The gap is neither the workers or points to the target nor those not covered",
    "other-potential": "The percentage is of another potential than the one in force",
    "figures-conflict": "Figures contradict each other",
    "targets-conflict": "Targets for one year contradict each other",
    "restated": "It agreed when it was published, and differs now",
    "balanced": "Agreement that an opening or a reconciling entry may have made: no independent one",
}


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
@uses_store
@listing_options
def reconcile_command(
    settings: Settings,
    area: str,
    strict: Strictness | None,
    known: str | None,
    format: str | None,
    output: Path | None,
) -> int | None:
    r"""Hold every published figure against the ledger.

    Each figure is tested as known now, as known at the end of the day it was published (Jakarta),
    and by what claims a document of that day or before. A percentage agrees if the exact value
    rounds to the printed one; a month or a year agrees if any day of it does. What is odd about a
    figure is told with its arithmetic. AREA takes in the areas below it; without one, all.

    \b
    Examples:
      ucj reconcile 16.06
      ucj reconcile --strict --format json
      ucj reconcile "Sumatera Selatan" --strict=independent --output figures.xlsx
    """
    from projections.reconciliation import reconcile

    with settings.workspace() as workspace:
        position = workspace.known(known)
        found = workspace.ask(
            lambda ledger: reconcile(ledger, area, known=position), known=position
        )
    people = for_people(format, output)
    listing = Listing(
        name="reconcile",
        columns=_columns_for_people(found.figures) if people else _COLUMNS,
        rows=(_for_people(each) if people else _row(each, position) for each in found.figures),
        notes=[*(_notes(found) if people else ()), *_summary(found)],
    )
    write_listing(listing, format=format, output=output)
    return EXIT_FOUND if strict is not None and _is_found(found, strict) else None


def _is_found(found: Reconciliation, strict: Strictness) -> bool:
    return (
        any(each.is_odd for each in found.figures)
        or bool(found.targets_in_conflict)
        or (strict == "independent" and any(each.is_balanced for each in found.figures))
    )


# --- for programs ---------------------------------------------------------------------------------


def _row(each: Reconciled, known: int) -> dict[str, object]:
    figure, standing, deciding = each.figure, each.now.standing, each.now.deciding
    retracted = figure.retracted
    then = each.then.standing if each.then else None
    documented = each.documented.standing if each.documented else None
    return {
        "area": figure.area,
        "as_of": figure.as_of,
        "category": figure.category,
        "segment": figure.segment,
        "publisher": figure.publisher,
        "published_on": figure.published_on,
        "published": _published(figure),
        "as_known_then": None if figure.known_then is None else _known(then, figure.known_then),
        "as_known_now": _known(standing, known),
        "as_documented_then": None if figure.published_on is None else _known(documented, known),
        "tests": [] if retracted else [_test(check) for check in each.now.checks],
        "difference": None if retracted or deciding is None else deciding.difference,
        "verdict": each.verdict,
        "verdict_then": each.verdict_then,
        "findings": _codes(each),
        "suspects": [suspect.reference for suspect in each.suspects.named],
        "position": figure.position,
        "area_name": each.area_name,
        "source": figure.source,
        "on": each.on,
        "difference_in": None if retracted or deciding is None else deciding.what,
        "verdict_documented": each.documented.verdict if each.documented else None,
        "explanation": each.explanation,
        "arithmetic": [finding._asdict() for finding in each.findings],
        "agreed_before": each.agreed_before.position if each.agreed_before else None,
        "suspects_total": each.suspects.total,
        "restated_by": [batch.reference for batch in each.restated_by.named],
        "regencies_counted": standing.regencies_counted if standing else None,
        "regencies_total": standing.regencies_total if standing else None,
    }


def _codes(each: Reconciled) -> list[str]:
    return list(dict.fromkeys(finding.code for finding in each.findings))


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


# --- for people -----------------------------------------------------------------------------------


def _columns_for_people(figures: Sequence[Reconciled]) -> tuple[Column, ...]:
    columns = [
        Column("position", "#", "count"),
        Column("as_of", "As of", "text"),
        Column("of", "Of", "text"),
        Column("published", "Published", "text"),
        Column("ledger", "Ledger", "text"),
        Column("verdict", "Verdict", "text"),
    ]
    if any(each.then is not None for each in figures):
        columns.append(Column("verdict_then", "Then", "text"))
    return tuple(columns)


def _for_people(each: Reconciled) -> dict[str, object]:
    return {
        "position": each.figure.position,
        "as_of": each.figure.as_of or "unknown",
        "of": _of(each),
        "published": _numbers(each, printed=True),
        "ledger": None if each.verdict == "retracted" else _numbers(each, printed=False),
        "verdict": _verdict(each),
        "verdict_then": each.verdict_then and _spaced(each.verdict_then),
    }


def _of(each: Reconciled) -> str:
    """Return what a figure is of: the area, and the category and segment if it is of one."""
    return " ".join(filter(None, (each.area_name, each.figure.category, each.figure.segment)))


def _spaced(code: str) -> str:
    return code.replace("-", " ")


def _numbers(each: Reconciled, *, printed: bool) -> str | None:
    """Return the numbers that were tested side by side; a potential that agrees is left out."""
    said = []
    for check in each.now.checks:
        if not check.decides or (check.what == "potential" and check.result == "agrees"):
            continue
        number = check.published_number if printed else check.expected_number
        if number is not None:
            said.append(_IN_WORDS[check.what].format(f"{number:,}"))
    return ", ".join(said) or None


_IN_WORDS: Final = {  # no line is broken between a number and its %
    "active": "{}",
    "potential": "of {}",
    "percent": "{}\u00a0%",
    "uncovered_percent": "{}\u00a0% not covered",
    "gap": "gap {}",
}


def _verdict(each: Reconciled) -> str:
    from projections.explanations import signed

    said = _spaced(each.verdict)
    if each.verdict == "differs" and (deciding := each.now.deciding) is not None:
        said += f" {signed(deciding.difference)}"
        said += " points" if deciding.what in {"percent", "uncovered_percent"} else ""
    if each.is_balanced:
        said += ", balanced"
    return f"{said} *" if any(one.code != "balanced" for one in each.findings) else said


def _notes(found: Reconciliation) -> Iterator[str]:
    """Yield what differs and what is odd, kind by kind, each with its arithmetic."""
    if any(code != "balanced" for each in found.figures for code in _codes(each)):
        yield "* What is odd about it is told below."
        yield ""
    for verdict, heading in _EXPLAINED.items():
        lines = [
            f"{_label(each)}: {each.explanation}"
            for each in found.figures
            if each.verdict == verdict and each.explanation
        ]
        yield from _group(heading, lines)
    for verdict, heading in _UNTESTED.items():
        lines = [_label(each) for each in found.figures if each.verdict == verdict]
        yield from _group(heading, lines)
    for code, heading in _MEANINGS.items():
        yield from _group(f"{heading} ({code})", list(_findings(found, code)))


def _group(heading: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"{heading}:"
        yield from (f"- {line}." for line in lines)
        yield ""


def _findings(found: Reconciliation, code: str) -> Iterator[str]:
    """Yield the findings of a kind; what is said alike of several figures is said once."""
    from projections.coverage import shown_name

    said: dict[tuple[str, str], list[Reconciled]] = {}
    for each in found.figures:
        for finding in each.findings:
            if finding.code == code:
                said.setdefault((each.figure.area, finding.says), []).append(each)
    if code == "targets-conflict":
        for area, findings in found.targets_in_conflict.items():
            for finding in findings:
                said.setdefault((area, finding.says), [])
    for (area, says), figures in said.items():
        if len(figures) == 1:
            yield f"{_label(figures[0])}: {says}"
        else:
            numbers = ", ".join(f"#{each.figure.position}" for each in figures)
            yield f"{f'{numbers} ' if numbers else ''}{shown_name(area)}: {says}"


def _label(each: Reconciled) -> str:
    figure = each.figure
    return f"#{figure.position} {_of(each)}, {figure.as_of or 'undated'} ({safe(figure.source)})"


_EXPLAINED: Final = {
    "differs": "Differs from the ledger",
    "unclassified": "Cannot be told, because the ledger does not say of which category they are",
}
_UNTESTED: Final = {
    "no-ledger": "Cannot be told, because the ledger has nothing there up to that day",
    "no-potential": "Cannot be told, because no potential is in force",
    "undated": "Cannot be told, because the day is unknown",
}


def _summary(found: Reconciliation) -> Iterator[str]:
    """Yield how many figures came to what: now, when they were published, and by their documents."""
    figures = found.figures
    if not figures:
        yield f"No figures, as known at #{found.known_position}."
        return
    balanced = sum(each.is_balanced for each in figures)
    odd = sum(len(each.findings) for each in figures) - balanced
    now = _counted([each.verdict for each in figures], balanced)
    yield (
        f"{_many(len(figures), 'figure')}, as known at #{found.known_position}: {now};"
        f" {_many(odd, 'other finding')}."
    )
    then = [each.verdict_then for each in figures if each.verdict_then]
    documented = [each.documented.verdict for each in figures if each.documented]
    if then:
        yield (
            f"As known when published: {_counted(then)}."
            f" By what claims a document of that day or before: {_counted(documented)}."
        )


_WORDS: Final = {
    "agrees": "agree",
    "within-tolerance": "within their tolerance",
    "differs": "differ",
    "unclassified": "unclassified",
    "no-ledger": "without a ledger",
    "no-potential": "without a potential",
    "undated": "undated",
    "not-yet-recorded": "not yet recorded",
    "retracted": "retracted",
}


def _counted(verdicts: Sequence[str], balanced: int = 0) -> str:
    """Return how many came to what, in the order of `_WORDS`; balanced are of those that agree."""
    counts = Counter(verdicts)
    said = [f"{counts[verdict]} {words}" for verdict, words in _WORDS.items() if counts[verdict]]
    good = sum(counts[verdict] > 0 for verdict in ("agrees", "within-tolerance"))
    if balanced:
        said[good - 1] += f" (of these {balanced} balanced)"
    return ", ".join(said) or "none"


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
