"""Changes of areas: which are admitted. Decisions return events and refusals; knows no database.

All rows of a file are asked about together, in any order, with what is recorded: what an area was
called, and where it lay, must be one unbroken chain from day to day, and the built-in list (how
things stand today) a part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Final

from registry.batch import Stamp
from registry.commands import ChangeArea
from registry.errors import RuleBrokenError, UnknownAreaError
from registry.events import AreaChanged, AreaChangeWithdrawn, ImportSource
from registry.language import _, joined
from registry.reference.areas import AreaKind, all_areas, find_area
from registry.reference.boundaries import AreaChange, Boundaries, kind_of
from registry.reference.gazetteer import area_of
from registry.reference.spelling import key as spelling
from registry.safe_text import safe
from registry.terms import AREA_PATTERN, BOUNDARIES_ID, NATION, REGENCY_PATTERN, Change, is_regency

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry.storage.log import StoredRow

_DAY: Final = timedelta(days=1)
_IN_ORDER: Final = (Change.OPENED, Change.MOVED, Change.RENAMED, Change.RECODED)
"""What is recorded first of one day: where a code lies rests on the move before it."""

_TRAITS: Final = {
    Change.RECODED: _("code"),
    Change.RENAMED: _("name"),
    Change.MOVED: _("province"),
}
_KIND_WORD: Final = re.compile(
    r"(?:kab\.?|kabupaten|kota|provinsi|prov\.?)\s+(?=\S)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row is not admitted: what is wrong in which column, and what to do."""

    command: ChangeArea
    code: str
    column: str
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a change, as things stand with it."""

    change: AreaChange
    code: str
    column: str
    why: str
    remedy: str


@dataclass(slots=True)
class Redrawn:
    """What becomes of a file: events to append, or refusals; and how much was recorded before."""

    events: list[AreaChanged] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    already_recorded: int = 0


def redraw(
    boundaries: Boundaries,
    version: int,
    commands: Sequence[ChangeArea],
    *,
    sources: Mapping[str, ImportSource],
    stamp: Stamp,
) -> Redrawn:
    """Decide on all rows together; `version` is the last of the stream they are appended to."""
    redrawn = Redrawn()
    drafts = list(_drafts(boundaries, commands, redrawn, stamp))
    new = _with_before(boundaries, [change for _, change in drafts])
    command_of = {change.position: command for command, change in drafts}
    for fault in faults(Boundaries([*boundaries.changes, *new])):
        command = command_of.get(fault.change.position)
        if command is None:
            told = _of_recorded(fault)
            command = command_of[_cause(fault, new).position]
        else:
            told = fault
        redrawn.refusals.append(Refusal(command, told.code, told.column, told.why, told.remedy))
    for number, change in enumerate(new if not redrawn.refusals else (), start=version + 1):
        command = command_of[change.position]
        redrawn.events.append(
            AreaChanged(
                originator_id=BOUNDARIES_ID,
                originator_version=number,
                transaction_id=stamp.transaction_id,
                recorded_at=stamp.recorded_at,
                recorded_by=stamp.recorded_by,
                area=change.area,
                change=change.change,
                effective_on=change.on,
                before=change.before,
                after=change.after,
                split_from=change.split_from,
                document=command.document,
                citation=command.source,
                note=command.note,
                source=sources.get(command.sheet or ""),
                row=command.row,
            )
        )
    return redrawn


def _cause(fault: Fault, new: Sequence[AreaChange]) -> AreaChange:
    """Return which new change makes a recorded one wrong: of that area, the last up to its day."""
    wrong = fault.change
    trait = Change.MOVED if wrong.change is Change.RECODED else wrong.change  # a code's province
    return max(
        new,
        key=lambda each: (
            each.area == wrong.area,
            each.change is trait,
            each.on <= wrong.on,
            each.on,
            each.position,
        ),
    )


def _of_recorded(fault: Fault) -> Fault:
    """Return the fault of a recorded change as the row is told that makes it one."""
    position = fault.change.position
    return replace(
        fault,
        column="on",
        why=_("the change of {area} on {on} (#{position}) would then be wrong: {why}").format(
            area=fault.change.area, on=fault.change.on, position=position, why=fault.why
        ),
        remedy=_("Correct the row, or take #{position} back first with `ucj retract area`.").format(
            position=position
        ),
    )


def take_back(
    boundaries: Boundaries, version: int, position: int, *, because: str, stamp: Stamp
) -> AreaChangeWithdrawn:
    """Take back the change recorded at a position; refused while another rests on it."""
    (change,) = (each for each in boundaries.changes if each.position == position)
    left = Boundaries(each for each in boundaries.changes if each is not change)
    for fault in faults(left):
        what = _("another change rests on #{position}: that of {area} at #{other}").format(
            position=position, area=fault.change.area, other=fault.change.position
        )
        raise RuleBrokenError(
            what,
            why=_("Without it, {why}.").format(why=fault.why),
            remedy=_("Take #{position} back first.").format(position=fault.change.position),
        )
    return AreaChangeWithdrawn(
        originator_id=BOUNDARIES_ID,
        originator_version=version + 1,
        transaction_id=stamp.transaction_id,
        recorded_at=stamp.recorded_at,
        recorded_by=stamp.recorded_by,
        area=change.area,
        takes_back_position=position,
        because=because,
    )


def check_unused(boundaries: Boundaries, recorded: StoredRow, later: Iterable[StoredRow]) -> None:
    """Refuse to take back an opening while any event after it speaks of the area.

    But what closed the area as it was opened: that is taken back with it.

    Raises: RuleBrokenError.
    """
    (change,) = (each for each in boundaries.changes if each.position == recorded.position)
    if change.change is not Change.OPENED:
        return
    said = f'"area":"{change.area}"'.encode()
    itself = recorded.facts()["transaction_id"]
    for row in later:
        if said not in row.state or row.originator_id == BOUNDARIES_ID.hex:
            continue
        if row.facts()["transaction_id"] != itself:
            raise RuleBrokenError(
                _("{area} is spoken of since it was opened, first at #{position}").format(
                    area=change.area, position=row.position
                ),
                why=_("What is recorded of it would belong nowhere."),
                remedy=_(
                    "See `ucj history {area}`; an opening that nothing speaks of can be taken back."
                ).format(area=change.area),
            )


# --- what a row means ---------------------------------------------------------------------------


def _drafts(
    boundaries: Boundaries, commands: Sequence[ChangeArea], redrawn: Redrawn, stamp: Stamp
) -> Iterator[tuple[ChangeArea, AreaChange]]:
    """Yield each row as the change it means, `before` as far as the row says it; or refuse it."""
    opened = [
        AreaChange(
            each.area, Change.OPENED, each.on, None, plain_name(each.area, each.after), None, 0
        )
        for each in commands
        if each.change is Change.OPENED and re.match(AREA_PATTERN, each.area)
    ]
    known = Boundaries([*boundaries.changes, *opened])
    codes: dict[str, str] = {}
    # A row that gives an area another code makes both known to all other rows, so it comes first;
    # what names an area that no row has told of yet waits until none tells of another.
    in_order = sorted(commands, key=lambda each: each.change is not Change.RECODED)
    waiting = list(enumerate(in_order, start=stamp.transaction_id))
    unknown: list[tuple[int, ChangeArea, UnknownAreaError]] = []
    while waiting:
        unknown = []
        for position, command in waiting:
            try:
                draft = _draft(known, codes, command, position)
            except UnknownAreaError as error:
                unknown.append((position, command, error))
                continue
            if _stands(boundaries, draft):
                redrawn.already_recorded += 1
            else:
                yield command, draft
        if len(unknown) == len(waiting):
            break
        waiting = [(position, command) for position, command, _ in unknown]
    for _position, command, refused in unknown:
        why = joined(": ", (refused.what, refused.why)) if refused.why else refused.what
        redrawn.refusals.append(Refusal(command, refused.code, refused.where, why, refused.remedy))


def _draft(
    known: Boundaries, codes: dict[str, str], command: ChangeArea, position: int
) -> AreaChange:
    def find(text: str, column: str) -> str:
        try:
            return codes.get(text) or known.find(text).code
        except UnknownAreaError as error:
            error.where = column
            raise

    before, after = command.before, command.after
    if command.change is Change.OPENED:
        if re.match(AREA_PATTERN, command.area) is None or command.area == NATION:
            raise UnknownAreaError(
                _("{area} is no code").format(area=safe(command.area)),
                remedy=_("Write the code of the new area: 16.18, or 97 for a province."),
                where="area",
            )
        split_from = find(before, "from") if before else None
        name = plain_name(command.area, after)
        return AreaChange(command.area, Change.OPENED, command.on, None, name, split_from, position)
    if command.change is Change.RECODED:
        try:
            area = find(command.area, "area")
        except UnknownAreaError:  # by the code it had, which nothing but this row tells of
            if not re.match(REGENCY_PATTERN, command.area) or before not in {None, command.area}:
                raise
            area, before = find(after, "to"), command.area
        codes.update({code: area for code in (before, after) if code})
    else:
        area = find(command.area, "area")
    if command.change is Change.MOVED:
        before, after = before and find(before, "from"), find(after, "to")
    elif command.change is Change.RENAMED:
        before, after = before and plain_name(area, before), plain_name(area, after)
    return AreaChange(area, command.change, command.on, before, after, None, position)


def plain_name(key: str, name: str) -> str:
    """Return a name without the word for the kind of its own area, as the built-in list has it."""
    match = _KIND_WORD.match(name)
    if match is None:
        return name
    begins = match[0][:3].casefold()
    own = {"kabupaten": "kab", "kota": "kot", "province": "pro"}.get(_kind(key))
    return name[match.end() :] if begins == own else name


def _stands(boundaries: Boundaries, draft: AreaChange) -> bool:
    """Whether just that is recorded; what a row leaves blank says nothing else."""
    return any(
        each.on == draft.on
        and each.after == draft.after
        and draft.before in {None, each.before}
        and draft.split_from == each.split_from
        for each in boundaries.chain(draft.area, draft.change)
    )


def _with_before(boundaries: Boundaries, drafts: Sequence[AreaChange]) -> list[AreaChange]:
    """Return the drafts by day, each with what stood before it where its row leaves that blank."""
    told = [each for each in drafts if each.before or each.change is Change.OPENED]
    for draft in sorted((each for each in drafts if each not in told), key=lambda each: each.on):
        known = Boundaries([*boundaries.changes, *told])
        before = ""
        if area_of(draft.area) is not None or draft.area in known.opened:
            before = known.standing(draft.area, draft.change, draft.on - _DAY)
        told.append(replace(draft, before=before))
    return sorted(told, key=lambda each: (each.on, _IN_ORDER.index(each.change), each.position))


# --- what may not be ------------------------------------------------------------------------------


def faults(boundaries: Boundaries) -> Iterator[Fault]:
    """Yield what is wrong with changes taken together, each told of the one recorded last."""
    owners = _Owners(boundaries)
    by_trait = sorted(boundaries.changes, key=lambda each: (each.area, each.change))
    for (area, trait), found in groupby(by_trait, key=lambda each: (each.area, each.change)):
        chain = sorted(found, key=lambda each: (each.on, each.position))
        if trait is Change.OPENED:
            yield from _of_opening(boundaries, owners, chain)
            continue
        wrong = [*_of_area(boundaries, area, chain)]
        wrong = wrong or [*_of_chain(boundaries, chain)]
        for each in () if wrong else chain:
            wrong += _CHECKS[trait](boundaries, owners, each)
        yield from wrong


class _Owners:
    """Whose each code and name is, or once was: the built-in list's, then as they were recorded."""

    def __init__(self, boundaries: Boundaries) -> None:
        self.codes = {each.code: each.code for each in all_areas()}
        self.names: dict[tuple[str, str], str] = {
            (each.kind, spelling(each.name)): each.code for each in all_areas()
        }
        for each in sorted(boundaries.changes, key=lambda each: each.position):
            if each.change is Change.OPENED:
                self.codes.setdefault(each.area, each.area)
            if each.change is Change.RECODED:
                for code in (each.before, each.after):
                    self.codes.setdefault(code or "", each.area)
            if each.change in {Change.OPENED, Change.RENAMED}:
                for name in filter(None, (each.before, each.after)):
                    self.names.setdefault((_kind(each.area), spelling(name)), each.area)

    def of_code(self, code: str, area: str) -> str | None:
        """Return which other area has, or had, a code."""
        owner = self.codes[code]
        return None if owner == area else owner

    def of_name(self, name: str, area: str) -> str | None:
        """Return which other area of its kind has, or had, a name, by any of its spellings."""
        kind = _kind(area)
        owner = self.names[kind, spelling(name)]
        if owner != area:
            return owner
        try:
            found = find_area(f"{_WORDS[kind]}{name}").code
        except UnknownAreaError:
            return None
        return None if found == area else found


