"""The words, in both languages, for the closed lists of `registry.terms`."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final, Literal, overload

from registry.errors import UnknownWordError
from registry.language import _
from registry.reference.spelling import disguise, key
from registry.reference.suggestions import Suggestions
from registry.reference.tables import rows
from registry.safe_text import safe
from registry.terms import (
    Action,
    Change,
    Funding,
    LeaveReason,
    Programme,
    RejectionReason,
    Segment,
)

WordKind = Literal["action", "change", "funding", "programme", "segment", "reason", "rejection"]

_LISTS: Final[MappingProxyType[str, type[StrEnum]]] = MappingProxyType(
    {
        "action": Action,
        "change": Change,
        "funding": Funding,
        "programme": Programme,
        "segment": Segment,
        "reason": LeaveReason,
        "rejection": RejectionReason,
    }
)
_SUGGESTIONS_MAX: Final = 3
_ACTION_LIKENESS_MIN: Final = 0.75


@overload
def find_word(kind: Literal["action"], text: str) -> Action: ...
@overload
def find_word(kind: Literal["change"], text: str) -> Change: ...
@overload
def find_word(kind: Literal["funding"], text: str) -> Funding: ...
@overload
def find_word(kind: Literal["programme"], text: str) -> Programme: ...
@overload
def find_word(kind: Literal["segment"], text: str) -> Segment: ...
@overload
def find_word(kind: Literal["reason"], text: str) -> LeaveReason: ...
@overload
def find_word(kind: Literal["rejection"], text: str) -> LeaveReason | RejectionReason: ...


def find_word(kind: WordKind, text: str) -> StrEnum:
    """Return the member of a closed list that a word of either language means.

    Raises: UnknownWordError, naming the allowed values. Never a guess: bare `APBD` may be the
    regency's or the province's, and is refused. Heads are rejected for whatever they may leave for, too.
    """
    why = disguise(text)
    found = None if why else _index(kind).get(key(text))
    if found is None:
        called = "reason" if kind == "rejection" else kind
        near = [] if why else _near(kind, text)
        ask = _("Did you mean {words}? ").format(words=", ".join(near)) if near else ""
        raise UnknownWordError(
            _("{text} is not a known {kind}").format(text=safe(text), kind=called)
            if text.strip()
            else _("no {kind} is given").format(kind=called),
            why=_("In this word, {why}.").format(why=why) if why else "",
            remedy=_("{ask}Allowed: {words}.").format(ask=ask, words=", ".join(values(kind))),
        )
    return found


def values(kind: WordKind) -> list[str]:
    """Return the values of a closed list, in its order."""
    return list(dict.fromkeys(member.value for member in _index(kind).values()))


def usual_words(kind: WordKind) -> dict[str, str]:
    """Return, for each value of the list, the Indonesian word that is used most; some have none."""
    kinds = ("reason", kind) if kind == "rejection" else (kind,)
    return {value: words.split(";")[0] for of, value, words in rows("words") if of in kinds}


def _near(kind: WordKind, text: str) -> list[str]:
    near = _suggestions(kind).near(key(text))
    found = list(dict.fromkeys(_index(kind)[word].value for word in near))[:_SUGGESTIONS_MAX]
    # Words of opposite actions look alike (pengaktifan, penonaktifan): rather none than the wrong.
    return [] if kind == "action" and len(found) > 1 else found


@cache
def _index(kind: WordKind) -> MappingProxyType[str, StrEnum]:
    members = _LISTS[kind]
    found = dict(_index("reason")) if kind == "rejection" else {}
    found.update((key(member), member) for member in members)
    for of, value, aliases in rows("words"):
        if of == kind:
            found.update((key(word), members(value)) for word in aliases.split(";"))
    return MappingProxyType(found)


@cache
def _suggestions(kind: WordKind) -> Suggestions:
    if kind == "action":
        return Suggestions(_index(kind), likeness_min=_ACTION_LIKENESS_MIN)
    return Suggestions(_index(kind))
