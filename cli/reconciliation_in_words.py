"""Published figures held against the ledger, as people read it: a table, and what it comes to.

Knows no option and no stream.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cli.listing import Column, Listing
from registry.safe_text import safe

if TYPE_CHECKING:
    from projections.reconciliation import Reconciled, Reconciliation

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


def figures_for_people(found: Reconciliation) -> Listing:
    """Return a row for each figure; below, what differs and what is odd, with its arithmetic."""
    return Listing(
        name="reconcile",
        columns=_columns_for_people(found.figures),
        rows=map(_for_people, found.figures),
        notes=[*_notes(found), *summary(found)],
    )


def _columns_for_people(figures: Sequence[Reconciled]) -> tuple[Column, ...]:
    columns = [
        Column("position", "#", "number"),
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
    return f"{said} *" if each.is_odd else said


def _notes(found: Reconciliation) -> Iterator[str]:
    """Yield what differs and what is odd, kind by kind, each with its arithmetic."""
    if any(each.is_odd for each in found.figures):
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


def summary(found: Reconciliation) -> Iterator[str]:
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