def _of_opening(
    boundaries: Boundaries, owners: _Owners, chain: Sequence[AreaChange]
) -> Iterator[Fault]:
    first = chain[0]
    area, parent = first.area, first.split_from
    for again in chain[1:]:
        yield _fault(
            again,
            "opened-twice",
            "area",
            _("{area} is opened on {on} already").format(area=area, on=first.on),
            _("An area is opened once; take back the other with `ucj retract area`."),
        )
    if area_of(area) is not None or owners.of_code(area, area) is not None:
        yield _fault(
            first,
            "code-in-use",
            "area",
            _("{area} is, or was, the code of another area").format(area=area),
            _("A code is never given to a second area; check it."),
        )
    yield from _of_name(owners, first, first.after)
    if not is_regency(area):
        if parent is not None:
            yield _fault(
                first,
                "unexpected-value",
                "from",
                _("a province is split from no regency"),
                _("Leave it blank; say which regencies moved there in rows of their own."),
            )
        return
    if not _is_province(boundaries, area.split(".")[0], first.on):
        yield _fault(
            first,
            "unknown-province",
            "area",
            _("no province has the code {province}").format(province=area.split(".")[0]),
            _("A new province is opened in a row of its own, on that day or before."),
        )
    if parent is None:
        yield _fault(
            first,
            "missing",
            "from",
            _("a new regency is split from another"),
            _("Say from which: its people were counted there before."),
        )
    elif not is_regency(parent) or parent == area or not boundaries.exists(parent, first.on - _DAY):
        yield _fault(
            first,
            "unknown-area",
            "from",
            _("{parent} is no regency or city before {on}").format(parent=parent, on=first.on),
            _("Name the kabupaten or kota whose part it was."),
        )


