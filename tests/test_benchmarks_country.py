"""The benchmarks' country: always the same, of the promised mix, and valid under the rules."""

from __future__ import annotations

import itertools
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from benchmarks.country import (
    CATEGORIES,
    LAST_DAY,
    OPENED_ON,
    commands,
    digest,
    enrolments,
    history,
    importable,
    regencies_of,
)
from benchmarks.stores import as_csv, empty_store, fill, filled_store, up_to
from benchmarks.tally import changed_references, heads_on, lines_of, potentials_on
from benchmarks.told_again import in_other_words, told_again
from projections.ledger import Ledger
from registry.commands import Command, RecordBatch, RevisePotential
from registry.errors import RuleBrokenError
from registry.intake.admission import AdmissionOptions, admit
from registry.intake.spool import spool_input
from registry.reference.categories import Categories
from registry.terms import Action

ON = date(2024, 6, 30)


@pytest.mark.parametrize(
    ("batches", "sha256"),
    [
        (1_000, "0c6f857f44e87e4b671fbdcbf52d8e033bc9937857cb7a6c2b33c818a3460dcd"),
        (10_000, "01df9b9fad742cf64e643837b375bc35a11a0f7a47b355448c25f2e936986b22"),
    ],
)
def test_the_country_is_the_same_everywhere(batches: int, sha256: str) -> None:
    """Figures of two machines, or of two years, are of the same data."""
    assert digest(history(batches)) == sha256


def test_another_seed_is_another_country() -> None:
    """The digest sees the seed; else it would hold anything equal."""
    assert digest(history(100, seed=1)) != digest(history(100))


def test_the_mix_is_as_promised() -> None:
    """A quarter with terms, 4 % corrected, 2 % withdrawn, 3 % renewed, 10 % back-dated."""
    size = 20_000
    seen: Counter[str] = Counter()
    for on, command in history(size):
        if isinstance(command, RevisePotential):
            seen["potential"] += 1
            continue
        assert isinstance(command, RecordBatch)
        seen[command.action] += 1
        if command.because is None:
            seen["batch"] += 1
            seen["line"] += len(command.lines)
            assert command.effective_on is not None
            seen["back-dated"] += on - command.effective_on >= timedelta(days=30) and (
                command.action is not Action.OPENING
            )
            brings_in = command.action in {Action.ENROL, Action.RENEW}
            seen["term"] += brings_in and command.lines[0].covered_until is not None
            seen["named leave"] += (
                command.action is Action.DEACTIVATE and command.lines[0].of_batch is not None
            )
    assert seen["batch"] == size
    assert seen["opening"] == 514
    assert seen["potential"] == 6 * 514
    shares = {
        name: round(100 * seen[name] / size)
        for name in ("term", "correct", "withdraw", "renew", "back-dated")
    }
    assert shares == {"term": 25, "correct": 4, "withdraw": 2, "renew": 3, "back-dated": 10}
    assert 1.8 < seen["line"] / size < 2.2
    assert 0 < seen["named leave"] < seen["deactivate"]  # the others leave the pool


def test_the_words_are_known() -> None:
    """Every category is one of the registry's, so that the files can be imported."""
    assert len(set(CATEGORIES)) == 24
    assert set(CATEGORIES) <= set(Categories().slugs())
    assert len(regencies_of(100_000)) == 514


def test_it_streams_in_the_order_of_recording() -> None:
    """Days never run backwards, and the first command comes without the rest being made."""
    days = [each.on for each in history(2_000)]
    assert days == sorted(days)
    assert days[-1] <= LAST_DAY
    (first,) = itertools.islice(history(1_000_000_000), 1)
    assert isinstance(first.command, RecordBatch)
    assert first.command.effective_on == OPENED_ON


def test_the_registry_accepts_all_of_it(tmp_path: Path) -> None:
    """Year by year, with the rules asked of the ledger each time; the tally agrees with it."""
    store = empty_store(tmp_path / "store")
    said = list(commands(600))
    with closing(store.registry()) as registry:
        for _, year in itertools.groupby(history(600), lambda each: each.on.year):
            registry.record(*(each.command for each in year))
    with closing(store.log()) as log, closing(Ledger(log, store.folder())) as ledger:
        assert log.head() == len(said)
        assert _heads_in(ledger) == _heads_of(said)


