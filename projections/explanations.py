"""Why a figure's verdict is what it is, in words: both numbers, the days, and the batches between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from projections.figures import WHOLE, Figure, Printed, in_percent, in_persons
from projections.findings import Finding
from projections.standings import Standing
from projections.suspects import Suspects
from projections.verdicts import Check, Judgement, Tested, What
from registry.safe_text import safe

SUSPECTS_SHOWN_MAX: Final = 3


def explained(
    figure: Figure,
    tested: Tested,
    days: Sequence[Standing],
    agreed_before: Figure | None,
    suspects: Suspects,
) -> str | None:
    """Say how a figure differs and since when, or why it cannot be told; None where it agrees."""
    match tested.verdict:
        case "differs":
            differing = [
                each for each in tested.checks if each.decides and each.result == "differs"
            ]
            said = [_both(each) for each in differing]
            if figure.first_day != figure.last_day and differing:
                said[0] += f" on {figure.last_day}"
                said.append(_no_day(figure, differing[0], days))
            said += [_in_part(tested.standing), _since(agreed_before, suspects)]
            return "; ".join(filter(None, said))
        case "unclassified":
            assert tested.standing is not None
            return (
                f"{in_persons(figure.active or 0)} printed, nobody of it in the ledger and"
                f" {in_persons(tested.standing.unclassified)} unclassified"
            )
        case _:
            return None


def restated(figure: Figure, then: Judgement, now: Tested, since: Suspects) -> Finding:
    """Say that a figure agreed when it was published and differs now, and which batches did it."""
    before, after = then.standing, now.standing
    assert before is not None
    assert after is not None
    said = []
    if before.active != after.active:
        said.append(f"{_persons(before.active)} heads then, {_persons(after.active)} now")
    if before.potential != after.potential:
        said.append(f"potential {_persons(before.potential)} then, {_persons(after.potential)} now")
    if since.total:
        said.append(f"recorded since #{figure.known_then}: {_named(since)}")
    return Finding("restated", "; ".join(said))


def _both(check: Check) -> str:
    if isinstance(check.published, Printed):
        expected = check.expected_number
        printed = f"{check.published.text} %"
        return (
            f"{printed}{_NAMES[check.what]} printed, {expected} % in the ledger"
            f" ({signed(check.difference)} points)"
        )
    assert isinstance(check.expected, int)
    return (
        f"{in_persons(check.published)}{_NAMES[check.what]} printed,"
        f" {in_persons(check.expected)} {'in force' if check.what == 'potential' else 'in the ledger'}"
        f" ({signed(check.difference)})"
    )


_NAMES: Final[dict[What, str]] = {
    "active": " active",
    "potential": " potential",
    "percent": "",
    "uncovered_percent": " not covered",
    "gap": " gap",
}


def _no_day(figure: Figure, check: Check, days: Sequence[Standing]) -> str:
    """Say between what it lay on the days that a month or year has."""
    of, said = _QUANTITIES[check.what]
    found = [(value, each.on) for each in days if (value := of(each)) is not None]
    if not found:
        return ""
    (least, first), (most, last) = min(found), max(found)
    if least == most:
        return f"it was {said(least)} on every day of {figure.as_of}"
    return f"it fits no day of {figure.as_of}: {said(least)} ({first}) to {said(most)} ({last})"


_QUANTITIES: Final[
    dict[What, tuple[Callable[[Standing], Fraction | int | None], Callable[[Fraction | int], str]]]
] = {
    "active": (lambda day: day.active, lambda value: in_persons(int(value))),
    "potential": (lambda day: day.potential, lambda value: in_persons(int(value))),
    "percent": (lambda day: day.coverage, lambda value: in_percent(Fraction(value))),
    "uncovered_percent": (
        lambda day: None if day.coverage is None else WHOLE - day.coverage,
        lambda value: in_percent(Fraction(value)),
    ),
}


def _in_part(standing: Standing | None) -> str:
    """Say of how much of a province or the nation the ledger's percentage is."""
    if standing is None or standing.regencies_counted == standing.regencies_total:
        return ""
    if standing.regencies_total == 1 or standing.potential is None:
        return ""
    counted, total = standing.regencies_counted, standing.regencies_total
    return f"the ledger's potential and percentage are of {counted} of {total} regencies"


def _since(agreed_before: Figure | None, suspects: Suspects) -> str:
    if agreed_before is None:
        since = "no figure before it agreed"
        return f"{since}; largest batches: {_named(suspects)}" if suspects.total else since
    since = f"since #{agreed_before.position} agreed ({agreed_before.as_of})"
    if not suspects.total:
        return f"{since} no batch was recorded or took effect"
    return f"{since}: {_named(suspects)}"


def _named(suspects: Suspects) -> str:
    shown = suspects.named[:SUSPECTS_SHOWN_MAX]
    said = ", ".join(
        f"{safe(each.reference)}{f' part {safe(each.part)}' if each.part else ''}"
        f" ({signed(each.workers)})"
        for each in shown
    )
    more = suspects.total - len(shown)
    return f"{said} and {more} more" if more else said


def _persons(number: int | None) -> str:
    return "no" if number is None else in_persons(number)


def signed(number: int | Decimal | None) -> str:
    """Return a difference with its sign, as a printer sets it."""
    return "" if number is None else f"{number:+,}".replace("-", "−")
