"""Hypothesis strategies: random histories of a small world, valid and invalid commands mixed.

Small on purpose: four regencies, three categories, eight references and a handful of days, so that
commands meet. What is drawn next depends on what the oracle says stands, or hardly anything would
be admitted; numbers and days fall on the edge of what is allowed, on either side.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from registry.commands import (
    BatchLine,
    Command,
    PublishFigure,
    RecordBatch,
    RevisePotential,
    SetTarget,
)
from registry.terms import Action, Funding, Segment
from tests.heads import LEAVING, Cohort, Key, Pool, Stated, World, simulate
from tests.ledger_from_doc import written
from tests.oracle import NEW_HEADS, Book, Oracle, Verdict, key_of, standing

REGENCIES: Final = ("16.06", "16.71", "11.01", "11.71")
PROVINCES: Final = ("16", "11")
CATEGORIES: Final = ("pekerja-rentan", "marbot", "guru")
REFERENCES: Final = tuple(f"SK {number}/B" for number in range(1, 9))
OF_LEAVERS: Final = tuple(f"SK {number}/K" for number in range(1, 7))
DAY: Final = timedelta(days=1)
DAYS: Final = (
    date(2024, 1, 1),
    date(2024, 2, 29),
    date(2024, 12, 31),
    date(2025, 1, 1),
    date(2025, 6, 30),
    date(2025, 7, 1),
    date(2026, 1, 1),
    date(2026, 12, 31),
)

days = st.sampled_from(DAYS)
questions = st.one_of(
    days, st.dates(DAYS[0] - DAY, DAYS[-1] + DAY), days.map(lambda day: day - DAY)
)
"""Days on which to ask: the turning points, the days before them, and any other."""

_rarely = st.integers(0, 9).map(lambda number: number == 9)
_sometimes = st.integers(0, 2).map(lambda number: number > 0)
_spelling = st.sampled_from(
    (
        str,
        str,
        str.lower,
        lambda text: text.replace(" ", "  "),
        lambda text: text.replace("S", "Ｓ"),
    )
)


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction that is tried, and what the oracle makes of it.

    `takes_back` is the place of a potential, target or figure among those said, and `adds` a
    category, where that is what it does. `in_file`: imported, with a fact of its own.
    """

    commands: tuple[Command, ...]
    verdict: Verdict
    takes_back: int | None = None
    adds: str | None = None
    in_file: bool = False

    def __repr__(self) -> str:
        lines = list(itertools.chain.from_iterable(map(written, self.commands)))
        if self.takes_back is not None:
            lines = [f"(takes back the {self.takes_back + 1}. of what was said)"]
        if self.adds is not None:
            lines = [f"(adds the category {self.adds})"]
        if self.in_file:
            lines = ["(a file)", *lines]
        expected = self.verdict.refused or f"{self.verdict.new} new, {self.verdict.already} known"
        return "\n    + ".join(["", *lines]) + f"\n        oracle: {expected}"


@dataclass(slots=True)
class History:
    """A whole history: what was tried, and the oracle that has seen all of it."""

    steps: list[Step]
    oracle: Oracle

    def __repr__(self) -> str:
        return "History:" + "".join(map(repr, self.steps))


@st.composite
def histories(draw: DrawFn, *, steps_max: int = 5, targets: bool = True) -> History:
    """Return a history and the oracle that has acknowledged what it admits.

    Without `targets` none is set, for a test that sets its own.
    """
    oracle = Oracle()
    steps = []
    for number in range(draw(st.integers(2, steps_max))):
        step = draw(transactions(oracle, commands_max=5 if number else 8, targets=targets))
        steps.append(step)
        follow(oracle, step)
    return History(steps, oracle)


def follow(oracle: Oracle, step: Step) -> None:
    """Let the oracle acknowledge a step, at the positions that the registry must give it."""
    position = oracle.now.last_position
    if step.takes_back is not None:
        oracle.acknowledge_taken_back(oracle.said[step.takes_back], position + 1)
    elif step.adds is not None:
        oracle.acknowledge_besides(position + 1)
    elif not step.verdict.refused and (step.verdict.new or step.in_file):
        oracle.acknowledge(step.verdict, position + step.in_file + step.verdict.new)


