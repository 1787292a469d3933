"""Published figures held against the ledger, as people read it: a table, and what it comes to.

Knows no option and no stream.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cli.listing import Column, Listing
from registry.language import Period, _, formatted, joined, ngettext, pgettext
from registry.safe_text import safe

if TYPE_CHECKING:
    from projections.days import Standing
    from projections.reconciliation import Reconciled, Reconciliation

_MEANINGS: Final = {
    "percent-inconsistent": _("The percentage is not its own active over its own potential"),
    "percent-truncated": _("The percentage was cut off, not rounded"),
    "uncovered-inconsistent": _("Covered and not covered do not make a whole"),
    "gap-inconsistent": _(
        "The gap is neither the workers or points to the target nor those not covered"
    ),
    "other-potential": _("Of another potential than the one in force"),
    "figures-conflict": _("Figures contradict each other"),
    "targets-conflict": _("Targets for one year contradict each other"),
    "restated": _("It agreed when it was published, and differs now"),
    "balanced": _(
        "Agreement that an opening or a reconciling entry may have made: no independent one"
    ),
}


def figures_for_people(found: Reconciliation) -> Listing:
    """Return a row for each figure; below, what differs and what is odd, with its arithmetic."""
    return Listing(
        name="reconcile",
        columns=_COLUMNS,
        rows=map(_for_people, found.figures),
        notes=[*_notes(found), *summary(found)],
    )


def figures_as_numbers(found: Reconciliation) -> Listing:
    """Return the same for a workbook: each number in a column of its own, to be reckoned with."""
    return Listing(
        name="reconcile",
        columns=_TYPED,
        rows=map(_as_numbers, found.figures),
        notes=[*_notes(found), *summary(found)],
    )


_COLUMNS: Final = (
    Column("position", "#", "number"),
    Column("as_of", _("As of"), "text"),
    Column("of", _("Of"), "text"),
    Column("published", _("Published"), "text"),
    Column("ledger", _("Ledger"), "text"),
    Column("verdict", _("Verdict"), "text"),
)
_TYPED: Final = (
    Column("position", "#", "number"),
    Column("as_of", _("As of"), "text"),
    Column("area", _("Code"), "code"),
    Column("area_name", _("Area"), "text"),
    Column("category", _("Category"), "code"),
    Column("segment", _("Segment"), "code"),
    Column("publisher", _("Publisher"), "text"),
    Column("published_on", _("Published on"), "date"),
    Column("published_active", _("Active published"), "count"),
    Column("published_potential", _("Potential published"), "count"),
    Column("published_percent", _("Coverage published"), "number"),
    Column("published_uncovered", _("Not covered published"), "number"),
    Column("published_target", _("Target published"), "number"),
    Column("published_gap", _("Gap published"), "number"),
    Column("tolerance", _("Tolerance"), "count"),
    Column("on", _("On"), "date"),
    Column("active", _("Active"), "count"),
    Column("potential", _("Potential"), "count"),
    Column("coverage_percent", _("Coverage"), "percent"),
    Column("difference", _("Difference"), "number"),
    Column("difference_in", _("Difference in"), "text"),
    Column("verdict", _("Verdict"), "text"),
    Column("verdict_then", _("Then"), "text"),
    Column("findings", _("Findings"), "text"),
    Column("source", _("Source"), "text"),
)


def _for_people(each: Reconciled) -> dict[str, object]:
    return {
        "position": each.figure.position,
        "as_of": Period(each.figure.as_of) if each.figure.as_of else _("unknown"),
        "of": _of(each),
        "published": _numbers(each, printed=True),
        "ledger": None if each.verdict == "retracted" else _numbers(each, printed=False),
        "verdict": _verdict(each),
    }


def _as_numbers(each: Reconciled) -> dict[str, object]:
    figure, standing, deciding = each.figure, each.now.standing, each.now.deciding
    return {
        "position": figure.position,
        "as_of": Period(figure.as_of) if figure.as_of else _("unknown"),
        "area": each.area,
        "area_name": each.area_name,
        "category": figure.category,
        "segment": figure.segment,
        "publisher": figure.publisher,
        "published_on": figure.published_on,
        "published_active": figure.active,
        "published_potential": figure.potential,
        "published_percent": figure.percent and figure.percent.number,
        "published_uncovered": figure.uncovered and figure.uncovered.number,
        "published_target": figure.target and figure.target.number,
        "published_gap": figure.gap and figure.gap.number,
        "tolerance": figure.tolerance,
        "on": each.on,
        "active": standing.active if standing else None,
        "potential": standing.potential if standing else None,
        "coverage_percent": standing.coverage if standing else None,
        "difference": deciding.difference if deciding and each.verdict != "retracted" else None,
        "difference_in": deciding and _WHAT[deciding.what],
        "verdict": _VERDICTS[_now(each)],
        "verdict_then": each.verdict_then and _VERDICTS[_then(each)],
        "findings": ", ".join(each.codes) or None,
        "source": figure.source,
    }


_WHAT: Final = {
    "active": _("Active"),
    "potential": _("Potential"),
    "percent": _("Coverage"),
    "uncovered_percent": _("Not covered"),
    "gap": _("Gap"),
}


def _of(each: Reconciled) -> str:
    """Return what a figure is of: the area, and the category and segment if it is of one."""
    return " ".join(filter(None, (each.area_name, each.figure.category, each.figure.segment)))


def _numbers(each: Reconciled, *, printed: bool) -> str | None:
    """Return the numbers that were tested side by side.

    A potential that agrees and a gap are left out, if they are not all there is.
    """
    deciding = [check for check in each.now.checks if check.decides]
    telling = [check for check in deciding if (check.what, check.result) != ("potential", "agrees")]
    said = []
    for check in telling or deciding or each.now.checks:
        number = check.published_number if printed else check.expected_number
        if number is not None:
            said.append(_IN_WORDS[check.what].format(number=formatted(number, ",")))
    return joined(", ", said) or None


_IN_WORDS: Final = {  # no line is broken between a number and its %
    "active": _("{number}"),
    "potential": _("of {number}"),
    "percent": _("{number}\u00a0%"),
    "uncovered_percent": _("{number}\u00a0% not covered"),
    "gap": _("gap {number}"),
}


def _now(each: Reconciled) -> str:
    return _told(each, each.verdict, each.now.standing)


def _then(each: Reconciled) -> str:
    return _told(each, str(each.verdict_then), each.then.standing if each.then else None)


def _told(each: Reconciled, verdict: str, standing: Standing | None) -> str:
    """Return the verdict as people are told it: where it is no ledger that is missing, what is."""
    from projections.verdicts import is_untested

    if not is_untested(each.figure, verdict, standing):
        return verdict
    return "no-target" if each.figure.gap is not None else "target-alone"


_VERDICTS: Final[dict[str, str]] = {
    "agrees": pgettext("verdict", "agrees"),
    "within-tolerance": pgettext("verdict", "within tolerance"),
    "differs": pgettext("verdict", "differs"),
    "unclassified": pgettext("verdict", "unclassified"),
    "no-ledger": pgettext("verdict", "no ledger"),
    "no-target": pgettext("verdict", "no target"),
    "target-alone": pgettext("verdict", "target alone"),
    "no-potential": pgettext("verdict", "no potential"),
    "undated": pgettext("verdict", "undated"),
    "not-yet-recorded": pgettext("verdict", "not yet recorded"),
    "retracted": pgettext("verdict", "retracted"),
}


def _verdict(each: Reconciled) -> str:
    from projections.explanations import signed

    said = _VERDICTS[_now(each)]
    if each.verdict == "differs" and (deciding := each.now.deciding) is not None:
        said += " " + signed(deciding.difference)
        said += _(" points") if deciding.what in {"percent", "uncovered_percent"} else ""
    if each.is_balanced:
        said += _(", balanced")
    if each.verdict_then not in {None, each.verdict, "not-yet-recorded"}:
        said += _("; then {verdict}").format(verdict=_VERDICTS[_then(each)])
    return said + " *" if each.is_odd else said


def _notes(found: Reconciliation) -> Iterator[str]:
    """Yield what differs and what is odd, kind by kind, each with its arithmetic."""
    if any(each.is_odd for each in found.figures):
        yield _("* What is odd about it is told below.")
        yield ""
    for verdict, heading in _EXPLAINED.items():
        lines = [
            joined(": ", (_label(each), explanation))
            for each in found.figures
            if each.verdict == verdict and (explanation := each.explanation)
        ]
        yield from _group(heading, lines)
    for verdict, heading in _UNTESTED.items():
        lines = [
            _label(each)
            for each in found.figures
            if each.verdict == verdict and not each.explanation
        ]
        yield from _group(heading, lines)
    for code, heading in _MEANINGS.items():
        yield from _group(heading + f" ({code})", list(_findings(found, code)))


def _group(heading: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield heading + ":"
        yield from ("- " + line + "." for line in lines)
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
            yield joined(": ", (_label(figures[0]), says))
        else:
            numbers = ", ".join(f"#{each.figure.position}" for each in figures)
            name = figures[0].area_name if figures else shown_name(area)
            yield f"{f'{numbers} ' if numbers else ''}{name}: " + says


def _label(each: Reconciled) -> str:
    figure = each.figure
    return _("#{position} {of}, {as_of} ({source})").format(
        position=figure.position,
        of=_of(each),
        as_of=Period(figure.as_of) if figure.as_of else _("undated"),
        source=safe(figure.source),
    )


_EXPLAINED: Final = {
    "differs": _("Differs from the ledger"),
    "unclassified": _("Cannot be told, because the ledger does not say of which category they are"),
    "no-ledger": _("Cannot be told, because nothing is printed that a ledger holds"),
}
_UNTESTED: Final = {
    "no-ledger": _("Cannot be told, because the ledger has nothing there up to that day"),
    "no-potential": _("Cannot be told, because no potential is in force"),
    "undated": _("Cannot be told, because the day is unknown"),
}


def summary(found: Reconciliation) -> Iterator[str]:
    """Yield how many figures came to what: now, when they were published, and by their documents."""
    figures = found.figures
    if not figures:
        yield _("No figures, as known at #{position}.").format(position=found.known_position)
        return
    balanced = sum(each.is_balanced for each in figures)
    odd = sum(len(each.findings) for each in figures) - balanced
    now = _counted([_now(each) for each in figures], balanced)
    yield _("{figures}, as known at #{position}: {now}; {findings}.").format(
        figures=ngettext("{number} figure", "{number} figures", len(figures)).format(
            number=len(figures)
        ),
        position=found.known_position,
        now=now,
        findings=ngettext("{number} other finding", "{number} other findings", odd).format(
            number=odd
        ),
    )
    then = [_then(each) for each in figures if each.verdict_then]
    documented = [
        _told(each, each.documented.verdict, each.documented.standing)
        for each in figures
        if each.documented
    ]
    if then:
        yield _(
            "As known when published: {then}."
            " By what claims a document of that day or before: {documented}."
        ).format(then=_counted(then), documented=_counted(documented))


_WORDS: Final = {
    "agrees": _("agree"),
    "within-tolerance": _("within their tolerance"),
    "differs": _("differ"),
    "unclassified": _("unclassified"),
    "no-ledger": _("without a ledger"),
    "no-target": _("without a target"),
    "target-alone": _("of a target alone"),
    "no-potential": _("without a potential"),
    "undated": _("undated"),
    "not-yet-recorded": _("not yet recorded"),
    "retracted": _("retracted"),
}


def _counted(verdicts: Sequence[str], balanced: int = 0) -> str:
    """Return how many came to what, in the order of `_WORDS`; balanced are of those that agree."""
    counts = Counter(verdicts)
    said = [
        joined(" ", (f"{counts[verdict]}", words))
        for verdict, words in _WORDS.items()
        if counts[verdict]
    ]
    good = sum(counts[verdict] > 0 for verdict in ("agrees", "within-tolerance"))
    if balanced:
        said[good - 1] += _(" (of these {balanced} balanced)").format(balanced=balanced)
    return joined(", ", said) or _("none")
