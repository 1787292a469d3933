"""What would make the ledger agree with a published figure: one balancing entry, in or out.

Pure: a reconciled figure in, the entry or a refusal out. Nothing is guessed: the heads must be
printed, the regency, the day and the category known. Records nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from projections.coverage import shown_name
from projections.figures import in_persons
from projections.reconciliation import Reconciled
from projections.verdicts import GOOD, Check
from registry.errors import RegistryError
from registry.language import Period, _, joined
from registry.safe_text import safe
from registry.terms import is_regency

NAMED_MAX: Final = 5


class NotSettledError(RegistryError):
    """A figure that no balancing entry settles, or of which it is not said how."""

    code = "not-settled"


class Settlement(NamedTuple):
    """The entry that settles a figure: heads (signed), of which category, and from which day."""

    figure: int
    area: str
    effective_on: date
    category: str
    segment: str | None
    workers: int


def figure_to_settle(figures: Sequence[Reconciled], position: int | None) -> Reconciled | None:
    """Return the figure at a position, or the only one whose heads differ; None if none differs.

    Raises: NotSettledError if no figure was recorded there, or several could be meant.
    """
    if position is not None:
        named = next((each for each in figures if each.figure.position == position), None)
        if named is None:
            what = _("no figure of that area was recorded at #{position}").format(position=position)
            raise NotSettledError(what, remedy=_("`ucj reconcile` lists the figures."))
        return named
    differing = [each for each in figures if _differs(each)]
    if len(differing) > 1:
        listed = joined("; ", [_label(each) for each in differing[:NAMED_MAX]])
        more = (
            _(" and {more} more").format(more=len(differing) - NAMED_MAX)
            if len(differing) > NAMED_MAX
            else ""
        )
        raise NotSettledError(
            _("the heads of {number} figures differ: {figures}{more}").format(
                number=len(differing), figures=listed, more=more
            ),
            remedy=_("Name the one to settle: --figure @{position}.").format(
                position=differing[0].figure.position
            ),
        )
    return differing[0] if differing else None


def settlement(each: Reconciled, category: str | None) -> Settlement | None:
    """Return the entry that settles a figure; None if its heads agree already.

    `category` is that of the heads, where the figure is not itself of one.
    Raises: NotSettledError.
    """
    figure = each.figure
    _check_it_may(each)
    check = _heads(each)
    if check is None or check.result in GOOD:
        return None
    assert isinstance(check.expected, int)
    assert figure.active is not None
    assert figure.last_day is not None
    workers = figure.active - check.expected
    if figure.segment is not None and workers < 0:
        raise NotSettledError(
            _("{label} is of a segment, and those who leave no batch have none").format(
                label=_label(each)
            ),
            remedy=_("Import a balance-out that names the batch in of_batch."),
        )
    return Settlement(
        figure.position,
        figure.area,
        figure.last_day,
        _category(each, category),
        figure.segment,
        workers,
    )


def _check_it_may(each: Reconciled) -> None:
    """Refuse what no entry settles."""
    figure, verdict = each.figure, each.verdict
    check = _heads(each)
    if verdict == "retracted":
        why, remedy = _("it was taken back"), _("Name a figure that stands.")
    elif not is_regency(figure.area):
        why = _("{area} is no kabupaten or kota, and only those hold batches").format(
            area=shown_name(figure.area)
        )
        remedy = _("Settle a figure of one of them.")
    elif figure.active is None:
        why = _("it prints no heads, and what percentage they are of is a guess")
        remedy = _("Settle a figure that prints them.")
    elif check is None or check.result == "undated":
        why, remedy = _("of which day it is, is unknown"), _("Record it again with its day.")
    elif check.result == "no-ledger":
        why = _("the ledger has nothing there up to that day")
        remedy = _("State the opening, or import the batches (`ucj import batches`).")
    elif check.result == "unclassified":
        why = _("the heads may be there already, of no stated category")
        remedy = _("Reclassify them (`ucj import batches`, action reclassify).")
    else:
        return
    raise NotSettledError(
        _("{label} cannot be settled").format(label=_label(each)), why=why + ".", remedy=remedy
    )


def _category(each: Reconciled, named: str | None) -> str:
    own = each.figure.category
    if own is not None and named not in {None, own}:
        what = _("{label} is of {own}, not of {named}").format(
            label=_label(each), own=own, named=named
        )
        raise NotSettledError(what, remedy=_("Leave --category out."))
    category = own or named
    if category is None:
        raise NotSettledError(
            _("of which category the heads of {label} are, nobody says").format(label=_label(each)),
            remedy=_("Name it with --category (tidak-terklasifikasi, if it is unknown)."),
        )
    return category


def _differs(each: Reconciled) -> bool:
    check = _heads(each)
    stands = each.verdict != "retracted" and is_regency(each.figure.area)
    return stands and check is not None and check.result == "differs"


def _heads(each: Reconciled) -> Check | None:
    return next((check for check in each.now.checks if check.what == "active"), None)


def _label(each: Reconciled) -> str:
    figure = each.figure
    return _("#{position} {area}, {as_of}{heads} ({source})").format(
        position=figure.position,
        area=each.area_name,
        as_of=Period(figure.as_of) if figure.as_of else _("undated"),
        heads="" if figure.active is None else ": " + in_persons(figure.active),
        source=safe(figure.source),
    )
