"""The order in which commands are decided: each after all that is said of the batches it names.

Knows of a command only what it is about and what it names. Holds numbers and identities, never the
commands themselves, because a file may name a batch in every row.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from registry.commands import Command, Commands, RecordBatch


class Waiting:
    """The commands of one transaction, brought into an order in which they can be decided.

    Whatever their order in the file, it is gone through twice; after that a command that waited is
    looked up once for each batch that kept it waiting.
    """

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._undecided: set[int] = set()
        self._last: dict[UUID, int] = {}  # of an undecided batch, the last command about it
        self._earlier: dict[int, int] = {}  # the one before it, where a batch has several
        self._behind: dict[int, list[int]] = {}  # which commands wait for a command
        self._freed: list[int] = []

    def in_order(self) -> Iterator[Command]:
        """Yield the commands; what is yielded counts as decided when the next is asked for."""
        yield from self._independent()
        for number, command in enumerate(self._commands):
            if number in self._undecided:
                yield from self._unless_it_waits(number, command)
        while self._freed:
            numbers, self._freed = sorted(self._freed), []
            for number in numbers:
                yield from self._unless_it_waits(number, self._commands[number])

    def circular(self) -> Iterator[RecordBatch]:
        """Yield those that wait for each other, once all others are decided."""
        for number in sorted(self._undecided):
            yield self._batch(self._commands[number])

    def _independent(self) -> Iterator[Command]:
        """Yield what names no batch, and remember the others."""
        for number, command in enumerate(self._commands):
            if not isinstance(command, RecordBatch):
                yield command
                continue
            identity = command.identity()
            earlier = self._last.get(identity)
            if earlier is None and not command.draws_on():
                yield command
                continue
            if earlier is not None:  # two commands about one batch keep their order
                self._earlier[number] = earlier
            self._last[identity] = number
            self._undecided.add(number)

    def _unless_it_waits(self, number: int, command: Command) -> Iterator[Command]:
        batch = self._batch(command)
        awaited = self._awaited(number, batch)
        if awaited is not None:
            self._behind.setdefault(awaited, []).append(number)
            return
        yield batch
        self._undecided.remove(number)
        self._freed += self._behind.pop(number, ())
        if self._last[batch.identity()] == number:
            del self._last[batch.identity()]

    def _awaited(self, number: int, batch: RecordBatch) -> int | None:
        """Return one command that must be decided before, or None."""
        earlier = self._earlier.get(number)
        if earlier in self._undecided:
            return earlier
        return next((self._last[each] for each in batch.draws_on() if each in self._last), None)

    @staticmethod
    def _batch(command: Command) -> RecordBatch:
        assert isinstance(command, RecordBatch)  # nothing else waits
        return command
