"""What is said of one area: new, said already, replaced, taken back and said again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest

from registry.area import TAKES_BACK, Area, say, take_back
from registry.batch import Stamp
from registry.commands import PublishFigure, RevisePotential, SetTarget
from registry.errors import RuleBrokenError
from registry.events import ImportSource
from registry.terms import Segment, area_id

STAMP: Final = Stamp(7, datetime(2025, 8, 1, tzinfo=UTC), "Sri")
SOURCE: Final = ImportSource(import_id=UUID(int=5), sheet="Data")
Command = RevisePotential | SetTarget | PublishFigure

POTENTIAL: Final = RevisePotential(
    "16.06", date(2024, 1, 1), 213_582, "workers", "a site", date(2024, 2, 3), row=2
)
TARGET: Final = SetTarget(
    "16.06", date(2025, 12, 31), Decimal("52.15"), "a plan", "a decree", date(2025, 1, 2), row=3
)
FIGURE: Final = PublishFigure(
    "16.06", "2025-07", "Pemkab", "a release", "guru", Segment.PU, 103_079, 213_582, "48.26",
    "51.74", "52.15", "-3.89", 1, date(2025, 8, 1), "“48,26”", row=4,
)  # fmt: skip
OTHERS: Final[dict[str, tuple[Command, Command]]] = {
    "potential": (POTENTIAL, replace(POTENTIAL, workers=213_583)),
    "target": (TARGET, replace(TARGET, percent=Decimal(60))),
    "figure": (FIGURE, replace(FIGURE, active=103_080)),
}
NOT_THE_COMMANDS: Final = {
    "originator_id", "originator_version", "transaction_id", "recorded_at", "recorded_by",
}  # fmt: skip


def said(area: Area, command: Command, position: int) -> bool:
    """Say it and, if it is new, let the area know it at a position."""
    event = say(area, command, source=None, stamp=STAMP)
    if event is not None:
        area.evolve(event, position)
    return event is not None


def taken_back(area: Area, what: str, position: int) -> None:
    """Take it back."""
    event = take_back(area, position, what, because="mistaken", stamp=STAMP)
    area.evolve(event, position + 100)


@pytest.mark.parametrize("what", OTHERS)
def test_everything_that_a_command_says_is_in_its_event(what: str) -> None:
    """By the same name, in the next version of the area's stream; `source` of a row is a citation."""
    command, _ = OTHERS[what]
    event = say(Area("16.06", version=3), command, source=SOURCE, stamp=STAMP)
    assert event is not None
    assert isinstance(event, TAKES_BACK[what][0])
    assert (event.originator_id, event.originator_version) == (area_id("16.06"), 4)
    assert (event.transaction_id, event.recorded_at, event.recorded_by) == (
        STAMP.transaction_id,
        STAMP.recorded_at,
        STAMP.recorded_by,
    )
    expected: dict[str, Any] = {
        name: getattr(command, name) for name in command.__dataclass_fields__ if name != "sheet"
    }
    expected |= {"citation": expected["source"], "source": SOURCE}
    if isinstance(command, SetTarget):
        expected["percent"] = str(command.percent)
    found = {name: getattr(event, name) for name in type(event).model_fields}
    assert {name: each for name, each in found.items() if name not in NOT_THE_COMMANDS} == expected


@pytest.mark.parametrize("what", OTHERS)
def test_what_stands_is_said_once(what: str) -> None:
    """Whichever row and file it comes from; something else is said beside it."""
    command, other = OTHERS[what]
    area = Area("16.06")
    assert said(area, command, 1)
    assert say(area, replace(command, row=9, sheet="x"), source=SOURCE, stamp=STAMP) is None
    assert said(area, other, 2)
    assert say(area, other, source=None, stamp=STAMP) is None
    assert area.version == 2


@pytest.mark.parametrize("what", ["target", "figure"])
def test_targets_and_figures_replace_none(what: str) -> None:
    """The first stands beside the second, so that it is not said again."""
    command, other = OTHERS[what]
    area = Area("16.06")
    assert said(area, command, 1)
    assert said(area, other, 2)
    assert not said(area, command, 3)


def test_a_potential_is_replaced_by_a_later_one_from_the_same_day() -> None:
    """And said again after it; one from another day replaces nothing."""
    command, other = POTENTIAL, replace(POTENTIAL, workers=1)
    area = Area("16.06")
    assert said(area, command, 1)
    assert said(area, replace(command, valid_from=date(2024, 1, 2), workers=2), 2)
    assert not said(area, command, 3)
    assert said(area, other, 3)
    assert not said(area, other, 4)
    assert said(area, command, 4)
    assert not said(area, command, 5)
    taken_back(area, "potential", 4)  # the other one counts again
    assert not said(area, other, 5)
    assert said(area, command, 5)


def test_a_potential_counts_again_once_what_replaced_it_is_taken_back() -> None:
    """There is nothing to say then."""
    area = Area("16.06")
    assert said(area, POTENTIAL, 1)
    assert said(area, replace(POTENTIAL, workers=1), 2)
    taken_back(area, "potential", 2)
    assert not said(area, POTENTIAL, 3)


@pytest.mark.parametrize("what", OTHERS)
def test_what_was_taken_back_is_said_again(what: str) -> None:
    """As a new event; that it was said before is remembered, for files that grow."""
    command, other = OTHERS[what]
    area = Area("16.06")
    first = say(area, command, source=None, stamp=STAMP)
    assert first is not None
    assert not area.is_taken_back(first)
    area.evolve(first, 1)
    taken_back(area, what, 1)
    assert (area.standing, area.taken_back, area.version) == ({}, {1}, 2)
    again = say(area, command, source=None, stamp=STAMP)
    assert again is not None
    assert again.originator_version == 3
    assert area.is_taken_back(again)
    assert not area.is_replaced(again)
    unsaid = say(area, other, source=None, stamp=STAMP)
    assert unsaid is not None
    assert not area.is_taken_back(unsaid)
    area.evolve(again, 3)
    assert not said(area, command, 4)


@pytest.mark.parametrize("what", OTHERS)
def test_only_what_stands_is_taken_back_and_as_what_it_is(what: str) -> None:
    """Not twice, not at another position, not as something else."""
    area = Area("16.06")
    assert said(area, OTHERS[what][0], 1)
    for other in OTHERS.keys() - {what}:
        with pytest.raises(RuleBrokenError, match=f"no {other} was recorded at #1"):
            take_back(area, 1, other, because="mistaken", stamp=STAMP)
    with pytest.raises(RuleBrokenError, match="#2"):
        take_back(area, 2, what, because="mistaken", stamp=STAMP)
    event = take_back(area, 1, what, because="mistaken", stamp=STAMP)
    assert isinstance(event, TAKES_BACK[what][1])
    assert (event.takes_back_position, event.because, event.originator_version) == (
        1,
        "mistaken",
        2,
    )
    area.evolve(event, 2)
    with pytest.raises(RuleBrokenError, match="#1"):
        take_back(area, 1, what, because="mistaken", stamp=STAMP)
