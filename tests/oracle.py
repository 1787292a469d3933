"""The oracle: the registry as a patient clerk would keep it, judging commands by the five rules.

It remembers the commands that were acknowledged (never events, entries or SQL), reads each against
the batches as they stood, and asks `tests.heads` what becomes of every head. Written from the
words of docs/glossary.md, not from the ledger; it shares only the words of `registry.terms` and `registry.commands`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from registry.commands import (
    BatchLine,
    Command,
    PublishFigure,
    RecordBatch,
    RevisePotential,
    SetTarget,
)
from registry.terms import Action
from tests.heads import Cohort, Key, Move, Pool, Stated, World, areas_of, simulate

NEW_HEADS = frozenset({Action.OPENING, Action.ENROL, Action.BALANCE_IN})


class RefusedError(Exception):
    """The oracle would not admit this; the message says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """A batch: how it stands (None: withdrawn) and how it stood before."""

    stands: Stated | None
    former: tuple[Stated, ...] = ()


Book = dict[Key, Record]
OfArea = RevisePotential | SetTarget | PublishFigure


@dataclass(slots=True)
class Said:
    """What was said of an area, when (transaction, place in it), and taken back when."""

    said: OfArea
    order: tuple[int, int]
    taken_back: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the oracle makes of a transaction: why it is refused, or what it leads to."""

    refused: tuple[str, ...]
    book: Book = field(default_factory=dict)
    said: tuple[OfArea, ...] = ()
    new: int = 0
    already: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """Heads covered in one area on one date, and over which potential."""

    active: int | None
    potential: int | None
    coverage: Fraction | None
    counted: int


@dataclass(slots=True)
class Known:
    """All that was acknowledged up to the end of one transaction."""

    transaction: int
    last_position: int
    book: Book
    first_days: dict[str, date]
    _world: World | None = None

    @property
    def world(self) -> World:
        """The heads, simulated once."""
        if self._world is None:
            self._world = simulate(standing(self.book))
        return self._world


def key_of(area: str, reference: str, part: str = "") -> Key:
    """Return a batch's identity, its spelling evened out."""
    return area, _even(reference), _even(part)


def standing(book: Book) -> dict[Key, Stated]:
    """Return the batches that stand."""
    return {key: record.stands for key, record in book.items() if record.stands is not None}


