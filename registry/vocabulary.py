"""The words of closed lists as people read them in a sentence or a table; programs read the slugs.

What a file must hold (funding) is no word of this page: it is shown as written. An action and a reason
have a word where people read them, which a file may hold as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from registry.language import _, pgettext
from registry.terms import Action, Change, Kind, LeaveReason, RejectionReason

MOVEMENTS: Final[Mapping[str, str]] = {
    Kind.OPENING: pgettext("movement", "opening"),
    Kind.ENROLMENT: pgettext("movement", "enrolment"),
    Kind.RENEWAL: pgettext("movement", "renewal"),
    Kind.DEACTIVATION: pgettext("movement", "deactivation"),
    Kind.RECLASSIFICATION: pgettext("movement", "reclassification"),
    Kind.TRANSFER: pgettext("movement", "transfer"),
    Kind.RECONCILING: pgettext("movement", "reconciling"),
    Kind.LAPSE: pgettext("movement", "lapse"),
}

_IMPORTED: Final[Mapping[str, str]] = {
    "batches": _("batches"),
    "potentials": _("potentials"),
    "targets": _("targets"),
    "figures": _("figures"),
    "areas": _("areas"),
}


def movement(kind: str) -> str:
    """Return what a kind of movement is called: `enrolment`, *pendaftaran*."""
    return MOVEMENTS.get(kind, kind)


_EVENTS: Final[Mapping[str, str]] = {
    "opening-stated": pgettext("event", "opening-stated"),
    "batch-enrolled": pgettext("event", "batch-enrolled"),
    "batch-renewed": pgettext("event", "batch-renewed"),
    "batch-deactivated": pgettext("event", "batch-deactivated"),
    "batch-reclassified": pgettext("event", "batch-reclassified"),
    "balance-reconciled": pgettext("event", "balance-reconciled"),
    "batch-corrected": pgettext("event", "batch-corrected"),
    "batch-withdrawn": pgettext("event", "batch-withdrawn"),
    "labour-potential-revised": pgettext("event", "labour-potential-revised"),
    "labour-potential-withdrawn": pgettext("event", "labour-potential-withdrawn"),
    "target-set": pgettext("event", "target-set"),
    "target-withdrawn": pgettext("event", "target-withdrawn"),
    "figure-published": pgettext("event", "figure-published"),
    "figure-retracted": pgettext("event", "figure-retracted"),
    "area-changed": pgettext("event", "area-changed"),
    "area-change-withdrawn": pgettext("event", "area-change-withdrawn"),
    "period-closed": pgettext("event", "period-closed"),
    "period-reopened": pgettext("event", "period-reopened"),
    "closing-overridden": pgettext("event", "closing-overridden"),
    "file-imported": pgettext("event", "file-imported"),
    "category-added": pgettext("event", "category-added"),
}


def event(name: str) -> str:
    """Return what was recorded: `batch-enrolled`, *batch didaftarkan*."""
    return _EVENTS.get(name, name)


_ACTIONS: Final[Mapping[str, str]] = {
    Action.OPENING: pgettext("action", "opening"),
    Action.ENROL: pgettext("action", "enrol"),
    Action.RENEW: pgettext("action", "renew"),
    Action.DEACTIVATE: pgettext("action", "deactivate"),
    Action.RECLASSIFY: pgettext("action", "reclassify"),
    Action.BALANCE_IN: pgettext("action", "balance-in"),
    Action.BALANCE_OUT: pgettext("action", "balance-out"),
    Action.CORRECT: pgettext("action", "correct"),
    Action.WITHDRAW: pgettext("action", "withdraw"),
}


def action(name: str) -> str:
    """Return what a batch of a file does: `enrol`, *pendaftaran*."""
    return _ACTIONS.get(name, name)


_REASONS: Final[Mapping[str, str]] = {
    LeaveReason.ARREARS: pgettext("reason", "arrears"),
    LeaveReason.RESIGNED: pgettext("reason", "resigned"),
    LeaveReason.DECEASED: pgettext("reason", "deceased"),
    LeaveReason.OVER_AGE: pgettext("reason", "over-age"),
    LeaveReason.INVALID_NIK: pgettext("reason", "invalid-nik"),
    LeaveReason.DUPLICATE: pgettext("reason", "duplicate"),
    LeaveReason.COVERED_ELSEWHERE: pgettext("reason", "covered-elsewhere"),
    LeaveReason.MOVED: pgettext("reason", "moved"),
    LeaveReason.CIVIL_SERVANT: pgettext("reason", "civil-servant"),
    LeaveReason.QUOTA_CUT: pgettext("reason", "quota-cut"),
    LeaveReason.PROJECT_FINISHED: pgettext("reason", "project-finished"),
    LeaveReason.OTHER: pgettext("reason", "other"),
    RejectionReason.INCOMPLETE: pgettext("reason", "incomplete-data"),
    RejectionReason.UNDER_AGE: pgettext("reason", "under-age"),
}


def leaving(reason: str) -> str:
    """Return why heads left or were rejected: `moved`, *pindah*; what is no such word as written."""
    return _REASONS.get(reason, reason)


_NOT_ATTRIBUTED: Final = pgettext("segment or funding", "not-attributed")


def group(name: str | None) -> str | None:
    """Return what a segment or funding is called: only those of none have a word, the rest slugs."""
    return _NOT_ATTRIBUTED if name == _NOT_ATTRIBUTED else name


_STATEMENTS: Final[Mapping[str, str]] = {
    "figure": _("figure"),
    "potential": _("potential"),
    "target": _("target"),
}


def statement(what: str) -> str:
    """Return what is said of an area: a `figure`, *angka terbitan*."""
    return _STATEMENTS.get(what, what)


_CHANGES: Final[Mapping[str, str]] = {
    Change.RECODED: _("recoded"),
    Change.RENAMED: _("renamed"),
    Change.MOVED: pgettext("area", "moved"),
    Change.OPENED: pgettext("area", "opened"),
}


def change_of_area(change: str) -> str:
    """Return what happened to an area: `renamed`, *berganti nama*."""
    return _CHANGES.get(change, change)


def imported(kind: str) -> str:
    """Return what the rows of a file are: `batches`, *batch*."""
    return _IMPORTED.get(kind, kind)