def _of_area(boundaries: Boundaries, area: str, chain: Sequence[AreaChange]) -> Iterator[Fault]:
    """Yield what is wrong with the area itself: unknown, not yet there, or not to be changed so."""
    opening = boundaries.opened.get(area)
    for each in chain:
        if opening is None and area_of(area) is None:
            yield _fault(
                each,
                "unknown-area",
                "area",
                _("no area has the code {area}").format(area=area),
                _("A new area is opened in a row of its own."),
            )
        elif area == NATION or (each.change is not Change.RENAMED and not is_regency(area)):
            yield _fault(
                each,
                "not-a-regency",
                "area",
                _("{area} is no kabupaten or kota").format(area=area),
                _("A province may be opened or renamed; regencies are recoded and moved."),
            )
        elif opening is not None and each.on <= opening.on:
            yield _fault(
                each,
                "not-opened-yet",
                "on",
                _("{area} is opened on {on}").format(area=area, on=opening.on),
                _("A change comes after the day on which the area is opened."),
            )


def _of_chain(boundaries: Boundaries, chain: Sequence[AreaChange]) -> Iterator[Fault]:
    """Yield where the chain of one trait of one area is broken."""
    trait = _TRAITS[chain[0].change]
    for each in chain:
        if each.before == each.after:
            yield _fault(
                each,
                "no-change",
                "to",
                _("its {trait} is {after} on that day already").format(
                    trait=trait, after=safe(each.after)
                ),
                _("Where that is older than the registry knows, say in `from` what it was before."),
            )
    for one, other in pairwise(chain):
        last = max(one, other, key=lambda each: each.position)
        if one.on == other.on:
            yield _fault(
                last,
                "two-changes-a-day",
                "on",
                _("its {trait} becomes {one} and {other} on {on}").format(
                    trait=trait, one=safe(one.after), other=safe(other.after), on=one.on
                ),
                _("Keep one; a recorded one is taken back with `ucj retract area`."),
            )
        elif one.after != other.before:
            yield _fault(
                last,
                "contradicts",
                "to" if last is one else "from",
                _("from {on} its {trait} is {after}, but until {until} {before}").format(
                    on=one.on,
                    trait=trait,
                    after=safe(one.after),
                    until=other.on - _DAY,
                    before=safe(other.before or ""),
                ),
                _("Correct the row, or take back the recorded change with `ucj retract area`."),
            )
    first = boundaries.first(chain[0].area, chain[0].change)
    passed = {chain[0].before} if chain[0].area in boundaries.opened else {
        chain[0].before, *(each.after for each in chain)
    }  # fmt: skip
    if first not in passed:
        last = max(chain, key=lambda each: each.position)
        yield _fault(
            last,
            "contradicts",
            "from",
            _("its {trait} is known as {known}, which it would never have had").format(
                trait=trait, known=safe(first)
            ),
            _("Correct the row: `from` is what stood before, `to` what stands from the day."),
        )