@st.composite
def transactions(
    draw: DrawFn, oracle: Oracle, *, commands_max: int = 5, targets: bool = True
) -> Step:
    """Return the next transaction: some commands, in any order, and its verdict.

    What the oracle would not admit is mostly left out while it is put together, and now and then left
    in as its last word, so that about a third of all transactions are to be refused.
    """
    book = oracle.now.book
    what = draw(st.sampled_from(("any", "any", "any", "any", *_SCENES, "renewal", "besides")))
    if what == "besides":
        return draw(_besides(oracle))
    commands = draw(_SCENES[what](book)) if what in _SCENES else []
    if commands:
        return _tried(draw, commands, oracle)
    if not book and draw(_sometimes):
        commands = draw(_renewed_to_the_last_head())
        book = oracle.judge(commands).book
    for _ in range(draw(st.integers(1, commands_max))):
        command = draw(_commands(book, targets=targets))
        if isinstance(command, RecordBatch) and _key(command) in map(_key, commands):
            continue  # one document says one thing once
        commands.append(command)
        verdict = oracle.judge(commands)
        if not verdict.refused:
            book = verdict.book
            continue
        if draw(st.integers(0, 2)) == 2:
            break
        commands.pop()
    if not commands:
        commands = [draw(_commands(oracle.now.book, targets=targets))]
    return _tried(draw, commands, oracle)


@st.composite
def _besides(draw: DrawFn, oracle: Oracle) -> Step:
    """Something said of an area is taken back, or a category is added: no batch is touched."""
    stands = [place for place, each in enumerate(oracle.said) if each.taken_back is None]
    if draw(_sometimes) and stands:
        return Step((), Verdict(()), takes_back=draw(st.sampled_from(stands)))
    return Step((), Verdict(()), adds=f"added-{oracle.now.transaction}")


def _tried(draw: DrawFn, commands: list[Command], oracle: Oracle) -> Step:
    """Put commands in any order, as they are typed or, where intake would admit them, in a file."""
    shuffled = tuple(draw(st.permutations(commands)))
    in_file = all(map(_is_admitted, commands)) and draw(st.integers(0, 3)) == 3
    return Step(shuffled, oracle.judge(shuffled), in_file=in_file)


def _is_admitted(command: Command) -> bool:
    """Whether a file of batches could say this: intake refuses some of it cell by cell."""
    if not isinstance(command, RecordBatch):
        return False
    return command.action not in NEW_HEADS or all(
        line.workers > 0
        and line.category is not None
        and line.of_batch is None
        and command.effective_on is not None
        and (line.covered_until is None or line.covered_until >= command.effective_on)
        for line in command.lines
    )


@st.composite
def _commands(draw: DrawFn, book: Book, *, targets: bool) -> Command:
    """Return one command that suits what stands, or nearly."""
    stands = standing(book)
    world = simulate(stands)
    cohorts = sorted((each for each in world.cohorts), key=repr)
    ending = [each for each in cohorts if each.until is not None]
    kinds: list[Callable[[], Command]] = [lambda: draw(_enrolments(cohorts))] * 2
    if cohorts:
        kinds += [lambda: draw(_named_draws(world, cohorts))] * 5
        kinds += [lambda: draw(_pool_draws(world))] * 2
        kinds += [lambda: draw(_said_again(sorted(book), stands, book))]
        kinds += [lambda: draw(_corrections(stands))] * 5
        kinds += [lambda: draw(_withdrawals(book))] * 3
    withdrawn = sorted(book.keys() - stands.keys())
    if withdrawn:
        kinds += [lambda: draw(_said_again(withdrawn, stands, book))] * 3
    if ending:
        kinds += [lambda: draw(_renewals(world, ending))] * 4
    kinds += [lambda: draw(potentials)] * 4 + [lambda: draw(_figures)]
    kinds += [lambda: draw(_targets)] if targets else []
    return draw(st.sampled_from(kinds))()


