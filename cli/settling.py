"""Settling a published figure: the balancing entry that makes the ledger agree, told to be made.

Asks the ledger what is missing and records it through the registry, as any batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.recorded import place, say, say_recorded
from registry.language import _

if TYPE_CHECKING:
    from cli.options import Settings
    from projections.settling import Settlement
    from projections.workspace import Workspace
    from registry.commands import RecordBatch


@dataclass(frozen=True, slots=True)
class Settling:
    """What is to be settled, out of which batch, under which reference and reason."""

    area: str
    figure: int | None
    category: str | None
    reference: str
    reason: str
    dry_run: bool
    of_batch: str | None = None
    of_part: str = ""


def settle_figure(settings: Settings, order: Settling) -> None:
    """Record the entry that settles a figure, or say that its heads agree already.

    Raises: NotSettledError, and what any command raises that breaks a rule.
    """
    with settings.workspace() as workspace:
        known = workspace.known(None)
        found = _settlement(workspace, order, known)
    if found is None:
        say([_("nothing to settle: {agreed}").format(agreed=_agreed(order))])
        return
    with settings.recording() as registry:
        say_recorded(registry.record(_command(found, order), dry_run=order.dry_run, known=known))


def _agreed(order: Settling) -> str:
    if order.figure is not None:
        return _("the workers of the figure at #{figure} agree with the ledger").format(
            figure=order.figure
        )
    return _("of {place} no figure that prints its workers differs from the ledger").format(
        place=place(order.area)
    )


def _settlement(workspace: Workspace, order: Settling, known: int) -> Settlement | None:
    from projections.reconciliation import reconcile
    from projections.settling import figure_to_settle, settlement
    from registry.nomenclature import categories_of

    category = categories_of(workspace.log).find(order.category) if order.category else None
    found = workspace.ask(lambda ledger: reconcile(ledger, order.area, known=known), known=known)
    figure = figure_to_settle(found.figures, order.figure)
    return None if figure is None else settlement(figure, category)


def _command(found: Settlement, order: Settling) -> RecordBatch:
    from projections.settling import NotSettledError
    from registry.commands import BatchLine, RecordBatch
    from registry.terms import Action, Segment

    segment = Segment(found.segment) if found.segment else None
    if order.of_batch is not None and found.workers > 0:
        raise NotSettledError(
            _("workers are to be brought in, and --of-batch says out of which they are taken"),
            remedy=_("Leave --of-batch out."),
        )
    line = BatchLine(
        found.category,
        abs(found.workers),
        of_batch=order.of_batch,
        of_part=order.of_part,
        segment=segment,
    )
    return RecordBatch(
        Action.BALANCE_IN if found.workers > 0 else Action.BALANCE_OUT,
        found.area,
        order.reference,
        (line,),
        effective_on=found.effective_on,
        note=order.reason,
        settles=found.figure,
    )