def _of_code(boundaries: Boundaries, owners: _Owners, change: AreaChange) -> Iterator[Fault]:
    for column, code in (("from", change.before or ""), ("to", change.after)):
        if re.match(REGENCY_PATTERN, code) is None:
            yield _fault(
                change,
                "invalid-code",
                column,
                _("{code} is no code of a kabupaten or kota").format(code=safe(code)),
                _("Write it with its dot: 16.06."),
            )
        elif owners.of_code(code, change.area) is not None:
            yield _fault(
                change,
                "code-in-use",
                column,
                _("{code} is, or was, the code of {area}").format(
                    code=code, area=owners.of_code(code, change.area)
                ),
                _("A code is never given to a second area; check it."),
            )
    province = boundaries.standing(change.area, Change.MOVED, change.on)
    if change.after.split(".")[0] != province:
        yield _fault(
            change,
            "other-province",
            "to",
            _("on {on} it lies in province {province}").format(on=change.on, province=province),
            _("Say in a row of its own that it moved, or correct the code."),
        )


def _of_province(boundaries: Boundaries, owners: _Owners, change: AreaChange) -> Iterator[Fault]:
    del owners
    for column, province, on in (
        ("from", change.before or "", change.on - _DAY),
        ("to", change.after, change.on),
    ):
        if not _is_province(boundaries, province, on):
            yield _fault(
                change,
                "unknown-province",
                column,
                _("{province} is no province on {on}").format(province=safe(province), on=on),
                _("A new province is opened in a row of its own, on that day or before."),
            )