# Most are of one area and day: what is said of it again, and then as before, is the harder case.
potentials = st.builds(
    RevisePotential,
    area=st.sampled_from((*REGENCIES[:1] * 6, *REGENCIES[:2], *REGENCIES, *PROVINCES)),
    valid_from=st.sampled_from((*DAYS[:1] * 6, *DAYS)),
    workers=st.sampled_from((7, 20, 1_000)),
    definition=st.just("workers"),
    source=st.just("a source"),
)
_targets = st.builds(
    SetTarget,
    area=st.sampled_from((*REGENCIES, *PROVINCES)),
    due_on=st.sampled_from(DAYS[-2:]),
    percent=st.sampled_from((Decimal("52.15"), Decimal(60))),
    basis=st.just("a plan"),
    source=st.just("a source"),
)
_figures = st.builds(
    PublishFigure,
    area=st.sampled_from((*REGENCIES, *PROVINCES)),
    as_of=st.sampled_from(("2025", "2025-07", None)),
    publisher=st.just("a paper"),
    source=st.just("a source"),
    active=st.sampled_from((7, 20)),
)


@st.composite
def _identities(draw: DrawFn) -> dict[str, Any]:
    reference = draw(_spelling)(draw(st.sampled_from(REFERENCES)))
    return {"reference": reference, "part": draw(st.sampled_from(("", "", "", "b", "B")))}


@st.composite
def _enrolments(draw: DrawFn, cohorts: list[Cohort]) -> RecordBatch:
    """New heads, half of them where some are already; now and then one row stands there twice."""
    actions = (Action.ENROL, Action.ENROL, Action.BALANCE_IN, Action.OPENING)
    first_day = draw(days)
    area, category = draw(st.sampled_from(REGENCIES)), draw(st.sampled_from(CATEGORIES))
    if draw(st.booleans()) and cohorts:
        area, _, category, *_ = draw(st.sampled_from(cohorts))
    lines = tuple(
        BatchLine(
            draw(st.sampled_from((category, *CATEGORIES))),
            draw(st.integers(0 if draw(_rarely) else 1, 6)),
            covered_until=draw(st.one_of(st.none(), _ends(first_day))),
            segment=draw(st.sampled_from((None, None, Segment.BPU, Segment.PU))),
        )
        for _ in range(draw(st.integers(1, 2)))
    )
    return RecordBatch(
        action=draw(st.sampled_from(actions)),
        area=area,
        lines=lines if draw(_sometimes) else lines * 2,
        effective_on=first_day,
        funding=draw(st.sampled_from((None, Funding.APBN, Funding.CSR))),
        note=draw(st.sampled_from((None, "a note"))),
        **draw(_identities()),
    )


@st.composite
def _beside_an_opening(draw: DrawFn, book: Book) -> list[Command]:
    """A first opening; another; or what is brought in on its day or on one of the days around it."""
    openings = sorted(
        (key[0], each.first_day)
        for key, each in standing(book).items()
        if each.action is Action.OPENING
    )
    command = replace(draw(_enrolments([])), effective_on=DAYS[0])
    if openings:
        area, day = draw(st.sampled_from(openings))
        days_after = draw(st.sampled_from((0, 0, 1, -1)))
        command = replace(command, area=area, effective_on=day + days_after * DAY)
    is_one = draw(st.booleans()) or not openings
    return [replace(command, action=Action.OPENING) if is_one else command]


@st.composite
def _named_draws(draw: DrawFn, world: World, cohorts: list[Cohort]) -> RecordBatch:
    """A leave, a move or a balance out of a cohort that stands; or a transfer to another area."""
    cohort = draw(st.sampled_from(cohorts))
    begins = world.cohorts[cohort][0].first_day
    last = cohort.until or DAYS[-1]
    edges = [
        begins,
        begins + DAY,
        last,
        last - DAY,
        *(day for day in DAYS if begins <= day <= last),
    ]
    if draw(st.integers(0, 4)) == 4:
        edges = [begins - DAY, last + DAY]
    actions = (Action.DEACTIVATE, Action.BALANCE_OUT, Action.RECLASSIFY)
    action = draw(st.sampled_from(actions))
    line = BatchLine(
        category=draw(st.sampled_from((cohort.category, cohort.category, None))),
        workers=draw(_how_many(len(world.left_of(cohort)))),
        of_batch=draw(_spelling)(cohort.batch[1]),
        of_part=cohort.batch[2],
        covered_until=draw(st.sampled_from((cohort.until, cohort.until, cohort.until, None))),
        segment=draw(st.sampled_from((cohort.segment, cohort.segment, cohort.segment, None))),
    )
    command = RecordBatch(
        action=action,
        area=cohort.area,
        lines=(line,),
        effective_on=draw(st.sampled_from(edges)),
        **draw(_identities()),
    )
    return _moved(draw, command) if action is Action.RECLASSIFY else command


