"""A small ledger document, as a test's docstring: parsed, recorded, and judged by the oracle too.

One row a line; what a row does not say it does not have. Dates are days, `until` is the last
covered day, references with spaces stand in quotes:

    #1 2025-01-10 enrol      16.06 pekerja-rentan 100 from 2025-01-01 until 2025-12-31 SK-1
    #2 2025-03-01 deactivate 16.06 pekerja-rentan  30 from 2025-02-01 of SK-1 SK-2
    +             enrol      16.06 marbot           5 from 2025-03-01 SK-3    ? looks-like-duplicate
    -- 2025-03-05 withdraw   16.06 SK-1 because mistaken                      ! cohort-below-zero

`#4`: a transaction whose first position is 4, recorded on that day. `+`: another row of the same
transaction; rows of one action, area, reference and part are one batch. `--`: a transaction that is
refused, and of which nothing is recorded. `! code`: with this error; `? code`: with this warning.
A category of `any` is left out. `reclassify` names the category left, and `to` the one entered;
`out-of` names the area left.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

import pytest

import projections.ledger
from projections.coverage import coverage_at
from registry.application import Recorded
from registry.commands import BatchLine, Command, RecordBatch, RevisePotential
from registry.errors import RuleBrokenError
from registry.reference.areas import regencies
from registry.terms import Action, Funding, LeaveReason, Segment
from tests.oracle import Oracle
from tests.stores import Store

MARKS = ("#", "+", "--")
KEYWORDS = {
    "from": "effective_on",
    "until": "covered_until",
    "of": "of_batch",
    "of-part": "of_part",
    "part": "part",
    "to": "category",
    "out-of": "from_area",
    "segment": "segment",
    "by": "funding",
    "for": "reason",
    "because": "because",
    "note": "note",
}
OF_THE_LINE = ("covered_until", "of_batch", "of_part", "from_area", "segment")
POTENTIAL = "potential"
READ: Final[dict[str, Callable[[str], object]]] = {
    "effective_on": date.fromisoformat,
    "covered_until": date.fromisoformat,
    "segment": Segment,
    "funding": Funding,
    "reason": LeaveReason,
}


@dataclass(slots=True)
class Transaction:
    """One transaction of a document: `position` None where it is to be refused."""

    position: int | None
    recorded_on: date
    commands: list[Command]
    errors: set[str]
    warnings: set[str]


class Ledger:
    """What a document came to: a store to ask, and whom the oracle would say is covered."""

    def __init__(self, store: Store, oracle: Oracle) -> None:
        self.store = store
        self.oracle = oracle
        self.recorded: list[Recorded] = []
        self._open = ExitStack()
        self._opened: projections.ledger.Ledger | None = None

    def active(self, area: str, *, on: str, known: str | None = None, **asked: str) -> int | None:
        """Return the heads covered, after seeing that the oracle counts just as many.

        `category`, `segment` or `funding` asks for one group of them.
        """
        day = date.fromisoformat(on)
        ledger = self.ask()
        position = int(known.lstrip("#")) if known else ledger.position
        for by, group in asked.items():
            rows = coverage_at(ledger, [area], day, known=position, by=by)  # type: ignore[arg-type]
            return next((row.active for row in rows if getattr(row, by) == group), 0)
        active = coverage_at(ledger, [area], day, known=position)[0].active
        inside = tuple(each.code for each in regencies(area))
        assert active == self.oracle.answer(area, inside, day, position).active
        return active

    def ask(self) -> projections.ledger.Ledger:
        """Return the ledger as it is now, opened once for each head of the log."""
        if self._opened is None or self._opened.position != self.head():
            self.close()
            self._opened = self._open.enter_context(self.store.ledger())
        return self._opened

    def close(self) -> None:
        """Release the ledger that was asked."""
        self._open.close()

    def head(self) -> int:
        """Return the last position of the log."""
        with closing(self.store.log()) as log:
            return log.head()

    def play(self, transaction: Transaction) -> None:
        """Record a transaction; the registry and the oracle must both do what the document says."""
        clock = datetime.combine(transaction.recorded_on, datetime.min.time(), UTC)
        self.store.clock.now = max(clock, self.store.clock.now)
        verdict = self.oracle.judge(transaction.commands)
        shown = "\n".join(line for each in transaction.commands for line in written(each))
        head = self.head()
        recorded = attempted(self.store, transaction.commands)
        if recorded.decision == "refused":
            assert transaction.position is None, f"{shown}\nwas refused: {recorded.problems}"
            codes = {each.code for each in recorded.problems if each.severity == "error"}
            assert codes == transaction.errors, f"{shown}\n{recorded.problems}"
            assert verdict.refused, f"{shown}\nwas refused, but not by the oracle"
            assert self.head() == head, "a refused transaction left something in the log"
            self.recorded.append(recorded)
            return
        assert transaction.position is not None, f"{shown}\nwas recorded"
        assert not verdict.refused, f"{shown}\nwas recorded; the oracle says {verdict.refused}"
        warned = {each.code for each in recorded.problems}
        assert warned == transaction.warnings, f"{shown}\n{recorded.problems}"
        if recorded.decision == "recorded":
            assert recorded.first_position == transaction.position
            assert recorded.last_position is not None
            self.oracle.acknowledge(verdict, recorded.last_position)
        else:
            assert transaction.position == head, "nothing new: the position is the head's"
        self.recorded.append(recorded)


def attempted(store: Store, commands: Sequence[Command]) -> Recorded:
    """Return what a transaction came to, refused ones too."""
    try:
        return store.registry.record(*commands)
    except RuleBrokenError as error:
        return Recorded("refused", problems=error.problems)


def ledger_of(document: str, store: Store) -> Ledger:
    """Record the document in an empty store."""
    ledger = Ledger(store, Oracle())
    for transaction in parsed(document):
        ledger.play(transaction)
    return ledger


def ledger_document(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """Record the docstring of the test in a store in memory."""
    store = Store(None)
    ledger = ledger_of(request.function.__doc__, store)
    yield ledger
    ledger.close()
    store.close()


def parsed(document: str) -> list[Transaction]:
    """Return the transactions of a document; prose around them is left alone."""
    transactions: list[Transaction] = []
    for text in document.splitlines():
        mark, *words = shlex.split(text) or [""]
        if not mark.startswith(MARKS):
            continue
        if mark != "+":
            position = int(mark[1:]) if mark.startswith("#") else None
            day = date.fromisoformat(words.pop(0))
            transactions.append(Transaction(position, day, [], set(), set()))
        transaction = transactions[-1]
        while len(words) > 1 and words[-2] in {"!", "?"}:
            code, said = words.pop(), words.pop()
            (transaction.errors if said == "!" else transaction.warnings).add(code)
        _add(transaction.commands, _command(words))
    return transactions


def _add(commands: list[Command], command: Command) -> None:
    """Add a command, or its row to the batch that it belongs to."""
    for place, other in enumerate(commands):
        if (
            isinstance(other, RecordBatch)
            and isinstance(command, RecordBatch)
            and replace(other, lines=()) == replace(command, lines=())
        ):
            commands[place] = replace(other, lines=other.lines + command.lines)
            return
    commands.append(command)


def _command(words: list[str]) -> Command:
    verb, area, *rest = words
    if verb == POTENTIAL:
        workers, _, day = rest
        return RevisePotential(area, date.fromisoformat(day), int(workers), "workers", "a source")
    has_line = verb != Action.WITHDRAW
    category = rest.pop(0) if has_line else None
    workers = rest.pop(0) if has_line else "0"
    said: dict[str, Any] = {}
    while rest:
        word = rest.pop(0)
        if word in KEYWORDS:
            name = KEYWORDS[word]
            said[name] = READ.get(name, str)(rest.pop(0))
        else:
            said["reference"] = word
    line = {name: said.pop(name) for name in OF_THE_LINE if name in said}
    entered = said.pop("category", None)
    category = None if category == "any" else category
    if verb == Action.RECLASSIFY or entered is not None:
        line |= {"from_category": category, "category": entered or category}
    else:
        line["category"] = category
    lines = (BatchLine(workers=int(workers), **line),) if has_line else ()
    return RecordBatch(action=Action(verb), area=area, lines=lines, **said)


def written(command: Command) -> Iterator[str]:
    """Return a command as rows of a document, to paste a counterexample into a test."""
    if isinstance(command, RevisePotential):
        yield f"{POTENTIAL} {command.area} {command.workers} from {command.valid_from}"
        return
    if not isinstance(command, RecordBatch):
        yield f"({command})"
        return
    words = {v: k for k, v in KEYWORDS.items()}
    for line in command.lines or (None,):
        row = [str(command.action), command.area]
        if line is not None:
            moving = line.from_category is not None
            row += [(line.from_category if moving else line.category) or "any", str(line.workers)]
            row += ["to", line.category] if moving and line.category else []
        for name in ("effective_on", "funding", "reason", "part", "because", "note"):
            if getattr(command, name):
                row += [words[name], shlex.quote(str(getattr(command, name)))]
        for name in OF_THE_LINE:
            if line is not None and getattr(line, name):
                row += [words[name], shlex.quote(str(getattr(line, name)))]
        yield " ".join([*row, shlex.quote(command.reference)])