def _of_names(boundaries: Boundaries, owners: _Owners, change: AreaChange) -> Iterator[Fault]:
    del boundaries
    for name in (change.before or "", change.after):
        yield from _of_name(owners, change, name)


def _of_name(owners: _Owners, change: AreaChange, name: str) -> Iterator[Fault]:
    owner = owners.of_name(name, change.area)
    if owner is not None:
        yield _fault(
            change,
            "name-in-use",
            "to",
            _("{name} is, or was, the name of {owner}").format(name=safe(name), owner=owner),
            _("Two areas of one kind never share a name; check it."),
        )


_CHECKS: Final = {
    Change.RECODED: _of_code, Change.MOVED: _of_province, Change.RENAMED: _of_names
}  # fmt: skip
_WORDS: Final[dict[str, str]] = {
    "province": "Provinsi ", "kabupaten": "Kabupaten ", "kota": "Kota ", "nation": ""
}  # fmt: skip


def _fault(change: AreaChange, code: str, column: str, why: str, remedy: str) -> Fault:
    return Fault(change, code, column, why, remedy)


def _is_province(boundaries: Boundaries, code: str, on: date) -> bool:
    return not is_regency(code) and code != NATION and boundaries.exists(code, on)


def _kind(area: str) -> AreaKind:
    known = area_of(area)
    return known.kind if known is not None else kind_of(area)
