"""Why a figure's verdict is what it is, in words: both numbers, the days, and the batches between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Final

from projections.boundaries import Crossing
from projections.days import Standing
from projections.figures import WHOLE, Figure, Printed, in_percent, in_persons
from projections.findings import Finding
from projections.suspects import Suspects
from projections.verdicts import Check, Judgement, Tested, What, is_untested
from registry.language import Period, _, decimal, joined
from registry.safe_text import safe

SUSPECTS_SHOWN_MAX: Final = 3
AREAS_SHOWN_MAX: Final = 3


def explained(
    figure: Figure,
    tested: Tested,
    days: Sequence[Standing],
    agreed_before: Figure | None,
    suspects: Suspects | None,
    areas: Sequence[Crossing],
) -> str | None:
    """Say how a figure differs and since when, or why it cannot be told; None where it agrees.

    `suspects` is None where no batches were looked for: its heads agree, or are nobody's. `areas`
    are the regencies that came into its area or left it since `agreed_before`.
    """
    match tested.verdict:
        case "differs":
            deciding = tested.deciding
            if deciding is not None and deciding.what == "gap":  # nothing else is printed
                return _of_the_gap(figure, deciding)
            differing = [
                each for each in tested.checks if each.decides and each.result == "differs"
            ]
            said = [_both(each) for each in differing]
            if figure.first_day != figure.last_day and differing:
                said[0] += _(" on {day}").format(day=figure.last_day)
                said.append(_no_day(figure, differing[0], days))
            said += [_in_part(tested.standing), _since(agreed_before, suspects, areas, tested)]
            return joined("; ", filter(None, said))
        case "unclassified":
            assert tested.standing is not None
            return _(
                "{printed} printed, nobody of it in the ledger and {unclassified} unclassified"
            ).format(
                printed=in_persons(figure.active or 0),
                unclassified=in_persons(tested.standing.unclassified),
            )
        case "no-potential" if figure.is_of_a_group and figure.stated_percent is not None:
            agrees = tested.agrees_in("active")
            return joined(
                "; ",
                [
                    *([_("its heads agree")] if agrees else []),
                    _(
                        "a percentage of a category or segment alone has no potential to be held against"
                    ),
                ],
            )
        case "no-ledger" if is_untested(figure, tested.verdict, tested.standing):
            return _untested(figure)
        case _:
            return None


def _of_the_gap(figure: Figure, gap: Check) -> str:
    """Say how a gap that stands alone differs: from the workers needed; what else it may be is found."""
    if isinstance(gap.published, Printed):
        said = _("a gap of {printed} points printed, and none of what it can mean").format(
            printed=decimal(gap.published.text)
        )
    else:
        assert isinstance(gap.expected, int)
        said = _("gap {printed} printed, {expected} needed ({difference})").format(
            printed=in_persons(gap.published),
            expected=in_persons(gap.expected),
            difference=signed(gap.difference),
        )
    if figure.first_day != figure.last_day:
        said += _(" on {day}").format(day=figure.last_day)
    return said


def _untested(figure: Figure) -> str:
    """Say why nothing that a ledger holds is printed."""
    if figure.gap is not None:
        return _("only a gap is printed, and no target is known to count it from")
    assert figure.target is not None
    return _("only a target of {target} % is printed, and a ledger holds no targets").format(
        target=decimal(figure.target.text)
    )


def restated(
    figure: Figure, then: Judgement, now: Tested, since: Suspects, areas: Sequence[Crossing]
) -> Finding:
    """Say that a figure agreed when it was published and differs now, and what did it.

    That is batches, and regencies that came into its area or left it since.
    """
    return Finding("restated", partial(_restated_in_words, figure, then, now, since, areas))


def _restated_in_words(
    figure: Figure, then: Judgement, now: Tested, since: Suspects, areas: Sequence[Crossing]
) -> str:
    before, after = then.standing, now.standing
    assert before is not None
    assert after is not None
    said = []
    if before.active != after.active:
        said.append(
            _("{then} heads then, {now} now").format(
                then=_persons(before.active), now=_persons(after.active)
            )
        )
    if before.potential != after.potential:
        said.append(
            _("potential {then} then, {now} now").format(
                then=_persons(before.potential), now=_persons(after.potential)
            )
        )
    if areas:
        said.append(_moved(areas))
    if since.total:
        said.append(
            _("recorded since #{position}: {batches}").format(
                position=figure.known_then, batches=_named(since)
            )
        )
    return joined("; ", said)


def _both(check: Check) -> str:
    if isinstance(check.published, Printed):
        expected = check.expected_number
        printed = decimal(f"{check.published.text} %")
        return _("{printed}{of} printed, {expected} % in the ledger ({difference} points)").format(
            printed=printed,
            of=_NAMES[check.what],
            expected=None if expected is None else decimal(expected),
            difference=signed(check.difference),
        )
    assert isinstance(check.expected, int)
    return (
        _("{printed}{of} printed, {expected} in force ({difference})")
        if check.what == "potential"
        else _("{printed}{of} printed, {expected} in the ledger ({difference})")
    ).format(
        printed=in_persons(check.published),
        of=_NAMES[check.what],
        expected=in_persons(check.expected),
        difference=signed(check.difference),
    )


_NAMES: Final[dict[What, str]] = {
    "active": _(" active"),
    "potential": _(" potential"),
    "percent": "",
    "uncovered_percent": _(" not covered"),
}


def _no_day(figure: Figure, check: Check, days: Sequence[Standing]) -> str:
    """Say between what it lay on the days that a month or year has."""
    of, said = _QUANTITIES[check.what]
    found = [(value, each.on) for each in days if (value := of(each)) is not None]
    if not found:
        return ""
    (least, first), (most, last) = min(found), max(found)
    if least == most:
        return _("it was {value} on every day of {as_of}").format(
            value=said(least), as_of=Period(figure.as_of)
        )
    return _("it fits no day of {as_of}: {least} ({first}) to {most} ({last})").format(
        as_of=Period(figure.as_of), least=said(least), first=first, most=said(most), last=last
    )


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
    return _("the ledger's potential and percentage are of {counted} of {total} regencies").format(
        counted=counted, total=total
    )


def _since(
    agreed_before: Figure | None,
    suspects: Suspects | None,
    areas: Sequence[Crossing],
    tested: Tested,
) -> str:
    said = []
    if suspects is None and tested.agrees_in("active"):
        said.append(_("its heads agree"))
    if agreed_before is not None:
        since = _("since #{position} agreed ({as_of})").format(
            position=agreed_before.position, as_of=Period(agreed_before.as_of)
        )
        batches = [_named(suspects)] if suspects is not None and suspects.total else []
        if behind := [*([_moved(areas)] if areas else []), *batches]:
            said.append(joined(": ", (since, joined(", ", behind))))
        elif suspects is not None:
            said.append(_("{since} no batch was recorded or took effect").format(since=since))
    elif not said:
        since = _("no figure before it agreed")
        said.append(
            _("{since}; largest batches: {batches}").format(since=since, batches=_named(suspects))
            if suspects is not None and suspects.total
            else since
        )
    return joined("; ", said)


def _moved(areas: Sequence[Crossing]) -> str:
    """Name the regencies that came into an area or left it, and by which event."""
    shown = areas[:AREAS_SHOWN_MAX]
    said = joined(
        ", ",
        [
            (
                _("{area} came into the area (#{position})")
                if each.has_come
                else _("{area} left the area (#{position})")
            ).format(area=each.area, position=each.position)
            for each in shown
        ],
    )
    more = len(areas) - len(shown)
    return _("{some} and {more} more").format(some=said, more=more) if more else said


def _named(suspects: Suspects) -> str:
    shown = suspects.named[:SUSPECTS_SHOWN_MAX]
    said = joined(
        ", ",
        [
            _("{reference}{part} ({workers})").format(
                reference=safe(each.reference),
                part=_(" part {part}").format(part=safe(each.part)) if each.part else "",
                workers=signed(each.workers),
            )
            for each in shown
        ],
    )
    more = suspects.total - len(shown)
    return _("{some} and {more} more").format(some=said, more=more) if more else said


def _persons(number: int | None) -> str:
    return _("no") if number is None else in_persons(number)


def signed(number: int | Decimal | None) -> str:
    """Return a difference with its sign, as a printer sets it."""
    return "" if number is None else decimal(f"{number:+,}".replace("-", "−"))
