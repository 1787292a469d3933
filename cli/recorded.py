"""What a command recorded, or would record, in words: where, when, by whom, and its effect.

Knows the events as plain facts, no rule.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from registry.language import Period, _, formatted, joined
from registry.safe_text import safe
from registry.vocabulary import movement

if TYPE_CHECKING:
    from registry.application import Recorded
    from registry.reference.boundaries import Map
    from registry.storage.log import StoredRow

LINES_SHOWN_MAX: Final = 20
CHANGES_SHOWN_MAX: Final = 10

Facts = Mapping[str, Any]

_CHANGES: Final = frozenset({"ucj.batch-corrected", "ucj.batch-withdrawn"})
_TAKEN_BACK: Final = {
    "ucj.labour-potential-withdrawn": _("the potential of {place} at #{taken} is taken back"),
    "ucj.target-withdrawn": _("the target of {place} at #{taken} is taken back"),
    "ucj.figure-retracted": _("the figure of {place} at #{taken} is taken back"),
    "ucj.area-change-withdrawn": _("the change of {place} at #{taken} is taken back"),
}

_CLOSINGS: Final = frozenset({"ucj.period-closed", "ucj.period-reopened"})


def say_recorded(recorded: Recorded, drawn: Map | None = None) -> None:
    """Print what was recorded on stdout, what is odd about it on stderr.

    `drawn`: the map by which the areas of closings are named, where it is not the built-in list.
    """
    from cli.options import notice
    from cli.terminal import width_of

    width = width_of(sys.stdout)
    lines = (*recorded_lines(recorded), *effect_lines(recorded.events, drawn))
    say([each for line in lines for each in _fitting(line, width)])

    for problem in recorded.problems:
        if problem.severity == "warning":
            notice(_("warning: {why}").format(why=problem.why))
            notice("  " + problem.remedy)


def say(lines: Sequence[str]) -> None:
    """Print lines for people on stdout; a reader who has gone does not stop the command.

    What stdout refuses is said on stderr: it may be that something is recorded, and where.
    """
    from cli.destination import OutputUnwritableError, text_to
    from cli.escapes import visible
    from cli.options import notice

    try:
        with text_to(None, reader="people") as stream:
            stream.writelines(f"{visible(line)}\n" for line in lines)
    except OutputUnwritableError:
        for line in lines:
            notice(line)
        raise


def _fitting(line: str, width: int | None) -> Sequence[str]:
    """Return a line in the columns of a terminal, what follows set in as far as it begins."""
    from cli.escapes import visible
    from cli.tables import wrapped

    if width is None:
        return [line]
    text = visible(line)
    words = text.lstrip(" ")
    margin = text[: len(text) - len(words)]
    return [margin + each for each in wrapped(words, width - len(margin))]


def recorded_lines(recorded: Recorded) -> Iterator[str]:
    """Yield where, when and by whom."""
    first, last = recorded.first_position, recorded.last_position
    if first is None or recorded.recorded_at is None:
        yield _("nothing to record")
        return
    at = positions(first, last)
    if recorded.decision == "planned":
        yield _("would be recorded at {at}; nothing was recorded").format(at=at)
        return
    yield _("recorded at {at}, {moment}, by {person}").format(
        at=at, moment=moment(recorded.recorded_at), person=safe(recorded.recorded_by or "")
    )


def positions(first: int, last: int | None) -> str:
    """Return from where to where in the log."""
    return f"#{first}" if first == last else f"#{first}–#{last}"


def moment(instant: datetime) -> str:
    """Return an instant as people read it, in UTC."""
    return formatted(instant.astimezone(UTC), "%Y-%m-%d %H:%M:%SZ")


def effect_lines(events: Sequence[StoredRow], drawn: Map | None = None) -> Iterator[str]:
    """Yield what each event does: whose heads, how many, from when and until when."""
    for row in events:
        facts = row.facts()
        if row.topic in _TAKEN_BACK:
            taken = facts["takes_back_position"]
            yield _TAKEN_BACK[row.topic].format(place=place(facts["area"]), taken=taken)
        elif row.topic == "ucj.category-added":
            yield (
                _("category {category}: {label_id} / {label_en}").format(
                    category=facts["category"],
                    label_id=safe(facts["label_id"]),
                    label_en=safe(facts["label_en"]),
                )
            )
        elif row.topic in _CLOSINGS:
            yield from _closing_lines(facts, drawn, in_full=len(events) == 1)
        elif "reference" in facts:
            yield from _batch_lines(row.topic.removeprefix("ucj."), facts)


def change_lines(events: Sequence[StoredRow]) -> Iterator[str]:
    """Yield what the corrections and withdrawals among the events do, if they are few."""
    changes = [row for row in events if row.topic in _CHANGES]
    for row in changes[:CHANGES_SHOWN_MAX]:
        for line in _batch_lines(row.topic.removeprefix("ucj."), row.facts()):
            yield "  " + line
    if len(changes) > CHANGES_SHOWN_MAX:
        yield _("  … and {count} more batches corrected or withdrawn").format(
            count=len(changes) - CHANGES_SHOWN_MAX
        )


def place(area: str, drawn: Map | None = None) -> str:
    """Return an area's name with its code; of one that the built-in list does not have, the code."""
    from projections.coverage import shown_name
    from registry.reference.gazetteer import area_of

    if drawn is not None and drawn.has(area):
        return f"{drawn.name(area)} ({drawn.code(area)})"
    return area if area_of(area) is None else f"{shown_name(area)} ({area})"


