"""What is said of one imported file: the result on stdout, what is wrong or odd on stderr, and JSON.

Knows no order of things and no place of refused rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli.destination import OutputUnwritableError, text_to
from cli.options import notice
from cli.recorded import change_lines, effect_lines, moment, recorded_lines, say
from projections.changed_since import CODES
from registry.language import _

if TYPE_CHECKING:
    from cli.imported_before import ImportedBefore
    from registry.application import Recorded
    from registry.intake.report import Report

PLAN_DIGITS_MIN: Final = 12
"""As much of a plan's digest as is needed to name it."""


def print_report(
    report: Report, recorded: Recorded | None, *, form: str, place: Path | None, correcting: bool
) -> None:
    """Print the report as words, json or jsonl, and write it to its place, if it has one."""
    refused = report.decision == "refused"
    if form != "text":
        _print_json(report, recorded, form)
    elif not refused:
        say([*_result_lines(report, recorded, correcting=correcting)])
    for line in report.as_lines() if refused else _odd_lines(report):
        notice(line)
    if place is not None:
        _write_report(report, place)


def say_before(report: Report, before: ImportedBefore, options: Mapping[str, str]) -> None:
    """Say what a clerk may not expect where the very bytes were imported before."""
    if report.decision == "refused":
        when = moment(before.recorded_at)
        at = f"#{before.position}, " + when
        notice(
            _("{file} is recorded already, byte for byte, at {at}.").format(file=report.file, at=at)
        )
    elif (note := before.note(report.file, options, report.errors)) is not None:
        notice(note)


def _odd_lines(report: Report) -> Iterator[str]:
    # Beside errors it is another reading, of which `say_before` has the number.
    yield from report.problem_lines(CODES if report.errors else None)


def _result_lines(report: Report, recorded: Recorded | None, *, correcting: bool) -> Iterator[str]:
    if report.errors:
        yield _("{file}: the very bytes of an earlier import").format(file=report.file)
        yield from report.decision_lines()
        return
    counts = report.count_lines()
    if not correcting or recorded is None:
        yield from counts
        yield from change_lines(recorded.events if recorded else ())
    else:
        yield next(counts)
        yield from effect_lines(recorded.events)
    if report.decision == "planned" and correcting:
        yield _(
            "nothing was recorded yet"
        )  # `correct` carries no plan out: its digest says nothing
        return
    yield from report.decision_lines()
    if report.decision == "planned":
        yield _("to record exactly this: --plan {plan}").format(
            plan=(report.plan or "")[:PLAN_DIGITS_MIN]
        )


def _document(report: Report) -> dict[str, Any]:
    """Return the report as every JSON of ours has it: instants in UTC, with a Z."""
    document = report.as_json()
    if report.recorded is not None:
        document["recorded"] = asdict(report.recorded)
    return document


def _print_json(report: Report, recorded: Recorded | None, form: str) -> None:
    from cli.records import write_json_document, write_json_line

    write = write_json_document if form == "json" else write_json_line
    try:
        with text_to(None, reader="programs") as stream:
            write(_document(report), stream)
    except OutputUnwritableError:
        if recorded is not None:  # committed, whatever becomes of the report
            for line in recorded_lines(recorded):
                notice(line)
        raise


def _write_report(report: Report, place: Path) -> None:
    from cli.records import write_json_document

    with text_to(place, reader="programs") as stream:
        write_json_document(_document(report), stream)
