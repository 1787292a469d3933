"""The words of closed lists as people read them in a sentence or a table; programs read the slugs.

What a file must hold (actions, funding, reasons) is no word of this page: it is shown as written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from registry.language import _, pgettext
from registry.terms import Change, Kind

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
