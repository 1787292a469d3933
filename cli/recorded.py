"""What a command recorded, or would record, in words: where, when, by whom, and its effect.

Knows the events as plain facts, no rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from registry.safe_text import safe

if TYPE_CHECKING:
    from registry.application import Recorded
    from registry.storage.log import StoredRow

LINES_SHOWN_MAX: Final = 20
CHANGES_SHOWN_MAX: Final = 10

Facts = Mapping[str, Any]

_CHANGES: Final = frozenset({"ucj.batch-corrected", "ucj.batch-withdrawn"})
_TAKEN_BACK: Final = {
    "ucj.labour-potential-withdrawn": "potential",
    "ucj.target-withdrawn": "target",
    "ucj.figure-retracted": "figure",
    "ucj.area-change-withdrawn": "change",
}

_CLOSINGS: Final = frozenset({"ucj.period-closed", "ucj.period-reopened"})


def say_recorded(recorded: Recorded) -> None:
    """Print what was recorded on stdout, what is odd about it on stderr."""
    say([*recorded_lines(recorded), *effect_lines(recorded.events)])
    from cli.options import notice

    for problem in recorded.problems:
        if problem.severity == "warning":
            notice(f"warning: {problem.why}")
            notice(f"  {problem.remedy}")


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


def recorded_lines(recorded: Recorded) -> Iterator[str]:
    """Yield where, when and by whom."""
    first, last = recorded.first_position, recorded.last_position
    if first is None or recorded.recorded_at is None:
        yield "nothing to record"
        return
    at = f"#{first}" if first == last else f"#{first}–#{last}"
    if recorded.decision == "planned":
        yield f"would be recorded at {at}; nothing was recorded"
        return
    yield f"recorded at {at}, {moment(recorded.recorded_at)}, by {safe(recorded.recorded_by or '')}"


def moment(instant: datetime) -> str:
    """Return an instant as people read it, in UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def effect_lines(events: Sequence[StoredRow]) -> Iterator[str]:
    """Yield what each event does: whose heads, how many, from when and until when."""
    for row in events:
        facts = row.facts()
        if row.topic in _TAKEN_BACK:
            taken = facts["takes_back_position"]
            yield f"the {_TAKEN_BACK[row.topic]} of {place(facts['area'])} at #{taken} is taken back"
        elif row.topic == "ucj.category-added":
            yield (
                f"category {facts['category']}: {safe(facts['label_id'])} / "
                f"{safe(facts['label_en'])}"
            )
        elif row.topic in _CLOSINGS:
            yield from _closing_lines(facts, in_full=len(events) == 1)
        elif "reference" in facts:
            yield from _batch_lines(row.topic.removeprefix("ucj."), facts)


def change_lines(events: Sequence[StoredRow]) -> Iterator[str]:
    """Yield what the corrections and withdrawals among the events do, if they are few."""
    changes = [row for row in events if row.topic in _CHANGES]
    for row in changes[:CHANGES_SHOWN_MAX]:
        for line in _batch_lines(row.topic.removeprefix("ucj."), row.facts()):
            yield f"  {line}"
    if len(changes) > CHANGES_SHOWN_MAX:
        yield f"  … and {len(changes) - CHANGES_SHOWN_MAX} more batches corrected or withdrawn"


def place(area: str) -> str:
    """Return an area's name with its code; of one that the built-in list does not have, the code."""
    from projections.coverage import shown_name
    from registry.reference.gazetteer import area_of

    return area if area_of(area) is None else f"{shown_name(area)} ({area})"


def _batch_lines(event: str, facts: Facts) -> Iterator[str]:
    part = f" part {safe(facts['part'])}" if facts["part"] else ""
    done = {"batch-withdrawn": " withdrawn", "batch-corrected": " corrected"}.get(event, "")
    settles = f", settles the figure at #{facts['settles']}" if facts.get("settles") else ""
    yield (
        f"{safe(facts['reference'])}{part} of {place(facts['area'])}: {facts['kind']}{done}{settles}"
    )
    moves = [*_moves(facts)]
    yield from moves[:LINES_SHOWN_MAX]
    if len(moves) > LINES_SHOWN_MAX:
        yield f"  … and {len(moves) - LINES_SHOWN_MAX} more lines"
    net = _sum(facts.get("lines")) + _sum(facts.get("puts")) - _sum(_taken(facts).get("lines"))
    if len(moves) > 1:
        yield f"  in all {net:+,}"


def _closing_lines(facts: Facts, *, in_full: bool) -> Iterator[str]:
    """Yield what a closing states, category by category where it is the only one; or a reopening."""
    through = facts["closed_through"]
    if "active_by_category" not in facts:
        rest = f"closed through {through}" if through else "and nothing is closed"
        yield f"{place(facts['area'])} is open again from {facts['reopened_from']}, {rest}"
        return
    yield f"{place(facts['area'])} is closed through {through}: {_stated(facts)}"
    for category, workers in facts["active_by_category"].items() if in_full else ():
        yield f"  {workers:,} {category}"


def _stated(facts: Facts) -> str:
    active, potential = facts["active"], facts["potential"]
    heads = "nobody recorded" if active is None else f"{active:,} active"
    if potential is None:
        return f"{heads}, no potential in force"
    if active is None:
        return f"{heads}, a potential of {potential:,}"
    from fractions import Fraction

    from cli.values import shown

    return f"{heads} of {potential:,} ({shown(Fraction(100 * active, potential), 'percent')})"


def _moves(facts: Facts) -> Iterator[str]:
    taken = _taken(facts)
    for line in taken.get("lines", ()):
        yield _move(line, -1, taken["effective_on"]) + ", taken back"
    for line in (*(facts.get("lines") or ()), *(facts.get("puts") or ())):
        yield _move(line, 1, facts["effective_on"])


def _move(line: Facts, sign: int, effective_on: str) -> str:
    cohort = line["cohort"]
    words = [f"  {sign * line['workers']:+,} {cohort['category']} from {effective_on}"]
    if cohort["expires_on"]:
        words.append(f"until {date.fromisoformat(cohort['expires_on']) - timedelta(days=1)}")
    if line["workers"] < 0 and cohort["reference"]:
        words.append(f"of {safe(cohort['reference'])}")
    if line["of"]:
        words.append(f"continuing {safe(line['of']['reference'])}")
    return " ".join(words)


def _taken(facts: Facts) -> Facts:
    return facts.get("takes_back") or {}


def _sum(lines: Sequence[Facts] | None) -> int:
    return sum(line["workers"] for line in lines or ())