@st.composite
def _pool_draws(draw: DrawFn, world: World) -> RecordBatch:
    """A leave, a move or a balance that names no batch."""
    pools = sorted(world.pools) or [Pool(REGENCIES[0], CATEGORIES[0])]
    pool = draw(st.sampled_from(pools))
    places = world.pools.get(pool, [])
    left = sum(1 for each in places if each.gone_on is None)
    arrivals = sorted({each.first_day for each in places} or {*DAYS})
    with_terms = [
        heads[0].first_day
        for cohort, heads in world.cohorts.items()
        if cohort.until is not None and (cohort.area, cohort.category) == pool
    ]
    edges = [*arrivals, *(day - DAY for day in arrivals[-2:]), *DAYS[-2:], *sorted(with_terms)]
    action = draw(st.sampled_from((Action.DEACTIVATE, Action.BALANCE_OUT, Action.RECLASSIFY)))
    command = RecordBatch(
        action=action,
        area=pool.area,
        lines=(BatchLine(pool.category, draw(_how_many(left))),),
        effective_on=draw(st.sampled_from(edges)),
        **draw(_identities()),
    )
    return _moved(draw, command) if action is Action.RECLASSIFY else command


def _moved(draw: DrawFn, command: RecordBatch) -> RecordBatch:
    """Turn a leave into a move: to a category of the same area, or of another one."""
    (line,) = command.lines
    others = tuple(each for each in CATEGORIES if each != line.category)
    if draw(st.booleans()):
        others = (*CATEGORIES, line.category or CATEGORIES[0])
        areas = tuple(each for each in REGENCIES if each != command.area)
        line = replace(line, from_area=command.area)
        command = replace(command, area=draw(st.sampled_from((*areas, *areas, command.area))))
    line = replace(line, from_category=line.category, category=draw(st.sampled_from(others)))
    return replace(command, lines=(line,))


@st.composite
def _renewals(draw: DrawFn, world: World, ending: list[Cohort]) -> RecordBatch:
    cohort = draw(st.sampled_from(ending))
    assert cohort.until is not None
    starts_on = cohort.until + DAY
    others = [each for each in ending if each.area == cohort.area]
    renewed = [cohort, *([draw(st.sampled_from(others))] if draw(_rarely) else [])]
    lines = [
        BatchLine(
            category=each.category,
            workers=draw(_how_many(sum(head.continued_by is None for head in world.left_of(each)))),
            of_batch=each.batch[1],
            of_part=each.batch[2],
            covered_until=draw(_ends(starts_on)),
            segment=each.segment,
        )
        for each in renewed
    ]
    return RecordBatch(
        action=Action.RENEW,
        area=cohort.area,
        lines=tuple(lines),
        effective_on=draw(st.sampled_from((starts_on, None))),
        funding=draw(st.sampled_from((None, None, Funding.APBDES))),
        **draw(_identities()),
    )


@st.composite
def _renewed_to_the_last_head(draw: DrawFn) -> list[Command]:
    """A book without any slack: all survivors renewed, those who had left named on both sides.

    Chance finds such a book too seldom, and most mistakes with renewals show only from there.
    """
    area, category = draw(st.sampled_from(REGENCIES)), draw(st.sampled_from(CATEGORIES))
    first_day, last_day = DAYS[0], draw(st.sampled_from(DAYS[2:4]))
    workers = draw(st.integers(2, 5))
    gone = draw(st.integers(1, workers - 1))

    def batch(action: Action, reference: str, day: date, line: BatchLine) -> RecordBatch:
        return RecordBatch(action, area, reference, (line,), effective_on=day)

    end = last_day + DAY
    renewed = BatchLine(category, workers, of_batch=REFERENCES[0], covered_until=DAYS[-1])
    return [
        batch(
            Action.ENROL,
            REFERENCES[0],
            first_day,
            BatchLine(category, workers, covered_until=last_day),
        ),
        batch(Action.RENEW, REFERENCES[1], end, renewed),
        *draw(
            st.sampled_from(
                (
                    [],
                    [
                        batch(
                            Action.DEACTIVATE,
                            REFERENCES[2],
                            last_day,
                            BatchLine(category, gone, of_batch=REFERENCES[0]),
                        ),
                        batch(
                            Action.DEACTIVATE,
                            REFERENCES[3],
                            end,
                            BatchLine(category, gone, of_batch=REFERENCES[1]),
                        ),
                    ],
                )
            )
        ),
    ]


