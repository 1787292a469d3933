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
            what = f"no figure of that area was recorded at #{position}"
            raise NotSettledError(what, remedy="`ucj reconcile` lists the figures.")
        return named
    differing = [each for each in figures if _differs(each)]
    if len(differing) > 1:
        listed = "; ".join(_label(each) for each in differing[:NAMED_MAX])
        more = f" and {len(differing) - NAMED_MAX} more" if len(differing) > NAMED_MAX else ""
        raise NotSettledError(
            f"the heads of {len(differing)} figures differ: {listed}{more}",
            remedy=f"Name the one to settle: --figure @{differing[0].figure.position}.",
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
            f"{_label(each)} is of a segment, and those who leave no batch have none",
            remedy="Import a balance-out that names the batch in of_batch.",
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
        why, remedy = "it was taken back", "Name a figure that stands."
    elif not is_regency(figure.area):
        why = f"{shown_name(figure.area)} is no kabupaten or kota, and only those hold batches"
        remedy = "Settle a figure of one of them."
    elif figure.active is None:
        why = "it prints no heads, and what percentage they are of is a guess"
        remedy = "Settle a figure that prints them."
    elif check is None or check.result == "undated":
        why, remedy = "of which day it is, is unknown", "Record it again with its day."
    elif check.result == "no-ledger":
        why = "the ledger has nothing there up to that day"
        remedy = "State the opening, or import the batches (`ucj import batches`)."
    elif check.result == "unclassified":
        why = "the heads may be there already, of no stated category"
        remedy = "Reclassify them (`ucj import batches`, action reclassify)."
    else:
        return
    raise NotSettledError(f"{_label(each)} cannot be settled", why=f"{why}.", remedy=remedy)


def _category(each: Reconciled, named: str | None) -> str:
    own = each.figure.category
    if own is not None and named not in {None, own}:
        what = f"{_label(each)} is of {own}, not of {named}"
        raise NotSettledError(what, remedy="Leave --category out.")
    category = own or named
    if category is None:
        raise NotSettledError(
            f"of which category the heads of {_label(each)} are, nobody says",
            remedy="Name it with --category (tidak-terklasifikasi, if it is unknown).",
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
    heads = "" if figure.active is None else f": {in_persons(figure.active)}"
    return (
        f"#{figure.position} {each.area_name}, {figure.as_of or 'undated'}{heads}"
        f" ({safe(figure.source)})"
    )