class Oracle:
    """What was acknowledged, position by position."""

    def __init__(self) -> None:
        self.history = [Known(0, 0, {}, {})]
        self.said: list[Said] = []

    @property
    def now(self) -> Known:
        """What is known after the last acknowledged transaction."""
        return self.history[-1]

    def known(self, position: int) -> Known:
        """Return what was known at a position; inside a transaction that is what came before it."""
        return next(each for each in reversed(self.history) if each.last_position <= position)

    # --- judging --------------------------------------------------------------------------------

    def judge(self, commands: Iterable[Command]) -> Verdict:
        """Judge a transaction as a whole: in any order, all of it or nothing."""
        book = dict(self.now.book)
        waiting = [each for each in commands if isinstance(each, RecordBatch)]
        said = [each for each in commands if isinstance(each, OfArea)]
        new = already = 0
        refused: list[str] = []
        while waiting:
            ready = [each for each in waiting if not _names(each) & {_key(one) for one in waiting}]
            if not ready:
                return Verdict(("they name each other in a circle",))
            for command in ready:
                waiting.remove(command)
                try:
                    changed = _carried_out(command, book, self.history)
                except RefusedError as error:
                    refused.append(f"{command.reference}: {error}")
                else:
                    new, already = new + changed, already + (not changed)
        if refused:
            return Verdict(tuple(refused))
        broken = simulate(standing(book)).broken
        if broken:
            return Verdict(tuple(broken))
        fresh = self._fresh(said)
        return Verdict((), book, fresh, new + len(fresh), already + len(said) - len(fresh))

    def _fresh(self, said: list[OfArea]) -> tuple[OfArea, ...]:
        """Return what says something: not what stands, or is in force from that day, anyway."""
        stands = [each.said for each in self._known_said(self.now.transaction)]
        fresh: list[OfArea] = []
        for each in said:
            rivals = [o for o in stands if _replaces(each, o)][-1:] or stands
            if _bare(each) not in map(_bare, rivals):
                stands.append(each)
                fresh.append(each)
        return tuple(fresh)

    def acknowledge(self, verdict: Verdict, last_position: int) -> None:
        """Remember an admitted transaction, which ended at a position."""
        before = self.now
        number = before.transaction + 1
        first_days = dict(before.first_days)
        for key, record in verdict.book.items():
            if record is not before.book.get(key) and record.stands is not None:
                for area in areas_of(record.stands):
                    first_days[area] = min(
                        record.stands.first_day, first_days.get(area, record.stands.first_day)
                    )
        self.history.append(Known(number, last_position, verdict.book, first_days))
        self.said += [Said(said, (number, place)) for place, said in enumerate(verdict.said)]

    def acknowledge_taken_back(self, said: Said, last_position: int) -> None:
        """Remember that a potential, target or figure was taken back, at a position."""
        said.taken_back = self.now.transaction + 1
        self.acknowledge_besides(last_position)

    def acknowledge_besides(self, last_position: int) -> None:
        """Remember a transaction that changes nothing for anybody, which ended at a position."""
        before = self.now
        self.history.append(
            Known(before.transaction + 1, last_position, before.book, before.first_days)
        )

    # --- answering ------------------------------------------------------------------------------

    def _known_said(self, transaction: int) -> list[Said]:
        return sorted(
            (
                each
                for each in self.said
                if each.order[0] <= transaction
                and not (each.taken_back is not None and each.taken_back <= transaction)
            ),
            key=lambda each: each.order,
        )

    def potential(self, area: str, on: date, known: Known) -> int | None:
        """Return the potential in force: the latest valid_from, among equals the last one said."""
        candidates = [
            (each.said.valid_from, each.order, each.said.workers)
            for each in self._known_said(known.transaction)
            if isinstance(each.said, RevisePotential)
            and each.said.area == area
            and each.said.valid_from <= on
        ]
        return max(candidates)[-1] if candidates else None

    def answer(self, area: str, regencies: tuple[str, ...], on: date, position: int) -> Answer:
        """Return what an area over some regencies comes to; a regency is over itself."""
        known = self.known(position)
        heads = Counter(place for place, _ in known.world.covered(on))
        having = [each for each in regencies if known.first_days.get(each, date.max) <= on]
        over = {each: self.potential(each, on, known) for each in regencies}
        counted = [each for each in having if over[each] is not None]
        denominator = sum(over[each] or 0 for each in counted)
        if regencies == (area,):
            denominator = over[area] or 0
        return Answer(
            active=sum(heads[each] for each in having) if having else None,
            potential=denominator or None,
            coverage=Fraction(100 * sum(heads[each] for each in counted), denominator)
            if counted
            else None,
            counted=len(counted),
        )

    def by_category(self, regencies: tuple[str, ...], on: date, position: int) -> Counter[str]:
        """Return the heads covered in some regencies, by category."""
        covered = self.known(position).world.covered(on)
        return Counter(category for area, category in covered if area in regencies)

    def attributed(
        self, regencies: tuple[str, ...], on: date, position: int, *, by: str
    ) -> Counter[str] | None:
        """Return the heads by segment or funding; None where some left a pool, whose are not known."""
        world = self.known(position).world
        if any(pool.area in regencies for pool in world.drawn_from):
            return None
        return Counter(
            str(getattr(cohort, by) or "not-attributed")
            for cohort in world.covered_by_cohort(on)
            if cohort.area in regencies
        )


def _carried_out(command: RecordBatch, book: Book, history: Sequence[Known]) -> bool:
    """Write one command into the book; False if it says what is recorded already."""
    key = _key(command)
    record = book.get(key)
    stands = record.stands if record else None
    former = record.former if record else ()
    if key in _names(command):
        raise RefusedError("it names itself")
    if command.action is Action.WITHDRAW:
        if stands is None:
            raise RefusedError("nothing to withdraw")
        book[key] = Record(None, (*former, stands))
        return True
    if command.because is not None:
        if stands is None:
            raise RefusedError("nothing to correct")
        book[key] = Record(_corrected(command, stands, book), (*former, stands))
        return True
    if stands is not None and _said_then(command, key, history):
        return False
    stated = _stated(command, book)
    if stands is None:
        book[key] = Record(stated, former)
        return True
    if _content(stated) in {_content(stands), *map(_content, former)}:
        return False
    raise RefusedError("recorded with other content")


def _said_then(command: RecordBatch, key: Key, history: Sequence[Known]) -> bool:
    """Whether some transaction made the batch say just what the command says, read as of then."""
    for before, known in pairwise(history):
        then = known.book.get(key)
        if then is None or then.stands is None or then is before.book.get(key):
            continue
        with suppress(RefusedError):
            if _content(_stated(command, known.book)) == _content(then.stands):
                return True
    return False


def _corrected(command: RecordBatch, stands: Stated, book: Book) -> Stated:
    """Read a command that replaces what stands: something else, by the same action."""
    if command.action is Action.CORRECT:
        command = replace(command, action=stands.action)
    stated = _stated(command, book)
    if stated.action is not stands.action:
        raise RefusedError("a correction keeps the action")
    if _content(stated) == _content(stands):
        raise RefusedError("nothing to correct")
    return stated


def _stated(command: RecordBatch, book: Book) -> Stated:
    """Read a command against the batches as they stand: whom each of its rows means."""
    if not command.lines or any(line.workers < 1 for line in command.lines):
        raise RefusedError("rule 5: at least one head")
    if command.action is Action.RENEW:
        first_day, moves = _renewal(command, book)
    else:
        if command.effective_on is None:
            raise RefusedError("no day")
        first_day = command.effective_on
        moves = tuple(_move(command, line, first_day, book) for line in command.lines)
    says = (
        frozenset(command.programmes),
        command.reason,
        command.decided_on,
        command.document,
        command.proposed,
        frozenset(command.rejected),
        command.note,
    )
    return Stated(command.action, first_day, moves, says)


