"""The order of commands: after all that is said of the batches they name, whatever the file's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from registry.commands import BatchLine, Command, RecordBatch, RevisePotential
from registry.terms import Action
from registry.waiting import Waiting


def _command(reference: str, *names: str) -> RecordBatch:
    """Return a command about a batch that names others; without names it draws on nothing."""
    lines = tuple(BatchLine("guru", 1, of_batch=each) for each in names) or (BatchLine("guru", 1),)
    return RecordBatch(Action.DEACTIVATE, "16.06", reference, lines, effective_on=date(2025, 1, 1))


class _Counted:
    """Commands that count how often they are gone through and looked up."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self.commands = commands
        self.begun = self.looked_up = 0

    def __iter__(self) -> Iterator[Command]:
        self.begun += 1
        return iter(self.commands)

    def __getitem__(self, number: int, /) -> Command:
        self.looked_up += 1
        return self.commands[number]


_references = st.sampled_from("abcdef")
_command_lists = st.lists(
    st.builds(lambda about, names: _command(about, *names), _references, st.lists(_references, max_size=3)),
    max_size=12,
)  # fmt: skip


def _before(commands: Sequence[RecordBatch], number: int) -> set[int]:
    """Return, told anew, which commands must be decided before the one of a number."""
    command = commands[number]
    named = {line.of_batch for line in command.lines}
    return {
        other
        for other, each in enumerate(commands)
        if each.reference in named or (each.reference == command.reference and other < number)
    }


def _decidable(commands: Sequence[RecordBatch]) -> set[int]:
    """Return the numbers of all that can ever be decided: once more as long as one is found."""
    decided: set[int] = set()
    while found := {
        number
        for number in range(len(commands))
        if number not in decided and _before(commands, number) <= decided
    }:
        decided |= found
    return decided


@given(_command_lists)
def test_every_command_comes_after_what_it_needs(commands: list[RecordBatch]) -> None:
    """Each once, after all about the batches it names and the earlier ones about its own."""
    waiting = Waiting(commands)
    places = {id(command): number for number, command in enumerate(commands)}
    order = [places[id(each)] for each in waiting.in_order()]
    assert sorted(order) == sorted(_decidable(commands))
    for place, number in enumerate(order):
        assert _before(commands, number) <= set(order[:place])
    left = [places[id(each)] for each in waiting.circular()]
    assert left == sorted(set(range(len(commands))) - set(order))


@given(_command_lists)
def test_a_command_is_looked_up_no_oftener_than_it_names_batches(
    commands: list[RecordBatch],
) -> None:
    """Two passes, and then a look for each batch (or earlier command) that kept it waiting."""
    counted = _Counted(commands)
    assert len([*Waiting(counted).in_order()]) <= len(commands)
    assert counted.begun == 2
    assert counted.looked_up <= sum(
        len(_before(commands, number)) for number in range(len(commands))
    )


def test_a_long_chain_newest_first_is_read_once_more() -> None:
    """60 renewals of renewals, the newest on top: not a pass for each of them."""
    chain = [_command(f"SK-{number}", f"SK-{number - 1}") for number in range(60, 0, -1)]
    counted = _Counted([*chain, _command("SK-0")])
    order = [
        each.reference for each in Waiting(counted).in_order() if isinstance(each, RecordBatch)
    ]
    assert order == [f"SK-{number}" for number in range(61)]
    assert (counted.begun, counted.looked_up) == (2, 59)


def test_what_names_nothing_comes_first_and_in_order() -> None:
    """Also what is no batch at all."""
    potential = RevisePotential("16.06", date(2025, 1, 1), 1_000, "workers", "a source")
    leave, enrol = _command("b", "a"), _command("a")
    assert [*Waiting((leave, potential, enrol)).in_order()] == [potential, enrol, leave]