def _renewed(book: Book) -> list[tuple[date, Cohort, Cohort]]:
    """Return the renewals that stand: their first day, whom they continue, and as whom."""
    return sorted(
        (
            (stated.first_day, move.continues, move.enters)
            for stated in standing(book).values()
            for move in stated.moves
            if move.continues is not None and move.enters is not None
        ),
        key=repr,
    )


@st.composite
def _around_a_renewal(draw: DrawFn, book: Book) -> list[Command]:
    """Who leaves on the turn of a term: before it ends, of those renewed on their first day, or both.

    Who is moved on that day has been renewed, unlike who is named as leaving then; and to take
    such a leave back gives heads to the renewal that it may not have.
    """
    renewed = _renewed(book)
    if not renewed:
        return []
    first_day, old, new = draw(st.sampled_from(renewed))
    named = [
        RecordBatch(Action.WITHDRAW, area, reference, (), part, because="mistaken")
        for (area, reference, part), stated in sorted(standing(book).items())
        if stated.action in LEAVING and any(move.leaves == new for move in stated.moves)
    ]
    if draw(st.booleans()) and named:
        return [draw(st.sampled_from(named))]
    world = simulate(standing(book))
    gone = draw(st.integers(1, max(1, min(len(world.left_of(each)) for each in (old, new)))))
    references = draw(_references(old.area, book))
    before = _leave(Action.DEACTIVATE, references[0], first_day - DAY, old, gone)
    moved = Action.RECLASSIFY
    action = draw(st.sampled_from((Action.DEACTIVATE, Action.BALANCE_OUT, moved, moved)))
    after = _leave(action, references[1], first_day, new, gone)
    if action is moved:
        after = _moved(draw, after)
    both = [before, after]
    return draw(st.sampled_from((both, both, both, [before], [after])))


@st.composite
def _among_terms(draw: DrawFn, book: Book) -> list[Command]:
    """Who has no end, among others who have; and who leaves them, maybe before they have come."""
    ending = [each for each in simulate(standing(book)).cohorts if each.until is not None]
    if not ending:
        return []
    cohort = draw(st.sampled_from(sorted(ending, key=repr)))
    assert cohort.until is not None
    begins = standing(book)[cohort.batch].first_day
    inside = sorted({begins, *(day for day in DAYS if begins < day < cohort.until), cohort.until})
    days = [draw(st.sampled_from(inside)), draw(st.sampled_from(inside))]
    if draw(_sometimes):
        days.sort(reverse=True)
    actions = (Action.ENROL, Action.DEACTIVATE)
    line = BatchLine(cohort.category, draw(st.integers(1, 2)))
    return [
        RecordBatch(action, cohort.area, reference, (line,), effective_on=day)
        for action, day, reference in zip(
            actions, days, draw(_references(cohort.area, book)), strict=True
        )
    ]


@st.composite
def _to_the_last_head(draw: DrawFn, book: Book) -> list[Command]:
    """All who are left of a cohort leave it, or one more than that."""
    world = simulate(standing(book))
    cohorts = sorted(world.cohorts, key=repr)
    if not cohorts:
        return []
    cohort = draw(st.sampled_from(cohorts))
    first_day = world.cohorts[cohort][0].first_day
    day = draw(st.sampled_from((first_day, cohort.until or DAYS[-1])))
    workers = len(world.left_of(cohort)) + draw(st.integers(0, 1))
    references = draw(_references(cohort.area, book))
    return [_leave(Action.DEACTIVATE, references[0], day, cohort, workers)]


@st.composite
def _references(draw: DrawFn, area: str, book: Book) -> list[str]:
    """References for two batches of an area, new ones as long as there are some."""
    free = [each for each in OF_LEAVERS if key_of(area, each) not in book]
    return [*draw(st.permutations(free)), *OF_LEAVERS][:2]