def _move(command: RecordBatch, line: BatchLine, first_day: date, book: Book) -> Move:
    if command.action in NEW_HEADS:
        if line.covered_until is not None and line.covered_until < first_day:
            raise RefusedError("ends before it begins")
        assert line.category is not None
        entered = Cohort(
            command.area,
            _key(command),
            line.category,
            line.segment,
            command.funding,
            line.covered_until,
        )
        return Move(line.workers, None, entered, None)
    moving = command.action is Action.RECLASSIFY
    area = (line.from_area if moving else None) or command.area
    category = (line.from_category if moving else None) or line.category
    left = _whom(area, category, line, first_day, book)
    if not moving:
        return Move(line.workers, left, None, None)
    into = line.category or left.category
    if (command.area, into) == (left.area, left.category):
        raise RefusedError("moved to where they are")
    entered = (
        Cohort(command.area, _key(command), into, None, None, None)
        if isinstance(left, Pool)
        else left._replace(area=command.area, batch=_key(command), category=into)
    )
    return Move(line.workers, left, entered, None)


def _whom(
    area: str, category: str | None, line: BatchLine, first_day: date, book: Book
) -> Cohort | Pool:
    if line.of_batch is None:
        if category is None or line.covered_until is not None:
            raise RefusedError("it does not say whom it takes")
        return Pool(area, category)
    cohort, begins = _named(area, category, line, line.covered_until, book)
    if first_day < begins or (cohort.until is not None and first_day > cohort.until):
        raise RefusedError("rule 2: outside the cohort's life")
    return cohort


def _renewal(command: RecordBatch, book: Book) -> tuple[date, tuple[Move, ...]]:
    moves: dict[Cohort, Cohort] = {}
    found: list[Move] = []
    days: set[date] = set()
    until = command.effective_on - timedelta(days=1) if command.effective_on else None
    for line in command.lines:
        old, _ = _named(command.area, line.category, line, until, book, renewing=True)
        if old.until is None:
            raise RefusedError("what has no end is not renewed")
        days.add(old.until + timedelta(days=1))
        if line.covered_until is None or line.covered_until <= old.until:
            raise RefusedError("a renewal ends after it begins")
        new = old._replace(
            batch=_key(command),
            funding=command.funding or old.funding,
            until=line.covered_until,
        )
        if moves.setdefault(new, old) != old:
            raise RefusedError("two cohorts renewed into one")
        found.append(Move(line.workers, None, new, old))
    if len(days) != 1:
        raise RefusedError("terms that end on several days")
    return days.pop(), tuple(found)


def _named(
    area: str,
    category: str | None,
    line: BatchLine,
    until: date | None,
    book: Book,
    *,
    renewing: bool = False,
) -> tuple[Cohort, date]:
    assert line.of_batch is not None
    record = book.get(key_of(area, line.of_batch, line.of_part))
    if record is None or record.stands is None:
        raise RefusedError(f"{line.of_batch} is not there")
    fitting = {
        move.enters
        for move in record.stands.moves
        if move.enters is not None
        and move.enters.area == area
        and category in {None, move.enters.category}
        and line.segment in {None, move.enters.segment}
        and until in {None, move.enters.until}
    }
    if renewing and any(each.until is not None for each in fitting):
        fitting = {each for each in fitting if each.until is not None}
    if len(fitting) != 1:
        raise RefusedError(f"{line.of_batch} has {len(fitting)} cohorts that fit")
    return fitting.pop(), record.stands.first_day


def _content(stated: Stated) -> tuple[object, ...]:
    """Return what makes two statements equal, whatever the order and pairing of their rows."""
    legs: Counter[object] = Counter()
    for move in stated.moves:
        if move.leaves is not None:
            legs["leaves", move.workers, move.leaves] += 1
        if move.enters is not None:
            legs["enters", move.workers, move.enters, move.continues] += 1
    return stated.action, stated.first_day, frozenset(legs.items()), stated.says


def _replaces(said: OfArea, other: OfArea) -> bool:
    """Whether both are potentials of an area from the same day, of which the later one counts."""
    if not (isinstance(said, RevisePotential) and isinstance(other, RevisePotential)):
        return False
    return (said.area, said.valid_from) == (other.area, other.valid_from)


def _bare(said: OfArea) -> OfArea:
    return replace(said, row=None, sheet=None)


def _key(command: RecordBatch) -> Key:
    return key_of(command.area, command.reference, command.part)


def _names(command: RecordBatch) -> set[Key]:
    return {
        key_of(line.from_area or command.area, line.of_batch, line.of_part)
        for line in command.lines
        if line.of_batch is not None
    }


def _even(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