def _batch_lines(event: str, facts: Facts) -> Iterator[str]:
    part = _(" part {part}").format(part=safe(facts["part"])) if facts["part"] else ""
    done = {"batch-withdrawn": _(" withdrawn"), "batch-corrected": _(" corrected")}.get(event, "")
    settles = facts.get("settles")
    yield _("{reference}{part} of {place}: {kind}{done}{settles}").format(
        reference=safe(facts["reference"]),
        part=part,
        place=place(facts["area"]),
        kind=movement(facts["kind"]),
        done=done,
        settles=_(", settles the figure at #{position}").format(position=settles)
        if settles
        else "",
    )
    moves = [*_moves(facts)]
    yield from moves[:LINES_SHOWN_MAX]
    if len(moves) > LINES_SHOWN_MAX:
        yield _("  … and {count} more lines").format(count=len(moves) - LINES_SHOWN_MAX)
    net = _sum(facts.get("lines")) + _sum(facts.get("puts")) - _sum(_taken(facts).get("lines"))
    if len(moves) > 1:
        yield _("  in all {net:+,}").format(net=net)


def _closing_lines(facts: Facts, drawn: Map | None, *, in_full: bool) -> Iterator[str]:
    """Yield what a closing states, category by category where it is the only one; or a reopening."""
    through = facts["closed_through"]
    if "active_by_category" not in facts:
        rest = (
            _("closed through {through}").format(through=Period(through))
            if through
            else _("and nothing is closed")
        )
        yield _("{place} is open again from {reopened_from}, {rest}").format(
            place=place(facts["area"], drawn),
            reopened_from=Period(facts["reopened_from"]),
            rest=rest,
        )
        return
    yield _("{place} is closed through {through}: {stated}").format(
        place=place(facts["area"], drawn), through=Period(through), stated=_stated(facts)
    )
    for category, workers in facts["active_by_category"].items() if in_full else ():
        yield _("  {workers:,} {category}").format(workers=workers, category=category)


def _stated(facts: Facts) -> str:
    active, potential = facts["active"], facts["potential"]
    heads = (
        _("nobody recorded") if active is None else _("{workers:,} active").format(workers=active)
    )
    if potential is None:
        return _("{heads}, no potential in force").format(heads=heads)
    if active is None:
        return _("{heads}, a potential of {potential:,}").format(heads=heads, potential=potential)
    from fractions import Fraction

    from cli.values import shown

    return _("{heads} of {potential:,} ({percent})").format(
        heads=heads,
        potential=potential,
        percent=shown(Fraction(100 * active, potential), "percent"),
    )


def _moves(facts: Facts) -> Iterator[str]:
    taken = _taken(facts)
    for line in taken.get("lines", ()):
        yield _move(line, -1, taken["effective_on"]) + _(", taken back")
    for line in (*(facts.get("lines") or ()), *(facts.get("puts") or ())):
        yield _move(line, 1, facts["effective_on"])


def _move(line: Facts, sign: int, effective_on: str) -> str:
    cohort = line["cohort"]
    words = [
        _("  {workers:+,} {category} from {effective_on}").format(
            workers=sign * line["workers"],
            category=cohort["category"],
            effective_on=Period(effective_on),
        )
    ]
    if cohort["expires_on"]:
        words.append(
            _("until {day}").format(
                day=date.fromisoformat(cohort["expires_on"]) - timedelta(days=1)
            )
        )
    if line["workers"] < 0 and cohort["reference"]:
        words.append(_("of {reference}").format(reference=safe(cohort["reference"])))
    if line["of"]:
        words.append(_("continuing {reference}").format(reference=safe(line["of"]["reference"])))
    return joined(" ", words)


def _taken(facts: Facts) -> Facts:
    return facts.get("takes_back") or {}


def _sum(lines: Sequence[Facts] | None) -> int:
    return sum(line["workers"] for line in lines or ())