_SCENES: Final[dict[str, Callable[[Book], st.SearchStrategy[list[Command]]]]] = {
    "terms": _among_terms,
    "renewal": _around_a_renewal,
    "opening": _beside_an_opening,
    "all": _to_the_last_head,
}
"""Transactions of which chance finds too few; empty where the book has nothing of the kind."""


def _leave(action: Action, reference: str, day: date, cohort: Cohort, workers: int) -> RecordBatch:
    line = BatchLine(
        cohort.category,
        workers,
        of_batch=cohort.batch[1],
        of_part=cohort.batch[2],
        covered_until=cohort.until,
        segment=cohort.segment,
    )
    return RecordBatch(action, cohort.area, reference, (line,), effective_on=day)


@st.composite
def _said_again(
    draw: DrawFn, keys: list[Key], stands: dict[Key, Stated], book: Book
) -> RecordBatch:
    """A batch as it stands, or as it stood before: recorded already, or again."""
    key = draw(st.sampled_from(keys))
    versions = [*book[key].former, *([stands[key]] if key in stands else [])]
    return command_of(key, draw(st.sampled_from(versions)))


@st.composite
def _withdrawals(draw: DrawFn, book: Book) -> RecordBatch:
    area, reference, part = draw(st.sampled_from(sorted(book)))
    reference = draw(_spelling)(reference)
    return RecordBatch(Action.WITHDRAW, area, reference, (), part, because="mistaken")


@st.composite
def _corrections(draw: DrawFn, stands: dict[Key, Stated]) -> RecordBatch:
    """What stands, said a little differently."""
    key = draw(st.sampled_from(sorted(stands)))
    command = command_of(key, stands[key])
    action = draw(st.sampled_from((command.action, Action.CORRECT)))
    command = replace(command, because="misread", action=action)
    place = draw(st.integers(0, len(command.lines) - 1))
    line = command.lines[place]
    change = draw(st.sampled_from(("workers", "workers", "day", "day", "term", "note", "row")))
    if change == "day" and command.effective_on is not None:
        return replace(
            command, effective_on=draw(st.one_of(days, st.just(command.effective_on + DAY)))
        )
    if change == "term":
        line = replace(line, covered_until=draw(st.one_of(st.none(), days)))
    elif change == "note":
        return replace(command, note="another note")
    elif change == "row":
        return replace(command, lines=(*command.lines, replace(line, workers=1)))
    else:
        line = replace(line, workers=draw(_how_many(line.workers)))
    lines = (*command.lines[:place], line, *command.lines[place + 1 :])
    return replace(command, lines=lines)


def command_of(key: Key, stated: Stated) -> RecordBatch:
    """Return the command that says what stands."""
    lines = []
    funding = None
    for workers, left, entered, continued in stated.moves:
        line = BatchLine(None, workers)
        whom = left or continued
        if whom is not None:
            line = replace(line, category=whom.category)
        if isinstance(whom, Cohort):
            line = replace(line, of_batch=whom.batch[1], of_part=whom.batch[2])
            line = replace(line, covered_until=whom.until, segment=whom.segment)
        if entered is not None and left is not None:
            line = replace(line, from_area=left.area, from_category=left.category)
        if entered is not None:
            line = replace(line, category=entered.category)
        if entered is not None and left is None:
            line = replace(line, covered_until=entered.until, segment=entered.segment)
            funding = entered.funding
        lines.append(line)
    return RecordBatch(
        action=stated.action,
        area=key[0],
        reference=key[1],
        part=key[2],
        lines=tuple(lines),
        effective_on=stated.first_day,
        funding=funding,
        note=next((str(each) for each in stated.says[-1:] if each), None),
    )


def _key(command: Command) -> Key | None:
    if not isinstance(command, RecordBatch):
        return None
    return key_of(command.area, command.reference, command.part)


def _ends(first_day: date) -> st.SearchStrategy[date]:
    """Last covered days, mostly not before the first."""
    later = [day for day in DAYS if day >= first_day]
    soon = [first_day, first_day + DAY, first_day + 29 * DAY]
    return st.sampled_from([*later, *soon, *later, *soon, *soon, first_day - DAY])


def _how_many(left: int) -> st.SearchStrategy[int]:
    """Numbers on the edge of how many are left; seldom one too many."""
    fitting = [each for each in (1, left // 2, left - 1, left) if 1 <= each <= left]
    return st.sampled_from([*fitting, *fitting, left + 1])