def test_the_rules_were_asked(tmp_path: Path) -> None:
    """One leave more than the country allows is refused: the acceptance above says something."""
    store = empty_store(tmp_path / "store")
    too_many: list[Command] = []
    for command in commands(600):
        if isinstance(command, RecordBatch) and command.action is Action.DEACTIVATE:
            lines = tuple(replace(line, workers=line.workers + 50_000) for line in command.lines)
            too_many.append(replace(command, lines=lines))
            break
        too_many.append(command)
    with closing(store.registry()) as registry, pytest.raises(RuleBrokenError):
        registry.record(*too_many)


def test_a_store_filled_fast_holds_the_same(tmp_path: Path) -> None:
    """Leaving out the question of the rules changes nothing that is recorded."""
    store = filled_store(tmp_path / "store", 600)
    said = list(commands(600))
    with closing(store.log()) as log, closing(Ledger(log, None)) as ledger:
        assert store.events == log.head() == len(said)
        assert store.positions == tuple(sorted(set(store.positions)))
        assert _heads_in(ledger) == _heads_of(said)
        potentials = ledger.connection.execute(
            "SELECT area, max_by(workers, valid_from) FROM potentials WHERE valid_from <= $1"
            " GROUP BY area",
            [ON],
        ).fetchall()
    assert dict(potentials) == potentials_on(said, ON)


def test_a_country_told_again_is_what_the_registry_records(tmp_path: Path) -> None:
    """Row for row and byte for byte, as if its commands had been decided in other words."""
    copied = told_again(filled_store(tmp_path / "copied", 300), 3)
    decided = empty_store(tmp_path / "decided")
    said = [*history(300)]
    again = (each for number in (1, 2) for each in in_other_words(said, number))
    with closing(decided.registry()) as registry:
        positions = tuple(fill(registry, [*said, *again]))
    assert copied.events == 3 * len(said)
    assert copied.positions == positions
    with closing(copied.log()) as log, closing(decided.log()) as other:
        assert list(log.rows()) == list(other.rows())
        with closing(Ledger(log, None)) as ledger:
            once = _heads_of([command for _, command in said])
            assert _heads_in(ledger) == {each: 3 * heads for each, heads in once.items()}


def test_a_leap_day_is_told_again_nine_times() -> None:
    """A day that is not in the calendar would be no date of an event."""
    said = next(each for each in history(300) if isinstance(each.command, RecordBatch))
    leap_day = said._replace(on=date(2020, 2, 29))
    told = [each.on for number in range(1, 10) for each in in_other_words([leap_day], number)]
    assert [(day.month, day.day) for day in told] == [(2, 29)] * 9
    assert all(day > date(2025, 12, 31) for day in told)


@pytest.mark.parametrize("source", [enrolments, importable])
def test_a_file_says_what_the_commands_say(source: object, tmp_path: Path) -> None:
    """What is read back from the CSV are the same commands, row for row."""
    assert callable(source)
    batches = list(source(300))
    path = tmp_path / "batches.csv"
    rows = as_csv(batches, path)
    assert rows == lines_of(batches)
    options = AdmissionOptions(kind="batches", locale="en", expect_rows=rows)
    with (
        spool_input(path, name=path.name) as spooled,
        admit(spooled, options, Categories()) as admission,
    ):
        assert admission.report.errors == 0
        read = [_without_rows(each) for each in admission.commands()]
    assert read == batches


def test_a_file_ends_with_a_whole_batch(tmp_path: Path) -> None:
    """A limit on the rows never cuts a batch in two."""
    path = tmp_path / "batches.csv"
    rows = as_csv(up_to(enrolments(300), lines_max=100), path)
    assert 97 <= rows <= 100
    assert len(path.read_text(encoding="utf-8").splitlines()) == rows + 1


def _heads_in(ledger: Ledger) -> dict[tuple[str, str], int]:
    found = ledger.connection.execute(
        "SELECT area, category, sum(workers) FROM entries WHERE effective_on <= $1 GROUP BY ALL",
        [ON],
    ).fetchall()
    return {(area, category): int(heads) for area, category, heads in found if heads}


def _heads_of(said: list[Command]) -> dict[tuple[str, str], int]:
    heads = heads_on(said, ON, changed=changed_references(said))
    return {key: count for key, count in heads.items() if count}


def _without_rows(command: Command) -> Command:
    assert isinstance(command, RecordBatch)
    lines = tuple(replace(line, row=None) for line in command.lines)
    return replace(command, lines=lines, row=None, sheet=None)
